//! Puts the committed figures into the library, so that `zus report` runs from any folder.

use std::{env, fmt::Write, fs, path::Path};

include!("../embed.rs");

fn main() {
    println!("cargo::rerun-if-changed=../embed.rs");
    embed("figures", ".json", "figures.rs");
}
