//! All that a host and an observer see of a miner: configuration, inputs, outputs, and what is on its disk.

mod config;
mod disk;
mod input;
mod milestone;
mod output;
mod refusal;
mod start_error;

pub use config::{Config, TicketForm, Timing};
pub use disk::{Recovery, Stored, WriteId};
pub use input::{Input, Timer};
pub use milestone::{Milestone, Phase};
pub use output::{Audience, Output};
pub use refusal::{ProposalError, Refusal};
pub use start_error::StartError;
