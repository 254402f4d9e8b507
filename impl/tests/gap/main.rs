//! Rounds without end that are notarized and not final, and the memory that they cost.
//!
//! Four miners, three of them up; one of the three tickets and never votes. So every round is notarized by three and gets two
//! votes of the three that finality needs. Then the fourth comes and catches up through the gap, one is restarted, and in the
//! end all vote: everything becomes final. The test counts the heap of the whole process; what hosts keep is in files. So it has a network
//! of its own: the world of `zus-sim` keeps disks and observations in memory, and would be counted with the miners.
//!
//! `ROUNDS=16000 cargo test -p zus-bpp --test gap -- --nocapture` plays more rounds and prints the figures.

mod disk;
mod heap;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use disk::Disk;
use zus_bpp::block::Time;
use zus_bpp::chain::{FinalBlock, respond_within};
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Peer, Round};
use zus_bpp::crypto::mock_scheme::{MockCommittee, MockScheme};
use zus_bpp::crypto::scheme::BeaconValue;
use zus_bpp::limits::{FINAL_AT_ONCE, MAX_CHAIN_BLOCKS, PAYLOAD_ROUNDS};
use zus_bpp::message::Message;
use zus_bpp::miner::{Config, Input, Miner, Output, Recovery, Timer, Timing};
use zus_bpp::rules::Rules;

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

/// Bytes of the payload of a block that may have one.
const PAYLOAD: usize = 64 << 10;

/// Bytes of the heap that one miner may need for one round above its finalized head, at `n` = 4.
const BYTES_A_ROUND: usize = 2_048;

struct Host {
    miner: Option<Miner<MockScheme>>,
    disk: Disk,
    /// Payloads that its application was asked for.
    payloads: usize,
}

struct Net {
    config: Arc<Config>,
    schemes: Vec<MockScheme>,
    hosts: Vec<Host>,
    now: Time,
    /// As bytes, so that no miner shares memory with another.
    messages: VecDeque<(u16, u16, Vec<u8>)>,
    timers: BinaryHeap<Reverse<(Time, u64, u16, Timer)>>,
    timers_set: u64,
    /// Whether the finality votes of miners 2 and 3 reach the others, and theirs them.
    votes: bool,
}

impl Net {
    fn new(adjust: impl Fn(&mut Config)) -> Self {
        let committee = Committee::new(ChainId([7; 32]), Epoch(1), 4, 0).expect("a committee");
        let mut config = Config::new(committee, Rules::HARDENED, BeaconValue([9; 32]), Time(0));
        config.timing = Timing::DEFAULT
            .with_window(Duration::from_millis(100))
            .with_ticket_wait(Duration::from_millis(200))
            .with_resend(Duration::from_secs(1))
            .with_delta(Duration::from_millis(20))
            .with_catch_up(Duration::from_millis(50))
            .with_answer_interval(Duration::from_millis(1));
        adjust(&mut config);
        let keys = MockCommittee::new(4, 1);
        let host = |_| Host { miner: None, disk: Disk::new(), payloads: 0 };
        let mut net = Self {
            config: Arc::new(config),
            schemes: (0..4).map(|id| keys.member(MinerId(id)).expect("a member")).collect(),
            hosts: (0..4).map(host).collect(),
            now: Time(1),
            messages: VecDeque::new(),
            timers: BinaryHeap::new(),
            timers_set: 0,
            votes: false,
        };
        (0..3).for_each(|id| net.start(id));
        net
    }

    /// Starts a miner from its disk.
    fn start(&mut self, id: u16) {
        self.timers.retain(|Reverse((_, _, miner, _))| *miner != id);
        self.now = self.now.after(1);
        let host = &mut self.hosts[usize::from(id)];
        host.miner = None;
        let recovery: Recovery = host.disk.recovery();
        let scheme = self.schemes[usize::from(id)].clone();
        host.miner = Some(Miner::new(Arc::clone(&self.config), scheme, recovery).expect("a member"));
        self.give(id, Input::Start);
    }

