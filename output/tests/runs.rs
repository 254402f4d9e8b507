//! Runs that are killed in the middle of a write, and runs at the same time: with processes of their own.
#![cfg(unix)]

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};
use zus_output::{
    folder::{Folder, LIST},
    lock::{Lock, is_refusal},
    whole,
};

/// Names of other programs and of users, beside which this crate writes.
const FOREIGN: [&str; 5] =
    [".zus-backup", ".zus-unfinished-notes", ".zus-unfinished-my_own_notes", ".zus-lock", "f.tmp"];

/// Names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Files that are being written, or were.
fn unfinished(folder: &Path) -> Vec<String> {
    names(folder)
        .into_iter()
        .filter(|name| [".zus-unfinished-", ".zus-waiting-"].iter().any(|prefix| name.starts_with(prefix)))
        .filter(|name| !FOREIGN.contains(&&**name))
        .collect()
}

/// Bytes that come to no end once a file for them is there.
struct Stalling(PathBuf);

impl AsRef<[u8]> for Stalling {
    fn as_ref(&self) -> &[u8] {
        if !unfinished(&self.0).is_empty() {
            println!("stalled");
            std::io::stdout().flush().unwrap();
            // Its end is the end of the test that started this process.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
        }
        b"never"
    }
}

/// The test that the processes below are, which do something else there.
const HOST: &str =
    "what_a_killed_process_was_writing_goes_with_the_next_write_and_what_is_being_written_stays";

/// The work of a process that a test of this file starts; none in a test.
fn acted() -> bool {
    let (Some(role), Some(folder)) = (env::var_os("ROLE"), env::var_os("FOLDER").map(PathBuf::from)) else {
        return false;
    };
    let stalling = || Stalling(folder.clone());
    match role.to_str().unwrap() {
        "stalls at a file" => whole::write(folder.join("f"), stalling()).unwrap(),
        "writes another file" => whole::write(folder.join("g"), "g").unwrap(),
        "stalls in a folder" => {
            let mut run = Folder::open(&folder).unwrap();
            run.write("traces/a.json", "a").unwrap();
            run.write("report.json", stalling()).unwrap();
        }
        "stalls in a folder below" => {
            let mut run = Folder::open(&folder).unwrap();
            run.write("report.json", "r").unwrap();
            run.write("traces/a.json", stalling()).unwrap();
        }
        other => panic!("{other}"),
    }
    true
}

fn process(role: &str, folder: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([HOST, "--nocapture"]).env("ROLE", role).env("FOLDER", folder);
    command
}

/// A process that has begun to write a file, and goes no further.
fn stalled(role: &str, folder: &Path) -> Child {
    let mut child = process(role, folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("stalled")), "{role}: it ended");
    child
}

fn killed(mut child: Child) {
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
}

#[test]
fn what_a_killed_process_was_writing_goes_with_the_next_write_and_what_is_being_written_stays() {
    if acted() {
        return;
    }
    let at = tempfile::tempdir().unwrap();
    let folder = at.path();
    for name in FOREIGN {
        fs::write(folder.join(name), "of another").unwrap();
    }
    let next = || assert!(process("writes another file", folder).output().unwrap().status.success());
    let live = stalled("stalls at a file", folder);
    let left = unfinished(folder);
    assert_eq!(left.len(), 1, "{left:?}");
    next();
    assert_eq!(unfinished(folder), left, "its process lives");
    killed(live);
    assert_eq!(unfinished(folder), left, "the control: nothing else removes it");
    next();
    assert_eq!(unfinished(folder), [""; 0]);
    assert!(!folder.join("f").exists(), "no part of it is there");
    for name in FOREIGN {
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), "of another", "{name}");
    }
}

#[test]
fn a_second_run_into_a_folder_is_refused_until_the_first_is_gone() {
    let at = tempfile::tempdir().unwrap();
    let folder = at.path();
    fs::write(folder.join("mine"), "of the user").unwrap();
    for role in ["stalls in a folder", "stalls in a folder below"] {
        let first = stalled(role, folder);
        let before = (names(folder), names(&folder.join("traces")));
        assert_eq!(unfinished(folder).len(), 1);
        // By each of its names, and by that of a folder that it writes into.
        let link = at.path().join("link");
        std::os::unix::fs::symlink(".", &link).unwrap();
        for same in [folder.to_path_buf(), folder.join("traces"), folder.join("traces/.."), link.clone()] {
            let error = Folder::open(&same).map(drop).unwrap_err();
            let (named, said) = (same.to_string_lossy(), error.to_string());
            assert!(is_refusal(&error) && said.starts_with(&*named) && said.contains("fix: wait"), "{said}");
        }
        fs::remove_file(link).unwrap();
        assert_eq!((names(folder), names(&folder.join("traces"))), before, "it has changed nothing");
        killed(first);
        let mut next = Folder::open(folder).unwrap();
        assert_eq!(unfinished(folder), [""; 0], "{role}");
        next.write("report.json", "next").unwrap();
        next.finish().unwrap();
        assert_eq!(names(folder), [LIST, "mine", "report.json", "traces"]);
        assert_eq!(names(&folder.join("traces")), [""; 0]);
    }
}

#[test]
fn a_folder_may_be_held_longer_than_it_is_written() {
    let at = tempfile::tempdir().unwrap();
    let lock = Arc::new(Lock::take(at.path().join("out")).unwrap());
    Folder::within(Arc::clone(&lock)).unwrap().finish().unwrap();
    let taken = || Lock::take(at.path().join("out")).map(drop);
    assert!(is_refusal(&taken().unwrap_err()));
    drop(lock);
    taken().unwrap();
}

#[test]
fn a_folder_below_that_is_a_link_is_replaced_and_nothing_is_written_where_it_leads() {
    let at = tempfile::tempdir().unwrap();
    let (out, elsewhere) = (at.path().join("out"), at.path().join("elsewhere"));
    let link = || {
        let _ = fs::remove_dir_all(out.join("traces"));
        std::os::unix::fs::symlink("../elsewhere", out.join("traces")).unwrap();
    };
    let run = |name: &str| {
        let mut folder = Folder::open(&out).unwrap();
        folder.write(name, "of the run").unwrap();
        folder.finish().unwrap();
    };
    fs::create_dir_all(&out).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("1.json"), "of the run").unwrap();
    link();
    run("traces/1.json");
    assert!(fs::symlink_metadata(out.join("traces")).unwrap().is_dir());
    assert_eq!(fs::read_to_string(out.join("traces/1.json")).unwrap(), "of the run");
    // Files of the run before are removed in the folder, and not through a link that has taken its place.
    link();
    run("report.json");
    assert_eq!(fs::read_to_string(elsewhere.join("1.json")).unwrap(), "of the run");
    assert_eq!(names(&elsewhere), ["1.json"]);
    // The folder itself is the user's: a link to it is followed.
    fs::rename(&out, at.path().join("moved")).unwrap();
    std::os::unix::fs::symlink("moved", &out).unwrap();
    run("report.json");
    assert!(fs::symlink_metadata(&out).unwrap().is_symlink());
}
