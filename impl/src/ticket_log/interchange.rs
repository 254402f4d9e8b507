//! A log as JSON, to move a miner to another machine: a versioned document in the manner of EIP-3076, with which Ethereum's
//! validators move their slashing protection.
//!
//! ```json
//! {
//!   "metadata": { "interchange_format": "zus-ticket-log", "interchange_format_version": "1", "chain": "hex" },
//!   "data": {
//!     "key": "hex", "epoch": "7", "floor": "120",
//!     "signed_proposals": [ { "round": "119", "subround": "0", "block": "hex" } ],
//!     "signed_tickets": [], "signed_timeouts": [ { "round": "119", "subround": "0" } ], "signed_finality_votes": []
//!   }
//! }
//! ```
//! Integers are decimal strings, since many JSON readers keep 53 bits only. Unknown fields are refused: a document that says
//! more than is understood might forbid more than is obeyed.

use serde::{Deserialize, Serialize};

use super::LogError;
use super::record::{KEY_BYTES, Kind, Owner, Record};
use super::signed::Signed;
use crate::committee::{Round, Subround};

/// The name of the format.
pub const INTERCHANGE_FORMAT: &str = "zus-ticket-log";

/// The version that is written, and the only one that is read.
pub const INTERCHANGE_VERSION: &str = "1";

/// Bytes of the largest document that is read; an export of this crate has some kilobytes.
pub const MAX_INTERCHANGE_BYTES: usize = 16 << 20;

/// A log in transit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interchange {
    metadata: Metadata,
    data: Data,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    interchange_format: String,
    interchange_format_version: String,
    chain: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    key: String,
    epoch: String,
    floor: String,
    signed_proposals: Vec<SignedBlock>,
    signed_tickets: Vec<SignedBlock>,
    signed_timeouts: Vec<SignedTimeout>,
    signed_finality_votes: Vec<SignedBlock>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedBlock {
    round: String,
    subround: String,
    block: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedTimeout {
    round: String,
    subround: String,
}

/// What every version of the format has; fields beside it are passed over.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    metadata: Format,
}

/// See [`Envelope`].
#[derive(Default, Deserialize)]
#[serde(default)]
struct Format {
    interchange_format: String,
    interchange_format_version: String,
}

impl Interchange {
    /// Everything in an index that still matters.
    #[must_use]
    pub fn new(owner: &Owner, signed: &Signed) -> Self {
        let blocks = |kind| {
            let of_kind = signed.records().filter(move |record| record.kind == kind);
            of_kind
                .map(|record| SignedBlock {
                    round: record.round.0.to_string(),
                    subround: record.subround.0.to_string(),
                    block: hex::encode(record.block),
                })
                .collect()
        };
        let timeouts = signed.records().filter(|record| record.kind == Kind::Timeout);
        Self {
            metadata: Metadata {
                interchange_format: INTERCHANGE_FORMAT.to_owned(),
                interchange_format_version: INTERCHANGE_VERSION.to_owned(),
                chain: hex::encode(owner.chain.0),
            },
            data: Data {
                key: hex::encode(owner.key),
                epoch: owner.epoch.0.to_string(),
                floor: signed.floor().0.to_string(),
                signed_proposals: blocks(Kind::Proposal),
                signed_tickets: blocks(Kind::Ticket),
                signed_timeouts: timeouts
                    .map(|record| SignedTimeout {
                        round: record.round.0.to_string(),
                        subround: record.subround.0.to_string(),
                    })
                    .collect(),
                signed_finality_votes: blocks(Kind::FinalityVote),
            },
        }
    }

    /// Writes the document.
    ///
    /// # Errors
    /// [`InterchangeError::Json`], which strings and lists give no reason for.
    pub fn to_json(&self) -> Result<String, InterchangeError> {
        serde_json::to_string_pretty(self).map_err(|e| InterchangeError::Json { reason: e.to_string() })
    }

