//! The clock without each conjunct of each of its items: `parts.txt` says what is seen of it, and here the runs show it again.

use zus_proofs::{
    parts::{Ask, Fate, Parts, of_clock},
    spec::{Part, RuleChoice, Sources, load, load_without},
};

/// Lines of the pinned table: a part, and its fate.
fn pinned() -> Vec<(&'static str, &'static str)> {
    include_str!("../parts.txt").lines().map(|line| line.rsplit_once(" -> ").unwrap()).collect()
}

#[test]
fn each_part_of_the_clock_is_in_the_table() {
    let parts = of_clock(&Sources::embedded()).unwrap();
    let names: Vec<_> = parts.iter().map(Part::to_string).collect();
    assert_eq!(pinned().iter().map(|(part, _)| *part).collect::<Vec<_>>(), names);
    assert!(names.len() > 290, "{}", names.len());
}

#[test]
fn what_the_table_says_the_runs_show() {
    let sources = Sources::embedded();
    let fates = Parts::new(&sources).unwrap().fates(None, Ask::Runs, 2).unwrap();
    let shown: Vec<_> = fates.iter().map(|(_, fate)| fate.to_string()).collect();
    assert_eq!(pinned().iter().map(|(_, fate)| *fate).collect::<Vec<_>>(), shown);
    let forbids = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Forbids(_))).count();
    let stalls = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Stalls(..))).count();
    let breaks = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Breaks(..))).count();
    assert!(forbids > 100 && stalls > 30 && breaks > 30, "{forbids}, {stalls}, {breaks}");
}

#[test]
fn without_a_part_the_rest_of_its_item_stays() {
    let (sources, choice) = (Sources::embedded(), RuleChoice::new("synchronous"));
    let part = |text: &str| {
        let all = of_clock(&sources).unwrap();
        all.into_iter().find(|part| part.to_string() == text).unwrap_or_else(|| panic!("no part {text}"))
    };
    let whole = load(&sources, &choice).unwrap();
    let without = |text: &str| load_without(&sources, &choice, &part(text)).unwrap();
    // A conjunct is gone, and the obligation is there.
    let changed = without("guard:tick/receive for (up (generator b))");
    assert_eq!(changed.obligations.len(), whole.obligations.len());
    let guard = |spec: &zus_proofs::spec::Spec| {
        let guards = &spec.action("tick").unwrap().guards;
        guards.iter().find(|guard| guard.name == "receive").unwrap().formula.clone()
    };
    assert_ne!(guard(&changed), guard(&whole));
    // The whole is gone: what is to be done holds of everything.
    let lemma = without("guard:tick/receive done whole");
    assert!(lemma.lemmas.iter().any(|lemma| lemma.name == "receive"));
}
