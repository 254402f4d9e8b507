//! The public side of a key generation: who dealt, who settled, who qualifies, and the key that follows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::DecodeError;
use super::dealing::{Dealing, Parts};
use super::session::{Attempt, Session};
use super::settlement::Settlement;
use crate::beacon::{BeaconKey, BeaconKeyError};
use crate::committee::MinerId;
use crate::curve::Scalar;
use crate::dkg::MAX_STRIKES;
use crate::polynomial::Commitments;

/// The kind of message that a transcript accepts now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Dealings.
    Dealing,
    /// Settlements.
    Settling,
}

/// Why a dealer does not qualify.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Disqualified {
    /// No dealing came before the deadline.
    #[error("no dealing")]
    NoDealing,
    /// Two dealings with valid signatures: members may hold shares of different polynomials.
    #[error("two different dealings")]
    TwoDealings,
    /// No settlement came before the deadline.
    #[error("no settlement")]
    NoSettlement,
    /// Two settlements with valid signatures.
    #[error("two different settlements")]
    TwoSettlements,
    /// The aggregate of the receipts is not the sum of the receipts of the bitmap for this dealing.
    #[error("receipts that do not verify")]
    BadReceipts,
    /// A revealed share is not a value of the committed polynomial: [`Transcript::wrong_share`] names it.
    #[error("a wrong share revealed")]
    BadShare,
    /// So many shares were revealed that the polynomial may be no secret.
    #[error("{revealed} shares revealed, more than {allowed}")]
    TooManyRevealed {
        /// How many.
        revealed: usize,
        /// How many may be.
        allowed: usize,
    },
}

/// Members that sent what no honest member sends, and how often. Bounded: a byte or two for each member.
#[derive(Clone, Default, Debug)]
pub(super) struct Strikes(BTreeMap<MinerId, u8>);

impl Strikes {
    /// Whether a message of `from` is looked at.
    pub fn require_heard(&self, from: MinerId) -> Result<(), TranscriptError> {
        let strikes = self.0.get(&from).copied().unwrap_or(0);
        (strikes < MAX_STRIKES).then_some(()).ok_or(TranscriptError::NotHeard { from })
    }

    /// `from` brought a message that was refused, after a check that was not free.
    fn count_checked(&mut self, from: MinerId, refused: &TranscriptError) {
        use TranscriptError::{NotAuthentic, Unreadable};
        if matches!(refused, NotAuthentic { .. } | Unreadable(DecodeError::Commitment { .. })) {
            self.count(from);
        }
    }

    /// `from` sent something wrong, after a check that was not free.
    pub fn count(&mut self, from: MinerId) {
        let strikes = self.0.entry(from).or_default();
        *strikes = strikes.saturating_add(1);
    }
}

/// The messages of one key generation that everybody saw. Bounded: at most one dealing and one settlement of each member
/// are kept. A clone shares them.
#[derive(Clone, Debug)]
pub struct Transcript {
    session: Arc<Session>,
    phase: Phase,
    dealers: BTreeMap<MinerId, Dealer>,
    /// The number of messages that are not authentic, for each member that brought them.
    strikes: Strikes,
}

#[derive(Clone, Debug)]
struct Dealer {
    dealing: Arc<Dealing>,
    dealing_digest: [u8; 32],
    settlement: Option<([u8; 32], Arc<Settlement>)>,
    fault: Option<Disqualified>,
}

impl Transcript {
    /// An empty transcript.
    #[must_use]
    pub const fn new(session: Arc<Session>) -> Self {
        let strikes = Strikes(BTreeMap::new());
        Self { session, phase: Phase::Dealing, dealers: BTreeMap::new(), strikes }
    }

