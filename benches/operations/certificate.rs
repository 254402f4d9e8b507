//! A received certificate, alone and in batches over different messages (sync). Nothing is remembered between checks.

use std::sync::Arc;

use criterion::{BenchmarkId, Throughput};
use zus_bpp::committee::{MinerId, max_faulty};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::committee_keys::CommitteeKeys;
use zus_bpp::crypto::keys::DomainTag;
use zus_bpp::crypto::scheme::{AggregateClaim, Domain, Signature, Verify as _};
use zus_bpp::crypto::trusted_dealer;
use zus_measure::job::{Certificate, Job};
use zus_measure::peer::{Checker, Peer};

use crate::Bench;

/// A committee whose members `0..q` sign everything.
struct Fixture {
    committee: Arc<CommitteeKeys>,
    signers: Vec<MinerId>,
    messages: Vec<Vec<u8>>,
    aggregates: Vec<Signature>,
}

impl Fixture {
    fn new(n: u16, messages: u8) -> Self {
        let (committee, members) = trusted_dealer::deal([4; 32], n).expect("keys");
        let signers: Vec<MinerId> = (0..n - max_faulty(n.into()) as u16).map(MinerId).collect();
        let messages: Vec<Vec<u8>> = (0..messages).map(|i| vec![i; 100]).collect();
        let aggregate = |message: &Vec<u8>| {
            let sign = |signer: &MinerId| members[usize::from(signer.0)].identity.sign(tag(), message);
            zus_bpp::crypto::keys::aggregate(&signers.iter().map(sign).collect::<Vec<_>>()).expect("a sum")
        };
        let aggregates = messages.iter().map(aggregate).collect();
        Self { committee, signers, messages, aggregates }
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
}

fn tag() -> DomainTag {
    Domain::Ticket.into()
}

/// The checker of a peer, which took the certificate and refused another signature; `None` for a peer that has none.
pub fn agreed<'a>(peer: &dyn Peer, certificate: &'a Certificate<'a>) -> Option<Checker<'a>> {
    let check = peer.checker(certificate)?;
    let tickets = certificate.job.tickets.with_invalid(1, 0);
    let other = tickets.invalid.first().map(|signer| tickets.signatures[usize::from(signer.0)].1.0);
    assert!(check(&certificate.aggregate), "{} refuses a valid certificate", peer.name());
    assert!(!other.is_some_and(|other| check(&other)), "{} takes an invalid one", peer.name());
    Some(check)
}

pub fn bench(bench: &mut Bench) {
    for n in bench.arguments.sizes(&[100], &[100, 1000]) {
        let fixture = Fixture::new(n, 1);
        let claim = fixture.claims()[0];
        let ours = |aggregate| {
            fixture.verifier().verify_aggregate(claim.signers, claim.tag, claim.message, aggregate)
        };
        let twice = [fixture.aggregates[0], fixture.aggregates[0]];
        let invalid = fixture.verifier().aggregate(&twice).expect("a sum");
        assert!(ours(&fixture.aggregates[0]) && !ours(&invalid));

        // The peers get one of as many members, over the message of the job.
        let job = Job::new(n.into());
        let certificate = job.certificate();
        assert_eq!(certificate.signers, fixture.signers.len());
        let mut group = bench.criterion.benchmark_group(format!("certificate/n={n}"));
        group.bench_function("ours", |b| b.iter(|| ours(&fixture.aggregates[0])));
        for peer in &bench.peers {
            let Some(check) = agreed(*peer, &certificate) else { continue };
            group.bench_function(peer.name(), |b| b.iter(|| check(&certificate.aggregate)));
        }
        group.finish();
    }

    for n in bench.arguments.sizes(&[100], &[100]) {
        let fixture = Fixture::new(n, 64);
        let claims = fixture.claims();
        let mut group = bench.criterion.benchmark_group(format!("certificates/n={n}"));
        for batch in [16, 64] {
            let claims = &claims[..batch];
            assert!(fixture.verifier().verify_aggregates(claims, &[1; 32]).iter().all(|&valid| valid));
            // An element is a certificate.
            group.throughput(Throughput::Elements(batch as u64));
            group.bench_function(BenchmarkId::new("ours", format!("batch={batch}")), |b| {
                b.iter(|| fixture.verifier().verify_aggregates(claims, &[1; 32]));
            });
        }
        group.finish();
    }
}
