//! One place of a run, for somebody who chooses how it goes on: what may happen next, what may not and which guard is in
//! the way, which properties hold. Nothing is remembered between two questions: each names the whole run so far.

use super::{
    page,
    scene::{Scene, embedded},
    staging, svg,
};
use maud::html;
use serde::Serialize;
use serde_json::{Map, Value};
use zus_checker::blocks::block_name;
use zus_checker::{
    action::{Action, Blocked, Guard},
    blocks::BlockId,
    fault::Fault,
    properties::{Facts, Property},
    protocol::{Network, Protocol},
    scenario::Scenario,
    search::run::named,
    state::State,
    trace::{Producer, ReplayError, Trace},
};

/// Steps of an explored run: every question executes all of them.
pub const MAX_STEPS: usize = 2_000;
/// How the panel beside the drawing looks.
const CSS: &str = include_str!("assets/explorer.css");
/// The script that asks the server.
const JS: &str = include_str!("assets/explorer.js");
/// As the policy of a page from a file, but it may ask the server that it came from.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: \
                          blob:; connect-src 'self'; base-uri 'none'; form-action 'none'";

/// The instance that is explored, with the run to start from.
#[derive(Clone, Debug)]
pub struct Explored {
    /// An empty run, or the one to start from.
    pub start: Trace,
    /// The question of the scenario.
    pub question: String,
}

/// A step that somebody may choose, or not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// The acting participant.
    pub who: String,
    /// The step, in words.
    pub says: String,
    /// The step as a trace has it.
    pub step: Value,
    /// Why it may not happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// How a property stands in a state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// Its id.
    pub property: &'static str,
    /// Its sentence.
    pub text: &'static str,
    /// `violated`, `reachable`, or `holds`: so far.
    pub verdict: &'static str,
    /// Why it is violated or reached.
    pub because: String,
}

/// The answer to one question.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The run so far.
    pub scene: Scene,
    /// Its drawing, as markup.
    pub drawing: String,
    /// Its steps.
    pub steps: Vec<Value>,
    /// The steps that may happen next.
    pub enabled: Vec<Choice>,
    /// The steps that may not, each with the reason.
    pub blocked: Vec<Choice>,
    /// How the properties stand.
    pub properties: Vec<Standing>,
    /// The run as a trace file.
    pub trace: String,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Too long.
    #[error("a run that is explored has at most {MAX_STEPS} steps")]
    TooLong,
    /// A step is none.
    #[error("step {0} is no action: {1}")]
    NoAction(usize, String),
    /// The steps are no run.
    #[error(transparent)]
    NoRun(#[from] ReplayError),
}

impl Answer {
    /// As JSON.
    pub fn to_json(&self) -> String {
        embedded(self)
    }
}

impl Explored {
    /// From the beginning of a scenario.
    pub fn scenario(scenario: &Scenario, command: &str) -> Self {
        let start = Trace {
            producer: Producer {
                tool: concat!("zus ", env!("CARGO_PKG_VERSION")).into(),
                command: Some(command.into()),
                seed: None,
            },
            scenario: Some(scenario.name.clone()),
            claim: None,
            finding: None,
            protocol: named(&scenario.protocol),
            steps: Vec::new(),
        };
        Explored { start, question: scenario.question.clone() }
    }

    /// From the end of a run, of which any number of steps can be taken back.
    pub fn trace(trace: Trace) -> Self {
        let question = trace.claim.as_ref().map_or_else(String::new, |claim| claim.because.clone());
        Explored { start: Trace { claim: None, finding: None, ..trace }, question }
    }

    /// The page.
    pub fn page(&self) -> Result<String, Refused> {
        let steps: Vec<Value> = self.start.steps.iter().map(|s| self.start.step_json(&s.action)).collect();
        let place = self.place(&self.start)?;
        let body = html! {
            div.explorer {
                main id="view" {}
                section.choices aria-label="What may happen" {
                    p.question { (self.question) }
                    div.buttons {
                        button type="button" id="undo" title="Take the last step back (u)" { "Undo" }
                        button type="button" id="cut" title="Go on from the selected step" { "Back to the selected step" }
                        button type="button" id="save" title="Save the run as a trace" { "Save trace" }
                    }
                    p.problem id="problem" role="alert" {}
                    h2 { "What may happen now" } div id="enabled" {}
                    h2 { "Properties" } div id="properties" {}
                    details open { summary { "What may not happen, and why" } div id="blocked" {} }
                }
            }
        };
        let data = [("place", embedded(&place)), ("start", embedded(&steps))];
        let title = format!("zus explore {}", self.start.scenario.as_deref().unwrap_or("a run"));
        Ok(page::page(&title, POLICY, &[page::PAGE_CSS, CSS], &body, &data, &[page::VIEWER_JS, JS]))
    }

