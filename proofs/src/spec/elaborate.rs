//! From S-expressions to sorted formulas: names resolved, sorts checked, macros expanded.

use super::{Formula, FunctionId, Mistake, RelationId, SortId, Spec, SpecError, Term, Time, Variable};
use crate::text::{Location, SExpr};
use std::{collections::HashMap, sync::Arc};

/// The meaning of a declared name.
#[derive(Clone)]
pub(super) enum Named {
    Relation(RelationId),
    Function(FunctionId),
    Macro(Arc<Macro>),
}

/// A `define`.
pub(super) struct Macro {
    pub(super) name: String,
    pub(super) parameters: Vec<(String, SortId)>,
    pub(super) body: SExpr,
}

/// Where a formula stands, as far as primes are concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Context {
    Guard,
    Transition,
    Lemma,
    Elsewhere,
}

/// Names in force while a formula is read, the innermost last.
pub(super) type Scope = Vec<(String, Term)>;

/// Resolves names and hands out variables.
pub(super) struct Elaborator {
    pub(super) names: HashMap<String, (Named, Location)>,
    pub(super) sorts: HashMap<String, SortId>,
    /// By variable number.
    pub(super) variables: Vec<String>,
    expanding: Vec<String>,
}

impl Elaborator {
    pub(super) fn new() -> Self {
        Elaborator {
            names: HashMap::new(),
            sorts: HashMap::new(),
            variables: Vec::new(),
            expanding: Vec::new(),
        }
    }

    pub(super) fn fresh(&mut self, name: &str, sort: SortId) -> Variable {
        let number = self.variables.len() as u32;
        self.variables.push(name.to_string());
        Variable { number, sort }
    }

    /// Declares a name; a second declaration is refused.
    pub(super) fn declare(&mut self, name: &str, named: Named, position: &Location) -> Result<(), SpecError> {
        match self.names.insert(name.to_string(), (named, position.clone())) {
            Some((_, first)) => Err(Mistake::Twice(name.to_string(), first).at(position)),
            None => Ok(()),
        }
    }

    pub(super) fn sort(&self, item: &SExpr) -> Result<SortId, SpecError> {
        let name = item.symbol().ok_or_else(|| Mistake::Expected("the name of a sort").at(&item.position))?;
        self.sorts.get(name).copied().ok_or_else(|| Mistake::NoSort(name.to_string()).at(&item.position))
    }

    /// `((name sort)...)`
    pub(super) fn typed_names(&self, item: &SExpr) -> Result<Vec<(String, SortId)>, SpecError> {
        let expected = || Mistake::Expected("a list of (name sort)");
        let list = item.list().ok_or_else(|| expected().at(&item.position))?;
        let one = |pair: &SExpr| match pair.list() {
            Some([name, sort]) => {
                let name = name.symbol().ok_or_else(|| expected().at(&name.position))?;
                Ok((name.to_string(), self.sort(sort)?))
            }
            _ => Err(expected().at(&pair.position)),
        };
        list.iter().map(one).collect()
    }

    /// Opens variables for `names` in `scope`.
    pub(super) fn open(&mut self, names: &[(String, SortId)], scope: &mut Scope) -> Vec<Variable> {
        let bind = |(name, sort): &(String, SortId)| {
            let variable = self.fresh(name, *sort);
            scope.push((name.clone(), Term::Variable(variable)));
            variable
        };
        names.iter().map(bind).collect()
    }

