//! What a miner owes: duties of the protocol that no safety property notices when they are neglected.
//!
//! The model says what *may* happen; these rules say what *must* happen in the same step, or may happen only for a reason.
//! Each names its step of protocol.md.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};

use rapidhash::fast::RapidHasher;
use zus_bpp::block::{Block, BlockId};
use zus_bpp::certified::Notarization;
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::crypto::scheme::{Domain, Scheme, Signature};
use zus_bpp::evidence::Evidence;
use zus_bpp::message::Message;
use zus_bpp::miner::{Milestone, Output, Phase, Timer};
use zus_bpp::rules::{EchoRule, FinalityRule, SubroundEntryRule, TicketLogRule, TicketRule};
use zus_bpp::statement::{FinalityVote, Proposed, Statement, Ticket};
use zus_bpp::ticket_log::{Kind, Record};

use super::oracle::message_signer;
use super::{Violation, tolerated};
use crate::world::{Cause, World, record_of};

/// Rounds above its own of which a miner keeps what it hears: one less than it has to, since a step may move it on.
const ROUNDS_HELD: u64 = 3;

/// What is known of one miner's duties.
#[derive(Clone, Debug, Default)]
struct Life {
    /// What it has said since it started, as hashes.
    said: HashSet<u64, BuildHasherDefault<RapidHasher<'static>>>,
    /// Candidates of its subround, with their ranks.
    candidates: Vec<(BlockId, u8)>,
    /// Blocks that the application has accepted.
    accepted: Vec<BlockId>,
    /// Its position.
    here: (Round, Subround),
    /// Tickets and timeouts of honest miners that reached it, straight from their signers.
    heard: Vec<(MinerId, Record)>,
    /// When it answered a peer last.
    answered: BTreeMap<Peer, u64>,
    /// Genuine statements of Byzantine members that came straight from them while their round was not left.
    claims: Vec<(MinerId, Record)>,
    /// Byzantine members that sent something else in their own name: what is looked at of these is bounded.
    noisy: Vec<MinerId>,
}

/// See the module doc.
#[derive(Clone, Debug, Default)]
pub struct Duties {
    lives: Vec<Life>,
}

impl Duties {
    fn life(&mut self, host: usize) -> &mut Life {
        if self.lives.len() <= host {
            self.lives.resize_with(host + 1, Life::default);
        }
        &mut self.lives[host]
    }

    /// A miner starts anew and owes nothing from before.
    pub fn restarted(&mut self, host: usize) {
        *self.life(host) = Life::default();
    }