    /// The session of the key generation.
    #[must_use]
    pub const fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The current phase.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Takes a dealing from the broadcast. The same one again changes nothing and costs no check; another one of the same dealer
    /// disqualifies it. Each wrong one costs the check of a signature: for what a peer sends there is
    /// [`Transcript::receive_dealing`], which counts them.
    ///
    /// # Errors
    /// [`TranscriptError::WrongPhase`]; [`TranscriptError::OtherAttempt`] and [`TranscriptError::NotAuthentic`], which say nothing
    /// about the claimed dealer.
    pub fn on_dealing(&mut self, dealing: &Dealing) -> Result<(), TranscriptError> {
        self.require(Phase::Dealing)?;
        self.session.require_attempt(dealing.dealer, dealing.attempt)?;
        // A known dealing was checked before.
        if self.dealers.get(&dealing.dealer).is_some_and(|known| *known.dealing == *dealing) {
            return Ok(());
        }
        if !dealing.is_authentic(&self.session) {
            return Err(TranscriptError::NotAuthentic { dealer: dealing.dealer });
        }
        self.take_dealing(dealing.clone(), dealing.digest(&self.session));
        Ok(())
    }

    /// [`Transcript::on_dealing`] for the bytes of a dealing, cheapest check first: length, attempt, whether it is known, the
    /// signature, and the points only then. `from` brought it into the broadcast (the generator of the block, for instance): it
    /// is to check a message first, and after [`MAX_STRIKES`] that are not authentic or no dealings it is not heard any more. All
    /// see one broadcast in one order, so that all stop to hear it at the same message; so all are to take the bytes.
    ///
    /// Says whose dealing it is, and whether it is the first of its dealer, which alone deserves a receipt.
    ///
    /// # Errors
    /// As [`Transcript::on_dealing`]; [`TranscriptError::NotHeard`]; [`TranscriptError::Unreadable`].
    pub fn receive_dealing(
        &mut self,
        from: MinerId,
        bytes: &[u8],
    ) -> Result<(MinerId, bool), TranscriptError> {
        self.require(Phase::Dealing)?;
        self.strikes.require_heard(from)?;
        self.read_dealing(bytes).inspect_err(|refused| self.strikes.count_checked(from, refused))
    }

    /// [`Transcript::receive_dealing`] where the first message that is wrong ends everything, so that nobody has to be counted.
    ///
    /// # Errors
    /// As [`Transcript::on_dealing`]; [`TranscriptError::Unreadable`].
    pub fn read_dealing(&mut self, bytes: &[u8]) -> Result<(MinerId, bool), TranscriptError> {
        self.require(Phase::Dealing)?;
        let session = Arc::clone(&self.session);
        let parts = Parts::of(&session, bytes)?;
        self.session.require_attempt(parts.dealer, parts.attempt)?;
        let dealer = parts.dealer;
        if let Some(known) = self.dealers.get(&dealer) {
            // A signature is of one message: with this one, what differs from the known dealing is not signed.
            let same = known.dealing.signature == parts.signature;
            if same || known.fault == Some(Disqualified::TwoDealings) {
                return Ok((dealer, same));
            }
        }
        let digest = parts.digest(&session);
        let read = if parts.is_signed(&session, &digest) {
            Dealing::decode(&session, bytes).map_err(TranscriptError::from)
        } else {
            Err(TranscriptError::NotAuthentic { dealer })
        };
        self.take_dealing(read?, digest);
        Ok((dealer, self.dealing_digest(dealer) == Some(&digest)))
    }

    /// An authentic dealing with this digest.
    fn take_dealing(&mut self, dealing: Dealing, digest: [u8; 32]) {
        let dealer = self.dealers.entry(dealing.dealer).or_insert_with(|| Dealer {
            dealing: Arc::new(dealing),
            dealing_digest: digest,
            settlement: None,
            fault: None,
        });
        if dealer.dealing_digest != digest {
            dealer.fault = Some(Disqualified::TwoDealings);
        }
    }

    /// Ends the phase of dealings.
    ///
    /// # Errors
    /// [`TranscriptError::WrongPhase`] when it ended already.
    pub fn end_dealing(&mut self) -> Result<(), TranscriptError> {
        self.require(Phase::Dealing)?;
        self.phase = Phase::Settling;
        Ok(())
    }

