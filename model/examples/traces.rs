//! Writes the example traces anew, when the protocol, its words or the format have changed:
//!
//! ```sh
//! cargo run --release -p zus-model --example traces             # into model/traces
//! cargo run --release -p zus-model --example traces -- FOLDER
//! ```
//!
//! Each is the shortest run that shows one property of one committed scenario. `tests/trace.rs` sees that the committed files
//! are those that this program writes, and no others.

use std::{path::PathBuf, process::ExitCode};
use zus_checker::{
    committed,
    properties::Property,
    scenario::Change,
    search::{
        bfs::Limits,
        check::{Options, check},
    },
    trace::Trace,
};

/// Scenario and property of each example.
pub const EXAMPLES: &[(&str, Property)] = &[
    ("amnesia", Property::S2),
    ("beacon_split", Property::L1),
    ("deployed_fork", Property::S5),
    ("documented_live", Property::L4),
    ("exposed_f_plus_one", Property::S11),
    ("exposed_one_share", Property::W10),
    ("f_plus_one", Property::S5),
    ("hardened", Property::W2),
    ("hardened", Property::W5),
    ("hardened", Property::W8),
    ("hardened", Property::W9),
    ("hardened_restart", Property::W6),
    ("late_better_rank", Property::S2),
    ("two_delta_synchronous", Property::S5),
];

/// The file of an example.
pub fn file(name: &str, property: Property) -> String {
    format!("{name}-{}.json", property.id())
}

/// The run that shows the property, as `zus check NAME --out out` writes it. Nothing else is looked for, so the search ends where
/// it is found.
pub fn trace(name: &str, property: Property) -> Result<Trace, String> {
    let scenario = committed::scenario(name, &Change::default());
    let scenario = scenario.ok_or_else(|| format!("there is no scenario `{name}`"))?;
    let mut scenario = scenario.map_err(|error| error.to_string())?;
    scenario.expect.retain(|expected| expected.property == property);
    (scenario.states, scenario.exhaustive) = (None, false);
    let command = format!("zus check {name} --out out");
    let options = Options { limits: Limits::default(), command: &command, progress: &|_| {} };
    let mut found = check(&scenario, options).findings.into_iter().filter_map(|finding| finding.trace);
    found.next().ok_or_else(|| format!("no run of `{name}` shows {}", property.id()))
}

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/traces")));
    for &(name, property) in EXAMPLES {
        let path = folder.join(file(name, property));
        let written = trace(name, property).and_then(|trace| {
            zus_output::whole::write(&path, trace.to_json())
                .map_err(|error| format!("{}: cannot be written: {error}", zus_output::plain::path(&path)))
        });
        if let Err(error) = written {
            eprintln!(
                "{error}\n  fix: name an existing folder, and see that `zus check {name}` is as expected"
            );
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