    /// Judges one step. Returns the first neglected duty.
    pub fn judge<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        cause: Cause,
        decided: &[Record],
        outputs: &[Output],
    ) -> Option<Violation> {
        let id = world.hosts[host].id;
        let wrong = |property, facts| Some(Violation { property, facts });
        if let Some((miner, record)) = world.premature.first() {
            return wrong(
                "L1",
                format!("{miner} wanted {record:?} written before what it rests upon was durable"),
            );
        }
        if let Cause::Accepted(block) = cause {
            self.life(host).accepted.push(block);
        }
        for record in decided {
            let place = (record.round, record.subround);
            match record.kind {
                Kind::Ticket => {
                    if let Some(facts) = self.selection(world, host, record) {
                        return wrong("step 4", facts);
                    }
                    if let Some(facts) = self.admission(world, host, record) {
                        return wrong("step 4", facts);
                    }
                }
                // Step 9: the own wait is over, or f + 1 others have given up, one of them honest.
                Kind::Timeout => {
                    let others =
                        world.hosts.iter().filter(|other| other.id != id && other.has_said(record)).count()
                            + world.byzantine.iter().filter(|(_, known)| known == record).count();
                    let own = cause == Cause::Timer(Timer::Wait { round: place.0, subround: place.1 });
                    let held = matches!(cause, Cause::Node | Cause::Accepted(_));
                    if !own && !held && others <= tolerated(world.ground.setup.miners) {
                        return wrong(
                            "step 9",
                            format!("{id} gives {place:?} up after {cause:?}, {others} others did"),
                        );
                    }
                }
                Kind::Proposal | Kind::FinalityVote => {}
            }
        }
        if let Some(violation) = self.idle(world, host, cause, outputs) {
            return Some(violation);
        }
        for (index, output) in outputs.iter().enumerate() {
            if let Some(facts) = self.output(world, host, cause, output, &outputs[..index]) {
                return Some(facts);
            }
        }
        None
    }

    /// Steps that say nothing where something has to be said.
    fn idle<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        cause: Cause,
        outputs: &[Output],
    ) -> Option<Violation> {
        let miner = &world.hosts[host].miner;
        let (id, round, subround) = (world.hosts[host].id, miner.round(), miner.subround());
        let wrong = |property, facts| Some(Violation { property, facts });
        let says = |is: &dyn Fn(&Output) -> bool| outputs.iter().any(is);
        // Step 1: a share is sent on entering a round.
        let enters = |output: &Output| matches!(output, Output::Milestone(Milestone::Entered { round: r, subround: Subround(0) }) if *r == round);
        let shares = |output: &Output| matches!(output, Output::Broadcast { message: Message::BeaconShare(share), .. } if share.target.round() == round);
        // A chained beacon signs the value of the block before, which may be missing.
        let can_share = !world.ground.setup.chained()
            || round == Round(1)
            || round.previous().is_some_and(|before| miner.block(before, miner.entry()).is_some());
        if says(&enters) && can_share && !says(&shares) {
            return wrong("step 1", format!("{id} enters round {round} and sends no share"));
        }
        // Step 5: after the window the first accepted candidate is ticketed.
        if let Cause::Accepted(block) = cause
            && miner.phase() == Phase::Ticketing
            && self.life(host).candidates.iter().any(|(known, _)| *known == block)
            && miner.ticketed(round, subround).next().is_none()
        {
            return wrong("step 5", format!("{id} does not ticket {block}, which came after the window"));
        }
        // Step 9: whoever has given a subround up has decided to say so.
        let gave_up = miner.highest_timeout().map(|timeout| (timeout.round, timeout.subround));
        if miner.phase() == Phase::TimedOut && !miner.is_closed(round) && gave_up < Some((round, subround)) {
            return wrong(
                "step 9",
                format!("{id} does nothing in ({round}, {subround}) and has not given it up"),
            );
        }
        // L3: while nothing moves, a miner says its position again and again.
        let again = |output: &Output| matches!(output, Output::SetTimer { timer: Timer::Resend { .. }, .. });
        if cause == Cause::Timer(Timer::Resend { round, subround }) {
            if !says(&again) {
                return wrong("L3", format!("{id} stops saying its position in ({round}, {subround})"));
            }
            // What it has said here, and its newest vote above the head, since votes finalize what is below them too.
            let said = world.hosts[host].said.iter();
            let here = said.clone().filter(|record| {
                (record.round, record.subround) == (round, subround) && record.kind != Kind::FinalityVote
            });
            let votes = said.filter(|record| {
                record.kind == Kind::FinalityVote && record.round > miner.finalized().round()
            });
            let newest = votes.max_by_key(|record| record.round);
            // Without a log a restarted miner does not know what it has said.
            let forgot = world.ground.setup.rules.ticket_log == TicketLogRule::Volatile && world.crashes > 0;
            let unsaid = here.chain(newest).find(|record| {
                !forgot
                    && !says(&|output: &Output| matches!(output, Output::Broadcast { message, .. } if record_of(message).as_ref() == Some(record)))
            });
            if let Some(record) = unsaid {
                return wrong("L3", format!("{id} does not say {record:?} again"));
            }
        }
        None
    }

    /// What a miner must do because of what it has heard: only signatures of honest miners that came straight from them are
    /// counted here, so that no bound on what peers may fill protects a miner that does nothing.
    pub fn heard<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        heard: Option<&(Peer, Message)>,
        outputs: &[Output],
    ) -> Option<Violation> {
        let found = &world.hosts[host];
        let (id, here) = (found.id, (found.miner.round(), found.miner.subround()));
        let (q, f) = (world.ground.setup.quorum(), tolerated(world.ground.setup.miners));
        let wrong = |property, facts| Some(Violation { property, facts });
        if let Some((from, message)) = heard
            && let Some(facts) = self.culprit(world, host, *from, message)
        {
            return wrong("S10", facts);
        }
        let life = self.life(host);
        if let Some((from, message)) = heard {
            if let Some(record) = record_of(message)
                && record.kind != Kind::Proposal
                && let Peer::Miner(signer) = *from
                && world.host_of(signer).is_some_and(|other| world.hosts[other].has_said(&record))
                && message_signer(message) == Some(signer)
                && !life.heard.contains(&(signer, record))
            {
                life.heard.push((signer, record));
            }
            // Step 9: a proposal of a later subround shows that the one before was given up, where that takes a certificate.
            if world.ground.setup.rules.subround_entry == SubroundEntryRule::Certificate
                && let Message::Proposal(proposal) = message
                && let Some(before) = proposal.block.subround().previous()
                && !proposal.timeout_certificate.as_ref().is_some_and(|known| {
                    (known.round, known.subround) == (proposal.block.round(), before)
                })
                && outputs.iter().any(|output| matches!(output, Output::Milestone(Milestone::Collected { block, .. }) if block.block == proposal.block.id()))
            {
                return wrong(
                    "step 9",
                    format!("{id} takes {} without a timeout certificate", proposal.block.id()),
                );
            }
            // Step 10: the certificate that makes a block final here is relayed.
            if let Message::FinalityCertificate(known) = message {
                let finalizes = |output: &Output| matches!(output, Output::Milestone(Milestone::Finalized { block, .. }) if *block == known.block);
                let relays = |output: &Output| {
                    matches!(output, Output::Broadcast { message: Message::FinalityCertificate(_), .. })
                };
                let echoes = world.ground.setup.rules.echo == EchoRule::Certificates;
                if echoes && outputs.iter().any(finalizes) && !outputs.iter().any(relays) {
                    return wrong(
                        "step 10",
                        format!("{id} does not relay the finality certificate of {}", known.block),
                    );
                }
            }
            // S10: whoever is helped to catch up is told of offences, too: it was not there when they were proved.
            if let (Peer::Miner(_), Message::ChainRequest(_)) = (from, message) {
                let to = |output: &Output, is: fn(&Message) -> bool| matches!(output, Output::Send { to, message } if to == from && is(message));
                let helps =
                    |output: &Output| to(output, |message| matches!(message, Message::ChainResponse(_)));
                let tells = |output: &Output| to(output, |message| matches!(message, Message::Evidence(_)));
                // L4: an answer begins right above what was asked for.
                if let Message::ChainRequest(request) = message {
                    let first = outputs.iter().find_map(|output| match output {
                        Output::Send { to, message: Message::ChainResponse(response) } if to == from => {
                            response.blocks.first()
                        }
                        _ => None,
                    });
                    if let Some(first) = first.filter(|first| first.round() != request.after.next()) {
                        let (asked, begins) = (request.after, first.round());
                        return wrong(
                            "L4",
                            format!("{id} is asked for what is above {asked} and answers from {begins} on"),
                        );
                    }
                }
                if outputs.iter().any(helps)
                    && !found.miner.evidence().is_empty()
                    && !outputs.iter().any(tells)
                {
                    return wrong("S10", format!("{id} helps {from} and does not tell what it can prove"));
                }
            }
            // Step 8: a notarization of its round or a later one makes it leave.
            if let Message::Notarization(known) = message
                && is_genuine(world, known)
                && here.0 <= known.round
            {
                return wrong(
                    "step 8",
                    format!("{id} stays in round {} with a notarization of round {}", here.0, known.round),
                );
            }
        }
        // Step 10: q votes for a block make it final, or wait for what leads to it.
        let known = found.miner.pending_finality().map_or(Round(0), |pending| pending.round);
        let known = known.max(found.miner.finalized().round());
        for (_, vote) in life.heard.iter().filter(|(_, record)| record.kind == Kind::FinalityVote) {
            let others = life.heard.iter().filter(|(_, record)| record == vote).count();
            // Without a log a restarted miner does not know its own vote any more.
            let durable = world.ground.setup.rules.ticket_log == TicketLogRule::Durable;
            let count = others + usize::from(durable && found.has_said(vote));
            if vote.round > known && count >= q {
                return wrong(
                    "step 10",
                    format!("{id} has {count} votes like {vote:?}, and nothing is final"),
                );
            }
        }
        if world.is_parked(host) || !found.up {
            return None;
        }
        let mut counted: Vec<(Record, usize)> = Vec::new();
        let of_here =
            |record: &Record| (record.round, record.subround) == here && record.kind != Kind::FinalityVote;
        for (_, record) in life.heard.iter().filter(|(_, record)| of_here(record)) {
            match counted.iter_mut().find(|(known, _)| known == record) {
                Some((_, count)) => *count += 1,
                None => counted.push((*record, 1)),
            }
        }
        for (record, others) in counted {
            // Without a log a restarted miner does not know its own signature any more.
            let forgot = world.ground.setup.rules.ticket_log == TicketLogRule::Volatile
                && match record.kind {
                    Kind::Ticket => !found.miner.tickets().map(Record::from).any(|known| known == record),
                    _ => found.miner.highest_timeout().map(Record::from) != Some(record),
                };
            let own = usize::from(found.has_said(&record) && !forgot);
            match record.kind {
                // Step 6: q tickets make a notarization, the own one among them.
                Kind::Ticket if others + own >= q => {
                    return wrong(
                        "step 6",
                        format!("{id} stays in {here:?} with {others} + {own} tickets for one block"),
                    );
                }
                // Step 9: f + 1 make it join, q let it go on.
                Kind::Timeout
                    if others > f && found.miner.phase() != Phase::TimedOut && joins(world, host) =>
                {
                    return wrong(
                        "step 9",
                        format!("{id} does not join {others} others that gave {here:?} up"),
                    );
                }
                Kind::Timeout if others + own >= q => {
                    return wrong("step 9", format!("{id} stays in {here:?} with {others} + {own} timeouts"));
                }
                _ => {}
            }
        }
        None
    }

    /// S10: who hears two statements of one member that no honest miner signs both, straight from it, can prove it. Only where
    /// nothing that the member does keeps the first from being held: its round was not left, a block became a candidate.
    fn culprit<S: Scheme + Clone>(
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
        if ahead.is_none_or(|ahead| ahead > ROUNDS_HELD) || life.noisy.contains(&signer) {
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
        let first = life.claims.iter().find(|(by, old)| *by == signer && contradicts(old)).copied();
        if !life.claims.contains(&(signer, record)) {
            life.claims.push((signer, record));
        }
        let (_, first) = first?;
        let proved = found.miner.evidence().iter().any(|proof| is_against(proof, signer));
        (!proved)
            .then(|| format!("{} heard {first:?} and {record:?} of {signer}, and has no proof", found.id))
    }

    /// Step 4: no better block was a candidate and accepted.
    fn selection<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        record: &Record,
    ) -> Option<String> {
        let id = world.hosts[host].id;
        let life = self.life(host);
        if life.here != (record.round, record.subround) {
            return None;
        }
        let ticketed = BlockId(record.block);
        let rank = life.candidates.iter().find(|(block, _)| *block == ticketed).map(|(_, rank)| *rank)?;
        let better =
            life.candidates.iter().find(|(block, other)| *other < rank && life.accepted.contains(block))?;
        Some(format!("{id} ticketed {ticketed} of rank {rank}, and had {} of rank {}", better.0, better.1))
    }

    /// Step 4: what is ticketed is of this chain, not older than its parent and not of the future, and the application has
    /// accepted it.
    fn admission<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        record: &Record,
    ) -> Option<String> {
        let (id, config) = (world.hosts[host].id, &world.ground.config);
        let block = world.block(&BlockId(record.block))?;
        let (header, committee) = (block.header(), &config.committee);
        let parent = world.block(&header.parent).map_or(&config.genesis, |parent| parent);
        let why = if (header.chain, header.epoch) != (committee.chain(), committee.epoch()) {
            "which is of another chain or epoch"
        } else if header.time < parent.header().time {
            "which is older than its parent"
        } else if !descends(world, block, world.hosts[host].miner.finalized()) {
            "which does not descend from its finalized head"
        } else if header.time.0 > world.now.0 + config.timing.clock_drift {
            "which is of the future"
        } else if self.life(host).here == (record.round, record.subround)
            && !self.life(host).accepted.contains(&block.id())
        {
            "which the application has not accepted"
        } else {
            return None;
        };
        Some(format!("{id} ticketed {}, {why}", block.id()))
    }

    fn output<S: Scheme + Clone>(
        &mut self,
        world: &World<S>,
        host: usize,
        cause: Cause,
        output: &Output,
        before: &[Output],
    ) -> Option<Violation> {
        let id = world.hosts[host].id;
        let wrong = |property, facts| Some(Violation { property, facts });
        let life = self.life(host);
        match output {
            Output::Milestone(Milestone::Entered { round, subround }) => {
                life.here = (*round, *subround);
                life.candidates.clear();
                // Step 9: the certificate through which the subround was entered is relayed.
                let certificate = |output: &Output| {
                    matches!(output, Output::Broadcast { message: Message::TimeoutCertificate(known), .. }
                        if known.round == *round && known.subround.0 + 1 == subround.0)
                };
                // Without an echo only whoever made it broadcasts it, which is not said by an output.
                let rules = &world.ground.setup.rules;
                let owes = rules.subround_entry == SubroundEntryRule::Certificate
                    && rules.echo == EchoRule::Certificates;
                if subround.0 > 0 && cause != Cause::Start && owes && !before.iter().any(certificate) {
                    return wrong(
                        "step 9",
                        format!("{id} enters ({round}, {subround}) and relays no certificate"),
                    );
                }
            }
            Output::Milestone(Milestone::Left { round, block, .. }) => {
                // Step 7: everyone relays the notarization that makes it move.
                let notarization = |output: &Output| {
                    matches!(output, Output::Broadcast { message: Message::Notarization(known), .. }
                        if known.block == *block)
                };
                let formed = |output: &Output| {
                    matches!(output, Output::Milestone(Milestone::Notarized { ticket, formed: true })
                        if ticket.block == *block)
                };
                // Without an echo only whoever made it broadcasts it.
                let owes =
                    world.ground.setup.rules.echo == EchoRule::Certificates || before.iter().any(formed);
                if owes && !before.iter().any(notarization) {
                    return wrong(
                        "step 7",
                        format!("{id} leaves round {round} and does not relay the notarization"),
                    );
                }
            }
            Output::Milestone(Milestone::Collected { block, generator, .. }) => {
                if (block.round, block.subround) == life.here
                    && let Some(rank) =
                        world.ground.rank(block.round.0, block.subround.0, &world.seed_of(host), *generator)
                {
                    life.candidates.push((block.block, rank));
                }
                return self.parent(world, id, block.block);
            }
            // Another seed, another order of generators: the candidates of the old one are none any more.
            Output::Milestone(Milestone::Adopted { .. }) => life.candidates.clear(),
            // Steps 3 and 9, L3, L4: waits are those of the configuration, and grow with the subround.
            Output::SetTimer { timer, at } => {
                let timing = &world.ground.config.timing;
                let times = |subround: Subround| u64::from(subround.0) + 1;
                let waits = match timer {
                    Timer::Window { subround, .. } => timing.window * times(*subround),
                    Timer::Wait { subround, .. } => (timing.window + timing.ticket_wait) * times(*subround),
                    Timer::Resend { .. } => timing.resend,
                    Timer::CatchUp => timing.catch_up,
                    Timer::Finality { .. } => 2 * timing.delta,
                };
                if at.0 != world.now.0 + waits {
                    let found = at.0.saturating_sub(world.now.0);
                    return wrong("timers", format!("{id} waits {found} ms, not {waits}, for {timer:?}"));
                }
            }
            // S10: evidence is relayed to all.
            Output::Evidence(evidence) => {
                let relayed = |output: &Output| matches!(output, Output::Broadcast { message: Message::Evidence(known), .. } if known == evidence);
                if !before.iter().any(relayed) {
                    return wrong("S10", format!("{id} keeps evidence to itself"));
                }
            }
            // What was said is said again only when nothing moves.
            Output::Broadcast { message, .. } => {
                let mut hasher = RapidHasher::default();
                message.hash(&mut hasher);
                let again = !life.said.insert(hasher.finish());
                let may = matches!(cause, Cause::Start | Cause::Timer(Timer::Resend { .. }));
                if again && !may {
                    return wrong("said twice", format!("{id} says again, after {cause:?}: {message:?}"));
                }
            }
            Output::Send { to, message: Message::ChainResponse(_) } => {
                let last = life.answered.insert(*to, world.now.0);
                let interval = world.ground.config.timing.answer_interval;
                if last.is_some_and(|last| world.now.0 < last + interval) {
                    return wrong("answers", format!("{id} answers {to} twice within {interval} ms"));
                }
            }
            _ => {}
        }
        None
    }

    /// Step 4 (S3): a candidate's parent is notarized in exactly the round before.
    fn parent<S: Scheme + Clone>(&self, world: &World<S>, id: MinerId, block: BlockId) -> Option<Violation> {
        let found = world.block(&block)?;
        let (round, parent) = (found.round(), found.header().parent);
        // S9: its beacon signature, which the id does not cover, is the committee's.
        if world.ground.beacon_of(round).is_some_and(|(signature, _)| signature != *found.beacon_signature())
        {
            let facts = format!("{id} takes {block} with another beacon signature as a candidate");
            return Some(Violation { property: "S9", facts });
        }
        let genesis = round == Round(1) && parent == world.ground.config.genesis.id();
        let notarized =
            world.notarized.iter().any(|known| known.block == parent && known.round.next() == round);
        (!genesis && !notarized).then(|| Violation {
            property: "S3",
            facts: format!("{id} takes {block} of round {round} as a candidate, whose parent is not notarized in the round before"),
        })
    }
}

