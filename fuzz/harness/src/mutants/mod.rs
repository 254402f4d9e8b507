//! Deliberate bugs of the production crates, and a copy of these that has all of them.
//!
//! A bug is a row in one of the files in `mutants/`: where it is, the expression as it stands, and what stands there instead. The
//! production crates themselves know nothing of bugs. [`Woven`] writes each of them into a copy, as a choice that the variable
//! [`VARIABLE`] makes when a process starts: one build, and each bug costs one process. Without the variable the copy does
//! what the original does.
//!
//! The bugs that cargo-mutants names are woven in the same way ([`generated`]): each then has a number for a name.

pub mod generated;
mod site;
mod weave;

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

pub use site::{Site, site};
pub use weave::{Edit, MODULE, Woven, choice, insert, mutant_at};

/// The bug that a process has.
pub const VARIABLE: &str = "ZUS_MUTANT";
/// With the value [`PARTICIPANTS`]: only miners and sharders have the bug, and not what surrounds them, such as Byzantine members
/// and oracles, which use the same code.
pub const WITHIN: &str = "ZUS_MUTANT_WITHIN";
/// See [`WITHIN`].
pub const PARTICIPANTS: &str = "participants";

/// Whether this program is built with the copy that has the bugs.
pub const IS_WOVEN: bool = option_env!("ZUS_WOVEN").is_some();

/// The deliberate bugs of all files.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// File by file, in the order of their names.
    pub bugs: Vec<Bug>,
    /// Code that bugs call.
    pub helpers: Vec<Helper>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    bug: Vec<Spanned<Bug>>,
    #[serde(default)]
    helper: Vec<Helper>,
}

/// A deliberate bug.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bug {
    /// Its name.
    pub id: String,
    /// The mistake, in words.
    pub says: String,
    /// Its number in the list of rule changes (PROTOCOL.md, section 7).
    pub list: Option<String>,
    /// The property or the step of the page that it breaks, or the matter beside the page: `Bounds`, `DKG`, `Wire`.
    pub breaks: String,
    /// The inputs, commands and tests that show it: see [`Witness`].
    pub witness: Vec<String>,
    /// With it a program may run for ever: a witness that does not end shows it.
    #[serde(default)]
    pub hangs: bool,
    /// Where the row is: its file and line, for messages.
    #[serde(skip)]
    pub at: String,
    /// Where the code changes; most bugs are one change.
    pub change: Vec<Change>,
}

/// One place of a bug.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The file, below `impl/src`, or `bls/` and the file below `impl/bls/src`.
    pub file: String,
    /// The function: `function`, `Type::function`, `<Type as Trait>::function`.
    pub item: String,
    /// An expression of the function, or some of its statements, as they stand. Missing: the beginning of the function.
    pub from: Option<String>,
    /// The code that stands there instead.
    pub to: Option<String>,
    /// The statements that are done before it.
    pub first: Option<String>,
}

/// Items at the end of a file of the copy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Helper {
    /// The file, below `impl/src`, or `bls/` and the file below `impl/bls/src`.
    pub file: String,
    /// Their purpose.
    pub says: String,
    /// The items.
    pub code: String,
}

/// The evidence of a bug. Each shows nothing wrong about the code without it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Witness {
    /// A schedule in `regressions/mutants`: `NAME.run`.
    Run(PathBuf),
    /// An input of a target in `regressions/mutants`: `NAME.TARGET`.
    Input(String, PathBuf),
    /// A command of the tool: `product`, `soak`, `waits` or `walk`, with its options.
    Command(Vec<String>),
    /// Tests of the production crates: `test FILTER`.
    Test(String),
}

