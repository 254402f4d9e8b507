//! Steps 2 and 4: a block names the highest final block that its generator can show, and too far above it the payload is empty.

use std::sync::Arc;

use super::stage::{MINERS, Stage, is_refused, refusal, ticket_of};
use crate::block::{Block, BlockContent};
use crate::certified::{FinalityCertificate, Notarization};
use crate::committee::{ChainId, Committee, Epoch, Peer, Round};
use crate::crypto::certificate::CertificateError;
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::limits::{CHECK_WORK, WORK_LIMIT};
use crate::message::Message;
use crate::miner::{Config, Input, Output, ProposalError, Refusal};
use crate::rules::{FinalityRule, Rules};

/// Rounds above the named block that may have a payload on this stage.
const K: u64 = 2;

/// A chain of blocks, each notarized; those of the first rounds are final.
struct Chain {
    stage: Stage,
    tip: Arc<Block>,
    certificate: Option<Arc<Notarization>>,
    finality: Option<Arc<FinalityCertificate>>,
}

impl Chain {
    /// The stage's miner has followed `rounds` rounds; the blocks of all but the last `open` of them are final.
    fn of(rounds: u64, open: u64) -> Self {
        let committee = Committee::new(ChainId([1; 32]), Epoch(1), MINERS, 1).expect("a committee");
        let mut config = Config::new(committee, Rules::HARDENED, BeaconValue([2; 32]), crate::block::Time(0));
        config.payload_rounds = K;
        let stage = Stage::of(config);
        let tip = Arc::clone(&stage.config.genesis);
        let mut chain = Self { stage, tip, certificate: None, finality: None };
        for round in 1..=rounds {
            let block = Arc::new(Block::new(chain.content()));
            chain.stage.proposes(&block);
            let certificate = chain.stage.notarization(&block, &[1, 2, 3]);
            chain.stage.hears(1, Message::Notarization(Arc::clone(&certificate)));
            if round + open <= rounds {
                let finality = chain.stage.finality(&block, &[1, 2, 3]);
                chain.stage.hears(1, Message::FinalityCertificate(Arc::clone(&finality)));
                chain.finality = Some(finality);
            }
            (chain.tip, chain.certificate) = (block, Some(certificate));
        }
        assert_eq!(chain.stage.miner.round(), Round(rounds + 1));
        assert_eq!(chain.stage.miner.finalized().round(), Round(rounds - open));
        chain
    }

    /// The content of a proper next block.
    fn content(&self) -> BlockContent {
        let round = self.tip.round().0 + 1;
        let generator = self.stage.generator(round, 0);
        let content = self.stage.content(0, &self.tip, self.certificate.clone(), generator);
        BlockContent { finality: self.finality.clone(), ..content }
    }

    /// Whether the miner tickets the next block, after `change`; and why it refuses it.
    fn tickets(&mut self, change: impl FnOnce(&Stage, &mut BlockContent)) -> (bool, Option<Refusal>) {
        let mut content = self.content();
        change(&self.stage, &mut content);
        let block = Arc::new(Block::new(content));
        let refused = refusal(self.stage.proposes(&block));
        self.stage.window_closes();
        (self.stage.tickets_sent().contains(&ticket_of(&block)), refused)
    }
}

fn wrong(error: ProposalError) -> (bool, Option<Refusal>) {
    (false, Some(error.into()))
}

#[test]
fn a_payload_is_taken_up_to_k_rounds_above_the_named_block_and_refused_beyond() {
    let filled = |_: &Stage, content: &mut BlockContent| content.payload = vec![1];
    // With `open` rounds that are not final the next block is one more above the named one.
    assert_eq!(Chain::of(3, K - 1).tickets(filled), (true, None));
    let beyond = ProposalError::PayloadBeyond { named: Round(1), bound: K };
    assert_eq!(Chain::of(3, K).tickets(filled), wrong(beyond));
    assert_eq!(Chain::of(3, K).tickets(|_, _| ()), (true, None), "an empty payload goes on for ever");
    assert_eq!(Chain::of(8, 8).tickets(|_, _| ()), (true, None), "nothing final at all");
}

