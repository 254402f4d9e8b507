//! Input that cannot be used is refused: exit code 2, with the place and the fix.

use crate::program::{code, hosts, process, run, text};
use std::{fs, net::TcpListener, path::Path, process::Output};

fn refused(output: &Output, says: &[&str]) {
    let told = text(&output.stderr);
    assert_eq!(code(output), 2, "{told}");
    for part in says.iter().chain(&["error: ", "\n  fix: "]) {
        assert!(told.contains(part), "`{part}` is not in: {told}");
    }
}

#[test]
fn bad_hosts_numbers_and_scenarios_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let check = |hosts: &str, process: &str, more: &[&str]| {
        fs::write(at.join("h.txt"), hosts).unwrap();
        let own = ["check", "--hosts", "h.txt", "--process", process];
        run(at, &[&own[..], more].concat())
    };
    let good = "127.0.0.1:4100\n127.0.0.1:4101\n";
    refused(&check("127.0.0.1:4100\nhere\n", "0", &["two_subrounds"]), &["h.txt:2: `here` has no port"]);
    refused(&check("192.0.2.1:4100\n", "0", &["two_subrounds"]), &["h.txt:1: ", "--trusted-network"]);
    refused(&check(good, "2", &["two_subrounds"]), &["--process 2: h.txt names 2 processes", "from 0 to 1"]);
    refused(&check(good, "0", &["hardened_n7_deep"]), &["random runs", "zus check hardened_n7_deep"]);
    refused(&check(good, "0", &["any_rounds"]), &["certificates", "zus check any_rounds"]);
    refused(&check(good, "0", &["no_such_scenario"]), &["no_such_scenario"]);
    refused(&run(at, &["check", "--hosts", "none.txt", "--process", "0", "two_subrounds"]), &["none.txt"]);
    assert_eq!(code(&run(at, &["local", "17", "two_subrounds"])), 2);
    assert_eq!(code(&run(at, &["local", "2", "two_subrounds", "--max-memory", "2 EB"])), 2);
}

#[test]
fn a_busy_port_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fs::write(folder.path().join("hosts.txt"), format!("# busy\n{address}\n")).unwrap();
    let output = process(folder.path(), 0, &["two_subrounds"]).wait_with_output().unwrap();
    refused(&output, &[&address, "process 0 cannot listen", "line 2 of the hosts file"]);
}

#[test]
fn a_peer_that_never_comes_is_not_waited_for_longer_than_said() {
    for number in [0, 1] {
        let folder = tempfile::tempdir().unwrap();
        hosts(folder.path(), 2);
        let output =
            process(folder.path(), number, &["two_subrounds", "--wait", "1"]).wait_with_output().unwrap();
        let other = format!("process {} did not come within 1 s", 1 - number);
        refused(&output, &[&other, &format!("line {} of the hosts file", 2 - number)]);
    }
}

/// A stranger that connects is left alone; it does not take the place of a process.
#[test]
fn a_stranger_on_the_port_is_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = hosts(folder.path(), 2);
    let waits = process(folder.path(), 0, &["two_subrounds", "--wait", "2"]);
    let address = fs::read_to_string(file).unwrap().lines().next().unwrap().to_owned();
    let speaks =
        std::iter::repeat_with(|| std::net::TcpStream::connect(&address)).find_map(Result::ok).unwrap();
    std::io::Write::write_all(&mut &speaks, b"GET / HTTP/1.1\r\n\r\n").unwrap();
    refused(&waits.wait_with_output().unwrap(), &["process 1 did not come within 2 s"]);
}

/// Starts two processes with these arguments; the first refusal of each.
fn both(folder: &Path, zero: &[&str], one: &[&str]) -> [Output; 2] {
    hosts(folder, 2);
    let (zero, one) = (process(folder, 0, zero), process(folder, 1, one));
    [zero, one].map(|child| child.wait_with_output().unwrap())
}

#[test]
fn processes_of_different_searches_refuse_each_other_with_both_values() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let seeds = both(at, &["two_subrounds", "--hash-seed", "5"], &["two_subrounds", "--hash-seed", "6"]);
    refused(&seeds[0], &["process 1 has another hash seed: 6, and this one has 5"]);
    refused(&seeds[1], &["process 0 has another hash seed: 5, and this one has 6"]);
    let limits = both(at, &["two_subrounds", "--max-states", "3000"], &["two_subrounds"]);
    refused(
        &limits[0],
        &["process 1 has another limit on states (--max-states): none, and this one has 3000"],
    );
    refused(
        &limits[1],
        &["process 0 has another limit on states (--max-states): 3000, and this one has none"],
    );
    let names = both(at, &["two_subrounds"], &["late_better_rank"]);
    refused(&names[0], &["another scenario: late_better_rank, and this one has two_subrounds"]);
    refused(&names[1], &["another scenario: two_subrounds, and this one has late_better_rank"]);
    // The same name, and another content.
    let text = r#"question = "?"
profile = "hardened"
n = 4
rounds = 1
subrounds = 1
network = "async"
generators = [["honest", "honest"]]
[expect]
S2 = "holds"
"#;
    fs::create_dir_all(at.join("a")).unwrap();
    fs::create_dir_all(at.join("b")).unwrap();
    fs::write(at.join("a/s.toml"), text).unwrap();
    fs::write(at.join("b/s.toml"), text.replace("rounds = 1\nsub", "rounds = 2\nsub")).unwrap();
    let contents = both(at, &["a/s.toml"], &["b/s.toml"]);
    refused(&contents[0], &["another digest of the scenario: "]);
    refused(&contents[1], &["another digest of the scenario: "]);
    // The same but for a comment, which moves what follows it.
    fs::write(at.join("b/s.toml"), format!("# The same.\n{text}")).unwrap();
    let alike = both(at, &["a/s.toml"], &["b/s.toml"]);
    assert_eq!(alike.each_ref().map(code), [0, 0], "{}", crate::program::text(&alike[1].stderr));
}
