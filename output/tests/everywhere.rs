//! Every tool of the project writes by way of this crate: the sources are searched for the ways around it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A way around, and the way that is meant.
const AROUND: [(&str, &str); 5] = [
    ("fs::write(", "zus_output::whole::write or folder::Folder"),
    ("File::create(", "zus_output::whole::write or folder::Folder"),
    (
        "create_dir_all(",
        "zus_output::lock::Lock or folder::Folder, or tempfile for a folder of the process alone",
    ),
    (".display()", "zus_output::plain::path"),
    (" println!(", "zus_output::say!"),
];

/// Sources that may, and why.
const MAY: [(&str, &str); 13] = [
    ("output/src/", "this crate"),
    ("impl/src/ticket_log/", "a log with rules of its own, in a library that names paths by their own type"),
    ("impl/src/node/", "a folder of the same library, beside that log and locked by it"),
    (
        "fuzz/harness/src/cli/mutants/build.rs",
        "folders of a copy of the sources, below one that it has locked",
    ),
    ("benches/build.rs", "a build script, whose output the compiler reads"),
    ("fuzz/build.rs", "a build script, which copies inputs to a folder of the engine"),
    ("model/cluster/src/runs.rs", "layers and sorted runs, in a folder that the process has locked"),
    ("model/checker/build.rs", "a build script, whose output the compiler reads"),
    ("model/report/build.rs", "a build script, whose output the compiler reads"),
    ("model/embed.rs", "what the build scripts share"),
    ("fuzz/harness/src/targets/", "fuzz targets: files in a temporary folder"),
    ("fuzz/harness/src/cli/speed.rs", "a folder that has the number of the process"),
    ("fuzz/harness/src/cli/study.rs", "a folder that has the number of the process"),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if !["target", "tests", ".git"].iter().any(|other| name == *other) {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The places in a source where it goes around, with line numbers; tests at its end may.
fn places(text: &str) -> Vec<(usize, &'static str)> {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    let code = (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"));
    let ways = |(at, line): (usize, &str)| {
        let found = AROUND.iter().filter(|(way, _)| line.contains(way));
        found.map(|(_, meant)| (at, *meant)).collect::<Vec<_>>()
    };
    code.flat_map(ways).collect()
}

#[test]
fn no_tool_writes_around_this_crate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    sources(root, &mut files);
    assert!(files.len() > 300, "the sources are found: {}", files.len());
    let name = |file: &Path| file.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    // A module may give `println!` another meaning, for itself and for those below it.
    let shadowing: Vec<PathBuf> = files
        .iter()
        .filter(|file| fs::read_to_string(file).unwrap().contains("macro_rules! println {"))
        .map(|file| if file.ends_with("mod.rs") { file.parent().unwrap().into() } else { file.clone() })
        .collect();
    let mut wrong = Vec::new();
    for file in &files {
        let named = name(file);
        if MAY.iter().any(|(may, _)| named.starts_with(may)) || named.ends_with("tests.rs") {
            continue;
        }
        for (line, meant) in places(&fs::read_to_string(file).unwrap()) {
            if meant != "zus_output::say!" || !shadowing.iter().any(|other| file.starts_with(other)) {
                wrong.push(format!("{named}:{line}: use {meant}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_way_around_is_seen() {
    assert_eq!(places("fn a() {\n    std::fs::write(p, b)?;\n}\n").len(), 1);
    assert_eq!(places("    fs::create_dir_all(out)?;\n").len(), 1);
    assert_eq!(places("    println!(\"{}\", path.display());\n").len(), 2);
    assert_eq!(
        places("    eprintln!(\"x\");\n// fs::write(\n#[cfg(test)]\nmod tests { fs::write(p, b); }\n").len(),
        0
    );
}
