//! Every file is compiled: one that no module names is passed over by the compiler, and its tests never run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{root, sources};

const NONE: [PathBuf; 0] = [];

/// Folders whose files a build script lists: the compiler is given each of them with its feature.
const LISTED: [&str; 1] = ["benches/operations/peers"];

/// Whether a file is the root of a program or a library of its crate, as Cargo finds it or as `Cargo.toml` says.
fn is_root(path: &Path, manifests: &BTreeSet<PathBuf>) -> bool {
    let name = path.file_name().unwrap_or_default();
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    ["lib.rs", "main.rs", "build.rs"].iter().any(|root| name == *root)
        || ["examples", "bin", "benches"].iter().any(|found_by_cargo| folder == *found_by_cargo)
        || manifests.contains(path)
        || path.parent().is_some_and(|folder| LISTED.iter().any(|listed| folder.ends_with(listed)))
}

/// The path of a line that says where the file of a module is.
pub(super) fn path_of_module(line: &str) -> Option<&str> {
    line.trim().strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]"))
}

/// The files that a module of `of` may name: next to it, or in the folder of its name.
fn named(of: &Path, text: &str) -> Vec<PathBuf> {
    let folder = of.parent().unwrap_or(of);
    let own = of.file_stem().unwrap_or_default();
    let mut found = Vec::new();
    let mut at = None;
    for line in text.lines().map(str::trim) {
        if let Some(path) = path_of_module(line) {
            at = Some(folder.join(path));
        } else if let Some(path) = line.strip_prefix("include!(\"").and_then(|rest| rest.strip_suffix("\");"))
        {
            found.push(folder.join(path));
        } else if let Some(name) = line.split_once("mod ").and_then(|(_, rest)| rest.strip_suffix(';')) {
            match at.take() {
                Some(path) => found.push(path),
                None => {
                    for below in [folder.to_path_buf(), folder.join(own)] {
                        found.extend([below.join(format!("{name}.rs")), below.join(name).join("mod.rs")]);
                    }
                }
            }
        }
    }
    found
}

/// Files below a folder that no module names.
fn left_out(folder: &Path) -> Vec<PathBuf> {
    let exact = |path: PathBuf| path.canonicalize().unwrap_or(path);
    let files: Vec<PathBuf> = sources(folder).into_iter().map(exact).collect();
    let read = |path: &Path| std::fs::read_to_string(path).expect("it is there");
    let mut reached = BTreeSet::new();
    for crate_folder in files.iter().flat_map(|file| file.ancestors().skip(1)).collect::<BTreeSet<_>>() {
        let manifest = crate_folder.join("Cargo.toml");
        if manifest.is_file() {
            let text = read(&manifest);
            let paths = text.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"'));
            reached.extend(paths.map(|path| exact(crate_folder.join(path))));
        }
    }
    reached.extend(files.iter().filter(|file| is_root(file, &reached)).cloned().collect::<Vec<_>>());
    let mut open: Vec<PathBuf> = reached.iter().filter(|path| path.is_file()).cloned().collect();
    while let Some(file) = open.pop() {
        for next in named(&file, &read(&file)).into_iter().filter(|path| path.is_file()).map(exact) {
            if reached.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    files.into_iter().filter(|file| !reached.contains(file)).collect()
}

#[test]
fn no_file_is_left_out() {
    assert_eq!(left_out(&root()), NONE, "no module names them: a `mod` is missing");
}

#[test]
fn a_file_that_no_module_names_is_found() {
    let at = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = at.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[package]\n[[test]]\npath = \"tests/all.rs\"\n");
    write("src/lib.rs", "pub mod a;\n#[path = \"other/place.rs\"]\nmod c;\n");
    write("src/a.rs", "mod b;\n");
    write("src/a/b.rs", "");
    write("src/other/place.rs", "");
    write("tests/all.rs", "mod cli;\n");
    write("tests/cli/mod.rs", "");
    assert_eq!(left_out(at.path()), NONE);
    write("tests/forgotten.rs", "");
    write("src/a/c.rs", "");
    let names = |found: Vec<PathBuf>| {
        found.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(left_out(at.path())), ["c.rs", "forgotten.rs"]);
}
