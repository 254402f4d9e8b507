//! The lemma of an obligation assumes no more than its guard of `tick`, and `tick` waits for nothing but obligations.
//!
//! Each edit here moves a conjunct from the occasion of an obligation to what its lemma is given, or to the names, or to a guard of
//! `tick` itself. Time then stops in a state in which the conjunct fails, while the lemma `NAME` still holds. A lemma of its own
//! (`NAME-given`, `NAME-names`, `tick-free`) fails: a state of a real run refutes it.

use zus_proofs::{
    condition::{Condition, conditions},
    judge::Verdict,
    nonvacuity::{self, refuted},
    spec::{Lemma, RuleChoice, Sources, Spec, load},
    verify::decide,
};

fn choice() -> RuleChoice {
    RuleChoice::new("synchronous")
}

fn edited(edits: &[(&str, &str)]) -> Sources {
    edits.iter().fold(Sources::embedded(), |sources, (from, to)| {
        sources.edited(from, to).unwrap_or_else(|| panic!("`{from}` does not occur once"))
    })
}

/// The lemmas of what is assumed.
fn assumed(lemma: &Lemma) -> bool {
    lemma.pointwise
}

/// Those that a kept run refutes.
fn found(spec: &Spec) -> Vec<String> {
    let runs = nonvacuity::kept(spec).unwrap();
    refuted(spec, &runs, assumed).into_iter().collect()
}

/// An edit, and the lemma that it refutes.
type Edit = (&'static str, &'static [(&'static str, &'static str)]);

const EDITS: &[Edit] = &[
    (
        "time-out-given",
        &[
            (
                "(due (and (at m r s) (stayed m i) (timer s i e) (reached e)))",
                "(due (and (stayed m i) (timer s i e) (reached e)))",
            ),
            ("(by (timeout m r s))", "(given () (at m r s)) (by (timeout m r s))"),
        ],
    ),
    (
        "follow-round-given",
        &[
            ("(due (came k x q t))", "(due true)"),
            (
                "(and (at m r s) (at k y z) (entered_through k p)))\n      (by (leave_voting m p r s y)",
                "(and (came k x q t) (at m r s) (at k y z) (entered_through k p)))\n      (by (leave_voting m p r s y)",
            ),
        ],
    ),
    (
        "follow-subround-given",
        &[
            ("(due (and (came k x q t) (not (behind m q subround0))))", "(due (not (behind m q subround0)))"),
            (
                "(and (at m r s) (previous_subround u t) (at",
                "(and (at m r s) (came k x q t) (previous_subround u t) (at",
            ),
        ],
    ),
    (
        "echo-given",
        &[
            ("(due (was_voted_in k r))", "(due true)"),
            (
                "(and (vote k b) (= (round b) r) (at m x y)",
                "(and (was_voted_in k r) (vote k b) (= (round b) r) (at m x y)",
            ),
        ],
    ),
    (
        "propose-given",
        &[
            (
                "(due (and (at lead good_round good_subround) (known lead good_round (beacon good_round))))",
                "(due (at lead good_round good_subround))",
            ),
            (
                "(given ((p block)) (entered_through lead p))",
                "(given ((p block)) (and (known lead good_round (beacon good_round)) (entered_through lead p)))",
            ),
        ],
    ),
    (
        "propose-given-2",
        &[
            (
                "(due (and (at lead good_round good_subround) (known lead good_round (beacon good_round))))",
                "(due (at lead good_round good_subround))",
            ),
            (
                "(given ((b block)) (and (ours b)",
                "(given ((b block)) (and (known lead good_round (beacon good_round)) (ours b)",
            ),
        ],
    ),
    (
        "log-given",
        &[
            (
                "(window good_subround i e) (reached e) (received m b)",
                "(window good_subround i e) (received m b)",
            ),
            ("(given ((p block)) (parent p b))", "(given ((p block)) (and (reached e) (parent p b)))"),
        ],
    ),
    (
        "leave-given",
        &[
            ("(due (and (notarized b) (forall", "(due (and (forall"),
            (
                "(and (at m r s) (previous_round (round b) t))",
                "(and (notarized b) (at m r s) (previous_round (round b) t))",
            ),
        ],
    ),
    (
        "next-subround-given",
        &[
            ("(due (and (at m r s) (timeout_certificate r s)\n", "(due (and (at m r s)\n"),
            (
                "(given ((t subround)) (previous_subround s t))",
                "(given ((t subround)) (and (timeout_certificate r s) (previous_subround s t)))",
            ),
        ],
    ),
    // What is said of names holds only while they fit; no state may be meant by it.
    (
        "next-subround-names",
        &[
            ("(due (and (at m r s) (timeout_certificate r s)\n", "(due (and (at m r s)\n"),
            ("(names (named r t))", "(names (and (timeout_certificate r s) (named r t)))"),
        ],
    ),
    // A guard of `tick` that is no obligation.
    (
        "tick-free",
        &[(
            "(guard now (reached t))",
            "(guard now (reached t)) (guard idle (forall ((b block)) (not (proposed b))))",
        )],
    ),
];

