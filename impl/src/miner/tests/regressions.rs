//! Faults that a peer, a crash or a host once could cause in a miner, each with the step or property that it broke.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::settings::MILLISECOND;
use super::stage::{Stage, id, is_refused, sent, ticket_of, vote_of};
use crate::block::{Block, BlockId, Time};
use crate::certified::Notarization;
use crate::chain::FinalBlock;
use crate::committee::{ChainId, Committee, Epoch, Peer, Round, Subround};
use crate::crypto::mock_scheme::MockScheme;
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::limits::{MAX_STRIKES, SIGNED_ROUNDS_KEPT};
use crate::message::{BeaconShare, ChainRequest, ChainResponse, Message};
use crate::miner::{Config, Input, Miner, Output, Recovery, Stored, Timer, WriteId};
use crate::rules::{BeaconRule, Rules, TicketRule};
use crate::statement::{BeaconTarget, Ticket};
use crate::ticket_log::{Conflict, Kind, LogRecord, SignedRecords};
use crate::wire;

type Certified = (Arc<Block>, Arc<Notarization>);

/// A notarized chain from round 1.
pub(super) fn chain(stage: &Stage, length: usize) -> Vec<Certified> {
    let mut chain: Vec<Certified> = Vec::new();
    for _ in 0..length {
        let (parent, certificate) = match chain.last() {
            Some((block, certificate)) => (Arc::clone(block), Some(Arc::clone(certificate))),
            None => (Arc::clone(&stage.config.genesis), None),
        };
        let block = Arc::new(Block::new(stage.content(0, &parent, certificate, 1)));
        let certificate = stage.notarization(&block, &[1, 2, 3]);
        chain.push((block, certificate));
    }
    chain
}

pub(super) fn answer(chain: &[Certified]) -> ChainResponse {
    let notarization = Arc::clone(&chain.last().expect("some blocks").1);
    let blocks = chain.iter().map(|(block, _)| Arc::clone(block)).collect();
    ChainResponse { blocks, notarization, finality: None }
}

/// The timer for missing blocks expires until a miner is asked; returns which.
pub(super) fn asks(stage: &mut Stage) -> u16 {
    let asked = (0..4).find_map(|_| {
        let before = stage.out.len();
        stage.input(Input::Timer(Timer::CatchUp));
        stage.out[before..].iter().find_map(|output| match output {
            Output::Send { to: Peer::Miner(to), message: Message::ChainRequest(_) } => Some(to.0),
            _ => None,
        })
    });
    asked.expect("a miner is asked")
}

fn restarted(stage: &Stage, recovery: Recovery) -> (Miner<MockScheme>, Vec<Output>) {
    let scheme = stage.schemes[0].clone();
    let mut miner = Miner::new(stage.config.clone(), scheme, recovery).expect("starts");
    let mut out = Vec::new();
    miner.step(stage.now, Input::Start, &mut out);
    (miner, out)
}

#[test]
fn s1_no_vote_in_a_round_whose_records_are_forgotten() {
    let stage = Stage::new(Rules::HARDENED);
    let chain = chain(&stage, 5);
    let votes_after = |highest: u64| {
        let mut signed = SignedRecords::default();
        signed.insert(LogRecord::finality_vote(Round(5), Subround(0), [0xee; 32]));
        signed.insert(LogRecord::timeout(Round(highest), Subround(0)));
        let known = signed.in_round(Round(5)).next().is_some();
        // Nothing but the log survived: the miner starts at genesis and hears of another block of round 5.
        let (mut miner, mut out) = restarted(&stage, Recovery { signed, ..Recovery::default() });
        let message = Message::Notarization(Arc::clone(&chain[4].1));
        miner.step(stage.now, Input::Message { from: Peer::Miner(id(1)), message }, &mut out);
        assert_eq!(miner.round(), Round(6));
        let vote = |output: &Output| matches!(output, Output::Persist { record, .. } if record.kind == Kind::FinalityVote && record.block != [0xee; 32]);
        (known, out.iter().any(vote))
    };
    assert_eq!(votes_after(5 + SIGNED_ROUNDS_KEPT), (true, false), "the record forbids it");
    assert_eq!(votes_after(6 + SIGNED_ROUNDS_KEPT), (false, false), "the record is gone");
}

