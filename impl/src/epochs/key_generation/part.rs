//! The part of a node in a key generation, as the replica sees it.

use super::participant::{Output, Participant, WriteId};
use super::progress::Progress;
use crate::committee::MinerId;
use crate::crypto::dkg::{MemberError, Receipt};

/// The part of a node in the key generation of the next committee: a [`Participant`], or a double in a test. `P` is the state of a chain.
pub trait KeyGeneration<P> {
    /// The state of the final chain after its next block. Blocks may be left out, and none may be given that is not final.
    fn on_final(&mut self, progress: &P) -> Vec<Output>;

    /// A write has become durable.
    fn on_stored(&mut self, write: WriteId) -> Vec<Output>;

    /// A receipt from `from`, the member that the link authenticated.
    ///
    /// # Errors
    /// [`MemberError`] for one that is of no use.
    fn on_receipt(&mut self, from: MinerId, receipt: &Receipt) -> Result<Vec<Output>, MemberError>;

    /// Whether the keys are durable and were given to the host, or there are none.
    fn is_done(&self) -> bool;
}

/// A part that has begun, and what it wants first.
pub type Began<P> = (P, Vec<Output>);

impl KeyGeneration<Progress> for Participant {
    fn on_final(&mut self, progress: &Progress) -> Vec<Output> {
        self.on_final(progress)
    }

    fn on_stored(&mut self, write: WriteId) -> Vec<Output> {
        self.on_stored(write)
    }

    fn on_receipt(&mut self, from: MinerId, receipt: &Receipt) -> Result<Vec<Output>, MemberError> {
        self.on_receipt(from, receipt)
    }

    fn is_done(&self) -> bool {
        self.is_done()
    }
}

/// The part of a node where no key is generated: there is none.
#[derive(Clone, Copy, Debug)]
pub enum Nobody {}

impl<P> KeyGeneration<P> for Nobody {
    fn on_final(&mut self, _: &P) -> Vec<Output> {
        match *self {}
    }

    fn on_stored(&mut self, _: WriteId) -> Vec<Output> {
        match *self {}
    }

    fn on_receipt(&mut self, _: MinerId, _: &Receipt) -> Result<Vec<Output>, MemberError> {
        match *self {}
    }

    fn is_done(&self) -> bool {
        match *self {}
    }
}
