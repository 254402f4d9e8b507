//! From a trace to a scene: the run is executed, and what every step used and brought about is written down.
//!
//! A message of the model is a member of a set, so a step does not say who sent what it used; that follows from the
//! run: the notarization of a block is the event at which its q-th ticket is there, and so on. Where Byzantine messages
//! are always available (`byzantine_available`), as many of them are drawn as a certificate needs, and no more. Which
//! Byzantine miner sends them is the adversary's choice; the first ones are drawn.

use super::scene::{BlockCard, Event, FORMAT, Kind, Lane, Line, Role, Scene, Shown, Stay, Use, VERSION};
use crate::{
    action::Action,
    blocks::{BlockId, GENESIS, Generator, MAX_BLOCKS, MAX_ROUNDS, MAX_SUBROUNDS},
    properties::{Facts, Property},
    protocol::Protocol,
    rules::{FinalityRule, SubroundEntryRule},
    sentence::block_name,
    state::State,
    trace::{ReplayError, Trace},
};
use std::collections::BTreeMap;

/// The scene of a trace, which must be a run and show what it claims.
pub fn stage(trace: &Trace) -> Result<Scene, ReplayError> {
    let replayed = trace.replay()?;
    let mut stage = Stage::new(&trace.protocol, &replayed.states[0], observers(trace));
    for (index, step) in trace.steps.iter().enumerate() {
        let (before, after) = (&replayed.states[index], &replayed.states[index + 1]);
        stage.step(index + 1, before, &step.action, after, &replayed.sentences[index]);
    }
    Ok(stage.scene(trace))
}

/// Observers that a run has.
fn observers(trace: &Trace) -> usize {
    let acting = trace.steps.iter().filter_map(|s| match s.action {
        Action::Finalize { observer, .. } => Some(observer as usize + 1),
        _ => None,
    });
    acting.max().unwrap_or(0).max(trace.protocol.observers)
}

/// Messages by the event that made them.
struct Sent {
    proposals: [Option<usize>; MAX_BLOCKS],
    tickets: Vec<Vec<usize>>,
    notarizations: [Option<usize>; MAX_BLOCKS],
    votes: Vec<Vec<usize>>,
    finality: [Option<usize>; MAX_BLOCKS],
    timeouts: Vec<Vec<usize>>,
    timeout_certificates: [Option<usize>; MAX_ROUNDS * MAX_SUBROUNDS],
    /// Entries that brought a share of the beacon, by round, subround (0 where shares are for a round) and seed.
    entries: BTreeMap<(u32, u32, u32), Vec<usize>>,
}

struct Stage<'a> {
    protocol: &'a Protocol,
    observers: usize,
    events: Vec<Event>,
    stays: Vec<Stay>,
    sent: Sent,
    finalized: [Option<usize>; MAX_BLOCKS],
    parents: [Option<BlockId>; MAX_BLOCKS],
    lines: Vec<Line>,
    initial: Vec<Line>,
    facts: Facts,
    known_beacons: Vec<(u32, u32, u32)>,
    /// First event at which a property shows.
    first_shown: BTreeMap<Property, usize>,
}

fn at(round: u8, subround: u8) -> usize {
    (round as usize - 1) * MAX_SUBROUNDS + subround as usize
}

impl<'a> Stage<'a> {
    fn new(protocol: &'a Protocol, initial: &State, observers: usize) -> Self {
        let lines = protocol.described(initial);
        let mut stage = Stage {
            protocol,
            observers,
            events: Vec::new(),
            stays: Vec::new(),
            sent: Sent {
                proposals: [None; MAX_BLOCKS],
                tickets: vec![Vec::new(); MAX_BLOCKS],
                notarizations: [None; MAX_BLOCKS],
                votes: vec![Vec::new(); MAX_BLOCKS],
                finality: [None; MAX_BLOCKS],
                timeouts: vec![Vec::new(); MAX_ROUNDS * MAX_SUBROUNDS],
                timeout_certificates: [None; MAX_ROUNDS * MAX_SUBROUNDS],
                entries: BTreeMap::new(),
            },
            finalized: [None; MAX_BLOCKS],
            parents: [None; MAX_BLOCKS],
            initial: lines.clone(),
            lines,
            facts: protocol.facts(initial, Property::ALL.iter().copied().collect()),
            known_beacons: Vec::new(),
            first_shown: BTreeMap::new(),
        };
        for miner in 0..protocol.honest() {
            let m = &initial.miners[miner];
            let lane = stage.honest(miner as u8);
            stage.stays.push(Stay {
                lane,
                event: 0,
                round: m.round().into(),
                subround: m.subround(),
                down: false,
            });
        }
        stage.beacons(0, initial);
        stage
    }

