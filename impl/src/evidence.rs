//! Proof that a miner signed what no honest miner signs (property S10).
//!
//! Evidence convinces anybody who knows the committee's keys: it consists of signatures only. A single miner is convicted
//! by two of its statements, a group by two certificates that cannot both exist unless the miners in both broke the rules.
//! An honest miner with a durable ticket log is never convicted: it proposes and tickets once per (round, subround), votes
//! once per round, and votes for a block only if it ticketed no other block of that round and will not (step 8).

use std::sync::Arc;

use thiserror::Error;

use crate::certified::{FinalityCertificate, Notarization};
use crate::committee::{Committee, MinerId, Round};
use crate::crypto::certificate::{Certificate, CertificateError};
use crate::crypto::scheme::Verify;
use crate::statement::{FinalityVote, Proposed, Signed, Statement, Ticket};

/// Two things that no honest miner signs both.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Evidence {
    /// Two blocks of one generator in one (round, subround): equivocation.
    Proposals {
        /// One proposal.
        first: Signed<Proposed>,
        /// Another.
        second: Signed<Proposed>,
    },
    /// Two tickets for different blocks of one (round, subround); an offence where one ticket is allowed.
    Tickets {
        /// One ticket.
        first: Signed<Ticket>,
        /// Another.
        second: Signed<Ticket>,
    },
    /// Two finality votes for different blocks of one round.
    FinalityVotes {
        /// One vote.
        first: Signed<FinalityVote>,
        /// Another.
        second: Signed<FinalityVote>,
    },
    /// A finality vote for one block and a ticket for another block of the same round.
    TicketAgainstVote {
        /// The ticket.
        ticket: Signed<Ticket>,
        /// The vote.
        vote: Signed<FinalityVote>,
    },
    /// Two notarized blocks of one (round, subround): S2 is broken.
    Notarizations {
        /// One notarization.
        first: Arc<Notarization>,
        /// Another.
        second: Arc<Notarization>,
    },
    /// A final block and another notarized block of the same round: S6 is broken.
    NotarizationAgainstFinality {
        /// The notarization.
        notarization: Arc<Notarization>,
        /// The finality certificate.
        finality: Arc<FinalityCertificate>,
    },
    /// Two final blocks of one round: S5 is broken.
    FinalityCertificates {
        /// One finality certificate.
        first: Arc<FinalityCertificate>,
        /// Another.
        second: Arc<FinalityCertificate>,
    },
}

/// Why evidence convicts nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The two statements come from different miners.
    #[error("the statements are of {first} and {second}")]
    DifferentSigners {
        /// The signer of the first.
        first: MinerId,
        /// The signer of the second.
        second: MinerId,
    },
    /// An honest miner may sign both.
    #[error("the two statements do not contradict each other")]
    NoContradiction,
    /// One of the signatures is not genuine.
    #[error("a signature in the evidence against {0} is not genuine")]
    WrongSignature(MinerId),
    /// One of the certificates is not valid.
    #[error("a certificate in the evidence is not valid: {0}")]
    Certificate(#[from] CertificateError),
}

/// The rules that evidence is judged by.
#[derive(Clone, Copy, Debug)]
pub struct EvidenceRules<'a> {
    /// The committee.
    pub committee: &'a Committee,
    /// Its quorum.
    pub quorum: usize,
    /// Whether the ticket rule allows one ticket per (round, subround) only.
    pub one_ticket: bool,
}

impl Evidence {
    /// The same offence in its one form: of two statements of one kind the lower one comes first. So one offence is one value,
    /// in whatever order its halves were found.
    #[must_use]
    pub fn canonical(self) -> Self {
        if self.is_canonical() {
            return self;
        }
        match self {
            Evidence::Proposals { first, second } => Evidence::Proposals { first: second, second: first },
            Evidence::Tickets { first, second } => Evidence::Tickets { first: second, second: first },
            Evidence::FinalityVotes { first, second } => {
                Evidence::FinalityVotes { first: second, second: first }
            }
            Evidence::Notarizations { first, second } => {
                Evidence::Notarizations { first: second, second: first }
            }
            Evidence::FinalityCertificates { first, second } => {
                Evidence::FinalityCertificates { first: second, second: first }
            }
            Evidence::TicketAgainstVote { .. } | Evidence::NotarizationAgainstFinality { .. } => self,
        }
    }