    /// A formula.
    pub(super) fn formula(
        &mut self,
        spec: &Spec,
        item: &SExpr,
        scope: &mut Scope,
        context: Context,
    ) -> Result<Formula, SpecError> {
        match item.symbol() {
            Some("true") => return Ok(Formula::Constant(true)),
            Some("false") => return Ok(Formula::Constant(false)),
            _ => {}
        }
        let (head, arguments) = match item.list() {
            Some([head, arguments @ ..]) => (head, arguments),
            _ => (item, &[][..]),
        };
        let name = head.symbol().ok_or_else(|| Mistake::Expected("a formula").at(&item.position))?;
        let arity = |expected: usize| match arguments.len() == expected {
            true => Ok(()),
            false => Err(Mistake::Arity { name: name.to_string(), expected, found: arguments.len() }
                .at(&item.position)),
        };
        match name {
            "not" => {
                arity(1)?;
                Ok(Formula::negate(self.formula(spec, &arguments[0], scope, context)?))
            }
            "and" | "or" => {
                let parts = arguments.iter().map(|a| self.formula(spec, a, scope, context));
                let parts = parts.collect::<Result<_, _>>()?;
                Ok(if name == "and" { Formula::And(parts) } else { Formula::Or(parts) })
            }
            "=>" => {
                arity(2)?;
                let premise = self.formula(spec, &arguments[0], scope, context)?;
                Ok(Formula::implies(premise, self.formula(spec, &arguments[1], scope, context)?))
            }
            "=" => {
                arity(2)?;
                let left = self.term(spec, &arguments[0], scope)?;
                let right = self.term(spec, &arguments[1], scope)?;
                self.expect(spec, &arguments[1], &right, spec.sort_of(&left))?;
                Ok(Formula::Equal(left, right))
            }
            "forall" | "exists" => {
                arity(2)?;
                let names = self.typed_names(&arguments[0])?;
                let depth = scope.len();
                let variables = self.open(&names, scope);
                let body = self.formula(spec, &arguments[1], scope, context);
                scope.truncate(depth);
                let body = Box::new(body?);
                Ok(if name == "forall" {
                    Formula::Forall(variables, body)
                } else {
                    Formula::Exists(variables, body)
                })
            }
            "enabled" => self.enabled(spec, item, arguments, scope, context),
            _ => self.application(spec, item, name, arguments, scope, context),
        }
    }

    /// `(enabled action term...)`: all guards of the action hold.
    fn enabled(
        &self,
        spec: &Spec,
        item: &SExpr,
        arguments: &[SExpr],
        scope: &Scope,
        context: Context,
    ) -> Result<Formula, SpecError> {
        if context != Context::Lemma {
            return Err(Mistake::EnabledHere.at(&item.position));
        }
        let (action, terms) = self.instance(spec, item, arguments, scope)?;
        Ok(spec.actions[action].enabled(&terms))
    }

    /// `action term...`: an action, by context, with terms for its parameters.
    pub(super) fn instance(
        &self,
        spec: &Spec,
        item: &SExpr,
        list: &[SExpr],
        scope: &Scope,
    ) -> Result<(usize, Vec<Term>), SpecError> {
        let [name, arguments @ ..] = list else {
            return Err(Mistake::Expected("(enabled action term...)").at(&item.position));
        };
        let wanted = name.symbol().unwrap_or_default();
        let action = spec.actions.iter().position(|a| a.name == wanted);
        let action = action.ok_or_else(|| Mistake::NoAction(wanted.to_string()).at(&name.position))?;
        let sorts: Vec<_> = spec.actions[action].parameters.iter().map(|p| p.variable.sort).collect();
        Ok((action, self.arguments(spec, item, wanted, arguments, &sorts, scope)?))
    }

