//! Where a row of the table is in the text of the production crate.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::Change;

/// A part of a file that a row names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Site {
    /// Where a function begins.
    Start(usize),
    /// An expression inside another one.
    Expression(Range<usize>),
    /// Some statements of a block, the last of which may be its value. Whether they name something for those that follow.
    Statements(Range<usize>, bool),
}

/// The one site of a change.
///
/// # Errors
/// When there is none, or more than one: in words.
pub fn site(text: &str, parsed: &syn::File, change: &Change) -> Result<Site, String> {
    let mut items = Items { wanted: &change.item, path: Vec::new(), found: Vec::new() };
    items.visit_file(parsed);
    let [body] = items.found[..] else {
        return Err(format!("{} functions are called {}, not one", items.found.len(), change.item));
    };
    let Some(from) = &change.from else { return Ok(Site::Start(body.span().byte_range().start + 1)) };
    let mut matches = Matches { text, wanted: tokens(from), found: BTreeMap::new() };
    matches.visit_block(body);
    let mut found = matches.found.into_values();
    match (found.next(), found.len()) {
        (Some(site), 0) => Ok(site),
        (first, more) => Err(format!(
            "{} has {} places that are `{from}`, not one",
            change.item,
            more + usize::from(first.is_some())
        )),
    }
}

/// A text without its layout and its comments.
fn tokens(text: &str) -> String {
    proc_macro2::TokenStream::from_str(text).map_or_else(|_| text.to_owned(), |stream| stream.to_string())
}

/// Looks for the bodies of the functions with one name.
struct Items<'a, 'ast> {
    wanted: &'a str,
    path: Vec<String>,
    found: Vec<&'ast syn::Block>,
}

impl<'ast> Items<'_, 'ast> {
    fn inside(&mut self, name: String, body: Option<&'ast syn::Block>, go_on: impl FnOnce(&mut Self)) {
        self.path.push(name);
        if self.path.join("::") == self.wanted {
            self.found.extend(body);
        }
        go_on(self);
        self.path.pop();
    }
}

fn last_name(path: &syn::Path) -> String {
    path.segments.last().map_or_else(String::new, |segment| segment.ident.to_string())
}

impl<'ast> Visit<'ast> for Items<'_, 'ast> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let name = item.sig.ident.to_string();
        self.inside(name, Some(&item.block), |items| visit::visit_item_fn(items, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let name = item.sig.ident.to_string();
        self.inside(name, Some(&item.block), |items| visit::visit_impl_item_fn(items, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.inside(item.ident.to_string(), None, |items| visit::visit_item_mod(items, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let own = match &*item.self_ty {
            syn::Type::Path(path) => last_name(&path.path),
            _ => String::new(),
        };
        let name = match &item.trait_ {
            Some((_, path, _)) => format!("<{own} as {}>", last_name(path)),
            None => own,
        };
        self.inside(name, None, |items| visit::visit_item_impl(items, item));
    }
}

/// Looks for the places that have one text.
struct Matches<'a> {
    text: &'a str,
    wanted: String,
    found: BTreeMap<(usize, usize), Site>,
}

impl Matches<'_> {
    fn is_wanted(&self, range: &Range<usize>) -> bool {
        // Without layout a text is no longer than with it.
        let letters = self.wanted.bytes().filter(|byte| *byte != b' ').count();
        range.len() >= letters && tokens(&self.text[range.clone()]) == self.wanted
    }
}

impl<'ast> Visit<'ast> for Matches<'_> {
    fn visit_block(&mut self, block: &'ast syn::Block) {
        for first in 0..block.stmts.len() {
            let start = block.stmts[first].span().byte_range().start;
            for last in first..block.stmts.len() {
                let range = start..block.stmts[last].span().byte_range().end;
                if self.is_wanted(&range) {
                    let names = |statement| matches!(statement, &syn::Stmt::Local(_) | &syn::Stmt::Item(_));
                    let site = Site::Statements(range.clone(), block.stmts[first..=last].iter().any(names));
                    self.found.insert((range.start, range.end), site);
                }
            }
        }
        visit::visit_block(self, block);
    }

    fn visit_expr(&mut self, expression: &'ast syn::Expr) {
        let range = expression.span().byte_range();
        if self.is_wanted(&range) {
            self.found.entry((range.start, range.end)).or_insert(Site::Expression(range));
        }
        visit::visit_expr(self, expression);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
impl Pool {
    fn take(&mut self, a: u8) -> bool {
        // A comment.
        let twice = a + a;
        self.push(twice);
        self.push(a /* again */ );
        if a < 3 && twice > 2 { self.push(a + 1) }
        a < 3 || self.full(a + 1)
    }
}
impl Drop for Pool { fn drop(&mut self) { drop(0) } }
fn take() { 7 }
mod inner { fn take() { 8 } }
";

    fn found(item: &str, from: Option<&str>) -> Result<String, String> {
        let change = Change {
            file: "a.rs".into(),
            item: item.into(),
            from: from.map(str::to_owned),
            to: None,
            first: None,
        };
        let parsed = syn::parse_file(TEXT).expect("Rust");
        Ok(match site(TEXT, &parsed, &change)? {
            Site::Start(at) => format!("start {}", TEXT[at..].split_whitespace().next().unwrap_or_default()),
            Site::Expression(range) => format!("expression {}", &TEXT[range]),
            Site::Statements(range, names) => format!("statements {} {names}", &TEXT[range]),
        })
    }

    #[test]
    fn a_place_is_found_whatever_its_layout() {
        let take = |from| found("Pool::take", Some(from));
        assert_eq!(take("twice>2"), Ok("expression twice > 2".into()));
        assert_eq!(take("self.push( a );"), Ok("statements self.push(a /* again */ ); false".into()));
        assert_eq!(take("let twice = a + a;"), Ok("statements let twice = a + a; true".into()));
        assert_eq!(take("self.push(a + 1)"), Ok("statements self.push(a + 1) false".into()));
        assert_eq!(
            take("self.push(twice); self.push(a);"),
            Ok("statements self.push(twice);\n        self.push(a /* again */ ); false".into())
        );
        assert_eq!(found("take", None), Ok("start 7".into()));
        assert_eq!(found("inner::take", Some("8")), Ok("statements 8 false".into()));
        assert_eq!(found("<Pool as Drop>::drop", Some("0")), Ok("expression 0".into()));
    }

    #[test]
    fn no_place_and_two_places_are_refused() {
        let says = |item, from, what: &str| {
            let refused = found(item, from).expect_err("it is refused");
            assert!(refused.contains(what), "{refused}");
        };
        says("Pool::take", Some("a < 3"), "2 places");
        says("Pool::take", Some("a + 1"), "2 places");
        says("Pool::take", Some("a + 2"), "0 places");
        // Part of an expression is none.
        says("Pool::take", Some("2 || self"), "0 places");
        says("Pool::give", Some("a"), "0 functions");
        says("push", None, "0 functions");
    }
}
