//! The final block with which a world begins that does not begin with genesis: rounds have large numbers there.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent, BlockId};
use zus_bpp::certified::Certified;
use zus_bpp::chain::FinalBlock;
use zus_bpp::committee::{MinerId, Round, Subround};
use zus_bpp::crypto::certificate::Certificate;
use zus_bpp::crypto::scheme::{BeaconValue, Domain, Scheme};
use zus_bpp::statement::{Statement, Ticket};

use super::Ground;

/// A block of the round at which the world begins, with a notarization that everybody has signed.
pub(super) fn base<S: Scheme + Clone>(ground: &Ground<S>) -> Option<FinalBlock> {
    let committee = &ground.config.committee;
    let (round, subround) = (Round(ground.setup.begins_at), Subround(0));
    let draw = ground.drawn(round.0, subround.0, &BeaconValue([3; 32]))?;
    let block = Arc::new(Block::new(BlockContent {
        chain: committee.chain(),
        epoch: committee.epoch(),
        round,
        subround,
        generator: *draw.order.first()?,
        parent: BlockId([4; 32]),
        parent_notarization: None,
        beacon: draw.value,
        beacon_signature: draw.signature,
        payload: Vec::new(),
        time: ground.config.genesis.header().time,
    }));
    let statement = Ticket { round, subround, block: block.id() };
    let message = statement.preimage(committee);
    let members = ground.keys.members.iter().enumerate();
    let signatures: Option<Vec<_>> = members
        .map(|(index, key)| Some((MinerId(index as u16), key.sign(Domain::Ticket, &message)?)))
        .collect();
    let certificate =
        Certificate::assemble(&ground.keys.observer, ground.setup.quorum(), &signatures?).ok()?;
    Some(FinalBlock { block, notarization: Some(Arc::new(Certified { statement, certificate })) })
}
