//! The production code refines the model: every step of a world of production miners is a sequence of enabled actions of the
//! model, and leads to a world whose abstraction is the state after them.
//!
//! # The relation
//! Let `α` be the [`abstraction`](abstraction()) and `s` the model's state, from [`Protocol::initial`] on. After each production step the
//! [`Refinement`] maps what the step did to actions `a1 .. ak` (`actions_of`), asks [`Protocol::enabled`] of each
//! before it applies it, and compares the result with `α(world)`, field by field. If all steps of all runs pass, `α` is a
//! forward simulation: every run of the production code is a run of the model, so every safety property that the model's
//! check has established holds of the code, as far as it can be said in what `α` keeps. The model is taken in its *explicit
//! form*, all reductions off: what is compared is the specification, not an optimisation of it.
//!
//! # What is kept
//! Of a miner: round, subround, entry block, tickets of its round, the ticket that is in the log and has not left, whether it
//! gave its subround up, whether it sent its share and its block, whether it is down. Of a block: parent, tickets, votes,
//! Byzantine tickets and votes, whether it is notarized. Timeouts of each subround; who was in a round with which entry; what
//! each miner sent in all rounds, by name. Finality is compared as a step: a head may move only where the model's
//! `Finalize` lets an observer with that head move.
//!
//! # What is hidden, and why that is sound
//! - **Who has received what.** The model's network is monotone: a sent message may arrive at any time, so receiving is a
//!   guard on what was sent. What a production miner holds is a part of that.
//! - **Environment actions.** A Byzantine miner's block, ticket, vote or timeout becomes an action just before the first
//!   action that uses it: nothing could have depended on it earlier.
//! - **Steps of no action**: sending again, asking for and answering with blocks, evidence, refusals, what is forgotten
//!   because of a bound. They must leave `α` as it is, which is checked.
//! - **Messages that the model has earlier.** A finality vote counts when it is decided (the model casts it in the step that
//!   leaves the round) and a block when its record is requested, before they are on disk. Should a crash lose them, the model
//!   has a message more than production, never one less; messages only enable.
//! - **`selected`** is set and used within one production step; **`resent`** is a witness of the model's own.
//! - **Commitment.** A ticket, a block and a timeout bind a miner from the moment at which a crash cannot undo them: where
//!   it may crash, when the record is durable; on a slow disk, where it does not crash, when it is requested (a ticket, a
//!   block) or leaves (a timeout).
//!
//! # Rules
//! Every value of every rule that production implements is compared with the model under the same rules (`rules`): a run names
//! its rules in its header. The differences from `hardened`:
//! - **Ticket rules.** The model has one place for a ticket that is in the log and has not left. A miner that decides on another one
//!   before has sent the first one as far as the model is concerned: it has a message early, and messages only enable.
//! - **Local subrounds.** Giving a subround up and entering the next is the one action `Timeout`; in production it happens when
//!   the record is durable, so that a restart goes on there.
//! - **A volatile log.** A ticket binds when it is signed, until a crash; it leaves in the same step.
//! - **Finality without votes.** The sharder may finalize through a certificate that a Byzantine miner has shown to nobody else:
//!   `Notarize` then comes before `Finalize`.
//! - **A chained beacon.** Shares are told apart by subround and adopted block; `Adopt` is a milestone of production. The order of
//!   generators follows from the run, so a place of the model becomes a Byzantine generator's when a Byzantine block takes it, and
//!   there are places for two orders of a subround. A run with a third, or with both blocks of an equivocator, has left the
//!   model's room ([`Refinement::beyond`]).
//!
//! # What is not covered
//! Rounds and subrounds beyond those of the world; a disk that loses stores as well as records (target `recovery`, where the
//! properties are checked and not refinement); time, and with it the rule `echo`, which says something only where messages arrive
//! in time (`liveness`). Where a log is volatile: the crash of a miner that has proposed in its subround (it would make a second
//! block, for which the model of `Volatile` has no place), and, with local subrounds, in a subround above 0 (production comes back
//! in subround 0, since nothing tells it more, the model's miner where it was): see [`World::may_crash`]. Under `deployed`,
//! subrounds above 1, which repeat the generators of subround 1.

mod abstraction;
mod actions;
mod difference;
mod names;
mod places;

pub use abstraction::{View, abstraction};
pub use difference::{Difference, first_difference};
pub use names::Names;
pub use places::{NoPlace, Places};

