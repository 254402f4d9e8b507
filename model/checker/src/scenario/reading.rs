//! From the text of a scenario file to a [`Scenario`]: every value is checked here, and refused with its line. So is a
//! setting that can change nothing: a verdict about it would be a verdict about nothing. What is off by default (`false`,
//! 0) may be written as such anywhere.

use super::{
    Change, Optional, Question, Scenario, ScenarioError, Verdict,
    effect::{idle, idle_fault, idle_threshold},
    expecting::{Given, Mode},
    line_of,
};
use crate::{
    blocks::{BlockId, Blocks, Generator},
    committee::{beacon_threshold, tolerated},
    fault::Fault,
    instance::{Parts, Unfit, sized, takes_certificates},
    protocol::Reductions,
    protocol::{Network, Protocol},
    rules::{Rules, SubroundCapRule},
};
use serde::Deserialize;
use std::{collections::BTreeSet, ops::Range};
use toml::Spanned;

/// Random runs of one check at most.
const MAX_RUNS: u64 = 1_000_000_000;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    question: Spanned<String>,
    profile: Spanned<String>,
    n: Spanned<u32>,
    f: Option<Spanned<u32>>,
    byzantine: Option<Spanned<u32>>,
    rounds: Spanned<u8>,
    subrounds: Spanned<u8>,
    network: Spanned<Network>,
    reserved_rounds: Option<Spanned<u8>>,
    reserved_subrounds: Option<Spanned<u8>>,
    restarts: Option<Spanned<u32>>,
    restarts_behind: Option<Spanned<bool>>,
    observers: Option<Spanned<usize>>,
    twins: Option<Spanned<u8>>,
    outsider: Option<Spanned<bool>>,
    groups: Option<Spanned<Vec<u32>>>,
    beacon_threshold: Option<Spanned<u32>>,
    exposed: Option<Spanned<u32>>,
    generators: Spanned<Vec<Vec<Drawn>>>,
    #[serde(default)]
    order: Vec<Spanned<Order>>,
    #[serde(default)]
    rules: super::Overrides,
    fault: Option<Spanned<Fault>>,
    #[serde(default)]
    reductions: Switches,
    expect: Given,
    states: Option<Spanned<u64>>,
    exhaustive: Option<Spanned<bool>>,
    simulate: Option<Spanned<u64>>,
}

/// A generator that the order draws.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Drawn {
    Honest,
    Byzantine,
}

/// The generators of one round and subround, where they differ from `generators`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    round: u8,
    subround: u8,
    ranks: Vec<Drawn>,
}

/// Which reductions are named.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Switches {
    byzantine_available: Option<Spanned<bool>>,
    eager: Option<Spanned<bool>>,
    symmetry: Option<Spanned<bool>>,
    counting: Option<Spanned<bool>>,
    lazy: Option<Spanned<bool>>,
}

/// What is written, or else the default.
fn or<T: Copy>(given: &Option<Spanned<T>>, default: T) -> T {
    given.as_ref().map_or(default, |given| *given.get_ref())
}

/// One file being read.
pub(super) struct Reading<'a> {
    /// Where it is, for messages.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
    /// How it is read otherwise than it is written.
    pub change: &'a Change,
}

