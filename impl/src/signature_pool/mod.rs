//! Collecting signatures of many miners over a few statements until a quorum of them makes a certificate (step 6; timeouts
//! and finality votes are collected the same way).
//!
//! **Lazy.** A signature that comes straight from its signer is stored unverified, and not even decoded: it costs nothing
//! until enough signatures over one statement are there to make a certificate. Then all of them are verified as one group,
//! for one pairing product; only when that fails are the wrong ones looked for
//! ([`crate::crypto::group_testing`]), dropped, and their signers blamed. Nothing waits for ever: whoever adds a signature
//! asks for the certificate, and the last one needed makes it.
//!
//! A ticket that came with both coordinates is kept with them and never decoded at all
//! ([`crate::crypto::uncompressed`]); where one signature is compared with another, both are in the form of 48 bytes.
//!
//! **Incremental.** A group that verified but is too small is kept as its sum. Signatures that come later are verified by
//! themselves and added to it, so that a ticket that completes a quorum again costs one check of its own, not one of all.
//!
//! **What a spammer costs.** Each miner has one unverified signature in a pool. A wrong one makes one group fail: at worst
//! the `f` Byzantine miners send theirs one at a time, each when the quorum seems complete, and every one costs a check of
//! what is new and of the one that replaces it. That is what verifying one by one would have cost, and never more. From
//! then on what they send is verified before it is stored, [`MAX_STRIKES`] times at most.
//!
//! **Whose slot.** Each signer has a place of its own, filled by the first signature. So that nobody can take another's
//! place with garbage, a signature that was relayed is verified before it is stored; the link authenticates the peer, so a
//! signer that sends garbage itself only harms itself. After that its signatures are verified one by one, at most
//! [`MAX_STRIKES`] wrong ones.
//!
//! **What a certificate proves.** The sum of a group is verified as that group, and never a part of it (two forged
//! signatures can cancel in a sum). A valid sum over registered keys means that all of the group's keys signed. It says
//! nothing about a single signature: where one is relied upon alone, for evidence or for credit, it is verified alone; and
//! when one of a group turns out to be wrong, the group is forgotten.

use std::sync::Arc;

use crate::certified::{Certified, Verified};
use crate::committee::{Committee, MinerId};
use crate::crypto::certificate::{Certificate, Signers};
use crate::crypto::scheme::{Signature, Verify};
use crate::crypto::uncompressed::{ReceivedSignature, UncompressedSignature};
use crate::limits::MAX_STRIKES;
use crate::statement::{Signed, Statement};

/// The result of adding a signature.
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
    /// The signature's coordinates, where they came with it.
    coordinates: Option<UncompressedSignature>,
    /// Verified alone; a signature that was verified in a group only is not.
    verified: bool,
}

impl<T> Entry<T> {
    fn received(&self) -> ReceivedSignature {
        match self.coordinates {
            Some(signature) => ReceivedSignature::Uncompressed(signature),
            None => ReceivedSignature::Compressed(self.signed.signature),
        }
    }
}

/// See the module doc.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SignaturePool<T> {
    /// In order of signer, then statement.
    entries: Vec<Entry<T>>,
    /// For a statement, the signatures that verified together, and their sum.
    groups: Vec<(T, Certificate)>,
    /// Signers that sent wrong signatures or contradicted themselves, and how often.
    strikes: Vec<(MinerId, u8)>,
    /// How many statements one signer may sign.
    per_signer: usize,
}

impl<T: Statement> SignaturePool<T> {
    /// An empty pool where each signer may sign `per_signer` different statements.
    #[must_use]
    pub fn new(per_signer: usize) -> Self {
        Self { entries: Vec::new(), groups: Vec::new(), strikes: Vec::new(), per_signer }
    }

    /// Adds a signature; `direct` says that its signer itself sent it over an authenticated link.
    pub fn add<S: Verify>(
        &mut self,
        signed: Signed<T>,
        direct: bool,
        committee: &Committee,
        scheme: &S,
    ) -> Added<T> {
        self.add_received(signed, None, direct, committee, scheme)
    }

    /// [`SignaturePool::add`] of a signature whose coordinates may have come with it: then it will not be decoded. Coordinates
    /// of another signature are not looked at.
    pub fn add_received<S: Verify>(
        &mut self,
        signed: Signed<T>,
        coordinates: Option<UncompressedSignature>,
        direct: bool,
        committee: &Committee,
        scheme: &S,
    ) -> Added<T> {
        let coordinates = coordinates.filter(|point| point.compressed() == signed.signature);
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
        self.insert(Entry { signed, coordinates, verified: !trusted_for_now });
        Added::Counted
    }

