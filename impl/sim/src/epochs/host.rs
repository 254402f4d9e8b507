//! A node of the world: its disk, a folder and a journal for each epoch, and whether it runs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use zus_bpp::block::Block;
use zus_bpp::chain::{FinalBlock, StoredBlock, respond_within};
use zus_bpp::committee::{Committee, Epoch, MinerId, Round, Subround};
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::key_generation::{self, Entry};
use zus_bpp::epochs::link::{Beginning, Link};
use zus_bpp::epochs::replica::{self, Keys, Replica, Secrets};
use zus_bpp::epochs::roster::CommitteeRecord as _;
use zus_bpp::limits::{MAX_CHAIN_BLOCKS, MAX_LINKS_AT_ONCE};
use zus_bpp::message::{ChainResponse, Message};
use zus_bpp::miner::Config;

use super::key_source::{KeySource, RecordOf, SchemeOf};
use super::setup::{Mistake, Setup};
use crate::Byzantine;
use crate::disk::Disk;
use crate::member::Answers;

/// An application that takes everything.
#[derive(Clone, Copy, Debug)]
pub struct Anything(pub u16);

impl Answers for Anything {
    fn payload(&mut self, round: Round, subround: Subround, _: &Arc<Block>) -> Option<Vec<u8>> {
        Some([&self.0.to_be_bytes()[..], &round.0.to_be_bytes(), &subround.0.to_be_bytes()].concat())
    }

    fn accepts(&mut self, _: &Block) -> bool {
        true
    }

    fn commit(&mut self, _: &Block) {}
}

/// The journal of the key generation of one epoch.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// The entries that are durable.
    pub entries: Vec<Entry>,
    /// On its way there: number, whether it replaces the journal, entries.
    unconfirmed: VecDeque<(key_generation::WriteId, bool, Vec<Entry>)>,
}

impl Journal {
    /// A write is on its way.
    pub fn write(&mut self, write: key_generation::WriteId, replaces: bool, entries: Vec<Entry>) {
        self.unconfirmed.push_back((write, replaces, entries));
    }

    /// Makes everything durable up to this write.
    pub fn flush(&mut self, write: key_generation::WriteId) {
        let count = self.unconfirmed.iter().take_while(|(known, _, _)| *known <= write).count();
        self.keep(count);
    }

    fn keep(&mut self, count: usize) {
        for (_, replaces, entries) in self.unconfirmed.drain(..count) {
            if replaces {
                self.entries.clear();
            }
            self.entries.extend(entries);
        }
    }

    /// A crash: so many of the writes under way are on the disk all the same.
    fn crash(&mut self, random: &mut fastrand::Rng) {
        let count = random.usize(0..=self.unconfirmed.len());
        self.keep(count);
        self.unconfirmed.clear();
    }
}

/// See the module doc.
pub struct Host<N: KeySource> {
    pub number: u16,
    pub replica: Option<Replica<N::Keys>>,
    pub byzantine: Option<Byzantine>,
    /// The folder of each epoch.
    pub disks: BTreeMap<Epoch, Disk>,
    /// The journal of the key generation of each epoch.
    pub journals: BTreeMap<Epoch, Journal>,
    /// The beginnings that are durable, in order of epoch.
    pub beginnings: Vec<Beginning<RecordOf<N>>>,
    /// One that is not durable yet.
    pub unwritten: Option<Beginning<RecordOf<N>>>,
    /// The scheme of a dishonest node in an epoch.
    pub scheme: Option<(Epoch, SchemeOf<N>)>,
    pub application: Anything,
    /// Rises with every start and stop: what was meant for an earlier life does not arrive.
    pub life: u32,
    pub steps: u64,
}

impl<N: KeySource> Host<N> {
    /// A node with an empty disk, or with a checkpoint.
    pub fn new(number: u16, beginning: Beginning<RecordOf<N>>) -> Self {
        Self {
            number,
            replica: None,
            byzantine: None,
            disks: BTreeMap::new(),
            journals: BTreeMap::new(),
            scheme: None,
            beginnings: vec![beginning],
            unwritten: None,
            application: Anything(number),
            life: 0,
            steps: 0,
        }
    }

    /// The folder of an epoch, made when it is not there.
    pub fn disk(&mut self, epoch: Epoch, settings: &Config) -> &mut Disk {
        let number = self.number;
        self.disks.entry(epoch).or_insert_with(|| {
            let mut settings = settings.clone();
            let chain = settings.committee.chain();
            settings.committee = Committee::new(chain, epoch, 1, 0).expect("a committee of one");
            Disk::new(&settings, MinerId(number))
        })
    }

