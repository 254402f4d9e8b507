//! A finding before and after shrinking, committed: what a person reads is the second. `UPDATE_EXAMPLE=1 cargo test -p zus-fuzz
//! --test all shrinking` makes the files again, after a change of the vocabulary.

use std::path::PathBuf;

use zus_fuzz::campaign::{Until, play, run, walk};
use zus_fuzz::schedule::Schedule;
use zus_fuzz::shrink::shrink;
use zus_fuzz::world::Adjust;

use crate::deviations;

/// The fault of the example: the miners finalize what is notarized, and the model asks for votes.
fn bug() -> Adjust {
    deviations::of("two thirds")
}

fn file(name: &str) -> PathBuf {
    zus_fuzz::room().join("regressions/example").join(name)
}

fn kind(schedule: &Schedule) -> Option<String> {
    run(schedule, bug()).failure().map(|failure| failure.kind())
}

/// The run as a person reads it.
fn told(schedule: &Schedule) -> String {
    play(schedule, bug(), Until::Choices, true).told()
}

#[test]
fn the_example_shrinks_to_the_committed_run() {
    if std::env::var_os("UPDATE_EXAMPLE").is_some() {
        let found = walk(1, 100_000, bug(), None).expect("a random walk finds it");
        let kind_of_it = found.failure.kind();
        let short = shrink(&found.schedule, |schedule| kind(schedule) == Some(kind_of_it.clone()));
        std::fs::write(file("before.run"), found.schedule.explicit()).expect("written");
        std::fs::write(file("after.run"), short.explicit()).expect("written");
        std::fs::write(file("before.txt"), told(&found.schedule)).expect("written");
        std::fs::write(file("after.txt"), told(&short)).expect("written");
    }
    let read = |name: &str| std::fs::read(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (before, after) = (Schedule::from_file(&read("before.run")), Schedule::from_file(&read("after.run")));
    let fails = kind(&before);
    assert!(fails.is_some(), "the example is no finding any more: {before:?}");
    let short = shrink(&before, |schedule| kind(schedule) == fails);
    assert_eq!(short.explicit(), after.explicit(), "it shrinks to another run: {short:?}");
    assert_eq!(told(&after), String::from_utf8_lossy(&read("after.txt")));
    assert_eq!(told(&before), String::from_utf8_lossy(&read("before.txt")));
    // The control: without the bug neither run shows anything.
    assert!(run(&before, Adjust::NONE).failure().is_none() && run(&after, Adjust::NONE).failure().is_none());
    assert!(after.choices.len() * 4 < before.choices.len());
}