    // ---- lanes: honest miners, what has been sent, Byzantine miners, observers ----

    fn honest(&self, miner: u8) -> usize {
        miner as usize
    }

    fn network(&self) -> usize {
        self.protocol.honest()
    }

    fn byzantine(&self, number: u32) -> usize {
        let all = self.protocol.committee.byzantine;
        self.network() + if all == 0 { 0 } else { 1 + (number % all) as usize }
    }

    fn observer(&self, number: u8) -> usize {
        self.network() + 1 + self.protocol.committee.byzantine as usize + number as usize
    }

    fn lanes(&self) -> Vec<Lane> {
        let honest = (0..self.protocol.honest())
            .map(|m| Lane { name: self.protocol.miner_name(m), role: Role::Honest });
        let byzantine = (0..self.protocol.committee.byzantine)
            .map(|b| Lane { name: format!("Byzantine {b}"), role: Role::Byzantine });
        let observers =
            (0..self.observers).map(|o| Lane { name: format!("observer {o}"), role: Role::Observer });
        honest
            .chain([Lane { name: "sent".into(), role: Role::Network }])
            .chain(byzantine)
            .chain(observers)
            .collect()
    }

    // ---- events ----

    fn name(&self, block: BlockId) -> String {
        block_name(&self.protocol.blocks, block)
    }

    fn event(&mut self, step: usize, lane: usize, kind: Kind, label: String) -> usize {
        let byzantine =
            lane > self.network() && lane <= self.network() + self.protocol.committee.byzantine as usize;
        self.events.push(Event {
            step,
            implied: true,
            lane,
            kind,
            byzantine,
            says: label.clone(),
            label,
            block: None,
            uses: Vec::new(),
            changes: Vec::new(),
            shows: Vec::new(),
        });
        self.events.len() - 1
    }

    fn about(&mut self, row: usize, block: BlockId, says: String) {
        self.events[row].block = (block != GENESIS).then_some(block.index());
        self.events[row].says = says;
    }

    /// Notes that event `row` uses the message that event `from` made.
    fn used(&mut self, row: usize, from: Option<usize>, what: Kind) {
        let Some(from) = from.filter(|&from| from < row) else { return };
        let lane = self.events[row].lane;
        let own = self.events[from].lane == lane;
        // The receiver did something that shows that it did not have the message.
        let moved = |e: &Event| {
            use Kind as K;
            let acts = matches!(e.kind, K::Timeout | K::EnterSubround | K::Ticket | K::Leave | K::Adopt);
            e.lane == lane && acts
        };
        let late = !own && lane < self.network() && self.events[from + 1..row].iter().any(moved);
        self.events[row].uses.push(Use { from, what, late });
    }

    fn step(&mut self, step: usize, before: &State, action: &Action, after: &State, says: &str) {
        let first = self.events.len();
        self.proposals(step, before, after, action);
        let row = self.main(step, before, action, after);
        self.events[row].implied = false;
        self.events[row].says = says.into();
        self.positions(row, before, after);
        self.certificates(step, before, after, action);
        self.beacons(step, after);
        let last = self.events.len() - 1;
        let lines = self.protocol.described(after);
        self.events[row].changes = changed(&self.lines, &lines);
        self.lines = lines;
        let facts = self.protocol.facts(after, Property::ALL.iter().copied().collect());
        for property in facts.iter().filter(|&p| !self.facts.has(p)) {
            self.events[last].shows.push(property.id().into());
            self.first_shown.entry(property).or_insert(last);
        }
        self.facts = facts;
        self.finals(last, after);
        debug_assert!(first <= row && row <= last);
    }

