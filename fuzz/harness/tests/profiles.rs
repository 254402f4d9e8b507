//! Every profile and every rule value that the production code implements, against the model under the same rules.

use std::sync::Arc;

use zus_bpp::rules as model;
use zus_bpp::rules::{
    BeaconRule, FinalityRule, QuorumRule, Rules, SubroundEntryRule, TicketLogRule, TicketRule,
};
use zus_checker::protocol::Protocol;
use zus_fuzz::schedule::profile::OTHERS;
use zus_fuzz::schedule::{Random, Run, Schedule};

/// A random schedule under these rules.
fn schedule(rules: Rules, random: &mut Random) -> Schedule {
    let mut schedule = Schedule::random(random);
    schedule.header = schedule.header.under(rules).expect("headers can ask for it");
    assert_eq!(schedule.header.rules(), rules);
    schedule
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// `RULES=deployed RUNS=10000 SEED=7 cargo test -p zus-fuzz --test all profiles` walks further.
#[test]
fn production_refines_the_model_under_every_rule() {
    let only = std::env::var("RULES").ok();
    let (first, runs) = (number("SEED", 0), number("RUNS", 150));
    let (mut beyond, mut wrong) = (Vec::new(), Vec::new());
    let hardened = [("hardened".into(), Rules::HARDENED)];
    let all = OTHERS.iter().chain(&hardened);
    for (name, rules) in all.filter(|(name, _)| only.as_ref().is_none_or(|only| only == name)) {
        let mut left = 0;
        for seed in first..first + runs {
            let schedule = schedule(*rules, &mut Random::new(seed));
            let mut run =
                Run::new(&schedule.header.setup(), schedule.header.swarm()).expect("the model has room");
            run.choose_all(&schedule.choices);
            if run.failure().is_some() {
                wrong.push(format!("RULES='{name}' SEED={seed} RUNS=1: {schedule:?}"));
                break;
            }
            if seed.is_multiple_of(8)
                && let Err(failure) = run.ends_well()
            {
                wrong.push(format!("RULES='{name}' SEED={seed} RUNS=1: {failure}\n{schedule:?}"));
                break;
            }
            left += u64::from(run.judges.refinement.beyond);
        }
        beyond.push((name, left));
    }
    println!("runs that left the model's room: {beyond:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A change of the model's rules.
type Change = fn(&mut Protocol);

/// Whether the model with other rules than the code refuses a random run of the code, among so many.
fn refuses(rules: Rules, change: Change) -> bool {
    (0..3_000).any(|seed| {
        let schedule = schedule(rules, &mut Random::new(seed));
        let mut run =
            Run::new(&schedule.header.setup(), schedule.header.swarm()).expect("the model has room");
        let mut protocol = Protocol::clone(&run.judges.refinement.protocol);
        change(&mut protocol);
        run.judges.refinement.protocol = Arc::new(protocol);
        run.choose_all(&schedule.choices);
        run.judges.refinement.finding.is_some()
    })
}

/// Negative control, rule by rule: the code under one value is no refinement of the model under another. (Not `echo`, which
/// says nothing in an asynchronous network, and `subround_switch`, for which random runs are too short: see `verdicts.rs`.)
#[test]
fn a_model_with_one_rule_changed_refuses_the_code() {
    const HARDENED: Rules = Rules::HARDENED;
    let better = Rules { ticket: TicketRule::BetterRank, ..HARDENED };
    let better_or_equal = Rules { ticket: TicketRule::BetterOrEqualRank, ..HARDENED };
    let two_thirds = Rules { finality: FinalityRule::TwoThirds, ..HARDENED };
    let depth_1 = Rules { finality: FinalityRule::CommonAncestor { depth: 1 }, ..HARDENED };
    let local = Rules { subround_entry: SubroundEntryRule::Local, ..HARDENED };
    let percent = Rules { quorum: QuorumRule::Percent66, ..HARDENED };
    let volatile = Rules { ticket_log: TicketLogRule::Volatile, ..HARDENED };
    let chained = Rules { beacon: BeaconRule::Chained, ..HARDENED };
    let cases: [(&str, Rules, Change); 11] = [
        ("better, once", better, |p| p.rules.ticket = model::TicketRule::OncePerSubround),
        ("better or equal, better", better_or_equal, |p| p.rules.ticket = model::TicketRule::BetterRank),
        ("two thirds, votes", two_thirds, |p| p.rules.finality = model::FinalityRule::Votes),
        ("two thirds, depth 1", two_thirds, |p| {
            p.rules.finality = model::FinalityRule::CommonAncestor { depth: 1 };
        }),
        ("depth 1, depth 2", depth_1, |p| {
            p.rules.finality = model::FinalityRule::CommonAncestor { depth: 2 };
        }),
        ("local, certificate", local, |p| p.rules.subround_entry = model::SubroundEntryRule::Certificate),
        ("certificate, local", HARDENED, |p| p.rules.subround_entry = model::SubroundEntryRule::Local),
        ("66 percent, n - f", percent, |p| p.committee.quorum = p.committee.n - p.committee.f),
        ("volatile, durable", volatile, |p| p.rules.ticket_log = model::TicketLogRule::Durable),
        ("durable, volatile", HARDENED, |p| p.rules.ticket_log = model::TicketLogRule::Volatile),
        ("chained, round only", chained, |p| p.rules.beacon = model::BeaconRule::RoundOnly),
    ];
    let missed: Vec<&str> =
        cases.iter().filter(|(_, rules, change)| !refuses(*rules, *change)).map(|(name, ..)| *name).collect();
    assert_eq!(missed, [""; 0], "the model takes these for each other");
}

/// The control of that control: changed to what they are, the rules are the code's.
#[test]
fn a_model_with_no_rule_changed_refuses_nothing() {
    for rules in [Rules::HARDENED, Rules::DOCUMENTED, Rules::DEPLOYED] {
        assert!(!refuses(rules, |_| ()));
    }
}
