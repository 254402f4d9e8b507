//! Verdicts in words: how far each goes, which engine gave it, and what was reached beside it.

use crate::{PropertyReport, ScenarioReport, property::PropertySchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use zus_checker::{
    certificates::answers,
    committed::name_of,
    properties::Property,
    scenario::{Engine, Verdict},
    search::check::{Checked, Found, Method, Standing},
};
use zus_output::plain::{grouped, quoted_path};

/// A situation that a search of certificates reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BesideReport {
    /// Which.
    #[schemars(with = "PropertySchema")]
    pub property: Property,
    /// Steps of the run of the specification that shows it.
    pub steps: usize,
}

/// The members, rounds and subrounds that a verdict is about, where it is about any number of the last two.
fn scope(n: Option<u32>, idle: u8) -> String {
    let n = n.map_or(String::new(), |n| format!("n = {n}, "));
    format!("{n}any rounds, any subrounds, at most {idle} idle blocks")
}

/// Of a search that hit a bound and left something open: the command that goes on best. Certificates where they answer; else
/// higher bounds where an end is in sight; else random runs.
pub(crate) fn next(checked: &Checked) -> Option<String> {
    let scenario = &checked.scenario;
    let open: Vec<Property> =
        checked.findings.iter().filter(|f| f.found == Found::Unknown).map(|f| f.property).collect();
    let bounded = checked.searches.iter().find_map(|search| Some((search, search.rest?)));
    let (search, rest) =
        bounded.filter(|_| !open.is_empty() || checked.exploration() == Standing::Incomplete)?;
    let name = quoted_path(name_of(scenario));
    let certified: Vec<&str> = match (search.engine, scenario.clone().by(Engine::Certificates)) {
        (Engine::Explicit, Ok(_)) => open.iter().filter(|p| answers(**p)).map(|p| p.id()).collect(),
        (Engine::Explicit, Err(_)) | (Engine::Certificates, _) => Vec::new(),
    };
    if !certified.is_empty() {
        return Some(format!(
            "zus check {name} --engine certificates  # it answers for {}",
            certified.join(", ")
        ));
    }
    Some(match rest.estimate {
        Some(all) => {
            let states = all.saturating_mul(2).next_multiple_of(1_000);
            let per_state = search.peak_bytes.div_ceil(search.unique.max(1));
            let memory = states.saturating_mul(per_state).div_ceil(1 << 20);
            format!("zus check {name} --max-states {states} --max-memory {memory}MiB")
        }
        None if scenario.choice.idle().is_some() => {
            format!("zus check {name} --max-states {}", search.unique.saturating_mul(10))
        }
        None => format!("zus simulate {name}  # no end is in sight"),
    })
}

/// The name of an engine in a sentence.
pub(crate) fn engine(engine: Engine) -> &'static str {
    match engine {
        Engine::Explicit => "the explicit search",
        Engine::Certificates => "certificates",
    }
}

impl PropertyReport {
    /// The finding beside the expected verdict, as a sentence. All forms use it where a verdict is not as
    /// expected.
    pub fn sentence(&self) -> String {
        let (id, found) = (self.property.id(), self.said());
        let expected = match self.expected {
            Verdict::Holds => "hold",
            Verdict::Violated => "be violated",
            Verdict::Reachable => "be reachable",
            Verdict::Unreachable => "be unreachable",
        };
        let mut sentence = match (&self.vacuous, self.found.verdict() == Some(self.expected)) {
            (Some(why), true) => return format!("{id} {found}, as expected, but {why}"),
            (_, true) => format!("{id} {found}, as expected"),
            (vacuous, false) => {
                let why = vacuous.as_ref().map_or(String::new(), |why| format!(", and {why}"));
                format!("{id} {found}, but it is expected to {expected}{why}")
            }
        };
        match (&self.run, &self.fault) {
            (_, Some(fault)) => sentence += &format!("; this is not to be believed: {fault}"),
            (Some(run), None) => sentence += &format!(", in {} steps: {}", run.steps.len(), run.because),
            (None, None) => {}
        }
        sentence
    }

    /// The verdict as the end of a sentence.
    fn said(&self) -> String {
        let any = || scope(None, self.idle_blocks.unwrap_or_default());
        match self.found {
            Found::Holds => "holds".into(),
            Found::HoldsAnyRounds => format!("holds for {}", any()),
            Found::Violated => "is violated".into(),
            Found::Reachable => "is reachable".into(),
            Found::Unreachable => "is unreachable".into(),
            Found::UnreachableAnyRounds => format!("is unreachable for {}", any()),
            Found::Sampled => "was shown by no run of a sample".into(),
            Found::Unknown => "is not known, because a bound was hit".into(),
        }
    }

