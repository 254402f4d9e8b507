//! The search as a timely dataflow program. One layer of states, those at one distance from the start, is one timestamp.
//!
//! ```text
//!   go (once a layer) -> expand -> exchange by fingerprint -> own -> probe
//! ```
//!
//! `expand` reads the states of this worker in the layer and sends their successors to their owners: at most [`AT_ONCE`] states an
//! activation, because timely has no backpressure, so the owner is served in between. `own` takes up those that are new. Once the
//! probe has passed the timestamp, every successor is where it belongs, and each worker writes the next layer to disk.
//!
//! The order of states in a layer is the order of the search on threads: by shard, then by predecessor and step. So counts, the
//! fingerprint that stands for a fact, and the run to it are the same whatever the number of processes.

use crate::{
    board::Board,
    end,
    layers::{Hit, Identity, Layers, Totals, Unfit, Written},
    measure::Measure,
    owner::Owner,
    packet::{Bytes, Packet},
    prints::Print,
    record::{self, Address, HEAD, key, shard, write_head},
    runs::Reader,
};
use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};
use serde::{Deserialize, Serialize};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        InputHandle, ProbeHandle,
        channels::pact::{Exchange, Pipeline},
        operators::{Capability, Input, Probe, generic::Operator},
    },
    worker::Worker,
};
use zus_checker::{
    properties::{Facts, Property},
    protocol::Protocol,
    search::{
        bfs::{End, Exploration, SHARDS},
        codec::Codec,
        expander::Expander,
    },
    state::State,
};

/// States that are expanded in one activation.
pub const AT_ONCE: usize = 512;
/// Bytes of successors that are sent together.
const PACKET: usize = 16 << 10;
/// Fingerprints already sent that a sender remembers: a power of two.
const CACHE: usize = 1 << 16;

/// The input of a search.
#[derive(Clone)]
pub struct Task {
    /// The search.
    pub identity: Identity,
    /// This process.
    pub process: usize,
    /// The instance.
    pub protocol: Protocol,
    /// The properties to look for.
    pub asked: Facts,
    /// Those with which it may end, at the end of a layer.
    pub enough: Option<Facts>,
    /// Unique states at which it ends, at the end of a layer.
    pub most_states: u64,
    /// Bytes of memory, from which on states are on disk.
    pub memory: u64,
    /// The folder of this process.
    pub folder: std::path::PathBuf,
    /// Whether to go on from the last complete layer.
    pub resume: bool,
}

/// Figures of a search that the report of threads does not have.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Most fingerprints that were held at a time.
    pub held: u64,
    /// Successors that a process did not send, because it had sent them lately.
    pub again: u64,
    /// Whether some process went to sorted runs.
    pub spilled: bool,
}

/// The result of one process.
pub struct Outcome {
    /// The search, of all processes but for the memory.
    pub exploration: Exploration,
    /// The figures of all processes.
    pub figures: Figures,
    /// The layers of this process.
    pub layers: Layers,
}

/// The two halves of a fingerprint.
pub struct Hash {
    secrets: RapidSecrets,
}

impl Hash {
    /// The hash whose upper half has that seed.
    pub fn new(seed: u64) -> Self {
        Hash { secrets: RapidSecrets::seed(seed) }
    }

    #[inline]
    fn print(&self, low: u64, bytes: &[u8]) -> Print {
        Print::from(rapidhash_v3_seeded(bytes, &self.secrets)) << 64 | Print::from(low)
    }
}

/// The part of a layer that one worker has done.
#[derive(Serialize, Deserialize)]
struct Part {
    generated: u64,
    states: u64,
    least: Option<u16>,
    found: BTreeMap<Property, Hit>,
}

/// The worker's end of `expand`.
struct Source<'p> {
    expander: Expander<'p>,
    next: State,
    codec: Codec,
    hash: Hash,
    measure: Measure,
    worker: usize,
    peers: usize,
    sought: Facts,
    layer: u32,
    reader: Option<Reader>,
    shards: [u64; SHARDS],
    address: Address,
    record: Vec<u8>,
    /// Successors of one state that this worker owns.
    own: Vec<u8>,
    /// Successors for each worker.
    packets: Vec<Vec<u8>>,
    sent: Vec<Print>,
    generated: u64,
    /// Successors that were not sent again, since the start of the process.
    again: u64,
    found: BTreeMap<Property, Hit>,
    capability: Option<Capability<u32>>,
}

