//! The result of `verify`, as data: rows by layer, and the exit code that follows from them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of the format.
pub const FORMAT: &str = "zus-verify";
/// Its version.
pub const VERSION: u32 = 1;
/// Bytes of a file that is read.
pub const MAX_BYTES: u64 = 16 << 20;

/// The answer of a row, from the best to the worst.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It holds, and its witness was found.
    Holds,
    /// The layer has no words for it, and says so.
    NotExpressible,
    /// It was not asked: `--skip`.
    Skipped,
    /// A bound was hit, a tool is missing, or the witness was not found.
    Undecided,
    /// It is not as it was at `--since`.
    Changed,
    /// It does not hold.
    Violated,
}

impl Answer {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Answer::Holds => "holds",
            Answer::NotExpressible => "not expressible",
            Answer::Skipped => "skipped",
            Answer::Undecided => "undecided",
            Answer::Changed => "changed",
            Answer::Violated => "violated",
        }
    }
}

/// The answer of one layer to one question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The layer, such as `model`.
    pub layer: String,
    /// The question, such as `S6`.
    pub name: String,
    /// The answer.
    pub answer: Answer,
    /// The answer in a sentence.
    pub says: String,
    /// The situation that was reached, or the deletion that breaks it: without one *holds* means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<String>,
    /// The command that shows more.
    pub command: String,
    /// The run, drawn: a file in the output folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Facts that do not depend on time or machine, and are compared with those of `--since`.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
}

impl Row {
    /// A row without witness, run and facts.
    pub fn new(layer: &str, name: &str, answer: Answer, says: impl Into<String>, command: &str) -> Self {
        Row {
            layer: layer.into(),
            name: name.into(),
            answer,
            says: says.into(),
            witness: None,
            command: command.into(),
            run: None,
            facts: BTreeMap::new(),
        }
    }
}

/// The state that the change is compared with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// As it was named.
    pub named: String,
    /// Its commit.
    pub commit: String,
}

/// All rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The rules that were judged.
    pub rules: String,
    /// The tree that was judged: its commit, and the files that differ from it; none where git cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// The command.
    pub command: String,
    /// The state that the rows are compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// Seconds of each layer that has ended.
    pub seconds: BTreeMap<String, f64>,
    /// The layers that have not ended: the rows are not all there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<String>,
    /// Row by row, in the order of the layers.
    pub rows: Vec<Row>,
}

impl Report {
    /// The exit code: 1 if something is violated or changed, else 3 if something is undecided or has not ended, or nothing was judged at
    /// all, else 0.
    pub fn exit(&self) -> u8 {
        match self.rows.iter().map(|row| row.answer).max() {
            Some(Answer::Violated | Answer::Changed) => 1,
            Some(Answer::Undecided) | None => 3,
            Some(Answer::Holds | Answer::NotExpressible | Answer::Skipped) => {
                let judged = self.rows.iter().any(|row| row.answer == Answer::Holds);
                if judged && self.running.is_empty() { 0 } else { 3 }
            }
        }
    }

    /// The report of a file.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let report: Report = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if (report.format.as_str(), report.version) == (FORMAT, VERSION) {
            Ok(report)
        } else {
            Err(format!(
                "this is {:?}, version {}, not {FORMAT:?}, version {VERSION}",
                report.format, report.version
            ))
        }
    }

    /// Compares each row with that of an earlier report: where it holds, or has no words, as before, and its facts differ, it has
    /// changed. A row that is missing on one side has changed as well. A layer that was left out on one side is not compared.
    pub fn compare(&mut self, before: &Report) {
        let same = |row: &&Row, other: &Row| (&row.layer, &row.name) == (&other.layer, &other.name);
        let skipped = |row: &&Row| row.answer == Answer::Skipped;
        let left_out: Vec<String> =
            self.rows.iter().chain(&before.rows).filter(skipped).map(|row| row.layer.clone()).collect();
        for row in self.rows.iter_mut().filter(|row| !left_out.contains(&row.layer)) {
            let earlier = before.rows.iter().find(|other| same(&&*row, other));
            let differs = match earlier {
                None => Some("it was not there before".to_owned()),
                Some(earlier) => difference(earlier, row),
            };
            let Some(differs) = differs else { continue };
            row.says = format!("{}; before: {differs}", row.says);
            if row.answer < Answer::Changed {
                row.answer = Answer::Changed;
            }
        }
        let gone = before
            .rows
            .iter()
            .filter(|earlier| !left_out.contains(&earlier.layer))
            .filter(|earlier| !self.rows.iter().any(|row| same(&row, earlier)));
        let gone: Vec<Row> = gone
            .map(|row| Row {
                answer: Answer::Changed,
                says: format!("it is gone; before: {}", row.says),
                ..row.clone()
            })
            .collect();
        self.rows.extend(gone);
    }
}

