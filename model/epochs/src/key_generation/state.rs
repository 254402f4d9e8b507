//! The state of a run: the final chain, the rival branches above it, the honest members, and the messages that were sent.
//!
//! Messages stay sent. Of the earlier attempts only that is kept which can matter in a later one.

use super::{
    fault::Fault,
    instance::Instance,
    members::Members,
    rules::{ActsOnRule, ReceiptRule},
    transcript::{Phase, Record, Transcript},
};
use zus_protocol::ids::MinerId;

/// A chain of the present epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Branch {
    /// The final chain.
    Final,
    /// A notarized branch above the final chain.
    Left,
    /// Its rival.
    Right,
}

/// Where a key share is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kept {
    /// In memory: a crash loses it.
    Memory,
    /// On disk without the mark "usable" (VC22): a member that restarts refuses it.
    Unmarked,
    /// On disk.
    Durable,
}

/// The key share of a member.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// The record that it belongs to.
    pub record: Record,
    /// The dealers whose shares it is the sum of. The group key is the sum over the same dealings.
    pub summed: Members,
    /// The threshold that the member takes the key to have.
    pub threshold: u8,
    /// Where it is.
    pub kept: Kept,
}

/// An honest member of the new committee.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Member {
    /// Whether it is up.
    pub up: bool,
    /// Whether its log has a settlement of this attempt, for each chain ([`Branch`]) that it settled on.
    pub settled_on: [bool; 3],
    /// Its key shares, of one record each. There are two records at most: those of two rival branches.
    pub keys: [Option<Key>; 2],
    /// Whether it erased the secrets of the attempt: seed and decryption key.
    pub erased: bool,
    /// Whether it refuses its key share (VC22).
    pub refuses: bool,
}

/// The messages of the present attempt that were sent, as far as a transcript does not say it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sent {
    /// The settlements of each honest dealer: the members that each reveals. A second one is a mistake.
    pub settlements: [[Option<Members>; 2]; Members::MOST],
    /// The honest dealers that made a second dealing (VC47).
    pub dealt_again: Members,
    /// The ready statements of each honest member.
    pub ready: [[Option<Record>; 2]; Members::MOST],
    /// The members that signed a receipt for a dealing of the Byzantine member, by the place of the dealing in
    /// [`Instance::dealings`].
    pub receipted: u16,
}

/// A state of the key generation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct State {
    /// The attempt.
    pub attempt: u8,
    /// The transcript of the final chain.
    pub chain: Transcript,
    /// The transcripts of the branches above it.
    pub tips: [Option<Transcript>; 2],
    /// Whether there has been a fork.
    pub forked: bool,
    /// The honest members. Those that the instance does not have stay as they were made.
    pub honest: [Member; Members::MOST],
    /// The messages of this attempt.
    pub sent: Sent,
    /// The honest members that signed a receipt in an earlier attempt.
    pub receipts_before: Members,
    /// The honest members that signed a dealing in an earlier attempt.
    pub dealt_before: Members,
    /// The honest member that crashed, and the phase of the final chain in which it did.
    pub crashed: Option<(MinerId, Phase)>,
}

impl Member {
    /// Its key share of `record`.
    pub fn key_of(&self, record: Record) -> Option<&Key> {
        self.keys.iter().flatten().find(|key| key.record == record)
    }

    /// Takes a key share, in place of another one of its record.
    pub fn take_key(&mut self, key: Key) {
        let of_record = |place: &Option<Key>| place.is_some_and(|held| held.record == key.record);
        let at = self.keys.iter().position(of_record);
        let at = at.or_else(|| self.keys.iter().position(Option::is_none)).unwrap_or(0);
        self.keys[at] = Some(key);
        self.keys.sort();
    }

    /// Loses the key shares that are kept so.
    pub fn lose_keys(&mut self, kept: Kept) {
        self.keys.iter_mut().for_each(|place| *place = place.filter(|key| key.kept != kept));
        self.keys.sort();
    }

    /// A member at the start of an attempt.
    pub const FRESH: Member =
        Member { up: true, settled_on: [false; 3], keys: [None; 2], erased: false, refuses: false };
}

impl Sent {
    /// Nothing.
    pub const NOTHING: Sent = Sent {
        settlements: [[None; 2]; Members::MOST],
        dealt_again: Members::NONE,
        ready: [[None; 2]; Members::MOST],
        receipted: 0,
    };

    /// The settlements that `dealer` signed in this attempt.
    pub fn settlements_of(&self, dealer: MinerId) -> impl Iterator<Item = Members> {
        self.settlements[usize::from(dealer.0)].into_iter().flatten()
    }

    /// The ready statements that `member` signed in this attempt.
    pub fn ready_of(&self, member: MinerId) -> impl Iterator<Item = Record> {
        self.ready[usize::from(member.0)].into_iter().flatten()
    }
}

