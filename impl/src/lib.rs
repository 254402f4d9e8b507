//! The Züs block production protocol as a production crate: a sans-I/O miner and sharder, BLS tickets, a threshold beacon,
//! distributed key generation and a durable ticket log.
//!
//! Start with [`miner`]: its documentation is the protocol. [`rules`] lists the protocol's open questions, with one choice for
//! each; the default is [`Rules::HARDENED`](rules::Rules::HARDENED).
//!
//! # A miner in a node
//! The crate has no runtime. A node gives the miner inputs and carries out its outputs, in their order:
//!
//! ```
//! use std::{cmp::Reverse, collections::BinaryHeap, collections::VecDeque, sync::Arc};
//! use zus_bpp::application::{Application, TransactionQueue};
//! use zus_bpp::block::Time;
//! use zus_bpp::bounds::MAX_PAYLOAD_BYTES;
//! use zus_bpp::crypto::scheme::Scheme;
//! use zus_bpp::miner::{Config, Input, Miner, Output, Recovery, Stored, Timer};
//! use zus_bpp::ticket_log::{AppendError, TicketLog};
//!
//! struct Node<S, L> {
//!     miner: Miner<S>,
//!     log: L,
//!     /// The host's own storage for restarts: it returns when its argument is durable.
//!     keep: fn(Stored),
//!     application: TransactionQueue,
//!     timers: BinaryHeap<Reverse<(Time, Timer)>>,
//! }
//!
//! impl<S: Scheme, L: TicketLog> Node<S, L> {
//!     /// Gives the miner one input and carries out what follows. `network` sends messages. After an error the node must
//!     /// stop: the log has refused a signature that contradicts it, or the disk has failed.
//!     fn handle(&mut self, now: Time, input: Input, network: &mut impl FnMut(Output)) -> Result<(), AppendError> {
//!         let (mut inputs, mut outputs) = (VecDeque::from([input]), Vec::new());
//!         while let Some(input) = inputs.pop_front() {
//!             self.miner.step(now, input, &mut outputs);
//!             for output in outputs.drain(..) {
//!                 match output {
//!                     // Durable before any later record is written: outputs are carried out in order.
//!                     Output::Store(stored) => (self.keep)(stored),
//!                     Output::Persist { write, record } => {
//!                         self.log.append(record)?; // refuses what contradicts it
//!                         self.log.flush()?;
//!                         // Only now: without this the signature never leaves.
//!                         inputs.push_back(Input::Persisted(write));
//!                     }
//!                     Output::RequestPayload { round, subround, parent } => {
//!                         let payload = self.application.make_payload(&parent, MAX_PAYLOAD_BYTES);
//!                         inputs.push_back(Input::Payload { round, subround, payload });
//!                     }
//!                     Output::Validate { block } => {
//!                         let accepted = self.application.validate(&block).is_ok();
//!                         inputs.push_back(Input::Validated { round: block.round(), block: block.id(), accepted });
//!                     }
//!                     Output::Finalized(found) => self.application.commit(&found.block),
//!                     Output::SetTimer { timer, at } => self.timers.push(Reverse((at, timer))),
//!                     Output::Send { .. } | Output::Broadcast { .. } | Output::Serve { .. } => network(output),
//!                     // For logs and metrics.
//!                     _ => {}
//!                 }
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # use zus_bpp::{committee::*, crypto::{blst_scheme::BlstScheme, scheme::BeaconValue, trusted_dealer}, rules::Rules};
//! # use zus_bpp::ticket_log::{FileLog, KEY_BYTES, Owner, SigningRules};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (chain, epoch) = (ChainId([7; 32]), Epoch(1));
//! # let (keys, members) = trusted_dealer::deal([1; 32], 1, 1)?;
//! # let scheme = BlstScheme::member(keys, members.into_iter().next().ok_or("one member")?)?;
//! # let folder = tempfile::tempdir()?;
//! # let owner = Owner { chain, epoch, key: [0; KEY_BYTES] };
//! # let log = FileLog::create(folder.path(), owner, SigningRules::from(&Rules::HARDENED), Round(0))?;
//! let committee = Committee::new(chain, epoch, 1, 0)?;
//! let config = Arc::new(Config::new(committee, Rules::HARDENED, BeaconValue([0; 32]), Time(0)));
//! let recovery = Recovery { signed: log.signed().clone(), ..Recovery::default() };
//! let miner = Miner::new(config, scheme, recovery)?;
//! let mut node = Node { miner, log, keep: |_stored| { /* write, fsync */ }, application: TransactionQueue::new(), timers: BinaryHeap::new() };
//! node.handle(Time(0), Input::Start, &mut |_message| {})?;
//! // A committee of one needs no network: timers alone make it produce blocks.
//! while node.miner.finalized().round() < Round(3) {
//!     let Reverse((now, timer)) = node.timers.pop().ok_or("a timer is always set")?;
//!     node.handle(now, Input::Timer(timer), &mut |_message| {})?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What the host has to keep to is listed in [`miner`]. A [`sharder`] is driven in the same way.

pub mod application;
pub mod block;
pub mod bounds;
pub mod certified;
pub mod chain;
pub mod committee;
pub mod crypto;
pub mod evidence;
pub mod message;
pub mod miner;
pub mod mutants;
pub mod rules;
pub mod sharder;
pub mod statement;
pub mod ticket_log;
pub mod ticket_pool;
pub mod wire;

// The simulated network of the integration tests, to try deliberate bugs on it: they exist only in the crate's own tests.
#[cfg(test)]
extern crate self as zus_bpp;
#[cfg(test)]
#[path = "../tests/sim/network/mod.rs"]
mod network;
