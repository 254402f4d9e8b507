//! Sorted runs on disk: files of records of one width in the order of their bytes, written and merged in sequence.

use crate::end::on_disk;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Bytes that are read or written at a time.
const AT_ONCE: usize = 1 << 18;

/// Writes records one after the other.
pub struct Writer {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Writer {
    /// Begins a file.
    pub fn new(path: &Path) -> Self {
        let file = on_disk(path, File::create(path));
        Writer { path: path.into(), out: BufWriter::with_capacity(AT_ONCE, file) }
    }

    /// Adds a record, or a part of one.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        on_disk(&self.path, self.out.write_all(bytes));
    }

    /// Ends the file. With `durable` it is on the disk itself when this returns.
    pub fn finish(mut self, durable: bool) {
        on_disk(&self.path, self.out.flush());
        if durable {
            on_disk(&self.path, self.out.get_ref().sync_all());
        }
    }
}

/// Sorts records of `width` bytes and writes them.
pub fn spill(path: &Path, records: &[u8], width: usize) {
    let mut sorted: Vec<&[u8]> = records.chunks_exact(width).collect();
    sorted.sort_unstable();
    let mut out = Writer::new(path);
    sorted.into_iter().for_each(|record| out.put(record));
    out.finish(false);
}

/// Reads records one after the other.
pub struct Reader {
    path: PathBuf,
    input: BufReader<File>,
    left: u64,
    width: usize,
}

impl Reader {
    /// Reads `records` records of `width` bytes from the record with the number `from` on.
    pub fn new(path: &Path, from: u64, records: u64, width: usize) -> Self {
        let mut file = on_disk(path, File::open(path));
        on_disk(path, file.seek(SeekFrom::Start(from * width as u64)));
        Reader { path: path.into(), input: BufReader::with_capacity(AT_ONCE, file), left: records, width }
    }

    /// A reader of a whole file.
    pub fn whole(path: &Path, width: usize) -> Self {
        let bytes = on_disk(path, std::fs::metadata(path)).len();
        Reader::new(path, 0, bytes / width as u64, width)
    }

    /// Reads the next record over `record`; `false` at the end.
    pub fn next(&mut self, record: &mut Vec<u8>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        record.resize(self.width, 0);
        on_disk(&self.path, self.input.read_exact(record));
        true
    }
}

/// Several sorted runs as one.
pub struct Merge {
    readers: Vec<Reader>,
    heads: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
}

impl Merge {
    /// The runs that these read.
    pub fn new(mut readers: Vec<Reader>) -> Self {
        let mut heads = BinaryHeap::new();
        for (at, reader) in readers.iter_mut().enumerate() {
            let mut head = Vec::new();
            if reader.next(&mut head) {
                heads.push(Reverse((head, at)));
            }
        }
        Merge { readers, heads }
    }

    /// The next record, without taking it.
    pub fn peek(&self) -> Option<&[u8]> {
        self.heads.peek().map(|Reverse((head, _))| &head[..])
    }

    /// Tells `take` the next record; `false` at the end.
    pub fn next(&mut self, take: impl FnOnce(&[u8])) -> bool {
        let Some(mut top) = self.heads.peek_mut() else { return false };
        let Reverse((head, at)) = &mut *top;
        take(head);
        if !self.readers[*at].next(head) {
            std::collections::binary_heap::PeekMut::pop(top);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_merged_in_order() {
        let at = tempfile::tempdir().unwrap();
        let (one, two, none) = (at.path().join("1"), at.path().join("2"), at.path().join("3"));
        spill(&one, b"ddbbzz", 2);
        spill(&two, b"ccaabb", 2);
        spill(&none, b"", 2);
        let mut merge = Merge::new([&one, &two, &none].map(|path| Reader::whole(path, 2)).into());
        let mut seen = Vec::new();
        assert_eq!(merge.peek(), Some(&b"aa"[..]));
        while merge.next(|record| seen.push(String::from_utf8(record.to_vec()).unwrap())) {}
        assert_eq!(seen.concat(), "aabbbbccddzz");
        let mut rest = Reader::new(&one, 1, 2, 2);
        let mut record = Vec::new();
        assert!(rest.next(&mut record) && record == b"dd" && rest.next(&mut record) && record == b"zz");
        assert!(!rest.next(&mut record));
    }
}
