//! A committee of two as two processes, which talk over TCP and keep log and chain in a folder each:
//! `tcp 0 FOLDER0 127.0.0.1:7000 127.0.0.1:7001 3` and `tcp 1 FOLDER1 127.0.0.1:7001 127.0.0.1:7000 3` make three final blocks.
//! Started again with a larger number of rounds they go on.

use std::{
    env,
    error::Error,
    io::{Write as _, stdout},
    net::{TcpListener, TcpStream},
    path::Path,
    process::exit,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use zus_bpp::{
    application::TransactionQueue,
    block::Time,
    committee::{ChainId, Committee, Epoch, MinerId, Peer, Round},
    crypto::{blst_scheme::BlstScheme, scheme::BeaconValue, trusted_dealer::deal},
    miner::{Config, Input, Miner, Output},
    node::{FileStorage, Node, frame, read_frame, wall_clock},
    rules::Rules,
    ticket_log::{FileLog, LogError, Owner, SigningRules, TicketLog as _},
};

fn main() {
    if let Err(error) = run() {
        eprintln!("error: {error}");
        exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [me, folder, own, other, rounds] = &arguments[..] else {
        return Err("usage: tcp MEMBER FOLDER OWN_ADDRESS OTHER_ADDRESS ROUNDS".into());
    };
    let (me, folder, until) = (me.parse::<u16>()?, Path::new(folder), Round(rounds.parse()?));
    // All keys of one seed: a demonstration. Owners that do not trust each other use `crypto::dkg`.
    let (committee, members) = deal([1; 32], 2)?;
    let keys = members.into_iter().nth(me.into()).ok_or("MEMBER is 0 or 1")?;
    let (chain, epoch, peer) = (ChainId([7; 32]), Epoch(1), Peer::Miner(MinerId(1 - me)));
    let owner = Owner { chain, epoch, key: keys.identity.public_key().encode() };
    let (file, signing) = (folder.join("log"), SigningRules::from(&Rules::HARDENED));
    let log = match FileLog::open(&file, owner, signing) {
        Err(LogError::Missing { .. }) => FileLog::create(&file, owner, signing, Round(0))?,
        opened => opened?,
    };
    let mut storage = FileStorage::open(folder.join("chain"))?;
    let members = Committee::new(chain, epoch, 2, 0)?;
    let config = Config::new(members, Rules::HARDENED, BeaconValue([0; 32]), Time(0));
    let recovery = storage.recovery(log.signed().clone());
    let miner = Miner::new(Arc::new(config), BlstScheme::member(committee, keys)?, recovery)?;

    // One link in each direction. That the other member is at its end is certain on one machine only.
    let (listener, (heard, inbox)) = (TcpListener::bind(own)?, mpsc::sync_channel(64));
    thread::spawn(move || {
        for mut link in listener.incoming().flatten() {
            while let Ok(Some(bytes)) = read_frame(&mut link)
                && heard.send(bytes).is_ok()
            {}
        }
    });
    let mut link = None;
    let mut node = Node::new(miner, log, TransactionQueue::new(), |output| {
        if let Output::Finalized(found) = &output {
            let _ = writeln!(stdout(), "round {}: {}", found.block.round().0, found.block.id());
        }
        let served = storage.serve(&output).map(|(_, message)| message);
        while let Some(damage) = storage.take_damage() {
            eprintln!("warning: {damage}");
        }
        if let Some(message) = output.message().or(served.as_ref()) {
            // A member that is away misses the message; the protocol sends again what it needs.
            link = link.take().or_else(|| TcpStream::connect(other).ok());
            link = link.take().filter(|mut link: &TcpStream| link.write_all(&frame(message)).is_ok());
        }
        storage.carry_out(&output)
    });
    node.handle(wall_clock(), Input::Start)?;
    while node.miner.finalized().round() < until {
        let wait = node.next_timer().map_or(0, |at| at.0.saturating_sub(wall_clock().0));
        if let Ok(bytes) = inbox.recv_timeout(Duration::from_millis(wait)) {
            node.handle(wall_clock(), Input::Bytes { from: peer, bytes })?;
        }
        node.expire(wall_clock())?;
    }
    Ok(())
}
