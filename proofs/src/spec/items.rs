//! From items to a [`Spec`]: first what is declared, then what is said.

use super::{
    Action, Formula, Function, FunctionId, Guard, Initial, Interpretation, Lemma, Mistake, Parameter,
    Pointwise, Relation, RelationId, RelationKind, Rules, Sort, SortId, Spec, SpecError, Statement, Term,
    Threshold, Time, Update, Variable, Witness,
    elaborate::{Context, Elaborator, Macro, Named, Scope},
    load::head,
};
use crate::text::SExpr;
use std::{collections::HashMap, sync::Arc};

/// Builds the specification from the items in force.
pub(super) fn build(rules: Rules, items: Vec<SExpr>) -> Result<Spec, SpecError> {
    let mut builder = Builder { spec: empty(rules), elaborator: Elaborator::new() };
    for item in &items {
        builder.declare_sort(item)?;
    }
    for item in &items {
        builder.declare(item)?;
    }
    builder.spec.initial = vec![None; builder.spec.relations.len()];
    for item in &items {
        builder.say(item)?;
    }
    builder.finish()
}

fn empty(rules: Rules) -> Spec {
    Spec {
        rules,
        sorts: Vec::new(),
        relations: Vec::new(),
        functions: Vec::new(),
        axioms: Vec::new(),
        initial: Vec::new(),
        actions: Vec::new(),
        invariants: Vec::new(),
        safety: Vec::new(),
        transitions: Vec::new(),
        witnesses: Vec::new(),
        pointwise: Vec::new(),
        unbounded: Vec::new(),
        naming: None,
        lemmas: Vec::new(),
        obligations: Vec::new(),
        interpretations: Vec::new(),
        variables: Vec::new(),
    }
}

pub(super) struct Builder {
    pub(super) spec: Spec,
    pub(super) elaborator: Elaborator,
}

impl Builder {
    fn declare_sort(&mut self, item: &SExpr) -> Result<(), SpecError> {
        if let ("sort", list) = head(item)? {
            let name = name(list, 1, "(sort name)")?;
            if self.elaborator.sorts.insert(name.clone(), SortId(self.spec.sorts.len())).is_some() {
                return Err(Mistake::Twice(name, item.position.clone()).at(&item.position));
            }
            self.spec.sorts.push(Sort { name });
        }
        Ok(())
    }

    fn declare(&mut self, item: &SExpr) -> Result<(), SpecError> {
        let (word, list) = head(item)?;
        match word {
            "immutable" | "relation" | "derived" => {
                let shape = "(relation name ((argument sort)...) \"sentence\")";
                let name = name(list, 1, shape)?;
                let arguments = self.elaborator.typed_names(at(list, 2, shape)?)?;
                let sentence = sentence(list, 3, shape, arguments.iter().map(|(n, _)| n.as_str()))?;
                let kind = if word == "immutable" { RelationKind::Immutable } else { RelationKind::State };
                let id = RelationId(self.spec.relations.len());
                self.elaborator.declare(&name, Named::Relation(id), &item.position)?;
                let position = item.position.clone();
                self.spec.relations.push(Relation { name, arguments, sentence, kind, position });
            }
            "function" | "constant" => {
                let shape = "(function name ((argument sort)...) sort) or (constant name sort)";
                let name = name(list, 1, shape)?;
                let (arguments, result) = match word {
                    "constant" => (Vec::new(), at(list, 2, shape)?),
                    _ => (self.elaborator.typed_names(at(list, 2, shape)?)?, at(list, 3, shape)?),
                };
                let arguments = arguments.into_iter().map(|(_, sort)| sort).collect();
                let result = self.elaborator.sort(result)?;
                let id = FunctionId(self.spec.functions.len());
                self.elaborator.declare(&name, Named::Function(id), &item.position)?;
                self.spec.functions.push(Function { name, arguments, result });
            }
            "define" => {
                let shape = "(define name ((parameter sort)...) formula)";
                let name = name(list, 1, shape)?;
                let parameters = self.elaborator.typed_names(at(list, 2, shape)?)?;
                let body = at(list, 3, shape)?.clone();
                let definition = Named::Macro(Arc::new(Macro { name: name.clone(), parameters, body }));
                self.elaborator.declare(&name, definition, &item.position)?;
            }
            "naming" => self.naming(list)?,
            _ => {}
        }
        Ok(())
    }

