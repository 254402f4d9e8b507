//! Runs of any length (`zus-run`): followed as they are read, in memory that does not grow with them, and judged.

use crate::program::zus_in;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
};
use zus_checker::trace::long::{Followed, LongError, MAX_ROUNDS_HELD, follow};

const HEADER: &str = r#"{"format": "zus-run", "version": 1, "producer": {"tool": "test"}, "instance": {"n": 4, "byzantine": 1, "rules": {"beacon": "RoundOnly", "ticket": "OncePerSubround", "subround_entry": "Certificate", "subround_switch": "Adopt", "finality": "Votes", "quorum": "ByzantineMajority", "ticket_log": "Durable", "echo": "Certificates"}, "observers": 2}}"#;

/// Steps of one round of [`round`].
const STEPS: u64 = 18;

/// The lines of one round of three honest miners, and of a Byzantine one that comes late.
fn round(round: u64) -> Vec<String> {
    let block = format!("B({round},0)#1");
    let mut lines =
        vec![format!(r#"{{"generators": ["byzantine", "honest"], "round": {round}, "subround": 0}}"#)];
    let mut each = |what: &str| {
        for miner in 0..3 {
            lines.push(format!(r#"{{"do": "{what}", "miner": {miner}, "block": "{block}"}}"#));
        }
    };
    each("select");
    each("ticket");
    each("leave");
    let shares = (0..3).map(|miner| format!(r#"{{"do": "share_beacon", "miner": {miner}}}"#));
    let propose = format!(r#"{{"do": "propose", "miner": {}, "block": "{block}"}}"#, round % 3);
    lines.splice(1..1, shares.chain([propose]));
    lines.insert(11, format!(r#"{{"do": "notarize", "block": "{block}"}}"#));
    for observer in 0..2 {
        lines.push(format!(r#"{{"do": "finalize", "observer": {observer}, "block": "{block}"}}"#));
    }
    // Of a round that is final everywhere.
    let late = round.saturating_sub(1).max(1);
    lines.insert(5, format!(r#"{{"do": "byzantine_timeout", "member": 3, "round": {late}, "subround": 1}}"#));
    let again = format!(r#"{{"do": "byzantine_timeout", "member": 3, "round": {round}, "subround": 7}}"#);
    lines.insert(6, again);
    lines
}

/// A file of so many rounds, which is never in memory as a whole.
fn file(rounds: u64) -> impl BufRead {
    struct Lines<I>(I, Vec<u8>);
    impl<I: Iterator<Item = String>> Read for Lines<I> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.1.is_empty() {
                self.1 = self.0.next().map(|line| (line + "\n").into_bytes()).unwrap_or_default();
            }
            let count = into.len().min(self.1.len());
            into[..count].copy_from_slice(&self.1[..count]);
            self.1.drain(..count);
            Ok(count)
        }
    }
    let end = format!(r#"{{"end": {}}}"#, rounds * STEPS);
    BufReader::new(Lines((1..=rounds).flat_map(round).chain([end]), Vec::new()))
}

fn followed(rounds: u64) -> Followed {
    let mut heard = Vec::new();
    let run = follow("long", HEADER.as_bytes(), &mut file(rounds), &mut |progress| {
        if progress.is_new {
            heard.push((progress.finalized.0, progress.steps));
        }
        Ok(())
    });
    assert_eq!(heard, (1..=rounds).map(|round| (round, round * STEPS)).collect::<Vec<_>>());
    run.unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn the_memory_for_a_run_does_not_grow_with_its_length() {
    let (short, long) = (followed(20), followed(2_000));
    assert_eq!((short.steps, long.steps), (20 * STEPS, 2_000 * STEPS));
    assert_eq!((short.finalized.0, long.finalized.0), (20, 2_000));
    assert_eq!(short.most_held, long.most_held);
    assert!(long.most_held < 80, "{}", long.most_held);
}

/// A miner that is one round behind everybody, and goes on, keeps two rounds and no more.
#[test]
fn a_miner_that_is_always_behind_does_not_keep_the_past() {
    let rounds = 150;
    let mut lines = vec![HEADER.replace(r#""byzantine": 1"#, r#""byzantine": 0"#)];
    let mut steps = 0;
    for round in 1..=rounds {
        let block = |round: u64| format!("B({round},0)#0");
        lines.push(format!(r#"{{"generators": ["honest"], "round": {round}, "subround": 0}}"#));
        let mut step = |text: String| {
            lines.push(text);
            steps += 1;
        };
        (0..3).for_each(|miner| step(format!(r#"{{"do": "share_beacon", "miner": {miner}}}"#)));
        step(format!(r#"{{"do": "propose", "miner": 0, "block": "{}"}}"#, block(round)));
        for what in ["select", "ticket"] {
            for miner in 0..3 {
                step(format!(r#"{{"do": "{what}", "miner": {miner}, "block": "{}"}}"#, block(round)));
            }
        }
        step(format!(r#"{{"do": "notarize", "block": "{}"}}"#, block(round)));
        let leave =
            |miner, round| format!(r#"{{"do": "leave", "miner": {miner}, "block": "{}"}}"#, block(round));
        (0..3).for_each(|miner| step(leave(miner, round)));
        for observer in 0..2 {
            step(format!(r#"{{"do": "finalize", "observer": {observer}, "block": "{}"}}"#, block(round)));
        }
        if round > 1 {
            step(leave(3, round - 1));
        }
    }
    lines.push(format!(r#"{{"end": {steps}}}"#));
    let text = lines[1..].join("\n");
    let run = follow("behind", lines[0].as_bytes(), &mut text.as_bytes(), &mut |_| Ok(()))
        .unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(run.finalized.0, rounds);
    assert!(run.most_held < 120, "{}", run.most_held);
}

/// The control of the measure: an observer that stands still keeps everything from being forgotten.
#[test]
fn what_no_observer_may_forget_is_held_up_to_a_bound() {
    let waiting = |rounds: u64| {
        let lines = (1..=rounds).flat_map(round).filter(|line| {
            // A Byzantine member that comes late would say the same twice.
            !line.contains(r#""observer": 1"#) && !line.contains("byzantine_timeout")
        });
        let text =
            lines.chain([format!(r#"{{"end": {}}}"#, rounds * (STEPS - 3))]).collect::<Vec<_>>().join("\n");
        (follow("waiting", HEADER.as_bytes(), &mut text.as_bytes(), &mut |_| Ok(())), text)
    };
    let held = |rounds| waiting(rounds).0.unwrap_or_else(|why| panic!("{why}")).most_held;
    let (short, long) = (held(20), held(40));
    assert!(long > short + 20 * 10, "{short} and {long}");
    // The round that a miner enters counts, too.
    let (refused, text) = waiting(MAX_ROUNDS_HELD);
    assert!(matches!(refused, Err(LongError::Held { rounds: 101, .. })), "{refused:?}");
    let lines: Vec<String> = [HEADER].into_iter().chain(text.lines()).map(str::to_owned).collect();
    let (code, said) = replayed(&lines);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("101 rounds and ")
            && said.contains("at most 100 and 200000")
            && said.contains("\n  fix: "),
        "{said}"
    );
}

#[test]
fn a_late_step_that_is_not_enabled_is_refused_with_its_number() {
    let leave = r#"{"do": "leave", "miner": 1, "block": "B(1999,0)#1"}"#;
    let lines = (1..=2_000).flat_map(round).filter(|line| line != leave);
    let text = lines.collect::<Vec<_>>().join("\n");
    let refused = follow("late", HEADER.as_bytes(), &mut text.as_bytes(), &mut |_| Ok(()));
    let Err(LongError::Blocked { step, guard, action, .. }) = refused else { panic!("{refused:?}") };
    // Its vote is missing, so the block is not final: the step after the 15 that are left of that round.
    assert_eq!(step, 1_998 * STEPS + 16, "{action}");
    assert_eq!(guard.to_string(), "the block is not final", "{action}");
}

/// The output of `zus replay` for these lines, and its exit code.
fn replayed(lines: &[String]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("run.jsonl"), lines.join("\n")).unwrap();
    let output = zus_in(folder.path(), &["replay", "run.jsonl", "--quiet"]);
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), text.concat())
}

/// `localnet --rounds 50 --equivocate 1 --loss 20 --seed 4 --kill 2@3000 --trace run.jsonl`.
#[test]
fn fifty_rounds_of_the_production_code_are_a_run_of_the_specification() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/localnet-50.jsonl"));
    let lines: Vec<String> = text.unwrap().lines().map(str::to_owned).collect();
    let (code, said) = replayed(&lines);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("which claims nothing; the specification followed it to final round "), "{said}");
    let last = lines.iter().rposition(|line| line.contains(r#""notarize""#)).unwrap();
    let without = [&lines[..last], &lines[last + 1..]].concat();
    let (code, said) = replayed(&without);
    assert_eq!(code, Some(1), "{said}");
    let steps = lines[..=last + 1].iter().filter(|line| line.contains(r#""do""#)).count();
    assert!(
        said.contains(&format!("step {} may not happen: the block is not notarized", steps - 1)),
        "{said}"
    );
}

/// The run of `late_better_rank`: two blocks of one subround are notarized.
fn two_notarized(claim: &str) -> Vec<String> {
    let header =
        HEADER.replace("OncePerSubround", "BetterRank").replace(r#""byzantine": 1"#, r#""byzantine": 0"#);
    let mut lines = vec![header.replace(r#""instance""#, &format!(r#"{claim}"instance""#))];
    lines.push(r#"{"generators": ["honest", "honest"], "round": 1, "subround": 0}"#.into());
    let steps = lines.len();
    lines.extend((0..4).map(|miner| format!(r#"{{"do": "share_beacon", "miner": {miner}}}"#)));
    for (block, generator) in [("B(1,0)#1", 1), ("B(1,0)#0", 0)] {
        lines.push(format!(r#"{{"do": "propose", "miner": {generator}, "block": "{block}"}}"#));
        for (miner, what) in (0..3).flat_map(|miner| [(miner, "select"), (miner, "ticket")]) {
            lines.push(format!(r#"{{"do": "{what}", "miner": {miner}, "block": "{block}"}}"#));
        }
        lines.push(format!(r#"{{"do": "notarize", "block": "{block}"}}"#));
    }
    lines.push(format!(r#"{{"end": {}}}"#, lines.len() - steps));
    lines
}

#[test]
fn a_claim_must_be_shown_and_a_run_without_one_may_break_nothing() {
    let claimed = |property: &str, verdict: &str| {
        let claim =
            format!(r#""claim": {{"property": "{property}", "verdict": "{verdict}", "because": "?"}}, "#);
        replayed(&two_notarized(&claim))
    };
    let (code, said) = claimed("S2", "violated");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("a run of 20 steps, and S2 is violated; the specification followed it"), "{said}");
    let (code, said) = claimed("S5", "violated");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("S5 is claimed to be violated, and none of the 20 steps shows it"), "{said}");
    let (code, said) = claimed("S2", "holds");
    assert_eq!(code, Some(2), "{said}");
    let (code, said) = replayed(&two_notarized(""));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("step 20 breaks S2, and the run does not claim it"), "{said}");
}

#[test]
fn a_file_that_is_no_run_is_refused_with_the_line_and_the_fix() {
    let whole: Vec<String> =
        [HEADER.into()].into_iter().chain(round(1)).chain([format!(r#"{{"end": {STEPS}}}"#)]).collect();
    assert_eq!(replayed(&whole).0, Some(0), "the control: {whole:?}");
    let edited = |at: usize, from: &str, to: &str| {
        let mut lines = whole.clone();
        assert!(lines[at].contains(from), "{}", lines[at]);
        lines[at] = lines[at].replace(from, to);
        lines
    };
    let long = " ".repeat(1 << 16);
    let cases = [
        (
            edited(0, r#""version": 1"#, r#""version": 9"#),
            "run.jsonl:1: this is \"zus-run\", version 9\n  fix: use a file with format \"zus-trace\" or \"zus-run\", version 1",
        ),
        (edited(0, r#""n": 4"#, r#""n": 0"#), "run.jsonl:1: instance.n: "),
        (edited(0, r#""n": 4"#, r#""n": 4, "n": 4"#), "run.jsonl:1: duplicate field `n`, column "),
        (edited(0, r#""byzantine": 1"#, r#""byzantine": 4"#), "run.jsonl:1: instance.byzantine: "),
        (edited(0, r#""observers": 2"#, r#""observers": 0"#), "run.jsonl:1: instance.observers: "),
        (
            edited(0, r#""observers": 2"#, r#""observers": 2, "fault": 3"#),
            "run.jsonl:1: unknown field `fault`",
        ),
        (
            edited(0, r#""byzantine": 1"#, r#""byzantine": 1, "exposed": 2"#),
            "run.jsonl:1: instance.exposed: ",
        ),
        (
            edited(0, r#""byzantine": 1"#, r#""byzantine": 1, "beacon_threshold": 5"#),
            "run.jsonl:1: instance.beacon_threshold: ",
        ),
        // As a scenario, and a trace with bounds.
        (
            edited(0, r#""byzantine": 1"#, r#""byzantine": 1, "restarts_behind": true"#),
            "run.jsonl:1: instance.restarts_behind: no miner restarts",
        ),
        (
            edited(0, r#""RoundOnly""#, r#""Chained""#)
                .into_iter()
                .map(|line| line.replace(r#""observers": 2"#, r#""observers": 2, "exposed": 1"#))
                .collect(),
            "run.jsonl:1: instance.exposed: only under `RoundOnly`",
        ),
        (
            edited(1, r#"["byzantine", "#, r#"["byzantine", "byzantine", "#),
            "run.jsonl:2: generators: (1, 0) has 2 Byzantine and 1 honest generators of 1 and 3",
        ),
        (edited(1, "1", "0"), "run.jsonl:2: the generators of round 0"),
        (edited(2, r#""do""#, r#""generators": [], "do""#), "run.jsonl:3: unknown field `do`"),
        (edited(2, "share_beacon", "share"), "run.jsonl:3: steps, step 1: unknown variant `share`"),
        (edited(2, r#""miner""#, r#""block": "genesis", "miner""#), "run.jsonl:3: steps, step 1: "),
        (
            edited(5, "B(1,0)#1", "B(1,0)#01"),
            "run.jsonl:6: steps, step 4: \"B(1,0)#01\" is no name of a block",
        ),
        (edited(5, "B(1,0)#1", "B(1,0)#2"), "run.jsonl:6: steps, step 4: B(1,0)#2: no line before says"),
        (edited(6, "{", ""), "run.jsonl:7: "),
        (edited(6, "{", &format!("{long}{{")), "run.jsonl:7: a line of more than 65536 bytes"),
        (edited(20, "18", "17"), "run.jsonl:21: the last line says {\"end\":17}, after 18 steps"),
        (edited(20, "18", "18}\n{"), "run.jsonl:22: a line after the end"),
        (whole[..20].to_vec(), "run.jsonl:21: the line {\"end\": STEPS} is missing"),
        ([&whole[..2], &whole[1..]].concat(), "run.jsonl:3: the generators of (1, 0) for the second time"),
    ];
    for (lines, wrong) in cases {
        let (code, said) = replayed(&lines);
        assert_eq!(code, Some(2), "{wrong}: {said}");
        assert!(said.contains(wrong) && said.contains("\n  fix: "), "{wrong}: {said}");
    }
}

#[test]
fn what_needs_the_bounds_of_the_model_says_who_reads_a_long_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("run.jsonl"), HEADER).unwrap();
    for command in ["draw", "explore"] {
        let refused = zus_in(folder.path(), &[command, "run.jsonl"]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(
            said.contains("run.jsonl:1: this is a run of any length, which only `zus replay` reads"),
            "{command}: {said}"
        );
    }
}
