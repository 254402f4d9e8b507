//! One miner among four, and the keys of the others: whatever they could say can be put before it.

use std::sync::Arc;

use crate::block::{Block, BlockContent, Closing, Time};
use crate::certified::{Certified, FinalityCertificate, Notarization, TimeoutCertificate};
use crate::committee::{ChainId, Committee, Epoch, MinerId, Peer, Round, Subround};
use crate::crypto::certificate::{Certificate, CertificateError};
use crate::crypto::mock_scheme::{MockCommittee, MockScheme};
use crate::crypto::ranks::Ranks;
use crate::crypto::scheme::{Beacon as _, BeaconValue, Signature};
use crate::message::{BeaconShare, Message, Proposal};
use crate::miner::{Config, Effects, Input, Miner, Output, Recovery, Refusal, Stored, Timer};
use crate::rules::Rules;
use crate::statement::{BeaconTarget, FinalityVote, Proposed, Signed, Statement, Ticket, Timeout};
use crate::ticket_log::LogRecord;

/// Miners of the stage; the one under test is number 0.
pub const MINERS: u16 = 4;

pub struct Stage {
    pub config: Arc<Config>,
    pub schemes: Vec<MockScheme>,
    pub miner: Miner<MockScheme>,
    pub now: Time,
    /// Whether records are reported durable at once.
    pub writes_at_once: bool,
    /// Whether what is stored is reported durable at once.
    pub stores_at_once: bool,
    /// Everything put out so far.
    pub out: Vec<Output>,
}

pub fn id(miner: u16) -> MinerId {
    MinerId(miner)
}

impl Stage {
    pub fn new(rules: Rules) -> Self {
        let committee = Committee::new(ChainId([1; 32]), Epoch(1), MINERS, 1).expect("a committee");
        Self::of(Config::new(committee, rules, BeaconValue([2; 32]), Time(0)))
    }

    /// A stage whose miner has this configuration.
    pub fn of(config: Config) -> Self {
        let config = Arc::new(config);
        let keys = MockCommittee::new(MINERS, 1);
        let schemes: Vec<_> = (0..MINERS).map(|i| keys.member(id(i)).expect("a member")).collect();
        let miner = Miner::new(config.clone(), schemes[0].clone(), Recovery::default()).expect("starts");
        let mut stage = Self {
            config,
            schemes,
            miner,
            now: Time(0),
            writes_at_once: true,
            stores_at_once: true,
            out: Vec::new(),
        };
        stage.input(Input::Start);
        stage
    }

    /// The miner stops, and starts again with what its log says.
    pub fn restart(&mut self) {
        let mut signed = crate::ticket_log::SignedRecords::default();
        self.records().into_iter().for_each(|record| signed.insert(record));
        let recovery = Recovery { signed, ..Recovery::default() };
        let scheme = self.schemes[0].clone();
        self.miner = Miner::new(self.config.clone(), scheme, recovery).expect("starts again");
        self.input(Input::Start);
    }

    /// Carries outputs out: the application accepts everything and makes empty payloads.
    fn follow(&mut self, out: Vec<Output>) {
        for output in out {
            let answer = match &output {
                Output::RequestPayload { round, subround, .. } => {
                    let (round, subround, payload) = (*round, *subround, Vec::new());
                    Some(Input::Payload { round, subround, payload, items: Vec::new(), record: None })
                }
                Output::Validate { block } => {
                    Some(Input::Validated { round: block.round(), block: block.id(), accepted: true })
                }
                Output::Store { write, .. } if self.stores_at_once => Some(Input::Stored(*write)),
                Output::Persist { write, .. } if self.writes_at_once => Some(Input::Persisted(*write)),
                _ => None,
            };
            self.out.push(output);
            if let Some(answer) = answer {
                self.input(answer);
            }
        }
    }

    /// So much time passes that everybody is heard again, whatever it has shown.
    pub fn debts_are_paid(&mut self) {
        self.now = self.now.after(60_000);
    }

    pub fn input(&mut self, input: Input) {
        let mut out = Vec::new();
        self.miner.step(self.now, input, &mut out);
        self.follow(out);
    }

    /// A message from miner `from`; returns what came of it.
    pub fn hears(&mut self, from: u16, message: Message) -> &[Output] {
        self.hears_peer(Peer::Miner(id(from)), message)
    }

    /// A message from a peer; returns what came of it.
    pub fn hears_peer(&mut self, from: Peer, message: Message) -> &[Output] {
        let before = self.out.len();
        self.input(Input::Message { from, message });
        &self.out[before..]
    }

