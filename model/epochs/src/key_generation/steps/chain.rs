//! **Deadlines.** A deadline is a round of the present epoch. In an asynchronous attempt it passes at any moment. In a synchronous
//! one the network is fast, and a deadline is far enough away: the items of honest members are on the chain before it passes, and
//! a member that crashed is back.
//!
//! **Branches.** Two rival branches of notarized blocks begin above the final chain; each takes items of its own, until one of them
//! becomes final.
//!
//! **Attempts.** A failed attempt is followed by the next one, with new secrets. The next one begins on the final chain.

use super::{Blocked, require};
use crate::key_generation::{
    fault::Fault,
    instance::Instance,
    members::Members,
    rules::{AttemptsRule, ReceiptRule},
    state::{Branch, Member, Sent, State},
    transcript::{Phase, Transcript},
};

impl Instance {
    pub(super) fn deadline_enabled(&self, state: &State, on: Branch) -> Result<(), Blocked> {
        require(state.growing().contains(&on), Blocked::NotGrowing)?;
        let transcript = state.transcript(on).ok_or(Blocked::NoSuch)?;
        require(!transcript.is_over(), Blocked::OtherPhase)?;
        let due = !self.is_synchronous(state.attempt) || self.all_arrived(state, transcript);
        require(due, Blocked::MessagesFirst)
    }

    /// Whether every honest member is up, and everything that it sends in this phase is on the chain.
    fn all_arrived(&self, state: &State, transcript: &Transcript) -> bool {
        let honest = self.honest().and(transcript.members);
        let settles = |dealer| {
            let waits_for_receipts = self.has(Fault::RefusalStops);
            transcript.dealt(dealer).is_none() || waits_for_receipts || self.cannot_settle(transcript)
        };
        let arrived = |member| match transcript.phase {
            Phase::Registering => transcript.registered.has(member),
            Phase::Dealing => !transcript.registered.has(member) || transcript.dealt(member).is_some(),
            Phase::Settling => settles(member) || transcript.settled(member).is_some(),
            Phase::Readying => transcript.ready.has(member) || !self.may_compute(state, transcript, member),
            Phase::Complete | Phase::Failed => true,
        };
        honest.iter().all(|member| state.member(member).up && arrived(member))
    }

    /// Whether more members have no encryption key than a dealer may reveal shares of.
    fn cannot_settle(&self, transcript: &Transcript) -> bool {
        let keyless = transcript.members.without(transcript.registered).count();
        keyless > self.thresholds(transcript.members.count()).max_revealed
    }

    pub(super) fn deadline_apply(&self, state: &mut State, on: Branch) {
        if let Some(transcript) = state.transcript_mut(on) {
            self.pass_deadline(transcript);
            if transcript.phase == Phase::Settling {
                self.settle_promptly(transcript);
            }
        }
        self.forget_unused(state);
    }

    /// VC26: the chain moves on without settlements.
    pub(super) fn skip_settling_enabled(&self, state: &State, on: Branch) -> Result<(), Blocked> {
        require(self.has(Fault::PhaseSkipped), Blocked::NotInRules)?;
        let transcript = self.growing_in(state, on, Phase::Dealing)?;
        let skipped = Transcript { skipped: true, ..*transcript };
        require(self.has_dealers(&skipped), Blocked::NotSent)
    }

    pub(super) fn skip_settling_apply(&self, state: &mut State, on: Branch) {
        if let Some(transcript) = state.transcript_mut(on) {
            transcript.skipped = true;
            transcript.phase = Phase::Readying;
        }
    }

    /// Messages that come into no block any more are forgotten once there is one chain for good. What they told the adversary was judged
    /// when they were sent, and no later step reads them.
    pub(super) fn forget_unused(&self, state: &mut State) {
        let one_chain = state.tips == [None; 2] && (state.forked || !self.rivals);
        if !one_chain {
            return;
        }
        match state.chain.phase {
            Phase::Registering | Phase::Dealing | Phase::Settling => {}
            Phase::Readying => {
                state.sent.settlements = Sent::NOTHING.settlements;
                state.honest.iter_mut().for_each(|member| member.settled_on = [false; 3]);
            }
            Phase::Complete | Phase::Failed => {
                let receipted = state.sent.receipted;
                state.sent = Sent { receipted, ..Sent::NOTHING };
                state.honest.iter_mut().for_each(|member| member.settled_on = [false; 3]);
            }
        }
    }

    pub(super) fn fork_enabled(&self, state: &State) -> Result<(), Blocked> {
        require(self.rivals && !state.chain.is_over(), Blocked::NotInRules)?;
        require(!state.forked, Blocked::Done)
    }

    pub(super) fn fork_apply(&self, state: &mut State) {
        state.forked = true;
        state.tips = [Some(state.chain); 2];
    }

    pub(super) fn finalize_enabled(&self, state: &State, on: Branch) -> Result<(), Blocked> {
        require(on != Branch::Final, Blocked::NoSuch)?;
        let transcript = state.transcript(on).ok_or(Blocked::NoSuch)?;
        require(*transcript != state.chain, Blocked::Done)
    }

    pub(super) fn finalize_apply(&self, state: &mut State, on: Branch) {
        let Some(&transcript) = state.transcript(on) else { return };
        state.chain = transcript;
        state.tips = [None; 2];
        self.forget_unused(state);
        self.sign_receipts(state, Branch::Final);
        let each = self.has(Fault::SettlesOnEachChain);
        for member in &mut state.honest {
            let [before, ..] = member.settled_on;
            let settled = if each {
                before || member.settled_on[on as usize]
            } else {
                member.settled_on.contains(&true)
            };
            member.settled_on = [settled, false, false];
        }
    }

    /// Whether the next attempt may begin, or why not.
    pub fn next_attempt_enabled(&self, state: &State) -> Result<(), Blocked> {
        require(state.chain.phase == Phase::Failed, Blocked::OtherPhase)?;
        require(!self.has(Fault::BoundaryRemains), Blocked::NotInRules)?;
        require(state.attempt + 1 < self.attempts, Blocked::LastAttempt)
    }

    pub(super) fn next_attempt_apply(&self, state: &mut State) {
        match self.rules.receipt {
            ReceiptRule::OfDealing | ReceiptRule::EpochAttemptDealerRecipient => {}
            ReceiptRule::ShareHash => {
                let received = self.dealings.iter().enumerate();
                let received = received.filter(|(at, _)| state.sent.receipted & 1 << at != 0);
                let of_byzantine = received.map(|(_, fits)| *fits).fold(Members::NONE, Members::or);
                let of_honest = self.receipts_for_honest(state);
                state.receipts_before = state.receipts_before.or(of_byzantine).or(of_honest);
            }
        }
        match self.rules.attempts {
            AttemptsRule::Numbered => {}
            AttemptsRule::Silent => state.dealt_before = self.honest().and(state.chain.registered),
        }
        state.attempt += 1;
        state.chain = self.opened();
        state.tips = [None; 2];
        state.sent = Sent::NOTHING;
        state.honest.iter_mut().for_each(|member| *member = Member { up: member.up, ..Member::FRESH });
    }
}
