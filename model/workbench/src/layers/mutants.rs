//! The committed scenarios and mutants: is each as it is listed?

use super::{Context, Found, drawn, model::report_of, word};
use crate::{
    Failure,
    report::{Answer, Row},
};
use std::path::Path;

pub fn ask(context: &Context) -> Result<Found, Failure> {
    let mut found = Found::default();
    for (name, arguments) in [("scenarios", &["check"][..]), ("mutants", &["check", "--mutants"])] {
        let command = format!("zus {}", arguments.join(" "));
        if context.named {
            let says = "each has rules of its own: leave out --rules to judge the tree as it is";
            found.rows.push(Row::new("listed", name, Answer::NotExpressible, says, &command));
            continue;
        }
        let out = context.scratch.join(name);
        let to = word(&out);
        let arguments = [arguments, &["--quiet", "--threads", "1", "--out", &to]].concat();
        let done = context.tools.run("zus", &arguments)?;
        let report =
            report_of(&out.join("report.json")).map_err(|_| Failure::Tool(command.clone(), done.why()))?;
        let summary = report.summary;
        let counts = format!("{} as listed, {} differ", summary.as_expected, summary.differ);
        let mut row = match done.code {
            Some(0) => {
                let mut row = Row::new("listed", name, Answer::Holds, &counts, &command);
                row.witness = Some("each claims a violation, or a witness that is reachable".into());
                row
            }
            Some(1) => {
                let mut row = Row::new("listed", name, Answer::Violated, &counts, &command);
                // The listed verdict is the default.
                let of = |scenario: &&zus_report::ScenarioReport| scenario.standing != Default::default();
                let differ: Vec<&str> =
                    report.scenarios.iter().filter(of).map(|scenario| scenario.name.as_str()).collect();
                let missed = report
                    .mutants
                    .iter()
                    .filter(|mutant| mutant.standing != Default::default())
                    .map(|mutant| mutant.id.clone());
                let all = differ.iter().map(|name| (*name).to_owned()).chain(missed);
                row.says = format!("{counts}: {}", all.take(5).collect::<Vec<_>>().join(", "));
                let first = report.scenarios.iter().filter(of).flat_map(|scenario| &scenario.properties);
                let run = first.filter_map(|property| property.run.as_ref()?.trace.clone()).next();
                row.run = run.and_then(|trace| drawn(context, Path::new(&trace), name, &mut found.files));
                row
            }
            _ => Row::new("listed", name, Answer::Undecided, done.why(), &command),
        };
        row.facts.insert("as listed".into(), summary.as_expected.to_string());
        row.facts.insert("states".into(), summary.unique.to_string());
        found.rows.push(row);
    }
    Ok(found)
}
