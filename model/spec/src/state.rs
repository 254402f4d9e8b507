//! The state of a run: what each honest miner remembers, and what has been sent.
//!
//! Sent messages are never removed. Signers are kept by name, so that a signature counts once however often it is sent.
//! Byzantine members have no memory here: nothing that they did keeps them from anything.

use crate::{
    block::{Block, GENESIS},
    instance::{Instance, Network},
};
use std::collections::{BTreeMap, BTreeSet};
use zus_protocol::ids::{MinerId, Round, Subround};

/// A set of members that signed the same message.
pub type Signers = BTreeSet<MinerId>;

/// The durable records of an honest miner. A record is written before its message leaves.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Log {
    /// Places in which it proposed.
    pub proposals: BTreeSet<(Round, Subround)>,
    /// Blocks that it signed a ticket for.
    pub tickets: BTreeSet<Block>,
    /// Subrounds that it timed out of.
    pub timeouts: BTreeSet<(Round, Subround)>,
    /// Blocks that it cast a finality vote for.
    pub votes: BTreeSet<Block>,
}

/// An honest miner.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Miner {
    /// Whether it is up.
    pub up: bool,
    /// Its round, from 1.
    pub round: Round,
    /// Its subround, from 0.
    pub subround: Subround,
    /// The notarized block of the round before through which it entered; genesis in round 1.
    pub entry: Block,
    /// The block that it selected and has not ticketed yet.
    pub selected: Option<Block>,
    /// The block whose ticket is in the log and has not been sent yet.
    pub unsent: Option<Block>,
    /// The records of its signatures.
    pub log: Log,
    /// Whether it restarted in this subround.
    pub restarted: bool,
    /// Whether it then sent a ticket that was in its log (W6).
    pub resent: bool,
    /// Whether it believes a seed that a proposal claimed (fault 20).
    pub deceived: bool,
    /// The members whose share of this round it did not drop (fault 18).
    pub shares_held: Signers,
    /// The members whose timeout of this subround it recorded (fault 12).
    pub timeouts_held: Signers,
    /// Whether it was sent a timeout certificate of this subround (fault 12).
    pub certificate_held: bool,
}

impl Miner {
    /// A miner that has just entered (round, 0) through `entry`, the block of the round before.
    pub fn entered(entry: Block, log: Log) -> Miner {
        Miner {
            up: true,
            round: entry.round.next(),
            subround: Subround(0),
            entry,
            selected: None,
            unsent: None,
            log,
            restarted: false,
            resent: false,
            deceived: false,
            shares_held: Signers::new(),
            timeouts_held: Signers::new(),
            certificate_held: false,
        }
    }

    /// Its position.
    pub fn position(&self) -> (Round, Subround) {
        (self.round, self.subround)
    }

    /// Whether it timed out of its subround, and so signs no ticket there any more.
    pub fn timed_out(&self) -> bool {
        self.log.timeouts.contains(&self.position())
    }

    /// The blocks of `round` that it signed a ticket for.
    pub fn tickets_of(&self, round: Round) -> impl Iterator<Item = &Block> {
        self.log.tickets.iter().filter(move |block| block.round == round)
    }

    /// The blocks of its subround that it signed a ticket for.
    pub fn tickets_here(&self) -> impl Iterator<Item = &Block> {
        self.tickets_of(self.round).filter(|block| block.subround == self.subround)
    }

    /// Whether every block that it ticketed in the round of `block`, over all subrounds, is `block`; none is fine.
    pub fn ticketed_no_other(&self, block: &Block) -> bool {
        self.tickets_of(block.round).all(|ticketed| ticketed == block)
    }

    /// Whether its log has a finality vote for a block of `round`.
    pub fn voted_in(&self, round: Round) -> bool {
        self.log.votes.iter().any(|block| block.round == round)
    }
}

/// A place in a round, together with the block through which a miner came there. The round is the one after the block's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Visit {
    /// The notarized block of the round before.
    pub through: Block,
    /// The subround.
    pub subround: Subround,
}

/// The messages that have been sent.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Sent {
    /// Beacon shares of honest members (step 1). A share belongs to a subround, and to the seed of a block, only under
    /// `Chained`; under `RoundOnly` its subround is 0 and its block is not read. Those of Byzantine members are always there.
    pub shares: BTreeMap<Visit, Signers>,
    /// Blocks that were proposed, each with its parent (step 2).
    pub blocks: BTreeMap<Block, Block>,
    /// Tickets (step 5).
    pub tickets: BTreeMap<Block, Signers>,
    /// Blocks of which a notarization was formed (steps 6 and 7).
    pub notarized: BTreeSet<Block>,
    /// Finality votes (step 8).
    pub votes: BTreeMap<Block, Signers>,
    /// Timeout votes (step 9).
    pub timeouts: BTreeMap<(Round, Subround), Signers>,
}

