//! The list of instances.

use super::Question;
use crate::{
    boundary::{
        self, BoundaryRules,
        rules::{EvaluationRule, GuardRule, TipsRule},
    },
    handoff::{ComesBack, EpochProperty, Exploration, Instance, Tickets, scenarios as h},
    key_generation::{self, KeyRules, scenarios as k},
};

/// An instance with its name.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name.
    pub name: &'static str,
    /// A description, in a few words.
    pub about: &'static str,
    /// Whether it takes more than some seconds.
    pub slow: bool,
    /// The model and the instance.
    pub question: Question,
    /// The ids of the properties that some state is expected to show: broken ones, and witnesses that are reached.
    pub expected: &'static [&'static str],
}

/// The instance of that name.
pub fn named(name: &str) -> Option<Entry> {
    all().into_iter().find(|entry| entry.name == name)
}

/// All instances, model by model; the slow ones of a model come last.
pub fn all() -> Vec<Entry> {
    [boundaries(), handovers(), key_generations()].concat()
}

fn boundaries() -> Vec<Entry> {
    const DEPLOYED: BoundaryRules = BoundaryRules::DEPLOYED;
    const IMMEDIATE: BoundaryRules = BoundaryRules { evaluation: EvaluationRule::Immediate, ..DEPLOYED };
    let of = |name, about, rules, expected| {
        let question = Question::Boundary(boundary::Instance::new(rules));
        Entry { name, about, slow: false, question, expected }
    };
    let record = |rules| BoundaryRules { guard: GuardRule::RecordHash, ..rules };
    let one_rank = BoundaryRules { tips: TipsRule::OfOneRank, ..DEPLOYED };
    vec![
        of(
            "boundary_deployed",
            "the deployed rules: the chain can end at the boundary, in two ways",
            DEPLOYED,
            &["E5 deadlock", "E5 split", "E5 mixed", "goes on", "both tips"],
        ),
        of(
            "boundary_immediate",
            "rounds are evaluated at their first tip: the split remains",
            IMMEDIATE,
            &["E5 split", "goes on", "both tips"],
        ),
        of(
            "boundary_record_hash",
            "the guard compares records: the deadlock remains",
            record(DEPLOYED),
            &["E5 deadlock", "goes on", "both tips"],
        ),
        of("boundary_mended", "both changes: no dead state", record(IMMEDIATE), &["goes on", "both tips"]),
        of("boundary_one_rank", "tips of one rank: no dead state", one_rank, &["goes on"]),
    ]
}

/// A search that asks all that the instance can answer: E5 only where fair runs have an end.
fn handover(instance: Instance, tickets: Tickets) -> Question {
    let fair = instance.is_fair();
    let turns = instance.turns;
    let of = |property: &EpochProperty| match property {
        EpochProperty::E5 => fair,
        EpochProperty::E8 => turns,
        _ => true,
    };
    let asked = EpochProperty::ALL.iter().copied().filter(of);
    Question::Handover(Exploration { asked: asked.collect(), tickets, ..Exploration::new(instance) })
}

