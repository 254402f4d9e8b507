//! The transcript of an attempt: the items that a chain of the present epoch holds of it, and the record that follows from them.
//!
//! Secrets are symbols. A dealing is the set of the honest members whose sealed share fits its public coefficients: dealings that
//! fit the same members differ in nothing that anybody does here. A share that fits is a point of the dealing's polynomial.

use super::{
    fault::Fault,
    instance::Instance,
    members::Members,
    rules::{QualifiedRule, ReadyRule},
};
use zus_protocol::ids::MinerId;

/// How far an attempt has come on a chain. Each phase ends with a deadline, which is a round of the present epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Registrations of encryption keys.
    Registering,
    /// Dealings.
    Dealing,
    /// Settlements.
    Settling,
    /// Ready statements.
    Readying,
    /// The record is complete: the block that completes it is the closing block.
    Complete,
    /// A deadline passed without a record.
    Failed,
}

/// The dealings of one dealer on a chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Dealt {
    /// The honest members whose share of the first dealing fits.
    pub fits: Members,
    /// Whether there is another one: both convict the dealer.
    pub twice: bool,
}

/// The settlements of one dealer on a chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Settled {
    /// The members whose share the first settlement reveals; it has the receipts of all others.
    pub revealed: Members,
    /// Whether the revealed shares fit. If not, the settlement convicts the dealer.
    pub right: bool,
    /// Whether there is another one: both convict the dealer.
    pub twice: bool,
}

/// The items of an attempt on a chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Transcript {
    /// The phase.
    pub phase: Phase,
    /// The members of the attempt.
    pub members: Members,
    /// Those of them whose encryption key is registered.
    pub registered: Members,
    /// The dealings.
    pub dealings: [Option<Dealt>; Members::MOST],
    /// The settlements.
    pub settlements: [Option<Settled>; Members::MOST],
    /// The members whose ready statement counts.
    pub ready: Members,
    /// Whether the phase of settlements was left out (VC26).
    pub skipped: bool,
}

/// The record of the new committee, as far as it depends on the key generation. Ready statements name its digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Record {
    /// The members.
    pub members: Members,
    /// The qualified dealers.
    pub qualified: Members,
    /// The dealing of the Byzantine member, if that is qualified; empty if not. Honest members have one dealing each.
    pub dealing: Members,
}

impl Transcript {
    /// The dealings of `dealer`.
    pub fn dealt(&self, dealer: MinerId) -> Option<Dealt> {
        self.dealings[usize::from(dealer.0)]
    }

    /// The settlements of `dealer`.
    pub fn settled(&self, dealer: MinerId) -> Option<Settled> {
        self.settlements[usize::from(dealer.0)]
    }

    /// Whether the attempt has ended on this chain.
    pub fn is_over(&self) -> bool {
        match self.phase {
            Phase::Registering | Phase::Dealing | Phase::Settling | Phase::Readying => false,
            Phase::Complete | Phase::Failed => true,
        }
    }

    /// Takes a dealing. The first one of a dealer counts.
    pub fn take_dealing(&mut self, dealer: MinerId, fits: Members) {
        let place = &mut self.dealings[usize::from(dealer.0)];
        match place {
            None => *place = Some(Dealt { fits, twice: false }),
            Some(dealt) => dealt.twice = true,
        }
    }
}

impl Instance {
    /// The transcript at the start of an attempt.
    pub fn opened(&self) -> Transcript {
        let mut transcript = Transcript {
            phase: if self.registering { Phase::Registering } else { Phase::Dealing },
            members: self.all(),
            registered: if self.registering { Members::NONE } else { self.all() },
            dealings: [None; Members::MOST],
            settlements: [None; Members::MOST],
            ready: Members::NONE,
            skipped: false,
        };
        if self.dealt {
            for dealer in self.honest().iter() {
                let fits = self.honest_dealing(&transcript);
                transcript.take_dealing(dealer, fits);
            }
        }
        transcript
    }

    /// The dealing of each honest member: all shares fit that could be sealed.
    pub fn honest_dealing(&self, transcript: &Transcript) -> Members {
        self.honest().and(transcript.registered)
    }

