//! Long runs: thousands of rounds, rounds with more subrounds than a byte can count, rounds with large numbers, with faults all
//! along, watched by the oracles and by a bound on memory. Deterministic: the same plan is the same run.
//!
//! Short runs never forget anything: nothing is pruned in them, no bound on evidence is reached, no final block is dropped. Here
//! the network is synchronous most of the time; what goes wrong in turn is drawn from the seed:
//! - a miner is cut off for up to `AWAY` rounds, more than others keep in memory, and catches up. With the Byzantine members these
//!   are more faults than the protocol bears, so that the Byzantine members sign in its place; where they cannot (they are convicted,
//!   or nobody hears them for a while) it comes back early, and then the others have to go on;
//! - a miner crashes and starts from its disk;
//! - Byzantine members sign two tickets, two votes, two blocks, in time and late, and send old messages again;
//! - proposals are lost for a number of subrounds.
//!
//! The harness forgets its own data (messages, statements, blocks, chains) a while below the slowest miner, so that the
//! live bytes are those of the miners.

use std::sync::Arc;

use thiserror::Error;
use zus_bpp::committee::{MinerId, Peer, Round};
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::miner::Timer;
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::LogRecord;

use crate::byzantine::{self, Deed, Flaw};
use crate::oracles::{Oracle, Violation};
use crate::schedule::Random;
use crate::targets::allocation;
use crate::world::{Adjust, Ground, Kind, Setup, World, bit};

/// Rounds for which a miner may be cut off.
const AWAY: u64 = 90;
/// Rounds below the slowest miner of which the harness keeps what was said.
const KEPT: u64 = 48;
/// Messages after which those that nobody waits for are forgotten.
const MESSAGES: usize = 160;
/// Moments in time at which nothing becomes final, after which a world stands still.
const PATIENCE: u64 = 4_000;
/// Moments in time at which nothing becomes final, after which a miner that is cut off comes back.
const BACK_AFTER: u64 = 200;
/// Rounds between two looks at the memory.
const SAMPLE: u64 = 32;
/// Samples after which everything has reached its size.
const WARM_UP: usize = 8;
/// Bytes by which the bytes alive may exceed the most during the warm-up, however long the run is.
pub const SLACK_BYTES: i64 = 1 << 20;
/// Bytes alive at most, of a committee of seven: what is kept of a round, times the rounds and the miners that keep it.
pub const MOST_BYTES: i64 = 8 << 20;

/// The plan of a long run.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Rounds that everybody has to finalize.
    pub rounds: u64,
    /// The round of the final block with which everybody begins; 0: genesis.
    pub begins_at: u64,
    /// Subrounds that one round has at least; 0: no round is held up on purpose.
    pub subrounds: u32,
    /// Members: 4 or 7.
    pub miners: u16,
    /// Decides keys and faults.
    pub seed: u64,
    /// The rules; they have to be live.
    pub rules: Rules,
    /// Whether miners are cut off and crash, and Byzantine members act.
    pub faults: bool,
    /// A change of the honest miners' configuration.
    pub adjust: Adjust,
}

impl Plan {
    /// So many rounds of four miners under the recommended rules, with faults.
    #[must_use]
    pub fn of(rounds: u64, seed: u64) -> Self {
        let (begins_at, subrounds, miners, rules) = (0, 0, 4, Rules::HARDENED);
        Self { rounds, begins_at, subrounds, miners, seed, rules, faults: true, adjust: Adjust::NONE }
    }
}

/// The result of a long run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The lowest finalized round.
    pub finalized: u64,
    /// The highest subround of an honest miner.
    pub subround: u32,
    /// Crashes.
    pub crashes: u32,
    /// Absences of more rounds than final blocks are kept in memory.
    pub absences: u32,
    /// Bytes alive at each sample; empty where nobody counts.
    pub alive: Vec<i64>,
}