fn handovers() -> Vec<Entry> {
    type Row = (&'static str, &'static str, Instance, &'static [&'static str]);
    let crash = |instance| Instance { restarts: 1, ..instance };
    let behind = |instance| Instance { comes_back: ComesBack::WithItsLogOnly, ..crash(instance) };
    let safety: [Row; 12] = [
        (
            "one_exchanged_rivals",
            "two branches close one round apart; a leaver, a joiner",
            h::one_exchanged(h::rivals()),
            &["WE1", "WE2", "WE4"],
        ),
        (
            "byzantine_exchanged_rivals",
            "the same; the Byzantine member is exchanged",
            h::byzantine_exchanged(h::rivals()),
            &["WE1", "WE2"],
        ),
        (
            "disjoint_rivals",
            "the same; all four members are exchanged",
            h::disjoint(h::rivals()),
            &["WE1", "WE2"],
        ),
        (
            "four_to_two_rivals",
            "the same; four members hand over to two",
            h::four_to_two(h::rivals()),
            &["WE1", "WE2", "WE4"],
        ),
        (
            "one_exchanged_second",
            "a tail block beside two rivals of the next epoch",
            h::one_exchanged(h::second()),
            &["WE1", "WE4"],
        ),
        (
            "byzantine_exchanged_second",
            "the same; the Byzantine member is exchanged",
            h::byzantine_exchanged(h::second()),
            &["WE1"],
        ),
        ("disjoint_second", "the same; all four members are exchanged", h::disjoint(h::second()), &["WE1"]),
        (
            "four_to_two_second",
            "the same; four members hand over to two",
            h::four_to_two(h::second()),
            &["WE1", "WE4"],
        ),
        (
            "crash_second",
            "the same; an honest member crashes and has its log only",
            behind(h::byzantine_exchanged(h::second())),
            &["WE1", "WE6"],
        ),
        (
            "crash_rivals",
            "two branches; an honest member crashes and has its log only",
            behind(h::byzantine_exchanged(h::rivals())),
            &["WE1", "WE2", "WE6"],
        ),
        (
            "byzantine_exchanged_timeouts",
            "a tail block beside two rivals; subrounds are entered by timeout certificates",
            h::with_timeouts(h::byzantine_exchanged(h::second())),
            &["WE1"],
        ),
        (
            "four_turn",
            "after the handoff all four members turn Byzantine, and newcomers come",
            h::four_turn(h::rivals()),
            &["E1", "E3", "WE1", "WE2"],
        ),
    ];
    let live: [Row; 7] = [
        (
            "one_exchanged_fair",
            "two branches, liveness; a leaver, a joiner",
            h::one_exchanged(h::fair()),
            &["WE1", "WE2", "WE4"],
        ),
        (
            "byzantine_exchanged_fair",
            "the same; the Byzantine member is exchanged",
            h::byzantine_exchanged(h::fair()),
            &["WE1", "WE2"],
        ),
        (
            "disjoint_fair",
            "the same; all four members are exchanged",
            h::disjoint(h::fair()),
            &["WE1", "WE2"],
        ),
        (
            "four_to_two_fair",
            "the same; four members hand over to two",
            h::four_to_two(h::fair()),
            &["WE1", "WE2", "WE4"],
        ),
        (
            "crash_fair",
            "the same; an honest member crashes and has its certificate",
            crash(h::byzantine_exchanged(h::fair())),
            &["WE1", "WE2", "WE6"],
        ),
        ("three_epochs", "three epochs of one committee", h::same_committee(h::chain()), &["WE1", "WE5"]),
        (
            "three_epochs_crashes",
            "the same; each honest member crashes",
            Instance { restarts: 3, ..h::same_committee(h::chain()) },
            &["WE1", "WE5", "WE6"],
        ),
    ];
    let slow: [Row; 3] = [
        (
            "one_exchanged_deep",
            "two branches, a tail block on each; a leaver, a joiner",
            h::one_exchanged(h::deep()),
            &["WE1", "WE2", "WE4"],
        ),
        (
            "seven_to_four",
            "a tail block beside two rivals; seven members hand over to four",
            h::seven_to_four(h::second()),
            &["WE1"],
        ),
        (
            "four_to_seven",
            "the same; four members hand over to seven",
            h::four_to_seven(h::second()),
            &["WE1"],
        ),
    ];
    let of = |slow, tickets| {
        move |(name, about, instance, expected): Row| Entry {
            name,
            about,
            slow,
            question: handover(instance, tickets),
            expected,
        }
    };
    let mut all: Vec<Entry> = safety.into_iter().map(of(false, Tickets::Needed)).collect();
    all.extend(live.into_iter().map(of(false, Tickets::All)));
    all.extend(slow.into_iter().map(of(true, Tickets::Needed)));
    all
}

fn key_generations() -> Vec<Entry> {
    type Row =
        (&'static str, &'static str, bool, fn(KeyRules) -> key_generation::Instance, &'static [&'static str]);
    let rows: [Row; 7] = [
        (
            "keys_two_attempts",
            "an asynchronous attempt, then one in time",
            false,
            k::two_attempts,
            &["complete", "disqualified", "revealed", "exposed", "late", "WE3 again"],
        ),
        (
            "keys_crash",
            "the same with a crash; two dealers settle at once",
            false,
            k::crash,
            &[
                "complete",
                "disqualified",
                "revealed",
                "late",
                "WE3 again",
                "back in dealing",
                "back in settling",
                "back in readying",
            ],
        ),
        (
            "keys_fork",
            "an attempt with a fork",
            false,
            k::fork,
            &["complete", "disqualified", "revealed", "late"],
        ),
        (
            "keys_fork_of_dealings",
            "the same with two dealings of the Byzantine member",
            false,
            k::fork_of_dealings,
            &["complete", "disqualified", "revealed"],
        ),
        (
            "keys_registering",
            "an attempt with registrations",
            false,
            k::registering,
            &["complete", "disqualified", "revealed", "exposed", "late"],
        ),
        (
            "keys_notarized_chains",
            "a fork; members act on notarized chains",
            true,
            k::on_notarized_chains,
            &["complete", "disqualified", "revealed"],
        ),
        (
            "keys_one_crash",
            "an attempt with a crash; nobody settles at once",
            true,
            k::one_crash,
            &[
                "complete",
                "disqualified",
                "revealed",
                "exposed",
                "late",
                "back in dealing",
                "back in settling",
                "back in readying",
            ],
        ),
    ];
    let entry = |(name, about, slow, instance, expected): Row| {
        let question = Question::Keys(instance(KeyRules::HARDENED));
        Entry { name, about, slow, question, expected }
    };
    rows.into_iter().map(entry).collect()
}
