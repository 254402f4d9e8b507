//! Coefficients of random linear combinations: fixed by everything that they combine, and by nothing that was known before.

use sha3::{Digest, Sha3_256};

/// So many coefficients from the hash of a transcript: 64 bits each, and not zero.
pub(crate) fn expand(transcript: &[u8; 64], count: usize) -> Vec<u64> {
    (0..count as u64)
        .map(|i| {
            let block = Sha3_256::new().chain_update(transcript).chain_update(i.to_be_bytes()).finalize();
            block.first_chunk().map_or(1, |bytes| u64::from_be_bytes(*bytes)).max(1)
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
}
