//! Points of G1: message hashes and signatures.

use blst::{
    blst_hash_to_g1, blst_p1, blst_p1_add_or_double_affine, blst_p1_affine, blst_p1_affine_compress,
    blst_p1_affine_in_g1, blst_p1_affine_is_inf, blst_p1_affine_serialize, blst_p1_cneg, blst_p1_deserialize,
    blst_p1_double, blst_p1_from_affine, blst_p1_is_inf, blst_p1_mult, blst_p1_to_affine, blst_p1_uncompress,
    blst_p1s_add, blst_p1s_mult_pippenger, blst_p1s_mult_pippenger_scratch_sizeof, limb_t,
};

use super::endomorphism;
use super::lanes::{self, LANES};
use super::{PointError, Scalar};

/// Bytes of a compressed point of G1.
pub const G1_BYTES: usize = 48;

/// Bytes of a point of G1 with both coordinates.
pub const G1_UNCOMPRESSED_BYTES: usize = 96;

/// Bits of the group order.
const ORDER_BITS: usize = 255;

/// The bit of the first byte that says that only one coordinate follows.
const COMPRESSED: u8 = 0x80;

#[cfg(any(test, feature = "counters"))]
thread_local! {
    static ROOTS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// How many compressed points this thread has decoded: what tests count.
#[cfg(any(test, feature = "counters"))]
#[must_use]
pub fn roots_so_far() -> usize {
    ROOTS.with(std::cell::Cell::get)
}

/// A point of the curve over the base field that is not infinity. [`G1::hash`] and sums of hashed points are in the
/// prime-order subgroup; a decoded point need not be, ask [`G1::is_in_subgroup`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct G1(pub(super) blst_p1_affine);

impl G1 {
    /// Reads a compressed point, which is any point of the curve but infinity and the two of order three (`x = 0`).
    ///
    /// The subgroup is not checked: it costs three times the decoding, and a sum of tickets is checked once as a sum.
    ///
    /// # Errors
    /// [`PointError::Encoding`], [`PointError::NotOnCurve`], [`PointError::Infinity`]; [`PointError::NotInSubgroup`] for the
    /// points of order three only.
    pub fn decode(bytes: &[u8; G1_BYTES]) -> Result<Self, PointError> {
        #[cfg(any(test, feature = "counters"))]
        ROOTS.with(|count| count.set(count.get() + 1));
        let mut point = blst_p1_affine::default();
        // SAFETY: the source is 48 bytes long, as the function reads; the destination is valid.
        PointError::check(unsafe { blst_p1_uncompress(&mut point, bytes.as_ptr()) })?;
        // SAFETY: the argument is an initialised point.
        if unsafe { blst_p1_affine_is_inf(&point) } {
            return Err(PointError::Infinity);
        }
        Ok(Self(point))
    }

    /// Reads a point with both coordinates, which is any point of the curve but infinity and the two of order three: twice the
    /// bytes, and a sixtieth of the time, since no root is drawn. The subgroup is not checked.
    ///
    /// # Errors
    /// [`PointError::Encoding`], [`PointError::NotOnCurve`], [`PointError::Infinity`]; [`PointError::NotInSubgroup`] for the
    /// points of order three only.
    pub fn decode_uncompressed(bytes: &[u8; G1_UNCOMPRESSED_BYTES]) -> Result<Self, PointError> {
        // blst would read a compressed point here, and ignore the rest.
        if bytes[0] & COMPRESSED != 0 {
            return Err(PointError::Encoding);
        }
        let mut point = blst_p1_affine::default();
        // SAFETY: the source is 96 bytes long, as the function reads; the destination is valid.
        PointError::check(unsafe { blst_p1_deserialize(&mut point, bytes.as_ptr()) })?;
        // SAFETY: the argument is an initialised point.
        if unsafe { blst_p1_affine_is_inf(&point) } {
            return Err(PointError::Infinity);
        }
        Ok(Self(point))
    }

    /// Both coordinates.
    #[must_use]
    pub fn encode_uncompressed(&self) -> [u8; G1_UNCOMPRESSED_BYTES] {
        let mut bytes = [0; G1_UNCOMPRESSED_BYTES];
        // SAFETY: the destination is 96 bytes long, as the function writes; the source is a valid point.
        unsafe { blst_p1_affine_serialize(bytes.as_mut_ptr(), &self.0) };
        bytes
    }

    /// [`G1::decode`] for many points.
    #[must_use]
    pub fn decode_all(encoded: &[&[u8; G1_BYTES]]) -> Vec<Result<Self, PointError>> {
        let mut points = Vec::with_capacity(encoded.len());
        for chunk in encoded.chunks(LANES) {
            match lanes::filled(chunk).and_then(|full| lanes::decode(&full)) {
                Some(decoded) => {
                    #[cfg(any(test, feature = "counters"))]
                    ROOTS.with(|count| count.set(count.get() + chunk.len()));
                    points.extend(decoded.into_iter().take(chunk.len()));
                }
                None => points.extend(chunk.iter().map(|bytes| Self::decode(bytes))),
            }
        }
        points
    }

    /// [`G1::is_in_subgroup`] for many points.
    #[must_use]
    pub fn are_in_subgroup(points: &[Self]) -> Vec<bool> {
        let mut inside = Vec::with_capacity(points.len());
        for chunk in points.chunks(LANES) {
            match lanes::filled(chunk).and_then(|full| lanes::are_in_subgroup(&full)) {
                Some(checked) => inside.extend(checked.into_iter().take(chunk.len())),
                None => inside.extend(chunk.iter().map(Self::is_in_subgroup)),
            }
        }
        inside
    }

    /// The canonical compressed encoding.
    #[must_use]
    pub fn encode(&self) -> [u8; G1_BYTES] {
        let mut bytes = [0; G1_BYTES];
        // SAFETY: the destination is 48 bytes long, as the function writes; the source is a valid point.
        unsafe { blst_p1_affine_compress(bytes.as_mut_ptr(), &self.0) };
        bytes
    }

    /// Whether the point is in the subgroup of prime order.
    #[must_use]
    pub fn is_in_subgroup(&self) -> bool {
        // SAFETY: the argument is a point of the curve.
        unsafe { blst_p1_affine_in_g1(&self.0) }
    }

    /// Hashes a message to the subgroup: the suite `BLS12381G1_XMD:SHA-256_SSWU_RO_` of RFC 9380, section 8.8.1.
    #[must_use]
    pub fn hash(domain_tag: &[u8], message: &[u8]) -> Self {
        let mut point = blst_p1::default();
        // SAFETY: each pointer comes with the length of its slice; the augmentation is empty, for which blst accepts a
        // null pointer; the destination is valid.
        unsafe {
            blst_hash_to_g1(
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
        Self(unsafe { *blst::blst_p1_affine_generator() })
    }

    /// The product with a secret scalar, in constant time; `None` at infinity. The point must be in the subgroup.
    #[must_use]
    pub fn mul(&self, scalar: &Scalar) -> Option<Self> {
        let (mut point, mut product) = (blst_p1::default(), blst_p1::default());
        let scalar = scalar.to_blst();
        // SAFETY: the source is a valid point, the destination is valid.
        unsafe { blst_p1_from_affine(&mut point, &self.0) };
        // SAFETY: the scalar has 32 bytes, at least the 255 bits that are read; the points are valid.
        unsafe { blst_p1_mult(&mut product, &point, scalar.b.as_ptr(), ORDER_BITS) };
        Self::from_projective(&product)
    }

    /// The product with a small **public** factor; `None` at infinity. The point must be in the subgroup.
    #[must_use]
    pub fn times(&self, factor: u64) -> Option<Self> {
        let (mut point, mut product) = (blst_p1::default(), blst_p1::default());
        // SAFETY: the source is a valid point, the destination is valid.
        unsafe { blst_p1_from_affine(&mut point, &self.0) };
        // SAFETY: the factor has 8 bytes, the 64 bits that are read; the points are valid.
        unsafe { blst_p1_mult(&mut product, &point, factor.to_le_bytes().as_ptr(), 64) };
        Self::from_projective(&product)
    }

    /// The point mirrored at the x axis.
    #[must_use]
    pub fn neg(&self) -> Self {
        let mut point = blst_p1::default();
        // SAFETY: the source is a valid point, the destination is valid.
        unsafe { blst_p1_from_affine(&mut point, &self.0) };
        // SAFETY: the argument is a valid point.
        unsafe { blst_p1_cneg(&mut point, true) };
        Self::from_projective(&point).unwrap_or(*self)
    }

    /// The sum; `None` when there are no points or they sum to infinity.
    #[must_use]
    pub fn sum<'a>(points: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let points: Vec<*const blst_p1_affine> = points.into_iter().map(|point| &raw const point.0).collect();
        let mut sum = blst_p1::default();
        // SAFETY: the array has as many pointers as said, each to a live point; the additions are complete, in the affine
        // batches with one inversion for all (16 points and more) as well as one at a time.
        unsafe { blst_p1s_add(&mut sum, points.as_ptr(), points.len()) };
        Self::from_projective(&sum)
    }

    /// The sum of the points, each times its **public** scalar (the time depends on them); `None` at infinity, or when
    /// the two lists differ in length. Only right for points of the subgroup: whoever has others checks the result.
    #[must_use]
    pub fn linear_combination(points: &[Self], scalars: &[Scalar]) -> Option<Self> {
        if points.len() != scalars.len() || points.is_empty() {
            return None;
        }
        let terms = points.iter().zip(scalars).flat_map(|(point, scalar)| {
            let [low, high] = endomorphism::split(&scalar.to_blst().b);
            [(*point, low), (endomorphism::times_parameter_squared(point), high)]
        });
        let (points, scalars): (Vec<Self>, Vec<[u8; 16]>) = terms.unzip();
        Self::combine(&points, &scalars, endomorphism::HALF_BITS)
    }

    /// The sum of the points, each times its small public weight; `None` at infinity, or when the two lists differ in
    /// length. The points may be outside the subgroup.
    #[must_use]
    pub fn weighted_sum(points: &[Self], weights: &[u128]) -> Option<Self> {
        if points.len() != weights.len() {
            return None;
        }
        if is_short(points.len(), bits(weights)) {
            return Self::short_weighted_sum(points, weights);
        }
        let bytes: Vec<[u8; 16]> = weights.iter().map(|weight| weight.to_le_bytes()).collect();
        Self::combine(points, &bytes, bits(weights))
    }

    /// All weights bit by bit, with the doublings shared. The additions are complete.
    fn short_weighted_sum(points: &[Self], weights: &[u128]) -> Option<Self> {
        let mut sum = blst_p1::default();
        for bit in (0..bits(weights)).rev() {
            let half = sum;
            // SAFETY: valid points.
            unsafe { blst_p1_double(&mut sum, &half) };
            for (point, _) in points.iter().zip(weights).filter(|(_, weight)| *weight >> bit & 1 == 1) {
                let augend = sum;
                // SAFETY: valid points; this addition has no exceptional cases.
                unsafe { blst_p1_add_or_double_affine(&mut sum, &augend, &point.0) };
            }
        }
        Self::from_projective(&sum)
    }

    /// Pippenger's algorithm: buckets of points with equal digits. `scalars` are little-endian, of at least `bits` bits.
    fn combine<const BYTES: usize>(points: &[Self], scalars: &[[u8; BYTES]], bits: usize) -> Option<Self> {
        if points.is_empty() || points.len() != scalars.len() || bits == 0 || bits > 8 * BYTES {
            return None;
        }
        let scalar_pointers: Vec<*const u8> = scalars.iter().map(|bytes| bytes.as_ptr()).collect();
        let point_pointers: Vec<*const blst_p1_affine> =
            points.iter().map(|point| &raw const point.0).collect();
        // SAFETY: a pure function of the count.
        let scratch_bytes = unsafe { blst_p1s_mult_pippenger_scratch_sizeof(points.len()) };
        let mut scratch: Vec<limb_t> = vec![0; scratch_bytes.div_ceil(size_of::<limb_t>())];
        let mut sum = blst_p1::default();
        // SAFETY: both pointer arrays have `points.len()` entries, each to a live point or to `BYTES` bytes, at least the
        // bits that are read; the scratch space is as large as asked for; no point is infinity, as the algorithm needs.
        unsafe {
            blst_p1s_mult_pippenger(
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

    fn from_projective(point: &blst_p1) -> Option<Self> {
        // SAFETY: the argument is a valid point.
        if unsafe { blst_p1_is_inf(point) } {
            return None;
        }
        let mut affine = blst_p1_affine::default();
        // SAFETY: the source is a valid point, the destination is valid.
        unsafe { blst_p1_to_affine(&mut affine, point) };
        Some(Self(affine))
    }
}

/// Whether a weighted sum is so small that buckets cost more than they save.
pub(super) const fn is_short(points: usize, bits: usize) -> bool {
    points <= 8 && bits <= 24
}

/// Bits of the largest weight.
pub(super) fn bits(weights: &[u128]) -> usize {
    weights
        .iter()
        .fold(0, |all, weight| all | weight)
        .checked_ilog2()
        .map_or(0, |highest| highest as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_plus_its_mirror_is_infinity() {
        let point = G1::hash(b"tag", b"message");
        assert!(point.is_in_subgroup());
        assert_ne!(point, point.neg());
        assert_eq!(G1::sum([&point, &point.neg()]), None);
        assert_eq!(G1::sum([]), None);
        assert_eq!(G1::sum([&point, &point]), point.mul(&Scalar::from_u64(2)), "doubling is no exception");
    }

    #[test]
    fn a_linear_combination_is_the_sum_of_the_products() {
        for n in [1, 2, 3, 33, 70] {
            let points: Vec<G1> = (0..n).map(|i: u8| G1::hash(b"tag", &[i])).collect();
            let scalars: Vec<Scalar> = (0..n).map(|i| Scalar::from_u64(u64::from(i) + 1).inverse()).collect();
            let products: Vec<G1> = points.iter().zip(&scalars).map(|(p, s)| p.mul(s).unwrap()).collect();
            assert_eq!(G1::linear_combination(&points, &scalars), G1::sum(&products), "{n} points");
        }
        let point = G1::generator();
        let one = Scalar::from_u64(1);
        assert_eq!(G1::linear_combination(&[point, point], &[one.clone(), one.neg()]), None, "infinity");
        assert_eq!(G1::linear_combination(&[point], &[]), None);
    }

    /// Pitfall: additions that are not complete. Buckets meet equal points, opposite ones, and sums that are infinite.
    #[test]
    fn sums_of_equal_and_opposite_points_are_right() {
        let multiples: Vec<G1> = (1..=3).map(|factor| G1::generator().times(factor).unwrap()).collect();
        let mut random = fastrand::Rng::with_seed(7);
        for count in 1..60 {
            for most in [2, 200, 1 << 20, u128::MAX >> 1] {
                let (mut total, mut plain) = (Scalar::zero(), Scalar::zero());
                let (mut points, mut weights) = (Vec::new(), Vec::new());
                for _ in 0..count {
                    let (factor, weight) = (random.usize(0..3), random.u128(0..most));
                    let halves = [weight as u64, (weight >> 64) as u64].map(Scalar::from_u64);
                    let two_to_32 = Scalar::from_u64(1 << 32);
                    let shift = two_to_32.mul(&two_to_32);
                    let term =
                        halves[1].mul(&shift).add(&halves[0]).mul(&Scalar::from_u64(factor as u64 + 1));
                    let mirrored = random.bool();
                    points.push(if mirrored { multiples[factor].neg() } else { multiples[factor] });
                    total = total.add(&if mirrored { term.neg() } else { term });
                    let once = Scalar::from_u64(factor as u64 + 1);
                    plain = plain.add(&if mirrored { once.neg() } else { once });
                    weights.push(weight);
                }
                let expected = G1::generator().mul(&total);
                assert_eq!(G1::weighted_sum(&points, &weights), expected, "{count} points");
                assert_eq!(G1::sum(&points), G1::generator().mul(&plain), "{count} points");
            }
        }
        let point = G1::generator();
        assert_eq!(G1::weighted_sum(&[point, point.neg()], &[5, 5]), None, "infinity");
        assert_eq!(G1::weighted_sum(&[point, point], &[0, 0]), None);
    }

    /// Found by the fuzz target `differential_bls`.
    #[test]
    fn the_points_of_order_three_are_the_only_ones_refused_for_the_subgroup() {
        for sign in [0, 0x20] {
            let mut bytes = [0; G1_BYTES];
            bytes[0] = COMPRESSED | sign;
            assert_eq!(G1::decode(&bytes), Err(PointError::NotInSubgroup));
            assert_eq!(G1::decode_all(&[&bytes; 8]), [Err(PointError::NotInSubgroup); 8]);
        }
        let mut both = [0; G1_UNCOMPRESSED_BYTES];
        both[G1_UNCOMPRESSED_BYTES - 1] = 2;
        assert_eq!(G1::decode_uncompressed(&both), Err(PointError::NotInSubgroup));
    }

    #[test]
    fn both_coordinates_are_read_strictly() {
        let point = G1::hash(b"tag", b"message");
        let bytes = point.encode_uncompressed();
        assert_eq!(G1::decode_uncompressed(&bytes), Ok(point));
        for bit in 0..G1_UNCOMPRESSED_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(G1::decode_uncompressed(&flipped).is_err(), "bit {bit}: no neighbour is on the curve");
        }
        let mut compressed = [0; G1_UNCOMPRESSED_BYTES];
        compressed[..G1_BYTES].copy_from_slice(&point.encode());
        assert_eq!(G1::decode_uncompressed(&compressed), Err(PointError::Encoding));
        let mut infinity = [0; G1_UNCOMPRESSED_BYTES];
        infinity[0] = 0x40;
        assert_eq!(G1::decode_uncompressed(&infinity), Err(PointError::Infinity));
        infinity[95] = 1;
        assert!(G1::decode_uncompressed(&infinity).is_err());
        let mirrored = G1::decode_uncompressed(&point.neg().encode_uncompressed());
        assert_eq!(mirrored, Ok(point.neg()));
    }

    #[test]
    fn every_single_bit_change_of_an_encoding_is_another_point_or_refused() {
        let point = G1::hash(b"tag", b"message");
        let bytes = point.encode();
        assert_eq!(G1::decode(&bytes), Ok(point));
        for bit in 0..G1_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = G1::decode(&flipped) {
                assert_ne!(other, point, "bit {bit}");
                assert_eq!(other.encode(), flipped, "an accepted encoding is canonical, bit {bit}");
            }
        }
    }
}
