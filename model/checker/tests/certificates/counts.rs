//! How many states there are.

use super::{answered, searched, small::instance};
use std::collections::HashSet;
use zus_checker::{
    blocks::Generator::{Byzantine, Honest},
    certificates::{
        Reach,
        kept::{Kept, Member, Past},
        rounds::Rounds,
        search::{Certificates, Explored, explore},
    },
    properties::Property,
    protocol::Protocol,
    rules::Rules,
    search::bfs::{End, Limits},
};

fn counted<C: Certificates>(of: &C, visit: &mut dyn FnMut(&C::State)) -> Explored {
    let explored = explore(of, answered(), None, Limits::default(), &|_| {}, visit);
    assert_eq!(explored.end, End::Exhausted);
    explored
}

fn hardened(n: u32, rounds: u8, subrounds: u8) -> Protocol {
    searched(&instance(n, (n - 1) / 3, rounds, subrounds, Rules::HARDENED, &[Byzantine, Honest]))
}

#[test]
fn the_states_of_the_recommended_profile_are_counted() {
    for ((n, rounds, subrounds), kept, bounded) in [
        ((4, 2, 2), 704, 26),
        ((4, 3, 2), 15_488, 39),
        ((7, 1, 2), 32, 16),
        ((7, 2, 2), 1_192, 32),
        ((10, 1, 2), 40, 19),
    ] {
        let protocol = hardened(n, rounds, subrounds);
        let name = format!("n = {n}, {rounds} x {subrounds}");
        assert_eq!(counted(&Past { protocol: &protocol }, &mut |_| {}).unique, kept, "{name}");
        let rounds = Rounds { protocol: &protocol, reach: Reach::Bounded };
        assert_eq!(counted(&rounds, &mut |_| {}).unique, bounded, "{name}");
    }
}

/// S2, S5 and S6 hold for any number of rounds and subrounds, and what they are about is reached.
#[test]
fn any_number_of_rounds_has_an_end() {
    for (n, states) in [(4, [54, 74]), (7, [126, 176]), (10, [280, 392])] {
        let protocol = hardened(n, 1, 1);
        for (idle, states) in [2, 3].into_iter().zip(states) {
            let rounds = Rounds { protocol: &protocol, reach: Reach::Any { idle } };
            let explored = counted(&rounds, &mut |_| {});
            assert_eq!(explored.unique, states, "n = {n}, {idle} idle blocks");
            let found: Vec<Property> = explored.found.keys().copied().collect();
            use Property::{Child, Final, Notarized, Signed, W1, W2};
            assert_eq!(found, [W1, W2, Signed, Notarized, Child, Final]);
        }
    }
}

/// The prototype of the issue counted 49 and 61 states where there are 32 and 40: it left the layer of tickets in a step of
/// its own, and left the last round, too. Here a vote does the first, and nobody leaves the last round.
#[test]
fn leaving_the_layer_of_tickets_is_no_step() {
    for (n, theirs) in [(7, 49), (10, 61)] {
        let protocol = hardened(n, 1, 2);
        let past = Past { protocol: &protocol };
        let (mut all, mut left) = (HashSet::new(), HashSet::new());
        let mut visit = |state: &Kept| {
            all.insert(state.clone());
            if state.parents.iter().all(Option::is_none) {
                return;
            }
            let mut after = Kept { voting: true, subround: 0, ..state.clone() };
            if !state.voting {
                after.members.iter_mut().for_each(|m| *m = Member { mark: m.mark, ..Member::default() });
            }
            past.normalize(&mut after);
            left.insert(after);
        };
        counted(&past, &mut visit);
        all.extend(left);
        assert_eq!(all.len() + 1, theirs, "n = {n}");
    }
}
