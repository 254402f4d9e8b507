//! What is read back from the disk is verified: one changed bit is noticed, wherever it is (L4).

use std::sync::Arc;

use super::regressions::chain;
use super::stage::Stage;
use crate::block::BlockId;
use crate::chain::{Damage, Damaged, FinalBlock, Item};
use crate::committee::Round;
use crate::crypto::mock_scheme::MockScheme;
use crate::miner::{Miner, Recovery, StartError, Stored};
use crate::mutants::{Mutant, Scope};
use crate::rules::Rules;
use crate::wire;

fn start(stage: &Stage, recovery: Recovery) -> Result<Miner<MockScheme>, StartError> {
    Miner::new(stage.config.clone(), stage.schemes[0].clone(), recovery)
}

/// Two final blocks, and above them a block, its notarization, a timeout certificate, and the certificate of the head.
fn disk(stage: &Stage) -> Recovery {
    let chain = chain(stage, 3);
    let finals = chain[..2].iter().map(|(block, notarization)| FinalBlock {
        block: block.clone(),
        notarization: Some(notarization.clone()),
    });
    let stored = vec![
        Stored::FinalityCertificate(stage.finality(&chain[1].0, &[1, 2, 3])),
        Stored::Block(chain[2].0.clone()),
        Stored::Notarization(chain[2].1.clone()),
        Stored::TimeoutCertificate(stage.timeouts(4, 0, &[1, 2, 3])),
    ];
    Recovery { finals: finals.collect(), stored, ..Recovery::default() }
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// The round of a certificate with one bit changed: it verifies no more, and the miner says which item it is.
#[test]
fn a_flipped_bit_in_a_certificate_is_refused_with_the_place() {
    let stage = Stage::new(Rules::HARDENED);
    let disk = disk(&stage);
    let genuine = start(&stage, disk.clone()).expect("nothing is damaged");
    assert_eq!((genuine.round(), genuine.finalized().round()), (Round(4), Round(2)));
    let mut read = 0;
    for index in [0, 2, 3] {
        let bytes = wire::to_bytes(&disk.stored[index]);
        for bit in 0..bytes.len() * 8 {
            let Ok(other) = wire::from_bytes::<Stored>(&flipped(&bytes, bit)) else { continue };
            read += 1;
            let mut damaged = disk.clone();
            damaged.stored[index] = other;
            match start(&stage, damaged) {
                Err(StartError::Damaged(found)) => assert_eq!(found.index, index, "bit {bit}"),
                other => panic!("item {index}, bit {bit}: {:?}", other.map(|miner| miner.round())),
            }
        }
    }
    for index in 0..disk.finals.len() {
        let bytes = wire::to_bytes(&disk.finals[index]);
        for bit in 0..bytes.len() * 8 {
            let Ok(other) = wire::from_bytes::<FinalBlock>(&flipped(&bytes, bit)) else { continue };
            read += 1;
            let mut damaged = disk.clone();
            damaged.finals[index] = other;
            assert!(
                matches!(start(&stage, damaged), Err(StartError::Damaged(_))),
                "final {index}, bit {bit}"
            );
        }
    }
    assert!(read > 4_000, "only {read} changes were read");
}

#[test]
fn a_notarization_of_a_round_that_nobody_reaches_starts_nobody_there() {
    let stage = Stage::new(Rules::HARDENED);
    let mut disk = disk(&stage);
    let Stored::Notarization(genuine) = &disk.stored[2] else { panic!("the notarization") };
    let mut far = (**genuine).clone();
    far.statement.round = Round(genuine.round.0 ^ 1 << 48);
    disk.stored[2] = Stored::Notarization(Arc::new(far));
    let refused = start(&stage, disk.clone()).err().expect("it is damaged").to_string();
    let expected = "the notarization at stored item 2 (round 281474976710659) is damaged: ";
    assert!(refused.starts_with(expected), "{refused}");
    // The control: as it was.
    let scope = Scope::enter(Some(Mutant::ReadBackTrusted));
    assert_eq!(start(&stage, disk).expect("believed").round(), Round((3 ^ 1 << 48) + 1));
    drop(scope);
}

/// A host that seals what it stores notices every bit, blocks included.
#[test]
fn a_flipped_bit_of_what_was_sealed_is_noticed() {
    let stage = Stage::new(Rules::HARDENED);
    let disk = disk(&stage);
    for stored in &disk.stored {
        let bytes = wire::seal(stored);
        assert_eq!(wire::unseal::<Stored>(&bytes).as_ref(), Ok(stored));
        for bit in 0..bytes.len() * 8 {
            assert!(wire::unseal::<Stored>(&flipped(&bytes, bit)).is_err(), "bit {bit}");
        }
        assert!((0..bytes.len()).all(|length| wire::unseal::<Stored>(&bytes[..length]).is_err()));
    }
    for found in &disk.finals {
        let bytes = wire::seal(found);
        assert_eq!(wire::unseal::<FinalBlock>(&bytes).as_ref(), Ok(found));
        assert!((0..bytes.len() * 8).all(|bit| wire::unseal::<FinalBlock>(&flipped(&bytes, bit)).is_err()));
    }
}

#[test]
fn final_blocks_that_are_not_linked_or_not_the_certified_ones_are_refused() {
    let stage = Stage::new(Rules::HARDENED);
    let disk = disk(&stage);
    let refused = |change: fn(&mut Recovery)| {
        let mut changed = disk.clone();
        change(&mut changed);
        match start(&stage, changed).err() {
            Some(StartError::Damaged(Damaged { item, index, reason, .. })) => Some((item, index, reason)),
            other => panic!("{other:?}"),
        }
    };
    let swapped = refused(|disk| disk.finals.swap(0, 1));
    assert_eq!(swapped, Some((Item::FinalBlock, 1, Damage::Unlinked)));
    let others = refused(|disk| disk.finals[0].notarization = disk.finals[1].notarization.clone());
    assert_eq!(others, Some((Item::FinalNotarization, 0, Damage::OtherBlock)));
    let other = refused(|disk| {
        let Stored::FinalityCertificate(certificate) = &disk.stored[0] else { return };
        let mut certificate = (**certificate).clone();
        certificate.statement.block = BlockId([9; 32]);
        disk.stored[0] = Stored::FinalityCertificate(Arc::new(certificate));
    });
    assert_eq!(other, Some((Item::FinalityCertificate, 0, Damage::OtherBlock)));
    let twin = Stage::new(Rules::HARDENED);
    let mut content = twin.content(0, &twin.config.genesis.clone(), None, 1);
    content.chain.0[0] ^= 1;
    let mut foreign = disk.clone();
    foreign.stored[1] = Stored::Block(Arc::new(crate::block::Block::new(content)));
    let refused = start(&stage, foreign).err().expect("another chain");
    assert!(matches!(refused, StartError::Damaged(Damaged { item: Item::Block, index: 1, .. })), "{refused}");
}

/// Of the finality certificates only the newest is kept, however many there were.
#[test]
fn finality_certificates_below_the_head_are_not_kept() {
    let stage = Stage::new(Rules::HARDENED);
    let mut kept: Vec<Stored> = Vec::new();
    for (block, _) in chain(&stage, 20) {
        kept.push(Stored::FinalityCertificate(stage.finality(&block, &[1, 2, 3])));
        kept.retain(|stored| stored.is_needed_beyond(block.round()));
        assert_eq!(kept.len(), 1, "round {}", block.round());
    }
    let Stored::FinalityCertificate(newest) = &kept[0] else { panic!("a finality certificate") };
    assert_eq!(newest.round, Round(20));
    assert!(kept[0].is_needed_beyond(Round(19)), "its block is not committed yet");
}
