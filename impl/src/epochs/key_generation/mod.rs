//! The key generation of the next committee, on the chain of the present one (PROTOCOL.md, section 8).
//!
//! [`Plan`] is what the final chain fixed before: the members of the next committee, and the rounds. [`Progress`] is the public side:
//! a fold over the blocks of a branch, the same for everybody who has that branch. A block is valid only if the fold takes its items.
//!
//! # Phases
//! An attempt has four phases of `D * 2^min(a, 8)` rounds each: registrations, dealings, settlements, ready statements. An item
//! counts in a block of the phase that it belongs to. With too few qualified dealers after the third phase, or too few ready
//! statements after the fourth, the attempt is over, and the next one begins in the next round.
//!
//! # What a block may carry
//! | item | becomes of it | why |
//! |---|---|---|
//! | no item, or one whose sender is no member | the block is invalid | the bytes alone show it |
//! | of this attempt and phase, but it does not decode, or its sender did not sign it | the block is invalid | its generator knew the branch and could check it: the signature on the proposal proves the fault |
//! | of another attempt, or of another phase | nothing | a generator that takes an item in good faith may be one round late; and nobody can check a signature of an attempt whose members are forgotten |
//! | known already | nothing | blocks of rival branches carry the same items |
//! | a second, different dealing or settlement of one dealer | the dealer is out | both are signed: they convict the dealer, not the generator |
//! | a settlement whose receipts or shares are wrong, or that reveals more than `f` shares | the dealer is out | the dealer signed it |
//! | a settlement of a member without a dealing | nothing | there is nothing that it could settle |
//! | a second registration of a member in one attempt | nothing | the first one counts; it convicts nobody, because it harms nobody |
//! | a ready statement for another record | nothing | it says nothing about this one |
//! | any item above the closing block | the block is invalid | a tail block has none |
//!
//! # Registrations
//! The identity keys of the members and their proofs of possession are in the plan: a member that answers nobody is a member all the
//! same. A registration brings the encryption key, and it serves all later attempts of the epoch. A member without one has no
//! sealed share: each dealer reveals its share, among the at most `f` that it may reveal. So `f` silent members block nothing. If
//! the key were registered for one attempt only, or were needed for the attempt to begin, one silent member could block every one.

mod entry;
mod error;
mod part;
mod participant;
mod plan;
mod progress;

pub use entry::{Entry, Secret};
pub use error::{ItemError, ItemRefused};
pub use part::{Began, KeyGeneration, Nobody};
pub use participant::{Output, Participant, ParticipantError, WriteId};
pub use plan::{Plan, PlanError};
pub use progress::{Phase, Progress};
