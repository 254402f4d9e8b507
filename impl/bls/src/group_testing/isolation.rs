//! Which of many signatures are wrong, in far fewer pairing products than signatures.
//!
//! Every set of signatures has a **defect**: one when its sum verifies, and in general the product of what each of its
//! members contributes. Defects multiply: that of a set is the product of those of its parts. So
//!
//! - **quotient bisection**: the defect of a right half is that of the whole divided by that of the left half. A split costs
//!   one evaluation, and all of them together at most one for each signature;
//! - **exponent search**: weigh each signature with its member's number. If exactly one of the set is wrong, say with defect
//!   `d` and weight `w`, the weighted defect is `d^w`, and `w` is found by comparing powers: one evaluation replaces a whole
//!   bisection;
//! - **moments** (`isolation/moments.rs`): the same for several wrong ones in a small set, one evaluation for each.
//!
//! Exponents are evidence of nothing: two wrong signatures with equal defects and weights 3 and 7 point at 5. Their
//! result is therefore a **claim** about the defect of a single signature, and nobody is blamed before its claim was
//! confirmed: few claims by evaluating each signature alone, more of them together ([`Defects::confirm`]). Where a
//! claim is false, its set is bisected instead. So every index that is returned has a defect of its own that is not
//! one, and the defects of all others multiply to one, however the signatures were made.
//!
//! **The tree is everybody's.** Which sets are asked about depends on the number of signatures and on the defects alone, never
//! on the processor: where colluders' defects cancel, it is the tree that decides which of them are found, and all machines
//! find the same ones. A processor that evaluates eight sums in the time of three is told what will be asked next if nothing
//! unlikely happens, and may evaluate it in advance ([`Defects::evaluate`]).
//!
//! **Budget.** Bisection is better where many are wrong, the exponent where few are. The number is not known beforehand, so
//! it is estimated from how many of a level's sets have a defect, and the exponent is tried where the evaluations that it is
//! expected to save exceed those it costs. With `m` signatures, an attacker can waste at most `8 + m / 16` searches (`Budget`).

mod moments;

use std::ops::Range;

use self::moments::{Found, Leaf};

/// Fewer claims than this are confirmed one by one.
const TOGETHER: usize = 4;

/// How the signatures of a sum count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Weighing {
    /// Each once.
    Plain,
    /// Each as often as its [`Defects::weight`] says.
    ByMember,
    /// Each as often as this power of its place in the set: 0, 1, 2 and so on.
    Moment(u32),
}

/// A sum of the signatures at these positions.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sum {
    /// The positions.
    pub set: Range<usize>,
    /// How they count.
    pub weighing: Weighing,
}

impl Sum {
    /// Each signature once.
    #[must_use]
    pub const fn plain(set: Range<usize>) -> Self {
        Self { set, weighing: Weighing::Plain }
    }
}

/// That the defect of one signature, raised to `scale`, is `value`, which is not one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim<V> {
    /// Which signature.
    pub position: usize,
    /// Not zero.
    pub scale: u64,
    /// Not one.
    pub value: V,
}

/// The sums that are asked about, by position, and the group of their defects.
pub trait Defects {
    /// A defect.
    type Value: Clone + PartialEq;

    /// The defects of `asked`. Those of `likely` will be asked soon, unless something unlikely happens.
    fn evaluate(&mut self, asked: &[Sum], likely: &[Sum]) -> Vec<Self::Value>;

    /// The weight of the signature at a position: not zero, strictly increasing.
    fn weight(&self, position: usize) -> u64;

    /// The defect of what verifies.
    fn one(&self) -> Self::Value;

    /// The defect of two sets together.
    fn mul(&self, a: &Self::Value, b: &Self::Value) -> Self::Value;

    /// The defect of a set taken twice.
    fn square(&self, value: &Self::Value) -> Self::Value {
        self.mul(value, value)
    }

    /// The inverse of a defect.
    fn inverse(&self, value: &Self::Value) -> Self::Value;

    /// Whether all claims are true, at the cost of a few evaluations; `None` where they cannot be confirmed together, and are
    /// confirmed one by one.
    fn confirm(&mut self, claims: &[Claim<Self::Value>]) -> Option<bool> {
        let _ = claims;
        None
    }

    /// The largest set that is solved by moments: one where claims cannot be confirmed together.
    fn largest_leaf(&self) -> usize {
        1
    }
}

