//! Nodes hand over to each other without a network: what one says the others hear at once and in order, and everything is durable at
//! once. The rule changes VC of PROTOCOL.md, section 8, that concern this code each fail one of these tests. Worlds with delays, losses and
//! crashes are in `zus-sim`, which depends on this crate.

use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use super::*;
use crate::block::{BlockId, Closing, Digest};
use crate::committee::{Committee, MinerId, Round};
use crate::crypto::mock_scheme::MockScheme;
use crate::crypto::scheme::BeaconValue;
use crate::epochs::envelope::Envelope;
use crate::epochs::key_generation::Secret;
use crate::epochs::planned::{ITEM, PlannedKeys, PlannedRecord, Schedule, node};
use crate::message::Message;
use crate::miner::{self, Recovery};
use crate::rules::Rules;
use crate::statement::FinalityVote;
use crate::wire;

type Node = Replica<PlannedKeys<MockScheme>>;

const CHAIN: crate::committee::ChainId = crate::committee::ChainId([3; 32]);

fn settings() -> Config {
    let committee = Committee::new(CHAIN, Epoch(0), 1, 0).expect("one");
    Config::new(committee, Rules::HARDENED, BeaconValue([1; 32]), Time(0))
}

/// Whether something from the first node to the second is not delivered.
type Cut = Box<dyn Fn(usize, usize, &Envelope<PlannedRecord>) -> bool>;

/// The nodes, and what is on its way.
struct Net {
    nodes: Vec<Option<Node>>,
    keys: PlannedKeys<MockScheme>,
    first: Beginning<PlannedRecord>,
    now: Time,
    timers: BinaryHeap<std::cmp::Reverse<(Time, usize, Timer)>>,
    mail: VecDeque<(usize, usize, Envelope<PlannedRecord>)>,
    /// Node, epoch, round and id of each final block.
    finals: Vec<(usize, Epoch, Round, BlockId)>,
    /// The refusals of each node.
    refused: BTreeMap<usize, Vec<EpochRefusal>>,
    cut: Cut,
    /// The final blocks of each node.
    stored: Vec<Vec<crate::chain::FinalBlock>>,
}

impl Net {
    fn new(committees: Vec<Vec<u16>>, nodes: u16) -> Self {
        let plan = Schedule { chain: CHAIN, first: Epoch(0), committees, sharders: Vec::new(), rounds: 2 };
        let plan = Arc::new(plan);
        let keys = PlannedKeys::mock(Arc::clone(&plan), 5);
        let genesis = Arc::new(Block::genesis(CHAIN, Epoch(0), BeaconValue([1; 32]), Time(0)));
        let first = Beginning::first(plan.record(Epoch(0)).expect("the first"), genesis);
        Self {
            nodes: (0..nodes).map(|_| None).collect(),
            keys,
            first,
            now: Time(0),
            timers: BinaryHeap::new(),
            mail: VecDeque::new(),
            finals: Vec::new(),
            refused: BTreeMap::new(),
            cut: Box::new(|_, _, _| false),
            stored: vec![Vec::new(); usize::from(nodes)],
        }
    }

    fn start(&mut self, at: usize) {
        let disk = Restored {
            beginning: self.first.clone(),
            links: Vec::new(),
            recovery: Recovery::default(),
            secrets: Secrets::none(),
        };
        let replica = Replica::new(node(at as u16), self.keys.clone(), settings(), disk, []);
        self.nodes[at] = Some(replica.expect("it starts"));
        self.step(at, Input::Start);
    }

