//! Blocks, evidence, messages, and what is stored for a restart.

use std::sync::Arc;

use super::items::{decode_option, decode_ticket, encode_option};
use super::{Decode, Encode, Reader, WireError};
use crate::block::{Block, BlockContent, BlockId, Closing, Digest};
use crate::chain::FinalBlock;
use crate::committee::{ChainId, Epoch, MinerId, Round, Subround};
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::evidence::Evidence;
use crate::limits::{MAX_CHAIN_BLOCKS, MAX_EPOCH_ITEMS_BYTES, MAX_PAYLOAD_BYTES};
use crate::message::{BeaconShare, ChainRequest, ChainResponse, Message, Proposal};
use crate::miner::Stored;

impl Encode for Closing {
    fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Closing::Open => bytes.push(0),
            Closing::Closes { record } => {
                bytes.push(1);
                record.encode(bytes);
            }
            Closing::Tail { round, block, record } => {
                bytes.push(2);
                round.encode(bytes);
                block.encode(bytes);
                record.encode(bytes);
            }
        }
    }
}

impl Decode for Closing {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match reader.byte("closing")? {
            0 => Closing::Open,
            1 => Closing::Closes { record: Digest::decode(reader)? },
            2 => Closing::Tail {
                round: Round::decode(reader)?,
                block: BlockId::decode(reader)?,
                record: Digest::decode(reader)?,
            },
            found => return Err(WireError::UnknownTag { field: "closing", found }),
        })
    }
}

/// Everything of a block but its payload and the epoch items.
fn encode_head(block: &Block, bytes: &mut Vec<u8>) {
    let header = block.header();
    header.chain.encode(bytes);
    header.epoch.encode(bytes);
    header.round.encode(bytes);
    header.subround.encode(bytes);
    header.generator.encode(bytes);
    header.parent.encode(bytes);
    encode_option(block.parent_notarization(), bytes);
    encode_option(block.finality(), bytes);
    header.beacon.encode(bytes);
    block.beacon_signature().encode(bytes);
    header.time.encode(bytes);
    header.closing.encode(bytes);
}

impl Encode for Block {
    fn encode(&self, bytes: &mut Vec<u8>) {
        encode_head(self, bytes);
        for content in [self.items(), self.payload()] {
            // Below 4 GiB: see `limits`.
            bytes.extend_from_slice(&(content.len() as u32).to_be_bytes());
            bytes.extend_from_slice(content);
        }
    }
}

/// How many bytes [`encode`](super::encode) makes of a request.
pub(crate) fn length_of_request(request: &ChainRequest) -> usize {
    // Version, kind of message.
    2 + super::body(request).len()
}

/// How many bytes a block takes. Costs nothing for its payload.
pub(crate) fn length_of_block(block: &Block) -> usize {
    let mut head = Vec::new();
    encode_head(block, &mut head);
    // With two lengths.
    head.len() + 8 + block.content_bytes()
}

/// How many bytes [`encode`](super::encode) makes of an answer. Costs nothing for its payloads.
pub(crate) fn length_of_response(response: &ChainResponse) -> usize {
    // Version, kind of message, number of blocks.
    let mut rest = vec![0; 3];
    let blocks: usize = response.blocks.iter().map(|block| length_of_block(block)).sum();
    response.notarization.encode(&mut rest);
    encode_option(response.finality.as_ref(), &mut rest);
    rest.len() + blocks
}

impl Decode for Block {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Block::new(BlockContent {
            chain: ChainId::decode(reader)?,
            epoch: Epoch::decode(reader)?,
            round: Round::decode(reader)?,
            subround: Subround::decode(reader)?,
            generator: MinerId::decode(reader)?,
            parent: BlockId::decode(reader)?,
            parent_notarization: decode_option(reader, "parent certificate flag")?,
            finality: decode_option(reader, "final block flag")?,
            beacon: BeaconValue::decode(reader)?,
            beacon_signature: Signature::decode(reader)?,
            time: Decode::decode(reader)?,
            closing: Closing::decode(reader)?,
            items: {
                let length = reader.length::<4>("epoch items", MAX_EPOCH_ITEMS_BYTES)?;
                reader.bytes("epoch items", length)?.to_vec()
            },
            payload: {
                let length = reader.length::<4>("payload", MAX_PAYLOAD_BYTES)?;
                reader.bytes("payload", length)?.to_vec()
            },
        }))
    }
}

