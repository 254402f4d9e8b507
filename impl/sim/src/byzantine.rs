//! Dishonest miners. Each runs an honest miner and changes what it says, or adds to it with its own key.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent};
use zus_bpp::committee::{Committee, Round, Subround};
use zus_bpp::crypto::scheme::{Scheme, Signature};
use zus_bpp::message::{Message, Proposal};
use zus_bpp::statement::{FinalityVote, Proposed, Signed, Ticket, Timeout};

use crate::messages::{Said, aggregate_mut, certified_by, long_form, said, signature_mut};

/// How a miner departs from the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Byzantine {
    /// Says nothing at all.
    Silent,
    /// Never proposes.
    NoProposals,
    /// Proposes two blocks, one to each half, and tickets and votes for every block it hears of.
    Equivocate,
    /// Tickets, times out and votes, but tells one miner only.
    Whisper,
    /// Every signature and aggregate it sends is garbage.
    Garbage,
    /// Times out everything at once.
    Impatient,
    /// Sends bytes that are no messages.
    Noise,
    /// Signs everything of the rounds and subrounds to come.
    Flood,
    /// Says what an honest miner says, and beside each message sends wrong ones of its kind.
    Spam,
    /// Shows miner 2 another block than the rest, tickets in secret, and shows a notarization to miner 0 alone.
    Divide,
}

impl Byzantine {
    /// Every way that is drawn at random.
    pub const ALL: [Byzantine; 9] = [
        Byzantine::Silent,
        Byzantine::NoProposals,
        Byzantine::Equivocate,
        Byzantine::Whisper,
        Byzantine::Garbage,
        Byzantine::Impatient,
        Byzantine::Noise,
        Byzantine::Flood,
        Byzantine::Divide,
    ];
}

/// The messages that a dishonest miner sends to `to` (its position among all) where an honest one would send `message`. Their tickets
/// have the form of its ticket.
pub fn tamper<S: Scheme>(
    kind: Byzantine,
    message: &Message,
    to: usize,
    committee: &Committee,
    scheme: &S,
) -> Vec<Message> {
    let is_long = matches!(message, Message::UncompressedTicket(_));
    let form = |message: Message| if is_long { long_form(&message) } else { message };
    let message = &message.clone().compressed();
    tampered(kind, message, to, committee, scheme).into_iter().map(form).collect()
}

/// The part that a message has in what dishonest miners do.
enum Part<'m> {
    Proposal(&'m Proposal),
    Ticket(Signed<Ticket>),
    /// A timeout or a vote.
    Claim,
    Notarization,
    Other,
}

/// Each kind of message has its part here, and only here.
fn part(message: &Message) -> Part<'_> {
    match said(message) {
        Said::Proposal(proposal) => Part::Proposal(proposal),
        Said::Ticket(ticket) => Part::Ticket(ticket),
        Said::Timeout(_) | Said::Vote(_) => Part::Claim,
        Said::Notarization(_) => Part::Notarization,
        Said::Share(_)
        | Said::TimeoutCertificate(_)
        | Said::FinalityCertificate(_)
        | Said::Evidence(_)
        | Said::Blocks(_)
        | Said::Unsigned => Part::Other,
    }
}

fn tampered<S: Scheme>(
    kind: Byzantine,
    message: &Message,
    to: usize,
    committee: &Committee,
    scheme: &S,
) -> Vec<Message> {
    let same = || vec![message.clone()];
    match kind {
        Byzantine::Silent => Vec::new(),
        Byzantine::NoProposals => match part(message) {
            Part::Proposal(_) => Vec::new(),
            Part::Ticket(_) | Part::Claim | Part::Notarization | Part::Other => same(),
        },
        Byzantine::Equivocate => equivocate(message, to, committee, scheme),
        Byzantine::Whisper => match part(message) {
            Part::Ticket(_) | Part::Claim | Part::Notarization if to != 0 => Vec::new(),
            Part::Proposal(_) | Part::Ticket(_) | Part::Claim | Part::Notarization | Part::Other => same(),
        },
        Byzantine::Garbage => vec![garbage(message)],
        Byzantine::Impatient => {
            let mut messages = same();
            if let Part::Ticket(ticket) = part(message) {
                for ahead in 0..4 {
                    let subround = Subround(ticket.subround.0 + ahead);
                    let timeout = Timeout { round: ticket.round, subround };
                    messages.extend(Signed::sign(timeout, committee, scheme).map(Message::Timeout));
                }
            }
            messages
        }
        Byzantine::Noise => same(),
        Byzantine::Divide => match part(message) {
            Part::Proposal(_) if to == 2 => equivocate(message, 1, committee, scheme),
            Part::Ticket(_) | Part::Claim => Vec::new(),
            Part::Notarization if to != 0 => Vec::new(),
            Part::Proposal(_) | Part::Notarization | Part::Other => same(),
        },
        Byzantine::Flood => flood(message, to, committee, scheme),
        Byzantine::Spam => spam(message),
    }
}

/// Wrong messages of one kind that [`Byzantine::Spam`] sends beside each genuine one.
const SPAM: u8 = 40;

