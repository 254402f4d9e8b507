//! Who takes part: identifiers and the quorum arithmetic of one committee (protocol.md, section 1).

/// A miner of the committee, by its position in the magic block (`0..n`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MinerId(pub u16);

/// A round; the genesis block is of round 0, the first block is produced in round 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Round(pub u64);

/// A subround of a round; every round starts in subround 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Subround(pub u32);

/// The epoch of a committee (one per magic block).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Epoch(pub u64);
