//! The example `tcp`: two processes on real sockets and disks, stopped and started again.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use crate::examples::example;

/// Starts a member that ends when the block of round `rounds` is final.
fn start(folder: &Path, member: usize, addresses: &[String; 2], rounds: u32) -> Child {
    Command::new(example("tcp"))
        .arg(member.to_string())
        .arg(folder.join(member.to_string()))
        .args([&addresses[member], &addresses[1 - member]])
        .arg(rounds.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Two addresses that were free a moment ago.
fn addresses() -> [String; 2] {
    let listeners = [(), ()].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().to_string())
}

fn lines(output: &Output) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

/// Lines of the example that are neither imports nor comments nor empty, at most: a host is short.
const MOST_LINES: usize = 60;

#[test]
fn a_whole_host_is_short() {
    let own = |text: &str| {
        let lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("fn "));
        lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
    };
    let example = own(include_str!("../examples/tcp.rs"));
    assert!((30..=MOST_LINES).contains(&example), "{example} lines");
    assert_eq!(own("use a;\n\nfn main() {\n    // Nothing.\n\n    f();\n}\n"), 3);
}

#[test]
fn two_processes_make_one_chain_and_go_on_where_they_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let addresses = addresses();
    // The final blocks that both saw: one of them may see a block more before it ends.
    let run = |rounds| {
        let both = [0, 1].map(|member| start(folder.path(), member, &addresses, rounds));
        let [zero, one] = both.map(|member| lines(&member.wait_with_output().unwrap()));
        let common = zero.len().min(one.len());
        assert_eq!(zero[..common], one[..common], "one chain");
        zero[..common].to_vec()
    };
    let first = run(2);
    assert!(
        first.len() >= 2 && first[0].starts_with("round 1: ") && first[1].starts_with("round 2: "),
        "{first:?}"
    );
    let again = run(4);
    assert!(again.iter().any(|line| line.starts_with("round 4: ")), "{again:?}");
    assert!(!again.iter().any(|line| line.starts_with("round 1: ")), "round 1 is not made again: {again:?}");

    // A bit that changed on the disk is named, and nothing is signed on top of it.
    let chain = folder.path().join("0/chain");
    let file =
        fs::read_dir(&chain).unwrap().map(|file| file.unwrap().path()).find(|path| path.is_file()).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let refused = start(folder.path(), 0, &addresses, 4).wait_with_output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && said.contains(file.to_str().unwrap()) && said.contains("\n  fix: "),
        "{said}"
    );
}
