//! The vocabulary of a schedule: what a [`Choice`] means. It decides most of what a fuzzer finds: macro operations that move a
//! whole quorum, a whole phase or one withheld message reach deep states that single deliveries do not.
//!
//! A choice is resolved against the world: its numbers index what can happen there, so that nearly every choice does
//! something.

use zus_bpp::block::BlockId;
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::Timer;
use zus_bpp::ticket_log::LogRecord;

use super::choices::Choice;
use super::operation::Operation;
use crate::byzantine::{Deed, Flaw};
use crate::refinement::MAX_CRASHES;
use crate::world::{CrashPoint, DiskModel, Kind, Receivers, SHARDER, World, bit};

/// Kinds of messages that macro deliveries move; the ones that carry the protocol come more often.
const MOVING: [Kind; 16] = [
    Kind::Ticket,
    Kind::Proposal,
    Kind::BeaconShare,
    Kind::Timeout,
    Kind::Notarization,
    Kind::FinalityVote,
    Kind::TimeoutCertificate,
    Kind::FinalityCertificate,
    Kind::Ticket,
    Kind::Proposal,
    Kind::BeaconShare,
    Kind::Timeout,
    Kind::Ticket,
    Kind::Evidence,
    Kind::Chain,
    Kind::Bytes,
];

/// Kinds of which the newest message reaches somebody who may be behind.
const NEWS: [Kind; 4] =
    [Kind::Notarization, Kind::FinalityCertificate, Kind::Proposal, Kind::TimeoutCertificate];

/// The kinds of operation, with how often they come among 64.
const WEIGHTS: [(u8, Shape); 21] = [
    (6, Shape::DeliverAllToOne),
    (4, Shape::DeliverKindToOne),
    (7, Shape::DeliverKindToAll),
    (5, Shape::DeliverOne),
    (2, Shape::DeliverAgain),
    (2, Shape::DeliverNewest),
    (3, Shape::DeliverTickets),
    (2, Shape::Lose),
    (4, Shape::Window),
    (3, Shape::Windows),
    (3, Shape::Wait),
    (2, Shape::Waits),
    (2, Shape::OtherTimer),
    (2, Shape::Disk),
    (3, Shape::CrashOver),
    (2, Shape::Restart),
    (2, Shape::Partition),
    (4, Shape::Propose),
    (4, Shape::Sign),
    (1, Shape::SharderPolls),
    (1, Shape::Trick),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    DeliverAllToOne,
    DeliverKindToOne,
    DeliverKindToAll,
    DeliverOne,
    DeliverAgain,
    DeliverNewest,
    DeliverTickets,
    Lose,
    Window,
    Windows,
    Wait,
    Waits,
    OtherTimer,
    Disk,
    CrashOver,
    Restart,
    Partition,
    Propose,
    Sign,
    SharderPolls,
    Trick,
}

/// The shape that a byte names. The last shape takes what the weights leave.
fn shape(byte: u8, swarm: u16) -> Shape {
    let mut left = byte & 63;
    for (index, (weight, shape)) in WEIGHTS.iter().enumerate() {
        if left < *weight {
            // Each run does without some of what it can do (swarm testing); deliveries stay.
            let left_out = index >= 3 && swarm >> (index % 16) & 1 == 1 && byte & 64 == 0;
            return if left_out { Shape::DeliverKindToAll } else { *shape };
        }
        left -= weight;
    }
    Shape::Trick
}