impl Bug {
    /// The row of the list or the part of the page, and what is wrong.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!("{}: {}.", self.row(), self.says)
    }

    /// The row of the list that it is of, or the property or step that it breaks.
    #[must_use]
    pub fn row(&self) -> &str {
        self.list.as_ref().unwrap_or(&self.breaks)
    }

    /// A fault of the row, with its file and line.
    #[must_use]
    pub fn wrong(&self, what: &str) -> String {
        format!("{}: {}: {what}", self.at, self.id)
    }

    /// Its witnesses.
    ///
    /// # Errors
    /// When a witness has no known form.
    pub fn witnesses(&self) -> Result<Vec<Witness>, String> {
        let read = |text: &String| {
            let words: Vec<&str> = text.split(' ').collect();
            match words[..] {
                ["test", filter] => Ok(Witness::Test(filter.into())),
                ["product" | "soak" | "waits" | "walk", ..] => {
                    Ok(Witness::Command(words.iter().map(|word| (*word).to_owned()).collect()))
                }
                [file] => {
                    let path = witnesses().join(file);
                    match file.strip_prefix(&self.id).and_then(|rest| rest.strip_prefix('.')) {
                        Some("run") => Ok(Witness::Run(path)),
                        Some(target) if crate::targets::named(target).is_some() => {
                            Ok(Witness::Input(target.into(), path))
                        }
                        _ => Err(self.wrong(&format!("the witness {text} is no file of this bug"))),
                    }
                }
                _ => Err(self.wrong(&format!("what is the witness {text}?"))),
            }
        };
        self.witness.iter().map(read).collect()
    }
}

/// Where the inputs are that show the bugs.
#[must_use]
pub fn witnesses() -> PathBuf {
    crate::room().join("regressions/mutants")
}

/// The folder of the production crates.
#[must_use]
pub fn production() -> PathBuf {
    crate::room().join("../impl")
}

/// Where a file of a row is, below the folder of the production crates.
#[must_use]
pub fn path_of(file: &str) -> PathBuf {
    match file.strip_prefix("bls/") {
        Some(file) => ["bls", "src", file].iter().collect(),
        None => ["src", file].iter().collect(),
    }
}

/// The name that rows have for this path, which is below the folder of the production crates; `None`: rows do not name it.
#[must_use]
pub fn file_at(path: &str) -> Option<String> {
    let of_bls = path.strip_prefix("bls/src/").map(|file| format!("bls/{file}"));
    of_bls.or_else(|| path.strip_prefix("src/").map(str::to_owned))
}

impl Table {
    /// All files of `mutants/`.
    ///
    /// # Errors
    /// When a file cannot be read, or two bugs have one name.
    pub fn read() -> std::io::Result<Self> {
        let folder = crate::room().join("harness/mutants");
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        files.sort();
        let mut table = Self::default();
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "toml")) {
            let wrong = |error: &dyn std::fmt::Display| {
                std::io::Error::other(format!("{}: {error}", zus_output::plain::path(file)))
            };
            let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
            let sheet: Sheet = toml::from_str(&text).map_err(|error| wrong(&error))?;
            for bug in sheet.bug {
                let line = 1 + text[..bug.span().start].matches('\n').count();
                let mut bug = bug.into_inner();
                bug.at = format!("{}:{line}", zus_output::plain::path(file));
                if let Some(first) = table.named(&bug.id) {
                    return Err(std::io::Error::other(
                        bug.wrong(&format!("a second bug of this name; the first: {}", first.at)),
                    ));
                }
                table.bugs.push(bug);
            }
            table.helpers.extend(sheet.helper);
        }
        Ok(table)
    }

    /// The bug of this name.
    #[must_use]
    pub fn named(&self, id: &str) -> Option<&Bug> {
        self.bugs.iter().find(|bug| bug.id == id)
    }

    /// The bugs of these names; without any, all.
    ///
    /// # Errors
    /// When there is no such bug.
    pub fn only(&self, names: &[String]) -> std::io::Result<Vec<&Bug>> {
        let unknown = |name: &String| {
            std::io::Error::other(format!(
                "{name}: no deliberate bug has this name\n  fix: fuzz/MATRIX.md lists all"
            ))
        };
        if names.is_empty() {
            return Ok(self.bugs.iter().collect());
        }
        names.iter().map(|name| self.named(name).ok_or_else(|| unknown(name))).collect()
    }
}
