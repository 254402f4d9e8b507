//! The hypotheses that refutations have used before, as data: `hints.txt`, which `zus-proofs hints` prints.
//!
//! A hint says where to look first, and nothing else. The condition without all other hypotheses is a stronger claim; if the judge
//! proves it, the condition holds. If not, or if a hypothesis of the hint is gone, the judge goes on as if there were no
//! hint. So a hint that is wrong costs time and never changes a verdict.

use crate::condition::Condition;
use std::{
    collections::{BTreeSet, HashMap},
    sync::OnceLock,
};

/// Hypotheses by condition.
#[derive(Debug, Default)]
pub struct Hints(HashMap<String, BTreeSet<String>>);

impl Hints {
    /// Those of `hints.txt`.
    pub fn kept() -> &'static Hints {
        static KEPT: OnceLock<Hints> = OnceLock::new();
        KEPT.get_or_init(|| Hints::read(include_str!("../../hints.txt")))
    }

    /// One condition a line: its name, then the hypotheses.
    pub fn read(text: &str) -> Hints {
        let line = |line: &str| {
            let mut words = line.split_whitespace().map(str::to_string);
            Some((words.next()?, words.collect()))
        };
        Hints(text.lines().filter_map(line).collect())
    }

    /// The condition with the hinted hypotheses only, if it has them all.
    pub fn of(&self, condition: &Condition) -> Option<Condition> {
        let hint = self.0.get(&condition.id.to_string())?;
        let hinted = condition.hypotheses.iter().filter(|h| hint.contains(&h.origin.to_string()));
        let hypotheses: Vec<_> = hinted.cloned().collect();
        let found: BTreeSet<_> = hypotheses.iter().map(|h| &h.origin).collect();
        (found.len() == hint.len()).then(|| Condition { hypotheses, ..condition.clone() })
    }
}
