//! The wire format: a version byte, then the fields in order, nothing else.
//!
//! Integers are big-endian and of fixed width, lengths come first and are bounded, options and alternatives have a tag
//! byte. There is one encoding for each value and one value for each encoding: `decode(encode(x)) == x`, and
//! `encode(decode(b)) == b` for every `b` that is accepted. Values that follow from other fields (digests, block ids)
//! are not sent. Whether a signature of 48 bytes is a point of the curve is not the codec's business: a
//! [`Scheme`](crate::crypto::scheme::Scheme) refuses it when it verifies.
//!
//! A signature of a ticket, timeout or vote begins with a byte for its form. Form 1 is the compressed point of 48 bytes.
//! Form 2 is the point with both coordinates, 96 bytes, in the message that carries one ticket and nowhere else; it is read
//! only if the coordinates are canonical and of a point of the curve other than infinity
//! ([`uncompressed`](crate::crypto::uncompressed)), which costs a few multiplications. Other forms can be added without a new
//! version.

mod chain;
mod digest;
mod glance;
mod handoff;
mod items;
mod journal;
mod reader;

pub(crate) use chain::{length_of_block, length_of_request, length_of_response};
pub(crate) use glance::{Glance, glance};
pub use reader::{Reader, WireError};

use crate::block::Digest;
use crate::limits::MAX_MESSAGE_BYTES;
use crate::message::Message;

/// The version that this crate writes and reads.
pub const VERSION: u8 = 2;

/// Something with one encoding.
pub trait Encode {
    /// Appends the encoding to `bytes`.
    fn encode(&self, bytes: &mut Vec<u8>);
}

/// Something that can be read back from its encoding.
pub trait Decode: Sized {
    /// Reads one value.
    ///
    /// # Errors
    /// The first field that cannot be read, with the reason.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError>;
}

/// The bytes of `message`.
#[must_use]
pub fn encode(message: &Message) -> Vec<u8> {
    to_bytes(message)
}

/// The message of `bytes`.
///
/// # Errors
/// When the bytes are longer than [`MAX_MESSAGE_BYTES`], of another version, or not exactly one message.
pub fn decode(bytes: &[u8]) -> Result<Message, WireError> {
    from_bytes(bytes)
}

/// Bytes of the checksum at the end of what [`seal`] writes.
pub const CHECKSUM_BYTES: usize = 32;

/// The bytes of any encodable value for storage: version, fields, and a SHA3-256 checksum of both, so that a bit that changes
/// on the disk is noticed by [`unseal`]. The checksum is no secret: it does not protect from somebody who writes to the disk.
#[must_use]
pub fn seal<T: Encode>(value: &T) -> Vec<u8> {
    let mut bytes = to_bytes(value);
    bytes.extend(checksum(&bytes));
    bytes
}

/// Reads what [`seal`] wrote.
///
/// # Errors
/// [`WireError::Checksum`] when a bit has changed, [`WireError::UnexpectedEnd`] for too few bytes, and as [`decode`].
pub fn unseal<T: Decode>(bytes: &[u8]) -> Result<T, WireError> {
    let short = WireError::UnexpectedEnd { field: "checksum", needed: CHECKSUM_BYTES, left: bytes.len() };
    let (content, found) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(short)?;
    if checksum(content) != *found {
        return Err(WireError::Checksum);
    }
    from_bytes(content)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    Digest::of(b"zus/stored/v1\0\0\0", &[bytes]).0
}

/// The bytes of any encodable value, with the version in front.
#[must_use]
pub fn to_bytes<T: Encode>(value: &T) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    value.encode(&mut bytes);
    bytes
}

/// Reads what [`to_bytes`] wrote.
///
/// # Errors
/// As [`decode`].
pub fn from_bytes<T: Decode>(bytes: &[u8]) -> Result<T, WireError> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(WireError::TooLong { field: "message", length: bytes.len(), bound: MAX_MESSAGE_BYTES });
    }
    let mut reader = Reader::new(bytes);
    match reader.byte("version")? {
        VERSION => {}
        found => return Err(WireError::UnknownVersion { found, supported: VERSION }),
    }
    let value = T::decode(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// The fields of `value` without the version: what a hash is taken of.
pub(crate) fn body<T: Encode>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    bytes
}
