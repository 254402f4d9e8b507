//! No circle between the files of a crate's different folders.
//!
//! A file uses another one where it names it, or something in it, by a path that begins with `crate`, `self` or `super`.
//! Names in a file's tests do not count. Files of one folder may use each other; `x.rs` beside a folder `x` is a file of it.
//!
//! A name that the root of the crate imports (`pub use a::T`) is a name of the file that it comes from. Paths in macros are
//! seen where they are written in one piece (`crate::a::T`, `$crate::a::T`). Not seen are names that the root imports by `*`,
//! and groups of paths in a macro (`use crate::{a, b}`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// A module, by its path from the root of its crate, and the modules that it uses.
type Uses = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// Names that the root of a crate imports, and the paths from the root that they stand for.
type Imports = BTreeMap<String, Vec<String>>;

/// The paths that a file names.
#[derive(Default)]
struct Paths(Vec<Vec<String>>);

/// The paths in the tokens of a macro that begin with `crate`, `self` or `super`.
fn in_tokens(tokens: &TokenStream) -> Vec<Vec<String>> {
    let (mut flat, mut paths) = (Vec::new(), Vec::new());
    super::rules::flatten(tokens.clone(), &mut flat);
    let mut rest = &flat[..];
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if !["crate", "self", "super"].contains(&&**first) {
            continue;
        }
        let mut path = vec![first.clone()];
        while let [a, b, name, after @ ..] = rest
            && (&**a, &**b) == (":", ":")
        {
            path.push(name.clone());
            rest = after;
        }
        paths.push(path);
    }
    paths
}

/// The names that the root of a crate imports from its modules.
fn imports(root: &str, modules: &BTreeSet<Vec<String>>) -> Imports {
    fn walk(tree: &UseTree, before: &[String], imports: &mut Imports) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => walk(&path.tree, &with(&path.ident), imports),
            UseTree::Name(name) => drop(imports.insert(name.ident.to_string(), with(&name.ident))),
            UseTree::Rename(rename) => drop(imports.insert(rename.rename.to_string(), with(&rename.ident))),
            UseTree::Glob(_) => {}
            UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, before, imports)),
        }
    }
    let mut imports = Imports::new();
    for item in &syn::parse_file(root).expect("the root of a crate is Rust").items {
        if let Item::Use(item) = item
            && !is_of_tests(&item.attrs)
        {
            walk(&item.tree, &[], &mut imports);
        }
    }
    for path in imports.values_mut() {
        if ["crate", "self"].contains(&&*path[0]) {
            path.remove(0);
        }
    }
    imports.retain(|_, path| modules.iter().any(|module| module.first() == path.first()));
    imports
}

impl Paths {
    fn tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) => self.0.push(with(&name.ident)),
            UseTree::Rename(rename) => self.0.push(with(&rename.ident)),
            UseTree::Glob(_) => self.0.push(before.to_vec()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(before, tree)),
        }
    }
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|of| of.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_of_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.0.extend(in_tokens(&call.tokens));
        visit::visit_macro(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }
}

/// The module that a path leads to from `here`: the longest part of it that is a file.
fn target(
    path: &[String],
    here: &[String],
    modules: &BTreeSet<Vec<String>>,
    imports: &Imports,
) -> Option<Vec<String>> {
    let (mut full, mut rest) = match path.first().map(String::as_str)? {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (here.to_vec(), &path[1..]),
        "super" => (here.to_vec(), path),
        _ => return None,
    };
    while rest.first().is_some_and(|segment| segment == "super") {
        full.pop();
        rest = &rest[1..];
    }
    full.extend(rest.iter().cloned());
    if let Some((first, after)) = full.split_first()
        && let Some(from) = imports.get(first)
        && !modules.iter().any(|module| module.first() == Some(first))
    {
        full = [from, after].concat();
    }
    while !full.is_empty() && !modules.contains(&full) {
        full.pop();
    }
    (!full.is_empty() && full != here).then_some(full)
}

/// Of sources by module path, without the root of the crate, and of the root: which module uses which.
fn uses(sources: &BTreeMap<Vec<String>, String>, root: &str) -> Uses {
    let modules: BTreeSet<Vec<String>> = sources.keys().cloned().collect();
    let imports = imports(root, &modules);
    let of = |(here, text): (&Vec<String>, &String)| {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", here.join("::")));
        let mut paths = Paths::default();
        paths.visit_file(&file);
        let targets = paths.0.iter().filter_map(|path| target(path, here, &modules, &imports));
        (here.clone(), targets.collect())
    };
    sources.iter().map(of).collect()
}

/// The folder of a module: its own, if others lie in it.
fn folder<'m>(module: &'m [String], uses: &Uses) -> &'m [String] {
    let inside = |other: &Vec<String>| other.len() > module.len() && other.starts_with(module);
    if uses.keys().any(inside) { module } else { &module[..module.len().saturating_sub(1)] }
}

