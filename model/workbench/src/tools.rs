//! The rooms' own programs: built, started as processes, and their outputs kept.

use crate::Failure;
use std::{
    env,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use zus_output::plain;

/// Bytes of an output that is read.
const MAX_BYTES: u64 = 64 << 20;

/// Seconds of a program at most.
pub const MOST_SECONDS: u64 = 1_800;
/// The time between two looks whether a program has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// The programs of one build.
#[derive(Debug)]
pub struct Tools {
    /// The root of the checkout.
    pub root: PathBuf,
    /// The folder of the programs.
    pub programs: PathBuf,
}

/// A program that has ended.
#[derive(Debug)]
pub struct Done {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// Its results.
    pub stdout: String,
    /// The rest.
    pub stderr: String,
    /// The command, for the user.
    pub command: String,
}

impl Done {
    /// The line that says why it could not do its work, without the word *error*. A line of progress is none.
    pub fn why(&self) -> String {
        let lines = |text: &str, is: fn(&str) -> bool| {
            text.lines().map(str::trim).rfind(|line| is(line)).map(str::to_owned)
        };
        let why = lines(&self.stderr, |line| line.starts_with("error: ") || line.starts_with("zus-proofs: "))
            .or_else(|| lines(&self.stdout, |line| line.starts_with("INCOMPLETE")))
            .or_else(|| lines(&self.stderr, |line| !line.is_empty()))
            .or_else(|| lines(&self.stdout, |line| !line.is_empty()))
            .unwrap_or_else(|| "it said nothing".into());
        let why = plain::line(why.trim_start_matches("error: ").trim_start_matches("zus-proofs: "));
        match self.code {
            Some(_) => why.into_owned(),
            None => format!("a signal ended it, or its time was over: {why}"),
        }
    }
}

/// The command of a program with these arguments, for the user.
pub fn command(program: &str, arguments: &[&str]) -> String {
    let words = arguments.iter().map(|word| plain::quoted(*word));
    std::iter::once(program.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

/// Where the programs of the build are that this program is of.
pub fn own_folder() -> Result<PathBuf, Failure> {
    let own = env::current_exe().map_err(|error| Failure::Start("this program".into(), error))?;
    Ok(own.parent().map_or_else(PathBuf::new, Path::to_path_buf))
}

/// Builds programs in the profile of this one: a folder `release`, or another one. Says how many seconds it took.
pub fn build(root: &Path, into: &Path, packages: &[(&str, &str)]) -> Result<f64, Failure> {
    let start = Instant::now();
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg("build").current_dir(root);
    for (package, program) in packages {
        cargo.args(["--package", package, "--bin", program]);
    }
    if into.file_name().is_some_and(|name| name == "release") {
        cargo.arg("--release");
    }
    if let Some(target) = into.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    let status =
        cargo.stdout(Stdio::null()).status().map_err(|error| Failure::Start("cargo".into(), error))?;
    if status.success() { Ok(start.elapsed().as_secs_f64()) } else { Err(Failure::Build(status)) }
}

impl Tools {
    /// Runs a program to its end, or for [`MOST_SECONDS`].
    ///
    /// # Errors
    /// If it cannot be started, or what it prints not be kept or read.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<Done, Failure> {
        self.run_for(MOST_SECONDS, program, arguments)
    }

    /// Runs a program to its end, or for so many seconds: it is killed then.
    ///
    /// # Errors
    /// As [`Tools::run`].
    pub fn run_for(&self, seconds: u64, program: &str, arguments: &[&str]) -> Result<Done, Failure> {
        let path = self.programs.join(program);
        // Files, not pipes: neither of the two can fill up while the other is read.
        let kept = || tempfile::tempfile().map_err(Failure::Scratch);
        let (mut out, mut err) = (kept()?, kept()?);
        let of = |file: &std::fs::File| file.try_clone().map_err(Failure::Scratch);
        let mut child = Command::new(&path)
            .args(arguments)
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stdout(of(&out)?)
            .stderr(of(&err)?)
            .spawn()
            .map_err(|error| Failure::Start(plain::path(&path), error))?;
        let end = Instant::now() + Duration::from_secs(seconds);
        let status = loop {
            match child.try_wait().map_err(Failure::Scratch)? {
                Some(status) => break status,
                None if Instant::now() > end => {
                    // It may have ended at this moment.
                    let _ = child.kill();
                    break child.wait().map_err(Failure::Scratch)?;
                }
                None => std::thread::sleep(PAUSE),
            }
        };
        let read = |file: &mut std::fs::File| {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(0)).map_err(Failure::Scratch)?;
            file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(Failure::Scratch)?;
            Ok::<_, Failure>(String::from_utf8_lossy(&bytes).into_owned())
        };
        let command = command(program, arguments);
        Ok(Done { code: status.code(), stdout: read(&mut out)?, stderr: read(&mut err)?, command })
    }
}