    /// Whether `dealer` is qualified: its dealing and its settlement are there, each once, at most `max_revealed` shares are
    /// revealed, and all of them fit. Settlements without the receipts of all others are not put on the chain.
    pub fn qualifies(&self, transcript: &Transcript, dealer: MinerId) -> bool {
        let Some(dealt) = transcript.dealt(dealer) else { return false };
        if dealt.twice || !transcript.members.has(dealer) {
            return false;
        }
        if transcript.skipped {
            return true;
        }
        let allowed = self.thresholds(transcript.members.count()).max_revealed;
        transcript.settled(dealer).is_some_and(|settled| {
            !settled.twice
                && (settled.revealed.count() <= allowed || self.has(Fault::RevealsAny))
                && (settled.right || self.has(Fault::WrongShareSkipped))
        })
    }

    /// The record that a transcript gives once its settlement deadline has passed.
    pub fn record(&self, transcript: &Transcript) -> Record {
        let qualified: Members =
            transcript.members.iter().filter(|&dealer| self.qualifies(transcript, dealer)).collect();
        let byzantine = self.adversary().and(qualified).iter().next();
        let dealing = byzantine.and_then(|dealer| transcript.dealt(dealer));
        let dealing = dealing.map_or(Members::NONE, |dealt| dealt.fits);
        Record { members: transcript.members, qualified, dealing }
    }

    /// Whether a transcript names enough qualified dealers.
    pub fn has_dealers(&self, transcript: &Transcript) -> bool {
        let needed = self.thresholds(transcript.members.count()).min_qualified;
        self.record(transcript).qualified.count() >= needed
    }

    /// Whether `member` finds, in a transcript, the share of `dealer`'s dealing that fits: revealed, or sealed for it.
    pub fn finds_share(&self, transcript: &Transcript, member: MinerId, dealer: MinerId) -> bool {
        let Some(dealt) = transcript.dealt(dealer) else { return false };
        match transcript.settled(dealer) {
            Some(settled) if settled.revealed.has(member) => settled.right,
            Some(_) | None => dealt.fits.has(member),
        }
    }

    /// The dealers among `dealers` of whose dealing `member` finds its share.
    pub fn shares_found(&self, transcript: &Transcript, member: MinerId, dealers: Members) -> Members {
        dealers.iter().filter(|&dealer| self.finds_share(transcript, member, dealer)).collect()
    }

    /// Rule `qualified`: the dealers whose dealings `member` may add up, for each choice that the rule leaves.
    pub fn sums(&self, transcript: &Transcript, member: MinerId) -> Vec<Members> {
        let qualified = self.record(transcript).qualified;
        let found = self.shares_found(transcript, member, qualified);
        match self.rules.qualified {
            QualifiedRule::AllOfQualified if self.has(Fault::WrongShareSkipped) => vec![found],
            QualifiedRule::AllOfQualified if found == qualified => vec![qualified],
            QualifiedRule::AllOfQualified => Vec::new(),
            QualifiedRule::ThresholdDealers => {
                let needed = self.thresholds(transcript.members.count()).threshold;
                found.subsets().filter(|sum| sum.count() == needed).collect()
            }
        }
    }

    /// Ends the phase of a transcript at its deadline.
    pub fn pass_deadline(&self, transcript: &mut Transcript) {
        transcript.phase = match transcript.phase {
            Phase::Registering => {
                if self.has(Fault::MembersInTime) {
                    transcript.members = transcript.registered;
                }
                Phase::Dealing
            }
            Phase::Dealing => Phase::Settling,
            Phase::Settling if !self.has_dealers(transcript) => Phase::Failed,
            Phase::Settling => match self.rules.ready {
                ReadyRule::QuorumOfNew | ReadyRule::KPercent | ReadyRule::All => Phase::Readying,
                ReadyRule::None => Phase::Complete,
            },
            Phase::Readying | Phase::Failed => Phase::Failed,
            Phase::Complete => Phase::Complete,
        };
    }

    /// Puts the ready statement of `member` into a transcript. Enough of them complete the record.
    pub fn take_ready(&self, transcript: &mut Transcript, member: MinerId) {
        transcript.ready = transcript.ready.with(member);
        if transcript.ready.count() >= self.thresholds(transcript.members.count()).ready {
            transcript.phase = Phase::Complete;
        }
    }
}
