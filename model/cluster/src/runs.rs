//! Files of records of one width: sorted runs and layers, written and read in sequence, in blocks.
//!
//! A block has a header of [`HEADER`] bytes: the number of its records, the bytes of their coded form and of its packed form, and the
//! checksum of all this. The records of a file come in an order in which neighbours begin alike. So the coded form is first, for each
//! record, how many bytes its head shares with the one before; then the rest of each head; then the tails. Zstandard packs it.
//! A block that was cut or changed is noticed when it is read, and named by its file and its first byte.

use crate::end::on_disk;
use rapidhash::v3::rapidhash_v3;
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use zstd::bulk;

/// Records of a block; the last one of a file, or before a cut, may have fewer.
pub const BLOCK: usize = 4096;
/// Bytes before the packed records of a block.
const HEADER: usize = 20;
/// Bytes that are read at a time.
const AT_ONCE: usize = 1 << 17;
/// The level of Zstandard for layers, which stay.
pub const KEPT: i32 = 1;
/// The level for sorted runs, which go again: they take more room for a while, and less time.
pub const PASSING: i32 = -5;

/// The form of the records of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form {
    /// Bytes of a record.
    pub width: usize,
    /// Bytes of its head, by which the records are sorted: at most 255.
    pub head: usize,
}

fn damaged(at: u64, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the block at byte {at} {why}"))
}

/// Bytes that two heads have in common at the beginning.
fn shared(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

impl Form {
    fn code(self, records: &[u8], coded: &mut Vec<u8>) {
        coded.clear();
        let each = || records.chunks_exact(self.width);
        let mut before: &[u8] = &[];
        for record in each() {
            let head = &record[..self.head];
            coded.push(shared(before, head) as u8);
            before = head;
        }
        for (at, record) in each().enumerate() {
            coded.extend_from_slice(&record[usize::from(coded[at])..self.head]);
        }
        each().for_each(|record| coded.extend_from_slice(&record[self.head..]));
    }

    /// `None` if no records have that coded form.
    fn decode(self, count: usize, coded: &[u8], records: &mut Vec<u8>) -> Option<()> {
        records.clear();
        let (shares, rest) = coded.split_at_checked(count)?;
        let heads =
            shares.iter().map(|&shared| self.head.checked_sub(shared.into())).sum::<Option<usize>>()?;
        let (mut heads, tails) = rest.split_at_checked(heads)?;
        if tails.len() != count * (self.width - self.head) {
            return None;
        }
        let tail = self.width - self.head;
        for (at, &shared) in shares.iter().enumerate() {
            let begin = at * self.width;
            if at > 0 {
                records.extend_from_within(begin - self.width..begin - self.width + usize::from(shared));
            } else if shared != 0 {
                return None;
            }
            let own;
            (own, heads) = heads.split_at(self.head - usize::from(shared));
            records.extend_from_slice(own);
            records.extend_from_slice(&tails[at * tail..(at + 1) * tail]);
        }
        Some(())
    }

    /// The most bytes that the coded form of a block takes.
    const fn most(self) -> usize {
        BLOCK * (self.width + 1)
    }
}

/// A file that was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Filed {
    /// Its bytes.
    pub bytes: u64,
    /// The checksums of its blocks, as one.
    pub checksum: u64,
}

/// The checksum of a file from that of the blocks before and of one more.
fn mixed(sum: u64, block: u64) -> u64 {
    sum.rotate_left(7) ^ block
}

/// Writes records one after the other.
pub struct Writer {
    path: PathBuf,
    out: File,
    form: Form,
    packer: bulk::Compressor<'static>,
    records: Vec<u8>,
    coded: Vec<u8>,
    filed: Filed,
}

impl Writer {
    /// Begins a file, packed at the level of [`KEPT`] or [`PASSING`].
    pub fn new(path: &Path, form: Form, level: i32) -> Self {
        Writer {
            path: path.into(),
            out: on_disk(path, File::create(path)),
            form,
            packer: on_disk(path, bulk::Compressor::new(level)),
            records: Vec::with_capacity(BLOCK * form.width),
            coded: Vec::new(),
            filed: Filed { bytes: 0, checksum: 0 },
        }
    }

