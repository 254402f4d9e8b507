//! The network across epochs: members are exchanged from one committee to the next, and each committee generates the keys of the next
//! one on its chain. Dealers that lie are left out of the key.

use std::collections::BTreeSet;
use std::error::Error;

use indicatif::{ProgressBar, ProgressStyle};
use zus_bpp::committee::Epoch;
use zus_bpp::epochs::generated::{BlsSignatures, MockSignatures};
use zus_bpp::epochs::lies::Lie;
use zus_output::pulse::Pulse;
use zus_sim::Byzantine;
use zus_sim::epochs::{GeneratedWorld, Handover, KeySource, KeysMade, Setup, WorldOf};
use zus_sim::timed::Links;

use crate::arguments::{Arguments, Signatures};

macro_rules! println {
    ($($argument:tt)*) => { zus_output::say!($($argument)*) };
}

/// Rounds that a head may be behind the highest at the end of a run.
const BEHIND: u64 = 16;

/// The place of the member that dealers give no right share.
const VICTIM: u16 = 1;

/// The run that is asked for. Committee `e` has the nodes from `e` times the number of exchanged members on, so that every run of as
/// many nodes as a committee has one of each kind of dishonest nodes.
fn setup(arguments: &Arguments) -> Setup {
    let Arguments { miners, exchange, epochs, silent, equivocate, byzantine_dealers, .. } = *arguments;
    let committees = Setup::exchanging(miners, exchange, epochs);
    let mut setup = Setup::new(committees, arguments.sharders, arguments.rounds as u64, arguments.seed);
    setup.links = Links { loss: arguments.loss * 10, bytes: true, ..Links::RELIABLE };
    let members = miners + exchange * (epochs - 1);
    let kind = |node: u16| match node % miners {
        place if place < silent => Some(Byzantine::Silent),
        place if place < silent + equivocate => Some(Byzantine::Equivocate),
        _ => None,
    };
    setup.byzantine = (0..members).filter_map(|node| Some((node, kind(node)?))).collect();
    // Each has another lie, so that a long run has all of them.
    let lies = Lie::all(VICTIM);
    let first = silent + equivocate;
    let is_liar = |node: &u16| (first..first + byzantine_dealers).contains(&(node % miners));
    setup.lies =
        (0..members).filter(is_liar).map(|node| (node, lies[usize::from(node) % lies.len()])).collect();
    setup.phase_rounds = arguments.phase_rounds;
    setup.away = arguments.kill.iter().map(|kill| (kill.miner, kill.at, kill.back())).collect();
    setup
}

/// Runs all epochs. Returns whether every honest node ends on one chain in the last one, and no property is violated.
pub fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let setup = setup(arguments);
    println!(
        "{} epochs of {} miners, {} exchanged each time, {} sharders, {} nodes, seed {}",
        arguments.epochs,
        arguments.miners,
        arguments.exchange,
        arguments.sharders,
        setup.nodes,
        arguments.seed
    );
    for (node, lie) in &setup.lies {
        println!("N{node} lies in key generations: {lie:?}");
    }
    match arguments.signatures {
        Signatures::Bls => follow(GeneratedWorld::generated(setup, BlsSignatures), arguments),
        Signatures::Mock => follow(GeneratedWorld::generated(setup, MockSignatures), arguments),
    }
}

