//! The evidence that is kept, within a bound.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::sync::Arc;

use crate::block::Digest;
use crate::committee::MinerId;
use crate::evidence::Evidence;
use crate::limits::MAX_EVIDENCE_PER_MINER;

/// The evidence that is kept. The work to see whether a further piece is wanted grows with the number of miners whom
/// the piece convicts, and not with the number of pieces kept.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct EvidenceStore {
    kept: Vec<Arc<Evidence>>,
    /// Digests of what is kept.
    known: BTreeSet<Digest>,
    /// How many of the kept pieces convict each miner.
    against: BTreeMap<MinerId, usize>,
}

impl EvidenceStore {
    /// The evidence in the order in which it was found.
    pub fn all(&self) -> &[Arc<Evidence>] {
        &self.kept
    }

    /// Enough of the evidence to convict everybody whom all of it convicts: no more pieces than there are miners.
    pub fn one_against_each(&self) -> impl Iterator<Item = Arc<Evidence>> {
        let mut convicted: BTreeSet<MinerId> = BTreeSet::new();
        self.kept.iter().filter_map(move |proof| {
            let before = convicted.len();
            convicted.extend(proof.convicts());
            (convicted.len() > before).then(|| Arc::clone(proof))
        })
    }

    fn against(&self, miner: MinerId) -> usize {
        self.against.get(&miner).copied().unwrap_or(0)
    }

    /// Whether every piece is kept once, and convicts somebody whose bound it did not exceed.
    pub fn is_bounded(&self) -> bool {
        self.kept.len() == self.known.len() && self.kept.len() <= self.against.len() * MAX_EVIDENCE_PER_MINER
    }

    /// Whether canonical evidence is new and its bound is not reached for everybody whom it convicts.
    pub fn wants(&self, evidence: &Evidence) -> bool {
        evidence.convicts().iter().any(|&miner| self.against(miner) < MAX_EVIDENCE_PER_MINER)
            && !self.known.contains(&evidence.digest())
    }

    pub fn keep(&mut self, evidence: Arc<Evidence>) {
        for miner in evidence.convicts() {
            *self.against.entry(miner).or_default() += 1;
        }
        self.known.insert(evidence.digest());
        self.kept.push(evidence);
    }
}