    /// Adds a record.
    #[inline]
    pub fn put(&mut self, record: &[u8]) {
        debug_assert_eq!(record.len(), self.form.width);
        self.records.extend_from_slice(record);
        if self.records.len() >= BLOCK * self.form.width {
            self.cut();
        }
    }

    /// Ends a block, and returns the byte at which the next one begins.
    pub fn cut(&mut self) -> u64 {
        if !self.records.is_empty() {
            let written = self.write();
            on_disk(&self.path, written);
        }
        self.filed.bytes
    }

    fn write(&mut self) -> io::Result<()> {
        self.form.code(&self.records, &mut self.coded);
        let packed = self.packer.compress(&self.coded)?;
        let mut block = Vec::with_capacity(HEADER + packed.len());
        for number in [self.records.len() / self.form.width, self.coded.len(), packed.len()] {
            block.extend_from_slice(&(number as u32).to_le_bytes());
        }
        let checksum = checksum(&block, &packed);
        block.extend_from_slice(&checksum.to_le_bytes());
        block.extend_from_slice(&packed);
        self.out.write_all(&block)?;
        self.filed.bytes += block.len() as u64;
        self.filed.checksum = mixed(self.filed.checksum, checksum);
        self.records.clear();
        Ok(())
    }

    /// Ends the file. With `durable` it is on the disk itself when this returns.
    pub fn finish(mut self, durable: bool) -> Filed {
        self.cut();
        if durable {
            on_disk(&self.path, self.out.sync_all());
        }
        self.filed
    }
}

/// The checksum of a block: of the numbers in its header, and of its packed records.
fn checksum(numbers: &[u8], packed: &[u8]) -> u64 {
    mixed(rapidhash_v3(numbers), rapidhash_v3(packed))
}

/// A sorted run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its file.
    pub path: PathBuf,
    /// Its records.
    pub records: u64,
}

/// Sorts records and writes them.
pub fn spill(path: PathBuf, records: &[u8], form: Form) -> Run {
    let sorted = sorted(records, form);
    let mut out = Writer::new(&path, form, PASSING);
    sorted.iter().for_each(|&(_, at)| out.put(&records[at as usize * form.width..][..form.width]));
    out.finish(false);
    Run { path, records: sorted.len() as u64 }
}

/// The order of records: of each, its first eight bytes, which decide nearly all comparisons without a look at the record, and its number.
fn sorted(records: &[u8], form: Form) -> Vec<(u64, u32)> {
    let record = |at: u32| &records[at as usize * form.width..][..form.width];
    let mut sorted: Vec<(u64, u32)> = records
        .chunks_exact(form.width)
        .zip(0..)
        .map(|(record, at)| {
            let mut first = [0; size_of::<u64>()];
            let most = form.width.min(first.len());
            first[..most].copy_from_slice(&record[..most]);
            (u64::from_be_bytes(first), at)
        })
        .collect();
    sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| record(a.1).cmp(record(b.1))));
    sorted
}

/// Reads records one after the other.
pub struct Reader {
    path: PathBuf,
    input: BufReader<File>,
    form: Form,
    unpacker: bulk::Decompressor<'static>,
    /// The first byte of the next block.
    at: u64,
    /// Records of later blocks.
    left: u64,
    coded: Vec<u8>,
    block: Vec<u8>,
    /// Bytes of the block that were read.
    read: usize,
    checksum: u64,
}

