//! Step 4: what a block says of the final block that it names.
//!
//! A block names the highest finality certificate that its generator knows, and too far above the named block its payload is
//! empty. The claims are judged from what the harness has seen: who has voted, what the parent names, how far the world lets a
//! payload be above the named block. No check of the production crate is asked.

use zus_bpp::block::Block;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::ticket_log::LogRecord;

use crate::oracles::Violation;
use crate::oracles::genuine::defect;
use crate::world::World;

fn named(block: &Block) -> u64 {
    block.finality().map_or(0, |known| known.statement.round.0)
}

/// The fault of a block's claim about the final block that it names, as far as the block alone shows it.
pub(super) fn misnamed<S: Scheme + Clone>(world: &World<S>, block: &Block) -> Option<Violation> {
    let (setup, round) = (&world.ground.setup, block.round().0);
    let wrong =
        |property, facts: &str| Some(Violation { property, facts: format!("{}, which {facts}", block.id()) });
    if !setup.votes() {
        return block
            .finality()
            .and_then(|_| wrong("step 4", "names a final block under rules without votes"));
    }
    if named(block) >= round {
        return wrong("step 4", "names itself or a later block as final");
    }
    if !block.payload().is_empty() && round - named(block) > setup.payload_rounds {
        return wrong("step 4", "has a payload too far above the final block that it names");
    }
    let known = block.finality()?;
    let record = LogRecord::finality_vote(known.round, known.subround, known.block.0);
    if world.is_given(&record) {
        return None;
    }
    let defect = defect(world, &record, &known.certificate)?;
    wrong("S8", &format!("names a final block by a certificate {defect}"))
}

/// Whether a block names a lower final block than its parent does: no honest miner tickets it.
pub(super) fn falls(block: &Block, parent: &Block) -> bool {
    named(block) < named(parent)
}
