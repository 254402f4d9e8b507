//! Why a run of the good period is stuck: which miners, where, and what each of them lacks (L1 to L5).

use super::list;
use crate::{
    blocks::{BlockId, Generator},
    fault::Fault,
    properties::Property,
    protocol::Protocol,
    rules::{EchoRule, SubroundEntryRule},
    state::State,
};

impl Protocol {
    /// The progress that a quiescent state never makes, and the needs of each miner that is stuck there.
    pub(super) fn explain_stall(&self, state: &State, property: Property) -> Option<String> {
        let all: Vec<usize> = (0..self.honest()).collect();
        let round_of = |m: usize| state.miners[m].round();
        match property {
            Property::L1 => {
                let known = |b: BlockId| {
                    self.public_notarization(state, b) || self.notarized(state, b) && self.adopted(state, b)
                };
                let round = (1..=self.blocks.rounds).find(|&r| !self.blocks.of_round(r).any(known))?;
                Some(format!("round {round} never gets a notarization; {}", self.stuck(state, &all)))
            }
            Property::L2 => {
                let since = state.environment.stable_since();
                Some(format!(
                    "no block above round {since}, the highest when the network became synchronous, becomes final \
                     for every observer; {}; {}",
                    self.closest_to_final(state, since as u8),
                    self.stuck(state, &all)
                ))
            }
            Property::L3 => Some(format!("honest miners stay apart; {}", self.stuck(state, &all))),
            Property::L4 => {
                let first = all.iter().map(|&m| round_of(m)).max()?;
                let (behind, ahead): (Vec<usize>, Vec<usize>) =
                    all.into_iter().partition(|&m| round_of(m) < first);
                let ahead: Vec<String> = ahead.iter().map(|&m| self.miner_name(m)).collect();
                let ahead = format!("{} reached round {first}", list(&ahead));
                Some(format!("not everyone catches up: {ahead}; {}", self.stuck(state, &behind)))
            }
            Property::L5 => {
                let has = |b: BlockId| {
                    self.blocks
                        .all()
                        .any(|h| self.public_final(state, h) && state.descends(&self.blocks, h, b))
                };
                let known = |b: BlockId| self.rules.votes() || self.adopted(state, b);
                let missed =
                    self.blocks.all().find(|&b| self.finalizable(state, b) && known(b) && !has(b))?;
                let relayed = match self.rules.echo {
                    EchoRule::None => ", and nothing is relayed",
                    EchoRule::Certificates if self.has(Fault::NotarizationsNotRelayed) => {
                        ", and notarizations are not relayed"
                    }
                    EchoRule::Certificates => "",
                };
                Some(format!(
                    "{} is final for an observer that got the last signature from a Byzantine miner{relayed}; \
                     another sharder never gets it",
                    self.name(missed)
                ))
            }
            _ => None,
        }
    }

    /// Each of `miners`, where it stays and what it lacks; miners that lack the same are named together.
    fn stuck(&self, state: &State, miners: &[usize]) -> String {
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for &miner in miners {
            let lack = self.lack(state, miner);
            match groups.iter_mut().find(|(of, _)| *of == lack) {
                Some((_, names)) => names.push(self.miner_name(miner)),
                None => groups.push((lack, vec![self.miner_name(miner)])),
            }
        }
        let each: Vec<String> =
            groups.iter().map(|(lack, names)| format!("{} {lack}", list(names))).collect();
        each.join("; ")
    }

    /// Why an honest miner does not move any more.
    fn lack(&self, state: &State, miner: usize) -> String {
        let m = &state.miners[miner];
        if m.round() as u8 > self.blocks.rounds {
            return "left the last round".into();
        }
        let (round, subround) = (m.round() as u8, m.subround() as u8);
        let mut lacks = vec![self.no_ticket(state, miner)];
        if let Some(withheld) = self.withheld(state, round) {
            lacks.push(withheld);
        }
        lacks.push(self.no_subround(state, miner));
        format!("stuck in ({round}, {subround}) ({})", lacks.join("; "))
    }

    /// Why the miner signs no ticket.
    fn no_ticket(&self, state: &State, miner: usize) -> String {
        let m = &state.miners[miner];
        let (round, subround) = (m.round() as u8, m.subround() as u8);
        let here = m.tickets() as u16 & self.blocks.mask(round, subround);
        if here != 0 {
            let block = self.blocks.at(round, here.trailing_zeros() as u8);
            let lacking = if self.genuinely_notarizable(state, block) {
                "which has a quorum of tickets and is not recorded as notarized"
            } else {
                "which has too few tickets"
            };
            return format!("ticketed {}, {lacking}", self.name(block));
        }
        if m.spent() == 1 {
            return "ticketed a block that has too few tickets".into();
        }
        if m.timed_out() == 1 {
            return "timed out, so signs no ticket here".into();
        }
        if m.deceived() == 1 {
            return "believes an unverified seed, so accepts no eligible generator".into();
        }
        let (shares, threshold) = (self.honest_shares(state, miner), self.committee.beacon_threshold);
        if shares < threshold {
            let seed = if self.rules.chained() { ", for its seed" } else { "" };
            return format!("holds {shares} of {threshold} beacon shares of honest miners{seed}");
        }
        let honest = |b: BlockId| self.blocks.place(b).generator == Generator::Honest;
        if !self.blocks.of_subround(round, subround).any(honest) {
            return "no generator here is honest".into();
        }
        let seed = if self.rules.chained() { " under its seed" } else { "" };
        format!("no block of an honest generator{seed} has to reach it")
    }

    /// A notarization of the round that only some have.
    fn withheld(&self, state: &State, round: u8) -> Option<String> {
        let secret = |&b: &BlockId| self.notarized(state, b) && !self.public_notarization(state, b);
        let block = self.blocks.of_round(round).find(secret)?;
        let name = self.name(block);
        Some(if self.adopted(state, block) {
            format!("{name} is notarized, and nobody relays that")
        } else {
            format!("{name} lacks a ticket that a Byzantine miner withholds")
        })
    }

    /// Why the miner enters no later subround.
    fn no_subround(&self, state: &State, miner: usize) -> String {
        let m = &state.miners[miner];
        let (round, subround) = (m.round() as u8, m.subround() as u8);
        let q = self.committee.quorum;
        if subround >= self.last_subround(state) {
            return "there is no later subround in the scenario".into();
        }
        match self.rules.subround_entry {
            SubroundEntryRule::Local => "its timer has not run out".into(),
            SubroundEntryRule::Certificate if self.has(Fault::OwnSubroundOnly) => {
                format!("recorded {} of {q} timeouts", m.timeouts_held())
            }
            SubroundEntryRule::Certificate => {
                let own = if m.timed_out() == 0 { ", not its own among them" } else { "" };
                let honest = state.timeout(round, subround).honest();
                format!("({round}, {subround}) has {honest} of {q} timeouts from honest miners{own}")
            }
        }
    }

    /// The block above round `since` that comes closest to being final.
    fn closest_to_final(&self, state: &State, since: u8) -> String {
        let above = |&b: &BlockId| self.blocks.round(b) > since && self.notarized(state, b);
        let Some(block) = self.blocks.all().filter(above).max_by_key(|&b| state.block(b).votes()) else {
            return "none of them is notarized".into();
        };
        let name = self.name(block);
        if self.rules.votes() {
            let votes = state.block(block).votes();
            format!("{name} has {votes} of {} finality votes from honest miners", self.committee.quorum)
        } else {
            format!("{name} is notarized")
        }
    }
}
