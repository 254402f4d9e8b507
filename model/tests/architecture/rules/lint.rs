//! Walks through a file and refuses each look at a rule that is no exhaustive `match`.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, ImplItem, Item, Pat, Type, UseTree};

use super::declared::Declared;
use super::macros::{self, Read};
use super::of_tests::{attributes, is_test};
use super::patterns::Ways;
use super::shown::last;
use super::vocabulary::{Vocabulary, flatten};

pub(super) const ANOTHER_NAME: &str = "a rule gets another name";
pub(super) const COMPARED: &str = "a rule is compared";
pub(super) const PROFILE_COMPARED: &str = "something is compared with a profile";
pub(super) const PROFILE_PATTERN: &str = "a profile is a pattern";
pub(super) const IN_MATCHES: &str = "a rule in `matches!`";
pub(super) const IN_LET: &str = "a rule in `if let`, `while let` or `let else`";
pub(super) const REST: &str = "a `match` on a rule with an arm for the rest";
pub(super) const NUMBER: &str = "a rule is made a number";
pub(super) const TEXT: &str = "a rule is compared with the name of a value";
pub(super) const UNREAD: &str = "a macro that is not plain Rust names a value of a rule";

/// Methods, and functions of the same names, that compare their values, or look them up.
const COMPARING: [&str; 18] = [
    "eq",
    "ne",
    "cmp",
    "partial_cmp",
    "lt",
    "le",
    "gt",
    "ge",
    "max",
    "min",
    "contains",
    "contains_key",
    "starts_with",
    "ends_with",
    "binary_search",
    "get",
    "remove",
    "discriminant",
];

/// Macros that compare their first two arguments.
const ASSERTIONS: [&str; 4] = ["assert_eq", "assert_ne", "debug_assert_eq", "debug_assert_ne"];

pub(super) struct Lint<'v> {
    pub words: &'v Vocabulary,
    /// Constants whose type is a rule.
    pub constants: &'v BTreeSet<String>,
    /// Fields of the file's own structures whose type is a rule: elsewhere the name may mean something else.
    pub fields: BTreeSet<String>,
    /// Variables in scope that hold a rule, by block.
    pub variables: Vec<BTreeSet<String>>,
    found: BTreeSet<(usize, &'static str)>,
}

/// Each place of a file that looks at a rule otherwise: its line, and the reason. The constants are those of all files.
pub(super) fn lint(
    words: &Vocabulary,
    constants: &BTreeSet<String>,
    file: &syn::File,
) -> Vec<(usize, &'static str)> {
    if is_test(&file.attrs) {
        return Vec::new();
    }
    let Declared { fields, constants: _ } = Declared::by(words, file);
    let mut lint = Lint { words, constants, fields, variables: Vec::new(), found: BTreeSet::new() };
    lint.visit_file(file);
    lint.found.into_iter().collect()
}

impl Lint<'_> {
    fn refuse(&mut self, at: &impl Spanned, why: &'static str) {
        self.found.insert((at.span().start().line, why));
    }

    /// All of these are compared with each other, at this place.
    fn compared<'e>(&mut self, at: &impl Spanned, parts: impl Iterator<Item = &'e Expr> + Clone) {
        if parts.clone().any(|part| self.shows_rule(part)) {
            self.refuse(at, COMPARED);
        }
        if parts.clone().any(|part| self.is_profile(part)) {
            self.refuse(at, PROFILE_COMPARED);
        }
    }

    fn arms(&mut self, arms: &[syn::Arm]) {
        for line in Ways::of(arms, &|pattern| self.is_value(pattern)).swallowed() {
            self.found.insert((line, REST));
        }
    }

    fn tokens(&mut self, tokens: &TokenStream) {
        match macros::read(tokens) {
            Read::Expressions(list) => list.iter().for_each(|part| self.visit_expr(part)),
            Read::Statements(list) => list.iter().for_each(|part| self.visit_stmt(part)),
            Read::Arms(list) => {
                self.arms(&list);
                list.iter().for_each(|arm| self.visit_arm(arm));
            }
            Read::Items(file) => self.visit_file(&file),
            Read::Tokens => {
                if self.words.names_value(tokens) {
                    self.refuse(tokens, UNREAD);
                }
            }
        }
    }

    /// A rule enum is imported under its own name only, and its values are not imported.
    fn import(&mut self, tree: &UseTree, before: Option<&syn::Ident>) {
        let of_rule = before.is_some_and(|name| self.words.enums.contains_key(&name.to_string()));
        match tree {
            UseTree::Path(path) => self.import(&path.tree, Some(&path.ident)),
            UseTree::Name(name) => {
                if of_rule && name.ident != "self" {
                    self.refuse(tree, ANOTHER_NAME);
                }
            }
            UseTree::Rename(rename) => {
                if of_rule || self.words.enums.contains_key(&rename.ident.to_string()) {
                    self.refuse(tree, ANOTHER_NAME);
                }
            }
            UseTree::Glob(_) => {
                if of_rule {
                    self.refuse(tree, ANOTHER_NAME);
                }
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before)),
        }
    }

    /// Variables that a pattern binds: whether they hold a rule from here on.
    fn bind(&mut self, pattern: &Pat, holds_rule: bool) {
        let (name, holds_rule) = match pattern {
            Pat::Ident(name) => (name.ident.to_string(), holds_rule),
            Pat::Type(typed) => return self.bind(&typed.pat, self.words.is_rule_type(&typed.ty)),
            Pat::Reference(inner) => return self.bind(&inner.pat, holds_rule),
            Pat::Paren(inner) => return self.bind(&inner.pat, holds_rule),
            _ => return,
        };
        if !holds_rule {
            self.variables.iter_mut().for_each(|block| {
                block.remove(&name);
            });
        } else if let Some(block) = self.variables.last_mut() {
            block.insert(name);
        }
    }

    fn parameters<'p>(&mut self, of: impl Iterator<Item = &'p syn::FnArg>) {
        for parameter in of {
            if let syn::FnArg::Typed(typed) = parameter {
                self.bind(&typed.pat, self.words.is_rule_type(&typed.ty));
            }
        }
    }

    /// Visits with variables that are forgotten afterwards.
    fn within(&mut self, visit: impl FnOnce(&mut Self)) {
        let outside = self.variables.clone();
        self.variables.push(BTreeSet::new());
        visit(self);
        self.variables = outside;
    }
}

