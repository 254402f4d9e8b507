//! Epochs: a committee hands over to the next one (PROTOCOL.md, section 8).
//!
//! | module | contents |
//! |---|---|
//! | [`item`] | what the members of the next committee put into blocks: registrations, dealings, settlements, ready statements |
//! | [`record`] | the record of a committee: its members, their keys, the key of its beacon |
//! | [`key_generation`] | how a record comes out of the items of a chain, and what a member of the next committee does |

pub mod item;
pub mod key_generation;
pub mod record;
