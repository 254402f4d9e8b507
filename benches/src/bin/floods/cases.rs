//! Each kind of message, in each way in which it can be wrong, useless or not its sender's.

use std::collections::BTreeSet;
use std::sync::Arc;

use zus_bpp::block::{BlockContent, BlockId};
use zus_bpp::committee::{MinerId, Peer, Round, SharderId, Subround};
use zus_bpp::crypto::scheme::{BeaconValue, Signature};
use zus_bpp::crypto::uncompressed::UncompressedSignature;
use zus_bpp::evidence::Evidence;
use zus_bpp::limits::MAX_PAYLOAD_BYTES;
use zus_bpp::message::{ChainRequest, ChainResponse, Message, UncompressedTicket};
use zus_bpp::statement::{Proposed, Signed, Ticket};
use zus_bpp::wire;

use super::ground::{FLOODER, Ground, MINERS, Scripted, ticket_of, timeout_of, vote_of};

/// A flood.
pub struct Case {
    pub name: &'static str,
    /// At the other end of the link.
    pub from: Peer,
    /// Whether no honest sender can have sent it, as its form alone tells.
    pub impossible: bool,
    /// The messages that are sent again and again in one round.
    pub messages: fn(&Ground, At<'_>) -> Vec<Vec<u8>>,
    /// Whether another wrong signature is put into each message, so many bytes before its end.
    pub spoilt: Option<usize>,
}

/// Where the miner is.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub round: Round,
    /// The messages of the honest members in this round, and in the one before.
    pub now: &'a Scripted,
    pub before: Option<&'a Scripted>,
}

const MEMBER: Peer = Peer::Miner(FLOODER);
const SHARDER: Peer = Peer::Sharder(SharderId(1));
const STRANGER: Peer = Peer::Miner(MinerId(MINERS));
const OTHER: MinerId = MinerId(7);

/// The number of a kind. A new kind does not compile here, and [`require_all_kinds`] asks for a flood of it.
fn kind(message: &Message) -> usize {
    match message {
        Message::BeaconShare(_) => 0,
        Message::Proposal(_) => 1,
        Message::Ticket(_) => 2,
        Message::UncompressedTicket(_) => 3,
        Message::Notarization(_) => 4,
        Message::Timeout(_) => 5,
        Message::TimeoutCertificate(_) => 6,
        Message::FinalityVote(_) => 7,
        Message::FinalityCertificate(_) => 8,
        Message::Evidence(_) => 9,
        Message::ChainRequest(_) => 10,
        Message::ChainResponse(_) => 11,
    }
}
const KINDS: usize = 12;

/// # Panics
/// When a kind of message has no flood.
pub fn require_all_kinds(ground: &Ground) {
    let at = At { round: Round(2), now: &ground.rounds[1], before: Some(&ground.rounds[0]) };
    let sent = CASES.iter().flat_map(|case| (case.messages)(ground, at));
    let kinds: BTreeSet<usize> =
        sent.filter_map(|bytes| wire::decode(&bytes).ok()).map(|message| kind(&message)).collect();
    assert_eq!(kinds, (0..KINDS).collect(), "each kind of message has a flood");
}

fn one(message: Message) -> Vec<Vec<u8>> {
    vec![wire::encode(&message)]
}

fn own_ticket(ground: &Ground, signer: MinerId, at: At<'_>) -> Signed<Ticket> {
    ground.signed(signer, ticket_of(at.round, at.now.block.id()))
}

fn uncompressed(ticket: Signed<Ticket>) -> Message {
    let coordinates = UncompressedSignature::new(ticket.signature).expect("a point");
    Message::ticket(ticket, Some(coordinates))
}

/// A genuine proposal of the own round by `generator`, changed.
fn proposal(ground: &Ground, at: At<'_>, payload: usize, change: impl FnOnce(&mut BlockContent)) -> Message {
    let mut content = ground.block(at.before, FLOODER, payload);
    (content.beacon_signature, content.beacon) = at.now.beacon;
    change(&mut content);
    Message::Proposal(ground.proposal(content))
}

