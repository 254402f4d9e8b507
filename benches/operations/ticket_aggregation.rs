//! From tickets as bytes to the certificate and the blame list (step 6), ours and the peers', all on the same bytes.

use criterion::{BenchmarkId, Throughput};
use zus_benches::committee::{Keys, Tickets};
use zus_bpp::crypto::curve::{G1, PreparedG2};

#[cfg(feature = "herumi")]
use crate::peers::herumi;
use crate::peers::{self, arkworks, blstrs, commonware, ours};
use crate::{Bench, Effort};

/// The tickets of one committee, and every verifier with its keys decoded.
pub struct Stage {
    pub keys: Keys,
    pub tickets: Tickets,
    pub statement: commonware::Statement,
    pub all_keys: PreparedG2,
    pub blst: Vec<::blst::min_sig::PublicKey>,
    pub blstrs: Vec<::blstrs::G2Affine>,
    pub arkworks: Vec<ark_bls12_381::G2Affine>,
    pub arkworks_hash: ark_bls12_381::G1Affine,
    pub commonware: commonware::Peer,
    #[cfg(feature = "herumi")]
    pub herumi: herumi::Keys,
    pub hash: G1,
    pub lines: Vec<PreparedG2>,
}

impl Stage {
    pub fn new(n: usize) -> Self {
        let keys = Keys::new(n);
        let statement = commonware::Statement(b"epoch 1, round 2, subround 0, block 3");
        let tickets = keys.tickets(commonware::tag(), &commonware::message(&statement));
        let everybody: Vec<_> = tickets.signatures.iter().map(|(miner, _)| *miner).collect();
        let hash = G1::hash(tickets.tag.as_bytes(), &tickets.message);
        Self {
            all_keys: PreparedG2::new(&keys.sums.sum(&everybody).expect("a finite sum")),
            blst: peers::blst::keys(&keys),
            blstrs: blstrs::keys(&keys),
            arkworks: arkworks::keys(&keys),
            arkworks_hash: arkworks::hash(&hash.encode()),
            commonware: commonware::verifier(&keys),
            #[cfg(feature = "herumi")]
            herumi: herumi::keys(&keys),
            lines: everybody.iter().filter_map(|&miner| keys.sums.key(miner)).map(PreparedG2::new).collect(),
            hash,
            keys,
            tickets,
            statement,
        }
    }

    /// Numbers of wrong tickets that are measured.
    pub fn wrong(&self) -> Vec<usize> {
        let mut wrong = vec![0, 1, 10, self.keys.f()];
        wrong.retain(|&wrong| wrong <= self.keys.f());
        wrong.dedup();
        wrong
    }

    /// Every peer must say what we say before anybody is timed.
    pub fn assert_agreement(&self, wrong: usize) {
        let tickets = self.tickets.with_wrong(wrong, 1);
        let ours = ours::aggregate(&self.keys, &tickets);
        assert!(ours.aggregate.is_some() && ours.wrong.len() == wrong);
        let quorum = self.keys.quorum();
        assert_eq!(ours::portably(|| ours::aggregate(&self.keys, &tickets)), ours, "without vectors");
        assert_eq!(peers::blst::aggregate(&self.blst, quorum, &tickets), ours, "blst");
        assert_eq!(
            commonware::aggregate(&self.commonware, quorum, &self.statement, &tickets),
            ours,
            "commonware"
        );
        #[cfg(feature = "herumi")]
        assert_eq!(herumi::aggregate(&self.herumi, quorum, &tickets), ours, "herumi");
        assert_eq!(ours::one_by_one(&self.hash, &self.lines, &tickets), tickets.len() - wrong);
        if wrong == 0 {
            assert_eq!(blstrs::aggregate(&self.blstrs, &tickets), ours, "blstrs");
            assert_eq!(arkworks::aggregate(&self.arkworks, &self.arkworks_hash, &tickets), ours, "arkworks");
            assert!(ours::limit(&tickets, &self.all_keys));
        }
    }
}

pub fn bench(criterion: &mut Bench, effort: Effort) {
    for n in effort.choose(vec![100], vec![100, 1000]) {
        let stage = Stage::new(n);
        for wrong in stage.wrong() {
            if n == 1000 && wrong > 0 {
                // Up to seconds each: these are in the table of ratios.
                continue;
            }
            stage.assert_agreement(wrong);
            let name = format!("aggregate/n={n}/invalid={wrong}");
            let mut group = criterion.benchmark_group(name);
            group.throughput(Throughput::Elements(n as u64));
            let placements: Vec<Tickets> = (0..4).map(|seed| stage.tickets.with_wrong(wrong, seed)).collect();
            let quorum = stage.keys.quorum();
            let mut peer = |name: &str, verify: &mut dyn FnMut(&Tickets)| {
                let mut placement = placements.iter().cycle();
                group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                    bencher.iter(|| placement.next().map(&mut *verify));
                });
            };
            peer("ours", &mut |tickets| drop(ours::aggregate(&stage.keys, tickets)));
            peer("ours, portable", &mut |tickets| {
                drop(ours::portably(|| ours::aggregate(&stage.keys, tickets)));
            });
            peer("commonware", &mut |tickets| {
                drop(commonware::aggregate(&stage.commonware, quorum, &stage.statement, tickets));
            });
            peer("blst", &mut |tickets| drop(peers::blst::aggregate(&stage.blst, quorum, tickets)));
            if wrong == 0 {
                peer("blstrs", &mut |tickets| drop(blstrs::aggregate(&stage.blstrs, tickets)));
                peer("arkworks", &mut |tickets| {
                    drop(arkworks::aggregate(&stage.arkworks, &stage.arkworks_hash, tickets));
                });
                peer("limit", &mut |tickets| assert!(ours::limit(tickets, &stage.all_keys)));
            }
            group.finish();
        }
    }
}
