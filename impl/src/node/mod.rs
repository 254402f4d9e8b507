//! A node around a [`Miner`]: its ticket log, its application, its timers, and a host for all the rest.
//!
//! The order of things is here, so that a host cannot get it wrong: a record is flushed before its signature leaves, and an item is
//! stored before the miner hears of it. A host is one function. It keeps what it is told to store, and returns when that is
//! durable; it sends messages; it answers [`Output::Load`] with the block. [`FileStorage`] does the storing in a folder,
//! [`frame`] and [`read_frame`] put messages on a stream, and `examples/tcp.rs` is a host that talks over TCP.

mod folders;
mod frame;
mod journal;
mod storage;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::SystemTime;

use crate::application::Application;
use crate::block::Time;
use crate::crypto::scheme::Scheme;
use crate::limits::MAX_PAYLOAD_BYTES;
use crate::miner::{Input, Miner, Output, Timer};
use crate::ticket_log::{AppendError, LogError, TicketLog};

pub use folders::{EpochFolders, FoldersError};
pub use frame::{frame, read_frame};
pub use storage::{FileStorage, StorageError};

/// The parts of a node.
#[derive(Debug)]
pub struct Node<S, L, A, H> {
    /// The miner.
    pub miner: Miner<S>,
    /// Its ticket log.
    pub log: L,
    /// It makes, validates and commits payloads.
    pub application: A,
    /// It carries out the other outputs. It also hears of each final block, after the application committed it.
    pub host: H,
    timers: BinaryHeap<Reverse<(Time, Timer)>>,
}

/// The time by this machine's clock: milliseconds since the year 1970, in which the blocks of all members tell their time.
#[must_use]
pub fn wall_clock() -> Time {
    let elapsed = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Time(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

/// Why a node must stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError<E> {
    /// The ticket log refused a record, or its disk failed.
    #[error(transparent)]
    Log(#[from] AppendError),
    /// The host could not carry out an output.
    #[error("the host: {0}")]
    Host(E),
}

impl<E> From<LogError> for NodeError<E> {
    fn from(error: LogError) -> Self {
        NodeError::Log(error.into())
    }
}

impl<S: Scheme, L: TicketLog, A: Application, H> Node<S, L, A, H> {
    /// A node. Give it [`Input::Start`] next.
    pub fn new(miner: Miner<S>, log: L, application: A, host: H) -> Self {
        Node { miner, log, application, host, timers: BinaryHeap::new() }
    }

    /// The time at which [`Node::expire`] has something to do, in the units of [`Time`]: milliseconds.
    pub fn next_timer(&self) -> Option<Time> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// Gives the miner the timers that are due, each once. A timer that is set meanwhile waits for the next call, even if it is due at
    /// once: one call makes as many steps of [`Node::handle`] as timers were due when it began, with any configuration.
    ///
    /// # Errors
    /// As [`Node::handle`].
    pub fn expire<E>(&mut self, now: Time) -> Result<(), NodeError<E>>
    where
        H: FnMut(Output) -> Result<Option<Input>, E>,
    {
        let mut due = Vec::new();
        while self.next_timer().is_some_and(|at| at <= now) {
            due.extend(self.timers.pop());
        }
        due.into_iter().try_for_each(|Reverse((_, timer))| self.handle(now, Input::Timer(timer)))
    }

    /// Gives the miner one input and carries out everything that follows.
    ///
    /// # Errors
    /// Why the node must stop: the log refused a record, a disk failed, or the host did.
    pub fn handle<E>(&mut self, now: Time, input: Input) -> Result<(), NodeError<E>>
    where
        H: FnMut(Output) -> Result<Option<Input>, E>,
    {
        let (mut inputs, mut outputs) = (VecDeque::from([input]), Vec::new());
        while let Some(input) = inputs.pop_front() {
            self.miner.step(now, input, &mut outputs);
            for output in outputs.drain(..) {
                match output {
                    Output::Persist { write, record } => {
                        self.log.append(record)?; // it refuses a record that contradicts it
                        self.log.flush()?;
                        inputs.push_back(Input::Persisted(write)); // only now the signature leaves
                    }
                    Output::Store { write, .. } => {
                        inputs.extend((self.host)(output).map_err(NodeError::Host)?);
                        inputs.push_back(Input::Stored(write));
                    }
                    Output::SetTimer { timer, at } => self.timers.push(Reverse((at, timer))),
                    Output::RequestPayload { round, subround, parent } => {
                        let payload = self.application.make_payload(&parent, MAX_PAYLOAD_BYTES);
                        let (items, record) = (Vec::new(), None);
                        inputs.push_back(Input::Payload { round, subround, payload, items, record });
                    }
                    Output::Validate { block } => {
                        let (round, accepted) = (block.round(), self.application.validate(&block).is_ok());
                        inputs.push_back(Input::Validated { round, block: block.id(), accepted });
                    }
                    Output::Finalized(found) => {
                        self.application.commit(&found.block);
                        inputs.extend((self.host)(Output::Finalized(found)).map_err(NodeError::Host)?);
                    }
                    // Messages, blocks to load, evidence, and what is for logs and metrics.
                    other => inputs.extend((self.host)(other).map_err(NodeError::Host)?),
                }
            }
        }
        Ok(())
    }
}
