//! A run of any length (`zus-run`): JSON lines, which are followed one by one with the steps of the specification itself.
//!
//! ```json
//! {"format": "zus-run", "version": 1, "producer": {"tool": "localnet 0.1.0"}, "instance": {"n": 4, "byzantine": 1, "rules": {...}, "observers": 3}}
//! {"generators": ["honest", "byzantine"], "round": 1, "subround": 0}
//! {"do": "share_beacon", "miner": 0}
//! {"do": "propose", "miner": 2, "block": "B(1,0)#0"}
//! {"end": 2}
//! ```
//!
//! - The first line is the header: `producer` and `claim` as in the other form, and an asynchronous `instance` without
//!   bounds on rounds, subrounds and blocks. `exposed`, `beacon_threshold`, `restarts` (at most so many crashes) and
//!   `restarts_behind` have their usual values where they are missing.
//! - A line with `generators` says who has the ranks of one (round, subround), once, before a block of it is named.
//! - A line with `do` is a step: [`zus_spec::Action`], with blocks by name. Nothing is merged and nothing is taken for sent.
//! - The last line has the number of steps, so that a file that was cut off is none.
//!
//! **Memory.** What is known of the rounds below the finalized head of every observer, and below every honest miner, is
//! forgotten ([`zus_spec::Follower`]). What is left is counted ([`Followed::most_held`]): at most [`MAX_ROUNDS_HELD`] rounds and
//! [`MAX_HELD`] messages.
//!
//! **Judging.** After each step all safety properties are looked at, before anything is forgotten. A run that claims nothing must
//! break none; one with a claim must show it in one of its states.

use super::{BadInstance, Claim, Object, Producer, TraceError, VERSION, instance::rules, shown_verdict};
use crate::{
    committee::beacon_threshold as usual_threshold,
    instance::{Members, Unfit, behind, seated},
    properties::Property,
    rules::Rules,
    scenario::Verdict,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::io::{self, BufRead, Read};
use zus_output::bounded::Unread;
use zus_protocol::ids::{Rank, Round, Subround};
use zus_spec::{
    Action, Block, Blocked, Committee, Crashes, Follower, GENESIS, Generator, Instance, Order, State,
};

/// The name of the format.
pub const LONG: &str = "zus-run";
/// Bytes of a line, at most.
pub const MAX_LINE: u64 = 1 << 16;
/// Rounds above what is forgotten, at most: to look at all pairs of blocks of more takes too long.
pub const MAX_ROUNDS_HELD: u64 = 100;
/// Messages, log records and generators of these rounds, at most, and as many more as come between two counts.
pub const MAX_HELD: usize = 200_000;
/// Messages and log records are counted after every step while there are fewer, and then after as many steps as this is a part of
/// them.
const COUNTED: u64 = 64;
/// Members of a committee, at most.
pub const MAX_MEMBERS: u16 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u64,
    producer: Producer,
    claim: Option<Claim>,
    instance: Given,
}

/// The instance as a header has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    n: u16,
    byzantine: u16,
    #[serde(default)]
    exposed: u16,
    beacon_threshold: Option<u16>,
    #[serde(deserialize_with = "rules")]
    rules: Rules,
    #[serde(default)]
    restarts: u32,
    #[serde(default)]
    restarts_behind: bool,
    observers: usize,
}

/// A line that is no step.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Aside {
    generators: Vec<Generator>,
    round: Round,
    subround: Subround,
}

