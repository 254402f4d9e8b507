//! Blocks that the host holds come back one at a time, and stay until all of them are here.

use std::sync::Arc;

use super::regressions::{answer, asks, chain};
use super::stage::Stage;
use crate::block::Block;
use crate::committee::Round;
use crate::message::Message;
use crate::miner::{Input, Output, Timer};
use crate::rules::Rules;

/// Notarized rounds above the head: all but the newest are with the host.
const ROUNDS: usize = 12;

fn loads(out: &[Output]) -> Vec<Round> {
    let round = |output: &Output| match output {
        Output::Load { round, .. } => Some(*round),
        _ => None,
    };
    out.iter().filter_map(round).collect()
}

/// Between two answers of the host other things happen, and at the end of each step old blocks are put away. Those that are being
/// loaded are not: each is asked for once, and after the last one all are final.
#[test]
fn blocks_that_are_being_loaded_are_not_put_away_again() {
    let mut config = crate::miner::Config::clone(&Stage::new(Rules::HARDENED).config);
    config.whole_rounds = 1;
    let mut stage = Stage::of(config);
    let chain = chain(&stage, ROUNDS);
    let (top, certificate) = chain.last().expect("some blocks");
    stage.hears(2, Message::Notarization(Arc::clone(certificate)));
    let from = asks(&mut stage);
    stage.hears(from, Message::ChainResponse(Arc::new(answer(&chain))));
    assert_eq!(stage.miner.round(), top.round().next());
    let is_whole =
        |stage: &Stage, block: &Block| stage.miner.chain.block(block.round(), block.id()).is_some();
    let away = chain.iter().filter(|(block, _)| !is_whole(&stage, block)).count();
    assert_eq!(away, ROUNDS - 1, "the host has all but the newest");

    let before = stage.out.len();
    let (last, _) = &chain[ROUNDS - 2];
    let certificate = stage.finality(last, &[1, 2, 3]);
    stage.hears(2, Message::FinalityCertificate(certificate));
    let asked = loads(&stage.out[before..]);
    assert_eq!(asked.len(), ROUNDS - 1);
    for round in &asked {
        assert_eq!(stage.miner.finalized().round(), Round(0));
        let (block, _) = &chain[round.0 as usize - 1];
        stage.input(Input::Loaded(Arc::clone(block)));
        stage.input(Input::Timer(Timer::CatchUp));
    }
    assert_eq!(stage.miner.finalized().round(), last.round());
    assert_eq!(loads(&stage.out[before..]), asked, "each was asked for once");
}
