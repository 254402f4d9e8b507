//! Values that a verifier need not compute twice: hashes of messages, lines of summed keys, and verified certificates.
//!
//! Everything here is a pure function of its key, so that an answer never depends on what is remembered. Each list forgets
//! its oldest entry first, and only what verified is ever listed as verified.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::committee::MinerId;
use crate::curve::G1;
use crate::group_testing::PreparedKey;
use crate::keys::DomainTag;
use crate::scheme::AggregateClaim;
use crate::signature::Signature;

/// Messages whose hashes are kept: those of a few subrounds.
const HASHES: usize = 32;

/// Sets of signers whose prepared keys are kept, at 20 KB each.
const KEYS: usize = 16;

/// Verified certificates that are kept.
const VERIFIED: usize = 128;

/// Shared by the clones of one scheme.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Lists>>);

#[derive(Default)]
struct Lists {
    hashes: VecDeque<(DomainTag, Box<[u8]>, G1)>,
    keys: VecDeque<(Box<[MinerId]>, PreparedKey)>,
    verified: VecDeque<KnownClaim>,
}

/// An [`AggregateClaim`] of its own.
struct KnownClaim {
    tag: DomainTag,
    message: Box<[u8]>,
    signers: Box<[MinerId]>,
    aggregate: Signature,
}

impl Memory {
    pub(super) fn hash(&self, tag: DomainTag, message: &[u8]) -> G1 {
        let known = self
            .lists()
            .hashes
            .iter()
            .rev()
            .find(|(t, m, _)| *t == tag && **m == *message)
            .map(|(.., hash)| *hash);
        known.unwrap_or_else(|| {
            let hash = G1::hash(tag.as_bytes(), message);
            remember(&mut self.lists().hashes, HASHES, (tag, message.into(), hash));
            hash
        })
    }

    /// The lines of a point that is a function of `signers`.
    pub(super) fn key(
        &self,
        signers: &[MinerId],
        prepare: impl FnOnce() -> Option<PreparedKey>,
    ) -> Option<PreparedKey> {
        let known =
            self.lists().keys.iter().rev().find(|(s, _)| **s == *signers).map(|(_, key)| Arc::clone(key));
        if known.is_some() {
            return known;
        }
        let key = prepare()?;
        remember(&mut self.lists().keys, KEYS, (signers.into(), Arc::clone(&key)));
        Some(key)
    }

    pub(super) fn is_verified(&self, claim: &AggregateClaim<'_>) -> bool {
        self.lists().verified.iter().rev().any(|known| {
            known.tag == claim.tag
                && *known.message == *claim.message
                && *known.signers == *claim.signers
                && known.aggregate == claim.aggregate
        })
    }

    /// Only for what verified.
    pub(super) fn remember_verified(&self, claim: &AggregateClaim<'_>) {
        let entry = KnownClaim {
            tag: claim.tag,
            message: claim.message.into(),
            signers: claim.signers.into(),
            aggregate: claim.aggregate,
        };
        remember(&mut self.lists().verified, VERIFIED, entry);
    }

    /// A panic of another thread leaves whole entries behind: each change is one push or pop.
    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory(..)")
    }
}

fn remember<T>(list: &mut VecDeque<T>, most: usize, entry: T) {
    if list.len() >= most {
        list.pop_front();
    }
    list.push_back(entry);
}
