//! Watches a run from outside: counts signatures for itself, with a quorum table written by hand, and checks the safety
//! properties of the protocol by id. It sees what honest miners send and finalize; it calls no code of the miner.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zus_bpp::block::{Block, BlockId, Time};
use zus_bpp::chain::FinalBlock;
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::ranks::Ranks;
use zus_bpp::evidence::Evidence;
use zus_bpp::message::Message;
use zus_bpp::miner::Milestone;
use zus_bpp::rules::{QuorumRule, Rules};
use zus_bpp::ticket_log::{AppendError, Conflict, LogRecord};

use crate::messages::{Said, said};

type Position = (Round, Subround);

/// Which properties the rules of a run promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expect {
    /// S1: at most one ticket of an honest miner in one (round, subround).
    pub one_ticket: bool,
    /// S2: at most one notarized block in one (round, subround).
    pub one_notarized: bool,
    /// S5: no two observers finalize conflicting blocks.
    pub agreement: bool,
    /// S6: a final block is the only notarized one of its round.
    pub sole_notarized: bool,
    /// S9: one beacon value for a round.
    pub one_beacon: bool,
    /// A subround is entered only after `q` timeouts of the one before.
    pub timeouts_before_subrounds: bool,
}

impl Expect {
    /// The promises of `hardened`.
    pub const ALL: Expect = Expect {
        one_ticket: true,
        one_notarized: true,
        agreement: true,
        sole_notarized: true,
        one_beacon: true,
        timeouts_before_subrounds: true,
    };

