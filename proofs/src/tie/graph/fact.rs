//! The facts of a state, in words that both specifications have, and the steps by one name.

use crate::{
    spec::Spec,
    structure::{Element, Structure},
    tie::{
        Tie,
        placement::{Placement, block, element},
    },
};
use std::collections::BTreeMap;
use zus_checker::{
    blocks::{GENESIS, block_name},
    expand::block_of,
    protocol::Protocol,
};
use zus_protocol::ids::{MinerId, Round, Subround};
use zus_spec::{Action, Block, Instance, State, state::Visit};

/// A fact that holds in a state. Numbers are miners, rounds, subrounds and blocks; block 0 is genesis. Messages of Byzantine
/// members are facts too, but for beacon shares, which they have sent from the start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "`Dictionary::words` says each")]
pub enum Fact {
    At(u8, u8, u8),
    Entered(u8, u8),
    Shared(u8, u8),
    /// Of the miner's own round.
    Known(u8),
    Formed(u8),
    /// With its parent.
    Proposed(u8, u8),
    ProposalLogged(u8, u8, u8),
    Logged(u8, u8),
    Ticketed(u8, u8),
    Notarized(u8),
    Voted(u8, u8),
    VoteLogged(u8, u8),
    Certified(u8),
    TimedOut(u8, u8, u8),
    TimeoutLogged(u8, u8, u8),
    TimeoutCertified(u8, u8),
    Head(u8, u8),
}

/// All facts of a state, in order.
pub type Facts = Box<[Fact]>;

/// Names that both specifications have.
pub(super) struct Dictionary {
    pub protocol: Protocol,
    pub instance: Instance,
    by_name: BTreeMap<Block, u8>,
}

impl Dictionary {
    pub fn new(protocol: &Protocol, instance: &Instance) -> Self {
        let number = |id| (block_of(&protocol.blocks, id), element(id) as u8);
        let by_name = protocol.blocks.all().chain([GENESIS]).map(number).collect();
        Dictionary { protocol: protocol.clone(), instance: instance.clone(), by_name }
    }

    /// The block of an element.
    pub fn block(&self, element: Element) -> Block {
        block_of(&self.protocol.blocks, block(element))
    }

    fn number(&self, block: &Block) -> u8 {
        self.by_name[block]
    }

    fn name(&self, number: u8) -> String {
        block_name(&self.protocol.blocks, block(number.into()))
    }

    /// The facts of a state of the model.
    pub fn of_model(&self, state: &State) -> Facts {
        let (instance, mut facts) = (&self.instance, Vec::new());
        let by = |miner: &MinerId| miner.0 as u8;
        for miner in instance.honest() {
            let (m, who) = (state.miner(miner), by(&miner));
            facts.push(Fact::At(who, m.round.0 as u8, m.subround.0 as u8));
            facts.push(Fact::Entered(who, self.number(&m.entry)));
            if instance.beacon_known(state, miner) {
                facts.push(Fact::Known(who));
            }
            let places = m.log.proposals.iter();
            facts.extend(places.map(|(r, s)| Fact::ProposalLogged(who, r.0 as u8, s.0 as u8)));
            facts.extend(m.log.tickets.iter().map(|b| Fact::Logged(who, self.number(b))));
            facts.extend(m.log.votes.iter().map(|b| Fact::VoteLogged(who, self.number(b))));
            let timeouts = m.log.timeouts.iter();
            facts.extend(timeouts.map(|(r, s)| Fact::TimeoutLogged(who, r.0 as u8, s.0 as u8)));
        }
        for (Visit { through, .. }, signers) in &state.sent.shares {
            facts.extend(signers.iter().map(|m| Fact::Shared(by(m), through.round.next().0 as u8)));
        }
        for (b, parent) in &state.sent.blocks {
            facts.push(Fact::Proposed(self.number(b), self.number(parent)));
            if instance.is_final(state, *b) {
                facts.push(Fact::Certified(self.number(b)));
            }
        }
        for (b, signers) in &state.sent.tickets {
            facts.extend(signers.iter().map(|m| Fact::Ticketed(by(m), self.number(b))));
        }
        facts.extend(state.sent.notarized.iter().map(|b| Fact::Notarized(self.number(b))));
        for (b, signers) in &state.sent.votes {
            facts.extend(signers.iter().map(|m| Fact::Voted(by(m), self.number(b))));
        }
        for ((r, s), signers) in &state.sent.timeouts {
            facts.extend(signers.iter().map(|m| Fact::TimedOut(by(m), r.0 as u8, s.0 as u8)));
        }
        for (r, s) in self.places() {
            if instance.timeout_certified(state, Round(r.into()), Subround(s.into())) {
                facts.push(Fact::TimeoutCertified(r, s));
            }
        }
        let heads = state.heads.iter().enumerate();
        facts.extend(heads.map(|(observer, b)| Fact::Head(observer as u8, self.number(b))));
        facts.extend(state.history.formed.keys().map(|r| Fact::Formed(r.0 as u8)));
        in_order(facts)
    }

