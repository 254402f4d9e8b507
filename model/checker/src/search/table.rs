//! The set of states seen: 64-bit fingerprints in order, with gaps, twelve bytes a place.
//!
//! Linear probing, with two turns that save memory and time. A fingerprint's place is its share of the whole range, so
//! the fingerprints stand in increasing order and a search ends at the first that is greater: even a table that is
//! nearly full answers "not seen" after a few neighbours. And since the order does not depend on the size, the table
//! grows by a quarter in one sequential pass, instead of doubling.
//!
//! Beside each fingerprint stand the low 32 bits of its predecessor's, enough to walk back to the start: the full
//! fingerprint is found again by scanning, and the run is re-executed forward, which settles the rare ambiguity. Two
//! states with one fingerprint would be taken for one; with 10 million states the odds of any such pair are 3 in a
//! million (n²/2⁶⁵).

/// The fingerprint of a state: never 0.
pub type Fingerprint = u64;

/// A set of fingerprints, each with the low half of its predecessor's.
#[derive(Debug)]
pub struct Table {
    /// Places that fingerprints are spread over; behind them are [`OVERHANG`] more, for the last ones.
    spread: usize,
    places: Vec<Fingerprint>,
    predecessors: Vec<u32>,
    len: usize,
}

/// Places over which a new table spreads.
const INITIAL_PLACES: usize = 1 << 8;
/// Places that are looked at together.
const TOGETHER: usize = 4;
/// From its first place a search goes on to this one with a probability of about a half.
const FURTHER: usize = 3;
/// Places at the end onto which the greatest fingerprints are pushed.
const OVERHANG: usize = 64;

impl Default for Table {
    fn default() -> Self {
        Table::of(INITIAL_PLACES)
    }
}

impl Table {
    fn of(spread: usize) -> Self {
        let all = spread + OVERHANG;
        Table { spread, places: vec![0; all], predecessors: vec![0; all], len: 0 }
    }