impl Reader {
    /// Reads `records` records from the block on that begins at the byte `at`.
    ///
    /// # Errors
    /// As the file system says.
    pub fn open(path: &Path, at: u64, records: u64, form: Form) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(at))?;
        Ok(Reader {
            path: path.into(),
            input: BufReader::with_capacity(AT_ONCE, file),
            form,
            unpacker: bulk::Decompressor::new()?,
            at,
            left: records,
            coded: Vec::new(),
            block: Vec::new(),
            read: 0,
            checksum: 0,
        })
    }

    /// As [`Reader::open`], for a file without which the search cannot go on.
    pub fn new(path: &Path, at: u64, records: u64, form: Form) -> Self {
        on_disk(path, Reader::open(path, at, records, form))
    }

    /// A reader of a whole run.
    pub fn whole(run: &Run, form: Form) -> Self {
        Reader::new(&run.path, 0, run.records, form)
    }

    /// Reads the next record over `record`; `false` at the end.
    pub fn next(&mut self, record: &mut Vec<u8>) -> bool {
        let next = self.try_next(record);
        on_disk(&self.path, next)
    }

    /// As [`Reader::next`].
    ///
    /// # Errors
    /// The file cannot be read, or is not what was written: the first byte of that block.
    pub fn try_next(&mut self, record: &mut Vec<u8>) -> io::Result<bool> {
        if self.read == self.block.len() {
            if self.left == 0 {
                return Ok(false);
            }
            self.read_block()?;
        }
        let end = self.read + self.form.width;
        record.clear();
        record.extend_from_slice(&self.block[self.read..end]);
        self.read = end;
        Ok(true)
    }

    /// The checksums of the blocks that were read, as one.
    pub fn checksum(&self) -> u64 {
        self.checksum
    }

    /// Leaves out so many blocks of [`BLOCK`] records.
    ///
    /// # Errors
    /// As [`Reader::try_next`].
    pub fn skip(&mut self, blocks: u64) -> io::Result<()> {
        for _ in 0..blocks {
            let (header, _) = self.header()?;
            self.input.seek_relative(i64::from(header[2]))?;
            self.at += (HEADER as u64) + u64::from(header[2]);
            self.left = self.left.saturating_sub(BLOCK as u64);
        }
        Ok(())
    }

    /// The numbers of the next header, and its bytes.
    fn header(&mut self) -> io::Result<([u32; 3], [u8; HEADER])> {
        let mut bytes = [0; HEADER];
        self.fill(&mut bytes)?;
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let [records, coded, packed] = [number(0), number(4), number(8)];
        let fits = (1..=BLOCK as u64).contains(&records.into())
            && u64::from(records) <= self.left
            && coded as usize <= self.form.most()
            && packed as usize <= zstd::zstd_safe::compress_bound(coded as usize);
        if fits { Ok(([records, coded, packed], bytes)) } else { Err(damaged(self.at, OTHER)) }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.input.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged(self.at, "is cut: the file ends there"),
            _ => error,
        })
    }

    fn read_block(&mut self) -> io::Result<()> {
        let ([records, coded, packed], header) = self.header()?;
        let mut bytes = vec![0; packed as usize];
        self.fill(&mut bytes)?;
        let due = checksum(&header[..12], &bytes);
        if due.to_le_bytes() != header[12..] {
            return Err(damaged(self.at, OTHER));
        }
        self.coded.clear();
        self.coded.reserve(coded as usize);
        let (count, form) = (records as usize, self.form);
        let unpacked = self.unpacker.decompress_to_buffer(&bytes, &mut self.coded);
        let whole = unpacked.is_ok_and(|size| size == coded as usize)
            && form.decode(count, &self.coded, &mut self.block).is_some();
        if !whole {
            return Err(damaged(self.at, OTHER));
        }
        self.read = 0;
        self.checksum = mixed(self.checksum, due);
        self.at += (HEADER + bytes.len()) as u64;
        self.left -= u64::from(records);
        Ok(())
    }
}