/// The result of the search.
#[derive(PartialEq, Eq, Debug)]
pub struct Isolated {
    /// The positions of wrong signatures, increasing.
    pub wrong: Vec<usize>,
    /// Whether claims were confirmed together, so that this holds but for the probability that [`Defects::confirm`] errs.
    pub together: bool,
}

/// The positions of wrong signatures among `count`. `whole` is the defect of all of them together.
///
/// The signatures at the other positions verify as one group, and only as that group.
pub fn isolate<D: Defects>(defects: &mut D, count: usize, whole: D::Value) -> Isolated {
    let mut search = Search::new(defects, count);
    if whole != search.defects.one() {
        search.run(count, whole);
    }
    search.finish()
}

/// [`isolate`] by quotient bisection alone, which errs with no probability whatever.
pub fn bisect<D: Defects>(defects: &mut D, count: usize, whole: D::Value) -> Isolated {
    let mut search = Search::new(defects, count);
    if whole != search.defects.one() {
        search.bisect(vec![Suspect { set: 0..count, plain: whole, weighted: None }]);
    }
    search.finish()
}

/// A set that is known to have a defect.
struct Suspect<V> {
    set: Range<usize>,
    plain: V,
    weighted: Option<V>,
}

/// The weighted defect of a set, where it is known, and the set's halves.
type Halves<V> = (Option<V>, Vec<Suspect<V>>);

/// A set whose defect is explained by the claims about some of its signatures.
struct Case<V> {
    set: Range<usize>,
    plain: V,
    claims: Vec<Claim<V>>,
}

struct Search<'a, D: Defects> {
    defects: &'a mut D,
    wrong: Vec<usize>,
    cases: Vec<Case<D::Value>>,
    together: bool,
    budget: Budget,
}

impl<'a, D: Defects> Search<'a, D> {
    fn new(defects: &'a mut D, count: usize) -> Self {
        Self { defects, wrong: Vec::new(), cases: Vec::new(), together: false, budget: Budget::new(count) }
    }

    fn finish(mut self) -> Isolated {
        self.wrong.sort_unstable();
        Isolated { wrong: self.wrong, together: self.together }
    }

    fn run(&mut self, count: usize, whole: D::Value) {
        let leaf = self.defects.largest_leaf();
        let mut open = vec![Suspect { set: 0..count, plain: whole, weighted: None }];
        if count > leaf.max(2) {
            let weighted = Sum { set: 0..count, weighing: Weighing::ByMember };
            open[0].weighted = self.defects.evaluate(&[weighted], &[]).pop();
            open = self.shoot(open);
            // A single wrong signature is the usual case: it is settled before anything else is asked.
            for suspect in self.settle() {
                self.budget.missed();
                open.push(suspect);
            }
        }
        let (mut leaves, mut sets_of_level) = (Vec::new(), 1);
        while !open.is_empty() {
            let (small, large): (Vec<_>, Vec<_>) =
                open.into_iter().partition(|suspect| suspect.set.len() <= leaf);
            for suspect in small {
                if suspect.set.len() == 1 {
                    self.wrong.push(suspect.set.start);
                } else {
                    // The weighted defect may be an inherited value that lacks a part cancelled in the plain one. It
                    // can name suspects, but is no moment.
                    leaves.push(Leaf { set: suspect.set, moments: vec![suspect.plain] });
                }
            }
            sets_of_level = (2 * sets_of_level).min(count);
            open = self.split(large, sets_of_level);
        }
        self.solve(leaves);
        let refuted = self.settle();
        self.bisect(refuted);
    }

    /// The halves of each set with their defects, by one evaluation a set.
    fn halve(&mut self, suspects: &[Suspect<D::Value>]) -> Vec<[Suspect<D::Value>; 2]> {
        let leaf = self.defects.largest_leaf();
        let lefts: Vec<Sum> =
            suspects.iter().map(|suspect| Sum::plain(halves(&suspect.set)[0].clone())).collect();
        // Where the whole is weighed, the halves may be next.
        let weighed =
            |suspect: &&Suspect<D::Value>| suspect.weighted.is_some() && suspect.set.len() > 2 * leaf;
        let mut likely: Vec<Sum> = suspects
            .iter()
            .filter(weighed)
            .map(|suspect| Sum { set: halves(&suspect.set)[0].clone(), weighing: Weighing::ByMember })
            .collect();
        let mut level: Vec<Range<usize>> = suspects.iter().flat_map(|suspect| halves(&suspect.set)).collect();
        while likely.len() < LOOK_AHEAD && !level.is_empty() {
            level.retain(|set| set.len() > leaf);
            likely.extend(level.iter().map(|set| Sum::plain(halves(set)[0].clone())));
            level = level.iter().flat_map(halves).collect();
        }
        likely.truncate(LOOK_AHEAD);
        let values = self.defects.evaluate(&lefts, &likely);
        let pair = |(suspect, left): (&Suspect<D::Value>, D::Value)| {
            let [first, second] = halves(&suspect.set);
            let right = self.defects.mul(&suspect.plain, &self.defects.inverse(&left));
            [
                Suspect { set: first, plain: left, weighted: None },
                Suspect { set: second, plain: right, weighted: None },
            ]
        };
        suspects.iter().zip(values).map(pair).collect()
    }

