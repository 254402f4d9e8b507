//! A target about worlds that the protocol does not promise to survive, and what holds there all the same.
//!
//! `overrun`: more than `f` members are Byzantine, up to all but one. Blocks conflict, and so do certificates; still no head
//! moves back or aside (S7), no honest miner contradicts itself (S1) or is convicted, and whoever sees two certificates that
//! cannot both be has the proof against those who signed both (S10).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zus_bpp::block::{Block, BlockId};
use zus_bpp::certified::{FinalityCertificate, Notarization};
use zus_bpp::committee::{MinerId, Peer, Round, SharderId, Subround};
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::evidence::Evidence;
use zus_bpp::message::Message;
use zus_bpp::miner::{Milestone, Output};
use zus_bpp::sharder::{SharderInput, SharderOutput};
use zus_bpp::statement::Ticket;
use zus_bpp::ticket_log::{Kind, LogRecord};

use crate::byzantine::{Deed, Flaw};
use crate::oracles::{descends, guilty, quorum, tolerated};
use crate::schedule::operation::perform;
use crate::schedule::{Operation, Schedule, ground_of, resolve};
use crate::schedule::{told_members, told_record};
use zus_sim::messages::{self, Said};

use crate::world::{Event, Receivers, SHARDER, Watch, World, bit, record_of};

/// Final blocks of which a miner keeps the certificates.
const FINAL_BLOCKS_KEPT: u64 = 64;

/// The notarizations that were shown to a miner in a step, and those that it sent on.
fn certificates_in(heard: Option<&Message>, outputs: &[Output]) -> Vec<Arc<Notarization>> {
    let said = outputs.iter().filter_map(Output::message);
    let inside = |message: &Message| -> Vec<Arc<Notarization>> {
        match messages::said(message) {
            Said::Notarization(known) => vec![Arc::clone(known)],
            Said::Proposal(proposal) => proposal.block.parent_notarization().cloned().into_iter().collect(),
            Said::Blocks(response) => {
                let blocks = response.blocks.iter().filter_map(|block| block.parent_notarization().cloned());
                blocks.chain([Arc::clone(&response.notarization)]).collect()
            }
            Said::Evidence(proof) => match proof {
                Evidence::Notarizations { first, second } => vec![Arc::clone(first), Arc::clone(second)],
                Evidence::NotarizationAgainstFinality { notarization, .. } => vec![Arc::clone(notarization)],
                Evidence::Proposals { .. }
                | Evidence::Tickets { .. }
                | Evidence::FinalityVotes { .. }
                | Evidence::TicketAgainstVote { .. }
                | Evidence::FinalityCertificates { .. } => Vec::new(),
            },
            Said::Share(_)
            | Said::Ticket(_)
            | Said::Timeout(_)
            | Said::TimeoutCertificate(_)
            | Said::Vote(_)
            | Said::FinalityCertificate(_)
            | Said::Unsigned => Vec::new(),
        }
    };
    heard.into_iter().chain(said).flat_map(inside).collect()
}

/// Properties that hold with any number of Byzantine members.
#[derive(Default)]
struct Remains {
    /// The final chain of each participant, from round 1.
    chains: BTreeMap<Peer, Vec<BlockId>>,
    /// The newest finality certificate that each honest miner has relayed.
    certified: BTreeMap<usize, Arc<FinalityCertificate>>,
    /// Notarizations of each honest miner.
    notarized: BTreeMap<usize, Vec<Ticket>>,
    /// The certificates of these, where only one was shown in the step that told of them.
    certificates: BTreeMap<usize, Vec<Arc<Notarization>>>,
    /// Members against whom each honest miner has put out evidence.
    convicted: BTreeMap<usize, BTreeSet<MinerId>>,
    wrong: Option<String>,
}

impl Remains {
    fn wrong(&mut self, facts: String) {
        self.wrong.get_or_insert(facts);
    }

    /// S7: each final block extends the one before it, whoever says what.
    fn finalized(&mut self, world: &World<MockScheme>, who: Peer, block: &Block) {
        let chain = self.chains.entry(who).or_default();
        let round = Round(chain.len() as u64);
        let head = chain.last().copied().unwrap_or(world.ground.config.genesis.id());
        chain.push(block.id());
        if (round.next(), head) != (block.round(), block.header().parent) {
            self.wrong(format!(
                "S7: {who} finalized {} of round {} on top of {head} of round {round}",
                block.id(),
                block.round()
            ));
        }
    }

