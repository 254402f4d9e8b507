//! The tests of both models. One program: linking takes longer than most of them.

mod boundary;
mod catalog;
mod handoff;
mod key_generation;
mod page;

/// Compares a committed file of this crate with its text, and writes it anew where `ZUS_EPOCHS_WRITE` is set.
fn committed(path: &str, text: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("ZUS_EPOCHS_WRITE").is_some() {
        std::fs::write(&file, text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let again = "ZUS_EPOCHS_WRITE=1 cargo test -p zus-epochs --test all runs";
    assert!(found == text, "{path} is not current; `{again}` writes it. Its text is\n{text}");
}
