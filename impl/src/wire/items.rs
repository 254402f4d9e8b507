//! Identifiers, statements, signatures and certificates.

use std::sync::Arc;

use super::{Decode, Encode, Reader, WireError};
use crate::block::{BlockId, Digest, Time};
use crate::certified::Certified;
use crate::committee::{ChainId, Epoch, MAX_COMMITTEE_SIZE, MinerId, Round, Subround};
use crate::crypto::certificate::{Certificate, Signers};
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::crypto::uncompressed::UncompressedSignature;
use crate::limits::MAX_ROUND;
use crate::message::{Message, UncompressedTicket};
use crate::statement::{BeaconTarget, FinalityVote, Proposed, Signed, Ticket, Timeout};

/// The form byte of a compressed signature.
const COMPRESSED: u8 = 1;

/// The form byte of a signature with both coordinates.
const UNCOMPRESSED: u8 = 2;

/// The field that tells the forms apart.
const FORM: &str = "form of a signature";

macro_rules! fixed_width {
    ($($type:ident($inner:ty) $field:literal)*) => {$(
        impl Encode for $type {
            fn encode(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.0.to_be_bytes());
            }
        }

        impl Decode for $type {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
                reader.array($field).map(|bytes| Self(<$inner>::from_be_bytes(bytes)))
            }
        }
    )*};
}

fixed_width! {
    MinerId(u16) "miner"
    Subround(u32) "subround"
    Epoch(u64) "epoch"
    Time(u64) "time"
}

impl Encode for Round {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.0.to_be_bytes());
    }
}

/// The one place in which rounds are read: no honest sender names one above [`MAX_ROUND`].
impl Decode for Round {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let round = u64::from_be_bytes(reader.array("round")?);
        if round > MAX_ROUND {
            return Err(WireError::Round { round });
        }
        Ok(Self(round))
    }
}

macro_rules! byte_array {
    ($($type:ident $field:literal)*) => {$(
        impl Encode for $type {
            fn encode(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.0);
            }
        }

        impl Decode for $type {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
                reader.array($field).map(Self)
            }
        }
    )*};
}

byte_array! {
    ChainId "chain"
    BlockId "block id"
    Digest "digest"
    BeaconValue "beacon value"
    Signature "signature"
}

macro_rules! fields {
    ($($type:ident { $($field:ident),* })*) => {$(
        impl Encode for $type {
            fn encode(&self, bytes: &mut Vec<u8>) {
                $(self.$field.encode(bytes);)*
            }
        }

        impl Decode for $type {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
                Ok(Self { $($field: Decode::decode(reader)?,)* })
            }
        }
    )*};
}

fields! {
    Proposed { round, subround, block }
    Ticket { round, subround, block }
    Timeout { round, subround }
    FinalityVote { round, subround, block }
}

impl<T: Encode> Encode for Signed<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.statement.encode(bytes);
        self.signer.encode(bytes);
        bytes.push(COMPRESSED);
        self.signature.encode(bytes);
    }
}

impl<T: Decode> Decode for Signed<T> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let statement = T::decode(reader)?;
        let signer = MinerId::decode(reader)?;
        match reader.byte(FORM)? {
            COMPRESSED => Ok(Self { statement, signer, signature: Signature::decode(reader)? }),
            found => Err(WireError::UnknownTag { field: FORM, found }),
        }
    }
}

impl Encode for UncompressedTicket {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.statement.encode(bytes);
        self.signer.encode(bytes);
        bytes.push(UNCOMPRESSED);
        bytes.extend_from_slice(&self.signature.to_bytes());
    }
}

/// Reads a ticket with a signature of either form.
pub(super) fn decode_ticket(reader: &mut Reader<'_>) -> Result<Message, WireError> {
    let statement = Ticket::decode(reader)?;
    let signer = MinerId::decode(reader)?;
    match reader.byte(FORM)? {
        COMPRESSED => {
            Ok(Message::Ticket(Signed { statement, signer, signature: Signature::decode(reader)? }))
        }
        UNCOMPRESSED => {
            let field = "uncompressed signature";
            let signature = UncompressedSignature::from_bytes(&reader.array(field)?)
                .map_err(|reason| WireError::Point { field, reason })?;
            Ok(Message::UncompressedTicket(UncompressedTicket { statement, signer, signature }))
        }
        found => Err(WireError::UnknownTag { field: FORM, found }),
    }
}

/// The committee's size, then the bitmap, whose length follows from it.
impl Encode for Signers {
    fn encode(&self, bytes: &mut Vec<u8>) {
        // A committee has at most MAX_COMMITTEE_SIZE members.
        bytes.extend_from_slice(&(self.committee_size() as u16).to_be_bytes());
        bytes.extend_from_slice(self.bitmap());
    }
}

impl Decode for Signers {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let committee_size = reader.length::<2>("committee of a bitmap", MAX_COMMITTEE_SIZE)?;
        let bitmap = reader.bytes("bitmap", committee_size.div_ceil(8))?;
        Ok(Signers::from_bitmap(committee_size, bitmap)?)
    }
}

impl Encode for Certificate {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.signers.encode(bytes);
        self.aggregate.encode(bytes);
    }
}

impl Decode for Certificate {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self { signers: Signers::decode(reader)?, aggregate: Signature::decode(reader)? })
    }
}

impl<T: Encode> Encode for Certified<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.statement.encode(bytes);
        self.certificate.encode(bytes);
    }
}

impl<T: Decode> Decode for Certified<T> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self { statement: T::decode(reader)?, certificate: Certificate::decode(reader)? })
    }
}

impl<T: Encode> Encode for Arc<T> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.as_ref().encode(bytes);
    }
}

impl<T: Decode> Decode for Arc<T> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        T::decode(reader).map(Arc::new)
    }
}

impl Encode for BeaconTarget {
    fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            BeaconTarget::Round(round) => {
                bytes.push(0);
                round.encode(bytes);
            }
            BeaconTarget::Chained { round, subround, previous } => {
                bytes.push(1);
                round.encode(bytes);
                subround.encode(bytes);
                previous.encode(bytes);
            }
        }
    }
}

impl Decode for BeaconTarget {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        match reader.byte("beacon target")? {
            0 => Ok(BeaconTarget::Round(Round::decode(reader)?)),
            1 => Ok(BeaconTarget::Chained {
                round: Round::decode(reader)?,
                subround: Subround::decode(reader)?,
                previous: BeaconValue::decode(reader)?,
            }),
            found => Err(WireError::UnknownTag { field: "beacon target", found }),
        }
    }
}

/// An optional value: a flag, then the value when it is there.
pub(super) fn encode_option<T: Encode>(value: Option<&T>, bytes: &mut Vec<u8>) {
    bytes.push(u8::from(value.is_some()));
    if let Some(value) = value {
        value.encode(bytes);
    }
}

/// Reads what [`encode_option`] wrote.
pub(super) fn decode_option<T: Decode>(
    reader: &mut Reader<'_>,
    field: &'static str,
) -> Result<Option<T>, WireError> {
    if reader.flag(field)? { T::decode(reader).map(Some) } else { Ok(None) }
}