    /// Blocks that came into the world with this step, where nobody is said to have proposed them.
    fn proposals(&mut self, step: usize, before: &State, after: &State, action: &Action) {
        if matches!(action, Action::Propose { .. } | Action::ByzantinePropose { .. }) {
            return;
        }
        for block in self.protocol.blocks.all() {
            if before.block(block).parent() == 0 && after.block(block).parent() != 0 {
                let lane = self.generator_lane(block);
                let row = self.event(step, lane, Kind::Proposal, format!("block {}", self.name(block)));
                self.proposed(row, after, block);
                let place = self.protocol.blocks.place(block);
                let which = if place.twin == 1 { "the second block" } else { "the block" };
                let parent = after.parent(&self.protocol.blocks, block).unwrap_or(GENESIS);
                let (name, parent) = (self.name(block), self.name(parent));
                let whose = match place.generator {
                    Generator::Honest => format!("the honest generator of rank {}", place.rank),
                    Generator::Byzantine => format!("the Byzantine generator of rank {}", place.rank),
                    Generator::Outsider => "a Byzantine miner that is no generator there".into(),
                };
                let says = format!("{name} is proposed: {which} of {whose}, on {parent}");
                self.about(row, block, says);
            }
        }
    }

    /// Byzantine generators of a subround are told apart by their rank; which honest miner a generator is, a trace
    /// with implied proposals does not say.
    fn generator_lane(&self, block: BlockId) -> usize {
        let place = *self.protocol.blocks.place(block);
        if place.generator == Generator::Honest {
            return self.network();
        }
        let lower = |&b: &BlockId| {
            let other = self.protocol.blocks.place(b);
            other.generator != Generator::Honest && other.twin == 0 && other.rank < place.rank
        };
        let number =
            self.protocol.blocks.of_subround(place.round, place.subround).filter(lower).count() as u32;
        self.byzantine(number)
    }

    fn proposed(&mut self, row: usize, after: &State, block: BlockId) {
        self.sent.proposals[block.index()] = Some(row);
        let parent = after.parent(&self.protocol.blocks, block).filter(|&p| p != GENESIS);
        self.parents[block.index()] = parent;
        self.events[row].block = Some(block.index());
        if let Some(parent) = parent {
            self.used(row, self.sent.notarizations[parent.index()], Kind::Notarization);
        }
    }

