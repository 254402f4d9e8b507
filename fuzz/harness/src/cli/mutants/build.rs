//! The copy of the production crates that has the bugs, and programs that are built with it.
//!
//! All else is built as it stands: the copy takes the place of a crate's own root when the compiler is called. What does not
//! depend on this project is taken from the ordinary build.

use std::collections::BTreeSet;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use zus_output::lock::Lock;

use crate::mutants::generated::{Generated, Listed};
use crate::mutants::{Table, Woven, file_at, mutant_at, path_of, production};
use crate::room;

/// The script that stands in for the compiler; `ROOT` is that of the project.
const WRAPPER: &str = r#"#!/bin/sh
# The production crates are compiled from the copy that has the deliberate bugs; all else as it stands.
copy=$(dirname "$0")
for argument do
    shift
    case $argument in
        impl/src/lib.rs | impl/bls/src/lib.rs) set -- "$@" --cap-lints=allow "$copy/$argument" ;;
        "ROOT/impl/src/lib.rs" | "ROOT/impl/bls/src/lib.rs") set -- "$@" --cap-lints=allow "$copy/${argument#"ROOT/"}" ;;
        *) set -- "$@" "$argument" ;;
    esac
done
exec ${ZUS_INNER_WRAPPER-} "$@"
"#;

/// How often the copy is made anew without what does not compile.
const ATTEMPTS: usize = 20;

/// The copy, and what builds with it.
pub struct Copy {
    /// The root of the project.
    root: PathBuf,
    /// Where everything is that cargo builds.
    built: PathBuf,
    /// Where the copy is, and the programs.
    folder: PathBuf,
    _taken: Lock,
}

fn words(errors: Vec<String>) -> Error {
    Error::other(format!("{}\n  fix: correct the row in fuzz/harness/mutants", errors.join("\n")))
}

