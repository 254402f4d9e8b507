//! The committee of a key generation, with everybody's keys.

use std::sync::{Arc, LazyLock};

use zus_bpp::block::Digest;
use zus_bpp::committee::{ChainId, Epoch, MinerId};
use zus_bpp::crypto::dkg::{
    Attempt, Dealing, DecryptionKey, Identity, Member, Outcome, Parameters, Session, SessionMember,
};
use zus_bpp::crypto::keys::SecretKey;
use zus_bpp::epochs::record::{Record, RecordContent};

const CHAIN: ChainId = ChainId([3; 32]);
const EPOCH: Epoch = Epoch(8);
/// Committee sizes: one dishonest member of four, two of seven.
pub(super) const SIZES: [u16; 4] = [4, 4, 4, 7];

/// A session with everybody's keys, opened once: opening one verifies proofs of possession.
pub(super) struct Committee {
    pub(super) session: Arc<Session>,
    /// A dealing of the attempt before, by member 0.
    pub(super) replayed: Dealing,
    identities: Vec<SecretKey>,
}

pub(super) fn decryption(i: u16) -> DecryptionKey {
    DecryptionKey::from_seed(&[i as u8 + 101; 32])
}

impl Committee {
    fn of(n: u16) -> Self {
        let identities: Vec<SecretKey> = (0..n).map(|i| SecretKey::from_seed(&[i as u8 + 1; 32])).collect();
        let parameters = Parameters::hardened(n.into()).expect("a committee");
        let open = |attempt| {
            let member = |(i, identity)| SessionMember {
                identity: Identity::new(CHAIN, identity).verify(CHAIN).expect("its own key"),
                encryption: Some(decryption(i).encryption_key()),
            };
            let members = (0..).zip(&identities).map(member).collect();
            let session = Session::new(CHAIN, EPOCH, attempt, parameters, members);
            Arc::new(session.expect("keys that prove themselves"))
        };
        let before =
            Member::new(open(Attempt(0)), MinerId(0), identities[0].clone(), decryption(0), &[1; 32]);
        let replayed = before.expect("registered keys").dealing().clone();
        Self { session: open(Attempt(1)), replayed, identities }
    }

    /// The record of the committee with the key of a key generation.
    pub(super) fn record(&self, outcome: &Outcome) -> Result<Record, String> {
        let sum = outcome.sum().map_err(|error| error.to_string())?;
        let content = RecordContent {
            chain: CHAIN,
            epoch: EPOCH,
            previous: Digest::NONE,
            attempt: self.session.attempt(),
            members: self.identities.iter().map(|it| Identity::new(CHAIN, it).encode()).collect(),
            sharders: Vec::new(),
            qualified: outcome.qualified().keys().copied().collect(),
            coefficients: sum.points().iter().map(|point| point.encode()).collect(),
            items: Digest(*self.session.id()),
        };
        Record::new(content).map_err(|error| error.to_string())
    }

    pub(super) fn identity(&self, member: MinerId) -> &SecretKey {
        &self.identities[usize::from(member.0)]
    }
}

static FOUR: LazyLock<Committee> = LazyLock::new(|| Committee::of(4));
static SEVEN: LazyLock<Committee> = LazyLock::new(|| Committee::of(7));

/// The committee of one of the [`SIZES`].
pub(super) fn of_size(n: u16) -> &'static Committee {
    if n == 4 { &FOUR } else { &SEVEN }
}

/// The session of the committee of four, for decoders that need one.
pub fn session_of_four() -> &'static Session {
    &FOUR.session
}
