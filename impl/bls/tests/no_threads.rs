//! Pitfall: blst's safe functions queue every check on a thread pool of their own, which wakes threads on every core. This
//! crate's verifiers use none of them. A program of its own, because other tests have threads.
#![cfg(target_os = "linux")]

use zus_bls::blst_scheme::BlstScheme;
use zus_bls::committee::MinerId;
use zus_bls::keys::DomainTag;
use zus_bls::scheme::{Beacon as _, Signature, Verify as _};
use zus_bls::trusted_dealer;

const TICKET: DomainTag = DomainTag::new(b"ZUS-BPP-V01-TICKET_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_");
const MESSAGE: &[u8] = b"round 1, subround 0, block 2";

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("the threads of this process").count()
}

#[test]
fn verifying_starts_no_threads() {
    let (committee, members) = trusted_dealer::deal([7; 32], 20).expect("keys");
    let scheme = BlstScheme::observer(committee.clone());
    let before = threads();
    let mut tickets: Vec<(MinerId, Signature)> =
        members.iter().map(|member| (member.member, member.identity.sign(TICKET, MESSAGE))).collect();
    tickets[3].1 = tickets[4].1;
    let sifted = scheme.sift(TICKET, MESSAGE, &tickets);
    assert_eq!(sifted.wrong, [MinerId(3)]);
    let (signers, aggregate) = sifted.group.expect("a certificate");
    let other = BlstScheme::observer(committee.clone());
    assert!(other.verify_aggregate(&signers, TICKET, MESSAGE, &aggregate));
    assert!(other.verify(MinerId(5), TICKET, MESSAGE, &tickets[5].1));
    let shares: Vec<(MinerId, Signature)> =
        members.iter().map(|member| (member.member, member.beacon.sign(MESSAGE))).collect();
    let value = scheme.combine_beacon(MESSAGE, &shares).expect("a value");
    assert!(scheme.verify_beacon(MESSAGE, &value));
    assert_eq!(threads(), before);

    // Negative control: blst's own verification.
    let key = committee.identity(MinerId(5)).expect("a member").public_key().encode();
    let key = blst::min_sig::PublicKey::from_bytes(&key).expect("a key");
    let signature = blst::min_sig::Signature::from_bytes(&tickets[5].1.0).expect("a point");
    let result = signature.verify(true, MESSAGE, TICKET.as_bytes(), &[], &key, false);
    assert_eq!(result, blst::BLST_ERROR::BLST_SUCCESS);
    assert!(threads() > before, "the pool of blst");
}
