//! The section of the page that shows the figures of other tools, and the figures that are committed with the project.

pub use super::plot::{draw, file};
use super::{Parts, html::missing};
use maud::{Markup, html};
pub use zus_output::figures::{FORMAT, Figures, MAX_BYTES, MAX_SERIES, Plot, Series, Table, VERSION, Value};
use zus_output::plain::grouped;

/// File name below `model/figures`, and text.
static COMMITTED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/figures.rs"));

/// The figures that were measured last, file by file: path and what it says, or why it cannot be read.
pub fn committed() -> impl Iterator<Item = (String, Result<Figures, String>)> {
    COMMITTED.iter().map(|(name, text)| (format!("model/figures/{name}"), Figures::parse(text)))
}

/// The section of the page: what this run was given, then what is committed with the project.
pub(super) fn section(parts: &Parts) -> Markup {
    let given = |title: &str| parts.figures.iter().any(|f| f.title == title);
    let committed = parts.committed.iter().filter(|f| !given(&f.title));
    let all: Vec<_> = parts.figures.iter().map(|f| (f, false)).chain(committed.map(|f| (f, true))).collect();
    html! {
        section id="figures" {
            h2 { "Figures" }
            @if all.is_empty() {
                (missing("zus search-speed --quick --format json > speed.json && zus report DIR --reuse --figures speed.json"))
            } @else {
                p.hint { "What other tools measured: benches, fuzzing, growth. Under each is the command that makes it again." }
                nav.contents { @for (at, (figures, _)) in all.iter().enumerate() { a href={ "#figures-" (at) } { (figures.title) } } }
            }
            @for (at, (figures, committed)) in all.iter().enumerate() {
                h3 id={ "figures-" (at) } { (figures.title) }
                (one(figures, *committed))
            }
        }
    }
}

/// The figures of one command.
fn one(figures: &Figures, committed: bool) -> Markup {
    html! {
        p.hint {
            "made by " code { (figures.command) }
            @if committed { " · " strong { "measured before, not in this run" } }
            @for label in [&figures.date, &figures.machine].into_iter().filter(|l| !l.is_empty()) { " · " (label) }
            @for note in &figures.notes { " · " (note) }
        }
        @if !figures.attention.is_empty() {
            ul.attention { @for line in &figures.attention { li { (line) } } }
        }
        @if !figures.values.is_empty() { (values(&figures.values)) }
        div.plots {
            @for plot in &figures.plots {
                figure { figcaption { (plot.title) (again(&plot.command, &figures.command)) } (draw(plot)) }
            }
        }
        @for table in &figures.tables {
            div.wide {
                table {
                    caption {
                        (table.title) (again(&table.command, &figures.command))
                        @for note in &table.notes { " " small { (note) } }
                    }
                    thead { tr { @for (at, column) in table.columns.iter().enumerate() {
                        th.number[is_number(table, at)] scope="col" { (column) }
                    } } }
                    tbody { @for row in &table.rows { tr { @for (at, cell) in row.iter().enumerate() {
                        td.number[is_number(table, at)] { (cell) }
                    } } } }
                }
            }
        }
    }
}

/// The command of a part, where it is not that of the whole.
fn again(command: &str, whole: &str) -> Markup {
    html! { @if !command.is_empty() && command != whole { " " code { (command) } } }
}

/// Whether a column is one of numbers, and stands to the right.
fn is_number(table: &Table, column: usize) -> bool {
    let mut cells = table.rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
    let number = |cell: &String| {
        cell.starts_with(|c: char| c.is_ascii_digit() || "+-<>".contains(c))
            && cell.contains(|c: char| c.is_ascii_digit())
    };
    cells.clone().next().is_some() && cells.all(number)
}

fn values(values: &[Value]) -> Markup {
    html! {
        div.wide {
            table {
                thead { tr { th scope="col" { "of" } th.number scope="col" { "value" } th scope="col" { "unit" }
                    th.number scope="col" { "baseline" } th.number scope="col" { "change" } } }
                tbody {
                    @for v in values {
                        tr.odd[v.moved(v.before)] {
                            th scope="row" { (v.name) } td.number { (exact(v.value)) } td { (v.unit) }
                            td.number { @if let Some(before) = v.before { (exact(before)) } }
                            td.number { @if let Some(before) = v.before { (change(before, v.value)) } }
                        }
                    }
                }
            }
        }
    }
}

/// A number with its thousands apart, and with two digits behind the point where it is no whole one.
pub fn exact(value: f64) -> String {
    if value.fract() == 0.0 && value < 1e15 { grouped(value as u64) } else { format!("{value:.2}") }
}

/// By how much a number moved, in percent.
pub fn change(before: f64, after: f64) -> String {
    if before == 0.0 { "new".into() } else { format!("{:+.2} %", (after / before - 1.0) * 100.0) }
}
