//! Decoding and the subgroup check against blst, on random and on adversarial points.

use proptest::prelude::*;

use super::super::{are_in_subgroup, decode};
use super::{G1, G1_BYTES, LANES, MODULUS};
use crate::curve::Scalar;

fn assert_decodes_as_blst(encoded: [[u8; G1_BYTES]; LANES]) {
    let references: [&[u8; G1_BYTES]; LANES] = std::array::from_fn(|lane| &encoded[lane]);
    let Some(decoded) = decode(&references) else { return };
    for (bytes, ours) in encoded.iter().zip(decoded) {
        assert_eq!(ours, G1::decode(bytes), "{bytes:02x?}");
    }
}

fn assert_checks_as_blst(points: [G1; LANES]) {
    let Some(inside) = are_in_subgroup(&points) else { return };
    assert_eq!(inside, points.map(|point| point.is_in_subgroup()));
}

/// The first points of the curve by x coordinate: nearly all are outside the subgroup.
fn small_points() -> Vec<G1> {
    (0_u8..=255)
        .filter_map(|x| {
            let mut bytes = [0; G1_BYTES];
            (bytes[0], bytes[47]) = (0x80, x);
            G1::decode(&bytes).ok()
        })
        .collect()
}

/// The product by additions, which are right for every point; `None` at infinity.
fn times(point: &G1, factor: &[u8]) -> Option<G1> {
    let mut product: Option<G1> = None;
    for bit in (0..factor.len() * 8).rev() {
        product = product.and_then(|half| G1::sum([&half, &half]));
        if factor[factor.len() - 1 - bit / 8] >> (bit % 8) & 1 == 1 {
            product = G1::sum(product.iter().chain([point]));
        }
    }
    product
}

/// Points whose order is a small factor of the cofactor, or a small factor times the group order: where additions meet equal
/// and opposite points.
fn points_of_small_order() -> Vec<G1> {
    // The cofactor is 3 * 11^2 * 10177^2 * 859267^2 * 52437899^2, and no point has the square of one of these as its order.
    let order = {
        let minus_one = Scalar::from_u64(1).neg().to_bytes();
        let mut order = *minus_one;
        order[31] += 1;
        order
    };
    let factors = [3_u64, 11, 10_177, 859_267, 52_437_899];
    let mut found = Vec::new();
    for point in small_points().iter().take(6) {
        let cofactor_part = times(point, &order);
        for kept in 0..factors.len() {
            let others = factors.iter().enumerate().filter(|&(i, _)| i != kept);
            let small =
                others.fold(cofactor_part, |point, (_, factor)| times(&point?, &factor.to_be_bytes()));
            found.extend(small);
            found.extend(small.and_then(|small| G1::sum([&small, &G1::hash(b"tag", b"message")])));
        }
    }
    assert!(found.len() >= 40, "the attack needs its points: {}", found.len());
    found
}

#[test]
fn points_of_small_order_are_refused_as_by_blst() {
    let points = points_of_small_order();
    for chunk in points.chunks(LANES) {
        assert_checks_as_blst(std::array::from_fn(|lane| chunk[lane % chunk.len()]));
    }
    for chunk in small_points().chunks(LANES) {
        assert_checks_as_blst(std::array::from_fn(|lane| chunk[lane % chunk.len()]));
    }
}

#[test]
fn adversarial_encodings_are_refused_as_by_blst() {
    let valid = G1::hash(b"tag", b"message").encode();
    let with = |change: &dyn Fn(&mut [u8; 48])| {
        let mut bytes = valid;
        change(&mut bytes);
        bytes
    };
    let modulus_bytes = |offset: u64, flags: u8| {
        let mut bytes = [0; 48];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(MODULUS.iter().rev()) {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        bytes[40..].copy_from_slice(&(MODULUS[0].wrapping_add(offset)).to_be_bytes());
        bytes[0] |= flags;
        bytes
    };
    let plain = |first: u8, last: u8| {
        let mut bytes = [0; 48];
        (bytes[0], bytes[47]) = (first, last);
        bytes
    };
    assert_decodes_as_blst([
        plain(0xc0, 0),
        plain(0xe0, 0),
        plain(0xc0, 1),
        plain(0x80, 0),
        plain(0xa0, 0),
        plain(0x40, 0),
        plain(0, 0),
        plain(0x80, 1),
    ]);
    assert_decodes_as_blst([
        modulus_bytes(0, 0x80),
        modulus_bytes(1, 0x80),
        modulus_bytes(u64::MAX, 0x80),
        modulus_bytes(u64::MAX - 1, 0xa0),
        modulus_bytes(4, 0xa0),
        [0xff; 48],
        [0x9f; 48],
        [0xbf; 48],
    ]);
    assert_decodes_as_blst([
        valid,
        with(&|b| b[0] ^= 0x20),
        with(&|b| b[0] ^= 0x40),
        with(&|b| b[0] ^= 0x80),
        with(&|b| b[0] |= 0xe0),
        with(&|b| b[0] &= 0x1f),
        with(&|b| b[47] ^= 1),
        with(&|b| b[20] ^= 0x10),
    ]);
    for start in (0_u8..=255).step_by(LANES) {
        assert_decodes_as_blst(std::array::from_fn(|lane| plain(0x80, start + lane as u8)));
        assert_decodes_as_blst(std::array::from_fn(|lane| plain(0xa0, start + lane as u8)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn random_encodings_decode_as_by_blst(bytes in any::<[[u8; 32]; LANES]>(), top in any::<[u8; LANES]>()) {
        assert_decodes_as_blst(std::array::from_fn(|lane| {
            let mut encoded = [0; 48];
            encoded[16..].copy_from_slice(&bytes[lane]);
            encoded[1..16].copy_from_slice(&bytes[lane][..15]);
            encoded[0] = 0x80 | top[lane] & 0x3f;
            encoded
        }));
    }

    #[test]
    fn signatures_decode_and_pass_wherever_a_stranger_sits(seed in any::<u64>(), stranger in 0..LANES) {
        let outside = small_points()[(seed % 50) as usize + 1];
        let points: [G1; LANES] = std::array::from_fn(|lane| {
            let point = G1::hash(b"tag", &(seed ^ lane as u64).to_be_bytes());
            if lane == stranger { outside } else { point }
        });
        assert_decodes_as_blst(points.map(|point| point.encode()));
        assert_decodes_as_blst(points.map(|point| point.neg().encode()));
        assert_checks_as_blst(points);
    }
}
