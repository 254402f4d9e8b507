//! The cost of each peer, and when a peer is ignored for a while. Shared by miner and sharder.
//!
//! Every peer has a debt of *work*, in microseconds of processor time as [`limits`](crate::limits) states it for a committee
//! of 100, measured by `benches/measure/src/bin/floods`. Each message of the peer adds to the debt: a little for a message, and
//! for its bytes if they are decoded, much for a fault that is proved to be its own
//! ([`Refusal::proves_sender_faulty`](crate::miner::Refusal::proves_sender_faulty), a wrong signature that was held, a
//! contradiction), and a signature check for a statement that had to be verified and led nowhere. Time pays the debt
//! back. As long as it is above [`WORK_LIMIT`], messages of that peer are dropped before they are decoded. So one peer
//! costs [`WORK_LIMIT`] once and [`WORK_PER_SECOND`] from then on, whatever it sends.
//!
//! A fault is often found late: a wrong share, ticket or vote is held until a quorum is summed. So who owes for a fault is a
//! *suspect*: what it sent before is verified by itself and spoils no further sum. That is charged for where it is wrong only, or
//! a suspect would remain one for ever.
//!
//! **What led somewhere is free**: a certificate that was not known, a block that became a candidate, an answer that was asked for and
//! helped. An honest peer cannot add to it at will: each certificate cost a quorum, a generator has one block a
//! subround, and answers are asked for. Nor can a Byzantine one. Honest traffic leaves a debt of some dozens of
//! microseconds a round.
//!
//! **Honest peers are never muted.** While nothing moves, a miner says the same again every
//! [`Timing::resend`](crate::miner::Timing::resend). If repetitions cost more than time pays back, honest miners would mute each other
//! for good, and no Byzantine one is needed to stop the chain. So a repetition costs [`MESSAGE_WORK`] and its bytes if it is
//! small, and [`MESSAGE_WORK`] alone if it is a block, of whatever size: a known block is told by its signature before it is
//! decoded. Known are candidates, and the last block of each generator that is *set aside*: it is right, and cannot be
//! a candidate yet (its parent is missing, it is built on another seed, its time has not come). Once another block of its generator is
//! a candidate, the one set aside convicts the generator and is looked at again, once. The first arrival of a block that is
//! set aside is free like that of a candidate, once for each subround, since positions of what is set aside only rise, and each new position
//! cost a quorum. The arithmetic, in work units (microseconds), for a committee of `n`:
//!
//! | one repetition by one miner | bytes | work, n = 100 |
//! |---|--:|--:|
//! | notarization, timeout certificate, finality certificate | `96 + n / 8` each | 3 |
//! | beacon share | 61 to 97 | 1 |
//! | tickets: one, or up to 2 for each generator under rules that ticket again | 97, or 145 uncompressed | 2, or up to `4 G` |
//! | timeout | 65 | 1 |
//! | [`RESENT_VOTES`](crate::limits::RESENT_VOTES) finality votes | 97 each | 2 |
//! | proposal, up to 1 MiB | 1,048,914 | 1 |
//! | **sum**, at most ([`Config::resend_work`](crate::miner::Config::resend_work)) | | 10 |
//!
//! - Time pays 8 units a millisecond. Repetitions may take half of it, so `resend` has a least value: twice the sum divided by 8, 3 ms for
//!   `n = 100` and one ticket. A shorter one is refused
//!   ([`StartError::ResendTooShort`](crate::miner::StartError::ResendTooShort)).
//! - The other half is for progress. A round leaves 8 units: share, ticket (2), notarization, vote, finality certificate, and two that others
//!   have sent already. 500 rounds a second take the half.
//! - A miner that catches up relays what it learns: of each of the 32 rounds of an answer a notarization, a share and a vote, 98 units an answer with
//!   its certificate of finality and the request. One peer answers it once in
//!   [`Timing::answer_interval`](crate::miner::Timing::answer_interval): 98 units in 20 ms, 4.9 a millisecond. The peer that answers sends an answer that is free
//!   when it is right, and evidence against at most `f` miners: 66 units for `f` = 33, 3.3 a millisecond. With a shorter interval the miner
//!   that catches up is at most slowed down to 8 units a millisecond.
//! - The small statements leave before the block in each repetition. Should a block be charged for all the same, they were heard
//!   before it was.
//!
//! **Why this costs no progress.** A message that is dropped is lost as on a network that loses messages: what the protocol
//! cannot do without is sent again ([resend](crate::miner)), by everybody. The debt is of the peer at the other end of the
//! link and not of the signers that it names: what a peer that is not heard has signed still counts in certificates that others
//! relay. Peers that break no rule are not affected, and a peer that did is heard again when the debt is paid.
//!
//! **Answers** to chain requests have a budget in bytes. Each peer has an allowance: [`ANSWER_ALLOWANCE_BYTES`] at once, and a
//! share of [`ANSWER_BYTES_PER_SECOND`] from then on, which all peers divide evenly, so that none can use up the share of another.
//! Beyond the allowance it gets [`ANSWER_BYTES_PER_REQUEST_BYTE`] bytes for each byte of its requests.
//!
//! Accounts belong to members and not to links: who connects again has the same one, and who is no member has none and is not
//! heard.
//!
//! All of it is integer arithmetic on the time that the caller gives: the same inputs have the same effect. It is no part of
//! a participant's state as `Eq` and `Hash` see it: it decides which messages are lost and how many blocks an answer has, and both are
//! free to a network anyhow.

