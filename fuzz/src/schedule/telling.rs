//! Operations in words.

use std::fmt;
use std::sync::Arc;

use zus_bpp::block::BlockId;
use zus_bpp::committee::{MinerId, Peer, SharderId};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::ticket_log::{Kind as RecordKind, Record};

use super::operation::Operation;
use crate::byzantine::Deed;
use crate::world::{Content, CrashPoint, Kind, Receivers, SHARDER, World};

/// An operation in words, about a world before it happens.
pub struct Told<'a, S>(pub &'a World<S>, pub &'a Operation);

impl<S: Scheme + Clone> fmt::Display for Told<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told(world, operation) = self;
        let miner = |host: usize| Peer::Miner(world.hosts[host].id);
        match operation {
            Operation::Deliver { message, to, crash } => {
                let envelope = Arc::clone(&world.network.sent()[*message]);
                write!(f, "{} gets {} of {}", names(*to), told(&envelope.content), envelope.from)?;
                told_crash(f, *crash)
            }
            Operation::DeliverAll { to, kind: None } => write!(f, "{} get everything", names(*to)),
            Operation::DeliverAll { to, kind: Some(kind) } => write!(f, "{} get every {kind:?}", names(*to)),
            Operation::DeliverBackwards { to } => {
                write!(f, "{} gets everything, the newest first", names(*to))
            }
            Operation::DeliverTickets { to, block } => {
                write!(f, "{} gets all tickets for {block}", names(*to))
            }
            Operation::Lose { message, to } => {
                write!(f, "{} is lost for {}", told(&world.network.sent()[*message].content), names(*to))
            }
            Operation::Fire { host, timer, crash } => {
                write!(f, "{timer:?} of {} fires", miner(*host))?;
                told_crash(f, *crash)
            }
            Operation::Round { without } => {
                write!(f, "all but {} go through a round as far as its tickets", miner(*without))
            }
            Operation::FireAll { waits: false } => write!(f, "all windows close"),
            Operation::FireAll { waits: true } => write!(f, "all waits end"),
            Operation::Confirm { host, count: 1 } => {
                write!(f, "the disk of {} confirms a write", miner(*host))
            }
            Operation::Confirm { host, .. } => write!(f, "the disk of {} confirms its writes", miner(*host)),
            Operation::Crash { host } => write!(f, "{} crashes", miner(*host)),
            Operation::Restart { host } => write!(f, "{} restarts", miner(*host)),
            Operation::Partition { apart } => write!(f, "{} are cut off", names(*apart)),
            Operation::Heal => write!(f, "the network heals"),
            Operation::Byzantine { member, deed, to } => match deed {
                Deed::Sign(record) => {
                    write!(f, "Byzantine {member} signs {}, to {}", told_record(record), names(*to))
                }
                Deed::Certify(record) => {
                    write!(f, "Byzantine {member} certifies {}, to {}", told_record(record), names(*to))
                }
                Deed::Propose { round, subround, parent, flaw } => write!(
                    f,
                    "Byzantine {member} proposes in ({round}, {subround}) on {parent} (flaw: {flaw:?}), to {}",
                    names(*to)
                ),
                other => write!(f, "Byzantine {member} does {other:?}, to {}", names(*to)),
            },
            Operation::SharderPolls => write!(f, "the sharder polls"),
        }
    }
}

fn told_crash(f: &mut fmt::Formatter<'_>, crash: Option<CrashPoint>) -> fmt::Result {
    match crash {
        None => Ok(()),
        Some(CrashPoint { after_steps, flushed: true }) => {
            write!(f, ", and crashes after the flush of step {after_steps}")
        }
        Some(CrashPoint { after_steps, flushed: false }) => {
            write!(f, ", and crashes before the flush of step {after_steps}")
        }
    }
}

fn told_record(record: &Record) -> String {
    let (round, subround, block) = (record.round, record.subround, BlockId(record.block));
    match record.kind {
        RecordKind::Proposal => format!("block {block} in ({round}, {subround})"),
        RecordKind::Ticket => format!("a ticket for {block} in ({round}, {subround})"),
        RecordKind::Timeout => format!("a timeout of ({round}, {subround})"),
        RecordKind::FinalityVote => format!("a finality vote for {block} in ({round}, {subround})"),
    }
}

fn told(content: &Content) -> String {
    let Content::Message(message) = content else { return "bytes".into() };
    if let Some(record) = crate::world::record_of(message) {
        return told_record(&record);
    }
    match message {
        Message::BeaconShare(share) => format!("the share of round {}", share.target.round()),
        Message::Notarization(known) => {
            format!("the notarization of {} in ({}, {})", known.block, known.round, known.subround)
        }
        Message::TimeoutCertificate(known) => {
            format!("the timeout certificate of ({}, {})", known.round, known.subround)
        }
        Message::FinalityCertificate(known) => format!("the finality certificate of {}", known.block),
        Message::Evidence(evidence) => format!("evidence against {:?}", evidence.convicts()),
        other => format!("{:?}", Kind::of(&Content::Message(other.clone()))),
    }
}

fn names(set: Receivers) -> String {
    let mut names: Vec<String> =
        (0..31).filter(|i| set >> i & 1 == 1).map(|i| Peer::Miner(MinerId(i)).to_string()).collect();
    if set & SHARDER != 0 {
        names.push(Peer::Sharder(SharderId(0)).to_string());
    }
    names.join(", ")
}
