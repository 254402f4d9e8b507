//! The field against blst, at random and at the bounds.

use blst::{blst_fp_add, blst_fp_mul, blst_fp_sqr, blst_fp_sqrt, blst_fp_sub};
use proptest::prelude::*;

use super::super::is_supported;
use super::*;

/// Reduced elements: random ones, and those at the ends.
fn elements(seed: u64) -> [blst_fp; LANES] {
    let mut random = fastrand::Rng::with_seed(seed);
    std::array::from_fn(|lane| {
        let mut l = [0; 6];
        match (seed % 4, lane) {
            (0, 0) => {}
            (0, 1) => l[0] = 1,
            (0, 2) => l = reduced_once(&MODULUS),
            (0, 3) => {
                l = MODULUS;
                l[0] -= 1;
            }
            _ => {
                l = std::array::from_fn(|_| random.u64(..));
                l[5] %= MODULUS[5];
            }
        }
        blst_fp { l }
    })
}

/// The largest lane in multiples of the modulus, right to a billionth of it.
fn multiple(value: &Fp) -> f64 {
    // SAFETY: a vector has the size of eight 64-bit words, for which every bit pattern is valid.
    let limbs = value.0.map(|limb| unsafe { std::mem::transmute::<__m512i, [u64; LANES]>(limb) });
    let number = |limbs: &dyn Fn(usize) -> u64| {
        (0..LIMBS).rev().fold(0.0, |sum, i| sum * 2_f64.powi(LIMB_BITS as i32) + limbs(i) as f64)
    };
    let modulus = number(&|i| P[i]);
    (0..LANES).map(|lane| number(&|i| limbs[i][lane]) / modulus).fold(0.0, f64::max)
}

/// The bound of an operand. Something negative has a limb that is far too large.
pub(super) fn assert_at_most(value: &Fp, most: u64) {
    let multiple = multiple(value);
    assert!(multiple <= most as f64 + 1e-9, "an operand of {multiple} times the modulus, not {most}");
}

/// That the sum of the products is at most `2^35 p^2`, and each operand at most `2^14 p` where several are summed.
pub(super) fn assert_products(pairs: &[(&Fp, &Fp)]) {
    let sum: f64 = pairs.iter().map(|(a, b)| multiple(a) * multiple(b)).sum();
    assert!(sum <= 2_f64.powi(35), "products of {sum} times the square of the modulus");
}

#[test]
fn operands_beyond_their_bounds_are_noticed() {
    if !is_supported() {
        return;
    }
    // SAFETY: the processor has what the functions need.
    let largest = unsafe { largest() };
    assert!((multiple(&largest) - 2_f64.powi(14)).abs() < 1e-6);
    assert_at_most(&largest, 1 << 14);
    assert_products(&[(&largest, &largest); MAX_PRODUCTS]);
    let panics = |check: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_err();
    assert!(panics(&|| assert_at_most(&largest, (1 << 14) - 1)));
    assert!(panics(&|| assert_products(&[(&largest, &largest); 129])));
}

