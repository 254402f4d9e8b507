//! Which of many signatures are wrong, in far fewer pairing products than signatures.
//!
//! Every set of signatures has a **defect**: one when its sum verifies, and in general the product of what each of its
//! members contributes. Defects multiply: that of a set is the product of those of its parts. So
//!
//! - **quotient bisection**: the defect of a right half is that of the whole divided by that of the left half. A split costs
//!   one evaluation, and all of them together at most one for each signature;
//! - **exponent search**: weigh each signature with its member's number. If exactly one of the set is wrong, say with defect
//!   `d` and weight `w`, the weighted defect is `d^w`, and `w` is found by comparing powers. One evaluation and one
//!   confirmation replace a whole bisection.
//!
//! The exponent is evidence of nothing: two wrong signatures with equal defects and weights 3 and 7 point at 5. A suspect
//! is therefore evaluated alone, and believed only if its own defect is the defect of the whole set. Every index that is
//! returned has a defect of its own that is not one, and what is not returned multiplies to one: that is exact however the
//! signatures were made.
//!
//! **Budget.** Bisection is better where many are wrong, the exponent where few are. The number is not known beforehand, so
//! it is estimated from how many of a level's sets have a defect, and the exponent is tried where the evaluations that it is
//! expected to save exceed those it costs. Whoever sends signatures that mislead it can do so [`Budget::MISSES`] times, plus
//! once for every 16 signatures.
//!
//! Sets of one level are evaluated together, for the processors that evaluate eight as fast as three.

use std::ops::Range;

/// The sets that are asked about, by position, and the group of their defects.
pub trait Defects {
    /// A defect.
    type Value: Clone + PartialEq;

    /// The defects of sets.
    fn plain(&mut self, sets: &[Range<usize>]) -> Vec<Self::Value>;

    /// The defects of sets with every signature weighed by [`Defects::weight`].
    fn weighted(&mut self, sets: &[Range<usize>]) -> Vec<Self::Value>;

    /// The weight of the signature at a position: not zero, strictly increasing.
    fn weight(&self, position: usize) -> u64;

    /// The defect of what verifies.
    fn one(&self) -> Self::Value;

    /// The defect of two sets together.
    fn mul(&self, a: &Self::Value, b: &Self::Value) -> Self::Value;

    /// What cancels a defect.
    fn inverse(&self, value: &Self::Value) -> Self::Value;
}

/// A set that is known to have a defect.
struct Suspect<V> {
    set: Range<usize>,
    plain: V,
    weighted: Option<V>,
}

/// The positions of wrong signatures among `count`, increasing. `whole` is the defect of all of them together.
///
/// What is not returned verifies as one group, and only as that group.
pub fn isolate<D: Defects>(defects: &mut D, count: usize, whole: D::Value) -> Vec<usize> {
    let mut search = Search { defects, wrong: Vec::new(), budget: Budget::new(count) };
    if whole != search.defects.one() {
        search.run(count, whole);
    }
    search.wrong.sort_unstable();
    search.wrong
}

struct Search<'a, D: Defects> {
    defects: &'a mut D,
    wrong: Vec<usize>,
    budget: Budget,
}

