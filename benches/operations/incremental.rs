//! Tickets that come one at a time into the pool, which is asked for the certificate after each: all valid, with wrong ones
//! among them, and from a spammer that sends each wrong ticket when the quorum seems complete.

use std::sync::Arc;

use zus_bpp::block::BlockId;
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::committee_keys::CommitteeKeys;
use zus_bpp::crypto::scheme::{Domain, Signature};
use zus_bpp::crypto::trusted_dealer;
use zus_bpp::signature_pool::SignaturePool;
use zus_bpp::statement::{Signed, Statement as _, Ticket};

use crate::{Bench, Effort};

const N: u16 = 100;
const F: u16 = 33;
const QUORUM: usize = 67;

struct Stage {
    committee: Committee,
    keys: Arc<CommitteeKeys>,
    statement: Ticket,
    valid: Vec<Signature>,
    wrong: Vec<Signature>,
}

impl Stage {
    fn new() -> Self {
        let (keys, members) = trusted_dealer::deal([8; 32], N).expect("keys");
        let committee = Committee::new(ChainId([1; 32]), Epoch(1), N, 0).expect("a committee");
        let statement = Ticket { round: Round(1), subround: Subround(0), block: BlockId([2; 32]) };
        let sign = |bytes: &[u8]| {
            members
                .iter()
                .map(|member| member.identity.sign(Domain::Ticket.into(), bytes))
                .collect::<Vec<_>>()
        };
        let valid = sign(&statement.preimage(&committee));
        Self { committee, keys, statement, valid, wrong: sign(b"another") }
    }

    /// Feeds the pool in this order; `wrong` says whose ticket is. Returns how many were blamed by the time of the
    /// certificate.
    fn feed(&self, order: &[u16], wrong: impl Fn(u16) -> bool) -> usize {
        let scheme = BlstScheme::observer(Arc::clone(&self.keys));
        let (mut pool, mut blamed) = (SignaturePool::new(1), Vec::new());
        for &i in order {
            let signature = if wrong(i) { self.wrong[usize::from(i)] } else { self.valid[usize::from(i)] };
            let signed = Signed { statement: self.statement, signer: MinerId(i), signature };
            pool.add(signed, true, &self.committee, &scheme);
            if pool.certify(&self.statement, QUORUM, &self.committee, &scheme, &mut blamed).is_some() {
                return blamed.len();
            }
        }
        panic!("a quorum of valid tickets makes a certificate");
    }
}

pub fn bench(criterion: &mut Bench, _: Effort) {
    let stage = Stage::new();
    let in_order: Vec<u16> = (0..N).collect();
    // The valid tickets but one, then all wrong ones, then the last valid one.
    let spam: Vec<u16> = (F..N - 1).chain(0..F).chain([N - 1]).collect();
    assert_eq!(stage.feed(&in_order, |_| false), 0);
    assert_eq!(stage.feed(&in_order, |i| i % 10 == 3), 8);
    assert_eq!(stage.feed(&spam, |i| i < F), usize::from(F));
    let mut group = criterion.benchmark_group(format!("incremental/n={N}"));
    group.bench_function("valid", |b| b.iter(|| stage.feed(&in_order, |_| false)));
    group.bench_function("every tenth wrong", |b| b.iter(|| stage.feed(&in_order, |i| i % 10 == 3)));
    group.bench_function("spammer", |b| b.iter(|| stage.feed(&spam, |i| i < F)));
    group.finish();
}
