//! Exposed members: their receipts come late, so every dealer publishes their shares, and no rule is broken. The adversary
//! holds the keys of `f` Byzantine members and reads what was published (A7, S11).

use super::*;
use crate::beacon::{BeaconKey, CombineError};
use crate::curve::{G1, Scalar};
use crate::keys::aggregate;
use crate::polynomial::lagrange_at_zero;
use crate::signers::Signers;

/// Sizes of committees, and how many members are exposed: one, or as many as may be.
const CASES: [(u16, u16); 5] = [(4, 1), (7, 1), (7, 2), (16, 5), (31, 1)];

/// Beacon messages of rounds that nobody has entered yet.
const FUTURE: [&[u8]; 3] = [b"round 1", b"round 2", b"the last round of the epoch"];

/// The result of a key generation in which the first members are exposed and the last `f` are Byzantine.
struct Exposure {
    key: BeaconKey,
    /// Byzantine members and exposed ones, with the key shares that the adversary knows.
    known: Vec<(MinerId, SecretKey)>,
    /// Honest members that are not exposed, with their key shares.
    secret: Vec<(MinerId, SecretKey)>,
}

impl Exposure {
    fn new(n: u16, exposed: u16) -> Self {
        let mut world = Ceremony::new(n);
        let transcript = if n <= 7 { played(&mut world, exposed) } else { signed(&world, exposed) };
        let outcome = transcript.outcome().unwrap();
        assert_eq!(outcome.qualified().len(), usize::from(n), "no dealer is left out");
        // A key share is the sum of the shares of all qualified dealings. Those of exposed members are public.
        let published = |member: MinerId| {
            let shares = outcome
                .qualified()
                .keys()
                .map(|dealer| transcript.revealed_share(*dealer, member).expect("every dealer publishes it"));
            (
                member,
                SecretKey::from_scalar(shares.fold(Scalar::zero(), |sum, share| sum.add(share))).unwrap(),
            )
        };
        let dealt = |member: u16| {
            let shares = world.members.iter().map(|dealer| dealer.share_for_tests(MinerId(member)));
            let sum = shares.fold(Scalar::zero(), |sum, share| sum.add(&share));
            (MinerId(member), SecretKey::from_scalar(sum).unwrap())
        };
        let byzantine = n - (n - 1) / 3..n;
        let known = (0..exposed).map(MinerId).map(published).chain(byzantine.clone().map(dealt)).collect();
        Self { key: outcome.key().clone(), known, secret: (exposed..byzantine.start).map(dealt).collect() }
    }

    /// The shares of `message` that are out when the first `sent` secret members have sent theirs.
    fn shares(&self, message: &[u8], sent: usize) -> Vec<(MinerId, Signature)> {
        let all = self.known.iter().chain(&self.secret[..sent]);
        let mut shares: Vec<_> =
            all.map(|(member, key)| (*member, key.sign(DomainTag::BEACON, message))).collect();
        shares.sort_by_key(|(member, _)| *member);
        shares
    }
}

/// Every member takes every step, and the receipts of the first members come too late.
fn played(world: &mut Ceremony, exposed: u16) -> Transcript {
    let dealings = world.dealings();
    world.deal(&dealings, |_, recipient| recipient < exposed);
    let settlements = world.settlements();
    world.settle(&settlements);
    world.members[0].transcript().clone()
}

/// The same broadcasts, signed without opening the shares: in a large committee the members' checks take seconds.
fn signed(world: &Ceremony, exposed: u16) -> Transcript {
    let (session, n) = (&world.session, world.members.len() as u16);
    let mut transcript = Transcript::new(Arc::clone(session));
    let dealings = world.dealings();
    dealings.iter().for_each(|dealing| transcript.on_dealing(dealing).unwrap());
    transcript.end_dealing().unwrap();
    for (dealer, dealing) in world.members.iter().zip(&dealings) {
        let digest = dealing.digest(session);
        let receipts: Vec<Signature> =
            (exposed..n).map(|i| identity(i).sign(DomainTag::DKG_RECEIPT, &digest)).collect();
        let signers = Signers::from_members(n.into(), (exposed..n).map(MinerId)).unwrap();
        let revealed = (0..exposed).map(|i| dealer.share_for_tests(MinerId(i))).collect();
        let identity = identity(dealing.dealer.0);
        let receipts = (signers, aggregate(&receipts).unwrap());
        let settlement = Settlement::signed(session, dealing.dealer, &identity, receipts, revealed);
        transcript.on_settlement(&settlement).unwrap();
    }
    transcript
}

