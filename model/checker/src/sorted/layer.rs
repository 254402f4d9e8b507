//! The layer of each step, as a number from 1.

use crate::{
    action::{Action, Blocked},
    blocks::{BlockId, MAX_ROUNDS, MAX_SUBROUNDS, Place},
    protocol::Protocol,
    state::State,
};

/// The layer of the latest step of a sorted run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Floor {
    /// Its round; one more than there are where only observers act.
    pub round: u8,
    /// Its subround; 0 in the layer of votes.
    pub subround: u8,
    /// Whether it is the layer of timeouts of the subround.
    pub timeouts: bool,
    /// Whether it is the layer of votes of the round.
    pub voting: bool,
}

/// The state has six bits for a layer.
const _: () = assert!(1 + MAX_ROUNDS * (2 * MAX_SUBROUNDS + 1) < 64);

impl Protocol {
    fn layers_of_a_round(&self) -> u32 {
        2 * u32::from(self.blocks.subrounds) + 1
    }

    /// The layer of tickets of (round, subround).
    fn tickets_layer(&self, round: u32, subround: u32) -> u32 {
        1 + (round - 1) * self.layers_of_a_round() + 2 * subround
    }

    /// The layer of votes of `round`; that of round 0, which is over from the start, is the first one.
    fn votes_layer(&self, round: u32) -> u32 {
        (round * self.layers_of_a_round()).max(1)
    }

    /// The layer of observers.
    pub(crate) fn last_layer(&self) -> u32 {
        1 + u32::from(self.blocks.rounds) * self.layers_of_a_round()
    }

    /// The layer of `action` in `state`. The first one for what a sorted search never has.
    fn layer(&self, state: &State, action: &Action) -> u32 {
        use Action as A;
        let coarse = u32::from(self.timeouts_have_a_layer());
        let of_block = |block: BlockId| {
            if block.index() >= self.blocks.len() {
                return None;
            }
            let place = self.blocks.place(block);
            Some((u32::from(place.round), u32::from(place.subround)))
        };
        let at = |miner: u8| {
            let m = &state.miners[miner as usize % state.miners.len()];
            (m.round().max(1), m.subround())
        };
        match *action {
            A::Ticket { block, .. } => of_block(block).map_or(1, |(r, s)| self.tickets_layer(r, s)),
            A::SendTicket { miner } | A::Adopt { miner, .. } | A::Crash { miner } | A::Restart { miner } => {
                let (round, subround) = at(miner);
                self.tickets_layer(round, subround)
            }
            A::EnterSubround { miner, subround } => self.tickets_layer(at(miner).0, subround.into()),
            A::Timeout { miner } => {
                let (round, subround) = at(miner);
                // Without certificates a miner enters the next subround by its timeout.
                let up = if self.rules.enters_alone() { 2 } else { coarse };
                self.tickets_layer(round, subround) + up
            }
            A::TimeoutTogether { round, subround, .. } => {
                self.tickets_layer(u32::from(round).max(1), subround.into()) + coarse
            }
            A::Leave { block, .. } | A::TimeoutThenLeave { block, .. } => {
                of_block(block).map_or(1, |(r, _)| self.votes_layer(r))
            }
            A::FormBeacon { round } => self.votes_layer(u32::from(round).saturating_sub(1)),
            A::Finalize { .. } => self.last_layer(),
            // The messages that `eager` and `byzantine_available` send with their causes, and steps of mistakes.
            A::ShareBeacon { .. }
            | A::Propose { .. }
            | A::ByzantinePropose { .. }
            | A::Select { .. }
            | A::ByzantineTicket { .. }
            | A::Notarize { .. }
            | A::VoteWithoutLeaving { .. }
            | A::LeaveRelabelled { .. }
            | A::BelieveSeed { .. }
            | A::ByzantineVote { .. }
            | A::ByzantineTimeout { .. }
            | A::RestartBehind { .. }
            | A::Synchronize => 1,
        }
    }

    /// Refuses what a sorted run would have done earlier.
    #[inline]
    pub(crate) fn in_order(&self, state: &State, action: &Action) -> Result<(), Blocked> {
        let floor = state.environment.floor();
        if floor == 0 {
            return Ok(());
        }
        // Lemma 3: the timeout would be of a lower layer, and of no use.
        let merged = matches!(action, Action::TimeoutThenLeave { .. });
        if merged || self.layer(state, action) < floor { Err(Blocked::Sorted) } else { Ok(()) }
    }

    /// Whether a sorted run may still have tickets of (round, subround), or enter it.
    #[inline]
    pub(crate) fn tickets_in_order(&self, state: &State, round: u8, subround: u8) -> bool {
        let floor = state.environment.floor();
        floor == 0 || self.tickets_layer(round.into(), subround.into()) >= floor
    }

    /// Whether a sorted run may still leave the round of `block` through it.
    #[inline]
    pub(crate) fn votes_in_order(&self, state: &State, block: BlockId) -> bool {
        let floor = state.environment.floor();
        floor == 0 || self.votes_layer(self.blocks.round(block).into()) >= floor
    }

    /// Raises the floor to the layer of `action`, which is about to happen.
    #[inline]
    pub(crate) fn raise_floor(&self, state: &mut State, action: &Action) {
        if state.environment.floor() == 0 {
            return;
        }
        let mut layer = self.layer(state, action);
        if self.timeouts_have_a_layer() && matches!(action, Action::TimeoutTogether { .. }) {
            // Lemma 3: nothing more happens in the layer of timeouts.
            layer += 1;
        }
        state.environment.set_floor(layer);
    }

    /// The floor, where runs are sorted.
    #[inline]
    pub(crate) fn floor(&self, state: &State) -> Option<Floor> {
        let layer = state.environment.floor().checked_sub(1)?;
        let (round, within) = (layer / self.layers_of_a_round(), layer % self.layers_of_a_round());
        let voting = within == 2 * u32::from(self.blocks.subrounds);
        Some(Floor {
            round: round as u8 + 1,
            subround: if voting { 0 } else { (within / 2) as u8 },
            timeouts: !voting && within % 2 == 1,
            voting,
        })
    }

    /// Whether `miner` can still act in its round, or its round is not over: elsewhere it was left behind, and its state is
    /// partly forgotten (Lemma 5).
    #[inline]
    pub(crate) fn is_current(&self, state: &State, miner: usize) -> bool {
        let round = state.miners[miner].round() as u8;
        self.floor(state).is_none_or(|floor| round >= floor.round + u8::from(floor.voting))
    }

    /// Whether the tickets at `place` are of a layer below the floor (Lemma 5).
    #[inline]
    pub(crate) fn is_past(&self, state: &State, place: &Place) -> bool {
        self.tickets_layer(place.round.into(), place.subround.into()) < state.environment.floor()
    }

    /// Whether W4 and W8 are judged of that miner and block: when the block is notarized, or the miner comes (Lemma 5).
    pub(crate) fn shows_now(&self, state: &State, miner: usize, block: BlockId) -> bool {
        let Some(floor) = self.floor(state) else { return true };
        let (m, place) = (&state.miners[miner], self.blocks.place(block));
        if place.round != floor.round || floor.voting {
            return false;
        }
        // A miner of a lower round jumps, whichever its round was.
        (m.round() as u8) < floor.round
            || !self.forgets_within()
            || (m.subround() as u8 == floor.subround) != (place.subround == floor.subround)
    }
}
