//! Crashes and damaged disks: miners whose writes are files of the real format, cut and damaged at every byte.
//!
//! The world gives each miner a log in memory. Beside it this target keeps the bytes that the production crate would have in
//! a file ([`LogImage`]), one write a flush. A crash interrupts the write that is on its way: the file is cut at a byte that
//! the schedule chooses, or a sector of the write stays zero, and what the production reader finds there is what the miner
//! restarts with. Oracles judge the run (S1 above all: a restarted miner never contradicts what it signed).
//!
//! What is expected of the reader is said here without it: which records were flushed at which length of the file.

use std::path::Path;

use zus_bpp::committee::Round;
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::ticket_log::{LogContents, LogError, LogImage, MAX_RECORDS_PER_FLUSH, Owner, Record, TicketLog};

use super::codecs::OWNER;
use super::count_steps;
use super::runs::CALM_EVERY;
use crate::bounds::Oracle;
use crate::liveness::calm;
use crate::schedule::operation::perform;
use crate::schedule::{Random, Schedule, ground_of, resolve};
use crate::world::{Disk, Event, Watch, World};

/// One of so many inputs has the file of one miner cut at every byte when the run ends.
const CUT_EVERYWHERE_EVERY: u8 = 16;
/// Bytes that a disk writes or does not write as a whole.
const SECTOR_BYTES: usize = 512;
/// What reads a log file: the production crate's reader, or in a control one that is wrong.
pub type Reader = fn(&Path, &[u8], &Owner) -> Result<LogContents, LogError>;

/// A log file, with the length that it had after each write.
#[derive(Clone, Debug)]
pub struct LogFile {
    image: LogImage,
    /// For each length at which a whole frame ends: the records up to there.
    ends: Vec<(usize, usize)>,
    records: Vec<Record>,
}

impl Default for LogFile {
    fn default() -> Self {
        let image = LogImage::new(&OWNER, Round(0));
        Self { ends: vec![(image.bytes().len(), 0)], image, records: Vec::new() }
    }
}

impl LogFile {
    /// Writes records as one flush.
    pub fn write(&mut self, records: &[Record]) {
        for frame in records.chunks(MAX_RECORDS_PER_FLUSH) {
            self.image.write(frame);
            self.records.extend(frame);
            self.ends.push((self.image.bytes().len(), self.records.len()));
        }
    }

    /// Bytes of the file.
    #[must_use]
    pub fn length(&self) -> usize {
        self.image.bytes().len()
    }

    /// The records that a file of this length must say, and where its last whole frame ends.
    fn expected(&self, length: usize) -> Option<(usize, &[Record])> {
        let (end, count) = *self.ends.iter().rev().find(|(end, _)| *end <= length)?;
        Some((end, &self.records[..count]))
    }

    /// Reads the file after a crash that left its first `cut` bytes. `unwritten` bytes behind them are zero.
    ///
    /// # Errors
    /// What the reader said and should not have said.
    pub fn read_after(&self, reader: Reader, cut: usize, unwritten: usize) -> Result<LogContents, String> {
        let mut bytes = self.image.bytes()[..cut].to_vec();
        bytes.resize(cut + unwritten, 0);
        let found = reader(Path::new("tickets.log"), &bytes, &OWNER);
        match (self.expected(cut), found) {
            (None, Err(LogError::Damaged { .. })) => Err("damaged".into()),
            (None, other) => {
                Err(format!("cut at {cut}, into what the file began with: {:?}", other.map(drop)))
            }
            (Some(_), Err(error)) => Err(format!("cut at {cut}, {unwritten} zeros: refused: {error}")),
            (Some((end, records)), Ok(found)) => {
                let same = says(&found, records);
                let ends = found.good_bytes() == end as u64;
                let wrong = format!("cut at {cut}, {unwritten} zeros: {found:?}, expected {records:?}");
                (same && ends).then_some(found).ok_or(wrong)
            }
        }
    }

    /// Cuts the file at every byte.
    ///
    /// # Errors
    /// The first cut after which the reader does not say what it should.
    pub fn cut_everywhere(&self, reader: Reader) -> Result<(), String> {
        let base = self.ends[0].0;
        for cut in 0..=self.length() {
            match self.read_after(reader, cut, 0) {
                Ok(_) if cut >= base => {}
                Err(refused) if cut < base && refused == "damaged" => {}
                Ok(_) => return Err(format!("cut at {cut}: half a header is no log")),
                Err(wrong) => return Err(wrong),
            }
        }
        Ok(())
    }

    /// Changes one bit of the file: no record may be lost or changed, so that nothing but a refusal is right.
    ///
    /// # Errors
    /// When the reader takes the file, or refuses it without saying which file, where and what to do.
    pub fn flip(&self, reader: Reader, bit: usize) -> Result<(), String> {
        let mut bytes = self.image.bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match reader(Path::new("tickets.log"), &bytes, &OWNER) {
            Ok(found) => Err(format!("bit {bit} of {} bytes is not noticed: {found:?}", bytes.len())),
            Err(error) => {
                let told = error.to_string();
                let clear = match error {
                    LogError::Damaged { offset, .. } => {
                        offset <= (bit / 8) as u64 && told.contains("at byte")
                    }
                    LogError::Version { .. } => (8..10).contains(&(bit / 8)),
                    _ => false,
                };
                (clear && told.contains("tickets.log")).then_some(()).ok_or(told)
            }
        }
    }

