//! One signature: made, and verified by itself.

use zus_bpp::committee::MinerId;
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::keys::DomainTag;
use zus_bpp::crypto::scheme::{Domain, Verify as _};
use zus_bpp::crypto::trusted_dealer;
use zus_measure::job::Job;

use crate::Bench;

const MESSAGE: &[u8] = b"epoch 1, round 2, subround 0, block 3";

pub fn bench(bench: &mut Bench) {
    let tag: DomainTag = Domain::Ticket.into();
    let job = Job::new(1);
    let secret = &job.keys.secrets[0];
    let signature = secret.sign(tag, MESSAGE);

    let mut group = bench.criterion.benchmark_group("signature/sign");
    group.bench_function("ours", |b| b.iter(|| secret.sign(tag, MESSAGE)));
    for peer in &bench.peers {
        let Some(sign) = peer.signer(&secret.to_bytes()) else { continue };
        assert_eq!(sign(tag, MESSAGE), signature.0, "{} signs otherwise", peer.name());
        group.bench_function(peer.name(), |b| b.iter(|| sign(tag, MESSAGE)));
    }
    group.finish();

    let (committee, members) = trusted_dealer::deal([6; 32], 4).expect("keys");
    let ticket = members[1].identity.sign(tag, MESSAGE);
    let verify =
        |scheme: BlstScheme, signer| scheme.verify(MinerId(signer), Domain::Ticket, MESSAGE, &ticket);
    let fresh = || BlstScheme::observer(committee.clone());
    assert!(verify(fresh(), 1) && !verify(fresh(), 2));

    let mut group = bench.criterion.benchmark_group("signature/verify");
    group.bench_function("ours", |b| b.iter(|| verify(fresh(), 1)));
    // The certificate of a committee of one is one signature.
    let certificate = job.certificate();
    for peer in &bench.peers {
        let Some(check) = crate::certificate::agreed(*peer, &certificate) else { continue };
        group.bench_function(peer.name(), |b| b.iter(|| check(&certificate.aggregate)));
    }
    group.finish();
}
