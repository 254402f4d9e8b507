//! Every committed input, and some random ones, through every target, on stable.

use std::path::{Path, PathBuf};

use zus_fuzz::schedule::Random;
use zus_fuzz::targets::{self, ALL};

fn files(folder: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(target);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

#[test]
fn committed_inputs_show_nothing_wrong() {
    for (name, target) in ALL {
        let corpus = files("corpus", name);
        assert!(!corpus.is_empty(), "no corpus for {name}");
        for file in corpus.into_iter().chain(files("regressions", name)) {
            eprintln!("{}", file.display());
            target(&std::fs::read(&file).expect("a committed file is readable"));
        }
    }
}

/// Runs on real signatures cost a hundred times as much.
fn share(name: &str) -> u64 {
    match name {
        "conformance_bls" => 1,
        "twins" | "conformance" | "recovery" => 100,
        _ => 400,
    }
}

#[test]
fn random_inputs_show_nothing_wrong() {
    let factor: u64 = std::env::var("FACTOR").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    for (name, target) in ALL {
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

#[test]
fn targets_have_shims_and_names() {
    for (name, _) in ALL {
        let shim = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets").join(format!("{name}.rs"));
        let text = std::fs::read_to_string(&shim).expect("each target has a shim");
        assert!(text.contains(&format!("targets::{name}(bytes)")), "{name}");
        assert!(targets::named(name).is_some());
    }
}
