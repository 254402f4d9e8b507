//! Lists the targets, and writes what follows from their table: for each a shim, a program in `fuzz/Cargo.toml`, first inputs and
//! a line of `fuzz/README.md`. A test compares the files with the table.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use zus_output::lock::Lock;
use zus_output::plain::path;

use super::seeds;
use crate::targets::{Row, TABLE};

const HEADER: &str = "| target | meaning of the bytes | oracle |\n|---|---|---|\n";
const PROGRAM: &str = "[[bin]]\n";

/// Prints the table of the targets, or writes what follows from it.
///
/// # Errors
/// When a file cannot be read or written, or has no place for the table.
pub fn targets(write: bool) -> Result<bool> {
    if !write {
        print!("{}", rows_of(TABLE));
        return Ok(true);
    }
    for (file, bytes) in missing(crate::room(), TABLE)? {
        let folder = Lock::take(file.parent().expect("a file stands in a folder"))?;
        zus_output::whole::write(&file, bytes)?;
        println!("{}", path(&file));
        drop(folder);
    }
    Ok(true)
}

/// The files in the folder of the targets that are not as the table has them, with what they should contain.
fn missing(room: &Path, table: &[Row]) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut missing = Vec::new();
    for row in table {
        let shim = room.join("fuzz_targets").join(format!("{}.rs", row.name));
        if !shim.exists() {
            missing.push((shim, shim_of(row.name).into()));
        }
        let inputs = room.join("inputs").join(row.name);
        if inputs.read_dir().map_or(true, |mut files| files.next().is_none()) {
            missing.extend(seeds::random().into_iter().map(|(name, bytes)| (inputs.join(name), bytes)));
        }
    }
    let readme = room.join("README.md");
    replace(&mut missing, readme, |text| {
        let (before, rest) = text.split_once(HEADER).ok_or("no table of targets")?;
        let rows: usize =
            rest.split_inclusive('\n').take_while(|line| line.starts_with('|')).map(str::len).sum();
        Ok(format!("{before}{}{}", rows_of(table), &rest[rows..]))
    })?;
    replace(&mut missing, room.join("Cargo.toml"), |text| {
        let before = text.split_once(PROGRAM).ok_or("no [[bin]]")?.0;
        let programs: Vec<String> = table.iter().map(program).collect();
        Ok(format!("{before}{}", programs.join("\n")))
    })?;
    Ok(missing)
}

/// Adds the file with its new text, if that differs.
fn replace(
    missing: &mut Vec<(PathBuf, Vec<u8>)>,
    file: PathBuf,
    change: impl FnOnce(&str) -> std::result::Result<String, &'static str>,
) -> Result<()> {
    let text = std::fs::read_to_string(&file)?;
    let changed = change(&text).map_err(|why| Error::other(format!("{}: {why}", path(&file))))?;
    if changed != text {
        missing.push((file, changed.into()));
    }
    Ok(())
}

fn rows_of(table: &[Row]) -> String {
    let rows = table.iter().map(|row| format!("| `{}` | {} | {} |\n", row.name, row.bytes, row.oracle));
    rows.fold(HEADER.to_owned(), |text, row| text + &row)
}

fn shim_of(name: &str) -> String {
    format!(
        "//! See `zus_fuzz::targets::{name}`.\n#![cfg_attr(feature = \"libfuzzer\", no_main)]\nzus_fuzz::entry!({name});\n"
    )
}

fn program(row: &Row) -> String {
    let name = row.name;
    format!(
        "{PROGRAM}name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\ntest = false\ndoc = false\nbench = false\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_its_shim_program_inputs_and_line() {
        let missing = missing(crate::room(), TABLE).expect("the folder of the targets is readable");
        let files: Vec<_> = missing.iter().map(|(file, _)| file.display().to_string()).collect();
        assert_eq!(
            files, [""; 0],
            "these are not as the table of targets has them: `zus-fuzz targets --write`"
        );
        for entry in crate::room().join("fuzz_targets").read_dir().expect("there are shims").flatten() {
            let name = entry.path().file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(
                TABLE.iter().any(|row| row.name == name),
                "{name} has a shim, and is in no row of the table"
            );
            let text = std::fs::read_to_string(entry.path()).expect("a shim");
            assert!(text.contains(&format!("entry!({name}")), "{name}");
            assert!(text.lines().count() <= 5, "{name} is more than wiring");
        }
    }

    /// A control: a target that has nothing but its row is completed, and then nothing is missing any more.
    #[test]
    fn a_new_target_is_completed_from_its_row() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["README.md", "Cargo.toml"] {
            std::fs::copy(crate::room().join(file), folder.path().join(file)).expect("a copy");
        }
        let new = Row { name: "wishes", bytes: "wishes", oracle: "a genie" };
        let table = [&[new], &TABLE[..2]].concat();
        let write = |file: &Path, bytes: &[u8]| {
            std::fs::create_dir_all(file.parent().expect("a folder"))
                .and_then(|()| std::fs::write(file, bytes))
        };
        let first = missing(folder.path(), &table).expect("readable");
        // A shim and its inputs for each of three, the README and the manifest.
        assert_eq!(first.len(), 3 * (1 + seeds::random().len()) + 2);
        for (file, bytes) in &first {
            write(file, bytes).expect("writable");
        }
        assert_eq!(missing(folder.path(), &table).expect("readable"), []);
        let manifest = std::fs::read_to_string(folder.path().join("Cargo.toml")).expect("a manifest");
        let manifest: toml::Table = manifest.parse().expect("it is TOML");
        let programs = manifest["bin"].as_array().expect("programs");
        assert_eq!(programs.len(), 3);
        assert_eq!(programs[0]["name"].as_str(), Some("wishes"));
        let readme = std::fs::read_to_string(folder.path().join("README.md")).expect("a README");
        assert!(readme.contains("| `wishes` | wishes | a genie |\n"), "{readme}");
        let whole = std::fs::read_to_string(crate::room().join("README.md")).expect("a README");
        // The text behind the table is as it was, also behind an empty one.
        let end = |text: &str| text.lines().rev().take(30).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(end(&readme), end(&whole));
        let empty = whole.replace(&rows_of(TABLE), HEADER);
        write(&folder.path().join("README.md"), empty.as_bytes()).expect("writable");
        let [(_, text)] = &missing(folder.path(), &table).expect("readable")[..] else {
            panic!("the README alone")
        };
        assert_eq!(String::from_utf8_lossy(text), readme);
    }
}
