//! The kill matrix as tables: Markdown, and figures for the report.

use std::io::Error;

use serde::Deserialize;
use zus_output::figures::{self, Figures};
use zus_output::plain::grouped;

use super::{Code, Results, Rule, Seen, is_shown_elsewhere};
use crate::mutants::{Bug, Table as Bugs};

/// The command that makes it again.
const COMMAND: &str = "cargo run -p zus-fuzz -- matrix --model --product --units --write";

/// A table.
pub struct Table {
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

#[derive(Deserialize)]
struct Proofs {
    row: Vec<Proof>,
}

/// See `matrix/rules.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    id: String,
    deleted: Option<String>,
    run: Option<String>,
    arithmetic: Option<String>,
    stall: Option<String>,
    why: Option<String>,
}

/// The verdicts of the proofs on each row.
struct Shown {
    proofs: Vec<Proof>,
    controls: String,
}

impl Shown {
    fn read() -> std::io::Result<Self> {
        let text = std::fs::read_to_string(crate::room().join("matrix/rules.toml"))?;
        let proofs: Proofs = toml::from_str(&text).map_err(|error| Error::other(error.to_string()))?;
        let controls = std::fs::read_to_string(crate::room().join("../proofs/controls.txt"))?;
        Ok(Self { proofs: proofs.row, controls })
    }

    /// The conditions that fail without an item, in the profile that is proved first.
    fn conditions(&self, item: &str) -> Option<&str> {
        self.controls.lines().find_map(|line| line.strip_prefix(item)?.strip_prefix(" -> "))
    }

    fn of(&self, id: &str) -> std::io::Result<String> {
        let Some(proof) = self.proofs.iter().find(|proof| proof.id == id) else {
            return Err(Error::other(format!("matrix/rules.toml says nothing about {id}")));
        };
        let mut says = Vec::new();
        if let Some(item) = &proof.deleted {
            let failing = self
                .conditions(item)
                .filter(|failing| *failing != "redundant")
                .ok_or_else(|| Error::other(format!("{item} is no control of proofs/controls.txt")))?;
            let first: Vec<&str> = failing.split(' ').take(2).collect();
            let more = failing.split(' ').count() - first.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            says.push(format!("{}{more}", first.join(", ")));
        }
        if let Some(run) = &proof.run {
            says.push(format!("run `{run}`"));
        }
        if let Some(file) = &proof.arithmetic {
            says.push(format!("arithmetic `{file}`"));
        }
        if let Some(stall) = &proof.stall {
            says.push(format!("stall `{stall}`"));
        }
        says.extend(proof.why.iter().map(|why| format!("none: {why}")));
        Ok(says.join("; "))
    }
}

fn by_model(rule: &Rule) -> String {
    if rule.killed {
        format!("{}: {} states, run of {}", rule.property, grouped(rule.states), rule.actions)
    } else {
        "survives".into()
    }
}

fn seen(seen: &Seen, unit: &str) -> String {
    let by = if seen.by == "product" { String::new() } else { format!("{}: ", seen.by) };
    let what = seen.what.replace('|', "/");
    let what: String = what.chars().take(60).collect();
    format!("{by}{} {unit}, {:.2} s ({what})", grouped(seen.executions), seen.seconds)
}

/// The row of the model for a bug, if there is one.
fn rule_of<'a>(results: &'a Results, bug: &Bug) -> Option<&'a Rule> {
    results.rules.iter().find(|rule| rule.id == bug.row())
}