    /// Takes a settlement from the broadcast. The same one again changes nothing and costs no check; another one of the same
    /// dealer, or a wrong one, disqualifies it. For what a peer sends there is [`Transcript::receive_settlement`].
    ///
    /// # Errors
    /// [`TranscriptError::WrongPhase`]; [`TranscriptError::OtherAttempt`] and [`TranscriptError::NotAuthentic`], which say nothing
    /// about the claimed dealer.
    pub fn on_settlement(&mut self, settlement: &Settlement) -> Result<(), TranscriptError> {
        self.require(Phase::Settling)?;
        self.session.require_attempt(settlement.dealer, settlement.attempt)?;
        let session = Arc::clone(&self.session);
        let Some(dealer) = self.dealers.get_mut(&settlement.dealer) else {
            return Err(TranscriptError::NothingToSettle { dealer: settlement.dealer });
        };
        let digest = settlement.digest(&session);
        let is_known = dealer
            .settlement
            .as_ref()
            .is_some_and(|(known, first)| *known == digest && first.signature == settlement.signature);
        if is_known {
            return Ok(());
        }
        if !settlement.is_authentic(&session) {
            return Err(TranscriptError::NotAuthentic { dealer: settlement.dealer });
        }
        match &dealer.settlement {
            Some((first, _)) if *first == digest => {}
            Some(_) => {
                // The verdict must not depend on which of the two came first, whatever else was wrong.
                if dealer.fault != Some(Disqualified::TwoDealings) {
                    dealer.fault = Some(Disqualified::TwoSettlements);
                }
            }
            None => {
                let fault = dealer.judge(&session, settlement);
                dealer.fault = dealer.fault.or(fault);
                dealer.settlement = Some((digest, Arc::new(settlement.clone())));
            }
        }
        Ok(())
    }

    /// [`Transcript::on_settlement`] for the bytes of a settlement that `from` brought into the broadcast; see
    /// [`Transcript::receive_dealing`].
    ///
    /// # Errors
    /// As [`Transcript::on_settlement`]; [`TranscriptError::NotHeard`]; [`TranscriptError::Unreadable`].
    pub fn receive_settlement(&mut self, from: MinerId, bytes: &[u8]) -> Result<(), TranscriptError> {
        self.require(Phase::Settling)?;
        self.strikes.require_heard(from)?;
        let taken = self.read_settlement(bytes);
        if matches!(taken, Err(TranscriptError::NotAuthentic { .. })) {
            self.strikes.count(from);
        }
        taken
    }

    /// [`Transcript::receive_settlement`] where the first message that is wrong ends everything.
    ///
    /// # Errors
    /// As [`Transcript::on_settlement`]; [`TranscriptError::Unreadable`].
    pub fn read_settlement(&mut self, bytes: &[u8]) -> Result<(), TranscriptError> {
        self.require(Phase::Settling)?;
        // A known settlement, and one that cannot change the verdict any more, needs no check.
        if let (Some((_, dealer)), Some(signature)) = (Settlement::header(bytes), bytes.last_chunk())
            && let Some(known) = self.dealers.get(&dealer)
        {
            let same = known.settlement.as_ref().is_some_and(|(_, known)| known.signature.0 == *signature);
            let out = matches!(known.fault, Some(Disqualified::TwoDealings | Disqualified::TwoSettlements));
            if same || out {
                return Ok(());
            }
        }
        let settlement = Settlement::decode(&self.session, bytes)?;
        self.on_settlement(&settlement)
    }

    /// A dealer's dealing, if it broadcast one.
    #[must_use]
    pub fn dealing(&self, dealer: MinerId) -> Option<&Dealing> {
        self.dealers.get(&dealer).map(|dealer| &*dealer.dealing)
    }

    /// The digest of a dealer's dealing, for receipts.
    #[must_use]
    pub fn dealing_digest(&self, dealer: MinerId) -> Option<&[u8; 32]> {
        self.dealers.get(&dealer).map(|dealer| &dealer.dealing_digest)
    }

