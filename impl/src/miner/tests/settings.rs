//! Settings with which the protocol would stand still are refused, each with its name and the numbers that are taken.

use std::sync::Arc;
use std::time::Duration;

use super::stage::Stage;
use crate::limits::MAX_WAIT;
use crate::miner::{Config, Miner, Recovery, StartError};
use crate::rules::Rules;

pub(super) const MILLISECOND: Duration = Duration::from_millis(1);

/// Why a miner is not started with the default configuration and this change.
fn refusal(set: impl Fn(&mut Config)) -> Option<StartError> {
    let stage = Stage::new(Rules::HARDENED);
    let mut config = Config::clone(&stage.config);
    // Messages at once: then no wait is too short for them.
    config.timing.delta = Duration::ZERO;
    set(&mut config);
    Miner::new(Arc::new(config), stage.schemes[0].clone(), Recovery::default()).err()
}

#[test]
fn a_number_that_stops_the_protocol_is_refused() {
    type Set = fn(&mut Config, u64);
    let numbers: [(&str, Set, u64, u64); 2] = [
        ("generators", |config, value| config.generators = value as u16, 1, 4),
        ("whole_rounds", |config, value| config.whole_rounds = value, 1, u64::MAX),
    ];
    for (field, set, least, most) in numbers {
        for value in [least, most] {
            assert_eq!(refusal(|config| set(config, value)), None, "{field} = {value}");
        }
        for value in [least.checked_sub(1), most.checked_add(1)].into_iter().flatten() {
            let error = StartError::Setting { field, value, least, most };
            assert_eq!(refusal(|config| set(config, value)), Some(error));
            assert_eq!(
                error.to_string(),
                format!("{field} is {value}; set it to a number from {least} to {most}")
            );
        }
    }
}

#[test]
fn a_waiting_time_that_stops_the_protocol_is_refused() {
    type Set = fn(&mut Config, Duration);
    let waits: [(&str, Set, Duration); 7] = [
        ("timing.window", |config, value| config.timing.window = value, Duration::ZERO),
        ("timing.ticket_wait", |config, value| config.timing.ticket_wait = value, MILLISECOND),
        ("timing.resend", |config, value| config.timing.resend = value, 3 * MILLISECOND),
        ("timing.catch_up", |config, value| config.timing.catch_up = value, Duration::ZERO),
        // Without votes no wait depends on it.
        (
            "timing.delta",
            |config, value| (config.rules, config.timing.delta) = (Rules::DEPLOYED, value),
            Duration::ZERO,
        ),
        ("timing.clock_drift", |config, value| config.timing.clock_drift = value, Duration::ZERO),
        ("timing.answer_interval", |config, value| config.timing.answer_interval = value, Duration::ZERO),
    ];
    for (name, set, least) in waits {
        for value in [least, MAX_WAIT] {
            assert_eq!(refusal(|config| set(config, value)), None, "{name} = {value:?}");
        }
        let beyond = [least.checked_sub(MILLISECOND), Some(MAX_WAIT + MILLISECOND), Some(Duration::MAX)];
        for value in beyond.into_iter().flatten() {
            match refusal(|config| set(config, value)) {
                // A repetition that is too frequent has a reason of its own.
                Some(StartError::ResendTooShort { .. }) => {
                    assert_eq!((name, value), ("timing.resend", least - MILLISECOND))
                }
                Some(error @ StartError::Wait { .. }) => {
                    let said = error.to_string();
                    assert!(
                        said.starts_with(&format!("{name} is ")) && said.ends_with("to 86400s"),
                        "{said}"
                    );
                }
                other => panic!("{name} = {value:?}: {other:?}"),
            }
        }
    }
}

/// Where votes make blocks final a miner that jumps over a round is missing there; waits of 5Δ keep it from that.
#[test]
fn waits_that_a_message_may_outlast_are_refused_where_votes_make_blocks_final() {
    let started = |rules: Rules, window: u32, ticket_wait: u32| {
        refusal(|config| {
            config.rules = rules;
            config.timing.window = window * MILLISECOND;
            config.timing.ticket_wait = ticket_wait * MILLISECOND;
            config.timing.delta = 200 * MILLISECOND;
        })
    };
    let refused = |field, value: u32| {
        let (least, delta) = (1_000 * MILLISECOND, 200 * MILLISECOND);
        Some(StartError::WaitTooShort { field, value: value * MILLISECOND, least, delta })
    };
    assert_eq!(started(Rules::HARDENED, 1_000, 1_000), None);
    assert_eq!(started(Rules::HARDENED, 999, 1_000), refused("timing.window", 999));
    assert_eq!(started(Rules::HARDENED, 1_000, 999), refused("timing.ticket_wait", 999));
    let said = refused("timing.window", 999).map(|error| error.to_string()).unwrap_or_default();
    assert!(said.contains("set timing.window to 1s or more"), "{said}");
    // Other rules for finality count no votes.
    assert_eq!(started(Rules::DEPLOYED, 0, 1), None);
}
