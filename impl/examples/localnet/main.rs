//! A whole network in one process: miners and sharders on real BLS signatures, with the faults that you ask for, in virtual
//! time, so that one seed is one run.
//!
//! ```text
//! cargo run --release -p zus-bpp --example localnet -- --miners 7 --rounds 20 --equivocate 1 --loss 5 --kill 2@3000
//! cargo run --release -p zus-bpp --example localnet -- --epochs 5 --exchange 1 --rounds 4 --kill 3@3000
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use zus_bpp::block::{Block, BlockId};
use zus_bpp::committee::{MinerId, Peer, SharderId};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::crypto::trusted_dealer::deal;
use zus_bpp::miner::Milestone;
use zus_output::{
    limits, plain,
    pulse::Pulse,
    whole::{Promised, unwritable},
};

mod arguments;
mod epochs;
mod long;
mod trace;

use arguments::Arguments;
use zus_sim::timed::{Setup, World};

/// As the one of the standard library, which panics when the reader has gone away; this ends the process.
macro_rules! println {
    ($($argument:tt)*) => { zus_output::say!($($argument)*) };
}

fn main() -> ExitCode {
    limits::are_errors();
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}", plain::message(&error.to_string()));
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    // Before the run, not after it.
    let trace = arguments.trace.as_deref().map(|file| Promised::at(file, []).map_err(unwritable(file)));
    let trace = trace.transpose()?;
    let setup = arguments.setup()?;
    if arguments.epochs > 1 {
        return epochs::run(arguments);
    }
    let faulty = setup.config().committee.faulty();
    let dishonest = setup.byzantine.len();
    if trace.is_some() && dishonest > faulty {
        return Err(format!(
            "--trace: {dishonest} of {} miners are dishonest, more than the {faulty} that are tolerated: a trace has only the signatures \
             of such members that the honest ones need\n  fix: leave out --trace, or name fewer with --silent and --equivocate",
            arguments.miners
        )
        .into());
    }
    println!(
        "{} miners ({dishonest} dishonest, {faulty} tolerated), {} sharders, quorum {}, seed {}",
        arguments.miners,
        arguments.sharders,
        setup.config().quorum(),
        arguments.seed
    );
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&arguments.seed.to_be_bytes());
    let (committee, members) = deal(seed, arguments.miners)?;
    let schemes = members
        .into_iter()
        .map(|member| BlstScheme::member(committee.clone(), member))
        .collect::<Result<Vec<_>, _>>()?;
    let mut world = World::new(&setup, schemes, &BlstScheme::observer(committee));
    let progress = ProgressBar::new(arguments.rounds as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} final blocks, {elapsed} on this machine")?;
    progress.set_style(style);
    let pulse = progress.is_hidden().then(|| Pulse::new("no final block yet"));
    let mut printed = Printed::default();
    header();
    let end = arguments.patience.saturating_mul(1_000);
    while world.observer.lowest() < arguments.rounds && world.now.0 < end {
        world.run(50);
        progress.set_position(world.observer.lowest() as u64);
        if let Some(pulse) = &pulse {
            pulse.set(format!("{} of {} final blocks", world.observer.lowest(), arguments.rounds));
        }
        progress.suspend(|| printed.print_new(&world, arguments.steps));
    }
    progress.finish_and_clear();
    drop(pulse);
    printed.print_new(&world, arguments.steps);
    if let Some(late) = arguments.kill.iter().find(|kill| kill.at >= world.now.0) {
        let (miner, at, ended) = (late.miner, late.at, world.now.0);
        return Err(format!(
            "--kill {miner}@{at}: the run ended at {ended} ms, before miner {miner} was killed\n  fix: name an earlier time, or \
             more rounds"
        )
        .into());
    }
    if let Some(file) = trace {
        write_trace(&world, &setup, arguments, file)?;
    }
    Ok(summary(&mut world, arguments))
}