    /// A dealer's settlement, if it broadcast one, and its digest.
    #[must_use]
    pub fn settlement(&self, dealer: MinerId) -> Option<(&[u8; 32], &Settlement)> {
        self.dealers.get(&dealer)?.settlement.as_ref().map(|(digest, settlement)| (digest, &**settlement))
    }

    /// Whether a dealer qualifies, as far as is known now.
    ///
    /// # Errors
    /// Why not.
    pub fn qualifies(&self, dealer: MinerId) -> Result<(), Disqualified> {
        let dealer = self.dealers.get(&dealer).ok_or(Disqualified::NoDealing)?;
        match (dealer.fault, &dealer.settlement) {
            (Some(fault), _) => Err(fault),
            (None, None) => Err(Disqualified::NoSettlement),
            (None, Some(_)) => Ok(()),
        }
    }

    /// Ends the key generation and computes the key.
    ///
    /// # Errors
    /// [`TranscriptError::WrongPhase`]; [`TranscriptError::TooFewQualified`]; [`TranscriptError::Key`] or
    /// [`TranscriptError::Vanishes`] when the sum of the dealings is no key.
    pub fn outcome(&self) -> Result<Outcome, TranscriptError> {
        self.require(Phase::Settling)?;
        let commitments = |dealer| Some((dealer, self.dealing(dealer)?.commitments.clone()));
        let qualified = self.enough_qualified()?.into_iter().filter_map(commitments).collect();
        Outcome::of(Arc::clone(&self.session), qualified)
    }

    /// The qualified dealers, and the commitments of the key: the sum of those of all qualified dealers. No public share is computed.
    ///
    /// # Errors
    /// [`TranscriptError::WrongPhase`]; [`TranscriptError::TooFewQualified`]; [`TranscriptError::Vanishes`].
    pub fn sum(&self) -> Result<(Vec<MinerId>, Commitments), TranscriptError> {
        self.require(Phase::Settling)?;
        let qualified = self.enough_qualified()?;
        let all: Vec<&Commitments> =
            qualified.iter().filter_map(|dealer| Some(&self.dealing(*dealer)?.commitments)).collect();
        let sum = Commitments::sum(all).ok_or(TranscriptError::Vanishes)?;
        Ok((qualified, sum))
    }

    /// The qualified dealers, where they are enough for a key.
    fn enough_qualified(&self) -> Result<Vec<MinerId>, TranscriptError> {
        let dealers = self.dealers.keys().copied();
        let qualified: Vec<MinerId> = dealers.filter(|&dealer| self.qualifies(dealer).is_ok()).collect();
        let needed = self.session.parameters().min_qualified();
        if qualified.len() < needed {
            return Err(TranscriptError::TooFewQualified { qualified: qualified.len(), needed });
        }
        Ok(qualified)
    }

    /// The first member for which a dealer revealed a wrong share. No verdict needs the name, which costs an evaluation of the
    /// commitments for each revealed share: it is looked for when somebody asks.
    #[must_use]
    pub fn wrong_share(&self, dealer: MinerId) -> Option<MinerId> {
        let dealer = self.dealers.get(&dealer)?;
        let (_, settlement) = dealer.settlement.as_ref()?;
        let commitments = &dealer.dealing.commitments;
        settlement
            .revealed()
            .find(|(member, share)| !commitments.admits(*member, share))
            .map(|(member, _)| member)
    }

    /// The share that a dealer revealed for a member.
    pub(super) fn revealed_share(&self, dealer: MinerId, recipient: MinerId) -> Option<&Scalar> {
        let (_, settlement) = self.dealers.get(&dealer)?.settlement.as_ref()?;
        settlement.revealed().find(|(member, _)| *member == recipient).map(|(_, share)| share)
    }

    fn require(&self, phase: Phase) -> Result<(), TranscriptError> {
        (self.phase == phase).then_some(()).ok_or(TranscriptError::WrongPhase { phase: self.phase })
    }
}

