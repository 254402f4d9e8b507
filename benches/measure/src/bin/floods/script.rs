//! The committee, and the rounds that its honest members make: signed once, before anything is measured.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent, BlockId, Closing, Time};
use zus_bpp::certified::{Certified, FinalityCertificate, Notarization};
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Peer, Round, Subround};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::ranks::Ranks;
use zus_bpp::crypto::scheme::{Beacon as _, BeaconValue, Signature};
use zus_bpp::crypto::trusted_dealer;
use zus_bpp::message::{BeaconShare, Message, Proposal};
use zus_bpp::miner::{Config, Input, Miner, Output, Recovery};
use zus_bpp::rules::Rules;
use zus_bpp::statement::{BeaconTarget, FinalityVote, Proposed, Signed, Statement, Ticket, Timeout};
use zus_bpp::wire;

/// Miners of the committee.
pub const MINERS: u16 = 100;
/// The member that floods.
pub const FLOODER: MinerId = MinerId(99);
/// Rounds of the script, one a second.
pub const ROUNDS: usize = 12;

/// Bytes of payload of each of its blocks.
const PAYLOAD: usize = 64 << 10;

/// The messages of the honest members in one round, and the facts that the flooder can know of it.
pub struct ScriptedRound {
    /// The block that is notarized.
    pub block: Arc<Block>,
    /// Its certificate, and that of its finality.
    pub notarization: Arc<Notarization>,
    pub finality: Arc<FinalityCertificate>,
    /// Beacon signature and value.
    pub beacon: (Signature, BeaconValue),
    /// The messages with their senders, in order: shares, the proposal, tickets, votes.
    pub said: Vec<(MinerId, Vec<u8>)>,
}

/// See the module doc.
pub struct Script {
    pub config: Arc<Config>,
    pub schemes: Vec<BlstScheme>,
    pub rounds: Vec<ScriptedRound>,
    /// Signatures of the flooder over something else: points of the subgroup, so that only a pairing tells.
    pub wrong: Vec<Signature>,
}

impl Script {
    pub fn new() -> Self {
        let (keys, members) = trusted_dealer::deal([1; 32], MINERS).expect("keys");
        let scheme = |member| BlstScheme::member(keys.clone(), member).expect("its own keys");
        let schemes: Vec<BlstScheme> = members.into_iter().map(scheme).collect();
        let committee = Committee::new(ChainId([1; 32]), Epoch(1), MINERS, 2).expect("a committee");
        let config = Arc::new(Config::new(committee, Rules::HARDENED, BeaconValue([2; 32]), Time(0)));
        let mut script = Self { config, schemes, rounds: Vec::new(), wrong: Vec::new() };
        let of = |i: u64| script.signed(FLOODER, ticket_of(Round(1_000_000 + i), BlockId([0; 32]))).signature;
        script.wrong = (0..256).map(of).collect();
        let mut miner = script.miner();
        while script.rounds.len() < ROUNDS {
            let scripted = script.next_round(&mut miner);
            script.rounds.push(scripted);
        }
        script
    }

    /// The miner that is flooded, in its first round.
    pub fn miner(&self) -> Miner<BlstScheme> {
        let (config, scheme) = (Arc::clone(&self.config), self.schemes[0].clone());
        let mut miner = Miner::new(config, scheme, Recovery::default()).expect("it starts");
        miner.step(Time(0), Input::Start, &mut Vec::new());
        miner
    }

    pub fn signed<T: Statement>(&self, signer: MinerId, statement: T) -> Signed<T> {
        let scheme = &self.schemes[usize::from(signer.0)];
        Signed::sign(statement, &self.config.committee, scheme).expect("a member signs")
    }

    pub fn share(&self, signer: MinerId, round: Round) -> BeaconShare {
        let scheme = &self.schemes[usize::from(signer.0)];
        BeaconShare::sign(BeaconTarget::Round(round), &self.config.committee, scheme).expect("its share")
    }

    /// A certificate that so many members are said to have signed: one signature over something else.
    pub fn forged<T: Statement>(&self, statement: T, size: u16, members: u16) -> Arc<Certified<T>> {
        let signers =
            Signers::from_members(usize::from(size), (0..members).map(MinerId)).expect("a set of members");
        Arc::new(Certified { statement, certificate: Certificate { signers, aggregate: self.wrong[0] } })
    }

