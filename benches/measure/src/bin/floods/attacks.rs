//! Each kind of message, in each way in which it can be wrong, useless or not its sender's.

use std::collections::BTreeSet;
use std::sync::Arc;

use zus_bpp::block::{BlockContent, BlockId};
use zus_bpp::committee::{MinerId, Peer, Round, SharderId, Subround};
use zus_bpp::crypto::scheme::{BeaconValue, Signature};
use zus_bpp::crypto::uncompressed::UncompressedSignature;
use zus_bpp::evidence::Evidence;
use zus_bpp::limits::MAX_PAYLOAD_BYTES;
use zus_bpp::message::{ChainRequest, ChainResponse, Message, MessageKind, UncompressedTicket};
use zus_bpp::statement::{Proposed, Signed, Ticket};
use zus_bpp::wire;

use super::script::{FLOODER, MINERS, Script, ScriptedRound, ticket_of, timeout_of, vote_of};

/// A flood.
pub struct Attack {
    pub name: &'static str,
    /// At the other end of the link.
    pub from: Peer,
    /// Whether no honest sender can have sent it, as its form alone tells.
    pub impossible: bool,
    /// The messages that are sent again and again in one round.
    pub messages: fn(&Script, At<'_>) -> Vec<Vec<u8>>,
    /// Whether another wrong signature is put into each message, so many bytes before its end.
    pub spoilt: Option<usize>,
}

/// Where the miner is.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub round: Round,
    /// The messages of the honest members in this round, and in the one before.
    pub now: &'a ScriptedRound,
    pub before: Option<&'a ScriptedRound>,
}

const MEMBER: Peer = Peer::Miner(FLOODER);
const SHARDER: Peer = Peer::Sharder(SharderId(1));
const STRANGER: Peer = Peer::Miner(MinerId(MINERS));
const OTHER: MinerId = MinerId(7);

/// # Panics
/// When a kind of message has no flood.
pub fn require_all_kinds(script: &Script) {
    let at = At { round: Round(2), now: &script.rounds[1], before: Some(&script.rounds[0]) };
    let sent = ATTACKS.iter().flat_map(|attack| (attack.messages)(script, at));
    let kinds: BTreeSet<MessageKind> =
        sent.filter_map(|bytes| wire::decode(&bytes).ok()).map(|message| message.kind()).collect();
    assert_eq!(kinds, MessageKind::ALL.iter().copied().collect(), "each kind of message has a flood");
}

fn one(message: Message) -> Vec<Vec<u8>> {
    vec![wire::encode(&message)]
}

fn own_ticket(script: &Script, signer: MinerId, at: At<'_>) -> Signed<Ticket> {
    script.signed(signer, ticket_of(at.round, at.now.block.id()))
}

fn uncompressed(ticket: Signed<Ticket>) -> Message {
    let coordinates = UncompressedSignature::new(ticket.signature).expect("a point");
    Message::ticket(ticket, Some(coordinates))
}

/// A genuine proposal of the own round by `generator`, changed.
fn proposal(script: &Script, at: At<'_>, payload: usize, change: impl FnOnce(&mut BlockContent)) -> Message {
    let mut content = script.block(at.before, FLOODER, payload);
    (content.beacon_signature, content.beacon) = at.now.beacon;
    change(&mut content);
    Message::Proposal(script.proposal(content))
}

/// An answer of so many blocks with a forged certificate.
fn answer(script: &Script, at: At<'_>, blocks: usize, payload: usize) -> Message {
    let content = script.block(at.before, FLOODER, payload);
    let block = Arc::new(zus_bpp::block::Block::new(content));
    let notarization = script.forged(ticket_of(at.round, block.id()), MINERS, 67);
    Message::ChainResponse(Arc::new(ChainResponse {
        blocks: vec![block; blocks],
        notarization,
        finality: None,
    }))
}

