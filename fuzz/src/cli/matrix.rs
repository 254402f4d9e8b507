//! The kill matrix: for each deliberate bug of the production crate the first random run that notices it, shrunk.

use std::path::Path;
use std::time::Instant;

use zus_bpp::miner::Config;
use zus_bpp::mutants::Mutant;

use crate::campaign::{run, walk};
use crate::schedule::Schedule;
use crate::shrink::shrink;
use crate::world::Adjust;

fn give(config: &mut Config, variant: u16) {
    config.mutant = Mutant::ALL.get(usize::from(variant)).copied();
}

/// Prints the matrix; with `write`, writes the witnesses.
pub fn matrix(runs: u64, write: bool) -> std::io::Result<bool> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions/mutants");
    let mut all = true;
    println!("| mutant | killed by | executions | seconds | witness, choices |\n|---|---|---|---|---|");
    for (index, mutant) in Mutant::ALL.iter().enumerate() {
        let adjust = Adjust(give, index as u16);
        let start = Instant::now();
        let Some(found) = walk(1, runs, adjust, None) else {
            println!("| {mutant:?} | - | {runs} | {:.1} | |", start.elapsed().as_secs_f64());
            all = false;
            continue;
        };
        let seconds = start.elapsed().as_secs_f64();
        let kind = found.failure.kind();
        let fails = |schedule: &Schedule| {
            run(schedule, adjust).failure().is_some_and(|failure| failure.kind() == kind)
        };
        let short = shrink(&found.schedule, fails);
        println!("| {mutant:?} | {kind} | {} | {seconds:.3} | {} |", found.runs, short.choices.len());
        if write {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(format!("{mutant:?}.run")), short.explicit())?;
        }
    }
    Ok(all)
}
