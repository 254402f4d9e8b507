//! The arguments.

use crate::{layers::Layer, rules::Rules};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Judges a change of the protocol in every layer.
#[derive(Parser)]
#[command(name = "zus-workbench", version)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Says what a change did: model, liveness, proofs, code, listed verdicts, hot path.
    Verify(VerifyArguments),
}

/// The arguments of `verify`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus-workbench verify                                        the tree as it is
  zus-workbench verify --rules hardened,ticket=BetterRank     a rule that is there already
  zus-workbench verify --since main                           what is not as it was on main
  zus-workbench verify --skip hot-path --format markdown      for a pull request

Exit code: 0 as listed, 1 something is violated or changed, 2 bad input, 3 something is undecided, or a tool is missing;
1 outranks 3.")]
pub struct VerifyArguments {
    /// The rules to judge; without it those of `hardened`, and everything that has rules of its own
    #[arg(long, value_name = "PROFILE[,RULE=VALUE...]")]
    pub rules: Option<Rules>,
    /// Compare with this commit: its results are made first, in a checkout of its own, and kept
    #[arg(long, value_name = "REV")]
    pub since: Option<String>,
    /// The folder for the page, the report, instances and runs [default: target/verify]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The form of the results on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Leave a layer out
    #[arg(long, value_enum, value_name = "LAYER")]
    pub skip: Vec<Layer>,
    /// For a first look: 500 random runs, not 10,000, and a product of one subround, in which no miner times out
    #[arg(long)]
    pub quick: bool,
    /// The folder of the rooms' programs, which are not built then
    #[arg(long, value_name = "DIR")]
    pub programs: Option<PathBuf>,
}

/// The form of the results.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// The report as data.
    Json,
    /// For a pull request.
    Markdown,
    /// For a CI system.
    Junit,
}
