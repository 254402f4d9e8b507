//! The controls of the lint: each form that looks at a rule otherwise is found, and forms that are right are not.

use super::declared::Declared;
use super::lint::{
    ANOTHER_NAME, COMPARED, IN_LET, IN_MATCHES, NUMBER, PROFILE_COMPARED, PROFILE_PATTERN, REST, TEXT,
    UNREAD, lint,
};
use super::vocabulary::Vocabulary;

/// Items, with the reason of their refusal.
const WRONG_ITEMS: &[(&str, &str)] = &[
    // Another name.
    ("use zus_protocol::rules::TicketRule as T;", ANOTHER_NAME),
    ("use zus_protocol::rules::{Rules, TicketRule as T};", ANOTHER_NAME),
    ("pub use rules::{TicketRule as T};", ANOTHER_NAME),
    ("use zus_protocol::rules::TicketRule::*;", ANOTHER_NAME),
    ("use zus_protocol::rules::TicketRule::BetterRank;", ANOTHER_NAME),
    ("use zus_protocol::rules::TicketRule::BetterRank as Better;", ANOTHER_NAME),
    ("use zus_protocol::rules::TicketRule::{self, BetterRank};", ANOTHER_NAME),
    ("use zus_protocol::rules::TicketRule::{self as T};", ANOTHER_NAME),
    ("fn f() { use zus_protocol::rules::EchoRule as E; g::<E>() }", ANOTHER_NAME),
    ("type T = TicketRule;", ANOTHER_NAME),
    ("type T<'a> = Option<&'a TicketRule>;", ANOTHER_NAME),
    ("impl Weigh for U { type Of = rules::TicketRule; }", ANOTHER_NAME),
    (
        "impl Weigh for TicketRule { fn w(&self) -> u8 { match self { Self::BetterRank => 1, _ => 0 } } }",
        ANOTHER_NAME,
    ),
    // Code that is compiled without tests.
    ("#[cfg(not(test))] fn f(r: T) -> bool { r == TicketRule::BetterRank }", COMPARED),
    ("#[cfg(not(test))] mod m { fn f(r: T) -> bool { r == TicketRule::BetterRank } }", COMPARED),
    ("#[cfg(any(test, feature = \"x\"))] fn f(r: T) -> bool { r == TicketRule::BetterRank }", COMPARED),
    ("#[cfg(feature = \"test\")] fn f(r: T) -> bool { r == TicketRule::BetterRank }", COMPARED),
    ("#[cfg_attr(test, allow(dead_code))] fn f(r: T) -> bool { r == TicketRule::BetterRank }", COMPARED),
    ("#[cfg(not(test))] impl U { fn f(r: T) -> bool { r == TicketRule::BetterRank } }", COMPARED),
    ("trait U { fn f(r: T) -> bool { r == TicketRule::BetterRank } }", COMPARED),
    // Constants.
    ("const B: TicketRule = TicketRule::BetterRank; fn f(r: T) -> bool { r == B }", COMPARED),
    ("const B: TicketRule = TicketRule::BetterRank; fn f(r: T) -> u8 { match r { B => 1, _ => 0 } }", REST),
    ("const B: TicketRule = TicketRule::BetterRank; fn f(r: T) -> bool { matches!(r, B) }", IN_MATCHES),
    ("const B: TicketRule = TicketRule::BetterRank; fn f(r: T) { if let B = r { g() } }", IN_LET),
    ("impl U { const B: TicketRule = g(); fn f(r: T) -> bool { r == Self::B } }", COMPARED),
    ("trait U { const B: TicketRule; fn f(r: T) -> bool { r == Self::B } }", COMPARED),
    ("struct U { t: TicketRule } fn f(a: U, b: U) -> bool { a.t == b.t }", COMPARED),
    ("enum U { A { t: Option<TicketRule> } } fn f(a: U, b: U) -> bool { a.t != b.t }", COMPARED),
    // Variables, by their types or their values.
    ("fn f(a: TicketRule, b: TicketRule) -> bool { a == b }", COMPARED),
    ("fn f(a: &Option<TicketRule>, b: T) -> bool { a == b }", COMPARED),
    ("impl U { fn f(&self, a: TicketRule) -> bool { self.t == a } }", COMPARED),
    ("fn f(r: T) -> bool { let b = TicketRule::BetterRank; r == b }", COMPARED),
    ("fn f(r: T) -> bool { let a = r.rules.ticket; a == g() }", COMPARED),
    ("fn f(r: T) -> bool { let a: TicketRule = g(); r == a }", COMPARED),
    ("fn f(r: T) -> bool { v.iter().any(|a: &TicketRule| a == r) }", COMPARED),
    ("fn f(r: T) { for a in [TicketRule::BetterRank] { if r == a { g() } } }", COMPARED),
    ("fn f(r: T) { for a in TicketRule::ALL { if r == *a { g() } } }", COMPARED),
    // Macros that are defined.
    ("macro_rules! is { ($r:expr) => { $r == TicketRule::BetterRank }; }", COMPARED),
    ("macro_rules! is { ($r:expr, $v:ident) => { $r == TicketRule::$v }; }", COMPARED),
    ("macro_rules! is { ($r:expr, $v:ident) => { matches!($r, TicketRule::$v) }; }", IN_MATCHES),
    ("macro_rules! is { ($r:expr) => { match $r { TicketRule::BetterRank => 1, _ => 0 } }; }", REST),
    ("macro_rules! is { ($($r:expr),*) => { $( $r == TicketRule::BetterRank )||* }; }", COMPARED),
    ("macro_rules! f { () => { fn f(r: T) -> bool { r == TicketRule::BetterRank } }; }", COMPARED),
    ("macro_rules! is { ($r:expr, $o:tt) => { $r $o TicketRule::BetterRank }; }", UNREAD),
];