impl Reading<'_> {
    pub(super) fn invalid(
        &self,
        span: Range<usize>,
        field: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> ScenarioError {
        ScenarioError::Invalid {
            path: self.path.into(),
            line: line_of(self.text, &span),
            field,
            message: message.into(),
            fix: fix.into(),
        }
    }

    /// Refuses a setting that is written, and switched on, where it can change nothing.
    fn idle<T: PartialEq + Default>(
        &self,
        given: &Option<Spanned<T>>,
        field: &'static str,
        idle: bool,
        why: &str,
        fix: &str,
    ) -> Result<(), ScenarioError> {
        match given {
            Some(given) if idle && *given.get_ref() != T::default() => {
                Err(self.invalid(given.span(), field, format!("it changes nothing: {why}"), fix))
            }
            _ => Ok(()),
        }
    }

    /// The scenario that the file is.
    pub fn scenario(&self, name: &str, file: File) -> Result<Scenario, ScenarioError> {
        let profile = file.profile.get_ref().clone();
        let base = Rules::profile(&profile).ok_or_else(|| {
            self.invalid(
                file.profile.span(),
                "profile",
                format!("there is no profile `{profile}`"),
                "use `documented`, `deployed` or `hardened`",
            )
        })?;
        if file.question.get_ref().trim().is_empty() {
            let fix = "say in one line what the scenario answers";
            return Err(self.invalid(file.question.span(), "question", "nothing is asked", fix));
        }
        let rules = self.change.rules.over(file.rules.over(base));
        let fault = self.change.fault.or_else(|| file.fault.as_ref().map(|fault| *fault.get_ref()));
        if let Some(threshold) = &file.beacon_threshold
            && fault == Some(Fault::BeaconOfFaultsPlusOne)
        {
            let message = "the mistake in the threshold has no effect beside a number of shares";
            return Err(self.invalid(threshold.span(), "beacon_threshold", message, "remove one of the two"));
        }
        let unfit = |unfit: Unfit| self.unfit(&file, unfit);
        let parts = self.parts(&file, rules, fault)?;
        let layout = |rules: &Rules| self.layout(&file, rules.subround_cap, fault);
        let protocol = parts.checked().map_err(unfit)?;
        let simulate = self.simulated(&file)?;
        let mode = Mode { grouped: file.groups.is_some(), simulated: simulate.is_some() };
        let expect = self.expectations(&file.expect, &protocol, mode)?;
        let exhaustive = or(&file.exhaustive, false);
        let mut scenario = Scenario {
            name: name.into(),
            path: self.path.into(),
            // A question of several lines is one paragraph.
            question: file.question.get_ref().split_whitespace().collect::<Vec<_>>().join(" "),
            profile,
            protocol,
            expect,
            states: file.states.as_ref().map(|states| *states.get_ref()),
            exhaustive,
            simulate,
            notes: Vec::new(),
            optional: Vec::new(),
        };
        if *self.change == Change::default() {
            self.settings(&file, &scenario)?;
            if let Some(fault) = &file.fault
                && let Some((why, fix)) = idle_fault(*fault.get_ref(), &scenario.protocol, scenario.asked())
            {
                return Err(self.invalid(fault.span(), "fault", format!("it changes nothing: {why}"), fix));
            }
            for (question, span, without) in file.rules.written(rules, base) {
                let field = question.field();
                let asked = scenario.asked();
                let same_layout =
                    || layout(&without).is_ok_and(|other| other.same_as(&scenario.protocol.blocks));
                let idle = idle(question, &scenario.protocol, &without, asked).or_else(|| {
                    (question == Question::SubroundCap && same_layout()).then(|| {
                        (
                            "the generators are the same without it".into(),
                            "give later subrounds others".into(),
                        )
                    })
                });
                if let Some((why, fix)) = idle {
                    return Err(self.invalid(span, field, format!("it changes nothing: {why}"), fix));
                }
                if rules == without {
                    let line = line_of(self.text, &span);
                    let profile = &scenario.profile;
                    let note = format!("{}:{line}: {field} is that of `{profile}` already", self.path);
                    scenario.notes.push(note);
                }
            }
            scenario.optional = self.optional(&file, base, &scenario.protocol);
        }
        Ok(scenario)
    }

    /// Each setting that is written and could be left out, and the instance without it, where there is one and it differs.
    fn optional(&self, file: &File, base: Rules, protocol: &Protocol) -> Vec<Optional> {
        let mut optional = Vec::new();
        let mut without =
            |field: &'static str, span: Range<usize>, change: &dyn Fn(&mut File), rules: Rules| {
                let mut other = file.clone();
                change(&mut other);
                let fault = other.fault.as_ref().map(|fault| *fault.get_ref());
                let parts = self.parts(&other, rules, fault).ok().and_then(|parts| parts.checked().ok());
                if let Some(without) = parts.filter(|without| without != protocol) {
                    optional.push(Optional { field, line: line_of(self.text, &span), without });
                }
            };
        let rules = protocol.rules;
        macro_rules! leave_out {
            ($($name:literal $($field:ident).+;)*) => {
                $(if let Some(given) = &file.$($field).+ {
                    without($name, given.span(), &|other| other.$($field).+ = None, rules);
                })*
            };
        }
        leave_out! {
            "byzantine" byzantine;
            "reserved_rounds" reserved_rounds;
            "reserved_subrounds" reserved_subrounds;
            "restarts" restarts;
            "restarts_behind" restarts_behind;
            "observers" observers;
            "twins" twins;
            "outsider" outsider;
            "groups" groups;
            "beacon_threshold" beacon_threshold;
            "exposed" exposed;
            "fault" fault;
            "reductions" reductions.byzantine_available;
            "reductions" reductions.eager;
            "reductions" reductions.symmetry;
            "reductions" reductions.counting;
            "reductions" reductions.lazy;
        }
        for (at, order) in file.order.iter().enumerate() {
            without("order", order.span(), &|other| drop(other.order.remove(at)), rules);
        }
        for (question, span, other) in file.rules.written(rules, base) {
            without(question.field(), span, &|_| {}, other);
        }
        optional
    }

    /// What is wrong with the instance, at the field that says it.
    fn unfit(&self, file: &File, Unfit { field, message, fix }: Unfit) -> ScenarioError {
        let at = |given: Option<Range<usize>>, or: Range<usize>| given.unwrap_or(or);
        let (field, span) = match field {
            "byzantine" => (field, at(file.byzantine.as_ref().map(|g| g.span()), file.n.span())),
            "groups" => match &file.groups {
                Some(groups) => (field, groups.span()),
                None => ("n", file.n.span()),
            },
            "beacon_threshold" => {
                (field, at(file.beacon_threshold.as_ref().map(|g| g.span()), file.n.span()))
            }
            "exposed" => (field, at(file.exposed.as_ref().map(|g| g.span()), file.n.span())),
            "rounds" => (field, file.rounds.span()),
            "subrounds" => (field, file.subrounds.span()),
            "generators" => (field, file.generators.span()),
            "restarts" => (field, at(file.restarts.as_ref().map(|g| g.span()), file.n.span())),
            "restarts_behind" => (field, at(file.restarts_behind.as_ref().map(|g| g.span()), file.n.span())),
            "observers" => (field, at(file.observers.as_ref().map(|g| g.span()), file.n.span())),
            "reserved_rounds" => {
                (field, at(file.reserved_rounds.as_ref().map(|g| g.span()), file.rounds.span()))
            }
            "reserved_subrounds" => {
                (field, at(file.reserved_subrounds.as_ref().map(|g| g.span()), file.subrounds.span()))
            }
            "reductions" => (field, file.network.span()),
            "rules" => (field, file.profile.span()),
            _ => (field, file.n.span()),
        };
        self.invalid(span, field, message, fix)
    }

    /// The instance that the file writes down.
    fn parts(&self, file: &File, rules: Rules, fault: Option<Fault>) -> Result<Parts, ScenarioError> {
        let unfit = |unfit: Unfit| self.unfit(file, unfit);
        let n = *file.n.get_ref();
        let tolerated = tolerated(n);
        if let Some(claimed) = &file.f
            && *claimed.get_ref() != tolerated
        {
            let f = *claimed.get_ref();
            let message = format!("n = {n} tolerates f = floor((n - 1) / 3) = {tolerated}, not {f}");
            let fix = format!(
                "use f = {tolerated} or remove `f`; f = {f} takes n = {} at least",
                3 * u64::from(f) + 1
            );
            return Err(self.invalid(claimed.span(), "f", message, fix));
        }
        let byzantine = or(&file.byzantine, tolerated);
        let honest = n.saturating_sub(byzantine).min(crate::committee::MAX_COMMITTEE);
        let groups = file.groups.as_ref().map_or_else(|| vec![1; honest as usize], |g| g.get_ref().clone());
        let network = *file.network.get_ref();
        sized(*file.rounds.get_ref(), *file.subrounds.get_ref()).map_err(unfit)?;
        self.orders(file, &rules)?;
        let good = u8::from(network == Network::PartiallySynchronous);
        let asynchronous = matches!(network, Network::Async | Network::Lossy);
        let switches = &file.reductions;
        Ok(Parts {
            n,
            byzantine,
            groups,
            beacon_threshold: or(&file.beacon_threshold, beacon_threshold(fault, n)),
            exposed: or(&file.exposed, 0),
            rules,
            fault,
            blocks: self.layout(file, rules.subround_cap, fault)?,
            network,
            restarts: or(&file.restarts, 0),
            restarts_behind: or(&file.restarts_behind, false),
            observers: or(&file.observers, 0),
            reserved_rounds: or(&file.reserved_rounds, good),
            reserved_subrounds: or(&file.reserved_subrounds, good),
            reductions: Reductions {
                byzantine_available: or(&switches.byzantine_available, true),
                eager: or(&switches.eager, true),
                symmetry: or(&switches.symmetry, true),
                counting: or(&switches.counting, true),
                lazy: or(&switches.lazy, asynchronous && takes_certificates(&rules, fault)),
            },
        })
    }

    /// The generators by rank of one subround, and which list of `generators` they are, if one.
    fn drawn<'f>(&self, file: &'f File, round: u8, subround: u8) -> (&'f [Drawn], Option<usize>) {
        let of = |o: &&Spanned<Order>| (o.get_ref().round, o.get_ref().subround) == (round, subround);
        if let Some(order) = file.order.iter().find(of) {
            return (&order.get_ref().ranks, None);
        }
        let table = file.generators.get_ref();
        let list = usize::from(subround).min(table.len() - 1);
        (&table[list], Some(list))
    }

    /// Lists of generators: each is there once, is read, and says something of its own.
    fn orders(&self, file: &File, rules: &Rules) -> Result<(), ScenarioError> {
        let (rounds, subrounds) = (*file.rounds.get_ref(), *file.subrounds.get_ref());
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
        let Some(unused) = (0..table.len()).find(|list| !used.contains(list)) else { return Ok(()) };
        let message = if unused < usize::from(read) {
            format!("list {} is never read: subround {unused} has an [[order]] in every round", unused + 1)
        } else {
            format!("list {} is for subround {unused}, and the generators of {read} are read", unused + 1)
        };
        let fix = "remove the list, or give `generators` what the [[order]]s say";
        Err(self.invalid(file.generators.span(), "generators", message, fix))
    }

    /// The blocks that can exist under those rules.
    fn layout(
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
        let (rounds, subrounds) = (*file.rounds.get_ref(), *file.subrounds.get_ref());
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

    /// How many random runs stand in for an exploration, if any do.
    fn simulated(&self, file: &File) -> Result<Option<u64>, ScenarioError> {
        if let Some(states) = &file.states
            && *states.get_ref() == 0
        {
            return Err(self.invalid(
                states.span(),
                "states",
                "no scenario has none",
                "pin 1 or more, or remove it",
            ));
        }
        let Some(given) = &file.simulate else { return Ok(None) };
        let runs = *given.get_ref();
        if runs == 0 || runs > MAX_RUNS {
            let fix = format!("use 1 to {MAX_RUNS}, or remove it");
            return Err(self.invalid(given.span(), "simulate", format!("{runs} random runs"), fix));
        }
        if let Some(states) = &file.states {
            let fix = "remove `states` or `simulate`";
            let message = "random runs do not count unique states";
            return Err(self.invalid(states.span(), "states", message, fix));
        }
        if or(&file.exhaustive, false) {
            let fix = "remove `exhaustive` or `simulate`";
            return Err(self.invalid(given.span(), "simulate", "random runs are not exhaustive", fix));
        }
        Ok(Some(runs))
    }

    /// Refuses what is written and can change nothing, but for [`Reading::orders`] and rules.
    fn settings(&self, file: &File, scenario: &Scenario) -> Result<(), ScenarioError> {
        let p = &scenario.protocol;
        let subrounds = p.blocks.subrounds;
        let generator = |b: BlockId| p.blocks.place(b).generator;
        let equivocates = p.blocks.all().any(|b| generator(b) == Generator::Byzantine);
        let remove = "remove it";
        self.idle(
            &file.twins,
            "twins",
            !equivocates,
            "no generator is Byzantine",
            "name a byzantine one, or remove it",
        )?;
        for (idle, why, fix) in [
            (p.committee.byzantine == 0, "no member is Byzantine", "set byzantine = 1 or more, or remove it"),
            (p.has(Fault::SeedFromProposal), "that mistake has one already", remove),
            (
                p.reductions.eager,
                "a block is proposed with its first ticket, and no honest miner tickets that of an outsider",
                "set eager = false in [reductions], so that it is sent all the same, or remove it",
            ),
        ] {
            self.idle(&file.outsider, "outsider", idle, why, fix)?;
        }
        let ones = file.groups.as_ref().is_some_and(|g| g.get_ref().iter().all(|&weight| weight == 1));
        self.idle(&file.groups, "groups", ones, "each miner acts alone without it", remove)?;
        let unseen = p.too_few_rounds() && !p.looks_at_heads();
        let why = "no block can become final, so no observer does anything";
        self.idle(&file.observers, "observers", unseen, why, "use another rule of finality, or remove it")?;
        self.threshold(file, p)?;
        let of_all = |v| matches!(v, Verdict::Holds | Verdict::Unreachable);
        let whole = scenario.states.is_some() || scenario.expect.iter().any(|e| of_all(e.verdict));
        let why = "what is expected needs every state anyway";
        self.idle(&file.exhaustive, "exhaustive", whole, why, remove)?;

        // What a reduction merges must be there, and another one must not forbid it.
        let asynchronous = matches!(p.network, Network::Async | Network::Lossy);
        let switches = &file.reductions;
        let sampled = scenario.simulate.is_some();
        let alone = p.committee.weights.iter().collect::<BTreeSet<_>>().len() == p.honest();
        let archived = Protocol { reductions: Reductions::ALL, ..p.clone() }.keeps_archive();
        let named = "random runs name every miner, so it is off";
        for (given, idle, why) in [
            (&switches.byzantine_available, p.committee.byzantine == 0, "no member is Byzantine"),
            (&switches.symmetry, alone, "no two miners are interchangeable"),
            (&switches.symmetry, sampled, named),
            (
                &switches.counting,
                archived,
                "miners that forget, or restart behind, need the past by name anyway",
            ),
            (&switches.counting, sampled, named),
            (&switches.lazy, subrounds == 1, "nobody times out of the only subround"),
            (&switches.lazy, sampled, named),
            (
                &switches.lazy,
                !asynchronous || !p.takes_certificates(),
                "timeouts wait for a use only in an asynchronous network, and with certificates",
            ),
        ] {
            if let Some(given) = given.as_ref().filter(|given| idle && !given.get_ref()) {
                return Err(self.invalid(
                    given.span(),
                    "reductions",
                    format!("it changes nothing: {why}"),
                    remove,
                ));
            }
        }
        Ok(())
    }

    /// A number of shares changes something where another one would.
    fn threshold(&self, file: &File, p: &Protocol) -> Result<(), ScenarioError> {
        let Some(given) = &file.beacon_threshold else { return Ok(()) };
        let default = beacon_threshold(None, p.committee.n);
        match idle_threshold(p, default) {
            Some((why, fix)) if *given.get_ref() != default => {
                Err(self.invalid(given.span(), "beacon_threshold", format!("it changes nothing: {why}"), fix))
            }
            _ => Ok(()),
        }
    }
}
