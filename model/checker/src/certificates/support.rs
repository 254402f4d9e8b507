//! The instances for which states of certificates are exact, and why others are left to the search of steps.

use super::rounds::Reach;
use crate::{
    blocks::Generator,
    fault::Fault,
    properties::Property,
    protocol::{Network, Protocol},
    rules::{BeaconRule, FinalityRule, TicketLogRule},
};

/// How a search sees the states of certificates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// With their whole past.
    Kept,
    /// Without it.
    Forgotten(Reach),
}

/// Why states of certificates do not answer for `property`, in an instance that they support; `None` if they do.
pub fn unanswered(property: Property) -> Option<&'static str> {
    match property {
        Property::S2
        | Property::S3
        | Property::S5
        | Property::S6
        | Property::W1
        | Property::W2
        | Property::Signed
        | Property::Notarized
        | Property::Child
        | Property::Final
        | Property::Restarted => None,
        Property::S1 | Property::S8 | Property::S10 | Property::W3 | Property::W6 | Property::W7 => {
            Some("it is about single signatures, and certificates have just enough of them")
        }
        Property::S4 => Some("every block of a state of certificates has an eligible generator"),
        Property::S7 | Property::Head => Some("it is about the head of an observer"),
        Property::S9 | Property::S11 | Property::W10 | Property::Beacon => Some("it is about beacon values"),
        Property::W4 | Property::W8 => Some("it is about the position of a miner"),
        Property::W5 | Property::W9 => Some("it also asks which votes there are not"),
        Property::L1
        | Property::L2
        | Property::L3
        | Property::L4
        | Property::L5
        | Property::Ending
        | Property::Behind => Some("it is about a network that becomes synchronous"),
    }
}

/// Whether states of certificates answer for `property`, in an instance that they support.
pub fn answers(property: Property) -> bool {
    unanswered(property).is_none()
}

impl Protocol {
    /// Why states of certificates are no answer for this instance; `None` if they are. The whole past is kept.
    pub fn no_certificates(&self) -> Option<&'static str> {
        match self.network {
            Network::Async | Network::Lossy => {}
            Network::Synchronous => return Some("in a synchronous network timers wait for messages"),
            Network::PartiallySynchronous => {
                return Some("once the network is synchronous, timers wait for messages");
            }
        }
        match self.rules.beacon {
            BeaconRule::RoundOnly => {}
            BeaconRule::Chained => {
                return Some("under `Chained` a ticket depends on the chain of its signer's entry");
            }
        }
        if self.committee.beacon_threshold > self.committee.n {
            return Some("no beacon value is ever known, since it takes more shares than there are members");
        }
        if self.honest_needed() == 0 {
            return Some("the Byzantine members make certificates without an honest signature");
        }
        if self.crashes > 0 && self.restarts_behind {
            return Some("a miner that restarts behind goes down again");
        }
        match self.rules.ticket_log {
            TicketLogRule::Volatile if self.crashes > 0 => {
                return Some("a miner that restarts forgets what it signed");
            }
            TicketLogRule::Durable | TicketLogRule::Volatile => {}
        }
        self.fault.and_then(mistaken)
    }

    /// Why certificates are no answer for this instance without its past, or beyond its bounds; `None` if they are.
    pub fn no_certificates_within(&self, reach: Reach) -> Option<&'static str> {
        let alike = || {
            let first: Vec<_> = self.kinds(1, 0).collect();
            (1..=self.blocks.rounds).all(|round| {
                (0..self.blocks.subrounds).all(|of| self.kinds(round, of).eq(first.iter().copied()))
            })
        };
        match reach {
            _ if self.no_certificates().is_some() => self.no_certificates(),
            Reach::Bounded | Reach::Any { .. } if !self.forgets_certificates() => {
                Some("a block becomes final through others above it, which are forgotten")
            }
            Reach::Any { .. } if !alike() => {
                Some("the generators of subrounds differ, and one stands for all of them")
            }
            Reach::Bounded | Reach::Any { .. } => None,
        }
    }

    /// How a search of certificates sees its states: without the past where that is exact; or why it is no answer.
    pub fn seen(&self, reach: Reach) -> Result<Seen, &'static str> {
        let refused = match reach {
            Reach::Bounded => self.no_certificates(),
            Reach::Any { .. } => self.no_certificates_within(reach),
        };
        match refused {
            Some(why) => Err(why),
            None if self.forgets_certificates() => Ok(Seen::Forgotten(reach)),
            None => Ok(Seen::Kept),
        }
    }

    /// Whether a block is final by what happens in its own round.
    pub(crate) fn forgets_certificates(&self) -> bool {
        match self.rules.finality {
            FinalityRule::Votes | FinalityRule::TwoThirds | FinalityRule::TwoDelta => true,
            FinalityRule::CommonAncestor { depth } => depth == 0,
        }
    }

    fn kinds(&self, round: u8, subround: u8) -> impl Iterator<Item = (u8, u8, Generator)> + '_ {
        let place = |block| {
            let place = self.blocks.place(block);
            (place.rank, place.twin, place.generator)
        };
        self.blocks.of_subround(round, subround).map(place)
    }
}

/// Why certificates are no answer under that mistake.
fn mistaken(fault: Fault) -> Option<&'static str> {
    match fault {
        Fault::EarlySharesDropped => Some("whether a beacon value is known depends on when shares arrive"),
        Fault::SeedFromProposal => Some("a deceived miner tickets blocks that others refuse"),
        Fault::ProposesTwice | Fault::ProposalsVolatile => {
            Some("an honest generator makes two blocks in a subround")
        }
        Fault::ParentUnchecked => Some("a block may extend one that no certificate is about"),
        Fault::EmbeddedUnverified
        | Fault::NotRecorded
        | Fault::UnweightedSum
        | Fault::SubroundUnbound
        | Fault::DuplicateSigner => Some("certificates are counted wrongly"),
        Fault::VotesWithoutLeaving => Some("a miner tickets after its vote"),
        Fault::HeadSkipsMissing => Some("S5 also asks for holes below the heads of observers"),
        // The arithmetic of certificates, and the guard of a vote.
        Fault::QuorumOneLess | Fault::QuorumOfFaultsPlusOne | Fault::VotesAfterOtherTicket => None,
        // Everybody may be in a subround and know its beacon value (Lemma 1), with and without these.
        Fault::BeaconOfFaultsPlusOne
        | Fault::NotarizationsNotRelayed
        | Fault::OwnSubroundOnly
        | Fault::WithoutCertificate => None,
        // The miner enters a round without a vote, as in a jump. It can extend the block through which it says it entered
        // only if that is notarized.
        Fault::LabelUnchecked => None,
        // A miner that restarts where it was has left the rounds of its votes.
        Fault::VotesVolatile => None,
        // It is about a synchronous network.
        Fault::TwoDeltaWithoutWait => None,
        // Heads are final blocks, or ancestors of such, so they conflict where final blocks do. S7 is not answered.
        Fault::HeadAnywhere | Fault::HeadMovesBack => None,
    }
}
