//! The key generation as a [`stateright::Model`].

use super::{
    instance::Instance,
    members::Members,
    properties::{Property, conditions},
    state::{Branch, State},
    steps::Action,
    transcript::{Phase, Record, Transcript},
};
use stateright::Model;
use std::collections::HashSet;
use zus_protocol::ids::MinerId;

/// A search through an instance.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// The instance.
    pub instance: Instance,
    /// The names that honest members may take from each other: each order of them. Empty in a plain search.
    pub orders: Vec<Vec<MinerId>>,
}

impl Exploration {
    /// A search that keeps every state under its own names.
    pub fn plain(instance: Instance) -> Exploration {
        Exploration { instance, orders: Vec::new() }
    }

    /// A search that keeps one state of those that differ only in the names of honest members, or of the two branches. That is
    /// exact: rules and properties do not ask which of them it is, and the adversary may treat each as any other. Prompt members
    /// exchange names among themselves.
    pub fn up_to_names(instance: Instance) -> Exploration {
        let mut orders = orders(instance.honest().count());
        orders.retain(|names| instance.prompt.renamed(names) == instance.prompt);
        Exploration { instance, orders }
    }

    /// The state that stands for `state`.
    pub fn kept(&self, state: State) -> State {
        let named = self.orders.iter().map(|names| renamed(&state, names, &self.instance.dealings));
        if state.tips == [None; 2] {
            return named.min().unwrap_or(state);
        }
        let both_ways = named.flat_map(|state| [turned(&state), state]);
        both_ways.min().unwrap_or(state)
    }

    /// Everything that anybody could do, enabled or not. Items are looked at only on chains in their phase.
    fn candidates(&self, state: &State) -> Vec<Action> {
        let instance = &self.instance;
        let mut all = vec![Action::Fork, Action::NextAttempt];
        for on in [Branch::Final, Branch::Left, Branch::Right] {
            let Some(transcript) = state.transcript(on) else { continue };
            all.extend([Action::Deadline { on }, Action::Finalize { on }]);
            match transcript.phase {
                Phase::Registering => {
                    all.extend(instance.all().iter().map(|member| Action::Register { on, member }));
                }
                Phase::Dealing => {
                    all.push(Action::SkipSettling { on });
                    all.extend(instance.dealings.iter().map(|&fits| Action::ByzantineDeal { on, fits }));
                    all.extend(instance.honest().iter().map(|dealer| Action::Deal { on, dealer }));
                }
                Phase::Settling => all.extend(self.settlements(state, on)),
                Phase::Readying => all.extend(self.ready_statements(transcript, on)),
                Phase::Complete | Phase::Failed => {
                    all.extend(instance.honest().iter().map(|member| Action::EraseEarly { on, member }));
                }
            }
        }
        for member in instance.honest().iter() {
            let [store, conclude] = [Action::Store { member }, Action::Conclude { member }];
            all.extend([Action::DealAgain { dealer: member }, store, conclude]);
            all.extend([Action::Crash { member }, Action::Restart { member }]);
        }
        all
    }

    /// The settlements that somebody could make, or bring on a chain.
    fn settlements(&self, state: &State, on: Branch) -> Vec<Action> {
        let mut all = Vec::new();
        for revealed in self.instance.honest().subsets() {
            all.extend([true, false].map(|right| Action::ByzantineSettle { on, revealed, right }));
        }
        for dealer in self.instance.honest().iter() {
            let sent = state.sent.settlements_of(dealer);
            all.extend(sent.map(|revealed| Action::IncludeSettlement { on, dealer, revealed }));
            let others = self.instance.all().without(Members::only(dealer));
            all.extend(others.subsets().map(|revealed| Action::Settle { on, dealer, revealed }));
        }
        all
    }

    /// The ready statements that somebody could make, or bring on a chain.
    fn ready_statements(&self, transcript: &Transcript, on: Branch) -> Vec<Action> {
        let mut all = vec![Action::ByzantineReady { on }];
        for member in self.instance.honest().iter() {
            all.push(Action::IncludeReady { on, member });
            for summed in self.instance.sums(transcript, member) {
                let believed = self.instance.believed_thresholds(transcript.members.count()).into_iter();
                all.extend(believed.map(|threshold| Action::SayReady { on, member, summed, threshold }));
            }
        }
        all
    }

    /// The steps that may happen in `state`.
    pub fn steps(&self, state: &State) -> Vec<Action> {
        let mut steps = self.candidates(state);
        steps.retain(|step| self.instance.enabled(state, step).is_ok());
        steps
    }

    /// A shortest run to a state that shows `property`. It has one name for each member from its first step to its last: of states
    /// that are the same up to names, the one that was found first is followed.
    pub fn shortest(&self, property: Property) -> Option<Vec<Action>> {
        let first = self.instance.initial();
        let mut reached: Vec<(State, Option<(usize, Action)>)> = vec![(first, None)];
        let mut known: HashSet<State> = [self.kept(first)].into();
        let mut at = 0;
        while let Some(&(state, _)) = reached.get(at) {
            if self.instance.shows(&state, property) {
                return Some(run_to(&reached, at));
            }
            for step in self.steps(&state) {
                let mut next = state;
                self.instance.apply(&mut next, &step);
                if known.insert(self.kept(next)) {
                    reached.push((next, Some((at, step))));
                }
            }
            at += 1;
        }
        None
    }
}

