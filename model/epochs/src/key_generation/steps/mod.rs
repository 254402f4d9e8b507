//! The steps of the key generation.
//!
//! Each file has the text of its steps, and for each step two functions: `..._enabled` says whether the step may happen, or
//! which guard is false ([`Blocked`]); `..._apply` says what it changes.

pub mod chain;
pub mod dealing;
pub mod environment;
pub mod ready;
pub mod settlement;

use super::{
    instance::Instance,
    members::Members,
    state::{Branch, Member, State},
    transcript::{Phase, Transcript},
};
use zus_protocol::ids::MinerId;

/// One step. `member` and `dealer` are honest; the steps of the Byzantine member have its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "the fields are `on`, `member`, `dealer`, and what an item holds")]
pub enum Action {
    /// A registration comes into a block.
    Register { on: Branch, member: MinerId },
    /// The dealing of an honest member comes into a block.
    Deal { on: Branch, dealer: MinerId },
    /// A dealing of the Byzantine member comes into a block.
    ByzantineDeal { on: Branch, fits: Members },
    /// A dealer makes another dealing after a restart (VC47).
    DealAgain { dealer: MinerId },
    /// A dealer settles: it has the receipts of all others than `revealed`, whose shares it reveals.
    Settle { on: Branch, dealer: MinerId, revealed: Members },
    /// A settlement that was sent comes into a block.
    IncludeSettlement { on: Branch, dealer: MinerId, revealed: Members },
    /// A settlement of the Byzantine member comes into a block. `right`: the revealed shares fit.
    ByzantineSettle { on: Branch, revealed: Members, right: bool },
    /// A member computes its key share of the dealings `summed`, and says that it is ready.
    SayReady { on: Branch, member: MinerId, summed: Members, threshold: u8 },
    /// A ready statement that was sent comes into a block.
    IncludeReady { on: Branch, member: MinerId },
    /// A ready statement of the Byzantine member comes into a block.
    ByzantineReady { on: Branch },
    /// A member makes its key share durable after its ready statement, or marks it usable.
    Store { member: MinerId },
    /// A final block has completed the record: a member makes sure of its key share and erases the secrets of the attempt.
    Conclude { member: MinerId },
    /// A block that is not final has ended the attempt: a member erases its secrets (VC21).
    EraseEarly { on: Branch, member: MinerId },
    /// A chain reaches the deadline of its phase.
    Deadline { on: Branch },
    /// A chain goes from dealings to ready statements (VC26).
    SkipSettling { on: Branch },
    /// Two rival branches begin above the final chain.
    Fork,
    /// A branch becomes final, and its rival is dead.
    Finalize { on: Branch },
    /// A failed attempt is followed by the next one.
    NextAttempt,
    /// A member goes down.
    Crash { member: MinerId },
    /// It comes back with its log.
    Restart { member: MinerId },
}

/// The guard that keeps a step from happening.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Blocked {
    /// It names a member or a chain that there is not.
    NoSuch,
    /// It does not exist under these rules.
    NotInRules,
    /// The member is down.
    Down,
    /// The member is up.
    Up,
    /// The chain is in another phase.
    OtherPhase,
    /// The member does not act on this chain.
    NotActedOn,
    /// Blocks are not made on this chain.
    NotGrowing,
    /// It has been done before.
    Done,
    /// There is nothing to put into a block.
    NotSent,
    /// The encryption key is not registered.
    NotRegistered,
    /// A receipt is missing of a member whose share is not revealed.
    NoReceipt,
    /// More shares would be revealed than a dealer may reveal.
    RevealsTooMuch,
    /// The key share cannot be computed so.
    NoShare,
    /// Messages of honest members arrive before this deadline.
    MessagesFirst,
    /// The attempts that are looked at have come to their end.
    LastAttempt,
}

/// Turns a guard into a result.
pub(super) fn require(guard: bool, otherwise: Blocked) -> Result<(), Blocked> {
    if guard { Ok(()) } else { Err(otherwise) }
}

