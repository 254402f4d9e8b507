//! Looking at a miner from outside: for monitoring, and for comparing it with the model. Nothing here changes it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::block::{Block, BlockId, Time};
use crate::certified::{FinalityCertificate, Notarization};
use crate::committee::{MinerId, Peer, Round, Subround};
use crate::crypto::ranks::Rank;
use crate::crypto::scheme::{BeaconValue, Scheme};
use crate::evidence::Evidence;
use crate::miner::Miner;
use crate::miner::interface::{Config, Phase};
use crate::statement::{FinalityVote, Proposed, Ticket, Timeout};
use crate::ticket_log::LogRecord;

impl<S: Scheme> Miner<S> {
    /// The configuration of the miner.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The miner's place in the committee.
    #[must_use]
    pub fn id(&self) -> MinerId {
        self.me
    }

    /// The round.
    #[must_use]
    pub fn round(&self) -> Round {
        self.round
    }

    /// The subround.
    #[must_use]
    pub fn subround(&self) -> Subround {
        self.subround
    }

    /// The phase.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The block through which the round was entered; of the round before.
    #[must_use]
    pub fn entry(&self) -> BlockId {
        self.entry.block
    }

    /// The beacon value of the own subround, once it is known.
    #[must_use]
    pub fn beacon(&self) -> Option<BeaconValue> {
        self.beacon_target(self.subround)
            .and_then(|target| self.known_beacon(&target))
            .map(|known| known.value)
    }

    /// All tickets signed, in order of round and subround; those far below the own round are forgotten.
    pub fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.ledger.tickets()
    }

    /// The blocks ticketed in one subround.
    pub fn ticketed(&self, round: Round, subround: Subround) -> impl Iterator<Item = BlockId> {
        self.ledger.tickets_of(round, subround).map(|ticket| ticket.block)
    }

    /// The highest timeout signed; where subrounds are entered locally, the highest subround given up.
    #[must_use]
    pub fn highest_timeout(&self) -> Option<Timeout> {
        self.ledger.highest_timeout()
    }

    /// The finality votes cast, in order of round; those far below the own round are forgotten.
    pub fn votes(&self) -> impl Iterator<Item = FinalityVote> {
        self.ledger.votes()
    }

    /// The own block of a subround.
    #[must_use]
    pub fn proposal(&self, round: Round, subround: Subround) -> Option<Proposed> {
        self.ledger.proposal(round, subround)
    }

    /// All own blocks, in order of round and subround.
    pub fn proposals(&self) -> impl Iterator<Item = Proposed> {
        self.ledger.proposals()
    }

    /// Whether the round was left, so that nothing more is signed in it: it has a finality vote of this miner, or a later round has a
    /// signature of its.
    #[must_use]
    pub fn is_closed(&self, round: Round) -> bool {
        self.ledger.is_closed(round)
    }

    /// The signed records that are not known to be durable: their messages have not left.
    pub fn unwritten(&self) -> impl Iterator<Item = &LogRecord> {
        self.signing.unwritten()
    }

    /// The known notarizations above the finalized head, in order of round and subround.
    pub fn notarizations(&self) -> impl Iterator<Item = &Arc<Notarization>> {
        self.chain.all_notarizations().map(|known| &**known)
    }

    /// The candidates of a subround, best rank first.
    pub fn candidates(&self, round: Round, subround: Subround) -> impl Iterator<Item = (BlockId, Rank)> {
        let state = self.rounds.get(round).and_then(|state| state.subround(subround));
        let candidates = state.map_or(&[][..], |state| &state.candidates);
        candidates.iter().map(|candidate| (candidate.block, candidate.rank))
    }

    /// The generators with two known blocks in a subround.
    #[must_use]
    pub fn equivocators(&self, round: Round, subround: Subround) -> &[MinerId] {
        let state = self.rounds.get(round).and_then(|state| state.subround(subround));
        state.map_or(&[], |state| &state.equivocators)
    }

    /// A block that the miner has whole: above the finalized head, or one of the last below it.
    #[must_use]
    pub fn block(&self, round: Round, id: BlockId) -> Option<&Arc<Block>> {
        self.chain.block(round, id)
    }

    /// How many blocks above the finalized head are whole in memory; of the others the header is.
    #[must_use]
    pub fn whole_blocks(&self) -> usize {
        self.chain.whole_blocks()
    }

    /// The finalized head.
    #[must_use]
    pub fn finalized(&self) -> &Arc<Block> {
        self.chain.head()
    }

    /// The newest finality certificate at or below the finalized head.
    #[must_use]
    pub fn finality(&self) -> Option<&Arc<FinalityCertificate>> {
        self.chain.finality().map(|known| &**known)
    }

    /// The newest finality certificate whose block or chain is still missing.
    #[must_use]
    pub fn pending_finality(&self) -> Option<&Arc<FinalityCertificate>> {
        self.pending_finality.as_deref()
    }

    /// Whether the closing block of the epoch is final: this miner signs nothing any more.
    #[must_use]
    pub fn has_handed_over(&self) -> bool {
        self.handed_over
    }

    /// The evidence that is kept, oldest first.
    #[must_use]
    pub fn evidence(&self) -> &[Arc<Evidence>] {
        self.evidence.all()
    }

    /// Whether messages of a peer are heard at this time, or dropped because of what it sent before.
    #[must_use]
    pub fn hears_now(&self, peer: Peer, now: Time) -> bool {
        self.accounts.is_heard(peer, now)
    }

    /// How many faults a peer has shown that are certainly its own: for metrics, and for a host that drops such peers.
    #[must_use]
    pub fn faults_of(&self, peer: Peer) -> u32 {
        self.accounts.faults(peer)
    }

    /// Signatures, shares and candidates that are held: bounded, whatever peers send.
    #[must_use]
    pub fn collected(&self) -> usize {
        self.rounds.size() + self.waiting.len()
    }
}

/// Two miners are equal when they are in the same state; configuration and keys are not compared, nor what peers cost: that
/// decides which messages are lost, as any network may.
impl<S> PartialEq for Miner<S> {
    fn eq(&self, other: &Self) -> bool {
        self.state() == other.state()
    }
}

impl<S> Eq for Miner<S> {}

impl<S> Hash for Miner<S> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.state().hash(hasher);
    }
}

impl<S> Miner<S> {
    fn state(&self) -> impl Eq + Hash + '_ {
        let Self {
            config: _,
            scheme: _,
            me,
            round,
            subround,
            phase,
            entry,
            timeout_certificate,
            shared,
            payload_requested,
            rounds,
            chain,
            pending_finality,
            handoff,
            handed_over,
            ledger,
            signing,
            evidence,
            catch_up,
            accounts: _,
            loading,
            waiting,
            started,
            events,
        } = self;
        (
            (me, round, subround, phase, entry, timeout_certificate, shared, payload_requested),
            (handoff, handed_over),
            (rounds, chain, pending_finality, ledger, signing, evidence, catch_up, loading),
            (waiting, started, events),
        )
    }
}