    /// The event of the step itself.
    fn main(&mut self, step: usize, before: &State, action: &Action, after: &State) -> usize {
        use Action as A;
        let honest = |miner: u8| miner as usize;
        let b = |block: BlockId| block.index();
        match *action {
            A::ShareBeacon { miner } => {
                let row = self.event(step, honest(miner), Kind::Beacon, "beacon share".into());
                self.shared(row, before, honest(miner));
                row
            }
            A::BelieveSeed { miner } => {
                self.event(step, honest(miner), Kind::Beacon, "believes a claimed seed".into())
            }
            A::Propose { miner, block } => {
                let label = format!("block {}", self.name(block));
                let row = self.event(step, honest(miner), Kind::Proposal, label);
                self.proposed(row, after, block);
                row
            }
            A::ByzantinePropose { block, .. } => {
                let lane = self.generator_lane(block);
                let row = self.event(step, lane, Kind::Proposal, format!("block {}", self.name(block)));
                self.proposed(row, after, block);
                row
            }
            A::Select { miner, block } => {
                let label = format!("selects {}", self.name(block));
                let row = self.event(step, honest(miner), Kind::Selection, label);
                self.events[row].block = Some(b(block));
                self.used(row, self.sent.proposals[b(block)], Kind::Proposal);
                row
            }
            A::Ticket { miner, block, .. } => {
                let logs = self.protocol.writes_before_sending();
                let what = if logs { "logs ticket" } else { "ticket" };
                let row =
                    self.event(step, honest(miner), Kind::Ticket, format!("{what} {}", self.name(block)));
                self.events[row].block = Some(b(block));
                self.used(row, self.sent.proposals[b(block)], Kind::Proposal);
                if !logs {
                    self.sent.tickets[b(block)].push(row);
                }
                row
            }
            A::SendTicket { miner } => {
                let m = &before.miners[honest(miner)];
                let block = self.protocol.blocks.at(m.round() as u8, m.unsent() as u8 - 1);
                let label = format!("sends ticket {}", self.name(block));
                let row = self.event(step, honest(miner), Kind::Ticket, label);
                self.events[row].block = Some(b(block));
                self.sent.tickets[b(block)].push(row);
                row
            }
            A::ByzantineTicket { byzantine, block } => {
                let lane = self.byzantine(byzantine.into());
                let row = self.event(step, lane, Kind::Ticket, format!("ticket {}", self.name(block)));
                self.events[row].block = Some(b(block));
                self.used(row, self.sent.proposals[b(block)], Kind::Proposal);
                self.sent.tickets[b(block)].push(row);
                row
            }
            A::Notarize { block } => self.notarization(step, block),
            A::Leave { miner, block }
            | A::TimeoutThenLeave { miner, block }
            | A::LeaveRelabelled { miner, block }
            | A::VoteWithoutLeaving { miner, block } => {
                let votes = after.block(block).votes() > before.block(block).votes();
                let (stays, jumps) = (
                    matches!(action, A::VoteWithoutLeaving { .. }),
                    u32::from(self.protocol.blocks.round(block)) > before.miners[honest(miner)].round(),
                );
                let does = if stays {
                    "votes"
                } else if jumps {
                    "jumps"
                } else {
                    "leaves"
                };
                let and = if votes && !stays { ", votes" } else { "" };
                let kind = if stays { Kind::Vote } else { Kind::Leave };
                let row = self.event(step, honest(miner), kind, format!("{does}{and} {}", self.name(block)));
                self.events[row].block = Some(b(block));
                self.used(row, self.sent.notarizations[b(block)], Kind::Notarization);
                if votes {
                    self.sent.votes[b(block)].push(row);
                }
                if matches!(action, A::TimeoutThenLeave { .. }) {
                    let m = &before.miners[honest(miner)];
                    self.sent.timeouts[at(m.round() as u8, m.subround() as u8)].push(row);
                }
                row
            }
            A::Adopt { miner, block } => {
                let row =
                    self.event(step, honest(miner), Kind::Adopt, format!("adopts {}", self.name(block)));
                self.about(row, block, String::new());
                let from = if block == GENESIS { None } else { self.sent.notarizations[b(block)] };
                self.used(row, from, Kind::Notarization);
                row
            }
            A::ByzantineVote { byzantine, block } => {
                let lane = self.byzantine(byzantine.into());
                let row = self.event(step, lane, Kind::Vote, format!("vote {}", self.name(block)));
                self.events[row].block = Some(b(block));
                self.sent.votes[b(block)].push(row);
                row
            }
            A::Timeout { miner } => self.timeout(step, before, honest(miner)),
            A::TimeoutTogether { miners, .. } => {
                let all = (0..self.protocol.honest()).filter(|m| miners >> m & 1 == 1);
                all.map(|m| self.timeout(step, before, m)).collect::<Vec<_>>().last().copied().unwrap_or_else(
                    || self.event(step, self.network(), Kind::Timeout, "nobody times out".into()),
                )
            }
            A::ByzantineTimeout { byzantine, round, subround } => {
                let lane = self.byzantine(byzantine.into());
                let row = self.event(step, lane, Kind::Timeout, format!("timeout ({round}, {subround})"));
                self.sent.timeouts[at(round, subround)].push(row);
                row
            }
            A::EnterSubround { miner, subround } => {
                let round = before.miners[honest(miner)].round() as u8;
                let label = format!("enters ({round}, {subround})");
                let row = self.event(step, honest(miner), Kind::EnterSubround, label);
                let from = subround.checked_sub(1).and_then(|s| self.sent.timeout_certificates[at(round, s)]);
                self.used(row, from, Kind::TimeoutCertificate);
                row
            }
            A::Finalize { observer, block } => {
                let lane = self.observer(observer);
                let row = self.event(step, lane, Kind::Finalize, format!("finalizes {}", self.name(block)));
                self.events[row].block = Some(b(block));
                match self.protocol.rules.finality {
                    _ if self.protocol.rules.votes() => {
                        self.used(row, self.sent.finality[b(block)], Kind::FinalityCertificate);
                    }
                    FinalityRule::CommonAncestor { depth } => {
                        let round = self.protocol.blocks.round(block) + depth;
                        let tip = self.protocol.blocks.of_round(round).find(|&tip| {
                            self.protocol.notarized(before, tip)
                                && before.descends(&self.protocol.blocks, tip, block)
                        });
                        let from = tip.and_then(|tip| self.sent.notarizations[b(tip)]);
                        self.used(row, from, Kind::Notarization);
                    }
                    _ => self.used(row, self.sent.notarizations[b(block)], Kind::Notarization),
                }
                row
            }
            A::Crash { miner } => self.event(step, honest(miner), Kind::Crash, "crashes".into()),
            A::Restart { miner } => self.event(step, honest(miner), Kind::Restart, "restarts".into()),
            A::RestartBehind { miner } => {
                self.event(step, honest(miner), Kind::Restart, "restarts in (1, 0)".into())
            }
            A::Synchronize => {
                self.event(step, self.network(), Kind::Network, "the network is synchronous".into())
            }
        }
    }

