//! Committees of any size with their keys, and tickets of which some are invalid.

use zus_bpp::committee::{MinerId, max_faulty};
use zus_bpp::crypto::group_testing::KeySums;
use zus_bpp::crypto::keys::{DomainTag, PUBLIC_KEY_BYTES, SecretKey};
use zus_bpp::crypto::scheme::Signature;

/// Identity keys of a committee, and nothing else of it.
pub struct Keys {
    /// One a member.
    pub secrets: Vec<SecretKey>,
    /// As they travel.
    pub public: Vec<[u8; PUBLIC_KEY_BYTES]>,
    /// As a verifier keeps them.
    pub sums: KeySums,
}

impl Keys {
    /// The keys of `n` members; the same ones every time.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let secrets: Vec<SecretKey> = (0..n as u64)
            .map(|i| {
                let mut seed = [0x5a; 32];
                seed[..8].copy_from_slice(&i.to_le_bytes());
                SecretKey::from_seed(&seed)
            })
            .collect();
        let public: Vec<_> = secrets.iter().map(SecretKey::public_key).collect();
        let sums = KeySums::new(public.iter().map(|key| *key.point()).collect());
        Self { public: public.iter().map(|key| key.encode()).collect(), secrets, sums }
    }

    /// How many members.
    #[must_use]
    pub fn n(&self) -> usize {
        self.secrets.len()
    }

    /// How many of them may be Byzantine.
    #[must_use]
    pub fn f(&self) -> usize {
        max_faulty(self.n())
    }

    /// How many tickets make a certificate.
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.n() - self.f()
    }

    /// Everybody's ticket over `message`.
    #[must_use]
    pub fn tickets(&self, tag: DomainTag, message: &[u8]) -> Tickets {
        let sign = |message: &[u8]| self.secrets.iter().map(|key| key.sign(tag, message)).collect::<Vec<_>>();
        let signatures = (0..).map(MinerId).zip(sign(message)).collect();
        Tickets {
            tag,
            message: message.to_vec(),
            signatures,
            invalid: Vec::new(),
            others: sign(b"another message"),
        }
    }
}

/// Tickets over one message.
#[derive(Clone)]
pub struct Tickets {
    /// Their domain.
    pub tag: DomainTag,
    /// The message that they sign.
    pub message: Vec<u8>,
    /// The signers, increasing, with their signatures.
    pub signatures: Vec<(MinerId, Signature)>,
    /// The signers of the invalid ones, increasing.
    pub invalid: Vec<MinerId>,
    /// Everybody's signature over another message: a point of the subgroup that is an invalid ticket.
    others: Vec<Signature>,
}

impl Tickets {
    /// The same tickets with `count` of them replaced by invalid ones, at positions that depend on the seed.
    ///
    /// # Panics
    /// If there are fewer tickets.
    #[must_use]
    pub fn with_invalid(&self, count: usize, seed: u64) -> Self {
        assert!(count <= self.len(), "{count} invalid of {} tickets", self.len());
        let mut random = fastrand::Rng::with_seed(seed);
        let mut tickets = self.clone();
        for index in random.choose_multiple(0..self.signatures.len(), count) {
            let (miner, signature) = &mut tickets.signatures[index];
            *signature = self.others[index];
            tickets.invalid.push(*miner);
        }
        tickets.invalid.sort_unstable();
        tickets
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.signatures.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.signatures.is_empty()
    }
}

/// The answer of a verifier of tickets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aggregation {
    /// The sum of the valid tickets, when they are a quorum.
    pub aggregate: Option<[u8; 48]>,
    /// The members with invalid tickets, increasing.
    pub invalid: Vec<u16>,
}
