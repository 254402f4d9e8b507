//! Why a message was refused, and whether that proves its sender faulty.

use thiserror::Error;

use crate::block::Closing;
use crate::chain::ChainResponseError;
use crate::committee::{MinerId, Round};
use crate::crypto::certificate::CertificateError;
use crate::evidence::EvidenceError;
use crate::wire::WireError;

/// Why a message was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The bytes are no message.
    #[error("malformed: {0}")]
    Malformed(#[from] WireError),
    /// The peer is no participant.
    #[error("not a participant")]
    Stranger,
    /// An honest peer sends no such message: see [`Message::may_come_from`](crate::message::Message::may_come_from).
    #[error("a statement of another participant")]
    NotItsSender,
    /// A signature is not its signer's.
    #[error("wrong signature of {0}")]
    WrongSignature(MinerId),
    /// A certificate proves nothing.
    #[error("wrong certificate: {0}")]
    Certificate(#[from] CertificateError),
    /// A beacon share signs what the rules do not ask for.
    #[error("a beacon share for another beacon rule")]
    OtherBeaconRule,
    /// A proposal cannot become a candidate.
    #[error("proposal: {0}")]
    Proposal(#[from] ProposalError),
    /// Evidence convicts nobody.
    #[error("evidence: {0}")]
    Evidence(#[from] EvidenceError),
    /// An answer is no piece of the chain.
    #[error("chain: {0}")]
    Chain(#[from] ChainResponseError),
}

impl Refusal {
    /// Whether an honest peer with the same rules never sends what is refused so, whatever it and this participant know.
    ///
    /// An honest miner relays no certificate, block or evidence that it has not verified itself, and makes no statement in
    /// another's name. So a wrong signature or certificate is the fault of the sender, though not of those whom it names.
    #[must_use]
    pub const fn proves_sender_faulty(&self) -> bool {
        match self {
            // Every participant of one version writes what every other can read.
            Refusal::Malformed(_) => true,
            // Nobody counts the faults of strangers.
            Refusal::Stranger => false,
            Refusal::NotItsSender => true,
            // A message with a single signature comes from its signer.
            Refusal::WrongSignature(_) => true,
            Refusal::Certificate(error) => certificate_proves(error),
            // The rules are the same for all.
            Refusal::OtherBeaconRule => true,
            Refusal::Proposal(error) => error.proves_sender_faulty(),
            Refusal::Evidence(error) => match error {
                EvidenceError::DifferentSigners { .. }
                | EvidenceError::NoContradiction
                | EvidenceError::WrongSignature(_) => true,
                EvidenceError::Certificate(error) => certificate_proves(error),
            },
            Refusal::Chain(error) => match error {
                // The peer may be in another epoch.
                ChainResponseError::Foreign(_) => false,
                ChainResponseError::Length(_)
                | ChainResponseError::Broken(_)
                | ChainResponseError::OtherBeacon(_)
                | ChainResponseError::OtherTip => true,
            },
        }
    }
}

/// A certificate that does not verify is one that its sender has not verified.
const fn certificate_proves(error: &CertificateError) -> bool {
    match error {
        CertificateError::Signers(_)
        | CertificateError::SubQuorum { .. }
        | CertificateError::NotAggregable
        | CertificateError::DoesNotVerify => true,
        // The committee of another epoch may have another size.
        CertificateError::OtherCommittee { .. } => false,
    }
}

/// Why a proposal cannot become a candidate (step 4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// It belongs to another chain or epoch.
    #[error("the block belongs to another chain or epoch")]
    Foreign,
    /// Its generator is no member, or it has no parent.
    #[error("the block has no possible generator or parent")]
    Impossible,
    /// Its payload is too large.
    #[error("a payload of {0} bytes")]
    PayloadTooLarge(usize),
    /// Its epoch items are too large.
    #[error("epoch items of {0} bytes")]
    ItemsTooLarge(usize),
    /// It brings epoch items or closes the epoch, and epochs do not end here.
    #[error("the block brings epoch items or closes its epoch, and config.hands_over is false")]
    NoHandover,
    /// It says otherwise of the end of the epoch than its parent and its epoch items do.
    #[error("the block says {found:?} of the end of its epoch, and its parent and epoch items say otherwise")]
    WrongClosing {
        /// What it says.
        found: Closing,
    },
    /// It is in the tail of the epoch, and has a payload or epoch items.
    #[error("a payload or epoch items in a block above the closing block of its epoch")]
    TailNotEmpty,
    /// It carries no certificate of its parent for exactly the round before (S3).
    #[error("the parent is not shown to be notarized in the round before")]
    ParentNotNotarized,
    /// The parent's certificate is labelled otherwise than the parent.
    #[error("the parent's certificate names another round or subround than the parent")]
    WrongLabel,
    /// It names a block of its own round or a later one as final.
    #[error("the block names one of round {named} as final, which is not below its own round")]
    FinalityNotBefore {
        /// The round that it names.
        named: Round,
    },
    /// It names a lower final block than its parent does.
    #[error("the block names one of round {named} as final, its parent one of round {parent}")]
    FinalityFalls {
        /// The round that it names.
        named: Round,
        /// The round that its parent names.
        parent: Round,
    },
    /// It carries a finality certificate, and there are none under these rules.
    #[error("the block carries a finality certificate, and finality takes no votes here")]
    FinalityWithoutVotes,
    /// It has a payload, and is too far above the block that it names as final.
    #[error(
        "a payload or epoch items in a block more than {bound} rounds above the one that it names as final, of round {named}"
    )]
    PayloadBeyond {
        /// The round that it names.
        named: Round,
        /// How many rounds above it may have a payload.
        bound: u64,
    },
    /// The timeout certificate of the subround before is missing or of another subround.
    #[error("no timeout certificate of the subround before")]
    NoTimeoutCertificate,
    /// Its beacon value is not the committee's.
    #[error("the beacon value is not the committee's")]
    WrongBeacon,
    /// Its generator has no turn in this subround (S4).
    #[error("the generator's rank {rank} is not below {generators}")]
    NotEligible {
        /// The rank.
        rank: u16,
        /// How many generators there are.
        generators: u16,
    },
    /// Its time is too far in the future.
    #[error("the block's time is too far in the future")]
    Early,
}

impl ProposalError {
    /// See [`Refusal::proves_sender_faulty`]; the sender of a proposal is its generator.
    #[must_use]
    pub const fn proves_sender_faulty(&self) -> bool {
        match self {
            // The generator may be in another epoch, see another parent under the same certificate, or have a faster clock.
            ProposalError::Foreign | ProposalError::WrongLabel | ProposalError::Early => false,
            // The block shows it by itself.
            ProposalError::Impossible
            | ProposalError::PayloadTooLarge(_)
            | ProposalError::ItemsTooLarge(_)
            | ProposalError::ParentNotNotarized
            | ProposalError::NoTimeoutCertificate
            | ProposalError::FinalityNotBefore { .. } => true,
            // The rules are the same for all.
            ProposalError::FinalityWithoutVotes | ProposalError::PayloadBeyond { .. } => true,
            ProposalError::NoHandover => true,
            // The generator knows the parent, whose id commits to the round that it names, and to the closing block.
            ProposalError::FinalityFalls { .. }
            | ProposalError::WrongClosing { .. }
            | ProposalError::TailNotEmpty => true,
            // There is one beacon value of a target, and one order that follows from it.
            ProposalError::WrongBeacon | ProposalError::NotEligible { .. } => true,
        }
    }
}
