//! `zus check`: scenarios, or mutants, one after the other; each is printed as soon as it is known.

use super::{
    Bounds, CheckArgs, Exit, Failure, Format, command_line, in_form, note, on_threads, once, progress::Line,
    unwritable,
};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};
use zus_checker::{
    committed, memory,
    mutants::{Executioner, committed_mutants},
    scenario::{Change, Engine, Scenario},
    search::{
        bfs::Limits,
        check::{Checked, Options, check},
        trial::effects,
    },
    trace::Trace,
};
use zus_output::{folder::Folder, lock::Lock, plain};
use zus_report::mutants::MutantResult;
use zus_report::{
    Report, RunReport, ScenarioReport,
    baseline::{Comparison, compare},
    junit, markdown, sarif,
    text::{self, Detail},
    trace_file,
};

/// Runs the command.
pub fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let start = Instant::now();
    let mut session =
        Session::new(Some(args.format), args.out.as_deref(), Detail::of(args.quiet, args.verbose))?;
    let earlier = match args.baseline.as_deref().map(super::report::load).transpose() {
        Ok(earlier) => earlier,
        Err(failure) => {
            session.fail(&failure);
            return Err(failure);
        }
    };
    let limits = limits(&args.bounds);
    let command = command_line();
    let done = on_threads(args.bounds.threads, || {
        if args.mutants {
            mutants(&mut session, limits, &command)
        } else {
            let large: Vec<String> = committed::large().map(str::to_owned).collect();
            let named = if args.large { &large } else { &args.scenarios };
            scenarios(&mut session, named, args.engine.map(Engine::from), limits, &command)
        }
    });
    if let Err(failure) = done.and_then(|done| done) {
        session.fail(&failure);
        return Err(failure);
    }
    session.report.compared =
        earlier.map(|earlier| Comparison { required: args.unchanged, ..compare(&earlier, &session.report) });
    session.finish(start)
}

fn limits(bounds: &Bounds) -> Limits {
    Limits { states: bounds.max_states, memory: bounds.max_memory }
}

/// Checks the scenarios that are named, or all committed ones.
pub fn scenarios(
    session: &mut Session,
    named: &[String],
    engine: Option<Engine>,
    limits: Limits,
    command: &str,
) -> Result<(), Failure> {
    // All are read before the first is explored: a mistake in the last one shows at once.
    let mut scenarios: Vec<Scenario> = if named.is_empty() {
        committed::names()
            .filter_map(|name| committed::scenario(name, &Change::default()))
            .collect::<Result<_, _>>()?
    } else {
        named.iter().map(|name| committed::find(name)).collect::<Result<_, _>>()?
    };
    if scenarios.is_empty() {
        return Err(Failure::NoScenario);
    }
    once(scenarios.iter().map(|scenario| Path::new(&scenario.path)))?;
    let mut paths = BTreeMap::new();
    for Scenario { name, path, .. } in &scenarios {
        if let Some(other) = paths.insert(name, path) {
            return Err(Failure::OneName { name: name.clone(), paths: [other.clone(), path.clone()] });
        }
    }
    if let Some(engine) = engine {
        let asked = scenarios.into_iter().map(|scenario| {
            let path = scenario.path.clone();
            scenario.by(engine).map_err(|why| Failure::Engine { path, why })
        });
        scenarios = asked.collect::<Result<_, _>>()?;
    }
    for scenario in &mut scenarios {
        let line = Line::new(format!("settings of {}", scenario.name), session.is_quiet(), None);
        effects(scenario, limits, &|field, progress| line.trying(field, progress))?;
    }
    for (index, scenario) in scenarios.iter().enumerate() {
        let checked = {
            let what = format!("{}/{} {}", index + 1, scenarios.len(), scenario.name);
            let line = Line::new(what, session.is_quiet(), scenario.states);
            let progress = |p| if scenario.simulate.is_some() { line.sampling(p) } else { line.exploring(p) };
            check(scenario, Options { limits, command, progress: &progress })
        };
        session.add(&checked)?;
    }
    Ok(())
}

