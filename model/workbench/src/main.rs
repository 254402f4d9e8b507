//! `zus-workbench verify`: one command that says what a change of the protocol did in every layer.
//!
//! It starts the rooms' own programs as processes and reads their results, so it depends on the report only. Each layer makes
//! rows ([`report::Row`]); a layer that has no words for the rules says so in its row.
#![forbid(unsafe_code)]

mod arguments;
mod forms;
mod layers;
mod page;
mod report;
mod rules;
mod since;
mod tools;
mod verify;

use arguments::{Arguments, Command};
use clap::Parser;
use std::{
    io,
    process::{self, ExitCode},
};
use zus_output::plain;

/// Why the command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The rules are none.
    #[error("--rules: {0}")]
    Rules(String),
    /// There is no checkout around this folder.
    #[error("no checkout of the project is around this folder\n  fix: start the command in one")]
    NoCheckout,
    /// The programs of the rooms do not build.
    #[error("the programs of the rooms do not build: cargo ended with {0}\n  fix: see its messages above")]
    Build(process::ExitStatus),
    /// A program cannot be started.
    #[error("{0}: cannot be started: {1}\n  fix: build it, or name with --programs the folder where it is")]
    Start(String, io::Error),
    /// A program ended in a way that says nothing.
    #[error("{0}: {1}\n  fix: start it by hand")]
    Tool(String, String),
    /// A file of this process cannot be written or read.
    #[error("a temporary file: {0}\n  fix: make room in the folder for temporary files")]
    Scratch(io::Error),
    /// The output folder.
    #[error("{0}")]
    Out(io::Error),
    /// The state of before.
    #[error("--since: {0}")]
    Since(String),
    /// Standard output is closed or full.
    #[error("standard output: {0}\n  fix: make room where it goes")]
    Output(io::Error),
}

fn main() -> ExitCode {
    let Command::Verify(arguments) = Arguments::parse().command;
    match verify::run(&arguments) {
        Ok(exit) => ExitCode::from(exit),
        Err(failure) => {
            eprintln!("error: {}", plain::message(&failure.to_string()));
            ExitCode::from(2)
        }
    }
}
