//! scratch
#![allow(missing_docs)]
use zus_model::{checker::bfs::*, properties::*, scenario};
fn main() {
    for a in std::env::args().skip(1) {
        let s = match scenario::load(a.as_ref()) {
            Ok(s) => s,
            Err(e) => {
                println!("{e}");
                continue;
            }
        };
        let p = &s.protocol;
        let t = std::time::Instant::now();
        let asked: Facts = s.expect.iter().map(|e| e.property).collect();
        let needs_all = s.exhaustive
            || s.expect
                .iter()
                .any(|e| matches!(e.verdict, scenario::Verdict::Holds | scenario::Verdict::Unreachable));
        let e = explore(
            p,
            asked,
            if needs_all { None } else { Some(asked) },
            Limits { states: 60_000_000, memory: 8 << 30 },
            &|_| {},
            &|_| {},
        );
        let sec = t.elapsed().as_secs_f64();
        print!(
            "{:28} unique {} gen {} depth {} {:?} {:.2}s {:.0}k/s B/st {:.0} |",
            s.name,
            e.unique,
            e.generated,
            e.depth,
            e.end,
            sec,
            e.unique as f64 / sec / 1e3,
            e.peak_bytes as f64 / e.unique as f64
        );
        for x in &s.expect {
            let f = e.found.get(&x.property);
            let want = matches!(x.verdict, scenario::Verdict::Violated | scenario::Verdict::Reachable);
            let ok = want == f.is_some();
            print!(
                " {}{}{}",
                if ok { "" } else { "!!" },
                x.property.id(),
                f.map(|r| format!("@{}", r.len() - 1)).unwrap_or_default()
            );
        }
        println!();
    }
}
