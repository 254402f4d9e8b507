//! Starting, for the first time or after a crash in the middle of anything (L4, S1).
//!
//! The log says what may have been signed: it bars what must not be signed any more, and what is in it is sent again,
//! with the same bytes, since the crash may have come between log and send (W6). The items stored beside it (blocks and
//! certificates) bring the miner back to where it was; without them the miner starts lower and catches up, bound by its
//! log all the same: it signs nothing in rounds that its log has left.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::accounts::Accounts;
use crate::certified::{FinalityCertificate, Verified};
use crate::chain::{CatchUp, Chain, check_read_back};
use crate::committee::{Round, Subround};
use crate::crypto::scheme::Scheme;
use crate::miner::interface::{Config, Phase, Recovery, StartError, Stored};
use crate::miner::state::evidence::EvidenceStore;
use crate::miner::state::ledger::Ledger;
use crate::miner::state::rounds::{Candidate, Rounds};
use crate::miner::state::signing::Signing;
use crate::miner::{Effects, Entry, Miner, Source};
use crate::statement::{Proposed, Signed};

impl<S: Scheme> Miner<S> {
    /// A miner with this disk. Give it [`Input::Start`](crate::miner::Input::Start) next.
    ///
    /// Data read back is verified, so that a changed bit costs no more than its item:
    /// [`Damaged`](crate::chain::Damaged) names the wrong one. Records come from the ticket log, which checks them.
    ///
    /// # Errors
    /// When the code does not have one of the rules, the settings do not fit together, `scheme` is not that of a member of the
    /// configured committee, or something on the disk is damaged.
    pub fn new(config: Arc<Config>, scheme: S, recovery: Recovery) -> Result<Self, StartError> {
        let me = scheme.me().ok_or(StartError::NotAMember)?;
        config.check()?;
        let (size, configured) = (scheme.committee_size(), usize::from(config.committee.miners()));
        if size != configured || !config.committee.contains(me) {
            return Err(StartError::OtherCommittee { scheme: size, configured });
        }
        check_read_back(&recovery.finals, &recovery.stored, &config, &scheme)?;
        let chain = Chain::new(&config.genesis, recovery.finals);
        let head = chain.final_head();
        let entry = Entry {
            block: head.block.id(),
            subround: head.block.subround(),
            notarization: head.notarization.clone().map(Verified::trusted),
            source: Source::Formed,
        };
        let signed = recovery.signed;
        let mut miner = Self {
            round: head.block.round(),
            subround: head.block.subround(),
            phase: Phase::Collecting,
            entry,
            timeout_certificate: None,
            shared: None,
            payload_requested: None,
            rounds: Rounds::new(config.tickets_per_signer()),
            chain,
            pending_finality: None,
            handoff: None,
            handed_over: false,
            ledger: Ledger::new(signed),
            signing: Signing::default(),
            evidence: EvidenceStore::default(),
            catch_up: CatchUp::default(),
            accounts: Accounts::new(&config.committee),
            loading: Vec::new(),
            waiting: Vec::new(),
            started: false,
            events: VecDeque::new(),
            config,
            scheme,
            me,
        };
        miner.restore(recovery.stored);
        Ok(miner)
    }

    /// Puts back what was stored, and the miner where it was: into the round after the highest notarization (where the rules
    /// adopt: the last one stored of that round, which had the greatest seed), and into the subround after the highest
    /// timeout certificate of that round.
    fn restore(&mut self, stored: Vec<Stored>) {
        let mut timeout_certificates = Vec::new();
        let mut finality: Option<Arc<FinalityCertificate>> = None;
        for item in stored {
            match item {
                Stored::Block(block) => {
                    let (round, id) = (block.round(), block.id());
                    self.chain.insert(block);
                    self.chain.mark_stored(round, id);
                }
                Stored::Notarization(notarization) => {
                    let notarization = Verified::trusted(notarization);
                    self.chain.notarize(notarization.clone());
                    // The final head is never replaced.
                    let adopted = self.adopts()
                        && notarization.round == self.round
                        && notarization.round > self.chain.head().round();
                    if notarization.round > self.round || adopted {
                        self.round = notarization.round;
                        self.entry = Entry {
                            block: notarization.block,
                            subround: notarization.subround,
                            notarization: Some(notarization),
                            source: Source::Formed,
                        };
                    }
                }
                Stored::TimeoutCertificate(certificate) => timeout_certificates.push(certificate),
                Stored::FinalityCertificate(certificate) => {
                    if finality.as_ref().is_none_or(|known| known.round < certificate.round) {
                        finality = Some(certificate);
                    }
                }
            }
        }
        // Not entered yet: `start` does it.
        self.round = self.round.next();
        self.subround = Subround(0);
        let of_round = timeout_certificates.into_iter().filter(|known| known.round == self.round);
        if let Some(highest) = of_round.max_by_key(|known| known.subround) {
            self.subround = highest.subround.next();
            self.timeout_certificate = Some((Verified::trusted(highest), Source::Formed));
        }
        if let Some(certificate) = finality.map(Verified::trusted) {
            self.chain.certify_final(certificate.clone());
            if certificate.round > self.chain.head().round() {
                self.pending_finality = Some(certificate);
            }
        }
        if self.config.rules.enters_alone()
            && let Some(highest) = self.ledger.highest_timeout().filter(|known| known.round == self.round)
        {
            self.subround = self.subround.max(highest.subround.next());
        }
        // The host has all of them.
        self.chain.put_away(Round(0)..self.whole_from(self.round));
    }

    /// Begins, or goes on where the log ends.
    pub(in crate::miner) fn start(&mut self, fx: &mut Effects<'_>) {
        self.started = true;
        self.signing.started = fx.now;
        let (round, subround) = self.here();
        let certificate = self.timeout_certificate.take();
        // `enter` compares with the position before.
        self.round = Round(round.0.saturating_sub(1));
        self.enter(round, subround, certificate, fx);
        while let Some((round, id)) = self.chain.take_connected() {
            self.ask_application(round, id, fx);
        }
        self.restore_own_candidate(fx);
        self.try_pending_finality(fx);
        if let Some(certificate) = self.chain.finality().cloned() {
            self.hand_over(&certificate, fx);
        }
        if self.handed_over {
            return;
        }
        // Messages whose records are in the log may have been lost on the way out.
        self.say_again(fx);
    }

    /// The own block of the own subround is a candidate again; those of others are sent again by their generators.
    fn restore_own_candidate(&mut self, fx: &mut Effects<'_>) {
        let (round, subround) = self.here();
        let Some(proposed) = self.ledger.proposal(round, subround) else { return };
        let Some(block) = self.chain.block(round, proposed.block).cloned() else { return };
        let Some(target) = self.beacon_target(subround) else { return };
        if !self.check_beacon(&block, target, fx) {
            return;
        }
        let statement = Proposed { round, subround, block: block.id() };
        if let Some(rank) = self.rank(subround, self.me)
            && let Some(signed) = Signed::sign(statement, &self.config.committee, &self.scheme)
        {
            let parent = block.header().parent;
            let candidate = Candidate {
                block: block.id(),
                parent,
                generator: self.me,
                rank,
                signature: signed.signature,
            };
            self.add_candidate(block, candidate, fx);
        }
    }
}
