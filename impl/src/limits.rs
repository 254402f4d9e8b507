//! Every limit of the crate, in one place. Nothing here is needed for safety; each limit keeps what one peer can make
//! another store or do finite (the flood tests attack each of them).
//!
//! Two quantities are *not* limited by a constant, because an attacker alone cannot make them grow:
//! - the notarized rounds above the finalized head: each cost `q` tickets, `f + 1` of them honest. A round costs a miner a
//!   header and a certificate for each of its notarized or ticketed blocks, about a kibibyte; blocks are whole in the last
//!   [`WHOLE_ROUNDS`] rounds only, and have a payload in the first [`PAYLOAD_ROUNDS`] above a final block only;
//! - the number of subrounds. Under [`SubroundEntryRule::Certificate`](crate::rules::SubroundEntryRule::Certificate) each cost
//!   `q` timeouts, `f + 1` of them honest. Of the certificates for them a miner holds one, by which it entered its subround; a
//!   host needs to keep the last of each round above the finalized head. A certificate of any later subround is taken at
//!   once, so that nobody has to collect those between.
//!
//! How many tickets of one signer are kept follows from the rule and the number of generators
//! ([`Config::tickets_per_signer`](crate::miner::Config::tickets_per_signer)).

use std::time::Duration;

/// Miners of one committee: the size of a certificate's bitmap.
pub const MAX_MINERS: u16 = zus_bls::committee::MAX_COMMITTEE_SIZE as u16;

/// Sharders of one chain.
pub const MAX_SHARDERS: u16 = 1_024;

/// Bytes of the payload of one block.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;

/// Bytes of an encoded handoff certificate, whatever the chain: a header, and the finality certificate of the largest committee.
pub const MAX_HANDOFF_BYTES: usize = 512 + zus_bls::signers::MAX_BITMAP_BYTES;

/// Rounds above the highest final block that a block names in which it may have a payload or epoch items; in later rounds it has
/// neither, or no honest miner tickets it. So what is notarized and not final holds a bounded number of payloads, and the
/// chain goes on all the same. Part of the protocol: all participants use the same number
/// ([`Config::payload_rounds`](crate::miner::Config::payload_rounds)).
pub const PAYLOAD_ROUNDS: u64 = 64;

/// Rounds below the own one whose blocks a miner holds whole. Of blocks above the finalized head that are older it holds the
/// headers and certificates; the host has the blocks ([`Output::Load`](crate::miner::Output::Load)).
pub const WHOLE_ROUNDS: u64 = 8;

/// Blocks that become final in one step where they have to be loaded first: so many are whole at once. Those of the last
/// [`WHOLE_ROUNDS`] rounds, and those of an answer that the step takes in, may become final beside them.
pub const FINAL_AT_ONCE: u64 = 32;

/// Bytes of one encoded message, whatever its kind; what is longer is refused before it is read.
pub const MAX_MESSAGE_BYTES: usize = MAX_CHAIN_BYTES + (1 << 20);

/// Blocks in one answer to a chain request.
pub const MAX_CHAIN_BLOCKS: usize = 32;

/// Bytes of payload in one answer to a chain request; the first block always fits.
pub const MAX_CHAIN_BYTES: usize = 4 << 20;

/// Rounds above the own one whose tickets, timeouts, votes and beacon shares are kept. Certificates are taken from any
/// round: they prove themselves.
pub const ROUNDS_AHEAD: u64 = 4;

/// Rounds below the own one whose finality votes are still counted, and whose tickets are still compared for
/// equivocation. A later round's votes finalize an older one with it, so nothing is lost.
pub const ROUNDS_BEHIND: u64 = 8;

/// Subrounds above the own one (above 0 in a future round) whose messages are kept.
pub const SUBROUNDS_AHEAD: u32 = 4;

/// Subrounds below the own one whose tickets still make a notarization.
pub const SUBROUNDS_BEHIND: u32 = 4;

/// Blocks of one generator in one (round, subround) that are kept as candidates, where the rule tickets twins too.
pub const MAX_BLOCKS_PER_GENERATOR: usize = 2;

/// Wrong or contradicting signatures, and wrong beacon shares, of one signer that are looked at in one pool; later ones are
/// ignored. A key generation has the same limit for the wrong messages of one member.
pub const MAX_STRIKES: u8 = zus_bls::dkg::MAX_STRIKES;

/// Known notarizations of one round. Without more than `f` Byzantine miners there is one a subround at most.
pub const MAX_NOTARIZATIONS_PER_ROUND: usize = 16;

/// Final blocks that a miner keeps to serve those who are behind; sharders keep all.
pub const KEPT_FINAL_BLOCKS: usize = 64;

/// Rounds below the floor of a ticket log for which the record of what was signed is kept.
pub const SIGNED_ROUNDS_KEPT: u64 = 32;

/// The highest round that anything is signed, recorded or read in: no chain comes near it (a thousand rounds a second reach it after
/// a hundred million years), and a log that recorded a round above it would sign nothing any more.
pub const MAX_ROUND: u64 = 1 << 62;

/// Rounds by which an imported document may raise the floor of a ticket log, unless the caller names a higher round: twelve
/// days at a round a second.
pub const MAX_IMPORTED_RISE: u64 = 1 << 20;

/// Proofs kept against one miner; one convicts.
pub const MAX_EVIDENCE_PER_MINER: usize = 4;

