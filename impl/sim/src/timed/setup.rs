//! The parameters of a run.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use zus_bpp::block::Time;
use zus_bpp::committee::{ChainId, Committee, Epoch};
use zus_bpp::crypto::scheme::{BatchSeed, BeaconValue};
use zus_bpp::miner::{Config, Timing};
use zus_bpp::rules::Rules;

use crate::Byzantine;

/// How messages travel.
#[derive(Clone, Debug)]
pub struct Links {
    /// Delay of a message, in milliseconds, uniform: messages overtake each other.
    pub delay: RangeInclusive<u64>,
    /// How many of a thousand messages are lost.
    pub loss: u16,
    /// How many of a thousand messages arrive twice.
    pub duplicates: u16,
    /// Whether messages travel as bytes.
    pub bytes: bool,
}

impl Links {
    /// Nothing is lost.
    pub const RELIABLE: Links = Links { delay: 5..=60, loss: 0, duplicates: 0, bytes: false };

    /// A fifth is lost, a tenth comes twice, and delays vary a lot.
    pub const ROUGH: Links = Links { delay: 1..=400, loss: 200, duplicates: 100, bytes: false };
}

/// Something that happens at a time of the run.
#[derive(Clone, Debug)]
pub enum Disturbance {
    /// The miner stops; what is not flushed is lost.
    Kill(u16),
    /// The miner stops within its next step, with only a part of what the step asked for done.
    KillInStep(u16),
    /// A killed miner starts again from its disk.
    Restart(u16),
    /// The miner starts again with an empty disk beside its log.
    RestartWithLogOnly(u16),
    /// The miner has lost its log and starts again with a new one, whose floor is so many rounds above the highest notarized
    /// round that `n - f` others know. Of the others those are asked that are least far.
    RestartWithNewLog(u16, u64),
    /// Participants of different groups do not hear each other; the groups list miners, sharders are in the first.
    Partition(Vec<Vec<u16>>),
    /// All hear each other.
    Heal,
    /// Messages travel otherwise from now on.
    Links(Links),
}

/// The unconfirmed writes that a crash keeps, beside all confirmed ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crash {
    /// Any beginning of the records, and any beginning of what was stored.
    KeepsAnything,
    /// All records, and nothing of what was stored.
    KeepsRecords,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Miners.
    pub miners: u16,
    /// Sharders.
    pub sharders: u16,
    /// The rules of all miners.
    pub rules: Rules,
    /// The seed of everything.
    pub seed: u64,
    /// How messages travel at first.
    pub links: Links,
    /// How long a flush of the ticket log takes at most, in milliseconds.
    pub flush: u64,
    /// How long a flush of the other storage takes at most, in milliseconds.
    pub store_flush: u64,
    /// The unconfirmed writes that crashes keep.
    pub crash: Crash,
    /// Waiting times.
    pub timing: Timing,
    /// Bytes of payload that a generator asks its application for; the applications have as much for some dozens of blocks.
    pub payload: usize,
    /// How many milliseconds the clock of each miner is ahead of the world's; miners that are not listed have the world's.
    pub clocks: Vec<u64>,
    /// The miners that depart from the protocol, and how each does.
    pub byzantine: Vec<(u16, Byzantine)>,
    /// The disturbances and their times, in milliseconds from the start.
    pub disturbances: Vec<(u64, Disturbance)>,
    /// A miner, the number of its step that ends in a crash, and after how many milliseconds it starts again.
    pub kill_at_step: Option<(u16, u64, u64)>,
    /// Changes the configuration of the honest miners: other numbers, or a deliberate bug.
    pub adjust: Adjust,
}

/// A change of the configuration.
#[derive(Clone)]
pub struct Adjust(pub Arc<dyn Fn(&mut Config)>);

impl fmt::Debug for Adjust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Adjust")
    }
}

