//! Two engines answer for scenarios. Where both can, they agree, in verdicts and in the length of runs; a report says of each
//! verdict which of them gave it and why the other one did not; and what certificates cannot answer for is refused.

use crate::program::{text, zus_in};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path};
use zus_checker::{
    certificates::{Reach, answers},
    committed,
    mutants::committed_mutants,
    properties::{Facts, Property},
    protocol::Reductions,
    scenario::{Change, Engine, Scenario, parse},
    search::{
        bfs::Limits,
        check::{Checked, Found, Method, Options, Standing, check, exhaust},
    },
};

fn options(states: u64) -> Options<'static> {
    Options { limits: Limits { states, ..Limits::default() }, command: "cargo test", progress: &|_| {} }
}

/// Of each property that certificates answer for: the verdict, and the steps of its run. Where messages of Byzantine members or
/// proposals are explicit, sending one is a step, and the explicit search has longer runs.
fn answered(checked: &Checked) -> BTreeMap<Property, (Found, Option<usize>)> {
    let Reductions { byzantine_available, eager, .. } = checked.scenario.protocol.reductions;
    let available = byzantine_available && eager;
    let of = checked.findings.iter().filter(|finding| answers(finding.property));
    of.map(|f| {
        (f.property, (f.found, f.trace.as_ref().map(|trace| if available { trace.steps.len() } else { 0 })))
    })
    .collect()
}

fn by(scenario: &Scenario, engine: Engine) -> Scenario {
    scenario.clone().by(engine).unwrap_or_else(|why| panic!("{}: {why:?}", scenario.name))
}

/// Every run is a run, and shows what it claims.
fn replayed(checked: &Checked) -> usize {
    let traces = checked.findings.iter().filter_map(|finding| finding.trace.as_ref());
    let replayed = traces.map(|trace| trace.replay().unwrap_or_else(|error| panic!("{error}")).states.len());
    replayed.filter(|states| *states > 1).count()
}

/// Larger than this, the explicit search of a scenario is left to `zus check`.
const MOST_STATES: u64 = 60_000;

#[test]
fn both_engines_agree_on_every_committed_scenario() {
    let (mut compared, mut verdicts, mut runs) = (Vec::new(), 0, 0);
    for name in committed::names() {
        let scenario = committed::scenario(name, &Change::default()).unwrap().unwrap();
        let Ok(certified) = scenario.clone().by(Engine::Certificates) else { continue };
        if certified.choice.reach != Reach::Bounded {
            continue;
        }
        let steps = check(&by(&scenario, Engine::Explicit), options(MOST_STATES));
        if !matches!(steps.main().method, Method::Exhausted | Method::AllFound) {
            continue;
        }
        let certified = check(&certified, options(MOST_STATES));
        let (certified, steps) = (answered(&certified), answered(&steps));
        assert_eq!(certified, steps, "{name}");
        verdicts += certified.len();
        runs += certified.values().filter(|(_, length)| length.is_some()).count();
        compared.push(name);
    }
    println!("{compared:?}: {verdicts} verdicts, {runs} runs");
    assert!(compared.len() >= 15 && verdicts >= 40 && runs >= 20, "{compared:?}: {verdicts}, {runs}");
}

