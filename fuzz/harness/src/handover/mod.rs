//! The handover of committees against its specification: random schedules of the world of epochs ([`zus_sim::epochs`]), compared with
//! `zus_epochs::handoff` step by step.
//!
//! **What is compared.** A ticket that an honest node sends is a step *ticket* of the specification, a finality vote is a step *leave*
//! that votes for this block, the entry into an epoch is a step *enter* with the record that the plan has, and a crash is a *restart*. A
//! node that goes on in a later round without having voted leaves its rounds through the parent of the block that it signs. Each
//! of these steps must be enabled. After each E1, E2, E3 and E9 are asked of the state of the specification. Beside the specification,
//! which lets a node vote at every leave, the votes that really left are counted: an epoch begins, and a block is final, only where a
//! quorum of them shows it. The word of a block about the end of its epoch must follow from the blocks below it. A block of a tail is
//! never final. In the end the observer of the world has found nothing.
//!
//! **What is not compared.** In the specification a Byzantine member has signed everything, so a certificate may exist there of which
//! nobody has a copy. It has no messages, waits, timeouts, beacon or application. A node enters a subround at will. Each node restarts once; a
//! second crash of a node is no step. Links and checkpoints lead to the same *enter*. That a step *happens* is not compared (L1, E5).

mod adversary;
mod specification;

use std::collections::BTreeSet;
use std::sync::Arc;

use zus_bpp::committee::Epoch;
use zus_bpp::crypto::mock_scheme::{MockCommittee, MockScheme};
use zus_bpp::epochs::planned::PlannedKeys;
use zus_epochs::handoff::EpochProperty;
use zus_sim::Byzantine;
use zus_sim::epochs::{Setup, Taken, Trace, World};
use zus_sim::timed::Links;

use crate::schedule::Random;
use adversary::Adversary;
pub use specification::{Compared, Specification, Wrong};

/// Milliseconds between two looks at a run, and of a whole run at most.
const SLICE: u64 = 40;
const LONGEST: u64 = 12_000;

/// Committees of three or four epochs, and the nodes that may be Byzantine: at most `f` of each committee.
const PLANS: [(&[&[u16]], &[u16]); 7] = [
    // One member is exchanged.
    (&[&[0, 1, 2, 3], &[1, 2, 3, 4], &[2, 3, 4, 5]], &[0, 3, 4]),
    // The places of those that stay do not change.
    (&[&[0, 1, 2, 3], &[0, 1, 2, 4], &[0, 1, 2, 5]], &[0, 3, 5]),
    // All are exchanged, and come back.
    (&[&[0, 1, 2, 3], &[4, 5, 6, 7], &[0, 1, 2, 3]], &[1, 5]),
    // To a committee without a Byzantine member, and to one of one.
    (&[&[0, 1, 2, 3], &[2, 4], &[1, 2, 3, 4]], &[0]),
    (&[&[0, 1, 2, 3], &[1], &[1, 2, 3, 4]], &[0]),
    // A node has no place in an epoch between two others.
    (&[&[0, 1, 2, 3], &[0, 1, 2, 4], &[0, 1, 2, 3], &[0, 1, 2, 4]], &[1, 4]),
    (&[&[0, 1, 2, 3, 4, 5, 6], &[3, 4, 5, 6]], &[0]),
];

/// A schedule of the world of epochs.
#[derive(Debug)]
pub struct Choices {
    setup: Setup,
    /// A node that is Byzantine, for the specification too.
    liar: Option<u16>,
    /// Whether a place has one key in all epochs.
    same_keys: bool,
    /// How often of ten slices the liar sends something made up.
    forges: usize,
    random: Random,
}

