//! A received certificate, alone and in batches over different messages (sync). Nothing is remembered between checks.

use std::sync::Arc;

use commonware_cryptography::certificate::Scheme as _;
use criterion::{BenchmarkId, Throughput};
use zus_benches::committee::Keys;
use zus_bpp::committee::MinerId;
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::committee_keys::CommitteeKeys;
use zus_bpp::crypto::keys::DomainTag;
use zus_bpp::crypto::scheme::{AggregateClaim, Domain, Signature, Verify as _};
use zus_bpp::crypto::trusted_dealer;

use crate::peers::{self, commonware};
use crate::{Bench, Effort};

/// A committee whose members `0..q` sign everything.
struct Stage {
    committee: Arc<CommitteeKeys>,
    signers: Vec<MinerId>,
    messages: Vec<Vec<u8>>,
    aggregates: Vec<Signature>,
    blst: Vec<::blst::min_sig::PublicKey>,
}

impl Stage {
    fn new(n: usize, messages: u8) -> Self {
        let (committee, members) = trusted_dealer::deal([4; 32], n as u16).expect("keys");
        let signers: Vec<MinerId> = (0..n as u16 - (n as u16 - 1) / 3).map(MinerId).collect();
        let messages: Vec<Vec<u8>> = (0..messages).map(|i| vec![i; 100]).collect();
        let aggregate = |message: &Vec<u8>| {
            let sign = |signer: &MinerId| members[usize::from(signer.0)].identity.sign(tag(), message);
            zus_bpp::crypto::keys::aggregate(&signers.iter().map(sign).collect::<Vec<_>>()).expect("a sum")
        };
        let aggregates = messages.iter().map(aggregate).collect();
        let blst = signers
            .iter()
            .filter_map(|&signer| committee.identity(signer))
            .map(|key| ::blst::min_sig::PublicKey::from_bytes(&key.public_key().encode()).expect("a key"))
            .collect();
        Self { committee, signers, messages, aggregates, blst }
    }

    fn claims(&self) -> Vec<AggregateClaim<'_>> {
        let pairs = self.messages.iter().zip(&self.aggregates);
        pairs
            .map(|(message, &aggregate)| AggregateClaim {
                signers: &self.signers,
                tag: Domain::Ticket.tag(),
                message,
                aggregate,
            })
            .collect()
    }

    fn verifier(&self) -> BlstScheme {
        BlstScheme::observer(Arc::clone(&self.committee))
    }

    fn check_with_blst(&self, aggregate: &Signature) -> bool {
        let keys: Vec<_> = self.blst.iter().collect();
        peers::blst::check(&keys, tag().as_bytes(), &self.messages[0], &aggregate.0)
    }
}

fn tag() -> DomainTag {
    Domain::Ticket.into()
}

pub fn bench(criterion: &mut Bench, effort: Effort) {
    for n in effort.choose(vec![100], vec![100, 1000]) {
        let stage = Stage::new(n, 1);
        let claim = stage.claims()[0];
        let ours =
            |aggregate| stage.verifier().verify_aggregate(claim.signers, claim.tag, claim.message, aggregate);
        let wrong = stage.verifier().aggregate(&[stage.aggregates[0], stage.aggregates[0]]).expect("a sum");
        for (aggregate, valid) in [(&stage.aggregates[0], true), (&wrong, false)] {
            assert_eq!((ours(aggregate), stage.check_with_blst(aggregate)), (valid, valid));
        }

        // Its tag is fixed, so that its certificate is over other bytes: those of as many members.
        let keys = Keys::new(n);
        let statement = commonware::Statement(b"a block");
        let mut tickets = keys.tickets(commonware::tag(), &commonware::message(&statement));
        tickets.signatures.truncate(keys.quorum());
        let peer = commonware::verifier(&keys);
        let certificate = commonware::certificate(&peer, &statement, &tickets);
        assert!(commonware::check(&peer, &statement, &certificate));
        assert!(!commonware::check(&peer, &commonware::Statement(b"another block"), &certificate));
        assert!(peer.participants().len() == n && stage.signers.len() == keys.quorum());

        let mut group = criterion.benchmark_group(format!("certificate/n={n}"));
        group.bench_function("ours", |b| b.iter(|| ours(&stage.aggregates[0])));
        group.bench_function("blst", |b| b.iter(|| stage.check_with_blst(&stage.aggregates[0])));
        group.bench_function("commonware", |b| b.iter(|| commonware::check(&peer, &statement, &certificate)));
        group.finish();
    }

    let stage = Stage::new(100, 64);
    let claims = stage.claims();
    let mut group = criterion.benchmark_group("certificates/n=100");
    for batch in [16, 64] {
        let claims = &claims[..batch];
        assert!(stage.verifier().verify_aggregates(claims, &[1; 32]).iter().all(|&verdict| verdict));
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::new("ours", format!("batch={batch}")), |b| {
            b.iter(|| stage.verifier().verify_aggregates(claims, &[1; 32]));
        });
    }
    group.finish();
}
