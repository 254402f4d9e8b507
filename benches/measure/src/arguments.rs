//! The command line of the benches: `cargo bench -p zus-benches -- [OPERATION]... [OPTIONS]`.
//!
//! An option that has no effect on a named operation is an error, and so is a value that no measurement can have. Each error
//! names the option and the fix, and ends the program with exit code 2.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Error, Parser, ValueEnum};
use zus_bpp::committee::max_faulty;
use zus_bpp::crypto::dkg::MAX_DKG_MEMBERS;
use zus_bpp::limits::MAX_MINERS;
use zus_bpp::synchrony::WINDOW;

use crate::required::NEEDED;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Operation {
    /// Step 6: n tickets as bytes to their aggregate and the invalid ones; ours and every peer's
    Aggregate,
    /// Step 6: tickets that come one at a time
    Incremental,
    /// Step 7: a received certificate, alone and in batches
    Certificate,
    /// Step 1: beacon shares as bytes to the verified signature of the group
    Beacon,
    /// One signature, made and verified
    Signature,
    /// The distributed key generation, the work of one member
    Dkg,
    /// A flush of the ticket log, on the clock
    TicketLog,
    /// Messages to bytes and back
    Wire,
    /// Blocks a second of the sans-I/O miner, by committee and window
    Blocks,
    /// The table of ratios, the growth, and the required ratios
    Ratios,
    /// Tickets a second as the committee grows
    Growth,
}

impl Operation {
    /// All of them, in the order in which they are measured.
    pub const ALL: [Self; 11] = [
        Self::Aggregate,
        Self::Incremental,
        Self::Certificate,
        Self::Beacon,
        Self::Signature,
        Self::Dkg,
        Self::TicketLog,
        Self::Wire,
        Self::Blocks,
        Self::Ratios,
        Self::Growth,
    ];

    /// Their names.
    #[must_use]
    pub fn names() -> Vec<String> {
        Self::ALL.into_iter().map(Self::name).collect()
    }

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether `option` has an effect on it.
    fn has(self, option: Setting) -> bool {
        match (option, self) {
            (Setting::N, Self::Signature | Self::TicketLog | Self::Wire) => false,
            (Setting::N, _) => true,
            (Setting::Invalid, operation) => matches!(operation, Self::Aggregate | Self::Ratios),
            (Setting::Window, operation) => operation == Self::Blocks,
            (Setting::Peer, operation) => matches!(
                operation,
                Self::Aggregate
                    | Self::Certificate
                    | Self::Beacon
                    | Self::Signature
                    | Self::Ratios
                    | Self::Growth
            ),
            (Setting::Baseline, operation) => {
                !matches!(operation, Self::Ratios | Self::Growth | Self::Blocks)
            }
        }
    }
}

/// The options that have an effect on some operations only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Setting {
    N,
    Invalid,
    Window,
    Peer,
    Baseline,
}

impl Setting {
    const fn flag(self) -> &'static str {
        match self {
            Self::N => "--n",
            Self::Invalid => "--invalid",
            Self::Window => "--window",
            Self::Peer => "--peer",
            Self::Baseline => "--save-baseline and --baseline",
        }
    }
}

/// Measures the signature-heavy path beside its peers. Without an operation all are measured.
#[derive(Parser, Clone, Debug, Default)]
#[command(
    name = "cargo bench -p zus-benches --",
    disable_version_flag = true,
    after_help = "\
Examples:
  cargo bench -p zus-benches                                     everything
  cargo bench -p zus-benches -- aggregate --n 200 --invalid 10   one size
  cargo bench -p zus-benches --features peers -- ratios --gate   all peers; an error where a required ratio is missed
  cargo bench -p zus-benches -- blocks --n 4,100 --window 300    blocks a second of a miner
  cargo bench -p zus-benches -- wire --save-baseline before      then, after a change: --baseline before

