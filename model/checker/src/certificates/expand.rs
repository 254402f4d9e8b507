//! A run of certificates as a run of named miners (Lemma 6).
//!
//! The path of a search is first found again with names and with the whole past: in each state the first step is taken that
//! leads to the next state of the path. Then each certificate becomes the steps of its signers. All miners enter each round and
//! subround; the steps that the run can do without are left out again, so that none of those that remain can be.

use super::{
    kept::{Kept, Past, Step},
    rounds::{Reach, Rounds},
    search::{Certificates, fingerprint},
    signers::of_mask,
    support::Seen,
};
use crate::{
    action::Action,
    blocks::{BlockId, Blocks, GENESIS, MAX_ROUNDS, MAX_SUBROUNDS},
    properties::Property,
    protocol::{Protocol, Reductions},
    search::{
        run::{Run, RunError, named},
        table::Fingerprint,
    },
};

/// The run of named miners along `path`, with the steps that make `property` visible at its end.
pub fn named_run(
    protocol: &Protocol,
    seen: Seen,
    path: &[Fingerprint],
    property: Property,
) -> Result<Run, RunError> {
    let lost = RunError::Lost { step: 0, steps: path.len().saturating_sub(1) };
    let no_room = RunError::NoRoom { rounds: MAX_ROUNDS, subrounds: MAX_SUBROUNDS };
    let (sizes, lost) = match seen {
        Seen::Kept | Seen::Forgotten(Reach::Bounded) => (vec![protocol.clone()], lost),
        Seen::Forgotten(Reach::Any { .. }) => (enlarged(protocol), no_room),
    };
    for protocol in &sizes {
        if let Some(steps) = follow(protocol, seen, path, property) {
            let actions = Names { protocol, steps: &steps }.actions();
            let mut run = Run { protocol: named(&eager(protocol)), actions };
            if property == Property::Restarted {
                run.actions = vec![Action::Crash { miner: 0 }, Action::Restart { miner: 0 }];
            }
            run.finish(property)?;
            return Ok(run);
        }
    }
    Err(lost)
}

/// The same instance where implied messages are sent with their cause, whatever its reductions are.
fn eager(protocol: &Protocol) -> Protocol {
    Protocol { reductions: Reductions::ALL, ..protocol.clone() }
}

/// The same instance with more rounds and subrounds, the smallest first, as far as there is room.
fn enlarged(protocol: &Protocol) -> Vec<Protocol> {
    let mut sizes: Vec<(u8, u8)> =
        (1..=MAX_ROUNDS as u8).flat_map(|r| (1..=MAX_SUBROUNDS as u8).map(move |s| (r, s))).collect();
    sizes.sort_by_key(|(rounds, subrounds)| rounds + subrounds);
    let sized = |(rounds, subrounds)| {
        let mut places = Vec::new();
        for (round, subround) in (1..=rounds).flat_map(|r| (0..subrounds).map(move |s| (r, s))) {
            let of_first = protocol.blocks.of_subround(1, 0).map(|block| *protocol.blocks.place(block));
            places.extend(of_first.map(|place| crate::blocks::Place { round, subround, ..place }));
        }
        let blocks = Blocks::from_places(rounds, subrounds, &places).ok()?;
        Some(Protocol { blocks, ..protocol.clone() })
    };
    sizes.into_iter().filter_map(sized).collect()
}

/// The steps by name along `path` to a state that shows `property`.
fn follow(protocol: &Protocol, seen: Seen, path: &[Fingerprint], property: Property) -> Option<Vec<Step>> {
    let past = Past { protocol };
    let print = |state: &Kept| match seen {
        Seen::Kept => {
            let mut sorted = state.clone();
            past.normalize(&mut sorted);
            fingerprint(&past, &sorted)
        }
        Seen::Forgotten(reach) => {
            let rounds = Rounds { protocol, reach };
            fingerprint(&rounds, &rounds.forgotten(state))
        }
    };
    let fitting = |state: &Kept, at: usize| -> Vec<(Step, Kept)> {
        let Some(next) = path.get(at) else { return Vec::new() };
        let mut steps = Vec::new();
        past.steps(state, &mut steps);
        let after = steps.into_iter().map(|step| {
            let mut after = state.clone();
            past.apply(&mut after, &step);
            (step, after)
        });
        let mut fitting: Vec<(Step, Kept)> = after.filter(|(_, after)| print(after) == *next).collect();
        fitting.reverse();
        fitting
    };
    let (facts, first) = past.first();
    if path.len() == 1 {
        return facts.has(property).then(Vec::new);
    }
    let mut untried = vec![fitting(&first, 1)];
    let mut taken: Vec<Step> = Vec::new();
    while let Some(here) = untried.last_mut() {
        match here.pop() {
            Some((step, state)) => {
                taken.push(step);
                if taken.len() + 1 == path.len() && past.facts(&state).has(property) {
                    return Some(taken);
                }
                let next = fitting(&state, taken.len() + 1);
                untried.push(next);
            }
            None => {
                untried.pop();
                taken.pop();
            }
        }
    }
    None
}

