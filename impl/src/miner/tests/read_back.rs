//! Data read back from the disk is verified: one changed bit is noticed, wherever it is (L4).

use std::sync::Arc;

use super::regressions::chain;
use super::stage::Stage;
use crate::block::BlockId;
use crate::chain::{Damage, Damaged, FinalBlock, Item};
use crate::committee::Round;
use crate::crypto::mock_scheme::MockScheme;
use crate::limits::MAX_ROUND;
use crate::miner::{Miner, Recovery, StartError, Stored};
use crate::rules::Rules;
use crate::wire::{self, WireError};

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

/// Of several certificates of finality the newest is the one that helps others; their order on the disk says nothing.
#[test]
fn the_newest_certificate_of_finality_is_the_one_that_is_taken() {
    let stage = Stage::new(Rules::HARDENED);
    let chain = chain(&stage, 2);
    for order in [[0, 1], [1, 0]] {
        let mut disk = disk(&stage);
        let certificate = |at: usize| Stored::FinalityCertificate(stage.finality(&chain[at].0, &[1, 2, 3]));
        disk.stored.retain(|stored| !matches!(stored, Stored::FinalityCertificate(_)));
        disk.stored.extend(order.map(certificate));
        let miner = start(&stage, disk).expect("nothing is damaged");
        let taken = miner.chain.finality().map(|known| known.round);
        assert_eq!(taken, Some(Round(2)), "{order:?}");
    }
}

/// Every change of one bit of a last final block without a certificate of its own.
fn changed_heads(disk: &Recovery) -> impl Iterator<Item = (usize, Recovery)> + '_ {
    let last = disk.finals.len() - 1;
    let bytes = wire::to_bytes(&disk.finals[last]);
    (0..bytes.len() * 8).filter_map(move |bit| {
        let mut damaged = disk.clone();
        damaged.finals[last] = wire::from_bytes::<FinalBlock>(&flipped(&bytes, bit)).ok()?;
        Some((bit, damaged))
    })
}

/// The head is what says in which round a miner starts: without a certificate it is not believed, and by the certificate that
/// another item has it is compared.
#[test]
fn a_flipped_bit_in_a_head_without_its_certificate_is_refused() {
    let stage = Stage::new(Rules::HARDENED);
    let chain = chain(&stage, 3);
    let whole = disk(&stage);
    let bare = FinalBlock { block: chain[1].0.clone(), notarization: None };
    let named = Stored::FinalityCertificate(stage.finality(&chain[1].0, &[1, 2, 3]));
    let notarized = Stored::Notarization(chain[1].1.clone());
    let child = Stored::Block(chain[2].0.clone());
    for finals in [vec![bare.clone()], vec![whole.finals[0].clone(), bare.clone()]] {
        for stored in
            [vec![named.clone()], vec![notarized.clone()], vec![child.clone()], whole.stored.clone()]
        {
            let disk = Recovery { finals: finals.clone(), stored, ..Recovery::default() };
            let genuine = start(&stage, disk.clone()).expect("nothing is damaged");
            assert_eq!(genuine.finalized().round(), Round(2));
            let mut read = 0;
            for (bit, damaged) in changed_heads(&disk) {
                read += 1;
                let found = start(&stage, damaged).map(|miner| miner.round());
                assert!(matches!(found, Err(StartError::Damaged(_))), "bit {bit}: {found:?}");
            }
            assert!(read > 1_000, "only {read} changes were read");
        }
        // Nothing speaks for the head: also the genuine one is refused, with its place.
        let alone = Recovery { finals: finals.clone(), ..Recovery::default() };
        let index = finals.len() - 1;
        let expected =
            Damaged { item: Item::FinalBlock, index, round: Round(2), reason: Damage::Uncertified };
        match start(&stage, alone.clone()).err() {
            Some(StartError::Damaged(found)) => assert_eq!(found, expected),
            other => panic!("{other:?}"),
        }
    }
    // The certificate that a child carries is verified, too.
    let mut content = stage.content(0, &chain[1].0, Some(chain[1].1.clone()), 1);
    let mut forged = (*chain[1].1).clone();
    forged.certificate.aggregate.0[0] ^= 1;
    content.parent_notarization = Some(Arc::new(forged));
    let stored = vec![Stored::Block(Arc::new(crate::block::Block::new(content)))];
    let refused = start(&stage, Recovery { finals: vec![bare], stored, ..Recovery::default() });
    let refused = refused.err().expect("the certificate is forged");
    assert!(matches!(refused, StartError::Damaged(Damaged { item: Item::Block, index: 0, .. })), "{refused}");
}