use std::sync::Arc;

use thiserror::Error;
use zus_bpp::crypto::scheme::Scheme;
use zus_checker::action::{Action, Blocked};
use zus_checker::blocks::{BlockId as ModelBlock, Blocks, GENESIS, Generator};
use zus_checker::committee::Committee;
use zus_checker::properties::Property;
use zus_checker::protocol::Reductions;
use zus_checker::protocol::{Network, Protocol};
use zus_checker::state::State;
use zus_checker::trace::{Claim, CodeFault, Producer, ReplayError, Trace, shown_verdict, shows};

use crate::oracles;
use crate::schedule::Failure;
use crate::world::{Event, Ground, Watch, World};

/// Crashes that the state of the model can count.
pub const MAX_CRASHES: u32 = 15;

/// A difference between production and model.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Finding {
    /// A production step is an action that may not happen.
    #[error("production does what the model forbids: {deed}: {guard}")]
    Disabled {
        /// The action.
        action: Action,
        /// The same in words.
        deed: String,
        /// The guard that is false.
        guard: Blocked,
    },
    /// All actions of a step may happen, and lead elsewhere.
    #[error("after the step, {0}")]
    Differs(Difference),
    /// A step is about a block that the model has no place for.
    #[error("{participant} acts upon a block that cannot be: {source}")]
    NoPlace {
        /// The participant.
        participant: String,
        /// Why.
        source: NoPlace,
    },
}

/// The instance of the model that a world is compared with. `Err` says which bound of the model it exceeds.
///
/// # Errors
/// When the world is larger than the model's state.
pub fn protocol_of<S: Scheme + Clone>(ground: &Ground<S>) -> Result<Protocol, String> {
    let setup = &ground.setup;
    let rules = setup.rules;
    let kind = |round: u8, subround: u8| -> Vec<Generator> {
        if setup.chained() {
            // The order follows from the run, so nobody's kind is fixed: a place becomes a Byzantine one when a Byzantine block takes
            // it, and ranks have places for two orders of the same subround.
            return vec![Generator::Honest; places::ORDERS * usize::from(setup.generators())];
        }
        let order = ground.order(round.into(), subround.into()).iter();
        order
            .map(|&member| if setup.is_byzantine(member) { Generator::Byzantine } else { Generator::Honest })
            .collect()
    };
    let blocks = Blocks::new(setup.rounds, setup.subrounds, 2, false, rules.subround_cap, None, kind)
        .map_err(|error| format!("{} blocks where the model has room for {}", error.needed, error.limit))?;
    let honest = usize::from(setup.miners) - setup.byzantine.len();
    if honest > zus_checker::committee::MAX_HONEST || setup.byzantine.len() > 3 {
        return Err(format!("{honest} honest and {} Byzantine miners", setup.byzantine.len()));
    }
    let f = oracles::tolerated(setup.miners) as u32;
    Ok(Protocol {
        committee: Committee {
            n: setup.miners.into(),
            f,
            byzantine: setup.byzantine.len() as u32,
            quorum: setup.quorum() as u32,
            beacon_threshold: setup.beacon_threshold() as u32,
            exposed: 0,
            weights: vec![1; honest],
        },
        rules,
        fault: None,
        blocks,
        // Also where nobody crashes: writing a ticket and sending it are two steps then.
        crashes: MAX_CRASHES,
        restarts_behind: false,
        network: Network::Async,
        observers: 0,
        reserved_rounds: 0,
        reserved_subrounds: 0,
        // Without a Byzantine member the reduction of their messages reduces nothing, and is on as usual.
        reductions: Reductions { byzantine_available: setup.byzantine.is_empty(), ..Reductions::NONE },
    })
}

/// See the module doc.
#[derive(Clone)]
pub struct Refinement {
    /// The instance of the model.
    pub protocol: Arc<Protocol>,
    /// The model's state.
    pub state: State,
    /// Which block stands where.
    pub places: Places,
    /// The actions so far.
    pub actions: Vec<Action>,
    /// Where they are kept, a sentence for each action: what happened, from the states before and after it.
    pub sentences: Option<Vec<String>>,
    /// The abstract view of production.
    view: View,
    /// Entries of the world's list of what Byzantine members signed that are no action yet, and how many were looked at.
    unsaid: (Vec<usize>, usize),
    /// Heads of the honest miners, then the sharder's.
    heads: Vec<ModelBlock>,
    /// The first thing that is wrong.
    pub finding: Option<Finding>,
    /// Whether actions are kept; an exhaustive search needs the last ones only.
    pub keeps_actions: bool,
    /// Whether the run has left what the model has room for (under a chained beacon: a third order of generators in one
    /// subround); nothing is compared from then on.
    pub beyond: bool,
}

