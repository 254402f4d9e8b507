//! Points of G2: public keys and Feldman commitments.

use blst::{
    blst_hash_to_g2, blst_p2, blst_p2_add_or_double, blst_p2_add_or_double_affine, blst_p2_affine,
    blst_p2_affine_compress, blst_p2_affine_generator, blst_p2_affine_in_g2, blst_p2_affine_is_inf,
    blst_p2_cneg, blst_p2_double, blst_p2_from_affine, blst_p2_is_inf, blst_p2_to_affine, blst_p2_uncompress,
    blst_p2s_add, blst_p2s_mult_pippenger, blst_p2s_mult_pippenger_scratch_sizeof, blst_sk_to_pk_in_g2,
    limb_t,
};

use super::{PointError, Scalar};

/// Bytes of a compressed point of G2.
pub const G2_BYTES: usize = 96;

/// Bits of the group order.
const SCALAR_BITS: usize = 255;

#[cfg(any(test, feature = "counters"))]
thread_local! {
    static POINTS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    static COMBINATIONS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// How many points of G2 this thread has decoded: what tests count.
#[cfg(any(test, feature = "counters"))]
#[must_use]
pub fn points_so_far() -> usize {
    POINTS.with(std::cell::Cell::get)
}

/// How many polynomials this thread has evaluated in the exponent, and linear combinations: what tests count.
#[cfg(any(test, feature = "counters"))]
#[must_use]
pub fn combinations_so_far() -> usize {
    COMBINATIONS.with(std::cell::Cell::get)
}

/// A point of the prime-order subgroup of the twist that is not infinity: it is checked when it is decoded, and every
/// operation stays inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct G2(pub(super) blst_p2_affine);

impl G2 {
    /// Reads a compressed point of the subgroup.
    ///
    /// # Errors
    /// Every variant of [`PointError`].
    pub fn decode(bytes: &[u8; G2_BYTES]) -> Result<Self, PointError> {
        #[cfg(any(test, feature = "counters"))]
        POINTS.with(|count| count.set(count.get() + 1));
        let mut point = blst_p2_affine::default();
        // SAFETY: the source is 96 bytes long, as the function reads; the destination is valid.
        PointError::check(unsafe { blst_p2_uncompress(&mut point, bytes.as_ptr()) })?;
        // SAFETY: the argument is an initialised point.
        if unsafe { blst_p2_affine_is_inf(&point) } {
            return Err(PointError::Infinity);
        }
        // SAFETY: the argument is a point of the curve.
        if !unsafe { blst_p2_affine_in_g2(&point) } {
            return Err(PointError::NotInSubgroup);
        }
        Ok(Self(point))
    }

    /// The canonical compressed encoding.
    #[must_use]
    pub fn encode(&self) -> [u8; G2_BYTES] {
        let mut bytes = [0; G2_BYTES];
        // SAFETY: the destination is 96 bytes long, as the function writes; the source is a valid point.
        unsafe { blst_p2_affine_compress(bytes.as_mut_ptr(), &self.0) };
        bytes
    }

    /// The generator times a secret scalar, in constant time: the public side of a key. `None` when the scalar is zero.
    #[must_use]
    pub fn generator_times(scalar: &Scalar) -> Option<Self> {
        let mut point = blst_p2::default();
        let scalar = scalar.to_blst();
        // SAFETY: an initialised scalar below the group order and a valid destination.
        unsafe { blst_sk_to_pk_in_g2(&mut point, &scalar) };
        Self::from_projective(&point)
    }

    /// Hashes a message to the subgroup (RFC 9380, section 8.8.2): a point of which nobody knows the discrete logarithm.
    #[must_use]
    pub fn hash(domain_tag: &[u8], message: &[u8]) -> Self {
        let mut point = blst_p2::default();
        // SAFETY: each pointer comes with the length of its slice; the augmentation is empty, for which blst accepts a
        // null pointer; the destination is valid.
        unsafe {
            blst_hash_to_g2(
                &mut point,
                message.as_ptr(),
                message.len(),
                domain_tag.as_ptr(),
                domain_tag.len(),
                std::ptr::null(),
                0,
            );
        }
        // A message that hashes to infinity would break SHA-256; the generator stands in, so that this stays total.
        Self::from_projective(&point).unwrap_or_else(Self::generator)
    }

    /// The standard generator of the subgroup.
    #[must_use]
    pub fn generator() -> Self {
        // SAFETY: the function returns a pointer to a constant of the library, valid for the life of the program.
        Self(unsafe { *blst_p2_affine_generator() })
    }

    /// The point mirrored at the x axis.
    #[must_use]
    pub fn neg(&self) -> Self {
        let mut point = self.to_projective();
        // SAFETY: the argument is a valid point.
        unsafe { blst_p2_cneg(&mut point, true) };
        Self::from_projective(&point).unwrap_or(*self)
    }

    /// The sum; `None` when there are no points or they sum to infinity.
    #[must_use]
    pub fn sum<'a>(points: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let points: Vec<*const blst_p2_affine> = points.into_iter().map(|point| &raw const point.0).collect();
        let mut sum = blst_p2::default();
        // SAFETY: the array has as many pointers as said, each to a live point; the additions are complete, in the affine
        // batches with one inversion for all (16 points and more) as well as one at a time.
        unsafe { blst_p2s_add(&mut sum, points.as_ptr(), points.len()) };
        Self::from_projective(&sum)
    }

    /// The sum of the points, each times its small public weight; `None` at infinity, or when the two lists differ in
    /// length.
    #[must_use]
    pub fn weighted_sum(points: &[Self], weights: &[u128]) -> Option<Self> {
        let bits = super::g1::bits(weights);
        if points.is_empty() || points.len() != weights.len() || bits == 0 {
            return None;
        }
        if super::g1::is_short(points.len(), bits) {
            return Self::short_weighted_sum(points, weights);
        }
        let scalars: Vec<[u8; 16]> = weights.iter().map(|weight| weight.to_le_bytes()).collect();
        Self::combine(points, &scalars, bits)
    }

    /// The sum of the points, each times its **public** scalar (the time depends on them); `None` at infinity, or when the two
    /// lists differ in length.
    #[must_use]
    pub fn linear_combination(points: &[Self], scalars: &[Scalar]) -> Option<Self> {
        #[cfg(any(test, feature = "counters"))]
        COMBINATIONS.with(|count| count.set(count.get() + 1));
        let scalars: Vec<[u8; 32]> = scalars.iter().map(|scalar| scalar.to_blst().b).collect();
        Self::combine(points, &scalars, SCALAR_BITS)
    }

    /// Pippenger's algorithm: buckets of points with equal digits. `scalars` are little-endian, of at least `bits` bits.
    fn combine<const BYTES: usize>(points: &[Self], scalars: &[[u8; BYTES]], bits: usize) -> Option<Self> {
        if points.is_empty() || points.len() != scalars.len() || bits == 0 || bits > 8 * BYTES {
            return None;
        }
        let scalar_pointers: Vec<*const u8> = scalars.iter().map(|bytes| bytes.as_ptr()).collect();
        let point_pointers: Vec<*const blst_p2_affine> =
            points.iter().map(|point| &raw const point.0).collect();
        // SAFETY: a pure function of the count.
        let scratch_bytes = unsafe { blst_p2s_mult_pippenger_scratch_sizeof(points.len()) };
        let mut scratch: Vec<limb_t> = vec![0; scratch_bytes.div_ceil(size_of::<limb_t>())];
        let mut sum = blst_p2::default();
        // SAFETY: both pointer arrays have `points.len()` entries, each to a live point or to `BYTES` bytes, at least the bits
        // that are read; the scratch space is as large as asked for; no point is infinity, as the algorithm needs.
        unsafe {
            blst_p2s_mult_pippenger(
                &mut sum,
                point_pointers.as_ptr(),
                points.len(),
                scalar_pointers.as_ptr(),
                bits,
                scratch.as_mut_ptr(),
            );
        }
        Self::from_projective(&sum)
    }

    /// All weights bit by bit, with the doublings shared. The additions are complete.
    fn short_weighted_sum(points: &[Self], weights: &[u128]) -> Option<Self> {
        let mut sum = blst_p2::default();
        for bit in (0..super::g1::bits(weights)).rev() {
            let half = sum;
            // SAFETY: valid points.
            unsafe { blst_p2_double(&mut sum, &half) };
            for (point, _) in points.iter().zip(weights).filter(|(_, weight)| *weight >> bit & 1 == 1) {
                let augend = sum;
                // SAFETY: valid points; this addition has no exceptional cases.
                unsafe { blst_p2_add_or_double_affine(&mut sum, &augend, &point.0) };
            }
        }
        Self::from_projective(&sum)
    }

    /// The value at `x` of the polynomial in the exponent whose coefficients are given, constant first; `None` at infinity.
    ///
    /// Horner's rule with double-and-add by the small public `x`: an eighth of the time of a multi-scalar multiplication by
    /// the powers of `x` ([`G2::linear_combination`]).
    #[must_use]
    pub fn evaluate_polynomial(coefficients: &[Self], x: u32) -> Option<Self> {
        #[cfg(any(test, feature = "counters"))]
        COMBINATIONS.with(|count| count.set(count.get() + 1));
        let mut value = blst_p2::default();
        for coefficient in coefficients.iter().rev() {
            let augend = mul_small(&value, x);
            // SAFETY: all three are valid points; this addition has no exceptional cases.
            unsafe { blst_p2_add_or_double_affine(&mut value, &augend, &coefficient.0) };
        }
        Self::from_projective(&value)
    }

    fn to_projective(self) -> blst_p2 {
        let mut point = blst_p2::default();
        // SAFETY: the source is a valid point, the destination is valid.
        unsafe { blst_p2_from_affine(&mut point, &self.0) };
        point
    }

    fn from_projective(point: &blst_p2) -> Option<Self> {
        // SAFETY: the argument is a valid point.
        if unsafe { blst_p2_is_inf(point) } {
            return None;
        }
        let mut affine = blst_p2_affine::default();
        // SAFETY: the source is a valid point, the destination is valid.
        unsafe { blst_p2_to_affine(&mut affine, point) };
        Some(Self(affine))
    }
}

