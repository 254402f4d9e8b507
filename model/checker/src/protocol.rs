//! One instance of the protocol: the committee, the rules, the blocks that can exist, the faults, the network; and
//! the questions that several steps ask of a state (is this block notarized, is that beacon value known, ...).

use crate::{
    blocks::{BlockId, BlockSet, Blocks, GENESIS, Generator},
    committee::{Committee, beacon_threshold, quorum, tolerated},
    fault::Fault,
    instance::takes_certificates,
    rules::Rules,
    state::{Miner, State},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Messages take any time, in any order, or for ever.
    Async,
    /// Messages may be lost. The monotone network has these runs already: to be lost is to arrive too late. The value
    /// exists so that a scenario can say which question it asks.
    Lossy,
    /// From the start, honest messages arrive before timers fire.
    Synchronous,
    /// Asynchronous first, synchronous from some moment on: what L1 to L5 are about.
    PartiallySynchronous,
}

impl Network {
    /// Its name, as in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Network::Async => "async",
            Network::Lossy => "lossy",
            Network::Synchronous => "synchronous",
            Network::PartiallySynchronous => "partially_synchronous",
        }
    }
}

/// Which reductions are on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reductions {
    /// Byzantine tickets, votes and timeouts are always there.
    pub byzantine_available: bool,
    /// Implied messages are sent with their cause or their first use.
    pub eager: bool,
    /// Honest miners are interchangeable.
    pub symmetry: bool,
    /// The past is counted, not named.
    pub counting: bool,
    /// Timeouts happen when they matter.
    pub lazy: bool,
    /// Only sorted runs are explored, where that is exact (`sorted/mod.rs`). A trace is a run, and has no such switch.
    #[serde(skip, default)]
    pub sorted: bool,
}

impl Reductions {
    /// All of them.
    pub const ALL: Reductions = Reductions {
        byzantine_available: true,
        eager: true,
        symmetry: true,
        counting: true,
        lazy: true,
        sorted: true,
    };
    /// None of them.
    pub const NONE: Reductions = Reductions {
        byzantine_available: false,
        eager: false,
        symmetry: false,
        counting: false,
        lazy: false,
        sorted: false,
    };
}

impl Default for Reductions {
    fn default() -> Self {
        Reductions::ALL
    }
}

/// One instance of the protocol.
#[derive(Clone, PartialEq, Debug)]
pub struct Protocol {
    /// The committee.
    pub committee: Committee,
    /// A choice for every open question.
    pub rules: Rules,
    /// The mistake, if there is one.
    pub fault: Option<Fault>,
    /// The blocks that can exist.
    pub blocks: Blocks,
    /// Crashes of honest miners, in total.
    pub crashes: u32,
    /// Whether a restarted miner may find itself in an earlier round than it was in, with only its log.
    pub restarts_behind: bool,
    /// The behaviour of the network.
    pub network: Network,
    /// Observers with a head of their own in the state (0 to 2). With none, finality is judged for *any* observer.
    pub observers: usize,
    /// Rounds and subrounds at the end that only a synchronous network reaches (`good_period.rs`).
    pub reserved_rounds: u8,
    /// See [`Protocol::reserved_rounds`].
    pub reserved_subrounds: u8,
    /// Which reductions are on.
    pub reductions: Reductions,
}

impl Protocol {
    /// An asynchronous instance without crashes, observers or reductions, whose honest miners each act alone.
    pub fn asynchronous(n: u32, byzantine: u32, rules: Rules, blocks: Blocks) -> Protocol {
        Protocol {
            committee: Committee {
                n,
                f: tolerated(n),
                byzantine,
                quorum: quorum(rules.quorum, None, n),
                beacon_threshold: beacon_threshold(None, n),
                exposed: 0,
                weights: vec![1; (n - byzantine) as usize],
            },
            rules,
            fault: None,
            blocks,
            crashes: 0,
            restarts_behind: false,
            network: Network::Async,
            observers: 0,
            reserved_rounds: 0,
            reserved_subrounds: 0,
            reductions: Reductions::NONE,
        }
    }

