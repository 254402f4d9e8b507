//! From registrations to a running committee: key generation, magic block, and miners that sign under it.

use std::sync::Arc;

use zus_bpp::committee::{ChainId, Epoch, MinerId};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::certificate::Certificate;
use zus_bpp::crypto::committee_keys::MemberKeys;
use zus_bpp::crypto::curve::Scalar;
use zus_bpp::crypto::dkg::{
    Attempt, DecryptionKey, MAX_DKG_MEMBERS, Member, Parameters, Registration, Session, SessionError,
    TranscriptError,
};
use zus_bpp::crypto::keys::SecretKey;
use zus_bpp::crypto::magic_block::{MAGIC_BLOCK_VERSION, MagicBlock, MagicBlockError};
use zus_bpp::crypto::scheme::{Beacon as _, Domain, Sign as _};
use zus_bpp::rules::Rules;

use zus_sim::timed::{Setup, World};

const CHAIN: ChainId = ChainId([5; 32]);
const EPOCH: Epoch = Epoch(2);
const ATTEMPT: Attempt = Attempt(3);
const N: u16 = 4;
const HEADER_BYTES: usize = 53;
const REGISTRATION_BYTES: usize = 96 + 48 + 32;

fn identity(i: u16) -> SecretKey {
    SecretKey::from_seed(&[i as u8 + 1; 32])
}

fn decryption(i: u16) -> DecryptionKey {
    DecryptionKey::from_seed(&[i as u8 + 101; 32])
}

/// A key generation in which the dealers in `silent` never settle.
fn generate(silent: &[u16]) -> (MagicBlock, Vec<MemberKeys>) {
    let registrations = (0..N)
        .map(|i| Registration::new(CHAIN, EPOCH, ATTEMPT, &identity(i), decryption(i).encryption_key()))
        .collect();
    let session = Arc::new(
        Session::new(CHAIN, EPOCH, ATTEMPT, Parameters::hardened(usize::from(N)).unwrap(), registrations)
            .unwrap(),
    );
    let mut members: Vec<Member> = (0..N)
        .map(|i| {
            let seed = [i as u8 + 201; 32];
            Member::new(session.clone(), MinerId(i), identity(i), decryption(i), &seed).unwrap()
        })
        .collect();
    let dealings: Vec<_> = members.iter().map(|member| member.dealing().clone()).collect();
    for dealing in &dealings {
        for recipient in 0..members.len() {
            let receipt = members[recipient].on_dealing(dealing).unwrap();
            members[usize::from(receipt.dealer.0)].on_receipt(receipt.recipient, &receipt).unwrap();
        }
    }
    members.iter_mut().for_each(|member| member.end_dealing().unwrap());
    let settlements: Vec<_> = members
        .iter()
        .filter(|member| !silent.contains(&member.me().0))
        .map(|member| member.settle().unwrap())
        .collect();
    for settlement in &settlements {
        members.iter_mut().for_each(|member| member.on_settlement(settlement).unwrap());
    }
    let magic_block = MagicBlock::from_outcome(members[0].finish().unwrap().0);
    let keys = members
        .iter()
        .map(|member| {
            let (outcome, beacon) = member.finish().unwrap();
            assert_eq!(MagicBlock::from_outcome(outcome), magic_block);
            MemberKeys { member: member.me(), identity: identity(member.me().0), beacon }
        })
        .collect();
    (magic_block, keys)
}

#[test]
fn a_committee_signs_under_the_magic_block_that_it_generated() {
    let (magic_block, keys) = generate(&[]);
    let decoded = MagicBlock::decode(&magic_block.encode()).unwrap();
    assert_eq!(decoded, magic_block);
    assert_eq!((decoded.chain(), decoded.epoch(), decoded.attempt()), (CHAIN, EPOCH, ATTEMPT));

    let committee = Arc::new(decoded.committee_keys().unwrap());
    let schemes: Vec<BlstScheme> =
        keys.into_iter().map(|keys| BlstScheme::member(committee.clone(), keys).unwrap()).collect();
    let observer = BlstScheme::observer(committee);
    let tickets: Vec<_> = schemes[1..]
        .iter()
        .map(|scheme| (scheme.me().unwrap(), scheme.sign(Domain::Ticket, b"block").unwrap()))
        .collect();
    let certificate = Certificate::assemble(&observer, 3, &tickets).unwrap();
    assert_eq!(certificate.verify(&observer, 3, Domain::Ticket, b"block"), Ok(()));

    let shares: Vec<_> =
        schemes.iter().map(|scheme| (scheme.me().unwrap(), scheme.beacon_share(b"round").unwrap())).collect();
    let signature = observer.combine_beacon(b"round", &shares[..3]).unwrap();
    assert_eq!(observer.combine_beacon(b"round", &shares[1..]), Some(signature));
}

/// The whole way: keys that nobody dealt, a magic block that was decoded from its bytes, and a chain with a threshold beacon.
/// One dealer never settles, and is a member all the same.
#[test]
fn a_chain_runs_on_a_magic_block() {
    let (magic_block, keys) = generate(&[3]);
    let committee = Arc::new(MagicBlock::decode(&magic_block.encode()).unwrap().committee_keys().unwrap());
    let schemes = keys.into_iter().map(|keys| BlstScheme::member(committee.clone(), keys).unwrap()).collect();
    let mut world = World::new(&Setup::new(N, Rules::HARDENED, 1), schemes, &BlstScheme::observer(committee));
    assert!(world.run_to_height(3, 20_000), "{} blocks", world.observer.lowest());
    world.assert_safe();
}

