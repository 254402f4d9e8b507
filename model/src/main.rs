//! `zus`: the command line of the project.
fn main() {}
