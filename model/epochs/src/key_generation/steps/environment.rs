//! **Crash and restart.** A member that crashes loses what is in memory only, and is as good as slow until it is back. While it is
//! down it does not settle and says nothing. What it sent stays sent.

use super::{Blocked, require};
use crate::key_generation::{
    fault::Fault,
    instance::Instance,
    state::{Kept, State},
    transcript::Phase,
};
use zus_protocol::ids::MinerId;

impl Instance {
    pub(super) fn crash_enabled(&self, state: &State, member: MinerId) -> Result<(), Blocked> {
        require(self.crashes > 0, Blocked::NotInRules)?;
        require(state.crashed.is_none(), Blocked::Done)?;
        require(state.chain.phase != Phase::Failed, Blocked::OtherPhase)?;
        self.acting(state, member).map(|_| ())
    }

    pub(super) fn crash_apply(&self, state: &mut State, member: MinerId) {
        state.crashed = Some((member, state.chain.phase));
        let forgets = self.has(Fault::SettlesAfterRestart);
        let m = state.member_mut(member);
        m.up = false;
        m.lose_keys(Kept::Memory);
        m.refuses |= m.keys.iter().flatten().any(|key| key.kept == Kept::Unmarked);
        if forgets {
            m.settled_on = [false; 3];
        }
    }

    pub(super) fn restart_enabled(&self, state: &State, member: MinerId) -> Result<(), Blocked> {
        require(!self.named(state, member)?.up, Blocked::Up)
    }
}