/// Why a run of any length is refused.
#[derive(Debug, thiserror::Error)]
pub enum LongError {
    /// The text is no run.
    #[error(transparent)]
    Text(#[from] TraceError),
    /// More is known above what is forgotten than is followed.
    #[error(
        "{path}:{line}: step {step}: {rounds} rounds and {held} messages above what is final everywhere; at most {MAX_ROUNDS_HELD} \
         and {MAX_HELD} are followed\n  fix: name a run in which every observer and every honest miner goes on"
    )]
    Held {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The step before, from 1.
        step: u64,
        /// How many rounds.
        rounds: u64,
        /// How many messages, log records and generators.
        held: usize,
    },
    /// The rounds could not be told: standard output is closed or full.
    #[error("standard output: {0}")]
    Told(io::Error),
    /// A step may not happen.
    #[error("line {line}, step {step} may not happen: {guard}\n  action: {action}")]
    Blocked {
        /// The line, from 1.
        line: usize,
        /// The step, from 1.
        step: u64,
        /// The guard that is false.
        guard: Blocked,
        /// The action as the file has it.
        action: String,
    },
    /// A run without a claim breaks a property.
    #[error("step {step} breaks {}, and the run does not claim it: {}", .property.id(), .property.text())]
    Breaks {
        /// The step, from 1.
        step: u64,
        /// The property.
        property: Property,
    },
    /// The claim is no fact.
    #[error("{} is claimed to be {verdict}, and none of the {steps} steps shows it", .property.id())]
    NotShown {
        /// How many there are.
        steps: u64,
        /// The property.
        property: Property,
        /// The claimed verdict.
        verdict: Verdict,
    },
}

/// A run that was followed to its end.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The tool that wrote it.
    pub producer: Producer,
    /// The claim, which it shows.
    pub claim: Option<Claim>,
    /// How many steps it has.
    pub steps: u64,
    /// The round that every observer has finalized.
    pub finalized: Round,
    /// Messages, log records and generators that were held at once, at most, of all times at which they were counted.
    pub most_held: usize,
}

/// A line of a file, without its end, or more than [`MAX_LINE`] bytes of a longer one. `None` after the last one.
fn line(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if from.take(MAX_LINE + 1).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(Some(line))
}

/// An error of one line: its column, and not a second line number beside that of the file.
fn of_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((why, _)) => format!("{why}, column {}", error.column()),
        None => text,
    }
}

/// Whether the first line of a file says that it is a run of any length.
pub fn is_header(line: &[u8]) -> bool {
    let object: Result<Map<String, Value>, _> = serde_json::from_slice(line);
    object.is_ok_and(|object| object.get("format").is_some_and(|format| format == LONG))
}

/// Where a run is, after a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Steps so far.
    pub steps: u64,
    /// The round that every observer has finalized.
    pub finalized: Round,
    /// Whether it is final since this step.
    pub is_new: bool,
    /// Messages, log records and generators that are held, by the latest count.
    pub held: usize,
}

/// Follows a run to its end: its first line, which was read already, and the others. `told` hears of each step.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn follow(
    path: &str,
    first: &[u8],
    rest: &mut impl BufRead,
    told: &mut dyn FnMut(Progress) -> io::Result<()>,
) -> Result<Followed, LongError> {
    let mut run = Run::new(path, first)?;
    loop {
        run.line += 1;
        let unreadable =
            |source| TraceError::Unreadable { path: path.into(), source: Unread::Refused(source) };
        let read = line(rest).map_err(unreadable)?;
        let Some(read) = read else {
            return Err(run
                .syntax("the line {\"end\": STEPS} is missing: the file was cut off".into())
                .into());
        };
        if read.len() as u64 > MAX_LINE {
            return Err(run.syntax(format!("a line of more than {MAX_LINE} bytes")).into());
        }
        let object: Object = serde_json::from_slice(&read).map_err(|error| run.syntax(of_line(&error)))?;
        let object = object.0;
        if let Some(end) = object.get("end") {
            if *end != run.steps || object.len() > 1 {
                let wrong =
                    format!("the last line says {}, after {} steps", Value::Object(object), run.steps);
                return Err(run.syntax(wrong).into());
            }
            if line(rest).map_err(unreadable)?.is_some() {
                run.line += 1;
                return Err(run.syntax("a line after the end".into()).into());
            }
            return run.ended();
        }
        if object.contains_key("generators") {
            run.order(object)?;
            continue;
        }
        let before = run.finalized();
        run.step(object, &read)?;
        let (steps, finalized, held) = (run.steps, run.finalized(), run.held());
        told(Progress { steps, finalized, is_new: finalized > before, held }).map_err(LongError::Told)?;
    }
}

