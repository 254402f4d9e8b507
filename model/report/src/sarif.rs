//! A report as SARIF 2.1.0, for code scanning: each verdict that is not as expected, at the line of the scenario file
//! that expects it, with the run as a code flow. An expected verdict is no finding, also where a property is expected to
//! be violated.

use super::{Report, RunReport, ScenarioReport};
use crate::mutants::MutantResult;
use serde_json::json;
use serde_sarif::sarif::{
    ArtifactLocation, CodeFlow, Location, LogicalLocation, Message, MultiformatMessageString,
    PhysicalLocation, Region, ReportingDescriptor, Result as Finding, ResultLevel, Run, Sarif, ThreadFlow,
    ThreadFlowLocation, Tool, ToolComponent,
};
use std::collections::BTreeMap;
use zus_checker::{committed, search::check::Standing};
use zus_output::plain;

/// The rule of a pinned number of states that is another one.
const STATES: (&str, &str) =
    ("states", "the number of unique states is the pinned one, and every state was seen");
/// The rule of a mutant that is not caught.
const MUTANT: (&str, &str) = ("mutant", "a changed rule breaks the property that it is said to break");
/// The rule of what differs from an earlier report.
const BASELINE: (&str, &str) = ("baseline", "nothing differs from an earlier report");
/// The rule of input that cannot be used.
const INPUT: (&str, &str) = ("input", "the input can be used");
/// Where the format is described.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the report.
pub fn write(report: &Report) -> Result<String, serde_json::Error> {
    let mut rules: Vec<ReportingDescriptor> = Vec::new();
    let mut findings = Vec::new();
    for scenario in &report.scenarios {
        for p in scenario.properties.iter().filter(|p| p.standing > Standing::Sampled) {
            let id = p.property.id();
            let text = format!("{}: {}", scenario.name, p.sentence());
            let place = place(&scenario.path, p.line);
            let of = (format!("{}/{id}", scenario.name), p.standing);
            findings.push(finding(
                rule(&mut rules, id, p.property.text()),
                id,
                of,
                &text,
                &place,
                p.run.as_ref(),
            ));
        }
        findings.extend(exploration(scenario, &mut rules));
    }
    for mutant in report.mutants.iter().filter(|m| m.standing > Standing::Sampled) {
        findings.push(survivor(mutant, &mut rules));
    }
    let changes =
        report.compared.iter().flat_map(|compared| compared.changes.iter().map(move |c| (compared, c)));
    for (compared, change) in changes {
        let path = report.scenarios.iter().find(|s| s.name == change.of).map(|s| s.path.as_str());
        let place = place(path.unwrap_or(&compared.against), 1);
        let of = (format!("baseline/{}/{}", change.of, change.what), Standing::Differs);
        let mut finding = finding(
            rule(&mut rules, BASELINE.0, BASELINE.1),
            BASELINE.0,
            of,
            &change.sentence(),
            &place,
            None,
        );
        if !compared.required {
            finding.level = Some(ResultLevel::Note);
        }
        findings.push(finding);
    }
    if let Some(error) = &report.error {
        let place = place(error.path.as_deref().unwrap_or("."), error.line.unwrap_or(1));
        let of = ("input".to_owned(), Standing::Differs);
        findings.push(finding(rule(&mut rules, INPUT.0, INPUT.1), INPUT.0, of, &error.message, &place, None));
    }
    let (name, version) = report.tool.split_once(' ').unwrap_or((&report.tool, "0"));
    let driver = ToolComponent::builder().name(name).semantic_version(version).rules(rules).build();
    let run = Run::builder().tool(Tool::builder().driver(driver).build()).results(findings).build();
    let log = Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(vec![run]).build();
    Ok(plain::json(&serde_json::to_string_pretty(&log)?).into_owned() + "\n")
}

/// The index of a rule, which is taken up where it is new.
fn rule(rules: &mut Vec<ReportingDescriptor>, id: &str, says: &str) -> i64 {
    let known = rules.iter().position(|rule| rule.id == id);
    let at = known.unwrap_or_else(|| {
        let says = MultiformatMessageString::builder().text(says).build();
        rules.push(ReportingDescriptor::builder().id(id).short_description(says).build());
        rules.len() - 1
    });
    at as i64
}

fn exploration(scenario: &ScenarioReport, rules: &mut Vec<ReportingDescriptor>) -> Option<Finding> {
    if scenario.exploration <= Standing::Sampled {
        return None;
    }
    let asked = scenario
        .pinned
        .map_or("every state is asked for".into(), |pinned| format!("{pinned} states are pinned"));
    let text = format!("{}: {asked}, {} were found", scenario.name, scenario.unique);
    let of = (format!("{}/{}", scenario.name, STATES.0), scenario.exploration);
    Some(finding(rule(rules, STATES.0, STATES.1), STATES.0, of, &text, &place(&scenario.path, 1), None))
}

