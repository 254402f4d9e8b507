//! From the text of a scenario file to a [`Scenario`]: every value is checked here, and refused with its line.

use super::{Expectation, Overrides, Scenario, ScenarioError, Verdict, line_of};
use crate::{
    blocks::{Blocks, Generator, MAX_ROUNDS, MAX_SUBROUNDS},
    committee::{self, Committee, MAX_COMMITTEE, MAX_HONEST, quorum, tolerated},
    properties::Property,
    protocol::{Network, Protocol},
    reductions::Reductions,
    rules::{Rules, SubroundEntryRule, TicketRule},
};
use serde::Deserialize;
use std::{collections::BTreeMap, ops::Range};
use toml::Spanned;

/// Restarts that the state can count.
const MAX_RESTARTS: u32 = 15;
/// Byzantine members whose messages the state can name, where they are explicit.
const MAX_EXPLICIT_BYZANTINE: u32 = 3;
/// Random runs of one check at most.
const MAX_RUNS: u64 = 1_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    question: String,
    profile: Spanned<String>,
    n: Spanned<u32>,
    #[serde(default)]
    f: Option<Spanned<u32>>,
    #[serde(default)]
    byzantine: Option<Spanned<u32>>,
    rounds: Spanned<u8>,
    subrounds: Spanned<u8>,
    network: Spanned<Network>,
    #[serde(default)]
    reserved_rounds: Option<Spanned<u8>>,
    #[serde(default)]
    reserved_subrounds: Option<Spanned<u8>>,
    #[serde(default)]
    restarts: Option<Spanned<u32>>,
    #[serde(default)]
    restarts_behind: bool,
    #[serde(default)]
    observers: Option<Spanned<usize>>,
    #[serde(default)]
    twins: Option<Spanned<u8>>,
    #[serde(default)]
    outsider: bool,
    #[serde(default)]
    groups: Option<Spanned<Vec<u32>>>,
    #[serde(default)]
    beacon_threshold: Option<Spanned<u32>>,
    #[serde(default)]
    exposed: Option<Spanned<u32>>,
    generators: Spanned<Vec<Vec<Generator>>>,
    #[serde(default)]
    order: Vec<Spanned<Order>>,
    #[serde(default)]
    rules: Overrides,
    #[serde(default)]
    reductions: Reductions,
    expect: Spanned<BTreeMap<Spanned<Property>, Spanned<Verdict>>>,
    #[serde(default)]
    states: Option<Spanned<u64>>,
    #[serde(default)]
    exhaustive: bool,
    #[serde(default)]
    simulate: Option<Spanned<u64>>,
}

/// The generators of one round and subround, where they differ from `generators`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    round: u8,
    subround: u8,
    ranks: Vec<Generator>,
}

/// One file being read.
pub(super) struct Reading<'a> {
    /// Where it is, for messages.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Rules that it is read under instead of its own.
    pub mutation: &'a Overrides,
}