#[test]
fn what_a_lemma_assumes_besides_its_guard_has_a_lemma_of_its_own() {
    let whole = load(&Sources::embedded(), &choice()).unwrap();
    // Each obligation that is given something has its edit.
    let mut wanted: Vec<_> =
        whole.lemmas.iter().filter(|lemma| assumed(lemma)).map(|l| l.name.as_str()).collect();
    wanted.retain(|name| !name.ends_with("-names") || *name == "next-subround-names");
    wanted.push("time-out-given");
    let mut edits: Vec<_> = EDITS.iter().map(|(lemma, _)| *lemma).collect();
    wanted.sort_unstable();
    edits.sort_unstable();
    assert_eq!(edits, wanted);
    let unbounded = found(&whole);
    for (lemma, edits) in EDITS {
        let spec = load(&edited(edits), &choice()).unwrap();
        let found = found(&spec);
        assert!(found.iter().any(|name| name == lemma), "{lemma}: no run refutes it, but {found:?}");
        assert!(!unbounded.iter().any(|name| name == lemma), "{lemma} is refuted without an edit");
    }
}

#[test]
fn an_auditors_edit_fails_a_condition() {
    let (name, edits) = EDITS[0];
    let lemma = format!("lemma:{name}");
    let spec = load(&edited(edits), &choice()).unwrap();
    let mut all = conditions(&spec).0;
    all.retain(|condition: &Condition| condition.id.to_string() == lemma);
    assert!(matches!(decide(&spec, &all, 1)[..], [Ok(Verdict::Fails(_))]), "{lemma}");
}

#[test]
fn the_format_refuses_what_would_make_an_assumption_a_gap() {
    for (from, to, says) in [
        // Another element by the same name: the lemma would be about it, and the guard about the first.
        (
            "(given ((p block)) (parent p b))",
            "(given ((m miner) (p block)) (parent p b))",
            "`m` is a parameter of the obligation already",
        ),
        (
            "(exists ((u tick)) (next_tick t u))",
            "(reached t)",
            "state relation `reached` differs from state to state",
        ),
        ("(naming aimed)", "", "`names` needs the fact under which names are given"),
        ("(naming aimed)", "(naming up)", "expected (naming relation)"),
        (
            "(naming aimed)",
            "(relation late () \"late\") (init late () false) (naming late)",
            "expected (naming relation)",
        ),
    ] {
        let error = load(&edited(&[(from, to)]), &choice()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// The names are those of `named`, and nothing else is assumed of them; `tests/names.rs` shows that each run has names that fit.
#[test]
fn names_are_assumed_in_one_form() {
    let names: Vec<_> = include_str!("../spec/duties.epr")
        .lines()
        .filter(|line| line.trim().starts_with("(names "))
        .collect();
    assert_eq!(names.len(), 3);
    assert!(names.iter().all(|line| line.trim().starts_with("(names (named ")), "{names:?}");
}

/// A property whose premise can never be true would hold of itself, and all conditions too. No real run reaches the premise.
#[test]
fn a_premise_that_is_never_true_is_seen() {
    let edits = [
        // q3 before p1; then the same fact for the others.
        (
            "premise:L1-round",
            "(=> (and (led) (reached q3)) (joined q3 next_round subround0))",
            "(=> (and (led) (reached q3) (not (reached p1))) (joined q3 next_round subround0))",
        ),
        (
            "premise:L1",
            "or of a later one\"\n      (=> (and (led) (reached q2)) (out))",
            "or of a later one\"\n      (=> (and (led) (reached q2) (not (reached gst))) (out))",
        ),
        (
            "premise:L1-all",
            "(=> (and (led) (reached q3) (up m)) (above m good_round))",
            "(=> (and (led) (reached q3) (up m) (not (= m m))) (above m good_round))",
        ),
        (
            "premise:L1-first",
            "(=> (and (led) (up m) (tick_le gst x) (joined x good_round good_subround)) (or",
            "(=> (and (led) (up m) (tick_le gst x) (joined x good_round good_subround) (not (= x x))) (or",
        ),
        (
            "premise:L1-ends",
            "(reached e2) (previous_subround s t))\n          (passed m r s))",
            "(reached e2) (previous_subround s s))\n          (passed m r s))",
        ),
        (
            "premise:L2",
            "(=> (and (final) (reached q3)) (exists",
            "(=> (and (final) (reached q3) (not (led))) (exists",
        ),
        (
            "premise:L2-all",
            "(=> (and (final) (reached q3) (watches o) (head o h)",
            "(=> (and (final) (reached q3) (watches o) (head o h) (not (finality_certificate b))",
        ),
        (
            "premise:L3",
            "(=> (and (up m) (up k) (tick_le gst x) (next_tick x y) (reached y) (came k x q t) (at m r s))",
            "(=> (and (up m) (up k) (tick_le gst x) (next_tick x x) (reached y) (came k x q t) (at m r s))",
        ),
        (
            "premise:L5",
            "(reached y) (had_finalized w x b) (head o h))",
            "(not (reached x)) (had_finalized w x b) (head o h))",
        ),
    ];
    let text: Vec<_> = edits.iter().map(|(_, from, to)| (*from, *to)).collect();
    let spec = load(&edited(&text), &choice()).unwrap();
    let missing = nonvacuity::uncovered(&spec, &nonvacuity::kept(&spec).unwrap());
    let mut wanted = edits.map(|(name, ..)| name);
    let mut found: Vec<_> = missing.iter().map(String::as_str).collect();
    wanted.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, wanted);
}

/// An auditor's lie: what no element satisfies proves every lemma that may rest on it.
#[test]
fn what_is_said_to_be_without_end_is_so_in_the_universes_of_runs() {
    let next = "(unbounded next-round ";
    let lie =
        "(unbounded lie \"a lie\" ((t tick)) (exists ((u tick)) (and (next_tick t u) (tick_le u t))))\n";
    let spec = load(&edited(&[(next, &format!("{lie} {next}"))]), &choice()).unwrap();
    let missing = nonvacuity::uncovered(&spec, &nonvacuity::kept(&spec).unwrap());
    assert_eq!(missing, ["unbounded:lie"]);
}
