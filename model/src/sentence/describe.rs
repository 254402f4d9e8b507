//! A state as a reader of protocol.md would write it down, and an action without the state that it happens in.

use crate::{
    action::Action,
    blocks::{BlockId, GENESIS},
    properties::{Facts, Property},
    protocol::{Network, Protocol},
    report::mermaid::drawn,
    state::State,
};
use std::fmt::Write;

impl Protocol {
    /// Who is where, what has been sent, and what the state shows; one line for each.
    pub fn describe(&self, state: &State) -> String {
        let mut out = String::new();
        for miner in 0..self.honest() {
            let _ = writeln!(out, "{}", self.describe_miner(state, miner));
        }
        for block in self.blocks.all().filter(|&b| state.block(b).parent() != 0) {
            let _ = writeln!(out, "{}", self.describe_block(state, block));
        }
        for round in 1..=self.blocks.rounds {
            for subround in 0..self.blocks.subrounds {
                let tally = state.timeout(round, subround);
                if tally.honest() + tally.byzantine() > 0 {
                    let sent = self.count(tally.honest(), tally.byzantine());
                    let certified =
                        if self.timeout_certified(state, round, subround) { ", certified" } else { "" };
                    let _ = writeln!(out, "timeouts of ({round}, {subround}): {sent}{certified}");
                }
            }
        }
        for observer in 0..self.observers {
            let _ = writeln!(out, "observer {observer} has finalized {}", self.name(state.head(observer)));
        }
        if state.environment.crashes() > 0 {
            let _ = writeln!(out, "crashes: {} of {}", state.environment.crashes(), self.crashes);
        }
        if state.environment.synchronous() == 1 {
            out.push_str("the network is synchronous\n");
        } else if self.network == Network::PartiallySynchronous {
            out.push_str("the network is not synchronous yet\n");
        }
        let all: Facts = Property::ALL.iter().copied().collect();
        for property in self.facts(state, all).iter() {
            let what = if property.is_witness() { "reached" } else { "violated" };
            let _ = writeln!(out, "{what}: {}", self.explain(state, property).unwrap_or_default());
        }
        out.truncate(out.trim_end().len());
        out
    }

    fn describe_miner(&self, state: &State, miner: usize) -> String {
        let m = &state.miners[miner];
        let mut line = format!("{}: {}", self.miner_name(miner), self.position_of(state, miner));
        let entry = state.entry(&self.blocks, miner);
        if entry != GENESIS {
            let _ = write!(line, ", entered through {}", self.name(entry));
        }
        let ticketed: Vec<BlockId> = self
            .blocks
            .of_round(m.round() as u8)
            .filter(|&b| m.tickets() >> self.blocks.place(b).local & 1 == 1)
            .collect();
        if !ticketed.is_empty() {
            let _ = write!(line, ", ticketed {}", self.names(&ticketed));
        }
        let at = |position: u32| self.name(self.blocks.at(m.round() as u8, position as u8 - 1));
        if m.unsent() != 0 {
            let _ = write!(line, ", has not sent its ticket for {}", at(m.unsent()));
        }
        if m.selected() != 0 {
            let _ = write!(line, ", selected {}", at(m.selected()));
        }
        for (is, words) in [
            (m.timed_out(), ", timed out"),
            (m.crashed(), ", down"),
            (m.voted(), ", voted without leaving"),
            (m.deceived(), ", believes an unverified seed"),
            (m.recovered(), ", restarted here"),
            (m.shared(), ", sent its beacon share"),
        ] {
            line.push_str(if is == 1 { words } else { "" });
        }
        line
    }

    fn describe_block(&self, state: &State, block: BlockId) -> String {
        let tally = state.block(block);
        let parent = state.parent(&self.blocks, block).map_or("nothing".into(), |p| self.name(p));
        let tickets = self.count(tally.tickets(), tally.byzantine_tickets());
        let mut line = format!("{} on {parent}: tickets {tickets}", self.name(block));
        if self.rules.votes() {
            let _ = write!(line, ", votes {}", self.count(tally.votes(), tally.byzantine_votes()));
        }
        if self.notarized(state, block) {
            line.push_str(", notarized");
        }
        if self.finalizable(state, block) {
            line.push_str(", final");
        }
        line
    }

    /// How many honest and Byzantine members sent something, of the quorum.
    fn count(&self, honest: u32, byzantine: u32) -> String {
        let quorum = self.committee.quorum;
        match self.byzantine_signers(byzantine) {
            0 => format!("{honest} of {quorum}"),
            byzantine => format!("{honest} + {byzantine} Byzantine of {quorum}"),
        }
    }

    /// An action in a few words, without the state that it happens in.
    pub fn title(&self, action: &Action) -> String {
        let (who, _, what) = drawn(self, action);
        let names: Vec<String> = who.iter().map(|&index| self.participant(index)).collect();
        if names.is_empty() { what } else { format!("{}: {what}", names.join(", ")) }
    }

    /// A participant by its number: honest miners, Byzantine ones, observers.
    pub fn participant(&self, index: usize) -> String {
        let (honest, byzantine) = (self.honest(), self.committee.byzantine as usize);
        if index < honest {
            self.miner_name(index)
        } else if index < honest + byzantine {
            format!("Byzantine miner {}", index - honest)
        } else {
            format!("observer {}", index - honest - byzantine)
        }
    }
}
