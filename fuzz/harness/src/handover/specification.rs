//! The state of the specification beside a run: each step of an honest node has to be one that `zus_epochs::handoff` allows.
//!
//! The list of blocks of the specification grows with the run: a block joins it when an honest node signs or finalizes it, with its
//! ancestors. It has 32 places; after that the run is not compared any further.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use zus_bpp::block::{self, Closing, Digest, Header};
use zus_bpp::committee::{Epoch, Round, Subround};
use zus_bpp::epochs::planned::Schedule;
use zus_bpp::epochs::roster::CommitteeRecord as _;
use zus_epochs::handoff::block::Generator;
use zus_epochs::handoff::{
    Action, Block, BlockId, ComesBack, EpochProperty, EpochRules, Instance, Member, Record, START, State,
    Subrounds,
};
use zus_sim::epochs::{Step, Taken};

/// The places in the list of blocks.
const PLACES: usize = 32;

/// Names of blocks, for sentences.
const NAMES: [&str; PLACES] = [
    "b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9", "b10", "b11", "b12", "b13", "b14", "b15",
    "b16", "b17", "b18", "b19", "b20", "b21", "b22", "b23", "b24", "b25", "b26", "b27", "b28", "b29", "b30",
    "b31",
];

/// A step that the specification does not allow, or a property that does not hold after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// The step; none if it is the end of the run that is wrong.
    pub taken: Option<Taken>,
    /// The reason.
    pub reason: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.taken {
            Some(Taken { node, epoch, step }) => {
                write!(f, "node {node}, epoch {}: {step:?}: {}", epoch.0, self.reason)
            }
            None => write!(f, "{}", self.reason),
        }
    }
}

/// The answer about a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compared {
    /// The specification allows it.
    Allowed,
    /// Its list of blocks is full.
    Full,
}

/// See the module doc.
pub struct Specification {
    instance: Instance,
    state: State,
    plan: Schedule,
    /// The place of each honest node in the state.
    places: BTreeMap<u16, usize>,
    blocks: BTreeMap<block::BlockId, BlockId>,
    headers: BTreeMap<BlockId, Header>,
    /// The votes that left, by honest nodes: the specification lets a node vote whenever it leaves a round.
    votes: BTreeMap<BlockId, BTreeSet<usize>>,
    /// The steps of the specification.
    pub actions: Vec<Action>,
}

impl Specification {
    /// The beginning of a run of this plan: `nodes` nodes, of which these are Byzantine.
    pub fn new(plan: &Schedule, nodes: u16, byzantine: &[u16], genesis: block::BlockId) -> Self {
        let member = |node: u16| Member {
            name: format!("node {node}"),
            honest: !byzantine.contains(&node),
            of: plan.committees.iter().map(|members| members.contains(&node)).collect(),
            checkpoint: false,
        };
        let mut numbers: Vec<u16> = (0..nodes).collect();
        numbers.sort_by_key(|node| byzantine.contains(node));
        let start = Block {
            name: NAMES[0],
            epoch: Epoch(0),
            round: Round(0),
            subround: Subround(0),
            parent: START,
            closed_by: None,
            generator: Generator::Byzantine,
        };
        let instance = Instance {
            members: numbers.iter().map(|&node| member(node)).collect(),
            blocks: vec![start],
            epochs: plan.committees.len() as u64,
            rules: EpochRules::HARDENED,
            fault: None,
            restarts: usize::from(nodes),
            comes_back: ComesBack::WithItsLogOnly,
            subrounds: Subrounds::AtWill,
            turns: false,
        };
        let places = numbers.iter().copied().zip(0..).filter(|(node, _)| !byzantine.contains(node));
        Self {
            state: instance.initial(),
            instance,
            plan: plan.clone(),
            places: places.collect(),
            blocks: BTreeMap::from([(genesis, START)]),
            headers: BTreeMap::new(),
            votes: BTreeMap::new(),
            actions: Vec::new(),
        }
    }

    /// Compares a step. Those of Byzantine nodes are not looked at.
    ///
    /// # Errors
    /// When the specification does not allow it.
    pub fn take(
        &mut self,
        taken: Taken,
        headers: &BTreeMap<block::BlockId, Header>,
    ) -> Result<Compared, Wrong> {
        let Some(&at) = self.places.get(&taken.node) else { return Ok(Compared::Allowed) };
        let before = self.actions.len();
        let done = match taken.step {
            Step::Enters { anchor, record } => self.enters(at, anchor, record, headers),
            Step::Returns => self.returns(at),
            Step::Ticket(block) => self.ticket(at, block, headers),
            Step::Vote(block) => self.vote(at, block, headers),
            Step::Final(block) => self.is_final(block, headers),
        };
        let done = done.and_then(|compared| {
            if self.actions.len() > before {
                self.holds()?;
            }
            Ok(compared)
        });
        done.map_err(|reason| Wrong { taken: Some(taken), reason })
    }

