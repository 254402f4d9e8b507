//! `zus report`: everything checked, on one page.

use super::{
    Exit, Failure, ReportArgs,
    check::{Session, mutants, scenarios},
    command_line, on_threads, once,
    progress::Line,
    promised, unwritable, write_promised,
};
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};
use zus_checker::search::{bfs::Limits, check::Options};
use zus_output::{
    bounded,
    lock::Lock,
    plain::{self, quoted_path},
};
use zus_report::{
    FORMAT, Report, VERSION,
    page::{
        self, Part, Parts,
        figures::{self, Figures},
        ledger::{self, Ledger},
        matrix,
    },
    text::Detail,
};

/// Where the ledger is, unless the user says otherwise.
const LEDGER: &str = "proofs/ledger.toml";
/// Bytes of a report that is read again.
const MAX_REPORT: u64 = 256 << 20;

/// Runs the command.
pub fn run(args: &ReportArgs) -> Result<Exit, Failure> {
    let dir = &args.dir;
    // The page is of this run alone: nobody else writes its parts until it is there.
    let taken = Lock::take(dir).map_err(|source| unwritable(dir, source))?;
    // Errors of the inputs and of the output folder show before the work, not after it.
    let index = dir.join("index.html");
    let named = args.figures.iter().chain(&args.ledger).map(PathBuf::as_path);
    let promised = promised(&index, named)?;
    let inputs = Inputs::read(args)?;
    let (check_dir, mutants_dir, matrix_dir) = (dir.join("check"), dir.join("mutants"), dir.join("matrix"));
    let below =
        |part: &str| taken.below(part).map(Arc::new).map_err(|source| unwritable(&dir.join(part), source));
    let [check_out, mutants_out, matrix_out] = [below("check")?, below("mutants")?, below("matrix")?];
    let kept = |dir: &Path| -> Result<Option<Report>, Failure> {
        let file = Some(dir.join("report.json")).filter(|file| args.reuse && file.is_file());
        file.map(|file| load(&file)).transpose()
    };
    let kept = [kept(&check_dir)?, kept(&mutants_dir)?, kept(&matrix_dir)?];
    let [to_check, to_mutate, to_fill] = kept.each_ref().map(Option::is_none);
    let limits = Limits { states: args.bounds.max_states, memory: args.bounds.max_memory };
    let command = command_line();
    let shown = |part: &Path| quoted_path(part);
    let commands = [
        format!("zus check --out {}", shown(&check_dir)),
        format!("zus check --mutants --out {}", shown(&mutants_dir)),
        format!("zus report {}", shown(dir)),
    ];
    let cells = matrix::cells();
    on_threads(args.bounds.threads, || -> Result<(), Failure> {
        if to_check {
            fresh(args, &check_out, |session| scenarios(session, &[], None, limits, &commands[0]))?;
        }
        if to_mutate {
            fresh(args, &mutants_out, |session| mutants(session, limits, &commands[1]))?;
        }
        if to_fill {
            let limits = Limits { states: args.matrix_states, ..limits };
            fresh(args, &matrix_out, |session| explore(session, &cells, &matrix_dir, limits))?;
        }
        Ok(())
    })??;
    let [kept_check, kept_mutants, kept_matrix] = kept;
    let part = |kept: Option<Report>, dir: &Path, command: String| -> Result<Part, Failure> {
        let report = kept.map_or_else(|| load(&dir.join("report.json")), Ok)?;
        Ok(Part { report, traces: dir.join("traces"), command })
    };
    let [check_command, mutants_command, matrix_command] = commands;
    let check = part(kept_check, &check_dir, check_command)?;
    let mutants = part(kept_mutants, &mutants_dir, mutants_command)?;
    let matrix = part(kept_matrix, &matrix_dir, matrix_command)?;
    let standing = check.report.summary.standing.max(mutants.report.summary.standing);
    let parts = Parts {
        command,
        matrix: Some((matrix, cells)),
        check: Some(check),
        mutants: Some(mutants),
        ledger: inputs.ledger,
        figures: inputs.figures,
        committed: inputs.committed,
    };
    let _line = Line::new("the page".into(), args.quiet, None);
    let page = page::write(&parts);
    write_promised(promised, &page)?;
    writeln!(anstream::stdout(), "{}: {} KiB; open it in a browser", plain::path(&index), page.len() / 1024)?;
    Ok(standing.into())
}

/// The content of the page beside the results of the checks.
struct Inputs {
    ledger: Option<Ledger>,
    figures: Vec<Figures>,
    committed: Vec<Figures>,
}

impl Inputs {
    fn read(args: &ReportArgs) -> Result<Self, Failure> {
        once(args.figures.iter().map(PathBuf::as_path))?;
        let ledger = match &args.ledger {
            Some(path) => Some(path.clone()),
            None => Some(PathBuf::from(LEDGER)).filter(|path| path.is_file()),
        };
        let figures = args.figures.iter().map(|path| parse(path, figures::MAX_BYTES, Figures::parse));
        let committed = zus_report::page::figures::committed()
            .map(|(path, found)| found.map_err(|why| Failure::Unusable { path, why }));
        Ok(Inputs {
            ledger: ledger.map(|path| parse(&path, ledger::MAX_BYTES, Ledger::parse)).transpose()?,
            figures: figures.collect::<Result<_, _>>()?,
            committed: committed.collect::<Result<_, _>>()?,
        })
    }
}

/// Makes the part in the folder `out` anew.
fn fresh(
    args: &ReportArgs,
    out: &Arc<Lock>,
    work: impl FnOnce(&mut Session) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let start = Instant::now();
    let mut session = Session::within(out, Detail::of(args.quiet, false))?;
    work(&mut session)?;
    session.finish(start)?;
    Ok(())
}

/// Explores the cells of the matrix, and writes their scenario files.
fn explore(session: &mut Session, cells: &[matrix::Cell], dir: &Path, limits: Limits) -> Result<(), Failure> {
    for (index, cell) in cells.iter().enumerate() {
        let name = format!("{}.toml", cell.scenario);
        let path = dir.join(&name).to_string_lossy().into_owned();
        session.write(&name, &cell.text)?;
        // A cell that the model cannot express is shown as such.
        let Ok(scenario) = cell.scenario(&path) else { continue };
        let command = format!("zus check {}", quoted_path(&path));
        let line = Line::new(
            format!("cell {}/{} {}", index + 1, cells.len(), cell.scenario),
            session.is_quiet(),
            None,
        );
        let progress = |p| line.exploring(p);
        let checked = matrix::explore(&scenario, Options { limits, command: &command, progress: &progress });
        session.add(&checked)?;
    }
    Ok(())
}

/// Reads a report that `zus check` wrote.
pub fn load(path: &Path) -> Result<Report, Failure> {
    parse(path, MAX_REPORT, |text| {
        let report: Report = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if report.format == FORMAT && report.version == VERSION {
            Ok(report)
        } else {
            Err(format!("this is {:?}, version {}", report.format, report.version))
        }
    })
}

/// Reads a file of at most `most` bytes.
pub fn parse<T>(path: &Path, most: u64, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Failure> {
    let shown = plain::path(path);
    let text = bounded::read(path, most).map_err(|source| Failure::Unread { path: shown.clone(), source })?;
    parse(&text).map_err(|why| Failure::Unusable { path: shown, why })
}
