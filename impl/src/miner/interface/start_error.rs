//! Why a miner or a sharder is not started.

use std::time::Duration;

use thiserror::Error;

use crate::committee::{Epoch, Round};
use crate::limits::WORK_PER_SECOND;

/// Why a miner or sharder cannot be started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The scheme holds no key of a committee member.
    #[error("the signature scheme is an observer's: it cannot sign for a miner")]
    NotAMember,
    /// The rule `parent` is [`OnFinalizedHead`](crate::rules::ParentRule::OnFinalizedHead).
    #[error(
        "the rule parent = OnFinalizedHead is one of the model: miners do not know the heads of sharders"
    )]
    ParentRule,
    /// Nothing shows to the next committee that a closing block is final.
    #[error(
        "epochs hand over by a finality certificate, and finality takes no votes under these rules; set finality = Votes, or \
             config.hands_over to false"
    )]
    HandoverWithoutVotes,
    /// With this number the protocol would stand still, and say nothing.
    #[error("{field} is {value}; set it to a number from {least} to {most}")]
    Setting {
        /// The field of [`Config`](super::Config).
        field: &'static str,
        /// Its value.
        value: u64,
        /// The least that is taken.
        least: u64,
        /// The most.
        most: u64,
    },
    /// With this waiting time the protocol would stand still and say nothing, or a call of the node would have no end.
    #[error("{field} is {value:?}; set it to a time from {least:?} to {most:?}")]
    Wait {
        /// The field of [`Timing`](super::Timing).
        field: &'static str,
        /// Its value.
        value: Duration,
        /// The least that is taken.
        least: Duration,
        /// The most.
        most: Duration,
    },
    /// The time is not 0, and its whole milliseconds are 0.
    #[error("{field} is {value:?}, and only whole milliseconds count; set it to 0, or to 1ms or more")]
    WaitOfNothing {
        /// The field of [`Timing`](super::Timing).
        field: &'static str,
        /// Its value.
        value: Duration,
    },
    /// [`Config::genesis`](super::Config::genesis) is not the first block of the committee's chain and epoch: the other members would refuse all that follows.
    #[error(
        "config.genesis is a block of round {round}, epoch {} and {} chain; it must be the genesis block of epoch {} of the \
         committee's chain, as Config::new makes it",
        epoch.0,
        if *same_chain { "the committee's" } else { "another" },
        configured.0
    )]
    OtherGenesis {
        /// Whether it is of the committee's chain.
        same_chain: bool,
        /// Its epoch.
        epoch: Epoch,
        /// Its round.
        round: Round,
        /// The epoch of the committee.
        configured: Epoch,
    },
    /// A miner could jump over a round while others wait in it, and then no votes may make a block of it final.
    #[error(
        "{field} is {value:?}, and messages take up to timing.delta = {delta:?}: a miner could ticket in a round before all have \
         heard how the round before ended, and finality would not be sure; set {field} to {least:?} or more, or timing.delta to the \
         bound that the network keeps"
    )]
    WaitTooShort {
        /// The field of [`Timing`](super::Timing).
        field: &'static str,
        /// Its value.
        value: Duration,
        /// So many times Δ as [`synchrony`](crate::synchrony) says of the field.
        least: Duration,
        /// [`Timing::delta`](super::Timing::delta).
        delta: Duration,
    },
    /// Repetitions would cost more than peers grant a miner: they would mute it.
    #[error(
        "timing.resend is {resend:?}: a repetition costs each peer up to {work} us of the {WORK_PER_SECOND} us a second that it \
         grants; set timing.resend to {least:?} or more"
    )]
    ResendTooShort {
        /// [`Timing::resend`](super::Timing::resend).
        resend: Duration,
        /// [`Config::least_resend`](super::Config::least_resend).
        least: Duration,
        /// [`Config::resend_work`](super::Config::resend_work), in microseconds.
        work: u64,
    },
    /// Something on the disk is not what was stored.
    #[error(transparent)]
    Damaged(#[from] crate::chain::Damaged),
    /// The scheme and the configuration are of different committees.
    #[error("the signature scheme is of a committee of {scheme}, the configuration of {configured} miners")]
    OtherCommittee {
        /// Members according to the scheme.
        scheme: usize,
        /// Members according to the configuration.
        configured: usize,
    },
}
