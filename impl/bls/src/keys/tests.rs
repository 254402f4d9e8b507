//! The facts that a signature proves, and those that it does not, attack by attack.

use subtle::ConstantTimeEq;

use super::*;
use crate::curve::Scalar;
use crate::curve::strays::cofactor_only;

fn ticket() -> DomainTag {
    TICKET
}

fn key(i: u8) -> SecretKey {
    SecretKey::from_seed(&[i; 32])
}

fn registered(secret: &SecretKey) -> RegisteredKey {
    secret.prove_possession(b"chain").verify(&secret.public_key(), b"chain").unwrap()
}

fn sum(points: &[G1]) -> Signature {
    Signature(G1::sum(points).unwrap().encode())
}

#[test]
fn a_signature_verifies_for_its_key_domain_and_message_only() {
    let signature = key(1).sign(ticket(), b"block");
    assert!(key(1).public_key().verify(ticket(), b"block", &signature));
    assert!(!key(2).public_key().verify(ticket(), b"block", &signature));
    assert!(!key(1).public_key().verify(ticket(), b"blocK", &signature));
    for tag in DomainTag::RESERVED.into_iter().chain([OTHER]) {
        assert!(!key(1).public_key().verify(tag, b"block", &signature), "{tag:?}");
    }
}

#[test]
fn all_reserved_tags_differ_and_none_begins_another() {
    let tags = DomainTag::RESERVED;
    for (i, a) in tags.iter().enumerate() {
        assert!((16..=255).contains(&a.as_bytes().len()), "RFC 9380, section 3.1 and 5.3.3");
        for b in &tags[i + 1..] {
            assert!(!a.as_bytes().starts_with(b.as_bytes()) && !b.as_bytes().starts_with(a.as_bytes()));
        }
    }
}

#[test]
fn a_rogue_key_forges_an_aggregate_unless_possession_is_proved() {
    let honest = [registered(&key(1)), registered(&key(2))];
    let attacker = key(3);
    // The rogue key is x*G - (sum of the honest keys); its owner does not know its secret.
    let negated: Vec<G2> = honest.iter().map(|key| key.point().neg()).collect();
    let rogue = G2::sum(negated.iter().chain([attacker.public_key().point()])).unwrap();
    let forgery = attacker.sign(ticket(), b"never signed by the honest");

    let forged_sum = G2::sum(honest.iter().map(RegisteredKey::point).chain([&rogue])).unwrap();
    assert!(
        verify_point(&forged_sum, ticket(), b"never signed by the honest", &forgery),
        "negative control: without registration the attack succeeds"
    );
    let rogue = PublicKey::from_point(rogue);
    let own = attacker.prove_possession(b"chain");
    // If proofs did not sign the key itself, the attack would work on them just as well.
    let mut combined = vec![G1::decode(&own.0.0).unwrap()];
    for i in [1, 2] {
        combined.push(G1::decode(&key(i).prove_possession(b"chain").0.0).unwrap().neg());
    }
    let stolen = [own, key(1).prove_possession(b"chain"), ProofOfPossession(sum(&combined))];
    for proof in stolen {
        assert_eq!(proof.verify(&rogue, b"chain"), Err(KeyError::NotPossessed));
    }
}

#[test]
fn a_proof_of_possession_binds_key_and_statement_and_is_no_signature() {
    let proof = key(1).prove_possession(b"chain A");
    assert!(proof.verify(&key(1).public_key(), b"chain A").is_ok());
    assert_eq!(proof.verify(&key(1).public_key(), b"chain B"), Err(KeyError::NotPossessed));
    assert_eq!(proof.verify(&key(2).public_key(), b"chain A"), Err(KeyError::NotPossessed));
    let as_ticket = key(1).sign(ticket(), &[&key(1).public_key().encode()[..], b"chain A"].concat());
    assert_eq!(
        ProofOfPossession(as_ticket).verify(&key(1).public_key(), b"chain A"),
        Err(KeyError::NotPossessed),
        "a ticket over the same bytes is no proof"
    );
}

#[test]
fn cancelling_tickets_leave_the_honest_bytes_and_are_invalid_one_by_one() {
    let keys = [key(1), key(2), key(3)];
    let honest: Vec<Signature> = keys.iter().map(|key| key.sign(ticket(), b"block")).collect();
    let points: Vec<G1> = honest.iter().map(|signature| G1::decode(&signature.0).unwrap()).collect();
    let error = G1::hash(b"any point", b"");
    let forged = [sum(&[points[0], error]), sum(&[points[1], error.neg()]), honest[2]];

    let aggregate = aggregate(&forged).unwrap();
    assert_eq!(aggregate, super::aggregate(&honest).unwrap(), "byte for byte");
    let registered: Vec<RegisteredKey> = keys.iter().map(registered).collect();
    assert!(verify_aggregate(&registered, ticket(), b"block", &aggregate), "the certificate is sound");
    let valid: Vec<bool> = keys
        .iter()
        .zip(&forged)
        .map(|(key, ticket_)| key.public_key().verify(ticket(), b"block", ticket_))
        .collect();
    assert_eq!(valid, [false, false, true], "the sum says nothing about a single ticket");
    assert!(!verify_aggregate(
        &registered[1..],
        ticket(),
        b"block",
        &super::aggregate(&forged[1..]).unwrap()
    ));
}

