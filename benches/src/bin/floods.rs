//! What one peer costs a miner of 100 on real signatures: by kind of message, as fast as a link of 1 and of 100 Mbit/s carries
//! them, while the other members are served.
//!
//! ```text
//! cargo run --release -p zus-benches --bin floods            # the table of README.md
//! cargo run --release -p zus-benches --bin floods -- request # some kinds
//! ```
//!
//! The flooder is a member with its own key. In each second of virtual time the others bring the miner one round further: beacon
//! shares, a proposal, tickets and finality votes, in 100 slices, and between them comes what the link carries in 10 ms. The processor
//! time of the flooder's messages is measured alone. A second that takes more than two is not played to its end but scaled up.
#![allow(missing_docs)]

use std::sync::Arc;
use std::time::Duration;

use zus_benches::process_time;
use zus_bpp::block::{Block, BlockContent, BlockId, Time};
use zus_bpp::bounds::MAX_PAYLOAD_BYTES;
use zus_bpp::certified::{Certified, Notarization};
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Peer, Round, Subround};
use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::ranks::Ranks;
use zus_bpp::crypto::scheme::{BeaconValue, Scheme, Signature};
use zus_bpp::crypto::trusted_dealer;
use zus_bpp::crypto::uncompressed::UncompressedSignature;
use zus_bpp::evidence::Evidence;
use zus_bpp::message::{BeaconShare, ChainRequest, ChainResponse, Message, Proposal};
use zus_bpp::miner::{Config, Input, Miner, Output, Recovery};
use zus_bpp::rules::Rules;
use zus_bpp::statement::{BeaconTarget, FinalityVote, Proposed, Signed, Statement, Ticket, Timeout};
use zus_bpp::wire;

const MINERS: u16 = 100;
const FLOODER: MinerId = MinerId(99);
/// Slices of a second.
const SLICES: u64 = 100;
/// Seconds of virtual time after the first; the table shows their median.
const SECONDS: usize = 5;
/// What is spent on one virtual second at most.
const ENOUGH: Duration = Duration::from_secs(2);
/// Messages of which the cost of one byte is the mean: all of them are looked at.
const LOOKED_AT: u32 = 40;

/// A kind of message that floods.
struct Kind {
    name: &'static str,
    /// One message of it, as the flooder sends it to a miner in this round.
    message: fn(&Network, Round) -> Vec<u8>,
    /// Whether the last bytes are a wrong signature, another one in each message.
    spoilt: bool,
}