    fn timeout(&mut self, step: usize, before: &State, miner: usize) -> usize {
        let m = &before.miners[miner];
        let (round, subround) = (m.round() as u8, m.subround() as u8);
        let local = self.protocol.rules.subround_entry == SubroundEntryRule::Local;
        let next = if local { ", enters the next" } else { "" };
        let row = self.event(step, miner, Kind::Timeout, format!("times out of ({round}, {subround}){next}"));
        self.events[row].says = format!("{} times out", self.protocol.miner_name(miner));
        self.sent.timeouts[at(round, subround)].push(row);
        row
    }

    fn notarization(&mut self, step: usize, block: BlockId) -> usize {
        let name = self.name(block);
        let row = self.event(step, self.network(), Kind::Notarization, format!("notarized {name}"));
        let tickets = self.sent.tickets[block.index()].clone();
        let quorum = self.protocol.committee.quorum;
        self.about(row, block, format!("{name} is notarized: q = {quorum} tickets exist"));
        for ticket in tickets {
            self.used(row, Some(ticket), Kind::Ticket);
        }
        self.sent.notarizations[block.index()] = Some(row);
        row
    }

    /// As many messages of Byzantine miners as a certificate still needs.
    fn byzantine_messages(&mut self, step: usize, have: u32, kind: Kind, label: &str) -> Vec<usize> {
        let committee = &self.protocol.committee;
        if !self.protocol.reductions.byzantine_available {
            return Vec::new();
        }
        let needed = committee.quorum.saturating_sub(have).min(committee.byzantine);
        (0..needed)
            .map(|number| {
                let lane = self.byzantine(number);
                let row = self.event(step, lane, kind, label.into());
                self.events[row].says = format!("Byzantine miner {number} sends a {label}");
                row
            })
            .collect()
    }

