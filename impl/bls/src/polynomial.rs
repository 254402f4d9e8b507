//! Shamir sharing and Feldman commitments: polynomials over the scalars, and interpolation at zero.
//!
//! Member `i` of a committee holds the value at `i + 1` ([`abscissa`]); the value at zero is the secret.

use sha3::{Digest, Sha3_512};

use super::coefficients;
use super::curve::{G2, Scalar};
use crate::committee::MinerId;

/// Domain tag of the weights with which shares are checked together.
const BATCH_TAG: &[u8] = b"ZUS-BPP-V01-SHARE-WEIGHTS";

/// Fewer shares are cheaper one by one: the one multi-scalar multiplication takes as long as seven evaluations.
const BATCH_FROM: usize = 8;

/// The point at which the polynomial of a shared key is evaluated for a member: its position plus one.
#[must_use]
pub fn abscissa(member: MinerId) -> u32 {
    u32::from(member.0) + 1
}

/// A secret polynomial, constant first. Its coefficients are wiped when dropped and never shown.
#[derive(Clone, Debug)]
pub struct Polynomial(Vec<Scalar>);

impl Polynomial {
    /// The polynomial with these coefficients, constant first.
    #[must_use]
    pub const fn new(coefficients: Vec<Scalar>) -> Self {
        Self(coefficients)
    }

    /// The value at `x`, in constant time for a given number of coefficients.
    #[must_use]
    pub fn evaluate(&self, x: u32) -> Scalar {
        let x = Scalar::from_u64(u64::from(x));
        self.0.iter().rev().fold(Scalar::zero(), |value, coefficient| value.mul(&x).add(coefficient))
    }

    /// The Feldman commitments: the generator times every coefficient. `None` when a coefficient is zero, since a
    /// commitment may not be infinity.
    #[must_use]
    pub fn commit(&self) -> Option<Commitments> {
        self.0.iter().map(G2::generator_times).collect::<Option<Vec<_>>>().map(Commitments)
    }
}

/// Commitments to the coefficients of a polynomial, constant first: whoever holds them can check a share and compute
/// every share's public key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commitments(Vec<G2>);

impl Commitments {
    /// Takes points as commitments.
    #[must_use]
    pub const fn new(points: Vec<G2>) -> Self {
        Self(points)
    }

    /// The points, constant first.
    #[must_use]
    pub fn points(&self) -> &[G2] {
        &self.0
    }

    /// How many shares determine the polynomial.
    #[must_use]
    pub fn threshold(&self) -> usize {
        self.0.len()
    }

    /// The public side of a member's share; `None` when it would be infinite, which happens to a dishonest polynomial or
    /// with negligible probability.
    #[must_use]
    pub fn public_share(&self, member: MinerId) -> Option<G2> {
        G2::evaluate_polynomial(&self.0, abscissa(member))
    }

    /// Whether `share` is the value of the committed polynomial for `member`.
    #[must_use]
    pub fn admits(&self, member: MinerId, share: &Scalar) -> bool {
        // An infinite public share is refused on both sides: a share of zero is no key.
        G2::generator_times(share).is_some_and(|public| self.public_share(member) == Some(public))
    }

    /// Whether every one of `shares` is the value of the committed polynomial for its member, but for a probability of `2^-250`
    /// that wrong ones pass together. [`Commitments::admits`] tells which are wrong.
    ///
    /// Many are checked at once: `sum_j w_j s_j` times the generator against `sum_k (sum_j w_j x_j^k) C_k`, which costs one
    /// multi-scalar multiplication instead of an evaluation for each share. The weights are hashes of commitments and shares: a
    /// change of any of them changes every weight.
    #[must_use]
    pub fn admits_all(&self, shares: &[(MinerId, &Scalar)]) -> bool {
        if shares.len() < BATCH_FROM {
            return shares.iter().all(|(member, share)| self.admits(*member, share));
        }
        // A share of zero is no key, although its public side may balance.
        if shares.iter().any(|(_, share)| share.is_zero().into()) {
            return false;
        }
        let weights = self.weights(shares);
        let terms = shares.iter().zip(&weights);
        let value = terms.fold(Scalar::zero(), |sum, ((_, share), weight)| sum.add(&share.mul(weight)));
        let abscissas: Vec<Scalar> =
            shares.iter().map(|(member, _)| Scalar::from_u64(abscissa(*member).into())).collect();
        let mut powers = weights;
        let scalars: Vec<Scalar> = (0..self.threshold())
            .map(|_| {
                let sum = powers.iter().fold(Scalar::zero(), |sum, power| sum.add(power));
                for (power, x) in powers.iter_mut().zip(&abscissas) {
                    *power = power.mul(x);
                }
                sum
            })
            .collect();
        G2::linear_combination(&self.0, &scalars) == G2::generator_times(&value)
    }

