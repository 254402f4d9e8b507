//! The exhaustive product: production miners and the model, side by side, in every interleaving of a small world.
//!
//! A state is a pair of a world of production miners (mock keys) and the model's state. Stateright explores all of them; that
//! no pair shows a [`Failure`] is its `always` property, and so is that production never *refuses*: whatever an honest miner
//! of the model may do, some choice makes the production miner do.
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
//! - **Shares arrive at once**, and a generator proposes at once (the reduction `eager`).
//! - **Messages arrive in groups that matter**: one proposal before a window closes, a quorum of tickets, enough timeouts.
//!   Fewer of them change no field of the abstraction. The random walks and fuzz targets deliver them in every other way.
//! - **Who is a generator** is fixed by the keys: several keys are explored, not every order.
//!
//! # What the model may do and production does not, rightly
//! A miner of the model may select any block that may have arrived; a production miner that holds a better one (its own, as a
//! generator) selects that. The environment of the model picks who is the honest generator of a rank; here the beacon does.

use std::fmt;
use std::hash::{Hash, Hasher};

use stateright::{Checker, HasDiscoveries, Model, Property};
use zus_bpp::block::BlockId;
use zus_bpp::committee::{MinerId, Peer, Round, Subround};
use zus_bpp::message::Message;
use zus_bpp::miner::{Config, Phase, Timer};
use zus_bpp::ticket_log::Record;
use zus_model::action::Action;

use crate::bounds;
use crate::byzantine::{self, Deed, Flaw};
use crate::schedule::{Failure, Run};
use crate::world::{Adjust, Content, CrashPoint, Kind, Setup, bit};

/// A choice of the product.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Offer {
    /// A miner gets one proposal, and its window closes.
    Select {
        /// Which miner.
        host: usize,
        /// Which block.
        block: BlockId,
        /// Whether it crashes over the ticket.
        crash: Option<CrashPoint>,
    },
    /// A miner gives its subround up.
    Wait {
        /// Which miner.
        host: usize,
        /// Whether it crashes over the timeout.
        crash: Option<CrashPoint>,
    },
    /// A miner gets all tickets for a block.
    Tickets {
        /// Which miner.
        host: usize,
        /// Which block.
        block: BlockId,
    },
    /// A miner gets the notarization of a block.
    Notarization {
        /// Which miner.
        host: usize,
        /// Which block.
        block: BlockId,
        /// Whether it crashes on leaving.
        crash: Option<CrashPoint>,
    },
    /// A miner gets all timeouts of its round's subround.
    Timeouts {
        /// Which miner.
        host: usize,
        /// Which subround.
        subround: Subround,
    },
    /// A miner gets a timeout certificate.
    TimeoutCertificate {
        /// Which miner.
        host: usize,
        /// Of which subround.
        subround: Subround,
    },
    /// A crashed miner restarts.
    Restart {
        /// Which miner.
        host: usize,
    },
}

/// Over a ticket: nothing was decided yet on disk; the record lost, durable and unsent, sent.
const OVER_TICKET: [CrashPoint; 4] = [at(0, false), at(1, false), at(1, true), at(2, true)];
/// Over a timeout: the record lost, or durable and unsent.
const OVER_TIMEOUT: [CrashPoint; 2] = [at(0, false), at(0, true)];
/// Over leaving a round: the vote lost, or durable and unsent.
const OVER_LEAVING: [CrashPoint; 3] = [at(0, false), at(1, false), at(1, true)];

const fn at(after_steps: u8, flushed: bool) -> CrashPoint {
    CrashPoint { after_steps, flushed }
}

/// A state of the product.
#[derive(Clone)]
pub struct Pair {
    /// World, refinement and oracle.
    pub run: Run,
}

impl Pair {
    /// What a miner acts upon beside what the model has: its phase, candidates, known notarizations, head, and what is on its
    /// way to the disk. Not compared: which signatures it holds short of a quorum, numbers of writes, timers, and what it
    /// asked for (see the module doc).
    fn acted_upon(&self, host: usize) -> impl Eq + Hash + '_ {
        let host = &self.run.world.hosts[host];
        let (round, subround) = (host.miner.round(), host.miner.subround());
        let candidates: Vec<BlockId> =
            host.miner.candidates(round, subround).map(|(block, _)| block).collect();
        let known: Vec<BlockId> = host.miner.notarizations().map(|known| known.block).collect();
        let head = host.miner.finalized().id();
        let unwritten: Vec<Record> = host.miner.unwritten().copied().collect();
        (host.up, host.miner.phase(), candidates, known, head, unwritten, host.miner.highest_timeout())
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&self.run, &other.run);
        a.judges.refinement.state == b.judges.refinement.state
            && a.failure().is_some() == b.failure().is_some()
            && (0..a.world.hosts.len()).all(|host| self.acted_upon(host) == other.acted_upon(host))
    }
}