impl Reading<'_> {
    fn invalid(
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
        let rules = self.mutation.over(file.rules.over(base));
        let network = *file.network.get_ref();
        if let Some(threshold) = &file.beacon_threshold
            && (file.rules.names_threshold() || self.mutation.names_threshold())
        {
            let message = "the rule `threshold` has no effect beside a number of shares";
            let fix = "remove `beacon_threshold`, or `threshold` from [rules]";
            return Err(self.invalid(threshold.span(), "beacon_threshold", message, fix));
        }
        let mut committee = self.committee(
            &rules,
            &file.n,
            file.f.as_ref(),
            file.byzantine.as_ref(),
            file.groups.as_ref(),
            file.beacon_threshold.as_ref(),
        )?;
        if let Some(exposed) = &file.exposed {
            committee.exposed = *exposed.get_ref();
            if let Some((message, fix)) = committee.exposed_refused(&rules) {
                return Err(self.invalid(exposed.span(), "exposed", message, fix));
            }
        }
        let (rounds, subrounds) = (*file.rounds.get_ref(), *file.subrounds.get_ref());
        for (value, most, span, field) in [
            (rounds, MAX_ROUNDS, file.rounds.span(), "rounds"),
            (subrounds, MAX_SUBROUNDS, file.subrounds.span(), "subrounds"),
        ] {
            if value == 0 || value as usize > most {
                return Err(self.invalid(
                    span,
                    field,
                    format!("{value} is out of range"),
                    format!("use 1 to {most}"),
                ));
            }
        }
        let (reserved_rounds, reserved_subrounds) = self.reserved(&file)?;
        let blocks = self.blocks(&file, &rules, &committee, rounds, subrounds)?;
        let restarts = self.restarts(&file)?;
        let observers = file.observers.as_ref().map_or(0, |o| *o.get_ref());
        if observers > 2 {
            let span = file.observers.as_ref().map_or(0..0, |o| o.span());
            let fix = "use 0 (any observer), 1 or 2";
            return Err(self.invalid(span, "observers", format!("{observers} is too many"), fix));
        }
        let reductions = self.reductions(&file, &rules, &committee)?;
        let simulate = self.simulated(&file)?;
        let protocol = Protocol {
            committee,
            rules,
            blocks,
            crashes: restarts,
            restarts_behind: file.restarts_behind,
            network,
            observers,
            reserved_rounds,
            reserved_subrounds,
            reductions,
        };
        let expect = self.expectations(&file.expect, &protocol, file.groups.is_some(), simulate.is_some())?;
        Ok(Scenario {
            name: name.into(),
            path: self.path.into(),
            // A question of several lines is one paragraph.
            question: file.question.split_whitespace().collect::<Vec<_>>().join(" "),
            profile,
            protocol,
            expect,
            states: file.states.map(Spanned::into_inner),
            exhaustive: file.exhaustive,
            simulate,
        })
    }

    /// Rounds and subrounds at the end that are kept for the good period.
    fn reserved(&self, file: &File) -> Result<(u8, u8), ScenarioError> {
        let good = *file.network.get_ref() == Network::PartiallySynchronous;
        let one = |given: &Option<Spanned<u8>>, of: &Spanned<u8>, field| {
            let value = given.as_ref().map_or(u8::from(good), |r| *r.get_ref());
            let span = given.as_ref().map_or(of.span(), |g| g.span());
            let of = *of.get_ref();
            if value >= of {
                let fix =
                    format!("allow more than {value} of them, so that one is left before the good period");
                Err(self.invalid(span, field, format!("{value} of {of} are reserved"), fix))
            } else if value > 0 && !good {
                let fix = "remove it, or use network = \"partially_synchronous\"";
                Err(self.invalid(span, field, "this network has no good period to reserve for", fix))
            } else {
                Ok(value)
            }
        };
        Ok((
            one(&file.reserved_rounds, &file.rounds, "reserved_rounds")?,
            one(&file.reserved_subrounds, &file.subrounds, "reserved_subrounds")?,
        ))
    }

    fn restarts(&self, file: &File) -> Result<u32, ScenarioError> {
        let Some(given) = &file.restarts else { return Ok(0) };
        let restarts = *given.get_ref();
        if restarts > MAX_RESTARTS {
            let fix = format!("use at most {MAX_RESTARTS}");
            return Err(self.invalid(given.span(), "restarts", format!("{restarts} is too many"), fix));
        }
        if restarts > 0 && *file.network.get_ref() == Network::Synchronous {
            let fix = "use another network, or no restarts";
            let message = "no miner crashes in a network that is synchronous from the start";
            return Err(self.invalid(given.span(), "restarts", message, fix));
        }
        Ok(restarts)
    }

    fn reductions(
        &self,
        file: &File,
        rules: &Rules,
        committee: &Committee,
    ) -> Result<Reductions, ScenarioError> {
        let asynchronous = matches!(file.network.get_ref(), Network::Async | Network::Lossy);
        let mut reductions = file.reductions;
        // Timers must fire in a synchronous network, so timeouts cannot wait for a use there; and only certificates
        // have one.
        reductions.lazy &= asynchronous && rules.subround_entry == SubroundEntryRule::Certificate;
        let merged = reductions.eager && reductions.byzantine_available;
        if !asynchronous && !merged {
            return Err(self.invalid(
                file.network.span(),
                "reductions",
                "a synchronous network is defined with `eager` and `byzantine_available` only",
                "remove these two from [reductions], or use network = \"async\"",
            ));
        }
        if !reductions.byzantine_available && committee.byzantine > MAX_EXPLICIT_BYZANTINE {
            let message = format!(
                "explicit Byzantine messages have room for {MAX_EXPLICIT_BYZANTINE} Byzantine miners"
            );
            return Err(self.invalid(file.n.span(), "reductions", message, "set byzantine_available = true"));
        }
        Ok(reductions)
    }

    /// How many random runs stand in for an exploration, if any do.
    fn simulated(&self, file: &File) -> Result<Option<u64>, ScenarioError> {
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
        if file.exhaustive {
            let fix = "remove `exhaustive` or `simulate`";
            return Err(self.invalid(given.span(), "simulate", "random runs are not exhaustive", fix));
        }
        Ok(Some(runs))
    }

    fn committee(
        &self,
        rules: &Rules,
        n: &Spanned<u32>,
        f: Option<&Spanned<u32>>,
        byzantine: Option<&Spanned<u32>>,
        groups: Option<&Spanned<Vec<u32>>>,
        beacon_threshold: Option<&Spanned<u32>>,
    ) -> Result<Committee, ScenarioError> {
        let members = *n.get_ref();
        if members == 0 || members > MAX_COMMITTEE {
            let fix = format!("use 1 to {MAX_COMMITTEE}: tallies have six bits");
            return Err(self.invalid(n.span(), "n", format!("a committee of {members}"), fix));
        }
        let tolerated = tolerated(members);
        if let Some(claimed) = f
            && *claimed.get_ref() != tolerated
        {
            return Err(self.invalid(
                claimed.span(),
                "f",
                format!(
                    "n = {members} tolerates f = floor((n - 1) / 3) = {tolerated}, not {}",
                    claimed.get_ref()
                ),
                format!(
                    "use f = {tolerated} or remove `f`; f = {} takes n = {} at least",
                    claimed.get_ref(),
                    3 * u64::from(*claimed.get_ref()) + 1
                ),
            ));
        }
        let faulty = byzantine.map_or(tolerated, |b| *b.get_ref());
        if faulty >= members {
            let span = byzantine.map_or(n.span(), |b| b.span());
            return Err(self.invalid(
                span,
                "byzantine",
                format!("{faulty} of {members}"),
                "leave one honest",
            ));
        }
        let honest = members - faulty;
        let weights = groups.map_or_else(|| vec![1; honest as usize], |g| g.get_ref().clone());
        let span = groups.map_or(n.span(), |g| g.span());
        if weights.iter().map(|&w| u64::from(w)).sum::<u64>() != u64::from(honest) || weights.contains(&0) {
            let message = format!("the groups {weights:?} are not the {honest} honest members");
            return Err(self.invalid(
                span,
                "groups",
                message,
                format!("let them add up to {honest}, each at least 1"),
            ));
        }
        if weights.len() > MAX_HONEST {
            let message = format!("{} honest miners do not fit into the state", weights.len());
            let fix = format!("use at most {MAX_HONEST}, or `groups` of miners that act together");
            return Err(self.invalid(span, "n", message, fix));
        }
        let by_rule = committee::beacon_threshold(rules.threshold, members);
        if let Some(threshold) = beacon_threshold
            && !(1..=members).contains(threshold.get_ref())
        {
            let message = format!("{} shares of {members} members", threshold.get_ref());
            return Err(self.invalid(
                threshold.span(),
                "beacon_threshold",
                message,
                format!("use 1 to {members}, or remove it: n - f = {by_rule} is the default"),
            ));
        }
        Ok(Committee {
            n: members,
            f: tolerated,
            byzantine: faulty,
            quorum: quorum(rules.quorum, members),
            beacon_threshold: beacon_threshold.map_or(by_rule, |t| *t.get_ref()),
            exposed: 0,
            weights,
        })
    }

    fn blocks(
        &self,
        file: &File,
        rules: &Rules,
        committee: &Committee,
        rounds: u8,
        subrounds: u8,
    ) -> Result<Blocks, ScenarioError> {
        let table = file.generators.get_ref();
        if table.is_empty() || table.iter().any(|ranks| ranks.is_empty()) {
            return Err(self.invalid(
                file.generators.span(),
                "generators",
                "a subround without a generator",
                "give one list of ranks per subround; the last one repeats",
            ));
        }
        for order in &file.order {
            let o = order.get_ref();
            if !(1..=rounds).contains(&o.round) || o.subround >= subrounds || o.ranks.is_empty() {
                let message = format!("(round, subround) = ({}, {})", o.round, o.subround);
                let fix = format!(
                    "use rounds 1 to {rounds}, subrounds 0 to {}, and name a generator",
                    subrounds - 1
                );
                return Err(self.invalid(order.span(), "order", message, fix));
            }
        }
        let ranks = |round: u8, subround: u8| {
            let special = file
                .order
                .iter()
                .map(|o| o.get_ref())
                .find(|o| (o.round, o.subround) == (round, subround))
                .map(|o| o.ranks.clone());
            special.unwrap_or_else(|| table[(subround as usize).min(table.len() - 1)].clone())
        };
        for round in 1..=rounds {
            for subround in 0..subrounds {
                let drawn = ranks(round, subround);
                let byzantine = drawn.iter().filter(|g| **g != Generator::Honest).count();
                let honest = drawn.len() - byzantine;
                if byzantine > committee.byzantine as usize || honest > committee.honest() {
                    let message = format!(
                        "({round}, {subround}) has {byzantine} Byzantine and {honest} honest generators of {} and {}",
                        committee.byzantine,
                        committee.honest()
                    );
                    let fix = "a miner generates at one rank of a subround: remove generators";
                    return Err(self.invalid(file.generators.span(), "generators", message, fix));
                }
            }
        }
        let twins = file.twins.as_ref().map_or(2, |t| *t.get_ref());
        if !(1..=2).contains(&twins) {
            let span = file.twins.as_ref().map_or(0..0, |t| t.span());
            return Err(self.invalid(span, "twins", format!("{twins} blocks"), "use 1 or 2"));
        }
        Blocks::new(rounds, subrounds, twins, file.outsider, rules, ranks).map_err(|too_many| {
            let of = too_many.round.map_or("all rounds together".into(), |r| format!("round {r}"));
            let message = format!(
                "{of} can have {} blocks, the state has room for {}",
                too_many.needed, too_many.limit
            );
            self.invalid(
                file.rounds.span(),
                "rounds",
                message,
                "use fewer rounds, subrounds, generators or twins",
            )
        })
    }

    fn expectations(
        &self,
        given: &Spanned<BTreeMap<Spanned<Property>, Spanned<Verdict>>>,
        protocol: &Protocol,
        grouped: bool,
        simulated: bool,
    ) -> Result<Vec<Expectation>, ScenarioError> {
        if given.get_ref().is_empty() {
            let fix = "expect at least one verdict, e.g. S2 = \"holds\"";
            return Err(self.invalid(given.span(), "expect", "nothing is expected", fix));
        }
        let mut expect = Vec::new();
        for (property, verdict) in given.get_ref() {
            let (p, v) = (*property.get_ref(), *verdict.get_ref());
            let fits = match v {
                Verdict::Holds | Verdict::Violated => !p.is_witness(),
                Verdict::Reachable | Verdict::Unreachable => p.is_witness(),
            };
            if !fits {
                let fix =
                    "S and L properties are `holds` or `violated`, witnesses W `reachable` or `unreachable`";
                return Err(self.invalid(
                    verdict.span(),
                    "expect",
                    format!("{} cannot be `{v}`", p.id()),
                    fix,
                ));
            }
            let good = matches!(protocol.network, Network::PartiallySynchronous | Network::Synchronous);
            if p.is_liveness() && !good {
                let fix = "use network = \"partially_synchronous\", or expect no L property";
                let message = format!("{} is about a network that becomes synchronous", p.id());
                return Err(self.invalid(property.span(), "expect", message, fix));
            }
            if matches!(p, Property::L2 | Property::L5)
                && protocol.network == Network::PartiallySynchronous
                && protocol.reserved_rounds == 0
                && !simulated
            {
                let message = format!("{} needs a round that only the good period reaches", p.id());
                let fix = "set reserved_rounds = 1 or more";
                return Err(self.invalid(property.span(), "expect", message, fix));
            }
            // A mutant's base asks for what its property is not.
            let mutated = *self.mutation != Overrides::default();
            if p == Property::S1 && !mutated && protocol.rules.ticket == TicketRule::BetterOrEqualRank {
                let message =
                    "S1 is empty where the ticket rule lets every block of a subround be signed".to_owned();
                let fix = "expect no S1, or use ticket = \"BetterRank\"";
                return Err(self.invalid(property.span(), "expect", message, fix));
            }
            if matches!(p, Property::S11 | Property::W10) && !mutated && !protocol.forms_beacon() {
                let message = format!("{} is empty where the adversary has no honest member's share", p.id());
                let fix = format!(
                    "set exposed = 1 (at most f = {}) and beacon = \"RoundOnly\", or do not expect it",
                    protocol.committee.f
                );
                return Err(self.invalid(property.span(), "expect", message, fix));
            }
            if p == Property::S11 && protocol.reductions.eager && protocol.blocks.rounds == 1 {
                let message =
                    "under `eager` the shares of round 1 are sent as the run begins, so S11 is empty there";
                let fix = "set rounds = 2, or eager = false in [reductions]";
                return Err(self.invalid(property.span(), "expect", message, fix));
            }
            if p == Property::W9 && !mutated && !protocol.remembers_rounds() {
                let message = "W9 is about finality votes of miners that remember the rounds they left";
                let fix =
                    "expect no W9, or use finality = \"Votes\" without `restarts_behind` or a volatile log";
                return Err(self.invalid(property.span(), "expect", message, fix));
            }
            if grouped && matches!(v, Verdict::Holds | Verdict::Unreachable) {
                let message = format!("`{v}` cannot be claimed from miners that act in groups");
                return Err(self.invalid(
                    verdict.span(),
                    "expect",
                    message,
                    "expect violations and witnesses only",
                ));
            }
            if !grouped && !simulated && p.is_liveness() && v == Verdict::Holds && protocol.observers > 0 {
                let fix = "set observers = 0";
                return Err(self.invalid(
                    property.span(),
                    "expect",
                    "liveness is judged for any observer",
                    fix,
                ));
            }
            let line = line_of(self.text, &property.span());
            expect.push(Expectation { property: p, verdict: v, line });
        }
        Ok(expect)
    }
}
