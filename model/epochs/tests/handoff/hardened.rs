//! The recommended rules hold, in every state of these instances, and the witnesses are reached.

use super::{explore, shortest};
use zus_epochs::handoff::{ComesBack, EpochProperty, Exploration, Instance, Tickets, scenarios as s};

use EpochProperty::{E1, E2, E3, E5, E8, E9, WE1, WE2, WE4, WE5, WE6};

const SAFETY: [EpochProperty; 9] = [E1, E2, E3, E9, WE1, WE2, WE4, WE5, WE6];

/// Explores with all tickets and asks everything, or without needless tickets and asks for safety.
fn counts(instance: Instance, tickets: Tickets) -> (usize, usize, Vec<EpochProperty>) {
    let all = Exploration { tickets, ..Exploration::new(instance) };
    let asked = match tickets {
        Tickets::All => EpochProperty::ALL.to_vec(),
        Tickets::Needed => SAFETY.to_vec(),
    };
    explore(Exploration { asked, ..all })
}

#[test]
fn safety_holds_between_two_branches_that_close_one_round_apart() {
    let found = |instance| counts(instance, Tickets::Needed);
    assert_eq!(found(s::one_exchanged(s::rivals())), (148_227, 442_163, vec![WE1, WE2, WE4]));
    assert_eq!(found(s::byzantine_exchanged(s::rivals())), (25_818, 63_030, vec![WE1, WE2]));
    assert_eq!(found(s::disjoint(s::rivals())), (62_004, 266_384, vec![WE1, WE2]));
    assert_eq!(found(s::four_to_two(s::rivals())), (73_643, 223_877, vec![WE1, WE2, WE4]));
}

#[test]
fn safety_holds_with_two_rivals_in_the_first_round_of_the_next_epoch() {
    let found = |instance| counts(instance, Tickets::Needed);
    assert_eq!(found(s::one_exchanged(s::second())), (108_447, 345_255, vec![WE1, WE4]));
    assert_eq!(found(s::byzantine_exchanged(s::second())), (18_233, 44_314, vec![WE1]));
    assert_eq!(found(s::disjoint(s::second())), (31_927, 152_379, vec![WE1]));
    assert_eq!(found(s::four_to_two(s::second())), (19_242, 62_591, vec![WE1, WE4]));
}

#[test]
fn nothing_is_stuck_and_nobody_is_left_behind() {
    let found = |instance| counts(instance, Tickets::All);
    assert_eq!(found(s::one_exchanged(s::fair())), (187_621, 580_418, vec![WE1, WE2, WE4]));
    assert_eq!(found(s::byzantine_exchanged(s::fair())), (31_837, 77_941, vec![WE1, WE2]));
    assert_eq!(found(s::disjoint(s::fair())), (87_101, 387_015, vec![WE1, WE2]));
    assert_eq!(found(s::four_to_two(s::fair())), (75_935, 233_514, vec![WE1, WE2, WE4]));
}

/// Three epochs, without and with a crash of each member at any time.
#[test]
fn a_member_jumps_over_an_epoch() {
    let found = |instance| counts(instance, Tickets::All);
    assert_eq!(found(s::same_committee(s::chain())), (3_114, 7_110, vec![WE1, WE5]));
    let restarts = Instance { restarts: 3, ..s::same_committee(s::chain()) };
    assert_eq!(found(restarts), (79_384, 259_803, vec![WE1, WE5, WE6]));
}

/// An honest member crashes, at any time, and has its log only: safety holds.
#[test]
fn crashes_at_the_boundary_break_no_safety() {
    let behind = |instance| Instance { restarts: 1, comes_back: ComesBack::WithItsLogOnly, ..instance };
    let found = |instance| counts(behind(instance), Tickets::Needed);
    assert_eq!(found(s::byzantine_exchanged(s::second())), (145_696, 415_094, vec![WE1, WE6]));
    assert_eq!(found(s::byzantine_exchanged(s::rivals())), (208_703, 646_088, vec![WE1, WE2, WE6]));
}

/// Liveness holds if a vote and the certificate that it was cast on are stored together. Without the certificate a round can be stuck: the
/// adversary shows a notarization to one member, which votes and forgets it, and signs nothing in that round any more.
#[test]
fn a_member_that_voted_needs_the_certificate_after_a_crash() {
    let crash = Instance { restarts: 1, ..s::byzantine_exchanged(s::fair()) };
    assert_eq!(counts(crash.clone(), Tickets::All), (195_752, 557_319, vec![WE1, WE2, WE6]));
    let stuck = Instance { comes_back: ComesBack::WithItsLogOnly, ..crash };
    let run = shortest(&Exploration::new(stuck.clone()), E5).expect("a stuck round");
    assert_eq!(
        stuck.tell(&run),
        "1. stayer 1 signs a ticket for c (epoch 0, round 2, subround 1).\n\
         2. stayer 2 signs a ticket for c (epoch 0, round 2, subround 1).\n\
         3. stayer 3 leaves its round through c and votes for it.\n\
         4. stayer 3 crashes and comes back."
    );
}

/// E8: after the handoff all four members of the committee turn Byzantine. A node that had stored the handoff, or has a checkpoint of it, keeps
/// its final chain in every state. One that has neither is misled: that is E1 of the shortest run.
#[test]
fn a_committee_that_turns_byzantine_misleads_only_a_node_without_handoff_and_checkpoint() {
    let turned = Exploration { tickets: Tickets::Needed, ..Exploration::new(s::four_turn(s::rivals())) };
    let asked = vec![E1, E2, E8, E9, WE1];
    assert_eq!(explore(Exploration { asked, ..turned.clone() }), (62_164, 306_558, vec![E1, WE1]));
    let run = shortest(&turned, E1).expect("a node that is misled");
    let told = turned.instance.tell(&run);
    assert_eq!(run.len(), 7, "{told}");
    assert!(told.contains("The handoff above b is there. The members that left turn Byzantine."), "{told}");
    assert!(told.contains("takes the record of the chain and enters epoch 1 above d."), "{told}");
}

/// Subrounds that are entered by timeout certificates of their epoch: a member gets into the second one, and nothing breaks.
#[test]
fn safety_holds_with_timeout_certificates() {
    let found = |instance| counts(s::with_timeouts(instance), Tickets::Needed);
    assert_eq!(found(s::four_to_one(s::second())), (20_899, 77_283, vec![WE1]));
    assert_eq!(found(s::byzantine_exchanged(s::second())), (634_155, 1_861_459, vec![WE1]));
}

/// The larger instances: `cargo test -p zus-epochs --release -- --ignored larger`.
#[test]
#[ignore = "some minutes"]
fn the_larger_instances_hold() {
    let safety = |instance| counts(instance, Tickets::Needed);
    let all = |instance| counts(instance, Tickets::All);
    println!("4 to 2, deep, all tickets: {:?}", all(s::four_to_two(s::fair_deep())));
    println!("one exchanged, deep: {:?}", safety(s::one_exchanged(s::deep())));
    println!("4 to 7: {:?}", safety(s::four_to_seven(s::second())));
}

/// Seven members hand over to four: every state.
#[test]
#[ignore = "most of a minute"]
fn the_larger_instance_of_seven_to_four_holds() {
    let found = counts(s::seven_to_four(s::second()), Tickets::Needed);
    assert_eq!(found, (2_944_298, 11_897_022, vec![WE1]));
}
