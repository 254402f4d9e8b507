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
            bytes: size_of::<State>(),
        };
        let mut bytes = Vec::new();
        codec.pack(&protocol.initial(), &mut bytes);
        codec.bytes = bytes.len();
        codec
    }

    /// Appends the packed `state`.
    #[inline]
    pub fn pack(&self, state: &State, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + self.bytes + SPILL, 0);
        let mut writer = Writer { bytes: &mut out[start..], at: 0 };
        for miner in &state.miners[..self.honest] {
            writer.word(miner.0, 8);
        }
        for block in &state.blocks[..self.blocks] {
            writer.word(block.0.into(), 3);
        }
        for presence in &state.presence[..self.blocks] {
            writer.word((*presence).into(), self.subrounds);
        }
        writer.word(state.presence[MAX_BLOCKS].into(), self.subrounds);
        for round in 0..self.rounds {
            for tally in &state.timeouts[round * MAX_SUBROUNDS..][..self.subrounds] {
                writer.word(tally.0.into(), 2);
            }
        }
        writer.word(state.environment.0, 4);
        if self.archive {
            for archive in &state.archive[..self.honest] {
                for round in 0..self.rounds {
                    writer.word(archive.tickets[round].into(), 2);
                    writer.word(archive.votes[round].into(), 2);
                    writer.word(archive.timeouts[round].into(), 1);
                }
            }
        }
        let end = start + writer.at;
        out.truncate(end);
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

/// Bytes that the last word may spill over its width.
const SPILL: usize = 8;

struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    /// Writes the low `width` bytes of `word`; what it spills is overwritten by the next, or never read.
    #[inline]
    fn word(&mut self, word: u64, width: usize) {
        debug_assert!(width == 8 || word >> (8 * width) == 0, "a field is wider than its {width} bytes");
        self.bytes[self.at..self.at + 8].copy_from_slice(&word.to_le_bytes());
        self.at += width;
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
