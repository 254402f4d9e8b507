//! Tables of figures, for a terminal or as Markdown.

use super::TableFormat;

/// A table that is written aligned, or as Markdown.
pub(super) struct Table {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// One without rows.
    pub fn new(title: &str, columns: &[&str]) -> Table {
        let columns = columns.iter().map(|&column| column.into()).collect();
        Table { title: title.into(), columns, rows: Vec::new() }
    }

    /// In that form; a program gets it in another one.
    pub fn write(&self, format: TableFormat) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.columns[column].chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let number = |cell: &str| cell.starts_with(|c: char| c.is_ascii_digit());
        let aligned = |row: &[&str], between: &str| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(
                    |(cell, &width)| {
                        if number(cell) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                    },
                )
                .collect();
            cells.join(between)
        };
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let mut out = match format {
            TableFormat::Text | TableFormat::Json => {
                format!("{}\n{}\n", self.title, aligned(&columns, "  ").trim_end())
            }
            TableFormat::Markdown => {
                let rule: Vec<&str> = self.columns.iter().map(|_| "---").collect();
                format!("{}\n\n| {} |\n|{}|\n", self.title, self.columns.join(" | "), rule.join("|"))
            }
        };
        for row in &self.rows {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            out += &match format {
                TableFormat::Text | TableFormat::Json => format!("{}\n", aligned(&row, "  ").trim_end()),
                TableFormat::Markdown => format!("| {} |\n", row.join(" | ")),
            };
        }
        out
    }
}
