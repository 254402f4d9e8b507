//! Copies the committed inputs of each target to `corpus/`, which belongs to the fuzz engine: it adds its findings there, and
//! `cargo fuzz cmin` replaces them. Git ignores `corpus/`. This is done once, and again when the committed inputs change, those that have
//! a new content included, or when `corpus/` is deleted.

use std::fs::{File, copy, create_dir_all, metadata, read, read_dir, rename};
use std::io::Result;
use std::path::Path;

/// While it is there, the inputs need not be copied again.
const COPIED: &str = "corpus/.copied";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=inputs");
    println!("cargo::rerun-if-changed={COPIED}");
    if let Err(error) = copy_all() {
        println!("cargo::warning=fuzz/corpus: {error}: the engine begins without the committed inputs");
    }
}

fn copy_all() -> Result<()> {
    for target in read_dir("inputs")? {
        let target = target?;
        let corpus = Path::new("corpus").join(target.file_name());
        create_dir_all(&corpus)?;
        for input in read_dir(target.path())? {
            let input = input?;
            let place = corpus.join(input.file_name());
            if read(&place).ok() != Some(read(input.path())?) {
                // Whole or not at all: an engine may be reading.
                let partly = corpus.join(".copying");
                copy(input.path(), &partly)?;
                rename(&partly, &place)?;
            }
        }
    }
    // As old as this file: a mark that is newer than the build would make cargo build again each time.
    File::create(COPIED)?.set_modified(metadata("build.rs")?.modified()?)
}
