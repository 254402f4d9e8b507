//! A committee of replicas generates the keys of the next one: items, receipts, journals, and the moment when the next epoch begins.
//! Nodes 0 to 3 are members of the first epoch, nodes 1 to 4 of the next.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use super::net::Net;
use crate::block::{Block, Time};
use crate::committee::{Epoch, MinerId, Round};
use crate::crypto::beacon::KeyShare;
use crate::crypto::curve::Scalar;
use crate::crypto::dkg::{Attempt, Receipt};
use crate::crypto::polynomial::{Polynomial, abscissa};
use crate::crypto::scheme::{BeaconValue, Signature};
use crate::epochs::envelope::Envelope;
use crate::epochs::generated::{Exchange, GeneratedKeys, MockSignatures, NextCommittee};
use crate::epochs::item::{EpochItem, ItemKind};
use crate::epochs::key_generation::{Entry, Phase, Secret, WriteId};
use crate::epochs::link::Beginning;
use crate::epochs::record::Record;
use crate::epochs::replica::{EpochRefusal, Input, Output, Part, Replica, Restored, Secrets};
use crate::epochs::roster::NodeId;
use crate::epochs::tests::stage::{CHAIN, EPOCH, content_of, encoded, identity};
use crate::message::Message;
use crate::miner::Recovery;

type Keys = GeneratedKeys<MockSignatures>;

const NEXT: Epoch = Epoch(EPOCH.0 + 1);
/// Rounds of a phase: each member makes some of its blocks.
const PHASE: u64 = 12;
/// Steps of the network after which a key generation is over.
const STEPS: usize = 6_000;

fn at(number: u16) -> NodeId {
    NodeId::of_member(&encoded(number))
}

/// The network, before any node starts.
fn network() -> Net<Keys> {
    let record = Record::new(content_of(&[0, 1, 2, 3])).unwrap();
    let digest = record.digest();
    let genesis = Arc::new(Block::genesis(CHAIN, EPOCH, BeaconValue([1; 32]), Time(0)));
    let next = NextCommittee { members: (1..5).map(encoded).collect(), sharders: Vec::new() };
    let exchange = Arc::new(Exchange::new(CHAIN, [(NEXT, next)].into(), 1, PHASE).unwrap());
    let keys = |i| GeneratedKeys::new(MockSignatures, Arc::clone(&exchange), Some(identity(i)), vec![]);
    let mut net = Net::new(Beginning::first(record, genesis), (0..5).map(|i| (at(i), keys(i))).collect());
    // The polynomial of `content_of`.
    let polynomial = Polynomial::new((0..3).map(|k| Scalar::from_u64(k + 5)).collect());
    for i in 0..4 {
        let share = KeyShare::from_scalar(polynomial.evaluate(abscissa(MinerId(i)))).unwrap();
        let share = Secret::new(*share.to_bytes());
        let entry = Entry::KeyShare { attempt: Attempt(0), record: digest, share };
        net.journals.insert((i.into(), EPOCH), vec![entry]);
    }
    net
}

fn started() -> Net<Keys> {
    let mut net = network();
    (0..5).for_each(|i| net.start(i));
    net
}

fn node(net: &mut Net<Keys>, i: usize) -> &mut Replica<Keys> {
    net.nodes[i].as_mut().expect("it runs")
}

/// Runs until something is so.
fn until(net: &mut Net<Keys>, is_so: impl Fn(&mut Net<Keys>) -> bool) {
    for _ in 0..STEPS {
        if is_so(net) {
            return;
        }
        net.run(1);
    }
    let phases = |i: usize| net.nodes[i].as_ref().map(|it| (it.epoch(), it.progress().phase()));
    panic!("it never is so: {:?}", (0..5).map(phases).collect::<Vec<_>>());
}

fn all_in_next(net: &mut Net<Keys>) -> bool {
    (0..5).all(|i| net.epoch(i) == NEXT)
}

#[test]
fn a_committee_generates_the_keys_of_the_next_one() {
    let mut net = started();
    until(&mut net, all_in_next);
    let record = node(&mut net, 1).record().clone();
    assert_eq!(record.content().attempt, Attempt(0));
    let all: Vec<MinerId> = (0..4).map(MinerId).collect();
    assert_eq!(record.content().qualified, all, "also the one that joins, whose items others bring");
    let part = |net: &mut Net<Keys>, i| node(net, i).role().part();
    assert_eq!(part(&mut net, 0), Part::Follower);
    assert!((1..5).all(|i| part(&mut net, i) == Part::Member));
    let anchor = node(&mut net, 1).finalized().round();
    until(&mut net, |net| (0..5).all(|i| node(net, i).finalized().round() > Round(anchor.0 + 2)));
    net.is_one_chain();
    assert!(
        net.refused.values().flatten().all(|refusal| !refusal.proves_sender_faulty()),
        "{:?}",
        net.refused
    );
    // A restart needs the key share in the journal.
    let again = |present: Vec<Entry>| {
        let disk = Restored {
            beginning: net.beginnings[&4].clone(),
            links: Vec::new(),
            recovery: Recovery::default(),
            secrets: Secrets { present, next: Vec::new(), entropy: Secret::new([9; 32]) },
        };
        Replica::new(at(4), net.keys[4].clone(), super::net::settings(), disk, []).unwrap().role().part()
    };
    assert_eq!(again(net.journals[&(4, NEXT)].clone()), Part::Member);
    assert_eq!(again(Vec::new()), Part::Follower);
}

