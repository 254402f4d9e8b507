//! Several wrong signatures of a small set, by one evaluation for each of them.
//!
//! The `j`-th moment of a set is its defect with each signature weighed by `i^j`, `i` being its place in the set. Written
//! additively, with `d_i` the defect of the signature at place `i`, it is `m_j = sum i^j d_i`. If the wrong ones are at the
//! places of a set `A`, applying the step `m_j -> m_{j+1} - a m_j` once for each `a` of `A` to the sequence of moments makes
//! it zero: each step erases one. So `k` wrong ones are found from the moments `m_0, ..., m_k` by trying the sets of `k`
//! places, which is some multiplications of defects a set, hundreds of which take as long as one evaluation.
//!
//! # What it proves
//! If the places `B` are wrong, and the moments up to the `k`-th agree with `A`, then `A = B` provided that `A` and `B`
//! together have at most `k + 1` places, since so many columns of powers are independent. That is always so if `k` is the
//! size of the set less one or more: then nothing is left to be confirmed ([`Found::Certain`]). Otherwise more than `k`
//! colluders may have chosen their defects so that the moments point at others, and what is found are claims.
//!
//! Erasing all of `A` but one place `a` leaves `d_a` times the product of the differences `a - b`. This is what is claimed
//! about `a` ([`Claim`]): it is known without a division, and it is not one, lest a smaller set had been found before.

use std::ops::Range;

use super::{Claim, Defects, power};

/// A small set with its first moments, the plain defect being that with index zero.
pub(super) struct Leaf<V> {
    pub set: Range<usize>,
    pub moments: Vec<V>,
}

/// The result of the moments.
pub(super) enum Found<V> {
    /// These positions, certainly.
    Certain(Vec<usize>),
    /// These positions, if the claims are confirmed.
    Claims(Vec<Claim<V>>),
}

impl<V: Clone + PartialEq> Leaf<V> {
    /// The wrong signatures, if there is one fewer than there are moments. Fewer were looked for when there were fewer
    /// moments.
    pub fn solve<D: Defects<Value = V>>(&self, defects: &D) -> Option<Found<V>> {
        let size = self.set.len();
        let Some(wrong) = places_that_erase(defects, self.moments.clone(), 0..size as u64) else {
            // As many moments as places, and no smaller set: everybody.
            return (self.moments.len() == size).then(|| Found::Certain(self.set.clone().collect()));
        };
        if wrong.len() + 1 >= size {
            return Some(Found::Certain(
                wrong.iter().map(|&place| self.set.start + place as usize).collect(),
            ));
        }
        let claims = wrong.iter().map(|&place| self.claim(defects, &wrong, place));
        // None has this value (see above); if one had, it would say that its signature is right.
        Some(Found::Claims(claims.filter(|claim| claim.value != defects.one()).collect()))
    }

    fn claim<D: Defects<Value = V>>(&self, defects: &D, wrong: &[u64], place: u64) -> Claim<V> {
        let mut sequence = self.moments[..wrong.len()].to_vec();
        let (mut scale, mut is_negative) = (1, false);
        for &other in wrong.iter().filter(|&&other| other != place) {
            let multiples: Vec<V> =
                sequence[..sequence.len() - 1].iter().map(|moment| power(defects, moment, other)).collect();
            sequence = erased(defects, &sequence, &multiples);
            scale *= place.abs_diff(other);
            is_negative ^= other > place;
        }
        let value = sequence.swap_remove(0);
        let value = if is_negative { defects.inverse(&value) } else { value };
        Claim { position: self.set.start + place as usize, scale, value }
    }
}

/// One less than the moments are many, and increasing: places whose erasure makes the moments one. Places are counted from
/// the first of them, which costs no multiple when it is erased.
fn places_that_erase<D: Defects>(
    defects: &D,
    mut moments: Vec<D::Value>,
    places: Range<u64>,
) -> Option<Vec<u64>> {
    let count = moments.len().checked_sub(1)?;
    for place in places.clone() {
        if places.end - place < count as u64 {
            return None;
        }
        if count == 1 {
            if moments[1] == defects.one() {
                return Some(vec![place]);
            }
        } else {
            let mut others = moments[1..].to_vec();
            count_from_next(defects, &mut others);
            if let Some(mut others) = places_that_erase(defects, others, place + 1..places.end) {
                others.insert(0, place);
                return Some(others);
            }
        }
        count_from_next(defects, &mut moments);
    }
    None
}

/// The moments with places counted from the next one: `sum (i - 1)^j d_i`, by differences of differences.
fn count_from_next<D: Defects>(defects: &D, moments: &mut [D::Value]) {
    for pass in 1..moments.len() {
        for j in (pass..moments.len()).rev() {
            moments[j] = defects.mul(&moments[j], &defects.inverse(&moments[j - 1]));
        }
    }
}

/// Each moment less a multiple of the one before, which is given.
fn erased<D: Defects>(defects: &D, moments: &[D::Value], multiples: &[D::Value]) -> Vec<D::Value> {
    multiples
        .iter()
        .zip(&moments[1..])
        .map(|(multiple, moment)| defects.mul(moment, &defects.inverse(multiple)))
        .collect()
}