/// Expressions, of `r`, `a` and `b`, with the reason of their refusal.
const WRONG_EXPRESSIONS: &[(&str, &str)] = &[
    // Operators.
    ("r.beacon == BeaconRule::Chained", COMPARED),
    ("BeaconRule::Chained != r", COMPARED),
    ("a.rules.ticket == b", COMPARED),
    ("&r.ticket == &TicketRule::BetterRank", COMPARED),
    ("*a == TicketRule::BetterRank", COMPARED),
    ("a == &TicketRule::BetterRank", COMPARED),
    ("a == (TicketRule::BetterRank)", COMPARED),
    ("a == <TicketRule>::BetterRank", COMPARED),
    ("a == zus_protocol::rules::TicketRule::BetterRank", COMPARED),
    ("a == FinalityRule::CommonAncestor { depth: 1 }", COMPARED),
    ("a == Some(TicketRule::BetterRank)", COMPARED),
    ("(a, b) == (TicketRule::BetterRank, 1)", COMPARED),
    ("a == [TicketRule::BetterRank]", COMPARED),
    ("a == { TicketRule::BetterRank }", COMPARED),
    ("a == if b { TicketRule::BetterRank } else { c }", COMPARED),
    ("a == TicketRule::BetterRank.clone()", COMPARED),
    ("a == TicketRule::ALL[1]", COMPARED),
    ("Some(&a) == TicketRule::ALL.first()", COMPARED),
    ("a.rules().ticket == b", COMPARED),
    ("a == Rules::DEPLOYED.ticket", COMPARED),
    ("a < TicketRule::BetterRank", COMPARED),
    ("a == vec![TicketRule::BetterRank]", COMPARED),
    ("r.ticket.to_string() == \"BetterRank\"", COMPARED),
    ("format!(\"{:?}\", r.ticket) == \"BetterRank\"", COMPARED),
    ("a == Rules { ticket: TicketRule::BetterRank, ..b }", COMPARED),
    // Methods and functions.
    ("[TicketRule::BetterRank, TicketRule::OncePerSubround].contains(&a)", COMPARED),
    ("a.contains(&TicketRule::BetterRank)", COMPARED),
    ("TicketRule::ALL[1..].contains(&a)", COMPARED),
    ("r.ticket.eq(&TicketRule::BetterRank)", COMPARED),
    ("a.ne(&TicketRule::BetterRank)", COMPARED),
    ("TicketRule::BetterRank.eq(&a)", COMPARED),
    ("a.cmp(&TicketRule::BetterRank)", COMPARED),
    ("a.starts_with(&[TicketRule::BetterRank])", COMPARED),
    ("a.contains_key(&TicketRule::BetterRank)", COMPARED),
    ("a.get(&r.ticket)", COMPARED),
    ("PartialEq::eq(&a, &TicketRule::BetterRank)", COMPARED),
    ("TicketRule::eq(&a, &TicketRule::BetterRank)", COMPARED),
    ("std::mem::discriminant(&a) == std::mem::discriminant(&TicketRule::BetterRank)", COMPARED),
    ("a.is_some_and(|a| a == TicketRule::BetterRank)", COMPARED),
    ("a.filter(|a| *a != TicketRule::BetterRank)", COMPARED),
    ("r.ticket as u8", NUMBER),
    ("a == TicketRule::BetterRank as u8", NUMBER),
    // Macros that are called.
    ("matches!(a, TicketRule::BetterRank)", IN_MATCHES),
    ("std::matches!(a, TicketRule::BetterRank)", IN_MATCHES),
    ("core::matches!(a, Some(rules::TicketRule::BetterRank))", IN_MATCHES),
    ("assert!(matches!(a, TicketRule::BetterRank))", IN_MATCHES),
    ("assert_matches!(a, TicketRule::BetterRank)", IN_MATCHES),
    ("assert!(a == rules::TicketRule::BetterRank)", COMPARED),
    ("debug_assert_eq!(a, TicketRule::BetterRank)", COMPARED),
    ("println!(\"{}\", a == TicketRule::BetterRank)", COMPARED),
    ("vec![a == TicketRule::BetterRank; 3]", COMPARED),
    ("select! { let x = a == TicketRule::BetterRank; g(x) }", COMPARED),
    ("select! { TicketRule::BetterRank => 1, _ => 0 }", REST),
    ("cfg_if! { if #[cfg(x)] { fn f() -> bool { a == TicketRule::BetterRank } } }", UNREAD),
    // Patterns of conditions.
    ("if let TicketRule::BetterRank = a { 1 } else { 0 }", IN_LET),
    ("if let FinalityRule::CommonAncestor { depth } = a { depth } else { 0 }", IN_LET),
    ("if let Some(TicketRule::BetterRank) = a { 1 } else { 0 }", IN_LET),
    ("if b && let (TicketRule::BetterRank, 1) = a { 1 } else { 0 }", IN_LET),
    ("if let Rules { ticket: TicketRule::BetterRank, .. } = a { 1 } else { 0 }", IN_LET),
    ("while let TicketRule::BetterRank = a { g() }", IN_LET),
    ("{ let TicketRule::BetterRank = a else { return }; g() }", IN_LET),
    ("{ let Some(TicketRule::BetterRank) = a else { return }; g() }", IN_LET),
    // Arms for the rest.
    ("match a { EchoRule::None => 0, _ => 1 }", REST),
    ("match a { EchoRule::None => g(), other => other }", REST),
    ("match a { EchoRule::None => g(), ref other => h(other) }", REST),
    ("match a { EchoRule::None => g(), whole @ _ => whole }", REST),
    ("match &a { &EchoRule::None => g(), &_ => 1 }", REST),
    ("match a { EchoRule::None => g(), (_) => 1 }", REST),
    ("match a { EchoRule::None | _ => 1 }", REST),
    ("match a { Some(QuorumRule::Percent66) => 0, Some(_) | None => 1 }", REST),
    ("match a { Some(QuorumRule::Percent66) => 0, Some(other) => 1, None => 2 }", REST),
    ("match a { Some(QuorumRule::Percent66) => 0, Some(..) => 1, None => 2 }", REST),
    ("match a { Some(QuorumRule::Percent66) => 0, _ => 1 }", REST),
    ("match a { Some(Some(QuorumRule::Percent66)) => 0, Some(_) => 1, None => 1 }", REST),
    ("match (a, b) { (TicketRule::BetterRank, _) => 1, (_, _) => 0 }", REST),
    (
        "match (a, b) { (TicketRule::BetterRank, _) => 1, (_, 1) => 2, (TicketRule::OncePerSubround, _) => 0 }",
        REST,
    ),
    ("match (a, b) { (TicketRule::BetterRank, _) => 1, (other, _) => 0 }", REST),
    ("match (a, b) { (TicketRule::BetterRank, _) => 1, _ => 0 }", REST),
    ("match (a, b) { (TicketRule::BetterRank, _) => 1, (..) => 0 }", REST),
    (
        "match (a, b) { (1, TicketRule::BetterRank) => 1, (_, TicketRule::OncePerSubround) => 2, (1, ..) => 0 }",
        REST,
    ),
    (
        "match (a, b) { (TicketRule::BetterRank, EchoRule::None) => 1, (TicketRule::OncePerSubround, _) => 0 }",
        REST,
    ),
    ("match a { [TicketRule::BetterRank] => 1, [_] => 2, [] => 3 }", REST),
    ("match a { Rules { ticket: TicketRule::BetterRank, .. } => 1, Rules { .. } => 0 }", REST),
    ("match a { Rules { ticket: TicketRule::BetterRank, .. } => 1, Rules { ticket, .. } => 0 }", REST),
    ("match a { _ if broken() => 2, EchoRule::None => 0, EchoRule::Certificates => 1 }", REST),
    ("match a { EchoRule::None => 0, other if g(other) => 2, EchoRule::Certificates => 1 }", REST),
    // Texts.
    ("rules.value(\"ticket\") == Some(\"BetterRank\")", TEXT),
    ("a.as_str() != \"BetterRank\"", TEXT),
    ("match rules.value(\"quorum\") { Some(\"Percent66\") => 1, _ => 0 }", REST),
    ("match a.as_str() { \"Percent66\" => 1, \"ByzantineMajority\" => 2, other => g(other) }", REST),
    ("matches!(a.as_str(), \"Percent66\")", IN_MATCHES),
    ("if let Some(\"Percent66\") = a { 1 } else { 0 }", IN_LET),
    // Profiles.
    ("r == Rules::DEPLOYED", PROFILE_COMPARED),
    ("&rules::Rules::HARDENED != r", PROFILE_COMPARED),
    ("*r == DOCUMENTED", PROFILE_COMPARED),
    ("r.eq(&Rules::DEPLOYED)", PROFILE_COMPARED),
    ("Some(Rules::DEPLOYED) == r", PROFILE_COMPARED),
    ("[Rules::DEPLOYED, Rules::HARDENED].contains(&r)", PROFILE_COMPARED),
    ("r == Rules::PROFILES[0].1", PROFILE_COMPARED),
    ("match r { Rules::DEPLOYED => 0, _ => 1 }", PROFILE_PATTERN),
    ("matches!(r, Rules::DEPLOYED)", PROFILE_PATTERN),
];

