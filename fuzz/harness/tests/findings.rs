//! A finding says facts, and its command shows it again: for every deviation of the participants that a short walk finds, and
//! through the tool's own process for one finding of each kind.

use std::path::Path;
use std::process::{Command, Output};

use zus_checker::trace::Trace;
use zus_fuzz::campaign::{Found, Until, play, shortened_within, walk};
use zus_fuzz::judge::quietly;
use zus_fuzz::schedule::Schedule;
use zus_fuzz::world::Adjust;

use crate::deviations;

/// Runs of a walk for each deviation. `RUNS=100000` walks longer.
fn runs() -> u64 {
    std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(200)
}

/// Shorter schedules that are tried for each finding.
const ATTEMPTS: u32 = 6;

/// A value as the code writes it, which is for nobody: a name of a type before its fields, `BlockId(5)` or `Archive { .. }`, and a
/// name in one word with capitals in it, `CatchUp`. The message of a panic is the code's own.
fn raw(line: &str) -> Option<&str> {
    if line.starts_with("WRONG: a panic in production") {
        return None;
    }
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        rest = &rest[start..];
        let (word, after) =
            rest.split_at(rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len()));
        // One letter is the name of a block: `B(1,0)`.
        let is_name = word.len() > 1 && word.starts_with(|c: char| c.is_ascii_uppercase());
        let is_camel =
            word.as_bytes().windows(2).any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase());
        if is_camel || (is_name && ["(", "{", " {"].iter().any(|open| after.starts_with(open))) {
            return Some(word);
        }
        rest = after;
    }
    None
}

#[test]
fn what_is_raw_is_told_from_a_sentence() {
    for line in [
        "WRONG: said twice: miner 1 says again: FinalityCertificate(Certified { statement: FinalityVote { round: Round(1)",
        "WRONG: S1: the log of miner 1 refused Ticket(5, 0, 01010101..)",
        "Archive { known: 3 }",
        "the miners {MinerId(2)}",
        "it is Some(3)",
        "waits for CatchUp",
    ] {
        assert!(raw(line).is_some(), "{line}");
    }
    assert_eq!(
        raw("WRONG: a panic in production: called `Option::unwrap()` on a `None` value: Miner(2)"),
        None
    );
    assert_eq!(raw("WRONG: S1: miner 1 signed a ticket for 01ab in (5, 0), and another"), None);
}

/// A finding as a file, and a shorter one, played as `replay` plays them: they fail in the same way. Returns the lines of the stories
/// that are not for people.
fn fails_again(name: &str, found: &Found) -> Vec<String> {
    let mut lines = Vec::new();
    let adjust = deviations::of(name);
    let short = quietly(|| shortened_within(ATTEMPTS, &found.schedule, &found.failure, found.at_end, adjust));
    for schedule in [&found.schedule, &short] {
        let again = Schedule::from_file(&schedule.explicit());
        let played = quietly(|| play(&again, adjust, Until::End, true));
        let story = played.told();
        let kind = played.failure.as_ref().map(|failure| failure.kind());
        assert_eq!(kind, Some(found.failure.kind()), "{name}: {story}");
        assert!(story.contains("WRONG: "), "{story}");
        // The first line has the settings, as files write them.
        let told = story.lines().filter(|line| !line.contains(" miners, Byzantine ["));
        let not_for_people = told.filter(|line| raw(line).is_some());
        lines.extend(not_for_people.map(|line| format!("{name}: {line}")));
    }
    // The control: the real code is not accused.
    assert!(play(&short, Adjust::NONE, Until::Choices, false).failure.is_none(), "{name}: {short:?}");
    lines
}

#[test]
fn a_finding_of_each_deviation_fails_again_as_it_was_found() {
    let (mut count, mut lines) = (0, Vec::new());
    for (name, _) in deviations::ALL {
        if let Some(found) = quietly(|| walk(1, runs(), deviations::of(name), None)) {
            count += 1;
            lines.extend(fails_again(name, &found));
        }
    }
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    assert!(count >= 9, "{count} deviations are found");
}

#[test]
fn a_sentence_about_a_vote_says_what_the_miner_did() {
    let mut said = (0, 0);
    for seed in 0..200 {
        let mut random = zus_fuzz::schedule::Random::new(seed);
        let played = play(&Schedule::random(&mut random), Adjust::NONE, Until::Choices, true);
        let story = played.told();
        let votes = story.lines().filter(|line| line.contains(", votes for it and ")).count();
        let refuses = story.lines().filter(|line| line.contains(", does not vote, having")).count();
        said = (said.0 + votes, said.1 + refuses);
    }
    // Nearly all miners vote; a few have ticketed another block.
    assert!(said.0 > 100 && said.1 > 0 && said.0 > said.1, "{said:?}");
}

