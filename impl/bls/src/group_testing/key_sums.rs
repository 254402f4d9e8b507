//! Sums of the keys of many members: every check of a group needs one, and a committee's keys do not change.

use std::sync::{Arc, OnceLock};

use crate::committee::MinerId;
use crate::curve::{G2, PreparedG2};

/// The lines of a sum of keys, shared with whoever keeps them.
pub type PreparedKey = Arc<PreparedG2>;

/// The keys of a committee, in the order of its members, with the sum of all.
///
/// A sum over most members is the sum of all less that of the absent ones.
#[derive(Clone, Debug)]
pub struct KeySums {
    keys: Vec<G2>,
    /// `None` when the keys of all sum to infinity.
    all: Option<G2>,
    all_weighted: OnceLock<Option<G2>>,
    /// The lines of single keys, made when first needed; empty for a committee that is too large for them.
    prepared: Vec<OnceLock<PreparedKey>>,
    /// The lines of the sum of all.
    all_prepared: OnceLock<Option<PreparedKey>>,
}

/// Members of the largest committee whose keys are kept prepared, each by itself, at 20 KB a member.
const MAX_PREPARED: usize = 512;

impl KeySums {
    /// Takes the keys, in the order of the members.
    #[must_use]
    pub fn new(keys: Vec<G2>) -> Self {
        let all = G2::sum(&keys);
        let prepared = if keys.len() <= MAX_PREPARED { keys.len() } else { 0 };
        Self {
            all,
            all_weighted: OnceLock::new(),
            prepared: vec![OnceLock::new(); prepared],
            all_prepared: OnceLock::new(),
            keys,
        }
    }

    /// A member's key; `None` for a stranger.
    #[must_use]
    pub fn key(&self, member: MinerId) -> Option<&G2> {
        self.keys.get(usize::from(member.0))
    }

    /// How many members there are.
    #[must_use]
    pub fn committee_size(&self) -> usize {
        self.keys.len()
    }

    /// The sum of the keys of `members`, who are strictly increasing; `None` when it is infinite or somebody is a stranger.
    #[must_use]
    pub fn sum(&self, members: &[MinerId]) -> Option<G2> {
        self.sum_or_complement(members, self.all.as_ref(), |members| {
            G2::sum(members.iter().filter_map(|&member| self.key(member)))
        })
    }

    /// The lines of [`KeySums::sum`]; those of a single key and of all keys are kept.
    #[must_use]
    pub fn prepared_sum(&self, members: &[MinerId]) -> Option<PreparedKey> {
        let prepare = |key: &G2| PreparedKey::new(PreparedG2::new(key));
        match members {
            [member] => {
                let key = self.key(*member)?;
                let Some(kept) = self.prepared.get(usize::from(member.0)) else { return Some(prepare(key)) };
                Some(PreparedKey::clone(kept.get_or_init(|| prepare(key))))
            }
            _ if self.is_everybody(members) => {
                self.all_prepared.get_or_init(|| self.all.as_ref().map(prepare)).clone()
            }
            _ => self.sum(members).as_ref().map(prepare),
        }
    }

    fn is_everybody(&self, members: &[MinerId]) -> bool {
        members.len() == self.keys.len()
            && members.iter().enumerate().all(|(place, member)| usize::from(member.0) == place)
    }

    /// [`KeySums::sum`] with every key times its member's [`weight`].
    #[must_use]
    pub fn weighted_sum(&self, members: &[MinerId]) -> Option<G2> {
        let weighted_sum = |members: &[MinerId]| {
            let keys: Vec<G2> = members.iter().filter_map(|&member| self.key(member).copied()).collect();
            let weights: Vec<u128> = members.iter().map(|&member| weight(member).into()).collect();
            G2::weighted_sum(&keys, &weights)
        };
        let everybody = || (0..self.keys.len() as u16).map(MinerId).collect::<Vec<_>>();
        let all = self.all_weighted.get_or_init(|| weighted_sum(&everybody()));
        self.sum_or_complement(members, all.as_ref(), weighted_sum)
    }

