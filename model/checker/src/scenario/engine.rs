//! Which engine answers for a property of a scenario, and why the other one does not.
//!
//! There are two. The *explicit* search goes step by step; it answers for every property, within rounds and subrounds that have
//! an end. States of *certificates* ([`crate::certificates`]) answer for a few properties, far beyond such bounds. A scenario
//! names the engine, or the command does; where certificates do not answer, the explicit search does. Each verdict is of one
//! engine, and the report names it.

use super::{Expectation, Scenario, ScenarioError, reading::Reading};
use crate::{
    certificates::{
        rounds::Reach,
        support::{Seen, unanswered},
    },
    properties::Property,
    protocol::Protocol,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::ops::Range;
use toml::Spanned;

/// A search that answers for properties.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Step by step, within the rounds and subrounds of the scenario.
    #[default]
    Explicit,
    /// States of certificates.
    Certificates,
}

impl Engine {
    /// Its name, as a scenario and the command line have it.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Explicit => "explicit",
            Engine::Certificates => "certificates",
        }
    }
}

/// The origin of the choice of an engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Named {
    /// Nobody: it is the explicit search.
    #[default]
    Nowhere,
    /// The scenario.
    Scenario,
    /// The option `--engine`.
    Command,
}

/// The engine that a scenario is to be answered by, where that can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    /// Which.
    pub engine: Engine,
    /// The origin of the choice.
    pub named: Named,
    /// How far states of certificates go.
    pub reach: Reach,
}

impl Default for Choice {
    fn default() -> Self {
        Choice { engine: Engine::Explicit, named: Named::Nowhere, reach: Reach::Bounded }
    }
}

impl Choice {
    /// Idle blocks of each flag at most, where any number of rounds is asked for.
    pub fn idle(self) -> Option<u8> {
        match self.reach {
            Reach::Bounded => None,
            Reach::Any { idle } => Some(idle),
        }
    }
}

/// The engine that answers for a property, and why the other one does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Which answers.
    pub by: Engine,
    /// Why the other one does not.
    pub not_other: &'static str,
}

/// Why an engine cannot answer for a scenario.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unsupported {
    /// The engine.
    pub engine: Engine,
    /// Why not.
    pub why: &'static str,
    /// The change that mends it.
    pub fix: &'static str,
}

/// Why the explicit search is no answer for any number of rounds.
const ENDLESS: &str = "a search of single steps has no end where rounds and subrounds have none";
const GIVE_NUMBERS: &str = "give `rounds` and `subrounds` as numbers";
const NOTHING: &str =
    "certificates answer for S2, S3, S5, S6, W1, W2 and their premises, and none of them is expected";

impl Scenario {
    /// How states of certificates are seen, or why they are no answer.
    pub fn seen(&self) -> Result<Seen, &'static str> {
        self.protocol.seen(self.choice.reach)
    }

    /// The engine that answers for `property`.
    pub fn answer(&self, property: Property) -> Answer {
        let by_steps = |not_other| Answer { by: Engine::Explicit, not_other };
        if self.simulate.is_some() {
            return by_steps("random runs are runs of single steps");
        }
        match (self.seen(), unanswered(property), self.choice.engine) {
            (Err(why), ..) | (_, Some(why), _) => by_steps(why),
            (Ok(_), None, Engine::Explicit) => by_steps(match self.choice.named {
                Named::Nowhere => "no engine is named, and then it is the explicit search",
                Named::Scenario => "the scenario asks for the explicit search",
                Named::Command => "--engine asks for the explicit search",
            }),
            (Ok(_), None, Engine::Certificates) => {
                let not_other = match (self.choice.reach, self.choice.named) {
                    (Reach::Any { .. }, _) => ENDLESS,
                    (Reach::Bounded, Named::Nowhere | Named::Scenario) => {
                        "the scenario asks for certificates"
                    }
                    (Reach::Bounded, Named::Command) => "--engine asks for certificates",
                };
                Answer { by: Engine::Certificates, not_other }
            }
        }
    }

    /// Whether that engine answers for one of its expectations.
    pub fn is_answered_by(&self, engine: Engine) -> bool {
        self.expect.iter().any(|e| self.answer(e.property).by == engine)
    }

    /// The same scenario, answered by the engine that the command names.
    ///
    /// # Errors
    /// Why that engine is no answer for it.
    pub fn by(mut self, engine: Engine) -> Result<Scenario, Unsupported> {
        let unsupported = |why, fix| Err(Unsupported { engine, why, fix });
        match engine {
            Engine::Explicit if self.choice.idle().is_some() => return unsupported(ENDLESS, GIVE_NUMBERS),
            Engine::Explicit => {}
            Engine::Certificates => {
                const OTHER: &str = "leave this scenario out, or use --engine explicit";
                if self.simulate.is_some() {
                    let why = "the scenario asks for random runs, and these are runs of single steps";
                    return unsupported(why, OTHER);
                }
                if let Err(why) = self.seen() {
                    return unsupported(why, OTHER);
                }
                if self.expect.iter().all(|e| unanswered(e.property).is_some()) {
                    return unsupported(NOTHING, OTHER);
                }
            }
        }
        if engine != self.choice.engine
            && let Some(states) = self.states.take()
        {
            let pinned = self.choice.engine.name();
            self.notes.push(format!("{}: {states} states are pinned of the engine `{pinned}`", self.path));
        }
        self.choice = Choice { engine, named: Named::Command, ..self.choice };
        Ok(self)
    }
}

