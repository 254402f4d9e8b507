//! A run: a world, its refinement and its oracle, driven by choices, with the first thing that goes wrong.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use thiserror::Error;
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::crypto::scheme::Scheme;
use zus_checker::blocks::block_name;

use super::choices::Choice;
use super::header::ground_of;
use super::operation::{Operation, perform};
use super::profile::name_of;
use super::telling::Told;
use super::vocabulary::resolve;
use crate::liveness::{Stalled, calm, is_live};
use crate::oracles::{Oracle, Violation};
use crate::refinement::{Finding, Names, Refinement};
use crate::world::{Event, Ground, Receivers, Setup, Watch, World};

/// The failure that a run shows.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Failure {
    /// Production is no refinement of the model.
    #[error(transparent)]
    Refinement(#[from] Finding),
    /// A property does not hold.
    #[error("{0}")]
    Property(Violation),
    /// A synchronous network does not help.
    #[error(transparent)]
    Liveness(#[from] Stalled),
    /// Production panics.
    #[error("a panic in production: {0}")]
    Panic(String),
}

impl Failure {
    /// In one word: the property, or how the refinement failed. Shrinking keeps it.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Failure::Refinement(Finding::Disabled { guard, .. }) => format!("disabled: {guard:?}"),
            Failure::Refinement(Finding::Differs(_)) => "differs".into(),
            Failure::Refinement(Finding::NoPlace { .. }) => "no place".into(),
            Failure::Property(violation) => violation.property.into(),
            Failure::Liveness(Stalled::NoFinality { .. }) => "liveness".into(),
            Failure::Liveness(Stalled::NeverQuiet) => "never quiet".into(),
            Failure::Panic(_) => "panic".into(),
        }
    }
}

/// Refinement and oracle watch together.
#[derive(Clone)]
pub struct Judges {
    /// The step check.
    pub refinement: Refinement,
    /// The properties.
    pub oracle: Oracle,
    /// Production steps.
    pub steps: u64,
}

impl<S: Scheme + Clone> Watch<S> for Judges {
    fn watch(&mut self, world: &World<S>, event: &Event) {
        self.steps += 1;
        self.refinement.watch(world, event);
        crate::feedback::reached(&self.refinement.protocol, &self.refinement.state);
        self.oracle.watch(world, event);
    }
}

/// See the module doc.
#[derive(Clone)]
pub struct Run<S = MockScheme> {
    /// The world.
    pub world: World<S>,
    /// The oracles of the run.
    pub judges: Judges,
    swarm: u16,
    /// Whether operations are told, for reports.
    pub keeps_story: bool,
    /// The story, one line an operation.
    pub story: Vec<String>,
    /// The message of a panic in production, after which nothing more happens.
    panicked: Option<String>,
}

impl Run {
    /// A world of this setup, with mock keys, in which everybody has started.
    ///
    /// # Errors
    /// When the setup is larger than the model.
    pub fn new(setup: &Setup, swarm: u16) -> Result<Self, String> {
        Run::speaking(ground_of(setup), swarm, setup.long_tickets)
    }
}

impl<S: Scheme + Clone> Run<S> {
    /// A world on this ground in which everybody has started.
    ///
    /// # Errors
    /// When the setup is larger than the model.
    pub fn over(ground: Arc<Ground<S>>, swarm: u16) -> Result<Self, String> {
        let long_tickets = ground.setup.long_tickets;
        Run::speaking(ground, swarm, long_tickets)
    }

    /// The same, with a set of members whose tickets have signatures of 96 bytes.
    ///
    /// # Errors
    /// When the setup is larger than the model.
    pub fn speaking(ground: Arc<Ground<S>>, swarm: u16, long_tickets: Receivers) -> Result<Self, String> {
        let world = World::speaking(ground, long_tickets);
        let refinement = Refinement::new(&world)?;
        let judges = Judges { refinement, oracle: Oracle::default(), steps: 0 };
        let mut run = Self { world, judges, swarm, keeps_story: false, story: Vec::new(), panicked: None };
        run.panicked = caught(|| run.world.start(&mut run.judges)).err();
        Ok(run)
    }

