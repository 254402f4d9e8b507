//! Counts the instructions of six operations under callgrind and compares them with the committed baseline.
//!
//! ```text
//! cargo run --release -p zus-measure --bin instructions             # compares; fails beyond three percent
//! cargo run --release -p zus-measure --bin instructions -- write    # writes the baseline anew
//! cargo run --release -p zus-measure --bin instructions -- json     # as figures, for `zus report` and `zus summary`
//! ```
//! Counts do not depend on what else the machine does. They do on the compiler, and they are of the portable path: callgrind
//! does not know AVX-512. Without valgrind the comparison is skipped, but fails where `CI` is set.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs, io};

use zus_bpp::committee::MinerId;
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::curve::{G1, Gt, PreparedG2};
use zus_bpp::crypto::group_testing::sift;
use zus_bpp::crypto::keys::DomainTag;
use zus_bpp::crypto::scheme::{AggregateClaim, Domain, Signature, Verify as _};
use zus_bpp::crypto::trusted_dealer;
use zus_measure::committee::Keys;
use zus_output::figures::{Figures, Value};

/// How far a count may move in either direction: less is a new baseline.
const TOLERANCE_PERCENT: u64 = 3;

const OPERATIONS: [&str; 6] = [
    "aggregate/n=100/invalid=0",
    "aggregate/n=100/invalid=1",
    "certificate/n=100",
    "beacon/n=100,t=67",
    "sign",
    "certificates/n=16/batch=16",
];

/// The only function whose instructions are counted.
#[inline(never)]
fn measured(operation: &mut dyn FnMut()) {
    black_box(operation)();
}

fn run(operation: &str) {
    let tag: DomainTag = Domain::Ticket.into();
    let message = b"epoch 1, round 2, subround 0, block 3";
    match operation {
        "aggregate/n=100/invalid=0" | "aggregate/n=100/invalid=1" => {
            let keys = Keys::new(100);
            let invalid = usize::from(operation.ends_with('1'));
            let tickets = keys.tickets(tag, message).with_invalid(invalid, 3);
            measured(&mut || {
                let hash = G1::hash(tag.as_bytes(), message);
                let sifted = sift(&keys.sums, &hash, &tickets.signatures, &|s| keys.sums.prepared_sum(s));
                assert_eq!(sifted.wrong.len(), invalid);
            });
        }
        "certificate/n=100" => {
            let keys = Keys::new(100);
            let tickets = keys.tickets(tag, message).signatures;
            let (signers, summands): (Vec<MinerId>, Vec<Signature>) = tickets.into_iter().take(67).unzip();
            let aggregate = zus_bpp::crypto::keys::aggregate(&summands).expect("a sum");
            // Made before: the process makes it once.
            let minus_generator = PreparedG2::minus_generator();
            measured(&mut || {
                let point = G1::decode(&aggregate.0).expect("a point");
                let key = keys.sums.prepared_sum(&signers).expect("a sum");
                let hash = G1::hash(tag.as_bytes(), message);
                assert!(point.is_in_subgroup());
                assert!(Gt::product([(&point, minus_generator), (&hash, &*key)]).is_one());
            });
        }
        "beacon/n=100,t=67" => {
            let (committee, members) = trusted_dealer::deal([5; 32], 100).expect("keys");
            let shares: Vec<(MinerId, Signature)> =
                members.iter().map(|member| (member.member, member.beacon.sign(message))).collect();
            measured(&mut || assert!(committee.beacon().combine(message, &shares).is_ok()));
        }
        "sign" => {
            let keys = Keys::new(1);
            measured(&mut || {
                black_box(keys.secrets[0].sign(tag, message));
            });
        }
        "certificates/n=16/batch=16" => {
            let (committee, members) = trusted_dealer::deal([5; 32], 16).expect("keys");
            let signers: Vec<MinerId> = (0..11).map(MinerId).collect();
            let messages: Vec<[u8; 4]> = (0_u32..16).map(u32::to_be_bytes).collect();
            let aggregate = |message: &[u8]| {
                let sign = |signer: &MinerId| members[usize::from(signer.0)].identity.sign(tag, message);
                let summands: Vec<Signature> = signers.iter().map(sign).collect();
                zus_bpp::crypto::keys::aggregate(&summands).expect("a sum")
            };
            let claims: Vec<AggregateClaim<'_>> = messages
                .iter()
                .map(|message| AggregateClaim {
                    signers: &signers,
                    tag: Domain::Ticket.tag(),
                    message,
                    aggregate: aggregate(message),
                })
                .collect();
            let scheme = BlstScheme::observer(committee);
            measured(&mut || {
                assert!(scheme.verify_aggregates(&claims, &[1; 32]).iter().all(|&verdict| verdict));
            });
        }
        _ => unreachable!("not one of OPERATIONS: {operation}"),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["run", operation] if OPERATIONS.contains(&operation) => {
            run(operation);
            ExitCode::SUCCESS
        }
        [] => finish(compare()),
        ["json"] => finish(count_all().and_then(|counts| json(&counts)).map(|()| true)),
        ["write"] => finish(count_all().and_then(|counts| write(&counts)).map(|()| true)),
        _ => {
            eprintln!("error: {}: no such words\n  fix: instructions [write | json]", arguments.join(" "));
            ExitCode::from(2)
        }
    }
}

