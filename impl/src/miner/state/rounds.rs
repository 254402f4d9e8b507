//! The messages collected in each round: beacon shares, candidates, tickets, timeouts and finality votes, within
//! bounds.

use std::hash::Hash;
use std::sync::Arc;

use crate::block::BlockId;
use crate::committee::{MinerId, Round, Subround};
use crate::crypto::ranks::{Rank, Ranks};
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::limits::{ROUNDS_AHEAD, ROUNDS_BEHIND, SUBROUNDS_AHEAD, SUBROUNDS_BEHIND};
use crate::message::BeaconShare;
use crate::signature_pool::SignaturePool;
use crate::statement::{BeaconTarget, FinalityVote, Signed, Ticket, Timeout};

/// A block that may be selected in its subround (steps 3 and 4). The block itself is in the chain.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Candidate {
    pub block: BlockId,
    pub parent: BlockId,
    pub generator: MinerId,
    pub rank: Rank,
    /// The generator's signature: half of the evidence, should there be another block.
    pub signature: Signature,
}

/// A beacon value with the committee's signature that proves it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct KnownBeacon {
    pub target: BeaconTarget,
    pub signature: Signature,
    pub value: BeaconValue,
}

/// A share, and whether it was verified by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HeldShare {
    pub share: BeaconShare,
    pub verified: bool,
}

/// Shares on the way to a beacon value: one of each signer. Each is verified once at most, and only when it has to be.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Beacon {
    /// In order of signer.
    pub shares: Vec<HeldShare>,
    pub known: Option<KnownBeacon>,
    /// The last share of each signer that was found to be wrong, and how many certainly came from it.
    wrong: Vec<(BeaconShare, u8)>,
}

impl Beacon {
    /// The share of a signer for a target.
    pub fn share(&self, signer: MinerId, target: &BeaconTarget) -> Option<HeldShare> {
        self.shares.iter().find(|held| held.share.signer == signer && held.share.target == *target).copied()
    }

    /// How many wrong shares a signer is known to have sent.
    pub fn strikes(&self, signer: MinerId) -> u8 {
        self.wrong.iter().find(|(share, _)| share.signer == signer).map_or(0, |(_, strikes)| *strikes)
    }

    /// Whether a share was found to be wrong before, or must be: a signer has one genuine share for a target.
    pub fn is_wrong(&self, share: &BeaconShare) -> bool {
        let other = self.share(share.signer, &share.target).filter(|held| held.share != *share);
        other.is_some_and(|held| held.verified) || self.wrong.iter().any(|(known, _)| known == share)
    }

    /// Remembers a wrong share, and counts it if it `certainly` came from its signer.
    pub fn found_wrong(&mut self, share: BeaconShare, certainly: bool) {
        let strike = u8::from(certainly);
        match self.wrong.iter_mut().find(|(known, _)| known.signer == share.signer) {
            Some((known, strikes)) => (*known, *strikes) = (share, strikes.saturating_add(strike)),
            None => self.wrong.push((share, strike)),
        }
    }

    /// Puts a share into its signer's place.
    pub fn put(&mut self, share: HeldShare) {
        match self.shares.binary_search_by_key(&share.share.signer, |known| known.share.signer) {
            Ok(index) => self.shares[index] = share,
            Err(index) => self.shares.insert(index, share),
        }
    }
}

/// The messages collected in one subround.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SubroundState {
    pub subround: Subround,
    /// Where each subround has a beacon value of its own.
    pub beacon: Beacon,
    /// The order of generators, once it was needed.
    pub ranks: Option<Arc<Ranks>>,
    /// Best rank first; equal ranks in order of arrival.
    pub candidates: Vec<Candidate>,
    /// Generators with two blocks: no further block of theirs becomes a candidate.
    pub equivocators: Vec<MinerId>,
    pub tickets: SignaturePool<Ticket>,
    pub timeouts: SignaturePool<Timeout>,
}

impl SubroundState {
    fn new(subround: Subround, tickets_per_signer: usize) -> Self {
        Self {
            subround,
            beacon: Beacon::default(),
            ranks: None,
            candidates: Vec::new(),
            equivocators: Vec::new(),
            tickets: SignaturePool::new(tickets_per_signer),
            timeouts: SignaturePool::new(1),
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

/// The messages collected in one round.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RoundState {
    pub round: Round,
    /// Where all subrounds share one beacon value.
    pub beacon: Beacon,
    pub votes: SignaturePool<FinalityVote>,
    /// In order of subround.
    pub subrounds: Vec<SubroundState>,
    tickets_per_signer: usize,
}

impl RoundState {
    fn new(round: Round, tickets_per_signer: usize) -> Self {
        Self {
            round,
            beacon: Beacon::default(),
            votes: SignaturePool::new(1),
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
pub struct Rounds {
    /// In order of round.
    rounds: Vec<Arc<RoundState>>,
    tickets_per_signer: usize,
}

impl Rounds {
    pub fn new(tickets_per_signer: usize) -> Self {
        Self { rounds: Vec::new(), tickets_per_signer }
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

    /// Whether a subround of the own round lies so far below the own one that nothing new of it is kept.
    pub fn is_left_behind(&self, here: (Round, Subround), round: Round, subround: Subround) -> bool {
        round == here.0
            && subround.0.saturating_add(SUBROUNDS_BEHIND) < here.1.0
            && self.get(round).is_none_or(|state| state.subround(subround).is_none())
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

    /// Forgets rounds and subrounds that are too far below the position; not the subround whose beacon value it has.
    pub fn prune(&mut self, round: Round, subround: Subround, ordered_as: Subround) {
        let lowest = Round(round.0.saturating_sub(ROUNDS_BEHIND));
        self.rounds.retain(|state| state.round >= lowest);
        let lowest = Subround(subround.0.saturating_sub(SUBROUNDS_BEHIND));
        let goes = |state: &SubroundState| state.subround < lowest && state.subround != ordered_as;
        if self.get(round).is_some_and(|state| state.subrounds.iter().any(goes)) {
            self.get_mut(round).subrounds.retain(|state| !goes(state));
        }
    }

    /// Whether all is in its order, and no round is farther from the own one than is kept.
    pub fn is_in_order(&self, here: Round) -> bool {
        let subround = |state: &SubroundState| state.candidates.is_sorted_by_key(|candidate| candidate.rank);
        let round = |state: &Arc<RoundState>| {
            is_near(here, state.round)
                && state.subrounds.is_sorted_by(|a, b| a.subround < b.subround)
                && state.subrounds.iter().all(subround)
        };
        self.rounds.is_sorted_by(|a, b| a.round < b.round) && self.rounds.iter().all(round)
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
pub fn is_near(here: Round, round: Round) -> bool {
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
pub fn signed_candidate(
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
