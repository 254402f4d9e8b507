//! This project, and the limit that no verifier of compressed tickets gets below.

use zus_benches::committee::{Keys, Tickets, Verdict};
use zus_bpp::crypto::curve::{G1, Gt, PreparedG2, lanes};
use zus_bpp::crypto::group_testing::{sift, sift_points};
use zus_bpp::crypto::scheme::Sifted;

/// From bytes to the certificate and the blame list. Nothing is remembered from one call to the next but the keys.
pub fn aggregate(keys: &Keys, tickets: &Tickets) -> Verdict {
    let hash = G1::hash(tickets.tag.as_bytes(), &tickets.message);
    let sifted = sift(&keys.sums, &hash, &tickets.signatures, &|signers| keys.sums.prepared_sum(signers));
    verdict(keys, sifted)
}

fn verdict(keys: &Keys, sifted: Sifted) -> Verdict {
    let quorum = sifted.group.filter(|(signers, _)| signers.len() >= keys.quorum());
    Verdict {
        aggregate: quorum.map(|(_, aggregate)| aggregate.0),
        wrong: sifted.wrong.iter().map(|miner| miner.0).collect(),
    }
}

/// The same from tickets of 96 bytes.
pub fn aggregate_uncompressed(keys: &Keys, tickets: &Tickets, encoded: &[[u8; 96]]) -> Verdict {
    let hash = G1::hash(tickets.tag.as_bytes(), &tickets.message);
    let signers = tickets.signatures.iter().map(|(miner, _)| *miner);
    let points = signers.zip(encoded.iter().map(G1::decode_uncompressed)).collect();
    verdict(keys, sift_points(&keys.sums, &hash, points, &|signers| keys.sums.prepared_sum(signers)))
}

/// Tickets of 96 bytes.
pub fn uncompressed(tickets: &Tickets) -> Vec<[u8; 96]> {
    let points = tickets.signatures.iter().map(|(_, ticket)| G1::decode(&ticket.0).expect("a point"));
    points.map(|point| point.encode_uncompressed()).collect()
}

/// Runs without the vector instructions.
pub fn portably<T>(work: impl FnOnce() -> T) -> T {
    lanes::set_enabled(false);
    let result = work();
    lanes::set_enabled(true);
    result
}

/// Every ticket by itself, with hash and lines of all keys cached: what an optimistic verifier must never be slower than.
pub fn one_by_one(hash: &G1, lines: &[PreparedG2], tickets: &Tickets) -> usize {
    let valid = |(ticket, key): &(&(_, zus_bpp::crypto::scheme::Signature), &PreparedG2)| {
        G1::decode(&ticket.1.0).is_ok_and(|point| {
            point.is_in_subgroup()
                && Gt::product([(&point, PreparedG2::minus_generator()), (hash, *key)]).is_one()
        })
    };
    tickets.signatures.iter().zip(lines).filter(valid).count()
}

/// The unavoidable work: a decoding and an addition for each ticket, one hash, one subgroup check, and one product of
/// two pairings with the lines of both keys at hand.
pub fn limit(tickets: &Tickets, key: &PreparedG2) -> bool {
    let encoded: Vec<&[u8; 48]> = tickets.signatures.iter().map(|(_, ticket)| &ticket.0).collect();
    let points: Vec<G1> = G1::decode_all(&encoded).into_iter().flatten().collect();
    let hash = G1::hash(tickets.tag.as_bytes(), &tickets.message);
    G1::sum(&points).is_some_and(|sum| {
        sum.is_in_subgroup() && Gt::product([(&sum, PreparedG2::minus_generator()), (&hash, key)]).is_one()
    })
}
