//! A folder of output that knows which files are its own.
//!
//! A run writes some files of a folder again and not the others, and then results of two runs lie side by side. So the
//! names of the files that were written are kept in the folder ([`LIST`]), with a hash of what was in them. At the end of
//! the next run a file that it did not write is removed, if it is on the list and nobody has changed it since. A file
//! that is not on the list is never touched, but for leftovers of killed runs ([`whole`]). The folder and those below that
//! the run writes into are locked ([`Lock`]): another run into one of them is refused.

use crate::{
    lock::Lock,
    plain,
    whole::{self, Staged},
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Read, Write as _},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

/// The list of the files that were written.
pub const LIST: &str = ".zus-written";
/// Its first line.
const HEADER: &str = "Files that a tool of zus wrote here, and may remove or replace; hash, name.";
/// Bytes of a list that is read, and of a file that is compared with it.
const MOST_BYTES: u64 = 256 << 20;
/// Files that a list names at most.
const MOST_FILES: usize = 1 << 20;

/// A folder that is being written.
pub struct Folder {
    root: Arc<Lock>,
    /// Those below it that hold files of this run, or of the one before.
    below: BTreeMap<PathBuf, Lock>,
    /// Hashes by name: what runs before this one wrote.
    before: BTreeMap<String, u64>,
    /// And this one.
    now: BTreeMap<String, u64>,
    /// Its files, by name, until the end: a run that fails half-way leaves those of the run before, all of them.
    staged: BTreeMap<String, Staged>,
    /// Bytes for pipes and devices, which nothing can replace.
    direct: BTreeMap<PathBuf, Vec<u8>>,
}

/// The files that stay in a folder beside those of the run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Files of earlier runs that somebody has changed since.
    pub changed: Vec<PathBuf>,
    /// Files that no list names, in the folders below that this run wrote into.
    pub foreign: Vec<PathBuf>,
}

impl Folder {
    /// The folder at `root`, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made or written to, and those of [`Lock::take`].
    pub fn open(root: &Path) -> io::Result<Self> {
        Self::within(Arc::new(Lock::take(root)?))
    }

    /// A folder that this run has taken already, and may hold for longer than it is written.
    ///
    /// # Errors
    /// As [`Folder::open`].
    pub fn within(root: Arc<Lock>) -> io::Result<Self> {
        let list_at = root.folder().join(LIST);
        whole::unlink(&list_at)?;
        whole::check(&list_at)?;
        let before = list(&list_at)?;
        let mut folder = Folder {
            root,
            below: BTreeMap::new(),
            before,
            now: BTreeMap::new(),
            direct: BTreeMap::new(),
            staged: BTreeMap::new(),
        };
        let names = folder.before.keys().filter_map(|name| Path::new(name).parent().map(Path::to_path_buf));
        for name in names.collect::<Vec<_>>() {
            if folder.root().join(&name).is_dir() {
                folder.take(&name)?;
            }
        }
        Ok(folder)
    }

    /// Where the folder is.
    pub fn root(&self) -> &Path {
        self.root.folder()
    }

    /// Takes a folder by its name below the root, unless this run has it; the root has none.
    fn take(&mut self, name: &Path) -> io::Result<()> {
        if name != Path::new("") && !self.below.contains_key(name) {
            let lock = self.root.below(name)?;
            self.below.insert(name.to_path_buf(), lock);
        }
        Ok(())
    }

    /// Writes a file, whole, which is there once the run has ended ([`Folder::finish`]). `name` is relative, with `/` between folders,
    /// which are made. Returns its path.
    ///
    /// # Errors
    /// As [`whole::write`]. Dropped then, the folder has the files of the run before.
    pub fn write(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> io::Result<PathBuf> {
        if !is_inside(name) {
            return Err(io::Error::new(ErrorKind::InvalidInput, "this is no name of a file in the folder"));
        }
        let path = self.root().join(name);
        if let Some(folder) = Path::new(name).parent() {
            self.take(folder)?;
        }
        self.is_ours(name)?;
        whole::unlink(&path)?;
        let hash = hash(bytes.as_ref());
        match Staged::at(&path, self.root(), bytes.as_ref())? {
            Some(staged) => drop(self.staged.insert(name.to_owned(), staged)),
            None => drop(self.direct.insert(path.clone(), bytes.as_ref().to_vec())),
        }
        self.now.insert(name.to_owned(), hash);
        Ok(path)
    }

    /// Refuses a name at which there is a file that no run wrote, as far as the list and the file itself say. A run that knows
    /// its names asks before its work.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`].
    pub fn is_ours(&self, name: &str) -> io::Result<()> {
        let path = self.root().join(name);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|found| found.is_file() && found.len() > 0);
        if !is_file || self.before.contains_key(name) || whole::is_marked(&path) {
            return Ok(());
        }
        let why = format!("{name} is there already, and no run wrote it");
        Err(io::Error::new(ErrorKind::AlreadyExists, why))
    }

