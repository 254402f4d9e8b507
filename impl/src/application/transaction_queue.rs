//! An example application: accounts that send numbered transactions. A block is valid when every transaction in it has the
//! next number of its account, on the chain below the block; so a transaction is executed once, on every chain.

use std::collections::{BTreeMap, VecDeque};

use thiserror::Error;

use super::Application;
use crate::block::{Block, BlockId};
use crate::committee::Round;

/// Bytes of the body of one transaction.
const MAX_BODY_BYTES: usize = 4_096;

/// Transactions that wait.
const MAX_QUEUED: usize = 65_536;

/// Bytes of a transaction beside its body: account, number, length.
const FRAME_BYTES: usize = 18;

/// One transaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Transaction {
    /// The account that sends it.
    pub account: u64,
    /// Its number: the first of an account is 0.
    pub number: u64,
    /// The content; not interpreted here. At most 4,096 bytes.
    pub body: Vec<u8>,
}

/// Why a transaction was not queued.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum QueueFull {
    /// Too many are waiting.
    #[error("{MAX_QUEUED} transactions are waiting already")]
    TooMany,
    /// Its body is too long.
    #[error("a body of {0} bytes, more than {MAX_BODY_BYTES}")]
    TooLong(usize),
}

/// Why a payload is not valid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum InvalidPayload {
    /// It is no list of transactions.
    #[error("byte {0} of the payload begins no transaction")]
    Malformed(usize),
    /// A transaction is not the next one of its account.
    #[error("transaction {found} of account {account} where {expected} is next")]
    OutOfOrder {
        /// The account.
        account: u64,
        /// The transaction's number.
        found: u64,
        /// The number that would be right.
        expected: u64,
    },
    /// The block's parent was neither validated nor committed.
    #[error("the parent of the block is not known")]
    UnknownParent,
}

/// The changes of a block above the last committed one: the next number of each account that it touches.
#[derive(Clone, Debug)]
struct Open {
    round: Round,
    parent: BlockId,
    next: BTreeMap<u64, u64>,
}

/// See the module doc. Starts with no accounts and no transactions.
#[derive(Clone, Debug)]
pub struct TransactionQueue {
    queue: VecDeque<Transaction>,
    /// The last committed block; `None`: whatever the first block is built upon.
    head: Option<BlockId>,
    next: BTreeMap<u64, u64>,
    open: BTreeMap<BlockId, Open>,
    committed: u64,
}

impl Default for TransactionQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl TransactionQueue {
    /// An application without history.
    #[must_use]
    pub fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            head: None,
            next: BTreeMap::new(),
            open: BTreeMap::new(),
            committed: 0,
        }
    }

    /// Queues a transaction for the blocks to come.
    ///
    /// # Errors
    /// When the queue is full or the transaction too long.
    pub fn submit(&mut self, transaction: Transaction) -> Result<(), QueueFull> {
        if transaction.body.len() > MAX_BODY_BYTES {
            return Err(QueueFull::TooLong(transaction.body.len()));
        }
        if self.queue.len() >= MAX_QUEUED {
            return Err(QueueFull::TooMany);
        }
        self.queue.push_back(transaction);
        Ok(())
    }

    /// How many transactions wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// How many transactions were committed.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// The number that the next transaction of an account has after the last committed block.
    #[must_use]
    pub fn next_number(&self, account: u64) -> u64 {
        self.next.get(&account).copied().unwrap_or(0)
    }

    /// Forgets what is not committed: what a crash does to it.
    pub fn restart(&mut self) {
        self.open.clear();
    }

    fn is_known(&self, block: BlockId) -> bool {
        self.head.is_none_or(|head| head == block) || self.open.contains_key(&block)
    }

    /// The next number of an account after `block`.
    fn number_after(&self, mut block: BlockId, account: u64) -> u64 {
        while let Some(open) = self.open.get(&block) {
            if let Some(&number) = open.next.get(&account) {
                return number;
            }
            block = open.parent;
        }
        self.next_number(account)
    }
}

impl Application for TransactionQueue {
    type Refusal = InvalidPayload;

    fn make_payload(&mut self, parent: &Block, limit: usize) -> Vec<u8> {
        let mut payload = Vec::new();
        let mut next = BTreeMap::new();
        for transaction in &self.queue {
            let Transaction { account, number, body } = transaction;
            let expected = *next.entry(*account).or_insert_with(|| self.number_after(parent.id(), *account));
            if expected != *number || payload.len() + FRAME_BYTES + body.len() > limit {
                continue;
            }
            next.insert(*account, number.saturating_add(1));
            payload.extend_from_slice(&account.to_be_bytes());
            payload.extend_from_slice(&number.to_be_bytes());
            payload.extend_from_slice(&(body.len() as u16).to_be_bytes());
            payload.extend_from_slice(body);
        }
        payload
    }

