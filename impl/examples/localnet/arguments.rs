//! The arguments of the network. Values with which no run is possible are refused before anything happens.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use zus_bpp::rules::Rules;

use crate::trace;
use zus_sim::Byzantine;
use zus_sim::timed::{Disturbance, Links, Setup};

/// How long a killed miner stays away, in milliseconds of virtual time.
pub const PAUSE: u64 = 2_000;

/// Runs miners and sharders of one network in this process and prints what they agree on.
#[derive(Parser)]
#[command(after_help = "Example: localnet --miners 7 --rounds 20 --equivocate 1 --loss 5 --kill 2@3000

Exit code: 0 all rounds are final and no property is violated, 1 they are not or one is, 2 bad input or usage.")]
pub struct Arguments {
    /// Miners.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub miners: u16,
    /// Sharders.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(0..=100))]
    pub sharders: u16,
    /// Epochs: a committee hands over to the next one so many times, less one. With more than one, members are named as nodes: the
    /// first committee has nodes 0 to one less than --miners.
    #[arg(long, default_value_t = 1, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub epochs: u16,
    /// Members that leave from one epoch to the next, and as many new nodes that join.
    #[arg(long, default_value_t = 0, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(0..=100))]
    pub exchange: u16,
    /// Rounds to finalize. With --epochs: rounds of an epoch before its key generation begins, and rounds of the last epoch.
    #[arg(long, default_value_t = 10, value_parser = rounds)]
    pub rounds: usize,
    /// The seed of keys, delays and losses.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The rules.
    #[arg(long, value_enum, default_value_t = Profile::Hardened)]
    pub profile: Profile,
    /// Miners that say nothing.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    pub silent: u16,
    /// Miners that propose two blocks at once.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    pub equivocate: u16,
    /// Members of each committee that lie in the key generation, each with another lie; with --epochs 2 or more.
    #[arg(long, default_value_t = 0, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(0..=100))]
    pub byzantine_dealers: u16,
    /// Rounds of each of the four phases of a key generation, in its first attempt; with --epochs 2 or more.
    #[arg(long, default_value_t = 12, value_name = "ROUNDS", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub phase_rounds: u64,
    /// The signatures of messages; with --epochs 2 or more. The key generation is the real one with both.
    #[arg(long, value_enum, default_value_t = Signatures::Bls)]
    pub signatures: Signatures,
    /// Messages that are lost, in percent.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u16).range(0..=90))]
    pub loss: u16,
    /// A miner that crashes at a time, in milliseconds, and comes back two seconds later; may be repeated.
    #[arg(long, value_name = "MINER@TIME")]
    pub kill: Vec<Kill>,
    /// Print every step of every miner.
    #[arg(long)]
    pub steps: bool,
    /// Write the run as a trace for `zus replay` into this file (profile `hardened` only): one that can be drawn, too, with at most
    /// 6 --rounds, 7 honest miners of 63, and 15 --kill; else a run of any length. Bad input removes the file that an earlier run
    /// wrote.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Give up after this much virtual time, in seconds.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    pub patience: u64,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Profile {
    Hardened,
    Documented,
    Deployed,
}

/// How messages are signed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Signatures {
    /// BLS signatures.
    Bls,
    /// Mock signatures, which are as cheap as a hash.
    Mock,
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

/// A miner that crashes, and when, in milliseconds.
#[derive(Clone, Copy)]
pub struct Kill {
    pub miner: u16,
    pub at: u64,
}

impl Kill {
    /// When the miner comes back.
    pub fn back(self) -> u64 {
        self.at.saturating_add(PAUSE)
    }
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

/// A number of rounds to finalize, 1 at least.
fn rounds(text: &str) -> Result<usize, String> {
    let rounds = text.parse::<usize>().map_err(|error| error.to_string())?;
    if rounds == 0 { Err("a run has 1 round or more".into()) } else { Ok(rounds) }
}

impl Arguments {
    /// The network that is asked for.
    pub fn setup(&self) -> Result<Setup, String> {
        let &Arguments { miners, silent, equivocate, byzantine_dealers, .. } = self;
        let mut setup = Setup::new(miners, self.profile.rules(), self.seed);
        setup.sharders = self.sharders;
        setup.links = Links { loss: self.loss * 10, bytes: true, ..Links::RELIABLE };
        let dishonest = u32::from(silent) + u32::from(equivocate) + u32::from(byzantine_dealers);
        if dishonest >= u32::from(miners) {
            return Err(format!(
                "--silent {silent} --equivocate {equivocate} --byzantine-dealers {byzantine_dealers}: no miner of {miners} is left that is \
                 honest\n  fix: make at most {} of them dishonest, or add --miners",
                miners - 1
            ));
        }
        let kinds = (0..silent).map(|_| Byzantine::Silent);
        let kinds = kinds.chain((0..equivocate).map(|_| Byzantine::Equivocate));
        setup.byzantine = (0..miners).rev().zip(kinds).collect();
        self.kills()?;
        self.across_epochs()?;
        for kill in &self.kill {
            setup.disturbances.push((kill.at, Disturbance::Kill(kill.miner)));
            setup.disturbances.push((kill.back(), Disturbance::Restart(kill.miner)));
        }
        if self.trace.is_some() && !matches!(self.profile, Profile::Hardened) {
            return Err(
                "--trace: a trace is of the profile `hardened` only\n  fix: leave --profile out".into()
            );
        }
        Ok(setup)
    }

