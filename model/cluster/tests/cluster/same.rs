//! Whatever the number of processes, the report is the one of the search on threads.

use crate::program::{code, comparable, of_threads, printed, run, text};

/// Runs `name` in so many processes and compares the reports.
fn is_same(name: &str, processes: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &[&["local", processes, name, "--format", "json"], more].concat());
    assert_eq!(code(&output), 0, "{name}: {}", text(&output.stderr));
    assert_eq!(printed(&output), of_threads(name), "{name} in {processes} processes");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "a search that ended leaves nothing: {left:?}");
    text(&output.stderr)
}

#[test]
fn the_report_is_the_one_of_threads() {
    // Exhausted and sorted; violated; ended early; one state after the other in a synchronous network; restarts; a network that
    // becomes synchronous; and certificates for a part of the properties.
    let names = [
        "hardened",
        "late_better_rank",
        "common_ancestor_3",
        "catalogue_silent_generator",
        "hardened_restart",
        "hardened_live",
        "both_engines",
    ];
    for name in names {
        for processes in ["1", "2", "4"] {
            is_same(name, processes, &[]);
        }
    }
}

/// All committed scenarios that have an explicit search, as a command:
/// `cargo test -p zus-cluster --test cluster -- --ignored every_committed`.
#[test]
#[ignore = "a minute"]
fn every_committed_scenario_has_the_report_of_threads() {
    for name in zus_checker::committed::names() {
        let scenario = zus_checker::committed::find(name).unwrap();
        let explicit = zus_checker::scenario::Engine::Explicit;
        // Random runs are not shared, and certificates answer in one process.
        if scenario.simulate.is_none() && scenario.is_answered_by(explicit) {
            is_same(name, "3", &[]);
        }
    }
}

#[test]
fn sorted_runs_on_disk_change_nothing() {
    for (name, processes) in [("hardened", "2"), ("hardened_restart", "3"), ("catalogue_both_branches", "1")]
    {
        let told = is_same(name, processes, &["--max-memory", "200KiB"]);
        assert!(told.contains("sorted runs on disk were used"), "{told}");
        assert!(
            !is_same(name, processes, &[]).contains("sorted runs"),
            "they are for what outgrows the memory"
        );
    }
}

#[test]
fn another_seed_has_the_same_report() {
    is_same("two_subrounds", "2", &["--hash-seed", "77"]);
}

/// The control: a comparison that leaves too much out would find any two alike.
#[test]
fn another_scenario_has_another_report() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["local", "1", "two_subrounds", "--format", "json"]);
    assert_ne!(printed(&output), of_threads("late_better_rank"));
    let mut report: zus_report::Report = serde_json::from_slice(&output.stdout).unwrap();
    report.scenarios[0].generated += 1;
    assert_ne!(comparable(report), of_threads("two_subrounds"));
}