/// Both tables.
pub fn tables(results: &Results, table: &Bugs) -> std::io::Result<[Table; 2]> {
    let shown = Shown::read()?;
    let mut rules = Vec::new();
    for rule in &results.rules {
        let of_rule = table.bugs.iter().filter(|bug| bug.row() == rule.id);
        let code: Vec<String> = of_rule.map(|bug| format!("`{}`", bug.id)).collect();
        let code = if code.is_empty() { "-".into() } else { code.join(", ") };
        rules.push(vec![rule.id.clone(), rule.name.clone(), by_model(rule), shown.of(&rule.id)?, code]);
    }
    let mut bugs = Vec::new();
    for bug in &table.bugs {
        let unknown = Code::default();
        let code = results.code.get(&bug.id).unwrap_or(&unknown);
        let rule = rule_of(results, bug);
        let fuzz: Vec<String> = [&code.walk, &code.target]
            .into_iter()
            .flatten()
            .map(|found| seen(found, if found.by == "walk" { "runs" } else { "inputs" }))
            .collect();
        let nothing = if code.is_killed() || !is_shown_elsewhere(bug) { "-" } else { "not asked" };
        let fuzz = if fuzz.is_empty() { nothing.into() } else { fuzz.join("; ") };
        let units = match &code.units {
            None => "not asked".into(),
            Some((_, 0)) => "-".into(),
            Some((first, 1)) => format!("`{first}`"),
            Some((first, count)) => format!("`{first}` and {} more", count - 1),
        };
        bugs.push(vec![
            format!("`{}`", bug.id),
            bug.sentence(),
            rule.map_or_else(|| "no rule".into(), by_model),
            code.product.as_ref().map_or_else(|| nothing.into(), |found| seen(found, "pairs")),
            fuzz,
            units,
            rule.map_or_else(|| Ok("no rule".into()), |rule| shown.of(&rule.id))?,
        ]);
    }
    let rule_columns = vec!["row", "rule change", "killed by model", "killed by proof", "in code"];
    let code_columns =
        vec!["bug", "what is wrong", "model", "exhaustive product", "fuzz", "unit tests", "proof"];
    Ok([
        Table { title: "Rule changes in the model", columns: rule_columns, rows: rules },
        Table { title: "Bugs in the production code", columns: code_columns, rows: bugs },
    ])
}

/// As Markdown.
pub fn markdown(tables: &[Table; 2]) -> String {
    let mut out = String::new();
    for table in tables {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        out.push_str(&format!("## {}\n\n", table.title));
        out.push_str(&line(&table.columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>()));
        out.push_str(&format!("|{}\n", "---|".repeat(table.columns.len())));
        table.rows.iter().for_each(|row| out.push_str(&line(row)));
        out.push('\n');
    }
    out
}

/// As a page of its own.
pub fn page(tables: &[Table; 2]) -> String {
    format!(
        "# Kill matrix\n\nMade by `{COMMAND}`; harness/README.md says what the columns are.\n\n{}",
        markdown(tables)
    )
}

/// As figures for the report.
pub fn figures(tables: &[Table; 2]) -> std::io::Result<String> {
    let table = |table: &Table| figures::Table {
        title: table.title.into(),
        columns: table.columns.iter().map(|column| (*column).to_owned()).collect(),
        rows: table.rows.clone(),
        ..Default::default()
    };
    let mut figures = Figures::new("Kill matrix: which layer notices which bug", COMMAND);
    figures.notes = vec![
        "Executions and pairs are exact; seconds are those of two busy cores, all assertions on.".into(),
    ];
    figures.tables = tables.iter().map(table).collect();
    Ok(serde_json::to_string_pretty(&figures)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_change_of_the_model_has_its_word_of_the_proofs() {
        let shown = Shown::read().expect("the files are committed");
        let mutants = zus_checker::mutants::committed_mutants().expect("the list is sound");
        for mutant in &mutants {
            let says = shown.of(&mutant.id).unwrap_or_else(|error| panic!("{}: {error}", mutant.id));
            assert!(!says.is_empty(), "{}", mutant.id);
        }
        assert_eq!(shown.proofs.len(), mutants.len());
        let runs = std::fs::read_to_string(crate::room().join("../proofs/refutations.toml"))
            .expect("it is committed");
        for run in shown.proofs.iter().filter_map(|proof| proof.run.as_deref()) {
            assert!(runs.contains(&format!("name = \"{run}\"")), "no run {run}");
        }
        for stall in shown.proofs.iter().filter_map(|proof| proof.stall.as_deref()) {
            let trace = format!("../proofs/traces/stalls/{stall}.json");
            assert!(crate::room().join(&trace).is_file(), "no {trace}");
        }
        assert!(shown.of("99").is_err(), "negative control");
    }

    #[test]
    fn every_row_of_the_model_that_concerns_code_is_a_bug_of_the_code() {
        // Of a restarted miner's log: one bug for all kinds of records, and the logs themselves are judged by `ledger`.
        let elsewhere = ["D1", "D2"];
        let table = Bugs::read().expect("the table is read");
        for mutant in zus_checker::mutants::committed_mutants().expect("the list is sound") {
            let here = table.bugs.iter().any(|bug| bug.list.as_ref() == Some(&mutant.id));
            assert!(here || elsewhere.contains(&&*mutant.id), "row {} is no bug of the code", mutant.id);
        }
    }
}
