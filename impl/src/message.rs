//! The messages of the participants. Large parts are shared, so that a message is cheap to clone.

use std::sync::Arc;

use crate::block::{Block, BlockId};
use crate::certified::{FinalityCertificate, Notarization, TimeoutCertificate};
use crate::committee::{MinerId, Peer, Round};
use crate::crypto::scheme::{Beacon, Sign, Signature};
use crate::crypto::uncompressed::UncompressedSignature;
use crate::evidence::Evidence;
use crate::statement::{BeaconTarget, FinalityVote, Proposed, Signed, Ticket, Timeout};

/// A message; nothing in it is verified.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message {
    /// Step 1.
    BeaconShare(BeaconShare),
    /// Step 2.
    Proposal(Proposal),
    /// Step 5.
    Ticket(Signed<Ticket>),
    /// Step 5, in the form that is quicker to read. Means the same as [`Message::Ticket`].
    UncompressedTicket(UncompressedTicket),
    /// Step 7.
    Notarization(Arc<Notarization>),
    /// Step 9.
    Timeout(Signed<Timeout>),
    /// Step 9.
    TimeoutCertificate(Arc<TimeoutCertificate>),
    /// Step 8.
    FinalityVote(Signed<FinalityVote>),
    /// Step 10.
    FinalityCertificate(Arc<FinalityCertificate>),
    /// Two signatures of one miner that no honest miner makes (S10).
    Evidence(Arc<Evidence>),
    /// "What follows my finalized head?" (L4, L5).
    ChainRequest(ChainRequest),
    /// An answer to it.
    ChainResponse(Arc<ChainResponse>),
}

/// Names the kinds once: for the enum, its list, and the kind of a message.
macro_rules! kinds {
    ($($kind:ident),* $(,)?) => {
        /// The kind and form of a message.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum MessageKind {
            $(
                #[doc = concat!("See [`Message::", stringify!($kind), "`].")]
                $kind,
            )*
        }

        impl MessageKind {
            /// Every kind. A test that asks something of each of them walks this list.
            pub const ALL: &[MessageKind] = &[$(MessageKind::$kind),*];
        }

        impl Message {
            /// Its kind.
            #[must_use]
            pub const fn kind(&self) -> MessageKind {
                match self {
                    $(Message::$kind(_) => MessageKind::$kind,)*
                }
            }
        }
    };
}

// A variant of `Message` that is missing here does not compile.
kinds! {
    BeaconShare,
    Proposal,
    Ticket,
    UncompressedTicket,
    Notarization,
    Timeout,
    TimeoutCertificate,
    FinalityVote,
    FinalityCertificate,
    Evidence,
    ChainRequest,
    ChainResponse,
}

impl Message {
    /// A ticket, with both coordinates of its signature where they are given.
    #[must_use]
    pub fn ticket(ticket: Signed<Ticket>, coordinates: Option<UncompressedSignature>) -> Self {
        let Signed { statement, signer, .. } = ticket;
        match coordinates.filter(|signature| signature.compressed() == ticket.signature) {
            Some(signature) => {
                Message::UncompressedTicket(UncompressedTicket { statement, signer, signature })
            }
            None => Message::Ticket(ticket),
        }
    }

    /// Whether an honest participant ever sends this message from `peer`: the link says who the sender is, so this is known
    /// before any signature is looked at.
    ///
    /// A statement of one miner comes from that miner and nobody else. A block, too, is sent by its generator only; others get
    /// it in a [`ChainResponse`]. Certificates and evidence are relayed, by every miner that has verified them. A sharder asks
    /// for blocks and serves them, and says nothing else.
    #[must_use]
    pub fn may_come_from(&self, peer: Peer) -> bool {
        let signer = match self {
            Message::BeaconShare(share) => share.signer,
            Message::Proposal(proposal) => proposal.block.header().generator,
            Message::Ticket(ticket) => ticket.signer,
            Message::UncompressedTicket(ticket) => ticket.signer,
            Message::Timeout(timeout) => timeout.signer,
            Message::FinalityVote(vote) => vote.signer,
            Message::Notarization(_)
            | Message::TimeoutCertificate(_)
            | Message::FinalityCertificate(_)
            | Message::Evidence(_) => return matches!(peer, Peer::Miner(_)),
            Message::ChainRequest(_) | Message::ChainResponse(_) => return true,
        };
        peer == Peer::Miner(signer)
    }

    /// The same message with every signature in 48 bytes.
    #[must_use]
    pub fn compressed(self) -> Self {
        match self {
            Message::UncompressedTicket(ticket) => Message::Ticket(ticket.signed()),
            other => other,
        }
    }
}

/// A ticket whose signature has both coordinates; that it is a point of the curve was checked when it was read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct UncompressedTicket {
    /// The ticket.
    pub statement: Ticket,
    /// The signer.
    pub signer: MinerId,
    /// The signature.
    pub signature: UncompressedSignature,
}

impl UncompressedTicket {
    /// The same ticket with a signature of 48 bytes: as it is compared and kept.
    #[must_use]
    pub const fn signed(&self) -> Signed<Ticket> {
        Signed { statement: self.statement, signer: self.signer, signature: self.signature.compressed() }
    }
}

/// A miner's share of the beacon value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BeaconShare {
    /// The target that the beacon signs.
    pub target: BeaconTarget,
    /// Whose share it is.
    pub signer: MinerId,
    /// The share.
    pub share: Signature,
}

impl BeaconShare {
    /// The scheme's share. `None` for an observer.
    pub fn sign<S: Sign + Beacon>(
        target: BeaconTarget,
        committee: &crate::committee::Committee,
        scheme: &S,
    ) -> Option<Self> {
        let share = scheme.beacon_share(&target.preimage(committee))?;
        Some(Self { target, signer: scheme.me()?, share })
    }
}

/// A generator's block with what entitles it to this (round, subround).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Proposal {
    /// The block; its parent's certificate is inside.
    pub block: Arc<Block>,
    /// The timeout certificate of the subround before, when there is one and the rules ask for it.
    pub timeout_certificate: Option<Arc<TimeoutCertificate>>,
    /// The generator's signature over [`Proposed`].
    pub signature: Signature,
}

impl Proposal {
    /// The statement that the generator signed, with its signature.
    #[must_use]
    pub fn signed(&self) -> Signed<Proposed> {
        let header = self.block.header();
        Signed {
            statement: Proposed { round: header.round, subround: header.subround, block: self.block.id() },
            signer: header.generator,
            signature: self.signature,
        }
    }
}

/// Asks for the blocks that follow a final block.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ChainRequest {
    /// The asker has a block of this round, and wants those above it.
    pub after: Round,
    /// The block that the chain should lead to; `None`: to what is final.
    pub tip: Option<BlockId>,
}

/// A piece of the chain: consecutive blocks, lowest first, and a certificate for the last of them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ChainResponse {
    /// The blocks; at least one, at most [`MAX_CHAIN_BLOCKS`](crate::limits::MAX_CHAIN_BLOCKS).
    pub blocks: Vec<Arc<Block>>,
    /// Proof that the last block is notarized; with it all of them are, through their parent certificates.
    pub notarization: Arc<Notarization>,
    /// Proof that one of the blocks is final, where the responder has one.
    pub finality: Option<Arc<FinalityCertificate>>,
}