    /// Certificates that this step completed.
    fn certificates(&mut self, step: usize, before: &State, after: &State, action: &Action) {
        let p = self.protocol;
        for block in p.blocks.all() {
            let new = p.notarized(after, block) && !p.notarized(before, block);
            if new && !matches!(action, Action::Notarize { .. }) {
                let (have, label) = (after.block(block).tickets(), format!("ticket {}", self.name(block)));
                for row in self.byzantine_messages(step, have, Kind::Ticket, &label) {
                    self.events[row].block = Some(block.index());
                    self.used(row, self.sent.proposals[block.index()], Kind::Proposal);
                    self.sent.tickets[block.index()].push(row);
                }
                self.notarization(step, block);
            }
        }
        for round in 1..=p.blocks.rounds {
            for subround in 0..p.blocks.subrounds {
                let local = p.rules.subround_entry == SubroundEntryRule::Local;
                let certified = |state| p.timeout_certified(state, round, subround);
                if local || !certified(after) || certified(before) {
                    continue;
                }
                let have = after.timeout(round, subround).honest();
                let label = format!("timeout of ({round}, {subround})");
                let rows = self.byzantine_messages(step, have, Kind::Timeout, &label);
                self.sent.timeouts[at(round, subround)].extend(rows);
                let label = format!("timeout certificate ({round}, {subround})");
                let row = self.event(step, self.network(), Kind::TimeoutCertificate, label);
                self.events[row].says =
                    format!("q = {} timeouts of ({round}, {subround}) exist", p.committee.quorum);
                for timeout in self.sent.timeouts[at(round, subround)].clone() {
                    self.used(row, Some(timeout), Kind::Timeout);
                }
                self.sent.timeout_certificates[at(round, subround)] = Some(row);
            }
        }
        if !p.rules.votes() {
            return;
        }
        for block in p.blocks.all() {
            if p.finalizable(after, block) && !p.finalizable(before, block) {
                let label = format!("vote {}", self.name(block));
                let have = after.block(block).votes();
                for row in self.byzantine_messages(step, have, Kind::Vote, &label) {
                    self.events[row].block = Some(block.index());
                    self.sent.votes[block.index()].push(row);
                }
                let name = self.name(block);
                let row =
                    self.event(step, self.network(), Kind::FinalityCertificate, format!("final {name}"));
                let quorum = p.committee.quorum;
                self.about(row, block, format!("{name} is final: q = {quorum} finality votes exist"));
                for vote in self.sent.votes[block.index()].clone() {
                    self.used(row, Some(vote), Kind::Vote);
                }
                self.sent.finality[block.index()] = Some(row);
            }
        }
    }

    /// Who is where now.
    fn positions(&mut self, row: usize, before: &State, after: &State) {
        for miner in 0..self.protocol.honest() {
            let (b, a) = (&before.miners[miner], &after.miners[miner]);
            let place = |m: &crate::state::Miner| (m.round(), m.subround(), m.crashed());
            if place(b) != place(a) {
                let (round, subround) = (a.round().into(), a.subround());
                self.stays.push(Stay { lane: miner, event: row, round, subround, down: a.crashed() == 1 });
                let moved = (a.round(), a.subround()) != (b.round(), b.subround());
                if self.protocol.reductions.eager && moved {
                    self.shared(row, after, miner);
                }
            }
        }
    }

    /// Notes that the share of `miner` for where it is leaves with event `row`.
    fn shared(&mut self, row: usize, state: &State, miner: usize) {
        let m = &state.miners[miner];
        let chained = self.protocol.rules.chained();
        let subround = if chained { m.subround() } else { 0 };
        if chained || m.subround() == 0 {
            let key = (m.round(), subround, self.protocol.seed_of_miner(state, miner));
            self.sent.entries.entry(key).or_default().push(row);
        }
    }

    /// Values of the beacon that somebody can know from now on.
    fn beacons(&mut self, step: usize, state: &State) {
        let p = self.protocol;
        for miner in 0..p.honest() {
            let m = &state.miners[miner];
            if m.round() as u8 > p.blocks.rounds || !p.beacon_known(state, miner) {
                continue;
            }
            let (round, seed) = (m.round(), p.seed_of_miner(state, miner));
            let subround = if p.rules.chained() { m.subround() } else { 0 };
            if self.known_beacons.contains(&(round, subround, seed)) {
                continue;
            }
            self.known_beacons.push((round, subround, seed));
            let (label, after) = if p.rules.chained() {
                let entry = self.name(state.entry(&p.blocks, miner));
                (format!("beacon on {entry}"), format!(" of ({round}, {subround}), chained to {entry}"))
            } else {
                (format!("beacon of round {round}"), format!(" of round {round}"))
            };
            let row = self.event(step, self.network(), Kind::Beacon, label);
            let threshold = p.committee.beacon_threshold;
            self.events[row].says =
                format!("the beacon value{after} can be known: {threshold} shares of it exist");
            for entry in self.sent.entries.get(&(round, subround, seed)).cloned().unwrap_or_default() {
                self.used(row, Some(entry), Kind::Beacon);
            }
        }
    }

