//! Production with waits in virtual time: how long its rounds take until they are final, and with too short a wait too.
//!
//! The proof counts in ticks of Δ ([`zus_protocol::synchrony`]). Here a message, with what is written before it leaves, takes any time
//! up to [`DELTA`]. A block whose parent a miner lacks cannot be judged: where a Byzantine generator shows its blocks to some only, Δ
//! has to bound a message and the fetching of a parent together, so there messages are four times as fast. A round whose best generator is honest has to be final for every honest miner [`FINAL`] ticks and a window after
//! the first of them entered it: so says the proof, for waits of [`WINDOW`] and [`TICKET_WAIT`] ticks or more, whatever Byzantine
//! members do. The miner refuses shorter waits. A miner that does not, or that was told a Δ which the network does not keep, is
//! late here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use thiserror::Error;
use zus_bpp::committee::{MinerId, Round, Subround};
use zus_bpp::crypto::mock_scheme::{MockCommittee, MockScheme};
use zus_bpp::crypto::ranks::Rank;
use zus_bpp::miner::{Milestone, Miner, Recovery, StartError, Timing};
use zus_bpp::rules::Rules;
use zus_protocol::synchrony::{FINAL, TICKET_WAIT, WINDOW};
use zus_sim::Byzantine;
use zus_sim::timed::{Links, Setup, World};

/// Δ in milliseconds.
pub const DELTA: u64 = 100;
/// Milliseconds that a write takes at most; a message waits for one at most.
const WRITE: u64 = 5;
/// Milliseconds until a missing parent is asked for, where Byzantine generators hide blocks. Three messages, this and a write fit
/// into Δ: the block, the request and the answer.
const CATCH_UP: u64 = 15;
/// Members.
const MINERS: u16 = 4;
/// Rounds that are measured in each run.
const ROUNDS: u64 = 12;
/// Virtual time of a run: more than its rounds take, with any waits that are asked here.
const RUN: u64 = 60_000;
/// The Byzantine member of a run, by its seed; every other run has none.
const MEMBERS: [Byzantine; 6] = [
    Byzantine::Equivocate,
    Byzantine::Divide,
    Byzantine::NoProposals,
    Byzantine::Whisper,
    Byzantine::Impatient,
    Byzantine::Flood,
];

/// The waits of a configuration, in ticks of Δ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waits {
    /// The window.
    pub window: u32,
    /// The wait after it.
    pub ticket_wait: u32,
    /// The Δ that the configuration names, in milliseconds; the network's is [`DELTA`].
    pub told: u64,
}

impl Waits {
    /// The shortest that are taken.
    pub const LEAST: Waits = Waits { window: WINDOW, ticket_wait: TICKET_WAIT, told: DELTA };

    /// Milliseconds from the first entry into a round until it is final everywhere.
    #[must_use]
    pub fn bound(&self) -> u64 {
        u64::from(self.window + FINAL) * DELTA
    }

    fn setup(&self, seed: u64) -> Setup {
        let ticks = |ticks: u32| Duration::from_millis(u64::from(ticks) * DELTA);
        let mut setup = Setup::new(MINERS, Rules::HARDENED, seed);
        let kind = (seed % 2 == 1).then_some(MEMBERS[(seed / 2) as usize % MEMBERS.len()]);
        let hides = matches!(kind, Some(Byzantine::Equivocate | Byzantine::Divide));
        let (most, catch_up) = if hides {
            (DELTA / 4, CATCH_UP)
        } else {
            (DELTA - WRITE, Timing::DEFAULT.catch_up.as_millis() as u64)
        };
        setup.links = Links { delay: 1..=most, ..Links::RELIABLE };
        (setup.flush, setup.store_flush) = (WRITE, WRITE);
        setup.timing = Timing::DEFAULT
            .with_window(ticks(self.window))
            .with_ticket_wait(ticks(self.ticket_wait))
            .with_delta(Duration::from_millis(self.told))
            .with_catch_up(Duration::from_millis(catch_up));
        setup.byzantine.extend(kind.map(|kind| (MINERS - 1, kind)));
        setup
    }
}

