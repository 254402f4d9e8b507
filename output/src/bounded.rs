//! A file that somebody names is read up to a bound: a device or a pipe has no end, and says nothing of its length.
//!
//! A pipe that has a name in a folder is not opened: it waits for a writer that may never come. A file that is open
//! already, or a device, has its name below `/dev` or `/proc` (`/dev/stdin`, and what `<(command)` of a shell stands
//! for) and is read.

use std::fmt::{self, Display, Formatter};
use std::fs::{self, File};
use std::io::{self, Error, ErrorKind, Read};
use std::path::Path;

use crate::plain;

/// Bytes of an input that a tool is given by name, unless the tool says otherwise: 16 MiB, a hundred times the largest one that
/// a tool of this project writes.
pub const MOST_BYTES: u64 = 1 << 24;

/// Why a file is not read.
#[derive(Debug)]
pub enum Unread {
    /// The file system refuses.
    Refused(Error),
    /// It is something else, which this says: a folder, or a pipe or a socket with a name.
    NoFile(&'static str),
    /// It has more bytes than this.
    TooLarge(u64),
    /// It is no UTF-8.
    NoText {
        /// The line, from 1.
        line: usize,
        /// The byte, from 0.
        at: usize,
    },
}

impl Display for Unread {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Unread::Refused(error) => write!(f, "cannot be read: {error}"),
            Unread::NoFile(what) => write!(f, "this is {what}, and no file"),
            Unread::TooLarge(most) => write!(f, "larger than {most} bytes, the most that is read"),
            Unread::NoText { line, at } => write!(f, "no UTF-8 at byte {at}, in line {line}"),
        }
    }
}

impl std::error::Error for Unread {}

impl Unread {
    /// The fix to suggest to the user, where `meant` is to be named.
    #[must_use]
    pub fn fix(&self, meant: &str) -> String {
        match self {
            Unread::Refused(error) if error.kind() == ErrorKind::PermissionDenied => {
                format!("allow it to be read, or name {meant}")
            }
            Unread::Refused(_) => format!("name {meant}, one that is there"),
            Unread::NoFile(_) => format!("name {meant}"),
            Unread::TooLarge(most) => {
                format!("name {meant}; none that is of use is larger than {most} bytes")
            }
            Unread::NoText { .. } => format!("save it as UTF-8, or name {meant}"),
        }
    }

    /// Whether there is nothing of that name.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Unread::Refused(error) if error.kind() == ErrorKind::NotFound)
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Unread::Refused(error) => error.kind(),
            Unread::NoFile(_) => ErrorKind::InvalidInput,
            Unread::TooLarge(_) => ErrorKind::FileTooLarge,
            Unread::NoText { .. } => ErrorKind::InvalidData,
        }
    }

    /// With the name of the file and a fix.
    fn of(self, file: &Path) -> Error {
        let fix = self.fix("a file that a tool of this project wrote, or that is like one");
        Error::new(self.kind(), format!("{}: {self}\n  fix: {fix}", plain::path(file)))
    }
}

/// The kind of thing at `file`, if it is no file and nothing that is open already.
pub(crate) fn no_file(file: &Path) -> Option<&'static str> {
    let found = fs::metadata(file).ok()?;
    if found.is_dir() {
        return Some("a folder");
    }
    let is_open = ["/dev", "/proc"].iter().any(|root| file.starts_with(root));
    (!found.is_file() && !is_open).then_some("a pipe, a socket or a device")
}

/// Opens a file for one who reads it piece by piece.
///
/// # Errors
/// If it is not there, or no file.
pub fn open(file: impl AsRef<Path>) -> Result<File, Unread> {
    let file = file.as_ref();
    match no_file(file) {
        Some(what) => Err(Unread::NoFile(what)),
        None => File::open(file).map_err(Unread::Refused),
    }
}

