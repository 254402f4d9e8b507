//! A number of a state that no step makes smaller. Once no state that waits has a measure below some number, no state below it comes
//! back, and its fingerprint is forgotten.

use zus_checker::{protocol::Protocol, state::State};

/// How the states of one protocol are measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// The layer of the latest step, where runs are sorted.
    Layer,
    /// Restarts, then the sum of the rounds and subrounds of honest miners.
    Positions,
    /// Restarts alone, where a miner that restarts goes back.
    Restarts,
    /// None: a deliberate mistake moves miners back, or it is not known that it does not.
    Nothing,
}

impl Measure {
    /// The measure for `protocol`.
    pub fn of(protocol: &Protocol) -> Self {
        if protocol.sorts() {
            Measure::Layer
        } else if protocol.fault.is_some() {
            Measure::Nothing
        } else if protocol.restarts_behind {
            Measure::Restarts
        } else {
            Measure::Positions
        }
    }

    /// The measure of `state`.
    #[inline]
    pub fn measure(self, state: &State) -> u16 {
        let restarts = state.environment.crashes() as u16;
        match self {
            Measure::Layer => state.environment.floor() as u16,
            Measure::Positions => {
                // The miners that a scenario does not have are zero. A sum is below 1024: eight miners, a byte each at most.
                let positions = state.miners.iter().map(|m| (m.round() << 3 | m.subround()) as u16);
                restarts << 10 | positions.sum::<u16>()
            }
            Measure::Restarts => restarts,
            Measure::Nothing => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, HashMap};
    use zus_checker::{
        action::Action,
        committed,
        search::{codec::Codec, expander::Expander},
    };

    /// Steps of random runs of a scenario, and those of them that make the measure smaller.
    fn walk(name: &str, measure: impl Fn(&Protocol) -> Measure) -> (u32, u32) {
        let protocol = committed::find(name).unwrap().protocol;
        let (measure, mut random, mut steps, mut smaller) = (measure(&protocol), 9u64, 0, 0);
        for _ in 0..60 {
            let mut state = protocol.normalize(protocol.initial());
            for _ in 0..80 {
                let mut actions: Vec<Action> = Vec::new();
                protocol.actions(&state, &mut actions);
                random = rapidhash::v3::rapidhash_v3(&random.to_le_bytes());
                let Some(at) = (random as usize).checked_rem(actions.len()) else { break };
                let next = protocol.normalize(protocol.apply(&state, &actions[at]));
                steps += 1;
                smaller += u32::from(measure.measure(&next) < measure.measure(&state));
                state = next;
            }
        }
        (steps, smaller)
    }

    #[test]
    fn no_step_makes_it_smaller() {
        for name in committed::names() {
            let (steps, smaller) = walk(name, Measure::of);
            assert!(steps > 50, "{name} has {steps} steps");
            assert_eq!(smaller, 0, "{name}");
        }
    }

    /// A search in one of two orders: the distance of each state from the start, and the part of the states that had to be held at most.
    fn searched(protocol: &Protocol, by_measure: bool) -> (HashMap<u64, u32>, f64) {
        let (codec, measure) = (Codec::new(protocol), Measure::of(protocol));
        let (mut expander, mut next) = (Expander::new(protocol), State::empty());
        let bucket = |measure, distance| if by_measure { (measure, distance) } else { (0, distance) };
        let mut known: HashMap<u64, (u32, u16)> = HashMap::new();
        // How many states are known of each measure, and the packed states that wait.
        let mut of_measure: BTreeMap<u16, usize> = BTreeMap::new();
        let mut waiting: BTreeMap<(u16, u32), Vec<u8>> = BTreeMap::new();
        let initial = protocol.normalize(protocol.initial());
        let mut packed = Vec::new();
        codec.pack(&initial, &mut packed);
        let least = measure.measure(&initial);
        known.insert(expander.enter(&codec, &packed), (0, least));
        of_measure.insert(least, 1);
        waiting.insert(bucket(least, 0), packed);
        let mut most = 1;
        while let Some(((first, distance), states)) = waiting.pop_first() {
            let mut least = first;
            if !by_measure {
                let measures =
                    states.chunks_exact(codec.bytes).map(|packed| measure.measure(&codec.unpack(packed)));
                least = measures.min().unwrap();
            }
            for packed in states.chunks_exact(codec.bytes) {
                let print = expander.enter(&codec, packed);
                if known[&print].0 < distance {
                    continue; // Since it was put here, a shorter way was found.
                }
                for step in 0..expander.steps() {
                    let print = expander.step(step, &mut next);
                    let of = measure.measure(&next);
                    assert!(of >= least, "a state of measure {of} comes back");
                    let held = known.get(&print).map(|&(distance, _)| distance);
                    if held.is_none_or(|held| held > distance + 1) {
                        *of_measure.entry(of).or_default() += usize::from(held.is_none());
                        known.insert(print, (distance + 1, of));
                        codec.pack(&next, waiting.entry(bucket(of, distance + 1)).or_default());
                    }
                }
            }
            most = most.max(of_measure.range(least..).map(|(_, count)| count).sum());
        }
        let all = known.len() as f64;
        (known.into_iter().map(|(print, (distance, _))| (print, distance)).collect(), most as f64 / all)
    }

    /// All states of the least measure first, those nearer to the start first among them: no state of a measure that is complete comes back,
    /// so the distance of each state is known when it is expanded, and is the one of the search by distance.
    #[test]
    fn a_search_by_measure_finds_the_same_distances() {
        for name in ["hardened", "hardened_restart", "late_better_rank", "common_ancestor_3"] {
            let protocol = committed::find(name).unwrap().protocol;
            let ((by_distance, _), (by_measure, _)) = (searched(&protocol, false), searched(&protocol, true));
            assert_eq!(by_distance, by_measure, "{name}");
        }
    }

    /// The figures of model/README.md: `cargo test --release -p zus-cluster held_in_both_orders -- --ignored --nocapture`.
    #[test]
    #[ignore = "a minute"]
    fn held_in_both_orders() {
        for name in [
            "hardened",
            "hardened_3_rounds",
            "f_plus_one",
            "hardened_n7",
            "hardened_restart",
            "hardened_live",
        ] {
            let protocol = committed::find(name).unwrap().protocol;
            let ((states, distance), (again, measure)) =
                (searched(&protocol, false), searched(&protocol, true));
            let of = Measure::of(&protocol);
            println!(
                "| {name} | {} | {of:?} | {:.0} % | {:.0} % |",
                states.len(),
                100.0 * distance,
                100.0 * measure
            );
            assert_eq!(states, again, "{name}");
        }
    }

    /// The control: positions go down where a miner restarts behind, and the walk sees it.
    #[test]
    fn a_wrong_measure_is_noticed() {
        assert_eq!(
            Measure::of(&committed::find("hardened_restart_behind").unwrap().protocol),
            Measure::Restarts
        );
        assert!(walk("hardened_restart_behind", |_| Measure::Positions).1 > 0);
    }
}
