//! The commands of `zus`, their options, and what they return.
//!
//! Results go to standard output, progress and messages to standard error. The exit code is 0 when everything is as
//! expected, 1 when something is not, 2 for bad input or usage, and 3 when a bound was hit before the answer was
//! complete.

mod arguments;
mod check;
mod draw;
mod engines;
mod epochs;
mod explore;
mod measure;
mod progress;
mod replay;
mod report;
mod search_speed;
mod shell;
mod simulate;
mod summary;
mod table;

use arguments::{
    Bounds, CheckArgs, Cli, Command, CompletionsArgs, DrawArgs, DrawFormat, EnginesArgs, EpochsArgs,
    EpochsFormat, ExploreArgs, Format, ManArgs, MeasureArgs, ReplayArgs, ReportArgs, SchemaArgs, SchemaOf,
    SearchSpeedArgs, SimulateArgs, SummaryArgs, TableFormat,
};
use clap::{Parser, error::ErrorKind as Usage};
use std::{
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    path::Path,
    process::ExitCode,
};
use zus_checker::{
    committed,
    scenario::{Scenario, Unsupported},
    search::{
        bfs::Limits,
        check::Standing,
        trial::{FIRST_STATES, effects},
    },
};
use zus_output::{bounded::Unread, lock, plain, whole::Promised};
use zus_report::{ErrorReport, Report, junit, markdown, sarif};

/// How a command ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Everything is as expected.
    AsExpected = 0,
    /// Something is not.
    Differs = 1,
    /// The input cannot be used.
    BadInput = 2,
    /// A bound was hit before the answer was complete.
    Incomplete = 3,
}

impl From<Standing> for Exit {
    fn from(standing: Standing) -> Self {
        match standing {
            // A sample that shows nothing is as good as a scenario that asks for one can expect.
            Standing::AsExpected | Standing::Sampled => Exit::AsExpected,
            Standing::Incomplete => Exit::Incomplete,
            Standing::Differs => Exit::Differs,
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A scenario, or the list of mutants, cannot be used.
    #[error(transparent)]
    Scenario(#[from] zus_checker::scenario::ScenarioError),
    /// The engine that is named cannot answer for a scenario.
    #[error("{path}: the engine `{}` is no answer for it: {}\n  fix: {}", .why.engine.name(), .why.why, .why.fix)]
    Engine {
        /// The scenario.
        path: String,
        /// Why not.
        why: Unsupported,
    },
    /// A trace cannot be read.
    #[error(transparent)]
    Trace(#[from] zus_checker::trace::TraceError),
    /// A scene cannot be read.
    #[error(transparent)]
    Scene(#[from] zus_report::draw::scene::SceneError),
    /// A file of a report cannot be used.
    #[error("{path}: {why}\n  fix: name a file that this version of `zus` can read, or leave it out")]
    Unusable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// A file that is named cannot be read.
    #[error("{path}: {source}\n  fix: {}", .source.fix("a file that this version of `zus` can read"))]
    Unread {
        /// The file.
        path: String,
        /// Why.
        source: Unread,
    },
    /// Something is named twice that counts once.
    #[error("{path}: named twice\n  fix: name it once")]
    Twice {
        /// The file.
        path: String,
    },
    /// Results, traces and comparisons go by the names of scenarios.
    #[error("{}: its name is `{name}`, as that of {}\n  fix: rename one of the two, or check them apart", .paths[1], .paths[0])]
    OneName {
        /// The name.
        name: String,
        /// The files.
        paths: [String; 2],
    },
    /// A scene has no diagram, and no states.
    #[error("Mermaid and ITF are made from a trace, and this is a scene\n  fix: use --format html or svg")]
    NoDiagram,
    /// The command line is none.
    #[error("{0}")]
    Usage(String),
    /// There is no scenario to check.
    #[error("there is no scenario, so nothing would be checked\n  fix: name a scenario file")]
    NoScenario,
    /// Another run writes into the folder.
    #[error("{source}")]
    Busy {
        /// Where.
        path: String,
        /// The same in words, with the fix.
        source: io::Error,
    },
    /// A file or a folder of output cannot be written.
    #[error("{path}: cannot be written: {source}\n  fix: name another place, or make room there")]
    Unwritable {
        /// Where.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The Explorer asks nobody who they are.
    #[error(
        "{address} can be reached from other machines\n  fix: use a loopback address, e.g. 127.0.0.1:3000"
    )]
    NotLoopback {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// The Explorer cannot listen.
    #[error("{address}: {source}\n  fix: use another port, e.g. --address 127.0.0.1:3001")]
    Address {
        /// Where it was to listen.
        address: SocketAddr,
        /// Why it cannot.
        source: io::Error,
    },
    /// The Explorer cannot go on.
    #[error(
        "{address}: no page can connect: {source}\n  fix: allow more open files (ulimit -n), or end other programs"
    )]
    Closed {
        /// Where it listens.
        address: SocketAddr,
        /// Why it cannot.
        source: io::Error,
    },
    /// The threads cannot be started.
    #[error("the threads cannot be started: {0}\n  fix: ask for fewer with --threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// A measurement came to nothing.
    #[error(
        "{what}: the measurement failed: {why}\n  fix: leave the machine more memory, or measure with --quick"
    )]
    Measurement {
        /// Which.
        what: String,
        /// Why.
        why: String,
    },
    /// A report cannot be put into XML.
    #[error("the report cannot be written as JUnit XML: {0}")]
    Junit(#[from] zus_report::junit::SerializeError),
    /// A report cannot be put into SARIF.
    #[error("the report cannot be written as SARIF: {0}")]
    Sarif(serde_json::Error),
    /// There is no instance of that name among the models of epochs.
    #[error("there is no instance `{name}`\n  fix: use one of {known}")]
    NoEpochInstance {
        /// The name.
        name: String,
        /// The instances that there are.
        known: String,
    },
    /// The instance cannot have a rule or a fault that is named.
    #[error(transparent)]
    EpochChange(zus_epochs::catalog::Mistake),
    /// The name of a file says no form.
    #[error(
        "{path}: its name says no form\n  fix: end it with .svg for a picture, or .html for a page to step through"
    )]
    EpochForm {
        /// The file.
        path: String,
    },
    /// No run shows the property that is to be drawn.
    #[error(
        "{name}: there is no run to draw\n  fix: name a property that is violated or reachable with --property; here: {known}"
    )]
    NoEpochRun {
        /// The instance.
        name: String,
        /// The ids of the properties that have a run.
        known: String,
    },
    /// Runs of the key generation have no chain.
    #[error("{name}: runs of the key generation are told, not drawn\n  fix: leave --out away")]
    NoEpochDrawing {
        /// The instance.
        name: String,
    },
    /// Standard output is gone.
    #[error("standard output: {0}\n  fix: make room where it goes, or send it elsewhere")]
    Output(#[from] io::Error),
}

