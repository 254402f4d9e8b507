//! The tiny universes whose whole graphs are compared.

use super::GraphError;
use zus_checker::{
    Fault,
    blocks::{
        Blocks,
        Generator::{self, Byzantine, Honest},
    },
    committee::{beacon_threshold, quorum},
    protocol::Protocol,
    rules::Rules,
};

/// A tiny universe.
#[derive(Clone, Debug)]
pub struct Universe {
    /// Its name.
    pub name: &'static str,
    /// Members, and how many of them are Byzantine.
    pub members: (u32, u32),
    /// Rounds, and subrounds of each.
    pub bounds: (u8, u8),
    /// The generators of every (round, subround), by rank.
    pub order: &'static [Generator],
    /// Blocks of a Byzantine generator in a subround.
    pub twins: u8,
    /// Whether miners go down and come back, where they were or in round 1, again and again.
    pub restarts: bool,
    /// Observers with a finalized head.
    pub observers: usize,
    /// Whether the actions without a step in the model are taken in every order.
    pub every_order: bool,
    /// Whether the adversary forms beacon values.
    pub forms_beacon: bool,
    /// Whether (1, 0) has a leader that is honest, for the clock.
    pub led: bool,
    /// The mistake in the model, for a control.
    pub fault: Option<Fault>,
    /// Raw states of a graph, at most.
    pub most: u64,
    /// States and edges that both have, as `zus-proofs graph` found them.
    pub counts: (u64, u64),
}

const SMALL: Universe = Universe {
    name: "",
    members: (1, 0),
    bounds: (1, 1),
    order: &[Honest],
    twins: 1,
    restarts: false,
    observers: 1,
    every_order: false,
    forms_beacon: false,
    led: false,
    fault: None,
    most: 20_000_000,
    counts: (0, 0),
};

/// All of them, the small ones first.
pub fn universes() -> Vec<Universe> {
    let one = Universe { name: "one miner", bounds: (2, 2), counts: (877, 1468), ..SMALL };
    let two = Universe { members: (2, 0), ..SMALL };
    let four = Universe { members: (4, 1), order: &[], ..SMALL };
    vec![
        Universe {
            name: "two miners, two ranks",
            order: &[Honest, Honest],
            counts: (95, 176),
            ..two.clone()
        },
        Universe { name: "two miners, two rounds", bounds: (2, 1), counts: (156, 276), ..two.clone() },
        Universe {
            name: "two miners that restart, two rounds",
            bounds: (2, 1),
            restarts: true,
            counts: (628, 2236),
            ..two.clone()
        },
        Universe { name: "four miners, two subrounds", bounds: (1, 2), counts: (816, 3360), ..four.clone() },
        Universe {
            name: "three miners, two rounds",
            members: (3, 0),
            bounds: (2, 1),
            counts: (833, 1959),
            ..SMALL
        },
        Universe { name: "one miner, every order", every_order: true, ..one.clone() },
        one.clone(),
        Universe { name: "two miners, two subrounds", bounds: (1, 2), counts: (1026, 1808), ..two },
        Universe { name: "one miner that restarts", restarts: true, counts: (3057, 9777), ..one },
        Universe {
            name: "four miners, an honest generator",
            order: &[Honest],
            forms_beacon: true,
            counts: (13272, 55490),
            ..four.clone()
        },
        Universe {
            name: "four miners, three subrounds",
            bounds: (1, 3),
            counts: (8192, 39552),
            ..four.clone()
        },
        Universe {
            name: "four miners, a Byzantine twin",
            order: &[Byzantine],
            twins: 2,
            counts: (36048, 178376),
            ..four.clone()
        },
        Universe { name: "four miners, four subrounds", bounds: (1, 4), counts: (52304, 274624), ..four },
    ]
}

/// Those in which the clock is compared with the good period of the model. The counts are of states, and of those at rest.
pub fn timed() -> Vec<Universe> {
    let four = Universe { members: (4, 1), order: &[], ..SMALL };
    vec![
        Universe { name: "one leader", led: true, counts: (10, 2), ..SMALL },
        Universe { name: "two miners, a leader", members: (2, 0), led: true, counts: (52, 4), ..SMALL },
        Universe { name: "three miners, a leader", members: (3, 0), led: true, counts: (210, 6), ..SMALL },
        Universe {
            name: "two miners, idle",
            members: (2, 0),
            bounds: (1, 3),
            order: &[],
            counts: (60, 1),
            ..SMALL
        },
        Universe {
            name: "four miners, a leader",
            order: &[Honest],
            led: true,
            counts: (4704, 192),
            ..four.clone()
        },
        Universe { name: "four miners, three subrounds", bounds: (1, 3), counts: (8192, 50), ..four.clone() },
        Universe {
            name: "four miners, a Byzantine twin",
            order: &[Byzantine],
            twins: 2,
            counts: (36048, 1062),
            ..four
        },
    ]
}

impl Universe {
    /// The instance.
    pub fn protocol(&self) -> Result<Protocol, GraphError> {
        let ((n, byzantine), (rounds, subrounds)) = (self.members, self.bounds);
        let rules = Rules::HARDENED;
        let order = |_, _| self.order.to_vec();
        let blocks = Blocks::new(rounds, subrounds, self.twins, false, rules.subround_cap, self.fault, order)
            .map_err(|blocks| {
                GraphError::TooLarge(format!("{} blocks of {}", blocks.needed, self.name), 0)
            })?;
        let mut protocol = Protocol::asynchronous(n, byzantine, rules, blocks);
        protocol.fault = self.fault;
        protocol.committee.quorum = quorum(rules.quorum, self.fault, n);
        protocol.committee.beacon_threshold = beacon_threshold(self.fault, n);
        protocol.observers = self.observers;
        Ok(protocol)
    }
}