    /// A block of the round after `before`.
    pub fn block(&self, before: Option<&ScriptedRound>, generator: MinerId, payload: usize) -> BlockContent {
        let genesis = self.config.genesis.header();
        let round = Round(before.map_or(1, |before| before.block.round().0 + 1));
        BlockContent {
            chain: genesis.chain,
            epoch: genesis.epoch,
            round,
            subround: Subround(0),
            generator,
            parent: before.map_or(self.config.genesis.id(), |before| before.block.id()),
            parent_notarization: before.map(|before| Arc::clone(&before.notarization)),
            finality: None,
            beacon: BeaconValue([0; 32]),
            beacon_signature: Signature([0; 48]),
            closing: Closing::Open,
            items: Vec::new(),
            payload: vec![0; payload],
            time: Time(1),
        }
    }

    /// A proposal of `block`, signed by its generator.
    pub fn proposal(&self, block: BlockContent) -> Proposal {
        let block = Arc::new(Block::new(block));
        let header = block.header();
        let proposed = Proposed { round: header.round, subround: header.subround, block: block.id() };
        let signature = self.signed(header.generator, proposed).signature;
        Proposal { block, timeout_certificate: None, signature }
    }

    fn next_round(&self, miner: &mut Miner<BlstScheme>) -> ScriptedRound {
        let round = miner.round();
        let honest: Vec<MinerId> = (1..FLOODER.0).map(MinerId).collect();
        let shares: Vec<BeaconShare> = honest.iter().map(|&id| self.share(id, round)).collect();
        let few: Vec<(MinerId, Signature)> = shares.iter().map(|share| (share.signer, share.share)).collect();
        let preimage = BeaconTarget::Round(round).preimage(&self.config.committee);
        let signature = self.schemes[1].combine_beacon(&preimage, &few).expect("enough shares");
        let beacon = (signature, self.schemes[1].beacon_value(&signature));
        let order = Ranks::derive(&beacon.1, Subround(0), MINERS);
        let generator = *order.members().iter().find(|id| honest.contains(id)).expect("somebody honest");
        let mut content = self.block(self.rounds.last(), generator, PAYLOAD);
        (content.beacon_signature, content.beacon) = beacon;
        let proposal = self.proposal(content);
        let block = Arc::clone(&proposal.block);
        let mut said: Vec<(MinerId, Message)> =
            shares.into_iter().map(|share| (share.signer, Message::BeaconShare(share))).collect();
        said.push((generator, Message::Proposal(proposal)));
        said.extend(
            honest
                .iter()
                .map(|&signer| (signer, Message::Ticket(self.signed(signer, ticket_of(round, block.id()))))),
        );
        said.extend(
            honest.iter().map(|&signer| {
                (signer, Message::FinalityVote(self.signed(signer, vote_of(round, block.id()))))
            }),
        );
        let said: Vec<(MinerId, Vec<u8>)> =
            said.into_iter().map(|(signer, message)| (signer, wire::encode(&message))).collect();
        let (mut notarization, mut finality) = (None, None);
        for (from, bytes) in &said {
            let input = Input::Bytes { from: Peer::Miner(*from), bytes: bytes.clone() };
            for output in served(miner, Time(1_000 * round.0), input) {
                match output {
                    Output::Broadcast { message: Message::Notarization(known), .. } => {
                        notarization = Some(known);
                    }
                    Output::Broadcast { message: Message::FinalityCertificate(known), .. } => {
                        finality = Some(known);
                    }
                    _ => {}
                }
            }
        }
        ScriptedRound {
            block,
            notarization: notarization.expect("a quorum of tickets"),
            finality: finality.expect("a quorum of votes"),
            beacon,
            said,
        }
    }
}

pub const fn ticket_of(round: Round, block: BlockId) -> Ticket {
    Ticket { round, subround: Subround(0), block }
}

pub const fn vote_of(round: Round, block: BlockId) -> FinalityVote {
    FinalityVote { round, subround: Subround(0), block }
}

pub const fn timeout_of(round: Round) -> Timeout {
    Timeout { round, subround: Subround(0) }
}

/// The miner takes an input, and its host carries out the outputs. The rest is for the network.
pub fn served(miner: &mut Miner<BlstScheme>, now: Time, input: Input) -> Vec<Output> {
    let (mut inputs, mut rest) = (vec![input], Vec::new());
    while let Some(input) = inputs.pop() {
        let mut out = Vec::new();
        miner.step(now, input, &mut out);
        for output in out {
            match output {
                Output::Store { write, .. } => inputs.insert(0, Input::Stored(write)),
                Output::Persist { write, .. } => inputs.insert(0, Input::Persisted(write)),
                Output::Validate { block } => {
                    let (round, block) = (block.round(), block.id());
                    inputs.insert(0, Input::Validated { round, block, accepted: true });
                }
                other => rest.push(other),
            }
        }
    }
    rest
}