    /// Everyone enters round 1, subround 0, through genesis (step 1).
    pub fn initial(&self) -> State {
        let mut state = State::empty();
        for miner in 0..self.honest() {
            let mut m = Miner::default();
            m.set_round(1);
            if !self.reductions.eager {
                state.miners[miner] = m;
                continue;
            }
            if self.has(Fault::EarlySharesDropped) {
                // All enter round 1 together, so nobody's share is early there.
                m.set_shares_held(self.committee.weights.iter().sum());
            }
            state.miners[miner] = m;
            state.add_present(GENESIS, 0, self.weight(miner));
            self.count_share(&mut state, miner, 1);
        }
        if self.network == Network::Synchronous {
            state.environment.set_synchronous(1);
        }
        state.environment.set_floor(u32::from(self.sorts()));
        state
    }

    /// Whether that mistake is made here.
    #[inline]
    pub fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Whether subrounds are entered with a certificate that any miner can use.
    #[inline]
    pub fn takes_certificates(&self) -> bool {
        takes_certificates(&self.rules, self.fault)
    }

    /// Whether a vote is cast on leaving a round in which nothing else was ticketed, and never otherwise.
    #[inline]
    pub fn votes_as_specified(&self) -> bool {
        self.rules.votes()
            && !matches!(self.fault, Some(Fault::VotesAfterOtherTicket | Fault::VotesWithoutLeaving))
    }

    /// Whether certificates are counted from verified tickets of distinct members, each for its block.
    #[inline]
    pub fn counts_genuine(&self) -> bool {
        match self.fault {
            None => true,
            Some(fault) => !matches!(
                fault,
                Fault::EmbeddedUnverified
                    | Fault::LabelUnchecked
                    | Fault::NotRecorded
                    | Fault::UnweightedSum
                    | Fault::SubroundUnbound
                    | Fault::DuplicateSigner
            ),
        }
    }

    /// Number of honest miners (or groups).
    #[inline]
    pub fn honest(&self) -> usize {
        self.committee.weights.len()
    }

    /// Members that honest miner `miner` stands for.
    #[inline]
    pub fn weight(&self, miner: usize) -> u32 {
        self.committee.weights[miner]
    }

    /// Whether the past is kept by name: because `counting` is off, or because a miner that forgets may sign the same
    /// message twice, and must be counted once; or because one that restarts behind finds it in its log.
    #[inline]
    pub fn keeps_archive(&self) -> bool {
        !self.reductions.counting || self.crashes > 0 && (self.restarts_behind || !self.rules.is_durable())
    }

    /// Whether a ticket is first written to the log and then sent, in two steps: only a crash can tell.
    #[inline]
    pub fn writes_before_sending(&self) -> bool {
        self.crashes > 0 && self.rules.is_durable()
    }

    /// The last round that honest miners may be in while the network is not synchronous.
    #[inline]
    pub fn last_round(&self, state: &State) -> u8 {
        if state.environment.synchronous() == 1 {
            self.blocks.rounds
        } else {
            self.blocks.rounds - self.reserved_rounds
        }
    }

    /// The last subround that honest miners may be in while the network is not synchronous.
    #[inline]
    pub fn last_subround(&self, state: &State) -> u8 {
        let reserved = if state.environment.synchronous() == 1 { 0 } else { self.reserved_subrounds };
        self.blocks.subrounds - 1 - reserved
    }

    /// Whether `miner` is up and in a round that is explored.
    #[inline]
    pub fn active(&self, state: &State, miner: usize) -> bool {
        let m = &state.miners[miner];
        m.crashed() == 0 && m.round() as u8 <= self.last_round(state)
    }

    /// Byzantine members that have signed something whose explicit signers are `set`. Byzantine miners can send any
    /// message of their own at any time, so under the reduction all of them always have.
    #[inline]
    pub fn byzantine_signers(&self, set: u32) -> u32 {
        if self.reductions.byzantine_available { self.committee.byzantine } else { set.count_ones() }
    }

    /// Genuine tickets for `block`.
    #[inline]
    pub fn tickets(&self, state: &State, block: BlockId) -> u32 {
        let tally = state.block(block);
        if tally.parent() == 0 {
            0
        } else {
            tally.tickets() + self.byzantine_signers(tally.byzantine_tickets())
        }
    }

    /// Whether q genuine tickets for exactly this block exist (S8).
    #[inline]
    pub fn genuinely_notarizable(&self, state: &State, block: BlockId) -> bool {
        self.tickets(state, block) >= self.committee.quorum
    }

    /// Step 6: whether honest miners would accept a notarization of `block` that somebody can form now.
    #[inline]
    pub fn notarizable(&self, state: &State, block: BlockId) -> bool {
        let tally = state.block(block);
        if tally.parent() == 0 {
            return false;
        }
        if self.counts_genuine() {
            let byzantine = self.byzantine_signers(tally.byzantine_tickets());
            return tally.tickets() + byzantine >= self.committee.quorum;
        }
        self.miscounted(state, block)
    }

