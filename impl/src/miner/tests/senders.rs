//! The permitted senders of each kind of message, and the peer that a wrong one counts against, by an exhaustive match.

use std::sync::Arc;
use std::time::Duration;

use super::settings::MILLISECOND;
use super::stage::{Stage, id, is_refused, refusal, ticket_of, vote_of};
use crate::block::Time;
use crate::committee::{ChainId, Committee, Epoch, Peer, Round, SharderId, Subround};
use crate::crypto::curve::G1;
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::crypto::uncompressed::UncompressedSignature;
use crate::evidence::{Evidence, EvidenceError};
use crate::limits::{
    ANSWER_ALLOWANCE_BYTES, ANSWER_BYTES_PER_REQUEST_BYTE, ANSWER_BYTES_PER_SECOND, BYTES_PER_WORK,
    CHECK_WORK, FAULT_WORK, MAX_MINERS, MAX_PAYLOAD_BYTES, MESSAGE_WORK, RESENT_VOTES, SERVED_BYTES,
    WORK_LIMIT, WORK_PER_SECOND,
};
use crate::message::{ChainRequest, ChainResponse, Message, MessageKind, UncompressedTicket};
use crate::miner::{
    Config, Input, Miner, Output, ProposalError, Recovery, Refusal, StartError, TicketForm, Timer, Timing,
};
use crate::rules::{Rules, TicketRule};
use crate::statement::{Ticket, Timeout};
use crate::wire::{self, Glance, WireError};

const SHARDER: Peer = Peer::Sharder(SharderId(0));

fn miner(number: u16) -> Peer {
    Peer::Miner(id(number))
}

/// The sender of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sender {
    /// The miner that signed it.
    Signer,
    /// Every miner.
    Miners,
    /// Every participant.
    Anybody,
}

/// The decision for each kind, beside the one of the code: a new kind does not compile until it is decided here, too.
fn sender_of(message: &Message) -> Sender {
    match message {
        Message::BeaconShare(_) => Sender::Signer,
        Message::Proposal(_) => Sender::Signer,
        Message::Ticket(_) => Sender::Signer,
        Message::UncompressedTicket(_) => Sender::Signer,
        Message::Notarization(_) => Sender::Miners,
        Message::Timeout(_) => Sender::Signer,
        Message::TimeoutCertificate(_) => Sender::Miners,
        Message::FinalityVote(_) => Sender::Signer,
        Message::FinalityCertificate(_) => Sender::Miners,
        Message::Evidence(_) => Sender::Miners,
        Message::ChainRequest(_) => Sender::Anybody,
        Message::ChainResponse(_) => Sender::Anybody,
    }
}

/// One message of each kind, all of them what miner 3 signs; `spoilt`: with a wrong signature, certificate or proof in it.
fn messages(stage: &Stage, spoilt: bool) -> Vec<Message> {
    let spoil = |signature: &mut Signature| signature.0[5] ^= u8::from(spoilt);
    let block = stage.first_block(0, 3);
    let (mut share, mut ticket) = (stage.share(3, 1), stage.signed(3, ticket_of(&block)));
    let mut timeout = stage.signed(3, Timeout { round: Round(1), subround: Subround(0) });
    let mut vote = stage.signed(3, vote_of(&block));
    let mut notarization = stage.notarization(&block, &[1, 2, 3]);
    let mut timeouts = stage.timeouts(1, 0, &[1, 2, 3]);
    let mut finality = stage.finality(&block, &[1, 2, 3]);
    let other = Ticket { block: stage.first_block(0, 2).id(), ..ticket_of(&block) };
    let mut second = stage.signed(3, other);
    let response = ChainResponse {
        blocks: vec![Arc::clone(&block)],
        notarization: Arc::clone(&notarization),
        finality: None,
    };
    let mut proposal = match stage.proposal(&block, None) {
        Message::Proposal(proposal) => proposal,
        _ => unreachable!("a proposal"),
    };
    spoil(&mut share.share);
    spoil(&mut ticket.signature);
    spoil(&mut timeout.signature);
    spoil(&mut vote.signature);
    spoil(&mut second.signature);
    spoil(&mut proposal.signature);
    spoil(&mut Arc::make_mut(&mut notarization).certificate.aggregate);
    spoil(&mut Arc::make_mut(&mut timeouts).certificate.aggregate);
    spoil(&mut Arc::make_mut(&mut finality).certificate.aggregate);
    let point = Signature(G1::generator().encode());
    let uncompressed = UncompressedTicket {
        statement: ticket.statement,
        signer: id(3),
        signature: UncompressedSignature::new(point).expect("a point"),
    };
    let all = vec![
        Message::BeaconShare(share),
        Message::Proposal(proposal),
        Message::Ticket(ticket),
        Message::UncompressedTicket(uncompressed),
        Message::Notarization(notarization),
        Message::Timeout(timeout),
        Message::TimeoutCertificate(timeouts),
        Message::FinalityVote(vote),
        Message::FinalityCertificate(finality),
        Message::Evidence(Arc::new(Evidence::Tickets { first: stage.signed(3, ticket_of(&block)), second })),
        Message::ChainRequest(ChainRequest { after: Round(0), tip: None }),
        Message::ChainResponse(Arc::new(response)),
    ];
    let kinds: Vec<MessageKind> = all.iter().map(Message::kind).collect();
    assert_eq!(kinds, MessageKind::ALL, "one of each, in their order");
    all
}

