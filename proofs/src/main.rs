//! CLI.
use zus_proofs::{bounded::*, spec::{RuleChoice, Sources, load}};
fn main() {
    let s = Sources::embedded();
    let a: Vec<String> = std::env::args().collect();
    let spec = load(&s, &RuleChoice::new(&*a[1])).unwrap();
    let p = |i: usize| a[i].parse::<usize>().unwrap();
    let mut w = World::of_four(p(3), p(4), p(5));
    if let Some(b) = a.get(7) { w.byzantine = b.parse().unwrap(); }
    let t = std::time::Instant::now();
    let mut search = Search::new(&spec, &w).unwrap();
    println!("built {:?}", t.elapsed());
    println!("{} {:?}", search.consistent(), t.elapsed());
    let target = Target::violation(&spec.statement(&a[2]).unwrap().formula);
    match search.run(&a[2], &target, p(6)) {
        Some(r) => { println!("{}", r.json(&spec).unwrap()); println!("{} actions", r.events.len());}
        None => println!("none"),
    }
    println!("{:?}", t.elapsed());
}