    /// The properties of the handover that say something of one state.
    fn holds(&self) -> Result<(), String> {
        let asked = [EpochProperty::E1, EpochProperty::E2, EpochProperty::E3, EpochProperty::E9];
        match asked.into_iter().find(|property| self.instance.shows(&self.state, *property)) {
            None => Ok(()),
            Some(property) => Err(format!("{} does not hold: {}", property.id(), property.text())),
        }
    }

    fn act(&mut self, action: Action) -> Result<(), String> {
        if !self.instance.enabled(&self.state, &action) {
            let says = self.instance.sentence(&self.state, &action);
            return Err(format!("the specification does not allow it here: {says}"));
        }
        self.instance.apply(&mut self.state, &action);
        self.actions.push(action);
        Ok(())
    }

    fn enters(
        &mut self,
        at: usize,
        anchor: block::BlockId,
        record: Digest,
        headers: &BTreeMap<block::BlockId, Header>,
    ) -> Result<Compared, String> {
        let Some(closing) = self.block(anchor, headers)? else { return Ok(Compared::Full) };
        let next = Epoch(self.plan.first.0 + self.instance.block(closing).epoch.0 + 1);
        let planned = self.plan.record(next).map(|planned| planned.digest());
        let record = if planned == Some(record) { Record::OfChain } else { Record::Forged };
        let of_epoch = self.instance.closing_and_tail(closing).collect();
        self.has_quorum(self.instance.block(closing).epoch, of_epoch)?;
        self.act(Action::Enter { node: at, closing, record })?;
        Ok(Compared::Allowed)
    }

    /// Each node once, as in the specification; a later crash of the same node changes nothing there.
    fn returns(&mut self, at: usize) -> Result<Compared, String> {
        let action = Action::Restart { node: at };
        if self.instance.enabled(&self.state, &action) {
            self.act(action)?;
        }
        Ok(Compared::Allowed)
    }

    fn ticket(
        &mut self,
        at: usize,
        block: block::BlockId,
        headers: &BTreeMap<block::BlockId, Header>,
    ) -> Result<Compared, String> {
        let Some(block) = self.block(block, headers)? else { return Ok(Compared::Full) };
        let node = &self.state.nodes[at];
        if node.tickets.contains(block) {
            return Ok(Compared::Allowed);
        }
        let (of, through) = (self.instance.block(block), self.instance.block(node.through));
        // A member that did not vote in a round left it unseen: through the block on which it goes on.
        if of.epoch == node.epoch() && through.round.next() < of.round {
            let parent = of.parent;
            self.act(Action::Leave { node: at, block: parent })?;
        }
        self.act(Action::Ticket { node: at, block })?;
        Ok(Compared::Allowed)
    }

    fn vote(
        &mut self,
        at: usize,
        block: block::BlockId,
        headers: &BTreeMap<block::BlockId, Header>,
    ) -> Result<Compared, String> {
        let Some(block) = self.block(block, headers)? else { return Ok(Compared::Full) };
        if !self.state.nodes[at].votes.contains(block) {
            self.act(Action::Leave { node: at, block })?;
            if !self.state.nodes[at].votes.contains(block) {
                return Err("a vote that an earlier ticket or vote of the node forbids".into());
            }
        }
        self.votes.entry(block).or_default().insert(at);
        Ok(Compared::Allowed)
    }

    /// How many members of its epoch voted for a block, so that anybody can know it: the honest ones whose votes left, and the Byzantine
    /// ones.
    fn signed(&self, block: BlockId) -> usize {
        let epoch = self.instance.block(block).epoch;
        let of_epoch = |at: &&usize| self.instance.is_in(**at, epoch);
        let honest = self.votes.get(&block).map_or(0, |votes| votes.iter().filter(of_epoch).count());
        honest + self.instance.byzantine(epoch)
    }

    /// A final block has a block of its epoch above it, or is that, which a quorum voted final; and it is none of a tail.
    fn is_final(
        &mut self,
        block: block::BlockId,
        headers: &BTreeMap<block::BlockId, Header>,
    ) -> Result<Compared, String> {
        let Some(block) = self.block(block, headers)? else { return Ok(Compared::Full) };
        let epoch = self.instance.block(block).epoch;
        if self.instance.block(block).closed_by.is_some_and(|closing| closing != block) {
            return Err("a block of the tail is final".into());
        }
        let above = |other: &BlockId| {
            self.instance.block(*other).epoch == epoch && self.instance.descends(*other, block)
        };
        self.has_quorum(epoch, self.instance.above_start().filter(above).collect())?;
        Ok(Compared::Allowed)
    }

