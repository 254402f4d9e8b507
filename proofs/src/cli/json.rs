//! `check --format json`: the conditions of one choice of rules as data, for the summary of a pull request.

use super::{BadInput, CheckArguments, End, read};
use crate::{
    explain::{Counterexample, real_run},
    judge::Verdict,
    nonvacuity,
    spec::Sources,
    verify::Verification,
};
use zus_report::summary::proofs::{Condition, FORMAT, Outcome, Proofs, VERSION};

/// Decides the conditions and prints them.
pub(super) fn print(sources: &Sources, arguments: &CheckArguments, threads: usize) -> Result<End, BadInput> {
    let mut spec = read(sources, &arguments.rules)?;
    for item in &arguments.delete {
        spec = spec.without(item)?;
    }
    let verification = Verification::new(&spec, threads);
    let (mut conditions, mut end, mut explained) = (Vec::new(), End::Fine, 0);
    for (condition, outcome) in verification.conditions.iter().zip(&verification.outcomes) {
        let (outcome, says) = match outcome {
            Ok(Verdict::Holds(_)) => (Outcome::Holds, String::new()),
            Ok(Verdict::Fails(structure)) => {
                end = End::Fails;
                explained += 1;
                let says = if explained <= arguments.explain {
                    Counterexample::new(&spec, condition, structure.clone())?.to_string()
                } else {
                    String::new()
                };
                (Outcome::Fails, says)
            }
            Err(error) => {
                end = end.max(End::Incomplete);
                (Outcome::Undecided, error.to_string())
            }
        };
        conditions.push(Condition { id: condition.id.to_string(), outcome, says });
    }
    if end == End::Fine && arguments.delete.is_empty() {
        for id in nonvacuity::idle(&spec, threads)? {
            end = End::Incomplete;
            conditions.push(Condition { id, outcome: Outcome::Undecided, says: nonvacuity::IDLE.into() });
        }
    }
    // To search a run may take minutes: only where something is to be explained.
    let run = if end == End::Fails && arguments.explain > 0 { real_run(&spec)? } else { None };
    let run = run.map(|(broken, run)| {
        let steps = run.sentences(&spec);
        let steps = steps.iter().enumerate().map(|(index, step)| format!("{:>3}. {step}", index + 1));
        let head = format!("{} actions that break {}:", run.events.len(), broken.join(", "));
        std::iter::once(head).chain(steps).collect::<Vec<_>>().join("\n")
    });
    let mut command = format!("zus-proofs check --rules {}", arguments.rules);
    for item in &arguments.delete {
        command += &format!(" --delete {item}");
    }
    let proofs = Proofs {
        format: FORMAT.into(),
        version: VERSION,
        command,
        rules: spec.rules.to_string(),
        conditions,
        unchanged: verification.unchanged,
        run,
    };
    say!("{}", serde_json::to_string_pretty(&proofs).map_err(|error| BadInput(error.to_string()))?);
    Ok(end)
}
