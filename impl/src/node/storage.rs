//! The blocks and certificates of a miner in a folder, for its restart: one file an item, which is whole or not there.

mod error;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::block::{Block, BlockId};
use crate::chain::{FinalBlock, respond_within};
use crate::committee::{Peer, Round};
use crate::limits::{KEPT_FINAL_BLOCKS, MAX_CHAIN_BLOCKS, MAX_MESSAGE_BYTES};
use crate::message::Message;
use crate::miner::{Input, Output, Recovery, Stored};
use crate::ticket_log::SignedRecords;
use crate::wire::{CHECKSUM_BYTES, Decode, seal, unseal};

pub use error::StorageError;
pub(super) use error::failed;

/// An item with the number of its file.
type Numbered<T> = (u64, T);

/// A folder with everything that [`Recovery`] asks for beside the ticket log.
///
/// An item is durable when [`FileStorage::carry_out`] returns. It is dropped once no restart needs it. Of the final blocks all stay, a
/// file each, so that [`FileStorage::serve`] can help a peer that was away for however long; or, with
/// [`FileStorage::without_history`], the last [`KEPT_FINAL_BLOCKS`], where sharders serve the chain. Memory holds these last ones only.
/// It has no lock of its own: open the miner's ticket log first, which is locked.
#[derive(Debug)]
pub struct FileStorage {
    folder: PathBuf,
    next: u64,
    kept: Vec<Numbered<Stored>>,
    /// The last final blocks; the file of each has the number of its round.
    finals: VecDeque<FinalBlock>,
    /// Whether lower ones stay on the disk.
    history: bool,
    /// The lowest round of a final block in the folder when it was opened.
    first: Option<u64>,
    /// Rounds of lower final blocks, first and last, that are known to be damaged or missing.
    lost: Vec<(u64, u64)>,
    /// Damage of which the host has not heard.
    damage: VecDeque<StorageError>,
}

