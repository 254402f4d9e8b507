//! Nodes hand over to each other without a network: the mail of one reaches the others at once and in order, and everything is durable at
//! once, but for writes to journals that a test holds back.

use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use super::super::*;
use crate::block::{BlockId, Closing};
use crate::committee::{ChainId, Committee, Round};
use crate::crypto::mock_scheme::MockScheme;
use crate::crypto::scheme::BeaconValue;
use crate::epochs::envelope::Envelope;
use crate::epochs::key_generation::{Entry, Secret, WriteId};
use crate::epochs::planned::{ITEM, PlannedKeys, Schedule, node};
use crate::message::Message;
use crate::miner::{self, Recovery};
use crate::rules::Rules;
use crate::wire;

pub const CHAIN: ChainId = ChainId([3; 32]);

pub fn settings() -> Config {
    let committee = Committee::new(CHAIN, Epoch(0), 1, 0).expect("one");
    Config::new(committee, Rules::HARDENED, BeaconValue([1; 32]), Time(0))
}

/// Whether something from the first node to the second is not delivered.
pub type Cut<R> = Box<dyn Fn(usize, usize, &Envelope<R>) -> bool>;

/// The nodes, and what is on its way.
pub struct Net<K: Keys> {
    pub nodes: Vec<Option<Replica<K>>>,
    /// Those of each node.
    pub keys: Vec<K>,
    ids: Vec<NodeId>,
    pub first: Beginning<K::Record>,
    pub now: Time,
    timers: BinaryHeap<std::cmp::Reverse<(Time, usize, Timer)>>,
    mail: VecDeque<(usize, usize, Envelope<K::Record>)>,
    /// Node, epoch, round and id of each final block.
    pub finals: Vec<(usize, Epoch, Round, BlockId)>,
    /// The refusals of each node.
    pub refused: BTreeMap<usize, Vec<EpochRefusal>>,
    pub cut: Cut<K::Record>,
    /// The final blocks of each node.
    pub stored: Vec<Vec<crate::chain::FinalBlock>>,
    /// The journals of the key generations.
    pub journals: BTreeMap<(usize, Epoch), Vec<Entry>>,
    /// The last beginning that each node stored.
    pub beginnings: BTreeMap<usize, Beginning<K::Record>>,
    /// Whether a write to a journal is not confirmed: node, whether it replaces the journal.
    pub holds: Box<dyn Fn(usize, bool) -> bool>,
    /// The writes that were not confirmed.
    pub held: Vec<(usize, Epoch, WriteId)>,
}

impl Net<PlannedKeys<MockScheme>> {
    /// So many nodes; the committees of all epochs are planned.
    pub fn planned(committees: Vec<Vec<u16>>, nodes: u16) -> Self {
        let plan = Schedule { chain: CHAIN, first: Epoch(0), committees, sharders: Vec::new(), rounds: 2 };
        let plan = Arc::new(plan);
        let keys = PlannedKeys::mock(Arc::clone(&plan), 5);
        let genesis = Arc::new(Block::genesis(CHAIN, Epoch(0), BeaconValue([1; 32]), Time(0)));
        let first = Beginning::first(plan.record(Epoch(0)).expect("the first"), genesis);
        Self::new(first, (0..nodes).map(|number| (node(number), keys.clone())).collect())
    }
}

impl<K: Keys> Net<K> {
    pub fn new(first: Beginning<K::Record>, nodes: Vec<(NodeId, K)>) -> Self {
        let (ids, keys): (Vec<NodeId>, Vec<K>) = nodes.into_iter().unzip();
        Self {
            nodes: ids.iter().map(|_| None).collect(),
            stored: vec![Vec::new(); ids.len()],
            keys,
            ids,
            first,
            now: Time(0),
            timers: BinaryHeap::new(),
            mail: VecDeque::new(),
            finals: Vec::new(),
            refused: BTreeMap::new(),
            cut: Box::new(|_, _, _| false),
            journals: BTreeMap::new(),
            beginnings: BTreeMap::new(),
            holds: Box::new(|_, _| false),
            held: Vec::new(),
        }
    }

    /// A node of the first epoch, with the key share that is in its journal.
    pub fn start(&mut self, at: usize)
    where
        K: Clone,
    {
        let epoch = self.first.record.epoch();
        let disk = Restored {
            beginning: self.first.clone(),
            links: Vec::new(),
            recovery: Recovery::default(),
            secrets: Secrets {
                present: self.journals.get(&(at, epoch)).cloned().unwrap_or_default(),
                next: Vec::new(),
                entropy: Secret::new([at as u8 + 1; 32]),
            },
        };
        let replica = Replica::new(self.ids[at], self.keys[at].clone(), settings(), disk, []);
        self.nodes[at] = Some(replica.expect("it starts"));
        self.step(at, Input::Start);
    }