    /// Reads a document. Whose it is, and its numbers, are checked by the import.
    ///
    /// # Errors
    /// [`InterchangeError::TooLong`], [`InterchangeError::Json`], [`InterchangeError::Format`].
    pub fn from_json(text: &str) -> Result<Self, InterchangeError> {
        if text.len() > MAX_INTERCHANGE_BYTES {
            return Err(InterchangeError::TooLong { bytes: text.len() });
        }
        // The format is checked first: a newer version has fields that this one does not know. Nothing else of the document is
        // kept for that: a tree of its values takes tens of times its bytes.
        let json = |e: serde_json::Error| InterchangeError::Json { reason: e.to_string() };
        let Envelope { metadata: Format { interchange_format: format, interchange_format_version: version } } =
            serde_json::from_str(text).map_err(json)?;
        if format != INTERCHANGE_FORMAT || version != INTERCHANGE_VERSION {
            return Err(InterchangeError::Format { format, version });
        }
        serde_json::from_str(text).map_err(json)
    }

    /// The floor and the records, when they are those of `owner`.
    pub(super) fn decode(&self, owner: &Owner) -> Result<(Round, Vec<Record>), InterchangeError> {
        let Data { key, epoch, floor, .. } = &self.data;
        let same = |field, expected: String, found: &String| {
            if expected == *found {
                return Ok(());
            }
            Err(InterchangeError::OtherOwner { field, expected, found: found.clone() })
        };
        same("chain", hex::encode(owner.chain.0), &self.metadata.chain)?;
        same("epoch", owner.epoch.0.to_string(), epoch)?;
        debug_assert_eq!(owner.key.len(), KEY_BYTES);
        same("key", hex::encode(owner.key), key)?;
        let mut records = Vec::new();
        let lists = [
            (Kind::Proposal, &self.data.signed_proposals),
            (Kind::Ticket, &self.data.signed_tickets),
            (Kind::FinalityVote, &self.data.signed_finality_votes),
        ];
        for (kind, list) in lists {
            for signed in list {
                let mut block = [0; 32];
                hex::decode_to_slice(&signed.block, &mut block)
                    .map_err(|_| InterchangeError::Value { field: "block", found: signed.block.clone() })?;
                let round = Round(number("round", &signed.round)?);
                let subround = Subround(number("subround", &signed.subround)?);
                records.push(Record { round, kind, subround, block });
            }
        }
        for signed in &self.data.signed_timeouts {
            let subround = Subround(number("subround", &signed.subround)?);
            records.push(Record::timeout(Round(number("round", &signed.round)?), subround));
        }
        Ok((Round(number("floor", floor)?), records))
    }
}

fn number<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, InterchangeError> {
    text.parse().map_err(|_| InterchangeError::Value { field, found: text.to_owned() })
}

/// Why a document is not imported.
#[derive(Debug, thiserror::Error)]
pub enum InterchangeError {
    /// It is larger than any log.
    #[error("a document of {bytes} bytes, more than {MAX_INTERCHANGE_BYTES}")]
    TooLong {
        /// Its size.
        bytes: usize,
    },
    /// It is no such document.
    #[error("not a ticket log in JSON: {reason}")]
    Json {
        /// What the reader says.
        reason: String,
    },
    /// It is of another format or version.
    #[error(
        "format {format:?}, version {version:?}, where {INTERCHANGE_FORMAT:?}, version {INTERCHANGE_VERSION:?} is read"
    )]
    Format {
        /// The format it names.
        format: String,
        /// The version it names.
        version: String,
    },
    /// It is the log of another chain, epoch or key.
    #[error("the ticket log of another {field}: it says {found}, expected is {expected}")]
    OtherOwner {
        /// What differs.
        field: &'static str,
        /// What was expected.
        expected: String,
        /// What the document says.
        found: String,
    },
    /// A value is not what its field holds.
    #[error("{found:?} is no {field}")]
    Value {
        /// The field.
        field: &'static str,
        /// What it says.
        found: String,
    },
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
}
