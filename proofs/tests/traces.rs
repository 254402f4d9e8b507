//! Traces: the committed ones replay in the model, in the specification, and show what they claim; production code's
//! traces pass the step check, and a tampered one does not.

use std::{fs, path::PathBuf};
use zus_checker::{
    action::Action,
    blocks::Generator,
    rules::{Rules, SubroundCapRule},
    trace::Trace,
};
use zus_proofs::{
    bounded::Run,
    refutations,
    spec::{RuleChoice, Sources, load},
    structure::Interpreter,
    tie::{property, replay, trace_of},
};
use zus_protocol::properties::Property;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn names() -> Vec<String> {
    let files = fs::read_dir(folder("runs")).unwrap().map(|f| f.unwrap().path());
    // The runs of the clock are in one file, and no traces: the model of the checker has no ticks.
    let runs = files.filter(|path| path.extension().is_some_and(|e| e == "json"));
    let mut names: Vec<_> =
        runs.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn every_refutation_is_a_run_of_so_many_actions_and_breaks_what_it_says() {
    for refutation in refutations::table().unwrap() {
        let spec = refutation.spec(&Sources::embedded()).unwrap();
        let text = fs::read_to_string(folder("runs").join(format!("{}.json", refutation.name))).unwrap();
        let run = Run::from_json(&spec, &text).unwrap();
        assert_eq!(run.events.len(), refutation.actions, "{}", refutation.name);
        run.check(&Interpreter::new(&spec), &refutation.target(&spec).unwrap()).unwrap();
        let restarts = run.events.iter().any(|e| spec.actions[e.action].name == "restart");
        assert_eq!(restarts, refutation.restarts, "{}", refutation.name);
    }
}

#[test]
fn every_run_is_a_trace_that_the_model_replays_with_its_claim() {
    for name in names() {
        let text = fs::read_to_string(folder("runs").join(format!("{name}.json"))).unwrap();
        let rules =
            serde_json::from_str::<serde_json::Value>(&text).unwrap()["rules"].as_str().unwrap().to_string();
        let spec = load(&Sources::embedded(), &RuleChoice::new(rules)).unwrap();
        let run = Run::from_json(&spec, &text).unwrap();
        let committed = Trace::load(&folder("traces").join(format!("{name}.json"))).unwrap();
        // The checks of `zus replay`: every guard of the model, and the claim at the end.
        committed.replay().unwrap_or_else(|error| panic!("{name}: {error}"));
        let table = refutations::table().unwrap();
        let shows = table.iter().find(|r| r.name == name).map_or(name.as_str(), |r| r.breaks.as_str());
        assert_eq!(committed.claim.as_ref().map(|c| c.property), property(shows), "{name}");
        let written = trace_of(&spec, &run, property(shows), "zus-proofs runs").unwrap();
        assert_eq!(written.to_json(), committed.to_json(), "{name}: `zus-proofs runs` writes it again");
    }
}

/// What stops the protocol although the network is synchronous, and the property that its run breaks.
const STALLED: [(&str, Property); 9] = [
    ("documented_live-L1", Property::L1),
    ("deployed_live-L1", Property::L1),
    ("no_echo-L1", Property::L1),
    ("mutant-12-L3", Property::L3),
    ("mutant-15-L1", Property::L1),
    ("mutant-18-L1", Property::L1),
    ("mutant-25-L1", Property::L1),
    ("mutant-28-L1", Property::L1),
    ("mutant-A5-L3", Property::L3),
];

fn stalled(name: &str) -> Trace {
    Trace::load(&folder("traces/stalls").join(format!("{name}.json"))).unwrap()
}

#[test]
fn every_weaker_rule_stalls_in_a_run_that_the_model_replays_and_hardened_does_not() {
    let mut capped = Vec::new();
    for (name, property) in STALLED {
        let trace = stalled(name);
        // The checks of `zus replay`: every guard of the model, and that the run ends where nothing must happen any more.
        trace.replay().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(trace.claim.as_ref().map(|claim| claim.property), Some(property), "{name}");
        let changed = trace.protocol.fault.is_some() || trace.protocol.rules != Rules::HARDENED;
        assert!(changed && trace.steps.iter().any(|step| step.action == Action::Synchronize), "{name}");
        // The control: under `hardened` the same run is none, or nothing of it is a stall.
        let mut hardened = trace.clone();
        (hardened.protocol.rules, hardened.protocol.fault) = (Rules::HARDENED, None);
        if hardened.replay().is_ok() {
            assert_eq!(trace.protocol.rules.subround_cap, SubroundCapRule::CappedAtOne, "{name}");
            capped.push(name);
            // A cap shows in the blocks alone: the last subround repeats the generators of the one before.
            let blocks = &trace.protocol.blocks;
            let of = |subround| {
                blocks.of_subround(1, subround).map(|b| blocks.place(b).generator).collect::<Vec<_>>()
            };
            assert_eq!(of(1), of(2), "{name}");
            assert!(of(1).iter().all(|generator| *generator == Generator::Byzantine), "{name}");
        }
    }
    assert_eq!(capped, ["mutant-15-L1"]);
}

#[test]
fn the_run_without_an_echo_is_drawn_in_the_readme() {
    let told = stalled("no_echo-L1").told().unwrap();
    let scene = zus_report::draw::staging::stage(&told).unwrap();
    let drawn = zus_report::mermaid::diagram(&zus_report::RunReport::drawn(&told, Some(&scene)));
    let readme = fs::read_to_string(folder("README.md")).unwrap();
    let shown = readme.split("<!-- echo -->").nth(1).expect("README.md has the drawn run");
    let shown = shown.trim().trim_start_matches("```mermaid").trim_end_matches("```");
    assert_eq!(shown.trim(), drawn.trim());
}

#[test]
fn the_specification_follows_traces_of_the_model_and_of_the_production_code() {
    let sources = Sources::embedded();
    for name in ["W1", "W2", "W4", "W5", "W8", "W9", "W10"] {
        let trace = Trace::load(&folder("traces").join(format!("{name}.json"))).unwrap();
        replay(&sources, &trace).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for name in ["hardened-W2", "hardened-W5", "hardened-W8", "hardened_restart-W6"] {
        let trace = Trace::load(&folder("../model/traces").join(format!("{name}.json"))).unwrap();
        replay(&sources, &trace).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let production = Trace::load(&folder("tests/tie/localnet.json")).unwrap();
    assert!(production.producer.tool.starts_with("localnet"));
    let replayed = replay(&sources, &production).unwrap();
    assert!(
        replayed.executed["leave_voting"] > 4 && replayed.executed["certify_finality"] > 0,
        "{replayed:?}"
    );
}

#[test]
fn a_tampered_trace_of_the_production_code_is_refused() {
    let sources = Sources::embedded();
    let whole = Trace::load(&folder("tests/tie/localnet.json")).unwrap();
    let at = |wanted: fn(&Action) -> bool| whole.steps.iter().position(|s| wanted(&s.action)).unwrap();
    let (ticket, leave) =
        (at(|a| matches!(a, Action::Ticket { .. })), at(|a| matches!(a, Action::Leave { .. })));
    // The same message twice.
    let mut twice = whole.clone();
    twice.steps.insert(ticket, whole.steps[ticket].clone());
    assert!(replay(&sources, &twice).is_err());
    // Two tickets less: q are not there.
    let mut fewer = whole.clone();
    fewer.steps.drain(ticket..ticket + 2);
    assert!(replay(&sources, &fewer).is_err());
    // Leaving before the notarization.
    let mut early = whole.clone();
    let moved = early.steps.remove(leave);
    early.steps.insert(ticket, moved);
    assert!(replay(&sources, &early).is_err());
}

#[test]
fn what_only_the_specification_refuses_is_refused_by_its_guard() {
    // The model without its guard accepts this run; a specification of the same rules with the guard does not.
    let trace = Trace::load(&folder("traces/late-better-rank.json")).unwrap();
    let spec = load(&Sources::embedded(), &RuleChoice::hardened()).unwrap();
    let tie = zus_proofs::tie::Tie::new(&spec, &trace.protocol).unwrap();
    let run: Vec<_> = trace.steps.iter().map(|s| s.action).collect();
    let states = trace.replay().unwrap().states;
    let placement = zus_proofs::tie::Placement::of_run(&trace.protocol, &states, &run).unwrap();
    let (mut image, _) = tie.initial(&placement).unwrap();
    let refused = run.iter().enumerate().find_map(|(at, action)| {
        match tie.follow(&image, &states[at], action, &states[at + 1]) {
            Ok((next, _)) => {
                image = next;
                None
            }
            Err(drift) => Some(drift.to_string()),
        }
    });
    let expected = "the model does it, the specification does not: guard `one-per-subround` of action `log_ticket` does \
                    not hold";
    assert_eq!(refused.as_deref(), Some(expected));
}