    pub fn step(&mut self, at: usize, input: Input<K::Record>) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let Some(replica) = &mut self.nodes[at] else { return };
            let mut out = Vec::new();
            replica.step(self.now, input, &mut out);
            for output in out {
                self.carry_out(at, output, &mut inputs);
            }
        }
    }

    pub fn carry_out(
        &mut self,
        at: usize,
        output: Output<K::Record>,
        inputs: &mut VecDeque<Input<K::Record>>,
    ) {
        let place = |id| self.ids.iter().position(|known| *known == id);
        match output {
            Output::Send { to, envelope } => {
                let to = place(to);
                self.mail.extend(to.map(|to| (at, to, envelope)));
            }
            Output::Broadcast { to, envelope } => {
                let to: Vec<usize> = to.iter().filter_map(|to| place(*to)).collect();
                self.mail.extend(to.into_iter().map(|to| (at, to, envelope.clone())));
            }
            Output::SetTimer { timer, at: when } => self.timers.push(std::cmp::Reverse((when, at, timer))),
            Output::StoreBeginning(beginning) => {
                let epoch = beginning.record.epoch();
                self.beginnings.insert(at, beginning);
                inputs.push_back(Input::Begun {
                    epoch,
                    recovery: Recovery::default(),
                    entropy: Secret::new([at as u8 + 101; 32]),
                });
            }
            Output::Host { epoch, output } => {
                let input = match output {
                    miner::Output::Persist { write, .. } => miner::Input::Persisted(write),
                    miner::Output::Store { write, .. } => miner::Input::Stored(write),
                    miner::Output::RequestPayload { round, subround, .. } => {
                        let (payload, items) = (vec![at as u8], ITEM.to_vec());
                        miner::Input::Payload { round, subround, payload, items, record: None }
                    }
                    miner::Output::Validate { block } => {
                        let (round, block) = (block.round(), block.id());
                        miner::Input::Validated { round, block, accepted: true }
                    }
                    miner::Output::Finalized(found) => {
                        self.finals.push((at, epoch, found.block.round(), found.block.id()));
                        self.stored[at].push(found);
                        return;
                    }
                    _ => return,
                };
                inputs.push_back(Input::Host { epoch, input });
            }
            Output::Serve { to, epoch, after, bytes } => {
                let of_epoch = |found: &&crate::chain::FinalBlock| {
                    found.block.round() > after && found.block.header().epoch == epoch
                };
                let path: Vec<_> = self.stored[at].iter().filter(of_epoch).take(33).cloned().collect();
                if let (Some(to), Some(response)) = (place(to), crate::chain::respond_within(path, bytes)) {
                    let message = Message::ChainResponse(Arc::new(response));
                    self.mail.push_back((at, to, Envelope::Message { epoch, message }));
                }
            }
            Output::Refused { refusal, .. } => self.refused.entry(at).or_default().push(refusal),
            Output::Diverged { .. } | Output::Failed(_) => panic!("node {at}: {output:?}"),
            Output::Journal { epoch, write, replaces, entries } => {
                let journal = self.journals.entry((at, epoch)).or_default();
                if replaces {
                    journal.clear();
                }
                journal.extend(entries);
                if (self.holds)(at, replaces) {
                    self.held.push((at, epoch, write));
                } else {
                    inputs.push_back(Input::Journaled { epoch, write });
                }
            }
            Output::ServeStored { .. } | Output::ServeLinks { .. } | Output::Milestone(_) => {}
        }
    }

    /// Delivers everything, and lets time pass to the next timer; so often.
    pub fn run(&mut self, times: usize) {
        for _ in 0..times {
            let mut steps = 0;
            while let Some((from, to, envelope)) = self.mail.pop_front() {
                if (self.cut)(from, to, &envelope) {
                    continue;
                }
                let bytes = wire::to_bytes(&envelope);
                self.step(to, Input::Bytes { from: self.ids[from], bytes });
                steps += 1;
                assert!(steps < 100_000, "the nodes go on for ever");
            }
            let Some(std::cmp::Reverse((at, of, timer))) = self.timers.pop() else { return };
            self.now = self.now.max(at);
            self.step(of, Input::Timer(timer));
        }
    }

    pub fn epoch(&self, at: usize) -> Epoch {
        self.nodes[at].as_ref().expect("it runs").epoch()
    }

    /// Every round is final once, with one block, and its epoch changes where the chain was closed.
    pub fn is_one_chain(&self) {
        let mut chain: BTreeMap<Round, (Epoch, BlockId)> = BTreeMap::new();
        for &(at, epoch, round, block) in &self.finals {
            let first = *chain.entry(round).or_insert((epoch, block));
            assert_eq!(first, (epoch, block), "node {at} has another final block in round {round}");
        }
        for found in self.stored.iter().flatten() {
            let tail = matches!(found.block.header().closing, Closing::Tail { .. });
            assert!(!tail, "a tail block of round {} is final", found.block.round());
        }
    }
}
