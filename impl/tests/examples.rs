//! The example programs, for the tests that run them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// An example, which `cargo test -p zus-bpp` builds. A test alone (`--test all`) does not, so it is built here where it is missing
/// or older than its sources.
pub fn example(name: &str) -> PathBuf {
    let tests = env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    let time = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let newest = match fs::read_dir(examples.join(name)) {
        Ok(folder) => folder.filter_map(|file| time(&file.unwrap().path())).max(),
        Err(_) => time(&examples.join(format!("{name}.rs"))),
    };
    if time(&program) < newest {
        let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--quiet", "-p", "zus-bpp", "--example", name]);
        assert!(build.status().unwrap().success(), "cargo build -p zus-bpp --example {name}");
        // Where nothing had to be built, it is as new as it can be.
        assert!(program.is_file(), "{}", program.display());
    }
    program
}