    /// Refuses what changes nothing across epochs, or has no meaning there.
    fn across_epochs(&self) -> Result<(), String> {
        if self.epochs == 1 {
            if self.byzantine_dealers > 0 {
                return Err(format!(
                    "--byzantine-dealers {}: one epoch generates no keys\n  fix: add --epochs 2 or more",
                    self.byzantine_dealers
                ));
            }
            if self.signatures == Signatures::Mock {
                return Err("--signatures mock: one epoch runs on BLS\n  fix: add --epochs 2 or more".into());
            }
            return if self.exchange == 0 {
                Ok(())
            } else {
                Err(format!(
                    "--exchange {}: one epoch exchanges nobody\n  fix: add --epochs 2 or more",
                    self.exchange
                ))
            };
        }
        let refused = |option: &str, why: &str, fix: &str| Err(format!("{option}: {why}\n  fix: {fix}"));
        if self.exchange > self.miners {
            let most = format!("name at most {}", self.miners);
            return refused("--exchange", "more members than a committee has", &most);
        }
        if self.trace.is_some() {
            return refused("--trace", "a trace has no epochs", "leave --trace or --epochs out");
        }
        if self.steps {
            return refused(
                "--steps",
                "steps are printed in one epoch only",
                "leave --steps or --epochs out",
            );
        }
        if !matches!(self.profile, Profile::Hardened) {
            return refused("--profile", "epochs hand over by votes", "leave --profile out");
        }
        Ok(())
    }

    /// The members of all epochs.
    fn members(&self) -> u16 {
        let exchanged = u32::from(self.exchange) * u32::from(self.epochs - 1);
        u16::try_from(u32::from(self.miners) + exchanged).unwrap_or(u16::MAX)
    }

    /// Refuses a kill that no miner feels.
    fn kills(&self) -> Result<(), String> {
        let mut of_miner: BTreeMap<u16, Vec<Kill>> = BTreeMap::new();
        for &kill in &self.kill {
            let Kill { miner, at } = kill;
            let refused = |why: String, fix: String| Err(format!("--kill {miner}@{at}: {why}\n  fix: {fix}"));
            if miner >= self.members() {
                let fix = format!("name a miner from 0 to {}", self.members() - 1);
                return refused(format!("there is no miner {miner} of {}", self.members()), fix);
            }
            // The last ones are silent.
            if self.epochs == 1 && miner >= self.miners - self.silent {
                return refused(
                    format!("miner {miner} is silent from the start (--silent {})", self.silent),
                    format!("name a miner below {}", self.miners - self.silent),
                );
            }
            of_miner.entry(miner).or_default().push(kill);
        }
        for kills in of_miner.values_mut() {
            kills.sort_by_key(|kill| kill.at);
            for pair in kills.windows(2) {
                let (first, Kill { miner, at }) = (pair[0], pair[1]);
                if at <= first.back() {
                    let (from, back) = (first.at, first.back());
                    let fix = if back == u64::MAX {
                        "remove one of the two".to_owned()
                    } else {
                        format!("remove one of the two, or kill it after {back} ms")
                    };
                    return Err(format!(
                        "--kill {miner}@{at}: miner {miner} is down from {from} ms to {back} ms (--kill {miner}@{from})\n  fix: {fix}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether the trace is within the bounds of the model. If it is not, it has the form for a run of any length.
    pub fn is_short(&self, dishonest: usize) -> bool {
        let miners = usize::from(self.miners);
        trace::has_room(self.rounds, miners, miners - dishonest, self.kill.len())
    }
}
