//! blst through its own Rust API: the sum with a subgroup check of each signature, `fast_aggregate_verify`, and every ticket
//! by itself when that fails.

use blst::BLST_ERROR::BLST_SUCCESS;
use blst::min_sig::{AggregateSignature, PublicKey, SecretKey, Signature};
use zus_bpp::crypto::keys::DomainTag;
use zus_measure::committee::{Aggregation, Tickets};
use zus_measure::job::{Certificate, Job};
use zus_measure::peer::{Aggregator, Checker, Peer, Signer};

/// See the module doc.
pub struct Blst;

fn keys(job: &Job) -> Vec<PublicKey> {
    job.keys.public.iter().map(|key| PublicKey::from_bytes(key).expect("a key")).collect()
}

fn verify(key: &PublicKey, tickets: &Tickets, ticket: &[u8; 48]) -> bool {
    Signature::from_bytes(ticket).is_ok_and(|signature| {
        signature.verify(true, &tickets.message, tickets.tag.as_bytes(), &[], key, false) == BLST_SUCCESS
    })
}

fn aggregate(keys: &[PublicKey], quorum: usize, tickets: &Tickets) -> Aggregation {
    let encoded: Vec<&[u8]> = tickets.signatures.iter().map(|(_, ticket)| &ticket.0[..]).collect();
    let all: Vec<&PublicKey> =
        tickets.signatures.iter().map(|(miner, _)| &keys[usize::from(miner.0)]).collect();
    if let Ok(sum) = AggregateSignature::aggregate_serialized(&encoded, true) {
        let sum = sum.to_signature();
        if sum.fast_aggregate_verify(true, &tickets.message, tickets.tag.as_bytes(), &all) == BLST_SUCCESS {
            return Aggregation { aggregate: Some(sum.to_bytes()), invalid: Vec::new() };
        }
    }
    let (valid, invalid): (Vec<usize>, Vec<usize>) =
        (0..tickets.len()).partition(|&i| verify(all[i], tickets, &tickets.signatures[i].1.0));
    let valid: Vec<&[u8]> = valid.into_iter().map(|i| encoded[i]).collect();
    let aggregate = (valid.len() >= quorum)
        .then(|| AggregateSignature::aggregate_serialized(&valid, false).expect("verified points"))
        .map(|sum| sum.to_signature().to_bytes());
    Aggregation { aggregate, invalid: invalid.into_iter().map(|i| tickets.signatures[i].0.0).collect() }
}

impl Peer for Blst {
    fn name(&self) -> &'static str {
        "blst"
    }

    fn aggregator<'a>(&self, job: &'a Job) -> Aggregator<'a> {
        let (keys, quorum) = (keys(job), job.keys.quorum());
        Box::new(move |tickets| aggregate(&keys, quorum, tickets))
    }

    /// The keys of the signers are summed, the signature is checked.
    fn checker<'a>(&self, certificate: &'a Certificate<'a>) -> Option<Checker<'a>> {
        let (keys, tickets) = (keys(certificate.job), &certificate.job.tickets);
        Some(Box::new(move |aggregate| {
            let signers: Vec<&PublicKey> = keys.iter().take(certificate.signers).collect();
            Signature::from_bytes(aggregate).is_ok_and(|signature| {
                let (message, tag) = (&tickets.message, tickets.tag.as_bytes());
                signature.fast_aggregate_verify(true, message, tag, &signers) == BLST_SUCCESS
            })
        }))
    }

    fn signer(&self, secret: &[u8; 32]) -> Option<Signer> {
        let key = SecretKey::from_bytes(secret).expect("a key");
        Some(Box::new(move |tag: DomainTag, message| key.sign(message, tag.as_bytes(), &[]).to_bytes()))
    }
}
