//! The program `localnet` from outside: what it refuses, and what becomes of the trace of an earlier run.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use crate::examples::example;

fn localnet(folder: &Path, arguments: &str) -> Output {
    Command::new(example("localnet")).args(arguments.split_whitespace()).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn what_makes_no_run_or_changes_nothing_in_one_is_refused_with_the_option_and_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, said, fix) in [
        (
            "--kill 1@500 --kill 1@700",
            "--kill 1@700: miner 1 is down from 500 ms to 2500 ms",
            "after 2500 ms",
        ),
        ("--kill 1@700 --kill 1@500", "--kill 1@700: miner 1 is down from 500 ms", "after 2500 ms"),
        ("--kill 1@500 --kill 2@500 --kill 1@500", "--kill 1@500: miner 1 is down", "remove one of the two"),
        // At the moment at which it comes back.
        ("--kill 1@500 --kill 1@2500", "--kill 1@2500: miner 1 is down", "after 2500 ms"),
        ("--kill 1@18446744073709551615 --kill 1@18446744073709551614", "--kill 1@", "remove one of the two"),
        ("--kill 9@1", "--kill 9@1: there is no miner 9 of 4", "from 0 to 3"),
        ("--silent 1 --kill 3@500", "--kill 3@500: miner 3 is silent", "below 3"),
        (
            "--silent 5",
            "--silent 5 --equivocate 0 --byzantine-dealers 0: no miner of 4 is left that is honest",
            "at most 3",
        ),
        (
            "--silent 2 --equivocate 2",
            "--silent 2 --equivocate 2 --byzantine-dealers 0: no miner of 4",
            "at most 3",
        ),
        ("--rounds 1 --kill 0@500000", "--kill 0@500000: the run ended at", "an earlier time"),
        (
            "--trace t.json --equivocate 3",
            "--trace: 3 of 4 miners are dishonest, more than the 1",
            "leave out --trace",
        ),
        ("--trace /", "/: cannot be written: ", "name another place"),
        ("--trace none/t.json", "none/t.json: cannot be written: ", "name another place"),
        ("--exchange 1", "--exchange 1: one epoch exchanges nobody", "--epochs 2"),
        ("--byzantine-dealers 1", "--byzantine-dealers 1: one epoch generates no keys", "--epochs 2"),
        ("--signatures mock", "--signatures mock: one epoch runs on BLS", "--epochs 2"),
        ("--epochs 2 --exchange 5", "--exchange: more members than a committee has", "at most 4"),
        ("--epochs 2 --trace t.json", "--trace: a trace has no epochs", "leave --trace"),
        ("--epochs 2 --steps", "--steps: steps are printed in one epoch", "leave --steps"),
        ("--epochs 2 --profile deployed", "--profile: epochs hand over by votes", "leave --profile out"),
        ("--epochs 2 --exchange 1 --kill 5@1", "--kill 5@1: there is no miner 5 of 5", "from 0 to 4"),
        (
            "--trace t.json --profile deployed",
            "--trace: a trace is of the profile `hardened`",
            "leave --profile out",
        ),
    ] {
        let refused = localnet(folder.path(), arguments);
        let told = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{arguments}: {told}");
        assert!(told.starts_with(&format!("error: {said}")), "{arguments}: {told}");
        let (_, fixed) =
            told.split_once("\n  fix: ").unwrap_or_else(|| panic!("{arguments}: no fix: {told}"));
        assert!(fixed.contains(fix), "{arguments}: {told}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Of a run that the model has room for the trace can be drawn; any other has the form for a run of any length, up to its end.
#[test]
fn the_form_of_a_trace_is_that_of_its_length() {
    let folder = tempfile::tempdir().unwrap();
    let kills: String = (1..=16).map(|kill| format!(" --kill 1@{}", 2_100 * kill)).collect();
    for (arguments, format, rounds) in [
        ("--rounds 6", "zus-trace", 6),
        ("--rounds 7", "zus-run", 7),
        ("--rounds 50", "zus-run", 50),
        ("--rounds 1 --miners 8 --equivocate 1", "zus-trace", 1),
        ("--rounds 1 --miners 8", "zus-run", 1),
        (&format!("--rounds 90{kills}"), "zus-run", 90),
    ] {
        let run = localnet(folder.path(), &format!("{arguments} --trace t.json"));
        assert_eq!(run.status.code(), Some(0), "{arguments}: {}", text(&run.stderr));
        let trace = fs::read_to_string(folder.path().join("t.json")).unwrap();
        assert!(trace.contains(&format!("\"{format}\"")), "{arguments}: {}", &trace[..200]);
        if format == "zus-run" {
            let steps = trace.lines().filter(|line| line.contains("\"do\"")).count();
            assert_eq!(trace.lines().last(), Some(&*format!("{{\"end\":{steps}}}")), "{arguments}");
            let last = format!("\"block\":\"B({rounds},");
            assert!(
                trace.lines().any(|line| line.contains("finalize") && line.contains(&last)),
                "{arguments}"
            );
        }
    }
}

#[test]
fn a_miner_may_be_killed_again_once_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let run = localnet(folder.path(), "--rounds 4 --kill 1@500 --kill 1@2501 --kill 2@600");
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
}

#[test]
fn epochs_are_printed_with_those_who_joined_and_left_and_one_that_is_not_reached_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "--epochs 3 --exchange 1 --rounds 2 --sharders 1 --kill 2@900";
    let run = localnet(folder.path(), arguments);
    let printed = text(&run.stdout);
    assert_eq!(run.status.code(), Some(0), "{printed} {}", text(&run.stderr));
    for said in ["joined: N4; left: N0", "joined: N5; left: N1", "3 of 3 epochs began"] {
        assert!(printed.contains(said), "{said}: {printed}");
    }
    // Dealers that lie are named, with the reason.
    let run = localnet(
        folder.path(),
        "--epochs 3 --exchange 1 --rounds 2 --byzantine-dealers 1 --signatures mock --seed 2",
    );
    let printed = text(&run.stdout);
    assert_eq!(run.status.code(), Some(0), "{printed} {}", text(&run.stderr));
    for said in [
        "N4 lies in key generations: WrongShareFor(1)",
        "excluded from the key of epoch 2: N4: no settlement",
        "2 keys were generated, 0 attempts failed",
        "every honest node is on one chain",
    ] {
        assert!(printed.contains(said), "{said}: {printed}");
    }
    // Two of four are silent: no quorum is left.
    let run = localnet(folder.path(), "--epochs 2 --exchange 1 --silent 2 --patience 5");
    assert_eq!(run.status.code(), Some(1), "{}", text(&run.stderr));
    assert!(text(&run.stdout).contains("NOT DONE"));
}

