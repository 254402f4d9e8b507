//! The order of generators of one (round, subround), derived from the beacon value (step 1).
//!
//! The order is a uniformly random permutation of the committee: Fisher and Yates' shuffle, fed by a stream that nobody can
//! predict before the beacon value is known. Precisely:
//!
//! 1. Stream: SHAKE256 of `"ZUS-BPP-V01-RANKS"`, the 32 bytes of the beacon value, the subround (4 bytes, big-endian).
//! 2. Start with the members in order, `order[k] = k`.
//! 3. For `k` from `n - 1` down to 1: draw `j` uniformly from `0..=k`, swap `order[k]` and `order[j]`. To draw, take the next
//!    4 bytes of the stream as a big-endian integer `u`; when `u` is below the largest multiple of `k + 1` that does not
//!    exceed 2^32, `j = u mod (k + 1)`, otherwise draw again.
//! 4. `order[rank]` is the member of that rank; rank 0 goes first.
//!
//! Step 3 rejects what a plain remainder would bias. One draw is rejected with a probability below `n / 2^32`, so that
//! [`MAX_DRAWS`] in a row happen with less than `2^-320`; then the remainder is taken as it is, to keep the loop bounded.
//!
//! Test vectors, computed by an independent program, are in `tests/data/ranks.json`.

use shake::Shake256;
use shake::digest::{ExtendableOutput, Update, XofReader};

use super::scheme::BeaconValue;
use crate::committee::{MinerId, Subround};
pub use zus_protocol::ids::Rank;

/// Domain tag of the stream.
const TAG: &[u8] = b"ZUS-BPP-V01-RANKS";

/// How often one index is drawn at most.
pub const MAX_DRAWS: usize = 16;

/// The order of generators of one (round, subround): a permutation of the committee.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Ranks {
    members: Vec<MinerId>,
    ranks: Vec<Rank>,
}

impl Ranks {
    /// The order that `value`, the beacon's of a round, gives a committee of `committee_size` in `subround`.
    #[must_use]
    pub fn derive(value: &BeaconValue, subround: Subround, committee_size: u16) -> Self {
        let mut stream = Stream::new(value, subround);
        let mut members: Vec<MinerId> = (0..committee_size).map(MinerId).collect();
        for k in (1..committee_size).rev() {
            members.swap(usize::from(k), stream.draw_up_to(k));
        }
        let mut ranks = vec![Rank(0); members.len()];
        for (rank, member) in (0..).zip(&members) {
            ranks[usize::from(member.0)] = Rank(rank);
        }
        Self { members, ranks }
    }

    /// The rank of a member; `None` for a stranger.
    #[must_use]
    pub fn rank(&self, member: MinerId) -> Option<Rank> {
        self.ranks.get(usize::from(member.0)).copied()
    }

    /// The member of a rank; `None` beyond the committee.
    #[must_use]
    pub fn member(&self, rank: Rank) -> Option<MinerId> {
        self.members.get(usize::from(rank.0)).copied()
    }

    /// All members, best rank first.
    #[must_use]
    pub fn members(&self) -> &[MinerId] {
        &self.members
    }
}

struct Stream(shake::Shake256Reader);

impl Stream {
    fn new(value: &BeaconValue, subround: Subround) -> Self {
        let mut hasher = Shake256::default();
        hasher.update(TAG);
        hasher.update(&value.0);
        hasher.update(&subround.0.to_be_bytes());
        Self(hasher.finalize_xof())
    }

    /// A uniform index of `0..=highest`.
    fn draw_up_to(&mut self, highest: u16) -> usize {
        let choices = u64::from(highest) + 1;
        let unbiased_below = (1 << 32) / choices * choices;
        let mut drawn = self.next();
        for _ in 1..MAX_DRAWS {
            if drawn < unbiased_below {
                break;
            }
            drawn = self.next();
        }
        (drawn % choices) as usize
    }

    fn next(&mut self) -> u64 {
        let mut bytes = [0; 4];
        self.0.read(&mut bytes);
        u64::from(u32::from_be_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derive(value: u8, subround: u32, n: u16) -> Ranks {
        Ranks::derive(&BeaconValue([value; 32]), Subround(subround), n)
    }

    #[test]
    fn ranks_and_members_are_inverse_permutations() {
        for n in [0, 1, 2, 4, 7, 100, 1000] {
            let ranks = derive(3, 1, n);
            let mut members = ranks.members().to_vec();
            members.sort();
            assert_eq!(members, (0..n).map(MinerId).collect::<Vec<_>>());
            for rank in (0..n).map(Rank) {
                assert_eq!(ranks.rank(ranks.member(rank).unwrap()), Some(rank));
            }
            assert_eq!(ranks.rank(MinerId(n)), None);
            assert_eq!(ranks.member(Rank(n)), None);
        }
    }

    #[test]
    fn value_and_subround_both_change_the_order() {
        assert_ne!(derive(3, 0, 100), derive(3, 1, 100));
        assert_ne!(derive(3, 0, 100), derive(4, 0, 100));
        assert_eq!(derive(3, 0, 100), derive(3, 0, 100));
    }

    /// All 24 orders of four members over many beacon values: chi-squared with 23 degrees of freedom stays below 49.7
    /// for a uniform choice with probability 0.999. The run is deterministic.
    #[test]
    fn every_order_of_four_is_equally_likely() {
        let trials = 24_000_u32;
        let mut seen = std::collections::BTreeMap::<Vec<MinerId>, u32>::new();
        for trial in 0..trials {
            let ranks = Ranks::derive(&BeaconValue([9; 32]), Subround(trial), 4);
            *seen.entry(ranks.members().to_vec()).or_default() += 1;
        }
        let expected = f64::from(trials) / 24.0;
        let chi_squared: f64 = seen.values().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
        assert_eq!(seen.len(), 24);
        assert!(chi_squared < 49.7, "chi-squared {chi_squared}");
    }
}
