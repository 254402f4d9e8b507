//! Settings and what they change: every field of the format, toggled, leads to other states, to another answer, or to an
//! error that names it; and where a rule is said to change nothing, it does not.

use std::collections::BTreeSet;
use zus_checker::{
    fault::Fault,
    properties::{Facts, Property},
    protocol::Protocol,
    rules::FinalityRule,
    scenario::{Change, Engine, Scenario, ScenarioError, parse, parse_with},
    search::{
        bfs::{Limits, explore},
        trial::{self, effects},
    },
};

/// A scenario by its parts, so that a field can be put anywhere.
fn scenario(head: &str, tables: &str, expect: &str) -> Result<Scenario, ScenarioError> {
    parse(
        "s",
        "s.toml",
        &format!("question = \"?\"\nprofile = \"hardened\"\n{head}\n{tables}\n[expect]\n{expect}\n"),
    )
}

/// The behaviour of an instance: numbers of its states, and the properties that show.
fn behaviour(protocol: &Protocol) -> Option<(u64, u64, u32, Vec<Property>)> {
    trial::behaviour(protocol).map(|b| (b.unique, b.generated, b.depth, b.shows))
}

/// The fields that the format has: the parser names them when it meets one that it does not know.
fn fields(text: &str) -> Vec<String> {
    let error = parse("s", "s.toml", text).unwrap_err().to_string();
    let known = error.split("use one of ").nth(1).unwrap_or_else(|| panic!("{error}"));
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

const INSTANCE: &str = "n = 4\nbyzantine = 1\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\n\
                        generators = [[\"byzantine\", \"honest\"]]";

/// The effect that toggling a field must have.
enum Toggle {
    /// Of [`INSTANCE`] this part becomes the second, without the field, and the third, with it: other states, or other
    /// properties show.
    Changes(&'static str, &'static str, &'static str),
    /// Another answer of the same states: the field of the scenario that says so.
    Answers(&'static str, fn(&Scenario) -> bool),
    /// It is for readers, or checked against others only.
    Says(&'static str),
}
use Toggle::{Answers, Changes, Says};

/// Each field of the format: how it changes something in [`INSTANCE`], and a place where it cannot, with the field that the
/// error names.
const FIELDS: &[(&str, Toggle, &str, &str)] = &[
    ("question", Says("the report prints it"), "", ""),
    ("profile", Says("the starting point of the rules, each of which is toggled"), "", ""),
    ("n", Changes("n = 4", "n = 4", "n = 5"), "n = 4", "n = 64"),
    ("f", Says("it is checked against n"), "n = 4", "n = 4\nf = 2"),
    (
        "byzantine",
        Changes("byzantine = 1", "byzantine = 1", "byzantine = 2"),
        "byzantine = 1",
        "byzantine = 4",
    ),
    ("rounds", Changes("rounds = 1", "rounds = 1", "rounds = 2"), "rounds = 1", "rounds = 7"),
    (
        "subrounds",
        Changes("subrounds = 2", "subrounds = 2", "subrounds = 1"),
        "subrounds = 2",
        "subrounds = 5",
    ),
    (
        "network",
        Changes("\"async\"", "\"async\"", "\"synchronous\""),
        "network = \"async\"",
        "restarts = 1\nnetwork = \"synchronous\"",
    ),
    (
        "reserved_rounds",
        Changes(
            "rounds = 1\nsubrounds = 2\nnetwork = \"async\"",
            "rounds = 2\nsubrounds = 1\nreserved_subrounds = 0\nnetwork = \"partially_synchronous\"",
            "rounds = 2\nsubrounds = 1\nreserved_subrounds = 0\nreserved_rounds = 0\nnetwork = \"partially_synchronous\"",
        ),
        "n = 4",
        "n = 4\nreserved_rounds = 1",
    ),
    (
        "reserved_subrounds",
        Changes(
            "\"async\"",
            "\"partially_synchronous\"\nreserved_rounds = 0",
            "\"partially_synchronous\"\nreserved_rounds = 0\nreserved_subrounds = 0",
        ),
        "n = 4",
        "n = 4\nreserved_subrounds = 1",
    ),
    (
        "restarts",
        Changes("subrounds = 2", "subrounds = 1", "subrounds = 1\nrestarts = 1"),
        "n = 4",
        "n = 4\nrestarts = 16",
    ),
    (
        "restarts_behind",
        Changes(
            "subrounds = 2",
            "subrounds = 1\nrestarts = 1",
            "subrounds = 1\nrestarts = 1\nrestarts_behind = true",
        ),
        "n = 4",
        "n = 4\nrestarts_behind = true",
    ),
    ("observers", Changes("n = 4", "n = 4", "n = 4\nobservers = 1"), "n = 4", "n = 4\nobservers = 3"),
    (
        "twins",
        Changes("n = 4", "n = 4", "n = 4\ntwins = 1"),
        "[[\"byzantine\", \"honest\"]]",
        "[[\"honest\"]]\ntwins = 2",
    ),
    (
        "outsider",
        Changes(
            "subrounds = 2",
            "subrounds = 1\nreductions.eager = false\ntwins = 1",
            "subrounds = 1\noutsider = true\nreductions.eager = false\ntwins = 1",
        ),
        "n = 4",
        "n = 4\noutsider = true",
    ),
    ("groups", Changes("n = 4", "n = 4", "n = 4\ngroups = [2, 1]"), "n = 4", "n = 4\ngroups = [1, 1, 1]"),
    (
        "beacon_threshold",
        Changes(
            "rounds = 1\nsubrounds = 2",
            "rounds = 2\nsubrounds = 1",
            "rounds = 2\nsubrounds = 1\nbeacon_threshold = 4",
        ),
        "n = 4",
        "n = 4\nbeacon_threshold = 4",
    ),
    (
        "exposed",
        Changes(
            "rounds = 1\nsubrounds = 2",
            "rounds = 2\nsubrounds = 1",
            "rounds = 2\nsubrounds = 1\nexposed = 1",
        ),
        "n = 4",
        "n = 4\nexposed = 2",
    ),
    (
        "generators",
        Changes("[[\"byzantine\", \"honest\"]]", "[[\"byzantine\", \"honest\"]]", "[[\"honest\"]]"),
        "[[\"byzantine\", \"honest\"]]",
        "[[\"honest\"], [\"honest\"], [\"byzantine\"]]",
    ),
    (
        "order",
        Changes(
            "rounds = 1",
            "rounds = 1",
            "order = [{ round = 1, subround = 1, ranks = [\"honest\"] }]\nrounds = 1",
        ),
        "rounds = 1",
        "order = [{ round = 1, subround = 1, ranks = [\"honest\"] }, { round = 1, subround = 1, ranks = [\"byzantine\"] }]\nrounds = 1",
    ),
    (
        "fault",
        Changes("n = 4", "n = 4", "n = 4\nfault = \"QuorumOneLess\""),
        "n = 4",
        "n = 4\nfault = \"VotesVolatile\"",
    ),
    ("rules", Says("each is toggled below"), "n = 4", "n = 4\nrules.ticket_log = \"Volatile\""),
    ("reductions", Says("each is toggled below"), "subrounds = 2", "subrounds = 1\nreductions.lazy = false"),
    ("expect", Says("an expectation is compared with what is found"), "", ""),
    ("states", Answers("states = 5", |s| s.states == Some(5)), "n = 4", "n = 4\nstates = 0"),
    (
        "exhaustive",
        Answers("exhaustive = true", |s| s.exhaustive),
        "n = 4",
        "n = 4\nstates = 9\nexhaustive = true",
    ),
    (
        "engine",
        Answers("engine = \"certificates\"", |s| s.choice.engine == Engine::Certificates),
        "\"async\"",
        "\"synchronous\"\nengine = \"certificates\"",
    ),
    (
        "idle_blocks",
        Says("it bounds a search for any number of rounds: engines.rs"),
        "n = 4",
        "n = 4\nidle_blocks = 2",
    ),
    ("simulate", Answers("simulate = 3", |s| s.simulate == Some(3)), "n = 4", "n = 4\nsimulate = 0"),
];

/// The expectation where a field is toggled: it can be claimed of grouped miners, and needs no search of all states.
const EXPECT: &str = "signed = \"reachable\"";

#[test]
fn every_field_changes_something_or_is_refused() {
    let known: BTreeSet<String> = fields("colour = 1\n").into_iter().collect();
    let listed: BTreeSet<String> = FIELDS.iter().map(|(field, ..)| (*field).to_owned()).collect();
    assert_eq!(known, listed, "a field of the format has no row here, or a row no field");
    let before = scenario(INSTANCE, "", EXPECT).unwrap_or_else(|error| panic!("{error}"));
    for (field, toggle, from, to) in FIELDS {
        match toggle {
            Changes(from, without, with) => {
                assert!(INSTANCE.contains(from), "{field}");
                let [before, after] = [without, with].map(|to| {
                    let read = scenario(&INSTANCE.replacen(from, to, 1), "", EXPECT);
                    behaviour(&read.unwrap_or_else(|error| panic!("{field}: {error}")).protocol)
                });
                assert!(before.is_some() || after.is_some(), "{field}: both are too large to be compared");
                assert_ne!(before, after, "{field} changes nothing");
            }
            Answers(line, says) => {
                let changed = scenario(&format!("{line}\n{INSTANCE}"), "", EXPECT);
                assert!(says(&changed.unwrap_or_else(|error| panic!("{field}: {error}"))), "{field}");
                assert!(!says(&before), "{field}");
            }
            Says(why) => assert!(!why.is_empty()),
        }
        if to.is_empty() {
            continue;
        }
        assert!(INSTANCE.contains(from), "{field}");
        let refused = scenario(&INSTANCE.replacen(from, to, 1), "", EXPECT);
        let error = refused.err().unwrap_or_else(|| panic!("{field}: `{to}` is taken")).to_string();
        let named = error.starts_with("s.toml:") && error.contains(": ") && error.contains("\n  fix: ");
        let at = error.split(": ").nth(1).unwrap_or_default();
        assert!(named && (at.starts_with(field) || ["network"].contains(field)), "{field}: {error}");
    }
}

/// Small instances in which rules are compared: between them every rule can matter, and every one cannot.
const GROUNDS: &[&str] = &[
    "byzantine = 0\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"honest\", \"honest\"]]",
    "byzantine = 1\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"byzantine\"]]",
    "byzantine = 1\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]",
    "byzantine = 0\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"honest\"]]",
    "byzantine = 1\nrounds = 2\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]",
    "byzantine = 0\nrounds = 2\nsubrounds = 1\nnetwork = \"async\"\nobservers = 1\ngenerators = [[\"honest\"]]",
    "byzantine = 1\nrounds = 1\nsubrounds = 1\nrestarts = 1\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]",
    "byzantine = 1\nrounds = 1\nsubrounds = 1\nrestarts = 1\nrestarts_behind = true\nnetwork = \"async\"\ngenerators = [[\"byzantine\"]]",
    "byzantine = 3\nrounds = 1\nsubrounds = 3\nnetwork = \"async\"\ngenerators = [[\"honest\"], [\"honest\"], [\"byzantine\", \"honest\"]]",
    "byzantine = 1\nrounds = 1\nsubrounds = 2\nreserved_rounds = 0\nnetwork = \"partially_synchronous\"\ngenerators = [[\"byzantine\"], [\"honest\"]]",
    "byzantine = 0\nrounds = 2\nsubrounds = 1\nreserved_rounds = 0\nreserved_subrounds = 0\nnetwork = \"partially_synchronous\"\ngenerators = [[\"honest\"]]",
];

/// Answers that change nothing in any of [`GROUNDS`], though they could: under votes no two conflicting blocks are final, so
/// no head has a choice, and nobody withholds the last ticket of a notarization that a miner then needs relayed.
const HAPPENS: &[(&str, &str)] = &[
    ("fault", "HeadAnywhere"),
    ("fault", "HeadMovesBack"),
    ("fault", "HeadSkipsMissing"),
    ("parent", "OnFinalizedHead"),
    ("fault", "NotarizationsNotRelayed"),
    ("echo", "None"),
    ("subround_switch", "FirstArrival"),
    ("fault", "VotesVolatile"),
];

/// An answer to an open question, or a mistake: its key and value, the lines that write it at the top of a file and in
/// tables, the field that an error names, and the same as a change of a file without it.
struct Answer {
    key: String,
    value: String,
    head: String,
    tables: String,
    field: String,
    change: Change,
}

/// All of them. A value of finality may have a number, so its line is written from the value itself.
fn answers() -> Vec<Answer> {
    let mut answers = Vec::new();
    let finality = || {
        let written = |rule: &FinalityRule| toml::Value::try_from(rule).unwrap().to_string();
        FinalityRule::ALL.iter().map(move |rule| (rule.to_string(), written(rule))).collect()
    };
    for key in fields(&format!("[rules]\ncolour = 1\n{}", GROUNDS[0])) {
        let names = fields(&format!("[rules]\n{key} = \"?\"\n")).into_iter();
        let values: Vec<(String, String)> = match key.as_str() {
            "finality" => finality(),
            _ => names.map(|name| (name.clone(), format!("\"{name}\""))).collect(),
        };
        for (value, written) in values {
            let line = format!("{key} = {written}");
            let rules = toml::from_str(&line).unwrap();
            answers.push(Answer {
                head: String::new(),
                tables: format!("[rules]\n{line}"),
                field: format!("rules.{key}"),
                change: Change { rules, lenient: true, ..Change::default() },
                key: key.clone(),
                value,
            });
        }
    }
    for fault in Fault::ALL {
        answers.push(Answer {
            key: "fault".into(),
            value: format!("{fault:?}"),
            head: format!("fault = \"{fault:?}\"\n"),
            tables: String::new(),
            field: "fault".into(),
            change: Change { fault: Some(fault), lenient: true, ..Change::default() },
        });
    }
    answers
}

#[test]
fn a_rule_is_refused_only_where_it_changes_nothing_and_changes_something_elsewhere() {
    // Everything that can be judged is asked, so that a difference in what is final is seen.
    let expect = "final = \"reachable\"\nS8 = \"holds\"";
    let (mut refused, mut wrong) = (0, Vec::new());
    let (mut asked, mut changing) = (BTreeSet::new(), BTreeSet::new());
    for ground in GROUNDS {
        let base =
            scenario(&format!("n = 4\n{ground}"), "", expect).unwrap_or_else(|error| panic!("{error}"));
        let before = behaviour(&base.protocol).unwrap_or_else(|| panic!("too large: {ground}"));
        for Answer { key, value, head, tables, field, change } in answers() {
            let what = format!("{key} = {value} in {}", ground.replace('\n', ", "));
            // The mutants' way reads the same without asking whether it changes anything.
            let text =
                format!("question = \"?\"\nprofile = \"hardened\"\nn = 4\n{ground}\n[expect]\n{expect}\n");
            let Ok(under) = parse_with("s", "s.toml", &text, &change) else { continue };
            // Where no round is so far down that a block can be final, what is expected of final blocks is refused instead.
            let protocol = &under.protocol;
            if protocol.rules.finality.depth().is_some_and(|depth| depth >= protocol.blocks.rounds) {
                continue;
            }
            let after = behaviour(protocol);
            let same = after.as_ref() == Some(&before);
            match scenario(&format!("{head}n = 4\n{ground}"), &tables, expect) {
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().contains(&format!("{field}: ")), "{what}: {error}");
                    // A shorter reduction may be lost, but nothing else shows than did.
                    let shows = after.as_ref().map(|after| &after.3) == Some(&before.3);
                    if !same && !shows {
                        wrong.push(format!("refused, and changes something: {what}: {before:?} {after:?}"));
                    }
                }
                Ok(taken) if taken.notes.is_empty() => {
                    asked.insert((key.clone(), value.clone()));
                    if !same {
                        changing.insert((key, value));
                    }
                }
                Ok(taken) => {
                    assert!(same, "{what}");
                    let note = format!("{field} is that of `hardened`");
                    assert!(taken.notes[0].contains(&note), "{:?}", taken.notes);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let idle: Vec<_> = asked
        .difference(&changing)
        .filter(|(key, value)| !HAPPENS.contains(&(key.as_str(), value.as_str())))
        .collect();
    assert!(idle.is_empty(), "taken, and changes nothing anywhere: {idle:?}");
    assert!(refused > 100 && changing.len() > 15, "{refused} refused, {changing:?} change something");
}

#[test]
fn every_reduction_that_is_off_saves_something_or_is_refused() {
    let saves = "byzantine = 1\nrounds = 1\nsubrounds = 2\ntwins = 1\nnetwork = \"async\"\ngenerators = [[\"byzantine\"], [\"honest\"]]";
    let base = scenario(&format!("n = 4\n{saves}"), "", EXPECT).unwrap();
    let before = behaviour(&base.protocol).unwrap();
    let idle: &[(&str, &str)] = &[
        (
            "byzantine_available",
            "byzantine = 0\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"honest\"]]",
        ),
        (
            "symmetry",
            "byzantine = 3\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"honest\"]]",
        ),
        (
            "counting",
            "byzantine = 0\nrestarts = 1\nrestarts_behind = true\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"honest\"]]",
        ),
        (
            "lazy",
            "byzantine = 0\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"honest\"]]",
        ),
        (
            "sorted",
            "byzantine = 0\nrounds = 2\nsubrounds = 2\nnetwork = \"partially_synchronous\"\ngenerators = [[\"honest\"]]",
        ),
    ];
    for name in fields("[reductions]\ncolour = 1\n") {
        let off =
            scenario(&format!("n = 4\n{saves}"), &format!("[reductions]\n{name} = false"), EXPECT).unwrap();
        if name == "sorted" {
            // Settings are tried with all runs, so this one is seen in the search itself.
            let unique = |p| explore(p, Facts::default(), None, Limits::default(), &|_| {}, &|_| {}).unique;
            assert!(unique(&base.protocol) < unique(&off.protocol));
        } else {
            assert_ne!(behaviour(&off.protocol), Some(before.clone()), "{name}");
        }
        let Some((_, ground)) = idle.iter().find(|(idle, _)| *idle == name) else {
            assert_eq!(name, "eager", "a reduction without a place where it saves nothing");
            continue;
        };
        let refused = scenario(&format!("n = 4\n{ground}"), &format!("[reductions]\n{name} = false"), EXPECT);
        let error = refused.unwrap_err().to_string();
        assert!(error.contains(&format!("reductions.{name}: it changes nothing: ")), "{error}");
    }
}

/// Settings that no argument in `scenario` covers are tried: the instance is explored without the setting.
#[test]
fn a_setting_without_which_a_small_instance_does_the_same_is_refused() {
    let ground = |network: &str, rounds: u32, more: &str| {
        format!(
            "{more}\nn = 4\nbyzantine = 1\nrounds = {rounds}\nsubrounds = 1\nnetwork = \"{network}\"\ngenerators = [[\"honest\", \"honest\"]]"
        )
    };
    let tried = |ground: &str| {
        let mut scenario = scenario(ground, "", EXPECT).unwrap_or_else(|error| panic!("{ground}: {error}"));
        effects(&mut scenario, Limits::default(), &|_, _| {})
            .map(|()| scenario.notes)
            .map_err(|error| error.to_string())
    };
    // Shares are there at once, and so is the best block; nobody tickets two blocks of a round.
    let idle = [
        ("beacon_threshold", ground("synchronous", 2, "beacon_threshold = 2")),
        ("rules.ticket", ground("synchronous", 1, "rules.ticket = \"BetterRank\"")),
        ("fault", ground("synchronous", 2, "fault = \"VotesAfterOtherTicket\"")),
    ];
    for (field, ground) in idle {
        let error = tried(&ground).unwrap_err();
        assert!(
            error.starts_with(&format!("s.toml:3: {field}: it changes nothing: without it as many states ")),
            "{error}"
        );
        assert!(error.contains("\n  fix: remove it"), "{error}");
    }
    // In a larger instance, too. In one that is too large to be explored to its end, it is noted.
    let large = |more: &str| {
        format!(
            "beacon_threshold = 2\nn = 4\nrounds = 2\nsubrounds = 2\nnetwork = \"partially_synchronous\"\n\
             generators = [[\"byzantine\", \"honest\"]]{more}"
        )
    };
    let error = tried(&large("\ntwins = 1")).unwrap_err();
    assert!(
        error.starts_with(
            "s.toml:3: beacon_threshold: it changes nothing: without it as many states are reached (207804)"
        ),
        "{error}"
    );
    let notes = tried(&large("")).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        notes.len() == 1
            && notes[0].starts_with("s.toml:3: beacon_threshold changes nothing within the first "),
        "{notes:?}"
    );
    // Within the bounds of the user, and with a sign of life.
    let mut bounded = scenario(&large("\ntwins = 1"), "", EXPECT).unwrap_or_else(|error| panic!("{error}"));
    let limits = Limits { states: 1_000, ..Limits::default() };
    let furthest = std::sync::atomic::AtomicU64::new(0);
    effects(&mut bounded, limits, &|_, progress| {
        furthest.fetch_max(progress.unique, std::sync::atomic::Ordering::Relaxed);
    })
    .unwrap_or_else(|error| panic!("{error}"));
    assert!(bounded.notes[0].contains("within the first 1000 states"), "{:?}", bounded.notes);
    assert!((1_000..10_000).contains(&furthest.into_inner()), "each search is heard of, and none goes on");
    // The same settings where they matter, and none.
    let matters = [
        ground("async", 2, "beacon_threshold = 4"),
        ground("async", 1, "rules.ticket = \"BetterRank\""),
        ground("async", 2, "fault = \"VotesAfterOtherTicket\""),
        ground("async", 1, ""),
    ];
    for ground in matters {
        assert_eq!(tried(&ground), Ok(vec![]), "{ground}");
    }
}

#[test]
fn a_last_list_of_generators_that_would_repeat_anyway_is_refused() {
    let of = |generators: &str| {
        scenario(&INSTANCE.replace("[[\"byzantine\", \"honest\"]]", generators), "", EXPECT)
            .err()
            .map(|error| error.to_string())
    };
    let error = of("[[\"honest\"], [\"honest\"]]").unwrap();
    assert!(
        error.contains("s.toml:8: generators: list 2 changes nothing: it says what list 1 says"),
        "{error}"
    );
    assert!(error.contains("\n  fix: remove the last list"), "{error}");
    assert_eq!(of("[[\"honest\"], [\"byzantine\"]]"), None);
    assert_eq!(of("[[\"honest\"]]"), None);
}
