//! The names that `model/protocol/src/rules.rs` defines, and those of the rules of epochs (`rules.rs` in `model/epochs`).

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Item, Type};

/// The rules, as the vocabulary defines them.
pub(super) struct Vocabulary {
    /// Each rule enum with its values: `TicketRule` with `BetterRank` and the others.
    pub enums: BTreeMap<String, BTreeSet<String>>,
    /// The fields of `Rules`: `ticket`, `quorum` and the others.
    pub fields: BTreeSet<String>,
    /// The profiles, which are constants of `Rules`: `DEPLOYED` and the others.
    pub profiles: BTreeSet<String>,
}

impl Vocabulary {
    pub fn read() -> Self {
        let source = include_str!("../../../protocol/src/rules.rs");
        let file = syn::parse_file(source).expect("the vocabulary is Rust");
        let mut words =
            Vocabulary { enums: BTreeMap::new(), fields: BTreeSet::new(), profiles: BTreeSet::new() };
        for item in &file.items {
            match item {
                Item::Enum(item) => {
                    let values = item.variants.iter().map(|variant| variant.ident.to_string());
                    words.enums.insert(item.ident.to_string(), values.collect());
                }
                Item::Struct(item) if item.ident == "Rules" => {
                    let names = item.fields.iter().filter_map(|field| field.ident.as_ref());
                    words.fields.extend(names.map(ToString::to_string));
                }
                Item::Impl(item) if item.self_ty.to_token_stream().to_string() == "Rules" => {
                    words.profiles.extend(item.items.iter().filter_map(|item| match item {
                        syn::ImplItem::Const(item) if item.ty.to_token_stream().to_string() == "Rules" => {
                            Some(item.ident.to_string())
                        }
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
        let epochs = super::super::root().join("model/epochs/src");
        for path in super::super::sources(&epochs).iter().filter(|path| path.ends_with("rules.rs")) {
            let text =
                std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            words.read_macro(&syn::parse_file(&text).expect("rules are Rust"));
        }
        words
    }

    /// Reads the rules that a macro declares: `field: NameRule { Value, Value { number: 0 }, .. }`, with documents.
    fn read_macro(&mut self, file: &syn::File) {
        let calls = file.items.iter().filter_map(|item| match item {
            Item::Macro(item) if item.ident.is_none() => Some(item.mac.tokens.clone()),
            _ => None,
        });
        for call in calls {
            let tokens: Vec<TokenTree> = call.into_iter().collect();
            for four in tokens.windows(4) {
                let [
                    TokenTree::Ident(field),
                    TokenTree::Punct(_),
                    TokenTree::Ident(rule),
                    TokenTree::Group(of),
                ] = four
                else {
                    continue;
                };
                // Documents and numbers stand in brackets of their own, so each bare name is a value.
                let values: Vec<TokenTree> = of.stream().into_iter().collect();
                let names = values.iter().filter_map(|token| match token {
                    TokenTree::Ident(name) => Some(name.to_string()),
                    TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
                });
                self.fields.insert(field.to_string());
                self.enums.insert(rule.to_string(), names.collect());
            }
        }
    }

    /// Whether the tokens name a value of a rule: `FinalityRule::Votes`, `rules::TicketRule::BetterRank`,
    /// `<EchoRule>::None`, and in a macro `TicketRule::$value`.
    pub fn names_value(&self, tokens: &impl ToTokens) -> bool {
        let mut flat = Vec::new();
        flatten(tokens.to_token_stream(), &mut flat);
        flat.retain(|token| token != ">");
        flat.windows(4).any(|four| {
            four[1] == ":"
                && four[2] == ":"
                && self
                    .enums
                    .get(&four[0])
                    .is_some_and(|values| values.contains(&four[3]) || four[3].starts_with(OF_A_MACRO))
        })
    }

    /// Whether it is the text of a value: `"BetterRank"`. `"None"` is also that of much else.
    pub fn is_text(&self, literal: &syn::Lit) -> bool {
        let syn::Lit::Str(text) = literal else { return false };
        text.value() != "None" && self.enums.values().any(|values| values.contains(&text.value()))
    }

    /// Whether a type is a rule enum, or holds one: `&TicketRule`, `Option<TicketRule>`.
    pub fn is_rule_type(&self, of: &Type) -> bool {
        match of {
            Type::Path(path) => path.path.segments.last().is_some_and(|last| {
                let inside = match &last.arguments {
                    syn::PathArguments::AngleBracketed(list) => list.args.iter().any(|argument| {
                        matches!(argument, syn::GenericArgument::Type(inner) if self.is_rule_type(inner))
                    }),
                    syn::PathArguments::None | syn::PathArguments::Parenthesized(_) => false,
                };
                self.enums.contains_key(&last.ident.to_string()) || inside
            }),
            Type::Reference(inner) => self.is_rule_type(&inner.elem),
            Type::Paren(inner) => self.is_rule_type(&inner.elem),
            Type::Group(inner) => self.is_rule_type(&inner.elem),
            Type::Slice(inner) => self.is_rule_type(&inner.elem),
            Type::Array(inner) => self.is_rule_type(&inner.elem),
            Type::Tuple(parts) => parts.elems.iter().any(|part| self.is_rule_type(part)),
            _ => false,
        }
    }
}

/// `$name` of a macro is read as one identifier that begins so.
pub(super) const OF_A_MACRO: &str = "OfMacro";

/// All tokens in a row, without the brackets.
pub(in crate::architecture) fn flatten(tokens: TokenStream, flat: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => flatten(group.stream(), flat),
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => flat.push(token.to_string()),
        }
    }
}
