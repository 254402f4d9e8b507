//! A set of fingerprints of 128 bits in order, with gaps: sixteen bytes a place.
//!
//! A fingerprint's place is its share of the whole range, so the set is in order at any time: it can be written as a sorted run, and
//! it grows by a quarter in one pass.

/// The fingerprint of a state: the half by which the search on threads knows it lies below another one, of another seed. Never 0.
pub type Print = u128;

/// A set of fingerprints.
#[derive(Debug)]
pub struct Prints {
    spread: usize,
    places: Vec<Print>,
    len: usize,
}

/// Places over which a new set spreads.
const INITIAL: usize = 64;
/// Places at the end onto which the greatest fingerprints are pushed.
const OVERHANG: usize = 64;

impl Default for Prints {
    fn default() -> Self {
        Prints::of(INITIAL)
    }
}

impl Prints {
    fn of(spread: usize) -> Self {
        Prints { spread, places: vec![0; spread + OVERHANG], len: 0 }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<Print>()
    }

    #[inline]
    fn home(&self, print: Print) -> usize {
        (((print >> 64) * self.spread as u128) >> 64) as usize
    }

    /// Where it is, or where it belongs.
    #[inline]
    fn place(&self, print: Print) -> Result<usize, usize> {
        let mut at = self.home(print);
        while let Some(&found) = self.places.get(at) {
            if found == print {
                return Ok(at);
            }
            if found == 0 || found > print {
                break;
            }
            at += 1;
        }
        Err(at)
    }

    /// Whether it is there.
    #[inline]
    pub fn contains(&self, print: Print) -> bool {
        self.place(print).is_ok()
    }

    /// Adds it; `false` if it was there.
    pub fn insert(&mut self, print: Print) -> bool {
        debug_assert!(print != 0, "0 marks an empty place");
        if self.contains(print) {
            return false;
        }
        if self.len * 5 >= self.spread * 4 {
            let mut larger = Prints::of(self.spread + self.spread / 4);
            self.iter().for_each(|print| larger.put(print));
            *self = larger;
        }
        self.put(print);
        true
    }

    fn put(&mut self, print: Print) {
        let (Ok(at) | Err(at)) = self.place(print);
        let gap = self.places[at..].iter().position(|&place| place == 0);
        let gap = gap.unwrap_or_else(|| {
            let gap = self.places.len() - at;
            self.places.resize(self.places.len() + OVERHANG, 0);
            gap
        });
        self.places.copy_within(at..at + gap, at + 1);
        self.places[at] = print;
        self.len += 1;
    }

    /// The fingerprints in order.
    pub fn iter(&self) -> impl Iterator<Item = Print> + '_ {
        self.places.iter().copied().filter(|&place| place != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn it_is_an_ordered_set() {
        let (mut set, mut reference, mut state) = (Prints::default(), BTreeSet::new(), 1u64);
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            rapidhash::v3::rapidhash_v3(&state.to_le_bytes())
        };
        for step in 0..30_000 {
            let (high, low) = (random(), u128::from(random()));
            // Some crowded at either end, some again.
            let high = match step % 4 {
                0 => high % 500,
                1 => u64::MAX - high % 500,
                _ => high,
            };
            let print = ((u128::from(high) << 64) | (low % 3)).max(1);
            assert_eq!(set.insert(print), reference.insert(print));
            assert!(set.contains(print) && set.len() == reference.len());
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), reference.iter().copied().collect::<Vec<_>>());
        assert!(!set.contains((u128::from(random()) << 64) | 7));
    }
}
