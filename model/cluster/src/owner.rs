//! The owner of some shards: it knows which of their states were seen, and takes up those that are new.
//!
//! The states that were seen are a set of fingerprints for each measure. When a set, or the new states of a layer, outgrow their share of
//! `--max-memory`, they go to sorted runs on disk. From then on a layer is finished by merging: new states without those of earlier
//! runs, sorted by fingerprint, then sorted by key into the layer file. The result is the same, byte for byte.

use crate::{
    layers::{Layers, RUNS, Written},
    prints::{Print, Prints},
    record::{self, HEAD, KNOWN, NAME, key_of, measure, print, shard},
    runs::{Form, Merge, PASSING, Reader, Run, Writer, spill},
};
use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasherDefault, Hasher},
    path::PathBuf,
};

/// Names on disk.
const NAMES: Form = Form { width: KNOWN, head: KNOWN };

/// A fingerprint is its own hash.
#[derive(Default)]
struct Own(u64);

impl Hasher for Own {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, &byte| hash.rotate_left(8) ^ u64::from(byte));
    }
    fn write_u128(&mut self, print: u128) {
        self.0 = (print >> 64) as u64;
    }
}

/// Names that were seen, as a sorted run.
struct Seen {
    path: PathBuf,
    /// The number of the first record of each measure, and the byte of the file at which its block begins.
    starts: BTreeMap<u16, (u64, u64)>,
    records: u64,
}

impl Seen {
    /// The first record whose measure is not below `least`, and its byte; none if there is none.
    fn from(&self, least: u16) -> Option<(u64, u64)> {
        self.starts.range(least..).next().map(|(_, &start)| start)
    }
}

/// Writes names in order.
struct SeenWriter {
    out: Writer,
    seen: Seen,
}

impl SeenWriter {
    fn put(&mut self, name: &[u8]) {
        if !self.seen.starts.contains_key(&measure(name)) {
            self.seen.starts.insert(measure(name), (self.seen.records, self.out.cut()));
        }
        self.seen.records += 1;
        self.out.put(&name[..KNOWN]);
    }

    fn finish(self) -> Seen {
        self.out.finish(false);
        self.seen
    }
}

/// The states of some shards.
pub struct Owner {
    /// The layers of this process.
    pub layers: Layers,
    /// Bytes of memory for what was seen, and as many for new states.
    share: usize,
    seen: BTreeMap<u16, Prints>,
    seen_files: Vec<Seen>,
    /// New states of the layer, or some of them: records in the order of their coming.
    fresh: Vec<u8>,
    index: HashMap<Print, u32, BuildHasherDefault<Own>>,
    runs: Vec<Run>,
    /// Files made so far: each has a number of its own.
    files: u32,
    /// No state below this measure comes back.
    least: u16,
    /// Most fingerprints held at a time, in memory and on disk.
    pub held: u64,
    /// Most bytes of memory.
    pub peak: u64,
    /// Whether something went to sorted runs.
    pub spilled: bool,
}

impl Owner {
    /// An owner that knows nothing yet; `memory` is for fingerprints, new states and buffers.
    pub fn new(layers: Layers, memory: u64) -> Self {
        Owner {
            layers,
            share: (memory / 3) as usize,
            seen: BTreeMap::new(),
            seen_files: Vec::new(),
            fresh: Vec::new(),
            index: HashMap::default(),
            runs: Vec::new(),
            files: 0,
            least: 0,
            held: 0,
            peak: 0,
            spilled: false,
        }
    }

    /// Records on their way into a layer: sorted by name and key.
    fn form(&self) -> Form {
        Form { width: NAME + self.layers.form.width, head: HEAD }
    }

    fn new_file(&mut self, of: &str) -> PathBuf {
        debug_assert!(RUNS.contains(&of), "it is to be removed");
        self.files += 1;
        self.layers.folder.join(format!("{of}-{}", self.files))
    }

    /// Takes up a record: a state that some state of the present layer leads to.
    pub fn accept(&mut self, record: &[u8]) {
        let (measure, print) = (measure(record), print(record));
        assert!(
            measure >= self.least,
            "a state of measure {measure} came back, and those below {} were complete: the measure is wrong",
            self.least
        );
        if self.seen.get(&measure).is_some_and(|seen| seen.contains(print)) {
            return;
        }
        let width = record.len();
        let next = (self.fresh.len() / width) as u32;
        let at = *self.index.entry(print).or_insert(next);
        if at == next {
            self.fresh.extend_from_slice(record);
            if self.fresh.len() + 24 * self.index.capacity() > self.share {
                self.spill_fresh();
            }
        } else {
            // Of several ways to a state, the first one counts.
            let held = &mut self.fresh[at as usize * width..][NAME..HEAD];
            if record[NAME..HEAD] < *held {
                held.copy_from_slice(&record[NAME..HEAD]);
            }
        }
    }

    fn spill_fresh(&mut self) {
        self.note_memory();
        let path = self.new_file("run");
        self.runs.push(spill(path, &self.fresh, self.form()));
        // The memory is kept for the next ones: to fault it in again takes longer than to sort them.
        self.fresh.clear();
        self.index.clear();
        self.spilled = true;
    }

    fn note_memory(&mut self) {
        let seen: usize = self.seen.values().map(Prints::bytes).sum();
        self.peak = self.peak.max((seen + self.fresh.capacity() + 24 * self.index.capacity()) as u64);
    }

