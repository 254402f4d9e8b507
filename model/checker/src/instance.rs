//! The one validator of instances. A scenario and a trace both write an instance down, and both pass through it.

use crate::{
    blocks::{Blocks, Generator, MAX_ROUNDS, MAX_SUBROUNDS, proposes_twice},
    committee::{Committee, MAX_COMMITTEE, MAX_HONEST, quorum, tolerated},
    fault::Fault,
    protocol::Reductions,
    protocol::{Network, Protocol},
    rules::Rules,
};
use std::fmt::Display;

/// Restarts that the state can count.
pub const MAX_RESTARTS: u32 = 15;
/// Observers that the state has heads for.
pub const MAX_OBSERVERS: usize = 2;
/// Byzantine members whose messages the state can name, where they are explicit.
const MAX_EXPLICIT_BYZANTINE: u32 = 3;

/// The parts of an instance, as they are written down.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Members of the committee.
    pub n: u32,
    /// Members that are Byzantine.
    pub byzantine: u32,
    /// Members that each honest miner stands for.
    pub groups: Vec<u32>,
    /// Shares that make a beacon value.
    pub beacon_threshold: u32,
    /// Honest members whose key share the adversary has: the last ones.
    pub exposed: u32,
    /// A choice for every open question.
    pub rules: Rules,
    /// The mistake, if there is one.
    pub fault: Option<Fault>,
    /// The blocks that can exist.
    pub blocks: Blocks,
    /// The behaviour of the network.
    pub network: Network,
    /// Crashes of honest miners, at most.
    pub restarts: u32,
    /// Whether a restarted miner may find itself in an earlier round.
    pub restarts_behind: bool,
    /// Observers with a head of their own.
    pub observers: usize,
    /// Rounds at the end that only a synchronous network reaches.
    pub reserved_rounds: u8,
    /// Subrounds at the end of a round that only a synchronous network reaches.
    pub reserved_subrounds: u8,
    /// Which reductions are on.
    pub reductions: Reductions,
}

/// Why parts make no instance. The field has the name that it has in a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unfit {
    /// The field.
    pub field: &'static str,
    /// The error.
    pub message: String,
    /// The fix.
    pub fix: String,
}

/// `Err` unless it is fine.
fn require(
    fine: bool,
    field: &'static str,
    message: impl FnOnce() -> String,
    fix: impl FnOnce() -> String,
) -> Result<(), Unfit> {
    if fine { Ok(()) } else { Err(Unfit { field, message: message(), fix: fix() }) }
}

/// Whether there are as many rounds and subrounds as the state has room for: without this there is no layout of blocks.
pub fn sized(rounds: u8, subrounds: u8) -> Result<(), Unfit> {
    for (value, most, field) in [(rounds, MAX_ROUNDS, "rounds"), (subrounds, MAX_SUBROUNDS, "subrounds")] {
        require(
            (1..=most).contains(&usize::from(value)),
            field,
            || format!("{value} is out of range"),
            || format!("use 1 to {most}"),
        )?;
    }
    Ok(())
}

/// The members of an instance, of a scenario or a trace of any form.
pub(crate) struct Members {
    pub(crate) n: u32,
    pub(crate) byzantine: u32,
    /// Members that each honest miner stands for.
    pub(crate) groups: Vec<u32>,
    pub(crate) beacon_threshold: u32,
    pub(crate) exposed: u32,
}

impl Members {
    /// The committee of at most so many members, with the reason for the bound.
    pub(crate) fn checked(
        self,
        (most, why): (u32, &str),
        rules: &Rules,
        fault: Option<Fault>,
    ) -> Result<Committee, Unfit> {
        let Members { n, byzantine, groups, beacon_threshold, exposed } = self;
        require(
            (1..=most).contains(&n),
            "n",
            || format!("a committee of {n}"),
            || format!("use 1 to {most}: {why}"),
        )?;
        require(byzantine < n, "byzantine", || format!("{byzantine} of {n}"), || "leave one honest".into())?;
        let honest = n - byzantine;
        let sum: u64 = groups.iter().map(|&w| u64::from(w)).sum();
        require(
            sum == u64::from(honest) && !groups.contains(&0),
            "groups",
            || {
                let shown: Vec<String> = groups.iter().take(MAX_HONEST + 1).map(u32::to_string).collect();
                let more = if groups.len() > shown.len() { ", ..." } else { "" };
                format!("the groups [{}{more}] are not the {honest} honest members", shown.join(", "))
            },
            || format!("let them add up to {honest}, each at least 1"),
        )?;
        require(
            (1..=n).contains(&beacon_threshold),
            "beacon_threshold",
            || format!("{beacon_threshold} shares of {n} members"),
            || format!("use 1 to {n}"),
        )?;
        let quorum = quorum(rules.quorum, fault, n);
        require(
            quorum > 0,
            "rules",
            || format!("quorum: {:?} of n = {n} is nobody", rules.quorum),
            || "use more members, or another quorum".into(),
        )?;
        let weights = groups;
        let committee =
            Committee { n, f: tolerated(n), byzantine, quorum, beacon_threshold, exposed, weights };
        match committee.exposed_refused(rules, fault) {
            Some((message, fix)) => Err(Unfit { field: "exposed", message, fix }),
            None => Ok(committee),
        }
    }
}

