//! A log as JSON, to move a miner to another machine: a versioned document in the manner of EIP-3076, with which Ethereum's
//! validators move their slashing protection.
//!
//! ```json
//! {
//!   "metadata": { "interchange_format": "zus-ticket-log", "interchange_format_version": "2", "chain": "hex" },
//!   "data": {
//!     "key": "hex", "epoch": "7", "floor": "120", "complete_from": "88",
//!     "signed_proposals": [ { "round": "119", "subround": "0", "block": "hex" } ],
//!     "signed_tickets": [], "signed_timeouts": [ { "round": "119", "subround": "0" } ], "signed_finality_votes": []
//!   }
//! }
//! ```
//! Nothing but votes was left to be signed below `floor`, and nothing at all is signed below `complete_from`, since the
//! document does not say what was signed there. Version 1 has no `complete_from`, and is read as if that were its floor.
//!
//! There is one form of everything. Integers are decimal strings, since many JSON readers keep 53 bits only: digits without
//! sign, space or leading zeros. Bytes are lower-case hexadecimal. Unknown fields, fields and records that come twice, and
//! rounds that no chain reaches are refused: a document that says more than is understood might forbid more than is obeyed, and
//! what is imported cannot be taken back.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::LogError;
use super::record::{KEY_BYTES, Kind, LogRecord, Owner};
use super::signed::SignedRecords;
use crate::committee::{Round, Subround};
use crate::limits::MAX_ROUND;

/// The name of the format.
pub const INTERCHANGE_FORMAT: &str = "zus-ticket-log";

/// The version that is written; it and version 1 are read.
pub const INTERCHANGE_VERSION: &str = "2";

/// The version before: a log of this version is not complete below its floor.
const VERSION_WITHOUT_COMPLETE: &str = "1";

/// Bytes of the largest document that is read; an export of this crate has some kilobytes.
pub const MAX_INTERCHANGE_BYTES: usize = 16 << 20;

/// Characters of a wrong value that an error shows.
const SHOWN_CHARACTERS: usize = 80;

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    complete_from: Option<String>,
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

/// The fields of every version of the format; others are ignored.
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
    pub fn new(owner: &Owner, signed: &SignedRecords) -> Self {
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
                complete_from: Some(signed.complete_from().0.to_string()),
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
        let json = |e: serde_json::Error| InterchangeError::Json { reason: told(&e) };
        let Envelope { metadata: Format { interchange_format: format, interchange_format_version: version } } =
            serde_json::from_str(text).map_err(json)?;
        let known = [INTERCHANGE_VERSION, VERSION_WITHOUT_COMPLETE].contains(&version.as_str());
        if format != INTERCHANGE_FORMAT || !known {
            return Err(InterchangeError::Format { format: shown(&format), version: shown(&version) });
        }
        let found: Self = serde_json::from_str(text).map_err(json)?;
        if found.data.complete_from.is_some() != (version == INTERCHANGE_VERSION) {
            let reason = "data.complete_from is a field of version 2, and of no other".into();
            return Err(InterchangeError::Json { reason });
        }
        Ok(found)
    }

    /// The signed statements, if they were signed with the key of `owner`.
    pub(super) fn decode(&self, owner: &Owner) -> Result<SignedRecords, InterchangeError> {
        let Data { key, epoch, floor, complete_from, .. } = &self.data;
        let same = |field, expected: String, found: &String| {
            if expected == *found {
                return Ok(());
            }
            Err(InterchangeError::OtherOwner { field, expected, found: shown(found) })
        };
        same("chain", hex::encode(owner.chain.0), &self.metadata.chain)?;
        same("epoch", owner.epoch.0.to_string(), epoch)?;
        debug_assert_eq!(owner.key.len(), KEY_BYTES);
        same("key", hex::encode(owner.key), key)?;
        let floor = round("data.floor", floor)?;
        let complete_from = match complete_from {
            Some(text) => round("data.complete_from", text)?,
            None => floor,
        };
        if complete_from > floor {
            return Err(value(
                "data.complete_from",
                "a round up to data.floor",
                &complete_from.0.to_string(),
            ));
        }
        let mut records = BTreeSet::new();
        let mut take = |place: &str, record: LogRecord| {
            if records.insert(record) {
                Ok(())
            } else {
                Err(InterchangeError::Twice { place: place.to_owned() })
            }
        };
        let lists = [
            (Kind::Proposal, "data.signed_proposals", &self.data.signed_proposals),
            (Kind::Ticket, "data.signed_tickets", &self.data.signed_tickets),
            (Kind::FinalityVote, "data.signed_finality_votes", &self.data.signed_finality_votes),
        ];
        for (kind, list, of_kind) in lists {
            for (i, signed) in of_kind.iter().enumerate() {
                let place = format!("{list}[{i}]");
                let round = round(&format!("{place}.round"), &signed.round)?;
                let subround = Subround(number(&format!("{place}.subround"), &signed.subround)?);
                let block = block(&format!("{place}.block"), &signed.block)?;
                take(&place, LogRecord { round, kind, subround, block })?;
            }
        }
        for (i, signed) in self.data.signed_timeouts.iter().enumerate() {
            let place = format!("data.signed_timeouts[{i}]");
            let round = round(&format!("{place}.round"), &signed.round)?;
            let subround = Subround(number(&format!("{place}.subround"), &signed.subround)?);
            take(&place, LogRecord::timeout(round, subround))?;
        }
        let mut signed = SignedRecords::complete(floor, complete_from);
        records.into_iter().for_each(|record| signed.insert(record));
        Ok(signed)
    }
}

