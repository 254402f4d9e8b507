//! Deeds of dishonest members, and the verdicts that these earn. They are played without the production crate's secret
//! side.

use std::collections::BTreeMap;

use chacha20::rand_core::SeedableRng;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable, Kem, OpModeS, Serializable};
use zus_bpp::committee::MinerId;
use zus_bpp::crypto::certificate::Signers;
use zus_bpp::crypto::curve::Scalar;
use zus_bpp::crypto::dkg::{Dealing, Disqualified, SealedShare, Session, Settlement};
use zus_bpp::crypto::keys::{DomainTag, aggregate};
use zus_bpp::crypto::polynomial::{Commitments, Polynomial, abscissa};
use zus_bpp::crypto::scheme::{SIGNATURE_BYTES, Signature};

use super::super::stream::Stream;
use super::committee::{Committee, SIZES};
use crate::oracles::tolerated;

/// The dealing of a dishonest member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deals {
    /// As an honest one would.
    Rightly,
    /// Nothing.
    Nothing,
    /// After the deadline.
    Late,
    /// Shares of another polynomial to some members, sealed all the same.
    WrongShares(u8),
    /// Shares to some members that do not open.
    Unreadable(u8),
    /// Commitments to one coefficient too many.
    LongerPolynomial,
    /// Commitments to one coefficient too few.
    ShorterPolynomial,
    /// Two dealings.
    Twice,
    /// A dealing with the signature of somebody else.
    Unsigned,
}

/// How a dishonest member settles. Members without a right share sign no receipt, so that their shares are revealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Settles {
    /// With every receipt that it got, and the right shares of all others.
    Rightly,
    /// Not at all.
    Never,
    /// Before the phase begins.
    Early,
    /// Twice, differently.
    Twice,
    /// With a wrong share revealed in the place of a receipt.
    WrongShare,
    /// With one more share revealed than is allowed.
    RevealsTooMuch,
    /// As if everybody had signed a receipt.
    ClaimsReceipts,
    /// With receipts for another dealing.
    OtherReceipts,
    /// With a bitmap of another committee's size.
    OtherSize,
}

/// The deeds of a dishonest member, as a dealer and as a recipient.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deeds {
    pub(super) deals: Deals,
    pub(super) settles: Settles,
    /// Dealers, as bits, that get no receipt from it: what is a false complaint elsewhere.
    pub(super) withholds: u8,
    /// Dealers that get a receipt with a wrong signature from it.
    pub(super) garbles: u8,
}

/// A run, before anything happens.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) n: u16,
    pub(super) dishonest: BTreeMap<MinerId, Deeds>,
    /// By honest dealer, recipients whose receipts the network loses, as bits.
    pub(super) lost: Vec<u8>,
    /// Where each member begins in the list of broadcasts, and whether it hears them twice.
    pub(super) orders: Vec<(usize, bool)>,
    pub(super) seed: u8,
}

impl Plan {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut stream = Stream::new(bytes);
        let n = SIZES[stream.below(SIZES.len())];
        let f = tolerated(n);
        let first = stream.below(n.into()) as u16;
        let count = if stream.below(8) == 0 { 0 } else { f };
        let mut dishonest = BTreeMap::new();
        for i in 0..count as u16 {
            let some = stream.byte();
            let deals = [
                Deals::Rightly,
                Deals::Nothing,
                Deals::Late,
                Deals::WrongShares(some),
                Deals::Unreadable(some),
                Deals::LongerPolynomial,
                Deals::ShorterPolynomial,
                Deals::Twice,
                Deals::Unsigned,
                Deals::WrongShares(1 << (some % 8)),
                Deals::Rightly,
                Deals::Rightly,
            ];
            let settles = [
                Settles::Rightly,
                Settles::Never,
                Settles::Early,
                Settles::Twice,
                Settles::WrongShare,
                Settles::RevealsTooMuch,
                Settles::ClaimsReceipts,
                Settles::OtherReceipts,
                Settles::OtherSize,
                Settles::Rightly,
            ];
            let deeds = Deeds {
                deals: deals[stream.below(deals.len())],
                settles: settles[stream.below(settles.len())],
                withholds: stream.byte(),
                garbles: stream.byte(),
            };
            dishonest.insert(MinerId((first + i) % n), deeds);
        }
        // Most networks are as the protocol assumes: what honest members say arrives.
        let loses = stream.below(4) == 0;
        let lost = (0..n).map(|_| if loses { stream.byte() & stream.byte() } else { 0 }).collect();
        let orders = (0..n).map(|_| (stream.byte().into(), stream.byte() & 1 == 1)).collect();
        Self { n, dishonest, lost, orders, seed: stream.byte() % 4 }
    }
}

