//! The choices of the product, and what each does to a world.

use zus_bpp::block::BlockId;
use zus_bpp::committee::{MinerId, Peer, Subround};
use zus_bpp::message::Message;
use zus_bpp::miner::Timer;
use zus_bpp::ticket_log::LogRecord;
use zus_checker::blocks::block_name;

use crate::byzantine::{self, Deed};
use crate::schedule::Run;
use crate::world::{Content, CrashPoint, bit, certified_by, ticket_of};

/// A choice of the product.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Offer {
    /// A miner gets one proposal, and its window closes.
    Select {
        /// Which miner.
        host: usize,
        /// Which block.
        block: BlockId,
        /// Whether it crashes over the ticket.
        crash: Option<CrashPoint>,
    },
    /// A miner's window closes before it knows the beacon value (only where shares do not arrive at once).
    Window {
        /// Which miner.
        host: usize,
    },
    /// A miner gets all beacon shares (only where they do not arrive at once).
    Shares {
        /// Which miner.
        host: usize,
    },
    /// A miner gives its subround up.
    Wait {
        /// Which miner.
        host: usize,
        /// Whether it crashes over the timeout.
        crash: Option<CrashPoint>,
    },
    /// A miner gets all tickets for a block.
    Tickets {
        /// Which miner.
        host: usize,
        /// Which block.
        block: BlockId,
    },
    /// A miner gets the notarization of a block.
    Notarization {
        /// Which miner.
        host: usize,
        /// Which block.
        block: BlockId,
        /// Whether it crashes on leaving.
        crash: Option<CrashPoint>,
    },
    /// A miner gets all timeouts of its round's subround.
    Timeouts {
        /// Which miner.
        host: usize,
        /// Which subround.
        subround: Subround,
    },
    /// A miner gets a timeout certificate.
    TimeoutCertificate {
        /// Which miner.
        host: usize,
        /// Of which subround.
        subround: Subround,
    },
    /// A crashed miner restarts.
    Restart {
        /// Which miner.
        host: usize,
    },
}

impl Offer {
    /// The choice in a sentence, about a run of its product.
    #[must_use]
    pub fn told(&self, run: &Run) -> String {
        let who = |host: usize| run.world.hosts[host].id;
        let refinement = &run.judges.refinement;
        let name = |block: BlockId| match refinement.places.of(&block) {
            Some(place) => block_name(&refinement.protocol.blocks, place),
            None => block.to_string(),
        };
        let over = |crash: Option<CrashPoint>| crash.map_or(String::new(), |crash| crash.to_string());
        match *self {
            Offer::Select { host, block, crash } => format!(
                "{} gets the proposal of {}, and its window closes{}",
                who(host),
                name(block),
                over(crash)
            ),
            Offer::Window { host } => {
                format!("the window of {} closes before it knows the beacon value", who(host))
            }
            Offer::Shares { host } => format!("{} gets all beacon shares", who(host)),
            Offer::Wait { host, crash } => format!("the wait of {} ends{}", who(host), over(crash)),
            Offer::Tickets { host, block } => format!("{} gets all tickets for {}", who(host), name(block)),
            Offer::Notarization { host, block, crash } => {
                format!("{} gets the notarization of {}{}", who(host), name(block), over(crash))
            }
            Offer::Timeouts { host, subround } => {
                format!("{} gets all timeouts of subround {subround}", who(host))
            }
            Offer::TimeoutCertificate { host, subround } => {
                format!("{} gets the timeout certificate of subround {subround}", who(host))
            }
            Offer::Restart { host } => format!("{} restarts", who(host)),
        }
    }
}

/// Over a ticket: nothing was decided yet on disk; the record lost, durable and unsent, sent.
pub(super) const OVER_TICKET: [CrashPoint; 4] = [at(0, false), at(1, false), at(1, true), at(2, true)];
/// Over a timeout: the record lost, or durable and unsent.
pub(super) const OVER_TIMEOUT: [CrashPoint; 2] = [at(0, false), at(0, true)];
/// Over leaving a round: the vote lost, or durable and unsent.
pub(super) const OVER_LEAVING: [CrashPoint; 3] = [at(0, false), at(1, false), at(1, true)];