/// The failure of a long run.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum SoakError {
    /// A property or obligation.
    #[error("round {round}: {violation}")]
    Property {
        /// The highest round.
        round: u64,
        /// Which.
        violation: Violation,
    },
    /// Nothing becomes final.
    #[error("L2: round {0} is final, and for {PATIENCE} moments nothing more")]
    Stalled(u64),
    /// More is kept from round to round.
    #[error("{alive} bytes are alive after {rounds} rounds, at most {most} may be")]
    Memory {
        /// After so many rounds.
        rounds: u64,
        /// Bytes.
        alive: i64,
        /// The bound.
        most: i64,
    },
}

/// A long run on its way.
struct Soak {
    plan: Plan,
    world: World<MockScheme>,
    oracle: Oracle,
    random: Random,
    report: Report,
    /// The absence of a miner: the rounds at which it began and ends.
    away: Option<(u64, u64)>,
    /// Moments in time since something became final.
    quiet: u64,
    /// Whether proposals are lost.
    mute: bool,
    /// The subround of a round that is held up has been reached.
    held_up: bool,
    /// The round of the last fault.
    last_fault: u64,
    /// Bytes alive before it began: whoever plays it may hold more than it does.
    before: i64,
}

/// Runs a plan.
///
/// # Errors
/// The first thing that is wrong.
///
/// # Panics
/// When mock keys do not combine: they do.
pub fn soak(plan: Plan) -> Result<Report, SoakError> {
    let before = allocation::alive();
    let mut setup = Setup::new(plan.miners, plan.seed);
    setup.sharders = 0;
    setup.rules = plan.rules;
    setup.begins_at = plan.begins_at;
    setup.byzantine = match plan.miners {
        7 => vec![1, 4],
        _ => vec![3],
    };
    // Half of the members send long tickets.
    setup.long_tickets = 0x5555 & ((1 << plan.miners) - 1);
    setup.adjust = plan.adjust;
    let keys = setup.mock_keys();
    let ground = Arc::new(Ground::new(setup, keys).expect("mock shares combine"));
    let mut world = World::new(ground);
    world.unbounded = true;
    let mut oracle = Oracle::default();
    world.start(&mut oracle);
    let (random, report) = (Random::new(plan.seed), Report::default());
    let held_up = plan.subrounds == 0;
    let mut soak = Soak {
        plan,
        world,
        oracle,
        random,
        report,
        away: None,
        quiet: 0,
        mute: false,
        held_up,
        last_fault: plan.begins_at,
        before,
    };
    soak.run()?;
    Ok(soak.report)
}

impl Soak {
    fn run(&mut self) -> Result<(), SoakError> {
        let end = self.plan.begins_at.saturating_add(self.plan.rounds);
        let (mut last, mut sampled) = ((self.plan.begins_at, 0), self.plan.begins_at);
        while self.lowest() < end || !self.held_up {
            self.faults();
            self.settle();
            self.tick();
            if let Some(violation) = self.oracle.violation.take() {
                return Err(SoakError::Property { round: self.highest(), violation });
            }
            self.forget();
            let front = self.world.hosts.iter().map(|host| host.miner.finalized().round().0).max();
            let front = front.unwrap_or_default();
            // A round that is held up goes on by its subrounds.
            let held_up_at = if self.mute { self.report.subround } else { 0 };
            let now = (front.max(last.0), held_up_at.max(last.1));
            (self.quiet, last) = if now > last { (0, now) } else { (self.quiet + 1, last) };
            if self.quiet > PATIENCE {
                return Err(SoakError::Stalled(front));
            }
            if front >= sampled + SAMPLE {
                sampled = front;
                self.sample(front - self.plan.begins_at)?;
            }
        }
        self.report.finalized = self.lowest();
        Ok(())
    }

    fn lowest(&self) -> u64 {
        let heads = self.world.hosts.iter().map(|host| host.miner.finalized().round().0);
        heads.min().unwrap_or_default()
    }

