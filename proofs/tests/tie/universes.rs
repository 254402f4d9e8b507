//! Tiny instances of the model, all reductions off but the one that takes Byzantine tickets as sent.

use zus_checker::{
    Fault,
    blocks::{Blocks, Generator},
    committee::{Committee, beacon_threshold, quorum, tolerated},
    protocol::Reductions,
    protocol::{Network, Protocol},
    rules::Rules,
};

/// Byzantine signatures are there from the start; nothing else is reduced.
pub const AVAILABLE: Reductions = Reductions { byzantine_available: true, ..Reductions::NONE };

/// One instance.
#[derive(Clone, Debug)]
pub struct Instance {
    pub n: u32,
    pub byzantine: u32,
    pub exposed: u32,
    pub rounds: u8,
    pub subrounds: u8,
    pub order: Vec<Generator>,
    pub twins: u8,
    pub outsider: bool,
    pub crashes: u32,
    pub behind: bool,
    pub observers: usize,
    pub rules: Rules,
    pub fault: Option<Fault>,
    pub reductions: Reductions,
}

/// Nobody Byzantine, no restart, one observer.
pub fn honest(n: u32, rounds: u8, subrounds: u8, order: &[Generator]) -> Instance {
    Instance {
        n,
        byzantine: 0,
        exposed: 0,
        rounds,
        subrounds,
        order: order.to_vec(),
        twins: 2,
        outsider: false,
        crashes: 0,
        behind: false,
        observers: 1,
        rules: Rules::HARDENED,
        fault: None,
        reductions: AVAILABLE,
    }
}

impl Instance {
    pub fn protocol(&self) -> Protocol {
        let honest = self.n - self.byzantine;
        let order = |_, _| self.order.clone();
        let cap = self.rules.subround_cap;
        let blocks =
            Blocks::new(self.rounds, self.subrounds, self.twins, self.outsider, cap, self.fault, order);
        Protocol {
            committee: Committee {
                n: self.n,
                f: tolerated(self.n),
                byzantine: self.byzantine,
                quorum: quorum(self.rules.quorum, self.fault, self.n),
                beacon_threshold: beacon_threshold(self.fault, self.n),
                exposed: self.exposed,
                weights: vec![1; honest as usize],
            },
            rules: self.rules,
            fault: self.fault,
            blocks: blocks.unwrap(),
            crashes: self.crashes,
            restarts_behind: self.behind,
            network: Network::Async,
            observers: self.observers,
            reserved_rounds: 0,
            reserved_subrounds: 0,
            reductions: self.reductions,
        }
    }
}
