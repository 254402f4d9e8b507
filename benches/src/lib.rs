//! The shared parts of the benches of [`zus_bpp`]: committees and their tickets, process time, statistics of paired
//! runs, the bars that they are held against, tables.
//!
//! It is for engineers who compare one more library, or one more operation, with what is here: both sides run in one process, and
//! a ratio of processor times is the result.
//!
//! ```
//! use zus_benches::paired::{Case, run};
//!
//! let words: Vec<u64> = (0..1_000).collect();
//! let times = run(
//!     vec![
//!         Case::new("sum", |_| assert_eq!(words.iter().sum::<u64>(), 499_500)),
//!         Case::new("sort", |_| words.clone().sort_unstable_by_key(|word| word % 7)),
//!     ],
//!     5,
//! );
//! let ratio = times.ratio("sort", "sum").expect("both are cases");
//! println!("{:.1} times as long, from {:.1} to {:.1}", ratio.median, ratio.low, ratio.high);
//! ```
//!
//! The benches themselves are in `operations/`, one file an operation, with the peers in `operations/peers/`.

pub mod asked;
pub mod committee;
pub mod figures;
pub mod paired;
pub mod process_time;
