//! Everything that was checked, on one page: the safety matrix, scenarios, mutants, the ledger of properties, figures of
//! other tools. Runs open in the viewer of `draw/`. The page needs no network and no other file.

pub mod figures;
mod html;
pub mod ledger;
pub mod matrix;
mod plot;

use super::{Report, RunReport, mermaid};
use crate::draw::{page as drawn, scene::embedded, staging, svg};
use figures::Figures;
use ledger::Ledger;
use maud::{Markup, html};
use std::{collections::BTreeMap, path::PathBuf};
use zus_checker::trace::Trace;

/// How the report looks.
const REPORT_CSS: &str = include_str!("assets/report.css");
/// Opens runs.
const REPORT_JS: &str = include_str!("assets/report.js");

/// One of the three things that `zus check` is asked for.
#[derive(Clone, Debug)]
pub struct Part {
    /// The report.
    pub report: Report,
    /// Where its traces are.
    pub traces: PathBuf,
    /// The command that makes it again.
    pub command: String,
}

/// The inputs of the page. The page names a missing input, with the command that makes it.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// The command that made the page.
    pub command: String,
    /// The safety matrix.
    pub matrix: Option<(Part, Vec<matrix::Cell>)>,
    /// The committed scenarios.
    pub check: Option<Part>,
    /// The mutants.
    pub mutants: Option<Part>,
    /// The evidence for each property.
    pub ledger: Option<Ledger>,
    /// Tables and plots of other tools.
    pub figures: Vec<Figures>,
    /// Those that are committed with the project; of one title, [`Parts::figures`] count.
    pub committed: Vec<Figures>,
}

/// The runs of the page, each under the id by which it is opened.
#[derive(Default)]
struct Runs {
    /// The embedded runs.
    data: Vec<(String, String)>,
    /// Their drawings.
    drawings: Vec<Markup>,
    /// Id by trace file.
    ids: BTreeMap<PathBuf, String>,
}

impl Runs {
    /// Takes up the run of a report, if its trace is there and can be drawn.
    fn add(&mut self, part: &Part, run: &RunReport) -> Option<String> {
        let name = PathBuf::from(run.trace.as_ref()?);
        let path = part.traces.join(name.file_name()?);
        if let Some(id) = self.ids.get(&path) {
            return Some(id.clone());
        }
        let trace = Trace::load(&path).ok()?;
        let scene = staging::stage(&trace).ok()?;
        let diagram = mermaid::diagram(&RunReport::drawn(&trace, Some(&scene)));
        let id = format!("run-{}", self.data.len() + 1);
        self.drawings.push(html! { template id={ (id) "-drawing" } { (svg::parts(&scene)) } });
        self.data.push((id.clone(), embedded(&(scene, diagram))));
        self.ids.insert(path, id.clone());
        Some(id)
    }
}

/// The page.
pub fn write(parts: &Parts) -> String {
    let mut runs = Runs::default();
    let body = html::body(parts, &mut runs);
    let body = html! { (body) @for drawing in &runs.drawings { (drawing) } };
    let data: Vec<(&str, String)> = runs.data.iter().map(|(id, json)| (id.as_str(), json.clone())).collect();
    drawn::page(
        "Züs block production: what was checked",
        drawn::POLICY,
        &[drawn::PAGE_CSS, REPORT_CSS, plot::PLOT_CSS],
        &body,
        &data,
        &[drawn::VIEWER_JS, REPORT_JS],
    )
}
