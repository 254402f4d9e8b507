//! The cost that a node may have outside the epoch that its participant is in: those that ask in an older epoch, and those that are in no
//! place of the present one. Within the epoch a participant has its own accounts.
//!
//! Nodes of the present and the last committee have an account each. All others share one: anybody can make keys. Work and answers of
//! an account are bounded at once and a second, as in [`accounts`](crate::accounts).

use std::collections::BTreeMap;

use super::roster::NodeId;
use crate::block::Time;
use crate::limits::{
    ANSWER_ALLOWANCE_BYTES, FAULT_WORK, GUEST_BYTES_PER_SECOND, HANDOFF_INTERVAL, SERVED_BYTES, WORK_LIMIT,
    WORK_PER_SECOND,
};

#[derive(Clone, Copy, Debug)]
struct Account {
    /// Work that is owed, in microseconds.
    debt: u64,
    /// Bytes of answers that are left.
    bytes: u64,
    /// When both were brought up to date.
    at: Time,
    /// When it was last told that an epoch is over.
    told: Option<Time>,
}

impl Account {
    fn new(now: Time) -> Self {
        Self { debt: 0, bytes: ANSWER_ALLOWANCE_BYTES, at: now, told: None }
    }

    fn pass(&mut self, now: Time) {
        let milliseconds = now.0.saturating_sub(self.at.0);
        self.debt = self.debt.saturating_sub(milliseconds.saturating_mul(WORK_PER_SECOND) / 1_000);
        let earned = milliseconds.saturating_mul(GUEST_BYTES_PER_SECOND) / 1_000;
        self.bytes = self.bytes.saturating_add(earned).min(ANSWER_ALLOWANCE_BYTES);
        // A clock that was set back says nothing of the time that has passed.
        self.at = now;
    }
}

/// See the module doc.
#[derive(Clone, Debug, Default)]
pub(super) struct Guests {
    known: BTreeMap<NodeId, Account>,
    strangers: Option<Account>,
}

impl Guests {
    /// The nodes that have accounts of their own from now on; accounts that are there already go on.
    pub fn know(&mut self, nodes: impl IntoIterator<Item = NodeId>, now: Time) {
        let mut before = std::mem::take(&mut self.known);
        let account = |node| (node, before.remove(&node).unwrap_or_else(|| Account::new(now)));
        self.known = nodes.into_iter().map(account).collect();
    }

    fn of(&mut self, node: NodeId, now: Time) -> &mut Account {
        let account = match self.known.get_mut(&node) {
            Some(account) => account,
            None => self.strangers.get_or_insert_with(|| Account::new(now)),
        };
        account.pass(now);
        account
    }

    /// Whether something is looked at that costs this much work. It is charged.
    pub fn hears(&mut self, node: NodeId, work: u64, now: Time) -> bool {
        let account = self.of(node, now);
        let hears = account.debt <= WORK_LIMIT;
        if hears {
            account.debt = account.debt.saturating_add(work);
        }
        hears
    }

    /// It was worth it.
    pub fn forgive(&mut self, node: NodeId, work: u64, now: Time) {
        let account = self.of(node, now);
        account.debt = account.debt.saturating_sub(work);
    }

    /// A message of the node proves it faulty.
    pub fn fault(&mut self, node: NodeId, now: Time) {
        let account = self.of(node, now);
        account.debt = account.debt.saturating_add(FAULT_WORK);
    }

    /// Whether the node is told now that an epoch is over; it was not within [`HANDOFF_INTERVAL`].
    pub fn may_tell(&mut self, node: NodeId, now: Time) -> bool {
        let account = self.of(node, now);
        let may = account.told.is_none_or(|told| now < told || now >= told + HANDOFF_INTERVAL);
        if may {
            account.told = Some(now);
        }
        may
    }

    /// How many bytes of blocks the node may be sent now: they are taken from its allowance. `None`: it is not answered.
    pub fn answer_bytes(&mut self, node: NodeId, now: Time) -> Option<usize> {
        let account = self.of(node, now);
        let most = SERVED_BYTES as u64;
        let left = account.bytes;
        account.bytes = left.checked_sub(most.min(left.max(1)))?;
        usize::try_from(left.min(most)).ok()
    }

    /// How many accounts are held.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.known.len() + usize::from(self.strangers.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{CHECK_WORK, MESSAGE_WORK};

    fn node(number: u32) -> NodeId {
        NodeId::of(&number.to_be_bytes())
    }

    #[test]
    fn strangers_share_one_account_and_cannot_use_up_that_of_a_known_node() {
        let mut guests = Guests::default();
        guests.know((0..4).map(node), Time(0));
        let heard = (10..10_000).filter(|&number| guests.hears(node(number), CHECK_WORK, Time(0))).count();
        assert_eq!(heard as u64, WORK_LIMIT / CHECK_WORK + 1);
        assert!(guests.hears(node(1), MESSAGE_WORK, Time(0)));
        assert_eq!(guests.held(), 5);
        // Time pays the debt back.
        assert!(guests.hears(node(77), CHECK_WORK, Time(1_000)));
        // A node that is known no more is a stranger.
        guests.know([node(2)], Time(1_000));
        assert_eq!(guests.held(), 2);
    }

    #[test]
    fn answers_are_bounded_at_once_and_a_second() {
        let mut guests = Guests::default();
        guests.know([node(0)], Time(0));
        let bytes = |guests: &mut Guests, now| {
            std::iter::from_fn(|| guests.answer_bytes(node(0), now)).map(|bytes| bytes as u64).sum::<u64>()
        };
        assert_eq!(bytes(&mut guests, Time(0)), ANSWER_ALLOWANCE_BYTES);
        assert_eq!(bytes(&mut guests, Time(1_000)), GUEST_BYTES_PER_SECOND);
        assert!(guests.may_tell(node(0), Time(0)) && !guests.may_tell(node(0), Time(100)));
        assert!(guests.may_tell(node(0), Time(200)));
    }

    #[test]
    fn a_node_with_faults_is_not_heard_until_it_has_paid() {
        let mut guests = Guests::default();
        guests.fault(node(0), Time(0));
        guests.fault(node(0), Time(0));
        assert!(!guests.hears(node(0), MESSAGE_WORK, Time(0)));
        assert!(guests.hears(node(0), MESSAGE_WORK, Time(1_000)));
    }
}
