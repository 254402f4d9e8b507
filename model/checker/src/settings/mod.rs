//! Whether what an instance has can change anything: the one judge of scenarios and traces, after the one validator of what
//! makes an instance ([`Parts::checked`]). A setting that differs from what is usual, and cannot matter in any run of the
//! instance, is refused: a verdict about it would be a verdict about nothing. One that could matter is taken, also by a trace
//! whose run makes no use of it.
//!
//! The two differ only in the usual values ([`Form`]). A rule is judged where a scenario overrides its profile with it
//! (`scenario/effect.rs`): a trace has an answer to every question, and names no profile.

mod fault;

pub(crate) use fault::idle_fault;

use crate::{
    blocks::{Blocks, Generator, Place, proposes_twice},
    committee::beacon_threshold,
    fault::Fault,
    instance::{Parts, Unfit, takes_certificates},
    properties::{Facts, Property},
    protocol::{Network, Protocol, Reductions},
    rules::{ParentRule, Rules},
};

/// Why a setting changes nothing, and what would let it.
pub(crate) type Idle = (String, String);

/// The properties that depend on final blocks.
pub(crate) const OF_FINALITY: [Property; 9] = [
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

pub(crate) fn because(why: impl Into<String>, fix: impl Into<String>) -> Option<Idle> {
    Some((why.into(), fix.into()))
}

impl Protocol {
    pub(crate) fn is_asynchronous(&self) -> bool {
        matches!(self.network, Network::Async | Network::Lossy)
    }

    /// Whether a place of that kind is there.
    fn generates(&self, of: impl Fn(&Place) -> bool) -> bool {
        self.blocks.all().any(|b| of(self.blocks.place(b)))
    }

    /// Whether a miner that has just sent its share can be without the value, so that it matters who else has.
    pub(crate) fn waits_for_shares(&self) -> bool {
        let least = self.committee.weights.iter().min().copied().unwrap_or(0);
        !self.reductions.eager
            || !self.is_asynchronous()
            || self.committee.beacon_threshold > self.committee.byzantine + least
    }

    /// Whether the finalized heads bind the miners.
    fn looks_at_heads(&self) -> bool {
        match self.rules.parent {
            ParentRule::Notarized => false,
            ParentRule::OnFinalizedHead => true,
        }
    }

    /// Whether there are fewer rounds than the rule of finality goes back, so that no block can become final.
    pub(crate) fn too_few_rounds(&self) -> bool {
        self.rules.finality.depth().is_some_and(|depth| depth >= self.blocks.rounds)
    }
}

/// The purpose of an instance, which decides the usual reductions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// A scenario, which is explored with all reductions.
    Explored,
    /// A scenario of which random runs are taken, which name every miner.
    Sampled,
    /// A trace, which names every miner.
    Run,
}

impl Form {
    /// The reductions of an instance in which none is named.
    fn usual(self, network: Network, rules: &Rules, fault: Option<Fault>) -> Reductions {
        match self {
            Form::Explored | Form::Sampled => Reductions {
                lazy: matches!(network, Network::Async | Network::Lossy) && takes_certificates(rules, fault),
                ..Reductions::ALL
            },
            Form::Run => {
                Reductions { symmetry: false, counting: false, lazy: false, sorted: false, ..Reductions::ALL }
            }
        }
    }
}

/// The instance of a trace as it is explored, and the form that it then has: as that of a scenario is, unless the trace itself
/// switches a reduction on that only explorations have.
pub(crate) fn explored(p: &Protocol) -> (Protocol, Form) {
    let Reductions { symmetry, counting, lazy, .. } = p.reductions;
    if symmetry || counting || lazy {
        return (p.clone(), Form::Run);
    }
    let usual = Form::Explored.usual(p.network, &p.rules, p.fault);
    let Reductions { byzantine_available, eager, .. } = p.reductions;
    let reductions = Reductions { byzantine_available, eager, ..usual };
    (Protocol { reductions, ..p.clone() }, Form::Explored)
}

/// Refuses the first setting of `p` that is not the usual one and can change nothing that `asked` is about. The field has its
/// name in a scenario.
pub(crate) fn judge(p: &Protocol, form: Form, asked: Facts) -> Result<(), Unfit> {
    let refuse = |field: &'static str, idle: Option<Idle>| match idle {
        Some((why, fix)) => Err(Unfit { field, message: format!("it changes nothing: {why}"), fix }),
        None => Ok(()),
    };
    refuse("outsider", idle_outsider(p))?;
    let unseen = p.observers > 0 && p.too_few_rounds() && !p.looks_at_heads();
    let why = "no block can become final, so no observer does anything";
    refuse("observers", because(why, "use another rule of finality, or remove it").filter(|_| unseen))?;
    let (given, usual) = (p.committee.beacon_threshold, beacon_threshold(p.fault, p.committee.n));
    if given != usual {
        let why = "the mistake in the threshold has no effect beside another number of shares";
        let fix = format!("set beacon_threshold = {usual}, or remove the mistake");
        let twice = p.has(Fault::BeaconOfFaultsPlusOne);
        refuse("beacon_threshold", because(why, fix).filter(|_| twice).or_else(|| idle_threshold(p, usual)))?;
    }
    idle_reduction(p, form).map_or(Ok(()), |(field, idle)| refuse(field, idle))?;
    refuse("fault", p.fault.and_then(|fault| idle_fault(fault, p, asked)))
}

