//! Pairing products, eight side by side: `e(signature, -g) e(hash, key)` for eight signatures, hashes and keys.
//!
//! Step by step what blst computes (`line_dbl`, `line_add`, `final_exp`), so that the results are equal bit by bit. The
//! lines of the generator are the same in all lanes.

use std::sync::LazyLock;

use blst::{blst_fp6, blst_fp12};

use super::LANES;
use super::fp::{Constant, Fp};
use super::tower::{Fp2, Fp12};
use crate::curve::{G1, G2, PreparedG2};

/// The curve parameter: an addition, and then so many doublings.
const DOUBLINGS_AFTER_ADDITION: [usize; 5] = [2, 3, 9, 32, 16];

/// A line before it is evaluated at a point.
type Line = [Fp2; 3];

/// The products.
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn products(signatures: &[G1; LANES], hashes: &[G1; LANES], keys: &[G2; LANES]) -> [blst_fp12; LANES] {
    final_exponentiation(&miller_loop(signatures, hashes, keys)).to_blst()
}

/// A point of G1 at which lines are evaluated: `(-2x, 2y)`, both `[4]`.
struct Evaluation {
    minus_2x: Fp,
    twice_y: Fp,
}

impl Evaluation {
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn at(points: &[G1; LANES]) -> Self {
        let x = Fp::from_blst(&points.map(|point| point.0.x));
        let y = Fp::from_blst(&points.map(|point| point.0.y));
        Self { minus_2x: x.double().neg::<4>(), twice_y: y.double() }
    }

    #[target_feature(enable = "avx512f,avx512ifma")]
    fn of(&self, line: &Line) -> Line {
        [line[0], line[1].scale(&self.minus_2x), line[2].scale(&self.twice_y)]
    }
}

/// The lines of the generator mirrored.
static GENERATOR_LINES: LazyLock<Vec<[[Constant; 2]; 3]>> = LazyLock::new(|| {
    let lines = PreparedG2::minus_generator().lines();
    // SAFETY: only code that runs on a processor with the instructions asks for these.
    lines.iter().map(|line| unsafe { constants(line) }).collect()
});

#[target_feature(enable = "avx512f,avx512ifma")]
fn constants(line: &blst_fp6) -> [[Constant; 2]; 3] {
    line.fp2.map(|coefficient| {
        let lanes = Fp2::from_blst(&[coefficient; LANES]);
        [lanes.c0.first(), lanes.c1.first()]
    })
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn miller_loop(signatures: &[G1; LANES], hashes: &[G1; LANES], keys: &[G2; LANES]) -> Fp12 {
    let (signature, hash) = (Evaluation::at(signatures), Evaluation::at(hashes));
    let key = (Fp2::from_blst(&keys.map(|key| key.0.x)), Fp2::from_blst(&keys.map(|key| key.0.y)));
    let mut multiple = Multiple { x: key.0, y: key.1, z: Fp2::one() };
    let mut value = Fp12::one();
    let mut generator_lines = GENERATOR_LINES.iter();
    let mut times_lines = |value: &Fp12, line: &Line| {
        let value = value.mul_by_line(&hash.of(line));
        match generator_lines.next() {
            Some(line) => value.mul_by_line(&signature.of(&[
                Fp2::splat(&line[0]),
                Fp2::splat(&line[1]),
                Fp2::splat(&line[2]),
            ])),
            None => value,
        }
    };
    // The first squaring is that of one.
    value = times_lines(&value, &multiple.double());
    for doublings in DOUBLINGS_AFTER_ADDITION {
        value = times_lines(&value, &multiple.add(&key));
        for _ in 0..doublings {
            value = times_lines(&value.square(), &multiple.double());
        }
    }
    // The parameter is negative.
    value.conjugate()
}

/// A multiple of a point of G2, Jacobian, coordinates `[2]`.
struct Multiple {
    x: Fp2,
    y: Fp2,
    z: Fp2,
}

impl Multiple {
    /// Doubles, and gives the line through the point. Every coefficient `[2]`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn double(&mut self) -> Line {
        let a = self.x.square();
        let b = self.y.square();
        let zz = self.z.square();
        let c = b.square();
        // d = 2 ((x + b)^2 - a - c) = 4 x b
        let d = self.x.mul(&b).double().double();
        let e = a.double().add(&a);
        let f = e.square();
        // (3 a + x)^2 - a - f - 4 b
        let constant =
            e.add(&self.x).square().sub::<2>(&a).sub::<2>(&f).sub::<8>(&b.double().double()).weak();
        let x = f.sub::<16>(&d.double()).weak();
        // (y + z)^2 - b - zz = 2 y z
        let z = self.y.double().mul(&self.z);
        let c8 = c.double().double().double();
        let y = e.mul(&d.sub::<2>(&x)).sub::<16>(&c8).weak();
        let line = [constant, e.mul(&zz), z.mul(&zz)];
        (self.x, self.y, self.z) = (x, y, z);
        line
    }

    /// Adds the point that this is a multiple of, and gives the line through both. Every coefficient `[2]`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn add(&mut self, point: &(Fp2, Fp2)) -> Line {
        let zz = self.z.square();
        let u2 = point.0.mul(&zz);
        let s2 = point.1.mul(&self.z).mul(&zz);
        let h = u2.sub::<2>(&self.x).weak();
        let hh = h.square();
        let i = hh.double().double();
        let j = h.mul(&i);
        let r = s2.sub::<2>(&self.y).double().weak();
        let v = self.x.mul(&i);
        let x = r.square().sub::<2>(&j).sub::<4>(&v.double()).weak();
        let y = v.sub::<2>(&x).mul(&r).sub::<4>(&j.mul(&self.y).double()).weak();
        // (z + h)^2 - zz - hh = 2 z h
        let z = self.z.double().mul(&h);
        (self.x, self.y, self.z) = (x, y, z);
        let constant = r.mul(&point.0).sub::<2>(&point.1.mul(&z)).double().weak();
        [constant, r, z]
    }
}

