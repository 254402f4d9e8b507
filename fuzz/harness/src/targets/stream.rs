//! Numbers out of any bytes: the bytes first, then a pseudo-random tail seeded by them, as in a schedule.

use crate::schedule::Random;

/// See the module doc.
pub struct Stream<'a> {
    rest: &'a [u8],
    tail: Random,
}

impl<'a> Stream<'a> {
    /// A stream over all of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, tail: Random::seeded_by(bytes) }
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((&byte, rest)) => {
                self.rest = rest;
                byte
            }
            None => self.tail.bits() as u8,
        }
    }

    /// The next bytes.
    #[cfg(feature = "differential")]
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// As many bytes as a byte below `bound` says.
    #[cfg(feature = "differential")]
    pub fn bytes(&mut self, bound: u8) -> Vec<u8> {
        let length = self.below(bound.into());
        (0..length).map(|_| self.byte()).collect()
    }

    /// A number below `bound`, of one byte; 0 when that is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { usize::from(self.byte()) % bound }
    }

    /// A number below `bound`, of two bytes; 0 when that is 0.
    #[cfg(feature = "differential")]
    pub fn position(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { usize::from(u16::from_le_bytes(self.array())) % bound }
    }
}
