//! Whether a rule that is written can change anything: where it cannot, a verdict about it is a verdict about nothing.
//!
//! Each answer is argued from where the rule is read ([`crate::action`], [`crate::good_period`]), and compared with the
//! explored states of small instances by `tests/settings.rs`, in both directions.

use super::Question;
use crate::{
    blocks::{BlockId, Generator, Place},
    committee::{beacon_threshold, quorum},
    properties::{Facts, Property},
    protocol::{Network, Protocol},
    rules::{
        BeaconRule, CountingRule, EchoRule, FinalityRule, HeadRule, ParentRule, Rules, SubroundEntryRule,
        TicketLogRule, TicketRule,
    },
};

/// Why a setting changes nothing, and what would let it.
pub(crate) type Idle = (String, String);

/// What looks at which blocks are final.
const OF_FINALITY: [Property; 9] = [
    Property::S5,
    Property::S6,
    Property::S7,
    Property::S10,
    Property::L2,
    Property::L5,
    Property::W5,
    Property::Final,
    Property::Head,
];

/// Why the answer of `protocol` to `question` changes nothing: neither it nor any other would (`without` is then not
/// looked at), or this one has the same effect as that of `without`, the same rules with another answer.
pub(crate) fn idle(question: Question, protocol: &Protocol, without: &Rules, asked: Facts) -> Option<Idle> {
    let nowhere = nowhere(question, protocol);
    nowhere.or_else(|| {
        let same = protocol.rules == *without;
        if same { None } else { alike(question, protocol, without, asked) }
    })
}

fn because(why: impl Into<String>, fix: impl Into<String>) -> Option<Idle> {
    Some((why.into(), fix.into()))
}

impl Protocol {
    fn is_asynchronous(&self) -> bool {
        matches!(self.network, Network::Async | Network::Lossy)
    }

    /// Whether a place of that kind is there.
    fn generates(&self, of: impl Fn(&Place) -> bool) -> bool {
        self.blocks.all().any(|b| of(self.blocks.place(b)))
    }

    /// Whether a miner that has just sent its share can be without the value, so that it matters who else has.
    pub(super) fn waits_for_shares(&self) -> bool {
        let least = self.committee.weights.iter().min().copied().unwrap_or(0);
        !self.reductions.eager
            || !self.is_asynchronous()
            || self.committee.beacon_threshold > self.committee.byzantine + least
    }

    /// Whether there are fewer rounds than the rule of finality goes back, so that no block can become final.
    pub(super) fn too_few_rounds(&self) -> bool {
        matches!(self.rules.finality, FinalityRule::CommonAncestor { depth } if depth >= self.blocks.rounds)
    }
}

/// Why no answer to the question changes anything.
fn nowhere(question: Question, p: &Protocol) -> Option<Idle> {
    let (rounds, subrounds) = (p.blocks.rounds, p.blocks.subrounds);
    match question {
        Question::SubroundEntry if subrounds == 1 => because(
            "there is one subround, and none to enter after it",
            "set subrounds = 2 or more, or remove it",
        ),
        Question::SubroundSwitch if !p.rules.chained() => because(
            "what a miner switches to matters where the beacon is chained to it",
            "set beacon = \"Chained\", or remove it",
        ),
        Question::SubroundSwitch if rounds == 1 || subrounds == 1 => because(
            "with one round or one subround there is one seed",
            "set rounds and subrounds = 2 or more, or remove it",
        ),
        Question::TicketLog if p.crashes == 0 => because(
            "no miner restarts, so none reads its log or forgets anything",
            "set restarts = 1 or more, or remove it",
        ),
        Question::Echo
            if p.is_asynchronous() && p.rules.subround_entry != SubroundEntryRule::OwnSubroundOnly =>
        {
            because(
                "in an asynchronous network nobody has to wait for a relay",
                "use network = \"partially_synchronous\", or remove it",
            )
        }
        Question::Parent if rounds == 1 => {
            because("every block of round 1 extends genesis", "set rounds = 2 or more, or remove it")
        }
        Question::Proposal if !p.generates(|place| place.generator == Generator::Honest) => {
            because("no generator is honest", "name an honest generator, or remove it")
        }
        Question::Head if p.observers == 0 => {
            because("no observer has a head", "set observers = 1 or 2, or remove it")
        }
        Question::SubroundCap if subrounds < 3 => {
            because("there is no subround after subround 1", "set subrounds = 3 or more, or remove it")
        }
        Question::Finality if p.too_few_rounds() => because(
            format!("a block is final that many rounds below a tip, and there are {rounds}"),
            "set rounds above the depth, or remove it",
        ),
        _ => None,
    }
}

