//! The same question has the same answer, whatever the number of threads.

use serde_json::Value;
use std::process::Command;

/// A report without what is measured with a clock or a scale, and without the command itself.
fn report(arguments: &[&str], threads: &str) -> Value {
    let command: Vec<&str> = [arguments, &["--format", "json", "--threads", threads]].concat();
    let output = Command::new(env!("CARGO_BIN_EXE_zus")).args(&command).output().unwrap();
    let mut report = serde_json::from_slice(&output.stdout).unwrap();
    forget(&mut report);
    report
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for measured in ["seconds", "peak_bytes", "peak_memory", "command"] {
                fields.remove(measured);
            }
            fields.values_mut().for_each(forget);
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}

#[test]
fn reports_do_not_depend_on_the_number_of_threads() {
    for arguments in [
        &["check", "hardened_loss", "documented_live", "catalogue_far_ahead", "two_subrounds_better_rank"][..],
        // Ended by a bound in the middle of a level.
        &["check", "hardened", "f_plus_one", "--max-states", "40000"],
        &["simulate", "hardened_loss", "--seed", "7", "--runs", "300"],
    ] {
        let one = report(arguments, "1");
        assert!(one["scenarios"][0]["properties"][0]["property"].is_string(), "{one}");
        for threads in ["2", "4"] {
            assert_eq!(report(arguments, threads), one, "{arguments:?} with {threads} threads");
        }
    }
}

#[test]
fn another_seed_is_another_sample() {
    let of = |seed| report(&["simulate", "hardened_loss", "--runs", "300", "--seed", seed], "1");
    assert_ne!(of("7")["scenarios"][0]["generated"], of("8")["scenarios"][0]["generated"]);
}