/// The signature to which the shares interpolate, for any threshold of the key.
fn interpolated(shares: &[(MinerId, Signature)]) -> Signature {
    let abscissas: Vec<u32> = shares.iter().map(|(member, _)| abscissa(*member)).collect();
    let points: Vec<G1> = shares.iter().map(|(_, share)| G1::decode(&share.0).unwrap()).collect();
    Signature(G1::linear_combination(&points, &lagrange_at_zero(&abscissas).unwrap()).unwrap().encode())
}

#[test]
fn nobody_makes_a_beacon_value_before_a_member_that_is_not_exposed_sends_its_share() {
    for (n, exposed) in CASES {
        let exposure = Exposure::new(n, exposed);
        let (f, t) = (usize::from((n - 1) / 3), usize::from(n - (n - 1) / 3));
        let held = f + usize::from(exposed);
        for message in FUTURE {
            let shares = exposure.shares(message, 0);
            let too_few = CombineError::TooFew { shares: held, threshold: t };
            assert_eq!(exposure.key.combine(message, &shares), Err(too_few), "n = {n}, {exposed} exposed");
            assert!(!exposure.key.verify(message, &interpolated(&shares)), "n = {n}, {exposed} exposed");
        }
        // Every further share is that of a member that is not exposed; the value is there with the one that makes t.
        for sent in 1..=exposure.secret.len() {
            let shares = exposure.shares(FUTURE[0], sent);
            let made = exposure.key.combine(FUTURE[0], &shares).is_ok();
            assert_eq!(made, held + sent >= t, "n = {n}, {exposed} exposed, {sent} others have sent");
        }
        // The honest members alone, exposed ones among them, always make it.
        let mut honest = exposure.shares(FUTURE[0], exposure.secret.len());
        honest.retain(|(member, _)| member.0 < n - (n - 1) / 3);
        assert_eq!(honest.len(), t);
        assert!(exposure.key.combine(FUTURE[0], &honest).is_ok());
    }
}

#[test]
fn parameters_under_which_exposed_members_give_the_key_away_are_refused() {
    for n in [4, 7, 16, 31, 100] {
        let f = (n - 1) / 3;
        let refused = ParametersError::Secrecy { members: n, threshold: f + 1, faulty: f, exposed: f };
        assert_eq!(Parameters::new(n, f + 1, f, n - f), Err(refused), "n = {n}");
        assert_eq!(Parameters::hardened(n), Parameters::new(n, n - f, f, n - f), "n = {n}");
        for threshold in 0..=n {
            for exposed in 0..=n {
                let sound = f + exposed < threshold && threshold <= n - f;
                let taken = Parameters::new(n, threshold, exposed, n - f);
                assert_eq!(taken.is_ok(), sound, "{threshold} of {n}, {exposed} exposed: {taken:?}");
            }
        }
        for dealers in 0..=n + 1 {
            let sound = f < dealers && dealers <= n - f;
            assert_eq!(Parameters::new(n, n - f, f, dealers).is_ok(), sound, "{dealers} dealers of {n}");
        }
    }
    assert!(Parameters::hardened(0).is_err());
    assert!(Parameters::new(7, usize::MAX, usize::MAX, 5).is_err());
    let refused = Parameters::new(7, 3, 2, 5).unwrap_err().to_string();
    let expected = "a threshold of 3 shares among 7 members is no secret: the 2 faulty members and 2 exposed ones hold 4, so \
                    that at least 5 are needed";
    assert_eq!(refused, expected);
}