/// The bytes, at most `most`. Of a longer file no more than that and one is read.
fn read_bytes(open: impl Read, most: u64) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    open.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(Unread::Refused)?;
    if bytes.len() as u64 > most { Err(Unread::TooLarge(most)) } else { Ok(bytes) }
}

/// The text of a file of at most `most` bytes, for those who name the file and the fix themselves.
///
/// # Errors
/// If it is not there, no file, too large, or no text.
pub fn read(file: impl AsRef<Path>, most: u64) -> Result<String, Unread> {
    read_open(open(file)?, most)
}

/// [`read`] of what is open already.
///
/// # Errors
/// If it is too large, or no text.
pub fn read_open(open: impl Read, most: u64) -> Result<String, Unread> {
    String::from_utf8(read_bytes(open, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count();
        Unread::NoText { line, at }
    })
}

/// The bytes of a file, at most `most`.
///
/// # Errors
/// As [`read`], with the name of the file and the fix; any bytes will do.
pub fn bytes(file: impl AsRef<Path>, most: u64) -> io::Result<Vec<u8>> {
    let file = file.as_ref();
    open(file).and_then(|open| read_bytes(open, most)).map_err(|error| error.of(file))
}

/// [`read`], with the name of the file and the fix in the error.
///
/// # Errors
/// As [`read`].
pub fn text(file: impl AsRef<Path>, most: u64) -> io::Result<String> {
    let file = file.as_ref();
    read(file, most).map_err(|error| error.of(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_length(length: u64) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        // Sparse.
        file.as_file().set_len(length).unwrap();
        file
    }

    #[test]
    fn a_file_is_read_up_to_the_bound_and_not_beyond() {
        assert_eq!(bytes(of_length(1000).path(), 1000).unwrap(), vec![0; 1000]);
        let longer = of_length(1001);
        let error = bytes(longer.path(), 1000).unwrap_err();
        let name = plain::path(longer.path());
        let said = format!("{name}: larger than 1000 bytes, the most that is read\n  fix: ");
        assert!(error.to_string().starts_with(&said), "{error}");
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert!(text(of_length(1 << 36).path(), 1000).is_err(), "64 GiB");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_an_end_is_refused() {
        let error = text("/dev/zero", 1000).unwrap_err().to_string();
        let said = "/dev/zero: larger than 1000 bytes, the most that is read\n  fix: ";
        assert!(error.starts_with(said), "{error}");
    }

    #[test]
    fn what_is_no_text_and_what_is_not_there_is_said_with_its_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"ab\xff").unwrap();
        let error = text(file.path(), 9).unwrap_err().to_string();
        assert!(error.contains(": no UTF-8 at byte 2, in line 1\n  fix: save it as UTF-8"), "{error}");
        let error = bytes("no-such-file", 9).unwrap_err().to_string();
        assert!(
            error.starts_with("no-such-file: cannot be read: ") && error.contains("\n  fix: "),
            "{error}"
        );
    }

    /// Each with a fix of its own.
    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let told = |error: Unread| format!("{error}; {}", error.fix("a trace"));
        let of = |name: &str| told(read(folder.path().join(name), 9).unwrap_err());
        assert!(of("none").ends_with("; name a trace, one that is there"));
        assert_eq!(told(read(folder.path(), 9).unwrap_err()), "this is a folder, and no file; name a trace");
        std::fs::write(folder.path().join("bytes"), b"\n\nx\xff").unwrap();
        assert_eq!(of("bytes"), "no UTF-8 at byte 3, in line 3; save it as UTF-8, or name a trace");
        std::fs::write(folder.path().join("large"), b"0123456789").unwrap();
        assert!(of("large").ends_with("name a trace; none that is of use is larger than 9 bytes"));
        #[cfg(unix)]
        {
            let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
            assert!(made.unwrap().success());
            assert_eq!(of("pipe"), "this is a pipe, a socket or a device, and no file; name a trace");
        }
    }
}
