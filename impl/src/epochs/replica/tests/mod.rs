//! Nodes hand over to each other without a network: what one says the others hear at once and in order, and everything is durable at
//! once. The rule changes VC of PROTOCOL.md, section 8, that concern this code each fail one of these tests. Worlds with delays, losses and
//! crashes are in `zus-sim`, which depends on this crate.

mod generation;
mod net;

use super::*;
use crate::block::{BlockId, Closing, Digest};
use crate::certified::FinalityCertificate;
use crate::committee::{MinerId, Round};
use crate::crypto::mock_scheme::MockScheme;
use crate::crypto::scheme::BeaconValue;
use crate::epochs::envelope::Envelope;
use crate::epochs::planned::{ITEM, PlannedKeys, PlannedRecord, node};
use crate::message::Message;
use crate::statement::FinalityVote;
use net::{CHAIN, Net};

/// Nodes whose committees are planned.
type Planned = Net<PlannedKeys<MockScheme>>;

fn four() -> Planned {
    let mut net = Planned::planned(vec![vec![0, 1, 2, 3], vec![1, 2, 3, 4], vec![1, 2, 3, 4]], 5);
    (0..5).for_each(|at| net.start(at));
    net
}

#[test]
fn all_hand_over_and_end_on_one_chain() {
    let mut net = four();
    net.run(600);
    net.is_one_chain();
    for at in 0..5 {
        assert_eq!(net.epoch(at), Epoch(2), "node {at}");
    }
    let highest = |epoch| net.finals.iter().filter(|known| known.1 == epoch).map(|known| known.2).max();
    assert!(highest(Epoch(2)) > highest(Epoch(1)) && highest(Epoch(1)) > highest(Epoch(0)));
}

/// VC40, VC11: a certificate of a tail block makes the closing block final, and nothing above it. Nobody hears the votes for the closing
/// block, so the epoch ends by a certificate of the tail.
#[test]
fn the_tail_ends_an_epoch_and_is_never_final() {
    let mut net = four();
    net.cut = Box::new(|_, _, envelope| {
        // The closing block is of round 2 at the earliest, since an item completes the record there.
        let of_round = |vote: &FinalityVote| vote.round == Round(2);
        match envelope {
            Envelope::Message { epoch: Epoch(0), message: Message::FinalityVote(vote) } => of_round(vote),
            Envelope::Message { epoch: Epoch(0), message: Message::FinalityCertificate(known) } => {
                of_round(known)
            }
            _ => false,
        }
    });
    net.run(300);
    net.is_one_chain();
    let handoff = net.nodes[1].as_ref().and_then(|replica| replica.links.front().cloned());
    let handoff = handoff.expect("it is in another epoch").handoff.clone();
    assert!(!handoff.is_direct(), "the closing block had a certificate of its own: {handoff:?}");
    assert_eq!(handoff.closing().round, Round(2));
}

/// VC39: a node that heard nothing of the handover is told by whoever it speaks to. Here its message goes to the one node that left.
#[test]
fn whoever_has_left_answers_with_the_handoff_too() {
    let mut net = four();
    // Node 3 hears nothing but node 0, and node 0 hears all.
    net.cut = Box::new(|from, to, _| to == 3 && from != 0);
    net.run(300);
    assert!(net.epoch(0) > Epoch(0));
    let message = Message::ChainRequest(crate::message::ChainRequest { after: Round(0), tip: None });
    let asks = Envelope::Message { epoch: Epoch(0), message };
    net.now = net.now.after(5_000);
    let mut out = Vec::new();
    let (now, leaver) = (net.now, net.nodes[0].as_mut().expect("it runs"));
    leaver.step(now, Input::Envelope { from: node(3), envelope: asks }, &mut out);
    let told = out.iter().any(|output| match output {
        Output::Send { to, envelope: Envelope::Handoff(handoff) } => {
            *to == node(3) && handoff.ends() == Epoch(0)
        }
        _ => false,
    });
    assert!(told, "{out:?}");
    let served =
        |output: &Output<_>| matches!(output, Output::Serve { epoch: Epoch(0), after: Round(0), .. });
    assert!(out.iter().any(served), "{out:?}");
}

/// VC34: a node that follows sees a notarized closing block, and no vote: it does not take it for final.
#[test]
fn a_notarized_closing_block_is_not_final() {
    let mut net = four();
    net.cut = Box::new(|_, to, envelope| {
        let of_finality = matches!(
            envelope,
            Envelope::Handoff(_)
                | Envelope::Message {
                    message: Message::FinalityVote(_) | Message::FinalityCertificate(_),
                    ..
                }
        );
        of_finality || to == 4 && matches!(envelope, Envelope::Message { epoch: Epoch(1), .. })
    });
    net.run(200);
    assert!((0..5).all(|at| net.epoch(at) == Epoch(0)));
    assert!(net.finals.is_empty(), "{:?}", net.finals);
}