    fn miner(&self, id: u16) -> &Miner<MockScheme> {
        self.hosts[usize::from(id)].miner.as_ref().expect("it runs")
    }

    /// The lowest round of the miners that run.
    fn round(&self) -> u64 {
        let miners = self.hosts.iter().filter_map(|host| host.miner.as_ref());
        miners.map(|miner| miner.round().0).min().unwrap_or(0)
    }

    fn say(&mut self, from: u16, to: u16, message: &Message) {
        let is_vote = matches!(message, Message::FinalityVote(_));
        let heard = self.votes || !is_vote || from < 2 && to < 2;
        if heard && from != to && self.hosts[usize::from(to)].miner.is_some() {
            self.messages.push_back((from, to, zus_bpp::wire::encode(message)));
        }
    }

    fn give(&mut self, id: u16, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let Some(miner) = &mut self.hosts[usize::from(id)].miner else { return };
            let mut outputs = Vec::new();
            miner.step(self.now, input, &mut outputs);
            let finals = outputs.iter().filter(|output| matches!(output, Output::Finalized(_))).count();
            // Whole blocks become final at once, and blocks that have to be loaded in pieces; a step may bring an
            // answer, too.
            let whole = FINAL_AT_ONCE + 2 * self.config.whole_rounds.min(u64::from(u32::MAX));
            assert!(miner.whole_blocks() as u64 <= whole, "{} blocks are whole", miner.whole_blocks());
            let most = whole + MAX_CHAIN_BLOCKS as u64;
            assert!(finals as u64 <= most, "{finals} blocks become final in one step");
            for output in outputs {
                self.carry_out(id, output, &mut inputs);
            }
        }
    }

    fn carry_out(&mut self, id: u16, output: Output, inputs: &mut VecDeque<Input>) {
        let host = &mut self.hosts[usize::from(id)];
        match output {
            Output::Broadcast { message, .. } => (0..4).for_each(|to| self.say(id, to, &message)),
            Output::Send { to: Peer::Miner(to), message } => self.say(id, to.0, &message),
            Output::SetTimer { timer, at } => {
                self.timers_set += 1;
                self.timers.push(Reverse((at, self.timers_set, id, timer)));
            }
            Output::Persist { write, record } => {
                host.disk.signed.insert(record);
                inputs.push_back(Input::Persisted(write));
            }
            Output::Store { write, stored } => {
                host.disk.store(&stored);
                inputs.push_back(Input::Stored(write));
            }
            Output::Load { block, .. } => inputs.push_back(Input::Loaded(host.disk.load(block))),
            Output::RequestPayload { round, subround, .. } => {
                host.payloads += 1;
                let (payload, items, record) = (vec![id as u8; PAYLOAD], Vec::new(), None);
                inputs.push_back(Input::Payload { round, subround, payload, items, record });
            }
            Output::Validate { block } => {
                inputs.push_back(Input::Validated {
                    round: block.round(),
                    block: block.id(),
                    accepted: true,
                });
            }
            Output::Finalized(found) => host.disk.commit(&found),
            Output::Serve { to: Peer::Miner(to), after, bytes } => {
                let path = host.disk.history(after, MAX_CHAIN_BLOCKS + 1);
                self.respond(id, to.0, path, bytes);
            }
            Output::ServeStored { to: Peer::Miner(to), blocks, bytes } => {
                let whole = |known: zus_bpp::chain::StoredBlock| FinalBlock {
                    block: known.whole.unwrap_or_else(|| host.disk.load(known.block)),
                    notarization: known.notarization,
                };
                let path = blocks.into_iter().map(whole).collect();
                self.respond(id, to.0, path, bytes);
            }
            Output::Refused { from, refusal } => panic!("{id} refuses what {from} sent: {refusal}"),
            Output::Conflict { .. }
            | Output::Withheld(_)
            | Output::Evidence(_)
            | Output::HandedOver(_)
            | Output::Blamed(_) => {
                panic!("nobody is at fault: {output:?}")
            }
            Output::Milestone(_)
            | Output::Send { .. }
            | Output::Serve { .. }
            | Output::ServeStored { .. } => {}
        }
    }

    fn respond(&mut self, from: u16, to: u16, path: Vec<FinalBlock>, bytes: usize) {
        if let Some(response) = respond_within(path, bytes) {
            self.say(from, to, &Message::ChainResponse(Arc::new(response)));
        }
    }

    /// Messages arrive at once; timers fire when nothing is on its way.
    fn run_until(&mut self, holds: impl Fn(&Self) -> bool) {
        let started = self.now;
        while !holds(self) {
            if let Some((from, to, bytes)) = self.messages.pop_front() {
                self.give(to, Input::Bytes { from: Peer::Miner(MinerId(from)), bytes });
            } else if let Some(Reverse((at, _, id, timer))) = self.timers.pop() {
                self.now = self.now.max(at);
                self.give(id, Input::Timer(timer));
            }
            assert!(self.now.0 < started.0 + 3_600_000, "nothing moves: round {}", self.round());
        }
    }
}

