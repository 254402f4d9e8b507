//! The specification as a [`stateright::Model`], within bounds.
//!
//! The specification has no bounds, so a search needs some. They cut runs off and add none: what a search shows of a
//! violation or a witness is a run of the specification.

use crate::{
    block::{Block, Generator},
    instance::{Crashes, Instance},
    state::State,
    steps::Action,
};
use stateright::Model;
use zus_protocol::{
    ids::{Round, Subround},
    properties::Property,
};

/// How far a search goes.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Rounds: `1..=rounds`.
    pub rounds: Round,
    /// Subrounds of each round: `0..subrounds`.
    pub subrounds: u32,
    /// Blocks of a Byzantine generator in one subround.
    pub twins: u8,
    /// Crashes of honest miners.
    pub crashes: u32,
    /// Rounds at the end that only a synchronous network reaches.
    pub reserved_rounds: u64,
    /// Subrounds at the end of each round that only a synchronous network reaches.
    pub reserved_subrounds: u32,
    /// Whether the adversary forms beacon values. They change nothing but S11 and W10.
    pub beacon_values: bool,
}

impl Bounds {
    /// So many rounds and subrounds; two blocks of a Byzantine generator in each subround, and no crash.
    pub fn new(rounds: u64, subrounds: u32) -> Bounds {
        Bounds {
            rounds: Round(rounds),
            subrounds,
            twins: 2,
            crashes: 0,
            reserved_rounds: 0,
            reserved_subrounds: 0,
            beacon_values: false,
        }
    }

    /// The last subround.
    pub fn last_subround(&self) -> Subround {
        Subround(self.subrounds.saturating_sub(1))
    }

    /// The last round that is reached while the network is asynchronous.
    pub fn unreserved_rounds(&self) -> Round {
        Round(self.rounds.0.saturating_sub(self.reserved_rounds))
    }

    /// The last (round, subround) in which miners act in `state`.
    fn last(&self, state: &State) -> (Round, Subround) {
        if state.synchronous.is_some() {
            (self.rounds, self.last_subround())
        } else {
            (
                self.unreserved_rounds(),
                Subround(self.last_subround().0.saturating_sub(self.reserved_subrounds)),
            )
        }
    }

    /// The blocks that can exist within the bounds, in order.
    pub fn blocks(&self, instance: &Instance) -> Vec<Block> {
        let mut blocks = Vec::new();
        for round in (1..=self.rounds.0).map(Round) {
            for subround in (0..self.subrounds).map(Subround) {
                for first in instance.places(round, subround) {
                    let most = match first.generator {
                        Generator::Byzantine => self.twins,
                        // The guard of the proposal says whether there is a second one.
                        Generator::Honest => 2,
                        Generator::Outsider => 1,
                    };
                    blocks.extend((0..most).map(|twin| Block { twin, ..first }));
                }
            }
        }
        blocks
    }

    /// Whether a search within these bounds takes `action`.
    pub fn allow(&self, state: &State, action: &Action) -> bool {
        use Action as A;
        let (last_round, last_subround) = self.last(state);
        match *action {
            A::ShareBeacon { miner } => {
                // In a good period every miner owes its share, in the round after the last one, too.
                state.synchronous.is_some() || state.miner(miner).round <= last_round
            }
            A::BelieveSeed { miner }
            | A::Propose { miner, .. }
            | A::Select { miner, .. }
            | A::Ticket { miner, .. }
            | A::SendTicket { miner }
            | A::Leave { miner, .. }
            | A::VoteWithoutLeaving { miner, .. }
            | A::LeaveRelabelled { miner, .. }
            | A::Adopt { miner, .. } => state.miner(miner).round <= last_round,
            A::Timeout { miner } => {
                let m = state.miner(miner);
                m.round <= last_round && m.subround < last_subround
            }
            A::EnterSubround { miner, subround } => {
                state.miner(miner).round <= last_round && subround <= last_subround
            }
            A::FormBeacon { .. } => self.beacon_values,
            A::Crash { .. } => state.history.crashes < self.crashes,
            A::ByzantinePropose { .. }
            | A::ByzantineTicket { .. }
            | A::Notarize { .. }
            | A::ByzantineVote { .. }
            | A::ByzantineTimeout { .. }
            | A::Finalize { .. }
            | A::Restart { .. }
            | A::RestartBehind { .. }
            | A::Synchronize => true,
        }
    }

