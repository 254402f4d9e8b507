//! herumi's mcl with the algorithm of his BLS library: every signature is decoded with a check of its order, the sum is
//! verified, and every ticket by itself when that fails. The hash is computed once a call, which that library's `blsVerify`
//! does for every signature: this is the better for it.
//!
//! The crate wraps a part of mcl's C interface; what else is needed is declared here, as in mcl's `include/mcl/bn.h`.

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::sync::Once;

use mcl_rust::{CurveType, G1, G2, GT};
use zus_measure::committee::{Aggregation, Tickets};
use zus_measure::job::Job;
use zus_measure::peer::{Aggregator, Peer};

unsafe extern "C" {
    fn mclBn_setETHserialization(enable: c_int);
    fn mclBn_setMapToMode(mode: c_int) -> c_int;
    fn mclBnG1_hashAndMapToWithDst(
        point: *mut G1,
        message: *const u8,
        message_bytes: usize,
        tag: *const u8,
        tag_bytes: usize,
    ) -> c_int;
    fn mclBn_getUint64NumToPrecompute() -> c_int;
    fn mclBn_precomputeG2(lines: *mut u64, point: *const G2);
    fn mclBn_precomputedMillerLoop2mixed(
        value: *mut GT,
        first: *const G1,
        first_key: *const G2,
        second: *const G1,
        second_lines: *const u64,
    );
}

/// `MCL_MAP_TO_MODE_HASH_TO_CURVE_07`: RFC 9380.
const HASH_TO_CURVE: c_int = 5;

/// See the module doc.
pub struct Herumi;

/// The public keys, and the lines of the generator mirrored.
struct Keys {
    keys: Vec<G2>,
    minus_generator: Vec<u64>,
}

/// Chooses curve, encoding and hash, once a process.
fn start() {
    static START: Once = Once::new();
    START.call_once(|| {
        assert!(mcl_rust::init(CurveType::BLS12_381), "mcl has the curve");
        // SAFETY: the library was initialised, and nobody else uses it yet.
        unsafe {
            mclBn_setETHserialization(1);
            assert_eq!(mclBn_setMapToMode(HASH_TO_CURVE), 0);
        }
    });
}

fn key(bytes: &[u8]) -> G2 {
    let mut key = G2::zero();
    assert!(key.deserialize(bytes), "a key");
    key
}

fn keys(job: &Job) -> Keys {
    start();
    let mut mirrored = G2::zero();
    let generator = zus_bpp::crypto::curve::G2::generator();
    G2::neg(&mut mirrored, &key(&generator.encode()));
    // SAFETY: a pure function once the library was initialised.
    let words = unsafe { mclBn_getUint64NumToPrecompute() };
    let mut minus_generator = vec![0; usize::try_from(words).expect("a size")];
    // SAFETY: the buffer has as many words as asked for; the point is valid.
    unsafe { mclBn_precomputeG2(minus_generator.as_mut_ptr(), &mirrored) };
    Keys { keys: job.keys.public.iter().map(|bytes| key(bytes)).collect(), minus_generator }
}

fn hash(tickets: &Tickets) -> G1 {
    let (mut point, tag) = (G1::zero(), tickets.tag.as_bytes());
    // SAFETY: each pointer comes with the length of its slice; the destination is valid.
    let result = unsafe {
        mclBnG1_hashAndMapToWithDst(
            &mut point,
            tickets.message.as_ptr(),
            tickets.message.len(),
            tag.as_ptr(),
            tag.len(),
        )
    };
    assert_eq!(result, 0, "every message has a hash");
    point
}

impl Keys {
    fn is_balanced(&self, signature: &G1, hash: &G1, key: &G2) -> bool {
        let (mut loops, mut value) = (GT::zero(), GT::zero());
        // SAFETY: valid points, and lines that the library made.
        unsafe {
            mclBn_precomputedMillerLoop2mixed(
                &mut loops,
                hash,
                key,
                signature,
                self.minus_generator.as_ptr(),
            );
        }
        mcl_rust::final_exp(&mut value, &loops);
        value.is_one()
    }
}

fn sum<'a>(points: impl Iterator<Item = &'a G1>) -> G1 {
    points.fold(G1::zero(), |sum, point| {
        let mut next = G1::zero();
        G1::add(&mut next, &sum, point);
        next
    })
}

fn aggregate(keys: &Keys, quorum: usize, tickets: &Tickets) -> Aggregation {
    let decode = |bytes: &[u8; 48]| {
        let mut point = G1::zero();
        // Checks the order of the point too.
        (point.deserialize(bytes) && !point.is_zero()).then_some(point)
    };
    let points: Vec<Option<G1>> = tickets.signatures.iter().map(|(_, ticket)| decode(&ticket.0)).collect();
    let of = |i: usize| &keys.keys[usize::from(tickets.signatures[i].0.0)];
    let hash = hash(tickets);
    let all = points.iter().all(Option::is_some);
    let key = (0..points.len()).fold(G2::zero(), |sum, i| {
        let mut next = G2::zero();
        G2::add(&mut next, &sum, of(i));
        next
    });
    let is_valid =
        |i: &usize| points[*i].as_ref().is_some_and(|point| keys.is_balanced(point, &hash, of(*i)));
    let everybody = || (0..points.len()).collect::<Vec<_>>();
    let (valid, invalid) = if all && keys.is_balanced(&sum(points.iter().flatten()), &hash, &key) {
        (everybody(), Vec::new())
    } else {
        everybody().into_iter().partition(is_valid)
    };
    let aggregate = (valid.len() >= quorum).then(|| {
        let sum = sum(valid.iter().filter_map(|&i| points[i].as_ref()));
        sum.serialize().try_into().expect("48 bytes")
    });
    Aggregation {
        aggregate,
        invalid: invalid.into_iter().map(|i: usize| tickets.signatures[i].0.0).collect(),
    }
}

impl Peer for Herumi {
    fn name(&self) -> &'static str {
        "herumi"
    }

    fn aggregator<'a>(&self, job: &'a Job) -> Aggregator<'a> {
        let (keys, quorum) = (keys(job), job.keys.quorum());
        Box::new(move |tickets| aggregate(&keys, quorum, tickets))
    }
}
