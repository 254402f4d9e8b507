//! The arguments of the commands: options, defaults, and the texts of `--help`, of the man pages and of shell
//! completions.

use super::measure;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::{net::SocketAddr, path::PathBuf};
use zus_checker::{scenario::Engine, search::bfs::Limits};

const EXAMPLES: &str = "\
Examples:
  zus check                      every committed scenario, against what it expects
  zus check my.toml              a scenario of yours
  zus explore deployed_fork      choose the steps in a browser
  zus report out                 everything on one page: out/index.html

Exit code: 0 all as expected, 1 a verdict differs, 2 bad input or usage, 3 a bound was hit before the answer was
complete.";

/// Checks the Züs block production protocol: every reachable state of a scenario, against what is expected of it.
#[derive(Parser)]
#[command(name = "zus", version, after_help = EXAMPLES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    Check(CheckArgs),
    Simulate(SimulateArgs),
    Replay(ReplayArgs),
    Draw(DrawArgs),
    Report(ReportArgs),
    Explore(ExploreArgs),
    SearchSpeed(SearchSpeedArgs),
    Engines(EnginesArgs),
    Epochs(EpochsArgs),
    Summary(SummaryArgs),
    Schema(SchemaArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    #[command(hide = true)]
    Measure(MeasureArgs),
}

/// Explores scenarios and says, property by property, whether reality is what they expect.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus check                               all committed scenarios
  zus check late_better_rank              one of them, with the run that breaks it
  zus check my.toml --format markdown     a file of yours, with sequence diagrams
  zus check hardened --engine certificates    S2, S3, S5, S6, W1 and W2 by states of certificates, the others step by step
  zus check --large                       the scenarios of model/scenarios/large
  zus check --mutants                     every rule change of mutants.toml must be caught
  zus check --out out                     report.txt, .json, .md, .xml (JUnit), .sarif, and a trace of every run
  zus check --baseline out/report.json    what differs from an earlier report
  zus check --baseline out/report.json --unchanged    the same, and a difference is exit code 1

Exit code: 0 all as expected, 1 a verdict differs, or says nothing, or (with --unchanged) anything that --baseline has, 2 bad input or usage, 3 a bound was hit before the answer was
complete.")]
pub(super) struct CheckArgs {
    /// Scenario files, or names of committed scenarios [default: all committed ones]
    #[arg(value_name = "SCENARIO")]
    pub(super) scenarios: Vec<String>,
    /// Run the mutants instead: rule changes, each of which must break the property that it is said to break
    #[arg(long, conflicts_with = "scenarios")]
    pub(super) mutants: bool,
    /// Check the large scenarios instead: those of model/scenarios/large, each in less than a minute
    #[arg(long, conflicts_with_all = ["scenarios", "mutants"])]
    pub(super) large: bool,
    /// The engine that answers, whichever the scenarios name; the explicit search answers for properties that certificates do not
    #[arg(long, value_enum, conflicts_with = "mutants")]
    pub(super) engine: Option<EngineOption>,
    /// The form of the results on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Write the report in all forms, and a trace of every run that is found, into this folder
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Compare with an earlier report (report.json): verdicts, shortest runs, numbers of states
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Let every difference from the baseline be exit code 1, not only verdicts that are not expected
    #[arg(long, requires = "baseline")]
    pub(super) unchanged: bool,
    /// Leave the runs out of text and Markdown, and say nothing while a search runs
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Print the table and the runs of every scenario, not only of those that differ
    #[arg(long, short, conflicts_with = "quiet")]
    pub(super) verbose: bool,
    #[command(flatten)]
    pub(super) bounds: Bounds,
}

/// How far a search may go.
#[derive(Args, Clone, Copy)]
pub(super) struct Bounds {
    /// Threads [default: one for each processor]; the results are the same for any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Unique states of a scenario at most
    #[arg(long, value_name = "N", default_value_t = Limits::default().states, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_states: u64,
    /// Memory of a scenario at most, e.g. 2GiB, 500MB or a number of bytes
    #[arg(long, value_name = "BYTES", default_value = "4GiB", value_parser = bytes)]
    pub(super) max_memory: u64,
}

/// Random deep runs of a scenario, beyond what can be explored exhaustively.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus simulate hardened_n7 --seed 1 --runs 100000
  zus simulate hardened_n7 --seed 4711 --runs 1      run 4711 again

