//! The expectations of a scenario: each must be one that the instance can answer.

use super::{Change, Expectation, ScenarioError, Verdict, line_of, reading::Reading};
use crate::{
    blocks::Generator,
    properties::Property,
    protocol::{Network, Protocol},
    settings::Idle,
};
use std::collections::BTreeMap;
use toml::Spanned;

/// The table `[expect]`.
pub(super) type Given = Spanned<BTreeMap<Spanned<Property>, Spanned<Verdict>>>;

/// How a scenario is judged, beside its instance.
#[derive(Clone, Copy)]
pub(super) struct Mode {
    /// Its miners act in groups.
    pub grouped: bool,
    /// Random runs stand in for an exploration.
    pub simulated: bool,
}

/// Why `property` is about something that `protocol` does not have, and what would give it that.
pub(crate) fn unasked(property: Property, protocol: &Protocol) -> Option<Idle> {
    let blocks = &protocol.blocks;
    let twins = || blocks.all().any(|b| blocks.place(b).twin == 1);
    let several = |of_subround: bool| {
        (1..=blocks.rounds).any(|round| {
            if of_subround {
                (0..blocks.subrounds).any(|subround| blocks.of_subround(round, subround).count() > 1)
            } else {
                blocks.of_round(round).count() > 1
            }
        })
    };
    let ranks = || blocks.all().any(|b| blocks.place(b).rank > 0);
    let good = matches!(protocol.network, Network::PartiallySynchronous | Network::Synchronous);
    let (about, fix) = match property {
        p if p.is_liveness() && !good => (
            "a network that becomes synchronous",
            "use network = \"partially_synchronous\", or expect no L property",
        ),
        Property::Ending | Property::Behind if !good => (
            "a network that becomes synchronous",
            "use network = \"partially_synchronous\", or do not expect it",
        ),
        Property::S7 | Property::Head if protocol.observers == 0 => {
            ("an observer with a head of its own", "set observers = 1 or 2, or do not expect it")
        }
        // One block is final, or it is not: there is nothing to move back from, and no other chain.
        Property::S7 if blocks.len() < 2 => (
            "two blocks, between which a head could move",
            "name another generator, or use more subrounds or rounds, or do not expect it",
        ),
        Property::S11 | Property::W10 if !protocol.forms_beacon() => (
            "an adversary that has the share of an honest member",
            "set exposed = 1 (at most f) and beacon = \"RoundOnly\", or do not expect it",
        ),
        Property::S11 if protocol.reductions.eager && blocks.rounds == 1 => (
            "a round whose shares are not all sent from the start",
            "set rounds = 2 or more, or eager = false in [reductions]",
        ),
        Property::S9 if blocks.rounds == 1 && blocks.subrounds == 1 && protocol.fault.is_none() => (
            "two seeds that miners of one round could hold",
            "use more rounds or subrounds, or do not expect it",
        ),
        Property::W9 if blocks.rounds == 1 && !several(false) => {
            ("two blocks of one round", "name another generator, or use more subrounds, or do not expect it")
        }
        Property::W9 if !protocol.remembers_rounds() => (
            "finality votes of miners that remember the rounds they left",
            "use finality = \"Votes\" without `restarts_behind` or a volatile log, or do not expect it",
        ),
        Property::S1 if !several(false) => (
            "two blocks of one round, both of which a miner could sign for",
            "name another generator, or use more subrounds, or do not expect it",
        ),
        Property::S4 if blocks.all().all(|b| blocks.place(b).generator != Generator::Outsider) => (
            "a block of a miner that is no generator",
            "set outsider = true, and eager = false in [reductions], or do not expect it",
        ),
        Property::S2 if !several(true) => (
            "two blocks of one subround",
            "name another generator, or a byzantine one with twins = 2, or do not expect it",
        ),
        // An observer contradicts another one without a second block, too: its head may skip a round.
        Property::S5 | Property::S10 if !several(false) && protocol.observers == 0 => (
            "two blocks of one round, or an observer with a head of its own",
            "name another generator, or use more subrounds or observers, or do not expect it",
        ),
        Property::S6 if !several(false) => {
            ("two blocks of one round", "name another generator, or use more subrounds, or do not expect it")
        }
        Property::W1 | Property::W2 | Property::W4 if blocks.subrounds == 1 => {
            ("a second subround", "set subrounds = 2 or more, or do not expect it")
        }
        Property::W5 | Property::W8 | Property::S3 | Property::Child if blocks.rounds == 1 => {
            ("a second round", "set rounds = 2 or more, or do not expect it")
        }
        Property::W3 if !ranks() => {
            ("a second generator in a subround", "name another generator, or do not expect it")
        }
        Property::W6 | Property::Restarted if protocol.crashes == 0 => {
            ("a restart", "set restarts = 1 or more, or do not expect it")
        }
        Property::W6 if !protocol.rules.is_durable() => (
            "a ticket log that is written before a ticket is sent",
            "use ticket_log = \"Durable\", or do not expect it",
        ),
        Property::W7 if !twins() => {
            ("a generator of two blocks", "name a byzantine generator with twins = 2, or do not expect it")
        }
        _ => return None,
    };
    Some((about.into(), fix.into()))
}

