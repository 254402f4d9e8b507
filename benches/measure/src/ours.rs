//! Our own ways to do the [job](crate::job), and the limit that no verifier of compressed tickets gets below.

use zus_bpp::crypto::curve::{G1, Gt, PreparedG2, lanes};
use zus_bpp::crypto::group_testing::{sift, sift_points};
use zus_bpp::crypto::scheme::{Sifted, Signature};

use crate::committee::{Aggregation, Keys, Tickets};
use crate::job::Job;

/// From bytes to the aggregate and the invalid ones. Nothing is remembered from one call to the next but the keys.
#[must_use]
pub fn aggregate(keys: &Keys, tickets: &Tickets) -> Aggregation {
    let hash = G1::hash(tickets.tag.as_bytes(), &tickets.message);
    let sifted = sift(&keys.sums, &hash, &tickets.signatures, &|signers| keys.sums.prepared_sum(signers));
    aggregation(keys, sifted)
}

fn aggregation(keys: &Keys, sifted: Sifted) -> Aggregation {
    let quorum = sifted.group.filter(|(signers, _)| signers.len() >= keys.quorum());
    Aggregation {
        aggregate: quorum.map(|(_, aggregate)| aggregate.0),
        invalid: sifted.wrong.iter().map(|miner| miner.0).collect(),
    }
}

/// The same from tickets of 96 bytes.
#[must_use]
pub fn aggregate_uncompressed(keys: &Keys, tickets: &Tickets, encoded: &[[u8; 96]]) -> Aggregation {
    let hash = G1::hash(tickets.tag.as_bytes(), &tickets.message);
    let signers = tickets.signatures.iter().map(|(miner, _)| *miner);
    let points = signers.zip(encoded.iter().map(G1::decode_uncompressed)).collect();
    aggregation(keys, sift_points(&keys.sums, &hash, points, &|signers| keys.sums.prepared_sum(signers)))
}

/// Tickets of 96 bytes.
///
/// # Panics
/// If a ticket is no point of the curve.
#[must_use]
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

/// What a verifier may compute from the keys beforehand.
pub struct Prepared {
    /// The lines of each key.
    pub lines: Vec<PreparedG2>,
    /// The lines of the sum of all keys.
    pub all_keys: PreparedG2,
}

impl Prepared {
    /// For the committee of a job.
    ///
    /// # Panics
    /// If the keys of the committee sum to nothing.
    #[must_use]
    pub fn new(job: &Job) -> Self {
        let everybody: Vec<_> = job.tickets.signatures.iter().map(|(miner, _)| *miner).collect();
        let sums = &job.keys.sums;
        Self {
            lines: everybody.iter().filter_map(|&miner| sums.key(miner)).map(PreparedG2::new).collect(),
            all_keys: PreparedG2::new(&sums.sum(&everybody).expect("a finite sum")),
        }
    }
}

/// Every ticket by itself, with hash and lines of all keys cached: an optimistic verifier must never be slower. The number of
/// the valid ones.
#[must_use]
pub fn one_by_one(hash: &G1, lines: &[PreparedG2], tickets: &Tickets) -> usize {
    let valid = |(ticket, key): &(&(_, Signature), &PreparedG2)| {
        G1::decode(&ticket.1.0).is_ok_and(|point| {
            point.is_in_subgroup()
                && Gt::product([(&point, PreparedG2::minus_generator()), (hash, *key)]).is_one()
        })
    };
    tickets.signatures.iter().zip(lines).filter(valid).count()
}

/// The unavoidable work: a decoding and an addition for each ticket, one hash, one subgroup check, and one product of
/// two pairings with the lines of both keys at hand. Whether all tickets are valid.
#[must_use]
pub fn limit(tickets: &Tickets, key: &PreparedG2) -> bool {
    let encoded: Vec<&[u8; 48]> = tickets.signatures.iter().map(|(_, ticket)| &ticket.0).collect();
    let points: Vec<G1> = G1::decode_all(&encoded).into_iter().flatten().collect();
    let hash = G1::hash(tickets.tag.as_bytes(), &tickets.message);
    G1::sum(&points).is_some_and(|sum| {
        sum.is_in_subgroup() && Gt::product([(&sum, PreparedG2::minus_generator()), (&hash, key)]).is_one()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::differs;

    #[test]
    fn all_our_ways_give_the_right_answer() {
        for n in [1, 4, 7] {
            let job = Job::new(n);
            let prepared = Prepared::new(&job);
            for invalid in 0..=n {
                let tickets = job.tickets.with_invalid(invalid, 3);
                let right = job.expected(&tickets);
                assert_eq!(right.invalid.len(), invalid);
                let encoded = uncompressed(&tickets);
                for (name, answer) in [
                    ("ours", aggregate(&job.keys, &tickets)),
                    ("ours, portable", portably(|| aggregate(&job.keys, &tickets))),
                    ("ours, 96-byte tickets", aggregate_uncompressed(&job.keys, &tickets, &encoded)),
                ] {
                    assert_eq!(differs(name, &answer, &right), None, "{invalid} of {n}");
                }
                assert_eq!(one_by_one(&job.hash, &prepared.lines, &tickets), n - invalid);
                assert_eq!(limit(&tickets, &prepared.all_keys), invalid == 0, "{invalid} of {n}");
            }
        }
    }
}
