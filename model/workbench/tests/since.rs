//! `--since`: the results of an earlier commit are made by its own program in a checkout of its own, kept, and compared.

use crate::verify::{REST, answers, rooms, rows_of, with};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

/// A repository whose first commit has no workbench, and whose later ones have a folder of one.
fn repository(folder: &Path) {
    let git = |arguments: &[&str]| {
        let author = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"];
        let output = Command::new("git").current_dir(folder).args(author).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "nothing"]);
    fs::create_dir_all(folder.join("model/workbench")).unwrap();
    // No two runs of the test share a commit, and with it results that were kept.
    let told = format!("# {}\n", folder.display());
    fs::write(folder.join("model/workbench/Cargo.toml"), told).unwrap();
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "before"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "after"]);
}

/// A `cargo` that builds nothing: it notes the folder that it is called in, and starts this workbench with these programs.
fn cargo(folder: &Path, programs: &Path) -> std::path::PathBuf {
    let (file, workbench) = (folder.join("cargo"), env!("CARGO_BIN_EXE_zus-workbench"));
    let script = format!(
        "#!/usr/bin/env bash\npwd >> {calls}\nwhile [ \"$1\" != -- ]; do shift; done\nshift 2\nexec {workbench} verify --programs {programs} \"$@\"\n",
        calls = folder.join("calls").display(),
        programs = programs.display(),
    );
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file
}

#[test]
fn the_results_of_an_earlier_commit_are_made_once_by_its_own_program_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let (here, out) = (folder.path().join("here"), folder.path().join("out"));
    fs::create_dir(&here).unwrap();
    repository(&here);
    // The checker of the earlier commit counted one state more in every search.
    let counted = with("zus", r#"set -o pipefail; "$real" "$@" | sed -E 's/("unique": *)([0-9]+)/\19\2/'"#);
    let verified = |since: &str, programs: &Path| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_zus-workbench"));
        run.current_dir(&here).env("CARGO", cargo(folder.path(), programs));
        run.args(["verify", "--quick", "--rules", "hardened", "--since", since, "--programs"]);
        let Output { status, stdout, stderr } =
            run.arg(rooms()).arg("--out").arg(&out).args(REST).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        (status.code(), said, rows_of(&out))
    };
    let calls = || fs::read_to_string(folder.path().join("calls")).unwrap_or_default();

    let (code, said, rows) = verified("HEAD~1", counted.path());
    assert_eq!(code, Some(1), "{said}");
    answers(&rows, "model", "searched", "changed");
    answers(&rows, "model", "S2", "holds");
    answers(&rows, "proofs", "conditions", "holds");
    // In a checkout of that commit, which is gone.
    let tree = calls();
    assert!(tree.trim_end().ends_with("-tree") && !Path::new(tree.trim_end()).exists(), "{tree}");
    // They are kept: nobody makes them again.
    let (again, said, same) = verified("HEAD~1", &rooms());
    assert_eq!((again, &same, calls()), (Some(1), &rows, tree.clone()), "{said}");

    // The control: nothing changed since a commit with the same results.
    let (code, said, rows) = verified("HEAD", &rooms());
    assert_eq!(code, Some(0), "{said}");
    answers(&rows, "model", "searched", "holds");
    assert_eq!(calls().lines().count(), 2, "{}", calls());

    // A program that ends without a report, a commit without a workbench, and none.
    for (since, told) in [("HEAD~2", "has no zus-workbench"), ("nowhere", "is no commit")] {
        let (code, said, _) = verified(since, &rooms());
        assert_eq!(code, Some(2), "{since}: {said}");
        assert!(said.contains(told) && said.contains("\n  fix: "), "{since}: {said}");
    }
    assert_eq!(calls().lines().count(), 2, "{}", calls());
}