    /// S10: who is shown two certificates that cannot both be can prove who signed both.
    fn accountable(&mut self, world: &World<MockScheme>, host: usize) {
        let id = world.hosts[host].id;
        let n = world.ground.setup.miners;
        let least = 2 * quorum(n) - usize::from(n);
        let known = self.notarized.entry(host).or_default();
        let broken = known.iter().enumerate().find_map(|(index, first)| {
            let same = |other: &&Ticket| (other.round, other.subround) == (first.round, first.subround);
            known[index + 1..].iter().find(same).map(|second| (*first, *second))
        });
        let Some((first, second)) = broken else { return };
        let convicted = self.convicted.entry(host).or_default();
        if convicted.len() < least {
            let convicted =
                if convicted.is_empty() { "nobody".into() } else { told_members(convicted.iter().copied()) };
            self.wrong(format!(
                "S10: {id} knows {} and {} notarized in ({}, {}), and convicts {convicted}, fewer than {least}",
                first.block, second.block, first.round, first.subround
            ));
        }
    }

    /// S10: two finality certificates of one round are proof by themselves, and so is one beside the notarization of another final
    /// block.
    fn conflict(
        &mut self,
        world: &World<MockScheme>,
        host: usize,
        round: Round,
        other: &FinalityCertificate,
    ) {
        let certified = self.certified.get(&host).map(Arc::clone);
        let convicted = self.convicted.entry(host).or_default().clone();
        let certified = certified.as_deref().filter(|own| own.round == round && own.block != other.block);
        // The oracle itself remembers the final blocks and the certificates that were shown for them.
        let chain = self.chains.get(&Peer::Miner(world.hosts[host].id)).map_or(&[][..], Vec::as_slice);
        let kept = (chain.len() as u64).saturating_sub(FINAL_BLOCKS_KEPT) < round.0;
        let rival = usize::try_from(round.0).ok().and_then(|round| chain.get(round.checked_sub(1)?));
        let rival = rival.copied().filter(|own| kept && *own != other.block);
        let known = self.certificates.get(&host).map_or(&[][..], Vec::as_slice);
        let notarized = known.iter().filter(|known| Some(known.block) == rival);
        let own = certified.map(|own| &own.certificate).into_iter();
        let own = own.chain(notarized.map(|own| &own.certificate));
        let signers = own.flat_map(|certificate| certificate.signers.iter());
        let mut guilty = signers.filter(|id| other.certificate.signers.contains(*id));
        let unproved = guilty.find(|id| !convicted.contains(id));
        drop(guilty);
        if let Some(guilty) = unproved {
            self.wrong(format!(
                "S10: {} has two final blocks of round {round}, and does not convict {guilty} of both",
                world.hosts[host].id
            ));
        }
    }

    /// S5: whoever is shown that another block than its own is final says so. A forged certificate is refused.
    fn silent(&mut self, who: Peer, other: &FinalityCertificate, refused: bool, conflict: bool) {
        let chain = self.chains.get(&who).map_or(&[][..], Vec::as_slice);
        let own = usize::try_from(other.round.0).ok().and_then(|round| chain.get(round.checked_sub(1)?));
        if let Some(own) = own
            && *own != other.block
            && !refused
            && !conflict
        {
            let (round, block) = (other.round, other.block);
            self.wrong(format!(
                "S5: {who} has {own} in round {round}, is shown that {block} is final, and does not say so"
            ));
        }
    }

    /// S1: an honest miner contradicts nothing that it has said.
    fn said(&mut self, world: &World<MockScheme>, host: usize, new: &LogRecord) {
        let old = world.hosts[host].said.iter().find(|old| {
            let same_place = (old.round, old.subround) == (new.round, new.subround);
            old.block != new.block
                && match (old.kind, new.kind) {
                    (Kind::Proposal, Kind::Proposal) | (Kind::Ticket, Kind::Ticket) => same_place,
                    (Kind::FinalityVote, Kind::FinalityVote | Kind::Ticket)
                    | (Kind::Ticket, Kind::FinalityVote) => old.round == new.round,
                    (Kind::Timeout, _) | (_, Kind::Timeout) | (Kind::Proposal, _) | (_, Kind::Proposal) => {
                        false
                    }
                }
        });
        if let Some(old) = old {
            let (old, new) = (told_record(old), told_record(new));
            self.wrong(format!("S1: {} signed {old} and {new}", world.hosts[host].id));
        }
    }
}