    /// Whether this is what [`Evidence::canonical`] makes of it. Nothing else is decoded.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        match self {
            Evidence::Proposals { first, second } => first.statement <= second.statement,
            Evidence::Tickets { first, second } => first.statement <= second.statement,
            Evidence::FinalityVotes { first, second } => first.statement <= second.statement,
            Evidence::Notarizations { first, second } => first.statement <= second.statement,
            Evidence::FinalityCertificates { first, second } => first.statement <= second.statement,
            // The kinds of the statements tell the two apart.
            Evidence::TicketAgainstVote { .. } | Evidence::NotarizationAgainstFinality { .. } => true,
        }
    }

    /// Checks the evidence.
    ///
    /// # Errors
    /// The first reason why it convicts nobody, cheapest check first.
    pub fn verify<S: Verify>(
        &self,
        evidence_rules: &EvidenceRules<'_>,
        scheme: &S,
    ) -> Result<(), EvidenceError> {
        self.check_form(evidence_rules, scheme)?;
        self.check_signatures(evidence_rules, scheme)
    }

    /// The checks that need no signature: that the statements contradict each other, who signed them, and that
    /// certificates name a quorum.
    ///
    /// # Errors
    /// As [`Evidence::verify`].
    pub(crate) fn check_form<S: Verify>(
        &self,
        evidence_rules: &EvidenceRules<'_>,
        scheme: &S,
    ) -> Result<(), EvidenceError> {
        let EvidenceRules { committee, quorum, one_ticket } = *evidence_rules;
        if !self.contradicts(one_ticket) {
            return Err(EvidenceError::NoContradiction);
        }
        let of_one_member =
            |first: MinerId, second: MinerId| match (first == second, committee.contains(first)) {
                (false, _) => Err(EvidenceError::DifferentSigners { first, second }),
                (true, false) => Err(EvidenceError::WrongSignature(first)),
                (true, true) => Ok(()),
            };
        let of_quorums = |first: &Certificate, second: &Certificate| {
            first.quorum_of(scheme, quorum)?;
            second.quorum_of(scheme, quorum)?;
            Ok(())
        };
        match self {
            Evidence::Proposals { first, second } => of_one_member(first.signer, second.signer),
            Evidence::Tickets { first, second } => of_one_member(first.signer, second.signer),
            Evidence::FinalityVotes { first, second } => of_one_member(first.signer, second.signer),
            Evidence::TicketAgainstVote { ticket, vote } => of_one_member(ticket.signer, vote.signer),
            Evidence::Notarizations { first, second } => of_quorums(&first.certificate, &second.certificate),
            Evidence::NotarizationAgainstFinality { notarization, finality } => {
                of_quorums(&notarization.certificate, &finality.certificate)
            }
            Evidence::FinalityCertificates { first, second } => {
                of_quorums(&first.certificate, &second.certificate)
            }
        }
    }

    /// The rest of [`Evidence::verify`]: two signatures, or two certificates.
    ///
    /// # Errors
    /// As [`Evidence::verify`].
    pub(crate) fn check_signatures<S: Verify>(
        &self,
        evidence_rules: &EvidenceRules<'_>,
        scheme: &S,
    ) -> Result<(), EvidenceError> {
        let EvidenceRules { committee, quorum, .. } = *evidence_rules;
        match self {
            Evidence::Proposals { first, second } => both_genuine(first, second, committee, scheme),
            Evidence::Tickets { first, second } => both_genuine(first, second, committee, scheme),
            Evidence::FinalityVotes { first, second } => both_genuine(first, second, committee, scheme),
            Evidence::TicketAgainstVote { ticket, vote } => both_genuine(ticket, vote, committee, scheme),
            Evidence::Notarizations { first, second } => {
                first.verify(committee, quorum, scheme)?;
                Ok(second.verify(committee, quorum, scheme)?)
            }
            Evidence::NotarizationAgainstFinality { notarization, finality } => {
                notarization.verify(committee, quorum, scheme)?;
                Ok(finality.verify(committee, quorum, scheme)?)
            }
            Evidence::FinalityCertificates { first, second } => {
                first.verify(committee, quorum, scheme)?;
                Ok(second.verify(committee, quorum, scheme)?)
            }
        }
    }

    /// Whether the statements, if genuine, are an offence.
    fn contradicts(&self, one_ticket: bool) -> bool {
        match self {
            Evidence::Proposals { first, second } => {
                (first.round, first.subround) == (second.round, second.subround)
                    && first.block != second.block
            }
            Evidence::Tickets { first, second } => {
                one_ticket
                    && first.round == second.round
                    && first.subround == second.subround
                    && first.block != second.block
            }
            Evidence::FinalityVotes { first, second } => {
                first.round == second.round && first.block != second.block
            }
            Evidence::TicketAgainstVote { ticket, vote } => {
                ticket.round == vote.round && ticket.block != vote.block
            }
            Evidence::Notarizations { first, second } => {
                one_ticket
                    && (first.round, first.subround) == (second.round, second.subround)
                    && first.block != second.block
            }
            Evidence::NotarizationAgainstFinality { notarization, finality } => {
                notarization.round == finality.round && notarization.block != finality.block
            }
            Evidence::FinalityCertificates { first, second } => {
                first.round == second.round && first.block != second.block
            }
        }
    }

    /// The convicted miners, in increasing order, if [`Evidence::verify`] succeeds.
    #[must_use]
    pub fn convicts(&self) -> Vec<MinerId> {
        match self {
            Evidence::Proposals { first, .. } => vec![first.signer],
            Evidence::Tickets { first, .. } => vec![first.signer],
            Evidence::FinalityVotes { first, .. } => vec![first.signer],
            Evidence::TicketAgainstVote { ticket, .. } => vec![ticket.signer],
            Evidence::Notarizations { first, second } => first.signers_in_both(second).collect(),
            Evidence::NotarizationAgainstFinality { notarization, finality } => {
                notarization.signers_in_both(finality).collect()
            }
            Evidence::FinalityCertificates { first, second } => first.signers_in_both(second).collect(),
        }
    }

    /// The round of the offence.
    #[must_use]
    pub fn round(&self) -> Round {
        match self {
            Evidence::Proposals { first, .. } => first.round,
            Evidence::Tickets { first, .. } => first.round,
            Evidence::FinalityVotes { first, .. } => first.round,
            Evidence::TicketAgainstVote { ticket, .. } => ticket.round,
            Evidence::Notarizations { first, .. } => first.round,
            Evidence::NotarizationAgainstFinality { notarization, .. } => notarization.round,
            Evidence::FinalityCertificates { first, .. } => first.round,
        }
    }
}

fn both_genuine<A: Statement, B: Statement, S: Verify>(
    first: &Signed<A>,
    second: &Signed<B>,
    committee: &Committee,
    scheme: &S,
) -> Result<(), EvidenceError> {
    let genuine = first.is_genuine(committee, scheme) && second.is_genuine(committee, scheme);
    if !genuine {
        return Err(EvidenceError::WrongSignature(first.signer));
    }
    Ok(())
}