/// A miner generates at one rank of a subround, so there are no more generators of a kind than members: `(Byzantine, honest)`.
pub(crate) fn seated(
    (round, subround): (impl Display, impl Display),
    (byzantine, honest): (usize, usize),
    (all_byzantine, all_honest): (usize, usize),
    rules: &Rules,
) -> Result<(), Unfit> {
    // Under a chained beacon there is an order for each seed, so a member may have one rank under each of two.
    let orders = if rules.chained() { 2 } else { 1 };
    require(
        byzantine <= all_byzantine && honest <= orders * all_honest,
        "generators",
        || {
            format!(
                "({round}, {subround}) has {byzantine} Byzantine and {honest} honest generators of {all_byzantine} and \
                 {all_honest}"
            )
        },
        || "a miner generates at one rank of a subround: remove generators".into(),
    )
}

/// Only a miner that has restarted finds itself behind.
pub(crate) fn behind(restarts_behind: bool, restarts: u32) -> Result<(), Unfit> {
    require(
        !restarts_behind || restarts > 0,
        "restarts_behind",
        || "no miner restarts, so none finds itself behind".into(),
        || "set restarts = 1 or more, or remove it".into(),
    )
}

impl From<&Protocol> for Parts {
    fn from(p: &Protocol) -> Self {
        let Committee { n, byzantine, beacon_threshold, exposed, ref weights, .. } = p.committee;
        Parts {
            n,
            byzantine,
            groups: weights.clone(),
            beacon_threshold,
            exposed,
            rules: p.rules,
            fault: p.fault,
            blocks: p.blocks.clone(),
            network: p.network,
            restarts: p.crashes,
            restarts_behind: p.restarts_behind,
            observers: p.observers,
            reserved_rounds: p.reserved_rounds,
            reserved_subrounds: p.reserved_subrounds,
            reductions: p.reductions,
        }
    }
}

impl Parts {
    /// The instance.
    pub fn checked(self) -> Result<Protocol, Unfit> {
        let committee = self.committee()?;
        self.rules()?;
        self.reserved()?;
        self.generators()?;
        self.faults()?;
        self.reductions()?;
        Ok(Protocol {
            committee,
            rules: self.rules,
            fault: self.fault,
            blocks: self.blocks,
            crashes: self.restarts,
            restarts_behind: self.restarts_behind,
            network: self.network,
            observers: self.observers,
            reserved_rounds: self.reserved_rounds,
            reserved_subrounds: self.reserved_subrounds,
            reductions: self.reductions,
        })
    }

    fn asynchronous(&self) -> bool {
        matches!(self.network, Network::Async | Network::Lossy)
    }

    fn committee(&self) -> Result<Committee, Unfit> {
        let committee = Members {
            n: self.n,
            byzantine: self.byzantine,
            groups: self.groups.clone(),
            beacon_threshold: self.beacon_threshold,
            exposed: self.exposed,
        };
        let bound = (MAX_COMMITTEE, "tallies have six bits");
        let committee = committee.checked(bound, &self.rules, self.fault)?;
        let honest = committee.weights.len();
        require(
            honest <= MAX_HONEST,
            "groups",
            || format!("{honest} honest miners do not fit into the state"),
            || format!("use at most {MAX_HONEST}, or `groups` of miners that act together"),
        )?;
        Ok(committee)
    }

    fn rules(&self) -> Result<(), Unfit> {
        let depth = self.rules.finality.depth().unwrap_or(0);
        require(
            usize::from(depth) <= MAX_ROUNDS,
            "rules",
            || format!("finality: a depth of {depth}"),
            || format!("use a depth of at most {MAX_ROUNDS}, as in {{ CommonAncestor = {{ depth = 3 }} }}"),
        )
    }

