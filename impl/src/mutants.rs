//! Deliberate bugs, to see that the tests notice them. Compiled for tests and under the feature `mutants` only, and the
//! feature refuses to build without debug assertions: no release contains them.
//!
//! A bug reaches the code in two ways. `Config::mutant` gives it to one participant, for as
//! long as it takes a step: everything that it calls has the bug, and what surrounds it (Byzantine members, oracles) has not.
//! A `Scope` gives it to everything that runs on the thread: for code that is used without a participant, such as a file.
//!
//! The numbers are rows of the project's list of rule changes that must be caught; the others are ours.

#[cfg(any(test, feature = "mutants"))]
use std::cell::Cell;

#[cfg(all(feature = "mutants", not(test), not(debug_assertions)))]
compile_error!("the feature `mutants` is for tests: it does not build without debug assertions");

#[cfg(any(test, feature = "mutants"))]
macro_rules! mutants {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// A deliberate bug: see the module doc.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Mutant {
            $($(#[doc = $doc])* $name,)*
        }

        impl Mutant {
            /// Every mutant.
            pub const ALL: &[Mutant] = &[$(Mutant::$name),*];

            /// The bug in words, with its row of the list in front.
            #[must_use]
            pub const fn says(self) -> &'static str {
                match self {
                    $(Mutant::$name => concat!($($doc),*).trim_ascii_start(),)*
                }
            }

            /// Whether the code of this thread has this bug now.
            #[must_use]
            pub fn is_active(self) -> bool {
                ACTIVE.get() == Some(self)
            }
        }
    };
}

#[cfg(any(test, feature = "mutants"))]
thread_local! {
    static ACTIVE: Cell<Option<Mutant>> = Cell::new(of_process());
}

/// A test program is given a bug as a whole by this variable: which of its tests notice it?
#[cfg(any(test, feature = "mutants"))]
pub const VARIABLE: &str = "ZUS_MUTANT";

#[cfg(any(test, feature = "mutants"))]
fn of_process() -> Option<Mutant> {
    let name = std::env::var(VARIABLE).ok()?;
    Mutant::ALL.iter().copied().find(|mutant| format!("{mutant:?}") == name)
}

/// The code of this thread has a bug until this is dropped.
#[cfg(any(test, feature = "mutants"))]
#[derive(Debug)]
pub struct Scope(Option<Mutant>);

#[cfg(any(test, feature = "mutants"))]
impl Scope {
    /// Begins; with `None` what was so before stays so.
    #[must_use = "the bug ends when the scope is dropped"]
    pub fn enter(mutant: Option<Mutant>) -> Self {
        let before = ACTIVE.get();
        ACTIVE.set(mutant.or(before));
        Self(before)
    }
}

