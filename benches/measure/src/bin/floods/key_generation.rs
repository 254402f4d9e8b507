//! A member of a key generation of 100 as the victim: what one member can make it spend, by kind of message.

use std::sync::Arc;
use std::time::Duration;

use zus_bpp::committee::{ChainId, Epoch, MinerId};
use zus_bpp::crypto::curve::Scalar;
use zus_bpp::crypto::dkg::{
    Attempt, DecryptionKey, Identity, Member, Parameters, Receipt, Session, SessionMember, Settlement,
};
use zus_bpp::crypto::keys::{DomainTag, SecretKey};
use zus_bpp::crypto::scheme::Signature;

use super::script::{FLOODER, MINERS};
use super::{ENOUGH, FIRST, READ, TOLD, milliseconds, process_time, worst_and_mean};

const CHAIN: ChainId = ChainId([1; 32]);
const EPOCH: Epoch = Epoch(2);
const ATTEMPT: Attempt = Attempt(0);
const VICTIM: MinerId = MinerId(0);
const OTHER: MinerId = MinerId(7);
const SECONDS: usize = 10;

fn identity(id: MinerId) -> SecretKey {
    SecretKey::from_seed(&[id.0 as u8 + 1; 32])
}

fn decryption(id: MinerId) -> DecryptionKey {
    DecryptionKey::from_seed(&[id.0 as u8 + 101; 32])
}

/// The session, and messages of the flooder.
struct Fixture {
    session: Arc<Session>,
    dealing: Vec<u8>,
    receipt: Receipt,
    settlement: Vec<u8>,
}

fn member(session: &Arc<Session>, id: MinerId) -> Member {
    Member::new(Arc::clone(session), id, identity(id), decryption(id), &[id.0 as u8; 32]).expect("a member")
}

impl Fixture {
    fn new() -> Self {
        let registered = |id| SessionMember {
            identity: Identity::new(CHAIN, &identity(id)).verify(CHAIN).expect("its own key"),
            encryption: Some(decryption(id).encryption_key()),
        };
        let members = (0..MINERS).map(MinerId).map(registered).collect();
        let parameters = Parameters::hardened(usize::from(MINERS)).expect("a committee");
        let session = Session::new(CHAIN, EPOCH, ATTEMPT, parameters, members).expect("a session");
        let session = Arc::new(session);
        let mut flooder = member(&session, FLOODER);
        let dealing = flooder.dealing().encode();
        let receipt = flooder.on_dealing(member(&session, VICTIM).dealing()).expect("a receipt");
        // Its settlement: all receipts but those of `f` members, whose shares it reveals.
        let own = flooder.dealing().clone();
        let revealed = parameters.max_revealed() as u16;
        for id in (revealed..MINERS).map(MinerId) {
            let mut other = member(&session, id);
            let receipt = other.on_dealing(&own).expect("a receipt");
            flooder.on_receipt(id, &receipt).expect("its receipt");
        }
        let settlement = flooder.settle().expect("enough receipts").encode();
        Self { session, dealing, receipt, settlement }
    }

    /// A member that took the flooder's dealing, in the phase that `settling` says.
    fn victim(&self, settling: bool) -> Member {
        let mut victim = member(&self.session, VICTIM);
        if settling {
            victim.receive_dealing(FLOODER, &self.dealing).expect("a dealing");
            victim.end_dealing().expect("once");
        }
        victim
    }
}

enum Sent {
    Receipt(Receipt),
    Dealing(Vec<u8>),
    Settlement(Vec<u8>),
}

impl Sent {
    fn bytes(&self) -> usize {
        match self {
            Self::Receipt(_) => Receipt::BYTES,
            Self::Dealing(bytes) | Self::Settlement(bytes) => bytes.len(),
        }
    }

    fn is_taken_by(&self, victim: &mut Member) -> bool {
        match self {
            Self::Receipt(receipt) => victim.on_receipt(FLOODER, receipt).is_ok(),
            Self::Dealing(bytes) => victim.receive_dealing(FLOODER, bytes).is_ok(),
            Self::Settlement(bytes) => victim.receive_settlement(FLOODER, bytes).is_ok(),
        }
    }
}

/// Bytes with a signature at their end that is the flooder's over something else.
fn spoilt(bytes: &[u8], other: &Signature) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = bytes.len() - other.0.len();
    bytes[at..].copy_from_slice(&other.0);
    bytes
}

