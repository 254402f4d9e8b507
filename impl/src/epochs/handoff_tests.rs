use super::*;
use crate::block::{Block, BlockContent, Time};
use crate::committee::{MinerId, Subround};
use crate::crypto::certificate::Certificate;
use crate::crypto::mock_scheme::MockCommittee;
use crate::crypto::scheme::{BeaconValue, Sign as _, Signature};
use crate::limits::MAX_HANDOFF_BYTES;
use crate::rules::QuorumRule;
use crate::statement::{FinalityVote, Statement as _};
use crate::wire::{WireError, from_bytes, to_bytes};

const CHAIN: ChainId = ChainId([1; 32]);
const RECORD: Digest = Digest([9; 32]);

fn committee(epoch: u64, miners: u16) -> Committee {
    Committee::new(CHAIN, Epoch(epoch), miners, 1).expect("a committee")
}

fn quorum(committee: &Committee) -> usize {
    committee.quorum(QuorumRule::ByzantineMajority)
}

fn block(round: u64, closing: Closing) -> Block {
    Block::new(BlockContent {
        chain: CHAIN,
        epoch: Epoch(3),
        round: Round(round),
        subround: Subround(0),
        generator: MinerId(0),
        parent: BlockId([2; 32]),
        parent_notarization: None,
        finality: None,
        beacon: BeaconValue([3; 32]),
        beacon_signature: Signature([0; 48]),
        closing,
        items: vec![1],
        payload: Vec::new(),
        time: Time(0),
    })
}

fn closing_block() -> Block {
    block(7, Closing::Closes { record: RECORD })
}

fn tail_block() -> Block {
    let below = closing_block();
    block(8, Closing::Tail { round: below.round(), block: below.id(), record: RECORD })
}

/// A certificate of these members of a committee, who vote in the epoch that is given.
fn voted(block: &Block, members: &[u16], of: u16, epoch: u64) -> Arc<FinalityCertificate> {
    let keys = MockCommittee::new(of, 1);
    let statement = FinalityVote { round: block.round(), subround: block.subround(), block: block.id() };
    let signed = members.iter().map(|&member| {
        let scheme = keys.member(MinerId(member)).expect("a member");
        let signature = scheme.sign(FinalityVote::DOMAIN, &statement.preimage(&committee(epoch, of)));
        (MinerId(member), signature.expect("a member signs"))
    });
    let signed: Vec<_> = signed.collect();
    let certificate = Certificate::assemble(&keys.observer(), 1, &signed).expect("distinct members");
    Arc::new(FinalityCertificate { statement, certificate })
}

fn handoff(block: &Block, members: &[u16]) -> HandoffCertificate {
    HandoffCertificate::new(*block.header(), voted(block, members, 4, 3)).expect("it fits together")
}

fn judged(handoff: &HandoffCertificate, committee: &Committee) -> Result<(), HandoffError> {
    let scheme = MockCommittee::new(committee.miners(), 1).observer();
    handoff.verify(committee, quorum(committee), &scheme)
}

#[test]
fn both_forms_name_the_closing_block_and_its_record() {
    let below = closing_block();
    for (block, direct) in [(closing_block(), true), (tail_block(), false)] {
        let handoff = handoff(&block, &[0, 1, 2]);
        assert_eq!(judged(&handoff, &committee(3, 4)), Ok(()));
        assert_eq!(handoff.closing(), ClosingBlock { round: Round(7), id: below.id(), record: RECORD });
        assert_eq!((handoff.is_direct(), handoff.ends()), (direct, Epoch(3)));
    }
}