Exit code: 0 nothing speaks against what is expected, 1 something does, 2 bad input or usage, 3 something that is
expected to be found was not.")]
pub(super) struct SimulateArgs {
    /// A scenario file, or the name of a committed scenario
    #[arg(value_name = "SCENARIO")]
    pub(super) scenario: String,
    /// The seed of the first run; the others have the seeds that follow
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(super) seed: u64,
    /// How many runs
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) runs: u64,
    /// Steps of a run at most
    #[arg(long, value_name = "K", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) steps: u32,
    /// The form of the results on standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// Write the report in all forms, and a trace of every run that is found, into this folder
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Leave the runs out of text and Markdown
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Threads [default: one for each processor]; the results are the same for any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
}

/// Executes a trace step by step, and rejects it at the first step that may not happen. A run of any length is followed as it is read.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus replay model/traces/late_better_rank-S2.json
  zus check late_better_rank --out out; zus replay out/traces/late_better_rank-S2.json

Exit code: 0 it is a run and shows what it claims, 1 it is none or does not, 2 bad input or usage, 3 more lies above its finalized
head than is followed.")]
pub(super) struct ReplayArgs {
    /// The trace file
    #[arg(value_name = "TRACE")]
    pub(super) trace: PathBuf,
    /// Leave the steps out
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// Draws a run: as a page to step through, as a picture, or as a Mermaid diagram.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus draw model/traces/deployed_fork-S5.json --out fork.html     then open fork.html in a browser
  zus draw model/traces/deployed_fork-S5.json --format svg --out fork.svg
  zus draw model/traces/late_better_rank-S2.json --format mermaid

Exit code: 0 it is drawn, 1 it is no run or does not show what it claims, 2 bad input or usage.")]
pub(super) struct DrawArgs {
    /// A trace, or a scene that another tool wrote
    #[arg(value_name = "TRACE")]
    pub(super) trace: PathBuf,
    /// The form of the drawing
    #[arg(long, value_enum, default_value_t = DrawFormat::Html)]
    pub(super) format: DrawFormat,
    /// Write it into this file [default: standard output]; after bad input the file of an earlier run is removed
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

/// Checks everything and puts it on one page: safety matrix, scenarios, mutants, ledger, figures; runs open in a viewer.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus report out                                then open out/index.html in a browser
  zus report out --reuse --figures speed.json   the same page again, with the figures of zus search-speed

The folders out/check, out/mutants and out/matrix are what `zus check --out` makes: reports, and a trace of every run.

Exit code: 0 all as expected, 1 a verdict differs, 2 bad input or usage, 3 a bound was hit before the answer was
complete.")]
pub(super) struct ReportArgs {
    /// The folder for the page and what it is made from
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// Use what is in the folder already
    #[arg(long)]
    pub(super) reuse: bool,
    /// Unique states of a cell of the safety matrix at most
    #[arg(long, value_name = "N", default_value_t = 1_200_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) matrix_states: u64,
    /// The ledger of properties [default: proofs/ledger.toml, where it is]
    #[arg(long, value_name = "FILE")]
    pub(super) ledger: Option<PathBuf>,
    /// Tables and plots of another tool; `zus schema figures` is its schema
    #[arg(long, value_name = "FILE")]
    pub(super) figures: Vec<PathBuf>,
    /// No progress
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) bounds: Bounds,
}

/// The forms of a drawing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum DrawFormat {
    /// One page with the viewer; it needs no network
    Html,
    /// A picture
    Svg,
    /// A sequence diagram for Markdown
    Mermaid,
    /// The data that it is drawn from
    Scene,
    /// Informal Trace Format, for the viewers of Quint and Apalache
    Itf,
}

/// A scenario or a run in a browser, step by step: choose what happens, see what may not happen and why.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus explore late_better_rank                        then open http://127.0.0.1:3000
  zus explore model/traces/deployed_fork-S5.json      from the end of a run; steps can be taken back

Exit code: 2 bad input or usage; else it answers until it is stopped.")]
pub(super) struct ExploreArgs {
    /// A scenario file, the name of a committed scenario, or a trace
    #[arg(value_name = "SCENARIO")]
    pub(super) scenario: String,
    /// Where to listen; this machine only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub(super) address: SocketAddr,
}

/// States a second of the search, beside Stateright's own on the same model, and how its work grows.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus search-speed --quick                                      a minute or two
  zus search-speed --quick --format json > speed.json && zus report out --reuse --figures speed.json
  zus search-speed --before ../older/target/release/zus         the search beside that of an older version

