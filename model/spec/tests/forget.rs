//! A run of any length is followed in bounded memory: rounds that are final everywhere are forgotten, and nothing that may
//! happen above them changes.

use std::collections::BTreeSet;
use zus_protocol::{
    ids::{MinerId, Rank, Round, Subround},
    properties::Property,
    rules::Rules,
};
use zus_spec::{Action, Block, Blocked, Bounds, Exploration, Follower, Generator, Instance, Order, State};

/// Three honest members of four, and a sharder.
fn instance() -> Instance {
    let order = Order { otherwise: vec![Generator::Honest], ..Order::default() };
    Instance { observers: 1, ..Instance::new(4, 1, Rules::HARDENED, order) }
}

/// The steps of one round, in which `generator` proposes.
fn round(round: u64, generator: MinerId) -> Vec<Action> {
    let block = Block {
        round: Round(round),
        subround: Subround(0),
        rank: Rank(0),
        twin: 0,
        generator: Generator::Honest,
    };
    let miners = [MinerId(0), MinerId(1), MinerId(2)];
    let mut steps = Vec::from(miners.map(|miner| Action::ShareBeacon { miner }));
    steps.push(Action::Propose { miner: generator, block });
    steps.extend(miners.map(|miner| Action::Select { miner, block }));
    steps.extend(miners.map(|miner| Action::Ticket { miner, block }));
    steps.push(Action::Notarize { block });
    steps.extend(miners.map(|miner| Action::Leave { miner, block }));
    steps.push(Action::Finalize { observer: 0, block });
    steps
}

/// The number of entries in a state.
fn size(state: &State) -> usize {
    let sent = &state.sent;
    let logs = state
        .miners
        .iter()
        .map(|m| m.log.proposals.len() + m.log.tickets.len() + m.log.timeouts.len() + m.log.votes.len());
    sent.shares.len()
        + sent.blocks.len()
        + sent.tickets.len()
        + sent.notarized.len()
        + sent.votes.len()
        + sent.timeouts.len()
        + logs.sum::<usize>()
}

/// The round that a step is about, if it names one.
fn about(step: &Action) -> Option<Round> {
    match *step {
        Action::ByzantineTicket { block, .. } | Action::ByzantineVote { block, .. } => Some(block.round),
        Action::ByzantineTimeout { round, .. } => Some(round),
        _ => None,
    }
}

/// The steps that may happen above the floor of `above`.
fn steps(instance: &Instance, state: &State, above: &State, last: u64) -> BTreeSet<Action> {
    let search = Exploration::new(instance.clone(), Bounds::new(last, 2));
    let kept = |step: &Action| about(step).is_none_or(|round| round > above.floor.round);
    search.steps(state).into_iter().filter(kept).collect()
}

#[test]
fn a_long_run_is_followed_in_bounded_memory() {
    let instance = instance();
    let (mut short, mut whole) = (instance.initial(), instance.initial());
    let mut most = 0;
    for number in 1..=40 {
        for step in round(number, MinerId((number % 3) as u16)) {
            for state in [&mut short, &mut whole] {
                assert_eq!(instance.enabled(state, &step), Ok(()), "{step:?}");
                instance.apply(state, &step);
            }
            most = most.max(size(&short));
            let (ours, theirs) =
                (steps(&instance, &short, &short, number + 1), steps(&instance, &whole, &short, number + 1));
            assert_eq!(ours, theirs, "after {step:?}");
            for property in Property::ALL {
                assert_eq!(
                    instance.shows(&short, *property),
                    instance.shows(&whole, *property),
                    "{property:?}"
                );
            }
        }
        if number > 1 {
            assert!(short.forget_below(Round(number)), "round {number}");
            assert_eq!(short.floor.round, Round(number - 1));
        }
    }
    assert!(most < 60, "{most}");
    assert!(size(&whole) > 400, "{}", size(&whole));
}

#[test]
fn nothing_is_forgotten_that_a_participant_has_not_left() {
    let instance = instance();
    let mut state = instance.initial();
    for number in 1..=3 {
        // The sharder is behind, and learns of round 1 only.
        for step in round(number, MinerId(0))
            .into_iter()
            .filter(|step| number == 1 || !matches!(step, Action::Finalize { .. }))
        {
            instance.apply(&mut state, &step);
        }
    }
    let before = state.clone();
    assert!(!state.forget_below(Round(4)));
    assert!(!state.forget_below(Round(3)));
    assert_eq!(state, before);
    assert!(state.forget_below(Round(2)));
    assert!(!state.forget_below(Round(2)), "it is forgotten already");
}

#[test]
fn a_stream_of_steps_is_followed_to_the_step_that_is_not_enabled() {
    let mut follower = Follower::new(instance());
    let mut most = 0;
    for number in 1..=500 {
        for step in round(number, MinerId((number % 3) as u16)) {
            assert_eq!(follower.take(&step, |_, _| {}), Ok(()), "{step:?}");
            most = most.max(size(&follower.state));
        }
        // A Byzantine member comes late, with a timeout of the round that is final and of the one that is forgotten.
        for late in [number, number.saturating_sub(1).max(1)] {
            let round = Round(late);
            let timeout = Action::ByzantineTimeout { member: MinerId(3), round, subround: Subround(0) };
            assert_eq!(follower.take(&timeout, |_, _| {}), Ok(()), "{timeout:?}");
        }
    }
    assert!(most < 40, "{most}");
    assert_eq!(follower.state.floor.round, Round(500));
    let again = round(500, MinerId(0))[8];
    assert_eq!(follower.take(&again, |_, _| {}), Err(Blocked::OtherRound), "{again:?}");
}

#[test]
fn without_an_observer_nothing_is_forgotten() {
    let mut follower = Follower::new(Instance { observers: 0, ..instance() });
    for step in (1..=3).flat_map(|number| round(number, MinerId(0))) {
        if !matches!(step, Action::Finalize { .. }) {
            assert_eq!(follower.take(&step, |_, _| {}), Ok(()));
        }
    }
    assert!(!follower.state.forget_below(Round(2)));
    assert_eq!(follower.state.floor.round, Round(0));
}

/// The steps of one round in which miner 2 does nothing and the Byzantine member signs in its place.
fn round_without_miner_2(number: u64) -> Vec<Action> {
    let member = MinerId(3);
    let mut steps = Vec::new();
    for step in round(number, MinerId(0)) {
        match step {
            Action::ShareBeacon { miner: MinerId(2) }
            | Action::Select { miner: MinerId(2), .. }
            | Action::Leave { miner: MinerId(2), .. } => {}
            Action::Ticket { miner: MinerId(2), block } => {
                steps.push(Action::ByzantineTicket { member, block })
            }
            Action::Finalize { block, .. } => steps.extend([Action::ByzantineVote { member, block }, step]),
            _ => steps.push(step),
        }
    }
    steps
}

#[test]
fn a_miner_that_is_behind_keeps_its_rounds() {
    let mut follower = Follower::new(instance());
    for step in (1..=3).flat_map(round_without_miner_2) {
        assert_eq!(follower.take(&step, |_, _| {}), Ok(()), "{step:?}");
    }
    assert_eq!(follower.state.floor.round, Round(0));
    let block = follower.state.heads[0];
    assert_eq!(follower.take(&Action::Leave { miner: MinerId(2), block }, |_, _| {}), Ok(()));
    assert_eq!(follower.state.floor, block);
}