impl Sent {
    /// The members that sent a ticket for `block`.
    pub fn tickets_for(&self, block: &Block) -> impl Iterator<Item = &MinerId> + Clone {
        self.tickets.get(block).into_iter().flatten()
    }

    /// The members that sent a finality vote for `block`.
    pub fn votes_for(&self, block: &Block) -> impl Iterator<Item = &MinerId> + Clone {
        self.votes.get(block).into_iter().flatten()
    }

    /// The members that sent a timeout vote of (round, subround).
    pub fn timeouts_of(&self, round: Round, subround: Subround) -> impl Iterator<Item = &MinerId> + Clone {
        self.timeouts.get(&(round, subround)).into_iter().flatten()
    }
}

/// Steps of the past that properties ask about. No guard reads it.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct History {
    /// An honest miner accepted a notarization whose label is not its block's round (S8).
    pub mislabelled: bool,
    /// The head of an observer moved back or aside (S7).
    pub moved_aside: bool,
    /// The finalized chain of an observer has a hole (S5).
    pub holed: bool,
    /// Rounds whose beacon value the adversary formed, and whether it did so *before* an honest member that is not
    /// exposed had sent its share (S11).
    pub formed: BTreeMap<Round, bool>,
    /// Crashes so far.
    pub crashes: u32,
}

/// A state of the protocol.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct State {
    /// The honest miners, by their [`MinerId`].
    pub miners: Vec<Miner>,
    /// The sent messages.
    pub sent: Sent,
    /// The finalized heads of the observers.
    pub heads: Vec<Block>,
    /// Once the network is synchronous: the highest round of an honest miner at that moment.
    pub synchronous: Option<Round>,
    /// Which honest members have been where. Only a synchronous network asks (`good_period`), so it stays empty in an
    /// instance that is never synchronous.
    pub visits: BTreeMap<Visit, Signers>,
    /// The past.
    pub history: History,
    /// The oldest block that is remembered: genesis, unless rounds were forgotten (`State::forget_below`).
    pub floor: Block,
}

impl Instance {
    /// Everyone enters (1, 0) through genesis.
    pub fn initial(&self) -> State {
        let mut state = State {
            miners: self.honest().map(|_| Miner::entered(GENESIS, Log::default())).collect(),
            sent: Sent::default(),
            heads: vec![GENESIS; self.observers],
            synchronous: match self.network {
                Network::Synchronous => Some(Round(0)),
                Network::Asynchronous | Network::PartiallySynchronous => None,
            },
            visits: BTreeMap::new(),
            history: History::default(),
            floor: GENESIS,
        };
        for miner in self.honest() {
            self.visit(&mut state, miner);
        }
        state
    }

    /// Notes where `miner` is now.
    pub(crate) fn visit(&self, state: &mut State, miner: MinerId) {
        if self.network != Network::Asynchronous {
            let m = state.miner(miner);
            let visit = Visit { through: m.entry, subround: m.subround };
            state.visits.entry(visit).or_default().insert(miner);
        }
    }
}

impl State {
    /// An honest miner.
    pub fn miner(&self, miner: MinerId) -> &Miner {
        &self.miners[usize::from(miner.0)]
    }

    /// An honest miner.
    pub fn miner_mut(&mut self, miner: MinerId) -> &mut Miner {
        &mut self.miners[usize::from(miner.0)]
    }

    /// Whether `block` has been proposed. Genesis has.
    pub fn proposed(&self, block: &Block) -> bool {
        *block == self.floor || self.sent.blocks.contains_key(block)
    }

    /// Whether a notarization of `block` has been formed. Genesis is notarized.
    pub fn notarized(&self, block: &Block) -> bool {
        *block == self.floor || self.sent.notarized.contains(block)
    }

    /// `block` and its ancestors that are remembered, from the latest.
    pub fn chain(&self, block: Block) -> impl Iterator<Item = Block> {
        std::iter::successors(Some(block), |block| self.sent.blocks.get(block).copied())
    }

    /// Whether `ancestor` is `block` or lies on its chain.
    pub fn descends(&self, block: Block, ancestor: Block) -> bool {
        ancestor == self.floor || self.chain(block).any(|at| at == ancestor)
    }

    /// Whether two blocks are on one chain.
    pub fn compatible(&self, a: Block, b: Block) -> bool {
        self.descends(a, b) || self.descends(b, a)
    }

    /// The last block on both chains.
    pub fn common_ancestor(&self, a: Block, b: Block) -> Block {
        self.chain(a).find(|&at| self.descends(b, at)).unwrap_or(self.floor)
    }

    /// All pairs of two different notarized blocks.
    pub fn notarized_pairs(&self) -> impl Iterator<Item = (Block, Block)> {
        pairs(&self.sent.notarized)
    }
}

/// All pairs of two different blocks of a set, the lower first.
pub fn pairs(set: &BTreeSet<Block>) -> impl Iterator<Item = (Block, Block)> {
    set.iter().enumerate().flat_map(|(at, &a)| set.iter().skip(at + 1).map(move |&b| (a, b)))
}