/// Runs the committed mutants.
pub fn mutants(session: &mut Session, limits: Limits, command: &str) -> Result<(), Failure> {
    let mutants = committed_mutants()?;
    let mut executioner = Executioner::default();
    for (index, mutant) in mutants.iter().enumerate() {
        let fate = {
            let line = Line::new(
                format!("{}/{} mutant {}", index + 1, mutants.len(), mutant.id),
                session.is_quiet(),
                None,
            );
            let progress = |p| line.exploring(p);
            executioner.run(mutant, Options { limits, command, progress: &progress })
        };
        let mut result = MutantResult::new(mutant, &fate);
        if let (Some(trace), Some(run)) = (&fate.trace, &mut result.run) {
            session.save(trace, &format!("mutant-{}", mutant.id), run)?;
        }
        session.report.mutants.push(result);
    }
    if session.format == Some(Format::Text) {
        let table = text::mutants(&session.report.mutants, session.detail);
        writeln!(session.stdout, "{table}")?;
    }
    Ok(())
}

/// The files of a report, one for each form.
const FORMS: [(&str, Format); 5] = [
    ("report.txt", Format::Text),
    ("report.json", Format::Json),
    ("report.md", Format::Markdown),
    ("report.xml", Format::Junit),
    ("report.sarif", Format::Sarif),
];

/// A report that grows, and where it goes.
pub struct Session {
    /// The report so far.
    pub report: Report,
    /// The form of the results on standard output, if they go there.
    format: Option<Format>,
    /// The output folder.
    out: Option<Folder>,
    /// How much is printed. Where only tables are, there is no progress either.
    pub detail: Detail,
    stdout: anstream::AutoStream<std::io::Stdout>,
}

impl Session {
    /// A session whose output folder exists, and is taken until it ends.
    pub fn new(format: Option<Format>, out: Option<&Path>, detail: Detail) -> Result<Self, Failure> {
        let opened = |out: &Path| {
            let folder = Folder::open(out)?;
            FORMS.iter().try_for_each(|(name, _)| folder.is_ours(name))?;
            Ok(folder)
        };
        let named = |out: &Path| opened(out).map_err(|source| unwritable(out, source));
        Ok(Self::with(format, out.map(named).transpose()?, detail))
    }

    /// A session of a command that has taken the folder, and prints nothing of it.
    pub fn within(out: &Arc<Lock>, detail: Detail) -> Result<Self, Failure> {
        let folder = Folder::within(Arc::clone(out)).map_err(|source| unwritable(out.folder(), source))?;
        Ok(Self::with(None, Some(folder), detail))
    }

    fn with(format: Option<Format>, out: Option<Folder>, detail: Detail) -> Self {
        let report = Report::new(command_line());
        let stdout = anstream::AutoStream::auto(std::io::stdout());
        Session { report, format, out, detail, stdout }
    }

    /// Whether nothing is said while a search runs.
    pub fn is_quiet(&self) -> bool {
        self.detail == Detail::Tables
    }

    /// Takes up a scenario, and prints it if the form is text.
    pub fn add(&mut self, checked: &Checked) -> Result<(), Failure> {
        let mut report = ScenarioReport::new(checked);
        for (finding, property) in checked.findings.iter().zip(&mut report.properties) {
            if let (Some(trace), Some(run)) = (&finding.trace, &mut property.run) {
                self.save(trace, &checked.scenario.name, run)?;
            }
        }
        if self.format == Some(Format::Text) {
            let text = match self.detail {
                Detail::Tables | Detail::Differing => text::line(&report),
                Detail::All => text::scenario(&report, true),
            };
            writeln!(self.stdout, "{text}")?;
            self.stdout.flush()?;
        }
        self.report.scenarios.push(report);
        Ok(())
    }

