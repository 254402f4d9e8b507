//! The base field, eight elements side by side: one in each 64-bit lane of the vectors.
//!
//! An element is eight limbs of 52 bits, the size that `vpmadd52luq` and `vpmadd52huq` multiply and add. Multiplication is
//! Montgomery's with radix `R = 2^416`.
//!
//! # Bounds
//! Limbs are below `2^52`, and the value is below a multiple of the modulus `p` that is written `[k]` in the comments. Sums
//! are not reduced: `[a] + [b]` is `[a + b]`. A difference is `a - b + K p` for a subtrahend of at most `[K]`, which makes
//! `[a + K]`; `K` is written at the call.
//!
//! - **Products.** A sum of products `a_i b_i` is reduced to `sum a_i b_i / R + p`. Since `R > 2^35 p`, operands with
//!   `sum a_i b_i <= 2^35 p^2` give `[2]`. [`Fp::sum_of_products`] takes at most [`MAX_PRODUCTS`] products of operands below
//!   `2^14 p` each: `32 * 2^28 = 2^33`.
//! - **Capacity.** 416 bits hold `2^35 p`, far above `2^14 p`.
//! - **Accumulators** are 64 bits. A product adds at most `2 * 8` terms below `2^52` to one, 32 products make
//!   `2^9 * 2^52 = 2^61`, the reduction adds 16 terms and a carry: below `2^62`.
//! - **Weak reduction** ([`Fp::weak`]) subtracts `q p`, where `q` is the quotient of the top limbs: of `[2^14]` it leaves
//!   `[2]`, since `q` is too small by 1.3 at most.
//!
//! In tests every operation asserts the bounds of its operands (`assert_at_most`, `assert_products`), in
//! whatever computation it is used; and the results are compared with blst at the extremes.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_mask_mov_epi64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_srai_epi64,
    _mm512_srli_epi64, _mm512_sub_epi64,
};

use blst::blst_fp;

use super::LANES;

/// Limbs of an element.
const LIMBS: usize = 8;

/// Bits of a limb.
const LIMB_BITS: u32 = 52;

const LIMB_MASK: u64 = (1 << LIMB_BITS) - 1;

/// Products of one sum, at most.
pub const MAX_PRODUCTS: usize = 32;

/// The largest subtrahend, in multiples of the modulus.
const MAX_SUBTRAHEND: u64 = 1 << 9;

/// The modulus, 64 bits a limb, least first.
pub const MODULUS: [u64; 6] = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];

const P: [u64; LIMBS] = spread(&MODULUS);

/// `-p^-1` modulo `2^52`.
const MINUS_INVERSE: u64 = {
    // Newton's iteration doubles the bits that are right; an odd number is its own inverse modulo 8.
    let mut inverse = MODULUS[0];
    let mut i = 0;
    while i < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(MODULUS[0].wrapping_mul(inverse)));
        i += 1;
    }
    inverse.wrapping_neg() & LIMB_MASK
};

/// `2^416`: one.
pub const ONE: Constant = power_of_two(416);
/// `2^832`: takes a plain integer to Montgomery's form.
const FROM_PLAIN: Constant = power_of_two(832);
/// `2^448`: takes blst's form, whose radix is `2^384`, to ours.
const FROM_BLST: Constant = power_of_two(448);
/// `2^384`: takes ours to blst's.
const TO_BLST: Constant = power_of_two(384);

/// One element for all lanes.
#[derive(Clone, Copy)]
pub struct Constant([u64; LIMBS]);

/// 384 bits in limbs of 52.
const fn spread(words: &[u64; 6]) -> [u64; LIMBS] {
    let mut limbs = [0; LIMBS];
    let mut i = 0;
    while i < LIMBS {
        let bit = i * LIMB_BITS as usize;
        let (word, shift) = (bit / 64, bit % 64);
        let mut limb = words[word] >> shift;
        if shift > 12 && word + 1 < 6 {
            limb |= words[word + 1] << (64 - shift);
        }
        limbs[i] = limb & LIMB_MASK;
        i += 1;
    }
    limbs
}

/// A power of two modulo the modulus.
const fn power_of_two(exponent: u32) -> Constant {
    let mut value = [1, 0, 0, 0, 0, 0];
    let mut i = 0;
    while i < exponent {
        // The modulus has 381 bits, so that twice a reduced value fits.
        let mut doubled = [0; 6];
        let mut j = 0;
        let mut carry = 0;
        while j < 6 {
            doubled[j] = value[j] << 1 | carry;
            carry = value[j] >> 63;
            j += 1;
        }
        value = reduced_once(&doubled);
        i += 1;
    }
    Constant(spread(&value))
}

