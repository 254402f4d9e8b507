//! The exhaustive product at sizes that take seconds: exact counts, no failure, no refusal. Larger ones: `zus-fuzz product`.

use stateright::Checker;
use zus_bpp::rules::{
    BeaconRule, EchoRule, FinalityRule, Rules, SubroundEntryRule, TicketLogRule, TicketRule,
};
use zus_fuzz::product::Product;

const HARDENED: Rules = Rules::HARDENED;

/// Rounds, subrounds, the Byzantine miner, crashes, keys, whether refusals are looked for, pairs.
type Row = (u8, u8, u16, u32, u64, bool, usize);

/// Orders of generators: with keys 0, (1, 0) has miners 3 and 1; with keys 1, miners 0 and 3.
const ROWS: [Row; 6] = [
    // No Byzantine generator, then one of rank 0 that equivocates.
    (1, 1, 0, 0, 0, true, 101),
    (1, 1, 3, 0, 0, true, 322),
    // A crash anywhere, before and after each flush, and a restart.
    (1, 1, 3, 1, 0, true, 3_958),
    // Two rounds. Blocks of the second one name the first as final or not: these are other blocks.
    (2, 1, 0, 0, 0, true, 1_816),
    (2, 1, 3, 0, 0, false, 33_158),
    // Two subrounds; the Byzantine miner has no turn in either.
    (1, 2, 2, 0, 0, false, 56_061),
];

/// The pairs of a product in which nothing is wrong; otherwise what is, and how it came to that.
fn explored(product: Product, refusals: bool) -> Result<usize, String> {
    let copy = product.clone();
    let checker = product.explore(refusals, usize::MAX);
    let Some((property, path)) = checker.discoveries().into_iter().next() else {
        return Ok(checker.unique_state_count());
    };
    let refused = copy.refusals(path.last_state());
    let last = format!("{:?}", path.last_state());
    Err(format!("not so: {property}\n{last}\n{refused:?}\n{:#?}", path.into_actions()))
}

#[test]
fn production_refines_the_model_in_every_interleaving() {
    let mut wrong = Vec::new();
    for (rounds, subrounds, byzantine, crashes, seed, refusals, pairs) in ROWS {
        let mut product = Product::of_four(rounds, subrounds, byzantine, seed);
        product.crashes = crashes;
        let found = explored(product, refusals).unwrap_or_else(|why| panic!("{why}"));
        if found != pairs {
            wrong.push((rounds, subrounds, byzantine, crashes, seed, found));
        }
    }
    assert_eq!(wrong, [], "other counts than those pinned");
}

/// Shares arrive at any time, and windows may close before them.
#[test]
fn late_shares_are_explored_too() {
    let product = Product { late_shares: true, ..Product::of_four(1, 1, 3, 0) };
    let checker = product.explore(true, usize::MAX);
    assert!(checker.discoveries().is_empty());
    assert_eq!(checker.unique_state_count(), 619);
}

/// Rules, rounds, subrounds, the Byzantine miner, crashes, keys, whether refusals are looked for, pairs.
type RuleRow = (&'static str, Rules, u8, u8, u16, u32, u64, bool, usize);

/// Rules other than `hardened`, at sizes of seconds together.
const RULE_ROWS: [RuleRow; 11] = [
    ("BetterRank", Rules { ticket: TicketRule::BetterRank, ..HARDENED }, 1, 1, 3, 0, 0, false, 9_056),
    (
        "BetterOrEqualRank",
        Rules { ticket: TicketRule::BetterOrEqualRank, ..HARDENED },
        1,
        1,
        0,
        0,
        0,
        true,
        604,
    ),
    ("Local", Rules { subround_entry: SubroundEntryRule::Local, ..HARDENED }, 1, 2, 2, 0, 0, false, 12_146),
    (
        "Local, a crash",
        Rules { subround_entry: SubroundEntryRule::Local, ..HARDENED },
        1,
        1,
        3,
        1,
        0,
        true,
        3_958,
    ),
    ("TwoThirds", Rules { finality: FinalityRule::TwoThirds, ..HARDENED }, 2, 1, 0, 0, 0, true, 1_827),
    (
        "depth 1",
        Rules { finality: FinalityRule::CommonAncestor { depth: 1 }, ..HARDENED },
        2,
        1,
        0,
        0,
        0,
        true,
        1_826,
    ),
    (
        "Volatile, a crash",
        Rules { ticket_log: TicketLogRule::Volatile, ..HARDENED },
        1,
        1,
        3,
        1,
        0,
        true,
        6_356,
    ),
    ("no echo", Rules { echo: EchoRule::None, ..HARDENED }, 2, 1, 0, 0, 0, true, 1_816),
    ("Chained", Rules { beacon: BeaconRule::Chained, ..HARDENED }, 2, 1, 0, 0, 0, true, 1_223),
    ("documented", Rules::DOCUMENTED, 2, 1, 0, 0, 0, true, 1_229),
    ("deployed", Rules::DEPLOYED, 2, 1, 0, 0, 0, true, 6_727),
];

#[test]
fn production_refines_the_model_in_every_interleaving_under_other_rules() {
    let mut wrong = Vec::new();
    for (name, rules, rounds, subrounds, byzantine, crashes, seed, refusals, pairs) in RULE_ROWS {
        let mut product = Product::of_four(rounds, subrounds, byzantine, seed).under(rules);
        product.crashes = crashes;
        let found = explored(product, refusals).unwrap_or_else(|why| {
            println!("{name}: {why}");
            0
        });
        if found != pairs {
            wrong.push((name, found));
        }
    }
    assert_eq!(wrong, [], "other counts than those pinned");
}
