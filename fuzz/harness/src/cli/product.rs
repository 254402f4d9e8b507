//! Explores a product of production and specification, and tells what it found.

use std::path::Path;
use std::time::Instant;

use stateright::Checker;

use zus_checker::memory;
use zus_output::plain;
use zus_output::pulse::Pulse;
use zus_output::whole::{self, Promised};

use super::finding::{self, Deviation};
use crate::product::Product;
use crate::refinement::Names;
use crate::schedule::Run;

/// Explores it within so many steps and prints each violation; the first one's run goes to `trace`. True when nothing is wrong.
///
/// # Errors
/// When the instance has no room in the model, the trace cannot be written, or the bound was hit first (`QuotaExceeded`).
pub(super) fn explore(
    product: Product,
    refusals: bool,
    max_steps: usize,
    trace: Option<&Path>,
) -> std::io::Result<bool> {
    if let Err(why) = Run::new(&product.setup, 0) {
        return Err(std::io::Error::other(format!(
            "--rounds {}, --subrounds {}: the model has no room for it: {why}\n  fix: name fewer",
            product.setup.rounds, product.setup.subrounds
        )));
    }
    let mut trace = trace.map(|path| Promised::at(path, []).map_err(whole::unwritable(path))).transpose()?;
    let (start, before) = (Instant::now(), memory::now());
    let copy = product.clone();
    let _pulse = Pulse::new("exploring the product");
    let checker = product.explore(refusals, max_steps);
    let found = checker.discoveries();
    let (unique, steps) = (checker.unique_state_count(), checker.state_count());
    let seconds = start.elapsed().as_secs_f64();
    let bytes = memory::peak().saturating_sub(before) / unique.max(1) as u64;
    println!(
        "{unique} pairs, {steps} steps, depth {}, {seconds:.1} s, {bytes} bytes a pair",
        checker.max_depth()
    );
    let mut names: Vec<_> = found.keys().copied().collect();
    names.sort_unstable();
    for (number, property) in names.iter().enumerate() {
        let path = &found[property];
        let last = path.last_state();
        let failure = last.run.failure();
        let why = failure.as_ref().map_or_else(String::new, |failure| format!(": {failure}"));
        let offers = path.clone().into_actions();
        let choices = if offers.len() == 1 { "choice" } else { "choices" };
        println!("VIOLATED after {} {choices}: {property}{why}\n{last:?}", offers.len());
        let names = Names::of(&last.run.world);
        let refinement = &last.run.judges.refinement;
        // After a failure nothing is chosen any more: everything would count as refused.
        let refused = if failure.is_none() { copy.refusals(last) } else { Vec::new() };
        for action in refused {
            let deed = refinement.protocol.deed(&refinement.state, &action);
            println!("refused: {}", names.translate(&deed));
        }
        for (number, offer) in offers.iter().enumerate() {
            println!("{:3}. {}", number + 1, offer.told(&last.run));
        }
        if number == 0
            && let Some(promised) = trace.take()
        {
            let words = std::env::args_os().skip(1).map(plain::quoted).collect::<Vec<_>>().join(" ");
            let run = copy.played(&offers);
            finding::write_trace(promised, &run, failure.as_ref(), &Deviation::NONE.command(&words))?;
        }
    }
    if found.is_empty() && steps >= max_steps {
        let why = format!(
            "INCOMPLETE: nothing is wrong in the first {unique} pairs, and there are more\n  fix: name a larger --max-steps, or fewer \
             rounds and subrounds"
        );
        return Err(std::io::Error::new(std::io::ErrorKind::QuotaExceeded, why));
    }
    Ok(found.is_empty())
}
