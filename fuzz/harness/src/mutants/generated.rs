//! All mutants that `cargo mutants --list` names, as edits of the copy: see [`super`].
//!
//! Building each mutant by itself takes half a minute; a walk notices most of them in milliseconds. A body `{ .. }` becomes
//! `{ if on(8) { return .. } .. }`, an arm `p => e` becomes `p if !on(9) => e`.
//!
//! # What is left out
//! Some mutants cannot be a choice at run time: constant functions, operands of `let` chains (cargo-mutants' own
//! mutants of these do not compile), functions that return `impl Trait`, and fields left out of struct expressions.
//! [`Generated::left_out`] names them; `cargo mutants` itself judges them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::{Edit, choice};

/// A mutant, as `cargo mutants --list --json` describes it; what is not needed here is not read.
#[derive(Clone, Debug, Deserialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The file, from the root of the workspace.
    pub file: String,
    /// The kind of change.
    pub genre: String,
    /// The text that replaces the span.
    pub replacement: String,
    /// The replaced span.
    pub span: Span,
    /// The function that it is in.
    pub function: Option<Function>,
}

/// The function that a mutant is in.
#[derive(Clone, Debug, Deserialize)]
pub struct Function {
    /// From its first to its last byte.
    pub span: Span,
}

/// A part of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub struct Span {
    /// Its first character.
    pub start: Location,
    /// The character after it.
    pub end: Location,
}

/// A character of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
pub struct Location {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// The edits of the mutants.
#[derive(Clone, Debug, Default)]
pub struct Generated {
    /// File by file, as the list names them.
    pub edits: BTreeMap<String, Vec<Edit>>,
    /// Mutants that are in it, by their place in the list.
    pub taken: Vec<usize>,
    /// Mutants that are not: no choice at run time, or code that does not compile.
    pub left_out: Vec<usize>,
}

impl Generated {
    /// Makes them, but for those of `unviable`; their numbers begin at `first`. `read` gives the text of a file.
    ///
    /// # Errors
    /// When a file cannot be read or is no Rust.
    pub fn new(
        listed: &[Listed],
        unviable: &BTreeSet<usize>,
        first: usize,
        read: impl Fn(&str) -> std::io::Result<String>,
    ) -> std::io::Result<Self> {
        let mut generated = Self::default();
        let mut by_file: BTreeMap<&str, Vec<(usize, &Listed)>> = BTreeMap::new();
        generated.left_out.extend(unviable);
        for (number, mutant) in listed.iter().enumerate().filter(|(number, _)| !unviable.contains(number)) {
            by_file.entry(&mutant.file).or_default().push((first + number, mutant));
        }
        for (file, mutants) in by_file {
            let text = read(file)?;
            let parsed = syn::parse_file(&text).map_err(|error| {
                std::io::Error::other(format!("{file}: {error}, line {}", error.span().start().line))
            })?;
            let mut finder = Finder { text: &text, mutants: &mutants, constant: 0, found: Vec::new() };
            finder.visit_file(&parsed);
            let found = finder.found;
            for (number, _) in &mutants {
                let taken = found.iter().any(|numbered| numbered.numbers.contains(number));
                if taken { &mut generated.taken } else { &mut generated.left_out }.push(number - first);
            }
            let edits = found.into_iter().map(Numbered::edit);
            generated.edits.insert(file.into(), edits.collect());
        }
        Ok(generated)
    }
}

/// An edit, and which mutants it is of.
struct Numbered {
    numbers: Vec<usize>,
    range: Range<usize>,
    before: String,
    after: String,
}

impl Numbered {
    fn edit(self) -> Edit {
        Edit { range: self.range, before: self.before, after: self.after }
    }
}

struct Finder<'a> {
    text: &'a str,
    mutants: &'a [(usize, &'a Listed)],
    /// How many constant items are around.
    constant: usize,
    found: Vec<Numbered>,
}

fn position(place: proc_macro2::LineColumn) -> Location {
    Location { line: place.line, column: place.column + 1 }
}