    /// The same under the counting rules that are wrong on purpose.
    fn miscounted(&self, state: &State, block: BlockId) -> bool {
        let tally = state.block(block);
        let quorum = self.committee.quorum;
        let byzantine = self.byzantine_signers(tally.byzantine_tickets());
        let genuine = tally.tickets() + byzantine;
        match self.fault {
            Some(Fault::EmbeddedUnverified) => genuine >= quorum || self.committee.byzantine > 0,
            Some(Fault::NotRecorded) => false,
            Some(Fault::UnweightedSum) => genuine + 2 * u32::from(self.committee.byzantine > 0) >= quorum,
            Some(Fault::DuplicateSigner) => genuine + byzantine >= quorum,
            Some(Fault::SubroundUnbound) => {
                let here = self.blocks.place(block);
                let twins: u32 = self
                    .blocks
                    .of_round(here.round)
                    .filter(|&other| other != block && self.same_id_without_subround(state, block, other))
                    .map(|other| state.block(other).tickets())
                    .sum();
                genuine + twins >= quorum
            }
            _ => genuine >= quorum,
        }
    }

    /// Whether a Byzantine generator can give two blocks the same id when the id does not commit to the subround.
    fn same_id_without_subround(&self, state: &State, a: BlockId, b: BlockId) -> bool {
        let (pa, pb) = (self.blocks.place(a), self.blocks.place(b));
        pa.generator == Generator::Byzantine
            && pb.generator == Generator::Byzantine
            && pa.twin == pb.twin
            && pa.subround != pb.subround
            && state.block(a).parent() == state.block(b).parent()
    }

    /// Whether a notarization of `block` exists that an honest miner may have received. Genesis is notarized.
    #[inline]
    pub fn notarized(&self, state: &State, block: BlockId) -> bool {
        block == GENESIS
            || if self.reductions.eager {
                self.notarizable(state, block)
            } else {
                state.block(block).notarized() == 1
            }
    }

    /// The blocks that are notarized in `state`.
    #[inline]
    pub fn notarized_set(&self, state: &State) -> BlockSet {
        self.blocks.all().filter(|&b| state.block(b).parent() != 0 && self.notarized(state, b)).collect()
    }