/// The head of the validator is higher than the block that the proposal names, or lower: neither changes the verdict.
#[test]
fn the_verdict_follows_from_the_block_and_not_from_the_head_of_the_validator() {
    let mut ahead = Chain::of(3, K);
    let third = ahead.stage.finality(&ahead.tip, &[1, 2, 3]);
    ahead.stage.hears(1, Message::FinalityCertificate(third));
    assert_eq!(ahead.stage.miner.finalized().round(), Round(3));
    let beyond = ProposalError::PayloadBeyond { named: Round(1), bound: K };
    assert_eq!(ahead.tickets(|_, content| content.payload = vec![1]), wrong(beyond));
    let mut behind = Chain::of(4, 4);
    let shown = behind.stage.finality(&behind.tip, &[1, 2, 3]);
    let filled = behind.tickets(|_, content| (content.finality, content.payload) = (Some(shown), vec![1]));
    assert_eq!(filled, (true, None));
    assert_eq!(behind.stage.miner.finalized().round(), Round(4), "what the block shows is learnt from it");
}

#[test]
fn a_certificate_that_is_not_genuine_or_not_below_the_block_is_refused() {
    let forged = |_: &Stage, content: &mut BlockContent| {
        let mut known = content.finality.as_deref().cloned().expect("something is final");
        known.certificate.aggregate = Signature([3; 48]);
        content.finality = Some(Arc::new(known));
    };
    let does_not_verify = (false, Some(Refusal::Certificate(CertificateError::DoesNotVerify)));
    assert_eq!(Chain::of(3, 1).tickets(forged), does_not_verify);
    // Two signers are no quorum.
    let few = |stage: &Stage, content: &mut BlockContent| {
        content.finality = content.finality.as_ref().map(|known| stage.certified(known.statement, &[1, 2]));
    };
    let (taken, refused) = Chain::of(3, 1).tickets(few);
    assert!(!taken && matches!(refused, Some(Refusal::Certificate(CertificateError::SubQuorum { .. }))));
    let own_round = |stage: &Stage, content: &mut BlockContent| {
        let other = Block::new(BlockContent { payload: vec![7], ..content.clone() });
        content.finality = Some(stage.finality(&other, &[1, 2, 3]));
    };
    let not_before = ProposalError::FinalityNotBefore { named: Round(4) };
    assert_eq!(Chain::of(3, 1).tickets(own_round), wrong(not_before));
}

#[test]
fn a_block_names_no_lower_final_block_than_its_parent() {
    // The parent of round 3 names round 2, at most one below.
    let parent_names = |chain: &Chain| chain.tip.header().final_round;
    let mut chain = Chain::of(3, 0);
    assert_eq!(parent_names(&chain), Round(2));
    let falls = ProposalError::FinalityFalls { named: Round(0), parent: Round(2) };
    assert_eq!(chain.tickets(|_, content| content.finality = None), wrong(falls));
    let mut same = Chain::of(3, 0);
    let of_parent = same.tip.finality().cloned();
    assert_eq!(same.tickets(|_, content| content.finality = of_parent), (true, None), "not below is enough");
}

/// Regression of a kind: the parent is caught up with only after the proposal was collected.
#[test]
fn a_proposal_that_names_less_than_a_parent_which_comes_late_is_not_ticketed() {
    let told = Chain::of(3, 0);
    let mut late = Chain::of(2, 0);
    // The miner hears of the third block only through the proposal that extends it.
    let content = BlockContent { finality: None, ..told.content() };
    let block = Arc::new(Block::new(content));
    assert!(!is_refused(late.stage.proposes(&block)), "nothing shows it yet");
    let proposal = told.stage.proposal(&told.tip, None);
    let Message::Proposal(third) = proposal else { unreachable!() };
    let response = crate::message::ChainResponse {
        blocks: vec![third.block],
        notarization: told.certificate.clone().expect("of round 3"),
        finality: None,
    };
    late.stage.input(Input::Timer(crate::miner::Timer::CatchUp));
    let asked = late.stage.out.iter().rev().find_map(|output| match output {
        Output::Send { to, message: Message::ChainRequest(_) } => Some(*to),
        _ => None,
    });
    let from = asked.expect("the parent is missing");
    let message = Message::ChainResponse(Arc::new(response));
    late.stage.input(Input::Message { from, message });
    let refused = late.stage.out.iter().any(|output| {
        matches!(output, Output::Refused { from: crate::committee::Peer::Miner(from), refusal: Refusal::Proposal(ProposalError::FinalityFalls { .. }) }
            if *from == block.header().generator)
    });
    late.stage.window_closes();
    let taken = late.stage.tickets_sent().contains(&ticket_of(&block));
    assert_eq!((taken, refused), (false, true));
}

