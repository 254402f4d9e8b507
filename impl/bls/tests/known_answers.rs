//! Known-answer tests: public vectors that other people's programs produced.

use std::path::Path;

use serde_json::Value;
use zus_bls::curve::{G1, G2, PointError, Scalar};
use zus_bls::keys::{DomainTag, PublicKey, SecretKey};
use zus_bls::scheme::Signature;

fn vectors(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a string, not {value}"))
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    hex::decode(text(value)).unwrap().try_into().unwrap_or_else(|_| panic!("{N} bytes, not {value}"))
}

fn list(value: &Value) -> &[Value] {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    assert!(!list.is_empty(), "an empty list of vectors tests nothing");
    list
}

/// The compressed form of affine coordinates: x with the compression flag, and the sign of y.
fn compress(x: &Value, y: &Value) -> [u8; 48] {
    // (p - 1) / 2, above which y is the larger of the two roots.
    const HALF: &str =
        "0d0088f51cbff34d258dd3db21a5d66bb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555";
    let mut compressed: [u8; 48] = bytes(x);
    compressed[0] |= 0x80 | if text(y) > HALF { 0x20 } else { 0 };
    compressed
}

#[test]
fn the_hash_to_curve_is_that_of_rfc_9380() {
    let file = vectors("rfc9380-g1.json");
    let mut hashed = 0;
    for vector in list(&file["vectors"]) {
        let point = G1::hash(text(&file["dst"]).as_bytes(), text(&vector["msg"]).as_bytes());
        assert_eq!(point.encode(), compress(&vector["x"], &vector["y"]), "{}", vector["msg"]);
        assert!(point.is_in_subgroup());
        hashed += 1;
    }
    assert_eq!(hashed, 5);
}

/// drand's scheme `bls-unchained-g1-rfc9380`: the message of a round is the SHA-256 of its number.
const DRAND: DomainTag = DomainTag::new(b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_");

fn drand_message(round: u64) -> Vec<u8> {
    use sha2::Sha256;
    <Sha256 as sha2::Digest>::digest(round.to_be_bytes()).to_vec()
}

#[test]
fn rounds_of_drand_verify_under_its_public_key() {
    let file = vectors("drand-quicknet.json");
    let key = PublicKey::decode(&bytes(&file["public_key"])).unwrap();
    let rounds = list(&file["rounds"]);
    for (i, round) in rounds.iter().enumerate() {
        let number = round["round"].as_u64().unwrap();
        let signature = Signature(bytes(&round["signature"]));
        assert!(key.verify(DRAND, &drand_message(number), &signature), "round {number}");
        assert!(!key.verify(DRAND, &drand_message(number + 1), &signature), "the message is bound");
        let other = Signature(bytes(&rounds[(i + 1) % rounds.len()]["signature"]));
        assert!(!key.verify(DRAND, &drand_message(number), &other), "rounds are not interchangeable");
    }
}

#[test]
fn a_round_of_drand_fails_with_any_bit_flipped() {
    let file = vectors("drand-quicknet.json");
    let key_bytes: [u8; 96] = bytes(&file["public_key"]);
    let key = PublicKey::decode(&key_bytes).unwrap();
    let round = &list(&file["rounds"])[0];
    let message = drand_message(round["round"].as_u64().unwrap());
    let signature: [u8; 48] = bytes(&round["signature"]);
    let flipped = |bit: usize, bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    };
    for bit in 0..48 * 8 {
        let bad = Signature(flipped(bit, &signature).try_into().unwrap());
        assert!(!key.verify(DRAND, &message, &bad), "signature, bit {bit}");
    }
    for bit in 0..32 * 8 {
        assert!(!key.verify(DRAND, &flipped(bit, &message), &Signature(signature)), "message, bit {bit}");
    }
    for bit in 0..96 * 8 {
        if let Ok(bad) = PublicKey::decode(&flipped(bit, &key_bytes).try_into().unwrap()) {
            assert!(!bad.verify(DRAND, &message, &Signature(signature)), "key, bit {bit}");
        }
    }
}

#[test]
fn a_minimal_signature_of_another_implementation_verifies() {
    let file = vectors("min-sig-signature.json");
    // The vector's tag names G2 although its messages are hashed to G1; a tag is only bytes.
    const TAG: DomainTag = DomainTag::new(b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_");
    assert_eq!(text(&file["dst"]).as_bytes(), TAG.as_bytes());
    let key = PublicKey::decode(&bytes(&file["public_key"])).unwrap();
    let message: [u8; 32] = bytes(&file["message"]);
    let signature = Signature(bytes(&file["signature"]));
    assert!(key.verify(TAG, &message, &signature));
    assert!(!key.verify(DRAND, &message, &signature), "the tag is bound");
}

#[test]
fn points_are_read_as_the_ethereum_vectors_say_but_for_infinity() {
    let file = vectors("ethereum-bls12-381.json");
    let usable_g1 = |input: &[u8]| {
        let point = G1::decode(input.try_into().map_err(|_| PointError::Encoding)?)?;
        point.is_in_subgroup().then_some(()).ok_or(PointError::NotInSubgroup)
    };
    let usable_g2 = |input: &[u8]| G2::decode(input.try_into().map_err(|_| PointError::Encoding)?).map(drop);
    let check = |cases: &[Value], usable: &dyn Fn(&[u8]) -> Result<(), PointError>| {
        for case in cases {
            let (name, input) = (text(&case["name"]), hex::decode(text(&case["input"])).unwrap());
            let expected = match name {
                "deserialization_succeeds_infinity_with_true_b_flag" => Err(PointError::Infinity),
                "deserialization_fails_not_in_G1" | "deserialization_fails_not_in_G2" => {
                    Err(PointError::NotInSubgroup)
                }
                "deserialization_fails_not_in_curve" => Err(PointError::NotOnCurve),
                _ if case["output"] == true => Ok(()),
                _ => Err(PointError::Encoding),
            };
            let found = usable(&input);
            // Zero is the x coordinate of points of order three, which blst reports as outside the subgroup.
            let zero_x = name.contains("infinity_with_false_b_flag");
            assert!(found == expected || zero_x && found.is_err(), "{name}: {found:?}");
        }
    };
    check(list(&file["deserialization_G1"]), &usable_g1);
    check(list(&file["deserialization_G2"]), &usable_g2);
}

#[test]
fn secret_keys_and_products_in_g1_agree_with_the_ethereum_vectors() {
    let file = vectors("ethereum-bls12-381.json");
    for pair in list(&file["keys_in_G1"]) {
        let secret = bytes(&pair["secret"]);
        assert!(SecretKey::from_bytes(&secret).is_some());
        let product = G1::generator().mul(&Scalar::from_bytes(&secret).unwrap()).unwrap();
        assert_eq!(product.encode(), bytes::<48>(&pair["public"]));
    }
    assert!(SecretKey::from_bytes(&[0; 32]).is_none(), "sign_case_zero_privkey");
}
