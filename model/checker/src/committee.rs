//! The members of an instance, and the quorum arithmetic (PROTOCOL.md, section 1).
//!
//! An honest *miner* of the model stands for `weight` members that act in unison. The weight is 1 everywhere but in
//! scenarios about large committees (`percent66_n50`): grouping only removes behaviours, so a violation found under
//! it is a violation of the committee it stands for, and `holds` is never claimed from it (`scenario.rs` refuses).

use crate::{
    fault::Fault,
    rules::{QuorumRule, Rules},
};

/// Honest miners (or groups of them) that the state has room for.
pub const MAX_HONEST: usize = 7;

/// Members of a committee; the tallies of the state have six bits.
pub const MAX_COMMITTEE: u32 = 63;

/// Byzantine members tolerated by a committee of `n`: `floor((n - 1) / 3)`.
pub const fn tolerated(n: u32) -> u32 {
    n.saturating_sub(1) / 3
}

/// Tickets (or votes, or timeouts) that make a certificate in a committee of `n`.
pub const fn quorum(rule: QuorumRule, fault: Option<Fault>, n: u32) -> u32 {
    match fault {
        Some(Fault::QuorumOneLess) => (n - tolerated(n)).saturating_sub(1),
        Some(Fault::QuorumOfFaultsPlusOne) => tolerated(n) + 1,
        _ => match rule {
            QuorumRule::ByzantineMajority => n - tolerated(n),
            // ceil(66 n / 100), in integers: the deployed node rounds a float, which agrees for every n it can have.
            QuorumRule::Percent66 => (66 * n).div_ceil(100),
        },
    }
}

/// Shares that make a beacon value in a committee of `n`: above `2f`, because the shares of up to
/// `f` honest members may be known to the Byzantine ones, and no more than the honest members have.
pub const fn beacon_threshold(fault: Option<Fault>, n: u32) -> u32 {
    match fault {
        Some(Fault::BeaconOfFaultsPlusOne) => tolerated(n) + 1,
        _ => n - tolerated(n),
    }
}

/// Members that two quorums of `q` among `n` share at least.
pub const fn overlap(n: u32, q: u32) -> u32 {
    (2 * q).saturating_sub(n)
}

/// A set of honest miners.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Members(pub(crate) u8);

const _: () = assert!(MAX_HONEST <= u8::BITS as usize);

impl Iterator for Members {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let miner = self.0.trailing_zeros() as usize;
        (self.0 != 0).then(|| {
            self.0 &= self.0 - 1;
            miner
        })
    }
}

/// One committee of one scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committee {
    /// Members, `n`.
    pub n: u32,
    /// Byzantine members that the arithmetic tolerates, `f`.
    pub f: u32,
    /// Members that are in fact Byzantine; more than `f` of them is allowed (S10).
    pub byzantine: u32,
    /// Size of a certificate, `q`.
    pub quorum: u32,
    /// Beacon shares that determine a value, `t`.
    pub beacon_threshold: u32,
    /// Honest members whose key share was published because they were late in the key generation, so that the adversary
    /// has it from the start; at most `f`, the last of the honest miners.
    pub exposed: u32,
    /// Members that each honest miner of the model stands for; their number is the number of honest miners.
    pub weights: Vec<u32>,
}

impl Committee {
    /// Why there cannot be so many exposed members, and the fix, if so.
    pub fn exposed_refused(&self, rules: &Rules, fault: Option<Fault>) -> Option<(String, String)> {
        let (exposed, honest) = (self.exposed, self.weights.len() as u32);
        let most = self.f.min(honest);
        if exposed == 0 {
            None
        } else if self.weights.iter().any(|w| *w != 1) {
            Some((
                "a member of a group cannot be exposed alone".into(),
                "remove `groups` or `exposed`".into(),
            ))
        } else if exposed > most {
            let message = format!(
                "{exposed} exposed members; a key generation exposes at most f = {} honest ones",
                self.f
            );
            Some((message, format!("use at most {most}")))
        } else if rules.chained()
            || matches!(fault, Some(Fault::EarlySharesDropped | Fault::SeedFromProposal))
        {
            let message = "only under `RoundOnly`, and without a mistake in step 1, does a round have one beacon value to form";
            Some((message.into(), "set beacon = \"RoundOnly\" in [rules], or remove `exposed`".into()))
        } else {
            None
        }
    }

    /// How many honest miners (or groups) the model names.
    pub fn honest(&self) -> usize {
        self.weights.len()
    }
}