    /// A weight for each share, from all commitments and all shares.
    fn weights(&self, shares: &[(MinerId, &Scalar)]) -> Vec<Scalar> {
        let mut hash = Sha3_512::new().chain_update(BATCH_TAG);
        hash.update((self.threshold() as u64).to_be_bytes());
        for point in &self.0 {
            hash.update(point.encode());
        }
        for (member, share) in shares {
            hash.update(member.0.to_be_bytes());
            hash.update(*share.to_bytes());
        }
        coefficients::expand_wide(&hash.finalize().into(), shares.len())
    }

    /// The commitments to the sum of the polynomials; `None` when there are none, their degrees differ, or a coefficient
    /// of the sum vanishes.
    #[must_use]
    pub fn sum<'a>(all: impl IntoIterator<Item = &'a Self> + Clone) -> Option<Self> {
        let threshold = all.clone().into_iter().next()?.threshold();
        if all.clone().into_iter().any(|commitments| commitments.threshold() != threshold) {
            return None;
        }
        (0..threshold)
            .map(|k| G2::sum(all.clone().into_iter().map(|commitments| &commitments.0[k])))
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }
}

/// The weights with which the values at `abscissas` add up to the value at zero: Lagrange's interpolation, with one
/// inversion in all. `None` when an abscissa is zero or occurs twice.
///
/// The weight of `x_i` is `P / (x_i * prod_{j != i} (x_j - x_i))` with `P` the product of all. The factors are small
/// integers, so that several fit into one machine word before a field multiplication is due.
#[must_use]
pub fn lagrange_at_zero(abscissas: &[u32]) -> Option<Vec<Scalar>> {
    let mut sorted = abscissas.to_vec();
    sorted.sort_unstable();
    if sorted.first() == Some(&0) || !sorted.is_sorted_by(|a, b| a < b) {
        return None;
    }
    let numerator =
        abscissas.iter().fold(SmallProduct::new(), |product, &x| product.times(u64::from(x))).finish();
    let denominators: Vec<Scalar> = abscissas
        .iter()
        .map(|&x_i| {
            let mut product = SmallProduct::new().times(u64::from(x_i));
            let mut negative = false;
            for &x_j in abscissas.iter().filter(|&&x_j| x_j != x_i) {
                product = product.times(u64::from(x_j.abs_diff(x_i)));
                negative ^= x_j < x_i;
            }
            let product = product.finish();
            if negative { product.neg() } else { product }
        })
        .collect();
    Some(batch_inverse(&denominators).iter().map(|inverse| numerator.mul(inverse)).collect())
}

/// A product of small integers that goes to the field only when a machine word is full.
struct SmallProduct {
    word: u64,
    field: Scalar,
}

impl SmallProduct {
    fn new() -> Self {
        Self { word: 1, field: Scalar::from_u64(1) }
    }

    fn times(mut self, factor: u64) -> Self {
        match self.word.checked_mul(factor) {
            Some(word) => self.word = word,
            None => {
                self.field = self.field.mul(&Scalar::from_u64(self.word));
                self.word = factor;
            }
        }
        self
    }

    fn finish(self) -> Scalar {
        self.field.mul(&Scalar::from_u64(self.word))
    }
}

/// Montgomery's trick: the inverses of non-zero scalars for one inversion and three multiplications each.
fn batch_inverse(scalars: &[Scalar]) -> Vec<Scalar> {
    let mut prefix = Vec::with_capacity(scalars.len());
    let mut product = Scalar::from_u64(1);
    for scalar in scalars {
        prefix.push(product.clone());
        product = product.mul(scalar);
    }
    let mut inverse = product.inverse();
    let mut inverses = prefix;
    for (before, scalar) in inverses.iter_mut().zip(scalars).rev() {
        *before = before.mul(&inverse);
        inverse = inverse.mul(scalar);
    }
    inverses
}

