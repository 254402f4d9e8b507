//! The ledger: for every property, what evidence there is and what it is worth.

use crate::{
    arithmetic,
    condition::conditions,
    epochs,
    spec::{RuleChoice, Sources, SpecError, load},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use zus_checker::properties::Property;

/// The properties of epochs, of PROTOCOL.md, section 8. E4 and E6 are not in the model of the handover.
const EPOCHS: [&str; 9] = ["E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9"];

/// All property ids of PROTOCOL.md, section 5, and E1 to E9 of section 8.
pub fn ids() -> impl Iterator<Item = &'static str> {
    Property::ALL.iter().map(|property| property.id()).chain(EPOCHS)
}

/// The class of a proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum Class {
    /// A theorem about every n, every number of rounds, subrounds and blocks.
    #[serde(rename = "proved for any n")]
    Proved,
    /// One run of four miners.
    #[serde(rename = "run at n = 4")]
    Run,
    /// Every state of some small instances of the model; no proof.
    #[serde(rename = "small instances")]
    Instances,
    /// Written, with every step that can be checked tied to a lemma.
    #[serde(rename = "argued")]
    Argued,
    /// None, for a reason.
    #[serde(rename = "exempt")]
    Exempt,
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Class::Proved => "proved for any n",
            Class::Run => "run at n = 4",
            Class::Instances => "small instances",
            Class::Argued => "argued",
            Class::Exempt => "exempt",
        })
    }
}

/// One row.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Conditions, lemmas, witnesses and theorems.
    pub proof: Vec<String>,
    /// Their class.
    pub class: Class,
    /// Exactly what is established, or why nothing is.
    pub says: String,
    /// Scenarios of the model: `hardened`. Empty only with a reason in `exempt`.
    pub model: Vec<String>,
    /// Oracles of the fuzzer, as file::what stands in it.
    pub fuzz: Vec<String>,
    /// Tests: `proofs/tests/tie.rs::name`.
    pub test: Vec<String>,
    /// Why a column is empty.
    #[serde(default)]
    pub exempt: Option<String>,
}

/// Why the ledger is wrong.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be read.
    #[error("ledger.toml: {0}")]
    Read(#[from] toml::de::Error),
    /// The specification cannot be read.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A property without a row.
    #[error("ledger.toml: no row for {0}")]
    Missing(&'static str),
    /// A row for no property.
    #[error("ledger.toml: `{0}` is no property of PROTOCOL.md")]
    Unknown(String),
    /// A proof that does not exist.
    #[error("ledger.toml: {0} names `{1}`, which is no condition, lemma, witness or theorem")]
    NoProof(String, String),
    /// Neither a proof nor an exemption with its reason, or both.
    #[error(
        "ledger.toml: {0} needs a proof, or the class `exempt` or `small instances` and a reason in `says`"
    )]
    Empty(String),
}

/// The committed rows.
pub fn rows() -> Result<BTreeMap<String, Row>, LedgerError> {
    Ok(toml::from_str(include_str!("../ledger.toml"))?)
}

/// The rows as a table.
pub fn markdown(rows: &BTreeMap<String, Row>) -> String {
    let mut text =
        String::from("| id | evidence | model | proof | fuzz | test |\n|---|---|---|---|---|---|\n");
    let list = |names: &[String]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    for id in ids() {
        let Some(row) = rows.get(id) else { continue };
        let cells = [list(&row.model), list(&row.proof), row.fuzz.join(", "), list(&row.test)];
        text += &format!("| {id} | {} | {} |\n", row.class, cells.join(" | "));
    }
    text
}

/// Checks that every property has its row, and that everything named exists.
pub fn check(sources: &Sources) -> Result<BTreeMap<String, Row>, LedgerError> {
    check_rows(sources, rows()?)
}

fn check_rows(sources: &Sources, rows: BTreeMap<String, Row>) -> Result<BTreeMap<String, Row>, LedgerError> {
    let known = evidence(sources)?;
    if let Some(missing) = ids().find(|id| !rows.contains_key(*id)) {
        return Err(LedgerError::Missing(missing));
    }
    for (id, row) in &rows {
        if !ids().any(|known| known == id) {
            return Err(LedgerError::Unknown(id.clone()));
        }
        let unproved = matches!(row.class, Class::Exempt | Class::Instances);
        if unproved != row.proof.is_empty() || row.says.trim().is_empty() {
            return Err(LedgerError::Empty(id.clone()));
        }
        if let Some(wrong) = row.proof.iter().find(|name| !known.contains(*name)) {
            return Err(LedgerError::NoProof(id.clone(), wrong.clone()));
        }
    }
    Ok(rows)
}

/// Everything that a row may name.
fn evidence(sources: &Sources) -> Result<BTreeSet<String>, SpecError> {
    let mut known: BTreeSet<_> =
        arithmetic::THEOREMS.iter().map(|t| format!("arithmetic:{}", t.name)).collect();
    for profile in ["hardened", "accountable", "synchronous"] {
        let spec = load(sources, &RuleChoice::new(profile))?;
        known.extend(conditions(&spec).0.iter().map(|c| c.id.to_string()));
        known.extend(spec.witnesses.iter().map(|w| format!("witness:{}", w.name)));
        known.extend(spec.items());
    }
    for profile in epochs::PROVED {
        let spec = epochs::under(profile)?;
        known.extend(conditions(&spec).0.iter().map(|c| format!("epochs/{}", c.id)));
        known.extend(spec.witnesses.iter().map(|w| format!("epochs/witness:{}", w.name)));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_has_its_row_and_every_proof_exists() {
        check(&Sources::embedded()).unwrap();
    }

    #[test]
    fn a_missing_row_an_unknown_proof_and_an_empty_exemption_are_found() {
        let sources = Sources::embedded();
        let mut missing = rows().unwrap();
        missing.remove("S3");
        assert!(matches!(check_rows(&sources, missing), Err(LedgerError::Missing("S3"))));
        let mut unknown = rows().unwrap();
        unknown.get_mut("S5").unwrap().proof.push("implied:S55".to_string());
        assert!(matches!(check_rows(&sources, unknown), Err(LedgerError::NoProof(..))));
        let mut empty = rows().unwrap();
        empty.get_mut("W2").unwrap().proof.clear();
        assert!(matches!(check_rows(&sources, empty), Err(LedgerError::Empty(_))));
        let mut extra = rows().unwrap();
        let row = extra["S1"].clone();
        extra.insert("S12".to_string(), row);
        assert!(matches!(check_rows(&sources, extra), Err(LedgerError::Unknown(_))));
    }
}
