//! A name has one meaning in production: a public type that has the name of another one is in a list, with the reason.

use std::collections::{BTreeMap, BTreeSet};

use super::{root, sources};

/// Names that several types have, and why.
const SHARED: [(&str, &str); 9] = [
    ("Beacon", "a trait of schemes, and what a miner knows of the beacon of a round"),
    ("Identity", "the key of a member with its proof, and what the system calls a file"),
    ("Input", "of a miner, and of a replica that passes it on"),
    ("Item", "an epoch item, and one of those that are read back"),
    ("Output", "of a miner, of a replica, of a member of a key generation"),
    ("Phase", "of a miner, of a key generation, and of its messages"),
    ("Progress", "of an epoch towards its record, as a trait, and its instance"),
    ("Timer", "of a miner, and of a replica that passes it on"),
    ("WriteId", "of the writes of a miner, and of those of a key generation"),
];

/// The public types of a file without its tests.
fn types(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines().filter_map(|line| {
        let (kind, rest) = line.strip_prefix("pub ")?.split_once(' ')?;
        let name = rest.split(|letter: char| !letter.is_alphanumeric()).next()?;
        ["struct", "enum", "trait", "type", "union"].contains(&kind).then_some(name)
    })
}

/// The names that several files have a type of.
fn shared<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (file, text) in files {
        for name in types(text) {
            found.entry(name).or_default().insert(file);
        }
    }
    found.retain(|_, files| files.len() > 1);
    found
}

#[test]
fn two_types_of_production_have_one_name_for_a_reason_only() {
    let folders = ["impl/src", "impl/bls/src"].map(|folder| sources(&root().join(folder)));
    let of_tests = |path: &str| path.contains("/tests/") || path.ends_with("tests.rs");
    let files: Vec<(String, String)> = folders
        .into_iter()
        .flatten()
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("a source file")))
        .filter(|(path, _)| !of_tests(path))
        .collect();
    assert!(files.len() > 50, "{} files", files.len());
    let found = shared(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let allowed: BTreeSet<&str> = SHARED.iter().map(|(name, _)| *name).collect();
    let new: Vec<_> = found.iter().filter(|(name, _)| !allowed.contains(*name)).collect();
    assert!(new.is_empty(), "give one of each another name, or a reason to {}: {new:?}", file!());
    let gone: Vec<_> = allowed.iter().filter(|name| !found.contains_key(*name)).collect();
    assert!(gone.is_empty(), "no name of several types any more: {gone:?}");
}

#[test]
fn a_second_type_of_one_name_is_seen() {
    let one =
        "pub struct Log {\n}\npub(crate) enum Place {}\n#[cfg(test)]\nmod tests {\npub struct Miner;\n}\n";
    let two = "pub enum Log<T> {\n}\n    pub struct Place;\npub struct Miner;\n";
    let found = shared([("one", one), ("two", two)]);
    assert_eq!(found, BTreeMap::from([("Log", BTreeSet::from(["one", "two"]))]));
}
