//! The search: every state, and backwards from those in which the chain goes on.
//!
//! "Dead" is a question about all continuations of a state, not about the state. So the search keeps its steps, and then marks each state from which
//! some continuation goes on. The others are dead.

use super::{
    state::{Branch, Instance, MEMBERS, QUORUM, State, Tips},
    steps::Action,
};
use std::collections::HashMap;

macro_rules! properties {
    ($($property:ident $id:literal $text:literal;)*) => {
        /// A property of the boundary, or a witness.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum BoundaryProperty { $(#[doc = $text] $property,)* }

        impl BoundaryProperty {
            /// All of them: those that must never break, then the witnesses.
            pub const ALL: &[BoundaryProperty] = &[$(BoundaryProperty::$property),*];

            /// Its id.
            pub const fn id(self) -> &'static str {
                match self { $(BoundaryProperty::$property => $id,)* }
            }

            /// Its sentence.
            pub const fn text(self) -> &'static str {
                match self { $(BoundaryProperty::$property => $text,)* }
            }
        }
    };
}

properties! {
    Deadlock "E5 deadlock" "no dead state has n - K + 1 miners without a way to the record, since they know both tips of each round";
    Split "E5 split" "no dead state has n - K + 1 miners with the record under the block of one branch, and as many under that of the other";
    Mixed "E5 mixed" "no state is dead by the two kinds of miners together, too few of each";
    GoesOn "goes on" "K miners can accept one block of the first round that needs the record";
    BothTips "both tips" "both branches have a notarized block in each round that needs no record";
}

impl BoundaryProperty {
    /// Whether it is something that must be reachable, not something that must never happen.
    pub const fn is_witness(self) -> bool {
        match self {
            BoundaryProperty::Deadlock | BoundaryProperty::Split | BoundaryProperty::Mixed => false,
            BoundaryProperty::GoesOn | BoundaryProperty::BothTips => true,
        }
    }
}

/// The answer of a search.
#[derive(Clone, Debug)]
pub struct Found {
    /// Unique states, up to the names of the miners.
    pub states: usize,
    /// Dead states.
    pub dead: usize,
    /// For each property that some state shows: how many do, and a shortest run to one.
    pub shown: Vec<(BoundaryProperty, usize, Vec<Action>)>,
}

impl Found {
    /// The states that show `property`, and a shortest run to one.
    pub fn of(&self, property: BoundaryProperty) -> Option<(usize, &[Action])> {
        let found = self.shown.iter().find(|(shown, ..)| *shown == property)?;
        Some((found.1, &found.2))
    }
}

impl Instance {
    /// Whether a miner never has the record: it knows both tips of each round that it could evaluate, and nobody gives it the record.
    pub fn is_barred(&self, state: &State, miner: usize) -> bool {
        let it = &state.miners[miner];
        let rounds = 1..usize::from(self.rounds);
        it.record.is_none()
            && it.tips[rounds].iter().all(|tips| *tips == Tips::BOTH)
            && !self.enabled(state, &Action::Fetch { miner })
    }

    /// Whether `state` shows `property`; `dead` says whether it is dead.
    pub fn shows(&self, state: &State, dead: bool, property: BoundaryProperty) -> bool {
        let enough = MEMBERS - QUORUM + 1;
        let barred = (0..MEMBERS).filter(|miner| self.is_barred(state, *miner)).count();
        let with = |branch| state.miners.iter().filter(|miner| miner.record == Some(branch)).count();
        let (locked, split) = (barred >= enough, with(Branch::A) >= enough && with(Branch::B) >= enough);
        match property {
            BoundaryProperty::Deadlock => dead && locked,
            BoundaryProperty::Split => dead && split,
            BoundaryProperty::Mixed => dead && !locked && !split,
            BoundaryProperty::GoesOn => self.goes_on(state),
            BoundaryProperty::BothTips => {
                state.notarized[..usize::from(self.rounds)].iter().all(|tips| *tips == Tips::BOTH)
            }
        }
    }

    /// Explores everything. A run ends where the chain goes on.
    pub fn explore(&self) -> Found {
        let start = State::default();
        let mut reached: Vec<(State, u32, Option<Action>)> = vec![(start, 0, None)];
        let mut known: HashMap<State, u32> = HashMap::from([(self.sorted(start), 0)]);
        // A step that leads to a state which was known before, from and to; the first one to each state is in `reached`.
        let mut others: Vec<(u32, u32)> = Vec::new();
        let mut at = 0;
        while let Some(&(state, ..)) = reached.get(at) {
            if !self.goes_on(&state) {
                for step in self.steps(&state) {
                    let mut next = state;
                    self.apply(&mut next, &step);
                    let new = reached.len() as u32;
                    let to = *known.entry(self.sorted(next)).or_insert(new);
                    if to == new {
                        reached.push((next, at as u32, Some(step)));
                    } else {
                        others.push((at as u32, to));
                    }
                }
            }
            at += 1;
        }
        drop(known);
        let alive = self.alive(&reached, &others);
        let last = usize::from(self.rounds) - 1;
        let dead = |at: usize| !alive[at] && reached[at].0.notarized[last] != Tips::NONE;
        let mut shown = Vec::new();
        for property in BoundaryProperty::ALL.iter().copied() {
            let mut those = (0..reached.len()).filter(|&at| self.shows(&reached[at].0, dead(at), property));
            if let Some(first) = those.next() {
                shown.push((property, 1 + those.count(), run_to(&reached, first)));
            }
        }
        Found { states: reached.len(), dead: (0..reached.len()).filter(|&at| dead(at)).count(), shown }
    }

    /// The states from which some continuation goes on.
    fn alive(&self, reached: &[(State, u32, Option<Action>)], others: &[(u32, u32)]) -> Vec<bool> {
        let mut before: Vec<Vec<u32>> = vec![Vec::new(); reached.len()];
        for (at, (_, from, _)) in reached.iter().enumerate().skip(1) {
            before[at].push(*from);
        }
        others.iter().for_each(|&(from, to)| before[to as usize].push(from));
        let mut alive: Vec<bool> = reached.iter().map(|(state, ..)| self.goes_on(state)).collect();
        let mut open: Vec<usize> = (0..alive.len()).filter(|&at| alive[at]).collect();
        while let Some(at) = open.pop() {
            for &from in &before[at] {
                if !std::mem::replace(&mut alive[from as usize], true) {
                    open.push(from as usize);
                }
            }
        }
        alive
    }
}

/// The steps to a state that a search reached.
fn run_to(reached: &[(State, u32, Option<Action>)], mut at: usize) -> Vec<Action> {
    let mut run = Vec::new();
    while let (_, before, Some(step)) = reached[at] {
        run.push(step);
        at = before as usize;
    }
    run.reverse();
    run
}