use crate::block::Time;
use crate::committee::{Committee, MinerId, Peer, Round, Subround};
use crate::crypto::scheme::Signature;
use crate::limits::{
    ANSWER_ALLOWANCE_BYTES, ANSWER_BYTES_PER_REQUEST_BYTE, ANSWER_BYTES_PER_SECOND, BYTES_PER_WORK,
    CHECK_WORK, FAULT_WORK, MESSAGE_WORK, WORK_LIMIT, WORK_PER_SECOND,
};

/// One account for each participant; see the module doc.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    miners: u16,
    /// Miners, then sharders.
    accounts: Vec<Account>,
    /// The sender of the current message, and the work charged so far for receiving, decoding and checking it.
    arrival: Option<(Peer, u64)>,
}

/// The work of receiving a small message of so many bytes.
pub(crate) fn arrival_work(bytes: usize) -> u64 {
    MESSAGE_WORK + bytes as u64 / BYTES_PER_WORK
}

#[derive(Clone, Copy, Default, Debug)]
struct Account {
    /// Work that is not paid back, in microseconds.
    debt: u64,
    /// Bytes of answers that are not paid back.
    answered: u64,
    /// Faults that are proved to be this peer's.
    faults: u32,
    /// When debt and bytes were last reckoned.
    at: Time,
    /// Its last proposal that was set aside.
    aside: Option<Aside>,
}

/// A proposal that is right, and cannot be a candidate yet.
#[derive(Clone, Copy, Debug)]
struct Aside {
    position: (Round, Subround),
    /// `None` when it is looked at again.
    signature: Option<Signature>,
    /// When it is looked at again, whatever happens.
    until: Option<Time>,
}

impl Account {
    fn after(&self, now: Time, answer_bytes_per_millisecond: u64) -> Self {
        let milliseconds = now.0.saturating_sub(self.at.0);
        let paid = |debt: u64, rate: u64| debt.saturating_sub(milliseconds.saturating_mul(rate));
        Self {
            debt: paid(self.debt, WORK_PER_SECOND / 1_000),
            answered: paid(self.answered, answer_bytes_per_millisecond),
            at: now,
            ..*self
        }
    }
}

impl Accounts {
    /// Nobody owes anything.
    pub fn new(committee: &Committee) -> Self {
        let peers = usize::from(committee.miners()) + usize::from(committee.sharders());
        Self { miners: committee.miners(), accounts: vec![Account::default(); peers], arrival: None }
    }

    fn index(&self, peer: Peer) -> usize {
        match peer {
            Peer::Miner(miner) => usize::from(miner.0),
            Peer::Sharder(sharder) => usize::from(self.miners) + usize::from(sharder.0),
        }
    }

    /// Each peer's share of the bytes of all answers.
    fn answer_rate(&self) -> u64 {
        (ANSWER_BYTES_PER_SECOND / 1_000 / self.accounts.len().max(1) as u64).max(1)
    }

    /// The account as it is now. `None` for a stranger.
    fn settled(&mut self, peer: Peer, now: Time) -> Option<&mut Account> {
        let (index, rate) = (self.index(peer), self.answer_rate());
        let account = self.accounts.get_mut(index)?;
        *account = account.after(now, rate);
        Some(account)
    }