/// Runs the command that the user asked for.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let format = match &cli.command {
        Command::Check(args) => Some(args.format),
        Command::Simulate(args) => Some(args.format),
        _ => None,
    };
    let result = match cli.command {
        Command::Check(args) => check::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Draw(args) => draw::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Explore(args) => explore::run(&args),
        Command::SearchSpeed(args) => search_speed::run(&args),
        Command::Engines(args) => engines::run(&args),
        Command::Epochs(args) => epochs::run(&args),
        Command::Summary(args) => summary::run(&args),
        Command::Schema(args) => shell::schema(&args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
        Command::Measure(args) => measure::run(&args),
    };
    match result {
        Ok(exit) => ExitCode::from(exit as u8),
        // A reader of the output has closed it (`zus check | head`); a scenario that was not checked is not as
        // expected.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::from(Exit::Incomplete as u8)
        }
        Err(failure) => {
            let mut stderr = anstream::stderr();
            let _ = writeln!(stderr, "error: {}", plain::message(&failure.to_string()));
            if let Some(format) = format {
                // A reader of the other forms finds the error where it looks for results.
                let _ = write!(anstream::stdout(), "{}", in_form(format, &failure));
            }
            ExitCode::from(Exit::BadInput as u8)
        }
    }
}

/// Prints the text of clap: help as it is, and errors with hidden characters shown, because errors repeat what
/// was typed.
fn usage(error: &clap::Error) -> ExitCode {
    let is_help = matches!(error.kind(), Usage::DisplayHelp | Usage::DisplayVersion);
    let printed = if is_help {
        error.print()
    } else {
        let no_text = (error.kind() == Usage::InvalidUtf8).then(plain::no_text).flatten();
        let told = no_text.map_or_else(|| error.render().to_string(), |why| format!("error: {why}\n"));
        let told = plain::message(&told);
        if let Some(format) = asked_format() {
            let told = told.trim_end().trim_start_matches("error: ").to_owned();
            let _ = write!(anstream::stdout(), "{}", in_form(format, &Failure::Usage(told)));
        }
        write!(io::stderr(), "{told}")
    };
    match printed {
        Err(why) if is_help => {
            let _ = writeln!(io::stderr(), "error: {}", Failure::Output(why));
            ExitCode::from(Exit::BadInput as u8)
        }
        _ => ExitCode::from(error.exit_code() as u8),
    }
}