impl FileStorage {
    /// Opens the folder, or makes an empty one, and reads what a restart needs: all items, and of the final blocks the last
    /// [`KEPT_FINAL_BLOCKS`]. Lower final blocks are read when a peer asks for them; [`FileStorage::take_damage`] tells which ones are
    /// missing.
    ///
    /// # Errors
    /// [`StorageError`], with the file and what to do.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StorageError> {
        let folder = folder.into();
        if folder.exists() && !folder.is_dir() {
            return Err(StorageError::NotAFolder { path: folder });
        }
        fs::create_dir_all(&folder).map_err(failed("create", &folder))?;
        let kept: Vec<Numbered<Stored>> = read(&folder, Kind::Stored, &numbers(&folder, Kind::Stored)?)?;
        let rounds = numbers(&folder, Kind::Final)?;
        let (_, last) = rounds.split_at(rounds.len().saturating_sub(KEPT_FINAL_BLOCKS));
        let finals = last.iter().map(|round| read_final(&folder, *round)).collect::<Result<_, _>>()?;
        let next = kept.last().map_or(0, |(last, _)| last + 1);
        let (mut lost, mut damage) = (Vec::new(), VecDeque::new());
        for pair in rounds.windows(2) {
            let (first, above) = (pair[0] + 1, pair[1]);
            if first == above {
                continue;
            }
            if last.contains(&pair[0]) {
                return Err(StorageError::Gap { path: folder.join(Kind::Final.name(first)) });
            }
            lost.push((first, above - 1));
            damage.push_back(StorageError::History { folder: folder.clone(), first, last: above - 1 });
        }
        let first = rounds.first().copied();
        Ok(FileStorage { folder, next, kept, finals, history: true, first, lost, damage })
    }

    /// Drops final blocks that no restart needs: sharders serve the chain.
    #[must_use]
    pub fn without_history(self) -> Self {
        FileStorage { history: false, damage: VecDeque::new(), ..self }
    }

    /// Damage among the final blocks that no restart needs, each once: those that were missing when the folder was opened, and those
    /// that [`FileStorage::serve`] found since. The node goes on, and peers get the blocks below the damage. `None`: no more is known.
    pub fn take_damage(&mut self) -> Option<StorageError> {
        self.damage.pop_front()
    }

    /// The items for [`Miner::new`](crate::miner::Miner::new), beside the index of the ticket log.
    #[must_use]
    pub fn recovery(&self, signed: SignedRecords) -> Recovery {
        let stored = self.kept.iter().map(|(_, item)| item.clone()).collect();
        Recovery { finals: self.finals.iter().cloned().collect(), signed, stored }
    }

    /// Carries out [`Output::Store`], [`Output::Finalized`] and [`Output::Load`], and no other output. The input is the answer to the last.
    ///
    /// # Errors
    /// [`StorageError::Io`], and [`StorageError::Missing`] where a stored block is gone: the miner must stop.
    pub fn carry_out(&mut self, output: &Output) -> Result<Option<Input>, StorageError> {
        match output {
            Output::Store { stored, .. } => {
                let number = self.next;
                self.write(Kind::Stored, number, &seal(stored))?;
                self.next += 1;
                self.kept.push((number, stored.clone()));
                Ok(None)
            }
            Output::Finalized(found) => {
                self.write(Kind::Final, found.block.round().0, &seal(found))?;
                self.first.get_or_insert(found.block.round().0);
                self.finals.push_back(found.clone());
                self.forget(found)?;
                Ok(None)
            }
            Output::Load { round, block } => {
                let found = self.block(*round, *block)?;
                let missing = || StorageError::Missing { folder: self.folder.clone(), block: *block };
                Ok(Some(Input::Loaded(found.ok_or_else(missing)?)))
            }
            _ => Ok(None),
        }
    }

    /// The answer to a peer that asks for blocks which the miner has not in memory ([`Output::Serve`], [`Output::ServeStored`]), and to
    /// whom it goes: the blocks up to the first one that is not here, or is damaged. `None` for other outputs, and where no block is
    /// left to send. A peer's request never stops a host; [`FileStorage::take_damage`] tells the damage that a request brought to light.
    pub fn serve(&mut self, output: &Output) -> Option<(Peer, Message)> {
        let mut path = Vec::new();
        let (to, bytes) = match output {
            Output::Serve { to, after, bytes } => {
                for round in (after.0.saturating_add(1)..).take(MAX_CHAIN_BLOCKS + 1) {
                    let found = self.final_block(Round(round));
                    let Some(found) = self.unless_damaged(round, found) else { break };
                    path.push(found);
                }
                (*to, *bytes)
            }
            Output::ServeStored { to, blocks, bytes } => {
                for known in blocks {
                    let stored = || self.block(known.round, known.block);
                    let found = known.whole.clone().map_or_else(stored, |whole| Ok(Some(whole)));
                    let Some(block) = self.unless_damaged(known.round.0, found) else { break };
                    path.push(FinalBlock { block, notarization: known.notarization.clone() });
                }
                (*to, *bytes)
            }
            _ => return None,
        };
        let response = respond_within(path, bytes);
        response.map(|response| (to, Message::ChainResponse(Arc::new(response))))
    }

    /// A block for a peer. Damage is noted for the host, once for each round.
    fn unless_damaged<T>(&mut self, round: u64, found: Result<Option<T>, StorageError>) -> Option<T> {
        let error = match found {
            Ok(Some(found)) => return Some(found),
            Ok(None) => {
                let begins = self.first.is_some_and(|first| first < round);
                let ends = self.finals.front().is_some_and(|kept| round < kept.block.round().0);
                if !(self.history && begins && ends) {
                    return None;
                }
                StorageError::History { folder: self.folder.clone(), first: round, last: round }
            }
            Err(StorageError::Damaged { path, source }) => StorageError::DamagedHistory { path, source },
            Err(error) => error,
        };
        if !self.lost.iter().any(|(first, last)| (*first..=*last).contains(&round)) {
            self.lost.push((round, round));
            self.damage.push_back(error);
        }
        None
    }

    /// A block that was stored, or is final.
    fn block(&self, round: Round, id: BlockId) -> Result<Option<Arc<Block>>, StorageError> {
        let stored = self.kept.iter().find_map(|(_, stored)| match stored {
            Stored::Block(found) if found.id() == id => Some(Arc::clone(found)),
            _ => None,
        });
        if stored.is_some() {
            return Ok(stored);
        }
        let found = self.final_block(round)?.map(|found| found.block);
        Ok(found.filter(|block| block.id() == id))
    }

    /// The final block of a round, from memory or from its file.
    pub(super) fn final_block(&self, round: Round) -> Result<Option<FinalBlock>, StorageError> {
        if let Some(found) = self.finals.iter().find(|found| found.block.round() == round) {
            return Ok(Some(found.clone()));
        }
        let above = self.finals.back().is_none_or(|last| last.block.round() < round);
        if above || !self.folder.join(Kind::Final.name(round.0)).exists() {
            return Ok(None);
        }
        read_final(&self.folder, round.0).map(Some)
    }

    /// Drops the items that no restart needs with this head.
    fn forget(&mut self, head: &FinalBlock) -> Result<(), StorageError> {
        let needed = |(_, item): &mut Numbered<Stored>| item.is_needed_beyond(head.block.round());
        let stored: Vec<u64> =
            self.kept.extract_if(.., |item| !needed(item)).map(|(number, _)| number).collect();
        let above = self.finals.len().saturating_sub(KEPT_FINAL_BLOCKS);
        let finals = self.finals.drain(..above).map(|found| found.block.round().0);
        let finals: Vec<u64> = finals.filter(|_| !self.history).collect();
        for (kind, numbers) in [(Kind::Stored, stored), (Kind::Final, finals)] {
            for number in numbers {
                let path = self.folder.join(kind.name(number));
                // It comes back if this is lost with the power, and is dropped again.
                fs::remove_file(&path).map_err(failed("remove", &path))?;
            }
        }
        Ok(())
    }

    fn write(&self, kind: Kind, number: u64, bytes: &[u8]) -> Result<(), StorageError> {
        write_file(&self.folder, &kind.name(number), bytes)
    }
}

