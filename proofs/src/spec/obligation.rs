//! `(obligation name action "sentence" ((parameter sort)...) (for formula) (due formula) (done formula)
//! [(given ((parameter sort)...) formula)] (by (action term...)...))`.
//!
//! `for` says whose it is and from when on, and does not change; `due` is its occasion. `given` names what its lemma takes
//! besides, such as the next round, which the waiting action's guard does not mention.

use super::{
    Fault, Formula, Guard, Lemma, Obligation, SpecError, Statement, Time,
    elaborate::{Place, Scope},
    items::{Builder, at, name, sentence},
    load::head,
};
use crate::text::SExpr;
use std::sync::Arc;

const SHAPE: &str = "(obligation name action \"sentence\" ((parameter sort)...) (for formula) (due formula) (done formula) \
                     [(given ((parameter sort)...) formula)] (by (action term...)...))";

impl Builder {
    pub(super) fn obligation(&mut self, list: &[SExpr]) -> Result<(), SpecError> {
        let (name, waiting) = (name(list, 1, SHAPE)?, name(list, 2, SHAPE)?);
        let position = list[0].position.clone();
        let action = self.spec.actions.iter().position(|a| a.name == waiting);
        let action = action.ok_or_else(|| Fault::NoAction(waiting.clone()).at(&list[2].position))?;
        if let Some(first) = self.spec.actions[action].guards.iter().find(|g| g.name == name) {
            return Err(Fault::Twice(name, first.position.clone()).at(&position));
        }
        let sentence = sentence(list, 3, SHAPE, [])?;
        let mut scope = Scope::new();
        let mut parameters = self.parameters(at(list, 4, SHAPE)?, &mut scope)?;
        let [scoped, due, done, rest @ ..] = list.get(5..).unwrap_or_default() else {
            return Err(Fault::Expected(SHAPE).at(&position));
        };
        let mut part = |item: &SExpr, word: &str| match head(item)? {
            (found, [_, formula]) if found == word => self.formula(formula, &mut scope, Place::Lemma),
            _ => Err(Fault::Expected(SHAPE).at(&item.position)),
        };
        let (scoped, due, done) = (part(scoped, "for")?, part(due, "due")?, part(done, "done")?);
        let variables: Vec<_> = parameters.iter().map(|p| p.variable).collect();

        let occasion = Formula::And(vec![scoped.clone(), due.clone()]);
        let met = Formula::forall(variables.clone(), Formula::implies(occasion, done.clone()));
        self.spec.actions[action].guards.push(Guard {
            name: name.clone(),
            formula: met,
            position: position.clone(),
        });

        let holds = Formula::And(vec![scoped.clone(), done.clone()]);
        let after = holds.rewrite(&mut |atom| match atom {
            Formula::Relation(r, _, terms) if !self.spec.relations[r.0].immutable() => {
                Formula::Relation(*r, Time::After, terms.clone())
            }
            other => other.clone(),
        });
        let stays = Formula::forall(variables, Formula::implies(holds, after));
        self.spec.transitions.push(Statement {
            name: format!("{name}-stays"),
            sentence: format!("what is done stays done: {sentence}"),
            formula: Arc::new(stays),
            position: position.clone(),
        });

        let mut open = vec![
            ("for".to_string(), scoped),
            ("due".to_string(), due),
            ("open".to_string(), Formula::negate(done.clone())),
        ];
        let rest = match rest {
            [given, rest @ ..] if head(given)?.0 == "given" => {
                let given = head(given)?.1;
                parameters.extend(self.parameters(at(given, 1, SHAPE)?, &mut scope)?);
                let formula = self.formula(at(given, 2, SHAPE)?, &mut scope, Place::Lemma)?;
                open.push(("given".to_string(), formula));
                rest
            }
            rest => rest,
        };
        let [by] = rest else { return Err(Fault::Expected(SHAPE).at(&position)) };
        let ("by", [_, instances @ ..]) = head(by)? else {
            return Err(Fault::Expected(SHAPE).at(&by.position));
        };
        let mut met_by = Vec::new();
        for item in instances {
            met_by.push(self.elaborator.instance(&self.spec, item, head(item)?.1, &scope)?);
        }
        let enabled = met_by.iter().map(|(action, terms)| self.spec.actions[*action].enabled(terms));
        let conclusion = Formula::Or(enabled.collect());
        self.spec.lemmas.push(Lemma {
            name: name.clone(),
            sentence,
            parameters: parameters.clone(),
            assumptions: open.clone(),
            conclusion,
            position,
        });
        self.spec.obligations.push(Obligation { name, waiting, parameters, open, done, by: met_by });
        Ok(())
    }
}