/// Signatures, shares and certificates that the miner under test has checked.
fn checks(stage: &Stage) -> u64 {
    let calls = stage.schemes[0].calls();
    calls.verify + calls.verify_aggregate + calls.verify_beacon_share + calls.verify_beacon
}

fn allowed(sender: Sender, from: Peer) -> bool {
    match sender {
        Sender::Signer => from == miner(3),
        Sender::Miners => matches!(from, Peer::Miner(_)),
        Sender::Anybody => true,
    }
}

#[test]
fn what_an_honest_peer_does_not_send_is_dropped_before_a_signature_is_looked_at() {
    for from in [miner(1), miner(2), miner(3), SHARDER] {
        for spoilt in [false, true] {
            let kinds = messages(&Stage::new(Rules::HARDENED), spoilt).len();
            for kind in 0..kinds {
                let mut stage = Stage::new(Rules::HARDENED);
                let message = messages(&stage, spoilt).swap_remove(kind);
                let sender = sender_of(&message);
                assert_eq!(message.may_come_from(from), allowed(sender, from), "{from}: {message:?}");
                if allowed(sender, from) {
                    continue;
                }
                let (before, held) = (checks(&stage), stage.miner.collected());
                let out = stage.hears_peer(from, message.clone());
                assert_eq!(refusal(out), Some(Refusal::NotItsSender), "{from}: {message:?}");
                assert_eq!((checks(&stage), stage.miner.collected()), (before, held), "{from}: {message:?}");
                assert_eq!(stage.miner.faults_of(from), 1);
                assert_eq!(stage.miner.faults_of(miner(3)), u32::from(from == miner(3)));
            }
        }
    }
}

/// A link to oneself is none: what comes back through one is not even decoded.
#[test]
fn a_miners_own_message_that_is_handed_back_is_dropped() {
    let mut stage = Stage::new(Rules::HARDENED);
    let share = Message::BeaconShare(stage.share(0, 1));
    let (held, before) = (stage.miner.clone(), checks(&stage));
    assert_eq!(stage.hears(0, share), []);
    let out = stage.out.len();
    stage.input(Input::Bytes { from: miner(0), bytes: vec![0xff; 40] });
    assert_eq!((stage.out.len(), checks(&stage)), (out, before));
    assert!(stage.miner == held && stage.miner.faults_of(miner(0)) == 0);
}

