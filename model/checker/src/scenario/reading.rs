//! From the text of a scenario file to a [`Scenario`]: every value is checked here, and refused with its line. So is a
//! setting that can change nothing: a verdict about it would be vacuous. A setting that is off (`false`, 0) is allowed
//! anywhere.

use super::{
    Change, Optional, Question, Scenario, ScenarioError, Verdict,
    effect::idle,
    engine::{self, Count, Engine},
    expecting::{Given, Mode},
    generators::{Drawn, Order},
    line_of,
};
use crate::{
    blocks::Generator,
    committee::{beacon_threshold, tolerated},
    fault::Fault,
    instance::{Parts, Unfit, sized, takes_certificates},
    protocol::Reductions,
    protocol::{Network, Protocol},
    rules::Rules,
    settings::{Form, judge, without},
};
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

/// Random runs of one check at most.
const MAX_RUNS: u64 = 1_000_000_000;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    question: Spanned<String>,
    pub(super) profile: Spanned<String>,
    n: Spanned<u32>,
    f: Option<Spanned<u32>>,
    byzantine: Option<Spanned<u32>>,
    pub(super) rounds: Spanned<Count>,
    subrounds: Spanned<Count>,
    idle_blocks: Option<Spanned<u8>>,
    engine: Option<Spanned<Engine>>,
    network: Spanned<Network>,
    reserved_rounds: Option<Spanned<u8>>,
    reserved_subrounds: Option<Spanned<u8>>,
    restarts: Option<Spanned<u32>>,
    restarts_behind: Option<Spanned<bool>>,
    observers: Option<Spanned<usize>>,
    pub(super) twins: Option<Spanned<u8>>,
    pub(super) outsider: Option<Spanned<bool>>,
    groups: Option<Spanned<Vec<u32>>>,
    beacon_threshold: Option<Spanned<u32>>,
    exposed: Option<Spanned<u32>>,
    pub(super) generators: Spanned<Vec<Vec<Drawn>>>,
    #[serde(default)]
    pub(super) order: Vec<Spanned<Order>>,
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

/// Which reductions are named.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Switches {
    byzantine_available: Option<Spanned<bool>>,
    eager: Option<Spanned<bool>>,
    symmetry: Option<Spanned<bool>>,
    counting: Option<Spanned<bool>>,
    lazy: Option<Spanned<bool>>,
    sorted: Option<Spanned<bool>>,
}

impl Switches {
    /// Where the first one is written that is switched off.
    fn off(&self) -> Option<Range<usize>> {
        let Switches { byzantine_available, eager, symmetry, counting, lazy, sorted } = self;
        let all = [byzantine_available, eager, symmetry, counting, lazy, sorted];
        all.into_iter().flatten().find(|switch| !*switch.get_ref()).map(|switch| switch.span())
    }
}

impl File {
    pub(super) fn size(&self) -> (u8, u8) {
        (self.rounds.get_ref().number(), self.subrounds.get_ref().number())
    }

    /// The fields about its engine.
    fn of_engine(&self) -> engine::Given<'_> {
        let File { rounds, subrounds, idle_blocks, engine, simulate, reductions, .. } = self;
        engine::Given { rounds, subrounds, idle_blocks, engine, simulate, reductions: reductions.off() }
    }
}

