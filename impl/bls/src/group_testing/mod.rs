//! Many signatures over one message, some of them wrong: the group that verifies, and who sent the rest.
//!
//! One check verifies the sum of all. Only when it fails are the wrong ones looked for ([`isolation`]), without verifying
//! every signature.
//!
//! # Why it is sound
//! `S_i` is member `i`'s signature, `K_i` its key, `H` the hash of the message, `g` the generator of G2. The defect of a set
//! is `e(sum S_i, -g) * e(H, sum K_i)`: one exactly if `sum S_i` is `sum k_i H`, up to a component outside the subgroup.
//!
//! 1. **A group that verifies is a certificate.** Its defect is one and its sum is in the subgroup, so the sum is the only
//!    point that the aggregate of these keys can have. Every key is registered with a proof of possession, so nobody can
//!    choose one that cancels another's, and the sum of the secrets signed. Some `S_i` may still be forged: if they cancel,
//!    the sum is byte for byte that of the genuine ones. Their senders together knew the sum of their signatures; that is
//!    all the certificate says.
//! 2. **A group is taken whole.** Nothing follows about its members or about parts of it: no part is reused, and no single
//!    signature of it is evidence for anybody. A later group is verified by itself and then added to the whole.
//! 3. **Nobody is blamed for a group.** A member is blamed for a defect of its own, or for a component outside the subgroup
//!    of its own, or for bytes that are no point: exactly the reasons for which its signature alone would be refused. Where
//!    many are wrong, their own defects are confirmed together, with an error of one in `2^64` that nobody can search for in
//!    time (`defects.rs`). The rest is then verified once more by itself, so that 1 holds without any error.
//! 4. **Outside the subgroup.** Pairings do not see such components, receivers refuse them, and they add up; so the sum is
//!    checked instead of each summand. Only if the sum has one are all looked at one by one. Dropping a signature may
//!    uncover a component that it cancelled: after every drop the rest is checked again.
//! 5. **Infinity.** No summand is infinite (refused when decoded). A sum that is, or whose keys sum to infinity, is no
//!    certificate, whatever its defect.
//! 6. **One place a signer.** The signers are a set; a signature that counts twice would verify with a key that counts
//!    twice.
//!
//! # What it costs
//! A pairing product and a subgroup check, a decoding and an addition for each signature. With `w` wrong ones among `m`,
//! some `w + m / 6` products where that is many and a few for each where it is not, see [`isolation`]; colluders can have the
//! sets that they are in bisected, with at most one more product for each signature. Colluders whose components outside the
//! subgroup cancel can have it all done twice. Both once in their life: they are dropped, and from then on the pool verifies
//! what they send alone.
//!
//! The questions asked, and so the members blamed, are the same on every processor.

mod defects;
pub mod isolation;
mod key_sums;

pub use key_sums::{KeySums, PreparedKey, weight};

use self::defects::Group;
use self::isolation::{bisect, isolate};
use super::curve::{G1, G1_BYTES, Gt, PointError, PreparedG2};
use super::signature::{Sifted, Signature};
use crate::committee::MinerId;

/// Separates the signatures over the message with this hash that verify as one group from those that are wrong.
///
/// The signers are strictly increasing members, and each has one signature; what is not is left out and is nobody's fault.
/// `prepare` gives the lines of the sum of the keys of a set, so that the caller can keep them.
pub fn sift(
    keys: &KeySums,
    hash: &G1,
    signatures: &[(MinerId, Signature)],
    prepare: &dyn Fn(&[MinerId]) -> Option<PreparedKey>,
) -> Sifted {
    let encoded: Vec<&[u8; G1_BYTES]> = signatures.iter().map(|(_, signature)| &signature.0).collect();
    let points = G1::decode_all(&encoded);
    let decoded = signatures.iter().zip(points).map(|((signer, _), point)| (*signer, point));
    sift_points(keys, hash, decoded.collect(), prepare)
}