/// The steps of a run of certificates, each with its round and subround.
struct Names<'a> {
    protocol: &'a Protocol,
    steps: &'a [Step],
}

/// A certificate of tickets.
#[derive(Clone, Copy)]
struct Ticketed {
    place: (u8, u8),
    block: BlockId,
    parent: BlockId,
    signers: u8,
    proposer: Option<u8>,
}

impl Names<'_> {
    fn tickets(&self) -> Vec<Ticketed> {
        let blocks = &self.protocol.blocks;
        let certificate = |step: &Step| match *step {
            Step::Ticket { block, parent, signers, proposer } => {
                let place = blocks.place(block);
                Some(Ticketed { place: (place.round, place.subround), block, parent, signers, proposer })
            }
            Step::CloseSubround | Step::Vote { .. } | Step::CloseRound => None,
        };
        let mut tickets: Vec<Ticketed> = self.steps.iter().filter_map(certificate).collect();
        // A miner that signs several tickets in a subround begins with the worst rank. The first twin is made first.
        tickets.sort_by_key(|ticket| {
            let place = blocks.place(ticket.block);
            (ticket.place, std::cmp::Reverse(place.rank), place.twin)
        });
        tickets
    }

    /// The block through which `miner` leaves `round`.
    fn exit(&self, tickets: &[Ticketed], round: u8, miner: usize) -> Option<BlockId> {
        let has = |set: u8| set >> miner & 1 == 1;
        let voted = self.steps.iter().find_map(|step| match *step {
            Step::Vote { block, voters } if self.protocol.blocks.round(block) == round && has(voters) => {
                Some(block)
            }
            Step::Ticket { .. } | Step::CloseSubround | Step::Vote { .. } | Step::CloseRound => None,
        });
        let extended = || {
            let proposed = |ticket: &&Ticketed| {
                ticket.place.0 == round + 1 && ticket.proposer.map(usize::from) == Some(miner)
            };
            tickets.iter().find(proposed).map(|ticket| ticket.parent)
        };
        let any = || tickets.iter().find(|ticket| ticket.place.0 == round).map(|ticket| ticket.block);
        voted.or_else(extended).or_else(any).filter(|block| *block != GENESIS)
    }

    fn actions(&self) -> Vec<Action> {
        let tickets = self.tickets();
        let miners = || 0..self.protocol.honest();
        let last = tickets.iter().map(|ticket| ticket.place.0).max().unwrap_or(1);
        let mut actions = Vec::new();
        for round in 1..=last {
            let of_round = || tickets.iter().filter(move |ticket| ticket.place.0 == round);
            let subrounds = of_round().map(|ticket| ticket.place.1).max().unwrap_or(0);
            for subround in 0..=subrounds {
                if subround > 0 {
                    self.enter(subround, &mut actions);
                }
                for ticket in of_round().filter(|ticket| ticket.place.1 == subround) {
                    for miner in of_mask(ticket.signers).map(|miner| miner as u8) {
                        let Ticketed { block, parent, .. } = *ticket;
                        actions.push(Action::Ticket { miner, block, parent });
                        if self.protocol.writes_before_sending() {
                            actions.push(Action::SendTicket { miner });
                        }
                    }
                }
            }
            for miner in miners() {
                if let Some(block) = self.exit(&tickets, round, miner) {
                    actions.push(Action::Leave { miner: miner as u8, block });
                }
            }
        }
        actions
    }

    /// Everybody goes on to `subround`.
    fn enter(&self, subround: u8, actions: &mut Vec<Action>) {
        let miners = || (0..self.protocol.honest()).map(|miner| miner as u8);
        actions.extend(miners().map(|miner| Action::Timeout { miner }));
        if !self.protocol.rules.enters_alone() {
            actions.extend(miners().map(|miner| Action::EnterSubround { miner, subround }));
        }
    }
}
