//! Pairings with prepared points, and the group that they map to.
//!
//! blst walks a Miller loop over prepared lines for one pair only. A check has two pairs, and most of what they do is the
//! same 63 squarings; the loop here is blst's (`miller_loop_lines`) with the squarings shared, on blst's own field
//! functions: 0.91 of the time of `blst_miller_loop_n`, and 0.82 when both points were prepared before.

use blst::{
    blst_final_exp, blst_fp, blst_fp_add, blst_fp_cneg, blst_fp_mul, blst_fp6, blst_fp12,
    blst_fp12_conjugate, blst_fp12_cyclotomic_sqr, blst_fp12_is_equal, blst_fp12_is_one, blst_fp12_mul,
    blst_fp12_mul_by_xy00z0, blst_fp12_one, blst_fp12_sqr,
};

use super::prepared::LINES;
use super::{G1, PreparedG2};

/// The curve parameter `-0xd201_0000_0001_0000` as a Miller loop walks it: after the first doubling, an addition and then
/// so many doublings.
const DOUBLINGS_AFTER_ADDITION: [usize; 5] = [2, 3, 9, 32, 16];

#[cfg(any(test, feature = "counters"))]
thread_local! {
    static PRODUCTS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// How many products of pairings, one final exponentiation each, this thread has computed: what tests count.
#[cfg(any(test, feature = "counters"))]
#[must_use]
pub fn products_so_far() -> usize {
    PRODUCTS.with(std::cell::Cell::get)
}

/// An element of the target group, of prime order: a product of pairings. One says that the product is balanced.
#[derive(Clone, Copy, Debug)]
pub struct Gt(pub(super) blst_fp12);

impl Gt {
    /// One.
    #[must_use]
    pub fn one() -> Self {
        // SAFETY: the function returns a pointer to a constant of the library, valid for the life of the program.
        Self(unsafe { *blst_fp12_one() })
    }

    /// The product of the pairings of all pairs; one for no pairs. One final exponentiation in all, and no thread but the
    /// caller's.
    ///
    /// The pairing does not see a component outside the subgroup of G1: check a decoded signature with
    /// [`G1::is_in_subgroup`] as well.
    #[must_use]
    pub fn product<'a>(pairs: impl IntoIterator<Item = (&'a G1, &'a PreparedG2)>) -> Self {
        let pairs: Vec<LinePair<'a>> = pairs.into_iter().map(|(p, q)| LinePair::new(p, q)).collect();
        if pairs.is_empty() {
            return Self::one();
        }
        #[cfg(any(test, feature = "counters"))]
        PRODUCTS.with(|count| count.set(count.get() + 1));
        let mut root = blst_fp12::default();
        let product = miller_loop(&pairs);
        // SAFETY: source and destination are valid and distinct.
        unsafe { blst_final_exp(&mut root, &product) };
        Self(root)
    }

    /// Whether this is one.
    #[must_use]
    pub fn is_one(&self) -> bool {
        // SAFETY: the argument is initialised.
        unsafe { blst_fp12_is_one(&self.0) }
    }

    /// The product.
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        let mut product = blst_fp12::default();
        // SAFETY: three valid elements, the destination distinct from the sources.
        unsafe { blst_fp12_mul(&mut product, &self.0, &other.0) };
        Self(product)
    }

    /// The product of the values, each to its **public** exponent; those beyond the shorter list are left out.
    ///
    /// The squarings are shared. Digits are `0, 1, 3, 5, 7` and their negatives, of which one in five is not zero: an inverse
    /// costs nothing here.
    #[must_use]
    pub fn product_of_powers(values: &[Self], exponents: &[u64]) -> Self {
        let digits: Vec<[i8; DIGITS]> = exponents.iter().map(|&exponent| signed_digits(exponent)).collect();
        let odd_powers = |value: &Self| {
            let square = value.square();
            let third = value.mul(&square);
            let fifth = third.mul(&square);
            [*value, third, fifth, fifth.mul(&square)]
        };
        let powers: Vec<[Self; 4]> = values.iter().map(odd_powers).collect();
        let mut product = Self::one();
        for place in (0..DIGITS).rev() {
            product = product.square();
            for (powers, digits) in powers.iter().zip(&digits) {
                let digit = digits[place];
                if digit != 0 {
                    let power = powers[usize::from(digit.unsigned_abs() / 2)];
                    product = product.mul(&if digit > 0 { power } else { power.inverse() });
                }
            }
        }
        product
    }

    /// The square, for which elements of this group need half of what others do.
    #[must_use]
    pub fn square(&self) -> Self {
        let mut square = blst_fp12::default();
        // SAFETY: a valid element, and a destination distinct from it. The result of a final exponentiation is in the
        // cyclotomic subgroup, as the function needs.
        unsafe { blst_fp12_cyclotomic_sqr(&mut square, &self.0) };
        Self(square)
    }

    /// The inverse: in the group that a final exponentiation maps to, the conjugate.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let mut inverse = self.0;
        // SAFETY: the argument is a valid element.
        unsafe { blst_fp12_conjugate(&mut inverse) };
        Self(inverse)
    }
}

