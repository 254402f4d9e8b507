//! The fast part of the kill matrix: what shows a deliberate bug shows nothing wrong about the real code, and each bug has
//! something that shows it. `zus-fuzz mutants check` gives each witness its bug, in a build that has all of them, and
//! `zus-fuzz matrix --write` makes the witnesses.

use std::collections::BTreeSet;

use zus_bpp::rules::{FinalityRule, Rules};
use zus_checker::properties::Property;
use zus_epochs::handoff::EpochProperty;
use zus_fuzz::campaign::{run, walk};
use zus_fuzz::judge::by_product;
use zus_fuzz::mutants::{Table, Witness, witnesses};
use zus_fuzz::product::timeless;
use zus_fuzz::schedule::Schedule;
use zus_fuzz::targets;
use zus_fuzz::world::Adjust;

use crate::deviations;

#[test]
fn each_bug_has_a_witness_that_shows_nothing_about_the_real_code() {
    let table = Table::read().expect("the table is read");
    let mut files = BTreeSet::new();
    for bug in &table.bugs {
        assert!(!bug.witness.is_empty(), "{} has no witness", bug.id);
        for witness in bug.witnesses().unwrap_or_else(|wrong| panic!("{wrong}")) {
            let read = |path| std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", bug.id));
            match witness {
                Witness::Run(path) => {
                    let schedule = Schedule::from_file(&read(&path));
                    let run = run(&schedule, Adjust::NONE);
                    // The synchronous end of a run is looked at, too.
                    let wrong = run.failure().is_some() || run.ends_well().is_err();
                    assert!(!wrong, "{}: the real code is accused: {schedule:?}", bug.id);
                    files.insert(path);
                }
                Witness::Input(target, path) => {
                    targets::named(&target).expect("it was looked for")(&read(&path));
                    files.insert(path);
                }
                // Tests run by themselves. Commands are `mutants check`'s: they take long where nothing is wrong.
                Witness::Command(_) | Witness::Test(_) => {}
            }
        }
    }
    let folder = std::fs::read_dir(witnesses()).expect("the folder of the witnesses");
    let strangers: Vec<_> =
        folder.flatten().map(|entry| entry.path()).filter(|path| !files.contains(path)).collect();
    assert!(strangers.is_empty(), "of no bug: {strangers:?}");
}

#[test]
fn each_bug_says_what_it_breaks() {
    let table = Table::read().expect("the table is read");
    let page = std::fs::read_to_string(zus_fuzz::room().join("../model/PROTOCOL.md")).expect("the page");
    for bug in &table.bugs {
        let breaks = &*bug.breaks;
        let is_step = breaks.strip_prefix("Step ").and_then(|step| step.parse::<u8>().ok());
        let known = ["Bounds", "DKG", "Wire"].contains(&breaks)
            || is_step.is_some_and(|step| (1..=10).contains(&step))
            || Property::ALL.iter().any(|property| property.id() == breaks)
            || EpochProperty::ALL.iter().any(|property| property.id() == breaks);
        assert!(known, "{}: {breaks} is no property and no step", bug.id);
        if let Some(row) = &bug.list {
            assert!(page.contains(&format!("\n| {row} | ")), "{}: the page has no row {row}", bug.id);
            // The table of the rows of epochs names the bugs, too.
            let named = !row.starts_with("VC") || page.contains(&format!("\n| {row} | `{}` | ", bug.id));
            assert!(named, "{}: the page does not name it beside {row}", bug.id);
        }
    }
}

/// A value of `finality` under which the obligations ask nothing would excuse a miner that finalizes nothing. (The obligation of the
/// sharder asks for the same rounds.) A witness for each such value asks oracles/obligations/finality.rs.
#[test]
fn obligations_ask_for_finality_under_every_rule() {
    let table = Table::read().expect("the table is read");
    let bug = table.named("FinalityUnevaluated").expect("it is in the table");
    let changed = |&finality: &FinalityRule| Rules { finality, ..Rules::HARDENED };
    for rules in FinalityRule::ALL.iter().map(changed).filter(|rules| !rules.votes()) {
        let named = format!("hardened,finality={} ", rules.finality.to_string().replace(' ', ""));
        assert!(bug.witness.iter().any(|witness| witness.contains(&named)), "no walk under {named}");
    }
}

/// The published table is of the bugs that exist. `zus-fuzz matrix --keep --units --only ID --write` adds a row in half a minute.
#[test]
fn every_bug_has_its_row_in_the_kill_matrix() {
    let table = Table::read().expect("the table is read");
    let page = std::fs::read_to_string(zus_fuzz::room().join("MATRIX.md")).expect("the page is read");
    let rows: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let bugs: Vec<&str> = table.bugs.iter().map(|bug| bug.id.as_str()).collect();
    let missing: Vec<&&str> = bugs.iter().filter(|bug| !rows.contains(bug)).collect();
    assert!(missing.is_empty(), "no row in fuzz/MATRIX.md: {missing:?}");
    let gone: Vec<&&str> = rows.iter().filter(|row| !bugs.contains(row)).collect();
    assert!(gone.is_empty(), "rows of fuzz/MATRIX.md without a bug: {gone:?}");
}