    /// The place to which these steps lead.
    pub fn at(&self, steps: Vec<Map<String, Value>>) -> Result<Answer, Refused> {
        if steps.len() > MAX_STEPS {
            return Err(Refused::TooLong);
        }
        let steps = steps
            .into_iter()
            .enumerate()
            .map(|(at, step)| self.start.step_of(step).map_err(|why| Refused::NoAction(at + 1, why)))
            .collect::<Result<_, _>>()?;
        self.place(&Trace { steps, ..self.start.clone() })
    }

    fn place(&self, trace: &Trace) -> Result<Answer, Refused> {
        let protocol = &trace.protocol;
        let replayed = trace.replay()?;
        let scene = staging::stage(trace)?;
        let state = replayed.states[replayed.states.len() - 1];
        let mut enabled = Vec::new();
        protocol.actions(&state, &mut enabled);
        let conceivable = conceivable(protocol, &state);
        for action in &conceivable {
            // Finality is judged for any observer where a scenario has none; here two may act.
            if matches!(action, Action::Finalize { .. })
                && protocol.enabled(&state, action).is_ok()
                && !enabled.contains(action)
            {
                enabled.push(*action);
            }
        }
        enabled.sort_by_key(|action| acts(protocol, action));
        let blocked = conceivable.iter().filter_map(|action| {
            let guard = protocol.enabled(&state, action).err()?;
            let of_the_instance =
                matches!(guard, Blocked::Guard(Guard::NotInRules) | Blocked::Guard(Guard::NoSuch));
            (!of_the_instance).then(|| Choice {
                because: Some(reason(protocol, &state, action, guard)),
                ..choice(trace, &state, action, None)
            })
        });
        let facts = protocol.facts(&state, Property::ALL.iter().copied().collect::<Facts>());
        let properties = Property::ALL.iter().map(|&p| Standing {
            property: p.id(),
            text: p.text(),
            verdict: match (facts.has(p), p.is_witness()) {
                (true, true) => "reachable",
                (true, false) => "violated",
                (false, _) => "holds",
            },
            because: if facts.has(p) {
                protocol.explain(&state, p).unwrap_or_default()
            } else {
                String::new()
            },
        });
        let mut saved = trace.clone();
        for (step, says) in saved.steps.iter_mut().zip(&replayed.sentences) {
            step.says = Some(says.clone());
        }
        Ok(Answer {
            drawing: svg::parts(&scene).into_string(),
            scene,
            steps: trace.steps.iter().map(|s| trace.step_json(&s.action)).collect(),
            enabled: enabled
                .iter()
                .map(|action| choice(trace, &state, action, Some(&protocol.apply(&state, action))))
                .collect(),
            blocked: blocked.collect(),
            properties: properties.collect(),
            trace: saved.to_json(),
        })
    }
}

/// `after` is `None` where the action may not happen.
fn choice(trace: &Trace, before: &State, action: &Action, after: Option<&State>) -> Choice {
    let p = &trace.protocol;
    let who = match acts(p, action) {
        Some(index) => p.participant(index),
        None => "network".into(),
    };
    let says = match after {
        Some(after) => p.sentence(before, action, after),
        None => p.deed(before, action),
    };
    Choice { who, says, step: trace.step_json(action), because: None }
}

/// The participant that acts, by its number; none if the network does.
fn acts(p: &Protocol, action: &Action) -> Option<usize> {
    let lanes = staging::Lanes(p);
    lanes.participant(lanes.of(action))
}

