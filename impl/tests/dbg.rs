//! debugging
mod sim;
use sim::{Expect, Setup, World};
use zus_bpp::rules::Rules;
#[test]
fn storm() {
    let from: u64 = std::env::var("SEED").map_or(0, |s| s.parse().unwrap());
    let count: u64 = std::env::var("COUNT").map_or(300, |s| s.parse().unwrap());
    let mut bad = 0;
    let mut worst = 0;
    let (mut later, mut two, mut conv) = (0, 0, 0);
    for seed in from..from + count {
        let n = [4, 5, 7, 10][seed as usize % 4];
        let rules = if std::env::var("DOC").is_ok() { Rules::DOCUMENTED } else { Rules::HARDENED };
        let setup = Setup::stormy(n, rules, seed, 8_000);
        let mut world = World::mock(&setup);
        if rules != Rules::HARDENED {
            world.observer.beacon_of_round = false;
            world.observer.expect =
                Expect { agreement: false, sole_notarized: false, one_beacon: false, ..Expect::ALL };
        }
        world.run(8_010);
        let h = world.observer.lowest();
        let top =
            (0..n).filter_map(|i| world.miner(i as usize)).map(|m| m.finalized().round().0).max().unwrap();
        let done = world.run_to_height(top as usize + 3, 120_000);
        worst = worst.max(world.now.0);
        if done && world.observer.violations.is_empty() {
            world.assert_safe();
        } else {
            world.observer.at_the_end();
        }
        later += world.observer.rounds_with_later_subrounds();
        two += world.observer.rounds_with_two_notarized();
        conv += world.observer.convicted.len();
        if !done || !world.observer.violations.is_empty() {
            bad += 1;
            println!(
                "seed {seed} n {n} done {done} h {h} top {top} {:?} {:?}",
                setup.byzantine,
                world.observer.violations.iter().take(3).collect::<Vec<_>>()
            );
            for i in 0..n as usize {
                if let Some(m) = world.miner(i) {
                    println!(
                        "{i}: {:?} {:?} {:?} final {:?} pending {:?}",
                        m.round(),
                        m.subround(),
                        m.phase(),
                        m.finalized().round(),
                        m.pending_finality().map(|c| c.round)
                    );
                    println!(
                        "   t {:?} to {:?} v {:?} closed {} not {:?}",
                        m.tickets().collect::<Vec<_>>(),
                        m.highest_timeout(),
                        m.votes().collect::<Vec<_>>(),
                        m.is_closed(m.round()),
                        m.notarizations().map(|n| n.round).collect::<Vec<_>>()
                    );
                }
            }
        }
    }
    println!("bad {bad} worst {worst} later {later} two {two} convicted {conv}");
}
#[test]
fn one() {
    let seed: u64 = std::env::var("SEED").map_or(0, |s| s.parse().unwrap());
    let n = [4, 5, 7, 10][seed as usize % 4];
    let setup = Setup::stormy(n, Rules::HARDENED, seed, 8_000);
    println!("{:?}", setup.byzantine);
    let mut world = World::mock(&setup);
    for _ in 0..2000 {
        world.run(5);
        let who = world.many();
        if let Some((who, what)) = who {
            println!("t {} {who} {what}", world.now.0);
            let m = world.miner(who).unwrap();
            println!(
                "{who}: {:?} {:?} {:?} final {:?} {:?} pending {:?} entry {:?}",
                m.round(),
                m.subround(),
                m.phase(),
                m.finalized().round(),
                m.finalized().id(),
                m.pending_finality().map(|c| c.round),
                m.entry()
            );
            for c in m.notarizations() {
                println!("{:?}", c.statement);
            }
            for (t, w, s) in world.observer.steps.iter().rev().take(3000) {
                if w.0 as usize == who {
                    println!("{} {s:?}", t.0);
                }
            }
            break;
        }
    }
}
