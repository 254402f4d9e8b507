//! The instances that are explored.

use super::{
    block::{Block, Closes, Generator, Line, blocks},
    instance::{Instance, Subrounds},
};

use Closes::{Nothing, Record};
use Generator::{Byzantine, Honest};

/// Two branches, of which one closes a round later than the other; for safety. The adversary has every generator.
///
/// `b` closes in round 2, and its rival `c` does not; `d` on `c` closes in round 3, beside the tail block `b+1`. Epoch 1 begins with `x`
/// on `b`, or with `y` on `d`.
const RIVALS: [Line; 6] = [
    ("b", 0, 2, 0, "a", Record, Byzantine),
    ("c", 0, 2, 1, "a", Nothing, Byzantine),
    ("b+1", 0, 3, 0, "b", Nothing, Byzantine),
    ("d", 0, 3, 1, "c", Record, Byzantine),
    ("x", 1, 3, 2, "b", Nothing, Byzantine),
    ("y", 1, 4, 2, "d", Nothing, Byzantine),
];

/// The same with a tail block on the other branch, too.
const DEEP: [Line; 7] = [
    ("b", 0, 2, 0, "a", Record, Byzantine),
    ("c", 0, 2, 1, "a", Nothing, Byzantine),
    ("b+1", 0, 3, 0, "b", Nothing, Byzantine),
    ("d", 0, 3, 1, "c", Record, Byzantine),
    ("d+1", 0, 4, 0, "d", Nothing, Byzantine),
    ("x", 1, 3, 2, "b", Nothing, Byzantine),
    ("y", 1, 4, 2, "d", Nothing, Byzantine),
];

/// The same branches for liveness: the last subround of each round has an honest generator.
const FAIR: [Line; 6] = [
    ("b", 0, 2, 0, "a", Record, Byzantine),
    ("c", 0, 2, 1, "a", Nothing, Honest),
    ("b+1", 0, 3, 0, "b", Nothing, Honest),
    ("d", 0, 3, 0, "c", Record, Honest),
    ("x", 1, 3, 1, "b", Nothing, Honest),
    ("y", 1, 4, 1, "d", Nothing, Honest),
];

/// The same with one round more of epoch 0.
const FAIR_DEEP: [Line; 8] = [
    ("b", 0, 2, 0, "a", Record, Byzantine),
    ("c", 0, 2, 1, "a", Nothing, Honest),
    ("b+1", 0, 3, 0, "b", Nothing, Honest),
    ("d", 0, 3, 0, "c", Record, Honest),
    ("b+2", 0, 4, 0, "b+1", Nothing, Honest),
    ("d+1", 0, 4, 0, "d", Nothing, Honest),
    ("x", 1, 3, 1, "b", Nothing, Honest),
    ("y", 1, 4, 1, "d", Nothing, Honest),
];

/// One branch, with a tail block and two rivals in the first round of epoch 1.
const SECOND: [Line; 4] = [
    ("b", 0, 2, 0, "a", Record, Byzantine),
    ("b+1", 0, 3, 0, "b", Nothing, Byzantine),
    ("x", 1, 3, 0, "b", Nothing, Byzantine),
    ("x'", 1, 3, 1, "b", Nothing, Byzantine),
];

/// Three epochs, of which the first two close with their first block.
const CHAIN: [Line; 3] = [
    ("b", 0, 2, 0, "a", Record, Honest),
    ("x", 1, 3, 0, "b", Record, Honest),
    ("z", 2, 4, 0, "x", Nothing, Honest),
];

/// Two branches that close one round apart, for safety.
pub fn rivals() -> Vec<Block> {
    blocks(&RIVALS)
}

/// The same with a tail block on the other branch, too.
pub fn deep() -> Vec<Block> {
    blocks(&DEEP)
}

/// The same branches, for liveness.
pub fn fair() -> Vec<Block> {
    blocks(&FAIR)
}

/// The same with one round more of epoch 0.
pub fn fair_deep() -> Vec<Block> {
    blocks(&FAIR_DEEP)
}

