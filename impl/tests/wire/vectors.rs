//! One message of each kind with fixed content, its committed bytes, and committed ids and preimages.
//!
//! The files were written by `tests/data/wire.py`, which shares nothing with this crate; they change only with the version
//! of the format.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent, BlockId, Closing, Digest, Time};
use zus_bpp::certified::{Certified, FinalityCertificate, Notarization, TimeoutCertificate};
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::curve::G1;
use zus_bpp::crypto::scheme::{BeaconValue, Signature};
use zus_bpp::crypto::uncompressed::UncompressedSignature;
use zus_bpp::evidence::Evidence;
use zus_bpp::message::{BeaconShare, ChainRequest, ChainResponse, Message, Proposal, UncompressedTicket};
use zus_bpp::statement::{
    BeaconTarget, FinalityVote, Preimage, Proposed, Signed, Statement, Ticket, Timeout,
};

const MESSAGES: &str = include_str!("../data/wire.txt");
const IDS_AND_PREIMAGES: &str = include_str!("../data/preimages.txt");

fn lines(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let content = file.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    content.map(|line| line.split_once(' ').expect("name and hex"))
}

/// Names and bytes of the committed messages.
pub fn committed() -> Vec<(String, Vec<u8>)> {
    lines(MESSAGES).map(|(name, bytes)| (name.to_owned(), hex::decode(bytes).expect("hex"))).collect()
}

/// The committed id of a block.
pub fn id_of(message: &str) -> &'static str {
    preimage_of(&format!("id-{message}"))
}

/// A committed preimage.
pub fn preimage_of(name: &str) -> &'static str {
    lines(IDS_AND_PREIMAGES).find(|(found, _)| *found == name).map(|(_, bytes)| bytes).unwrap_or_default()
}

fn bytes<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|i| first.wrapping_add(i as u8))
}

fn signature(first: u8) -> Signature {
    Signature(bytes(first))
}

fn certified<T>(statement: T, signers: &[u16]) -> Arc<Certified<T>> {
    let signers = Signers::from_members(7, signers.iter().copied().map(MinerId)).expect("of seven");
    Arc::new(Certified { statement, certificate: Certificate { signers, aggregate: signature(0x90) } })
}

fn notarization() -> Arc<Notarization> {
    certified(
        Ticket { round: Round(4), subround: Subround(1), block: BlockId(bytes(0x20)) },
        &[0, 1, 3, 4, 6],
    )
}

fn timeout_certificate() -> Arc<TimeoutCertificate> {
    certified(Timeout { round: Round(5), subround: Subround(0) }, &[1, 2, 3, 5, 6])
}

fn finality_certificate() -> Arc<FinalityCertificate> {
    certified(
        FinalityVote { round: Round(4), subround: Subround(1), block: BlockId(bytes(0x20)) },
        &[0, 2, 3, 5, 6],
    )
}

fn signed<T>(statement: T) -> Signed<T> {
    Signed { statement, signer: MinerId(0x0102), signature: signature(0x70) }
}

/// The block with another payload.
pub fn with_payload(block: &Block, payload: Vec<u8>) -> Block {
    Block::new(BlockContent { payload, ..block.content() })
}

/// A block; one that extends genesis names no final block either, and brings no epoch items. The other one closes its epoch.
fn block(parent_notarization: Option<Arc<Notarization>>) -> Arc<Block> {
    let record = Digest(bytes(0xa0));
    match parent_notarization {
        None => block_that_says(Closing::Open, b"", None),
        some => block_that_says(Closing::Closes { record }, b"items", some),
    }
}

/// A block in the tail of its epoch.
fn block_of_the_tail() -> Arc<Block> {
    let closing = Closing::Tail { round: Round(3), block: BlockId(bytes(0x30)), record: Digest(bytes(0xa0)) };
    block_that_says(closing, b"", Some(notarization()))
}

fn block_that_says(
    closing: Closing,
    items: &[u8],
    parent_notarization: Option<Arc<Notarization>>,
) -> Arc<Block> {
    let finality = parent_notarization.as_ref().map(|_| finality_certificate());
    Arc::new(Block::new(BlockContent {
        chain: ChainId(bytes(0x01)),
        epoch: Epoch(0x0203_0405_0607_0809),
        round: Round(5),
        subround: Subround(1),
        generator: MinerId(6),
        parent: BlockId(bytes(0x20)),
        parent_notarization,
        finality,
        beacon: BeaconValue(bytes(0x40)),
        beacon_signature: signature(0x50),
        closing,
        items: items.to_vec(),
        payload: b"payload".to_vec(),
        time: Time(0x0000_0188_0000_0000),
    }))
}

/// A ticket that is signed with the generator of the curve's group: no signature of anybody, but a point.
fn uncompressed(statement: Ticket) -> UncompressedTicket {
    let generator = Signature(G1::generator().encode());
    let signature = UncompressedSignature::new(generator).expect("a point");
    UncompressedTicket { statement, signer: MinerId(0x0102), signature }
}

