//! `zus-fuzz`: see [`zus_fuzz::cli`].

fn main() -> std::process::ExitCode {
    zus_fuzz::cli::main()
}
