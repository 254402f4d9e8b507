//! Targets about signatures of many: the pool, certificates, the beacon, key generation.

use std::collections::BTreeMap;

use zus_bpp::block::BlockId;
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::dkg::Registration;
use zus_bpp::crypto::mock_scheme::MockWorld;
use zus_bpp::crypto::scheme::{Domain, SIGNATURE_BYTES, Scheme, Signature};
use zus_bpp::statement::{Signed, Ticket};
use zus_bpp::ticket_pool::{Added, TicketPool};

use crate::bounds::{quorum, tolerated};

const MINERS: u16 = 7;

/// The pool against one-by-one verification: it certifies a statement exactly when enough genuine signatures of distinct
/// members are in it, with exactly those members, and blames only members that sent something wrong themselves.
///
/// # Panics
/// When the pool and the plain count differ.
pub fn ticket_pool(bytes: &[u8]) {
    let world = MockWorld::new(MINERS, tolerated(MINERS) + 1, 1);
    let committee =
        Committee::new(ChainId([7; 32]), Epoch(1), MINERS, 0).expect("seven miners are a committee");
    let observer = world.observer();
    let q = quorum(MINERS);
    let ticket =
        |which: u8| Ticket { round: Round(1), subround: Subround(0), block: BlockId([which % 3; 32]) };
    let mut pool = TicketPool::<Ticket>::new(1);
    // What a pool without cleverness would hold: the first genuine signature of each member that it may count.
    let mut plain: BTreeMap<MinerId, Ticket> = BTreeMap::new();
    let mut wrong_of: Vec<MinerId> = Vec::new();
    for chunk in bytes.chunks_exact(3).take(64) {
        let [who, what, how] = [chunk[0], chunk[1], chunk[2]];
        let signer = MinerId(u16::from(who) % MINERS);
        let key = world.member(signer).expect("a member");
        let statement = ticket(what);
        let mut signed = Signed::sign(statement, &committee, &key).expect("members sign");
        let genuine = how & 3 != 0;
        if !genuine {
            signed.signature.0[usize::from(how) % 8] ^= 1;
        }
        let direct = how & 4 != 0;
        let added = pool.add(signed, direct, &committee, &observer);
        if !genuine && direct {
            wrong_of.push(signer);
        }
        // A member that has sent something wrong itself has lost its claim; the others' first genuine signature counts.
        match added {
            Added::Counted if genuine => {
                plain.entry(signer).or_insert(statement);
            }
            Added::Contradiction { first } => {
                assert!(genuine, "a wrong signature contradicts");
                assert_eq!(
                    plain.get(&signer),
                    Some(&first.statement),
                    "contradiction with what was not held"
                );
            }
            Added::Ignored if genuine && !wrong_of.contains(&signer) => {
                assert!(plain.contains_key(&signer), "the first genuine signature of {signer} is ignored");
            }
            Added::Wrong => assert!(!genuine, "a genuine signature of {signer} is called wrong"),
            _ => {}
        }
        for which in 0..3 {
            let statement = ticket(which);
            let expected: Vec<MinerId> =
                plain.iter().filter(|(_, held)| **held == statement).map(|(id, _)| *id).collect();
            let mut blamed = Vec::new();
            let certified = pool.certify(&statement, q, &committee, &observer, &mut blamed);
            for member in &blamed {
                assert!(wrong_of.contains(member), "{member} is blamed and sent nothing wrong");
            }
            let signers: Option<Vec<MinerId>> =
                certified.map(|known| known.certificate.signers.iter().collect());
            let honest: Vec<MinerId> = expected.iter().filter(|id| !wrong_of.contains(id)).copied().collect();
            if let Some(signers) = &signers {
                assert!(signers.len() >= q, "{signers:?} is no quorum");
                // Two wrong signatures may cancel in the sum. It proves all the same that the owners of all the keys signed
                // together; nobody who sent nothing wrong may be among them unasked.
                let fair = |id: &MinerId| expected.contains(id) || wrong_of.contains(id);
                assert!(signers.iter().all(fair), "{signers:?} and not {expected:?}");
            }
            assert!(signers.is_some() || honest.len() < q, "{honest:?} signed, and there is no certificate");
        }
    }
}

