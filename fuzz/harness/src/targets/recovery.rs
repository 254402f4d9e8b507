//! Crashes and damaged disks: miners whose writes are files of the real format, cut and damaged anywhere.
//!
//! The world gives each miner a log in memory. Beside it this target keeps the bytes that the production crate would have in
//! a file ([`LogImage`]), one write a flush. A crash interrupts the write that is on its way: of one sector a beginning that
//! the schedule chooses is written, or zeros, and what the production reader finds there is what the miner restarts with, in a
//! new file, as [`FileLog`](zus_bpp::ticket_log::FileLog) does. Oracles judge the run (S1 above all: a restarted miner never contradicts
//! what it signed).
//!
//! The expected result of the reader is computed here without it, from the records that were flushed in each sector of
//! the file. A crash costs the frame that was being written; damage is refused, or costs exactly the last frame.

use std::path::Path;

use sha3::{Digest, Sha3_256};
use zus_bpp::committee::Round;
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::ticket_log::{
    LogContents, LogError, LogImage, LogRecord, Owner, RECORDS_PER_FRAME, SECTOR_BYTES, SignedRecords,
    TicketLog,
};

use super::codecs::OWNER;
use super::count_steps;
use super::runs::CALM_EVERY;
use crate::liveness::calm;
use crate::oracles::Oracle;
use crate::schedule::operation::perform;
use crate::schedule::{Random, Schedule, ground_of, resolve};
use crate::world::{DiskModel, Event, Watch, World};

/// One of so many inputs has the file of one miner cut everywhere when the run ends.
const CUT_EVERYWHERE_EVERY: u8 = 16;
/// Frames for which a file has room: fewer than in production, so that whole files are read quickly, and become full.
const FRAMES: u32 = 48;
/// Bytes of a checksum, at the end of a sector.
const CHECKSUM_BYTES: usize = 8;
/// The reader of a log file: the production crate's, or in a control a wrong one.
pub type Reader = fn(&Path, &[u8], &Owner) -> Result<LogContents, LogError>;

/// A log file, with the records up to each end of a frame.
#[derive(Clone, Debug)]
pub struct LogFile {
    image: LogImage,
    /// For each byte at which a whole frame ends: how many records there are up to it. The first end is that of what the file
    /// was made with.
    ends: Vec<(usize, usize)>,
    records: Vec<LogRecord>,
}

impl Default for LogFile {
    fn default() -> Self {
        Self::of(Vec::new())
    }
}

/// The content of a file's sectors that hold no frame.
fn free_sector() -> Vec<u8> {
    let empty = LogImage::with_room(&OWNER, &SignedRecords::default(), 1);
    empty.bytes()[empty.used()..].to_vec()
}

impl LogFile {
    /// A new file, as a log makes it when it is opened or its file is full.
    fn of(records: Vec<LogRecord>) -> Self {
        let mut signed = SignedRecords::from_floor(Round(0));
        records.iter().for_each(|record| signed.insert(*record));
        let image = LogImage::with_room(&OWNER, &signed, FRAMES);
        Self { ends: vec![(image.used(), records.len())], image, records }
    }

    /// Writes records as one flush. A file that is full is made anew before that.
    pub fn write(&mut self, records: &[LogRecord]) {
        self.make_room(records.len());
        for frame in records.chunks(RECORDS_PER_FRAME) {
            assert!(self.image.write(frame), "a file with room is full");
            self.records.extend(frame);
            self.ends.push((self.image.used(), self.records.len()));
        }
    }

    fn make_room(&mut self, records: usize) {
        let needed = records.div_ceil(RECORDS_PER_FRAME) * SECTOR_BYTES;
        if self.image.used() + needed > self.image.bytes().len() {
            *self = Self::of(std::mem::take(&mut self.records));
        }
    }

    /// Bytes of header and frames.
    #[must_use]
    pub fn used(&self) -> usize {
        self.image.used()
    }