/// A run on its way.
struct Run<'p> {
    path: &'p str,
    line: usize,
    follower: Follower,
    producer: Producer,
    claim: Option<Claim>,
    restarts: u32,
    steps: u64,
    /// Generators that are listed, of all places.
    listed: usize,
    most_held: usize,
    /// The step at which messages and log records are counted again, and how many there were.
    count_at: u64,
    messages: usize,
    /// Whether a step has shown the claim: what is forgotten later was there.
    shown: bool,
}

impl<'p> Run<'p> {
    fn new(path: &'p str, first: &[u8]) -> Result<Self, LongError> {
        let syntax = |message: String| TraceError::Syntax { path: path.into(), line: 1, message };
        // No key twice.
        serde_json::from_slice::<Object>(first).map_err(|error| syntax(of_line(&error)))?;
        let header: Header = serde_json::from_slice(first).map_err(|error| syntax(of_line(&error)))?;
        let Header { format, version, producer, claim, instance: given } = header;
        if format != LONG || version != u64::from(VERSION) {
            return Err(TraceError::Format { path: path.into(), line: 1, found: format, version }.into());
        }
        if let Some(Claim { property, verdict, .. }) = claim
            && verdict != shown_verdict(property)
        {
            return Err(TraceError::Claim { path: path.into(), line: 1, property, verdict }.into());
        }
        let restarts = given.restarts;
        let instance =
            given.instance().map_err(|source| TraceError::Instance { path: path.into(), line: 1, source })?;
        let follower = Follower::new(instance);
        Ok(Run {
            path,
            line: 1,
            follower,
            producer,
            claim,
            restarts,
            steps: 0,
            listed: 0,
            most_held: 0,
            count_at: 0,
            messages: 0,
            shown: false,
        })
    }

    fn syntax(&self, message: String) -> TraceError {
        TraceError::Syntax { path: self.path.into(), line: self.line, message }
    }

    /// The round that every observer has finalized.
    fn finalized(&self) -> Round {
        self.follower.state.heads.iter().map(|head| head.round).min().unwrap_or_default()
    }

    /// A line that says who generates the blocks of a place.
    fn order(&mut self, object: Map<String, Value>) -> Result<(), LongError> {
        let place: Aside =
            serde_json::from_value(Value::Object(object)).map_err(|error| self.syntax(of_line(&error)))?;
        let Aside { generators, round, subround } = place;
        let count = generators.len();
        let of = |kind: Generator| generators.iter().filter(|of| **of == kind).count();
        let (byzantine, honest) = (of(Generator::Byzantine), of(Generator::Honest));
        let committee = &self.follower.instance.committee;
        let members = (committee.byzantine.into(), (committee.members - committee.byzantine).into());
        let seated =
            seated((round.0, subround.0), (byzantine, honest), members, &self.follower.instance.rules);
        let Follower { instance, state } = &mut self.follower;
        let message = if round <= state.floor.round {
            format!("the generators of round {}, which is final everywhere", round.0)
        } else if let Err(Unfit { message, fix, .. }) = seated {
            format!("generators: {message}: {fix}")
        } else if instance.order.listed.insert((round, subround), generators).is_some() {
            format!("the generators of ({}, {}) for the second time", round.0, subround.0)
        } else {
            self.listed += count;
            return self.hold();
        };
        Err(self.syntax(message).into())
    }

    fn held(&self) -> usize {
        self.messages + self.listed + self.follower.instance.order.listed.len()
    }

    /// Counts the messages of a state: all of them, which takes as long as there are many, and so again after as many more steps.
    fn count(&mut self, messages: usize) {
        self.messages = messages;
        self.count_at = self.steps + 1 + messages as u64 / COUNTED;
    }

