//! Actions of Byzantine members. Each has its own keys and everything that was ever sent; all of them conspire.
//!
//! The vocabulary is the catalogue of PROTOCOL.md, section 7 and of the issue: equivocate, send to a subset, withhold and release, replay
//! from an older round or subround, relabel, forge with wrong keys, garbage bytes, a field of a real message mutated.
//! Each statement that a member signs is recorded in the world ([`World::byzantine`]), for the oracles and the
//! refinement.

mod proposing;

use std::sync::Arc;

use zus_bpp::block::BlockId;
use zus_bpp::certified::{Certified, FinalityCertificate, Notarization, TimeoutCertificate};
use zus_bpp::committee::{MinerId, Round, Subround};
use zus_bpp::crypto::certificate::Certificate;
use zus_bpp::crypto::scheme::{Domain, SIGNATURE_BYTES, Scheme, Signature};
use zus_bpp::message::{BeaconShare, Message};
use zus_bpp::rules::BeaconRule;
use zus_bpp::statement::{BeaconTarget, FinalityVote, Proposed, Signed, Statement, Ticket, Timeout};
use zus_bpp::ticket_log::{Kind, LogRecord};
use zus_bpp::wire;

use self::proposing::propose;
use crate::chosen::{Content, Receivers, World};
use crate::messages::{Said, said};

/// Blocks of one Byzantine generator in one subround that the model has places for.
pub const MOST_BLOCKS: usize = 2;

/// In what a proposal of a Byzantine miner is wrong, if in anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// In nothing.
    None,
    /// The parent's certificate is missing (S3).
    NoCertificate,
    /// The certificate is of another block (S3).
    OtherCertificate,
    /// The parent is of the round before the last (S3).
    OldParent,
    /// The certificate's signers are not those who signed (S8).
    ForgedCertificate,
    /// The beacon value, or the signature that shows it, is not the committee's (S9).
    WrongBeacon,
    /// The time is too far in the future, or before the parent's, or the epoch is another: in turn, by round and subround.
    OutOfPlace,
    /// The application refuses the payload.
    RefusedPayload,
    /// The timeout certificate of the subround before is missing, or is of an older one.
    NoTimeoutCertificate,
    /// The certificate of the block that it names as final has signers that never voted for it.
    ForgedFinality,
    /// It names a block of its own round or a later one as final, with a genuine certificate.
    LaterFinality,
    /// It names no final block, and its parent names one.
    LowerFinality,
    /// It has a payload too far above the block that it names as final.
    PayloadBeyond,
}

impl Flaw {
    /// All flaws.
    pub const ALL: [Flaw; 13] = [
        Flaw::None,
        Flaw::NoCertificate,
        Flaw::OtherCertificate,
        Flaw::OldParent,
        Flaw::ForgedCertificate,
        Flaw::WrongBeacon,
        Flaw::OutOfPlace,
        Flaw::RefusedPayload,
        Flaw::NoTimeoutCertificate,
        Flaw::ForgedFinality,
        Flaw::LaterFinality,
        Flaw::LowerFinality,
        Flaw::PayloadBeyond,
    ];
    /// Flaws in other parts than the block that is named as final; these come first in [`Flaw::ALL`].
    pub const BESIDE_FINALITY: usize = 9;
}

/// An action of a Byzantine member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// It sends its beacon share.
    Share {
        /// For which round.
        round: Round,
        /// Whether the share is garbage.
        garbage: bool,
    },
    /// It proposes a block, whether or not it has its turn.
    Propose {
        /// The round.
        round: Round,
        /// The subround.
        subround: Subround,
        /// The block that it extends.
        parent: BlockId,
        /// The flaw of the block.
        flaw: Flaw,
    },
    /// It signs and sends a ticket, timeout or vote.
    Sign(LogRecord),
    /// It assembles a certificate from what was sent and what the Byzantine members sign, and sends it.
    Certify(LogRecord),
    /// It relays a message of the past, as its own peer.
    Relay(usize),
    /// It sends a message of the past under another round and subround, signed by itself where it was signed by one.
    Relabel {
        /// Which message.
        message: usize,
        /// The round on the label.
        round: Round,
        /// The subround on the label.
        subround: Subround,
    },
    /// It claims that an honest miner signed this; in its own name, it signs wrongly.
    Forge {
        /// In whose name.
        victim: MinerId,
        /// The statement.
        record: LogRecord,
    },
    /// A certificate whose bitmap claims honest signers that never signed.
    ForgeCertificate(LogRecord),
    /// It sends bytes that are no message.
    Garbage(u64),
    /// It sends a real message with one bit flipped.
    Mutate {
        /// Which message.
        message: usize,
        /// Which bit, modulo its length.
        bit: u64,
    },
}

