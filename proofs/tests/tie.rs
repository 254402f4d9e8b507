//! The specification and the model are one protocol.

#[path = "tie/worlds.rs"]
mod worlds;

use worlds::{Instance, honest};
use zus_model::blocks::Generator::{Byzantine, Honest};
use zus_proofs::{
    spec::{RuleChoice, Sources, Spec, load},
    tie::{Exploration, Placement, Tie, explore, rules_of, walk},
};

fn spec(rules: &str) -> Spec {
    load(&Sources::embedded(), &RuleChoice::new(rules)).unwrap()
}

fn exhaust(instance: &Instance, limit: usize) -> Exploration {
    let protocol = instance.protocol();
    let spec = spec("hardened");
    let tie = Tie::new(&spec, &protocol).unwrap();
    let mut all = Exploration { exhausted: true, ..Exploration::default() };
    for placement in Placement::all(&protocol).unwrap() {
        match explore(&tie, &placement, limit) {
            Ok(found) => all.add(found),
            Err(failure) => panic!("{placement:?}\n{failure}"),
        }
    }
    all
}

#[test]
fn probe() {
    for (name, instance, limit) in [
        ("n1", honest(1, 2, 2, &[Honest]), 20_000),
        ("n2", honest(2, 1, 2, &[Honest]), 20_000),
        ("n2r2", honest(2, 2, 1, &[Honest]), 20_000),
        ("n1b", Instance { crashes: 1, ..honest(1, 2, 2, &[Honest]) }, 20_000),
        ("n1behind", Instance { crashes: 1, behind: true, ..honest(1, 2, 2, &[Honest]) }, 20_000),
        ("n4byz", Instance { byzantine: 1, ..honest(4, 1, 1, &[Byzantine]) }, 20_000),
    ] {
        let start = std::time::Instant::now();
        println!("{name}: {:?} {:?}", exhaust(&instance, limit), start.elapsed());
    }
    let instance = Instance { byzantine: 1, crashes: 1, ..honest(4, 3, 2, &[Honest, Byzantine]) };
    let protocol = instance.protocol();
    let spec = spec(&rules_of(&protocol.rules));
    let tie = Tie::new(&spec, &protocol).unwrap();
    let start = std::time::Instant::now();
    let mut all = Exploration::default();
    for seed in 0..20 {
        match walk(&tie, seed, 400) {
            Ok(found) => all.add(found),
            Err(failure) => panic!("seed {seed}\n{failure}"),
        }
    }
    println!("walk: {all:?} {:?}", start.elapsed());
}
