//! A state as a reader of PROTOCOL.md would write it down.

use crate::{
    blocks::{BlockId, GENESIS},
    properties::{Facts, Property},
    protocol::{Network, Protocol},
    state::State,
};
use serde::{Deserialize, Serialize};

/// The description of one subject of a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Of whom or what.
    pub subject: String,
    /// The parts of the description; none of them when there is nothing to say any more.
    pub parts: Vec<String>,
}

impl Protocol {
    /// The place of each miner, the messages sent, and the properties shown; one line for each.
    pub fn describe(&self, state: &State) -> String {
        let lines = self.described(state);
        lines.iter().map(|l| format!("{}: {}", l.subject, l.parts.join(", "))).collect::<Vec<_>>().join("\n")
    }

    /// The same as data, subject by subject.
    pub fn described(&self, state: &State) -> Vec<Line> {
        let mut lines: Vec<Line> = (0..self.honest()).map(|m| self.describe_miner(state, m)).collect();
        let sent = self.blocks.all().filter(|&b| state.block(b).parent() != 0);
        lines.extend(sent.map(|block| self.describe_block(state, block)));
        let mut say = |subject: String, parts: Vec<String>| lines.push(Line { subject, parts });
        for round in 1..=self.blocks.rounds {
            for subround in 0..self.blocks.subrounds {
                let tally = state.timeout(round, subround);
                if tally.honest() + tally.byzantine() > 0 {
                    let mut parts = vec![self.count(tally.honest(), tally.byzantine())];
                    if self.timeout_certified(state, round, subround) {
                        parts.push("certified".into());
                    }
                    say(format!("timeouts of ({round}, {subround})"), parts);
                }
            }
        }
        for observer in 0..self.observers.max(state.observers_used()) {
            let head = self.name(state.head(observer));
            say(format!("observer {observer}"), vec![format!("has finalized {head}")]);
        }
        if state.environment.crashes() > 0 {
            say("crashes".into(), vec![format!("{} of {}", state.environment.crashes(), self.crashes)]);
        }
        if state.environment.synchronous() == 1 {
            say("network".into(), vec!["synchronous".into()]);
        } else if self.network == Network::PartiallySynchronous {
            say("network".into(), vec!["not synchronous yet".into()]);
        }
        let all: Facts = Property::ALL.iter().copied().collect();
        for property in self.facts(state, all).iter() {
            let what = if property.is_witness() { "reached" } else { "violated" };
            let why = self.explain(state, property).unwrap_or_default();
            let why = why.strip_prefix(&format!("{}: ", property.id())).unwrap_or(&why).to_owned();
            say(format!("{what} {}", property.id()), vec![why]);
        }
        lines
    }

    fn describe_miner(&self, state: &State, miner: usize) -> Line {
        let m = &state.miners[miner];
        let mut parts = vec![self.position_of(state, miner)];
        let entry = state.entry(&self.blocks, miner);
        if entry != GENESIS {
            parts.push(format!("entered through {}", self.name(entry)));
        }
        let ticketed: Vec<BlockId> = self
            .blocks
            .of_round(m.round() as u8)
            .filter(|&b| m.tickets() >> self.blocks.place(b).local & 1 == 1)
            .collect();
        if !ticketed.is_empty() {
            parts.push(format!("ticketed {}", self.names(&ticketed)));
        }
        let at = |position: u32| self.name(self.blocks.at(m.round() as u8, position as u8 - 1));
        if m.unsent() != 0 {
            parts.push(format!("has not sent its ticket for {}", at(m.unsent())));
        }
        if m.selected() != 0 {
            parts.push(format!("selected {}", at(m.selected())));
        }
        for (is, words) in [
            (m.timed_out(), "timed out"),
            (m.crashed(), "down"),
            (m.voted(), "voted without leaving"),
            (m.deceived(), "believes an unverified seed"),
            (m.recovered(), "restarted here"),
            (m.shared(), "sent its beacon share"),
        ] {
            if is == 1 {
                parts.push(words.into());
            }
        }
        Line { subject: self.miner_name(miner), parts }
    }

    fn describe_block(&self, state: &State, block: BlockId) -> Line {
        let tally = state.block(block);
        let parent = state.parent(&self.blocks, block).map_or("nothing".into(), |p| self.name(p));
        let tickets = self.count(tally.tickets(), tally.byzantine_tickets());
        let mut parts = vec![format!("on {parent}"), format!("tickets {tickets}")];
        if self.rules.votes() {
            parts.push(format!("votes {}", self.count(tally.votes(), tally.byzantine_votes())));
        }
        if self.notarized(state, block) {
            parts.push("notarized".into());
        }
        if self.finalizable(state, block) {
            parts.push("final".into());
        }
        Line { subject: self.name(block), parts }
    }

    /// How many honest and Byzantine members sent something, of the quorum.
    fn count(&self, honest: u32, byzantine: u32) -> String {
        let quorum = self.committee.quorum;
        match self.byzantine_signers(byzantine) {
            0 => format!("{honest} of {quorum}"),
            byzantine => format!("{honest} + {byzantine} Byzantine of {quorum}"),
        }
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
