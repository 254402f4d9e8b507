//! The chain in memory: what is connected, what may become final, what is served.

use std::sync::Arc;

use super::answer::Answer;
use super::*;
use crate::block::{BlockContent, Closing, Time};
use crate::certified::Certified;
use crate::committee::{ChainId, Committee, Epoch, MinerId, Peer};
use crate::crypto::certificate::{Certificate, Signers};
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::limits::{MAX_CHAIN_BLOCKS, MAX_CHAIN_BYTES, MAX_PAYLOAD_BYTES};
use crate::message::ChainRequest;
use crate::rules::FinalityRule;
use crate::statement::{FinalityVote, Ticket};

fn genesis() -> Arc<Block> {
    Arc::new(Block::genesis(ChainId([1; 32]), Epoch(1), BeaconValue([0; 32]), Time(0)))
}

fn chain() -> Chain {
    Chain::new(&genesis(), Vec::new())
}

fn certificate() -> Certificate {
    let signers = Signers::from_members(4, (0..3).map(MinerId)).expect("members");
    Certificate { signers, aggregate: Signature([1; 48]) }
}

fn notarization(block: &Block) -> Arc<Notarization> {
    let statement = Ticket { round: block.round(), subround: block.subround(), block: block.id() };
    Arc::new(Certified { statement, certificate: certificate() })
}

/// A child, with its parent's certificate unless the parent is genesis; `subround` tells siblings apart.
fn child(parent: &Arc<Block>, subround: u32, payload: usize) -> Arc<Block> {
    Arc::new(Block::new(content_of_child(parent, subround, payload)))
}

fn content_of_child(parent: &Arc<Block>, subround: u32, payload: usize) -> BlockContent {
    let certified = (parent.round() > Round(0)).then(|| notarization(parent));
    BlockContent {
        chain: ChainId([1; 32]),
        epoch: Epoch(1),
        round: parent.round().next(),
        subround: Subround(subround),
        generator: MinerId(0),
        parent: parent.id(),
        parent_notarization: certified,
        finality: None,
        beacon: BeaconValue([0; 32]),
        beacon_signature: Signature([0; 48]),
        closing: Closing::Open,
        items: Vec::new(),
        payload: vec![0; payload],
        time: Time(0),
    }
}

/// So many blocks on top of `parent`.
fn descendants(parent: &Arc<Block>, count: usize, payload: usize) -> Vec<Arc<Block>> {
    std::iter::successors(Some(child(parent, 0, payload)), |block| Some(child(block, 0, payload)))
        .take(count)
        .collect()
}

fn notarize(chain: &mut Chain, block: &Block) {
    chain.notarize(Verified::trusted(notarization(block)));
}

fn connected(chain: &mut Chain) -> Vec<Round> {
    std::iter::from_fn(|| chain.take_connected()).map(|(round, _)| round).collect()
}

#[test]
fn a_block_connects_through_its_own_parent_and_no_other() {
    let (left, right) = (child(&genesis(), 0, 0), child(&genesis(), 1, 0));
    let (of_left, of_right) = (child(&left, 0, 0), child(&right, 0, 0));
    let mut chain = chain();
    for block in [&of_left, &of_right, &left] {
        chain.insert(Arc::clone(block));
    }
    assert_eq!(connected(&mut chain), [Round(1), Round(2)]);
    assert!(chain.is_connected(Round(2), of_left.id()) && !chain.is_connected(Round(2), of_right.id()));
    chain.insert(right);
    assert_eq!(connected(&mut chain), [Round(1), Round(2)], "each once");
    // One block apart, and a signature that the id does not cover.
    assert!(left != of_left && *left == *left.clone());
    let beacon_signature = Signature([1; 48]);
    let resigned = Block::new(BlockContent { beacon_signature, ..content_of_child(&genesis(), 0, 0) });
    assert!(resigned.id() == left.id() && resigned != *left, "the same id with another beacon signature");
}