    /// The facts of a state of the specification that is proved.
    pub fn of_image(&self, tie: &Tie<'_>, image: &Structure) -> Facts {
        let (words, mut facts) = (&tie.words, Vec::new());
        let honest = self.protocol.honest() as Element;
        let byte = |tuple: &[Element], at: usize| tuple[at] as u8;
        let mut all = |relation, fact: &dyn Fn(&[Element], &mut Vec<Fact>)| {
            image.tuples(relation).for_each(|tuple| fact(&tuple, &mut facts));
        };
        all(words.at, &|t, facts| {
            if t[0] < honest {
                facts.push(Fact::At(byte(t, 0), byte(t, 1), byte(t, 2)));
                if image.holds(words.known, &[t[0], t[1], t[1]]) {
                    facts.push(Fact::Known(byte(t, 0)));
                }
            }
        });
        all(words.entered_through, &|t, facts| {
            facts.extend((t[0] < honest).then(|| Fact::Entered(byte(t, 0), byte(t, 1))));
        });
        all(words.share, &|t, facts| {
            facts.extend((t[0] < honest && t[1] == t[2]).then(|| Fact::Shared(byte(t, 0), byte(t, 1))));
        });
        all(words.formed, &|t, facts| facts.extend((t[0] == t[1]).then(|| Fact::Formed(byte(t, 0)))));
        all(words.proposed, &|t, facts| {
            let parent = image.tuples(words.parent).find(|edge| edge[1] == t[0]);
            facts.extend(parent.map(|edge| Fact::Proposed(byte(t, 0), byte(&edge, 0))));
        });
        all(words.proposal_logged, &|t, facts| {
            let place = self.protocol.blocks.place(block(t[1]));
            facts.push(Fact::ProposalLogged(byte(t, 0), place.round, place.subround));
        });
        all(words.logged, &|t, facts| facts.push(Fact::Logged(byte(t, 0), byte(t, 1))));
        all(words.ticket, &|t, facts| facts.push(Fact::Ticketed(byte(t, 0), byte(t, 1))));
        all(words.notarized, &|t, facts| facts.extend((t[0] > 0).then(|| Fact::Notarized(byte(t, 0)))));
        all(words.vote, &|t, facts| {
            facts.push(Fact::Voted(byte(t, 0), byte(t, 1)));
            facts.extend((t[0] < honest).then(|| Fact::VoteLogged(byte(t, 0), byte(t, 1))));
        });
        all(words.finality_certificate, &|t, facts| {
            facts.extend((t[0] > 0).then(|| Fact::Certified(byte(t, 0))));
        });
        all(words.timeout, &|t, facts| {
            facts.push(Fact::TimedOut(byte(t, 0), byte(t, 1), byte(t, 2)));
            facts.extend((t[0] < honest).then(|| Fact::TimeoutLogged(byte(t, 0), byte(t, 1), byte(t, 2))));
        });
        all(words.timeout_certificate, &|t, facts| {
            facts.push(Fact::TimeoutCertified(byte(t, 0), byte(t, 1)));
        });
        let observers = self.protocol.observers as Element;
        all(words.head, &|t, facts| {
            facts.extend((t[0] < observers).then(|| Fact::Head(byte(t, 0), byte(t, 1))));
        });
        in_order(facts)
    }

    /// The name that a step of the specification that is proved has in the model. None of a step that follows by itself.
    pub fn step(
        &self,
        spec: &Spec,
        placement: &Placement,
        action: usize,
        arguments: &[Element],
    ) -> Option<Action> {
        let miner = || MinerId(arguments[0] as u16);
        let of = |at: usize| self.block(arguments[at]);
        let (round, subround) =
            (|at: usize| Round(arguments[at].into()), |at: usize| Subround(arguments[at]));
        Some(match spec.actions[action].name.as_str() {
            "share_beacon" => Action::ShareBeacon { miner: miner() },
            "form_beacon" => Action::FormBeacon { round: round(0) },
            "propose" => Action::Propose { miner: miner(), block: of(1) },
            "byzantine_propose" => {
                let parent = block_of(&self.protocol.blocks, placement.parent(block(arguments[1])));
                Action::ByzantinePropose { block: of(1), parent }
            }
            "log_ticket" => Action::Ticket { miner: miner(), block: of(1) },
            "send_ticket" => Action::SendTicket { miner: miner() },
            "byzantine_ticket" => Action::ByzantineTicket { member: miner(), block: of(1) },
            "notarize" => Action::Notarize { block: of(0) },
            "leave_voting" | "leave_silently" => Action::Leave { miner: miner(), block: of(1) },
            "byzantine_vote" => Action::ByzantineVote { member: miner(), block: of(1) },
            "timeout" => Action::Timeout { miner: miner() },
            "byzantine_timeout" => {
                Action::ByzantineTimeout { member: miner(), round: round(1), subround: subround(2) }
            }
            "enter_subround" => Action::EnterSubround { miner: miner(), subround: subround(4) },
            "finalize" => Action::Finalize { observer: arguments[0] as usize, block: of(1) },
            "restart" => Action::RestartBehind { miner: miner() },
            _ => return None,
        })
    }