/// Rounds or subrounds, as a scenario has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Count {
    /// So many.
    Number(u8),
    /// Any number.
    Any,
}

impl Count {
    /// Rounds or subrounds of the instance. Where any number is asked for, its first subround stands for all of them; with two of
    /// each, every property that can be asked has a subject.
    pub fn number(self) -> u8 {
        match self {
            Count::Number(number) => number,
            Count::Any => 2,
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Count, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Count;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, or \"any\"")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Count, E> {
                let refused = || E::invalid_value(de::Unexpected::Signed(number), &self);
                u8::try_from(number).map(Count::Number).map_err(|_| refused())
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Count, E> {
                match word {
                    "any" => Ok(Count::Any),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The fields of a scenario that are about its engine.
pub(super) struct Given<'f> {
    pub rounds: &'f Spanned<Count>,
    pub subrounds: &'f Spanned<Count>,
    pub idle_blocks: &'f Option<Spanned<u8>>,
    pub engine: &'f Option<Spanned<Engine>>,
    pub simulate: &'f Option<Spanned<u64>>,
    /// Where a reduction is switched off.
    pub reductions: Option<Range<usize>>,
}

/// Fewer idle blocks miss facts (`certificates`, Lemma 5).
const LEAST_IDLE: u8 = 2;
/// More idle blocks only cost time.
const MOST_IDLE: u8 = 8;

impl Reading<'_> {
    /// The engine that the file asks for.
    pub(super) fn choice(
        &self,
        given: &Given<'_>,
        protocol: &Protocol,
        expect: &[Expectation],
    ) -> Result<Choice, ScenarioError> {
        let any = self.any(given)?;
        let (engine, span, field) = match &given.engine {
            Some(engine) => (*engine.get_ref(), engine.span(), "engine"),
            None if any.is_none() => return Ok(Choice::default()),
            None => (Engine::Certificates, given.rounds.span(), "rounds"),
        };
        let reach = any.map_or(Reach::Bounded, |idle| Reach::Any { idle });
        let choice = Choice { engine, named: Named::Scenario, reach };
        match engine {
            Engine::Explicit if any.is_some() => {
                let fix = format!("use engine = \"certificates\", or {GIVE_NUMBERS}");
                return Err(self.invalid(span, field, ENDLESS, fix));
            }
            Engine::Explicit => return Ok(choice),
            Engine::Certificates => {}
        }
        let fix = if any.is_some() { GIVE_NUMBERS } else { "use engine = \"explicit\"" };
        if let Some(simulate) = given.simulate {
            let fix = "remove `simulate`, or use engine = \"explicit\"";
            return Err(self.invalid(
                simulate.span(),
                "simulate",
                "random runs are runs of single steps",
                fix,
            ));
        }
        // Of a mutant that certificates do not answer for, the explicit search answers, and the report says why.
        if let (Err(why), true) = (protocol.seen(reach), any.is_some() || self.is_as_written()) {
            return Err(self.invalid(span, field, format!("certificates are no answer here: {why}"), fix));
        }
        let others = expect.iter().filter_map(|e| Some((e, unanswered(e.property)?)));
        let others: Vec<(&Expectation, &str)> = others.collect();
        if others.len() == expect.len() {
            return Err(self.invalid(span, field, NOTHING, fix));
        }
        match (others.first(), &given.reductions) {
            (Some((e, why)), _) if any.is_some() => Err(ScenarioError::Invalid {
                path: self.path.into(),
                line: e.line,
                field: "expect",
                message: format!("certificates do not answer for {}: {why}; and {ENDLESS}", e.property.id()),
                fix: format!("do not expect it, or {GIVE_NUMBERS}"),
            }),
            (None, Some(span)) => {
                let message =
                    "it changes nothing: reductions are of the explicit search, and certificates answer here";
                Err(self.invalid(
                    span.clone(),
                    "reductions",
                    message,
                    "remove it, or use engine = \"explicit\"",
                ))
            }
            _ => Ok(choice),
        }
    }

    /// Idle blocks of each flag at most, where any number of rounds is asked for.
    fn any(&self, given: &Given<'_>) -> Result<Option<u8>, ScenarioError> {
        let idle = given.idle_blocks.as_ref().map(|idle| (*idle.get_ref(), idle.span()));
        match (given.rounds.get_ref(), given.subrounds.get_ref(), idle) {
            (Count::Any, Count::Any, None) => Ok(Some(LEAST_IDLE)),
            (Count::Any, Count::Any, Some((idle, _))) if (LEAST_IDLE..=MOST_IDLE).contains(&idle) => {
                Ok(Some(idle))
            }
            (Count::Any, Count::Any, Some((idle, span))) => {
                let message =
                    format!("{idle} is out of range; with fewer than {LEAST_IDLE} violations are missed");
                Err(self.invalid(span, "idle_blocks", message, format!("use {LEAST_IDLE} to {MOST_IDLE}")))
            }
            (Count::Any, Count::Number(_), _) | (Count::Number(_), Count::Any, _) => {
                let message = "any number of rounds goes with any number of subrounds";
                let fix = "let both be \"any\", or give both as numbers";
                Err(self.invalid(given.rounds.span(), "rounds", message, fix))
            }
            (Count::Number(_), Count::Number(_), Some((_, span))) => {
                let message = "it changes nothing: idle blocks are bounded only where rounds are not";
                let fix = "remove it, or use rounds = \"any\" and subrounds = \"any\"";
                Err(self.invalid(span, "idle_blocks", message, fix))
            }
            (Count::Number(_), Count::Number(_), None) => Ok(None),
        }
    }
}
