//! Objects that honest participants hold and show: certificates, blocks with their embedded certificates, evidence.
//! Each must be genuine according to the list of who signed what ([`genuine`](super::genuine)).

use zus_bpp::block::Block;
use zus_bpp::chain::{FinalBlock, StoredBlock};
use zus_bpp::committee::Peer;
use zus_bpp::crypto::certificate::Certificate;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::evidence::Evidence;
use zus_bpp::message::Message;
use zus_bpp::miner::Stored;
use zus_bpp::ticket_log::LogRecord;

use super::genuine::{block_defect, defect};
use super::guilty::{flaw, guilty};
use super::{Oracle, Violation};
use crate::schedule::told_record;
use crate::world::{World, certified_by};
use zus_sim::messages::{Said, said};

impl Oracle {
    /// S3, S4, S8 and S9 of what an honest participant sends: each certificate and each block in it is genuine.
    pub(super) fn shows<S: Scheme + Clone>(&mut self, world: &World<S>, who: Peer, message: &Message) {
        let record = certified_by(message);
        match said(message) {
            Said::Notarization(known) => self.certificate(world, who, record, &known.certificate),
            Said::TimeoutCertificate(known) => self.certificate(world, who, record, &known.certificate),
            Said::FinalityCertificate(known) => {
                self.certificate(world, who, record, &known.certificate);
                self.certified(known.round, known.block);
            }
            Said::Proposal(proposal) => {
                self.holds(world, who, &proposal.block, true);
                if let Some(known) = &proposal.timeout_certificate {
                    let record = LogRecord::timeout(known.round, known.subround);
                    self.certificate(world, who, Some(record), &known.certificate);
                }
            }
            Said::Blocks(response) => {
                // The signature beside a value is not part of a block's id, and nobody who catches up looks at it.
                response.blocks.iter().for_each(|block| self.holds(world, who, block, false));
                let known = &response.notarization;
                let record = LogRecord::ticket(known.round, known.subround, known.block.0);
                self.certificate(world, who, Some(record), &known.certificate);
                if let Some(known) = &response.finality {
                    let record = LogRecord::finality_vote(known.round, known.subround, known.block.0);
                    self.certificate(world, who, Some(record), &known.certificate);
                    self.certified(known.round, known.block);
                }
            }
            Said::Evidence(proof) => self.evidence(world, who, proof),
            Said::Share(_) | Said::Ticket(_) | Said::Timeout(_) | Said::Vote(_) | Said::Unsigned => {}
        }
    }

    /// S10: evidence never convicts an honest miner, and holds.
    pub(super) fn evidence<S: Scheme + Clone>(&mut self, world: &World<S>, who: Peer, proof: &Evidence) {
        if let Some(honest) = guilty(proof).into_iter().find(|id| !world.ground.setup.is_byzantine(*id)) {
            self.wrong("S10", format!("honest {honest} is convicted by evidence of round {}", proof.round()));
        }
        if self.proofs.contains(proof) {
            return;
        }
        match flaw(world, proof) {
            Some(flaw) => self.wrong("S10", format!("{who} has evidence of round {} {flaw}", proof.round())),
            None => _ = self.proofs.insert(proof.clone()),
        }
    }

    /// Checks the certificates embedded in a block that an honest participant holds.
    pub(super) fn holds<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        who: Peer,
        block: &Block,
        signed: bool,
    ) {
        let key = (block.id(), signed.then_some(*block.beacon_signature()));
        if block.id() == world.first_block() || self.sound.contains(&key) {
            return;
        }
        match block_defect(world, block, signed) {
            Some(Violation { property, facts }) => self.wrong(property, format!("{who} holds {facts}")),
            None => _ = self.sound.insert(key),
        }
    }

    /// S8: q distinct members, each of which signed exactly this.
    pub(super) fn certificate<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        holder: Peer,
        record: Option<LogRecord>,
        certificate: &Certificate,
    ) {
        if let Some(record) = record
            && !world.is_given(&record)
            && let Some(defect) = defect(world, &record, certificate)
        {
            self.wrong("S8", format!("{holder} holds a certificate of {} {defect}", told_record(&record)));
        }
    }

    /// A block of an answer that the host gives from its storage: those that the miner gives along are genuine, and labelled as
    /// what they are.
    pub(super) fn served<S: Scheme + Clone>(&mut self, world: &World<S>, who: Peer, known: &StoredBlock) {
        if let Some(block) = &known.whole {
            self.holds(world, who, block, false);
            if (block.round(), block.id()) != (known.round, known.block) {
                self.wrong("answers", format!("{who} serves {} as {}", block.id(), known.block));
            }
        }
        if let Some(certificate) = &known.notarization {
            let record = LogRecord::from(certificate.statement);
            self.certificate(world, who, Some(record), &certificate.certificate);
            if (record.round, record.block) != (known.round, known.block.0) {
                self.wrong(
                    "answers",
                    format!("{who} serves a certificate of {} with {}", told_record(&record), known.block),
                );
            }
        }
    }

    /// Checks the certificates kept with a final block.
    pub(super) fn final_block<S: Scheme + Clone>(&mut self, world: &World<S>, who: Peer, found: &FinalBlock) {
        self.holds(world, who, &found.block, false);
        if let Some(known) = &found.notarization {
            let record = LogRecord::from(known.statement);
            self.certificate(world, who, Some(record), &known.certificate);
            let of_block = LogRecord::ticket(found.block.round(), found.block.subround(), found.block.id().0);
            if record != of_block {
                self.wrong(
                    "S8",
                    format!(
                        "{who} keeps a certificate of {} with {}",
                        told_record(&record),
                        told_record(&of_block)
                    ),
                );
            }
        }
    }

    /// Checks an item that a miner keeps for a restart.
    pub(super) fn keeps<S: Scheme + Clone>(&mut self, world: &World<S>, who: Peer, stored: &Stored) {
        match stored {
            Stored::Block(block) => self.holds(world, who, block, false),
            Stored::Notarization(known) => {
                self.certificate(world, who, Some(known.statement.into()), &known.certificate);
            }
            Stored::TimeoutCertificate(known) => {
                self.certificate(world, who, Some(known.statement.into()), &known.certificate);
            }
            Stored::FinalityCertificate(known) => {
                self.certificate(world, who, Some(known.statement.into()), &known.certificate);
            }
        }
    }
}