    fn reserved(&self) -> Result<(), Unfit> {
        let good = self.network == Network::PartiallySynchronous;
        for (value, of, field) in [
            (self.reserved_rounds, self.blocks.rounds, "reserved_rounds"),
            (self.reserved_subrounds, self.blocks.subrounds, "reserved_subrounds"),
        ] {
            require(
                value == 0 || good,
                field,
                || "this network has no good period to reserve for".into(),
                || "remove it, or use network = \"partially_synchronous\"".into(),
            )?;
            require(
                value < of,
                field,
                || format!("{value} of {of} are reserved for the good period, and none is left before it"),
                || {
                    let all = field.trim_start_matches("reserved_");
                    format!(
                        "use {all} = {} or more, or write {field} = 0 (partially synchronous, it is 1 by default)",
                        value + 1
                    )
                },
            )?;
        }
        Ok(())
    }

    /// A miner generates at one rank of a subround; who makes two blocks there is Byzantine, or has a rule for it.
    fn generators(&self) -> Result<(), Unfit> {
        let Parts { blocks, rules, .. } = self;
        let twice = proposes_twice(self.fault);
        for (round, subround) in
            (1..=blocks.rounds).flat_map(|round| (0..blocks.subrounds).map(move |subround| (round, subround)))
        {
            let count = |generator: Generator, twin: u8| {
                let of = |b: &crate::blocks::BlockId| {
                    let place = blocks.place(*b);
                    (place.generator, place.twin) == (generator, twin)
                };
                blocks.of_subround(round, subround).filter(of).count()
            };
            // Without a block in it a round leads to no other one; and a subround without one, in which nobody can ticket
            // anything, is no run's fault where L1 to L5 are judged. Elsewhere it only leaves out runs.
            let needed = round < blocks.rounds && blocks.of_round(round).next().is_none()
                || blocks.is_empty()
                || !self.asynchronous();
            require(
                !needed || blocks.of_subround(round, subround).next().is_some(),
                "generators",
                || format!("({round}, {subround}) has no generator"),
                || "name one there, or use fewer rounds or subrounds".into(),
            )?;
            let (byzantine, honest) = (count(Generator::Byzantine, 0), count(Generator::Honest, 0));
            seated(
                (round, subround),
                (byzantine, honest),
                (self.byzantine as usize, self.groups.len()),
                rules,
            )?;
            let outsiders = count(Generator::Outsider, 0);
            require(
                outsiders <= (self.byzantine as usize).max(1),
                "generators",
                || format!("({round}, {subround}) has {outsiders} blocks of miners that generate none there"),
                || "remove all but one".into(),
            )?;
            require(
                count(Generator::Outsider, 1) == 0 && (twice || count(Generator::Honest, 1) == 0),
                "generators",
                || format!("({round}, {subround}) has two blocks of a generator that makes one"),
                || "remove the second block, or use fault = \"ProposesTwice\"".into(),
            )?;
        }
        Ok(())
    }

    fn faults(&self) -> Result<(), Unfit> {
        require(
            self.restarts <= MAX_RESTARTS,
            "restarts",
            || format!("{} is too many", self.restarts),
            || format!("use at most {MAX_RESTARTS}"),
        )?;
        require(
            self.restarts == 0 || self.network != Network::Synchronous,
            "restarts",
            || "no miner crashes in a network that is synchronous from the start".into(),
            || "use another network, or no restarts".into(),
        )?;
        behind(self.restarts_behind, self.restarts)?;
        require(
            self.observers <= MAX_OBSERVERS,
            "observers",
            || format!("{} is too many", self.observers),
            || "use 0 (any observer), 1 or 2".into(),
        )
    }

    fn reductions(&self) -> Result<(), Unfit> {
        let Reductions { eager, byzantine_available, lazy, .. } = self.reductions;
        require(
            self.asynchronous() || eager && byzantine_available,
            "reductions",
            || "a synchronous network is defined with `eager` and `byzantine_available` only".into(),
            || "remove these two from [reductions], or use network = \"async\"".into(),
        )?;
        // Timers must fire in a synchronous network, so timeouts cannot wait for a use there; and only certificates
        // have one.
        let waits = self.asynchronous() && takes_certificates(&self.rules, self.fault);
        require(
            !lazy || waits,
            "reductions",
            || {
                "`lazy` is for an asynchronous network, and subrounds that are entered with a certificate"
                    .into()
            },
            || "set lazy = false".into(),
        )?;
        require(
            byzantine_available || self.byzantine <= MAX_EXPLICIT_BYZANTINE,
            "reductions",
            || format!("explicit Byzantine messages have room for {MAX_EXPLICIT_BYZANTINE} Byzantine miners"),
            || "set byzantine_available = true".into(),
        )
    }
}

/// Whether subrounds are entered with a certificate that any miner can use.
pub(crate) fn takes_certificates(rules: &Rules, fault: Option<Fault>) -> bool {
    !rules.enters_alone() && !matches!(fault, Some(Fault::OwnSubroundOnly | Fault::WithoutCertificate))
}
