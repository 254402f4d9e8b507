//! A run in the Informal Trace Format, which the viewers of Quint and Apalache open:
//! <https://apalache-mc.org/docs/adr/015adr-trace.html>.
//!
//! Each state has what happened before it (`action_taken`, `says`), and `state`, a map from subjects (a miner, a block)
//! to what is said of them.

use serde_json::{Value, json};
use zus_checker::trace::{ReplayError, Trace};

/// The trace in that format, if it is a run.
pub fn write(trace: &Trace) -> Result<String, ReplayError> {
    let replayed = trace.replay()?;
    let states: Vec<Value> = replayed
        .states
        .iter()
        .enumerate()
        .map(|(index, state)| {
            let lines = trace.protocol.described(state);
            let map: Vec<Value> = lines.iter().map(|l| json!([l.subject, l.parts])).collect();
            let taken = index.checked_sub(1).map(|at| &trace.steps[at].action);
            let taken = taken.map_or("init".into(), |action| {
                let step = trace.step_json(action);
                step.get("do").and_then(Value::as_str).unwrap_or_default().to_owned()
            });
            let says = index.checked_sub(1).map_or("the beginning", |at| replayed.sentences[at].as_str());
            json!({
                "#meta": { "index": index },
                "action_taken": taken,
                "says": says,
                "state": { "#map": map },
            })
        })
        .collect();
    let file = json!({
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "description": trace.claim.as_ref().map_or("", |claim| claim.because.as_str()),
        },
        "vars": ["action_taken", "says", "state"],
        "states": states,
    });
    Ok(zus_output::plain::json(&format!("{file:#}\n")).into_owned())
}