impl Choices {
    /// Any bytes are a schedule.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut random = Random::seeded_by(bytes);
        // The first bytes choose what matters most, so that an engine can change it alone.
        let byte = |at: usize, random: &mut Random| bytes.get(at).map_or(random.bits() as u8, |byte| *byte);
        let (committees, liars) = PLANS[usize::from(byte(0, &mut random)) % PLANS.len()];
        let rounds = 1 + u64::from(byte(1, &mut random) % 2);
        let committees = committees.iter().map(|members| members.to_vec()).collect();
        let sharders = u16::from(byte(2, &mut random) % 2);
        let mut setup = Setup::new(committees, sharders, rounds, random.bits());
        setup.links = match byte(3, &mut random) % 4 {
            0 | 1 => Links::RELIABLE,
            2 => Links { delay: 1..=150, loss: 30, duplicates: 20, bytes: false },
            _ => Links { delay: 1..=400, ..Links::RELIABLE },
        };
        let who = usize::from(byte(4, &mut random));
        let liar = (who % 4 != 0).then(|| liars[who / 4 % liars.len()]);
        if let Some(liar) = liar {
            let kinds = usize::from(byte(5, &mut random));
            // Half of them behave like an honest one, beside what they make up.
            if kinds % 2 == 0 {
                setup.byzantine.push((liar, Byzantine::ALL[kinds / 2 % Byzantine::ALL.len()]));
            }
        }
        let nodes = usize::from(setup.nodes);
        let faults = byte(6, &mut random);
        if faults & 1 == 1 {
            let from = random.below(3_000) as u64;
            let away = (random.below(nodes) as u16, from, from + 200 + random.below(2_500) as u64);
            setup.away.push(away);
        }
        if faults & 2 == 2 {
            let step = 1 + random.below(900) as u64;
            setup.kill_at_step = Some((random.below(nodes) as u16, step, random.below(1_500) as u64));
        }
        let same_keys = byte(7, &mut random) & 1 == 1;
        let forges = usize::from(byte(8, &mut random)) % 6;
        Self { setup, liar, same_keys, forges, random }
    }

    fn keys(&self) -> PlannedKeys<MockScheme> {
        let (plan, seed, same) = (&self.setup.plan, self.setup.seed, self.same_keys);
        let made = PlannedKeys::new(Arc::clone(plan), |epoch, members| {
            // The most members that a plan has: one key for each place.
            let keys = MockCommittee::new(members, if same { seed } else { seed ^ (epoch.0 + 1) });
            let members = (0..members).filter_map(|id| keys.member(zus_bpp::committee::MinerId(id)));
            Ok::<_, std::convert::Infallible>((members.collect(), keys.observer()))
        });
        made.unwrap_or_else(|never| match never {})
    }
}

/// A run that was compared to its end.
#[derive(Debug, Default)]
pub struct Summary {
    /// Steps of honest nodes that were compared.
    pub compared: usize,
    /// The steps of the specification that they were, by name.
    pub actions: usize,
    /// Whether the list of blocks of the specification became full.
    pub full: bool,
    /// The highest epoch of an honest node.
    pub epoch: Epoch,
    /// The witnesses of the specification that its last state shows.
    pub witnesses: BTreeSet<EpochProperty>,
    /// Kinds of things that the adversary sent.
    pub forged: BTreeSet<&'static str>,
    /// Steps of replicas.
    pub steps: u64,
}

/// Plays a schedule and compares it.
///
/// # Errors
/// When the production code did a step that the specification does not allow.
pub fn play(choices: Choices) -> Result<Summary, Wrong> {
    play_changed(choices, Some)
}

/// The same with steps that are changed, or left out, before they are compared: the control of the comparison.
///
/// # Errors
/// As [`play`].
pub fn play_changed(
    mut choices: Choices,
    mut change: impl FnMut(Taken) -> Option<Taken>,
) -> Result<Summary, Wrong> {
    let keys = choices.keys();
    let setup = choices.setup.clone();
    let byzantine: Vec<u16> = choices.liar.into_iter().collect();
    let genesis = setup.genesis().id();
    let mut specification = Specification::new(&setup.plan, setup.nodes, &byzantine, genesis);
    let adversary = choices.liar.map(|node| Adversary::new(node, keys.clone()));
    let mut world = World::new(setup.clone(), keys);
    world.trace = Some(Trace::default());
    let mut summary = Summary::default();
    while world.now.0 < LONGEST && !summary.full {
        world.run(SLICE);
        compare(&mut world, &mut specification, &mut summary, &mut change)?;
        let Some(adversary) = &adversary else { continue };
        if choices.random.below(10) >= choices.forges {
            continue;
        }
        let to = choices.random.below(usize::from(setup.nodes)) as u16;
        let trace = world.trace.as_ref();
        let made = trace.and_then(|trace| adversary.make(&mut choices.random, trace, &specification, to));
        if let Some((kind, envelopes)) = made {
            summary.forged.insert(kind);
            envelopes.iter().for_each(|envelope| world.deliver(adversary.node, to, envelope));
        }
    }
    // A liar that nobody calls Byzantine does what an honest node does, so the observer watches it as well.
    if let Some(violation) = world.observer.violations.first() {
        return Err(Wrong { taken: None, reason: violation.clone() });
    }
    summary.epoch = specification.epochs().into_values().max().unwrap_or_default();
    let witnesses = EpochProperty::ALL.iter().filter(|property| property.is_witness());
    summary.witnesses = witnesses.copied().filter(|property| specification.shows(*property)).collect();
    summary.actions = specification.actions.len();
    summary.steps = (0..setup.nodes).map(|node| world.steps(node)).sum();
    Ok(summary)
}

fn compare(
    world: &mut World<MockScheme>,
    specification: &mut Specification,
    summary: &mut Summary,
    change: &mut impl FnMut(Taken) -> Option<Taken>,
) -> Result<(), Wrong> {
    let Some(trace) = &mut world.trace else { return Ok(()) };
    let steps = std::mem::take(&mut trace.steps);
    for taken in steps.into_iter().filter_map(change) {
        match specification.take(taken, &trace.headers)? {
            Compared::Allowed => summary.compared += 1,
            Compared::Full => {
                summary.full = true;
                return Ok(());
            }
        }
    }
    Ok(())
}
