//! The curve BLS12-381, through the public API of blst: the one module of this crate with `unsafe` code.
//!
//! blst's safe Rust API covers signatures only; sums of keys, Feldman commitments and interpolation in the exponent need
//! its C functions. Everything here wraps one of them in a type whose invariant makes the call sound, and nothing above
//! this module sees a raw point:
//!
//! | type | what is known about every value |
//! |---|---|
//! | [`Scalar`] | reduced modulo the group order; zeroized when dropped, never shown |
//! | [`G1`], [`G2`] | on the curve, not the point at infinity; in the prime-order subgroup only where the docs say so |
//!
//! The point at infinity is the absence of a point (`None`), because no signature, key or commitment of this protocol may
//! be infinity. (blst's own `verify` functions are not used: they queue every check on a global thread pool.)

mod endomorphism;
mod g1;
mod g2;
pub mod lanes;
mod pairing;
mod prepared;
mod scalar;
#[cfg(test)]
pub(crate) mod strays;

#[cfg(any(test, feature = "counters"))]
pub use g1::roots_so_far;
pub use g1::{G1, G1_BYTES, G1_UNCOMPRESSED_BYTES};
pub use g2::{G2, G2_BYTES};
#[cfg(any(test, feature = "counters"))]
pub use g2::{combinations_so_far, points_so_far};
pub use pairing::Gt;
#[cfg(any(test, feature = "counters"))]
pub use pairing::products_so_far;
pub use prepared::PreparedG2;
pub use scalar::{SCALAR_BYTES, Scalar};

/// Why bytes are not a usable point.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PointError {
    /// The flag bits are wrong, a coordinate is not reduced, or the encoding of infinity carries a payload.
    #[error("not the canonical encoding of a point")]
    Encoding,
    /// No point of the curve has this x coordinate, or these coordinates.
    #[error("no point of the curve has these coordinates")]
    NotOnCurve,
    /// The point at infinity, which is no signature, key or commitment.
    #[error("the point at infinity")]
    Infinity,
    /// On the curve, but outside the subgroup of prime order.
    #[error("a point outside the prime-order subgroup")]
    NotInSubgroup,
}

impl PointError {
    /// The verdict of blst on a decoding, in the terms of this crate.
    fn check(error: blst::BLST_ERROR) -> Result<(), Self> {
        match error {
            blst::BLST_ERROR::BLST_SUCCESS => Ok(()),
            blst::BLST_ERROR::BLST_POINT_NOT_ON_CURVE => Err(Self::NotOnCurve),
            blst::BLST_ERROR::BLST_POINT_NOT_IN_GROUP => Err(Self::NotInSubgroup),
            blst::BLST_ERROR::BLST_PK_IS_INFINITY => Err(Self::Infinity),
            _ => Err(Self::Encoding),
        }
    }
}