    fn say(&mut self, item: &SExpr) -> Result<(), SpecError> {
        let (word, list) = head(item)?;
        match word {
            "sort" | "immutable" | "relation" | "function" | "constant" | "naming" => {}
            "define" => self.check_define(list)?,
            "derived" => self.derived(list)?,
            "axiom" | "invariant" | "safety" | "transition" => {
                let statement = self.statement(list, word == "transition")?;
                match word {
                    "axiom" => self.spec.axioms.push(statement),
                    "invariant" => self.spec.invariants.push(statement),
                    "safety" => self.spec.safety.push(statement),
                    _ => self.spec.transitions.push(statement),
                }
            }
            "init" => self.init(list)?,
            "action" => self.action(list)?,
            "witness" => self.witness(list)?,
            "lemma" => self.lemma(list)?,
            "obligation" => self.obligation(list)?,
            "induction" => self.induction(list)?,
            "pointwise" => {
                let statement = self.pointwise(list)?;
                self.spec.pointwise.push(statement);
            }
            "unbounded" => {
                let statement = self.pointwise(list)?;
                self.spec.unbounded.push(statement);
            }
            "ordered" | "threshold" | "closure" => self.interpretation(word, list)?,
            other => return Err(Mistake::UnknownItem(other.to_string()).at(&item.position)),
        }
        Ok(())
    }

    pub(super) fn formula(
        &mut self,
        item: &SExpr,
        scope: &mut Scope,
        context: Context,
    ) -> Result<Formula, SpecError> {
        self.elaborator.formula(&self.spec, item, scope, context)
    }

    /// A macro that nothing uses is checked all the same.
    fn check_define(&mut self, list: &[SExpr]) -> Result<(), SpecError> {
        let names = self.elaborator.typed_names(&list[2])?;
        let mut scope = Scope::new();
        self.elaborator.open(&names, &mut scope);
        self.formula(&list[3], &mut scope, Context::Elsewhere).map(drop)
    }

    pub(super) fn relation_named(&self, item: &SExpr) -> Result<RelationId, SpecError> {
        let name =
            item.symbol().ok_or_else(|| Mistake::Expected("the name of a relation").at(&item.position))?;
        match self.elaborator.names.get(name) {
            Some((Named::Relation(id), _)) => Ok(*id),
            _ => Err(Mistake::NoRelation(name.to_string()).at(&item.position)),
        }
    }

    fn derived(&mut self, list: &[SExpr]) -> Result<(), SpecError> {
        let id = self.relation_named(&list[1])?;
        let mut scope = Scope::new();
        let arguments = self.spec.relations[id.0].arguments.clone();
        let variables = self.elaborator.open(&arguments, &mut scope);
        let body = at(list, 4, "(derived name ((argument sort)...) \"sentence\" definition)")?;
        let definition = Arc::new(self.formula(body, &mut scope, Context::Elsewhere)?);
        self.spec.relations[id.0].kind = RelationKind::Derived { variables, definition };
        Ok(())
    }

    fn statement(&mut self, list: &[SExpr], transition: bool) -> Result<Statement, SpecError> {
        let shape = "(word name \"sentence\" formula)";
        let name = name(list, 1, shape)?;
        let statements = self.spec.axioms.iter().chain(&self.spec.invariants).chain(&self.spec.safety);
        if let Some(first) = statements.chain(&self.spec.transitions).find(|s| s.name == name) {
            return Err(Mistake::Twice(name, first.position.clone()).at(&list[0].position));
        }
        let sentence = sentence(list, 2, shape, [])?;
        let context = if transition { Context::Transition } else { Context::Elsewhere };
        let formula = Arc::new(self.formula(at(list, 3, shape)?, &mut Scope::new(), context)?);
        Ok(Statement { name, sentence, formula, position: list[0].position.clone() })
    }

    fn init(&mut self, list: &[SExpr]) -> Result<(), SpecError> {
        let shape = "(init relation ((argument sort)...) formula)";
        let id = self.relation_named(at(list, 1, shape)?)?;
        if self.spec.relations[id.0].immutable() {
            return Err(
                Mistake::UpdateOfImmutable(self.spec.relations[id.0].name.clone()).at(&list[1].position)
            );
        }
        let mut scope = Scope::new();
        let variables = self.pattern(id, at(list, 2, shape)?, &mut scope)?;
        let formula = self.formula(at(list, 3, shape)?, &mut scope, Context::Elsewhere)?;
        self.spec.initial[id.0] = Some(Initial { variables, formula });
        Ok(())
    }

