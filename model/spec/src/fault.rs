//! Rule changes that exist only to be caught (PROTOCOL.md, section 7): mistakes, not choices.
//!
//! A scenario or a trace has at most one of them, in its key `fault`. Production never sees them.

use serde::{Deserialize, Serialize};

/// One mistake. The number is its row in PROTOCOL.md, section 7.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Fault {
    /// *18, step 1.* Beacon shares that arrive before their round is entered are dropped.
    EarlySharesDropped,
    /// *20, step 1.* A seed claimed by an unverified proposal is believed.
    SeedFromProposal,
    /// *A7, step 1.* `f + 1` shares make a beacon value.
    BeaconOfFaultsPlusOne,
    /// *31, step 2.* An honest generator makes a second block in a subround.
    ProposesTwice,
    /// *32, step 4.* Any block of the round before will do as a parent.
    ParentUnchecked,
    /// *D1, step 5.* Tickets, timeouts and votes are durable, the own proposal is not.
    ProposalsVolatile,
    /// *D2, step 5.* Tickets and timeouts are durable, finality votes are not.
    VotesVolatile,
    /// *A1, step 6.* The quorum is `n - f - 1`.
    QuorumOneLess,
    /// *A1b, step 6.* The quorum is `f + 1`.
    QuorumOfFaultsPlusOne,
    /// *22, step 6.* Tickets embedded in a proposal are counted unverified.
    EmbeddedUnverified,
    /// *23, step 6.* The round label of a notarization is not compared with its block's round.
    LabelUnchecked,
    /// *25, step 6.* A block that reached the quorum is not put into the notarized set.
    NotRecorded,
    /// *38, step 6.* Tickets are checked by an unweighted sum: two forged ones that cancel are counted.
    UnweightedSum,
    /// *39, step 6.* The block id does not commit to the subround: tickets of another subround count.
    SubroundUnbound,
    /// *A6, step 6.* One signer is counted twice.
    DuplicateSigner,
    /// *28, step 7.* Timeout certificates are relayed, notarizations are not.
    NotarizationsNotRelayed,
    /// *A3, step 8.* A finality vote is cast although another block was ticketed in the round.
    VotesAfterOtherTicket,
    /// *A4, step 8.* The voter goes on ticketing blocks of the round.
    VotesWithoutLeaving,
    /// *12, step 9.* Timeouts of any other subround than the own one are not recorded.
    OwnSubroundOnly,
    /// *A5, step 9.* A subround is entered without a certificate, and the own timeout vote is forgotten.
    WithoutCertificate,
    /// *4, step 10.* `TwoDelta` without the wait.
    TwoDeltaWithoutWait,
    /// *6, step 10.* A new head need not descend from the old one.
    HeadAnywhere,
    /// *7, step 10.* Rounds whose block is missing are skipped.
    HeadSkipsMissing,
    /// *8, step 10.* The head may move back to a common ancestor.
    HeadMovesBack,
}

impl Fault {
    /// All of them, in the order of the steps.
    pub const ALL: [Fault; 24] = [
        Fault::EarlySharesDropped,
        Fault::SeedFromProposal,
        Fault::BeaconOfFaultsPlusOne,
        Fault::ProposesTwice,
        Fault::ParentUnchecked,
        Fault::ProposalsVolatile,
        Fault::VotesVolatile,
        Fault::QuorumOneLess,
        Fault::QuorumOfFaultsPlusOne,
        Fault::EmbeddedUnverified,
        Fault::LabelUnchecked,
        Fault::NotRecorded,
        Fault::UnweightedSum,
        Fault::SubroundUnbound,
        Fault::DuplicateSigner,
        Fault::NotarizationsNotRelayed,
        Fault::VotesAfterOtherTicket,
        Fault::VotesWithoutLeaving,
        Fault::OwnSubroundOnly,
        Fault::WithoutCertificate,
        Fault::TwoDeltaWithoutWait,
        Fault::HeadAnywhere,
        Fault::HeadSkipsMissing,
        Fault::HeadMovesBack,
    ];
}
