//! The layers on disk: one file for the states of a process in one layer, and one that says that it is complete.
//!
//! `layer-0007` has a record for each state, shard by shard, in the order of the search: the key (eight bytes, the highest first),
//! which names the predecessor, and the packed state; in blocks (`runs.rs`), which pack a record to about a quarter. `layer-0007.json`, the manifest, is written last, whole or not at all. A layer
//! without a manifest is not complete. The same files are the states that wait, the checkpoint, and the way back to the start.

use crate::{
    end::on_disk,
    record::Address,
    runs::{BLOCK, Filed, Form, KEPT, Reader, Writer},
};
use rapidhash::v3::rapidhash_v3;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};
use zus_checker::{
    properties::{Facts, Property},
    search::bfs::SHARDS,
};
use zus_output::{bounded, plain, whole};

/// The identity of a search: two processes with the same one may search together, and one may go on where the other ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// Version of the program.
    pub version: String,
    /// Name of the scenario.
    pub scenario: String,
    /// Hash of all that the scenario says.
    pub digest: String,
    /// Seed of the upper half of fingerprints.
    pub seed: u64,
    /// Processes of the search.
    pub processes: usize,
    /// The fingerprint of the start, which tells of another way to pack or to hash.
    pub start: String,
}

/// The version of the program, and of its layers: to be raised with each change of their form.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), ", layers 2");

impl Identity {
    /// The first thing in which the two differ, with the value of each.
    pub fn differs(&self, other: &Identity) -> Option<(&'static str, String, String)> {
        [
            ("version", self.version.clone(), other.version.clone()),
            ("scenario", self.scenario.clone(), other.scenario.clone()),
            ("digest of the scenario", self.digest.clone(), other.digest.clone()),
            ("hash seed", self.seed.to_string(), other.seed.to_string()),
            ("number of processes", self.processes.to_string(), other.processes.to_string()),
            ("hash of the start", self.start.clone(), other.start.clone()),
        ]
        .into_iter()
        .find(|(_, mine, theirs)| mine != theirs)
    }
}

/// A state that shows a property.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hit {
    /// Its fingerprint, by which the search on threads knows it.
    pub print: u64,
    /// Its layer.
    pub layer: u32,
    /// Its address there.
    pub address: Address,
}

/// The figures of a search up to a layer, of all processes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Totals {
    /// Unique states.
    pub unique: u64,
    /// States generated, with repetitions.
    pub generated: u64,
    /// The last layer that was expanded.
    pub depth: u32,
    /// States of the layer.
    pub states: u64,
    /// States of the layer before.
    pub before: u64,
    /// The least measure in the layer.
    pub least: u16,
    /// The properties that lower layers show.
    pub found: BTreeMap<Property, Hit>,
}

impl Totals {
    /// Those of the start alone.
    pub fn start(least: u16) -> Self {
        Totals { unique: 1, generated: 1, depth: 0, states: 1, before: 0, least, found: BTreeMap::new() }
    }

    /// The properties that were found.
    pub fn facts(&self) -> Facts {
        self.found.keys().copied().collect()
    }
}

/// One layer of one process, complete.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The search.
    pub search: Identity,
    /// The process.
    pub process: usize,
    /// The layer.
    pub layer: u32,
    /// Bytes of a record.
    pub width: usize,
    /// Its states, shard by shard.
    pub shards: [u64; SHARDS],
    /// Bytes of its file.
    pub bytes: u64,
    /// The checksums of the blocks of its file, as one.
    pub checksum: u64,
    /// The figures up to here.
    pub totals: Totals,
    /// The hash of all this, with 0 in its own place.
    pub seal: u64,
}

impl Manifest {
    fn text(&self) -> io::Result<String> {
        serde_json::to_string_pretty(self).map_err(io::Error::other)
    }

    /// The seal that it should have.
    fn due(&self) -> io::Result<u64> {
        Ok(rapidhash_v3(Manifest { seal: 0, ..self.clone() }.text()?.as_bytes()))
    }

    /// Its text, sealed.
    fn sealed(mut self) -> io::Result<String> {
        self.seal = self.due()?;
        self.text()
    }
}

