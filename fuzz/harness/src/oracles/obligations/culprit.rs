//! S10: who heard two statements of one member that no honest miner signs both can prove it.

use zus_bpp::block::BlockId;
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::message::Message;
use zus_bpp::ticket_log::{Kind, LogRecord};

use super::super::genuine::signature_of;
use super::memory::SUBROUNDS_HELD;
use super::{Life, Obligations, ROUNDS_HELD};
use crate::schedule::told_record;
use crate::world::{World, record_of, signer_of};

/// Wrong signatures of a member after which nobody has to look at what it signs.
const STRIKES: usize = 4;
/// Rounds below the own one whose tickets have to be compared: one less than are kept, since a step may move on.
const LATE_ROUNDS: u64 = 7;

impl Life {
    /// Whether what a member signs has to be kept, and compared with what it signed before, by a miner that is `here`: of its
    /// own round and a few above, in subrounds near; of a round that it has left a ticket for a subround of which it has
    /// collected something (late tickets still convict), and a vote above its head.
    fn holds(&self, record: LogRecord, here: (Round, Subround)) -> bool {
        if let Some(late) = here.0.0.checked_sub(record.round.0).filter(|late| *late > 0) {
            let position = (record.round, record.subround);
            return late <= LATE_ROUNDS
                && match record.kind {
                    Kind::Ticket => self.memory.has_collected(position),
                    Kind::FinalityVote => record.round > self.head,
                    Kind::Proposal | Kind::Timeout => false,
                };
        }
        let own = if record.round == here.0 { here.1 } else { Subround(0) };
        let near = record.subround.0.abs_diff(own.0) <= SUBROUNDS_HELD;
        record.round.0 - here.0.0 <= ROUNDS_HELD && (near || record.kind == Kind::FinalityVote)
    }

    /// Forgets claims that nobody has to keep any more, and the candidates of rounds that were left.
    pub(super) fn forget(&mut self, here: (Round, Subround)) {
        self.claims.retain(|(_, old)| {
            let far = here.0.0.saturating_sub(old.round.0) > LATE_ROUNDS;
            let below = old.round == here.0 && old.subround.0.saturating_add(SUBROUNDS_HELD) < here.1.0;
            !far && (!below || old.kind == Kind::FinalityVote)
        });
    }
}

impl Obligations {
    /// S10: who hears two statements of one member that no honest miner signs both, straight from it, can prove it. Only where
    /// nothing that the member does keeps the first from being held: see [`Life::holds`]; a block became a candidate.
    pub(super) fn culprit<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        from: Peer,
        message: &Message,
    ) -> Option<String> {
        let found = &world.hosts[host];
        let (signer, record) = (signer_of(message)?, record_of(message)?);
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
            life.noisy.push((signer, record.round));
            return None;
        }
        let held = life.holds(record, (found.miner.round(), found.miner.subround()));
        // The same vote with another subround on it proves nothing, and counts as a wrong one.
        let mislabelled = |old: &LogRecord| {
            old.kind == Kind::FinalityVote
                && (old.kind, old.round, old.block) == (record.kind, record.round, record.block)
                && old.subround != record.subround
        };
        if life.claims.iter().any(|(by, old)| *by == signer && mislabelled(old)) {
            life.noisy.push((signer, record.round));
        }
        // After `STRIKES` wrong signatures a signer is ignored; until then they displace its valid ones.
        let wrong = life.noisy.iter().filter(|known| **known == (signer, record.round)).count();
        if !held || wrong >= STRIKES {
            return None;
        }
        // Where finality takes no votes nobody hears them; where a better block may be ticketed, too, two tickets are no offence.
        let rules = &world.ground.setup.rules;
        if record.kind == Kind::FinalityVote && !rules.votes() {
            return None;
        }
        let contradicts = |old: &LogRecord| {
            let same_place = (old.round, old.subround) == (record.round, record.subround);
            old.block != record.block
                && match (old.kind, record.kind) {
                    (Kind::Ticket, Kind::Ticket) => same_place && rules.tickets_once(),
                    (Kind::Proposal, Kind::Proposal) => {
                        same_place && life.collected.contains(&BlockId(old.block))
                    }
                    (Kind::FinalityVote, Kind::FinalityVote | Kind::Ticket)
                    | (Kind::Ticket, Kind::FinalityVote) => old.round == record.round,
                    (Kind::Proposal, _) | (_, Kind::Proposal) | (Kind::Timeout, _) | (_, Kind::Timeout) => {
                        false
                    }
                }
        };
        // Where several tickets are allowed, no more of them are held than there may be.
        let same_place = |old: &LogRecord| {
            (old.kind, old.round, old.subround) == (record.kind, record.round, record.subround)
        };
        let known = life.claims.iter().filter(|(by, old)| *by == signer && same_place(old)).count();
        let is_known = life.claims.contains(&(signer, record));
        let one = record.kind != Kind::Ticket || rules.tickets_once();
        if !one && !is_known && known + wrong >= usize::from(world.ground.setup.generators()) {
            return None;
        }
        let first = life.claims.iter().find(|(by, old)| *by == signer && contradicts(old)).copied();
        if !is_known {
            life.claims.push((signer, record));
        }
        let (_, first) = first?;
        (!life.memory.convicted.contains(&signer)).then(|| {
            format!(
                "{} heard {} and {} of {signer}, and has no proof",
                found.id,
                told_record(&first),
                told_record(&record)
            )
        })
    }
}

/// Whether a message carries the signature that its signer's key makes over what it says.
fn is_signed<S: Scheme + Clone>(
    world: &World<S>,
    message: &Message,
    signer: MinerId,
    record: &LogRecord,
) -> bool {
    let signature = zus_sim::messages::signature_of(message);
    signature.is_some() && signature_of(world, signer, record) == signature
}