#[test]
fn no_trace_of_a_run_that_no_longer_exists_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.json");
    let run = || assert_eq!(localnet(folder.path(), "--rounds 1 --trace t.json").status.code(), Some(0));
    for bad in [
        "--kill 9@1 --trace t.json",
        "--profile deployed --trace t.json",
        "--rounds 1 --kill 0@500000 --trace t.json",
    ] {
        run();
        assert!(fs::read_to_string(&file).unwrap().contains("zus-trace"));
        assert_eq!(localnet(folder.path(), bad).status.code(), Some(2), "{bad}");
        assert!(!file.exists(), "{bad}");
    }
}

/// The command that it prints is read by bash as the name of the file.
#[cfg(unix)]
#[test]
fn the_printed_command_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let name = "t\u{202e}it's\u{1b}[2K.json";
    let run = Command::new(example("localnet"))
        .args(["--rounds", "1", "--trace", name])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let printed = text(&run.stdout);
    let (_, command) = printed.split_once("(zus replay ").unwrap_or_else(|| panic!("{printed}"));
    let word = command.lines().next().unwrap().strip_suffix(')').unwrap();
    let read =
        Command::new("bash").args(["-c", &format!("test -f {word}")]).current_dir(folder.path()).status();
    assert!(read.unwrap().success(), "{word}");
}

#[cfg(unix)]
#[test]
fn a_trace_that_may_not_be_so_large_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let script = "ulimit -c 0; ulimit -f 1; exec \"$0\" --rounds 4 --trace t.json";
    let mut command = Command::new("bash");
    command.args(["-c", script]).arg(example("localnet")).current_dir(folder.path());
    let full = command.output().unwrap();
    let said = text(&full.stderr);
    assert!(
        full.status.code() == Some(2) && said.starts_with("error: t.json: cannot be written: "),
        "{said}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
