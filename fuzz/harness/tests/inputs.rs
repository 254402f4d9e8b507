//! Every committed input, and some random ones, through every target, on stable. This program counts what a thread allocates,
//! so that the bound of `decode` is checked here.

use std::path::PathBuf;

use zus_fuzz::schedule::profile::LATER;
use zus_fuzz::schedule::{Header, Random, Schedule};
use zus_fuzz::targets::allocation::{is_counted, measure};
use zus_fuzz::targets::codecs::bounded;
use zus_fuzz::targets::{self, ALL};

/// All committed inputs together, in bytes, at most.
const MOST_BYTES: u64 = 10 << 20;

fn files(folder: &str, target: &str) -> Vec<PathBuf> {
    let folder = zus_fuzz::room().join(folder).join(target);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

#[test]
fn committed_inputs_show_nothing_wrong() {
    for &(name, target) in ALL {
        let committed = files("inputs", name);
        assert!(!committed.is_empty(), "no inputs for {name}");
        let start = std::time::Instant::now();
        let inputs: Vec<PathBuf> = committed.into_iter().chain(files("regressions", name)).collect();
        for file in &inputs {
            eprintln!("{}", file.display());
            target(&std::fs::read(file).expect("a committed file is readable"));
        }
        println!("{name}: {} inputs, {:?}", inputs.len(), start.elapsed());
    }
}

/// A value of a rule that is yet to come gets the next numbers of marked headers. An input that asks for them would change its
/// meaning then.
#[test]
fn no_committed_schedule_asks_for_rules_that_are_yet_to_come() {
    let schedules = ["conformance", "conformance_bls", "twins", "recovery", "overrun", "profiles"];
    let kept =
        ["conformance", "overrun", "twins", "soak", "mutants", "example"].map(|name| ("regressions", name));
    let mut read = 0;
    for (folder, name) in schedules.map(|name| ("inputs", name)).into_iter().chain(kept) {
        for file in files(folder, name) {
            let schedule = Schedule::from_file(&std::fs::read(&file).expect("a committed file is readable"));
            let file = file.display();
            assert!(!schedule.header.is_for_the_next_value(), "{file}: remove it, or change its byte 0");
            read += 1;
        }
    }
    assert!(read > 4000, "{read} schedules");
    // A control: the mark, and the numbers behind all that came later.
    let next = 8 * LATER.len() as u8;
    assert!(Header([0x78, 0, next << 2 | 2, 0xa0, 0, 0, 0, 0]).is_for_the_next_value());
    assert!(!Header([0x70, 0, next << 2 | 2, 0xa0, 0, 0, 0, 0]).is_for_the_next_value());
}

#[test]
fn committed_inputs_stay_small() {
    let root = zus_fuzz::room().join("inputs");
    let mut total = 0;
    for entry in std::fs::read_dir(root).expect("there are inputs").flatten() {
        let name = entry.file_name().into_string().expect("names of targets are ASCII");
        assert!(targets::named(&name).is_some(), "{name} has inputs, and is no target");
        let sizes = files("inputs", &name).into_iter().map(|file| file.metadata().map_or(0, |it| it.len()));
        let size: u64 = sizes.sum();
        assert!(size > 0, "{name} is empty");
        total += size;
    }
    assert!(total <= MOST_BYTES, "{total} bytes of committed inputs: merge them (README.md)");
}

/// Runs on real signatures cost a hundred times as much.
fn share(name: &str) -> u64 {
    match name {
        "conformance_bls" => 1,
        "dkg" => 12,
        "soak" => 1,
        "twins" | "conformance" | "recovery" | "differential_bls" => 100,
        _ => 400,
    }
}

#[test]
fn random_inputs_show_nothing_wrong() {
    let factor: u64 = std::env::var("FACTOR").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    for &(name, target) in ALL {
        let mut random = Random::new(7);
        let start = std::time::Instant::now();
        for run in 0..share(name) * factor {
            let length = random.below(200);
            let bytes: Vec<u8> = (0..length).map(|_| random.bits() as u8).collect();
            eprintln!("{name} {run}");
            target(&bytes);
        }
        println!("{name}: {} runs, {:?}", share(name) * factor, start.elapsed());
    }
}

/// A control: a decoder that believes a length before it looks whether so many bytes follow.
#[test]
#[should_panic(expected = "65535 bytes asked for, to decode 2; at most")]
fn a_decoder_that_believes_a_length_is_noticed() {
    assert!(is_counted());
    bounded("control", &[0xff, 0xff], || std::hint::black_box(Vec::<u8>::with_capacity(0xffff)));
}

#[test]
fn what_is_freed_again_is_counted_too() {
    let ((), asked) = measure(|| {
        for _ in 0..3 {
            drop(std::hint::black_box(vec![1_u8; 1_000]));
        }
    });
    assert_eq!(asked, 3_000);
}
