//! The node of the README, run: a committee of one on real BLS, with its ticket log on disk, stopped and started again.

mod node;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;

use node::Node;
use zus_bpp::application::TransactionQueue;
use zus_bpp::block::{Block, BlockId, Time};
use zus_bpp::chain::FinalBlock;
use zus_bpp::committee::{ChainId, Committee, Epoch, Round};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::scheme::BeaconValue;
use zus_bpp::crypto::trusted_dealer::deal;
use zus_bpp::miner::{Config, Input, Miner, Output, Recovery, Stored, Timer};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{FileLog, KEY_BYTES, Owner, SigningRules, TicketLog};

/// The data that a host keeps: the rest of the disk, and timers.
#[derive(Default)]
struct Host {
    stored: Vec<Stored>,
    timers: BinaryHeap<Reverse<(Time, Timer)>>,
}

impl Host {
    /// A block that was stored.
    fn load(&self, id: BlockId) -> Option<Arc<Block>> {
        self.stored.iter().find_map(|stored| match stored {
            Stored::Block(block) if block.id() == id => Some(Arc::clone(block)),
            _ => None,
        })
    }
}

const CHAIN: ChainId = ChainId([7; 32]);
const OWNER: Owner = Owner { chain: CHAIN, epoch: Epoch(1), key: [0; KEY_BYTES] };

/// Runs the only miner of a committee from a time on until a round is final; returns when that was.
fn run(log: FileLog, host: &Rc<RefCell<Host>>, start: Time, until: Round) -> Result<Time, Box<dyn Error>> {
    let (keys, members) = deal([1; 32], 1)?;
    let scheme = BlstScheme::member(keys, members.into_iter().next().ok_or("one member")?)?;
    let config =
        Config::new(Committee::new(CHAIN, Epoch(1), 1, 0)?, Rules::HARDENED, BeaconValue([0; 32]), Time(0));
    let stored = host.borrow().stored.clone();
    let recovery = Recovery { signed: log.signed().clone(), stored, finals: Vec::<FinalBlock>::new() };
    let outside = Rc::clone(host);
    let mut node = Node {
        miner: Miner::new(Arc::new(config), scheme, recovery)?,
        log,
        application: TransactionQueue::new(),
        host: move |output| {
            let mut outside = outside.borrow_mut();
            match output {
                Output::Store { stored, .. } => outside.stored.push(stored),
                Output::SetTimer { timer, at } => outside.timers.push(Reverse((at, timer))),
                Output::Load { block, .. } => return outside.load(block).map(Input::Loaded),
                _ => {}
            }
            None
        },
    };
    let mut now = start;
    node.handle(now, Input::Start)?;
    // A committee of one needs no network: timers alone make it produce blocks.
    while node.miner.finalized().round() < until {
        let next = host.borrow_mut().timers.pop();
        let Reverse((at, timer)) = next.ok_or("a timer is always set")?;
        now = at;
        node.handle(now, Input::Timer(timer))?;
    }
    Ok(now)
}

#[test]
fn the_node_of_the_readme_produces_blocks_and_goes_on_after_a_restart() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let rules = SigningRules::from(&Rules::HARDENED);
    let host = Rc::new(RefCell::new(Host::default()));
    let now = run(FileLog::create(folder.path(), OWNER, rules, Round(0))?, &host, Time(0), Round(3))?;
    host.borrow_mut().timers.clear();
    let log = FileLog::open(folder.path(), OWNER, rules)?;
    assert!(log.signed().records().count() >= 9, "a block, a ticket and a vote a round");
    run(log, &host, now.after(1), Round(6))?;
    Ok(())
}

#[test]
fn the_readme_shows_exactly_this_node() {
    let readme = include_str!("../../README.md");
    let shown = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    assert_eq!(shown, Some(include_str!("node.rs")));
}