impl Instance {
    /// Whether `action` may happen in `state`, or which guard is false.
    pub fn enabled(&self, state: &State, action: &Action) -> Result<(), Blocked> {
        use Action as A;
        match *action {
            A::Register { on, member } => self.register_enabled(state, on, member),
            A::Deal { on, dealer } => self.deal_enabled(state, on, dealer),
            A::ByzantineDeal { on, fits } => self.byzantine_deal_enabled(state, on, fits),
            A::DealAgain { dealer } => self.deal_again_enabled(state, dealer),
            A::Settle { on, dealer, revealed } => self.settle_enabled(state, on, dealer, revealed),
            A::IncludeSettlement { on, dealer, revealed } => {
                self.include_settlement_enabled(state, on, dealer, revealed)
            }
            A::ByzantineSettle { on, revealed, right } => {
                self.byzantine_settle_enabled(state, on, revealed, right)
            }
            A::SayReady { on, member, summed, threshold } => {
                self.say_ready_enabled(state, on, member, (summed, threshold))
            }
            A::IncludeReady { on, member } => self.include_ready_enabled(state, on, member),
            A::ByzantineReady { on } => self.byzantine_ready_enabled(state, on),
            A::Store { member } => self.store_enabled(state, member),
            A::Conclude { member } => self.conclude_enabled(state, member),
            A::EraseEarly { on, member } => self.erase_early_enabled(state, on, member),
            A::Deadline { on } => self.deadline_enabled(state, on),
            A::SkipSettling { on } => self.skip_settling_enabled(state, on),
            A::Fork => self.fork_enabled(state),
            A::Finalize { on } => self.finalize_enabled(state, on),
            A::NextAttempt => self.next_attempt_enabled(state),
            A::Crash { member } => self.crash_enabled(state, member),
            A::Restart { member } => self.restart_enabled(state, member),
        }
    }

    /// Does `action`, which must be enabled.
    pub fn apply(&self, state: &mut State, action: &Action) {
        use Action as A;
        match *action {
            A::Register { on, member } => self.register_apply(state, on, member),
            A::Deal { on, dealer } => self.deal_apply(state, on, dealer),
            A::ByzantineDeal { on, fits } => self.byzantine_deal_apply(state, on, fits),
            A::DealAgain { dealer } => self.deal_again_apply(state, dealer),
            A::Settle { on, dealer, revealed } => self.settle_apply(state, on, dealer, revealed),
            A::IncludeSettlement { on, dealer, revealed } => {
                self.include_settlement_apply(state, on, dealer, (revealed, true));
            }
            A::ByzantineSettle { on, revealed, right } => {
                for dealer in self.adversary().iter() {
                    self.include_settlement_apply(state, on, dealer, (revealed, right));
                }
            }
            A::SayReady { on, member, summed, threshold } => {
                self.say_ready_apply(state, on, member, (summed, threshold));
            }
            A::IncludeReady { on, member } => self.include_ready_apply(state, on, member),
            A::ByzantineReady { on } => {
                for member in self.adversary().iter() {
                    self.include_ready_apply(state, on, member);
                }
            }
            A::Store { member } => self.store_apply(state, member),
            A::Conclude { member } => self.conclude_apply(state, member),
            A::EraseEarly { member, .. } => state.member_mut(member).erased = true,
            A::Deadline { on } => self.deadline_apply(state, on),
            A::SkipSettling { on } => self.skip_settling_apply(state, on),
            A::Fork => self.fork_apply(state),
            A::Finalize { on } => self.finalize_apply(state, on),
            A::NextAttempt => self.next_attempt_apply(state),
            A::Crash { member } => self.crash_apply(state, member),
            A::Restart { member } => state.member_mut(member).up = true,
        }
    }

    /// An honest member.
    fn named<'s>(&self, state: &'s State, member: MinerId) -> Result<&'s Member, Blocked> {
        require(self.is_honest(member), Blocked::NoSuch)?;
        Ok(state.member(member))
    }

    /// The same, if it is up.
    fn acting<'s>(&self, state: &'s State, member: MinerId) -> Result<&'s Member, Blocked> {
        let m = self.named(state, member)?;
        require(m.up, Blocked::Down)?;
        Ok(m)
    }

    /// The transcript of a chain that takes items in `phase`.
    fn growing_in<'s>(&self, state: &'s State, on: Branch, phase: Phase) -> Result<&'s Transcript, Blocked> {
        require(state.growing().contains(&on), Blocked::NotGrowing)?;
        let transcript = state.transcript(on).ok_or(Blocked::NoSuch)?;
        require(transcript.phase == phase, Blocked::OtherPhase)?;
        Ok(transcript)
    }

    /// The transcript of a chain on which honest members act, in `phase`.
    fn acted_in<'s>(&self, state: &'s State, on: Branch, phase: Phase) -> Result<&'s Transcript, Blocked> {
        require(self.acted_on().contains(&on), Blocked::NotActedOn)?;
        let transcript = state.transcript(on).ok_or(Blocked::NoSuch)?;
        require(transcript.phase == phase, Blocked::OtherPhase)?;
        Ok(transcript)
    }
}
