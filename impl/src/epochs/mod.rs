//! Epochs: a committee hands over to the next one (PROTOCOL.md, section 8).
//!
//! A [`Miner`](crate::miner::Miner) is in one epoch. Around it:
//!
//! | module | contents |
//! |---|---|
//! | [`replica`] | a node across epochs, which turns the participant of one epoch into that of the next |
//! | [`handoff`] | the certificate that shows which block closes an epoch, without the chain |
//! | [`link`] | such a certificate with the record of the committee that it introduces; the beginning of an epoch, which is a checkpoint |
//! | [`roster`] | nodes by identity, and their places in a committee |
//! | [`progress`] | what the epoch items of a branch amount to, and which block closes an epoch |
//! | [`envelope`] | what nodes send each other |
//! | [`planned`] | a double of the key generation, for tests and simulations |
//! | [`item`] | what the members of the next committee put into blocks: registrations, dealings, settlements, ready statements |
//! | [`record`] | the record of a committee: its members, their keys, the key of its beacon |
//! | [`key_generation`] | how a record comes out of the items of a chain, and what a member of the next committee does |

pub mod envelope;
pub mod generated;
mod guests;
pub mod handoff;
pub mod item;
pub mod key_generation;
pub mod lies;
pub mod link;
pub mod planned;
mod pool;
pub mod progress;
pub mod record;
pub mod replica;
pub mod roster;
mod waiting;

#[cfg(test)]
mod tests;
