//! An instance of the protocol: the committee, the rules, the order of generators, and what may go wrong.
//!
//! PROTOCOL.md, section 1: the committee has `n` miners, at most `f = floor((n - 1) / 3)` of them are meant to be
//! Byzantine, and a quorum is `q = n - f`. Members `0..honest` are honest and the rest is Byzantine. The last honest ones
//! may be *exposed*: their beacon shares are published.

use crate::{
    block::{Block, Generator},
    fault::Fault,
};
use std::collections::BTreeMap;
use zus_protocol::{
    ids::{MinerId, Rank, Round, Subround},
    rules::{QuorumRule, Rules, SubroundCapRule},
};

/// The members.
#[derive(Clone, Debug)]
pub struct Committee {
    /// Members, `n`.
    pub members: u16,
    /// How many of them are in fact Byzantine. More than `f` is allowed: S10 is about that.
    pub byzantine: u16,
    /// Honest members whose beacon share is published: the last of the honest ones.
    pub exposed: u16,
    /// Shares that make a beacon value, if not the usual `n - f`.
    pub beacon_threshold: Option<u16>,
}

/// The generators of each (round, subround), by rank. It stands for what the beacon draws.
#[derive(Clone, Default, Debug)]
pub struct Order {
    /// The generators of the places that are listed.
    pub listed: BTreeMap<(Round, Subround), Vec<Generator>>,
    /// The generators of all other places.
    pub otherwise: Vec<Generator>,
}

/// Crashes of honest miners.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crashes {
    /// No miner crashes.
    Never,
    /// A miner that restarts finds its round and subround again.
    Restart,
    /// The same, or it starts in the first round again, with its log only.
    RestartBehind,
}

/// The behaviour of the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    /// Messages take any time, or are lost.
    Asynchronous,
    /// Messages of honest miners arrive before timers fire.
    Synchronous,
    /// Asynchronous first, synchronous from some moment on.
    PartiallySynchronous,
}

/// One instance of the protocol.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The committee.
    pub committee: Committee,
    /// A choice for every open question.
    pub rules: Rules,
    /// The mistake in the rules, if there is one.
    pub fault: Option<Fault>,
    /// The generators.
    pub order: Order,
    /// Whether miners crash.
    pub crashes: Crashes,
    /// The behaviour of the network.
    pub network: Network,
    /// Observers whose finalized heads are followed.
    pub observers: usize,
}

impl Instance {
    /// `n` members, `byzantine` of them Byzantine, in an asynchronous network without crashes.
    pub fn new(members: u16, byzantine: u16, rules: Rules, order: Order) -> Self {
        Instance {
            committee: Committee { members, byzantine, exposed: 0, beacon_threshold: None },
            rules,
            fault: None,
            order,
            crashes: Crashes::Never,
            network: Network::Asynchronous,
            observers: 0,
        }
    }

    /// Whether the rules have this mistake.
    pub fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Byzantine members that the arithmetic tolerates: `f = floor((n - 1) / 3)`.
    pub fn tolerated(&self) -> usize {
        usize::from(self.committee.members.saturating_sub(1) / 3)
    }

    /// Tickets, timeouts or votes that make a certificate: `q`.
    pub fn quorum(&self) -> usize {
        let n = usize::from(self.committee.members);
        if self.has(Fault::QuorumOfFaultsPlusOne) {
            return self.tolerated() + 1;
        }
        let quorum = match self.rules.quorum {
            QuorumRule::ByzantineMajority => n - self.tolerated(),
            QuorumRule::Percent66 => (66 * n).div_ceil(100),
        };
        quorum.saturating_sub(usize::from(self.has(Fault::QuorumOneLess)))
    }

    /// Shares that make a beacon value: `t`, `n - f` unless the committee says otherwise.
    pub fn beacon_threshold(&self) -> usize {
        match self.committee.beacon_threshold {
            Some(threshold) => threshold.into(),
            None if self.has(Fault::BeaconOfFaultsPlusOne) => self.tolerated() + 1,
            None => usize::from(self.committee.members) - self.tolerated(),
        }
    }

    /// How many members are honest.
    pub fn honest_members(&self) -> usize {
        usize::from(self.committee.members.saturating_sub(self.committee.byzantine))
    }

    /// The honest members.
    pub fn honest(&self) -> impl Iterator<Item = MinerId> + use<> {
        (0..self.honest_members() as u16).map(MinerId)
    }

    /// The Byzantine members.
    pub fn byzantine(&self) -> impl Iterator<Item = MinerId> + use<> {
        (self.honest_members() as u16..self.committee.members).map(MinerId)
    }

    /// Whether `member` is honest.
    pub fn is_honest(&self, member: MinerId) -> bool {
        usize::from(member.0) < self.honest_members()
    }

    /// Whether the adversary has the beacon share of `member` from the start: it is Byzantine or exposed.
    pub fn share_is_known(&self, member: MinerId) -> bool {
        usize::from(member.0 + self.committee.exposed) >= self.honest_members()
    }

    /// How many honest members are in `signers`.
    pub fn honest_in<'a>(&self, signers: impl IntoIterator<Item = &'a MinerId>) -> usize {
        signers.into_iter().filter(|member| self.is_honest(**member)).count()
    }

    /// The generators of (round, subround), by rank.
    pub fn generators(&self, round: Round, subround: Subround) -> &[Generator] {
        let drawn = match self.rules.subround_cap {
            SubroundCapRule::Unbounded => subround,
            SubroundCapRule::CappedAtOne => subround.min(Subround(1)),
        };
        self.order.listed.get(&(round, drawn)).unwrap_or(&self.order.otherwise)
    }

    /// The first block of each generator of (round, subround), by rank.
    pub fn places(&self, round: Round, subround: Subround) -> impl Iterator<Item = Block> {
        let ranks = (0..).map(Rank);
        let generators = self.generators(round, subround).iter();
        ranks.zip(generators).map(move |(rank, &generator)| Block {
            round,
            subround,
            rank,
            twin: 0,
            generator,
        })
    }

    /// Whether the order has the place of `block`.
    pub fn has_place(&self, block: &Block) -> bool {
        block.round > Round(0)
            && self.generators(block.round, block.subround).get(usize::from(block.rank.0))
                == Some(&block.generator)
    }

    /// Whether a notarization that moves a miner is relayed, and so reaches all honest miners.
    pub fn relays_notarizations(&self) -> bool {
        self.relays_timeouts() && !self.has(Fault::NotarizationsNotRelayed)
    }

    /// The same of a timeout certificate.
    pub fn relays_timeouts(&self) -> bool {
        self.rules.relays()
    }
}
