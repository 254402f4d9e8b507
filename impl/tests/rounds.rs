//! Rounds are produced, and agreed upon.

mod sim;

use sim::{Byzantine, Fault, Network, Setup, World};
use zus_bpp::rules::Rules;

fn report<S: zus_bpp::crypto::scheme::Scheme + Clone>(world: &World<S>, done: bool) {
    println!(
        "{} ms, {} steps, {} messages, lowest {}, later subrounds {}, two notarized {}",
        world.now.0,
        world.steps,
        world.sent.0,
        world.observer.lowest(),
        world.observer.rounds_with_later_subrounds(),
        world.observer.rounds_with_two_notarized()
    );
    if !done {
        for i in 0..4 {
            if let Some(m) = world.miner(i) {
                println!(
                    "{i}: {:?} {:?} {:?} final {:?} pending {:?}",
                    m.round(),
                    m.subround(),
                    m.phase(),
                    m.finalized().round(),
                    m.pending_finality().map(|c| c.round)
                );
            } else {
                println!("{i}: down");
            }
        }
    }
}

#[test]
fn profiles() {
    for (name, rules) in
        [("hardened", Rules::HARDENED), ("documented", Rules::DOCUMENTED), ("deployed", Rules::DEPLOYED)]
    {
        for n in [1, 4, 7, 16] {
            let setup = Setup::new(n, rules, 1);
            let mut world = World::mock(&setup);
            world.observer.beacon_of_round = setup.rules.beacon == zus_bpp::rules::BeaconRule::RoundOnly;
            let done = world.run_to_height(10, 60_000);
            println!("{name} {n}: {done}");
            report(&world, done);
            println!("{:?}", world.observer.refused);
            world.observer.at_the_end();
            println!(
                "{} violations {:?}",
                world.observer.violations.len(),
                world.observer.violations.iter().next()
            );
        }
    }
}

#[test]
fn rough() {
    for (name, rules) in
        [("hardened", Rules::HARDENED), ("documented", Rules::DOCUMENTED), ("deployed", Rules::DEPLOYED)]
    {
        for seed in 0..10 {
            let mut setup = Setup::new(4, rules, seed);
            setup.network = Network::ROUGH;
            let mut world = World::mock(&setup);
            world.observer.beacon_of_round = setup.rules.beacon == zus_bpp::rules::BeaconRule::RoundOnly;
            let done = world.run_to_height(10, 600_000);
            println!("{name} {seed}: {done}");
            report(&world, done);
            if !world.observer.refused.is_empty() {
                println!("{:?}", world.observer.refused);
            }
            world.observer.at_the_end();
            if !world.observer.violations.is_empty() {
                println!(
                    "{} violations {:?}",
                    world.observer.violations.len(),
                    world.observer.violations.iter().next()
                );
            }
        }
    }
}

#[test]
fn byz() {
    for kind in [
        Byzantine::Silent,
        Byzantine::NoProposals,
        Byzantine::Equivocate,
        Byzantine::Whisper,
        Byzantine::Garbage,
        Byzantine::Impatient,
        Byzantine::Noise,
    ] {
        for seed in 0..3 {
            let mut setup = Setup::new(4, Rules::HARDENED, seed);
            setup.byzantine = vec![(seed as u16 % 4, kind)];
            let mut world = World::mock(&setup);
            world.observer.beacon_of_round = setup.rules.beacon == zus_bpp::rules::BeaconRule::RoundOnly;
            let done = world.run_to_height(10, 600_000);
            println!("{kind:?} {seed}: {done}");
            report(&world, done);
            if !world.observer.refused.is_empty() {
                println!("{:?}", world.observer.refused);
            }
            world.observer.at_the_end();
            if !world.observer.violations.is_empty() {
                println!(
                    "{} violations {:?}",
                    world.observer.violations.len(),
                    world.observer.violations.iter().next()
                );
            }
        }
    }
}

#[test]
fn kills() {
    for seed in 0..30 {
        let mut setup = Setup::new(4, Rules::HARDENED, seed);
        setup.network = if seed % 2 == 0 { Network::RELIABLE } else { Network::ROUGH };
        for k in 0..40u64 {
            let m = (k % 4) as u16;
            setup
                .faults
                .push((200 + k * 300, if k % 3 == 0 { Fault::KillInStep(m) } else { Fault::Kill(m) }));
            setup.faults.push((
                400 + k * 300,
                if k % 5 == 0 { Fault::RestartWithLogOnly(m) } else { Fault::Restart(m) },
            ));
        }
        for m in 0..4 {
            setup.faults.push((13_000, Fault::Kill(m)));
            setup.faults.push((13_100, Fault::Restart(m)));
        }
        let mut world = World::mock(&setup);
        world.run(13_200);
        for m in 0..4 {}
        let done = world.run_to_height(15, 600_000);
        println!("{seed}: {done}");
        report(&world, done);
        if !world.observer.refused.is_empty() {
            println!("{:?}", world.observer.refused);
        }
        world.observer.at_the_end();
        if !world.observer.violations.is_empty() {
            println!(
                "{} violations {:?}",
                world.observer.violations.len(),
                world.observer.violations.iter().next()
            );
        }
    }
}
