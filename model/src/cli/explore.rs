//! `zus explore`: Stateright's Explorer, on loopback.

use super::{Exit, ExploreArgs, Failure};
use stateright::Model;
use std::{
    io::Write,
    net::TcpListener,
    panic::{AssertUnwindSafe, catch_unwind},
};
use zus_model::{checker::stateright::Readable, committed};

/// Runs the command; it ends with the process, or with an address that cannot be used.
pub fn run(args: &ExploreArgs) -> Result<Exit, Failure> {
    let scenario = committed::find(&args.scenario)?;
    if !args.address.ip().is_loopback() {
        return Err(Failure::NotLoopback { address: args.address });
    }
    let model = Readable::new(&scenario.protocol, scenario.expect.iter().map(|e| e.property).collect());
    loop {
        // The server panics where it cannot listen, so it is asked first.
        let listener = TcpListener::bind(args.address);
        let bound = listener.and_then(|listener| listener.local_addr());
        let address = bound.map_err(|source| Failure::Address { address: args.address, source })?;
        writeln!(anstream::stderr(), "{}: {}\nhttp://{address}", scenario.name, scenario.question)?;
        // It panics, too, when a browser goes away before its answer; that is no reason to stop.
        let served = catch_unwind(AssertUnwindSafe(|| model.clone().checker().serve(address)));
        if served.is_ok() {
            return Ok(Exit::AsExpected);
        }
    }
}
