//! The drawing of a run, as data.
//!
//! One event is one row of the drawing. Events that the model merges with their cause are events of their own here:
//! the proposal of a block at its first ticket, the notarization when the q-th ticket is there. They belong to the
//! step that they came with (`step`) and are marked `implied`.

use serde::{Deserialize, Serialize};
use std::path::Path;
use strum::IntoStaticStr;
pub use zus_checker::sentence::describe::Line;
use zus_output::{
    bounded::{self, Unread},
    plain,
};

/// The name of the format.
pub const FORMAT: &str = "zus-scene";
/// Its version.
pub const VERSION: u32 = 1;
/// Bytes of a file with a scene.
pub const MAX_BYTES: u64 = 64 << 20;
/// Lanes of a scene.
pub const MAX_LANES: usize = 256;
/// Events of a scene: a step of a trace has a few, and each is drawn in the page.
pub const MAX_EVENTS: usize = 100_000;

/// A run as it is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The title of the run.
    pub title: String,
    /// The instance, in a line or two.
    pub about: Vec<String>,
    /// The property that the run shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shows: Option<Shown>,
    /// The story of the run, in plain words and in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub story: Vec<Told>,
    /// The command that makes the run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<String>,
    /// The name of the block below all others; genesis if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The names of the rounds, from round 1 on, where they are not `round 1`, `round 2`, ...
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<String>,
    /// The meanings of the tints of bands ([`Stay::tint`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tints: Vec<String>,
    /// The participants, from left to right.
    pub lanes: Vec<Lane>,
    /// The blocks of the run.
    pub blocks: Vec<BlockCard>,
    /// The events, from top to bottom.
    pub events: Vec<Event>,
    /// Where each miner is, from which event on; in order of events.
    pub stays: Vec<Stay>,
    /// The state before the first step; later ones follow by [`Event::changes`].
    pub initial: Vec<Line>,
}

/// The property that a run shows, and the event that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The id of the property.
    pub property: String,
    /// `violated` or `reachable`.
    pub verdict: String,
    /// The sentence of the property.
    pub text: String,
    /// Why the run shows it, in one sentence.
    pub because: String,
    /// The event with which it does.
    pub event: usize,
}

/// A sentence of the story of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The sentence.
    pub says: String,
    /// The event that it is about.
    pub event: usize,
}

/// A participant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The committees that it is in, where two committees follow each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committee: Option<Committee>,
}

/// The committees of a participant of a handover. Lanes of one value stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Committee {
    /// The old one only.
    Leaves,
    /// Both.
    Both,
    /// The new one only.
    Joins,
}

impl Committee {
    /// Its name in drawings and in files.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The role of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// A miner that follows the rules.
    Honest,
    /// The messages that have been sent: certificates, and blocks of honest generators that the run does not
    /// name.
    Network,
    /// A miner that does what it likes.
    Byzantine,
    /// A sharder, or anybody who finalizes.
    Observer,
}

impl Role {
    /// Its name in class names of drawings and in files.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A block of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockCard {
    /// Its name.
    pub name: String,
    /// Its name in the story of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
    /// Its round, from 1.
    pub round: u64,
    /// Its subround, from 0.
    pub subround: u32,
    /// The rank of its generator; 0 is the highest priority.
    pub rank: u32,
    /// 0, or 1 for the second block of one generator in one subround.
    pub twin: u8,
    /// Whether its generator is Byzantine.
    pub byzantine: bool,
    /// Its part of its epoch, where two epochs follow each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<Segment>,
    /// Its parent: an index of [`Scene::blocks`], none for genesis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<usize>,
    /// The event from which on it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<usize>,
    /// The event from which on it is notarized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notarized: Option<usize>,
    /// The event from which on it is final for some observer, itself or through a descendant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finalized: Option<usize>,
}

/// The part of an epoch that a block stands in, where two epochs follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Segment {
    /// Below the closing block.
    Before,
    /// It closes its epoch.
    Closing,
    /// In the tail of its epoch.
    Tail,
    /// In a later epoch.
    Next,
}

impl Segment {
    /// Its name in class names of drawings and in files.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// Step 1: a share of the beacon, or its value.
    Beacon,
    /// Step 2.
    Proposal,
    /// Steps 3 and 4.
    Selection,
    /// Step 5.
    Ticket,
    /// Steps 6 and 7.
    Notarization,
    /// Step 8: a miner leaves its round.
    Leave,
    /// Step 8: a miner adopts another notarized block.
    Adopt,
    /// Step 9.
    Timeout,
    /// Step 9: q timeouts.
    TimeoutCertificate,
    /// Step 9: a miner enters a later subround.
    EnterSubround,
    /// Step 8: a finality vote.
    Vote,
    /// Step 10: q finality votes.
    FinalityCertificate,
    /// Step 10: an observer's head moves.
    Finalize,
    /// The certificate by which the next committee begins is there.
    Handoff,
    /// A member takes it, and is in the next epoch.
    EnterEpoch,
    /// A miner goes down.
    Crash,
    /// It comes back.
    Restart,
    /// The network changes.
    Network,
}