    /// A relation or macro of terms.
    fn application(
        &mut self,
        spec: &Spec,
        item: &SExpr,
        name: &str,
        arguments: &[SExpr],
        scope: &mut Scope,
        context: Context,
    ) -> Result<Formula, SpecError> {
        let (plain, time) = match name.strip_suffix('\'') {
            Some(plain) => (plain, Time::After),
            None => (name, Time::Before),
        };
        if scope.iter().any(|(n, _)| n == plain) && arguments.is_empty() {
            let term = self.term(spec, item, scope)?;
            let sort = spec.sorts[spec.sort_of(&term).0].name.clone();
            return Err(Mistake::TermForFormula(plain.to_string(), sort).at(&item.position));
        }
        let named = self.names.get(plain).map(|(named, _)| named.clone());
        match named.ok_or_else(|| Mistake::NoName(plain.to_string()).at(&item.position))? {
            Named::Relation(id) => {
                let relation = &spec.relations[id.0];
                if time == Time::After {
                    let mistake = match context {
                        _ if relation.immutable() => Some(Mistake::PrimedImmutable(name.to_string())),
                        Context::Guard => Some(Mistake::GuardReadsAfter(name.to_string())),
                        Context::Elsewhere | Context::Lemma => Some(Mistake::PrimedHere(name.to_string())),
                        Context::Transition => None,
                    };
                    if let Some(mistake) = mistake {
                        return Err(mistake.at(&item.position));
                    }
                }
                let sorts: Vec<_> = relation.arguments.iter().map(|(_, sort)| *sort).collect();
                let terms = self.arguments(spec, item, name, arguments, &sorts, scope)?;
                Ok(Formula::Relation(id, time, terms))
            }
            Named::Function(id) => {
                let sort = spec.sorts[spec.functions[id.0].result.0].name.clone();
                Err(Mistake::TermForFormula(name.to_string(), sort).at(&item.position))
            }
            Named::Macro(definition) => {
                if self.expanding.contains(&definition.name) {
                    return Err(Mistake::Cyclic(definition.name.clone()).at(&item.position));
                }
                let sorts: Vec<_> = definition.parameters.iter().map(|(_, sort)| *sort).collect();
                let terms = self.arguments(spec, item, name, arguments, &sorts, scope)?;
                // The body sees its parameters only: macros are closed.
                let names = definition.parameters.iter().map(|(n, _)| n.clone());
                let mut inner: Scope = names.zip(terms).collect();
                self.expanding.push(definition.name.clone());
                let body = self.formula(spec, &definition.body, &mut inner, context);
                self.expanding.pop();
                body
            }
        }
    }

    fn arguments(
        &self,
        spec: &Spec,
        item: &SExpr,
        name: &str,
        arguments: &[SExpr],
        sorts: &[SortId],
        scope: &Scope,
    ) -> Result<Vec<Term>, SpecError> {
        if arguments.len() != sorts.len() {
            let mistake =
                Mistake::Arity { name: name.to_string(), expected: sorts.len(), found: arguments.len() };
            return Err(mistake.at(&item.position));
        }
        let check = |(argument, &sort): (&SExpr, &SortId)| {
            let term = self.term(spec, argument, scope)?;
            self.expect(spec, argument, &term, sort)?;
            Ok(term)
        };
        arguments.iter().zip(sorts).map(check).collect()
    }

    /// A term.
    pub(super) fn term(&self, spec: &Spec, item: &SExpr, scope: &Scope) -> Result<Term, SpecError> {
        let (head, arguments) = match item.list() {
            Some([head, arguments @ ..]) => (head, arguments),
            _ => (item, &[][..]),
        };
        let name = head.symbol().ok_or_else(|| Mistake::Expected("a term").at(&item.position))?;
        if arguments.is_empty()
            && let Some((_, term)) = scope.iter().rev().find(|(n, _)| n == name)
        {
            return Ok(term.clone());
        }
        match self.names.get(name) {
            Some((Named::Function(id), _)) => {
                let sorts = &spec.functions[id.0].arguments;
                Ok(Term::Apply(*id, self.arguments(spec, item, name, arguments, sorts, scope)?))
            }
            Some(_) => Err(Mistake::FormulaForTerm(name.to_string()).at(&item.position)),
            None if matches!(name, "and" | "or" | "not" | "=>" | "=" | "forall" | "exists") => {
                Err(Mistake::FormulaForTerm(name.to_string()).at(&item.position))
            }
            None => Err(Mistake::NoName(name.to_string()).at(&item.position)),
        }
    }

    /// Refuses a term of another sort.
    pub(super) fn expect(
        &self,
        spec: &Spec,
        item: &SExpr,
        term: &Term,
        sort: SortId,
    ) -> Result<(), SpecError> {
        let found = spec.sort_of(term);
        if found == sort {
            return Ok(());
        }
        let name = |sort: SortId| spec.sorts[sort.0].name.clone();
        let head = item.list().and_then(|l| l.first()).unwrap_or(item);
        let term = head.symbol().unwrap_or("this").to_string();
        Err(Mistake::Sort { term, found: name(found), expected: name(sort) }.at(&item.position))
    }
}