impl Reading<'_> {
    pub(super) fn expectations(
        &self,
        given: &Given,
        protocol: &Protocol,
        Mode { grouped, simulated }: Mode,
    ) -> Result<Vec<Expectation>, ScenarioError> {
        if given.get_ref().is_empty() {
            let fix = "expect at least one verdict, e.g. S2 = \"holds\"";
            return Err(self.invalid(given.span(), "expect", "nothing is expected", fix));
        }
        let mut expect = Vec::new();
        for (property, verdict) in given.get_ref() {
            let (p, v) = (*property.get_ref(), *verdict.get_ref());
            let refused =
                |message: String, fix: &str| Err(self.invalid(property.span(), "expect", message, fix));
            let fits = match v {
                Verdict::Holds | Verdict::Violated => !p.is_witness(),
                Verdict::Reachable | Verdict::Unreachable => p.is_witness(),
            };
            if !fits {
                let fix = "S and L properties are `holds` or `violated`, witnesses (W and names) `reachable` or `unreachable`";
                let message = format!("{} cannot be `{v}`", p.id());
                return Err(self.invalid(verdict.span(), "expect", message, fix));
            }
            // A mutant's base asks for what its property is not.
            let mutated = *self.change != Change::default();
            if !mutated && let Some((about, fix)) = unasked(p, protocol) {
                return refused(format!("{} is about {about}", p.id()), &fix);
            }
            if matches!(p, Property::L2 | Property::L5)
                && protocol.network == Network::PartiallySynchronous
                && protocol.reserved_rounds == 0
                && !simulated
            {
                let message = format!("{} needs a round that only the good period reaches", p.id());
                return refused(message, "set reserved_rounds = 1 or more");
            }
            if p == Property::S1 && !mutated && protocol.rules.ticket.allows_anything() {
                let message = format!(
                    "S1 says nothing under ticket = \"{}\", which allows any tickets of a subround in some order: a state \
                     does not tell in which one a miner signed",
                    protocol.rules.ticket
                );
                return refused(message, "expect no S1, or use ticket = \"BetterRank\"");
            }
            if grouped && matches!(v, Verdict::Holds | Verdict::Unreachable) {
                let message = format!("`{v}` cannot be claimed from miners that act in groups");
                let fix = "expect violations and witnesses only";
                return Err(self.invalid(verdict.span(), "expect", message, fix));
            }
            if !grouped && !simulated && p.is_liveness() && v == Verdict::Holds && protocol.observers > 0 {
                return refused("liveness is judged for any observer".into(), "set observers = 0");
            }
            let line = line_of(self.text, &property.span());
            expect.push(Expectation { property: p, verdict: v, line });
        }
        Ok(expect)
    }
}
