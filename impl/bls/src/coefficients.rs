//! Coefficients of random linear combinations: fixed by everything that they combine, and by nothing that was known before.

use sha3::{Digest, Sha3_256, Sha3_512};

use super::curve::Scalar;

/// So many coefficients from the hash of a transcript: 64 bits each, and not zero.
pub(crate) fn expand(transcript: &[u8; 64], count: usize) -> Vec<u64> {
    (0..count as u64)
        .map(|i| {
            let block = Sha3_256::new().chain_update(transcript).chain_update(i.to_be_bytes()).finalize();
            block.first_chunk().map_or(1, |bytes| u64::from_be_bytes(*bytes)).max(1)
        })
        .collect()
}

/// So many coefficients from the hash of a transcript, of any size: for what no secret seed goes into, so that a forger may try
/// other transcripts for as long as it likes.
pub(crate) fn expand_wide(transcript: &[u8; 64], count: usize) -> Vec<Scalar> {
    (0..count as u64)
        .map(|i| {
            let block = Sha3_512::new().chain_update(transcript).chain_update(i.to_be_bytes()).finalize();
            Scalar::from_uniform_bytes(&block.into())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_are_distinct_and_depend_on_the_transcript() {
        let (first, second) = (expand(&[1; 64], 100), expand(&[2; 64], 100));
        let mut all: Vec<u64> = first.iter().chain(&second).copied().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), all[0] > 0), (200, true));
        assert_eq!(expand(&[1; 64], 3), first[..3]);
    }

    #[test]
    fn wide_coefficients_are_distinct_and_depend_on_the_transcript() {
        let bytes = |transcript: u8| expand_wide(&[transcript; 64], 50).into_iter().map(|c| *c.to_bytes());
        let mut all: Vec<[u8; 32]> = bytes(1).chain(bytes(2)).collect();
        assert!(bytes(1).eq(all[..50].iter().copied()));
        assert!(all.iter().any(|bytes| bytes[0] > 0x40), "as wide as the group");
        all.sort_unstable();
        all.dedup();
        assert_eq!((all.len(), all[0] > [0; 32]), (100, true));
    }
}
