//! The input of a macro, and its body, are read as Rust where they are Rust.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Arm, Block, Expr, File, Stmt, Token};

use super::vocabulary::OF_A_MACRO;

/// The tokens of a macro, as they could be read.
pub(super) enum Read {
    Expressions(Vec<Expr>),
    Statements(Vec<Stmt>),
    Arms(Vec<Arm>),
    Items(File),
    /// None of these.
    Tokens,
}

pub(super) fn read(tokens: &TokenStream) -> Read {
    let expressions = Punctuated::<Expr, Token![,]>::parse_terminated;
    if let Ok(list) = expressions.parse2(tokens.clone()) {
        return Read::Expressions(list.into_iter().collect());
    }
    if let Ok(statements) = Block::parse_within.parse2(tokens.clone()) {
        return Read::Statements(statements);
    }
    let arms = |input: syn::parse::ParseStream<'_>| {
        let mut arms = Vec::new();
        while !input.is_empty() {
            arms.push(input.parse::<Arm>()?);
        }
        Ok(arms)
    };
    if let Ok(arms) = arms.parse2(tokens.clone()) {
        return Read::Arms(arms);
    }
    match syn::parse2::<File>(tokens.clone()) {
        Ok(file) => Read::Items(file),
        Err(_) => Read::Tokens,
    }
}

/// The bodies of a `macro_rules!`, each without its brackets, `$name` and `$( .. )*`.
pub(super) fn bodies(definition: &TokenStream) -> Vec<TokenStream> {
    let tokens: Vec<TokenTree> = definition.clone().into_iter().collect();
    let bodies = tokens.windows(3).filter_map(|three| match three {
        [TokenTree::Punct(equals), TokenTree::Punct(greater), TokenTree::Group(body)]
            if equals.as_char() == '=' && greater.as_char() == '>' =>
        {
            Some(plain(body.stream()))
        }
        _ => None,
    });
    bodies.collect()
}

/// Without the marks of a macro: `$name` is an identifier, and `$( .. ),*` is its inside, once.
fn plain(tokens: TokenStream) -> TokenStream {
    let mut plainly = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '$' => match tokens.next() {
                Some(TokenTree::Ident(name)) if name == "crate" => plainly.push(TokenTree::Ident(name)),
                Some(TokenTree::Ident(name)) => {
                    plainly.push(Ident::new(&format!("{OF_A_MACRO}{name}"), name.span()).into());
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
                    plainly.extend(plain(group.stream()));
                    // The separator, of at most two signs, and the sign of repetition.
                    for _ in 0..3 {
                        if let Some(TokenTree::Punct(sign)) = tokens.next()
                            && ['*', '+', '?'].contains(&sign.as_char())
                        {
                            break;
                        }
                    }
                }
                other => plainly.extend(other),
            },
            TokenTree::Group(group) => {
                let mut inside = proc_macro2::Group::new(group.delimiter(), plain(group.stream()));
                inside.set_span(group.span());
                plainly.push(inside.into());
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => plainly.push(token),
        }
    }
    plainly.into_iter().collect()
}