type Make = fn(&Fixture) -> Sent;

/// Name, whether the form or the sender alone tells, whether it is sent in the phase of settlements, and the message.
const FLOODS: &[(&str, bool, bool, Make)] = &[
    ("receipt of another member", true, false, |fixture| {
        Sent::Receipt(Receipt { recipient: OTHER, ..fixture.receipt })
    }),
    ("receipt, wrong", false, false, |fixture| {
        let signature = Signature(*fixture.dealing.last_chunk().expect("the dealing's"));
        Sent::Receipt(Receipt { signature, ..fixture.receipt })
    }),
    ("receipt, genuine, again", false, false, |fixture| Sent::Receipt(fixture.receipt)),
    ("dealing of another attempt", true, false, |fixture| {
        let mut bytes = fixture.dealing.clone();
        bytes[3] ^= 1;
        Sent::Dealing(bytes)
    }),
    ("dealing, wrong signature", false, false, |fixture| {
        Sent::Dealing(spoilt(&fixture.dealing, &fixture.receipt.signature))
    }),
    ("dealing, genuine, again", false, false, |fixture| Sent::Dealing(fixture.dealing.clone())),
    ("settlement, wrong signature", false, true, |fixture| {
        Sent::Settlement(spoilt(&fixture.settlement, &fixture.receipt.signature))
    }),
    ("settlement that reveals 33 shares, genuine, again", false, true, |fixture| {
        Sent::Settlement(fixture.settlement.clone())
    }),
    ("settlement that reveals 33 shares, the last of them wrong, again", false, true, |fixture| {
        let mut settlement = Settlement::decode(&fixture.session, &fixture.settlement).expect("a settlement");
        let last = settlement.revealed.last_mut().expect("33 shares");
        *last = last.add(&Scalar::from_u64(1));
        let digest = settlement.digest(&fixture.session);
        settlement.signature = identity(FLOODER).sign(DomainTag::DKG_SETTLEMENT, &digest);
        Sent::Settlement(settlement.encode())
    }),
];

/// The names of all floods.
pub fn names() -> impl Iterator<Item = &'static str> {
    FLOODS.iter().map(|(name, ..)| *name)
}

/// Prints one row for each of [`FLOODS`].
pub fn table(filter: Option<&str>) {
    let fixture = Fixture::new();
    let decoded = Settlement::decode(&fixture.session, &fixture.settlement).expect("a settlement");
    assert_eq!(decoded.revealed.len(), 33);
    zus_output::say!(
        "\n| what one member sends in a key generation of {MINERS} | bytes | us a byte | 1 Mbit/s | 100 Mbit/s |"
    );
    zus_output::say!("|---|--:|--:|--:|--:|");
    for (name, impossible, settling, make) in FLOODS {
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        let message = make(&fixture);
        let a_byte = {
            let mut time = Duration::ZERO;
            for _ in 0..TOLD {
                let mut victim = fixture.victim(*settling);
                let all = || (0..FIRST).filter(|_| message.is_taken_by(&mut victim)).count();
                time += process_time::of(all).1;
            }
            time.as_secs_f64() * 1e6 / (TOLD * FIRST * message.bytes()) as f64
        };
        let floods: Vec<String> = [1, 100]
            .into_iter()
            .map(|megabits| {
                let mut victim = fixture.victim(*settling);
                let (mut carried, mut taken) = (0, 0);
                let seconds: Vec<f64> = (1..=SECONDS)
                    .map(|second| {
                        carried = megabits * 125_000 * second;
                        let due = (carried - taken) / message.bytes();
                        taken += due * message.bytes();
                        let (mut spent, mut handled) = (Duration::ZERO, 0);
                        while handled < due && spent < ENOUGH {
                            // Looking at the clock takes as long as some of these messages.
                            let some = (due - handled).min(READ);
                            let all = || (0..some).filter(|_| message.is_taken_by(&mut victim)).count();
                            spent += process_time::of(all).1;
                            handled += some;
                        }
                        milliseconds(spent) * due as f64 / handled.max(1) as f64
                    })
                    .collect();
                worst_and_mean(&seconds)
            })
            .collect();
        let star = if *impossible { " *" } else { "" };
        let bytes = message.bytes();
        zus_output::say!("| {name}{star} | {bytes} | {a_byte:.3} | {} |", floods.join(" | "));
    }
}