/// Does it: `member` sends to `to`. Nothing happens when it cannot be done.
pub fn perform<S: Scheme + Clone>(world: &mut World<S>, member: MinerId, deed: &Deed, to: Receivers) {
    let ground = Arc::clone(&world.ground);
    let committee = &ground.config.committee;
    let Some(scheme) = ground.keys.members.get(usize::from(member.0)) else { return };
    if !ground.setup.is_byzantine(member) {
        return;
    }
    match deed {
        Deed::Share { round, garbage } => {
            let target = match ground.setup.rules.beacon {
                BeaconRule::RoundOnly => BeaconTarget::Round(*round),
                BeaconRule::Chained => {
                    // The target that some honest miner of that round waits for.
                    let there = |host: &usize| world.hosts[*host].miner.round() == *round;
                    let Some(host) = (0..world.hosts.len()).find(there) else { return };
                    let (subround, previous) = (world.hosts[host].miner.subround(), world.seed_of(host));
                    BeaconTarget::Chained { round: *round, subround, previous }
                }
            };
            if let Some(mut share) = BeaconShare::sign(target, committee, scheme) {
                if *garbage {
                    share.share.0[0] ^= 1;
                }
                world.send_as(member, to, Content::Message(Message::BeaconShare(share)));
            }
        }
        Deed::Propose { round, subround, parent, flaw } => {
            if let Some(proposal) = propose(world, member, *round, *subround, *parent, *flaw) {
                world.send_as(member, to, Content::Message(Message::Proposal(proposal)));
            }
        }
        Deed::Sign(record) => {
            if let Some(message) = sign(world, member, record) {
                world.send_as(member, to, Content::Message(message));
            }
        }
        Deed::Certify(record) => {
            if let Some(message) = certify(world, record) {
                world.send_as(member, to, Content::Message(message));
            }
        }
        Deed::Relay(index) => {
            if let Some(envelope) = world.network.sent().get(*index).cloned() {
                world.send_as(member, to, envelope.content.clone());
            }
        }
        Deed::Relabel { message, round, subround } => {
            if let Some(relabelled) = relabel(world, member, *message, *round, *subround) {
                world.send_as(member, to, Content::Message(relabelled));
            }
        }
        Deed::Forge { victim, record } => {
            if let Some(mut message) = sign_with(scheme, committee, record) {
                let spoils = u8::from(*victim == member);
                let (signer, signature) = match &mut message {
                    Message::Ticket(signed) => (&mut signed.signer, &mut signed.signature),
                    Message::Timeout(signed) => (&mut signed.signer, &mut signed.signature),
                    Message::FinalityVote(signed) => (&mut signed.signer, &mut signed.signature),
                    // The message of `sign_with` is one of the three above.
                    _ => return,
                };
                *signer = *victim;
                signature.0[0] ^= spoils;
                world.send_as(member, to, Content::Message(message));
            }
        }
        Deed::ForgeCertificate(record) => {
            let all: Vec<MinerId> = (0..ground.setup.miners).map(MinerId).collect();
            let garbage = Signature([7; SIGNATURE_BYTES]);
            let signature = signature_of(scheme, committee, record).unwrap_or(garbage);
            let signatures: Vec<(MinerId, Signature)> =
                all.iter().map(|&id| (id, signature)).take(ground.setup.quorum()).collect();
            if let Some(message) = assembled(world, record, &signatures) {
                world.send_as(member, to, Content::Message(message));
            }
        }
        Deed::Garbage(seed) => {
            let length = (*seed % 64) as usize;
            let bytes = (0..length).map(|i| (seed.rotate_left(i as u32 * 7) ^ i as u64) as u8).collect();
            world.send_as(member, to, Content::Bytes(bytes));
        }
        Deed::Mutate { message, bit } => {
            let Some(envelope) = world.network.sent().get(*message) else { return };
            let Content::Message(message) = &envelope.content else { return };
            let mut bytes = wire::encode(message);
            let bits = bytes.len() as u64 * 8;
            bytes[(bit % bits / 8) as usize] ^= 1 << (bit % 8);
            world.send_as(member, to, Content::Bytes(bytes));
        }
    }
}

/// The notarization that a message is.
fn notarization(message: Message) -> Option<Arc<Notarization>> {
    if let Message::Notarization(known) = message { Some(known) } else { None }
}

fn signature_of<S: Scheme>(
    scheme: &S,
    committee: &zus_bpp::committee::Committee,
    record: &LogRecord,
) -> Option<Signature> {
    let (domain, preimage) = preimage(committee, record);
    scheme.sign(domain, &preimage)
}

fn preimage(committee: &zus_bpp::committee::Committee, record: &LogRecord) -> (Domain, [u8; 100]) {
    let LogRecord { round, subround, block, kind } = *record;
    let block = BlockId(block);
    match kind {
        Kind::Proposal => (Domain::Proposal, Proposed { round, subround, block }.preimage(committee)),
        Kind::Ticket => (Domain::Ticket, Ticket { round, subround, block }.preimage(committee)),
        Kind::Timeout => (Domain::Timeout, Timeout { round, subround }.preimage(committee)),
        Kind::FinalityVote => {
            (Domain::FinalityVote, FinalityVote { round, subround, block }.preimage(committee))
        }
    }
}