impl Finder<'_> {
    fn at<'b>(&'b self, genre: &'b str, start: Location) -> impl Iterator<Item = (usize, &'b Listed)> + 'b {
        let here = move |(_, mutant): &&(usize, &Listed)| mutant.genre == genre && mutant.span.start == start;
        self.mutants.iter().filter(here).map(|(number, mutant)| (*number, *mutant))
    }

    /// A choice at the beginning of a function for each value that is returned at once instead.
    fn function(
        &mut self,
        constant: bool,
        output: &syn::ReturnType,
        block: &syn::Block,
        span: proc_macro2::Span,
    ) {
        let opaque = match output {
            syn::ReturnType::Default => false,
            syn::ReturnType::Type(_, returned) => self.text[returned.span().byte_range()].contains("impl "),
        };
        if constant || self.constant > 0 || opaque {
            return;
        }
        let (start, end) = (position(span.start()), position(span.end()));
        let body = block.span().byte_range();
        // The list begins a function behind its attributes.
        let of_this = |mutant: &Listed| {
            let function = mutant.function.as_ref().map(|function| function.span);
            mutant.genre == "FnValue"
                && function.is_some_and(|function| start <= function.start && function.end == end)
        };
        let mut numbers = Vec::new();
        let mut before = String::new();
        for (number, mutant) in self.mutants.iter().filter(|(_, mutant)| of_this(mutant)) {
            before.push_str(&format!(" if {} {{ return {}; }} ", choice(*number), mutant.replacement));
            numbers.push(*number);
        }
        if !numbers.is_empty() {
            let inside = body.start + 1..body.end;
            self.found.push(Numbered {
                numbers,
                range: inside.start..inside.start,
                before,
                after: String::new(),
            });
        }
    }
}

