//! How many states there are.

use super::{answered, searched, small::instance};
use std::collections::HashSet;
use zus_checker::{
    blocks::Generator::{Byzantine, Honest},
    certificates::{
        Reach,
        kept::{Kept, Member, Past},
        rounds::Rounds,
        search::{Certificates, explore},
    },
    properties::Property,
    protocol::Protocol,
    rules::Rules,
    search::bfs::{End, Exploration, Limits},
};

fn counted<C: Certificates>(of: &C, visit: &mut dyn FnMut(&C::State)) -> Exploration {
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

/// A prototype counted more states, 49 and 61 where there are 32 and 40: it left the layer of tickets in a step of
/// its own, and left the last round, too. Here a vote does the first, and nobody leaves the last round. With these states there are
/// as many as it had where there is one round, and some more than it had where there are several.
#[test]
fn leaving_the_layer_of_tickets_is_no_step() {
    for ((n, rounds, subrounds), theirs, with) in [
        ((7, 1, 2), 49, 49),
        ((10, 1, 2), 61, 61),
        ((4, 2, 2), 945, 973),
        ((4, 3, 2), 20_369, 21_133),
        ((4, 2, 3), 60_154, 68_186),
        ((7, 2, 2), 1_453, 1_561),
    ] {
        let protocol = hardened(n, rounds, subrounds);
        let past = Past { protocol: &protocol };
        let (mut all, mut left) = (HashSet::new(), HashSet::new());
        let mut visit = |state: &Kept| {
            all.insert(state.clone());
            let mut of_round = protocol.blocks.of_round(state.round);
            if of_round.all(|block| state.parents[block.index()].is_none()) {
                return;
            }
            let mut after = Kept { voting: true, subround: 0, ..state.clone() };
            if !state.voting {
                after.members.iter_mut().for_each(|m| *m = Member { mark: m.mark, ..Member::default() });
            }
            past.normalize(&mut after);
            left.insert(after);
        };
        let ours = counted(&past, &mut visit).unique as usize;
        all.extend(left);
        let name = format!("n = {n}, {rounds} x {subrounds}");
        assert_eq!(all.len() + 1, with, "{name}");
        assert!((ours + 1..=with).contains(&theirs), "{name}: {ours}");
    }
}