/// All that can be reached from a module.
fn reached<'u>(from: &'u Vec<String>, uses: &'u Uses) -> BTreeSet<&'u Vec<String>> {
    let (mut seen, mut waiting) = (BTreeSet::new(), vec![from]);
    while let Some(next) = waiting.pop() {
        for used in uses.get(next).into_iter().flatten() {
            if seen.insert(used) {
                waiting.push(used);
            }
        }
    }
    seen
}

/// Pairs of modules of different folders that use each other, directly or through others; each is named once.
fn circles(uses: &Uses) -> Vec<String> {
    let ways: BTreeMap<&Vec<String>, BTreeSet<&Vec<String>>> =
        uses.keys().map(|module| (module, reached(module, uses))).collect();
    let mut found = Vec::new();
    for (module, way) in &ways {
        for other in way.iter().filter(|other| *other > module && ways[*other].contains(module)) {
            if folder(module, uses) != folder(other, uses) {
                found.push(format!("{} and {}", module.join("::"), other.join("::")));
            }
        }
    }
    found
}

/// The sources of a crate by module path, without its root and without files of tests.
fn sources(folder: &Path) -> BTreeMap<Vec<String>, String> {
    let mut sources = BTreeMap::new();
    for path in super::sources(folder) {
        let below = path.strip_prefix(folder).expect("it was found there").with_extension("");
        let mut module: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        let root = module.len() == 1 && ["lib", "main"].contains(&&*module[0]);
        if !root && !module.iter().any(|part| part == "tests") {
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            sources.insert(module, text);
        }
    }
    sources
}

#[test]
fn no_circle_between_the_folders_of_a_crate() {
    let root = super::root();
    let (mut wrong, mut rooms, mut files) = (Vec::new(), Vec::new(), 0);
    for room in super::members(&root) {
        let folder = root.join(&room).join("src");
        // The folders `benches` and `fuzz` have programs only, each with its files.
        if !folder.is_dir() {
            continue;
        }
        let top = ["lib.rs", "main.rs"].map(|name| folder.join(name));
        let top = top.iter().find(|path| path.is_file()).unwrap_or_else(|| panic!("{room} has no root"));
        let text = std::fs::read_to_string(top).unwrap_or_else(|error| panic!("{}: {error}", top.display()));
        let sources = sources(&folder);
        files += sources.len();
        wrong.extend(
            circles(&uses(&sources, &text)).into_iter().map(|pair| format!("{room}: {pair} use each other")),
        );
        rooms.push(room);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rooms.len() > 12 && files > 300, "{files} files of {}: were they read?", rooms.join(", "));
}

/// The controls: a circle between folders is found, through a third file, too; one in a folder is none, nor one of tests.
#[test]
fn a_circle_between_folders_is_found() {
    let under = |root: &str, files: &[(&str, &str)]| {
        let path = |name: &str| name.split("::").map(str::to_owned).collect();
        let sources = files.iter().map(|(name, text)| (path(name), (*text).to_owned()));
        circles(&uses(&sources.collect(), root))
    };
    let circles_of = |files: &[(&str, &str)]| under("", files);
    let pair = circles_of(&[
        ("a::x", "use crate::b::{self, y::Z};"),
        ("b", "mod y;"),
        ("b::y", "fn f() { crate::a::x::g() }"),
    ]);
    assert_eq!(pair, ["a::x and b::y"]);
    let third = circles_of(&[
        ("a::x", "use crate::c;"),
        ("c", "use crate::b::y;"),
        ("b::y", "type T = super::super::a::x::U;"),
    ]);
    assert_eq!(third, ["a::x and b::y", "a::x and c", "b::y and c"]);
    assert!(circles_of(&[("a::x", "use super::y;"), ("a::y", "use super::x;")]).is_empty());
    assert!(
        circles_of(&[("a::x", "use crate::b::y;"), ("b::y", "#[cfg(test)] mod t { use crate::a::x; }")])
            .is_empty()
    );
    // A folder's first file and the files in it are one folder.
    assert!(circles_of(&[("a", "use self::x::T;"), ("a::x", "use super::U;")]).is_empty());
    // Paths in macros.
    let back = ("b::y", "fn f() { crate::a::x::g() }");
    for text in [
        "fn f() { println!(\"{}\", crate::b::y::Z) }",
        "macro_rules! f { () => { $crate::b::y::Z }; }",
        "fn f() { g!(3 => { super::super::b::y::Z }) }",
    ] {
        assert_eq!(circles_of(&[("a::x", text), back]), ["a::x and b::y"], "{text}");
    }
    // Names that the root imports.
    for (root, text) in [
        ("mod a; pub mod b; pub use b::y::Z;", "use crate::Z;"),
        ("pub use crate::b::{y::{Z as T, U}};", "fn f() { crate::T::new() }"),
        ("use self::b::y;", "use super::super::y::Z;"),
    ] {
        assert_eq!(under(root, &[("a::x", text), back]), ["a::x and b::y"], "{root} {text}");
    }
    for root in ["#[cfg(test)] use b::y::Z;", "use other::b::y::Z;", ""] {
        assert!(under(root, &[("a::x", "use crate::Z;"), back]).is_empty(), "{root}");
    }
}
