//! Answers on real signatures, their certificates in a batch and one after the other: the same verdicts for fewer checks.

use super::*;
use crate::block::{BlockContent, Closing};
use crate::certified::Certified;
use crate::committee::{ChainId, Epoch, Subround};
use crate::crypto::blst_scheme::BlstScheme;
use crate::crypto::certificate::Certificate;
use crate::crypto::curve::products_so_far;
use crate::crypto::scheme::{BatchSeed, BeaconValue, Signature};
use crate::crypto::trusted_dealer;
use crate::rules::Rules;
use crate::statement::{FinalityVote, Signed, Statement, Ticket};

const MINERS: u16 = 7;
const SEED: BatchSeed = BatchSeed::new([3; 32]);

struct Stage {
    members: Vec<BlstScheme>,
    config: Config,
}

impl Stage {
    fn new() -> Self {
        let (keys, members) = trusted_dealer::deal([5; 32], MINERS).unwrap();
        let members = members.into_iter().map(|member| BlstScheme::member(keys.clone(), member).unwrap());
        let committee = Committee::new(ChainId([1; 32]), Epoch(1), MINERS, 0).unwrap();
        let config = Config::new(committee, Rules::HARDENED, BeaconValue([0; 32]), Time(0));
        Self { members: members.collect(), config }
    }

    /// The certificate of a quorum that leaves out another member each round.
    fn certified<T: Statement>(&self, statement: T) -> Arc<Certified<T>> {
        let absent = (statement.round().0 % u64::from(MINERS)) as usize;
        let present = self.members.iter().enumerate().filter(|(member, _)| *member != absent);
        let tickets: Vec<(MinerId, Signature)> = present
            .map(|(_, member)| Signed::sign(statement, &self.config.committee, member).unwrap())
            .map(|signed| (signed.signer, signed.signature))
            .collect();
        let certificate = Certificate::assemble(&self.members[0], self.config.quorum(), &tickets).unwrap();
        Arc::new(Certified { statement, certificate })
    }

    fn notarization(&self, block: &Block) -> Arc<Notarization> {
        self.certified(Ticket { round: block.round(), subround: block.subround(), block: block.id() })
    }

    /// So many notarized blocks above genesis, the last of them final. `spoil` may change a certificate on its way.
    fn answer(&self, count: u64, spoil: impl Fn(&mut Certificate, u64)) -> ChainResponse {
        let mut parent = Arc::clone(&self.config.genesis);
        let mut blocks = Vec::new();
        let mut certificate = None;
        for round in 1..=count {
            let beacon_signature = Signature([round as u8; 48]);
            parent = Arc::new(Block::new(BlockContent {
                chain: ChainId([1; 32]),
                epoch: Epoch(1),
                round: Round(round),
                subround: Subround(0),
                generator: MinerId(0),
                parent: parent.id(),
                parent_notarization: certificate.take(),
                finality: None,
                beacon: self.members[0].beacon_value(&beacon_signature),
                beacon_signature,
                closing: Closing::Open,
                items: Vec::new(),
                payload: Vec::new(),
                time: Time(round),
            }));
            blocks.push(Arc::clone(&parent));
            let mut notarization = self.notarization(&parent);
            spoil(&mut Arc::make_mut(&mut notarization).certificate, round);
            certificate = Some(notarization);
        }
        let vote = FinalityVote { round: parent.round(), subround: parent.subround(), block: parent.id() };
        let finality = Some(self.certified(vote));
        ChainResponse { blocks, notarization: certificate.unwrap(), finality }
    }

    /// The verdict of a new node on the answer, and the number of pairing products that it costs.
    fn check(
        &self,
        answer: &ChainResponse,
        seed: Option<BatchSeed>,
    ) -> (Result<CheckedAnswer, AnswerError>, usize) {
        let config = Config { batch_seed: seed, ..self.config.clone() };
        let chain = Chain::new(&config.genesis, Vec::new());
        let verifier = self.verifier();
        let before = products_so_far();
        let checked = chain.check_answer(answer, &config, &verifier);
        (checked, products_so_far() - before)
    }

    /// A scheme that remembers nothing.
    fn verifier(&self) -> BlstScheme {
        BlstScheme::observer(self.members[0].committee().clone())
    }
}

#[test]
fn a_good_answer_costs_one_product_of_pairings_instead_of_one_a_certificate() {
    let stage = Stage::new();
    let answer = stage.answer(12, |_, _| {});
    let (one_by_one, checks) = stage.check(&answer, None);
    let (batched, checks_of_batch) = stage.check(&answer, Some(SEED));
    assert_eq!((checks, checks_of_batch), (12 + 1, 1));
    let (one_by_one, batched) = (one_by_one.unwrap(), batched.unwrap());
    assert_eq!(batched.notarizations, one_by_one.notarizations);
    assert_eq!(batched.finality, one_by_one.finality);
    assert_eq!((batched.notarizations.len(), batched.finality.is_some()), (12, true));
}

