//! Promises of the fields of a miner between two steps. Where assertions are on, every step checks them. These have none:
//! `accounts`, since any debt may stand; `ledger`, since a log may be ahead of a chain that a disk lost; `handoff`, `handed_over` and
//! `started`, which only note what happened.

use crate::crypto::scheme::Scheme;
use crate::miner::Miner;
use crate::miner::interface::Phase;

impl<S: Scheme> Miner<S> {
    /// A promise that does not hold, if there is one.
    pub(in crate::miner) fn broken_promise(&self) -> Option<&'static str> {
        let (round, subround) = self.here();
        let head = self.chain.head().round();
        let entry = &self.entry;
        let closed = self.ledger.is_closed(round) || self.ledger.has_timed_out(round, subround);
        let proposals = || self.waiting.iter().map(|(_, proposal)| proposal.block.header());
        let promises = [
            ("events: each was acted upon", self.events.is_empty()),
            ("round: above the finalized head", head < round),
            (
                "entry: what its certificate says, and of the round before",
                entry.notarization.as_ref().is_none_or(|known| {
                    (known.round.next(), known.subround, known.block) == (round, entry.subround, entry.block)
                }),
            ),
            (
                "timeout_certificate: of the subround before",
                (self.timeout_certificate.as_ref())
                    .is_none_or(|(known, _)| (known.round, known.subround.next()) == (round, subround)),
            ),
            ("phase: given up where nothing may be ticketed", !closed || self.phase == Phase::TimedOut),
            (
                "shared: of no round above the own",
                self.shared.as_ref().is_none_or(|target| target.round() <= round),
            ),
            (
                "payload_requested: of no position above the own",
                self.payload_requested.is_none_or(|asked| asked <= (round, subround)),
            ),
            ("chain: final blocks one above the other, then levels in order", self.chain.is_in_order()),
            ("catch_up: a peer is asked once and has one time of an answer", self.catch_up.is_in_order()),
            ("rounds: in order, the best rank first, none too far", self.rounds.is_in_order(round)),
            ("signing: in order, none held without a reason", self.signing.is_in_order()),
            ("evidence: each piece once, within its bound", self.evidence.is_bounded()),
            (
                "pending_finality: above the finalized head",
                self.pending_finality.as_ref().is_none_or(|known| known.round > head),
            ),
            ("loading: each block once", is_set(&self.loading)),
            (
                "waiting: one of each generator, of no round that was left",
                proposals().all(|header| header.round >= round)
                    && is_set(&proposals().map(|header| header.generator).collect::<Vec<_>>()),
            ),
        ];
        promises.into_iter().find(|(_, holds)| !holds).map(|(promise, _)| promise)
    }
}

/// Whether all elements differ. The lists are short.
fn is_set<T: PartialEq>(list: &[T]) -> bool {
    list.iter().enumerate().all(|(index, one)| !list[..index].contains(one))
}