fn holds_let(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => holds_let(&binary.left) || holds_let(&binary.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(item.sig.constness.is_some(), &item.sig.output, &item.block, item.span());
        self.constant += usize::from(item.sig.constness.is_some());
        visit::visit_item_fn(self, item);
        self.constant -= usize::from(item.sig.constness.is_some());
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(item.sig.constness.is_some(), &item.sig.output, &item.block, item.span());
        self.constant += usize::from(item.sig.constness.is_some());
        visit::visit_impl_item_fn(self, item);
        self.constant -= usize::from(item.sig.constness.is_some());
    }

    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}

    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}

    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}

    fn visit_type(&mut self, _: &'ast syn::Type) {}

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let start = position(binary.op.span().start());
        if self.constant == 0 && !holds_let(&binary.left) && !holds_let(&binary.right) {
            let left = &self.text[binary.left.span().byte_range()];
            let right = &self.text[binary.right.span().byte_range()];
            let mut before = "(".to_owned();
            let mut numbers = Vec::new();
            for (number, mutant) in self.at("BinaryOperator", start) {
                // A cast in front of `<` would be read as the beginning of a generic type.
                let changed = format!("({left}) {} {right}", mutant.replacement);
                before.push_str(&format!("if {} {{ {changed} }} else ", choice(number)));
                numbers.push(number);
            }
            before.push_str("{ ");
            if !numbers.is_empty() {
                let range = binary.span().byte_range();
                self.found.push(Numbered { numbers, range, before, after: " })".into() });
            }
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let start = position(unary.op.span().start());
        let numbers: Vec<usize> = self.at("UnaryOperator", start).map(|(number, _)| number).collect();
        if let (0, [number]) = (self.constant, &numbers[..]) {
            let inner = &self.text[unary.expr.span().byte_range()];
            let before = format!("(if {} {{ {inner} }} else {{ ", choice(*number));
            let range = unary.span().byte_range();
            self.found.push(Numbered { numbers, range, before, after: " })".into() });
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if self.constant == 0 {
            if let Some((_, guard)) = &arm.guard
                && !holds_let(guard)
            {
                let start = position(guard.span().start());
                let mut numbers = Vec::new();
                let mut before = "(".to_owned();
                for (number, mutant) in self.at("MatchArmGuard", start) {
                    before.push_str(&format!("if {} {{ {} }} else ", choice(number), mutant.replacement));
                    numbers.push(number);
                }
                before.push_str("{ ");
                if !numbers.is_empty() {
                    let range = guard.span().byte_range();
                    self.found.push(Numbered { numbers, range, before, after: " })".into() });
                }
            }
            let start = position(arm.span().start());
            let deleted: Vec<usize> = self.at("MatchArm", start).map(|(number, _)| number).collect();
            if let [number] = deleted[..] {
                match &arm.guard {
                    Some((_, guard)) if !holds_let(guard) => {
                        let range = guard.span().byte_range();
                        let before = format!("!{} && (", choice(number));
                        self.found.push(Numbered { numbers: deleted, range, before, after: ")".into() });
                    }
                    Some(_) => {}
                    None => {
                        let end = arm.pat.span().byte_range().end;
                        let before = format!(" if !{}", choice(number));
                        self.found.push(Numbered {
                            numbers: deleted,
                            range: end..end,
                            before,
                            after: String::new(),
                        });
                    }
                }
            }
        }
        visit::visit_arm(self, arm);
    }
}

#[cfg(test)]
mod tests {
    use super::super::insert;
    use super::*;

    fn place(text: &str, part: &str) -> Span {
        let at = text.find(part).expect("it is there");
        let position = |offset: usize| {
            let before = &text[..offset];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
            Location { line, column }
        };
        Span { start: position(at), end: position(at + part.len()) }
    }

    fn mutant(text: &str, genre: &str, part: &str, replacement: &str) -> Listed {
        Listed {
            name: format!("{part} -> {replacement}"),
            file: "a.rs".into(),
            genre: genre.into(),
            replacement: replacement.into(),
            span: place(text, part),
            function: Some(Function { span: place(text, text.trim()) }),
        }
    }

    #[test]
    fn every_kind_of_change_becomes_a_choice() {
        let text = "fn f(a: u8, b: u8) -> bool {\n    match a { 1 => !(a < b && b > 2), 2 if a == b => false, _ => true }\n}\n";
        let listed = [
            mutant(
                text,
                "FnValue",
                "match a { 1 => !(a < b && b > 2), 2 if a == b => false, _ => true }",
                "false",
            ),
            mutant(text, "BinaryOperator", "<", "=="),
            mutant(text, "BinaryOperator", "<", ">"),
            mutant(text, "BinaryOperator", "&&", "||"),
            mutant(text, "UnaryOperator", "!", ""),
            mutant(text, "MatchArmGuard", "a == b", "true"),
            mutant(text, "MatchArm", "1 => !(a < b && b > 2)", ""),
            mutant(text, "StructField", "2", ""),
        ];
        let generated =
            Generated::new(&listed, &BTreeSet::new(), 0, |_| Ok(text.into())).expect("it is Rust");
        assert_eq!((generated.taken.len(), &generated.left_out[..]), (7, &[7][..]));
        let new = &insert(text, generated.edits["a.rs"].clone()).expect("none overlap");
        for expected in [
            "{ if crate::mutants::on(0) { return false; } ",
            "(if crate::mutants::on(1) { (a) == b } else if crate::mutants::on(2) { (a) > b } else { a < b })",
            "(if crate::mutants::on(3) { (a < b) || b > 2 } else { ",
            "(if crate::mutants::on(4) { (a < b && b > 2) } else { !",
            "2 if (if crate::mutants::on(5) { true } else { a == b }) =>",
            "1 if !crate::mutants::on(6) =>",
        ] {
            assert!(new.contains(expected), "{expected}\nis not in\n{new}");
        }
        syn::parse_file(new).expect("what comes out is Rust");
    }

    #[test]
    fn what_cannot_be_a_choice_is_left_out() {
        let text = "const fn f(a: u8) -> bool { a < 1 }\nfn g(a: Option<u8>) -> bool { if let Some(b) = a && b > 1 { true } else { false } }\n";
        let listed = [mutant(text, "BinaryOperator", "<", ">"), mutant(text, "BinaryOperator", "&&", "||")];
        let generated =
            Generated::new(&listed, &BTreeSet::new(), 0, |_| Ok(text.into())).expect("it is Rust");
        assert_eq!(generated.left_out, [0, 1]);
        assert!(generated.edits["a.rs"].is_empty());
    }
}
