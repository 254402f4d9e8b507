//! States and steps in the words of protocol.md.
//!
//! A block is named by its place: `B(1,0)#0` is the block of rank 0 in round 1, subround 0, and `B(1,0)#0'` its twin,
//! the second block of the same generator. The names depend on nothing but the place, so they mean the same in every
//! scenario, trace and report. Miners are numbered from 0 as in the actions, honest and Byzantine ones apart.

use crate::{
    action::Action,
    blocks::{BlockId, Blocks, GENESIS, Generator},
    properties::Property,
    protocol::Protocol,
    rules::SubroundEntryRule,
    state::State,
};
use std::fmt::Write;

/// The name of a block.
pub fn block_name(blocks: &Blocks, block: BlockId) -> String {
    if block == GENESIS {
        return "genesis".into();
    }
    if block.index() >= blocks.len() {
        return format!("block {}", block.0);
    }
    let place = blocks.place(block);
    let twin = if place.twin == 1 { "'" } else { "" };
    format!("B({},{})#{}{twin}", place.round, place.subround, place.rank)
}

/// The block of that name, if the scenario has it.
pub fn block_named(blocks: &Blocks, name: &str) -> Option<BlockId> {
    std::iter::once(GENESIS).chain(blocks.all()).find(|&b| block_name(blocks, b) == name)
}

