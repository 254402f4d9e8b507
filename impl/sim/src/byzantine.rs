//! Dishonest miners. Each runs an honest miner and changes what it says, or adds to it with its own key.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent};
use zus_bpp::committee::{Committee, Round, Subround};
use zus_bpp::crypto::scheme::{Scheme, Signature};
use zus_bpp::message::{Message, Proposal};
use zus_bpp::statement::{FinalityVote, Proposed, Signed, Ticket, Timeout};

use crate::messages::signature_mut;

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

/// The messages that a dishonest miner sends to `to` (its position among all) where an honest one would send `message`.
pub fn tamper<S: Scheme>(
    kind: Byzantine,
    message: &Message,
    to: usize,
    committee: &Committee,
    scheme: &S,
) -> Vec<Message> {
    let message = &message.clone().compressed();
    match kind {
        Byzantine::Silent => Vec::new(),
        Byzantine::NoProposals => match message {
            Message::Proposal(_) => Vec::new(),
            other => vec![other.clone()],
        },
        Byzantine::Equivocate => equivocate(message, to, committee, scheme),
        Byzantine::Whisper => match message {
            Message::Ticket(_)
            | Message::Timeout(_)
            | Message::FinalityVote(_)
            | Message::Notarization(_)
                if to != 0 =>
            {
                Vec::new()
            }
            other => vec![other.clone()],
        },
        Byzantine::Garbage => vec![garbage(message)],
        Byzantine::Impatient => {
            let mut messages = vec![message.clone()];
            if let Message::Ticket(ticket) = message {
                for ahead in 0..4 {
                    let subround = Subround(ticket.subround.0 + ahead);
                    let timeout = Timeout { round: ticket.round, subround };
                    messages.extend(Signed::sign(timeout, committee, scheme).map(Message::Timeout));
                }
            }
            messages
        }
        Byzantine::Noise => vec![message.clone()],
        Byzantine::Divide => match message {
            Message::Proposal(_) if to == 2 => equivocate(message, 1, committee, scheme),
            Message::Ticket(_) | Message::Timeout(_) | Message::FinalityVote(_) => Vec::new(),
            Message::Notarization(_) if to != 0 => Vec::new(),
            other => vec![other.clone()],
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
        if let Some(signature) = signature_mut(&mut wrong) {
            signature.0[4] = number;
        }
        match &mut wrong {
            Message::Notarization(known) => {
                let known = Arc::make_mut(known);
                known.statement.round = known.statement.round.next();
                known.certificate.aggregate.0[4] = number;
            }
            Message::TimeoutCertificate(known) => Arc::make_mut(known).certificate.aggregate.0[4] = number,
            Message::FinalityCertificate(known) => {
                let known = Arc::make_mut(known);
                known.statement.round = known.statement.round.next();
                known.certificate.aggregate.0[4] = number;
            }
            // Requests without end, and answers that nobody asked for.
            _ => {}
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
    match message {
        Message::Proposal(proposal) if to % 2 == 1 => {
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
        Message::Ticket(ticket) => {
            let Ticket { round, subround, block } = ticket.statement;
            let vote = FinalityVote { round, subround, block };
            let mut messages = vec![message.clone()];
            messages.extend(Signed::sign(vote, committee, scheme).map(Message::FinalityVote));
            messages
        }
        other => vec![other.clone()],
    }
}

fn flood<S: Scheme>(message: &Message, to: usize, committee: &Committee, scheme: &S) -> Vec<Message> {
    let mut messages = vec![message.clone()];
    if let Message::Ticket(ticket) = message {
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

fn garbage(message: &Message) -> Message {
    fn spoil(signature: &mut Signature) {
        signature.0[3] ^= 0x5a;
    }
    let mut message = message.clone();
    signature_mut(&mut message).into_iter().for_each(spoil);
    match &mut message {
        Message::Notarization(known) => spoil(&mut Arc::make_mut(known).certificate.aggregate),
        Message::TimeoutCertificate(known) => spoil(&mut Arc::make_mut(known).certificate.aggregate),
        Message::FinalityCertificate(known) => spoil(&mut Arc::make_mut(known).certificate.aggregate),
        _ => {}
    }
    message
}
