//! The Züs block production protocol as a specification ([`PROTOCOL.md`](../../PROTOCOL.md)): what the participants
//! remember, what they send, which step each of them may take, and what must be true of every run.
//!
//! Read it in this order:
//! 1. [`instance`]: who takes part, under which rules, and [`block`]: which blocks there can be;
//! 2. [`state`]: what each honest miner remembers, and what has been sent;
//! 3. [`steps`]: one file for each step of the page. A step is two functions: `enabled` says whether it may happen, or
//!    which guard is false, and `apply` says what it changes;
//! 4. [`properties`]: S1 to S11 and W1 to W10, and [`good_period`]: L1 to L5;
//! 5. [`explore`]: the same as a `stateright::Model`, within bounds that the caller chooses; [`follow`]: one run of any length.
//!
//! Stateright explores it as it stands; here three honest miners, in one round with one subround:
//!
//! ```
//! use stateright::{Checker, Model};
//! use zus_protocol::{ids::{Round, Subround}, rules::Rules};
//! use zus_spec::{Bounds, Exploration, Generator, Instance, Order};
//!
//! let order = Order { listed: [((Round(1), Subround(0)), vec![Generator::Honest])].into(), otherwise: vec![] };
//! let instance = Instance::new(3, 0, Rules::HARDENED, order);
//! let found = Exploration::new(instance, Bounds::new(1, 1)).checker().spawn_bfs().join().discoveries();
//! assert!(found.contains_key("final") && !found.contains_key("S2"));
//! ```
//!
//! Four decisions shape the text.
//! - **The network is monotone.** A message that was sent may arrive at any time, in any order, twice, or never. So the
//!   state keeps the set of the messages that were sent, and receiving is a guard that looks into this set.
//! - **Byzantine members act by themselves.** They may send any message that they can sign, at any time.
//! - **The order of generators is open.** An instance says for each rank whether its generator is honest or Byzantine;
//!   *which* honest miner has a rank is decided when a miner proposes. One exploration covers every order.
//! - **Nothing is bounded.** Rounds, subrounds, members, blocks and restarts have no limit here.
//!
//! Mistakes that exist only to be caught are one enum, [`fault::Fault`]. A rule is looked at by an exhaustive `match`
//! only, so that a new value of a rule does not compile until every step has decided what it means.

pub mod block;
pub mod explore;
pub mod fault;
pub mod follow;
mod forget;
pub mod good_period;
pub mod instance;
pub mod properties;
pub mod state;
pub mod steps;

pub use block::{Block, GENESIS, Generator};
pub use explore::{Bounds, Exploration};
pub use fault::Fault;
pub use follow::Follower;
pub use instance::{Committee, Crashes, Instance, Network, Order};
pub use state::State;
pub use steps::{Action, Blocked};
