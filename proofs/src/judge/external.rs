//! The second and third judge: z3 and cvc5, from the wheels of a virtual environment.

use crate::{
    condition::{Condition, smtlib},
    spec::Spec,
};
use serde::Serialize;
use std::{
    collections::HashMap,
    fmt,
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Time that a solver has for one script, in seconds.
const SECONDS_A_SCRIPT: u32 = 60;
/// The environment variable that names the Python interpreter with the wheels; `proofs/check` sets it.
pub const PYTHON_VARIABLE: &str = "ZUS_PROOFS_PYTHON";
/// Where `proofs/check` puts that interpreter, from the root of the repository.
const PYTHON_DEFAULT: &str = "proofs/.venv/bin/python";

/// A solver.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum External {
    /// z3.
    Z3,
    /// cvc5.
    Cvc5,
}

impl fmt::Display for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            External::Z3 => "z3",
            External::Cvc5 => "cvc5",
        })
    }
}

/// A solver's answer to a script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SolverAnswer {
    /// It has a model.
    Sat,
    /// It has none.
    Unsat,
    /// The solver does not know, for a reason.
    Unknown(String),
}

/// Why there are no answers.
#[derive(Debug, thiserror::Error)]
pub enum ExternalError {
    /// No interpreter, or no wheel.
    #[error("{0} is missing: run `proofs/check` once, which installs it ({1})")]
    Missing(External, String),
    /// The process failed.
    #[error("{0}: {1}")]
    Process(External, io::Error),
    /// It did not answer.
    #[error("{0} gave no answer to `{1}`")]
    NoAnswer(External, String),
}

/// A script with its name.
#[derive(Serialize)]
pub struct Script {
    /// Its name, without tabs.
    pub name: String,
    /// SMT-LIB 2.6 with one `check-sat`.
    pub script: String,
    /// The likely answer. Of several ways to ask, a solver tries the one first that is good at this answer; it is free to give the other.
    pub likely: Likely,
}

/// An answer that is likely.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Likely {
    /// There is a model.
    Sat,
    /// There is none.
    Unsat,
}

impl Script {
    /// The script of a condition that another judge says holds, or does not.
    pub fn of(spec: &Spec, condition: &Condition, holds: bool) -> Self {
        let likely = if holds { Likely::Unsat } else { Likely::Sat };
        Script { name: condition.id.to_string(), script: smtlib(spec, condition), likely }
    }
}

/// A solver that is there.
#[derive(Clone, Debug)]
pub struct ExternalJudge {
    /// Which.
    pub solver: External,
    /// Its version.
    pub version: String,
    python: PathBuf,
}

impl ExternalJudge {
    /// Finds the solver.
    pub fn find(solver: External) -> Result<Self, ExternalError> {
        let python =
            std::env::var_os(PYTHON_VARIABLE).map_or_else(|| PathBuf::from(PYTHON_DEFAULT), PathBuf::from);
        let mut judge = ExternalJudge { solver, version: String::new(), python };
        let missing = |why: &dyn fmt::Display| ExternalError::Missing(solver, why.to_string());
        let child = judge.start().map_err(|e| missing(&e))?;
        let output = child.wait_with_output().map_err(|e| missing(&e))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.lines().next().and_then(|line| line.strip_prefix("version\t"));
        judge.version = version.ok_or_else(|| missing(&"its Python module cannot be loaded"))?.to_string();
        Ok(judge)
    }

    fn start(&self) -> io::Result<Child> {
        Command::new(&self.python)
            .args(["-c", include_str!("../../judges/judge.py"), &self.solver.to_string()])
            .arg(SECONDS_A_SCRIPT.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    }

    /// Answers to all scripts, in order; `threads` processes share them: each takes the next one when it has answered.
    pub fn ask(&self, scripts: &[Script], threads: usize) -> Result<Vec<SolverAnswer>, ExternalError> {
        let (threads, next) = (threads.clamp(1, scripts.len().max(1)), AtomicUsize::new(0));
        let answers = thread::scope(|scope| {
            let handles: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| self.process(scripts, &next))).collect();
            handles
                .into_iter()
                .map(|h| h.join().unwrap_or_else(|p| std::panic::resume_unwind(p)))
                .collect::<Vec<_>>()
        });
        let mut by_name = HashMap::new();
        for part in answers {
            by_name.extend(part.map_err(|e| ExternalError::Process(self.solver, e))?);
        }
        let answer = |script: &Script| {
            let answer = by_name.remove(&script.name);
            answer.ok_or_else(|| ExternalError::NoAnswer(self.solver, script.name.clone()))
        };
        scripts.iter().map(answer).collect()
    }

    /// The answers of one process, until no script is left. One that ends early shows as a missing answer.
    fn process(&self, scripts: &[Script], next: &AtomicUsize) -> io::Result<HashMap<String, SolverAnswer>> {
        let mut child = self.start()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(io::Error::other("the process has no pipes"));
        };
        let mut lines = BufReader::new(stdout).lines().skip(1);
        let mut answers = HashMap::new();
        while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
            if writeln!(stdin, "{}", serde_json::to_string(script)?).is_err() {
                break;
            }
            let Some(line) = lines.next() else { break };
            answers.extend(parse(&line?));
        }
        drop(stdin);
        child.wait()?;
        Ok(answers)
    }
}

fn parse(line: &str) -> Option<(String, SolverAnswer)> {
    let mut fields = line.split('\t');
    let (name, answer) = (fields.next()?, fields.next()?);
    let answer = match answer {
        "sat" => SolverAnswer::Sat,
        "unsat" => SolverAnswer::Unsat,
        other => SolverAnswer::Unknown(other.trim_start_matches("unknown: ").to_string()),
    };
    Some((name.to_string(), answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_by_name() {
        let unknown = SolverAnswer::Unknown("timeout".to_string());
        assert_eq!(parse("a:b\tunsat\t0.010"), Some(("a:b".to_string(), SolverAnswer::Unsat)));
        assert_eq!(parse("a:b\tunknown: timeout\t60.0"), Some(("a:b".to_string(), unknown)));
        assert_eq!(parse("noise"), None);
    }
}
