//! Expressions and patterns that are a rule, or that have one among their parts.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat, Stmt};

use super::lint::Lint;
use super::macros::{self, Read};
use super::vocabulary::flatten;

/// Methods whose result is a rule, or shows one, if that is so of the value that they are called on.
const SHOWING: [&str; 19] = [
    "clone",
    "cloned",
    "copied",
    "to_owned",
    "borrow",
    "as_ref",
    "as_slice",
    "as_str",
    "into",
    "iter",
    "into_iter",
    "unwrap",
    "expect",
    "first",
    "last",
    "get",
    "to_string",
    "deref",
    "unwrap_or_default",
];

/// Names of variables that hold rules: a field of theirs that is called like a rule is one.
const HOLDERS: [&str; 5] = ["rules", "with", "without", "base", "r"];

pub(super) fn last(path: &syn::Path) -> String {
    path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default()
}

impl Lint<'_> {
    fn is_variable(&self, name: &str) -> bool {
        self.constants.contains(name) || self.variables.iter().rev().any(|block| block.contains(name))
    }

    /// Whether an expression is a rule, or has one among its parts: `&r.ticket`, `Some(TicketRule::BetterRank)`,
    /// `TicketRule::ALL[0]`. A call of a function that is given a rule is none: its result is something else.
    pub fn shows_rule(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Path(path) => {
                let names_all = || {
                    let mut flat = Vec::new();
                    flatten(path.to_token_stream(), &mut flat);
                    flat.last().is_some_and(|last| last == "ALL")
                        && flat.iter().any(|name| self.words.enums.contains_key(name))
                };
                let name = last(&path.path);
                let is_name = path.path.segments.len() == 1 || name.starts_with(char::is_uppercase);
                self.words.names_value(path) || names_all() || is_name && self.is_variable(&name)
            }
            Expr::Struct(of) => {
                self.words.names_value(&of.path) || of.fields.iter().any(|field| self.shows_rule(&field.expr))
            }
            Expr::Field(_) => self.is_rule(expression),
            Expr::Reference(inner) => self.shows_rule(&inner.expr),
            Expr::Unary(inner) => self.shows_rule(&inner.expr),
            Expr::Paren(inner) => self.shows_rule(&inner.expr),
            Expr::Group(inner) => self.shows_rule(&inner.expr),
            Expr::Try(inner) => self.shows_rule(&inner.expr),
            Expr::Index(inner) => self.shows_rule(&inner.expr),
            Expr::Repeat(inner) => self.shows_rule(&inner.expr),
            Expr::Array(parts) => parts.elems.iter().any(|part| self.shows_rule(part)),
            Expr::Tuple(parts) => parts.elems.iter().any(|part| self.shows_rule(part)),
            Expr::Block(inner) => self.ends_with_rule(&inner.block),
            Expr::If(either) => {
                self.ends_with_rule(&either.then_branch)
                    || either.else_branch.as_ref().is_some_and(|(_, other)| self.shows_rule(other))
            }
            Expr::Call(call) => {
                let constructs = match &*call.func {
                    Expr::Path(path) => {
                        let name = last(&path.path);
                        name.starts_with(char::is_uppercase)
                            || ["new", "from", "discriminant"].contains(&&*name)
                    }
                    _ => false,
                };
                constructs && call.args.iter().any(|part| self.shows_rule(part))
            }
            Expr::MethodCall(call) => {
                SHOWING.iter().any(|name| call.method == name) && self.shows_rule(&call.receiver)
            }
            Expr::Macro(call) if ["vec", "format"].contains(&&*last(&call.mac.path)) => {
                match macros::read(&call.mac.tokens) {
                    Read::Expressions(list) => list.iter().any(|part| self.shows_rule(part)),
                    Read::Statements(_) | Read::Arms(_) | Read::Items(_) | Read::Tokens => false,
                }
            }
            _ => false,
        }
    }

    fn ends_with_rule(&self, block: &Block) -> bool {
        matches!(block.stmts.last(), Some(Stmt::Expr(end, None)) if self.shows_rule(end))
    }

    /// Whether it is the text of a value, or has it among its parts: `"BetterRank"`, `Some("BetterRank")`.
    pub fn is_text(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Lit(text) => self.words.is_text(&text.lit),
            Expr::Reference(inner) => self.is_text(&inner.expr),
            Expr::Paren(inner) => self.is_text(&inner.expr),
            Expr::Tuple(parts) => parts.elems.iter().any(|part| self.is_text(part)),
            Expr::Call(call) => {
                matches!(&*call.func, Expr::Path(path) if last(&path.path).starts_with(char::is_uppercase))
                    && call.args.iter().any(|part| self.is_text(part))
            }
            _ => false,
        }
    }

    /// Whether it is a field of rules: `self.rules.beacon`, `with.ticket`, `Rules::DEPLOYED.quorum`, `x.rules().echo`; or
    /// another field whose type is a rule.
    fn is_rule(&self, expression: &Expr) -> bool {
        let Expr::Field(field) = expression else { return false };
        let syn::Member::Named(name) = &field.member else { return false };
        let mut flat = Vec::new();
        flatten(field.base.to_token_stream(), &mut flat);
        let holder = flat.last().is_some_and(|last| {
            HOLDERS.contains(&&**last) || self.words.profiles.contains(last) || last == "Rules"
        });
        let name = name.to_string();
        self.fields.contains(&name) || holder && self.words.fields.contains(&name)
    }

    /// Whether it is a profile, or has one among its parts: `Rules::DEPLOYED`, `Some(&HARDENED)`.
    pub fn is_profile(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Path(path) => {
                let name = last(&path.path);
                name == "PROFILES" || self.words.profiles.contains(&name)
            }
            // Of `PROFILES`, not a rule of a profile.
            Expr::Field(field) => {
                matches!(field.member, syn::Member::Unnamed(_)) && self.is_profile(&field.base)
            }
            Expr::Reference(inner) => self.is_profile(&inner.expr),
            Expr::Unary(inner) => self.is_profile(&inner.expr),
            Expr::Paren(inner) => self.is_profile(&inner.expr),
            Expr::Index(inner) => self.is_profile(&inner.expr),
            Expr::Array(parts) => parts.elems.iter().any(|part| self.is_profile(part)),
            Expr::Tuple(parts) => parts.elems.iter().any(|part| self.is_profile(part)),
            Expr::Call(call) => {
                matches!(&*call.func, Expr::Path(path) if last(&path.path).starts_with(char::is_uppercase))
                    && call.args.iter().any(|part| self.is_profile(part))
            }
            _ => false,
        }
    }

    /// Whether this pattern is a value of a rule, and nothing around it.
    pub fn is_value(&self, pattern: &Pat) -> bool {
        match pattern {
            Pat::Path(path) => self.words.names_value(path) || self.constants.contains(&last(&path.path)),
            Pat::Struct(of) => self.words.names_value(&of.path),
            Pat::TupleStruct(of) => self.words.names_value(&of.path),
            Pat::Ident(name) => name.subpat.is_none() && self.constants.contains(&name.ident.to_string()),
            Pat::Macro(call) => self.words.names_value(&call.mac.tokens),
            Pat::Lit(text) => self.words.is_text(&text.lit),
            _ => false,
        }
    }

    /// Whether a pattern is a value of a rule, or has one among its parts.
    pub fn has_value(&self, pattern: &Pat) -> bool {
        struct Search<'l, 'v>(&'l Lint<'v>, bool);
        impl<'ast> Visit<'ast> for Search<'_, '_> {
            fn visit_pat(&mut self, pattern: &'ast Pat) {
                self.1 |= self.0.is_value(pattern);
                visit::visit_pat(self, pattern);
            }
        }
        let mut search = Search(self, self.words.names_value(pattern));
        search.visit_pat(pattern);
        search.1
    }
}
