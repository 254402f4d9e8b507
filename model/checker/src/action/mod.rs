//! The next-state relation: one function pair a step, `*_enabled` beside `*_apply`, in the order and with the numbers
//! of PROTOCOL.md, section 4.
//!
//! A guard that is false says which one it is ([`Blocked`]): `zus replay`, the explorer and the conformance harness
//! all report it. [`Protocol::actions`] gives those that [`Protocol::enabled`] lets pass, so there is one definition of what may
//! happen. For speed it asks the guards that many candidates share once, by the same functions; a test (`every.rs`) compares it with
//! all candidates, each asked alone.

mod beacon;
#[cfg(test)]
mod every;
mod fault;
mod finality;
mod notarization;
mod proposal;
mod ticket;
mod timeout;

use crate::{
    blocks::{BlockId, BlockSet},
    committee::Members,
    protocol::Protocol,
    state::State,
};

use serde::{Deserialize, Serialize};
pub use zus_spec::Blocked as Guard;

/// One step of one participant. `miner` is an honest miner, `byzantine` a Byzantine one, each counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Step 1: a miner sends its share of the beacon.
    ShareBeacon {
        /// The miner.
        miner: u8,
    },
    /// Step 1: the adversary forms the beacon value of a round from the shares that it has (S11).
    FormBeacon {
        /// The round.
        round: u8,
    },
    /// Step 2: a generator sends its block, extending the block through which it entered.
    Propose {
        /// The miner.
        miner: u8,
        /// The block.
        block: BlockId,
    },
    /// Step 2: a Byzantine miner sends a block.
    ByzantinePropose {
        /// The block.
        block: BlockId,
        /// The parent of the block.
        parent: BlockId,
    },
    /// Steps 3 and 4: the collection window closes and the miner picks a block.
    Select {
        /// The miner.
        miner: u8,
        /// The block.
        block: BlockId,
    },
    /// Step 5: the miner signs a ticket, writes it to the log and, unless a crash could come between, sends it.
    Ticket {
        /// The miner.
        miner: u8,
        /// The block.
        block: BlockId,
        /// The parent of the block.
        parent: BlockId,
    },
    /// Step 5: a logged ticket leaves.
    SendTicket {
        /// The miner.
        miner: u8,
    },
    /// Step 5: a Byzantine miner sends a ticket.
    ByzantineTicket {
        /// The Byzantine miner.
        byzantine: u8,
        /// The block.
        block: BlockId,
    },
    /// Steps 6 and 7: q tickets make a notarization, which is broadcast.
    Notarize {
        /// The block.
        block: BlockId,
    },
    /// Step 8: a notarization arrives; the miner votes if it may, and enters the next round.
    Leave {
        /// The miner.
        miner: u8,
        /// The block.
        block: BlockId,
    },
    /// Steps 9 and 8 at once: the miner sends its timeout and then leaves (a reduction).
    TimeoutThenLeave {
        /// The miner.
        miner: u8,
        /// The block.
        block: BlockId,
    },
    /// Step 8 without leaving (mutant A4).
    VoteWithoutLeaving {
        /// The miner.
        miner: u8,
        /// The block.
        block: BlockId,
    },
    /// Step 8 with a notarization of another round relabelled (mutant 23).
    LeaveRelabelled {
        /// The miner.
        miner: u8,
        /// The block.
        block: BlockId,
    },
    /// Step 8: a miner that entered its round changes to another notarized block of the round before, and its seed.
    Adopt {
        /// The miner.
        miner: u8,
        /// The block.
        block: BlockId,
    },
    /// Step 1 by a deceived miner: it believes a seed that a proposal claims (mutant 20).
    BelieveSeed {
        /// The miner.
        miner: u8,
    },
    /// Step 8: a Byzantine miner sends a finality vote.
    ByzantineVote {
        /// The Byzantine miner.
        byzantine: u8,
        /// The block.
        block: BlockId,
    },
    /// Step 9: a miner stops ticketing in its subround and sends a timeout.
    Timeout {
        /// The miner.
        miner: u8,
    },
    /// Step 9: a set of miners does so, just enough for a certificate (a reduction).
    TimeoutTogether {
        /// Their round.
        round: u8,
        /// Their subround.
        subround: u8,
        /// The miners, as a set.
        miners: u8,
    },
    /// Step 9: a Byzantine miner sends a timeout.
    ByzantineTimeout {
        /// The Byzantine miner.
        byzantine: u8,
        /// Its round.
        round: u8,
        /// Its subround.
        subround: u8,
    },
    /// Step 9: a miner enters a later subround of its round.
    EnterSubround {
        /// The miner.
        miner: u8,
        /// The subround that it enters.
        subround: u8,
    },
    /// Step 10: an observer (sharder or miner) moves its finalized head.
    Finalize {
        /// The observer.
        observer: u8,
        /// The new head.
        block: BlockId,
    },
    /// A miner goes down.
    Crash {
        /// The miner.
        miner: u8,
    },
    /// It comes back with what its log holds.
    Restart {
        /// The miner.
        miner: u8,
    },
    /// It comes back in the first round, with what its log holds.
    RestartBehind {
        /// The miner.
        miner: u8,
    },
    /// The network becomes synchronous, for good.
    Synchronize,
}