impl Encode for BeaconShare {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.target.encode(bytes);
        self.signer.encode(bytes);
        self.share.encode(bytes);
    }
}

impl Decode for BeaconShare {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            target: Decode::decode(reader)?,
            signer: Decode::decode(reader)?,
            share: Decode::decode(reader)?,
        })
    }
}

impl Encode for Proposal {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.block.encode(bytes);
        encode_option(self.timeout_certificate.as_ref(), bytes);
        self.signature.encode(bytes);
    }
}

impl Decode for Proposal {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            block: Decode::decode(reader)?,
            timeout_certificate: decode_option(reader, "timeout certificate flag")?,
            signature: Decode::decode(reader)?,
        })
    }
}

impl Encode for Evidence {
    fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Evidence::Proposals { first, second } => {
                bytes.push(0);
                first.encode(bytes);
                second.encode(bytes);
            }
            Evidence::Tickets { first, second } => {
                bytes.push(1);
                first.encode(bytes);
                second.encode(bytes);
            }
            Evidence::FinalityVotes { first, second } => {
                bytes.push(2);
                first.encode(bytes);
                second.encode(bytes);
            }
            Evidence::TicketAgainstVote { ticket, vote } => {
                bytes.push(3);
                ticket.encode(bytes);
                vote.encode(bytes);
            }
            Evidence::Notarizations { first, second } => {
                bytes.push(4);
                first.encode(bytes);
                second.encode(bytes);
            }
            Evidence::NotarizationAgainstFinality { notarization, finality } => {
                bytes.push(5);
                notarization.encode(bytes);
                finality.encode(bytes);
            }
            Evidence::FinalityCertificates { first, second } => {
                bytes.push(6);
                first.encode(bytes);
                second.encode(bytes);
            }
        }
    }
}

impl Decode for Evidence {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let evidence = match reader.byte("kind of evidence")? {
            0 => Evidence::Proposals { first: Decode::decode(reader)?, second: Decode::decode(reader)? },
            1 => Evidence::Tickets { first: Decode::decode(reader)?, second: Decode::decode(reader)? },
            2 => Evidence::FinalityVotes { first: Decode::decode(reader)?, second: Decode::decode(reader)? },
            3 => {
                Evidence::TicketAgainstVote { ticket: Decode::decode(reader)?, vote: Decode::decode(reader)? }
            }
            4 => Evidence::Notarizations { first: Decode::decode(reader)?, second: Decode::decode(reader)? },
            5 => Evidence::NotarizationAgainstFinality {
                notarization: Decode::decode(reader)?,
                finality: Decode::decode(reader)?,
            },
            6 => Evidence::FinalityCertificates {
                first: Decode::decode(reader)?,
                second: Decode::decode(reader)?,
            },
            found => return Err(WireError::UnknownTag { field: "kind of evidence", found }),
        };
        // One offence has one encoding.
        evidence.is_canonical().then_some(evidence).ok_or(WireError::Order { field: "evidence" })
    }
}

impl Encode for Stored {
    fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Stored::Block(block) => {
                bytes.push(0);
                block.encode(bytes);
            }
            Stored::Notarization(certificate) => {
                bytes.push(1);
                certificate.encode(bytes);
            }
            Stored::TimeoutCertificate(certificate) => {
                bytes.push(2);
                certificate.encode(bytes);
            }
            Stored::FinalityCertificate(certificate) => {
                bytes.push(3);
                certificate.encode(bytes);
            }
        }
    }
}

