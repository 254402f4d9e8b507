//! Target about catching up (L4, L5): what an answer to a chain request may make a sharder believe.
//!
//! A sharder knows that a block is final and asks for its chain. A peer answers with the chain, or with one in which
//! something is wrong; every other peer is honest. A wrong answer is refused and changes nothing, and in the end everything is
//! final, block by block.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent, Closing, Time};
use zus_bpp::certified::{Certified, FinalityCertificate, Notarization};
use zus_bpp::committee::{Epoch, MinerId, Peer, Round, SharderId, Subround};
use zus_bpp::crypto::certificate::Certificate;
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::crypto::scheme::{Sign as _, Signature};
use zus_bpp::limits::{CHECK_WORK, FAULT_WORK, MAX_CHAIN_BLOCKS, WORK_PER_SECOND};
use zus_bpp::message::{ChainRequest, ChainResponse, Message};
use zus_bpp::sharder::{MemoryHistory, Sharder, SharderInput, SharderOutput, SharderTimer};
use zus_bpp::statement::{FinalityVote, Statement, Ticket};

use crate::oracles::quorum;
use crate::schedule::{Random, ground_of};
use crate::world::{Ground, Setup};

/// Rounds of the longest chain.
const ROUNDS: u64 = 9;
/// Milliseconds after which a peer is heard again that has sent a wrong answer of the most blocks.
const DEBT_IS_PAID: u64 =
    1 + 1_000 * (CHECK_WORK * (MAX_CHAIN_BLOCKS as u64 + 1) + FAULT_WORK) / WORK_PER_SECOND;
/// Questions that may be asked until the chain is complete.
const QUESTIONS: usize = 60;
/// Questions of which the answers may be spoilt; those after them are answered genuinely, at least a block each.
const SPOILT: usize = 30;

fn certified<T: Statement>(ground: &Ground<MockScheme>, statement: T, signers: &[u16]) -> Arc<Certified<T>> {
    let message = statement.preimage(&ground.config.committee);
    let sign =
        |id: &u16| Some((MinerId(*id), ground.keys.members[usize::from(*id)].sign(T::DOMAIN, &message)?));
    let signatures: Vec<(MinerId, Signature)> = signers.iter().filter_map(sign).collect();
    let certificate =
        Certificate::assemble(&ground.keys.observer, 1, &signatures).expect("members, each once");
    Arc::new(Certified { statement, certificate })
}

/// The chain, and the notarization of each of its blocks.
struct Ladder {
    ground: Arc<Ground<MockScheme>>,
    blocks: Vec<Arc<Block>>,
    notarizations: Vec<Arc<Notarization>>,
}

impl Ladder {
    fn new(ground: &Arc<Ground<MockScheme>>, rounds: u64, random: &mut Random) -> Self {
        let mut ladder = Self { ground: Arc::clone(ground), blocks: Vec::new(), notarizations: Vec::new() };
        for round in 1..=rounds {
            let block = ladder.block(round, ground.config.committee.epoch(), random.bits() as u8);
            let ticket = Ticket { round: Round(round), subround: block.subround(), block: block.id() };
            ladder.notarizations.push(certified(ground, ticket, &[0, 1, 2]));
            ladder.blocks.push(block);
        }
        ladder
    }

    fn block(&self, round: u64, epoch: Epoch, what: u8) -> Arc<Block> {
        let parent = self.blocks.get((round as usize).wrapping_sub(2)).cloned();
        let config = &self.ground.config;
        let (beacon_signature, beacon) = self.ground.beacon_of(Round(round)).expect("a round of the world");
        Arc::new(Block::new(BlockContent {
            chain: config.committee.chain(),
            epoch,
            round: Round(round),
            subround: Subround(u32::from(what & 1)),
            generator: MinerId(0),
            parent: parent.as_ref().map_or(config.genesis.id(), |parent| parent.id()),
            parent_notarization: self.notarizations.get((round as usize).wrapping_sub(2)).cloned(),
            finality: None,
            beacon,
            beacon_signature,
            closing: Closing::Open,
            items: Vec::new(),
            payload: vec![what],
            time: Time(round),
        }))
    }

    fn finality(&self, signers: &[u16]) -> Arc<FinalityCertificate> {
        let tip = self.blocks.last().expect("a block");
        let vote = FinalityVote { round: tip.round(), subround: tip.subround(), block: tip.id() };
        certified(&self.ground, vote, signers)
    }

    /// The answer of an honest peer: so many of the lowest blocks above the requested round.
    fn answer(&self, request: &ChainRequest, most: usize) -> Option<ChainResponse> {
        let blocks: Vec<Arc<Block>> =
            self.blocks.iter().skip(request.after.0 as usize).take(most).cloned().collect();
        let last = blocks.last()?;
        let notarization = Arc::clone(&self.notarizations[last.round().0 as usize - 1]);
        Some(ChainResponse { blocks, notarization, finality: None })
    }

