//! The steps of the protocol, in the order of PROTOCOL.md, section 4.
//!
//! Each file has the text of its steps, and for each step two functions: `..._enabled` says whether the step may happen,
//! or which guard is false ([`Blocked`]); `..._apply` says what it changes. Here they are put together.

pub mod beacon;
pub mod environment;
pub mod finality;
pub mod leaving;
pub mod notarization;
pub mod proposal;
pub mod ticket;
pub mod timeout;

use crate::{
    block::{Block, GENESIS},
    instance::Instance,
    state::{Miner, State},
};
use serde::{Deserialize, Serialize};
use zus_protocol::ids::{MinerId, Round, Subround};

/// One step of one participant. `miner` is honest, `member` is Byzantine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are `miner`, `member`, `block`, `parent`, `round` and `subround`")]
pub enum Action {
    /// Step 1: a miner sends its share of the beacon value that it needs.
    ShareBeacon { miner: MinerId },
    /// Step 1: the adversary forms the beacon value of a round from the shares that it has.
    FormBeacon { round: Round },
    /// Step 1, fault 20: a miner believes the seed that a proposal claims.
    BelieveSeed { miner: MinerId },
    /// Step 2: a miner proposes.
    Propose { miner: MinerId, block: Block },
    /// Step 2: a Byzantine member proposes.
    ByzantinePropose { block: Block, parent: Block },
    /// Steps 3 and 4: the collection window of a miner closes, and it selects a block.
    Select { miner: MinerId, block: Block },
    /// Step 5: a miner signs a ticket for the selected block and writes it to its log.
    Ticket { miner: MinerId, block: Block },
    /// Step 5: the ticket that is in the log leaves.
    SendTicket { miner: MinerId },
    /// Step 5: a Byzantine member sends a ticket.
    ByzantineTicket { member: MinerId, block: Block },
    /// Steps 6 and 7: q tickets make a notarization, which is broadcast.
    Notarize { block: Block },
    /// Step 8: a notarization reaches a miner, which votes if it may and leaves its round.
    Leave { miner: MinerId, block: Block },
    /// Step 8, fault A4: it votes and does not leave.
    VoteWithoutLeaving { miner: MinerId, block: Block },
    /// Step 8, fault 23: it takes the notarization of an earlier round for one of its own.
    LeaveRelabelled { miner: MinerId, block: Block },
    /// Step 8, rule `Adopt`: a miner changes to another notarized block of the round before, and to its seed.
    Adopt { miner: MinerId, block: Block },
    /// Step 8: a Byzantine member sends a finality vote.
    ByzantineVote { member: MinerId, block: Block },
    /// Step 9: a miner times out of its subround.
    Timeout { miner: MinerId },
    /// Step 9: a Byzantine member sends a timeout vote.
    ByzantineTimeout { member: MinerId, round: Round, subround: Subround },
    /// Step 9: a miner enters a later subround of its round.
    EnterSubround { miner: MinerId, subround: Subround },
    /// Step 10: an observer moves its finalized head.
    Finalize { observer: usize, block: Block },
    /// A miner goes down.
    Crash { miner: MinerId },
    /// It comes back where it was, with its log.
    Restart { miner: MinerId },
    /// It comes back in the first round, with its log.
    RestartBehind { miner: MinerId },
    /// The network becomes synchronous, for good.
    Synchronize,
}

/// The guard that keeps a step from happening.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Blocked {
    #[error("it names a participant or a block that the instance does not have")]
    NoSuch,
    #[error("it does not exist under these rules")]
    NotInRules,
    #[error("the miner is down")]
    Down,
    #[error("the miner is up")]
    Up,
    #[error("the miner is in another round")]
    OtherRound,
    #[error("the miner is in another subround")]
    OtherSubround,
    #[error("the miner has timed out of the subround")]
    TimedOut,
    #[error("the ticket rule allows no further ticket in the subround")]
    TicketRule,
    #[error("the generator is not eligible in the subround")]
    NotEligible,
    #[error("the block has not been proposed")]
    NotProposed,
    #[error("it has been done before")]
    Done,
    #[error("the parent is not notarized in the round before")]
    ParentNotNotarized,
    #[error("the block's seed is not the miner's")]
    OtherSeed,
    #[error("the beacon value is not known")]
    BeaconUnknown,
    #[error("the block is not notarized")]
    NotNotarized,
    #[error("the subround before has no timeout certificate")]
    NoTimeoutCertificate,
    #[error("the miner's log holds a finality vote for the round")]
    VoteLogged,
    #[error("nothing is waiting to be sent")]
    NothingToSend,
    #[error("the miner has not selected that block")]
    NotSelected,
    #[error("the block is not final")]
    NotFinal,
    #[error("the observer's head may not move there")]
    HeadRule,
    #[error("messages of honest miners arrive before this timer")]
    MessagesFirst,
    #[error("a better block of an honest generator has arrived in time")]
    BetterArrived,
    #[error("the network does not change, or is synchronous")]
    Network,
}

/// Turns a guard into a result.
pub(crate) fn require(guard: bool, otherwise: Blocked) -> Result<(), Blocked> {
    if guard { Ok(()) } else { Err(otherwise) }
}

