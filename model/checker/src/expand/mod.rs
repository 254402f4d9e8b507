//! From the packed model to the specification (`zus-spec`): the instance, the projection of a state, and the *macro
//! steps*. A step of the packed model, reduced or not, is a list of steps of the specification ([`expand`]); an
//! [`Expansion`] executes them with the specification's own guards. So a run of the packed model is a run of the
//! specification, whatever the reductions do.
//!
//! Three messages are sent before the step that needs them, since a reduction says that they were always there, or that
//! they are sent with their first use: Byzantine signatures, notarizations, and proposals. The first two depend on nothing
//! that an honest miner remembers, so they are sent just in time. An honest generator proposes while it is in its
//! subround, which it may have left when its block is first ticketed: then the proposal is put into the run where the
//! generator was there, and the steps after it are executed again.

mod action;
mod instance;
mod projection;
mod run;
mod shown;

pub use action::{expand, packed_action};
pub use instance::{block_of, members, packed_block, specified};
pub use projection::{comparable, project};
pub use run::{Expansion, Unexpanded};
pub use shown::shows;
