//! Each deliberate bug of the production crate is noticed.

use zus_bpp::miner::Config;
use zus_bpp::mutants::Mutant;
use zus_fuzz::campaign::walk;
use zus_fuzz::world::Adjust;

fn give(config: &mut Config, variant: u16) {
    config.mutant = Mutant::ALL.get(usize::from(variant)).copied();
}

#[test]
fn hunt() {
    let runs: u64 = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(2000);
    for (index, mutant) in Mutant::ALL.iter().enumerate() {
        if std::env::var("ONLY").is_ok_and(|only| !only.contains(&format!("{mutant:?}"))) {
            continue;
        }
        let start = std::time::Instant::now();
        match walk(1, runs, Adjust(give, index as u16)) {
            Some(found) => println!("{mutant:?}: {} runs, {:?}: {}", found.runs, start.elapsed(), found.failure.to_string().lines().next().unwrap_or_default()),
            None => println!("{mutant:?}: SURVIVES {runs}"),
        }
    }
}
