//! Liveness on code: after any adversarial prefix the world turns synchronous, and within a bound in virtual time every honest
//! miner and the sharder must have finalized a block of a round that nobody had reached before.
//!
//! From the turn on the network is whole, crashed miners restart, disks confirm at once, messages arrive at once, timers fire
//! when due, and Byzantine members are silent (whatever they could add, they can also leave out).
//!
//! # The bound
//! Let the highest position at the turn be (r, s), and let no more than [`MAX_UNLUCKY`] subrounds in a row have only Byzantine
//! generators. How long a subround t takes is proved for any n ([`zus_protocol::synchrony`]), in ticks of Δ (`timing.delta`): a
//! subround without an honest generator has ended [`ENDED`] ticks after its timer, `(t + 1) * (window + wait)`; one with an honest
//! generator is left by all [`LEFT`] ticks after its window, `(t + 1) * window`.
//!
//! 1. Within `resend` every miner has said its position and what it signed there, so within `resend` and one round trip of
//!    catching up with each peer (`n * catch_up`) all are in r or later.
//! 2. Round r ends with its first subround after s that has an honest generator: all tickets that still are to be
//!    signed go to one block. So within the sum of the subrounds `0..=s + MAX_UNLUCKY + 1` of r.
//! 3. Round r + 1 begins with nobody having signed anything in it: the first subround with an honest generator notarizes one
//!    block that all honest miners ticketed, and all vote for it. Again the sum of subrounds `0..=MAX_UNLUCKY + 1`.
//! 4. The votes make it final in as many ticks as lie between [`NOTARIZED`] and [`FINAL`]; who lacks blocks fetches them: `n * catch_up`. The sharder polls each
//!    `resend`, and fetches likewise.
//!
//! Other rules that are live ([`is_live`]):
//! - `Local`: nothing brings miners into one subround, so they stay apart by the time `d` that the last one was behind, at most
//!   the sum of the subrounds `0..=s`. A proposal finds everybody in subround `t` when `t` lasts longer than `d`, which holds
//!   from `t + 1 = (s + 1)(s + 2) / 2` on; step 2 counts from there, whole subrounds. Round r + 1 is entered by all at once.
//! - `Chained` with `Adopt`: after step 1 all know the same notarized blocks of the round before, so all have one seed and sign one
//!   beacon message from the next subround on, which step 2 waits for anyhow.
//! - The ticket rules: when messages arrive at once, the best block of a subround is the first one that is ticketed.
//!
//! Twice `resend` is added for what was lost right before the turn, and is said again after it.

use std::time::Duration;

use thiserror::Error;
use zus_bpp::committee::{MinerId, Peer, Round, SharderId};
use zus_bpp::crypto::ranks::Rank;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::miner::Timer;
use zus_bpp::rules::{Rules, SubroundEntryRule};
use zus_protocol::synchrony::{ENDED, FINAL, LEFT, NOTARIZED};

use crate::world::{SHARDER, Watch, World, bit};

/// Subrounds in a row in which only Byzantine members are generators: with ten miners, three of them Byzantine, and two
/// generators the chance of seven in a row is below one in 170 million.
pub const MAX_UNLUCKY: u64 = 6;
/// Deliveries after which a world is taken for never being quiet.
const MAX_DELIVERIES: usize = 200_000;

/// Whether a synchronous network brings progress under these rules, whatever was before. From the model (scenario
/// `mutants/good_period` with one rule changed): L1 to L5 hold of `hardened`, `Local`, both ticket rules and `Percent66`, and L1, L3
/// and L4 of `Chained` with `Adopt` (also `beacon_adopted`), where the round in which miners adopt may get no finality of its
/// own: the one after it does. Not live are
/// - rules without an echo: a notarization shown to one miner takes it away for good (`documented_live`, `deployed_live`);
/// - a beacon chained to the first arrival (`beacon_split`);
/// - a ticket for a worse block after one for the best: a miner that signed both votes for neither.
///
/// Of finality without votes, and of a log that was forgotten, nothing is asked: S5 may be broken before the turn, and whoever
/// has finalized another block than the rest finalizes nothing more.
#[must_use]
pub fn is_live(rules: &Rules) -> bool {
    let one_seed = !rules.chained() || rules.adopts();
    let keeps_vote = !rules.ticket.allows([Rank(0)], Rank(1));
    rules.relays() && one_seed && rules.votes() && rules.is_durable() && keeps_vote
}

/// A world that does not move.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Stalled {
    /// Nobody finalizes.
    #[error(
        "L2 is violated: {who} has finalized round {height}, not {wanted}, {milliseconds} ms after the network became synchronous"
    )]
    NoFinality {
        /// The participant.
        who: Peer,
        /// The round that it has finalized.
        height: u64,
        /// The round that it should have finalized.
        wanted: u64,
        /// How long it had.
        milliseconds: u64,
    },
    /// Messages breed messages for ever.
    #[error("{MAX_DELIVERIES} messages at one moment, and no end")]
    NeverQuiet,
}

