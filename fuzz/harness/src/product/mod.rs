//! The exhaustive product: production miners and the model, side by side, in every interleaving of a small world.
//!
//! A state is a pair of a world of production miners (mock keys) and the model's state. Stateright explores all of them; that
//! no pair shows a [`Failure`](crate::schedule::Failure) is its `always` property, and so is that production never *refuses*:
//! whatever an honest miner of the model may do, some choice makes the production miner do.
//!
//! # What is explored
//! Every honest miner may, at any time: get the proposal of any one block and close its window; give its subround up; get the
//! tickets, or a certificate, of any block that has a quorum; get the timeouts, or a certificate, of any subround that has
//! enough of them; crash over any of these, before or after its records are flushed, and restart.
//!
//! # What is fixed, and why nothing is lost by it
//! - **Byzantine members have said everything**: twins in every subround where they have their turn, tickets and votes for
//!   every block, timeouts of every subround, as soon as it can be said. Messages only enable, and what was said may arrive
//!   at any later time (the model's reduction `byzantine_available`).
//! - **Shares arrive at once**, and a generator proposes at once (the reduction `eager`). This is one thing that a generator
//!   can tell: where its window closes before it knows the beacon value, it tickets the first block that brings the value, and
//!   proposes its own, better one after that. With [`Product::late_shares`] shares arrive whenever, and that is explored too.
//! - **Messages arrive in groups that matter**: one proposal before a window closes, a quorum of tickets, enough timeouts.
//!   Fewer of them change no field of the abstraction. The random walks and fuzz targets deliver them in every other way.
//! - **Who is a generator** is fixed by the keys: several keys are explored, not every order.
//!
//! # What the model may do and production does not, rightly
//! A miner of the model may select any block that may have arrived; a production miner that holds a better one (its own, as a
//! generator) selects that. The environment of the model picks who is the honest generator of a rank; here the beacon does.

mod environment;
mod offer;
mod pair;

pub use offer::Offer;
pub use pair::{Pair, failure_of};

use std::time::Duration;

use stateright::{Checker, HasDiscoveries, Model, Property};
use zus_bpp::committee::Subround;
use zus_bpp::miner::{Config, Phase, Timer};
use zus_bpp::rules::Rules;
use zus_bpp::ticket_log::LogRecord;
use zus_checker::action::Action;

use crate::oracles;
use crate::schedule::Run;
use crate::world::{Adjust, CrashPoint, Setup};
use environment::settle;
use offer::{OVER_LEAVING, OVER_TICKET, OVER_TIMEOUT, take};

/// Time stands still in a product, so answers are not limited by time.
pub fn timeless(config: &mut Config, _: u16) {
    config.timing.answer_interval = Duration::ZERO;
}

/// A product to explore.
#[derive(Clone)]
pub struct Product {
    /// The world.
    pub setup: Setup,
    /// Crashes, at most.
    pub crashes: u32,
    /// Whether beacon shares arrive when they are chosen to, and a window may close before them.
    pub late_shares: bool,
}

impl Product {
    /// The product of four miners, one of them Byzantine, in so many rounds and subrounds.
    #[must_use]
    pub fn of_four(rounds: u8, subrounds: u8, byzantine: u16, seed: u64) -> Self {
        let mut setup = Setup::new(4, seed);
        (setup.rounds, setup.subrounds, setup.sharders) = (rounds, subrounds, 0);
        setup.byzantine = vec![byzantine];
        setup.adjust = Adjust(timeless, 0);
        Self { setup, crashes: 0, late_shares: false }
    }

    /// The same product under other rules.
    #[must_use]
    pub fn under(mut self, rules: Rules) -> Self {
        self.setup.rules = rules;
        self
    }

    /// The initial pair.
    ///
    /// # Panics
    /// When the setup is larger than the model.
    #[must_use]
    pub fn initial(&self) -> Pair {
        let mut run = Run::new(&self.setup, 0).expect("the model has room for a product");
        settle(&mut run, !self.late_shares);
        Pair { run }
    }

