//! The conditions of the proofs: for any number of members, rounds and subrounds.

use super::{Context, Found};
use crate::{
    Failure,
    report::{Answer, Row},
    tools::{Done, MOST_SECONDS},
};
use zus_report::summary::proofs::{Outcome, Proofs};

/// An axiom without which conditions must fail: two quorums share an honest member.
const NEEDED: &str = "axiom:quorum-intersection";
/// Seconds for the explanation of a failure.
const EXPLAINED: u64 = 60;
/// Conditions that a row names at most.
const NAMED: usize = 5;

pub fn ask(context: &Context) -> Result<Found, Failure> {
    let done = decided(context, MOST_SECONDS, "0", &[])?;
    let command = format!("zus-proofs check --rules {}", context.rules);
    if done.code == Some(2) {
        let row = Row::new("proofs", "conditions", Answer::NotExpressible, done.why(), &command);
        return Ok(Found { rows: vec![row], ..Found::default() });
    }
    let Ok(proofs) = Proofs::parse(&done.stdout) else {
        return Err(Failure::Tool(done.command.clone(), done.why()));
    };
    let of =
        |outcome: Outcome| proofs.conditions.iter().filter(move |condition| condition.outcome == outcome);
    let (fail, undecided) = (of(Outcome::Fails).count(), of(Outcome::Undecided).count());
    let held = of(Outcome::Holds).count() + proofs.unchanged;
    let names = |outcome| {
        let ids: Vec<&str> = of(outcome).take(NAMED).map(|condition| condition.id.as_str()).collect();
        let more = of(outcome).count().saturating_sub(NAMED);
        if more == 0 { ids.join(", ") } else { format!("{} and {more} more", ids.join(", ")) }
    };
    let mut row = if fail > 0 {
        let says =
            format!("{fail} of {} conditions fail: {}", held + fail + undecided, names(Outcome::Fails));
        Row::new("proofs", "conditions", Answer::Violated, says, &command)
    } else if undecided > 0 {
        let says = format!("{undecided} conditions are undecided: {}", names(Outcome::Undecided));
        Row::new("proofs", "conditions", Answer::Undecided, says, &command)
    } else {
        let says = format!("all {held} conditions, for any number of members");
        Row::new("proofs", "conditions", Answer::Holds, says, &command)
    };
    let ids: Vec<&str> = of(Outcome::Fails).map(|condition| condition.id.as_str()).collect();
    row.facts.insert("failing".into(), if ids.is_empty() { "none".into() } else { ids.join(", ") });
    row.facts.insert("conditions".into(), (held + fail + undecided).to_string());
    let mut found = Found::default();
    if fail > 0 {
        let mut text = String::new();
        let explained = explained(context)?;
        let conditions = explained.as_ref().map_or(&proofs.conditions, |proofs| &proofs.conditions);
        for condition in conditions.iter().filter(|condition| condition.outcome == Outcome::Fails) {
            text += &format!("{}\n{}\n\n", condition.id, condition.says);
        }
        match explained.and_then(|proofs| proofs.run) {
            Some(run) => text += &format!("A run that breaks it:\n{run}\n"),
            None => text += &format!("No run was found in {EXPLAINED} seconds: {command}\n"),
        }
        found.files.insert("proofs.txt".into(), text.into_bytes());
        row.run = Some("proofs.txt".into());
    } else if undecided == 0 {
        control(context, &mut row)?;
    }
    found.rows.push(row);
    Ok(found)
}

/// The program, ended: the conditions of the rules as data, so many failures explained, within so many seconds.
fn decided(context: &Context, seconds: u64, explain: &str, more: &[&str]) -> Result<Done, Failure> {
    let rules = context.rules.to_string();
    let arguments = [
        "check",
        "--rules",
        &rules,
        "--judge",
        "rust",
        "--format",
        "json",
        "--explain",
        explain,
        "--threads",
        "1",
    ];
    context.tools.run_for(seconds, "zus-proofs", &[&arguments, more].concat())
}

/// The same with the smallest counterexample of the first condition, and a run that breaks a property; none if that takes too long.
fn explained(context: &Context) -> Result<Option<Proofs>, Failure> {
    let done = decided(context, EXPLAINED, "1", &[])?;
    Ok(Proofs::parse(&done.stdout).ok())
}

/// Deletes what the proof needs: conditions must fail, or the judge says yes to everything.
fn control(context: &Context, row: &mut Row) -> Result<(), Failure> {
    let done = decided(context, MOST_SECONDS, "0", &["--delete", NEEDED])?;
    let Ok(proofs) = Proofs::parse(&done.stdout) else {
        return Err(Failure::Tool(done.command.clone(), done.why()));
    };
    let fail = proofs.conditions.iter().filter(|condition| condition.outcome == Outcome::Fails).count();
    if fail > 0 {
        row.witness = Some(format!("without {NEEDED} {fail} conditions fail"));
    } else {
        row.answer = Answer::Undecided;
        row.says = format!("{}; but without {NEEDED} they hold as well, so this says nothing", row.says);
    }
    Ok(())
}
