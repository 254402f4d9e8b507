//! Collecting signatures of many miners over a few statements until a quorum of them makes a certificate (step 6; timeouts
//! and finality votes are collected the same way).
//!
//! **Lazy.** A signature that comes straight from its signer is stored unverified: it costs nothing until enough signatures
//! over one statement are there. Then their sum is verified once. Only when the sum is wrong are they verified one by one;
//! the wrong ones are dropped and their signers blamed.
//!
//! **Whose slot.** Each signer has a place of its own, filled by the first signature. So that nobody can take another's
//! place with garbage, a signature that was relayed is verified before it is stored; the link authenticates the peer, so a
//! signer that sends garbage itself only harms itself. After that its signatures are verified one by one, at most
//! [`MAX_STRIKES`] wrong ones.
//!
//! **What a certificate proves.** The sum of a group is verified as that group, and never a part of it (two forged
//! signatures can cancel in a sum). A valid sum over registered keys means that all of the group's keys signed.

use std::sync::Arc;

use crate::bounds::MAX_STRIKES;
use crate::certified::{Certified, Verified};
use crate::committee::{Committee, MinerId};
use crate::crypto::certificate::Certificate;
use crate::crypto::scheme::Scheme;
use crate::statement::{Signed, Statement};

/// What became of a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Added<T> {
    /// It is stored and counts.
    Counted,
    /// It was here already, or its signer has no place left.
    Ignored,
    /// It is not its signer's signature.
    Wrong,
    /// It is genuine, and so is the signer's signature over another statement, where one is allowed.
    Contradiction {
        /// The other one.
        first: Signed<T>,
    },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Entry<T> {
    signed: Signed<T>,
    /// Verified alone; a signature that was verified in a group only is not.
    verified: bool,
}

/// See the module doc.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TicketPool<T> {
    /// In order of signer, then statement.
    entries: Vec<Entry<T>>,
    /// Signers that sent wrong signatures or contradicted themselves, and how often.
    strikes: Vec<(MinerId, u8)>,
    /// How many statements one signer may sign.
    per_signer: usize,
}

impl<T: Statement> TicketPool<T> {
    /// An empty pool where each signer may sign `per_signer` different statements.
    #[must_use]
    pub fn new(per_signer: usize) -> Self {
        Self { entries: Vec::new(), strikes: Vec::new(), per_signer }
    }

    /// Adds a signature; `direct` says that its signer itself sent it over an authenticated link.
    pub fn add<S: Scheme>(
        &mut self,
        signed: Signed<T>,
        direct: bool,
        committee: &Committee,
        scheme: &S,
    ) -> Added<T> {
        let strikes = self.strikes(signed.signer);
        if !committee.contains(signed.signer) || strikes >= MAX_STRIKES {
            return Added::Ignored;
        }
        let own = self.of(signed.signer);
        if let Some(known) = own.iter().find(|entry| entry.signed.statement == signed.statement) {
            if known.verified || known.signed.signature == signed.signature {
                return Added::Ignored;
            }
            return self.settle(signed, known.signed, direct, committee, scheme);
        }
        if own.len() >= self.per_signer {
            return match own.first() {
                Some(known) if self.per_signer == 1 => {
                    self.settle(signed, known.signed, direct, committee, scheme)
                }
                _ => Added::Ignored,
            };
        }
        let trusted_for_now = direct && strikes == 0;
        if !trusted_for_now && !signed.is_genuine(committee, scheme) {
            self.strike(signed.signer, direct);
            return Added::Wrong;
        }
        self.insert(Entry { signed, verified: !trusted_for_now });
        Added::Counted
    }

    /// Two signatures claim one place: verify both.
    fn settle<S: Scheme>(
        &mut self,
        new: Signed<T>,
        known: Signed<T>,
        direct: bool,
        committee: &Committee,
        scheme: &S,
    ) -> Added<T> {
        if !new.is_genuine(committee, scheme) {
            self.strike(new.signer, direct);
            return Added::Wrong;
        }
        if new.statement != known.statement && self.verify_entry(&known, committee, scheme) {
            // One proof convicts: a signer without end of contradictions costs no more than one of wrong signatures.
            self.strike(new.signer, true);
            return Added::Contradiction { first: known };
        }
        // A signature is unique, so that what differs from the genuine one over the same statement is wrong.
        self.entries.retain(|entry| entry.signed != known);
        self.strike(new.signer, true);
        self.insert(Entry { signed: new, verified: true });
        Added::Counted
    }

