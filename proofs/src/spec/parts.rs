//! The parts of items: each conjunct, disjunct and premise of a formula, by itself.
//!
//! [`Spec::without`](super::Spec::without) deletes whole items. A part is less: `(up k)` in the `for` of an obligation, one equation
//! of an axiom, one clause of a definition. Without it the formula around it stays: of a conjunction and of the premises of
//! an implication the rest, of a disjunction the other cases. A part that stands alone becomes `true`, which deletes its item.

use super::{RuleChoice, Sources, Spec, SpecError, items, load};
use crate::text::{Kind, SExpr};
use std::fmt;

/// The text of a part that is a whole item.
pub const WHOLE: &str = "whole";

/// A part of an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The item: `axiom:NAME`, `guard:ACTION/NAME`, `define:NAME`, `safety:NAME`, `induction:NAME`.
    pub item: String,
    /// Of an obligation or an induction, which of its formulas; otherwise empty.
    pub section: &'static str,
    /// The part as it is written.
    pub text: String,
    /// The way from the list of items to it.
    path: Vec<usize>,
    /// The symbol in its place without it.
    neutral: &'static str,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let section = if self.section.is_empty() { String::new() } else { format!(" {}", self.section) };
        write!(f, "{}{section} {}", self.item, self.text)
    }
}

/// The parts of all axioms, guards, obligations, definitions, properties and inductions, in the order in which they are written.
pub fn parts(sources: &Sources, choice: &RuleChoice) -> Result<Vec<Part>, SpecError> {
    let (_, items) = load::chosen(sources, choice)?;
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let (word, list) = load::head(item)?;
        let name = |index: usize| list.get(index).and_then(SExpr::symbol).unwrap_or_default();
        let mut add = |item: String, section, formula: &SExpr, path: Vec<usize>| {
            let whole = Part { section, ..Part::root(item, path) };
            // Without what is to be done, or without its formula, nothing is left of an item.
            if ["", "done"].contains(&section) {
                found.push(Part { text: WHOLE.to_string(), ..whole.clone() });
            }
            let alone = !["", "done"].contains(&section) && !is_joint(formula);
            visit(formula, &whole, alone, &mut found);
        };
        match word {
            "axiom" => add(format!("axiom:{}", name(1)), "", &list[3], vec![at, 3]),
            "safety" => {
                visit(&list[3], &Part::root(format!("safety:{}", name(1)), vec![at, 3]), false, &mut found)
            }
            "define" => {
                visit(&list[3], &Part::root(format!("define:{}", name(1)), vec![at, 3]), false, &mut found)
            }
            "action" => {
                for (index, part) in list.iter().enumerate() {
                    if let Some([guard, called, formula]) = part.list()
                        && guard.symbol() == Some("guard")
                    {
                        let called = called.symbol().unwrap_or_default();
                        add(format!("guard:{}/{called}", name(1)), "", formula, vec![at, index, 2]);
                    }
                }
            }
            "obligation" => {
                let item = format!("guard:{}/{}", name(2), name(1));
                for (index, part) in list.iter().enumerate().skip(5) {
                    for section in ["for", "due", "done"] {
                        if let Some([word, formula]) = part.list()
                            && word.symbol() == Some(section)
                        {
                            add(item.clone(), section, formula, vec![at, index, 1]);
                        }
                    }
                }
            }
            "induction" => {
                for (index, part) in list.iter().enumerate().skip(6) {
                    let Some([word, .., formula]) = part.list() else { continue };
                    let mut sections = ["first", "next", "when", "holds"].into_iter();
                    if let Some(section) = sections.find(|section| word.symbol() == Some(section)) {
                        let last = part.list().map_or(0, <[SExpr]>::len) - 1;
                        add(format!("induction:{}", name(1)), section, formula, vec![at, index, last]);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The specification without a part.
pub fn load_without(sources: &Sources, choice: &RuleChoice, part: &Part) -> Result<Spec, SpecError> {
    let (rules, mut items) = load::chosen(sources, choice)?;
    let mut siblings = &mut items;
    let (last, way) = part.path.split_last().unwrap_or((&0, &[]));
    for index in way {
        siblings = match siblings.get_mut(*index).map(|item| &mut item.kind) {
            Some(Kind::List(list)) => list,
            _ => return Err(SpecError::NoItem(part.to_string())),
        };
    }
    match siblings.get_mut(*last) {
        Some(item) => item.kind = Kind::Symbol(part.neutral.to_string()),
        None => return Err(SpecError::NoItem(part.to_string())),
    }
    items::build(rules, items)
}

impl Part {
    fn root(item: String, path: Vec<usize>) -> Self {
        Part { item, section: "", text: String::new(), path, neutral: "true" }
    }

    fn child(&self, index: usize, neutral: &'static str) -> Self {
        let path = self.path.iter().copied().chain([index]).collect();
        Part { path, neutral, ..self.clone() }
    }
}

/// Adds the parts of a formula; the formula itself, if it is one.
fn visit(formula: &SExpr, here: &Part, is_part: bool, found: &mut Vec<Part>) {
    let list = formula.list().unwrap_or_default();
    let word = list.first().and_then(SExpr::symbol).unwrap_or_default();
    if is_part && formula.symbol() != Some("true") {
        found.push(Part { text: written(formula), ..here.clone() });
    }
    let last = list.len().saturating_sub(1);
    match word {
        "and" | "or" => {
            let neutral = if word == "and" { "true" } else { "false" };
            (1..=last).for_each(|index| visit(&list[index], &here.child(index, neutral), true, found));
        }
        "=>" => {
            // A premise that is a conjunction is no part of its own: its conjuncts are.
            for (index, premise) in list.iter().enumerate().take(last).skip(1) {
                visit(premise, &here.child(index, "true"), !is_joint(premise), found);
            }
            visit(&list[last], &here.child(last, "false"), false, found);
        }
        "forall" | "exists" | "not" => visit(&list[last], &here.child(last, "true"), false, found),
        _ => {}
    }
}

fn is_joint(formula: &SExpr) -> bool {
    formula.list().and_then(|list| list.first()?.symbol()) == Some("and")
}

/// A formula as it is written, on one line.
fn written(formula: &SExpr) -> String {
    match &formula.kind {
        Kind::Symbol(name) => name.clone(),
        Kind::Text(text) => format!("\"{text}\""),
        Kind::List(items) => format!("({})", items.iter().map(written).collect::<Vec<_>>().join(" ")),
    }
}
