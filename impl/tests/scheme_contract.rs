//! The contract of `Scheme`, checked on both instances: what the miner relies on holds for blst, and the mock that explores
//! schedules in its place behaves the same.

use zus_bpp::committee::MinerId;
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::certificate::{Certificate, CertificateError};
use zus_bpp::crypto::mock_scheme::MockCommittee;
use zus_bpp::crypto::scheme::{Domain, Scheme, Signature};
use zus_bpp::crypto::trusted_dealer;

const N: u16 = 7;
const THRESHOLD: usize = 5;
const QUORUM: usize = 5;
const MESSAGE: &[u8] = b"epoch 1, round 2, subround 0, block 3";
const IDENTITY_DOMAINS: [Domain; 4] =
    [Domain::Proposal, Domain::Ticket, Domain::Timeout, Domain::FinalityVote];

/// The members of a committee, and an observer.
struct Committee<S> {
    members: Vec<S>,
    observer: S,
}

fn blst() -> Committee<BlstScheme> {
    let (keys, members) = trusted_dealer::deal([7; 32], N).unwrap();
    Committee {
        members: members.into_iter().map(|m| BlstScheme::member(keys.clone(), m).unwrap()).collect(),
        observer: BlstScheme::observer(keys),
    }
}

fn mock() -> Committee<zus_bpp::crypto::mock_scheme::MockScheme> {
    let world = MockCommittee::new(N, 7);
    Committee {
        members: (0..N).map(|i| world.member(MinerId(i)).unwrap()).collect(),
        observer: world.observer(),
    }
}

fn ids(signers: &[u16]) -> Vec<MinerId> {
    signers.iter().copied().map(MinerId).collect()
}

impl<S: Scheme> Committee<S> {
    fn tickets(&self, signers: &[u16]) -> Vec<(MinerId, Signature)> {
        ids(signers)
            .into_iter()
            .map(|i| (i, self.members[usize::from(i.0)].sign(Domain::Ticket, MESSAGE).unwrap()))
            .collect()
    }

    fn aggregate(&self, signers: &[u16]) -> Signature {
        let summands: Vec<Signature> = self.tickets(signers).into_iter().map(|(_, s)| s).collect();
        self.observer.aggregate(&summands).unwrap()
    }

    fn shares(&self) -> Vec<(MinerId, Signature)> {
        (0..N).map(|i| (MinerId(i), self.members[usize::from(i)].beacon_share(MESSAGE).unwrap())).collect()
    }

    fn places_are_known(&self) {
        for (i, member) in (0..).zip(&self.members) {
            assert_eq!((member.me(), member.committee_size()), (Some(MinerId(i)), usize::from(N)));
        }
        assert_eq!(self.observer.me(), None);
        assert_eq!(self.observer.sign(Domain::Ticket, MESSAGE), None);
        assert_eq!(self.observer.beacon_share(MESSAGE), None);
        assert_eq!(self.observer.beacon_threshold(), THRESHOLD);
    }

    fn signatures_are_bound_to_signer_domain_and_message(&self) {
        for domain in IDENTITY_DOMAINS {
            let signature = self.members[1].sign(domain, MESSAGE).unwrap();
            assert_eq!(self.members[1].sign(domain, MESSAGE), Some(signature), "deterministic");
            for other in IDENTITY_DOMAINS {
                assert_eq!(self.observer.verify(MinerId(1), other, MESSAGE, &signature), other == domain);
            }
            assert!(!self.observer.verify(MinerId(2), domain, MESSAGE, &signature));
            assert!(!self.observer.verify(MinerId(1), domain, b"another", &signature));
            assert!(!self.observer.verify(MinerId(N), domain, MESSAGE, &signature));
        }
    }

    fn other_keys_domains_are_not_served(&self) {
        for domain in [Domain::Beacon, Domain::ProofOfPossession] {
            assert_eq!(self.members[0].sign(domain, MESSAGE), None);
            let share = self.shares()[0].1;
            assert!(!self.observer.verify(MinerId(0), domain, MESSAGE, &share));
            assert!(!self.observer.verify_aggregate(&ids(&[0]), domain, MESSAGE, &share));
        }
        let ticket = self.tickets(&[0])[0].1;
        assert!(!self.observer.verify_beacon_share(MinerId(0), MESSAGE, &ticket));
    }

    fn aggregates_verify_for_exactly_their_signers(&self) {
        let aggregate = self.aggregate(&[0, 2, 3, 5, 6]);
        let verify = |signers: &[u16]| {
            self.observer.verify_aggregate(&ids(signers), Domain::Ticket, MESSAGE, &aggregate)
        };
        assert!(verify(&[0, 2, 3, 5, 6]));
        let wrong: [&[u16]; 8] = [
            &[],
            &[0, 2, 3, 5],
            &[0, 1, 2, 3, 5, 6],
            &[0, 1, 3, 5, 6],
            &[2, 0, 3, 5, 6],
            &[0, 2, 3, 5, 5, 6],
            &[0, 2, 3, 5, 6, 7],
            &[6],
        ];
        for signers in wrong {
            assert!(!verify(signers), "{signers:?}");
        }
        assert_eq!(self.observer.aggregate(&[]), None);
        assert_eq!(self.observer.aggregate(&[self.tickets(&[0])[0].1, Signature([0; 48])]), None);
    }

