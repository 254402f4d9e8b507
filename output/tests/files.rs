//! Files appear whole or not at all, and a folder loses the files of earlier runs and no others.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};
use zus_output::{
    folder::{Folder, LIST},
    whole::{self, Promised},
};

/// Names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs `work` in a process that cannot write files of more than 4 KiB; the test `test` calls it when `FOLDER` is set.
#[cfg(unix)]
fn with_small_files(test: &str, folder: &Path) {
    let script = "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$1\" --nocapture";
    let mut command = Command::new("bash");
    command.args(["-c", script]).arg(env::current_exe().unwrap()).arg(test).env("FOLDER", folder);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(unix)]
#[test]
fn without_room_the_earlier_file_stays() {
    let large = vec![b'x'; 100_000];
    if let Some(folder) = env::var_os("FOLDER").map(PathBuf::from) {
        // The control: there is no room, and what is written in place is lost.
        fs::write(folder.join("in_place"), &large).unwrap_err();
        whole::write(folder.join("whole"), &large).unwrap_err();
        whole::write(folder.join("new"), &large).unwrap_err();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("in_place"), "good").unwrap();
    fs::write(at("whole"), "good").unwrap();
    with_small_files("without_room_the_earlier_file_stays", folder.path());
    let cut = fs::read(at("in_place")).unwrap();
    assert!(!cut.is_empty() && cut.len() < 100_000 && cut[0] == b'x', "the control: {} bytes", cut.len());
    assert_eq!(fs::read(at("whole")).unwrap(), b"good");
    assert_eq!(
        names(folder.path()),
        ["in_place", "whole"],
        "nothing is left beside them, and no part of `new`"
    );
}

#[test]
fn a_file_is_written_new_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f");
    whole::write(&file, "one").unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"one");
    whole::write(&file, "two").unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"two");
    assert_eq!(names(folder.path()), ["f"]);
    whole::write(folder.path().join("none/f"), "x").unwrap_err();
    whole::write(folder.path(), "x").unwrap_err();
    whole::check(folder.path().join("none/f")).unwrap_err();
    whole::check(folder.path()).unwrap_err();
    whole::check(&file).unwrap();
    whole::check(folder.path().join("g")).unwrap();
    assert_eq!(names(folder.path()), ["f"], "looking leaves nothing");
    assert_eq!(fs::read(&file).unwrap(), b"two");
}

#[cfg(unix)]
#[test]
fn permissions_links_and_what_is_no_file_are_as_with_a_plain_write() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mode = |name: &str| fs::metadata(at(name)).unwrap().permissions().mode() & 0o7777;
    fs::write(at("plain"), "x").unwrap();
    whole::write(at("new"), "x").unwrap();
    assert_eq!(mode("new"), mode("plain"), "a new file has what any new file has");
    fs::set_permissions(at("new"), fs::Permissions::from_mode(0o640)).unwrap();
    whole::write(at("new"), "y").unwrap();
    assert_eq!(mode("new"), 0o640);
    symlink("new", at("link")).unwrap();
    whole::write(at("link"), "through").unwrap();
    assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
    assert_eq!(fs::read(at("new")).unwrap(), b"through");
    symlink("later", at("early")).unwrap();
    whole::write(at("early"), "made").unwrap();
    assert_eq!(fs::read(at("later")).unwrap(), b"made");
    whole::write(Path::new("/dev/null"), "gone").unwrap();
    whole::check(Path::new("/dev/null")).unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn a_file_that_was_promised_and_not_written_is_not_that_of_an_earlier_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["f", "other"] {
        fs::write(at(name), "the user's own, and not zus-anything").unwrap();
    }
    drop(Promised::at(at("f"), []).unwrap());
    assert_eq!(names(folder.path()), ["f", "other"], "what no tool wrote stays");
    let new = r#"{"format":"zus-trace"}"#;
    Promised::at(at("f"), [&*at("other")]).unwrap().write(new).unwrap();
    assert_eq!(fs::read(at("f")).unwrap(), new.as_bytes());
    drop(Promised::at(at("f"), []).unwrap());
    drop(Promised::at(at("never"), []).unwrap());
    assert_eq!(names(folder.path()), ["other"]);
    // An input is no place for an output, by whatever name.
    let error = Promised::at(folder.path().join(".").join("other"), [&*at("other")]).unwrap_err();
    assert_eq!(error.to_string(), "it is an input of this command");
    Promised::at(folder.path(), []).unwrap_err();
    assert_eq!(names(folder.path()), ["other"], "where it cannot be written, what is there stays");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("other", at("link")).unwrap();
        fs::write(at("other"), new).unwrap();
        drop(Promised::at(at("link"), []).unwrap());
        assert_eq!(names(folder.path()), ["link", "other"], "a link was made by the user");
        drop(Promised::at("/dev/null", []).unwrap());
        assert!(Path::new("/dev/null").exists());
    }
}