    /// Whether messages of `peer` are heard now.
    pub fn is_heard(&self, peer: Peer, now: Time) -> bool {
        let account = self.accounts.get(self.index(peer));
        account.is_none_or(|account| account.after(now, 0).debt < WORK_LIMIT)
    }

    /// Whether a message that arrived from `peer` is heard; if so, it is charged for.
    pub fn hears(&mut self, peer: Peer, now: Time) -> bool {
        self.arrival = None;
        let Some(account) = self.settled(peer, now) else { return true };
        if account.debt >= WORK_LIMIT {
            return false;
        }
        account.debt += MESSAGE_WORK;
        self.arrival = Some((peer, MESSAGE_WORK));
        true
    }

    /// So many bytes of the message that is being handled are decoded.
    pub fn decodes(&mut self, peer: Peer, bytes: usize) {
        self.charge_arrival(peer, bytes as u64 / BYTES_PER_WORK);
    }

    /// Adds `work` for the message that is being handled: it may turn out to be worth it.
    pub fn charge_arrival(&mut self, peer: Peer, work: u64) {
        self.charge(peer, work);
        if let Some((_, charged)) = self.arrival.as_mut().filter(|(from, _)| *from == peer) {
            *charged = charged.saturating_add(work);
        }
    }

    /// Adds `work` to the debt of `peer`.
    pub fn charge(&mut self, peer: Peer, work: u64) {
        let index = self.index(peer);
        if let Some(account) = self.accounts.get_mut(index) {
            account.debt = account.debt.saturating_add(work);
        }
    }

    /// `peer` has shown a fault.
    pub fn fault(&mut self, peer: Peer) {
        let index = self.index(peer);
        if let Some(account) = self.accounts.get_mut(index) {
            account.faults = account.faults.saturating_add(1);
            account.debt = account.debt.saturating_add(FAULT_WORK);
        }
    }

    /// Work that `peer` owes; 0 for a stranger.
    #[cfg(test)]
    pub fn debt(&self, peer: Peer) -> u64 {
        self.accounts.get(self.index(peer)).map_or(0, |account| account.debt)
    }

    /// How many faults `peer` has shown; 0 for a stranger.
    pub fn faults(&self, peer: Peer) -> u32 {
        self.accounts.get(self.index(peer)).map_or(0, |account| account.faults)
    }

    /// Miners that have shown a fault for which they still owe: what they sent before it was found is not summed with the
    /// others' (one wrong signature in a sum costs several checks, and each kind of message has a sum of its own).
    pub fn suspects(&self, now: Time) -> Vec<MinerId> {
        let miners = (0..self.miners).map(MinerId).zip(&self.accounts);
        let owes = |account: &Account| account.faults > 0 && account.after(now, 0).debt > CHECK_WORK;
        let suspects = miners.filter(|(_, account)| owes(account));
        suspects.map(|(miner, _)| miner).collect()
    }

    /// So much of what was charged was worth it.
    pub fn forgive(&mut self, peer: Peer, work: u64) {
        let index = self.index(peer);
        if let Some(account) = self.accounts.get_mut(index) {
            account.debt = account.debt.saturating_sub(work);
        }
    }

    /// The message that is being handled was worth what it was charged for having arrived.
    pub fn forgive_arrival(&mut self, peer: Peer) {
        if let Some((_, work)) = self.arrival.take_if(|(from, _)| *from == peer) {
            self.forgive(peer, work);
        }
    }

    /// The proposal of `peer` that is being handled is right, and cannot be a candidate: until `until`, or until
    /// [`Self::takes_up_again`]. Its arrival is free if its position is higher than that of the last one.
    pub fn set_aside(
        &mut self,
        peer: Peer,
        position: (Round, Subround),
        signature: Signature,
        until: Option<Time>,
    ) {
        let index = self.index(peer);
        let Some(account) = self.accounts.get_mut(index) else { return };
        let before = account.aside.map(|known| known.position);
        if before > Some(position) {
            return;
        }
        account.aside = Some(Aside { position, signature: Some(signature), until });
        if before < Some(position) {
            self.forgive_arrival(peer);
        }
    }

