//! Every link of every document resolves, and every path that one names is there.

use crate::architecture::files;
use std::path::Path;

/// Paths that are made by a run, or stand in each crate.
const ELSEWHERE: [&str; 4] = ["fuzz/artifacts", "fuzz/corpus", "proofs/.venv", "tests/main.rs"];

/// Rooms of the repository: a path in code style that begins with one of these, or with a folder of its own room, is a promise.
const ROOMS: [&str; 10] =
    ["impl/", "model/", "fuzz/", "proofs/", "benches/", "output/", ".ci/", ".github/", "src/", "tests/"];

/// The text without its fenced blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The anchor that GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .collect::<String>();
    kept.replace(' ', "-")
}

/// The links and paths of a document that lead nowhere.
fn broken(root: &Path, document: &Path, text: &str) -> Vec<String> {
    let (here, prose) = (document.parent().unwrap(), prose(text));
    let mut wrong = Vec::new();
    for link in prose.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()) {
        if link.contains("://") {
            continue;
        }
        let (path, at) = link.split_once('#').unwrap_or((link, ""));
        let target = if path.is_empty() { document.to_owned() } else { here.join(path) };
        let headings = std::fs::read_to_string(&target).unwrap_or_default();
        let mut headings = headings
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| anchor(line.trim_start_matches('#')));
        if !target.exists()
            || !at.is_empty() && path.ends_with(".md") && !headings.any(|heading| heading == at)
        {
            wrong.push(format!("{}: the link {link} leads nowhere", document.display()));
        }
    }
    for path in prose.split('`').skip(1).step_by(2) {
        let is_path = ROOMS.iter().any(|room| path.starts_with(room))
            && path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        if is_path && !ELSEWHERE.contains(&path) && !root.join(path).exists() && !here.join(path).exists() {
            wrong.push(format!("{}: there is no {path}", document.display()));
        }
    }
    wrong
}

#[test]
fn every_link_leads_somewhere_and_every_path_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = files(root, &[".md"]);
    // Folders of output.
    found.retain(|document| !document.components().any(|part| part.as_os_str() == "out"));
    assert!(found.len() > 12, "the documents are found: {}", found.len());
    let wrong: Vec<String> = found
        .iter()
        .flat_map(|document| broken(root, document, &std::fs::read_to_string(document).unwrap()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The control: a link, an anchor and a path that are not there are each named.
#[test]
fn a_broken_promise_is_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = root.join("README.md");
    let kept = "[a](model/PROTOCOL.md) [b](#licence) `model/tests/documents.rs` `src/`\n## Licence\n";
    assert!(
        broken(root, &document, kept).len() == 1,
        "a README has no src: {:?}",
        broken(root, &document, kept)
    );
    for promise in
        ["[a](model/NOWHERE.md)", "[a](model/PROTOCOL.md#no-such-heading)", "`model/src/nowhere.rs`"]
    {
        assert_eq!(broken(root, &document, promise).len(), 1, "{promise}");
    }
}
