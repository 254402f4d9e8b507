//! The work of one attempt, as far as it is in memory.

use std::collections::BTreeMap;

use crate::block::Digest;
use crate::committee::{MinerId, Round};
use crate::crypto::beacon::KeyShare;
use crate::crypto::curve::Scalar;
use crate::crypto::dkg::{Dealer, Recipient};
use crate::epochs::item::{EpochItem, ItemKind};

/// A share of a dealing.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// The digest of the dealing.
    pub dealing: Digest,
    /// The share; `None` if it does not fit: then there is no receipt.
    pub share: Option<Scalar>,
    pub durable: bool,
}

/// The own settlement.
#[derive(Debug)]
pub(super) struct OwnSettlement {
    pub item: EpochItem,
    pub durable: bool,
}

/// The share of the key of one record.
#[derive(Debug)]
pub(super) struct OwnKeyShare {
    pub record: Digest,
    pub share: KeyShare,
    pub durable: bool,
}

/// The work of one attempt.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// This member as a dealer and as a recipient; made when the session is known.
    pub roles: Option<(Dealer, Recipient)>,
    pub received: BTreeMap<MinerId, Received>,
    pub settlement: Option<OwnSettlement>,
    pub key_share: Option<OwnKeyShare>,
    /// The final round in which an item of each kind was sent last.
    pub sent: BTreeMap<ItemKind, Round>,
    /// The final round in which the receipt for each dealer was sent last.
    pub receipted: BTreeMap<MinerId, Round>,
}

/// The entries that a write makes durable.
#[derive(Clone, Debug)]
pub(super) enum Writing {
    Secrets,
    Shares(Vec<MinerId>),
    Settlement,
    KeyShare,
    Conclusion,
}