    /// The possible choices.
    #[must_use]
    pub fn offers(&self, pair: &Pair) -> Vec<Offer> {
        let world = &pair.run.world;
        let mut offers = Vec::new();
        if pair.run.failure().is_some() {
            return offers;
        }
        let q = self.setup.quorum();
        let join = oracles::tolerated(self.setup.miners) + 1;
        let may_crash = world.crashes < self.crashes;
        for (host, found) in world.hosts.iter().enumerate() {
            if !found.up {
                offers.push(Offer::Restart { host });
                continue;
            }
            if world.is_parked(host) {
                self.certificates(pair, host, q, &mut offers);
                continue;
            }
            let (round, subround) = (found.miner.round(), found.miner.subround());
            let crashes = |flushes: &'static [CrashPoint]| {
                let with = may_crash.then_some(flushes).into_iter().flatten().copied().map(Some);
                std::iter::once(None).chain(with)
            };
            if self.late_shares && found.miner.beacon().is_none() {
                offers.push(Offer::Shares { host });
                if found.miner.phase() == Phase::Collecting {
                    offers.push(Offer::Window { host });
                }
            }
            let spent =
                self.setup.rules.tickets_once() && found.miner.ticketed(round, subround).next().is_some();
            if found.miner.phase() != Phase::TimedOut && !spent {
                for block in world.blocks.iter().filter(|b| (b.round(), b.subround()) == (round, subround)) {
                    let block = block.id();
                    offers.extend(crashes(&OVER_TICKET).map(|crash| Offer::Select { host, block, crash }));
                }
            }
            if found.miner.phase() != Phase::TimedOut
                && world.may_fire(host, &Timer::Wait { round, subround })
            {
                offers.extend(crashes(&OVER_TIMEOUT).map(|crash| Offer::Wait { host, crash }));
            }
            for s in subround.0..u32::from(self.setup.subrounds) - 1 {
                let count = self.signers(pair, &LogRecord::timeout(round, Subround(s)));
                if count >= q {
                    offers.push(Offer::TimeoutCertificate { host, subround: Subround(s) });
                }
                if count >= join && count < q && s == subround.0 {
                    offers.push(Offer::Timeouts { host, subround: Subround(s) });
                }
                if count >= q {
                    offers.push(Offer::Timeouts { host, subround: Subround(s) });
                }
            }
            for block in world.blocks.iter().filter(|block| block.round() == round) {
                if self.signers(pair, &LogRecord::ticket(round, block.subround(), block.id().0)) >= q {
                    offers.push(Offer::Tickets { host, block: block.id() });
                }
            }
            self.certificates(pair, host, q, &mut offers);
            if may_crash {
                for block in world.blocks.iter().filter(|block| block.round() == round) {
                    if self.signers(pair, &LogRecord::ticket(round, block.subround(), block.id().0)) >= q {
                        for crash in OVER_LEAVING {
                            offers.push(Offer::Notarization { host, block: block.id(), crash: Some(crash) });
                        }
                    }
                }
            }
        }
        offers
    }

    fn certificates(&self, pair: &Pair, host: usize, q: usize, offers: &mut Vec<Offer>) {
        let world = &pair.run.world;
        let refinement = &pair.run.judges.refinement;
        for block in &world.blocks {
            let (round, subround) = (block.round(), block.subround());
            // A miner that has left the round learns of a notarization. Once is enough, for the first such miner.
            let place = refinement.places.of(&block.id()).filter(|place| place.index() < 64);
            let known = place.is_some_and(|place| refinement.state.block(place).notarized() == 1);
            // Where a miner may enter its round again through another block, each has to learn of it.
            let adopts = self.setup.chained()
                && self.setup.rules.adopts()
                && world.hosts[host].miner.round() == round.next();
            if world.hosts[host].miner.round() > round && known && !adopts {
                continue;
            }
            if self.signers(pair, &LogRecord::ticket(round, subround, block.id().0)) >= q {
                offers.push(Offer::Notarization { host, block: block.id(), crash: None });
            }
        }
    }

    /// Members that signed a record; Byzantine ones sign everything.
    fn signers(&self, pair: &Pair, record: &LogRecord) -> usize {
        let (honest, _) = pair.run.world.signers(record);
        honest + self.setup.byzantine.len()
    }

    /// The pair after a choice.
    #[must_use]
    pub fn next(&self, pair: &Pair, offer: Offer) -> Pair {
        let mut run = pair.run.clone();
        run.judges.refinement.actions.clear();
        take(&mut run, offer);
        settle(&mut run, !self.late_shares);
        Pair { run }
    }

    /// The run of these choices from the beginning, with every action of the model: [`Product::next`] keeps those of its step.
    #[must_use]
    pub fn played(&self, offers: &[Offer]) -> Run {
        let mut run = self.initial().run;
        for offer in offers {
            take(&mut run, *offer);
            settle(&mut run, !self.late_shares);
        }
        run
    }

    /// Actions of honest miners that the model allows, and no choice makes production do.
    #[must_use]
    pub fn refusals(&self, pair: &Pair) -> Vec<Action> {
        let refinement = &pair.run.judges.refinement;
        let mut allowed = Vec::new();
        refinement.protocol.actions(&refinement.state, &mut allowed);
        allowed.retain(|action| self.is_asked_of_production(pair, action));
        for offer in self.offers(pair) {
            if allowed.is_empty() {
                break;
            }
            let next = self.next(pair, offer);
            let done = &next.run.judges.refinement.actions;
            allowed.retain(|action| !done.contains(action));
        }
        allowed
    }

    /// Whether production must be able to do this (see the module doc for what it rightly does not).
    fn is_asked_of_production(&self, pair: &Pair, action: &Action) -> bool {
        let (world, refinement) = (&pair.run.world, &pair.run.judges.refinement);
        match *action {
            Action::Select { miner, block } => {
                let found = &world.hosts[usize::from(miner)];
                let rank = refinement.protocol.blocks.place(block).rank;
                let (round, subround) = (found.miner.round(), found.miner.subround());
                found.miner.candidates(round, subround).all(|(_, known)| known.0 >= u16::from(rank))
            }
            Action::Leave { .. }
            | Action::Timeout { .. }
            | Action::EnterSubround { .. }
            | Action::Notarize { .. } => true,
            Action::ShareBeacon { .. } | Action::SendTicket { .. } => true,
            Action::Restart { .. } => true,
            // Done at once by whoever is the generator.
            Action::Propose { miner, block } => {
                let place = refinement.protocol.blocks.place(block);
                let host = usize::from(miner);
                let draw = world.draw_of(host);
                draw.is_some_and(|draw| {
                    draw.order.get(usize::from(place.rank)) == Some(&world.hosts[host].id)
                })
            }
            _ => false,
        }
    }

    /// Explores everything, with Stateright, or about so many steps. Returns the checker, with counts and discoveries.
    pub fn explore(self, refusals: bool, steps: usize) -> impl Checker<Searched> {
        Searched { product: self, refusals }.checker().target_state_count(steps).spawn_bfs().join()
    }

    /// Explores until something is wrong, at most so many steps. Returns what is wrong, and how many pairs that took; `None` when
    /// all is well.
    pub fn hunt(self, refusals: bool, steps: usize) -> Option<(String, usize)> {
        let searched = Searched { product: self, refusals };
        let checker =
            searched.checker().finish_when(HasDiscoveries::Any).target_state_count(steps).spawn_bfs().join();
        let found = checker.discoveries();
        let (property, path) = found.iter().next()?;
        let failure = path.last_state().run.failure();
        let what = failure.map_or_else(|| (*property).to_owned(), |failure| failure.kind());
        Some((what, checker.unique_state_count()))
    }
}

/// A product with the question whether refusals are looked for, which takes as long again.
#[derive(Clone)]
pub struct Searched {
    product: Product,
    refusals: bool,
}

impl Model for Searched {
    type State = Pair;
    type Action = Offer;

    fn init_states(&self) -> Vec<Pair> {
        vec![self.product.initial()]
    }

    fn actions(&self, pair: &Pair, offers: &mut Vec<Offer>) {
        offers.extend(self.product.offers(pair));
    }

    fn next_state(&self, pair: &Pair, offer: Offer) -> Option<Pair> {
        let next = self.product.next(pair, offer);
        // A choice that changes nothing is no step.
        (next != *pair).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties =
            vec![Property::always("each step of production is one of the model", |_: &Self, pair: &Pair| {
                pair.run.failure().is_none()
            })];
        if self.refusals {
            properties
                .push(Property::always("production does what the model may do", |m: &Self, pair: &Pair| {
                    m.product.refusals(pair).is_empty()
                }));
        }
        properties
    }
}