/// One branch, and two rivals in the first round of epoch 1.
pub fn second() -> Vec<Block> {
    blocks(&SECOND)
}

/// Three epochs.
pub fn chain() -> Vec<Block> {
    blocks(&CHAIN)
}

/// Four members hand over to a single one, which is new. After the handoff all four are Byzantine. Two nodes that were in no committee
/// come then: one with a checkpoint, and one without.
pub fn four_turn(blocks: Vec<Block>) -> Instance {
    let kinds: [(&str, usize, &[bool]); 5] = [
        ("leaver", 3, OLD),
        ("joiner", 1, NEW),
        ("node with a checkpoint", 1, NONE),
        ("newcomer", 1, NONE),
        ("Byzantine", 1, OLD),
    ];
    Instance { turns: true, ..Instance::new(&kinds, blocks) }
}

const BOTH: &[bool] = &[true, true];
const OLD: &[bool] = &[true, false];
const NEW: &[bool] = &[false, true];
const NONE: &[bool] = &[false, false];

/// The same instance, with subrounds that are entered by timeout certificates.
pub fn with_timeouts(instance: Instance) -> Instance {
    Instance { subrounds: Subrounds::ByCertificate, ..instance }
}

/// Four members, one of whom leaves and is replaced; the Byzantine one stays.
pub fn one_exchanged(blocks: Vec<Block>) -> Instance {
    Instance::new(
        &[("stayer", 2, BOTH), ("leaver", 1, OLD), ("joiner", 1, NEW), ("Byzantine", 1, BOTH)],
        blocks,
    )
}

/// Four members; the Byzantine one leaves, and another Byzantine one joins.
pub fn byzantine_exchanged(blocks: Vec<Block>) -> Instance {
    Instance::new(&[("stayer", 3, BOTH), ("Byzantine", 1, OLD), ("Byzantine", 1, NEW)], blocks)
}

/// Four members leave, and four others join.
pub fn disjoint(blocks: Vec<Block>) -> Instance {
    Instance::new(
        &[("leaver", 3, OLD), ("joiner", 3, NEW), ("Byzantine", 1, OLD), ("Byzantine", 1, NEW)],
        blocks,
    )
}

/// Four members hand over to two, of which one is new.
pub fn four_to_two(blocks: Vec<Block>) -> Instance {
    Instance::new(
        &[("stayer", 1, BOTH), ("leaver", 2, OLD), ("joiner", 1, NEW), ("Byzantine", 1, OLD)],
        blocks,
    )
}

/// Four members; the Byzantine one leaves, and an honest one joins.
pub fn byzantine_leaves(blocks: Vec<Block>) -> Instance {
    Instance::new(&[("stayer", 3, BOTH), ("joiner", 1, NEW), ("Byzantine", 1, OLD)], blocks)
}

/// Four members hand over to seven, of which four are new.
pub fn four_to_seven(blocks: Vec<Block>) -> Instance {
    let kinds: [(&str, usize, &[bool]); 4] =
        [("stayer", 3, BOTH), ("joiner", 2, NEW), ("Byzantine", 1, BOTH), ("Byzantine", 1, NEW)];
    Instance::new(&kinds, blocks)
}

/// Seven members hand over to four of them.
pub fn seven_to_four(blocks: Vec<Block>) -> Instance {
    let kinds: [(&str, usize, &[bool]); 4] =
        [("stayer", 3, BOTH), ("leaver", 2, OLD), ("Byzantine", 1, BOTH), ("Byzantine", 1, OLD)];
    Instance::new(&kinds, blocks)
}

/// Four members, the same in three epochs.
pub fn same_committee(blocks: Vec<Block>) -> Instance {
    const ALL: &[bool] = &[true, true, true];
    Instance::new(&[("member", 3, ALL), ("Byzantine", 1, ALL)], blocks)
}

/// Four members hand over to a single one, which is new: the smallest next committee.
pub fn four_to_one(blocks: Vec<Block>) -> Instance {
    Instance::new(&[("leaver", 3, OLD), ("joiner", 1, NEW), ("Byzantine", 1, OLD)], blocks)
}
