//! The event of a step itself, and the proposals that come with it.

use super::{Stage, at};
use crate::draw::scene::Kind;
use zus_checker::{
    action::Action,
    blocks::{BlockId, GENESIS, Generator},
    state::State,
};

impl Stage<'_> {
    /// Blocks that came into the world with this step, where nobody is said to have proposed them.
    pub(super) fn proposals(&mut self, step: usize, before: &State, after: &State, action: &Action) {
        if matches!(action, Action::Propose { .. } | Action::ByzantinePropose { .. }) {
            return;
        }
        for block in self.protocol.blocks.all() {
            if before.block(block).parent() == 0 && after.block(block).parent() != 0 {
                let lane = self.lanes().generator(block);
                let row = self.event(step, lane, Kind::Proposal, format!("block {}", self.name(block)));
                self.proposed(row, after, block);
                let place = self.protocol.blocks.place(block);
                let which = if place.twin == 1 { "the second block" } else { "the block" };
                let parent = after.parent(&self.protocol.blocks, block).unwrap_or(GENESIS);
                let (name, parent) = (self.name(block), self.name(parent));
                let whose = match place.generator {
                    Generator::Honest => format!("the honest generator of rank {}", place.rank),
                    Generator::Byzantine => format!("the Byzantine generator of rank {}", place.rank),
                    Generator::Outsider => "a Byzantine miner that is no generator there".into(),
                };
                let says = format!("{name} is proposed: {which} of {whose}, on {parent}");
                self.about(row, block, says);
            }
        }
    }

    pub(super) fn proposed(&mut self, row: usize, after: &State, block: BlockId) {
        self.sent.proposals[block.index()] = Some(row);
        let parent = after.parent(&self.protocol.blocks, block).filter(|&p| p != GENESIS);
        self.parents[block.index()] = parent;
        self.events[row].block = Some(block.index());
        if let Some(parent) = parent {
            self.used(row, self.sent.notarizations[parent.index()], Kind::Notarization);
        }
    }

    /// The event of the step itself.
    pub(super) fn main(&mut self, step: usize, before: &State, action: &Action, after: &State) -> usize {
        use Action as A;
        let lane = self.lanes().of(action);
        let b = |block: BlockId| block.index();
        match *action {
            A::ShareBeacon { .. } => {
                let row = self.event(step, lane, Kind::Beacon, "beacon share".into());
                self.shared(row, before, lane);
                row
            }
            A::FormBeacon { round } => {
                self.event(step, lane, Kind::Beacon, format!("forms the value of round {round}"))
            }
            A::BelieveSeed { .. } => self.event(step, lane, Kind::Beacon, "believes a claimed seed".into()),
            A::Propose { block, .. } | A::ByzantinePropose { block, .. } => {
                let row = self.event(step, lane, Kind::Proposal, format!("block {}", self.name(block)));
                self.proposed(row, after, block);
                row
            }
            A::Select { block, .. } => {
                let label = format!("selects {}", self.name(block));
                let row = self.event(step, lane, Kind::Selection, label);
                self.events[row].block = Some(b(block));
                self.used(row, self.sent.proposals[b(block)], Kind::Proposal);
                row
            }
            A::Ticket { block, .. } => {
                let logs = self.protocol.writes_before_sending();
                let what = if logs { "logs ticket" } else { "ticket" };
                let row = self.event(step, lane, Kind::Ticket, format!("{what} {}", self.name(block)));
                self.events[row].block = Some(b(block));
                self.used(row, self.sent.proposals[b(block)], Kind::Proposal);
                if !logs {
                    self.sent.tickets[b(block)].push(row);
                }
                row
            }
            A::SendTicket { .. } => {
                let m = &before.miners[lane];
                let block = self.protocol.blocks.at(m.round() as u8, m.unsent() as u8 - 1);
                let label = format!("sends ticket {}", self.name(block));
                let row = self.event(step, lane, Kind::Ticket, label);
                self.events[row].block = Some(b(block));
                self.sent.tickets[b(block)].push(row);
                row
            }
            A::ByzantineTicket { block, .. } => {
                let row = self.event(step, lane, Kind::Ticket, format!("ticket {}", self.name(block)));
                self.events[row].block = Some(b(block));
                self.used(row, self.sent.proposals[b(block)], Kind::Proposal);
                self.sent.tickets[b(block)].push(row);
                row
            }
            A::Notarize { block } => {
                self.byzantine_tickets(step, before, block);
                self.notarization(step, block)
            }
            A::Leave { block, .. }
            | A::TimeoutThenLeave { block, .. }
            | A::LeaveRelabelled { block, .. }
            | A::VoteWithoutLeaving { block, .. } => {
                let votes = after.block(block).votes() > before.block(block).votes();
                let (stays, jumps) = (
                    matches!(action, A::VoteWithoutLeaving { .. }),
                    u32::from(self.protocol.blocks.round(block)) > before.miners[lane].round(),
                );
                let does = if stays {
                    "votes"
                } else if jumps {
                    "jumps"
                } else {
                    "leaves"
                };
                let and = if votes && !stays { ", votes" } else { "" };
                let kind = if stays { Kind::Vote } else { Kind::Leave };
                let row = self.event(step, lane, kind, format!("{does}{and} {}", self.name(block)));
                self.events[row].block = Some(b(block));
                self.used(row, self.sent.notarizations[b(block)], Kind::Notarization);
                if votes {
                    self.sent.votes[b(block)].push(row);
                }
                if matches!(action, A::TimeoutThenLeave { .. }) {
                    let m = &before.miners[lane];
                    self.sent.timeouts[at(m.round() as u8, m.subround() as u8)].push(row);
                }
                row
            }
            A::Adopt { block, .. } => {
                let row = self.event(step, lane, Kind::Adopt, format!("adopts {}", self.name(block)));
                self.about(row, block, String::new());
                let from = if block == GENESIS { None } else { self.sent.notarizations[b(block)] };
                self.used(row, from, Kind::Notarization);
                row
            }
            A::ByzantineVote { block, .. } => {
                let row = self.event(step, lane, Kind::Vote, format!("vote {}", self.name(block)));
                self.events[row].block = Some(b(block));
                self.sent.votes[b(block)].push(row);
                row
            }
            A::Timeout { .. } => self.timeout(step, before, lane),
            A::TimeoutTogether { miners, .. } => {
                for miner in (0..lane).filter(|m| miners >> m & 1 == 1) {
                    self.timeout(step, before, miner);
                }
                self.timeout(step, before, lane)
            }
            A::ByzantineTimeout { round, subround, .. } => {
                let row = self.event(step, lane, Kind::Timeout, format!("timeout ({round}, {subround})"));
                self.sent.timeouts[at(round, subround)].push(row);
                row
            }
            A::EnterSubround { subround, .. } => {
                let round = before.miners[lane].round() as u8;
                let label = format!("enters ({round}, {subround})");
                let row = self.event(step, lane, Kind::EnterSubround, label);
                let from = subround.checked_sub(1).and_then(|s| self.sent.timeout_certificates[at(round, s)]);
                self.used(row, from, Kind::TimeoutCertificate);
                row
            }
            A::Finalize { block, .. } => {
                let row = self.event(step, lane, Kind::Finalize, format!("finalizes {}", self.name(block)));
                self.events[row].block = Some(b(block));
                if let Some(depth) = self.protocol.rules.finality.depth() {
                    let tip = self.protocol.tip_above(before, block, depth);
                    let from = tip.and_then(|tip| self.sent.notarizations[b(tip)]);
                    self.used(row, from, Kind::Notarization);
                } else {
                    self.used(row, self.sent.finality[b(block)], Kind::FinalityCertificate);
                }
                row
            }
            A::Crash { .. } => self.event(step, lane, Kind::Crash, "crashes".into()),
            A::Restart { .. } => self.event(step, lane, Kind::Restart, "restarts".into()),
            A::RestartBehind { .. } => self.event(step, lane, Kind::Restart, "restarts in (1, 0)".into()),
            A::Synchronize => self.event(step, lane, Kind::Network, "the network is synchronous".into()),
        }
    }

    pub(super) fn timeout(&mut self, step: usize, before: &State, miner: usize) -> usize {
        let m = &before.miners[miner];
        let (round, subround) = (m.round() as u8, m.subround() as u8);
        let local = self.protocol.rules.enters_alone();
        let next = if local { ", enters the next" } else { "" };
        let row = self.event(step, miner, Kind::Timeout, format!("times out of ({round}, {subround}){next}"));
        self.events[row].says = format!("{} times out", self.protocol.miner_name(miner));
        self.sent.timeouts[at(round, subround)].push(row);
        row
    }
}
