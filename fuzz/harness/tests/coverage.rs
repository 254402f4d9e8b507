//! The states that runs of production reach are among those of the product, and those among the states of the model: at
//! the smallest size here, larger with `zus-fuzz coverage`.

use zus_fuzz::coverage::{Small, States};
use zus_fuzz::schedule::{Choice, Random};

/// One round of one subround: the states of the model, and those that production can reach at all.
#[test]
fn runs_lie_in_the_product_and_the_product_in_the_model() {
    let small = Small::new(1);
    let model = small.model().expect("few states");
    let (_, possible) = small.possible().expect("few pairs");
    let mut walked = States::new();
    let mut random = Random::new(1);
    for _ in 0..400 {
        let choices: Vec<Choice> = (0..64).map(|_| random.choice()).collect();
        small.follow(&choices, &mut walked);
    }
    assert_eq!(walked.difference(&possible).count(), 0, "the product misses what runs reach");
    assert_eq!(possible.difference(&model).count(), 0, "production is where the model is not");
    // Here production reaches whatever the model has; with two subrounds it is 97 in a hundred.
    assert_eq!((model.len(), possible.len()), (50, 50));
    assert!(walked.len() * 4 > possible.len(), "random runs reach {} of {}", walked.len(), possible.len());
}

/// Negative control: where shares arrive at once, the product misses what runs reach.
#[test]
fn a_product_in_which_shares_are_never_late_misses_states() {
    let mut small = Small::new(1);
    small.product.late_shares = false;
    // Rank 0 is honest with these keys: a generator whose window closes early tickets a worse block than its own.
    (small.product.setup.seed, small.product.setup.byzantine) = (1, vec![3]);
    let (_, possible) = small.possible().expect("few pairs");
    let mut walked = States::new();
    let mut random = Random::new(1);
    for _ in 0..2_000 {
        let choices: Vec<Choice> = (0..64).map(|_| random.choice()).collect();
        small.follow(&choices, &mut walked);
    }
    assert!(walked.difference(&possible).count() > 0);
}