fn write_trace<S: Scheme + Clone>(
    world: &World<S>,
    setup: &Setup,
    arguments: &Arguments,
    file: Promised,
) -> Result<(), Box<dyn Error>> {
    let dishonest: Vec<u16> = setup.byzantine.iter().map(|(miner, _)| *miner).collect();
    let command = std::env::args_os().skip(1).map(plain::quoted).collect::<Vec<_>>().join(" ");
    let command = format!("cargo run --release -p zus-bpp --example localnet -- {command}");
    let text = if arguments.is_short(dishonest.len()) {
        serde_json::to_string_pretty(&trace::trace(world, &dishonest, &arguments.kill, &command)?)? + "\n"
    } else {
        long::run(world, &dishonest, &arguments.kill, &command)?
    };
    let path = file.path().to_path_buf();
    file.write(text).map_err(unwritable(&path))?;
    println!("trace: {} (zus replay {})", plain::path(&path), plain::quoted_path(&path));
    Ok(())
}

fn header() {
    println!(
        "{:>6} {:>8} {:>10} {:>9} {:>8} {:>12} {:>9} {:>7} {:>6}",
        "round", "subround", "generator", "block", "tickets", "notarized ms", "final ms", "bytes", "names"
    );
}

/// The blocks and steps that were printed already, and the first times of events.
#[derive(Default)]
struct Printed {
    blocks: usize,
    steps: usize,
    entered: BTreeMap<u64, u64>,
    notarized: BTreeMap<BlockId, u64>,
    finalized: BTreeMap<u64, u64>,
}

impl Printed {
    fn print_new<S: Scheme + Clone>(&mut self, world: &World<S>, all_steps: bool) {
        for (time, miner, step) in &world.observer.steps[self.steps..] {
            match step {
                Milestone::Entered { round, .. } => {
                    self.entered.entry(round.0).or_insert(time.0);
                }
                Milestone::Notarized { ticket, .. } => {
                    self.notarized.entry(ticket.block).or_insert(time.0);
                }
                Milestone::Finalized { round, .. } => {
                    self.finalized.entry(round.0).or_insert(time.0);
                }
                _ => {}
            }
            if all_steps {
                println!("{:>8} ms  {miner} {step}", time.0);
            }
        }
        self.steps = world.observer.steps.len();
        // The chain of whoever is ahead.
        let miners = (0..world.config().committee.miners()).map(|id| Peer::Miner(MinerId(id)));
        let Some(ahead) = miners.max_by_key(|&miner| world.observer.height(miner)) else { return };
        let blocks: Vec<&Block> =
            world.observer.chain(ahead).skip(self.blocks).map(|block| &**block).collect();
        for block in &blocks {
            self.print_block(world, block);
        }
        self.blocks += blocks.len();
    }

    fn print_block<S: Scheme + Clone>(&self, world: &World<S>, block: &Block) {
        let entered = self.entered.get(&block.round().0).copied().unwrap_or_default();
        let notarized = self.notarized.get(&block.id()).map(|at| at.saturating_sub(entered).to_string());
        // A block may be final through a descendant.
        let fin = self.finalized.range(block.round().0..).map(|(_, at)| *at).min().unwrap_or(world.now.0);
        println!(
            "{:>6} {:>8} {:>10} {:>9} {:>5}/{:<2} {:>12} {:>9} {:>7} {:>6}",
            block.round().0,
            block.subround().0,
            block.header().generator.0,
            block.id().to_string(),
            world.observer.ticketed(block).len(),
            world.config().committee.miners(),
            notarized.unwrap_or_else(|| "?".to_owned()),
            fin.saturating_sub(entered),
            block.payload().len(),
            block.header().final_round.0,
        );
    }
}

/// Prints how it ended. Returns whether all rounds were finalized and no property was violated.
fn summary<S: Scheme + Clone>(world: &mut World<S>, arguments: &Arguments) -> bool {
    world.observer.at_the_end();
    let observer = &world.observer;
    let sharders: Vec<usize> =
        (0..arguments.sharders).map(|id| observer.height(Peer::Sharder(SharderId(id)))).collect();
    println!(
        "{} of {} rounds final at every honest miner after {} ms of virtual time; sharders have {sharders:?}",
        observer.lowest(),
        arguments.rounds,
        world.now.0
    );
    println!("{} messages, {} bytes", world.sent.0, world.sent.1);
    if !observer.convicted.is_empty() {
        let convicted: Vec<String> = observer.convicted.iter().map(ToString::to_string).collect();
        println!("convicted by evidence: {}", convicted.join(", "));
    }
    for violation in &observer.violations {
        println!("VIOLATED {violation}");
    }
    observer.lowest() >= arguments.rounds && observer.violations.is_empty()
}