    fn sum_or_complement(
        &self,
        members: &[MinerId],
        all: Option<&G2>,
        sum: impl Fn(&[MinerId]) -> Option<G2>,
    ) -> Option<G2> {
        if !members.is_sorted_by(|a, b| a < b) || members.iter().any(|&member| self.key(member).is_none()) {
            return None;
        }
        let (Some(all), true) = (all, 2 * members.len() > self.keys.len()) else { return sum(members) };
        let absent: Vec<MinerId> = (0..self.keys.len() as u16)
            .map(MinerId)
            .filter(|member| members.binary_search(member).is_err())
            .collect();
        match sum(&absent) {
            Some(absent) => G2::sum([all, &absent.neg()]),
            None => Some(*all),
        }
    }
}

impl PartialEq for KeySums {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys
    }
}

impl Eq for KeySums {}

/// The weight of a member's signature in a weighted sum: its place plus one, since zero would hide it.
#[must_use]
pub const fn weight(member: MinerId) -> u64 {
    member.0 as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::Scalar;

    fn sums(n: u64) -> KeySums {
        KeySums::new((0..n).map(|i| G2::generator_times(&Scalar::from_u64(10 + i * i)).unwrap()).collect())
    }

    fn in_the_exponent(members: &[u16], weigh: impl Fn(u64) -> u64) -> Option<G2> {
        let sum = members.iter().map(|&i| u64::from(i)).map(|i| (10 + i * i) * weigh(i)).sum();
        G2::generator_times(&Scalar::from_u64(sum))
    }

    #[test]
    fn sums_of_few_and_of_most_agree_with_the_exponents() {
        let sums = sums(20);
        for members in [
            vec![],
            vec![3],
            vec![0, 19],
            (0..10).collect(),
            (0..11).collect(),
            (1..20).collect(),
            (0..20).collect::<Vec<u16>>(),
        ] {
            let ids: Vec<MinerId> = members.iter().copied().map(MinerId).collect();
            assert_eq!(sums.sum(&ids), in_the_exponent(&members, |_| 1), "{members:?}");
            assert_eq!(sums.weighted_sum(&ids), in_the_exponent(&members, |i| i + 1), "{members:?}");
        }
    }

    #[test]
    fn kept_lines_are_those_of_the_sum_and_of_no_other_list() {
        let sums = sums(4);
        let hash = crate::curve::G1::hash(b"tag", b"message");
        let product = |lines: &PreparedG2| crate::curve::Gt::product([(&hash, lines)]);
        let no_sets = [[0, 1, 1, 3], [0, 1, 3, 2], [1, 2, 3, 4]];
        let everybody = [0, 1, 2, 3].map(MinerId);
        // Neither before the lines are kept nor after.
        for _ in 0..2 {
            for list in no_sets {
                assert!(sums.prepared_sum(&list.map(MinerId)).is_none(), "{list:?}");
            }
            for members in [&everybody[..], &everybody[..3], &everybody[1..2]] {
                let expected = PreparedG2::new(&sums.sum(members).unwrap());
                assert_eq!(product(&sums.prepared_sum(members).unwrap()), product(&expected));
            }
        }
    }

    #[test]
    fn strangers_and_lists_that_are_no_sets_have_no_sum() {
        let sums = sums(4);
        for members in [[0, 4], [1, 1], [2, 1]] {
            assert_eq!(sums.sum(&members.map(MinerId)), None, "{members:?}");
        }
    }

    #[test]
    fn keys_that_sum_to_infinity_have_no_sum() {
        let key = |secret| G2::generator_times(&Scalar::from_u64(secret)).unwrap();
        let (a, b) = (key(5), key(7));
        let sums = KeySums::new(vec![a, b, G2::sum([&a, &b]).unwrap().neg()]);
        assert_eq!(sums.sum(&[0, 1, 2].map(MinerId)), None);
        assert_eq!(sums.sum(&[0, 1].map(MinerId)), Some(key(12)));
        assert_eq!(sums.sum(&[MinerId(0)]), Some(a));
    }
}
