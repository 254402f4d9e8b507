//! Promises of the type of a message, by any sender and with any signatures: sizes, members, order.
//!
//! Every reader has to keep these promises by itself, so they are asked of everything that was decoded and of everything that
//! production puts out. The limits are those of the protocol's texts, written down again.

use crate::schedule::told_with_signers;
use zus_bpp::block::Block;
use zus_bpp::certified::Certified;
use zus_bpp::committee::{MinerId, Round};
use zus_bpp::crypto::certificate::Signers;
use zus_bpp::evidence::Evidence;
use zus_bpp::message::Message;
use zus_bpp::miner::{Output, Stored};
use zus_bpp::sharder::SharderOutput;
use zus_bpp::statement::Statement;

/// Members of a committee at most.
const MEMBERS: usize = 4_096;
/// Blocks of an answer at most.
const BLOCKS: usize = 32;
/// Bytes of the payload of a block at most.
const PAYLOAD: usize = 1 << 20;
/// The highest round that anything is about.
const HIGHEST: u64 = 1 << 62;

/// Judges a message: exhaustive, so that a new kind does not compile until it is named here.
///
/// # Errors
/// The promise that it breaks.
pub fn promises(message: &Message) -> Result<(), String> {
    match message {
        // Numbers, and signatures that anything may be.
        Message::BeaconShare(share) => round(share.target.round()),
        Message::Ticket(ticket) => round(ticket.statement.round),
        Message::Timeout(timeout) => round(timeout.statement.round),
        Message::FinalityVote(vote) => round(vote.statement.round),
        Message::ChainRequest(request) => round(request.after),
        Message::UncompressedTicket(ticket) => {
            round(ticket.statement.round)?;
            let short = ticket.signed();
            let same = (short.statement, short.signer, short.signature)
                == (ticket.statement, ticket.signer, ticket.signature.compressed());
            same.then_some(())
                .ok_or_else(|| format!("another ticket in the short form: {}", told_with_signers(message)))
        }
        Message::Proposal(proposal) => {
            block(&proposal.block)?;
            proposal.timeout_certificate.as_deref().map_or(Ok(()), certified)
        }
        Message::Notarization(known) => certified(known),
        Message::TimeoutCertificate(known) => certified(known),
        Message::FinalityCertificate(known) => certified(known),
        Message::Evidence(proof) => evidence(proof),
        Message::ChainResponse(response) => {
            let count = response.blocks.len();
            if !(1..=BLOCKS).contains(&count) {
                return Err(format!("an answer of {count} blocks"));
            }
            response.blocks.iter().try_for_each(|found| block(found))?;
            certified(&response.notarization)?;
            response.finality.as_deref().map_or(Ok(()), certified)
        }
    }
}

/// Judges what a miner puts out.
///
/// # Errors
/// As [`promises`].
pub fn of_output(output: &Output) -> Result<(), String> {
    match output {
        Output::Send { message, .. } | Output::Broadcast { message, .. } => promises(message),
        Output::Store { stored, .. } => match stored {
            Stored::Block(found) => block(found),
            Stored::Notarization(known) => certified(known),
            Stored::TimeoutCertificate(known) => certified(known),
            Stored::FinalityCertificate(known) => certified(known),
        },
        Output::Validate { block: found } => block(found),
        Output::Finalized(found) => {
            block(&found.block)?;
            found.notarization.as_deref().map_or(Ok(()), certified)
        }
        Output::Evidence(proof) => evidence(proof),
        Output::HandedOver(handoff) => certified(handoff.finality()),
        Output::ServeStored { blocks, .. } => blocks.iter().try_for_each(|known| {
            known.whole.as_deref().map_or(Ok(()), block)?;
            known.notarization.as_deref().map_or(Ok(()), certified)
        }),
        Output::SetTimer { .. }
        | Output::Persist { .. }
        | Output::RequestPayload { .. }
        | Output::Serve { .. }
        | Output::Load { .. }
        | Output::Refused { .. }
        | Output::Blamed(_)
        | Output::Conflict { .. }
        | Output::Withheld(_)
        | Output::Milestone(_) => Ok(()),
    }
}