/// The messages and secrets of a dishonest member.
pub(super) struct Dishonest {
    pub(super) deeds: Deeds,
    pub(super) polynomial: Polynomial,
    pub(super) dealings: Vec<Dealing>,
    /// The members that can read a right share in its first dealing.
    pub(super) served: Vec<bool>,
    pub(super) receipts: BTreeMap<MinerId, Signature>,
}

/// Draws a polynomial of `coefficients` coefficients.
pub(super) fn polynomial(seed: u8, member: MinerId, coefficients: usize) -> Polynomial {
    let coefficient = |k: usize| {
        let mut wide = [seed; 64];
        (wide[0], wide[1], wide[2]) = (member.0 as u8, k as u8 + 1, 0x5a);
        Scalar::from_uniform_bytes(&wide)
    };
    Polynomial::new((0..coefficients).map(coefficient).collect())
}

/// Seals a share as the module doc of the production crate's encryption says: HPKE in base mode, bound to session, dealer,
/// recipient and commitments.
pub(super) fn seal(
    session: &Session,
    dealer: MinerId,
    recipient: MinerId,
    points: &Commitments,
    share: &Scalar,
) -> SealedShare {
    let mut context = session.id().to_vec();
    context.extend(dealer.0.to_be_bytes());
    context.extend(recipient.0.to_be_bytes());
    points.points().iter().for_each(|point| context.extend(point.encode()));
    let key = session.encryption(recipient).expect("a member");
    let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&key.encode());
    let mut randomness = chacha20::ChaCha20Rng::from_seed([dealer.0 as u8 ^ 0x77; 32]);
    let (encapsulated, sealed) =
        hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &key.expect("a registered key"),
            b"ZUS-BPP-V01-DKG-SHARE",
            &share.to_bytes()[..],
            &context,
            &mut randomness,
        )
        .expect("a registered key seals");
    let bytes = [&encapsulated.to_bytes()[..], &sealed].concat();
    SealedShare(bytes.try_into().expect("a sealed share has one length"))
}

impl Dishonest {
    pub(super) fn new(committee: &Committee, me: MinerId, deeds: Deeds, seed: u8) -> Self {
        let session = &committee.session;
        let threshold = session.parameters().threshold();
        let coefficients = match deeds.deals {
            Deals::LongerPolynomial => threshold + 1,
            Deals::ShorterPolynomial => threshold - 1,
            _ => threshold,
        };
        let right = polynomial(seed, me, coefficients);
        let wrong = polynomial(seed ^ 0xff, me, coefficients);
        let spoiled = match deeds.deals {
            Deals::WrongShares(victims) | Deals::Unreadable(victims) => victims,
            _ => 0,
        };
        let dealing = |right: &Polynomial| {
            let commitments = right.commit().expect("no coefficient is zero");
            let sealed = session.members().map(|recipient| {
                let spoiled = spoiled >> recipient.0 & 1 == 1;
                let share = if spoiled { &wrong } else { right }.evaluate(abscissa(recipient));
                let mut sealed = seal(session, me, recipient, &commitments, &share);
                if spoiled && matches!(deeds.deals, Deals::Unreadable(_)) {
                    sealed.0[40] ^= 1;
                }
                sealed
            });
            let sealed = sealed.collect();
            let mut dealing = Dealing {
                attempt: session.attempt(),
                dealer: me,
                commitments,
                sealed,
                signature: Signature([0; SIGNATURE_BYTES]),
            };
            let signer =
                if deeds.deals == Deals::Unsigned { MinerId((me.0 + 1) % session.size() as u16) } else { me };
            dealing.signature =
                committee.identity(signer).sign(DomainTag::DKG_DEALING, &dealing.digest(session));
            dealing
        };
        let mut dealings = vec![dealing(&right)];
        if deeds.deals == Deals::Twice {
            dealings.push(dealing(&polynomial(seed ^ 0x33, me, coefficients)));
        }
        let served = session.members().map(|member| spoiled >> member.0 & 1 == 0).collect();
        Self { deeds, polynomial: right, dealings, served, receipts: BTreeMap::new() }
    }

    /// How many of its dealings are authentic and in time.
    pub(super) fn counted(&self) -> usize {
        match self.deeds.deals {
            Deals::Nothing | Deals::Late | Deals::Unsigned => 0,
            Deals::LongerPolynomial | Deals::ShorterPolynomial => 0,
            Deals::Rightly | Deals::WrongShares(_) | Deals::Unreadable(_) => 1,
            Deals::Twice => 2,
        }
    }

