//! Mutants: the list is what it must be, a killed one is seen as killed, and a survivor as a survivor.

use zus_checker::{
    mutants::{Executioner, Fate, Mutant, committed_mutants, parse},
    properties::Property,
    search::{
        bfs::Limits,
        check::{Found, Options, Standing},
    },
};

fn options(states: u64) -> Options<'static> {
    Options { limits: Limits { states, ..Limits::default() }, command: "cargo test", progress: &|_| {} }
}

fn row(id: &str, scenario: &str, property: &str, rules: &str) -> String {
    format!(
        "[[mutant]]\nid = \"{id}\"\nname = \"?\"\nevidence = \"?\"\nscenario = \"{scenario}\"\n\
         property = \"{property}\"\nrules = {{ {rules} }}\n"
    )
}

/// The same of a mistake.
fn fault(id: &str, scenario: &str, property: &str, fault: &str) -> String {
    row(id, scenario, property, "").replace("rules = {  }", &format!("fault = \"{fault}\""))
}

fn one(text: &str) -> Mutant {
    parse("m.toml", text).unwrap_or_else(|error| panic!("{error}")).remove(0)
}

fn ran(text: &str) -> Fate {
    Executioner::default().run(&one(text), options(50_000))
}

#[test]
fn the_committed_mutants_are_those_of_block_production() {
    let mutants = committed_mutants().unwrap_or_else(|error| panic!("{error}"));
    let ids: Vec<&str> = mutants.iter().map(|m| m.id.as_str()).collect();
    for id in [
        "2", "3", "4", "5", "6", "7", "8", "9", "12", "15", "18", "20", "22", "23", "25", "28", "31", "32",
        "35", "37", "38", "39", "A1", "A2", "A3", "A4", "A5", "A6", "A7",
    ] {
        assert!(ids.contains(&id), "{id} is not in {ids:?}");
    }
}

#[test]
fn a_mutant_is_killed_by_its_property_with_a_run_that_replays() {
    let mutant = one(&row("x", "one_subround", "S2", "ticket = \"BetterOrEqualRank\""));
    let result = Executioner::default().run(&mutant, options(50_000));
    assert_eq!(
        (result.standing, result.found, result.baseline),
        (Standing::AsExpected, Found::Violated, Found::Holds)
    );
    let trace = result.trace.unwrap();
    assert_eq!(trace.claim.as_ref().unwrap().property, Property::S2);
    trace.replay().unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_mutant_that_survives_is_a_failure() {
    // An unverified seed lets an outsider's block be ticketed (S4), but each miner signs one.
    let result = ran(&fault("x", "one_subround", "S2", "SeedFromProposal"));
    assert_eq!((result.standing, result.found), (Standing::Differs, Found::Holds));
    assert_eq!(result.why.as_deref(), Some("it survives"));
}

#[test]
fn a_mutant_that_breaks_another_property_than_its_own_is_a_failure() {
    // Two tickets of a miner break S2 where the rule allows them, but never S8.
    let result = ran(&row("x", "one_subround", "S8", "ticket = \"BetterOrEqualRank\""));
    assert_eq!(result.standing, Standing::Differs);
    assert!(result.why.as_ref().unwrap().starts_with("it breaks S2"), "{:?}", result.why);
}

#[test]
fn a_mutant_whose_scenario_shows_the_violation_anyway_is_a_failure() {
    // Under a chained beacon miners disagree on it for a while (S9), whatever is relayed.
    let result = ran(&row("x", "good_period_chained", "S9", "echo = \"None\""));
    assert_eq!((result.standing, result.found), (Standing::Differs, Found::Violated));
    assert_eq!(result.why.as_deref(), Some("without the change S9 is violated, and should be holds"));
}

#[test]
fn a_mutant_that_a_bound_saves_is_incomplete() {
    let mutant = one(&fault("x", "one_round", "S6", "VotesAfterOtherTicket"));
    let result = Executioner::default().run(&mutant, options(100));
    assert_eq!((result.standing, result.found), (Standing::Incomplete, Found::Unknown));
}

#[test]
fn a_bad_list_is_refused_with_line_field_and_fix() {
    let good = row("x", "one_subround", "S2", "ticket = \"BetterRank\"");
    for (what, text, said) in [
        ("an empty list", String::new(), "m.toml:1: mutant: there is no mutant"),
        ("two of one id", format!("{good}{good}"), "m.toml:9: id: there are two mutants `x`"),
        ("no change", row("x", "one_subround", "S2", ""), "m.toml:7: rules: mutant `x` changes no rule"),
        (
            "a rule and a mistake",
            row("x", "one_subround", "S2", "ticket = \"BetterRank\"") + "fault = \"QuorumOneLess\"\n",
            "m.toml:2: rules: mutant `x` needs either `rules` or `fault`",
        ),
        (
            "a mistake that cannot matter",
            fault("x", "one_subround", "S2", "VotesVolatile"),
            "m.toml:7: fault: it changes nothing: no miner restarts",
        ),
        (
            "a witness",
            row("x", "one_subround", "W2", "echo = \"None\""),
            "m.toml:6: property: W2 is a witness",
        ),
        (
            "a rule that the scenario has already",
            row("x", "one_subround", "S2", "ticket = \"OncePerSubround\""),
            "m.toml:7: rules.ticket: it changes nothing: it is that of `one_subround` already",
        ),
        (
            "a rule that cannot matter",
            row("x", "one_subround", "S2", "ticket = \"BetterRank\", ticket_log = \"Volatile\""),
            "m.toml:7: rules.ticket_log: it changes nothing: no miner restarts",
        ),
        (
            "a property of nobody",
            row("x", "one_subround", "S7", "ticket = \"BetterRank\""),
            "m.toml:6: property: S7 is about an observer",
        ),
        (
            "no scenario",
            row("x", "none", "S2", "echo = \"None\""),
            "m.toml:5: scenario: there is no scenario `none`",
        ),
        (
            "an unknown rule",
            row("x", "one_subround", "S2", "voting = 1"),
            "m.toml:7: mutant.rules: unknown field `voting`",
        ),
        (
            "an unknown field",
            good.replace("evidence", "proof"),
            "m.toml:4: mutant.proof: unknown field `proof`",
        ),
    ] {
        let error = parse("m.toml", &text).expect_err(what).to_string();
        assert!(error.starts_with(said) && error.contains("\n  fix: "), "{what}: {error}");
    }
}