Every measurement is a process of its own; searches take turns, so that what else the machine does falls on all of
them. Given are medians, with the least and the greatest.

Exit code: 0 measured, 2 bad usage or no measurement.")]
pub(super) struct SearchSpeedArgs {
    /// Only the smallest instance, three turns, and a short table of growth
    #[arg(long)]
    pub(super) quick: bool,
    /// Compare with the search of this program, another version of zus, instead; each on its own committed scenarios
    #[arg(long, value_name = "PROGRAM", conflicts_with_all = ["quick", "threads"])]
    pub(super) before: Option<PathBuf>,
    /// How often each search has its turn [default: 5, with --quick 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) turns: Option<u16>,
    /// Threads of the searches that use several [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// The form of the tables
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub(super) format: TableFormat,
}

/// The states that each engine has for instances of `hardened`: single steps, sorted runs, states of certificates.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus engines --quick                     the instances that end in seconds
  zus engines --format markdown           the table of model/README.md, in about ten minutes

A number after `>` is that of a search that hit --max-states or --max-memory.

Exit code: 0 counted, 2 bad usage.")]
pub(super) struct EnginesArgs {
    /// Only the instances that end in seconds
    #[arg(long)]
    pub(super) quick: bool,
    /// The form of the table
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub(super) format: TableFormat,
    /// Threads of the explicit search [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Unique states at which a search is stopped
    #[arg(long, value_name = "N", default_value_t = 12_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_states: u64,
    /// Memory at which a search is stopped, e.g. 2GiB, 500MB or a number of bytes
    #[arg(long, value_name = "BYTES", default_value = "4GiB", value_parser = bytes)]
    pub(super) max_memory: u64,
}

/// The change of committees: the models of the handover, of the key generation, and of the boundary under the deployed rules.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus epochs                                                          every fast instance, one line each
  zus epochs one_exchanged_rivals --rules handoff_proof=AnyTickets    what breaks, and the shortest run
  zus epochs disjoint_second --fault OldCommitteeInNewRounds --property E3 --out run.svg
  zus epochs boundary_deployed --property 'E5 split' --out split.html    then open split.html in a browser

Rules, values and faults are those of model/PROTOCOL.md, section 8. A value with a number is written activation=Offset:1.

Exit code: 0 all as expected of the instance, 1 a verdict differs, 2 bad input or usage, 3 a bound was hit before the answer was
complete.")]
pub(super) struct EpochsArgs {
    /// The name of an instance [default: all fast ones]
    #[arg(value_name = "INSTANCE")]
    pub(super) instance: Option<String>,
    /// Other values of rules, e.g. handoff_proof=AnyTickets,tail=Normal
    #[arg(long, value_name = "RULE=VALUE", value_delimiter = ',', requires = "instance")]
    pub(super) rules: Vec<String>,
    /// A mistake in the rules, by its name
    #[arg(long, value_name = "NAME", requires = "instance")]
    pub(super) fault: Option<String>,
    /// The property whose run is drawn [default: the first one that is violated]
    #[arg(long, value_name = "ID", requires = "out")]
    pub(super) property: Option<String>,
    /// Draw the run into this file: .svg for a picture, .html for a page to step through
    #[arg(long, value_name = "FILE", requires = "instance")]
    pub(super) out: Option<PathBuf>,
    /// Run the slow instances, too
    #[arg(long, conflicts_with = "instance")]
    pub(super) all: bool,
    /// The form of the results on standard output
    #[arg(long, value_enum, default_value_t = EpochsFormat::Text)]
    pub(super) format: EpochsFormat,
    /// Leave the runs out, and say nothing while a search runs
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Threads: an instance has one [default: one for each processor]; the results are the same for any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Generated states of an instance at most
    #[arg(long, value_name = "N", default_value_t = 50_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_states: u64,
}

/// The forms of the results of `zus epochs`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum EpochsFormat {
    /// One line an instance, and the runs of those that differ
    Text,
    /// An object for each instance, with its properties and runs
    Json,
}

/// One measurement of `zus search-speed`, as a line of JSON.
#[derive(Args)]
pub(super) struct MeasureArgs {
    /// The name of a committed scenario
    pub(super) scenario: String,
    /// Which search
    #[arg(value_enum)]
    pub(super) search: measure::Search,
    /// With how many threads
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: u16,
    /// All runs, also where sorted ones are enough
    #[arg(long)]
    pub(super) all_runs: bool,
}

