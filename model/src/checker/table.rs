//! The set of states seen: 64-bit fingerprints in an open table, twelve bytes a place.
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
    places: Vec<Fingerprint>,
    predecessors: Vec<u32>,
    len: usize,
}

/// Places of a new table.
const INITIAL_PLACES: usize = 1 << 12;

impl Default for Table {
    fn default() -> Self {
        Table { places: vec![0; INITIAL_PLACES], predecessors: vec![0; INITIAL_PLACES], len: 0 }
    }
}

impl Table {
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

    #[inline]
    fn place(&self, fingerprint: Fingerprint) -> Result<usize, usize> {
        let mask = self.places.len() - 1;
        // The low bits choose the shard (`bfs.rs`), so the high ones choose the place.
        let mut at = (fingerprint >> 24) as usize & mask;
        loop {
            match self.places[at] {
                0 => return Err(at),
                found if found == fingerprint => return Ok(at),
                _ => at = (at + 1) & mask,
            }
        }
    }

    /// Whether `fingerprint` has been seen.
    #[inline]
    pub fn contains(&self, fingerprint: Fingerprint) -> bool {
        self.place(fingerprint).is_ok()
    }

    /// Adds `fingerprint`; `false` if it was there.
    #[inline]
    pub fn insert(&mut self, fingerprint: Fingerprint, predecessor: Fingerprint) -> bool {
        match self.place(fingerprint) {
            Ok(_) => false,
            Err(at) => {
                self.places[at] = fingerprint;
                self.predecessors[at] = predecessor as u32;
                self.len += 1;
                if self.len * 4 > self.places.len() * 3 {
                    self.grow();
                }
                true
            }
        }
    }

    fn grow(&mut self) {
        let size = self.places.len() * 2;
        let places = std::mem::replace(&mut self.places, vec![0; size]);
        let predecessors = std::mem::replace(&mut self.predecessors, vec![0; size]);
        for (fingerprint, predecessor) in places.into_iter().zip(predecessors) {
            if fingerprint != 0
                && let Err(at) = self.place(fingerprint)
            {
                self.places[at] = fingerprint;
                self.predecessors[at] = predecessor;
            }
        }
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
