//! `zus-proofs`: proves the specification, explains failures, searches runs. See `zus-proofs --help`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    zus_output::limits::are_errors();
    zus_proofs::cli::run()
}