/// An answer of so many blocks with a forged certificate.
fn answer(ground: &Ground, at: At<'_>, blocks: usize, payload: usize) -> Message {
    let content = ground.block(at.before, FLOODER, payload);
    let block = Arc::new(zus_bpp::block::Block::new(content));
    let notarization = ground.forged(ticket_of(at.round, block.id()), MINERS, 67);
    Message::ChainResponse(Arc::new(ChainResponse {
        blocks: vec![block; blocks],
        notarization,
        finality: None,
    }))
}

fn tickets_evidence(first: Signed<Ticket>, second: Signed<Ticket>) -> Message {
    Message::Evidence(Arc::new(Evidence::Tickets { first, second }.canonical()))
}

const NO_POINT: Signature = Signature([0xa5; 48]);

/// All of them. `spoilt` counts from the end of the message.
pub const CASES: &[Case] = &[
    // Bytes.
    case("three bytes that are no message", |_, _| vec![vec![0xee; 3]]).impossible(),
    case("97 bytes that are no message", |_, _| vec![vec![0xee; 97]]).impossible(),
    case("a proposal of 1 MiB and a byte too many", |ground, at| {
        let mut bytes = wire::encode(&proposal(ground, at, MAX_PAYLOAD_BYTES, |_| {}));
        bytes.push(0);
        vec![bytes]
    })
    .impossible(),
    case("5 MiB of a kind that does not exist", |_, _| {
        let mut bytes = vec![0; 5 << 20];
        bytes[..2].copy_from_slice(&[wire::VERSION, 0xee]);
        vec![bytes]
    })
    .impossible(),
    case("a genuine ticket, from a stranger", |ground, at| {
        one(Message::Ticket(own_ticket(ground, FLOODER, at)))
    })
    .from(STRANGER)
    .impossible(),
    // Step 1.
    case("beacon share of another member", |ground, at| {
        one(Message::BeaconShare(ground.share(OTHER, at.round)))
    })
    .spoilt(0)
    .impossible(),
    case("beacon share, wrong", |ground, at| one(Message::BeaconShare(ground.share(FLOODER, at.round))))
        .spoilt(0),
    case("beacon share of the next round, wrong", |ground, at| {
        one(Message::BeaconShare(ground.share(FLOODER, at.round.next())))
    })
    .spoilt(0),
    case("beacon share, genuine, again", |ground, at| {
        one(Message::BeaconShare(ground.share(FLOODER, at.round)))
    }),
    // Step 2.
    case("proposal of another member", |ground, at| {
        one(proposal(ground, at, 0, |block| block.generator = OTHER))
    })
    .spoilt(0)
    .impossible(),
    case("proposal of another member, 1 MiB", |ground, at| {
        one(proposal(ground, at, MAX_PAYLOAD_BYTES, |block| block.generator = OTHER))
    })
    .spoilt(0)
    .impossible(),
    case("proposal, wrong signature", |ground, at| one(proposal(ground, at, 0, |_| {}))).spoilt(0),
    case("proposal of 1 MiB, wrong signature", |ground, at| {
        one(proposal(ground, at, MAX_PAYLOAD_BYTES, |_| {}))
    })
    .spoilt(0),
    case("proposal, forged certificate of its parent", |ground, at| {
        one(proposal(ground, at, 0, |block| {
            let parent = ticket_of(Round(block.round.0 - 1), block.parent);
            block.parent_notarization = Some(ground.forged(parent, MINERS, 67));
        }))
    }),
    case("proposal, certificate of another round", |ground, at| {
        one(proposal(ground, at, 0, |block| block.round = block.round.next()))
    }),
    case("proposal of a subround without its timeout certificate", |ground, at| {
        one(proposal(ground, at, 0, |block| block.subround = Subround(1)))
    }),
    case("proposal, wrong beacon value", |ground, at| {
        one(proposal(ground, at, 0, |block| block.beacon = BeaconValue([9; 32])))
    }),
    case("proposal without a turn", |ground, at| one(proposal(ground, at, 0, |_| {}))),
    case("two proposals", |ground, at| {
        let two = [3, 4].map(|time| proposal(ground, at, 0, |block| block.time.0 = time));
        two.iter().map(wire::encode).collect()
    }),
    // Step 5.
    case("ticket of another member", |ground, at| one(Message::Ticket(own_ticket(ground, OTHER, at))))
        .spoilt(0)
        .impossible(),
    case("ticket, from a sharder", |ground, at| one(Message::Ticket(own_ticket(ground, FLOODER, at))))
        .from(SHARDER)
        .impossible(),
    case("ticket, wrong", |ground, at| one(Message::Ticket(own_ticket(ground, FLOODER, at)))).spoilt(0),
    case("ticket, no point", |ground, at| {
        one(Message::Ticket(Signed { signature: NO_POINT, ..own_ticket(ground, FLOODER, at) }))
    }),
    case("ticket, genuine, again", |ground, at| one(Message::Ticket(own_ticket(ground, FLOODER, at)))),
    case("tickets for 64 blocks, genuine", |ground, at| {
        let block = |i| BlockId([i; 32]);
        let ticket = |i| Message::Ticket(ground.signed(FLOODER, ticket_of(at.round, block(i))));
        (0..64).map(|i| wire::encode(&ticket(i))).collect()
    }),
    case("96-byte ticket of another member", |ground, at| one(uncompressed(own_ticket(ground, OTHER, at))))
        .impossible(),
    case("96-byte ticket, wrong", |ground, at| {
        let other = |i: usize| UncompressedTicket {
            statement: ticket_of(at.round, at.now.block.id()),
            signer: FLOODER,
            signature: UncompressedSignature::new(ground.wrong[i]).expect("a point"),
        };
        (0..64).map(|i| wire::encode(&Message::UncompressedTicket(other(i)))).collect()
    }),
    case("96-byte ticket, off the curve", |ground, at| {
        let mut bytes = wire::encode(&uncompressed(own_ticket(ground, FLOODER, at)));
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        vec![bytes]
    })
    .impossible(),
    // Step 9.
    case("timeout of another member", |ground, at| {
        one(Message::Timeout(ground.signed(OTHER, timeout_of(at.round))))
    })
    .spoilt(0)
    .impossible(),
    case("timeout, wrong", |ground, at| one(Message::Timeout(ground.signed(FLOODER, timeout_of(at.round)))))
        .spoilt(0),
    case("timeout certificate, wrong", |ground, at| {
        one(Message::TimeoutCertificate(ground.forged(timeout_of(at.round), MINERS, 67)))
    })
    .spoilt(0),
    case("timeout certificate of less than a quorum", |ground, at| {
        one(Message::TimeoutCertificate(ground.forged(timeout_of(at.round), MINERS, 66)))
    })
    .impossible(),
    case("timeout certificate, from a sharder", |ground, at| {
        one(Message::TimeoutCertificate(ground.forged(timeout_of(at.round), MINERS, 67)))
    })
    .from(SHARDER)
    .impossible(),
    // Step 8.
    case("finality vote of another member", |ground, at| {
        one(Message::FinalityVote(ground.signed(OTHER, vote_of(at.round, at.now.block.id()))))
    })
    .spoilt(0)
    .impossible(),
    case("finality vote, wrong", |ground, at| {
        one(Message::FinalityVote(ground.signed(FLOODER, vote_of(at.round, at.now.block.id()))))
    })
    .spoilt(0),
    // A wrong one of each in each round, before the others': what a quorum of them is found to contain.
    case("share, ticket and vote of each round, wrong, in time", |ground, at| {
        let mut share = ground.share(FLOODER, at.round);
        let mut ticket = own_ticket(ground, FLOODER, at);
        let mut vote = ground.signed(FLOODER, vote_of(at.round, at.now.block.id()));
        (share.share, ticket.signature, vote.signature) = (ground.wrong[1], ground.wrong[2], ground.wrong[3]);
        let all = [Message::BeaconShare(share), Message::Ticket(ticket), Message::FinalityVote(vote)];
        all.iter().map(wire::encode).collect()
    }),
    // Steps 7 and 10.
    case("notarization, wrong", |ground, at| {
        one(Message::Notarization(ground.forged(ticket_of(at.round, BlockId([3; 32])), MINERS, 67)))
    })
    .spoilt(0),
    case("notarization of a later round, wrong", |ground, at| {
        let round = Round(at.round.0 + 1_000);
        one(Message::Notarization(ground.forged(ticket_of(round, BlockId([3; 32])), MINERS, 67)))
    })
    .spoilt(0),
    case("notarization of less than a quorum", |ground, at| {
        one(Message::Notarization(ground.forged(ticket_of(at.round, BlockId([3; 32])), MINERS, 66)))
    })
    .impossible(),
    case("notarization of another committee", |ground, at| {
        one(Message::Notarization(ground.forged(ticket_of(at.round, BlockId([3; 32])), 99, 67)))
    })
    .impossible(),
    case("notarization, genuine, again", |_, at| match at.before {
        Some(before) => one(Message::Notarization(Arc::clone(&before.notarization))),
        None => Vec::new(),
    }),
    case("finality certificate, wrong", |ground, at| {
        one(Message::FinalityCertificate(ground.forged(vote_of(at.round, at.now.block.id()), MINERS, 67)))
    })
    .spoilt(0),
    case("finality certificate against the chain, wrong", |ground, at| {
        let round = Round(at.round.0 - 1);
        one(Message::FinalityCertificate(ground.forged(vote_of(round, BlockId([4; 32])), MINERS, 67)))
    })
    .spoilt(0),
    case("finality certificate, genuine, again", |_, at| match at.before {
        Some(before) => one(Message::FinalityCertificate(Arc::clone(&before.finality))),
        None => Vec::new(),
    }),
    // S10.
    case("evidence, wrong", |ground, at| {
        let (first, second) = (ticket_of(at.round, BlockId([1; 32])), ticket_of(at.round, BlockId([2; 32])));
        one(tickets_evidence(ground.signed(FLOODER, first), ground.signed(FLOODER, second)))
    })
    .spoilt(0),
    case("evidence that contradicts nothing", |ground, at| {
        let ticket = own_ticket(ground, FLOODER, at);
        one(tickets_evidence(ticket, ticket))
    })
    .impossible(),
    case("evidence of two certificates, wrong", |ground, at| {
        let of = |byte| ground.forged(ticket_of(at.round, BlockId([byte; 32])), MINERS, 67);
        one(Message::Evidence(Arc::new(Evidence::Notarizations { first: of(1), second: of(2) })))
    })
    .spoilt(0),
    case("evidence against itself, genuine, 64 times", |ground, at| {
        let place = |byte| Proposed { round: at.round, subround: Subround(0), block: BlockId([byte; 32]) };
        let signed: Vec<_> = (0..64).map(|byte| ground.signed(FLOODER, place(byte))).collect();
        let pair = |pair: &[Signed<Proposed>]| Evidence::Proposals { first: pair[0], second: pair[1] };
        signed
            .windows(2)
            .map(|two| wire::encode(&Message::Evidence(Arc::new(pair(two).canonical()))))
            .collect()
    }),
    // L4.
    case("chain request", |_, _| one(Message::ChainRequest(ChainRequest { after: Round(1), tip: None }))),
    case("chain request of a sharder for a block that nobody has", |_, _| {
        let tip = Some(BlockId([6; 32]));
        one(Message::ChainRequest(ChainRequest { after: Round(0), tip }))
    })
    .from(SHARDER),
    case("answer that nobody asked for", |ground, at| one(answer(ground, at, 1, 0))).spoilt(1),
    case("answer that nobody asked for, 4 MiB", |ground, at| one(answer(ground, at, 4, MAX_PAYLOAD_BYTES)))
        .spoilt(1),
];

const fn case(name: &'static str, messages: fn(&Ground, At<'_>) -> Vec<Vec<u8>>) -> Case {
    Case { name, from: MEMBER, impossible: false, messages, spoilt: None }
}

impl Case {
    const fn from(mut self, from: Peer) -> Self {
        self.from = from;
        self
    }

    const fn impossible(mut self) -> Self {
        self.impossible = true;
        self
    }

    const fn spoilt(mut self, before_the_end: usize) -> Self {
        self.spoilt = Some(before_the_end);
        self
    }
}