/// A mutant is killed by whichever engine answers for it, by the same property, with a run of the same length.
#[test]
fn both_engines_kill_the_same_mutants_by_the_same_property() {
    let (mut killed, mut left) = (Vec::new(), BTreeMap::new());
    for mutant in committed_mutants().unwrap() {
        let asked: Facts = std::iter::once(mutant.property).collect();
        let alone = |scenario: &Scenario| {
            let mut scenario = scenario.clone();
            scenario.expect.retain(|e| e.property == mutant.property);
            scenario
        };
        let (mutated, baseline) = (alone(&mutant.mutated), alone(&mutant.baseline));
        let certified = match mutated.clone().by(Engine::Certificates) {
            Ok(certified) => certified,
            Err(unsupported) => {
                left.insert(mutant.id, unsupported.why);
                continue;
            }
        };
        let of = |scenario: &Scenario| answered(&exhaust(scenario, asked, asked, options(1_000_000)));
        let found = of(&certified);
        assert_eq!(found, of(&by(&mutated, Engine::Explicit)), "mutant {}", mutant.id);
        assert!(matches!(found[&mutant.property], (Found::Violated, Some(_))), "mutant {}", mutant.id);
        let whole = |scenario: &Scenario| answered(&check(scenario, options(1_000_000)));
        let base = whole(&by(&baseline, Engine::Certificates));
        assert_eq!(base, whole(&by(&baseline, Engine::Explicit)), "without mutant {}", mutant.id);
        assert_eq!(base[&mutant.property], (Found::Holds, None), "without mutant {}", mutant.id);
        killed.push(mutant.id);
    }
    assert_eq!(killed, ["2", "3", "5", "35", "37", "A1", "A1b", "A3"]);
    println!("{left:#?}");
    assert_eq!(killed.len() + left.len(), committed_mutants().unwrap().len());
}

/// A scenario of any number of rounds with those lines more.
fn any_rounds(more: &str, expect: &str) -> String {
    format!(
        "question = \"?\"\nprofile = \"hardened\"\nn = 4\nrounds = \"any\"\nsubrounds = \"any\"\nnetwork = \"async\"\n\
         generators = [[\"byzantine\", \"honest\"]]\n{more}\n[expect]\n{expect}\n"
    )
}

#[test]
fn any_number_of_rounds_is_a_verdict_of_its_own() {
    let scenario = |idle| {
        parse(
            "s",
            "s.toml",
            &any_rounds(&format!("idle_blocks = {idle}"), "S2 = \"holds\"\nS5 = \"holds\"\nS6 = \"holds\""),
        )
    };
    for (idle, states) in [(2, 54), (3, 74)] {
        let checked = check(&scenario(idle).unwrap(), options(MOST_STATES));
        assert_eq!((checked.standing(), checked.main().unique), (Standing::AsExpected, states));
        for finding in &checked.findings {
            assert_eq!((finding.found, finding.answer.by), (Found::HoldsAnyRounds, Engine::Certificates));
            // It means something: these came about in the same search, in runs of the specification.
            let beside: Vec<_> = finding.beside.iter().map(|b| (b.property.id(), b.steps.unwrap())).collect();
            assert_eq!(beside, [("notarized", 2), ("child", 6), ("final", 5), ("W1", 6), ("W2", 8)]);
            assert_eq!(finding.vacuous, None);
        }
    }
    // A longer search finds nothing new, and fewer idle blocks are refused.
    let error = scenario(1).unwrap_err().to_string();
    assert!(
        error
            .starts_with("s.toml:8: idle_blocks: 1 is out of range; with fewer than 2 violations are missed"),
        "{error}"
    );
}

#[test]
fn what_any_number_of_rounds_needs_is_a_premise() {
    let scenario = parse("s", "s.toml", &any_rounds("", "S2 = \"holds\"\nW2 = \"reachable\"")).unwrap();
    let premises = |property| scenario.premises_of(property).collect::<Vec<_>>();
    assert_eq!(premises(Property::S2), [Property::Notarized, Property::Child, Property::W1, Property::W2]);
    assert_eq!(premises(Property::W2), [Property::Notarized, Property::Child, Property::W1]);
    assert_eq!(premises(Property::Final), []);
}

/// Under three rounds nothing is final at depth 3, so that S5 says nothing, whichever engine is asked.
#[test]
fn a_verdict_of_certificates_about_nothing_says_so() {
    let shallow = "question = \"?\"\nprofile = \"deployed\"\nn = 4\nbyzantine = 0\nrounds = 2\nsubrounds = 2\nnetwork = \"async\"\n\
        generators = [[\"honest\"]]\nengine = \"certificates\"\n[rules]\nbeacon = \"RoundOnly\"\n[expect]\nS5 = \"holds\"\n";
    let scenario = parse("s", "s.toml", shallow).unwrap_or_else(|error| panic!("{error}"));
    let checked = check(&scenario, options(MOST_STATES));
    let finding = &checked.findings[0];
    assert_eq!((finding.found, finding.answer.by), (Found::Holds, Engine::Certificates));
    assert_eq!(finding.standing, Standing::Differs);
    assert_eq!(finding.vacuous.as_deref(), Some("nothing ever becomes final: it says nothing"));
    assert!(finding.beside.iter().all(|b| b.property != Property::Final));
}