#[test]
fn a_generator_names_the_highest_certificate_and_leaves_its_block_empty_beyond_k() {
    let proposes = |open: u64| {
        // Until it is the miner's turn.
        let rounds =
            (3..40).find(|rounds| Stage::new(Rules::HARDENED).order(rounds + 1, 0)[..2].contains(&0));
        let mut chain = Chain::of(rounds.expect("its turn comes"), open);
        let round = chain.tip.round().0 + 1;
        let before = chain.stage.out.len();
        for other in [1, 2] {
            let share = chain.stage.share(other, round);
            chain.stage.hears(other, Message::BeaconShare(share));
        }
        let asks =
            chain.stage.out[before..].iter().any(|output| matches!(output, Output::RequestPayload { .. }));
        let block = chain.stage.proposals_sent().pop().expect("a proposal");
        assert_eq!(block.round(), Round(round));
        assert_eq!(block.finality(), chain.finality.as_ref());
        (asks, block.header().final_round.0 + open + 1 == round)
    };
    assert_eq!(proposes(K - 1), (true, true));
    assert_eq!(proposes(K), (false, true), "the application is not even asked");
}

#[test]
fn under_rules_without_votes_a_block_names_nothing_and_no_payload_is_beyond() {
    let rules = Rules { finality: FinalityRule::TwoThirds, ..Rules::HARDENED };
    let stage = || Stage::new(rules);
    let block = |stage: &Stage, named: bool| {
        let first = stage.first_block(0, stage.generator(1, 0));
        let finality = named.then(|| stage.finality(&first, &[1, 2, 3]));
        let content = stage.content(0, &stage.config.genesis, None, stage.generator(1, 0));
        Arc::new(Block::new(BlockContent { finality, payload: vec![1], ..content }))
    };
    let mut names = stage();
    let named = block(&names, true);
    assert_eq!(refusal(names.proposes(&named)), Some(ProposalError::FinalityWithoutVotes.into()));
    let mut fills = stage();
    let filled = block(&fills, false);
    assert!(!is_refused(fills.proposes(&filled)));
    assert!(!fills.config.must_be_empty(&crate::block::Header { round: Round(1_000), ..*filled.header() }));
}

/// A certificate that is old here says nothing. It costs no check in a block that leads nowhere, so that nobody can make others work
/// with it; and in a block that is taken it is checked, and free.
#[test]
fn an_old_certificate_is_checked_only_where_the_block_is_worth_it() {
    let checks = |chain: &Chain| {
        let calls = chain.stage.schemes[0].calls();
        calls.verify + calls.verify_aggregate
    };
    let mut chain = Chain::of(3, 0);
    let old = chain.tip.finality().cloned();
    let content = BlockContent { finality: old.clone(), ..chain.content() };
    let generator = Peer::Miner(content.generator);
    // Each of another time, and of the future.
    let before = checks(&chain);
    for later in 0..1_000 {
        let time = content.time.after(1_000_000 + later);
        chain.stage.proposes(&Arc::new(Block::new(BlockContent { time, ..content.clone() })));
    }
    assert!(!chain.stage.miner.hears_now(generator, chain.stage.now));
    assert_eq!(chain.stage.miner.faults_of(generator), 0, "a clock that runs ahead is no fault");
    let signatures = WORK_LIMIT / CHECK_WORK;
    assert!((signatures..=signatures + 1).contains(&(checks(&chain) - before)));

    let taken = |change: fn(&mut FinalityCertificate)| {
        let mut chain = Chain::of(3, 0);
        let mut named = FinalityCertificate::clone(old.as_ref().expect("something was final before"));
        change(&mut named);
        let before = checks(&chain);
        let verdict = chain.tickets(|_, content| content.finality = Some(Arc::new(named)));
        (verdict, checks(&chain) - before, chain.stage.miner.accounts.debt(generator))
    };
    let (verdict, checks_of_it, debt) = taken(|_| ());
    assert_eq!((verdict, checks_of_it), ((true, None), 2));
    assert!(debt < CHECK_WORK / 100, "what is left is of its small messages: {debt}");
    let (verdict, _, debt) = taken(|named| named.certificate.aggregate = Signature([3; 48]));
    assert_eq!(verdict, (false, Some(Refusal::Certificate(CertificateError::DoesNotVerify))));
    assert!(debt > 0);
}
