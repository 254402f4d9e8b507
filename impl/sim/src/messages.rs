//! The records, signers and certificates of messages, read by an exhaustive match over the kinds of messages. A new
//! kind does not compile until it is named here, and a ticket is a ticket in both of its forms.

use zus_bpp::committee::MinerId;
use zus_bpp::crypto::mock_scheme;
use zus_bpp::crypto::scheme::Signature;
use zus_bpp::crypto::uncompressed::UncompressedSignature;
use zus_bpp::message::{Message, UncompressedTicket};
use zus_bpp::statement::{Signed, Ticket};
use zus_bpp::ticket_log::Record;

/// The ticket of a message, with a signature of 48 bytes, whichever form it came in.
#[must_use]
pub fn ticket_of(message: &Message) -> Option<Signed<Ticket>> {
    match message {
        Message::Ticket(ticket) => Some(*ticket),
        Message::UncompressedTicket(ticket) => Some(ticket.signed()),
        Message::BeaconShare(_)
        | Message::Proposal(_)
        | Message::Notarization(_)
        | Message::Timeout(_)
        | Message::TimeoutCertificate(_)
        | Message::FinalityVote(_)
        | Message::FinalityCertificate(_)
        | Message::Evidence(_)
        | Message::ChainRequest(_)
        | Message::ChainResponse(_) => None,
    }
}

/// The record that the log of a miner must have before this message leaves, if it is signed with its identity key.
#[must_use]
pub fn record_of(message: &Message) -> Option<Record> {
    match message {
        Message::Proposal(proposal) => {
            let block = &proposal.block;
            Some(Record::proposal(block.round(), block.subround(), block.id().0))
        }
        Message::Ticket(Signed { statement, .. })
        | Message::UncompressedTicket(UncompressedTicket { statement, .. }) => {
            Some(Record::ticket(statement.round, statement.subround, statement.block.0))
        }
        Message::Timeout(timeout) => Some(Record::timeout(timeout.round, timeout.subround)),
        Message::FinalityVote(vote) => Some(Record::finality_vote(vote.round, vote.subround, vote.block.0)),
        Message::BeaconShare(_)
        | Message::Notarization(_)
        | Message::TimeoutCertificate(_)
        | Message::FinalityCertificate(_)
        | Message::Evidence(_)
        | Message::ChainRequest(_)
        | Message::ChainResponse(_) => None,
    }
}

/// The signer of a message that is signed with an identity key.
#[must_use]
pub fn signer_of(message: &Message) -> Option<MinerId> {
    match message {
        Message::Proposal(proposal) => Some(proposal.block.header().generator),
        Message::Ticket(Signed { signer, .. })
        | Message::UncompressedTicket(UncompressedTicket { signer, .. }) => Some(*signer),
        Message::Timeout(timeout) => Some(timeout.signer),
        Message::FinalityVote(vote) => Some(vote.signer),
        Message::BeaconShare(_)
        | Message::Notarization(_)
        | Message::TimeoutCertificate(_)
        | Message::FinalityCertificate(_)
        | Message::Evidence(_)
        | Message::ChainRequest(_)
        | Message::ChainResponse(_) => None,
    }
}

/// The record that a certificate certifies, if the message is one.
#[must_use]
pub fn certified_by(message: &Message) -> Option<Record> {
    match message {
        Message::Notarization(known) => Some(Record::ticket(known.round, known.subround, known.block.0)),
        Message::TimeoutCertificate(known) => Some(Record::timeout(known.round, known.subround)),
        Message::FinalityCertificate(known) => {
            Some(Record::finality_vote(known.round, known.subround, known.block.0))
        }
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
