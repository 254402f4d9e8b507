//! States and steps in the words of PROTOCOL.md.
//!
//! A block is named by its place: `B(1,0)#0` is the block of rank 0 in round 1, subround 0, and `B(1,0)#0'` its twin,
//! the second block of the same generator. The names depend on nothing but the place, so they mean the same in every
//! scenario, trace and report. Miners are numbered from 0 as in the actions, honest and Byzantine ones apart.
//!
//! Steps are put into words here, violated safety properties and witnesses in `explain.rs`, and runs that are stuck
//! (liveness) in `stall.rs`, premises that are met in `premise.rs`.

pub mod describe;
mod explain;
mod premise;
mod stall;

use crate::{
    action::Action,
    blocks::{BlockId, Generator, block_name},
    fault::Fault,
    protocol::Protocol,
    rules::SubroundEntryRule,
    state::State,
};
use std::fmt::Write;

/// `a, b and c`.
pub fn list(items: &[String]) -> String {
    match items {
        [] => "nobody".into(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

impl Protocol {
    fn name(&self, block: BlockId) -> String {
        block_name(&self.blocks, block)
    }

    fn names(&self, blocks: &[BlockId]) -> String {
        list(&blocks.iter().map(|&b| self.name(b)).collect::<Vec<_>>())
    }

    /// An honest miner, or a group of them.
    pub fn miner_name(&self, miner: usize) -> String {
        match self.committee.weights.get(miner) {
            Some(1) | None => format!("miner {miner}"),
            Some(weight) => format!("group {miner} ({weight} miners)"),
        }
    }

    fn generator(&self, block: BlockId) -> String {
        if block.index() >= self.blocks.len() {
            return "somebody".into();
        }
        let place = self.blocks.place(block);
        match place.generator {
            Generator::Honest => format!("the honest generator of rank {}", place.rank),
            Generator::Byzantine => format!("the Byzantine generator of rank {}", place.rank),
            Generator::Outsider => "a Byzantine miner that is no generator there".into(),
        }
    }

    /// A block that is named for the first time: with its generator and its parent.
    fn introduction(&self, block: BlockId, parent: BlockId) -> String {
        let second = if self.blocks.place(block).twin == 1 { "the second block " } else { "" };
        let (name, generator, parent) = (self.name(block), self.generator(block), self.name(parent));
        if second.is_empty() {
            format!("{name} of {generator}, which extends {parent}")
        } else {
            format!("{name}, {second}of {generator}, which extends {parent}")
        }
    }

    fn position_of(&self, state: &State, miner: usize) -> String {
        let m = &state.miners[miner];
        if m.round() as u8 > self.blocks.rounds {
            "beyond the last round".into()
        } else {
            format!("({}, {})", m.round(), m.subround())
        }
    }

    /// One sentence about `action` happening in `before` and leading to `after`: who does what, and what comes of it.
    pub fn sentence(&self, before: &State, action: &Action, after: &State) -> String {
        let mut sentence = self.told(before, action, Some(after));
        for block in self.blocks.all() {
            let new = self.notarized(after, block) && !self.notarized(before, block);
            if new && !matches!(action, Action::Notarize { .. }) {
                let _ = write!(sentence, "; {} is notarized", self.name(block));
            }
        }
        if self.rules.votes() {
            for block in self.blocks.all() {
                if self.finalizable(after, block) && !self.finalizable(before, block) {
                    let _ = write!(sentence, "; {} is final", self.name(block));
                }
            }
        }
        sentence
    }

    /// An action in words, without its effects: for an action that did not happen, or cannot. Any action may be asked about.
    pub fn deed(&self, before: &State, action: &Action) -> String {
        self.told(before, action, None)
    }

    /// The action in words. Effects (a vote, a new position, the parent of a proposal) are read from `after`, so without it
    /// none is named.
    fn told(&self, before: &State, action: &Action, after: Option<&State>) -> String {
        use Action as A;
        let who = |miner: u8| self.miner_name(miner as usize);
        let byzantine = |number: u8| format!("Byzantine miner {number}");
        let known = |miner: u8| (miner as usize) < self.honest();
        let at = |miner: u8| if known(miner) { self.position_of(before, miner as usize) } else { "?".into() };
        match *action {
            A::ShareBeacon { miner } => format!("{} sends its beacon share for {}", who(miner), at(miner)),
            A::FormBeacon { round } => self.form_sentence(before, round),
            A::Propose { miner, block } => {
                let parent = after.and_then(|after| after.parent_name(self, block));
                let extends = parent.map_or(String::new(), |parent| format!(", which extends {parent}"));
                format!("{} proposes {}{extends}", who(miner), self.name(block))
            }
            A::ByzantinePropose { block, parent } => {
                let (generator, block, parent) = (self.generator(block), self.name(block), self.name(parent));
                format!("{generator} proposes {block}, which extends {parent}")
            }
            A::Select { miner, block } => {
                format!("{} closes its window and selects {}", who(miner), self.name(block))
            }
            A::Ticket { miner, block, parent } => self.ticket_sentence(before, miner, block, parent),
            A::SendTicket { miner } => format!("{} sends the ticket that is in its log", who(miner)),
            A::ByzantineTicket { byzantine: b, block } => {
                format!("{} sends a ticket for {}", byzantine(b), self.name(block))
            }
            A::Notarize { block } => {
                format!("{} is notarized, and the notarization broadcast", self.name(block))
            }
            A::Leave { miner, block } => self.leave_sentence(before, after, miner, block, "receives"),
            A::TimeoutThenLeave { miner, block } => {
                self.leave_sentence(before, after, miner, block, "times out, then receives")
            }
            A::VoteWithoutLeaving { miner, block } => {
                format!(
                    "{} casts a finality vote for {} and stays in its round",
                    who(miner),
                    self.name(block)
                )
            }
            A::LeaveRelabelled { miner, block } => format!(
                "{} takes the notarization of {} for one of its own round {} and leaves it",
                who(miner),
                self.name(block),
                at(miner)
            ),
            A::Adopt { miner, block } => {
                format!("{} adopts {} of the round before, and its seed", who(miner), self.name(block))
            }
            A::BelieveSeed { miner } => {
                format!("{} believes the seed that an unverified proposal claims", who(miner))
            }
            A::ByzantineVote { byzantine: b, block } => {
                format!("{} sends a finality vote for {}", byzantine(b), self.name(block))
            }
            A::Timeout { miner } if self.rules.enters_alone() => {
                let to = after.filter(|_| known(miner)).map(|after| self.position_of(after, miner as usize));
                let to = to.unwrap_or_else(|| "the next subround".into());
                format!("{} times out of {} and enters {to}", who(miner), at(miner))
            }
            A::Timeout { miner } => format!("{} times out of {} and says so", who(miner), at(miner)),
            A::TimeoutTogether { round, subround, miners } => {
                let all: Vec<String> =
                    (0..8).filter(|m| miners >> m & 1 == 1).map(|m| self.miner_name(m)).collect();
                format!("{} time out of ({round}, {subround})", list(&all))
            }
            A::ByzantineTimeout { byzantine: b, round, subround } => {
                format!("{} sends a timeout of ({round}, {subround})", byzantine(b))
            }
            A::EnterSubround { miner, subround } => self.enter_sentence(before, miner, subround),
            A::Finalize { observer, block } => {
                format!("observer {observer} finalizes {}{}", self.name(block), self.ground(before, block))
            }
            A::Crash { miner } => format!("{} crashes in {}", who(miner), at(miner)),
            A::RestartBehind { miner } => format!("{} restarts in (1, 0) with its log", who(miner)),
            A::Restart { miner } => format!("{} restarts in {}", who(miner), at(miner)),
            A::Synchronize => "the network becomes synchronous".into(),
        }
    }

    /// Whose shares the adversary combines, and which honest ones were sent by then.
    fn form_sentence(&self, before: &State, round: u8) -> String {
        let byzantine = (0..self.committee.byzantine).map(|b| format!("Byzantine miner {b}"));
        let exposed = (0..self.honest())
            .filter(|&m| self.exposed(m))
            .map(|m| format!("exposed {}", self.miner_name(m)));
        let own: Vec<String> = byzantine.chain(exposed).collect();
        let sent =
            if (1..=self.blocks.rounds).contains(&round) { self.unexposed_shares(before, round) } else { 0 };
        let sent = match sent {
            0 => "before any other honest miner has sent its share".to_owned(),
            1 => "and one that another honest miner has sent".to_owned(),
            more => format!("and {more} or more that other honest miners have sent"),
        };
        format!(
            "the adversary forms the beacon value of round {round} from the shares of {}, {sent}",
            list(&own)
        )
    }

    fn ticket_sentence(&self, before: &State, miner: u8, block: BlockId, parent: BlockId) -> String {
        let who = self.miner_name(miner as usize);
        let what = if block.index() < self.blocks.len() && before.block(block).parent() == 0 {
            self.introduction(block, parent)
        } else {
            self.name(block)
        };
        if self.writes_before_sending() {
            format!("{who} signs a ticket and writes it to its log, for {what}")
        } else {
            format!("{who} tickets {what}")
        }
    }

    fn leave_sentence(
        &self,
        before: &State,
        after: Option<&State>,
        miner: u8,
        block: BlockId,
        how: &str,
    ) -> String {
        let who = self.miner_name(miner as usize);
        let name = self.name(block);
        if block.index() >= self.blocks.len() || miner as usize >= self.honest() {
            return format!("{who} {how} a notarization of {name}");
        }
        let (round, from) = (self.blocks.round(block), before.miners[miner as usize].round());
        let votes = after.map(|after| after.block(block).votes() > before.block(block).votes());
        let voted = match votes {
            Some(true) => ", votes for it",
            Some(false) if self.votes_as_specified() => {
                ", does not vote, having ticketed another block of the round,"
            }
            Some(false) | None => "",
        };
        let moves = if u32::from(round) > from {
            format!("jumps from round {from} to round {}", round + 1)
        } else {
            format!("enters round {}", round + 1)
        };
        format!("{who} {how} the notarization of {name}{voted} and {moves}")
    }

    /// With what right a miner enters a later subround.
    fn enter_sentence(&self, before: &State, miner: u8, subround: u8) -> String {
        let who = self.miner_name(miner as usize);
        let round = before.miners.get(miner as usize).map_or(0, |m| m.round() as u8);
        let explored =
            (1..=self.blocks.rounds).contains(&round) && (1..self.blocks.subrounds).contains(&subround);
        if !explored {
            return format!("{who} enters ({round}, {subround})");
        }
        let last = subround - 1;
        let right = match self.rules.subround_entry {
            SubroundEntryRule::Local => String::new(),
            SubroundEntryRule::Certificate if self.has(Fault::OwnSubroundOnly) => {
                format!(", having counted the timeouts of ({round}, {last})")
            }
            SubroundEntryRule::Certificate if self.timeout_certified(before, round, last) => {
                format!(" with the timeout certificate of ({round}, {last})")
            }
            SubroundEntryRule::Certificate if self.has(Fault::WithoutCertificate) => {
                let tally = before.timeout(round, last);
                let sent = tally.honest() + self.byzantine_signers(tally.byzantine());
                format!(" after {sent} timeouts of ({round}, {last}), without a certificate")
            }
            SubroundEntryRule::Certificate => String::new(),
        };
        format!("{who} enters ({round}, {subround}){right}")
    }

    /// Why an observer may finalize `block`.
    fn ground(&self, state: &State, block: BlockId) -> String {
        if block.index() >= self.blocks.len() {
            return String::new();
        }
        match self.rules.finality.depth() {
            None => format!(" with {} finality votes", self.committee.quorum),
            Some(_) if self.rules.waits_before_finality() && !self.has(Fault::TwoDeltaWithoutWait) => {
                " after the wait".into()
            }
            Some(0) => ", which is notarized".into(),
            Some(depth) => self.tip_above(state, block, depth).map_or(String::new(), |tip| {
                let round = self.blocks.round(tip);
                format!(", knowing of round {round} the tip {} only", self.name(tip))
            }),
        }
    }
}

impl State {
    /// The name of the parent of `block`, if it has one.
    fn parent_name(&self, protocol: &Protocol, block: BlockId) -> Option<String> {
        let known = block.index() < protocol.blocks.len();
        known.then(|| self.parent(&protocol.blocks, block)).flatten().map(|parent| protocol.name(parent))
    }
}