    /// The halves that have a defect, or what is left of them after those with a single wrong signature are done.
    fn split(&mut self, suspects: Vec<Suspect<D::Value>>, sets_of_level: usize) -> Vec<Suspect<D::Value>> {
        let (one, leaf) = (self.defects.one(), self.defects.largest_leaf());
        let mut defective = 0;
        let (mut pairs, mut rest) = (Vec::new(), Vec::new());
        for (halves, suspect) in self.halve(&suspects).into_iter().zip(suspects) {
            let mut found: Vec<_> = halves.into_iter().filter(|half| half.plain != one).collect();
            defective += found.len();
            match &mut found[..] {
                // Exact unless colluders' defects cancel in the other half.
                [only] => only.weighted = suspect.weighted,
                [_, _] => {
                    pairs.push((suspect.weighted, found));
                    continue;
                }
                _ => {}
            }
            rest.append(&mut found);
        }
        let (worth_a_shot, others): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(weighted, pair)| {
            let size = pair.iter().map(|suspect| suspect.set.len()).max().unwrap_or(0);
            size > leaf && self.budget.is_worth_it(size, weighted.is_some(), defective, sets_of_level)
        });
        rest.extend(others.into_iter().flat_map(|(_, pair)| pair));
        let shots = self.weigh(worth_a_shot);
        rest.append(&mut self.shoot(shots));
        rest
    }

    /// The weighted defects of the halves of sets; that of the second is a quotient where the whole's is known.
    fn weigh(&mut self, pairs: Vec<Halves<D::Value>>) -> Vec<Suspect<D::Value>> {
        let asked = |whole: &Option<D::Value>| if whole.is_some() { 1 } else { 2 };
        let by_member =
            |suspect: &Suspect<D::Value>| Sum { set: suspect.set.clone(), weighing: Weighing::ByMember };
        let sums: Vec<Sum> =
            pairs.iter().flat_map(|(whole, pair)| pair.iter().take(asked(whole)).map(by_member)).collect();
        if sums.is_empty() {
            return Vec::new();
        }
        // Where the exponent says nothing, the halves are split.
        let next = pairs.iter().flat_map(|(_, pair)| pair).filter(|suspect| suspect.set.len() > 1);
        let likely: Vec<Sum> = next.map(|suspect| Sum::plain(halves(&suspect.set)[0].clone())).collect();
        let mut values = self.defects.evaluate(&sums, &likely).into_iter();
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

    /// Looks for a single wrong signature in each set, which makes a case; the sets that remain have more than one.
    fn shoot(&mut self, suspects: Vec<Suspect<D::Value>>) -> Vec<Suspect<D::Value>> {
        let mut open = Vec::new();
        for suspect in suspects {
            if suspect.set.len() == 1 {
                open.push(suspect);
                continue;
            }
            match self.named_by_exponent(&suspect) {
                Some(position) => {
                    let claims = vec![Claim { position, scale: 1, value: suspect.plain.clone() }];
                    self.cases.push(Case { set: suspect.set, plain: suspect.plain, claims });
                }
                None => {
                    self.budget.missed();
                    open.push(suspect);
                }
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

    /// Asks for one moment after the other until the wrong signatures of each set are known.
    fn solve(&mut self, mut open: Vec<Leaf<D::Value>>) {
        while !open.is_empty() {
            let next = |leaf: &Leaf<D::Value>, ahead: usize| {
                let moment = leaf.moments.len() + ahead;
                (moment < leaf.set.len())
                    .then(|| Sum { set: leaf.set.clone(), weighing: Weighing::Moment(moment as u32) })
            };
            let asked: Vec<Sum> = open.iter().filter_map(|leaf| next(leaf, 0)).collect();
            let likely: Vec<Sum> = match asked.len() {
                0..3 => Vec::new(),
                _ => open.iter().filter_map(|leaf| next(leaf, 1)).collect(),
            };
            let mut values = self.defects.evaluate(&asked, &likely).into_iter();
            let mut unsolved = Vec::new();
            for mut leaf in open {
                if leaf.moments.len() < leaf.set.len() {
                    leaf.moments.extend(values.next());
                }
                match leaf.solve(self.defects) {
                    Some(Found::Certain(wrong)) => self.wrong.extend(wrong),
                    Some(Found::Claims(claims)) => {
                        let plain = leaf.moments.swap_remove(0);
                        self.cases.push(Case { set: leaf.set, plain, claims });
                    }
                    None => unsolved.push(leaf),
                }
            }
            open = unsolved;
        }
    }

    /// Confirms the claims of all cases. The sets of those that are not confirmed are given back.
    fn settle(&mut self) -> Vec<Suspect<D::Value>> {
        let cases = std::mem::take(&mut self.cases);
        let claims: Vec<Claim<D::Value>> = cases.iter().flat_map(|case| case.claims.clone()).collect();
        let mut verdicts = if claims.len() < TOGETHER { None } else { self.defects.confirm(&claims) }
            .map(|all_true| {
                self.together |= all_true;
                vec![all_true; claims.len()]
            })
            .unwrap_or_else(|| self.confirm_alone(&claims))
            .into_iter();
        let mut refuted = Vec::new();
        for case in cases {
            // All are consumed, whatever the first says.
            let verdicts: Vec<bool> = verdicts.by_ref().take(case.claims.len()).collect();
            if verdicts.iter().all(|&is_true| is_true) {
                self.wrong.extend(case.claims.iter().map(|claim| claim.position));
            } else {
                refuted.push(Suspect { set: case.set, plain: case.plain, weighted: None });
            }
        }
        refuted
    }

    fn confirm_alone(&mut self, claims: &[Claim<D::Value>]) -> Vec<bool> {
        if claims.is_empty() {
            return Vec::new();
        }
        let alone: Vec<Sum> =
            claims.iter().map(|claim| Sum::plain(claim.position..claim.position + 1)).collect();
        let own = self.defects.evaluate(&alone, &[]);
        let defects = &*self.defects;
        let is_true =
            |(claim, own): (&Claim<D::Value>, D::Value)| power(defects, &own, claim.scale) == claim.value;
        claims.iter().zip(own).map(is_true).collect()
    }

    /// Quotient bisection down to single signatures.
    fn bisect(&mut self, mut open: Vec<Suspect<D::Value>>) {
        let one = self.defects.one();
        while !open.is_empty() {
            let (single, several): (Vec<_>, Vec<_>) =
                open.into_iter().partition(|suspect| suspect.set.len() == 1);
            self.wrong.extend(single.iter().map(|suspect| suspect.set.start));
            let halves = if several.is_empty() { Vec::new() } else { self.halve(&several) };
            open = halves.into_iter().flatten().filter(|half| half.plain != one).collect();
        }
    }
}

fn halves(set: &Range<usize>) -> [Range<usize>; 2] {
    let middle = set.start + set.len() / 2;
    [set.start..middle, middle..set.end]
}

/// Sums that are foreseen, at most.
const LOOK_AHEAD: usize = 16;

/// `base` to a public exponent, bit by bit.
fn power<D: Defects>(defects: &D, base: &D::Value, exponent: u64) -> D::Value {
    let Some(highest) = exponent.checked_ilog2() else { return defects.one() };
    (0..highest).rev().fold(base.clone(), |value, bit| {
        let square = defects.square(&value);
        if exponent >> bit & 1 == 1 { defects.mul(&square, base) } else { square }
    })
}

/// The budget for exponents that lead nowhere.
struct Budget {
    misses_left: usize,
}

impl Budget {
    /// Misses that are free.
    const MISSES: usize = 8;

    /// Sets without a defect that are assumed where none was seen: what is all defective has many wrong.
    const UNSEEN: f64 = 0.1;

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
        let share = (defective as f64 / sets).min((sets - Self::UNSEEN) / sets);
        let wrong = (1.0 - share).ln() / (1.0 - 1.0 / sets).ln();
        let single = wrong / sets * (1.0 - 1.0 / sets).powf(wrong - 1.0) / share;
        let saved = 2.0 * single * ((size as f64).log2() - 1.0);
        saved > Self::MARGIN * if whole_is_weighed { 1.0 } else { 2.0 }
    }
}

#[cfg(test)]
#[path = "isolation_tests.rs"]
mod tests;