fn finish(result: io::Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if error.kind() == io::ErrorKind::NotFound && env::var_os("CI").is_none() => {
            eprintln!("SKIPPED: {error}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cannot count instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The conditions that counts depend on: compiler and kind of processor. A baseline says nothing elsewhere.
fn conditions() -> String {
    let rustc = Command::new("rustc").arg("--version").output().ok();
    let rustc = rustc.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    let version = rustc.split_whitespace().nth(1).unwrap_or("unknown").to_owned();
    format!("# rustc {version}, {}{}", env::consts::ARCH, features())
}

#[cfg(target_arch = "x86_64")]
fn features() -> String {
    let known = [
        ("adx", is_x86_feature_detected!("adx")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
    ];
    known.iter().filter(|(_, present)| *present).map(|(name, _)| format!(" {name}")).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> String {
    String::new()
}

/// The conditions, then one line an operation: the count, then the name.
fn baseline() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.txt")
}

fn write(counts: &BTreeMap<String, u64>) -> io::Result<()> {
    let lines = counts.iter().map(|(operation, count)| format!("{count} {operation}\n"));
    zus_output::whole::write(baseline(), format!("{}\n{}", conditions(), lines.collect::<String>()))
}

fn compare() -> io::Result<bool> {
    let text = fs::read_to_string(baseline())
        .map_err(|error| io::Error::other(format!("{}: {error}", zus_output::plain::path(baseline()))))?;
    let (made, here) = (text.lines().next().unwrap_or_default(), conditions());
    if made != here {
        zus_output::say!(
            "SKIPPED: the baseline is for {made:?} and this is {here:?}; `-- write` makes another"
        );
        return Ok(true);
    }
    let counts = count_all()?;
    let known = known(&text);
    let mut within = known.len() == OPERATIONS.len();
    for (operation, count) in &counts {
        let Some(&before) = known.get(operation.as_str()) else {
            zus_output::say!("{operation}: not in the baseline");
            within = false;
            continue;
        };
        let change = (*count as f64 / before as f64 - 1.0) * 100.0;
        let good = is_within(*count, before);
        within &= good;
        let verdict = if good { "ok".to_owned() } else { format!("BEYOND {TOLERANCE_PERCENT} %") };
        zus_output::say!("{operation}: {count} ({change:+.2} %) {verdict}");
    }
    Ok(within)
}

/// The counts of a baseline's text.
fn known(text: &str) -> BTreeMap<&str, u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(count, operation)| Some((operation, count.parse().ok()?)))
        .collect()
}

/// Prints the counts as figures, beside the baseline if it is for these conditions.
fn json(counts: &BTreeMap<String, u64>) -> io::Result<()> {
    let text = fs::read_to_string(baseline()).unwrap_or_default();
    let here = conditions();
    let known = if text.lines().next() == Some(&here) { known(&text) } else { BTreeMap::new() };
    let command = "cargo run --release -p zus-measure --bin instructions -- json";
    let mut figures = Figures::new("Instructions of the hot path", command);
    figures.notes = vec![format!("counted by callgrind, portable path; {}", here.trim_start_matches("# "))];
    let value = |(operation, &count): (&String, &u64)| Value {
        name: operation.clone(),
        unit: "instructions".into(),
        value: count as f64,
        before: known.get(operation.as_str()).map(|&before| before as f64),
        tolerance_percent: TOLERANCE_PERCENT as f64,
    };
    figures.values = counts.iter().map(value).collect();
    zus_output::say!("{}", serde_json::to_string_pretty(&figures)?);
    Ok(())
}

fn is_within(count: u64, before: u64) -> bool {
    count.abs_diff(before) * 100 <= before * TOLERANCE_PERCENT
}

fn count_all() -> io::Result<BTreeMap<String, u64>> {
    OPERATIONS.iter().map(|operation| Ok(((*operation).to_string(), count(operation)?))).collect()
}

/// Instructions of an operation, by callgrind in a process of its own.
fn count(operation: &str) -> io::Result<u64> {
    let output = env::temp_dir().join(format!("zus-callgrind-{}", std::process::id()));
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*instructions::measured*"])
        .arg(format!("--callgrind-out-file={}", output.to_string_lossy()))
        .arg(env::current_exe()?)
        .args(["run", operation])
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("valgrind does not run: {error}")))?;
    if !valgrind.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&valgrind.stderr).into_owned()));
    }
    let profile = fs::read_to_string(&output)?;
    fs::remove_file(&output)?;
    let total = profile.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total
        .filter(|&total| total > 0)
        .ok_or_else(|| io::Error::other(format!("{operation}: nothing was counted")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_percent_pass_and_four_do_not() {
        for (count, within) in
            [(1000, true), (1030, true), (970, true), (1040, false), (960, false), (0, false)]
        {
            assert_eq!(is_within(count, 1000), within, "{count}");
        }
    }

    #[test]
    fn every_operation_runs() {
        OPERATIONS.iter().for_each(|operation| run(operation));
    }
}
