//! Mutants, to be read.

use crate::{RunReport, property::PropertySchema, trace_file};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zus_checker::{
    mutants::{Fate, Mutant},
    properties::Property,
    search::check::{Found, Standing},
};
use zus_output::plain::quoted_path;

/// The fate of a mutant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MutantResult {
    /// Its number in `PROTOCOL.md`, section 7.
    pub id: String,
    /// The rule change.
    pub name: String,
    /// Where it happened.
    pub evidence: String,
    /// The scenario.
    pub scenario: String,
    /// The property that is said to break.
    #[schemars(with = "PropertySchema")]
    pub property: Property,
    /// The finding on it under the changed rule.
    pub found: Found,
    /// The finding on it without the change.
    pub baseline: Found,
    /// Other properties that break under the changed rule, as far as was looked.
    #[schemars(with = "Vec<PropertySchema>")]
    pub others: Vec<Property>,
    /// Killed (`as_expected`), or not.
    pub standing: Standing,
    /// Why it is not killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Unique states under the changed rule.
    pub unique: u64,
    /// States generated under the changed rule, with repetitions.
    pub generated: u64,
    /// Seconds under the changed rule.
    pub seconds: f64,
    /// The shortest run that kills it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunReport>,
}

impl MutantResult {
    /// The result of checking `mutant`.
    pub fn new(mutant: &Mutant, fate: &Fate) -> Self {
        MutantResult {
            id: mutant.id.clone(),
            name: mutant.name.clone(),
            evidence: mutant.evidence.clone(),
            scenario: mutant.mutated.path.clone(),
            property: mutant.property,
            found: fate.found,
            baseline: fate.baseline,
            others: fate.others.clone(),
            standing: fate.standing,
            why: fate.why.clone(),
            unique: fate.unique,
            generated: fate.generated,
            seconds: fate.seconds,
            run: fate.trace.as_ref().map(|trace| {
                let file =
                    format!("out/{}", trace_file(&format!("mutant-{}", mutant.id), mutant.property.id()));
                let again = format!("zus check --mutants --out out; zus replay {}", quoted_path(&file));
                RunReport { again: Some(again), ..RunReport::new(trace) }
            }),
        }
    }
}