    /// A replica that goes on from the last beginning that is durable.
    pub fn start(&mut self, network: &N, setup: &Setup) {
        let settings = setup.settings();
        let beginning = self.beginnings.last().expect("a node has a beginning").clone();
        let links = self.beginnings.iter().filter_map(Beginning::link).collect();
        let epoch = beginning.record.epoch();
        let disk = self.disk(epoch, &settings);
        let blocks: Vec<Arc<Block>> = disk.history.iter().map(|found| Arc::clone(&found.block)).collect();
        let recovery = disk.recovery();
        let journal =
            |epoch| self.journals.get(&epoch).map(|journal| journal.entries.clone()).unwrap_or_default();
        let secrets = Secrets {
            present: journal(epoch),
            next: journal(Epoch(epoch.0 + 1)),
            entropy: setup.entropy(self.number, Epoch(epoch.0 + 1), self.life),
        };
        let disk = replica::Restored { beginning, links, recovery, secrets };
        let (me, keys) = (network.node(self.number), network.keys(self.number));
        let replica = Replica::new(me, keys, settings, disk, blocks);
        self.replica = Some(replica.expect("what was stored is read back"));
        self.life += 1;
    }

    /// A write to a journal is on its way; `mistake`: it never arrives.
    pub fn journal(
        &mut self,
        epoch: Epoch,
        (write, replaces, entries): (key_generation::WriteId, bool, Vec<Entry>),
        mistake: Option<Mistake>,
    ) {
        match mistake {
            Some(Mistake::JournalNotWritten) => {}
            None => self.journals.entry(epoch).or_default().write(write, replaces, entries),
        }
    }

    /// The scheme with which this node signs in an epoch that it has begun, if it is a member there.
    pub fn scheme(&mut self, network: &N, epoch: Epoch) -> Option<&SchemeOf<N>> {
        if self.scheme.as_ref().is_none_or(|(known, _)| *known != epoch) {
            let beginning = self.beginnings.iter().find(|beginning| beginning.record.epoch() == epoch)?;
            let record = &beginning.record;
            let me = network.node(self.number);
            let seat = record.miners().iter().position(|member| *member == me)?;
            let present =
                self.journals.get(&epoch).map(|journal| journal.entries.clone()).unwrap_or_default();
            let share = Secrets { present, ..Secrets::none() }.share(record.digest());
            let keys = network.keys(self.number);
            self.scheme = Some((epoch, keys.member(record, MinerId(seat as u16), share.as_ref())?));
        }
        self.scheme.as_ref().map(|(_, scheme)| scheme)
    }

    /// A crash: what was on its way to the disk is lost, or a beginning of it is not.
    pub fn crash(&mut self, random: &mut fastrand::Rng) {
        if self.replica.take().is_none() {
            return;
        }
        self.life += 1;
        for disk in self.disks.values_mut() {
            let (records, stores) = (disk.log.crash_points(), disk.unconfirmed());
            disk.crash(random.usize(0..=records), random.usize(0..=stores));
        }
        self.journals.values_mut().for_each(|journal| journal.crash(random));
        self.unwritten = None;
    }

    /// Final blocks of an epoch.
    pub fn serve(&self, epoch: Epoch, after: Round, bytes: usize) -> Option<Envelope<RecordOf<N>>> {
        let history = &self.disks.get(&epoch)?.history;
        let first = history.partition_point(|known| known.block.round() <= after);
        let path = history[first..].iter().take(MAX_CHAIN_BLOCKS + 1).cloned().collect();
        envelope(epoch, respond_within(path, bytes))
    }

    /// Blocks of the present epoch, final or not.
    pub fn serve_stored(
        &self,
        epoch: Epoch,
        blocks: Vec<StoredBlock>,
        bytes: usize,
    ) -> Option<Envelope<RecordOf<N>>> {
        let disk = self.disks.get(&epoch)?;
        let whole = |known: StoredBlock| {
            let block = known.whole.or_else(|| disk.load(&known.block))?;
            Some(FinalBlock { block, notarization: known.notarization })
        };
        envelope(epoch, respond_within(blocks.into_iter().map_while(whole).collect(), bytes))
    }

    /// Links above an epoch.
    pub fn serve_links(&self, after: Epoch) -> Option<Envelope<RecordOf<N>>> {
        let links: Vec<Arc<Link<RecordOf<N>>>> = self
            .beginnings
            .iter()
            .filter(|beginning| beginning.record.epoch() > after)
            .filter_map(Beginning::link)
            .take(MAX_LINKS_AT_ONCE)
            .map(Arc::new)
            .collect();
        (!links.is_empty()).then_some(Envelope::Links(links))
    }
}

fn envelope<R>(epoch: Epoch, response: Option<ChainResponse>) -> Option<Envelope<R>> {
    let message = Message::ChainResponse(Arc::new(response?));
    Some(Envelope::Message { epoch, message })
}