/// Why the layers cannot be used: file, reason, fix.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}\n  fix: {fix}", plain::path(file))]
pub struct Unfit {
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub why: String,
    /// The fix.
    pub fix: String,
}

/// The layers of one process.
#[derive(Clone, Debug)]
pub struct Layers {
    /// The folder.
    pub folder: PathBuf,
    /// The form of a record: a key and a packed state.
    pub form: Form,
    /// Of each complete layer, from the first one on, the states of each shard.
    pub complete: Vec<[u64; SHARDS]>,
}

/// The fix where the layers are those of another search.
const OTHER: &str =
    "name the folder of this search with --layers, or start it without --resume in another folder";
/// The fix where a layer is not what was written.
fn again_from(layer: u32) -> String {
    match layer {
        0 => "start again without --resume, in another folder".into(),
        layer => format!(
            "remove layer-{layer:04}.json and those after it in this folder, and resume: the search goes on from layer {}",
            layer - 1
        ),
    }
}

/// The most that a manifest may have, in bytes.
const MOST_MANIFEST: u64 = 1 << 20;

impl Layers {
    /// The layers in `folder`, of states of `bytes` bytes; none is known yet.
    pub fn new(folder: PathBuf, bytes: usize) -> Self {
        let head = size_of::<u64>();
        Layers { folder, form: Form { width: head + bytes, head }, complete: Vec::new() }
    }

    fn file(&self, layer: u32) -> PathBuf {
        self.folder.join(format!("layer-{layer:04}"))
    }

    fn manifest(&self, layer: u32) -> PathBuf {
        self.folder.join(format!("layer-{layer:04}.json"))
    }

    /// Whether there are layers of an earlier search.
    pub fn are_there(&self) -> bool {
        self.manifest(0).exists()
    }

    /// Begins the file of a layer.
    pub fn begin(&self, layer: u32) -> LayerWriter {
        LayerWriter { out: Writer::new(&self.file(layer), self.form, KEPT), shards: [0; SHARDS] }
    }

    /// Notes that the layer of `written` is complete.
    pub fn commit(
        &mut self,
        search: &Identity,
        process: usize,
        layer: u32,
        written: Written,
        totals: &Totals,
    ) {
        let Written { shards, filed: Filed { bytes, checksum } } = written;
        let manifest = Manifest {
            search: search.clone(),
            process,
            layer,
            width: self.form.width,
            shards,
            bytes,
            checksum,
            totals: totals.clone(),
            seal: 0,
        };
        let path = self.manifest(layer);
        on_disk(&path, manifest.sealed().and_then(|text| whole::write(&path, text)));
        self.complete.truncate(layer as usize);
        self.complete.push(shards);
    }

    /// Reads the manifests that are there, from the first layer on.
    ///
    /// # Errors
    /// The first one that is not of this search; or there is none.
    pub fn manifests(&mut self, search: &Identity, process: usize) -> Result<Vec<Manifest>, Unfit> {
        let mut manifests: Vec<Manifest> = Vec::new();
        for layer in 0.. {
            let path = self.manifest(layer);
            if !path.exists() {
                break;
            }
            let unfit = |why: String| Unfit { file: path.clone(), why, fix: OTHER.into() };
            let text = bounded::read(&path, MOST_MANIFEST).map_err(|why| unfit(why.to_string()))?;
            let manifest: Manifest = serde_json::from_str(&text).map_err(|why| unfit(why.to_string()))?;
            if let Some((of, mine, theirs)) = search.differs(&manifest.search) {
                return Err(unfit(format!(
                    "it is of another search: its {of} is {theirs}, and here it is {mine}"
                )));
            }
            if (manifest.process, manifest.layer, manifest.width) != (process, layer, self.form.width) {
                let why = format!("it is layer {} of process {}", manifest.layer, manifest.process);
                return Err(unfit(why));
            }
            if manifest.due().ok() != Some(manifest.seal) {
                return Err(Unfit {
                    fix: again_from(layer),
                    ..unfit("its content is not what was written".into())
                });
            }
            self.complete.push(manifest.shards);
            manifests.push(manifest);
        }
        if manifests.is_empty() {
            return Err(Unfit {
                file: self.manifest(0),
                why: "there is no complete layer to go on from".into(),
                fix: "start without --resume, or name the folder of the search with --layers".into(),
            });
        }
        Ok(manifests)
    }

