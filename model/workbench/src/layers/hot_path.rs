//! Instructions of the hot path, where valgrind is: counts do not depend on what else the machine does.

use super::{Context, Found};
use crate::{
    Failure,
    report::{Answer, Row},
};

pub fn ask(context: &Context) -> Result<Found, Failure> {
    let command = "cargo run --release -p zus-measure --bin instructions";
    let row = |answer, says: &str| Row::new("hot-path", "instructions", answer, says, command);
    let row = if context.named {
        row(Answer::NotExpressible, "signatures and certificates are the same under all rules")
    } else {
        let done = context.tools.run("instructions", &[])?;
        let printed = done.stdout.lines().chain(done.stderr.lines());
        let lines: Vec<&str> = printed.map(str::trim).filter(|line| !line.is_empty()).collect();
        let skipped = lines.iter().find(|line| line.starts_with("SKIPPED"));
        match (done.code, skipped) {
            (_, Some(skipped)) => row(Answer::Undecided, skipped),
            (Some(0), None) => {
                let mut row =
                    row(Answer::Holds, "each of six operations is within five percent of the baseline");
                row.witness = Some(lines.last().copied().unwrap_or_default().to_owned());
                row
            }
            (Some(1), None) => row(Answer::Violated, lines.last().copied().unwrap_or_default()),
            _ => row(Answer::Undecided, &done.why()),
        }
    };
    Ok(Found { rows: vec![row], ..Found::default() })
}