    fn verify_entry<S: Scheme>(&mut self, known: &Signed<T>, committee: &Committee, scheme: &S) -> bool {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.signed == *known) else { return false };
        entry.verified = entry.verified || known.is_genuine(committee, scheme);
        entry.verified
    }

    fn insert(&mut self, entry: Entry<T>) {
        let key = |entry: &Entry<T>| (entry.signed.signer, entry.signed.statement);
        if let Err(index) = self.entries.binary_search_by_key(&key(&entry), key) {
            self.entries.insert(index, entry);
        }
    }

    fn of(&self, signer: MinerId) -> &[Entry<T>] {
        let start = self.entries.partition_point(|entry| entry.signed.signer < signer);
        let length = self.entries[start..].iter().take_while(|entry| entry.signed.signer == signer).count();
        &self.entries[start..start + length]
    }

    fn strikes(&self, signer: MinerId) -> u8 {
        self.strikes.iter().find(|(striker, _)| *striker == signer).map_or(0, |(_, count)| *count)
    }

    /// A wrong signature counts against the signer only if it is certain that the signer sent it.
    fn strike(&mut self, signer: MinerId, direct: bool) {
        if !direct {
            return;
        }
        match self.strikes.iter_mut().find(|(striker, _)| *striker == signer) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.strikes.push((signer, 1)),
        }
    }

    /// How many signatures over `statement` are here, verified or not.
    #[must_use]
    pub fn count(&self, statement: &T) -> usize {
        self.entries.iter().filter(|entry| entry.signed.statement == *statement).count()
    }

    /// How many signatures are here, over whatever.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no signature is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The statements that at least `threshold` signatures claim.
    #[must_use]
    pub fn claimed(&self, threshold: usize) -> Vec<T> {
        let mut statements: Vec<T> = self.entries.iter().map(|entry| entry.signed.statement).collect();
        statements.sort_unstable();
        let counts = statements.chunk_by(|a, b| a == b);
        counts.filter(|same| same.len() >= threshold).map(|same| same[0]).collect()
    }

    /// What `signer` signed, as far as it is here.
    pub fn signed_by(&self, signer: MinerId) -> impl Iterator<Item = &Signed<T>> {
        self.of(signer).iter().map(|entry| &entry.signed)
    }

    /// The certificate over `statement`, when at least `threshold` genuine signatures are here. Wrong signatures that were
    /// found on the way are dropped and their signers appended to `blamed`.
    pub fn certify<S: Scheme>(
        &mut self,
        statement: &T,
        threshold: usize,
        committee: &Committee,
        scheme: &S,
        blamed: &mut Vec<MinerId>,
    ) -> Option<Verified<Arc<Certified<T>>>> {
        if let Some(certified) = self.sum(statement, threshold, scheme)?.checked(committee, threshold, scheme)
        {
            return Some(certified);
        }
        self.drop_wrong(statement, committee, scheme, blamed);
        self.sum(statement, threshold, scheme)?.checked(committee, threshold, scheme)
    }

    /// The sum of all signatures over `statement`. `None` when there are fewer than `threshold`.
    fn sum<S: Scheme>(&self, statement: &T, threshold: usize, scheme: &S) -> Option<Sum<T>> {
        let signatures: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| entry.signed.statement == *statement)
            .map(|entry| (entry.signed.signer, entry.signed.signature))
            .collect();
        if signatures.len() < threshold.max(1) {
            return None;
        }
        let certificate = Certificate::assemble(scheme, threshold, &signatures).ok();
        Some(Sum { statement: *statement, certificate })
    }

    fn drop_wrong<S: Scheme>(
        &mut self,
        statement: &T,
        committee: &Committee,
        scheme: &S,
        blamed: &mut Vec<MinerId>,
    ) {
        let first = blamed.len();
        self.entries.retain_mut(|entry| {
            if entry.signed.statement == *statement && !entry.verified {
                entry.verified = entry.signed.is_genuine(committee, scheme);
                if !entry.verified {
                    blamed.push(entry.signed.signer);
                    return false;
                }
            }
            true
        });
        for &signer in &blamed[first..] {
            self.strike(signer, true);
        }
    }
}

/// A sum that is not verified yet; without a certificate when the signatures could not be summed.
struct Sum<T> {
    statement: T,
    certificate: Option<Certificate>,
}

impl<T: Statement> Sum<T> {
    fn checked<S: Scheme>(
        self,
        committee: &Committee,
        threshold: usize,
        scheme: &S,
    ) -> Option<Verified<Arc<Certified<T>>>> {
        let certified = Certified { statement: self.statement, certificate: self.certificate? };
        Arc::new(certified).verified(committee, threshold, scheme).ok()
    }
}

#[cfg(test)]
mod tests;