/// Judges what a sharder puts out.
///
/// # Errors
/// As [`promises`].
pub fn of_sharder(output: &SharderOutput) -> Result<(), String> {
    match output {
        SharderOutput::Send { message, .. } => promises(message),
        SharderOutput::Finalized(found) => {
            block(&found.block)?;
            found.notarization.as_deref().map_or(Ok(()), certified)
        }
        SharderOutput::Certified(known) => certified(known),
        SharderOutput::HandedOver(handoff) => certified(handoff.finality()),
        SharderOutput::SetTimer { .. }
        | SharderOutput::Gap { .. }
        | SharderOutput::Refused { .. }
        | SharderOutput::Conflict { .. } => Ok(()),
    }
}

fn block(found: &Block) -> Result<(), String> {
    let bytes = found.payload().len();
    if bytes > PAYLOAD {
        return Err(format!("a payload of {bytes} bytes"));
    }
    round(found.round())?;
    found.parent_notarization().map_or(Ok(()), |known| certified(known))?;
    found.finality().map_or(Ok(()), |known| certified(known))
}

fn certified<T: Statement>(known: &Certified<T>) -> Result<(), String> {
    round(known.statement.round())?;
    signers(&known.certificate.signers)
}

fn round(found: Round) -> Result<(), String> {
    if found.0 > HIGHEST { Err(format!("a round that no chain reaches: {found}")) } else { Ok(()) }
}

fn evidence(proof: &Evidence) -> Result<(), String> {
    match proof {
        Evidence::Proposals { first, second } => round(first.statement.round.max(second.statement.round)),
        Evidence::Tickets { first, second } => round(first.statement.round.max(second.statement.round)),
        Evidence::FinalityVotes { first, second } => round(first.statement.round.max(second.statement.round)),
        Evidence::TicketAgainstVote { ticket, vote } => {
            round(ticket.statement.round.max(vote.statement.round))
        }
        Evidence::Notarizations { first, second } => certified(first).and(certified(second)),
        Evidence::NotarizationAgainstFinality { notarization, finality } => {
            certified(notarization).and(certified(finality))
        }
        Evidence::FinalityCertificates { first, second } => certified(first).and(certified(second)),
    }
}

/// A set of members: one bitmap length for a committee, no bit beyond it, each member once and in order, the right count.
///
/// # Errors
/// The promise that it breaks.
pub fn signers(set: &Signers) -> Result<(), String> {
    let (size, bitmap) = (set.committee_size(), set.bitmap());
    let wrong = |what: &str| Err(format!("{what}: {size} members, bitmap {bitmap:02x?}"));
    if size > MEMBERS {
        return wrong("a committee that is too large");
    }
    if bitmap.len() != size.div_ceil(8) {
        return wrong("a bitmap of another length");
    }
    let is_set = |member: usize| bitmap[member / 8] >> (member % 8) & 1 == 1;
    let marked: Vec<usize> = (0..bitmap.len() * 8).filter(|&member| is_set(member)).collect();
    if marked.last().is_some_and(|&last| last >= size) {
        return wrong("a member beyond the committee");
    }
    let listed: Vec<usize> = set.iter().map(|member| usize::from(member.0)).collect();
    if listed != marked {
        return wrong("other members than are marked");
    }
    if set.count() != marked.len() {
        return wrong("another count than members");
    }
    let contains = |member: usize| set.contains(MinerId(member as u16));
    if (0..bitmap.len() * 8).any(|member| contains(member) != is_set(member)) {
        return wrong("contains other members than are marked");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_every_size_keep_their_promises() {
        for size in 0..40 {
            let everybody = Signers::from_members(size, (0..size as u16).map(MinerId)).expect("members");
            assert_eq!(signers(&everybody), Ok(()));
            assert_eq!(signers(&Signers::new(size).expect("a committee")), Ok(()));
        }
    }
}
