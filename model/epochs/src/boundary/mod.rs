//! The boundary between two committees under the **deployed** rules: two ways in which the chain ends there.
//!
//! The record of the next committee is in the block of round `SR`. Nobody builds or accepts a block of `SR + 4` or later while the
//! record is not final for it. Two branches begin above the last final block, which is that of `SR - 1`. Branch A has a block of the
//! better rank in each round, branch B one of the worse rank. Both blocks of `SR` have the same record.
//!
//! # The deployed rules
//! - A block is notarized by `K = 3` tickets of `n = 4` miners, all of them honest. A miner may sign for the worse block of its
//!   round and then for the better one. It leaves a round when it knows a notarized block of it.
//! - A miner *evaluates* a round: it goes down from the notarized blocks that it knows there (the *tips*), at least one round, until
//!   one block is left, and takes that block for final. With one tip in `SR + 1` or above, the block of `SR` on its branch is final, and the miner
//!   installs the record, under the hash of **this block**. With both tips the ancestor is the block of `SR - 1`, and nothing moves.
//! - A block of `SR + 4` names the hash under which its generator has the record. A miner accepts it only if its own one is the same.
//!   A record that a miner has already is never installed again.
//!
//! # Verdicts
//! A state is *dead* if a block of `SR + 3` is notarized and no continuation whatever lets `K` miners accept one block of `SR + 4`. The search ends
//! a run where `K` miners can.
//!
//! | rules | states | dead | deadlock | split | both kinds together | steps to the first deadlock, split |
//! |---|--:|--:|--:|--:|--:|---|
//! | deployed | 238,379 | 8,078 | 964 | 546 | 6,568 | 42, 31 |
//! | `evaluation = Immediate` | 7,533 | 546 | 0 | 546 | 0 | -, 27 |
//! | `guard = RecordHash` | 238,364 | 964 | 964 | 0 | 0 | 42, - |
//! | both changes | 7,518 | 0 | 0 | 0 | 0 | |
//! | `tips = OfOneRank` | 2,643 | 0 | 0 | 0 | 0 | |
//!
//! - **Deadlock.** `n - K + 1 = 2` miners know both tips of each round when they evaluate it. The ancestor stays below `SR`, the guard
//!   forbids each block of `SR + 4`, so the ancestor never moves. It needs a second tip before the evaluation, and tips of different
//!   rank. A sharder that has the record helps the two miners (`record_from = Sharder`), and not against the split.
//! - **Split.** Two miners install the record under the block of `SR` on A, two under that on B. The record is the same, so nobody
//!   installs it again; the hashes of the blocks differ, so nobody reaches `K`. Immediate evaluation does not help. Nor does a
//!   miner that takes the hash of a later block (`same_record = Replaces`): the last round is split, too.
//! - **Nobody is Byzantine.** Two generators of different rank, and messages that are late, are enough.
//!
//! Another model of these rules had 2,826,626 states, 912,765 of them dead, and none with immediate evaluation, where it asked for the deadlock
//! only. Here states with other names of the miners are one state, tickets and tips that nothing reads are forgotten, and a run ends where
//! the chain goes on; so the numbers of states cannot agree, and the verdicts do.
//!
//! # How it is modelled
//! Read it in this order: [`rules`], [`state`], [`steps`], [`search`], [`sentence`]. The network is monotone, as in the other models. Left out:
//! - **Blocks of `SR + 4`** are a question about the miners: whether `K` of them are in that round and have the record under one hash.
//! - **Other blocks.** A third block of a round, and a retry of a round, are not there. They do not mend a dead state: nobody signs in a
//!   round that it left, and each miner that is not barred has left the rounds up to `SR + 3`, or can.
//! - **Tickets that no certificate needs** are not signed or forgotten: those for a notarized block, and those of a round that all have left.
//! - **Miners are alike**: states that differ in their names are one.
//! - **The evaluation of a round** may come at any time, and again; so an evaluation that was too early or too late is among the runs.

pub mod rules;
pub mod search;
pub mod sentence;
pub mod state;
pub mod steps;

pub use rules::BoundaryRules;
pub use search::{BoundaryProperty, Found};
pub use state::{Branch, Instance, Miner, State, Tips};
pub use steps::Action;