/// Plays so many rounds of which none becomes final. Returns the net, and what the heap grew by for one miner.
fn gap(rounds: u64, adjust: impl Fn(&mut Config)) -> (Net, usize) {
    let before = heap::used();
    let mut net = Net::new(adjust);
    net.run_until(|net| net.round() > rounds);
    assert!((0..3).all(|id| net.miner(id).finalized().round() == Round(0)), "something is final");
    net.messages.clear();
    let grown = heap::used().saturating_sub(before) / 3;
    (net, grown)
}

fn rounds() -> u64 {
    std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(600)
}

#[test]
fn rounds_that_are_notarized_and_not_final_cost_a_stated_number_of_bytes() {
    // The controls first: blocks that stay whole, and payloads without end, cost what was seen from outside.
    let short = 2 * PAYLOAD_ROUNDS;
    let (_, bounded) = gap(short, |_| ());
    let (_, whole) = gap(short, |config| config.whole_rounds = u64::MAX);
    let (_, endless) = gap(short, |config| {
        (config.whole_rounds, config.payload_rounds) = (u64::MAX, u64::MAX);
    });
    let payloads = PAYLOAD_ROUNDS as usize * PAYLOAD;
    assert!(bounded < payloads / 2, "{bounded} bytes");
    assert!(whole > payloads, "control: {whole} bytes");
    assert!(endless > 2 * payloads - payloads / 4, "control: {endless} bytes");

    heap::most();
    let (start, rounds) = (heap::used(), rounds());
    let (mut net, grown) = gap(rounds, |_| ());
    let asked: usize = net.hosts.iter().map(|host| host.payloads).sum();
    assert!((1..=2 * PAYLOAD_ROUNDS as usize).contains(&asked), "{asked} payloads");
    println!("{rounds} rounds, none final: {grown} bytes a miner, {} a round", grown / rounds as usize);
    assert!(grown < payloads / 2 + rounds as usize * BYTES_A_ROUND, "{grown} bytes for {rounds} rounds");

    // L4: the fourth miner was never there. It catches up through the gap, and is in the same place in the end.
    net.start(3);
    net.run_until(|net| net.round() > rounds);
    // One that was there is restarted.
    net.start(0);
    net.run_until(|net| net.round() > rounds + 8);
    assert!((0..4).all(|id| net.miner(id).finalized().round() == Round(0)), "still nothing is final");

    // Finality comes back: all rounds become final, in order, in pieces.
    net.votes = true;
    net.run_until(|net| (0..4).all(|id| net.miner(id).finalized().round().0 > rounds));
    let most = heap::most() - start;
    println!("at most {most} bytes in all, four miners together, while all of it became final");
    assert!(most / 4 < payloads + rounds as usize * BYTES_A_ROUND * 2, "{most} bytes for {rounds} rounds");
    assert!(most < 64 << 20, "{most} bytes");
    net.run_until(|net| net.messages.is_empty());
    drop(net.messages.drain(..));
}