/// The operation that a choice stands for in this world; `None` when it stands for nothing there.
pub fn resolve<S: Scheme + Clone>(world: &World<S>, choice: Choice, swarm: u16) -> Option<Operation> {
    let [what, a, b, c] = choice.0;
    let host = usize::from(a) % world.hosts.len();
    let me = bit(Peer::Miner(world.hosts[host].id));
    let mut everybody: Receivers = world.hosts.iter().fold(0, |set, host| set | bit(Peer::Miner(host.id)));
    if world.archive.is_some() {
        everybody |= SHARDER;
    }
    let receiver = if world.archive.is_some() && a % 16 == 15 { SHARDER } else { me };
    let kinds = MOVING;
    let crashes = world.ground.setup.disk == DiskModel::Crashing && world.crashes < MAX_CRASHES;
    Some(match shape(what, swarm) {
        Shape::DeliverAllToOne if b >= 0xe0 => Operation::DeliverBackwards { to: receiver },
        Shape::DeliverAllToOne => Operation::DeliverAll { to: receiver, kind: None },
        Shape::DeliverKindToOne => {
            Operation::DeliverAll { to: receiver, kind: Some(kinds[usize::from(b) % kinds.len()]) }
        }
        Shape::DeliverKindToAll if b % 8 == 7 => Operation::DeliverAll { to: everybody, kind: None },
        Shape::DeliverKindToAll => {
            // The first of the kinds, from the one that is named on, of which something is open.
            let from = usize::from(a) % kinds.len();
            let mut in_turn = (0..kinds.len()).map(|i| kinds[(from + i) % kinds.len()]);
            let kind = in_turn.find(|kind| has_open(world, everybody, *kind))?;
            Operation::DeliverAll { to: everybody, kind: Some(kind) }
        }
        Shape::DeliverOne => {
            Operation::Deliver { message: nth_open(world, receiver, b)?, to: receiver, crash: None }
        }
        Shape::DeliverNewest => {
            let kind = NEWS[usize::from(b) % NEWS.len()];
            let sent = world.network.sent();
            let message =
                (0..sent.len()).rev().find(|&i| sent[i].kind == kind && sent[i].to & receiver != 0)?;
            Operation::Deliver { message, to: receiver, crash: None }
        }
        Shape::DeliverAgain => {
            let all = world.network.sent().len();
            let message = nth_from_end(all, usize::from(b) | usize::from(c & 1) << 8)?;
            let to = world.network.sent()[message].to & receiver;
            (to != 0).then_some(Operation::Deliver { message, to, crash: None })?
        }
        Shape::DeliverTickets => Operation::DeliverTickets {
            to: me,
            block: world.blocks.get(nth_from_end(world.blocks.len(), b.into())?)?.id(),
        },
        Shape::Lose => Operation::Lose { message: nth_open(world, receiver, b)?, to: receiver },
        Shape::Window => fire(world, host, |timer| matches!(timer, Timer::Window { .. }))?,
        Shape::Windows => Operation::FireAll { waits: false },
        Shape::Wait => fire(world, host, |timer| matches!(timer, Timer::Wait { .. }))?,
        Shape::Waits => Operation::FireAll { waits: true },
        Shape::OtherTimer if b & 1 == 0 => fire(world, host, |timer| matches!(timer, Timer::Resend { .. }))?,
        // The oldest one, whatever it is: of a subround that may have been left.
        Shape::OtherTimer if b & 2 == 0 => {
            let (_, timer) = *world.hosts[host].timers.first()?;
            world.may_fire(host, &timer).then_some(Operation::Fire { host, timer, crash: None })?
        }
        Shape::OtherTimer => {
            // The wait of the rule `TwoDelta`, where there is one.
            fire(world, host, |timer| matches!(timer, Timer::Finality { .. }) && c & 1 == 0)
                .or_else(|| fire(world, host, |timer| matches!(timer, Timer::CatchUp)))?
        }
        Shape::Disk if world.ground.setup.disk == DiskModel::Slow => {
            Operation::Confirm { host, count: if b & 1 == 0 { 1 } else { 64 } }
        }
        Shape::Disk if crashes && b % 4 == 0 && world.may_crash(host) => Operation::Crash { host },
        Shape::Disk => fire(world, host, |timer| matches!(timer, Timer::CatchUp))?,
        Shape::CrashOver if crashes => {
            let crash = Some(CrashPoint { after_steps: c >> 1 & 3, flushed: c & 1 == 1 });
            if c & 8 == 0 {
                let timer = world.hosts[host].timers.iter().map(|(_, timer)| *timer);
                let timer = timer.filter(|timer| world.may_fire(host, timer)).nth(usize::from(b) % 2)?;
                Operation::Fire { host, timer, crash }
            } else {
                Operation::Deliver { message: nth_open(world, me, b)?, to: me, crash }
            }
        }
        Shape::CrashOver => Operation::Confirm { host, count: 64 },
        Shape::Restart => {
            let down = world.hosts.iter().position(|host| !host.up)?;
            Operation::Restart { host: down }
        }
        // One miner alone, which then falls behind.
        Shape::Partition if b & 3 == 0 => Operation::Partition { apart: me },
        Shape::Partition if b & 3 == 1 => {
            Operation::Partition { apart: (u32::from(a) | u32::from(c) << 8) & everybody }
        }
        Shape::Partition if b & 0x12 == 0x12 => Operation::Round { without: host },
        Shape::Partition => Operation::Heal,
        Shape::Propose => byzantine_operation(world, a, c, propose(world, b)?)?,
        Shape::Sign => byzantine_operation(world, a, c, sign(world, b, c)?)?,
        Shape::SharderPolls => Operation::SharderPolls,
        Shape::Trick => byzantine_operation(world, a, c, trick(world, a, b, c)?)?,
    })
}

