//! The content of messages, read in one place: a new kind does not compile until it is named in [`said`], and a ticket is a ticket in both
//! of its forms. Those who watch or imitate a miner match on [`Said`], which grows only with a new kind of statement.

use std::sync::Arc;

use zus_bpp::certified::{FinalityCertificate, Notarization, TimeoutCertificate};
use zus_bpp::committee::MinerId;
use zus_bpp::crypto::mock_scheme;
use zus_bpp::crypto::scheme::Signature;
use zus_bpp::crypto::uncompressed::UncompressedSignature;
use zus_bpp::evidence::Evidence;
use zus_bpp::message::{BeaconShare, ChainResponse, Message, Proposal};
use zus_bpp::statement::{FinalityVote, Signed, Ticket, Timeout};
use zus_bpp::ticket_log::LogRecord;

/// The content of a message.
#[derive(Clone, Debug)]
pub enum Said<'m> {
    /// A share of a beacon value.
    Share(&'m BeaconShare),
    /// A block of its generator.
    Proposal(&'m Proposal),
    /// A ticket, with a signature of 48 bytes, whichever form it came in.
    Ticket(Signed<Ticket>),
    /// A timeout.
    Timeout(Signed<Timeout>),
    /// A finality vote.
    Vote(Signed<FinalityVote>),
    /// `q` tickets.
    Notarization(&'m Arc<Notarization>),
    /// `q` timeouts.
    TimeoutCertificate(&'m Arc<TimeoutCertificate>),
    /// `q` finality votes.
    FinalityCertificate(&'m Arc<FinalityCertificate>),
    /// Proof of an offence.
    Evidence(&'m Evidence),
    /// Blocks that were asked for.
    Blocks(&'m ChainResponse),
    /// Nothing that anybody has signed.
    Unsigned,
}

/// The content of a message.
#[must_use]
pub fn said(message: &Message) -> Said<'_> {
    match message {
        Message::BeaconShare(share) => Said::Share(share),
        Message::Proposal(proposal) => Said::Proposal(proposal),
        Message::Ticket(ticket) => Said::Ticket(*ticket),
        Message::UncompressedTicket(ticket) => Said::Ticket(ticket.signed()),
        Message::Notarization(known) => Said::Notarization(known),
        Message::Timeout(timeout) => Said::Timeout(*timeout),
        Message::TimeoutCertificate(known) => Said::TimeoutCertificate(known),
        Message::FinalityVote(vote) => Said::Vote(*vote),
        Message::FinalityCertificate(known) => Said::FinalityCertificate(known),
        Message::Evidence(proof) => Said::Evidence(proof),
        Message::ChainResponse(response) => Said::Blocks(response),
        Message::ChainRequest(_) => Said::Unsigned,
    }
}

/// The signature of a statement of one member.
#[must_use]
pub fn signature_mut(message: &mut Message) -> Option<&mut Signature> {
    match message {
        Message::BeaconShare(share) => Some(&mut share.share),
        Message::Proposal(proposal) => Some(&mut proposal.signature),
        Message::Ticket(ticket) => Some(&mut ticket.signature),
        Message::Timeout(timeout) => Some(&mut timeout.signature),
        Message::FinalityVote(vote) => Some(&mut vote.signature),
        // Its signature is two coordinates: `Message::compressed` gives the other form.
        Message::UncompressedTicket(_)
        | Message::Notarization(_)
        | Message::TimeoutCertificate(_)
        | Message::FinalityCertificate(_)
        | Message::Evidence(_)
        | Message::ChainRequest(_)
        | Message::ChainResponse(_) => None,
    }
}

/// The aggregate of a certificate.
#[must_use]
pub fn aggregate_mut(message: &mut Message) -> Option<&mut Signature> {
    match message {
        Message::Notarization(known) => Some(&mut Arc::make_mut(known).certificate.aggregate),
        Message::TimeoutCertificate(known) => Some(&mut Arc::make_mut(known).certificate.aggregate),
        Message::FinalityCertificate(known) => Some(&mut Arc::make_mut(known).certificate.aggregate),
        Message::BeaconShare(_)
        | Message::Proposal(_)
        | Message::Ticket(_)
        | Message::UncompressedTicket(_)
        | Message::Timeout(_)
        | Message::FinalityVote(_)
        | Message::Evidence(_)
        | Message::ChainRequest(_)
        | Message::ChainResponse(_) => None,
    }
}

/// The ticket of a message, with a signature of 48 bytes, whichever form it came in.
#[must_use]
pub fn ticket_of(message: &Message) -> Option<Signed<Ticket>> {
    if let Said::Ticket(ticket) = said(message) { Some(ticket) } else { None }
}

/// A statement that is signed with an identity key: the record that the log of its signer must have before it leaves, its signer, and
/// the signature. The signer of a block is its generator.
fn statement(message: &Message) -> Option<(LogRecord, MinerId, Signature)> {
    match said(message) {
        Said::Proposal(Proposal { block, signature, .. }) => {
            let record = LogRecord::proposal(block.round(), block.subround(), block.id().0);
            Some((record, block.header().generator, *signature))
        }
        Said::Ticket(Signed { statement, signer, signature }) => {
            Some((LogRecord::from(statement), signer, signature))
        }
        Said::Timeout(Signed { statement, signer, signature }) => {
            Some((LogRecord::from(statement), signer, signature))
        }
        Said::Vote(Signed { statement, signer, signature }) => {
            Some((LogRecord::from(statement), signer, signature))
        }
        Said::Share(_)
        | Said::Notarization(_)
        | Said::TimeoutCertificate(_)
        | Said::FinalityCertificate(_)
        | Said::Evidence(_)
        | Said::Blocks(_)
        | Said::Unsigned => None,
    }
}

/// The record that the log of a miner must have before this message leaves, if it is signed with its identity key.
#[must_use]
pub fn record_of(message: &Message) -> Option<LogRecord> {
    statement(message).map(|(record, ..)| record)
}

/// The signer of a message that is signed with an identity key.
#[must_use]
pub fn signer_of(message: &Message) -> Option<MinerId> {
    statement(message).map(|(_, signer, _)| signer)
}

/// The signature of a message that is signed with an identity key.
#[must_use]
pub fn signature_of(message: &Message) -> Option<Signature> {
    statement(message).map(|(.., signature)| signature)
}

/// The record that a certificate certifies, if the message is one.
#[must_use]
pub fn certified_by(message: &Message) -> Option<LogRecord> {
    match said(message) {
        Said::Notarization(known) => Some(LogRecord::from(known.statement)),
        Said::TimeoutCertificate(known) => Some(LogRecord::from(known.statement)),
        Said::FinalityCertificate(known) => Some(LogRecord::from(known.statement)),
        Said::Share(_)
        | Said::Proposal(_)
        | Said::Ticket(_)
        | Said::Timeout(_)
        | Said::Vote(_)
        | Said::Evidence(_)
        | Said::Blocks(_)
        | Said::Unsigned => None,
    }
}

/// Kinds of messages, as a schedule names them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Step 1.
    BeaconShare,
    /// Step 2.
    Proposal,
    /// Step 5.
    Ticket,
    /// Step 7.
    Notarization,
    /// Step 9.
    Timeout,
    /// Step 9.
    TimeoutCertificate,
    /// Step 8.
    FinalityVote,
    /// Step 10.
    FinalityCertificate,
    /// Proof of an offence.
    Evidence,
    /// Catching up.
    Chain,
    /// Bytes.
    Bytes,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 11] = [
        Kind::BeaconShare,
        Kind::Proposal,
        Kind::Ticket,
        Kind::Notarization,
        Kind::Timeout,
        Kind::TimeoutCertificate,
        Kind::FinalityVote,
        Kind::FinalityCertificate,
        Kind::Evidence,
        Kind::Chain,
        Kind::Bytes,
    ];

    /// The kind of a message. A new one takes the place of another in schedules: [`Kind::ALL`] is how they name them.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        match message {
            Message::BeaconShare(_) => Kind::BeaconShare,
            Message::Proposal(_) => Kind::Proposal,
            Message::Ticket(_) | Message::UncompressedTicket(_) => Kind::Ticket,
            Message::Notarization(_) => Kind::Notarization,
            Message::Timeout(_) => Kind::Timeout,
            Message::TimeoutCertificate(_) => Kind::TimeoutCertificate,
            Message::FinalityVote(_) => Kind::FinalityVote,
            Message::FinalityCertificate(_) => Kind::FinalityCertificate,
            Message::Evidence(_) => Kind::Evidence,
            Message::ChainRequest(_) | Message::ChainResponse(_) => Kind::Chain,
        }
    }
}

/// The same message with its signature in 96 bytes, if it is a ticket whose signature has that form.
#[must_use]
pub fn long_form(message: &Message) -> Message {
    let Some(ticket) = ticket_of(message) else { return message.clone() };
    Message::ticket(ticket, coordinates(&ticket.signature))
}

/// Both coordinates of a signature; of one of the mock a stand-in for them.
fn coordinates(signature: &Signature) -> Option<UncompressedSignature> {
    mock_scheme::coordinates(signature).or_else(|| UncompressedSignature::new(*signature).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chosen::Setup;
    use zus_bpp::block::BlockId;
    use zus_bpp::committee::{Round, Subround};

    #[test]
    fn a_ticket_says_the_same_in_both_forms() {
        let setup = Setup::new(4, 0);
        let committee = setup.config().committee;
        let statement = Ticket { round: Round(3), subround: Subround(2), block: BlockId([7; 32]) };
        for member in &setup.mock_keys().members {
            let short = Message::Ticket(Signed::sign(statement, &committee, member).expect("a member signs"));
            let long = long_form(&short);
            assert!(matches!(long, Message::UncompressedTicket(_)), "{long:?}");
            assert_eq!((record_of(&long), signer_of(&long)), (record_of(&short), signer_of(&short)));
            assert_eq!((ticket_of(&long), long.compressed()), (ticket_of(&short), short));
        }
    }
}