/// A certificate is accepted exactly when its bitmap names a quorum of members and the sum is theirs.
///
/// # Panics
/// When the production check and the plain one differ.
pub fn certificate(bytes: &[u8]) {
    let Some((&[named, summed, tweak], rest)) = bytes.split_first_chunk::<3>() else { return };
    let world = MockWorld::new(MINERS, tolerated(MINERS) + 1, 1);
    let observer = world.observer();
    let message = b"zus fuzz certificate";
    // A bitmap as it comes from the wire: any bytes, of any length.
    let _ = Signers::from_bitmap(MINERS.into(), rest);
    let members = |bits: u8| (0..MINERS).filter(move |i| bits >> i & 1 == 1).map(MinerId);
    let Ok(signers) = Signers::from_members(MINERS.into(), members(named)) else { return };
    let sign = |id| world.member(id).and_then(|key| key.sign(Domain::Ticket, message));
    let signatures: Vec<Signature> = members(summed).filter_map(sign).collect();
    let mut aggregate = observer.aggregate(&signatures).unwrap_or(Signature([0; SIGNATURE_BYTES]));
    let bent = tweak & 7 == 7;
    if bent {
        aggregate.0[usize::from(tweak >> 3) % 8] ^= 1;
    }
    let found = Certificate { signers, aggregate };
    let domain = if tweak & 0x80 == 0 { Domain::Ticket } else { Domain::Timeout };
    let accepted = found.verify(&observer, quorum(MINERS), domain, message).is_ok();
    let (named, summed) = (named & 0x7f, summed & 0x7f);
    let expected =
        named == summed && named.count_ones() as usize >= quorum(MINERS) && !bent && domain == Domain::Ticket;
    assert_eq!(accepted, expected, "named {named:07b}, summed {summed:07b}, bent {bent}, {domain:?}");
}

/// The beacon's value is the same for every set of enough genuine shares, and a wrong share never changes it.
///
/// # Panics
/// When it does.
pub fn beacon(bytes: &[u8]) {
    let Some((&[set, wrong], message)) = bytes.split_first_chunk::<2>() else { return };
    let threshold = tolerated(MINERS) + 1;
    let world = MockWorld::new(MINERS, threshold, 1);
    let observer = world.observer();
    let mut shares: Vec<(MinerId, Signature)> = (0..MINERS)
        .filter(|i| set >> i & 1 == 1)
        .map(MinerId)
        .filter_map(|id| Some((id, world.member(id)?.beacon_share(message)?)))
        .collect();
    let all: Vec<(MinerId, Signature)> = (0..MINERS)
        .map(MinerId)
        .filter_map(|id| Some((id, world.member(id)?.beacon_share(message)?)))
        .collect();
    let value = observer.combine_beacon(message, &all).expect("all shares combine");
    let bends = wrong & 1 == 1 && !shares.is_empty();
    if bends {
        let at = usize::from(wrong >> 1) % shares.len();
        shares[at].1.0[0] ^= 1;
        assert!(!observer.verify_beacon_share(shares[at].0, message, &shares[at].1));
        // Only the first shares, up to the threshold, are used.
        if at < threshold {
            assert_eq!(observer.combine_beacon(message, &shares), None, "a wrong share combines");
            return;
        }
    }
    let combined = observer.combine_beacon(message, &shares);
    assert_eq!(combined, (shares.len() >= threshold).then_some(value));
    assert!(observer.verify_beacon(message, &value));
}

/// What members of a key generation send is decoded or refused, and has one encoding.
///
/// # Panics
/// When it has two.
pub fn dkg(bytes: &[u8]) {
    let Some((&length, rest)) = bytes.split_first() else { return };
    let _ = length;
    if let Some(found) = rest.first_chunk()
        && let Ok(registration) = Registration::decode(found)
    {
        assert_eq!(registration.encode(), *found, "not canonical");
    }
}
