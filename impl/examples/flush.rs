//! Measures what a signature waits for: one record appended to the ticket log and flushed, on the disk of a folder.
//!
//! ```text
//! cargo run --release -p zus-bpp --example flush -- FOLDER
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use zus_bpp::committee::{ChainId, Epoch, Round, Subround};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::{FileLog, KEY_BYTES, LogRecord, Owner, SigningRules, TicketLog};

/// Measures flushes of the ticket log.
#[derive(Parser)]
struct Arguments {
    /// A folder on the disk to be measured; what is written there is removed again.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// How many records, each with a flush of its own.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    flushes: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let owner = Owner { chain: ChainId([0; 32]), epoch: Epoch(1), key: [0; KEY_BYTES] };
    let mut log = FileLog::create(folder.path(), owner, SigningRules::from(&Rules::HARDENED), Round(0))?;
    let mut took: Vec<Duration> = Vec::new();
    for round in 1..=arguments.flushes {
        let start = Instant::now();
        log.append(LogRecord::ticket(Round(round), Subround(0), [7; 32]))?;
        log.flush()?;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    zus_output::say!(
        "{} flushes of one record: median {:?}, 90th percentile {:?}, 99th {:?}, longest {:?}",
        took.len(),
        at(50),
        at(90),
        at(99),
        at(100)
    );
    Ok(())
}
