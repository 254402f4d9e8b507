//! The errors of a trace: as a text, and as a run.

use super::{
    BadInstance, FORMAT, VERSION,
    locate::{Way, line_of},
    long::LONG,
};
use crate::{action::Blocked, properties::Property, scenario::Verdict};
use zus_output::bounded::Unread;

/// Why a text is no trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be read.
    #[error("{path}: {source}\n  fix: {}", .source.fix("a trace file, as `zus check --out DIR` writes them"))]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: Unread,
    },
    /// The text is no JSON, or has a field that the format does not know, or lacks one.
    #[error("{path}:{line}: {message}\n  fix: the format is described in model/checker/src/trace/mod.rs")]
    Syntax {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The error.
        message: String,
    },
    /// It is a run of any length.
    #[error(
        "{path}:1: this is a run of any length, which only `zus replay` reads\n  fix: use a file with format {FORMAT:?}"
    )]
    Long {
        /// The file.
        path: String,
    },
    /// It says that it is something else.
    #[error(
        "{path}:{line}: this is {found:?}, version {version}\n  fix: use a file with format {FORMAT:?} or {LONG:?}, version {VERSION}"
    )]
    Format {
        /// The file.
        path: String,
        /// The line, from 1, of the version.
        line: usize,
        /// The format it names.
        found: String,
        /// The version it names.
        version: u64,
    },
    /// Its instance is none.
    #[error("{path}:{line}: {source}")]
    Instance {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// Why.
        source: BadInstance,
    },
    /// A run cannot show what it claims.
    #[error(
        "{path}:{line}: claim.verdict: {} cannot be shown to be `{verdict}` by a run\n  fix: claim that an S or L property \
         is `violated`, or a witness W `reachable`",
        .property.id()
    )]
    Claim {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// Of which property.
        property: Property,
        /// The claimed verdict.
        verdict: Verdict,
    },
    /// A step is no action.
    #[error(
        "{path}:{line}: steps, step {step}: {message}\n  fix: the actions are those of model/checker/src/action/mod.rs"
    )]
    Step {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// Which, from 1.
        step: usize,
        /// The error.
        message: String,
    },
}

impl TraceError {
    /// The error in the instance of the trace in `text`, with its line.
    pub(crate) fn instance(path: &str, text: &str, source: BadInstance) -> Self {
        let way: Vec<Way<'_>> =
            std::iter::once("instance").chain(source.field.split('.')).map(Way::Key).collect();
        TraceError::Instance { path: path.into(), line: line_of(text, &way), source }
    }
}

/// Why a trace is not a run of the model.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReplayError {
    /// A step may not happen.
    #[error("step {step} may not happen: {deed}: {guard}\n  action: {action}")]
    Blocked {
        /// Which, from 1.
        step: usize,
        /// The action in words.
        deed: String,
        /// The guard that is false.
        guard: Blocked,
        /// The action as the trace has it.
        action: String,
    },
    /// All steps may happen, and the claimed property does not show.
    #[error("after step {steps}: {} is claimed to be {verdict}, and the run does not show it", .property.id())]
    NotShown {
        /// How many there are.
        steps: usize,
        /// The property.
        property: Property,
        /// The claimed verdict.
        verdict: Verdict,
    },
}
