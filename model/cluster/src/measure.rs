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
