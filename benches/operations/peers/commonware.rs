//! commonware-cryptography, minimal signatures: `optimistic_assemble`, and the quorum that it retains when that fails.
//!
//! Its domain tag and the framing of its messages are fixed; everybody else takes any, so all use its.

use std::iter;

use commonware_codec::ReadExt as _;
use commonware_codec::types::lazy::Lazy;
use commonware_cryptography::bls12381::primitives::group::G2;
use commonware_cryptography::bls12381::primitives::variant::{MinSig, Variant};
use commonware_cryptography::certificate::{Attestation, Scheme as _, Subject, Verifier as _};
use commonware_cryptography::sha256::Digest;
use commonware_cryptography::{Signer as _, ed25519, impl_certificate_bls12381_multisig};
use commonware_parallel::Sequential;
use commonware_utils::ordered::BiMap;
use commonware_utils::{N3f1, Participant, TestRng, TryCollect as _, non_empty, union_unique};
use zus_benches::committee::{Keys, Tickets, Verdict};
use zus_bpp::crypto::keys::DomainTag;

const NAMESPACE: &[u8] = b"zus";

/// The statement that a ticket signs.
#[derive(Clone, Debug)]
pub struct Statement(pub &'static [u8]);

impl Subject for Statement {
    type Namespace = Vec<u8>;

    fn namespace<'a>(&self, derived: &'a Self::Namespace) -> &'a [u8] {
        derived
    }

    fn message(&self) -> bytes::Bytes {
        bytes::Bytes::from_static(self.0)
    }
}

impl_certificate_bls12381_multisig!(Statement, Vec<u8>, N3f1);

pub type Peer = Scheme<ed25519::PublicKey, MinSig>;

/// The tag under which it signs.
pub fn tag() -> DomainTag {
    DomainTag::new(MinSig::MESSAGE)
}

/// The bytes that it signs for a statement.
pub fn message(statement: &Statement) -> Vec<u8> {
    union_unique(NAMESPACE, statement.0)
}

pub fn verifier(keys: &Keys) -> Peer {
    let mut identities: Vec<_> =
        (0..keys.n() as u64).map(|i| ed25519::PrivateKey::from_seed(i).public_key()).collect();
    // Members are numbered in the order of these keys.
    identities.sort();
    let public =
        keys.public.iter().map(|key| G2::read(&mut bytes::Bytes::copy_from_slice(key)).expect("a key"));
    let participants: BiMap<_, _> = identities.into_iter().zip(public).try_collect().expect("distinct keys");
    Scheme::verifier(NAMESPACE, participants)
}

pub fn aggregate(peer: &Peer, quorum: usize, statement: &Statement, tickets: &Tickets) -> Verdict {
    let mut random = TestRng::new(7);
    let pending: Vec<Attestation<Peer>> = tickets
        .signatures
        .iter()
        .map(|(miner, ticket)| Attestation {
            signer: Participant::new(u32::from(miner.0)),
            signature: Lazy::deferred(&mut bytes::Bytes::copy_from_slice(&ticket.0), ()),
        })
        .collect();
    let assembled = peer.optimistic_assemble::<_, Digest, _, _>(
        &mut random,
        statement.clone(),
        pending,
        iter::empty(),
        &Sequential,
    );
    let (certificate, wrong) = match assembled {
        Ok(certificate) => (Some(certificate), Vec::new()),
        Err(mut checked) => {
            let quorum = checked.verified.len() >= quorum;
            let certificate = quorum.then(|| {
                peer.assemble(non_empty![@checked.verified.drain(..)], &Sequential).expect("a quorum")
            });
            (certificate, checked.invalid.iter().map(|signer| signer.get() as u16).collect())
        }
    };
    Verdict { aggregate: certificate.map(|certificate| bytes_of(&certificate)), wrong }
}

type Certificate = commonware_cryptography::bls12381::certificate::multisig::Certificate<MinSig>;

fn bytes_of(certificate: &Certificate) -> [u8; 48] {
    use commonware_codec::Encode as _;
    let encoded = certificate.signature.encode();
    encoded[..].try_into().expect("48 bytes")
}

/// A certificate of everybody's tickets.
pub fn certificate(peer: &Peer, statement: &Statement, tickets: &Tickets) -> Certificate {
    let pending: Vec<Attestation<Peer>> = tickets
        .signatures
        .iter()
        .map(|(miner, ticket)| Attestation {
            signer: Participant::new(u32::from(miner.0)),
            signature: Lazy::deferred(&mut bytes::Bytes::copy_from_slice(&ticket.0), ()),
        })
        .collect();
    let mut random = TestRng::new(7);
    peer.optimistic_assemble::<_, Digest, _, _>(
        &mut random,
        statement.clone(),
        pending,
        iter::empty(),
        &Sequential,
    )
    .unwrap_or_else(|_| panic!("valid tickets"))
}

pub fn check(peer: &Peer, statement: &Statement, certificate: &Certificate) -> bool {
    peer.verify_certificate::<_, Digest>(&mut TestRng::new(7), statement.clone(), certificate, &Sequential)
}