/// VC5, VC36: what is said in another epoch is not judged by the committee of this one, and moves nobody.
#[test]
fn a_message_of_another_epoch_does_not_reach_the_participant() {
    let mut net = four();
    net.run(300);
    let present = net.epoch(1);
    assert!(present > Epoch(0));
    let vote =
        FinalityVote { round: Round(90), subround: crate::committee::Subround(0), block: BlockId([1; 32]) };
    let message = Message::FinalityVote(crate::statement::Signed {
        statement: vote,
        signer: MinerId(1),
        signature: crate::crypto::scheme::Signature([7; 48]),
    });
    let now = net.now.after(5_000);
    for epoch in [Epoch(0), Epoch(present.0 + 5)] {
        let replica = net.nodes[1].as_mut().expect("it runs");
        let mut out = Vec::new();
        let envelope = Envelope::Message { epoch, message: message.clone() };
        replica.step(now, Input::Envelope { from: node(2), envelope }, &mut out);
        let of_participant = out.iter().any(|output| match output {
            Output::Refused { refusal, .. } => matches!(refusal, EpochRefusal::Message(_)),
            Output::Host { .. } => true,
            _ => false,
        });
        assert!(!of_participant, "epoch {}: {out:?}", epoch.0);
        assert!(!out.is_empty(), "it is answered, or refused");
    }
}

/// VC2, VC37: what ends an epoch has a quorum of that epoch's committee. Here four hand over to one, whose quorum is one.
#[test]
fn a_handoff_of_too_few_is_refused() {
    let mut net = Planned::planned(vec![vec![0, 1, 2, 3], vec![1], vec![1]], 5);
    (0..5).for_each(|at| net.start(at));
    net.run(300);
    net.is_one_chain();
    let link = net.nodes[1].as_ref().and_then(|replica| replica.links.front().cloned()).expect("a link");
    assert_eq!(link.handoff.ends(), Epoch(0));
    // The same certificate with one signer less is none, and a new node refuses it.
    let mut fresh = Planned::planned(vec![vec![0, 1, 2, 3], vec![1], vec![1]], 5);
    fresh.start(4);
    let finality = link.handoff.finality();
    let first = finality.certificate.signers.iter().next().expect("a signer");
    let record = fresh.first.record.clone();
    let observer = fresh.keys[0].member(&record, first).expect("a member");
    let scheme = crate::crypto::certificate::Certificate::assemble(
        &observer,
        1,
        &[(first, {
            let committee = Roster::of(&record).expect("four").committee();
            crate::statement::Signed::sign(finality.statement, &committee, &observer)
                .expect("it signs")
                .signature
        })],
    );
    let certificate = crate::certified::FinalityCertificate {
        statement: finality.statement,
        certificate: scheme.expect("one signer"),
    };
    let thin = HandoffCertificate::new(*link.handoff.header(), Arc::new(certificate)).expect("they fit");
    fresh.step(4, Input::Envelope { from: node(1), envelope: Envelope::Handoff(Arc::new(thin)) });
    let refused = fresh.refused.get(&4).expect("it is refused");
    assert!(matches!(refused[..], [EpochRefusal::Handoff(_)]), "{refused:?}");
}

/// VC3: a link names the record before it.
#[test]
fn a_link_with_another_record_before_is_refused() {
    let mut net = four();
    net.run(300);
    let link = net.nodes[1].as_ref().and_then(|replica| replica.links.front().cloned()).expect("a link");
    let (record, roster) = (net.first.record.clone(), Roster::of(&net.first.record).expect("four"));
    let observer = net.keys[0].observer(&record).expect("keys");
    assert_eq!(link.check(&record, &roster.committee(), 3, &observer), Ok(()));
    // A committee with the same keys, whose record is another one.
    let other = PlannedRecord { previous: Digest([4; 32]), ..record };
    let refused = link.check(&other, &roster.committee(), 3, &observer);
    assert_eq!(refused, Err(crate::epochs::link::LinkError::OtherRecordBefore(Epoch(1))));
}

/// The links of a chain of committees, and the nodes that sign nothing else.
fn links_of(keys: &PlannedKeys<MockScheme>) -> Vec<Arc<Link<PlannedRecord>>> {
    let plan = keys.plan();
    let link = |number| {
        let (before, record) = (plan.record(Epoch(number))?, plan.record(Epoch(number + 1))?);
        let mut content = Block::genesis(CHAIN, Epoch(number), BeaconValue([1; 32]), Time(0)).content();
        content.round = Round(number + 5);
        content.closing = Closing::Closes { record: record.digest() };
        let block = Block::new(content);
        let statement = FinalityVote { round: block.round(), subround: block.subround(), block: block.id() };
        let committee = Roster::of(&before).expect("a committee").committee();
        let signatures = (0..3).map(MinerId).map(|member| {
            let scheme = keys.member(&before, member).expect("a member");
            let signed = crate::statement::Signed::sign(statement, &committee, &scheme).expect("it signs");
            (member, signed.signature)
        });
        let observer = keys.observer(&before)?;
        let certificate =
            crate::crypto::certificate::Certificate::assemble(&observer, 3, &signatures.collect::<Vec<_>>());
        let certificate = certificate.expect("a quorum");
        let finality = Arc::new(crate::certified::FinalityCertificate { statement, certificate });
        let handoff = HandoffCertificate::new(*block.header(), finality).expect("they fit");
        Some(Arc::new(Link { handoff, record }))
    };
    (0..).map_while(link).collect()
}