impl Setup {
    /// `miners` honest miners and two sharders on a reliable network.
    pub fn new(miners: u16, rules: Rules, seed: u64) -> Self {
        Self {
            miners,
            sharders: 2,
            rules,
            seed,
            links: Links::RELIABLE,
            flush: 3,
            store_flush: 3,
            crash: Crash::KeepsAnything,
            timing: Timing::DEFAULT
                .with_window(Duration::from_millis(300))
                .with_ticket_wait(Duration::from_millis(600))
                .with_resend(Duration::from_millis(700))
                .with_delta(Duration::from_millis(60)),
            payload: 256,
            clocks: Vec::new(),
            byzantine: Vec::new(),
            disturbances: Vec::new(),
            kill_at_step: None,
            adjust: Adjust(Arc::new(|_| {})),
        }
    }

    /// The configuration of every participant.
    pub fn config(&self) -> Arc<Config> {
        let committee = Committee::new(ChainId([7; 32]), Epoch(1), self.miners, self.sharders)
            .expect("a setup names a possible committee");
        let mut config = Config::new(committee, self.rules, BeaconValue([9; 32]), Time(0));
        config.timing = self.timing;
        config.batch_seed = Some(BatchSeed::new([self.seed as u8; 32]));
        (self.adjust.0)(&mut config);
        Arc::new(config)
    }

    /// A bad time until `calm`, then a good one: before, anything that the seed says may happen, within what the rules
    /// tolerate (at most `f` Byzantine miners; any number of crashes, losses and partitions); from then on all honest miners
    /// are up and hear each other within bounded delays.
    pub fn stormy(miners: u16, rules: Rules, seed: u64, calm: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed ^ 0x5107_0a1e);
        let mut setup = Self::new(miners, rules, seed);
        let networks = [Links::RELIABLE, Links::ROUGH, Links { bytes: true, ..Links::ROUGH }];
        setup.links = networks[random.usize(0..networks.len())].clone();
        setup.store_flush = [3, 40, 400][random.usize(0..3)];
        setup.crash = if random.bool() { Crash::KeepsAnything } else { Crash::KeepsRecords };
        let faulty = setup.config().committee.faulty();
        let mut ids: Vec<u16> = (0..miners).collect();
        random.shuffle(&mut ids);
        let (dishonest, honest) = ids.split_at(random.usize(0..=faulty));
        // Miners that may lose everything but their log: with the dishonest ones no more than are tolerated.
        let forgetful = &honest[..faulty - dishonest.len()];
        setup.byzantine =
            dishonest.iter().map(|&id| (id, Byzantine::ALL[random.usize(0..Byzantine::ALL.len())])).collect();
        let crashes = if rules.is_durable() { random.u64(0..20) } else { 0 };
        for _ in 0..crashes {
            let (at, miner) = (random.u64(0..calm), random.u16(0..miners));
            let kill = if random.bool() { Disturbance::Kill(miner) } else { Disturbance::KillInStep(miner) };
            setup.disturbances.push((at, kill));
            let forgets = forgetful.contains(&miner) && random.bool();
            let restart =
                if forgets { Disturbance::RestartWithLogOnly(miner) } else { Disturbance::Restart(miner) };
            setup.disturbances.push((at + random.u64(1..2_000), restart));
        }
        for _ in 0..random.u64(0..4) {
            let at = random.u64(0..calm);
            let mut groups = vec![Vec::new(), Vec::new(), Vec::new()];
            for miner in 0..miners {
                groups[random.usize(0..3)].push(miner);
            }
            setup.disturbances.push((at, Disturbance::Partition(groups)));
            setup.disturbances.push((at + random.u64(100..4_000), Disturbance::Heal));
        }
        setup.disturbances.push((calm, Disturbance::Heal));
        setup.disturbances.push((calm, Disturbance::Links(Links { duplicates: 50, ..Links::RELIABLE })));
        setup.disturbances.extend(
            (0..miners).flat_map(|id| [(calm, Disturbance::Kill(id)), (calm + 1, Disturbance::Restart(id))]),
        );
        if !rules.is_durable() {
            setup
                .disturbances
                .retain(|(_, what)| !matches!(what, Disturbance::Kill(_) | Disturbance::Restart(_)));
        }
        setup.disturbances.retain(|(at, what)| {
            *at <= calm + 1 || !matches!(what, Disturbance::Restart(_) | Disturbance::RestartWithLogOnly(_))
        });
        setup.disturbances.sort_by_key(|(at, _)| *at);
        setup
    }
}
