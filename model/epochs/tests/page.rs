//! Section 8 of the page (PROTOCOL.md), as tables.

use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../PROTOCOL.md");

/// The rows of the tables under a heading of section 8, as cells without code marks.
pub fn rows(heading: &str) -> Vec<Vec<String>> {
    let section =
        PAGE.split("\n## 8. ").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("section 8");
    let under = section.split(&format!("\n### {heading}\n")).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    let under = under.split("\n### ").next().unwrap_or(under);
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().strip_prefix('|').and_then(|rest| rest.strip_suffix('|')).expect("a row");
        inner.split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let lines = under.lines().filter(|line| line.starts_with("| "));
    lines.map(cells).filter(|row| !["rule", "id", "#"].contains(&&*row[0])).collect()
}

/// The ids in a cell.
pub fn ids(cell: &str) -> BTreeSet<String> {
    cell.split(", ").filter(|id| !id.is_empty()).map(str::to_owned).collect()
}