#[test]
fn a_duplicate_signer_satisfies_the_group_equation_only_with_its_key_twice() {
    let keys = [registered(&key(1)), registered(&key(2))];
    let (first, second) = (key(1).sign(ticket(), b"block"), key(2).sign(ticket(), b"block"));
    let doubled = aggregate(&[first, first, second]).unwrap();
    assert!(!verify_aggregate(&keys, ticket(), b"block", &doubled));
    assert!(
        verify_aggregate([&keys[0], &keys[0], &keys[1]], ticket(), b"block", &doubled),
        "negative control: a signer list that is not a set lets two signers pass for three"
    );
}

#[test]
fn infinity_is_no_signature_no_key_and_no_sum() {
    let mut infinity = [0; 48];
    infinity[0] = 0xc0;
    assert_eq!(G1::decode(&infinity), Err(PointError::Infinity));
    assert!(!key(1).public_key().verify(ticket(), b"block", &Signature(infinity)));
    assert_eq!(
        aggregate(&[Signature(infinity)]),
        Err(AggregateError::NotAPoint { position: 0, reason: PointError::Infinity })
    );
    let mut infinite_key = [0; 96];
    infinite_key[0] = 0xc0;
    assert_eq!(PublicKey::decode(&infinite_key), Err(KeyError::Point(PointError::Infinity)));

    let signature = key(1).sign(ticket(), b"block");
    let mirrored = Signature(G1::decode(&signature.0).unwrap().neg().encode());
    assert_eq!(aggregate(&[signature, mirrored]), Err(AggregateError::Infinity));
    assert_eq!(aggregate(&[]), Err(AggregateError::Infinity));
    assert!(!verify_aggregate([], ticket(), b"block", &signature));
}

#[test]
fn mirrored_keys_sum_to_zero_and_share_their_x_coordinate() {
    let secret = key(7);
    let scalar = Scalar::from_bytes(&secret.to_bytes()).unwrap();
    let mirror = SecretKey::from_scalar(scalar.neg()).unwrap();
    // Both prove possession honestly, and both ride along in a bitmap without signing anything.
    let free_riders = [registered(&secret), registered(&mirror)];
    let signer = registered(&key(1));
    let signature = key(1).sign(ticket(), b"block");
    assert!(
        verify_aggregate([&signer, &free_riders[0], &free_riders[1]], ticket(), b"block", &signature),
        "negative control: this is why a committee refuses a second key with the same x coordinate"
    );
    assert_eq!(secret.public_key().x_coordinate(), mirror.public_key().x_coordinate());
    assert_ne!(secret.public_key(), mirror.public_key());
    assert_ne!(secret.public_key().x_coordinate(), key(1).public_key().x_coordinate());
    assert!(!verify_aggregate(&free_riders, ticket(), b"block", &signature), "an infinite key is refused");
}

#[test]
fn a_cofactor_component_is_invisible_to_the_pairing_and_refused_by_the_subgroup_check() {
    let signature = G1::decode(&key(1).sign(ticket(), b"block").0).unwrap();
    let tainted = G1::sum([&signature, &cofactor_only()]).unwrap();
    assert!(!tainted.is_in_subgroup());
    let hash = G1::hash(ticket().as_bytes(), b"block");
    assert!(
        is_balanced(&tainted, &hash, &PreparedG2::new(key(1).public_key().point())),
        "negative control: the pairing alone accepts it"
    );
    assert!(!key(1).public_key().verify(ticket(), b"block", &Signature(tainted.encode())));
    // Two tainted tickets whose taints cancel make a clean sum, dropping one of them does not.
    let mirrored = G1::sum([&signature, &cofactor_only().neg()]).unwrap();
    let clean = aggregate(&[Signature(tainted.encode()), Signature(mirrored.encode())]).unwrap();
    assert!(G1::decode(&clean.0).unwrap().is_in_subgroup());
}

#[test]
fn secrets_are_redacted_compared_in_constant_time_and_round_trip() {
    let secret = key(5);
    assert_eq!(format!("{secret:?}"), "SecretKey(..)");
    assert!(bool::from(secret.ct_eq(&SecretKey::from_bytes(&secret.to_bytes()).unwrap())));
    assert!(!bool::from(secret.ct_eq(&key(6))));
    assert!(SecretKey::from_bytes(&[0; 32]).is_none());
    assert!(SecretKey::from_bytes(&[0xff; 32]).is_none());
}

#[test]
fn our_verifier_and_the_one_of_blst_agree() {
    use blst::BLST_ERROR::BLST_SUCCESS;
    use blst::min_sig;
    for i in 0..4 {
        let ours = key(i).sign(ticket(), b"block");
        let theirs = min_sig::SecretKey::key_gen(&[i; 32], &[]).unwrap();
        assert_eq!(theirs.sk_to_pk().to_bytes(), key(i).public_key().encode());
        assert_eq!(theirs.sign(b"block", ticket().as_bytes(), &[]).to_bytes(), ours.0);
        let signature = min_sig::Signature::from_bytes(&ours.0).unwrap();
        let verdict = signature.verify(true, b"block", ticket().as_bytes(), &[], &theirs.sk_to_pk(), true);
        assert_eq!(verdict, BLST_SUCCESS);
    }
}