/// Writes a file, durably: beside its place first.
pub(super) fn write_file(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
    let (unfinished, path) = (folder.join("unfinished"), folder.join(name));
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(failed("write", &unfinished))?;
    fs::rename(&unfinished, &path).map_err(failed("rename a file to", &path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))
}

/// The kinds of files.
#[derive(Clone, Copy)]
enum Kind {
    Stored,
    Final,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Kind::Stored => "stored-",
            Kind::Final => "final-",
        }
    }

    fn name(self, number: u64) -> String {
        format!("{}{number}", self.prefix())
    }

    /// The number of a file with such a name.
    fn number(self, name: &str) -> Option<u64> {
        let number = name.strip_prefix(self.prefix())?.parse().ok()?;
        (self.name(number) == name).then_some(number)
    }
}

/// The numbers of the files of a kind, in order.
fn numbers(folder: &Path, kind: Kind) -> Result<Vec<u64>, StorageError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed("read", folder))? {
        let name = entry.map_err(failed("read", folder))?.file_name();
        numbers.extend(name.to_str().and_then(|name| kind.number(name)));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The items in the files of these numbers.
fn read<T: Decode>(folder: &Path, kind: Kind, numbers: &[u64]) -> Result<Vec<Numbered<T>>, StorageError> {
    numbers.iter().map(|number| read_one(folder, kind, *number)).collect()
}

fn read_one<T: Decode>(folder: &Path, kind: Kind, number: u64) -> Result<Numbered<T>, StorageError> {
    Ok((number, read_file(&folder.join(kind.name(number)))?))
}

/// Reads a sealed value.
pub(super) fn read_file<T: Decode>(path: &Path) -> Result<T, StorageError> {
    let bound = (MAX_MESSAGE_BYTES + CHECKSUM_BYTES) as u64;
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed("open", path))?;
    io::Read::read_to_end(&mut io::Read::take(file, bound + 1), &mut bytes).map_err(failed("read", path))?;
    unseal(&bytes).map_err(|source| StorageError::Damaged { path: path.to_owned(), source })
}

/// The final block in the file of a round.
fn read_final(folder: &Path, round: u64) -> Result<FinalBlock, StorageError> {
    let (_, found): Numbered<FinalBlock> = read_one(folder, Kind::Final, round)?;
    let inside = found.block.round().0;
    if inside == round {
        return Ok(found);
    }
    let path = |round| folder.join(Kind::Final.name(round));
    Err(StorageError::OtherName { path: path(round), name: path(inside) })
}