/// The form of results that a command line names which cannot be read as a whole.
fn asked_format() -> Option<Format> {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let has_forms = words.get(1).is_some_and(|command| ["check", "simulate"].contains(&command.as_str()));
    let after = |(at, word): (usize, &String)| match word.strip_prefix("--format") {
        Some("") => words.get(at + 1).cloned(),
        Some(rest) => rest.strip_prefix('=').map(str::to_owned),
        None => None,
    };
    let named = words.iter().enumerate().find_map(after).filter(|_| has_forms)?;
    <Format as clap::ValueEnum>::from_str(&named, false).ok()
}

/// Refuses a file that is given twice, also by two names.
fn once<'a>(named: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
    let mut seen = std::collections::BTreeSet::new();
    let again =
        |path: &&Path| !seen.insert(std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()));
    let twice = |path: &Path| Err(Failure::Twice { path: plain::path(path) });
    named.into_iter().find(again).map_or(Ok(()), twice)
}

/// A file of output, which is none of the inputs: whether it could be written is asked before the work, not after it.
fn promised<'a>(path: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<Promised, Failure> {
    Promised::at(path, inputs).map_err(|source| unwritable(path, source))
}

/// Writes it, whole or not at all.
fn write_promised(out: Promised, text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let path = out.path().to_path_buf();
    out.write(text).map_err(|source| unwritable(&path, source))
}

fn unwritable(path: &Path, source: io::Error) -> Failure {
    let path = plain::path(path);
    if lock::is_refusal(&source) {
        Failure::Busy { path, source }
    } else {
        Failure::Unwritable { path, source }
    }
}

/// A note on standard error. Nobody has to read it.
fn note(text: &str) {
    let _ = write!(anstream::stderr(), "{text}");
}

/// The failure in the form that was asked for; nothing for a terminal, which has it already.
fn in_form(format: Format, failure: &Failure) -> String {
    let (path, line) = match failure {
        Failure::Scenario(error) => {
            let (path, line) = error.place();
            (Some(path.to_owned()), line)
        }
        Failure::Unusable { path, .. }
        | Failure::Unread { path, .. }
        | Failure::Engine { path, .. }
        | Failure::Twice { path }
        | Failure::Unwritable { path, .. }
        | Failure::Busy { path, .. } => (Some(path.clone()), None),
        Failure::OneName { paths, .. } => (Some(paths[1].clone()), None),
        _ => (None, None),
    };
    let message = plain::message(&failure.to_string());
    let message = match format {
        // A message is one line there.
        Format::Markdown | Format::Junit => message.replace("\n  fix: ", "; fix: ").replace('\n', " "),
        Format::Text | Format::Json | Format::Sarif => message,
    };
    let error = ErrorReport { message, path, line };
    let report = Report::failed(command_line(), error);
    match format {
        Format::Text => String::new(),
        Format::Json => report.to_json(),
        Format::Markdown => markdown::write(&report, false),
        Format::Junit => junit::write(&report).unwrap_or_default(),
        Format::Sarif => sarif::write(&report).unwrap_or_default(),
    }
}

/// The scenario that a user names, without a setting that changes nothing.
fn tried(named: &str) -> Result<Scenario, Failure> {
    let mut scenario = committed::find(named)?;
    // It is not explored to its end, so the trial does not go far either.
    let limits = Limits { states: FIRST_STATES, ..Limits::default() };
    effects(&mut scenario, limits, &|_, _| {})?;
    Ok(scenario)
}

/// Writes the line of progress anew where standard error is a terminal, and one after the other elsewhere.
fn say(line: &str) {
    if std::io::stderr().is_terminal() {
        let _ = write!(anstream::stderr(), "\r{line}\x1b[K");
    } else if !line.is_empty() {
        let _ = writeln!(anstream::stderr(), "{line}");
    }
}

/// Does `work` on that many threads.
fn on_threads<R: Send>(threads: Option<u16>, work: impl FnOnce() -> R + Send) -> Result<R, Failure> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from)).build()?;
    Ok(pool.install(work))
}

/// The command as the user gave it, for reports and traces.
fn command_line() -> String {
    let words = std::env::args_os().skip(1).map(plain::quoted);
    std::iter::once("zus".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