/// No item reaches another node: each member of both committees has its own ones in its own blocks, and that is enough.
#[test]
fn a_member_brings_its_own_items() {
    let mut net = started();
    net.cut = Box::new(|_, _, envelope| matches!(envelope, Envelope::Item { .. }));
    until(&mut net, all_in_next);
    let record = node(&mut net, 1).record().clone();
    assert_eq!(record.content().qualified, (0..3).map(MinerId).collect::<Vec<_>>(), "all but node 4");
}

/// A member that joins hears of final blocks without asking.
#[test]
fn final_blocks_go_to_those_who_join() {
    let (mut net, heard) = (started(), Rc::new(Cell::new(0)));
    let count = Rc::clone(&heard);
    net.cut = Box::new(move |from, to, envelope| {
        let told = matches!(envelope, Envelope::Message { message: Message::FinalityCertificate(_), .. });
        count.set(count.get() + usize::from(told && to == 4));
        from == 4
    });
    until(&mut net, |_| heard.get() > 2);
}

/// The next epoch begins when the key share is durable, and not before: a node without it would only follow.
#[test]
fn the_beginning_waits_for_the_key_share() {
    let mut net = started();
    net.holds = Box::new(|node, replaces| node == 4 && replaces);
    until(&mut net, |net| (0..4).all(|i| net.epoch(i) == NEXT) && node(net, 4).is_between_epochs());
    net.run(200);
    assert!(node(&mut net, 4).is_between_epochs() && !net.beginnings.contains_key(&4));
    let held = std::mem::take(&mut net.held);
    let [(4, epoch, write)] = held[..] else { panic!("one write of node 4 is held: {held:?}") };
    net.step(4, Input::Journaled { epoch, write });
    assert_eq!((net.epoch(4), node(&mut net, 4).role().part()), (NEXT, Part::Member));
}

/// Nothing leaves for a write to the journal of another epoch, which has the same number.
#[test]
fn a_write_of_another_epoch_confirms_nothing() {
    let mut net = network();
    net.holds = Box::new(|_, _| true);
    (0..5).for_each(|i| net.start(i));
    until(&mut net, |net| node(net, 4).progress().phase() == Phase::Registering);
    let mut confirmed = |epoch| {
        let mut out = Vec::new();
        let input = Input::Journaled { epoch, write: WriteId(0) };
        let now = net.now;
        node(&mut net, 4).step(now, input, &mut out);
        let is_item = |output: &&Output<Record>| {
            matches!(output, Output::Broadcast { envelope: Envelope::Item { .. }, .. })
        };
        out.iter().filter(is_item).count()
    };
    assert_eq!([EPOCH, Epoch(NEXT.0 + 1), NEXT].map(&mut confirmed), [0, 0, 1]);
}

fn refusals(net: &mut Net<Keys>, to: usize, from: u16, envelope: Envelope<Record>) -> Vec<EpochRefusal> {
    net.refused.clear();
    net.step(to, Input::Envelope { from: at(from), envelope });
    net.refused.remove(&to).unwrap_or_default()
}

/// An item without a signature.
fn unsigned(kind: ItemKind, seat: u16) -> EpochItem {
    let mut bytes = vec![0; 100];
    bytes[4..6].copy_from_slice(&seat.to_be_bytes());
    EpochItem::new(kind, bytes).unwrap()
}

#[test]
fn a_node_sends_its_own_items_and_receipts_only() {
    let mut net = started();
    until(&mut net, |net| node(net, 1).progress().phase() == Phase::Registering);
    let item = Envelope::Item { epoch: EPOCH, item: unsigned(ItemKind::Dealing, 2) };
    let refused = EpochRefusal::ForeignItem { kind: ItemKind::Dealing, named: MinerId(2) };
    assert!(refused.proves_sender_faulty());
    assert_eq!(refusals(&mut net, 1, 2, item.clone()), std::slice::from_ref(&refused), "node 2 has seat 1");
    assert_eq!(refusals(&mut net, 1, 0, item.clone()), [refused], "node 0 has none");
    assert_eq!(refusals(&mut net, 1, 3, item), []);
    let (attempt, dealer, signature) = (Attempt(0), MinerId(0), Signature([0; 48]));
    let receipt = Receipt { attempt, dealer, recipient: MinerId(2), signature };
    let receipt = Envelope::Receipt { epoch: EPOCH, receipt };
    let refused = EpochRefusal::ForeignReceipt { named: MinerId(2) };
    assert!(refused.proves_sender_faulty());
    assert_eq!(refusals(&mut net, 1, 2, receipt.clone()), [refused]);
    assert!(matches!(refusals(&mut net, 1, 3, receipt)[..], [EpochRefusal::Receipt(_)]));
}

/// An item that comes before its phase waits, and is checked when the phase has begun; what comes after its phase is refused.
#[test]
fn early_items_are_checked_later_and_late_ones_are_refused() {
    let mut net = started();
    until(&mut net, |net| node(net, 1).progress().phase() == Phase::Registering);
    let item = |kind| Envelope::Item { epoch: EPOCH, item: unsigned(kind, 3) };
    let none = |refusals: Vec<EpochRefusal>| refusals.is_empty();
    assert!(none(refusals(&mut net, 1, 4, item(ItemKind::Dealing))), "it is early");
    until(&mut net, |net| node(net, 1).progress().phase() == Phase::Dealing);
    let refused = net.refused.remove(&1).unwrap_or_default();
    let of_item =
        |refusal: &&EpochRefusal| matches!(refusal, EpochRefusal::Item { kind: ItemKind::Dealing, .. });
    assert_eq!(refused.iter().filter(of_item).count(), 1, "{refused:?}");
    let late = EpochRefusal::ItemOver { kind: ItemKind::Registration, attempt: Attempt(0) };
    assert_eq!(refusals(&mut net, 1, 4, item(ItemKind::Registration)), [late]);
}
