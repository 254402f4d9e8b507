//! Ports of this machine that are free, and stay so until somebody asks for just them.
//!
//! The port that a system picks for a listener is one of those that it also gives to connections: between the moment at which it
//! is known to be free and the one at which a process listens there, a connection of any program may have it. So these are
//! taken from below that range, which begins at 32,768 on Linux and at 49,152 elsewhere.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

/// The first port, and how many there are.
const FIRST: u16 = 12_000;
const COUNT: u32 = 20_000;

/// Ports that this process has looked at.
static LOOKED_AT: AtomicU32 = AtomicU32::new(0);

/// So many ports, no two calls of a process the same until all have had their turn. An error if fewer are free.
pub fn free(count: usize) -> io::Result<Vec<u16>> {
    // Programs that run beside each other begin at places that are far apart.
    let begin = std::process::id().wrapping_mul(7_919) % COUNT;
    let mut found = Vec::new();
    for _ in 0..COUNT {
        if found.len() == count {
            return Ok(found);
        }
        let at = begin.wrapping_add(LOOKED_AT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = FIRST + at as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            found.push(port);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        format!("fewer than {count} free ports of {FIRST} and above"),
    ))
}
