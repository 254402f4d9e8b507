//! The folders of a node across epochs: one for each epoch, with its beginning, its ticket log and its blocks.
//!
//! ```text
//! root/epoch-7/beginning    the record, the closing block that the epoch begins on, the handoff certificate
//! root/epoch-7/log          the ticket log, where the node is a member
//! root/epoch-7/chain        final blocks, and what a miner stored beside them
//! root/epoch-7/keys         the journal of the key generation of this epoch, which took place in the one before: secret
//! ```
//!
//! The log is made before the beginning is written, and a node is in the last epoch whose beginning is there. So a beginning without its
//! log is a log that was lost, and never one that was not made yet; and a crash between the two leaves the node in the epoch before.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::journal;
use super::storage::{self, FileStorage, StorageError};
use crate::block::Block;
use crate::committee::{Epoch, Peer, Round};
use crate::epochs::envelope::Envelope;
use crate::epochs::key_generation::{Entry, Secret};
use crate::epochs::link::{Beginning, Link};
use crate::epochs::replica::Secrets;
use crate::epochs::roster::CommitteeRecord;
use crate::limits::MAX_LINKS_AT_ONCE;
use crate::miner::{Output, Recovery};
use crate::ticket_log::{FileLog, LogError, Owner, SignedRecords, SigningRules, TicketLog as _};

/// The name of the file with a beginning.
const BEGINNING: &str = "beginning";

/// Why the folders cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoldersError {
    /// Blocks, or a beginning.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The ticket log of an epoch.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// See the module doc.
#[derive(Debug)]
pub struct EpochFolders<R> {
    root: PathBuf,
    rules: SigningRules,
    beginning: Beginning<R>,
    /// Blocks and items of the present epoch.
    pub storage: FileStorage,
    /// The ticket log of the present epoch; `None` where the node is no member.
    pub log: Option<FileLog>,
    /// An older epoch that was served last.
    older: Option<(Epoch, FileStorage)>,
}

impl<R: CommitteeRecord> EpochFolders<R> {
    /// Opens the folders. An empty one begins with `first`: the first epoch of the chain, or a checkpoint. `owner` names the key of this
    /// node in a committee; `None`: it is no member.
    ///
    /// # Errors
    /// [`FoldersError`]: it names the file, and the fix.
    pub fn open(
        root: impl Into<PathBuf>,
        first: Beginning<R>,
        rules: SigningRules,
        owner: impl Fn(&R) -> Option<Owner>,
    ) -> Result<Self, FoldersError> {
        let root = root.into();
        let last = epochs(&root)?.pop();
        let beginning = match last {
            Some(epoch) => read_beginning(&root, epoch)?,
            None => {
                make(&root, &first, owner(&first.record), rules)?;
                first
            }
        };
        let folder = folder(&root, beginning.record.epoch());
        let log = owner(&beginning.record).map(|owner| FileLog::open(&folder.join("log"), owner, rules));
        let (log, storage) = (log.transpose()?, FileStorage::open(folder.join("chain"))?);
        Ok(Self { root, rules, beginning, storage, log, older: None })
    }

    /// The beginning of the epoch that the node is in.
    #[must_use]
    pub fn beginning(&self) -> &Beginning<R> {
        &self.beginning
    }

    /// Makes the beginning of the next epoch durable, with a new ticket log: [`Output::StoreBeginning`]. When it returns, the node is in
    /// that epoch.
    ///
    /// [`Output::StoreBeginning`]: crate::epochs::replica::Output::StoreBeginning
    ///
    /// # Errors
    /// [`FoldersError`]; the node is in the epoch before, then, and stops.
    pub fn begin(&mut self, beginning: Beginning<R>, owner: Option<Owner>) -> Result<(), FoldersError> {
        make(&self.root, &beginning, owner, self.rules)?;
        let folder = folder(&self.root, beginning.record.epoch());
        // The log of the epoch before is closed: nothing is signed in it any more.
        self.log = owner.map(|owner| FileLog::open(&folder.join("log"), owner, self.rules)).transpose()?;
        self.storage = FileStorage::open(folder.join("chain"))?;
        self.beginning = beginning;
        Ok(())
    }

