//! The boundary under the deployed rules: two ways in which the chain ends, and the changes under which it does not.

use stateright::{Checker, Model, Property};
use std::collections::BTreeSet;
use zus_epochs::boundary::{
    Action, BoundaryProperty as P, BoundaryRules, Found, Instance, State,
    rules::{EvaluationRule, GuardRule, RecordFromRule, SameRecordRule, TipsRule},
};

const DEPLOYED: BoundaryRules = BoundaryRules::DEPLOYED;
const IMMEDIATE: BoundaryRules = BoundaryRules { evaluation: EvaluationRule::Immediate, ..DEPLOYED };
const RECORD_HASH: BoundaryRules = BoundaryRules { guard: GuardRule::RecordHash, ..DEPLOYED };
const ONE_RANK: BoundaryRules = BoundaryRules { tips: TipsRule::OfOneRank, ..DEPLOYED };

/// States of a kind, and the steps of the shortest run to one.
type Kind = Option<(usize, usize)>;

/// States and dead states; then the deadlocks and splits, each with the steps of the shortest run to one.
fn counts(found: &Found) -> (usize, usize, Kind, Kind) {
    let of = |property| found.of(property).map(|(count, run)| (count, run.len()));
    (found.states, found.dead, of(P::Deadlock), of(P::Split))
}

/// A number with its digits in groups: `134,959`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8(groups.join(&b',')).unwrap_or_default()
}

#[test]
fn the_deployed_rules_have_runs_to_a_deadlock_and_to_a_split() {
    let found = Instance::new(DEPLOYED).explore();
    assert_eq!(counts(&found), (238_379, 8_078, Some((964, 42)), Some((546, 31))));
    let docs = include_str!("../../src/boundary/mod.rs");
    let count = |property| found.of(property).map_or(0, |(count, _)| count);
    let cells = [found.states, found.dead, count(P::Deadlock), count(P::Split), count(P::Mixed)];
    let row = format!("| deployed | {} |", cells.map(grouped).join(" | "));
    assert!(docs.contains(&row), "not in the documentation: {row}");
    let told = |property: P| {
        let (_, run) = found.of(property).expect("a run");
        format!("{} ({}):\n{}\n", property.id(), property.text(), Instance::new(DEPLOYED).tell(run))
    };
    let told = [P::Deadlock, P::Split].map(told).join("\n");
    crate::committed("tests/boundary/runs.txt", &told);
}

#[test]
fn immediate_evaluation_mends_the_deadlock_and_not_the_split() {
    let found = Instance::new(IMMEDIATE).explore();
    assert_eq!(counts(&found), (7_533, 546, None, Some((546, 27))));
}

/// The same record under two blocks is one record: no split. Then all that is dead is a deadlock.
#[test]
fn a_guard_that_compares_records_mends_the_split_and_not_the_deadlock() {
    let found = Instance { rounds: 3, ..Instance::new(RECORD_HASH) }.explore();
    assert_eq!(counts(&found), (19_972, 156, Some((156, 31)), None));
    assert!(found.of(P::Mixed).is_none());
}

#[test]
fn both_changes_together_leave_no_dead_state() {
    let found = Instance::new(BoundaryRules { guard: GuardRule::RecordHash, ..IMMEDIATE }).explore();
    assert_eq!(counts(&found), (7_518, 0, None, None));
    assert!(found.of(P::GoesOn).is_some() && found.of(P::BothTips).is_some());
}

#[test]
fn tips_of_one_rank_leave_no_dead_state() {
    let found = Instance::new(ONE_RANK).explore();
    assert_eq!(counts(&found), (2_643, 0, None, None));
    assert!(found.of(P::GoesOn).is_some() && found.of(P::BothTips).is_none());
}

/// Without the guard nothing is dead: the new committee begins before the record is final, which breaks E1 (VC11).
#[test]
fn without_the_guard_nothing_is_dead() {
    let free = BoundaryRules { guard: GuardRule::Nothing, ..DEPLOYED };
    assert_eq!(Instance { rounds: 3, ..Instance::new(free) }.explore().dead, 0);
}

/// A sharder that has the record ends the deadlock, and with a guard that compares records there is no dead state.
#[test]
fn a_sharder_with_the_record_mends_the_deadlock_and_not_the_split() {
    let asked = |rules: BoundaryRules| {
        let rules = BoundaryRules { record_from: RecordFromRule::Sharder, ..rules };
        Instance { rounds: 3, ..Instance::new(rules) }.explore()
    };
    let found = asked(DEPLOYED);
    assert!(found.of(P::Deadlock).is_none() && found.of(P::Split).is_some());
    assert_eq!(asked(RECORD_HASH).dead, 0);
}

