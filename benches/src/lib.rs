//! The shared parts of the benches of [`zus_bpp`]: committees and their tickets, process time, statistics of paired
//! runs, the bars that they are held against, tables.
//!
//! The benches themselves are in `operations/`, one file an operation, with the peers in `operations/peers/`.

pub mod asked;
pub mod committee;
pub mod figures;
pub mod paired;
pub mod process_time;
