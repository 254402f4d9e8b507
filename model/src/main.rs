//! `zus`: the command line of the project.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    zus_output::limits::are_errors();
    cli::main()
}
