//! The requests of a participant to its host.

use std::sync::Arc;

use thiserror::Error;

use super::super::entry::Entry;
use crate::committee::MinerId;
use crate::crypto::committee_keys::MemberKeys;
use crate::crypto::dkg::{MAX_ENDPOINT_BYTES, Receipt, ShareRefused};
use crate::epochs::item::EpochItem;
use crate::epochs::record::Record;

/// The number of a write, for [`on_stored`](super::Participant::on_stored).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WriteId(pub u64);

/// A task of the host.
#[derive(Clone, Debug)]
#[must_use]
pub enum Output {
    /// Append entries to the journal, durably, all or none; then call [`on_stored`](super::Participant::on_stored).
    Append {
        /// The number of the write.
        write: WriteId,
        /// The entries.
        entries: Vec<Entry>,
    },
    /// Replace the whole journal by these entries, durably and atomically; then call [`on_stored`](super::Participant::on_stored). The old entries are
    /// to be overwritten: their attempt is over.
    Replace {
        /// The number of the write.
        write: WriteId,
        /// The entries.
        entries: Vec<Entry>,
    },
    /// Bring an item into a block: send it to the members of the present committee. It comes again until it is final.
    Item(EpochItem),
    /// Send a receipt to a member of the next committee.
    Receipt {
        /// The dealer.
        to: MinerId,
        /// The receipt.
        receipt: Receipt,
    },
    /// The record is complete, and these are the keys of this member. They are durable.
    Keys {
        /// The record.
        record: Arc<Record>,
        /// The keys.
        keys: Box<MemberKeys>,
    },
    /// The record is complete, and this member has no share of its key: it may sign, but it has no part in the beacon.
    NoKeyShare {
        /// The record.
        record: Arc<Record>,
        /// Why.
        reason: ShareRefused,
    },
}

/// Why somebody cannot take part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ParticipantError {
    /// The identity is none of the next committee.
    #[error("this identity is no member of the next committee")]
    NoMember,
    /// The endpoint is too long.
    #[error("an endpoint of {bytes} bytes, where at most {MAX_ENDPOINT_BYTES} are served")]
    Endpoint {
        /// Its bytes.
        bytes: usize,
    },
    /// The journal has neither secrets nor a key share.
    #[error("the journal has no secrets: begin with new ones")]
    NoSecrets,
    /// An entry of the journal is none that a participant writes.
    #[error("the journal is damaged")]
    Damaged,
}