impl Eq for Pair {}

impl Hash for Pair {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.run.judges.refinement.state.hash(hasher);
        self.run.failure().is_some().hash(hasher);
        for host in 0..self.run.world.hosts.len() {
            self.acted_upon(host).hash(hasher);
        }
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refinement = &self.run.judges.refinement;
        f.write_str(&refinement.protocol.describe(&refinement.state))?;
        self.run.failure().map_or(Ok(()), |failure| write!(f, "\nWRONG: {failure}"))
    }
}

/// Time stands still in a product, so answers are not limited by time.
pub fn timeless(config: &mut Config, _: u16) {
    config.timing.answer_interval = 0;
}

/// A product to explore.
#[derive(Clone)]
pub struct Product {
    /// The world.
    pub setup: Setup,
    /// Crashes, at most.
    pub crashes: u32,
}

impl Product {
    /// The product of four miners, one of them Byzantine, in so many rounds and subrounds.
    #[must_use]
    pub fn of_four(rounds: u8, subrounds: u8, byzantine: u16, seed: u64) -> Self {
        let mut setup = Setup::new(4, seed);
        (setup.rounds, setup.subrounds, setup.sharders) = (rounds, subrounds, 0);
        setup.byzantine = vec![byzantine];
        setup.adjust = Adjust(timeless, 0);
        Self { setup, crashes: 0 }
    }

    /// The initial pair.
    ///
    /// # Panics
    /// When the setup is larger than the model.
    #[must_use]
    pub fn initial(&self) -> Pair {
        let mut run = Run::new(&self.setup, 0).expect("the model has room for a product");
        settle(&mut run);
        Pair { run }
    }

    /// What can be chosen.
    #[must_use]
    pub fn offers(&self, pair: &Pair) -> Vec<Offer> {
        let world = &pair.run.world;
        let mut offers = Vec::new();
        if pair.run.failure().is_some() {
            return offers;
        }
        let q = bounds::quorum(self.setup.miners);
        let join = bounds::tolerated(self.setup.miners) + 1;
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
            let ticketed = found.miner.ticketed(round, subround).next().is_some();
            if found.miner.phase() != Phase::TimedOut && !ticketed {
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
                let count = self.signers(pair, &Record::timeout(round, Subround(s)));
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
                if self.signers(pair, &Record::ticket(round, block.subround(), block.id().0)) >= q {
                    offers.push(Offer::Tickets { host, block: block.id() });
                }
            }
            self.certificates(pair, host, q, &mut offers);
            if may_crash {
                for block in world.blocks.iter().filter(|block| block.round() == round) {
                    if self.signers(pair, &Record::ticket(round, block.subround(), block.id().0)) >= q {
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
            // Whoever has left the round learns of a notarization; once is enough, by whoever is first.
            let place = refinement.places.of(&block.id()).filter(|place| place.index() < 64);
            let known = place.is_some_and(|place| refinement.state.block(place).notarized() == 1);
            if world.hosts[host].miner.round() > round && known {
                continue;
            }
            if self.signers(pair, &Record::ticket(round, subround, block.id().0)) >= q {
                offers.push(Offer::Notarization { host, block: block.id(), crash: None });
            }
        }
    }

    /// Members that signed a record; Byzantine ones sign everything.
    fn signers(&self, pair: &Pair, record: &Record) -> usize {
        let honest = pair.run.world.hosts.iter().filter(|host| host.has_said(record)).count();
        honest + self.setup.byzantine.len()
    }

    /// The pair after a choice.
    #[must_use]
    pub fn next(&self, pair: &Pair, offer: Offer) -> Pair {
        let mut run = pair.run.clone();
        run.judges.refinement.actions.clear();
        take(&mut run, offer);
        settle(&mut run);
        Pair { run }
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
                let order = world.ground.order(place.round.into(), place.subround.into());
                order.get(usize::from(place.rank)) == Some(&world.hosts[usize::from(miner)].id)
            }
            _ => false,
        }
    }

