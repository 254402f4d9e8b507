//! The core of every explicit search: the successors of one packed state, each with its fingerprint. The search on threads
//! ([`super::bfs`]) and a search on several processes share it, so that both see the same states in the same order.

use super::{codec::Codec, table::Fingerprint};
use crate::{action::Action, blocks::BlockSet, properties::Facts, protocol::Protocol, state::State};
use rapidhash::v3::rapidhash_v3;

/// The fingerprint of a state, of whose bytes the first `used` are not always zero.
#[inline]
pub(super) fn fingerprint_of(state: &State, used: usize) -> Fingerprint {
    // 0 marks an empty place.
    rapidhash_v3(&bytemuck::bytes_of(state)[..used]).max(1)
}

/// Bytes of a state of `protocol`, from its beginning, that are not always zero.
pub(super) fn used(protocol: &Protocol) -> usize {
    State::used(protocol.blocks.len(), protocol.keeps_archive())
}

/// Expands the states of one protocol, one after the other.
pub struct Expander<'p> {
    protocol: &'p Protocol,
    used: usize,
    state: State,
    notarized: BlockSet,
    actions: Vec<Action>,
    behind: (u8, u8),
}

impl<'p> Expander<'p> {
    /// An expander that has no state yet.
    pub fn new(protocol: &'p Protocol) -> Self {
        Expander {
            protocol,
            used: used(protocol),
            state: State::empty(),
            notarized: BlockSet::default(),
            actions: Vec::new(),
            behind: (0, 0),
        }
    }

    /// Takes up the state that `codec` packed, and returns its fingerprint.
    #[inline]
    pub fn enter(&mut self, codec: &Codec, packed: &[u8]) -> Fingerprint {
        codec.unpack_over(packed, &mut self.state);
        self.notarized = self.protocol.notarized_set(&self.state);
        fingerprint_of(&self.state, self.used)
    }

    /// The state that was taken up.
    #[inline]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The properties in `sought` that the state shows.
    #[inline]
    pub fn facts(&self, sought: Facts) -> Facts {
        self.protocol.facts_with(&self.state, self.notarized, sought)
    }

    /// The bytes of a state of this protocol that are not always zero.
    #[inline]
    pub fn bytes<'s>(&self, state: &'s State) -> &'s [u8] {
        &bytemuck::bytes_of(state)[..self.used]
    }

    /// Finds the steps of the state, and returns how many there are.
    #[inline]
    pub fn steps(&mut self) -> usize {
        self.behind = self.protocol.behind(&self.state);
        self.actions.clear();
        self.protocol.actions_with(&self.state, self.notarized, &mut self.actions);
        self.actions.len()
    }

    /// Writes the successor of the step with that number over `next`, an empty state or one of the same protocol. Its fingerprint.
    #[inline]
    pub fn step(&self, step: usize, next: &mut State) -> Fingerprint {
        let action = &self.actions[step];
        bytemuck::bytes_of_mut(next)[..self.used]
            .copy_from_slice(&bytemuck::bytes_of(&self.state)[..self.used]);
        self.protocol.perform(next, action);
        self.protocol.normalize_after(next, action, self.behind);
        fingerprint_of(next, self.used)
    }
}