    /// The records of the frames that end at this byte or before, and where the last of them ends.
    fn expected(&self, byte: usize) -> Option<(usize, &[LogRecord])> {
        let (end, count) = *self.ends.iter().rev().find(|(end, _)| *end <= byte)?;
        Some((end, &self.records[..count]))
    }

    /// The records without the last frame, if any was written since the file was made.
    fn but_last(&self) -> Option<(usize, &[LogRecord])> {
        let &[.., (end, count), _] = &self.ends[..] else { return None };
        Some((end, &self.records[..count]))
    }

    /// Reads the file after a crash in the write of the sector in which byte `cut` is: what is before that byte was written, and
    /// what follows is free; or the whole sector is zeros.
    ///
    /// # Errors
    /// The unexpected answer of the reader.
    pub fn read_after(&self, reader: Reader, cut: usize, zeros: bool) -> Result<LogContents, String> {
        let mut bytes = self.image.bytes().to_vec();
        let free = free_sector();
        let sector = cut - cut % SECTOR_BYTES;
        for later in bytes[sector..].chunks_mut(SECTOR_BYTES) {
            later.copy_from_slice(&free);
        }
        bytes[sector..cut].copy_from_slice(&self.image.bytes()[sector..cut]);
        if zeros && let Some(sector) = bytes.get_mut(sector..sector + SECTOR_BYTES) {
            sector.fill(0);
        }
        let found = reader(Path::new("tickets.log"), &bytes, &OWNER);
        match (self.expected(cut), found) {
            // Half a header may name another version.
            (None, Err(LogError::Damaged { .. } | LogError::Version { .. })) => Err("damaged".into()),
            (None, other) => {
                Err(format!("cut at {cut}, into what the file began with: {:?}", other.map(drop)))
            }
            (Some(_), Err(error)) => Err(format!("cut at {cut}, zeros {zeros}: refused: {error}")),
            (Some((end, records)), Ok(found)) => {
                let same = says(&found, records);
                let ends = found.good_bytes() == end as u64;
                let wrong = format!("cut at {cut}, zeros {zeros}: {found:?}, expected {records:?}");
                (same && ends).then_some(found).ok_or(wrong)
            }
        }
    }

    /// Crashes around the beginning and the end of each sector, and at every sixteenth byte of the last.
    ///
    /// # Errors
    /// The first cut after which the reader does not say what it should.
    pub fn cut_everywhere(&self, reader: Reader) -> Result<(), String> {
        let (base, used) = (self.ends[0].0, self.used());
        let near =
            |cut: &usize| cut % SECTOR_BYTES < 2 || cut % SECTOR_BYTES > SECTOR_BYTES - CHECKSUM_BYTES - 2;
        for cut in (0..=used).filter(|cut| near(cut) || cut % 16 == 0 && cut + SECTOR_BYTES > used) {
            for zeros in [false, true] {
                match self.read_after(reader, cut, zeros) {
                    Ok(_) if cut >= base => {}
                    Err(refused) if cut < base && refused == "damaged" => {}
                    Ok(_) => return Err(format!("cut at {cut}: half a file is no log")),
                    Err(wrong) => return Err(wrong),
                }
            }
        }
        Ok(())
    }

    /// Reads damaged bytes: they are refused with file, place and fix, or cost exactly the last frame, when the damage lies
    /// in it.
    fn read_damaged(&self, reader: Reader, bytes: &[u8], at: usize, what: &str) -> Result<(), String> {
        let found = match reader(Path::new("tickets.log"), bytes, &OWNER) {
            Ok(found) => found,
            Err(error) => {
                let told = error.to_string();
                let clear = match error {
                    LogError::Damaged { offset, .. } => {
                        offset <= at as u64
                            && (offset + SECTOR_BYTES as u64 > at as u64)
                            && told.contains("at byte")
                            && told.contains("above every round")
                    }
                    LogError::Version { .. } => (8..10).contains(&at),
                    _ => false,
                };
                return (clear && told.contains("tickets.log")).then_some(()).ok_or(told);
            }
        };
        if at >= self.used() && says(&found, &self.records) {
            return Ok(());
        }
        let costs_last = self.but_last().is_some_and(|(end, records)| at >= end && says(&found, records));
        let wrong = || format!("{what} of {} bytes is not noticed: {found:?}", bytes.len());
        costs_last.then_some(()).ok_or_else(wrong)
    }

