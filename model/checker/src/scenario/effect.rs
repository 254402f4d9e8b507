//! Whether a rule that is written can change anything: where it cannot, a verdict about it is a verdict about nothing.
//!
//! Each answer is argued from where the rule is read ([`crate::action`], [`crate::good_period`]), and compared with the
//! explored states of small instances by `tests/settings.rs`, in both directions.

use super::Question;
use crate::{
    blocks::{BlockId, Generator},
    committee::quorum,
    fault::Fault,
    properties::Facts,
    protocol::Protocol,
    rules::{BeaconRule, ParentRule, Rules},
    settings::{Idle, OF_FINALITY, because},
};

/// Why the answer of `protocol` to `question` changes nothing: neither it nor any other would (`without` is then not
/// looked at), or this one has the same effect as that of `without`, the same rules with another answer.
pub(crate) fn idle(question: Question, protocol: &Protocol, without: &Rules, asked: Facts) -> Option<Idle> {
    let nowhere = nowhere(question, protocol);
    nowhere.or_else(|| {
        let same = protocol.rules == *without;
        if same { None } else { alike(question, protocol, without, asked) }
    })
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
        Question::Echo if p.is_asynchronous() && !p.has(Fault::OwnSubroundOnly) => because(
            "in an asynchronous network nobody has to wait for a relay",
            "use network = \"partially_synchronous\", or remove it",
        ),
        Question::Parent if rounds == 1 => {
            because("every block of round 1 extends genesis", "set rounds = 2 or more, or remove it")
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
                rule @ (BeaconRule::Chained | BeaconRule::RoundOnly) => rule,
            };
            same(
                effective(with.beacon) == effective(without.beacon),
                "in this instance the beacon has the same value for everybody, as without it",
                "use more rounds and subrounds",
            )
        }
        Question::Ticket => {
            let differs = (1..=rounds).flat_map(|r| (0..subrounds).map(move |s| (r, s))).any(|(r, s)| {
                let eligible = |b: &BlockId| p.blocks.place(*b).generator != Generator::Outsider;
                let ranks: Vec<_> =
                    p.blocks.of_subround(r, s).filter(eligible).map(|b| p.blocks.rank(b)).collect();
                // After the blocks of a set were ticketed, another one: a set is the bits of a number.
                (0..1_u32 << ranks.len()).any(|set| {
                    let is_in = |at: usize| set >> at & 1 == 1;
                    let before = || (0..ranks.len()).filter(|&at| is_in(at)).map(|at| ranks[at]);
                    (0..ranks.len()).filter(|&at| !is_in(at)).any(|at| {
                        with.ticket.allows(before(), ranks[at]) != without.ticket.allows(before(), ranks[at])
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
            let waits = |rules: &Rules| {
                rules.waits_before_finality() && !p.is_asynchronous() && !p.has(Fault::TwoDeltaWithoutWait)
            };
            // All that the model reads of the rule.
            let effective = |rules: &Rules| (rules.finality.depth(), waits(rules));
            let judged = with.votes() != without.votes()
                || p.observers > 0
                || OF_FINALITY.iter().any(|&of| asked.has(of));
            same(
                effective(with) == effective(without),
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
            let other = quorum(without.quorum, p.fault, n);
            if other == p.committee.quorum {
                because(
                    format!("the quorum of {n} members is {other} without it too"),
                    "use another n, or remove it",
                )
            } else {
                None
            }
        }
        Question::Parent => {
            let effective = |rule: ParentRule| match rule {
                ParentRule::OnFinalizedHead if p.observers == 0 => ParentRule::Notarized,
                rule @ (ParentRule::Notarized | ParentRule::OnFinalizedHead) => rule,
            };
            same(
                effective(with.parent) == effective(without.parent),
                "nobody proposes a block that the one rule refuses and the other does not",
                "set observers = 1 or 2",
            )
        }
        // The layout says it; `Reading` compares that.
        Question::SubroundCap => None,
        Question::SubroundEntry | Question::SubroundSwitch | Question::TicketLog | Question::Echo => None,
    }
}
