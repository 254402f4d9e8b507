//! States as bytes: only the words that a scenario uses, so that a queued state takes 100 to 200 bytes.

use crate::{
    blocks::{MAX_BLOCKS, MAX_SUBROUNDS},
    protocol::Protocol,
    state::{Archive, BlockTally, Environment, Miner, State, TimeoutTally},
};

/// Which words a scenario uses.
#[derive(Clone, Debug)]
pub struct Codec {
    honest: usize,
    blocks: usize,
    rounds: usize,
    subrounds: usize,
    archive: bool,
    environment: bool,
    /// Bytes of one packed state.
    pub bytes: usize,
}

impl Codec {
    /// The codec of `protocol`.
    pub fn new(protocol: &Protocol) -> Self {
        let mut codec = Codec {
            honest: protocol.honest(),
            blocks: protocol.blocks.len(),
            rounds: protocol.blocks.rounds as usize,
            subrounds: protocol.blocks.subrounds as usize,
            archive: protocol.keeps_archive(),
            environment: true,
            bytes: 0,
        };
        let mut bytes = Vec::new();
        codec.pack(&protocol.initial(), &mut bytes);
        codec.bytes = bytes.len();
        codec
    }

    /// Appends the packed `state`.
    #[inline]
    pub fn pack(&self, state: &State, out: &mut Vec<u8>) {
        for miner in &state.miners[..self.honest] {
            out.extend_from_slice(&miner.0.to_le_bytes());
        }
        for block in &state.blocks[..self.blocks] {
            out.extend_from_slice(&block.0.to_le_bytes()[..3]);
        }
        for presence in state.presence[..self.blocks].iter().chain([&state.presence[MAX_BLOCKS]]) {
            out.extend_from_slice(&presence.to_le_bytes()[..self.subrounds]);
        }
        for round in 0..self.rounds {
            for tally in &state.timeouts[round * MAX_SUBROUNDS..][..self.subrounds] {
                out.extend_from_slice(&tally.0.to_le_bytes());
            }
        }
        if self.environment {
            out.extend_from_slice(&(state.environment.0 as u32).to_le_bytes());
        }
        if self.archive {
            for archive in &state.archive[..self.honest] {
                for round in 0..self.rounds {
                    out.extend_from_slice(&archive.tickets[round].to_le_bytes());
                    out.extend_from_slice(&archive.votes[round].to_le_bytes());
                    out.push(archive.timeouts[round]);
                }
            }
        }
    }

    /// The state that was packed into `bytes`, which must be of this codec's length.
    #[inline]
    pub fn unpack(&self, bytes: &[u8]) -> State {
        let mut reader = Reader { bytes };
        let mut state = State::empty();
        for miner in &mut state.miners[..self.honest] {
            *miner = Miner(reader.word(8));
        }
        for block in &mut state.blocks[..self.blocks] {
            *block = BlockTally(reader.word(3) as u32);
        }
        for presence in &mut state.presence[..self.blocks] {
            *presence = reader.word(self.subrounds) as u32;
        }
        state.presence[MAX_BLOCKS] = reader.word(self.subrounds) as u32;
        for round in 0..self.rounds {
            for tally in &mut state.timeouts[round * MAX_SUBROUNDS..][..self.subrounds] {
                *tally = TimeoutTally(reader.word(2) as u16);
            }
        }
        state.environment = Environment(reader.word(4));
        if self.archive {
            for miner in 0..self.honest {
                let mut archive = Archive::default();
                for round in 0..self.rounds {
                    archive.tickets[round] = reader.word(2) as u16;
                    archive.votes[round] = reader.word(2) as u16;
                    archive.timeouts[round] = reader.word(1) as u8;
                }
                state.archive[miner] = archive;
            }
        }
        state
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    #[inline]
    fn word(&mut self, width: usize) -> u64 {
        let (word, rest) = self.bytes.split_at(width);
        self.bytes = rest;
        let mut bytes = [0; 8];
        bytes[..width].copy_from_slice(word);
        u64::from_le_bytes(bytes)
    }
}