/// Kinds that no honest peer sends, or not so often.
const KINDS: &[Kind] = &[
    Kind { name: "bytes that are no message", message: |_, _| vec![0xee; 97], spoilt: true },
    Kind {
        name: "ticket of another member",
        message: |network, round| wire::encode(&Message::Ticket(network.signed(MinerId(7), ticket(round)))),
        spoilt: true,
    },
    Kind {
        name: "ticket, wrong",
        message: |network, round| wire::encode(&Message::Ticket(network.signed(FLOODER, ticket(round)))),
        spoilt: true,
    },
    Kind {
        name: "ticket of 96 bytes, wrong",
        message: |network, round| {
            let ticket = network.signed(FLOODER, ticket(round));
            let coordinates = UncompressedSignature::new(ticket.signature).expect("a point");
            wire::encode(&Message::ticket(ticket, Some(coordinates)))
        },
        spoilt: true,
    },
    Kind {
        name: "beacon share, wrong",
        message: |network, round| wire::encode(&Message::BeaconShare(network.share(FLOODER, round))),
        spoilt: true,
    },
    Kind {
        name: "timeout, wrong",
        message: |network, round| {
            let timeout = Timeout { round, subround: Subround(0) };
            wire::encode(&Message::Timeout(network.signed(FLOODER, timeout)))
        },
        spoilt: true,
    },
    Kind {
        name: "finality vote, wrong",
        message: |network, round| {
            let Ticket { round, subround, block } = ticket(round);
            let vote = FinalityVote { round, subround, block };
            wire::encode(&Message::FinalityVote(network.signed(FLOODER, vote)))
        },
        spoilt: true,
    },
    Kind {
        name: "notarization, wrong",
        message: |network, round| wire::encode(&Message::Notarization(network.forged(ticket(round.next())))),
        spoilt: true,
    },
    Kind {
        name: "timeout certificate, wrong",
        message: |network, round| {
            let timeout = Timeout { round, subround: Subround(0) };
            wire::encode(&Message::TimeoutCertificate(network.forged(timeout)))
        },
        spoilt: true,
    },
    Kind {
        name: "finality certificate, wrong",
        message: |network, round| {
            let Ticket { round, subround, block } = ticket(round.next());
            wire::encode(&Message::FinalityCertificate(network.forged(FinalityVote {
                round,
                subround,
                block,
            })))
        },
        spoilt: true,
    },
    Kind {
        name: "evidence, wrong",
        message: |network, round| {
            let other = Ticket { block: BlockId([1; 32]), ..ticket(round) };
            let (first, second) = (network.signed(FLOODER, ticket(round)), network.signed(FLOODER, other));
            wire::encode(&Message::Evidence(Arc::new(Evidence::Tickets { first, second })))
        },
        spoilt: true,
    },
    Kind {
        name: "proposal, wrong",
        message: |network, round| wire::encode(&network.useless_proposal(round, 0)),
        spoilt: true,
    },
    Kind {
        name: "proposal of 1 MiB, wrong",
        message: |network, round| wire::encode(&network.useless_proposal(round, MAX_PAYLOAD_BYTES)),
        spoilt: true,
    },
    Kind {
        name: "genuine proposal of a round to come, again",
        message: |network, round| wire::encode(&network.useless_proposal(round.next().next(), 0)),
        spoilt: false,
    },
    Kind {
        name: "genuine notarization, again",
        message: |network, _| match &network.last {
            Some((_, notarization)) => wire::encode(&Message::Notarization(Arc::clone(notarization))),
            None => wire::encode(&Message::Notarization(network.forged(ticket(Round(1))))),
        },
        spoilt: false,
    },
    Kind {
        name: "request",
        message: |_, _| wire::encode(&Message::ChainRequest(ChainRequest { after: Round(0), tip: None })),
        spoilt: false,
    },
    Kind {
        name: "answer that nobody asked for",
        message: |network, round| {
            let blocks = vec![network.block(round, FLOODER, 0)];
            let notarization = network.forged(ticket(round));
            wire::encode(&Message::ChainResponse(Arc::new(ChainResponse {
                blocks,
                notarization,
                finality: None,
            })))
        },
        spoilt: true,
    },
];

fn ticket(round: Round) -> Ticket {
    Ticket { round, subround: Subround(0), block: BlockId([round.0 as u8 ^ 0x5a; 32]) }
}

/// The miner, and the keys of the others.
struct Network {
    config: Arc<Config>,
    schemes: Vec<BlstScheme>,
    miner: Miner<BlstScheme>,
    now: Time,
    /// The last notarized block.
    last: Option<(Arc<Block>, Arc<Notarization>)>,
    /// Beacon signature and value of the round.
    beacon: (Signature, BeaconValue),
    /// Signatures of the flooder over something else.
    wrong: Vec<Signature>,
}

impl Network {
    fn new(schemes: &[BlstScheme]) -> Self {
        let committee = Committee::new(ChainId([1; 32]), Epoch(1), MINERS, 2).expect("a committee");
        let config = Arc::new(Config::new(committee, Rules::HARDENED, BeaconValue([2; 32]), Time(0)));
        let mut miner =
            Miner::new(Arc::clone(&config), schemes[0].clone(), Recovery::default()).expect("starts");
        miner.step(Time(0), Input::Start, &mut Vec::new());
        let beacon = (Signature([0; 48]), BeaconValue([0; 32]));
        let mut network = Self {
            config,
            schemes: schemes.to_vec(),
            miner,
            now: Time(0),
            last: None,
            beacon,
            wrong: Vec::new(),
        };
        let of = |i: u64| network.signed(FLOODER, ticket(Round(1_000_000 + i))).signature;
        network.wrong = (0..256).map(of).collect();
        network
    }

    fn signed<T: Statement>(&self, signer: MinerId, statement: T) -> Signed<T> {
        let scheme = &self.schemes[usize::from(signer.0)];
        Signed::sign(statement, &self.config.committee, scheme).expect("a member signs")
    }

    fn share(&self, signer: MinerId, round: Round) -> BeaconShare {
        let scheme = &self.schemes[usize::from(signer.0)];
        BeaconShare::sign(BeaconTarget::Round(round), &self.config.committee, scheme)
            .expect("a member's share")
    }

