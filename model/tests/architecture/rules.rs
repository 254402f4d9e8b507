//! Outside the vocabulary a value of a rule is looked at by an exhaustive `match` only. So a new value does not compile until
//! every place has decided its meaning there. Refused are:
//!
//! * another name for a rule enum or for its values: `use .. as`, `use TicketRule::*`, `type`, and an `impl` for it, where
//!   `Self` would name it;
//! * comparisons: operators, methods such as `eq` and `contains`, `discriminant`, a cast to a number, `assert_eq!`;
//! * `matches!`, `if let`, `while let` and `let else` with a value of a rule;
//! * `_`, `..` or a name in a `match`, at a place where another arm names a value of a rule, or around that place. A guard does
//!   not excuse it;
//! * the name of a value as text (`"BetterRank"`) in a comparison, or in a `match` that has an arm for the rest.
//!
//! Nor is anything compared with a whole profile: what is so under `deployed` is so because of one of its rules, and would be
//! gone under `deployed` with another rule changed.
//!
//! A test may compare rules: its assertions do not decide what the protocol does.
//!
//! The lint reads the source, and knows no types but those that are written. It does not see a rule that a macro gets in
//! pieces (`is!(rule, TicketRule, BetterRank)`), a comparison inside a generic function, two rules that are compared with each
//! other and whose types stand elsewhere (`a.ticket == b.ticket`, fields of a pattern, results of functions, whole structs), nor
//! text that is searched for the name of a value.

mod controls;
mod declared;
mod lint;
mod macros;
mod of_tests;
mod patterns;
mod shown;
mod vocabulary;

pub(super) use vocabulary::flatten;

use std::collections::BTreeSet;
use std::fmt::Write;

use declared::Declared;
use lint::lint;
use vocabulary::Vocabulary;

#[test]
fn rules_are_looked_at_exhaustively() {
    let (root, words) = (super::root(), Vocabulary::read());
    let (mut files, mut constants, mut mentions) = (Vec::new(), BTreeSet::new(), 0);
    for path in super::sources(&root) {
        let inside = path.strip_prefix(&root).unwrap_or(&path);
        let shown = inside.display().to_string().replace('\\', "/");
        if shown.starts_with("model/protocol/")
            || shown.starts_with("model/epochs/") && shown.ends_with("/rules.rs")
            || shown.contains("/tests/")
            || shown.ends_with("/tests.rs")
        {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{shown}: {error}"));
        mentions += source.matches("Rule::").count();
        let file = syn::parse_file(&source).unwrap_or_else(|error| panic!("{shown}: {error}"));
        constants.extend(Declared::by(&words, &file).constants);
        files.push((shown, file));
    }
    let mut wrong = String::new();
    for (shown, file) in &files {
        for (line, why) in lint(&words, &constants, file) {
            writeln!(wrong, "{shown}:{line}: {why}: write an exhaustive match")
                .expect("a string can be written to");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    let of_epochs = ["EpochSourceRule", "ActivationRule", "LogScopeRule"];
    assert!(of_epochs.iter().all(|rule| words.enums.get(*rule).is_some_and(|values| values.len() > 1)));
    assert!(mentions > 100, "{mentions} mentions of a rule: were they looked for?");
}
