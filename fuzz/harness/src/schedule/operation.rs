//! Operations of a schedule on a world. An operation names participants and messages; the
//! [vocabulary](super::vocabulary) decides which operation a choice stands for.

use zus_bpp::block::BlockId;
use zus_bpp::committee::{MinerId, Peer};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::Timer;

use crate::byzantine::{self, Deed};
use crate::world::{Content, CrashPoint, Kind, Receivers, SHARDER, TICK, Watch, World, bit, ticket_of};

/// An operation of a schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// One message reaches one participant, possibly for the second time.
    Deliver {
        /// Which message.
        message: usize,
        /// Whom.
        to: Receivers,
        /// Whether the receiver crashes over it.
        crash: Option<CrashPoint>,
    },
    /// Everything, or everything of one kind, reaches some participants.
    DeliverAll {
        /// Whom.
        to: Receivers,
        /// The kind; `None`: all.
        kind: Option<Kind>,
    },
    /// Everything reaches one participant, the newest first: what it cannot use yet comes before what lets it.
    DeliverBackwards {
        /// Whom.
        to: Receivers,
    },
    /// All tickets for one block reach one miner.
    DeliverTickets {
        /// Whom.
        to: Receivers,
        /// For which block.
        block: BlockId,
    },
    /// Everybody but one goes through a round as far as its tickets: shares, proposals, the ends of windows, tickets.
    Round {
        /// The miner that hears nothing of it until something else is delivered.
        without: usize,
    },
    /// One message is lost for one participant, until it is said again.
    Lose {
        /// Which message.
        message: usize,
        /// For whom.
        to: Receivers,
    },
    /// A timer fires.
    Fire {
        /// Whose.
        host: usize,
        /// Which.
        timer: Timer,
        /// Whether the miner crashes over it.
        crash: Option<CrashPoint>,
    },
    /// The windows, or the waits, of all miners end.
    FireAll {
        /// The waits.
        waits: bool,
    },
    /// A slow disk confirms its oldest writes.
    Confirm {
        /// Whose.
        host: usize,
        /// How many.
        count: usize,
    },
    /// A miner crashes between two steps.
    Crash {
        /// Which.
        host: usize,
    },
    /// It starts again.
    Restart {
        /// Which.
        host: usize,
    },
    /// The network falls apart.
    Partition {
        /// The participants in the other part.
        apart: Receivers,
    },
    /// It is one again.
    Heal,
    /// A Byzantine member does something.
    Byzantine {
        /// The member.
        member: MinerId,
        /// The deed.
        deed: Deed,
        /// The receivers.
        to: Receivers,
    },
    /// All timers of the sharder fire: it looks for what it misses, and for what is new.
    SharderPolls,
}

/// Does it.
pub fn perform<S: Scheme + Clone, W: Watch<S>>(world: &mut World<S>, operation: &Operation, watch: &mut W) {
    world.now = world.now.after(TICK);
    match operation {
        Operation::Deliver { message, to, crash } => world.deliver(*message, *to, *crash, watch),
        Operation::DeliverAll { to, kind } => {
            let ids = world.hosts.iter().map(|host| bit(Peer::Miner(host.id))).chain([SHARDER]);
            let receivers: Vec<Receivers> = ids.filter(|receiver| receiver & to != 0).collect();
            // Only messages sent before the operation began: their consequences need another operation.
            let end = world.network.sent().len();
            for receiver in receivers {
                for message in 0..end {
                    let envelope = &world.network.sent()[message];
                    if kind.is_none_or(|kind| kind == envelope.kind)
                        && world.network.is_open(message, receiver)
                    {
                        world.deliver(message, receiver, None, watch);
                    }
                }
            }
        }
        Operation::DeliverBackwards { to } => {
            for message in (0..world.network.sent().len()).rev() {
                if world.network.is_open(message, *to) {
                    world.deliver(message, *to, None, watch);
                }
            }
        }
        Operation::DeliverTickets { to, block } => {
            let end = world.network.sent().len();
            for message in 0..end {
                let about = match &world.network.sent()[message].content {
                    Content::Message(message) => {
                        ticket_of(message).is_some_and(|known| known.block == *block)
                    }
                    Content::Bytes(_) => false,
                };
                if about && world.network.is_open(message, *to) {
                    world.deliver(message, *to, None, watch);
                }
            }
        }
        Operation::Round { without } => {
            let others = world.hosts.iter().enumerate().filter(|(host, _)| host != without);
            let to = others.fold(SHARDER, |set, (_, host)| set | bit(Peer::Miner(host.id)));
            for kind in [Kind::BeaconShare, Kind::Proposal, Kind::Ticket] {
                if kind == Kind::Ticket {
                    fire_all(world, false, Some(*without), watch);
                }
                perform(world, &Operation::DeliverAll { to, kind: Some(kind) }, watch);
            }
        }
        Operation::Lose { message, to } => world.network.lose(*message, *to),
        Operation::Fire { host, timer, crash } => world.fire(*host, *timer, *crash, watch),
        Operation::FireAll { waits } => fire_all(world, *waits, None, watch),
        Operation::Confirm { host, count } => {
            for _ in 0..*count {
                if world.hosts[*host].asked.is_empty() {
                    break;
                }
                world.confirm(*host, watch);
            }
        }
        Operation::Crash { host } => world.crash(*host, watch),
        Operation::Restart { host } => world.restart(*host, watch),
        Operation::Partition { apart } => world.network.apart = *apart,
        Operation::Heal => world.network.apart = 0,
        Operation::Byzantine { member, deed, to } => byzantine::perform(world, *member, deed, *to),
        Operation::SharderPolls => world.fire_sharder(None, watch),
    }
}

/// The newest window or wait of each miner ends, but for one of them.
fn fire_all<S: Scheme + Clone, W: Watch<S>>(
    world: &mut World<S>,
    waits: bool,
    without: Option<usize>,
    watch: &mut W,
) {
    for host in (0..world.hosts.len()).filter(|host| Some(*host) != without) {
        let is = |timer: &Timer| match timer {
            Timer::Window { .. } => !waits,
            Timer::Wait { .. } => waits,
            _ => false,
        };
        let timer = world.hosts[host].timers.iter().rev().map(|(_, timer)| *timer).find(is);
        if let Some(timer) = timer {
            world.fire(host, timer, None, watch);
        }
    }
}
