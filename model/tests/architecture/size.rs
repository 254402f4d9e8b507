//! The specification can be read in one sitting.

use std::path::Path;

/// Lines that the sources of `model/spec` may have, as `wc -l` counts them.
const MOST: usize = 2_500;

/// All lines of the Rust files below a folder.
fn lines(folder: &Path) -> usize {
    let of = |path: std::path::PathBuf| {
        let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.iter().filter(|byte| **byte == b'\n').count()
    };
    super::sources(folder).into_iter().map(of).sum()
}

#[test]
fn the_specification_is_short() {
    let found = lines(&super::root().join("model/spec/src"));
    assert!(found > 1_000, "{found} lines in model/spec/src: were they read?");
    assert!(
        found <= MOST,
        "{found} lines in model/spec/src; at most {MOST}: say it shorter, or move it to the room that needs it"
    );
}

/// The control: lines of files in folders count, and of Rust files only.
#[test]
fn lines_are_counted() {
    let at = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(at.path().join("steps")).unwrap();
    for (name, text) in [("lib.rs", "a\n\nb\n"), ("steps/mod.rs", "c\n"), ("steps/notes.md", "d\n")] {
        std::fs::write(at.path().join(name), text).unwrap();
    }
    assert_eq!(lines(at.path()), 4);
}