fn nth_from_end(length: usize, n: usize) -> Option<usize> {
    length.checked_sub(1).map(|last| last - n % length)
}

fn nth_open<S: Scheme + Clone>(world: &World<S>, to: Receivers, n: u8) -> Option<usize> {
    let count = world.network.open(to).count();
    (count > 0).then(|| world.network.open(to).nth(usize::from(n) % count)).flatten()
}

fn has_open<S: Scheme + Clone>(world: &World<S>, to: Receivers, kind: Kind) -> bool {
    let network = &world.network;
    let of_kind = (0..network.sent().len()).filter(|&index| network.sent()[index].kind == kind);
    of_kind.into_iter().any(|index| (0..32).any(|i| to >> i & 1 == 1 && network.is_open(index, 1 << i)))
}

fn fire<S: Scheme + Clone>(world: &World<S>, host: usize, is: impl Fn(&Timer) -> bool) -> Option<Operation> {
    let timer = world.hosts[host].timers.iter().rev().map(|(_, timer)| *timer).find(|timer| is(timer))?;
    world.may_fire(host, &timer).then_some(Operation::Fire { host, timer, crash: None })
}

/// Which Byzantine member does what asks for no turn.
fn doer<S: Scheme + Clone>(world: &World<S>, a: u8) -> Option<MinerId> {
    let members = &world.ground.setup.byzantine;
    members.get(usize::from(a) % members.len().max(1)).copied().map(MinerId)
}

/// The deed with its member and its receivers: everybody, one miner, or any set.
fn byzantine_operation<S: Scheme + Clone>(world: &World<S>, a: u8, c: u8, deed: Deed) -> Option<Operation> {
    let members = &world.ground.setup.byzantine;
    let member = match &deed {
        // A proposal is worth more from whoever has its turn.
        Deed::Propose { round, subround, parent, .. } => {
            let draw = world.ground.drawn(round.0, subround.0, &world.beacon_in(parent))?;
            let order = &draw.order;
            let turn: Vec<u16> = order.iter().map(|id| id.0).filter(|id| members.contains(id)).collect();
            let pool = if turn.is_empty() || a & 0x70 == 0 { members } else { &turn };
            *pool.get(usize::from(a) % pool.len().max(1))?
        }
        _ => doer(world, a)?.0,
    };
    let all = ((1 << world.ground.setup.miners) - 1) | SHARDER;
    let to = match c % 4 {
        0 | 1 => all,
        2 => 1 << (u16::from(c >> 2) % world.ground.setup.miners),
        _ => Receivers::from(c >> 2) & all,
    };
    Some(Operation::Byzantine { member: MinerId(member), deed, to })
}

/// The highest position of an honest miner.
fn front<S: Scheme + Clone>(world: &World<S>) -> (Round, Subround) {
    let positions = world.hosts.iter().map(|host| (host.miner.round(), host.miner.subround()));
    positions.max().unwrap_or_default()
}