    /// Every (round, subround) within the bounds.
    pub fn places(&self) -> impl Iterator<Item = (u8, u8)> + use<> {
        let subrounds = self.protocol.blocks.subrounds;
        (1..=self.protocol.blocks.rounds).flat_map(move |r| (0..subrounds).map(move |s| (r, s)))
    }

    /// A fact in words.
    pub fn words(&self, fact: Fact) -> String {
        let name = |b| self.name(b);
        match fact {
            Fact::At(m, r, s) => format!("miner {m} is in ({r}, {s})"),
            Fact::Entered(m, b) => format!("miner {m} entered its round through {}", name(b)),
            Fact::Shared(m, r) => format!("miner {m} has sent its beacon share of round {r}"),
            Fact::Known(m) => format!("miner {m} can know the beacon value of its round"),
            Fact::Formed(r) => format!("the adversary has formed the beacon value of round {r}"),
            Fact::Proposed(b, parent) => format!("{} has been proposed on top of {}", name(b), name(parent)),
            Fact::ProposalLogged(m, r, s) => format!("miner {m} has its proposal of ({r}, {s}) in its log"),
            Fact::Logged(m, b) => format!("miner {m} has its ticket for {} in its log", name(b)),
            Fact::Ticketed(m, b) => format!("member {m} has sent a ticket for {}", name(b)),
            Fact::Notarized(b) => format!("{} is notarized", name(b)),
            Fact::Voted(m, b) => format!("member {m} has sent a finality vote for {}", name(b)),
            Fact::VoteLogged(m, b) => format!("miner {m} has its finality vote for {} in its log", name(b)),
            Fact::Certified(b) => format!("{} has a finality certificate", name(b)),
            Fact::TimedOut(m, r, s) => format!("member {m} has sent a timeout of ({r}, {s})"),
            Fact::TimeoutLogged(m, r, s) => format!("miner {m} has its timeout of ({r}, {s}) in its log"),
            Fact::TimeoutCertified(r, s) => format!("({r}, {s}) has a timeout certificate"),
            Fact::Head(o, b) => format!("the finalized head of observer {o} is {}", name(b)),
        }
    }

    /// A step in words.
    pub fn sentence(&self, action: &Action) -> String {
        let name = |b: &Block| self.name(self.number(b));
        match action {
            Action::ShareBeacon { miner } => format!("miner {} sends its beacon share", miner.0),
            Action::FormBeacon { round } => {
                format!("the adversary forms the beacon value of round {}", round.0)
            }
            Action::BelieveSeed { miner } => format!("miner {} believes a seed", miner.0),
            Action::Propose { miner, block } => format!("miner {} proposes {}", miner.0, name(block)),
            Action::ByzantinePropose { block, parent } => {
                format!("a Byzantine member proposes {} on top of {}", name(block), name(parent))
            }
            Action::Select { miner, block } => format!("miner {} selects {}", miner.0, name(block)),
            Action::Ticket { miner, block } => {
                format!("miner {} logs its ticket for {}", miner.0, name(block))
            }
            Action::SendTicket { miner } => format!("miner {} sends the ticket that is in its log", miner.0),
            Action::ByzantineTicket { member, block } => {
                format!("Byzantine {} sends a ticket for {}", member.0, name(block))
            }
            Action::Notarize { block } => format!("{} is notarized", name(block)),
            Action::Leave { miner, block } => {
                format!("miner {} leaves its round through {}", miner.0, name(block))
            }
            Action::VoteWithoutLeaving { miner, block } => {
                format!("miner {} votes for {} and stays", miner.0, name(block))
            }
            Action::LeaveRelabelled { miner, block } => {
                format!("miner {} takes {} for a block of its own round and leaves", miner.0, name(block))
            }
            Action::Adopt { miner, block } => format!("miner {} adopts {}", miner.0, name(block)),
            Action::ByzantineVote { member, block } => {
                format!("Byzantine {} sends a finality vote for {}", member.0, name(block))
            }
            Action::Timeout { miner } => format!("miner {} times out", miner.0),
            Action::ByzantineTimeout { member, round, subround } => {
                format!("Byzantine {} sends a timeout of ({}, {})", member.0, round.0, subround.0)
            }
            Action::EnterSubround { miner, subround } => {
                format!("miner {} enters subround {}", miner.0, subround.0)
            }
            Action::Finalize { observer, block } => format!("observer {observer} finalizes {}", name(block)),
            Action::Crash { miner } => format!("miner {} goes down", miner.0),
            Action::Restart { miner } => format!("miner {} comes back where it was", miner.0),
            Action::RestartBehind { miner } => format!("miner {} crashes and comes back in (1, 0)", miner.0),
            Action::Synchronize => "the network becomes synchronous".into(),
        }
    }
}

fn in_order(mut facts: Vec<Fact>) -> Facts {
    facts.sort_unstable();
    facts.dedup();
    facts.into()
}
