//! A state on its way to its owner: measure, fingerprint, key and the packed state. The numbers are written from the highest byte on,
//! so that the order of the bytes is their order.

use crate::prints::Print;
use zus_checker::search::bfs::SHARDS;

/// Bytes of the measure and the fingerprint: the name of a state among all that were seen.
pub const NAME: usize = 2 + size_of::<Print>();
/// Bytes of a name on disk: those of the measure and the first 88 bits of the fingerprint. Of a thousand million states two have the same
/// ones with a probability of 1 in 600 million.
pub const KNOWN: usize = 2 + KNOWN_BITS as usize / 8;
/// Bits of a fingerprint on disk.
pub const KNOWN_BITS: u32 = 88;
/// Bytes before the packed state.
pub const HEAD: usize = NAME + size_of::<u64>();

/// The position of a state in its layer: a shard, and its number in the shard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub struct Address {
    /// The shard.
    pub shard: u8,
    /// The number.
    pub at: u64,
}

/// Bits of a key for the number of a predecessor, and for that of a step.
const AT_BITS: u32 = 46;
const STEP_BITS: u32 = 14;
const _: () = assert!(SHARDS <= 1 << (64 - AT_BITS - STEP_BITS));

/// The key of a successor: the address of its predecessor, and the number of the step. In a layer, the state with the lesser key comes
/// first, and of several predecessors the one with the least key counts: the order of the search on threads.
pub fn key(address: Address, step: usize) -> u64 {
    assert!(address.at < 1 << AT_BITS && step < 1 << STEP_BITS, "a layer or a state is too large for a key");
    u64::from(address.shard) << (AT_BITS + STEP_BITS) | address.at << STEP_BITS | step as u64
}

/// The address of the predecessor in a key.
pub fn predecessor(key: u64) -> Address {
    Address { shard: (key >> (AT_BITS + STEP_BITS)) as u8, at: key >> STEP_BITS & ((1 << AT_BITS) - 1) }
}

/// The shard of a fingerprint; the low half decides, as on threads.
#[inline]
pub fn shard(print: Print) -> usize {
    print as u64 as usize % SHARDS
}

/// Appends name and key.
pub fn write_head(out: &mut Vec<u8>, measure: u16, print: Print, key: u64) {
    out.extend_from_slice(&measure.to_be_bytes());
    out.extend_from_slice(&print.to_be_bytes());
    out.extend_from_slice(&key.to_be_bytes());
}

/// The bytes of a name.
pub fn name(measure: u16, print: Print) -> [u8; NAME] {
    let mut name = [0; NAME];
    name[..2].copy_from_slice(&measure.to_be_bytes());
    name[2..].copy_from_slice(&print.to_be_bytes());
    name
}

/// The measure of a record or a name.
pub fn measure(record: &[u8]) -> u16 {
    u16::from_be_bytes([record[0], record[1]])
}

/// The fingerprint of a record or a name.
pub fn print(record: &[u8]) -> Print {
    let mut bytes = [0; size_of::<Print>()];
    bytes.copy_from_slice(&record[2..NAME]);
    Print::from_be_bytes(bytes)
}

/// The key of a record.
pub fn key_of(record: &[u8]) -> u64 {
    number(&record[NAME..HEAD])
}

/// Eight bytes as a number.
pub fn number(bytes: &[u8]) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(bytes);
    u64::from_be_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_bytes_is_that_of_the_numbers() {
        let record = |measure, print, key| {
            let mut out = Vec::new();
            write_head(&mut out, measure, print, key);
            assert_eq!((super::measure(&out), super::print(&out), key_of(&out)), (measure, print, key));
            assert_eq!(out[..NAME], name(measure, print));
            out
        };
        let sorted = [record(1, 300, 5), record(1, 300, 256), record(1, 1 << 100, 0), record(256, 1, 1)];
        assert!(sorted.is_sorted());
    }

    #[test]
    fn keys_have_the_order_of_the_search_on_threads() {
        let address = |shard, at| Address { shard, at };
        let sorted =
            [key(address(0, 9), 3), key(address(0, 10), 0), key(address(0, 10), 1), key(address(1, 0), 0)];
        assert!(sorted.is_sorted());
        assert_eq!(predecessor(key(address(15, (1 << 46) - 1), 77)), address(15, (1 << 46) - 1));
    }
}