    /// Changes one bit of header and frames.
    ///
    /// # Errors
    /// When the reader takes the file, or refuses it without saying which file, where and what to do.
    pub fn flip(&self, reader: Reader, bit: usize) -> Result<(), String> {
        let mut bytes = self.image.bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        self.read_damaged(reader, &bytes, bit / 8, &format!("bit {bit}"))
    }

    /// Loses some sectors of the file: they are zeros.
    ///
    /// # Errors
    /// When the reader takes the file with another loss than that of the last frame.
    pub fn lose(&self, reader: Reader, sector: usize, sectors: usize) -> Result<(), String> {
        let mut bytes = self.image.bytes().to_vec();
        let start = sector * SECTOR_BYTES;
        let end = (start + sectors * SECTOR_BYTES).min(bytes.len());
        bytes[start..end].fill(0);
        self.read_damaged(reader, &bytes, start, &format!("the loss of {sectors} sectors from {sector}"))
    }

    /// Cuts the file short, or writes something behind it.
    ///
    /// # Errors
    /// When the reader takes the file.
    pub fn resize(&self, reader: Reader, length: usize, garbage: &[u8]) -> Result<(), String> {
        let whole = self.image.bytes();
        let bytes = [&whole[..length.min(whole.len())], garbage].concat();
        match reader(Path::new("tickets.log"), &bytes, &OWNER) {
            Err(LogError::Damaged { .. }) => Ok(()),
            _ if bytes == whole => Ok(()),
            other => Err(format!("{} bytes of {}: {:?}", bytes.len(), whole.len(), other.map(drop))),
        }
    }

    /// Gives the last frame a record of an unknown kind, and the right checksum.
    ///
    /// # Errors
    /// When the reader does not refuse the file where that frame is.
    pub fn forge(&self, reader: Reader) -> Result<(), String> {
        let Some((start, _)) = self.but_last() else { return Ok(()) };
        let mut bytes = self.image.bytes().to_vec();
        let (before, last) = bytes.split_at_mut(start);
        last[2] = 0x77;
        let (body, checksum) = last[..SECTOR_BYTES].split_at_mut(SECTOR_BYTES - CHECKSUM_BYTES);
        let previous = &before[start - CHECKSUM_BYTES..];
        let hash = Sha3_256::new().chain_update(previous).chain_update(body).finalize();
        checksum.copy_from_slice(&hash[..CHECKSUM_BYTES]);
        match reader(Path::new("tickets.log"), &bytes, &OWNER) {
            Err(LogError::Damaged { offset, .. }) if offset == start as u64 => Ok(()),
            other => Err(format!("a record of an unknown kind: {:?}", other.map(drop))),
        }
    }
}

/// Whether exactly these records were found. Runs are shorter than what a log keeps, so that none is forgotten.
fn says(found: &LogContents, records: &[LogRecord]) -> bool {
    let mut records = records.to_vec();
    records.sort_unstable();
    records.dedup();
    found.signed().records().eq(records.iter())
}

/// How a crash falls on the write that is on its way, and what survives of the stores.
#[derive(Clone, Copy, Debug)]
struct Fall {
    /// Chooses the byte.
    byte: usize,
    /// Whether the sector that was being written is zeros.
    zeros: bool,
    /// How many unconfirmed stores survive, modulo what there is.
    stores: usize,
}

/// The oracle, and how many steps it has seen.
#[derive(Default)]
struct Watcher {
    oracle: Oracle,
    steps: u64,
}

impl<S: Scheme + Clone> Watch<S> for Watcher {
    fn watch(&mut self, world: &World<S>, event: &Event) {
        self.steps += 1;
        self.oracle.watch(world, event);
    }
}

/// A world whose miners have log files.
struct Files {
    world: World<MockScheme>,
    watcher: Watcher,
    files: Vec<LogFile>,
    reader: Reader,
}