Exit code: 0 measured, 1 a required ratio was missed (--gate), 2 bad usage."
)]
pub struct Arguments {
    /// The operations; `aggregate/` is the same as `aggregate`
    #[arg(value_name = "OPERATION", value_parser = operation)]
    pub operations: Vec<Operation>,
    /// Committee sizes, instead of those of each operation
    #[arg(long, value_name = "N", value_delimiter = ',',
        value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_MINERS)))]
    pub n: Vec<u16>,
    /// How many of the n tickets are invalid, instead of 0, 1, 10 and f
    #[arg(long, value_name = "K", value_delimiter = ',')]
    pub invalid: Vec<u16>,
    /// Windows of the miner in milliseconds: how long it collects proposals, which is the pace of the chain
    #[arg(long, value_name = "MS", value_delimiter = ',',
        value_parser = clap::value_parser!(u64).range(u64::from(WINDOW)..=60_000))]
    pub window: Vec<u64>,
    /// The peers, instead of all that were built; heavy ones are features of the package
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub peer: Vec<String>,
    /// Fewer sizes and shorter measurements
    #[arg(long)]
    pub quick: bool,
    /// Fail where a required ratio is missed; FACTOR makes each so many times as strict
    #[arg(long, value_name = "FACTOR", num_args = 0..=1, require_equals = true, default_missing_value = "1",
        value_parser = factor)]
    pub gate: Option<f64>,
    /// The tables and curves of `ratios` as a file for `zus report --figures`; an absolute path, since benches run in their folder
    #[arg(long, value_name = "FILE")]
    pub figures: Option<PathBuf>,
    /// Keep the measurements under this name
    #[arg(long, value_name = "NAME", conflicts_with = "baseline", value_parser = baseline)]
    pub save_baseline: Option<String>,
    /// Compare with the measurements that were kept under this name
    #[arg(long, value_name = "NAME", value_parser = baseline)]
    pub baseline: Option<String>,
    /// List the operations and the peers of this build
    #[arg(long)]
    pub list: bool,
    /// Run everything shortly, without results
    #[arg(long)]
    pub test: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    pub bench: bool,
}

/// An operation by its name; the slash of a filter may follow.
fn operation(text: &str) -> Result<Operation, String> {
    let name = text.trim_end_matches('/');
    Operation::from_str(name, false)
        .map_err(|_| format!("no operation; use one of {}", Operation::names().join(", ")))
}

fn factor(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor > 0.0);
    parsed.ok_or_else(|| "use a number above zero, as in --gate=10".to_owned())
}

/// The name of a folder, and of nothing outside it.
fn baseline(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let is_name = text.starts_with(|letter: char| letter.is_ascii_alphanumeric()) && text.chars().all(fits);
    if is_name { Ok(text.to_owned()) } else { Err("use letters, digits, and - _ . between them".to_owned()) }
}

/// A value that a list has more than once.
fn twice<T: Copy + PartialEq>(list: &[T]) -> Option<T> {
    list.iter().enumerate().find(|(index, value)| list[..*index].contains(value)).map(|(_, value)| *value)
}

impl Arguments {
    /// The arguments of a command line, the first of which is the name of the program, in a build with these peers.
    ///
    /// # Errors
    /// If the command line asks for help, or for something that cannot be measured. The text of the error names the option and
    /// the fix.
    pub fn parse_from_line(
        line: impl IntoIterator<Item = impl Into<OsString> + Clone>,
        peers: &[&str],
    ) -> Result<Self, Error> {
        let mut arguments = Self::try_parse_from(line)?;
        // Cargo names the bench by `--bench`, and `cargo test --benches` does not.
        arguments.test |= !arguments.bench;
        arguments.check(peers).map_err(|why| Self::command().error(ErrorKind::ValueValidation, why))?;
        Ok(arguments)
    }

    /// Whether an operation is asked for.
    #[must_use]
    pub fn wants(&self, operation: Operation) -> bool {
        self.operations.is_empty() || self.operations.contains(&operation)
    }

    /// Whether a peer is asked for.
    #[must_use]
    pub fn wants_peer(&self, name: &str) -> bool {
        self.peer.is_empty() || self.peer.iter().any(|wanted| wanted == name)
    }

    /// The committee sizes: those that are asked for, or else those of the operation.
    #[must_use]
    pub fn sizes(&self, quick: &[u16], full: &[u16]) -> Vec<u16> {
        match (self.n.is_empty(), self.quick) {
            (false, _) => self.n.clone(),
            (true, true) => quick.to_vec(),
            (true, false) => full.to_vec(),
        }
    }

