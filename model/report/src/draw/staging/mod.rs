//! From a trace to a scene: the run is executed, and what every step used and brought about is written down.
//!
//! A message of the model is a member of a set, so a step does not say who sent what it used; that follows from the
//! run: the notarization of a block is the event at which its q-th ticket is there, and so on. Where Byzantine messages
//! are always available (`byzantine_available`), as many of them are drawn as a certificate needs, and no more. Which
//! Byzantine miner sends them is the adversary's choice; the first ones are drawn.

mod certificate;
mod lanes;
mod step;
mod story;

pub(crate) use lanes::Lanes;

use super::scene::{BlockCard, Event, FORMAT, Kind, Line, Role, Scene, Shown, Stay, Use, VERSION};
use std::collections::BTreeMap;
use zus_checker::blocks::block_name;
use zus_checker::{
    action::Action,
    blocks::{BlockId, GENESIS, Generator, MAX_BLOCKS, MAX_ROUNDS, MAX_SUBROUNDS},
    properties::{Facts, Property},
    protocol::Protocol,
    state::State,
    trace::{ReplayError, Trace},
};

/// The scene of a trace, which must be a run and show what it claims. A last step that production took and the model forbids
/// is left out; the finding says it.
pub fn stage(trace: &Trace) -> Result<Scene, ReplayError> {
    let legal = trace.without_fault();
    let trace = legal.as_ref().unwrap_or(trace);
    let replayed = trace.replay()?;
    let mut stage = Stage::new(&trace.protocol, &replayed.states[0], observers(trace));
    for (index, step) in trace.steps.iter().enumerate() {
        let (before, after) = (&replayed.states[index], &replayed.states[index + 1]);
        stage.step(index + 1, before, &step.action, after, &replayed.sentences[index]);
    }
    let mut scene = stage.scene(trace);
    if let (Some(claim), Some(last)) = (&trace.claim, replayed.states.last()) {
        story::tell(&trace.protocol, last, claim.property, &mut scene);
    }
    Ok(scene)
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
            stage.stays.push(Stay {
                lane: miner,
                event: 0,
                round: m.round().into(),
                subround: m.subround(),
                down: false,
                tint: None,
            });
        }
        stage.beacons(0, initial);
        stage
    }

    fn lanes(&self) -> Lanes<'a> {
        Lanes(self.protocol)
    }

    fn network(&self) -> usize {
        self.lanes().network()
    }

    // ---- events ----

    fn name(&self, block: BlockId) -> String {
        block_name(&self.protocol.blocks, block)
    }

    fn event(&mut self, step: usize, lane: usize, kind: Kind, label: String) -> usize {
        let byzantine = lane > self.network() && lane < self.lanes().observer(0);
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
        let of = |e: &Event| {
            e.block.map(|b| {
                let place = self.protocol.blocks.place(BlockId(b as u8));
                (place.round, place.subround)
            })
        };
        let about = of(&self.events[from]);
        // The receiver did something that shows that it did not have the message: instead of a proposal it ticketed
        // another one of the subround; a certificate would have moved it.
        let moved = |e: &Event| {
            use Kind as K;
            let acts = match what {
                K::Proposal => e.kind == K::Ticket && of(e) == about,
                _ => matches!(e.kind, K::Timeout | K::EnterSubround | K::Ticket | K::Leave | K::Adopt),
            };
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

    /// The present position of each miner.
    fn positions(&mut self, row: usize, before: &State, after: &State) {
        for miner in 0..self.protocol.honest() {
            let (b, a) = (&before.miners[miner], &after.miners[miner]);
            let position = |m: &zus_checker::state::Miner| (m.round(), m.subround(), m.crashed());
            if position(b) != position(a) {
                let (round, subround) = (a.round().into(), a.subround());
                self.stays.push(Stay {
                    lane: miner,
                    event: row,
                    round,
                    subround,
                    down: a.crashed() == 1,
                    tint: None,
                });
                let moved = (a.round(), a.subround()) != (b.round(), b.subround());
                if self.protocol.reductions.eager && moved {
                    self.shared(row, after, miner);
                }
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

    /// The event with which a run shows what it claims. A run ends with it: where the property shows before the last step
    /// already, because some observer could now finalize a second block, the last steps are those that do so.
    fn end(&mut self, property: Property) -> Option<usize> {
        let last = self.events.len().checked_sub(1)?;
        let step = self.events[last].step;
        let of_last = |event: &usize| self.events[*event].step == step;
        let shown = self.first_shown.get(&property).copied().filter(of_last);
        let main = self.events.iter().position(|e| e.step == step && !e.implied);
        let end = shown.or(main).unwrap_or(last);
        let id = property.id();
        for event in &mut self.events {
            event.shows.retain(|shown| shown != id);
        }
        self.events[end].shows.push(id.into());
        Some(end)
    }

    fn scene(mut self, trace: &Trace) -> Scene {
        let end = trace.claim.as_ref().and_then(|claim| self.end(claim.property));
        let p = self.protocol;
        let last = self.events.len().saturating_sub(1);
        let claimed = trace.claim.as_ref().zip(end).map(|(claim, event)| Shown {
            property: claim.property.id().into(),
            verdict: claim.verdict.to_string(),
            text: claim.property.text().into(),
            because: claim.because.clone(),
            event,
        });
        let found = trace.finding.as_ref().map(|fault| Shown {
            property: fault.kind.clone(),
            verdict: "found in production".into(),
            text: "what production code did after this run is wrong".into(),
            because: fault.because.clone(),
            event: last,
        });
        let shows = claimed.or(found).filter(|_| !self.events.is_empty());
        let cards = p.blocks.all().map(|b| {
            let place = p.blocks.place(b);
            BlockCard {
                name: self.name(b),
                called: None,
                round: place.round.into(),
                subround: place.subround.into(),
                segment: None,
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
            None => trace.finding.as_ref().map_or(named.clone(), |fault| format!("{named}: {}", fault.kind)),
        };
        Scene {
            format: FORMAT.into(),
            version: VERSION,
            title,
            about: about(p),
            shows,
            story: Vec::new(),
            again: trace.producer.command.clone(),
            root: None,
            rounds: Vec::new(),
            tints: Vec::new(),
            lanes: self.lanes().all(self.observers),
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
    let mistake = p.fault.map(|fault| format!("with the mistake {fault:?}"));
    [size, rules].into_iter().chain(mistake).collect()
}

/// The lines that differ; one that is gone has no parts.
pub fn changed(before: &[Line], after: &[Line]) -> Vec<Line> {
    let old: BTreeMap<&str, &[String]> = before.iter().map(|l| (l.subject.as_str(), &*l.parts)).collect();
    let new: BTreeMap<&str, &[String]> = after.iter().map(|l| (l.subject.as_str(), &*l.parts)).collect();
    let differ = after.iter().filter(|l| old.get(l.subject.as_str()) != Some(&&*l.parts)).cloned();
    let gone = before.iter().filter(|l| !new.contains_key(l.subject.as_str()));
    differ.chain(gone.map(|l| Line { subject: l.subject.clone(), parts: Vec::new() })).collect()
}
