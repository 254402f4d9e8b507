//! Outside the vocabulary a value of a rule is looked at by an exhaustive `match` only. So a new value does not compile until
//! every place has decided what it means there. Refused: `==` and `!=`, `matches!`, `if let` and `let else`, and a `match`
//! that also has `_` or a name for the rest. Nor is anything compared with a whole profile: what is so under `deployed` is so
//! because of one of its rules, and would be gone under `deployed` with another rule changed.
//!
//! A test may compare rules: what it asserts does not decide what the protocol does.

use std::fmt::Write;

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Arm, Attribute, BinOp, Expr, Pat, spanned::Spanned};

/// The enums of `model/protocol/src/rules.rs`.
fn enums() -> Vec<String> {
    let source = include_str!("../../protocol/src/rules.rs");
    let file = syn::parse_file(source).expect("the vocabulary is Rust");
    let names = file.items.iter().filter_map(|item| match item {
        syn::Item::Enum(item) => Some(item.ident.to_string()),
        _ => None,
    });
    names.collect()
}

/// The profiles: the constants of `Rules`.
fn profiles() -> Vec<String> {
    let source = include_str!("../../protocol/src/rules.rs");
    let file = syn::parse_file(source).expect("the vocabulary is Rust");
    let of_rules = file.items.iter().filter_map(|item| match item {
        syn::Item::Impl(item) if item.self_ty.to_token_stream().to_string() == "Rules" => Some(&item.items),
        _ => None,
    });
    let constants = of_rules.flatten().filter_map(|item| match item {
        syn::ImplItem::Const(item) if item.ty.to_token_stream().to_string() == "Rules" => {
            Some(item.ident.to_string())
        }
        _ => None,
    });
    constants.collect()
}

/// The fields of `Rules`.
fn fields() -> Vec<String> {
    let source = include_str!("../../protocol/src/rules.rs");
    let file = syn::parse_file(source).expect("the vocabulary is Rust");
    let rules = file.items.iter().find_map(|item| match item {
        syn::Item::Struct(item) if item.ident == "Rules" => Some(item),
        _ => None,
    });
    let fields = rules.expect("the struct `Rules`").fields.iter().filter_map(|field| field.ident.as_ref());
    fields.map(ToString::to_string).collect()
}

struct Lint {
    enums: Vec<String>,
    fields: Vec<String>,
    profiles: Vec<String>,
    found: Vec<(usize, &'static str)>,
}

impl Lint {
    fn new() -> Self {
        Lint { enums: enums(), fields: fields(), profiles: profiles(), found: Vec::new() }
    }

    /// Whether these tokens name a value of a rule: `FinalityRule::Votes`, `model::TicketRule::BetterRank`.
    fn names_value(&self, tokens: &impl ToTokens) -> bool {
        let kept = |c: char| if c.is_alphanumeric() || c == '_' || c == ':' { c } else { ' ' };
        let text: String = tokens.to_token_stream().to_string().chars().map(kept).collect();
        let words: Vec<&str> = text.split_whitespace().collect();
        words.windows(2).any(|pair| pair[1] == "::" && self.enums.iter().any(|name| name == pair[0]))
    }

    /// Whether it is a field of rules: `self.rules.beacon`, `with.ticket`.
    fn is_rule(&self, expression: &Expr) -> bool {
        let Expr::Field(field) = expression else { return false };
        let syn::Member::Named(name) = &field.member else { return false };
        let of = field.base.to_token_stream().to_string();
        let last = of.rsplit(['.', ' ']).next().unwrap_or_default();
        self.fields.iter().any(|known| name == known)
            && ["rules", "with", "without", "base", "r"].contains(&last)
    }

    /// Whether it is a profile: `Rules::DEPLOYED`, `&HARDENED`.
    fn is_profile(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Path(path) => path
                .path
                .segments
                .last()
                .is_some_and(|last| self.profiles.iter().any(|name| last.ident == name)),
            Expr::Reference(inner) => self.is_profile(&inner.expr),
            Expr::Unary(inner) => self.is_profile(&inner.expr),
            Expr::Paren(inner) => self.is_profile(&inner.expr),
            _ => false,
        }
    }

    fn refuse(&mut self, at: &impl Spanned, why: &'static str) {
        self.found.push((at.span().start().line, why));
    }
}

/// Whether a pattern takes everything: `_`, or a name.
fn takes_the_rest(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(name) => {
            name.subpat.is_none() && name.ident.to_string().starts_with(|c: char| c.is_lowercase())
        }
        Pat::Or(either) => either.cases.iter().any(takes_the_rest),
        Pat::Paren(inner) => takes_the_rest(&inner.pat),
        Pat::Reference(inner) => takes_the_rest(&inner.pat),
        _ => false,
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.meta.to_token_stream().to_string();
        text == "test" || text.starts_with("cfg") && text.contains("test")
    })
}

impl<'ast> Visit<'ast> for Lint {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let compares = matches!(binary.op, BinOp::Eq(_) | BinOp::Ne(_));
        let side = |side: &Expr| matches!(side, Expr::Path(_) | Expr::Struct(_)) && self.names_value(side);
        if compares
            && (side(&binary.left)
                || side(&binary.right)
                || self.is_rule(&binary.left)
                || self.is_rule(&binary.right))
        {
            self.refuse(binary, "a rule is compared");
        }
        if compares && (self.is_profile(&binary.left) || self.is_profile(&binary.right)) {
            self.refuse(binary, "something is compared with a profile");
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if call.path.is_ident("matches") && self.names_value(&call.tokens) {
            self.refuse(call, "a rule in `matches!`");
        }
        // Macros that take expressions hold comparisons, too.
        if let Ok(arguments) =
            call.parse_body_with(syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated)
        {
            for argument in &arguments {
                // `self` would borrow twice: the arguments live as long as this call.
                let mut inner = Lint {
                    enums: self.enums.clone(),
                    fields: self.fields.clone(),
                    profiles: self.profiles.clone(),
                    found: Vec::new(),
                };
                inner.visit_expr(argument);
                self.found.extend(inner.found);
            }
        }
    }

