//! Scalars: the field of integers modulo the group order, in which secret keys, shares and polynomials live.

use std::fmt;

use blst::{
    blst_fr, blst_fr_add, blst_fr_cneg, blst_fr_from_scalar, blst_fr_from_uint64, blst_fr_inverse,
    blst_fr_mul, blst_fr_sub, blst_scalar, blst_scalar_fr_check, blst_scalar_from_be_bytes,
    blst_scalar_from_bendian, blst_scalar_from_fr,
};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of an encoded scalar.
pub const SCALAR_BYTES: usize = 32;

/// An integer modulo the group order.
///
/// Arithmetic is constant-time, the value is wiped when dropped, and `Debug` does not show it. Comparison goes through
/// [`ConstantTimeEq`]; there is deliberately no `PartialEq`.
#[derive(Clone)]
pub struct Scalar(blst_fr);

impl Scalar {
    /// Zero.
    #[must_use]
    pub fn zero() -> Self {
        Self(blst_fr::default())
    }

    /// A small integer.
    #[must_use]
    pub fn from_u64(value: u64) -> Self {
        let mut out = blst_fr::default();
        // SAFETY: `a` must point to four little-endian limbs, which the array is; `out` is a valid destination.
        unsafe { blst_fr_from_uint64(&mut out, [value, 0, 0, 0].as_ptr()) };
        Self(out)
    }

    /// Reads 32 big-endian bytes; `None` when the integer is not below the group order.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; SCALAR_BYTES]) -> Option<Self> {
        let mut scalar = blst_scalar::default();
        // SAFETY: the source is 32 bytes long, as the function reads; the destination is valid.
        unsafe { blst_scalar_from_bendian(&mut scalar, bytes.as_ptr()) };
        // SAFETY: the argument is an initialised scalar.
        unsafe { blst_scalar_fr_check(&scalar) }.then(|| Self::from_blst(&scalar))
    }

    /// Reduces 64 uniform bytes modulo the group order; the bias is below `2^-256`.
    #[must_use]
    pub fn from_uniform_bytes(bytes: &[u8; 64]) -> Self {
        let mut scalar = blst_scalar::default();
        // SAFETY: pointer and length describe the array; the destination is valid. The result says whether the scalar
        // is zero, which is a value like any other here.
        unsafe { blst_scalar_from_be_bytes(&mut scalar, bytes.as_ptr(), bytes.len()) };
        Self::from_blst(&scalar)
    }

    /// The 32 big-endian bytes that [`Scalar::from_bytes`] reads, wiped when dropped.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; SCALAR_BYTES]> {
        let mut bytes = Zeroizing::new([0; SCALAR_BYTES]);
        for (to, from) in bytes.iter_mut().zip(self.to_blst().b.iter().rev()) {
            *to = *from;
        }
        bytes
    }

    /// The sum.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        let mut out = Self::zero();
        // SAFETY: three valid field elements; the destination may alias neither source here.
        unsafe { blst_fr_add(&mut out.0, &self.0, &other.0) };
        out
    }

    /// The difference.
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        let mut out = Self::zero();
        // SAFETY: three valid field elements.
        unsafe { blst_fr_sub(&mut out.0, &self.0, &other.0) };
        out
    }

    /// The product.
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        let mut out = Self::zero();
        // SAFETY: three valid field elements.
        unsafe { blst_fr_mul(&mut out.0, &self.0, &other.0) };
        out
    }

    /// The additive inverse.
    #[must_use]
    pub fn neg(&self) -> Self {
        let mut out = Self::zero();
        // SAFETY: two valid field elements.
        unsafe { blst_fr_cneg(&mut out.0, &self.0, true) };
        out
    }

    /// The multiplicative inverse; the inverse of zero is zero.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let mut out = Self::zero();
        // SAFETY: two valid field elements; blst defines the inverse of zero as zero.
        unsafe { blst_fr_inverse(&mut out.0, &self.0) };
        out
    }

    /// Whether this is zero, in constant time.
    #[must_use]
    pub fn is_zero(&self) -> Choice {
        self.ct_eq(&Self::zero())
    }

    /// The form in which blst's point multiplications take a scalar; wiped when dropped.
    pub(super) fn to_blst(&self) -> blst_scalar {
        let mut scalar = blst_scalar::default();
        // SAFETY: a valid field element and a valid destination.
        unsafe { blst_scalar_from_fr(&mut scalar, &self.0) };
        scalar
    }

    fn from_blst(scalar: &blst_scalar) -> Self {
        let mut out = Self::zero();
        // SAFETY: callers pass a scalar below the group order; the destination is valid.
        unsafe { blst_fr_from_scalar(&mut out.0, scalar) };
        out
    }
}