/// Runs a world to the end, and prints each handover.
fn follow<N: KeySource>(mut world: WorldOf<N>, arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let progress = ProgressBar::new(u64::from(arguments.epochs));
    progress
        .set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} epochs, {elapsed} on this machine")?);
    let pulse = progress.is_hidden().then(|| Pulse::new("epoch 1"));
    println!(
        "{:>6} {:>8} {:>10} {:>6} {:>8} {:>10} {:>9} {:>13}  nodes",
        "epoch", "closing", "certified", "tail", "attempts", "key rounds", "begins ms", "last after ms"
    );
    let end = arguments.patience.saturating_mul(1_000);
    let (mut printed, rounds) = (1, arguments.rounds as u64);
    let mut done = false;
    while !done && world.now.0 < end {
        world.run(50);
        let last = world.setup().plan.last();
        done = world.all_have(last, rounds);
        // A handover is printed when the next one is there: then whoever enters late has entered.
        let begun = world.observer.handovers.keys().next_back().map_or(1, |epoch| epoch.0);
        let whole = if done { begun + 1 } else { begun };
        for epoch in printed + 1..whole {
            progress.suspend(|| print(&world, epoch));
        }
        printed = printed.max(whole.saturating_sub(1));
        progress.set_position(begun);
        if let Some(pulse) = &pulse {
            pulse.set(format!("epoch {begun} of {}", arguments.epochs));
        }
    }
    progress.finish_and_clear();
    drop(pulse);
    if let Some(late) = arguments.kill.iter().find(|kill| kill.at >= world.now.0) {
        return Err(format!(
            "--kill {}@{}: the run ended at {} ms, before that\n  fix: name an earlier time, or more epochs or rounds",
            late.miner, late.at, world.now.0
        )
        .into());
    }
    Ok(summary(&mut world, done))
}

fn names(nodes: &BTreeSet<u16>) -> String {
    if nodes.is_empty() {
        return "nobody".to_owned();
    }
    nodes.iter().map(|node| format!("N{node}")).collect::<Vec<_>>().join(" ")
}

fn print<N: KeySource>(world: &WorldOf<N>, epoch: u64) {
    let plan = &world.setup().plan;
    let members = |epoch: u64| plan.record(Epoch(epoch)).map(|record| record.miners).unwrap_or_default();
    let Some(Handover { first, last, anchor, certified, .. }) = world.observer.handovers.get(&Epoch(epoch))
    else {
        return;
    };
    let of = |epoch: u64| members(epoch).into_iter().collect::<BTreeSet<u16>>();
    let (before, now) = (of(epoch - 1), of(epoch));
    let made = world.observer.keys.get(&Epoch(epoch));
    let attempts = made.map_or(0, |made| made.attempt + 1);
    let rounds = made.map_or(0, |made| (anchor.0 + 1).saturating_sub(made.first_round));
    println!(
        "{epoch:>6} {:>8} {:>10} {:>6} {attempts:>8} {rounds:>10} {:>9} {:>13}  joined: {}; left: {}",
        anchor.0,
        certified.0,
        certified.0.saturating_sub(anchor.0),
        first.0,
        last.0 - first.0,
        names(&now.difference(&before).copied().collect()),
        names(&before.difference(&now).copied().collect()),
    );
    let excluded = made.map(|KeysMade { excluded, .. }| excluded.as_slice()).unwrap_or_default();
    let in_order = members(epoch);
    for (place, reason) in excluded {
        if let Some(node) = in_order.get(usize::from(*place)) {
            println!("       excluded from the key of epoch {epoch}: N{node}: {reason}");
        }
    }
}

fn summary<N: KeySource>(world: &mut WorldOf<N>, done: bool) -> bool {
    let last = world.setup().plan.last();
    if done {
        world.observer.ends_in(last, BEHIND);
    }
    let begun = world.observer.handovers.len();
    println!(
        "{begun} of {} epochs began; round {} is final at every honest node after {} ms of virtual time",
        world.setup().plan.committees.len(),
        world.lowest(),
        world.now.0
    );
    println!("{} messages, {} bytes", world.sent.0, world.sent.1);
    let made = world.observer.keys.values();
    let (keys, failed) = made.fold((0, 0), |(keys, failed), made| (keys + 1, failed + made.attempt));
    println!("{keys} keys were generated, {failed} attempts failed");
    if done && world.observer.violations.is_empty() {
        println!("every honest node is on one chain");
    }
    if !world.observer.convicted.is_empty() {
        let convicted: Vec<String> = world
            .observer
            .convicted
            .iter()
            .map(|(epoch, node)| format!("N{node} in epoch {}", epoch.0))
            .collect();
        println!("convicted by evidence: {}", convicted.join(", "));
    }
    for violation in &world.observer.violations {
        println!("VIOLATED {violation}");
    }
    if !done {
        println!("NOT DONE not every honest node is in epoch {} with the rounds that were asked for", last.0);
    }
    done && world.observer.violations.is_empty()
}
