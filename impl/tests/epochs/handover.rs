//! Honest handovers: members exchanged, other sizes, disjoint committees, many epochs.

use zus_bpp::block::Closing;
use zus_bpp::epochs::replica::Part;
use zus_bpp::miner::TicketForm;
use zus_sim::epochs::Setup;

use super::{ends_well, parts};

#[test]
fn one_member_is_exchanged() {
    // Tickets travel in both forms.
    for (seed, ticket_form) in
        (0..4).zip([TicketForm::Compressed, TicketForm::Uncompressed].into_iter().cycle())
    {
        let setup = Setup::new(vec![vec![0, 1, 2, 3], vec![1, 2, 3, 4]], 1, 3, seed);
        let world = ends_well(Setup { ticket_form, ..setup }, 4, 60_000);
        let expected = [
            (0, Part::Follower),
            (1, Part::Member),
            (2, Part::Member),
            (3, Part::Member),
            (4, Part::Member),
            (5, Part::Follower),
        ];
        assert_eq!(parts(&world, 2), expected.into(), "seed {seed}");
        assert!(world.observer.convicted.is_empty());
    }
}

#[test]
fn committees_without_a_common_member() {
    for seed in 0..4 {
        let world = ends_well(Setup::new(vec![vec![0, 1, 2, 3], vec![4, 5, 6, 7]], 1, 3, seed), 4, 60_000);
        let parts = parts(&world, 2);
        assert!((4..8).all(|node| parts[&node] == Part::Member), "seed {seed}: {parts:?}");
    }
}

#[test]
fn four_hand_over_to_two_and_seven_to_four_and_one_to_four() {
    for committees in [
        vec![vec![0, 1, 2, 3], vec![1, 2]],
        vec![vec![0, 1, 2, 3, 4, 5, 6], vec![5, 6, 7, 8]],
        vec![vec![0], vec![0, 1, 2, 3]],
    ] {
        for seed in 0..3 {
            ends_well(Setup::new(committees.clone(), 1, 2, seed), 4, 60_000);
        }
    }
}

#[test]
fn five_epochs_with_a_member_exchanged_each_time() {
    let world = ends_well(Setup::new(Setup::exchanging(4, 1, 5), 2, 2, 1), 4, 120_000);
    assert_eq!(world.observer.handovers.len(), 5);
    // Rounds are consecutive across epochs, closing blocks bring items, and a record is named once.
    let chain: Vec<_> = world.observer.chain().collect();
    let closes = |closing| matches!(closing, Closing::Closes { .. });
    let closing: Vec<u64> = chain
        .iter()
        .filter(|block| closes(block.header().closing))
        .map(|block| block.header().epoch.0)
        .collect();
    assert_eq!(closing, [1, 2, 3, 4]);
    assert!(chain.iter().all(|block| !closes(block.header().closing) || !block.items().is_empty()));
}

#[test]
fn a_committee_that_stays_the_same_hands_over_to_itself() {
    let world = ends_well(Setup::new(vec![vec![0, 1, 2, 3]; 4], 1, 2, 3), 4, 120_000);
    assert!(parts(&world, 4).values().filter(|part| **part == Part::Member).count() == 4);
}

/// With loss, some node does not get the certificate of the closing block before one of the tail.
#[test]
fn an_epoch_begins_by_the_certificate_of_a_tail_block() {
    let mut by_tail = 0;
    for seed in 0..12 {
        let mut setup = Setup::new(Setup::exchanging(4, 1, 4), 1, 2, seed);
        setup.links = zus_sim::timed::Links { loss: 250, ..zus_sim::timed::Links::ROUGH };
        let world = ends_well(setup, 3, 400_000);
        by_tail += world.observer.handovers.values().filter(|known| known.certified > known.anchor).count();
    }
    assert!(by_tail > 0, "WE2 is reached in no run");
}