    /// Writes garbage behind the file: it is dropped as a torn write, or refused, and never believed.
    ///
    /// # Errors
    /// When the reader finds other records than were written.
    pub fn append(&self, reader: Reader, garbage: &[u8]) -> Result<(), String> {
        let bytes = [self.image.bytes(), garbage].concat();
        match reader(Path::new("tickets.log"), &bytes, &OWNER) {
            Ok(found) if says(&found, &self.records) && found.good_bytes() == self.length() as u64 => Ok(()),
            Ok(found) => Err(format!("{garbage:02x?} behind the file: {found:?}")),
            Err(LogError::Damaged { offset, .. }) if offset == self.length() as u64 => Ok(()),
            Err(error) => Err(format!("{garbage:02x?} behind the file: {error}")),
        }
    }
}

/// Whether exactly these records were found. Runs are shorter than what a log keeps, so that none is forgotten.
fn says(found: &LogContents, records: &[Record]) -> bool {
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
    /// Whether the rest of the write was announced to the file system and never written.
    unwritten: bool,
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
        setup.disk = Disk::Slow;
        // What a disk loses is a question to a durable log, and the liveness after it is that of the recommended profile.
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
            let fall = Fall { byte: b.into(), unwritten: what & 2 != 0, stores: usize::from(c) };
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

    /// What became durable in a choice is written.
    fn flush(&mut self) {
        for (host, file) in self.world.hosts.iter().zip(&mut self.files) {
            let durable = host.log.durable();
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
        let flushed = (file.length(), file.records.len());
        let whole = host.log.clone().crash(host.log.crash_points());
        let mut torn = file.clone();
        torn.write(&whole.durable()[flushed.1..]);
        let cut = flushed.0 + fall.byte % (torn.length() - flushed.0 + 1);
        let unwritten = if fall.unwritten { zeros_after(&torn, cut) } else { 0 };
        let found = torn.read_after(self.reader, cut, unwritten)?;
        let (_, records) = torn.expected(cut).ok_or("a flushed file has a beginning")?;
        let kept = records.len() - flushed.1;
        self.world.crash_losing(index, kept, fall.stores, &mut self.watcher);
        // The miner restarts with what the file says.
        let host = &self.world.hosts[index];
        if host.log.signed() != found.signed() {
            return Err(format!("the file says {found:?}, and memory {:?}", host.log.signed()));
        }
        torn.records.truncate(flushed.1 + kept);
        torn.ends.retain(|(end, _)| *end <= cut);
        torn.image = LogImage::recovered(&torn.image.bytes()[..cut], &found);
        self.files[index] = torn;
        Ok(())
    }

    /// Damages a copy of the file of a miner.
    fn damage(&self, index: usize, which: usize, garbage: bool) -> Result<(), String> {
        let file = &self.files[index];
        if garbage {
            let mut random = Random::new(which as u64);
            let length = 1 + random.below(300);
            let garbage: Vec<u8> = (0..length).map(|_| random.bits() as u8).collect();
            file.append(self.reader, &garbage)
        } else {
            file.flip(self.reader, which.wrapping_mul(0x9e37) % (8 * file.length()))
        }
    }
}

/// How many zeros may stand behind a cut: the rest of the write, if the part of it in some sector is nothing but zeros then.
/// Parts of less than 8 bytes are no evidence of a write that was not made.
fn zeros_after(torn: &LogFile, cut: usize) -> usize {
    let end = torn.length();
    let Some((start, _)) = torn.expected(cut) else { return 0 };
    // One frame is on its way at a time, and no later one has begun.
    let is_last = torn.ends.iter().filter(|(end, _)| *end > start).count() == 1;
    let boundary = cut.div_ceil(SECTOR_BYTES) * SECTOR_BYTES;
    let first = if cut == start { boundary.min(end) - start } else { 0 };
    let part = first.max(end.saturating_sub(boundary).min(SECTOR_BYTES));
    if is_last && part >= 8 { end - cut } else { 0 }
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
/// What is wrong.
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
/// What is wrong, and after which write.
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
                    files.world.hosts.iter().map(|host| host.log.crash_points()).collect();
                // Crashes of the schedule itself would hide which write is meant.
                if schedule.choices[index].0[0] < 0xc0 {
                    files.choose(schedule, index)?;
                }
                for (host, before) in before.into_iter().enumerate() {
                    if crashed || files.world.hosts[host].log.crash_points() <= before {
                        continue;
                    }
                    if left > 0 {
                        left -= 1;
                        continue;
                    }
                    crashed = true;
                    // The last byte of the write, or none of it; which bytes lie between is tried on the file alone.
                    let byte = if whole { whole_write(&files, host) } else { 0 };
                    let fall = Fall { byte, unwritten: false, stores: write as usize };
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
    let (log, file) = (&files.world.hosts[index].log, &files.files[index]);
    let mut torn = file.clone();
    torn.write(&log.clone().crash(log.crash_points()).durable()[file.records.len()..]);
    torn.length() - file.length()
}