    /// How many tickets of `n` are invalid: as asked for, or else none, one, ten and as many as may be Byzantine.
    #[must_use]
    pub fn invalid_of(&self, n: u16) -> Vec<usize> {
        if !self.invalid.is_empty() {
            return self.invalid.iter().map(|&invalid| invalid.into()).collect();
        }
        let f = max_faulty(n.into());
        let mut invalid = vec![0, 1, 10, f];
        invalid.retain(|&invalid| invalid <= f);
        invalid.dedup();
        invalid
    }

    /// The sense of all options together.
    fn check(&self, peers: &[&str]) -> Result<(), String> {
        for (option, given) in [
            (Setting::N, !self.n.is_empty()),
            (Setting::Invalid, !self.invalid.is_empty()),
            (Setting::Window, !self.window.is_empty()),
            (Setting::Peer, !self.peer.is_empty()),
            (Setting::Baseline, self.save_baseline.is_some() || self.baseline.is_some()),
        ] {
            let without_effect = self.operations.iter().find(|operation| given && !operation.has(option));
            if let Some(operation) = without_effect {
                let all = Operation::ALL.into_iter().filter(|operation| operation.has(option));
                let names: Vec<String> = all.map(|operation| operation.name()).collect();
                let (flag, name) = (option.flag(), operation.name());
                return Err(format!(
                    "{flag} has no effect on {name}\n  fix: leave it out, or name others: {}",
                    names.join(", ")
                ));
            }
        }
        let repeated = [
            ("--n", twice(&self.n).map(u64::from)),
            ("--invalid", twice(&self.invalid).map(u64::from)),
            ("--window", twice(&self.window)),
        ];
        if let Some((flag, value)) = repeated.iter().find_map(|(flag, value)| Some((flag, (*value)?))) {
            return Err(format!("{flag}: {value} is there twice\n  fix: name each value once"));
        }
        let largest = self.n.iter().copied().max().map_or(0, usize::from);
        if self.wants(Operation::Dkg) && largest > MAX_DKG_MEMBERS {
            return Err(format!(
                "--n {largest}: a key generation (dkg) has at most {MAX_DKG_MEMBERS} members\n  fix: a smaller --n, or name other operations"
            ));
        }
        if let Some(invalid) = self.invalid.iter().max() {
            let least = self.n.iter().copied().min().unwrap_or(100);
            if *invalid > least {
                return Err(format!(
                    "--invalid {invalid}: a committee of {least} has {least} tickets\n  fix: at most --invalid {least}, or a larger --n"
                ));
            }
        }
        if let Some(unknown) = self.peer.iter().find(|peer| !peers.contains(&peer.as_str())) {
            return Err(format!(
                "--peer {unknown}: no peer of this build, which has {}\n  fix: name one of these, or build with the peer's feature: cargo bench -p zus-benches --features peers",
                peers.join(", ")
            ));
        }
        let only_ratios = self.operations == [Operation::Ratios];
        for (flag, given) in [("--gate", self.gate.is_some()), ("--figures", self.figures.is_some())] {
            if given && !only_ratios {
                return Err(format!("{flag} belongs to the required ratios\n  fix: ratios {flag}"));
            }
        }
        let missing = NEEDED.iter().find(|peer| !(peers.contains(peer) && self.wants_peer(peer)));
        match missing {
            Some(missing) if self.gate.is_some() => Err(format!(
                "--gate: the required ratios are about {missing}, which is not measured\n  fix: cargo bench -p zus-benches --features peers -- ratios --gate, without --peer"
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEERS: [&str; 3] = ["blst", "commonware", "arkworks"];

    fn parse(line: &str) -> Result<Arguments, Error> {
        let words = ["operations", "--bench"].into_iter().chain(line.split_whitespace());
        Arguments::parse_from_line(words, &PEERS)
    }

    /// The text of the error, whose exit code is that of bad usage.
    fn refused(line: &str) -> String {
        let error = parse(line).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
        error.to_string()
    }

    #[test]
    fn a_size_is_that_of_its_flag() {
        let arguments = parse("aggregate/ --n 200 --invalid 10,0").unwrap();
        assert_eq!(arguments.sizes(&[100], &[100, 1000]), [200]);
        assert_eq!(arguments.invalid_of(200), [10, 0]);
        assert!(arguments.wants(Operation::Aggregate) && !arguments.wants(Operation::Ratios));
        assert!(arguments.wants_peer("blst") && !arguments.test);
        let arguments = parse("--peer arkworks --peer blst").unwrap();
        assert_eq!(arguments.sizes(&[100], &[100, 1000]), [100, 1000]);
        assert_eq!(arguments.invalid_of(100), [0, 1, 10, 33]);
        assert_eq!((arguments.invalid_of(4), arguments.invalid_of(1)), (vec![0, 1], vec![0]));
        assert!(arguments.wants_peer("blst") && !arguments.wants_peer("commonware"));
        assert_eq!(parse("--quick").unwrap().sizes(&[100], &[100, 1000]), [100]);
        assert_eq!(parse("ratios --gate").unwrap().gate, Some(1.0));
        assert_eq!(parse("ratios --gate=10").unwrap().gate, Some(10.0));
        assert_eq!(parse("blocks --window 300,1000").unwrap().window, [300, 1000]);
    }

    #[test]
    fn without_cargo_bench_it_is_a_test() {
        assert!(Arguments::parse_from_line(["operations"], &PEERS).unwrap().test);
    }

    #[test]
    fn a_value_that_cannot_be_measured_is_refused_with_the_flag_and_the_fix() {
        let most = format!("1..={MAX_MINERS}");
        for (line, named) in [
            ("--n 0", ["--n", &most]),
            ("--n 70000", ["--n", &most]),
            ("--n many", ["--n", "many"]),
            ("aggregate --n 200 --invalid 201", ["--invalid 201", "at most --invalid 200"]),
            ("aggregate --n 200,10 --invalid 11", ["--invalid 11", "at most --invalid 10"]),
            ("aggregate --invalid 101", ["--invalid 101", "at most --invalid 100"]),
            ("aggregate --invalid -1", ["-1", "--help"]),
            ("--peer mcl", ["--peer mcl", "--features peers"]),
            ("--window 0", ["--window", "5..=60000"]),
            ("dkg --n 4,7,4", ["--n: 4 is there twice", "each value once"]),
            ("dkg --n 1025", ["--n 1025", "at most 1024 members"]),
            ("--n 4096", ["--n 4096", "name other operations"]),
            ("aggregate --invalid 1,1", ["--invalid: 1 is there twice", "each value once"]),
            ("blocks --window 300 --window 300", ["--window: 300 is there twice", "each value once"]),
            ("wire --baseline ../before", ["--baseline", "use letters"]),
            ("wire --save-baseline .", ["--save-baseline", "use letters"]),
            ("frobnicate", ["frobnicate", "aggregate, incremental"]),
            ("--nn 3", ["--nn", "--n"]),
            ("wire --n 4", ["--n has no effect on wire", "aggregate"]),
            ("aggregate beacon --invalid 1", ["--invalid has no effect on beacon", "aggregate, ratios"]),
            ("dkg --peer blst", ["--peer has no effect on dkg", "certificate"]),
            ("ratios --window 300", ["--window has no effect on ratios", "blocks"]),
            ("growth --baseline a", ["--baseline has no effect on growth", "wire"]),
            ("--baseline a --save-baseline b", ["--baseline", "--save-baseline"]),
            ("aggregate --gate", ["--gate", "ratios --gate"]),
            ("--figures /tmp/x", ["--figures", "ratios --figures"]),
            ("ratios --gate=0", ["--gate", "--gate=10"]),
            ("ratios --gate=inf", ["--gate", "--gate=10"]),
            ("ratios --gate --peer commonware", ["blst", "without --peer"]),
        ] {
            let text = refused(line);
            for part in named {
                assert!(text.contains(part), "{line}: {part} is not in:\n{text}");
            }
        }
        let light = Arguments::parse_from_line(["operations", "--bench", "ratios", "--gate"], &["blst"]);
        let error = light.expect_err("a build without commonware");
        assert!(error.to_string().contains("--features peers -- ratios --gate"), "{error}");
    }

    #[test]
    fn help_is_no_error() {
        assert_eq!(parse("--help").expect_err("help").exit_code(), 0);
        Arguments::command().debug_assert();
        assert_eq!(Operation::value_variants(), Operation::ALL);
    }
}
