//! The sharder: it verifies and stores the finalized chain, serves it, and never votes.
//!
//! Like the miner it is a deterministic state machine without clock, socket, thread or file. It believes nothing but
//! certificates: a finality certificate (or, under the rules without votes, notarizations) says which block is final;
//! blocks are accepted only as a chain that leads to a notarized block; each final block is stored once, in order of
//! round (L5). Certified blocks that are not here are a *gap*: it is reported, and asked for until it is filled.
//!
//! Old blocks are served from the host's storage, through [`History`].
//!
//! The cost of one peer is bounded as it is for a miner ([`miner`](crate::miner), "What a peer costs").

mod interface;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use interface::{History, MemoryHistory, SharderInput, SharderOutput, SharderTimer};

use crate::accounts::Accounts;
use crate::block::{Block, BlockId, Time};
use crate::certified::{FinalityCertificate, Notarization, Verified};
use crate::chain::{
    Answer, CatchUp, Chain, FinalBlock, FinalizeError, check_links, check_read_back, respond_within,
};
use crate::committee::{Peer, Round, SharderId};
use crate::crypto::scheme::{Beacon, Verify};
use crate::epochs::handoff::HandoffCertificate;
use crate::limits::{CHECK_WORK, MAX_CHAIN_BLOCKS, MAX_CHAIN_BYTES};
use crate::message::{ChainRequest, ChainResponse, Message};
use crate::miner::{Config, Refusal, StartError};
use crate::statement::{FinalityVote, Ticket};
use crate::wire::{self, Glance};

/// See the module doc.
#[derive(Clone, Debug)]
pub struct Sharder<S> {
    config: Arc<Config>,
    scheme: S,
    me: SharderId,
    chain: Chain,
    /// The newest finality certificate whose chain is not complete.
    pending_finality: Option<Verified<Arc<FinalityCertificate>>>,
    /// The handoff that this sharder was given: its finality certificate may wait for blocks.
    handoff: Option<Arc<HandoffCertificate>>,
    /// Whether the closing block is final: the sharder has told its host, and does nothing any more.
    handed_over: bool,
    /// The block of the highest notarization.
    highest: Option<(Round, BlockId)>,
    catch_up: CatchUp,
    /// The cost of each peer.
    accounts: Accounts,
    /// The gap that was reported last.
    reported: Option<(Round, Round)>,
}

impl<S: Verify + Beacon> Sharder<S> {
    /// A sharder whose storage ends with `finals`: consecutive blocks, lowest first; empty: nothing but genesis. `scheme`
    /// should be an observer's.
    ///
    /// # Errors
    /// When the code does not have one of the rules, the settings do not fit together, the scheme is of another committee, or a
    /// final block is damaged.
    pub fn new(
        config: Arc<Config>,
        scheme: S,
        me: SharderId,
        finals: Vec<FinalBlock>,
    ) -> Result<Self, StartError> {
        config.check()?;
        let (size, configured) = (scheme.committee_size(), usize::from(config.committee.miners()));
        if size != configured {
            return Err(StartError::OtherCommittee { scheme: size, configured });
        }
        check_read_back(&finals, &[], &config, &scheme)?;
        Ok(Self {
            chain: Chain::new(&config.genesis, finals),
            accounts: Accounts::new(&config.committee),
            config,
            scheme,
            me,
            pending_finality: None,
            handoff: None,
            handed_over: false,
            highest: None,
            catch_up: CatchUp::default(),
            reported: None,
        })
    }

    /// The finalized head.
    #[must_use]
    pub fn finalized(&self) -> &Arc<Block> {
        self.chain.head()
    }

    /// The known notarizations above the finalized head, in order of round and subround.
    pub fn notarizations(&self) -> impl Iterator<Item = &Arc<Notarization>> {
        self.chain.all_notarizations().map(|known| &**known)
    }

    /// A block that the sharder has in memory: above the finalized head, or one of the last below it.
    #[must_use]
    pub fn block(&self, round: Round, id: BlockId) -> Option<&Arc<Block>> {
        self.chain.block(round, id)
    }

    /// Sets the first timer.
    pub fn start(&mut self, now: Time, out: &mut Vec<SharderOutput>) {
        self.poll_later(now, out);
    }

