//! Whether a rule that is written can change anything: where it cannot, a verdict about it is a verdict about nothing.
//!
//! Each answer is argued from where the rule is read ([`crate::action`], [`crate::good_period`]), and compared with the
//! explored states of small instances by `tests/settings.rs`, in both directions.

use super::Question;
use crate::{
    blocks::{BlockId, Generator, Place},
    committee::{beacon_threshold, overlap, quorum},
    fault::Fault,
    properties::{Facts, Property},
    protocol::{Network, Protocol},
    rules::{BeaconRule, FinalityRule, ParentRule, Rules, TicketRule},
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

    /// Whether the finalized heads bind the miners.
    pub(super) fn looks_at_heads(&self) -> bool {
        match self.rules.parent {
            ParentRule::Notarized => false,
            ParentRule::OnFinalizedHead => true,
        }
    }

    /// Whether there are fewer rounds than the rule of finality goes back, so that no block can become final.
    pub(super) fn too_few_rounds(&self) -> bool {
        match self.rules.finality {
            FinalityRule::CommonAncestor { depth } => depth >= self.blocks.rounds,
            FinalityRule::TwoThirds | FinalityRule::TwoDelta | FinalityRule::Votes => false,
        }
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

/// Why the mistake changes nothing in `p`, which makes it.
pub(crate) fn idle_fault(fault: Fault, p: &Protocol, asked: Facts) -> Option<Idle> {
    let (rounds, subrounds) = (p.blocks.rounds, p.blocks.subrounds);
    let byzantine = p.committee.byzantine > 0;
    let when = |idle: bool, why: &str, fix: &str| if idle { because(why, fix) } else { None };
    let chained = || {
        let why = "it is a mistake of a beacon that is not chained";
        when(p.rules.chained(), why, "set beacon = \"RoundOnly\" in [rules], or remove it")
    };
    let one_round = |why| when(rounds == 1, why, "set rounds = 2 or more, or remove it");
    let nobody = || {
        let fix = "set byzantine = 1 or more, or remove it";
        when(!byzantine, "no member is Byzantine, and so nobody sends what it takes wrongly", fix)
    };
    let votes = || {
        let fix = "set finality = \"Votes\" in [rules], or remove it";
        when(!p.rules.votes(), "no finality votes are cast", fix)
    };
    let generator = |of: Generator| p.generates(|place| place.generator == of);
    let no_honest = || {
        let fix = "name an honest generator, or remove it";
        when(!generator(Generator::Honest), "no generator is honest", fix)
    };
    let certificates = || {
        when(
            p.rules.enters_alone() || subrounds == 1,
            "no subround is entered with a certificate",
            "set subrounds = 2 or more, and subround_entry = \"Certificate\" in [rules], or remove it",
        )
    };
    let restarts = || {
        let fix = "set restarts = 1 or more, or remove it";
        when(p.crashes == 0, "no miner restarts, so none reads its log", fix)
    };
    let durable = || {
        let fix = "set ticket_log = \"Durable\" in [rules], or remove it";
        when(!p.rules.is_durable(), "nothing is durable under this rule", fix)
    };
    let heads = || {
        when(p.observers == 0, "no observer has a head", "set observers = 1 or 2, or remove it").or_else(
            || {
                let why = "a block is final more rounds below a tip than there are";
                when(p.too_few_rounds(), why, "set rounds above the depth, or remove it")
            },
        )
    };
    // A vote beside a ticket for another block takes two blocks of a round.
    let one_block = || {
        let one = (1..=rounds).all(|round| p.blocks.of_round(round).count() < 2);
        when(one, "no round has a second block to ticket", "name a second generator, or remove it")
    };
    let number = |ours: u32, other: u32, of: &str| {
        let why = format!("{of} of {} members is {ours} without it too", p.committee.n);
        when(ours == other, &why, "use another n, or remove it")
    };
    match fault {
        // Without it the adversary forms beacon values there; with it none is told apart.
        Fault::EarlySharesDropped if Protocol { fault: None, ..p.clone() }.forms_beacon() => chained(),
        Fault::EarlySharesDropped => {
            chained().or_else(|| one_round("everybody enters the only round together, and no share is early"))
        }
        Fault::SeedFromProposal => chained().or_else(nobody),
        Fault::BeaconOfFaultsPlusOne => {
            let usual = beacon_threshold(None, p.committee.n);
            number(p.committee.beacon_threshold, usual, "the threshold").or_else(|| idle_threshold(p, usual))
        }
        Fault::ProposesTwice => no_honest(),
        Fault::ParentUnchecked => one_round("every block of round 1 extends genesis").or_else(|| {
            let chooses = p.generates(|place| place.generator == Generator::Byzantine && place.round > 1);
            let fix = "name a byzantine generator in round 2, or remove it";
            when(!chooses, "nobody proposes a block whose parent is not notarized", fix)
        }),
        Fault::ProposalsVolatile => durable().or_else(restarts).or_else(no_honest),
        Fault::VotesVolatile => durable().or_else(restarts).or_else(votes).or_else(|| {
            let fix = "set restarts_behind = true, or remove it";
            when(!p.restarts_behind, "no miner comes back into a round that it left", fix)
        }),
        Fault::QuorumOneLess | Fault::QuorumOfFaultsPlusOne => {
            number(p.committee.quorum, quorum(p.rules.quorum, None, p.committee.n), "the quorum")
        }
        Fault::EmbeddedUnverified | Fault::UnweightedSum | Fault::DuplicateSigner => nobody(),
        Fault::LabelUnchecked => one_round("no notarization is of another round"),
        Fault::SubroundUnbound => {
            let fix = "name byzantine generators in two subrounds of a round, or remove it";
            when(!twice_in_a_round(p), "no generator makes the same block in two subrounds", fix)
        }
        Fault::NotRecorded => None,
        Fault::NotarizationsNotRelayed => when(
            p.is_asynchronous() || !p.echoes_timeouts(),
            "nobody has to wait for a relay here",
            "use network = \"partially_synchronous\", and echo = \"Certificates\" in [rules], or remove it",
        ),
        Fault::VotesAfterOtherTicket => votes().or_else(one_block),
        Fault::VotesWithoutLeaving => votes(),
        Fault::OwnSubroundOnly | Fault::WithoutCertificate => certificates(),
        Fault::TwoDeltaWithoutWait => {
            let waits = match p.rules.finality {
                FinalityRule::TwoDelta => !p.is_asynchronous(),
                FinalityRule::TwoThirds | FinalityRule::CommonAncestor { .. } | FinalityRule::Votes => false,
            };
            let fix = "set finality = \"TwoDelta\" in [rules], and a network that becomes synchronous";
            when(!waits, "nobody waits", fix).or_else(|| {
                let judged = p.observers > 0 || OF_FINALITY.iter().any(|&of| asked.has(of));
                let fix = "expect S5, S6 or `final`, or remove it";
                when(!judged, "nothing that is expected looks at what is final", fix)
            })
        }
        Fault::HeadAnywhere | Fault::HeadMovesBack => heads().or_else(|| {
            // Two quorums share an honest miner that votes once, for the only block that it ticketed.
            let honest = p.committee.byzantine <= p.committee.f
                && overlap(p.committee.n, p.committee.quorum) > p.committee.f;
            let once = p.rules.votes()
                && p.rules.tickets_once()
                && (p.crashes == 0 || p.rules.is_durable() && !p.restarts_behind);
            let fix = "use another rule of finality, or more than f Byzantine members";
            // To move anywhere is to move to an ancestor, too, where there is one.
            let ancestor = fault == Fault::HeadAnywhere && rounds > 1;
            when(honest && once && !ancestor, "no two final blocks conflict, so a head has no choice", fix)
        }),
        Fault::HeadSkipsMissing => heads().or_else(|| one_round("there is no round to skip")),
    }
}

/// Why it changes nothing that as many shares as in `p` make a beacon value, and not `other`.
pub(super) fn idle_threshold(p: &Protocol, other: u32) -> Option<Idle> {
    let mut without = p.clone();
    without.committee.beacon_threshold = other;
    let formed = p.forms_beacon() || without.forms_beacon();
    // All shares of round 1 are there from the start, the adversary's among them.
    let formed = formed && p.blocks.rounds > 1;
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
    match rule {
        FinalityRule::CommonAncestor { depth: 0 } => FinalityRule::TwoThirds,
        FinalityRule::TwoDelta if p.is_asynchronous() || p.has(Fault::TwoDeltaWithoutWait) => {
            FinalityRule::TwoThirds
        }
        rule @ (FinalityRule::TwoThirds
        | FinalityRule::CommonAncestor { .. }
        | FinalityRule::TwoDelta
        | FinalityRule::Votes) => rule,
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