/// Whether a block of a round above that of `head` has it among its ancestors (S7).
pub fn descends<S: Scheme + Clone>(world: &World<S>, block: &Block, head: &Block) -> bool {
    let (mut round, mut parent) = (block.round(), block.header().parent);
    while round > head.round().next() {
        let Some(found) = world.block(&parent) else { return true };
        (round, parent) = (found.round(), found.header().parent);
    }
    round <= head.round() || parent == head.id()
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

/// Whether every signer of a notarization has signed it, and there are enough of them.
fn is_genuine<S: Scheme + Clone>(world: &World<S>, known: &Notarization) -> bool {
    let record = Record::ticket(known.round, known.subround, known.block.0);
    let signed = |signer: MinerId| match world.host_of(signer) {
        Some(host) => world.hosts[host].has_said(&record),
        None => world.byzantine.contains(&(signer, record)),
    };
    let signers = &known.certificate.signers;
    signers.count() >= world.ground.setup.quorum()
        && signers.iter().all(signed)
        && known.certificate.aggregate
            == aggregate(world, &record, signers.iter()).unwrap_or(known.certificate.aggregate)
}

/// The sum of the signatures of `signers` over a ticket; a relabelled or forged certificate has another.
fn aggregate<S: Scheme + Clone>(
    world: &World<S>,
    record: &Record,
    signers: impl Iterator<Item = MinerId>,
) -> Option<Signature> {
    let ticket = Ticket { round: record.round, subround: record.subround, block: BlockId(record.block) };
    let message = ticket.preimage(&world.ground.config.committee);
    let keys = &world.ground.keys;
    let signature = |signer: MinerId| keys.members.get(usize::from(signer.0))?.sign(Domain::Ticket, &message);
    keys.observer.aggregate(&signers.map(signature).collect::<Option<Vec<_>>>()?)
}

/// Whether the bounds of the world let a miner give its subround up. (Nobody gives the last one up there.)
fn joins<S: Scheme + Clone>(world: &World<S>, host: usize) -> bool {
    let (round, subround) = (world.hosts[host].miner.round(), world.hosts[host].miner.subround());
    world.may_fire(host, &Timer::Wait { round, subround })
}