const fn at(after_steps: u8, flushed: bool) -> CrashPoint {
    CrashPoint { after_steps, flushed }
}

/// Makes a choice.
pub(super) fn take(run: &mut Run, offer: Offer) {
    let (world, judges) = (&mut run.world, &mut run.judges);
    let find = |world: &crate::world::World<_>, is: &dyn Fn(&Message) -> bool| {
        world.network.sent().iter().position(|envelope| match &envelope.content {
            Content::Message(message) => is(message),
            Content::Bytes(_) => false,
        })
    };
    match offer {
        Offer::Select { host, block, crash } => {
            let me = bit(Peer::Miner(world.hosts[host].id));
            let proposal = find(
                world,
                &|message| matches!(message, Message::Proposal(proposal) if proposal.block.id() == block),
            );
            if let Some(proposal) = proposal.filter(|&index| world.network.sent()[index].to & me != 0) {
                world.deliver(proposal, me, None, judges);
            }
            let (round, subround) = (world.hosts[host].miner.round(), world.hosts[host].miner.subround());
            world.fire(host, Timer::Window { round, subround }, crash, judges);
        }
        Offer::Window { host } => {
            let (round, subround) = (world.hosts[host].miner.round(), world.hosts[host].miner.subround());
            world.fire(host, Timer::Window { round, subround }, None, judges);
        }
        Offer::Shares { host } => {
            let me = bit(Peer::Miner(world.hosts[host].id));
            deliver_all(run, me, |message| matches!(message, Message::BeaconShare(_)));
        }
        Offer::Wait { host, crash } => {
            let (round, subround) = (world.hosts[host].miner.round(), world.hosts[host].miner.subround());
            world.fire(host, Timer::Wait { round, subround }, crash, judges);
        }
        Offer::Tickets { host, block } => {
            let me = bit(Peer::Miner(world.hosts[host].id));
            deliver_all(run, me, |message| ticket_of(message).is_some_and(|ticket| ticket.block == block));
        }
        Offer::Timeouts { host, subround } => {
            let me = bit(Peer::Miner(world.hosts[host].id));
            let round = world.hosts[host].miner.round();
            deliver_all(
                run,
                me,
                |message| matches!(message, Message::Timeout(timeout) if (timeout.round, timeout.subround) == (round, subround)),
            );
        }
        Offer::Notarization { host, block, crash } => {
            let Some(found) = world.block(&block).cloned() else { return };
            certificate(run, host, LogRecord::ticket(found.round(), found.subround(), block.0), crash);
        }
        Offer::TimeoutCertificate { host, subround } => {
            let round = world.hosts[host].miner.round();
            certificate(run, host, LogRecord::timeout(round, subround), None);
        }
        Offer::Restart { host } => world.restart(host, judges),
    }
}

fn deliver_all(run: &mut Run, to: crate::world::Receivers, is: impl Fn(&Message) -> bool) {
    let end = run.world.network.sent().len();
    for index in 0..end {
        let envelope = &run.world.network.sent()[index];
        let wanted = matches!(&envelope.content, Content::Message(message) if is(message));
        if wanted && envelope.to & to != 0 {
            run.world.deliver(index, to, None, &mut run.judges);
        }
    }
}

/// A Byzantine member gives a certificate to one miner.
fn certificate(run: &mut Run, host: usize, record: LogRecord, crash: Option<CrashPoint>) {
    let Some(&member) = run.world.ground.setup.byzantine.first() else { return };
    let me = bit(Peer::Miner(run.world.hosts[host].id));
    let before = run.world.network.sent().len();
    byzantine::perform(&mut run.world, MinerId(member), &Deed::Certify(record), me);
    let of_record = |message: &Message| certified_by(message) == Some(record);
    let sent = run.world.network.sent();
    let from = Peer::Miner(MinerId(member));
    let fits = |index: &usize| {
        let envelope = &sent[*index];
        envelope.from == from
            && envelope.to & me != 0
            && matches!(&envelope.content, Content::Message(message) if of_record(message))
    };
    let index = (before..sent.len()).find(fits).or_else(|| (0..before).rev().find(fits));
    if let Some(index) = index {
        run.world.deliver(index, me, crash, &mut run.judges);
    }
}
