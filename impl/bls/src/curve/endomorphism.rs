//! The endomorphism of G1: `(x, y)` to `(beta x, y)` is `-z^2` times a point of the subgroup, for one multiplication.
//!
//! A scalar of 255 bits is `low + high z^2` with halves of 128 bits, so that a multi-scalar multiplication has twice the points
//! and half the doublings.

use blst::{blst_fp, blst_fp_cneg, blst_fp_mul, blst_p1_affine};

use super::G1;

/// Bits of half a scalar.
pub(super) const HALF_BITS: usize = 128;

/// The square of the curve parameter.
const PARAMETER_SQUARED: u128 = 0xd201_0000_0001_0000_u128 * 0xd201_0000_0001_0000_u128;

/// The cube root of one with which `(beta x, y)` is `-z^2` times a point of the subgroup, in blst's form.
pub(super) const BETA: blst_fp = blst_fp {
    l: [
        0x30f1_361b_798a_64e8,
        0xf3b8_ddab_7ece_5a2a,
        0x16a8_ca3a_c615_77f7,
        0xc26a_2ff8_74fd_029b,
        0x3636_b766_6070_1c6e,
        0x051b_a4ab_241b_6160,
    ],
};

/// `z^2` times a point of the subgroup: `(beta x, -y)`. Outside the subgroup it is some other point of the curve.
pub(super) fn times_parameter_squared(point: &G1) -> G1 {
    let mut product = blst_p1_affine::default();
    // SAFETY: valid field elements, the destinations distinct from the sources.
    unsafe {
        blst_fp_mul(&mut product.x, &point.0.x, &BETA);
        blst_fp_cneg(&mut product.y, &point.0.y, true);
    }
    G1(product)
}

/// `low` and `high` with `scalar = low + high z^2`, little-endian; the scalar is below the group order, and so `high` has
/// 128 bits. The time depends on the scalar, which is public.
pub(super) fn split(scalar: &[u8; 32]) -> [[u8; 16]; 2] {
    let (mut remainder, mut quotient) = (0_u128, 0_u128);
    for bit in (0..256).rev() {
        let carry = remainder >> 127 == 1;
        remainder = remainder << 1 | u128::from(scalar[bit / 8] >> (bit % 8) & 1);
        quotient <<= 1;
        if carry || remainder >= PARAMETER_SQUARED {
            remainder = remainder.wrapping_sub(PARAMETER_SQUARED);
            quotient |= 1;
        }
    }
    [remainder.to_le_bytes(), quotient.to_le_bytes()]
}

#[cfg(test)]
mod tests {
    use super::super::Scalar;
    use super::*;

    #[test]
    fn the_endomorphism_multiplies_by_the_square_of_the_parameter() {
        let point = G1::hash(b"tag", b"message");
        let parameter = Scalar::from_u64(0xd201_0000_0001_0000);
        assert_eq!(Some(times_parameter_squared(&point)), point.mul(&parameter.mul(&parameter)));
    }

    #[test]
    fn halves_add_up_to_the_scalar() {
        let u128_scalar = |value: u128| {
            let base = Scalar::from_u64(1 << 32).mul(&Scalar::from_u64(1 << 32));
            Scalar::from_u64((value >> 64) as u64).mul(&base).add(&Scalar::from_u64(value as u64))
        };
        let minus_one = Scalar::from_u64(1).neg();
        let square = u128_scalar(PARAMETER_SQUARED);
        let scalars =
            [Scalar::zero(), Scalar::from_u64(5), minus_one.clone(), square.clone(), minus_one.inverse()];
        let more = (1..50).map(|i| Scalar::from_u64(i * i + 1).inverse());
        for scalar in scalars.into_iter().chain(more) {
            let [low, high] = split(&scalar.to_blst().b).map(u128::from_le_bytes);
            assert!(low < PARAMETER_SQUARED);
            let sum = u128_scalar(low).add(&u128_scalar(high).mul(&square));
            assert!(bool::from(subtle::ConstantTimeEq::ct_eq(&sum, &scalar)));
        }
    }
}
