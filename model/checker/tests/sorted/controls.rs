//! The swaps of Lemma 1 by themselves, and the negative controls: what goes wrong where a precondition is dropped.

use super::{everything, instance, searched};
use std::collections::{BTreeSet, HashSet};
use zus_checker::{
    action::Action,
    blocks::{
        Blocks,
        Generator::{Byzantine, Honest},
    },
    fault::Fault,
    properties::Property,
    protocol::{Network, Protocol, Reductions},
    rules::{BeaconRule, FinalityRule, ParentRule, Rules, SubroundEntryRule, TicketLogRule},
    state::State,
};

/// The round and subround of `miner`, as a number.
fn position(state: &State, miner: u8) -> u8 {
    let m = &state.miners[miner as usize];
    8 * m.round() as u8 + m.subround() as u8
}

/// All states of `protocol` by name, the layer left out; in sorted runs only if `sorted`, whether or not that is exact there.
/// `finer` refuses further steps.
fn states(protocol: &Protocol, sorted: bool, finer: impl Fn(&State, &Action, u8) -> bool) -> HashSet<State> {
    let mut start = protocol.initial();
    start.environment.set_floor(sorted.into());
    // Beside each state: the place above the highest one in which somebody has timed out.
    let mut seen = HashSet::from([(start, 0)]);
    let mut waiting = vec![(start, 0)];
    while let Some((state, timed_out)) = waiting.pop() {
        let mut actions = Vec::new();
        protocol.actions(&state, &mut actions);
        for action in actions.iter().filter(|action| finer(&state, action, timed_out)) {
            let now = match action {
                Action::Timeout { miner } => timed_out.max(position(&state, *miner) + 1),
                _ => timed_out,
            };
            let next = (protocol.apply(&state, action), now);
            if seen.insert(next) {
                waiting.push(next);
            }
        }
    }
    let without_layer = |(mut state, _): (State, u8)| {
        state.environment.set_floor(0);
        state
    };
    seen.into_iter().map(without_layer).collect()
}

/// The reductions under which steps name their miners, and nothing is forgotten.
const NAMED: Reductions = Reductions { byzantine_available: true, eager: true, ..Reductions::NONE };

/// Lemmas 1 and 2 by themselves: without any forgetting the same states are reached.
#[test]
fn every_run_can_be_sorted() {
    let h = Rules::HARDENED;
    let chained = Rules { beacon: BeaconRule::Chained, ..h };
    let volatile = Rules { ticket_log: TicketLogRule::Volatile, ..h };
    let on_head = Rules { parent: ParentRule::OnFinalizedHead, finality: FinalityRule::TwoThirds, ..h };
    for protocol in [
        instance(2, 0, 2, 2, h, &[Honest]),
        instance(2, 0, 2, 2, Rules::DOCUMENTED, &[Honest]),
        instance(2, 0, 2, 2, chained, &[Honest]),
        instance(4, 1, 1, 1, h, &[Byzantine]),
        Protocol { crashes: 1, ..instance(2, 0, 1, 2, h, &[Honest]) },
        Protocol { crashes: 1, ..instance(2, 0, 1, 2, volatile, &[Honest]) },
        Protocol { observers: 1, ..instance(1, 0, 2, 2, h, &[Honest]) },
        // A head that has not moved forbids no parent, so that observers may wait, even with heads that move aside.
        Protocol {
            observers: 1,
            fault: Some(Fault::HeadAnywhere),
            ..instance(1, 0, 2, 2, on_head, &[Honest])
        },
        Protocol {
            observers: 1,
            fault: Some(Fault::HeadMovesBack),
            ..instance(1, 0, 2, 2, on_head, &[Honest])
        },
    ] {
        let protocol = Protocol { reductions: NAMED, ..protocol };
        let all = states(&protocol, false, |_, _, _| true);
        assert!(states(&protocol, true, |_, _, _| true) == all, "{:?}", protocol.rules);
        println!("{} states", all.len());
    }
}

