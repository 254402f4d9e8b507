//! The keys of the nodes of a world: planned, or made by a real key generation.

use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::epochs::key_generation::Entry;
use zus_bpp::epochs::planned::{PlannedKeys, PlannedProgress, PlannedRecord, node};
use zus_bpp::epochs::replica::Keys;
use zus_bpp::epochs::roster::NodeId;

use super::setup::Setup;

/// The records of a network.
pub type RecordOf<N> = <<N as KeySource>::Keys as Keys>::Record;
/// The progress of a network.
pub type ProgressOf<N> = <<N as KeySource>::Keys as Keys>::Progress;
/// The schemes of a network.
pub type SchemeOf<N> = <<N as KeySource>::Keys as Keys>::Scheme;

/// The keys of all nodes, by number.
pub trait KeySource {
    /// The keys of one node.
    type Keys: Keys;

    /// The keys of a node.
    fn keys(&self, node: u16) -> Self::Keys;

    /// The node with a number.
    fn node(&self, number: u16) -> NodeId;

    /// The record of the first epoch.
    fn first(&self, setup: &Setup) -> RecordOf<Self>;

    /// The journal of the key generation of the first epoch, which took place before.
    fn first_journal(&self, node: u16) -> Vec<Entry>;

    /// The outcome of the key generation that a record is complete by; `None` where it was planned.
    fn keys_made(&self, progress: &ProgressOf<Self>) -> Option<KeysMade>;
}

/// The result of a key generation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeysMade {
    /// The attempt that made the key, from 0 on.
    pub attempt: u32,
    /// The round in which the first attempt began.
    pub first_round: u64,
    /// The places of the members whose dealings are not in the key, and why.
    pub excluded: Vec<(u16, String)>,
}

impl<S: Scheme + Clone> KeySource for PlannedKeys<S> {
    type Keys = Self;

    fn keys(&self, _: u16) -> Self {
        self.clone()
    }

    fn node(&self, number: u16) -> NodeId {
        node(number)
    }

    fn first(&self, setup: &Setup) -> PlannedRecord {
        setup.plan.record(setup.plan.first).expect("a first committee")
    }

    fn first_journal(&self, _: u16) -> Vec<Entry> {
        Vec::new()
    }

    fn keys_made(&self, _: &PlannedProgress) -> Option<KeysMade> {
        None
    }
}