    fn a_duplicate_signer_never_counts_twice(&self) {
        let doubled = self.aggregate(&[0, 1, 2, 3, 3]);
        for signers in [&[0, 1, 2, 3][..], &[0, 1, 2, 3, 3], &[0, 1, 2, 3, 4]] {
            assert!(!self.observer.verify_aggregate(&ids(signers), Domain::Ticket, MESSAGE, &doubled));
        }
        assert!(Certificate::assemble(&self.observer, QUORUM, &self.tickets(&[0, 1, 2, 3, 3])).is_err());
    }

    fn certificates_need_a_quorum(&self) {
        let full = Certificate::assemble(&self.observer, QUORUM, &self.tickets(&[6, 1, 0, 4, 3])).unwrap();
        assert_eq!(full.verify(&self.observer, QUORUM, Domain::Ticket, MESSAGE), Ok(()));
        assert_eq!(
            full.verify(&self.observer, QUORUM, Domain::FinalityVote, MESSAGE),
            Err(CertificateError::DoesNotVerify)
        );
        let thin = Certificate::assemble(&self.observer, 4, &self.tickets(&[0, 1, 2, 3])).unwrap();
        assert_eq!(
            thin.verify(&self.observer, QUORUM, Domain::Ticket, MESSAGE),
            Err(CertificateError::SubQuorum { signers: 4, quorum: 5 })
        );
    }

    fn the_beacon_is_unique_and_needs_the_threshold(&self) {
        let shares = self.shares();
        for (signer, share) in &shares {
            assert!(self.observer.verify_beacon_share(*signer, MESSAGE, share));
            assert!(!self.observer.verify_beacon_share(*signer, b"another", share));
            assert!(!self.observer.verify_beacon_share(MinerId((signer.0 + 1) % N), MESSAGE, share));
        }
        let first = self.observer.combine_beacon(MESSAGE, &shares).unwrap();
        let last = self.observer.combine_beacon(MESSAGE, &shares[2..]).unwrap();
        assert_eq!(first, last);
        assert!(self.observer.verify_beacon(MESSAGE, &first));
        assert!(!self.observer.verify_beacon(b"another", &first));
        assert!(!self.observer.verify_beacon(MESSAGE, &shares[0].1));
        assert_eq!(self.observer.beacon_value(&first), self.members[3].beacon_value(&last));
        assert_ne!(self.observer.beacon_value(&first), self.observer.beacon_value(&shares[0].1));

        assert_eq!(self.observer.combine_beacon(MESSAGE, &shares[..4]), None);
        assert_eq!(self.observer.combine_beacon(b"another", &shares), None);
        let with_last = |signer, share| [&shares[..4], &[(signer, share)]].concat();
        let unordered = [&[shares[1], shares[0]], &shares[2..5]].concat();
        assert_eq!(self.observer.combine_beacon(MESSAGE, &unordered), None);
        assert_eq!(self.observer.combine_beacon(MESSAGE, &with_last(MinerId(3), shares[3].1)), None);
        assert_eq!(self.observer.combine_beacon(MESSAGE, &with_last(MinerId(6), shares[4].1)), None);
        assert_eq!(self.observer.combine_beacon(MESSAGE, &with_last(MinerId(N), shares[4].1)), None);
        let bad_but_unused = [&shares[..5], &[(MinerId(5), shares[0].1)]].concat();
        assert_eq!(self.observer.combine_beacon(MESSAGE, &bad_but_unused), Some(first), "the first are used");
    }

    fn any_flipped_bit_is_refused(&self) {
        let (signer, ticket) = self.tickets(&[2])[0];
        for bit in (0..48 * 8).step_by(5) {
            let mut flipped = ticket;
            flipped.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!self.observer.verify(signer, Domain::Ticket, MESSAGE, &flipped), "bit {bit}");
        }
    }
}

macro_rules! contract {
    ($($clause:ident)*) => {
        mod on_blst {
            $(#[test] fn $clause() { super::blst().$clause(); })*
        }
        mod on_the_mock {
            $(#[test] fn $clause() { super::mock().$clause(); })*
        }
    };
}

contract! {
    places_are_known
    signatures_are_bound_to_signer_domain_and_message
    other_keys_domains_are_not_served
    aggregates_verify_for_exactly_their_signers
    a_duplicate_signer_never_counts_twice
    certificates_need_a_quorum
    the_beacon_is_unique_and_needs_the_threshold
    any_flipped_bit_is_refused
}

#[test]
fn a_member_signs_only_with_the_keys_that_its_committee_knows() {
    use zus_bpp::crypto::committee_keys::CommitteeKeysError::{NotMyIdentity, NotMyShare};
    let (keys, members) = trusted_dealer::deal([7; 32], N).unwrap();
    let (_, others) = trusted_dealer::deal([8; 32], N).unwrap();
    let mut stolen_place = members[0].clone();
    stolen_place.member = MinerId(1);
    let mut other_share = members[0].clone();
    other_share.beacon = others[0].beacon.clone();
    let member = MinerId(0);
    assert!(BlstScheme::member(keys.clone(), members[0].clone()).is_ok());
    assert_eq!(
        BlstScheme::member(keys.clone(), stolen_place).err(),
        Some(NotMyIdentity { member: MinerId(1) })
    );
    assert_eq!(BlstScheme::member(keys.clone(), other_share).err(), Some(NotMyShare { member }));
    assert_eq!(BlstScheme::member(keys, others[0].clone()).err(), Some(NotMyIdentity { member }));
}
