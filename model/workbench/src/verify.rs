//! The command: builds, asks all layers, two at a time, and keeps the page up to date.

use crate::{
    Failure,
    arguments::{Format, VerifyArguments},
    forms,
    layers::{Context, Found, Layer},
    page,
    report::{Answer, FORMAT, Report, Row, VERSION},
    since, tools,
};
use std::{
    collections::{BTreeMap, VecDeque},
    env,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use zus_output::{folder::Folder, lock::Lock, plain, pulse::Pulse, whole};

/// Layers that are asked at a time.
const AT_ONCE: usize = 2;

/// Runs it. Returns the exit code.
///
/// # Errors
/// Bad input, and whatever keeps a layer from being asked at all.
pub fn run(arguments: &VerifyArguments) -> Result<u8, Failure> {
    let root = checkout()?;
    let (own, named) = (tools::own_folder()?, arguments.rules.is_some());
    let rules = arguments.rules.clone().map_or_else(|| "hardened".parse().map_err(Failure::Rules), Ok)?;
    let out = arguments.out.clone().unwrap_or_else(|| root.join("target/verify"));
    let lock = Arc::new(Lock::take(&out).map_err(|error| Failure::Out(whole::unwritable(&out)(error)))?);
    let before =
        arguments.since.as_deref().map(|rev| since::report(&root, &own, rev, arguments)).transpose()?;
    let asked: Vec<Layer> = Layer::ALL.into_iter().filter(|layer| !arguments.skip.contains(layer)).collect();
    let programs = match &arguments.programs {
        Some(folder) => env::current_dir().map_err(Failure::Scratch)?.join(folder),
        None => {
            let seconds = tools::build(&root, &own, &programs(&asked, named))?;
            note(&format!("built in {seconds:.0} s"));
            own
        }
    };
    let scratch = tempfile::tempdir().map_err(Failure::Scratch)?;
    let context = Context {
        tools: tools::Tools { root, programs },
        rules,
        named,
        out: out.clone(),
        scratch: scratch.path().to_path_buf(),
        quick: arguments.quick,
    };
    let work = Work::new(&context, &asked, before, lock);
    let start = Instant::now();
    let report = work.done()?;
    print(&report, &work.state().files(), arguments.format).map_err(Failure::Output)?;
    note(&format!(
        "judged in {:.0} s; {}",
        start.elapsed().as_secs_f64(),
        plain::path(out.join("index.html"))
    ));
    Ok(report.exit())
}

/// The root of the checkout that the current folder is in.
fn checkout() -> Result<PathBuf, Failure> {
    let here = env::current_dir().map_err(|_| Failure::NoCheckout)?;
    let is_root = |folder: &&Path| folder.join("model/workbench/Cargo.toml").is_file();
    here.ancestors().find(is_root).map(Path::to_path_buf).ok_or(Failure::NoCheckout)
}

/// The programs to build, each once. Where rules are named nobody counts instructions.
fn programs(asked: &[Layer], named: bool) -> Vec<(&'static str, &'static str)> {
    let needed = asked.iter().filter(|layer| !(named && **layer == Layer::HotPath));
    let mut programs: Vec<_> = needed.flat_map(|layer| layer.programs()).copied().collect();
    programs.sort_unstable();
    programs.dedup();
    programs
}

fn note(text: &str) {
    // Nobody has to read it.
    let _ = writeln!(io::stderr(), "{}", plain::line(text));
}

/// The layers that are asked, and what they said so far.
struct Work<'c> {
    context: &'c Context,
    before: Option<(crate::report::Since, Report)>,
    tree: Option<String>,
    lock: Arc<Lock>,
    pulse: Pulse,
    state: Mutex<State>,
}

struct State {
    waiting: VecDeque<Layer>,
    running: Vec<Layer>,
    skipped: Vec<Layer>,
    found: BTreeMap<Layer, Found>,
    seconds: BTreeMap<String, f64>,
}

impl State {
    /// The files of the layers that have ended.
    fn files(&self) -> Files {
        let all = self.found.values().flat_map(|found| &found.files);
        all.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
    }
}

/// Files of the output folder, by name.
type Files = BTreeMap<String, Vec<u8>>;

/// The drawing of a run whose page has this name, in the form with this ending.
fn drawing(files: &Files, page: &str, ending: &str) -> Option<String> {
    let drawn = files.get(&format!("{}.{ending}", page.strip_suffix(".html")?))?;
    Some(String::from_utf8_lossy(drawn).into_owned())
}

