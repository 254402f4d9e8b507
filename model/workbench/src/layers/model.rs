//! The specification: which properties hold in every state of small instances, safety and liveness apart.

use super::{Context, Found, drawn, word};
use crate::{
    Failure,
    report::{Answer, MAX_BYTES, Row},
    rules::value_of_scenario,
};
use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};
use zus_output::{bounded, plain, whole};
use zus_report::{PropertyReport, Report, ScenarioReport};

/// A small instance: its name, its part of a scenario file, the properties that are asked, and the witnesses without which they
/// would say nothing. A premise of a property is looked for in any case.
type Instance = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

const SAFETY: [Instance; 9] = [
    (
        "one-round",
        "byzantine = 1\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]",
        &["S1", "S2", "S5", "S6", "S8", "S10"],
        &["final", "W1"],
    ),
    (
        "two-rounds",
        "byzantine = 1\nrounds = 2\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]",
        &["S1", "S2", "S3", "S5", "S6", "S8", "S9", "S10"],
        &["final", "child"],
    ),
    (
        "no-fault",
        "byzantine = 0\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"honest\", \"honest\"]]",
        &["S1", "S2", "S5", "S6", "S8", "S10"],
        &["final"],
    ),
    (
        "restart",
        "byzantine = 1\nrestarts = 1\nrounds = 1\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]",
        &["S1", "S2", "S5", "S6", "S10"],
        &["final"],
    ),
    (
        "restart-behind",
        "byzantine = 1\nrestarts = 1\nrestarts_behind = true\nrounds = 1\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"byzantine\"], [\"honest\"]]",
        &["S1", "S2", "S5", "S6", "S10"],
        &["final"],
    ),
    (
        "outsider",
        "byzantine = 1\nrounds = 1\nsubrounds = 1\noutsider = true\ntwins = 1\nnetwork = \"async\"\nreductions.eager = false\ngenerators = [[\"byzantine\", \"honest\"]]",
        &["S2", "S4", "S8"],
        &["notarized"],
    ),
    (
        "observers",
        "byzantine = 1\nrounds = 2\nsubrounds = 1\nobservers = 1\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]",
        &["S5", "S6", "S7"],
        &["final"],
    ),
    // Two chains that grow in alternate subrounds: deep enough for rules that go by the depth of a block.
    (
        "four-rounds",
        "byzantine = 1\nrounds = 4\nsubrounds = 2\nnetwork = \"async\"\ngenerators = [[\"honest\"]]",
        &["S1", "S5", "S6", "S10"],
        &["final", "child"],
    ),
    (
        "exposed",
        "byzantine = 1\nexposed = 1\nrounds = 2\nsubrounds = 1\nnetwork = \"async\"\ngenerators = [[\"byzantine\", \"honest\"]]",
        &["S9", "S11"],
        &["W10"],
    ),
];

const LIVENESS: [Instance; 2] = [
    (
        "good-period",
        "byzantine = 1\nrounds = 2\nsubrounds = 3\nnetwork = \"partially_synchronous\"\ngenerators = [[\"byzantine\", \"honest\"], [\"byzantine\", \"honest\"], [\"honest\"]]\n\n[[order]]\nround = 2\nsubround = 0\nranks = [\"honest\"]",
        &["L1", "L2", "L3", "L4", "L5"],
        &["final"],
    ),
    (
        "good-period-restart",
        "byzantine = 1\nrestarts = 1\nrounds = 2\nsubrounds = 2\nreserved_rounds = 0\nnetwork = \"partially_synchronous\"\ngenerators = [[\"honest\"]]",
        &["L1", "L2", "L3", "L4", "L5"],
        &["final"],
    ),
];

/// Bounds of one instance: beyond them it is undecided.
const BOUNDS: [&str; 4] = ["--max-states", "5000000", "--max-memory", "2GiB"];

pub fn safety(context: &Context) -> Result<Found, Failure> {
    ask(context, "model", &SAFETY)
}

pub fn liveness(context: &Context) -> Result<Found, Failure> {
    ask(context, "liveness", &LIVENESS)
}

