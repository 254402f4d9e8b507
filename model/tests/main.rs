//! The tests of the command line, of the scenarios, of what the project promises of its texts, and of its pages.
//!
//! One program: each links everything, and that takes longer than most of its tests.

mod architecture;
mod browser;
mod cli;
mod determinism;
mod documents;
mod draw;
mod engines;
mod epochs;
mod expectations;
mod explore;
mod forms;
mod long_runs;
mod mermaid;
mod messages;
mod mutants;
mod output;
mod pinned_counts;
mod program;
mod protocol_page;
mod quorums;
mod readme;
mod reductions;
mod report_page;
mod reports;
mod scenarios;
mod settings;
mod shell;
mod specification;
mod stateright;
mod strangers;
mod summary;
mod trace;
mod trace_settings;
