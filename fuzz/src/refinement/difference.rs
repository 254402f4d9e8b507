//! Where two states of the model differ: the first field, with both values, in words.

use std::fmt;

use bytemuck::bytes_of;
use zus_model::protocol::Protocol;
use zus_model::sentence::block_name;
use zus_model::state::{Miner, State};

/// A field with two values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Which field.
    pub field: String,
    /// Its value in the model.
    pub model: String,
    /// Its value in production.
    pub production: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} differs:\n  model:      {}\n  production: {}", self.field, self.model, self.production)
    }
}

/// `resent` is a witness of the model's own, and `recovered` what it is made of.
fn compared(mut miner: Miner) -> Miner {
    miner.set_resent(0);
    miner.set_recovered(0);
    miner
}

/// The first field in which the model's state and the abstraction of production differ.
#[must_use]
pub fn first_difference(protocol: &Protocol, model: &State, production: &State) -> Option<Difference> {
    if bytes_of(model) == bytes_of(production) {
        return None;
    }
    let difference = |field: String, model: &dyn fmt::Display, production: &dyn fmt::Display| {
        Some(Difference { field, model: model.to_string(), production: production.to_string() })
    };
    for index in 0..protocol.honest() {
        let (m, p) = (compared(model.miners[index]), compared(production.miners[index]));
        if m != p {
            for (name, get) in MINER_FIELDS {
                if get(&m) != get(&p) {
                    let field = format!("miner {index}: {name}");
                    return difference(field, &get(&m), &get(&p));
                }
            }
            return difference(format!("miner {index}"), &format!("{m:?}"), &format!("{p:?}"));
        }
    }
    for block in protocol.blocks.all() {
        let (m, p) = (model.block(block), production.block(block));
        let fields: [(&str, u32, u32); 6] = [
            ("parent (position + 1 in the round before)", m.parent(), p.parent()),
            ("tickets of honest miners", m.tickets(), p.tickets()),
            ("finality votes of honest miners", m.votes(), p.votes()),
            ("tickets of Byzantine miners, as a set", m.byzantine_tickets(), p.byzantine_tickets()),
            ("finality votes of Byzantine miners, as a set", m.byzantine_votes(), p.byzantine_votes()),
            ("notarized", m.notarized(), p.notarized()),
        ];
        for (name, model, production) in fields {
            if model != production {
                let field = format!("{}: {name}", block_name(&protocol.blocks, block));
                return difference(field, &model, &production);
            }
        }
    }
    for round in 1..=protocol.blocks.rounds {
        for subround in 0..protocol.blocks.subrounds {
            let (m, p) = (model.timeout(round, subround), production.timeout(round, subround));
            if m != p {
                let field = format!("timeouts of ({round}, {subround})");
                return difference(
                    field,
                    &format!("{} honest, Byzantine set {}", m.honest(), m.byzantine()),
                    &format!("{} honest, Byzantine set {}", p.honest(), p.byzantine()),
                );
            }
        }
        // Without chaining there is one share a round.
        let last = if protocol.rules.chained() { protocol.blocks.subrounds } else { 1 };
        for (entry, subround) in protocol.entries(round).flat_map(|entry| (0..last).map(move |s| (entry, s)))
        {
            let (m, p) = (model.present(entry, subround), production.present(entry, subround));
            if m != p {
                let name = block_name(&protocol.blocks, entry);
                return difference(
                    format!("beacon shares of ({round}, {subround}) sent by miners that came through {name}"),
                    &m,
                    &p,
                );
            }
        }
    }
    for index in 0..protocol.honest() {
        let (m, p) = (&model.archive[index], &production.archive[index]);
        if m != p {
            return difference(format!("what miner {index} has sent"), &format!("{m:?}"), &format!("{p:?}"));
        }
    }
    if model.environment != production.environment {
        let (m, p) = (model.environment, production.environment);
        return difference("the environment".into(), &format!("{m:?}"), &format!("{p:?}"));
    }
    None
}

type Field = (&'static str, fn(&Miner) -> u32);

const MINER_FIELDS: [Field; 10] = [
    ("round", Miner::round),
    ("subround", Miner::subround),
    ("entry block (position + 1 in the round before)", Miner::entry),
    ("tickets of its round, as a set of positions", Miner::tickets),
    ("ticket in the log that has not left (position + 1)", Miner::unsent),
    ("selected block", Miner::selected),
    ("has given its subround up", Miner::timed_out),
    ("has sent its beacon share", Miner::shared),
    ("has proposed in its subround", Miner::proposed),
    ("is down", Miner::crashed),
];