#[test]
fn a_run_removes_what_the_run_before_wrote_and_nothing_else() {
    let at = tempfile::tempdir().unwrap();
    let root = at.path().join("out");
    let mut first = Folder::open(&root).unwrap();
    for name in ["report.json", "traces/a.json", "traces/b.json", "traces/c.json"] {
        first.write(name, name).unwrap();
    }
    assert_eq!(first.finish().unwrap().lines(), "");
    fs::write(root.join("mine.txt"), "of the user").unwrap();
    fs::write(root.join("traces/mine.json"), "of the user").unwrap();
    fs::write(root.join("traces/c.json"), "changed by the user").unwrap();
    let mut second = Folder::open(&root).unwrap();
    second.write("report.json", "new").unwrap();
    second.write("traces/a.json", "new").unwrap();
    let left = second.finish().unwrap();
    assert_eq!(
        names(&root.join("traces")),
        ["a.json", "c.json", "mine.json"],
        "b.json is of no run that exists"
    );
    assert_eq!(names(&root), [LIST, "mine.txt", "report.json", "traces"]);
    assert_eq!(
        (left.changed, left.foreign),
        (vec![root.join("traces/c.json")], vec![root.join("traces/mine.json")])
    );
}

/// A run that fails half-way leaves the folder as it was: there is never a mixture of two runs.
#[test]
fn the_files_of_a_run_appear_together_or_not_at_all() {
    let at = tempfile::tempdir().unwrap();
    let all = || {
        names(at.path()).into_iter().map(|n| (fs::read(at.path().join(&n)).unwrap(), n)).collect::<Vec<_>>()
    };
    let run = |of: &str, files: &[&str]| {
        let mut run = Folder::open(at.path()).unwrap();
        files.iter().for_each(|name| drop(run.write(name, format!("{of} {name}")).unwrap()));
        run
    };
    run("first", &["report.json", "report.md"]).finish().unwrap();
    let first = all();
    assert_eq!(names(at.path()), [LIST, "report.json", "report.md"]);
    // Half of it, and a file of its own.
    drop(run("second", &["report.json", "more.json"]));
    assert_eq!(all(), first);
    run("third", &["report.json"]).finish().unwrap();
    assert_eq!(names(at.path()), [LIST, "report.json"], "the list is that of the first run still");
    assert_eq!(fs::read(at.path().join("report.json")).unwrap(), b"third report.json");
}

/// A file of the user's own at the name of a file of the run is not replaced: the run is refused, before its work if it asks.
#[test]
fn a_file_that_no_run_wrote_is_not_replaced() {
    let at = tempfile::tempdir().unwrap();
    let file = at.path().join("report.md");
    fs::write(&file, "# My notes").unwrap();
    let mut run = Folder::open(at.path()).unwrap();
    for refused in [run.is_ours("report.md"), run.write("report.md", "of a run").map(drop)] {
        assert_eq!(refused.unwrap_err().to_string(), "report.md is there already, and no run wrote it");
    }
    run.is_ours("report.json").unwrap();
    drop(run);
    assert_eq!(fs::read(&file).unwrap(), b"# My notes");
    // One of a tool, from before there was a list, is; and one that the list names.
    for text in ["<!-- zus -->", "changed by hand"] {
        fs::write(&file, text).unwrap();
        let mut run = Folder::open(at.path()).unwrap();
        run.write("report.md", "of a run").unwrap();
        run.finish().unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"of a run");
    }
}

/// Nothing waits for a reader that may never come.
#[cfg(unix)]
#[test]
fn a_pipe_with_a_name_is_no_place_for_a_file() {
    let at = tempfile::tempdir().unwrap();
    let pipe = at.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for refused in [
        whole::check(&pipe),
        whole::write(&pipe, "text"),
        whole::Promised::at(&pipe, []).map(drop),
        Folder::open(at.path()).unwrap().write("pipe", "text").map(drop),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), "this is a pipe, a socket or a device, and no file");
    }
}

#[test]
fn files_of_a_run_that_did_not_end_are_known() {
    let at = tempfile::tempdir().unwrap();
    let mut killed = Folder::open(at.path()).unwrap();
    killed.write("traces/a.json", "x").unwrap();
    drop(killed);
    let mut next = Folder::open(at.path()).unwrap();
    next.write("traces/b.json", "x").unwrap();
    assert_eq!(next.finish().unwrap().lines(), "");
    assert_eq!(names(&at.path().join("traces")), ["b.json"]);
}

#[test]
fn a_list_that_leads_outside_or_is_none_removes_nothing() {
    let at = tempfile::tempdir().unwrap();
    let root = at.path().join("out");
    fs::create_dir(&root).unwrap();
    fs::write(at.path().join("outside"), "x").unwrap();
    // The hash of "x" is the one that a true list has for it.
    let mut own = Folder::open(&root).unwrap();
    own.write("inside", "x").unwrap();
    own.finish().unwrap();
    let list = fs::read_to_string(root.join(LIST)).unwrap();
    for wrong in [list.replace(" inside", " ../outside"), "\u{0}no list".into(), String::new()] {
        fs::write(root.join(LIST), &wrong).unwrap();
        Folder::open(&root).unwrap().finish().unwrap();
        assert!(at.path().join("outside").is_file(), "{wrong}");
        assert!(root.join("inside").is_file(), "{wrong}");
    }
    fs::write(root.join(LIST), &list).unwrap();
    Folder::open(&root).unwrap().finish().unwrap();
    assert!(!root.join("inside").exists(), "the control: the true list removes it");
    let mut folder = Folder::open(&root).unwrap();
    for name in ["", "../x", "/x", "a/../../x", "a\nb"] {
        folder.write(name, "x").unwrap_err();
    }
}
