//! The purpose of the blocks: the application that fills, judges and executes them.
//!
//! The miner does not call it; the host does, on [`Output::RequestPayload`](crate::miner::Output::RequestPayload),
//! [`Output::Validate`](crate::miner::Output::Validate) and [`Output::Finalized`](crate::miner::Output::Finalized), and gives
//! the answers back as inputs. So an application may take its time, and run elsewhere.

mod transaction_queue;

pub use transaction_queue::{InvalidPayload, QueueFull, Transaction, TransactionQueue};

use crate::block::Block;

/// An application.
///
/// `make_payload`, `validate` and `commit` must be deterministic functions of the chain below the block: honest miners that
/// disagree about a block's validity may not notarize it.
pub trait Application {
    /// Why a payload is refused.
    type Refusal: std::error::Error;

    /// A payload of at most `limit` bytes for a block on top of `parent`, which was validated or committed before. It must be
    /// valid there.
    fn make_payload(&mut self, parent: &Block, limit: usize) -> Vec<u8>;

    /// Whether a block's payload is valid on top of its parent, which was validated or committed before. Several children of
    /// one parent may be asked about.
    ///
    /// # Errors
    /// The reason for the refusal.
    fn validate(&mut self, block: &Block) -> Result<(), Self::Refusal>;

    /// A block is final. Called for every final block in order of round, whether or not `validate` was called for it.
    fn commit(&mut self, block: &Block);
}
