//! Points of G1, eight at a time.

use blst::{blst_fp, blst_p1_affine};

use super::LANES;
use super::fp::{Fp, MODULUS, ONE};
use crate::curve::endomorphism::BETA;
use crate::curve::{G1, G1_BYTES, PointError};

/// Most significant bits of an encoding: compressed, infinity, the larger of the two `y`.
const COMPRESSED: u8 = 0x80;
const INFINITY: u8 = 0x40;
const LARGER: u8 = 0x20;

/// The absolute value of the curve parameter.
const PARAMETER: u64 = 0xd201_0000_0001_0000;

/// The x coordinate of an encoding and whether `y` is the larger, unless the form is wrong.
fn parse(bytes: &[u8; G1_BYTES]) -> Result<([u64; 6], bool), PointError> {
    if bytes[0] & COMPRESSED == 0 {
        return Err(PointError::Encoding);
    }
    if bytes[0] & INFINITY != 0 {
        // Infinity is all zeros beside its flags.
        let canonical = bytes[0] == COMPRESSED | INFINITY && bytes[1..].iter().all(|&byte| byte == 0);
        return Err(if canonical { PointError::Infinity } else { PointError::Encoding });
    }
    let mut words = [0; 6];
    for (word, chunk) in words.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *word = chunk.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    }
    words[5] &= u64::MAX >> 3;
    if !is_below(&words, &MODULUS) {
        return Err(PointError::Encoding);
    }
    Ok((words, bytes[0] & LARGER != 0))
}

fn is_below(a: &[u64; 6], b: &[u64; 6]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// The largest `y` that is not larger than its mirror: `(p - 1) / 2`.
const HALF: [u64; 6] = {
    let mut half = [0; 6];
    let mut i = 0;
    while i < 6 {
        half[i] = MODULUS[i] >> 1 | if i < 5 { MODULUS[i + 1] << 63 } else { 0 };
        i += 1;
    }
    half
};

/// [`G1::decode`] of eight encodings.
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn decode(encoded: &[&[u8; G1_BYTES]; LANES]) -> [Result<G1, PointError>; LANES] {
    let parsed = encoded.map(parse);
    // Lanes without an x compute with zero, which is as good as anything.
    let x = Fp::from_plain(&parsed.map(|parsed| parsed.map_or([0; 6], |(x, _)| x)));
    let one = Fp::splat(ONE);
    let four = one.double().double();
    let right_side = x.square().mul(&x).add(&four);
    let y = right_side.root();
    let on_curve = y.square().equals(&right_side);
    let plain = y.to_plain();
    let flip = (0..LANES).fold(0, |lanes, lane| {
        let is_larger = is_below(&HALF, &plain[lane]);
        let wants_larger = parsed[lane].is_ok_and(|(_, larger)| larger);
        lanes | u8::from(is_larger != wants_larger) << lane
    });
    let y = y.replaced(flip, &y.neg::<2>());
    let (x, y) = (x.to_blst(), y.to_blst());
    std::array::from_fn(|lane| {
        parsed[lane]?;
        if on_curve >> lane & 1 == 0 {
            return Err(PointError::NotOnCurve);
        }
        // x = 0 is a point of order three, the one that blst refuses when it decodes.
        if x[lane] == blst_fp::default() {
            return Err(PointError::NotInSubgroup);
        }
        Ok(G1(blst_p1_affine { x: x[lane], y: y[lane] }))
    })
}

/// Jacobian points; infinity has a third coordinate of zero.
#[derive(Clone, Copy)]
struct Jacobian {
    x: Fp,
    y: Fp,
    z: Fp,
}

impl Jacobian {
    /// `dbl-2009-l`. The coordinates are `[2]`, `[18]` and `[4]` at most, before and after.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn double(&self) -> Self {
        let a = self.x.square();
        let b = self.y.square();
        let c = b.square();
        // d = 4 x b, since 2 ((x + b)^2 - a - c) is that.
        let d = self.x.mul(&b).double().double();
        let e = a.double().add(&a);
        let x = e.square().sub::<16>(&d.double()).weak();
        let y = e.mul(&d.sub::<2>(&x)).sub::<16>(&c.double().double().double());
        let z = self.y.mul(&self.z).double();
        Self { x, y, z }
    }

    /// `add-2007-bl` for general points. Wrong where one is infinite or both are equal: the sum has a third coordinate of
    /// zero there, and so has everything that is computed from it.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn add(&self, other: &Self) -> Self {
        let (z1z1, z2z2) = (self.z.square(), other.z.square());
        let u1 = self.x.mul(&z2z2);
        let u2 = other.x.mul(&z1z1);
        let s1 = self.y.mul(&other.z).mul(&z2z2);
        let s2 = other.y.mul(&self.z).mul(&z1z1);
        let h = u2.sub::<2>(&u1);
        let r = s2.sub::<2>(&s1);
        let hh = h.square();
        let hhh = hh.mul(&h);
        let v = u1.mul(&hh);
        let x = r.square().sub::<2>(&hhh).sub::<4>(&v.double()).weak();
        let y = Fp::sum_of_products([(&r, &v.sub::<2>(&x)), (&s1.neg::<2>(), &hhh)]);
        let z = self.z.mul(&other.z).mul(&h);
        Self { x, y, z }
    }

    /// Times the absolute value of the curve parameter.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn times_parameter(&self) -> Self {
        let mut product = *self;
        for bit in (0..u64::BITS - 1).rev() {
            product = product.double();
            if PARAMETER >> bit & 1 == 1 {
                product = product.add(self);
            }
        }
        product
    }
}

/// A point is in the subgroup exactly if `(beta x, y)` is `-z^2` times the point (M. Scott, "A note on group membership
/// tests", section 6). The additions above are wrong only for points outside the subgroup, whose small multiples can be equal
/// or infinite, and then the result is infinite, which no `(beta x, y)` is: such a point is refused either way.
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn are_in_subgroup(points: &[G1; LANES]) -> [bool; LANES] {
    let x = Fp::from_blst(&points.map(|point| point.0.x));
    let y = Fp::from_blst(&points.map(|point| point.0.y));
    let point = Jacobian { x, y, z: Fp::splat(ONE) };
    let multiple = point.times_parameter().times_parameter();
    // (beta x, y) = (X / Z^2, -Y / Z^3), without division.
    let zz = multiple.z.square();
    let beta_x = x.mul(&Fp::from_blst(&[BETA; LANES]));
    let same_x = beta_x.mul(&zz).equals(&multiple.x);
    let opposite_y = y.mul(&zz).mul(&multiple.z).add(&multiple.y).is_zero();
    let inside = same_x & opposite_y & !multiple.z.is_zero();
    std::array::from_fn(|lane| inside >> lane & 1 == 1)
}

#[cfg(test)]
#[path = "points_tests.rs"]
mod tests;