/// The sender of a wrong message of its own kind is charged with it, and the signers that it names are not.
#[test]
fn what_is_wrong_counts_against_its_sender_and_its_sender_alone() {
    for kind in 0..MessageKind::ALL.len() {
        let mut stage = Stage::new(Rules::HARDENED);
        let message = messages(&stage, true).swap_remove(kind);
        let from = match &message {
            // Held until a quorum is there; then they are found wrong one by one, and it is the signer that is charged.
            Message::BeaconShare(_)
            | Message::Ticket(_)
            | Message::UncompressedTicket(_)
            | Message::Timeout(_)
            | Message::FinalityVote(_) => {
                blamed_when_counted(&mut stage, message);
                continue;
            }
            // An answer was not asked for; a request proves nothing.
            Message::ChainRequest(_) | Message::ChainResponse(_) => continue,
            Message::Proposal(_) => 3,
            Message::Notarization(_)
            | Message::TimeoutCertificate(_)
            | Message::FinalityCertificate(_)
            | Message::Evidence(_) => 1,
        };
        let out = stage.hears(from, message.clone());
        let refusal = refusal(out).expect("it is wrong");
        assert!(refusal.proves_sender_faulty(), "{refusal}");
        for other in 0..4 {
            assert_eq!(stage.miner.faults_of(miner(other)), u32::from(other == from), "{message:?}");
        }
    }
}

fn blamed_when_counted(stage: &mut Stage, wrong: Message) {
    stage.hears(3, wrong.clone());
    for number in [1, 2] {
        let block = stage.first_block(0, 3);
        let message = match &wrong {
            Message::BeaconShare(_) => Message::BeaconShare(stage.share(number, 1)),
            Message::Timeout(timeout) => Message::Timeout(stage.signed(number, timeout.statement)),
            Message::FinalityVote(vote) => Message::FinalityVote(stage.signed(number, vote.statement)),
            _ => Message::Ticket(stage.signed(number, ticket_of(&block))),
        };
        assert!(!is_refused(stage.hears(number, message)));
    }
    assert_eq!(stage.miner.faults_of(miner(3)), 1, "{wrong:?}");
    assert_eq!([1, 2].map(|number| stage.miner.faults_of(miner(number))), [0, 0]);
}

/// Messages that an honest peer may send because it knows less or more are held against nobody.
#[test]
fn what_depends_on_who_knows_what_proves_nobody_faulty() {
    let mut stage = Stage::new(Rules::HARDENED);
    for message in messages(&stage, false) {
        if matches!(message, Message::UncompressedTicket(_)) {
            // A signature of the mock is no point.
            continue;
        }
        let from = if allowed(sender_of(&message), miner(1)) { 1 } else { 3 };
        for _ in 0..3 {
            assert!(!is_refused(stage.hears(from, message.clone())), "{message:?}");
        }
    }
    assert_eq!([1, 2, 3].map(|number| stage.miner.faults_of(miner(number))), [0; 3]);
    // A clock that goes too fast.
    let mut stage = Stage::new(Rules::HARDENED);
    let mut content = stage.content(0, &stage.config.genesis, None, stage.generator(1, 0));
    content.time = (stage.now + stage.config.timing.clock_drift).after(1);
    let early = Arc::new(crate::block::Block::new(content));
    let generator = miner(early.header().generator.0);
    let out = stage.proposes(&early);
    assert_eq!(refusal(out), Some(ProposalError::Early.into()));
    assert_eq!(stage.miner.faults_of(generator), 0);
    let excused = [
        Refusal::Stranger,
        Refusal::Proposal(ProposalError::Foreign),
        Refusal::Proposal(ProposalError::WrongLabel),
        Refusal::Chain(crate::chain::ChainResponseError::Foreign(Round(1))),
    ];
    assert!(excused.iter().all(|refusal| !refusal.proves_sender_faulty()));
    let faults = [
        Refusal::Malformed(WireError::Empty { field: "blocks" }),
        Refusal::Evidence(EvidenceError::NoContradiction),
        Refusal::Proposal(ProposalError::NotEligible { rank: 2, generators: 1 }),
    ];
    assert!(faults.iter().all(Refusal::proves_sender_faulty));
}