    /// The collection window of the miner's subround closes.
    pub fn window_closes(&mut self) {
        let (round, subround) = (self.miner.round(), self.miner.subround());
        self.input(Input::Timer(Timer::Window { round, subround }));
    }

    /// The miner's subround has lasted long enough.
    pub fn wait_is_over(&mut self) {
        let (round, subround) = (self.miner.round(), self.miner.subround());
        self.input(Input::Timer(Timer::Wait { round, subround }));
    }

    pub fn signed<T: Statement>(&self, signer: u16, statement: T) -> Signed<T> {
        let scheme = &self.schemes[usize::from(signer)];
        Signed::sign(statement, &self.config.committee, scheme).expect("a member signs")
    }

    /// The certificate that `signers` make.
    pub fn certified<T: Statement>(&self, statement: T, signers: &[u16]) -> Arc<Certified<T>> {
        self.try_certified(statement, signers).expect("signers of the committee")
    }

    fn try_certified<T: Statement>(
        &self,
        statement: T,
        signers: &[u16],
    ) -> Result<Arc<Certified<T>>, CertificateError> {
        let signatures: Vec<(MinerId, Signature)> =
            signers.iter().map(|&signer| (id(signer), self.signed(signer, statement).signature)).collect();
        let certificate = Certificate::assemble(&self.schemes[0], 1, &signatures)?;
        Ok(Arc::new(Certified { statement, certificate }))
    }

    pub fn notarization(&self, block: &Block, signers: &[u16]) -> Arc<Notarization> {
        self.certified(ticket_of(block), signers)
    }

    pub fn finality(&self, block: &Block, signers: &[u16]) -> Arc<FinalityCertificate> {
        self.certified(vote_of(block), signers)
    }

    pub fn timeouts(&self, round: u64, subround: u32, signers: &[u16]) -> Arc<TimeoutCertificate> {
        self.certified(Timeout { round: Round(round), subround: Subround(subround) }, signers)
    }

    pub fn share(&self, signer: u16, round: u64) -> BeaconShare {
        let target = BeaconTarget::Round(Round(round));
        let scheme = &self.schemes[usize::from(signer)];
        BeaconShare::sign(target, &self.config.committee, scheme).expect("a member's share")
    }

    /// The committee's beacon signature and value of a round.
    pub fn beacon(&self, round: u64) -> (Signature, BeaconValue) {
        let preimage = BeaconTarget::Round(Round(round)).preimage(&self.config.committee);
        let shares: Vec<_> = (0..3).map(|i| (id(i), self.share(i, round).share)).collect();
        let signature = self.schemes[0].combine_beacon(&preimage, &shares).expect("enough shares");
        (signature, self.schemes[0].beacon_value(&signature))
    }

    /// The members in order of rank.
    pub fn order(&self, round: u64, subround: u32) -> Vec<u16> {
        let ranks = Ranks::derive(&self.beacon(round).1, Subround(subround), MINERS);
        ranks.members().iter().map(|member| member.0).collect()
    }

    /// The best generator other than the miner under test.
    pub fn generator(&self, round: u64, subround: u32) -> u16 {
        self.order(round, subround).into_iter().find(|&member| member != 0).expect("four members")
    }

    /// The content of a proper block on top of `parent`.
    pub fn content(
        &self,
        subround: u32,
        parent: &Block,
        parent_notarization: Option<Arc<Notarization>>,
        generator: u16,
    ) -> BlockContent {
        let round = parent.round().next();
        let (beacon_signature, beacon) = self.beacon(round.0);
        BlockContent {
            chain: self.config.committee.chain(),
            epoch: self.config.committee.epoch(),
            round,
            subround: Subround(subround),
            generator: id(generator),
            parent: parent.id(),
            parent_notarization,
            finality: None,
            beacon,
            beacon_signature,
            closing: Closing::Open,
            items: Vec::new(),
            payload: Vec::new(),
            time: Time(1),
        }
    }

    /// A proper block of round 1.
    pub fn first_block(&self, subround: u32, generator: u16) -> Arc<Block> {
        Arc::new(Block::new(self.content(subround, &self.config.genesis, None, generator)))
    }

