//! Random walks over production code with the model as the oracle.

use zus_fuzz::schedule::{Random, Run, Schedule};

#[test]
fn random_runs_of_the_production_code_are_runs_of_the_model() {
    let runs: u64 = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(300);
    let first: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let (mut steps, mut actions, mut longest) = (0, 0, 0);
    let start = std::time::Instant::now();
    for seed in first..first + runs {
        let schedule = Schedule::random(&mut Random::new(seed));
        let mut run = Run::new(&schedule.header.setup(), schedule.header.swarm()).expect("the model has room");
        run.choose_all(&schedule.choices);
        steps += run.judges.steps;
        actions += run.judges.refinement.actions.len();
        if seed % 8 == 0 {
            match run.ends_well() {
                Ok(took) => longest = longest.max(took),
                Err(failure) => panic!("seed {seed}: {failure}\n{schedule:?}"),
            }
        }
        assert!(run.failure().is_none(), "seed {seed}: {schedule:?}");
    }
    println!("longest calm {longest} ms");
    println!("{runs} runs, {steps} steps, {actions} actions, {:?}", start.elapsed());
}
