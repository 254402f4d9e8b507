//! **Settle.** After the deadline for dealings a dealer whose dealing is on the chain signs one settlement: the receipts that it
//! has, and the shares in clear of all others. It writes the settlement to its log before it sends it. It does not settle if more
//! than `max_revealed` receipts are missing.
//!
//! A dealer may settle at any moment before the deadline: its timer has run out. So any receipt can be one that came too late. The
//! Byzantine member settles with any receipts that it can show; its shares fit or do not.

use super::{Blocked, require};
use crate::key_generation::{
    fault::Fault,
    instance::Instance,
    members::Members,
    state::{Branch, State},
    transcript::{Phase, Settled, Transcript},
};
use zus_protocol::ids::MinerId;

impl Instance {
    pub(super) fn settle_enabled(
        &self,
        state: &State,
        on: Branch,
        dealer: MinerId,
        revealed: Members,
    ) -> Result<(), Blocked> {
        let m = self.acting(state, dealer)?;
        let transcript = self.acted_in(state, on, Phase::Settling)?;
        require(transcript.dealt(dealer).is_some() && transcript.members.has(dealer), Blocked::NotSent)?;
        require(transcript.settled(dealer).is_none() && !m.erased, Blocked::Done)?;
        require(!self.prompt.has(dealer), Blocked::Done)?;
        let settled = if self.has(Fault::SettlesOnEachChain) {
            m.settled_on[on as usize]
        } else {
            m.settled_on.contains(&true)
        };
        let room = state.sent.settlements[usize::from(dealer.0)].contains(&None);
        require(!settled && room, Blocked::Done)?;
        let others = transcript.members.without(Members::only(dealer));
        require(revealed.is_within(others), Blocked::NoSuch)?;
        // Nobody can seal a share, or give a receipt, without a key.
        require(others.without(transcript.registered).is_within(revealed), Blocked::NoReceipt)?;
        let allowed = self.thresholds(transcript.members.count()).max_revealed;
        let refused = self.has(Fault::RefusalStops) && !revealed.is_empty();
        let few = revealed.count() <= allowed || self.has(Fault::RevealsAny);
        require(few && !refused, Blocked::RevealsTooMuch)?;
        let may_be_late = self.adversary().or(others.without(transcript.registered));
        let late = !self.is_synchronous(state.attempt) || revealed.is_within(may_be_late);
        require(late, Blocked::MessagesFirst)
    }

    pub(super) fn settle_apply(&self, state: &mut State, on: Branch, dealer: MinerId, revealed: Members) {
        state.member_mut(dealer).settled_on[on as usize] = true;
        let sent = &mut state.sent.settlements[usize::from(dealer.0)];
        if sent.contains(&Some(revealed)) {
            return;
        }
        if let Some(place) = sent.iter_mut().find(|place| place.is_none()) {
            *place = Some(revealed);
        }
        sent.sort();
    }

    pub(super) fn include_settlement_enabled(
        &self,
        state: &State,
        on: Branch,
        dealer: MinerId,
        revealed: Members,
    ) -> Result<(), Blocked> {
        self.named(state, dealer)?;
        require(state.sent.settlements_of(dealer).any(|sent| sent == revealed), Blocked::NotSent)?;
        self.takes_settlement(state, on, dealer, (revealed, true))
    }

    /// Whether a chain takes this settlement: the dealing is there, and no settlement yet, or another one.
    fn takes_settlement(
        &self,
        state: &State,
        on: Branch,
        dealer: MinerId,
        (revealed, right): (Members, bool),
    ) -> Result<(), Blocked> {
        let transcript = self.growing_in(state, on, Phase::Settling)?;
        require(transcript.dealt(dealer).is_some(), Blocked::NotSent)?;
        let other =
            |settled: Settled| (settled.revealed, settled.right) != (revealed, right) && !settled.twice;
        require(transcript.settled(dealer).is_none_or(other), Blocked::Done)
    }

    pub(super) fn include_settlement_apply(
        &self,
        state: &mut State,
        on: Branch,
        dealer: MinerId,
        (revealed, right): (Members, bool),
    ) {
        let Some(transcript) = state.transcript_mut(on) else { return };
        let place = &mut transcript.settlements[usize::from(dealer.0)];
        match place {
            None => *place = Some(Settled { revealed, right, twice: false }),
            Some(settled) => settled.twice = true,
        }
    }

    /// The settlements of the prompt dealers, which reveal nothing.
    pub(super) fn settle_promptly(&self, transcript: &mut Transcript) {
        let dealers: Members = self.prompt.iter().filter(|&it| transcript.dealt(it).is_some()).collect();
        for dealer in dealers.iter() {
            let settled = Settled { revealed: Members::NONE, right: true, twice: false };
            transcript.settlements[usize::from(dealer.0)] = Some(settled);
        }
    }

    /// A settlement that reveals more than is allowed, or lacks receipts, is as good as none.
    pub(super) fn byzantine_settle_enabled(
        &self,
        state: &State,
        on: Branch,
        revealed: Members,
        right: bool,
    ) -> Result<(), Blocked> {
        let dealer = self.adversary().iter().next().ok_or(Blocked::NoSuch)?;
        self.takes_settlement(state, on, dealer, (revealed, right))?;
        let transcript = self.growing_in(state, on, Phase::Settling)?;
        let dealt = transcript.dealt(dealer).ok_or(Blocked::NotSent)?;
        let honest = self.honest().and(transcript.members);
        require(revealed.is_within(honest), Blocked::NoSuch)?;
        require(right || !revealed.is_empty(), Blocked::NoSuch)?;
        let allowed = self.thresholds(transcript.members.count()).max_revealed;
        require(revealed.count() <= allowed || self.has(Fault::RevealsAny), Blocked::RevealsTooMuch)?;
        let mut others = honest.without(revealed).iter();
        require(others.all(|member| self.receipt_shown(state, member, dealt.fits)), Blocked::NoReceipt)
    }
}