/// `value`, or `value - p` when it is not below `p`.
const fn reduced_once(value: &[u64; 6]) -> [u64; 6] {
    let mut difference = [0; 6];
    let mut borrow = false;
    let mut i = 0;
    while i < 6 {
        let (a, first) = value[i].overflowing_sub(MODULUS[i]);
        let (b, second) = a.overflowing_sub(borrow as u64);
        difference[i] = b;
        borrow = first || second;
        i += 1;
    }
    if borrow { *value } else { difference }
}

/// Eight elements of the base field.
#[derive(Clone, Copy)]
pub struct Fp([__m512i; LIMBS]);

type Wide = [__m512i; 2 * LIMBS];

impl Fp {
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn zero() -> Self {
        Self([_mm512_setzero_si512(); LIMBS])
    }

    /// The same element in all lanes.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn splat(constant: Constant) -> Self {
        Self(constant.0.map(|limb| _mm512_set1_epi64(limb as i64)))
    }

    /// Integers below the modulus, 64 bits a limb. `[2]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn from_plain(values: &[[u64; 6]; LANES]) -> Self {
        Self::transposed(values).mul(&Self::splat(FROM_PLAIN))
    }

    /// blst's elements. `[2]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn from_blst(values: &[blst_fp; LANES]) -> Self {
        Self::transposed(&values.map(|value| value.l)).mul(&Self::splat(FROM_BLST))
    }

    /// blst's elements, reduced as blst keeps them.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn to_blst(self) -> [blst_fp; LANES] {
        self.mul(&Self::splat(TO_BLST)).reduced().map(|l| blst_fp { l })
    }

    /// Integers below the modulus.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn to_plain(self) -> [[u64; 6]; LANES] {
        let mut one = Self::zero();
        one.0[0] = _mm512_set1_epi64(1);
        self.mul(&one).reduced()
    }

    /// The element of the first lane, for all lanes. `[2]` of `[2]`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn first(&self) -> Constant {
        // SAFETY: a vector has the size of eight 64-bit words, for which every bit pattern is valid.
        Constant(self.0.map(|limb| unsafe { std::mem::transmute::<__m512i, [u64; LANES]>(limb) }[0]))
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn transposed(values: &[[u64; 6]; LANES]) -> Self {
        let limbs = values.map(|value| spread(&value));
        let lanes: [[u64; LANES]; LIMBS] =
            std::array::from_fn(|i| std::array::from_fn(|lane| limbs[lane][i]));
        // SAFETY: eight 64-bit words have the size of a vector, in which every bit pattern is valid.
        Self(lanes.map(|lane| unsafe { std::mem::transmute::<[u64; LANES], __m512i>(lane) }))
    }

    /// The value of each lane reduced below the modulus, for values `[2]`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn reduced(self) -> [[u64; 6]; LANES] {
        self.assert_at_most(2);
        // SAFETY: a vector has the size of eight 64-bit words, for which every bit pattern is valid.
        let lanes = self.0.map(|limb| unsafe { std::mem::transmute::<__m512i, [u64; LANES]>(limb) });
        std::array::from_fn(|lane| reduced_once(&packed(&std::array::from_fn(|i| lanes[i][lane]))))
    }

    /// `[a + b]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn add(&self, other: &Self) -> Self {
        Self(carried(std::array::from_fn(|i| _mm512_add_epi64(self.0[i], other.0[i]))))
    }

    /// `[2 a]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn double(&self) -> Self {
        self.add(self)
    }

    /// `[a + K]`; the subtrahend is `[K]` at most.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn sub<const K: u64>(&self, other: &Self) -> Self {
        const { assert!(K <= MAX_SUBTRAHEND) };
        other.assert_at_most(K);
        Self(carried(std::array::from_fn(|i| {
            let multiple = _mm512_set1_epi64((K * P[i]) as i64);
            _mm512_add_epi64(_mm512_sub_epi64(self.0[i], other.0[i]), multiple)
        })))
    }

    /// `[K]`; the operand is `[K]` at most.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn neg<const K: u64>(&self) -> Self {
        Self::zero().sub::<K>(self)
    }

    /// `[2]` of an operand `[2^14]`, in a sixth of a product.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn weak(&self) -> Self {
        /// The reciprocal of the top limb of the modulus, rounded down.
        const RECIPROCAL: u64 = (1 << LIMB_BITS) / (P[LIMBS - 1] + 1);
        /// `2^416 - p`: adding it is subtracting the modulus, but for the carry out of the top limb.
        const COMPLEMENT: [u64; LIMBS] = {
            let mut limbs = [0; LIMBS];
            let mut i = 0;
            while i < LIMBS {
                limbs[i] = LIMB_MASK - P[i];
                i += 1;
            }
            // The modulus is odd, so that this carries nowhere.
            limbs[0] += 1;
            limbs
        };
        self.assert_at_most(1 << 14);
        let zero = _mm512_setzero_si512();
        let reciprocal = _mm512_set1_epi64(RECIPROCAL as i64);
        let quotient = _mm512_madd52hi_epu64(zero, self.0[LIMBS - 1], reciprocal);
        let mut limbs = self.0;
        for i in 0..LIMBS {
            let complement = _mm512_set1_epi64(COMPLEMENT[i] as i64);
            limbs[i] = _mm512_madd52lo_epu64(limbs[i], quotient, complement);
            if i + 1 < LIMBS {
                limbs[i + 1] = _mm512_madd52hi_epu64(limbs[i + 1], quotient, complement);
            }
        }
        let mut limbs = carried(limbs);
        limbs[LIMBS - 1] = _mm512_and_si512(limbs[LIMBS - 1], _mm512_set1_epi64(LIMB_MASK as i64));
        Self(limbs)
    }

    /// `[2]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn mul(&self, other: &Self) -> Self {
        Self::assert_products(&[(self, other)]);
        let mut wide = [_mm512_setzero_si512(); 2 * LIMBS];
        multiply_add(&mut wide, self, other);
        Self::reduce(wide)
    }

    /// `[2]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn square(&self) -> Self {
        Self::assert_products(&[(self, self)]);
        let mut wide = [_mm512_setzero_si512(); 2 * LIMBS];
        for i in 0..LIMBS {
            for j in i + 1..LIMBS {
                wide[i + j] = _mm512_madd52lo_epu64(wide[i + j], self.0[i], self.0[j]);
                wide[i + j + 1] = _mm512_madd52hi_epu64(wide[i + j + 1], self.0[i], self.0[j]);
            }
        }
        for limb in &mut wide {
            *limb = _mm512_add_epi64(*limb, *limb);
        }
        for i in 0..LIMBS {
            wide[2 * i] = _mm512_madd52lo_epu64(wide[2 * i], self.0[i], self.0[i]);
            wide[2 * i + 1] = _mm512_madd52hi_epu64(wide[2 * i + 1], self.0[i], self.0[i]);
        }
        Self::reduce(wide)
    }

    /// The sum of the products of the pairs, with one reduction. `[2]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn sum_of_products<const N: usize>(pairs: [(&Self, &Self); N]) -> Self {
        const { assert!(N <= MAX_PRODUCTS) };
        Self::assert_products(&pairs);
        let mut wide = [_mm512_setzero_si512(); 2 * LIMBS];
        for (a, b) in pairs {
            multiply_add(&mut wide, a, b);
        }
        Self::reduce(wide)
    }

    /// In tests, that this is `[most]` at most. Nothing elsewhere.
    #[inline]
    fn assert_at_most(&self, most: u64) {
        #[cfg(test)]
        tests::assert_at_most(self, most);
        #[cfg(not(test))]
        let _ = most;
    }

    /// In tests, that products may be summed and reduced. Nothing elsewhere.
    #[inline]
    fn assert_products(pairs: &[(&Self, &Self)]) {
        #[cfg(test)]
        tests::assert_products(pairs);
        #[cfg(not(test))]
        let _ = pairs;
    }

    /// Montgomery's reduction: `[2]` of what is at most `2^35 p^2`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    fn reduce(mut wide: Wide) -> Self {
        let minus_inverse = _mm512_set1_epi64(MINUS_INVERSE as i64);
        for i in 0..LIMBS {
            let multiple = _mm512_madd52lo_epu64(_mm512_setzero_si512(), wide[i], minus_inverse);
            for j in 0..LIMBS {
                let limb = _mm512_set1_epi64(P[j] as i64);
                wide[i + j] = _mm512_madd52lo_epu64(wide[i + j], multiple, limb);
                wide[i + j + 1] = _mm512_madd52hi_epu64(wide[i + j + 1], multiple, limb);
            }
            // The lower 52 bits are zero now.
            let carry = _mm512_srli_epi64::<LIMB_BITS>(wide[i]);
            wide[i + 1] = _mm512_add_epi64(wide[i + 1], carry);
        }
        Self(carried(std::array::from_fn(|i| wide[LIMBS + i])))
    }

    /// The power with a public exponent, 64 bits a word, least first. `[2]`
    ///
    /// Windows of five bits that end in a one: 16 odd powers, and a multiplication for about six bits.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn power(&self, exponent: &[u64; 6]) -> Self {
        let square = self.square();
        let mut odd = [*self; 16];
        for i in 1..16 {
            odd[i] = odd[i - 1].mul(&square);
        }
        let bit = |i: usize| exponent[i / 64] >> (i % 64) & 1;
        let mut value: Option<Self> = None;
        let mut next = 384;
        while next > 0 {
            if bit(next - 1) == 0 {
                value = value.map(|value| value.square());
                next -= 1;
                continue;
            }
            let mut low = next.saturating_sub(5);
            while bit(low) == 0 {
                low += 1;
            }
            let window = (low..next).rev().fold(0, |window, i| window << 1 | bit(i)) as usize;
            value = Some(match value {
                None => odd[window / 2],
                Some(mut value) => {
                    for _ in low..next {
                        value = value.square();
                    }
                    value.mul(&odd[window / 2])
                }
            });
            next = low;
        }
        value.unwrap_or_else(|| Self::splat(ONE))
    }

    /// The inverse by Fermat's little theorem; the inverse of zero is zero. `[2]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn inverse(&self) -> Self {
        let mut exponent = MODULUS;
        exponent[0] -= 2;
        self.power(&exponent)
    }

    /// A square root where there is one, and anything elsewhere: the power `(p + 1) / 4`, since `p = 3` modulo 4. `[2]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn root(&self) -> Self {
        const EXPONENT: [u64; 6] = {
            let mut exponent = [0; 6];
            let mut i = 0;
            while i < 6 {
                // p + 1 carries nowhere: the last limb of p ends in 0b1011.
                let low = if i == 0 { MODULUS[0] + 1 } else { MODULUS[i] };
                exponent[i] = low >> 2 | if i < 5 { MODULUS[i + 1] << 62 } else { 0 };
                i += 1;
            }
            exponent
        };
        self.power(&EXPONENT)
    }

    /// The lanes, one bit each, that are zero modulo the modulus.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn is_zero(&self) -> u8 {
        // A product with one is [2]: zero or the modulus itself.
        let reduced = self.mul(&Self::splat(ONE));
        let equals = |other: &[u64; LIMBS]| {
            (0..LIMBS).fold(0xff, |lanes, i| {
                lanes & _mm512_cmpeq_epi64_mask(reduced.0[i], _mm512_set1_epi64(other[i] as i64))
            })
        };
        equals(&[0; LIMBS]) | equals(&P)
    }

    /// The lanes that are equal modulo the modulus; `other` is `[64]` at most.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn equals(&self, other: &Self) -> u8 {
        self.sub::<64>(other).is_zero()
    }

    /// `other` in the lanes of the mask, and this elsewhere.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn replaced(&self, lanes: u8, other: &Self) -> Self {
        Self(std::array::from_fn(|i| _mm512_mask_mov_epi64(self.0[i], lanes, other.0[i])))
    }
}

