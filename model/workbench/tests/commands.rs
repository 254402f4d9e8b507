//! Every command in every document is one: its program takes its words, its package, example, program or test is there. The rest,
//! which start other tools, are listed with how they are run.

use crate::verify::rooms;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// No option of any program. The word before it is then the last that a program takes.
const UNKNOWN: &str = "--no-such-option";

/// The beginnings of commands of other tools, and how they are run.
const OTHERS: [(&str, &str); 19] = [
    ("cargo +nightly fuzz ", "fuzz/smoke, in the gate"),
    ("cargo +stable fuzz ", "fuzz/smoke, in the gate"),
    ("cargo fuzz", "fuzz/smoke, in the gate"),
    ("cargo afl ", "by hand, with AFL++"),
    ("cargo install ", "by hand"),
    ("cargo llvm-cov ", "by hand"),
    ("cargo mutants ", "by hand"),
    ("cargo test --workspace --exclude zus-benches", "the gate"),
    ("cargo test", "by hand; a test that is named is looked for"),
    ("cargo check --workspace", "by hand"),
    ("cargo doc ", "the gate builds all documentation"),
    ("cargo fmt", "the gate"),
    ("cargo bench ", "by hand; the package is looked for"),
    ("bash .ci/", "the gate"),
    ("git ", "by hand"),
    ("curl ", "by hand"),
    ("cd ", "by hand"),
    ("target/", "by hand"),
    ("python3 ", "by hand"),
];

/// The programs whose words are tried.
const PROGRAMS: [&str; 5] = ["zus", "zus-cluster", "zus-fuzz", "zus-proofs", "zus-workbench"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// The commands of a document: lines of its fenced blocks, and text between backticks, that begin with one of these words.
fn commands(text: &str) -> Vec<String> {
    let begins = |line: &str| {
        let word = line.split_whitespace().next().unwrap_or_default();
        let known =
            PROGRAMS.contains(&word) || ["cargo", "bash", "git", "curl", "cd", "python3"].contains(&word);
        (known || word.starts_with("target/")) && line.split_whitespace().count() > 1
    };
    let (mut found, mut fenced) = (Vec::new(), false);
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            let line = line.trim().trim_start_matches("$ ");
            let line = line.split("  #").next().unwrap_or_default();
            found.extend(
                line.split("&&")
                    .flat_map(|part| part.split(" | "))
                    .map(|part| part.trim().to_owned())
                    .filter(|line| begins(line)),
            );
        } else {
            prose.push_str(line);
            prose.push(' ');
        }
    }
    found.extend(
        prose.split('`').skip(1).step_by(2).map(|code| code.trim().to_owned()).filter(|code| begins(code)),
    );
    found
}

/// The program of a command and its words, if it is one of those that are tried.
fn split(command: &str) -> Option<(&'static str, Vec<String>)> {
    let command = command.split(" > ").next().unwrap_or_default();
    let words = shlex::split(command)?;
    let of = |name: &str| PROGRAMS.into_iter().find(|program| *program == name);
    if let Some(program) = of(&words[0]) {
        return Some((program, words[1..].to_vec()));
    }
    if words[..2] != ["cargo", "run"] {
        return None;
    }
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let after = |flag: &[&str]| {
        let at = words[..end].iter().position(|word| flag.contains(&word.as_str()))?;
        words.get(at + 1).map(String::as_str)
    };
    let rest = words.get(end + 1..).unwrap_or_default().to_vec();
    let program = match (after(&["--bin"]), after(&["-p", "--package"]), after(&["--example"])) {
        (_, _, Some(_)) => return None,
        (Some(program), _, _) => of(program)?,
        (None, None, None) => "zus",
        (None, Some("zus-model"), None) => "zus",
        (None, Some(package), None) => of(package)?,
    };
    Some((program, rest))
}