/// The actions that a reader of the state could think of, whether they may happen or not.
fn conceivable(p: &Protocol, state: &State) -> Vec<Action> {
    let mut all = Vec::new();
    let proposed: Vec<BlockId> = p.blocks.all().filter(|&b| state.block(b).parent() != 0).collect();
    for (miner, m) in state.miners[..p.honest()].iter().enumerate() {
        let (id, round, subround) = (miner as u8, m.round() as u8, m.subround() as u8);
        if !p.reductions.eager {
            all.push(Action::ShareBeacon { miner: id });
        }
        for block in p.blocks.of_subround(round, subround) {
            let entry = state.entry(&p.blocks, miner);
            let parent = state.parent(&p.blocks, block).unwrap_or(entry);
            if !p.reductions.eager {
                all.push(Action::Propose { miner: id, block });
                all.push(Action::Select { miner: id, block });
            }
            all.push(Action::Ticket { miner: id, block, parent });
        }
        if p.writes_before_sending() {
            all.push(Action::SendTicket { miner: id });
        }
        for &block in proposed.iter().filter(|&&b| p.blocks.round(b) >= round) {
            all.push(Action::Leave { miner: id, block });
            if p.has(Fault::VotesWithoutLeaving) {
                all.push(Action::VoteWithoutLeaving { miner: id, block });
            }
        }
        if p.rules.chained() && round > 1 {
            let before = proposed.iter().filter(|&&b| p.blocks.round(b) + 1 == round);
            all.extend(before.map(|&block| Action::Adopt { miner: id, block }));
        }
        if round <= p.blocks.rounds {
            all.push(Action::Timeout { miner: id });
            if subround + 1 < p.blocks.subrounds {
                all.push(Action::EnterSubround { miner: id, subround: subround + 1 });
            }
        }
        if p.crashes > 0 {
            all.extend([Action::Crash { miner: id }, Action::Restart { miner: id }]);
        }
    }
    if !p.reductions.eager {
        all.extend(proposed.iter().map(|&block| Action::Notarize { block }));
    }
    for observer in 0..2 {
        all.extend(proposed.iter().map(|&block| Action::Finalize { observer, block }));
    }
    if p.network == Network::PartiallySynchronous {
        all.push(Action::Synchronize);
    }
    all
}

/// Why `guard` is false, with the numbers that make it so.
fn reason(p: &Protocol, state: &State, action: &Action, guard: Blocked) -> String {
    let q = p.committee.quorum;
    let name = |block| block_name(&p.blocks, block);
    let detail = match (guard, *action) {
        (
            Blocked::Guard(Guard::NotNotarized),
            Action::Leave { block, .. } | Action::Notarize { block } | Action::Adopt { block, .. },
        ) => format!("{} has {} of q = {q} tickets", name(block), p.tickets(state, block)),
        (Blocked::Guard(Guard::NotFinal), Action::Finalize { block, .. }) if p.rules.votes() => {
            format!("{} has {} of q = {q} finality votes", name(block), p.votes(state, block))
        }
        (Blocked::Guard(Guard::NotFinal), Action::Finalize { .. }) => {
            format!("the rule is {:?}", p.rules.finality)
        }
        (Blocked::Guard(Guard::NoTimeoutCertificate), Action::EnterSubround { miner, subround }) => {
            let round = state.miners[miner as usize].round() as u8;
            let tally = state.timeout(round, subround - 1);
            let sent = tally.honest() + p.byzantine_signers(tally.byzantine());
            format!("{sent} of q = {q} timeouts of ({round}, {})", subround - 1)
        }
        (
            Blocked::Guard(Guard::BeaconUnknown),
            Action::Ticket { miner, .. } | Action::Propose { miner, .. },
        ) => {
            let shares = p.honest_shares(state, miner as usize) + p.committee.byzantine;
            format!("{shares} of {} shares", p.committee.beacon_threshold)
        }
        (Blocked::Guard(Guard::TicketRule), _) => format!("the rule is {:?}", p.rules.ticket),
        (
            Blocked::Guard(Guard::OtherRound),
            Action::Ticket { miner, .. } | Action::Leave { miner, .. } | Action::Timeout { miner },
        ) => {
            let m = &state.miners[miner as usize];
            format!("it is in round {}", m.round())
        }
        (Blocked::Guard(Guard::ParentNotNotarized), Action::Ticket { parent, .. }) => {
            format!("{} has {} of q = {q} tickets", name(parent), p.tickets(state, parent))
        }
        (Blocked::Guard(Guard::HeadRule), Action::Finalize { observer, .. }) => {
            format!("its head is {}", name(state.head(observer as usize)))
        }
        _ => return guard.to_string(),
    };
    format!("{guard}: {detail}")
}