/// The given value, or else the default.
pub(super) fn or<T: Copy>(given: &Option<Spanned<T>>, default: T) -> T {
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

    /// Whether the file is read as it is written.
    pub(super) fn is_as_written(&self) -> bool {
        *self.change == Change::default()
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
        let form = if simulate.is_some() { Form::Sampled } else { Form::Explored };
        let mode = Mode { grouped: file.groups.is_some(), simulated: simulate.is_some() };
        let expect = self.expectations(&file.expect, &protocol, mode)?;
        let choice = self.choice(&file.of_engine(), &protocol, &expect)?;
        let exhaustive = or(&file.exhaustive, false);
        let mut scenario = Scenario {
            name: name.into(),
            path: self.path.into(),
            // A question of several lines is one paragraph.
            question: file.question.get_ref().split_whitespace().collect::<Vec<_>>().join(" "),
            profile,
            protocol,
            choice,
            expect,
            states: file.states.as_ref().map(|states| *states.get_ref()),
            exhaustive,
            simulate,
            notes: Vec::new(),
            optional: Vec::new(),
        };
        if self.is_as_written() {
            self.settings(&file, &scenario)?;
            judge(&scenario.protocol, form, scenario.asked()).map_err(unfit)?;
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
            scenario.optional = self.optional(&file, base, &scenario.protocol, form);
        }
        Ok(scenario)
    }

    /// Each setting that is written and could be left out, and the instance without it, where there is one and it differs.
    fn optional(&self, file: &File, base: Rules, protocol: &Protocol, form: Form) -> Vec<Optional> {
        let mut optional = Vec::new();
        for (field, without) in without(protocol, form) {
            let span = self.place(file, field).1;
            optional.push(Optional { field, line: line_of(self.text, &span), without });
        }
        let mut without =
            |field: &'static str, span: Range<usize>, change: &dyn Fn(&mut File), rules: Rules| {
                let mut other = file.clone();
                change(&mut other);
                let parts = self.parts(&other, rules, protocol.fault);
                let parts = parts.ok().and_then(|parts| parts.checked().ok());
                if let Some(without) = parts.filter(|without| without != protocol) {
                    optional.push(Optional { field, line: line_of(self.text, &span), without });
                }
            };
        let rules = protocol.rules;
        if let Some(given) = &file.byzantine {
            without("byzantine", given.span(), &|other| other.byzantine = None, rules);
        }
        if let Some(given) = &file.twins {
            without("twins", given.span(), &|other| other.twins = None, rules);
        }
        if let Some(given) = &file.outsider {
            without("outsider", given.span(), &|other| other.outsider = None, rules);
        }
        for (at, order) in file.order.iter().enumerate() {
            without("order", order.span(), &|other| drop(other.order.remove(at)), rules);
        }
        for (question, span, other) in file.rules.written(rules, base) {
            without(question.field(), span, &|_| {}, other);
        }
        optional
    }

    /// The error in the instance, at the field that causes it.
    fn unfit(&self, file: &File, Unfit { field, message, fix }: Unfit) -> ScenarioError {
        let (field, span) = self.place(file, field);
        self.invalid(span, field, message, fix)
    }

    /// Where a field is written, or else what it follows from.
    fn place(&self, file: &File, field: &'static str) -> (&'static str, Range<usize>) {
        fn of<T>(given: &Option<Spanned<T>>, or: Range<usize>) -> Range<usize> {
            given.as_ref().map_or(or, |given| given.span())
        }
        let n = file.n.span();
        let span = match field {
            "groups" => match &file.groups {
                Some(groups) => groups.span(),
                None => return ("n", n),
            },
            "byzantine" => of(&file.byzantine, n),
            "beacon_threshold" => of(&file.beacon_threshold, n),
            "exposed" => of(&file.exposed, n),
            "rounds" => file.rounds.span(),
            "subrounds" => file.subrounds.span(),
            "generators" => file.generators.span(),
            "outsider" => of(&file.outsider, n),
            "restarts" => of(&file.restarts, n),
            "restarts_behind" => of(&file.restarts_behind, n),
            "observers" => of(&file.observers, n),
            "reserved_rounds" => of(&file.reserved_rounds, file.rounds.span()),
            "reserved_subrounds" => of(&file.reserved_subrounds, file.subrounds.span()),
            "fault" => of(&file.fault, n),
            "reductions.byzantine_available" => of(&file.reductions.byzantine_available, n),
            "reductions.eager" => of(&file.reductions.eager, n),
            "reductions.symmetry" => of(&file.reductions.symmetry, n),
            "reductions.counting" => of(&file.reductions.counting, n),
            "reductions.lazy" => of(&file.reductions.lazy, n),
            "reductions.sorted" => of(&file.reductions.sorted, n),
            "reductions" => file.network.span(),
            "rules" => file.profile.span(),
            _ => n,
        };
        (field, span)
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
        let (rounds, subrounds) = file.size();
        sized(rounds, subrounds).map_err(unfit)?;
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
                sorted: or(&switches.sorted, true),
            },
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

    /// Refuses what only a scenario can write, and can change nothing, but for [`Reading::orders`] and rules.
    fn settings(&self, file: &File, scenario: &Scenario) -> Result<(), ScenarioError> {
        let p = &scenario.protocol;
        let remove = "remove it";
        let equivocates = p.blocks.all().any(|b| p.blocks.place(b).generator == Generator::Byzantine);
        let fix = "name a byzantine one, or remove it";
        self.idle(&file.twins, "twins", !equivocates, "no generator is Byzantine", fix)?;
        let given = p.has(Fault::SeedFromProposal);
        self.idle(&file.outsider, "outsider", given, "that mistake has one already", remove)?;
        let ones = file.groups.as_ref().is_some_and(|g| g.get_ref().iter().all(|&weight| weight == 1));
        self.idle(&file.groups, "groups", ones, "each miner acts alone without it", remove)?;
        if let Some(lazy) = file.reductions.lazy.as_ref().filter(|lazy| !lazy.get_ref())
            && !(p.is_asynchronous() && p.takes_certificates())
        {
            let why = "timeouts wait for a use only in an asynchronous network, and with certificates";
            let message = format!("it changes nothing: {why}");
            return Err(self.invalid(lazy.span(), "reductions.lazy", message, remove));
        }
        if let Some(sorted) = &file.reductions.sorted {
            let reductions = Reductions { sorted: true, ..p.reductions };
            let searched = Protocol { reductions, ..p.clone() };
            let why = match searched.unsorted() {
                _ if *sorted.get_ref() => Some("runs are sorted without it where that is exact"),
                _ if scenario.simulate.is_some() => Some("random runs are not sorted"),
                unsorted => unsorted,
            };
            if let Some(why) = why {
                let message = format!("it changes nothing: {why}");
                return Err(self.invalid(sorted.span(), "reductions.sorted", message, remove));
            }
        }
        let of_all = |v| matches!(v, Verdict::Holds | Verdict::Unreachable);
        let whole = scenario.states.is_some() || scenario.expect.iter().any(|e| of_all(e.verdict));
        let why = "what is expected needs every state anyway";
        self.idle(&file.exhaustive, "exhaustive", whole, why, remove)
    }
}
