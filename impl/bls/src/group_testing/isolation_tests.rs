//! Isolation over an algebra where defects are integers modulo a prime, so that any placement and any forgery is a number.

use std::cell::Cell;
use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

const PRIME: u64 = (1 << 61) - 1;

/// Defects of single signatures; the group is written additively.
struct Numbers {
    own: Vec<u64>,
    evaluations: usize,
    confirmations: usize,
    multiplications: Cell<usize>,
    /// As with pairings: small sets are solved by moments, and claims are confirmed together.
    by_moments: bool,
    /// Eight sums in one turn, with what is likely in the places that would be empty.
    by_eights: bool,
    turns: usize,
    in_advance: HashMap<Sum, u64>,
}

impl Numbers {
    fn new(own: &[u64]) -> Self {
        Self {
            own: own.to_vec(),
            evaluations: 0,
            confirmations: 0,
            multiplications: Cell::new(0),
            by_moments: true,
            by_eights: false,
            turns: 0,
            in_advance: HashMap::new(),
        }
    }

    fn whole(&mut self) -> u64 {
        self.evaluate(&[Sum::plain(0..self.own.len())], &[])[0]
    }

    fn sum(&self, Sum { set, weighing }: &Sum) -> u64 {
        let weight = |i: usize| match weighing {
            Weighing::Plain => 1,
            Weighing::ByMember => u128::from(self.weight(i)),
            Weighing::Moment(power) => ((i - set.start) as u128).pow(*power),
        };
        set.clone().fold(0, |sum, i| {
            ((u128::from(sum) + u128::from(self.own[i]) * weight(i)) % u128::from(PRIME)) as u64
        })
    }

    fn isolated(mut self) -> (Isolated, Self) {
        let whole = self.whole();
        let count = self.own.len();
        (isolate(&mut self, count, whole), self)
    }
}

impl Defects for Numbers {
    type Value = u64;

    fn evaluate(&mut self, asked: &[Sum], likely: &[Sum]) -> Vec<u64> {
        let mut sums: Vec<Sum> =
            asked.iter().filter(|sum| !self.in_advance.contains_key(sum)).cloned().collect();
        if self.by_eights && !sums.is_empty() {
            let most = sums.len().next_multiple_of(8);
            let unknown = likely.iter().filter(|sum| !self.in_advance.contains_key(sum));
            sums.extend(unknown.take(most - sums.len()).cloned());
        }
        self.evaluations += sums.len();
        self.turns += sums.len().div_ceil(8);
        for sum in sums {
            let value = self.sum(&sum);
            self.in_advance.insert(sum, value);
        }
        asked.iter().map(|sum| self.in_advance[sum]).collect()
    }

    fn weight(&self, position: usize) -> u64 {
        // Some members are absent.
        position as u64 * 3 / 2 + 1
    }

    fn one(&self) -> u64 {
        0
    }

    fn mul(&self, a: &u64, b: &u64) -> u64 {
        self.multiplications.set(self.multiplications.get() + 1);
        (a + b) % PRIME
    }

    fn inverse(&self, value: &u64) -> u64 {
        (PRIME - value) % PRIME
    }

    fn confirm(&mut self, claims: &[Claim<u64>]) -> Option<bool> {
        if !self.by_moments {
            return None;
        }
        self.confirmations += 1;
        let is_true = |claim: &Claim<u64>| {
            let power = u128::from(self.own[claim.position]) * u128::from(claim.scale) % u128::from(PRIME);
            power == u128::from(claim.value)
        };
        Some(claims.iter().all(is_true))
    }

    fn largest_leaf(&self) -> usize {
        if self.by_moments { 8 } else { 1 }
    }
}

/// The positions found, and the evaluations that were spent, that of the whole included.
fn isolated(own: &[u64]) -> (Vec<usize>, usize) {
    let (found, numbers) = Numbers::new(own).isolated();
    (found.wrong, numbers.evaluations)
}

/// The same for a processor that evaluates eight sums at once, with the turns that it takes.
fn isolated_by_eights(own: &[u64]) -> (Vec<usize>, usize) {
    let (found, numbers) = Numbers { by_eights: true, ..Numbers::new(own) }.isolated();
    (found.wrong, numbers.turns)
}

/// The same where claims are confirmed one by one.
fn isolated_by_halves(own: &[u64]) -> (Vec<usize>, usize) {
    let (found, numbers) = Numbers { by_moments: false, ..Numbers::new(own) }.isolated();
    assert!(!found.together);
    (found.wrong, numbers.evaluations)
}

/// `wrong` signatures of `count`, at random places with random defects.
fn random(count: usize, wrong: usize, seed: u64) -> Vec<u64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut own = vec![0; count];
    for position in random.choose_multiple(0..count, wrong) {
        own[position] = random.u64(1..PRIME);
    }
    own
}

