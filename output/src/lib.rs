//! How the tools of the project write, and how they read what they are given by name.
//!
//! It is for the tools of this project. A tool of another one can use it as well: it knows nothing of the protocol.
//!
//! ```
//! use zus_output::{bounded, plain, whole};
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("report.txt");
//! whole::write(&file, b"holds\n")?;                                   // beside its place, synced, renamed
//! assert_eq!(bounded::text(&file, 1 << 10)?, "holds\n");              // and not one byte more than a KiB
//! assert_eq!(plain::line("gnp\u{202e}.exe"), "gnp\\u{202e}.exe");      // nothing is hidden
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! - [`bounded`]: a file that somebody names is read up to a bound.
//! - [`whole`]: a file appears whole or not at all.
//! - [`figures`]: the format in which the tools hand their tables, plots and numbers to the report.
//! - [`folder`]: a folder of output knows which files are its own, so that none of an earlier run stays.
//! - [`limits`]: a file that may grow no further is an error, and not the end of the process.
//! - [`lock`]: one run at a time writes into a folder.
//! - `numbers` (a feature, for tests): which numbers of a command line have bounds.
//! - [`plain`]: text from elsewhere (names, paths, traces) cannot disguise itself on a terminal or a page.
//! - [`pulse`]: a line on standard error every few seconds, on a terminal or not.
//! - [`stdout`]: lines on standard output, and what happens when nobody can read them.
#![forbid(unsafe_code)]

pub mod bounded;
pub mod figures;
pub mod folder;
pub mod limits;
pub mod lock;
#[cfg(feature = "numbers")]
pub mod numbers;
pub mod plain;
pub mod pulse;
pub mod stdout;
pub mod whole;
