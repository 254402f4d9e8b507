//! Step 10 under the rules without votes: what has to be final once a round was left, or once the wait after it is over.

use zus_bpp::committee::Round;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::Timer;
use zus_bpp::rules::FinalityRule;

use super::{Obligations, Violation};
use crate::world::{Cause, World};

/// The round up to which a node has to have finalized that knows one notarized block of `round`, and no later round if `highest`;
/// `waited`: the wait after the round is over.
pub(super) fn due(rule: FinalityRule, round: Round, waited: bool, highest: bool) -> Option<Round> {
    match rule {
        FinalityRule::Votes => None,
        FinalityRule::TwoThirds => Some(round),
        FinalityRule::CommonAncestor { depth } => {
            highest.then(|| Round(round.0.saturating_sub(u64::from(depth))))
        }
        FinalityRule::TwoDelta => waited.then_some(round),
    }
}

impl Obligations {
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
        let waited = cause == Cause::Timer(Timer::Finality { round: left });
        let due = due(world.ground.setup.rules.finality, left, waited, true)?;
        let memory = &self.lives.get(host)?.memory;
        let of_left = memory.may_be_notarized(miner, left);
        if of_left.len() != 1 || !of_left.contains(&miner.entry()) {
            return None;
        }
        (memory.leads_to_head(world, host, left, miner.entry()) && miner.finalized().round() < due).then(|| Violation {
            property: "step 10",
            facts: format!(
                "{} has left round {left} through the one notarized block it knows there, and round {due} is not final",
                world.hosts[host].id
            ),
        })
    }
}
