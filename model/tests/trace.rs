//! The trace format: what is written is read again, a run is a run, and what is none is refused with the step and the
//! guard.

use std::{collections::BTreeSet, fs, path::PathBuf};
use zus_checker::{
    action::{Action, Blocked, Guard},
    committed,
    properties::Property,
    scenario::{Change, Verdict},
    search::{
        bfs::Limits,
        check::{Options, check},
    },
    trace::{Claim, CodeFault, ReplayError, Trace, TraceError},
};

/// The traces of a small committed scenario.
fn traces_of(name: &str) -> Vec<Trace> {
    let scenario = committed::scenario(name, &Change::default()).unwrap().unwrap();
    let command = format!("zus check {name} --out out");
    let options = Options { limits: Limits::default(), command: &command, progress: &|_| {} };
    check(&scenario, options).findings.into_iter().filter_map(|f| f.trace).collect()
}

fn late_better_rank() -> Trace {
    traces_of("late_better_rank").into_iter().next().unwrap()
}

fn read(text: &str) -> Result<Trace, TraceError> {
    Trace::from_json("t.json", text)
}

/// The program that writes the examples.
#[path = "../examples/traces.rs"]
#[allow(dead_code, reason = "its main function")]
mod examples;
use examples::EXAMPLES;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/traces");

fn committed_traces() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(FOLDER).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn the_committed_examples_are_those_that_the_program_writes() {
    let named: BTreeSet<PathBuf> =
        EXAMPLES.iter().map(|(name, of)| PathBuf::from(FOLDER).join(examples::file(name, *of))).collect();
    assert_eq!(named, committed_traces().into_iter().collect());
    for (name, property) in EXAMPLES {
        let file = examples::file(name, *property);
        let written = examples::trace(name, *property).unwrap_or_else(|error| panic!("{error}"));
        let committed = fs::read_to_string(PathBuf::from(FOLDER).join(&file)).unwrap();
        let again = "cargo run --release -p zus-model --example traces";
        assert!(written.to_json() == committed, "{file} is not what `{again}` writes");
    }
}

#[test]
fn the_committed_traces_are_runs_and_show_what_they_claim() {
    let paths = committed_traces();
    assert_eq!(paths.len(), EXAMPLES.len(), "{paths:?}");
    for path in paths {
        let trace = Trace::load(&path).unwrap_or_else(|error| panic!("{error}"));
        let replayed = trace.replay().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // The words in the file are those of today, and the file is what would be written today.
        for (step, sentence) in trace.steps.iter().zip(&replayed.sentences) {
            assert_eq!(step.says.as_ref(), Some(sentence), "{}", path.display());
        }
        let claim = trace.claim.as_ref().unwrap();
        let explained = replayed
            .states
            .iter()
            .rev()
            .take(2)
            .find_map(|state| trace.protocol.explain(state, claim.property));
        assert_eq!(Some(&claim.because), explained.as_ref(), "{}", path.display());
        assert_eq!(trace.to_json(), fs::read_to_string(&path).unwrap(), "{}", path.display());
    }
}

