//! The facts that the first bytes of a message tell, before the rest is decoded and hashed.

use super::chain::HIGHEST_KIND;
use super::{Reader, VERSION};
use crate::committee::{ChainId, Epoch, MinerId, Round, Subround};
use crate::crypto::scheme::Signature;
use crate::wire::Decode;

/// The kind of a message, and the first fields of a proposal: the part that is read without work. Small messages
/// between miners are not distinguished.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Glance {
    /// A block of this chain and epoch, round, subround and generator. The signature is the last field of the message.
    Proposal {
        chain: ChainId,
        epoch: Epoch,
        round: Round,
        subround: Subround,
        generator: MinerId,
        signature: Signature,
    },
    /// Blocks that were asked for, or not.
    ChainResponse,
    /// Messages that sharders accept beside answers.
    Notarization,
    FinalityCertificate,
    ChainRequest,
    /// The rest is between miners, and small.
    BetweenMiners,
}

/// A glance at a message. `None` when not even that can be read: decoding will say why.
pub(crate) fn glance(bytes: &[u8]) -> Option<Glance> {
    let mut reader = Reader::new(bytes);
    if reader.byte("version").ok()? != VERSION {
        return None;
    }
    Some(match reader.byte("kind of message").ok()? {
        1 => {
            let chain = ChainId::decode(&mut reader).ok()?;
            let epoch = Epoch::decode(&mut reader).ok()?;
            let round = Round::decode(&mut reader).ok()?;
            let subround = Subround::decode(&mut reader).ok()?;
            let generator = MinerId::decode(&mut reader).ok()?;
            let signature = Signature(*bytes.last_chunk()?);
            Glance::Proposal { chain, epoch, round, subround, generator, signature }
        }
        3 => Glance::Notarization,
        7 => Glance::FinalityCertificate,
        9 => Glance::ChainRequest,
        10 => Glance::ChainResponse,
        0..=HIGHEST_KIND => Glance::BetweenMiners,
        _ => return None,
    })
}