impl<'c> Work<'c> {
    fn new(
        context: &'c Context,
        asked: &[Layer],
        before: Option<(crate::report::Since, Report)>,
        lock: Arc<Lock>,
    ) -> Self {
        // The slowest first.
        let slow = [Layer::Code, Layer::Listed, Layer::HotPath, Layer::Liveness, Layer::Model, Layer::Proofs];
        let state = State {
            waiting: slow.into_iter().filter(|layer| asked.contains(layer)).collect(),
            running: Vec::new(),
            skipped: Layer::ALL.into_iter().filter(|layer| !asked.contains(layer)).collect(),
            found: BTreeMap::new(),
            seconds: BTreeMap::new(),
        };
        let tree = since::tree(&context.tools.root);
        Work { context, before, tree, lock, pulse: Pulse::new("begins"), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks all of them. After each the folder has what is known.
    fn done(&self) -> Result<Report, Failure> {
        let failed = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(|| self.some())).collect();
            threads.into_iter().find_map(|thread| match thread.join() {
                Ok(ended) => ended.err(),
                Err(panicked) => std::panic::resume_unwind(panicked),
            })
        });
        match failed {
            Some(failure) => Err(failure),
            None => {
                let report = self.report(&self.state());
                self.write(&self.state(), &report)?;
                Ok(report)
            }
        }
    }

    /// Asks one layer after the other, until none waits.
    fn some(&self) -> Result<(), Failure> {
        loop {
            let Some(layer) = self.next() else { return Ok(()) };
            let start = Instant::now();
            let asked = layer.ask(self.context);
            let mut state = self.state();
            let seconds = start.elapsed().as_secs_f64();
            state.running.retain(|other| *other != layer);
            let found = match asked {
                Ok(found) => found,
                // Others are not asked any more: the rules are none for them either.
                Err(failure @ Failure::Rules(_)) => {
                    state.waiting.clear();
                    return Err(failure);
                }
                // The row says it; the other layers know nothing of it.
                Err(failure) => {
                    let says = plain::line(&failure.to_string().replace("\n  fix: ", "; fix: ")).into_owned();
                    let row = Row::new(layer.name(), "all", Answer::Undecided, says, "zus-workbench verify");
                    Found { rows: vec![row], ..Found::default() }
                }
            };
            note(&format!("{}: {}, {seconds:.1} s", layer.name(), forms::counts(&found.rows)));
            state.found.insert(layer, found);
            state.seconds.insert(layer.name().into(), seconds);
            self.say(&state);
            let report = self.report(&state);
            self.write(&state, &report)?;
        }
    }

    fn next(&self) -> Option<Layer> {
        let mut state = self.state();
        let layer = state.waiting.pop_front()?;
        state.running.push(layer);
        self.say(&state);
        Some(layer)
    }

    fn say(&self, state: &State) {
        let running: Vec<&str> = state.running.iter().map(|layer| layer.name()).collect();
        let left = state.running.len() + state.waiting.len();
        self.pulse.set(format!(
            "{}, {left} of {} layers to go",
            running.join(" and "),
            left + state.found.len()
        ));
    }

    fn report(&self, state: &State) -> Report {
        let rows = Layer::ALL.into_iter().flat_map(|layer| {
            let skipped = state.skipped.contains(&layer).then(|| {
                let command = format!("zus-workbench verify, without --skip {}", layer.name());
                Row::new(layer.name(), "all", Answer::Skipped, "it was left out", &command)
            });
            state.found.get(&layer).into_iter().flat_map(|found| found.rows.clone()).chain(skipped)
        });
        let unfinished = state.running.iter().chain(&state.waiting);
        let words = env::args_os().skip(1).map(plain::quoted);
        let mut report = Report {
            format: FORMAT.into(),
            version: VERSION,
            rules: self.context.rules.to_string(),
            tree: self.tree.clone(),
            command: std::iter::once("zus-workbench".to_owned()).chain(words).collect::<Vec<_>>().join(" "),
            since: None,
            seconds: state.seconds.clone(),
            running: unfinished.map(|layer| layer.name().to_owned()).collect(),
            rows: rows.collect(),
        };
        if let Some((since, before)) = &self.before {
            report.since = Some(since.clone());
            // Rows of layers that are not done yet are not gone.
            let known = |row: &&Row| !report.running.contains(&row.layer);
            let rows = before.rows.iter().filter(known).cloned().collect();
            let before = Report { rows, ..before.clone() };
            report.compare(&before);
        }
        report
    }

    /// Writes everything that is known into the folder.
    fn write(&self, state: &State, report: &Report) -> Result<(), Failure> {
        let named = |error: io::Error| Failure::Out(whole::unwritable(&self.context.out)(error));
        let mut folder = Folder::within(Arc::clone(&self.lock)).map_err(named)?;
        let files = state.files();
        let forms = [
            ("index.html", page::write(report, &|run| drawing(&files, run, "svg")).into_bytes()),
            ("report.json", forms::json(report).into_bytes()),
            ("report.md", markdown(report, &files).into_bytes()),
            ("report.xml", forms::junit(report).into_bytes()),
        ];
        for (name, bytes) in forms.map(|(name, bytes)| (name.to_owned(), bytes)).into_iter().chain(files) {
            folder.write(&name, bytes).map_err(named)?;
        }
        folder.finish().map_err(named).map(drop)
    }
}

fn markdown(report: &Report, files: &Files) -> String {
    forms::markdown(report, &|run| drawing(files, run, "mmd"))
}

fn print(report: &Report, files: &Files, format: Format) -> io::Result<()> {
    let text = match format {
        Format::Text => forms::text(report),
        Format::Json => forms::json(report),
        Format::Markdown => markdown(report, files),
        Format::Junit => forms::junit(report),
    };
    let mut stdout = io::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
