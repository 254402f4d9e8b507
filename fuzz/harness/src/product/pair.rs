//! A state of the product: a world of production miners, and the model's state beside it.

use std::fmt;
use std::hash::{Hash, Hasher};

use zus_bpp::block::BlockId;
use zus_bpp::ticket_log::LogRecord;

use crate::refinement::Names;
use crate::schedule::{Failure, Run};

/// A state of the product.
#[derive(Clone)]
pub struct Pair {
    /// World, refinement and oracle.
    pub run: Run,
}

impl Pair {
    /// The state that a miner acts upon beside the model's: its phase, whether it has the beacon value, candidates,
    /// known notarizations, head, and writes on their way to the disk. Not compared: signatures short of a quorum,
    /// numbers of writes, timers, and requests (see the module doc).
    fn acted_upon(&self, host: usize) -> impl Eq + Hash + '_ {
        let host = &self.run.world.hosts[host];
        let (round, subround) = (host.miner.round(), host.miner.subround());
        let candidates: Vec<BlockId> =
            host.miner.candidates(round, subround).map(|(block, _)| block).collect();
        let known: Vec<BlockId> = host.miner.notarizations().map(|known| known.block).collect();
        let head = host.miner.finalized().id();
        let unwritten: Vec<LogRecord> = host.miner.unwritten().copied().collect();
        let position = (host.up, host.miner.phase(), host.miner.beacon().is_some());
        (position, candidates, known, head, unwritten, host.miner.highest_timeout())
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&self.run, &other.run);
        a.judges.refinement.state == b.judges.refinement.state
            && a.failure().is_some() == b.failure().is_some()
            && (0..a.world.hosts.len()).all(|host| self.acted_upon(host) == other.acted_upon(host))
    }
}

impl Eq for Pair {}

impl Hash for Pair {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.run.judges.refinement.state.hash(hasher);
        self.run.failure().is_some().hash(hasher);
        for host in 0..self.run.world.hosts.len() {
            self.acted_upon(host).hash(hasher);
        }
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refinement = &self.run.judges.refinement;
        let names = Names::of(&self.run.world);
        f.write_str(&names.translate(&refinement.protocol.describe(&refinement.state)))?;
        self.run.failure().map_or(Ok(()), |failure| write!(f, "\nWRONG: {failure}"))
    }
}

/// The failure of a pair, in words.
#[must_use]
pub fn failure_of(pair: &Pair) -> Option<Failure> {
    pair.run.failure()
}