#[test]
fn one_transcript_has_one_numbering_of_miners() {
    for seed in 0..100 {
        let mut random = zus_fuzz::schedule::Random::new(seed);
        let played = play(&Schedule::random(&mut random), Adjust::NONE, Until::Choices, true);
        let setup = &played.run.world.ground.setup;
        let numbers = |line: &str, word: &str| -> Vec<u16> {
            let after = line.match_indices(word).filter(|(at, _)| !line[..*at].ends_with("Byzantine "));
            let after = after.map(|(at, _)| line[at + word.len()..].chars().take_while(char::is_ascii_digit));
            after.filter_map(|digits| digits.collect::<String>().parse().ok()).collect()
        };
        for line in played.told().lines().filter(|line| line.starts_with("    ")) {
            for number in numbers(line, "miner ") {
                assert!(!setup.byzantine.contains(&number), "{line}: Byzantine are {:?}", setup.byzantine);
            }
        }
    }
}

fn tool(arguments: &[&str], folder: &Path) -> Output {
    let tool = env!("CARGO_BIN_EXE_zus-fuzz");
    Command::new(tool).args(arguments).current_dir(folder).output().expect("the tool runs")
}

/// The failure that an output of the tool names last.
fn wrong(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().rfind(|line| line.contains("WRONG: ")).unwrap_or_else(|| panic!("{text}"));
    last.split_once("WRONG: ").expect("found above").1.to_owned()
}

/// The arguments of the tool in the last command that it printed.
fn printed(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().rfind(|line| line.starts_with("replay: ")).unwrap_or_else(|| panic!("{text}"));
    let (cargo, arguments) = line.split_once(" -- ").expect("a command of cargo");
    assert!(cargo.contains("cargo run -p zus-fuzz"), "{line}");
    arguments.split(' ').map(str::to_owned).collect()
}

#[test]
fn the_tool_prints_commands_that_fail_in_the_same_way() {
    let folder = tempfile::tempdir().expect("a folder");
    // A property, proofs of an offence that are missing, an action that the model forbids, a step that is left out.
    for (bug, drawn) in [
        ("hardened,ticket_log=Volatile", true),
        ("hardened,ticket=BetterOrEqualRank", true),
        ("hardened,finality=TwoThirds", true),
        ("hardened,subround_entry=Local", false),
    ] {
        let walk = ["walk", "--rules", "hardened", "--deviate", bug, "--runs", "3000", "--out", "found.run"];
        let walked = tool(&walk, folder.path());
        assert_eq!(walked.status.code(), Some(1), "{bug}: {}", String::from_utf8_lossy(&walked.stdout));
        let text = String::from_utf8_lossy(&walked.stdout).into_owned();
        // The finding comes first, with its command; the run is told once.
        let first = text.lines().next().unwrap_or_default();
        assert!(first.contains("WRONG: "), "{first}");
        assert!(
            text.lines().nth(1).is_some_and(|line| line.starts_with("replay: "))
                || text.contains("\nreplay: ")
        );
        assert_eq!(text.matches("miners, Byzantine").count(), 1, "{text}");
        let arguments = printed(&walked);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let again = tool(&[&arguments[..], &["--trace", "run.json"]].concat(), folder.path());
        assert_eq!(again.status.code(), Some(1), "{bug}");
        assert_eq!(wrong(&again), wrong(&walked), "{bug}");
        let trace = Trace::load(&folder.path().join("run.json")).expect("a trace");
        let found = trace.finding.clone().expect("the trace says what is wrong");
        assert!(!found.because.is_empty() && !found.kind.is_empty(), "{found:?}");
        if drawn {
            let scene = zus_report::draw::staging::stage(&trace).expect("it is drawn");
            // A run without a step of the model is nothing to draw.
            assert!(scene.shows.is_some() || scene.events.is_empty(), "{bug}: the drawing marks nothing");
        }
    }
    // Without the deviation the same file shows nothing.
    let calm = tool(&["replay", "found.run"], folder.path());
    assert_eq!(calm.status.code(), Some(0));
}

/// A file without end, or larger than that of any run, is refused with its name and the bound, by each command that
/// reads one.
#[cfg(unix)]
#[test]
fn the_tool_reads_no_more_of_a_file_than_it_says() {
    use zus_output::bounded::MOST_BYTES;
    let folder = tempfile::tempdir().expect("a folder");
    let large = folder.path().join("large");
    std::fs::File::create(&large).and_then(|file| file.set_len(MOST_BYTES + 1)).expect("a sparse file");
    for file in ["/dev/zero", large.to_str().expect("a name")] {
        for command in [&["replay"][..], &["shrink"], &["run", "decode"]] {
            let refused = tool(&[command, &[file]].concat(), folder.path());
            let error = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!(refused.status.code(), Some(2), "{command:?} {file}: {error}");
            assert!(error.contains(&format!("{file}: larger than {MOST_BYTES} bytes")), "{error}");
        }
    }
}

/// Two runs that write the same results would each lose what the other found.
#[cfg(unix)]
#[test]
fn a_folder_that_another_run_writes_into_is_refused() {
    let root = zus_fuzz::room();
    let cases: [(&str, &[&str]); 3] = [
        ("inputs", &["seeds"]),
        ("matrix", &["matrix", "--only", "SignUnasked", "--write", "--runs", "1"]),
        ("regressions/mutants", &["matrix", "--only", "SignUnasked", "--write", "--runs", "1"]),
    ];
    for (place, arguments) in cases {
        let _taken = zus_output::lock::Lock::take(root.join(place)).expect("nobody else writes there");
        let refused = tool(arguments, root);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains("another run is writing into this folder"), "{said}");
    }
}