    fn highest(&self) -> u64 {
        self.world.hosts.iter().map(|host| host.miner.round().0).max().unwrap_or_default()
    }

    /// Starts and ends the faults of this moment.
    fn faults(&mut self) {
        let round = self.highest();
        let front = self.world.hosts.iter().map(|host| host.miner.subround().0).max().unwrap_or_default();
        self.report.subround = self.report.subround.max(front);
        if !self.held_up {
            // A few rounds in, proposals are lost until the subround is reached.
            self.mute = round > self.plan.begins_at + 3 && front <= self.plan.subrounds;
            self.held_up = front > self.plan.subrounds;
        }
        if !self.plan.faults {
            return;
        }
        if let Some((since, until)) = self.away
            && (round >= until || self.mute || self.quiet > BACK_AFTER)
        {
            self.away = None;
            self.world.network.apart = 0;
            self.report.absences += u32::from(round > since + 64);
        }
        if self.random.below(6) == 0 {
            self.byzantine();
        }
        if round < self.last_fault + 5 || self.away.is_some() || self.mute {
            return;
        }
        self.last_fault = round;
        let host = self.random.below(self.world.hosts.len());
        match self.random.below(5) {
            0 => {
                self.away = Some((round, round + 1 + self.random.below(AWAY as usize) as u64));
                self.world.network.apart = bit(Peer::Miner(self.world.hosts[host].id));
            }
            1 | 2 => {
                self.world.crash(host, &mut self.oracle);
                self.world.restart(host, &mut self.oracle);
                self.report.crashes += 1;
            }
            _ => {}
        }
    }

    /// The deeds of the Byzantine members, for a block of the front or of a few rounds before.
    fn byzantine(&mut self) {
        let members = self.world.ground.setup.byzantine.clone();
        let member = MinerId(members[self.random.below(members.len())]);
        let all = ((1 << self.world.ground.setup.miners) - 1) & !bit(Peer::Miner(member));
        let back = self.random.below(24);
        let Some(at) = self.world.blocks.len().checked_sub(1 + back) else { return };
        let block = &self.world.blocks[at];
        let (round, subround, id, parent) =
            (block.round(), block.subround(), block.id().0, block.header().parent);
        if self.away.is_some() && round.0 + 2 > self.highest() {
            // The others need these members now, and a member that contradicts itself would not count.
            return;
        }
        let mut other = id;
        other[0] ^= 1;
        let deeds = match self.random.below(6) {
            0 => vec![Deed::Sign(LogRecord::ticket(round, subround, id))],
            1 => vec![
                Deed::Sign(LogRecord::ticket(round, subround, id)),
                Deed::Sign(LogRecord::ticket(round, subround, other)),
            ],
            2 => vec![
                Deed::Sign(LogRecord::finality_vote(round, subround, id)),
                Deed::Sign(LogRecord::finality_vote(round, subround, other)),
            ],
            3 => vec![Deed::Sign(LogRecord::timeout(round, subround.next()))],
            4 => {
                let flaw = Flaw::ALL[self.random.below(Flaw::ALL.len())];
                vec![
                    Deed::Propose { round, subround, parent, flaw: Flaw::None },
                    Deed::Propose { round, subround, parent, flaw },
                ]
            }
            _ => vec![Deed::Relay(self.random.below(self.world.network.sent().len().max(1)))],
        };
        for deed in &deeds {
            byzantine::perform(&mut self.world, member, deed, all);
        }
    }

