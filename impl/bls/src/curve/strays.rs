//! Points of the curve outside the subgroup, for tests.

use super::{G1, G1_BYTES, Scalar};

/// A point of the curve outside the subgroup: nearly all are.
pub(crate) fn outside_subgroup() -> G1 {
    (1..=255)
        .find_map(|x| {
            let mut bytes = [0; G1_BYTES];
            (bytes[0], bytes[47]) = (0x80, x);
            G1::decode(&bytes).ok().filter(|point| !point.is_in_subgroup())
        })
        .unwrap()
}

/// A point whose order divides the cofactor of G1, which no pairing sees: the group order times a point outside the subgroup.
pub(crate) fn cofactor_only() -> G1 {
    let order_minus_one = Scalar::from_u64(1).neg().to_bytes();
    let point = outside_subgroup();
    // Double-and-add with additions alone: blst's multiplication is made for points of the subgroup.
    let mut product = None;
    for bit in (0..256).rev() {
        product = product.and_then(|half: G1| G1::sum([&half, &half]));
        if order_minus_one[31 - bit / 8] >> (bit % 8) & 1 == 1 {
            product = G1::sum(product.iter().chain([&point]));
        }
    }
    G1::sum(product.iter().chain([&point])).unwrap()
}
