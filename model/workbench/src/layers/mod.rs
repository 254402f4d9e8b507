//! The layers: each asks its room's own program, and makes rows of the answers.

mod code;
mod hot_path;
mod model;
mod mutants;
mod proofs;

use crate::{Failure, report::Row, rules::Rules, tools::Tools};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The input of every layer.
#[derive(Debug)]
pub struct Context {
    /// The programs.
    pub tools: Tools,
    /// The rules to judge.
    pub rules: Rules,
    /// Whether the rules were named: what has rules of its own is then not asked.
    pub named: bool,
    /// The output folder, as the user names it: for the commands of the rows.
    pub out: PathBuf,
    /// A folder that goes with this process.
    pub scratch: PathBuf,
    /// The same results in less time, for tests: fewer random runs, and the smaller product.
    pub quick: bool,
}

/// The result of a layer: rows, and files of the output folder by name.
#[derive(Debug, Default)]
pub struct Found {
    /// Its rows.
    pub rows: Vec<Row>,
    /// Its files.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A layer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, clap::ValueEnum)]
pub enum Layer {
    /// The specification, every state of small instances: safety.
    Model,
    /// The same in a network that becomes synchronous: liveness.
    Liveness,
    /// The conditions of the proofs, any number of members.
    Proofs,
    /// The production code against the model.
    Code,
    /// The committed scenarios and mutants, as they are listed.
    Listed,
    /// Instructions of the hot path.
    HotPath,
}

impl Layer {
    /// All of them, in the order of the report.
    pub const ALL: [Layer; 6] =
        [Layer::Model, Layer::Liveness, Layer::Proofs, Layer::Code, Layer::Listed, Layer::HotPath];

    /// Its name, as in `--skip`.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Model => "model",
            Layer::Liveness => "liveness",
            Layer::Proofs => "proofs",
            Layer::Code => "code",
            Layer::Listed => "listed",
            Layer::HotPath => "hot-path",
        }
    }

    /// The programs that it starts: package and name.
    pub fn programs(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Layer::Model | Layer::Liveness | Layer::Listed => &[("zus-model", "zus")],
            Layer::Proofs => &[("zus-proofs", "zus-proofs")],
            Layer::Code => &[("zus-fuzz", "zus-fuzz"), ("zus-model", "zus")],
            Layer::HotPath => &[("zus-measure", "instructions")],
        }
    }

    /// Asks it.
    ///
    /// # Errors
    /// If a program cannot be started, or the rules are none.
    pub fn ask(self, context: &Context) -> Result<Found, Failure> {
        match self {
            Layer::Model => model::safety(context),
            Layer::Liveness => model::liveness(context),
            Layer::Proofs => proofs::ask(context),
            Layer::Code => code::ask(context),
            Layer::Listed => mutants::ask(context),
            Layer::HotPath => hot_path::ask(context),
        }
    }
}

/// The run of a trace, drawn, as files of the output folder: the trace, a page, a picture, a diagram for Markdown. The name of
/// the page; none where it cannot be drawn.
fn drawn(
    context: &Context,
    trace: &Path,
    name: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Option<String> {
    let from = trace.to_str()?;
    let mut made = BTreeMap::new();
    for (format, ending) in [("html", "html"), ("svg", "svg"), ("mermaid", "mmd")] {
        let done = context.tools.run("zus", &["draw", from, "--format", format]).ok()?;
        if done.code != Some(0) {
            return None;
        }
        made.insert(format!("runs/{name}.{ending}"), done.stdout.into_bytes());
    }
    let trace = zus_output::bounded::bytes(trace, crate::report::MAX_BYTES).ok()?;
    made.insert(format!("runs/{name}.json"), trace);
    files.append(&mut made);
    Some(format!("runs/{name}.html"))
}

/// A path of this process as an argument. The folder for temporary files has a name of the system.
fn word(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
