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
    use zus_checker::{action::Action, committed};

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
