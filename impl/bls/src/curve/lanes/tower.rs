//! The extension fields up to degree twelve, eight elements side by side.
//!
//! An element of degree twelve is a polynomial of degree five in `w` over the quadratic field, with `w^6 = 1 + u`. Every
//! coefficient of a product is one sum of products with one reduction ([`Fp::sum_of_products`]): more multiplications than
//! Karatsuba's method, and hardly any additions, which cost as much here. Coefficients are kept `[2]`.

use blst::{blst_fp, blst_fp2, blst_fp12, blst_fp12_frobenius_map};
use std::sync::LazyLock;

use super::LANES;
use super::fp::{Constant, Fp, ONE};

/// `c0 + c1 u` with `u^2 = -1`.
#[derive(Clone, Copy)]
pub struct Fp2 {
    pub c0: Fp,
    pub c1: Fp,
}

impl Fp2 {
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn zero() -> Self {
        Self { c0: Fp::zero(), c1: Fp::zero() }
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn one() -> Self {
        Self { c0: Fp::splat(ONE), c1: Fp::zero() }
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn from_blst(values: &[blst_fp2; LANES]) -> Self {
        let part = |i: usize| values.map(|value| value.fp[i]);
        Self { c0: Fp::from_blst(&part(0)), c1: Fp::from_blst(&part(1)) }
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn splat(constant: &[Constant; 2]) -> Self {
        Self { c0: Fp::splat(constant[0]), c1: Fp::splat(constant[1]) }
    }

    /// `[a + b]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn add(&self, other: &Self) -> Self {
        Self { c0: self.c0.add(&other.c0), c1: self.c1.add(&other.c1) }
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
        Self { c0: self.c0.sub::<K>(&other.c0), c1: self.c1.sub::<K>(&other.c1) }
    }

    /// `[2]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn weak(&self) -> Self {
        Self { c0: self.c0.weak(), c1: self.c1.weak() }
    }

    /// Times `1 + u`. `[a + 64]`, at least `[2 a]`; the operand is `[64]` at most.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn times_xi(&self) -> Self {
        Self { c0: self.c0.sub::<64>(&self.c1), c1: self.c0.add(&self.c1) }
    }

    /// `c0 - c1 u`. The operand is `[2]`, and so is the result, weakly.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn conjugate(&self) -> Self {
        Self { c0: self.c0, c1: self.c1.neg::<2>() }
    }

    /// The sum of the products of the pairs. `[2]`; the left operands are `[512]` at most.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn dot<const N: usize, const TWICE: usize>(pairs: [(&Self, &Self); N]) -> Self {
        const { assert!(TWICE == 2 * N) };
        let minus: [Fp; N] = pairs.map(|(a, _)| a.c1.neg::<512>());
        let c0: [(&Fp, &Fp); TWICE] = std::array::from_fn(|i| {
            let (a, b) = pairs[i / 2];
            if i % 2 == 0 { (&a.c0, &b.c0) } else { (&minus[i / 2], &b.c1) }
        });
        let c1: [(&Fp, &Fp); TWICE] = std::array::from_fn(|i| {
            let (a, b) = pairs[i / 2];
            if i % 2 == 0 { (&a.c0, &b.c1) } else { (&a.c1, &b.c0) }
        });
        Self { c0: Fp::sum_of_products(c0), c1: Fp::sum_of_products(c1) }
    }

    /// `[2]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn mul(&self, other: &Self) -> Self {
        Self::dot::<1, 2>([(self, other)])
    }

    /// `[2]`; the operand is `[64]` at most.
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn square(&self) -> Self {
        let c0 = self.c0.add(&self.c1).mul(&self.c0.sub::<64>(&self.c1));
        Self { c0, c1: self.c0.double().mul(&self.c1) }
    }

    /// `[2]`
    #[target_feature(enable = "avx512f,avx512ifma")]
    #[inline]
    pub fn scale(&self, factor: &Fp) -> Self {
        Self { c0: self.c0.mul(factor), c1: self.c1.mul(factor) }
    }

    /// `[2]` of an operand `[2]`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn inverse(&self) -> Self {
        let norm = Fp::sum_of_products([(&self.c0, &self.c0), (&self.c1, &self.c1)]).inverse();
        self.conjugate().scale(&norm)
    }
}