    /// Tells the packed states of a layer to `each`, and sees that they are those that were written.
    ///
    /// # Errors
    /// The file is shorter or longer, or its content is another one.
    pub fn check(&self, manifest: &Manifest, each: &mut dyn FnMut(&[u8])) -> Result<(), Unfit> {
        let file = self.file(manifest.layer);
        let fix = again_from(manifest.layer);
        let unfit = |why: String| Unfit { file: file.clone(), why, fix: fix.clone() };
        let states: u64 = manifest.shards.iter().sum();
        let bytes = std::fs::metadata(&file).map_err(|error| unfit(error.to_string()))?.len();
        if bytes != manifest.bytes {
            let due = manifest.bytes;
            return Err(unfit(format!("it has {bytes} bytes, and its {states} states take {due}")));
        }
        let io = |error: io::Error| unfit(error.to_string());
        let mut reader = Reader::open(&file, 0, states, self.form).map_err(io)?;
        let mut record = Vec::new();
        while reader.try_next(&mut record).map_err(io)? {
            each(&record[self.form.head..]);
        }
        if reader.checksum() != manifest.checksum {
            return Err(unfit("its content is not what was written".into()));
        }
        Ok(())
    }

    /// The refusal of a layer of which another process has other figures.
    pub fn strange(&self, layer: u32, other: usize) -> Unfit {
        let why = format!("process {other} has other figures for this layer");
        Unfit { file: self.manifest(layer), why, fix: OTHER.into() }
    }

    /// Forgets the layers above `layer`.
    pub fn cut(&mut self, layer: u32) {
        for above in (layer + 1)..self.complete.len() as u32 {
            let path = self.manifest(above);
            on_disk(&path, std::fs::remove_file(&path));
        }
        self.complete.truncate(layer as usize + 1);
    }

    /// Reads the states of a layer, in order.
    pub fn read(&self, layer: u32) -> Reader {
        let states = self.complete[layer as usize].iter().sum();
        Reader::new(&self.file(layer), 0, states, self.form)
    }

    /// The record at an address.
    pub fn at(&self, layer: u32, address: Address) -> Vec<u8> {
        let before: u64 = self.complete[layer as usize][..address.shard as usize].iter().sum();
        let at = before + address.at;
        let mut reader = self.read(layer);
        on_disk(&self.file(layer), reader.skip(at / BLOCK as u64));
        let mut record = Vec::new();
        for _ in 0..=at % BLOCK as u64 {
            assert!(reader.next(&mut record), "layer {layer} has no state at {address:?}");
        }
        record
    }

    /// Removes the layers; the manifests first, so that none is without its layer. What cannot be removed stays: the search has ended.
    pub fn remove(&self) {
        for layer in (0..self.complete.len() as u32).rev() {
            let _ = std::fs::remove_file(self.manifest(layer));
            let _ = std::fs::remove_file(self.file(layer));
        }
        let _ = remove_runs(&self.folder);
        let _ = std::fs::remove_dir(&self.folder);
        let _ = self.folder.parent().map(std::fs::remove_dir);
    }
}

/// The beginnings of the names of sorted runs, which a search makes again when it goes on.
pub const RUNS: [&str; 3] = ["run", "seen", "order"];

/// Removes the sorted runs in a folder of layers.
///
/// # Errors
/// As the file system says.
pub fn remove_runs(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.split_once('-').is_some_and(|(of, _)| RUNS.contains(&of)) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The contents of a layer that is written.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// Its states, shard by shard.
    pub shards: [u64; SHARDS],
    /// Their file.
    pub filed: Filed,
}

/// Writes the states of a layer.
pub struct LayerWriter {
    out: Writer,
    shards: [u64; SHARDS],
}

impl LayerWriter {
    /// Adds the next state of a shard: its key, and its packed bytes.
    pub fn put(&mut self, shard: usize, record: &[u8]) {
        self.shards[shard] += 1;
        self.out.put(record);
    }

    /// Ends the layer; it is on the disk then.
    pub fn finish(self) -> Written {
        Written { filed: self.out.finish(true), shards: self.shards }
    }
}
