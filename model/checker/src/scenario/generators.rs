//! The generators of a scenario: by subround and rank, and the blocks that can exist because of them.

use super::{
    ScenarioError,
    reading::{File, Reading, or},
};
use crate::{
    blocks::{Blocks, Generator},
    fault::Fault,
    rules::{Rules, SubroundCapRule},
};
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;

/// A generator that the order draws.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Drawn {
    Honest,
    Byzantine,
}

/// The generators of one round and subround, where they differ from `generators`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    round: u8,
    subround: u8,
    ranks: Vec<Drawn>,
}

impl Reading<'_> {
    /// The generators by rank of one subround, and which list of `generators` they are, if one.
    pub(super) fn drawn<'f>(&self, file: &'f File, round: u8, subround: u8) -> (&'f [Drawn], Option<usize>) {
        let of = |o: &&Spanned<Order>| (o.get_ref().round, o.get_ref().subround) == (round, subround);
        if let Some(order) = file.order.iter().find(of) {
            return (&order.get_ref().ranks, None);
        }
        let table = file.generators.get_ref();
        let list = usize::from(subround).min(table.len() - 1);
        (&table[list], Some(list))
    }

    /// Lists of generators: each is there once, is read, and says something of its own.
    pub(super) fn orders(&self, file: &File, rules: &Rules) -> Result<(), ScenarioError> {
        let (rounds, subrounds) = file.size();
        let table = file.generators.get_ref();
        if table.is_empty() || table.iter().any(|ranks| ranks.is_empty()) {
            let fix = "give one list of ranks per subround; the last one repeats";
            return Err(self.invalid(
                file.generators.span(),
                "generators",
                "a subround without a generator",
                fix,
            ));
        }
        // Where the file, or a mutant, writes the rule, the lists that it leaves unread are what it changes.
        let profile = Rules::profile(file.profile.get_ref());
        let capped = [Some(*rules), profile].iter().flatten().all(|rules| match rules.subround_cap {
            SubroundCapRule::CappedAtOne => true,
            SubroundCapRule::Unbounded => false,
        });
        let read = if capped { subrounds.min(2) } else { subrounds };
        let mut seen = BTreeSet::new();
        let at = |order: &Order| (order.round, order.subround);
        if let Some(again) = file.order.iter().find(|order| !seen.insert(at(order.get_ref()))) {
            let (round, subround) = at(again.get_ref());
            let message = format!("({round}, {subround}) a second time");
            return Err(self.invalid(again.span(), "order", message, "keep one of the two"));
        }
        for order in &file.order {
            let Order { round, subround, ranks } = order.get_ref();
            let refused =
                |message: String, fix: String| Err(self.invalid(order.span(), "order", message, fix));
            if !(1..=rounds).contains(round) || *subround >= subrounds || ranks.is_empty() {
                let message = format!("(round, subround) = ({round}, {subround})");
                let last = subrounds - 1;
                return refused(
                    message,
                    format!("use rounds 1 to {rounds}, subrounds 0 to {last}, and name a generator"),
                );
            }
            if *subround >= read {
                let message = format!(
                    "({round}, {subround}) is never read: later subrounds have the generators of subround 1"
                );
                return refused(message, "remove it, or use subround_cap = \"Unbounded\"".into());
            }
            if *ranks == table[usize::from(*subround).min(table.len() - 1)] {
                let message = format!("({round}, {subround}) changes nothing: `generators` says the same");
                return refused(message, "remove it".into());
            }
        }
        let used: BTreeSet<usize> = (1..=rounds)
            .flat_map(|round| (0..read).map(move |subround| (round, subround)))
            .filter_map(|(round, subround)| self.drawn(file, round, subround).1)
            .collect();
        let Some(unused) = (0..table.len()).find(|list| !used.contains(list)) else {
            return match table.as_slice() {
                [.., before, last] if before == last => {
                    let message = format!(
                        "list {} changes nothing: it says what list {} says, which would repeat without it",
                        table.len(),
                        table.len() - 1
                    );
                    Err(self.invalid(file.generators.span(), "generators", message, "remove the last list"))
                }
                _ => Ok(()),
            };
        };
        let message = if unused < usize::from(read) {
            format!("list {} is never read: subround {unused} has an [[order]] in every round", unused + 1)
        } else {
            format!("list {} is for subround {unused}, and the generators of {read} are read", unused + 1)
        };
        let fix = "remove the list, or give `generators` what the [[order]]s say";
        Err(self.invalid(file.generators.span(), "generators", message, fix))
    }

    /// The blocks that can exist under those rules.
    pub(super) fn layout(
        &self,
        file: &File,
        cap: SubroundCapRule,
        fault: Option<Fault>,
    ) -> Result<Blocks, ScenarioError> {
        let twins = or(&file.twins, 2);
        if !(1..=2).contains(&twins) {
            let span = file.twins.as_ref().map_or(0..0, |t| t.span());
            return Err(self.invalid(span, "twins", format!("{twins} blocks"), "use 1 or 2"));
        }
        let ranks = |round: u8, subround: u8| {
            let (drawn, _) = self.drawn(file, round, subround);
            drawn
                .iter()
                .map(|drawn| match drawn {
                    Drawn::Honest => Generator::Honest,
                    Drawn::Byzantine => Generator::Byzantine,
                })
                .collect()
        };
        let (rounds, subrounds) = file.size();
        let outsider = or(&file.outsider, false);
        Blocks::new(rounds, subrounds, twins, outsider, cap, fault, ranks).map_err(|too_many| {
            let of = too_many.round.map_or("all rounds together".into(), |r| format!("round {r}"));
            let message = format!(
                "{of} can have {} blocks, the state has room for {}",
                too_many.needed, too_many.limit
            );
            let fix = "use fewer rounds, subrounds, generators or twins";
            self.invalid(file.rounds.span(), "rounds", message, fix)
        })
    }
}