    /// Variables for the arguments of a relation, of its sorts.
    fn pattern(
        &mut self,
        id: RelationId,
        item: &SExpr,
        scope: &mut Scope,
    ) -> Result<Vec<Variable>, SpecError> {
        let names = self.elaborator.typed_names(item)?;
        let relation = &self.spec.relations[id.0];
        if names.len() != relation.arguments.len() {
            let (name, expected) = (relation.name.clone(), relation.arguments.len());
            return Err(Mistake::Arity { name, expected, found: names.len() }.at(&item.position));
        }
        for ((name, found), (_, expected)) in names.iter().zip(&relation.arguments) {
            if found != expected {
                let sort = |s: &SortId| self.spec.sorts[s.0].name.clone();
                let (found, expected) = (sort(found), sort(expected));
                return Err(Mistake::Sort { term: name.clone(), found, expected }.at(&item.position));
            }
        }
        Ok(self.elaborator.open(&names, scope))
    }

    pub(super) fn parameters(
        &mut self,
        item: &SExpr,
        scope: &mut Scope,
    ) -> Result<Vec<Parameter>, SpecError> {
        let names = self.elaborator.typed_names(item)?;
        let variables = self.elaborator.open(&names, scope);
        Ok(names
            .into_iter()
            .zip(variables)
            .map(|((name, _), variable)| Parameter { name, variable })
            .collect())
    }

    fn action(&mut self, list: &[SExpr]) -> Result<(), SpecError> {
        let shape = "(action name ((parameter sort)...) \"sentence\" part...)";
        let name = name(list, 1, shape)?;
        if let Some(first) = self.spec.action(&name) {
            return Err(Mistake::Twice(name, first.position.clone()).at(&list[0].position));
        }
        let mut scope = Scope::new();
        let parameters = self.parameters(at(list, 2, shape)?, &mut scope)?;
        let sentence = sentence(list, 3, shape, parameters.iter().map(|p| p.name.as_str()))?;
        let (mut guards, mut updates) = (Vec::<Guard>::new(), Vec::new());
        for part in &list[4..] {
            match head(part)? {
                ("guard", part_list) => {
                    let shape = "(guard name formula)";
                    let name = self::name(part_list, 1, shape)?;
                    if let Some(first) = guards.iter().find(|g| g.name == name) {
                        return Err(Mistake::Twice(name, first.position.clone()).at(&part.position));
                    }
                    let formula = self.formula(at(part_list, 2, shape)?, &mut scope, Context::Guard)?;
                    guards.push(Guard { name, formula, position: part.position.clone() });
                }
                ("insert", part_list) => self.update(part_list, &mut scope, &mut updates, true)?,
                ("delete", part_list) => self.update(part_list, &mut scope, &mut updates, false)?,
                (other, _) => return Err(Mistake::UnknownPart(other.to_string()).at(&part.position)),
            }
        }
        let position = list[0].position.clone();
        self.spec.actions.push(Action { name, sentence, parameters, guards, updates, position });
        Ok(())
    }

    /// `(insert (relation term...))` or `(insert relation ((argument sort)...) formula)`; `delete` alike.
    fn update(
        &mut self,
        list: &[SExpr],
        scope: &mut Scope,
        updates: &mut Vec<Update>,
        insert: bool,
    ) -> Result<(), SpecError> {
        let shape = "(insert (relation term...)) or (insert relation ((argument sort)...) formula)";
        let target = at(list, 1, shape)?;
        let head = target.list().and_then(|l| l.first()).unwrap_or(target);
        let relation = self.relation_named(head)?;
        if self.spec.relations[relation.0].immutable() {
            return Err(
                Mistake::UpdateOfImmutable(self.spec.relations[relation.0].name.clone()).at(&head.position)
            );
        }
        let depth = scope.len();
        let (variables, formula) = if target.list().is_some() {
            let tuple = self.formula(target, scope, Context::Guard)?;
            let Formula::Relation(_, _, terms) = tuple else {
                return Err(Mistake::Expected(shape).at(&target.position));
            };
            let fresh = |(name, sort): &(String, SortId)| self.elaborator.fresh(name, *sort);
            let variables: Vec<_> = self.spec.relations[relation.0].arguments.iter().map(fresh).collect();
            let equal = |(v, t): (&Variable, Term)| Formula::Equal(Term::Variable(*v), t);
            let formula = Formula::And(variables.iter().zip(terms).map(equal).collect());
            (variables, formula)
        } else {
            let variables = self.pattern(relation, at(list, 2, shape)?, scope)?;
            (variables, self.formula(at(list, 3, shape)?, scope, Context::Guard)?)
        };
        scope.truncate(depth);
        let update = match updates.iter_mut().find(|u| u.relation == relation) {
            Some(update) => update,
            None => {
                let none = Formula::Constant(false);
                updates.push(Update {
                    relation,
                    variables: variables.clone(),
                    delete: none.clone(),
                    insert: none,
                });
                let last = updates.len() - 1;
                &mut updates[last]
            }
        };
        let map: HashMap<_, _> =
            variables.into_iter().zip(update.variables.iter().map(|v| Term::Variable(*v))).collect();
        let part = if insert { &mut update.insert } else { &mut update.delete };
        let before = std::mem::replace(part, Formula::Constant(false));
        *part = Formula::Or(vec![before, formula.substitute(&map)]).normal(true);
        Ok(())
    }

