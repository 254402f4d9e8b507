//! The data of a host, in files, so that the heap holds only the data of the miners.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use zus_bpp::block::{Block, BlockId};
use zus_bpp::chain::FinalBlock;
use zus_bpp::committee::Round;
use zus_bpp::limits::KEPT_FINAL_BLOCKS;
use zus_bpp::miner::{Recovery, Stored};
use zus_bpp::ticket_log::SignedRecords;
use zus_bpp::wire::{Decode, Encode, from_bytes, to_bytes};

/// Where something is in the file.
#[derive(Clone, Copy)]
struct At(u64, u32);

/// See the module doc.
pub struct Disk {
    file: File,
    end: u64,
    /// Blocks, by the beginning of their ids.
    blocks: BTreeMap<u64, At>,
    /// Stored items above the head: round, kind, and place in the file.
    stored: Vec<(Round, u8, At)>,
    /// Final blocks from round 1 on, and their certificates.
    finals: Vec<(At, Option<At>)>,
    pub signed: SignedRecords,
}

fn name(id: BlockId) -> u64 {
    u64::from_be_bytes(std::array::from_fn(|i| id.0[i]))
}

impl Disk {
    pub fn new() -> Self {
        Self {
            file: tempfile::tempfile().expect("a temporary file"),
            end: 0,
            blocks: BTreeMap::new(),
            stored: Vec::new(),
            finals: Vec::new(),
            signed: SignedRecords::default(),
        }
    }

    fn append<T: Encode>(&mut self, value: &T) -> At {
        let bytes = to_bytes(value);
        self.file.seek(SeekFrom::Start(self.end)).expect("a file");
        self.file.write_all(&bytes).expect("a file");
        let at = At(self.end, bytes.len() as u32);
        self.end += bytes.len() as u64;
        at
    }

    fn read<T: Decode>(&mut self, at: At) -> T {
        let mut bytes = vec![0; at.1 as usize];
        self.file.seek(SeekFrom::Start(at.0)).expect("a file");
        self.file.read_exact(&mut bytes).expect("what was written");
        from_bytes(&bytes).expect("what was written")
    }

    pub fn store(&mut self, stored: &Stored) {
        let entry = match stored {
            Stored::Block(block) => {
                let at = self.append(&**block);
                self.blocks.insert(name(block.id()), at);
                (block.round(), 0, at)
            }
            Stored::Notarization(known) => (known.round, 1, self.append(&**known)),
            Stored::TimeoutCertificate(known) => (known.round, 2, self.append(&**known)),
            Stored::FinalityCertificate(known) => (known.round, 3, self.append(&**known)),
        };
        self.stored.push(entry);
    }

    pub fn commit(&mut self, found: &FinalBlock) {
        let at = self.append(&*found.block);
        self.blocks.insert(name(found.block.id()), at);
        let notarization = found.notarization.as_ref().map(|known| self.append(&**known));
        self.finals.push((at, notarization));
        assert_eq!(found.block.round(), Round(self.finals.len() as u64), "every final block, in order");
        if self.finals.len().is_multiple_of(KEPT_FINAL_BLOCKS) {
            let head = found.block.round();
            self.stored.retain(|(round, ..)| *round > head);
        }
    }

    pub fn load(&mut self, id: BlockId) -> Arc<Block> {
        let at = self.blocks[&name(id)];
        self.read(at)
    }

    /// Final blocks above a round, as many as fit into an answer and one.
    pub fn history(&mut self, after: Round, count: usize) -> Vec<FinalBlock> {
        let found: Vec<_> = self.finals.iter().skip(after.0 as usize).take(count).copied().collect();
        let whole = |(block, notarization): (At, Option<At>)| FinalBlock {
            block: self.read(block),
            notarization: notarization.map(|at| self.read(at)),
        };
        found.into_iter().map(whole).collect()
    }

    /// The disk that a restarted miner finds.
    pub fn recovery(&mut self) -> Recovery {
        let height = self.finals.len() as u64;
        let finals = self.history(Round(height.saturating_sub(KEPT_FINAL_BLOCKS as u64)), KEPT_FINAL_BLOCKS);
        let entries = self.stored.clone();
        let stored = entries.into_iter().filter(|(round, kind, _)| *round > Round(height) || *kind == 3);
        let stored = stored.map(|(_, kind, at)| match kind {
            0 => Stored::Block(self.read(at)),
            1 => Stored::Notarization(self.read(at)),
            2 => Stored::TimeoutCertificate(self.read(at)),
            _ => Stored::FinalityCertificate(self.read(at)),
        });
        let stored: Vec<_> = stored.collect();
        Recovery::default().with_finals(finals).with_signed(self.signed.clone()).with_stored(stored)
    }
}