/// The folder in which cargo builds: that of this program, unless it was moved.
fn built(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

impl Copy {
    /// Writes the copy, with the bugs of the table.
    ///
    /// # Errors
    /// When a row has not exactly one place, or a file cannot be read or written.
    pub fn new(table: &Table) -> Result<Self> {
        let root = room().join("..").canonicalize()?;
        let built = built(&root);
        let folder = built.join("mutants");
        let copy = Self { _taken: Lock::take(&folder)?, root, built, folder };
        let woven = Woven::new(table, read).map_err(words)?;
        copy.write(&woven)?;
        Ok(copy)
    }

    /// The program that stands in for the compiler: `RUSTC_WORKSPACE_WRAPPER` of any other build, with `ZUS_WOVEN=1`.
    pub fn wrapper(&self) -> PathBuf {
        self.folder.join("rustc")
    }

    /// Where the copy is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn write(&self, woven: &Woven) -> Result<()> {
        let target = self.folder.join("impl");
        let mut written = BTreeSet::new();
        for part in ["src", "tests", "README.md", "bls/src", "bls/README.md"] {
            for file in files(&production().join(part))? {
                let Ok(name) = file.strip_prefix(production()) else { continue };
                let bytes = std::fs::read(&file)?;
                let bytes = match (name.to_str().and_then(file_at), String::from_utf8(bytes)) {
                    (Some(file), Ok(text)) => {
                        woven.text(&file, &text).map_err(|error| words(vec![error]))?.into_bytes()
                    }
                    (_, Ok(text)) => text.into_bytes(),
                    (_, Err(error)) => error.into_bytes(),
                };
                put(&target.join(name), &bytes)?;
                written.insert(target.join(name));
            }
        }
        for old in files(&target)?.into_iter().filter(|file| !written.contains(file)) {
            std::fs::remove_file(old)?;
        }
        put(&self.wrapper(), WRAPPER.replace("ROOT", &self.root.to_string_lossy()).as_bytes())?;
        #[cfg(unix)]
        std::fs::set_permissions(self.wrapper(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        Ok(())
    }

    /// Adds what cargo-mutants names, as far as it compiles. Returns what is left out, by place in the list.
    ///
    /// # Errors
    /// When nothing that is added is to blame for what does not compile.
    pub fn add(&self, table: &Table, listed: &[Listed]) -> Result<Vec<usize>> {
        let first = table.bugs.len();
        let mut unviable = BTreeSet::new();
        for _ in 0..ATTEMPTS {
            let from_root = |file: &str| std::fs::read_to_string(self.root.join(file));
            let generated = Generated::new(listed, &unviable, first, from_root)?;
            let mut woven = Woven::new(table, read).map_err(words)?;
            woven.names.extend((0..listed.len()).map(|number| number.to_string()));
            for (file, edits) in generated.edits {
                let named = file.strip_prefix("impl/").and_then(file_at).unwrap_or(file);
                woven.edits.entry(named).or_default().extend(edits);
            }
            self.write(&woven)?;
            let found = self.does_not_compile(first)?;
            if found.is_empty() {
                println!("{} mutants, {} are left out", generated.taken.len(), generated.left_out.len());
                return Ok(generated.left_out);
            }
            unviable.extend(found);
        }
        Err(Error::other("the copy does not compile"))
    }

    /// A command of cargo that builds with the copy.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Programs go elsewhere, so that no ordinary one is replaced; what lies between is shared.
        cargo.args(arguments).arg("--target-dir").arg(&self.folder);
        cargo.env("CARGO_BUILD_BUILD_DIR", &self.built);
        // Cargo takes a crate with another setting, and all that depends on it, for other crates: one that makes no difference.
        for name in ["zus-bpp", "zus-bls"] {
            cargo.args(["--config", &format!("profile.dev.package.{name}.codegen-units=255")]);
        }
        if let Some(inner) = std::env::var_os("RUSTC_WRAPPER") {
            cargo.env("ZUS_INNER_WRAPPER", inner);
        }
        cargo.env("RUSTC_WRAPPER", self.wrapper()).env("ZUS_WOVEN", "1");
        cargo.current_dir(&self.root).stdin(Stdio::null());
        cargo
    }

    /// Builds the tool with the copy.
    ///
    /// # Errors
    /// When it does not build.
    pub fn tool(&self) -> Result<PathBuf> {
        // With a test in it, however small, and of the whole project: so all crates have the features that they have in
        // `cargo test --workspace --exclude zus-benches`, and those that know nothing of bugs are there already.
        let all = ["build", "--workspace", "--exclude", "zus-benches"];
        self.program(&[&all[..], &["--bin", "zus-fuzz", "--test", "no_threads"]].concat(), "zus-fuzz")
    }

    /// Builds the tests that are asked about the copy: the unit tests of the protocol, those of the cryptography, and those that play
    /// whole networks.
    ///
    /// # Errors
    /// When they do not build.
    pub fn tests(&self) -> Result<[PathBuf; 3]> {
        let of = |name: &str, which: &[&str], target| {
            self.program(&[&["test", "-p", name, "--no-run"], which].concat(), target)
        };
        Ok([
            of("zus-bpp", &["--lib"], "zus_bpp")?,
            of("zus-bls", &["--lib"], "zus_bls")?,
            of("zus-sim", &["--test", "bugs"], "bugs")?,
        ])
    }

    fn program(&self, arguments: &[&str], target: &str) -> Result<PathBuf> {
        let mut cargo = self.cargo(arguments);
        let output = cargo
            .args(["--message-format=json-render-diagnostics", "--quiet"])
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(Error::other(format!(
                "cargo {} fails with the deliberate bugs in the code",
                arguments.join(" ")
            )));
        }
        let lines = String::from_utf8_lossy(&output.stdout);
        let built = lines.lines().filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
        let program =
            built.filter(|artifact| artifact.target.name == target).find_map(|artifact| artifact.executable);
        program.ok_or_else(|| Error::other(format!("cargo names no program {target}")))
    }

    /// The generated mutants whose code the compiler refuses.
    fn does_not_compile(&self, first: usize) -> Result<BTreeSet<usize>> {
        let output = self
            .cargo(&["check", "-p", "zus-bpp", "--message-format=json", "--quiet"])
            .stderr(Stdio::null())
            .output()?;
        let mut found = BTreeSet::new();
        let mut others = Vec::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Ok(Line { message: Some(error) }) = serde_json::from_str(line) else { continue };
            if error.level != "error" {
                continue;
            }
            let place = error.spans.iter().find(|span| span.is_primary).and_then(|span| {
                let text = std::fs::read_to_string(self.root.join(&span.file_name)).ok()?;
                mutant_at(&text, span.byte_start)?.checked_sub(first)
            });
            match place {
                Some(number) => drop(found.insert(number)),
                None => others.push(error.message),
            }
        }
        if found.is_empty() && !output.status.success() {
            return Err(Error::other(format!("no mutant is to blame for: {}", others.join("; "))));
        }
        Ok(found)
    }
}

/// A file of the production crates.
fn read(file: &str) -> Result<String> {
    std::fs::read_to_string(production().join(path_of(file)))
}

/// Writes a file that has another content, so that nothing is built again for one that has not.
fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|found| found == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    zus_output::whole::write(path, bytes)
}

/// A file, or all below a folder.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(path.exists().then(|| path.to_owned()).into_iter().collect());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        found.extend(files(&entry?.path())?);
    }
    Ok(found)
}

/// The message of cargo about a program that it has built, as far as it is needed.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// One message of `cargo check --message-format=json`, as far as it is needed.
#[derive(Deserialize)]
struct Line {
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
    is_primary: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gate asks this of every row, without a build.
    #[test]
    fn every_row_has_exactly_one_place() {
        let table = Table::read().expect("the table is read");
        let woven = Woven::new(&table, read).unwrap_or_else(|wrong| panic!("{}", wrong.join("\n")));
        for file in woven.edits.keys() {
            let text = woven.text(file, &read(file).expect("it was read before")).expect("no rows overlap");
            assert!(syn::parse_file(&text).is_ok(), "{file}: what comes out is no Rust");
        }
        assert!(table.bugs.len() >= 189, "{} bugs are left", table.bugs.len());
    }
}
