//! Isolation over an algebra where defects are integers modulo a prime, so that any placement and any forgery is a number.

use proptest::prelude::*;

use super::*;

const PRIME: u64 = (1 << 61) - 1;

/// Defects of single signatures; the group is written additively.
struct Numbers {
    own: Vec<u64>,
    evaluations: usize,
    width: usize,
    turns: usize,
}

impl Numbers {
    fn new(own: &[u64]) -> Self {
        Self { own: own.to_vec(), evaluations: 0, width: 1, turns: 0 }
    }

    fn whole(&mut self) -> u64 {
        let everything = 0..self.own.len();
        self.plain(std::slice::from_ref(&everything))[0]
    }

    fn sum(&self, set: &Range<usize>, weigh: impl Fn(usize) -> u64) -> u64 {
        let sum = set
            .clone()
            .fold(0, |sum, i| (sum + u128::from(self.own[i]) * u128::from(weigh(i))) % u128::from(PRIME));
        sum as u64
    }
}

impl Defects for Numbers {
    type Value = u64;

    fn plain(&mut self, sets: &[Range<usize>]) -> Vec<u64> {
        self.evaluations += sets.len();
        self.turns += sets.len().div_ceil(self.width);
        sets.iter().map(|set| self.sum(set, |_| 1)).collect()
    }

    fn weighted(&mut self, sets: &[Range<usize>]) -> Vec<u64> {
        self.evaluations += sets.len();
        self.turns += sets.len().div_ceil(self.width);
        sets.iter().map(|set| self.sum(set, |i| self.weight(i))).collect()
    }

    fn weight(&self, position: usize) -> u64 {
        // Some members are absent.
        position as u64 * 3 / 2 + 1
    }

    fn one(&self) -> u64 {
        0
    }

    fn mul(&self, a: &u64, b: &u64) -> u64 {
        (a + b) % PRIME
    }

    fn inverse(&self, value: &u64) -> u64 {
        (PRIME - value) % PRIME
    }

    fn width(&self) -> usize {
        self.width
    }
}

/// The positions found, and the evaluations that were spent, that of the whole included.
fn isolated(own: &[u64]) -> (Vec<usize>, usize) {
    let mut numbers = Numbers::new(own);
    let whole = numbers.whole();
    (isolate(&mut numbers, own.len(), whole), numbers.evaluations)
}

/// The same for a processor that evaluates eight sets at once, with the turns that it takes.
fn isolated_by_eights(own: &[u64]) -> (Vec<usize>, usize, usize) {
    let mut numbers = Numbers { width: 8, ..Numbers::new(own) };
    let whole = numbers.whole();
    let wrong = isolate(&mut numbers, own.len(), whole);
    (wrong, numbers.evaluations, numbers.turns)
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

/// The study's figures are 36.2 evaluations for ten wrong ones and 75 for 33: no change may spend more than these bounds.
#[test]
fn evaluations_stay_within_the_budget() {
    for (wrong, mean_at_most) in
        [(1, 3.0), (2, 8.0), (3, 12.0), (5, 18.0), (10, 34.0), (20, 62.0), (33, 80.0)]
    {
        let spent: usize = (0..100).map(|seed| isolated(&random(100, wrong, seed)).1).sum();
        let mean = spent as f64 / 100.0;
        assert!(mean <= mean_at_most, "{wrong} wrong: {mean} evaluations");
    }
    let spent: usize = (0..20).map(|seed| isolated(&random(1000, 10, seed)).1).sum();
    assert!(spent <= 20 * 36, "10 of 1000: {spent} evaluations in 20 runs");
}

#[test]
fn turns_of_eight_stay_within_the_budget() {
    for (wrong, mean_at_most) in [(1, 3.0), (2, 6.0), (3, 7.0), (5, 8.0), (10, 9.5), (20, 12.5), (33, 15.0)] {
        let spent: usize = (0..100).map(|seed| isolated_by_eights(&random(100, wrong, seed)).2).sum();
        let mean = spent as f64 / 100.0;
        assert!(mean <= mean_at_most, "{wrong} wrong: {mean} turns");
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
        assert!(evaluations <= count + 4 * (Budget::MISSES + count / 16), "{count}: {evaluations}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn isolation_is_exact(count in 1_usize..80, share in 0_usize..=80, seed in any::<u64>()) {
        let own = random(count, share.min(count), seed);
        prop_assert_eq!(isolated(&own).0, is_wrong(&own));
        prop_assert_eq!(isolated_by_eights(&own).0, is_wrong(&own));
    }

    /// Small defects cancel often, in parts and in wholes: what is blamed is wrong, and what is kept verifies.
    #[test]
    fn whatever_cancels_nobody_innocent_is_blamed(own in proptest::collection::vec(0_u64..4, 1..60)) {
        let own: Vec<u64> = own.iter().map(|&d| if d == 3 { PRIME - 1 } else { d }).collect();
        let (wrong, evaluations) = isolated(&own);
        prop_assert!(wrong.iter().all(|&i| own[i] != 0));
        let kept = (0..own.len()).filter(|i| !wrong.contains(i));
        prop_assert_eq!(kept.fold(0, |sum, i| (sum + own[i]) % PRIME), 0);
        prop_assert!(evaluations <= own.len() + 4 * (Budget::MISSES + own.len() / 16));
        let (wrong, evaluations, _) = isolated_by_eights(&own);
        prop_assert!(wrong.iter().all(|&i| own[i] != 0));
        let kept = (0..own.len()).filter(|i| !wrong.contains(i));
        prop_assert_eq!(kept.fold(0, |sum, i| (sum + own[i]) % PRIME), 0);
        prop_assert!(evaluations <= own.len() + 3);
    }
}
