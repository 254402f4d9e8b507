//! The evidence for each property: `proofs/ledger.toml`.

use serde::Deserialize;
use std::collections::BTreeMap;

/// Bytes of a ledger.
pub const MAX_BYTES: u64 = 1 << 20;

/// The evidence for one property; a room that has none yet says `pending`, or nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// Conditions, lemmas, witnesses and theorems of the proofs.
    pub proof: Vec<String>,
    /// The class of the proof.
    pub class: String,
    /// The exact statement that is established, with its assumptions.
    pub says: String,
    /// Evidence of the model.
    pub model: Named,
    /// Evidence of the fuzzer.
    pub fuzz: Named,
    /// Evidence of the tests.
    pub test: Named,
}

/// One name or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Named {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Default for Named {
    fn default() -> Self {
        Named::Several(Vec::new())
    }
}

impl Named {
    /// As a text; empty where there is nothing.
    pub fn text(&self) -> String {
        match self {
            Named::One(name) => name.clone(),
            Named::Several(names) => names.join(", "),
        }
    }
}

/// Evidence by the id of the property.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Row by row.
    pub rows: BTreeMap<String, Evidence>,
}

impl Ledger {
    /// Reads a ledger.
    pub fn parse(text: &str) -> Result<Ledger, String> {
        let rows = toml::from_str(text).map_err(|error| error.to_string())?;
        Ok(Ledger { rows })
    }
}
