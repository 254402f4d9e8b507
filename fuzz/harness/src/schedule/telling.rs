//! Operations in words.

use std::fmt;
use std::sync::Arc;

use zus_bpp::committee::{MinerId, Peer, Round, SharderId, Subround};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::miner::Timer;
use zus_bpp::ticket_log::LogRecord;

use super::operation::Operation;
use crate::byzantine::{Deed, Flaw};
use crate::world::{Cause, Content, Kind, Receivers, SHARDER, World, signer_of};

/// An operation in words, about a world before it happens.
pub struct Told<'a, S>(pub &'a World<S>, pub &'a Operation);

impl<S: Scheme + Clone> fmt::Display for Told<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told(world, operation) = self;
        let miner = |host: usize| Peer::Miner(world.hosts[host].id);
        let sent = |message: usize| {
            let envelope = world.network.sent().get(message);
            envelope.map_or_else(|| "a message".into(), |envelope| told(&envelope.content))
        };
        match operation {
            Operation::Deliver { message, to, crash } => {
                let envelope = Arc::clone(&world.network.sent()[*message]);
                write!(f, "{} gets {} of {}", names(*to), told(&envelope.content), envelope.from)?;
                crash.map_or(Ok(()), |crash| crash.fmt(f))
            }
            Operation::DeliverAll { to, kind: None } => write!(f, "{} everything", getters(*to)),
            Operation::DeliverAll { to, kind: Some(kind) } => {
                write!(f, "{} every {}", getters(*to), words(kind))
            }
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
                write!(f, "{} of {}", told_timer(timer), miner(*host))?;
                crash.map_or(Ok(()), |crash| crash.fmt(f))
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
                Deed::Propose { round, subround, parent, flaw } => {
                    write!(f, "Byzantine {member} proposes in ({round}, {subround}) on {parent}")?;
                    if *flaw != Flaw::None {
                        write!(f, " with a flaw ({})", words(flaw))?;
                    }
                    write!(f, ", to {}", names(*to))
                }
                Deed::Share { round, garbage } => {
                    let what = if *garbage { "garbage as its share" } else { "its share" };
                    write!(f, "Byzantine {member} sends {what} of round {round}, to {}", names(*to))
                }
                Deed::Relay(message) => {
                    write!(f, "Byzantine {member} relays {}, to {}", sent(*message), names(*to))
                }
                Deed::Relabel { message, round, subround } => write!(
                    f,
                    "Byzantine {member} sends {} under the label ({round}, {subround}), to {}",
                    sent(*message),
                    names(*to)
                ),
                Deed::Forge { victim, record } => write!(
                    f,
                    "Byzantine {member} sends {} in the name of {victim}, to {}",
                    told_record(record),
                    names(*to)
                ),
                Deed::ForgeCertificate(record) => write!(
                    f,
                    "Byzantine {member} sends a forged certificate of {}, to {}",
                    told_record(record),
                    names(*to)
                ),
                Deed::Garbage(_) => {
                    write!(f, "Byzantine {member} sends bytes that are no message, to {}", names(*to))
                }
                Deed::Mutate { message, bit } => write!(
                    f,
                    "Byzantine {member} sends {} with bit {bit} of its encoding flipped, to {}",
                    sent(*message),
                    names(*to)
                ),
            },
            Operation::SharderPolls => write!(f, "the sharder polls"),
        }
    }
}

/// A record in words.
pub(crate) fn told_record(record: &LogRecord) -> String {
    record.to_string()
}

fn told(content: &Content) -> String {
    match content {
        Content::Message(message) => told_message(message),
        _ => "bytes".into(),
    }
}

/// A message in words, with who signed it.
pub(crate) fn told_with_signers(message: &Message) -> String {
    let signers = match message {
        Message::Notarization(known) => Some(&known.certificate.signers),
        Message::TimeoutCertificate(known) => Some(&known.certificate.signers),
        Message::FinalityCertificate(known) => Some(&known.certificate.signers),
        _ => None,
    };
    let told = told_message(message);
    match signers
        .map(|signers| told_members(signers.iter()))
        .or(signer_of(message).map(|one| one.to_string()))
    {
        Some(signers) => format!("{told}, signed by {signers}"),
        None => told,
    }
}

/// Members as a list.
pub(crate) fn told_members(members: impl IntoIterator<Item = MinerId>) -> String {
    members.into_iter().map(|member| member.to_string()).collect::<Vec<_>>().join(", ")
}

/// A place in the run.
pub(crate) fn told_position((round, subround): (Round, Subround)) -> String {
    format!("({round}, {subround})")
}

/// The cause of a step in words.
pub(crate) fn told_cause(cause: &Cause) -> String {
    match cause {
        Cause::Start => "its start".into(),
        Cause::Timer(timer) => told_timer(timer),
        Cause::Message => "a message".into(),
        Cause::Accepted(block) => format!("the application's acceptance of {block}"),
        Cause::Node => "an answer of disk or application".into(),
    }
}

fn told_message(message: &Message) -> String {
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
        Message::FinalityCertificate(known) => {
            format!("the finality certificate of {} in round {}", known.block, known.round)
        }
        Message::Evidence(evidence) => {
            let guilty: Vec<String> = evidence.convicts().iter().map(ToString::to_string).collect();
            format!("evidence against {}", guilty.join(", "))
        }
        other => format!("a message ({})", words(&Kind::of(other))),
    }
}

/// A timer that fires, in words.
pub(crate) fn told_timer(timer: &Timer) -> String {
    match timer {
        Timer::Window { round, subround } => format!("the end of the window of ({round}, {subround})"),
        Timer::Wait { round, subround } => format!("the end of the wait of ({round}, {subround})"),
        Timer::Resend { round, subround } => format!("the time to send again in ({round}, {subround})"),
        Timer::CatchUp => "the time to ask again for missing blocks".into(),
        Timer::Finality { round } => format!("the end of the 2Δ wait of round {round}"),
    }
}

/// The name of a variant in words: `TimeoutCertificate` is `timeout certificate`.
fn words(variant: &impl fmt::Debug) -> String {
    let name = format!("{variant:?}");
    let mut words = String::with_capacity(name.len() + 4);
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_uppercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// Receivers with their verb.
fn getters(set: Receivers) -> String {
    format!("{} {}", names(set), if set.count_ones() == 1 { "gets" } else { "get" })
}

fn names(set: Receivers) -> String {
    let mut names: Vec<String> =
        (0..31).filter(|i| set >> i & 1 == 1).map(|i| Peer::Miner(MinerId(i)).to_string()).collect();
    if set & SHARDER != 0 {
        names.push(Peer::Sharder(SharderId(0)).to_string());
    }
    names.join(", ")
}
