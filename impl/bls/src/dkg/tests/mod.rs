//! The key generation with honest and dishonest members.

mod agreement;
mod attempts;
mod exposure;
mod floods;
mod misbehaviour;

use std::sync::Arc;

use super::dealing::sealing_context;
use super::encryption::rng;
use super::*;
use crate::committee::{ChainId, Epoch, MinerId};
use crate::keys::{DomainTag, SecretKey};
use crate::polynomial::{Commitments, Polynomial, abscissa};
use crate::signature::Signature;

pub(super) const CHAIN: ChainId = ChainId([3; 32]);
pub(super) const EPOCH: Epoch = Epoch(8);
pub(super) const ATTEMPT: Attempt = Attempt(1);

/// A key generation with every member's secrets.
pub(super) struct Ceremony {
    pub(super) session: Arc<Session>,
    pub(super) members: Vec<Member>,
}

pub(super) fn identity(i: u16) -> SecretKey {
    SecretKey::from_seed(&[i as u8 + 1; 32])
}

pub(super) fn decryption(i: u16) -> DecryptionKey {
    DecryptionKey::from_seed(&[i as u8 + 101; 32])
}

pub(super) fn session_member(identity: &SecretKey, encryption: Option<EncryptionKey>) -> SessionMember {
    let identity = Identity::new(CHAIN, identity).verify(CHAIN).unwrap();
    SessionMember { identity, encryption }
}

pub(super) fn session_members(n: u16) -> Vec<SessionMember> {
    let member = |i| session_member(&identity(i), Some(decryption(i).encryption_key()));
    (0..n).map(member).collect()
}

pub(super) fn session(n: u16, epoch: Epoch, attempt: Attempt) -> Arc<Session> {
    let parameters = Parameters::hardened(usize::from(n)).unwrap();
    Arc::new(Session::new(CHAIN, epoch, attempt, parameters, session_members(n)).unwrap())
}

pub(super) fn member(session: &Arc<Session>, i: u16, seed: u8) -> Member {
    let seed = [seed.wrapping_add(i as u8); 32];
    Member::new(Arc::clone(session), MinerId(i), identity(i), decryption(i), &seed).unwrap()
}

impl Ceremony {
    pub(super) fn new(n: u16) -> Self {
        Self::in_epoch(n, EPOCH)
    }

    pub(super) fn in_epoch(n: u16, epoch: Epoch) -> Self {
        Self::in_attempt(n, epoch, ATTEMPT)
    }

    pub(super) fn in_attempt(n: u16, epoch: Epoch, attempt: Attempt) -> Self {
        let session = session(n, epoch, attempt);
        let members = (0..n).map(|i| member(&session, i, 200)).collect();
        Self { session, members }
    }

    pub(super) fn dealings(&self) -> Vec<Dealing> {
        self.members.iter().map(|member| member.dealing().clone()).collect()
    }

    /// Broadcasts dealings and hands out the receipts, but those that `lost` names by (dealer, recipient).
    pub(super) fn deal(&mut self, dealings: &[Dealing], lost: impl Fn(u16, u16) -> bool) {
        for dealing in dealings {
            for recipient in 0..self.members.len() {
                let receipt = self.members[recipient].on_dealing(dealing);
                let Ok(receipt) = receipt else { continue };
                if !lost(receipt.dealer.0, receipt.recipient.0) {
                    // A dishonest dealer's dealing is not the one of its honest twin in this world.
                    let _refused =
                        self.members[usize::from(receipt.dealer.0)].on_receipt(receipt.recipient, &receipt);
                }
            }
        }
        for member in &mut self.members {
            member.end_dealing().unwrap();
        }
    }

    pub(super) fn settlements(&self) -> Vec<Settlement> {
        self.members.iter().filter_map(|member| member.settle().ok()).collect()
    }

    pub(super) fn settle(&mut self, settlements: &[Settlement]) {
        for settlement in settlements {
            for member in &mut self.members {
                member.on_settlement(settlement).unwrap();
            }
        }
    }

    /// The common verdict of all members on a dealer.
    pub(super) fn verdict(&self, dealer: u16) -> Result<(), Disqualified> {
        let verdict = self.members[0].transcript().qualifies(MinerId(dealer));
        for member in &self.members {
            assert_eq!(member.transcript().qualifies(MinerId(dealer)), verdict);
        }
        verdict
    }

    /// Everybody's result, which must be one and the same key with a working share each.
    pub(super) fn finish(&self) -> Outcome {
        let results: Vec<_> = self.members.iter().map(|member| member.finish().unwrap()).collect();
        let outcome = results[0].0.clone();
        let message = b"a beacon message";
        let shares: Vec<(MinerId, Signature)> = self
            .members
            .iter()
            .zip(&results)
            .map(|(member, (other, share))| {
                assert_eq!(other, &outcome, "all agree on the key");
                (member.me(), share.sign(message))
            })
            .collect();
        let threshold = outcome.key().threshold();
        let first = outcome.key().combine(message, &shares).unwrap();
        let last = outcome.key().combine(message, &shares[shares.len() - threshold..]).unwrap();
        assert_eq!(first, last);
        assert!(outcome.key().verify(message, &first));
        outcome
    }
}

/// A dealing that its dealer signed with whatever it wanted to say.
pub(super) fn resigned(session: &Session, mut dealing: Dealing) -> Dealing {
    let identity = identity(dealing.dealer.0);
    dealing.signature = identity.sign(DomainTag::DKG_DEALING, &dealing.digest(session));
    dealing
}

/// A settlement that its dealer signed with whatever it wanted to say.
pub(super) fn resettled(session: &Session, mut settlement: Settlement) -> Settlement {
    let identity = identity(settlement.dealer.0);
    settlement.signature = identity.sign(DomainTag::DKG_SETTLEMENT, &settlement.digest(session));
    settlement
}

/// A dealing whose share for `victim` is of another polynomial, sealed all the same.
pub(super) fn with_wrong_share(session: &Session, dealing: &Dealing, victim: u16) -> Dealing {
    let wrong = Polynomial::new(vec![crate::curve::Scalar::from_u64(5)]);
    let mut dealing = dealing.clone();
    let context = sealing_context(session, dealing.dealer, MinerId(victim), &dealing.commitments);
    let share = wrong.evaluate(abscissa(MinerId(victim)));
    let key = decryption(victim).encryption_key();
    dealing.sealed[usize::from(victim)] = key.seal(&share, &context, &mut rng(&[77; 32])).unwrap();
    resigned(session, dealing)
}

/// The commitments of a dealing, one coefficient longer or shorter.
pub(super) fn with_degree(commitments: &Commitments, threshold: usize) -> Commitments {
    Commitments::new(commitments.points().iter().cycle().take(threshold).copied().collect())
}
