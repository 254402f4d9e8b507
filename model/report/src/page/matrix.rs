//! The safety matrix: profiles, and `hardened` with one rule changed, against faults and network.
//!
//! Each cell is a scenario file of its own that expects every property to hold, so `zus check` makes it again. A cell
//! is explored in two goes: a short one, which finds what breaks early, and, where nothing broke, a long one.

use serde::{Deserialize, Serialize};
use zus_checker::{
    properties::Property,
    rules::{Rules, SubroundCapRule},
    scenario::{Change, Scenario, ScenarioError, parse_with},
    search::{
        bfs::Limits,
        check::{Checked, Options, check},
    },
};

/// Unique states of the first go.
const FIRST_GO: u64 = 60_000;

/// A row: its name, the profile, and the rule that differs from it, or the mistake.
const ROWS: [(&str, &str, &str); 15] = [
    ("documented", "documented", ""),
    ("deployed", "deployed", ""),
    ("hardened", "hardened", ""),
    ("beacon-chained", "hardened", "beacon = \"Chained\""),
    ("ticket-better-rank", "hardened", "ticket = \"BetterRank\""),
    ("ticket-better-or-equal-rank", "hardened", "ticket = \"BetterOrEqualRank\""),
    ("subround-entry-local", "hardened", "subround_entry = \"Local\""),
    ("subround-switch-first-arrival", "hardened", "subround_switch = \"FirstArrival\""),
    ("finality-two-thirds", "hardened", "finality = \"TwoThirds\""),
    ("finality-common-ancestor-1", "hardened", "finality = { CommonAncestor = { depth = 1 } }"),
    ("finality-two-delta", "hardened", "finality = \"TwoDelta\""),
    ("ticket-log-volatile", "hardened", "ticket_log = \"Volatile\""),
    ("echo-none", "hardened", "echo = \"None\""),
    ("quorum-one-less", "hardened", "fault = \"QuorumOneLess\""),
    ("votes-after-other-ticket", "hardened", "fault = \"VotesAfterOtherTicket\""),
];

/// A column: its name, what it says, its part of the scenario, and whether liveness is asked.
const COLUMNS: [(&str, &str, &str, bool); 6] = [
    (
        "async",
        "no fault, async",
        "byzantine = 0\nrounds = 2\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"honest\", \"honest\"], [\"honest\"]]\n",
        false,
    ),
    (
        "byzantine-async",
        "f Byzantine, async",
        "byzantine = 1\nrounds = 2\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]\n",
        false,
    ),
    (
        "restart-async",
        "f Byzantine, 1 restart, async",
        "byzantine = 1\nrestarts = 1\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]\n",
        false,
    ),
    (
        "too-many-async",
        "f + 1 Byzantine, async",
        "byzantine = 2\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]\n",
        false,
    ),
    (
        "partially-synchronous",
        "no fault, partially synchronous",
        "byzantine = 0\nrounds = 2\nsubrounds = 3\nnetwork = \"partially_synchronous\"\ngenerators = [[\"honest\"]]\n",
        true,
    ),
    (
        "byzantine-partially-synchronous",
        "f Byzantine, partially synchronous",
        "byzantine = 1\nrounds = 2\nsubrounds = 3\nnetwork = \"partially_synchronous\"\n\
         generators = [[\"byzantine\", \"honest\"], [\"byzantine\", \"honest\"], [\"honest\"]]\n\n\
         [[order]]\nround = 2\nsubround = 0\nranks = [\"honest\"]\n",
        true,
    ),
];

/// A cell of the matrix.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// The row: the profile and the rule that differs, as in a scenario file.
    pub row: String,
    /// The column: faults and network.
    pub column: String,
    /// The name of its scenario.
    pub scenario: String,
    /// The text of its scenario file.
    pub text: String,
}

/// All cells, row by row.
pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::with_capacity(ROWS.len() * COLUMNS.len());
    for (name, profile, rules) in ROWS {
        for (fault, column, instance, live) in COLUMNS {
            let row = if rules.is_empty() { profile.to_owned() } else { format!("{profile}, {rules}") };
            let meant = meant(profile, rules);
            let asked = Property::ALL.iter().filter(|p| {
                // No observer has a head, no member is exposed, and in one round every block extends genesis.
                let judged = !matches!(**p, Property::S7 | Property::S11)
                    && (**p != Property::S3 || !instance.contains("rounds = 1\n"));
                let safety = !p.is_witness() && !p.is_liveness() && judged;
                (safety && !(meant.ticket.allows_anything() && **p == Property::S1))
                    || (live && p.is_liveness())
            });
            let expect: String = asked.map(|p| format!("{} = \"holds\"\n", p.id())).collect();
            let (mistake, rules) = match rules {
                "" => (String::new(), String::new()),
                fault if fault.starts_with("fault") => (format!("{fault}\n"), String::new()),
                rules => (String::new(), format!("\n[rules]\n{rules}\n")),
            };
            // With capped subrounds a third list would never be read, and the second one would repeat the first.
            let later = ", [\"byzantine\", \"honest\"], [\"honest\"]]\n\n";
            let instance = match meant.subround_cap {
                SubroundCapRule::CappedAtOne => instance.replace(later, "]\n\n"),
                SubroundCapRule::Unbounded => instance.to_owned(),
            };
            let text = format!(
                "question = \"{row}: what holds with {column}?\"\nprofile = \"{profile}\"\nn = 4\n{mistake}{instance}{rules}\n[expect]\n{expect}",
                row = row.replace('"', "'"),
            );
            cells.push(Cell { row, column: column.into(), scenario: format!("{name}-{fault}"), text });
        }
    }
    cells
}

/// The rules that a row means: those of a profile, with the changes that it writes.
fn meant(profile: &str, changes: &str) -> Rules {
    let written = || {
        let mut rules = toml::Table::try_from(Rules::profile(profile)?).ok()?;
        let changes = changes.parse::<toml::Table>().ok()?.into_iter();
        rules.extend(changes.filter(|(rule, _)| rule != "fault"));
        rules.try_into().ok()
    };
    written().expect("a row has a profile and rules that exist")
}

/// The columns, from left to right.
pub fn columns() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|column| column.1)
}

impl Cell {
    /// Its scenario; `path` is where its file is. A rule that changes nothing in a column is judged there all the same: the
    /// whole row is of one rule.
    pub fn scenario(&self, path: &str) -> Result<Scenario, ScenarioError> {
        parse_with(&self.scenario, path, &self.text, &Change { lenient: true, ..Change::default() })
    }
}

/// Explores a cell.
pub fn explore(scenario: &Scenario, options: Options<'_>) -> Checked {
    let first = Limits { states: options.limits.states.min(FIRST_GO), ..options.limits };
    let checked = check(scenario, Options { limits: first, ..options });
    let broken = checked.findings.iter().any(|f| f.trace.is_some());
    let whole =
        checked.findings.iter().all(|f| f.standing != zus_checker::search::check::Standing::Incomplete);
    if broken || whole || options.limits.states <= FIRST_GO { checked } else { check(scenario, options) }
}