    /// Blocks that some observer can have finalized by now, with their ancestors.
    fn finals(&mut self, row: usize, state: &State) {
        let p = self.protocol;
        let heads = (0..2).map(|o| state.head(o)).filter(|&h| h != GENESIS);
        let direct: Vec<BlockId> = p.finalizable_set(state).iter().chain(heads).collect();
        for mut block in direct {
            while block != GENESIS && self.finalized[block.index()].is_none() {
                self.finalized[block.index()] = Some(row);
                block = state.parent(&p.blocks, block).unwrap_or(GENESIS);
            }
        }
    }

    fn scene(self, trace: &Trace) -> Scene {
        let p = self.protocol;
        let last = self.events.len().saturating_sub(1);
        let shows = trace.claim.as_ref().filter(|_| !self.events.is_empty()).map(|claim| Shown {
            property: claim.property.id().into(),
            verdict: claim.verdict.to_string(),
            text: claim.property.text().into(),
            because: claim.because.clone(),
            event: self.first_shown.get(&claim.property).copied().unwrap_or(last),
        });
        let cards = p.blocks.all().map(|b| {
            let place = p.blocks.place(b);
            BlockCard {
                name: self.name(b),
                round: place.round.into(),
                subround: place.subround.into(),
                rank: place.rank.into(),
                twin: place.twin,
                byzantine: place.generator != Generator::Honest,
                parent: self.parents[b.index()].map(BlockId::index),
                proposed: self.sent.proposals[b.index()],
                notarized: self.sent.notarizations[b.index()],
                finalized: self.finalized[b.index()],
            }
        });
        let named = trace.scenario.clone().unwrap_or_else(|| trace.producer.tool.clone());
        let title = match &trace.claim {
            Some(claim) => format!("{named}: {} {}", claim.property.id(), claim.verdict),
            None => named,
        };
        Scene {
            format: FORMAT.into(),
            version: VERSION,
            title,
            about: about(p),
            shows,
            again: trace.producer.command.clone(),
            lanes: self.lanes(),
            blocks: cards.collect(),
            stays: self.stays,
            initial: self.initial,
            events: self.events,
        }
    }
}

/// The instance in two lines: who and how much, and by which rules.
pub fn about(p: &Protocol) -> Vec<String> {
    let c = &p.committee;
    let restarts = match p.crashes {
        0 => String::new(),
        1 => ", 1 restart".into(),
        more => format!(", {more} restarts"),
    };
    let size = format!(
        "n = {}, q = {}, {} Byzantine (f = {}){restarts}; {} x {} (rounds x subrounds), {}",
        c.n,
        c.quorum,
        c.byzantine,
        c.f,
        p.blocks.rounds,
        p.blocks.subrounds,
        p.network.name()
    );
    let r = &p.rules;
    let rules = format!(
        "beacon {:?}, ticket {:?}, subround entry {:?}, switch {:?}, finality {:?}, quorum {:?}, ticket log {:?}, echo {:?}",
        r.beacon, r.ticket, r.subround_entry, r.subround_switch, r.finality, r.quorum, r.ticket_log, r.echo
    );
    vec![size, rules]
}

/// The lines that differ; one that is gone has no parts.
pub fn changed(before: &[Line], after: &[Line]) -> Vec<Line> {
    let old: BTreeMap<&str, &[String]> = before.iter().map(|l| (l.subject.as_str(), &*l.parts)).collect();
    let new: BTreeMap<&str, &[String]> = after.iter().map(|l| (l.subject.as_str(), &*l.parts)).collect();
    let differ = after.iter().filter(|l| old.get(l.subject.as_str()) != Some(&&*l.parts)).cloned();
    let gone = before.iter().filter(|l| !new.contains_key(l.subject.as_str()));
    differ.chain(gone.map(|l| Line { subject: l.subject.clone(), parts: Vec::new() })).collect()
}
