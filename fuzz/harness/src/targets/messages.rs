//! Target about the wire format from the other side than `decode`: messages that are made here survive it whole, and lists
//! of a length that is not allowed do not.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockContent, BlockId, Closing, Digest, Time};
use zus_bpp::certified::Certified;
use zus_bpp::committee::{ChainId, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::certificate::{Certificate, Signers};
use zus_bpp::crypto::scheme::{BeaconValue, Signature};
use zus_bpp::message::{ChainResponse, Message, Proposal};
use zus_bpp::statement::{FinalityVote, Ticket, Timeout};
use zus_bpp::wire;

use super::codecs::{keeps_promises, neighbours};

/// Blocks of an answer that are read, at most.
const MOST_BLOCKS: usize = 32;

/// See the module doc.
///
/// # Panics
/// When a message comes back as another one, or one that must not be read is.
pub fn messages(bytes: &[u8]) {
    let mut input = [0; 16];
    for (place, byte) in input.iter_mut().zip(bytes.iter().cycle()) {
        *place = *byte;
    }
    let [kind, count, r, s, who, what, bits, ..] = input;
    let (round, subround) = (Round(u64::from(r)), Subround(u32::from(s)));
    let certificate = || {
        let members = (0..8).filter(|i| bits >> i & 1 == 1).map(MinerId);
        let signers = Signers::from_members(9, members).expect("members, each once");
        Certificate { signers, aggregate: Signature([what; 48]) }
    };
    let block = BlockId([who; 32]);
    let notarization =
        || Arc::new(Certified { statement: Ticket { round, subround, block }, certificate: certificate() });
    let vote = FinalityVote { round, subround, block };
    let finality = || Arc::new(Certified { statement: vote, certificate: certificate() });
    let make = |parent: bool| {
        Arc::new(Block::new(BlockContent {
            chain: ChainId([1; 32]),
            epoch: Epoch(u64::from(what)),
            round,
            subround,
            generator: MinerId(u16::from(who)),
            parent: block,
            parent_notarization: parent.then(notarization),
            finality: (kind & 8 == 0).then(finality),
            beacon: BeaconValue([r; 32]),
            beacon_signature: Signature([s; 48]),
            closing: match kind >> 6 {
                0 | 1 => Closing::Open,
                2 => Closing::Closes { record: Digest([s; 32]) },
                _ => Closing::Tail { round, block, record: Digest([s; 32]) },
            },
            items: input[..usize::from(bits) % 8 % (input.len() + 1)].to_vec(),
            payload: input[..usize::from(count) % 16].to_vec(),
            time: Time(u64::from(bits)),
        }))
    };
    let message = if kind & 1 == 0 {
        let timeout = Timeout { round, subround };
        let timeout_certificate =
            (kind & 2 == 0).then(|| Arc::new(Certified { statement: timeout, certificate: certificate() }));
        Message::Proposal(Proposal {
            block: make(kind & 4 == 0),
            timeout_certificate,
            signature: Signature([who; 48]),
        })
    } else {
        let finality = (kind & 2 == 0).then(finality);
        let blocks = vec![make(kind & 4 == 0); usize::from(count) % (MOST_BLOCKS + 3)];
        Message::ChainResponse(Arc::new(ChainResponse { blocks, notarization: notarization(), finality }))
    };
    let readable = match &message {
        Message::ChainResponse(response) => (1..=MOST_BLOCKS).contains(&response.blocks.len()),
        _ => true,
    };
    let encoded = wire::encode(&message);
    let read = wire::decode(&encoded);
    assert_eq!(read.is_ok(), readable, "{read:?} from {message:?}");
    if let Ok(read) = read {
        assert!(read == message, "{read:?} from {message:?}");
        keeps_promises(&read);
        neighbours(&encoded);
    }
}
