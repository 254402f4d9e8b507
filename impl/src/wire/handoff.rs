//! Headers and handoff certificates.

use super::{Decode, Encode, Reader, WireError};
use crate::block::{BlockId, Closing, Digest, Header};
use crate::committee::{ChainId, Epoch, MinerId, Round, Subround};
use crate::crypto::scheme::BeaconValue;
use crate::epochs::handoff::HandoffCertificate;

impl Encode for Header {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.chain.encode(bytes);
        self.epoch.encode(bytes);
        self.round.encode(bytes);
        self.subround.encode(bytes);
        self.generator.encode(bytes);
        self.parent.encode(bytes);
        self.parent_certificate.encode(bytes);
        self.final_round.encode(bytes);
        self.finality_certificate.encode(bytes);
        self.beacon.encode(bytes);
        self.payload_root.encode(bytes);
        self.closing.encode(bytes);
        self.items_root.encode(bytes);
        self.time.encode(bytes);
    }
}

impl Decode for Header {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            chain: ChainId::decode(reader)?,
            epoch: Epoch::decode(reader)?,
            round: Round::decode(reader)?,
            subround: Subround::decode(reader)?,
            generator: MinerId::decode(reader)?,
            parent: BlockId::decode(reader)?,
            parent_certificate: Digest::decode(reader)?,
            final_round: Round::decode(reader)?,
            finality_certificate: Digest::decode(reader)?,
            beacon: BeaconValue::decode(reader)?,
            payload_root: Digest::decode(reader)?,
            closing: Closing::decode(reader)?,
            items_root: Digest::decode(reader)?,
            time: Decode::decode(reader)?,
        })
    }
}

impl Encode for HandoffCertificate {
    fn encode(&self, bytes: &mut Vec<u8>) {
        self.header().encode(bytes);
        self.finality().encode(bytes);
    }
}

impl Decode for HandoffCertificate {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let (header, finality) = (Header::decode(reader)?, Decode::decode(reader)?);
        Self::new(header, finality).map_err(|reason| WireError::Handoff { reason })
    }
}
