//! Code that is compiled for tests only.

use syn::{Attribute, Item, Token};

/// Whether an item is compiled for tests only: it has `#[test]`, or a `#[cfg(..)]` that is false without `test`.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Meta>().is_ok_and(|of| without_test(&of) == Some(false))
    })
}

/// The value of a condition if `test` is not set, where it does not depend on others.
fn without_test(condition: &syn::Meta) -> Option<bool> {
    let parts = || -> Vec<Option<bool>> {
        let list = condition.require_list().ok().and_then(|list| {
            list.parse_args_with(syn::punctuated::Punctuated::<syn::Meta, Token![,]>::parse_terminated).ok()
        });
        list.map_or(vec![None], |list| list.iter().map(without_test).collect())
    };
    let path = condition.path();
    if path.is_ident("test") {
        Some(false)
    } else if path.is_ident("not") {
        parts()[0].map(|value| !value)
    } else if path.is_ident("all") {
        let parts = parts();
        let all_true = parts.iter().all(|part| *part == Some(true));
        if parts.contains(&Some(false)) { Some(false) } else { all_true.then_some(true) }
    } else if path.is_ident("any") {
        let parts = parts();
        let all_false = parts.iter().all(|part| *part == Some(false));
        if parts.contains(&Some(true)) { Some(true) } else { all_false.then_some(false) }
    } else {
        None
    }
}

/// The attributes of an item.
pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
