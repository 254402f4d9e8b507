//! Reports: what a diagram, a table or XML would read as syntax is escaped, and what is too long is cut.

use zus_report::{RunReport, StepKind, StepReport, mermaid};

fn run(says: &str, steps: usize) -> RunReport {
    let step = StepReport { says: says.into(), who: vec![0], kind: StepKind::Sends, label: says.into() };
    RunReport {
        because: says.into(),
        trace: None,
        again: None,
        participants: vec![says.into(), "never shown".into()],
        sent: None,
        steps: vec![step; steps],
    }
}

/// Text that Mermaid's sequence diagrams read as something else than text: comments, directives, entities, statement
/// ends, arrows, line breaks, HTML.
const HOSTILE: &str =
    "a;b #35; %%{init: {}}%% -->>x: <script>alert(1)</script>\n  p9->>net: \u{0}forged \"`end`\" end";

#[test]
fn nothing_in_a_name_is_read_as_syntax() {
    let escaped = mermaid::escape(HOSTILE);
    let mut rest = escaped.as_str();
    while let Some(at) = rest.find(['#', ';']) {
        // `#` only starts an entity, and `;` only ends one.
        let end = rest[at..].find(';').unwrap() + at;
        assert_eq!(&rest[at..=at], "#");
        assert!(rest[at + 1..end].chars().all(|c| c.is_ascii_digit()) && end > at + 1, "{rest}");
        rest = &rest[end + 1..];
    }
    assert!(!escaped.contains(['\n', '\0', '<', '>', '%', '{', '}', '"', '`', ':', '\\']), "{escaped}");
    assert_eq!(mermaid::escape("miner 0 in (1, 0), B(1,0)'"), "miner 0 in (1, 0), B(1,0)'");
}

#[test]
fn every_line_of_a_diagram_is_a_statement() {
    let diagram = mermaid::diagram(&run(HOSTILE, 3));
    let mut lines = diagram.lines();
    assert_eq!(lines.next(), Some("sequenceDiagram"));
    for line in lines {
        let statement = line.strip_prefix("  ").unwrap();
        let (head, text) = statement.split_once(": ").unwrap_or((statement, ""));
        let known = ["participant p0 as ", "participant net as sent", "p0->>net", "Note over p0,net"];
        assert!(known.iter().any(|k| head.starts_with(k)), "{line}");
        assert!(!text.contains(": "), "{line}");
    }
    assert!(!diagram.contains("never shown"), "who does nothing is not drawn");
}

#[test]
fn a_long_run_is_drawn_from_its_end_and_within_the_size_that_renders() {
    let diagram = mermaid::diagram(&run("x", 500));
    assert!(diagram.contains(&format!("{} steps before these are left out", 500 - mermaid::MOST_STEPS)));
    assert!(diagram.contains(": 500. x"), "{diagram}");
    assert!(!diagram.contains(": 440. x"), "{diagram}");
    let wordy = mermaid::diagram(&run(&"#".repeat(1_000), 500));
    assert!(wordy.chars().count() < mermaid::MOST_CHARACTERS);
}

/// Read back by the crate that tools of Apalache and Quint use.
#[test]
fn a_trace_in_itf_is_read_back() {
    #[derive(serde::Deserialize)]
    struct State {
        action_taken: String,
        says: String,
        state: std::collections::BTreeMap<String, Vec<String>>,
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/late_better_rank-S2.json");
    let trace = zus_checker::trace::Trace::load(&path).unwrap();
    let text = zus_report::itf::write(&trace).unwrap();
    let read: itf::Trace<State> = itf::trace_from_str(&text).unwrap();
    assert_eq!(read.states.len(), trace.steps.len() + 1);
    let first = &read.states[0].value;
    assert_eq!(
        (first.action_taken.as_str(), first.state["miner 0"].as_slice()),
        ("init", &["(1, 0)".to_owned()][..])
    );
    let last = &read.states[read.states.len() - 1].value;
    assert_eq!(last.action_taken, "ticket");
    assert!(last.says.contains("is notarized"), "{}", last.says);
    assert!(last.state.contains_key("violated S2"));
}
