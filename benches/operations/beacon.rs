//! From beacon shares as bytes to the verified signature of the group (step 1).

use commonware_codec::{Encode as _, ReadExt as _};
use commonware_cryptography::bls12381::dkg::feldman_desmedt::deal;
use commonware_cryptography::bls12381::primitives::ops::threshold::{recover, sign_message};
use commonware_cryptography::bls12381::primitives::ops::verify_message;
use commonware_cryptography::bls12381::primitives::sharing::Mode;
use commonware_cryptography::bls12381::primitives::variant::{MinSig, PartialSignature};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_parallel::Sequential;
use commonware_utils::{N3f1, TestRng, TryCollect as _};
use zus_bpp::committee::MinerId;
use zus_bpp::crypto::scheme::Signature;
use zus_bpp::crypto::trusted_dealer;

use crate::{Bench, Effort};

const MESSAGE: &[u8] = b"epoch 3, round 9";
const NAMESPACE: &[u8] = b"zus";

pub fn bench(criterion: &mut Bench, effort: Effort) {
    for (n, t) in effort.choose(vec![(100, 67)], vec![(100, 67), (1000, 667)]) {
        let (committee, members) = trusted_dealer::deal([5; 32], n).expect("keys");
        let key = committee.beacon();
        let shares: Vec<(MinerId, Signature)> =
            members.iter().map(|member| (member.member, member.beacon.sign(MESSAGE))).collect();
        let (first, last) = (&shares[..t], &shares[shares.len() - t..]);
        assert_eq!(key.combine(MESSAGE, first), key.combine(MESSAGE, last), "the value is unique");
        assert!(key.combine(MESSAGE, first).is_ok());

        // The peer deals its own keys: as many members, the same threshold.
        let players = (0..u64::from(n)).map(|i| ed25519::PrivateKey::from_seed(i).public_key());
        let (output, secrets) = deal::<MinSig, _, N3f1>(
            TestRng::new(1),
            Mode::NonZeroCounter,
            players.try_collect().expect("distinct keys"),
        )
        .expect("a dealing");
        let sharing = output.public();
        assert_eq!(sharing.required() as usize, t);
        let partials: Vec<_> = secrets
            .values()
            .iter()
            .take(t)
            .map(|share| sign_message::<MinSig>(share, NAMESPACE, MESSAGE).encode())
            .collect();
        let peer = |message: &[u8]| {
            let read = |bytes: &_| {
                PartialSignature::<MinSig>::read(&mut bytes::Bytes::clone(bytes)).expect("a share")
            };
            let partials: Vec<_> = partials.iter().map(read).collect();
            let signature = recover::<MinSig, _>(sharing, &partials, &Sequential).expect("enough shares");
            verify_message::<MinSig>(sharing.public(), NAMESPACE, message, &signature).is_ok()
        };
        assert!(peer(MESSAGE) && !peer(b"another"));

        let mut group = criterion.benchmark_group(format!("beacon/n={n},t={t}"));
        group.bench_function("ours", |b| b.iter(|| key.combine(MESSAGE, last)));
        group.bench_function("commonware", |b| b.iter(|| peer(MESSAGE)));
        group.finish();
    }
}
