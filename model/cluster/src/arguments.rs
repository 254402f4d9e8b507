//! The command line of `zus-cluster`.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// The explicit search of `zus check` on several processes.
///
/// The processes trust each other and everybody who can connect to them: they ask for no password and encrypt nothing.
#[derive(Parser)]
#[command(
    name = "zus-cluster",
    version,
    after_help = "\
Examples:
  zus-cluster local 2 hardened
  zus-cluster check --hosts hosts.txt --process 0 hardened      and the same with --process 1, somewhere else

Exit code: 0 all as expected, 1 a verdict differs, 2 bad input or usage, 3 it did not end: a limit, a lost process or a
full disk; the message has the command that goes on."
)]
pub struct Cli {
    /// Which command
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// One process of a search
    Check(CheckArgs),
    /// All processes of a search, on this machine
    Local(LocalArgs),
}

/// One process of a search.
#[derive(Args)]
pub struct CheckArgs {
    /// A file with one line host:port for each process
    #[arg(long, value_name = "FILE")]
    pub hosts: PathBuf,
    /// The number of this process: 0 for the first line
    #[arg(long, value_name = "I")]
    pub process: usize,
    /// Take addresses that other machines can reach, too: whoever can connect is believed
    #[arg(long)]
    pub trusted_network: bool,
    /// Seconds to wait for the other processes, and then for a sign of life of each
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86400))]
    pub wait: u64,
    /// The command that goes on, for messages
    #[arg(long, hide = true)]
    pub again: Option<String>,
    /// The search
    #[command(flatten)]
    pub search: SearchArgs,
}

/// All processes of a search, on this machine.
#[derive(Args)]
pub struct LocalArgs {
    /// How many processes
    #[arg(value_name = "N", value_parser = clap::value_parser!(u16).range(1..=16))]
    pub processes: u16,
    /// The search
    #[command(flatten)]
    pub search: SearchArgs,
}

/// The search, alike for all its processes.
#[derive(Args, Clone)]
pub struct SearchArgs {
    /// A committed scenario, or the file of one
    pub scenario: String,
    /// The folder for layers, the checkpoints [default: zus-cluster-layers]
    #[arg(long, value_name = "DIR", default_value = "zus-cluster-layers", hide_default_value = true)]
    pub layers: PathBuf,
    /// Go on from the last complete layer
    #[arg(long)]
    pub resume: bool,
    /// Keep the layers after a search that ended
    #[arg(long)]
    pub keep: bool,
    /// Memory of each process for states and fingerprints, e.g. 2GiB; what is more goes to sorted runs on disk
    #[arg(long, value_name = "BYTES", default_value = "4GiB", value_parser = bytes)]
    pub max_memory: u64,
    /// Unique states at which the search is stopped, at the end of a layer [default: none]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_states: Option<u64>,
    /// Seed of the upper half of fingerprints
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub hash_seed: u64,
    /// The form of the report, which process 0 prints
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Only tables, and no progress
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Every property, with runs
    #[arg(short, long)]
    pub verbose: bool,
}

/// The forms of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// Aligned tables and runs in words
    Text,
    /// The schema of `zus schema report`
    Json,
    /// Tables, and runs as Mermaid sequence diagrams
    Markdown,
}

impl SearchArgs {
    /// The words that say the same on another command line, but for `--resume`.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec![self.scenario.clone()];
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        option("--layers", self.layers.to_string_lossy().into_owned());
        option("--max-memory", self.max_memory.to_string());
        option("--hash-seed", self.hash_seed.to_string());
        if let Some(states) = self.max_states {
            option("--max-states", states.to_string());
        }
        let format = match self.format {
            Format::Text => "text",
            Format::Json => "json",
            Format::Markdown => "markdown",
        };
        option("--format", format.into());
        for (name, is_set) in [("--keep", self.keep), ("--quiet", self.quiet), ("--verbose", self.verbose)] {
            words.extend(is_set.then(|| name.to_owned()));
        }
        words
    }
}

/// A number of bytes with or without a unit.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        _ => return Err(format!("`{unit}` is no unit; use KiB, MiB or GiB")),
    };
    let number: u64 = number.parse().map_err(|_| "give a number of bytes, e.g. 2GiB".to_owned())?;
    number.checked_mul(1 << shift).filter(|&bytes| bytes > 0).ok_or_else(|| "out of range".into())
}
