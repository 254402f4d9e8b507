//! Lists the peers: each file of `operations/peers` but `mod.rs` is one, and has the name of its feature.

use std::fmt::Write as _;
use std::path::Path;

fn main() {
    let folder =
        Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("operations/peers");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = folder.read_dir().expect("the folder of the peers is readable").flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.retain(|name| name != "mod");
    names.sort();
    let (mut modules, mut list) = (String::new(), String::new());
    for name in &names {
        let gate = format!("#[cfg(feature = {name:?})]");
        let (first, rest) = name.split_at(1);
        writeln!(modules, "{gate}\n#[path = {:?}]\nmod {name};", folder.join(format!("{name}.rs")))
            .expect("memory");
        writeln!(list, "    {gate}\n    &{name}::{}{rest},", first.to_uppercase()).expect("memory");
    }
    let text = format!(
        "{modules}\n/// All peers of this build, in the order of the alphabet.\npub const PEERS: &[&dyn Peer] = &[\n{list}];\n"
    );
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&out).join("peers.rs"), text).expect("cargo's folder is writable");
}