/// Why this answer has the effect of the other one.
fn alike(question: Question, p: &Protocol, without: &Rules, asked: Facts) -> Option<Idle> {
    let (with, rounds, subrounds) = (&p.rules, p.blocks.rounds, p.blocks.subrounds);
    let byzantine = p.committee.byzantine > 0;
    let same = |same: bool, why: &str, fix: &str| if same { because(why, fix) } else { None };
    match question {
        Question::Beacon => {
            let other = Protocol { rules: *without, ..p.clone() };
            if p.forms_beacon() || other.forms_beacon() {
                return None;
            }
            let effective = |rule: BeaconRule| match rule {
                BeaconRule::Chained if subrounds == 1 || rounds == 1 && !p.waits_for_shares() => {
                    BeaconRule::RoundOnly
                }
                BeaconRule::EarlySharesDropped if rounds == 1 => BeaconRule::RoundOnly,
                BeaconRule::SeedFromProposal if !byzantine => BeaconRule::RoundOnly,
                rule => rule,
            };
            same(
                effective(with.beacon) == effective(without.beacon),
                "in this instance the beacon has the same value for everybody, as without it",
                "use more rounds and subrounds, or for `SeedFromProposal` byzantine = 1",
            )
        }
        Question::Threshold => {
            let n = p.committee.n;
            let other = beacon_threshold(without.threshold, n);
            if other == p.committee.beacon_threshold {
                because(
                    format!("{other} shares of {n} make a beacon value without it too"),
                    "use another n, or remove it",
                )
            } else {
                idle_threshold(p, other)
            }
        }
        Question::Ticket => {
            let differs = (1..=rounds).flat_map(|r| (0..subrounds).map(move |s| (r, s))).any(|(r, s)| {
                let eligible = |b: &BlockId| p.blocks.place(*b).generator != Generator::Outsider;
                let of = || p.blocks.of_subround(r, s).filter(eligible);
                of().any(|first| {
                    of().filter(|&then| then != first).any(|then| {
                        let ranks = (p.blocks.place(first).rank, p.blocks.place(then).rank);
                        allows(with.ticket, ranks) != allows(without.ticket, ranks)
                    })
                })
            });
            same(
                !differs,
                "no subround has a second block that one of the two rules lets a miner ticket",
                "name more generators, or byzantine ones with twins",
            )
        }
        Question::Finality => {
            let effective = |rule| effective_finality(p, rule);
            let judged = with.votes() != without.votes()
                || p.observers > 0
                || OF_FINALITY.iter().any(|&of| asked.has(of));
            same(
                effective(with.finality) == effective(without.finality),
                "in this instance the same blocks are final without it",
                "use an instance where they differ, or remove it",
            )
            .or_else(|| {
                same(
                    !judged,
                    "nothing that is expected looks at what is final",
                    "expect S5, S6 or `final`, or remove it",
                )
            })
        }
        Question::Quorum => {
            let n = p.committee.n;
            let other = quorum(without.quorum, n);
            if other == p.committee.quorum {
                because(
                    format!("the quorum of {n} members is {other} without it too"),
                    "use another n, or remove it",
                )
            } else {
                None
            }
        }
        Question::TicketLog => {
            let effective = |rule: TicketLogRule| match rule {
                TicketLogRule::VotesVolatile if !p.restarts_behind || !with.votes() => TicketLogRule::Durable,
                TicketLogRule::ProposalsVolatile
                    if !p.generates(|place| place.generator == Generator::Honest) =>
                {
                    TicketLogRule::Durable
                }
                rule => rule,
            };
            same(
                effective(with.ticket_log) == effective(without.ticket_log),
                "what it forgets no miner needs here",
                "for `VotesVolatile` set restarts_behind = true, for `ProposalsVolatile` name an honest generator",
            )
        }
        Question::Echo => {
            let effective = |rule: EchoRule| match rule {
                EchoRule::TimeoutCertificates if p.is_asynchronous() => EchoRule::Certificates,
                EchoRule::TimeoutCertificates if subrounds == 1 => EchoRule::None,
                rule => rule,
            };
            same(
                effective(with.echo) == effective(without.echo),
                "the certificates that it is about are not relayed here, or not needed",
                "use network = \"partially_synchronous\" and subrounds = 2 or more, or remove it",
            )
        }
        Question::Parent => {
            let chooses = p.generates(|place| place.generator == Generator::Byzantine && place.round > 1);
            let effective = |rule: ParentRule| match rule {
                ParentRule::OnFinalizedHead if p.observers == 0 => ParentRule::Notarized,
                ParentRule::Unchecked if !chooses => ParentRule::Notarized,
                rule => rule,
            };
            same(
                effective(with.parent) == effective(without.parent),
                "nobody proposes a block that the one rule refuses and the other does not",
                "name a byzantine generator in round 2, or for `OnFinalizedHead` set observers = 1 or 2",
            )
        }
        Question::Counting => {
            let effective = |rule: CountingRule| match rule {
                CountingRule::EmbeddedUnverified
                | CountingRule::UnweightedSum
                | CountingRule::DuplicateSigner
                    if !byzantine =>
                {
                    CountingRule::Genuine
                }
                CountingRule::LabelUnchecked if rounds == 1 => CountingRule::Genuine,
                CountingRule::SubroundUnbound if !twice_in_a_round(p) => CountingRule::Genuine,
                rule => rule,
            };
            same(
                effective(with.counting) == effective(without.counting),
                "nobody can send what it counts wrongly",
                "set byzantine = 1, and name byzantine generators in two subrounds or rounds",
            )
        }
        Question::Head => same(
            rounds == 1
                && [with.head, without.head]
                    .iter()
                    .all(|r| !matches!(r, HeadRule::Anywhere | HeadRule::MovesBack)),
            "with one round there is none to skip",
            "set rounds = 2 or more, or remove it",
        ),
        // The layout says it; `Reading` compares that.
        Question::SubroundCap => None,
        Question::SubroundEntry | Question::SubroundSwitch | Question::Proposal => None,
    }
}

