//! Whether a mistake that is written can change anything, argued from where it is made ([`crate::action`]).

use super::{Idle, OF_FINALITY, because, idle_threshold};
use crate::{
    blocks::{BlockId, Generator},
    committee::{beacon_threshold, overlap, quorum},
    fault::Fault,
    properties::Facts,
    protocol::Protocol,
};

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
            let waits = p.rules.waits_before_finality() && !p.is_asynchronous();
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

/// Whether a round has a Byzantine generator in two subrounds.
fn twice_in_a_round(p: &Protocol) -> bool {
    let byzantine = |b: &BlockId| p.blocks.place(*b).generator == Generator::Byzantine;
    (1..=p.blocks.rounds).any(|round| {
        let mut subrounds = p.blocks.of_round(round).filter(byzantine).map(|b| p.blocks.place(b).subround);
        subrounds.next().is_some_and(|first| subrounds.any(|other| other != first))
    })
}