impl Source<'_> {
    fn begin(&mut self, layers: &Layers, layer: u32, sought: Facts) {
        (self.layer, self.sought) = (layer, sought);
        self.reader = Some(layers.read(layer));
        self.shards = layers.complete[layer as usize];
        self.address = Address { shard: 0, at: 0 };
        (self.generated, self.found) = (0, BTreeMap::new());
    }

    /// Reads the next state; `false` at the end of the layer.
    fn next(&mut self) -> bool {
        let Some(reader) = &mut self.reader else { return false };
        if !reader.next(&mut self.record) {
            self.reader = None;
            return false;
        }
        while self.address.at == self.shards[self.address.shard as usize] {
            self.address = Address { shard: self.address.shard + 1, at: 0 };
        }
        true
    }

    /// Expands one state: successors that this worker owns are taken up at once, the others wait in packets.
    fn expand(&mut self, owner: &mut Owner) {
        let address = self.address;
        self.address.at += 1;
        let print = self.expander.enter(&self.codec, &self.record[size_of::<u64>()..]);
        for property in self.expander.facts(self.sought).iter() {
            let hit = Hit { print, layer: self.layer, address };
            let least = self.found.entry(property).or_insert(hit);
            if hit.print < least.print {
                *least = hit;
            }
        }
        let before = self.measure.measure(self.expander.state());
        let used = self.expander.bytes(self.expander.state()).len();
        let steps = self.expander.steps();
        let own = &mut self.own;
        own.clear();
        let (state, packed) = (self.expander.state(), &self.record[size_of::<u64>()..]);
        let (codec, hash, measure, packets, sent) =
            (&self.codec, &self.hash, self.measure, &mut self.packets, &mut self.sent);
        let (me, peers) = (self.worker, self.peers);
        for step in 0..steps {
            let low = self.expander.step(step, &mut self.next);
            let next = &self.next;
            let print = hash.print(low, &bytemuck::bytes_of(next)[..used]);
            // Of what was sent in this layer the first one has the least key; the owner knows what was sent in earlier ones.
            let slot = &mut sent[(print >> 64) as usize % CACHE];
            if *slot == print {
                self.again += 1;
                continue;
            }
            *slot = print;
            let after = measure.measure(next);
            assert!(before <= after, "a step makes the measure {measure:?} smaller: it is wrong");
            let to = shard(print) % peers;
            let out = if to == me { &mut *own } else { &mut packets[to] };
            write_head(out, after, print, key(address, step));
            codec.pack_after((state, packed), next, out);
        }
        self.generated += steps as u64;
        self.own.chunks_exact(HEAD + self.codec.bytes).for_each(|record| owner.accept(record));
    }
}

/// A worker of the search.
struct Searcher<'p> {
    source: Rc<RefCell<Source<'p>>>,
    owner: Rc<RefCell<Owner>>,
    go: InputHandle<u32, CapacityContainerBuilder<Vec<()>>>,
    probe: ProbeHandle<u32>,
    turn: u32,
}

impl Searcher<'static> {
    fn new(worker: &mut Worker, source: Source<'static>, owner: Owner) -> Self {
        let width = HEAD + source.codec.bytes;
        let (source, owner) = (Rc::new(RefCell::new(source)), Rc::new(RefCell::new(owner)));
        let (from, into, by) = (Rc::clone(&source), Rc::clone(&owner), Rc::clone(&owner));
        let (go, probe) = worker.dataflow::<u32, _, _>(|scope| {
            let (go, layers) = scope.new_input::<Vec<()>>();
            let expanded = layers.unary::<CapacityContainerBuilder<Vec<Packet>>, _, _, _>(
                Pipeline,
                "expand",
                |_, info| {
                    let activator = scope.activator_for(info.address);
                    move |input, output| {
                        let source = &mut *from.borrow_mut();
                        input.for_each(|capability, _| source.capability = capability.retain_least(0));
                        let Some(capability) = &source.capability.clone() else { return };
                        let mut session = output.session(capability);
                        let worker = source.worker as u64;
                        let mut send = |to: usize, bytes| {
                            session.give(Packet { to: to as u64, from: worker, bytes: Bytes(bytes) });
                        };
                        for _ in 0..AT_ONCE {
                            if !source.next() {
                                source.capability = None;
                                break;
                            }
                            source.expand(&mut by.borrow_mut());
                            for (to, packet) in source.packets.iter_mut().enumerate() {
                                if packet.len() >= PACKET {
                                    send(to, std::mem::replace(packet, Vec::with_capacity(PACKET + 512)));
                                }
                            }
                        }
                        if source.capability.is_some() {
                            activator.activate();
                            return;
                        }
                        for (to, packet) in source.packets.iter_mut().enumerate() {
                            if !packet.is_empty() {
                                send(to, std::mem::take(packet));
                            }
                        }
                    }
                },
            );
            let owned = expanded.unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(
                Exchange::new(|packet: &Packet| packet.to),
                "own",
                |_, _| {
                    move |input, _| {
                        input.for_each(|_, packets| {
                            // Borrowed for what there is only: a search that goes on at its end looks at the owner meanwhile.
                            let mut owner = into.borrow_mut();
                            for packet in packets.drain(..) {
                                packet.bytes.0.chunks_exact(width).for_each(|record| owner.accept(record));
                            }
                        });
                    }
                },
            );
            let (probe, _) = owned.probe();
            (go, probe)
        });
        Searcher { source, owner, go, probe, turn: 0 }
    }

    /// Expands `layer` and writes the next one.
    fn expand(&mut self, worker: &mut Worker, layer: u32, totals: &Totals, sought: Facts) -> (Written, Part) {
        {
            let mut owner = self.owner.borrow_mut();
            owner.complete_below(totals.least);
            self.source.borrow_mut().begin(&owner.layers, layer, sought);
        }
        self.go.send(());
        self.turn += 1;
        self.go.advance_to(self.turn);
        while self.probe.less_than(&self.turn) {
            worker.step_or_park(None);
        }
        let (written, least) = self.owner.borrow_mut().finish(layer + 1);
        let source = self.source.borrow();
        let part = Part {
            generated: source.generated,
            states: written.shards.iter().sum(),
            least,
            found: source.found.clone(),
        };
        (written, part)
    }
}

