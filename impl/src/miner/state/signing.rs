//! The writes on their way to the disk.

use std::collections::VecDeque;
use std::hash::Hash;

use crate::block::Time;
use crate::miner::interface::WriteId;
use crate::ticket_log::LogRecord;

/// The writes on their way to the disk.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Signing {
    /// When the miner was started: confirmations for an earlier start count for nothing.
    pub started: Time,
    /// The number of the next write.
    next: u64,
    /// The number after that of the last store.
    pub stored_next: u64,
    /// Every store with a lower number is durable.
    pub stored_below: u64,
    /// Records that wait until every store with a lower number is durable.
    pub held: VecDeque<(u64, LogRecord)>,
    /// Records whose write was requested and not yet reported durable.
    pub pending: VecDeque<(u64, LogRecord)>,
}

impl Signing {
    /// Whether the writes are in their order, and none is held that could be asked for.
    pub fn is_in_order(&self) -> bool {
        self.pending.iter().is_sorted_by(|a, b| a.0 < b.0)
            && self.held.iter().is_sorted_by(|a, b| a.0 <= b.0)
            && self.held.iter().all(|(number, _)| *number > self.stored_below)
    }

    /// Whether the record is on its way to the log.
    pub fn is_pending(&self, statement: impl Into<LogRecord>) -> bool {
        let record = statement.into();
        self.unwritten().any(|unwritten| *unwritten == record)
    }

    /// The records on their way to the log.
    pub fn unwritten(&self) -> impl Iterator<Item = &LogRecord> {
        self.pending.iter().chain(&self.held).map(|(_, record)| record)
    }

    pub fn name_write(&mut self) -> WriteId {
        let write = WriteId { started: self.started, number: self.next };
        self.next += 1;
        write
    }

    pub fn name_store(&mut self) -> WriteId {
        let write = self.name_write();
        self.stored_next = self.next;
        write
    }

    /// Whether everything that was stored is durable.
    pub fn is_all_stored(&self) -> bool {
        self.stored_below >= self.stored_next
    }

    /// The number after that of a confirmed write; 0 for one that this miner did not ask for.
    pub fn confirmed(&self, write: WriteId) -> u64 {
        let own = write.started == self.started && write.number < self.next;
        if own { write.number + 1 } else { 0 }
    }
}
