//! Crates and folders depend on each other in one direction.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::left_out::path_of_module;

/// A crate, and the crates of the project that it may use outside its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("zus-output", &[]),
    ("zus-protocol", &[]),
    ("zus-spec", &["zus-protocol"]),
    ("zus-epochs", &["zus-protocol"]),
    ("zus-checker", &["zus-output", "zus-protocol", "zus-spec"]),
    ("zus-report", &["zus-checker", "zus-epochs", "zus-output"]),
    ("zus-model", &["zus-checker", "zus-epochs", "zus-output", "zus-report"]),
    ("zus-cluster", &["zus-checker", "zus-output", "zus-report"]),
    ("zus-workbench", &["zus-output", "zus-report"]),
    ("zus-bls", &["zus-protocol"]),
    ("zus-bpp", &["zus-bls", "zus-protocol"]),
    ("zus-sim", &["zus-bpp"]),
    (
        "zus-fuzz",
        &["zus-bpp", "zus-checker", "zus-epochs", "zus-output", "zus-protocol", "zus-sim", "zus-spec"],
    ),
    ("zus-fuzz-targets", &["zus-fuzz"]),
    ("zus-proofs", &["zus-checker", "zus-epochs", "zus-output", "zus-protocol", "zus-report", "zus-spec"]),
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

/// The crates that a manifest names outside `dev-dependencies`, by the names that they have themselves.
///
/// A table of dependencies may be one of some targets only (`[target.'cfg(unix)'.dependencies]`). A dependency may have
/// another name here, or in the workspace whose entry it takes: then `package` is its own.
fn dependencies(manifest: &toml::Table, of_workspace: &toml::Table) -> BTreeSet<String> {
    let of_targets = manifest.get("target").and_then(toml::Value::as_table);
    let targets =
        of_targets.into_iter().flat_map(|targets| targets.values().filter_map(toml::Value::as_table));
    let entries = std::iter::once(manifest)
        .chain(targets)
        .flat_map(|of| ["dependencies", "build-dependencies"].map(|table| of.get(table)))
        .filter_map(|table| table?.as_table())
        .flatten();
    let own_name = |(name, entry): (&String, &toml::Value)| {
        let inherits = entry.get("workspace").and_then(toml::Value::as_bool) == Some(true);
        let entry = if inherits { of_workspace.get(name).unwrap_or(entry) } else { entry };
        entry.get("package").and_then(toml::Value::as_str).unwrap_or(name).to_owned()
    };
    entries.map(own_name).collect()
}

/// The crates of the workspace, each with the crates of the project that its manifest names outside `dev-dependencies`.
fn crates(root: &Path) -> Graph {
    let workspace = super::manifest(root);
    let of_workspace = workspace["workspace"]["dependencies"].as_table().expect("a table");
    let manifests: Vec<toml::Table> =
        super::members(root).iter().map(|member| super::manifest(&root.join(member))).collect();
    let name = |manifest: &toml::Table| {
        manifest["package"]["name"].as_str().expect("a package has a name").to_owned()
    };
    let names: BTreeSet<String> = manifests.iter().map(name).collect();
    let of = |manifest| {
        let uses = dependencies(manifest, of_workspace);
        (name(manifest), uses.intersection(&names).cloned().collect())
    };
    manifests.iter().map(of).collect()
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

/// Every crate is a member by name: Cargo takes a path dependency for one that no list names, and its arrows would not be seen.
#[test]
fn every_crate_is_listed() {
    assert_eq!(unlisted(&super::root()), Vec::<String>::new());
    let at = tempfile::tempdir().unwrap();
    for (folder, text) in [
        ("", "[workspace]\nmembers = [\"listed\"]\n"),
        ("listed", "[package]\n"),
        ("listed/inner", "[package]\n"),
    ] {
        std::fs::create_dir_all(at.path().join(folder)).unwrap();
        std::fs::write(at.path().join(folder).join("Cargo.toml"), text).unwrap();
    }
    assert_eq!(unlisted(at.path()), ["listed/inner"]);
}

/// The folders with a manifest of a package that the workspace does not list.
fn unlisted(root: &Path) -> Vec<String> {
    let members = super::members(root);
    let folder = |path: std::path::PathBuf| {
        path.parent().and_then(|of| of.strip_prefix(root).ok()).expect("below").display().to_string()
    };
    let all = super::files(root, &["Cargo.toml"]).into_iter().map(folder);
    all.filter(|of| !of.is_empty() && !members.contains(of)).collect()
}

/// A module comes from its own crate: a path out of it would be an arrow that no manifest has.
#[test]
fn no_module_comes_from_another_crate() {
    let root = super::root();
    let members = super::members(&root);
    let of = |path: &Path| {
        let path = path.strip_prefix(&root).ok()?;
        let inside = members.iter().filter(|member| path.starts_with(member));
        inside.max_by_key(|member| member.len()).cloned()
    };
    let mut seen = 0;
    for file in super::sources(&root) {
        let text = std::fs::read_to_string(&file).unwrap();
        for path in text.lines().filter_map(path_of_module) {
            // The control of the lint that reads such lines writes some.
            let Ok(leads) = file.parent().expect("a folder").join(path).canonicalize() else { continue };
            let leads = of(&Path::new(&root).join(leads.strip_prefix(root.canonicalize().unwrap()).unwrap()));
            assert_eq!(leads, of(&file), "{} takes {path} from another crate", file.display());
            seen += 1;
        }
    }
    assert!(seen > 3, "{seen} paths of modules: were they read?");
}

/// Crates that people use; `model/spec` is not named, whose lines are counted. Each says that it has no `unsafe` code.
const SAFE: [&str; 10] = [
    "impl/src/lib.rs",
    "model/checker/src/lib.rs",
    "model/cluster/src/main.rs",
    "model/epochs/src/lib.rs",
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

/// The control: a dependency is found in every table that Cargo reads for the program, and by its own name.
#[test]
fn a_dependency_is_found_whatever_it_is_called_and_wherever_it_stands() {
    let at = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let folder = at.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("Cargo.toml"), text).unwrap();
    };
    let names = ["plain", "renamed", "shared", "built", "targeted", "builder", "tested", "above"];
    let members = names.map(|name| format!("\"{name}\"")).join(", ");
    write(
        "",
        &format!(
            "[workspace]\nmembers = [{members}]\n[workspace.dependencies]\nplain = {{ path = \"plain\" }}\n\
             other = {{ package = \"shared\", path = \"shared\" }}\n"
        ),
    );
    for name in &names[..7] {
        write(name, &format!("[package]\nname = \"{name}\"\n"));
    }
    write(
        "above",
        r#"
            [package]
            name = "above"
            [dependencies]
            plain.workspace = true
            other = { workspace = true, optional = true }
            serde = "1"
            [dependencies.inner]
            package = "renamed"
            path = "../renamed"
            [build-dependencies]
            built = { path = "../built" }
            [target.'cfg(unix)'.dependencies]
            inside = { package = "targeted", path = "../targeted" }
            [target.x86_64-unknown-linux-gnu.build-dependencies]
            builder = { path = "../builder" }
            [dev-dependencies]
            tested = { path = "../tested" }
            [target.'cfg(unix)'.dev-dependencies]
            tested = { path = "../tested" }
        "#,
    );
    let found: Vec<String> = crates(at.path())["above"].iter().cloned().collect();
    assert_eq!(found, ["builder", "built", "plain", "renamed", "shared", "targeted"]);
}