    /// A certificate that a quorum is said to have signed: one signature over something else.
    fn forged<T: Statement>(&self, statement: T) -> Arc<Certified<T>> {
        let signers = Signers::from_members(usize::from(MINERS), (0..67).map(MinerId)).expect("a set");
        let aggregate = self.signed(FLOODER, ticket(Round(9))).signature;
        Arc::new(Certified { statement, certificate: Certificate { signers, aggregate } })
    }

    fn block(&self, round: Round, generator: MinerId, payload: usize) -> Arc<Block> {
        let genesis = self.config.genesis.header();
        let parent = self.last.as_ref().map_or(self.config.genesis.id(), |(block, _)| block.id());
        Arc::new(Block::new(BlockContent {
            chain: genesis.chain,
            epoch: genesis.epoch,
            round,
            subround: Subround(0),
            generator,
            parent,
            parent_notarization: self.last.as_ref().map(|(_, notarization)| Arc::clone(notarization)),
            finality: None,
            beacon: self.beacon.1,
            beacon_signature: self.beacon.0,
            payload: vec![0; payload],
            time: Time(1),
        }))
    }

    fn proposal(&self, block: Arc<Block>) -> Message {
        let header = block.header();
        let proposed = Proposed { round: header.round, subround: header.subround, block: block.id() };
        let signature = self.signed(header.generator, proposed).signature;
        Message::Proposal(Proposal { block, timeout_certificate: None, signature })
    }

    fn useless_proposal(&self, round: Round, payload: usize) -> Message {
        self.proposal(self.block(round, FLOODER, payload))
    }