/// The steps to a state that a search reached.
fn run_to(reached: &[(State, Option<(usize, Action)>)], mut at: usize) -> Vec<Action> {
    let mut run = Vec::new();
    while let Some((_, Some((before, step)))) = reached.get(at) {
        run.push(*step);
        at = *before;
    }
    run.reverse();
    run
}

impl Model for Exploration {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.kept(self.instance.initial())]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(self.steps(state));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        self.instance.apply(&mut next, &action);
        Some(self.kept(next))
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        conditions()
    }
}

impl Property {
    /// The property of that id.
    pub fn of_id(id: &str) -> Option<Property> {
        Property::ALL.iter().copied().find(|property| property.id() == id)
    }
}

/// Every order of the members `0..n`.
fn orders(n: usize) -> Vec<Vec<MinerId>> {
    let Some(last) = n.checked_sub(1) else { return vec![Vec::new()] };
    let inserted = |order: Vec<MinerId>| {
        (0..n).map(move |at| {
            let mut longer = order.clone();
            longer.insert(at, MinerId(last as u16));
            longer
        })
    };
    orders(last).into_iter().flat_map(inserted).collect()
}

/// The values of an array, each at the place of the new name of its member.
fn moved<T: Copy>(values: &[T; Members::MOST], names: &[MinerId]) -> [T; Members::MOST] {
    let mut moved = *values;
    for (value, name) in values.iter().zip(names) {
        moved[usize::from(name.0)] = *value;
    }
    moved
}

/// A transcript under other names of its honest members.
fn renamed_transcript(transcript: &Transcript, names: &[MinerId]) -> Transcript {
    let mut it = *transcript;
    it.members = it.members.renamed(names);
    it.registered = it.registered.renamed(names);
    it.ready = it.ready.renamed(names);
    for dealt in it.dealings.iter_mut().flatten() {
        dealt.fits = dealt.fits.renamed(names);
    }
    for settled in it.settlements.iter_mut().flatten() {
        settled.revealed = settled.revealed.renamed(names);
    }
    it.dealings = moved(&it.dealings, names);
    it.settlements = moved(&it.settlements, names);
    it
}

/// A state under other names of its honest members. The dealings of which receipts were signed are named by their places.
fn renamed(state: &State, names: &[MinerId], dealings: &[Members]) -> State {
    let mut it = *state;
    it.chain = renamed_transcript(&it.chain, names);
    it.tips = it.tips.map(|tip| tip.map(|tip| renamed_transcript(&tip, names)));
    for member in &mut it.honest {
        for key in member.keys.iter_mut().flatten() {
            key.record = renamed_record(key.record, names);
            key.summed = key.summed.renamed(names);
        }
        member.keys.sort();
    }
    it.honest = moved(&it.honest, names);
    for revealed in it.sent.settlements.iter_mut().flatten().flatten() {
        *revealed = revealed.renamed(names);
    }
    it.sent.settlements.iter_mut().for_each(|sent| sent.sort());
    it.sent.settlements = moved(&it.sent.settlements, names);
    for record in it.sent.ready.iter_mut().flatten().flatten() {
        *record = renamed_record(*record, names);
    }
    it.sent.ready.iter_mut().for_each(|sent| sent.sort());
    it.sent.ready = moved(&it.sent.ready, names);
    it.sent.dealt_again = it.sent.dealt_again.renamed(names);
    it.sent.receipted = renamed_places(it.sent.receipted, names, dealings);
    it.receipts_before = it.receipts_before.renamed(names);
    it.dealt_before = it.dealt_before.renamed(names);
    it.crashed = it
        .crashed
        .map(|(member, phase)| (names.get(usize::from(member.0)).copied().unwrap_or(member), phase));
    it
}

/// A state with its two branches exchanged.
fn turned(state: &State) -> State {
    let mut it = *state;
    it.tips.swap(0, 1);
    it.honest.iter_mut().for_each(|member| member.settled_on.swap(1, 2));
    it
}

/// A record under other names of its honest members.
fn renamed_record(record: Record, names: &[MinerId]) -> Record {
    Record {
        members: record.members.renamed(names),
        qualified: record.qualified.renamed(names),
        dealing: record.dealing.renamed(names),
    }
}

/// The places of the dealings at `places` under other names.
fn renamed_places(places: u16, names: &[MinerId], dealings: &[Members]) -> u16 {
    let at = |dealing: &Members| dealings.iter().position(|known| *known == dealing.renamed(names));
    let held = dealings.iter().enumerate().filter(|(place, _)| places & 1 << place != 0);
    held.filter_map(|(_, dealing)| at(dealing)).fold(0, |places, place| places | 1 << place)
}