/// The forms of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum TableFormat {
    /// Aligned columns
    Text,
    /// A Markdown table
    Markdown,
    /// Tables and a plot for `zus report --figures`
    Json,
}

/// The engines of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum EngineOption {
    /// Single steps, for every property
    Explicit,
    /// States of certificates, for S2, S3, S5, S6, W1, W2 and their premises; a scenario that they cannot answer for is an error
    Certificates,
}

impl From<EngineOption> for Engine {
    fn from(engine: EngineOption) -> Engine {
        match engine {
            EngineOption::Explicit => Engine::Explicit,
            EngineOption::Certificates => Engine::Certificates,
        }
    }
}

/// The forms of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Format {
    /// Aligned tables and runs in words
    Text,
    /// The report's schema itself
    Json,
    /// Tables, and runs as Mermaid sequence diagrams
    Markdown,
    /// XML for the test tab of a CI
    Junit,
    /// SARIF 2.1.0: what is not as expected, at its line of the scenario file, with the run
    Sarif,
}

/// A number of bytes with or without a unit.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return Err(format!("`{unit}` is no unit; use KiB, MiB, GiB, KB, MB or GB")),
    };
    let number: u64 = number.parse().map_err(|_| "give a number of bytes, e.g. 2GiB".to_owned())?;
    number.checked_mul(factor).filter(|&bytes| bytes > 0).ok_or_else(|| "out of range".into())
}

/// The changes, in Markdown for a pull request: verdicts, numbers of states, new shortest runs, proofs, mutants, figures.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus report before                                            in a checkout of the base
  zus report after                                             in a checkout of the change
  zus summary after --baseline before >> \"$GITHUB_STEP_SUMMARY\"
  zus summary after --baseline before --proofs proofs.json --figures instructions.json

The folders are those of `zus report`; or reports, as `zus check --format json` writes them. Files of proofs are what
`zus-proofs check --format json` prints. It is shorter than a mebibyte, and no diagram has 50,000 characters.

Exit code: 0 it is written, 2 bad input or usage. What is not as expected is the exit code of `zus report`.")]
pub(super) struct SummaryArgs {
    /// Folders of `zus report`, or reports in JSON
    #[arg(value_name = "DIR", required = true)]
    pub(super) after: Vec<PathBuf>,
    /// The earlier ones
    #[arg(long, value_name = "DIR")]
    pub(super) baseline: Vec<PathBuf>,
    /// Results of the proofs
    #[arg(long, value_name = "FILE")]
    pub(super) proofs: Vec<PathBuf>,
    /// The earlier ones
    #[arg(long, value_name = "FILE")]
    pub(super) baseline_proofs: Vec<PathBuf>,
    /// Figures of other tools: counts of instructions, mutants of the production code
    #[arg(long, value_name = "FILE")]
    pub(super) figures: Vec<PathBuf>,
    /// The earlier ones
    #[arg(long, value_name = "FILE")]
    pub(super) baseline_figures: Vec<PathBuf>,
    /// Write it into this file [default: standard output]; after bad input the file of an earlier run is removed
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

/// The JSON Schema of a format, for those who read or write it.
#[derive(Args)]
#[command(after_help = "\
Example:
  zus schema report > report.schema.json

Exit code: 0 it is printed, 2 bad usage.")]
pub(super) struct SchemaArgs {
    /// Which format
    #[arg(value_enum)]
    pub(super) of: SchemaOf,
}

/// The formats with a schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum SchemaOf {
    /// `zus check --format json`
    Report,
    /// `zus report --figures`
    Figures,
    /// `zus summary --proofs`
    Proofs,
}

/// Completions for a shell.
#[derive(Args)]
#[command(after_help = "\
Examples:
  zus completions bash > ~/.local/share/bash-completion/completions/zus
  zus completions zsh > ~/.zfunc/_zus
  zus completions fish > ~/.config/fish/completions/zus.fish

Exit code: 0 they are printed, 2 bad usage.")]
pub(super) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    pub(super) shell: Shell,
}

/// Man pages, one for each command.
#[derive(Args)]
#[command(after_help = "\
Example:
  zus man ~/.local/share/man/man1 && man zus-check

Exit code: 0 they are written, 2 bad input or usage.")]
pub(super) struct ManArgs {
    /// The folder for them
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
}