/// A node checks the links of one answer in groups, or one by one if it has no seed: it takes the same ones, and says the same of the first
/// wrong one. The nodes of the answer come from one chain of twelve committees.
#[test]
fn links_that_come_together_are_judged_as_one_by_one() {
    use crate::crypto::scheme::{BatchSeed, Signature};
    use crate::epochs::link::LinkError;
    let committees: Vec<Vec<u16>> = (0..12).map(|epoch| (epoch..epoch + 4).collect()).collect();
    let answered = |links: &[Arc<Link<PlannedRecord>>], seed: Option<BatchSeed>| {
        let mut net = Planned::planned(Vec::clone(&committees), 1);
        net.start(0);
        let replica = net.nodes[0].as_mut().expect("it runs");
        replica.settings.batch_seed = seed;
        replica.asked = Some((node(1), Time(0)));
        net.step(0, Input::Envelope { from: node(1), envelope: Envelope::Links(links.to_vec()) });
        let known = net.nodes[0].as_ref().expect("it runs").ahead.len();
        (known, net.refused.remove(&0).unwrap_or_default())
    };
    let right = links_of(&Planned::planned(committees.clone(), 1).keys[0]);
    assert_eq!(right.len(), 11);
    let judged = |links: &[Arc<Link<PlannedRecord>>]| {
        let one_by_one = answered(links, None);
        assert_eq!(answered(links, Some(BatchSeed::new([3; 32]))), one_by_one);
        one_by_one
    };
    assert_eq!(judged(&right), (11, vec![]));
    // Links that come twice are left out.
    let twice: Vec<_> = right[..8].iter().flat_map(|link| [Arc::clone(link), Arc::clone(link)]).collect();
    assert_eq!(judged(&twice), (8, vec![]));
    for at in 0..11 {
        let mut forged = right.clone();
        let mut finality = FinalityCertificate::clone(right[at].handoff.finality());
        finality.certificate.aggregate = Signature([7; 48]);
        let handoff = HandoffCertificate::new(*right[at].handoff.header(), Arc::new(finality));
        let handoff = handoff.expect("they fit");
        forged[at] = Arc::new(Link { handoff, record: right[at].record.clone() });
        let (known, refused) = judged(&forged);
        assert!(matches!(refused[..], [EpochRefusal::Link(LinkError::Handoff(_))]), "{at}: {refused:?}");
        assert_eq!(known, at);
        let mut gap = right.clone();
        gap.remove(at);
        let (known, refused) = judged(&gap);
        let skips = |refusal: &EpochRefusal| matches!(refusal, EpochRefusal::Link(LinkError::NotNext { .. }));
        assert_eq!((known, refused.iter().filter(|it| skips(it)).count()), (at, usize::from(at < 10)));
    }
}

/// A block that closes its epoch with another record than its chain makes, or too early, is refused, and its generator is blamed.
#[test]
fn what_a_block_says_of_the_end_of_its_epoch_follows_from_its_chain() {
    use crate::epochs::progress::{Branches, ItemsRefusal};
    let net = four();
    let (keys, first) = (&net.keys[0], &net.first);
    let mut branches = Branches::new(Arc::clone(&first.anchor), keys.begin(&first.record, &first.anchor));
    let child = |parent: &Block, closing, items: &[u8]| {
        let mut content = parent.content();
        content.round = parent.round().next();
        (content.parent, content.closing, content.items) = (parent.id(), closing, items.to_vec());
        Arc::new(Block::new(content))
    };
    let record = keys.plan().record(Epoch(1)).expect("the next").digest();
    let early = child(&first.anchor, Closing::Closes { record }, ITEM);
    assert!(matches!(branches.judge(&early), Err(ItemsRefusal::WrongClosing { .. })));
    let wrong = child(&first.anchor, Closing::Open, b"no such thing");
    assert!(matches!(branches.judge(&wrong), Err(ItemsRefusal::Items(_))));
    let open = child(&first.anchor, Closing::Open, ITEM);
    assert_eq!(branches.judge(&open), Ok(()));
    for (closing, items) in [
        (Closing::Open, ITEM),
        (Closing::Closes { record: Digest([9; 32]) }, ITEM),
        (Closing::Closes { record }, b"" as &[u8]),
    ] {
        let wrong = child(&open, closing, items);
        assert!(matches!(branches.judge(&wrong), Err(ItemsRefusal::WrongClosing { .. })), "{closing:?}");
    }
    let closing = child(&open, Closing::Closes { record }, ITEM);
    assert_eq!(branches.judge(&closing), Ok(()));
    let orphan = child(&wrong, Closing::Open, b"");
    assert_eq!(branches.judge(&orphan), Err(ItemsRefusal::Orphan));
    assert_eq!(branches.held(), 2);
    assert_eq!(branches.finalize(&open), Ok(()));
    assert_eq!(branches.finalize(&closing), Ok(()));
    assert_eq!((branches.held(), branches.final_record().map(|found| found.digest())), (0, Some(record)));
}
