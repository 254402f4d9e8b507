//! `zus summary`: what changed between two reports, for a pull request.

use super::{
    Exit, Failure, SummaryArgs, once, promised,
    report::{load, parse},
    write_promised,
};
use std::{
    io::Write,
    path::{Path, PathBuf},
};
use zus_output::plain;
use zus_report::{
    Report,
    page::figures::{self, Figures},
    summary::{
        self, Inputs,
        proofs::{self, Proofs},
    },
};

/// Runs the command.
pub fn run(args: &SummaryArgs) -> Result<Exit, Failure> {
    let named = [
        &args.after,
        &args.baseline,
        &args.proofs,
        &args.baseline_proofs,
        &args.figures,
        &args.baseline_figures,
    ];
    let inputs: Vec<PathBuf> = named.into_iter().flatten().flat_map(|path| candidates(path)).collect();
    let inputs = inputs.iter().map(PathBuf::as_path);
    let out = args.out.as_deref().map(|out| promised(out, inputs)).transpose()?;
    let figures = |paths: &[PathBuf]| -> Result<Vec<Figures>, Failure> {
        paths.iter().map(|path| parse(path, figures::MAX_BYTES, Figures::parse)).collect()
    };
    let proofs = |paths: &[PathBuf]| -> Result<Vec<Proofs>, Failure> {
        paths.iter().map(|path| parse(path, proofs::MAX_BYTES, Proofs::parse)).collect()
    };
    // Reports before and after a change are compared: one file cannot be both.
    let (after, before) = (reports(&args.after)?, reports(&args.baseline)?);
    let together = |a: &[PathBuf], b: &[PathBuf]| once(a.iter().chain(b).map(PathBuf::as_path));
    together(&after, &before)?;
    together(&args.proofs, &args.baseline_proofs)?;
    together(&args.figures, &args.baseline_figures)?;
    let loaded = |files: &[PathBuf]| files.iter().map(|file| load(file)).collect::<Result<Vec<Report>, _>>();
    let text = summary::write(&Inputs {
        after: loaded(&after)?,
        before: loaded(&before)?,
        proofs: proofs(&args.proofs)?,
        proofs_before: proofs(&args.baseline_proofs)?,
        figures: figures(&args.figures)?,
        figures_before: figures(&args.baseline_figures)?,
    });
    match out {
        // The mark by which a later run knows the file as one of ours.
        Some(out) => write_promised(out, text + "\n<!-- zus -->\n")?,
        None => write!(anstream::stdout(), "{text}")?,
    }
    Ok(Exit::AsExpected)
}

/// The files of all reports in files and folders.
fn reports(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let found = paths.iter().map(|path| files(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// A file; or those that a folder may have: of `zus check --out`, or else of `zus report`.
fn candidates(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_path_buf()];
    }
    ["", "check", "mutants", "matrix"].map(|part| path.join(part).join("report.json")).into()
}

/// Those of them that are read.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = candidates(path);
    if path.is_dir() {
        files.retain(|file| file.is_file());
        if files.first().is_some_and(|file| file.parent() == Some(path)) {
            files.truncate(1);
        }
    }
    if files.is_empty() {
        let why = "there is no report.json in it, nor in its folders check, mutants and matrix".to_owned();
        return Err(Failure::Unusable { path: plain::path(path), why });
    }
    Ok(files)
}