    /// Two signatures claim one place: verify both.
    fn settle<S: Verify>(
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
        if new.statement != known.statement && (self.verify_entry(&known, committee, scheme)) {
            // One proof convicts: a signer without end of contradictions costs no more than one of wrong signatures.
            self.strike(new.signer, true);
            return Added::Contradiction { first: known };
        }
        // A signature is unique, so that what differs from the genuine one over the same statement is wrong.
        self.entries.retain(|entry| entry.signed != known);
        self.groups.retain(|(statement, group)| {
            *statement != known.statement || !group.signers.contains(known.signer)
        });
        self.strike(new.signer, true);
        self.insert(Entry { signed: new, coordinates: None, verified: true });
        Added::Counted
    }

    fn verify_entry<S: Verify>(&mut self, known: &Signed<T>, committee: &Committee, scheme: &S) -> bool {
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

    /// Whether the next signature of `signer` is verified by itself, because of an earlier one.
    #[must_use]
    pub fn suspects(&self, signer: MinerId) -> bool {
        (1..MAX_STRIKES).contains(&self.strikes(signer))
    }

    pub(crate) fn strikes(&self, signer: MinerId) -> u8 {
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

    /// The signatures of `signer` in this pool.
    pub fn signed_by(&self, signer: MinerId) -> impl Iterator<Item = &Signed<T>> {
        self.of(signer).iter().map(|entry| &entry.signed)
    }

    /// The certificate over `statement`, when at least `threshold` genuine signatures are here. Wrong signatures that were
    /// found on the way are dropped and their signers appended to `blamed`.
    pub fn certify<S: Verify>(
        &mut self,
        statement: &T,
        threshold: usize,
        committee: &Committee,
        scheme: &S,
        blamed: &mut Vec<MinerId>,
    ) -> Option<Verified<Arc<Certified<T>>>> {
        if self.count(statement) < threshold.max(1) {
            return None;
        }
        let fresh = self.outside_group(statement);
        if !fresh.is_empty() {
            let sifted = scheme.sift_received(T::DOMAIN, &statement.preimage(committee), &fresh);
            self.drop_wrong(statement, &sifted.wrong);
            blamed.extend(sifted.wrong);
            if let Some((signers, sum)) = sifted.group {
                self.join_group(statement, &signers, sum, scheme);
            }
        }
        let group = self.group(statement)?;
        // Group by group its parts verified, by distinct registered members: that is what a certificate is (S8).
        (group.signers.count() >= threshold.max(1)).then(|| {
            Verified::trusted(Arc::new(Certified { statement: *statement, certificate: group.clone() }))
        })
    }

    /// Verifies by itself what each of `signers` (in order) signed over `statement`, where no check has seen it, so that it
    /// spoils no sum: they have shown a fault elsewhere. Wrong signatures are dropped and their signers returned.
    pub fn verify_alone<S: Verify>(
        &mut self,
        statement: &T,
        signers: &[MinerId],
        committee: &Committee,
        scheme: &S,
    ) -> Vec<MinerId> {
        let mut wrong = Vec::new();
        let open = if signers.is_empty() { Vec::new() } else { self.outside_group(statement) };
        for (signer, _) in open {
            let is_open = |entry: &&mut Entry<T>| {
                entry.signed.signer == signer && entry.signed.statement == *statement && !entry.verified
            };
            if signers.binary_search(&signer).is_ok()
                && let Some(entry) = self.entries.iter_mut().find(is_open)
            {
                entry.verified = entry.signed.is_genuine(committee, scheme);
                wrong.extend(Some(signer).filter(|_| !entry.verified));
            }
        }
        self.drop_wrong(statement, &wrong);
        wrong
    }

    fn group(&self, statement: &T) -> Option<&Certificate> {
        self.groups.iter().find(|(of, _)| of == statement).map(|(_, group)| group)
    }

    /// The signatures over `statement` that no check has seen yet, in order of their signers.
    fn outside_group(&self, statement: &T) -> Vec<(MinerId, ReceivedSignature)> {
        let group = self.group(statement);
        let outside = |signer| group.is_none_or(|group| !group.signers.contains(signer));
        self.entries
            .iter()
            .filter(|entry| entry.signed.statement == *statement && outside(entry.signed.signer))
            .map(|entry| (entry.signed.signer, entry.received()))
            .collect()
    }

    /// Adds signatures that verify together to those that already did.
    fn join_group<S: Verify>(&mut self, statement: &T, signers: &[MinerId], sum: Signature, scheme: &S) {
        let joined = match self.group(statement) {
            None => Signers::from_members(scheme.committee_size(), signers.iter().copied())
                .map(|signers| Certificate { signers, aggregate: sum })
                .ok(),
            Some(group) => group.joined_by(signers, &sum, scheme),
        };
        if let Some(joined) = joined {
            self.groups.retain(|(of, _)| of != statement);
            self.groups.push((*statement, joined));
        }
    }

    fn drop_wrong(&mut self, statement: &T, wrong: &[MinerId]) {
        self.entries.retain(|entry| {
            entry.signed.statement != *statement || wrong.binary_search(&entry.signed.signer).is_err()
        });
        for &signer in wrong {
            self.strike(signer, true);
        }
    }
}

#[cfg(test)]
mod tests;
