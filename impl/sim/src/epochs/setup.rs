//! The parameters of a run across epochs.

use std::sync::Arc;
use std::time::Duration;

use zus_bpp::block::{Block, Digest, Time};
use zus_bpp::committee::{ChainId, Committee, Epoch};
use zus_bpp::crypto::scheme::{BatchSeed, BeaconValue};
use zus_bpp::epochs::key_generation::Secret;
use zus_bpp::epochs::lies::Lie;
use zus_bpp::miner::{Config, TicketForm, Timing};
use zus_bpp::rules::Rules;

use crate::Byzantine;
use crate::timed::Links;
use zus_bpp::epochs::planned::Schedule;

/// The chain of every run.
pub const CHAIN: ChainId = ChainId([7; 32]);

/// A deliberate mistake, which a check has to find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// Writes to the journals of key generations are confirmed and never made.
    JournalNotWritten,
}

/// A run across epochs.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Which nodes are members when, and for how long.
    pub plan: Arc<Schedule>,
    /// How many nodes there are, members or not; the sharders are among them.
    pub nodes: u16,
    /// The seed of everything.
    pub seed: u64,
    /// How messages travel.
    pub links: Links,
    /// How long a flush takes at most, in milliseconds.
    pub flush: u64,
    /// Waiting times.
    pub timing: Timing,
    /// The form of tickets.
    pub ticket_form: TicketForm,
    /// Nodes that depart from the protocol, and how.
    pub byzantine: Vec<(u16, Byzantine)>,
    /// When a node stops, and when it comes back, in milliseconds. Such a node may be down at the start.
    pub away: Vec<(u16, u64, u64)>,
    /// With a real key generation: the rounds of a phase of its first attempt (`D`). It begins so many rounds above the beginning of an epoch as
    /// the plan says.
    pub phase_rounds: u64,
    /// Nodes that lie in each key generation that they take part in, and how.
    pub lies: Vec<(u16, Lie)>,
    /// A deliberate mistake of every host.
    pub mistake: Option<Mistake>,
    /// A node, the number of its step that ends in a crash, and after how many milliseconds it starts again.
    pub kill_at_step: Option<(u16, u64, u64)>,
}

impl Setup {
    /// Honest nodes on a reliable network. The sharders have the numbers after the members.
    ///
    /// # Panics
    /// If no committee is planned.
    #[must_use]
    pub fn new(committees: Vec<Vec<u16>>, sharders: u16, rounds: u64, seed: u64) -> Self {
        let members = committees.iter().flatten().max().expect("a committee has members") + 1;
        let sharders: Vec<u16> = (members..members + sharders).collect();
        let nodes = members + sharders.len() as u16;
        let plan = Schedule { chain: CHAIN, first: Epoch(1), committees, sharders, rounds };
        Self {
            plan: Arc::new(plan),
            nodes,
            seed,
            links: Links::RELIABLE,
            flush: 3,
            timing: Timing::DEFAULT
                .with_window(Duration::from_millis(300))
                .with_ticket_wait(Duration::from_millis(600))
                .with_resend(Duration::from_millis(700))
                .with_delta(Duration::from_millis(60)),
            ticket_form: TicketForm::default(),
            byzantine: Vec::new(),
            away: Vec::new(),
            phase_rounds: 16,
            lies: Vec::new(),
            mistake: None,
            kill_at_step: None,
        }
    }

    /// Committees of `n` in which `exchanged` members leave and as many others join, from one epoch to the next.
    #[must_use]
    pub fn exchanging(n: u16, exchanged: u16, epochs: u16) -> Vec<Vec<u16>> {
        (0..epochs).map(|epoch| (0..n).map(|place| place + exchanged * epoch).collect()).collect()
    }

    /// The random bytes of a node for the key generation of an epoch, in one of its lives.
    #[must_use]
    pub fn entropy(&self, node: u16, epoch: Epoch, life: u32) -> Secret {
        let (node, life) = (node.to_be_bytes(), life.to_be_bytes());
        let parts: [&[u8]; 4] = [&self.seed.to_be_bytes(), &node, &epoch.0.to_be_bytes(), &life];
        Secret::new(Digest::of(b"zus/sim/entropy\0", &parts).0)
    }

    /// The settings of every node.
    #[must_use]
    pub fn settings(&self) -> Config {
        // Committee and genesis are those of each epoch.
        let committee = Committee::new(CHAIN, self.plan.first, 1, 0).expect("a committee of one");
        Config::new(committee, Rules::HARDENED, BeaconValue([9; 32]), Time(0))
            .with_timing(self.timing)
            .with_ticket_form(self.ticket_form)
            .with_batch_seed(BatchSeed::new([self.seed as u8; 32]))
    }

    /// The block that the first epoch begins on.
    #[must_use]
    pub fn genesis(&self) -> Arc<Block> {
        Arc::new(Block::genesis(CHAIN, self.plan.first, BeaconValue([9; 32]), Time(0)))
    }
}