fn ask(context: &Context, layer: &str, instances: &[Instance]) -> Result<Found, Failure> {
    let mut found = Found::default();
    let mut tried: Vec<Tried> = Vec::new();
    for instance in instances {
        tried.push(explored(context, instance, &mut found.files)?);
    }
    let mut properties: Vec<&str> = instances.iter().flat_map(|instance| instance.2).copied().collect();
    properties.sort_by_key(|id| (id.as_bytes()[0], id[1..].parse::<u32>().unwrap_or_default()));
    properties.dedup();
    for id in properties {
        let row = row(context, layer, id, &tried, &mut found.files);
        found.rows.push(row);
    }
    let states: u64 =
        tried.iter().filter_map(|tried| tried.report.as_ref()).map(|report| report.unique).sum();
    let idle: Vec<&String> = tried.iter().flat_map(|tried| &tried.idle).collect();
    let mut says = format!("{} instances, {states} states", tried.len());
    if let Some(idle) = idle.first() {
        let _ = write!(
            says,
            "; {} of them without a rule that changes nothing there: {idle}",
            idle_instances(&tried)
        );
    }
    let cut: Vec<&str> = tried.iter().filter(|tried| tried.cut().is_some()).map(|tried| tried.name).collect();
    let mut searched = Row::new(layer, "searched", Answer::Holds, says, &command(context, "*"));
    searched.witness = Some("every state of each, and the premises of what holds".into());
    if !cut.is_empty() {
        searched.answer = Answer::Undecided;
        searched.witness = None;
        let _ = write!(searched.says, "; not every state of {}: {}", cut.join(", "), BOUNDS.join(" "));
    }
    for tried in &tried {
        let states = tried.report.as_ref().map_or("none".into(), |report| report.unique.to_string());
        searched.facts.insert(format!("states of {}", tried.name), states);
    }
    if idle_instances(&tried) == tried.len() && !context.rules.changes.is_empty() {
        searched.answer = Answer::NotExpressible;
        searched.witness = None;
        searched.says = format!("no instance of this layer shows what the rule changes: {}", idle[0]);
        // They were judged without the rule: nothing that holds there is said of it.
        for row in found.rows.iter_mut().filter(|row| row.answer == Answer::Holds) {
            row.answer = Answer::NotExpressible;
            row.witness = None;
            row.says = format!("no instance shows the rule; without it: {}", row.says);
        }
    }
    found.rows.push(searched);
    Ok(found)
}

fn idle_instances(tried: &[Tried]) -> usize {
    tried.iter().filter(|tried| !tried.idle.is_empty()).count()
}

/// An instance under the rules.
struct Tried {
    name: &'static str,
    /// The results, unless the instance is none under the rules.
    report: Option<ScenarioReport>,
    /// Why it is none.
    refused: Option<String>,
    /// Rules that change nothing in it, and were left out.
    idle: Vec<String>,
    /// Properties that nothing in it can violate under the rules, and why.
    unasked: BTreeMap<String, String>,
    traces: PathBuf,
}

impl Tried {
    /// The number of states at which a bound ended the search, if one did.
    fn cut(&self) -> Option<u64> {
        self.report.as_ref().filter(|report| report.rest.is_some()).map(|report| report.unique)
    }
}

