//! Puts the committed scenarios and the list of mutants into the binary, so that `zus check` runs them from any folder.

use std::{env, fmt::Write, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=scenarios");
    let package = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let folder = Path::new(&package).join("scenarios");
    let mut files = Vec::new();
    collect(&folder, "", &mut files);
    files.sort();
    let mut code = String::from("&[\n");
    for name in files {
        let path = folder.join(&name);
        writeln!(code, "    ({name:?}, include_str!({path:?})),").expect("a string can be written to");
    }
    code.push_str("]\n");
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("committed.rs");
    fs::write(out, code).expect("the build folder can be written to");
}

/// All TOML files below `folder`, as paths relative to the first one, with forward slashes.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{prefix}{name}/"), files);
        } else if name.ends_with(".toml") {
            files.push(format!("{prefix}{name}"));
        }
    }
}
