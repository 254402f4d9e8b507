//! The key generation of the next committee on a chain: its public side, the records that come out of it, and its members.

mod participants;
mod progress;
mod record;
pub(super) mod stage;
mod walk;
mod world;
