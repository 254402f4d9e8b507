//! S10: who heard two statements of one member that no honest miner signs both can prove it.

use zus_bpp::block::BlockId;
use zus_bpp::bounds::MAX_STRIKES;
use zus_bpp::committee::{MinerId, Peer};
use zus_bpp::crypto::scheme::{Domain, Scheme};
use zus_bpp::evidence::Evidence;
use zus_bpp::message::Message;
use zus_bpp::rules::{FinalityRule, TicketRule};
use zus_bpp::statement::{FinalityVote, Proposed, Statement, Ticket};
use zus_bpp::ticket_log::{Kind, Record};

use super::super::oracle::message_signer;
use super::{Duties, ROUNDS_HELD};
use crate::world::{World, record_of};

impl Duties {
    /// S10: who hears two statements of one member that no honest miner signs both, straight from it, can prove it. Only where
    /// nothing that the member does keeps the first from being held: its round was not left, a block became a candidate.
    pub(super) fn culprit<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        from: Peer,
        message: &Message,
    ) -> Option<String> {
        let found = &world.hosts[host];
        let (signer, record) = (message_signer(message)?, record_of(message)?);
        if !world.ground.setup.is_byzantine(signer) || record.kind == Kind::Timeout {
            return None;
        }
        // A block of another chain or epoch is nobody's here, whoever signs it.
        let committee = &world.ground.config.committee;
        if let Message::Proposal(proposal) = message
            && (proposal.block.header().chain, proposal.block.header().epoch)
                != (committee.chain(), committee.epoch())
        {
            return None;
        }
        let life = self.life(host);
        if from != Peer::Miner(signer) || !is_signed(world, message, signer, &record) {
            life.noisy.push(signer);
            return None;
        }
        let ahead = record.round.0.checked_sub(found.miner.round().0);
        // The same vote with another subround on it proves nothing, and counts as a wrong one.
        let mislabelled = |old: &Record| {
            old.kind == Kind::FinalityVote
                && (old.kind, old.round, old.block) == (record.kind, record.round, record.block)
                && old.subround != record.subround
        };
        if life.claims.iter().any(|(by, old)| *by == signer && mislabelled(old)) {
            life.noisy.push(signer);
        }
        // Whoever sends wrong signatures is heard no more at last, and takes the place of its own genuine ones before.
        let wrong = life.noisy.iter().filter(|known| **known == signer).count();
        if ahead.is_none_or(|ahead| ahead > ROUNDS_HELD) || wrong >= usize::from(MAX_STRIKES) {
            return None;
        }
        // Where finality takes no votes nobody hears them; where a better block may be ticketed, too, two tickets are no offence.
        let rules = &world.ground.setup.rules;
        if record.kind == Kind::FinalityVote && rules.finality != FinalityRule::Votes {
            return None;
        }
        let contradicts = |old: &Record| {
            let same_place = (old.round, old.subround) == (record.round, record.subround);
            old.block != record.block
                && match (old.kind, record.kind) {
                    (Kind::Ticket, Kind::Ticket) => same_place && rules.ticket == TicketRule::OncePerSubround,
                    (Kind::Proposal, Kind::Proposal) => {
                        let mut candidates = found.miner.candidates(old.round, old.subround);
                        same_place && candidates.any(|(block, _)| block.0 == old.block)
                    }
                    (Kind::FinalityVote, Kind::FinalityVote | Kind::Ticket)
                    | (Kind::Ticket, Kind::FinalityVote) => old.round == record.round,
                    _ => false,
                }
        };
        // Where several tickets are allowed, no more of them are held than there may be.
        let same_place = |old: &Record| {
            (old.kind, old.round, old.subround) == (record.kind, record.round, record.subround)
        };
        let known = life.claims.iter().filter(|(by, old)| *by == signer && same_place(old)).count();
        let is_known = life.claims.contains(&(signer, record));
        let one = record.kind != Kind::Ticket || rules.ticket == TicketRule::OncePerSubround;
        if !one && !is_known && known + wrong >= usize::from(world.ground.config.generators) {
            return None;
        }
        let first = life.claims.iter().find(|(by, old)| *by == signer && contradicts(old)).copied();
        if !is_known {
            life.claims.push((signer, record));
        }
        let (_, first) = first?;
        let proved = found.miner.evidence().iter().any(|proof| is_against(proof, signer));
        (!proved)
            .then(|| format!("{} heard {first:?} and {record:?} of {signer}, and has no proof", found.id))
    }
}

/// Whether evidence names a member.
fn is_against(proof: &Evidence, member: MinerId) -> bool {
    match proof {
        Evidence::Proposals { first, .. } => first.signer == member,
        Evidence::Tickets { first, .. } => first.signer == member,
        Evidence::FinalityVotes { first, .. } => first.signer == member,
        Evidence::TicketAgainstVote { ticket, .. } => ticket.signer == member,
        Evidence::Notarizations { first, second } => {
            first.certificate.signers.contains(member) && second.certificate.signers.contains(member)
        }
        Evidence::NotarizationAgainstFinality { notarization, finality } => {
            notarization.certificate.signers.contains(member) && finality.certificate.signers.contains(member)
        }
        Evidence::FinalityCertificates { first, second } => {
            first.certificate.signers.contains(member) && second.certificate.signers.contains(member)
        }
    }
}

/// Whether a message carries the signature that its signer's key makes over what it says.
fn is_signed<S: Scheme + Clone>(
    world: &World<S>,
    message: &Message,
    signer: MinerId,
    record: &Record,
) -> bool {
    let committee = &world.ground.config.committee;
    let (round, subround, block) = (record.round, record.subround, BlockId(record.block));
    let (domain, bytes, signature) = match message {
        Message::Proposal(proposal) => {
            let bytes = Proposed { round, subround, block }.preimage(committee);
            (Domain::Proposal, bytes, proposal.signature)
        }
        Message::Ticket(ticket) => {
            (Domain::Ticket, Ticket { round, subround, block }.preimage(committee), ticket.signature)
        }
        Message::FinalityVote(vote) => {
            let bytes = FinalityVote { round, subround, block }.preimage(committee);
            (Domain::FinalityVote, bytes, vote.signature)
        }
        _ => return false,
    };
    let key = world.ground.keys.members.get(usize::from(signer.0));
    key.and_then(|key| key.sign(domain, &bytes)) == Some(signature)
}
