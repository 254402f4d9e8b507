//! The wire format: canonical, bounded, pinned by vectors.

mod generate;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use zus_bpp::block::Time;
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Peer, Round, SharderId};
use zus_bpp::crypto::curve::PointError;
use zus_bpp::crypto::mock_scheme::MockCommittee;
use zus_bpp::crypto::scheme::BeaconValue;
use zus_bpp::limits::{MAX_MESSAGE_BYTES, MAX_PAYLOAD_BYTES, MAX_ROUND};
use zus_bpp::message::{Message, MessageKind};
use zus_bpp::miner::{Config, Input, Miner, Output, Recovery, Refusal};
use zus_bpp::rules::Rules;
use zus_bpp::sharder::{MemoryHistory, Sharder, SharderInput};
use zus_bpp::wire::{VERSION, WireError, decode, encode};

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_decoded(message in generate::message()) {
        let bytes = encode(&message);
        prop_assert_eq!(decode(&bytes), Ok(message));
    }

    #[test]
    fn what_is_accepted_has_one_encoding(message in generate::message(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = encode(&message);
        for (index, bit) in flips {
            let index = index.index(bytes.len());
            bytes[index] ^= 1 << (bit % 8);
        }
        if let Ok(accepted) = decode(&bytes) {
            prop_assert_eq!(encode(&accepted), bytes);
        }
    }

    #[test]
    fn any_bytes_are_a_message_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(accepted) = decode(&bytes) {
            prop_assert_eq!(encode(&accepted), bytes);
        }
    }

    #[test]
    fn a_message_cut_short_or_drawn_out_is_refused(message in generate::message(), cut in any::<prop::sample::Index>()) {
        let mut bytes = encode(&message);
        let cut = cut.index(bytes.len());
        prop_assert!(decode(&bytes[..cut]).is_err());
        bytes.push(0);
        prop_assert_eq!(decode(&bytes), Err(WireError::TrailingBytes { count: 1 }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_decoded_a_miner_and_a_sharder_survive_it(messages in prop::collection::vec((generate::message(), 0..5u16), 1..60)) {
        let committee = Committee::new(ChainId([1; 32]), Epoch(1), 4, 1).expect("a committee");
        for rules in [Rules::HARDENED, Rules::DOCUMENTED, Rules::DEPLOYED] {
            let config = Arc::new(Config::new(committee, rules, BeaconValue([2; 32]), Time(0)));
            let keys = MockCommittee::new(4, 1);
            let scheme = keys.member(MinerId(0)).expect("a member");
            let mut miner = Miner::new(config.clone(), scheme, Recovery::default()).expect("starts");
            let mut sharder = Sharder::new(config, keys.observer(), SharderId(0), Vec::new()).expect("starts");
            let (mut out, mut sharder_out) = (Vec::new(), Vec::new());
            miner.step(Time(0), Input::Start, &mut out);
            for (message, from) in &messages {
                let (from, bytes) = (Peer::Miner(MinerId(*from)), encode(message));
                miner.step(Time(1), Input::Bytes { from, bytes: bytes.clone() }, &mut out);
                let input = SharderInput::Bytes { from, bytes };
                sharder.step(Time(1), input, &MemoryHistory::default(), &mut sharder_out);
            }
            prop_assert_eq!(miner.round(), Round(1), "nothing in it is genuine");
        }
    }
}

#[test]
fn the_format_is_that_of_the_committed_vectors() {
    let vectors = vectors::committed();
    let messages = vectors::messages();
    assert_eq!(vectors.len(), messages.len());
    for ((name, message), (committed_name, bytes)) in messages.iter().zip(&vectors) {
        assert_eq!(name, committed_name);
        assert_eq!(hex::encode(encode(message)), hex::encode(bytes), "{name}");
        assert_eq!(decode(bytes).as_ref(), Ok(message), "{name}");
    }
}

#[test]
fn a_changed_byte_of_a_vector_is_another_message_or_none() {
    for (name, bytes) in vectors::committed() {
        let message = decode(&bytes).expect("a committed vector");
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0x01;
            assert_ne!(decode(&changed).as_ref(), Ok(&message), "{name}: byte {index} says nothing");
        }
    }
}

#[test]
fn block_ids_are_those_of_the_committed_vectors() {
    for (name, message) in vectors::messages() {
        if let Message::Proposal(proposal) = message {
            assert_eq!(hex::encode(proposal.block.id().0), vectors::id_of(name), "{name}");
        }
    }
}

#[test]
fn preimages_are_those_of_the_committed_vectors() {
    for (name, preimage) in vectors::preimages() {
        assert_eq!(hex::encode(preimage), vectors::preimage_of(name), "{name}");
    }
}

/// Of messages of every kind, with the round in every place: those in which some round is too high are refused for it.
#[test]
fn a_round_that_no_chain_reaches_is_refused_in_every_message() {
    let (mut runner, strategy) = (TestRunner::deterministic(), generate::any_message());
    let (mut refused, mut taken) = (BTreeMap::<u8, usize>::new(), BTreeMap::<u8, usize>::new());
    for _ in 0..3_000 {
        let message = strategy.new_tree(&mut runner).expect("a message").current();
        let (bytes, rounds) = (encode(&message), generate::rounds(&message));
        assert!(!rounds.is_empty(), "{message:?}");
        let too_high: Vec<u64> = rounds.iter().copied().filter(|&round| round > MAX_ROUND).collect();
        match decode(&bytes) {
            Err(WireError::Round { round }) => {
                assert!(too_high.contains(&round), "{round} in {message:?}");
                *refused.entry(bytes[1]).or_default() += 1;
            }
            decoded => {
                assert!(too_high.is_empty(), "{too_high:?} taken in {message:?}");
                assert_eq!(decoded, Ok(message));
                let at_the_bound = rounds.contains(&MAX_ROUND);
                *taken.entry(bytes[1]).or_default() += usize::from(at_the_bound);
            }
        }
    }
    // The kinds of messages, by their tags.
    let tags: BTreeSet<u8> = vectors::messages().iter().map(|(_, message)| encode(message)[1]).collect();
    assert!(tags.iter().all(|kind| refused.get(kind) > Some(&0)), "{refused:?}");
    assert!(tags.iter().all(|kind| taken.get(kind) > Some(&0)), "{taken:?}");
    let error = WireError::Round { round: MAX_ROUND + 1 }.to_string();
    assert_eq!(error, "round 4611686018427387905 is above 4611686018427387904, which no chain reaches");
}

#[test]
fn every_kind_and_form_of_message_has_a_vector_and_is_read_back() {
    let messages = vectors::messages();
    let kinds: BTreeSet<MessageKind> = messages.iter().map(|(_, message)| message.kind()).collect();
    assert_eq!(kinds, MessageKind::ALL.iter().copied().collect());
    for (name, message) in messages {
        assert_eq!(decode(&encode(&message)), Ok(message), "{name}");
    }
}

#[test]
fn every_kind_and_form_of_message_is_generated() {
    let mut runner = TestRunner::deterministic();
    let generated = || generate::any_message().new_tree(&mut runner).expect("a message").current().kind();
    let kinds: BTreeSet<MessageKind> = std::iter::repeat_with(generated).take(2_000).collect();
    assert_eq!(kinds, MessageKind::ALL.iter().copied().collect());
}

/// A sharder passes over messages between miners after a glance at their bytes. It passes over nothing that it would do something about.
#[test]
fn a_glance_passes_over_no_message_that_a_sharder_takes() {
    let committee = Committee::new(ChainId([1; 32]), Epoch(1), 4, 1).expect("a committee");
    let config = Arc::new(Config::new(committee, Rules::HARDENED, BeaconValue([2; 32]), Time(0)));
    let observer = MockCommittee::new(4, 1).observer();
    let mut taken = BTreeSet::new();
    for (name, message) in vectors::messages() {
        let kind = message.kind();
        let given = |input| {
            let mut sharder =
                Sharder::new(config.clone(), observer.clone(), SharderId(0), Vec::new()).expect("starts");
            let mut out = Vec::new();
            sharder.step(Time(1_000), input, &MemoryHistory::default(), &mut out);
            format!("{out:?}")
        };
        let from = (0..=u16::MAX)
            .map(|id| Peer::Miner(MinerId(id)))
            .find(|&from| message.may_come_from(from))
            .expect("somebody may send it");
        let as_bytes = given(SharderInput::Bytes { from, bytes: encode(&message) });
        let as_message = given(SharderInput::Message { from, message });
        // An answer that nobody asked for is not read.
        if kind != MessageKind::ChainResponse {
            assert_eq!(as_bytes, as_message, "{name}");
        }
        if as_message != "[]" {
            taken.insert(kind);
        }
    }
    // A request is answered from a history, which is empty here.
    let sharders = [MessageKind::Notarization, MessageKind::FinalityCertificate];
    assert!(sharders.iter().all(|kind| taken.contains(kind)), "{taken:?}");
}

#[test]
fn each_reason_for_a_refusal() {
    let (_, ticket) = vectors::committed().into_iter().find(|(name, _)| name == "ticket").expect("a ticket");
    let with = |index: usize, byte: u8| {
        let mut bytes = ticket.clone();
        bytes[index] = byte;
        decode(&bytes)
    };
    assert_eq!(with(0, 1), Err(WireError::UnknownVersion { found: 1, supported: VERSION }));
    assert_eq!(with(1, 99), Err(WireError::UnknownTag { field: "kind of message", found: 99 }));
    // Version, kind, round, subround, block, signer: then the form of the signature.
    let form = 1 + 1 + 8 + 4 + 32 + 2;
    assert_eq!(with(form, 3), Err(WireError::UnknownTag { field: "form of a signature", found: 3 }));
    let field = "uncompressed signature";
    assert_eq!(with(form, 2), Err(WireError::UnexpectedEnd { field, needed: 96, left: 48 }));
    assert_eq!(decode(&[]), Err(WireError::UnexpectedEnd { field: "version", needed: 1, left: 0 }));
    assert_eq!(decode(&[VERSION, 10, 0]), Err(WireError::Empty { field: "blocks" }));
    assert_eq!(
        decode(&[VERSION, 10, 33]),
        Err(WireError::TooLong { field: "blocks", length: 33, bound: 32 })
    );
    let long = vec![VERSION; MAX_MESSAGE_BYTES + 1];
    assert!(matches!(decode(&long), Err(WireError::TooLong { field: "message", .. })));
}

#[test]
fn coordinates_of_no_point_are_refused_with_the_reason() {
    let (_, ticket) =
        vectors::committed().into_iter().find(|(name, _)| name == "ticket-uncompressed").expect("a ticket");
    let x = ticket.len() - 96;
    let with = |index: usize, bytes: &[u8]| {
        let mut ticket = ticket.clone();
        ticket[index..index + bytes.len()].copy_from_slice(bytes);
        decode(&ticket)
    };
    let refused = |reason| Err(WireError::Point { field: "uncompressed signature", reason });
    assert_eq!(with(x + 95, &[0]), refused(PointError::NotOnCurve), "another y");
    assert_eq!(with(x + 47, &[0]), refused(PointError::NotOnCurve), "another x");
    for flag in [0x20, 0x80, 0xa0] {
        assert_eq!(with(x, &[ticket[x] | flag]), refused(PointError::Encoding), "a flag of the other form");
    }
    assert_eq!(with(x, &[0xff; 48]), refused(PointError::Encoding), "x is not reduced");
    assert_eq!(with(x + 48, &[0xff; 48]), refused(PointError::Encoding), "y is not reduced");
    let mut infinity = [0; 96];
    infinity[0] = 0x40;
    assert_eq!(with(x, &infinity), refused(PointError::Infinity));
    // A second coordinate that is the first one's modulo the prime would be a second encoding: y + p fits in 48 bytes.
    let p = hex::decode(
        "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
    );
    let mut carry = 0;
    let mut sum = ticket[x + 48..].to_vec();
    for (byte, add) in sum.iter_mut().zip(p.expect("hex")).rev() {
        let total = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (total as u8, total >> 8);
    }
    assert_eq!(with(x + 48, &sum), refused(PointError::Encoding), "y + p");
    // The miner says so.
    let committee = Committee::new(ChainId([1; 32]), Epoch(1), 4, 1).expect("a committee");
    let config = Arc::new(Config::new(committee, Rules::HARDENED, BeaconValue([2; 32]), Time(0)));
    let scheme = MockCommittee::new(4, 1).member(MinerId(0)).expect("a member");
    let mut miner = Miner::new(config, scheme, Recovery::default()).expect("starts");
    let mut out = Vec::new();
    miner.step(Time(0), Input::Start, &mut out);
    out.clear();
    let mut bytes = ticket.clone();
    bytes[x + 95] ^= 1;
    let from = Peer::Miner(MinerId(1));
    miner.step(Time(1), Input::Bytes { from, bytes: bytes.clone() }, &mut out);
    let refusal = Refusal::Malformed(decode(&bytes).expect_err("no point"));
    assert_eq!(out, [Output::Refused { from, refusal }]);
}

#[test]
fn only_the_message_of_one_ticket_carries_both_coordinates() {
    let form = 1 + 1 + 8 + 4 + 32 + 2;
    for name in ["finality-vote", "evidence-tickets"] {
        let (_, mut bytes) =
            vectors::committed().into_iter().find(|(found, _)| found == name).expect("a vector");
        let form = form + usize::from(name.starts_with("evidence"));
        assert_eq!(bytes[form], 1, "{name}");
        bytes[form] = 2;
        assert_eq!(decode(&bytes), Err(WireError::UnknownTag { field: "form of a signature", found: 2 }));
    }
}

#[test]
fn a_payload_over_its_bound_is_refused_before_it_is_read() {
    let (_, proposal) = vectors::messages().into_iter().find(|(name, _)| *name == "proposal").expect("one");
    let Message::Proposal(proposal) = proposal else { panic!("a proposal") };
    let block = vectors::with_payload(&proposal.block, vec![7; MAX_PAYLOAD_BYTES + 1]);
    let message = Message::Proposal(zus_bpp::message::Proposal { block: Arc::new(block), ..proposal });
    let refused = decode(&encode(&message));
    assert_eq!(
        refused,
        Err(WireError::TooLong { field: "payload", length: MAX_PAYLOAD_BYTES + 1, bound: MAX_PAYLOAD_BYTES })
    );
}

#[test]
fn a_bitmap_has_one_form_only() {
    let (_, bytes) =
        vectors::committed().into_iter().find(|(name, _)| name == "notarization").expect("a notarization");
    // Version, kind, round, subround, block; then the committee's size and the bitmap: seven miners, one byte.
    let bitmap = 1 + 1 + 8 + 4 + 32 + 2;
    assert_eq!(bytes[bitmap - 2..bitmap], [0, 7]);
    let mut foreign = bytes.clone();
    foreign[bitmap] |= 0x80;
    assert!(matches!(decode(&foreign), Err(WireError::Signers(_))), "bit 7 of seven miners");
    let mut padded = bytes.clone();
    padded[bitmap - 1] = 9;
    padded.insert(bitmap + 1, 0);
    // A larger committee is another message, not another form of this one.
    assert_ne!(decode(&padded), decode(&bytes));
}