/// A miner that takes the hash of a later block is split from the others in the last round.
#[test]
fn to_replace_the_hash_does_not_mend_the_split() {
    let later = BoundaryRules { same_record: SameRecordRule::Replaces, ..IMMEDIATE };
    let found = Instance { rounds: 3, ..Instance::new(later) }.explore();
    assert!(found.of(P::Deadlock).is_none() && found.of(P::Split).is_some());
}

/// The model with the names of its miners, for Stateright.
#[derive(Clone)]
struct Named(Instance);

impl Model for Named {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if !self.0.goes_on(state) {
            actions.extend(self.0.steps(state));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        self.0.apply(&mut next, &action);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("never ends", |_, _| true)]
    }
}

/// The states without names are those of a search by another program that keeps the names.
#[test]
fn miners_are_alike() {
    let instance = Instance { rounds: 2, ..Instance::new(DEPLOYED) };
    let (recorder, named) = stateright::StateRecorder::new_with_accessor();
    let _ = Named(instance).checker().visitor(recorder).spawn_bfs().join();
    let named: BTreeSet<State> = named().into_iter().collect();
    let sorted: BTreeSet<State> = named.iter().map(|state| instance.sorted(*state)).collect();
    assert!(named.len() > 4 * sorted.len());
    assert_eq!(sorted.len(), instance.explore().states);
}

/// A dead state is dead: a search from its end, which forgets the way to it, never comes to a state in which the chain goes on.
#[test]
fn a_search_from_a_dead_state_ends_without_success() {
    let instance = Instance { rounds: 3, ..Instance::new(DEPLOYED) };
    let found = instance.explore();
    let goes_on_from = |run: &[Action]| {
        let mut state = State::default();
        for action in run {
            assert!(instance.enabled(&state, action), "{action:?}");
            instance.apply(&mut state, action);
        }
        let (mut open, mut known) = (vec![state], BTreeSet::from([state]));
        while let Some(state) = open.pop() {
            if instance.goes_on(&state) {
                return true;
            }
            for step in instance.steps(&state) {
                let mut next = state;
                instance.apply(&mut next, &step);
                if known.insert(next) {
                    open.push(next);
                }
            }
        }
        false
    };
    for property in [P::Deadlock, P::Split, P::Mixed] {
        let (_, run) = found.of(property).expect("a run");
        assert!(!goes_on_from(run), "{}", property.id());
    }
    // The last step of the shortest run to a dead state seals it.
    let runs = [P::Deadlock, P::Split, P::Mixed].map(|property| found.of(property).expect("a run").1);
    let first = runs.into_iter().min_by_key(|run| run.len()).expect("a run");
    assert!(goes_on_from(&first[..first.len() - 1]));
}

/// The page has each value, the deployed one first, with the kinds of dead states that it has.
#[test]
fn the_page_says_what_each_value_has() {
    let (mut rule, mut shown) = (String::new(), Vec::new());
    for row in crate::page::rows("The deployed boundary") {
        let value = row[1].split([' ', ':']).next().unwrap_or_default();
        if !row[0].is_empty() {
            rule.clone_from(&row[0]);
            assert_eq!(row[2], "deadlock, split", "{rule}: the deployed value");
            assert!(row[1].contains("(deployed)"), "{rule}");
            let deployed = serde_json::to_value(DEPLOYED).expect("rules");
            assert_eq!(deployed[&rule].as_str(), Some(value));
            continue;
        }
        let name = format!("{rule} = {value}");
        let rules = DEPLOYED.changes().into_iter().find(|(known, _)| *known == name);
        let (_, rules) = rules.unwrap_or_else(|| panic!("no value {name}"));
        let found = Instance { rounds: 3, ..Instance::new(rules) }.explore();
        let kinds = [(P::Deadlock, "deadlock"), (P::Split, "split")];
        let kinds: Vec<&str> =
            kinds.into_iter().filter(|(kind, _)| found.of(*kind).is_some()).map(|(_, name)| name).collect();
        assert_eq!(row[2], if kinds.is_empty() { "none".into() } else { kinds.join(", ") }, "{name}");
        shown.push(name);
    }
    assert_eq!(shown, DEPLOYED.changes().into_iter().map(|(name, _)| name).collect::<Vec<_>>());
}

/// Every other value of every rule is judged above.
#[test]
fn every_value_is_judged() {
    let judged = [
        "evaluation = Immediate",
        "guard = RecordHash",
        "guard = Nothing",
        "same_record = Replaces",
        "record_from = Sharder",
        "tips = OfOneRank",
    ];
    let names: Vec<String> = DEPLOYED.changes().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, judged);
}
