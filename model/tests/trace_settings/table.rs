//! The fields of a trace, each with what toggling it leads to.

use serde_json::{Value, json};

/// A run of no steps: one Byzantine generator with two blocks and an honest one, in one subround.
pub fn base() -> Value {
    let rules = json!({
        "beacon": "RoundOnly", "ticket": "OncePerSubround", "subround_entry": "Certificate",
        "subround_switch": "Adopt", "finality": "Votes", "quorum": "ByzantineMajority", "ticket_log": "Durable",
        "echo": "Certificates", "parent": "Notarized", "subround_cap": "Unbounded",
    });
    json!({
        "format": "zus-trace",
        "version": 1,
        "producer": { "tool": "a test", "command": "none", "seed": 1 },
        "scenario": "s",
        "claim": { "property": "S2", "verdict": "violated", "because": "it is said" },
        "finding": { "kind": "S2", "because": "it is said" },
        "instance": {
            "n": 4, "f": 1, "byzantine": 1, "quorum": 3, "beacon_threshold": 3, "exposed": 0, "honest": [1, 1, 1],
            "rounds": 1, "subrounds": 1,
            "blocks": [place(1, 0, 0, 0, "byzantine"), place(1, 0, 0, 1, "byzantine"), place(1, 0, 1, 0, "honest")],
            "network": "async", "restarts": 0, "restarts_behind": false, "observers": 0, "reserved_rounds": 0,
            "reserved_subrounds": 0, "rules": rules,
            "reductions": {
                "byzantine_available": true, "eager": true, "symmetry": false, "counting": false, "lazy": false,
            },
        },
        "steps": [],
    })
}

pub fn place(round: u8, subround: u8, rank: u8, twin: u8, generator: &str) -> Value {
    let name = format!("B({round},{subround})#{rank}{}", if twin == 1 { "'" } else { "" });
    json!({
        "name": name, "round": round, "subround": subround, "rank": rank, "twin": twin, "generator": generator,
    })
}