/// Adds a product to accumulators.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn multiply_add(wide: &mut Wide, a: &Fp, b: &Fp) {
    for i in 0..LIMBS {
        for j in 0..LIMBS {
            wide[i + j] = _mm512_madd52lo_epu64(wide[i + j], a.0[i], b.0[j]);
            wide[i + j + 1] = _mm512_madd52hi_epu64(wide[i + j + 1], a.0[i], b.0[j]);
        }
    }
}

/// Carries signed limbs, so that all are below `2^52`; the value is not negative and below `2^416`.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn carried(mut limbs: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
    let mask = _mm512_set1_epi64(LIMB_MASK as i64);
    for i in 0..LIMBS - 1 {
        let carry = _mm512_srai_epi64::<LIMB_BITS>(limbs[i]);
        limbs[i] = _mm512_and_si512(limbs[i], mask);
        limbs[i + 1] = _mm512_add_epi64(limbs[i + 1], carry);
    }
    limbs
}

/// Limbs of 52 bits as limbs of 64; the value is below `2^384`.
const fn packed(limbs: &[u64; LIMBS]) -> [u64; 6] {
    let mut words = [0; 6];
    let mut i = 0;
    while i < LIMBS {
        let bit = i * LIMB_BITS as usize;
        let (word, shift) = (bit / 64, bit % 64);
        words[word] |= limbs[i] << shift;
        if shift > 12 && word + 1 < 6 {
            words[word + 1] |= limbs[i] >> (64 - shift);
        }
        i += 1;
    }
    words
}

#[cfg(test)]
#[path = "fp_tests.rs"]
mod tests;