/// Digits of an exponent of 64 bits.
const DIGITS: usize = 65;

/// Digits to the base of two, least first: zero, or odd and between -7 and 7, no two of four neighbours being odd.
fn signed_digits(exponent: u64) -> [i8; DIGITS] {
    let (mut digits, mut rest) = ([0; DIGITS], i128::from(exponent));
    for digit in &mut digits {
        if rest & 1 == 1 {
            let low = (rest & 15) as i8;
            *digit = if low > 8 { low - 16 } else { low };
            rest -= i128::from(*digit);
        }
        rest >>= 1;
    }
    digits
}

impl PartialEq for Gt {
    fn eq(&self, other: &Self) -> bool {
        // SAFETY: both arguments are initialised.
        unsafe { blst_fp12_is_equal(&self.0, &other.0) }
    }
}

impl Eq for Gt {}

/// A pair on its way through the Miller loop: the lines of one point, and `(-2x, 2y)` of the other, at which they are
/// evaluated.
struct LinePair<'a> {
    lines: &'a [blst_fp6; LINES],
    minus_2x: blst_fp,
    twice_y: blst_fp,
}

impl<'a> LinePair<'a> {
    fn new(p: &G1, q: &'a PreparedG2) -> Self {
        let (mut twice_x, mut minus_2x, mut twice_y) = Default::default();
        // SAFETY: valid field elements, the destinations distinct from the sources.
        unsafe {
            blst_fp_add(&mut twice_x, &p.0.x, &p.0.x);
            blst_fp_cneg(&mut minus_2x, &twice_x, true);
            blst_fp_add(&mut twice_y, &p.0.y, &p.0.y);
        }
        Self { lines: q.lines(), minus_2x, twice_y }
    }

    /// The line evaluated at the point: its second coefficient times `-2x`, the third times `2y`.
    fn line(&self, index: usize) -> blst_fp6 {
        let line = &self.lines[index];
        let mut evaluated = *line;
        // SAFETY: valid field elements, the destinations distinct from the sources.
        unsafe {
            blst_fp_mul(&mut evaluated.fp2[1].fp[0], &line.fp2[1].fp[0], &self.minus_2x);
            blst_fp_mul(&mut evaluated.fp2[1].fp[1], &line.fp2[1].fp[1], &self.minus_2x);
            blst_fp_mul(&mut evaluated.fp2[2].fp[0], &line.fp2[2].fp[0], &self.twice_y);
            blst_fp_mul(&mut evaluated.fp2[2].fp[1], &line.fp2[2].fp[1], &self.twice_y);
        }
        evaluated
    }
}