/// Coefficients of the powers of `w`, each `[2]`.
#[derive(Clone, Copy)]
pub struct Fp12(pub [Fp2; 6]);

/// Where blst keeps the coefficient of a power of `w`.
const fn place(power: usize) -> (usize, usize) {
    (power % 2, power / 2)
}

impl Fp12 {
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn one() -> Self {
        let mut coefficients = [Fp2::zero(); 6];
        coefficients[0] = Fp2::one();
        Self(coefficients)
    }

    /// blst's elements.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn to_blst(self) -> [blst_fp12; LANES] {
        let mut out = [blst_fp12::default(); LANES];
        for (power, coefficient) in self.0.iter().enumerate() {
            let (outer, inner) = place(power);
            let (c0, c1): ([blst_fp; LANES], _) = (coefficient.c0.to_blst(), coefficient.c1.to_blst());
            for lane in 0..LANES {
                out[lane].fp6[outer].fp2[inner] = blst_fp2 { fp: [c0[lane], c1[lane]] };
            }
        }
        out
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn mul(&self, other: &Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        let wrapped: [Fp2; 6] = std::array::from_fn(|i| b[i].times_xi());
        let factor = |k: usize, i: usize| if i <= k { &b[k - i] } else { &wrapped[k + 6 - i] };
        Self(std::array::from_fn(|k| Fp2::dot::<6, 12>(std::array::from_fn(|i| (&a[i], factor(k, i))))))
    }

    /// Times a line: coefficients of `w^0`, `w^2` and `w^3`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn mul_by_line(&self, line: &[Fp2; 3]) -> Self {
        let a = &self.0;
        let [x, y, z] = line;
        let (wrapped_y, wrapped_z) = (y.times_xi(), z.times_xi());
        Self(std::array::from_fn(|k| {
            let y = if k >= 2 { y } else { &wrapped_y };
            let z = if k >= 3 { z } else { &wrapped_z };
            Fp2::dot::<3, 6>([(&a[k], x), (&a[(k + 4) % 6], y), (&a[(k + 3) % 6], z)])
        }))
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn square(&self) -> Self {
        let a = &self.0;
        let twice: [Fp2; 6] = std::array::from_fn(|i| a[i].double());
        let wrapped: [Fp2; 6] = std::array::from_fn(|i| a[i].times_xi());
        Self([
            Fp2::dot::<4, 8>([
                (&a[0], &a[0]),
                (&twice[1], &wrapped[5]),
                (&twice[2], &wrapped[4]),
                (&a[3], &wrapped[3]),
            ]),
            Fp2::dot::<3, 6>([(&twice[0], &a[1]), (&twice[2], &wrapped[5]), (&twice[3], &wrapped[4])]),
            Fp2::dot::<4, 8>([
                (&twice[0], &a[2]),
                (&a[1], &a[1]),
                (&twice[3], &wrapped[5]),
                (&a[4], &wrapped[4]),
            ]),
            Fp2::dot::<3, 6>([(&twice[0], &a[3]), (&twice[1], &a[2]), (&twice[4], &wrapped[5])]),
            Fp2::dot::<4, 8>([(&twice[0], &a[4]), (&twice[1], &a[3]), (&a[2], &a[2]), (&a[5], &wrapped[5])]),
            Fp2::dot::<3, 6>([(&twice[0], &a[5]), (&twice[1], &a[4]), (&twice[2], &a[3])]),
        ])
    }

