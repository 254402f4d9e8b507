//! The program, run by the tests, and the report that it should print.

use crate::ports;
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};
use zus_checker::{
    committed,
    search::{
        bfs::Limits,
        check::{Options, check},
        trial::effects,
    },
};
use zus_report::{Report, ScenarioReport};

/// The program with these arguments, in a folder.
pub fn cluster(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zus-cluster"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// Its output.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    cluster(folder, arguments).output().unwrap()
}

/// Printed bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The exit code; -1 after a signal.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// A report as text, without times, memory, and the command, which has the number of processes.
pub fn comparable(mut report: Report) -> String {
    report.command = String::new();
    (report.summary.seconds, report.summary.peak_memory) = (0.0, 0);
    for scenario in &mut report.scenarios {
        (scenario.seconds, scenario.peak_bytes) = (0.0, 0);
        for search in &mut scenario.searches {
            (search.seconds, search.peak_bytes) = (0.0, 0);
        }
    }
    report.to_json()
}

/// The report that a process printed.
pub fn printed(output: &Output) -> String {
    let report: Report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", text(&output.stdout), text(&output.stderr)));
    comparable(report)
}

/// The report of the search on threads.
pub fn of_threads(name: &str) -> String {
    let mut scenario = committed::find(name).unwrap();
    let limits = Limits::default();
    effects(&mut scenario, limits, &|_, _| {}).unwrap();
    let checked = check(&scenario, Options { limits, command: "", progress: &|_| {} });
    let mut report = Report::new(String::new());
    report.scenarios.push(ScenarioReport::new(&checked));
    report.summarize(0.0, 0);
    comparable(report)
}

/// A file of hosts with that many free ports.
pub fn hosts(folder: &Path, processes: usize) -> PathBuf {
    let ports = ports::free(processes).unwrap();
    let lines = ports.iter().map(|port| format!("127.0.0.1:{port}\n"));
    let path = folder.join("hosts.txt");
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    path
}

/// One process of a search, which was started.
pub fn process(folder: &Path, process: usize, arguments: &[&str]) -> Child {
    let number = process.to_string();
    let own = ["check", "--hosts", "hosts.txt", "--process", &number];
    let mut command = cluster(folder, &[&own[..], arguments].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}