    /// Spoils an answer; `None` where there is nothing to spoil in this way. A certificate of a block that was shown to be
    /// notarized up to round `known` before is not looked at again.
    fn spoil(&self, mut answer: ChainResponse, known: Round, random: &mut Random) -> Option<ChainResponse> {
        let count = answer.blocks.len();
        let last = Arc::clone(answer.blocks.last()?);
        match random.below(8) {
            0 if count > 2 => drop(answer.blocks.remove(1 + random.below(count - 2))),
            1 if count > 1 => answer.blocks.swap(0, count - 1),
            2 => answer.blocks.clear(),
            // A certificate of one signer too few, of a sum that is not theirs, or for another block.
            3 if last.round() > known => {
                let ticket = answer.notarization.statement;
                answer.notarization = certified(&self.ground, ticket, &[0, 1]);
            }
            4 if last.round() > known => {
                let mut spoilt = (*answer.notarization).clone();
                spoilt.certificate.aggregate.0[1] ^= 1;
                answer.notarization = Arc::new(spoilt);
            }
            5 if count > 1 => {
                answer.notarization = Arc::clone(&self.notarizations[last.round().0 as usize - 2])
            }
            // A block of another epoch at the end, notarized and all.
            6 => {
                let other = self.block(last.round().0, Epoch(2), 0);
                let ticket = Ticket { round: other.round(), subround: other.subround(), block: other.id() };
                answer.notarization = certified(&self.ground, ticket, &[0, 1, 2]);
                answer.blocks[count - 1] = other;
            }
            // A finality certificate that nobody gave.
            7 => {
                let vote = FinalityVote { round: last.round(), subround: last.subround(), block: last.id() };
                answer.finality = Some(certified(&self.ground, vote, &[0, 1]));
            }
            // Beside the header, and not in the id: a beacon signature that does not make the block's value.
            _ => {
                let mut content = last.content();
                content.beacon_signature.0[1] ^= 1;
                answer.blocks[count - 1] = Arc::new(Block::new(content));
            }
        }
        Some(answer)
    }
}

/// See the module doc.
///
/// # Panics
/// When a wrong answer is taken, a right one is refused, or the chain is not complete in the end.
pub fn answers(bytes: &[u8]) {
    let mut random = Random::seeded_by(bytes);
    let mut setup = Setup::new(4, 1);
    setup.rounds = ROUNDS as u8;
    let ground = ground_of(&setup);
    let rounds = 1 + random.below(ROUNDS as usize) as u64;
    let ladder = Ladder::new(&ground, rounds, &mut random);
    let observer = ground.keys.observer.clone();
    let sharder = Sharder::new(Arc::clone(&ground.config), observer, SharderId(0), Vec::new());
    let (mut sharder, mut history) =
        (sharder.expect("an observer of this committee"), MemoryHistory::default());
    let mut now = Time(1);
    let (mut final_blocks, mut known) = (Vec::new(), Round(0));
    let from = Peer::Miner(MinerId(1));
    // A certificate of fewer than a quorum is refused and makes nothing missing.
    let few = SharderInput::Message { from, message: Message::FinalityCertificate(ladder.finality(&[0, 1])) };
    let mut out = Vec::new();
    sharder.step(now, few, &history, &mut out);
    assert!(matches!(out[..], [SharderOutput::Refused { .. }]), "{} of {}: {out:?}", 2, quorum(4));
    now = now.after(DEBT_IS_PAID);
    let certificate = Message::FinalityCertificate(ladder.finality(&[0, 1, 2]));
    let mut inputs = vec![SharderInput::Message { from, message: certificate }];
    for question in 0..QUESTIONS {
        let mut asked = None;
        for input in std::mem::take(&mut inputs) {
            let mut out = Vec::new();
            sharder.step(now, input, &history, &mut out);
            for output in out {
                match output {
                    SharderOutput::Send { to, message: Message::ChainRequest(request) } => {
                        asked = Some((to, request))
                    }
                    SharderOutput::Finalized(found) => {
                        let expected = ladder.blocks.get(final_blocks.len()).map(|block| block.id());
                        assert_eq!(Some(found.block.id()), expected, "what is stored as final");
                        final_blocks.push(found.block.id());
                        history.store(found);
                    }
                    SharderOutput::Refused { refusal, .. } => panic!("a right answer is refused: {refusal}"),
                    SharderOutput::Conflict { .. } => panic!("a right answer conflicts"),
                    _ => {}
                }
            }
        }
        if final_blocks.len() as u64 == rounds {
            return;
        }
        let Some((to, request)) = asked else {
            now = now.after(1_000);
            inputs.push(SharderInput::Timer(SharderTimer::CatchUp));
            continue;
        };
        assert!(
            request.after.0 < rounds
                && (request.after == Round(0) || request.after.0 >= final_blocks.len() as u64),
            "asks for what is above round {} of {rounds}",
            request.after
        );
        let Some(answer) = ladder.answer(&request, 1 + random.below(4)) else { continue };
        let spoilt = if question < SPOILT && random.below(2) == 0 {
            ladder.spoil(answer.clone(), known, &mut random)
        } else {
            None
        };
        if let Some(spoilt) = spoilt {
            let before = (sharder.finalized().id(), sharder.notarizations().count());
            let mut out = Vec::new();
            let message = Message::ChainResponse(Arc::new(spoilt.clone()));
            sharder.step(now, SharderInput::Message { from: to, message }, &history, &mut out);
            let after = (sharder.finalized().id(), sharder.notarizations().count());
            let refused = out.iter().any(|output| matches!(output, SharderOutput::Refused { .. }));
            assert!(refused && before == after, "a wrong answer is taken: {spoilt:?}");
            // Long enough for its sender to be heard again.
            now = now.after(DEBT_IS_PAID);
            inputs.push(SharderInput::Timer(SharderTimer::CatchUp));
        } else {
            known = known.max(answer.notarization.round);
            let message = Message::ChainResponse(Arc::new(answer));
            inputs.push(SharderInput::Message { from: to, message });
        }
    }
    panic!("{} of {rounds} blocks are final after {QUESTIONS} questions", final_blocks.len());
}
