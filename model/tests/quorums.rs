//! Quorum arithmetic against a table that was made apart from it (`data/quorums.txt`, n = 1 to 200), and as properties.

use proptest::prelude::*;
use zus_checker::{
    Fault,
    committee::{overlap, quorum, tolerated},
    rules::QuorumRule,
};

struct Row {
    n: u32,
    f: u32,
    majority: u32,
    percent66: u32,
    majority_overlap: u32,
    percent66_overlap: u32,
}

fn table() -> Vec<Row> {
    let text = include_str!("data/quorums.txt");
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let numbers: Vec<u32> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
        let [n, f, majority, percent66, majority_overlap, percent66_overlap] = numbers[..] else {
            panic!("six columns: {line}")
        };
        Row { n, f, majority, percent66, majority_overlap, percent66_overlap }
    });
    rows.collect()
}

#[test]
fn every_size_to_200_agrees_with_the_table() {
    let table = table();
    assert_eq!(table.iter().map(|row| row.n).collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>());
    for row in table {
        assert_eq!(tolerated(row.n), row.f, "f at n = {}", row.n);
        let (majority, percent) =
            (quorum(QuorumRule::ByzantineMajority, None, row.n), quorum(QuorumRule::Percent66, None, row.n));
        assert_eq!(majority, row.majority, "n - f at n = {}", row.n);
        assert_eq!(percent, row.percent66, "66 percent at n = {}", row.n);
        assert_eq!(overlap(row.n, majority), row.majority_overlap, "overlap at n = {}", row.n);
        assert_eq!(overlap(row.n, percent), row.percent66_overlap, "overlap of 66 percent at n = {}", row.n);
    }
}

#[test]
fn sixty_six_percent_first_loses_its_honest_overlap_at_fifty() {
    let lost = table().into_iter().find(|row| row.percent66_overlap <= row.f).unwrap();
    assert_eq!((lost.n, lost.f, lost.percent66, lost.percent66_overlap), (50, 16, 33, 16));
    assert!(table().iter().all(|row| row.majority_overlap > row.f), "n - f never loses it");
}

proptest! {
    #[test]
    fn two_majorities_share_an_honest_member_and_honest_members_reach_one(n in 1u32..10_000_000) {
        let (f, q) = (tolerated(n), quorum(QuorumRule::ByzantineMajority, None, n));
        prop_assert!(3 * f < n && n <= 3 * f + 3);
        prop_assert!(overlap(n, q) > f);
        prop_assert!(q <= n - f);
    }

    #[test]
    fn one_ticket_less_shares_none_in_the_tightest_committees(f in 1u32..3_000_000) {
        let n = 3 * f + 1;
        prop_assert!(overlap(n, quorum(QuorumRule::ByzantineMajority, Some(Fault::QuorumOneLess), n)) <= f);
        prop_assert!(overlap(n, quorum(QuorumRule::ByzantineMajority, Some(Fault::QuorumOfFaultsPlusOne), n)) <= f);
    }
}
