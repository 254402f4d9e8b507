//! Signatures with both coordinates: twice the bytes, and no root to draw when they are read.
//!
//! An [`UncompressedSignature`] made from bytes was checked: its coordinates are canonical, and its point is on the
//! curve. Such points and compressed encodings that decode are one to one, so that a signature is the same signature in
//! either form: it is compared, kept as evidence and summed into certificates in the form of 48 bytes. Nothing else is
//! known about it; whether it is a signature at all (the subgroup included) [`Verify`](super::scheme::Verify) has to
//! say.

use std::hash::{Hash, Hasher};

use super::curve::{G1, PointError};
use super::signature::Signature;

/// Bytes of a signature with both coordinates.
pub const UNCOMPRESSED_SIGNATURE_BYTES: usize = super::curve::G1_UNCOMPRESSED_BYTES;

/// A point of the curve, not infinity, with its compressed form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UncompressedSignature {
    compressed: Signature,
    point: G1,
}

/// Hashes the compressed form, which determines the point.
impl Hash for UncompressedSignature {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.compressed.hash(state);
    }
}

impl UncompressedSignature {
    /// Computes the other coordinate: this draws the root that the receivers are spared.
    ///
    /// # Errors
    /// When the signature is no point.
    pub fn new(compressed: Signature) -> Result<Self, PointError> {
        Ok(Self { compressed, point: G1::decode(&compressed.0)? })
    }

    /// Reads both coordinates, `x` first, 48 bytes each, big-endian, the three highest bits zero.
    ///
    /// # Errors
    /// [`PointError::Encoding`] when a coordinate is not reduced or a flag is set, [`PointError::NotOnCurve`],
    /// [`PointError::Infinity`].
    pub fn from_bytes(bytes: &[u8; UNCOMPRESSED_SIGNATURE_BYTES]) -> Result<Self, PointError> {
        let point = G1::decode_uncompressed(bytes)?;
        Ok(Self { compressed: Signature(point.encode()), point })
    }

    /// A stand-in for both coordinates of a signature of the mock, which is no point: the same for all of them.
    #[must_use]
    pub fn stand_in(compressed: Signature) -> Self {
        Self { compressed, point: G1::generator() }
    }

    /// The bytes that [`UncompressedSignature::from_bytes`] reads.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; UNCOMPRESSED_SIGNATURE_BYTES] {
        self.point.encode_uncompressed()
    }

    /// The same signature in 48 bytes.
    #[must_use]
    pub const fn compressed(&self) -> Signature {
        self.compressed
    }

    /// The point.
    #[must_use]
    pub const fn point(&self) -> &G1 {
        &self.point
    }
}

/// A signature in the form in which it came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReceivedSignature {
    /// In 48 bytes: anything, until it is decoded.
    Compressed(Signature),
    /// In 96 bytes: a point.
    Uncompressed(UncompressedSignature),
}

impl ReceivedSignature {
    /// The signature in 48 bytes.
    #[must_use]
    pub const fn compressed(&self) -> Signature {
        match self {
            Self::Compressed(signature) => *signature,
            Self::Uncompressed(signature) => signature.compressed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_one_to_one() {
        for i in 0..20 {
            let point = G1::hash(b"tag", &[i]);
            let compressed = Signature(point.encode());
            let signature = UncompressedSignature::new(compressed).unwrap();
            assert_eq!(UncompressedSignature::from_bytes(&signature.to_bytes()), Ok(signature));
            assert_eq!((signature.compressed(), signature.point()), (compressed, &point));
            let mirrored = UncompressedSignature::from_bytes(&point.neg().encode_uncompressed()).unwrap();
            assert_ne!(mirrored.compressed(), compressed, "the sign is in both forms");
        }
    }

    #[test]
    fn what_is_no_point_is_refused_with_the_reason() {
        let bytes = G1::hash(b"tag", b"message").encode_uncompressed();
        let with = |index: usize, flip: u8| {
            let mut bytes = bytes;
            bytes[index] ^= flip;
            UncompressedSignature::from_bytes(&bytes).unwrap_err()
        };
        assert_eq!(with(95, 1), PointError::NotOnCurve);
        assert_eq!(with(0, 0x80), PointError::Encoding, "the flag of the other form");
        assert_eq!(with(0, 0x20), PointError::Encoding, "the sign bit of the other form");
        let mut infinity = [0; UNCOMPRESSED_SIGNATURE_BYTES];
        infinity[0] = 0x40;
        assert_eq!(UncompressedSignature::from_bytes(&infinity), Err(PointError::Infinity));
        let mut not_reduced = bytes;
        not_reduced[48..].fill(0xff);
        assert_eq!(UncompressedSignature::from_bytes(&not_reduced), Err(PointError::Encoding));
        assert_eq!(UncompressedSignature::new(Signature([0; 48])), Err(PointError::Encoding));
    }
}
