//! Scenario files: which instance of the protocol is explored, and what is expected of it.
//!
//! A scenario is a TOML file; its comments say what question it answers. `load` turns it into a [`Scenario`] or says
//! what is wrong, with file, line, field and the fix. The expected verdicts are data: `zus check` fails when reality
//! differs in either direction.

use crate::{
    blocks::{Blocks, Generator, MAX_ROUNDS, MAX_SUBROUNDS},
    committee::{Committee, MAX_COMMITTEE, MAX_HONEST, quorum, tolerated},
    properties::Property,
    protocol::{Network, Protocol},
    reductions::Reductions,
    rules::{
        BeaconRule, CountingRule, EchoRule, FinalityRule, HeadRule, ParentRule, ProposalRule, QuorumRule,
        Rules, SubroundCapRule, SubroundEntryRule, SubroundSwitchRule, TicketLogRule, TicketRule,
    },
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::Range, path::Path};
use toml::Spanned;

/// What is expected, or found, of a property.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// S, L: in no reachable state is it violated; every reachable state was seen.
    Holds,
    /// S, L: a run violates it.
    Violated,
    /// W: a run shows it.
    Reachable,
    /// W: no run shows it; every reachable state was seen.
    Unreachable,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Verdict::Holds => "holds",
            Verdict::Violated => "violated",
            Verdict::Reachable => "reachable",
            Verdict::Unreachable => "unreachable",
        })
    }
}

/// One expectation of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expectation {
    /// Of which property.
    pub property: Property,
    /// Which verdict.
    pub verdict: Verdict,
    /// Line of the file where it stands, from 1.
    pub line: usize,
}

/// A scenario, ready to be explored.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: the file's name without the ending.
    pub name: String,
    /// The file as it was named, for messages.
    pub path: String,
    /// The question that it answers, one line.
    pub question: String,
    /// The profile it starts from.
    pub profile: String,
    /// The instance that is explored.
    pub protocol: Protocol,
    /// What is expected, in the order of the properties.
    pub expect: Vec<Expectation>,
    /// The exact number of unique states, if pinned.
    pub states: Option<u64>,
    /// Whether it explores everything even when all that is expected to be found has been found.
    pub exhaustive: bool,
    /// How many random runs stand in for an exhaustive exploration, if it is too large for one.
    pub simulate: Option<u64>,
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error(
        "{path}: cannot be read: {source}\n  fix: name an existing scenario file (the committed ones are in model/scenarios)"
    )]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML, has an unknown field, or a value of the wrong kind.
    #[error("{path}:{line}: {message}")]
    Syntax {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and the fix.
        message: String,
    },
    /// The values are well-formed and make no scenario.
    #[error("{path}:{line}: {field}: {message}\n  fix: {fix}")]
    Invalid {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The field.
        field: &'static str,
        /// What is wrong.
        message: String,
        /// What to change.
        fix: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
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
    observers: Option<Spanned<usize>>,
    #[serde(default)]
    twins: Option<Spanned<u8>>,
    #[serde(default)]
    outsider: bool,
    #[serde(default)]
    groups: Option<Spanned<Vec<u32>>>,
    #[serde(default)]
    beacon_threshold: Option<Spanned<u32>>,
    generators: Spanned<Vec<Vec<Generator>>>,
    #[serde(default)]
    order: Vec<Spanned<Order>>,
    #[serde(default)]
    rules: Overrides,
    #[serde(default)]
    reductions: Reductions,
    expect: Spanned<BTreeMap<Spanned<Property>, Spanned<Verdict>>>,
    #[serde(default)]
    states: Option<u64>,
    #[serde(default)]
    exhaustive: bool,
    #[serde(default)]
    simulate: Option<u64>,
}

/// The generators of one round and subround, where they differ from `generators`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    round: u8,
    subround: u8,
    ranks: Vec<Generator>,
}

/// Rules that differ from those of a profile, or of a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    beacon: Option<BeaconRule>,
    ticket: Option<TicketRule>,
    subround_entry: Option<SubroundEntryRule>,
    subround_switch: Option<SubroundSwitchRule>,
    finality: Option<FinalityRule>,
    quorum: Option<QuorumRule>,
    ticket_log: Option<TicketLogRule>,
    echo: Option<EchoRule>,
    parent: Option<ParentRule>,
    proposal: Option<ProposalRule>,
    counting: Option<CountingRule>,
    head: Option<HeadRule>,
    subround_cap: Option<SubroundCapRule>,
}

impl Overrides {
    /// `base`, but for what is overridden.
    pub fn over(&self, base: Rules) -> Rules {
        Rules {
            beacon: self.beacon.unwrap_or(base.beacon),
            ticket: self.ticket.unwrap_or(base.ticket),
            subround_entry: self.subround_entry.unwrap_or(base.subround_entry),
            subround_switch: self.subround_switch.unwrap_or(base.subround_switch),
            finality: self.finality.unwrap_or(base.finality),
            quorum: self.quorum.unwrap_or(base.quorum),
            ticket_log: self.ticket_log.unwrap_or(base.ticket_log),
            echo: self.echo.unwrap_or(base.echo),
            parent: self.parent.unwrap_or(base.parent),
            proposal: self.proposal.unwrap_or(base.proposal),
            counting: self.counting.unwrap_or(base.counting),
            head: self.head.unwrap_or(base.head),
            subround_cap: self.subround_cap.unwrap_or(base.subround_cap),
        }
    }
}

