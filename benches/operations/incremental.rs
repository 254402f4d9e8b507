//! Tickets that come one at a time into the pool, which is asked for the certificate after each: all valid, with
//! invalid ones among them, and from a spammer that sends each invalid ticket when the quorum seems complete.

use std::sync::Arc;

use zus_bpp::block::BlockId;
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Round, Subround, max_faulty};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::committee_keys::CommitteeKeys;
use zus_bpp::crypto::scheme::{Domain, Signature};
use zus_bpp::crypto::trusted_dealer;
use zus_bpp::signature_pool::SignaturePool;
use zus_bpp::statement::{Signed, Statement as _, Ticket};

use crate::Bench;

struct Fixture {
    committee: Committee,
    quorum: usize,
    keys: Arc<CommitteeKeys>,
    statement: Ticket,
    valid: Vec<Signature>,
    invalid: Vec<Signature>,
}

impl Fixture {
    fn new(n: u16) -> Self {
        let (keys, members) = trusted_dealer::deal([8; 32], n).expect("keys");
        let committee = Committee::new(ChainId([1; 32]), Epoch(1), n, 0).expect("a committee");
        let statement = Ticket { round: Round(1), subround: Subround(0), block: BlockId([2; 32]) };
        let sign = |bytes: &[u8]| {
            members
                .iter()
                .map(|member| member.identity.sign(Domain::Ticket.into(), bytes))
                .collect::<Vec<_>>()
        };
        let valid = sign(&statement.preimage(&committee));
        let quorum = usize::from(n) - max_faulty(n.into());
        Self { committee, quorum, keys, statement, valid, invalid: sign(b"another") }
    }

    /// Feeds the pool in this order; `is_invalid` says whose ticket is. Returns how many were blamed by the time of the
    /// certificate.
    fn feed(&self, order: &[u16], is_invalid: impl Fn(u16) -> bool) -> usize {
        let scheme = BlstScheme::observer(Arc::clone(&self.keys));
        let (mut pool, mut blamed) = (SignaturePool::new(1), Vec::new());
        for &i in order {
            let signatures = if is_invalid(i) { &self.invalid } else { &self.valid };
            let signature = signatures[usize::from(i)];
            let signed = Signed { statement: self.statement, signer: MinerId(i), signature };
            pool.add(signed, true, &self.committee, &scheme);
            if pool.certify(&self.statement, self.quorum, &self.committee, &scheme, &mut blamed).is_some() {
                return blamed.len();
            }
        }
        panic!("a quorum of valid tickets makes a certificate");
    }

    /// How many of the tickets that come before the quorum of valid ones are invalid.
    fn before_the_quorum(&self, order: &[u16], is_invalid: impl Fn(u16) -> bool) -> usize {
        let (mut valid, mut invalid) = (0, 0);
        for &i in order {
            *(if is_invalid(i) { &mut invalid } else { &mut valid }) += 1;
            if valid == self.quorum {
                break;
            }
        }
        invalid
    }
}

pub fn bench(bench: &mut Bench) {
    for n in bench.arguments.sizes(&[100], &[100]) {
        let (fixture, f) = (Fixture::new(n), max_faulty(n.into()) as u16);
        let in_order: Vec<u16> = (0..n).collect();
        // The valid tickets but one, then all invalid ones, then the last valid one.
        let spam: Vec<u16> = (f..n - 1).chain(0..f).chain([n - 1]).collect();
        let (none, tenth, first) = (|_| false, |i| i % 10 == 3, |i| i < f);
        assert_eq!(fixture.feed(&in_order, none), 0);
        assert_eq!(fixture.feed(&in_order, tenth), fixture.before_the_quorum(&in_order, tenth));
        assert_eq!(fixture.feed(&spam, first), usize::from(f));
        let mut group = bench.criterion.benchmark_group(format!("incremental/n={n}"));
        group.bench_function("valid", |b| b.iter(|| fixture.feed(&in_order, none)));
        group.bench_function("every tenth invalid", |b| b.iter(|| fixture.feed(&in_order, tenth)));
        group.bench_function("spammer", |b| b.iter(|| fixture.feed(&spam, first)));
        group.finish();
    }
}
