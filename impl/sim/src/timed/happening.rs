//! The events of a world in virtual time.

use zus_bpp::committee::{MinerId, Peer};
use zus_bpp::message::Message;
use zus_bpp::miner::{Timer, WriteId};
use zus_bpp::sharder::SharderTimer;

use super::Disturbance;

/// Something that will happen.
pub enum Happening {
    Message { from: Peer, to: Peer, message: Message },
    Bytes { from: Peer, to: Peer, bytes: Vec<u8> },
    MinerTimer { miner: MinerId, life: u32, timer: Timer },
    Flushed { miner: MinerId, life: u32, write: WriteId },
    Stored { miner: MinerId, life: u32, write: WriteId },
    SharderTimer { sharder: usize, timer: SharderTimer },
    Disturbance(Disturbance),
}
