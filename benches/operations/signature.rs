//! One signature: made, and verified by itself.

use zus_benches::committee::Keys;
use zus_bpp::committee::MinerId;
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::keys::DomainTag;
use zus_bpp::crypto::scheme::{Domain, Verify as _};
use zus_bpp::crypto::trusted_dealer;

use crate::{Bench, Effort, peers};

const MESSAGE: &[u8] = b"epoch 1, round 2, subround 0, block 3";

pub fn bench(criterion: &mut Bench, _: Effort) {
    let tag: DomainTag = Domain::Ticket.into();
    let keys = Keys::new(1);
    let secret = &keys.secrets[0];
    let theirs = ::blst::min_sig::SecretKey::from_bytes(&*secret.to_bytes()).expect("a key");
    let signature = secret.sign(tag, MESSAGE);
    assert_eq!(theirs.sign(MESSAGE, tag.as_bytes(), &[]).to_bytes(), signature.0);

    let mut group = criterion.benchmark_group("signature/sign");
    group.bench_function("ours", |b| b.iter(|| secret.sign(tag, MESSAGE)));
    group.bench_function("blst", |b| b.iter(|| theirs.sign(MESSAGE, tag.as_bytes(), &[]).to_bytes()));
    group.finish();

    let (committee, members) = trusted_dealer::deal([6; 32], 4).expect("keys");
    let ticket = members[1].identity.sign(tag, MESSAGE);
    let verify =
        |scheme: BlstScheme, signer| scheme.verify(MinerId(signer), Domain::Ticket, MESSAGE, &ticket);
    let fresh = || BlstScheme::observer(committee.clone());
    let key = members[1].identity.public_key().encode();
    let key = ::blst::min_sig::PublicKey::from_bytes(&key).expect("a key");
    let peer = |message| peers::blst::check(&[&key], tag.as_bytes(), message, &ticket.0);
    assert!(verify(fresh(), 1) && !verify(fresh(), 2) && peer(MESSAGE) && !peer(b"another"));

    let mut group = criterion.benchmark_group("signature/verify");
    group.bench_function("ours", |b| b.iter(|| verify(fresh(), 1)));
    group.bench_function("blst", |b| b.iter(|| peer(MESSAGE)));
    group.finish();
}
