//! commonware-cryptography, minimal signatures: `optimistic_assemble`, and the quorum that it retains when that fails.
//!
//! Its domain tag and the framing of its messages are fixed; all others take any, so the job has its.

// The macro of its certificates asks for a feature by the name that it has in its own crate.
#![allow(unexpected_cfgs)]

use std::iter;

use commonware_codec::types::lazy::Lazy;
use commonware_codec::{Encode as _, ReadExt as _};
use commonware_cryptography::bls12381::certificate::multisig;
use commonware_cryptography::bls12381::dkg::feldman_desmedt::deal;
use commonware_cryptography::bls12381::primitives::group::G2;
use commonware_cryptography::bls12381::primitives::ops::threshold::{recover, sign_message};
use commonware_cryptography::bls12381::primitives::ops::verify_message;
use commonware_cryptography::bls12381::primitives::sharing::Mode;
use commonware_cryptography::bls12381::primitives::variant::{MinSig, PartialSignature, Variant};
use commonware_cryptography::certificate::{Attestation, Scheme as _, Subject, Verifier as _};
use commonware_cryptography::sha256::Digest;
use commonware_cryptography::{Signer as _, ed25519, impl_certificate_bls12381_multisig};
use commonware_parallel::Sequential;
use commonware_utils::ordered::BiMap;
use commonware_utils::{N3f1, Participant, TestRng, TryCollect as _, non_empty, union_unique};
use zus_bpp::committee::MinerId;
use zus_bpp::crypto::scheme::Signature;
use zus_measure::committee::{Aggregation, Tickets};
use zus_measure::job::{Certificate, Job, NAMESPACE, STATEMENT};
use zus_measure::peer::{Aggregator, BEACON_MESSAGE, Checker, Combiner, Peer};

/// See the module doc.
pub struct Commonware;

/// The statement that a ticket signs.
#[derive(Clone, Debug)]
pub struct Statement(&'static [u8]);

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

type Verifier = Scheme<ed25519::PublicKey, MinSig>;
type Assembled = multisig::Certificate<MinSig>;

fn verifier(job: &Job) -> Verifier {
    assert_eq!(job.tickets.tag.as_bytes(), MinSig::MESSAGE, "the tag of the job is its tag");
    assert_eq!(job.tickets.message, union_unique(NAMESPACE, STATEMENT), "the message is in its form");
    let mut identities: Vec<_> =
        (0..job.keys.n() as u64).map(|i| ed25519::PrivateKey::from_seed(i).public_key()).collect();
    // Members are numbered in the order of these keys.
    identities.sort();
    let public =
        job.keys.public.iter().map(|key| G2::read(&mut bytes::Bytes::copy_from_slice(key)).expect("a key"));
    let participants: BiMap<_, _> = identities.into_iter().zip(public).try_collect().expect("distinct keys");
    Scheme::verifier(NAMESPACE, participants)
}

fn attestations(signatures: &[(MinerId, Signature)]) -> Vec<Attestation<Verifier>> {
    let attestation = |(miner, ticket): &(MinerId, Signature)| Attestation {
        signer: Participant::new(u32::from(miner.0)),
        signature: Lazy::deferred(&mut bytes::Bytes::copy_from_slice(&ticket.0), ()),
    };
    signatures.iter().map(attestation).collect()
}

fn bytes_of(certificate: &Assembled) -> [u8; 48] {
    certificate.signature.encode()[..].try_into().expect("48 bytes")
}

fn aggregate(verifier: &Verifier, quorum: usize, tickets: &Tickets) -> Aggregation {
    let assembled = verifier.optimistic_assemble::<_, Digest, _, _>(
        &mut TestRng::new(7),
        Statement(STATEMENT),
        attestations(&tickets.signatures),
        iter::empty(),
        &Sequential,
    );
    let (certificate, invalid) = match assembled {
        Ok(certificate) => (Some(certificate), Vec::new()),
        Err(mut checked) => {
            let quorum = checked.verified.len() >= quorum;
            let certificate = quorum.then(|| {
                verifier.assemble(non_empty![@checked.verified.drain(..)], &Sequential).expect("a quorum")
            });
            (certificate, checked.invalid.iter().map(|signer| signer.get() as u16).collect())
        }
    };
    Aggregation { aggregate: certificate.map(|certificate| bytes_of(&certificate)), invalid }
}

impl Peer for Commonware {
    fn name(&self) -> &'static str {
        "commonware"
    }

    fn aggregator<'a>(&self, job: &'a Job) -> Aggregator<'a> {
        let (verifier, quorum) = (verifier(job), job.keys.quorum());
        Box::new(move |tickets| aggregate(&verifier, quorum, tickets))
    }

    fn checker<'a>(&self, certificate: &'a Certificate<'a>) -> Option<Checker<'a>> {
        let verifier = verifier(certificate.job);
        let signed = &certificate.job.tickets.signatures[..certificate.signers];
        let assembled: Assembled = verifier
            .optimistic_assemble::<_, Digest, _, _>(
                &mut TestRng::new(7),
                Statement(STATEMENT),
                attestations(signed),
                iter::empty(),
                &Sequential,
            )
            .unwrap_or_else(|_| panic!("valid tickets"));
        Some(Box::new(move |aggregate| {
            let signature = Lazy::deferred(&mut bytes::Bytes::copy_from_slice(aggregate), ());
            let received = Assembled { signers: assembled.signers.clone(), signature };
            let (mut random, statement) = (TestRng::new(7), Statement(STATEMENT));
            verifier.verify_certificate::<_, Digest>(&mut random, statement, &received, &Sequential)
        }))
    }

    /// It deals its own keys: as many members, the same threshold.
    fn combiner(&self, n: u16, threshold: usize) -> Option<Combiner> {
        let players = (0..u64::from(n)).map(|i| ed25519::PrivateKey::from_seed(i).public_key());
        let players = players.try_collect().expect("distinct keys");
        let (output, secrets) =
            deal::<MinSig, _, N3f1>(TestRng::new(1), Mode::NonZeroCounter, players).expect("a dealing");
        let sharing = output.public().clone();
        assert_eq!(sharing.required() as usize, threshold);
        let partials: Vec<_> = secrets
            .values()
            .iter()
            .take(threshold)
            .map(|share| sign_message::<MinSig>(share, NAMESPACE, BEACON_MESSAGE).encode())
            .collect();
        Some(Box::new(move |message| {
            let read = |bytes: &_| {
                PartialSignature::<MinSig>::read(&mut bytes::Bytes::clone(bytes)).expect("a share")
            };
            let partials: Vec<_> = partials.iter().map(read).collect();
            let signature = recover::<MinSig, _>(&sharing, &partials, &Sequential).expect("enough shares");
            verify_message::<MinSig>(sharing.public(), NAMESPACE, message, &signature).is_ok()
        }))
    }
}