impl State {
    /// An honest member.
    pub fn member(&self, member: MinerId) -> &Member {
        &self.honest[usize::from(member.0)]
    }

    /// An honest member.
    pub fn member_mut(&mut self, member: MinerId) -> &mut Member {
        &mut self.honest[usize::from(member.0)]
    }

    /// The chains that blocks are made on.
    pub fn growing(&self) -> &'static [Branch] {
        if self.tips == [None; 2] { &[Branch::Final] } else { &[Branch::Left, Branch::Right] }
    }

    /// The transcript of a chain, if there is that chain.
    pub fn transcript(&self, branch: Branch) -> Option<&Transcript> {
        match branch {
            Branch::Final => Some(&self.chain),
            Branch::Left => self.tips[0].as_ref(),
            Branch::Right => self.tips[1].as_ref(),
        }
    }

    /// The transcript of a chain, if there is that chain.
    pub fn transcript_mut(&mut self, branch: Branch) -> Option<&mut Transcript> {
        match branch {
            Branch::Final => Some(&mut self.chain),
            Branch::Left => self.tips[0].as_mut(),
            Branch::Right => self.tips[1].as_mut(),
        }
    }
}

impl Instance {
    /// The first attempt opens.
    pub fn initial(&self) -> State {
        State {
            attempt: 0,
            chain: self.opened(),
            tips: [None; 2],
            forked: false,
            honest: [Member::FRESH; Members::MOST],
            sent: Sent::NOTHING,
            receipts_before: Members::NONE,
            dealt_before: Members::NONE,
            crashed: None,
        }
    }

    /// Rule `acts_on`: the chains on which an honest member acts.
    pub fn acted_on(&self) -> &'static [Branch] {
        match self.rules.acts_on {
            ActsOnRule::FinalChain => &[Branch::Final],
            ActsOnRule::NotarizedChain => &[Branch::Final, Branch::Left, Branch::Right],
        }
    }

    /// The points of the dealing of the honest `dealer` that the adversary holds: its own share, and each share that the dealer
    /// ever revealed.
    pub fn points(&self, state: &State, dealer: MinerId) -> Members {
        let own = self.adversary().and(state.chain.members);
        state.sent.settlements_of(dealer).fold(own, Members::or)
    }

    /// Whether a secret that `member` needs for its key share of `transcript` is gone.
    pub fn may_compute(&self, state: &State, transcript: &Transcript, member: MinerId) -> bool {
        let m = state.member(member);
        !m.erased && !m.refuses && !self.sums(transcript, member).is_empty()
    }

    /// Whether the `member` has the key share of the record of `transcript`, or can still compute it.
    pub fn has_share(&self, state: &State, transcript: &Transcript, member: MinerId) -> bool {
        let record = self.record(transcript);
        let m = state.member(member);
        match m.key_of(record).filter(|_| !m.refuses) {
            Some(key) => key.summed == record.qualified,
            None => {
                let computes = |sum: &Members| *sum == record.qualified;
                !m.erased && !m.refuses && self.sums(transcript, member).iter().any(computes)
            }
        }
    }

    /// Whether the adversary can show a receipt of the honest `member` for the dealing of the Byzantine member that fits `fits`
    /// (rule `receipt`).
    pub fn receipt_shown(&self, state: &State, member: MinerId, fits: Members) -> bool {
        if self.has(Fault::ReceiptOverConstant) {
            return true;
        }
        let signed = |at: usize| state.sent.receipted & 1 << at != 0;
        let mut dealings =
            self.dealings.iter().enumerate().filter(|(at, _)| signed(*at)).map(|(_, fits)| fits);
        match self.rules.receipt {
            ReceiptRule::OfDealing => dealings.any(|dealing| *dealing == fits && dealing.has(member)),
            ReceiptRule::EpochAttemptDealerRecipient => dealings.any(|dealing| dealing.has(member)),
            ReceiptRule::ShareHash => {
                state.receipts_before.has(member)
                    || dealings.any(|dealing| dealing.has(member))
                    || self.receipts_for_honest(state).has(member)
            }
        }
    }

    /// The honest members that signed a receipt for the dealing of another honest member in this attempt: such a dealing is on a
    /// chain on which they act.
    pub fn receipts_for_honest(&self, state: &State) -> Members {
        let seen = |dealer: &MinerId| {
            self.acted_on()
                .iter()
                .any(|&on| state.transcript(on).is_some_and(|it| it.dealt(*dealer).is_some()))
        };
        let dealers: Members = self.honest().iter().filter(seen).collect();
        let receives = |member: &MinerId| !dealers.without(Members::only(*member)).is_empty();
        self.honest().and(state.chain.registered).iter().filter(receives).collect()
    }
}
