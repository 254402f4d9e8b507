//! Members of a key generation that lie, for tests and simulations: each is an honest participant whose messages are changed on their
//! way out ([`Lie::items`], [`Lie::receipt`]). No node uses it. It stands here, as the mock signatures do, because unit tests of this
//! crate and `zus-sim` tell the same lies.

use crate::committee::MinerId;
use crate::crypto::certificate::Signers;
use crate::crypto::curve::Scalar;
use crate::crypto::dkg::{Dealer, Dealing, Receipt, Settlement};
use crate::crypto::keys::{DomainTag, SecretKey, aggregate};
use crate::epochs::item::{EpochItem, ItemKind};
use crate::epochs::key_generation::Progress;

/// The seed of a second dealing: no secret, since the dealer is out.
const OTHER_SEED: [u8; 32] = [9; 32];

/// The departure of a member from the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lie {
    /// Nothing at all.
    Silent,
    /// No registration: each dealer has to reveal its share.
    NoRegistration,
    /// No dealing.
    NoDealing,
    /// Two dealings.
    TwoDealings,
    /// A dealing whose sealed share for this member does not open.
    WrongShareFor(u16),
    /// No receipts.
    NoReceipts,
    /// Receipts with a wrong signature.
    WrongReceipts,
    /// No settlement.
    NoSettlement,
    /// Two settlements.
    TwoSettlements,
    /// A settlement with a wrong share in the place of this member's receipt.
    WrongRevealed(u16),
    /// A settlement with one more share in clear than is allowed.
    TooManyRevealed,
    /// A settlement that claims the receipts of all.
    ClaimsReceipts,
    /// No ready statement.
    NotReady,
}

impl Lie {
    /// Every kind of lie; where it has a victim, that is this member.
    #[must_use]
    pub const fn all(victim: u16) -> [Self; 13] {
        [
            Self::Silent,
            Self::NoRegistration,
            Self::NoDealing,
            Self::TwoDealings,
            Self::WrongShareFor(victim),
            Self::NoReceipts,
            Self::WrongReceipts,
            Self::NoSettlement,
            Self::TwoSettlements,
            Self::WrongRevealed(victim),
            Self::TooManyRevealed,
            Self::ClaimsReceipts,
            Self::NotReady,
        ]
    }

    /// Whether the dealer must not qualify after this lie.
    #[must_use]
    pub const fn disqualifies(self) -> bool {
        match self {
            Lie::Silent
            | Lie::NoDealing
            | Lie::NoRegistration
            | Lie::TwoDealings
            | Lie::NoSettlement
            | Lie::TwoSettlements
            | Lie::WrongRevealed(_)
            | Lie::TooManyRevealed
            | Lie::ClaimsReceipts => true,
            // The participant inside settles its own dealing only, which is not the one on the chain.
            Lie::WrongShareFor(_) => true,
            Lie::NoReceipts | Lie::WrongReceipts | Lie::NotReady => false,
        }
    }

    /// A receipt on its way out; `identity` is the key of its sender.
    #[must_use]
    pub fn receipt(self, identity: &SecretKey, receipt: Receipt) -> Option<Receipt> {
        match self {
            Lie::Silent | Lie::NoReceipts => None,
            Lie::WrongReceipts => {
                let signature = identity.sign(DomainTag::DKG_RECEIPT, b"nothing");
                Some(Receipt { signature, ..receipt })
            }
            Lie::NoRegistration
            | Lie::NoDealing
            | Lie::TwoDealings
            | Lie::WrongShareFor(_)
            | Lie::NoSettlement
            | Lie::TwoSettlements
            | Lie::WrongRevealed(_)
            | Lie::TooManyRevealed
            | Lie::ClaimsReceipts
            | Lie::NotReady => Some(receipt),
        }
    }

