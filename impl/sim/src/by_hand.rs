//! The numbers of the protocol, and the order of generators, worked out apart from the production code: a wrong one there cannot
//! hide here (architecture.md, decision 8).

use shake::Shake256;
use shake::digest::{ExtendableOutput, Update, XofReader};
use zus_bpp::committee::MinerId;
use zus_bpp::crypto::scheme::BeaconValue;
use zus_bpp::rules::QuorumRule;

/// Members, tolerated faults, quorum, generators: by hand, from PROTOCOL.md, section 1, and step 2.
const TABLE: [(u16, usize, usize, u16); 16] = [
    (1, 0, 1, 1),
    (2, 0, 2, 2),
    (3, 0, 3, 2),
    (4, 1, 3, 2),
    (5, 1, 4, 2),
    (6, 1, 5, 2),
    (7, 2, 5, 2),
    (8, 2, 6, 2),
    (9, 2, 7, 2),
    (10, 3, 7, 2),
    (11, 3, 8, 3),
    (12, 3, 9, 3),
    (13, 4, 9, 3),
    (14, 4, 10, 3),
    (15, 4, 11, 3),
    (16, 5, 11, 4),
];

fn row(n: u16) -> (u16, usize, usize, u16) {
    TABLE[usize::from(n.clamp(1, TABLE.len() as u16)) - 1]
}

/// Byzantine miners that a committee of `n` (1 to 16) tolerates, `f`.
#[must_use]
pub fn tolerated(n: u16) -> usize {
    row(n).1
}

/// Signatures that make a certificate in a committee of `n` (1 to 16), `q`.
#[must_use]
pub fn quorum(n: u16) -> usize {
    row(n).2
}

/// Beacon shares that make a value in a committee of `n` (1 to 16), `t`: what the honest members alone reach.
#[must_use]
pub fn beacon_threshold(n: u16) -> usize {
    usize::from(n) - tolerated(n)
}

/// Signatures that make a certificate under the rule `Percent66`, in committees of 1 to 16: by hand, 0.66 n rounded up.
const PERCENT_66: [usize; 16] = [1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9, 10, 10, 11];

/// Signatures that make a certificate in a committee of `n` (1 to 16) under a rule.
#[must_use]
pub fn quorum_by(rule: QuorumRule, n: u16) -> usize {
    match rule {
        QuorumRule::ByzantineMajority => quorum(n),
        QuorumRule::Percent66 => PERCENT_66[usize::from(n.clamp(1, PERCENT_66.len() as u16)) - 1],
    }
}

/// Generators of a subround in a committee of `n` (1 to 16), `G`.
#[must_use]
pub fn generators(n: u16) -> u16 {
    row(n).3
}

/// All members in the order of generators of a subround (step 1): Fisher and Yates' shuffle from the last place down, fed by
/// SHAKE256 of tag, beacon value and subround, four bytes a draw, rejecting the remainder that would bias.
#[must_use]
pub fn order_of_generators(value: &BeaconValue, subround: u32, n: u16) -> Vec<MinerId> {
    let mut hasher = Shake256::default();
    hasher.update(b"ZUS-BPP-V01-RANKS");
    hasher.update(&value.0);
    hasher.update(&subround.to_be_bytes());
    let mut stream = hasher.finalize_xof();
    let mut members: Vec<MinerId> = (0..n).map(MinerId).collect();
    for last in (1..usize::from(n)).rev() {
        let choices = last as u64 + 1;
        let fair = (1u64 << 32) - (1u64 << 32) % choices;
        let mut drawn = u64::MAX;
        while drawn >= fair {
            let mut bytes = [0; 4];
            stream.read(&mut bytes);
            drawn = u32::from_be_bytes(bytes).into();
        }
        members.swap(last, (drawn % choices) as usize);
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_arithmetic_of_the_protocol() {
        for (n, f, q, g) in TABLE {
            assert_eq!(f, (usize::from(n) - 1) / 3, "n = {n}");
            assert_eq!(q, usize::from(n) - f, "n = {n}");
            assert_eq!(g, n.div_ceil(5).max(2).min(n), "n = {n}");
            let percent = (usize::from(n) * 66).div_ceil(100);
            assert_eq!(quorum_by(QuorumRule::Percent66, n), percent, "n = {n}");
            assert_eq!(quorum_by(QuorumRule::ByzantineMajority, n), q, "n = {n}");
        }
    }

    #[test]
    fn production_orders_generators_as_this_oracle_does() {
        for n in 1..=16 {
            for subround in 0..40 {
                let value = BeaconValue([subround as u8 ^ 0x5a; 32]);
                let ranks =
                    zus_bpp::crypto::ranks::Ranks::derive(&value, zus_bpp::committee::Subround(subround), n);
                assert_eq!(ranks.members(), order_of_generators(&value, subround, n), "n = {n}, {subround}");
            }
        }
    }
}
