//! The memory of a miner has a bound.

use super::stage::{Stage, ticket_of};
use crate::committee::{Round, Subround};
use crate::limits::SUBROUNDS_BEHIND;
use crate::message::Message;
use crate::rules::Rules;

/// A round without end does not fill the memory: of subrounds far below the own one nothing is kept that nobody signed.
#[test]
fn what_a_miner_keeps_of_a_round_does_not_grow_with_its_subrounds() {
    const SUBROUNDS: u32 = 40;
    let mut stage = Stage::new(Rules::HARDENED);
    let (mut blocks, mut kept) = (Vec::new(), 0);
    for subround in 0..SUBROUNDS {
        let block = stage.first_block(subround, stage.generator(1, subround));
        let timeouts = subround.checked_sub(1).map(|before| stage.timeouts(1, before, &[1, 2, 3]));
        let proposal = stage.proposal(&block, timeouts);
        stage.hears(block.header().generator.0, proposal);
        for signer in [1, 2] {
            let ticket = stage.signed(signer, ticket_of(&block));
            stage.hears(signer, Message::Ticket(ticket));
        }
        assert_eq!(stage.miner.subround(), Subround(subround));
        blocks.push(block.id());
        kept = kept.max(stage.miner.collected());
    }
    let held = blocks.iter().filter(|id| stage.miner.block(Round(1), **id).is_some()).count();
    let near = SUBROUNDS_BEHIND as usize + 1;
    assert_eq!(held, near, "blocks");
    assert!(blocks[blocks.len() - near..].iter().all(|id| stage.miner.block(Round(1), *id).is_some()));
    assert!(kept <= 4 * near, "{kept} signatures and candidates");
}
