//! `(obligation name action "sentence" ((parameter sort)...) (for formula) (due formula) (done formula)
//! (given ((parameter sort)...) formula)... [(names formula)] (by (action term...)...))`.
//!
//! `for` says whose it is and from when on, and does not change; `due` is its occasion. The waiting action's guard speaks of these
//! and of `done` only. Its lemma has more assumptions, and each of them has a condition of its own, so that time cannot stop where
//! one does not hold:
//! - `given` names elements, such as the block through which a miner entered. The lemma `NAME-given` says that they exist wherever the
//!   obligation is open. A second `given` may speak of the elements of the first.
//! - `names` says that names of things in the run fit it (`naming`). The lemma `NAME-names` says that it holds where nothing is named.
//!
//! The waiting action may have guards of its own. The lemma `ACTION-free` says that for some arguments these hold in every state in
//! which nothing is named: so nothing but obligations holds it up.

use super::{
    Formula, Guard, Lemma, Mistake, Obligation, Parameter, SpecError, Statement, Time,
    elaborate::{Context, Scope},
    items::{Builder, at, name, sentence},
    load::head,
};
use crate::text::SExpr;
use std::sync::Arc;

const SHAPE: &str = "(obligation name action \"sentence\" ((parameter sort)...) (for formula) (due formula) (done formula) \
                     (given ((parameter sort)...) formula)... [(names formula)] (by (action term...)...))";

impl Builder {
    pub(super) fn obligation(&mut self, list: &[SExpr]) -> Result<(), SpecError> {
        let (name, waiting) = (name(list, 1, SHAPE)?, name(list, 2, SHAPE)?);
        let position = list[0].position.clone();
        let action = self.spec.actions.iter().position(|a| a.name == waiting);
        let action = action.ok_or_else(|| Mistake::NoAction(waiting.clone()).at(&list[2].position))?;
        if let Some(first) = self.spec.actions[action].guards.iter().find(|g| g.name == name) {
            return Err(Mistake::Twice(name, first.position.clone()).at(&position));
        }
        let sentence = sentence(list, 3, SHAPE, [])?;
        let mut scope = Scope::new();
        let mut parameters = self.parameters(at(list, 4, SHAPE)?, &mut scope)?;
        let [scoped, due, done, rest @ ..] = list.get(5..).unwrap_or_default() else {
            return Err(Mistake::Expected(SHAPE).at(&position));
        };
        let mut part = |item: &SExpr, word: &str| match head(item)? {
            (found, [_, formula]) if found == word => self.formula(formula, &mut scope, Context::Lemma),
            _ => Err(Mistake::Expected(SHAPE).at(&item.position)),
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
        let mut rest = rest;
        while let [item, more @ ..] = rest
            && let ("given", given) = head(item)?
        {
            let count = open.iter().filter(|(word, _)| word.starts_with("given")).count();
            let word = if count == 0 { "given".to_string() } else { format!("given-{}", count + 1) };
            let new = self.parameters(at(given, 1, SHAPE)?, &mut scope)?;
            if let Some(hidden) = new.iter().find(|p| parameters.iter().any(|q| q.name == p.name)) {
                return Err(Mistake::Hidden(hidden.name.clone()).at(&given[1].position));
            }
            let formula = self.formula(at(given, 2, SHAPE)?, &mut scope, Context::Lemma)?;
            let variables: Vec<_> = new.iter().map(|p| p.variable).collect();
            let exist = Formula::exists(variables, formula.clone());
            self.justify(format!("{name}-{word}"), "there is what is given", &parameters, &open, exist, list);
            parameters.extend(new);
            open.push((word, formula));
            rest = more;
        }
        if let [item, more @ ..] = rest
            && let ("names", fit) = head(item)?
        {
            let naming = self.spec.naming.ok_or_else(|| Mistake::NoNaming.at(&item.position))?;
            let formula = self.formula(at(fit, 1, SHAPE)?, &mut scope, Context::Lemma)?;
            let mut unnamed = open.clone();
            unnamed.push(("unnamed".to_string(), Formula::negate(Formula::fact(naming))));
            let about = "where nothing is named, names fit";
            self.justify(format!("{name}-names"), about, &parameters, &unnamed, formula.clone(), list);
            open.push(("names".to_string(), formula));
            rest = more;
        }
        let [by] = rest else { return Err(Mistake::Expected(SHAPE).at(&position)) };
        let ("by", [_, instances @ ..]) = head(by)? else {
            return Err(Mistake::Expected(SHAPE).at(&by.position));
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
            pointwise: false,
            position,
        });
        self.spec.obligations.push(Obligation { name, waiting, parameters, open, done, by: met_by });
        Ok(())
    }

    /// A lemma that an assumption of an obligation follows from those before it.
    fn justify(
        &mut self,
        name: String,
        about: &str,
        parameters: &[Parameter],
        assumptions: &[(String, Formula)],
        conclusion: Formula,
        list: &[SExpr],
    ) {
        let sentence = list.get(3).and_then(SExpr::text).unwrap_or_default();
        self.spec.lemmas.push(Lemma {
            name,
            sentence: format!("{about}: {sentence}"),
            parameters: parameters.to_vec(),
            assumptions: assumptions.to_vec(),
            conclusion,
            pointwise: true,
            position: list[0].position.clone(),
        });
    }

    /// The lemmas that the guards of waiting actions that are no obligations hold for some arguments.
    pub(super) fn free(&mut self) {
        for action in &self.spec.actions {
            let waits =
                |name: &str| self.spec.obligations.iter().any(|o| o.waiting == action.name && o.name == name);
            let (obliged, own): (Vec<_>, Vec<_>) = action.guards.iter().partition(|guard| waits(&guard.name));
            if obliged.is_empty() || own.is_empty() {
                continue;
            }
            let own = Formula::And(own.iter().map(|guard| guard.formula.clone()).collect());
            let variables: Vec<_> = action.parameters.iter().map(|p| p.variable).collect();
            let unnamed = self.spec.naming.map(|naming| Formula::negate(Formula::fact(naming)));
            self.spec.lemmas.push(Lemma {
                name: format!("{}-free", action.name),
                sentence: format!("nothing but obligations holds up the action `{}`", action.name),
                parameters: Vec::new(),
                assumptions: unnamed.map(|formula| ("unnamed".to_string(), formula)).into_iter().collect(),
                conclusion: Formula::exists(variables, own),
                pointwise: true,
                position: action.position.clone(),
            });
        }
    }

    /// `(naming relation)`: a fact without arguments. Names of things in a run are chosen when the run is over, and only where this
    /// fact holds do guards and assumptions speak of them.
    pub(super) fn naming(&mut self, list: &[SExpr]) -> Result<(), SpecError> {
        let shape = "(naming relation), an immutable relation without arguments";
        let item = at(list, 1, shape)?;
        let naming = self.relation_named(item)?;
        let relation = &self.spec.relations[naming.0];
        if !relation.immutable() || !relation.arguments.is_empty() || self.spec.naming.is_some() {
            return Err(Mistake::Expected(shape).at(&item.position));
        }
        self.spec.naming = Some(naming);
        Ok(())
    }
}
