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
//! expected to save exceed those it costs. Whoever sends signatures that mislead it can do so eight times, plus once for every
//! 16 signatures (`Budget`).
//!
//! **Width.** Processors that evaluate eight sets in the time of two or three ([`Defects::width`]) are given eight: a set is
//! cut into as many parts as fill the width, the defect of the last part being the quotient again. More evaluations, in fewer
//! turns.

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

    /// How many sets are evaluated in the time of a few: one where each takes its own time.
    fn width(&self) -> usize {
        1
    }
}

/// A set that is known to have a defect.
struct Suspect<V> {
    set: Range<usize>,
    plain: V,
    weighted: Option<V>,
}

/// The weighted defect of a set, where it is known, and the set's halves.
type Halves<V> = (Option<V>, Vec<Suspect<V>>);

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
            open[0].weighted = self.defects.weighted(std::slice::from_ref(&open[0].set)).pop();
            open = self.shoot(open);
        }
        while !open.is_empty() {
            let (single, several): (Vec<_>, Vec<_>) =
                open.into_iter().partition(|suspect| suspect.set.len() == 1);
            self.wrong.extend(single.iter().map(|suspect| suspect.set.start));
            let parts = 1 + (self.defects.width() / several.len().max(1)).max(1);
            sets_of_level = (sets_of_level * parts).min(count);
            open = self.split(several, parts, sets_of_level);
        }
    }

    /// The parts that have a defect, or what is left of them after those with a single wrong signature are done.
    fn split(
        &mut self,
        suspects: Vec<Suspect<D::Value>>,
        parts: usize,
        sets_of_level: usize,
    ) -> Vec<Suspect<D::Value>> {
        let cuts: Vec<Vec<Range<usize>>> = suspects.iter().map(|suspect| cut(&suspect.set, parts)).collect();
        // The last part's defect is what the others leave of the whole.
        let asked: Vec<Range<usize>> = cuts.iter().flat_map(|cut| &cut[..cut.len() - 1]).cloned().collect();
        let mut answers = self.defects.plain(&asked).into_iter();
        let one = self.defects.one();
        let mut defective = 0;
        let (mut pairs, mut rest) = (Vec::new(), Vec::new());
        for (suspect, cut) in suspects.into_iter().zip(cuts) {
            let (mut remaining, mut found) = (suspect.plain, Vec::new());
            let last = cut.len() - 1;
            for (i, set) in cut.into_iter().enumerate() {
                let plain =
                    if i == last { None } else { answers.next() }.unwrap_or_else(|| remaining.clone());
                remaining = self.defects.mul(&remaining, &self.defects.inverse(&plain));
                if plain != one {
                    found.push(Suspect { set, plain, weighted: None });
                }
            }
            defective += found.len();
            match &mut found[..] {
                [only] => only.weighted = suspect.weighted,
                [_, _] if parts == 2 => {
                    pairs.push((suspect.weighted, found));
                    continue;
                }
                _ => {}
            }
            rest.append(&mut found);
        }
        let (worth_a_shot, others): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(weighted, pair)| {
            let size = pair.iter().map(|suspect| suspect.set.len()).max().unwrap_or(0);
            self.defects.width() == 1
                && self.budget.is_worth_it(size, weighted.is_some(), defective, sets_of_level)
        });
        rest.extend(others.into_iter().flat_map(|(_, pair)| pair));
        let shots = self.weigh(worth_a_shot);
        rest.append(&mut self.shoot(shots));
        rest
    }

    /// The weighted defects of the halves of sets; that of the second is a quotient where the whole's is known.
    fn weigh(&mut self, pairs: Vec<Halves<D::Value>>) -> Vec<Suspect<D::Value>> {
        let asked = |whole: &Option<D::Value>| if whole.is_some() { 1 } else { 2 };
        let sets: Vec<Range<usize>> = pairs
            .iter()
            .flat_map(|(whole, pair)| pair.iter().take(asked(whole)).map(|suspect| suspect.set.clone()))
            .collect();
        let mut values = self.defects.weighted(&sets).into_iter();
        let mut weighed = Vec::with_capacity(2 * pairs.len());
        for (mut whole, pair) in pairs {
            for mut suspect in pair {
                // The second of a pair whose whole is known is not asked about: what the first left is its own.
                let is_quotient = whole.is_some() && weighed.len() % 2 == 1;
                suspect.weighted = if is_quotient { whole.take() } else { values.next() };
                if let (Some(whole), Some(first)) = (&mut whole, &suspect.weighted) {
                    *whole = self.defects.mul(whole, &self.defects.inverse(first));
                }
                weighed.push(suspect);
            }
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

/// Cuts a set of at least two into so many parts of nearly equal size, or into single positions.
fn cut(set: &Range<usize>, parts: usize) -> Vec<Range<usize>> {
    let parts = parts.min(set.len());
    let edge = |part: usize| set.start + set.len() * part / parts;
    (0..parts).map(|part| edge(part)..edge(part + 1)).collect()
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
