//! Target about rules other than the recommended ones, which the refinement does not compare (its module says why).
//!
//! Under `TwoDelta` a block becomes final when the wait of 2Δ after a round is over, and at no other moment. Under a chained
//! beacon all follow the greatest seed among the notarized blocks of a round, so that a synchronous network brings finality
//! whatever was notarized before.

use std::sync::Arc;

use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::miner::{Output, Timer};
use zus_bpp::rules::{BeaconRule, FinalityRule, Rules};

use crate::liveness::calm;
use crate::schedule::operation::perform;
use crate::schedule::{Schedule, resolve};
use crate::world::{Cause, Event, Ground, Watch, World};

/// Whether a block became final without a wait.
#[derive(Default)]
struct Early(Option<String>);

impl Watch<MockScheme> for Early {
    fn watch(&mut self, world: &World<MockScheme>, event: &Event) {
        let Event::Step { host, cause, outputs, .. } = event else { return };
        let waited = matches!(cause, Cause::Timer(Timer::Finality { .. }));
        let finalizes = outputs.iter().any(|output| matches!(output, Output::Finalized(_)));
        if finalizes && !waited {
            let id = world.hosts[*host].id;
            self.0.get_or_insert_with(|| format!("{id} finalizes after {cause:?}, without a wait of 2Δ"));
        }
    }
}

/// See the module doc.
///
/// # Panics
/// When something is wrong.
pub fn profiles(bytes: &[u8]) {
    let schedule = Schedule::from_bytes(bytes);
    let mut setup = schedule.header.setup();
    setup.byzantine.clear();
    // What a walk of the first kind checks costs little; of the second, as much as a synchronous network.
    let chained = schedule.header.0[7] & 3 == 0;
    setup.miners = 4;
    setup.rules = if chained {
        Rules { beacon: BeaconRule::Chained, ..Rules::HARDENED }
    } else {
        Rules { finality: FinalityRule::TwoDelta, ..Rules::HARDENED }
    };
    let Some(ground) = Ground::new(setup.clone(), setup.mock_keys()) else { return };
    let mut world = World::new(Arc::new(ground));
    let mut early = Early::default();
    world.start(&mut early);
    for choice in &schedule.choices {
        if let Some(operation) = resolve(&world, *choice, schedule.header.swarm()) {
            perform(&mut world, &operation, &mut early);
        }
    }
    if chained {
        if let Err(stalled) = calm(&mut world, &mut ()) {
            panic!("{stalled}\nunder a chained beacon: {:02x?}", schedule.explicit());
        }
    } else if let Some(early) = early.0 {
        panic!("{early}\n{:02x?}", schedule.explicit());
    }
}