const RIGHT: &[&str] = &[
    "use zus_protocol::rules::{Rules, TicketRule, EchoRule}; use zus_protocol::rules::TicketRule::{self};",
    "use zus_protocol::rules as choices; use zus_protocol::rules::*;",
    "fn f(r: T) -> u8 { match r { EchoRule::None => 0, EchoRule::Certificates => 1 } }",
    "fn f(r: T) -> T { match r { EchoRule::None => g(), other @ EchoRule::Certificates => other } }",
    "fn f(r: T) -> u8 { match r { EchoRule::None if g() => 0, EchoRule::None | EchoRule::Certificates => 1 } }",
    "fn f(r: T) -> u8 { match r { FinalityRule::CommonAncestor { depth } => depth, FinalityRule::Votes => 0 } }",
    "fn f(r: T) -> u8 { match r { FinalityRule::CommonAncestor { .. } => 1, FinalityRule::Votes => 0 } }",
    "fn f(r: T) -> u8 { match (r, x) { (EchoRule::None, 1) => 0, (EchoRule::None | EchoRule::Certificates, _) => 1 } }",
    "fn f(r: T) -> u8 { match r { Some(EchoRule::None) => 0, Some(EchoRule::Certificates) => 1, None => 2 } }",
    "fn f(r: T) -> u8 { match r { Ok(EchoRule::None) => 0, Ok(EchoRule::Certificates) => 1, Err(_) => 2 } }",
    "fn f(r: T) -> u8 { match r { U { echo: EchoRule::None, .. } => 0, U { echo: EchoRule::Certificates, .. } => 1 } }",
    "fn f(x: u8) -> u8 { match x { 0 => g(EchoRule::None), _ => 1 } }",
    "fn f(r: T) -> u8 { match r { EchoRule::None => 0, EchoRule::Certificates => match x { 1 => 2, _ => 3 } } }",
    "fn f(a: T, b: T) -> bool { a.rules == b.rules && a.votes == b }",
    "fn f(r: T) -> bool { quorum(QuorumRule::Percent66) == 7 && a.contains(&quorum(QuorumRule::Percent66)) }",
    "fn f(r: T) -> bool { r.ticket.allows_both(a, b) == c && r.finality.depth() == Some(1) }",
    "fn f(r: T) -> bool { TicketRule::ALL.len() == 3 && Blocked::TicketRule == r }",
    "fn f(r: T) -> Option<TicketRule> { TicketRule::ALL.get(n).copied() }",
    "fn f() -> Rules { Rules { beacon: BeaconRule::Chained, ..Rules::HARDENED } }",
    "fn f(rule: TicketRule) -> bool { let rule = g(rule); rule == 3 }",
    "fn f(rule: TicketRule) -> bool { x.iter().any(|rule| rule == 3) }",
    "fn f(r: T) { if let Some(rule) = r { g(rule) } }",
    "fn f(r: T) -> T { match r.name() { \"None\" => 0, name => g(name, \"BetterRank\") } }",
    "fn f() { println!(\"{} {:?}\", r.ticket, TicketRule::BetterRank) }",
    "macro_rules! every { ($($rule:ident: $value:ident),*) => { $( impl $rule { const V: Self = Self::$value; } )* }; }",
    // Tests may compare.
    "#[cfg(test)] mod tests { fn f(r: T) -> bool { r == BeaconRule::Chained } }",
    "#[cfg(all(test, unix))] mod tests { fn f(r: T) -> bool { r == BeaconRule::Chained } }",
    "#[test] fn f() { assert_eq!(r, BeaconRule::Chained) }",
    "#[cfg(test)] impl U { fn f(r: T) -> bool { r == BeaconRule::Chained } }",
    "impl U { #[cfg(test)] fn f(r: T) -> bool { r == BeaconRule::Chained } }",
    "#![cfg(test)] fn f(r: T) -> bool { r == BeaconRule::Chained }",
];