#[test]
fn s7_blocks_caught_up_with_are_final_with_the_certificates_that_came_with_them() {
    let mut stage = Stage::new(Rules::HARDENED);
    let chain = chain(&stage, 4);
    let finality = stage.finality(&chain[2].0, &[1, 2, 3]);
    // Round 4's notarization makes the miner jump, so that round 3's is not heard.
    stage.hears(1, Message::Notarization(Arc::clone(&chain[3].1)));
    stage.hears(1, Message::FinalityCertificate(finality));
    let asked = asks(&mut stage);
    let out = stage.hears(asked, Message::ChainResponse(Arc::new(answer(&chain[..3])))).to_vec();
    let certified: Vec<(Round, bool)> = out
        .iter()
        .filter_map(|output| match output {
            Output::Finalized(found) => Some((found.block.round(), found.notarization.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(certified, [(Round(1), true), (Round(2), true), (Round(3), true)]);
}

#[test]
fn s9_a_block_caught_up_with_carries_the_signature_of_its_beacon_value() {
    let mut stage = Stage::new(Rules::HARDENED);
    let mut content = stage.content(0, &stage.config.genesis, None, 1);
    let genuine = Arc::new(Block::new(content.clone()));
    content.beacon_signature = Signature([0x55; 48]);
    let forged = Arc::new(Block::new(content));
    assert_eq!(forged.id(), genuine.id(), "the header has the value only");
    let notarization = stage.notarization(&genuine, &[1, 2, 3]);
    stage.hears(1, Message::Notarization(Arc::clone(&notarization)));
    for (block, refused) in [(forged, true), (genuine, false)] {
        let asked = asks(&mut stage);
        let response = answer(&[(block, Arc::clone(&notarization))]);
        let out = stage.hears(asked, Message::ChainResponse(Arc::new(response))).to_vec();
        assert_eq!(is_refused(&out), refused);
        stage.debts_are_paid();
        let kept = stage.miner.block(Round(1), notarization.block);
        assert_eq!(kept.is_some(), !refused);
    }
}

#[test]
fn a_wrong_answer_is_checked_once_a_request() {
    let mut stage = Stage::new(Rules::HARDENED);
    let chain = chain(&stage, 8);
    stage.hears(1, Message::Notarization(Arc::clone(&chain[7].1)));
    let mut finality = (*stage.finality(&chain[7].0, &[1, 2, 3])).clone();
    finality.certificate.aggregate = Signature([9; 48]);
    let response = Arc::new(ChainResponse { finality: Some(Arc::new(finality)), ..answer(&chain) });
    let asked = asks(&mut stage);
    let before = stage.schemes[0].calls().verify_aggregate;
    let refused = (0..100)
        .filter(|_| is_refused(stage.hears(asked, Message::ChainResponse(Arc::clone(&response)))))
        .count();
    let checks = stage.schemes[0].calls().verify_aggregate - before;
    assert_eq!(refused, 1);
    assert!((1..=chain.len() as u64 + 1).contains(&checks), "{checks} certificates checked");
}

#[test]
fn a_signer_of_contradictions_without_end_is_cut_off() {
    let mut stage = Stage::new(Rules::HARDENED);
    let before = stage.schemes[0].calls().verify;
    for tag in 0..100 {
        let ticket = Ticket { round: Round(1), subround: Subround(0), block: BlockId([tag; 32]) };
        let message = Message::Ticket(stage.signed(1, ticket));
        stage.hears(1, message);
    }
    let checks = stage.schemes[0].calls().verify - before;
    assert!(stage.sent().any(|message| matches!(message, Message::Evidence(_))), "it is convicted");
    assert!(checks <= 4 * u64::from(MAX_STRIKES), "{checks} signatures checked");
}

#[test]
fn a_sender_of_wrong_beacon_shares_is_cut_off_and_the_value_is_made_without_it() {
    let mut stage = Stage::new(Rules::HARDENED);
    // With the own share, it leaves one to a combination.
    let genuine = stage.share(3, 1);
    stage.hears(3, Message::BeaconShare(genuine));
    let before = stage.schemes[0].calls();
    for tag in 0..100 {
        let target = BeaconTarget::Round(Round(1));
        let share = BeaconShare { target, signer: id(1), share: Signature([tag; 48]) };
        stage.hears(1, Message::BeaconShare(share));
    }
    let after = stage.schemes[0].calls();
    let checks = after.verify_beacon_share - before.verify_beacon_share;
    let combinations = after.combine_beacon - before.combine_beacon;
    assert!(checks <= 2 * u64::from(MAX_STRIKES), "{checks} shares checked");
    assert!(combinations <= u64::from(MAX_STRIKES), "{combinations} combinations");
    let (value, share) = (stage.beacon(1).1, stage.share(2, 1));
    let out = stage.hears(2, Message::BeaconShare(share)).to_vec();
    let known = out.iter().any(|output| {
        matches!(output, Output::Milestone(crate::miner::Milestone::Beacon { value: made, .. }) if *made == value)
    });
    assert!(known, "one genuine share more is enough");
}

#[test]
fn step_8_an_adopted_parent_survives_a_restart() {
    let mut stage = Stage::new(Rules { beacon: BeaconRule::Chained, ..Rules::HARDENED });
    let notarized = |subround| {
        let block = stage.first_block(subround, 1);
        (Arc::clone(&block), stage.notarization(&block, &[1, 2, 3]))
    };
    let ((low_block, low), (high_block, high)) = (notarized(0), notarized(1));
    stage.hears(1, Message::Notarization(Arc::clone(&low)));
    // Seeds are compared once both blocks are here, whichever comes first.
    for (block, notarization) in [(high_block, Arc::clone(&high)), (low_block, low)] {
        assert_ne!(stage.miner.entry(), high.block, "the seeds are not known");
        let asked = asks(&mut stage);
        stage.hears(asked, Message::ChainResponse(Arc::new(answer(&[(block, notarization)]))));
    }
    assert_eq!(stage.miner.entry(), high.block, "adopted");
    let stored: Vec<Stored> =
        stage.stored().into_iter().filter(|stored| matches!(stored, Stored::Notarization(_))).collect();
    let entry_after = |stored| restarted(&stage, Recovery { stored, ..Recovery::default() }).0.entry();
    assert_eq!(entry_after(stored.clone()), high.block);
    // A greater seed may end in a lower subround: what was stored last was adopted last.
    assert_ne!(entry_after(stored.into_iter().rev().collect()), high.block);
}

/// The deployed node repeats the generators of subround 1 in all later ones, however many: so the value that orders them is that
/// of subround 1, and nobody signs another.
#[test]
fn step_1_capped_subrounds_have_the_beacon_value_of_the_cap() {
    let mut stage = Stage::new(Rules::DEPLOYED);
    let previous = stage.config.genesis.header().beacon;
    let mut values = Vec::new();
    for subround in 0..12 {
        assert_eq!(stage.miner.subround(), Subround(subround));
        if subround <= 1 {
            let target = BeaconTarget::Chained { round: Round(1), subround: Subround(subround), previous };
            for signer in [1, 2] {
                let scheme = &stage.schemes[usize::from(signer)];
                let share =
                    BeaconShare::sign(target, &stage.config.committee, scheme).expect("a member's share");
                stage.hears(signer, Message::BeaconShare(share));
            }
        }
        values.push(stage.miner.beacon().unwrap_or_else(|| panic!("no beacon value in subround {subround}")));
        stage.window_closes();
        stage.wait_is_over();
    }
    assert_ne!(values[0], values[1]);
    assert!(values[2..].iter().all(|value| *value == values[1]), "{values:?}");
    let shares: BTreeSet<BeaconTarget> = stage
        .sent()
        .filter_map(|message| match message {
            Message::BeaconShare(share) => Some(share.target),
            _ => None,
        })
        .collect();
    assert_eq!(shares.len(), 2);
}

/// A miner whose log holds the vote, and whose disk has lost the notarization that the vote is for, signs nothing in that
/// round any more and cannot show the others why. So the vote is not written before the notarization is durable.
#[test]
fn step_8_the_notarization_is_durable_before_the_vote_for_it_is_written() {
    let mut stage = Stage::new(Rules::HARDENED);
    (stage.stores_at_once, stage.writes_at_once) = (false, false);
    let (block, notarization) = chain(&stage, 1).remove(0);
    let vote = LogRecord::from(vote_of(&block));
    stage.hears(1, Message::Notarization(Arc::clone(&notarization)));
    assert_eq!(stage.miner.unwritten().collect::<Vec<_>>(), [&vote], "decided");
    assert_eq!(stage.records(), [], "not written");
    stage.confirm_stores();
    assert_eq!((stage.records(), stage.votes_sent()), (vec![vote], Vec::new()), "written, not sent");
    stage.confirm_records();
    assert_eq!(stage.votes_sent(), [vote_of(&block)]);
    // Why it matters.
    let mut signed = SignedRecords::default();
    signed.insert(vote);
    let shows = |stored: Vec<Stored>| {
        let (miner, out) =
            restarted(&stage, Recovery { signed: signed.clone(), stored, ..Recovery::default() });
        let shown = sent(&out).any(|message| matches!(message, Message::Notarization(_)));
        (miner.round(), shown)
    };
    assert_eq!(shows(vec![Stored::Notarization(notarization)]), (Round(2), true));
    assert_eq!(shows(Vec::new()), (Round(1), false), "it hides in a round where it signs nothing");
}

/// Confirmations that were on their way when the miner stopped mean nothing to the one that starts after it.
#[test]
fn s1_a_confirmation_for_an_earlier_start_releases_nothing() {
    let mut stage = Stage::new(Rules::HARDENED);
    stage.writes_at_once = false;
    let block = stage.first_block(0, stage.generator(1, 0));
    let ticket = |stage: &mut Stage| {
        stage.proposes(&block);
        stage.window_closes();
        let of = |output: &Output| match output {
            Output::Persist { write, record } if record.kind == Kind::Ticket => Some(*write),
            _ => None,
        };
        stage.out.iter().rev().find_map(of).expect("a ticket is written")
    };
    let old = ticket(&mut stage);
    // The record did not reach the disk.
    stage.now = stage.now.after(1);
    (stage.miner, _) = restarted(&stage, Recovery::default());
    let new = ticket(&mut stage);
    assert_eq!(old.number, new.number);
    stage.input(Input::Persisted(old));
    stage.input(Input::Persisted(WriteId { number: u64::MAX, ..new }));
    assert_eq!(stage.tickets_sent(), []);
    stage.input(Input::Persisted(new));
    assert_eq!(stage.tickets_sent().len(), 1);
}

/// Timers that were set before the miner stopped end a wait early at most.
#[test]
fn step_9_a_timer_of_an_earlier_start_does_nothing_in_a_later_subround() {
    let mut stage = Stage::new(Rules::HARDENED);
    let (round, subround) = (Round(1), Subround(0));
    stage.enter_round_two();
    let stored = stage.stored();
    (stage.miner, _) = restarted(&stage, Recovery { stored, ..Recovery::default() });
    let before = stage.miner.clone();
    for timer in [
        Timer::Window { round, subround },
        Timer::Wait { round, subround },
        Timer::Resend { round, subround },
    ] {
        stage.input(Input::Timer(timer));
    }
    assert!(stage.miner == before);
}

/// A share is looked at once, however often it is repeated, and what was found genuine stays.
#[test]
fn step_1_a_beacon_share_is_verified_once() {
    let mut stage = Stage::new(Rules::HARDENED);
    let checks = |stage: &Stage| stage.schemes[0].calls().verify_beacon_share;
    let wrong = |round| BeaconShare {
        target: BeaconTarget::Round(Round(round)),
        signer: id(1),
        share: Signature([9; 48]),
    };
    let genuine = stage.share(3, 1);
    stage.hears(3, Message::BeaconShare(genuine));
    // With its own and this one it makes a combination that fails: both of the others are looked at.
    stage.hears(1, Message::BeaconShare(wrong(1)));
    let before = checks(&stage);
    assert!(before > 0, "the shares of a combination that fails are verified");
    for from in [1, 2, 3] {
        assert!(is_refused(stage.hears(from, Message::BeaconShare(wrong(1)))));
    }
    assert_eq!(checks(&stage), before, "it is known to be wrong");
    stage.debts_are_paid();
    // One that takes another's place proves itself; of the next round, so that nothing is combined yet.
    stage.hears(1, Message::BeaconShare(wrong(2)));
    let genuine = stage.share(1, 2);
    for _ in 0..3 {
        stage.hears(1, Message::BeaconShare(genuine));
    }
    assert_eq!(checks(&stage) - before, 1);
    // Nothing takes its place any more.
    stage.debts_are_paid();
    for from in [1, 2] {
        assert!(is_refused(stage.hears(from, Message::BeaconShare(wrong(2)))));
    }
    assert_eq!(checks(&stage) - before, 1, "a signer has one share");
    stage.debts_are_paid();
    let third = stage.share(2, 2);
    stage.hears(2, Message::BeaconShare(third));
    stage.enter_round_two();
    assert!(stage.miner.beacon().is_some());
    assert_eq!(checks(&stage) - before, 1);
}

/// The last line of defence: whatever a caller in this crate gets wrong, nothing is signed against the log.
#[test]
fn s1_nothing_is_signed_against_the_log_whoever_asks() {
    let mut stage = Stage::new(Rules::HARDENED);
    let block = stage.first_block(0, stage.generator(1, 0));
    stage.proposes(&block);
    stage.window_closes();
    let first = ticket_of(&block);
    assert_eq!(stage.tickets_sent(), [first]);
    let out = stage.signs(Ticket { block: BlockId([7; 32]), ..first });
    assert!(matches!(out[..], [Output::Withheld(Conflict::Contradicts { .. })]), "{out:?}");
    assert!(stage.signs(first).iter().any(|output| matches!(output, Output::Persist { .. })), "again");
    assert_eq!(stage.miner.tickets().collect::<Vec<_>>(), [first]);
}

/// One answer to one peer at one time, and the others are answered meanwhile (L4).
#[test]
fn a_flood_of_requests_is_answered_once_a_while_and_others_are_answered() {
    let mut stage = Stage::new(Rules::HARDENED);
    stage.enter_round_two();
    let request = ChainRequest { after: Round(0), tip: Some(stage.miner.entry()) };
    let answers = |stage: &mut Stage, from| {
        let out = stage.hears(from, Message::ChainRequest(request)).to_vec();
        sent(&out).filter(|message| matches!(message, Message::ChainResponse(_))).count()
    };
    let flood = |stage: &mut Stage| (0..1_000).map(|_| answers(stage, 3)).sum::<usize>();
    assert_eq!(flood(&mut stage), 1);
    assert_eq!(answers(&mut stage, 2), 1, "an honest peer is answered");
    stage.now = stage.now + (stage.config.timing.answer_interval - MILLISECOND);
    assert_eq!(flood(&mut stage), 0);
    stage.now = stage.now.after(1);
    assert_eq!(flood(&mut stage), 1);
    // A clock that is set back does not make a peer wait until it has caught up with itself.
    stage.now = Time(stage.now.0 - 3);
    assert_eq!(flood(&mut stage), 1);
}

/// A miner that asks for the chain was away: it is told of the offences, too (S10).
#[test]
fn s10_a_miner_that_was_down_learns_of_offences_when_it_catches_up() {
    let mut stage = Stage::new(Rules::HARDENED);
    let block = stage.enter_round_two();
    let ticket = |tag| Ticket { round: Round(2), subround: Subround(0), block: BlockId([tag; 32]) };
    for tag in [1, 2] {
        let ticket = stage.signed(3, ticket(tag));
        stage.hears(3, Message::Ticket(ticket));
    }
    let request = ChainRequest { after: Round(0), tip: Some(block.id()) };
    let peer = Peer::Miner(id(2));
    let now = stage.now.after(1);
    let before = stage.miner.accounts.answer_bytes(peer, now).expect("an allowance");
    let out = stage.hears(2, Message::ChainRequest(request)).to_vec();
    let told = |output: &&Output| matches!(output, Output::Send { to, message: Message::Evidence(_) } if *to == peer);
    assert_eq!(out.iter().filter(told).count(), 1);
    // The budget of answers counts all that the request has drawn.
    let drawn: usize = sent(&out).map(|message| wire::encode(message).len() - 2).sum();
    let after = stage.miner.accounts.answer_bytes(peer, stage.now).expect("an allowance");
    let counted = before - after;
    assert!(counted.abs_diff(drawn) < 64, "{counted} bytes of {drawn} were counted");
}

/// Under `BetterRank` a miner may ticket each of the `G` blocks of a subround, the worst first: none of its tickets may be
/// thrown away, or an honest quorum is not counted.
#[test]
fn step_6_all_tickets_that_the_rule_allows_are_counted() {
    let committee = Committee::new(ChainId([1; 32]), Epoch(1), 50, 0).expect("a committee");
    let allowed = |ticket| {
        let rules = Rules { ticket, ..Rules::HARDENED };
        let config = Config::new(committee, rules, BeaconValue([2; 32]), Time(0));
        assert_eq!(config.generators, 10);
        config.tickets_per_signer()
    };
    assert_eq!(allowed(TicketRule::OncePerSubround), 1);
    assert_eq!(allowed(TicketRule::BetterRank), 10);
    assert_eq!(allowed(TicketRule::BetterOrEqualRank), 20);
}

/// Of finality certificates the host has to keep only the newest, and a miner without any goes on all the same.
#[test]
fn step_10_of_the_stored_finality_certificates_the_newest_is_enough() {
    let stage = Stage::new(Rules::HARDENED);
    let chain = chain(&stage, 3);
    let finals: Vec<FinalBlock> = chain
        .iter()
        .map(|(block, notarization)| FinalBlock {
            block: Arc::clone(block),
            notarization: Some(Arc::clone(notarization)),
        })
        .collect();
    let certificates: Vec<Stored> = [1, 2]
        .into_iter()
        .map(|index| Stored::FinalityCertificate(stage.finality(&chain[index].0, &[1, 2, 3])))
        .collect();
    let known = |stored: &[Stored]| {
        let recovery = Recovery { finals: finals.clone(), stored: stored.to_vec(), ..Recovery::default() };
        let (miner, _) = restarted(&stage, recovery);
        assert_eq!((miner.round(), miner.finalized().round()), (Round(4), Round(3)));
        miner.finality().map(|certificate| certificate.round)
    };
    assert_eq!(known(&certificates), Some(Round(3)));
    assert_eq!(known(&certificates[1..]), Some(Round(3)));
    assert_eq!(known(&[]), None);
}
