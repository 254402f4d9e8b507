//! The program `zus`, run by the tests.

use std::{
    path::Path,
    process::{Command, Output},
};

/// Its output for these arguments, in a folder.
pub fn zus_in(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zus")).args(arguments).current_dir(folder).output().unwrap()
}

/// Printed bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
