//! A condition as an SMT-LIB 2.6 script whose answer is `unsat` when the condition holds.

use super::Condition;
use crate::spec::{Formula, SortId, Spec, Term, Variable};
use std::fmt::Write;

/// The script. Sorts are written with a capital, because SMT-LIB functions may share a sort's name and some solvers
/// do not like it.
pub fn smtlib(spec: &Spec, condition: &Condition) -> String {
    let mut script = String::new();
    let printer = Printer { spec, condition };
    let _ = writeln!(script, "; {}\n(set-logic UF)", condition.id);
    for index in 0..spec.sorts.len() {
        let _ = writeln!(script, "(declare-sort {} 0)", printer.sort(SortId(index)));
    }
    for function in &spec.functions {
        let _ = writeln!(
            script,
            "(declare-fun {} ({}) {})",
            function.name,
            printer.sorts(function.arguments.iter()),
            printer.sort(function.result)
        );
    }
    for constant in &condition.constants {
        let _ = writeln!(
            script,
            "(declare-const {} {})",
            printer.constant(&constant.name),
            printer.sort(constant.sort)
        );
    }
    for relation in &spec.relations {
        let sorts = printer.sorts(relation.arguments.iter().map(|(_, sort)| sort));
        let _ = writeln!(script, "(declare-fun {} ({sorts}) Bool)", relation.name);
    }
    for hypothesis in &condition.hypotheses {
        script.push_str("(assert ");
        printer.formula(&hypothesis.formula.normal(true), &mut script);
        let _ = writeln!(script, ") ; {}", hypothesis.origin);
    }
    script.push_str("(assert ");
    printer.formula(&condition.goal.normal(false), &mut script);
    script.push_str(") ; goal, negated\n(check-sat)\n");
    script
}

struct Printer<'a> {
    spec: &'a Spec,
    condition: &'a Condition,
}

impl Printer<'_> {
    fn sort(&self, sort: SortId) -> String {
        let name = &self.spec.sorts[sort.0].name;
        name[..1].to_uppercase() + &name[1..]
    }

    fn sorts<'b>(&self, sorts: impl Iterator<Item = &'b SortId>) -> String {
        sorts.map(|s| self.sort(*s)).collect::<Vec<_>>().join(" ")
    }

    /// A condition's constants must not meet a name of the specification.
    fn constant(&self, name: &str) -> String {
        format!("the_{name}")
    }

    fn variable(&self, variable: &Variable) -> String {
        format!("{}_{}", self.spec.sorts[variable.sort.0].name, variable.number)
    }

    fn term(&self, term: &Term, out: &mut String) {
        match term {
            Term::Variable(v) => out.push_str(&self.variable(v)),
            Term::Apply(f, arguments) => {
                let name = match self.spec.functions.get(f.0) {
                    Some(function) => function.name.clone(),
                    None => self.constant(&self.condition.constants[f.0 - self.spec.functions.len()].name),
                };
                self.apply(&name, arguments, out);
            }
        }
    }

    fn apply(&self, name: &str, arguments: &[Term], out: &mut String) {
        if arguments.is_empty() {
            out.push_str(name);
            return;
        }
        let _ = write!(out, "({name}");
        for argument in arguments {
            out.push(' ');
            self.term(argument, out);
        }
        out.push(')');
    }

    fn formula(&self, formula: &Formula, out: &mut String) {
        match formula {
            Formula::Constant(value) => out.push_str(if *value { "true" } else { "false" }),
            Formula::Relation(r, _, arguments) => self.apply(&self.spec.relations[r.0].name, arguments, out),
            Formula::Equal(left, right) => {
                out.push_str("(= ");
                self.term(left, out);
                out.push(' ');
                self.term(right, out);
                out.push(')');
            }
            Formula::Not(inner) => {
                out.push_str("(not ");
                self.formula(inner, out);
                out.push(')');
            }
            Formula::And(parts) => self.join("and", parts, out),
            Formula::Or(parts) => self.join("or", parts, out),
            Formula::Forall(variables, body) => self.quantifier("forall", variables, body, out),
            Formula::Exists(variables, body) => self.quantifier("exists", variables, body, out),
        }
    }

    fn join(&self, word: &str, parts: &[Formula], out: &mut String) {
        let _ = write!(out, "({word}");
        for part in parts {
            out.push(' ');
            self.formula(part, out);
        }
        out.push(')');
    }

    fn quantifier(&self, word: &str, variables: &[Variable], body: &Formula, out: &mut String) {
        let bound = variables.iter().map(|v| format!("({} {})", self.variable(v), self.sort(v.sort)));
        let _ = write!(out, "({word} ({}) ", bound.collect::<Vec<_>>().join(" "));
        self.formula(body, out);
        out.push(')');
    }
}
