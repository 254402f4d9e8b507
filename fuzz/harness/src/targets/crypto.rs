//! Targets about signatures of many: the pool, certificates, the beacon, key generation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use zus_bpp::block::BlockId;
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::mock_scheme::{MockCommittee, MockScheme};
use zus_bpp::crypto::scheme::{AggregateClaim, Domain, SIGNATURE_BYTES, Scheme, Sign as _, Signature};
use zus_bpp::crypto::trusted_dealer;
use zus_bpp::signature_pool::{Added, SignaturePool};
use zus_bpp::statement::{Signed, Statement, Ticket};

use crate::oracles::{beacon_threshold, quorum};

/// Wrong signatures of one signer that are looked at: the rule, written down again.
const MAX_STRIKES: u8 = 4;

const MINERS: u16 = 7;

/// One of so many inputs runs on real signatures, each of which costs a hundred thousand times as much as a mock one.
const REAL_EVERY: u8 = 64;

/// Keys that a target runs on.
struct KeyRing<S> {
    members: Vec<S>,
    observer: S,
    /// Something that is no signature of this member over this message, made from the one that is.
    spoil: fn(&S, Signature, u8) -> Signature,
}

static MOCK: LazyLock<KeyRing<MockScheme>> = LazyLock::new(|| {
    let world = MockCommittee::new(MINERS, 1);
    let member = |i| world.member(MinerId(i)).expect("a member");
    KeyRing {
        members: (0..MINERS).map(member).collect(),
        observer: world.observer(),
        spoil: |_, mut signature, how| {
            signature.0[usize::from(how) % 8] ^= 1;
            signature
        },
    }
});

static REAL: LazyLock<KeyRing<BlstScheme>> = LazyLock::new(|| {
    let dealt = trusted_dealer::deal([5; 32], MINERS);
    let (committee, members) = dealt.expect("the dealer deals");
    let member = |keys| BlstScheme::member(Arc::clone(&committee), keys).expect("keys of this committee");
    KeyRing {
        members: members.into_iter().map(member).collect(),
        observer: BlstScheme::observer(Arc::clone(&committee)),
        // A point of the subgroup that is over something else, or no point.
        spoil: |key, mut signature, how| {
            if how & 8 == 0 {
                signature.0[usize::from(how) % 48] ^= 1;
                signature
            } else {
                key.sign(Domain::Ticket, &[how]).expect("members sign")
            }
        },
    }
});

/// A pool without cleverness: every signature is verified when it comes, and the rules of the module doc of
/// [`zus_bpp::signature_pool`] are applied to what is known to be genuine and what is not.
#[derive(Default)]
struct PlainPool {
    held: BTreeMap<MinerId, Held>,
    strikes: BTreeMap<MinerId, u8>,
    /// Members whose signatures over a statement were found to add up.
    groups: BTreeMap<Ticket, BTreeSet<MinerId>>,
}

#[derive(Clone, Copy)]
struct Held {
    signed: Signed<Ticket>,
    genuine: bool,
    alone: bool,
}

impl PlainPool {
    fn add(&mut self, signed: Signed<Ticket>, genuine: bool, direct: bool) -> Added<Ticket> {
        let signer = signed.signer;
        let strikes = self.strikes.get(&signer).copied().unwrap_or_default();
        if strikes >= MAX_STRIKES {
            return Added::Ignored;
        }
        let strike = |strikes: &mut BTreeMap<MinerId, u8>, certain: bool| {
            if certain {
                *strikes.entry(signer).or_default() += 1;
            }
        };
        let Some(held) = self.held.get(&signer).copied() else {
            let unseen = direct && strikes == 0;
            if !unseen && !genuine {
                strike(&mut self.strikes, direct);
                return Added::Wrong;
            }
            self.held.insert(signer, Held { signed, genuine, alone: !unseen });
            return Added::Counted;
        };
        let same = held.signed.statement == signed.statement;
        if same && (held.alone || held.signed.signature == signed.signature) {
            return Added::Ignored;
        }
        if !genuine {
            strike(&mut self.strikes, direct);
            return Added::Wrong;
        }
        strike(&mut self.strikes, true);
        if !same && held.genuine {
            self.held.insert(signer, Held { alone: true, ..held });
            return Added::Contradiction { first: held.signed };
        }
        self.groups
            .retain(|statement, group| *statement != held.signed.statement || !group.contains(&signer));
        self.held.insert(signer, Held { signed, genuine, alone: true });
        Added::Counted
    }