/// The negative controls: where `unsorted` says no, sorted runs miss states.
#[test]
fn where_runs_cannot_be_sorted_states_are_missing() {
    let h = Rules::HARDENED;
    let two = || instance(2, 0, 2, 2, h, &[Honest]);
    let mistaken = |fault, of: Protocol| Protocol { fault: Some(fault), ..of };
    let outsider = |fault| {
        let mut of = mistaken(fault, instance(2, 1, 1, 2, h, &[Byzantine]));
        of.blocks = Blocks::new(1, 2, 1, true, h.subround_cap, Some(fault), |_, _| vec![Byzantine]).unwrap();
        of
    };
    let good = Protocol { network: Network::PartiallySynchronous, ..two() };
    let mut unharmed = Vec::new();
    for (name, protocol) in [
        (
            "restarts behind",
            Protocol { crashes: 1, restarts_behind: true, ..instance(1, 0, 2, 1, h, &[Honest]) },
        ),
        ("partially synchronous", good),
        ("early shares dropped", mistaken(Fault::EarlySharesDropped, instance(2, 0, 2, 1, h, &[Honest]))),
        ("own subround only", mistaken(Fault::OwnSubroundOnly, two())),
        ("seed from proposal", outsider(Fault::SeedFromProposal)),
        ("label unchecked", mistaken(Fault::LabelUnchecked, two())),
        ("votes without leaving", mistaken(Fault::VotesWithoutLeaving, instance(2, 0, 1, 2, h, &[Honest]))),
        (
            "explicit messages",
            Protocol { reductions: Reductions::NONE, ..instance(1, 0, 2, 1, h, &[Honest]) },
        ),
    ] {
        let explicit = name == "explicit messages";
        let protocol = Protocol { reductions: if explicit { Reductions::NONE } else { NAMED }, ..protocol };
        let asked = Reductions { sorted: true, ..protocol.reductions };
        assert!(Protocol { reductions: asked, ..protocol.clone() }.unsorted().is_some(), "{name}");
        let (sorted, all) =
            (states(&protocol, true, |_, _, _| true), states(&protocol, false, |_, _, _| true));
        println!("{name}: {} of {} states", sorted.len(), all.len());
        assert!(sorted.is_subset(&all), "{name}");
        if sorted.len() == all.len() {
            unharmed.push(name);
        }
    }
    // Out of caution.
    assert_eq!(unharmed, ["early shares dropped"]);
}

/// The negative controls of the coarser order: with a layer of timeouts above that of what else happens in a subround, states
/// are missing where a miner crashes.
#[test]
fn timeouts_need_the_layer_of_tickets_where_a_miner_crashes() {
    let h = Rules::HARDENED;
    let volatile = Rules { ticket_log: TicketLogRule::Volatile, ..h };
    for rules in [h, volatile] {
        let protocol = Protocol { crashes: 1, ..instance(2, 0, 1, 2, rules, &[Honest]) };
        let protocol = Protocol { reductions: NAMED, ..protocol };
        let fine = |state: &State, action: &Action, timed_out: u8| match *action {
            Action::Ticket { miner, .. }
            | Action::SendTicket { miner }
            | Action::Crash { miner }
            | Action::Restart { miner } => position(state, miner) >= timed_out,
            _ => true,
        };
        let (fine, coarse) = (states(&protocol, true, fine), states(&protocol, true, |_, _, _| true));
        println!("{} of {} states", fine.len(), coarse.len());
        assert!(fine.is_subset(&coarse) && fine.len() < coarse.len(), "nothing is missing");
    }
}

/// The facts of the states that sorted runs of `protocol` reach if `forgetting` says what is forgotten, and the number of sets of
/// notarized blocks.
fn reached(protocol: &Protocol, forgetting: &Protocol) -> (BTreeSet<Property>, usize) {
    let (protocol, forgetting) = (searched(protocol, true), searched(forgetting, true));
    let (mut facts, mut sets) = (BTreeSet::new(), HashSet::new());
    let start = forgetting.normalize(protocol.initial());
    let mut seen = HashSet::from([start]);
    let mut waiting = vec![start];
    while let Some(state) = waiting.pop() {
        facts.extend(protocol.facts(&state, everything().collect()).iter());
        sets.insert(protocol.notarized_set(&state));
        let mut actions = Vec::new();
        protocol.actions(&state, &mut actions);
        for action in &actions {
            let next = forgetting.normalize(protocol.apply(&state, action));
            if seen.insert(next) {
                waiting.push(next);
            }
        }
    }
    (facts, sets.len())
}

/// The negative controls of Lemma 4: an instance that forgets as another one may does not reach what it should.
#[test]
fn what_a_step_still_reads_must_not_be_forgotten() {
    let h = Rules::HARDENED;
    let both = [Byzantine, Honest];
    let with = |fault, of: Protocol| Protocol { fault: Some(fault), ..of };
    let under = |rules: Rules, of: &Protocol| Protocol { rules, ..of.clone() };
    let chained = Rules { beacon: BeaconRule::Chained, ..h };
    let local = Rules { subround_entry: SubroundEntryRule::Local, ..h };
    let notarized_is_final = Rules { finality: FinalityRule::TwoThirds, ..h };
    let plain = |rounds, subrounds| instance(3, 0, rounds, subrounds, h, &[Honest]);
    for (name, right, wrong) in [
        ("the seed of a subround", under(chained, &plain(2, 2)), plain(2, 2)),
        ("the subround of a miner with a timer of its own", under(local, &plain(1, 3)), plain(1, 3)),
        (
            "tickets that count in another subround",
            with(Fault::SubroundUnbound, instance(4, 1, 1, 2, h, &both)),
            instance(4, 1, 1, 2, h, &both),
        ),
        (
            "a parent without enough tickets",
            with(Fault::ParentUnchecked, instance(4, 1, 2, 1, h, &both)),
            instance(4, 1, 2, 1, h, &both),
        ),
        ("tickets of a round that others left", plain(2, 2), under(notarized_is_final, &plain(2, 2))),
    ] {
        let (as_it_is, forgetful) = (reached(&right, &right), reached(&right, &wrong));
        println!("{name}: {as_it_is:?}\n  {forgetful:?}");
        assert_ne!(as_it_is, forgetful, "{name}: nothing is missing");
    }
}
