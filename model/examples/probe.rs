//! scratch
#![allow(missing_docs)]
use zus_model::{
    blocks::*, checker::bfs::*, committee::*, properties::*, protocol::*, reductions::*, rules::*,
};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let g = |i: usize, d: u32| -> u32 { a.get(i).and_then(|x| x.parse().ok()).unwrap_or(d) };
    let (n, byz, rounds, subs) = (g(1, 4), g(2, 1), g(3, 1), g(4, 2));
    let mode = a.get(5).cloned().unwrap_or("all".into());
    let rules = Rules::HARDENED;
    let f = tolerated(n);
    let red = match mode.as_str() {
        "none" => Reductions::NONE,
        "byz" => Reductions { byzantine_available: true, ..Reductions::NONE },
        "eager" => Reductions { byzantine_available: true, eager: true, ..Reductions::NONE },
        "sym" => Reductions { byzantine_available: true, eager: true, symmetry: true, ..Reductions::NONE },
        "count" => Reductions { lazy: false, ..Reductions::ALL },
        _ => Reductions::ALL,
    };
    let order = |_r: u8, s: u8| {
        if s == 0 {
            vec![Generator::Byzantine, Generator::Honest]
        } else {
            vec![Generator::Byzantine, Generator::Honest]
        }
    };
    let net = if a.get(6).map(|s| s == "ps").unwrap_or(false) {
        Network::PartiallySynchronous
    } else {
        Network::Async
    };
    let res = if net == Network::PartiallySynchronous { 1 } else { 0 };
    let order2 = |r: u8, s: u8| {
        if s as u32 == subs - 1 || r as u32 == rounds { vec![Generator::Honest] } else { order(r, s) }
    };
    let p = Protocol {
        committee: Committee {
            n,
            f,
            byzantine: byz,
            quorum: quorum(rules.quorum, n),
            beacon_threshold: f + 1,
            weights: vec![1; (n - byz) as usize],
        },
        rules,
        blocks: if res == 1 {
            Blocks::new(rounds as u8, subs as u8, 2, false, &rules, order2).unwrap()
        } else {
            Blocks::new(rounds as u8, subs as u8, 2, false, &rules, order).unwrap()
        },
        crashes: 0,
        network: net,
        observers: 0,
        reserved_rounds: res,
        reserved_subrounds: res,
        reductions: red,
    };
    let t = std::time::Instant::now();
    let all = Property::ALL.iter().copied().collect();
    let e = explore(&p, all, None, Limits::default(), &|_| {}, &|_| {});
    let s = t.elapsed().as_secs_f64();
    println!(
        "{mode} n={n} byz={byz} R={rounds} S={subs}: unique {} generated {} depth {} {:?} {:.2}s {:.0}/s peak {} B/state {:.1}",
        e.unique,
        e.generated,
        e.depth,
        e.end,
        s,
        e.unique as f64 / s,
        e.peak_bytes,
        e.peak_bytes as f64 / e.unique as f64
    );
    for (p, r) in &e.found {
        println!("  {} len {}", p.id(), r.len().saturating_sub(1));
    }
}
