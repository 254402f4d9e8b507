//! The results of the proofs, as data: `zus-proofs check --format json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of the format.
pub const FORMAT: &str = "zus-proofs";
/// Its version.
pub const VERSION: u32 = 1;
/// Bytes of a file.
pub const MAX_BYTES: u64 = 16 << 20;

/// The verification conditions of one choice of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proofs {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The command that decides them again.
    pub command: String,
    /// The rules.
    pub rules: String,
    /// Condition by condition.
    pub conditions: Vec<Condition>,
    /// How many more hold because an action changes nothing that the statement reads.
    pub unchanged: usize,
    /// A run, in words, that breaks a property, if a condition fails and one was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// A verification condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Its name, e.g. `leave_voting:voted-ticketed-no-other`.
    pub id: String,
    /// Whether it holds.
    pub outcome: Outcome,
    /// Where it does not: the smallest counterexample, or why it is undecided.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub says: String,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is proved.
    Holds,
    /// No verdict.
    Undecided,
    /// There is a counterexample.
    Fails,
}

impl Outcome {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Holds => "holds",
            Outcome::Undecided => "undecided",
            Outcome::Fails => "fails",
        }
    }
}

impl Proofs {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Proofs, String> {
        let proofs: Proofs = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if proofs.format != FORMAT || proofs.version != VERSION {
            return Err(format!(
                "this is {:?}, version {}, not {FORMAT:?}, version {VERSION}",
                proofs.format, proofs.version
            ));
        }
        Ok(proofs)
    }
}
