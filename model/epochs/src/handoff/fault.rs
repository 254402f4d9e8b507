//! Rule changes that exist only to be caught (PROTOCOL.md, section 8): mistakes, not choices. An instance has at most one.

use serde::{Deserialize, Serialize};

/// One mistake. The id is its row in PROTOCOL.md, section 8.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum EpochFault {
    /// *VC3.* The committee that judges a handoff is taken from the message: the digest of the record before is not compared
    /// with the record that the node knows.
    RecordBeforeUnchecked,
    /// *VC6.* A member without the new record signs in rounds above the closing block as if its committee went on, and judges
    /// them by it.
    OldCommitteeInNewRounds,
    /// *VC13.* The record is made from state that a node has for itself, not from the chain.
    RecordOfNode,
    /// *VC34.* A node that joins takes a notarized closing block for a final one.
    JoinerTakesNotarized,
    /// *VC36.* A timeout certificate of an older epoch moves a member to the next subround of its round. It shows only where subrounds
    /// are entered by certificates ([`Subrounds::ByCertificate`](super::instance::Subrounds)).
    OlderEpochIsHeard,
    /// *VC37.* Finality votes of e are counted with the quorum of e+1.
    VotesWithNextQuorum,
    /// *VC39.* Leavers alone answer with the handoff certificate.
    OnlyLeaversServe,
    /// *VC49.* A node that has stored a handoff takes another one of the same epoch in its place.
    HandoffReplaced,
    /// *VC50.* A node with a checkpoint takes any handoff that it can check, like a node without one.
    CheckpointIgnored,
}

impl EpochFault {
    /// All of them.
    pub const ALL: [EpochFault; 9] = [
        EpochFault::RecordBeforeUnchecked,
        EpochFault::OldCommitteeInNewRounds,
        EpochFault::RecordOfNode,
        EpochFault::JoinerTakesNotarized,
        EpochFault::OlderEpochIsHeard,
        EpochFault::VotesWithNextQuorum,
        EpochFault::OnlyLeaversServe,
        EpochFault::HandoffReplaced,
        EpochFault::CheckpointIgnored,
    ];
}