impl ConstantTimeEq for Scalar {
    fn ct_eq(&self, other: &Self) -> Choice {
        // blst keeps field elements fully reduced, so that equal elements have equal limbs.
        self.0.l.ct_eq(&other.0.l)
    }
}

impl Drop for Scalar {
    fn drop(&mut self) {
        self.0.l.zeroize();
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scalar(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The group order, big-endian (draft-irtf-cfrg-pairing-friendly-curves, section 4.2.1).
    const ORDER: [u8; 32] = [
        0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05, 0x53,
        0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01,
    ];

    fn equal(a: &Scalar, b: &Scalar) -> bool {
        a.ct_eq(b).into()
    }

    #[test]
    fn the_largest_scalar_is_minus_one_and_the_order_is_refused() {
        let mut largest = ORDER;
        largest[31] = 0;
        let largest = Scalar::from_bytes(&largest).unwrap();
        assert!(equal(&largest, &Scalar::from_u64(1).neg()));
        assert!(Scalar::from_bytes(&ORDER).is_none());
        assert!(Scalar::from_bytes(&[0xff; 32]).is_none());
    }

    #[test]
    fn bytes_round_trip_in_big_endian() {
        let mut bytes = [0; 32];
        bytes[30..].copy_from_slice(&[0x12, 0x34]);
        let scalar = Scalar::from_bytes(&bytes).unwrap();
        assert!(equal(&scalar, &Scalar::from_u64(0x1234)));
        assert_eq!(*scalar.to_bytes(), bytes);
    }

    #[test]
    fn arithmetic_agrees_with_small_integers() {
        let s = Scalar::from_u64;
        assert!(equal(&s(7).add(&s(5)), &s(12)));
        assert!(equal(&s(7).sub(&s(5)), &s(2)));
        assert!(equal(&s(7).mul(&s(5)), &s(35)));
        assert!(equal(&s(7).mul(&s(7).inverse()), &s(1)));
        assert!(equal(&s(5).sub(&s(7)), &s(2).neg()));
        assert!(bool::from(s(0).inverse().is_zero()));
        assert!(bool::from(s(3).sub(&s(3)).is_zero()));
    }

    #[test]
    fn uniform_bytes_are_reduced() {
        let mut bytes = [0; 64];
        bytes[32..].copy_from_slice(&ORDER);
        assert!(bool::from(Scalar::from_uniform_bytes(&bytes).is_zero()));
        bytes[63] = 9;
        assert!(equal(&Scalar::from_uniform_bytes(&bytes), &Scalar::from_u64(8)));
        // 2^256 mod r, from the order itself: 2^256 = 2 r + (2^256 - 2 r).
        let mut power = [0; 64];
        power[31] = 1;
        let two_to_128 = Scalar::from_u64(1 << 32).mul(&Scalar::from_u64(1 << 32));
        let two_to_128 = two_to_128.mul(&two_to_128);
        assert!(equal(&Scalar::from_uniform_bytes(&power), &two_to_128.mul(&two_to_128)));
    }

    #[test]
    fn a_dropped_scalar_is_wiped() {
        let mut slot = std::mem::ManuallyDrop::new(Scalar::from_u64(0x5ec7e7));
        assert_ne!(slot.0.l, [0; 4]);
        // SAFETY: dropped once; what is read afterwards are plain integers, which dropping leaves initialised.
        unsafe { std::mem::ManuallyDrop::drop(&mut slot) };
        assert_eq!(slot.0.l, [0; 4]);
    }

    #[test]
    fn debug_output_shows_nothing() {
        assert_eq!(format!("{:?}", Scalar::from_u64(0x5ec7e7)), "Scalar(..)");
    }
}