    /// Takes one input at time `now` and appends what has to be done to `out`. `history` holds what was put out as
    /// [`SharderOutput::Finalized`] before. Never panics, whatever a peer sends.
    pub fn step<H: History>(
        &mut self,
        now: Time,
        input: SharderInput,
        history: &H,
        out: &mut Vec<SharderOutput>,
    ) {
        if self.handed_over {
            return;
        }
        let before = out.len();
        match input {
            SharderInput::Bytes { from, bytes } => {
                if !self.hears(now, from, out) || !self.is_of_use(from, &bytes) {
                    return;
                }
                self.accounts.decodes(from, bytes.len());
                match wire::decode(&bytes) {
                    Ok(message) => self.receive(now, from, message, history, out),
                    Err(error) => out.push(SharderOutput::Refused { from, refusal: error.into() }),
                }
            }
            SharderInput::Message { from, message } => {
                if !self.hears(now, from, out) {
                    return;
                }
                self.receive(now, from, message, history, out);
            }
            SharderInput::Handoff(handoff) => {
                let certificate = Verified::trusted(Arc::clone(handoff.finality()));
                self.handoff = Some(handoff);
                self.pending_finality = None;
                self.certified_final(certificate, out);
            }
            SharderInput::Timer(SharderTimer::CatchUp) => {
                self.catch_up.timer_set = false;
                self.report_gap(out);
                self.ask(out);
            }
            SharderInput::Timer(SharderTimer::Poll) => {
                self.poll_later(now, out);
                if self.missing().is_none() {
                    self.request(None, out);
                }
            }
            SharderInput::Timer(SharderTimer::Finality { round }) => {
                if self.config.rules.waits_before_finality() {
                    let fin = self.chain.final_after_wait(self.config.rules.finality, round);
                    self.finalize(fin, out);
                }
            }
        }
        self.watch_for_gaps(now, out);
        for output in &out[before..] {
            if let SharderOutput::Refused { from, refusal } = output
                && refusal.proves_sender_faulty()
            {
                self.accounts.fault(*from);
            }
        }
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

    /// Whether a message from this peer is looked at: decided before it is decoded.
    fn hears(&mut self, now: Time, from: Peer, out: &mut Vec<SharderOutput>) -> bool {
        if !self.config.committee.knows(from) {
            out.push(SharderOutput::Refused { from, refusal: Refusal::Stranger });
            return false;
        }
        from != Peer::Sharder(self.me) && self.accounts.hears(from, now)
    }

    /// Whether a message can be of use, judged by its first bytes alone.
    fn is_of_use(&self, from: Peer, bytes: &[u8]) -> bool {
        match wire::glance(bytes) {
            Some(Glance::BetweenMiners | Glance::Proposal { .. }) => false,
            Some(Glance::ChainResponse) => self.catch_up.expects(from),
            Some(Glance::Notarization | Glance::FinalityCertificate | Glance::ChainRequest) | None => true,
        }
    }

    fn poll_later(&self, now: Time, out: &mut Vec<SharderOutput>) {
        let at = now + self.config.timing.resend;
        out.push(SharderOutput::SetTimer { timer: SharderTimer::Poll, at });
    }

    fn receive<H: History>(
        &mut self,
        now: Time,
        from: Peer,
        message: Message,
        history: &H,
        out: &mut Vec<SharderOutput>,
    ) {
        if !message.may_come_from(from) {
            out.push(SharderOutput::Refused { from, refusal: Refusal::NotItsSender });
            return;
        }
        let received = match message {
            Message::Notarization(notarization) => self.receive_notarization(now, from, notarization, out),
            Message::FinalityCertificate(certificate) => self.receive_finality(from, certificate, out),
            Message::ChainRequest(request) => {
                self.answer(now, from, &request, history, out);
                Ok(())
            }
            Message::ChainResponse(response) => self.receive_chain(now, from, &response, out),
            // The rest is between miners, and costs nothing here.
            Message::BeaconShare(_)
            | Message::Proposal(_)
            | Message::Ticket(_)
            | Message::UncompressedTicket(_)
            | Message::Timeout(_)
            | Message::TimeoutCertificate(_)
            | Message::FinalityVote(_)
            | Message::Evidence(_) => Ok(()),
        };
        if let Err(refusal) = received {
            out.push(SharderOutput::Refused { from, refusal });
        }
    }

    fn receive_notarization(
        &mut self,
        now: Time,
        from: Peer,
        notarization: Arc<Notarization>,
        out: &mut Vec<SharderOutput>,
    ) -> Result<(), Refusal> {
        let Ticket { round, block, .. } = notarization.statement;
        if round <= self.chain.head().round() || self.chain.notarization_of(round, block).is_some() {
            return Ok(());
        }
        let verified = notarization.verified(&self.config.committee, self.config.quorum(), &self.scheme)?;
        self.catch_up.heard_from(from);
        self.note(now, verified, out);
        Ok(())
    }

    fn note(&mut self, now: Time, notarization: Verified<Arc<Notarization>>, out: &mut Vec<SharderOutput>) {
        let Ticket { round, block, .. } = notarization.statement;
        let first = self.chain.notarizations(round).is_empty();
        if !self.chain.notarize(notarization) {
            return;
        }
        if self.highest.is_none_or(|(highest, _)| highest < round) {
            self.highest = Some((round, block));
        }
        if first && self.config.rules.waits_before_finality() {
            let at = now + self.config.timing.delta.saturating_mul(2);
            out.push(SharderOutput::SetTimer { timer: SharderTimer::Finality { round }, at });
        }
        self.evaluate(round, out);
    }

    fn receive_finality(
        &mut self,
        from: Peer,
        certificate: Arc<FinalityCertificate>,
        out: &mut Vec<SharderOutput>,
    ) -> Result<(), Refusal> {
        let FinalityVote { round, block, .. } = certificate.statement;
        // A certificate against what is stored is looked at even while a higher one waits: it may prove a conflict.
        let (known, waits) = match self.chain.final_id(round) {
            Some(own) => (own == block, false),
            None => (
                round <= self.chain.head().round(),
                self.pending_finality.as_ref().is_some_and(|pending| pending.round >= round),
            ),
        };
        if known || waits || !self.config.rules.votes() {
            return Ok(());
        }
        let quorum = self.config.quorum();
        let verified = certificate.verified(&self.config.committee, quorum, &self.scheme)?;
        self.catch_up.heard_from(from);
        self.certified_final(verified, out);
        Ok(())
    }

    fn certified_final(
        &mut self,
        certificate: Verified<Arc<FinalityCertificate>>,
        out: &mut Vec<SharderOutput>,
    ) {
        let (round, block) = self.chain.made_final(&certificate.statement, self.handoff.as_deref());
        match self.chain.finalize(round, block) {
            Ok(path) => {
                self.chain.certify_final(certificate.clone());
                self.store(path, out);
                out.push(SharderOutput::Certified(Arc::clone(&certificate)));
                self.hand_over(&certificate, out);
            }
            Err(FinalizeError::Missing { .. } | FinalizeError::Away { .. }) => {
                let pending = self.pending_finality.as_ref();
                if pending.is_none_or(|pending| pending.round < certificate.round) {
                    self.pending_finality = Some(certificate);
                }
            }
            Err(FinalizeError::Behind(_)) => self.hand_over(&certificate, out),
            Err(FinalizeError::Conflict(_)) => out.push(SharderOutput::Conflict { round, block }),
        }
    }

    /// The epoch is over if the head closes it and the certificate shows that.
    fn hand_over(&mut self, certificate: &Arc<FinalityCertificate>, out: &mut Vec<SharderOutput>) {
        if !self.config.hands_over || self.handed_over {
            return;
        }
        let anchor = self.config.anchor();
        if let Some(handoff) = self.chain.handoff(certificate, self.handoff.as_ref(), anchor) {
            self.handed_over = true;
            out.push(SharderOutput::HandedOver(handoff));
        }
    }

    fn store(&mut self, path: Vec<FinalBlock>, out: &mut Vec<SharderOutput>) {
        out.extend(path.into_iter().map(SharderOutput::Finalized));
        let head = self.chain.head().round();
        self.highest = self.highest.filter(|(round, _)| *round > head);
        if self.reported.is_some_and(|(_, to)| to <= head) {
            self.reported = None;
        }
    }

    /// The rules without votes: what is final now that a notarization or block of `round` is here?
    fn evaluate(&mut self, round: Round, out: &mut Vec<SharderOutput>) {
        let highest = self.highest.is_none_or(|(highest, _)| round >= highest);
        let fin = self.chain.final_at_once(self.config.rules.finality, round, highest);
        self.finalize(fin, out);
    }

    fn finalize(&mut self, fin: Option<(Round, BlockId)>, out: &mut Vec<SharderOutput>) {
        let Some((round, block)) = fin else { return };
        match self.chain.finalize(round, block) {
            Ok(path) => self.store(path, out),
            Err(FinalizeError::Conflict(_)) => out.push(SharderOutput::Conflict { round, block }),
            Err(FinalizeError::Missing { .. } | FinalizeError::Away { .. } | FinalizeError::Behind(_)) => {}
        }
    }

    /// The block that is needed most and not connected: a final one, or the highest notarized one.
    fn missing(&self) -> Option<(Round, BlockId)> {
        let target = |vote| self.chain.made_final(vote, self.handoff.as_deref());
        let pending = self.pending_finality.as_ref().map(|pending| target(&pending.statement));
        let highest = self.highest.filter(|&(round, block)| !self.chain.is_connected(round, block));
        pending.or(highest)
    }

    /// After every step: asks for what is missing. Nobody sends blocks to sharders unasked, so the first request is not
    /// delayed; the timer repeats it.
    fn watch_for_gaps(&mut self, now: Time, out: &mut Vec<SharderOutput>) {
        if self.handed_over || self.missing().is_none() {
            return;
        }
        if !self.catch_up.timer_set {
            self.catch_up.timer_set = true;
            let at = now + self.config.timing.catch_up;
            out.push(SharderOutput::SetTimer { timer: SharderTimer::CatchUp, at });
            self.ask(out);
        } else if self.catch_up.take_success() {
            self.ask(out);
        }
    }

    /// A final block is still missing after it was asked for: reported once.
    fn report_gap(&mut self, out: &mut Vec<SharderOutput>) {
        if let Some(pending) = &self.pending_finality {
            let gap = (self.chain.head().round().next(), pending.round);
            if self.reported != Some(gap) {
                self.reported = Some(gap);
                out.push(SharderOutput::Gap { from: gap.0, to: gap.1 });
            }
        }
    }

    fn ask(&mut self, out: &mut Vec<SharderOutput>) {
        if let Some((_, tip)) = self.missing() {
            self.request(Some(tip), out);
        }
    }

    fn request(&mut self, tip: Option<BlockId>, out: &mut Vec<SharderOutput>) {
        let head = self.chain.head().round();
        let me = Peer::Sharder(self.me);
        if let Some((to, request)) = self.catch_up.request(me, &self.config.committee, head, tip) {
            out.push(SharderOutput::Send { to, message: Message::ChainRequest(request) });
        }
    }

    fn receive_chain(
        &mut self,
        now: Time,
        from: Peer,
        response: &ChainResponse,
        out: &mut Vec<SharderOutput>,
    ) -> Result<(), Refusal> {
        if !self.catch_up.take_expected(from) {
            // Nothing is missing any more, or it was never asked for: it costs nothing.
            return Ok(());
        }
        let checked = self.chain.check_answer(response, &self.config, &self.scheme).inspect_err(|_| {
            self.accounts.charge(from, CHECK_WORK * (response.blocks.len() as u64 + 1));
        })?;
        // It was asked for, and it is right: that it may be no help any more is nobody's fault.
        self.accounts.forgive_arrival(from);
        let mut new = !checked.notarizations.is_empty() || checked.finality.is_some();
        for block in &response.blocks {
            new |= self.chain.insert(Arc::clone(block));
        }
        for notarization in checked.notarizations {
            self.note(now, notarization, out);
        }
        if let Some(last) =
            response.blocks.last().filter(|last| new || self.catch_up.is_further(last.round()))
            && self.chain.is_connected(last.round(), last.id())
        {
            self.catch_up.helped(from, last.round());
        }
        if let Some(certificate) = checked.finality {
            self.certified_final(certificate, out);
        }
        while let Some((round, _)) = self.chain.take_connected() {
            self.evaluate(round, out);
        }
        if let Some(certificate) = self.pending_finality.take() {
            self.certified_final(certificate, out);
        }
        Ok(())
    }

    /// Serves recent blocks from memory and older ones from the host's storage.
    fn answer<H: History>(
        &mut self,
        now: Time,
        from: Peer,
        request: &ChainRequest,
        history: &H,
        out: &mut Vec<SharderOutput>,
    ) {
        let stored = |most: usize| {
            let most = most.min(MAX_CHAIN_BYTES);
            // One more than fit: its parent certificate may be the one that the last block lacks.
            let limit = MAX_CHAIN_BLOCKS + 1;
            let mut payload = 0usize;
            let blocks: Vec<FinalBlock> = (1..=limit as u64)
                .map_while(|step| {
                    // No more is read than is sent, and one block for its certificate.
                    if payload > most {
                        return None;
                    }
                    let found = history.block(Round(request.after.0.checked_add(step)?))?;
                    payload = payload.saturating_add(found.block.content_bytes());
                    Some(found)
                })
                .collect();
            // A damaged block is not passed on: the peer asks another one.
            respond_within(blocks, most)
                .filter(|response| check_links(response, &self.config.committee).is_ok())
        };
        self.accounts.asked(from, wire::length_of_request(request), now);
        // The bound on answers is on the work for them too.
        if self.catch_up.may_answer(from, now, self.config.timing.answer_interval)
            && let Some(most) = self.accounts.answer_bytes(from, now)
            && let Some(response) =
                self.chain.answer(request, most).and_then(Answer::whole).or_else(|| stored(most))
        {
            self.accounts.answered(from, wire::length_of_response(&response));
            let message = Message::ChainResponse(Arc::new(response));
            out.push(SharderOutput::Send { to: from, message });
        }
    }
}