/// The reason why an action cannot happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Blocked {
    /// A guard of the specification.
    #[error(transparent)]
    Guard(#[from] Guard),
    /// The bound of the scenario (rounds, subrounds, crashes) is reached.
    #[error("the bound of the scenario is reached")]
    Bound,
    /// The search explores only sorted runs, and has been in a higher layer (`sorted/mod.rs`).
    #[error("in a sorted run it happens earlier")]
    Sorted,
}

/// The answers that several steps ask of one state.
struct Seen {
    /// The blocks that are notarized.
    notarized: BlockSet,
    /// [`Protocol::representatives`].
    miners: Members,
}

impl Protocol {
    /// All actions that may happen in `state`, in the order of the steps.
    pub fn actions(&self, state: &State, out: &mut Vec<Action>) {
        self.actions_with(state, self.notarized_set(state), out);
    }

    /// As [`Protocol::actions`], in a state whose notarized blocks are known.
    pub(crate) fn actions_with(&self, state: &State, notarized: BlockSet, out: &mut Vec<Action>) {
        let seen = Seen { notarized, miners: self.representatives(state) };
        self.beacon_candidates(state, &seen, out);
        self.proposal_candidates(state, &seen, out);
        self.ticket_candidates(state, &seen, out);
        self.notarization_candidates(state, &seen, out);
        self.timeout_candidates(state, &seen, out);
        self.finality_candidates(state, out);
        self.fault_candidates(state, &seen, out);
    }

    /// Adds `action` to `out` if it may happen.
    #[inline]
    fn offer(&self, state: &State, action: Action, out: &mut Vec<Action>) {
        if self.enabled(state, &action).is_ok() {
            out.push(action);
        }
    }

    /// Whether `action` may happen in `state`, or which guard is false. Any action may be asked about, also one that
    /// names what the scenario does not have.
    pub fn enabled(&self, state: &State, action: &Action) -> Result<(), Blocked> {
        use Action as A;
        self.in_order(state, action)?;
        match *action {
            A::ShareBeacon { miner } => self.share_beacon_enabled(state, miner),
            A::FormBeacon { round } => self.form_beacon_enabled(state, round),
            A::Propose { miner, block } => self.propose_enabled(state, miner, block),
            A::ByzantinePropose { block, parent } => self.byzantine_propose_enabled(state, block, parent),
            A::Select { miner, block } => self.select_enabled(state, miner, block),
            A::Ticket { miner, block, parent } => self.ticket_enabled(state, miner, block, parent),
            A::SendTicket { miner } => self.send_ticket_enabled(state, miner),
            A::ByzantineTicket { byzantine, block } => self.byzantine_ticket_enabled(state, byzantine, block),
            A::Notarize { block } => self.notarize_enabled(state, block),
            A::Leave { miner, block } => self.leave_enabled(state, miner, block),
            A::TimeoutThenLeave { miner, block } => self.timeout_then_leave_enabled(state, miner, block),
            A::VoteWithoutLeaving { miner, block } => self.vote_without_leaving_enabled(state, miner, block),
            A::LeaveRelabelled { miner, block } => self.leave_relabelled_enabled(state, miner, block),
            A::Adopt { miner, block } => self.adopt_enabled(state, miner, block),
            A::BelieveSeed { miner } => self.believe_seed_enabled(state, miner),
            A::ByzantineVote { byzantine, block } => self.byzantine_vote_enabled(state, byzantine, block),
            A::Timeout { miner } => self.timeout_enabled(state, miner),
            A::TimeoutTogether { round, subround, miners } => {
                self.timeout_together_enabled(state, round, subround, miners)
            }
            A::ByzantineTimeout { byzantine, round, subround } => {
                self.byzantine_timeout_enabled(state, byzantine, round, subround)
            }
            A::EnterSubround { miner, subround } => self.enter_subround_enabled(state, miner, subround),
            A::Finalize { observer, block } => self.finalize_enabled(state, observer, block),
            A::Crash { miner } => self.crash_enabled(state, miner),
            A::Restart { miner } => self.restart_enabled(state, miner),
            A::RestartBehind { miner } => self.restart_behind_enabled(state, miner),
            A::Synchronize => self.synchronize_enabled(state),
        }
    }

