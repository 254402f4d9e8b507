//! `zus explore` under attack: after everything that a hostile peer sends, it answers an honest request, and its memory is
//! bounded. The server before this one failed them all: it allocated what `Content-Length` said, two stalled bodies made it
//! deaf, and a header line of 300 MB took 300 MB.

use super::Explorer;
use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

/// Bytes of memory of the process at most, whatever it is sent: the program itself, and its bounds.
const MOST_MEMORY: u64 = 128 << 20;
/// How long anything may take; it is not a measurement.
const PATIENCE: Duration = Duration::from_secs(90);

/// The most memory that the process has had, where the system says so.
fn peak(explorer: &Explorer) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", explorer.child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).map_or(0, |kib| kib << 10)
}

/// Whether the server is as before.
fn is_well(explorer: &Explorer, after: &str) {
    let (status, _, page) = explorer.get("/", &explorer.address, "");
    assert!(status == 200 && page.contains("What may happen now"), "after {after}: {status}");
    let peak = peak(explorer);
    assert!(peak < MOST_MEMORY, "after {after}: {} MiB", peak >> 20);
}

/// A connection on which these bytes were sent.
fn sent(explorer: &Explorer, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(&explorer.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // It may be refused before it has been sent.
    let _ = stream.write_all(bytes);
    stream
}

/// The bytes that come back until the server closes; a server that just closes sends none.
fn answer(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            panic!("the server neither answers nor closes: {error}")
        }
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("closed")
}

