//! Records: what a committee hands over, refused with the reason wherever it is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use zus_bls::curve::{combinations_so_far, products_so_far};

use crate::block::Digest;
use crate::committee::{ChainId, Epoch, MinerId};
use crate::crypto::certificate::SignersError;
use crate::crypto::committee_keys::CommitteeKeysError;
use crate::crypto::curve::Scalar;
use crate::crypto::dkg::{Identity, MAX_DKG_MEMBERS};
use crate::crypto::keys::{KeyError, SecretKey};
use crate::crypto::scheme::Verify as _;
use crate::epochs::generated::{BlsSignatures, Exchange, GeneratedKeys};
use crate::epochs::key_generation::{Plan, PlanError};
use crate::epochs::record::{RECORD_VERSION, Record, RecordContent, RecordError};
use crate::epochs::replica::Keys as _;
use crate::limits::CHECKED_RECORDS;

use super::stage::{CHAIN, EPOCH, FIRST, PHASE, Stage, before, content_of, encoded, identity};

const HEADER_BYTES: usize = 115;

/// The record of the present epoch, and a right one of the next: members 0 and 1 stay, 2 and 3 are new.
fn next() -> (crate::epochs::record::CheckedRecord, RecordContent) {
    let before = before(&[0, 1, 101, 102]);
    let previous = before.record().digest();
    let content = RecordContent { epoch: Epoch(EPOCH.0 + 1), previous, ..content_of(&[0, 1, 2, 3]) };
    (before, content)
}

fn check(change: impl FnOnce(&mut RecordContent)) -> Result<(), RecordError> {
    let (before, mut content) = next();
    change(&mut content);
    let checked = Arc::new(Record::new(content)?).check(&before)?;
    checked.committee_keys().map(|_| ())
}

#[test]
fn a_record_of_a_key_generation_follows_the_one_before() {
    let record = Stage::record(7);
    let read = Record::decode(&record.encode()).unwrap();
    assert_eq!(read, *record);
    assert_eq!(read.digest(), record.digest());
    let checked = Arc::new(read).check(&before(&[0, 1, 101, 102])).unwrap();
    assert_eq!(checked.committee_keys().unwrap().size(), 7);
    let length = HEADER_BYTES + 7 * 144 + 32 + 1 + 5 * 96;
    assert_eq!(record.encode().len(), length, "five coefficients, whoever dealt");
}

#[test]
fn what_is_wrong_in_a_record_is_refused_with_the_reason() {
    assert_eq!(check(|_| {}), Ok(()));
    let dealers = |dealers: &[u16]| dealers.iter().map(|&i| MinerId(i)).collect::<Vec<_>>();
    assert_eq!(
        check(|it| it.qualified = dealers(&[0, 1, 1, 2])),
        Err(RecordError::DealerOrder { dealer: MinerId(1) })
    );
    assert_eq!(
        check(|it| it.qualified = dealers(&[0, 1, 4])),
        Err(SignersError::NotAMember { member: MinerId(4), committee_size: 4 }.into())
    );
    assert_eq!(
        check(|it| it.qualified = dealers(&[0, 1])),
        Err(RecordError::TooFewQualified { qualified: 2, needed: 3 })
    );
    let below = Err(RecordError::Threshold { members: 4, found: 2, needed: 3 });
    assert_eq!(check(|it| it.coefficients.truncate(2)), below);
    assert_eq!(
        check(|it| it.chain = ChainId([6; 32])),
        Err(RecordError::OtherChain { found: ChainId([6; 32]), expected: CHAIN })
    );
    for found in [EPOCH.0 - 1, EPOCH.0, EPOCH.0 + 2, u64::MAX].map(Epoch) {
        assert_eq!(check(|it| it.epoch = found), Err(RecordError::NotNext { found, last: EPOCH }));
    }
    let expected = next().0.record().digest();
    assert_eq!(
        check(|it| it.previous = Digest([1; 32])),
        Err(RecordError::Previous { found: Digest([1; 32]), expected })
    );
    // The proof of another key, of another chain, and of nobody.
    let other_chain = Identity::new(ChainId([6; 32]), &identity(3)).encode();
    let mut other_key = encoded(3);
    other_key[..96].copy_from_slice(&identity(9).public_key().encode());
    let mut nobody = encoded(3);
    nobody[96..].fill(0);
    for member in [other_chain, other_key, nobody] {
        let refused = RecordError::Member { member: MinerId(3), reason: KeyError::NotPossessed };
        assert_eq!(check(|it| it.members[3] = member), Err(refused));
    }
    let mut mirror = identity(2).to_bytes();
    let mirrored = Scalar::from_bytes(&mirror).unwrap().neg();
    mirror.fill(0);
    let mirrored = SecretKey::from_scalar(mirrored).unwrap();
    for twin in [encoded(2), Identity::new(CHAIN, &mirrored).encode()] {
        let shared = CommitteeKeysError::SharedCoordinate { first: MinerId(2), second: MinerId(3) };
        assert_eq!(check(|it| it.members[3] = twin), Err(shared.into()));
    }
    assert!(matches!(
        check(|it| it.coefficients[1] = [0xff; 96]),
        Err(RecordError::Coefficient { index: 1, .. })
    ));
    assert_eq!(check(|it| it.members.clear()), Err(RecordError::Members { members: 0 }));
    let giant = MAX_DKG_MEMBERS + 1;
    assert_eq!(
        check(|it| it.members = vec![encoded(0); giant]),
        Err(RecordError::Members { members: giant })
    );
    assert_eq!(
        check(|it| it.sharders = vec![it.sharders[0]; 1025]),
        Err(RecordError::Sharders { sharders: 1025 })
    );
}

