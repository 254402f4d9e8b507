//! The bounded search does what the interpreter does, also where an update reads the state.

use zus_proofs::{
    bounded::{Search, Target, Universe},
    spec::{RuleChoice, Sources, Spec, load},
};

/// Each of these updates reads a state relation. A search that reads them in the initial fixed part, where every state
/// relation is empty, never snapshots a light and always finds the dark.
const LIGHTS: &str = "
(rule quorum ByzantineMajority)
(profile lights (quorum ByzantineMajority))
(sort miner)
(relation on ((m miner)) \"the light of {m} is on\")
(relation seen ((m miner)) \"the light of {m} was on when looked at\")
(relation dark ((m miner)) \"the light of {m} was off when looked at\")
(init on ((m miner)) false)
(init seen ((m miner)) false)
(init dark ((m miner)) true)
(action switch ((n miner)) \"{n} switches its light on\"
  (insert (on n)))
(action look () \"everyone looks\"
  (insert seen ((m miner)) (on m))
  (delete dark ((m miner)) (on m)))
(action look_away () \"everyone forgets the lights that are off\"
  (delete seen ((m miner)) (not (on m))))
(witness one \"one light is seen, the others are not\" (universe 1 1 1)
  (exists ((m miner)) (and (seen m) (forall ((k miner)) (=> (not (= k m)) (and (not (seen k)) (on k)))))))
(witness bright \"no light is dark\" (universe 1 1 1) (forall ((m miner)) (not (dark m))))
(witness never \"a light is seen that is not on\" (universe 1 1 1) (exists ((m miner)) (and (seen m) (not (on m)))))
(witness stale \"a light is dark that was seen\" (universe 1 1 1) (exists ((m miner)) (and (seen m) (dark m))))
";

fn actions(spec: &Spec, witness: &str) -> Option<Vec<String>> {
    let witness = spec.witnesses.iter().find(|w| w.name == witness).unwrap();
    let mut search = Search::new(spec, &Universe::of_four(1, 1, 1)).unwrap();
    let run = search.run(&witness.name, &Target::witness(witness), 8).unwrap()?;
    Some(run.events.iter().map(|e| spec.actions[e.action].name.clone()).collect())
}

#[test]
fn an_update_that_reads_the_state_is_searched_as_it_is_interpreted() {
    let spec = load(&Sources::text(LIGHTS), &RuleChoice::new("lights")).unwrap();
    // To look is not in the step in which a light is switched: it reads what that changes.
    let one = ["switch", "look", "switch", "switch", "switch"].map(String::from);
    assert_eq!(actions(&spec, "one").as_deref(), Some(&one[..]));
    let bright = ["switch", "switch", "switch", "switch", "look"].map(String::from);
    assert_eq!(actions(&spec, "bright").as_deref(), Some(&bright[..]));
    assert_eq!(actions(&spec, "never"), None);
    assert_eq!(actions(&spec, "stale"), None);
}

#[test]
fn neither_an_axiom_nor_the_initial_state_reads_the_state() {
    for (from, to) in [
        ("(init dark ((m miner)) true)", "(init dark ((m miner)) (on m))"),
        ("(action look ()", "(axiom lit \"a light is on\" (exists ((m miner)) (on m)))\n(action look ()"),
    ] {
        let sources = Sources::text(LIGHTS).edited(from, to).unwrap();
        let error = load(&sources, &RuleChoice::new("lights")).unwrap_err().to_string();
        assert!(error.contains("state relation `on`"), "{error}");
    }
}