#[test]
fn what_breaks_over_any_number_of_rounds_is_a_run_of_the_specification() {
    for (more, broken) in [
        ("fault = \"VotesAfterOtherTicket\"", Property::S6),
        ("fault = \"QuorumOneLess\"", Property::S2),
        ("[rules]\nfinality = \"TwoThirds\"", Property::S5),
        ("[rules]\nticket = \"BetterOrEqualRank\"", Property::S2),
    ] {
        let text = any_rounds(more, &format!("{} = \"violated\"", broken.id()));
        let scenario = parse("s", "s.toml", &text).unwrap_or_else(|error| panic!("{more}: {error}"));
        let checked = check(&scenario, options(MOST_STATES));
        assert_eq!(checked.standing(), Standing::AsExpected, "{more}");
        assert_eq!(replayed(&checked), 1, "{more}");
        // As short as the explicit search has it.
        let bounded =
            text.replace("rounds = \"any\"", "rounds = 2").replace("subrounds = \"any\"", "subrounds = 2");
        let explicit = check(&parse("s", "s.toml", &bounded).unwrap(), options(1_000_000));
        let length = |checked: &Checked| checked.findings[0].trace.as_ref().unwrap().steps.len();
        assert_eq!(length(&checked), length(&explicit), "{more}");
    }
}

fn json(arguments: &[&str], scenario: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), scenario).unwrap();
    let output = zus_in(folder.path(), &[&["check", "s.toml", "--format", "json"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

const MIXED: &str = "question = \"?\"\nprofile = \"hardened\"\nn = 4\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\n\
    generators = [[\"byzantine\"]]\n[expect]\nS1 = \"holds\"\nS2 = \"holds\"\nW7 = \"reachable\"\nfinal = \"reachable\"\n";

#[test]
fn a_report_says_of_every_property_which_engine_answered_and_why_the_other_did_not() {
    let engines = |report: &Value| -> Vec<(String, String, String)> {
        let of = |p: &Value, key: &str| p[key].as_str().unwrap_or_default().to_owned();
        let properties = report["scenarios"][0]["properties"].as_array().unwrap();
        properties.iter().map(|p| (of(p, "property"), of(p, "engine"), of(p, "not_other_engine"))).collect()
    };
    let single = "it is about single signatures, and certificates have just enough of them";
    for (arguments, scenario, by, why) in [
        (&[][..], MIXED.to_owned(), "explicit", "no engine is named, and then it is the explicit search"),
        (&["--engine", "explicit"], MIXED.to_owned(), "explicit", "--engine asks for the explicit search"),
        (&["--engine", "certificates"], MIXED.to_owned(), "certificates", "--engine asks for certificates"),
        (
            &[],
            MIXED.replace("[expect]", "engine = \"certificates\"\n[expect]"),
            "certificates",
            "the scenario asks for certificates",
        ),
    ] {
        let report = json(arguments, &scenario);
        let row = |id: &str, by: &str, why: &str| (id.to_owned(), by.to_owned(), why.to_owned());
        let expected = [
            row("S1", "explicit", single),
            row("S2", by, why),
            row("W7", "explicit", single),
            row("final", by, why),
        ];
        assert_eq!(engines(&report), expected, "{arguments:?}");
        // Two searches, each with its states; the figures of the scenario are those of the explicit one.
        let scenario = &report["scenarios"][0];
        let searches = scenario["searches"].as_array().map_or(0, Vec::len);
        assert_eq!(searches, if by == "certificates" { 2 } else { 0 });
        assert_eq!(scenario["engine"], "explicit");
        if by == "certificates" {
            assert_eq!(scenario["searches"][0]["unique"], scenario["unique"]);
            assert_eq!(scenario["searches"][1]["engine"], "certificates");
            let beside = &scenario["properties"][1]["beside"];
            assert!(
                beside.as_array().is_some_and(|beside| beside.iter().any(|b| b["property"] == "W2")),
                "{beside}"
            );
        }
    }
}

#[test]
fn the_verdict_for_any_number_of_rounds_is_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s.toml"), any_rounds("", "S2 = \"holds\"\nW2 = \"reachable\"")).unwrap();
    let scope = "for n = 4, any rounds, any subrounds, at most 2 idle blocks";
    for (form, said) in [
        (
            "text",
            format!("S2 holds {scope} (beside notarized in 2, child in 6, final in 5, W1 in 6, W2 in 8)"),
        ),
        ("markdown", format!("**holds {scope}** S2 (by certificates, beside notarized in 2")),
        ("json", "\"found\": \"holds_any_rounds\"".into()),
        ("json", "\"idle_blocks\": 2".into()),
    ] {
        let output = zus_in(folder.path(), &["check", "s.toml", "--format", form]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(&said), "{form}: {said} in {}", text(&output.stdout));
    }
    let output = zus_in(folder.path(), &["check", "s.toml", "-v"]);
    for said in [
        "any rounds, any subrounds, at most 2 idle blocks, async",
        "S2  holds for any rounds",
        "certificates, every state: 54 unique states",
        "S2, W2 by certificates, not by the explicit search: a search of single steps has no end",
        "they are not exact",
    ] {
        assert!(text(&output.stdout).contains(said), "{said} in {}", text(&output.stdout));
    }
}

