//! The order of generators beside that of an independent program.

use serde_json::Value;
use sha3::{Digest, Sha3_256};
use zus_bpp::committee::{MinerId, Subround};
use zus_bpp::crypto::ranks::{Rank, Ranks};
use zus_bpp::crypto::scheme::BeaconValue;

fn vectors() -> Value {
    serde_json::from_str(include_str!("data/ranks.json")).expect("vectors")
}

fn bytes(value: &Value) -> [u8; 32] {
    hex::decode(value.as_str().expect("a string")).expect("hexadecimal digits").try_into().expect("32 bytes")
}

fn list(value: &Value) -> &[Value] {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    assert!(!list.is_empty(), "an empty list of vectors tests nothing");
    list
}

#[test]
fn ranks_are_those_of_an_independent_program() {
    let file = vectors();
    for vector in list(&file["vectors"]) {
        let order: Vec<MinerId> =
            list(&vector["order"]).iter().map(|m| MinerId(m.as_u64().unwrap() as u16)).collect();
        let ranks = Ranks::derive(
            &BeaconValue(bytes(&vector["value"])),
            Subround(vector["subround"].as_u64().unwrap() as u32),
            order.len() as u16,
        );
        assert_eq!(ranks.members(), order, "{vector}");
    }
}

#[test]
fn ranks_agree_where_a_draw_is_rejected() {
    let vector = &vectors()["with_a_rejected_draw"];
    let ranks = Ranks::derive(
        &BeaconValue(bytes(&vector["value"])),
        Subround(vector["subround"].as_u64().unwrap() as u32),
        vector["members"].as_u64().unwrap() as u16,
    );
    for (rank, member) in (0..).zip(list(&vector["first"])) {
        assert_eq!(ranks.member(Rank(rank)), Some(MinerId(member.as_u64().unwrap() as u16)));
    }
    let order: Vec<u8> = ranks.members().iter().flat_map(|member| member.0.to_be_bytes()).collect();
    assert_eq!(
        Sha3_256::digest(order)[..],
        bytes(&vector["sha3_256_of_order_as_u16_be"]),
        "a plain remainder gives another order here"
    );
}
