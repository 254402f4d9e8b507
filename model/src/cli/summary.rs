//! `zus summary`: what changed between two reports, for a pull request.

use super::{
    Exit, Failure, SummaryArgs, check_file,
    report::{load, parse},
    write_file,
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
    args.out.as_deref().map(check_file).transpose()?;
    let figures = |paths: &[PathBuf]| -> Result<Vec<Figures>, Failure> {
        paths.iter().map(|path| parse(path, figures::MAX_BYTES, Figures::parse)).collect()
    };
    let proofs = |paths: &[PathBuf]| -> Result<Vec<Proofs>, Failure> {
        paths.iter().map(|path| parse(path, proofs::MAX_BYTES, Proofs::parse)).collect()
    };
    let text = summary::write(&Inputs {
        after: reports(&args.after)?,
        before: reports(&args.baseline)?,
        proofs: proofs(&args.proofs)?,
        proofs_before: proofs(&args.baseline_proofs)?,
        figures: figures(&args.figures)?,
        figures_before: figures(&args.baseline_figures)?,
    });
    match &args.out {
        Some(out) => write_file(out, text)?,
        None => write!(anstream::stdout(), "{text}")?,
    }
    Ok(Exit::AsExpected)
}

/// All reports of files and folders.
fn reports(paths: &[PathBuf]) -> Result<Vec<Report>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        for file in files(path)? {
            all.push(load(&file)?);
        }
    }
    Ok(all)
}

/// A file; or those of a folder: of `zus check --out`, or of `zus report`.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let report = |folder: PathBuf| folder.join("report.json");
    let own = report(path.to_path_buf());
    if own.is_file() {
        return Ok(vec![own]);
    }
    let parts = ["check", "mutants", "matrix"].map(|part| report(path.join(part)));
    let there: Vec<PathBuf> = parts.into_iter().filter(|file| file.is_file()).collect();
    if there.is_empty() {
        let why = "there is no report.json in it, nor in its folders check, mutants and matrix".to_owned();
        return Err(Failure::Unusable { path: plain::path(path), why });
    }
    Ok(there)
}