    /// The square of an element of the cyclotomic subgroup (R. Granger, M. Scott, "Faster squaring in the cyclotomic
    /// subgroup of sixth degree extensions"): with `s = w^3` and `a + b w + c w^2` over the field with `s`, it is
    /// `(3 a^2 - 2 a') + (3 s c^2 + 2 b') w + (3 b^2 - 2 c') w^2`, where `'` turns the sign of `s`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn cyclotomic_square(&self) -> Self {
        let g = &self.0;
        let (a, a_s) = square_with_s(&g[0], &g[3]);
        let (b, b_s) = square_with_s(&g[1], &g[4]);
        let (c, c_s) = square_with_s(&g[2], &g[5]);
        let minus = |square: &Fp2, old: &Fp2| square.double().add(square).sub::<4>(&old.double()).weak();
        let plus = |square: &Fp2, old: &Fp2| square.double().add(square).add(&old.double()).weak();
        Self([
            minus(&a, &g[0]),
            plus(&c_s.times_xi(), &g[1]),
            minus(&b, &g[2]),
            plus(&a_s, &g[3]),
            minus(&c, &g[4]),
            plus(&b_s, &g[5]),
        ])
    }

    /// The power with exponent `p^6`: in the cyclotomic subgroup, the inverse.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn conjugate(&self) -> Self {
        Self(std::array::from_fn(|k| if k % 2 == 0 { self.0[k] } else { Fp2::zero().sub::<2>(&self.0[k]) }))
    }

    /// The inverse; that of zero is zero.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn inverse(&self) -> Self {
        // The norm over the field of degree six has even powers only.
        let conjugate = self.conjugate();
        let [a, _, b, _, c, _] = self.mul(&conjugate).0;
        let (xi_b, xi_c) = (b.times_xi(), c.times_xi());
        let minus = |value: &Fp2| Fp2::zero().sub::<2>(value);
        let t0 = Fp2::dot::<2, 4>([(&a, &a), (&minus(&b), &xi_c)]);
        let t1 = Fp2::dot::<2, 4>([(&c, &xi_c), (&minus(&a), &b)]);
        let t2 = Fp2::dot::<2, 4>([(&b, &b), (&minus(&a), &c)]);
        let inverse = Fp2::dot::<3, 6>([(&a, &t0), (&t1, &xi_c), (&t2, &xi_b)]).inverse();
        let mut norm = [Fp2::zero(); 6];
        (norm[0], norm[2], norm[4]) = (t0.mul(&inverse), t1.mul(&inverse), t2.mul(&inverse));
        conjugate.mul(&Self(norm))
    }

    /// The power with exponent `p^n`, for `n` of 1, 2 and 3.
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub fn frobenius(&self, n: usize) -> Self {
        Self(std::array::from_fn(|k| {
            let coefficient = if n % 2 == 1 { self.0[k].conjugate() } else { self.0[k] };
            coefficient.mul(&Fp2::from_blst(&[FROBENIUS[n - 1][k]; LANES]))
        }))
    }
}

/// The factors by which the Frobenius map multiplies the coefficient of each power of `w`, from blst's own map.
static FROBENIUS: LazyLock<[[blst_fp2; 6]; 3]> = LazyLock::new(|| {
    std::array::from_fn(|n| {
        std::array::from_fn(|power| {
            let (outer, inner) = place(power);
            let mut basis = blst_fp12::default();
            // SAFETY: the function returns a pointer to a constant of the library.
            let one = unsafe { *blst::blst_fp12_one() };
            basis.fp6[outer].fp2[inner] = one.fp6[0].fp2[0];
            let mut image = blst_fp12::default();
            // SAFETY: two valid elements, and a power that blst supports.
            unsafe { blst_fp12_frobenius_map(&mut image, &basis, n + 1) };
            image.fp6[outer].fp2[inner]
        })
    })
});

/// The square of `x + y s` with `s^2 = 1 + u`: `x^2 + (1 + u) y^2`, and the coefficient `2 x y` of `s`. `[2]` of `[2]`.
#[target_feature(enable = "avx512f,avx512ifma")]
#[inline]
fn square_with_s(x: &Fp2, y: &Fp2) -> (Fp2, Fp2) {
    let (x_sum, x_difference) = (x.c0.add(&x.c1), x.c0.sub::<2>(&x.c1));
    let (y_sum, y_difference) = (y.c0.add(&y.c1), y.c0.sub::<2>(&y.c1));
    let twice_y = y.c0.double();
    let square = Fp2 {
        c0: Fp::sum_of_products([
            (&x_sum, &x_difference),
            (&y_sum, &y_difference),
            (&twice_y.neg::<4>(), &y.c1),
        ]),
        c1: Fp::sum_of_products([(&x.c0.double(), &x.c1), (&y_sum, &y_difference), (&twice_y, &y.c1)]),
    };
    (square, x.double().mul(y))
}
