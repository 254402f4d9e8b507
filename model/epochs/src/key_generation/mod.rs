//! The key generation of the next committee, on the final chain of the present one.
//!
//! The new committee has `n` members, at most `f = floor((n - 1) / 3)` of them Byzantine, and `q = n - f`. Its key has the threshold
//! `t = q`: that many points of a dealing determine it.
//!
//! # Items
//! Everything is an *item* in a block of the present epoch, signed under epoch and attempt:
//!
//! 1. **Registration**: a member's encryption key. The members of an attempt are fixed before it.
//! 2. **Dealing**: the public coefficients of a polynomial, and a sealed share for each member.
//! 3. **Receipt**: a recipient's statement that its share of this dealing fits. It goes to the dealer, off the chain.
//! 4. **Settlement**: the dealer's receipts, and the shares in clear of all members without one; at most `f` of them.
//! 5. **Ready statement**: a member has its key share of exactly this record on disk.
//!
//! Each phase ends at a deadline, a round of the present epoch. A dealer is *qualified* if its dealing and its settlement were on the
//! chain in time, each once, and its revealed shares fit. The record is *complete* with `q` qualified dealers and `q` ready statements
//! for it; the key is the sum of all qualified dealings. An attempt that misses this is over, and the next one begins with new
//! secrets. Nobody is barred for being late.
//!
//! # How it is modelled
//! Read it in this order: [`instance`], [`transcript`] (the items on a chain, and the record that follows), [`state`], [`steps`],
//! [`properties`], [`explore`].
//!
//! - **Secrets are symbols.** A dealing is the set of honest members whose share fits. What the adversary knows of an honest dealing
//!   is the set of points that it holds: its own, and every share that the dealer ever revealed.
//! - **The network is monotone.** What was sent may come into a block at any time, or never. In a *synchronous* attempt it comes
//!   before the deadline.
//! - **Chains.** Blocks are final at once, but for one fork: two branches that both take items, until one of them is final.
//!   Members act on the final chain, or on every branch ([`rules::ActsOnRule`]).
//! - **Just enough.** A dealing and a receipt are there as soon as they may be signed: to sign early takes nothing from anybody, and
//!   each may still come too late. So a receipt of a member that is down is there, too; that adds runs and takes none.
//!   Items of the Byzantine member are sent and included in one step. A settlement with too many revealed shares, or without the
//!   receipts of all others, is as good as none, and is not made.
//! - **Forgetting.** What a dead branch or a past phase holds, and no step reads, is forgotten. An attempt that failed leaves its
//!   number, and what the changed rules need: the receipts (`ShareHash`) and the dealings (`Silent`) of the honest members.
//! - **Names.** States that differ in the names of honest members, or of the two branches, are explored once
//!   ([`Exploration::up_to_names`]). A test compares this with the plain search.
//!
//! # Verdicts
//! Four members, one of them Byzantine. The recommended rules hold in each instance, and every witness is reachable.
//!
//! | instance | states, up to names |
//! |---|---|
//! | an asynchronous attempt, then a synchronous one | 134,959 |
//! | the same with a crash; two dealers settle at once | 100,335 |
//! | an attempt with a fork; two dealers settle at once | 106,028 |
//! | an attempt with a fork and two dealings of the Byzantine member; all honest dealers settle at once | 32,331 |
//! | an attempt with registrations | 39,085 |
//! | an attempt with a crash, nobody settles at once (an ignored test) | 1,799,060 |
//!
//! The properties that each changed rule and each [`Fault`] break are a table of `tests/key_generation/verdicts.rs`; it comes with the shortest run
//! in sentences. Four of the verdicts are worth a sentence.
//!
//! - **Digests are a second wall.** A receipt without the digest of its dealing, a ready statement without that of its record, and a
//!   settlement for each chain break nothing while members act on the final chain only. Where they act on notarized chains, each
//!   of the three breaks something. And to act on notarized chains alone breaks nothing (340,087 states): a dealer still
//!   settles once, and everything names what it is about.
//! - **Ready statements make shares durable, and nothing else.** Without them every honest member still has its share, or computes it
//!   from the chain. What is lost is that `q - f` honest members have it on disk when the next committee begins.
//! - **All must be ready** (`ready = All`), and **one refused receipt stops a dealer** (VC27) break E5, not E6: attempts follow each
//!   other for ever, and none completes.
//! - **A late statement is harmless while secrets are kept.** `AfterStatement` loses a share only if the secrets of the attempt
//!   are erased before the share is on disk.
//!
//! # What it does not say
//! Rounds of the present epoch and their finality are not modelled: deadlines pass, and that rounds go on (half of E6) is an
//! assumption. The next attempt begins once the end of the last one is final. A fork is once, and within an attempt. Two Byzantine
//! members, and committees of other sizes, are not explored. Members are what an attempt begins with: who is chosen for it is no part
//! of this model, except in VC45. A member whose encryption key is not registered costs each dealer one of its `f` revealed
//! shares.
//!
//! Rule changes of the list that are not here concern the handover: VC1 to VC8, VC11, VC13, VC34, VC36, VC37, VC39 and VC40. VC15,
//! VC17, VC20, VC29 and VC43 are values of rules: `thresholds = OfOldCommittee`, `qualified = ThresholdDealers`, `ready = All`,
//! `receipt = ShareHash` and `receipt = EpochAttemptDealerRecipient`. VC46, VC47 and VC48 are additions.

pub mod explore;
pub mod fault;
pub mod instance;
pub mod members;
pub mod properties;
pub mod rules;
pub mod scenarios;
mod sentence;
pub mod state;
pub mod steps;
pub mod transcript;

pub use explore::Exploration;
pub use fault::Fault;
pub use instance::Instance;
pub use members::Members;
pub use properties::Property;
pub use rules::KeyRules;
pub use state::{Branch, State};
pub use steps::{Action, Blocked};
