//! A node in virtual time: a committee of one on real BLS, with log and chain on disk, stopped and started again.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use zus_bpp::application::TransactionQueue;
use zus_bpp::block::Time;
use zus_bpp::committee::{ChainId, Committee, Epoch, Round};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::scheme::BeaconValue;
use zus_bpp::crypto::trusted_dealer::deal;
use zus_bpp::limits::KEPT_FINAL_BLOCKS;
use zus_bpp::miner::{Config, Input, Miner};
use zus_bpp::node::{FileStorage, Node};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{FileLog, KEY_BYTES, Owner, SigningRules, TicketLog};

const CHAIN: ChainId = ChainId([7; 32]);
const OWNER: Owner = Owner { chain: CHAIN, epoch: Epoch(1), key: [0; KEY_BYTES] };

/// Runs the only miner of a committee from a time on until a round is final; returns when that was.
fn run(log: FileLog, folder: &Path, start: Time, until: Round) -> Result<Time, Box<dyn Error>> {
    let (keys, members) = deal([1; 32], 1)?;
    let scheme = BlstScheme::member(keys, members.into_iter().next().ok_or("one member")?)?;
    let config =
        Config::new(Committee::new(CHAIN, Epoch(1), 1, 0)?, Rules::HARDENED, BeaconValue([0; 32]), Time(0));
    let mut storage = FileStorage::open(folder)?;
    let recovery = storage.recovery(log.signed().clone());
    let miner = Miner::new(Arc::new(config), scheme, recovery)?;
    let mut node = Node::new(miner, log, TransactionQueue::new(), |output| storage.carry_out(&output));
    let mut now = start;
    node.handle(now, Input::Start)?;
    // A committee of one needs no network: timers alone make it produce blocks.
    while node.miner.finalized().round() < until {
        now = node.next_timer().ok_or("a timer is always set")?;
        node.expire(now)?;
    }
    Ok(now)
}

#[test]
fn a_node_produces_blocks_and_goes_on_after_a_restart() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (chain, rules) = (folder.path().join("chain"), SigningRules::from(&Rules::HARDENED));
    let log = folder.path().join("log");
    let now = run(FileLog::create(&log, OWNER, rules, Round(0))?, &chain, Time(0), Round(3))?;
    let reopened = FileLog::open(&log, OWNER, rules)?;
    assert!(reopened.signed().records().count() >= 9, "a block, a ticket and a vote a round");
    run(reopened, &chain, now.after(1), Round(6))?;
    Ok(())
}

/// The folder does not grow with the chain: items that no restart needs are removed.
#[test]
fn the_folder_of_a_node_is_bounded() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (chain, rules) = (folder.path().join("chain"), SigningRules::from(&Rules::HARDENED));
    let mut log = FileLog::create(&folder.path().join("log"), OWNER, rules, Round(0))?;
    let mut now = Time(0);
    for until in [KEPT_FINAL_BLOCKS as u64, 2 * KEPT_FINAL_BLOCKS as u64] {
        now = run(log, &chain, now.after(1), Round(until))?;
        let files = std::fs::read_dir(&chain)?.count();
        assert!(
            files > KEPT_FINAL_BLOCKS && files < KEPT_FINAL_BLOCKS + 10,
            "{files} files at round {until}"
        );
        log = FileLog::open(&folder.path().join("log"), OWNER, rules)?;
    }
    // A file that is missing among the final blocks is no chain.
    let of = |number: u64| chain.join(format!("final-{number}"));
    let middle = (0..1_000).filter(|number| of(*number).is_file()).nth(10).ok_or("a final block")?;
    std::fs::remove_file(of(middle))?;
    assert!(run(log, &chain, now.after(1), Round(130)).is_err());
    Ok(())
}
