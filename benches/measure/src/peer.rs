//! The trait of a peer: a library that does our [job](crate::job) with its own code.
//!
//! ```
//! use zus_measure::committee::{Aggregation, Tickets};
//! use zus_measure::job::Job;
//! use zus_measure::peer::{Aggregator, Peer, disagreement};
//!
//! /// A library that takes every ticket for valid.
//! struct Careless;
//!
//! impl Peer for Careless {
//!     fn name(&self) -> &'static str {
//!         "careless"
//!     }
//!
//!     fn aggregator<'a>(&self, job: &'a Job) -> Aggregator<'a> {
//!         // What is computed here, from the keys, is not measured.
//!         let answer = job.expected(&job.tickets);
//!         Box::new(move |_: &Tickets| answer.clone())
//!     }
//! }
//!
//! let job = Job::new(7);
//! assert_eq!(disagreement(&Careless, &job, 0), None);
//! assert!(disagreement(&Careless, &job, 1).is_some(), "it is not measured");
//! ```

use zus_bpp::crypto::keys::DomainTag;

use crate::committee::{Aggregation, Tickets};
use crate::job::{Certificate, Job};

/// The measured work: tickets as bytes to their aggregate and the invalid ones.
pub type Aggregator<'a> = Box<dyn Fn(&Tickets) -> Aggregation + 'a>;

/// Whether these 48 bytes are the aggregate of a certificate.
pub type Checker<'a> = Box<dyn Fn(&[u8; 48]) -> bool + 'a>;

/// From beacon shares as bytes to the signature of the group, and whether that is valid for this message.
pub type Combiner = Box<dyn Fn(&[u8]) -> bool>;

/// A signature over a message under a domain tag.
pub type Signer = Box<dyn Fn(DomainTag, &[u8]) -> [u8; 48]>;

/// The message whose beacon shares are combined.
pub const BEACON_MESSAGE: &[u8] = b"epoch 3, round 9";

/// A library. Each method prepares an operation, which is not measured, and returns the work, which is.
///
/// The answers of every operation are compared with the right ones before it is measured.
pub trait Peer: Sync {
    /// The name in tables, and after `--peer`. It is the name of the peer's feature, if it has one.
    fn name(&self) -> &'static str;

    /// Step 6: decodes the keys, and aggregates tickets.
    fn aggregator<'a>(&self, job: &'a Job) -> Aggregator<'a>;

    /// `false` for a library that cannot find invalid tickets: it is given valid ones only.
    fn finds_invalid(&self) -> bool {
        true
    }

    /// Step 7: checks a received certificate; `None` for a library that is not measured at it.
    fn checker<'a>(&self, _certificate: &'a Certificate<'a>) -> Option<Checker<'a>> {
        None
    }

    /// Step 1: combines `threshold` shares of [`BEACON_MESSAGE`] out of `n` members, whose keys it may deal itself.
    fn combiner(&self, _n: u16, _threshold: usize) -> Option<Combiner> {
        None
    }

    /// Signs with this key, in the form of its 32 bytes, big-endian.
    fn signer(&self, _secret: &[u8; 32]) -> Option<Signer> {
        None
    }
}

/// How a peer's answer about `invalid` invalid tickets differs from the right one, at two placements of them; `None` if it
/// does not. A peer that cannot find invalid tickets is asked about valid ones only.
#[must_use]
pub fn disagreement(peer: &dyn Peer, job: &Job, invalid: usize) -> Option<String> {
    if invalid > 0 && !peer.finds_invalid() {
        return None;
    }
    let aggregator = peer.aggregator(job);
    (1..=2).find_map(|seed| {
        let tickets = job.tickets.with_invalid(invalid, seed);
        differs(peer.name(), &aggregator(&tickets), &job.expected(&tickets))
    })
}

/// How an answer differs from the right one.
#[must_use]
pub fn differs(name: &str, answer: &Aggregation, right: &Aggregation) -> Option<String> {
    if answer.invalid != right.invalid {
        return Some(format!(
            "{name}: says that the tickets of {:?} are invalid, and those of {:?} are",
            answer.invalid, right.invalid
        ));
    }
    (answer.aggregate != right.aggregate).then(|| {
        format!(
            "{name}: its aggregate is {:02x?}, and the right one {:02x?}",
            answer.aggregate, right.aggregate
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers as it is told to.
    struct Told(fn(Aggregation) -> Aggregation);

    impl Peer for Told {
        fn name(&self) -> &'static str {
            "told"
        }

        fn aggregator<'a>(&self, job: &'a Job) -> Aggregator<'a> {
            let change = self.0;
            Box::new(move |tickets| change(job.expected(tickets)))
        }
    }

    #[test]
    fn a_peer_with_another_answer_is_refused() {
        let job = Job::new(7);
        let unseen = |mut answer: Aggregation| {
            answer.invalid.pop();
            answer
        };
        let too_many = |mut answer: Aggregation| {
            answer.invalid.push(6);
            answer
        };
        let spoilt = |mut answer: Aggregation| {
            answer.aggregate = answer.aggregate.map(|bytes| bytes.map(|byte| !byte));
            answer
        };
        let nothing = |answer: Aggregation| Aggregation { aggregate: None, ..answer };
        for invalid in 0..=7 {
            assert_eq!(disagreement(&Told(|answer| answer), &job, invalid), None, "{invalid}");
            assert_eq!(disagreement(&Told(unseen), &job, invalid).is_some(), invalid > 0, "{invalid}");
            assert!(disagreement(&Told(too_many), &job, invalid).is_some(), "{invalid}");
            // Without a quorum of valid tickets there is no aggregate to be wrong.
            assert_eq!(disagreement(&Told(spoilt), &job, invalid).is_some(), invalid <= 2, "{invalid}");
            assert_eq!(disagreement(&Told(nothing), &job, invalid).is_some(), invalid <= 2, "{invalid}");
        }
    }
}