    /// Everything that anybody could do within the bounds, enabled or not, in the order of the steps.
    fn candidates(&self, instance: &Instance, state: &State) -> Vec<Action> {
        let mut all = Vec::new();
        let blocks = self.blocks(instance);
        let rounds = (1..=self.rounds.0).map(Round);
        let subrounds = (0..self.subrounds).map(Subround);
        all.extend(rounds.clone().map(|round| Action::FormBeacon { round }));
        for miner in instance.honest() {
            all.extend([
                Action::ShareBeacon { miner },
                Action::BelieveSeed { miner },
                Action::SendTicket { miner },
                Action::Timeout { miner },
            ]);
            all.extend(subrounds.clone().map(|subround| Action::EnterSubround { miner, subround }));
            match instance.crashes {
                Crashes::Never => {}
                Crashes::Restart | Crashes::RestartBehind => all.extend([
                    Action::Crash { miner },
                    Action::Restart { miner },
                    Action::RestartBehind { miner },
                ]),
            }
            for &block in &blocks {
                all.push(Action::Propose { miner, block });
                if state.proposed(&block) {
                    all.extend([Action::Select { miner, block }, Action::Ticket { miner, block }]);
                }
                if state.notarized(&block) {
                    all.extend([
                        Action::Leave { miner, block },
                        Action::VoteWithoutLeaving { miner, block },
                        Action::LeaveRelabelled { miner, block },
                        Action::Adopt { miner, block },
                    ]);
                }
            }
        }
        for &block in &blocks {
            if state.proposed(&block) {
                all.push(Action::Notarize { block });
                all.extend((0..instance.observers).map(|observer| Action::Finalize { observer, block }));
                for member in instance.byzantine() {
                    all.push(Action::ByzantineTicket { member, block });
                    all.push(Action::ByzantineVote { member, block });
                }
            } else {
                let parents = state.sent.blocks.keys().copied().chain([state.floor]);
                all.extend(parents.map(|parent| Action::ByzantinePropose { block, parent }));
            }
        }
        for member in instance.byzantine() {
            for round in rounds.clone() {
                let timeout = |subround| Action::ByzantineTimeout { member, round, subround };
                all.extend(subrounds.clone().map(timeout));
            }
        }
        all.push(Action::Synchronize);
        all
    }
}

/// A search through an instance.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// The instance.
    pub instance: Instance,
    /// How far the search goes.
    pub bounds: Bounds,
    /// The steps of a run at whose end the search begins; none for the initial state.
    pub from: Vec<Action>,
}

impl Exploration {
    /// From the initial state on.
    pub fn new(instance: Instance, bounds: Bounds) -> Self {
        Exploration { instance, bounds, from: Vec::new() }
    }

    /// Whether `state` shows `property` ([`Instance::shows`], [`Instance::stalled`]).
    pub fn shows(&self, state: &State, property: Property) -> bool {
        self.instance.shows(state, property) || self.instance.stalled(state, &self.bounds, property)
    }

    /// The steps that may happen in `state`, within the bounds.
    pub fn steps(&self, state: &State) -> Vec<Action> {
        let mut steps = self.bounds.candidates(&self.instance, state);
        steps.retain(|step| self.bounds.allow(state, step) && self.instance.enabled(state, step).is_ok());
        steps
    }
}

/// A property as Stateright has it. Liveness is an invariant of the states in which fair runs end (`good_period`), since
/// Stateright's `eventually` is unsound where paths join.
macro_rules! conditions {
    ($($property:ident)*) => {
        fn condition(property: Property) -> stateright::Property<Exploration> {
            match property {
                $(Property::$property => {
                    let name = Property::$property.id();
                    if Property::$property.is_witness() {
                        stateright::Property::sometimes(name, |m: &Exploration, s| m.shows(s, Property::$property))
                    } else {
                        stateright::Property::always(name, |m: &Exploration, s| !m.shows(s, Property::$property))
                    }
                })*
            }
        }
    };
}

zus_protocol::every_property!(conditions);

/// Every property of PROTOCOL.md is asked, and every premise.
impl Model for Exploration {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut state = self.instance.initial();
        for step in &self.from {
            self.instance.apply(&mut state, step);
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(self.steps(state));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        self.instance.apply(&mut next, &action);
        Some(next)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        Property::every().map(condition).collect()
    }
}