    /// `(witness name "sentence" (universe rounds subrounds blocks) [(step action...)] formula)`.
    fn witness(&mut self, list: &[SExpr]) -> Result<(), SpecError> {
        let shape =
            "(witness name \"sentence\" (universe rounds subrounds blocks) [(step action...)] formula)";
        let name = name(list, 1, shape)?;
        let sentence = sentence(list, 2, shape, [])?;
        let universe = match at(list, 3, shape)?.list() {
            Some([word, sizes @ ..]) if word.symbol() == Some("universe") => {
                let number =
                    |item: &SExpr| item.symbol().and_then(|n| n.parse::<usize>().ok()).filter(|n| *n > 0);
                sizes.iter().map(number).collect::<Option<Vec<_>>>()
            }
            _ => None,
        };
        let universe = universe.and_then(|sizes| <[usize; 3]>::try_from(sizes).ok());
        let universe = universe.ok_or_else(|| Mistake::Expected(shape).at(&list[3].position))?;
        let third = at(list, 4, shape)?;
        let (mut steps, mut state) = (Vec::new(), None);
        match third.list() {
            Some([step, actions @ ..]) if step.symbol() == Some("step") => {
                for item in actions {
                    let wanted = item.symbol().unwrap_or_default();
                    let index = self.spec.actions.iter().position(|a| a.name == wanted);
                    let index =
                        index.ok_or_else(|| Mistake::NoAction(wanted.to_string()).at(&item.position))?;
                    let bind = |p: &Parameter| (p.name.clone(), Term::Variable(p.variable));
                    let mut scope: Scope = self.spec.actions[index].parameters.iter().map(bind).collect();
                    steps.push((index, self.formula(at(list, 5, shape)?, &mut scope, Context::Elsewhere)?));
                }
            }
            _ => state = Some(self.formula(third, &mut Scope::new(), Context::Elsewhere)?),
        }
        let position = list[0].position.clone();
        self.spec.witnesses.push(Witness { name, sentence, universe, steps, state, position });
        Ok(())
    }

    /// `(pointwise name "sentence" ((variable sort)...) formula)`; `unbounded` alike.
    fn pointwise(&mut self, list: &[SExpr]) -> Result<Pointwise, SpecError> {
        let shape = "(pointwise name \"sentence\" ((variable sort)...) formula)";
        let name = name(list, 1, shape)?;
        let sentence = sentence(list, 2, shape, [])?;
        let mut scope = Scope::new();
        let parameters = self.parameters(at(list, 3, shape)?, &mut scope)?;
        let formula = self.formula(at(list, 4, shape)?, &mut scope, Context::Elsewhere)?;
        let position = list[0].position.clone();
        Ok(Pointwise { name, sentence, parameters, formula, position })
    }

    /// `(lemma name "sentence" ((parameter sort)...) (assume name formula)... (conclude formula))`.
    fn lemma(&mut self, list: &[SExpr]) -> Result<(), SpecError> {
        let shape = "(lemma name \"sentence\" ((parameter sort)...) part... (conclude formula))";
        let name = name(list, 1, shape)?;
        let sentence = sentence(list, 2, shape, [])?;
        let mut scope = Scope::new();
        let parameters = self.parameters(at(list, 3, shape)?, &mut scope)?;
        let (mut assumptions, mut conclusion) = (Vec::new(), None);
        for part in &list[4..] {
            match head(part)? {
                ("assume", items) => {
                    let name = self::name(items, 1, "(assume name formula)")?;
                    let item = at(items, 2, "(assume name formula)")?;
                    assumptions.push((name, self.formula(item, &mut scope, Context::Lemma)?));
                }
                ("conclude", items) => {
                    let item = at(items, 1, "(conclude formula)")?;
                    conclusion = Some(self.formula(item, &mut scope, Context::Lemma)?);
                }
                _ => {
                    return Err(
                        Mistake::Expected("(assume name formula) or (conclude formula)").at(&part.position)
                    );
                }
            }
        }
        let position = list[0].position.clone();
        let conclusion = conclusion.ok_or_else(|| Mistake::Expected(shape).at(&position))?;
        let pointwise = false;
        let lemma = Lemma { name, sentence, parameters, assumptions, conclusion, pointwise, position };
        self.spec.lemmas.push(lemma);
        Ok(())
    }