impl Kind {
    /// Its name in class names of drawings and in files.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// The step that it came with, from 1; 0 before the first one.
    pub step: usize,
    /// Whether it is no step of its own, but implied by one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub implied: bool,
    /// Whose lane it is in.
    pub lane: usize,
    /// Its kind.
    pub kind: Kind,
    /// Whether a Byzantine miner did it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub byzantine: bool,
    /// A few words.
    pub label: String,
    /// One sentence.
    pub says: String,
    /// The block that it is about: an index of [`Scene::blocks`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<usize>,
    /// The messages that it used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
    /// The lines of the state that changed with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Line>,
    /// Ids of the properties that show from it on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shows: Vec<String>,
}

/// A message, from the event that made it to the one that used it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// The event that made it.
    pub from: usize,
    /// Its kind.
    pub what: Kind,
    /// Whether the receiver did something else between: the message was late, or withheld.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// A miner enters a (round, subround), goes down, or comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    /// Whose lane.
    pub lane: usize,
    /// The event from which on it is there; 0 also for the start.
    pub event: usize,
    /// The round, from 1.
    pub round: u64,
    /// The subround, from 0.
    pub subround: u32,
    /// Whether it is down.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub down: bool,
    /// The tint of its band, if it is not that of the round: an index of [`Scene::tints`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tint: Option<u8>,
}

/// Why a text is no scene.
#[derive(Debug, thiserror::Error)]
pub enum SceneError {
    /// The file cannot be read.
    #[error("{path}: {source}\n  fix: {}", .source.fix("a trace, as `zus check --out DIR` writes them, or a scene"))]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: Unread,
    },
    /// It is no JSON, or has other fields.
    #[error("{path}:{line}: {message}\n  fix: the format is described in model/report/src/draw/scene.rs")]
    Syntax {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The error.
        message: String,
    },
    /// An index leads nowhere, or a limit is passed.
    #[error("{path}: {what}\n  fix: the format is described in model/report/src/draw/scene.rs")]
    Inconsistent {
        /// The file.
        path: String,
        /// The error.
        what: String,
    },
}

/// The text of a file of at most [`MAX_BYTES`].
pub fn read(path: &Path) -> Result<String, SceneError> {
    let unreadable = |source| SceneError::Unreadable { path: plain::path(path), source };
    bounded::read(path, MAX_BYTES).map_err(unreadable)
}

/// The `format` that a JSON text names, if it names one.
pub fn format_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Header {
        format: String,
    }
    serde_json::from_str::<Header>(text).ok().map(|header| header.format)
}

impl Scene {
    /// Reads a scene that another tool wrote; `path` is for messages.
    pub fn from_json(path: &str, text: &str) -> Result<Scene, SceneError> {
        let scene: Scene = serde_json::from_str(text).map_err(|error| SceneError::Syntax {
            path: path.into(),
            line: error.line().max(1),
            message: error.to_string(),
        })?;
        scene.check().map_err(|what| SceneError::Inconsistent { path: path.into(), what })?;
        Ok(scene)
    }

    /// Whether every index leads somewhere, every message was made before it is used, and no limit is passed.
    fn check(&self) -> Result<(), String> {
        if self.format != FORMAT || self.version != VERSION {
            return Err(format!(
                "this is {:?}, version {}, not {FORMAT:?}, version {VERSION}",
                self.format, self.version
            ));
        }
        let (lanes, events, blocks) = (self.lanes.len(), self.events.len(), self.blocks.len());
        if lanes > MAX_LANES || events > MAX_EVENTS || blocks > MAX_EVENTS {
            return Err(format!("more than {MAX_LANES} lanes or {MAX_EVENTS} events or blocks"));
        }
        for (row, event) in self.events.iter().enumerate() {
            let fine = event.lane < lanes
                && event.block.is_none_or(|b| b < blocks)
                && event.uses.iter().all(|used| used.from < row);
            if !fine {
                return Err(format!("event {row} names a lane, a block or a message that is not there"));
            }
        }
        for (at, block) in self.blocks.iter().enumerate() {
            let fine = block.parent.is_none_or(|p| p < blocks && self.blocks[p].round < block.round)
                && [block.proposed, block.notarized, block.finalized].iter().flatten().all(|&e| e < events);
            if !fine {
                return Err(format!("block {at} has a parent that is no earlier block, or no such event"));
            }
        }
        if self.stays.iter().any(|s| s.lane >= lanes || s.event >= events.max(1))
            || self.shows.as_ref().is_some_and(|s| s.event >= events)
            || self.story.iter().any(|told| told.event >= events)
            || self.stays.iter().any(|s| s.tint.is_some_and(|tint| usize::from(tint) >= self.tints.len()))
        {
            return Err(
                "a stay, the story or what is shown names a lane, an event or a tint that is not there"
                    .into(),
            );
        }
        Ok(())
    }

    /// As a file, for `zus draw` and other tools.
    pub fn to_file(&self) -> String {
        plain::json(&serde_json::to_string(self).unwrap_or_default()).into_owned() + "\n"
    }

    /// As JSON that may stand inside a `script` element of a page: nothing in it ends the element.
    pub fn to_json(&self) -> String {
        embedded(self)
    }
}

/// As JSON that may stand inside a `script` element of a page: what HTML could read is written as an escape, and the page
/// shows no text in disguise.
pub fn embedded<T: Serialize>(value: &T) -> String {
    let mut json = serde_json::to_value(value).unwrap_or_default();
    plain::every_text(&mut json);
    let json = json.to_string();
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            other => out.push(other),
        }
    }
    out
}