    /// The promises of `rules` on a network that delays and loses messages.
    pub fn of(rules: &Rules) -> Self {
        let votes = rules.votes();
        Self {
            one_ticket: rules.tickets_once(),
            one_notarized: rules.tickets_once(),
            agreement: votes,
            sole_notarized: votes,
            one_beacon: !rules.chained(),
            timeouts_before_subrounds: !rules.enters_alone(),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Ledger {
    tickets: BTreeMap<Position, BTreeSet<BlockId>>,
    timeouts: BTreeSet<Position>,
    votes: BTreeMap<Round, BTreeSet<BlockId>>,
    proposals: BTreeMap<Position, BTreeSet<BlockId>>,
}

/// See the module doc.
#[derive(Clone, Debug)]
pub struct Observer {
    quorum: usize,
    generators: u16,
    miners: u16,
    subround_cap: Option<Subround>,
    genesis: BlockId,
    honest: BTreeSet<MinerId>,
    signed: BTreeMap<MinerId, Ledger>,
    blocks: BTreeMap<BlockId, Arc<Block>>,
    notarized: BTreeMap<Position, BTreeSet<BlockId>>,
    final_blocks: BTreeMap<Round, BTreeSet<BlockId>>,
    /// Blocks with a finality certificate of their own.
    voted_final: BTreeMap<Round, BTreeSet<BlockId>>,
    chains: BTreeMap<Peer, Vec<BlockId>>,
    beacons: BTreeMap<Position, BTreeSet<[u8; 32]>>,
    /// Whether all subrounds of a round share one beacon value.
    pub beacon_of_round: bool,
    /// The promises of the rules of the run.
    pub expect: Expect,
    /// Violations of the promises of the rules: property and facts.
    pub violations: BTreeSet<String>,
    /// Steps of the protocol in order: when, who, what.
    pub steps: Vec<(Time, MinerId, Milestone)>,
    /// Miners that evidence convicts.
    pub convicted: BTreeSet<MinerId>,
    /// How many messages were refused, by whom about whom.
    pub refused: BTreeMap<(Peer, Peer), usize>,
}

/// The quorum of a committee: more than two thirds, by hand for the sizes that tests use; or 66 of 100, as the deployed node counts.
fn quorum_by_hand(miners: u16, rule: QuorumRule) -> usize {
    match rule {
        QuorumRule::Percent66 => (66 * usize::from(miners)).div_ceil(100),
        QuorumRule::ByzantineMajority => match miners {
            1 => 1,
            2 => 2,
            3 => 3,
            4 => 3,
            5 => 4,
            6 => 5,
            7 => 5,
            10 => 7,
            16 => 11,
            50 => 34,
            // Sizes that only the example uses.
            other => 2 * usize::from(other) / 3 + 1,
        },
    }
}

impl Observer {
    /// An observer that has seen nothing yet. The miners in `byzantine` may say anything.
    #[must_use]
    pub fn new(
        miners: u16,
        byzantine: &[u16],
        generators: u16,
        cap: Option<Subround>,
        genesis: BlockId,
        rules: &Rules,
    ) -> Self {
        Self {
            quorum: quorum_by_hand(miners, rules.quorum),
            generators,
            miners,
            subround_cap: cap,
            genesis,
            honest: (0..miners).filter(|id| !byzantine.contains(id)).map(MinerId).collect(),
            signed: BTreeMap::new(),
            blocks: BTreeMap::new(),
            notarized: BTreeMap::new(),
            final_blocks: BTreeMap::new(),
            voted_final: BTreeMap::new(),
            chains: BTreeMap::new(),
            beacons: BTreeMap::new(),
            beacon_of_round: !rules.chained(),
            expect: Expect::of(rules),
            violations: BTreeSet::new(),
            steps: Vec::new(),
            convicted: BTreeSet::new(),
            refused: BTreeMap::new(),
        }
    }

    fn violated(&mut self, property: &str, facts: String) {
        self.violations.insert(format!("{property}: {facts}"));
    }

    /// A miner would have signed against its log, and did not.
    pub fn withheld(&mut self, me: MinerId, conflict: &Conflict) {
        self.violated("S1", format!("{me} would have signed against its log: {conflict}"));
    }

    /// A block that somebody sent.
    pub fn block(&self, id: &BlockId) -> Option<&Arc<Block>> {
        self.blocks.get(id)
    }

    fn is_honest(&self, miner: MinerId) -> bool {
        self.honest.contains(&miner)
    }

    /// A message that an honest miner put on the network, or a dishonest one after tampering.
    pub fn sent(&mut self, from: MinerId, message: &Message) {
        match said(message) {
            Said::Proposal(proposal) => {
                self.saw_block(&proposal.block);
                self.proposed(from, &proposal.block);
            }
            Said::Ticket(ticket) => {
                let position = (ticket.round, ticket.subround);
                let ledger = self.signed.entry(ticket.signer).or_default();
                let blocks = ledger.tickets.entry(position).or_default();
                blocks.insert(ticket.block);
                let count = blocks.len();
                if count > 1 && self.expect.one_ticket && self.is_honest(ticket.signer) {
                    self.violated("S1", format!("{} ticketed {count} blocks in {position:?}", ticket.signer));
                }
                self.ticketed_honestly(from, ticket.round);
            }
            Said::Timeout(timeout) => {
                let ledger = self.signed.entry(timeout.signer).or_default();
                ledger.timeouts.insert((timeout.round, timeout.subround));
            }
            Said::Vote(vote) => {
                let ledger = self.signed.entry(vote.signer).or_default();
                let votes = ledger.votes.entry(vote.round).or_default();
                votes.insert(vote.block);
                let count = votes.len();
                if count > 1 && self.is_honest(vote.signer) {
                    self.violated(
                        "S6",
                        format!("{} voted for {count} blocks of {}", vote.signer, vote.round),
                    );
                }
                self.ticketed_honestly(vote.signer, vote.round);
            }
            Said::Notarization(certificate) => {
                let signers: Vec<MinerId> = certificate.certificate.signers.iter().collect();
                self.saw_notarized(
                    from,
                    certificate.round,
                    certificate.subround,
                    certificate.block,
                    &signers,
                );
            }
            Said::FinalityCertificate(certificate) if self.is_honest(from) => {
                let voted = self.voted_final.entry(certificate.round).or_default();
                voted.insert(certificate.block);
                let signers: Vec<MinerId> = certificate.certificate.signers.iter().collect();
                for signer in self.honest.intersection(&signers.iter().copied().collect()) {
                    let votes =
                        self.signed.get(signer).and_then(|ledger| ledger.votes.get(&certificate.round));
                    if !votes.is_some_and(|votes| votes.contains(&certificate.block)) {
                        self.violations.insert(format!("S8: {signer} is in a finality certificate unasked"));
                    }
                }
                if signers.len() < self.quorum {
                    self.violated("S8", format!("a finality certificate of {} signers", signers.len()));
                }
            }
            Said::TimeoutCertificate(certificate) if self.is_honest(from) => {
                let position = (certificate.round, certificate.subround);
                let signers: Vec<MinerId> = certificate.certificate.signers.iter().collect();
                let honest = signers.iter().filter(|signer| self.is_honest(**signer));
                let unasked = honest.filter(|signer| {
                    !self.signed.get(signer).is_some_and(|l| l.timeouts.contains(&position))
                });
                if signers.len() < self.quorum || unasked.count() > 0 {
                    self.violated("S8", format!("a timeout certificate of {signers:?} for {position:?}"));
                }
            }
            // A dishonest miner may send any certificate; the rest is judged where it has its effect.
            Said::FinalityCertificate(_)
            | Said::TimeoutCertificate(_)
            | Said::Share(_)
            | Said::Evidence(_)
            | Said::Blocks(_)
            | Said::Unsigned => {}
        }
    }

    /// Step 8: an honest miner votes for a block only if it ticketed no other of the round, before or after.
    fn ticketed_honestly(&mut self, signer: MinerId, round: Round) {
        if !self.is_honest(signer) {
            return;
        }
        let Some(ledger) = self.signed.get(&signer) else { return };
        let Some(votes) = ledger.votes.get(&round) else { return };
        let tickets = ledger.tickets.range((round, Subround(0))..=(round, Subround(u32::MAX)));
        let other = tickets.flat_map(|(_, blocks)| blocks).any(|block| !votes.contains(block));
        if other {
            self.violated("S6", format!("{signer} voted in {round} and ticketed another block there"));
        }
    }

    fn proposed(&mut self, from: MinerId, block: &Block) {
        let position = (block.round(), block.subround());
        let generator = block.header().generator;
        let proposals = &mut self.signed.entry(generator).or_default().proposals;
        let blocks = proposals.entry(position).or_default();
        blocks.insert(block.id());
        if blocks.len() > 1 && self.is_honest(generator) {
            self.violated("S10", format!("{generator} proposed twice in {position:?}, says {from}"));
        }
    }

    fn saw_block(&mut self, block: &Arc<Block>) {
        self.blocks.insert(block.id(), Arc::clone(block));
    }

    fn saw_notarized(
        &mut self,
        from: MinerId,
        round: Round,
        subround: Subround,
        block: BlockId,
        signers: &[MinerId],
    ) {
        // A message of a dishonest miner may be garbage; honest miners send only valid ones.
        if !self.is_honest(from) {
            return;
        }
        let position = (round, subround);
        let distinct: BTreeSet<MinerId> = signers.iter().copied().collect();
        if distinct.len() < self.quorum || distinct.iter().any(|signer| signer.0 >= self.miners) {
            self.violated("S8", format!("a notarization of {signers:?} in {position:?}"));
        }
        for signer in distinct.intersection(&self.honest.clone()) {
            let tickets = self.signed.get(signer).and_then(|ledger| ledger.tickets.get(&position));
            if !tickets.is_some_and(|tickets| tickets.contains(&block)) {
                self.violated(
                    "S8",
                    format!("{signer} is in a notarization in {position:?} without a ticket"),
                );
            }
        }
        let blocks = self.notarized.entry(position).or_default();
        if blocks.insert(block) && blocks.len() > 1 && self.expect.one_notarized {
            self.violated("S2", format!("two notarized blocks in {position:?}"));
        }
    }

    /// A step that an honest miner reports.
    pub fn milestone(&mut self, now: Time, miner: MinerId, milestone: Milestone) {
        if let Milestone::Beacon { round, subround, value } = milestone {
            let position = (round, if self.beacon_of_round { Subround(0) } else { subround });
            let values = self.beacons.entry(position).or_default();
            values.insert(value.0);
            if values.len() > 1 && self.expect.one_beacon {
                self.violated("S9", format!("two beacon values in {position:?}"));
            }
        }
        if let Milestone::Entered { round, subround } = milestone {
            self.entered(miner, round, subround);
        }
        self.steps.push((now, miner, milestone));
    }

    /// A subround is entered only after `q` timeouts of the one before. Dishonest miners may have sent theirs unseen.
    fn entered(&mut self, miner: MinerId, round: Round, subround: Subround) {
        let Some(before) = subround.0.checked_sub(1).map(Subround) else { return };
        if !self.expect.timeouts_before_subrounds {
            return;
        }
        let gave_up = |id: &&MinerId| {
            self.signed.get(id).is_some_and(|ledger| ledger.timeouts.contains(&(round, before)))
        };
        let dishonest = usize::from(self.miners) - self.honest.len();
        if self.honest.iter().filter(gave_up).count() + dishonest < self.quorum {
            self.violated("L3", format!("{miner} entered subround {subround} of {round} without timeouts"));
        }
    }

    /// An honest miner or a sharder finalized a block.
    pub fn finalized(&mut self, who: Peer, found: &FinalBlock) {
        let block = &found.block;
        self.saw_block(block);
        let chain = self.chains.entry(who).or_default();
        let before = chain.last().copied().unwrap_or(self.genesis);
        chain.push(block.id());
        let expected = Round(chain.len() as u64);
        if block.header().parent != before || block.round() != expected {
            self.violated("S7", format!("{who} finalized {:?} after {before:?}", block.header()));
        }
        let blocks = self.final_blocks.entry(block.round()).or_default();
        if blocks.insert(block.id()) && blocks.len() > 1 && self.expect.agreement {
            self.violated("S5", format!("two final blocks in round {}", block.round()));
        }
    }

    /// An honest miner has proved an offence: nobody honest is convicted (S10).
    pub fn evidence(&mut self, evidence: &Evidence) {
        for miner in evidence.convicts() {
            self.convicted.insert(miner);
            if self.is_honest(miner) {
                self.violated("S10", format!("honest {miner} is convicted by {evidence:?}"));
            }
        }
    }

    /// An honest miner wanted to sign what its log says it must not.
    pub fn refused_by_log(&mut self, miner: MinerId, error: &AppendError) {
        self.violated("S1", format!("the log of {miner} refused: {error}"));
    }

    /// A certificate that a notarized block carries counts like one that an honest miner sent: honest miners ticketed the
    /// block with it. It may be the only trace of its notarization.
    fn carried_certificates(&mut self) {
        let notarized: BTreeSet<BlockId> = self.notarized.values().flatten().copied().collect();
        let Some(&honest) = self.honest.first() else { return };
        for id in notarized {
            let carried = self.blocks.get(&id).and_then(|block| block.parent_notarization().cloned());
            if let Some(carried) = carried {
                self.sent(honest, &Message::Notarization(carried));
            }
        }
    }

    /// A signature left that is not in the durable log.
    pub fn sent_before_written(&mut self, miner: MinerId, record: &LogRecord) {
        self.violated("S1", format!("{miner} sent {record:?} before it was durable"));
    }

    /// Checks that need the whole run.
    pub fn at_the_end(&mut self) {
        self.carried_certificates();
        let notarized: Vec<(Position, BlockId)> = self
            .notarized
            .iter()
            .flat_map(|(position, blocks)| blocks.iter().map(move |block| (*position, *block)))
            .collect();
        let of_round: BTreeMap<Round, BTreeSet<BlockId>> =
            notarized.iter().fold(BTreeMap::new(), |mut map, ((round, _), block)| {
                map.entry(*round).or_insert_with(BTreeSet::new).insert(*block);
                map
            });
        for (position, id) in &notarized {
            let Some(block) = self.blocks.get(id).cloned() else { continue };
            let header = *block.header();
            if (header.round, header.subround) != *position {
                self.violated("S8", format!("a notarization for {position:?} of a block of {header:?}"));
            }
            let before = Round(header.round.0 - 1);
            let parents = of_round.get(&before);
            let is_notarized = parents.is_some_and(|parents| parents.contains(&header.parent));
            if !is_notarized && header.parent != self.genesis {
                self.violated(
                    "S3",
                    format!("the parent of a notarized block of {position:?} is not notarized"),
                );
            }
            let order = self.subround_cap.map_or(header.subround, |cap| cap.min(header.subround));
            let ranks = Ranks::derive(&header.beacon, order, self.miners);
            let eligible = ranks.members().iter().take(usize::from(self.generators));
            if !eligible.into_iter().any(|member| *member == header.generator) {
                self.violated("S4", format!("{} had no turn in {position:?}", header.generator));
            }
        }
        if self.expect.sole_notarized {
            // A block that is final through a descendant only may have notarized rivals: no quorum voted for it.
            for (round, blocks) in self.voted_final.clone() {
                let rivals =
                    of_round.get(&round).is_some_and(|known| known.iter().any(|id| !blocks.contains(id)));
                if rivals {
                    self.violated("S6", format!("a rival of the final block of round {round} is notarized"));
                }
            }
        }
    }

    /// The final blocks of `who`, lowest round first.
    pub fn chain(&self, who: Peer) -> impl Iterator<Item = &Arc<Block>> {
        let chain = self.chains.get(&who).map_or(&[][..], Vec::as_slice);
        chain.iter().filter_map(|id| self.blocks.get(id))
    }

    /// The miners that ticketed a block, as far as it was seen.
    pub fn ticketed(&self, block: &Block) -> Vec<MinerId> {
        let position = (block.round(), block.subround());
        let did = |ledger: &Ledger| {
            ledger.tickets.get(&position).is_some_and(|tickets| tickets.contains(&block.id()))
        };
        self.signed.iter().filter(|(_, ledger)| did(ledger)).map(|(miner, _)| *miner).collect()
    }

    /// How many blocks `who` finalized.
    pub fn height(&self, who: Peer) -> usize {
        self.chains.get(&who).map_or(0, Vec::len)
    }

    /// The least height among honest miners.
    pub fn lowest(&self) -> usize {
        self.honest.iter().map(|&miner| self.height(Peer::Miner(miner))).min().unwrap_or(0)
    }

    /// Rounds that have a notarization in a subround above 0 (W1).
    pub fn rounds_with_later_subrounds(&self) -> usize {
        self.notarized.keys().filter(|(_, subround)| subround.0 > 0).count()
    }

    /// Rounds with two notarized blocks (W2).
    pub fn rounds_with_two_notarized(&self) -> usize {
        let mut rounds: Vec<Round> = self.notarized.keys().map(|(round, _)| *round).collect();
        let all = rounds.len();
        rounds.dedup();
        all - rounds.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zus_bpp::committee::{ChainId, Committee, Epoch};

    #[test]
    fn the_quorums_by_hand_are_those_of_every_size() {
        for miners in 1..=200 {
            let committee = Committee::new(ChainId([0; 32]), Epoch(0), miners, 0).expect("a committee");
            for rule in [QuorumRule::ByzantineMajority, QuorumRule::Percent66] {
                assert_eq!(quorum_by_hand(miners, rule), committee.quorum(rule), "{miners} {rule:?}");
            }
        }
    }
}
