//! The miner step by step, with the other miners played by hand; and deliberate bugs, each of which something must notice.

mod mutants;
mod stage;
mod steps;
