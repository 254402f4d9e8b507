//! Arbitrary messages.

use std::sync::Arc;

use proptest::prelude::*;
use zus_bpp::block::{Block, BlockContent, BlockId, Closing, Digest, Time};
use zus_bpp::certified::{Certified, Notarization};
use zus_bpp::committee::{ChainId, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::curve::G1;
use zus_bpp::crypto::scheme::{BeaconValue, Signature};
use zus_bpp::crypto::uncompressed::UncompressedSignature;
use zus_bpp::evidence::Evidence;
use zus_bpp::limits::MAX_ROUND;
use zus_bpp::message::{BeaconShare, ChainRequest, ChainResponse, Message, Proposal, UncompressedTicket};
use zus_bpp::statement::{BeaconTarget, FinalityVote, Proposed, Signed, Ticket, Timeout};

fn signature() -> impl Strategy<Value = Signature> {
    prop::array::uniform32(any::<u8>()).prop_map(|half| {
        let mut bytes = [0; 48];
        bytes[..32].copy_from_slice(&half);
        bytes[32..].copy_from_slice(&half[..16]);
        Signature(bytes)
    })
}

fn signer() -> impl Strategy<Value = u16> {
    prop_oneof![0..5u16, any::<u16>()]
}

fn id() -> impl Strategy<Value = BlockId> {
    any::<[u8; 32]>().prop_map(BlockId)
}

fn position() -> impl Strategy<Value = (Round, Subround)> {
    let subround = prop_oneof![0..3u32, any::<u32>()];
    (round(), subround).prop_map(|(round, subround)| (round, Subround(subround)))
}

/// Often a round that a miner just started is interested in; some that no chain reaches.
fn round() -> impl Strategy<Value = Round> {
    prop_oneof![
        20 => 0..4u64,
        18 => 0..=MAX_ROUND,
        2 => Just(MAX_ROUND),
        1 => Just(MAX_ROUND + 1),
        1 => MAX_ROUND + 1..=u64::MAX,
    ]
    .prop_map(Round)
}

fn ticket() -> impl Strategy<Value = Ticket> {
    (position(), id()).prop_map(|((round, subround), block)| Ticket { round, subround, block })
}

fn vote() -> impl Strategy<Value = FinalityVote> {
    (position(), id()).prop_map(|((round, subround), block)| FinalityVote { round, subround, block })
}

fn proposed() -> impl Strategy<Value = Proposed> {
    (position(), id()).prop_map(|((round, subround), block)| Proposed { round, subround, block })
}

fn timeout() -> impl Strategy<Value = Timeout> {
    position().prop_map(|(round, subround)| Timeout { round, subround })
}

fn signed<T: std::fmt::Debug>(statement: impl Strategy<Value = T>) -> impl Strategy<Value = Signed<T>> {
    (statement, signer(), signature()).prop_map(|(statement, signer, signature)| Signed {
        statement,
        signer: MinerId(signer),
        signature,
    })
}

fn certificate() -> impl Strategy<Value = Certificate> {
    (1..300usize, any::<u64>(), signature()).prop_map(|(miners, mask, aggregate)| {
        let members = (0..miners as u16).filter(|id| mask >> (id % 61) & 1 == 1).map(MinerId);
        let signers = Signers::from_members(miners, members).expect("members of the committee");
        Certificate { signers, aggregate }
    })
}

fn certified<T: std::fmt::Debug>(
    statement: impl Strategy<Value = T>,
) -> impl Strategy<Value = Arc<Certified<T>>> {
    (statement, certificate())
        .prop_map(|(statement, certificate)| Arc::new(Certified { statement, certificate }))
}

fn notarization() -> impl Strategy<Value = Arc<Notarization>> {
    certified(ticket())
}

fn closing() -> impl Strategy<Value = Closing> {
    let digest = || any::<[u8; 32]>().prop_map(Digest);
    prop_oneof![
        4 => Just(Closing::Open),
        1 => digest().prop_map(|record| Closing::Closes { record }),
        1 => (round(), id(), digest()).prop_map(|(round, block, record)| Closing::Tail { round, block, record }),
    ]
}

fn block() -> impl Strategy<Value = Arc<Block>> {
    (
        any::<([u8; 32], u64, u16, [u8; 32], [u8; 32], u64)>(),
        position(),
        (prop::option::of(notarization()), prop::option::of(certified(vote()))),
        signature(),
        (closing(), prop::collection::vec(any::<u8>(), 0..50), prop::collection::vec(any::<u8>(), 0..200)),
    )
        .prop_map(
            |(
                (chain, epoch, generator, parent, beacon, time),
                (round, subround),
                (notarized, finality),
                signature,
                (closing, items, payload),
            )| {
                Arc::new(Block::new(BlockContent {
                    chain: ChainId(chain),
                    epoch: Epoch(epoch),
                    round,
                    subround,
                    generator: MinerId(generator),
                    parent: BlockId(parent),
                    parent_notarization: notarized,
                    finality,
                    beacon: BeaconValue(beacon),
                    beacon_signature: signature,
                    closing,
                    items,
                    payload,
                    time: Time(time),
                }))
            },
        )
}

fn evidence() -> impl Strategy<Value = Evidence> {
    prop_oneof![
        (signed(proposed()), signed(proposed()))
            .prop_map(|(first, second)| Evidence::Proposals { first, second }),
        (signed(ticket()), signed(ticket())).prop_map(|(first, second)| Evidence::Tickets { first, second }),
        (signed(vote()), signed(vote()))
            .prop_map(|(first, second)| Evidence::FinalityVotes { first, second }),
        (signed(ticket()), signed(vote()))
            .prop_map(|(ticket, vote)| Evidence::TicketAgainstVote { ticket, vote }),
        (notarization(), notarization())
            .prop_map(|(first, second)| Evidence::Notarizations { first, second }),
        (notarization(), certified(vote())).prop_map(|(notarization, finality)| {
            Evidence::NotarizationAgainstFinality { notarization, finality }
        }),
        (certified(vote()), certified(vote()))
            .prop_map(|(first, second)| Evidence::FinalityCertificates { first, second }),
    ]
    .prop_map(Evidence::canonical)
}

fn target() -> impl Strategy<Value = BeaconTarget> {
    prop_oneof![
        round().prop_map(BeaconTarget::Round),
        (position(), any::<[u8; 32]>()).prop_map(|((round, subround), previous)| BeaconTarget::Chained {
            round,
            subround,
            previous: BeaconValue(previous),
        }),
    ]
}

/// The rounds that a message names, wherever they are in it.
pub fn rounds(message: &Message) -> Vec<u64> {
    let text = format!("{message:?}");
    let number = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|it| it.parse().ok());
    text.split("Round(").skip(1).filter_map(number).collect()
}

