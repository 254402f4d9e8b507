//! `(induction name "sentence" ((parameter sort)...) (over successor s t) (at sort x y) (first ((parameter sort)...) formula)
//! (next ((parameter sort)...) formula) (when formula) (holds formula))`.
//!
//! Induction over an `ordered` sort, for a value `d(s)` that recursion defines. `first` says what `d` of the first element is,
//! `next` what `d(t) = y` is for the successor `t` of `s`, where `d(s) = x`. `when` and `holds` speak of `s` and `x`.
//!
//! Two lemmas come from it, which the judges prove in every reachable state:
//! - `NAME-first`: `first` and `when` imply `holds`;
//! - `NAME-next`: if `when` implied `holds` for `s` and `x`, it does for `t` and `y`.
//!
//! So in every reachable state `when` implies `holds` for every `s` from the first one on, and `d(s)`. That step is the
//! principle of induction, which holds because each element of an ordered sort comes finitely many successors after the first.
//! No formula of first order says so; therefore it is an item of the format, and not an axiom. That `d` exists, because `next`
//! has a `y` for every `s` and `x`, is for the specification to say.

use super::{
    Formula, Interpretation, Lemma, Mistake, SortId, SpecError, Term, Variable,
    elaborate::{Context, Scope},
    items::{Builder, at, name, sentence},
    load::head,
};
use crate::text::SExpr;

const SHAPE: &str = "(induction name \"sentence\" ((parameter sort)...) (over successor s t) (at sort x y) (first ((parameter \
                     sort)...) formula) (next ((parameter sort)...) formula) (when formula) (holds formula))";

/// The list of an item that begins with `word`.
fn part<'a>(item: &'a SExpr, word: &str) -> Result<&'a [SExpr], SpecError> {
    match head(item)? {
        (found, list) if found == word => Ok(list),
        _ => Err(Mistake::Expected(SHAPE).at(&item.position)),
    }
}

impl Builder {
    pub(super) fn induction(&mut self, list: &[SExpr]) -> Result<(), SpecError> {
        let position = list[0].position.clone();
        let base = name(list, 1, SHAPE)?;
        let sentence = sentence(list, 2, SHAPE, [])?;
        let mut scope = Scope::new();
        let outer = self.parameters(at(list, 3, SHAPE)?, &mut scope)?;
        let [over, at_, first, next, when, holds] = list.get(4..).unwrap_or_default() else {
            return Err(Mistake::Expected(SHAPE).at(&position));
        };
        let [over, at_] = [part(over, "over")?, part(at_, "at")?];
        let [first, next] = [part(first, "first")?, part(next, "next")?];
        let [when, holds] = [part(when, "when")?, part(holds, "holds")?];

        let successor = self.relation_named(at(over, 1, SHAPE)?)?;
        let ordered = self.spec.interpretations.iter().find_map(|i| match i {
            Interpretation::Ordered { sort, previous, .. } if *previous == successor => Some(*sort),
            _ => None,
        });
        let ordered = ordered.ok_or_else(|| Mistake::NotASuccessor.at(&over[1].position))?;
        let value = self.elaborator.sort(at(at_, 1, SHAPE)?)?;
        let [s, t] = [name(over, 2, SHAPE)?, name(over, 3, SHAPE)?];
        let [x, y] = [name(at_, 2, SHAPE)?, name(at_, 3, SHAPE)?];
        let mut fresh = |name: &String, sort: SortId| (name.clone(), self.elaborator.fresh(name, sort));
        let all = [fresh(&s, ordered), fresh(&x, value), fresh(&t, ordered), fresh(&y, value)];

        // `when` and `holds` of `s` and `x`, and of `t` and `y` in their place.
        let bound = |element: Variable, value: Variable| {
            let mut bound = scope.clone();
            bound.push((s.clone(), Term::Variable(element)));
            bound.push((x.clone(), Term::Variable(value)));
            bound
        };
        let (mut here, mut there) = (bound(all[0].1, all[1].1), bound(all[2].1, all[3].1));
        let mut of =
            |item: &[SExpr], scope: &mut Scope| self.formula(at(item, 1, SHAPE)?, scope, Context::Lemma);
        let (when_here, holds_here) = (of(when, &mut here)?, of(holds, &mut here)?);
        let (when_there, holds_there) = (of(when, &mut there)?, of(holds, &mut there)?);

        let parameter = |(name, variable): &(String, Variable)| super::Parameter {
            name: name.clone(),
            variable: *variable,
        };
        let mut parameters = outer.clone();
        parameters.extend(all[..2].iter().map(parameter));
        parameters.extend(self.parameters(at(first, 1, SHAPE)?, &mut here)?);
        let premise = self.formula(at(first, 2, SHAPE)?, &mut here, Context::Lemma)?;
        self.spec.lemmas.push(Lemma {
            name: format!("{base}-first"),
            sentence: format!("at first: {sentence}"),
            parameters,
            assumptions: vec![("first".to_string(), premise), ("when".to_string(), when_here.clone())],
            conclusion: holds_here.clone(),
            pointwise: false,
            position: position.clone(),
        });

        let mut both = bound(all[0].1, all[1].1);
        both.extend(all[2..].iter().map(|(name, v)| (name.clone(), Term::Variable(*v))));
        let mut parameters = outer;
        parameters.extend(all.iter().map(parameter));
        parameters.extend(self.parameters(at(next, 1, SHAPE)?, &mut both)?);
        let step = self.formula(at(next, 2, SHAPE)?, &mut both, Context::Lemma)?;
        let follows = Formula::Relation(
            successor,
            super::Time::Before,
            vec![Term::Variable(all[0].1), Term::Variable(all[2].1)],
        );
        self.spec.lemmas.push(Lemma {
            name: format!("{base}-next"),
            sentence: format!("step by step: {sentence}"),
            parameters,
            assumptions: vec![
                ("before".to_string(), Formula::implies(when_here, holds_here)),
                ("successor".to_string(), follows),
                ("next".to_string(), step),
                ("when".to_string(), when_there),
            ],
            conclusion: holds_there,
            pointwise: false,
            position,
        });
        Ok(())
    }
}