/// `a, b and c`.
fn list(items: &[String]) -> String {
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
        let place = self.blocks.place(block);
        match place.generator {
            Generator::Honest => format!("the honest generator of rank {}", place.rank),
            Generator::Byzantine => format!("the Byzantine generator of rank {}", place.rank),
            Generator::Outsider => "a Byzantine miner that is no generator there".into(),
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
        let mut sentence = self.deed(before, action, after);
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

    /// What an action does, without what comes of it. Any action may be asked about, also one that cannot happen.
    pub fn deed(&self, before: &State, action: &Action, after: &State) -> String {
        use Action as A;
        let who = |miner: u8| self.miner_name(miner as usize);
        let byzantine = |number: u8| format!("Byzantine miner {number}");
        let known = |miner: u8| (miner as usize) < self.honest();
        let at = |miner: u8| if known(miner) { self.position_of(before, miner as usize) } else { "?".into() };
        match *action {
            A::ShareBeacon { miner } => format!("{} sends its beacon share for {}", who(miner), at(miner)),
            A::Propose { miner, block } => {
                let parent = after.block_or_none(self, block);
                format!("{} proposes {} on {parent}", who(miner), self.name(block))
            }
            A::ByzantinePropose { block, parent } => {
                format!(
                    "{} proposes {} on {}",
                    self.generator_or_somebody(block),
                    self.name(block),
                    self.name(parent)
                )
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
            A::Timeout { miner } if self.rules.subround_entry == SubroundEntryRule::Local => {
                let to = if known(miner) { self.position_of(after, miner as usize) } else { "?".into() };
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
            A::EnterSubround { miner, subround } => {
                let round = if known(miner) { before.miners[miner as usize].round() } else { 0 };
                format!("{} enters ({round}, {subround}) with a timeout certificate", who(miner))
            }
            A::Finalize { observer, block } => format!("observer {observer} finalizes {}", self.name(block)),
            A::Crash { miner } => format!("{} crashes in {}", who(miner), at(miner)),
            A::Restart { miner } => format!("{} restarts in {}", who(miner), at(miner)),
            A::Synchronize => "the network becomes synchronous".into(),
        }
    }

    fn generator_or_somebody(&self, block: BlockId) -> String {
        if block.index() < self.blocks.len() { self.generator(block) } else { "somebody".into() }
    }

    fn ticket_sentence(&self, before: &State, miner: u8, block: BlockId, parent: BlockId) -> String {
        let who = self.miner_name(miner as usize);
        let mut sentence = if self.writes_before_sending() {
            format!("{who} signs a ticket for {} into its log", self.name(block))
        } else {
            format!("{who} tickets {}", self.name(block))
        };
        if block.index() < self.blocks.len() && before.block(block).parent() == 0 {
            let _ = write!(sentence, " of {}, on {}", self.generator(block), self.name(parent));
        }
        sentence
    }

    fn leave_sentence(&self, before: &State, after: &State, miner: u8, block: BlockId, how: &str) -> String {
        let who = self.miner_name(miner as usize);
        let name = self.name(block);
        if block.index() >= self.blocks.len() {
            return format!("{who} {how} a notarization of {name}");
        }
        let round = self.blocks.round(block);
        let voted =
            if after.block(block).votes() > before.block(block).votes() { ", votes for it" } else { "" };
        format!("{who} {how} the notarization of {name}{voted} and enters round {}", round + 1)
    }

    /// Why `state` shows `property`, in one sentence that starts with its id. `None` if it does not.
    pub fn explain(&self, state: &State, property: Property) -> Option<String> {
        let asked: crate::properties::Facts = std::iter::once(property).collect();
        if !self.facts(state, asked).has(property) {
            return None;
        }
        let because = match property {
            Property::S1 | Property::S3 | Property::S4 | Property::S8 | Property::S9 => {
                self.explain_signing(state, property)
            }
            Property::S2 | Property::W1 | Property::W2 | Property::W3 | Property::W7 => {
                self.explain_blocks(state, property)
            }
            Property::S5 | Property::S6 | Property::S7 | Property::S10 | Property::W5 => {
                self.explain_finality(state, property)
            }
            Property::L1 | Property::L2 | Property::L3 | Property::L4 | Property::L5 => {
                self.explain_stall(state, property)
            }
            Property::W4 | Property::W8 => self.witness_step(state, property).map(|action| {
                let after = self.apply(state, &action);
                self.deed(state, &action, &after)
            }),
            Property::W6 => {
                let miner = (0..self.honest()).find(|&m| state.miners[m].resent() == 1);
                miner.map(|m| {
                    let at = self.position_of(state, m);
                    format!(
                        "{} crashed between log and send, and sent its ticket in {at}",
                        self.miner_name(m)
                    )
                })
            }
        };
        // A fact may have a cause that has no better words than the property's own.
        let not = if property.is_witness() { "" } else { "not true that " };
        Some(format!("{}: {}", property.id(), because.unwrap_or_else(|| format!("{not}{}", property.text()))))
    }

    fn notarized_blocks(&self, state: &State) -> Vec<BlockId> {
        self.blocks.all().filter(|&b| self.notarized(state, b)).collect()
    }

    fn explain_signing(&self, state: &State, property: Property) -> Option<String> {
        let notarized = self.notarized_blocks(state);
        match property {
            Property::S1 => {
                let (miner, blocks) =
                    (0..self.honest()).find_map(|m| Some((m, self.oversigned_by(state, m)?)))?;
                Some(format!("{} has ticketed {}", self.miner_name(miner), self.names(&blocks)))
            }
            Property::S3 => {
                let orphan =
                    |&&b: &&BlockId| state.parent(&self.blocks, b).is_none_or(|p| !self.notarized(state, p));
                let block = *notarized.iter().find(orphan)?;
                let parent = state.parent(&self.blocks, block).map_or("nothing".into(), |p| self.name(p));
                Some(format!("{} is notarized, its parent {parent} is not", self.name(block)))
            }
            Property::S4 => {
                let block =
                    notarized.iter().find(|&&b| self.blocks.place(b).generator == Generator::Outsider)?;
                Some(format!("{} is notarized, and its generator is not eligible", self.name(*block)))
            }
            Property::S8 => {
                let short = notarized.iter().find(|&&b| !self.genuinely_notarizable(state, b));
                Some(short.map_or_else(
                    || "a miner accepted a notarization whose round label is not its block's".into(),
                    |&b| {
                        format!(
                            "{} is notarized with {} genuine tickets of distinct members, fewer than q = {}",
                            self.name(b),
                            self.tickets(state, b),
                            self.committee.quorum
                        )
                    },
                ))
            }
            Property::S9 => {
                let holds = |m: usize| self.active(state, m) && self.beacon_known(state, m);
                let value = |m: usize| (state.miners[m].deceived(), self.seed_of_miner(state, m));
                let pair = (0..self.honest()).find_map(|a| {
                    let other = (0..a).find(|&b| {
                        state.miners[a].round() == state.miners[b].round()
                            && holds(a)
                            && holds(b)
                            && value(a) != value(b)
                    })?;
                    Some((other, a))
                })?;
                let round = state.miners[pair.0].round();
                Some(format!(
                    "{} and {} hold different beacon values in round {round}",
                    self.miner_name(pair.0),
                    self.miner_name(pair.1)
                ))
            }
            _ => None,
        }
    }

    /// The tickets of one subround with which `miner` breaks S1: two of equal rank, or any two if only one is allowed.
    fn oversigned_by(&self, state: &State, miner: usize) -> Option<Vec<BlockId>> {
        let m = &state.miners[miner];
        (1..=self.blocks.rounds).find_map(|round| {
            let sent = if self.keeps_archive() {
                state.archive[miner].tickets[round as usize - 1]
            } else if m.round() == u32::from(round) {
                m.tickets() as u16
            } else {
                0
            };
            (0..self.blocks.subrounds).find_map(|subround| {
                let mine: Vec<BlockId> = self
                    .blocks
                    .of_subround(round, subround)
                    .filter(|&b| sent >> self.blocks.place(b).local & 1 == 1)
                    .collect();
                (mine.len() > 1).then_some(mine)
            })
        })
    }

    fn explain_blocks(&self, state: &State, property: Property) -> Option<String> {
        let notarized = self.notarized_blocks(state);
        let place = |b: BlockId| self.blocks.place(b);
        let pair = |fits: &dyn Fn(BlockId, BlockId) -> bool| {
            notarized
                .iter()
                .enumerate()
                .find_map(|(i, &a)| notarized[i + 1..].iter().find(|&&b| fits(a, b)).map(|&b| (a, b)))
        };
        match property {
            Property::S2 => {
                let (a, b) =
                    pair(&|a, b| (place(a).round, place(a).subround) == (place(b).round, place(b).subround))?;
                let (round, subround) = (place(a).round, place(a).subround);
                Some(format!("{} are both notarized in ({round}, {subround})", self.names(&[a, b])))
            }
            Property::W1 => {
                let block = *notarized.iter().find(|&&b| place(b).subround > 0)?;
                Some(format!("{} is notarized in subround {}", self.name(block), place(block).subround))
            }
            Property::W2 => {
                let (a, b) =
                    pair(&|a, b| place(a).round == place(b).round && place(a).subround != place(b).subround)?;
                let round = place(a).round;
                Some(format!("{} of different subrounds of round {round} are notarized", self.names(&[a, b])))
            }
            Property::W3 => notarized.iter().find_map(|&winner| {
                let better =
                    self.blocks.of_subround(place(winner).round, place(winner).subround).find(|&b| {
                        place(b).rank < place(winner).rank
                            && state.block(b).parent() != 0
                            && !self.notarized(state, b)
                    })?;
                Some(format!("{} is notarized, the better {} is not", self.name(winner), self.name(better)))
            }),
            Property::W7 => {
                let twin = self.blocks.all().find(|&b| {
                    place(b).twin == 1
                        && state.block(b).tickets() > 0
                        && state.block(BlockId(b.0 - 1)).tickets() > 0
                })?;
                let both = self.names(&[BlockId(twin.0 - 1), twin]);
                Some(format!("{both} of one generator both have tickets of honest miners"))
            }
            _ => None,
        }
    }

    /// Two blocks that different observers can hold final and that are on no common chain.
    pub fn conflicting_finals(&self, state: &State) -> Option<(BlockId, BlockId)> {
        let finals: Vec<BlockId> = self.blocks.all().filter(|&b| self.finalizable(state, b)).collect();
        finals.iter().enumerate().find_map(|(i, &a)| {
            finals[i + 1..].iter().find(|&&b| !state.compatible(&self.blocks, a, b)).map(|&b| (a, b))
        })
    }

    /// A block that an observer can hold final, and another notarized block of its round.
    pub fn final_with_rival(&self, state: &State) -> Option<(BlockId, BlockId)> {
        self.blocks.all().filter(|&b| self.finalizable(state, b)).find_map(|b| {
            let rival =
                self.blocks.of_round(self.blocks.round(b)).find(|&r| r != b && self.notarized(state, r))?;
            Some((b, rival))
        })
    }

    /// A block that is final through a descendant only, and that descendant.
    pub fn final_through_descendant(&self, state: &State) -> Option<(BlockId, BlockId)> {
        self.blocks.all().filter(|&b| self.finalizable(state, b)).find_map(|b| {
            let parent = state.parent(&self.blocks, b)?;
            (parent != GENESIS && !self.finalizable(state, parent)).then_some((parent, b))
        })
    }

    fn explain_finality(&self, state: &State, property: Property) -> Option<String> {
        match property {
            Property::S5 => {
                if state.environment.holed() == 1 {
                    return Some("an observer's finalized chain skips a round that another's has".into());
                }
                let heads = (state.head(0), state.head(1));
                let (a, b) = if state.compatible(&self.blocks, heads.0, heads.1) {
                    self.conflicting_finals(state)?
                } else {
                    heads
                };
                Some(format!("two observers finalize {}, which are on no common chain", self.names(&[a, b])))
            }
            Property::S6 => {
                let (block, rival) = self.final_with_rival(state)?;
                let (block, rival) = (self.name(block), self.name(rival));
                Some(format!("{block} is final, and {rival} of the same round is notarized"))
            }
            Property::S7 => Some("an observer's finalized head has moved back or aside".into()),
            Property::S10 => Some(if state.environment.proposed_twice() == 1 {
                "an honest generator's two blocks of one subround convict it".into()
            } else if let Some(convicted) =
                (0..self.honest()).find(|&m| self.oversigned_by(state, m).is_some())
            {
                format!("the tickets of {}, which is honest, convict it", self.miner_name(convicted))
            } else {
                let owed = crate::committee::overlap(self.committee.n, self.committee.quorum);
                format!("what was signed convicts fewer than 2q - n = {owed} miners")
            }),
            Property::W5 => {
                let (block, descendant) = self.final_through_descendant(state)?;
                Some(format!("{} is final only through {}", self.name(block), self.name(descendant)))
            }
            _ => None,
        }
    }

    fn explain_stall(&self, state: &State, property: Property) -> Option<String> {
        let positions = || {
            let each: Vec<String> = (0..self.honest())
                .map(|m| {
                    let down = if state.miners[m].crashed() == 1 { ", down" } else { "" };
                    format!("{} in {}{down}", self.miner_name(m), self.position_of(state, m))
                })
                .collect();
            list(&each)
        };
        let rounds = self.blocks.rounds;
        match property {
            Property::L1 => {
                let round =
                    (1..=rounds).find(|&r| !self.blocks.of_round(r).any(|b| self.notarized(state, b)))?;
                Some(format!(
                    "nothing must happen any more, and round {round} has no notarization: {}",
                    positions()
                ))
            }
            Property::L2 => {
                let since = state.environment.stable_since();
                Some(format!(
                    "nothing must happen any more, and no block after round {since}, where the network became \
                     synchronous, is final for everyone"
                ))
            }
            Property::L3 => Some(format!("honest miners stay apart: {}", positions())),
            Property::L4 => Some(format!("a miner stays behind: {}", positions())),
            Property::L5 => {
                let missed = self.blocks.all().find(|&b| {
                    self.finalizable(state, b)
                        && !self
                            .blocks
                            .all()
                            .any(|h| self.public_final(state, h) && state.descends(&self.blocks, h, b))
                })?;
                Some(format!(
                    "{} is final for one observer and never becomes so for another",
                    self.name(missed)
                ))
            }
            _ => None,
        }
    }
}

impl State {
    /// The name of the parent of `block`, or `nothing`.
    fn block_or_none(&self, protocol: &Protocol, block: BlockId) -> String {
        if block.index() >= protocol.blocks.len() {
            return "nothing".into();
        }
        self.parent(&protocol.blocks, block).map_or("nothing".into(), |p| protocol.name(p))
    }
}