/// One message of each kind and form, with the name of its vector.
pub fn messages() -> Vec<(&'static str, Message)> {
    let ticket = |block| Ticket { round: Round(5), subround: Subround(1), block };
    let vote = |block| FinalityVote { round: Round(5), subround: Subround(1), block };
    let proposed = |block| Proposed { round: Round(5), subround: Subround(1), block };
    let (a, b) = (BlockId(bytes(0x20)), BlockId(bytes(0x30)));
    let chained =
        BeaconTarget::Chained { round: Round(5), subround: Subround(2), previous: BeaconValue(bytes(0x40)) };
    let share = |target| BeaconShare { target, signer: MinerId(3), share: signature(0x60) };
    let evidence = |evidence| Message::Evidence(Arc::new(evidence));
    vec![
        ("beacon-share-round", Message::BeaconShare(share(BeaconTarget::Round(Round(5))))),
        ("beacon-share-chained", Message::BeaconShare(share(chained))),
        (
            "proposal",
            Message::Proposal(Proposal {
                block: block(Some(notarization())),
                timeout_certificate: Some(timeout_certificate()),
                signature: signature(0x80),
            }),
        ),
        (
            "proposal-on-genesis",
            Message::Proposal(Proposal {
                block: block(None),
                timeout_certificate: None,
                signature: signature(0x80),
            }),
        ),
        (
            "proposal-in-the-tail",
            Message::Proposal(Proposal {
                block: block_of_the_tail(),
                timeout_certificate: None,
                signature: signature(0x80),
            }),
        ),
        ("ticket", Message::Ticket(signed(ticket(a)))),
        ("ticket-uncompressed", Message::UncompressedTicket(uncompressed(ticket(a)))),
        ("notarization", Message::Notarization(notarization())),
        ("timeout", Message::Timeout(signed(Timeout { round: Round(5), subround: Subround(1) }))),
        ("timeout-certificate", Message::TimeoutCertificate(timeout_certificate())),
        ("finality-vote", Message::FinalityVote(signed(vote(a)))),
        ("finality-certificate", Message::FinalityCertificate(finality_certificate())),
        (
            "evidence-proposals",
            evidence(Evidence::Proposals { first: signed(proposed(a)), second: signed(proposed(b)) }),
        ),
        (
            "evidence-tickets",
            evidence(Evidence::Tickets { first: signed(ticket(a)), second: signed(ticket(b)) }),
        ),
        (
            "evidence-finality-votes",
            evidence(Evidence::FinalityVotes { first: signed(vote(a)), second: signed(vote(b)) }),
        ),
        (
            "evidence-ticket-against-vote",
            evidence(Evidence::TicketAgainstVote { ticket: signed(ticket(a)), vote: signed(vote(b)) }),
        ),
        (
            "evidence-notarizations",
            evidence(Evidence::Notarizations { first: notarization(), second: notarization() }),
        ),
        (
            "evidence-notarization-against-finality",
            evidence(Evidence::NotarizationAgainstFinality {
                notarization: notarization(),
                finality: finality_certificate(),
            }),
        ),
        (
            "evidence-finality-certificates",
            evidence(Evidence::FinalityCertificates {
                first: finality_certificate(),
                second: finality_certificate(),
            }),
        ),
        ("chain-request", Message::ChainRequest(ChainRequest { after: Round(9), tip: Some(a) })),
        ("chain-request-head", Message::ChainRequest(ChainRequest { after: Round(9), tip: None })),
        (
            "chain-response",
            Message::ChainResponse(Arc::new(ChainResponse {
                blocks: vec![block(None), block(Some(notarization()))],
                notarization: notarization(),
                finality: Some(finality_certificate()),
            })),
        ),
    ]
}

/// One preimage of each kind, with the name of its vector.
pub fn preimages() -> Vec<(&'static str, Preimage)> {
    let committee =
        Committee::new(ChainId(bytes(0x01)), Epoch(0x0203_0405_0607_0809), 7, 2).expect("a committee");
    let (round, subround, block) = (Round(5), Subround(1), BlockId(bytes(0x20)));
    let previous = BeaconValue(bytes(0x40));
    vec![
        ("preimage-proposal", Proposed { round, subround, block }.preimage(&committee)),
        ("preimage-ticket", Ticket { round, subround, block }.preimage(&committee)),
        ("preimage-timeout", Timeout { round, subround }.preimage(&committee)),
        ("preimage-finality-vote", FinalityVote { round, subround, block }.preimage(&committee)),
        ("preimage-beacon-round", BeaconTarget::Round(round).preimage(&committee)),
        ("preimage-beacon-chained", BeaconTarget::Chained { round, subround, previous }.preimage(&committee)),
    ]
}