/// Values by their place in the file; a null is left out.
pub type Edits = Vec<(&'static str, Value)>;

pub fn edited(edits: Edits) -> Value {
    let mut trace = base();
    for (at, value) in edits {
        let (object, key) = at.rsplit_once('/').unwrap();
        let object = trace.pointer_mut(object).unwrap_or_else(|| panic!("{at}"));
        match object {
            Value::Object(object) => drop(object.insert(key.into(), value)),
            Value::Array(array) => array[key.parse::<usize>().unwrap()] = value,
            _ => panic!("{at}"),
        }
    }
    trace
}

/// The effect of toggling a field.
pub enum Toggle {
    /// An instance that does something else.
    Changes(Edits, Edits),
    /// It is for readers, or checked against others only.
    Says(&'static str),
}
use Toggle::{Changes, Says};

const I: &str = "/instance";

/// One honest generator in each of the rounds and subrounds.
pub fn honest(rounds: u8, subrounds: u8) -> Edits {
    let blocks: Vec<Value> = (1..=rounds)
        .flat_map(|round| (0..subrounds).map(move |subround| place(round, subround, 0, 0, "honest")))
        .collect();
    vec![
        ("/instance/rounds", rounds.into()),
        ("/instance/subrounds", subrounds.into()),
        ("/instance/blocks", blocks.into()),
    ]
}

pub fn with(mut edits: Edits, more: &[(&'static str, Value)]) -> Edits {
    edits.extend_from_slice(more);
    edits
}

/// Each field, by the object that it is in: how it changes something, then edits that are refused, and what is said.
#[allow(clippy::too_many_lines, reason = "a table")]
pub fn fields() -> Vec<(&'static str, &'static str, Toggle, Edits, &'static str)> {
    let good = || ("/instance/network", json!("partially_synchronous"));
    let one = |at: &'static str, value: Value| vec![(at, value)];
    let changes = |at: &'static str, value: Value| Changes(vec![], vec![(at, value)]);
    vec![
        ("", "format", Says("it is compared"), one("/format", json!("zus-report")), "this is \"zus-report\""),
        ("", "version", Says("it is compared"), one("/version", json!(2)), "version 2"),
        ("", "producer", Says("for people"), one("/producer", json!({})), "missing field `tool`"),
        ("", "scenario", Says("for people"), one("/scenario", json!(1)), "invalid type"),
        (
            "",
            "claim",
            Says("a replay compares it"),
            one("/claim/verdict", json!("holds")),
            "claim.verdict: S2 ",
        ),
        ("", "finding", Says("for people"), one("/finding", json!({})), "missing field `kind`"),
        ("", "instance", Says("its fields are below"), one("/instance", json!({})), "missing field `n`"),
        (
            "",
            "steps",
            Says("a replay executes them"),
            one("/steps", json!([{}])),
            "steps, step 1: missing field",
        ),
        ("/producer", "tool", Says("for people"), one("/producer/tool", json!(1)), "invalid type"),
        ("/producer", "command", Says("for people"), one("/producer/command", json!(1)), "invalid type"),
        ("/producer", "seed", Says("for people"), one("/producer/seed", json!(-1)), "invalid value"),
        (
            "/claim",
            "property",
            Says("a replay judges it"),
            one("/claim/property", json!("S99")),
            "unknown variant",
        ),
        (
            "/claim",
            "verdict",
            Says("a replay judges it"),
            one("/claim/verdict", json!("reachable")),
            "claim.verdict: S2 ",
        ),
        ("/claim", "because", Says("read off the run"), one("/claim/because", json!(1)), "invalid type"),
        ("/finding", "kind", Says("for people"), one("/finding/kind", json!(1)), "invalid type"),
        ("/finding", "because", Says("for people"), one("/finding/because", json!(1)), "invalid type"),
        (
            I,
            "n",
            changes("/instance/n", json!(4)).more(&[
                ("/instance/n", json!(5)),
                ("/instance/honest", json!([1, 1, 1, 1])),
                ("/instance/quorum", json!(4)),
                ("/instance/beacon_threshold", json!(4)),
            ]),
            one("/instance/n", json!(64)),
            "instance.n: a committee of 64",
        ),
        (I, "f", Says("it is checked against n"), one("/instance/f", json!(2)), "instance.f: 2, but n = 4"),
        (
            I,
            "byzantine",
            changes("/instance/byzantine", json!(2)).more(&[("/instance/honest", json!([1, 1]))]),
            one("/instance/byzantine", json!(4)),
            "instance.byzantine: 4 of 4",
        ),
        (
            I,
            "quorum",
            Says("the rule gives it"),
            one("/instance/quorum", json!(2)),
            "instance.quorum: 2, but",
        ),
        (
            I,
            "beacon_threshold",
            Changes(honest(2, 1), with(honest(2, 1), &[("/instance/beacon_threshold", json!(4))])),
            one("/instance/beacon_threshold", json!(4)),
            "instance.beacon_threshold: it changes nothing: all shares of the first round",
        ),
        (
            I,
            "exposed",
            Changes(honest(2, 1), with(honest(2, 1), &[("/instance/exposed", json!(1))])),
            vec![("/instance/exposed", json!(1)), ("/instance/honest", json!([2, 1]))],
            "instance.exposed: a member of a group cannot be exposed alone",
        ),
        (
            I,
            "honest",
            changes("/instance/honest", json!([2, 1])),
            one("/instance/honest", json!([1, 1])),
            "instance.honest: the groups [1, 1] are not the 3 honest members",
        ),
        (
            I,
            "rounds",
            Changes(honest(1, 1), honest(2, 1)),
            one("/instance/rounds", json!(3)),
            "instance.blocks: (2, 0) has no generator",
        ),
        (
            I,
            "subrounds",
            changes("/instance/subrounds", json!(2)),
            one("/instance/subrounds", json!(5)),
            "instance.subrounds: 5 is out of range",
        ),
        (
            I,
            "blocks",
            Changes(vec![], honest(1, 1)),
            one("/instance/blocks", json!([])),
            "instance.blocks: (1, 0) has no generator",
        ),
        (
            I,
            "network",
            changes("/instance/network", json!("synchronous")),
            vec![("/instance/network", json!("synchronous")), ("/instance/subrounds", json!(2))],
            "instance.blocks: (1, 1) has no generator",
        ),
        (
            I,
            "restarts",
            changes("/instance/restarts", json!(1)),
            one("/instance/restarts", json!(16)),
            "instance.restarts: 16 is too many",
        ),
        (
            I,
            "restarts_behind",
            Changes(
                with(honest(1, 1), &[("/instance/restarts", json!(1))]),
                with(
                    honest(1, 1),
                    &[("/instance/restarts", json!(1)), ("/instance/restarts_behind", json!(true))],
                ),
            ),
            one("/instance/restarts_behind", json!(true)),
            "instance.restarts_behind: no miner restarts",
        ),
        (
            I,
            "observers",
            changes("/instance/observers", json!(1)),
            vec![
                ("/instance/observers", json!(1)),
                ("/instance/rules/finality", json!({ "CommonAncestor": { "depth": 1 } })),
            ],
            "instance.observers: it changes nothing: no block can become final",
        ),
        (
            I,
            "reserved_rounds",
            Changes(
                with(honest(2, 1), &[good()]),
                with(honest(2, 1), &[good(), ("/instance/reserved_rounds", json!(1))]),
            ),
            one("/instance/reserved_rounds", json!(1)),
            "instance.reserved_rounds: this network has no good period",
        ),
        (
            I,
            "reserved_subrounds",
            Changes(
                with(honest(1, 2), &[good()]),
                with(honest(1, 2), &[good(), ("/instance/reserved_subrounds", json!(1))]),
            ),
            one("/instance/reserved_subrounds", json!(1)),
            "instance.reserved_subrounds: this network has no good period",
        ),
        (
            I,
            "rules",
            Says("each is toggled below"),
            one("/instance/rules/parent", json!("?")),
            "unknown variant",
        ),
        (
            I,
            "fault",
            changes("/instance/fault", json!("QuorumOneLess")).more(&[("/instance/quorum", json!(2))]),
            one("/instance/fault", json!("VotesVolatile")),
            "instance.fault: it changes nothing: no miner restarts",
        ),
        (I, "reductions", Says("each is below"), one("/instance/reductions", json!(1)), "invalid type"),
        (
            "/instance/reductions",
            "byzantine_available",
            changes("/instance/reductions/byzantine_available", json!(false)),
            vec![
                ("/instance/reductions/byzantine_available", json!(false)),
                ("/instance/network", json!("synchronous")),
            ],
            "instance.reductions: a synchronous network",
        ),
        (
            "/instance/reductions",
            "eager",
            Changes(honest(1, 1), with(honest(1, 1), &[("/instance/reductions/eager", json!(false))])),
            vec![("/instance/reductions/eager", json!(false)), ("/instance/network", json!("synchronous"))],
            "instance.reductions: a synchronous network",
        ),
        (
            "/instance/reductions",
            "symmetry",
            changes("/instance/reductions/symmetry", json!(true)),
            vec![
                ("/instance/reductions/symmetry", json!(true)),
                ("/instance/byzantine", json!(3)),
                ("/instance/honest", json!([1])),
            ],
            "instance.reductions.symmetry: it changes nothing: no two miners are interchangeable",
        ),
        (
            "/instance/reductions",
            "counting",
            Changes(honest(1, 2), with(honest(1, 2), &[("/instance/reductions/counting", json!(true))])),
            vec![
                ("/instance/reductions/counting", json!(true)),
                ("/instance/restarts", json!(1)),
                ("/instance/restarts_behind", json!(true)),
            ],
            "instance.reductions.counting: it changes nothing: miners that forget",
        ),
        (
            "/instance/reductions",
            "lazy",
            Changes(honest(1, 2), with(honest(1, 2), &[("/instance/reductions/lazy", json!(true))])),
            one("/instance/reductions/lazy", json!(true)),
            "instance.reductions.lazy: it changes nothing: nobody times out of the only subround",
        ),
        // The instance has blocks at these places only.
        (
            "/instance/blocks/2",
            "name",
            Says("checked"),
            one("/instance/blocks/2/name", json!("B")),
            "is called B",
        ),
        (
            "/instance/blocks/2",
            "round",
            Says("checked"),
            one("/instance/blocks/2/round", json!(2)),
            "out of range",
        ),
        (
            "/instance/blocks/2",
            "subround",
            Says("checked"),
            one("/instance/blocks/2/subround", json!(1)),
            "out of range",
        ),
        (
            "/instance/blocks/2",
            "rank",
            Says("checked"),
            one("/instance/blocks/2/rank", json!(2)),
            "is called B(1,0)#1",
        ),
        (
            "/instance/blocks/2",
            "twin",
            Says("checked"),
            one("/instance/blocks/2/twin", json!(1)),
            "second twin",
        ),
        (
            "/instance/blocks/2",
            "generator",
            Changes(
                with(honest(1, 1), &[("/instance/reductions/eager", json!(false))]),
                with(
                    honest(1, 1),
                    &[
                        ("/instance/reductions/eager", json!(false)),
                        ("/instance/blocks/0/generator", json!("byzantine")),
                    ],
                ),
            ),
            one("/instance/blocks/2/generator", json!("outsider")),
            "instance.blocks: it changes nothing: a block is proposed with its first ticket",
        ),
    ]
}

impl Toggle {
    /// The changed instance has these, too.
    fn more(self, more: &[(&'static str, Value)]) -> Self {
        match self {
            Changes(before, after) => Changes(before, with(after, more)),
            Says(why) => Says(why),
        }
    }
}
