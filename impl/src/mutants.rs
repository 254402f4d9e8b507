//! Deliberate bugs, to see that the tests notice them. Compiled for tests and under the feature `mutants` only, and the
//! feature refuses to build without debug assertions: no release contains them.
//!
//! The numbers are rows of the project's list of rule changes that must be caught; the others are ours.

#[cfg(all(feature = "mutants", not(test), not(debug_assertions)))]
compile_error!("the feature `mutants` is for tests: it does not build without debug assertions");

#[cfg(any(test, feature = "mutants"))]
macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A bug that a miner can be given through [`Config::mutant`](crate::miner::Config::mutant).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Mutant {
            $($(#[$doc])* $name,)*
        }

        impl Mutant {
            /// Every mutant.
            pub const ALL: &[Mutant] = &[$(Mutant::$name),*];
        }
    };
}

#[cfg(any(test, feature = "mutants"))]
mutants! {
    /// A1: the quorum is one lower.
    QuorumOneLower,
    /// A1: the quorum is `f + 1`.
    QuorumOfJoin,
    /// A3: a finality vote is cast although another block of the round was ticketed.
    VoteDespiteOtherTicket,
    /// A4: tickets of a round are still signed after it was left.
    TicketAfterLeaving,
    /// A5: a miner enters the next subround by its own timeout, without a certificate.
    EnterWithoutCertificate,
    /// A2: signatures leave before they are in the log.
    SendBeforeWrite,
    /// A record is written before what it rests upon is stored: a vote without its notarization.
    WriteBeforeStore,
    /// S1: what contradicts the ledger is signed when a step asks for it.
    SignUnasked,
    /// L4: every request for the chain is answered, however many there are.
    AnswerAlways,
    /// A2: a restarted miner forgets what the log says.
    ForgetLog,
    /// 20: the beacon value is adopted from a proposal without verifying it.
    TrustProposedBeacon,
    /// 22: the certificate embedded in a proposal is not verified.
    TrustEmbeddedCertificate,
    /// 23: the labels of the parent's certificate are not compared with the block's.
    IgnoreLabels,
    /// 25: a block that reaches the quorum is not put into the set of notarized blocks.
    ForgetQuorum,
    /// 28: a received certificate is not relayed.
    NoRelay,
    /// 31: a generator produces another block in one subround when it is asked again.
    ProposeTwice,
    /// 32: the parent of a proposal need not be notarized.
    AnyParent,
    /// 35: the twin of an equivocating generator is ticketed too.
    TicketTwin,
    /// S4: the generator's rank is not checked.
    AnyGenerator,
    /// Step 5: a second ticket in one (round, subround) is signed for whatever comes later.
    SecondTicket,
    /// Step 9: a miner goes on ticketing a subround that it has timed out of.
    TicketAfterTimeout,
    /// Step 9: one timeout vote makes others join.
    JoinAtOne,
    /// Step 9: nobody joins a timeout.
    NeverJoin,
    /// Step 8: a notarization of a later round does not move the miner.
    NoJump,
    /// Step 4: the worst rank is selected.
    WorstRank,
    /// Step 10: a finality certificate whose block is missing is relayed each time it is heard.
    RelayFinalityAgain,
    /// A restarted miner does not count what it signed before.
    ForgetOwnSignatures,
    /// Step 9: a timeout certificate of s leads to s + 2.
    SkipSubround,
    /// Step 8: a finality vote is cast for every notarized block of a round.
    VoteTwice,
    /// A timer of a left subround still acts.
    StaleTimer,
    /// Step 2: a proposal extends the block below the entry block.
    WrongParent,
    /// Messages of the next round are thrown away when they come early (18).
    ForgetEarlyMessages,
    /// Step 9: a received or made timeout certificate is not relayed.
    NoTimeoutRelay,
    /// L4: the notarization through which a round is entered is not stored.
    ForgetStoredNotarization,
    /// L4: the timeout certificate through which a subround is entered is not stored.
    ForgetStoredTimeouts,
    /// Step 8: no finality vote is ever cast.
    NeverVote,
    /// Step 9: a subround that is entered counts as given up.
    StayTimedOut,
    /// Step 3: a block is ticketed before the window closes.
    TicketBeforeWindow,
    /// Step 5: when the window closes without a block, a late one is not ticketed.
    NoLateTicket,
    /// Step 10: a finality certificate is made of one vote too few.
    FinalityOneLower,
    /// Step 9: a timeout certificate is made of one vote too few.
    TimeoutsOneLower,
    /// Step 8: the next round is entered in the subround of the block.
    KeepSubround,
    /// L3: nothing is said again.
    NoResend,
    /// Step 6: the own ticket is not counted.
    ForgetOwnTicket,
    /// Step 9: an old timeout certificate leads back.
    GoBack,
    /// Step 6: tickets that came before the round was entered are not counted.
    ForgetEarlyTickets,
    /// Step 1: no beacon share is sent.
    NoShare,
    /// S10: evidence is kept and not relayed.
    KeepEvidence,
    /// Step 10: a received finality certificate is not relayed.
    NoFinalityRelay,
}

/// Whether a configuration carries a mutant; constant `false` in every release.
macro_rules! mutant {
    ($config:expr, $name:ident) => {{
        #[cfg(any(test, feature = "mutants"))]
        let active = $config.mutant == Some($crate::mutants::Mutant::$name);
        #[cfg(not(any(test, feature = "mutants")))]
        let active = {
            let _ = &$config;
            false
        };
        active
    }};
}

pub(crate) use mutant;
