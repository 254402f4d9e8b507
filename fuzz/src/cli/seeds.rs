//! Writes the seed corpora: the same files every time.

use std::path::Path;

use zus_bpp::wire;

use crate::schedule::{Random, Run, Schedule};
use crate::targets::ALL;
use crate::world::Content;

/// Seeds of each target that is driven by bytes.
const SEEDS: u64 = 8;

/// Writes them under `corpus/`.
pub fn seeds() -> std::io::Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let write = |target: &str, name: String, bytes: &[u8]| {
        std::fs::create_dir_all(root.join(target))?;
        std::fs::write(root.join(target).join(name), bytes)
    };
    for (target, _) in ALL.iter().filter(|(name, _)| !["decode", "scenario", "trace"].contains(name)) {
        for seed in 0..SEEDS {
            let mut random = Random::new(seed);
            let length = 8 + 4 * random.below(12);
            let bytes: Vec<u8> = (0..length).map(|_| random.bits() as u8).collect();
            write(target, format!("seed-{seed}"), &bytes)?;
        }
    }
    // One message of each kind that a run sends.
    let mut kinds = Vec::new();
    for seed in 0..64 {
        let schedule = Schedule::random(&mut Random::new(seed));
        let Ok(mut run) = Run::new(&schedule.header.setup(), 0) else { continue };
        run.choose_all(&schedule.choices);
        for envelope in run.world.network.sent() {
            if let Content::Message(message) = &envelope.content
                && !kinds.contains(&envelope.kind)
            {
                write("decode", format!("{:?}", envelope.kind), &wire::encode(message))?;
                kinds.push(envelope.kind);
            }
        }
        if seed < 4
            && let Ok(trace) = run.judges.refinement.trace("zus-fuzz seeds")
        {
            write("trace", format!("run-{seed}.json"), trace.to_json().as_bytes())?;
        }
    }
    for name in ["hardened_live", "late_better_rank", "two_subrounds"] {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/scenarios").join(format!("{name}.toml"));
        if let Ok(text) = std::fs::read(&file) {
            write("scenario", format!("{name}.toml"), &text)?;
        }
    }
    Ok(true)
}