#[cfg(test)]
mod tests {
    use subtle::ConstantTimeEq;

    use super::*;

    fn polynomial(coefficients: &[u64]) -> Polynomial {
        Polynomial::new(coefficients.iter().map(|&c| Scalar::from_u64(c)).collect())
    }

    fn equal(a: &Scalar, b: &Scalar) -> bool {
        a.ct_eq(b).into()
    }

    fn interpolate(polynomial: &Polynomial, abscissas: &[u32]) -> Scalar {
        let weights = lagrange_at_zero(abscissas).unwrap();
        abscissas
            .iter()
            .zip(&weights)
            .fold(Scalar::zero(), |sum, (&x, weight)| sum.add(&polynomial.evaluate(x).mul(weight)))
    }

    #[test]
    fn enough_values_give_the_secret_and_fewer_do_not() {
        let secret = polynomial(&[42, 7, 9, 1]);
        assert!(equal(&secret.evaluate(2), &Scalar::from_u64(42 + 14 + 36 + 8)));
        for abscissas in [&[1, 2, 3, 4][..], &[9, 2, 4000, 1], &[5, 4096, 17, 3, 8, 1]] {
            assert!(equal(&interpolate(&secret, abscissas), &Scalar::from_u64(42)), "{abscissas:?}");
        }
        assert!(!equal(&interpolate(&secret, &[1, 2, 3]), &Scalar::from_u64(42)));
        let many: Vec<u32> = (1..=200).map(|x| x * 20).collect();
        assert!(equal(&interpolate(&secret, &many), &Scalar::from_u64(42)));
    }

    #[test]
    fn weights_agree_with_the_textbook() {
        let abscissas = [3_u32, 1, 4096, 77, 2];
        let weights = lagrange_at_zero(&abscissas).unwrap();
        for (i, weight) in weights.iter().enumerate() {
            let s = |x: u32| Scalar::from_u64(u64::from(x));
            let mut expected = Scalar::from_u64(1);
            for &x_j in abscissas.iter().filter(|&&x_j| x_j != abscissas[i]) {
                expected = expected.mul(&s(x_j)).mul(&s(x_j).sub(&s(abscissas[i])).inverse());
            }
            assert!(equal(weight, &expected), "weight {i}");
        }
    }

    #[test]
    fn zero_and_repeated_abscissas_are_refused() {
        assert!(lagrange_at_zero(&[1, 2, 1]).is_none());
        assert!(lagrange_at_zero(&[0, 2]).is_none());
        assert!(lagrange_at_zero(&[]).is_some_and(|weights| weights.is_empty()));
    }

    #[test]
    fn commitments_admit_the_right_share_of_the_right_member_only() {
        let secret = polynomial(&[5, 6, 7]);
        let commitments = secret.commit().unwrap();
        let share = secret.evaluate(abscissa(MinerId(2)));
        assert!(commitments.admits(MinerId(2), &share));
        assert!(!commitments.admits(MinerId(3), &share));
        assert!(!commitments.admits(MinerId(2), &share.add(&Scalar::from_u64(1))));
        assert!(!commitments.admits(MinerId(2), &Scalar::zero()));
    }

    /// A polynomial of seven coefficients, its commitments, and the shares of members 1 to `count`.
    fn dealt(count: u16) -> (Commitments, Vec<(MinerId, Scalar)>) {
        let secret = polynomial(&[5, 6, 7, 8, 9, 10, 11]);
        let shares = (1..=count).map(|i| (MinerId(i), secret.evaluate(abscissa(MinerId(i))))).collect();
        (secret.commit().unwrap(), shares)
    }

    fn all_admitted(commitments: &Commitments, shares: &[(MinerId, Scalar)]) -> bool {
        let shares: Vec<(MinerId, &Scalar)> = shares.iter().map(|(member, share)| (*member, share)).collect();
        commitments.admits_all(&shares)
    }