/// Finality votes that are sent again while nothing moves: the newest ones, since they finalize the rest.
pub const RESENT_VOTES: usize = 2;

/// Work, in microseconds of processor time, that one peer may cause at once and for nothing; until some of it is paid back
/// it is not heard ([`WORK_PER_SECOND`]).
pub const WORK_LIMIT: u64 = 10_000;

/// Work that one peer may cause for nothing from then on, in microseconds a second. With the limit, and the last message that is
/// heard, that is less than 20 ms of processor time in any second, since what is charged is more than what is spent.
pub const WORK_PER_SECOND: u64 = 8_000;

/// Work of a message, beside its bytes and its signatures. Measured: 0.3 at most (`benches/README.md`, *Floods*).
pub const MESSAGE_WORK: u64 = 1;

/// Bytes of a message that are one microsecond of work: they are decoded, and hashed if they are a block. Measured: 200.
pub const BYTES_PER_WORK: u64 = 128;

/// Work of checking a signature, a beacon share or a certificate of 100 miners. Measured: 0.7 ms.
pub const CHECK_WORK: u64 = 1_000;

/// The charge for a proved fault of the sender. Such a fault may have cost several checks: a wrong signature among
/// those of a quorum makes a product of pairings fail before it is found. Measured: 6.5 ms at most, for a wrong beacon
/// share among 67, which are combined and then searched.
pub const FAULT_WORK: u64 = 8_000;

/// Bytes of answers to chain requests that one peer gets at once, and one block more.
pub const ANSWER_ALLOWANCE_BYTES: u64 = 8 << 20;

/// Bytes of answers a second to all peers from then on; each has the same share of it, and none has another's. Two blocks of the
/// largest size are two seconds of a chain.
pub const ANSWER_BYTES_PER_SECOND: u64 = 4 << 20;

/// Bytes of answers for each byte of requests, beyond the allowance.
pub const ANSWER_BYTES_PER_REQUEST_BYTE: u64 = 16;

/// Bytes of payload that a host serves from its storage in one answer ([`Output::Serve`](crate::miner::Output::Serve)): any
/// block fits.
pub const SERVED_BYTES: usize = MAX_PAYLOAD_BYTES;

/// Bytes of the record of a committee: room for the largest one with all sharders.
pub const MAX_RECORD_BYTES: usize = 1 << 18;

/// Records of which a node remembers the checked keys: those of the epochs before and after the present one, and of one that it
/// passes through. So only keys that are new are checked.
pub const CHECKED_RECORDS: usize = 4;

/// Links to committees in one message.
pub const MAX_LINKS_AT_ONCE: usize = 16;

/// Links above the present epoch that a node holds: it follows the chain up to them, and asks for more then.
pub const MAX_LINKS_AHEAD: usize = 64;

/// Links, to the present epoch and below, that a node holds to serve them. The host has the others.
pub const KEPT_LINKS: usize = 64;

/// The least time between two handoff certificates for a node that is behind, and between two requests for links.
pub const HANDOFF_INTERVAL: Duration = Duration::from_millis(200);

/// Messages of the next epoch that wait until it begins.
pub const MAX_WAITING_MESSAGES: usize = 1_024;

/// Of these the messages of one node.
pub const MAX_WAITING_OF_ONE: usize = 32;

/// Bytes of all of them.
pub const MAX_WAITING_BYTES: usize = 4 << 20;

/// Bytes of answers a second to a node that asks in an older epoch, or has no place in the present one, beyond
/// [`ANSWER_ALLOWANCE_BYTES`] at once. All nodes that are in no committee that is known share one such allowance.
pub const GUEST_BYTES_PER_SECOND: u64 = 256 << 10;

/// The longest waiting time of a configuration: a day. A longer one is taken for a mistake: nothing would happen, and
/// nobody would say why.
pub const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Epoch items in one block.
pub const MAX_EPOCH_ITEMS: usize = 1_024;

/// Bytes of the epoch items of one block: three dealings of the largest committee
/// ([`MAX_DKG_MEMBERS`](crate::crypto::dkg::MAX_DKG_MEMBERS)) fit.
pub const MAX_EPOCH_ITEMS_BYTES: usize = 1 << 19;

/// Bytes of the epoch items of others that a node keeps for its own blocks. What does not fit is dropped, and its sender sends it again:
/// those of a committee of 100 fit 20 times.
pub const MAX_POOL_BYTES: usize = 32 << 20;

/// Items of one member that a node keeps for its own blocks. They are of one phase: one, and a second one that convicts it.
pub const MAX_ITEMS_OF_MEMBER: usize = 2;

/// Bytes of an epoch item that are one microsecond of work beside the check of its signature: the points of a dealing are decompressed.
pub const ITEM_BYTES_PER_WORK: u64 = 1;

/// Entries of the journal of a key generation: a share of each dealing, and few others.
pub const MAX_JOURNAL_ENTRIES: usize = 4_096;

/// The attempts of a key generation after which the phases get no longer: those of attempt `a` have `D * 2^min(a, 8)` rounds.
pub const MAX_PHASE_DOUBLINGS: u32 = 8;

/// Rounds of the longest phase of a first attempt (`D`): more would be a mistake.
pub const MAX_PHASE_ROUNDS: u64 = 1 << 24;

/// Final rounds after which a participant of a key generation sends again what is not on the chain yet.
pub const RESEND_AFTER_ROUNDS: u64 = 8;
