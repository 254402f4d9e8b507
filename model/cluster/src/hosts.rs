//! The file of hosts: one line `host:port` for each process, in the order of their numbers. Empty lines and comments (`#`) are left out.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};
use zus_checker::search::bfs::SHARDS;
use zus_output::{bounded, plain};

/// A process and its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// As it is written.
    pub written: String,
    /// Its address.
    pub address: SocketAddr,
    /// The line of the file, from 1.
    pub line: usize,
}

/// Why a file of hosts cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {why}\n  fix: {fix}", plain::path(.file), .line.map_or(String::new(), |line| format!(":{line}")))]
pub struct HostsError {
    /// The file.
    pub file: PathBuf,
    /// The line.
    pub line: Option<usize>,
    /// Why.
    pub why: String,
    /// The fix.
    pub fix: String,
}

/// The most that a file of hosts may have, in bytes.
const MOST: u64 = 1 << 16;

/// Reads a file of hosts. Without `trusted` only loopback addresses are taken.
///
/// # Errors
/// The first line that cannot be used.
pub fn read(file: &Path, trusted: bool) -> Result<Vec<Host>, HostsError> {
    let text = bounded::read(file, MOST).map_err(|why| HostsError {
        file: file.into(),
        line: None,
        why: why.to_string(),
        fix: why.fix("a file with one line host:port for each process"),
    })?;
    parse(file, &text, trusted)
}

fn parse(file: &Path, text: &str, trusted: bool) -> Result<Vec<Host>, HostsError> {
    let mut hosts: Vec<Host> = Vec::new();
    let error = |line, why: String, fix: &str| HostsError { file: file.into(), line, why, fix: fix.into() };
    for (at, line) in text.lines().enumerate() {
        let written = line.split('#').next().unwrap_or_default().trim();
        if written.is_empty() {
            continue;
        }
        let line = at + 1;
        let form = "write host:port, e.g. 127.0.0.1:4100";
        let (_, port) = written
            .rsplit_once(':')
            .ok_or_else(|| error(Some(line), format!("`{}` has no port", plain::line(written)), form))?;
        if port.parse::<u16>().ok().filter(|&port| port > 0).is_none() {
            return Err(error(Some(line), format!("`{}` is no port", plain::line(port)), form));
        }
        let address =
            written.to_socket_addrs().ok().and_then(|mut all| all.next()).ok_or_else(|| {
                error(Some(line), format!("`{}` is no address", plain::line(written)), form)
            })?;
        if !trusted && !address.ip().is_loopback() {
            let why = format!("{} can be reached from other machines", plain::line(written));
            let fix = "use 127.0.0.1, or say --trusted-network: the processes believe whoever speaks to them";
            return Err(error(Some(line), why, fix));
        }
        if let Some(other) = hosts.iter().find(|other| other.address == address) {
            let why = format!("{} is the address of line {}, too", plain::line(written), other.line);
            return Err(error(Some(line), why, "give each process a port of its own"));
        }
        hosts.push(Host { written: written.into(), address, line });
    }
    if hosts.is_empty() {
        return Err(error(None, "it names no process".into(), "write one line host:port for each process"));
    }
    if hosts.len() > SHARDS {
        let why = format!("it names {} processes, and a search has at most {SHARDS}", hosts.len());
        return Err(error(Some(hosts[SHARDS].line), why, "leave out the other lines"));
    }
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_are_left_out() {
        let hosts =
            parse(Path::new("h"), "# two\n127.0.0.1:4100\n\n 127.0.0.1:4101 # second\n", false).unwrap();
        let seen: Vec<_> = hosts.iter().map(|host| (host.written.as_str(), host.line)).collect();
        assert_eq!(seen, [("127.0.0.1:4100", 2), ("127.0.0.1:4101", 4)]);
    }

    #[test]
    fn a_line_that_cannot_be_used_is_named() {
        let wrong = |text: &str, trusted| parse(Path::new("h"), text, trusted).unwrap_err().to_string();
        for (text, says) in [
            ("127.0.0.1\n", "h:1: `127.0.0.1` has no port"),
            ("\n127.0.0.1:x\n", "h:2: `x` is no port"),
            ("127.0.0.1:0\n", "h:1: `0` is no port"),
            ("127.0.0.1:70000\n", "h:1: `70000` is no port"),
            ("no host:1\n", "h:1: `no host:1` is no address"),
            ("127.0.0.1:1\n127.0.0.1:1\n", "h:2: 127.0.0.1:1 is the address of line 1, too"),
            ("10.0.0.1:1\n", "h:1: 10.0.0.1:1 can be reached from other machines"),
            ("# none\n", "h: it names no process"),
        ] {
            let told = wrong(text, false);
            assert!(told.starts_with(says) && told.contains("\n  fix: "), "{told}");
        }
        assert!(parse(Path::new("h"), "10.0.0.1:1\n", true).is_ok());
        let many: String = (1..=17).map(|port| format!("127.0.0.1:{port}\n")).collect();
        assert!(wrong(&many, false).starts_with("h:17: it names 17 processes"));
    }
}
