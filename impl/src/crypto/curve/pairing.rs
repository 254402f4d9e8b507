//! The pairing check.

use blst::{blst_final_exp, blst_fp12, blst_fp12_is_one, blst_miller_loop_n, blst_p1_affine, blst_p2_affine};

use super::{G1, G2};

/// Whether the product of the pairings of all pairs is one; true for no pairs. One final exponentiation in all, and no
/// thread but the caller's.
///
/// The pairing does not see a component outside the subgroup of G1: check a decoded signature with
/// [`G1::is_in_subgroup`] as well.
#[must_use]
pub fn pairing_product_is_one<const N: usize>(pairs: [(&G1, &G2); N]) -> bool {
    if N == 0 {
        return true;
    }
    let p: [*const blst_p1_affine; N] = pairs.map(|(p, _)| &raw const p.0);
    let q: [*const blst_p2_affine; N] = pairs.map(|(_, q)| &raw const q.0);
    let (mut product, mut root) = (blst_fp12::default(), blst_fp12::default());
    // SAFETY: both arrays hold N pointers to live points that are not infinity; the destination is valid.
    unsafe { blst_miller_loop_n(&mut product, q.as_ptr(), p.as_ptr(), N) };
    // SAFETY: source and destination are valid and distinct.
    unsafe { blst_final_exp(&mut root, &product) };
    // SAFETY: the argument is initialised.
    unsafe { blst_fp12_is_one(&root) }
}

#[cfg(test)]
mod tests {
    use super::super::Scalar;
    use super::*;

    #[test]
    fn the_pairing_is_bilinear() {
        let (p, q) = (G1::hash(b"tag", b"message"), G2::generator());
        let p_times_3 = p.mul(&Scalar::from_u64(3)).unwrap();
        let q_times_3 = G2::generator_times(&Scalar::from_u64(3)).unwrap();
        assert!(pairing_product_is_one([(&p_times_3, &q), (&p.neg(), &q_times_3)]));
        assert!(!pairing_product_is_one([(&p_times_3, &q), (&p, &q_times_3)]));
        assert!(!pairing_product_is_one([(&p, &q)]));
        assert!(pairing_product_is_one([]));
    }
}