fn spam(message: &Message) -> Vec<Message> {
    let mut messages = vec![message.clone()];
    for number in 0..SPAM {
        let mut wrong = garbage(message);
        // Another one each time, so that none is known.
        if let Some(signature) = spoilable(&mut wrong) {
            signature.0[4] = number;
        }
        match &mut wrong {
            Message::Notarization(known) => {
                let known = Arc::make_mut(known);
                known.statement.round = known.statement.round.next();
            }
            Message::FinalityCertificate(known) => {
                let known = Arc::make_mut(known);
                known.statement.round = known.statement.round.next();
            }
            Message::BeaconShare(_)
            | Message::Proposal(_)
            | Message::Ticket(_)
            | Message::UncompressedTicket(_)
            | Message::Timeout(_)
            | Message::TimeoutCertificate(_)
            | Message::FinalityVote(_)
            // Requests without end, the same evidence again and again, and answers that nobody asked for.
            | Message::Evidence(_)
            | Message::ChainRequest(_)
            | Message::ChainResponse(_) => {}
        }
        messages.push(wrong);
    }
    messages
}

/// The twin of a block: the same place, another content.
pub fn twin(block: &Block) -> Block {
    let time = block.header().time.after(1);
    Block::new(BlockContent { payload: Vec::new(), time, ..block.content() })
}

fn equivocate<S: Scheme>(message: &Message, to: usize, committee: &Committee, scheme: &S) -> Vec<Message> {
    match part(message) {
        Part::Proposal(proposal) if to % 2 == 1 => {
            let block = Arc::new(twin(&proposal.block));
            let proposed = Proposed { round: block.round(), subround: block.subround(), block: block.id() };
            let Some(signed) = Signed::sign(proposed, committee, scheme) else { return Vec::new() };
            let ticket = Ticket { round: block.round(), subround: block.subround(), block: block.id() };
            let timeout_certificate = proposal.timeout_certificate.clone();
            let mut messages =
                vec![Message::Proposal(Proposal { block, timeout_certificate, signature: signed.signature })];
            messages.extend(Signed::sign(ticket, committee, scheme).map(Message::Ticket));
            messages
        }
        // A vote for whatever the receiver ticketed, as far as one message can do that.
        Part::Ticket(ticket) => {
            let Ticket { round, subround, block } = ticket.statement;
            let vote = FinalityVote { round, subround, block };
            let mut messages = vec![message.clone()];
            messages.extend(Signed::sign(vote, committee, scheme).map(Message::FinalityVote));
            messages
        }
        Part::Proposal(_) | Part::Claim | Part::Notarization | Part::Other => vec![message.clone()],
    }
}

fn flood<S: Scheme>(message: &Message, to: usize, committee: &Committee, scheme: &S) -> Vec<Message> {
    let mut messages = vec![message.clone()];
    if let Part::Ticket(ticket) = part(message) {
        for place in 0..64 {
            let round = Round(ticket.round.0 + place % 8);
            let subround = Subround((place / 8) as u32);
            let mut block = ticket.block;
            (block.0[0], block.0[1]) = (place as u8, to as u8);
            let statement = Ticket { round, subround, block };
            messages.extend(Signed::sign(statement, committee, scheme).map(Message::Ticket));
            let statement = FinalityVote { round, subround, block };
            messages.extend(Signed::sign(statement, committee, scheme).map(Message::FinalityVote));
            let statement = Timeout { round, subround };
            messages.extend(Signed::sign(statement, committee, scheme).map(Message::Timeout));
        }
    }
    messages
}

/// The signature or the aggregate of a message.
fn spoilable(message: &mut Message) -> Option<&mut Signature> {
    if certified_by(message).is_some() { aggregate_mut(message) } else { signature_mut(message) }
}

fn garbage(message: &Message) -> Message {
    let mut message = message.clone();
    if let Some(signature) = spoilable(&mut message) {
        signature.0[3] ^= 0x5a;
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chosen::Setup;
    use zus_bpp::block::BlockId;

    #[test]
    fn dishonest_tickets_have_the_form_of_the_honest_one() {
        let setup = Setup::new(4, 0);
        let committee = setup.config().committee;
        let statement = Ticket { round: Round(3), subround: Subround(0), block: BlockId([7; 32]) };
        let scheme = &setup.mock_keys().members[1];
        let short = Message::Ticket(Signed::sign(statement, &committee, scheme).expect("a member signs"));
        for kind in Byzantine::ALL.into_iter().chain([Byzantine::Spam]) {
            let tickets = |message: &Message| {
                let sent = tamper(kind, message, 0, &committee, scheme).into_iter();
                sent.filter(|sent| matches!(said(sent), Said::Ticket(_))).collect::<Vec<_>>()
            };
            let (long, short) = (tickets(&long_form(&short)), tickets(&short));
            assert!(short.iter().all(|sent| matches!(sent, Message::Ticket(_))), "{kind:?}");
            assert!(long.iter().all(|sent| matches!(sent, Message::UncompressedTicket(_))), "{kind:?}");
            let silent = matches!(kind, Byzantine::Silent | Byzantine::Divide);
            assert_eq!((short.is_empty(), long.len()), (silent, short.len()), "{kind:?}");
        }
    }
}