    fn step(&mut self, at: usize, input: Input<PlannedRecord>) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let Some(replica) = &mut self.nodes[at] else { return };
            let mut out = Vec::new();
            replica.step(self.now, input, &mut out);
            for output in out {
                self.carry_out(at, output, &mut inputs);
            }
        }
    }

    fn carry_out(
        &mut self,
        at: usize,
        output: Output<PlannedRecord>,
        inputs: &mut VecDeque<Input<PlannedRecord>>,
    ) {
        let place = |id| (0..self.nodes.len()).find(|&number| node(number as u16) == id);
        match output {
            Output::Send { to, envelope } => {
                let to = place(to);
                self.mail.extend(to.map(|to| (at, to, envelope)));
            }
            Output::Broadcast { to, envelope } => {
                let to: Vec<usize> = to.iter().filter_map(|to| place(*to)).collect();
                self.mail.extend(to.into_iter().map(|to| (at, to, envelope.clone())));
            }
            Output::SetTimer { timer, at: when } => self.timers.push(std::cmp::Reverse((when, at, timer))),
            Output::StoreBeginning(beginning) => {
                let epoch = beginning.record.epoch;
                inputs.push_back(Input::Begun {
                    epoch,
                    recovery: Recovery::default(),
                    entropy: Secret::new([0; 32]),
                });
            }
            Output::Host { epoch, output } => {
                let input = match output {
                    miner::Output::Persist { write, .. } => miner::Input::Persisted(write),
                    miner::Output::Store { write, .. } => miner::Input::Stored(write),
                    miner::Output::RequestPayload { round, subround, .. } => {
                        let (payload, items) = (vec![at as u8], ITEM.to_vec());
                        miner::Input::Payload { round, subround, payload, items, record: None }
                    }
                    miner::Output::Validate { block } => {
                        let (round, block) = (block.round(), block.id());
                        miner::Input::Validated { round, block, accepted: true }
                    }
                    miner::Output::Finalized(found) => {
                        self.finals.push((at, epoch, found.block.round(), found.block.id()));
                        self.stored[at].push(found);
                        return;
                    }
                    _ => return,
                };
                inputs.push_back(Input::Host { epoch, input });
            }
            Output::Serve { to, epoch, after, bytes } => {
                let of_epoch = |found: &&crate::chain::FinalBlock| {
                    found.block.round() > after && found.block.header().epoch == epoch
                };
                let path: Vec<_> = self.stored[at].iter().filter(of_epoch).take(33).cloned().collect();
                if let (Some(to), Some(response)) = (place(to), crate::chain::respond_within(path, bytes)) {
                    let message = Message::ChainResponse(Arc::new(response));
                    self.mail.push_back((at, to, Envelope::Message { epoch, message }));
                }
            }
            Output::Refused { refusal, .. } => self.refused.entry(at).or_default().push(refusal),
            Output::Diverged { .. } | Output::Failed(_) => panic!("node {at}: {output:?}"),
            Output::Journal { .. }
            | Output::ServeStored { .. }
            | Output::ServeLinks { .. }
            | Output::Milestone(_) => {}
        }
    }

    /// Delivers everything, and lets time pass to the next timer; so often.
    fn run(&mut self, times: usize) {
        for _ in 0..times {
            let mut steps = 0;
            while let Some((from, to, envelope)) = self.mail.pop_front() {
                if (self.cut)(from, to, &envelope) {
                    continue;
                }
                let bytes = wire::to_bytes(&envelope);
                self.step(to, Input::Bytes { from: node(from as u16), bytes });
                steps += 1;
                assert!(steps < 100_000, "the nodes go on for ever");
            }
            let Some(std::cmp::Reverse((at, of, timer))) = self.timers.pop() else { return };
            self.now = self.now.max(at);
            self.step(of, Input::Timer(timer));
        }
    }

    fn epoch(&self, at: usize) -> Epoch {
        self.nodes[at].as_ref().expect("it runs").epoch()
    }

    /// Every round is final once, with one block, and its epoch changes where the chain was closed.
    fn is_one_chain(&self) {
        let mut chain: BTreeMap<Round, (Epoch, BlockId)> = BTreeMap::new();
        for &(at, epoch, round, block) in &self.finals {
            let first = *chain.entry(round).or_insert((epoch, block));
            assert_eq!(first, (epoch, block), "node {at} has another final block in round {round}");
        }
        for found in self.stored.iter().flatten() {
            let tail = matches!(found.block.header().closing, Closing::Tail { .. });
            assert!(!tail, "a tail block of round {} is final", found.block.round());
        }
    }
}

fn four() -> Net {
    let mut net = Net::new(vec![vec![0, 1, 2, 3], vec![1, 2, 3, 4], vec![1, 2, 3, 4]], 5);
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
    let mut net = Net::new(vec![vec![0, 1, 2, 3], vec![1], vec![1]], 5);
    (0..5).for_each(|at| net.start(at));
    net.run(300);
    net.is_one_chain();
    let link = net.nodes[1].as_ref().and_then(|replica| replica.links.front().cloned()).expect("a link");
    assert_eq!(link.handoff.ends(), Epoch(0));
    // The same certificate with one signer less is none, and a new node refuses it.
    let mut fresh = Net::new(vec![vec![0, 1, 2, 3], vec![1], vec![1]], 5);
    fresh.start(4);
    let finality = link.handoff.finality();
    let first = finality.certificate.signers.iter().next().expect("a signer");
    let record = fresh.first.record.clone();
    let observer = fresh.keys.member(&record, first).expect("a member");
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
    let observer = net.keys.observer(&record).expect("keys");
    assert_eq!(link.check(&record, &roster.committee(), 3, &observer), Ok(()));
    // A committee with the same keys, whose record is another one.
    let other = PlannedRecord { previous: Digest([4; 32]), ..record };
    let refused = link.check(&other, &roster.committee(), 3, &observer);
    assert_eq!(refused, Err(crate::epochs::link::LinkError::OtherRecordBefore(Epoch(1))));
}

/// A block that closes its epoch with another record than its chain makes, or too early, is refused, and its generator is blamed.
#[test]
fn what_a_block_says_of_the_end_of_its_epoch_follows_from_its_chain() {
    use crate::epochs::progress::{Branches, ItemsRefusal};
    let net = four();
    let (keys, first) = (&net.keys, &net.first);
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