/// Rounds that were measured.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Measured {
    /// Rounds whose best generator is honest.
    pub rounds: u64,
    /// The longest time until such a round was final everywhere, in milliseconds.
    pub longest: u64,
}

/// No rounds were measured, or one of them is late.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum WaitsError {
    /// A miner does not start with these waits.
    #[error("{0}")]
    Refused(StartError),
    /// A round is not final in time.
    #[error(
        "L2 is violated: run {seed}: round {round}, whose best generator is honest, is not final everywhere {bound} ms after it was \
         entered, {}",
        .after.map_or("and not at the end of the run".into(), |after| format!("but after {after} ms"))
    )]
    Late {
        /// The seed of the run.
        seed: u64,
        /// The round.
        round: u64,
        /// The bound.
        bound: u64,
        /// When it was final; `None`: not in this run.
        after: Option<u64>,
    },
}

/// Measures so many runs, up to the first late round.
///
/// # Errors
/// When a miner does not start, or a round is late.
///
/// # Panics
/// When there are no mock keys for the members of a run: there are.
pub fn measure(waits: Waits, seeds: u64) -> Result<Measured, WaitsError> {
    let setup = waits.setup(0);
    let keys = MockCommittee::new(MINERS, 0).member(MinerId(0)).expect("a member");
    // The miner itself is asked, and nobody else.
    Miner::new(setup.config(), keys, Recovery::default()).map_err(WaitsError::Refused)?;
    let mut all = Measured::default();
    for seed in 0..seeds {
        let setup = waits.setup(seed);
        let mut world = World::mock(&setup);
        world.run(RUN);
        let Times { entered, led, last } = Times::of(&world, MINERS - setup.byzantine.len() as u16);
        for round in (1..=ROUNDS).map(Round).filter(|round| led.contains(round)) {
            let Some(begin) = entered.get(&round) else { continue };
            let after = last.get(&round).map(|end| end - begin);
            match after {
                Some(after) if after <= waits.bound() => {
                    all = Measured { rounds: all.rounds + 1, longest: all.longest.max(after) };
                }
                _ => {
                    return Err(WaitsError::Late { seed, round: round.0, bound: waits.bound(), after });
                }
            }
        }
    }
    Ok(all)
}

/// The times of one run, in milliseconds.
#[derive(Default)]
struct Times {
    /// When the first honest miner entered each round.
    entered: BTreeMap<Round, u64>,
    /// The rounds whose best generator in subround 0 is honest and proposed.
    led: BTreeSet<Round>,
    /// When the last honest miner had finalized each round.
    last: BTreeMap<Round, u64>,
}

impl Times {
    /// Members below `honest` are.
    fn of(world: &World<MockScheme>, honest: u16) -> Self {
        let mut times = Self::default();
        let mut heads = vec![Vec::new(); honest.into()];
        for (at, miner, milestone) in world.observer.steps.iter().filter(|(_, miner, _)| miner.0 < honest) {
            match *milestone {
                Milestone::Entered { round, .. } => {
                    times.entered.entry(round).or_insert(at.0);
                }
                Milestone::Collected { block, generator, rank }
                    if generator.0 < honest && rank == Rank(0) && block.subround == Subround(0) =>
                {
                    times.led.insert(block.round);
                }
                Milestone::Finalized { round, .. } => heads[usize::from(miner.0)].push((round, at.0)),
                _ => {}
            }
        }
        for &round in times.entered.keys() {
            let of =
                |heads: &Vec<(Round, u64)>| heads.iter().find(|(head, _)| *head >= round).map(|(_, at)| *at);
            let finals: Option<Vec<u64>> = heads.iter().map(of).collect();
            if let Some(last) = finals.into_iter().flatten().max() {
                times.last.insert(round, last);
            }
        }
        times
    }
}
