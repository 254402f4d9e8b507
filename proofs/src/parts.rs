//! The controls of the clock, part by part: what becomes of it without each conjunct of each axiom, guard, obligation, definition and
//! property.
//!
//! A part that is deleted makes its item weaker or stronger, and one of these has to be seen:
//!
//! 1. *forbids*: a real run of the whole specification is refused. So an obligation without one of its occasions, which would
//!    stop time where time passes, is seen by a run in which time passes;
//! 2. *stalls*: a real run that the whole specification refuses is allowed, and breaks L1, L2, L3 or L5, or time stops in it;
//! 3. *breaks*: a real run breaks the property without the part: so its premise says no more than it must;
//! 4. *fails*: a condition does not hold any more, with a structure that is a counterexample.
//!
//! A part that is none of these is redundant, and named so. The runs are those that are kept; each is replayed, which takes seconds for all
//! parts. The conditions take longer, so they are asked on demand; of a part that no run shows the pinned table has what they said, if
//! they were asked (`asked`).

use crate::{
    bounded::Run,
    condition::{Condition, ConditionId, Origin, conditions},
    explain::{finite_of_any_size, refutes},
    judge::{Herbrand, Proof, Verdict},
    nonvacuity,
    spec::{Part, RuleChoice, Sources, Spec, SpecError, load, load_without, parts},
    stalls::{self, StallError},
    structure::Interpreter,
    verify::{Verification, parallel},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The rules that have a clock, and those that the others' items are of.
const CLOCK: &str = "synchronous";
const SAFE: &str = "hardened";

/// The pinned table.
pub const TABLE: &str = include_str!("../parts.txt");

/// The fate of the clock without a part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// This run happens, and is refused.
    Forbids(String),
    /// The kept run without this item is allowed, and breaks these properties.
    Stalls(String, Vec<String>),
    /// The whole specification's run of this name breaks these properties.
    Breaks(String, Vec<String>),
    /// These conditions fail.
    Fails(Vec<String>),
    /// No kept run shows anything; the conditions were not asked.
    Unseen,
    /// Nothing is seen, and all conditions hold.
    Redundant,
    /// These conditions have no verdict.
    Undecided(Vec<String>),
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fate::Forbids(run) => write!(f, "forbids {run}"),
            Fate::Stalls(item, broken) => write!(f, "stalls as without {item}: {}", broken.join(" ")),
            Fate::Breaks(run, broken) => write!(f, "{run} breaks {}", broken.join(" ")),
            Fate::Fails(conditions) => write!(f, "fails {}", conditions.join(" ")),
            Fate::Unseen => f.write_str("no kept run shows it"),
            Fate::Redundant => f.write_str("redundant"),
            Fate::Undecided(conditions) => write!(f, "no verdict on {}", conditions.join(" ")),
        }
    }
}

/// The parts of the items that only the profile with a clock has.
pub fn of_clock(sources: &Sources) -> Result<Vec<Part>, SpecError> {
    let safe: BTreeSet<_> =
        parts(sources, &RuleChoice::new(SAFE))?.into_iter().map(|part| part.item).collect();
    let mut clock = parts(sources, &RuleChoice::new(CLOCK))?;
    clock.retain(|part| !safe.contains(&part.item));
    Ok(clock)
}

/// How far a part is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// With the kept runs only: that takes seconds.
    Runs,
    /// With the conditions too, of those that no run shows: minutes.
    Conditions,
}

/// Looks at parts with the kept runs.
pub struct Parts<'a> {
    sources: &'a Sources,
    choice: RuleChoice,
    whole: Spec,
    /// The kept runs of the whole specification, as they stand in their file.
    runs: Vec<&'static str>,
}

impl<'a> Parts<'a> {
    /// For the profile with a clock.
    pub fn new(sources: &'a Sources) -> Result<Self, StallError> {
        let choice = RuleChoice::new(CLOCK);
        let whole = load(sources, &choice)?;
        let interpreter = Interpreter::new(&whole);
        let happens =
            |line: &&str| Run::from_json(&whole, line).is_ok_and(|run| run.replay(&interpreter).is_ok());
        let runs = nonvacuity::RUNS.lines().filter(happens).collect();
        Ok(Parts { sources, choice, runs, whole })
    }

