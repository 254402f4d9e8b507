//! The shared parts of the benches of [`zus_bpp`]: the trait of a peer, committees and their tickets, processor time,
//! statistics of paired runs, required ratios, tables, and the command line.
//!
//! It is for engineers who compare one more library, or one more operation, with ours: both run in one process, and a ratio of
//! processor times is the result. A library is an implementation of [`Peer`](peer::Peer); `benches/README.md` has the guide.
//!
//! ```
//! use zus_measure::paired::{Case, run};
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
#![forbid(unsafe_code)]

#[cfg(feature = "arguments")]
pub mod arguments;
pub mod committee;
pub mod figures;
pub mod job;
pub mod members;
pub mod ours;
pub mod paired;
pub mod peer;
pub mod process_time;
pub mod required;