    /// Refuses a run of which too much is held: messages as they were counted last, and the generators.
    fn hold(&mut self) -> Result<(), LongError> {
        let (held, state) = (self.held(), &self.follower.state);
        self.most_held = self.most_held.max(held);
        let highest = state.miners.iter().map(|m| m.round.0).max().unwrap_or_default();
        let rounds = highest.saturating_sub(state.floor.round.0);
        if held <= MAX_HELD && rounds <= MAX_ROUNDS_HELD {
            return Ok(());
        }
        Err(LongError::Held { path: self.path.into(), line: self.line, step: self.steps, rounds, held })
    }

    fn step(&mut self, object: Map<String, Value>, read: &[u8]) -> Result<(), LongError> {
        self.steps += 1;
        let (path, line, step) = (self.path, self.line, self.steps);
        let bad = |message| TraceError::Step { path: path.into(), line, step: step as usize, message };
        let action = self.action(object).map_err(bad)?;
        let claimed = self.claim.as_ref().map(|claim| claim.property);
        let (mut shown, mut broken, mut messages) = (false, None, None);
        let due = step >= self.count_at;
        let before = moves(&self.follower.state, &action);
        let look = |instance: &Instance, state: &State| {
            messages = due.then(|| size(state));
            match claimed {
                Some(property) => shown = instance.shows(state, property) || before == Some(property),
                None => broken = safety().find(|property| instance.shows(state, *property)),
            }
        };
        // As the file has it, without its blanks.
        let action_of =
            || serde_json::from_slice::<Value>(read).map_or_else(|_| String::new(), |it| it.to_string());
        let blocked = |guard| LongError::Blocked { line, step, guard, action: action_of() };
        self.follower.take(&action, look).map_err(blocked)?;
        self.shown |= shown;
        if let Some(property) = broken {
            return Err(LongError::Breaks { step, property });
        }
        if let Some(messages) = messages {
            self.count(messages);
        }
        self.hold()?;
        let Follower { instance, state } = &mut self.follower;
        if state.history.crashes > self.restarts {
            return Err(
                bad(format!("more crashes than `restarts` of the instance, {}", self.restarts)).into()
            );
        }
        let listed = &mut instance.order.listed;
        while let Some(first) = listed.first_entry().filter(|first| first.key().0 <= state.floor.round) {
            self.listed -= first.remove().len();
        }
        Ok(())
    }

    fn ended(mut self) -> Result<Followed, LongError> {
        self.count(size(&self.follower.state));
        self.hold()?;
        let finalized = self.finalized();
        let Run { producer, claim, steps, most_held, shown, .. } = self;
        match claim {
            Some(Claim { property, verdict, .. }) if !shown => {
                Err(LongError::NotShown { steps, property, verdict })
            }
            claim => Ok(Followed { producer, claim, steps, finalized, most_held }),
        }
    }

    /// The step that such an object stands for.
    fn action(&self, mut object: Map<String, Value>) -> Result<Action, String> {
        let fields = object.len();
        for field in ["block", "parent"] {
            if let Some(value) = object.get_mut(field) {
                let name = value.as_str().ok_or_else(|| format!("`{field}` is a name, not {value}"))?;
                let block = self.block(name)?;
                *value = serde_json::to_value(block).map_err(|error| error.to_string())?;
            }
        }
        let action: Action =
            serde_json::from_value(Value::Object(object)).map_err(|error| error.to_string())?;
        // serde passes over whatever stands beside the name of a step that has no fields.
        let known = serde_json::to_value(action).map_err(|error| error.to_string())?;
        if known.as_object().is_some_and(|known| known.len() == fields) {
            Ok(action)
        } else {
            Err("it has a field that the step has not".into())
        }
    }

    /// The block of that name: `B(7,0)#2`, with one `'` for the second block of its generator there.
    fn block(&self, name: &str) -> Result<Block, String> {
        if name == "genesis" {
            return Ok(GENESIS);
        }
        let Follower { instance, state } = &self.follower;
        let block = parsed(name).filter(|block| shown_name(block) == name);
        let block = block.ok_or_else(|| format!("{name:?} is no name of a block, such as \"B(7,0)#2\""))?;
        if block.round <= state.floor.round {
            // Nobody asks who generated it.
            return Ok(Block { generator: state.floor.generator, ..block });
        }
        let generators = instance.generators(block.round, block.subround);
        match generators.get(usize::from(block.rank.0)) {
            Some(&generator) => Ok(Block { generator, ..block }),
            None => Err(format!("{name}: no line before says who has this rank")),
        }
    }
}