    /// Puts the files of this run in their places, removes what earlier runs wrote and this one did not, and says what else is there.
    ///
    /// # Errors
    /// If a file cannot be renamed or removed, or the list not be written.
    pub fn finish(mut self) -> io::Result<Left> {
        // The list comes first: if this process ends here, the next one knows the files.
        let list_at = self.root().join(LIST);
        let mut list = OpenOptions::new().create(true).append(true).open(&list_at)?;
        let mut entries = if list.metadata()?.len() == 0 { format!("{HEADER}\n") } else { String::new() };
        let is_new = |(name, hash): &(&String, &u64)| self.before.get(*name) != Some(hash);
        self.now.iter().filter(is_new).for_each(|(name, &hash)| entries.push_str(&entry(name, hash)));
        list.write_all(entries.as_bytes())?;
        for (path, bytes) in std::mem::take(&mut self.direct) {
            fs::write(path, bytes)?;
        }
        for staged in std::mem::take(&mut self.staged).into_values() {
            staged.persist()?;
        }
        for name in self.below.keys() {
            whole::synced(&self.root().join(name))?;
        }
        let mut left = Left::default();
        let mut known = self.now.clone();
        for (name, &hash_before) in self.before.iter().filter(|(name, _)| !self.now.contains_key(*name)) {
            let path = self.root().join(name);
            match hash_of(&path) {
                Ok(Some(hash)) if hash == hash_before => fs::remove_file(&path)?,
                Ok(_) => {
                    known.insert(name.clone(), hash_before);
                    left.changed.push(path);
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        left.foreign = self.foreign(&known)?;
        let mut text = format!("{HEADER}\n");
        known.iter().for_each(|(name, &hash)| text.push_str(&entry(name, hash)));
        whole::write(&list_at, text)?;
        Ok(left)
    }

    /// Files in the folders below the root that this run wrote into.
    fn foreign(&self, known: &BTreeMap<String, u64>) -> io::Result<Vec<PathBuf>> {
        let below = self.now.keys().filter_map(|name| name.rsplit_once('/').map(|(folder, _)| folder));
        let mut found = Vec::new();
        for folder in below.collect::<std::collections::BTreeSet<_>>() {
            for file in fs::read_dir(self.root().join(folder))? {
                let file = file?;
                let name = format!("{folder}/{}", file.file_name().to_string_lossy());
                if file.file_type()?.is_file() && !known.contains_key(&name) {
                    found.push(file.path());
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

impl Left {
    /// The warnings for the user, a line each; nothing if there are none.
    pub fn lines(&self) -> String {
        let mut out = String::new();
        for (paths, why) in [
            (&self.changed, "of an earlier run, and changed since: not removed"),
            (&self.foreign, "not of this run, and not known to be of an earlier one: not removed"),
        ] {
            let Some(first) = paths.first() else { continue };
            let more = if paths.len() > 1 { format!(" and {} more", paths.len() - 1) } else { String::new() };
            let _ = writeln!(out, "{}{more}: {why}", plain::path(first));
        }
        out
    }
}

fn hash(bytes: &[u8]) -> u64 {
    rapidhash::v3::rapidhash_v3(bytes)
}

/// The hash of a file; none of a file that is larger than any that a tool writes, or no file.
fn hash_of(path: &Path) -> io::Result<Option<u64>> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_file() || found.len() > MOST_BYTES {
        return Ok(None);
    }
    Ok(Some(hash(&fs::read(path)?)))
}

fn entry(name: &str, hash: u64) -> String {
    format!("{hash:016x} {name}\n")
}

/// Whether a name leads to a file inside the folder, and fits in a line.
fn is_inside(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(['\n', '\r', '\\'])
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// The entries of a list. A line that is no entry is skipped, and a text that is no list has no entries.
fn list(path: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut text = String::new();
    match fs::File::open(path) {
        Ok(file) => match file.take(MOST_BYTES).read_to_string(&mut text) {
            Err(error) if error.kind() == ErrorKind::InvalidData => return Ok(BTreeMap::new()),
            other => other?,
        },
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return Ok(BTreeMap::new());
    }
    let one = |line: &str| {
        let (hash, name) = line.split_once(' ')?;
        let hash = u64::from_str_radix(hash, 16).ok()?;
        is_inside(name).then(|| (name.to_owned(), hash))
    };
    Ok(lines.filter_map(one).take(MOST_FILES).collect())
}