fn tickets_evidence(first: Signed<Ticket>, second: Signed<Ticket>) -> Message {
    Message::Evidence(Arc::new(Evidence::Tickets { first, second }.canonical()))
}

const NO_POINT: Signature = Signature([0xa5; 48]);

/// All of them. `spoilt` counts from the end of the message.
pub const ATTACKS: &[Attack] = &[
    // Bytes.
    attack("three bytes that are no message", |_, _| vec![vec![0xee; 3]]).impossible(),
    attack("97 bytes that are no message", |_, _| vec![vec![0xee; 97]]).impossible(),
    attack("a proposal of 1 MiB and a byte too many", |script, at| {
        let mut bytes = wire::encode(&proposal(script, at, MAX_PAYLOAD_BYTES, |_| {}));
        bytes.push(0);
        vec![bytes]
    })
    .impossible(),
    attack("5 MiB of a kind that does not exist", |_, _| {
        let mut bytes = vec![0; 5 << 20];
        bytes[..2].copy_from_slice(&[wire::VERSION, 0xee]);
        vec![bytes]
    })
    .impossible(),
    attack("a genuine ticket, from a stranger", |script, at| {
        one(Message::Ticket(own_ticket(script, FLOODER, at)))
    })
    .from(STRANGER)
    .impossible(),
    // Step 1.
    attack("beacon share of another member", |script, at| {
        one(Message::BeaconShare(script.share(OTHER, at.round)))
    })
    .spoilt(0)
    .impossible(),
    attack("beacon share, wrong", |script, at| one(Message::BeaconShare(script.share(FLOODER, at.round))))
        .spoilt(0),
    attack("beacon share of the next round, wrong", |script, at| {
        one(Message::BeaconShare(script.share(FLOODER, at.round.next())))
    })
    .spoilt(0),
    attack("beacon share, genuine, again", |script, at| {
        one(Message::BeaconShare(script.share(FLOODER, at.round)))
    }),
    // Step 2.
    attack("proposal of another member", |script, at| {
        one(proposal(script, at, 0, |block| block.generator = OTHER))
    })
    .spoilt(0)
    .impossible(),
    attack("proposal of another member, 1 MiB", |script, at| {
        one(proposal(script, at, MAX_PAYLOAD_BYTES, |block| block.generator = OTHER))
    })
    .spoilt(0)
    .impossible(),
    attack("proposal, wrong signature", |script, at| one(proposal(script, at, 0, |_| {}))).spoilt(0),
    attack("proposal of 1 MiB, wrong signature", |script, at| {
        one(proposal(script, at, MAX_PAYLOAD_BYTES, |_| {}))
    })
    .spoilt(0),
    attack("proposal, forged certificate of its parent", |script, at| {
        one(proposal(script, at, 0, |block| {
            let parent = ticket_of(Round(block.round.0 - 1), block.parent);
            block.parent_notarization = Some(script.forged(parent, MINERS, 67));
        }))
    }),
    attack("proposal, certificate of another round", |script, at| {
        one(proposal(script, at, 0, |block| block.round = block.round.next()))
    }),
    attack("proposal of a subround without its timeout certificate", |script, at| {
        one(proposal(script, at, 0, |block| block.subround = Subround(1)))
    }),
    attack("proposal, wrong beacon value", |script, at| {
        one(proposal(script, at, 0, |block| block.beacon = BeaconValue([9; 32])))
    }),
    attack("proposal without a turn", |script, at| one(proposal(script, at, 0, |_| {}))),
    attack("two proposals", |script, at| {
        let two = [3, 4].map(|time| proposal(script, at, 0, |block| block.time.0 = time));
        two.iter().map(wire::encode).collect()
    }),
    // Step 5.
    attack("ticket of another member", |script, at| one(Message::Ticket(own_ticket(script, OTHER, at))))
        .spoilt(0)
        .impossible(),
    attack("ticket, from a sharder", |script, at| one(Message::Ticket(own_ticket(script, FLOODER, at))))
        .from(SHARDER)
        .impossible(),
    attack("ticket, wrong", |script, at| one(Message::Ticket(own_ticket(script, FLOODER, at)))).spoilt(0),
    attack("ticket, no point", |script, at| {
        one(Message::Ticket(Signed { signature: NO_POINT, ..own_ticket(script, FLOODER, at) }))
    }),
    attack("ticket, genuine, again", |script, at| one(Message::Ticket(own_ticket(script, FLOODER, at)))),
    attack("tickets for 64 blocks, genuine", |script, at| {
        let block = |i| BlockId([i; 32]);
        let ticket = |i| Message::Ticket(script.signed(FLOODER, ticket_of(at.round, block(i))));
        (0..64).map(|i| wire::encode(&ticket(i))).collect()
    }),
    attack("96-byte ticket of another member", |script, at| one(uncompressed(own_ticket(script, OTHER, at))))
        .impossible(),
    attack("96-byte ticket, wrong", |script, at| {
        let other = |i: usize| UncompressedTicket {
            statement: ticket_of(at.round, at.now.block.id()),
            signer: FLOODER,
            signature: UncompressedSignature::new(script.wrong[i]).expect("a point"),
        };
        (0..64).map(|i| wire::encode(&Message::UncompressedTicket(other(i)))).collect()
    }),
    attack("96-byte ticket, off the curve", |script, at| {
        let mut bytes = wire::encode(&uncompressed(own_ticket(script, FLOODER, at)));
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        vec![bytes]
    })
    .impossible(),
    // Step 9.
    attack("timeout of another member", |script, at| {
        one(Message::Timeout(script.signed(OTHER, timeout_of(at.round))))
    })
    .spoilt(0)
    .impossible(),
    attack("timeout, wrong", |script, at| {
        one(Message::Timeout(script.signed(FLOODER, timeout_of(at.round))))
    })
    .spoilt(0),
    attack("timeout certificate, wrong", |script, at| {
        one(Message::TimeoutCertificate(script.forged(timeout_of(at.round), MINERS, 67)))
    })
    .spoilt(0),
    attack("timeout certificate of less than a quorum", |script, at| {
        one(Message::TimeoutCertificate(script.forged(timeout_of(at.round), MINERS, 66)))
    })
    .impossible(),
    attack("timeout certificate, from a sharder", |script, at| {
        one(Message::TimeoutCertificate(script.forged(timeout_of(at.round), MINERS, 67)))
    })
    .from(SHARDER)
    .impossible(),
    // Step 8.
    attack("finality vote of another member", |script, at| {
        one(Message::FinalityVote(script.signed(OTHER, vote_of(at.round, at.now.block.id()))))
    })
    .spoilt(0)
    .impossible(),
    attack("finality vote, wrong", |script, at| {
        one(Message::FinalityVote(script.signed(FLOODER, vote_of(at.round, at.now.block.id()))))
    })
    .spoilt(0),
    // A wrong one of each in each round, before the others': what a quorum of them is found to contain.
    attack("share, ticket and vote of each round, wrong, in time", |script, at| {
        let mut share = script.share(FLOODER, at.round);
        let mut ticket = own_ticket(script, FLOODER, at);
        let mut vote = script.signed(FLOODER, vote_of(at.round, at.now.block.id()));
        (share.share, ticket.signature, vote.signature) = (script.wrong[1], script.wrong[2], script.wrong[3]);
        let all = [Message::BeaconShare(share), Message::Ticket(ticket), Message::FinalityVote(vote)];
        all.iter().map(wire::encode).collect()
    }),
    // Steps 7 and 10.
    attack("notarization, wrong", |script, at| {
        one(Message::Notarization(script.forged(ticket_of(at.round, BlockId([3; 32])), MINERS, 67)))
    })
    .spoilt(0),
    attack("notarization of a later round, wrong", |script, at| {
        let round = Round(at.round.0 + 1_000);
        one(Message::Notarization(script.forged(ticket_of(round, BlockId([3; 32])), MINERS, 67)))
    })
    .spoilt(0),
    attack("notarization of less than a quorum", |script, at| {
        one(Message::Notarization(script.forged(ticket_of(at.round, BlockId([3; 32])), MINERS, 66)))
    })
    .impossible(),
    attack("notarization of another committee", |script, at| {
        one(Message::Notarization(script.forged(ticket_of(at.round, BlockId([3; 32])), 99, 67)))
    })
    .impossible(),
    attack("notarization, genuine, again", |_, at| match at.before {
        Some(before) => one(Message::Notarization(Arc::clone(&before.notarization))),
        None => Vec::new(),
    }),
    attack("finality certificate, wrong", |script, at| {
        one(Message::FinalityCertificate(script.forged(vote_of(at.round, at.now.block.id()), MINERS, 67)))
    })
    .spoilt(0),
    attack("finality certificate against the chain, wrong", |script, at| {
        let round = Round(at.round.0 - 1);
        one(Message::FinalityCertificate(script.forged(vote_of(round, BlockId([4; 32])), MINERS, 67)))
    })
    .spoilt(0),
    attack("finality certificate, genuine, again", |_, at| match at.before {
        Some(before) => one(Message::FinalityCertificate(Arc::clone(&before.finality))),
        None => Vec::new(),
    }),
    // S10.
    attack("evidence, wrong", |script, at| {
        let (first, second) = (ticket_of(at.round, BlockId([1; 32])), ticket_of(at.round, BlockId([2; 32])));
        one(tickets_evidence(script.signed(FLOODER, first), script.signed(FLOODER, second)))
    })
    .spoilt(0),
    attack("evidence that contradicts nothing", |script, at| {
        let ticket = own_ticket(script, FLOODER, at);
        one(tickets_evidence(ticket, ticket))
    })
    .impossible(),
    attack("evidence of two certificates, wrong", |script, at| {
        let of = |byte| script.forged(ticket_of(at.round, BlockId([byte; 32])), MINERS, 67);
        one(Message::Evidence(Arc::new(Evidence::Notarizations { first: of(1), second: of(2) })))
    })
    .spoilt(0),
    attack("evidence against itself, genuine, 64 times", |script, at| {
        let place = |byte| Proposed { round: at.round, subround: Subround(0), block: BlockId([byte; 32]) };
        let signed: Vec<_> = (0..64).map(|byte| script.signed(FLOODER, place(byte))).collect();
        let pair = |pair: &[Signed<Proposed>]| Evidence::Proposals { first: pair[0], second: pair[1] };
        signed
            .windows(2)
            .map(|two| wire::encode(&Message::Evidence(Arc::new(pair(two).canonical()))))
            .collect()
    }),
    // L4.
    attack("chain request", |_, _| one(Message::ChainRequest(ChainRequest { after: Round(1), tip: None }))),
    attack("chain request of a sharder for a block that nobody has", |_, _| {
        let tip = Some(BlockId([6; 32]));
        one(Message::ChainRequest(ChainRequest { after: Round(0), tip }))
    })
    .from(SHARDER),
    attack("answer that nobody asked for", |script, at| one(answer(script, at, 1, 0))).spoilt(1),
    attack("answer that nobody asked for, 4 MiB", |script, at| one(answer(script, at, 4, MAX_PAYLOAD_BYTES)))
        .spoilt(1),
];

const fn attack(name: &'static str, messages: fn(&Script, At<'_>) -> Vec<Vec<u8>>) -> Attack {
    Attack { name, from: MEMBER, impossible: false, messages, spoilt: None }
}

impl Attack {
    const fn from(mut self, from: Peer) -> Self {
        self.from = from;
        self
    }

    const fn impossible(mut self) -> Self {
        self.impossible = true;
        self
    }

    const fn spoilt(mut self, before_the_end: usize) -> Self {
        self.spoilt = Some(before_the_end);
        self
    }
}
