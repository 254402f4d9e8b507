//! `zus-cluster`: the explicit search of the checker on several processes, as a timely dataflow program.
//!
//! The states of one layer, those at one distance from the start, are one timestamp. The processes own the states by fingerprint
//! ([`search`], [`owner`]), and each layer is on disk before the next one begins ([`layers`]). The report is the one of `zus check`.
#![forbid(unsafe_code)]

mod arguments;
mod board;
mod end;
mod hosts;
mod layers;
mod local;
mod measure;
mod meet;
mod owner;
mod packet;
mod ports;
mod prints;
mod program;
mod record;
mod runs;
mod search;

use arguments::{Cli, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    zus_output::limits::are_errors();
    let cli = Cli::parse();
    let command = program::command_line(std::env::args().skip(1));
    let result = match &cli.command {
        Command::Check(args) => program::run(args, &command),
        Command::Local(args) => local::run(args),
    };
    match result {
        Ok(code) => ExitCode::from(code as u8),
        Err(failure) => {
            program::note(&format!("error: {failure}"));
            ExitCode::from(end::BAD_INPUT as u8)
        }
    }
}