#[cfg(any(test, feature = "mutants"))]
impl Drop for Scope {
    fn drop(&mut self) {
        ACTIVE.set(self.0);
    }
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
    /// 2: a notarized block is final at once.
    FinalizeNotarized,
    /// 3: the block of the current round is final (depth 0).
    FinalizeCurrent,
    /// 4: a round is evaluated without the wait of 2Δ.
    NoFinalityWait,
    /// 5: a block is final at depth 1.
    FinalizeDepthOne,
    /// 6: a new final block need not descend from the previous one.
    HeadAnywhere,
    /// 7: finalization skips rounds when a block is missing.
    SkipMissing,
    /// 8: the finalized head moves back when another block of its round is certified.
    HeadMovesBack,
    /// 9: the first-arrived notarized block fixes the seed of the round.
    NeverAdopt,
    /// 12: a timeout is recorded only when it is of the own subround.
    OwnTimeoutsOnly,
    /// 15: subrounds above 1 repeat its generators.
    CapSubrounds,
    /// 18: early beacon shares are dropped when their round is entered.
    DropEarlyShares,
    /// 37: the quorum is ceil(0.66 n).
    QuorumPercent66,
    /// 38: a batch is checked by an unweighted sum.
    UnweightedBatch,
    /// 39: the block id does not commit to the subround.
    IdWithoutSubround,
    /// 39: the block id does not commit to the payload.
    IdWithoutPayload,
    /// 39: the block id does not commit to the parent's certificate.
    IdWithoutCertificate,
    /// 39: the block id does not commit to the finality certificate that the block names.
    IdWithoutFinality,
    /// Step 2: a generator fills its block, however far the block is above the one that it names as final.
    FillsBeyond,
    /// Step 4: a block with a payload is taken, however far it is above the block that it names as final.
    PayloadBeyondTaken,
    /// Step 4: the finality certificate in a block is not verified.
    NamedFinalityUnverified,
    /// Step 4: a block may name a lower final block than its parent does.
    NamedFinalityFalls,
    /// Step 4: a block may name itself, or a later block, as final.
    NamedFinalityOfLater,
    /// L4: who gets no answer for a while begins at the finalized head each time.
    AlwaysFromHead,
    /// L4: who catches up makes nothing final by the certificates that the blocks name.
    NamedFinalityUnused,
    /// A6: a pool counts one signer twice.
    CountTwice,
    /// S8: a bitmap may name members beyond the committee.
    BitmapBeyondCommittee,
    /// S8: a certificate needs one signer less.
    CertificateOneLower,
    /// S8: a signer twice in a list is taken as once.
    DuplicateSigner,
    /// S8: the sum in a certificate is not checked.
    AggregateUnchecked,
    /// S8: a bitmap of a committee of another size is taken.
    OtherCommittee,
    /// Step 6: a pool certifies with one signature less.
    PoolOneLower,
    /// Step 6: whoever is in a batch with a wrong signature is blamed.
    BlameEverybody,
    /// Step 6: what was verified is remembered by signer, without round and block.
    VerifiedByName,
    /// Step 6: a forged signature counts against its alleged signer.
    StrikeTheForged,
    /// Step 6: a contradiction is reported without verifying the first signature.
    ContradictionUnchecked,
    /// Step 1: shares are kept with the own round, whatever they are for.
    ShareOfOtherRound,
    /// Step 1: a key generation asks for f shares.
    BeaconOfFaulty,
    /// A7: the shares that may be revealed are not counted, and the beacon threshold is f + 1.
    ExposedUncounted,
    /// Step 1: a member's share is the value at its position, not one above it.
    ShareAtPosition,
    /// Step 1: the order of generators is that of subround 0.
    RanksIgnoreSubround,
    /// S4: one generator more has its turn.
    OneGeneratorMore,
    /// Step 1: a wrong share is kept and spoils every combination.
    KeepWrongShares,
    /// S1: a flush writes nothing.
    LogForgetsFlush,
    /// S1: of a log only the last record is read.
    LogReadsLastOnly,
    /// S1: of a flush only the first record is written.
    LogWritesFirstOnly,
    /// S1: a torn frame is taken for a good one.
    LogTakesTornTail,
    /// S1: what was read of a log is believed before it is durable.
    LogBelievesUnsynced,
    /// S1: the new name of a log is not made durable.
    LogForgetsFolder,
    /// S1: a log goes on after a write that failed.
    LogGoesOnAfterFailure,
    /// S1: whatever does not check is the end of a log, whatever stands behind it.
    LogDropsAnyTail,
    /// S1: a record of an unknown kind is the end of a log.
    LogDropsUnknown,
    /// S1: where a log has no record, nothing was signed.
    LogTrustsSilence,
    /// S1: a log goes on although another file has its name.
    LogIgnoresReplacement,
    /// S1: the lock of a log may be that of a file that had its name before.
    LogLocksWhatWasMoved,
    /// S1: an imported document raises the floor as far as it likes.
    LogTakesAnyFloor,
    /// S8: a number in an imported document has many forms.
    LogTakesAnyNumber,
    /// S1: a compacted log has lost its records.
    LogCompactsAway,
    /// S1: the log takes what contradicts it.
    LogTakesAll,
    /// A4: a vote does not close its round.
    FloorOneLower,
    /// Step 9: what was timed out may be ticketed, says the log.
    TimeoutEndsNothing,
    /// Step 8: a vote may contradict a ticket of another subround, says the log.
    VoteAgainstOtherSubround,
    /// L5: a sharder forgets a finality certificate whose block is missing.
    SharderForgets,
    /// L5: a sharder stores the last block of a path only.
    SharderSkips,
    /// S8: a sharder believes a certificate of one signer less.
    SharderBelieves,
    /// L4: blocks are asked for from one round too high.
    AskTooHigh,
    /// L4: only one peer is ever asked for a missing block.
    AskOnce,
    /// L4: the certificates of an answer are not checked.
    AnswerUnverified,
    /// L4: the blocks of an answer need not be linked.
    AnswerUnlinked,
    /// L4: an answer begins one block too high.
    AnswerTooHigh,
    /// Wire: a proposal is sent without its timeout certificate.
    WireDropsField,
    /// Wire: any byte but 0 is a flag that is set.
    WireAnyFlag,
    /// Wire: what follows a message is ignored.
    WireTrailing,
    /// Wire: a round that no chain reaches is read.
    WireAnyRound,
    /// Wire: a length may be one above its bound.
    WireOneMore,
    /// S10: tickets of two subrounds convict.
    EvidenceAcrossSubrounds,
    /// S10: the signatures in evidence are not checked.
    EvidenceUnsigned,
    /// S10: two certificates convict the first signer of both only.
    ConvictsFirstOnly,
    /// S10: two finality certificates of one round are not evidence.
    ConflictUnproved,
    /// S10: one offence in two orders is two.
    EvidenceUnordered,
    /// L4: what is read back from the disk is believed.
    ReadBackTrusted,
    /// Step 9: timeout votes of other subrounds count for the own one.
    TimeoutsOfAnySubround,
    /// L1: waits do not grow with the subround.
    NoBackOff,
    /// L3: after one resend the timer is not set again.
    ResendOnce,
    /// DKG: a revealed share is not checked.
    RevealedUnchecked,
    /// DKG: a dealer that reveals too much qualifies.
    RevealsTooMuch,
    /// DKG: a second dealing is ignored.
    SecondDealingIgnored,
    /// DKG: the signatures of a key generation do not name its attempt, and nobody compares it.
    AttemptUnbound,
    /// DKG: the points of a dealing are decoded before its signature is checked.
    PointsBeforeSignature,
    /// DKG: a member is heard however many wrong messages it sent.
    KeyGenerationHearsAll,
    /// Bounds: messages of any round ahead are kept.
    AnyRoundAhead,
    /// Bounds: messages of any subround ahead are kept.
    AnySubroundAhead,
    /// Step 4: a block that the application refused is ticketed.
    TicketRefused,
    /// Step 4: a block may be older than its parent.
    TimeUnchecked,
    /// Step 4: a block may be of any time in the future.
    EarlyUnchecked,
    /// Step 4: a block of another epoch is taken.
    EpochUnchecked,
    /// Step 10: of the ancestors only the block itself is put out.
    AncestorsUntold,
    /// Step 10: a finality certificate acts before its round is left.
    FinalBeforeLeaving,
    /// L4: after a restart the timeout certificate is not looked for.
    RestoreSubroundZero,
    /// S10: what a miner knows of offences is not told to who was away.
    EvidenceUntold,
    /// A message of a stranger is taken.
    StrangerHeard,
    /// S1: a signature leaves with the write before its own.
    ReleaseOneEarly,
    /// Step 4: the new head does not let its children be judged.
    ChildrenOfHeadUnjudged,
    /// Step 10: where finality takes no votes, nothing becomes final.
    FinalityUnevaluated,
    /// Step 3: a proposal that waits for its parent is forgotten.
    ForgetWaiting,
    /// Step 1: the block that a chained beacon signs comes late, and no share is sent.
    NoLateShare,
    /// L4: what is asked for is here, and what is missing is not asked for.
    AskForKnown,
    /// S10: a relayed signature is kept unverified, as if its signer had sent it.
    TrustRelayed,
    /// S10: a finality certificate against a notarized block below the head is not evidence.
    ConflictBelowUnproved,
    /// L4: a sharder asks once whether there is anything new, and never again.
    SharderPollsOnce,
    /// L4: a sharder does not report that it lacks final blocks.
    GapUnreported,
    /// L4: a sharder serves nobody.
    SharderServesNobody,
    /// L5: where finality takes no votes, a sharder stores nothing.
    SharderUnevaluated,
    /// Step 10: a sharder does not wait 2 delta for other notarizations.
    SharderWaitsForNone,
    /// S10: a vote is compared with one ticket of its signer only.
    FirstTicketOnly,
    /// S10: a ticket of a round that was left is thrown away before it is compared.
    LateTicketsDropped,
    /// S10: a vote of a round that was left is not compared with its signer's tickets.
    LateVotesUncompared,
    /// S10: the tickets of a round are forgotten when it is left.
    LeftTicketsForgotten,
    /// S8: the certificate in a proposal is not verified where its block is known to be notarized.
    EmbeddedUncheckedWhenKnown,
    /// S9: of a beacon value in a proposal only the signature is compared.
    BeaconValueUnchecked,
    /// S8: messages are read with bitmaps that have bits beyond the committee.
    WireBitmapBeyond,
    /// DKG: settlements are read with bitmaps that have bits beyond the committee.
    SettlementBitmapBeyond,
    /// Step 6: tickets with signatures of 96 bytes are not counted.
    LongTicketsIgnored,
    /// S1: tickets with signatures of 96 bytes leave before they are in the log.
    LongTicketsUnwritten,
    /// Bounds: rounds that were left are never forgotten.
    RoundsNeverPruned,
    /// L4: once final blocks were dropped, others are served from the wrong place.
    FinalsMisplaced,
    /// S10: more evidence against one miner is kept and relayed, without end.
    EvidenceUnbounded,
    /// S4: under a chained beacon everybody has its turn.
    ChainedEligibility,
    /// Bounds: subrounds are counted by 8 bits.
    SubroundByByte,
    /// Bounds: rounds are compared by 32 bits.
    NearByWord,
    /// Step 8: of the notarized blocks of a round only the first one is known.
    SecondNotarizationForgotten,
    /// S10: evidence is relayed and not kept.
    EvidenceForgotten,
    /// Bounds: a statement is heard from anybody, and its signature checked.
    SenderUnchecked,
    /// Bounds: a peer is heard however many faults it has shown.
    NeverMute,
    /// Bounds: what a member with a fault sent before it was found is summed with the others'.
    SuspectsTrusted,
    /// Bounds: the bytes of answers are not counted.
    AnswerBytesUncounted,
    /// Bounds: beyond the allowance each byte of a request is worth twice as many of answers.
    RequestBytesTwice,
    /// Bounds: a sharder reads more of its storage than an answer holds.
    ReadsBeyondAnswer,
    /// Bounds: wrong beacon shares are looked for one by one.
    WrongSharesOneByOne,
    /// Bounds: a glance takes the subround of a proposal for its generator.
    GlanceMisread,
    /// Bounds: a large message is decoded and hashed before anybody asks whether it is of use.
    NoGlance,
}

