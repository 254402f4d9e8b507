//! The table of actions that commute: pinned, able to be otherwise, and compared with real runs.

use std::{collections::BTreeMap, fs, path::Path};
use zus_proofs::{
    bounded::Run,
    independence::{Pair, Who, pair, pairs, table, who},
    spec::{RuleChoice, Sources, Spec, load},
    structure::{Element, Interpreter, Structure},
};

fn spec() -> Spec {
    load(&Sources::embedded(), &RuleChoice::hardened()).unwrap()
}

#[test]
fn the_table_is_the_pinned_one_and_no_pair_of_a_real_run_contradicts_it() {
    let spec = spec();
    let found = pairs(&spec, 2);
    assert_eq!(
        table(&spec, &found),
        include_str!("../independence.txt"),
        "`zus-proofs independence` prints it"
    );

    let by_actions: BTreeMap<_, _> = found.iter().map(|p| ((p.first, p.second, p.who), p)).collect();
    let interpreter = Interpreter::new(&spec);
    let (mut agreed, mut dependent) = (0, 0);
    for name in ["W1", "W4", "W5", "W6"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("runs").join(format!("{name}.json"));
        let run = Run::from_json(&spec, &fs::read_to_string(file).unwrap()).unwrap();
        let states = run.replay(&interpreter).unwrap();
        for state in states.iter().step_by(5) {
            let steps = steps(&interpreter, state);
            for (at, one) in steps.iter().enumerate() {
                for other in &steps[at + 1..] {
                    let whose = who(&spec, (one.0, &one.1), (other.0, &other.1));
                    let proved: &Pair = by_actions[&(one.0, other.0, whose)];
                    let commutes = commute(&interpreter, state, one, other);
                    assert!(commutes || !proved.commutes(), "{name}: {one:?} {other:?} {proved:?}");
                    agreed += usize::from(commutes && proved.commutes());
                    dependent += usize::from(!commutes);
                }
            }
        }
    }
    // Not vacuous: both kinds are met.
    assert!(agreed > 1_000 && dependent > 100, "{agreed} {dependent}");
}

type Step = (usize, Vec<Element>);

/// The steps that change a state, in the order of the actions.
fn steps(interpreter: &Interpreter<'_>, state: &Structure) -> Vec<Step> {
    let actions = 0..interpreter.spec().actions.len();
    let instances =
        |index| interpreter.instances(state, index).into_iter().map(move |arguments| (index, arguments));
    actions.flat_map(instances).filter(|(index, a)| interpreter.changes(state, *index, a)).collect()
}

/// Whether both orders of two steps are possible and end in one state.
fn commute(interpreter: &Interpreter<'_>, state: &Structure, one: &Step, other: &Step) -> bool {
    let order = |first: &Step, second: &Step| {
        let after = interpreter.apply(state, first.0, &first.1);
        interpreter.enabled(&after, second.0, &second.1).ok()?;
        Some(interpreter.apply(&after, second.0, &second.1))
    };
    let ends = [order(one, other), order(other, one)];
    ends[0].is_some() && ends[0] == ends[1]
}

#[test]
fn a_line_of_the_table_can_be_otherwise() {
    let spec = spec();
    let commutes = |spec: &Spec, who| pair(spec, "log_ticket", "timeout", who).unwrap().commutes();
    assert!(commutes(&spec, Who::Apart) && !commutes(&spec, Who::Same));
    // Nothing but this guard makes the order of the two matter.
    let without = spec.without("guard:log_ticket/not-timed-out").unwrap();
    assert!(commutes(&without, Who::Same));
    // Nor do two miners commute whatever they do: here the vote of one takes the round from all.
    let sources = Sources::embedded();
    let from = "(guard ticketed-no-other (not (logged_other n b)))";
    let edited = sources
        .edited(from, "(guard ticketed-no-other (forall ((m miner)) (not (logged_other m b))))")
        .unwrap();
    let edited = load(&edited, &RuleChoice::hardened()).unwrap();
    let pair = |spec: &Spec| pair(spec, "log_ticket", "leave_voting", Who::Apart).unwrap().commutes();
    assert!(pair(&spec) && !pair(&edited));
}
