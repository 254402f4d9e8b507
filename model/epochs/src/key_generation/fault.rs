//! Rule changes that exist only to be caught: mistakes, not choices.

use serde::{Deserialize, Serialize};

/// Declares the faults with their ids.
macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident = $id:literal;)*) => {
        /// One mistake. [`Fault::id`] is its row in the list of rule changes.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum Fault { $($(#[$doc])* $fault,)* }

        impl Fault {
            /// All of them, in the order of their ids.
            pub const ALL: &[Fault] = &[$(Fault::$fault),*];

            /// Its row in the list of rule changes.
            pub const fn id(self) -> &'static str {
                match self { $(Fault::$fault => $id,)* }
            }
        }
    };
}

faults! {
    /// Each member takes the thresholds from the number of members that it believes online.
    ThresholdsOfOnline = "VC14";
    /// A revealed share that does not fit is skipped: its dealer qualifies, and members say that they are ready.
    WrongShareSkipped = "VC18";
    /// A member erases its secrets when a block that is not final ends the attempt.
    ErasedBeforeFinal = "VC21";
    /// The key share and its mark "usable" are two writes; after a crash between them the key share is refused.
    UsableMarkedLater = "VC22";
    /// The chain may go from dealings to ready statements without settlements.
    PhaseSkipped = "VC26";
    /// A dealer that lacks one receipt does not settle.
    RefusalStops = "VC27";
    /// A receipt is a signature over a constant: each member has signed one in an earlier epoch.
    ReceiptOverConstant = "VC28";
    /// A failed attempt leaves its boundary behind: no block of a later round is valid.
    BoundaryRemains = "VC32";
    /// The settlement that a dealer signed is not durable: after a restart the dealer settles again.
    SettlesAfterRestart = "VC42a";
    /// A dealer settles once on each chain on which it acts.
    SettlesOnEachChain = "VC42b";
    /// A ready statement counts for every record.
    ReadyForAnything = "VC44";
    /// The members of an attempt are those whose registrations were on the chain in time.
    MembersInTime = "VC45";
    /// `t = f + 1`: revealed shares and those of the adversary reach it.
    ThresholdOfFaultsPlusOne = "VC46";
    /// The dealing leaves before its seed is durable: after a restart the dealer makes another dealing.
    SeedVolatile = "VC47";
    /// A dealer reveals as many shares as receipts are missing.
    RevealsAny = "VC48";
}
