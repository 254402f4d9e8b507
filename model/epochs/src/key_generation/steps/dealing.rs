//! **Register.** A member puts its encryption key on the chain. The members of an attempt are fixed before it begins; a member
//! whose key is not registered in time has no sealed share, so that each dealer has to reveal its share.
//!
//! **Deal.** At the start of an attempt each member signs one dealing: public coefficients, and a sealed share for each member.
//! It is sent at once, and comes into a block in time or not. Honest dealings fit everybody; the Byzantine member chooses whom its
//! dealing fits, and may make several.
//!
//! **Receipt.** A member signs a receipt for the first dealing of each dealer on a chain on which it acts, if its share fits. To
//! sign early takes nothing from anybody, so that a receipt is there as soon as it may be; it reaches the dealer in time or not
//! (`settlement`).

use super::{Blocked, require};
use crate::key_generation::{
    fault::Fault,
    instance::Instance,
    members::Members,
    state::{Branch, State},
    transcript::Phase,
};
use zus_protocol::ids::MinerId;

impl Instance {
    pub(super) fn register_enabled(&self, state: &State, on: Branch, member: MinerId) -> Result<(), Blocked> {
        let transcript = self.growing_in(state, on, Phase::Registering)?;
        require(self.all().has(member), Blocked::NoSuch)?;
        require(!transcript.registered.has(member), Blocked::Done)
    }

    pub(super) fn register_apply(&self, state: &mut State, on: Branch, member: MinerId) {
        if let Some(transcript) = state.transcript_mut(on) {
            transcript.registered = transcript.registered.with(member);
        }
    }

    pub(super) fn deal_enabled(&self, state: &State, on: Branch, dealer: MinerId) -> Result<(), Blocked> {
        self.named(state, dealer)?;
        let transcript = self.growing_in(state, on, Phase::Dealing)?;
        require(transcript.registered.has(dealer), Blocked::NotRegistered)?;
        require(transcript.dealt(dealer).is_none(), Blocked::Done)
    }

    pub(super) fn deal_apply(&self, state: &mut State, on: Branch, dealer: MinerId) {
        if let Some(transcript) = state.transcript_mut(on) {
            transcript.take_dealing(dealer, self.honest_dealing(transcript));
        }
    }

    pub(super) fn byzantine_deal_enabled(
        &self,
        state: &State,
        on: Branch,
        fits: Members,
    ) -> Result<(), Blocked> {
        let dealer = self.adversary().iter().next().ok_or(Blocked::NoSuch)?;
        let transcript = self.growing_in(state, on, Phase::Dealing)?;
        require(self.dealings.contains(&fits), Blocked::NoSuch)?;
        require(transcript.members.has(dealer), Blocked::NotRegistered)?;
        require(
            transcript.dealt(dealer).is_none_or(|dealt| dealt.fits != fits && !dealt.twice),
            Blocked::Done,
        )
    }

    pub(super) fn byzantine_deal_apply(&self, state: &mut State, on: Branch, fits: Members) {
        let dealers = self.adversary();
        if let Some(transcript) = state.transcript_mut(on) {
            for dealer in dealers.iter() {
                transcript.take_dealing(dealer, fits);
            }
        }
        self.sign_receipts(state, on);
    }

    /// Honest members sign receipts for the first dealing of the Byzantine member on a chain, if they act on it.
    pub(super) fn sign_receipts(&self, state: &mut State, on: Branch) {
        let dealer = self.adversary().iter().next();
        let transcript = state.transcript(on).filter(|_| self.acted_on().contains(&on));
        let dealt = dealer.zip(transcript).and_then(|(dealer, transcript)| transcript.dealt(dealer));
        if let Some(at) = dealt.and_then(|dealt| self.dealings.iter().position(|known| *known == dealt.fits))
        {
            state.sent.receipted |= 1 << at;
        }
    }

    /// VC47: the member that crashed has forgotten the seed of its dealing.
    pub(super) fn deal_again_enabled(&self, state: &State, dealer: MinerId) -> Result<(), Blocked> {
        require(self.has(Fault::SeedVolatile), Blocked::NotInRules)?;
        self.acting(state, dealer)?;
        require(state.chain.phase == Phase::Dealing, Blocked::OtherPhase)?;
        require(state.crashed.is_some_and(|(member, _)| member == dealer), Blocked::NotSent)?;
        require(!state.sent.dealt_again.has(dealer), Blocked::Done)
    }

    pub(super) fn deal_again_apply(&self, state: &mut State, dealer: MinerId) {
        state.sent.dealt_again = state.sent.dealt_again.with(dealer);
    }
}