fn each(
    a: &[blst_fp; LANES],
    b: &[blst_fp; LANES],
    operation: unsafe extern "C" fn(*mut blst_fp, *const blst_fp, *const blst_fp),
) -> [blst_fp; LANES] {
    std::array::from_fn(|lane| {
        let mut out = blst_fp::default();
        // SAFETY: three valid field elements.
        unsafe { operation(&mut out, &a[lane], &b[lane]) };
        out
    })
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn agrees_with_blst(seed: u64) {
    let (a, b) = (elements(seed), elements(seed.rotate_left(9) ^ 5));
    let (x, y) = (Fp::from_blst(&a), Fp::from_blst(&b));
    assert_eq!(x.to_blst(), a);
    assert_eq!(x.mul(&y).to_blst(), each(&a, &b, blst_fp_mul));
    assert_eq!(x.add(&y).to_blst(), each(&a, &b, blst_fp_add));
    assert_eq!(x.sub::<2>(&y).to_blst(), each(&a, &b, blst_fp_sub));
    assert_eq!(Fp::zero().sub::<2>(&y).to_blst(), y.neg::<512>().weak().to_blst());
    let squares = a.map(|value| {
        let mut out = blst_fp::default();
        // SAFETY: two valid field elements.
        unsafe { blst_fp_sqr(&mut out, &value) };
        out
    });
    assert_eq!(x.square().to_blst(), squares);
    let products = each(&each(&a, &b, blst_fp_mul), &each(&b, &b, blst_fp_mul), blst_fp_add);
    assert_eq!(Fp::sum_of_products([(&x, &y), (&y, &y)]).to_blst(), products);

    let root = Fp::from_blst(&a).root();
    let is_square = root.square().equals(&x);
    for (lane, value) in a.iter().enumerate() {
        let mut expected = blst_fp::default();
        // SAFETY: two valid field elements.
        let has_root = unsafe { blst_fp_sqrt(&mut expected, value) };
        assert_eq!(is_square >> lane & 1 == 1, has_root, "lane {lane}");
    }
    let inverse = x.inverse().mul(&x);
    let one_or_zero = inverse.equals(&Fp::splat(ONE)) | x.is_zero();
    assert_eq!((one_or_zero, inverse.is_zero()), (0xff, x.is_zero()));
    assert_eq!(x.to_plain(), Fp::from_plain(&x.to_plain()).to_plain());
}

/// Elements that are as large as the bounds allow: `2^14 p - 1`.
#[target_feature(enable = "avx512f,avx512ifma")]
fn largest() -> Fp {
    let mut limbs = [0_i128; LIMBS];
    for (limb, p) in limbs.iter_mut().zip(P) {
        *limb = i128::from(p) << 14;
    }
    limbs[0] -= 1;
    for i in 0..LIMBS - 1 {
        limbs[i + 1] += limbs[i] >> LIMB_BITS;
        limbs[i] &= i128::from(LIMB_MASK);
    }
    assert!(limbs[LIMBS - 1] >> LIMB_BITS == 0, "the capacity");
    Fp(limbs.map(|limb| _mm512_set1_epi64(limb as i64)))
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn holds_at_the_bounds() {
    // 2^14 p - 1 is minus one, as a plain integer; a product of two is one divided by the radix.
    let a = largest();
    let minus_one = Fp::splat(ONE).mul(&a);
    let plain_one = minus_one.neg::<2>();
    for product in [a.mul(&a), a.square(), Fp::sum_of_products([(&a, &a)])] {
        assert_below_two(&product);
        assert_eq!(product.equals(&plain_one.mul(&plain_one)), 0xff);
    }
    for (value, expected) in [(a, minus_one), (plain_one, plain_one), (Fp::splat(Constant(P)), Fp::zero())] {
        assert_below_two(&value.weak());
        assert_eq!(value.weak().mul(&Fp::splat(ONE)).equals(&expected), 0xff);
    }
    let sum = Fp::sum_of_products([(&a, &a); MAX_PRODUCTS]);
    assert_below_two(&sum);
    let mut expected = Fp::zero();
    for _ in 0..MAX_PRODUCTS {
        expected = expected.add(&a.mul(&a));
    }
    assert_eq!(sum.equals(&expected), 0xff);
}

/// That every lane is below twice the modulus, with limbs below their size.
#[target_feature(enable = "avx512f,avx512ifma")]
fn assert_below_two(value: &Fp) {
    // SAFETY: a vector has the size of eight 64-bit words, for which every bit pattern is valid.
    let limbs_of = value.0.map(|limb| unsafe { std::mem::transmute::<__m512i, [u64; LANES]>(limb) });
    let lanes: [[u64; LIMBS]; LANES] = std::array::from_fn(|lane| limbs_of.map(|limb| limb[lane]));
    for limbs in lanes {
        assert!(limbs.iter().all(|&limb| limb <= LIMB_MASK), "{limbs:x?}");
        let words = packed(&limbs);
        let once = reduced_once(&words);
        assert_eq!(reduced_once(&once), once, "below 2 p");
    }
}

/// The arithmetic of the module doc, restated.
#[test]
fn the_stated_bounds_are_consistent() {
    // R > 2^35 p, since p has 381 bits.
    assert!(MODULUS[5].leading_zeros() == 3 && 416 - 381 == 35);
    assert!((MAX_PRODUCTS as u64) << 28 <= 1 << 35, "a sum of products reduces to [2]");
    assert!(MAX_PRODUCTS as u64 * 16 <= 1 << 9, "accumulators stay below 2^62");
    const { assert!(MAX_SUBTRAHEND << LIMB_BITS < 1 << 62) };
    assert_eq!(P[0].wrapping_mul(MINUS_INVERSE) & LIMB_MASK, LIMB_MASK, "the inverse");
    assert_eq!(packed(&P), MODULUS);
}

#[test]
fn products_at_the_bounds_are_right() {
    if is_supported() {
        // SAFETY: the processor has what the function needs.
        unsafe { holds_at_the_bounds() };
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_operation_agrees_with_blst(seed in any::<u64>()) {
        if is_supported() {
            for special in [seed, seed & !3] {
                // SAFETY: the processor has what the function needs.
                unsafe { agrees_with_blst(special) };
            }
        }
    }
}
