//! A log in memory, whose crashes are operations: for tests, the fuzzer and exhaustive exploration.

use super::record::{LogRecord, Owner};
use super::signed::{Permit, SignedRecords, SigningRules};
use super::{AppendError, LogError, LogPosition, TicketLog};
use crate::committee::Round;

/// A log whose "disk" is a vector. Cheap to clone, deterministic, and it fails only where it is told to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryLog {
    owner: Owner,
    rules: SigningRules,
    floor: Round,
    disk: Vec<LogRecord>,
    pending: Vec<LogRecord>,
    signed: SignedRecords,
    appended: u64,
}

impl MemoryLog {
    /// An empty log: nothing signed in `floor` or above, and nothing to be signed below it.
    #[must_use]
    pub const fn new(owner: Owner, rules: SigningRules, floor: Round) -> Self {
        Self {
            owner,
            rules,
            floor,
            disk: Vec::new(),
            pending: Vec::new(),
            signed: SignedRecords::from_floor(floor),
            appended: 0,
        }
    }

    /// Whose log it is.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// The records that survive a crash, in the order in which they were appended.
    #[must_use]
    pub fn durable(&self) -> &[LogRecord] {
        &self.disk
    }

    /// How many records a crash now may or may not lose: [`MemoryLog::crash`] takes `0..=` this.
    #[must_use]
    pub fn crash_points(&self) -> usize {
        self.pending.len()
    }

    /// The log of a process that starts after this one crashed: everything flushed, and the first `kept` of the records
    /// that were appended and not flushed.
    #[must_use]
    pub fn crash(mut self, kept: usize) -> Self {
        self.pending.truncate(kept);
        self.disk.append(&mut self.pending);
        let mut signed = SignedRecords::from_floor(self.floor);
        self.disk.iter().for_each(|record| signed.insert(*record));
        Self { signed, appended: 0, ..self }
    }

    /// The amnesia of `ticket_log: Volatile`: a restart that finds nothing (PROTOCOL.md, section 7, A2).
    #[must_use]
    pub fn forget(self) -> Self {
        Self::new(self.owner, self.rules, self.floor)
    }
}

impl TicketLog for MemoryLog {
    fn signed(&self) -> &SignedRecords {
        &self.signed
    }

    fn rules(&self) -> &SigningRules {
        &self.rules
    }

    fn append(&mut self, record: LogRecord) -> Result<LogPosition, AppendError> {
        if self.signed.permits(&self.rules, &record)? == Permit::New {
            self.signed.insert(record);
            self.pending.push(record);
            self.appended += 1;
        }
        Ok(LogPosition(self.appended))
    }

    fn flush(&mut self) -> Result<LogPosition, LogError> {
        self.disk.append(&mut self.pending);
        Ok(LogPosition(self.appended))
    }
}
