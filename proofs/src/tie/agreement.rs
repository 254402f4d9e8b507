//! Where a state of the model and an image in the specification have to agree, and whether they do.

use super::{Drift, Tie, placement::element};
use crate::structure::{Element, Structure};
use zus_checker::state::State;

impl Tie<'_> {
    /// Whether state and image agree on everything that the state determines.
    pub(super) fn agreement(&self, state: &State, image: &Structure) -> Result<(), Drift> {
        self.miners_agree(state, image)?;
        self.blocks_agree(state, image)?;
        let (words, blocks) = (&self.words, &self.protocol.blocks);
        let honest = self.protocol.honest() as Element;
        for round in 1..=blocks.rounds {
            for subround in 0..blocks.subrounds {
                let pair = [Element::from(round), Element::from(subround)];
                let fact = || format!("a timeout certificate for {round}, {subround}");
                let certified = self.protocol.timeout_certified(state, round, subround);
                same(fact, certified, image.holds(words.timeout_certificate, &pair))?;
                let sent =
                    (0..honest).filter(|m| image.holds(words.timeout, &[*m, pair[0], pair[1]])).count();
                let fact = || format!("the number of timeouts for {round}, {subround}");
                same(fact, state.timeout(round, subround).honest() as usize, sent)?;
            }
            let sent: u32 = self.protocol.entries(round).map(|entry| state.present(entry, 0)).sum();
            let pair = [Element::from(round), Element::from(round)];
            let shared = |m: &Element| image.holds(words.share, &[*m, pair[0], pair[1]]);
            let committee = &self.protocol.committee;
            let known = if committee.exposed == 0 {
                let shares = (0..honest).filter(shared).count();
                same(|| format!("the number of shares for round {round}"), sent as usize, shares)?;
                sent + committee.byzantine >= committee.beacon_threshold
            } else {
                // The adversary has sent the shares of exposed miners already.
                let unexposed =
                    (0..honest).filter(|m| !self.protocol.exposed(*m as usize) && shared(m)).count();
                let enough = committee.beacon_threshold - committee.byzantine - committee.exposed;
                let counted = self.protocol.unexposed_shares(state, round);
                let fact = || format!("the number of shares of others than exposed miners for round {round}");
                same(fact, counted, enough.min(unexposed as u32))?;
                self.protocol.adversary_shares(state, round) >= committee.beacon_threshold
            };
            if self.protocol.forms_beacon() {
                let formed = state.environment.formed() >> (round - 1) & 1 == 1;
                same(
                    || format!("the forming of the value of round {round}"),
                    formed,
                    image.holds(words.formed, &pair),
                )?;
            }
            let learnt = (0..honest).all(|m| image.holds(words.known, &[m, round.into(), round.into()]));
            same(|| format!("the beacon value of round {round}"), known, learnt)?;
        }
        for observer in 0..self.protocol.observers {
            let head = element(state.head(observer));
            let at =
                (0..image.size_of_blocks(self)).find(|b| image.holds(words.head, &[observer as Element, *b]));
            same(|| format!("the head of observer {observer}"), Some(head), at)?;
        }
        for (relation, definition) in &self.derived {
            let id = crate::spec::RelationId(*relation);
            for tuple in image.all_tuples(id) {
                let defined = definition.holds(image, &tuple);
                same(
                    || format!("{} {tuple:?}", self.spec.relations[*relation].name),
                    defined,
                    image.holds(id, &tuple),
                )?;
            }
        }
        Ok(())
    }

    fn miners_agree(&self, state: &State, image: &Structure) -> Result<(), Drift> {
        let (words, blocks) = (&self.words, &self.protocol.blocks);
        for miner in 0..self.protocol.honest() {
            let (m, who) = (&state.miners[miner], miner as Element);
            let positions: Vec<_> = image.tuples_at(words.at, who);
            same(
                || format!("the position of miner {miner}"),
                vec![vec![who, m.round(), m.subround()]],
                positions,
            )?;
            let entries = image.tuples_at(words.entered_through, who);
            let entry = element(state.entry(blocks, miner));
            same(|| format!("the entry of miner {miner}"), vec![vec![who, entry]], entries)?;
            for block in blocks.all() {
                let place = blocks.place(block);
                let archive = &state.archive[miner];
                let holds = |relation| image.holds(relation, &[who, element(block)]);
                let bit = |set: u16| set >> place.local & 1 == 1;
                let round = place.round as usize - 1;
                same(
                    || format!("the vote of miner {miner} for {}", block.0),
                    bit(archive.votes[round]),
                    holds(words.vote),
                )?;
                // A miner that restarted behind has unsent tickets among those that it will not send again.
                if !self.protocol.restarts_behind {
                    let fact = || format!("the ticket of miner {miner} for {}", block.0);
                    same(fact, bit(archive.tickets[round]), holds(words.ticket))?;
                }
                let forgets = !self.protocol.rules.is_durable();
                if u32::from(place.round) == m.round() && !(forgets && m.crashed() == 1) {
                    let fact = || format!("the log of miner {miner} about {}", block.0);
                    same(fact, bit(m.tickets() as u16), holds(words.logged))?;
                }
            }
            for round in 1..=blocks.rounds {
                for subround in 0..blocks.subrounds {
                    let sent = state.archive[miner].timeouts[round as usize - 1] >> subround & 1 == 1;
                    let fact = || format!("the timeout of miner {miner} for {round}, {subround}");
                    same(fact, sent, image.holds(words.timeout, &[who, round.into(), subround.into()]))?;
                }
            }
        }
        Ok(())
    }

    fn blocks_agree(&self, state: &State, image: &Structure) -> Result<(), Drift> {
        let (words, protocol) = (&self.words, &self.protocol);
        let honest = protocol.honest() as Element;
        for block in protocol.blocks.all() {
            let (this, tally) = (element(block), state.block(block));
            let proposed = image.holds(words.proposed, &[this]);
            if !protocol.reductions.eager {
                same(|| format!("whether {} is proposed", block.0), tally.parent() != 0, proposed)?;
            } else if tally.parent() != 0 {
                same(|| format!("whether {} is proposed", block.0), true, proposed)?;
            }
            if let Some(parent) = state.parent(&protocol.blocks, block) {
                let placed = image.holds(words.parent, &[element(parent), this]);
                same(|| format!("the parent of {}", block.0), true, placed)?;
            }
            let count = |relation| (0..honest).filter(|m| image.holds(relation, &[*m, this])).count();
            same(
                || format!("the number of tickets for {}", block.0),
                tally.tickets() as usize,
                count(words.ticket),
            )?;
            same(
                || format!("the number of votes for {}", block.0),
                tally.votes() as usize,
                count(words.vote),
            )?;
            if !protocol.reductions.byzantine_available {
                for index in 0..protocol.committee.byzantine {
                    let miner = honest + index;
                    let sent = tally.byzantine_tickets() >> index & 1 == 1;
                    let fact = || format!("the ticket of Byzantine {index} for {}", block.0);
                    same(fact, sent, image.holds(words.ticket, &[miner, this]))?;
                    let sent = tally.byzantine_votes() >> index & 1 == 1;
                    let fact = || format!("the vote of Byzantine {index} for {}", block.0);
                    same(fact, sent, image.holds(words.vote, &[miner, this]))?;
                }
            }
            let notarized = protocol.notarized(state, block);
            same(
                || format!("the notarization of {}", block.0),
                notarized,
                image.holds(words.notarized, &[this]),
            )?;
            let certified = protocol.votes(state, block) >= protocol.committee.quorum;
            let fact = || format!("a finality certificate for {}", block.0);
            same(fact, certified, image.holds(words.finality_certificate, &[this]))?;
        }
        Ok(())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(
    fact: impl Fn() -> String,
    model: T,
    specification: T,
) -> Result<(), Drift> {
    if model == specification {
        return Ok(());
    }
    Err(Drift::Disagree {
        fact: fact(),
        model: format!("{model:?}"),
        specification: format!("{specification:?}"),
    })
}

impl Structure {
    /// The tuples of a relation whose first element is `first`.
    fn tuples_at(&self, relation: crate::spec::RelationId, first: Element) -> Vec<Vec<Element>> {
        self.tuples(relation).filter(|t| t[0] == first).collect()
    }

    fn size_of_blocks(&self, tie: &Tie<'_>) -> Element {
        tie.protocol.blocks.len() as Element + 1
    }
}