/// Why it changes nothing that as many shares as in `p` make a beacon value, and not `other`.
pub(super) fn idle_threshold(p: &Protocol, other: u32) -> Option<Idle> {
    let mut without = p.clone();
    without.committee.beacon_threshold = other;
    let formed = p.forms_beacon() || without.forms_beacon();
    if formed || !p.is_asynchronous() || !p.reductions.eager {
        return None;
    }
    if p.blocks.rounds == 1 && (p.blocks.subrounds == 1 || !p.rules.chained()) {
        return because(
            "all shares of the first round are there from the start",
            "set rounds = 2 or more, or remove it",
        );
    }
    let least = p.committee.weights.iter().min().copied().unwrap_or(0) + p.committee.byzantine;
    if p.committee.beacon_threshold.max(other) <= least {
        return because(
            "one honest share and those of the Byzantine members are enough with and without it",
            "use a threshold above byzantine + 1, or remove it",
        );
    }
    None
}

/// Whether the rule lets a miner ticket a block of the second rank after one of the first.
fn allows(rule: TicketRule, (first, then): (u8, u8)) -> bool {
    match rule {
        TicketRule::OncePerSubround => false,
        TicketRule::BetterRank => then < first,
        TicketRule::BetterOrEqualRank => then <= first,
    }
}

/// The rule with the same effect that comes first.
fn effective_finality(p: &Protocol, rule: FinalityRule) -> FinalityRule {
    // A vote beside a ticket for another block takes two blocks of a round.
    let one_block = (1..=p.blocks.rounds).all(|round| p.blocks.of_round(round).count() < 2);
    match rule {
        FinalityRule::CommonAncestor { depth: 0 } | FinalityRule::TwoDeltaWithoutWait => {
            FinalityRule::TwoThirds
        }
        FinalityRule::TwoDelta if p.is_asynchronous() => FinalityRule::TwoThirds,
        FinalityRule::VotesAfterOtherTicket if one_block => FinalityRule::Votes,
        rule => rule,
    }
}

/// Whether a round has a Byzantine generator in two subrounds.
fn twice_in_a_round(p: &Protocol) -> bool {
    let byzantine = |b: &BlockId| p.blocks.place(*b).generator == Generator::Byzantine;
    (1..=p.blocks.rounds).any(|round| {
        let mut subrounds = p.blocks.of_round(round).filter(byzantine).map(|b| p.blocks.place(b).subround);
        subrounds.next().is_some_and(|first| subrounds.any(|other| other != first))
    })
}
