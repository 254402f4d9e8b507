//! One process of a search, from its command line to its exit code.

use crate::{
    arguments::{CheckArgs, Format, SearchArgs},
    end::{self, BAD_INPUT},
    hosts::{self, HostsError},
    layers::{Identity, Layers, Totals, Unfit, VERSION, remove_runs},
    meet::{self, MeetError, Meeting, Watch},
    prints::Print,
    record::KNOWN_BITS,
    search::{Figures, Outcome, Task, fingerprint_of_start, search},
};
use sha3::{Digest, Sha3_256};
use std::{
    cell::RefCell,
    io::{self, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use timely::{
    WorkerConfig,
    communication::{
        AllocatorBuilder, Hooks,
        allocator::{ProcessBuilder, zero_copy::initialize::initialize_networking_from_sockets},
    },
    execute::execute_from,
};
use zus_checker::{
    committed, memory,
    scenario::{Engine, Scenario, ScenarioError},
    search::{
        bfs::Limits,
        check::{Checked, Options, Standing, check_by},
        codec::Codec,
        engines::Searched,
        trial::effects,
    },
};
use zus_output::{lock::Lock, plain, pulse::Pulse};
use zus_report::{
    Report, ScenarioReport, markdown,
    text::{self, Detail, grouped},
};

/// Why a search cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The scenario has no search that could be shared.
    #[error("{path}: {why}\n  fix: zus check {name}")]
    NoSearch {
        /// The file.
        path: String,
        /// Its name.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// The file of hosts cannot be used.
    #[error(transparent)]
    Hosts(#[from] HostsError),
    /// There is no such process.
    #[error("--process {process}: {file} names {processes} processes\n  fix: a number from 0 to {}", processes - 1)]
    Process {
        /// The number.
        process: usize,
        /// The file of hosts.
        file: String,
        /// How many there are.
        processes: usize,
    },
    /// The layers on disk cannot be used.
    #[error(transparent)]
    Layers(#[from] Unfit),
    /// The folder of layers cannot be used.
    #[error("{folder}: {source}\n  fix: name another folder with --layers")]
    Folder {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// The processes do not meet.
    #[error(transparent)]
    Meet(#[from] MeetError),
    /// The system gives no threads or connections.
    #[error(
        "the search cannot begin: {0}\n  fix: end other programs, or raise the limits of this one (ulimit)"
    )]
    System(String),
    /// Standard output is gone.
    #[error("standard output: {0}\n  fix: make room where it goes, or send it elsewhere")]
    Output(#[from] io::Error),
}

/// A note on standard error. Nobody has to read it.
pub fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", plain::message(text));
}

/// Ends a process whose input cannot be used, from any thread.
fn refuse(failure: &Failure) -> ! {
    note(&format!("error: {failure}"));
    std::process::exit(BAD_INPUT)
}

/// The hash of all that a scenario says, but for where its file is, and where in the file something stands.
fn digest(scenario: &Scenario) -> String {
    let mut alike =
        Scenario { path: String::new(), notes: Vec::new(), optional: Vec::new(), ..scenario.clone() };
    alike.expect.iter_mut().for_each(|expectation| expectation.line = 0);
    let digest = Sha3_256::digest(format!("{alike:?}"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The scenario, if it has an explicit search.
fn scenario(args: &SearchArgs) -> Result<Scenario, Failure> {
    let scenario = committed::find(&args.scenario)?;
    let why = if scenario.simulate.is_some() {
        "it asks for random runs, which are not shared among processes"
    } else if !scenario.is_answered_by(Engine::Explicit) {
        "states of certificates answer for all its properties, in one process"
    } else {
        return Ok(scenario);
    };
    Err(Failure::NoSearch { path: scenario.path, name: plain::quoted_path(&args.scenario), why })
}

/// The folder of one process, which is locked as long as the result lives, and what is left there of sorted runs is removed.
fn folder(args: &SearchArgs, process: usize, bytes: usize) -> Result<(PathBuf, Lock), Failure> {
    let folder = args.layers.join(format!("process-{process}"));
    let unfit = |source| Failure::Folder { folder: plain::path(&folder), source };
    let lock = Lock::take(&folder).map_err(unfit)?;
    remove_runs(&folder).map_err(unfit)?;
    if !args.resume && Layers::new(folder.clone(), bytes).are_there() {
        return Err(Failure::Layers(Unfit {
            file: folder,
            why: "there are layers of an earlier search".into(),
            fix: "go on with it (--resume), remove the folder, or name another one with --layers".into(),
        }));
    }
    Ok((folder, lock))
}

/// Panics of any thread end the process: half a search is none.
fn end_with_panics() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if text.starts_with("timely communication error") {
            // The watch knows which process is gone, and says so.
            std::thread::sleep(Duration::from_millis(500));
            end::unfinished("the connection to another process broke");
        }
        told(panic);
        std::process::exit(101);
    }));
}

/// Runs the command.
pub fn run(args: &CheckArgs, command: &str) -> Result<i32, Failure> {
    let start = Instant::now();
    let mut scenario = scenario(&args.search)?;
    let hosts = hosts::read(&args.hosts, args.trusted_network)?;
    let (process, processes) = (args.process, hosts.len());
    if process >= processes {
        return Err(Failure::Process { process, file: plain::path(&args.hosts), processes });
    }
    let identity = Identity {
        version: VERSION.into(),
        scenario: scenario.name.clone(),
        digest: digest(&scenario),
        seed: args.search.hash_seed,
        processes,
        start: format!("{:032x}", fingerprint_of_start(&scenario.protocol, args.search.hash_seed)),
    };
    let again = args.again.clone().unwrap_or_else(|| {
        let resume = if args.search.resume { "" } else { " --resume" };
        format!("{command}{resume}, in each process")
    });
    end::resumes_by(again);
    let (folder, _lock) = folder(&args.search, process, Codec::new(&scenario.protocol).bytes)?;
    let listener = meet::listen(&hosts, process)?;
    let limits = Limits { states: u64::MAX, memory: args.search.max_memory };
    if process == 0 {
        // As `zus check` does, once for all processes.
        effects(&mut scenario, limits, &|_, _| {})?;
    }
    let meeting = Meeting {
        hosts: &hosts,
        process,
        search: &identity,
        limit: args.search.max_states,
        resume: args.search.resume,
        wait: Duration::from_secs(args.wait),
    };
    let mut met = meeting.meet(&listener)?;
    drop(listener);
    let mut watch = Watch::new(&mut met, &hosts, Duration::from_secs(args.wait))
        .map_err(|error| Failure::System(error.to_string()))?;
    end_with_panics();
    let progress =
        (process == 0 && !args.search.quiet).then(|| Pulse::new(format!("{}: layer 0", scenario.name)));
    let progress = Arc::new(progress);
    let (sockets, outcome) = (RefCell::new(Some(met.data)), RefCell::new(None));
    let explore = |protocol: &_, asked, enough| {
        let task = Task {
            identity: identity.clone(),
            process,
            protocol: Clone::clone(protocol),
            asked,
            enough,
            most_states: args.search.max_states.unwrap_or(u64::MAX),
            memory: args.search.max_memory,
            folder: folder.clone(),
            resume: args.search.resume,
        };
        let sockets = sockets.take().unwrap_or_default();
        let done = shared(sockets, process, task, Arc::clone(&progress), scenario.name.clone());
        let done = done.unwrap_or_else(|failure| refuse(&failure));
        let Outcome { exploration, figures, layers } = done;
        outcome.replace(Some((figures, layers)));
        exploration
    };
    let explore = RefCell::new(explore);
    let by = |protocol: &_, asked, enough| (explore.borrow_mut())(protocol, asked, enough);
    let checked = check_by(&scenario, Options { limits, command, progress: &|_| {} }, &by);
    drop(progress);
    if process == 0 {
        print(&args.search, &checked, start, command)?;
    }
    watch.end();
    if !watch.first_is_done() {
        end::unfinished("process 0 is gone, and its report may be, too");
    }
    let code = match checked.standing() {
        Standing::AsExpected | Standing::Sampled => 0,
        Standing::Incomplete => end::UNFINISHED,
        Standing::Differs => 1,
    };
    if let Some((of_search, layers)) = outcome.take() {
        if process == 0 && !args.search.quiet {
            note(&figures(&checked, processes, of_search));
        }
        if code == end::UNFINISHED {
            if process == 0 {
                note(
                    "stopped at --max-states; the layers are kept: go on with --resume and a greater number",
                );
            }
        } else if !args.search.keep {
            layers.remove();
        }
    }
    Ok(code)
}

/// The search of this process, one worker of the dataflow.
fn shared(
    sockets: Vec<Option<TcpStream>>,
    process: usize,
    task: Task,
    progress: Arc<Option<Pulse>>,
    name: String,
) -> Result<Outcome, Failure> {
    let hooks = Hooks::default();
    let inner = ProcessBuilder::new_typed_vector(1, hooks.refill.clone(), hooks.spill.clone());
    let networked = initialize_networking_from_sockets(inner, sockets, process, 1, hooks);
    let (builders, guard) = networked.map_err(|error| Failure::System(error.to_string()))?;
    let builders = builders.into_iter().map(AllocatorBuilder::Tcp).collect();
    let work = move |worker: &mut timely::worker::Worker| {
        let say = |totals: &Totals| {
            if let Some(pulse) = &*progress {
                pulse.set(format!(
                    "{name}: layer {}, {} states wait, {} unique states, {} generated",
                    totals.depth + 1,
                    grouped(totals.states),
                    grouped(totals.unique),
                    grouped(totals.generated)
                ));
            }
        };
        // At once: a worker that returns would leave the others waiting for its messages.
        search(worker, &task, &say).unwrap_or_else(|unfit| refuse(&Failure::Layers(unfit)))
    };
    let guards =
        execute_from(builders, Box::new(guard), WorkerConfig::default(), work).map_err(Failure::System)?;
    let outcome = guards.join().into_iter().next().unwrap_or_else(|| Err("no worker was started".into()));
    outcome.map_err(Failure::System)
}

/// Prints the report, as `zus check` does.
fn print(args: &SearchArgs, checked: &Checked, start: Instant, command: &str) -> Result<(), Failure> {
    let mut report = Report::new(command.into());
    report.scenarios.push(ScenarioReport::with_fingerprints(checked, 128));
    report.summarize(start.elapsed().as_secs_f64(), memory::peak());
    let mut out = anstream::AutoStream::auto(io::stdout());
    let detail = Detail::of(args.quiet, args.verbose);
    match args.format {
        Format::Text => {
            let scenario = &report.scenarios[0];
            match detail {
                Detail::Tables | Detail::Differing => writeln!(out, "{}", text::line(scenario))?,
                Detail::All => writeln!(out, "{}", text::scenario(scenario, true))?,
            }
            match detail {
                Detail::All => {}
                less => writeln!(out, "{}", text::differing(&report, less == Detail::Differing))?,
            }
            writeln!(out, "{}", text::summary_line(&report.summary))?;
        }
        Format::Json => write!(out, "{}", report.to_json())?,
        Format::Markdown => write!(out, "{}", markdown::write(&report, detail != Detail::Tables))?,
    }
    Ok(out.flush()?)
}

/// The figures of a search that a report of threads does not have.
fn figures(checked: &Checked, processes: usize, of: Figures) -> String {
    let Searched { unique, generated, .. } = checked.main();
    let percent = |part: u64, all: u64| format!("{:.0} percent", 100.0 * part as f64 / all.max(1) as f64);
    // Pairs of states, each taken for one with a probability of 1 in 2 to the power of the bits.
    let bits = if of.spilled { KNOWN_BITS } else { Print::BITS };
    let odds = f64::from(bits + 1) - 2.0 * (unique.max(1) as f64).log2();
    let of_runs = if of.spilled { "; sorted runs on disk were used" } else { "" };
    format!(
        "processes: {processes}; fingerprints of {bits} bits: two of the {} states are taken for one with a probability of 1 in 2^{odds:.0}; \
         at most {} of their fingerprints at hand ({}); {} of the successors were not sent again{of_runs}",
        grouped(unique),
        grouped(of.held),
        percent(of.held, unique),
        percent(of.again, generated)
    )
}

/// The words of a command line, as a shell takes them.
pub fn command_line(words: impl IntoIterator<Item = String>) -> String {
    let words = words.into_iter().map(|word| plain::quoted(Path::new(&word)));
    std::iter::once("zus-cluster".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