    /// The situations that the same search of certificates reached, each with the steps of its run; empty where there are none.
    pub(crate) fn beside(&self) -> String {
        let each = self.beside.iter().map(|b| format!("{} in {}", b.property.id(), b.steps));
        let each: Vec<String> = each.collect();
        if each.is_empty() { String::new() } else { format!("beside {}", each.join(", ")) }
    }
}

impl ScenarioReport {
    /// The scope of the verdicts, where that is any number of rounds and subrounds.
    pub fn scope(&self) -> Option<String> {
        self.idle_blocks.map(|idle| scope(Some(self.faults.n), idle))
    }

    /// The advice for a bound that was hit, if that left something open.
    pub fn advice(&self) -> Option<String> {
        let (Method::StateLimit | Method::MemoryLimit, Some(rest)) = (self.method, self.rest) else {
            return None;
        };
        let all = rest.estimate.map_or("and no end is in sight".to_owned(), |all| {
            format!("perhaps {} in all", grouped(all.next_multiple_of(1_000)))
        });
        let next = self.next.as_ref().map_or(String::new(), |next| format!("\nNext: {next}"));
        let per_state = self.peak_bytes.div_ceil(self.unique.max(1));
        let name = match zus_checker::committed::names().find(|name| *name == self.name) {
            Some(name) if self.path.starts_with("model/scenarios/") => name,
            _ => &self.path,
        };
        Some(format!(
            "{} states were seen, {} of them wait, {all}; a state takes about {per_state} bytes of memory.\n\
             Raise --max-states or --max-memory, or make the instance smaller (rounds, subrounds, generators, twins = 1), \
             or look at random runs: zus simulate {}{next}",
            grouped(self.unique),
            grouped(rest.waiting),
            quoted_path(name)
        ))
    }

    /// Which engine answered for which properties, and why the other one did not: a line for each engine and reason.
    pub(crate) fn engines(&self) -> String {
        let mut groups: Vec<(Engine, &str, Vec<&str>)> = Vec::new();
        for p in &self.properties {
            match groups.iter_mut().find(|(by, why, _)| *by == p.engine && *why == p.not_other_engine) {
                Some((.., ids)) => ids.push(p.property.id()),
                None => groups.push((p.engine, &p.not_other_engine, vec![p.property.id()])),
            }
        }
        groups.iter().fold(String::new(), |mut lines, (by, why, ids)| {
            let other = match by {
                Engine::Explicit => Engine::Certificates,
                Engine::Certificates => Engine::Explicit,
            };
            let _ = writeln!(lines, "{} by {}, not by {}: {why}", ids.join(", "), engine(*by), engine(other));
            lines
        })
    }
}

/// The notes of a scenario; and one on its fingerprints, where those of 64 bits make an error likelier than one in a million.
pub(crate) fn notes(checked: &Checked, bits: u32) -> Vec<String> {
    let main = checked.main();
    let explicit = match (main.engine, main.method) {
        (_, Method::Sampled { .. }) | (Engine::Certificates, _) => None,
        (Engine::Explicit, _) => on_fingerprints(main.unique, bits),
    };
    checked.scenario.notes.iter().cloned().chain(explicit).collect()
}

/// Of n states, two have one fingerprint of 64 bits with a probability of about n squared in 2 to the 65th.
fn on_fingerprints(unique: u64, bits: u32) -> Option<String> {
    let odds = 2f64.powi(65) / (unique as f64).powi(2);
    let odds = (odds < 1e6).then(|| grouped(odds as u64))?;
    let states = grouped(unique);
    Some(if bits > 64 {
        format!(
            "fingerprints have {bits} bits: with 64, two of the {states} states would be taken for one with a probability of 1 in {odds}"
        )
    } else {
        format!(
            "fingerprints have 64 bits: two of the {states} states are taken for one with a probability of 1 in {odds}; those of zus-cluster have 128"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::on_fingerprints;

    #[test]
    fn fingerprints_are_spoken_of_where_an_error_is_likelier_than_one_in_a_million() {
        assert_eq!(on_fingerprints(6_000_000, 64), None);
        let told = |bits| on_fingerprints(6_200_000, bits).unwrap();
        assert!(told(64).contains(
            "64 bits: two of the 6,200,000 states are taken for one with a probability of 1 in 959,"
        ));
        assert!(told(128).starts_with("fingerprints have 128 bits: with 64,"), "{}", told(128));
    }
}
