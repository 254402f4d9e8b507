//! Targets that run worlds.

use std::sync::{Arc, LazyLock};

use zus_bpp::crypto::blst_scheme::BlstScheme;
use zus_bpp::crypto::trusted_dealer;
use zus_bpp::rules::Rules;

use super::count_steps;
use crate::schedule::{HEADER_BYTES, Random, Run, Schedule};
use crate::twins::TwinRun;
use crate::world::{DiskModel, Ground, Keys, Setup};

/// One of so many inputs goes on into a synchronous network.
pub(super) const CALM_EVERY: u8 = 16;
/// Steps of a run on real signatures, each of which costs milliseconds.
const BLS_STEPS: usize = 24;

/// Production miners on mock signatures against the model and the oracles; some runs end in a synchronous network.
///
/// # Panics
/// When something is wrong, with the run.
pub fn conformance(bytes: &[u8]) {
    let schedule = Schedule::from_file(bytes);
    let Ok(mut run) = Run::new(&schedule.header.setup(), schedule.header.swarm()) else { return };
    run.choose_all(&schedule.choices);
    executed();
    count_steps(run.judges.steps);
    let ends = if schedule.header.0[5].is_multiple_of(CALM_EVERY) { run.ends_well().err() } else { None };
    if let Some(failure) = run.failure().or(ends) {
        panic!("{failure}");
    }
}

/// A measurement counts executions.
fn executed() {
    #[cfg(feature = "study")]
    crate::feedback::study::executed();
}

/// A committee of four on BLS12-381, dealt once.
static BLS: LazyLock<Option<Arc<Ground<BlstScheme>>>> = LazyLock::new(|| {
    let mut setup = Setup::new(4, 0);
    setup.byzantine = vec![0];
    // Two of the members send tickets of 96 bytes.
    setup.long_tickets = 0b1010;
    let (committee, members) = trusted_dealer::deal([5; 32], setup.miners).ok()?;
    let member = |keys| BlstScheme::member(Arc::clone(&committee), keys).ok();
    let keys = Keys {
        members: members.into_iter().map(member).collect::<Option<_>>()?,
        observer: BlstScheme::observer(Arc::clone(&committee)),
    };
    Some(Arc::new(Ground::new(setup, keys)?))
});

/// The same on real signatures: four miners, one of them Byzantine, short runs.
///
/// # Panics
/// When something is wrong, with the run.
pub fn conformance_bls(bytes: &[u8]) {
    let schedule = Schedule::from_file(bytes);
    let ground = BLS.as_ref().expect("the dealer deals");
    let Ok(mut run) = Run::over(Arc::clone(ground), schedule.header.swarm()) else { return };
    run.choose_all(&schedule.choices[..schedule.choices.len().min(BLS_STEPS)]);
    executed();
    count_steps(run.judges.steps);
    if let Some(failure) = run.failure() {
        panic!("{failure}");
    }
}

/// Every Byzantine member is two honest instances with one key.
///
/// # Panics
/// When something is wrong.
pub fn twins(bytes: &[u8]) {
    let mut tail = Random::seeded_by(bytes);
    let schedule = Schedule::from_bytes(bytes);
    let mut setup = schedule.header.setup();
    setup.disk = DiskModel::Crashing;
    // The twins' blocks have places where the order of generators is fixed.
    setup.rules = Rules::HARDENED;
    if setup.byzantine.is_empty() {
        return;
    }
    let Ok(run) = Run::new(&setup, 0) else { return };
    let mut twins = TwinRun::new(run);
    let mut phases = bytes.get(HEADER_BYTES..).unwrap_or_default().chunks_exact(3);
    for _ in 0..12 {
        let bits = tail.bits().to_le_bytes();
        let [part, more, kind] = phases.next().map_or([bits[0], bits[1], bits[2]], |c| [c[0], c[1], c[2]]);
        let part = u32::from(part) | u32::from(more) << 8;
        twins.phase(part, 2 + kind % 6, kind & 64 != 0);
        if let Some(failure) = twins.run.failure() {
            let actions = twins.run.judges.refinement.actions.len();
            panic!("{failure}\nwith twins of {:?}, after {actions} actions", setup.byzantine);
        }
    }
    count_steps(twins.run.judges.steps);
}

/// A schedule of the world of epochs refines the specification of the handover ([`handover`](crate::handover)).
///
/// # Panics
/// When it does not.
pub fn handover(bytes: &[u8]) {
    match crate::handover::play(crate::handover::Choices::read(bytes)) {
        Ok(summary) => super::count_steps(summary.steps),
        Err(wrong) => panic!("{wrong}"),
    }
}