fn is_wrong(own: &[u64]) -> Vec<usize> {
    (0..own.len()).filter(|&i| own[i] != 0).collect()
}

#[test]
fn a_single_wrong_signature_anywhere_costs_three_evaluations() {
    for count in 3..=130 {
        for position in 0..count {
            let mut own = vec![0; count];
            own[position] = 77;
            assert_eq!(isolated(&own), (vec![position], 3), "{position} of {count}");
        }
    }
    assert_eq!(isolated(&[5]), (vec![0], 1));
    assert_eq!(isolated(&[0; 9]), (vec![], 1));
}

/// Mean evaluations in a hundred runs with `wrong` of `count`, and multiplications of defects.
fn mean(count: usize, wrong: usize, isolated: impl Fn(&[u64]) -> (usize, usize)) -> (f64, f64) {
    let (mut evaluations, mut others) = (0, 0);
    for seed in 0..100 {
        let (a, b) = isolated(&random(count, wrong, seed));
        (evaluations, others) = (evaluations + a, others + b);
    }
    (evaluations as f64 / 100.0, others as f64 / 100.0)
}

/// An evaluation takes as long as 300 multiplications of defects.
#[test]
fn evaluations_stay_within_the_budget() {
    for (count, wrong, most_evaluations, most_multiplications) in [
        (100, 1, 3.0, 60.0),
        (100, 2, 7.0, 120.0),
        (100, 3, 11.0, 200.0),
        (100, 5, 15.0, 300.0),
        (100, 10, 28.0, 400.0),
        (100, 20, 42.0, 800.0),
        (100, 33, 56.0, 1500.0),
        (1000, 10, 36.0, 900.0),
        (1000, 333, 490.0, 30_000.0),
    ] {
        let (evaluations, multiplications) = mean(count, wrong, |own| {
            let (found, numbers) = Numbers::new(own).isolated();
            assert_eq!(found.wrong, is_wrong(own));
            (numbers.evaluations, numbers.multiplications.get())
        });
        assert!(evaluations <= most_evaluations, "{wrong} of {count}: {evaluations} evaluations");
        assert!(multiplications <= most_multiplications, "{wrong} of {count}: {multiplications}");
    }
}

#[test]
fn bisection_with_claims_confirmed_one_by_one_stays_within_its_budget() {
    for (wrong, most) in [(1, 3.0), (2, 8.0), (3, 12.0), (5, 20.0), (10, 37.0), (20, 62.0), (33, 80.0)] {
        let (evaluations, _) = mean(100, wrong, |own| (isolated_by_halves(own).1, 0));
        assert!(evaluations <= most, "{wrong} wrong: {evaluations} evaluations");
    }
}

#[test]
fn turns_of_eight_stay_within_the_budget() {
    for (wrong, most) in [(1, 3.0), (2, 6.0), (3, 7.0), (5, 8.0), (10, 9.5), (20, 11.0), (33, 12.5)] {
        let (turns, _) = mean(100, wrong, |own| (isolated_by_eights(own).1, 0));
        assert!(turns <= most, "{wrong} wrong: {turns} turns");
    }
}

#[test]
fn an_innocent_that_the_exponent_names_is_not_blamed() {
    // Equal defects, and the weights of 1 and 3 lie at equal distances from the weight of 2: 2, 4 and ... see `weight`.
    for (a, b) in [(0, 4), (2, 6), (1, 5), (10, 30)] {
        let mut own = vec![0; 40];
        (own[a], own[b]) = (9, 9);
        let numbers = Numbers::new(&own);
        let mean = numbers.weight(a) + numbers.weight(b);
        let framed = (0..40).find(|&i| 2 * numbers.weight(i) == mean);
        assert!(framed.is_some(), "the attack names somebody");
        assert_eq!(isolated(&own).0, [a, b]);
    }
}

#[test]
fn defects_that_cancel_leave_a_group_that_verifies() {
    let mut own = vec![0; 16];
    (own[2], own[11]) = (5, PRIME - 5);
    assert_eq!(isolated(&own).0, [] as [usize; 0], "the whole verifies, as a whole");
    own[7] = 1;
    let (wrong, _) = isolated(&own);
    assert!(wrong.contains(&7));
    let rest: Vec<u64> = (0..16).filter(|i| !wrong.contains(i)).map(|i| own[i]).collect();
    assert_eq!(rest.iter().fold(0, |a, b| (a + b) % PRIME), 0);
    assert!(wrong.iter().all(|&i| own[i] != 0));
}