/// Why a program does not take these words, if it does not.
fn refused(programs: &Path, program: &str, words: &[String]) -> Option<String> {
    // What follows it is for another program, or is read by a command of this one as it stands.
    let mut words: Vec<&str> = words.iter().take_while(|word| *word != "--").map(String::as_str).collect();
    for word in &mut words {
        match *word {
            "SHELL" => *word = "bash",
            "TARGET" => *word = "dkg",
            "..." => *word = "x",
            _ => {}
        }
    }
    let last = words.last().copied().unwrap_or_default().to_owned();
    let mut command = Command::new(programs.join(program));
    command.args(&words).arg(UNKNOWN).current_dir(root()).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let all_taken = said.contains(UNKNOWN);
    // An option that is only named.
    let named = last.starts_with("--") && said.contains(&format!("a value is required for '{last} "));
    (output.status.success() || !(all_taken || named))
        .then(|| said.lines().next().unwrap_or_default().to_owned())
}

/// Why a command of cargo names nothing that is there, if it does not.
fn missing(command: &str) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let after = |flag: &str| {
        let at = words.iter().position(|word| *word == flag)?;
        words.get(at + 1).copied().filter(|word| !word.chars().all(|c| c.is_ascii_uppercase()))
    };
    let workspace = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest of the workspace");
    let members =
        workspace.lines().find(|line| line.starts_with("members = ")).expect("its members in a line");
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    let folder = |package: &str| {
        let named = format!("name = \"{package}\"");
        members.iter().map(|folder| root().join(folder)).find(|folder| {
            fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|manifest| manifest.contains(&named))
        })
    };
    let package = after("-p").or_else(|| after("--package"))?;
    let Some(folder) = folder(package) else { return Some(format!("no package {package}")) };
    if let Some(example) = after("--example") {
        let is = folder.join(format!("examples/{example}.rs")).is_file()
            || folder.join(format!("examples/{example}/main.rs")).is_file();
        return (!is).then(|| format!("no example {example}"));
    }
    if let Some(program) = after("--bin").filter(|program| !PROGRAMS.contains(program)) {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        let is = folder.join(format!("src/bin/{program}.rs")).is_file()
            || manifest.contains(&format!("name = \"{program}\""));
        return (!is).then(|| format!("no program {program}"));
    }
    None
}

/// Why a command is none, if it is none.
fn wrong(programs: &Path, command: &str) -> Option<String> {
    if let Some((program, words)) = split(command) {
        return refused(programs, program, &words).or_else(|| missing(command));
    }
    let known =
        command.starts_with("cargo run ") || OTHERS.iter().any(|(other, _)| command.starts_with(other));
    if !known {
        return Some("it is not in the list of this test".into());
    }
    missing(command)
}

#[test]
fn every_command_of_every_document_is_taken_by_its_program() {
    let programs = rooms();
    let listed = Command::new("git").args(["ls-files", "*.md"]).current_dir(root()).output().unwrap();
    let (mut wrongs, mut tried) = (Vec::new(), 0);
    for document in String::from_utf8(listed.stdout).unwrap().lines() {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for command in commands(&text) {
            tried += 1;
            wrongs.extend(wrong(&programs, &command).map(|why| format!("{document}: `{command}`: {why}")));
        }
    }
    assert!(tried > 100, "{tried} commands");
    assert!(wrongs.is_empty(), "{}", wrongs.join("\n"));
}

#[test]
fn a_command_that_no_program_takes_is_named() {
    let programs = rooms();
    let document = "Say `zus chek x`.\n```sh\ncargo run -p zus-fuzz -- walk --rnus 3   # a slip\ncargo run -p zus-nobody -- x\nzus check --out\n\
                    cargo run -p zus-bpp --example nothing\nfrobnicate\n```\n";
    let found: Vec<(String, bool)> = commands(document)
        .into_iter()
        .map(|command| (command.clone(), wrong(&programs, &command).is_some()))
        .collect();
    let expected = [
        ("cargo run -p zus-fuzz -- walk --rnus 3", true),
        ("cargo run -p zus-nobody -- x", true),
        ("zus check --out", false),
        ("cargo run -p zus-bpp --example nothing", true),
        ("zus chek x", true),
    ];
    assert_eq!(found, expected.map(|(command, wrong)| (command.to_owned(), wrong)));
}
