//! Single runs: by hand where a search is too large, and the sentences of some shortest ones.

use super::instances::{fork, registering, set, shortest};
use zus_epochs::key_generation::{
    Action, Branch, Fault, Instance, KeyRules, Property,
    rules::{ActsOnRule, ReadyRule},
};
use zus_protocol::ids::MinerId;

/// Plays steps, each of which must be enabled.
fn played(instance: &Instance, steps: &[Action]) -> zus_epochs::key_generation::State {
    let mut state = instance.initial();
    for step in steps {
        assert_eq!(instance.enabled(&state, step), Ok(()), "{step}");
        instance.apply(&mut state, step);
    }
    state
}

/// `KPercent` is `q` where n is 4. Of six members it asks for four, and q is five: a Byzantine statement and three honest ones
/// complete a record that only three honest members have made durable.
#[test]
fn k_percent_is_the_quorum_of_four_members_and_less_than_that_of_six() {
    let percent = KeyRules { ready: ReadyRule::KPercent, ..KeyRules::HARDENED };
    let of = |rules, members| Instance { members, dealings: Vec::new(), ..Instance::new(rules) };
    assert_eq!(of(percent, 4).thresholds(4), of(KeyRules::HARDENED, 4).thresholds(4));

    let on = Branch::Final;
    let byzantine = set(&[5]);
    let dealers = || (0..5).map(MinerId);
    let mut steps: Vec<Action> = dealers().map(|dealer| Action::Deal { on, dealer }).collect();
    steps.push(Action::Deadline { on });
    for dealer in dealers() {
        let revealed = byzantine;
        steps.push(Action::Settle { on, dealer, revealed });
        steps.push(Action::IncludeSettlement { on, dealer, revealed });
    }
    steps.extend([Action::Deadline { on }, Action::ByzantineReady { on }]);
    for member in (0..3).map(MinerId) {
        let summed = set(&[0, 1, 2, 3, 4]);
        steps.push(Action::SayReady { on, member, summed, threshold: 5 });
        steps.push(Action::IncludeReady { on, member });
    }
    let (percent, quorum) = (of(percent, 6), of(KeyRules::HARDENED, 6));
    assert!(percent.shows(&played(&percent, &steps), Property::Completes));
    assert!(percent.shows(&played(&percent, &steps), Property::Backed));
    assert!(!quorum.shows(&played(&quorum, &steps), Property::Completes));
}

fn told(instance: Instance, property: Property) -> String {
    shortest(instance, property).unwrap_or_else(|| panic!("{} holds", property.id()))
}

/// A dealer that settles on each of two branches shows the adversary two shares, beside the one that it was dealt: t of them.
#[test]
fn a_settlement_on_each_branch_gives_a_dealing_away() {
    let notarized = KeyRules { acts_on: ActsOnRule::NotarizedChain, ..KeyRules::HARDENED };
    let instance = Instance { fault: Some(Fault::SettlesOnEachChain), ..fork(notarized) };
    assert_eq!(
        told(instance, Property::Secret),
        "\
The deadline for dealings passes on the final chain.
Two rival branches begin.
Member 2 settles what it dealt on the final chain, and reveals the share of member 0.
Member 2 settles what it dealt on the left branch, and reveals the share of member 1.
"
    );
}

/// A member that takes the end of an attempt on a branch for its end has no share if the record is completed after all.
#[test]
fn secrets_erased_on_a_branch_are_missed_on_the_final_chain() {
    let instance = Instance { fault: Some(Fault::ErasedBeforeFinal), ..fork(KeyRules::HARDENED) };
    assert_eq!(
        told(instance, Property::Share),
        "\
The deadline for dealings passes on the final chain.
Member 2 settles what it dealt on the final chain, and reveals the share of nobody.
The settlement of member 2 that reveals the share of nobody comes on the final chain.
The deadline for settlements passes on the final chain.
Two rival branches begin.
Member 0 adds up its shares of members 0, 1 and 2 on the final chain, takes 3 for the threshold, and is ready.
Member 1 adds up its shares of members 0, 1 and 2 on the final chain, takes 3 for the threshold, and is ready.
The ready statement of the Byzantine member comes on the left branch.
The ready statement of member 0 comes on the left branch.
The ready statement of member 1 comes on the left branch.
Member 2 sees the end of the attempt on the left branch, and erases its secrets.
Finality comes to the left branch; its rival is dead.
"
    );
}

/// Members that are chosen by who answered in time: the network leaves the Byzantine one alone.
#[test]
fn members_in_time_are_chosen_by_the_network() {
    let instance = Instance { fault: Some(Fault::MembersInTime), ..registering(KeyRules::HARDENED) };
    assert_eq!(
        told(instance, Property::FewFaulty),
        "\
The registration of member 3 comes on the final chain.
The deadline for registrations passes on the final chain.
"
    );
}