/// A release has no bug. A call and not `false`: two bugs in one condition are not the same expression, whatever a linter says.
#[cfg(not(any(test, feature = "mutants")))]
#[inline(always)]
pub(crate) const fn never() -> bool {
    false
}

/// Whether a configuration carries a mutant, or this code has it; constant `false` in every release.
macro_rules! mutant {
    ($name:ident) => {{
        #[cfg(any(test, feature = "mutants"))]
        let active = $crate::mutants::Mutant::$name.is_active();
        #[cfg(not(any(test, feature = "mutants")))]
        let active = $crate::mutants::never();
        active
    }};
    ($config:expr, $name:ident) => {{
        #[cfg(any(test, feature = "mutants"))]
        let active = $config.mutant == Some($crate::mutants::Mutant::$name)
            || $crate::mutants::Mutant::$name.is_active();
        #[cfg(not(any(test, feature = "mutants")))]
        let active = {
            let _ = &$config;
            $crate::mutants::never()
        };
        active
    }};
}

/// For the rest of the scope, gives called functions the bug of the configuration; does nothing in every release.
macro_rules! infect {
    ($config:expr) => {
        #[cfg(any(test, feature = "mutants"))]
        let _scope = $crate::mutants::Scope::enter($config.mutant);
    };
}

pub(crate) use {infect, mutant};
