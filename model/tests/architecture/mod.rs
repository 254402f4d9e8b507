//! The house stands as it is described: rules are looked at exhaustively, nobody depends on a room above it, and the
//! specification is short.

mod folders;
mod graph;
mod left_out;
mod names;
mod rules;
mod size;

use std::path::{Path, PathBuf};

/// The root of the project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(folder: &Path) -> toml::Table {
    let path = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folders of the crates of the workspace, as its manifest names them.
fn members(root: &Path) -> Vec<String> {
    let members = manifest(root)["workspace"]["members"].as_array().expect("a list of members").clone();
    members.iter().map(|member| member.as_str().expect("a folder").to_owned()).collect()
}

/// The Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    files(folder, &[".rs"])
}

/// The files below a folder whose names end so, but those that are built or fetched, and the inputs of fuzzing, which hold any text.
pub(crate) fn files(folder: &Path, ends: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules", "corpus", "inputs", "regressions"].contains(&&*name)
                && !name.starts_with('.')
            {
                found.extend(files(&path, ends));
            }
        } else if ends.iter().any(|end| name.ends_with(end)) {
            found.push(path);
        }
    }
    found
}
