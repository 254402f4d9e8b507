//! What was collected of each round: beacon shares, candidates, tickets, timeouts and finality votes, within bounds.

use std::sync::Arc;

use crate::block::BlockId;
use crate::bounds::{MAX_TICKETS_PER_SIGNER, ROUNDS_AHEAD, ROUNDS_BEHIND, SUBROUNDS_AHEAD, SUBROUNDS_BEHIND};
use crate::committee::{MinerId, Round, Subround};
use crate::crypto::ranks::{Rank, Ranks};
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::message::BeaconShare;
use crate::statement::{BeaconTarget, FinalityVote, Signed, Ticket, Timeout};
use crate::ticket_pool::TicketPool;

/// A block that may be selected in its subround (steps 3 and 4). The block itself is in the chain.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Candidate {
    pub block: BlockId,
    pub parent: BlockId,
    pub generator: MinerId,
    pub rank: Rank,
    /// The generator's signature: half of the evidence, should there be another block.
    pub signature: Signature,
}

/// A beacon value with the committee's signature that proves it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct KnownBeacon {
    pub target: BeaconTarget,
    pub signature: Signature,
    pub value: BeaconValue,
}

/// Shares on the way to a beacon value: the newest of each signer.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Beacon {
    /// In order of signer.
    pub shares: Vec<BeaconShare>,
    pub known: Option<KnownBeacon>,
    /// Signers that sent wrong shares, and how many.
    strikes: Vec<(MinerId, u8)>,
}

impl Beacon {
    /// How many wrong shares a signer is known to have sent.
    pub fn strikes(&self, signer: MinerId) -> u8 {
        self.strikes.iter().find(|(striker, _)| *striker == signer).map_or(0, |(_, count)| *count)
    }

    /// Counts a wrong share that certainly came from its signer.
    pub fn strike(&mut self, signer: MinerId) {
        match self.strikes.iter_mut().find(|(striker, _)| *striker == signer) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.strikes.push((signer, 1)),
        }
    }

    /// Stores a share in its signer's place. Returns whether it is new.
    pub fn add(&mut self, share: BeaconShare) -> bool {
        match self.shares.binary_search_by_key(&share.signer, |known| known.signer) {
            Ok(index) => {
                let new = self.shares[index] != share;
                self.shares[index] = share;
                new
            }
            Err(index) => {
                self.shares.insert(index, share);
                true
            }
        }
    }
}

/// What was collected of one subround.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct SubroundState {
    pub subround: Subround,
    /// Where each subround has a beacon value of its own.
    pub beacon: Beacon,
    /// The order of generators, once it was needed.
    pub ranks: Option<Arc<Ranks>>,
    /// Best rank first; equal ranks in order of arrival.
    pub candidates: Vec<Candidate>,
    /// Generators with two blocks: no further block of theirs becomes a candidate.
    pub equivocators: Vec<MinerId>,
    pub tickets: TicketPool<Ticket>,
    pub timeouts: TicketPool<Timeout>,
}

impl SubroundState {
    fn new(subround: Subround, tickets_per_signer: usize) -> Self {
        Self {
            subround,
            beacon: Beacon::default(),
            ranks: None,
            candidates: Vec::new(),
            equivocators: Vec::new(),
            tickets: TicketPool::new(tickets_per_signer),
            timeouts: TicketPool::new(1),
        }
    }

    /// Adds a candidate behind those of its rank.
    pub fn add_candidate(&mut self, candidate: Candidate) {
        let index = self.candidates.partition_point(|known| known.rank <= candidate.rank);
        self.candidates.insert(index, candidate);
    }

    /// The candidate with this id.
    pub fn candidate(&self, block: BlockId) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.block == block)
    }
}

/// What was collected of one round.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct RoundState {
    pub round: Round,
    /// Where all subrounds share one beacon value.
    pub beacon: Beacon,
    pub votes: TicketPool<FinalityVote>,
    /// In order of subround.
    pub subrounds: Vec<SubroundState>,
    tickets_per_signer: usize,
}

impl RoundState {
    fn new(round: Round, tickets_per_signer: usize) -> Self {
        Self {
            round,
            beacon: Beacon::default(),
            votes: TicketPool::new(1),
            subrounds: Vec::new(),
            tickets_per_signer,
        }
    }

    pub fn subround(&self, subround: Subround) -> Option<&SubroundState> {
        let index = self.subrounds.binary_search_by_key(&subround, |state| state.subround).ok()?;
        Some(&self.subrounds[index])
    }