/// A number in its one form.
fn number<T: FromStr + ToString>(place: &str, text: &str) -> Result<T, InterchangeError> {
    let number = text.parse::<T>().ok().filter(|number| number.to_string() == text);
    number.ok_or_else(|| value(place, "a number in digits, without sign, space or leading zeros", text))
}

fn round(place: &str, text: &str) -> Result<Round, InterchangeError> {
    let found = number(place, text)?;
    if found > MAX_ROUND {
        return Err(value(place, "a round that a chain reaches (up to 2^62)", text));
    }
    Ok(Round(found))
}

fn block(place: &str, text: &str) -> Result<[u8; 32], InterchangeError> {
    let mut block = [0; 32];
    let read = hex::decode_to_slice(text, &mut block).is_ok() && hex::encode(block) == text;
    if read { Ok(block) } else { Err(value(place, "32 bytes in lower-case hexadecimal", text)) }
}

fn value(place: &str, expected: &'static str, found: &str) -> InterchangeError {
    InterchangeError::Value { place: place.to_owned(), expected, found: shown(found) }
}

/// The message and place of a JSON error. The message may repeat a name from the document.
fn told(error: &serde_json::Error) -> String {
    let text: String = error.to_string().chars().take(SHOWN_CHARACTERS).collect();
    format!("{} (line {}, column {})", text.escape_debug(), error.line(), error.column())
}

/// The beginning of a text that a stranger wrote, for a message.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS).collect()
}

/// Why a document is not imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
        /// The error message.
        reason: String,
    },
    /// It is of another format or version.
    #[error(
        "format {format:?}, version {version:?}, where {INTERCHANGE_FORMAT:?}, version {VERSION_WITHOUT_COMPLETE:?} or \
         {INTERCHANGE_VERSION:?} is read"
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
        /// The field that differs.
        field: &'static str,
        /// The expected value.
        expected: String,
        /// The value in the document.
        found: String,
    },
    /// A value is not what its field holds.
    #[error("{place} is {found:?}, where {expected} is expected")]
    Value {
        /// Where it stands.
        place: String,
        /// The expected kind of value.
        expected: &'static str,
        /// The beginning of it.
        found: String,
    },
    /// With it the log would be more than half full: too little would be left for what this machine signs.
    #[error(
        "with this document the log would have {records} records, which take more than half of the bytes that a log can have: no chain \
         has so many subrounds in one round. Nothing was imported"
    )]
    TooMany {
        /// Records of the log with those of the document.
        records: usize,
    },
    /// A record comes twice.
    #[error("{place} repeats a record: each comes once")]
    Twice {
        /// Where the second stands.
        place: String,
    },
    /// It would raise the floor further than the caller allows.
    #[error(
        "the document leaves all rounds below {}, where this log has left those below {} and may be raised to {}. Nothing was \
         imported: it would bar this key from signing until the chain is there, and cannot be taken back. If the chain \
         is there, import with `import_up_to` and name that round",
        floor.0, known.0, highest.0
    )]
    Rise {
        /// The floor of the document, by its field or by a record.
        floor: Round,
        /// The floor of the log.
        known: Round,
        /// The highest floor that is allowed.
        highest: Round,
    },
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
}
