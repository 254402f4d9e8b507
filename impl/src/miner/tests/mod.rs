//! The miner step by step, with the other miners played by hand; and deliberate bugs, each of which something must notice.

mod bugs;
mod evidence;
mod from_the_ticket;
mod limits;
mod loading;
mod named_finality;
mod read_back;
mod regressions;
mod script;
mod senders;
mod settings;
mod stage;
mod suspects;
mod to_the_ticket;
