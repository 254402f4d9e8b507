//! The summary of a pull request: a changed rule shows with its verdict, run, proof condition, mutant and number.

use std::{fs, path::Path, process::Command};
use zus_checker::{
    mutants::committed_mutants,
    scenario::parse,
    search::{
        bfs::Limits,
        check::{Options, Standing, check},
    },
};
use zus_report::{
    Report, RunReport, ScenarioReport, mermaid,
    page::figures::Figures,
    summary::{
        self, Inputs,
        proofs::{self, Condition, Outcome, Proofs},
    },
};

const BEFORE: &str = r#"question = "Is one ticket a subround enough?"
profile = "hardened"
n = 4
byzantine = 0
rounds = 1
subrounds = 1
network = "async"
generators = [["honest", "honest"]]

[expect]
S2 = "holds"
S8 = "holds"
"#;

fn report(text: &str) -> Report {
    let options = Options { limits: Limits::default(), command: "cargo test", progress: &|_| {} };
    let scenario = parse("tickets", "tickets.toml", text).unwrap();
    let mut report = Report::new("zus check tickets.toml".into());
    report.scenarios.push(ScenarioReport::new(&check(&scenario, options)));
    report.summarize(1.0, 0);
    report
}

fn changed() -> Report {
    report(&BEFORE.replace("\n[expect]", "\n[rules]\nticket = \"BetterRank\"\n\n[expect]"))
}

fn proofs(outcome: Outcome) -> Proofs {
    let condition = |id: &str, outcome| Condition { id: id.into(), outcome, says: String::new() };
    let mut failing = condition("log_ticket:one-logged", outcome);
    if outcome != Outcome::Holds {
        failing.says = "log_ticket:one-logged: action `log_ticket` does not keep it".into();
    }
    Proofs {
        format: proofs::FORMAT.into(),
        version: proofs::VERSION,
        command: "zus-proofs check --rules hardened".into(),
        rules: "hardened".into(),
        conditions: vec![condition("implied:S2", Outcome::Holds), failing],
        unchanged: 3,
        run: None,
    }
}

fn figures() -> Figures {
    Figures::parse(include_str!("data/figures.json")).unwrap()
}