    /// What the participant of the present epoch starts with.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        let signed = self.log.as_ref().map_or_else(SignedRecords::default, |log| log.signed().clone());
        self.storage.recovery(signed)
    }

    /// The journals of the key generations of the present epoch and the next one. `entropy`:
    /// [`Keys::participant`](crate::epochs::replica::Keys::participant).
    ///
    /// # Errors
    /// One that is damaged: restore it. A node that has lost it goes on without, and has no key share.
    pub fn secrets(&self, entropy: Secret) -> Result<Secrets, StorageError> {
        let epoch = self.beginning.record.epoch();
        let journal = |epoch| journal::read(&folder(&self.root, epoch));
        let next = journal(Epoch(epoch.0.saturating_add(1)))?;
        Ok(Secrets { present: journal(epoch)?, next, entropy })
    }

    /// Writes to the journal of the key generation of an epoch: [`Output::Journal`]. It is durable when this returns.
    ///
    /// [`Output::Journal`]: crate::epochs::replica::Output::Journal
    ///
    /// # Errors
    /// When it cannot be written: then nothing that rests on it may leave, and the node stops.
    pub fn write_journal(
        &self,
        epoch: Epoch,
        replaces: bool,
        entries: Vec<Entry>,
    ) -> Result<(), StorageError> {
        let folder = folder(&self.root, epoch);
        fs::create_dir_all(&folder).map_err(storage::failed("create", &folder))?;
        journal::write(&folder, replaces, entries)?;
        let root = fs::File::open(&self.root).and_then(|root| root.sync_all());
        root.map_err(storage::failed("sync", &self.root))
    }

    /// The final blocks of the present epoch, lowest first.
    ///
    /// # Errors
    /// The first one that is damaged.
    pub fn blocks(&self) -> Result<Vec<Arc<Block>>, StorageError> {
        let mut blocks = Vec::new();
        let mut next = self.beginning.anchor.round().next();
        while let Some(found) = self.storage.final_block(next)? {
            next = next.next();
            blocks.push(found.block);
        }
        Ok(blocks)
    }

    /// Links to epochs above `after`, [`MAX_LINKS_AT_ONCE`] at most; fewer where an epoch is not here.
    ///
    /// # Errors
    /// A beginning that is damaged.
    pub fn links(&self, after: Epoch) -> Result<Vec<Arc<Link<R>>>, StorageError> {
        let mut links = Vec::new();
        for epoch in epochs(&self.root)?.into_iter().filter(|epoch| *epoch > after).take(MAX_LINKS_AT_ONCE) {
            links.extend(read_beginning::<R>(&self.root, epoch)?.link().map(Arc::new));
        }
        Ok(links)
    }

    /// Final blocks of an epoch above a round, as a message: [`Output::Serve`](crate::epochs::replica::Output::Serve).
    ///
    /// # Errors
    /// When the folder of the epoch cannot be read.
    pub fn serve(
        &mut self,
        epoch: Epoch,
        after: Round,
        bytes: usize,
    ) -> Result<Option<Envelope<R>>, StorageError> {
        let of = if epoch == self.beginning.record.epoch() {
            &mut self.storage
        } else {
            let known = self.older.take().filter(|(known, _)| *known == epoch);
            let path = folder(&self.root, epoch).join("chain");
            let storage = match known {
                Some((_, storage)) => storage,
                None if path.is_dir() => FileStorage::open(path)?,
                None => return Ok(None),
            };
            &mut self.older.insert((epoch, storage)).1
        };
        // To whom is the replica's business.
        let to = Peer::Sharder(crate::committee::SharderId(0));
        let served = of.serve(&Output::Serve { to, after, bytes });
        Ok(served.map(|(_, message)| Envelope::Message { epoch, message }))
    }
}

fn folder(root: &Path, epoch: Epoch) -> PathBuf {
    root.join(format!("epoch-{}", epoch.0))
}

/// The epochs whose beginning is there, in order.
fn epochs(root: &Path) -> Result<Vec<Epoch>, StorageError> {
    fs::create_dir_all(root).map_err(storage::failed("create", root))?;
    let mut epochs = Vec::new();
    for entry in fs::read_dir(root).map_err(storage::failed("read", root))? {
        let entry = entry.map_err(storage::failed("read", root))?;
        let number = entry.file_name().to_str().and_then(|name| name.strip_prefix("epoch-")?.parse().ok());
        epochs.extend(number.map(Epoch).filter(|epoch| folder(root, *epoch).join(BEGINNING).is_file()));
    }
    epochs.sort_unstable();
    Ok(epochs)
}

fn read_beginning<R: CommitteeRecord>(root: &Path, epoch: Epoch) -> Result<Beginning<R>, StorageError> {
    storage::read_file(&folder(root, epoch).join(BEGINNING))
}

/// Makes the folder of an epoch: the log first, then the beginning.
fn make<R: CommitteeRecord>(
    root: &Path,
    beginning: &Beginning<R>,
    owner: Option<Owner>,
    rules: SigningRules,
) -> Result<(), FoldersError> {
    let folder = folder(root, beginning.record.epoch());
    for path in [root, folder.as_path()] {
        fs::create_dir_all(path).map_err(storage::failed("create", path))?;
    }
    if let Some(owner) = owner {
        // One that a crash left without its beginning has signed nothing.
        let first = beginning.anchor.round().next();
        match FileLog::create(&folder.join("log"), owner, rules, first) {
            Ok(_) | Err(LogError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    storage::write_file(&folder, BEGINNING, &crate::wire::seal(beginning))?;
    let parent = fs::File::open(root).and_then(|root| root.sync_all());
    Ok(parent.map_err(storage::failed("sync", root))?)
}
