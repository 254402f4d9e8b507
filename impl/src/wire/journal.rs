//! The journal of a participant in a key generation.

use super::{Decode, Encode, Reader, WireError};
use crate::block::Digest;
use crate::committee::MinerId;
use crate::crypto::dkg::Attempt;
use crate::epochs::item::ItemKind;
use crate::epochs::key_generation::{Entry, Secret};

impl Encode for Entry {
    fn encode(&self, bytes: &mut Vec<u8>) {
        let mut begin = |kind: u8| {
            bytes.push(kind);
            bytes.extend_from_slice(&self.attempt().0.to_be_bytes());
        };
        match self {
            Entry::Secrets { encryption, seed, .. } => {
                begin(0);
                bytes.extend_from_slice(encryption.bytes());
                bytes.extend_from_slice(seed.bytes());
            }
            Entry::Share { dealer, dealing, share, .. } => {
                begin(1);
                dealer.encode(bytes);
                bytes.extend_from_slice(&dealing.0);
                bytes.extend_from_slice(share.bytes());
            }
            Entry::Settlement { settlement, .. } => {
                begin(2);
                // At most `ItemKind::max_bytes`.
                bytes.extend_from_slice(&(settlement.len() as u32).to_be_bytes());
                bytes.extend_from_slice(settlement);
            }
            Entry::KeyShare { record, share, .. } => {
                begin(3);
                bytes.extend_from_slice(&record.0);
                bytes.extend_from_slice(share.bytes());
            }
        }
    }
}

impl Decode for Entry {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let field = "entry of a journal";
        let kind = reader.byte(field)?;
        let attempt = Attempt(u32::from_be_bytes(reader.array("attempt")?));
        let secret = |reader: &mut Reader<'_>| reader.array("secret").map(Secret::new);
        match kind {
            0 => Ok(Entry::Secrets { attempt, encryption: secret(reader)?, seed: secret(reader)? }),
            1 => Ok(Entry::Share {
                attempt,
                dealer: MinerId::decode(reader)?,
                dealing: Digest(reader.array("digest")?),
                share: secret(reader)?,
            }),
            2 => {
                let length = reader.length::<4>("settlement", ItemKind::Settlement.max_bytes())?;
                let settlement = reader.bytes("settlement", length)?.to_vec();
                Ok(Entry::Settlement { attempt, settlement })
            }
            3 => Ok(Entry::KeyShare {
                attempt,
                record: Digest(reader.array("digest")?),
                share: secret(reader)?,
            }),
            found => Err(WireError::UnknownTag { field, found }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{seal, unseal};
    use super::*;

    #[test]
    fn every_entry_reads_back_and_a_damaged_one_does_not() {
        let (attempt, secret) = (Attempt(3), || Secret::new([7; 32]));
        let entries = [
            Entry::Secrets { attempt, encryption: secret(), seed: Secret::new([8; 32]) },
            Entry::Share { attempt, dealer: MinerId(9), dealing: Digest([1; 32]), share: secret() },
            Entry::Settlement { attempt, settlement: vec![1, 2, 3] },
            Entry::KeyShare { attempt, record: Digest([2; 32]), share: secret() },
        ];
        for entry in entries {
            let mut bytes = seal(&entry);
            assert_eq!(unseal(&bytes), Ok(entry.clone()));
            bytes[5] ^= 1;
            assert_eq!(unseal::<Entry>(&bytes), Err(WireError::Checksum));
            assert!(!format!("{entry:?}").contains("7, 7"), "secrets are not shown");
        }
    }
}