impl Refinement {
    /// A world that has not started.
    ///
    /// # Errors
    /// When the world is larger than the model's state.
    pub fn new<S: Scheme + Clone>(world: &World<S>) -> Result<Self, String> {
        let protocol = protocol_of(&world.ground)?;
        let genesis = world.ground.config.genesis.id();
        Ok(Self {
            state: protocol.initial(),
            places: Places::new(genesis, &protocol.blocks),
            actions: Vec::new(),
            sentences: None,
            view: View::new(world),
            unsaid: (Vec::new(), 0),
            heads: vec![GENESIS; world.hosts.len() + 1],
            finding: None,
            keeps_actions: true,
            beyond: false,
            protocol: Arc::new(protocol),
        })
    }

    /// The run so far as a trace that `zus replay` reads, with what is wrong at its end. An action of production that may not
    /// happen is its last step. A property that the model shows violated, too, is the trace's claim. All numbers of miners in it
    /// are the model's.
    ///
    /// # Errors
    /// When the actions are no run: never, for what this refinement has applied.
    pub fn trace(
        &self,
        command: &str,
        failure: Option<&Failure>,
        names: &Names,
    ) -> Result<Trace, ReplayError> {
        let producer = Producer {
            tool: concat!("zus-fuzz ", env!("CARGO_PKG_VERSION")).into(),
            command: Some(command.into()),
            seed: None,
        };
        let mut trace = Trace::of_run(producer, None, None, &self.protocol, &self.actions)?;
        trace.finding = failure
            .map(|failure| CodeFault { kind: failure.kind(), because: names.in_model(&failure.to_string()) });
        if let Some(Failure::Property(violation)) = failure {
            trace.claim = self.claim(violation.property, &trace);
        }
        if let (Some(Failure::Refinement(_)), Some(Finding::Disabled { action, deed, .. })) =
            (failure, &self.finding)
        {
            let says = Some(format!("production does, and may not: {}", names.in_model(deed)));
            trace.steps.push(zus_checker::trace::Step { action: *action, says });
        }
        Ok(trace)
    }

    /// The claim that a property is violated, if the model shows it at the end of this run.
    fn claim(&self, id: &str, trace: &Trace) -> Option<Claim> {
        let property = Property::ALL.iter().copied().find(|property| property.id() == id)?;
        let states = trace.replay().ok()?.states;
        let shown = shows(&self.protocol, &states, &self.actions, property);
        let because = self.protocol.explain(states.last()?, property).unwrap_or_default();
        shown.then(|| Claim { property, verdict: shown_verdict(property), because })
    }

    fn check<S: Scheme + Clone>(&mut self, world: &World<S>, event: &Event) -> Result<(), Finding> {
        if self.beyond {
            return Ok(());
        }
        match self.actions_of(world, event) {
            Err(Finding::NoPlace { source: NoPlace::Full { .. }, .. }) => {
                self.beyond = true;
                return Ok(());
            }
            done => done?,
        }
        let changed = match event {
            Event::Step { host, .. } | Event::Crashed { host } | Event::Restarted { host } => *host..host + 1,
            Event::Sharder { .. } => 0..0,
        };
        let production = self.view.read(&self.protocol, &self.places, world, changed);
        first_difference(&self.protocol, &self.state, production)
            .map_or(Ok(()), |found| Err(Finding::Differs(found)))
    }

    /// Byzantine messages that were sent since the last step become actions now.
    pub fn catch_up<S: Scheme + Clone>(&mut self, world: &World<S>) {
        if self.finding.is_none()
            && !self.beyond
            && let Err(finding) = self.sync_byzantine(world)
        {
            self.finding = Some(Names::of(world).in_finding(finding));
        }
    }
}

impl<S: Scheme + Clone> Watch<S> for Refinement {
    fn watch(&mut self, world: &World<S>, event: &Event) {
        if self.finding.is_none()
            && let Err(finding) = self.check(world, event)
        {
            self.finding = Some(Names::of(world).in_finding(finding));
        }
    }
}