fn found(source: &str) -> Vec<(usize, &'static str)> {
    let words = Vocabulary::read();
    let file = syn::parse_file(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    lint(&words, &Declared::by(&words, &file).constants, &file)
}

#[test]
fn every_way_to_look_at_a_rule_otherwise_is_refused() {
    let expressions = WRONG_EXPRESSIONS
        .iter()
        .map(|(expression, why)| (format!("fn f(r: T, a: T, b: T) {{ g({expression}) }}"), *why));
    let items = WRONG_ITEMS.iter().map(|(item, why)| ((*item).to_owned(), *why));
    let missed: Vec<String> = items
        .chain(expressions)
        .filter(|(source, why)| !found(source).contains(&(1, *why)))
        .map(|(source, why)| {
            format!("{source}\n    should be refused, since {why}; found: {:?}", found(&source))
        })
        .collect();
    assert!(missed.is_empty(), "\n{}", missed.join("\n"));
}

#[test]
fn right_ways_to_look_at_a_rule_are_not_refused() {
    for right in RIGHT {
        assert_eq!(found(right), [], "{right}");
    }
}

/// A constant of one file is known in the others.
#[test]
fn a_constant_of_another_file_is_a_value() {
    let words = Vocabulary::read();
    let parse = |source| syn::parse_file(source).unwrap();
    let declared = Declared::by(&words, &parse("pub const BETTER: TicketRule = TicketRule::BetterRank;"));
    let elsewhere = parse("fn f(r: T) -> u8 { match r { other::BETTER => 1, _ => 0 } }");
    assert_eq!(lint(&words, &declared.constants, &elsewhere), [(1, REST)]);
}