    /// Writes the trace of `run` into the output folder, if there is one.
    pub fn save(&mut self, trace: &Trace, of: &str, run: &mut RunReport) -> Result<(), Failure> {
        if self.out.is_none() {
            return Ok(());
        }
        let property = trace.claim.as_ref().map_or("run", |claim| claim.property.id());
        if let Some(path) = self.write(&trace_file(of, property), trace.to_json())? {
            run.again = Some(format!("zus replay {}", plain::quoted_path(&path)));
            run.trace = Some(path.to_string_lossy().into_owned());
        }
        Ok(())
    }

    /// Writes a file into the output folder, if there is one, and returns its path.
    pub fn write(&mut self, name: &str, text: impl AsRef<[u8]>) -> Result<Option<PathBuf>, Failure> {
        let Some(out) = &mut self.out else { return Ok(None) };
        let written = out.write(name, text).map_err(|source| unwritable(&out.root().join(name), source))?;
        Ok(Some(written))
    }

    /// Ends a run that has no results: the folder says why, and keeps none of an earlier run.
    /// Where the folder itself is the matter, it stays as it is.
    pub fn fail(mut self, failure: &Failure) {
        if matches!(failure, Failure::Unwritable { .. } | Failure::Busy { .. } | Failure::Output(_)) {
            return;
        }
        let told = format!("error: {}\n", plain::message(&failure.to_string()));
        for (name, format) in FORMS {
            let text = if format == Format::Text { told.clone() } else { in_form(format, failure) };
            // The failure itself is told on standard error, whatever becomes of the folder.
            let _ = self.write(name, text);
        }
        if let Some(out) = self.out {
            let _ = out.finish();
        }
    }

    /// Ends the report: prints what is left, and writes it into the output folder in all forms.
    pub fn finish(mut self, start: Instant) -> Result<Exit, Failure> {
        self.report.summarize(start.elapsed().as_secs_f64(), memory::peak());
        let report = &self.report;
        match self.format {
            Some(Format::Text) => {
                match self.detail {
                    Detail::All => {}
                    less => {
                        let differing = text::differing(report, less == Detail::Differing);
                        writeln!(self.stdout, "{differing}")?;
                    }
                }
                if let Some(compared) = &report.compared {
                    writeln!(self.stdout, "{}\n", plain::text(&compared.text()))?;
                }
                writeln!(self.stdout, "{}", text::summary_line(&report.summary))?;
            }
            Some(Format::Json) => write!(self.stdout, "{}", report.to_json())?,
            Some(Format::Markdown) => {
                write!(self.stdout, "{}", markdown::write(report, self.detail != Detail::Tables))?
            }
            Some(Format::Junit) => write!(self.stdout, "{}", junit::write(report)?)?,
            Some(Format::Sarif) => {
                write!(self.stdout, "{}", sarif::write(report).map_err(Failure::Sarif)?)?;
            }
            None => {}
        }
        self.stdout.flush()?;
        let standing = report.summary.standing;
        if self.out.is_some() {
            let mut forms = Vec::new();
            for (name, format) in FORMS {
                let text = match format {
                    Format::Text => anstream::adapter::strip_str(&text::write(report)).to_string(),
                    Format::Json => report.to_json(),
                    Format::Markdown => markdown::write(report, true),
                    Format::Junit => junit::write(report)?,
                    Format::Sarif => sarif::write(report).map_err(Failure::Sarif)?,
                };
                forms.push((name, text));
            }
            for (name, text) in forms {
                self.write(name, text)?;
            }
        }
        if let Some(out) = self.out {
            let root = out.root().to_path_buf();
            let left = out.finish().map_err(|source| unwritable(&root, source))?;
            note(&left.lines());
        }
        Ok(standing.into())
    }
}

/// The run of a trace, for those who print one outside a report.
pub fn shown(trace: &Trace) -> String {
    text::run(&RunReport::new(trace))
}
