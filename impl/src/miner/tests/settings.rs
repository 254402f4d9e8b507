//! Settings with which the protocol would stand still are refused, each with its name and the numbers that are taken.

use std::sync::Arc;

use super::stage::Stage;
use crate::bounds::MAX_WAIT;
use crate::miner::{Config, Miner, Recovery, StartError};
use crate::rules::Rules;

/// A change of a configuration.
type Set = fn(&mut Config, u64);

#[test]
fn a_setting_that_stops_the_protocol_is_refused() {
    let stage = Stage::new(Rules::HARDENED);
    let started = |set: Set, value: u64| {
        let mut config = Config::clone(&stage.config);
        // Messages at once: then no wait is too short for them.
        config.timing.delta = 0;
        set(&mut config, value);
        Miner::new(Arc::new(config), stage.schemes[0].clone(), Recovery::default()).err()
    };
    let settings: [(&str, Set, u64, u64); 9] = [
        ("generators", |config, value| config.generators = value as u16, 1, 4),
        ("whole_rounds", |config, value| config.whole_rounds = value, 1, u64::MAX),
        ("timing.window", |config, value| config.timing.window = value, 0, MAX_WAIT),
        ("timing.ticket_wait", |config, value| config.timing.ticket_wait = value, 1, MAX_WAIT),
        ("timing.resend", |config, value| config.timing.resend = value, 3, MAX_WAIT),
        ("timing.catch_up", |config, value| config.timing.catch_up = value, 0, MAX_WAIT),
        // Without votes no wait depends on it.
        (
            "timing.delta",
            |config, value| (config.rules, config.timing.delta) = (Rules::DEPLOYED, value),
            0,
            MAX_WAIT,
        ),
        ("timing.clock_drift", |config, value| config.timing.clock_drift = value, 0, MAX_WAIT),
        ("timing.answer_interval", |config, value| config.timing.answer_interval = value, 0, MAX_WAIT),
    ];
    for (name, set, least, most) in settings {
        for value in [least, most] {
            assert_eq!(started(set, value), None, "{name} = {value}");
        }
        let beyond = [least.checked_sub(1), most.checked_add(1), Some(u64::MAX).filter(|_| most < u64::MAX)];
        for value in beyond.into_iter().flatten() {
            match started(set, value) {
                // A repetition that is too frequent has a reason of its own.
                Some(StartError::ResendTooShort { .. }) => {
                    assert_eq!((name, value), ("timing.resend", least - 1))
                }
                Some(error @ StartError::Setting { .. }) => {
                    let said = error.to_string();
                    assert!(
                        said.starts_with(&format!("{name} is ")) && said.ends_with(&most.to_string()),
                        "{said}"
                    );
                }
                other => panic!("{name} = {value}: {other:?}"),
            }
        }
    }
}

/// Where votes make blocks final a miner that jumps over a round is missing there; waits of 5Δ keep it from that.
#[test]
fn waits_that_a_message_may_outlast_are_refused_where_votes_make_blocks_final() {
    let started = |rules: Rules, window: u64, ticket_wait: u64| {
        let stage = Stage::new(rules);
        let mut config = Config::clone(&stage.config);
        (config.timing.window, config.timing.ticket_wait, config.timing.delta) = (window, ticket_wait, 200);
        Miner::new(Arc::new(config), stage.schemes[0].clone(), Recovery::default()).err()
    };
    let refused = |field, value| Some(StartError::WaitTooShort { field, value, least: 1_000, delta: 200 });
    assert_eq!(started(Rules::HARDENED, 1_000, 1_000), None);
    assert_eq!(started(Rules::HARDENED, 999, 1_000), refused("timing.window", 999));
    assert_eq!(started(Rules::HARDENED, 1_000, 999), refused("timing.ticket_wait", 999));
    let said = refused("timing.window", 999).map(|error| error.to_string()).unwrap_or_default();
    assert!(said.contains("set timing.window to 1000 ms or more"), "{said}");
    // Other rules for finality count no votes.
    assert_eq!(started(Rules::DEPLOYED, 0, 1), None);
}