impl Decode for Stored {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match reader.byte("kind of what is stored")? {
            0 => Stored::Block(Decode::decode(reader)?),
            1 => Stored::Notarization(Decode::decode(reader)?),
            2 => Stored::TimeoutCertificate(Decode::decode(reader)?),
            3 => Stored::FinalityCertificate(Decode::decode(reader)?),
            found => return Err(WireError::UnknownTag { field: "kind of what is stored", found }),
        })
    }
}

impl Encode for FinalBlock {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.block.encode(bytes);
        encode_option(self.notarization.as_ref(), bytes);
    }
}

impl Decode for FinalBlock {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self { block: Decode::decode(reader)?, notarization: decode_option(reader, "notarization flag")? })
    }
}

impl Encode for ChainRequest {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.after.encode(bytes);
        encode_option(self.tip.as_ref(), bytes);
    }
}

impl Decode for ChainRequest {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self { after: Decode::decode(reader)?, tip: decode_option(reader, "tip flag")? })
    }
}

impl Encode for ChainResponse {
    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.blocks.len() as u8);
        for block in &self.blocks {
            block.encode(bytes);
        }
        self.notarization.encode(bytes);
        encode_option(self.finality.as_ref(), bytes);
    }
}

impl Decode for ChainResponse {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let length = reader.length::<1>("blocks", MAX_CHAIN_BLOCKS)?;
        if length == 0 {
            return Err(WireError::Empty { field: "blocks" });
        }
        let blocks = (0..length).map(|_| Arc::<Block>::decode(reader)).collect::<Result<_, _>>()?;
        Ok(Self {
            blocks,
            notarization: Decode::decode(reader)?,
            finality: decode_option(reader, "finality certificate flag")?,
        })
    }
}

impl Encode for Message {
    fn encode(&self, bytes: &mut Vec<u8>) {
        match self {
            Message::BeaconShare(share) => {
                bytes.push(0);
                share.encode(bytes);
            }
            Message::Proposal(proposal) => {
                bytes.push(1);
                proposal.encode(bytes);
            }
            Message::Ticket(ticket) => {
                bytes.push(2);
                ticket.encode(bytes);
            }
            Message::UncompressedTicket(ticket) => {
                bytes.push(2);
                ticket.encode(bytes);
            }
            Message::Notarization(notarization) => {
                bytes.push(3);
                notarization.encode(bytes);
            }
            Message::Timeout(timeout) => {
                bytes.push(4);
                timeout.encode(bytes);
            }
            Message::TimeoutCertificate(certificate) => {
                bytes.push(5);
                certificate.encode(bytes);
            }
            Message::FinalityVote(vote) => {
                bytes.push(6);
                vote.encode(bytes);
            }
            Message::FinalityCertificate(certificate) => {
                bytes.push(7);
                certificate.encode(bytes);
            }
            Message::Evidence(evidence) => {
                bytes.push(8);
                evidence.encode(bytes);
            }
            Message::ChainRequest(request) => {
                bytes.push(9);
                request.encode(bytes);
            }
            Message::ChainResponse(response) => {
                bytes.push(10);
                response.encode(bytes);
            }
        }
    }
}

/// The highest number of a kind of message.
pub(super) const HIGHEST_KIND: u8 = 10;

impl Decode for Message {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match reader.byte("kind of message")? {
            0 => Message::BeaconShare(Decode::decode(reader)?),
            1 => Message::Proposal(Decode::decode(reader)?),
            2 => decode_ticket(reader)?,
            3 => Message::Notarization(Decode::decode(reader)?),
            4 => Message::Timeout(Decode::decode(reader)?),
            5 => Message::TimeoutCertificate(Decode::decode(reader)?),
            6 => Message::FinalityVote(Decode::decode(reader)?),
            7 => Message::FinalityCertificate(Decode::decode(reader)?),
            8 => Message::Evidence(Decode::decode(reader)?),
            9 => Message::ChainRequest(Decode::decode(reader)?),
            10 => Message::ChainResponse(Decode::decode(reader)?),
            found => return Err(WireError::UnknownTag { field: "kind of message", found }),
        })
    }
}