#[test]
fn what_does_not_fit_together_is_no_handoff() {
    let (open, closing) = (block(7, Closing::Open), closing_block());
    let of = |block: &Block| voted(block, &[0, 1, 2], 4, 3);
    assert_eq!(HandoffCertificate::new(*open.header(), of(&open)), Err(HandoffError::NotClosed(Round(7))));
    assert_eq!(HandoffCertificate::new(*closing.header(), of(&open)), Err(HandoffError::OtherBlock));
    let above = block(8, Closing::Tail { round: Round(8), block: closing.id(), record: RECORD });
    let order = HandoffError::Order { tail: Round(8), closing: Round(8) };
    assert_eq!(HandoffCertificate::new(*above.header(), of(&above)), Err(order));
}

#[test]
fn vc2_too_few_votes_are_refused() {
    let none = HandoffCertificate::new(*closing_block().header(), voted(&closing_block(), &[0], 4, 3));
    let few = [none.expect("it fits together"), handoff(&tail_block(), &[0, 1])];
    for (handoff, signers) in few.iter().zip([1, 2]) {
        let error = CertificateError::SubQuorum { signers, quorum: 3 };
        assert_eq!(judged(handoff, &committee(3, 4)), Err(error.into()));
    }
}

#[test]
fn votes_of_others_of_another_epoch_or_for_another_header_are_refused() {
    let good = handoff(&closing_block(), &[0, 1, 2]);
    let wrong = CertificateError::DoesNotVerify.into();
    // Members whose keys are others.
    let strangers = MockCommittee::new(4, 2).observer();
    assert_eq!(good.verify(&committee(3, 4), 3, &strangers), Err(wrong));
    // VC7: the same members, in another epoch of theirs.
    let certificate = voted(&closing_block(), &[0, 1, 2], 4, 2);
    let replayed = HandoffCertificate::new(*closing_block().header(), certificate).expect("it fits together");
    assert_eq!(judged(&replayed, &committee(3, 4)), Err(wrong));
    let expected = HandoffError::OtherEpoch { expected: Epoch(4), found: Epoch(3) };
    assert_eq!(judged(&good, &committee(4, 4)), Err(expected));
    let elsewhere = Committee::new(ChainId([7; 32]), Epoch(3), 4, 1).expect("a committee");
    assert_eq!(judged(&good, &elsewhere), Err(HandoffError::OtherChain));
}

#[test]
fn vc37_the_quorum_is_that_of_the_epoch_that_ends() {
    // Four members vote; the next committee has one, whose quorum is one.
    let one = handoff(&closing_block(), &[2]);
    let next = committee(4, 1);
    let scheme = MockCommittee::new(4, 1).observer();
    assert_eq!(one.verify(&committee(3, 4), quorum(&next), &scheme), Ok(()), "the mistake would be seen");
    let error = CertificateError::SubQuorum { signers: 1, quorum: 3 };
    assert_eq!(judged(&one, &committee(3, 4)), Err(error.into()));
}

#[test]
fn it_is_read_back_and_has_one_size_whatever_the_chain() {
    let handoffs = [handoff(&closing_block(), &[0, 1, 2]), handoff(&tail_block(), &[1, 2, 3])];
    for handoff in handoffs {
        let bytes = to_bytes(&handoff);
        assert!(bytes.len() <= MAX_HANDOFF_BYTES, "{} bytes", bytes.len());
        assert_eq!(from_bytes(&bytes), Ok(handoff.clone()));
        for cut in 0..bytes.len() {
            assert!(from_bytes::<HandoffCertificate>(&bytes[..cut]).is_err());
        }
        // No byte is without meaning.
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert_ne!(from_bytes(&changed), Ok(handoff.clone()), "byte {place}");
        }
    }
    let open = block(7, Closing::Open);
    let bytes = {
        let mut bytes = vec![crate::wire::VERSION];
        crate::wire::Encode::encode(open.header(), &mut bytes);
        crate::wire::Encode::encode(&voted(&open, &[0, 1, 2], 4, 3), &mut bytes);
        bytes
    };
    let refused = from_bytes::<HandoffCertificate>(&bytes);
    assert_eq!(refused, Err(WireError::Handoff { reason: HandoffError::NotClosed(Round(7)) }));
}
