//! The network across epochs: members are exchanged from one committee to the next, on real BLS signatures. The key generation is
//! planned; all of the handover is the real one.

use std::collections::BTreeSet;
use std::error::Error;

use indicatif::{ProgressBar, ProgressStyle};
use zus_bpp::committee::Epoch;
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::trusted_dealer::deal;
use zus_bpp::epochs::planned::PlannedKeys;
use zus_output::pulse::Pulse;
use zus_sim::Byzantine;
use zus_sim::epochs::{Handover, Setup, World};
use zus_sim::timed::Links;

use crate::arguments::Arguments;

macro_rules! println {
    ($($argument:tt)*) => { zus_output::say!($($argument)*) };
}

/// Rounds that a head may be behind the highest at the end of a run.
const BEHIND: u64 = 16;

/// The run that is asked for. Committee `e` has the nodes from `e` times the number of exchanged members on, so that every run of as
/// many nodes as a committee has one of each kind of dishonest nodes.
fn setup(arguments: &Arguments) -> Setup {
    let Arguments { miners, exchange, epochs, silent, equivocate, .. } = *arguments;
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
    let keys = PlannedKeys::new(setup.plan.clone(), |epoch, members| {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&arguments.seed.to_be_bytes());
        seed[8..16].copy_from_slice(&epoch.0.to_be_bytes());
        let (committee, dealt) = deal(seed, members)?;
        let members = dealt.into_iter().map(|member| BlstScheme::member(committee.clone(), member));
        let members = members.collect::<Result<Vec<_>, _>>()?;
        Ok::<_, Box<dyn Error>>((members, BlstScheme::observer(committee)))
    })?;
    let mut world = World::new(setup, keys);
    let progress = ProgressBar::new(u64::from(arguments.epochs));
    progress
        .set_style(ProgressStyle::with_template("{bar:30} {pos}/{len} epochs, {elapsed} on this machine")?);
    let pulse = progress.is_hidden().then(|| Pulse::new("epoch 1"));
    println!(
        "{:>6} {:>8} {:>10} {:>6} {:>9} {:>12}  nodes",
        "epoch", "closing", "certified", "tail", "begins ms", "last after ms"
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

fn print(world: &World<BlstScheme>, epoch: u64) {
    let members = |epoch: u64| -> BTreeSet<u16> {
        world
            .setup()
            .plan
            .record(Epoch(epoch))
            .map(|record| record.miners.into_iter().collect())
            .unwrap_or_default()
    };
    let Some(Handover { first, last, anchor, certified, .. }) = world.observer.handovers.get(&Epoch(epoch))
    else {
        return;
    };
    let (before, now) = (members(epoch - 1), members(epoch));
    println!(
        "{epoch:>6} {:>8} {:>10} {:>6} {:>9} {:>12}  joined: {}; left: {}",
        anchor.0,
        certified.0,
        certified.0.saturating_sub(anchor.0),
        first.0,
        last.0 - first.0,
        names(&now.difference(&before).copied().collect()),
        names(&before.difference(&now).copied().collect()),
    );
}

fn summary(world: &mut World<BlstScheme>, done: bool) -> bool {
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