    /// Makes choices until something is wrong. Returns how many were made.
    pub fn choose_all(&mut self, choices: &[Choice]) -> usize {
        for (index, choice) in choices.iter().enumerate() {
            if self.failure().is_some() {
                return index;
            }
            self.choose(*choice);
        }
        choices.len()
    }

    /// Makes one choice.
    pub fn choose(&mut self, choice: Choice) {
        if let Some(operation) = resolve(&self.world, choice, self.swarm) {
            self.perform(&operation);
        }
    }

    /// Performs one operation.
    pub fn perform(&mut self, operation: &Operation) {
        if self.keeps_story {
            self.story.push(Told(&self.world, operation).to_string());
            self.judges.refinement.sentences = Some(Vec::new());
        }
        self.panicked = caught(|| perform(&mut self.world, operation, &mut self.judges)).err();
        if let Some(sentences) = self.judges.refinement.sentences.take() {
            let names = Names::of(&self.world);
            self.story.extend(sentences.iter().map(|said| format!("    {}", names.translate(said))));
        }
    }

    /// Lets the world become synchronous and waits for progress, on a copy of the world. Of rules that are not live nothing is
    /// asked ([`is_live`]).
    ///
    /// # Errors
    /// When there is none within the bound, or a property breaks on the way.
    pub fn ends_well(&self) -> Result<u64, Failure> {
        if !is_live(&self.world.ground.setup.rules) {
            return Ok(0);
        }
        let (mut world, mut oracle) = (self.world.clone(), self.judges.oracle.clone());
        let took = caught(|| calm(&mut world, &mut oracle)).map_err(Failure::Panic)?;
        oracle.violation.map_or(Ok(()), |violation| Err(Failure::Property(violation)))?;
        Ok(took?)
    }

    /// The failure, if any: a property first, since it says more.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let property = self.judges.oracle.violation.clone().map(Failure::Property);
        let found = property.or_else(|| self.judges.refinement.finding.clone().map(Failure::Refinement));
        found.or_else(|| self.panicked.clone().map(Failure::Panic))
    }

    /// The run as a person reads it, up to this failure. A block that the model knows has the name that the model gives it.
    #[must_use]
    pub fn told(&self, failure: Option<&Failure>) -> String {
        let mut text = format!("{self}");
        match failure {
            None => text.push_str("nothing is wrong\n"),
            Some(failure) => text.push_str(&format!("WRONG: {failure}\n")),
        }
        let refinement = &self.judges.refinement;
        let named = self
            .world
            .blocks
            .iter()
            .filter_map(|block| Some((block.id(), refinement.places.of(&block.id())?)));
        let mut legend = Vec::new();
        for (id, place) in named {
            let (id, name) = (id.to_string(), block_name(&refinement.protocol.blocks, place));
            if text.contains(&id) {
                text = text.replace(&id, &name);
                legend.push(format!("{name} is {id}"));
            }
        }
        if !legend.is_empty() {
            text.push_str(&format!("block ids: {}\n", legend.join(", ")));
        }
        text
    }
}

/// Does something in which production may panic; `Err` is the message.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_message(&*panic))
}

/// The message of a panic.
#[must_use]
pub fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

/// The world and what happened in it, without a verdict.
impl<S: Scheme + Clone> fmt::Display for Run<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setup = &self.world.ground.setup;
        writeln!(
            f,
            "{}: {} miners, Byzantine {:?}, disk {:?}, keys {}, {} rounds of {} subrounds",
            name_of(&setup.rules),
            setup.miners,
            setup.byzantine,
            setup.disk,
            setup.seed,
            setup.rounds,
            setup.subrounds
        )?;
        let mut number = 0;
        for line in &self.story {
            if line.starts_with(' ') {
                writeln!(f, "{line}")?;
            } else {
                number += 1;
                writeln!(f, "{number:3}. {line}")?;
            }
        }
        Ok(())
    }
}