/// Wrong messages of each kind, as many as one likes: few are looked at, then none for a while, and the others are heard.
#[test]
fn who_sends_too_much_that_is_wrong_is_not_heard_for_a_while() {
    let most = WORK_LIMIT / FAULT_WORK + 1;
    for kind in [1, 4, 6, 8, 9] {
        let mut stage = Stage::new(Rules::HARDENED);
        let message = messages(&stage, true).swap_remove(kind);
        let flood = |stage: &mut Stage| {
            let before = checks(stage);
            for _ in 0..10_000 {
                stage.hears(3, message.clone());
                stage.out.clear();
            }
            checks(stage) - before
        };
        let checked = flood(&mut stage);
        assert!((1..=2 * most).contains(&checked), "{checked} checks for {message:?}");
        assert!(!stage.miner.hears_now(miner(3), stage.now) && stage.miner.hears_now(miner(1), stage.now));
        // After a second it is heard again, for as much as a second pays for.
        stage.now = stage.now.after(1_000);
        let again = flood(&mut stage);
        assert!((1..=2 * (WORK_PER_SECOND / FAULT_WORK + 1)).contains(&again), "{again} checks a second");
        // Even what is right is lost now, and what others relay counts: here the certificate that miner 3 is in.
        let block = stage.first_block(0, 3);
        let notarization = Message::Notarization(stage.notarization(&block, &[1, 2, 3]));
        assert_eq!(stage.hears(3, notarization.clone()), []);
        stage.hears(1, notarization);
        assert_eq!(stage.miner.round(), Round(2));
    }
}

/// The largest genuine message of each kind, again and again: what a repetition of it costs, by the table in `accounts`.
#[test]
fn a_repetition_of_a_genuine_message_costs_no_more_than_the_table_says() {
    let config = Stage::new(Rules::HARDENED).config.clone();
    let mut sum = 0;
    for kind in 0..MessageKind::ALL.len() {
        let mut stage = Stage::new(Rules::HARDENED);
        let mut message = messages(&stage, false).swap_remove(kind);
        if let Message::Proposal(_) = message {
            let mut content = stage.content(0, &stage.config.genesis, None, stage.generator(1, 0));
            content.payload = vec![7; MAX_PAYLOAD_BYTES];
            message = stage.proposal(&Arc::new(crate::block::Block::new(content)), None);
        }
        if let Message::Evidence(evidence) = message {
            message = Message::Evidence(Arc::new(Evidence::clone(&evidence).canonical()));
        }
        let from = match &message {
            Message::Proposal(proposal) => Peer::Miner(proposal.block.header().generator),
            _ => miner(3),
        };
        let bytes = wire::encode(&message);
        let arrives = |stage: &mut Stage| {
            let before = stage.miner.accounts.debt(from);
            stage.input(Input::Bytes { from, bytes: bytes.clone() });
            stage.miner.accounts.debt(from) - before
        };
        let first = arrives(&mut stage);
        let again: Vec<u64> = (0..3).map(|_| arrives(&mut stage)).collect();
        let small = MESSAGE_WORK + 145 / BYTES_PER_WORK;
        let (most, times) = match &message {
            // Told by its signature, and glanced at.
            Message::Proposal(_) | Message::ChainResponse(_) => (MESSAGE_WORK, 1),
            Message::FinalityVote(_) => (MESSAGE_WORK, RESENT_VOTES as u64),
            // A signature of the mock is no point, and a ticket has one form.
            Message::UncompressedTicket(_) => (MESSAGE_WORK, 0),
            Message::Evidence(_) => (MESSAGE_WORK + 217 / BYTES_PER_WORK, 0),
            Message::ChainRequest(_) => (MESSAGE_WORK, 0),
            _ => (small, 1),
        };
        if !matches!(message, Message::UncompressedTicket(_)) {
            assert!(first <= small + 1, "{first} for the first {message:?}");
            assert!(again.iter().all(|&work| work <= most), "{again:?} for {kind}");
            assert!(stage.miner.hears_now(from, stage.now));
            sum += times * again[0];
        }
    }
    // One of each kind that is repeated, and an answer.
    assert!(sum <= config.resend_work() + MESSAGE_WORK, "{sum} of {}", config.resend_work());
}

