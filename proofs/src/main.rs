//! CLI.
use zus_proofs::{judge::*, controls, arithmetic, verify::*, spec::{RuleChoice, Sources, load}};
fn main() {
    let s = Sources::embedded();
    let a: Vec<String> = std::env::args().collect();
    let spec = load(&s, &RuleChoice::new(&*a[1])).unwrap();
                let t = std::time::Instant::now();
    let v = Verification::new(&spec, 2);
    println!("{} {:?}", v.holds(), t.elapsed());
    let c = controls::controls(&spec, &v, 2);
    println!("{}", controls::table(&spec, &c));
    println!("{:?}", t.elapsed());
    for x in [External::Z3, External::Cvc5] {
                let t = std::time::Instant::now();
        let j = ExternalJudge::find(x).unwrap();
        for d in compare(&spec, &v.conditions, &v.outcomes, &j, 2).unwrap() { println!("{d:?}"); }
                println!("total {} {:?}", j.solver, t.elapsed());
        println!("{:?}", arithmetic::ask(&j, 2).unwrap());
        let (n, d) = controls::compare(&c, &j, 2).unwrap();
        for d in d { println!("{d:?}"); }
                println!("controls {n} {} {:?}", j.solver, t.elapsed());
    }
}
