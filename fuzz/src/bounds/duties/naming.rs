//! Step 4: what a ticketed block says of the final block that it names.
//!
//! A block names the highest finality certificate that its generator knows, and too far above the named block its payload is
//! empty. The claims are judged from what the harness has seen: who has voted, what the parent names, how far the world lets a
//! payload be above the named block. No check of the production crate is asked.

use zus_bpp::block::Block;
use zus_bpp::certified::FinalityCertificate;
use zus_bpp::crypto::scheme::{Domain, Scheme};
use zus_bpp::rules::FinalityRule;
use zus_bpp::statement::Statement;
use zus_bpp::ticket_log::Record;

use crate::world::World;

/// Why no honest miner may ticket `block`, whose parent is `parent`, because of the final block that it names.
pub(super) fn misnamed<S: Scheme + Clone>(
    world: &World<S>,
    block: &Block,
    parent: &Block,
) -> Option<&'static str> {
    let round_of = |block: &Block| block.finality().map_or(0, |certificate| certificate.statement.round.0);
    let named = round_of(block);
    if world.ground.setup.rules.finality != FinalityRule::Votes {
        return (named > 0).then_some("which names a final block under rules without votes");
    }
    if named >= block.round().0 {
        return Some("which names itself or a later block as final");
    }
    if named < round_of(parent) {
        return Some("which names a lower final block than its parent");
    }
    if !block.payload().is_empty() && block.round().0 - named > world.ground.setup.payload_rounds {
        return Some("which has a payload too far above the final block that it names");
    }
    block
        .finality()
        .is_some_and(|certificate| !is_genuine(world, certificate))
        .then_some("which names a final block by a forged certificate")
}

/// Whether a quorum has signed exactly this vote, and the certificate holds the sum of exactly their signatures.
fn is_genuine<S: Scheme + Clone>(world: &World<S>, known: &FinalityCertificate) -> bool {
    let record = Record::finality_vote(known.round, known.subround, known.block.0);
    let signers: Vec<_> = known.certificate.signers.iter().collect();
    let all_voted = signers.iter().all(|signer| match world.host_of(*signer) {
        Some(host) => world.hosts[host].has_said(&record),
        None => world.byzantine.contains(&(*signer, record)),
    });
    let keys = &world.ground.keys;
    let message = known.statement.preimage(&world.ground.config.committee);
    let signature = |signer: &zus_bpp::committee::MinerId| {
        keys.members.get(usize::from(signer.0))?.sign(Domain::FinalityVote, &message)
    };
    let sum = signers.iter().map(signature).collect::<Option<Vec<_>>>();
    signers.len() >= world.ground.setup.quorum()
        && all_voted
        && sum.and_then(|sum| keys.observer.aggregate(&sum)) == Some(known.certificate.aggregate)
}
