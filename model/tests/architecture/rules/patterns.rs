//! The places of a pattern that hold a value of a rule, and the places that take anything.
//!
//! A place is the way from the whole pattern to a part of it: through `(_, x)` it is `[("", "1")]`, through `Some(x)`
//! `[("Some", "0")]`. References, parentheses and alternatives are no steps of the way.

use syn::spanned::Spanned;
use syn::{Arm, Pat};

use super::shown::last;

type Way = Vec<(String, String)>;

/// Of the arms of one `match`.
#[derive(Default)]
pub(super) struct Ways {
    /// A value of a rule is named here.
    values: Vec<Way>,
    /// `_` or a name is here; and its line.
    anything: Vec<(Way, usize)>,
    /// `..` is here, for all parts of this constructor that are not among these.
    others: Vec<(Way, String, Vec<String>, usize)>,
}

impl Ways {
    /// The places of some arms; `is_value` tells which pattern is a value of a rule.
    pub fn of(arms: &[Arm], is_value: &dyn Fn(&Pat) -> bool) -> Self {
        let mut places = Ways::default();
        for arm in arms {
            places.add(&arm.pat, &mut Vec::new(), is_value);
        }
        places
    }

    /// The lines on which a pattern takes values of a rule that it does not name.
    pub fn swallowed(&self) -> Vec<usize> {
        let below = |place: &Way| self.values.iter().any(|value| value.starts_with(place));
        let anything = self.anything.iter().filter(|(place, _)| below(place)).map(|(_, line)| *line);
        let others = self.others.iter().filter(|(place, constructor, named, _)| {
            self.values.iter().any(|value| {
                value.starts_with(place)
                    && value
                        .get(place.len())
                        .is_some_and(|(of, part)| of == constructor && !named.contains(part))
            })
        });
        anything.chain(others.map(|(_, _, _, line)| *line)).collect()
    }

    fn add(&mut self, pattern: &Pat, at: &mut Way, is_value: &dyn Fn(&Pat) -> bool) {
        let line = pattern.span().start().line;
        if is_value(pattern) {
            self.values.push(at.clone());
            return;
        }
        match pattern {
            Pat::Wild(_) => self.anything.push((at.clone(), line)),
            Pat::Ident(name) => match &name.subpat {
                Some((_, inner)) => self.add(inner, at, is_value),
                None if name.ident.to_string().starts_with(char::is_uppercase) => {}
                None => self.anything.push((at.clone(), line)),
            },
            Pat::Or(either) => either.cases.iter().for_each(|case| self.add(case, at, is_value)),
            Pat::Paren(inner) => self.add(&inner.pat, at, is_value),
            Pat::Reference(inner) => self.add(&inner.pat, at, is_value),
            Pat::Type(inner) => self.add(&inner.pat, at, is_value),
            Pat::Tuple(tuple) => self.parts("", tuple.elems.iter(), at, is_value),
            Pat::Slice(slice) => self.parts("[]", slice.elems.iter(), at, is_value),
            Pat::TupleStruct(tuple) => self.parts(&last(&tuple.path), tuple.elems.iter(), at, is_value),
            Pat::Struct(of) => {
                let constructor = last(&of.path);
                let mut named = Vec::new();
                for field in &of.fields {
                    let member = match &field.member {
                        syn::Member::Named(name) => name.to_string(),
                        syn::Member::Unnamed(index) => index.index.to_string(),
                    };
                    named.push(member.clone());
                    at.push((constructor.clone(), member));
                    self.add(&field.pat, at, is_value);
                    at.pop();
                }
                if of.rest.is_some() {
                    self.others.push((at.clone(), constructor, named, line));
                }
            }
            _ => {}
        }
    }

    /// The parts of a tuple. Parts after `..` have places of their own, counted from the end.
    fn parts<'p>(
        &mut self,
        constructor: &str,
        parts: impl ExactSizeIterator<Item = &'p Pat>,
        at: &mut Way,
        is_value: &dyn Fn(&Pat) -> bool,
    ) {
        let (count, mut named, mut after) = (parts.len(), Vec::new(), None);
        for (index, part) in parts.enumerate() {
            if let Pat::Rest(_) = part {
                after = Some(part.span().start().line);
                continue;
            }
            let place = if after.is_some() { format!("-{}", count - index) } else { index.to_string() };
            named.push(place.clone());
            at.push((constructor.to_owned(), place));
            self.add(part, at, is_value);
            at.pop();
        }
        if let Some(line) = after {
            self.others.push((at.clone(), constructor.to_owned(), named, line));
        }
    }
}