/// Why a block of a miner that is no generator changes nothing, where it is not part of a mistake.
fn idle_outsider(p: &Protocol) -> Option<Idle> {
    if p.has(Fault::SeedFromProposal) || !p.generates(|place| place.generator == Generator::Outsider) {
        None
    } else if p.committee.byzantine == 0 {
        because("no member is Byzantine", "set byzantine = 1 or more, or remove it")
    } else if p.reductions.eager {
        because(
            "a block is proposed with its first ticket, and no honest miner tickets that of an outsider",
            "set eager = false in [reductions], so that it is sent all the same, or remove it",
        )
    } else {
        None
    }
}

/// Why a reduction that is not as usual merges, or leaves apart, what is not there.
fn idle_reduction(p: &Protocol, form: Form) -> Option<(&'static str, Option<Idle>)> {
    let (is, usual) = (p.reductions, form.usual(p.network, &p.rules, p.fault));
    let miners = || (0..p.honest()).flat_map(|b| (0..b).map(move |a| (a, b)));
    let archived = Protocol { reductions: Reductions { counting: true, ..is }, ..p.clone() }.keeps_archive();
    let sampled = form == Form::Sampled;
    let named = "random runs name every miner, so it is off";
    let cases = [
        (
            "reductions.byzantine_available",
            (is.byzantine_available, usual.byzantine_available),
            p.committee.byzantine == 0,
            "no member is Byzantine",
        ),
        (
            "reductions.symmetry",
            (is.symmetry, usual.symmetry),
            !miners().any(|(a, b)| p.alike(a, b)),
            "no two miners are interchangeable",
        ),
        ("reductions.symmetry", (is.symmetry, usual.symmetry), sampled, named),
        (
            "reductions.counting",
            (is.counting, usual.counting),
            archived,
            "miners that forget, or restart behind, need the past by name anyway",
        ),
        ("reductions.counting", (is.counting, usual.counting), sampled, named),
        (
            "reductions.lazy",
            (is.lazy, usual.lazy),
            p.blocks.subrounds == 1,
            "nobody times out of the only subround",
        ),
        ("reductions.lazy", (is.lazy, usual.lazy), sampled, named),
    ];
    let (field, (_, usual), _, why) =
        cases.into_iter().find(|(_, (is, usual), idle, _)| is != usual && *idle)?;
    let fix = if form == Form::Run { format!("set it to {usual}") } else { "remove it".to_owned() };
    Some((field, because(why, fix)))
}

/// Each setting of `p` that could be left out, by its field, and the instance without it, where there is one.
pub(crate) fn without(p: &Protocol, form: Form) -> Vec<(&'static str, Protocol)> {
    type Setting<'a> = (&'static str, &'a dyn Fn(&mut Parts));
    let good = u8::from(form != Form::Run && p.network == Network::PartiallySynchronous);
    let usual = form.usual(p.network, &p.rules, p.fault);
    let settings: [Setting<'_>; 13] = [
        ("reserved_rounds", &|parts| parts.reserved_rounds = good),
        ("reserved_subrounds", &|parts| parts.reserved_subrounds = good),
        ("restarts", &|parts| parts.restarts = 0),
        ("restarts_behind", &|parts| parts.restarts_behind = false),
        ("observers", &|parts| parts.observers = 0),
        ("groups", &|parts| parts.groups = vec![1; (parts.n - parts.byzantine) as usize]),
        ("beacon_threshold", &|parts| parts.beacon_threshold = beacon_threshold(parts.fault, parts.n)),
        ("exposed", &|parts| parts.exposed = 0),
        ("reductions.byzantine_available", &|parts| {
            parts.reductions.byzantine_available = usual.byzantine_available
        }),
        ("reductions.eager", &|parts| parts.reductions.eager = usual.eager),
        ("reductions.symmetry", &|parts| parts.reductions.symmetry = usual.symmetry),
        ("reductions.counting", &|parts| parts.reductions.counting = usual.counting),
        ("reductions.lazy", &|parts| parts.reductions.lazy = usual.lazy),
    ];
    let changed = settings.into_iter().map(|(field, change)| {
        let mut parts = Parts::from(p);
        change(&mut parts);
        (field, parts)
    });
    let faultless = p.fault.map(|fault| ("fault", faultless(p, fault, form)));
    let others = changed.chain(faultless).filter_map(|(field, parts)| Some((field, parts.checked().ok()?)));
    others.filter(|(_, other)| other != p).collect()
}

/// `p` without its mistake, and without what came with it.
fn faultless(p: &Protocol, fault: Fault, form: Form) -> Parts {
    let mut parts = Parts { fault: None, ..Parts::from(p) };
    if p.committee.beacon_threshold == beacon_threshold(Some(fault), p.committee.n) {
        parts.beacon_threshold = beacon_threshold(None, p.committee.n);
    }
    let lazy = |fault| form.usual(p.network, &p.rules, fault).lazy;
    if p.reductions.lazy == lazy(Some(fault)) {
        parts.reductions.lazy = lazy(None);
    }
    let stays = |place: &Place| match place.generator {
        Generator::Byzantine => true,
        Generator::Honest => place.twin == 0 || !proposes_twice(Some(fault)),
        Generator::Outsider => fault != Fault::SeedFromProposal,
    };
    let places: Vec<Place> = p.blocks.all().map(|b| *p.blocks.place(b)).filter(stays).collect();
    if let Ok(blocks) = Blocks::from_places(p.blocks.rounds, p.blocks.subrounds, &places) {
        parts.blocks = blocks;
    }
    parts
}

/// Why it changes nothing that as many shares as in `p` make a beacon value, and not `other`.
fn idle_threshold(p: &Protocol, other: u32) -> Option<Idle> {
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
