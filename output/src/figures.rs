//! Tables, plots and numbers of the tools (benches, fuzzing, growth of the search) in one small format, which the page of the report
//! reads.
//!
//! ```json
//! {
//!   "format": "zus-figures", "version": 1,
//!   "title": "Ticket aggregation beside its peers",
//!   "command": "cargo bench -p zus-benches -- ratios",
//!   "machine": "2 cores, AVX-512", "date": "2026-11-25",
//!   "notes": ["in turns, median of 30"],
//!   "attention": ["n = 4: slower than the peer"],
//!   "values": [{ "name": "n = 64", "unit": "tickets/s", "value": 21000, "before": 20950, "tolerance_percent": 5 }],
//!   "tables": [{ "title": "n = 64", "columns": ["who", "tickets/s"], "rows": [["ours", "21,000"]] }],
//!   "plots": [{
//!     "title": "tickets a second as the committee grows", "x": "n", "y": "tickets/s", "log_x": true, "log_y": true,
//!     "series": [{ "name": "ours", "points": [[4, 9000], [64, 21000]] }]
//!   }]
//! }
//! ```
//!
//! `command` makes the numbers again; a table or plot that another command makes has a `command` of its own. `machine` and
//! `date` say where and when it was measured. `attention` is what a reader must not miss, e.g. a mutant that survives: it
//! is marked on the page, and stands in the summary of a pull request. `values` are compared with `before`, or with an
//! earlier file of the same title: what moved by more than `tolerance_percent` stands in the summary, too. Needed are
//! `format`, `version`, `title`, `command`, and one of `values`, `tables` and `plots`.

use serde::{Deserialize, Serialize};

/// The name of the format.
pub const FORMAT: &str = "zus-figures";
/// Its version.
pub const VERSION: u32 = 1;
/// Bytes of a file.
pub const MAX_BYTES: u64 = 8 << 20;
/// Series of a plot, each with a colour of its own.
pub const MAX_SERIES: usize = 8;
/// Rows of a table, values of a file, points of a line.
pub const MAX_ROWS: usize = 2_000;
/// Columns of a table.
pub const MAX_COLUMNS: usize = 64;

/// The measurements of one command.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The subject; of two files with one title the later one counts.
    pub title: String,
    /// The command that makes it again.
    pub command: String,
    /// Where it was measured: processor, cores.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub machine: String,
    /// When it was measured: year-month-day.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub date: String,
    /// Notes that a reader needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Lines that a reader must not miss.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attention: Vec<String>,
    /// Numbers to be compared with earlier ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// Tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<Table>,
    /// Plots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plots: Vec<Plot>,
}

/// A number to be compared with an earlier one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// The number.
    pub value: f64,
    /// As it was in the committed baseline of the tool, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// By how much, in percent of the earlier number, it may move without a word.
    #[serde(default)]
    pub tolerance_percent: f64,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its title.
    pub title: String,
    /// The command that makes it again, where it is another one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// Notes that a reader needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The heads of the columns.
    pub columns: Vec<String>,
    /// The cells, row by row: as many as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// A plot of lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Plot {
    /// Its title.
    pub title: String,
    /// The command that makes it again, where it is another one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// The horizontal axis, with its unit.
    pub x: String,
    /// The vertical axis, with its unit.
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

impl Figures {
    /// Nothing yet, measured here and now.
    pub fn new(title: &str, command: &str) -> Figures {
        let (format, title, command) = (FORMAT.into(), title.into(), command.into());
        Figures {
            format,
            version: VERSION,
            title,
            command,
            machine: machine(),
            date: today(),
            ..Figures::default()
        }
    }

    /// Reads a file's text.
    pub fn parse(text: &str) -> Result<Figures, String> {
        let figures: Figures = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if figures.format != FORMAT || figures.version != VERSION {
            return Err(format!(
                "this is {:?}, version {}, not {FORMAT:?}, version {VERSION}",
                figures.format, figures.version
            ));
        }
        figures.check()?;
        Ok(figures)
    }

    /// Whether a page can show it.
    fn check(&self) -> Result<(), String> {
        if self.title.trim().is_empty() || self.command.trim().is_empty() {
            return Err("`title` and `command` say what it is and how it is made again; one is empty".into());
        }
        if self.values.is_empty() && self.tables.is_empty() && self.plots.is_empty() {
            return Err("there is no value, table or plot, so nothing would be shown".into());
        }
        if self.values.len() > MAX_ROWS {
            return Err(format!("{} values; at most {MAX_ROWS}", self.values.len()));
        }
        for value in &self.values {
            let fine = |number: f64| number.is_finite() && number >= 0.0;
            if !fine(value.value) || !value.before.is_none_or(fine) || !fine(value.tolerance_percent) {
                return Err(format!("value {:?}: numbers are finite and not below zero", value.name));
            }
        }
        for Table { title, columns, rows, .. } in &self.tables {
            if columns.len() > MAX_COLUMNS || rows.len() > MAX_ROWS {
                return Err(format!("table {title:?}: at most {MAX_ROWS} rows of {MAX_COLUMNS} columns"));
            }
            if let Some(row) = rows.iter().position(|row| row.len() != columns.len()) {
                let (cells, columns) = (rows[row].len(), columns.len());
                return Err(format!("table {title:?}, row {}: {cells} cells, {columns} columns", row + 1));
            }
        }
        for Plot { title, series, .. } in &self.plots {
            if series.is_empty() || series.len() > MAX_SERIES {
                return Err(format!("plot {title:?}: {} series, not 1 to {MAX_SERIES}", series.len()));
            }
            if series.iter().any(|s| s.points.len() > MAX_ROWS) {
                return Err(format!("plot {title:?}: a line has at most {MAX_ROWS} points"));
            }
        }
        Ok(())
    }
}

/// The machine that a measurement depends on: cores, kind of processor, and the vector instructions that it has.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cores = if cores == 1 { "1 core".into() } else { format!("{cores} cores") };
    format!("{cores}, {}{}", std::env::consts::ARCH, vectors())
}

#[cfg(target_arch = "x86_64")]
fn vectors() -> String {
    let known = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512ifma", is_x86_feature_detected!("avx512ifma")),
    ];
    known.iter().filter(|(_, present)| *present).map(|(name, _)| format!(" {name}")).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> String {
    String::new()
}

/// The day by the clock of this machine, as year-month-day.
fn today() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    day(since.as_secs() / 86_400)
}

/// A day counted from 1970-01-01, in the Gregorian calendar.
fn day(mut days: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days + 1)
}

impl Value {
    /// Whether it is further from an earlier number than it may be.
    pub fn moved(&self, earlier: Option<f64>) -> bool {
        earlier.is_some_and(|earlier| (self.value - earlier).abs() * 100.0 > earlier * self.tolerance_percent)
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, day};

    #[test]
    fn days_have_their_dates() {
        for (days, date) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_782, "2026-11-25"),
        ] {
            assert_eq!(day(days), date);
        }
    }

    #[test]
    fn a_value_may_move_as_far_as_it_says() {
        let value =
            |value| Value { name: "n".into(), unit: "u".into(), value, before: None, tolerance_percent: 5.0 };
        assert!(
            !value(105.0).moved(Some(100.0)) && !value(95.0).moved(Some(100.0)) && !value(7.0).moved(None)
        );
        assert!(
            value(105.1).moved(Some(100.0)) && value(94.9).moved(Some(100.0)) && value(1.0).moved(Some(0.0))
        );
    }
}
