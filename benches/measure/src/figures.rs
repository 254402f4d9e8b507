//! The tables of ratios and the growth as the figures that `zus report --figures FILE` shows.

use zus_output::figures::{FORMAT, Figures, Plot, Series, Table, VERSION};

use crate::paired::Spread;
use crate::required::{Comparison, Measured};

/// A median and its spread, as the tables show them.
#[must_use]
pub fn show(spread: Option<Spread>) -> String {
    spread.map_or_else(String::new, |s| format!("{:.2} ({:.2} to {:.2})", s.median, s.low, s.high))
}

/// Tickets a second at a median time of one job of `n`.
#[must_use]
pub fn tickets_a_second(n: usize, milliseconds: Option<Spread>) -> String {
    milliseconds.map_or_else(String::new, |spread| format!("{:.0}", n as f64 / spread.median * 1e3))
}

/// The heads of the columns of a table of ratios.
#[must_use]
pub fn columns(measured: &Measured) -> Vec<String> {
    let first = format!("n = {}, {} invalid", measured.n, measured.invalid);
    vec![first, "ms".into(), "tickets a second".into(), "times ours".into(), "times ours, portable".into()]
}

/// Its rows, in the order of the cases.
#[must_use]
pub fn rows(measured: &Measured) -> Vec<Vec<String>> {
    let times = &measured.times;
    let row = |name: &String| {
        let (ours, portable) = (times.ratio(name, "ours"), times.ratio(name, "ours, portable"));
        let rate = tickets_a_second(measured.n, times.milliseconds(name));
        vec![name.clone(), show(times.milliseconds(name)), rate, show(ours), show(portable)]
    };
    times.names().iter().map(row).collect()
}

/// The rows of the table of the required ratios.
#[must_use]
pub fn comparison_rows(comparisons: &[Comparison]) -> Vec<Vec<String>> {
    let row = |comparison: &Comparison| {
        let ok = match (comparison.measured, comparison.ok) {
            (None, _) => "not measured",
            (Some(_), true) => "ok",
            (Some(_), false) => "MISSED",
        };
        vec![comparison.ratio.clone(), comparison.required.clone(), show(comparison.measured), ok.into()]
    };
    comparisons.iter().map(row).collect()
}

/// The heads of its columns.
pub const COMPARISON_COLUMNS: [&str; 4] = ["ratio", "required", "measured", "ok"];

/// A table in Markdown.
#[must_use]
pub fn markdown(columns: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = format!("|{}\n", "---|".repeat(columns.len()));
    line(columns) + &rule + &rows.iter().map(|row| line(row)).collect::<String>()
}

/// The plot of the growth.
#[must_use]
pub fn plot(growth: &[Series]) -> Plot {
    Plot {
        title: "tickets a second as the committee grows, all valid".into(),
        x: "committee size n".into(),
        y: "tickets a second".into(),
        log_x: true,
        log_y: true,
        series: growth.to_vec(),
        ..Plot::default()
    }
}

/// Everything that one run measured, in the format of `zus report --figures`.
#[must_use]
pub fn figures(
    command: &str,
    notes: Vec<String>,
    all: &[Measured],
    comparisons: &[Comparison],
    growth: &[Series],
) -> Figures {
    let mut tables: Vec<Table> = all
        .iter()
        .map(|measured| Table {
            title: format!("n = {}, {} invalid", measured.n, measured.invalid),
            columns: columns(measured),
            rows: rows(measured),
            ..Table::default()
        })
        .collect();
    if !comparisons.is_empty() {
        tables.push(Table {
            title: "required and measured".into(),
            columns: COMPARISON_COLUMNS.map(String::from).to_vec(),
            rows: comparison_rows(comparisons),
            ..Table::default()
        });
    }
    Figures {
        format: FORMAT.into(),
        version: VERSION,
        title: "Ticket aggregation beside its peers".into(),
        command: command.into(),
        notes,
        tables,
        plots: if growth.is_empty() { Vec::new() } else { vec![plot(growth)] },
        ..Figures::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use zus_report::page::figures::{draw, file};

    use super::*;
    use crate::paired::Times;
    use crate::required::compare;

    #[test]
    fn the_report_reads_what_is_written_and_draws_it() {
        let names = vec!["ours".to_owned(), "ours, portable".into(), "commonware".into()];
        let round = [10, 20, 100].map(Duration::from_millis).to_vec();
        let all = [Measured { n: 100, invalid: 1, times: Times::of(names, vec![round; 3]) }];
        let comparisons = compare(&all, true, 1.0);
        let growth = [Series { name: "ours".into(), points: vec![(4.0, 4900.0), (64.0, 60000.0)] }];
        let figures = figures("cargo bench", vec!["a note".into()], &all, &comparisons, &growth);
        let text = serde_json::to_string_pretty(&figures).unwrap();
        let read = Figures::parse(&text).unwrap();
        assert_eq!(read, figures);
        assert_eq!(read.tables.len(), 2);
        assert_eq!(
            read.tables[0].rows[2],
            [
                "commonware",
                "100.00 (100.00 to 100.00)",
                "1000",
                "10.00 (10.00 to 10.00)",
                "5.00 (5.00 to 5.00)"
            ]
        );
        assert!(
            read.tables.iter().all(|table| table.rows.iter().all(|row| row.len() == table.columns.len()))
        );
        assert!(draw(&read.plots[0]).into_string().contains("<polyline"));
        let other = text.replace(FORMAT, "another-format");
        assert!(Figures::parse(&other).is_err(), "negative control");
        assert!(
            markdown(&["a".into(), "b".into()], &[vec!["1".into(), "2".into()]])
                .ends_with("|---|---|\n| 1 | 2 |\n")
        );
    }

    /// The picture of README.md shows the numbers of the table below it.
    #[test]
    fn the_committed_plot_is_that_of_the_committed_table() {
        let readme = include_str!("../../README.md");
        let (_, table) = readme.split_once("| tickets a second, n |").unwrap();
        let cells =
            |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).filter(|c| !c.is_empty()).collect();
        let mut rows = table.lines();
        let names: Vec<String> = cells(rows.next().unwrap());
        let numbers: Vec<Vec<String>> =
            rows.skip(1).take_while(|row| row.starts_with('|')).map(cells).collect();
        let number = |cell: &String| cell.parse().unwrap();
        let series = names.iter().enumerate().map(|(at, name)| Series {
            name: name.clone(),
            points: numbers.iter().map(|row| (number(&row[0]), number(&row[at + 1]))).collect(),
        });
        let drawn = file(&plot(&series.collect::<Vec<_>>()));
        if let Some(path) = std::env::var_os("ZUS_GROWTH_SVG") {
            zus_output::whole::write(&path, &drawn).unwrap();
        }
        assert_eq!(drawn, include_str!("../../growth.svg"), "ZUS_GROWTH_SVG=growth.svg writes it again");
    }
}
