//! The abstraction function: what a world of production miners looks like as a state of the model.
//!
//! It is computed from the miners, their disks and what they have sent, from nothing the step check keeps. It reads a
//! miner through public read-only accessors.

use std::ops::Range;

use zus_bpp::block::BlockId;
use zus_bpp::committee::{Round, Subround};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::rules::SubroundEntryRule;
use zus_bpp::ticket_log::{Kind, LogRecord};
use zus_checker::blocks::{BlockId as ModelBlock, Blocks, GENESIS};
use zus_checker::protocol::Protocol;
use zus_checker::state::{Miner, State, position};

use super::places::Places;
use crate::world::{DiskModel, Host, World};

/// The state of the model that `world` stands for, read from nothing.
#[must_use]
pub fn abstraction<S: Scheme + Clone>(protocol: &Protocol, places: &Places, world: &World<S>) -> State {
    *View::new(world).read(protocol, places, world, 0..0)
}

/// The abstraction of a world, kept from step to step, so that a step costs what it changes and not what was ever said.
///
/// Every list of a world that is read here only grows, and each entry counts once; of the miners only the one that took
/// a step has changed. The meaning of an entry depends on the places of blocks, so a new place makes it begin anew, and
/// so does every step under rules where a ticket counts before it is said (`overtaken`). That the result is
/// [`abstraction`]'s is checked by `tests/refinement.rs`.
#[derive(Clone)]
pub struct View {
    state: State,
    /// Places of blocks when it began; `None`: it has not.
    places: Option<usize>,
    /// How much of each list is in the state.
    hosts: Vec<Heard>,
    blocks: usize,
    notarized: usize,
    byzantine: usize,
}

/// How much of what an honest miner has sent is in the state.
#[derive(Clone, Copy, Default)]
struct Heard {
    said: usize,
    voted: usize,
    shared: usize,
}

impl View {
    /// Nothing has been read.
    #[must_use]
    pub fn new<S>(world: &World<S>) -> Self {
        Self {
            state: State::empty(),
            places: None,
            hosts: vec![Heard::default(); world.hosts.len()],
            blocks: 0,
            notarized: 0,
            byzantine: 0,
        }
    }

    /// Reads what is new in a world in which these honest miners have changed since.
    pub fn read<S: Scheme + Clone>(
        &mut self,
        protocol: &Protocol,
        places: &Places,
        world: &World<S>,
        changed: Range<usize>,
    ) -> &State {
        let anew = self.places != Some(places.taken()) || may_overtake(world);
        if anew {
            *self = Self { places: Some(places.taken()), ..Self::new(world) };
        }
        let blocks = &protocol.blocks;
        for index in if anew { 0..world.hosts.len() } else { changed } {
            self.state.miners[index] = miner(blocks, places, world, &world.hosts[index]);
            self.hosts[index] = messages(blocks, places, world, index, self.hosts[index], &mut self.state);
        }
        for block in &world.blocks[self.blocks..] {
            let (Some(place), Some(parent)) = (places.of(&block.id()), places.of(&block.header().parent))
            else {
                continue;
            };
            self.state.block_mut(place).set_parent(position(blocks, parent).max(1));
        }
        self.blocks = world.blocks.len();
        for place in world.notarized[self.notarized..].iter().filter_map(|ticket| places.of(&ticket.block)) {
            self.state.block_mut(place).set_notarized(1);
        }
        self.notarized = world.notarized.len();
        byzantine(protocol, places, world, self.byzantine, &mut self.state);
        self.byzantine = world.byzantine.len();
        self.state.environment.set_crashes(world.crashes);
        &self.state
    }
}

/// Whether what a miner remembers binds it: where there is no log until it crashes, on a slow disk always. Where it may crash at
/// any moment, what is on its disk does.
fn memory_binds<S: Scheme + Clone>(world: &World<S>) -> bool {
    world.ground.setup.disk == DiskModel::Slow || is_volatile(world)
}

fn is_volatile<S: Scheme + Clone>(world: &World<S>) -> bool {
    !world.ground.setup.rules.is_durable()
}

/// The records that bind a miner: what it has decided to sign; where it may crash at any moment, what is on its disk.
fn bound<S: Scheme + Clone>(world: &World<S>, host: &Host<S>, kind: Kind, record: &LogRecord) -> bool {
    record.kind == kind && (memory_binds(world) || host.disk.log.durable().contains(record))
}

