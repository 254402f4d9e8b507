//! CLI.
use zus_proofs::{condition::*, spec::{RuleChoice, Sources, load}};
fn main() {
    let s = Sources::embedded();
    let out = std::env::args().nth(1);
    for p in s.choices().unwrap().0 {
        match load(&s, &RuleChoice::new(&*p)) {
            Ok(spec) => {
                let (cs, u) = conditions(&spec);
                println!("{} ok: {} conditions, {u} unchanged", spec.rules, cs.len());
                for c in &cs {
                    if let Some(cycle) = alternation(&spec, c).cycle() { println!("{} {}", c.id, cycle.describe(&spec)); break; }
                }
                if let Some(o) = &out { for c in &cs {
                    std::fs::create_dir_all(format!("{o}/{p}")).unwrap();
                    std::fs::write(format!("{o}/{p}/{}.smt2", c.id.to_string().replace(['/',':'], "_")), smtlib(&spec, c)).unwrap(); } }
            }
            Err(e) => println!("{e}"),
        }
    }
}
