//! One enum per open question of the protocol (PROTOCOL.md, section 3), and the three profiles.

/// What the beacon signs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BeaconRule {
    /// Round, subround and the seed of the notarized block that this miner adopted.
    Chained,
    /// Epoch and round; the order of a subround is a hash of that value and the subround.
    RoundOnly,
}

/// How many tickets a miner signs in one (round, subround).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TicketRule {
    /// At most one.
    OncePerSubround,
    /// One more for a strictly better block until a notarization is known.
    BetterRank,
    /// One more for a block at least as good: the twin of an equivocating generator is signed too.
    BetterOrEqualRank,
}

/// What lets a miner enter the next subround.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SubroundEntryRule {
    /// Its own timeout.
    Local,
    /// A timeout certificate: q timeout votes, joined at f + 1.
    Certificate,
}

/// What a notarized block of another subround does to a miner.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SubroundSwitchRule {
    /// The first notarized block that arrived fixes the round's subround and seed.
    FirstArrival,
    /// The miner changes its subround and seed to match.
    Adopt,
}

/// When a block is final.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FinalityRule {
    /// As soon as it is notarized.
    TwoThirds,
    /// When all locally known notarized tips meet in it, `depth` rounds deep, without a wait.
    CommonAncestor {
        /// How many rounds below the tips, in rounds.
        depth: u8,
    },
    /// When the notarized blocks known after a wait of 2Δ meet in it.
    TwoDelta,
    /// When q miners cast a finality vote for it.
    Votes,
}

/// How many tickets make a notarization.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum QuorumRule {
    /// `n - f`, with `f = floor((n - 1) / 3)`.
    ByzantineMajority,
    /// `ceil(0.66 n)`.
    Percent66,
}

/// Whether signatures are on disk before they leave.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TicketLogRule {
    /// Written and flushed before the signature leaves.
    Durable,
    /// Kept in memory only.
    Volatile,
}

/// Whether a received certificate is relayed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EchoRule {
    /// Every certificate that makes a miner move is relayed once.
    Certificates,
    /// Nothing is relayed.
    None,
}

/// Whether late subrounds have generators of their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SubroundCapRule {
    /// Every subround has its own order of generators.
    Unbounded,
    /// Subrounds above 1 repeat the generators of subround 1, as in the deployed node.
    CappedAtOne,
}

/// A choice for every open question.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rules {
    /// What the beacon signs.
    pub beacon: BeaconRule,
    /// How many tickets a miner signs in one (round, subround).
    pub ticket: TicketRule,
    /// What lets a miner enter the next subround.
    pub subround_entry: SubroundEntryRule,
    /// What a notarized block of another subround does.
    pub subround_switch: SubroundSwitchRule,
    /// When a block is final.
    pub finality: FinalityRule,
    /// How many tickets make a notarization.
    pub quorum: QuorumRule,
    /// Whether signatures are on disk before they leave.
    pub ticket_log: TicketLogRule,
    /// Whether certificates are relayed.
    pub echo: EchoRule,
    /// Whether late subrounds have generators of their own.
    pub subround_cap: SubroundCapRule,
}

impl Rules {
    /// The public page, taken literally.
    pub const DOCUMENTED: Rules = Rules {
        beacon: BeaconRule::Chained,
        ticket: TicketRule::OncePerSubround,
        subround_entry: SubroundEntryRule::Local,
        subround_switch: SubroundSwitchRule::Adopt,
        finality: FinalityRule::TwoThirds,
        quorum: QuorumRule::ByzantineMajority,
        ticket_log: TicketLogRule::Volatile,
        echo: EchoRule::None,
        subround_cap: SubroundCapRule::Unbounded,
    };

    /// The deployed Go node.
    pub const DEPLOYED: Rules = Rules {
        beacon: BeaconRule::Chained,
        ticket: TicketRule::BetterOrEqualRank,
        subround_entry: SubroundEntryRule::Local,
        subround_switch: SubroundSwitchRule::FirstArrival,
        finality: FinalityRule::CommonAncestor { depth: 3 },
        quorum: QuorumRule::Percent66,
        ticket_log: TicketLogRule::Volatile,
        echo: EchoRule::None,
        subround_cap: SubroundCapRule::CappedAtOne,
    };

    /// This project's default: all eight steps of the page, with every open question closed.
    pub const HARDENED: Rules = Rules {
        beacon: BeaconRule::RoundOnly,
        ticket: TicketRule::OncePerSubround,
        subround_entry: SubroundEntryRule::Certificate,
        subround_switch: SubroundSwitchRule::Adopt,
        finality: FinalityRule::Votes,
        quorum: QuorumRule::ByzantineMajority,
        ticket_log: TicketLogRule::Durable,
        echo: EchoRule::Certificates,
        subround_cap: SubroundCapRule::Unbounded,
    };
}