/// A block that cannot be a candidate yet, of the largest size, again and again: its generator is heard, and the block is taken
/// when it can be.
#[test]
fn a_block_that_is_set_aside_is_free_and_taken_when_its_time_comes() {
    let mut stage = Stage::new(Rules::HARDENED);
    let generator = stage.generator(1, 0);
    let from = miner(generator);
    let mut content = stage.content(0, &stage.config.genesis, None, generator);
    content.payload = vec![7; MAX_PAYLOAD_BYTES];
    content.time = (stage.now + stage.config.timing.clock_drift).after(100);
    let block = Arc::new(crate::block::Block::new(content.clone()));
    let bytes = wire::encode(&stage.proposal(&block, None));
    for times in 0..100 {
        stage.input(Input::Bytes { from, bytes: bytes.clone() });
        assert!(stage.miner.accounts.debt(from) <= times, "{times}");
    }
    assert_eq!(stage.miner.chain.block(Round(1), block.id()), None);
    stage.now = stage.now.after(100);
    stage.input(Input::Bytes { from, bytes });
    assert!(stage.miner.chain.block(Round(1), block.id()).is_some());
    assert!(stage.miner.accounts.debt(from) <= 101);

    // Another block each time, of one position: the first is free, the others are not.
    let mut stage = Stage::new(Rules::HARDENED);
    let before = checks(&stage);
    for later in 0..1_000 {
        content.time = content.time.after(1);
        content.payload = vec![later as u8; MAX_PAYLOAD_BYTES];
        let message = stage.proposal(&Arc::new(crate::block::Block::new(content.clone())), None);
        if later > 2 {
            assert!(!stage.miner.hears_now(from, stage.now), "{later}");
            break;
        }
        stage.input(Input::Bytes { from, bytes: wire::encode(&message) });
    }
    assert_eq!(checks(&stage) - before, 3 + 1, "the signatures, and the beacon value once");
}

/// The extremes of the configuration: at the least `resend` everything that a miner repeats takes half of what its peers grant, and a
/// shorter one is refused with the name of the setting and the least value.
#[test]
fn the_least_resend_follows_from_the_largest_repetition() {
    let mut leasts = Vec::new();
    for miners in [4, 10, 100, 1_000, MAX_MINERS] {
        for rule in [TicketRule::OncePerSubround, TicketRule::BetterRank, TicketRule::BetterOrEqualRank] {
            for form in [TicketForm::Compressed, TicketForm::Uncompressed] {
                let committee = Committee::new(ChainId([1; 32]), Epoch(1), miners, 1).expect("a committee");
                let rules = Rules { ticket: rule, ..Rules::HARDENED };
                let mut config = Config::new(committee, rules, BeaconValue([2; 32]), Time(0));
                config.ticket_form = form;
                if miners <= 100 {
                    config.generators = miners;
                }
                let (work, least) = (config.resend_work(), config.least_resend());
                let granted = |wait: Duration| wait.as_millis() as u64 * WORK_PER_SECOND / 1_000;
                assert!(2 * work <= granted(least), "{miners} {rule:?} {form:?}");
                assert!(2 * work > granted(least - MILLISECOND), "{miners} {rule:?} {form:?}");
                assert!(miners > 100 || work < WORK_LIMIT / 2, "one repetition mutes nobody: {work}");
                assert!(least <= Timing::DEFAULT.resend, "{miners} {rule:?} {form:?}: {least:?}");
                assert_eq!(config.check(), Ok(()));
                config.timing.resend = least;
                assert_eq!(config.check(), Ok(()));
                config.timing.resend = least - MILLISECOND;
                let refused = config.check().expect_err("too short");
                assert_eq!(refused, StartError::ResendTooShort { resend: least - MILLISECOND, least, work });
                assert!(refused.to_string().contains(&format!("set timing.resend to {least:?} or more")));
                leasts.push(least);
            }
        }
    }
    assert_eq!(
        (leasts.iter().min(), leasts[12]),
        (Some(&(3 * MILLISECOND)), 3 * MILLISECOND),
        "as `accounts` says"
    );
    let mut config = Config::clone(&Stage::new(Rules::HARDENED).config);
    config.timing.resend = Duration::ZERO;
    let scheme = Stage::new(Rules::HARDENED).schemes[0].clone();
    let started = Miner::new(Arc::new(config), scheme, Recovery::default());
    let Err(StartError::ResendTooShort { resend, least, .. }) = started else { panic!("it was started") };
    assert_eq!((resend, least), (Duration::ZERO, 3 * MILLISECOND));
}