/// The power with exponent `3 (p^12 - 1) / r`, step by step blst's `final_exp`.
#[target_feature(enable = "avx512f,avx512ifma")]
fn final_exponentiation(value: &Fp12) -> Fp12 {
    let easy = value.conjugate().mul(&value.inverse());
    let base = easy.frobenius(2).mul(&easy);

    let squared = base.cyclotomic_square();
    let mut y1 = power_of_parameter(&squared);
    let mut y2 = power_of_half_parameter(&y1);
    y1 = y1.mul(&base.conjugate()).conjugate().mul(&y2);
    y2 = power_of_parameter(&y1);
    let y3 = power_of_parameter(&y2).mul(&y1.conjugate());
    y1 = y1.frobenius(3).mul(&y2.frobenius(2));
    y2 = power_of_parameter(&y3).mul(&squared).mul(&base);
    y1.mul(&y2).mul(&y3.frobenius(1))
}

/// The power with half of the curve parameter, which is negative and even.
#[target_feature(enable = "avx512f,avx512ifma")]
fn power_of_half_parameter(value: &Fp12) -> Fp12 {
    let mut power = value.cyclotomic_square();
    for (run, doublings) in DOUBLINGS_AFTER_ADDITION.into_iter().enumerate() {
        power = power.mul(value);
        // The last doubling of the last run is left out.
        for _ in 0..doublings - usize::from(run == 4) {
            power = power.cyclotomic_square();
        }
    }
    power.conjugate()
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn power_of_parameter(value: &Fp12) -> Fp12 {
    power_of_half_parameter(value).cyclotomic_square()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::{Gt, Scalar};
    use super::super::products;
    use super::*;

    fn agrees(seed: u64) {
        let point = |kind: u8, lane: usize| G1::hash(&[kind], &(seed ^ lane as u64).to_be_bytes());
        let key =
            |lane: usize| G2::generator_times(&Scalar::from_u64((seed >> 8 ^ lane as u64) | 1)).unwrap();
        let mut signatures: [G1; LANES] = std::array::from_fn(|lane| point(1, lane));
        let mut hashes: [G1; LANES] = std::array::from_fn(|lane| point(2, lane));
        let mut keys: [G2; LANES] = std::array::from_fn(key);
        // A product that is one, and the generators, which are in no way random.
        let secret = Scalar::from_u64(seed | 1);
        (signatures[3], keys[3]) = (hashes[3].mul(&secret).unwrap(), G2::generator_times(&secret).unwrap());
        (signatures[5], hashes[5], keys[5]) = (G1::generator(), G1::generator(), G2::generator());
        let Some(products) = products(&signatures, &hashes, &keys) else { return };
        for lane in 0..LANES {
            let prepared = PreparedG2::new(&keys[lane]);
            let expected =
                Gt::product([(&signatures[lane], PreparedG2::minus_generator()), (&hashes[lane], &prepared)]);
            assert_eq!(products[lane], expected, "lane {lane}");
            assert_eq!(products[lane].is_one(), lane == 3 || lane == 5);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn products_are_those_of_blst(seed in any::<u64>()) {
            agrees(seed);
        }
    }
}
