//! Eight points at a time, on processors with AVX-512 IFMA: decoding, the subgroup check, and pairing products.
//!
//! Without the feature `lanes` no processor is taken for one that has the instructions. The same functions on blst's field are
//! the reference and the fallback. Which of the two runs is decided once, when the program starts to use either, and both give
//! the same answer for every input, which tests check on random and on adversarial ones. [`set_enabled`] switches for tests and
//! benches.
//!
//! `unsafe` here is two things: calling a function that needs the processor to have the instructions, after asking whether
//! it has, and reading a vector as eight words.

#![cfg_attr(
    not(all(feature = "lanes", target_arch = "x86_64")),
    expect(unused_variables, reason = "without lanes the arguments are not looked at")
)]

use std::sync::atomic::{AtomicBool, Ordering};

use super::{G1, G1_BYTES, G2, Gt, PointError};

#[cfg(all(feature = "lanes", target_arch = "x86_64"))]
mod fp;
#[cfg(all(feature = "lanes", target_arch = "x86_64"))]
mod pairing;
#[cfg(all(feature = "lanes", target_arch = "x86_64"))]
mod points;
#[cfg(all(feature = "lanes", target_arch = "x86_64"))]
mod tower;

/// How many are computed side by side.
pub const LANES: usize = 8;

/// Eight lanes take the time of less than three points one by one.
const WORTH_IT: usize = 3;

static DISABLED: AtomicBool = AtomicBool::new(false);

/// Whether the processor has the instructions.
#[must_use]
pub fn is_supported() -> bool {
    #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
    return is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
    #[cfg(not(all(feature = "lanes", target_arch = "x86_64")))]
    false
}

/// Whether the lanes are used: the processor has the instructions and nobody switched them off.
#[must_use]
pub fn is_enabled() -> bool {
    !DISABLED.load(Ordering::Relaxed) && is_supported()
}

/// Lets the lanes be used, which is the default, or not. For tests and benches, which compare the two.
pub fn set_enabled(enabled: bool) {
    DISABLED.store(!enabled, Ordering::Relaxed);
}

/// As many as there are lanes, the first one filling the empty places; `None` where computing one by one is better.
#[must_use]
pub fn filled<T: Copy>(items: &[T]) -> Option<[T; LANES]> {
    (is_enabled() && (WORTH_IT..=LANES).contains(&items.len()))
        .then(|| std::array::from_fn(|lane| items.get(lane).copied().unwrap_or(items[0])))
}

/// [`G1::decode`] of eight encodings. `None` where the processor lacks the instructions.
#[must_use]
pub fn decode(encoded: &[&[u8; G1_BYTES]; LANES]) -> Option<[Result<G1, PointError>; LANES]> {
    #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
    // SAFETY: the processor has what the function needs.
    return is_supported().then(|| unsafe { points::decode(encoded) });
    #[cfg(not(all(feature = "lanes", target_arch = "x86_64")))]
    None
}

/// [`G1::is_in_subgroup`] of eight points. `None` where the processor lacks the instructions.
#[must_use]
pub fn are_in_subgroup(points: &[G1; LANES]) -> Option<[bool; LANES]> {
    #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
    // SAFETY: the processor has what the function needs.
    return is_supported().then(|| unsafe { points::are_in_subgroup(points) });
    #[cfg(not(all(feature = "lanes", target_arch = "x86_64")))]
    None
}

/// `e(signature, -g) e(hash, key)` for eight of each. `None` where the processor lacks the instructions.
#[must_use]
pub fn products(signatures: &[G1; LANES], hashes: &[G1; LANES], keys: &[G2; LANES]) -> Option<[Gt; LANES]> {
    #[cfg(all(feature = "lanes", target_arch = "x86_64"))]
    // SAFETY: the processor has what the function needs.
    return is_supported().then(|| unsafe { pairing::products(signatures, hashes, keys) }.map(Gt));
    #[cfg(not(all(feature = "lanes", target_arch = "x86_64")))]
    None
}
