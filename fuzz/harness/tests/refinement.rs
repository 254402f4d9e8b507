//! The abstraction that is kept from step to step is the one that is read from nothing, under all rules that headers name.

use std::ops::Range;

use bytemuck::bytes_of;
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_fuzz::oracles::Oracle;
use zus_fuzz::refinement::{Refinement, View, abstraction};
use zus_fuzz::schedule::{Random, Schedule, operation, run::Judges};
use zus_fuzz::world::{Event, Watch, World};

/// Reads both beside the judges of a run, and counts the steps after which they differ.
struct Both {
    judges: Judges,
    view: View,
    /// Whether the view is told who has changed.
    told: bool,
    steps: usize,
    differ: usize,
}

impl Watch<MockScheme> for Both {
    fn watch(&mut self, world: &World<MockScheme>, event: &Event) {
        self.judges.watch(world, event);
        let changed: Range<usize> = match event {
            Event::Step { host, .. } | Event::Crashed { host } | Event::Restarted { host } if self.told => {
                *host..host + 1
            }
            _ => 0..0,
        };
        let refinement = &self.judges.refinement;
        let kept = self.view.read(&refinement.protocol, &refinement.places, world, changed);
        let anew = abstraction(&refinement.protocol, &refinement.places, world);
        self.steps += 1;
        self.differ += usize::from(bytes_of(kept) != bytes_of(&anew));
    }
}

/// Steps of so many runs, and after how many of them the two differ.
fn compared(seed: u64, runs: usize, told: bool) -> (usize, usize) {
    let mut random = Random::new(seed);
    let (mut steps, mut differ) = (0, 0);
    for _ in 0..runs {
        let schedule = Schedule::random(&mut random);
        let mut world = World::new(zus_fuzz::schedule::ground_of(&schedule.header.setup()));
        let refinement = Refinement::new(&world).expect("the model has room for what headers describe");
        let judges = Judges { refinement, oracle: Oracle::default(), steps: 0 };
        let mut both = Both { judges, view: View::new(&world), told, steps: 0, differ: 0 };
        world.start(&mut both);
        for choice in &schedule.choices {
            if let Some(operation) = zus_fuzz::schedule::resolve(&world, *choice, schedule.header.swarm()) {
                operation::perform(&mut world, &operation, &mut both);
            }
        }
        assert_eq!(both.judges.refinement.finding, None, "{schedule:?}");
        steps += both.steps;
        differ += both.differ;
    }
    (steps, differ)
}

#[test]
fn a_step_is_read_as_the_whole_world_is() {
    let (steps, differ) = compared(1, 1_500, true);
    assert!(steps > 100_000, "{steps}");
    assert_eq!(differ, 0, "of {steps}");
}

/// The control: a view that is not told who took the step.
#[test]
fn a_view_that_misses_a_step_differs() {
    let (steps, differ) = compared(1, 100, false);
    assert!(differ > steps / 10, "{differ} of {steps}");
}
