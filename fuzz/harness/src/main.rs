//! `zus-fuzz`: see [`zus_fuzz::cli`].

use zus_fuzz::targets::allocation::Counting;

/// For the bound on memory of `soak`.
#[global_allocator]
static COUNTING: Counting = Counting;

fn main() -> std::process::ExitCode {
    zus_output::limits::are_errors();
    zus_fuzz::cli::main()
}