impl Totals {
    /// Adds what the workers did in one layer.
    fn add(&mut self, layer: u32, parts: Vec<Part>) {
        (self.before, self.states, self.depth) = (self.states, 0, layer);
        let mut least: Option<u16> = None;
        let mut found: BTreeMap<Property, Hit> = BTreeMap::new();
        for part in parts {
            self.generated += part.generated;
            self.states += part.states;
            least = least.into_iter().chain(part.least).min();
            for (property, hit) in part.found {
                let held = found.entry(property).or_insert(hit);
                if hit.print < held.print {
                    *held = hit;
                }
            }
        }
        self.unique += self.states;
        self.least = least.unwrap_or(u16::MAX);
        self.found.extend(found);
    }
}

/// The work of one worker, from the start or the last complete layer to the end.
///
/// # Errors
/// The file of an earlier search that cannot be used.
pub fn search(worker: &mut Worker, task: &Task, say: &dyn Fn(&Totals)) -> Result<Outcome, Unfit> {
    // The dataflow outlives every borrow of this function: it is dropped with the process.
    let protocol: &'static Protocol = Box::leak(Box::new(task.protocol.clone()));
    let codec = Codec::new(protocol);
    let (me, peers) = (worker.index(), worker.peers());
    let measure = Measure::of(protocol);
    let mut source = Source {
        expander: Expander::new(protocol),
        next: State::empty(),
        hash: Hash::new(task.identity.seed),
        measure,
        worker: me,
        peers,
        sought: Facts::default(),
        layer: 0,
        reader: None,
        shards: [0; SHARDS],
        address: Address { shard: 0, at: 0 },
        record: Vec::new(),
        own: Vec::new(),
        packets: vec![Vec::new(); peers],
        sent: vec![0; CACHE],
        generated: 0,
        again: 0,
        found: BTreeMap::new(),
        capability: None,
        codec: codec.clone(),
    };
    let mut owner = Owner::new(Layers::new(task.folder.clone(), codec.bytes), task.memory);
    let mut board = Board::new(worker);
    let mut totals = if task.resume {
        let known = owner.layers.manifests(&task.identity, task.process)?;
        // A process may have ended before it knew that the last layer of another one is complete.
        let heights = board.exchange(worker, &(known.len() as u32 - 1));
        let layer = heights.into_iter().min().unwrap_or(0);
        owner.layers.cut(layer);
        let figures = board.exchange(worker, &known[layer as usize].totals);
        if let Some(other) = figures.iter().position(|other| *other != known[layer as usize].totals) {
            return Err(owner.layers.strange(layer, other));
        }
        let mut expander = Expander::new(protocol);
        let layers = owner.layers.clone();
        for known in &known[..=layer as usize] {
            layers.check(known, &mut |packed| {
                let low = expander.enter(&codec, packed);
                let print = source.hash.print(low, expander.bytes(expander.state()));
                owner.remember(measure.measure(expander.state()), print);
            })?;
            owner.settle();
        }
        end::complete(layer);
        known[layer as usize].totals.clone()
    } else {
        let initial = protocol.normalize(protocol.initial());
        let mut packed = Vec::new();
        codec.pack(&initial, &mut packed);
        let low = source.expander.enter(&codec, &packed);
        let print = source.hash.print(low, source.expander.bytes(&initial));
        let (least, totals) = (measure.measure(&initial), Totals::start(measure.measure(&initial)));
        if shard(print) % peers == me {
            let mut record = Vec::new();
            write_head(&mut record, least, print, key(Address { shard: 0, at: 0 }, 0));
            record.extend_from_slice(&packed);
            owner.accept(&record);
        }
        let (written, _) = owner.finish(0);
        owner.layers.commit(&task.identity, task.process, 0, written, &totals);
        end::complete(0);
        totals
    };
    let mut layer = owner.layers.complete.len() as u32 - 1;
    source.layer = layer;
    let mut searcher = Searcher::new(worker, source, owner);
    let end = loop {
        say(&totals);
        let found = totals.facts();
        if task.enough.is_some_and(|enough| found.0 & enough.0 == enough.0) {
            break End::AllFound;
        }
        if totals.states == 0 {
            break End::Exhausted;
        }
        if totals.unique > task.most_states {
            break End::States;
        }
        let sought = Facts(task.asked.0 & !found.0);
        let (written, part) = searcher.expand(worker, layer, &totals, sought);
        // Every process has its states of the next layer on disk before any says that the layer is complete.
        totals.add(layer, board.exchange(worker, &part));
        layer += 1;
        let layers = &mut searcher.owner.borrow_mut().layers;
        layers.commit(&task.identity, task.process, layer, written, &totals);
        end::complete(layer);
    };
    let owner = searcher.owner.borrow();
    let found = ways(worker, &mut board, &owner.layers, &codec, protocol, &totals.found);
    let mine = Figures { held: owner.held, again: searcher.source.borrow().again, spilled: owner.spilled };
    let figures = board.exchange(worker, &mine).into_iter().fold(Figures::default(), |all, one| Figures {
        held: all.held + one.held,
        again: all.again + one.again,
        spilled: all.spilled | one.spilled,
    });
    let growth = if totals.before == 0 { f64::INFINITY } else { totals.states as f64 / totals.before as f64 };
    let exploration = Exploration {
        unique: totals.unique,
        generated: totals.generated,
        depth: totals.depth,
        peak_bytes: owner.peak,
        waiting: totals.states,
        growth,
        end,
        found,
    };
    Ok(Outcome { exploration, figures, layers: owner.layers.clone() })
}

