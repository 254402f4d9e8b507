//! The steps that a state offers are exactly those candidates, of all that a scenario has, that the guards let pass.

use super::Action;
use crate::{
    committed,
    fault::Fault,
    protocol::{Network, Protocol, Reductions},
    rules::{ParentRule, Rules},
    state::State,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// Every candidate of the scenario that its guards let pass, each asked alone, in the order of [`Protocol::actions`].
fn every(protocol: &Protocol, state: &State) -> Vec<Action> {
    let miners = || protocol.representatives(state).map(|miner| miner as u8);
    let blocks = || protocol.blocks.all();
    let rounds = || 1..=protocol.blocks.rounds;
    let subrounds = || 0..protocol.blocks.subrounds;
    let byzantine = || 0..protocol.committee.byzantine as u8;
    let reductions = protocol.reductions;
    let mut all: Vec<Action> = rounds().map(|round| Action::FormBeacon { round }).collect();
    for miner in miners() {
        all.extend([Action::ShareBeacon { miner }, Action::BelieveSeed { miner }]);
    }
    all.extend(miners().flat_map(|miner| blocks().map(move |block| Action::Propose { miner, block })));
    for block in blocks() {
        let parents = protocol.entries(protocol.blocks.round(block));
        all.extend(parents.map(|parent| Action::ByzantinePropose { block, parent }));
    }
    for miner in miners() {
        all.push(Action::SendTicket { miner });
        for block in blocks() {
            all.push(Action::Select { miner, block });
            let parents = protocol.entries(protocol.blocks.round(block));
            all.extend(parents.map(|parent| Action::Ticket { miner, block, parent }));
        }
    }
    for byzantine in byzantine() {
        all.extend(blocks().map(|block| Action::ByzantineTicket { byzantine, block }));
    }
    all.extend(blocks().map(|block| Action::Notarize { block }));
    for miner in miners() {
        for block in blocks() {
            all.extend([
                Action::Leave { miner, block },
                Action::TimeoutThenLeave { miner, block },
                Action::VoteWithoutLeaving { miner, block },
                Action::LeaveRelabelled { miner, block },
                Action::Adopt { miner, block },
            ]);
        }
    }
    for byzantine in byzantine() {
        all.extend(blocks().map(|block| Action::ByzantineVote { byzantine, block }));
    }
    for miner in miners() {
        all.push(Action::Timeout { miner });
        all.extend(subrounds().map(|subround| Action::EnterSubround { miner, subround }));
    }
    let first = protocol.representatives(state).0;
    for (round, subround) in rounds().flat_map(|round| subrounds().map(move |subround| (round, subround))) {
        // Of miners that stand for each other, the first ones.
        let sets = (1..1u16 << protocol.honest()).rev().map(|set| set as u8);
        let sets = sets.filter(|miners| {
            // Alike are only miners of one place.
            miners & !first & !(miners << 1) == 0
        });
        let sets = sets.map(|miners| Action::TimeoutTogether { round, subround, miners });
        let mut sets = sets.filter(|action| protocol.enabled(state, action).is_ok());
        // In a sorted run one set may stand for all.
        let any =
            state.environment.floor() != 0 && protocol.forgets_within() && protocol.timeouts_have_a_layer();
        all.extend(sets.next());
        all.extend(sets.filter(|_| !any));
    }
    for (byzantine, round) in byzantine().flat_map(|byzantine| rounds().map(move |round| (byzantine, round)))
    {
        let timeouts = subrounds().map(|subround| Action::ByzantineTimeout { byzantine, round, subround });
        all.extend(timeouts);
    }
    for observer in 0..protocol.observers as u8 {
        all.extend(blocks().map(|block| Action::Finalize { observer, block }));
    }
    for miner in miners() {
        all.extend([Action::Crash { miner }, Action::Restart { miner }, Action::RestartBehind { miner }]);
    }
    all.push(Action::Synchronize);
    // What `eager` leaves out is no step of its own.
    all.retain(|action| protocol.enabled(state, action).is_ok());
    let believing = protocol.has(Fault::SeedFromProposal);
    all.retain(|action| !reductions.eager || believing || !matches!(action, Action::ShareBeacon { .. }));
    all
}

/// Compares both lists along random runs; gives how many steps it saw.
fn walk(protocol: &Protocol, random: &mut ChaCha8Rng) -> usize {
    let mut seen = 0;
    for _ in 0..8 {
        let mut state = protocol.normalize(protocol.initial());
        for _ in 0..60 {
            let mut actions: Vec<Action> = Vec::new();
            protocol.actions(&state, &mut actions);
            assert_eq!(actions, every(protocol, &state), "in {state:?} of {protocol:?}");
            seen += actions.len();
            let Some(at) = (random.next_u64() as usize).checked_rem(actions.len()) else { break };
            state = protocol.normalize(protocol.apply(&state, &actions[at]));
        }
    }
    seen
}

#[test]
fn the_steps_are_all_candidates_that_the_guards_let_pass() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for name in committed::names() {
        let scenario = committed::find(name).unwrap();
        let reductions = scenario.protocol.reductions;
        let asynchronous = matches!(scenario.protocol.network, Network::Async | Network::Lossy);
        // Byzantine signers are named in sets of three.
        let explicit = asynchronous && scenario.protocol.committee.byzantine <= 3;
        let mut all = vec![reductions, Reductions { sorted: false, ..reductions }];
        all.extend(explicit.then_some(Reductions::NONE));
        for reductions in all {
            let protocol = Protocol { reductions, ..scenario.protocol.clone() };
            assert!(walk(&protocol, &mut random) > 20, "{name}");
        }
    }
}

#[test]
fn under_every_rule_and_mistake_too() {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let names = ["hardened", "hardened_restart", "hardened_restart_behind", "hardened_live"];
    for name in names {
        let protocol = committed::find(name).unwrap().protocol;
        for fault in Fault::ALL {
            walk(&Protocol { fault: Some(fault), ..protocol.clone() }, &mut random);
        }
        let rules = protocol.rules;
        let parent = ParentRule::OnFinalizedHead;
        for rules in [Rules { parent, ..rules }, Rules::DOCUMENTED, Rules::DEPLOYED] {
            walk(&Protocol { rules, observers: 1, ..protocol.clone() }, &mut random);
        }
    }
}

/// The control: with another quorum some state offers other steps, and the comparison sees it.
#[test]
fn another_instance_offers_other_steps() {
    let protocol = committed::find("hardened").unwrap().protocol;
    let mut other = protocol.clone();
    other.committee.quorum -= 1;
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let differs = (0..20).any(|_| {
        let mut state = protocol.normalize(protocol.initial());
        (0..60).any(|_| {
            let mut actions: Vec<Action> = Vec::new();
            protocol.actions(&state, &mut actions);
            let others = every(&other, &state);
            let Some(at) = (random.next_u64() as usize).checked_rem(actions.len()) else { return false };
            state = protocol.normalize(protocol.apply(&state, &actions[at]));
            actions != others
        })
    });
    assert!(differs);
}