#[test]
fn blocks_connect_from_the_head_upwards_in_whatever_order_they_come() {
    let blocks = descendants(&genesis(), 4, 0);
    let mut chain = chain();
    for index in [3, 1, 2] {
        assert!(chain.insert(blocks[index].clone()));
        assert_eq!(connected(&mut chain), []);
    }
    assert!(!chain.insert(blocks[1].clone()), "known");
    chain.insert(blocks[0].clone());
    assert_eq!(connected(&mut chain), [Round(1), Round(2), Round(3), Round(4)], "parents first");
    assert!(chain.is_connected(Round(4), blocks[3].id()));
}

#[test]
fn a_block_is_final_with_its_ancestors_and_only_if_none_is_missing() {
    let blocks = descendants(&genesis(), 3, 0);
    let mut chain = chain();
    chain.insert(blocks[2].clone());
    chain.insert(blocks[0].clone());
    let missing = FinalizeError::Missing { round: Round(2), block: blocks[1].id() };
    assert_eq!(chain.finalize(Round(3), blocks[2].id()), Err(missing), "row 7: no round is skipped");
    assert_eq!(chain.head().round(), Round(0));
    chain.insert(blocks[1].clone());
    let path = chain.finalize(Round(3), blocks[2].id()).expect("all is here");
    assert_eq!(
        path.iter().map(|found| found.block.round()).collect::<Vec<_>>(),
        [Round(1), Round(2), Round(3)]
    );
    assert_eq!(chain.head().id(), blocks[2].id());
}

#[test]
fn the_head_moves_neither_back_nor_aside() {
    let trunk = descendants(&genesis(), 3, 0);
    let branch = {
        let fork = child(&trunk[0], 1, 0);
        let mut branch = descendants(&fork, 2, 0);
        branch.insert(0, fork);
        branch
    };
    let mut chain = chain();
    for block in trunk.iter().chain(&branch) {
        chain.insert(block.clone());
    }
    chain.finalize(Round(2), trunk[1].id()).expect("on the trunk");
    // Rows 6 and 8: a block beside or below the head.
    for (round, block) in [(Round(2), &branch[0]), (Round(1), &branch[1])] {
        let moved = chain.finalize(round, block.id());
        assert!(matches!(moved, Err(FinalizeError::Conflict(_))), "{moved:?}");
    }
    assert_eq!(chain.finalize(Round(1), trunk[0].id()), Err(FinalizeError::Behind(Round(1))));
    assert!(chain.node(Round(3), branch[1].id()).is_none(), "what cannot become final is dropped");
    assert!(chain.node(Round(3), trunk[2].id()).is_some());
    assert_eq!(chain.head().id(), trunk[1].id());
}

#[test]
fn a_conflict_that_is_learnt_of_later_is_one() {
    let trunk = descendants(&genesis(), 2, 0);
    let fork = descendants(&child(&genesis(), 1, 0), 3, 0);
    let mut chain = chain();
    for block in &trunk {
        chain.insert(block.clone());
    }
    chain.finalize(Round(1), trunk[0].id()).expect("connected");
    for block in &fork {
        chain.insert(block.clone());
    }
    // The fork's block of round 2 is right above the head and not its child; those above it hang in the air.
    let tip = &fork[2];
    assert_eq!(
        chain.finalize(tip.round(), tip.id()),
        Err(FinalizeError::Conflict(Round(1))),
        "the walk ends beside the head"
    );
}

#[test]
fn notarized_blocks_meet_in_their_common_ancestor() {
    let trunk = descendants(&genesis(), 3, 0);
    let twin = child(&trunk[1], 1, 0);
    let mut chain = chain();
    for block in trunk.iter().chain([&twin]) {
        chain.insert(block.clone());
    }
    assert_eq!(chain.common_ancestor(Round(3), 0), None, "nothing is notarized");
    notarize(&mut chain, &trunk[2]);
    assert_eq!(chain.common_ancestor(Round(3), 0), Some((Round(3), trunk[2].id())));
    assert_eq!(chain.common_ancestor(Round(3), 2), Some((Round(1), trunk[0].id())));
    assert_eq!(chain.common_ancestor(Round(3), 3), None, "that is genesis");
    // After a wait the depth is that of the rule, whichever rule it is.
    for &rule in FinalityRule::ALL {
        let depth = rule.depth();
        let expected = depth.and_then(|depth| chain.common_ancestor(Round(3), depth));
        assert_eq!(chain.final_after_wait(rule, Round(3)), expected, "{rule}");
    }
    let below = FinalityRule::CommonAncestor { depth: 2 };
    assert_eq!(chain.final_after_wait(below, Round(3)), Some((Round(1), trunk[0].id())));
    assert_eq!(chain.final_after_wait(FinalityRule::Votes, Round(3)), None, "votes make it final");
    notarize(&mut chain, &twin);
    assert_eq!(chain.common_ancestor(Round(3), 0), Some((Round(2), trunk[1].id())), "two tips");
}