    /// Its settlements, those that are authentic marked, and what they bring upon it if its dealing was in order.
    pub(super) fn settle(
        &self,
        committee: &Committee,
        me: MinerId,
    ) -> (Vec<Settlement>, Option<Disqualified>) {
        let session = &committee.session;
        let (n, allowed) = (session.size(), session.parameters().max_revealed());
        let digest = self.dealings[0].digest(session);
        let own = |member: MinerId| self.polynomial.evaluate(abscissa(member));
        let mut receipts = self.receipts.clone();
        if self.deeds.settles == Settles::RevealsTooMuch {
            while receipts.len() + allowed + 1 > n {
                receipts.pop_last();
            }
        }
        let mut fault = None;
        let mut wrong_receipts = None;
        match self.deeds.settles {
            Settles::ClaimsReceipts => {
                for member in session.members().filter(|member| !self.receipts.contains_key(member)) {
                    receipts.insert(member, committee.identity(me).sign(DomainTag::DKG_RECEIPT, &digest));
                    // Its own receipt is genuine, however late it makes it.
                    if member != me {
                        fault = Some(Disqualified::BadReceipts);
                    }
                }
            }
            Settles::OtherReceipts => {
                wrong_receipts = Some(committee.identity(me).sign(DomainTag::DKG_RECEIPT, &[7; 32]));
                fault = Some(Disqualified::BadReceipts);
            }
            Settles::WrongShare => {
                // Somebody must be missing for a share to be revealed.
                receipts.remove(&MinerId((me.0 + 1) % n as u16));
            }
            _ => {}
        }
        let missing: Vec<MinerId> =
            session.members().filter(|member| !receipts.contains_key(member)).collect();
        let mut revealed: Vec<Scalar> = missing.iter().map(|&member| own(member)).collect();
        if self.deeds.settles == Settles::WrongShare && !missing.is_empty() {
            revealed[0] = revealed[0].add(&Scalar::from_u64(1));
            fault = Some(Disqualified::BadShare);
        }
        if missing.len() > allowed {
            fault = Some(Disqualified::TooManyRevealed { revealed: missing.len(), allowed });
        }
        let summands: Vec<Signature> = receipts.values().copied().collect();
        let Ok(sum) = aggregate(&summands) else { return (Vec::new(), Some(Disqualified::NoSettlement)) };
        let signers = Signers::from_members(n, receipts.keys().copied()).expect("members");
        let sign = |mut settlement: Settlement| {
            let digest = settlement.digest(session);
            settlement.signature = committee.identity(me).sign(DomainTag::DKG_SETTLEMENT, &digest);
            settlement
        };
        let first = sign(Settlement {
            attempt: session.attempt(),
            dealer: me,
            receipts: signers.clone(),
            aggregate: wrong_receipts.unwrap_or(sum),
            revealed: revealed.clone(),
            signature: Signature([0; SIGNATURE_BYTES]),
        });
        match self.deeds.settles {
            Settles::Never | Settles::Early => (Vec::new(), Some(Disqualified::NoSettlement)),
            Settles::OtherSize => {
                let receipts = Signers::from_members(n + 1, signers.iter()).expect("members");
                (vec![sign(Settlement { receipts, ..first })], Some(Disqualified::NoSettlement))
            }
            Settles::Twice => {
                let other = committee.identity(me).sign(DomainTag::DKG_RECEIPT, &[8; 32]);
                let second = sign(Settlement { aggregate: other, ..first.clone() });
                (vec![first, second], Some(Disqualified::TwoSettlements))
            }
            _ => (vec![first], fault),
        }
    }
}

/// A settlement that its dealer signed before anybody could have signed a receipt.
pub(super) fn early_settlement(committee: &Committee, dealer: MinerId) -> Settlement {
    let n = committee.session.size();
    let identity = committee.identity(dealer);
    let mut settlement = Settlement {
        attempt: committee.session.attempt(),
        dealer,
        receipts: Signers::from_members(n, committee.session.members()).expect("members"),
        aggregate: identity.sign(DomainTag::DKG_RECEIPT, &[6; 32]),
        revealed: Vec::new(),
        signature: Signature([0; SIGNATURE_BYTES]),
    };
    settlement.signature = identity.sign(DomainTag::DKG_SETTLEMENT, &settlement.digest(&committee.session));
    settlement
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The generator must reach every deed and every verdict, or the target is empty.
    #[test]
    pub(super) fn plans_reach_every_deed() {
        let mut random = crate::schedule::Random::new(11);
        let mut told = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let plan = Plan::read(&random.bits().to_le_bytes());
            for deeds in plan.dishonest.values() {
                let name = |deed: String| deed.split('(').next().map(str::to_owned);
                told.extend(name(format!("deals {:?}", deeds.deals)));
                told.extend(name(format!("settles {:?}", deeds.settles)));
            }
        }
        assert_eq!(told.len(), 9 + 9, "{told:?}");
    }
}