/// A block of a subround that lies far below is of no use, and told so by a glance: an honest generator that has heard nothing since
/// repeats it.
#[test]
fn a_large_block_of_a_subround_that_was_left_long_ago_is_not_decoded() {
    let mut stage = Stage::new(Rules::HARDENED);
    let generator = stage.generator(1, 0);
    let mut content = stage.content(0, &stage.config.genesis, None, generator);
    content.payload = vec![7; MAX_PAYLOAD_BYTES];
    let bytes = wire::encode(&stage.proposal(&Arc::new(crate::block::Block::new(content)), None));
    let certificate = stage.timeouts(1, 20, &[1, 2, 3]);
    stage.hears(1, Message::TimeoutCertificate(certificate));
    assert_eq!(stage.miner.subround(), Subround(21));
    let from = miner(generator);
    let before = stage.miner.accounts.debt(from);
    for times in 1..=100 {
        stage.input(Input::Bytes { from, bytes: bytes.clone() });
        assert_eq!(stage.miner.accounts.debt(from) - before, times * MESSAGE_WORK);
    }
}

/// Small messages leave first: a peer that mutes the sender for a large block has heard the rest.
#[test]
fn a_repetition_ends_with_the_block() {
    let mut config = Config::clone(&Stage::new(Rules::HARDENED).config);
    config.generators = 4;
    let mut stage = Stage::of(config);
    for signer in [1, 2, 3] {
        let share = stage.share(signer, 1);
        stage.hears(signer, Message::BeaconShare(share));
    }
    stage.window_closes();
    stage.wait_is_over();
    let (round, subround) = (stage.miner.round(), stage.miner.subround());
    stage.out.clear();
    stage.input(Input::Timer(Timer::Resend { round, subround }));
    let said: Vec<usize> = stage
        .out
        .iter()
        .filter_map(|output| match output {
            Output::Broadcast { message, .. } => Some(wire::encode(message).len()),
            _ => None,
        })
        .collect();
    let largest = said.iter().max();
    assert!(said.len() > 3 && said.last() == largest, "{said:?}");
}

/// Bytes that are no message, and large ones.
#[test]
fn bytes_that_are_no_message_are_charged_too() {
    let mut stage = Stage::new(Rules::HARDENED);
    for length in [0, 1, 97, 1 << 20] {
        stage.now = stage.now.after(1_000);
        let before = stage.miner.faults_of(miner(2));
        stage.input(Input::Bytes { from: miner(2), bytes: vec![0xee; length] });
        assert_eq!(stage.miner.faults_of(miner(2)), before + 1);
    }
    stage.now = stage.now.after(10_000);
    let before = u64::from(stage.miner.faults_of(miner(2)));
    for _ in 0..1_000 {
        stage.input(Input::Bytes { from: miner(2), bytes: vec![0xee; 97] });
    }
    assert!(!stage.miner.hears_now(miner(2), stage.now));
    let faults = u64::from(stage.miner.faults_of(miner(2))) - before;
    assert_eq!(faults, WORK_LIMIT.div_ceil(FAULT_WORK + MESSAGE_WORK));
}

/// A member may sign what is genuine and useless without end: that is bounded, too.
#[test]
fn genuine_messages_that_lead_nowhere_are_charged() {
    let mut stage = Stage::new(Rules::HARDENED);
    let before = checks(&stage);
    for i in 0..2_000_u32 {
        let (round, subround) = (Round(1 + u64::from(i % 5)), Subround(i / 5 % 5));
        let mut ticket = ticket_of(&stage.first_block(0, 3));
        (ticket.round, ticket.subround) = (round, subround);
        ticket.block.0[..4].copy_from_slice(&i.to_be_bytes());
        let ticket = Message::Ticket(stage.signed(3, ticket));
        stage.hears(3, ticket);
        // Blocks that nobody can have asked for: on a parent without a certificate, with a time of their own each.
        let mut content = stage.content(0, &stage.config.genesis, None, 3);
        content.round = Round(3);
        content.time = crate::block::Time(u64::from(i));
        let block = Arc::new(crate::block::Block::new(content));
        stage.proposes(&block);
        stage.out.clear();
    }
    let checked = checks(&stage) - before;
    // Each fault took three checks at most, and so did the last message that was heard.
    assert!(checked <= 3 * (WORK_LIMIT / CHECK_WORK + 1), "{checked} checks");
}

