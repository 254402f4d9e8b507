//! Tables and plots of other tools (benches, fuzzing, growth of the search) in one small format, so that the page does
//! not have to know them.
//!
//! ```json
//! {
//!   "format": "zus-figures", "version": 1,
//!   "title": "Ticket aggregation beside its peers",
//!   "command": "cargo bench -p zus-benches",
//!   "notes": ["two cores, AVX-512"],
//!   "tables": [{ "title": "n = 64", "columns": ["who", "tickets/s"], "rows": [["ours", "21,000"]] }],
//!   "plots": [{
//!     "title": "tickets a second as the committee grows", "x": "n", "y": "tickets/s", "log_x": true, "log_y": true,
//!     "series": [{ "name": "ours", "points": [[4, 9000], [64, 21000]] }]
//!   }]
//! }
//! ```
//!
//! `command` makes the numbers again. `notes`, `tables`, `plots` and the two `log_` fields may be missing.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

/// The name of the format.
pub const FORMAT: &str = "zus-figures";
/// Its version.
pub const VERSION: u32 = 1;
/// Bytes of a file.
pub const MAX_BYTES: u64 = 8 << 20;
/// Series of a plot that are told apart.
const MAX_SERIES: usize = 8;

/// What one command measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// What it is about.
    pub title: String,
    /// The command that makes it again.
    pub command: String,
    /// What one has to know to read it.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Tables.
    #[serde(default)]
    pub tables: Vec<Table>,
    /// Plots.
    #[serde(default)]
    pub plots: Vec<Plot>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What it is.
    pub title: String,
    /// The heads of the columns.
    pub columns: Vec<String>,
    /// The cells, row by row.
    pub rows: Vec<Vec<String>>,
}

/// A plot of lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plot {
    /// What it is.
    pub title: String,
    /// What is on the horizontal axis, with its unit.
    pub x: String,
    /// What is on the vertical axis, with its unit.
    pub y: String,
    /// Whether the horizontal axis is logarithmic.
    #[serde(default)]
    pub log_x: bool,
    /// Whether the vertical axis is logarithmic.
    #[serde(default)]
    pub log_y: bool,
    /// The lines.
    pub series: Vec<Series>,
}

/// A line of a plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// What it is of.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

impl Figures {
    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Figures, String> {
        let figures: Figures = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if figures.format != FORMAT || figures.version != VERSION {
            return Err(format!(
                "this is {:?}, version {}, not {FORMAT:?}, version {VERSION}",
                figures.format, figures.version
            ));
        }
        Ok(figures)
    }
}

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 44.0;

/// An axis: from values to pixels.
struct Axis {
    low: f64,
    high: f64,
    log: bool,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64>, log: bool, from: f64, to: f64) -> Axis {
        let usable = |v: &f64| v.is_finite() && (!log || *v > 0.0);
        let scale = |v: f64| if log { v.log10() } else { v };
        let (mut low, mut high) = values
            .filter(usable)
            .map(scale)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if log {
            (low, high) = (low.floor(), high.ceil());
        } else {
            low = low.min(0.0);
        }
        if !low.is_finite() || !high.is_finite() || high <= low {
            (low, high) = (0.0, 1.0);
        }
        Axis { low, high, log, from, to }
    }

    fn at(&self, value: f64) -> Option<f64> {
        let v = if self.log { value.log10() } else { value };
        let place = self.from + (v - self.low) / (self.high - self.low) * (self.to - self.from);
        place.is_finite().then_some(place)
    }

    fn ticks(&self) -> Vec<f64> {
        if self.log {
            let step = (((self.high - self.low) / 6.0).ceil() as i64).max(1);
            (self.low as i64..=self.high as i64)
                .step_by(step as usize)
                .map(|e| 10f64.powi(e as i32))
                .collect()
        } else {
            let rough = (self.high - self.low) / 5.0;
            let power = 10f64.powf(rough.log10().floor());
            let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&s| s >= rough);
            let step = step.unwrap_or(rough);
            let first = (self.low / step).ceil();
            (0..=6).map(|i| (first + f64::from(i)) * step).filter(|&v| v <= self.high).collect()
        }
    }
}

fn number(value: f64) -> String {
    let a = value.abs();
    if a >= 1e9 {
        format!("{:.1}G", value / 1e9)
    } else if a >= 1e6 {
        format!("{:.1}M", value / 1e6)
    } else if a >= 1e4 {
        format!("{:.0}k", value / 1e3)
    } else if a >= 10.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// The plot as SVG.
pub fn draw(plot: &Plot) -> Markup {
    let points = || plot.series.iter().take(MAX_SERIES).flat_map(|s| s.points.iter());
    let x = Axis::new(points().map(|p| p.0), plot.log_x, LEFT, WIDTH - RIGHT);
    let y = Axis::new(points().map(|p| p.1), plot.log_y, HEIGHT - BOTTOM, TOP);
    html! {
        svg.plot width=(WIDTH) height=(HEIGHT) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(plot.title) {
            @for value in x.ticks() {
                @if let Some(at) = x.at(value) {
                    line.grid x1=(at) x2=(at) y1=(TOP) y2=(HEIGHT - BOTTOM) {}
                    text x=(at) y=(HEIGHT - BOTTOM + 16.0) text-anchor="middle" { (number(value)) }
                }
            }
            @for value in y.ticks() {
                @if let Some(at) = y.at(value) {
                    line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(at) y2=(at) {}
                    text x=(LEFT - 6.0) y=(at + 4.0) text-anchor="end" { (number(value)) }
                }
            }
            text x=((LEFT + WIDTH - RIGHT) / 2.0) y=(HEIGHT - 8.0) text-anchor="middle" { (plot.x) }
            text x="12" y=(HEIGHT / 2.0) text-anchor="middle" transform={ "rotate(-90 12 " (HEIGHT / 2.0) ")" } { (plot.y) }
            @for (index, series) in plot.series.iter().take(MAX_SERIES).enumerate() {
                @let placed: Vec<(f64, f64)> = series.points.iter().filter_map(|p| Some((x.at(p.0)?, y.at(p.1)?))).collect();
                @let line: Vec<String> = placed.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                g class={ "series s" (index) } {
                    polyline points=(line.join(" ")) {}
                    @for (px, py) in &placed { circle cx={ (format!("{px:.1}")) } cy={ (format!("{py:.1}")) } r="2.6" {} }
                    @if let Some((_, py)) = placed.last() {
                        text x=(WIDTH - RIGHT + 8.0) y={ (format!("{:.1}", py + 4.0)) } { (series.name) }
                    }
                }
            }
        }
    }
}