#[test]
fn a_notarization_is_known_once_and_their_number_is_bounded() {
    let mut chain = chain();
    let block = child(&genesis(), 0, 0);
    assert!(chain.notarize(Verified::trusted(notarization(&block))));
    assert!(!chain.notarize(Verified::trusted(notarization(&block))));
    for subround in 1..100 {
        notarize(&mut chain, &child(&genesis(), subround, 0));
    }
    assert_eq!(chain.notarizations(Round(1)).len(), MAX_NOTARIZATIONS_PER_ROUND);
}

#[test]
fn an_answer_holds_the_lowest_blocks_that_fit_and_a_certificate_for_the_last() {
    let blocks = descendants(&genesis(), 3 * MAX_CHAIN_BLOCKS, 10);
    let mut chain = chain();
    for block in &blocks {
        chain.insert(block.clone());
    }
    let tip = blocks.last().expect("some blocks");
    let request = ChainRequest { after: Round(5), tip: Some(tip.id()) };
    let response = chain.answer(&request, usize::MAX).and_then(Answer::whole).expect("an answer");
    assert_eq!(response.blocks.len(), MAX_CHAIN_BLOCKS);
    assert_eq!(response.blocks[0].round(), Round(6));
    let committee = Committee::new(ChainId([1; 32]), Epoch(1), 4, 0).expect("a committee");
    assert_eq!(check_links(&response, &committee), Ok(()));
    // The tip itself has no certificate here: the answer ends below it.
    let near = chain
        .answer(&ChainRequest { after: Round(tip.round().0 - 2), tip: Some(tip.id()) }, usize::MAX)
        .and_then(Answer::whole);
    assert_eq!(near.map(|near| near.blocks.len()), Some(1));
    assert_eq!(
        chain
            .answer(&ChainRequest { after: tip.round(), tip: Some(tip.id()) }, usize::MAX)
            .and_then(Answer::whole),
        None
    );
    assert_eq!(
        chain.answer(&ChainRequest { after: Round(0), tip: None }, usize::MAX).and_then(Answer::whole),
        None,
        "nothing is final"
    );
}

#[test]
fn an_answer_of_large_blocks_is_short() {
    let blocks = descendants(&genesis(), 10, MAX_PAYLOAD_BYTES);
    let mut chain = chain();
    for block in &blocks {
        chain.insert(block.clone());
        notarize(&mut chain, block);
    }
    let response = chain
        .answer(&ChainRequest { after: Round(0), tip: Some(blocks[9].id()) }, usize::MAX)
        .and_then(Answer::whole);
    assert_eq!(response.expect("an answer").blocks.len(), MAX_CHAIN_BYTES / MAX_PAYLOAD_BYTES);
}