    /// The members of the certificate, and who is blamed. `adds_up` says whether signatures add up to what their signers'
    /// would, which one by one verification cannot say.
    fn certify(
        &mut self,
        statement: &Ticket,
        quorum: usize,
        adds_up: impl Fn(&[Signed<Ticket>]) -> bool,
    ) -> (Option<Vec<MinerId>>, Vec<MinerId>) {
        let over = |held: &&Held| held.signed.statement == *statement;
        if self.held.values().filter(over).count() < quorum {
            return (None, Vec::new());
        }
        let group = self.groups.entry(*statement).or_default();
        let fresh: Vec<Held> = self
            .held
            .values()
            .filter(over)
            .filter(|held| !group.contains(&held.signed.signer))
            .copied()
            .collect();
        let all: Vec<Signed<Ticket>> = fresh.iter().map(|held| held.signed).collect();
        let whole = fresh.iter().all(|held| held.genuine) || adds_up(&all);
        let (joins, wrong): (Vec<Held>, Vec<Held>) = fresh.iter().partition(|held| whole || held.genuine);
        group.extend(joins.iter().map(|held| held.signed.signer));
        let blamed: Vec<MinerId> = wrong.iter().map(|held| held.signed.signer).collect();
        for signer in &blamed {
            self.held.remove(signer);
            *self.strikes.entry(*signer).or_default() += 1;
        }
        let signers = (group.len() >= quorum).then(|| group.iter().copied().collect());
        (signers, blamed)
    }
}

/// The pool against one-by-one verification, step by step: what it says of each signature, whom it blames, exactly, and
/// that it certifies a statement exactly when enough genuine signatures of distinct members are in it, with those members.
///
/// # Panics
/// When the pool and the plain one differ.
pub fn signature_pool(bytes: &[u8]) {
    match bytes.split_first() {
        Some((first, rest)) if first % REAL_EVERY == REAL_EVERY - 1 => signature_pool_over(&*REAL, rest, 12),
        _ => signature_pool_over(&*MOCK, bytes, 64),
    }
}

fn signature_pool_over<S: Scheme>(keys: &KeyRing<S>, bytes: &[u8], most: usize) {
    let committee =
        Committee::new(ChainId([7; 32]), Epoch(1), MINERS, 0).expect("seven miners are a committee");
    let q = quorum(MINERS);
    let ticket =
        |which: u8| Ticket { round: Round(1), subround: Subround(0), block: BlockId([which % 3; 32]) };
    let (mut pool, mut plain) = (SignaturePool::<Ticket>::new(1), PlainPool::default());
    for chunk in bytes.chunks_exact(3).take(most) {
        let [who, what, how] = [chunk[0], chunk[1], chunk[2]];
        let signer = MinerId(u16::from(who) % MINERS);
        let key = &keys.members[usize::from(signer.0)];
        let mut signed = Signed::sign(ticket(what), &committee, key).expect("members sign");
        let genuine = how & 3 != 0;
        if !genuine {
            signed.signature = (keys.spoil)(key, signed.signature, how >> 3);
        }
        let direct = how & 4 != 0;
        let added = pool.add(signed, direct, &committee, &keys.observer);
        assert_eq!(added, plain.add(signed, genuine, direct), "{signer}, genuine {genuine}, direct {direct}");
        for which in 0..3 {
            let statement = ticket(which);
            // A sum is judged by the scheme's primitive for sums, which `certificate` and `differential_bls` judge.
            let adds_up = |all: &[Signed<Ticket>]| {
                let (signers, signatures): (Vec<MinerId>, Vec<Signature>) =
                    all.iter().map(|signed| (signed.signer, signed.signature)).unzip();
                let message = statement.preimage(&committee);
                let sum = keys.observer.aggregate(&signatures);
                sum.is_some_and(|sum| {
                    keys.observer.verify_aggregate(&signers, Domain::Ticket, &message, &sum)
                })
            };
            let expected = plain.certify(&statement, q, adds_up);
            let mut blamed = Vec::new();
            let certified = pool.certify(&statement, q, &committee, &keys.observer, &mut blamed);
            let found = certified.map(|known| {
                assert_eq!(known.verify(&committee, q, &keys.observer), Ok(()), "S8");
                known.certificate.signers.iter().collect::<Vec<_>>()
            });
            assert_eq!((found, blamed), expected, "signers and blamed, over block {which}");
        }
    }
}

/// A certificate is accepted exactly when its bitmap names a quorum of members and the sum is theirs.
///
/// # Panics
/// When the production check and the plain one differ.
pub fn certificate(bytes: &[u8]) {
    match bytes.split_first() {
        Some((first, rest)) if first % REAL_EVERY == REAL_EVERY - 1 => certificate_over(&*REAL, rest),
        _ => certificate_over(&*MOCK, bytes),
    }
}