/// A wrong vote costs two checks beside each genuine ticket for another block, and a wrong signature one more when the genuine
/// one follows it. Both came from their signer itself, which is charged for them.
#[test]
fn what_is_wrong_beside_what_is_genuine_is_held_against_its_signer() {
    let flood = |wrong_votes: bool| {
        let mut stage = Stage::new(Rules::HARDENED);
        let before = checks(&stage);
        for i in 0..25_u32 {
            let (round, subround) = (Round(1 + u64::from(i / 5)), Subround(i % 5));
            let block = stage.first_block(0, 3);
            let mut ticket = ticket_of(&block);
            (ticket.round, ticket.subround) = (round, subround);
            let ticket = stage.signed(3, ticket);
            if wrong_votes {
                let mut vote = vote_of(&block);
                (vote.round, vote.subround) = (round, Subround(0));
                vote.block.0[0] ^= 1;
                let mut vote = stage.signed(3, vote);
                vote.signature.0[5] ^= 1;
                stage.hears(3, Message::FinalityVote(vote));
            } else {
                let mut wrong = ticket;
                wrong.signature.0[5] ^= 1;
                stage.hears(3, Message::Ticket(wrong));
            }
            stage.hears(3, Message::Ticket(ticket));
        }
        assert!(!stage.miner.hears_now(miner(3), stage.now) && stage.miner.faults_of(miner(3)) > 0);
        assert_eq!([1, 2].map(|number| stage.miner.faults_of(miner(number))), [0, 0]);
        checks(&stage) - before
    };
    let most = WORK_LIMIT / FAULT_WORK + 1;
    for wrong_votes in [true, false] {
        let checked = flood(wrong_votes);
        assert!((1..=2 * most).contains(&checked), "{checked} checks");
    }
}

/// A large message that a glance shows to be of no use is not decoded, nor its blocks hashed: what follows its first fields is
/// no message, and nobody notices.
#[test]
fn what_is_of_no_use_is_not_decoded() {
    let refused = |from: u16, change: fn(&mut crate::block::BlockContent)| {
        let mut stage = Stage::new(Rules::HARDENED);
        let mut content = stage.content(0, &stage.config.genesis, None, 3);
        change(&mut content);
        let block = Arc::new(crate::block::Block::new(content));
        let mut bytes = wire::encode(&stage.proposal(&block, None));
        bytes.push(0);
        stage.out.clear();
        stage.input(Input::Bytes { from: miner(from), bytes });
        (refusal(&stage.out), stage.miner.faults_of(miner(from)))
    };
    let malformed = Refusal::Malformed(WireError::TrailingBytes { count: 1 });
    assert_eq!(refused(3, |_| {}), (Some(malformed), 1));
    assert_eq!(refused(1, |_| {}), (Some(Refusal::NotItsSender), 1));
    assert_eq!(refused(3, |block| block.round = Round(0)), (None, 0));
    let foreign = Some(Refusal::Proposal(ProposalError::Foreign));
    assert_eq!(refused(3, |block| block.epoch.0 += 1), (foreign, 0));
    let mut stage = Stage::new(Rules::HARDENED);
    let mut bytes = wire::encode(&messages(&stage, false)[11]);
    bytes.push(0);
    stage.input(Input::Bytes { from: miner(2), bytes });
    assert_eq!(refusal(&stage.out), None, "an answer that nobody asked for");
}

