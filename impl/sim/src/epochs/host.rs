//! A node of the world: its disk, a folder for each epoch, and whether it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use zus_bpp::block::Block;
use zus_bpp::chain::{FinalBlock, StoredBlock, respond_within};
use zus_bpp::committee::{Committee, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::link::{Beginning, Link};
use zus_bpp::epochs::replica::{self, Replica};
use zus_bpp::limits::{MAX_CHAIN_BLOCKS, MAX_LINKS_AT_ONCE};
use zus_bpp::message::{ChainResponse, Message};
use zus_bpp::miner::Config;

use super::setup::Setup;
use crate::Byzantine;
use crate::disk::Disk;
use crate::member::Answers;
use zus_bpp::epochs::planned::{PlannedKeys, PlannedRecord, node};

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

/// See the module doc.
pub struct Host<S: Scheme + Clone> {
    pub number: u16,
    pub replica: Option<Replica<PlannedKeys<S>>>,
    pub byzantine: Option<Byzantine>,
    /// The folder of each epoch.
    pub disks: BTreeMap<Epoch, Disk>,
    /// The beginnings that are durable, in order of epoch.
    pub beginnings: Vec<Beginning<PlannedRecord>>,
    /// One that is not durable yet.
    pub unwritten: Option<Beginning<PlannedRecord>>,
    pub application: Anything,
    /// Rises with every start and stop: what was meant for an earlier life does not arrive.
    pub life: u32,
    pub steps: u64,
}

impl<S: Scheme + Clone> Host<S> {
    /// A node with an empty disk, or with a checkpoint.
    pub fn new(number: u16, beginning: Beginning<PlannedRecord>) -> Self {
        Self {
            number,
            replica: None,
            byzantine: None,
            disks: BTreeMap::new(),
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
    pub fn start(&mut self, keys: &PlannedKeys<S>, setup: &Setup) {
        let settings = setup.settings();
        let beginning = self.beginnings.last().expect("a node has a beginning").clone();
        let links = self.beginnings.iter().filter_map(Beginning::link).collect();
        let disk = self.disk(beginning.record.epoch, &settings);
        let blocks: Vec<Arc<Block>> = disk.history.iter().map(|found| Arc::clone(&found.block)).collect();
        let disk = replica::Disk { beginning, links, recovery: disk.recovery() };
        let replica = Replica::new(node(self.number), keys.clone(), settings, disk, blocks);
        self.replica = Some(replica.expect("what was stored is read back"));
        self.life += 1;
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
        self.unwritten = None;
    }

    /// Final blocks of an epoch.
    pub fn serve(&self, epoch: Epoch, after: Round, bytes: usize) -> Option<Envelope<PlannedRecord>> {
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
    ) -> Option<Envelope<PlannedRecord>> {
        let disk = self.disks.get(&epoch)?;
        let whole = |known: StoredBlock| {
            let block = known.whole.or_else(|| disk.load(&known.block))?;
            Some(FinalBlock { block, notarization: known.notarization })
        };
        envelope(epoch, respond_within(blocks.into_iter().map_while(whole).collect(), bytes))
    }

    /// Links above an epoch.
    pub fn serve_links(&self, after: Epoch) -> Option<Envelope<PlannedRecord>> {
        let links: Vec<Arc<Link<PlannedRecord>>> = self
            .beginnings
            .iter()
            .filter(|beginning| beginning.record.epoch > after)
            .filter_map(Beginning::link)
            .take(MAX_LINKS_AT_ONCE)
            .map(Arc::new)
            .collect();
        (!links.is_empty()).then_some(Envelope::Links(links))
    }
}

fn envelope(epoch: Epoch, response: Option<ChainResponse>) -> Option<Envelope<PlannedRecord>> {
    let message = Message::ChainResponse(Arc::new(response?));
    Some(Envelope::Message { epoch, message })
}
