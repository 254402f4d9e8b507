//! CLI.
use zus_proofs::{condition::*, judge::*, explain::*, spec::{RuleChoice, Sources, load}};
fn main() {
    let s = Sources::embedded();
    let a: Vec<String> = std::env::args().collect();
    let mut spec = load(&s, &RuleChoice::new(&*a[1])).unwrap();
    for d in &a[2..] { spec = spec.without(d).unwrap(); }
                let (cs, u) = conditions(&spec);
                println!("{} ok: {} conditions, {u} unchanged", spec.rules, cs.len());
                let t = std::time::Instant::now();
                for c in &cs {
                    match Herbrand::new(&spec).decide(c) {
                        Ok(Verdict::Holds(_)) => {},
                        Ok(Verdict::Fails(s)) => {
            println!("{}", Counterexample::new(&spec, c, s).unwrap());
                        }
                        Err(e) => println!("{e}"),
                    }
                }
                println!("total {:?}", t.elapsed());
    for x in [External::Z3, External::Cvc5] {
                let t = std::time::Instant::now();
        let j = ExternalJudge::find(x).unwrap();
        let scripts: Vec<_> = cs.iter().map(|c| Script::of(&spec, c)).collect();
        for (a, c) in j.ask(&scripts, 2).unwrap().iter().zip(&cs) { if *a != SolverAnswer::Unsat { println!("{} {} {a:?}", j.version, c.id); } }
                println!("total {} {:?}", j.solver, t.elapsed());
    }
}
