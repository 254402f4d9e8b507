//! Expectations that say something: what an instance does not have cannot be claimed of it, and what never comes about holds
//! of nothing.

use zus_checker::{
    committed,
    properties::{Facts, Property},
    scenario::{Change, Scenario, ScenarioError, Verdict, parse},
    search::{
        bfs::{Limits, explore},
        check::{Options, check},
    },
};

/// A scenario of these expectations.
fn scenario(head: &str, expect: &str) -> Result<Scenario, ScenarioError> {
    parse("s", "s.toml", &format!("question = \"?\"\nprofile = \"hardened\"\n{head}\n[expect]\n{expect}\n"))
}

#[test]
fn an_expectation_of_what_the_instance_does_not_have_is_refused() {
    let small =
        "n = 4\nbyzantine = 0\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"honest\"]]";
    for property in Property::every() {
        let verdict = if property.is_witness() { "unreachable" } else { "holds" };
        let read = scenario(small, &format!("{} = \"{verdict}\"", property.id()));
        let Ok(taken) = read else {
            let error = read.unwrap_err().to_string();
            assert!(error.contains(&format!("expect: {} is about ", property.id())), "{error}");
            continue;
        };
        // An accepted expectation has a subject: the property or its premises show.
        let asked: Facts = property.premises().iter().copied().chain([property]).collect();
        let e = explore(&taken.protocol, asked, None, Limits::default(), &|_| {}, &|_| {});
        assert!(!e.found.is_empty() || property.premises().is_empty(), "{}", property.id());
    }
}

#[test]
fn every_committed_scenario_that_claims_finality_claims_that_something_is_final() {
    let mut claims = 0;
    for name in committed::names() {
        let scenario = committed::scenario(name, &Change::default()).unwrap().unwrap();
        let holds =
            |p: Property| scenario.expect.iter().any(|e| e.property == p && e.verdict == Verdict::Holds);
        if holds(Property::S5) || holds(Property::S6) {
            claims += 1;
            let named = scenario
                .expect
                .iter()
                .any(|e| e.property == Property::Final && e.verdict == Verdict::Reachable);
            assert!(named, "{name} claims S5 or S6, and not that anything becomes final");
        }
        assert!(scenario.notes.len() <= 1, "{:?}", scenario.notes);
    }
    assert!(claims >= 14, "{claims}");
}

/// A rule by which votes never come, as the wrong recipe for a new rule makes one: nothing is ever final, so that no two
/// final blocks conflict. A search finds that such a *holds* is vacuous.
#[test]
fn what_holds_of_nothing_is_not_as_expected() {
    let ground = "n = 4\nbyzantine = 1\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]";
    let options = Options { limits: Limits::default(), command: "", progress: &|_| {} };
    let claims = "S2 = \"holds\"\nS5 = \"holds\"\nS6 = \"holds\"\nS10 = \"holds\"";
    let mut recipe = scenario(ground, claims).unwrap();
    assert_eq!(check(&recipe, options).standing(), Default::default(), "as long as votes come");
    // No vote is cast, and the observers wait for q of them.
    recipe.protocol.rules.finality = zus_checker::rules::FinalityRule::CommonAncestor { depth: 2 };
    let checked = check(&recipe, options);
    for finding in &checked.findings {
        let empty = finding.vacuous.as_deref();
        match finding.property {
            Property::S2 => assert_eq!(empty, None),
            _ => assert_eq!(empty, Some("nothing ever becomes final: it says nothing")),
        }
        assert_eq!(finding.found, zus_checker::search::check::Found::Holds);
    }
    assert_ne!(checked.standing(), Default::default());
    // The scenario may say so.
    let line = 1;
    recipe.expect.push(zus_checker::scenario::Expectation {
        property: Property::Final,
        verdict: Verdict::Unreachable,
        line,
    });
    let meant = check(&recipe, options);
    assert_eq!(meant.standing(), Default::default());
    assert!(meant.findings[1].vacuous.is_some(), "and is told all the same");
    // Nothing is notarized where no notarization is recorded: nothing else can be said either.
    let nothing = scenario(&format!("fault = \"NotRecorded\"\n{ground}"), claims).unwrap();
    let checked = check(&nothing, options);
    assert!(checked.findings.iter().all(|f| f.vacuous.is_some()), "{:?}", checked.findings);
    let says = checked.findings[0].vacuous.as_deref();
    assert_eq!(says, Some("no block is ever notarized: it says nothing"));
}

/// A verdict about the uniqueness of blocks takes two that can exist.
#[test]
fn uniqueness_is_not_claimed_of_a_single_block() {
    let of = |subrounds: u32, generators: &str, property: &str| {
        let head = format!(
            "n = 4\nbyzantine = 0\nrounds = 1\nsubrounds = {subrounds}\nnetwork = \"async\"\ngenerators = {generators}"
        );
        scenario(&head, &format!("{property} = \"holds\"\nfinal = \"reachable\""))
            .err()
            .map(|e| e.to_string())
    };
    let heads = "observers = 1\nn = 4\nbyzantine = 0\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\n";
    let of_heads = |generators: &str| {
        scenario(&format!("{heads}generators = {generators}"), "S7 = \"holds\"").err().map(|e| e.to_string())
    };
    let error = of_heads("[[\"honest\"]]").unwrap();
    assert!(error.contains("expect: S7 is about two blocks, between which a head could move"), "{error}");
    assert_eq!(of_heads("[[\"honest\", \"honest\"]]"), None);
    for property in ["S2", "S5", "S6", "S10"] {
        let error = of(1, "[[\"honest\"]]", property).unwrap();
        assert!(error.contains(&format!("expect: {property} is about two blocks of one ")), "{error}");
        assert_eq!(of(1, "[[\"honest\", \"honest\"]]", property), None);
        // Two subrounds are two blocks of a round, and of no subround.
        assert_eq!(of(2, "[[\"honest\"]]", property).is_some(), property == "S2");
    }
}
