//! A set of members of a committee, as the bitmap that travels with an aggregate signature.
//!
//! The encoding is canonical: one bitmap length for a committee, no bits beyond it, and a set has no duplicates by
//! construction.

use crate::committee::{MAX_COMMITTEE_SIZE, MinerId};

/// Most bytes of a signer bitmap.
pub const MAX_BITMAP_BYTES: usize = MAX_COMMITTEE_SIZE / 8;

/// A set of members of a committee of known size.
///
/// Encoded as a bitmap of `ceil(n / 8)` bytes, member `i` in bit `i % 8` (least significant first) of byte `i / 8`, bits
/// beyond the committee zero.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Signers {
    committee_size: u16,
    bitmap: Vec<u8>,
}

impl Signers {
    /// The empty set of a committee of `committee_size` members.
    ///
    /// # Errors
    /// [`SignersError::CommitteeSize`] above [`MAX_COMMITTEE_SIZE`].
    pub fn new(committee_size: usize) -> Result<Self, SignersError> {
        let size = u16::try_from(committee_size)
            .ok()
            .filter(|&size| usize::from(size) <= MAX_COMMITTEE_SIZE)
            .ok_or(SignersError::CommitteeSize { size: committee_size })?;
        Ok(Self { committee_size: size, bitmap: vec![0; committee_size.div_ceil(8)] })
    }

    /// The set of the members given, in any order.
    ///
    /// # Errors
    /// [`SignersError::Duplicate`], [`SignersError::NotAMember`], [`SignersError::CommitteeSize`].
    pub fn from_members(
        committee_size: usize,
        members: impl IntoIterator<Item = MinerId>,
    ) -> Result<Self, SignersError> {
        let mut signers = Self::new(committee_size)?;
        for member in members {
            signers.insert(member)?;
        }
        Ok(signers)
    }

    /// Reads the canonical bitmap of a committee of `committee_size` members.
    ///
    /// # Errors
    /// [`SignersError::Length`] unless there are exactly `ceil(n / 8)` bytes, [`SignersError::NotAMember`] when a bit
    /// beyond the committee is set, [`SignersError::CommitteeSize`].
    pub fn from_bitmap(committee_size: usize, bitmap: &[u8]) -> Result<Self, SignersError> {
        let mut signers = Self::new(committee_size)?;
        if bitmap.len() != signers.bitmap.len() {
            return Err(SignersError::Length { expected: signers.bitmap.len(), found: bitmap.len() });
        }
        signers.bitmap.copy_from_slice(bitmap);
        match signers.highest() {
            Some(member) if usize::from(member.0) >= committee_size => {
                Err(SignersError::NotAMember { member, committee_size })
            }
            _ => Ok(signers),
        }
    }

    /// Adds a member.
    ///
    /// # Errors
    /// [`SignersError::Duplicate`] when it is in already, [`SignersError::NotAMember`].
    pub fn insert(&mut self, member: MinerId) -> Result<(), SignersError> {
        if member.0 >= self.committee_size {
            return Err(SignersError::NotAMember { member, committee_size: self.committee_size() });
        }
        let (byte, bit) = position(member);
        if self.bitmap[byte] & bit != 0 {
            return Err(SignersError::Duplicate { member });
        }
        self.bitmap[byte] |= bit;
        Ok(())
    }

    /// Whether a member is in the set.
    #[must_use]
    pub fn contains(&self, member: MinerId) -> bool {
        let (byte, bit) = position(member);
        self.bitmap.get(byte).is_some_and(|bits| bits & bit != 0)
    }

    /// How many members are in the set.
    #[must_use]
    pub fn count(&self) -> usize {
        self.bitmap.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// The members, strictly increasing.
    pub fn iter(&self) -> impl Iterator<Item = MinerId> + '_ {
        (0..self.committee_size).map(MinerId).filter(|&member| self.contains(member))
    }

    /// The canonical bitmap.
    #[must_use]
    pub fn bitmap(&self) -> &[u8] {
        &self.bitmap
    }

    /// The size of the committee that this is a subset of.
    #[must_use]
    pub fn committee_size(&self) -> usize {
        usize::from(self.committee_size)
    }

    fn highest(&self) -> Option<MinerId> {
        let byte = self.bitmap.iter().rposition(|&bits| bits != 0)?;
        let highest_bit = 7 - self.bitmap[byte].leading_zeros() as usize;
        u16::try_from(byte * 8 + highest_bit).ok().map(MinerId)
    }
}

/// The byte and the bit of a member.
fn position(member: MinerId) -> (usize, u8) {
    (usize::from(member.0) / 8, 1 << (member.0 % 8))
}

/// Why a set of signers was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignersError {
    /// A committee larger than this crate serves.
    #[error("a committee of {size} members, more than {MAX_COMMITTEE_SIZE}")]
    CommitteeSize {
        /// The size asked for.
        size: usize,
    },
    /// The bitmap has the wrong number of bytes for the committee.
    #[error("a bitmap of {found} bytes where the committee needs {expected}")]
    Length {
        /// Bytes that a bitmap of this committee has.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// A signer outside the committee.
    #[error("signer {} is not of the committee of {committee_size}", member.0)]
    NotAMember {
        /// The signer.
        member: MinerId,
        /// Size of the committee.
        committee_size: usize,
    },
    /// One signer twice (PROTOCOL.md, section 7, A6).
    #[error("signer {} is counted twice", member.0)]
    Duplicate {
        /// The signer.
        member: MinerId,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_bitmap_is_read() {
        for n in [1, 4, 7, 8, 9, 16, 100, MAX_COMMITTEE_SIZE] {
            let everyone = Signers::from_members(n, (0..n as u16).map(MinerId)).unwrap();
            assert_eq!(everyone.count(), n);
            assert_eq!(Signers::from_bitmap(n, everyone.bitmap()).as_ref(), Ok(&everyone));
            let bytes = n.div_ceil(8);
            for found in [0, bytes - 1, bytes + 1].into_iter().filter(|&found| found != bytes) {
                assert_eq!(
                    Signers::from_bitmap(n, &vec![0; found]),
                    Err(SignersError::Length { expected: bytes, found }),
                );
            }
            for beyond in n..bytes * 8 {
                let mut bitmap = everyone.bitmap().to_vec();
                bitmap[beyond / 8] |= 1 << (beyond % 8);
                let member = MinerId(beyond as u16);
                assert_eq!(
                    Signers::from_bitmap(n, &bitmap),
                    Err(SignersError::NotAMember { member, committee_size: n })
                );
            }
        }
    }

    #[test]
    fn giant_committees_are_refused() {
        for size in [MAX_COMMITTEE_SIZE + 1, usize::MAX] {
            assert_eq!(Signers::new(size), Err(SignersError::CommitteeSize { size }));
        }
    }
}