    /// Knows a state of an earlier layer again, after a stop.
    pub fn remember(&mut self, measure: u16, print: Print) {
        self.seen.entry(measure).or_default().insert(print);
    }

    /// Lets no more be in memory than there is room for.
    pub fn settle(&mut self) {
        let bytes: usize = self.seen.values().map(Prints::bytes).sum();
        if bytes <= self.share {
            return;
        }
        self.spilled = true;
        let mut out = self.begin_seen();
        for (&measure, prints) in &self.seen {
            prints.iter().for_each(|print| out.put(&record::name(measure, print)));
        }
        self.seen_files.push(out.finish());
        self.seen.clear();
    }

    fn begin_seen(&mut self) -> SeenWriter {
        let path = self.new_file("seen");
        SeenWriter {
            out: Writer::new(&path, NAMES, PASSING),
            seen: Seen { path, starts: BTreeMap::new(), records: 0 },
        }
    }

    /// Forgets all states below `least`: none of them comes back.
    pub fn complete_below(&mut self, least: u16) {
        self.least = least;
        self.seen = self.seen.split_off(&least);
        self.seen_files.retain(|file| {
            let goes_on = file.from(least).is_some();
            if !goes_on {
                let _ = std::fs::remove_file(&file.path);
            }
            goes_on
        });
    }

    /// The names on disk that may come back, in order.
    fn names(&self) -> Merge {
        let readers = self.seen_files.iter().filter_map(|file| {
            let (from, at) = file.from(self.least)?;
            Some(Reader::new(&file.path, at, file.records - from, NAMES))
        });
        Merge::new(readers.collect())
    }

    fn count_held(&mut self) {
        let memory: usize = self.seen.values().map(Prints::len).sum();
        let disk: u64 =
            self.seen_files.iter().filter_map(|file| Some(file.records - file.from(self.least)?.0)).sum();
        self.held = self.held.max(memory as u64 + disk);
    }

    /// Writes the new states as the layer `layer`, and knows them from now on. Their least measure, if there are any.
    pub fn finish(&mut self, layer: u32) -> (Written, Option<u16>) {
        self.note_memory();
        let written = if self.runs.is_empty() && self.seen_files.is_empty() {
            self.finish_in_memory(layer)
        } else {
            self.finish_on_disk(layer)
        };
        self.count_held();
        self.settle();
        written
    }

    fn finish_in_memory(&mut self, layer: u32) -> (Written, Option<u16>) {
        let width = self.form().width;
        let mut order: Vec<_> = self
            .fresh
            .chunks_exact(width)
            .zip(0..)
            .map(|(record, at): (_, u32)| (shard(print(record)), key_of(record), at))
            .collect();
        order.sort_unstable();
        let (mut out, mut least) = (self.layers.begin(layer), None);
        for (_, _, at) in order {
            let record = &self.fresh[at as usize * width..][..width];
            let measure = measure(record);
            least = Some(least.map_or(measure, |least: u16| least.min(measure)));
            out.put(shard(print(record)), &record[NAME..]);
            self.seen.entry(measure).or_default().insert(print(record));
        }
        self.fresh.clear();
        self.index.clear();
        (out.finish(), least)
    }

    fn finish_on_disk(&mut self, layer: u32) -> (Written, Option<u16>) {
        if !self.fresh.is_empty() {
            self.spill_fresh();
        }
        // What is sorted by key needs the room.
        (self.fresh, self.index) = (Vec::new(), HashMap::default());
        let runs = std::mem::take(&mut self.runs);
        let mut candidates = Merge::new(runs.iter().map(|run| Reader::whole(run, self.form())).collect());
        let mut names = self.names();
        let mut seen = self.begin_seen();
        // By shard and key: a byte, and a record of a layer.
        let ordered = Form { width: 1 + self.layers.form.width, head: 1 + self.layers.form.head };
        let (mut orders, mut order): (Vec<Run>, _) = (Vec::new(), Vec::new());
        let (mut last, mut least) = ([0; NAME], None);
        loop {
            let mut is_new = false;
            let more = candidates.next(|record| {
                let name = &record[..NAME];
                // The first one of a name has the least key.
                if last == name {
                    return;
                }
                last.copy_from_slice(name);
                while names.peek().is_some_and(|known| known < &name[..KNOWN]) {
                    names.next(|_| {});
                }
                if names.peek() == Some(&name[..KNOWN]) {
                    return;
                }
                is_new = true;
                order.push(shard(print(record)) as u8);
                order.extend_from_slice(&record[NAME..]);
            });
            if !more {
                break;
            }
            if is_new {
                // They come in the order of their measures.
                least = least.or(Some(measure(&last)));
                seen.put(&last);
                if order.len() > self.share {
                    orders.push(spill(self.new_file("order"), &order, ordered));
                    order.clear();
                }
            }
        }
        orders.push(spill(self.new_file("order"), &order, ordered));
        drop(order);
        // The names are on disk once more, without the candidates that were none.
        drop(candidates);
        runs.iter().for_each(remove);
        let mut sorted = Merge::new(orders.iter().map(|run| Reader::whole(run, ordered)).collect());
        let mut out = self.layers.begin(layer);
        while sorted.next(|record| out.put(record[0].into(), &record[1..])) {}
        let written = out.finish();
        self.seen_files.push(seen.finish());
        orders.iter().for_each(remove);
        (written, least)
    }
}

/// Removes a run that was read. One that cannot be removed is removed with the layers.
fn remove(run: &Run) {
    let _ = std::fs::remove_file(&run.path);
}