fn certificate_over<S: Scheme>(keys: &KeyRing<S>, bytes: &[u8]) {
    let Some((&[named, summed, tweak], rest)) = bytes.split_first_chunk::<3>() else { return };
    let message = b"zus fuzz certificate";
    // A bitmap as it comes from the wire: any bytes, of any length. One that is read is written back the same.
    if let Ok(signers) = Signers::from_bitmap(MINERS.into(), rest) {
        assert_eq!(signers.bitmap(), rest, "not canonical");
        assert!(signers.iter().all(|id| id.0 < MINERS) && signers.iter().count() == signers.count());
    }
    let members = |bits: u8| (0..MINERS).filter(move |i| bits >> i & 1 == 1).map(MinerId);
    let Ok(signers) = Signers::from_members(MINERS.into(), members(named)) else { return };
    let sign = |id: MinerId| keys.members[usize::from(id.0)].sign(Domain::Ticket, message);
    let signatures: Vec<Signature> = members(summed).filter_map(sign).collect();
    let mut aggregate = keys.observer.aggregate(&signatures).unwrap_or(Signature([0; SIGNATURE_BYTES]));
    let bent = tweak & 7 == 7;
    if bent {
        aggregate = (keys.spoil)(&keys.members[0], aggregate, tweak >> 3);
    }
    let found = Certificate { signers, aggregate };
    let domain = if tweak & 0x80 == 0 { Domain::Ticket } else { Domain::Timeout };
    let accepted = found.verify(&keys.observer, quorum(MINERS), domain, message).is_ok();
    let (named, summed) = (named & 0x7f, summed & 0x7f);
    let expected =
        named == summed && named.count_ones() as usize >= quorum(MINERS) && !bent && domain == Domain::Ticket;
    assert_eq!(accepted, expected, "named {named:07b}, summed {summed:07b}, bent {bent}, {domain:?}");
    batch_over(keys, rest);
}

/// Claims that are checked together get the verdict that each gets alone, wrong ones that make up for each other included: two
/// genuine sums under each other's message add up to what they should.
fn batch_over<S: Scheme>(keys: &KeyRing<S>, bytes: &[u8]) {
    let signers = [MinerId(0), MinerId(1)];
    let messages: Vec<[u8; 2]> = bytes.iter().take(4).zip(0..).map(|(byte, at)| [at, *byte]).collect();
    let sum = |message: &[u8]| {
        let sign = |id: &MinerId| keys.members[usize::from(id.0)].sign(Domain::Ticket, message);
        keys.observer.aggregate(&signers.iter().filter_map(sign).collect::<Vec<_>>())
    };
    let Some(mut sums) = messages.iter().map(|message| sum(message)).collect::<Option<Vec<_>>>() else {
        return;
    };
    // The bytes choose which sums are swapped; without such bytes none are.
    for (at, byte) in bytes.iter().skip(4).take(2).enumerate() {
        let other = usize::from(*byte) % sums.len();
        sums.swap(at % other.max(1), other);
    }
    let claims: Vec<AggregateClaim<'_>> = messages
        .iter()
        .zip(&sums)
        .map(|(message, aggregate)| AggregateClaim {
            signers: &signers,
            tag: Domain::Ticket.tag(),
            message,
            aggregate: *aggregate,
        })
        .collect();
    let alone: Vec<bool> = claims
        .iter()
        .map(|claim| {
            keys.observer.verify_aggregate(claim.signers, claim.tag, claim.message, &claim.aggregate)
        })
        .collect();
    let together = keys.observer.verify_aggregates(&claims, &[bytes.len() as u8; 32]);
    assert_eq!(together, alone, "together and alone");
}

/// The beacon's value is the same for every set of enough genuine shares, and a wrong share never changes it.
///
/// # Panics
/// When it does.
pub fn beacon(bytes: &[u8]) {
    match bytes.split_first() {
        Some((first, rest)) if first % REAL_EVERY == REAL_EVERY - 1 => beacon_over(&*REAL, rest),
        _ => beacon_over(&*MOCK, bytes),
    }
}

fn beacon_over<S: Scheme>(keys: &KeyRing<S>, bytes: &[u8]) {
    let Some((&[set, wrong], message)) = bytes.split_first_chunk::<2>() else { return };
    let threshold = beacon_threshold(MINERS);
    let observer = &keys.observer;
    let share = |id: MinerId| Some((id, keys.members[usize::from(id.0)].beacon_share(message)?));
    let all: Vec<(MinerId, Signature)> = (0..MINERS).map(MinerId).filter_map(share).collect();
    let mut shares: Vec<(MinerId, Signature)> =
        all.iter().filter(|(id, _)| set >> id.0 & 1 == 1).copied().collect();
    let value = observer.combine_beacon(message, &all).expect("all shares combine");
    assert!(observer.verify_beacon(message, &value));
    let bends = wrong & 1 == 1 && !shares.is_empty();
    let at = usize::from(wrong >> 1) % shares.len().max(1);
    if bends {
        shares[at].1 = (keys.spoil)(&keys.members[usize::from(shares[at].0.0)], shares[at].1, wrong >> 4);
        assert!(!observer.verify_beacon_share(shares[at].0, message, &shares[at].1));
    }
    // Each verdict is about the share alone, with a seed and without one.
    let expected: Vec<bool> = (0..shares.len()).map(|i| !(bends && i == at)).collect();
    for seed in [None, Some(&[wrong; 32])] {
        assert_eq!(observer.verify_beacon_shares(message, &shares, seed), expected, "seed {seed:?}");
    }
    // Only the first shares, up to the threshold, are used.
    let right = shares.len() >= threshold && !(bends && at < threshold);
    assert_eq!(observer.combine_beacon(message, &shares), right.then_some(value), "bent: {bends}, at {at}");
}