fn miner<S: Scheme + Clone>(blocks: &Blocks, places: &Places, world: &World<S>, host: &Host<S>) -> Miner {
    let mut m = Miner::default();
    let (round, subround) = (host.miner.round(), host.miner.subround());
    m.set_round(round.0.min(u64::from(blocks.rounds) + 1) as u32);
    m.set_subround(subround.0.min(7));
    let chained = world.ground.setup.chained();
    let parked = round.0 > u64::from(blocks.rounds);
    // A parked miner may still adopt another block, which is in no model.
    let entry = if chained && parked { host.entered.1 } else { host.miner.entry() };
    let entry_place = places.of(&entry).filter(|_| round.0 > 1);
    m.set_entry(entry_place.map_or(0, |place| position(blocks, place)));
    m.set_crashed(u32::from(!host.up));
    m.set_recovered(u32::from(host.recovered == Some((round, subround)) && host.up));
    if parked {
        // Parked: what it does there is in no model.
        m.set_recovered(0);
        return m;
    }
    let mut tickets = 0;
    let mut unsent = 0;
    let overtaken = overtaken(world, host);
    for (s, block) in ticketed(world, host, round) {
        let Some(place) = places.of(&block) else { continue };
        let local = blocks.place(place).local;
        tickets |= 1 << local;
        let record = LogRecord::ticket(round, s, block.0);
        if s == subround && !host.has_said(&record) && !overtaken.contains(&record) {
            unsent = u32::from(local) + 1;
        }
    }
    m.set_tickets(tickets);
    m.set_unsent(unsent);
    let here = LogRecord::timeout(round, subround);
    m.set_timed_out(u32::from(match world.ground.setup.rules.subround_entry {
        // The next subround is entered in the same step.
        SubroundEntryRule::Local => false,
        SubroundEntryRule::Certificate if is_volatile(world) => {
            host.up && host.miner.highest_timeout().map(LogRecord::from) == Some(here)
        }
        SubroundEntryRule::Certificate => host.has_said(&here),
    }));
    m.set_shared(u32::from(if chained {
        host.shared.contains(&(round, subround, entry))
    } else {
        host.shared.iter().any(|(known, ..)| *known == round)
    }));
    m.set_proposed(proposed(world, host, round, subround).into());
    m
}

/// The tickets of a miner in a round that bind it.
fn ticketed<'a, S: Scheme + Clone>(
    world: &'a World<S>,
    host: &'a Host<S>,
    round: Round,
) -> impl Iterator<Item = (Subround, BlockId)> + 'a {
    let lost = is_volatile(world) && !host.up;
    let in_memory = memory_binds(world);
    let memory = (!lost && in_memory).then(|| host.miner.tickets().map(LogRecord::from));
    let disk = (!lost && !in_memory).then(|| host.disk.log.durable().iter().copied());
    let all = memory.into_iter().flatten().chain(disk.into_iter().flatten());
    all.filter(move |record| record.round == round && record.kind == Kind::Ticket)
        .map(|record| (record.subround, BlockId(record.block)))
}

fn proposed<S: Scheme + Clone>(world: &World<S>, host: &Host<S>, round: Round, subround: Subround) -> bool {
    if is_volatile(world) && !host.up {
        return false;
    }
    host.miner
        .proposals()
        .filter(|proposed| (proposed.round, proposed.subround) == (round, subround))
        .map(LogRecord::from)
        .any(|record| bound(world, host, Kind::Proposal, &record))
        || !host.up
            && host.disk.log.durable().iter().any(|record| {
                (record.kind, record.round, record.subround) == (Kind::Proposal, round, subround)
            })
}

/// Adds the messages that a miner has sent beyond those heard before, by name and counted; returns the number heard
/// now. A finality vote counts from the moment at which it is decided: the model casts it in the step that leaves the
/// round.
fn messages<S: Scheme + Clone>(
    blocks: &Blocks,
    places: &Places,
    world: &World<S>,
    index: usize,
    heard: Heard,
    state: &mut State,
) -> Heard {
    let host = &world.hosts[index];
    let inside = |round: Round, subround: Subround| {
        (1..=u64::from(blocks.rounds)).contains(&round.0) && subround.0 < u32::from(blocks.subrounds)
    };
    for record in host.said[heard.said..].iter().chain(&overtaken(world, host)) {
        let Some(archive) = (record.round.0 as usize).checked_sub(1).filter(|r| *r < blocks.rounds.into())
        else {
            continue;
        };
        match record.kind {
            Kind::Ticket => {
                if let Some(place) = places.of(&BlockId(record.block)) {
                    state.archive[index].tickets[archive] |= 1 << blocks.place(place).local;
                    let tally = state.block_mut(place);
                    tally.set_tickets(tally.tickets() + 1);
                }
            }
            Kind::Timeout if record.subround.0 < 8 => {
                state.archive[index].timeouts[archive] |= 1 << record.subround.0;
                if inside(record.round, record.subround) {
                    let tally = state.timeout_mut(record.round.0 as u8, record.subround.0 as u8);
                    tally.set_honest(tally.honest() + 1);
                }
            }
            Kind::Timeout | Kind::Proposal | Kind::FinalityVote => {}
        }
    }
    for (round, block) in &host.voted[heard.voted..] {
        if let Some(place) = places.of(block)
            && let Some(votes) = state.archive[index].votes.get_mut(round.0 as usize - 1)
        {
            *votes |= 1 << blocks.place(place).local;
            let tally = state.block_mut(place);
            tally.set_votes(tally.votes() + 1);
        }
    }
    for (round, subround, entry) in &host.shared[heard.shared..] {
        let entry = if round.0 == 1 { Some(GENESIS) } else { places.of(entry) };
        if let Some(entry) = entry.filter(|_| inside(*round, *subround)) {
            state.add_present(entry, subround.0 as u8, 1);
        }
    }
    Heard { said: host.said.len(), voted: host.voted.len(), shared: host.shared.len() }
}

