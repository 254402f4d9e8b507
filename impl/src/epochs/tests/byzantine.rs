//! Members that lie: each is an honest participant whose messages are changed on their way out.

use crate::committee::MinerId;
use crate::crypto::certificate::Signers;
use crate::crypto::curve::Scalar;
use crate::crypto::dkg::{Dealer, Dealing, Receipt, Session, Settlement};
use crate::crypto::keys::{DomainTag, aggregate};
use crate::epochs::item::{EpochItem, ItemKind};
use crate::epochs::key_generation::Progress;

use super::stage::{identity, seed};

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
    /// The lies after which the dealer must not qualify.
    pub fn disqualifies(self) -> bool {
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

    /// A receipt on its way out.
    pub fn receipt(self, receipt: Receipt) -> Option<Receipt> {
        match self {
            Lie::Silent | Lie::NoReceipts => None,
            Lie::WrongReceipts => {
                let signature = identity(receipt.recipient.0).sign(DomainTag::DKG_RECEIPT, b"nothing");
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
}

/// The items that a liar sends in the place of an honest one.
pub fn lies(lie: Lie, i: u16, item: EpochItem, tip: &Progress) -> Vec<EpochItem> {
    let session = tip.session();
    match (lie, item.as_item().kind) {
        (Lie::Silent, _)
        | (Lie::NoRegistration, ItemKind::Registration)
        | (Lie::NoDealing, ItemKind::Dealing)
        | (Lie::NoSettlement, ItemKind::Settlement)
        | (Lie::NotReady, ItemKind::Ready) => Vec::new(),
        (Lie::TwoDealings, ItemKind::Dealing) => {
            let session = session.expect("a dealing has a session");
            let other = Dealer::new(session, MinerId(i), identity(i), &seed(9, i)).unwrap();
            vec![item, other.dealing().into()]
        }
        (Lie::WrongShareFor(victim), ItemKind::Dealing) => {
            let session = session.expect("a dealing has a session");
            let mut dealing = Dealing::decode(session, item.as_item().bytes).unwrap();
            let position = session.sealed_position(MinerId(victim)).expect("a registered member");
            dealing.sealed[position].0[40] ^= 1;
            dealing.signature = identity(i).sign(DomainTag::DKG_DEALING, &dealing.digest(session));
            vec![(&dealing).into()]
        }
        (
            Lie::TwoSettlements | Lie::WrongRevealed(_) | Lie::TooManyRevealed | Lie::ClaimsReceipts,
            ItemKind::Settlement,
        ) => {
            let session = session.expect("a settlement has a session");
            let right = Settlement::decode(session, item.as_item().bytes).unwrap();
            let digest = tip.transcript().and_then(|it| it.dealing_digest(MinerId(i))).expect("dealt");
            settlements(lie, i, session, right, digest)
        }
        _ => vec![item],
    }
}

fn settlements(lie: Lie, i: u16, session: &Session, right: Settlement, digest: &[u8; 32]) -> Vec<EpochItem> {
    let without = |members: &[u16]| {
        let kept = right.receipts.iter().filter(|member| !members.contains(&member.0));
        Signers::from_members(session.size(), kept).unwrap()
    };
    let mut wrong = right.clone();
    match lie {
        Lie::TwoSettlements => wrong.aggregate = identity(i).sign(DomainTag::DKG_RECEIPT, b"other"),
        Lie::WrongRevealed(victim) => {
            let before = wrong.revealed.len();
            wrong.receipts = without(&[victim]);
            let position = session
                .members()
                .filter(|member| !wrong.receipts.contains(*member))
                .position(|member| member.0 == victim);
            if session.size() - wrong.receipts.count() > before {
                wrong.revealed.insert(position.unwrap(), Scalar::from_u64(5));
            } else {
                wrong.revealed[position.unwrap()] = Scalar::from_u64(5);
            }
        }
        Lie::TooManyRevealed => {
            let most = session.parameters().max_revealed() + 1;
            let members: Vec<u16> = (0..most as u16).collect();
            wrong.receipts = without(&members);
            let missing = session.size() - wrong.receipts.count();
            wrong.revealed = vec![Scalar::from_u64(5); missing];
        }
        Lie::ClaimsReceipts => {
            wrong.receipts = Signers::from_members(session.size(), session.members()).unwrap();
            wrong.revealed.clear();
            wrong.aggregate = identity(i).sign(DomainTag::DKG_RECEIPT, b"all of them");
        }
        _ => {}
    }
    if matches!(lie, Lie::WrongRevealed(_) | Lie::TooManyRevealed) {
        // The receipts are right, so that nothing but the shares is wrong.
        let signed = wrong.receipts.iter().map(|it| identity(it.0).sign(DomainTag::DKG_RECEIPT, digest));
        wrong.aggregate = aggregate(&signed.collect::<Vec<_>>()).unwrap();
    }
    wrong.signature = identity(i).sign(DomainTag::DKG_SETTLEMENT, &wrong.digest(session));
    match lie {
        Lie::TwoSettlements => vec![(&right).into(), (&wrong).into()],
        _ => vec![(&wrong).into()],
    }
}