#[test]
fn an_answer_that_is_no_chain_is_refused() {
    let blocks = descendants(&genesis(), 3, 0);
    let committee = Committee::new(ChainId([1; 32]), Epoch(1), 4, 0).expect("a committee");
    let response = |blocks: Vec<Arc<Block>>, tip: &Block| crate::message::ChainResponse {
        blocks,
        notarization: notarization(tip),
        finality: None,
    };
    let check = |response| check_links(&response, &committee);
    assert_eq!(check(response(blocks.clone(), &blocks[2])), Ok(()));
    assert_eq!(check(response(Vec::new(), &blocks[2])), Err(ChainResponseError::Length(0)));
    assert_eq!(check(response(blocks.clone(), &blocks[1])), Err(ChainResponseError::OtherTip));
    let gap = vec![blocks[0].clone(), blocks[2].clone()];
    assert_eq!(check(response(gap, &blocks[2])), Err(ChainResponseError::Broken(Round(3))));
    let other = Committee::new(ChainId([2; 32]), Epoch(1), 4, 0).expect("a committee");
    let foreign = check_links(&response(blocks.clone(), &blocks[2]), &other);
    assert_eq!(foreign, Err(ChainResponseError::Foreign(Round(1))));
}

#[test]
fn final_blocks_are_kept_up_to_a_bound_and_served_with_the_newest_certificate() {
    let blocks = descendants(&genesis(), 2 * KEPT_FINAL_BLOCKS, 0);
    let mut chain = chain();
    for block in &blocks {
        chain.insert(block.clone());
        notarize(&mut chain, block);
        chain.finalize(block.round(), block.id()).expect("on the chain");
    }
    assert_eq!(chain.finals().len(), KEPT_FINAL_BLOCKS);
    let head = chain.head().clone();
    let statement = FinalityVote { round: head.round(), subround: head.subround(), block: head.id() };
    chain.certify_final(Verified::trusted(Arc::new(Certified { statement, certificate: certificate() })));
    assert_eq!(
        chain.answer(&ChainRequest { after: Round(0), tip: None }, usize::MAX).and_then(Answer::whole),
        None,
        "too old"
    );
    let near = chain
        .answer(&ChainRequest { after: Round(head.round().0 - 3), tip: None }, usize::MAX)
        .and_then(Answer::whole);
    let near = near.expect("recent blocks");
    assert_eq!(near.blocks.len(), 3);
    assert!(near.finality.is_some());
}

#[test]
fn a_chain_begins_after_a_gap_in_what_the_storage_gave() {
    let blocks = descendants(&genesis(), 6, 0);
    let found = |index: usize| FinalBlock { block: blocks[index].clone(), notarization: None };
    let chain = Chain::new(&genesis(), [0, 1, 3, 4].map(found).to_vec());
    assert_eq!(chain.finals().len(), 2);
    assert_eq!(chain.head().id(), blocks[4].id());
}

#[test]
fn of_two_seeds_the_one_with_the_older_switch_is_greater() {
    use std::cmp::Ordering::{Equal, Greater, Less};
    // Two branches: one switched subround in round 1, the other in round 2.
    let (early, late) = (child(&genesis(), 1, 0), child(&genesis(), 0, 0));
    let (early_tip, late_tip) = (child(&early, 0, 0), child(&late, 1, 0));
    let mut chain = chain();
    for block in [&early, &late, &early_tip, &late_tip] {
        chain.insert(block.clone());
    }
    assert_eq!(chain.compare_seeds(Round(1), early.id(), late.id()), Greater);
    assert_eq!(chain.compare_seeds(Round(2), early_tip.id(), late_tip.id()), Greater, "oldest first");
    assert_eq!(chain.compare_seeds(Round(2), late_tip.id(), early_tip.id()), Less);
    assert_eq!(chain.compare_seeds(Round(2), late_tip.id(), late_tip.id()), Equal);
    let unknown = child(&early_tip, 3, 0);
    assert_eq!(chain.compare_seeds(Round(3), unknown.id(), late_tip.id()), Equal, "nothing to compare");
}

