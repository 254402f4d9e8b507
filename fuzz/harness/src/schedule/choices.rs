//! The choice stream: bytes first, then a pseudo-random tail seeded by them, so that short inputs drive full-length runs.
//!
//! A fuzzer that keeps short inputs is twenty to a hundred times worse than a random walk (measured in the project's study of
//! fuzzing); with the tail an empty input *is* a random walk, and each byte that a fuzzer finds to matter takes a choice away
//! from chance.

use std::hash::Hasher;

use rapidhash::fast::RapidHasher;

/// Bytes of one choice.
pub const RECORD_BYTES: usize = 4;

/// One choice of a schedule: what, and three numbers that say which.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Choice(pub [u8; RECORD_BYTES]);

/// A stream of pseudo-random numbers (SplitMix64): the same seed, the same stream, on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A stream.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream that depends on all of `bytes`.
    #[must_use]
    pub fn seeded_by(bytes: &[u8]) -> Self {
        let mut hasher = RapidHasher::default();
        hasher.write(bytes);
        Self(hasher.finish())
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`; 0 when that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.bits() % bound as u64) as usize }
    }

    /// The next choice.
    pub fn choice(&mut self) -> Choice {
        let bits = self.bits().to_le_bytes();
        Choice([bits[0], bits[1], bits[2], bits[3]])
    }
}
