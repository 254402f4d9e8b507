//! From one committee to the next: a handoff certificate with the record that it is for, and the beginning of an epoch.

use std::iter;
use std::sync::Arc;

use thiserror::Error;

use super::handoff::{HandoffCertificate, HandoffError};
use super::roster::{CommitteeRecord, Roster, RosterError};
use crate::block::{Block, Closing};
use crate::committee::{Committee, Epoch};
use crate::crypto::scheme::Verify;
use crate::rules::QuorumRule;
use crate::wire::{Decode, Encode, Reader, WireError};

/// A record with the certificate that its committee is the next one. A chain of links leads from a committee that a node knows to
/// any later one, without the blocks.
#[derive(Clone, PartialEq, Debug)]
pub struct Link<R> {
    /// The certificate of the epoch before.
    pub handoff: HandoffCertificate,
    /// The record of the epoch that begins.
    pub record: R,
}

/// Why a link does not lead on from a committee.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The record is not that of the next epoch.
    #[error("it leads to epoch {}, and the next epoch is {}", found.0, expected.0)]
    NotNext {
        /// The next epoch.
        expected: Epoch,
        /// The epoch of the record.
        found: Epoch,
    },
    /// The record is of another chain.
    #[error("the record is of another chain")]
    OtherChain,
    /// The record names another one before it.
    #[error("the record of epoch {} names another record before it than the known one", .0.0)]
    OtherRecordBefore(Epoch),
    /// The certificate is for another record.
    #[error("the handoff certificate is for another record of epoch {}", .0.0)]
    OtherRecord(Epoch),
    /// The nodes of the record are no committee.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The keys of the record before are no keys.
    #[error("the record of epoch {} has keys that are none", .0.0)]
    Keys(Epoch),
    /// The certificate proves nothing.
    #[error(transparent)]
    Handoff(#[from] HandoffError),
}

impl<R: CommitteeRecord> Link<R> {
    /// Whether it leads on from the record `before`, whose committee is given. The signature is checked last.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn check<S: Verify>(
        &self,
        before: &R,
        committee: &Committee,
        quorum: usize,
        scheme: &S,
    ) -> Result<(), LinkError> {
        self.follows(before)?;
        Ok(self.handoff.verify(committee, quorum, scheme)?)
    }

    /// Whether record and certificate fit to the record `before`: all but the certificate itself.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn follows(&self, before: &R) -> Result<(), LinkError> {
        let (found, expected) = (self.record.epoch(), Epoch(before.epoch().0.saturating_add(1)));
        if found != expected {
            return Err(LinkError::NotNext { expected, found });
        }
        if self.record.chain() != before.chain() {
            return Err(LinkError::OtherChain);
        }
        if self.record.previous() != before.digest() {
            return Err(LinkError::OtherRecordBefore(found));
        }
        if self.record.digest() != self.handoff.closing().record {
            return Err(LinkError::OtherRecord(found));
        }
        Ok(())
    }
}

/// How many checks of pairings the links of a walk from `before` cost: a certificate each, and each key that the committee before it does
/// not have.
#[must_use]
pub fn checks<R: CommitteeRecord>(before: &R, links: &[Arc<Link<R>>]) -> usize {
    costs(before, links).sum()
}

/// Each link with the record before it.
fn walk<'a, R>(before: &'a R, links: &'a [Arc<Link<R>>]) -> impl Iterator<Item = (&'a R, &'a Arc<Link<R>>)> {
    iter::once(before).chain(links.iter().map(|link| &link.record)).zip(links)
}

/// The checks that each link costs.
fn costs<'a, R: CommitteeRecord>(before: &'a R, links: &'a [Arc<Link<R>>]) -> impl Iterator<Item = usize> {
    walk(before, links).map(|(before, link)| 1 + link.record.new_keys(before))
}

/// How many of these links are checked together, where genuine ones that cost `worth` checks came before them from the same node.
///
/// If one of them is wrong, all checks of the group were for nothing. These are at most as many as the genuine links were worth,
/// and one. So the groups grow from one link to two, four, eight. The keys of the last record are not looked at.
#[must_use]
pub fn affordable<R: CommitteeRecord>(before: &R, links: &[Arc<Link<R>>], worth: usize) -> usize {
    let mut cost = 1;
    let affords = |more: &usize| {
        let fits = cost <= worth + 1;
        cost += more;
        fits
    };
    costs(before, links).take_while(affords).count()
}

/// One step of a walk over epochs: a handoff certificate, and the committee whose quorum has to have signed it.
#[derive(Clone, Debug)]
pub struct Step<'a, R> {
    /// The record of the committee.
    pub before: &'a R,
    /// The committee.
    pub committee: Committee,
    /// Its quorum.
    pub quorum: usize,
    /// The certificate; it is of this chain and ends this epoch.
    pub handoff: &'a HandoffCertificate,
}

