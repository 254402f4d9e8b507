//! A walk over epochs with real signatures: links that follow each other are checked together, and one wrong one is enough.

use std::collections::BTreeMap;
use std::sync::Arc;

use zus_bls::curve::products_so_far;

use super::stage::{CHAIN, EPOCH, content_of, identity};
use crate::block::{Block, Closing, Digest, Time};
use crate::certified::FinalityCertificate;
use crate::committee::{Epoch, MinerId, Round};
use crate::crypto::certificate::{Certificate, Signers};
use crate::crypto::keys;
use crate::crypto::scheme::{BatchSeed, BeaconValue, Signature};
use crate::epochs::generated::{BlsSignatures, Exchange, GeneratedKeys};
use crate::epochs::handoff::HandoffCertificate;
use crate::epochs::link::{Link, steps};
use crate::epochs::record::{Record, RecordContent};
use crate::epochs::replica::Keys as _;
use crate::epochs::roster::Roster;
use crate::rules::QuorumRule;
use crate::statement::{FinalityVote, Statement as _};

const EPOCHS: u16 = 6;

/// Members `i` to `i + 3` in the epoch that is `i` epochs above the first one.
fn members(i: u16) -> Vec<u16> {
    (i..i + 4).collect()
}

/// The record after `before`, with a link to it that the first `signers` members of the committee before signed.
fn link(before: &Record, i: u16, signers: u16, change: impl FnOnce(&mut RecordContent)) -> Arc<Link<Record>> {
    let (epoch, previous) = (Epoch(before.epoch().0 + 1), before.digest());
    let mut content = RecordContent { epoch, previous, ..content_of(&members(i + 1)) };
    change(&mut content);
    let record = Record::new(content).unwrap();
    let mut closing = Block::genesis(CHAIN, before.epoch(), BeaconValue([1; 32]), Time(0)).content();
    (closing.round, closing.closing) = (Round(7), Closing::Closes { record: record.digest() });
    let block = Block::new(closing);
    let statement = FinalityVote { round: block.round(), subround: block.subround(), block: block.id() };
    let preimage = statement.preimage(&Roster::of(before).unwrap().committee());
    let sign = |member| identity(member).sign(FinalityVote::DOMAIN.into(), &preimage);
    let signatures: Vec<Signature> = members(i)[..usize::from(signers)].iter().copied().map(sign).collect();
    let certificate = Certificate {
        signers: Signers::from_members(4, (0..signers).map(MinerId)).unwrap(),
        aggregate: keys::aggregate(&signatures).unwrap(),
    };
    let finality = Arc::new(FinalityCertificate { statement, certificate });
    Arc::new(Link { handoff: HandoffCertificate::new(*block.header(), finality).unwrap(), record })
}

/// The record of the first epoch, and the links to the later ones; `wrong` is made by hand from the record before it.
fn walk(wrong: u16, by_hand: impl Fn(&Record, u16) -> Arc<Link<Record>>) -> (Record, Vec<Arc<Link<Record>>>) {
    let first = Record::new(content_of(&members(0))).unwrap();
    let mut before = first.clone();
    let links = (0..EPOCHS).map(|i| {
        let link = if i == wrong { by_hand(&before, i) } else { link(&before, i, 3, |_| {}) };
        before = link.record.clone();
        link
    });
    let links = links.collect();
    (first, links)
}

/// Whether the links lead on, checked together; and whether they do one by one.
fn judged(first: &Record, links: &[Arc<Link<Record>>]) -> (bool, bool) {
    let keys = || {
        let nobody = Exchange::new(CHAIN, BTreeMap::new(), 1, 1).unwrap();
        GeneratedKeys::new(BlsSignatures, Arc::new(nobody), None, Vec::new())
    };
    let together = steps(first, links, QuorumRule::ByzantineMajority)
        .is_some_and(|steps| keys().verify_steps(&steps, &BatchSeed::new([3; 32])));
    let (mut before, keys) = (first, keys());
    let one_by_one = links.iter().all(|link| {
        let committee = Roster::of(before).unwrap().committee();
        let verifies = keys.verifier(before).is_some_and(|it| link.check(before, &committee, 3, &it).is_ok());
        before = &link.record;
        verifies
    });
    (together, one_by_one)
}

#[test]
fn a_walk_is_two_products_of_pairings() {
    let (first, links) = walk(EPOCHS, |_, _| unreachable!("all are right"));
    let before = products_so_far();
    assert_eq!(judged(&first, &links), (true, true));
    // Together: nine keys, and six certificates. One by one: each.
    assert_eq!(products_so_far() - before, 2 + 9 + 6);
    assert_eq!(judged(&first, &links[..1]), (true, true));
    assert_eq!(judged(&first, &links[1..]), (false, false), "epoch {} is left out", EPOCH.0 + 1);
}

#[test]
fn one_wrong_link_is_enough() {
    let no_key = |content: &mut RecordContent| content.members[3][96..].fill(0);
    let other = |content: &mut RecordContent| content.previous = Digest([4; 32]);
    for wrong in 0..EPOCHS {
        let refused = |by_hand: &dyn Fn(&Record, u16) -> Arc<Link<Record>>| {
            let (first, links) = walk(wrong, by_hand);
            judged(&first, &links)
        };
        assert_eq!(refused(&|before, i| link(before, i, 2, |_| {})), (false, false), "too few at {wrong}");
        assert_eq!(refused(&|before, i| link(before, i, 3, other)), (false, false), "another at {wrong}");
        assert_eq!(refused(&|before, i| link(before, i + 1, 3, |_| {})), (false, false), "others at {wrong}");
        // Nobody asks for the keys of the last committee before it signs something.
        let is_last = wrong + 1 == EPOCHS;
        assert_eq!(refused(&|before, i| link(before, i, 3, no_key)), (is_last, is_last), "no key at {wrong}");
    }
}