/// Any message that is decoded.
pub fn message() -> impl Strategy<Value = Message> {
    any_message().prop_filter("of rounds that a chain reaches", |message| {
        rounds(message).iter().all(|&round| round <= MAX_ROUND)
    })
}

/// Any message, now and then of a round that no chain reaches.
pub fn any_message() -> impl Strategy<Value = Message> {
    prop_oneof![
        (target(), signer(), signature()).prop_map(|(target, signer, share)| {
            Message::BeaconShare(BeaconShare { target, signer: MinerId(signer), share })
        }),
        (block(), prop::option::of(certified(timeout())), signature()).prop_map(
            |(block, timeout_certificate, signature)| {
                Message::Proposal(Proposal { block, timeout_certificate, signature })
            }
        ),
        signed(ticket()).prop_map(Message::Ticket),
        (ticket(), signer(), any::<[u8; 8]>()).prop_map(|(statement, signer, seed)| {
            let point = Signature(G1::hash(b"any point", &seed).encode());
            let signature = UncompressedSignature::new(point).expect("a point");
            Message::UncompressedTicket(UncompressedTicket { statement, signer: MinerId(signer), signature })
        }),
        notarization().prop_map(Message::Notarization),
        signed(timeout()).prop_map(Message::Timeout),
        certified(timeout()).prop_map(Message::TimeoutCertificate),
        signed(vote()).prop_map(Message::FinalityVote),
        certified(vote()).prop_map(Message::FinalityCertificate),
        evidence().prop_map(|evidence| Message::Evidence(Arc::new(evidence))),
        (round(), prop::option::of(id()))
            .prop_map(|(after, tip)| Message::ChainRequest(ChainRequest { after, tip })),
        (prop::collection::vec(block(), 1..5), notarization(), prop::option::of(certified(vote()))).prop_map(
            |(blocks, notarization, finality)| {
                Message::ChainResponse(Arc::new(ChainResponse { blocks, notarization, finality }))
            }
        ),
    ]
}