impl Files {
    fn new(schedule: &Schedule, reader: Reader) -> Self {
        let mut setup = schedule.header.setup();
        setup.disk = DiskModel::Slow;
        // Losses of a disk concern a durable log, and the liveness after them is that of the recommended profile.
        setup.rules = zus_bpp::rules::Rules::HARDENED;
        let world = World::new(ground_of(&setup));
        let files = vec![LogFile::default(); world.hosts.len()];
        let mut found = Self { world, watcher: Watcher::default(), files, reader };
        found.world.start(&mut found.watcher);
        found
    }

    /// One choice of the schedule, which may be a crash.
    fn choose(&mut self, schedule: &Schedule, index: usize) -> Result<(), String> {
        let choice = schedule.choices[index];
        let [what, a, b, c] = choice.0;
        if what >= 0xd8 {
            let host = usize::from(a) % self.world.hosts.len();
            let byte = usize::from(b) * 257 + usize::from(c);
            let fall = Fall { byte, zeros: what & 2 != 0, stores: usize::from(c) };
            self.damage(host, usize::from(b) << 8 | usize::from(c), what & 4 != 0)?;
            self.crash(host, fall)?;
            if what & 1 == 0 {
                self.world.restart(host, &mut self.watcher);
            }
        } else if what >= 0xc0 {
            let down = self.world.hosts.iter().position(|host| !host.up);
            if let Some(host) = down {
                self.world.restart(host, &mut self.watcher);
            }
        } else if let Some(operation) = resolve(&self.world, choice, schedule.header.swarm()) {
            perform(&mut self.world, &operation, &mut self.watcher);
        }
        self.flush();
        self.judge()
    }

    /// Writes the records that became durable in a choice.
    fn flush(&mut self) {
        for (host, file) in self.world.hosts.iter().zip(&mut self.files) {
            let durable = host.disk.log.durable();
            if durable.len() > file.records.len() {
                file.write(&durable[file.records.len()..]);
            }
        }
    }

    fn judge(&self) -> Result<(), String> {
        self.watcher.oracle.violation.as_ref().map_or(Ok(()), |violation| Err(violation.to_string()))
    }

    /// Crashes a miner in the middle of the write of everything that it appended and did not flush.
    fn crash(&mut self, index: usize, fall: Fall) -> Result<(), String> {
        let host = &self.world.hosts[index];
        if !host.up {
            return Ok(());
        }
        let file = &mut self.files[index];
        let whole = host.disk.log.clone().crash(host.disk.log.crash_points());
        let pending = &whole.durable()[file.records.len()..];
        file.make_room(pending.len());
        let flushed = (file.used(), file.records.len());
        let mut torn = file.clone();
        torn.write(pending);
        let cut = flushed.0 + fall.byte % (torn.used() - flushed.0 + 1);
        let found = torn.read_after(self.reader, cut, fall.zeros)?;
        let (_, records) = torn.expected(cut).ok_or("a flushed file has a beginning")?;
        let kept = records.len() - flushed.1;
        self.world.crash_losing(index, kept, fall.stores, &mut self.watcher);
        // The miner restarts with what the file says.
        let host = &self.world.hosts[index];
        if host.disk.log.signed() != found.signed() {
            return Err(format!("the file says {found:?}, and memory {:?}", host.disk.log.signed()));
        }
        torn.records.truncate(flushed.1 + kept);
        self.files[index] = LogFile::of(torn.records);
        Ok(())
    }

    /// Damages a copy of the file of a miner.
    fn damage(&self, index: usize, which: usize, more: bool) -> Result<(), String> {
        let file = &self.files[index];
        let mixed = which.wrapping_mul(0x9e37);
        if !more {
            return file.flip(self.reader, mixed % (8 * file.used()));
        }
        match which % 4 {
            0 => {
                let mut random = Random::new(which as u64);
                let length = 1 + random.below(300);
                let garbage: Vec<u8> = (0..length).map(|_| random.bits() as u8).collect();
                file.resize(self.reader, usize::MAX, &garbage)
            }
            1 => file.resize(self.reader, mixed % file.image.bytes().len(), &[]),
            2 => file.forge(self.reader),
            _ => file.lose(self.reader, mixed % (file.used() / SECTOR_BYTES), 1 + which / 4 % 8),
        }
    }
}

