//! The order of the lanes, from left to right: honest miners, sent messages, Byzantine miners, observers.

use crate::draw::scene::{Lane, Role};
use zus_checker::{
    action::Action,
    blocks::{BlockId, Generator},
    protocol::Protocol,
};

/// The lanes of the runs of an instance.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<'a>(pub(crate) &'a Protocol);

impl Lanes<'_> {
    pub(crate) fn network(self) -> usize {
        self.0.honest()
    }

    /// The lane of a Byzantine miner; where there is none, what it sends comes from the network.
    pub(crate) fn byzantine(self, number: u32) -> usize {
        let all = self.0.committee.byzantine;
        self.network() + if all == 0 { 0 } else { 1 + (number % all) as usize }
    }

    pub(crate) fn observer(self, number: u8) -> usize {
        self.network() + 1 + self.0.committee.byzantine as usize + usize::from(number)
    }

    /// Byzantine generators of a subround are told apart by their rank; which honest miner a generator is, a trace
    /// with implied proposals does not say.
    pub(crate) fn generator(self, block: BlockId) -> usize {
        let blocks = &self.0.blocks;
        let place = *blocks.place(block);
        if place.generator == Generator::Honest {
            return self.network();
        }
        let lower = |&b: &BlockId| {
            let other = blocks.place(b);
            other.generator != Generator::Honest && other.twin == 0 && other.rank < place.rank
        };
        self.byzantine(blocks.of_subround(place.round, place.subround).filter(lower).count() as u32)
    }

    /// The lane of the acting participant; of several miners, that of the last one.
    pub(crate) fn of(self, action: &Action) -> usize {
        use Action as A;
        match *action {
            A::ShareBeacon { miner }
            | A::Propose { miner, .. }
            | A::Select { miner, .. }
            | A::Ticket { miner, .. }
            | A::SendTicket { miner }
            | A::Leave { miner, .. }
            | A::TimeoutThenLeave { miner, .. }
            | A::LeaveRelabelled { miner, .. }
            | A::VoteWithoutLeaving { miner, .. }
            | A::Adopt { miner, .. }
            | A::BelieveSeed { miner }
            | A::Timeout { miner }
            | A::EnterSubround { miner, .. }
            | A::Crash { miner }
            | A::Restart { miner }
            | A::RestartBehind { miner } => usize::from(miner),
            A::TimeoutTogether { miners, .. } => {
                (0..self.network()).rev().find(|m| miners >> m & 1 == 1).unwrap_or(self.network())
            }
            A::Notarize { .. } | A::Synchronize => self.network(),
            A::FormBeacon { .. } => self.byzantine(0),
            A::ByzantinePropose { block, .. } => self.generator(block),
            A::ByzantineTicket { byzantine, .. }
            | A::ByzantineVote { byzantine, .. }
            | A::ByzantineTimeout { byzantine, .. } => self.byzantine(byzantine.into()),
            A::Finalize { observer, .. } => self.observer(observer),
        }
    }

    /// The participant of a lane, as [`Protocol::participant`] counts them; the network is none.
    pub(crate) fn participant(self, lane: usize) -> Option<usize> {
        (lane != self.network()).then(|| lane - usize::from(lane > self.network()))
    }

    /// All of them, with so many observers.
    pub(crate) fn all(self, observers: usize) -> Vec<Lane> {
        let end = self.observer(0) + observers;
        let lane = |at: usize| {
            let name = self.participant(at).map_or("sent".into(), |who| self.0.participant(who));
            let role = match at {
                _ if at < self.network() => Role::Honest,
                _ if at == self.network() => Role::Network,
                _ if at < self.observer(0) => Role::Byzantine,
                _ => Role::Observer,
            };
            Lane { name, role, committee: None }
        };
        (0..end).map(lane).collect()
    }
}
