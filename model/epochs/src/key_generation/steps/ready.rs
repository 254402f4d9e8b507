//! **Ready.** After the settlement deadline a member adds up its shares of all qualified dealings, revealed or unsealed, makes the
//! key share durable, and then signs a ready statement for exactly this record. A member that lacks a share is not ready.
//!
//! **Conclude.** When the record is complete on the final chain, each member makes sure of its key share, ready or not, and
//! erases the secrets of the attempt after that.

use super::{Blocked, require};
use crate::key_generation::{
    fault::Fault,
    instance::{Instance, quorum},
    members::Members,
    rules::ReadyDurabilityRule,
    state::{Branch, Kept, Key, State},
    transcript::{Phase, Record},
};
use zus_protocol::ids::MinerId;

impl Instance {
    /// Where a member's key share is after it was computed.
    fn kept_first(&self) -> Kept {
        match self.rules.ready_durability {
            ReadyDurabilityRule::BeforeStatement if self.has(Fault::UsableMarkedLater) => Kept::Unmarked,
            ReadyDurabilityRule::BeforeStatement => Kept::Durable,
            ReadyDurabilityRule::AfterStatement => Kept::Memory,
        }
    }

    /// The thresholds that a member may take a key of so many members to have (VC14).
    pub fn believed_thresholds(&self, members: usize) -> Vec<u8> {
        if self.has(Fault::ThresholdsOfOnline) {
            let mut believed: Vec<u8> = (1..=members).map(|online| quorum(online) as u8).collect();
            believed.dedup();
            return believed;
        }
        vec![self.thresholds(members).threshold as u8]
    }

    pub(super) fn say_ready_enabled(
        &self,
        state: &State,
        on: Branch,
        member: MinerId,
        (summed, threshold): (Members, u8),
    ) -> Result<(), Blocked> {
        let m = self.acting(state, member)?;
        let transcript = self.acted_in(state, on, Phase::Readying)?;
        require(transcript.members.has(member), Blocked::NoSuch)?;
        let record = self.record(transcript);
        let said = state.sent.ready_of(member).any(|sent| sent == record);
        let has_key = m.key_of(record).is_some();
        let room = state.sent.ready[usize::from(member.0)].contains(&None);
        require(!said && !has_key && room, Blocked::Done)?;
        require(!m.erased && !m.refuses, Blocked::NoShare)?;
        require(self.sums(transcript, member).contains(&summed), Blocked::NoShare)?;
        require(self.believed_thresholds(transcript.members.count()).contains(&threshold), Blocked::NoSuch)
    }

    pub(super) fn say_ready_apply(
        &self,
        state: &mut State,
        on: Branch,
        member: MinerId,
        (summed, threshold): (Members, u8),
    ) {
        let Some(transcript) = state.transcript(on) else { return };
        let record = self.record(transcript);
        let kept = self.kept_first();
        state.member_mut(member).take_key(Key { record, summed, threshold, kept });
        if kept != Kept::Unmarked {
            self.send_ready(state, member, record);
        }
    }

    /// The member sends the ready statement for `record`.
    fn send_ready(&self, state: &mut State, member: MinerId, record: Record) {
        let sent = &mut state.sent.ready[usize::from(member.0)];
        if let Some(place) = sent.iter_mut().find(|place| place.is_none()) {
            *place = Some(record);
        }
        sent.sort();
    }

    pub(super) fn include_ready_enabled(
        &self,
        state: &State,
        on: Branch,
        member: MinerId,
    ) -> Result<(), Blocked> {
        let transcript = self.growing_in(state, on, Phase::Readying)?;
        require(!transcript.ready.has(member), Blocked::Done)?;
        let record = self.record(transcript);
        let counts = |sent| sent == record || self.has(Fault::ReadyForAnything);
        require(state.sent.ready_of(member).any(counts), Blocked::NotSent)
    }

    pub(super) fn include_ready_apply(&self, state: &mut State, on: Branch, member: MinerId) {
        if let Some(transcript) = state.transcript_mut(on) {
            self.take_ready(transcript, member);
        }
        self.forget_unused(state);
    }

    pub(super) fn byzantine_ready_enabled(&self, state: &State, on: Branch) -> Result<(), Blocked> {
        let member = self.adversary().iter().next().ok_or(Blocked::NoSuch)?;
        let transcript = self.growing_in(state, on, Phase::Readying)?;
        require(transcript.members.has(member), Blocked::NoSuch)?;
        require(!transcript.ready.has(member), Blocked::Done)
    }

    pub(super) fn store_enabled(&self, state: &State, member: MinerId) -> Result<(), Blocked> {
        let m = self.acting(state, member)?;
        let waiting = m.keys.iter().flatten().any(|key| key.kept != Kept::Durable);
        require(!m.refuses && waiting, Blocked::Done)
    }

    pub(super) fn store_apply(&self, state: &mut State, member: MinerId) {
        let mut unmarked = None;
        for key in state.member_mut(member).keys.iter_mut().flatten() {
            if key.kept == Kept::Unmarked {
                unmarked = Some(key.record);
            }
            key.kept = Kept::Durable;
        }
        if let Some(record) = unmarked.filter(|_| !state.chain.is_over()) {
            self.send_ready(state, member, record);
        }
    }

    pub(super) fn conclude_enabled(&self, state: &State, member: MinerId) -> Result<(), Blocked> {
        let m = self.acting(state, member)?;
        require(state.chain.phase == Phase::Complete, Blocked::OtherPhase)?;
        require(state.chain.members.has(member), Blocked::NoSuch)?;
        require(!m.erased && !m.refuses, Blocked::Done)?;
        require(m.keys.iter().flatten().all(|key| key.kept != Kept::Unmarked), Blocked::NoShare)
    }

    pub(super) fn conclude_apply(&self, state: &mut State, member: MinerId) {
        let record = self.record(&state.chain);
        let sum = self.sums(&state.chain, member).first().copied();
        let threshold = self.thresholds(record.members.count()).threshold as u8;
        let kept = match self.kept_first() {
            Kept::Memory => Kept::Memory,
            Kept::Unmarked | Kept::Durable => Kept::Durable,
        };
        let m = state.member_mut(member);
        if let (None, Some(summed)) = (m.key_of(record), sum) {
            m.take_key(Key { record, summed, threshold, kept });
        }
        m.erased = true;
    }

    /// VC21: a member takes the end of the attempt on a branch for its end.
    pub(super) fn erase_early_enabled(
        &self,
        state: &State,
        on: Branch,
        member: MinerId,
    ) -> Result<(), Blocked> {
        require(self.has(Fault::ErasedBeforeFinal) && on != Branch::Final, Blocked::NotInRules)?;
        let m = self.acting(state, member)?;
        let transcript = state.transcript(on).ok_or(Blocked::NoSuch)?;
        require(transcript.is_over(), Blocked::OtherPhase)?;
        require(!m.erased, Blocked::Done)
    }
}