/// The fault of a block that was changed.
const OTHER: &str = "is not what was written";

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

    /// Numbers in order as heads, with tails that have something in common.
    fn records(count: u32, form: Form) -> Vec<u8> {
        let record = |number: u32| {
            let mut record = vec![0; form.width];
            record[form.head - 4..form.head].copy_from_slice(&(number * 77).to_be_bytes());
            record[form.head..].fill((number % 7) as u8);
            record
        };
        (0..count).flat_map(record).collect()
    }

    fn all(mut reader: Reader) -> io::Result<Vec<u8>> {
        let (mut all, mut record) = (Vec::new(), Vec::new());
        while reader.try_next(&mut record)? {
            all.extend_from_slice(&record);
        }
        Ok(all)
    }

    #[test]
    fn what_is_written_is_read() {
        let at = tempfile::tempdir().unwrap();
        let path = at.path().join("file");
        for form in [Form { width: 9, head: 4 }, Form { width: 30, head: 30 }, Form { width: 300, head: 255 }]
        {
            for count in [0, 1, BLOCK as u32, BLOCK as u32 + 1, 3 * BLOCK as u32 - 1] {
                let written = records(count, form);
                let mut out = Writer::new(&path, form, PASSING);
                written.chunks_exact(form.width).for_each(|record| out.put(record));
                let filed = out.finish(true);
                assert_eq!(filed.bytes, std::fs::metadata(&path).unwrap().len());
                assert!(
                    all(Reader::new(&path, 0, count.into(), form)).unwrap() == written,
                    "{form:?}, {count}"
                );
                let mut reader = Reader::new(&path, 0, count.into(), form);
                while reader.try_next(&mut Vec::new()).unwrap() {}
                assert_eq!(reader.checksum(), filed.checksum);
                if count as usize > BLOCK {
                    let mut reader = Reader::new(&path, 0, count.into(), form);
                    reader.skip(1).unwrap();
                    assert!(all(reader).unwrap() == written[BLOCK * form.width..], "{form:?}, {count}");
                }
            }
        }
    }

    #[test]
    fn neighbours_that_begin_alike_take_little_room() {
        let at = tempfile::tempdir().unwrap();
        let form = Form { width: 50, head: 10 };
        let written = records(20_000, form);
        let run = spill(at.path().join("run"), &written, form);
        let mut layer = Writer::new(&at.path().join("layer"), form, KEPT);
        written.chunks_exact(form.width).for_each(|record| layer.put(record));
        let bytes = [std::fs::metadata(&run.path).unwrap().len(), layer.finish(false).bytes];
        assert!(bytes[0] < 20_000 * 8 && bytes[1] < 20_000 * 5, "{bytes:?} bytes");
    }

    /// Each byte of a file matters: with another one in its place, or without what follows it, the file is refused.
    #[test]
    fn damage_is_noticed_and_named() {
        let at = tempfile::tempdir().unwrap();
        let path = at.path().join("file");
        let form = Form { width: 12, head: 8 };
        let count = BLOCK as u32 + 5;
        let mut out = Writer::new(&path, form, PASSING);
        records(count, form).chunks_exact(form.width).for_each(|record| out.put(record));
        out.finish(false);
        let whole = std::fs::read(&path).unwrap();
        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let error = all(Reader::new(&path, 0, count.into(), form)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
            error.to_string()
        };
        for at in (0..whole.len()).step_by(if whole.len() > 5_000 { 7 } else { 1 }) {
            let mut other = whole.clone();
            other[at] ^= 0x10;
            assert!(refused(&other).starts_with("the block at byte "), "byte {at}");
            assert!(refused(&whole[..at]).ends_with("is cut: the file ends there"), "up to byte {at}");
        }
        let mut last = whole.clone();
        *last.last_mut().unwrap() ^= 1;
        let second = HEADER + u32::from_le_bytes(whole[8..12].try_into().unwrap()) as usize;
        assert_eq!(refused(&last), format!("the block at byte {second} is not what was written"));
    }

    #[test]
    fn runs_are_merged_in_order() {
        let at = tempfile::tempdir().unwrap();
        let form = Form { width: 2, head: 1 };
        let run = |name: &str, records: &[u8]| spill(at.path().join(name), records, form);
        let (one, two, none) = (run("1", b"ddbbzz"), run("2", b"ccaabb"), run("3", b""));
        let mut merge = Merge::new([&one, &two, &none].map(|run| Reader::whole(run, form)).into());
        let mut seen = Vec::new();
        assert_eq!(merge.peek(), Some(&b"aa"[..]));
        while merge.next(|record| seen.push(String::from_utf8(record.to_vec()).unwrap())) {}
        assert_eq!(seen.concat(), "aabbbbccddzz");
    }

    #[test]
    fn a_run_is_read_from_a_cut_on() {
        let at = tempfile::tempdir().unwrap();
        let path = at.path().join("file");
        let form = Form { width: 2, head: 2 };
        let mut out = Writer::new(&path, form, PASSING);
        out.put(b"bb");
        let cut = out.cut();
        out.put(b"dd");
        out.put(b"zz");
        out.finish(false);
        assert_eq!(all(Reader::new(&path, cut, 2, form)).unwrap(), b"ddzz");
    }
}
