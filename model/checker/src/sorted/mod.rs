//! Sorted runs: the search explores one order of steps instead of all of them, where that is exact.
//!
//! Each step has a *layer* (`layer.rs`). The layers of a run are in this order:
//!
//! 1. (r, s), tickets: entering subround s of round r, ticketing there (proposals and beacon shares come with their
//!    cause under `eager`);
//! 2. (r, s), timeouts: timing out of it;
//! 3. the same of (r, s + 1), and so on;
//! 4. (r, votes): leaving round r with a vote, entering round r + 1; forming the beacon value of r + 1;
//! 5. (r + 1, 0), tickets, and so on; after all rounds, what observers do.
//!
//! A run is *sorted* if no step lies in a lower layer than the step before it. [`Protocol::unsorted`] says where sorted
//! runs are enough, and why they are not elsewhere.
//!
//! # Why it is exact
//!
//! All lemmas are **tested, not proved**: `tests/sorted` compares the search with the explicit specification
//! (`model/spec`) and with the search without it, over small instances of every value of a rule; and drops each
//! precondition of Lemmas 1 and 4, and sees that states are then missing. Two are there out of caution, and none was seen to be
//! missing: a network that is synchronous from the start, and `EarlySharesDropped`.
//!
//! **Lemma 1 (swap).** Let step a be followed by step b of a lower layer. Then b may happen before a, a may happen after
//! it, and the state after both is the same.
//! - *The two are of different miners, and a is no cause of b.* A guard of b reads what b's miner did, and messages. The
//!   causes of a ticket of (r, s) are: a notarized parent, made of tickets of r - 1; beacon shares, sent on entering r or
//!   (`Chained`) a subround up to s; a generator that was in (r, s); a twin in (r, s). Those of entering (r, s) are the
//!   timeouts of (r, s - 1); those of a timeout are none; those of leaving r are tickets of r. All these lie in lower
//!   layers than b or in its own, and a lies in a higher one.
//! - *b takes nothing from a.* The network is monotone: b adds to sets and tallies, and guards ask whether these are large
//!   enough. Three guards are not of this kind. A block that exists cannot be proposed again, with another parent or
//!   not: both proposals are in the layer of the block. A beacon value is formed early if no honest share is there yet:
//!   shares of a round and its value are in one layer. Steps of one layer keep their order. A head forbids parents
//!   (`OnFinalizedHead`): heads move in the last layer, and one that has not moved forbids nothing.
//! - *The two are of one miner.* Then b is not of a lower layer: what a miner does goes up. It leaves subrounds and rounds
//!   behind, and signs no ticket in a subround that it timed out of. If it adopts another seed (`Chained`) after its timeout,
//!   it may as well do so before. Where miners crash, two things would go down again: a ticket that was logged, and is
//!   sent after the timeout; and a miner that crashes and forgets its timeout. There timeouts are in the layer of
//!   tickets (`timeouts_have_a_layer`).
//!
//! **Lemma 2 (sort).** Every run can be sorted, and then ends in the same state: swap neighbours, as often as Lemma 1 lets.
//! The sorted run has the same steps, so it is no longer than the run was, and a shortest one remains a shortest one.
//!
//! **Lemma 3 (timeouts).** In a sorted run all timeouts of a subround come before anybody leaves the round. So a timeout
//! that no certificate uses is left out, and `TimeoutThenLeave` is not needed; and a certificate ends the layer, because
//! those who made it, and the others, may do the same from then on.
//!
//! **Lemma 4 (floor).** After a step of layer L, the *floor*, only steps from L on follow. So what guards of lower layers
//! read can be forgotten (`forget.rs`): in which lower round or subround a miner was left behind; tickets for a block
//! that was not notarized in time; old presence and timeouts. This is where states become fewer: Lemma 2
//! alone leaves all states reachable.
//!
//! **Lemma 5 (facts).** A fact of a state speaks of one layer, or stays true once it is. If it speaks of a layer below the
//! floor, the part of the sorted run up to that layer ends in a state that shows it; so nothing is missed when it is no
//! longer judged (`is_current`, `is_past`, `shows_now`), and it must not be judged of
//! what is forgotten. W9 is neither: it says that votes of a round will never be cast, and becomes true when a miner jumps
//! over the round, later. For it a miner that was left behind keeps its round and tickets, until that is decided.
//!
//! **Lemma 6 (specification).** A sorted run is a run: `zus replay` accepts it without knowing of layers.

mod forget;
mod layer;

pub use layer::Floor;

use crate::{
    fault::Fault,
    protocol::{Network, Protocol},
};

impl Protocol {
    /// Whether the search explores only sorted runs.
    pub fn sorts(&self) -> bool {
        self.unsorted().is_none()
    }

    /// Why the search does not explore sorted runs only, or `None` if it does.
    pub fn unsorted(&self) -> Option<&'static str> {
        let switches = &self.reductions;
        if !switches.sorted {
            return Some("it is switched off");
        }
        if !switches.eager || !switches.byzantine_available {
            return Some("messages are explicit, and some of them have no layer");
        }
        match self.network {
            Network::Async | Network::Lossy => {}
            Network::Synchronous => return Some("in a synchronous network timers wait for messages"),
            Network::PartiallySynchronous => {
                return Some("once the network is synchronous, timers wait for messages of any layer");
            }
        }
        if self.crashes > 0 && self.restarts_behind {
            return Some("a miner that restarts behind goes down again");
        }
        self.fault.and_then(goes_down)
    }

    /// Whether timeouts of a subround have a layer of their own, above its tickets. Elsewhere a miner that timed out may
    /// crash there, and sign or send a ticket after that.
    pub(crate) fn timeouts_have_a_layer(&self) -> bool {
        self.crashes == 0
    }
}

/// Why a run with that mistake cannot be sorted.
fn goes_down(fault: Fault) -> Option<&'static str> {
    match fault {
        Fault::EarlySharesDropped | Fault::OwnSubroundOnly => {
            Some("a message is dropped by miners that are not yet, or no longer, where it belongs")
        }
        Fault::SeedFromProposal => Some("a miner may be deceived before and after all others"),
        Fault::LabelUnchecked => Some("a notarization of a lower round moves a miner"),
        Fault::VotesWithoutLeaving => Some("a miner tickets after its vote"),
        Fault::BeaconOfFaultsPlusOne
        | Fault::ProposesTwice
        | Fault::ParentUnchecked
        | Fault::ProposalsVolatile
        | Fault::VotesVolatile
        | Fault::QuorumOneLess
        | Fault::QuorumOfFaultsPlusOne
        | Fault::EmbeddedUnverified
        | Fault::NotRecorded
        | Fault::UnweightedSum
        | Fault::SubroundUnbound
        | Fault::DuplicateSigner
        | Fault::NotarizationsNotRelayed
        | Fault::VotesAfterOtherTicket
        | Fault::WithoutCertificate
        | Fault::TwoDeltaWithoutWait
        | Fault::HeadAnywhere
        | Fault::HeadSkipsMissing
        | Fault::HeadMovesBack => None,
    }
}