    /// The message that the chained beacon of the round after `block` signs: the subrounds of its chain, two bits
    /// each. Under the other beacon rules there is one message a round.
    pub fn seed(&self, state: &State, block: BlockId) -> u32 {
        if !self.rules.chained() {
            return 0;
        }
        let (mut seed, mut shift, mut at) = (0, 0, block);
        while at != GENESIS {
            seed |= u32::from(self.blocks.place(at).subround) << shift;
            shift += 2;
            match state.parent(&self.blocks, at) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        seed
    }

    /// The seed with which `miner` takes part in its round.
    #[inline]
    pub fn seed_of_miner(&self, state: &State, miner: usize) -> u32 {
        if !self.rules.chained() { 0 } else { self.seed(state, state.entry(&self.blocks, miner)) }
    }

    /// Honest members that sent a share of the beacon message that `miner` needs in its (round, subround).
    pub fn honest_shares(&self, state: &State, miner: usize) -> u32 {
        let m = &state.miners[miner];
        let round = m.round() as u8;
        if self.has(Fault::EarlySharesDropped) {
            return m.shares_held();
        }
        if !self.rules.chained() {
            // One message a round, whatever the subround; everyone who entered the round has sent it.
            return self.entries(round).map(|entry| state.present(entry, 0)).sum();
        }
        let seed = self.seed_of_miner(state, miner);
        self.entries(round)
            .filter(|&entry| state.present(entry, m.subround() as u8) > 0 && self.seed(state, entry) == seed)
            .map(|entry| state.present(entry, m.subround() as u8))
            .sum()
    }

    /// Whether honest miner `miner` is exposed: the adversary has its key share.
    #[inline]
    pub fn exposed(&self, miner: usize) -> bool {
        miner + self.committee.exposed as usize >= self.honest()
    }

    /// Whether two honest miners differ in nothing but their name.
    #[inline]
    pub(crate) fn alike(&self, a: usize, b: usize) -> bool {
        self.weight(a) == self.weight(b) && self.exposed(a) == self.exposed(b)
    }

    /// Whether the adversary has steps that form beacon values (S11): where members are exposed, or the Byzantine ones
    /// are as many as make a value. Elsewhere no value can be formed before an honest share, and no state is spent on it.
    #[inline]
    pub fn forms_beacon(&self) -> bool {
        !self.rules.chained()
            && !matches!(self.fault, Some(Fault::EarlySharesDropped | Fault::SeedFromProposal))
            && (self.committee.exposed > 0 || self.committee.byzantine >= self.committee.beacon_threshold)
    }

    /// Shares of honest miners that are not exposed, beyond which one more of them changes nothing.
    fn unexposed_enough(&self) -> u32 {
        let known = self.committee.byzantine + self.committee.exposed;
        self.committee.beacon_threshold.saturating_sub(known).max(1)
    }

    /// Honest miners that are not exposed and have sent their share for `round`; no more are counted than matter.
    #[inline]
    pub fn unexposed_shares(&self, state: &State, round: u8) -> u32 {
        state.environment.unexposed_shares() >> (3 * (round - 1)) & 7
    }

    /// `miner` has sent its share for `round`.
    pub(crate) fn count_share(&self, next: &mut State, miner: usize, round: u8) {
        if self.forms_beacon() && round <= self.blocks.rounds && !self.exposed(miner) {
            let sent = self.unexposed_shares(next, round);
            let now = (sent + self.weight(miner)).min(self.unexposed_enough());
            let all = next.environment.unexposed_shares() + ((now - sent) << (3 * (round - 1)));
            next.environment.set_unexposed_shares(all);
        }
    }

    /// Shares of the beacon value of `round` that the adversary has: those of Byzantine and of exposed members from the
    /// start, the others when they are sent.
    #[inline]
    pub fn adversary_shares(&self, state: &State, round: u8) -> u32 {
        self.committee.byzantine + self.committee.exposed + self.unexposed_shares(state, round)
    }

    /// Step 1: whether the beacon value that orders the generators of `miner`'s (round, subround) can be known to it.
    #[inline]
    pub fn beacon_known(&self, state: &State, miner: usize) -> bool {
        if self.committee.exposed > 0 {
            // The adversary may send the share of an exposed miner before that miner does.
            let round = state.miners[miner].round() as u8;
            return self.adversary_shares(state, round) >= self.committee.beacon_threshold;
        }
        self.honest_shares(state, miner) + self.committee.byzantine >= self.committee.beacon_threshold
    }

    /// The blocks through which a round can be entered.
    #[inline]
    pub fn entries(&self, round: u8) -> impl Iterator<Item = BlockId> + use<> {
        let genesis = (round == 1).then_some(GENESIS);
        genesis.into_iter().chain(self.blocks.of_round(round.saturating_sub(1)))
    }

    /// Honest members that were in (round, subround), whatever block they came through.
    #[inline]
    pub fn visitors(&self, state: &State, round: u8, subround: u8) -> u32 {
        self.entries(round).map(|entry| state.present(entry, subround)).sum()
    }

    /// Whether some honest miner has entered the next round through `block`.
    #[inline]
    pub fn adopted(&self, state: &State, block: BlockId) -> bool {
        state.present(block, 0) > 0
            || (0..self.honest()).any(|m| {
                u32::from(self.blocks.round(block)) + 1 == state.miners[m].round()
                    && state.entry(&self.blocks, m) == block
            })
    }

    /// Step 9: whether q timeouts of (round, subround) exist.
    #[inline]
    pub fn timeout_certified(&self, state: &State, round: u8, subround: u8) -> bool {
        let tally = state.timeout(round, subround);
        tally.honest() + self.byzantine_signers(tally.byzantine()) >= self.committee.quorum
    }

    /// Finality votes for `block`.
    #[inline]
    pub fn votes(&self, state: &State, block: BlockId) -> u32 {
        let tally = state.block(block);
        if tally.parent() == 0 { 0 } else { tally.votes() + self.byzantine_signers(tally.byzantine_votes()) }
    }

    /// Whether relayed timeout certificates reach every honest miner.
    #[inline]
    pub fn echoes_timeouts(&self) -> bool {
        self.rules.relays()
    }

    /// Whether relayed notarizations reach every honest miner.
    #[inline]
    pub fn echoes(&self) -> bool {
        self.echoes_timeouts() && !self.has(Fault::NotarizationsNotRelayed)
    }
}