impl Watch<MockScheme> for Remains {
    fn watch(&mut self, world: &World<MockScheme>, event: &Event) {
        match event {
            Event::Step { host, heard, decided, outputs, .. } => {
                let id = world.hosts[*host].id;
                if let Some((_, Message::FinalityCertificate(other))) = heard {
                    let says = |is: fn(&Output) -> bool| outputs.iter().any(is);
                    let refused = says(|output| matches!(output, Output::Refused { .. }));
                    let conflict = says(|output| matches!(output, Output::Conflict { .. }));
                    self.silent(Peer::Miner(id), other, refused, conflict);
                }
                // Step 4: what is ticketed extends the own finalized head.
                for record in decided.iter().filter(|record| record.kind == Kind::Ticket) {
                    let head = world.hosts[*host].miner.finalized();
                    if let Some(block) = world.block(&BlockId(record.block))
                        && !descends(world, block, head)
                    {
                        self.wrong(format!("S7: {id} tickets {}, beside its head {}", block.id(), head.id()));
                    }
                }
                // All outputs of a step count, in any order: a conflict comes before its proof.
                for output in outputs {
                    if let Output::Evidence(proof) = output {
                        self.convicted.entry(*host).or_default().extend(guilty(proof));
                    }
                }
                for output in outputs {
                    match output {
                        Output::Finalized(found) => self.finalized(world, Peer::Miner(id), &found.block),
                        Output::Milestone(Milestone::Notarized { ticket, .. }) => {
                            self.notarized.entry(*host).or_default().push(*ticket);
                            let mut shown =
                                certificates_in(heard.as_ref().map(|(_, message)| message), outputs);
                            shown.retain(|known| known.statement == *ticket);
                            shown.dedup();
                            if let [only] = &shown[..] {
                                self.certificates.entry(*host).or_default().push(Arc::clone(only));
                            }
                        }
                        Output::Broadcast { message, .. } => {
                            if let Message::FinalityCertificate(own) = message {
                                let newest = self.certified.entry(*host).or_insert_with(|| Arc::clone(own));
                                if newest.round < own.round {
                                    *newest = Arc::clone(own);
                                }
                            }
                            if let Some(record) = record_of(message) {
                                self.said(world, *host, &record);
                            }
                        }
                        Output::Evidence(proof) => {
                            let convicts = guilty(proof);
                            for convicted in convicts {
                                if !world.ground.setup.is_byzantine(convicted) {
                                    let round = proof.round();
                                    self.wrong(format!(
                                        "S10: honest {convicted} is convicted by evidence of round {round}"
                                    ));
                                }
                            }
                        }
                        Output::Conflict { round, block } => {
                            if let Some((_, Message::FinalityCertificate(other))) = heard
                                && other.block == *block
                            {
                                self.conflict(world, *host, *round, other);
                            }
                        }
                        _ => {}
                    }
                }
                self.accountable(world, *host);
            }
            Event::Sharder { input, outputs } => {
                let who = Peer::Sharder(SharderId(0));
                if let SharderInput::Message { message: Message::FinalityCertificate(other), .. } = input {
                    let says = |is: fn(&SharderOutput) -> bool| outputs.iter().any(is);
                    let refused = says(|output| matches!(output, SharderOutput::Refused { .. }));
                    let conflict = says(|output| matches!(output, SharderOutput::Conflict { .. }));
                    self.silent(who, other, refused, conflict);
                }
                for output in outputs {
                    if let SharderOutput::Finalized(found) = output {
                        self.finalized(world, who, &found.block);
                    }
                }
            }
            // Evidence is not kept over a restart, nor is what it is about.
            Event::Restarted { host } => {
                self.notarized.remove(host);
                self.certificates.remove(host);
                self.convicted.remove(host);
            }
            Event::Crashed { .. } => {}
        }
    }
}

/// See the module doc.
///
/// # Panics
/// When something is wrong.
pub fn overrun(bytes: &[u8]) {
    let schedule = Schedule::from_file(bytes);
    // Other rules allow more by themselves (`oracles::scope`); what remains under them is asked by the target `profiles`.
    let mut setup = schedule.header.hardened().setup();
    setup.miners = setup.miners.min(7);
    let most = setup.miners - 1;
    let least = tolerated(setup.miners) as u16 + 1;
    // Seldom just above what is tolerated, often enough of them for every certificate.
    let count = if schedule.header.0[1] & 1 == 0 {
        most
    } else {
        least + u16::from(schedule.header.0[1] >> 1) % (most + 1 - least)
    };
    setup.byzantine = (0..count).collect();
    let mut world = World::new(ground_of(&setup));
    let mut remains = Remains::default();
    world.start(&mut remains);
    // Half of the inputs in which the Byzantine members are enough for every certificate begin with two final blocks of one round.
    let forks = [Fork::Twin, Fork::Child, Fork::NextSubround, Fork::FinalityOnly];
    if count == most && schedule.header.0[7] & 1 == 0 {
        let bits = schedule.header.0[7];
        let second = forks[usize::from(bits >> 1 & 3)];
        let plan = Plan { second, votes_first: bits & 8 == 0, few: bits & 16 == 0, tall: bits & 32 != 0 };
        fork(&mut world, &mut remains, &plan);
    }
    for choice in &schedule.choices {
        if remains.wrong.is_none()
            && let Some(operation) = resolve(&world, *choice, schedule.header.swarm())
        {
            perform(&mut world, &operation, &mut remains);
        }
        if let Some(wrong) = &remains.wrong {
            panic!(
                "{wrong}\nwith {count} of {} miners Byzantine: {:02x?}",
                setup.miners,
                schedule.explicit()
            );
        }
    }
}

