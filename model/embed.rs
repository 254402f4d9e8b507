// The common part of the build scripts of checker and report: files of a folder of `model`, put into the
// library.

/// Writes an array of paths and texts: every file of the folder with that ending.
fn embed(folder: &str, ending: &str, out: &str) {
    println!("cargo::rerun-if-changed=../{folder}");
    let package = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let folder = Path::new(&package).join("..").join(folder);
    let mut files = Vec::new();
    collect(&folder, "", ending, &mut files);
    files.sort();
    let mut code = String::from("&[\n");
    for name in files {
        let path = folder.join(&name);
        writeln!(code, "    ({name:?}, include_str!({path:?})),").expect("a string can be written to");
    }
    code.push_str("]\n");
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join(out);
    fs::write(out, code).expect("the build folder can be written to");
}

/// All such files below `folder`, as paths relative to the first one, with forward slashes.
fn collect(folder: &Path, prefix: &str, ending: &str, files: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{prefix}{name}/"), ending, files);
        } else if name.ends_with(ending) {
            files.push(format!("{prefix}{name}"));
        }
    }
}