#[test]
fn misleading_exponents_are_paid_for_only_so_often() {
    // Everybody wrong with one and the same defect: every exponent names the innocent-looking middle.
    for count in [16, 64, 100, 333] {
        let (wrong, evaluations) = isolated(&vec![9; count]);
        assert_eq!(wrong.len(), count);
        assert!(evaluations <= most_evaluations(count), "{count}: {evaluations}");
        let (wrong, evaluations) = isolated_by_halves(&vec![9; count]);
        assert_eq!(wrong.len(), count);
        assert!(evaluations <= count + 4 * (Budget::MISSES + count / 16), "{count}: {evaluations}");
    }
}

/// Two colluders in every small set, whose defects point at an innocent one: all claims are refuted, all sets bisected.
#[test]
fn colluders_in_every_small_set_blame_nobody_and_cost_little_more_than_one_by_one() {
    let mut own = vec![0; 96];
    for leaf in 0..16 {
        // Places 0 and 2 with equal defects: the first moment names place 1.
        (own[6 * leaf], own[6 * leaf + 2]) = (leaf as u64 + 1, leaf as u64 + 1);
    }
    let (found, numbers) = Numbers::new(&own).isolated();
    assert_eq!(found.wrong, is_wrong(&own));
    assert!(!found.together && numbers.confirmations == 1);
    assert!(numbers.evaluations <= 100, "{}", numbers.evaluations);
}

/// Evaluations in the worst case: the search, then the bisection of every set whose claims were refuted.
fn most_evaluations(count: usize) -> usize {
    2 * count + 4 * (Budget::MISSES + count / 16)
}

/// Positions 3 and 4 cancel in the sum of their half and not in its weighted sum, which the other half would inherit: taken
/// for a moment, it blamed innocent signatures.
#[test]
fn what_cancels_in_a_plain_sum_does_not_spoil_the_moments_of_the_other_half() {
    let mut own = vec![0; 40];
    (own[3], own[4], own[10], own[30]) = (5, PRIME - 5, 7, PRIME - 7);
    (own[20], own[21], own[22]) = (1, 2, 1);
    for (wrong, _) in [isolated(&own), isolated_by_eights(&own), isolated_by_halves(&own)] {
        assert_eq!(wrong, [10, 20, 21, 22, 30]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn isolation_is_exact(count in 1_usize..80, share in 0_usize..=80, seed in any::<u64>()) {
        let own = random(count, share.min(count), seed);
        prop_assert_eq!(isolated(&own).0, is_wrong(&own));
        prop_assert_eq!(isolated_by_eights(&own).0, is_wrong(&own));
        prop_assert_eq!(isolated_by_halves(&own).0, is_wrong(&own));
    }

    /// Colluders whose defects cancel among neighbours, in a large committee.
    #[test]
    fn neighbours_that_cancel_do_not_frame_others(
        count in 20_usize..120,
        pairs in proptest::collection::vec((0_usize..119, 1_u64..4), 0..6),
        single in proptest::collection::vec((0_usize..120, 1_u64..4), 1..6),
    ) {
        let mut own = vec![0; count];
        for (place, defect) in pairs.into_iter().filter(|(place, _)| place + 1 < count) {
            (own[place], own[place + 1]) = (defect, PRIME - defect);
        }
        for (place, defect) in single.into_iter().filter(|(place, _)| *place < count) {
            own[place] = defect;
        }
        for (wrong, _) in [isolated(&own), isolated_by_eights(&own), isolated_by_halves(&own)] {
            prop_assert!(wrong.iter().all(|&i| own[i] != 0));
            let kept = (0..own.len()).filter(|i| !wrong.contains(i));
            prop_assert_eq!(kept.fold(0, |sum, i| (sum + own[i]) % PRIME), 0);
        }
    }

    /// Small defects cancel often, in parts and in wholes: what is blamed is wrong, what is kept verifies, and the processor
    /// makes no difference.
    #[test]
    fn whatever_cancels_nobody_innocent_is_blamed(own in proptest::collection::vec(0_u64..4, 1..60)) {
        let own: Vec<u64> = own.iter().map(|&d| if d == 3 { PRIME - 1 } else { d }).collect();
        let by_bisection = {
            let mut numbers = Numbers::new(&own);
            let whole = numbers.whole();
            (bisect(&mut numbers, own.len(), whole).wrong, numbers.evaluations)
        };
        prop_assert!(by_bisection.1 <= own.len().max(1));
        for (wrong, evaluations) in [isolated(&own), isolated_by_halves(&own), by_bisection] {
            prop_assert!(wrong.iter().all(|&i| own[i] != 0));
            let kept = (0..own.len()).filter(|i| !wrong.contains(i));
            prop_assert_eq!(kept.fold(0, |sum, i| (sum + own[i]) % PRIME), 0);
            prop_assert!(evaluations <= most_evaluations(own.len()));
        }
        prop_assert_eq!(isolated(&own).0, isolated_by_eights(&own).0);
    }
}