    /// The items that the member `me` sends in the place of an honest one; `tip` is the state in which it sends it. `identity` gives the
    /// keys of the members: its own, and those of the others for receipts that are right beside shares that are wrong.
    #[must_use]
    pub fn items(
        self,
        me: MinerId,
        identity: &dyn Fn(MinerId) -> SecretKey,
        item: EpochItem,
        tip: &Progress,
    ) -> Vec<EpochItem> {
        match (self, item.as_item().kind) {
            (Lie::Silent, _)
            | (Lie::NoRegistration, ItemKind::Registration)
            | (Lie::NoDealing, ItemKind::Dealing)
            | (Lie::NoSettlement, ItemKind::Settlement)
            | (Lie::NotReady, ItemKind::Ready) => Vec::new(),
            (Lie::TwoDealings | Lie::WrongShareFor(_), ItemKind::Dealing) => {
                self.dealings(me, &identity(me), &item, tip).unwrap_or_else(|| vec![item])
            }
            (
                Lie::TwoSettlements | Lie::WrongRevealed(_) | Lie::TooManyRevealed | Lie::ClaimsReceipts,
                ItemKind::Settlement,
            ) => self.settlements(me, identity, &item, tip).unwrap_or_else(|| vec![item]),
            _ => vec![item],
        }
    }

    /// `None` where there is nothing to lie about: the victim has no sealed share.
    fn dealings(
        self,
        me: MinerId,
        identity: &SecretKey,
        item: &EpochItem,
        tip: &Progress,
    ) -> Option<Vec<EpochItem>> {
        let session = tip.session()?;
        match self {
            Lie::TwoDealings => {
                let other = Dealer::new(session, me, identity.clone(), &OTHER_SEED).ok()?;
                Some(vec![item.clone(), other.dealing().into()])
            }
            Lie::WrongShareFor(victim) => {
                let mut dealing = Dealing::decode(session, item.as_item().bytes).ok()?;
                let position = session.sealed_position(MinerId(victim))?;
                dealing.sealed.get_mut(position)?.0[40] ^= 1;
                dealing.signature = identity.sign(DomainTag::DKG_DEALING, &dealing.digest(session));
                Some(vec![(&dealing).into()])
            }
            _ => None,
        }
    }

    fn settlements(
        self,
        me: MinerId,
        identity: &dyn Fn(MinerId) -> SecretKey,
        item: &EpochItem,
        tip: &Progress,
    ) -> Option<Vec<EpochItem>> {
        let session = tip.session()?;
        let right = Settlement::decode(session, item.as_item().bytes).ok()?;
        let digest = tip.transcript()?.dealing_digest(me)?;
        let without = |members: &[u16]| {
            let kept = right.receipts.iter().filter(|member| !members.contains(&member.0));
            Signers::from_members(session.size(), kept).ok()
        };
        let mut wrong = right.clone();
        match self {
            Lie::TwoSettlements => wrong.aggregate = identity(me).sign(DomainTag::DKG_RECEIPT, b"other"),
            Lie::WrongRevealed(victim) => {
                let before = wrong.revealed.len();
                wrong.receipts = without(&[victim])?;
                let mut missing = session.members().filter(|member| !wrong.receipts.contains(*member));
                let position = missing.position(|member| member.0 == victim)?;
                if session.size() - wrong.receipts.count() > before {
                    wrong.revealed.insert(position, Scalar::from_u64(5));
                } else {
                    *wrong.revealed.get_mut(position)? = Scalar::from_u64(5);
                }
            }
            Lie::TooManyRevealed => {
                let most = session.parameters().max_revealed() + 1;
                wrong.receipts = without(&(0..most as u16).collect::<Vec<_>>())?;
                wrong.revealed = vec![Scalar::from_u64(5); session.size() - wrong.receipts.count()];
            }
            Lie::ClaimsReceipts => {
                wrong.receipts = Signers::from_members(session.size(), session.members()).ok()?;
                wrong.revealed.clear();
                wrong.aggregate = identity(me).sign(DomainTag::DKG_RECEIPT, b"all of them");
            }
            _ => return None,
        }
        if matches!(self, Lie::WrongRevealed(_) | Lie::TooManyRevealed) {
            // The receipts are right, so that nothing but the shares is wrong.
            let signed = wrong.receipts.iter().map(|it| identity(it).sign(DomainTag::DKG_RECEIPT, digest));
            wrong.aggregate = aggregate(&signed.collect::<Vec<_>>()).ok()?;
        }
        wrong.signature = identity(me).sign(DomainTag::DKG_SETTLEMENT, &wrong.digest(session));
        match self {
            Lie::TwoSettlements => Some(vec![(&right).into(), (&wrong).into()]),
            _ => Some(vec![(&wrong).into()]),
        }
    }
}