    /// The fate of a part by the kept runs; none if it is redundant, or seen by a condition only.
    pub fn by_runs(&self, part: &Part) -> Result<Option<Fate>, StallError> {
        let without = load_without(self.sources, &self.choice, part)?;
        let interpreter = Interpreter::new(&without);
        for line in &self.runs {
            let run = Run::from_json(&without, line)?;
            let Ok(states) = run.replay(&interpreter) else { return Ok(Some(Fate::Forbids(run.name))) };
            let broken = states.iter().flat_map(|state| interpreter.broken_safety(state));
            let broken: BTreeSet<_> = broken.map(|s| s.name.clone()).collect();
            if !broken.is_empty() {
                return Ok(Some(Fate::Breaks(run.name, broken.into_iter().collect())));
            }
        }
        for line in stalls::RUNS.lines() {
            let run = Run::from_json(&without, line)?;
            let broken = stalls::broken(&without, &run);
            if !broken.is_empty() {
                return Ok(Some(Fate::Stalls(run.name, broken)));
            }
        }
        Ok(None)
    }

    /// The fate of a part by the conditions: those are decided again whose proof does not stand without it.
    pub fn by_conditions(&self, part: &Part, proofs: &Proofs) -> Result<Fate, SpecError> {
        let without = load_without(self.sources, &self.choice, part)?;
        let (all, _) = conditions(&without);
        let judge = Herbrand::new(&without);
        let (mut failing, mut undecided) = (Vec::new(), Vec::new());
        for condition in all.iter().filter(|condition| !proofs.stand(condition)) {
            if judge.by_few(condition).is_some() {
                continue;
            }
            let name = condition.id.to_string();
            match finite_of_any_size(&without, condition) {
                Ok(Some(structure)) if refutes(condition, &structure) => failing.push(name),
                _ => match judge.decide(condition) {
                    Ok(Verdict::Holds(_)) => {}
                    Ok(Verdict::Fails(_)) => failing.push(name),
                    Err(_) => undecided.push(name),
                },
            }
            // One is enough.
            if !failing.is_empty() {
                break;
            }
        }
        Ok(match (failing.is_empty(), undecided.is_empty()) {
            (false, _) => Fate::Fails(failing),
            (true, false) => Fate::Undecided(undecided),
            (true, true) => Fate::Redundant,
        })
    }

    /// The fates of the parts of the clock, in order; only of those with this text in their name, if one is given.
    pub fn fates(
        &self,
        only: Option<&str>,
        ask: Ask,
        threads: usize,
    ) -> Result<Vec<(Part, Fate)>, StallError> {
        let proofs = (ask == Ask::Conditions).then(|| Proofs::of(&self.whole, threads));
        let mut parts = of_clock(self.sources)?;
        parts.retain(|part| only.is_none_or(|text| part.to_string().contains(text)));
        let found = parallel(parts.len(), threads, |index| {
            let part = &parts[index];
            let fate = match (self.by_runs(part)?, &proofs) {
                (Some(fate), _) => fate,
                (None, Some(proofs)) => self.by_conditions(part, proofs)?,
                (None, None) => asked(part),
            };
            Ok((part.clone(), fate))
        });
        found.into_iter().collect()
    }
}

/// The proofs of the whole specification: which hypotheses each uses, and what they say.
pub struct Proofs(BTreeMap<ConditionId, (Condition, BTreeSet<Origin>)>);

impl Proofs {
    /// Proves all conditions.
    pub fn of(spec: &Spec, threads: usize) -> Self {
        let verification = Verification::new(spec, threads);
        let used = verification.proofs();
        let of = |condition: &Condition| {
            let proof: &Proof = used.get(&condition.id)?;
            Some((condition.id.clone(), (condition.clone(), proof.used.clone())))
        };
        Proofs(verification.conditions.iter().filter_map(of).collect())
    }

    /// Whether the same goal follows from the same hypotheses as in the whole specification.
    fn stand(&self, condition: &Condition) -> bool {
        let Some((before, used)) = self.0.get(&condition.id) else { return false };
        let of = |condition: &Condition| -> Vec<_> {
            let used = condition.hypotheses.iter().filter(|h| used.contains(&h.origin));
            used.map(|h| (h.origin.clone(), h.formula.clone())).collect()
        };
        before.goal == condition.goal && of(before) == of(condition)
    }
}

/// The pinned answer of the conditions about a part that no run shows.
fn asked(part: &Part) -> Fate {
    let mut lines = TABLE.lines().filter_map(|line| line.rsplit_once(" -> "));
    let answer = lines.find(|(pinned, _)| *pinned == part.to_string()).map_or("", |(_, fate)| fate);
    match answer.strip_prefix("fails ") {
        Some(conditions) => Fate::Fails(conditions.split(' ').map(str::to_string).collect()),
        None if answer == Fate::Redundant.to_string() => Fate::Redundant,
        None => Fate::Unseen,
    }
}

/// The table that is pinned: one line a part.
pub fn table(fates: &[(Part, Fate)]) -> String {
    fates.iter().map(|(part, fate)| format!("{part} -> {fate}\n")).collect()
}
