//! Results of the messages of several miners: notarizations, timeout and finality certificates, beacon values.

use super::{Stage, at};
use crate::draw::scene::Kind;
use zus_checker::{action::Action, blocks::BlockId, state::State};

impl Stage<'_> {
    pub(super) fn notarization(&mut self, step: usize, block: BlockId) -> usize {
        let name = self.name(block);
        let row = self.event(step, self.network(), Kind::Notarization, format!("notarized {name}"));
        let tickets = self.sent.tickets[block.index()].clone();
        let quorum = self.protocol.committee.quorum;
        self.about(row, block, format!("{name} is notarized: q = {quorum} tickets exist"));
        for ticket in tickets {
            self.used(row, Some(ticket), Kind::Ticket);
        }
        self.sent.notarizations[block.index()] = Some(row);
        row
    }

    /// The tickets of Byzantine miners that the notarization of `block` needs.
    pub(super) fn byzantine_tickets(&mut self, step: usize, state: &State, block: BlockId) {
        let (have, label) = (state.block(block).tickets(), format!("ticket {}", self.name(block)));
        for row in self.byzantine_messages(step, have, Kind::Ticket, &label) {
            self.events[row].block = Some(block.index());
            self.used(row, self.sent.proposals[block.index()], Kind::Proposal);
            self.sent.tickets[block.index()].push(row);
        }
    }

    /// As many messages of Byzantine miners as a certificate still needs.
    pub(super) fn byzantine_messages(
        &mut self,
        step: usize,
        have: u32,
        kind: Kind,
        label: &str,
    ) -> Vec<usize> {
        let committee = &self.protocol.committee;
        if !self.protocol.reductions.byzantine_available {
            return Vec::new();
        }
        let needed = committee.quorum.saturating_sub(have).min(committee.byzantine);
        (0..needed)
            .map(|number| {
                let lane = self.lanes().byzantine(number);
                let row = self.event(step, lane, kind, label.into());
                self.events[row].says = format!("Byzantine miner {number} sends a {label}");
                row
            })
            .collect()
    }

    /// Certificates that this step completed.
    pub(super) fn certificates(&mut self, step: usize, before: &State, after: &State, action: &Action) {
        let p = self.protocol;
        for block in p.blocks.all() {
            let new = p.notarized(after, block) && !p.notarized(before, block);
            if new && !matches!(action, Action::Notarize { .. }) {
                self.byzantine_tickets(step, after, block);
                self.notarization(step, block);
            }
        }
        for round in 1..=p.blocks.rounds {
            for subround in 0..p.blocks.subrounds {
                let local = p.rules.enters_alone();
                let certified = |state| p.timeout_certified(state, round, subround);
                if local || !certified(after) || certified(before) {
                    continue;
                }
                let have = after.timeout(round, subround).honest();
                let label = format!("timeout of ({round}, {subround})");
                let rows = self.byzantine_messages(step, have, Kind::Timeout, &label);
                self.sent.timeouts[at(round, subround)].extend(rows);
                let label = format!("timeout certificate ({round}, {subround})");
                let row = self.event(step, self.network(), Kind::TimeoutCertificate, label);
                self.events[row].says =
                    format!("q = {} timeouts of ({round}, {subround}) exist", p.committee.quorum);
                for timeout in self.sent.timeouts[at(round, subround)].clone() {
                    self.used(row, Some(timeout), Kind::Timeout);
                }
                self.sent.timeout_certificates[at(round, subround)] = Some(row);
            }
        }
        if !p.rules.votes() {
            return;
        }
        for block in p.blocks.all() {
            if p.finalizable(after, block) && !p.finalizable(before, block) {
                let label = format!("vote {}", self.name(block));
                let have = after.block(block).votes();
                for row in self.byzantine_messages(step, have, Kind::Vote, &label) {
                    self.events[row].block = Some(block.index());
                    self.sent.votes[block.index()].push(row);
                }
                let name = self.name(block);
                let row =
                    self.event(step, self.network(), Kind::FinalityCertificate, format!("final {name}"));
                let quorum = p.committee.quorum;
                self.about(row, block, format!("{name} is final: q = {quorum} finality votes exist"));
                for vote in self.sent.votes[block.index()].clone() {
                    self.used(row, Some(vote), Kind::Vote);
                }
                self.sent.finality[block.index()] = Some(row);
            }
        }
    }

    /// Notes that the share of `miner` for where it is leaves with event `row`.
    pub(super) fn shared(&mut self, row: usize, state: &State, miner: usize) {
        let m = &state.miners[miner];
        let chained = self.protocol.rules.chained();
        let subround = if chained { m.subround() } else { 0 };
        if chained || m.subround() == 0 {
            let key = (m.round(), subround, self.protocol.seed_of_miner(state, miner));
            self.sent.entries.entry(key).or_default().push(row);
        }
    }

    /// Values of the beacon that somebody can know from now on.
    pub(super) fn beacons(&mut self, step: usize, state: &State) {
        let p = self.protocol;
        for miner in 0..p.honest() {
            let m = &state.miners[miner];
            if m.round() as u8 > p.blocks.rounds || !p.beacon_known(state, miner) {
                continue;
            }
            let (round, seed) = (m.round(), p.seed_of_miner(state, miner));
            let subround = if p.rules.chained() { m.subround() } else { 0 };
            if self.known_beacons.contains(&(round, subround, seed)) {
                continue;
            }
            self.known_beacons.push((round, subround, seed));
            let (label, after) = if p.rules.chained() {
                let entry = self.name(state.entry(&p.blocks, miner));
                (format!("beacon on {entry}"), format!(" of ({round}, {subround}), chained to {entry}"))
            } else {
                (format!("beacon of round {round}"), format!(" of round {round}"))
            };
            let row = self.event(step, self.network(), Kind::Beacon, label);
            let threshold = p.committee.beacon_threshold;
            self.events[row].says =
                format!("the beacon value{after} can be known: {threshold} shares of it exist");
            for entry in self.sent.entries.get(&(round, subround, seed)).cloned().unwrap_or_default() {
                self.used(row, Some(entry), Kind::Beacon);
            }
        }
    }
}
