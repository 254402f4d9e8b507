//! Lines on standard output, and what happens when nobody can read them.

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, Write},
    process::exit,
};

/// The exit code when the reader went away before the end (`… | head`): the work was not finished.
pub const READER_LEFT: i32 = 3;
/// The exit code when standard output cannot be written to, for instance on a full disk.
pub const UNWRITABLE: i32 = 2;

/// Prints a line on standard output. `println!` panics when a reader has gone away; this ends the process instead.
#[macro_export]
macro_rules! say {
    () => { $crate::stdout::line(::std::format_args!("")) };
    ($($argument:tt)*) => { $crate::stdout::line(::std::format_args!($($argument)*)) };
}

/// Prints a line, or ends the process: with [`READER_LEFT`] when the reader went away, else with [`UNWRITABLE`] and a
/// message.
pub fn line(arguments: Arguments<'_>) {
    let mut stdout = io::stdout().lock();
    let Err(error) = stdout.write_fmt(arguments).and_then(|()| stdout.write_all(b"\n")) else { return };
    if error.kind() == ErrorKind::BrokenPipe {
        exit(READER_LEFT);
    }
    let _ = writeln!(
        io::stderr(),
        "error: standard output: {error}\n  fix: make room where it goes, or send it elsewhere"
    );
    exit(UNWRITABLE)
}