    /// The miner takes a message of an honest member and does what it asks of its host.
    fn hears(&mut self, from: MinerId, message: Message) {
        let mut inputs = vec![Input::Message { from: Peer::Miner(from), message }];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::new();
            self.miner.step(self.now, input, &mut out);
            for output in out {
                match output {
                    Output::Store { write, .. } => inputs.insert(0, Input::Stored(write)),
                    Output::Persist { write, .. } => inputs.insert(0, Input::Persisted(write)),
                    Output::Validate { block } => {
                        let (round, block) = (block.round(), block.id());
                        inputs.insert(0, Input::Validated { round, block, accepted: true });
                    }
                    Output::Broadcast { message: Message::Notarization(known), .. } => {
                        if let Some(block) = self.miner.block(known.round, known.block).cloned() {
                            self.last = Some((block, known));
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// What the others say in one round, in order. The beacon value becomes known on the way.
    fn round(&mut self) -> Vec<(MinerId, Message)> {
        let round = self.miner.round();
        let honest: Vec<MinerId> = (1..FLOODER.0).map(MinerId).collect();
        let shares: Vec<BeaconShare> = honest.iter().map(|&id| self.share(id, round)).collect();
        let few: Vec<(MinerId, Signature)> = shares.iter().map(|share| (share.signer, share.share)).collect();
        let preimage = BeaconTarget::Round(round).preimage(&self.config.committee);
        let signature = self.schemes[1].combine_beacon(&preimage, &few).expect("enough shares");
        self.beacon = (signature, self.schemes[1].beacon_value(&signature));
        let ranks = Ranks::derive(&self.beacon.1, Subround(0), MINERS);
        let order = ranks.members();
        let generator = *order.iter().find(|id| honest.contains(id)).expect("somebody honest");
        let block = self.block(round, generator, 100);
        let (subround, id) = (Subround(0), block.id());
        let mut said: Vec<(MinerId, Message)> =
            shares.into_iter().map(|share| (share.signer, Message::BeaconShare(share))).collect();
        said.push((generator, self.proposal(block)));
        for &signer in &honest {
            let ticket = self.signed(signer, Ticket { round, subround, block: id });
            said.push((signer, Message::Ticket(ticket)));
        }
        for &signer in &honest {
            let vote = self.signed(signer, FinalityVote { round, subround, block: id });
            said.push((signer, Message::FinalityVote(vote)));
        }
        said
    }

    /// One second in which the flooder sends `bytes_a_second`, and the others take the miner one round further. Processor time of
    /// the flooder's messages, as if all were played.
    fn second(&mut self, kind: &Kind, bytes_a_second: usize, counter: &mut usize) -> Duration {
        let said = self.round();
        let before = self.miner.round();
        let mut due = said.into_iter().peekable();
        let in_slice = due.len().div_ceil(SLICES as usize);
        let mut spent = Duration::ZERO;
        let (mut sent, mut left_out) = (0_usize, 0_usize);
        for slice in 0..SLICES {
            self.now = self.now.after(1_000 / SLICES);
            let message = (kind.message)(self, self.miner.round());
            let due_by_now = bytes_a_second * (slice as usize + 1) / SLICES as usize;
            while sent + left_out + message.len() <= due_by_now {
                if spent > ENOUGH {
                    left_out += message.len();
                    continue;
                }
                // Made beforehand: what the flooder spends on them is its own.
                let many = ((due_by_now - sent - left_out) / message.len()).min(64);
                let inputs: Vec<Input> =
                    (0..many).map(|_| input(kind, &message, &self.wrong, counter)).collect();
                sent += many * message.len();
                let mut out = Vec::new();
                let (_, time) = process_time::of(|| {
                    for input in inputs {
                        self.miner.step(self.now, input, &mut out);
                        out.clear();
                    }
                });
                spent += time;
            }
            for (from, message) in due.by_ref().take(in_slice) {
                self.hears(from, message);
            }
        }
        assert!(self.miner.round() > before, "{}: the others are not served", kind.name);
        spent.mul_f64((sent + left_out).max(1) as f64 / sent.max(1) as f64)
    }
}

/// The next message: a wrong signature is a point of the subgroup, another one each time, so that only a pairing tells.
fn input(kind: &Kind, message: &[u8], wrong: &[Signature], counter: &mut usize) -> Input {
    let mut bytes = message.to_vec();
    if kind.spoilt {
        *counter += 1;
        let signature = wrong[*counter % wrong.len()].0;
        let at = bytes.len() - signature.len();
        bytes[at..].copy_from_slice(&signature);
    }
    Input::Bytes { from: Peer::Miner(FLOODER), bytes }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1e3;
    if milliseconds < 10.0 { format!("{milliseconds:.1}") } else { format!("{milliseconds:.0}") }
}

fn main() {
    let filter = std::env::args().nth(1);
    let (committee, members) = trusted_dealer::deal([1; 32], MINERS).expect("keys");
    let scheme = |member| BlstScheme::member(committee.clone(), member).expect("its own keys");
    let schemes: Vec<BlstScheme> = members.into_iter().map(scheme).collect();
    zus_output::say!(
        "| what one member sends to a miner of {MINERS} | bytes | us a byte, looked at | 1 Mbit/s: first second, then ms a second | 100 Mbit/s: first second, then ms a second |"
    );
    zus_output::say!("|---|---|---|---|---|");
    for kind in KINDS {
        if filter.as_ref().is_some_and(|filter| !kind.name.contains(filter.as_str())) {
            continue;
        }
        let mut counter = 0;
        let mut network = Network::new(&schemes);
        // A round first, so that there is a certificate; then messages one by one, all of them looked at.
        let quiet = Kind { name: kind.name, message: kind.message, spoilt: kind.spoilt };
        network.second(&quiet, 0, &mut counter);
        let message = (kind.message)(&network, network.miner.round());
        let mut single = Vec::new();
        for _ in 0..LOOKED_AT.min((1 << 24) / message.len() as u32) {
            let input = input(kind, &message, &network.wrong, &mut counter);
            let step = || network.miner.step(network.now, input, &mut Vec::new());
            single.push(process_time::of(step).1);
        }
        let looked_at = single.iter().sum::<Duration>() / single.len() as u32;
        let mut row = vec![
            kind.name.to_string(),
            message.len().to_string(),
            format!("{:.3}", looked_at.as_secs_f64() * 1e6 / message.len() as f64),
        ];
        for megabits in [1, 100] {
            let mut network = Network::new(&schemes);
            let bytes = megabits * 1_000_000 / 8;
            let first = network.second(kind, bytes, &mut counter);
            let then = (0..SECONDS).map(|_| network.second(kind, bytes, &mut counter)).collect();
            row.push(format!("{}, {}", milliseconds(first), milliseconds(median(then))));
        }
        zus_output::say!("| {} |", row.join(" | "));
    }
}