#[test]
fn the_digest_commits_to_every_byte_and_so_to_every_coefficient() {
    let (magic_block, _) = generate(&[]);
    let (other, _) = generate(&[3]);
    assert_ne!(magic_block.digest(), other.digest(), "one dealer less");
    assert_ne!(magic_block.outcome().key().group(), other.outcome().key().group());
    let bytes = magic_block.encode();
    let expected = HEADER_BYTES + usize::from(N) * REGISTRATION_BYTES + 1 + usize::from(N) * 3 * 96;
    assert_eq!(bytes.len(), expected, "three coefficients of each of four dealers");
    assert_eq!(magic_block.digest(), MagicBlock::decode(&bytes).unwrap().digest());
}

#[test]
fn whatever_is_changed_is_refused_or_is_another_magic_block() {
    let (magic_block, _) = generate(&[]);
    let bytes = magic_block.encode();
    let mut read = 0;
    // One bit of every eleventh byte, and every bit of the header.
    let bits =
        (0..HEADER_BYTES * 8).chain((HEADER_BYTES..bytes.len()).step_by(11).map(|byte| byte * 8 + byte % 8));
    for bit in bits {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = MagicBlock::decode(&changed) {
            read += 1;
            assert_ne!(other.digest(), magic_block.digest(), "bit {bit}");
            assert_eq!(other.encode(), changed, "bit {bit}");
        }
    }
    // A proof of possession covers chain, epoch and keys; only coefficients with another sign of y can pass.
    assert!(read <= 8, "{read} changed magic blocks were read");
}

#[test]
fn a_changed_chain_epoch_attempt_key_or_proof_fails_the_proof_of_possession() {
    let bytes = generate(&[]).0.encode();
    let refused = |offset: usize| {
        let mut changed = bytes.clone();
        changed[offset] ^= 1;
        MagicBlock::decode(&changed).err()
    };
    for offset in [1, 33, 40, 44] {
        assert!(matches!(refused(offset), Some(MagicBlockError::Session(SessionError::Registration { .. }))));
    }
    let encryption_key_of_2 = HEADER_BYTES + 3 * REGISTRATION_BYTES - 5;
    assert!(matches!(
        refused(encryption_key_of_2),
        Some(MagicBlockError::Session(SessionError::Registration { member: MinerId(2), .. }))
    ));
}

#[test]
fn mirrored_keys_form_no_committee() {
    let mirror = Scalar::from_bytes(&identity(0).to_bytes()).unwrap().neg();
    let mirrored = SecretKey::from_scalar(mirror).unwrap();
    let (magic_block, _) = generate(&[]);
    let mut bytes = magic_block.encode();
    let registration = Registration::new(CHAIN, EPOCH, ATTEMPT, &mirrored, decryption(3).encryption_key());
    let last = HEADER_BYTES + 3 * REGISTRATION_BYTES;
    bytes[last..last + REGISTRATION_BYTES].copy_from_slice(&registration.encode());
    assert_eq!(
        MagicBlock::decode(&bytes).err(),
        Some(SessionError::SharedCoordinate { first: MinerId(0), second: MinerId(3) }.into())
    );
}

#[test]
fn no_prefix_no_surplus_and_no_other_version_is_read() {
    let bytes = generate(&[1]).0.encode();
    for length in 0..bytes.len() {
        assert!(MagicBlock::decode(&bytes[..length]).is_err(), "{length} bytes");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    let (expected, found) = (bytes.len(), longer.len());
    assert_eq!(MagicBlock::decode(&longer).err(), Some(MagicBlockError::Length { expected, found }));
    let mut newer = bytes.clone();
    newer[0] = MAGIC_BLOCK_VERSION + 1;
    assert_eq!(
        MagicBlock::decode(&newer).err(),
        Some(MagicBlockError::Version { found: MAGIC_BLOCK_VERSION + 1 })
    );
}

#[test]
fn sizes_and_dealers_are_checked_before_any_key() {
    let bytes = generate(&[]).0.encode();
    let members = |n: u16| {
        let mut changed = bytes.clone();
        changed[45..47].copy_from_slice(&n.to_be_bytes());
        MagicBlock::decode(&changed).err()
    };
    assert_eq!(members(0), Some(SessionError::Size { members: 0 }.into()));
    let giant = MAX_DKG_MEMBERS as u16 + 1;
    assert_eq!(members(giant), Some(SessionError::Size { members: usize::from(giant) }.into()));

    // Two dealers only, with the coefficients of two.
    let bitmap = HEADER_BYTES + usize::from(N) * REGISTRATION_BYTES;
    let mut few = bytes[..bitmap + 1 + 2 * 3 * 96].to_vec();
    few[bitmap] = 0b0011;
    assert_eq!(
        MagicBlock::decode(&few).err(),
        Some(TranscriptError::TooFewQualified { qualified: 2, needed: 3 }.into())
    );
}
