//! An instance: the new committee, the rules, and what may go wrong.
//!
//! Members `0..honest` of the new committee are honest, the rest is Byzantine. There is at most one Byzantine member: it stands
//! for the adversary.

use super::{
    fault::Fault,
    members::Members,
    rules::{KeyRules, ReadyRule, ThresholdsRule},
};
use zus_protocol::ids::MinerId;

/// One instance of the key generation.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Members of the new committee, `n`; at most [`Members::MOST`].
    pub members: usize,
    /// Whether the last member is Byzantine.
    pub byzantine: bool,
    /// Members of the present committee. Only `OfOldCommittee` asks.
    pub old_members: usize,
    /// A choice for every open question.
    pub rules: KeyRules,
    /// The mistake in the rules, if there is one.
    pub fault: Option<Fault>,
    /// Attempts that are looked at.
    pub attempts: u8,
    /// The first attempt in which messages of honest members arrive before the deadlines; none if there is none.
    pub synchronous_from: Option<u8>,
    /// Crashes of honest members: 0 or 1.
    pub crashes: u8,
    /// Whether there is once, at any time, a fork: two rival branches of notarized blocks until one of them becomes final. All other
    /// blocks are final at once.
    pub rivals: bool,
    /// Whether an attempt begins with a phase of registrations. If not, everybody has registered before.
    pub registering: bool,
    /// Whether honest dealings are on the chain from the start of an attempt. If not, each comes in time or does not.
    pub dealt: bool,
    /// The honest dealers whose settlement is on each chain, with all receipts, as soon as the deadline for dealings has passed.
    pub prompt: Members,
    /// The dealings that the Byzantine member may make, each as the set of honest members whose share fits.
    pub dealings: Vec<Members>,
}

/// The numbers of a key generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thresholds {
    /// Shares that determine the key, `t`.
    pub threshold: usize,
    /// Most shares that a dealer may reveal and still qualify.
    pub max_revealed: usize,
    /// Fewest dealers that make a key.
    pub min_qualified: usize,
    /// Ready statements that complete a record.
    pub ready: usize,
}

/// `f = floor((n - 1) / 3)`.
pub fn tolerated(n: usize) -> usize {
    n.saturating_sub(1) / 3
}

/// `q = n - f`.
pub fn quorum(n: usize) -> usize {
    n - tolerated(n)
}

impl Instance {
    /// Four members, one of them Byzantine, one asynchronous attempt, no crash, no rival branch. The Byzantine member makes a
    /// dealing that is right, one that is wrong for one member, or one that is wrong for all.
    pub fn new(rules: KeyRules) -> Instance {
        let honest = Members::first(3);
        Instance {
            members: 4,
            byzantine: true,
            old_members: 4,
            rules,
            fault: None,
            attempts: 1,
            synchronous_from: None,
            crashes: 0,
            rivals: false,
            registering: false,
            dealt: false,
            prompt: Members::NONE,
            dealings: honest.subsets().filter(|fits| fits.count() != 1).collect(),
        }
    }

    /// Whether the rules have this mistake.
    pub fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// All members.
    pub fn all(&self) -> Members {
        Members::first(self.members)
    }

    /// The honest members.
    pub fn honest(&self) -> Members {
        Members::first(self.members - usize::from(self.byzantine))
    }

    /// The Byzantine member, if there is one.
    pub fn adversary(&self) -> Members {
        self.all().without(self.honest())
    }

    /// Whether `member` is honest.
    pub fn is_honest(&self, member: MinerId) -> bool {
        self.honest().has(member)
    }

    /// Whether messages of honest members arrive before the deadlines of this attempt.
    pub fn is_synchronous(&self, attempt: u8) -> bool {
        self.synchronous_from.is_some_and(|first| attempt >= first)
    }

    /// Rules `thresholds` and `ready`, for a committee of so many members.
    pub fn thresholds(&self, members: usize) -> Thresholds {
        let n = match self.rules.thresholds {
            ThresholdsRule::OfNewCommittee => members,
            ThresholdsRule::OfOldCommittee => self.old_members,
        };
        let threshold = if self.has(Fault::ThresholdOfFaultsPlusOne) { tolerated(n) + 1 } else { quorum(n) };
        let ready = match self.rules.ready {
            ReadyRule::QuorumOfNew => quorum(n),
            ReadyRule::KPercent => (66 * n).div_ceil(100),
            ReadyRule::All => n,
            ReadyRule::None => 0,
        };
        Thresholds { threshold, max_revealed: tolerated(n), min_qualified: quorum(n), ready }
    }
}
