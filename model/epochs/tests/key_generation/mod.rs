//! The key generation on the chain: verdicts at small sizes, and the runs that break a changed rule.

mod exactness;
mod instances;
mod page;
mod runs;
mod verdicts;