fn propose<S: Scheme + Clone>(world: &World<S>, b: u8) -> Option<Deed> {
    let host = &world.hosts[usize::from(b) % world.hosts.len()];
    let (round, subround) =
        if b & 4 == 0 { front(world) } else { (host.miner.round(), host.miner.subround()) };
    let before = round.previous()?;
    let mut parents: Vec<BlockId> =
        world.notarized.iter().filter(|ticket| ticket.round == before).map(|ticket| ticket.block).collect();
    if before == Round(0) {
        parents.push(world.ground.config.genesis.id());
    }
    // Seldom a parent that is not notarized, or a flaw.
    if b >= 0xe0 {
        parents.extend(world.blocks.iter().filter(|block| block.round() == before).map(|block| block.id()));
    }
    let parent = *parents.get(usize::from(b >> 3) % parents.len().max(1))?;
    let flaw = match b {
        0xf0.. => Flaw::ALL[Flaw::BESIDE_FINALITY + usize::from(b >> 2 & 3)],
        0xc0..0xf0 => Flaw::ALL[usize::from(b & 31) % Flaw::BESIDE_FINALITY],
        _ => Flaw::None,
    };
    Some(Deed::Propose { round, subround, parent, flaw })
}

fn sign<S: Scheme + Clone>(world: &World<S>, b: u8, c: u8) -> Option<Deed> {
    let (round, subround) = match b >> 6 {
        0 => front(world),
        _ => {
            let host = &world.hosts[usize::from(c) % world.hosts.len()];
            (host.miner.round(), host.miner.subround())
        }
    };
    let recent = |n: usize| world.blocks.get(nth_from_end(world.blocks.len(), n)?);
    let n = usize::from(b >> 3 & 7);
    Some(match b & 7 {
        0 | 1 => {
            let block = recent(n)?;
            Deed::Sign(LogRecord::ticket(block.round(), block.subround(), block.id().0))
        }
        2 => Deed::Sign(LogRecord::timeout(round, subround)),
        3 => {
            let block = recent(n)?;
            Deed::Sign(LogRecord::finality_vote(block.round(), block.subround(), block.id().0))
        }
        4 | 5 => {
            let block = recent(n)?;
            Deed::Certify(LogRecord::ticket(block.round(), block.subround(), block.id().0))
        }
        6 => Deed::Certify(LogRecord::timeout(round, subround)),
        _ => {
            let block = recent(n)?;
            Deed::Certify(LogRecord::finality_vote(block.round(), block.subround(), block.id().0))
        }
    })
}

fn trick<S: Scheme + Clone>(world: &World<S>, a: u8, b: u8, c: u8) -> Option<Deed> {
    let (round, subround) = front(world);
    let message = nth_from_end(world.network.sent().len(), usize::from(b))?;
    let record = || {
        let block = world.blocks.get(nth_from_end(world.blocks.len(), usize::from(c))?)?;
        let (r, s, id) = (block.round(), block.subround(), block.id().0);
        Some(match a % 3 {
            0 => LogRecord::ticket(r, s, id),
            1 => LogRecord::finality_vote(r, s, id),
            _ => LogRecord::timeout(round, subround),
        })
    };
    Some(match a >> 5 {
        0 => Deed::Share { round, garbage: b & 1 == 1 },
        1 => Deed::Relay(message),
        2 => Deed::Relabel { message, round, subround },
        3 => Deed::Relabel { message, round, subround: Subround(u32::from(c & 1)) },
        4 => {
            // An honest miner, or whoever does it.
            let victim = world.hosts.get(usize::from(b) % (world.hosts.len() + 1));
            let member = doer(world, a)?;
            Deed::Forge { victim: victim.map_or(member, |host| host.id), record: record()? }
        }
        5 => Deed::ForgeCertificate(record()?),
        6 => Deed::Garbage(u64::from(b) << 8 | u64::from(c)),
        _ => Deed::Mutate { message, bit: u64::from(c) * 31 + u64::from(a) },
    })
}
