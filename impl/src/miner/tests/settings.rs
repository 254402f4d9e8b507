//! Settings with which the protocol would stand still are refused, each with its name and the numbers that are taken.

use std::sync::Arc;
use std::time::Duration;

use super::stage::Stage;
use crate::block::{Block, Time};
use crate::committee::{ChainId, Epoch};
use crate::crypto::scheme::BeaconValue;
use crate::limits::MAX_WAIT;
use crate::miner::{Config, Miner, Recovery, StartError, Timing};
use crate::rules::Rules;
use crate::synchrony::{TICKET_WAIT, WINDOW};

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
        ("timing.window", |config, value| config.timing.window = value, MILLISECOND),
        ("timing.ticket_wait", |config, value| config.timing.ticket_wait = value, MILLISECOND),
        ("timing.resend", |config, value| config.timing.resend = value, 3 * MILLISECOND),
        ("timing.catch_up", |config, value| config.timing.catch_up = value, MILLISECOND),
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

/// A timer that is set again with a wait of 0 would be due for ever. Of a time below a millisecond nothing is left.
#[test]
fn of_each_waiting_time_nothing_and_a_part_of_a_millisecond_have_a_verdict() {
    let Timing {
        window: _,
        ticket_wait: _,
        resend: _,
        catch_up: _,
        delta: _,
        clock_drift: _,
        answer_interval: _,
    } = Timing::DEFAULT; // a new field does not compile until it has its row
    type With = fn(Timing, Duration) -> Timing;
    let waits: [(&str, With, [bool; 3]); 7] = [
        ("timing.window", Timing::with_window, [false, false, true]),
        ("timing.ticket_wait", Timing::with_ticket_wait, [false, false, true]),
        // Its least has a reason of its own, which is 3 ms here.
        ("timing.resend", Timing::with_resend, [false, false, false]),
        ("timing.catch_up", Timing::with_catch_up, [false, false, true]),
        ("timing.delta", Timing::with_delta, [true, false, true]),
        ("timing.clock_drift", Timing::with_clock_drift, [true, false, true]),
        ("timing.answer_interval", Timing::with_answer_interval, [true, false, true]),
    ];
    for (field, with, taken) in waits {
        for (value, taken) in [Duration::ZERO, Duration::from_micros(1), MILLISECOND].into_iter().zip(taken) {
            let refused = refusal(|config| config.timing = with(config.timing, value));
            assert_eq!(refused.is_none(), taken, "{field} = {value:?}: {refused:?}");
            let said = refused.map(|error| error.to_string()).unwrap_or_default();
            assert!(taken || said.contains(field) && said.contains("set "), "{said}");
        }
    }
}

#[test]
fn a_genesis_block_of_another_chain_or_epoch_is_refused() {
    let genesis = |chain, epoch| Arc::new(Block::genesis(chain, epoch, BeaconValue([9; 32]), Time(5)));
    let own = Stage::new(Rules::HARDENED).config.committee;
    let (chain, epoch) = (own.chain(), own.epoch());
    assert_eq!(refusal(|config| config.genesis = genesis(chain, epoch)), None);
    let other = ChainId([0xee; 32]);
    for (block, words) in [
        (genesis(other, epoch), "another chain"),
        (genesis(chain, Epoch(epoch.0 + 1)), "the committee's chain"),
    ] {
        let said = refusal(|config| config.genesis = Arc::clone(&block)).map(|error| error.to_string());
        let said = said.expect("it is refused");
        assert!(said.starts_with("config.genesis is ") && said.contains(words), "{said}");
    }
}

/// Where votes make blocks final a miner that jumps over a round is missing there; waits of so many Δ as the proof needs keep it from that.
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
    let refused = |field, value: u32, ticks: u32| {
        let (least, delta) = (ticks * 200 * MILLISECOND, 200 * MILLISECOND);
        Some(StartError::WaitTooShort { field, value: value * MILLISECOND, least, delta })
    };
    assert_eq!(started(Rules::HARDENED, 1_000, 800), None);
    assert_eq!(started(Rules::HARDENED, 999, 800), refused("timing.window", 999, WINDOW));
    assert_eq!(started(Rules::HARDENED, 1_000, 799), refused("timing.ticket_wait", 799, TICKET_WAIT));
    let said = refused("timing.window", 999, WINDOW).map(|error| error.to_string()).unwrap_or_default();
    assert!(said.contains("set timing.window to 1s or more"), "{said}");
    // Other rules for finality count no votes.
    assert_eq!(started(Rules::DEPLOYED, 1, 1), None);
}
