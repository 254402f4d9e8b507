//! Random schedules of the handover refine its specification, and a comparison that is fed with something else says so.

use std::collections::BTreeSet;

use zus_bpp::block::Digest;
use zus_epochs::handoff::EpochProperty;
use zus_fuzz::handover::{Choices, Summary, Wrong, play, play_changed};
use zus_fuzz::targets;
use zus_sim::epochs::{Step, Taken};

/// The schedule with a number.
fn choices(number: u64) -> Choices {
    Choices::read(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes())
}

/// How many schedules: `RUNS` of the environment, or a few.
fn runs() -> u64 {
    std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(48)
}

#[test]
fn random_schedules_refine_the_specification() {
    let (mut witnesses, mut forged) = (BTreeSet::new(), BTreeSet::new());
    let mut sum = Summary::default();
    for number in 0..runs() {
        let found = play(choices(number)).unwrap_or_else(|wrong| panic!("schedule {number}: {wrong}"));
        witnesses.extend(found.witnesses);
        forged.extend(found.forged);
        sum.compared += found.compared;
        sum.actions += found.actions;
        sum.epoch = sum.epoch.max(found.epoch);
    }
    println!("{} steps, {} of the specification; {witnesses:?}; {forged:?}", sum.compared, sum.actions);
    for witness in [EpochProperty::WE1, EpochProperty::WE2, EpochProperty::WE4] {
        assert!(witnesses.contains(&witness), "no schedule shows {}: {}", witness.id(), witness.text());
    }
    assert_eq!(forged.len(), 6, "{forged:?}");
    assert!(sum.epoch.0 >= 3 && sum.actions as u64 > 20 * runs(), "{sum:?}");
}

/// The first error of the schedules when their steps are changed.
fn wrong(mut change: impl FnMut(Taken) -> Option<Taken>) -> Wrong {
    let changed = (0..12).find_map(|number| play_changed(choices(number), &mut change).err());
    changed.expect("a comparison that sees nothing")
}

#[test]
fn a_comparison_of_other_steps_fails() {
    let without = |left_out: fn(&Step) -> bool| wrong(|taken| (!left_out(&taken.step)).then_some(taken));
    let votes = without(|step| matches!(step, Step::Vote(_)));
    assert!(votes.reason.contains("votes for a block that shows it"), "{votes}");
    let tickets = without(|step| matches!(step, Step::Ticket(_)));
    assert!(tickets.reason.contains("does not allow it here"), "{tickets}");
    let entries = without(|step| matches!(step, Step::Enters { .. }));
    assert!(entries.reason.contains("does not allow it here"), "{entries}");
    let other_record = wrong(|taken| {
        let step = match taken.step {
            Step::Enters { anchor, .. } => Step::Enters { anchor, record: Digest([3; 32]) },
            step => step,
        };
        Some(Taken { step, ..taken })
    });
    assert!(other_record.reason.contains("a record that the adversary made up"), "{other_record}");
    // One node says that each block is final as soon as it has its ticket.
    let early = wrong(|taken| {
        let step = match taken.step {
            Step::Ticket(block) if taken.node == 2 => Step::Final(block),
            step => step,
        };
        Some(Taken { step, ..taken })
    });
    assert!(early.reason.contains("votes for a block that shows it"), "{early}");
}

#[test]
fn the_same_bytes_are_the_same_run() {
    let run = || format!("{:?}", play(choices(5)).expect("nothing is wrong"));
    assert_eq!(run(), run());
}

/// Flaws of certificates and links, each drawn many times: the target judges itself.
#[test]
fn flaws_of_handoffs_are_seen_and_nothing_else() {
    for seed in 0..2_000_u64 {
        targets::handoffs(&seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    }
}
