//! Messages between nodes across epochs: messages of an epoch, handoff certificates and links; items and receipts of the key generation.

use std::sync::Arc;

use super::handoff::HandoffCertificate;
use super::item::EpochItem;
use super::link::Link;
use crate::committee::Epoch;
use crate::crypto::dkg::Receipt;
use crate::limits::MAX_LINKS_AT_ONCE;
use crate::message::Message;
use crate::wire::{self, Decode, Encode, Reader, VERSION, WireError};

/// Something that one node sends to another.
#[derive(Clone, PartialEq, Debug)]
pub enum Envelope<R> {
    /// A message between participants of an epoch.
    Message {
        /// The epoch that it is of.
        epoch: Epoch,
        /// The message.
        message: Message,
    },
    /// "This epoch is over." Of constant size: whoever has the chain knows the record.
    Handoff(Arc<HandoffCertificate>),
    /// "Which committees followed that of this epoch?"
    LinksRequest {
        /// The asker knows the committee of this epoch.
        after: Epoch,
    },
    /// The answer: links in the order of epochs, [`MAX_LINKS_AT_ONCE`] at most.
    Links(Vec<Arc<Link<R>>>),
    /// A member of the next committee asks those of this epoch to bring its item into a block.
    Item {
        /// The epoch whose blocks the item is for.
        epoch: Epoch,
        /// The item.
        item: EpochItem,
    },
    /// A member of the next committee has its share of another one's dealing.
    Receipt {
        /// The epoch whose blocks have the dealing.
        epoch: Epoch,
        /// The receipt.
        receipt: Receipt,
    },
}

/// Bytes in front of the bytes of a message: version, tag, epoch.
const HEAD: usize = 1 + 1 + 8;

/// The tag of [`Envelope::Message`].
const MESSAGE: u8 = 0;

/// The facts in the first bytes of an envelope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opened {
    /// The bytes of a message of this epoch follow.
    Message(Epoch),
    /// Something else, or nothing that can be read.
    Other,
}

/// Reads the first bytes of an envelope.
pub(super) fn open(bytes: &[u8]) -> Opened {
    let head = bytes.first_chunk::<HEAD>().filter(|head| head[..2] == [VERSION, MESSAGE]);
    let Some([_, _, epoch @ ..]) = head else { return Opened::Other };
    Opened::Message(Epoch(u64::from_be_bytes(*epoch)))
}

/// The bytes of the message in an envelope that [`open`] has found one in.
pub(super) fn take_message(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.drain(..HEAD.min(bytes.len()));
    bytes
}

impl<R: Encode> Encode for Envelope<R> {
    fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Envelope::Message { epoch, message } => {
                bytes.push(MESSAGE);
                epoch.encode(bytes);
                // With its own version, so that a participant of the epoch reads it as it is.
                bytes.extend(wire::encode(message));
            }
            Envelope::Handoff(handoff) => {
                bytes.push(1);
                handoff.encode(bytes);
            }
            Envelope::LinksRequest { after } => {
                bytes.push(2);
                after.encode(bytes);
            }
            Envelope::Links(links) => {
                bytes.push(3);
                // At most MAX_LINKS_AT_ONCE.
                bytes.push(links.len() as u8);
                links.iter().for_each(|link| link.encode(bytes));
            }
            Envelope::Item { epoch, item } => {
                bytes.push(4);
                epoch.encode(bytes);
                item.encode(bytes);
            }
            Envelope::Receipt { epoch, receipt } => {
                bytes.push(5);
                epoch.encode(bytes);
                bytes.extend(receipt.encode());
            }
        }
    }
}

impl<R: Decode> Decode for Envelope<R> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match reader.byte("kind of envelope")? {
            MESSAGE => {
                let epoch = Epoch::decode(reader)?;
                match reader.byte("version")? {
                    VERSION => {}
                    found => return Err(WireError::UnknownVersion { found, supported: VERSION }),
                }
                Envelope::Message { epoch, message: Message::decode(reader)? }
            }
            1 => Envelope::Handoff(Decode::decode(reader)?),
            2 => Envelope::LinksRequest { after: Epoch::decode(reader)? },
            3 => {
                let length = reader.length::<1>("links", MAX_LINKS_AT_ONCE)?;
                if length == 0 {
                    return Err(WireError::Empty { field: "links" });
                }
                Envelope::Links((0..length).map(|_| Arc::decode(reader)).collect::<Result<_, _>>()?)
            }
            4 => Envelope::Item { epoch: Epoch::decode(reader)?, item: Decode::decode(reader)? },
            5 => {
                let epoch = Epoch::decode(reader)?;
                let (bytes, _) = reader.bytes("receipt", Receipt::BYTES)?.as_chunks();
                let bytes = bytes.first().ok_or(WireError::Empty { field: "receipt" })?;
                Envelope::Receipt { epoch, receipt: Receipt::decode(bytes) }
            }
            found => return Err(WireError::UnknownTag { field: "kind of envelope", found }),
        })
    }
}