/// Scenarios and options that certificates do not answer for: exit code 2, with the place, the reason and a fix.
#[test]
fn what_certificates_cannot_answer_for_is_refused_with_the_reason() {
    let any = |more: &str, expect: &str| any_rounds(more, expect);
    let holds = "S2 = \"holds\"";
    let named = |text: &str| text.replace("[expect]", "engine = \"certificates\"\n[expect]");
    let live = MIXED.replace("async", "partially_synchronous").replace("subrounds = 2", "subrounds = 3");
    let live = live.replace("W7 = \"reachable\"\n", "").replace("rounds = 1\n", "rounds = 2\n");
    for (arguments, scenario, said) in [
        (
            &[][..],
            any("engine = \"explicit\"", holds),
            "s.toml:8: engine: a search of single steps has no end",
        ),
        (
            &["--engine", "explicit"],
            any("", holds),
            "s.toml: the engine `explicit` is no answer for it: a search of single steps",
        ),
        (
            &[],
            any("", "S1 = \"holds\"\nS2 = \"holds\""),
            "s.toml:10: expect: certificates do not answer for S1: it is about single",
        ),
        (&[], any("simulate = 10", holds), "s.toml:8: simulate: random runs are runs of single steps"),
        (&[], any("idle_blocks = 9", holds), "s.toml:8: idle_blocks: 9 is out of range"),
        (
            &[],
            any("", holds).replace("subrounds = \"any\"", "subrounds = 2"),
            "s.toml:4: rounds: any number of rounds goes with",
        ),
        (
            &[],
            any("", holds).replace("rounds = \"any\"", "rounds = \"all\""),
            "invalid value: string \"all\", expected a number, or \"any\"",
        ),
        (
            &[],
            any("[rules]\nbeacon = \"Chained\"", holds),
            "s.toml:4: rounds: certificates are no answer here: under `Chained`",
        ),
        (
            &[],
            any("[rules]\nfinality = { CommonAncestor = { depth = 1 } }", holds),
            "s.toml:4: rounds: certificates are no answer here: a block becomes final through others",
        ),
        (
            &[],
            any("", holds).replace("\"honest\"]]", "\"honest\"], [\"honest\"]]"),
            "s.toml:4: rounds: certificates are no answer here: the generators of subrounds differ",
        ),
        (
            &[],
            MIXED.replace("[expect]", "idle_blocks = 2\n[expect]"),
            "s.toml:8: idle_blocks: it changes nothing",
        ),
        (&[], named(&live), "engine: certificates are no answer here: once the network is synchronous"),
        (
            &["--engine", "certificates"],
            live.clone(),
            "s.toml: the engine `certificates` is no answer for it: once the network is synchronous",
        ),
        (
            &[],
            named(MIXED).replace("S2 = \"holds\"\n", "").replace("final = \"reachable\"\n", ""),
            "engine: certificates answer for S2, S3",
        ),
        (
            &[],
            named(MIXED)
                .replace("S1 = \"holds\"\n", "")
                .replace("W7 = \"reachable\"\n", "")
                .replace("[expect]", "[reductions]\nsymmetry = false\n[expect]"),
            "reductions: it changes nothing",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("s.toml"), &scenario).unwrap();
        let output = zus_in(folder.path(), &[&["check", "s.toml"], arguments].concat());
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}: {error}{}", text(&output.stdout));
        assert!(error.contains(said) && error.contains("\n  fix: "), "{said} in {error}");
    }
    let output = zus_in(Path::new("."), &["simulate", "any_rounds", "--runs", "10"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`explicit` is no answer"), "{}", text(&output.stderr));
}

#[test]
fn a_run_over_any_number_of_rounds_is_written_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = zus_in(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    run(&["check", "any_rounds_wrong_vote", "--out", "out"]);
    for property in ["S5", "S6", "W1", "W2"] {
        let trace = format!("out/traces/any_rounds_wrong_vote-{property}.json");
        assert!(run(&["replay", &trace]).contains(property));
        assert!(run(&["draw", &trace, "--format", "mermaid"]).starts_with("sequenceDiagram"));
    }
}

#[test]
fn the_large_scenarios_are_as_they_expect_and_are_checked_only_when_they_are_asked_for() {
    let large: Vec<&str> = committed::large().collect();
    assert!(large.len() >= 3 && committed::names().all(|name| !large.contains(&name)), "{large:?}");
    let output = zus_in(Path::new("."), &["check", "--large"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let lines = text(&output.stdout).lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(lines, large.len());
    // By its name below the folder of scenarios, as the others.
    let one = zus_in(Path::new("."), &["check", large[0]]);
    assert_eq!(one.status.code(), Some(0), "{}", text(&one.stderr));
    assert_eq!(zus_in(Path::new("."), &["check", "--large", "hardened"]).status.code(), Some(2));
}

/// After a bound the report has the command that goes on best.
#[test]
fn a_search_that_hit_a_bound_names_the_next_command() {
    let next = |arguments: &[&str]| {
        let output = zus_in(Path::new("."), &[&["check", "-q"], arguments].concat());
        assert_eq!(output.status.code(), Some(3), "{}", text(&output.stdout));
        let said = text(&output.stdout);
        let line = said.lines().find_map(|line| line.trim().strip_prefix("Next: ").map(str::to_owned));
        line.unwrap_or_else(|| panic!("{said}"))
    };
    // Certificates answer for what is open.
    let certified = next(&["hardened_3_rounds", "--max-states", "2000"]);
    assert_eq!(certified, "zus check hardened_3_rounds --engine certificates  # it answers for S2, S5, S6");
    // They do not, and no end is in sight; then there is one.
    let far = next(&["hardened_n7_live", "--max-states", "2000"]);
    assert_eq!(far, "zus simulate hardened_n7_live  # no end is in sight");
    let near = next(&["hardened_n7_live", "--max-states", "60000"]);
    assert!(near.starts_with("zus check hardened_n7_live --max-states ") && near.ends_with("MiB"), "{near}");
    let words: Vec<&str> = near.split_whitespace().skip(1).collect();
    assert_eq!(zus_in(Path::new("."), &words).status.code(), Some(0), "{near} ends");
}
