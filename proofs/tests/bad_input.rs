//! A wrong specification is refused with the file, the line and what to do.

use zus_proofs::spec::{RuleChoice, Sources, load};

/// The specification with one edit.
fn refused(from: &str, to: &str) -> String {
    let sources = Sources::embedded().edited(from, to).expect("the edited text occurs once");
    load(&sources, &RuleChoice::hardened()).expect_err("it is wrong").to_string()
}

#[test]
fn an_unsorted_term_an_undeclared_name_a_primed_guard_and_an_unknown_update_are_named_with_their_place() {
    let cases = [
        (
            "(guard own-block (= (generator b) n))\n  (guard in-subround",
            "(guard own-block (= (round b) n))\n  (guard in-subround",
            "proposals.epr:11:",
        ),
        ("(guard proposed (proposed b))", "(guard proposed (proposd b))", "tickets.epr:18:"),
        ("(guard logged (logged n b))", "(guard logged (logged' n b))", "tickets.epr:"),
        (
            "(rule quorum ByzantineMajority Percent66)",
            "(rule quorum ByzantineMajority Percent66 Half)",
            "`quorum Half` is no rule",
        ),
        ("(insert (timeout_certificate r s))", "(insert (timeout_certificat r s))", "subrounds.epr:"),
    ];
    for (from, to, place) in cases {
        let message = refused(from, to);
        println!("{message}");
        assert!(message.contains(place), "{message}");
    }
    assert!(
        refused("(guard logged (logged n b))", "(guard logged (logged' n b))")
            .contains("a guard reads the state before")
    );
    assert!(
        refused("(insert (timeout_certificate r s))", "(insert (nothing r s))")
            .contains("`nothing` is not declared")
    );
}

#[test]
fn rules_that_do_not_exist_are_refused_with_those_that_do() {
    let message =
        load(&Sources::embedded(), &RuleChoice::new("hardened,ticket=Never")).unwrap_err().to_string();
    assert!(message.contains("ticket=OncePerSubround|BetterRank|BetterOrEqualRank"), "{message}");
}
