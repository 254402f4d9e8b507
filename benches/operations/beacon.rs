//! From beacon shares as bytes to the verified signature of the group (step 1).

use zus_bpp::committee::{MinerId, max_faulty};
use zus_bpp::crypto::scheme::Signature;
use zus_bpp::crypto::trusted_dealer;
use zus_measure::peer::BEACON_MESSAGE;

use crate::Bench;

pub fn bench(bench: &mut Bench) {
    for n in bench.arguments.sizes(&[100], &[100, 1000]) {
        let t = usize::from(n) - max_faulty(n.into());
        let (committee, members) = trusted_dealer::deal([5; 32], n).expect("keys");
        let key = committee.beacon();
        let shares: Vec<(MinerId, Signature)> =
            members.iter().map(|member| (member.member, member.beacon.sign(BEACON_MESSAGE))).collect();
        let (first, last) = (&shares[..t], &shares[shares.len() - t..]);
        let combined = key.combine(BEACON_MESSAGE, first);
        assert!(combined.is_ok() && key.combine(b"another", first).is_err());
        assert_eq!(combined, key.combine(BEACON_MESSAGE, last), "the value is unique");

        let mut group = bench.criterion.benchmark_group(format!("beacon/n={n},t={t}"));
        group.bench_function("ours", |b| b.iter(|| key.combine(BEACON_MESSAGE, last)));
        for peer in &bench.peers {
            let Some(combine) = peer.combiner(n, t) else { continue };
            assert!(combine(BEACON_MESSAGE), "{} refuses its own shares", peer.name());
            assert!(!combine(b"another"), "{} verifies nothing", peer.name());
            group.bench_function(peer.name(), |b| b.iter(|| combine(BEACON_MESSAGE)));
        }
        group.finish();
    }
}