/// Crashes that lose any end of what was not confirmed: bytes of the log, stores, or both. Properties are judged, and that a
/// synchronous network brings progress; refinement is not (see its module).
///
/// # Panics
/// When something is wrong.
pub fn recovery(bytes: &[u8]) {
    let schedule = Schedule::from_file(bytes);
    if let Err(wrong) = judge(&schedule, LogContents::read) {
        panic!("{wrong}\nin a world whose disks lose what is not confirmed: {:02x?}", schedule.explicit());
    }
}

/// Runs a schedule whose log files are read by `reader`.
///
/// # Errors
/// The failure.
pub fn judge(schedule: &Schedule, reader: Reader) -> Result<(), String> {
    let mut files = Files::new(schedule, reader);
    files.flush();
    for index in 0..schedule.choices.len() {
        files.choose(schedule, index)?;
    }
    count_steps(files.watcher.steps);
    let last = schedule.header.0[5];
    if last % CUT_EVERYWHERE_EVERY == 1 {
        let host = usize::from(schedule.header.0[4]) % files.files.len();
        files.files[host].cut_everywhere(reader)?;
    }
    if last.is_multiple_of(CALM_EVERY) {
        let ends = calm(&mut files.world, &mut files.watcher.oracle);
        files.judge()?;
        ends.map_err(|stalled| stalled.to_string())?;
    }
    Ok(())
}

/// Runs a schedule once for each write of a log in it and each way in which a crash can fall on that write (all of it, or
/// none; and its file cut at every byte), restarts the miner, and goes on. Returns how many crashes that were.
///
/// # Errors
/// The failure, and the write that it came after.
pub fn crash_at_every_write(schedule: &Schedule, reader: Reader) -> Result<u64, String> {
    let mut crashes = 0;
    for whole in [false, true] {
        let mut write = 0u64;
        loop {
            let mut files = Files::new(schedule, reader);
            let mut left = write;
            let mut crashed = false;
            for index in 0..schedule.choices.len() {
                let before: Vec<usize> =
                    files.world.hosts.iter().map(|host| host.disk.log.crash_points()).collect();
                // Crashes of the schedule itself would hide which write is meant.
                if schedule.choices[index].0[0] < 0xc0 {
                    files.choose(schedule, index)?;
                }
                for (host, before) in before.into_iter().enumerate() {
                    if crashed || files.world.hosts[host].disk.log.crash_points() <= before {
                        continue;
                    }
                    if left > 0 {
                        left -= 1;
                        continue;
                    }
                    crashed = true;
                    // The last byte of the write, or none of it; which bytes lie between is tried on the file alone.
                    let byte = if whole { whole_write(&files, host) } else { 0 };
                    let fall = Fall { byte, zeros: false, stores: write as usize };
                    let at = |wrong| format!("write {write} (whole: {whole}): {wrong}");
                    files.crash(host, fall).map_err(at)?;
                    files.files[host].cut_everywhere(reader).map_err(at)?;
                    files.world.restart(host, &mut files.watcher);
                    files.flush();
                    files.judge().map_err(at)?;
                }
            }
            if !crashed {
                break;
            }
            let ends = calm(&mut files.world, &mut files.watcher.oracle);
            files.judge().map_err(|wrong| format!("write {write}, synchronous: {wrong}"))?;
            ends.map_err(|stalled| format!("write {write}: {stalled}"))?;
            crashes += 1;
            write += 1;
        }
    }
    Ok(crashes)
}

/// Bytes of the write that is on its way.
fn whole_write(files: &Files, index: usize) -> usize {
    let (log, file) = (&files.world.hosts[index].disk.log, &files.files[index]);
    let pending = log.clone().crash(log.crash_points()).durable().len() - file.records.len();
    pending.div_ceil(RECORDS_PER_FRAME) * SECTOR_BYTES
}