/// Milliseconds that a world may take from its present positions.
#[must_use]
pub fn bound<S: Scheme + Clone>(world: &World<S>) -> u64 {
    let timing = &world.ground.config.timing;
    let front = world.hosts.iter().map(|host| u64::from(host.miner.subround().0)).max().unwrap_or(0);
    // Step 2 of the derivation, with subrounds that are entered locally.
    let front = match world.ground.setup.rules.subround_entry {
        SubroundEntryRule::Certificate => front,
        SubroundEntryRule::Local => (front + 1) * (front + 2) / 2,
    };
    let milliseconds = |wait: Duration| wait.as_millis() as u64;
    let ticks = |ticks: u32| u64::from(ticks) * milliseconds(timing.delta);
    let ended = |s: u64| (s + 1) * milliseconds(timing.window + timing.ticket_wait) + ticks(ENDED);
    let left = |s: u64| match world.ground.setup.rules.subround_entry {
        SubroundEntryRule::Certificate => (s + 1) * milliseconds(timing.window) + ticks(LEFT),
        SubroundEntryRule::Local => ended(s),
    };
    let up_to = |last: u64| (0..last).map(ended).sum::<u64>() + left(last);
    let n = u64::from(world.ground.setup.miners + world.ground.setup.sharders);
    let (resend, catch_up) = (milliseconds(timing.resend), milliseconds(timing.catch_up));
    let rounds = up_to(front + MAX_UNLUCKY + 1) + up_to(MAX_UNLUCKY + 1) + ticks(FINAL - NOTARIZED);
    4 * resend + 2 * n * catch_up + rounds
}

/// Makes the world synchronous and waits. Returns how long it took, in milliseconds.
///
/// # Errors
/// When the bound is over, or there is no end of messages.
pub fn calm<S: Scheme + Clone, W: Watch<S>>(world: &mut World<S>, watch: &mut W) -> Result<u64, Stalled> {
    world.unbounded = true;
    world.network.apart = 0;
    for host in 0..world.hosts.len() {
        world.restart(host, watch);
    }
    let start = world.now.0;
    let end = start + bound(world);
    let front = world.hosts.iter().map(|host| host.miner.round()).max().unwrap_or(Round(1));
    let wanted = front.next();
    loop {
        settle(world, watch)?;
        let behind = world.hosts.iter().find(|host| host.miner.finalized().round() < wanted);
        let behind = behind.map(|host| (Peer::Miner(host.id), host.miner.finalized().round()));
        let sharder = world.archive.as_ref().map(|found| found.sharder.finalized().round());
        let sharder =
            sharder.filter(|round| *round < wanted).map(|round| (Peer::Sharder(SharderId(0)), round));
        let Some((who, height)) = behind.or(sharder) else { return Ok(world.now.0 - start) };
        let timers = world.hosts.iter().flat_map(|host| &host.timers).map(|(due, _)| *due);
        let of_sharder = world.archive.iter().flat_map(|found| &found.timers).map(|(due, _)| *due);
        let next = timers.chain(of_sharder).min().unwrap_or(u64::MAX).max(world.now.0);
        if next > end {
            let (height, wanted, milliseconds) = (height.0, wanted.0, end - start);
            return Err(Stalled::NoFinality { who, height, wanted, milliseconds });
        }
        world.now.0 = next;
        world.fire_sharder(Some(next), watch);
        for host in 0..world.hosts.len() {
            let due: Vec<Timer> = world.hosts[host]
                .timers
                .iter()
                .filter(|(due, _)| *due <= next)
                .map(|(_, timer)| *timer)
                .collect();
            for timer in due {
                world.fire(host, timer, None, watch);
            }
        }
    }
}

/// Everything that is on its way arrives, and disks confirm.
fn settle<S: Scheme + Clone, W: Watch<S>>(world: &mut World<S>, watch: &mut W) -> Result<(), Stalled> {
    let mut deliveries = 0;
    loop {
        for host in 0..world.hosts.len() {
            while !world.hosts[host].asked.is_empty() {
                world.confirm(host, watch);
            }
        }
        let end = world.network.sent().len();
        let mut moved = false;
        for index in 0..end {
            let to = world.network.sent()[index].to;
            for receiver in
                (0..world.ground.setup.miners).map(|i| bit(Peer::Miner(MinerId(i)))).chain([SHARDER])
            {
                if to & receiver != 0 && world.network.is_open(index, receiver) {
                    world.deliver(index, receiver, None, watch);
                    moved = true;
                    deliveries += 1;
                    if deliveries > MAX_DELIVERIES {
                        return Err(Stalled::NeverQuiet);
                    }
                }
            }
        }
        if !moved && world.network.sent().len() == end {
            return Ok(());
        }
    }
}
