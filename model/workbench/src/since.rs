//! The results of an earlier commit: made in a checkout of its own, with its own programs, and kept.

use crate::{
    Failure,
    arguments::VerifyArguments,
    report::{MAX_BYTES, Report, Since},
};
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use zus_output::{bounded, plain};

/// The folder of what is kept, below the target folder.
const KEPT: &str = "since";

/// The report of the commit `rev`, for the same arguments.
pub fn report(
    root: &Path,
    own: &Path,
    rev: &str,
    arguments: &VerifyArguments,
) -> Result<(Since, Report), Failure> {
    let refused = |why: String| Failure::Since(why);
    let commit =
        git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{rev}^{{commit}}")])
            .map_err(|_| {
                refused(format!("{} is no commit\n  fix: name one that `git log` shows", plain::quoted(rev)))
            })?;
    let since = Since { named: rev.into(), commit: commit.clone() };
    let kept = own.parent().unwrap_or(own).join(KEPT);
    let rules = arguments.rules.as_ref().map_or_else(|| "tree".to_owned(), ToString::to_string);
    let mut skipped: Vec<&str> = arguments.skip.iter().map(|layer| layer.name()).collect();
    skipped.sort_unstable();
    let quick = if arguments.quick { "-quick" } else { "" };
    let out = kept.join(format!("{commit}-{rules}{quick}-{}", skipped.join("-")));
    let report = out.join("report.json");
    let known = || bounded::text(&report, MAX_BYTES).ok().and_then(|text| Report::parse(&text).ok());
    if let Some(known) = known().filter(|report| report.running.is_empty()) {
        return Ok((since, known));
    }
    eprintln!("the results of {} are made first", plain::line(rev));
    let tree = Tree::at(root, kept.join(format!("{commit}-tree")), &commit)?;
    if !tree.0.join("model/workbench/Cargo.toml").is_file() {
        let why = format!("{} has no zus-workbench\n  fix: name a later commit", plain::quoted(rev));
        return Err(refused(why));
    }
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&tree.0).args(["run", "--quiet"]);
    if own.file_name() == Some(OsStr::new("release")) {
        cargo.arg("--release");
    }
    cargo.arg("--target-dir").arg(kept.join("target"));
    cargo.args(["--package", "zus-workbench", "--", "verify", "--format", "json", "--out"]).arg(&out);
    if let Some(rules) = &arguments.rules {
        cargo.args(["--rules", &rules.to_string()]);
    }
    if arguments.quick {
        cargo.arg("--quick");
    }
    for layer in &arguments.skip {
        cargo.args(["--skip", layer.name()]);
    }
    // Its exit code says what it found; the report says whether it ended.
    cargo.stdout(Stdio::null()).status().map_err(|error| Failure::Start("cargo".into(), error))?;
    let why =
        || refused(format!("{} could not be judged\n  fix: see the messages above", plain::quoted(rev)));
    known().map(|report| (since, report)).ok_or_else(why)
}

/// Changed files that are named at most.
const NAMED: usize = 5;

/// The tree that is judged, in words: its commit, and the files that differ from it. None where git cannot tell.
pub fn tree(root: &Path) -> Option<String> {
    let commit = git(root, ["rev-parse", "--short=12", "HEAD"]).ok()?;
    let status = git(root, ["status", "--porcelain"]).ok()?;
    let changed: Vec<&str> = status
        .lines()
        .filter_map(|line| line.trim_start().split_once(' '))
        .map(|(_, name)| name.trim())
        .collect();
    let named = changed.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    Some(match changed.len() {
        0 => format!("commit {commit}"),
        1..=NAMED => format!("commit {commit} with changes in {named}"),
        more => format!("commit {commit} with changes in {named} and {} more", more - NAMED),
    })
}

/// A checkout of a commit, which is removed at the end.
struct Tree(PathBuf);

impl Tree {
    fn at(root: &Path, folder: PathBuf, commit: &str) -> Result<Self, Failure> {
        // One that a killed process left.
        remove(&folder);
        let added = git(
            root,
            [
                OsStr::new("worktree"),
                "add".as_ref(),
                "--force".as_ref(),
                "--detach".as_ref(),
                folder.as_os_str(),
                commit.as_ref(),
            ],
        );
        added
            .map(|_| Tree(folder))
            .map_err(|why| Failure::Since(format!("{why}\n  fix: see `git worktree list`")))
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(folder: &Path) {
    // git forgets a checkout that is gone.
    let _ = std::fs::remove_dir_all(folder);
}

/// The output of git.
fn git(root: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<String, String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root)
        .output()
        .map_err(|error| format!("git: {error}"))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