    fn validate(&mut self, block: &Block) -> Result<(), InvalidPayload> {
        let parent = block.header().parent;
        if !self.is_known(parent) {
            return Err(InvalidPayload::UnknownParent);
        }
        let mut next = BTreeMap::new();
        for transaction in transactions(block.payload()) {
            let Transaction { account, number, .. } = transaction?;
            let expected = *next.entry(account).or_insert_with(|| self.number_after(parent, account));
            if number != expected {
                return Err(InvalidPayload::OutOfOrder { account, found: number, expected });
            }
            next.insert(account, number.saturating_add(1));
        }
        self.open.insert(block.id(), Open { round: block.round(), parent, next });
        Ok(())
    }

    fn commit(&mut self, block: &Block) {
        for transaction in transactions(block.payload()).map_while(Result::ok) {
            self.committed += 1;
            self.next.insert(transaction.account, transaction.number.saturating_add(1));
        }
        self.head = Some(block.id());
        self.open.retain(|_, open| open.round > block.round());
        let next = &self.next;
        self.queue.retain(|waiting| next.get(&waiting.account).is_none_or(|&next| waiting.number >= next));
    }
}

/// The transactions of a payload, up to the first malformed one.
pub(super) fn transactions(payload: &[u8]) -> impl Iterator<Item = Result<Transaction, InvalidPayload>> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let offset = payload.len() - rest.len();
        let transaction = split_transaction(&mut rest);
        if transaction.is_none() {
            rest = &[];
        }
        Some(transaction.ok_or(InvalidPayload::Malformed(offset)))
    })
}

fn split_transaction(rest: &mut &[u8]) -> Option<Transaction> {
    let (account, after) = rest.split_first_chunk::<8>()?;
    let (number, after) = after.split_first_chunk::<8>()?;
    let (length, after) = after.split_first_chunk::<2>()?;
    let (body, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = after;
    let (account, number) = (u64::from_be_bytes(*account), u64::from_be_bytes(*number));
    (body.len() <= MAX_BODY_BYTES).then(|| Transaction { account, number, body: body.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{BlockContent, Closing, Time};
    use crate::committee::{ChainId, Epoch, MinerId, Subround};
    use crate::crypto::scheme::{BeaconValue, Signature};

    fn block(parent: &Block, payload: Vec<u8>) -> Block {
        Block::new(BlockContent {
            chain: ChainId([0; 32]),
            epoch: Epoch(0),
            round: parent.round().next(),
            subround: Subround(0),
            generator: MinerId(0),
            parent: parent.id(),
            parent_notarization: None,
            finality: None,
            beacon: BeaconValue([0; 32]),
            beacon_signature: Signature([0; 48]),
            closing: Closing::Open,
            items: Vec::new(),
            payload,
            time: Time(0),
        })
    }

    fn genesis() -> Block {
        Block::genesis(ChainId([0; 32]), Epoch(0), BeaconValue([0; 32]), Time(0))
    }

    fn transaction(account: u64, number: u64) -> Transaction {
        Transaction { account, number, body: vec![7; 10] }
    }

    #[test]
    fn a_payload_that_was_made_is_valid_and_executed_once() {
        let mut queue = TransactionQueue::new();
        for number in 0..3 {
            queue.submit(transaction(1, number)).unwrap();
        }
        queue.submit(transaction(2, 5)).unwrap();
        let first = block(&genesis(), queue.make_payload(&genesis(), 70));
        assert_eq!(queue.validate(&first), Ok(()));
        let second = block(&first, queue.make_payload(&first, 1_000));
        assert_eq!(queue.validate(&second), Ok(()));
        assert_eq!(transactions(first.payload()).count(), 2, "28 bytes each");
        assert_eq!(transactions(second.payload()).count(), 1, "the gap of account 2 waits");
        queue.commit(&first);
        queue.commit(&second);
        assert_eq!((queue.committed(), queue.waiting(), queue.next_number(1)), (3, 1, 3));
    }

    #[test]
    fn a_transaction_is_refused_twice_on_one_chain_and_accepted_on_two_branches() {
        let mut queue = TransactionQueue::new();
        queue.submit(transaction(1, 0)).unwrap();
        let payload = queue.make_payload(&genesis(), 1_000);
        let left = block(&genesis(), payload.clone());
        assert_eq!(queue.validate(&left), Ok(()));
        let twice = block(&left, payload.clone());
        assert_eq!(
            queue.validate(&twice),
            Err(InvalidPayload::OutOfOrder { account: 1, found: 0, expected: 1 })
        );
        let empty = block(&genesis(), Vec::new());
        assert_eq!(queue.validate(&empty), Ok(()));
        assert_eq!(queue.validate(&block(&empty, payload)), Ok(()), "another branch");
    }

    #[test]
    fn broken_payloads_and_unknown_parents_are_refused_with_the_reason() {
        let mut queue = TransactionQueue::new();
        assert_eq!(queue.validate(&block(&genesis(), vec![1; 17])), Err(InvalidPayload::Malformed(0)));
        queue.commit(&block(&genesis(), Vec::new()));
        let stranger = block(&block(&genesis(), vec![0; 18]), Vec::new());
        assert_eq!(queue.validate(&stranger), Err(InvalidPayload::UnknownParent));
        assert_eq!(
            queue.submit(Transaction { account: 0, number: 0, body: vec![0; 4_097] }),
            Err(QueueFull::TooLong(4_097))
        );
    }
}
