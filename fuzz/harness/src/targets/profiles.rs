//! Target about two sets of rules under which a random run seldom gets to what is special about them.
//!
//! Under `TwoDelta` a block becomes final when the wait of 2Δ after a round is over, and at no other moment. Under a chained
//! beacon all follow the greatest seed among the notarized blocks of a round, so that a synchronous network brings finality
//! whatever was notarized before; half of those inputs begin with a round that has two notarized blocks.

use std::sync::Arc;

use zus_bpp::committee::{Peer, Round, Subround};
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::miner::{Output, Timer};
use zus_bpp::rules::{BeaconRule, FinalityRule, Rules};

use crate::liveness::calm;
use crate::oracles::Oracle;
use crate::schedule::operation::perform;
use crate::schedule::told_cause;
use crate::schedule::{Operation, Schedule, resolve};
use crate::world::{Cause, Event, Ground, Kind, Watch, World, bit};

/// Properties and obligations, and whether a block became final without a wait.
#[derive(Default)]
struct Watched {
    oracle: Oracle,
    early: Option<String>,
}

impl Watch<MockScheme> for Watched {
    fn watch(&mut self, world: &World<MockScheme>, event: &Event) {
        self.oracle.watch(world, event);
        let Event::Step { host, cause, outputs, .. } = event else { return };
        let waited = matches!(cause, Cause::Timer(Timer::Finality { .. }));
        let finalizes = outputs.iter().any(|output| matches!(output, Output::Finalized(_)));
        if finalizes && !waited {
            let id = world.hosts[*host].id;
            self.early.get_or_insert_with(|| {
                format!("{id} finalizes after {}, without a wait of 2Δ", told_cause(cause))
            });
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
    // TwoDelta is cheap to check. A chained beacon costs as much as a synchronous network: one input in four.
    let chained = schedule.header.0[7] & 3 == 0;
    setup.miners = 4;
    setup.rules = if chained {
        Rules { beacon: BeaconRule::Chained, ..Rules::HARDENED }
    } else {
        Rules { finality: FinalityRule::TwoDelta, ..Rules::HARDENED }
    };
    let Some(ground) = Ground::new(setup.clone(), setup.mock_keys()) else { return };
    let mut world = World::new(Arc::new(ground));
    let mut watched = Watched::default();
    world.start(&mut watched);
    if chained && schedule.header.0[7] & 4 == 0 {
        split(&mut world, &mut watched);
    }
    for choice in &schedule.choices {
        if watched.oracle.violation.is_none()
            && let Some(operation) = resolve(&world, *choice, schedule.header.swarm())
        {
            perform(&mut world, &operation, &mut watched);
        }
    }
    let rules = if chained { "a chained beacon" } else { "TwoDelta" };
    let wrong = watched.oracle.violation.map(|found| found.to_string());
    let wrong = wrong.or(watched.early.filter(|_| !chained));
    let wrong = wrong
        .or_else(|| if chained { calm(&mut world, &mut ()).err() } else { None }.map(|it| it.to_string()));
    if let Some(wrong) = wrong {
        panic!("{wrong}\nunder {rules}: {:02x?}", schedule.explicit());
    }
}

/// Everybody tickets a block in each of the first two subrounds of round 1; one miner leaves through the first block, the others
/// through the second, which has the greater seed.
fn split(world: &mut World<MockScheme>, watched: &mut Watched) {
    let everybody = world.hosts.iter().fold(0, |set, host| set | bit(Peer::Miner(host.id)));
    let mut does = |world: &mut World<MockScheme>, operation: Operation| perform(world, &operation, watched);
    let deliver = |kind: Kind| Operation::DeliverAll { to: everybody, kind: Some(kind) };
    let mut first_of = Vec::new();
    for waits in [false, true] {
        if waits {
            does(world, Operation::FireAll { waits });
            does(world, deliver(Kind::Timeout));
        }
        does(world, deliver(Kind::BeaconShare));
        does(world, deliver(Kind::Proposal));
        does(world, Operation::FireAll { waits: false });
        let subround = Subround(u32::from(waits));
        let ticketed = world.hosts[0].miner.ticketed(Round(1), subround).next();
        first_of.extend(ticketed);
    }
    let [first, second] = first_of[..] else { return };
    let one = bit(Peer::Miner(world.hosts[0].id));
    does(world, Operation::DeliverTickets { to: one, block: first });
    for host in 1..world.hosts.len() {
        let to = bit(Peer::Miner(world.hosts[host].id));
        does(world, Operation::DeliverTickets { to, block: second });
    }
}