    /// Whether a proposal of `peer` is set aside.
    pub fn is_aside(&self, peer: Peer, position: (Round, Subround), signature: Signature, now: Time) -> bool {
        let aside = self.accounts.get(self.index(peer)).and_then(|account| account.aside.as_ref());
        aside.is_some_and(|known| {
            (known.position, known.signature) == (position, Some(signature))
                && known.until.is_none_or(|until| now < until)
        })
    }

    /// A block that was set aside may be a candidate now: each is looked at when it comes again.
    pub fn takes_up_again(&mut self) {
        self.accounts.iter_mut().filter_map(|account| account.aside.as_mut()).for_each(|aside| {
            aside.signature = None;
        });
    }

    /// How many bytes of answers `peer` may be sent now. `None` when it has had its share.
    pub fn answer_bytes(&mut self, peer: Peer, now: Time) -> Option<usize> {
        let answered = self.settled(peer, now)?.answered;
        let left = ANSWER_ALLOWANCE_BYTES.checked_sub(answered).filter(|&left| left > 0)?;
        Some(usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// `peer` asked with so many bytes.
    pub fn asked(&mut self, peer: Peer, bytes: usize, now: Time) {
        if let Some(account) = self.settled(peer, now) {
            let paid = (bytes as u64).saturating_mul(ANSWER_BYTES_PER_REQUEST_BYTE);
            account.answered = account.answered.saturating_sub(paid);
        }
    }

    /// An answer of so many bytes was sent.
    pub fn answered(&mut self, peer: Peer, bytes: usize) {
        let index = self.index(peer);
        if let Some(account) = self.accounts.get_mut(index) {
            account.answered = account.answered.saturating_add(bytes as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::committee::{ChainId, Epoch, SharderId};

    const PEER: Peer = Peer::Miner(MinerId(1));

    fn accounts() -> Accounts {
        Accounts::new(&Committee::new(ChainId([1; 32]), Epoch(1), 4, 2).expect("a committee"))
    }

    #[test]
    fn who_owes_too_much_is_not_heard_until_it_is_paid_back_and_others_are() {
        let mut accounts = accounts();
        let faults = WORK_LIMIT.div_ceil(FAULT_WORK);
        for _ in 0..faults {
            assert!(accounts.hears(PEER, Time(5)));
            accounts.fault(PEER);
        }
        assert_eq!(u64::from(accounts.faults(PEER)), faults);
        assert!(!accounts.hears(PEER, Time(5)));
        assert!(!accounts.is_heard(PEER, Time(5)));
        for other in [Peer::Miner(MinerId(0)), Peer::Miner(MinerId(2)), Peer::Sharder(SharderId(1))] {
            assert!(accounts.hears(other, Time(5)));
        }
        // A dropped message costs nothing.
        assert!(!accounts.hears(PEER, Time(5)));
        let owed = faults * (FAULT_WORK + MESSAGE_WORK) - WORK_LIMIT;
        let paid = Time(5 + owed * 1_000 / WORK_PER_SECOND + 1);
        assert!(!accounts.is_heard(PEER, Time(paid.0 - 2)));
        assert!(accounts.is_heard(PEER, paid));
        assert!(accounts.hears(PEER, paid));
    }

    /// However the time of a second is spent, no more than the stated work is done in it.
    #[test]
    fn work_beyond_the_limit_is_bounded_a_second() {
        for work in [0, 1_000, FAULT_WORK] {
            let mut accounts = accounts();
            let mut done = 0;
            for millisecond in 0..20_000 {
                for _ in 0..50 {
                    if accounts.hears(PEER, Time(millisecond)) {
                        accounts.charge(PEER, work);
                        done += MESSAGE_WORK + work;
                    }
                }
                if millisecond == 1_000 {
                    assert!(done <= 20_000 + FAULT_WORK, "{done} in the first second");
                }
            }
            assert!(done <= WORK_LIMIT + 20 * WORK_PER_SECOND + FAULT_WORK, "{done}");
        }
    }

    #[test]
    fn a_clock_that_goes_back_pays_nothing_and_locks_nobody_out() {
        let mut accounts = accounts();
        accounts.charge(PEER, WORK_LIMIT);
        assert!(!accounts.hears(PEER, Time(0)));
        accounts.charge(PEER, WORK_PER_SECOND);
        assert!(accounts.hears(PEER, Time(2_000)));
        accounts.charge(PEER, 2 * WORK_LIMIT);
        assert!(!accounts.hears(PEER, Time(1_000)));
        assert!(!accounts.hears(PEER, Time(2_000)));
        assert!(accounts.hears(PEER, Time(40_000)));
    }

    #[test]
    fn answers_have_a_budget_in_bytes_for_each_peer_and_in_all() {
        let mut accounts = accounts();
        let peers =
            (0..4).map(|i| Peer::Miner(MinerId(i))).chain((0..2).map(|i| Peer::Sharder(SharderId(i))));
        let mut sent = 0;
        for millisecond in 0..10_000 {
            for peer in peers.clone() {
                if let Some(bytes) = accounts.answer_bytes(peer, Time(millisecond)) {
                    let bytes = bytes.min(1 << 20);
                    accounts.answered(peer, bytes);
                    sent += bytes as u64;
                }
            }
        }
        assert!(sent <= 6 * ANSWER_ALLOWANCE_BYTES + 10 * ANSWER_BYTES_PER_SECOND, "{sent}");
        assert!(sent >= 6 * ANSWER_ALLOWANCE_BYTES, "{sent}");
        assert_eq!(accounts.answer_bytes(Peer::Sharder(SharderId(9)), Time(0)), None, "a stranger");
    }

    /// Beyond the allowance each byte of a request is worth so many of answers, and what is not used up is not saved.
    #[test]
    fn beyond_the_allowance_answers_are_sixteen_times_the_requests() {
        let sent = |request: usize, most: usize| {
            let mut accounts = accounts();
            let (mut sent, mut asked) = (0, 0);
            for millisecond in 0..10_000 {
                accounts.asked(PEER, request, Time(millisecond));
                asked += request as u64;
                if let Some(bytes) = accounts.answer_bytes(PEER, Time(millisecond)) {
                    let bytes = bytes.min(most);
                    accounts.answered(PEER, bytes);
                    sent += bytes as u64;
                }
            }
            (sent, asked)
        };
        let allowance = ANSWER_ALLOWANCE_BYTES + 10 * ANSWER_BYTES_PER_SECOND / 6;
        let is_right = |request: usize| {
            let (sent, asked) = sent(request, usize::MAX);
            let most = allowance + ANSWER_BYTES_PER_REQUEST_BYTE * asked;
            sent <= most && sent >= most * 99 / 100
        };
        for request in [0, 11, 43, 1_000] {
            assert!(is_right(request), "{:?} for requests of {request}", sent(request, usize::MAX));
        }
        // Small answers to large requests first, large ones to small requests then.
        let mut accounts = accounts();
        (0..1_000).for_each(|_| accounts.asked(PEER, 1 << 20, Time(0)));
        assert_eq!(accounts.answer_bytes(PEER, Time(0)), Some(ANSWER_ALLOWANCE_BYTES as usize));
    }

    /// The arrival of what is set aside is free once for each position: a generator that signs block after block for one position pays for
    /// all but the first.
    #[test]
    fn what_is_set_aside_is_free_once_for_each_position() {
        let mut accounts = accounts();
        let mut debt = |subround, tag| {
            assert!(accounts.hears(PEER, Time(0)));
            accounts.charge_arrival(PEER, 100);
            accounts.set_aside(PEER, (Round(3), Subround(subround)), Signature([tag; 48]), None);
            accounts.debt(PEER)
        };
        let debts = [debt(0, 1), debt(0, 2), debt(0, 3), debt(1, 4), debt(0, 5), debt(1, 6), debt(2, 7)];
        let paid = 100 + MESSAGE_WORK;
        assert_eq!(debts.map(|debt| debt / paid), [0, 1, 2, 2, 3, 4, 4], "{debts:?}");
    }

    /// Accounts are of members: another link is no new account, and a miner that sends as a sharder too has two of them at most.
    #[test]
    fn a_fault_is_remembered_for_the_member_and_not_for_the_link() {
        let mut accounts = accounts();
        accounts.charge(PEER, 2 * WORK_LIMIT);
        for _ in 0..3 {
            assert!(!accounts.hears(Peer::Miner(MinerId(1)), Time(1)));
        }
        for peer in 0..u16::MAX {
            accounts.charge(Peer::Miner(MinerId(peer)), 1);
        }
        assert_eq!(accounts.accounts.len(), 6, "no account for who is no member");
    }
}
