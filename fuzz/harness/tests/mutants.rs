//! The fast part of the kill matrix: each deliberate bug of the production crate is noticed by its committed witness, which
//! shows nothing wrong about the real code. `cargo run -p zus-fuzz --features mutants -- matrix --write` makes the witnesses:
//! `NAME.run` is a schedule, `NAME.TARGET` an input of a target.

use std::path::PathBuf;

use zus_bpp::miner::Config;
use zus_bpp::mutants::{Mutant, Scope};
use zus_bpp::rules::{FinalityRule, Rules};
use zus_fuzz::campaign::{run, walk, walk_under};
use zus_fuzz::judge::{by_product, finding, quietly};
use zus_fuzz::product::timeless;
use zus_fuzz::schedule::Schedule;
use zus_fuzz::targets::{self, Target};
use zus_fuzz::world::Adjust;

fn give(config: &mut Config, variant: u16) {
    config.mutant = Mutant::ALL.get(usize::from(variant)).copied();
}

fn give_timeless(config: &mut Config, variant: u16) {
    timeless(config, variant);
    give(config, variant);
}

/// Bugs without a witness, and why.
fn exempt(mutant: Mutant) -> Option<&'static str> {
    match mutant {
        // It takes away the last of three guards; no step asks to sign what the first guard forbids.
        Mutant::SignUnasked => Some("changes nothing by itself"),
        _ => None,
    }
}

/// Bugs that cost work or memory, or show only in runs that are longer than any here. Each is the negative control of a unit test
/// of the production crate, which is red with it (`ZUS_MUTANT=NAME cargo test -p zus-bpp --lib` shows that others are, too).
const BY_UNIT: [(Mutant, &str); 14] = [
    (Mutant::ForgetEarlyTickets, "miner::tests::from_the_ticket"),
    (Mutant::NamedFinalityFalls, "miner::tests::named_finality"),
    (Mutant::NamedFinalityOfLater, "miner::tests::named_finality"),
    (Mutant::NamedFinalityUnused, "chain::catch_up"),
    (Mutant::AlwaysFromHead, "chain::catch_up"),
    (Mutant::SettlementBitmapBeyond, "crypto::dkg::tests::misbehaviour"),
    (Mutant::PointsBeforeSignature, "crypto::dkg::tests::floods"),
    (Mutant::KeyGenerationHearsAll, "crypto::dkg::tests::floods"),
    (Mutant::SuspectsTrusted, "miner::tests::suspects"),
    (Mutant::RequestBytesTwice, "accounts"),
    (Mutant::ReadsBeyondAnswer, "sharder"),
    (Mutant::WrongSharesOneByOne, "crypto::blst_scheme"),
    (Mutant::GlanceMisread, "miner::tests::senders"),
    (Mutant::SubroundByByte, "zus-fuzz: tests/soak.rs"),
];

/// Bugs that the product notices, and nothing else.
const BY_PRODUCT: [Mutant; 2] = [Mutant::DropEarlyShares, Mutant::ShareOfOtherRound];

fn variant(mutant: Mutant) -> u16 {
    Mutant::ALL.iter().position(|known| *known == mutant).expect("a mutant") as u16
}

fn folder() -> PathBuf {
    zus_fuzz::room().join("regressions/mutants")
}

/// The witness of a bug that is an input of a target.
fn of_target(mutant: Mutant) -> Option<(Target, Vec<u8>)> {
    let name = format!("{mutant:?}.");
    let file = std::fs::read_dir(folder()).ok()?.flatten().find(|file| {
        let found = file.file_name();
        found.to_string_lossy().strip_prefix(&name).is_some_and(|target| target != "run")
    })?;
    let target = file.file_name().to_string_lossy().strip_prefix(&name).and_then(targets::named)?;
    Some((target, std::fs::read(file.path()).ok()?))
}

/// Whether the synchronous end of a run is looked at, too: only where the run itself shows nothing.
fn is_wrong(schedule: &Schedule, adjust: Adjust) -> bool {
    let run = run(schedule, adjust);
    run.failure().is_some() || run.ends_well().is_err()
}