/// The fingerprints from the start to each state that was found. Each worker knows the predecessors of its own states, so they go back
/// together, one layer a turn.
fn ways(
    worker: &mut Worker,
    board: &mut Board,
    layers: &Layers,
    codec: &Codec,
    protocol: &Protocol,
    found: &BTreeMap<Property, Hit>,
) -> BTreeMap<Property, Vec<u64>> {
    let mut expander = Expander::new(protocol);
    let mut at: BTreeMap<Property, (u32, Address)> =
        found.iter().map(|(p, hit)| (*p, (hit.layer, hit.address))).collect();
    let mut ways: BTreeMap<Property, Vec<u64>> =
        found.keys().map(|property| (*property, Vec::new())).collect();
    while !at.is_empty() {
        let own = |address: Address| address.shard as usize % worker.peers() == worker.index();
        let mine: BTreeMap<Property, (u64, Address)> = at
            .iter()
            .filter(|(_, (_, address))| own(*address))
            .map(|(property, (layer, address))| {
                let record = layers.at(*layer, *address);
                let (key, packed) = record.split_at(size_of::<u64>());
                let print = expander.enter(codec, packed);
                (*property, (print, record::predecessor(record::number(key))))
            })
            .collect();
        for (property, (print, before)) in board.exchange(worker, &mine).into_iter().flatten() {
            ways.entry(property).or_default().push(print);
            match at.get(&property) {
                Some(&(layer, _)) if layer > 0 => at.insert(property, (layer - 1, before)),
                _ => at.remove(&property),
            };
        }
    }
    ways.values_mut().for_each(|way| way.reverse());
    ways
}

/// The fingerprint of a protocol's start, by which processes see that they hash alike.
pub fn fingerprint_of_start(protocol: &Protocol, seed: u64) -> Print {
    let initial: State = protocol.normalize(protocol.initial());
    let low = zus_checker::search::bfs::fingerprint(protocol, &initial);
    Hash::new(seed).print(low, Expander::new(protocol).bytes(&initial))
}
