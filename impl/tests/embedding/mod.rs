//! A node in virtual time: a committee of one on real BLS, with log and chain on disk, stopped and started again. It has the links of
//! a few nodes and not the world of `zus-sim`, because it tests what a host has: [`Node`] around files.

mod damage;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::error::Error;
use std::iter;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use zus_bpp::application::TransactionQueue;
use zus_bpp::block::{BlockId, Time};
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Peer, Round};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::mock_scheme::{MockCommittee, MockScheme};
use zus_bpp::crypto::scheme::BeaconValue;
use zus_bpp::crypto::trusted_dealer::deal;
use zus_bpp::limits::KEPT_FINAL_BLOCKS;
use zus_bpp::message::Message;
use zus_bpp::miner::{Config, Input, Miner, Output, Recovery};
use zus_bpp::node::{FileStorage, Node, StorageError};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{FileLog, KEY_BYTES, MemoryLog, Owner, SigningRules, TicketLog};

const CHAIN: ChainId = ChainId([7; 32]);
const OWNER: Owner = Owner { chain: CHAIN, epoch: Epoch(1), key: [0; KEY_BYTES] };

/// Runs the only miner of a committee from a time on until a round is final; returns when that was.
fn run(log: FileLog, folder: &Path, start: Time, until: Round) -> Result<Time, Box<dyn Error>> {
    let (keys, members) = deal([1; 32], 1)?;
    let scheme = BlstScheme::member(keys, members.into_iter().next().ok_or("one member")?)?;
    let config =
        Config::new(Committee::new(CHAIN, Epoch(1), 1, 0)?, Rules::HARDENED, BeaconValue([0; 32]), Time(0));
    let mut storage = FileStorage::open(folder)?.without_history();
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

/// At the end of time every timer is due as it is set: one call gives each timer that was due before once, and ends.
#[test]
fn a_call_of_expire_ends_where_timers_are_due_as_they_are_set() -> Result<(), Box<dyn Error>> {
    let scheme = MockCommittee::new(1, 1).member(MinerId(0)).ok_or("a member")?;
    let config =
        Config::new(Committee::new(CHAIN, Epoch(1), 1, 0)?, Rules::HARDENED, BeaconValue([0; 32]), Time(0));
    let miner = Miner::new(Arc::new(config), scheme, Recovery::default())?;
    let outputs = Cell::new(0);
    let mut node = Node::new(miner, new_log(), TransactionQueue::new(), |_| {
        outputs.set(outputs.get() + 1);
        if outputs.get() < 1_000 { Ok(None) } else { Err("a call without an end") }
    });
    let end = Time(u64::MAX);
    node.handle(end, Input::Start)?;
    for _ in 0..5 {
        let before = node.miner.finalized().round();
        node.expire(end)?;
        assert!(node.miner.finalized().round() <= before.next(), "no round twice in a call");
        assert_eq!(node.next_timer(), Some(end), "the next call goes on");
    }
    assert!(node.miner.finalized().round() > Round(0), "and it does");
    Ok(())
}

/// A member in a committee of four without sharders.
type Member = Node<
    MockScheme,
    MemoryLog,
    TransactionQueue,
    Box<dyn FnMut(Output) -> Result<Option<Input>, StorageError>>,
>;

/// Messages on their way: from, to, content. `None`: to all others.
type Links = Rc<RefCell<VecDeque<(u16, Option<Peer>, Message)>>>;

fn new_log() -> MemoryLog {
    MemoryLog::new(OWNER, SigningRules::from(&Rules::HARDENED), Round(0))
}

/// Starts a member; what its storage says of old blocks goes to `damage`.
fn member(
    id: u16,
    keys: &Arc<MockCommittee>,
    folder: &Path,
    links: &Links,
    log: MemoryLog,
    damage: &Rc<RefCell<Vec<String>>>,
) -> Result<Member, Box<dyn Error>> {
    let committee = Committee::new(CHAIN, Epoch(1), 4, 0)?;
    let config = Config::new(committee, Rules::HARDENED, BeaconValue([0; 32]), Time(0));
    let mut storage = FileStorage::open(folder.join(id.to_string()))?;
    let scheme = keys.member(MinerId(id)).ok_or("a member")?;
    let miner = Miner::new(Arc::new(config), scheme, storage.recovery(log.signed().clone()))?;
    let (links, damage) = (Rc::clone(links), Rc::clone(damage));
    let host = move |output: Output| {
        if let Some((to, message)) = storage.serve(&output) {
            links.borrow_mut().push_back((id, Some(to), message));
        }
        damage.borrow_mut().extend(iter::from_fn(|| storage.take_damage()).map(|found| found.to_string()));
        match &output {
            Output::Send { to, message } => links.borrow_mut().push_back((id, Some(*to), message.clone())),
            Output::Broadcast { message, .. } => links.borrow_mut().push_back((id, None, message.clone())),
            _ => {}
        }
        storage.carry_out(&output)
    };
    Ok(Node::new(miner, log, TransactionQueue::new(), Box::new(host)))
}

/// A member that was away for longer than any miner remembers comes back without a sharder, because the others serve the chain from
/// their folders.
#[test]
fn a_member_that_was_away_for_long_is_helped_by_the_folders_of_the_others() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (keys, links) = (MockCommittee::new(4, 1), Links::default());
    let new = |id| member(id, &keys, folder.path(), &links, new_log(), &Rc::default());
    let members: Result<Vec<Member>, _> = (0..4).map(new).collect();
    let mut members = members?;
    let away = KEPT_FINAL_BLOCKS as u64 + 40;
    let mut now = Time(0);
    for here in members.iter_mut().take(3) {
        here.handle(now, Input::Start)?;
    }
    let mut is_back = false;
    while members[3].miner.finalized().round() < Round(away) {
        assert!(now < Time(900_000), "it has {}", members[3].miner.finalized().round());
        if !is_back && members[0].miner.finalized().round() >= Round(away) {
            members[3].handle(now, Input::Start)?;
            is_back = true;
        }
        let next = links.borrow_mut().pop_front();
        let count = if is_back { 4 } else { 3 };
        if let Some((from, to, message)) = next {
            for id in
                (0..count).filter(|id| *id != from && to.is_none_or(|to| to == Peer::Miner(MinerId(*id))))
            {
                let from = Peer::Miner(MinerId(from));
                members[usize::from(id)].handle(now, Input::Message { from, message: message.clone() })?;
            }
            continue;
        }
        now = members.iter().take(count.into()).filter_map(Node::next_timer).min().ok_or("a timer")?.max(now);
        for here in members.iter_mut().take(count.into()) {
            here.expire(now)?;
        }
    }
    Ok(())
}

#[test]
fn a_block_that_is_in_no_file_stops_the_host_and_what_is_gone_is_not_served() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut storage = FileStorage::open(folder.path())?;
    let load = Output::Load { round: Round(1), block: BlockId([7; 32]) };
    let error = storage.carry_out(&load).expect_err("it was never stored").to_string();
    assert!(error.contains(&folder.path().display().to_string()) && error.contains("fix: "), "{error}");
    let ask = Output::Serve { to: Peer::Miner(MinerId(1)), after: Round(0), bytes: 1 << 20 };
    assert!(storage.serve(&ask).is_none());
    assert!(storage.take_damage().is_none(), "it was never here");
    Ok(())
}