/// A glance tells what decoding tells, for every kind.
#[test]
fn a_glance_sees_what_is_there() {
    let stage = Stage::new(Rules::HARDENED);
    for message in messages(&stage, false) {
        let bytes = wire::encode(&message);
        let expected = match &message {
            Message::Proposal(proposal) => {
                let header = proposal.block.header();
                let (chain, epoch) = (header.chain, header.epoch);
                let (round, subround) = (header.round, header.subround);
                let (generator, signature) = (header.generator, proposal.signature);
                Glance::Proposal { chain, epoch, round, subround, generator, signature }
            }
            Message::BeaconShare(_)
            | Message::Ticket(_)
            | Message::UncompressedTicket(_)
            | Message::Timeout(_)
            | Message::TimeoutCertificate(_)
            | Message::FinalityVote(_)
            | Message::Evidence(_) => Glance::BetweenMiners,
            Message::Notarization(_) => Glance::Notarization,
            Message::FinalityCertificate(_) => Glance::FinalityCertificate,
            Message::ChainRequest(_) => Glance::ChainRequest,
            Message::ChainResponse(_) => Glance::ChainResponse,
        };
        assert_eq!(wire::glance(&bytes), Some(expected), "{message:?}");
        assert_eq!(wire::glance(&bytes[..1]), None);
    }
    // No other kind is seen where none is decoded.
    for kind in 11..=u8::MAX {
        assert_eq!(wire::glance(&[wire::VERSION, kind]), None);
    }
    assert_eq!(wire::glance(&[wire::VERSION + 1, 9]), None);
}

/// Requests are answered within a budget of bytes, whatever is asked for.
#[test]
fn the_bytes_of_answers_are_bounded() {
    let bytes_sent = || {
        let mut stage = Stage::new(Rules::HARDENED);
        // One notarized block of the greatest size.
        let mut content = stage.content(0, &stage.config.genesis, None, stage.generator(1, 0));
        content.payload = vec![7; crate::limits::MAX_PAYLOAD_BYTES];
        let block = Arc::new(crate::block::Block::new(content));
        stage.proposes(&block);
        let notarization = stage.notarization(&block, &[1, 2, 3]);
        stage.hears(1, Message::Notarization(notarization));
        let mut bytes = 0;
        let mut asked = 0;
        for _ in 0..500 {
            stage.now = stage.now.after(20);
            let request = Message::ChainRequest(ChainRequest { after: Round(0), tip: Some(block.id()) });
            asked += wire::encode(&request).len();
            let out = stage.hears(2, request);
            let answers = out.iter().filter_map(|output| match output {
                Output::Send { to, message } if *to == miner(2) => Some(wire::encode(message).len()),
                _ => None,
            });
            bytes += answers.sum::<usize>();
            stage.out.clear();
        }
        (bytes as u64, asked as u64)
    };
    // Ten seconds, and five participants.
    let allowance = ANSWER_ALLOWANCE_BYTES + 10 * ANSWER_BYTES_PER_SECOND / 5 + 2 * SERVED_BYTES as u64;
    let (bytes, asked) = bytes_sent();
    assert!(
        bytes >= ANSWER_ALLOWANCE_BYTES && bytes <= allowance + ANSWER_BYTES_PER_REQUEST_BYTE * asked,
        "{bytes} bytes"
    );
}

/// The length that is counted is that of the encoding.
#[test]
fn the_length_of_an_answer_is_known_without_encoding_it() {
    let stage = Stage::new(Rules::HARDENED);
    for tip in [None, Some(stage.first_block(0, 1).id())] {
        let request = ChainRequest { after: Round(7), tip };
        assert_eq!(wire::length_of_request(&request), wire::encode(&Message::ChainRequest(request)).len());
    }
    let block = stage.first_block(0, 1);
    let notarization = stage.notarization(&block, &[1, 2, 3]);
    let mut content = stage.content(0, &block, Some(Arc::clone(&notarization)), 2);
    content.payload = vec![1; 1_000];
    let child = Arc::new(crate::block::Block::new(content));
    for finality in [None, Some(stage.finality(&block, &[1, 2, 3]))] {
        let blocks = vec![Arc::clone(&block), Arc::clone(&child)];
        let response = ChainResponse { blocks, notarization: Arc::clone(&notarization), finality };
        let length = wire::length_of_response(&response);
        assert_eq!(length, wire::encode(&Message::ChainResponse(Arc::new(response))).len());
    }
}