#[test]
fn a_bad_answer_is_refused_for_the_same_reason() {
    let stage = Stage::new();
    let swap = |certificate: &mut Certificate| certificate.aggregate = Signature([0xc0; 48]);
    let thin = |certificate: &mut Certificate| {
        certificate.signers = crate::crypto::certificate::Signers::from_members(7, [MinerId(1)]).unwrap();
    };
    let answers = [
        stage.answer(6, |certificate, round| {
            if round == 4 {
                swap(certificate)
            }
        }),
        stage.answer(6, |certificate, round| {
            if round == 4 {
                thin(certificate)
            }
        }),
        // The first that is wrong is the reason, whatever is wrong with it.
        stage.answer(6, |certificate, round| match round {
            2 => swap(certificate),
            4 => thin(certificate),
            _ => {}
        }),
        stage.answer(6, |certificate, round| match round {
            2 => thin(certificate),
            4 => swap(certificate),
            _ => {}
        }),
    ];
    for answer in &answers {
        let (one_by_one, _) = stage.check(answer, None);
        let (batched, _) = stage.check(answer, Some(SEED));
        let (one_by_one, batched) = (one_by_one.err(), batched.err());
        assert!(one_by_one.is_some());
        assert_eq!(batched, one_by_one);
    }
}

#[test]
fn one_bad_certificate_of_a_batch_is_found_and_no_other_is_refused() {
    let stage = Stage::new();
    let quorum = stage.config.quorum();
    for bad in 1..=8 {
        // The genuine certificate of another block: a point of the subgroup, of this committee, over something else.
        let foreign = stage.certified(Ticket {
            round: Round(90),
            subround: Subround(0),
            block: stage.config.genesis.id(),
        });
        let answer = stage.answer(8, |certificate, round| {
            if round == bad {
                certificate.aggregate = foreign.certificate.aggregate;
            }
        });
        let verifier = stage.verifier();
        let mut batch = CertificateBatch::new(&stage.config.committee, quorum, &verifier);
        let carried = answer.blocks.iter().skip(1).filter_map(|block| block.parent_notarization());
        carried.chain([&answer.notarization]).for_each(|certificate| batch.push(certificate));
        answer.finality.iter().for_each(|certificate| batch.push(certificate));
        let wrong = Err(CertificateError::DoesNotVerify);
        let expected: Vec<_> = (1..=9).map(|place| if place == bad { wrong } else { Ok(()) }).collect();
        assert_eq!(batch.verdicts(Some(&SEED)), expected);
        assert_eq!(batch.verdicts(None), expected);
        // Found out once: the others are known to be good, and only the bad one is looked at again.
        let before = products_so_far();
        assert_eq!(batch.verify(Some(&SEED)), wrong);
        assert!(products_so_far() - before <= 2);
    }
}

#[test]
fn a_seed_is_not_shown() {
    assert_eq!(format!("{:?}", BatchSeed::new([7; 32])), "BatchSeed(..)");
}

/// Peers give a bounded number of bytes, and then nothing for a while. With less at once than the whole way takes, whoever
/// begins at the finalized head after each silence never gets there.
#[test]
fn a_silence_of_all_peers_does_not_cost_what_was_reached() {
    let committee = Committee::new(ChainId([1; 32]), Epoch(1), 4, 0).expect("a committee");
    let me = Peer::Miner(MinerId(3));
    let mut catch_up = CatchUp::default();
    let mut top = Round(0);
    for silence in 0..20 {
        // Three answers of 32 blocks each, and then nothing.
        for _ in 0..3 {
            let (peer, request) = catch_up.request(me, &committee, Round(0), None).expect("a peer");
            let last = Round(request.after.0 + 32);
            catch_up.helped(peer, last);
            top = top.max(last);
        }
        for _ in 0..ATTEMPTS_PER_START {
            catch_up.request(me, &committee, Round(0), None).expect("a peer");
        }
        assert!(silence > 0 || top == Round(96));
    }
    assert!(top > Round(900), "{top}");
}

/// A node that catches up finalizes the block that the answer's last block names, unless a higher certificate came with
/// it.
#[test]
fn the_certificate_that_a_block_names_makes_final_where_none_came_beside_it() {
    let stage = Stage::new();
    let below = stage.answer(3, |_, _| {});
    let parent = Arc::clone(below.blocks.last().unwrap());
    let finality = below.finality.clone();
    let last = Arc::new(Block::new(BlockContent {
        chain: ChainId([1; 32]),
        epoch: Epoch(1),
        round: Round(4),
        subround: Subround(0),
        generator: MinerId(0),
        parent: parent.id(),
        parent_notarization: Some(Arc::clone(&below.notarization)),
        finality: finality.clone(),
        beacon: stage.members[0].beacon_value(&Signature([4; 48])),
        beacon_signature: Signature([4; 48]),
        closing: Closing::Open,
        items: Vec::new(),
        payload: Vec::new(),
        time: Time(4),
    }));
    let notarization = stage.notarization(&last);
    let blocks = below.blocks.iter().cloned().chain([last]).collect();
    let answer = ChainResponse { blocks, notarization, finality: None };
    let told = stage.check(&answer, None).0.unwrap().finality.map(Verified::into_inner);
    assert_eq!(told, finality);
}