    /// While somebody is away the Byzantine members do what keeps the others going: shares, tickets, timeouts and votes like those
    /// of honest miners.
    fn take_part(&mut self) {
        if self.away.is_none() {
            return;
        }
        let members = self.world.ground.setup.byzantine.clone();
        let round = Round(self.highest());
        let fresh: Vec<LogRecord> = self
            .world
            .hosts
            .iter()
            .flat_map(|host| host.said.iter().rev().take(6))
            .filter(|record| {
                record.kind != zus_bpp::ticket_log::Kind::Proposal && record.round.0 + 1 >= round.0
            })
            .copied()
            .collect();
        for member in members.into_iter().map(MinerId) {
            let all = ((1 << self.world.ground.setup.miners) - 1) & !bit(Peer::Miner(member));
            let known = |world: &World<MockScheme>, record: &LogRecord| {
                world
                    .byzantine
                    .iter()
                    .rev()
                    .any(|(by, old)| *by == member && (old == record || contradicts(old, record)))
            };
            for record in &fresh {
                if !known(&self.world, record) {
                    byzantine::perform(&mut self.world, member, &Deed::Sign(*record), all);
                }
            }
            byzantine::perform(&mut self.world, member, &Deed::Share { round, garbage: false }, all);
        }
    }

    /// Everything that can arrive arrives, until nothing more is said.
    fn settle(&mut self) {
        loop {
            self.take_part();
            let end = self.world.network.sent().len();
            let mut moved = false;
            for index in 0..end {
                let envelope = &self.world.network.sent()[index];
                let (to, kind) = (envelope.to, envelope.kind);
                for host in 0..self.world.hosts.len() {
                    let me = bit(Peer::Miner(self.world.hosts[host].id));
                    if to & me == 0 || !self.world.network.is_open(index, me) {
                        continue;
                    }
                    moved = true;
                    if self.mute && kind == Kind::Proposal {
                        self.world.network.lose(index, me);
                    } else {
                        self.world.deliver(index, me, None, &mut self.oracle);
                    }
                }
            }
            if !moved && self.world.network.sent().len() == end || self.oracle.violation.is_some() {
                return;
            }
        }
    }

    /// The next moment at which a timer is due.
    fn tick(&mut self) {
        let timers = self.world.hosts.iter().flat_map(|host| &host.timers).map(|(due, _)| *due);
        let Some(next) = timers.min() else { return };
        let next = next.max(self.world.now.0);
        self.world.now.0 = next;
        for host in 0..self.world.hosts.len() {
            let timers = self.world.hosts[host].timers.iter();
            let due: Vec<Timer> = timers.filter(|(due, _)| *due <= next).map(|(_, timer)| *timer).collect();
            for timer in due {
                self.world.fire(host, timer, None, &mut self.oracle);
            }
        }
    }

    /// Forgets, in the harness, messages that have arrived and data far below the slowest miner.
    fn forget(&mut self) {
        if self.world.network.sent().len() < MESSAGES {
            return;
        }
        self.settle();
        let below = Round(self.lowest().saturating_sub(KEPT));
        self.world.forget(below);
        self.oracle.forget(&self.world, below);
    }

    fn sample(&mut self, rounds: u64) -> Result<(), SoakError> {
        if !allocation::is_counted() {
            return Ok(());
        }
        let alive = allocation::alive() - self.before;
        let warm = self.report.alive.iter().take(WARM_UP).max().copied();
        let grown = warm.filter(|_| self.report.alive.len() >= WARM_UP).map(|warm| warm + SLACK_BYTES);
        let most = grown.unwrap_or(MOST_BYTES).min(MOST_BYTES);
        self.report.alive.push(alive);
        if alive > most { Err(SoakError::Memory { rounds, alive, most }) } else { Ok(()) }
    }
}

/// Whether no honest miner signs both.
fn contradicts(old: &LogRecord, new: &LogRecord) -> bool {
    use zus_bpp::ticket_log::Kind::{FinalityVote, Proposal, Ticket, Timeout};
    let same_place = (old.round, old.subround) == (new.round, new.subround);
    match (old.kind, new.kind) {
        (Ticket, Ticket) => same_place && old.block != new.block,
        (Ticket, FinalityVote) | (FinalityVote, Ticket | FinalityVote) => {
            old.round == new.round && old.block != new.block
        }
        (Proposal | Timeout, _) | (_, Proposal | Timeout) => false,
    }
}