    #[test]
    fn shares_are_admitted_together_when_each_is_alone() {
        for count in [0, 1, BATCH_FROM as u16 - 1, BATCH_FROM as u16, 33] {
            let (commitments, shares) = dealt(count);
            assert!(all_admitted(&commitments, &shares), "{count} shares");
            for wrong in 0..shares.len() {
                let mut changed = shares.clone();
                changed[wrong].1 = changed[wrong].1.add(&Scalar::from_u64(1));
                assert!(!all_admitted(&commitments, &changed), "{count} shares, {wrong} is wrong");
                let mut moved = shares.clone();
                moved[wrong].0 = MinerId(count + 1);
                assert!(!all_admitted(&commitments, &moved), "{count} shares, {wrong} is another member's");
            }
        }
    }

    /// The root of a dishonest polynomial: the public side of a share of zero is infinite, on both sides of the equation.
    #[test]
    fn a_share_of_zero_is_not_admitted_among_others_either() {
        // (x - 4) (x + 1): the value is zero for member 3.
        let secret =
            Polynomial::new(vec![Scalar::from_u64(4).neg(), Scalar::from_u64(3).neg(), Scalar::from_u64(1)]);
        let commitments = secret.commit().unwrap();
        let shares: Vec<(MinerId, Scalar)> =
            (1..=20).map(|i| (MinerId(i), secret.evaluate(abscissa(MinerId(i))))).collect();
        assert!(bool::from(shares[2].1.is_zero()) && !commitments.admits(MinerId(3), &shares[2].1));
        assert!(!all_admitted(&commitments, &shares));
        assert!(all_admitted(&commitments, &shares[3..]));
    }

    /// Two shares whose errors add up to nothing pass as a plain sum, and not as a weighted one.
    #[test]
    fn errors_that_cancel_in_the_plain_sum_are_found() {
        let (commitments, mut shares) = dealt(33);
        let error = Scalar::from_u64(77);
        shares[4].1 = shares[4].1.add(&error);
        shares[20].1 = shares[20].1.sub(&error);
        assert!(!all_admitted(&commitments, &shares));
    }

    /// Pitfall: weights that are known before the shares. A dealer that knows them weighs its errors so that they cancel.
    #[test]
    fn a_change_of_any_share_or_commitment_changes_every_weight() {
        let (commitments, mut shares) = dealt(20);
        let weights = |commitments: &Commitments, shares: &[(MinerId, Scalar)]| {
            let shares: Vec<_> = shares.iter().map(|(member, share)| (*member, share)).collect();
            let weights = commitments.weights(&shares);
            weights.iter().map(|weight| *weight.to_bytes()).collect::<Vec<_>>()
        };
        let early = weights(&commitments, &shares);
        assert_eq!(weights(&commitments, &shares), early, "and nothing else does");
        let differs = |late: Vec<[u8; 32]>| early.iter().zip(&late).all(|(early, late)| early != late);
        let mut moved = shares.clone();
        moved[19].0 = MinerId(40);
        assert!(differs(weights(&commitments, &moved)));
        for k in 0..commitments.threshold() {
            let mut other = commitments.clone();
            other.0[k] = other.0[k].neg();
            assert!(differs(weights(&other, &shares)), "coefficient {k}");
        }
        // w_0 (w_1 E) - w_1 (w_0 E) = 0.
        let known = commitments.weights(&shares.iter().map(|(m, s)| (*m, s)).collect::<Vec<_>>());
        shares[0].1 = shares[0].1.add(&known[1]);
        shares[1].1 = shares[1].1.sub(&known[0]);
        assert!(differs(weights(&commitments, &shares)));
        assert!(!all_admitted(&commitments, &shares));
    }

    #[test]
    fn commitments_add_up_like_their_polynomials() {
        let (a, b) = (polynomial(&[5, 6, 7]), polynomial(&[1, 2, 3]));
        let sum = Commitments::sum([&a.commit().unwrap(), &b.commit().unwrap()]);
        assert_eq!(sum, polynomial(&[6, 8, 10]).commit());
        let shorter = polynomial(&[1, 2]).commit().unwrap();
        assert_eq!(Commitments::sum([&a.commit().unwrap(), &shorter]), None);
        let mirror =
            Polynomial::new(vec![Scalar::from_u64(5).neg(), Scalar::from_u64(1), Scalar::from_u64(1)]);
        assert_eq!(
            Commitments::sum([&a.commit().unwrap(), &mirror.commit().unwrap()]),
            None,
            "no secret left"
        );
        assert!(polynomial(&[0, 1]).commit().is_none());
    }
}
