//! The items that a miner keeps on its disk, and the names of writes.

use std::hash::Hash;
use std::sync::Arc;

use crate::block::{Block, Time};
use crate::certified::{FinalityCertificate, Notarization, TimeoutCertificate};
use crate::chain::FinalBlock;
use crate::committee::Round;
use crate::ticket_log::SignedRecords;

/// The name of a durable write; later writes of one miner have larger ones.
///
/// It carries the time of the miner's [`Input::Start`](crate::miner::Input::Start), so that what was written for an earlier start
/// confirms nothing for this one: of two starts with one disk the second has to be given a later time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WriteId {
    /// When the miner that asks for the write was started.
    pub started: Time,
    /// Its number, from 0, among all writes that this miner asks for.
    pub number: u64,
}

/// The items that a restarted miner needs to go on where it was, beside its ticket log. Each is kept until it is below
/// the finalized head.
///
/// Losing it never costs safety, but it can cost progress (L1). A miner whose log holds a finality vote signs neither ticket
/// nor timeout in that round any more; without the notarization that it voted for it cannot show the others the way out. If
/// nobody else has that notarization, one such miner beside `f` faulty ones leaves fewer than a quorum, for ever. So the
/// miner asks for a record only when everything that it stored before is confirmed by
/// [`Input::Stored`](crate::miner::Input::Stored): whatever a crash loses, no record has lost what it rests upon.
///
/// Of finality certificates the newest is enough. It is there to convince others; a miner without it knows what is final
/// from [`Recovery::finals`] all the same, and gets the certificate of a later block.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Stored {
    /// A block that this miner proposed, ticketed or caught up with, or one so far below the own round that the miner keeps its header
    /// only.
    Block(Arc<Block>),
    /// The notarization through which it entered a round.
    Notarization(Arc<Notarization>),
    /// The timeout certificate through which it entered a subround; of one round the last is enough.
    TimeoutCertificate(Arc<TimeoutCertificate>),
    /// The certificate of a block that it finalized.
    FinalityCertificate(Arc<FinalityCertificate>),
}

impl Stored {
    /// Whether a restart may still need this once the block of round `head` is final and kept; if not, the host may drop
    /// it.
    #[must_use]
    pub fn is_needed_beyond(&self, head: Round) -> bool {
        match self {
            Stored::Block(block) => block.round() > head,
            Stored::Notarization(certificate) => certificate.round > head,
            Stored::TimeoutCertificate(certificate) => certificate.round > head,
            // That of the head, and one whose block is not final here yet.
            Stored::FinalityCertificate(certificate) => certificate.round >= head,
        }
    }
}

/// The content of a miner's disk. The default is an empty disk, which the `with_` methods fill; later versions may have more on it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Recovery {
    /// The last blocks that the application has committed, consecutive, lowest first; empty: genesis. One is enough for
    /// this miner to go on; [`KEPT_FINAL_BLOCKS`](crate::limits::KEPT_FINAL_BLOCKS) let it help others who are behind.
    /// The last one comes with a certificate: beside it, or among what was stored
    /// ([`Damage::Uncertified`](crate::chain::Damage::Uncertified)).
    pub finals: Vec<FinalBlock>,
    /// The signed statements according to the ticket log. Under the rule `Volatile` there are none.
    pub signed: SignedRecords,
    /// The items of [`Output::Store`](crate::miner::Output::Store), in that order; items at or below the head may be left out.
    pub stored: Vec<Stored>,
}

impl Recovery {
    /// With these [`finals`](Recovery::finals).
    #[must_use]
    pub fn with_finals(self, finals: impl Into<Vec<FinalBlock>>) -> Self {
        Self { finals: finals.into(), ..self }
    }

    /// With what was [`signed`](Recovery::signed), from a ticket log.
    #[must_use]
    pub fn with_signed(self, signed: SignedRecords) -> Self {
        Self { signed, ..self }
    }

    /// With what was [`stored`](Recovery::stored).
    #[must_use]
    pub fn with_stored(self, stored: impl Into<Vec<Stored>>) -> Self {
        Self { stored: stored.into(), ..self }
    }
}