#[test]
fn a_changed_rule_shows_in_every_part() {
    let mut after = changed();
    let mutant = &committed_mutants().unwrap()[0];
    let options =
        Options { limits: Limits { states: 5, ..Limits::default() }, command: "", progress: &|_| {} };
    // With room for five states it is not caught.
    let fate = zus_checker::mutants::Executioner::default().run(mutant, options);
    let survivor = zus_report::mutants::MutantResult::new(mutant, &fate);
    assert_ne!(survivor.standing, Standing::AsExpected);
    let name = survivor.name.clone();
    after.mutants.push(survivor);
    let text = summary::write(&Inputs {
        after: vec![after],
        before: vec![report(BEFORE)],
        proofs: vec![proofs(Outcome::Fails)],
        proofs_before: vec![proofs(Outcome::Holds)],
        figures: vec![figures()],
        figures_before: Vec::new(),
    });
    for shown in [
        "- **1 verdict changed**",
        "| tickets | S2 | holds | **violated in 6 steps** | holds (tickets.toml:14) | DIFFERS |",
        "## Unique states\n",
        "- 1 new run, drawn below",
        "```mermaid\nsequenceDiagram\n",
        "- **1 is not as expected**",
        "- **1 proof condition broke**",
        "| hardened | log_ticket:one-logged | holds | **fails** | zus-proofs check --rules hardened |",
        "does not keep it",
        "- **1 mutant of the model not caught**",
        &name,
        "| mutant ForgetEarlyTickets survives 30,000 runs |",
        "- **1 number of 1 of other tools moved**",
        "| sign | 1,500,000 instructions | **1,578,864** instructions | +5.26 % |",
    ] {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    assert!(!text.contains("| tickets | S3 |"), "what is the same is not shown:\n{text}");
}

#[test]
fn what_is_the_same_is_said_and_what_is_not_asked_any_more_is_too() {
    let same = |after: Report| {
        summary::write(&Inputs { after: vec![after], before: vec![report(BEFORE)], ..Inputs::default() })
    };
    let text = same(report(BEFORE));
    for shown in [
        "no verdict changed",
        "0 numbers of states moved, 1 are the same",
        "every run that is shown is the same",
    ] {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    assert!(!text.contains("## ") && !text.contains("```"), "{text}");
    let text = same(report(&BEFORE.replace("S8 = \"holds\"\n", "")));
    assert!(text.contains("| tickets | S8 | holds | **(none)** |"), "{text}");
    let gone = Proofs { conditions: Vec::new(), ..proofs(Outcome::Holds) };
    let inputs =
        Inputs { proofs: vec![gone], proofs_before: vec![proofs(Outcome::Holds)], ..Inputs::default() };
    assert!(summary::write(&inputs).contains("| hardened | implied:S2 | holds | (not asked) |"));
    // Without an earlier report, what is not as expected is what there is to say.
    let text = summary::write(&Inputs { after: vec![changed()], ..Inputs::default() });
    assert!(text.contains("no earlier report") && text.contains("sequenceDiagram"), "{text}");
}

/// Another run of the same length is not said to be new, let alone shorter.
#[test]
fn a_run_of_the_same_length_is_another_one() {
    let mut before = changed();
    let run = before.scenarios[0].properties[0].run.as_mut().unwrap();
    run.steps[0].says = "miner 3 tickets B(1,0)#1".into();
    let text = summary::write(&Inputs { after: vec![changed()], before: vec![before], ..Inputs::default() });
    assert!(text.contains("- 1 other run of the same length as before, drawn below"), "{text}");
    assert!(!text.contains("shortest") && !text.contains("1 new run"), "{text}");
}

#[test]
fn a_summary_fits_however_much_there_is_to_say() {
    let mut after = changed();
    let first = after.scenarios[0].clone();
    let long = |run: &mut RunReport| {
        let step = run.steps[0].clone();
        run.steps = vec![step; 400];
        for step in &mut run.steps {
            step.label = "#".repeat(500);
            step.says = "|<`".repeat(300);
        }
    };
    for index in 0..600 {
        let mut scenario = first.clone();
        scenario.name = format!("another {index}");
        for p in &mut scenario.properties {
            if let Some(run) = &mut p.run {
                long(run);
            }
        }
        after.scenarios.push(scenario);
    }
    let run = after.scenarios[1].properties[0].run.clone().unwrap();
    assert!(mermaid::diagram(&run).chars().count() < mermaid::MOST_CHARACTERS);
    let text =
        summary::write(&Inputs { after: vec![after], before: vec![report(BEFORE)], ..Inputs::default() });
    assert!(text.len() <= summary::MOST_BYTES, "{}", text.len());
    assert!(text.contains("more runs do not fit") && text.contains("and 401 more"), "{}", &text[..3_000]);
    for diagram in text.split("```mermaid\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        assert!(diagram.chars().count() < mermaid::MOST_CHARACTERS);
    }
}

/// The command, on what `zus check --out` writes.
#[test]
fn the_command_reads_folders_and_says_what_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let zus = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_zus")).args(arguments).current_dir(folder.path()).output().unwrap()
    };
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("tickets.toml", BEFORE);
    assert!(zus(&["check", "tickets.toml", "--quiet", "--out", "before/check"]).status.success());
    write("tickets.toml", &BEFORE.replace("\n[expect]", "\n[rules]\nticket = \"BetterRank\"\n\n[expect]"));
    let changed = zus(&["check", "tickets.toml", "--quiet", "--out", "after/check"]);
    assert_eq!(changed.status.code(), Some(1));
    write("proofs.json", &serde_json::to_string(&proofs(Outcome::Undecided)).unwrap());
    write("figures.json", include_str!("data/figures.json"));
    let made = zus(&[
        "summary",
        "after",
        "--baseline",
        "before",
        "--proofs",
        "proofs.json",
        "--figures",
        "figures.json",
        "--out",
        "s.md",
    ]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = fs::read_to_string(folder.path().join("s.md")).unwrap();
    for shown in
        ["**violated in 6 steps**", "`zus replay after/check/traces/tickets-S2.json`", "**undecided**"]
    {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    assert!(Path::new(&folder.path().join("after/check/traces/tickets-S2.json")).is_file());
    for (arguments, why) in [
        (&["summary", "nowhere"][..], "nowhere: "),
        (&["summary", "."], "no report.json"),
        (&["summary", "after", "--proofs", "figures.json"], "figures.json: "),
        (&["summary", "after", "--figures", "proofs.json"], "proofs.json: "),
    ] {
        let refused = zus(arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains(why), "{refused:?}");
    }
}