fn sign_with<S: Scheme>(
    scheme: &S,
    committee: &zus_bpp::committee::Committee,
    record: &LogRecord,
) -> Option<Message> {
    let LogRecord { round, subround, block, kind } = *record;
    let block = BlockId(block);
    Some(match kind {
        Kind::Proposal => return None,
        Kind::Ticket => Message::Ticket(Signed::sign(Ticket { round, subround, block }, committee, scheme)?),
        Kind::Timeout => Message::Timeout(Signed::sign(Timeout { round, subround }, committee, scheme)?),
        Kind::FinalityVote => {
            Message::FinalityVote(Signed::sign(FinalityVote { round, subround, block }, committee, scheme)?)
        }
    })
}

fn sign<S: Scheme + Clone>(world: &mut World<S>, member: MinerId, record: &LogRecord) -> Option<Message> {
    let ground = Arc::clone(&world.ground);
    let message = sign_with(&ground.keys.members[usize::from(member.0)], &ground.config.committee, record)?;
    world.byzantine_signed(member, *record);
    Some(message)
}

/// All Byzantine members sign a record.
fn sign_missing<S: Scheme + Clone>(world: &mut World<S>, record: &LogRecord) {
    let members = world.ground.setup.byzantine.clone();
    for member in members {
        world.byzantine_signed(MinerId(member), *record);
    }
}

/// A certificate from the signatures of honest miners that were sent, and those of all Byzantine members, if that is enough.
fn certify<S: Scheme + Clone>(world: &mut World<S>, record: &LogRecord) -> Option<Message> {
    let message = certify_quietly(world, record)?;
    sign_missing(world, record);
    Some(message)
}

fn certify_quietly<S: Scheme + Clone>(world: &World<S>, record: &LogRecord) -> Option<Message> {
    let ground = &world.ground;
    let (domain, message) = preimage(&ground.config.committee, record);
    let mut signatures = Vec::new();
    // A signature that was sent is the one that its signer's key makes: BLS and the mock are deterministic.
    for (index, scheme) in ground.keys.members.iter().enumerate() {
        let member = MinerId(index as u16);
        let has_signed = match world.host_of(member) {
            Some(host) => world.hosts[host].has_said(record),
            None => true,
        };
        if has_signed {
            signatures.push((member, scheme.sign(domain, &message)?));
        }
    }
    if signatures.len() < ground.setup.quorum() {
        return None;
    }
    assembled(world, record, &signatures)
}

fn assembled<S: Scheme + Clone>(
    world: &World<S>,
    record: &LogRecord,
    signatures: &[(MinerId, Signature)],
) -> Option<Message> {
    let ground = &world.ground;
    let certificate = Certificate::assemble(&ground.keys.observer, ground.setup.quorum(), signatures).ok()?;
    let LogRecord { round, subround, block, kind } = *record;
    let block = BlockId(block);
    Some(match kind {
        Kind::Proposal => return None,
        Kind::Ticket => {
            let known: Notarization = Certified { statement: Ticket { round, subround, block }, certificate };
            Message::Notarization(Arc::new(known))
        }
        Kind::Timeout => {
            let known: TimeoutCertificate = Certified { statement: Timeout { round, subround }, certificate };
            Message::TimeoutCertificate(Arc::new(known))
        }
        Kind::FinalityVote => {
            let known: FinalityCertificate =
                Certified { statement: FinalityVote { round, subround, block }, certificate };
            Message::FinalityCertificate(Arc::new(known))
        }
    })
}

fn relabel<S: Scheme + Clone>(
    world: &mut World<S>,
    member: MinerId,
    message: usize,
    round: Round,
    subround: Subround,
) -> Option<Message> {
    let envelope = Arc::clone(world.network.sent().get(message)?);
    let Content::Message(message) = &envelope.content else { return None };
    match said(message) {
        Said::Ticket(ticket) => sign(world, member, &LogRecord::ticket(round, subround, ticket.block.0)),
        Said::Vote(vote) => sign(world, member, &LogRecord::finality_vote(round, subround, vote.block.0)),
        Said::Timeout(_) => sign(world, member, &LogRecord::timeout(round, subround)),
        Said::Notarization(known) => {
            let mut known = (**known).clone();
            (known.statement.round, known.statement.subround) = (round, subround);
            Some(Message::Notarization(Arc::new(known)))
        }
        Said::TimeoutCertificate(known) => {
            let mut known = (**known).clone();
            known.statement = Timeout { round, subround };
            Some(Message::TimeoutCertificate(Arc::new(known)))
        }
        Said::FinalityCertificate(known) => {
            let mut known = (**known).clone();
            (known.statement.round, known.statement.subround) = (round, subround);
            Some(Message::FinalityCertificate(Arc::new(known)))
        }
        Said::Share(_) | Said::Proposal(_) | Said::Evidence(_) | Said::Blocks(_) | Said::Unsigned => None,
    }
}
