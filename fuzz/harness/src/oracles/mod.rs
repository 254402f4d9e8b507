//! Independent oracles: quorum tables, rank arithmetic, certificate checks and the safety properties, written apart from the
//! production code and from the model (architecture.md, decision 8). Nothing here calls `zus_bpp` functions that decide
//! anything; types of messages are shared, judgements are not. A bug in a production predicate cannot hide here.

mod genuine;
mod guilty;
mod naming;
mod obligations;
mod oracle;
pub mod promises;
mod scope;
mod shown;

pub(crate) use guilty::guilty;
pub use obligations::descends;
pub use oracle::{Oracle, Violation};
pub use scope::Scope;

pub use zus_sim::by_hand::{beacon_threshold, generators, order_of_generators, quorum, quorum_by, tolerated};
