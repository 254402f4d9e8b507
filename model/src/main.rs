//! `zus`: the command line of the project.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