/// [`sift`] of signatures that were decoded when they were read from the wire, such as those of 96 bytes
/// ([`G1::decode_uncompressed`]). A signature that is no point is its signer's fault.
pub fn sift_points(
    keys: &KeySums,
    hash: &G1,
    signatures: Vec<(MinerId, Result<G1, PointError>)>,
    prepare: &dyn Fn(&[MinerId]) -> Option<PreparedKey>,
) -> Sifted {
    let (mut sifted, mut aggregate) = (Sifted::default(), None);
    if !signatures.is_sorted_by(|(a, _), (b, _)| a < b) {
        return sifted;
    }
    let mut candidates = Candidates::default();
    for (signer, point) in signatures.into_iter().filter(|(signer, _)| keys.key(*signer).is_some()) {
        match point {
            Ok(point) => candidates.push(signer, point),
            Err(_) => sifted.wrong.push(signer),
        }
    }
    let mut all_in_subgroup = false;
    // Each turn but the last drops somebody, and there is no third: after a scan all are in the subgroup.
    while !candidates.is_empty() {
        let sum = G1::sum(&candidates.points);
        if !all_in_subgroup && sum.is_some_and(|sum| !sum.is_in_subgroup()) {
            candidates.drop_outside_subgroup(&mut sifted.wrong);
            all_in_subgroup = true;
            continue;
        }
        let key = prepare(&candidates.signers);
        let whole = defect(hash, sum.as_ref(), key.as_deref());
        if !whole.is_one() {
            let wrong = wrong_among(&candidates, keys, hash, whole, prepare);
            candidates.drop_at(&wrong, &mut sifted.wrong);
            // The rest has no defect, being the quotient; but its sum is another, and is checked for the first time.
            let sum = G1::sum(&candidates.points);
            if !all_in_subgroup && sum.is_some_and(|sum| !sum.is_in_subgroup()) {
                candidates.drop_outside_subgroup(&mut sifted.wrong);
                all_in_subgroup = true;
                continue;
            }
            aggregate = sum;
        } else if key.is_some() {
            aggregate = sum;
        }
        break;
    }
    if let Some(aggregate) = aggregate {
        sifted.group = Some((candidates.signers, Signature(aggregate.encode())));
    }
    sifted.wrong.sort_unstable();
    sifted
}

/// The positions of wrong signatures among candidates whose defect is not one; the others have none as a group.
fn wrong_among(
    candidates: &Candidates,
    keys: &KeySums,
    hash: &G1,
    whole: Gt,
    prepare: &dyn Fn(&[MinerId]) -> Option<PreparedKey>,
) -> Vec<usize> {
    let mut group = Group::new(keys, hash, &candidates.signers, &candidates.points);
    let found = isolate(&mut group, candidates.len(), whole);
    if found.together {
        // Signatures confirmed together are right but for a probability of 2^-64. The certificate needs no such
        // exception.
        let kept: Vec<usize> =
            (0..candidates.len()).filter(|position| found.wrong.binary_search(position).is_err()).collect();
        let signers: Vec<MinerId> = kept.iter().map(|&position| candidates.signers[position]).collect();
        let sum = G1::sum(kept.iter().map(|&position| &candidates.points[position]));
        if !defect(hash, sum.as_ref(), prepare(&signers).as_deref()).is_one() {
            return bisect(&mut group, candidates.len(), whole).wrong;
        }
    }
    found.wrong
}

/// `e(signature, -g) * e(hash, key)`, with the pairs at infinity left out.
fn defect(hash: &G1, signature: Option<&G1>, key: Option<&PreparedG2>) -> Gt {
    let signature = signature.map(|signature| (signature, PreparedG2::minus_generator()));
    Gt::product(signature.into_iter().chain(key.map(|key| (hash, key))))
}

/// Decoded signatures and their signers.
#[derive(Default)]
struct Candidates {
    signers: Vec<MinerId>,
    points: Vec<G1>,
}

impl Candidates {
    fn push(&mut self, signer: MinerId, point: G1) {
        self.signers.push(signer);
        self.points.push(point);
    }

    fn len(&self) -> usize {
        self.points.len()
    }

    fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    fn drop_outside_subgroup(&mut self, wrong: &mut Vec<MinerId>) {
        let outside: Vec<usize> = G1::are_in_subgroup(&self.points)
            .into_iter()
            .enumerate()
            .filter_map(|(position, inside)| (!inside).then_some(position))
            .collect();
        self.drop_at(&outside, wrong);
    }

    /// Drops what is at these increasing positions.
    fn drop_at(&mut self, positions: &[usize], wrong: &mut Vec<MinerId>) {
        for &position in positions.iter().rev() {
            wrong.push(self.signers.remove(position));
            self.points.remove(position);
        }
    }
}

#[cfg(test)]
mod tests;