    fn interpretation(&mut self, word: &str, list: &[SExpr]) -> Result<(), SpecError> {
        let shape =
            "(ordered sort le previous zero), (threshold sort member q|f+1) or (closure relation step)";
        let interpretation = match word {
            "ordered" => {
                let zero = name(list, 4, shape)?;
                let Some((Named::Function(zero), _)) = self.elaborator.names.get(&zero) else {
                    return Err(Mistake::NoName(zero).at(&list[4].position));
                };
                Interpretation::Ordered {
                    sort: self.elaborator.sort(at(list, 1, shape)?)?,
                    le: self.relation_named(at(list, 2, shape)?)?,
                    previous: self.relation_named(at(list, 3, shape)?)?,
                    zero: *zero,
                }
            }
            "threshold" => Interpretation::Threshold {
                sort: self.elaborator.sort(at(list, 1, shape)?)?,
                member: self.relation_named(at(list, 2, shape)?)?,
                size: match name(list, 3, shape)?.as_str() {
                    "q" => Threshold::Quorum,
                    "n-f" => Threshold::WithoutFaulty,
                    "f+1" => Threshold::OneHonest,
                    _ => return Err(Mistake::Expected("q, n-f or f+1").at(&list[3].position)),
                },
            },
            _ => Interpretation::Closure {
                closure: self.relation_named(at(list, 1, shape)?)?,
                step: self.relation_named(at(list, 2, shape)?)?,
            },
        };
        self.spec.interpretations.push(interpretation);
        Ok(())
    }

    /// The checks that need the whole specification.
    fn finish(mut self) -> Result<Spec, SpecError> {
        self.free();
        let mut spec = self.spec;
        spec.variables = self.elaborator.variables;
        let initial = spec.relations.iter().zip(&spec.initial);
        let initial = initial.filter_map(|(r, i)| i.as_ref().map(|i| (&i.formula, &r.position)));
        let unbounded = spec.unbounded.iter().map(|u| (&u.formula, &u.position));
        let fixed = spec.axioms.iter().map(|a| (&*a.formula, &a.position)).chain(unbounded).chain(initial);
        for (formula, position) in fixed {
            let mut read = None;
            formula.visit(&mut |atom| {
                if let Formula::Relation(r, ..) = atom
                    && !spec.relations[r.0].immutable()
                {
                    read = Some(spec.relations[r.0].name.clone());
                }
            });
            if let Some(name) = read {
                return Err(Mistake::ReadsState(name).at(position));
            }
        }
        for (relation, initial) in spec.relations.iter().zip(&spec.initial) {
            if !relation.immutable() && initial.is_none() {
                return Err(Mistake::NoInit(relation.name.clone()).at(&relation.position));
            }
            if let RelationKind::Derived { definition, .. } = &relation.kind {
                let mut inner = None;
                definition.visit(&mut |atom| {
                    if let Formula::Relation(r, Time::Before, _) = atom
                        && matches!(spec.relations[r.0].kind, RelationKind::Derived { .. })
                    {
                        inner = Some(spec.relations[r.0].name.clone());
                    }
                });
                if let Some(inner) = inner {
                    return Err(
                        Mistake::DerivedOfDerived(relation.name.clone(), inner).at(&relation.position)
                    );
                }
            }
        }
        Ok(spec)
    }
}

pub(super) fn at<'a>(list: &'a [SExpr], index: usize, shape: &'static str) -> Result<&'a SExpr, SpecError> {
    list.get(index).ok_or_else(|| Mistake::Expected(shape).at(&list[0].position))
}

pub(super) fn name(list: &[SExpr], index: usize, shape: &'static str) -> Result<String, SpecError> {
    let item = at(list, index, shape)?;
    item.symbol().map(str::to_string).ok_or_else(|| Mistake::Expected(shape).at(&item.position))
}

/// A sentence whose `{argument}`s are all among `arguments`.
pub(super) fn sentence<'a>(
    list: &[SExpr],
    index: usize,
    shape: &'static str,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<String, SpecError> {
    let item = at(list, index, shape)?;
    let text = item.text().ok_or_else(|| Mistake::Expected(shape).at(&item.position))?;
    let arguments: Vec<_> = arguments.into_iter().collect();
    for rest in text.split('{').skip(1) {
        let named = rest.split('}').next().unwrap_or_default();
        if !arguments.contains(&named) {
            return Err(Mistake::Sentence(named.to_string()).at(&item.position));
        }
    }
    // A sentence may run over lines of the file; it is one line for the reader.
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
