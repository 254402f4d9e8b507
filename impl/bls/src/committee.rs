//! The members of a committee by number, and how many of them may be faulty.

pub use zus_protocol::ids::{ChainId, Epoch, MinerId};

/// Members of the largest committee that this crate serves.
pub const MAX_COMMITTEE_SIZE: usize = 4096;

/// `f = floor((n - 1) / 3)`; 0 for an empty committee.
#[must_use]
pub fn max_faulty(n: usize) -> usize {
    n.saturating_sub(1) / 3
}

/// The threshold of the beacon, `t = n - f`: the `n - f` honest members always reach it. In a key generation the shares of up to
/// `f` members may be published, because their receipts came late. `f` Byzantine members and `f` such *exposed* ones are
/// fewer than `t`, so they make no value by themselves (S11); with `f + 1` one exposed member would be enough.
#[must_use]
pub fn beacon_threshold(n: usize) -> usize {
    n - max_faulty(n)
}