#[test]
fn what_is_written_is_read_again() {
    for name in [
        "late_better_rank",
        "documented_live",
        "deployed_live",
        "amnesia",
        "percent66_n50",
        "two_delta_async",
    ] {
        for trace in traces_of(name) {
            let text = trace.to_json();
            let again = read(&text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(again.to_json(), text);
            assert_eq!(again.steps, trace.steps);
            assert_eq!(again.claim, trace.claim);
            again.replay().unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

/// A trace of before there were exposed members has none; and what says how many is judged.
#[test]
fn exposed_members_are_optional_and_at_most_f() {
    let trace = Trace::load(&PathBuf::from(FOLDER).join("exposed_f_plus_one-S11.json")).unwrap();
    assert_eq!(trace.protocol.committee.exposed, 1);
    trace.replay().unwrap_or_else(|error| panic!("{error}"));
    let text = trace.to_json();
    let exposed = "    \"exposed\": 1,\n";
    assert!(text.contains(exposed), "{text}");
    // Nobody exposed: Byzantine miner 0 alone does not reach t = 2, so the step is none.
    let before = read(&text.replace(exposed, "")).unwrap();
    assert_eq!(before.protocol.committee.exposed, 0);
    assert!(!before.to_json().contains("exposed\":"));
    assert!(matches!(
        before.replay(),
        Err(ReplayError::Blocked { step: 1, guard: Blocked::Guard(Guard::NotInRules), .. })
    ));
    // With t = n - f the step has too few shares.
    let right = read(&text.replace("\"beacon_threshold\": 2", "\"beacon_threshold\": 3")).unwrap();
    assert!(matches!(
        right.replay(),
        Err(ReplayError::Blocked { step: 1, guard: Blocked::Guard(Guard::BeaconUnknown), .. })
    ));
    let refused = read(&text.replace(exposed, "    \"exposed\": 2,\n")).unwrap_err().to_string();
    assert!(refused.contains("instance.exposed: 2 exposed members"), "{refused}");
}

#[test]
fn a_step_that_may_not_happen_is_named_with_its_guard() {
    let honest = late_better_rank();
    let refused = |change: &dyn Fn(&mut Vec<zus_checker::trace::Step>)| {
        let mut trace = honest.clone();
        change(&mut trace.steps);
        trace.replay().unwrap_err()
    };
    let guard = |error: ReplayError| match error {
        ReplayError::Blocked { step, guard, .. } => (step, guard),
        ReplayError::NotShown { .. } => panic!("{error}"),
    };
    // The second ticket of a miner, for the better block, comes first: then the other one is for no better block.
    let miner = |at: usize| match honest.steps[at].action {
        Action::Ticket { miner, .. } => Some(miner),
        _ => None,
    };
    let twice = |first: usize| {
        (first + 1..honest.steps.len())
            .find(|&second| miner(first).is_some() && miner(second) == miner(first))
    };
    let (first, second) = (0..honest.steps.len()).find_map(|first| Some((first, twice(first)?))).unwrap();
    assert_eq!(
        guard(refused(&|steps| steps.swap(first, second))),
        (second + 1, Blocked::Guard(Guard::TicketRule))
    );
    let before = |steps: &mut Vec<zus_checker::trace::Step>| steps.insert(0, steps[second].clone());
    assert_eq!(guard(refused(&before)), (first + 2, Blocked::Guard(Guard::TicketRule)));
    let nobody = |steps: &mut Vec<zus_checker::trace::Step>| {
        if let Action::Ticket { miner, .. } = &mut steps[1].action {
            *miner = 9;
        }
    };
    assert_eq!(guard(refused(&nobody)), (2, Blocked::Guard(Guard::NoSuch)));
    let early = |steps: &mut Vec<zus_checker::trace::Step>| {
        let Action::Ticket { block, .. } = steps[0].action else { return };
        steps[0].action = Action::Leave { miner: 0, block };
    };
    assert_eq!(guard(refused(&early)), (1, Blocked::Guard(Guard::NotNotarized)));
    let down = |steps: &mut Vec<zus_checker::trace::Step>| steps[3].action = Action::Restart { miner: 1 };
    assert_eq!(guard(refused(&down)), (4, Blocked::Guard(Guard::Up)));
    let said = refused(&|steps| steps.swap(first, second)).to_string();
    let step = format!("step {} may not happen: miner 0 tickets B(1,0)#1", second + 1);
    assert!(said.starts_with(&step), "{said}");
    assert!(
        said.contains(r#"action: {"do":"ticket","miner":0,"block":"B(1,0)#1","parent":"genesis"}"#),
        "{said}"
    );
}

/// Nobody has checked them, also where production code did what the model forbids.
#[test]
fn the_words_of_a_file_are_never_told() {
    let lie = || Some("it is a lie".to_owned());
    let mut trace = late_better_rank();
    trace.claim.as_mut().unwrap().because = "it is a lie".into();
    trace.steps.iter_mut().for_each(|step| step.says = lie());
    let told = trace.told().unwrap();
    let says = |trace: &Trace| trace.steps.iter().map(|step| step.says.clone().unwrap()).collect::<Vec<_>>();
    assert!(
        says(&told).iter().all(|says| !says.contains("lie") && says.contains("miner")),
        "{:?}",
        says(&told)
    );
    assert!(told.claim.unwrap().because.starts_with("S2: "));
    // A step that happened may not happen again.
    trace.claim = None;
    let fault = CodeFault { kind: "disabled".into(), because: "found".into() };
    trace.finding = Some(fault.clone());
    trace.steps.push(trace.steps[0].clone());
    let told = trace.told().unwrap();
    let last = says(&told).pop().unwrap();
    assert!(last.starts_with("production does, and may not: miner 0 tickets B(1,0)#1"), "{last}");
    assert_eq!((told.steps.len(), told.finding), (trace.steps.len(), Some(fault)));
}

#[test]
fn a_claim_that_the_run_does_not_show_is_refused() {
    let mut trace = late_better_rank();
    trace.steps.pop();
    let refused = trace.replay().unwrap_err();
    assert_eq!(
        refused,
        ReplayError::NotShown { steps: 5, property: Property::S2, verdict: Verdict::Violated }
    );
    let mut trace = late_better_rank();
    for property in Property::ALL {
        let verdict = zus_checker::trace::shown_verdict(*property);
        trace.claim = Some(Claim { property: *property, verdict, because: "I say so".into() });
        // One more ticket for a better block keeps the rule that allows it, and convicts nobody; who signed both never votes.
        let shown =
            matches!(property, Property::S2 | Property::S5 | Property::S10 | Property::W4 | Property::W9);
        let replays = trace.replay().is_ok();
        assert!(replays || !matches!(property, Property::S2), "{}", property.id());
        assert!(shown || !replays, "{} is claimed and not shown", property.id());
    }
}

#[test]
fn a_text_that_is_no_trace_is_refused_with_its_line() {
    let good = late_better_rank().to_json();
    let steps = good.lines().position(|l| l.contains("\"steps\"")).unwrap() + 1;
    for (what, from, to, said) in [
        ("no JSON", "{\n", "[\n", "t.json:2: expected"),
        ("another version", "\"version\": 1", "\"version\": 2", "t.json:3: this is \"zus-trace\", version 2"),
        ("another format", "zus-trace", "zus-report", "t.json:2: this is \"zus-report\", version 1"),
        ("an unknown field", "\"scenario\": ", "\"scene\": ", "t.json:8: unknown field `scene`"),
        ("an unknown field of the instance", "\"quorum\": 3", "\"q\": 3", "unknown field `q`"),
        ("another quorum", "\"quorum\": 3", "\"quorum\": 2", ": instance.quorum: 2, but the rule gives 3"),
        ("another f", "\"f\": 1", "\"f\": 2", ": instance.f: 2, but n = 4 tolerates 1"),
        ("too many members", "\"n\": 4", "\"n\": 64", ": instance.n: a committee of 64"),
        ("too few members", "\"byzantine\": 0", "\"byzantine\": 1", ": instance.honest: "),
        ("too many rounds", "\"rounds\": 1", "\"rounds\": 200", ": instance.rounds: 200 is out of range"),
        (
            "no good period",
            "\"reserved_rounds\": 0",
            "\"reserved_rounds\": 1",
            ": instance.reserved_rounds: this network has no good period",
        ),
        ("too many observers", "\"observers\": 0", "\"observers\": 3", ": instance.observers: 3 is too many"),
        ("a block out of its place", "\"rank\": 0", "\"rank\": 7", ": instance.blocks: "),
        ("a rule that is none", "\"RoundOnly\"", "\"Rounds\"", "unknown variant `Rounds`"),
        (
            "a witness that is violated",
            "\"violated\"",
            "\"reachable\"",
            ": claim.verdict: S2 cannot be shown to be `reachable`",
        ),
        (
            "an action that is none",
            "\"do\":\"ticket\"",
            "\"do\":\"tickle\"",
            ": steps, step 1: unknown variant `tickle`",
        ),
        ("an action with a field too many", "\"miner\":0", "\"miner\":0,\"x\":1", ": steps, step 1: "),
        (
            "a block that is none",
            "\"block\":\"B(1,0)#1\"",
            "\"block\":\"B(9,0)#1\"",
            ": steps, step 1: `block`: the instance has no block",
        ),
        (
            "no beacon share",
            "\"beacon_threshold\": 3",
            "\"beacon_threshold\": 0",
            ": instance.beacon_threshold: 0 shares",
        ),
        (
            "too many shares",
            "\"beacon_threshold\": 3",
            "\"beacon_threshold\": 5",
            ": instance.beacon_threshold: 5 shares",
        ),
        ("too many restarts", "\"restarts\": 0", "\"restarts\": 16", ": instance.restarts: 16 is too many"),
        (
            "nobody who could be behind",
            "\"restarts\": 0",
            "\"restarts\": 0,\n    \"restarts_behind\": true",
            ": instance.restarts_behind: no miner restarts",
        ),
        (
            "a depth that no round has",
            "\"finality\": \"Votes\"",
            "\"finality\": { \"CommonAncestor\": { \"depth\": 255 } }",
            ": instance.rules: finality: a depth of 255",
        ),
        (
            "a Byzantine generator of nobody",
            "\"generator\": \"honest\"",
            "\"generator\": \"byzantine\"",
            ": instance.blocks: (1, 0) has 1 Byzantine",
        ),
        ("a key twice", "\"miner\":0", "\"miner\":1,\"miner\":0", "duplicate field `miner`"),
        (
            "a field of an action that has none",
            "{\"do\":\"ticket\",\"miner\":0,\"block\":\"B(1,0)#1\",\"parent\":\"genesis\"",
            "{\"do\":\"synchronize\",\"miner\":0",
            ": steps, step 1: unknown field `miner`",
        ),
        ("a number too large", "\"miner\":0", "\"miner\":256", ": steps, step 1: invalid value"),
    ] {
        assert!(good.contains(from), "{what}");
        let error = read(&good.replacen(from, to, 1)).expect_err(what).to_string();
        assert!(error.starts_with("t.json:") && error.contains("\n  fix: "), "{what}: {error}");
        assert!(error.contains(said), "{what}: {said:?} in {error}");
        if said.contains("step 1") {
            assert!(error.starts_with(&format!("t.json:{}:", steps + 1)), "{what}: {error}");
        }
    }
}

/// A committee of four with nine honest generators in one subround: each of its blocks is in order, and no order draws them.
#[test]
fn more_generators_than_members_are_refused() {
    let good = late_better_rank().to_json();
    let first = good.lines().position(|line| line.contains("\"blocks\": [")).unwrap();
    let end = good.lines().skip(first).position(|line| line.trim() == "],").unwrap() + first;
    let place = |rank: usize| {
        format!(
            r#"{{"name":"B(1,0)#{rank}","round":1,"subround":0,"rank":{rank},"twin":0,"generator":"honest"}}"#
        )
    };
    let with = |count: usize| {
        let places: Vec<String> = (0..count).map(place).collect();
        let lines: Vec<&str> = good.lines().collect();
        format!("{}\n{}\n{}", lines[..=first].join("\n"), places.join(",\n"), lines[end..].join("\n"))
    };
    assert!(read(&with(4)).is_ok());
    let error = read(&with(5)).unwrap_err().to_string();
    assert!(
        error.contains("instance.blocks: (1, 0) has 0 Byzantine and 5 honest generators of 0 and 4"),
        "{error}"
    );
}

/// Reading and replaying any trace ends in a run or in an error, never in a panic.
#[test]
fn no_text_makes_a_panic() {
    let mut texts = vec![late_better_rank().to_json()];
    for path in committed_traces() {
        if path.to_string_lossy().contains("hardened") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
    let (mut refused, mut replayed) = (0, 0);
    for text in &texts {
        let mut attempt = |text: &str| match read(text) {
            Ok(trace) => {
                if trace.replay().is_ok() {
                    replayed += 1
                } else {
                    refused += 1
                }
            }
            Err(_) => refused += 1,
        };
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            attempt(&text[..end]);
        }
        // Every digit, true and false become others: other instances, other participants.
        for (at, byte) in text.bytes().enumerate() {
            if byte.is_ascii_digit() {
                for digits in ["0", "1", "2", "3", "5", "7", "9", "15", "63", "255", "4294967295"] {
                    attempt(&format!("{}{digits}{}", &text[..at], &text[at + 1..]));
                }
            }
        }
        for (from, to) in
            [("true", "false"), ("false", "true"), ("honest\"", "byzantine\""), ("async", "synchronous")]
        {
            for (at, _) in text.match_indices(from) {
                attempt(&format!("{}{to}{}", &text[..at], &text[at + from.len()..]));
            }
        }
    }
    assert!(refused > 1000 && replayed > 100, "{refused} refused, {replayed} replayed");
}