/// A block above the head that has changed is another block, which nothing names: it moves nobody. In a round that no chain
/// reaches it is no block.
#[test]
fn a_flipped_bit_in_a_block_above_the_head_moves_nobody() {
    let stage = Stage::new(Rules::HARDENED);
    let disk = disk(&stage);
    let genuine = start(&stage, disk.clone()).expect("nothing is damaged");
    let bytes = wire::to_bytes(&disk.stored[1]);
    let (mut taken, mut far) = (0, 0);
    for bit in 0..bytes.len() * 8 {
        let other = match wire::from_bytes::<Stored>(&flipped(&bytes, bit)) {
            Ok(other) => other,
            Err(unreadable) => {
                far += usize::from(matches!(unreadable, WireError::Round { .. }));
                continue;
            }
        };
        let Stored::Block(block) = &other else { panic!("bit {bit}: {other:?}") };
        let (round, id) = (block.round(), block.id());
        let mut damaged = disk.clone();
        damaged.stored[1] = other;
        match start(&stage, damaged) {
            Ok(miner) => {
                taken += 1;
                assert!(round.0 <= MAX_ROUND, "bit {bit}: {round}");
                assert_eq!((miner.round(), miner.subround()), (genuine.round(), genuine.subround()));
                assert_eq!(miner.entry(), genuine.entry(), "bit {bit}");
                assert_eq!(miner.finalized().id(), genuine.finalized().id(), "bit {bit}");
                assert_ne!(miner.entry(), id, "bit {bit}");
            }
            Err(StartError::Damaged(found)) => {
                assert_eq!((found.item, found.index), (Item::Block, 1), "bit {bit}");
            }
            Err(other) => panic!("bit {bit}: {other}"),
        }
    }
    assert!(taken > 500 && far >= 1, "{taken}, {far}");
}

/// An item that names a round that no chain reaches is refused before its certificate is verified.
#[test]
fn a_round_above_the_highest_is_refused_in_every_item() {
    let stage = Stage::new(Rules::HARDENED);
    let genesis = stage.config.genesis.clone();
    let mut content = stage.content(0, &genesis, None, 1);
    content.round = Round(MAX_ROUND + 1);
    let far = Arc::new(crate::block::Block::new(content));
    let items = [
        Stored::Block(far.clone()),
        Stored::Notarization(stage.notarization(&far, &[1, 2, 3])),
        Stored::TimeoutCertificate(stage.timeouts(MAX_ROUND + 1, 0, &[1, 2, 3])),
        Stored::FinalityCertificate(stage.finality(&far, &[1, 2, 3])),
    ];
    let reason = |recovery| match start(&stage, recovery).err() {
        Some(StartError::Damaged(found)) => Some(found.reason),
        other => panic!("{other:?}"),
    };
    for item in items {
        let stored = vec![item];
        assert_eq!(reason(Recovery { stored, ..Recovery::default() }), Some(Damage::Round));
    }
    let notarization = Some(stage.notarization(&far, &[1, 2, 3]));
    let finals = vec![FinalBlock { block: far, notarization }];
    assert_eq!(reason(Recovery { finals, ..Recovery::default() }), Some(Damage::Round));
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
