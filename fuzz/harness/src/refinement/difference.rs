//! Where two states of the model differ: the first field, with both values, in words.

use std::fmt;

use bytemuck::bytes_of;
use zus_checker::blocks::block_name;
use zus_checker::protocol::Protocol;
use zus_checker::state::{Environment, Miner, State};

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
        if m == p {
            continue;
        }
        for (name, meaning, get) in MINER_FIELDS {
            if get(&m) != get(&p) {
                let shown = |miner: &Miner| meaning.told(protocol, miner.round() as u8, get(miner));
                return difference(format!("miner {index}: {name}"), &shown(&m), &shown(&p));
            }
        }
        return difference(format!("miner {index}: a field without a name"), &"one value", &"another");
    }
    for block in protocol.blocks.all() {
        let (m, p) = (model.block(block), production.block(block));
        let below = protocol.blocks.round(block);
        let fields: [(&str, Meaning, u32, u32); 6] = [
            ("parent", Meaning::Before, m.parent(), p.parent()),
            ("tickets of honest miners", Meaning::Number, m.tickets(), p.tickets()),
            ("finality votes of honest miners", Meaning::Number, m.votes(), p.votes()),
            ("tickets of Byzantine miners", Meaning::Members, m.byzantine_tickets(), p.byzantine_tickets()),
            (
                "finality votes of Byzantine miners",
                Meaning::Members,
                m.byzantine_votes(),
                p.byzantine_votes(),
            ),
            ("notarized", Meaning::Flag, m.notarized(), p.notarized()),
        ];
        for (name, meaning, model, production) in fields {
            if model != production {
                let field = format!("{}: {name}", block_name(&protocol.blocks, block));
                let shown = |value| meaning.told(protocol, below, value);
                return difference(field, &shown(model), &shown(production));
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
                    &tally(protocol, m.honest(), m.byzantine()),
                    &tally(protocol, p.honest(), p.byzantine()),
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
        for round in 1..=protocol.blocks.rounds {
            let at = usize::from(round) - 1;
            let fields: [(&str, Meaning, u32, u32); 3] = [
                ("tickets", Meaning::Blocks, m.tickets[at].into(), p.tickets[at].into()),
                ("finality votes", Meaning::Blocks, m.votes[at].into(), p.votes[at].into()),
                ("timeouts", Meaning::Members, m.timeouts[at].into(), p.timeouts[at].into()),
            ];
            for (name, meaning, model, production) in fields {
                if model != production {
                    let shown = |value| meaning.told(protocol, round, value);
                    let field = format!("miner {index}: {name} of round {round} that it has sent");
                    return difference(field, &shown(model), &shown(production));
                }
            }
        }
    }
    for (name, get) in ENVIRONMENT_FIELDS {
        let (m, p) = (get(&model.environment), get(&production.environment));
        if m != p {
            return difference(name.into(), &m, &p);
        }
    }
    None
}

fn tally(protocol: &Protocol, honest: u32, byzantine: u32) -> String {
    format!("{honest} of honest miners, of Byzantine ones {}", Meaning::Members.told(protocol, 0, byzantine))
}

/// The meaning of a number in the state.
#[derive(Clone, Copy)]
enum Meaning {
    /// A count.
    Number,
    /// 1 is true.
    Flag,
    /// A block of the round: its position + 1, 0 for none.
    Block,
    /// A block of the round before: its position + 1; 0 for none, or genesis.
    Before,
    /// Blocks of the round, a bit for each position.
    Blocks,
    /// Numbers, a bit for each.
    Members,
}

impl Meaning {
    /// The value in words; `round` is the round that positions are of.
    fn told(self, protocol: &Protocol, round: u8, value: u32) -> String {
        let blocks = &protocol.blocks;
        let of = |round: u8, position: u32| {
            let found = blocks.of_round(round).nth(position as usize);
            found.map_or_else(|| format!("position {position}"), |block| block_name(blocks, block))
        };
        let set = |member: &dyn Fn(u32) -> String| {
            let members: Vec<String> = (0..32).filter(|bit| value >> bit & 1 == 1).map(member).collect();
            if members.is_empty() { "none".into() } else { members.join(", ") }
        };
        match self {
            Meaning::Number => value.to_string(),
            Meaning::Flag => (if value == 1 { "yes" } else { "no" }).into(),
            Meaning::Block | Meaning::Before if value == 0 => "none".into(),
            Meaning::Block => of(round, value - 1),
            Meaning::Before => match round.saturating_sub(1) {
                0 => "genesis".into(),
                before => of(before, value - 1),
            },
            Meaning::Blocks => set(&|position| of(round, position)),
            Meaning::Members => set(&|member| member.to_string()),
        }
    }
}

type Field = (&'static str, Meaning, fn(&Miner) -> u32);

const MINER_FIELDS: [Field; 10] = [
    ("round", Meaning::Number, Miner::round),
    ("subround", Meaning::Number, Miner::subround),
    ("block through which it entered its round", Meaning::Before, Miner::entry),
    ("tickets of its round", Meaning::Blocks, Miner::tickets),
    ("ticket in the log that has not left", Meaning::Block, Miner::unsent),
    ("selected block", Meaning::Block, Miner::selected),
    ("has given its subround up", Meaning::Flag, Miner::timed_out),
    ("has sent its beacon share", Meaning::Flag, Miner::shared),
    ("has proposed in its subround", Meaning::Flag, Miner::proposed),
    ("is down", Meaning::Flag, Miner::crashed),
];

type EnvironmentField = (&'static str, fn(&Environment) -> u32);

const ENVIRONMENT_FIELDS: [EnvironmentField; 10] = [
    ("the network is synchronous", Environment::synchronous),
    ("highest round when the network became synchronous", Environment::stable_since),
    ("crashes", Environment::crashes),
    ("an honest miner accepted a notarization with a wrong label (S8)", Environment::mislabelled),
    ("a finalized head moved back or aside (S7)", Environment::moved_aside),
    ("a finalized chain has a hole (S5)", Environment::holed),
    ("head of observer 0", Environment::head0),
    ("head of observer 1", Environment::head1),
    ("an honest miner proposed twice in one subround (S10)", Environment::proposed_twice),
    (
        "an honest miner sent a ticket and a finality vote that contradict each other (S10)",
        Environment::contradicted,
    ),
];