impl<'ast> Visit<'ast> for Lint<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let of_test = match item {
            ImplItem::Fn(item) => is_test(&item.attrs),
            ImplItem::Const(item) => is_test(&item.attrs),
            ImplItem::Type(item) => is_test(&item.attrs),
            ImplItem::Macro(item) => is_test(&item.attrs),
            _ => false,
        };
        if !of_test {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        // `Self::BetterRank` and `*self` would be a rule under another name.
        if let Type::Path(of) = &*item.self_ty
            && self.words.enums.contains_key(&last(&of.path))
        {
            self.refuse(&item.self_ty, ANOTHER_NAME);
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, None);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        if self.words.is_rule_type(&item.ty) {
            self.refuse(item, ANOTHER_NAME);
        }
    }

    fn visit_impl_item_type(&mut self, item: &'ast syn::ImplItemType) {
        if self.words.is_rule_type(&item.ty) {
            self.refuse(item, ANOTHER_NAME);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.within(|lint| {
            lint.parameters(item.sig.inputs.iter());
            visit::visit_item_fn(lint, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.within(|lint| {
            lint.parameters(item.sig.inputs.iter());
            visit::visit_impl_item_fn(lint, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.within(|lint| {
            lint.parameters(item.sig.inputs.iter());
            visit::visit_trait_item_fn(lint, item);
        });
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.within(|lint| {
            closure.inputs.iter().for_each(|input| lint.bind(input, false));
            visit::visit_expr_closure(lint, closure);
        });
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.within(|lint| visit::visit_block(lint, block));
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if is_test(&local.attrs) {
            return;
        }
        visit::visit_local(self, local);
        let otherwise = local.init.as_ref().is_some_and(|init| init.diverge.is_some());
        if otherwise && self.has_value(&local.pat) {
            self.refuse(local, IN_LET);
        }
        let holds_rule = local.init.as_ref().is_some_and(|init| self.shows_rule(&init.expr));
        self.bind(&local.pat, holds_rule);
    }

    fn visit_expr_for_loop(&mut self, each: &'ast syn::ExprForLoop) {
        self.within(|lint| {
            let holds_rule = lint.shows_rule(&each.expr);
            lint.bind(&each.pat, holds_rule);
            visit::visit_expr_for_loop(lint, each);
        });
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        if matches!(
            binary.op,
            BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_)
        ) {
            self.compared(binary, [&*binary.left, &*binary.right].into_iter());
            if self.is_text(&binary.left) || self.is_text(&binary.right) {
                self.refuse(binary, TEXT);
            }
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if COMPARING.iter().any(|name| call.method == name) {
            // A place of a list of rules is asked for by its number.
            let of_list = call.method == "get" && !call.args.iter().any(|part| self.shows_rule(part));
            if !of_list {
                self.compared(call, call.args.iter().chain([&*call.receiver]));
            }
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(function) = &*call.func
            && COMPARING.contains(&&*last(&function.path))
        {
            self.compared(call, call.args.iter());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_cast(&mut self, cast: &'ast syn::ExprCast) {
        if self.shows_rule(&cast.expr) {
            self.refuse(cast, NUMBER);
        }
        visit::visit_expr_cast(self, cast);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = last(&call.path);
        if name == "macro_rules" {
            macros::bodies(&call.tokens).iter().for_each(|body| self.tokens(body));
            return;
        }
        if name.contains("matches") {
            let mut flat = Vec::new();
            flatten(call.tokens.clone(), &mut flat);
            let is_value = |token: &String| {
                self.constants.contains(token)
                    || syn::parse_str(token).is_ok_and(|literal| self.words.is_text(&literal))
            };
            if self.words.names_value(&call.tokens) || flat.iter().any(is_value) {
                self.refuse(call, IN_MATCHES);
            }
            if flat.iter().any(|name| self.words.profiles.contains(name)) {
                self.refuse(call, PROFILE_PATTERN);
            }
        }
        if ASSERTIONS.contains(&&*name)
            && let Read::Expressions(list) = macros::read(&call.tokens)
        {
            self.compared(call, list.iter().take(2));
        }
        self.tokens(&call.tokens);
    }

    fn visit_expr_let(&mut self, expression: &'ast syn::ExprLet) {
        if self.has_value(&expression.pat) {
            self.refuse(expression, IN_LET);
        }
        visit::visit_expr_let(self, expression);
    }

    fn visit_pat(&mut self, pattern: &'ast Pat) {
        let name = match pattern {
            Pat::Path(path) => last(&path.path),
            Pat::Ident(name) => name.ident.to_string(),
            _ => String::new(),
        };
        if self.words.profiles.contains(&name) {
            self.refuse(pattern, PROFILE_PATTERN);
        }
        visit::visit_pat(self, pattern);
    }

    fn visit_expr_match(&mut self, choice: &'ast syn::ExprMatch) {
        self.arms(&choice.arms);
        visit::visit_expr_match(self, choice);
    }
}
