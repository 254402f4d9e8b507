//! Crates and folders depend on each other in one direction.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A crate, and the crates of the project that it may use outside its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("zus-output", &[]),
    ("zus-protocol", &[]),
    ("zus-spec", &["zus-protocol"]),
    ("zus-checker", &["zus-output", "zus-protocol", "zus-spec"]),
    ("zus-report", &["zus-checker", "zus-output"]),
    ("zus-model", &["zus-checker", "zus-output", "zus-report"]),
    ("zus-workbench", &["zus-output", "zus-report"]),
    ("zus-bls", &["zus-protocol"]),
    ("zus-bpp", &["zus-bls", "zus-protocol"]),
    ("zus-sim", &["zus-bpp"]),
    ("zus-fuzz", &["zus-bpp", "zus-checker", "zus-output", "zus-protocol", "zus-sim", "zus-spec"]),
    ("zus-fuzz-targets", &["zus-fuzz"]),
    ("zus-proofs", &["zus-checker", "zus-output", "zus-protocol", "zus-report", "zus-spec"]),
    ("zus-measure", &["zus-bpp", "zus-output"]),
    ("zus-benches", &["zus-bpp", "zus-measure", "zus-output", "zus-sim"]),
];

/// Nodes, and the nodes that each uses.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// A way from a node back to itself, if there is one.
fn circle(graph: &Graph) -> Option<Vec<String>> {
    fn walk<'g>(graph: &'g Graph, at: &'g str, way: &mut Vec<&'g str>, done: &mut BTreeSet<&'g str>) -> bool {
        if let Some(from) = way.iter().position(|node| *node == at) {
            way.drain(..from);
            return true;
        }
        if !done.insert(at) {
            return false;
        }
        way.push(at);
        let found = graph.get(at).is_some_and(|uses| uses.iter().any(|next| walk(graph, next, way, done)));
        if !found {
            way.pop();
        }
        found
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|start| {
        let mut way = Vec::new();
        walk(graph, start, &mut way, &mut done).then(|| way.into_iter().map(str::to_owned).collect())
    })
}

/// The crates of the workspace, each with the crates of the project that its manifest names outside `dev-dependencies`.
fn crates(root: &Path) -> Graph {
    let read = |path: &Path| -> toml::Table {
        let text =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let workspace = read(&root.join("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().expect("a list of members");
    let mut graph = Graph::new();
    for member in members.iter().filter_map(toml::Value::as_str) {
        let manifest = read(&root.join(member).join("Cargo.toml"));
        let name = manifest["package"]["name"].as_str().expect("a package has a name").to_owned();
        let uses = ["dependencies", "build-dependencies"]
            .iter()
            .filter_map(|table| manifest.get(*table)?.as_table())
            .flat_map(|table| table.keys().filter(|name| name.starts_with("zus-")).cloned());
        graph.insert(name, uses.collect());
    }
    graph
}

#[test]
fn crates_use_what_lies_below_them() {
    let graph = crates(&super::root());
    let mut wrong = Vec::new();
    for (name, uses) in &graph {
        let Some((_, allowed)) = ARROWS.iter().find(|(of, _)| of == name) else {
            wrong.push(format!("{name} has no row in ARROWS"));
            continue;
        };
        let more = uses.iter().filter(|used| !allowed.contains(&used.as_str()));
        wrong.extend(more.map(|used| format!("{name} uses {used}, which it may not")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(graph.len(), ARROWS.len(), "a row of ARROWS is about no crate");
    assert_eq!(circle(&graph), None);
    let allowed = ARROWS
        .iter()
        .map(|(name, uses)| ((*name).to_owned(), uses.iter().map(|u| (*u).to_owned()).collect()));
    assert_eq!(circle(&allowed.collect()), None, "ARROWS has a circle");
}

/// Crates that people use; `model/spec` is not named, whose lines are counted. Each says that it has no `unsafe` code.
const SAFE: [&str; 8] = [
    "impl/src/lib.rs",
    "model/checker/src/lib.rs",
    "model/protocol/src/lib.rs",
    "model/report/src/lib.rs",
    "model/src/main.rs",
    "model/workbench/src/main.rs",
    "output/src/lib.rs",
    "proofs/src/lib.rs",
];

/// Files that allow `unsafe` code for a module or for themselves: the workspace refuses it elsewhere.
fn with_unsafe(root: &Path) -> Vec<String> {
    let allows = |path: &std::path::PathBuf| {
        std::fs::read_to_string(path).is_ok_and(|text| text.contains(concat!("allow(", "unsafe_code)")))
    };
    let name = |path: std::path::PathBuf| path.strip_prefix(root).expect("below").display().to_string();
    super::sources(root).into_iter().filter(allows).map(name).collect()
}

#[test]
fn the_cryptography_alone_has_unsafe_code_of_what_is_shipped() {
    let root = super::root();
    for file in SAFE {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.lines().any(|line| line == "#![forbid(unsafe_code)]"), "{file} does not forbid it");
    }
    let shipped = with_unsafe(&root).into_iter().filter(|file| {
        !["benches/", "fuzz/"].iter().any(|room| file.starts_with(room)) && !file.contains("/tests/")
    });
    // The control is in the list itself: the one that has it is found.
    assert_eq!(shipped.collect::<Vec<_>>(), ["impl/bls/src/lib.rs"]);
}

/// The control: a circle is found, whatever leads to it.
#[test]
fn a_circle_is_found() {
    let graph = |arrows: &[(&str, &[&str])]| -> Graph {
        let owned = arrows
            .iter()
            .map(|(from, to)| ((*from).to_owned(), to.iter().map(|to| (*to).to_owned()).collect()));
        owned.collect()
    };
    assert_eq!(circle(&graph(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])), None);
    let found = circle(&graph(&[("a", &["b"]), ("b", &["c", "d"]), ("c", &[]), ("d", &["b"])]));
    assert_eq!(found, Some(vec!["b".into(), "d".into()]));
    assert_eq!(circle(&graph(&[("a", &["a"])])), Some(vec!["a".into()]));
}
