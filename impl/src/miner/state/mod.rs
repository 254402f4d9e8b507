//! What a miner holds: the messages collected in each round, what it has signed, what is on its way to the disk, evidence.

pub mod evidence;
pub mod ledger;
pub mod rounds;
pub mod signing;