/// The steps of a walk from the record `before` over links that follow each other: their certificates are not checked yet, and all else is
/// right. `None`: [`Link::check`] or [`Roster::of`] refuses one of them for another reason than its certificate.
#[must_use]
pub fn steps<'a, R: CommitteeRecord>(
    before: &'a R,
    links: &'a [Arc<Link<R>>],
    rule: QuorumRule,
) -> Option<Vec<Step<'a, R>>> {
    let step = |(before, link): (&'a R, &'a Arc<Link<R>>)| {
        link.follows(before).ok()?;
        let committee = Roster::of(before).ok()?.committee();
        link.handoff.ends_epoch_of(&committee).ok()?;
        Some(Step { before, committee, quorum: committee.quorum(rule), handoff: &link.handoff })
    };
    Roster::of(&links.last()?.record).ok()?;
    walk(before, links).map(step).collect()
}

impl<R: Encode> Encode for Link<R> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.handoff.encode(bytes);
        self.record.encode(bytes);
    }
}

impl<R: Decode> Decode for Link<R> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self { handoff: Decode::decode(reader)?, record: R::decode(reader)? })
    }
}

/// All that a node needs to begin in an epoch: the record of its committee, the block that it begins on, and how the committee was
/// made known. It is durable before anything is signed in the epoch. Given by an operator it is a *checkpoint*.
#[derive(Clone, PartialEq, Debug)]
pub struct Beginning<R> {
    /// The record of the committee.
    pub record: R,
    /// The closing block of the epoch before; genesis in the first epoch.
    pub anchor: Arc<Block>,
    /// The handoff certificate of the epoch before; `None` in the first epoch.
    pub handoff: Option<Arc<HandoffCertificate>>,
}

/// Why parts are no beginning of an epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum BeginningError {
    /// There is no certificate, and it is not the genesis block that the epoch begins on.
    #[error("epoch {} begins on a closing block, and there is no handoff certificate for it", .0.0)]
    NoHandoff(Epoch),
    /// The block is of another chain, or not of the epoch before.
    #[error("the block that epoch {} begins on is of another chain, or not of the epoch before", .0.0)]
    OtherEpoch(Epoch),
    /// The block does not close its epoch with this record.
    #[error("the block that epoch {} begins on does not close the epoch before with this record", .0.0)]
    OtherRecord(Epoch),
    /// The certificate is for another closing block.
    #[error("the handoff certificate to epoch {} is for another closing block", .0.0)]
    OtherBlock(Epoch),
}

impl<R: CommitteeRecord> Beginning<R> {
    /// The beginning of the first epoch of a chain, on its genesis block.
    #[must_use]
    pub fn first(record: R, genesis: Arc<Block>) -> Self {
        Self { record, anchor: genesis, handoff: None }
    }

    /// Whether record, block and certificate belong together. No signature is checked: those of a checkpoint are of a committee that
    /// the node does not know, and an operator vouches for them.
    ///
    /// # Errors
    /// [`BeginningError`].
    pub fn check(&self) -> Result<(), BeginningError> {
        let (epoch, header) = (self.record.epoch(), self.anchor.header());
        let Some(handoff) = &self.handoff else {
            let genesis = Block::genesis(self.record.chain(), epoch, header.beacon, header.time);
            let is_genesis = genesis.id() == self.anchor.id();
            return if is_genesis { Ok(()) } else { Err(BeginningError::NoHandoff(epoch)) };
        };
        let before = header.epoch.0.checked_add(1) == Some(epoch.0);
        if header.chain != self.record.chain() || !before {
            return Err(BeginningError::OtherEpoch(epoch));
        }
        if header.closing != (Closing::Closes { record: self.record.digest() }) {
            return Err(BeginningError::OtherRecord(epoch));
        }
        let closing = handoff.closing();
        if (handoff.ends(), closing.id, closing.record)
            != (header.epoch, self.anchor.id(), self.record.digest())
        {
            return Err(BeginningError::OtherBlock(epoch));
        }
        Ok(())
    }

    /// The link to this epoch.
    #[must_use]
    pub fn link(&self) -> Option<Link<R>> {
        let handoff = HandoffCertificate::clone(self.handoff.as_ref()?);
        Some(Link { handoff, record: self.record.clone() })
    }
}

impl<R: Encode> Encode for Beginning<R> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.record.encode(bytes);
        self.anchor.encode(bytes);
        bytes.push(u8::from(self.handoff.is_some()));
        if let Some(handoff) = &self.handoff {
            handoff.encode(bytes);
        }
    }
}

impl<R: Decode> Decode for Beginning<R> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let (record, anchor) = (R::decode(reader)?, Decode::decode(reader)?);
        let handoff = reader.flag("handoff flag")?.then(|| Decode::decode(reader)).transpose()?;
        Ok(Self { record, anchor, handoff })
    }
}
