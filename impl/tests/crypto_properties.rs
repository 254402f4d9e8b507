//! Properties of certificates, beacon and ranks over random committees, subsets and faults, on real BLS.

use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::subsequence;
use zus_bpp::committee::{MAX_COMMITTEE_SIZE, MinerId, Subround};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::certificate::{Certificate, Signers, SignersError};
use zus_bpp::crypto::ranks::Ranks;
use zus_bpp::crypto::scheme::{Beacon as _, BeaconValue, Domain, Sign as _, Signature, Verify as _};
use zus_bpp::crypto::trusted_dealer;

const N: u16 = 10;
const THRESHOLD: usize = 7;
const QUORUM: usize = 7;
const MESSAGE: &[u8] = b"message";

/// Ten members, with the ticket and the beacon share of each.
struct Committee {
    members: Vec<BlstScheme>,
    tickets: Vec<(MinerId, Signature)>,
    shares: Vec<(MinerId, Signature)>,
    beacon: Signature,
}

fn committee() -> &'static Committee {
    static COMMITTEE: OnceLock<Committee> = OnceLock::new();
    COMMITTEE.get_or_init(|| {
        let (keys, secrets) = trusted_dealer::deal([11; 32], N).unwrap();
        let members: Vec<BlstScheme> =
            secrets.into_iter().map(|s| BlstScheme::member(keys.clone(), s).unwrap()).collect();
        let ids = (0..N).map(MinerId);
        let tickets =
            ids.clone().zip(members.iter().map(|m| m.sign(Domain::Ticket, MESSAGE).unwrap())).collect();
        let shares: Vec<_> = ids.zip(members.iter().map(|m| m.beacon_share(MESSAGE).unwrap())).collect();
        let beacon = members[0].combine_beacon(MESSAGE, &shares).unwrap();
        Committee { members, tickets, shares, beacon }
    })
}

fn members_of(n: u16) -> impl Strategy<Value = Vec<u16>> {
    subsequence((0..n).collect::<Vec<_>>(), 0..=usize::from(n))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_certificate_verifies_exactly_when_a_quorum_signed(signers in members_of(N), order in any::<u64>()) {
        let c = committee();
        let mut tickets: Vec<_> = signers.iter().map(|&i| c.tickets[usize::from(i)]).collect();
        let turn = order as usize % tickets.len().max(1);
        tickets.rotate_left(turn);
        match Certificate::assemble(&c.members[0], QUORUM, &tickets) {
            Ok(certificate) => {
                prop_assert!(signers.len() >= QUORUM);
                prop_assert_eq!(certificate.verify(&c.members[1], QUORUM, Domain::Ticket, MESSAGE), Ok(()));
                let read: Vec<u16> = certificate.signers.iter().map(|member| member.0).collect();
                prop_assert_eq!(read, signers);
            }
            Err(_) => prop_assert!(signers.len() < QUORUM),
        }
    }

    #[test]
    fn a_certificate_never_verifies_for_other_signers(
        signers in members_of(N).prop_filter("a quorum", |signers| signers.len() >= QUORUM),
        claimed in members_of(N),
    ) {
        let c = committee();
        let tickets: Vec<_> = signers.iter().map(|&i| c.tickets[usize::from(i)]).collect();
        let mut certificate = Certificate::assemble(&c.members[0], QUORUM, &tickets).unwrap();
        let members = claimed.iter().copied().map(MinerId);
        certificate.signers = Signers::from_members(usize::from(N), members).unwrap();
        let verdict = certificate.verify(&c.members[0], QUORUM, Domain::Ticket, MESSAGE);
        prop_assert_eq!(verdict.is_ok(), claimed == signers);
    }

    #[test]
    fn one_bad_ticket_spoils_the_sum(
        signers in members_of(N).prop_filter("a quorum", |signers| signers.len() >= QUORUM),
        bad in any::<prop::sample::Index>(),
    ) {
        let c = committee();
        let mut tickets: Vec<_> = signers.iter().map(|&i| c.tickets[usize::from(i)]).collect();
        let bad = bad.index(tickets.len());
        tickets[bad].1 = c.members[usize::from(tickets[bad].0.0)].sign(Domain::Ticket, b"another").unwrap();
        let certificate = Certificate::assemble(&c.members[0], QUORUM, &tickets).unwrap();
        prop_assert!(certificate.verify(&c.members[0], QUORUM, Domain::Ticket, MESSAGE).is_err());
    }

    #[test]
    fn any_threshold_of_shares_gives_the_one_value(signers in members_of(N)) {
        let c = committee();
        let shares: Vec<_> = signers.iter().map(|&i| c.shares[usize::from(i)]).collect();
        let expected = (signers.len() >= THRESHOLD).then_some(c.beacon);
        prop_assert_eq!(c.members[0].combine_beacon(MESSAGE, &shares), expected);
    }

    #[test]
    fn a_bad_share_among_those_used_is_noticed(
        signers in members_of(N).prop_filter("enough", |signers| signers.len() >= THRESHOLD),
        bad in 0..THRESHOLD,
        from in 0..usize::from(N),
    ) {
        let c = committee();
        let mut shares: Vec<_> = signers.iter().map(|&i| c.shares[usize::from(i)]).collect();
        prop_assume!(usize::from(shares[bad].0.0) != from);
        shares[bad].1 = c.shares[from].1;
        prop_assert_eq!(c.members[0].combine_beacon(MESSAGE, &shares), None);
        prop_assert!(!c.members[0].verify_beacon_share(shares[bad].0, MESSAGE, &shares[bad].1));
    }

    #[test]
    fn random_bytes_are_no_signature(bytes in any::<[u8; 32]>(), rest in any::<[u8; 16]>(), signer in 0..N) {
        let c = committee();
        let mut signature = Signature([0; 48]);
        signature.0[..32].copy_from_slice(&bytes);
        signature.0[32..].copy_from_slice(&rest);
        signature.0[0] = signature.0[0] & 0x1f | 0x80;
        prop_assert!(!c.members[0].verify(MinerId(signer), Domain::Ticket, MESSAGE, &signature));
        prop_assert!(!c.members[0].verify_beacon(MESSAGE, &signature));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn signer_sets_and_bitmaps_are_one_to_one(n in 1..=300_u16, bits in any::<[u8; 38]>()) {
        let bytes = usize::from(n).div_ceil(8);
        match Signers::from_bitmap(usize::from(n), &bits[..bytes]) {
            Ok(signers) => {
                prop_assert_eq!(signers.bitmap(), &bits[..bytes]);
                let again = Signers::from_members(usize::from(n), signers.iter()).unwrap();
                prop_assert_eq!(again.bitmap(), &bits[..bytes]);
                prop_assert_eq!(signers.iter().count(), signers.count());
                prop_assert!(signers.iter().all(|member| member.0 < n));
                for member in signers.iter() {
                    let twice = signers.clone().insert(member);
                    prop_assert_eq!(twice, Err(SignersError::Duplicate { member }));
                }
            }
            Err(SignersError::NotAMember { member, committee_size }) => {
                prop_assert_eq!(committee_size, usize::from(n));
                prop_assert!(member.0 >= n && usize::from(member.0) < bytes * 8);
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn ranks_are_a_permutation(value in any::<[u8; 32]>(), subround in any::<u32>(), n in 0..=MAX_COMMITTEE_SIZE as u16) {
        let ranks = Ranks::derive(&BeaconValue(value), Subround(subround), n.min(200));
        let mut members = ranks.members().to_vec();
        members.sort();
        prop_assert!(members.into_iter().eq((0..n.min(200)).map(MinerId)));
    }
}
