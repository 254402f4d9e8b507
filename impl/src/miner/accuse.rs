//! Offences: proved once, kept within a bound, relayed (S10).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Audience, Effects, Miner, Output, Refusal};
use crate::block::Digest;
use crate::bounds::MAX_EVIDENCE_PER_MINER;
use crate::committee::{MinerId, Peer};
use crate::crypto::scheme::Scheme;
use crate::evidence::Evidence;
use crate::message::Message;
use crate::statement::{FinalityVote, Proposed, Signed, Ticket};

/// The evidence that is kept. The work to see whether a further piece is wanted grows with the number of miners whom
/// the piece convicts, and not with the number of pieces kept.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct EvidenceStore {
    kept: Vec<Arc<Evidence>>,
    /// Digests of what is kept.
    known: BTreeSet<Digest>,
    /// How many of the kept pieces convict each miner.
    against: BTreeMap<MinerId, usize>,
}

impl EvidenceStore {
    /// The evidence in the order in which it was found.
    pub fn all(&self) -> &[Arc<Evidence>] {
        &self.kept
    }

    /// Enough of the evidence to convict everybody whom all of it convicts: no more pieces than there are miners.
    pub fn one_against_each(&self) -> impl Iterator<Item = Arc<Evidence>> {
        let mut convicted: BTreeSet<MinerId> = BTreeSet::new();
        self.kept.iter().filter_map(move |proof| {
            let before = convicted.len();
            convicted.extend(proof.convicts());
            (convicted.len() > before).then(|| Arc::clone(proof))
        })
    }

    fn against(&self, miner: MinerId) -> usize {
        self.against.get(&miner).copied().unwrap_or(0)
    }

    /// Whether canonical evidence is new and its bound is not reached for everybody whom it convicts.
    fn wants(&self, evidence: &Evidence) -> bool {
        evidence.convicts().iter().any(|&miner| self.against(miner) < MAX_EVIDENCE_PER_MINER)
            && !self.known.contains(&evidence.digest())
    }

    fn keep(&mut self, evidence: Arc<Evidence>) {
        for miner in evidence.convicts() {
            *self.against.entry(miner).or_default() += 1;
        }
        self.known.insert(evidence.digest());
        self.kept.push(evidence);
    }
}

impl<S: Scheme> Miner<S> {
    pub(super) fn receive_evidence(
        &mut self,
        evidence: Arc<Evidence>,
        fx: &mut Effects<'_>,
    ) -> Result<(), Refusal> {
        let evidence = match evidence.is_canonical() {
            true => evidence,
            false => Arc::new(Evidence::clone(&evidence).canonical()),
        };
        // One piece costs two signatures or two certificates at most, and nothing where its form is wrong or it is not wanted.
        evidence.check_form(&self.config.jurisdiction(), &self.scheme)?;
        if !self.evidence.wants(&evidence) {
            return Ok(());
        }
        evidence.check_signatures(&self.config.jurisdiction(), &self.scheme)?;
        self.convict(evidence, fx);
        Ok(())
    }

    /// Keeps and relays evidence that this miner came across, if it is new and holds. Returns whether it is and does.
    pub(super) fn accuse(&mut self, evidence: Evidence, fx: &mut Effects<'_>) -> bool {
        let (evidence, jurisdiction) = (evidence.canonical(), self.config.jurisdiction());
        if !self.evidence.wants(&evidence) || evidence.check_form(&jurisdiction, &self.scheme).is_err() {
            return false;
        }
        if evidence.check_signatures(&jurisdiction, &self.scheme).is_err() {
            // A statement from its signer itself is taken unverified: whichever of the two is wrong, its signer sent
            // it.
            if let Evidence::TicketAgainstVote { vote, .. } = &evidence {
                self.accounts.fault(Peer::Miner(vote.signer));
            }
            return false;
        }
        self.convict(Arc::new(evidence), fx);
        true
    }

    fn convict(&mut self, evidence: Arc<Evidence>, fx: &mut Effects<'_>) {
        if let Evidence::Proposals { first, .. } = &*evidence {
            self.exclude(first);
        }
        self.evidence.keep(Arc::clone(&evidence));
        fx.broadcast(Audience::Miners, Message::Evidence(Arc::clone(&evidence)));
        fx.out.push(Output::Evidence(evidence));
    }

    /// Step 4: no further block of an equivocating generator becomes a candidate of that subround.
    pub(super) fn exclude(&mut self, proposed: &Signed<Proposed>) {
        let Proposed { round, subround, .. } = proposed.statement;
        if let Some(state) = self.rounds.collecting(self.here(), round, subround)
            && let Err(index) = state.equivocators.binary_search(&proposed.signer)
        {
            state.equivocators.insert(index, proposed.signer);
        }
    }

    /// Compares a new ticket with its signer's finality vote.
    pub(super) fn compare_with_vote(&mut self, ticket: Signed<Ticket>, fx: &mut Effects<'_>) {
        let Some(state) = self.rounds.get(ticket.round) else { return };
        let vote = state.votes.signed_by(ticket.signer).find(|vote| vote.block != ticket.block).copied();
        if let Some(vote) = vote {
            self.accuse(Evidence::TicketAgainstVote { ticket, vote }, fx);
        }
    }

    /// Compares a new finality vote with its signer's tickets of the round.
    pub(super) fn compare_with_tickets(&mut self, vote: Signed<FinalityVote>, fx: &mut Effects<'_>) {
        if !self.config.rules.votes() {
            return;
        }
        let Some(state) = self.rounds.get(vote.round) else { return };
        let tickets = state.subrounds.iter().flat_map(|state| state.tickets.signed_by(vote.signer));
        let others: Vec<Signed<Ticket>> =
            tickets.copied().filter(|ticket| ticket.block != vote.block).collect();
        // Tickets are held unverified: a wrong one must not hide a genuine one. There are as many as subrounds are collected.
        for ticket in others {
            if self.accuse(Evidence::TicketAgainstVote { ticket, vote }, fx) {
                break;
            }
        }
    }
}
