//! Copies the committed inputs of each target to `corpus/`, which belongs to the fuzz engine: it adds its findings there, and
//! `cargo fuzz cmin` replaces them. Git ignores `corpus/`. This is done once, and again when the committed inputs change or
//! `corpus/` is deleted.

use std::fs::{copy, create_dir_all, read_dir, rename, write};
use std::io::Result;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=inputs");
    println!("cargo::rerun-if-changed=corpus/.copied");
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
            if !place.exists() {
                // Whole or not at all: an engine may be reading.
                let partly = corpus.join(".copying");
                copy(input.path(), &partly)?;
                rename(&partly, &place)?;
            }
        }
    }
    write("corpus/.copied", "")
}