fn survivor(mutant: &MutantResult, rules: &mut Vec<ReportingDescriptor>) -> Finding {
    let (path, list) = committed::mutants();
    let id = format!("id = \"{}\"", mutant.id);
    let line = list.lines().position(|line| line.trim() == id).map_or(1, |at| at + 1);
    let why = mutant.why.as_deref().unwrap_or("it is not caught");
    let text = format!(
        "mutant {} ({}), which is said to break {}: {why}",
        mutant.id,
        mutant.name,
        mutant.property.id()
    );
    let of = (format!("mutant/{}", mutant.id), mutant.standing);
    finding(rule(rules, MUTANT.0, MUTANT.1), MUTANT.0, of, &text, &place(&path, line), mutant.run.as_ref())
}

fn finding(
    rule: i64,
    id: &str,
    (of, standing): (String, Standing),
    text: &str,
    place: &PhysicalLocation,
    run: Option<&RunReport>,
) -> Finding {
    let level = if standing == Standing::Differs { ResultLevel::Error } else { ResultLevel::Warning };
    let mut finding = Finding::builder()
        .rule_id(id)
        .rule_index(rule)
        .level(level)
        .message(message(text))
        .locations(vec![Location::builder().physical_location(place.clone()).build()])
        .partial_fingerprints(BTreeMap::from([("expectation/v1".to_owned(), of)]))
        .build();
    finding.code_flows = run.map(|run| vec![flow(run, place)]);
    finding
}

/// The run, step by step. Its steps have no place in a file but that of the expectation.
fn flow(run: &RunReport, place: &PhysicalLocation) -> CodeFlow {
    let steps = run.steps.iter().enumerate().map(|(index, step)| {
        let who = step.who.iter().filter_map(|&who| run.participants.get(who));
        let who =
            who.map(|name| LogicalLocation::builder().name(plain::line(name)).build()).collect::<Vec<_>>();
        let mut location =
            Location::builder().message(message(&step.says)).physical_location(place.clone()).build();
        location.logical_locations = (!who.is_empty()).then_some(who);
        ThreadFlowLocation::builder().location(location).execution_order(index as i64 + 1).build()
    });
    let steps = ThreadFlow::builder().locations(steps.collect::<Vec<_>>()).build();
    let again = run.again.as_deref().unwrap_or_default();
    CodeFlow::builder()
        .message(message(&format!("{} ({again})", run.because)))
        .thread_flows(vec![steps])
        .build()
}

fn message(text: &str) -> Message {
    Message::builder().text(shown(text)).build()
}

/// Text of a message in which nothing is hidden, and nothing is a link: `[text](target)` is one there, unless its brackets are
/// escaped.
fn shown(text: &str) -> String {
    let text = plain::text(text);
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_escape = character == '\\' && matches!(characters.peek(), Some('\\' | '[' | ']'));
        if is_escape || matches!(character, '[' | ']') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// A line of a file.
fn place(path: &str, line: usize) -> PhysicalLocation {
    let file = match path.strip_prefix('/') {
        Some(absolute) => ArtifactLocation::builder().uri(format!("file:///{}", encoded(absolute))).build(),
        None => ArtifactLocation::builder().uri(encoded(path)).uri_base_id("%SRCROOT%").build(),
    };
    let region = Region::builder().start_line(line.max(1) as i64).build();
    PhysicalLocation::builder().artifact_location(file).region(region).build()
}

/// A path as part of a URI.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                out.push(byte as char)
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_message_hides_nothing_and_links_nowhere() {
        for (text, written) in [
            ("S2 holds, as expected", "S2 holds, as expected"),
            ("[x](https://evil)", r"\[x\](https://evil)"),
            // Text that is escaped already does not become a link.
            (r"\[x\](y)", r"\\\[x\\\](y)"),
            (r"\\[x]", r"\\\\\[x\]"),
            ("a\u{202e}b\u{1b}[2K\nfix", "a\\u{202e}b\\u{1b}\\[2K\nfix"),
            (r"C:\a\b", r"C:\a\b"),
        ] {
            assert_eq!(shown(text), written, "{text}");
            // The text as a reader of the format shows it, which takes the escapes back.
            let mut read = String::new();
            let mut characters = written.chars().peekable();
            while let Some(character) = characters.next() {
                let escaped =
                    characters.next_if(|next| character == '\\' && matches!(next, '\\' | '[' | ']'));
                assert!(escaped.is_some() || !matches!(character, '[' | ']'), "{written}");
                read.push(escaped.unwrap_or(character));
            }
            assert_eq!(read, zus_output::plain::text(text));
        }
    }
}
