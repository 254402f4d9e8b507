//! Step 10 under the rules without votes: what has to be final once a round was left, or once the wait after it is over.

use zus_bpp::committee::Round;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::Timer;
use zus_bpp::rules::FinalityRule;

use super::{Duties, Violation};
use crate::world::{Cause, World};

impl Duties {
    /// Of a round in which a miner knows one notarized block, through which it left, and all blocks down to its head: the
    /// rounds that have to be final. (Where it knows several, they meet lower.)
    pub(super) fn finality<S: Scheme + Clone>(
        &self,
        world: &World<S>,
        host: usize,
        cause: Cause,
    ) -> Option<Violation> {
        let miner = &world.hosts[host].miner;
        let left = miner.round().previous().filter(|left| *left > Round(0))?;
        let depth = match world.ground.setup.rules.finality {
            FinalityRule::Votes => return None,
            FinalityRule::TwoThirds => 0,
            FinalityRule::CommonAncestor { depth } => u64::from(depth),
            FinalityRule::TwoDelta if cause == Cause::Timer(Timer::Finality { round: left }) => 0,
            FinalityRule::TwoDelta => return None,
        };
        let memory = &self.lives.get(host)?.memory;
        let of_left = memory.may_be_notarized(miner, left);
        if of_left.len() != 1 || !of_left.contains(&miner.entry()) {
            return None;
        }
        let due = left.0.saturating_sub(depth);
        (memory.leads_to_head(world, host, left, miner.entry()) && miner.finalized().round().0 < due).then(|| Violation {
            property: "step 10",
            facts: format!(
                "{} has left round {left} through the one notarized block it knows there, and round {due} is not final",
                world.hosts[host].id
            ),
        })
    }
}