/// Reads and checks a scenario file.
pub fn load(path: &Path) -> Result<Scenario, ScenarioError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|source| ScenarioError::Unreadable { path: shown.clone(), source })?;
    let name = path.file_stem().map_or_else(|| shown.clone(), |s| s.to_string_lossy().into_owned());
    parse(&name, &shown, &text)
}

/// Checks the text of a scenario file; `path` is for messages.
pub fn parse(name: &str, path: &str, text: &str) -> Result<Scenario, ScenarioError> {
    parse_with(name, path, text, &Overrides::default())
}

/// Checks the text of a scenario file under other rules than it names: a mutant of the scenario.
pub fn parse_with(
    name: &str,
    path: &str,
    text: &str,
    mutation: &Overrides,
) -> Result<Scenario, ScenarioError> {
    let file: File = toml::from_str(text).map_err(|error| ScenarioError::Syntax {
        path: path.into(),
        line: error.span().map_or(1, |span| line_of(text, &span)),
        message: error.message().trim().replace('\n', ", "),
    })?;
    Reading { path, text, mutation }.scenario(name, file)
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    1 + text.as_bytes()[..span.start.min(text.len())].iter().filter(|&&b| b == b'\n').count()
}

struct Reading<'a> {
    path: &'a str,
    text: &'a str,
    mutation: &'a Overrides,
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

    fn scenario(&self, name: &str, file: File) -> Result<Scenario, ScenarioError> {
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
        let committee = self.committee(
            &rules,
            &file.n,
            file.f.as_ref(),
            file.byzantine.as_ref(),
            file.groups.as_ref(),
            file.beacon_threshold.as_ref(),
        )?;
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
        let good = network == Network::PartiallySynchronous;
        let reserved = |given: &Option<Spanned<u8>>| given.as_ref().map_or(u8::from(good), |r| *r.get_ref());
        let reserved_rounds = reserved(&file.reserved_rounds);
        let reserved_subrounds = reserved(&file.reserved_subrounds);
        for (value, of, given, field) in [
            (reserved_rounds, rounds, &file.reserved_rounds, "reserved_rounds"),
            (reserved_subrounds, subrounds, &file.reserved_subrounds, "reserved_subrounds"),
        ] {
            if value >= of {
                let span = given.as_ref().map_or(file.rounds.span(), |g| g.span());
                let fix =
                    format!("allow more than {value} of them, so that one is left before the good period");
                return Err(self.invalid(span, field, format!("{value} of {of} are reserved"), fix));
            }
        }
        let blocks = self.blocks(&file, &rules, &committee, rounds, subrounds)?;
        let restarts = file.restarts.as_ref().map_or(0, |r| *r.get_ref());
        if restarts > 15 {
            let span = file.restarts.as_ref().map_or(0..0, |r| r.span());
            return Err(self.invalid(span, "restarts", format!("{restarts} is too many"), "use at most 15"));
        }
        let observers = file.observers.as_ref().map_or(0, |o| *o.get_ref());
        if observers > 2 {
            let span = file.observers.as_ref().map_or(0..0, |o| o.span());
            return Err(self.invalid(
                span,
                "observers",
                format!("{observers} is too many"),
                "use 0 (any observer), 1 or 2",
            ));
        }
        let asynchronous = matches!(network, Network::Async | Network::Lossy);
        let mut reductions = file.reductions;
        // Timers must fire in a synchronous network, so timeouts cannot wait for a use there; and only certificates
        // have one.
        reductions.lazy &= asynchronous && rules.subround_entry == SubroundEntryRule::Certificate;
        if !asynchronous && !(reductions.eager && reductions.byzantine_available) {
            return Err(self.invalid(
                file.network.span(),
                "reductions",
                "a synchronous network is defined with `eager` and `byzantine_available` only",
                "remove these two from [reductions], or use network = \"async\"",
            ));
        }
        if !reductions.byzantine_available && committee.byzantine > 3 {
            return Err(self.invalid(
                file.n.span(),
                "reductions",
                "explicit Byzantine messages have room for 3 Byzantine miners",
                "set byzantine_available = true",
            ));
        }
        let protocol = Protocol {
            committee,
            rules,
            blocks,
            crashes: restarts,
            network,
            observers,
            reserved_rounds,
            reserved_subrounds,
            reductions,
        };
        let expect =
            self.expectations(&file.expect, &protocol, file.groups.is_some(), file.simulate.is_some())?;
        Ok(Scenario {
            name: name.into(),
            path: self.path.into(),
            question: file.question,
            profile,
            protocol,
            expect,
            states: file.states,
            exhaustive: file.exhaustive,
            simulate: file.simulate,
        })
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
                    "use n >= {} for f = {}, or remove `f`",
                    3 * claimed.get_ref() + 1,
                    claimed.get_ref()
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
        if weights.iter().sum::<u32>() != honest || weights.contains(&0) {
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
        Ok(Committee {
            n: members,
            f: tolerated,
            byzantine: faulty,
            quorum: quorum(rules.quorum, members),
            beacon_threshold: beacon_threshold.map_or(tolerated + 1, |t| *t.get_ref()),
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