impl Instance {
    /// Whether `action` may happen in `state`, or which guard is false.
    pub fn enabled(&self, state: &State, action: &Action) -> Result<(), Blocked> {
        use Action as A;
        match *action {
            A::ShareBeacon { miner } => self.share_beacon_enabled(state, miner),
            A::FormBeacon { round } => self.form_beacon_enabled(state, round),
            A::BelieveSeed { miner } => self.believe_seed_enabled(state, miner),
            A::Propose { miner, block } => self.propose_enabled(state, miner, block),
            A::ByzantinePropose { block, parent } => self.byzantine_propose_enabled(state, block, parent),
            A::Select { miner, block } => self.select_enabled(state, miner, block),
            A::Ticket { miner, block } => self.ticket_enabled(state, miner, block),
            A::SendTicket { miner } => self.send_ticket_enabled(state, miner),
            A::ByzantineTicket { member, block } => self.byzantine_ticket_enabled(state, member, block),
            A::Notarize { block } => self.notarize_enabled(state, block),
            A::Leave { miner, block } => self.leave_enabled(state, miner, block),
            A::VoteWithoutLeaving { miner, block } => self.vote_without_leaving_enabled(state, miner, block),
            A::LeaveRelabelled { miner, block } => self.leave_relabelled_enabled(state, miner, block),
            A::Adopt { miner, block } => self.adopt_enabled(state, miner, block),
            A::ByzantineVote { member, block } => self.byzantine_vote_enabled(state, member, block),
            A::Timeout { miner } => self.timeout_enabled(state, miner),
            A::ByzantineTimeout { member, round, subround } => {
                self.byzantine_timeout_enabled(state, member, round, subround)
            }
            A::EnterSubround { miner, subround } => self.enter_subround_enabled(state, miner, subround),
            A::Finalize { observer, block } => self.finalize_enabled(state, observer, block),
            A::Crash { miner } => self.crash_enabled(state, miner),
            A::Restart { miner } => self.restart_enabled(state, miner),
            A::RestartBehind { miner } => self.restart_behind_enabled(state, miner),
            A::Synchronize => self.synchronize_enabled(state),
        }
    }

    /// Does `action`, which must be enabled.
    pub fn apply(&self, state: &mut State, action: &Action) {
        use Action as A;
        match *action {
            A::ShareBeacon { miner } => self.share_beacon_apply(state, miner),
            A::FormBeacon { round } => self.form_beacon_apply(state, round),
            A::BelieveSeed { miner } => self.believe_seed_apply(state, miner),
            A::Propose { miner, block } => self.propose_apply(state, miner, block),
            A::ByzantinePropose { block, parent } => self.byzantine_propose_apply(state, block, parent),
            A::Select { miner, block } => self.select_apply(state, miner, block),
            A::Ticket { miner, block } => self.ticket_apply(state, miner, block),
            A::SendTicket { miner } => self.send_ticket_apply(state, miner),
            A::ByzantineTicket { member, block } => self.byzantine_ticket_apply(state, member, block),
            A::Notarize { block } => self.notarize_apply(state, block),
            A::Leave { miner, block } => self.leave_apply(state, miner, block),
            A::VoteWithoutLeaving { miner, block } => self.vote_apply(state, miner, block),
            A::LeaveRelabelled { miner, .. } => self.leave_relabelled_apply(state, miner),
            A::Adopt { miner, block } => self.adopt_apply(state, miner, block),
            A::ByzantineVote { member, block } => self.byzantine_vote_apply(state, member, block),
            A::Timeout { miner } => self.timeout_apply(state, miner),
            A::ByzantineTimeout { member, round, subround } => {
                self.byzantine_timeout_apply(state, member, round, subround);
            }
            A::EnterSubround { miner, subround } => self.enter_subround_apply(state, miner, subround),
            A::Finalize { observer, block } => self.finalize_apply(state, observer, block),
            A::Crash { miner } => self.crash_apply(state, miner),
            A::Restart { miner } => self.restart_apply(state, miner),
            A::RestartBehind { miner } => self.restart_behind_apply(state, miner),
            A::Synchronize => self.synchronize_apply(state),
        }
    }

    /// The honest miner of that id, if there is one.
    pub(crate) fn named<'s>(&self, state: &'s State, miner: MinerId) -> Result<&'s Miner, Blocked> {
        state.miners.get(usize::from(miner.0)).ok_or(Blocked::NoSuch)
    }

    /// The same, if it is up.
    pub(crate) fn acting<'s>(&self, state: &'s State, miner: MinerId) -> Result<&'s Miner, Blocked> {
        let m = self.named(state, miner)?;
        require(m.up, Blocked::Down)?;
        Ok(m)
    }

    /// Refuses a member that is not Byzantine.
    pub(crate) fn byzantine_member(&self, member: MinerId) -> Result<(), Blocked> {
        require(!self.is_honest(member) && member.0 < self.committee.members, Blocked::NoSuch)
    }

    /// Refuses genesis, and a block without a place in the order.
    pub(crate) fn place_of(&self, block: &Block) -> Result<(), Blocked> {
        require(*block != GENESIS && self.has_place(block), Blocked::NoSuch)
    }
}
