//! The distributed key generation, everybody's work divided by the number of members.

use std::sync::Arc;
use std::time::Duration;

use zus_bpp::committee::{ChainId, Epoch, MinerId};
use zus_bpp::crypto::dkg::{
    Attempt, Dealing, Identity, Member, Parameters, Session, SessionMember, Settlement,
};
use zus_measure::members::{decryption, identity, seed};
use zus_measure::process_time;

use crate::Bench;

const CHAIN: ChainId = ChainId([3; 32]);
const EPOCH: Epoch = Epoch(8);

/// Committees up to this size are measured many times; a larger one takes minutes.
const MANY_TIMES: u16 = 16;

/// A whole key generation without faults; checks that all members end with one key.
fn generate(n: u16) {
    let member = |i| SessionMember {
        identity: Identity::new(CHAIN, &identity(i)).verify(CHAIN).expect("its own key"),
        encryption: Some(decryption(i).encryption_key()),
    };
    let parameters = Parameters::hardened(usize::from(n)).expect("a committee");
    let session = Arc::new(
        Session::new(CHAIN, EPOCH, Attempt(0), parameters, (0..n).map(member).collect()).expect("a session"),
    );
    let member = |i: u16| {
        Member::new(Arc::clone(&session), MinerId(i), identity(i), decryption(i), &seed(3, i))
            .expect("a member")
    };
    let mut members: Vec<Member> = (0..n).map(member).collect();
    let dealings: Vec<Dealing> = members.iter().map(|member| member.dealing().clone()).collect();
    for dealing in &dealings {
        for recipient in 0..members.len() {
            let receipt = members[recipient].on_dealing(dealing).expect("an honest dealing");
            members[usize::from(receipt.dealer.0)]
                .on_receipt(receipt.recipient, &receipt)
                .expect("a receipt");
        }
    }
    for member in &mut members {
        member.end_dealing().expect("once");
    }
    let settlements: Vec<Settlement> =
        members.iter().map(|member| member.settle().expect("a settlement")).collect();
    for settlement in &settlements {
        for member in &mut members {
            member.on_settlement(settlement).expect("an honest settlement");
        }
    }
    let mut outcomes = members.iter().map(|member| member.finish().expect("an outcome").0);
    let first = outcomes.next();
    assert!(outcomes.all(|outcome| Some(&outcome) == first.as_ref()));
}

pub fn bench(bench: &mut Bench) {
    let sizes = bench.arguments.sizes(&[4], &[4, 16, 64, 100]);
    let mut group = bench.criterion.benchmark_group("dkg");
    for n in sizes.iter().copied().filter(|&n| n <= MANY_TIMES) {
        group.bench_function(format!("n={n}"), |b| {
            b.iter_custom(|iterations| {
                let all: Duration = (0..iterations).map(|_| process_time::of(|| generate(n)).1).sum();
                all / u32::from(n)
            });
        });
    }
    group.finish();
    for n in sizes.into_iter().filter(|&n| n > MANY_TIMES && !bench.arguments.test) {
        // Minutes with all members in one process: once is enough.
        let ((), time) = process_time::of(|| generate(n));
        zus_output::say!(
            "dkg/n={n}               once: {:.1} ms a member",
            time.as_secs_f64() * 1e3 / f64::from(n)
        );
    }
}