    /// The state of a subround, made when it is not there.
    pub fn subround_mut(&mut self, subround: Subround) -> &mut SubroundState {
        let index = match self.subrounds.binary_search_by_key(&subround, |state| state.subround) {
            Ok(index) => index,
            Err(index) => {
                self.subrounds.insert(index, SubroundState::new(subround, self.tickets_per_signer));
                index
            }
        };
        &mut self.subrounds[index]
    }
}

/// All rounds of which something was collected. Copied when changed, so that a clone of the miner is cheap.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Rounds {
    /// In order of round.
    rounds: Vec<Arc<RoundState>>,
    tickets_per_signer: usize,
}

impl Rounds {
    pub fn new(one_ticket: bool) -> Self {
        Self { rounds: Vec::new(), tickets_per_signer: if one_ticket { 1 } else { MAX_TICKETS_PER_SIGNER } }
    }

    pub fn get(&self, round: Round) -> Option<&RoundState> {
        let index = self.rounds.binary_search_by_key(&round, |state| state.round).ok()?;
        Some(&self.rounds[index])
    }

    /// The state of a subround for a message to be stored in. `None` when it is too far from the position `here`. Of a
    /// round that was left, only what is there is kept up: late tickets may still convict.
    pub fn collecting(
        &mut self,
        here: (Round, Subround),
        round: Round,
        subround: Subround,
    ) -> Option<&mut SubroundState> {
        let known = self.get(round).is_some_and(|state| state.subround(subround).is_some());
        (known || is_collected(here, round, subround)).then(|| self.get_mut(round).subround_mut(subround))
    }

    /// The state of a round, made when it is not there. Callers ask [`is_near`] first.
    pub fn get_mut(&mut self, round: Round) -> &mut RoundState {
        let index = match self.rounds.binary_search_by_key(&round, |state| state.round) {
            Ok(index) => index,
            Err(index) => {
                self.rounds.insert(index, Arc::new(RoundState::new(round, self.tickets_per_signer)));
                index
            }
        };
        Arc::make_mut(&mut self.rounds[index])
    }

    /// Forgets rounds and subrounds that are too far below the position.
    pub fn prune(&mut self, round: Round, subround: Subround) {
        let lowest = Round(round.0.saturating_sub(ROUNDS_BEHIND));
        self.rounds.retain(|state| state.round >= lowest);
        let lowest = Subround(subround.0.saturating_sub(SUBROUNDS_BEHIND));
        if self.get(round).is_some_and(|state| state.subrounds.iter().any(|sub| sub.subround < lowest)) {
            self.get_mut(round).subrounds.retain(|state| state.subround >= lowest);
        }
    }

    /// How many signatures, shares and candidates are held: what the flood tests bound.
    pub fn size(&self) -> usize {
        let subround = |state: &SubroundState| {
            state.candidates.len() + state.beacon.shares.len() + state.tickets.len() + state.timeouts.len()
        };
        let round = |state: &Arc<RoundState>| {
            state.beacon.shares.len()
                + state.votes.len()
                + state.subrounds.iter().map(subround).sum::<usize>()
        };
        self.rounds.iter().map(round).sum()
    }
}

/// Whether messages of `round` are kept by a miner in round `here`.
pub(super) fn is_near(here: Round, round: Round) -> bool {
    round.0.saturating_add(ROUNDS_BEHIND) >= here.0 && round.0 <= here.0.saturating_add(ROUNDS_AHEAD)
}

/// Whether new proposals, tickets and timeouts of (`round`, `subround`) are kept by a miner in `here`.
fn is_collected(here: (Round, Subround), round: Round, subround: Subround) -> bool {
    let own = if round == here.0 { here.1 } else { Subround(0) };
    round >= here.0
        && is_near(here.0, round)
        && subround.0.saturating_add(SUBROUNDS_BEHIND) >= own.0
        && subround.0 <= own.0.saturating_add(SUBROUNDS_AHEAD)
}

/// A signed proposal statement kept for evidence.
pub(super) fn signed_candidate(
    candidate: &Candidate,
    round: Round,
    subround: Subround,
) -> Signed<crate::statement::Proposed> {
    Signed {
        statement: crate::statement::Proposed { round, subround, block: candidate.block },
        signer: candidate.generator,
        signature: candidate.signature,
    }
}