/// The published table names tests that exist. A test that got another name or became a script is asked again by
/// `zus-fuzz matrix --keep --units --write --only ID`.
#[test]
fn every_unit_test_of_the_kill_matrix_exists() {
    fn functions(folder: &std::path::Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder of the production code").flatten() {
            let path = entry.path();
            if path.is_dir() {
                functions(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).expect("a file of the production code");
                let named = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn "));
                found.extend(named.filter_map(|rest| Some(rest.split_once('(')?.0.to_owned())));
            }
        }
    }
    // A script is a test of its own.
    let scripts = zus_fuzz::mutants::production().join("src/miner/tests/scripts");
    let scripts = std::fs::read_dir(scripts).expect("the scripts").flatten();
    let mut known: BTreeSet<String> =
        scripts.filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned())).collect();
    for folder in ["src", "tests", "bls/src"] {
        functions(&zus_fuzz::mutants::production().join(folder), &mut known);
    }
    let missing = |page: &str| -> Vec<String> {
        let tests = page.split('`').filter(|part| part.contains("::") && !part.contains([' ', '\n']));
        let gone = tests.filter(|path| path.rsplit("::").next().is_none_or(|name| !known.contains(name)));
        gone.map(str::to_owned).collect()
    };
    let page = std::fs::read_to_string(zus_fuzz::room().join("MATRIX.md")).expect("the page is read");
    assert_eq!(
        missing(&page),
        Vec::<String>::new(),
        "tests that fuzz/MATRIX.md names, and that do not exist"
    );
    assert_eq!(missing("| `a` | `miner::tests::no_such_test` and 1 more |"), ["miner::tests::no_such_test"]);
}

/// No part of the production code is left out of the list of survivors silently: a row of the table, or a sentence that says why not.
#[test]
fn every_part_of_the_production_code_is_in_the_list_of_survivors() {
    let page = std::fs::read_to_string(zus_fuzz::room().join("SURVIVORS.md")).expect("the page is read");
    let folder = std::fs::read_dir(zus_fuzz::mutants::production().join("src")).expect("the production code");
    let mut parts: Vec<String> = folder
        .map(|entry| format!("impl/src/{}", entry.expect("an entry").file_name().to_string_lossy()))
        // Numbers, names, and the shape of messages: nothing in them decides.
        .filter(|part| !["lib.rs", "limits.rs", "message.rs"].iter().any(|file| part.ends_with(file)))
        .collect();
    parts.sort();
    assert!(parts.len() > 10, "{parts:?}");
    let missing: Vec<&String> = parts.iter().filter(|part| !page.contains(part.as_str())).collect();
    assert!(missing.is_empty(), "not in fuzz/SURVIVORS.md: {missing:?}");
}

/// The control: no memory of witnesses, a thousand random runs.
#[test]
fn a_random_walk_notices_participants_that_go_by_other_rules() {
    for name in ["twins", "volatile", "local", "no echo"] {
        let found = walk(1, 1_000, deviations::of(name), None);
        assert!(found.is_some(), "{name}: nobody notices it in a thousand random runs");
    }
}

#[test]
fn the_product_notices_participants_that_go_by_other_rules() {
    let give = |config: &mut zus_bpp::miner::Config, _| {
        timeless(config, 0);
        config.rules.echo = zus_bpp::rules::EchoRule::None;
    };
    assert!(by_product(Some(Adjust(give, 0))).is_some_and(|kill| kill.by == "product"));
}

/// A walk that finds something can be made shorter and still finds the same.
#[test]
fn a_finding_is_shrunk_to_a_tenth() {
    let adjust = deviations::of("twins");
    let found = walk(1, 5_000, adjust, None).expect("a random walk finds it");
    let kind = found.failure.kind();
    let short = zus_fuzz::shrink::shrink(&found.schedule, |schedule| {
        run(schedule, adjust).failure().is_some_and(|failure| failure.kind() == kind)
    });
    assert!(short.choices.len() <= 20, "{} choices are left: {short:?}", short.choices.len());
    assert!(run(&short, Adjust::NONE).failure().is_none());
}

/// The bugs are in the table and in the copy that is made of it, and nowhere else.
#[test]
fn the_production_crates_know_nothing_of_bugs() {
    fn look(path: &std::path::Path, found: &mut Vec<String>) {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).expect("a folder");
            entries.flatten().for_each(|entry| look(&entry.path(), found));
        } else if let Ok(text) = std::fs::read_to_string(path) {
            let is_switch =
                |line: &&str| ["mutant!", "mutants::", "ZUS_MUTANT"].iter().any(|word| line.contains(word));
            found.extend(text.lines().filter(is_switch).map(|line| format!("{}: {line}", path.display())));
        }
    }
    let mut found = Vec::new();
    for folder in [zus_fuzz::mutants::production(), zus_fuzz::mutants::production().join("bls")] {
        look(&folder.join("src"), &mut found);
        assert!(found.is_empty(), "{}", found.join("\n"));
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).expect("the manifest");
        assert!(!manifest.contains("mutant"), "a feature for bugs: {manifest}");
    }
    // The control: the copy has them.
    look(&zus_fuzz::room().join("harness/src/mutants"), &mut found);
    assert!(!found.is_empty());
}
