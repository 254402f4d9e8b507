//! Reading bytes that a stranger sent: every length is checked against its bound before anything is allocated for it.

use thiserror::Error;

use crate::crypto::certificate::SignersError;
use crate::crypto::curve::PointError;
use crate::epochs::handoff::HandoffError;
use crate::limits::MAX_ROUND;

/// Why bytes are no message. Offsets and lengths are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum WireError {
    /// The first byte names a version that this crate does not speak.
    #[error("version {found} of the wire format is not {supported}")]
    UnknownVersion {
        /// The byte.
        found: u8,
        /// The supported version.
        supported: u8,
    },
    /// A tag names no alternative of its field.
    #[error("{found} is no {field}")]
    UnknownTag {
        /// The field.
        field: &'static str,
        /// The byte.
        found: u8,
    },
    /// The bytes end inside a field.
    #[error("{field} needs {needed} bytes, {left} are left")]
    UnexpectedEnd {
        /// The field.
        field: &'static str,
        /// How many it needs.
        needed: usize,
        /// How many there are.
        left: usize,
    },
    /// There are bytes after the last field.
    #[error("{count} bytes follow the end of the message")]
    TrailingBytes {
        /// How many.
        count: usize,
    },
    /// A length is above its bound.
    #[error("{field} of length {length} is above the bound of {bound}")]
    TooLong {
        /// The field.
        field: &'static str,
        /// The claimed length.
        length: usize,
        /// The highest permitted length.
        bound: usize,
    },
    /// A round that no chain reaches.
    #[error("round {round} is above {MAX_ROUND}, which no chain reaches")]
    Round {
        /// The round.
        round: u64,
    },
    /// A list that has to have an element has none.
    #[error("{field} is empty")]
    Empty {
        /// The field.
        field: &'static str,
    },
    /// The bytes are no record of a committee.
    #[error("record: its bytes are none")]
    Record,
    /// A header and a finality certificate are no handoff.
    #[error("handoff certificate: {reason}")]
    Handoff {
        /// Why.
        reason: HandoffError,
    },
    /// The coordinates of a signature are of no point.
    #[error("{field}: {reason}")]
    Point {
        /// The field.
        field: &'static str,
        /// Why.
        reason: PointError,
    },
    /// Two parts of which either could come first are not in their one order.
    #[error("{field}: of two statements the lower one comes first")]
    Order {
        /// The field.
        field: &'static str,
    },
    /// The bytes read back are not those that were stored.
    #[error("the checksum does not fit: what was read is damaged")]
    Checksum,
    /// A bitmap is not the one form of a set of committee members.
    #[error("not a set of signers: {0}")]
    Signers(#[from] SignersError),
}

/// A position in bytes that are being read.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// When bytes are left.
    pub fn finish(self) -> Result<(), WireError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(WireError::TrailingBytes { count }),
        }
    }

    /// The next `length` bytes.
    pub(crate) fn bytes(&mut self, field: &'static str, length: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(WireError::UnexpectedEnd {
            field,
            needed: length,
            left: self.rest.len(),
        })?;
        self.rest = rest;
        Ok(bytes)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or(WireError::UnexpectedEnd {
            field,
            needed: N,
            left: self.rest.len(),
        })?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(crate) fn byte(&mut self, field: &'static str) -> Result<u8, WireError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// A length of `width` bytes that is at most `bound`.
    pub(crate) fn length<const WIDTH: usize>(
        &mut self,
        field: &'static str,
        bound: usize,
    ) -> Result<usize, WireError> {
        let bytes = self.array::<WIDTH>(field)?;
        let length = bytes.iter().fold(0usize, |length, &byte| length << 8 | usize::from(byte));
        if length > bound {
            return Err(WireError::TooLong { field, length, bound });
        }
        Ok(length)
    }

    /// A byte that says whether something follows.
    pub(crate) fn flag(&mut self, field: &'static str) -> Result<bool, WireError> {
        match self.byte(field)? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(WireError::UnknownTag { field, found }),
        }
    }
}