/// A question of that length, as far as `body` goes.
fn question(host: &str, length: &str, body: &str) -> String {
    format!(
        "POST /at HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[test]
fn lengths_that_no_body_has_cost_nothing() {
    let explorer = Explorer::of("late_better_rank");
    let own = explorer.address.clone();
    for length in [
        "1048577",
        "1000000000000",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "1e3",
    ] {
        for host in [&own, "other.example"] {
            let refused = answer(sent(&explorer, question(host, length, "").as_bytes()));
            assert!(
                ["400", "403", "413", "431", "closed"].contains(&status(&refused)),
                "{length}: {refused}"
            );
            let get = format!(
                "GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            answer(sent(&explorer, get.as_bytes()));
            is_well(&explorer, &format!("a length of {length} for {host}"));
        }
    }
}

#[test]
fn who_stalls_holds_up_nobody_and_is_let_go() {
    let explorer = Explorer::of("late_better_rank");
    let own = &explorer.address;
    // The answer to a refused request comes, and the connection ends, though its body never does.
    let foreign = answer(sent(&explorer, question("other.example", "5000", "{").as_bytes()));
    assert_eq!(status(&foreign), "403");
    let many = |bytes: &str, count: usize| -> Vec<TcpStream> {
        (0..count).map(|_| sent(&explorer, bytes.as_bytes())).collect()
    };
    let mut held = many(&question(own, "5000", "{"), 40);
    is_well(&explorer, "40 stalled bodies");
    held.extend(many(&question("other.example", "5000", "{"), 40));
    is_well(&explorer, "40 stalled bodies of refused requests");
    held.extend(many("GET / HTTP/1.1\r\nHost: 127", 40));
    is_well(&explorer, "40 stalled headers");
    held.extend(many("", 200));
    is_well(&explorer, "200 connections that say nothing");
    // Those that ask for the page and do not read it.
    held.extend(many(&format!("GET / HTTP/1.1\r\nHost: {own}\r\n\r\n"), 40));
    is_well(&explorer, "40 that do not read");
    drop(held);
    is_well(&explorer, "all of them hung up");
    // Without others that push them out, the clock ends them.
    let body = sent(&explorer, question(own, "5000", "{").as_bytes());
    let header = sent(&explorer, b"GET / HTTP/1.1\r\nHost: 127");
    assert_eq!(status(&answer(body)), "408");
    assert_eq!(status(&answer(header)), "closed");
}

#[test]
fn a_header_without_an_end_is_cut_off() {
    let explorer = Explorer::of("late_better_rank");
    for (begins, more) in [
        ("GET / HTTP/1.1\r\nX: ", "x".repeat(1 << 16)),
        ("GET /", "a".repeat(1 << 16)),
        ("GET / HTTP/1.1\r\n", "X: y\r\n".repeat(1 << 13)),
        ("", "\r\n".repeat(1 << 15)),
    ] {
        let mut stream = sent(&explorer, begins.as_bytes());
        let mut taken = 0usize;
        // The old server took 300 MB of it.
        while taken < 64 << 20 && stream.write_all(more.as_bytes()).is_ok() {
            taken += more.len();
        }
        assert!(taken < 64 << 20, "{begins:?} goes on and on");
        let refused = answer(stream);
        assert!(["400", "414", "431", "closed"].contains(&status(&refused)), "{begins:?}: {refused}");
        is_well(&explorer, &format!("{begins:?} without an end"));
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let explorer = Explorer::of("late_better_rank");
    let own = explorer.address.clone();
    for (bytes, wanted) in [
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0".to_owned(), "400"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), "400"),
        ("FLY\r\n\r\n".into(), "400"),
        (format!("FLY / HTTP/1.1\r\nHost: {own}\r\n\r\n"), "405"),
        (format!("CONNECT {own} HTTP/1.1\r\nHost: {own}\r\n\r\n"), "403"),
        (format!("GET http://{own}/ HTTP/1.1\r\nHost: {own}\r\n\r\n"), "403"),
        ("GET / HTTP/1.1\r\n\r\n".into(), "403"),
        (format!("GET / HTTP/1.1\r\nHost: {own}\u{202e}\r\n\r\n"), "403"),
        (question(&own, "3\r\nContent-Length: 4", "[[]]"), "400"),
        (question(&own, "4\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), "413"),
        (
            format!(
                "POST /at HTTP/1.1\r\nHost: {own}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n"
            ),
            "413",
        ),
    ] {
        let stream = sent(&explorer, bytes.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        let refused = answer(stream);
        let one_of = [wanted, "400", "closed"];
        assert!(one_of.contains(&status(&refused)), "{bytes:?}: {refused}");
        is_well(&explorer, &format!("{bytes:?}"));
    }
    // A body that is as large as it may be, and asks for much.
    for (unit, around) in
        [("[", ("{\"steps\":", "")), ("{},", ("{\"steps\":[", "{}]}")), ("\u{202e}", ("\"", "\""))]
    {
        let fill = unit.repeat(((1 << 20) - 64) / unit.len());
        let body = format!("{}{fill}{}", around.0, around.1);
        let refused = answer(sent(&explorer, question(&own, &body.len().to_string(), &body).as_bytes()));
        assert!(["400", "422"].contains(&status(&refused)), "{unit}: {refused}");
        assert!(refused.len() < 8_000, "the reason is cut: {} bytes", refused.len());
        is_well(&explorer, &format!("a mebibyte of {unit:?}"));
    }
}

#[test]
fn of_requests_that_come_at_once_the_first_is_answered() {
    let explorer = Explorer::of("late_better_rank");
    let get = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", explorer.address);
    let answers = answer(sent(&explorer, get.repeat(1_000).as_bytes()));
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 1);
    is_well(&explorer, "a thousand at once");
}

/// A process that may have few files open answers all the same, or ends and says why.
#[cfg(unix)]
#[test]
fn without_room_for_a_connection_the_oldest_goes_or_the_server_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ended, mut answered) = (0, 0);
    for files in 6..=24 {
        let told = folder.path().join("told");
        let script = format!("ulimit -n {files}; exec \"$0\" explore late_better_rank --address 127.0.0.1:0");
        let child = Command::new("bash")
            .args(["-c", &script, env!("CARGO_BIN_EXE_zus")])
            .stderr(std::fs::File::create(&told).unwrap())
            .spawn()
            .unwrap();
        let mut explorer = Explorer { child, address: String::new() };
        let read = || std::fs::read_to_string(&told).unwrap();
        let start = Instant::now();
        let address = loop {
            let said = read();
            if let Some(address) = said.lines().find_map(|line| line.strip_prefix("http://")) {
                break Some(address.to_owned());
            }
            if explorer.child.try_wait().unwrap().is_some() {
                break None;
            }
            assert!(start.elapsed() < PATIENCE, "{files}: {said}");
            sleep(Duration::from_millis(5));
        };
        let Some(address) = address else {
            assert!(read().contains("\n  fix: "), "{files}: {}", read());
            continue;
        };
        explorer.address = address;
        // More peers than it may have files open, and none of them says anything. It may end meanwhile.
        let connect = |bytes: &[u8]| {
            let mut stream = TcpStream::connect(&explorer.address).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let _ = stream.write_all(bytes);
            Some(stream)
        };
        let silent: Vec<_> = (0..30).map(|_| connect(b"GET / HTTP/1.1\r\n")).collect();
        let asked = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", explorer.address);
        let start = Instant::now();
        let page = connect(asked.as_bytes()).map(answer).unwrap_or_default();
        if page.starts_with("HTTP/1.1 200") {
            // Nobody waits until the silent ones are given up.
            assert!(start.elapsed() < Duration::from_secs(4), "{files}: {:?}", start.elapsed());
            answered += 1;
        } else {
            while explorer.child.try_wait().unwrap().is_none() {
                assert!(start.elapsed() < PATIENCE, "{files}: it neither answers nor ends: {page}");
                sleep(Duration::from_millis(5));
            }
            assert_eq!(explorer.child.wait().unwrap().code(), Some(2), "{files}");
            assert!(
                read().contains("no page can connect: ") && read().contains("\n  fix: allow more open files"),
                "{}",
                read()
            );
            ended += 1;
        }
        drop(silent);
    }
    assert!(answered > 5 && ended > 0, "{answered} answered, {ended} ended");
}
