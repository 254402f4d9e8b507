//! The surroundings of a miner: what disk and application do about an output, and what is left to links and time.

use std::sync::Arc;

use zus_bpp::block::{Block, BlockId, Time};
use zus_bpp::chain::{FinalBlock, StoredBlock, respond_within};
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::evidence::Evidence;
use zus_bpp::limits::MAX_CHAIN_BLOCKS;
use zus_bpp::message::Message;
use zus_bpp::miner::{Audience, Input, Milestone, Output, Refusal, Timer, WriteId};
use zus_bpp::ticket_log::{AppendError, Conflict, LogRecord, TicketLog};

use crate::disk::Disk;

/// The application of a member.
pub trait Answers {
    /// The payload of the own block of a position on top of `parent`; `None`: it does not answer.
    fn payload(&mut self, round: Round, subround: Subround, parent: &Arc<Block>) -> Option<Vec<u8>>;
    /// Whether it accepts a block.
    fn accepts(&mut self, block: &Block) -> bool;
    /// Commits a final block.
    fn commit(&mut self, block: &Block);
}

/// The rest to do about an output, once disk and application have done their part.
#[derive(Debug)]
pub enum Effect {
    /// A message leaves for one peer.
    Send(Peer, Message),
    /// A message leaves for many.
    Broadcast(Audience, Message),
    /// The miner wants to be woken at a time of its own clock.
    Timer(Timer, Time),
    /// A record is appended; a flush is to confirm it.
    LogRecord(WriteId, LogRecord),
    /// The log refuses a record: its signature never leaves.
    Refused(LogRecord, AppendError),
    /// An item is on its way to the other storage, which is to confirm it.
    Store(WriteId),
    /// Disk or application answer.
    Answer(Input),
    /// A block was asked for that the disk does not have.
    Missing(BlockId),
    /// A block is final, and was committed.
    Final(FinalBlock),
    /// Something for an observer.
    Seen(Seen),
    /// Nothing.
    Nothing,
}

/// The news for an observer of a miner beside messages and final blocks.
#[derive(Debug)]
pub enum Seen {
    /// A step of the protocol.
    Milestone(Milestone),
    /// Proof of an offence.
    Evidence(Arc<Evidence>),
    /// A message was refused.
    Refused(Peer, Refusal),
    /// A held signature turned out wrong.
    Blamed(MinerId),
    /// Another block is claimed to be final.
    Conflict(Round, BlockId),
    /// The miner was about to sign against its log.
    Withheld(Conflict),
}

/// Carries one output out as far as disk and application go. Every kind of output is named here.
pub fn carry_out(disk: &mut Disk, application: &mut impl Answers, output: Output) -> Effect {
    match output {
        Output::Send { to, message } => Effect::Send(to, message),
        Output::Broadcast { to, message } => Effect::Broadcast(to, message),
        Output::SetTimer { timer, at } => Effect::Timer(timer, at),
        Output::Persist { write, record } => match disk.log.append(record) {
            Ok(_) => Effect::LogRecord(write, record),
            Err(error) => Effect::Refused(record, error),
        },
        Output::Store { write, stored } => {
            disk.store(write, stored);
            Effect::Store(write)
        }
        Output::RequestPayload { round, subround, parent } => {
            let payload = application.payload(round, subround, &parent);
            payload.map_or(Effect::Nothing, |payload| {
                Effect::Answer(Input::Payload { round, subround, payload, items: Vec::new(), record: None })
            })
        }
        Output::Validate { block } => {
            let accepted = application.accepts(&block);
            Effect::Answer(Input::Validated { round: block.round(), block: block.id(), accepted })
        }
        Output::Load { block, .. } => {
            disk.load(&block).map_or(Effect::Missing(block), |block| Effect::Answer(Input::Loaded(block)))
        }
        Output::Serve { to, after, bytes } => {
            let first = disk.history.partition_point(|known| known.block.round() <= after);
            let path = disk.history[first..].iter().take(MAX_CHAIN_BLOCKS + 1).cloned();
            answer(to, path.collect(), bytes)
        }
        Output::ServeStored { to, blocks, bytes } => {
            let whole = |known: StoredBlock| {
                let block = known.whole.or_else(|| disk.load(&known.block))?;
                Some(FinalBlock { block, notarization: known.notarization })
            };
            answer(to, blocks.into_iter().map_while(whole).collect(), bytes)
        }
        Output::Finalized(found) => {
            application.commit(&found.block);
            disk.commit(found.clone());
            Effect::Final(found)
        }
        Output::Milestone(milestone) => Effect::Seen(Seen::Milestone(milestone)),
        Output::Evidence(evidence) => Effect::Seen(Seen::Evidence(evidence)),
        Output::Refused { from, refusal } => Effect::Seen(Seen::Refused(from, refusal)),
        Output::Blamed(signer) => Effect::Seen(Seen::Blamed(signer)),
        Output::Conflict { round, block } => Effect::Seen(Seen::Conflict(round, block)),
        Output::Withheld(conflict) => Effect::Seen(Seen::Withheld(conflict)),
        // Across epochs a replica takes it.
        Output::HandedOver(_) => Effect::Nothing,
    }
}

fn answer(to: Peer, path: Vec<FinalBlock>, bytes: usize) -> Effect {
    respond_within(path, bytes)
        .map_or(Effect::Nothing, |response| Effect::Send(to, Message::ChainResponse(Arc::new(response))))
}
