//! Why a state shows a safety property violated, or a witness: one sentence with the blocks and miners that show it.

use super::list;
use crate::{
    action::Action,
    blocks::{BlockId, Generator},
    committee::overlap,
    properties::{Facts, Property},
    protocol::Protocol,
    state::State,
};

impl Protocol {
    /// Why `state` shows `property`, in one sentence that starts with its id. `None` if it does not.
    pub fn explain(&self, state: &State, property: Property) -> Option<String> {
        let asked: Facts = std::iter::once(property).collect();
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
            Property::S5 | Property::S6 | Property::S7 | Property::W5 => {
                self.explain_finality(state, property)
            }
            Property::S10 => self.explain_impunity(state),
            Property::S11 | Property::W10 => self.explain_formed(state, property),
            Property::W9 => self.never_final(state, self.notarized_set(state)).map(|round| {
                format!(
                    "round {round} has a notarized block, and no block of it can get q = {} votes any more",
                    self.committee.quorum
                )
            }),
            Property::L1 | Property::L2 | Property::L3 | Property::L4 | Property::L5 => {
                self.explain_stall(state, property)
            }
            Property::W4 | Property::W8 => self.explain_move(state, property),
            Property::Signed
            | Property::Notarized
            | Property::Child
            | Property::Final
            | Property::Head
            | Property::Beacon
            | Property::Ending
            | Property::Behind
            | Property::Restarted => self.explain_premise(state, property),
            Property::W6 => (0..self.honest()).find(|&m| state.miners[m].resent() == 1).map(|m| {
                let (who, at) = (self.miner_name(m), self.position_of(state, m));
                format!("{who} crashed between log and send, and sent its ticket in {at}")
            }),
        };
        // A fact may have a cause that has no better words than the property's own.
        let not = if property.is_witness() { "" } else { "not true that " };
        Some(format!("{}: {}", property.id(), because.unwrap_or_else(|| format!("{not}{}", property.text()))))
    }

    /// S11 and W10: the round whose value the adversary has formed, early or not.
    fn explain_formed(&self, state: &State, property: Property) -> Option<String> {
        let environment = &state.environment;
        let early = environment.formed_early();
        let rounds = if property == Property::S11 { early } else { environment.formed() & !early };
        let round = (1..=self.blocks.rounds).find(|r| rounds >> (r - 1) & 1 == 1)?;
        let (byzantine, exposed, t) =
            (self.committee.byzantine, self.committee.exposed, self.committee.beacon_threshold);
        let own = format!("the adversary has {byzantine} Byzantine and {exposed} exposed shares of t = {t}");
        Some(if property == Property::S11 {
            format!(
                "{own}, and forms the beacon value of round {round} before any other honest miner has sent its share"
            )
        } else {
            format!(
                "{own}, and forms the beacon value of round {round} with shares that other honest miners have sent"
            )
        })
    }

    fn notarized_blocks(&self, state: &State) -> Vec<BlockId> {
        self.blocks.all().filter(|&b| self.notarized(state, b)).collect()
    }

    /// W4 and W8: the step that `state` lets happen.
    fn explain_move(&self, state: &State, property: Property) -> Option<String> {
        let Action::Leave { miner, block } = self.witness_step(state, property)? else { return None };
        let (who, at) = (self.miner_name(miner as usize), self.position_of(state, miner as usize));
        let (name, round) = (self.name(block), state.miners[miner as usize].round());
        Some(match property {
            Property::W4 => {
                let subround = self.blocks.place(block).subround;
                format!("{who} in {at} switches to subround {subround} because {name} is notarized there")
            }
            _ => format!("{who} in {at} jumps over round {round} because {name} is notarized"),
        })
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
                            "{} counts as notarized with {} genuine tickets of distinct members, fewer than q = {}",
                            self.name(b),
                            self.tickets(state, b),
                            self.committee.quorum
                        )
                    },
                ))
            }
            Property::S9 => self.explain_beacon(state),
            _ => None,
        }
    }

    /// S9: two miners, and where their values of the beacon come from.
    fn explain_beacon(&self, state: &State) -> Option<String> {
        let holds = |m: usize| self.active(state, m) && self.beacon_known(state, m);
        let value = |m: usize| (state.miners[m].deceived(), self.seed_of_miner(state, m));
        let (a, b) = (0..self.honest()).find_map(|b| {
            let differs = |&a: &usize| {
                state.miners[a].round() == state.miners[b].round()
                    && holds(a)
                    && holds(b)
                    && value(a) != value(b)
            };
            Some(((0..b).find(differs)?, b))
        })?;
        let source = |m: usize| {
            if state.miners[m].deceived() == 1 {
                "took from an unverified proposal".to_owned()
            } else if self.rules.chained() {
                format!("chained to {}", self.name(state.entry(&self.blocks, m)))
            } else {
                "verified".to_owned()
            }
        };
        let round = state.miners[a].round();
        Some(format!(
            "{} and {} hold different beacon values of round {round}: one that it {}, and one that it {}",
            self.miner_name(a),
            self.miner_name(b),
            source(a),
            source(b)
        ))
    }

    /// The tickets of one subround with which `miner` breaks S1.
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
                let wrong: Vec<BlockId> = self.against_rule(sent, round, subround).collect();
                (!wrong.is_empty()).then_some(wrong)
            })
        })
    }

    fn explain_blocks(&self, state: &State, property: Property) -> Option<String> {
        let notarized = self.notarized_blocks(state);
        let place = |b: BlockId| self.blocks.place(b);
        match property {
            Property::S2 => {
                let (a, b) = self.notarized_twice(state)?;
                let (round, subround) = (place(a).round, place(a).subround);
                Some(format!("{} are both notarized in ({round}, {subround})", self.names(&[a, b])))
            }
            Property::W1 => {
                let block = *notarized.iter().find(|&&b| place(b).subround > 0)?;
                Some(format!("{} is notarized in subround {}", self.name(block), place(block).subround))
            }
            Property::W2 => {
                let (a, b) = self.notarized_set(state).pairs().find(|&(a, b)| {
                    place(a).round == place(b).round && place(a).subround != place(b).subround
                })?;
                let round = place(a).round;
                Some(format!("{} of different subrounds of round {round} are notarized", self.names(&[a, b])))
            }
            Property::W3 => notarized.iter().find_map(|&winner| {
                let better =
                    self.blocks.of_subround(place(winner).round, place(winner).subround).find(|&b| {
                        let due =
                            || self.entries(place(b).round).any(|p| self.could_be_proposed(state, b, p));
                        place(b).rank < place(winner).rank
                            && (state.block(b).parent() != 0 || due())
                            && !self.notarized(state, b)
                    })?;
                let (winner, better) = (self.name(winner), self.name(better));
                Some(format!(
                    "{winner} is notarized, and {better}, which has a better rank and is late, is not"
                ))
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
            Property::S7 => {
                let heads: Vec<String> = (0..self.observers)
                    .map(|o| format!("{} of observer {o}", self.name(state.head(o))))
                    .collect();
                Some(format!("a finalized head moved back or aside; now the heads are {}", list(&heads)))
            }
            Property::W5 => {
                let (block, descendant) = self.final_through_descendant(state)?;
                Some(format!("{} is final only through {}", self.name(block), self.name(descendant)))
            }
            _ => None,
        }
    }

    /// S10: who is convicted wrongly, or why too few are.
    fn explain_impunity(&self, state: &State) -> Option<String> {
        let once = self.rules.tickets_once();
        if state.environment.proposed_twice() == 1 {
            return Some("an honest generator's two blocks of one subround convict it".into());
        }
        if state.environment.contradicted() == 1 {
            return Some(
                "an honest miner's finality vote, beside its ticket for another block of the round, convicts it"
                    .into(),
            );
        }
        let wrongly = (0..self.honest()).find(|&m| self.oversigned_by(state, m).is_some());
        if let (true, Some(convicted)) = (once, wrongly) {
            return Some(format!(
                "the tickets of {}, which is honest, convict it",
                self.miner_name(convicted)
            ));
        }
        let owed = overlap(self.committee.n, self.committee.quorum);
        let few = format!("convict fewer than 2q - n = {owed} miners");
        if let Some((a, b)) = self.notarized_twice(state) {
            let both = self.names(&[a, b]);
            return Some(if once {
                format!("{both} are both notarized, and the tickets for them {few}")
            } else {
                format!(
                    "{both} are both notarized, and the ticket rule {:?} lets an honest miner sign for both: \
                     nobody can be convicted",
                    self.rules.ticket
                )
            });
        }
        let (a, b) = self.conflicting_finals(state)?;
        let both = self.names(&[a, b]);
        Some(if self.rules.votes() {
            format!("{both} are final and on no common chain, and the votes and tickets for them {few}")
        } else {
            format!(
                "{both} are final and on no common chain, and no honest or Byzantine miner had to break a rule for \
                 it: nobody can be convicted"
            )
        })
    }
}