    /// The state after `action`, which must be enabled, before any reduction.
    pub fn apply(&self, state: &State, action: &Action) -> State {
        let mut next = *state;
        self.perform(&mut next, action);
        next
    }

    /// As [`Protocol::apply`], in place.
    pub fn perform(&self, next: &mut State, action: &Action) {
        use Action as A;
        self.raise_floor(next, action);
        match *action {
            A::ShareBeacon { miner } => self.share_beacon_apply(next, miner as usize),
            A::FormBeacon { round } => self.form_beacon_apply(next, round),
            A::Propose { miner, block } => self.propose_apply(next, miner as usize, block),
            A::ByzantinePropose { block, parent } => self.materialize(next, block, parent),
            A::Select { miner, block } => self.select_apply(next, miner as usize, block),
            A::Ticket { miner, block, parent } => self.ticket_apply(next, miner as usize, block, parent),
            A::SendTicket { miner } => self.send_ticket_apply(next, miner as usize),
            A::ByzantineTicket { byzantine, block } => {
                let tally = next.block_mut(block);
                tally.set_byzantine_tickets(tally.byzantine_tickets() | 1 << byzantine);
            }
            A::Notarize { block } => next.block_mut(block).set_notarized(1),
            A::Leave { miner, block } => self.leave_apply(next, miner as usize, block),
            A::TimeoutThenLeave { miner, block } => {
                self.timeout_apply(next, miner as usize);
                self.leave_apply(next, miner as usize, block);
            }
            A::VoteWithoutLeaving { miner, block } => {
                self.vote_without_leaving_apply(next, miner as usize, block);
            }
            A::LeaveRelabelled { miner, .. } => self.leave_relabelled_apply(next, miner as usize),
            A::Adopt { miner, block } => self.adopt_apply(next, miner as usize, block),
            A::BelieveSeed { miner } => next.miners[miner as usize].set_deceived(1),
            A::ByzantineVote { byzantine, block } => {
                let tally = next.block_mut(block);
                tally.set_byzantine_votes(tally.byzantine_votes() | 1 << byzantine);
            }
            A::Timeout { miner } => self.timeout_apply(next, miner as usize),
            A::TimeoutTogether { miners, .. } => {
                for miner in (0..self.honest()).filter(|m| miners >> m & 1 == 1) {
                    self.timeout_apply(next, miner);
                }
            }
            A::ByzantineTimeout { byzantine, round, subround } => {
                let tally = next.timeout_mut(round, subround);
                tally.set_byzantine(tally.byzantine() | 1 << byzantine);
            }
            A::EnterSubround { miner, subround } => {
                self.enter_subround_apply(next, miner as usize, subround);
            }
            A::Finalize { observer, block } => self.finalize_apply(next, observer as usize, block),
            A::Crash { miner } => self.crash_apply(next, miner as usize),
            A::Restart { miner } => self.restart_apply(next, miner as usize),
            A::RestartBehind { miner } => self.restart_behind_apply(next, miner as usize),
            A::Synchronize => self.synchronize_apply(next),
        }
    }

    /// The honest miner that an action names, if the scenario has it.
    #[inline]
    fn named(&self, miner: u8) -> Result<usize, Blocked> {
        if (miner as usize) < self.honest() { Ok(miner as usize) } else { Err(Guard::NoSuch.into()) }
    }

    /// The honest miner that an action names, if it is up and in a round that is explored.
    #[inline]
    fn acting(&self, state: &State, miner: u8) -> Result<usize, Blocked> {
        let miner = self.named(miner)?;
        if state.miners[miner].crashed() == 1 {
            Err(Guard::Down.into())
        } else if state.miners[miner].round() as u8 > self.last_round(state) {
            Err(Guard::OtherRound.into())
        } else {
            Ok(miner)
        }
    }

    /// Refuses a block that the scenario does not have.
    #[inline]
    fn known(&self, block: BlockId) -> Result<(), Blocked> {
        if block.index() < self.blocks.len() { Ok(()) } else { Err(Guard::NoSuch.into()) }
    }
}

/// Turns a guard into a result.
#[inline]
fn require(guard: bool, otherwise: impl Into<Blocked>) -> Result<(), Blocked> {
    if guard { Ok(()) } else { Err(otherwise.into()) }
}