/// The difference of a row from the earlier one, if there is one.
fn difference(before: &Row, after: &Row) -> Option<String> {
    if before.answer != after.answer {
        return Some(format!("{}: {}", before.answer.word(), before.says));
    }
    let names = before.facts.keys().chain(after.facts.keys());
    let differing: std::collections::BTreeSet<String> = names
        .filter(|name| before.facts.get(*name) != after.facts.get(*name))
        .map(|name| format!("{name} {}", before.facts.get(name).map_or("absent", String::as_str)))
        .collect();
    if differing.is_empty() { None } else { Some(differing.into_iter().collect::<Vec<_>>().join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(answers: &[(&str, Answer, &str)]) -> Report {
        let row = |(name, answer, fact): &(&str, Answer, &str)| Row {
            facts: [("states".to_owned(), (*fact).to_owned())].into(),
            ..Row::new("model", name, *answer, "says", "zus check")
        };
        Report {
            format: FORMAT.into(),
            version: VERSION,
            rules: "hardened".into(),
            tree: None,
            command: "zus-workbench verify".into(),
            since: None,
            seconds: BTreeMap::new(),
            running: Vec::new(),
            rows: answers.iter().map(row).collect(),
        }
    }

    #[test]
    fn the_exit_code_is_that_of_the_worst_row() {
        use Answer::{Changed, Holds, NotExpressible, Skipped, Undecided, Violated};
        for (answers, exit) in [
            (&[Holds, NotExpressible, Skipped][..], 0),
            (&[Holds, Undecided], 3),
            (&[Undecided, Violated], 1),
            (&[Changed, Holds], 1),
            // Nothing was asked, or no layer has words for it: nothing is known.
            (&[], 3),
            (&[NotExpressible, Skipped], 3),
        ] {
            let rows: Vec<_> = answers.iter().map(|answer| ("S2", *answer, "1")).collect();
            assert_eq!(report(&rows).exit(), exit, "{answers:?}");
        }
        let mut cut = report(&[("S2", Holds, "1")]);
        cut.running.push("proofs".into());
        assert_eq!(cut.exit(), 3, "a report that is not whole");
    }

    #[test]
    fn a_row_that_is_not_as_before_has_changed() {
        use Answer::{Changed, Holds, Violated};
        let before = report(&[
            ("S2", Holds, "1"),
            ("S3", Holds, "1"),
            ("S5", Holds, "1"),
            ("S6", Violated, "1"),
            ("gone", Holds, "1"),
        ]);
        let mut after = report(&[
            ("S2", Holds, "1"),
            ("S3", Holds, "2"),
            ("S5", Violated, "1"),
            ("S6", Violated, "1"),
            ("new", Holds, "1"),
        ]);
        after.compare(&before);
        let answers: Vec<_> = after.rows.iter().map(|row| (row.name.as_str(), row.answer)).collect();
        let expected = [
            ("S2", Holds),
            ("S3", Changed),
            ("S5", Violated),
            ("S6", Violated),
            ("new", Changed),
            ("gone", Changed),
        ];
        assert_eq!(answers, expected);
        assert!(after.rows[1].says.ends_with("before: states 1"), "{}", after.rows[1].says);
        assert!(after.rows[2].says.ends_with("before: holds: says"), "{}", after.rows[2].says);
    }

    #[test]
    fn a_layer_that_was_left_out_is_not_compared() {
        let asked = report(&[("S2", Answer::Holds, "1"), ("S3", Answer::Holds, "1")]);
        let left_out = report(&[("all", Answer::Skipped, "1")]);
        for (before, after) in [(&asked, &left_out), (&left_out, &asked), (&left_out, &left_out)] {
            let mut compared = after.clone();
            compared.compare(before);
            assert_eq!(compared.rows, after.rows);
        }
    }
}
