//! Puts the committed scenarios into the library, so that `zus check` runs from any folder.

use std::{env, fmt::Write, fs, path::Path};

include!("../embed.rs");

fn main() {
    println!("cargo::rerun-if-changed=../embed.rs");
    embed("scenarios", ".toml", "committed.rs");
}