/// Explores it. Where the checker refuses a rule because it changes nothing, or an expectation because nothing can violate it, that
/// is left out, and named.
fn explored(
    context: &Context,
    (name, body, asked, witnesses): &Instance,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<Tried, Failure> {
    let out = context.scratch.join(name);
    let file = context.scratch.join(format!("{name}.toml"));
    let mut tried = Tried {
        name,
        report: None,
        refused: None,
        idle: Vec::new(),
        unasked: BTreeMap::new(),
        traces: out.join("traces"),
    };
    let mut changes = context.rules.changes.clone();
    let mut expect: Vec<(&str, &str)> = asked.iter().map(|id| (*id, "holds")).collect();
    expect.extend(witnesses.iter().map(|id| (*id, "reachable")));
    // Each time one line less.
    loop {
        let text = scenario(&context.rules.profile, name, body, &changes, &expect);
        whole::write(&file, &text).map_err(Failure::Scratch)?;
        let (file, out) = (word(&file), word(&out));
        let mut arguments =
            vec!["check", &file, "--format", "json", "--out", &out, "--threads", "1", "--quiet"];
        arguments.extend(BOUNDS);
        let done = context.tools.run("zus", &arguments)?;
        let Ok(report) = serde_json::from_str::<Report>(&done.stdout) else {
            return Err(Failure::Tool(done.command.clone(), done.why()));
        };
        let Some(error) = report.error else {
            files.insert(format!("instances/{name}.toml"), text.into_bytes());
            tried.report = report.scenarios.into_iter().next();
            return Ok(tried);
        };
        let line = error.line.and_then(|line| text.lines().nth(line - 1)).unwrap_or_default();
        let key = line.split('=').next().unwrap_or_default().trim();
        let why = error.message.lines().next().unwrap_or_default();
        let why = why.split_once(": ").map_or(why, |(_, rest)| rest).to_owned();
        if let Some(at) =
            changes.iter().position(|(rule, _)| rule == key && why.contains("it changes nothing"))
        {
            changes.remove(at);
            tried.idle.push(why);
        } else if let Some(at) = expect.iter().position(|(id, _)| *id == key) {
            tried.unasked.insert(expect.remove(at).0.to_owned(), why);
        } else if changes.iter().any(|(rule, _)| rule == key || why.starts_with(&format!("rules.{rule}")))
            || line.starts_with("[rules]")
        {
            return Err(Failure::Rules(error.message));
        } else {
            tried.refused = Some(why);
            return Ok(tried);
        }
        if expect.is_empty() {
            tried.refused = Some("nothing is left to ask".into());
            return Ok(tried);
        }
    }
}

fn scenario(
    profile: &str,
    name: &str,
    body: &str,
    changes: &[(String, String)],
    expect: &[(&str, &str)],
) -> String {
    let mut text = format!(
        "question = \"What holds in the instance {name}?\"\nprofile = \"{profile}\"\nn = 4\n{body}\n"
    );
    if !changes.is_empty() {
        text.push_str("\n[rules]\n");
    }
    for (rule, value) in changes {
        let _ = writeln!(text, "{rule} = {}", value_of_scenario(value));
    }
    text.push_str("\n[expect]\n");
    for (id, verdict) in expect {
        let _ = writeln!(text, "{id} = \"{verdict}\"");
    }
    text
}

fn command(context: &Context, name: &str) -> String {
    let file = context.out.join("instances").join(format!("{name}.toml"));
    // The star is for the shell.
    let quoted = if name == "*" { plain::path(&file) } else { plain::quoted_path(&file) };
    format!("zus check -v {quoted}")
}

/// One property in all instances that ask for it.
fn row(
    context: &Context,
    layer: &str,
    id: &str,
    tried: &[Tried],
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Row {
    let mut verdicts: Vec<(&Tried, &PropertyReport)> = Vec::new();
    for tried in tried {
        let of = tried.report.iter().flat_map(|report| &report.properties);
        verdicts.extend(of.filter(|property| property.property.id() == id).map(|property| (tried, property)));
    }
    let words = |property: &PropertyReport| property.found.to_string();
    let violated = verdicts.iter().filter(|(_, property)| words(property) == "violated");
    let steps = |property: &PropertyReport| property.run.as_ref().map_or(usize::MAX, |run| run.steps.len());
    let shortest = violated.min_by_key(|(_, property)| steps(property));
    let undecided =
        verdicts.iter().find(|(_, property)| words(property) != "holds" || property.vacuous.is_some());
    // An instance that was judged without the rule is no evidence for it.
    let showing: Vec<_> = verdicts.iter().filter(|(tried, _)| tried.idle.is_empty()).copied().collect();
    let mut row = if let Some((tried, property)) = shortest {
        let because = property.run.as_ref().map_or(property.text.as_str(), |run| run.because.as_str());
        let because = because.strip_prefix(&format!("{id}: ")).unwrap_or(because);
        let says = format!("{}, in {} steps: {because}", tried.name, steps(property));
        let mut row = Row::new(layer, id, Answer::Violated, says, &command(context, tried.name));
        let trace = tried.traces.join(format!("{}-{id}.json", tried.name));
        row.run = drawn(context, &trace, &format!("{layer}-{id}"), files);
        row
    } else if let Some((tried, property)) = undecided {
        let why = property.vacuous.clone().unwrap_or_else(|| match tried.cut() {
            Some(states) => format!("the search hit its bound ({}) after {states} states", BOUNDS.join(" ")),
            None => words(property),
        });
        let says = format!("{}: {why}", tried.name);
        Row::new(layer, id, Answer::Undecided, says, &command(context, tried.name))
    } else if let Some((_, property)) = verdicts.first().filter(|_| showing.is_empty()) {
        // Judged without the rule: the property holds there, and nothing is said of the rule.
        let why = format!("no instance that asks for it shows the rule; without it: {}", property.text);
        Row::new(layer, id, Answer::NotExpressible, why, &command(context, "*"))
    } else if let Some((first, property)) = showing.first() {
        let names: Vec<&str> = showing.iter().map(|(tried, _)| tried.name).collect();
        let says = format!("{}; in {}", property.text, names.join(", "));
        let mut row = Row::new(layer, id, Answer::Holds, says, &command(context, first.name));
        row.witness = witness(&showing);
        if row.witness.is_none() {
            row.answer = Answer::Undecided;
            row.says = format!("{}: no witness is reachable", row.says);
        }
        row
    } else {
        let why = tried.iter().find_map(|tried| tried.unasked.get(id).or(tried.refused.as_ref()));
        let why = why.map_or("no instance asks for it", String::as_str);
        Row::new(layer, id, Answer::NotExpressible, why, &command(context, "*"))
    };
    for (tried, property) in &verdicts {
        row.facts.insert(format!("in {}", tried.name), words(property));
    }
    row
}

/// The situations that were reached in the instances in which it holds.
fn witness(verdicts: &[(&Tried, &PropertyReport)]) -> Option<String> {
    let reached =
        verdicts.iter().flat_map(|(tried, _)| tried.report.iter().flat_map(|report| &report.properties));
    let mut reached: Vec<&str> = reached
        .filter(|property| property.found.to_string() == "reachable")
        .map(|property| property.property.id())
        .collect();
    reached.sort_unstable();
    reached.dedup();
    (!reached.is_empty()).then(|| format!("{} reachable", reached.join(", ")))
}

/// The report in a file that a program of the rooms wrote.
pub(super) fn report_of(path: &std::path::Path) -> Result<Report, String> {
    let text = bounded::text(path, MAX_BYTES).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}
