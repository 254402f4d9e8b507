//! The memory of a miner: the messages collected in each round, its signed statements, writes on their way to the disk, evidence.

pub mod evidence;
pub mod ledger;
pub mod rounds;
pub mod signing;