    /// The generator's proposal of a block.
    pub fn proposal(&self, block: &Arc<Block>, timeouts: Option<Arc<TimeoutCertificate>>) -> Message {
        let proposed = Proposed { round: block.round(), subround: block.subround(), block: block.id() };
        let signature = self.signed(block.header().generator.0, proposed).signature;
        Message::Proposal(Proposal { block: Arc::clone(block), timeout_certificate: timeouts, signature })
    }

    /// A generator proposes a block.
    pub fn proposes(&mut self, block: &Arc<Block>) -> &[Output] {
        let message = self.proposal(block, None);
        self.hears(block.header().generator.0, message)
    }

    /// A proper block of round 1 was proposed, and became notarized: the miner is in round 2.
    pub fn enter_round_two(&mut self) -> Arc<Block> {
        let block = self.first_block(0, self.generator(1, 0));
        self.proposes(&block);
        let notarization = self.notarization(&block, &[1, 2, 3]);
        self.hears(1, Message::Notarization(notarization));
        assert_eq!(self.miner.round(), Round(2));
        block
    }

    /// Messages that left, in order.
    pub fn sent(&self) -> impl Iterator<Item = &Message> {
        sent(&self.out)
    }

    pub fn tickets_sent(&self) -> Vec<Ticket> {
        let of = |message: &Message| match message {
            Message::Ticket(ticket) => Some(ticket.statement),
            _ => None,
        };
        self.sent().filter_map(of).collect()
    }

    pub fn timeouts_sent(&self) -> Vec<Timeout> {
        let of = |message: &Message| match message {
            Message::Timeout(timeout) => Some(timeout.statement),
            _ => None,
        };
        self.sent().filter_map(of).collect()
    }

    pub fn votes_sent(&self) -> Vec<FinalityVote> {
        let of = |message: &Message| match message {
            Message::FinalityVote(vote) => Some(vote.statement),
            _ => None,
        };
        self.sent().filter_map(of).collect()
    }

    pub fn proposals_sent(&self) -> Vec<Arc<Block>> {
        let of = |message: &Message| match message {
            Message::Proposal(proposal) => Some(Arc::clone(&proposal.block)),
            _ => None,
        };
        self.sent().filter_map(of).collect()
    }

    /// Everything that the miner asked to be kept for a restart, in order.
    pub fn stored(&self) -> Vec<Stored> {
        let of = |output: &Output| match output {
            Output::Store { stored, .. } => Some(stored.clone()),
            _ => None,
        };
        self.out.iter().filter_map(of).collect()
    }

    /// The miner is made to sign something, as a wrong line in its own code might. Nothing is carried out.
    pub fn signs(&mut self, statement: impl Into<LogRecord>) -> Vec<Output> {
        let mut out = Vec::new();
        self.miner.sign(statement, &mut Effects { now: self.now, out: &mut out });
        out
    }

    /// All that was stored becomes durable.
    pub fn confirm_stores(&mut self) {
        let of = |output: &Output| match output {
            Output::Store { write, .. } => Some(*write),
            _ => None,
        };
        if let Some(last) = self.out.iter().rev().find_map(of) {
            self.input(Input::Stored(last));
        }
    }

    /// All that was recorded becomes durable.
    pub fn confirm_records(&mut self) {
        let of = |output: &Output| match output {
            Output::Persist { write, .. } => Some(*write),
            _ => None,
        };
        if let Some(last) = self.out.iter().rev().find_map(of) {
            self.input(Input::Persisted(last));
        }
    }

    pub fn records(&self) -> Vec<LogRecord> {
        let of = |output: &Output| match output {
            Output::Persist { record, .. } => Some(*record),
            _ => None,
        };
        self.out.iter().filter_map(of).collect()
    }
}

/// Messages among outputs.
pub fn sent(out: &[Output]) -> impl Iterator<Item = &Message> {
    out.iter().filter_map(|output| match output {
        Output::Broadcast { message, .. } | Output::Send { message, .. } => Some(message),
        _ => None,
    })
}

/// The reason of the only refusal.
pub fn refusal(out: &[Output]) -> Option<Refusal> {
    out.iter().find_map(|output| match output {
        Output::Refused { refusal, .. } => Some(*refusal),
        _ => None,
    })
}

pub fn is_refused(out: &[Output]) -> bool {
    out.iter().any(|output| matches!(output, Output::Refused { .. }))
}

pub fn ticket_of(block: &Block) -> Ticket {
    Ticket { round: block.round(), subround: block.subround(), block: block.id() }
}

pub fn vote_of(block: &Block) -> FinalityVote {
    FinalityVote { round: block.round(), subround: block.subround(), block: block.id() }
}