fn miller_loop(pairs: &[LinePair<'_>]) -> blst_fp12 {
    let mut value = Gt::one().0;
    let product = &raw mut value;
    let mut index = 0;
    let mut multiply_by_lines = |value: *mut blst_fp12| {
        for pair in pairs {
            // SAFETY: valid elements; blst computes this product in place in its own loop.
            unsafe { blst_fp12_mul_by_xy00z0(value, value, &pair.line(index)) };
        }
        index += 1;
    };
    // The first squaring is that of one.
    multiply_by_lines(product);
    for doublings in DOUBLINGS_AFTER_ADDITION {
        multiply_by_lines(product);
        for _ in 0..doublings {
            // SAFETY: a valid element; blst squares in place in its own loop.
            unsafe { blst_fp12_sqr(product, product) };
            multiply_by_lines(product);
        }
    }
    // The parameter is negative.
    // SAFETY: the argument is a valid element.
    unsafe { blst_fp12_conjugate(product) };
    value
}

#[cfg(test)]
mod tests {
    use super::super::{G2, Scalar};
    use super::*;

    fn product(pairs: &[(G1, G2)]) -> Gt {
        let prepared: Vec<_> = pairs.iter().map(|(p, q)| (p, PreparedG2::new(q))).collect();
        Gt::product(prepared.iter().map(|(p, q)| (*p, q)))
    }

    #[test]
    fn the_pairing_is_bilinear() {
        let (p, q) = (G1::hash(b"tag", b"message"), G2::generator());
        let p_times_3 = p.mul(&Scalar::from_u64(3)).unwrap();
        let q_times_3 = G2::generator_times(&Scalar::from_u64(3)).unwrap();
        assert!(product(&[(p_times_3, q), (p.neg(), q_times_3)]).is_one());
        assert!(!product(&[(p_times_3, q), (p, q_times_3)]).is_one());
        assert!(!product(&[(p, q)]).is_one());
        assert!(product(&[]).is_one());
        let once = product(&[(p, q)]);
        assert_eq!(product(&[(p_times_3, q)]), once.mul(&once).mul(&once));
        assert!(once.mul(&once.inverse()).is_one());
        assert!(
            Gt::product([(&p, PreparedG2::minus_generator()), (&p, &PreparedG2::new(&q))]).is_one(),
            "the prepared generator is mirrored"
        );
    }

    #[test]
    fn a_product_of_powers_is_the_powers_multiplied() {
        let base = product(&[(G1::hash(b"tag", b"message"), G2::generator())]);
        let value = |i: u64| Gt::product_of_powers(&[base], &[i * i + 2]);
        let slowly = |base: &Gt, exponent: u64| {
            (0..64).rev().fold(Gt::one(), |power, bit| {
                let square = power.mul(&power);
                if exponent >> bit & 1 == 1 { square.mul(base) } else { square }
            })
        };
        let exponents = [0, 1, 7, 8, 9, 15, 16, u64::MAX, u64::MAX - 8, 0x8888_8888_8888_8888, 1 << 63];
        let values: Vec<Gt> = (0..exponents.len() as u64).map(value).collect();
        let mut expected = Gt::one();
        for (value, &exponent) in values.iter().zip(&exponents) {
            assert_eq!(Gt::product_of_powers(&[*value], &[exponent]), slowly(value, exponent), "{exponent}");
            expected = expected.mul(&slowly(value, exponent));
        }
        assert_eq!(Gt::product_of_powers(&values, &exponents), expected);
        assert_eq!(base.square(), base.mul(&base));
        assert!(Gt::product_of_powers(&[], &[]).is_one());
    }

    #[test]
    fn the_loop_with_shared_squarings_is_that_of_blst() {
        for n in 1..=5_u64 {
            let pairs: Vec<(G1, G2)> = (0..n)
                .map(|i| {
                    (
                        G1::hash(b"tag", &i.to_be_bytes()),
                        G2::generator_times(&Scalar::from_u64(i + 7)).unwrap(),
                    )
                })
                .collect();
            let (p, q): (Vec<_>, Vec<_>) =
                pairs.iter().map(|(p, q)| (&raw const p.0, &raw const q.0)).unzip();
            let (mut loops, mut expected) = (blst_fp12::default(), blst_fp12::default());
            // SAFETY: both arrays hold n pointers to live points that are not infinity; the destinations are valid.
            unsafe {
                blst::blst_miller_loop_n(&mut loops, q.as_ptr(), p.as_ptr(), p.len());
                blst_final_exp(&mut expected, &loops);
            }
            assert_eq!(product(&pairs), Gt(expected), "{n} pairs");
        }
    }
}