#[test]
fn each_mutant_is_noticed_by_its_witness_and_the_real_code_is_not() {
    let (mut without, mut survivors) = (Vec::new(), Vec::new());
    for &mutant in Mutant::ALL {
        if exempt(mutant).is_some()
            || BY_PRODUCT.contains(&mutant)
            || BY_UNIT.iter().any(|(by_unit, _)| *by_unit == mutant)
        {
            continue;
        }
        if let Ok(bytes) = std::fs::read(folder().join(format!("{mutant:?}.run"))) {
            let schedule = Schedule::from_file(&bytes);
            if !is_wrong(&schedule, Adjust(give, variant(mutant))) {
                survivors.push(mutant);
            }
            assert!(!is_wrong(&schedule, Adjust::NONE), "{mutant:?}: the real code is accused: {schedule:?}");
        } else if let Some((target, input)) = of_target(mutant) {
            // A thread of its own: what is kept for a thread may have been made with the bug.
            let with = || {
                let _scope = Scope::enter(Some(mutant));
                finding(target, &input)
            };
            let noticed = quietly(|| std::thread::scope(|scope| scope.spawn(with).join()).expect("no panic"));
            if noticed.is_none() {
                survivors.push(mutant);
            }
            target(&input);
        } else {
            without.push(mutant);
        }
    }
    assert!(without.is_empty(), "no witness: {without:?}");
    assert!(survivors.is_empty(), "their witnesses show nothing: {survivors:?}");
}

#[test]
fn the_product_notices_what_nothing_else_does() {
    for mutant in BY_PRODUCT {
        let found = by_product(Some(Adjust(give_timeless, variant(mutant))));
        assert!(found.is_some(), "{mutant:?} survives");
    }
    // A bug that walks notice as well, so that the check is seen red.
    let found = by_product(Some(Adjust(give_timeless, variant(Mutant::QuorumOneLower))));
    assert!(found.is_some_and(|kill| kill.by == "product"));
}

/// A bug belongs to its scope and to its participant, and to nobody after them.
#[test]
fn a_scope_ends() {
    assert!(!Mutant::WireTrailing.is_active());
    let outer = Scope::enter(Some(Mutant::WireTrailing));
    {
        let _inner = Scope::enter(Some(Mutant::WireAnyFlag));
        assert!(Mutant::WireAnyFlag.is_active() && !Mutant::WireTrailing.is_active());
        let _none = Scope::enter(None);
        assert!(Mutant::WireAnyFlag.is_active(), "None changes nothing");
    }
    assert!(Mutant::WireTrailing.is_active() && !Mutant::WireAnyFlag.is_active());
    drop(outer);
    assert!(!Mutant::WireTrailing.is_active());
}

/// The control: no memory of witnesses, a thousand random runs.
#[test]
fn a_random_walk_notices_the_bugs_that_break_safety_soon() {
    let soon = [
        Mutant::QuorumOneLower,
        Mutant::VoteDespiteOtherTicket,
        Mutant::TicketAfterLeaving,
        Mutant::SecondTicket,
    ];
    for mutant in soon {
        let found = walk(1, 1_000, Adjust(give, variant(mutant)), None);
        assert!(found.is_some(), "{mutant:?} survives a thousand random runs");
    }
}

/// A value of `finality` under which the duties ask nothing would excuse a miner that finalizes nothing. (The duty of the
/// sharder asks for the same rounds.)
#[test]
fn duties_ask_for_finality_under_every_rule() {
    let changed = |&finality: &FinalityRule| Rules { finality, ..Rules::HARDENED };
    for rules in FinalityRule::ALL.iter().map(changed).filter(|rules| !rules.votes()) {
        let adjust = Adjust(give, variant(Mutant::FinalityUnevaluated));
        let found = walk_under(Some(rules), 1, 3_000, adjust, None);
        assert!(found.is_some(), "bounds/duties/finality.rs asks nothing under {}", rules.finality);
    }
}

/// A walk that finds something can be made shorter and still finds the same.
#[test]
fn a_finding_is_shrunk_to_a_tenth() {
    let adjust = Adjust(give, variant(Mutant::VoteTwice));
    let found = walk(1, 5_000, adjust, None).expect("a random walk finds it");
    let kind = found.failure.kind();
    let short = zus_fuzz::shrink::shrink(&found.schedule, |schedule| {
        run(schedule, adjust).failure().is_some_and(|failure| failure.kind() == kind)
    });
    assert!(short.choices.len() <= 20, "{} choices are left: {short:?}", short.choices.len());
    assert!(run(&short, Adjust::NONE).failure().is_none());
}