#[test]
fn whoever_misses_a_block_asks_all_others_in_turn_without_end() {
    // Found by the exhaustive product of production and model: without sharders the own turn ended the asking for ever.
    for (miners, sharders) in [(4, 0), (4, 1), (2, 0)] {
        let committee = Committee::new(ChainId([1; 32]), Epoch(1), miners, sharders).expect("a committee");
        for me in (0..miners).map(MinerId) {
            let mut catch_up = CatchUp::default();
            let mut asked = std::collections::BTreeSet::new();
            for attempt in 0..50 {
                let found = catch_up.request(Peer::Miner(me), &committee, Round(0), None);
                let (peer, _) = found.unwrap_or_else(|| panic!("{me} stops at attempt {attempt}"));
                assert_ne!(peer, Peer::Miner(me));
                asked.insert(peer);
            }
            assert_eq!(asked.len(), usize::from(miners + sharders) - 1, "{me}: {asked:?}");
        }
    }
    let alone = Committee::new(ChainId([1; 32]), Epoch(1), 1, 0).expect("a committee");
    let nobody = CatchUp::default().request(Peer::Miner(MinerId(0)), &alone, Round(0), None);
    assert_eq!(nobody, None);
}

/// The way down from `tip`, block by block.
fn every_step(chain: &Chain, tip: &Arc<Block>, after: Round) -> Vec<(Round, BlockId)> {
    let last = Round(after.0 + MAX_CHAIN_BLOCKS as u64 + 1);
    let (mut at, mut want, mut path) = (tip.round(), tip.id(), Vec::new());
    while at > after {
        if at <= last {
            path.push((at, want));
        }
        want = chain.header(at, want).expect("a block").parent;
        at = Round(at.0 - 1);
    }
    path
}

/// A peer that asks for blocks far below the top does not make this node walk through all rounds in between.
#[test]
fn the_way_down_is_found_in_long_steps_and_is_that_of_every_step() {
    for unordered in [false, true] {
        let mut chain = chain();
        let mut trunk = descendants(&genesis(), 2_000, 0);
        // A branch from round 700 on, and one whose parent is not here.
        let branch = std::iter::successors(Some(child(&trunk[699], 1, 0)), |block| Some(child(block, 1, 0)));
        let branch: Vec<_> = branch.take(600).collect();
        let stray = child(&child(&trunk[50], 7, 0), 7, 0);
        let tips = [trunk[1_999].clone(), trunk[1_000].clone(), branch[599].clone(), branch[0].clone()];
        if unordered {
            trunk.reverse();
        }
        for block in trunk.iter().chain(&branch).chain([&stray]) {
            assert!(chain.insert(Arc::clone(block)));
        }
        assert_eq!(chain.shortcuts.len(), 2_601);
        for tip in &tips {
            for after in [0, 1, 126, 127, 128, 129, 500, 698, 699, 700, 1_296, 1_299] {
                let request = ChainRequest { after: Round(after), tip: Some(tip.id()) };
                let (path, steps) = chain.way_down(&request).expect("they are all here");
                let found: Vec<_> = path.iter().map(|known| (known.round, known.block)).collect();
                assert_eq!(found, every_step(&chain, tip, Round(after)), "{after}");
                assert!(steps <= 2 * 128 + 2_000 / 128 + MAX_CHAIN_BLOCKS, "{steps} steps above {after}");
            }
        }
        // Candidates that are forgotten are looked for no more.
        let kept = every_step(&chain, &tips[1], Round(700)).last().expect("round 701").1;
        chain.forget_candidates(Round(701), Subround(2), |id| id == kept);
        assert_eq!(chain.shortcuts.len(), 2_600);
        let (_, steps) =
            chain.way_down(&ChainRequest { after: Round(0), tip: Some(tips[0].id()) }).expect("a way");
        assert!(steps > MAX_CHAIN_BLOCKS, "the blocks of the answer themselves are steps");
        // A block that nobody has is looked for once, and the head has nothing above it.
        let nowhere = ChainRequest { after: Round(0), tip: Some(child(&tips[0], 9, 0).id()) };
        assert_eq!(chain.way_down(&nowhere).map(|(path, steps)| (path.len(), steps)), Some((0, 0)));
        // A block that is final, or cannot become so, is looked for no more.
        let on_trunk = every_step(&chain, &tips[0], Round(899)).last().expect("round 900").1;
        assert_eq!(chain.finalize(Round(900), on_trunk).map(|path| path.len()), Ok(900));
        let above = chain.levels.iter().map(|level| level.nodes().len()).sum::<usize>();
        assert_eq!(chain.shortcuts.len(), above, "unordered: {unordered}");
    }
}