impl Given {
    fn instance(self) -> Result<Instance, BadInstance> {
        let Given { n, byzantine, exposed, beacon_threshold, rules, restarts, restarts_behind, observers } =
            self;
        let members = Members {
            n: n.into(),
            byzantine: byzantine.into(),
            groups: vec![1; n.saturating_sub(byzantine).into()],
            beacon_threshold: beacon_threshold.map_or_else(|| usual_threshold(None, n.into()), u32::from),
            exposed: exposed.into(),
        };
        members.checked((MAX_MEMBERS.into(), "more are not followed"), &rules, None)?;
        behind(restarts_behind, restarts)?;
        if !(1..=usize::from(MAX_MEMBERS)).contains(&observers) {
            let message = format!("{observers}");
            let fix = format!(
                "use 1 to {MAX_MEMBERS}: without one nothing becomes final, and nothing is forgotten"
            );
            return Err(BadInstance { field: "observers", message, fix });
        }
        let crashes = match (restarts, restarts_behind) {
            (0, _) => Crashes::Never,
            (_, false) => Crashes::Restart,
            (_, true) => Crashes::RestartBehind,
        };
        let committee = Committee { members: n, byzantine, exposed, beacon_threshold };
        let new = Instance::new(n, byzantine, rules, Order::default());
        Ok(Instance { committee, crashes, observers, ..new })
    }
}

/// The safety properties.
fn safety() -> impl Iterator<Item = Property> {
    Property::ALL.iter().copied().filter(|property| property.id().starts_with('S'))
}

/// W4 and W8 are steps: which of them `action` is, if it may happen.
fn moves(state: &State, action: &Action) -> Option<Property> {
    let Action::Leave { miner, block } = *action else { return None };
    let m = state.miners.get(usize::from(miner.0))?;
    if block.round > m.round {
        Some(Property::W8)
    } else {
        (block.round == m.round && block.subround != m.subround).then_some(Property::W4)
    }
}

/// Messages and log records that are held.
fn size(state: &State) -> usize {
    let sent = &state.sent;
    let signers = sent.shares.values().chain(sent.tickets.values()).chain(sent.votes.values());
    let signed: usize = signers.chain(sent.timeouts.values()).map(|by| by.len()).sum();
    let log = |log: &zus_spec::state::Log| {
        log.proposals.len() + log.tickets.len() + log.timeouts.len() + log.votes.len()
    };
    let logs: usize = state.miners.iter().map(|m| log(&m.log)).sum();
    signed + sent.blocks.len() + sent.notarized.len() + logs
}

fn shown_name(block: &Block) -> String {
    let Block { round, subround, rank, twin, .. } = block;
    format!("B({},{})#{}{}", round.0, subround.0, rank.0, "'".repeat((*twin).into()))
}

/// A block by its name; who generates it is not in there.
fn parsed(name: &str) -> Option<Block> {
    let bare = name.trim_end_matches('\'');
    let (place, rank) = bare.strip_prefix("B(")?.split_once(")#")?;
    let (round, subround) = place.split_once(',')?;
    Some(Block {
        round: Round(round.parse().ok()?),
        subround: Subround(subround.parse().ok()?),
        rank: Rank(rank.parse().ok()?),
        twin: u8::try_from(name.len() - bare.len()).ok()?,
        generator: Generator::Honest,
    })
}

/// A text of the other form, told apart by its first line.
pub(super) fn refuse(path: &str, text: &str) -> Result<(), TraceError> {
    let first = text.lines().next().unwrap_or_default();
    if is_header(first.as_bytes()) { Err(TraceError::Long { path: path.into() }) } else { Ok(()) }
}