/// How the second of two final blocks of round 1 comes about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fork {
    /// The twin of the first.
    Twin,
    /// The same, and what becomes final is its child.
    Child,
    /// In the next subround.
    NextSubround,
    /// The same, and nothing but its finality certificate is shown.
    FinalityOnly,
}

/// The plan of a fork that Byzantine members, a quorum of them, make.
struct Plan {
    second: Fork,
    /// Whether the finality certificate of a block comes first: the votes are those of Byzantine members alone.
    votes_first: bool,
    /// Whether honest miners make the first notarization of their own tickets and as few others as suffice: who is guilty of two
    /// finality certificates need not be in it.
    few: bool,
    /// Whether the first branch is longer than the second, which then contradicts what is below a head.
    tall: bool,
}

/// Two blocks of round 1 become final, and everything is shown to everybody.
fn fork(world: &mut World<MockScheme>, remains: &mut Remains, plan: &Plan) {
    if grow(world, remains, plan, None).is_some() {
        // Where no generator of a subround is Byzantine there is no fork.
        let _ = grow(world, remains, plan, Some(plan.second));
    }
}

/// One branch of a fork: the first, or the second and how it comes about.
fn grow(
    world: &mut World<MockScheme>,
    remains: &mut Remains,
    plan: &Plan,
    second: Option<Fork>,
) -> Option<()> {
    let everybody = world.hosts.iter().fold(SHARDER, |set, host| set | bit(Peer::Miner(host.id)));
    let members: Vec<MinerId> = world.ground.setup.byzantine.iter().copied().map(MinerId).collect();
    let shown = if second == Some(Fork::FinalityOnly) { 0 } else { everybody };
    let of_second = if plan.second == Fork::Child { 2 } else { 1 };
    let height = match second {
        Some(_) => of_second,
        None if plan.tall => of_second + 1,
        None => 1,
    };
    let subround = Subround(u32::from(matches!(second, Some(Fork::NextSubround | Fork::FinalityOnly))));
    let mut does = |world: &mut World<MockScheme>, operation: Operation| {
        perform(world, &operation, remains);
        perform(world, &Operation::DeliverAll { to: everybody, kind: None }, remains);
    };
    let by = |member: MinerId, deed: Deed, to: Receivers| Operation::Byzantine { member, deed, to };
    let mut parent = world.ground.config.genesis.id();
    for round in (1..=height).map(Round) {
        let order = world.ground.order(round.0, subround.0).to_vec();
        let member = order.into_iter().find(|id| world.ground.setup.is_byzantine(*id))?;
        let made = world.blocks.len();
        does(world, by(member, Deed::Share { round, garbage: false }, everybody));
        does(world, by(member, Deed::Propose { round, subround, parent, flaw: Flaw::None }, shown));
        let own = |block: &&Arc<Block>| block.header().generator == member;
        parent = world.blocks[made..].iter().rev().find(own)?.id();
        let ticket = LogRecord::ticket(round, subround, parent.0);
        let vote = Deed::Certify(LogRecord::finality_vote(round, subround, parent.0));
        let vote = (round.0 == height).then(|| by(member, vote, everybody));
        if let Some(vote) = vote.clone().filter(|_| plan.votes_first) {
            does(world, vote);
        }
        if second.is_none() && plan.few {
            does(world, Operation::FireAll { waits: false });
            for guilty in &members[..quorum(world.ground.setup.miners) - 1] {
                does(world, by(*guilty, Deed::Sign(ticket), shown));
            }
        } else {
            does(world, by(member, Deed::Certify(ticket), shown));
        }
        if let Some(vote) = vote.filter(|_| !plan.votes_first) {
            does(world, vote);
        }
    }
    Some(())
}