    fn visit_expr_let(&mut self, expression: &'ast syn::ExprLet) {
        if self.names_value(&expression.pat) {
            self.refuse(expression, "a rule in `if let`");
        }
        visit::visit_expr_let(self, expression);
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        let otherwise = local.init.as_ref().is_some_and(|init| init.diverge.is_some());
        if otherwise && self.names_value(&local.pat) {
            self.refuse(local, "a rule in `let else`");
        }
        visit::visit_local(self, local);
    }

    fn visit_pat(&mut self, pattern: &'ast Pat) {
        if let Pat::Path(path) = pattern
            && path
                .path
                .segments
                .last()
                .is_some_and(|last| self.profiles.iter().any(|name| last.ident == name))
        {
            self.refuse(pattern, "a profile is a pattern");
        }
        visit::visit_pat(self, pattern);
    }

    fn visit_expr_match(&mut self, choice: &'ast syn::ExprMatch) {
        // A tuple of rules needs no wildcard either, but may have one for its other parts.
        let names = |arm: &Arm| self.names_value(&arm.pat);
        // An arm with a guard takes no rest.
        let rest = choice.arms.iter().find(|arm| arm.guard.is_none() && takes_the_rest(&arm.pat));
        if let Some(rest) = rest
            && choice.arms.iter().any(names)
        {
            self.refuse(&rest.pat, "a `match` on a rule with an arm for the rest");
        }
        visit::visit_expr_match(self, choice);
    }
}

fn lint(source: &str) -> Vec<(usize, &'static str)> {
    let mut lint = Lint::new();
    lint.visit_file(&syn::parse_file(source).expect("it is Rust"));
    lint.found
}

#[test]
fn rules_are_looked_at_exhaustively() {
    let root = super::root();
    let (mut wrong, mut matches) = (String::new(), 0);
    for path in super::sources(&root) {
        let inside = path.strip_prefix(&root).unwrap_or(&path);
        let shown = inside.display().to_string().replace('\\', "/");
        if shown.starts_with("model/protocol/") || shown.contains("/tests/") || shown.ends_with("/tests.rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap_or_default();
        matches += source.matches("Rule::").count();
        for (line, why) in lint(&source) {
            writeln!(wrong, "{shown}:{line}: {why}: write an exhaustive match")
                .expect("a string can be written to");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(matches > 100, "{matches} mentions of a rule: were they looked for?");
}

/// The control: each way round the rule is seen, and what is fine is not.
#[test]
fn every_way_to_look_at_a_rule_otherwise_is_refused() {
    for (wrong, why) in [
        ("fn f(r: T) -> bool { r.beacon == BeaconRule::Chained }", "a rule is compared"),
        ("fn f(r: T) -> bool { BeaconRule::Chained != r }", "a rule is compared"),
        ("fn f(r: T) -> bool { r == Rules::DEPLOYED }", "something is compared with a profile"),
        ("fn f(r: &T) -> bool { &rules::Rules::HARDENED != r }", "something is compared with a profile"),
        ("fn f(r: &T) -> bool { *r == DOCUMENTED }", "something is compared with a profile"),
        ("fn f(r: T) -> u8 { match r { Rules::DEPLOYED => 0, _ => 1 } }", "a profile is a pattern"),
        ("fn f(a: T, b: T) -> bool { a.rules.ticket == b }", "a rule is compared"),
        ("fn f(a: T) { assert!(a == rules::TicketRule::BetterRank); }", "a rule is compared"),
        ("fn f(r: T) -> bool { matches!(r, FinalityRule::Votes) }", "a rule in `matches!`"),
        (
            "fn f(r: T) { if let FinalityRule::CommonAncestor { depth } = r { g(depth) } }",
            "a rule in `if let`",
        ),
        (
            "fn f(r: T) { let FinalityRule::CommonAncestor { depth } = r else { return }; g(depth) }",
            "a rule in `let else`",
        ),
        (
            "fn f(r: T) -> u8 { match r { EchoRule::None => 0, _ => 1 } }",
            "a `match` on a rule with an arm for the rest",
        ),
        (
            "fn f(r: T) -> T { match r { EchoRule::None => g(), other => other } }",
            "a `match` on a rule with an arm for the rest",
        ),
        (
            "fn f(r: T) -> u8 { match r { Some(QuorumRule::Percent66) => 0, Some(_) | _ => 1 } }",
            "a `match` on a rule with an arm for the rest",
        ),
    ] {
        assert_eq!(lint(wrong), [(1, why)], "{wrong}");
    }
    for fine in [
        "fn f(r: T) -> u8 { match r { EchoRule::None => 0, EchoRule::Certificates => 1 } }",
        "fn f(r: T) -> T { match r { EchoRule::None => g(), other @ EchoRule::Certificates => other } }",
        "fn f(a: T, b: T) -> bool { a.rules == b.rules && a.votes == b }",
        "#[cfg(test)] mod tests { fn f(r: T) -> bool { r == BeaconRule::Chained } }",
        "fn f() -> Rules { Rules { beacon: BeaconRule::Chained, ..Rules::HARDENED } }",
        "fn f(r: T) -> u8 { match r { _ if broken() => 2, EchoRule::None => 0, EchoRule::Certificates => 1 } }",
        "fn f(x: u8) -> u8 { match x { 0 => g(EchoRule::None), _ => 1 } }",
    ] {
        assert_eq!(lint(fine), [], "{fine}");
    }
}
