//! The operations of a committee, on one thread: `cargo bench -p zus-bls --features benches`. The same beside other libraries, and with
//! whole messages, is in `benches/` of the project.
#![allow(missing_docs)]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use zus_bls::blst_scheme::BlstScheme;
use zus_bls::committee::MinerId;
use zus_bls::keys::DomainTag;
use zus_bls::scheme::{AggregateClaim, Beacon, Sign, Verify};
use zus_bls::signature::Signature;
use zus_bls::trusted_dealer;

const TAG: DomainTag = DomainTag::new(b"BENCH-V01-VOTE_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
const MESSAGE: &[u8] = b"a statement that everybody signs";

/// Sizes of committees.
const SIZES: [u16; 2] = [7, 100];

/// A committee with the signatures of all of its members under one message.
struct Case {
    members: Vec<BlstScheme>,
    observer: BlstScheme,
    signatures: Vec<(MinerId, Signature)>,
}

/// The signatures of all members under a message.
fn signed(members: &[BlstScheme], message: &[u8]) -> Vec<(MinerId, Signature)> {
    let sign =
        |(id, member): (u16, &BlstScheme)| (MinerId(id), member.sign(TAG, message).expect("a member signs"));
    (0..).zip(members).map(sign).collect()
}

impl Case {
    fn new(n: u16) -> Self {
        let (committee, keys) = trusted_dealer::deal([7; 32], n).expect("a committee");
        let members: Vec<_> = keys
            .into_iter()
            .map(|keys| BlstScheme::member(committee.clone(), keys).expect("a member's keys"))
            .collect();
        let signatures = signed(&members, MESSAGE);
        Self { observer: BlstScheme::observer(committee), members, signatures }
    }

    /// Its signatures, of which the first few are of another message.
    fn with_wrong(&self, wrong: usize) -> Vec<(MinerId, Signature)> {
        let mut signatures = self.signatures.clone();
        for ((_, signature), member) in signatures.iter_mut().zip(&self.members).take(wrong) {
            *signature = member.sign(TAG, b"another one").expect("a member signs");
        }
        signatures
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for n in SIZES {
        let case = Case::new(n);
        one(&mut criterion, &case, n);
        many(&mut criterion, &case, n);
        beacon(&mut criterion, &case, n);
    }
    criterion.final_summary();
}

/// One signature made, and one verified.
fn one(criterion: &mut Criterion, case: &Case, n: u16) {
    let (signer, signature) = case.signatures[0];
    criterion
        .bench_function(&format!("sign/n={n}"), |bench| bench.iter(|| case.members[0].sign(TAG, MESSAGE)));
    // A fresh observer: the scheme remembers the hash of a message and the claims that were true.
    criterion.bench_function(&format!("verify/n={n}"), |bench| {
        bench.iter_batched(
            || case.observer.clone(),
            |observer| assert!(observer.verify(signer, TAG, MESSAGE, &signature)),
            BatchSize::SmallInput,
        );
    });
}

/// Signatures over one message, some of them wrong; and sums over 64 messages.
fn many(criterion: &mut Criterion, case: &Case, n: u16) {
    let mut group = criterion.benchmark_group(format!("sift/n={n}"));
    group.throughput(Throughput::Elements(n.into()));
    for wrong in [0, 1, usize::from(n) / 10] {
        let signatures = case.with_wrong(wrong);
        group.bench_function(BenchmarkId::new("wrong", wrong), |bench| {
            bench.iter_batched(
                || case.observer.clone(),
                |observer| assert_eq!(observer.sift(TAG, MESSAGE, &signatures).wrong.len(), wrong),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();

    let messages: Vec<[u8; 1]> = (0..64).map(|i| [i]).collect();
    let sums: Vec<_> = messages
        .iter()
        .map(|message| {
            let signatures = signed(&case.members, message);
            case.observer.sift(TAG, message, &signatures).group.expect("all are right")
        })
        .collect();
    let claims: Vec<_> = sums
        .iter()
        .zip(&messages)
        .map(|((signers, aggregate), message)| AggregateClaim {
            signers,
            tag: TAG,
            message,
            aggregate: *aggregate,
        })
        .collect();
    let mut group = criterion.benchmark_group(format!("verify_aggregates/n={n}"));
    group.throughput(Throughput::Elements(claims.len() as u64));
    group.bench_function("64 messages", |bench| {
        bench.iter_batched(
            || case.observer.clone(),
            |observer| assert_eq!(observer.verify_aggregates(&claims, &[9; 32]), [true; 64]),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// Shares of the beacon, combined to its value.
fn beacon(criterion: &mut Criterion, case: &Case, n: u16) {
    let share = |(id, member): (u16, &BlstScheme)| {
        (MinerId(id), member.beacon_share(MESSAGE).expect("a member has a share"))
    };
    let shares: Vec<_> = (0..).zip(&case.members).map(share).take(case.observer.beacon_threshold()).collect();
    criterion.bench_function(&format!("beacon/n={n}"), |bench| {
        bench.iter(|| case.observer.combine_beacon(MESSAGE, &shares).expect("all are right"));
    });
}
