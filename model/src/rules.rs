//! One enum per open question of the protocol (PROTOCOL.md, section 3), and the three profiles.
//!
//! A new value is one variant here plus its arms in the actions that it concerns. Values marked *mutant* are wrong on
//! purpose: they are the rule changes of `PROTOCOL.md`, section 7, and a scenario that uses one is expected to be violated.

use serde::{Deserialize, Serialize};

/// What the beacon signs (step 1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum BeaconRule {
    /// Round, subround and the seed of the notarized block that the miner adopted.
    Chained,
    /// Epoch and round; the order of a subround is a hash of that value and the subround.
    RoundOnly,
    /// *Mutant 18.* As `RoundOnly`, but shares that arrive before their round is entered are dropped.
    EarlySharesDropped,
    /// *Mutant 20.* As `RoundOnly`, but a seed claimed by an unverified proposal is believed.
    SeedFromProposal,
}

/// How many tickets a miner signs in one (round, subround) (step 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum TicketRule {
    /// At most one.
    OncePerSubround,
    /// One more for a strictly better block until a notarization is known.
    BetterRank,
    /// One more for a block at least as good (deployed: the equivocator's twin is signed too; mutant 35).
    BetterOrEqualRank,
}

/// What lets a miner enter the next subround (step 9).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SubroundEntryRule {
    /// Its own timeout.
    Local,
    /// A certificate of q timeout votes, joined at f + 1.
    Certificate,
    /// *Mutant 12.* A certificate, but timeouts of any other subround than the own one are not recorded.
    OwnSubroundOnly,
    /// *Mutant A5.* Without a certificate, and the own timeout vote is forgotten.
    WithoutCertificate,
}

/// What a notarized block of another subround does to a miner (step 8).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SubroundSwitchRule {
    /// The first notarized block that arrived fixes subround and seed (deployed; mutant 9).
    FirstArrival,
    /// The miner changes its subround, and with it the seed of the next round, to match.
    Adopt,
}

/// When a block is final (step 10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum FinalityRule {
    /// As soon as it is notarized, with all its ancestors (mutant 2).
    TwoThirds,
    /// When the locally known notarized tips meet in it, `depth` rounds below them; no wait (mutants 3 and 5: 0 and 1).
    CommonAncestor {
        /// Rounds between the tips and the block.
        depth: u8,
    },
    /// When the notarized blocks of a round that are known after a wait of 2Δ meet in it.
    TwoDelta,
    /// *Mutant 4.* `TwoDelta` without the wait.
    TwoDeltaWithoutWait,
    /// When q miners cast a finality vote for it; a miner votes if it ticketed nothing else in the round.
    Votes,
    /// *Mutant A3.* `Votes`, but cast although another block was ticketed in the round.
    VotesAfterOtherTicket,
    /// *Mutant A4.* `Votes`, but the voter goes on ticketing blocks of the round.
    VotesWithoutLeaving,
}

/// How many tickets make a notarization (step 6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum QuorumRule {
    /// `n - f`.
    ByzantineMajority,
    /// `ceil(0.66 n)` (deployed; mutant 37).
    Percent66,
    /// *Mutant A1.* `n - f - 1`.
    OneLess,
    /// *Mutant A1.* `f + 1`.
    FaultsPlusOne,
}

/// How many shares make a beacon value (step 1), unless a scenario names the number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ThresholdRule {
    /// `n - f`.
    #[default]
    Quorum,
    /// *Mutant A7.* `f + 1`.
    FaultsPlusOne,
}

impl ThresholdRule {
    /// Whether it is the rule of every profile.
    fn is_default(&self) -> bool {
        *self == ThresholdRule::default()
    }
}

/// Whether signatures are on disk before they leave (step 5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum TicketLogRule {
    /// Written and flushed first.
    Durable,
    /// Kept in memory only: a restart forgets them (mutant A2).
    Volatile,
    /// *Design finding.* Tickets, timeouts and votes are durable, the own proposal is not.
    ProposalsVolatile,
    /// *Mutant.* Tickets and timeouts are durable, finality votes are not.
    VotesVolatile,
}

/// Whether a received certificate is relayed (step 7).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum EchoRule {
    /// Every certificate that makes a miner move is relayed once.
    Certificates,
    /// *Mutant 28.* Timeout certificates are relayed, notarizations are not.
    TimeoutCertificates,
    /// Nothing is relayed (deployed).
    None,
}

/// What a proposal must show before it is ticketed (step 4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ParentRule {
    /// A parent notarized in exactly the round before.
    #[default]
    Notarized,
    /// The same, and its chain extends the finalized heads: observers' heads, which in a synchronous network every
    /// miner knows. (Without observers nobody is bound: a miner may always not know of a final block yet.)
    OnFinalizedHead,
    /// *Mutant 32.* Any block of the round before.
    Unchecked,
}

/// How a generator behaves that is honest but for this rule (step 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ProposalRule {
    /// One block in one (round, subround).
    #[default]
    Once,
    /// *Mutant 31.* A second block in the same subround.
    Twice,
}

