//! blst through its own Rust API: the sum with a subgroup check of each signature, `fast_aggregate_verify`, and every ticket
//! by itself when that fails.

use blst::BLST_ERROR::BLST_SUCCESS;
use blst::min_sig::{AggregateSignature, PublicKey, Signature};
use zus_benches::committee::{Keys, Tickets, Verdict};

pub fn keys(keys: &Keys) -> Vec<PublicKey> {
    keys.public.iter().map(|key| PublicKey::from_bytes(key).expect("a key")).collect()
}

pub fn verify(key: &PublicKey, tickets: &Tickets, ticket: &[u8; 48]) -> bool {
    Signature::from_bytes(ticket).is_ok_and(|signature| {
        signature.verify(true, &tickets.message, tickets.tag.as_bytes(), &[], key, false) == BLST_SUCCESS
    })
}

pub fn aggregate(keys: &[PublicKey], quorum: usize, tickets: &Tickets) -> Verdict {
    let encoded: Vec<&[u8]> = tickets.signatures.iter().map(|(_, ticket)| &ticket.0[..]).collect();
    let all: Vec<&PublicKey> =
        tickets.signatures.iter().map(|(miner, _)| &keys[usize::from(miner.0)]).collect();
    if let Ok(sum) = AggregateSignature::aggregate_serialized(&encoded, true) {
        let sum = sum.to_signature();
        if sum.fast_aggregate_verify(true, &tickets.message, tickets.tag.as_bytes(), &all) == BLST_SUCCESS {
            return Verdict { aggregate: Some(sum.to_bytes()), wrong: Vec::new() };
        }
    }
    let (good, wrong): (Vec<usize>, Vec<usize>) =
        (0..tickets.len()).partition(|&i| verify(all[i], tickets, &tickets.signatures[i].1.0));
    let good: Vec<&[u8]> = good.into_iter().map(|i| encoded[i]).collect();
    let aggregate = (good.len() >= quorum)
        .then(|| AggregateSignature::aggregate_serialized(&good, false).expect("verified points"))
        .map(|sum| sum.to_signature().to_bytes());
    Verdict { aggregate, wrong: wrong.into_iter().map(|i| tickets.signatures[i].0.0).collect() }
}

/// A certificate: the keys of the signers are summed, the signature is checked.
pub fn check(keys: &[&PublicKey], tag: &[u8], message: &[u8], aggregate: &[u8; 48]) -> bool {
    Signature::from_bytes(aggregate)
        .is_ok_and(|signature| signature.fast_aggregate_verify(true, message, tag, keys) == BLST_SUCCESS)
}
