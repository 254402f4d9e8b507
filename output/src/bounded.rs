//! A file that somebody names is read up to a bound: a device or a pipe has no end, and says nothing of its length.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

use crate::plain;

/// Bytes of an input that a tool is given by name, unless the tool says otherwise: 16 MiB, a hundred times the largest one that
/// a tool of this project writes.
pub const MOST_BYTES: u64 = 1 << 24;

/// The bytes of a file, at most `most`. Of a longer one no more than that and one is read.
///
/// # Errors
/// What the file system says, and [`ErrorKind::FileTooLarge`]: each with the name of the file and the fix.
pub fn bytes(file: impl AsRef<Path>, most: u64) -> Result<Vec<u8>> {
    let file = file.as_ref();
    let named = |error: Error| {
        let why = format!(
            "{}: cannot be read: {error}\n  fix: name a file that is there and may be read",
            plain::path(file)
        );
        Error::new(error.kind(), why)
    };
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|open| open.take(most.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(named)?;
    if bytes.len() as u64 > most {
        let why = format!(
            "{}: larger than {most} bytes, the most that is read\n  fix: name a file that a tool of this project wrote",
            plain::path(file)
        );
        return Err(Error::new(ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// [`bytes`] as text.
///
/// # Errors
/// Those of [`bytes`], and [`ErrorKind::InvalidData`] for bytes that are no UTF-8.
pub fn text(file: impl AsRef<Path>, most: u64) -> Result<String> {
    let file = file.as_ref();
    String::from_utf8(bytes(file, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let why = format!("{}: no UTF-8 at byte {at}\n  fix: name a text file", plain::path(file));
        Error::new(ErrorKind::InvalidData, why)
    })
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
        assert!(
            error.starts_with("/dev/zero: larger than 1000 bytes, the most that is read\n  fix: "),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_text_and_what_is_not_there_is_said_with_its_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"ab\xff").unwrap();
        assert!(text(file.path(), 9).unwrap_err().to_string().contains(": no UTF-8 at byte 2\n  fix: "));
        let error = bytes("no-such-file", 9).unwrap_err().to_string();
        assert!(
            error.starts_with("no-such-file: cannot be read: ") && error.contains("\n  fix: "),
            "{error}"
        );
    }
}
