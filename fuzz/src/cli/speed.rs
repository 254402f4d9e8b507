//! Executions a second of each target, on this machine, one core.

use std::time::{Duration, Instant};

use crate::campaign::run;
use crate::schedule::{Random, Schedule};
use crate::targets::ALL;
use crate::world::{Adjust, World};

/// Prints the table.
pub fn speed(seconds: u64) -> bool {
    println!("| target | executions a second |\n|---|---|");
    for (name, target) in ALL {
        let (mut random, start, mut runs) = (Random::new(1), Instant::now(), 0u64);
        while start.elapsed() < Duration::from_secs(seconds) {
            let bytes: Vec<u8> = (0..64).map(|_| random.bits() as u8).collect();
            target(&bytes);
            runs += 1;
        }
        println!("| {name} | {:.0} |", runs as f64 / start.elapsed().as_secs_f64());
    }
    let (mut random, start) = (Random::new(1), Instant::now());
    let (mut steps, mut runs) = (0, 0u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        steps += run(&Schedule::random(&mut random), Adjust::NONE).judges.steps;
        runs += 1;
    }
    let judged = start.elapsed().as_secs_f64();
    println!(
        "\nconformance: {:.0} production steps a second, {} a run",
        steps as f64 / judged,
        steps / runs.max(1)
    );
    // The same runs with nobody watching: what the step check costs.
    let (mut random, start) = (Random::new(1), Instant::now());
    for _ in 0..runs {
        unwatched(&Schedule::random(&mut random));
    }
    let bare = start.elapsed().as_secs_f64();
    println!("without refinement and oracles: {:.2} of the time", bare / judged);
    true
}

fn unwatched(schedule: &Schedule) {
    let ground = crate::schedule::ground_of(&schedule.header.setup());
    let mut world = World::new(ground);
    world.start(&mut ());
    for choice in &schedule.choices {
        let found = crate::schedule::resolve(&world, *choice, schedule.header.swarm());
        if let Some(operation) = found {
            crate::schedule::operation::perform(&mut world, &operation, &mut ());
        }
    }
}