/// A member of both committees was checked before; a key with another proof is checked again.
#[test]
fn only_new_keys_are_checked() {
    let mut changed = encoded(1);
    changed[100] ^= 1;
    assert_eq!(
        check(|it| it.members[1] = changed),
        Err(RecordError::Member { member: MinerId(1), reason: KeyError::NotPossessed })
    );
    let (before, content) = next();
    let record = Arc::new(Record::new(content).unwrap());
    let points = crate::crypto::curve::points_so_far();
    record.check(&before).unwrap();
    assert_eq!(crate::crypto::curve::points_so_far() - points, 2, "the keys of members 2 and 3");
}

#[test]
fn the_digest_commits_to_every_bit() {
    let record = Stage::record(4);
    let bytes = record.encode();
    for bit in (0..HEADER_BYTES * 8).chain((HEADER_BYTES * 8..bytes.len() * 8).step_by(37)) {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = Record::decode(&changed) {
            assert_ne!(other.digest(), record.digest(), "bit {bit}");
            assert_eq!(other.encode(), changed, "bit {bit}");
        }
    }
}

#[test]
fn no_prefix_no_surplus_and_no_other_version_is_read() {
    let bytes = Stage::record(4).encode();
    for length in 0..bytes.len() {
        assert!(Record::decode(&bytes[..length]).is_err(), "{length} bytes");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    let (expected, found) = (bytes.len(), longer.len());
    assert_eq!(Record::decode(&longer), Err(RecordError::Length { expected, found }));
    let mut newer = bytes.clone();
    newer[0] = RECORD_VERSION + 1;
    assert_eq!(Record::decode(&newer), Err(RecordError::Version { found: RECORD_VERSION + 1 }));
    let mut beyond = bytes;
    // Four members have four bits of the bitmap.
    beyond[HEADER_BYTES + 4 * 144 + 32] |= 0x10;
    let refused = SignersError::NotAMember { member: MinerId(4), committee_size: 4 };
    assert_eq!(Record::decode(&beyond), Err(refused.into()));
}

#[test]
fn a_plan_that_no_committee_can_follow_is_refused() {
    let before = before(&[0, 1, 101, 102]);
    let plan = |members: Vec<[u8; 144]>, rounds| Plan::new(&before, members, vec![], FIRST, rounds).err();
    assert_eq!(plan((0..4).map(encoded).collect(), PHASE), None);
    assert_eq!(plan(vec![], PHASE), Some(PlanError::Members { members: 0 }));
    assert_eq!(plan(vec![encoded(0)], 0), Some(PlanError::PhaseRounds { rounds: 0 }));
    let twice = CommitteeKeysError::SharedCoordinate { first: MinerId(0), second: MinerId(1) };
    assert_eq!(plan(vec![encoded(0); 2], PHASE), Some(twice.into()));
    let mut unproved = encoded(2);
    unproved[96..].copy_from_slice(&encoded(3)[96..]);
    let refused = PlanError::Member { member: MinerId(1), reason: KeyError::NotPossessed };
    assert_eq!(plan(vec![encoded(0), unproved], PHASE), Some(refused));
}

/// Pairing products and public shares that a piece of work takes.
fn work<T>(run: impl FnOnce() -> T) -> (T, usize, usize) {
    let (products, combinations) = (products_so_far(), combinations_so_far());
    let result = run();
    (result, products_so_far() - products, combinations_so_far() - combinations)
}

/// A node that passes through many epochs checks the possession of the keys that are new, and makes no public share of the beacon.
#[test]
fn who_passes_through_an_epoch_checks_the_new_keys_only() {
    let nobody = Arc::new(Exchange::new(CHAIN, BTreeMap::new(), 1, 1).unwrap());
    let keys = GeneratedKeys::new(BlsSignatures, nobody, None, Vec::new());
    let record = |epoch: u64, members: &[u16]| {
        Record::new(RecordContent { epoch: Epoch(epoch), ..content_of(members) }).unwrap()
    };
    let first = record(1, &[0, 1, 2, 3]);
    let (verifier, products, shares) = work(|| keys.verifier(&first));
    assert_eq!((verifier.unwrap().committee_size(), products, shares), (4, 4, 0), "all keys are new");
    assert_eq!(work(|| keys.verifier(&first).is_some()), (true, 0, 0), "all are known");
    let next = record(2, &[0, 1, 2, 9]);
    assert_eq!(work(|| keys.verifier(&next).is_some()), (true, 1, 0), "one key is new");
    let (observer, products, shares) = work(|| keys.observer(&next));
    assert!(observer.is_some() && products == 0 && shares > 0, "who stays there needs the beacon");
    assert_eq!(work(|| keys.observer(&next).is_some()), (true, 0, 0), "and makes its key once");
    // Each later record forgets one of before: at last the first members are new again.
    for epoch in 3..3 + CHECKED_RECORDS as u64 {
        assert!(keys.verifier(&record(epoch, &[100 + epoch as u16, 5, 6, 7])).is_some());
    }
    assert_eq!(work(|| keys.verifier(&first).is_some()), (true, 4, 0), "what is remembered is bounded");
    // A key without its proof of possession is none, known or not.
    let mut content = content_of(&[0, 1, 2, 3]);
    content.members[3][100] ^= 1;
    assert!(keys.verifier(&Record::new(content).unwrap()).is_none());
}
