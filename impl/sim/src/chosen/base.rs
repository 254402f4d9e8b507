//! The final block with which a world begins that does not begin with genesis: rounds have large numbers there.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent, BlockId, Closing};
use zus_bpp::certified::{Certified, FinalityCertificate};
use zus_bpp::chain::FinalBlock;
use zus_bpp::committee::{MinerId, Round, Subround};
use zus_bpp::crypto::certificate::Certificate;
use zus_bpp::crypto::scheme::{BeaconValue, Scheme};
use zus_bpp::statement::{FinalityVote, Statement, Ticket};

use super::Ground;

/// A block of the round at which the world begins, with a notarization that everybody has signed. It names the block below it
/// as final.
pub(super) fn base<S: Scheme + Clone>(ground: &Ground<S>) -> Option<FinalBlock> {
    let committee = &ground.config.committee;
    let (round, subround) = (Round(ground.setup.begins_at), Subround(0));
    let parent = BlockId([4; 32]);
    let draw = ground.drawn(round.0, subround.0, &BeaconValue([3; 32]))?;
    let block = Arc::new(Block::new(BlockContent {
        chain: committee.chain(),
        epoch: committee.epoch(),
        round,
        subround,
        generator: *draw.order.first()?,
        parent,
        parent_notarization: None,
        finality: below_is_final(ground, parent),
        beacon: draw.value,
        beacon_signature: draw.signature,
        closing: Closing::Open,
        items: Vec::new(),
        payload: Vec::new(),
        time: ground.config.genesis.header().time,
    }));
    let notarization = certified(ground, Ticket { round, subround, block: block.id() })?;
    Some(FinalBlock { block, notarization: Some(notarization) })
}

/// The certificate of the block below, where finality takes votes.
fn below_is_final<S: Scheme + Clone>(ground: &Ground<S>, block: BlockId) -> Option<Arc<FinalityCertificate>> {
    let round = Round(ground.setup.begins_at).previous().filter(|_| ground.setup.votes())?;
    certified(ground, FinalityVote { round, subround: Subround(0), block })
}

/// A statement that everybody has signed.
fn certified<S: Scheme + Clone, T: Statement>(ground: &Ground<S>, statement: T) -> Option<Arc<Certified<T>>> {
    let message = statement.preimage(&ground.config.committee);
    let members = ground.keys.members.iter().enumerate();
    let signatures: Option<Vec<_>> =
        members.map(|(index, key)| Some((MinerId(index as u16), key.sign(T::DOMAIN, &message)?))).collect();
    let certificate =
        Certificate::assemble(&ground.keys.observer, ground.setup.quorum(), &signatures?).ok()?;
    Some(Arc::new(Certified { statement, certificate }))
}