impl Dealer {
    /// The first fault of a settlement of this dealing, cheapest check first.
    fn judge(&self, session: &Session, settlement: &Settlement) -> Option<Disqualified> {
        let (revealed, allowed) = (settlement.revealed.len(), session.parameters().max_revealed());
        if revealed > allowed {
            return Some(Disqualified::TooManyRevealed { revealed, allowed });
        }
        let shares: Vec<_> = settlement.revealed().collect();
        if !self.dealing.commitments.admits_all(&shares) {
            return Some(Disqualified::BadShare);
        }
        (!settlement.receipts_verify(session, &self.dealing_digest)).then_some(Disqualified::BadReceipts)
    }
}

/// The public result of a key generation: the same for everybody who saw the same broadcasts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    session: Arc<Session>,
    qualified: BTreeMap<MinerId, Commitments>,
    key: BeaconKey,
}

impl Outcome {
    /// The key that the commitments of the qualified dealers add up to.
    ///
    /// # Errors
    /// [`TranscriptError::Vanishes`], [`TranscriptError::Key`].
    pub fn of(
        session: Arc<Session>,
        qualified: BTreeMap<MinerId, Commitments>,
    ) -> Result<Self, TranscriptError> {
        let sum = sum_of(&qualified)?;
        let key = BeaconKey::from_commitments(&sum, session.size())?;
        Ok(Self { session, qualified, key })
    }

    /// The session of the key generation.
    #[must_use]
    pub const fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The qualified dealers and their commitments.
    #[must_use]
    pub const fn qualified(&self) -> &BTreeMap<MinerId, Commitments> {
        &self.qualified
    }

    /// The commitments of the key.
    ///
    /// # Errors
    /// [`TranscriptError::Vanishes`], which an outcome gives no reason for.
    pub fn sum(&self) -> Result<Commitments, TranscriptError> {
        sum_of(&self.qualified)
    }

    /// The committee's key with every member's public share.
    #[must_use]
    pub const fn key(&self) -> &BeaconKey {
        &self.key
    }
}

fn sum_of(qualified: &BTreeMap<MinerId, Commitments>) -> Result<Commitments, TranscriptError> {
    Commitments::sum(qualified.values()).ok_or(TranscriptError::Vanishes)
}

/// Why a transcript refuses a message or makes no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TranscriptError {
    /// Too early or too late.
    #[error("not in the phase {phase:?}")]
    WrongPhase {
        /// The phase that it is.
        phase: Phase,
    },
    /// Of another attempt: a replay, or early. It says nothing about the member it names.
    #[error("a message of miner {} in attempt {}, where attempt {} is under way", sender.0, found.0, expected.0)]
    OtherAttempt {
        /// The claimed sender.
        sender: MinerId,
        /// Its attempt.
        found: Attempt,
        /// The attempt of this session.
        expected: Attempt,
    },
    /// Not signed by the dealer it names, or not of this session.
    #[error("not an authentic message of miner {} in this session", dealer.0)]
    NotAuthentic {
        /// The claimed dealer.
        dealer: MinerId,
    },
    /// The member that brought it has brought too many messages that are not authentic.
    #[error("nothing more is heard of miner {}, which brought {MAX_STRIKES} messages that are not authentic", from.0)]
    NotHeard {
        /// The member that brought it.
        from: MinerId,
    },
    /// The bytes are no message of this session.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
    /// A settlement without a dealing.
    #[error("miner {} settles without a dealing", dealer.0)]
    NothingToSettle {
        /// The dealer that settles.
        dealer: MinerId,
    },
    /// Not enough dealers for a key: the committee begins anew.
    #[error("{qualified} dealers qualify where {needed} are needed")]
    TooFewQualified {
        /// How many qualify.
        qualified: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The commitments cancel to infinity, which happens with negligible probability.
    #[error("a coefficient of the sum of the dealings vanishes")]
    Vanishes,
    /// The sum of the dealings is no key of this committee.
    #[error(transparent)]
    Key(#[from] BeaconKeyError),
}