impl<D: Defects> Search<'_, D> {
    fn run(&mut self, count: usize, whole: D::Value) {
        let mut open = vec![Suspect { set: 0..count, plain: whole, weighted: None }];
        let mut sets_of_level = 1;
        if count > 2 {
            open[0].weighted = self.defects.weighted(&[0..count]).pop();
            open = self.shoot(open);
        }
        while !open.is_empty() {
            let (single, several): (Vec<_>, Vec<_>) =
                open.into_iter().partition(|suspect| suspect.set.len() == 1);
            self.wrong.extend(single.iter().map(|suspect| suspect.set.start));
            sets_of_level = (sets_of_level * 2).min(count);
            open = self.split(several, sets_of_level);
        }
    }

    /// The halves that have a defect, or what is left of them after those with a single wrong signature are done.
    fn split(&mut self, suspects: Vec<Suspect<D::Value>>, sets_of_level: usize) -> Vec<Suspect<D::Value>> {
        let lefts: Vec<Range<usize>> = suspects.iter().map(|suspect| halves(&suspect.set).0).collect();
        let one = self.defects.one();
        let (mut one_sided, mut two_sided) = (Vec::new(), Vec::new());
        for (suspect, left) in suspects.into_iter().zip(self.defects.plain(&lefts)) {
            let (first, second) = halves(&suspect.set);
            let right = self.defects.mul(&suspect.plain, &self.defects.inverse(&left));
            if right == one {
                one_sided.push(Suspect { set: first, plain: left, weighted: suspect.weighted });
            } else if left == one {
                one_sided.push(Suspect { set: second, plain: right, weighted: suspect.weighted });
            } else {
                let right = Suspect { set: second, plain: right, weighted: None };
                two_sided.push((
                    suspect.weighted,
                    Suspect { set: first, plain: left, weighted: None },
                    right,
                ));
            }
        }
        let defective = one_sided.len() + 2 * two_sided.len();
        let (worth_a_shot, mut open): (Vec<_>, Vec<_>) =
            two_sided.into_iter().partition(|(weighted, first, second)| {
                let size = first.set.len().max(second.set.len());
                self.budget.is_worth_it(size, weighted.is_some(), defective, sets_of_level)
            });
        let shots = self.weigh(worth_a_shot);
        let mut rest = self.shoot(shots);
        rest.append(&mut one_sided);
        for (_, first, second) in open.drain(..) {
            rest.extend([first, second]);
        }
        rest
    }

    /// The weighted defects of both halves; that of the second is a quotient where the whole's is known.
    #[allow(clippy::type_complexity)]
    fn weigh(
        &mut self,
        pairs: Vec<(Option<D::Value>, Suspect<D::Value>, Suspect<D::Value>)>,
    ) -> Vec<Suspect<D::Value>> {
        let sets: Vec<Range<usize>> = pairs
            .iter()
            .flat_map(|(whole, first, second)| {
                std::iter::once(first.set.clone()).chain(whole.is_none().then(|| second.set.clone()))
            })
            .collect();
        let mut values = self.defects.weighted(&sets).into_iter();
        let mut weighed = Vec::with_capacity(2 * pairs.len());
        for (whole, first, second) in pairs {
            let left = values.next();
            let right = match (&whole, &left) {
                (Some(whole), Some(left)) => Some(self.defects.mul(whole, &self.defects.inverse(left))),
                _ => values.next(),
            };
            weighed.push(Suspect { weighted: left, ..first });
            weighed.push(Suspect { weighted: right, ..second });
        }
        weighed
    }

    /// Looks for a single wrong signature in each set; the sets that remain have more than one.
    fn shoot(&mut self, suspects: Vec<Suspect<D::Value>>) -> Vec<Suspect<D::Value>> {
        let (mut open, mut named) = (Vec::new(), Vec::new());
        for suspect in suspects {
            if suspect.set.len() == 1 {
                open.push(suspect);
                continue;
            }
            match self.named_by_exponent(&suspect) {
                Some(position) => named.push((position, suspect)),
                None => {
                    self.budget.missed();
                    open.push(suspect);
                }
            }
        }
        let alone: Vec<Range<usize>> = named.iter().map(|&(position, _)| position..position + 1).collect();
        for ((position, suspect), own) in named.into_iter().zip(self.defects.plain(&alone)) {
            if own == suspect.plain {
                self.wrong.push(position);
            } else {
                self.budget.missed();
                open.push(suspect);
            }
        }
        open
    }

    /// The position whose weight is the discrete logarithm of the weighted defect to the base of the plain one, if there is
    /// one: baby steps, giant steps.
    fn named_by_exponent(&self, suspect: &Suspect<D::Value>) -> Option<usize> {
        let weighted = suspect.weighted.as_ref()?;
        let defects = &*self.defects;
        let (lowest, highest) = (defects.weight(suspect.set.start), defects.weight(suspect.set.end - 1));
        let steps = (highest - lowest + 1).isqrt() + 1;
        let mut baby_steps = vec![defects.one()];
        for step in 1..steps as usize {
            baby_steps.push(defects.mul(&baby_steps[step - 1], &suspect.plain));
        }
        let giant_step = defects.inverse(&defects.mul(&baby_steps[steps as usize - 1], &suspect.plain));
        let mut target = defects.mul(weighted, &defects.inverse(&power(defects, &suspect.plain, lowest)));
        for giant_steps in 0..steps {
            if let Some(baby) = baby_steps.iter().position(|value| *value == target) {
                let weight = lowest + giant_steps * steps + baby as u64;
                let mut positions = suspect.set.clone();
                return positions.find(|&position| defects.weight(position) == weight);
            }
            target = defects.mul(&target, &giant_step);
        }
        None
    }
}

fn halves(set: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let middle = set.start + set.len() / 2;
    (set.start..middle, middle..set.end)
}

fn power<D: Defects>(defects: &D, base: &D::Value, exponent: u64) -> D::Value {
    (0..u64::BITS - exponent.leading_zeros()).rev().fold(defects.one(), |value, bit| {
        let square = defects.mul(&value, &value);
        if exponent >> bit & 1 == 1 { defects.mul(&square, base) } else { square }
    })
}

/// What may still be spent on exponents that lead nowhere.
struct Budget {
    misses_left: usize,
}

impl Budget {
    /// Misses that are free.
    const MISSES: usize = 8;

    /// Expected savings must exceed costs by this factor, since the estimate is rough.
    const MARGIN: f64 = 1.3;

    fn new(count: usize) -> Self {
        Self { misses_left: Self::MISSES + count / 16 }
    }

    fn missed(&mut self) {
        self.misses_left = self.misses_left.saturating_sub(1);
    }

    /// Whether two defective halves of up to `size` signatures are worth an exponent each, when `defective` of
    /// `sets_of_level` equal sets have a defect.
    fn is_worth_it(
        &self,
        size: usize,
        whole_is_weighed: bool,
        defective: usize,
        sets_of_level: usize,
    ) -> bool {
        if self.misses_left == 0 || size < 2 {
            return false;
        }
        let sets = sets_of_level as f64;
        // The number of wrong signatures that would leave so many sets without one, if they fell at random.
        let share = (defective as f64 / sets).min((sets - 0.5) / sets);
        let wrong = (1.0 - share).ln() / (1.0 - 1.0 / sets).ln();
        let single = wrong / sets * (1.0 - 1.0 / sets).powf(wrong - 1.0) / share;
        let saved = 2.0 * single * ((size as f64).log2() - 1.0);
        saved > Self::MARGIN * if whole_is_weighed { 1.0 } else { 2.0 }
    }
}

#[cfg(test)]
#[path = "isolation_tests.rs"]
mod tests;