    /// One of these blocks of an epoch has the votes of a quorum of its committee.
    fn has_quorum(&self, epoch: Epoch, blocks: Vec<BlockId>) -> Result<(), String> {
        let votes = blocks.into_iter().map(|block| self.signed(block)).max().unwrap_or(0);
        let quorum = self.instance.quorum(epoch);
        if votes < quorum {
            return Err(format!("{votes} votes for a block that shows it, where {quorum} are needed"));
        }
        Ok(())
    }

    /// The place of a block in the list. It is added with its ancestors if it is not there; `None`: there is no room.
    fn block(
        &mut self,
        id: block::BlockId,
        headers: &BTreeMap<block::BlockId, Header>,
    ) -> Result<Option<BlockId>, String> {
        let mut missing = Vec::new();
        let mut below = id;
        while !self.blocks.contains_key(&below) {
            let header =
                headers.get(&below).ok_or_else(|| format!("no node has judged the block {below}"))?;
            missing.push((below, *header));
            below = header.parent;
            if self.instance.blocks.len() + missing.len() > PLACES {
                return Ok(None);
            }
        }
        for (id, header) in missing.into_iter().rev() {
            self.add(id, &header)?;
        }
        Ok(self.blocks.get(&id).copied())
    }

    /// Adds a block whose parent is in the list. What it says of the end of its epoch has to follow from the blocks below it.
    fn add(&mut self, id: block::BlockId, header: &Header) -> Result<(), String> {
        let parent = self.blocks[&header.parent];
        let own = BlockId(self.instance.blocks.len() as u8);
        let below = self.instance.block(parent).clone();
        let number =
            header.epoch.0.checked_sub(self.plan.first.0).ok_or("a block of an epoch before the first")?;
        let epoch = Epoch(number);
        let begins = below.epoch != epoch;
        if header.round != below.round.next() {
            return Err(format!("{id}: its round does not follow that of its parent"));
        }
        if begins && (epoch.0 != below.epoch.0 + 1 || below.closed_by != Some(parent)) {
            return Err(format!("{id}: it begins an epoch, and not on a closing block"));
        }
        let next = self.plan.record(Epoch(header.epoch.0 + 1));
        let inherited = if begins { None } else { below.closed_by };
        let expected = match (inherited, next) {
            (Some(closing), Some(next)) => {
                let (block, round) = (self.id_of(closing), self.instance.block(closing).round);
                Closing::Tail { round, block, record: next.digest() }
            }
            (None, Some(next)) if header.has_items() && self.is_complete(header, parent, begins) => {
                Closing::Closes { record: next.digest() }
            }
            _ => Closing::Open,
        };
        if header.closing != expected {
            return Err(format!(
                "{id}: it says {:?} of the end of its epoch, and its chain {expected:?}",
                header.closing
            ));
        }
        if inherited.is_some() && !header.is_empty() {
            return Err(format!("{id}: there is something in a block of the tail"));
        }
        let closed_by = match header.closing {
            Closing::Closes { .. } => Some(own),
            Closing::Open | Closing::Tail { .. } => inherited,
        };
        self.instance.blocks.push(Block {
            name: NAMES[usize::from(own.0)],
            epoch,
            round: header.round,
            subround: header.subround,
            parent,
            closed_by,
            generator: Generator::Byzantine,
        });
        self.blocks.insert(id, own);
        self.headers.insert(own, *header);
        Ok(())
    }

    /// Whether an item completes the record: so many rounds above the block that the epoch begins on.
    fn is_complete(&self, header: &Header, parent: BlockId, begins: bool) -> bool {
        let epoch = self.instance.block(parent).epoch;
        let mut anchor = parent;
        while !begins && anchor != START && self.instance.block(anchor).epoch == epoch {
            anchor = self.instance.block(anchor).parent;
        }
        header.round.0 >= self.instance.block(anchor).round.0 + self.plan.rounds
    }

    fn id_of(&self, block: BlockId) -> block::BlockId {
        self.headers.get(&block).map_or(block::BlockId([0; 32]), Header::id)
    }

    /// The epoch in which the specification has each honest node, by its number.
    pub fn epochs(&self) -> BTreeMap<u16, Epoch> {
        let epoch = |at: usize| Epoch(self.plan.first.0 + self.state.nodes[at].epoch().0);
        self.places.iter().map(|(&node, &at)| (node, epoch(at))).collect()
    }

    /// Whether the state of the specification shows a property, or a witness.
    pub fn shows(&self, property: EpochProperty) -> bool {
        self.instance.shows(&self.state, property)
    }
}