/// Which tickets a notarization counts (steps 6 and 7).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum CountingRule {
    /// Verified tickets of distinct members for exactly this (round, subround, block).
    #[default]
    Genuine,
    /// *Mutant 22.* Tickets embedded in a proposal are counted unverified.
    EmbeddedUnverified,
    /// *Mutant 23.* The round label is not compared with the block's round.
    LabelUnchecked,
    /// *Mutant 25.* A block that reached the quorum is not put into the notarized set.
    NotRecorded,
    /// *Mutant 38.* Tickets are checked by an unweighted sum: two forged ones that cancel are counted.
    UnweightedSum,
    /// *Mutant 39.* The block id does not commit to the subround: tickets of another subround count.
    SubroundUnbound,
    /// *Mutant A6.* One signer is counted twice.
    DuplicateSigner,
}

/// What an observer does with a newly final block (step 10).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum HeadRule {
    /// The head moves only to descendants, and all ancestors are final with it.
    #[default]
    Descends,
    /// *Mutant 6.* The new head need not descend from the old one.
    Anywhere,
    /// *Mutant 7.* Rounds whose block is missing are skipped.
    SkipsMissing,
    /// *Mutant 8.* The head may move back to a common ancestor.
    MovesBack,
}

/// How far subrounds count (step 9).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SubroundCapRule {
    /// Every subround has generators of its own.
    #[default]
    Unbounded,
    /// Later subrounds repeat the generators of subround 1 (deployed; mutant 15).
    CappedAtOne,
}

/// A choice for every open question.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Step 1.
    pub beacon: BeaconRule,
    /// Step 1; a profile has no choice here. Where a number of shares is named, that one counts.
    #[serde(default, skip_serializing_if = "ThresholdRule::is_default")]
    pub threshold: ThresholdRule,
    /// Step 5.
    pub ticket: TicketRule,
    /// Step 9.
    pub subround_entry: SubroundEntryRule,
    /// Step 8.
    pub subround_switch: SubroundSwitchRule,
    /// Step 10.
    pub finality: FinalityRule,
    /// Step 6.
    pub quorum: QuorumRule,
    /// Step 5.
    pub ticket_log: TicketLogRule,
    /// Step 7.
    pub echo: EchoRule,
    /// Step 4; a profile has no choice here.
    #[serde(default)]
    pub parent: ParentRule,
    /// Step 2; a profile has no choice here.
    #[serde(default)]
    pub proposal: ProposalRule,
    /// Step 6; a profile has no choice here.
    #[serde(default)]
    pub counting: CountingRule,
    /// Step 10; a profile has no choice here.
    #[serde(default)]
    pub head: HeadRule,
    /// Step 9; part of the deployed profile.
    #[serde(default)]
    pub subround_cap: SubroundCapRule,
}

impl Rules {
    /// The public page, taken literally.
    pub const DOCUMENTED: Rules = Rules {
        beacon: BeaconRule::Chained,
        threshold: ThresholdRule::Quorum,
        ticket: TicketRule::OncePerSubround,
        subround_entry: SubroundEntryRule::Local,
        subround_switch: SubroundSwitchRule::Adopt,
        finality: FinalityRule::TwoThirds,
        quorum: QuorumRule::ByzantineMajority,
        ticket_log: TicketLogRule::Volatile,
        echo: EchoRule::None,
        parent: ParentRule::Notarized,
        proposal: ProposalRule::Once,
        counting: CountingRule::Genuine,
        head: HeadRule::Descends,
        subround_cap: SubroundCapRule::Unbounded,
    };

    /// The Go node as deployed.
    pub const DEPLOYED: Rules = Rules {
        ticket: TicketRule::BetterOrEqualRank,
        subround_switch: SubroundSwitchRule::FirstArrival,
        finality: FinalityRule::CommonAncestor { depth: 3 },
        quorum: QuorumRule::Percent66,
        subround_cap: SubroundCapRule::CappedAtOne,
        ..Rules::DOCUMENTED
    };

    /// What this project recommends and proves.
    pub const HARDENED: Rules = Rules {
        beacon: BeaconRule::RoundOnly,
        ticket: TicketRule::OncePerSubround,
        subround_entry: SubroundEntryRule::Certificate,
        subround_switch: SubroundSwitchRule::Adopt,
        finality: FinalityRule::Votes,
        quorum: QuorumRule::ByzantineMajority,
        ticket_log: TicketLogRule::Durable,
        echo: EchoRule::Certificates,
        ..Rules::DOCUMENTED
    };

    /// The profile of that name, if there is one.
    pub fn profile(name: &str) -> Option<Rules> {
        match name {
            "documented" => Some(Rules::DOCUMENTED),
            "deployed" => Some(Rules::DEPLOYED),
            "hardened" => Some(Rules::HARDENED),
            _ => None,
        }
    }

    /// Whether the beacon message, and so the order of generators, depends on the notarized block that was adopted.
    pub fn chained(&self) -> bool {
        self.beacon == BeaconRule::Chained
    }

    /// Whether miners cast finality votes.
    pub fn votes(&self) -> bool {
        // No `matches!`: a new rule must say on which side it is.
        match self.finality {
            FinalityRule::Votes | FinalityRule::VotesAfterOtherTicket | FinalityRule::VotesWithoutLeaving => {
                true
            }
            FinalityRule::TwoThirds
            | FinalityRule::CommonAncestor { .. }
            | FinalityRule::TwoDelta
            | FinalityRule::TwoDeltaWithoutWait => false,
        }
    }
}