/// `x` times `point` by double-and-add; the time depends on `x`, which is public.
fn mul_small(point: &blst_p2, x: u32) -> blst_p2 {
    let mut product = blst_p2::default();
    for bit in (0..u32::BITS - x.leading_zeros()).rev() {
        let half = product;
        // SAFETY: both are valid points; doubling infinity gives infinity.
        unsafe { blst_p2_double(&mut product, &half) };
        if x >> bit & 1 == 1 {
            let augend = product;
            // SAFETY: all three are valid points; this addition has no exceptional cases.
            unsafe { blst_p2_add_or_double(&mut product, &augend, point) };
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(secret: u64) -> G2 {
        G2::generator_times(&Scalar::from_u64(secret)).unwrap()
    }

    #[test]
    fn the_exponent_is_linear() {
        assert_eq!(point(1), G2::generator());
        assert_eq!(G2::sum([&point(3), &point(4), &point(4)]), Some(point(11)));
        assert_eq!(G2::sum([&point(3), &point(3).neg()]), None);
        assert_eq!(G2::generator_times(&Scalar::zero()), None);
    }

    /// Pitfall: additions that are not complete. A dealer chooses its commitments: buckets meet equal points, opposite ones, and
    /// sums that are infinite.
    #[test]
    fn a_linear_combination_is_the_sum_of_the_products_whatever_the_points() {
        let mut random = fastrand::Rng::with_seed(7);
        for count in [1, 2, 3, 5, 33, 67] {
            for few in [true, false] {
                let mut total = Scalar::zero();
                let (mut points, mut scalars) = (Vec::new(), Vec::new());
                for _ in 0..count {
                    let secret = Scalar::from_u64(if few { random.u64(1..=2) } else { random.u64(1..) });
                    let secret = if random.bool() { secret.neg() } else { secret };
                    let scalar = Scalar::from_u64(random.u64(1..=9));
                    let scalar = if few { scalar } else { scalar.inverse() };
                    total = total.add(&secret.mul(&scalar));
                    points.push(G2::generator_times(&secret).unwrap());
                    scalars.push(scalar);
                }
                let expected = G2::generator_times(&total);
                assert_eq!(G2::linear_combination(&points, &scalars), expected, "{count} points");
            }
        }
        let (one, g) = (Scalar::from_u64(1), G2::generator());
        assert_eq!(G2::linear_combination(&[g, g], &[one.clone(), one.neg()]), None, "infinity");
        assert_eq!(G2::linear_combination(&[g], &[Scalar::zero()]), None);
        assert_eq!(G2::linear_combination(&[g], &[]), None);
    }

    #[test]
    fn a_polynomial_in_the_exponent_evaluates_as_over_the_integers() {
        let coefficients = [point(5), point(7), point(2)];
        for x in [0, 1, 2, 3, 64, 4096] {
            assert_eq!(
                G2::evaluate_polynomial(&coefficients, x),
                Some(point(5 + 7 * u64::from(x) + 2 * u64::from(x).pow(2))),
                "at {x}"
            );
        }
        assert_eq!(G2::evaluate_polynomial(&[point(6), point(2).neg()], 3), None, "a root");
        assert_eq!(G2::evaluate_polynomial(&[], 3), None);
    }

    #[test]
    fn bytes_round_trip() {
        assert_eq!(G2::decode(&point(77).encode()), Ok(point(77)));
    }
}
