//! CLI.
use zus_proofs::{condition::*, judge::*, structure::*,bounded::*, spec::{RuleChoice, Sources, load}};
fn main() {
    let s = Sources::embedded();
    for p in s.choices().unwrap().0 {
        match load(&s, &RuleChoice::new(&*p)) {
            Ok(spec) => {
                let (cs, u) = conditions(&spec);
                println!("{} ok: {} conditions, {u} unchanged", spec.rules, cs.len());
                let t = std::time::Instant::now();
                for c in &cs {
                    let t = std::time::Instant::now();
                    match Herbrand::new(&spec).decide(c) {
                        Ok(Verdict::Holds(p)) => if t.elapsed().as_millis() > 100 {println!("{} rounds {} clauses {} learnt {} {:?}", c.id, p.rounds, p.certificate.clauses.len(), p.certificate.learnt.len(), t.elapsed())},
                        Ok(Verdict::Fails(s)) => {
                            let ok = c.refutand().iter().all(|(_, f)| Evaluator::new(f, &[]).holds(&s, &[]));
                            println!("FAIL {} {:?} {:?} verified {ok}", c.id, s.sizes(), t.elapsed())
                        }
                        Err(e) => println!("{e}"),
                    }
                }
                println!("total {:?}", t.elapsed());
                for w in &spec.witnesses {
                    let t = std::time::Instant::now();
                    let [r,s,b] = w.world;
                    let mut world = World::of_four(r,s,b);
                    if p == "accountable" { world.byzantine = 2; }
                    let mut search = Search::new(&spec, &world).unwrap();
                    let run = search.run(&w.name, &Target::witness(w), 30);
                    println!("{} {:?} {:?}", w.name, run.map(|r| r.events.len()), t.elapsed());
                }
            }
            Err(e) => println!("{e}"),
        }
    }
}