    /// Explores everything, with Stateright. Returns the checker, with counts and discoveries.
    pub fn explore(self, refusals: bool) -> impl Checker<Searched> {
        Searched { product: self, refusals }.checker().spawn_bfs().join()
    }

    /// Explores until something is wrong. Returns what, and how many pairs that took; `None` when all is well.
    pub fn hunt(self, refusals: bool) -> Option<(String, usize)> {
        let searched = Searched { product: self, refusals };
        let checker = searched.checker().finish_when(HasDiscoveries::Any).spawn_bfs().join();
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
        // What changes nothing is no step.
        (next != *pair).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties =
            vec![Property::always("production refines the model", |_: &Self, pair: &Pair| {
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

fn take(run: &mut Run, offer: Offer) {
    let (world, judges) = (&mut run.world, &mut run.judges);
    let find = |world: &crate::world::World<_>, is: &dyn Fn(&Message) -> bool| {
        world.network.sent().iter().position(|envelope| match &envelope.content {
            Content::Message(message) => is(message),
            Content::Bytes(_) => false,
        })
    };
    match offer {
        Offer::Select { host, block, crash } => {
            let me = bit(Peer::Miner(world.hosts[host].id));
            let proposal = find(
                world,
                &|message| matches!(message, Message::Proposal(proposal) if proposal.block.id() == block),
            );
            if let Some(proposal) = proposal.filter(|&index| world.network.sent()[index].to & me != 0) {
                world.deliver(proposal, me, None, judges);
            }
            let (round, subround) = (world.hosts[host].miner.round(), world.hosts[host].miner.subround());
            world.fire(host, Timer::Window { round, subround }, crash, judges);
        }
        Offer::Wait { host, crash } => {
            let (round, subround) = (world.hosts[host].miner.round(), world.hosts[host].miner.subround());
            world.fire(host, Timer::Wait { round, subround }, crash, judges);
        }
        Offer::Tickets { host, block } => {
            let me = bit(Peer::Miner(world.hosts[host].id));
            deliver_all(
                run,
                me,
                |message| matches!(message, Message::Ticket(ticket) if ticket.block == block),
            );
        }
        Offer::Timeouts { host, subround } => {
            let me = bit(Peer::Miner(world.hosts[host].id));
            let round = world.hosts[host].miner.round();
            deliver_all(
                run,
                me,
                |message| matches!(message, Message::Timeout(timeout) if (timeout.round, timeout.subround) == (round, subround)),
            );
        }
        Offer::Notarization { host, block, crash } => {
            let Some(found) = world.block(&block).cloned() else { return };
            certificate(run, host, Record::ticket(found.round(), found.subround(), block.0), crash);
        }
        Offer::TimeoutCertificate { host, subround } => {
            let round = world.hosts[host].miner.round();
            certificate(run, host, Record::timeout(round, subround), None);
        }
        Offer::Restart { host } => world.restart(host, judges),
    }
}

fn deliver_all(run: &mut Run, to: crate::world::Receivers, is: impl Fn(&Message) -> bool) {
    let end = run.world.network.sent().len();
    for index in 0..end {
        let envelope = &run.world.network.sent()[index];
        let wanted = matches!(&envelope.content, Content::Message(message) if is(message));
        if wanted && envelope.to & to != 0 {
            run.world.deliver(index, to, None, &mut run.judges);
        }
    }
}

/// A Byzantine member gives a certificate to one miner.
fn certificate(run: &mut Run, host: usize, record: Record, crash: Option<CrashPoint>) {
    let Some(&member) = run.world.ground.setup.byzantine.first() else { return };
    let me = bit(Peer::Miner(run.world.hosts[host].id));
    let before = run.world.network.sent().len();
    byzantine::perform(&mut run.world, MinerId(member), &Deed::Certify(record), me);
    let of_record = |message: &Message| match message {
        Message::Notarization(known) => record == Record::ticket(known.round, known.subround, known.block.0),
        Message::TimeoutCertificate(known) => record == Record::timeout(known.round, known.subround),
        _ => false,
    };
    let sent = run.world.network.sent();
    let from = Peer::Miner(MinerId(member));
    let fits = |index: &usize| {
        let envelope = &sent[*index];
        envelope.from == from
            && envelope.to & me != 0
            && matches!(&envelope.content, Content::Message(message) if of_record(message))
    };
    let index = (before..sent.len()).find(fits).or_else(|| (0..before).rev().find(fits));
    if let Some(index) = index {
        run.world.deliver(index, me, crash, &mut run.judges);
    }
}

/// Shares arrive, and Byzantine members say all that they can say, until nothing is new.
fn settle(run: &mut Run) {
    loop {
        let before = run.world.network.sent().len();
        speak(run);
        let hosts: Vec<_> = run.world.hosts.iter().map(|host| bit(Peer::Miner(host.id))).collect();
        let mut delivered = false;
        for me in hosts {
            let open: Vec<usize> = run.world.network.open(me).collect();
            for index in open {
                if run.world.network.sent()[index].kind == Kind::BeaconShare
                    && run
                        .world
                        .host_of(MinerId(me.trailing_zeros() as u16))
                        .is_some_and(|h| run.world.hosts[h].up)
                {
                    run.world.deliver(index, me, None, &mut run.judges);
                    delivered = true;
                }
            }
        }
        delivered |= fetch(run);
        run.judges.refinement.catch_up(&run.world);
        if !delivered && run.world.network.sent().len() == before {
            return;
        }
    }
}

/// Missing blocks are asked for and arrive, from whoever has them. Returns whether somebody misses nothing any more.
fn fetch(run: &mut Run) -> bool {
    let misses = |run: &Run, host: usize| {
        run.world.hosts[host].up
            && run.world.hosts[host].timers.iter().any(|(_, timer)| *timer == Timer::CatchUp)
    };
    let mut helped = false;
    for host in 0..run.world.hosts.len() {
        // Without sharders each peer is asked twice in turn.
        for _ in 0..2 * run.world.ground.setup.miners {
            if !misses(run, host) {
                break;
            }
            run.world.fire(host, Timer::CatchUp, None, &mut run.judges);
            // Questions first, then the answers to them.
            for _ in 0..2 {
                let chain = |run: &Run, index: &usize| {
                    let envelope = &run.world.network.sent()[*index];
                    envelope.kind == Kind::Chain && run.world.network.is_open(*index, envelope.to)
                };
                let open: Vec<usize> =
                    (0..run.world.network.sent().len()).filter(|index| chain(run, index)).collect();
                for index in open {
                    let to = run.world.network.sent()[index].to;
                    run.world.deliver(index, to, None, &mut run.judges);
                }
            }
            helped |= !misses(run, host);
        }
    }
    helped
}

fn speak(run: &mut Run) {
    let ground = std::sync::Arc::clone(&run.world.ground);
    let all = (1 << ground.setup.miners) - 1;
    for &member in &ground.setup.byzantine {
        let member = MinerId(member);
        for round in (1..=u64::from(ground.setup.rounds)).map(Round) {
            for subround in (0..u32::from(ground.setup.subrounds)).map(Subround) {
                if ground.rank(round.0, subround.0, member).is_none() {
                    continue;
                }
                let genesis = ground.config.genesis.id();
                let parent = if round == Round(1) {
                    Some(genesis)
                } else {
                    run.world
                        .notarized
                        .iter()
                        .find(|known| known.round.next() == round)
                        .map(|known| known.block)
                };
                let made = run.world.blocks.iter().filter(|block| {
                    (block.round(), block.subround(), block.header().generator) == (round, subround, member)
                });
                if let Some(parent) = parent.filter(|_| made.count() < byzantine::MOST_BLOCKS) {
                    let deed = Deed::Propose { round, subround, parent, flaw: Flaw::None };
                    byzantine::perform(&mut run.world, member, &deed, all);
                    byzantine::perform(&mut run.world, member, &deed, all);
                }
                if subround.0 + 1 < u32::from(ground.setup.subrounds) {
                    let deed = Deed::Sign(Record::timeout(round, subround));
                    byzantine::perform(&mut run.world, member, &deed, all);
                }
            }
        }
        for index in 0..run.world.blocks.len() {
            let block = &run.world.blocks[index];
            let (round, subround, id) = (block.round(), block.subround(), block.id().0);
            if run.world.byzantine.contains(&(member, Record::ticket(round, subround, id))) {
                continue;
            }
            byzantine::perform(&mut run.world, member, &Deed::Sign(Record::ticket(round, subround, id)), all);
            byzantine::perform(
                &mut run.world,
                member,
                &Deed::Sign(Record::finality_vote(round, subround, id)),
                all,
            );
        }
    }
}

/// The failure of a pair, in words.
#[must_use]
pub fn failure_of(pair: &Pair) -> Option<Failure> {
    pair.run.failure()
}
