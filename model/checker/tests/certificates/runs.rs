//! Runs that are found become runs of the specification, as short as those of the search of steps; mutants are killed.

use super::{answered, compared::mistaken, searched, small::instance};
use std::collections::BTreeMap;
use zus_checker::{
    blocks::Generator::{Byzantine, Honest},
    certificates::{Reach, Seen, answers, expand::named_run, kept::Past, rounds::Rounds, search::explore},
    expand::Expansion,
    fault::Fault,
    mutants::committed_mutants,
    properties::{Facts, Property},
    protocol::Protocol,
    rules::{FinalityRule, Rules, SubroundEntryRule, TicketRule},
    search::{
        bfs::{self, Limits},
        run::{self, Run},
        table::Fingerprint,
    },
};

/// Every way in which states of certificates can be looked at.
const SEEN: [Seen; 3] =
    [Seen::Kept, Seen::Forgotten(Reach::Bounded), Seen::Forgotten(Reach::Any { idle: 2 })];

fn found(protocol: &Protocol, seen: Seen, enough: Option<Facts>) -> BTreeMap<Property, Vec<Fingerprint>> {
    let limits = Limits::default();
    match seen {
        Seen::Kept => explore(&Past { protocol }, answered(), enough, limits, &|_| {}, &mut |_| {}).found,
        Seen::Forgotten(reach) => {
            explore(&Rounds { protocol, reach }, answered(), enough, limits, &|_| {}, &mut |_| {}).found
        }
    }
}

fn supports(protocol: &Protocol, seen: Seen) -> bool {
    match seen {
        Seen::Kept => protocol.no_certificates().is_none(),
        Seen::Forgotten(reach) => protocol.no_certificates_within(reach).is_none(),
    }
}

/// Executes the run with the guards of the specification, and looks whether it shows `property` there.
fn specification_shows(run: &Run, property: Property) -> bool {
    let mut expansion = Expansion::new(&run.protocol).unwrap();
    for action in &run.actions {
        expansion.take(&run.protocol, action).unwrap();
    }
    let last = *run.states().unwrap().last().unwrap();
    expansion.complete(&run.protocol, &last);
    expansion.instance.shows(&expansion.state, property)
}

/// The steps of the run to each fact, of the search of steps.
fn lengths(protocol: &Protocol) -> BTreeMap<Property, usize> {
    let explored = bfs::explore(protocol, answered(), None, Limits::default(), &|_| {}, &|_| {});
    let length = |(property, path): (&Property, &Vec<Fingerprint>)| {
        (*property, run::named_run(protocol, path, *property).unwrap().actions.len())
    };
    explored.found.iter().map(length).collect()
}

#[test]
fn runs_are_runs_of_the_specification_and_as_short_as_any() {
    let h = Rules::HARDENED;
    let both = [Byzantine, Honest];
    let local = Rules { subround_entry: SubroundEntryRule::Local, ..h };
    let rule = |ticket| Rules { ticket, ..h };
    let finality = |finality| Rules { finality, ..h };
    let mut groups = instance(5, 1, 2, 2, h, &[Byzantine]);
    groups.committee.weights = vec![3, 1];
    let mut runs = 0;
    for protocol in [
        instance(4, 1, 1, 2, h, &both),
        instance(4, 1, 2, 1, h, &both),
        instance(3, 0, 2, 2, h, &[Honest, Honest]),
        instance(3, 0, 2, 2, local, &[Honest]),
        groups,
        instance(4, 2, 1, 2, h, &both),
        instance(4, 2, 2, 1, h, &both),
        instance(4, 2, 1, 1, rule(TicketRule::BetterRank), &both),
        instance(4, 2, 1, 1, rule(TicketRule::BetterOrEqualRank), &both),
        instance(3, 0, 2, 2, finality(FinalityRule::TwoThirds), &[Honest]),
        instance(3, 0, 2, 2, finality(FinalityRule::CommonAncestor { depth: 1 }), &[Honest]),
        mistaken(Fault::VotesAfterOtherTicket, instance(3, 0, 2, 2, h, &[Honest])),
        mistaken(Fault::QuorumOneLess, instance(4, 1, 1, 2, h, &[Byzantine])),
        mistaken(Fault::OwnSubroundOnly, instance(3, 0, 1, 2, h, &[Honest])),
        Protocol { crashes: 1, ..instance(3, 0, 1, 2, h, &[Honest]) },
    ] {
        let protocol = searched(&protocol);
        let by_steps = lengths(&protocol);
        for seen in SEEN.into_iter().filter(|seen| supports(&protocol, *seen)) {
            for (property, path) in found(&protocol, seen, None) {
                let run = named_run(&protocol, seen, &path, property);
                let run = run.unwrap_or_else(|why| panic!("{property:?} {seen:?}: {why}, in {protocol:?}"));
                assert!(specification_shows(&run, property), "{property:?} {seen:?} {protocol:?}");
                let whole = |length: &usize| *length == run.actions.len();
                // Beyond the bounds there may be a shorter one, or one at all.
                let beyond = !matches!(seen, Seen::Kept | Seen::Forgotten(Reach::Bounded));
                let length = by_steps.get(&property);
                assert!(
                    length.is_some_and(whole) || beyond && length.is_none_or(|l| run.actions.len() <= *l),
                    "{property:?} {seen:?}: {} steps, not {length:?}, in {protocol:?}",
                    run.actions.len()
                );
                runs += 1;
            }
        }
    }
    println!("{runs} runs");
    assert!(runs > 200);
}

/// Mutants are killed by the engine that answers for them; where both do, by the same property.
#[test]
fn mutants_that_certificates_answer_for_are_killed_by_the_same_property() {
    let mut killed = Vec::new();
    for mutant in committed_mutants().unwrap() {
        let (mutated, baseline) = (&mutant.mutated.protocol, &mutant.baseline.protocol);
        if mutated.no_certificates().is_some() || !answers(mutant.property) {
            continue;
        }
        // The whole past is kept only where it has to be.
        let without = SEEN[1..].iter().filter(|seen| supports(mutated, **seen)).copied();
        let seen: Vec<Seen> = without.collect();
        for seen in if seen.is_empty() { vec![Seen::Kept] } else { seen } {
            let of_mutant = found(mutated, seen, Some([mutant.property].into_iter().collect()));
            let path = of_mutant.get(&mutant.property).unwrap_or_else(|| panic!("{} survives", mutant.id));
            let run = named_run(mutated, seen, path, mutant.property).unwrap();
            assert!(specification_shows(&run, mutant.property), "{}", mutant.id);
            if supports(baseline, seen) {
                assert!(!found(baseline, seen, None).contains_key(&mutant.property), "{}", mutant.id);
            }
        }
        killed.push(mutant.id);
    }
    assert_eq!(killed, ["2", "3", "5", "35", "37", "A1", "A1b", "A3"]);
}