    /// Fingerprints in the table.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        self.places.len() * (size_of::<Fingerprint>() + size_of::<u32>())
    }

    /// Where `fingerprint` would be if nothing else were.
    #[inline]
    fn home(&self, fingerprint: Fingerprint) -> usize {
        ((u128::from(fingerprint) * self.spread as u128) >> 64) as usize
    }

    /// Reads what stands where `fingerprint` is looked for, for the sake of reading it: the first place and one that a third of the
    /// searches go on to in the next line of the cache.
    #[inline]
    pub fn touch(&self, fingerprint: Fingerprint) -> u64 {
        let home = self.home(fingerprint);
        self.places[home] ^ self.places[home + FURTHER]
    }

    /// As [`Table::touch`], and reads where the predecessor of a new fingerprint is put, too.
    #[inline]
    pub fn touch_to_insert(&self, fingerprint: Fingerprint) -> u64 {
        let home = self.home(fingerprint);
        let before = self.predecessors[home] ^ self.predecessors[home + 2 * FURTHER];
        self.touch(fingerprint) ^ u64::from(before)
    }

    /// Where `fingerprint` is, or the place where it belongs: empty, or taken by the next greater one, or past the
    /// end.
    #[inline]
    fn place(&self, fingerprint: Fingerprint) -> Result<usize, usize> {
        let mut at = self.home(fingerprint);
        while let Some(&found) = self.places.get(at) {
            if found == fingerprint {
                return Ok(at);
            }
            if found == 0 || found > fingerprint {
                return Err(at);
            }
            at += 1;
        }
        Err(at)
    }

    /// Whether `fingerprint` has been seen.
    #[inline]
    pub fn contains(&self, fingerprint: Fingerprint) -> bool {
        let home = self.home(fingerprint);
        // Without a branch for each place, which nothing could predict.
        for places in self.places[home..].chunks_exact(TOGETHER) {
            let (mut found, mut ended) = (false, false);
            for &place in places {
                found |= place == fingerprint;
                // Empty, or greater.
                ended |= place.wrapping_sub(1) >= fingerprint;
            }
            if found | ended {
                return found;
            }
        }
        // A crowd at the very end: practically never.
        self.place(fingerprint).is_ok()
    }

    /// Adds `fingerprint`; `false` if it was there.
    #[inline]
    pub fn insert(&mut self, fingerprint: Fingerprint, predecessor: Fingerprint) -> bool {
        debug_assert!(fingerprint != 0, "0 marks an empty place");
        let Err(mut at) = self.place(fingerprint) else { return false };
        // Up to four fifths of the places are taken.
        if self.len * 5 >= self.spread * 4 {
            self.grow();
            at = self.place(fingerprint).unwrap_or_else(|at| at);
        }
        self.put(at, fingerprint, predecessor as u32);
        true
    }

    /// Puts a new fingerprint at `at`, its place, and moves those behind it up by one, to the next gap.
    #[inline]
    fn put(&mut self, at: usize, fingerprint: Fingerprint, predecessor: u32) {
        self.len += 1;
        let mut moved = (fingerprint, predecessor);
        for (place, before) in self.places[at..].iter_mut().zip(&mut self.predecessors[at..]) {
            std::mem::swap(place, &mut moved.0);
            std::mem::swap(before, &mut moved.1);
            if moved.0 == 0 {
                return;
            }
        }
        // A crowd at the very end: practically never.
        self.append(moved);
    }

    /// Makes room at the very end, and puts a fingerprint there.
    #[cold]
    fn append(&mut self, (fingerprint, predecessor): (Fingerprint, u32)) {
        let at = self.places.len();
        self.places.resize(at + OVERHANG, 0);
        self.predecessors.resize(at + OVERHANG, 0);
        (self.places[at], self.predecessors[at]) = (fingerprint, predecessor);
    }

    fn grow(&mut self) {
        let mut larger = Table::of(self.spread + self.spread / 4);
        let mut free = 0;
        for (&place, &predecessor) in self.places.iter().zip(&self.predecessors) {
            if place != 0 {
                // They come in order: each goes home, or behind the one before.
                let at = larger.home(place).max(free);
                free = at + 1;
                match larger.places.get_mut(at) {
                    Some(empty) => (*empty, larger.predecessors[at]) = (place, predecessor),
                    None => larger.append((place, predecessor)),
                }
            }
        }
        larger.len = self.len;
        *self = larger;
    }

    /// The low half of the predecessor of `fingerprint`.
    pub fn predecessor(&self, fingerprint: Fingerprint) -> Option<u32> {
        self.place(fingerprint).ok().map(|at| self.predecessors[at])
    }

    /// All fingerprints whose low half is `low`.
    pub fn with_low_half(&self, low: u32) -> impl Iterator<Item = Fingerprint> + '_ {
        self.places.iter().copied().filter(move |&f| f != 0 && f as u32 == low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{RngCore, SeedableRng},
    };
    use std::collections::BTreeMap;

    /// The fingerprints in a table, in order.
    fn held(table: &Table) -> Vec<Fingerprint> {
        table.places.iter().copied().filter(|&place| place != 0).collect()
    }

    #[test]
    fn it_is_an_ordered_map() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let (mut table, mut reference) = (Table::default(), BTreeMap::new());
        for step in 0..50_000u64 {
            // Some again, some crowded at either end.
            let print = match step % 4 {
                0 => 1 + random.next_u64() % 2_000,
                1 => u64::MAX - random.next_u64() % 2_000,
                _ => random.next_u64().max(1),
            };
            let new = !reference.contains_key(&print);
            assert_eq!(table.insert(print, step), new, "{print}");
            reference.entry(print).or_insert(step as u32);
            assert_eq!(table.len(), reference.len());
        }
        assert_eq!(held(&table), reference.keys().copied().collect::<Vec<_>>());
        for (&print, &predecessor) in &reference {
            assert_eq!(table.predecessor(print), Some(predecessor));
            assert!(table.with_low_half(print as u32).any(|p| p == print));
        }
        assert!((1..10_000).all(|_| {
            let print = random.next_u64().max(1);
            table.contains(print) == reference.contains_key(&print)
        }));
    }

    #[test]
    fn most_places_are_used() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let mut table = Table::default();
        for _ in 0..200_000 {
            table.insert(random.next_u64().max(1), 0);
        }
        assert!(table.bytes() < 200_000 * 18, "{} bytes", table.bytes());
    }
}
