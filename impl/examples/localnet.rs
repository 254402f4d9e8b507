//! A whole network in one process: miners and sharders on real BLS signatures, with the faults that you ask for, in virtual
//! time, so that one seed is one run.
//!
//! ```text
//! cargo run --release -p zus-bpp --example localnet -- --miners 7 --rounds 20 --equivocate 1 --loss 5 --kill 2@3000
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use zus_bpp::block::{Block, BlockId};
use zus_bpp::committee::{MinerId, Peer, SharderId};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::scheme::Scheme;
use zus_bpp::crypto::trusted_dealer::deal;
use zus_bpp::miner::Milestone;
use zus_bpp::rules::Rules;
use zus_output::{plain, pulse::Pulse, whole};

#[path = "../tests/sim/network/mod.rs"]
mod network;

mod trace;

use network::{Byzantine, Fault, Network, Setup, World};

/// As the one of the standard library, which panics when the reader has gone away; this ends the process.
macro_rules! println {
    ($($argument:tt)*) => { zus_output::say!($($argument)*) };
}

/// How long a killed miner stays away, in milliseconds of virtual time.
const PAUSE: u64 = 2_000;

/// Runs miners and sharders of one network in this process and prints what they agree on.
#[derive(Parser)]
#[command(after_help = "Example: localnet --miners 7 --rounds 20 --equivocate 1 --loss 5 --kill 2@3000")]
struct Arguments {
    /// Miners.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    miners: u16,
    /// Sharders.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(0..=100))]
    sharders: u16,
    /// Rounds to finalize.
    #[arg(long, default_value_t = 10, value_parser = rounds)]
    rounds: usize,
    /// The seed of keys, delays and losses.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The rules.
    #[arg(long, value_enum, default_value_t = Profile::Hardened)]
    profile: Profile,
    /// Miners that say nothing.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    silent: u16,
    /// Miners that propose two blocks at once.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    equivocate: u16,
    /// Messages that are lost, in percent.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u16).range(0..=90))]
    loss: u16,
    /// A miner that crashes at a time, in milliseconds, and comes back two seconds later; may be repeated.
    #[arg(long, value_name = "MINER@TIME")]
    kill: Vec<Kill>,
    /// Print every step of every miner.
    #[arg(long)]
    steps: bool,
    /// Write the run as a trace for `zus replay` into this file (profile `hardened` only).
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Give up after this much virtual time, in seconds.
    #[arg(long, default_value_t = 600)]
    patience: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Profile {
    Hardened,
    Documented,
    Deployed,
}

impl Profile {
    fn rules(self) -> Rules {
        match self {
            Profile::Hardened => Rules::HARDENED,
            Profile::Documented => Rules::DOCUMENTED,
            Profile::Deployed => Rules::DEPLOYED,
        }
    }
}

#[derive(Clone, Copy)]
struct Kill {
    miner: u16,
    at: u64,
}

impl FromStr for Kill {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('@').and_then(|(miner, at)| Some((miner.parse().ok()?, at.parse().ok()?)));
        let (miner, at) = parts.ok_or("write MINER@MILLISECONDS, for example 2@3000")?;
        Ok(Kill { miner, at })
    }
}

fn main() -> ExitCode {
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
    if let Some(file) = &arguments.trace {
        // Before the run, not after it.
        if !matches!(arguments.profile, Profile::Hardened) {
            return Err("--trace speaks of the profile `hardened` only: leave --profile out".into());
        }
        let honest = usize::from(arguments.miners).saturating_sub(setup(arguments)?.byzantine.len());
        if honest > trace::MAX_HONEST {
            let most = trace::MAX_HONEST;
            return Err(format!(
                "a trace names at most {most} honest miners, this network has {honest}: use fewer --miners"
            )
            .into());
        }
        whole::check(file).map_err(|error| format!("{}: cannot be written: {error}", plain::path(file)))?;
    }
    let setup = setup(arguments)?;
    let faulty = setup.config().committee.faulty();
    let dishonest = setup.byzantine.len();
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
    if let Some(file) = &arguments.trace {
        write_trace(&world, &setup, arguments, file)?;
    }
    Ok(summary(&mut world, arguments))
}

fn write_trace<S: Scheme + Clone>(
    world: &World<S>,
    setup: &Setup,
    arguments: &Arguments,
    file: &Path,
) -> Result<(), Box<dyn Error>> {
    let dishonest: Vec<u16> = setup.byzantine.iter().map(|(miner, _)| *miner).collect();
    let outages: Vec<trace::Outage> = arguments
        .kill
        .iter()
        .map(|kill| trace::Outage { miner: kill.miner, from: kill.at, to: kill.at.saturating_add(PAUSE) })
        .collect();
    let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let command = format!("cargo run --release -p zus-bpp --example localnet -- {command}");
    let trace = trace::trace(world, &dishonest, &outages, &command)?;
    whole::write(file, serde_json::to_string_pretty(&trace)? + "\n")
        .map_err(|error| format!("{}: {error}", plain::path(file)))?;
    let shown = plain::path(file);
    println!("trace: {shown} (zus replay {})", plain::quoted_path(&shown));
    Ok(())
}

/// A number of rounds to finalize, 1 at least.
fn rounds(text: &str) -> Result<usize, String> {
    let rounds = text.parse::<usize>().map_err(|error| error.to_string())?;
    if rounds == 0 { Err("a run has 1 round or more".into()) } else { Ok(rounds) }
}

fn setup(arguments: &Arguments) -> Result<Setup, String> {
    let mut setup = Setup::new(arguments.miners, arguments.profile.rules(), arguments.seed);
    setup.sharders = arguments.sharders;
    setup.network = Network { loss: arguments.loss * 10, bytes: true, ..Network::RELIABLE };
    if u32::from(arguments.silent) + u32::from(arguments.equivocate) >= u32::from(arguments.miners) {
        return Err("at least one miner must be honest".to_owned());
    }
    let silent = (0..arguments.silent).map(|_| Byzantine::Silent);
    let kinds = silent.chain((0..arguments.equivocate).map(|_| Byzantine::Equivocate));
    setup.byzantine = (0..arguments.miners).rev().zip(kinds).collect();
    for kill in &arguments.kill {
        if kill.miner >= arguments.miners {
            return Err(format!("there is no miner {} of {}", kill.miner, arguments.miners));
        }
        setup.faults.push((kill.at, Fault::Kill(kill.miner)));
        setup.faults.push((kill.at.saturating_add(PAUSE), Fault::Restart(kill.miner)));
    }
    Ok(setup)
}

fn header() {
    println!(
        "{:>6} {:>8} {:>10} {:>9} {:>8} {:>12} {:>9} {:>7} {:>6}",
        "round", "subround", "generator", "block", "tickets", "notarized ms", "final ms", "bytes", "names"
    );
}

/// What was printed already, and when what happened for the first time.
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