/// Whether a ticket may count before it is said: the model has one place for a ticket on its way out, so it has sent what is
/// [`overtaken`].
fn may_overtake<S: Scheme + Clone>(world: &World<S>) -> bool {
    !world.ground.setup.rules.tickets_once() && !is_volatile(world)
}

/// Tickets that bind a miner and have not left, while another ticket of the same subround binds it already: the model has one
/// place for a ticket on its way out, so it has sent these (see the module doc of [`refinement`](super)).
fn overtaken<S: Scheme + Clone>(world: &World<S>, host: &Host<S>) -> Vec<LogRecord> {
    if !may_overtake(world) {
        return Vec::new();
    }
    // In the order in which they were decided.
    let slow = world.ground.setup.disk == DiskModel::Slow;
    let decided = host.rests_on.iter().map(|(record, _)| record).filter(|_| slow);
    let durable = host.disk.log.durable().iter().filter(|_| !slow);
    let tickets: Vec<&LogRecord> =
        decided.chain(durable).filter(|record| record.kind == Kind::Ticket).collect();
    let overtaken = |(index, record): (usize, &&LogRecord)| {
        let later = &tickets[index + 1..];
        let place = (record.round, record.subround);
        (later.iter().any(|other| (other.round, other.subround) == place) && !host.has_said(record))
            .then_some(**record)
    };
    tickets.iter().enumerate().filter_map(overtaken).collect()
}

/// Adds the statements of Byzantine members, from this entry of the world's list on.
fn byzantine<S: Scheme + Clone>(
    protocol: &Protocol,
    places: &Places,
    world: &World<S>,
    first: usize,
    state: &mut State,
) {
    let members = &world.ground.setup.byzantine;
    let local = world.ground.setup.rules.enters_alone();
    let votes = protocol.rules.votes();
    for (member, record) in &world.byzantine[first..] {
        // A statement that no honest miner counts is no message of the model.
        if local && record.kind == Kind::Timeout || !votes && record.kind == Kind::FinalityVote {
            continue;
        }
        let Some(number) = members.iter().position(|id| *id == member.0) else { continue };
        if matches!(record.kind, Kind::Timeout) {
            let (round, subround) = (record.round.0, record.subround.0);
            if (1..=u64::from(protocol.blocks.rounds)).contains(&round)
                && subround < u32::from(protocol.blocks.subrounds)
            {
                let tally = state.timeout_mut(round as u8, subround as u8);
                tally.set_byzantine(tally.byzantine() | 1 << number);
            }
            continue;
        }
        let Some(place) =
            places.of(&BlockId(record.block)).filter(|place| place.index() < protocol.blocks.len())
        else {
            continue;
        };
        if !is_about(protocol, place, record) {
            continue;
        }
        let tally = state.block_mut(place);
        match record.kind {
            Kind::Ticket => tally.set_byzantine_tickets(tally.byzantine_tickets() | 1 << number),
            Kind::FinalityVote => tally.set_byzantine_votes(tally.byzantine_votes() | 1 << number),
            Kind::Proposal | Kind::Timeout => {}
        }
    }
}

/// Whether a record names the (round, subround) of the block that it names. A Byzantine miner may sign another label; no
/// certificate that honest miners accept counts it.
#[must_use]
pub fn is_about(protocol: &Protocol, place: ModelBlock, record: &LogRecord) -> bool {
    let found = protocol.blocks.place(place);
    (u64::from(found.round), u32::from(found.subround)) == (record.round.0, record.subround.0)
}
