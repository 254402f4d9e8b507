//! The page's sections. Every text goes through `maud`, which escapes it.

use super::{Part, Parts, Runs, figures, matrix};
use crate::mutants::MutantResult;
use crate::{Method, PropertyReport, ScenarioReport, text};
use maud::{Markup, html};
use zus_checker::{
    committed,
    properties::Property,
    scenario::{Change, Engine},
    search::check::{Found, Standing},
};
use zus_output::plain::{quoted, quoted_path};

/// The body of the page.
pub(super) fn body(parts: &Parts, runs: &mut Runs) -> Markup {
    let first = featured(parts, runs);
    html! {
        header.top {
            h1 { "Züs block production: what was checked" }
            (summary(parts))
            @if let Some(first) = first { (first) }
            nav {
                a href="#matrix" { "Safety matrix" } a href="#scenarios" { "Scenarios" } a href="#mutants" { "Mutants" }
                a href="#ledger" { "Ledger" } a href="#figures" { "Figures" }
                button type="button" id="theme" title="Light or dark" { "◐" }
            }
            p.hint { "This page is made by " code { (parts.command) } ". Every verdict that was found by a run opens it." }
        }
        main {
            (matrix_section(parts, runs))
            (scenarios(parts, runs))
            (mutants(parts, runs))
            (ledger(parts))
            (figures::section(parts))
        }
        dialog.run id="dialog" { div id="view" {} }
    }
}

/// One line of numbers, and what is wrong, if anything is.
fn summary(parts: &Parts) -> Markup {
    let all = [&parts.check, &parts.mutants];
    let sum = |of: fn(&crate::Summary) -> usize| -> usize {
        all.iter().copied().flatten().map(|p| of(&p.report.summary)).sum()
    };
    let states: u64 = all.iter().copied().flatten().map(|p| p.report.summary.unique).sum();
    let differ = sum(|s| s.differ) + sum(|s| s.incomplete);
    html! {
        p.numbers {
            strong { (sum(|s| s.as_expected)) } " verdicts as expected, "
            strong.bad[differ > 0] { (differ) } " not, "
            strong { (sum(|s| s.sampled)) } " sampled only; "
            strong { (text::grouped(states)) } " unique states."
        }
    }
}

/// The runs that a newcomer should see first: how the profiles that are not `hardened` break.
fn featured(parts: &Parts, runs: &mut Runs) -> Option<Markup> {
    let part = parts.check.as_ref()?;
    let mut shown = Vec::new();
    for profile in ["deployed", "documented"] {
        let broken =
            part.report.scenarios.iter().filter(|s| s.profile == profile).flat_map(|s| {
                s.properties.iter().filter(|p| p.found == Found::Violated).map(move |p| (s, p))
            });
        let worst = broken.min_by_key(|(_, p)| match p.property {
            Property::S5 => 0,
            Property::S6 | Property::S2 => 1,
            _ => 2,
        });
        if let Some((scenario, property)) = worst
            && let Some(run) = &property.run
            && let Some(id) = runs.add(part, run)
        {
            shown.push((
                profile,
                scenario.name.clone(),
                property.property,
                run.because.clone(),
                run.steps.len(),
                id,
            ));
        }
    }
    (!shown.is_empty()).then(|| {
        html! {
            ul.featured {
                @for (profile, name, property, because, steps, id) in &shown {
                    li {
                        button type="button" data-run=(id) { "How " (profile) " breaks " (property.id()) }
                        " " (because) " (" (name) ", " (steps) " steps)"
                    }
                }
            }
        }
    })
}

pub(super) fn missing(command: &str) -> Markup {
    html! { p.missing { "Not measured here. Run " code { (command) } } }
}

/// A verdict that opens its run, if there is one; marked where it is not the `expected` one.
fn verdict(p: &PropertyReport, part: &Part, runs: &mut Runs, expected: bool) -> Markup {
    let id = p.run.as_ref().and_then(|run| runs.add(part, run));
    let steps = p.run.as_ref().map(|run| run.steps.len());
    let odd = expected && p.standing == Standing::Differs;
    let words = html! {
        (p.property.id())
        @if p.fault.is_some() || p.vacuous.is_some() { "?" }
        @if p.found.is_of_any_rounds() { " for any rounds" }
        @if let Some(steps) = steps { " in " (steps) }
    };
    let title = match (&p.run, &p.fault) {
        _ if p.vacuous.is_some() => p.sentence(),
        (Some(run), _) => format!("{}: {}", p.found, run.because),
        (None, Some(fault)) => format!("{}, but not to be believed: {fault}", p.found),
        (None, None) if p.found.is_of_any_rounds() => p.sentence(),
        (None, None) => format!("{}: {}", p.found, p.text),
    };
    html! {
        @if let Some(id) = id {
            button.verdict.(p.found.word()).odd[odd] type="button" data-run=(id) title=(title) { (words) }
        } @else {
            span.verdict.(p.found.word()).odd[odd] title=(title) { (words) }
        }
        " "
    }
}

/// How many states, of which engine, and whether these are all.
fn states(s: &ScenarioReport) -> String {
    let scope = s.scope().map_or(String::new(), |scope| format!("{scope}: "));
    let certificates = s.searches.iter().filter(|search| search.engine == Engine::Certificates);
    certificates.fold(scope + &states_of(s), |all, search| match s.engine {
        Engine::Explicit => format!("{all}, and {} of certificates", text::grouped(search.unique)),
        Engine::Certificates => format!("{all} of certificates"),
    })
}

fn states_of(s: &ScenarioReport) -> String {
    match s.method {
        Method::Exhausted => format!("{} states", text::grouped(s.unique)),
        Method::AllFound => format!("{} states, until all was found", text::grouped(s.unique)),
        Method::StateLimit | Method::MemoryLimit => {
            format!("bounded: {} states, more exist", text::grouped(s.unique))
        }
        Method::Sampled { runs, .. } => format!("{} random runs", text::grouped(runs)),
    }
}

fn matrix_section(parts: &Parts, runs: &mut Runs) -> Markup {
    let Some((part, cells)) = &parts.matrix else {
        return html! { section id="matrix" { h2 { "Safety matrix" } (missing("zus report DIR")) } };
    };
    let columns: Vec<&str> = matrix::columns().collect();
    let mut rows: Vec<&str> = cells.iter().map(|c| c.row.as_str()).collect();
    rows.dedup();
    html! {
        section id="matrix" {
            h2 { "Safety matrix" }
            p.hint {
                "Profiles, and hardened with one rule changed, at n = 4. A cell says " em { "holds" } " when every reachable state \
                 was seen and no property broke; else which ones broke, and in how many steps, and of which it is not known. S1 to S6, S8 to S10 are asked, and \
                 L1 to L5 in the columns that become synchronous. All cells: " code { (part.command) }
            }
            div.wide {
                table.matrix {
                    thead { tr { th scope="col" { "rules" } @for c in &columns { th scope="col" { (c) } } } }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" { (row) (elsewhere(parts, cells, row, runs)) }
                                @for column in &columns { (cell(part, cells, row, column, runs)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The properties that a row breaks in a scenario that is larger than its cells, or has other generators, with the name of
/// the scenario. Without it a row would seem to keep the properties that no cell is large enough to break.
fn elsewhere(parts: &Parts, cells: &[matrix::Cell], row: &str, runs: &mut Runs) -> Markup {
    let (Some(check), Some((part, _))) = (&parts.check, &parts.matrix) else { return html! {} };
    let of_row = || cells.iter().filter(|c| c.row == row);
    let rules = of_row().find_map(|c| c.scenario("").ok()).map(|s| s.protocol.rules);
    let broken: Vec<Property> = of_row()
        .filter_map(|c| part.report.scenarios.iter().find(|s| s.name == c.scenario))
        .flat_map(|s| s.properties.iter().filter(|p| p.found == Found::Violated).map(|p| p.property))
        .collect();
    let mut found: Vec<(&ScenarioReport, &PropertyReport)> = Vec::new();
    for scenario in check.report.scenarios.iter().filter(|s| s.faults.byzantine <= s.faults.f) {
        let same = committed::scenario(&scenario.name, &Change::default())
            .is_some_and(|of| of.is_ok_and(|of| Some(&of.protocol.rules) == rules.as_ref()));
        for p in scenario.properties.iter().filter(|p| same && p.found == Found::Violated) {
            let known = broken.contains(&p.property) || found.iter().any(|(_, q)| q.property == p.property);
            if !known {
                found.push((scenario, p));
            }
        }
    }
    html! {
        @if !found.is_empty() {
            small.elsewhere {
                "and in scenarios that no cell is as large as: "
                @for (scenario, p) in &found { (verdict(p, check, runs, false)) "(" (scenario.name) ") " }
            }
        }
    }
}

fn cell(part: &Part, cells: &[matrix::Cell], row: &str, column: &str, runs: &mut Runs) -> Markup {
    let of = cells.iter().find(|c| c.row == row && c.column == *column);
    let Some(s) = of.and_then(|c| part.report.scenarios.iter().find(|s| s.name == c.scenario)) else {
        return html! { td.absent title="The rule can change nothing here, or the instance cannot be written down" { "no difference" } };
    };
    let broken: Vec<&PropertyReport> = s.properties.iter().filter(|p| p.found == Found::Violated).collect();
    let unknown = s.properties.iter().filter(|p| p.found == Found::Unknown);
    let open: Vec<&str> = unknown.map(|p| p.property.id()).collect();
    let bounded = !open.is_empty();
    let class = if !broken.is_empty() {
        "violated"
    } else if bounded {
        "unknown"
    } else {
        "holds"
    };
    let empty: Vec<&str> =
        s.properties.iter().filter(|p| p.vacuous.is_some()).map(|p| p.property.id()).collect();
    let again = format!("zus check {}", quoted_path(&s.path));
    html! {
        td.(class) {
            @if broken.is_empty() {
                strong { @if bounded { "bounded" } @else { "holds" } }
                @if !empty.is_empty() { " (" (empty.join(", ")) " about nothing)" }
            } @else {
                strong { "violated " } @for p in &broken { (verdict(p, part, runs, false)) }
                @if !open.is_empty() { small.open { "not known: " (open.join(", ")) } }
            }
            small title=(again) { (states(s)) ", " (format!("{:.2}", s.seconds)) " s" }
        }
    }
}

fn scenarios(parts: &Parts, runs: &mut Runs) -> Markup {
    let Some(part) = &parts.check else {
        return html! { section id="scenarios" { h2 { "Scenarios" } (missing("zus check --out DIR/check")) } };
    };
    html! {
        section id="scenarios" {
            h2 { "Scenarios" }
            p.hint { "The committed questions and their answers. All of them: " code { (part.command) } }
            div.wide {
                table {
                    thead { tr { th scope="col" { "scenario" } th scope="col" { "question" } th scope="col" { "found" }
                        th scope="col" { "explored" } th.number scope="col" { "seconds" } th scope="col" { "again" } } }
                    tbody {
                        @for s in &part.report.scenarios {
                            tr.odd[s.standing > Standing::Sampled] {
                                th scope="row" { (s.name) }
                                td { (s.question) }
                                td.found { @for p in &s.properties { (verdict(p, part, runs, true)) } }
                                td { (states(s)) }
                                td.number { (format!("{:.2}", s.seconds)) }
                                td { code { "zus check " (quoted(&s.name)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn mutants(parts: &Parts, runs: &mut Runs) -> Markup {
    let Some(part) = &parts.mutants else {
        return html! { section id="mutants" { h2 { "Mutants" } (missing("zus check --mutants --out DIR/mutants")) } };
    };
    let all = &part.report.mutants;
    let asked: Vec<Property> = Property::ALL
        .iter()
        .copied()
        .filter(|p| all.iter().any(|m| m.property == *p || m.others.contains(p)))
        .collect();
    let killed = all.iter().filter(|m| m.standing == Standing::AsExpected).count();
    html! {
        section id="mutants" {
            h2 { "Mutants: " (killed) " of " (all.len()) " rule changes are caught" }
            p.hint {
                "Each changes one rule of a scenario in which everything holds. " span.verdict.violated { "in k" }
                " is the property that it is said to break, with the shortest run; ● breaks as well, as far as was looked. All of them: "
                code { (part.command) }
            }
            div.wide {
                table.kill {
                    thead { tr { th scope="col" { "#" } th scope="col" { "rule change" }
                        @for p in &asked { th.number scope="col" title=(p.text()) { (p.id()) } }
                        th.number scope="col" { "states" } th.number scope="col" { "seconds" } } }
                    tbody { @for m in all { (mutant(m, &asked, part, runs)) } }
                }
            }
        }
    }
}

fn mutant(m: &MutantResult, asked: &[Property], part: &Part, runs: &mut Runs) -> Markup {
    let id = m.run.as_ref().and_then(|run| runs.add(part, run));
    let steps = m.run.as_ref().map_or(0, |run| run.steps.len());
    html! {
        tr.odd[m.standing != Standing::AsExpected] {
            th scope="row" { (m.id) }
            td title=(m.evidence) { (m.name) @if let Some(why) = &m.why { " (not killed: " (why) ")" } }
            @for p in asked {
                td.number {
                    @if *p == m.property {
                        @if let Some(id) = &id {
                            button.verdict.violated type="button" data-run=(id) { "in " (steps) }
                        } @else {
                            span.verdict.(m.found.word()) { (m.found) }
                        }
                    } @else if m.others.contains(p) { span title={ (p.id()) " breaks as well" } { "●" } }
                }
            }
            td.number { (text::grouped(m.unique)) }
            td.number { (format!("{:.2}", m.seconds)) }
        }
    }
}

/// `1 scenario`, `2 scenarios`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The verdicts of the scenarios and mutants of this page on a property.
fn found_here(parts: &Parts, property: Property) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(part) = &parts.check {
        let of = part.report.scenarios.iter().flat_map(|s| s.properties.iter().map(move |p| (s, p)));
        let of: Vec<_> = of.filter(|(_, p)| p.property == property && p.fault.is_none()).collect();
        for found in [
            Found::Holds,
            Found::HoldsAnyRounds,
            Found::Violated,
            Found::Reachable,
            Found::Unreachable,
            Found::UnreachableAnyRounds,
            Found::Sampled,
        ] {
            let alike: Vec<_> = of.iter().filter(|(_, p)| p.found == found).collect();
            let states: u64 = alike.iter().map(|(s, _)| s.unique).sum();
            let whole = matches!(found, Found::Holds | Found::Unreachable) || found.is_of_any_rounds();
            let states = if whole { format!(", {} states", text::grouped(states)) } else { String::new() };
            if !alike.is_empty() {
                said.push(format!("{found} in {}{states}", counted(alike.len(), "scenario")));
            }
        }
    }
    if let Some(part) = &parts.mutants {
        let killed = |m: &&MutantResult| m.property == property && m.standing == Standing::AsExpected;
        let count = part.report.mutants.iter().filter(killed).count();
        if count > 0 {
            said.push(format!("catches {}", counted(count, "mutant")));
        }
    }
    said
}

fn ledger(parts: &Parts) -> Markup {
    let Some(ledger) = &parts.ledger else {
        return html! { section id="ledger" { h2 { "Ledger" } (missing("zus report DIR --ledger proofs/ledger.toml")) } };
    };
    html! {
        section id="ledger" {
            h2 { "Ledger: the evidence for each property" }
            p.hint {
                "The proofs are judged again by " code { "cargo run --release -p zus-proofs -- check --judge rust" }
                ", and the file is proofs/ledger.toml."
            }
            div.wide {
                table {
                    thead { tr { th scope="col" { "property" } th scope="col" { "proof" } th scope="col" { "model" }
                        th scope="col" { "fuzz" } th scope="col" { "tests" } } }
                    tbody {
                        @for p in Property::ALL {
                            @let row = ledger.rows.get(p.id());
                            tr {
                                th scope="row" title=(p.text()) { (p.id()) br; small { (p.text()) } }
                                @if let Some(row) = row {
                                    td {
                                        strong { (row.class) } " " (row.says)
                                        @if !row.proof.is_empty() { br; small { (row.proof.join(", ")) } }
                                    }
                                    td.evidence {
                                        @let here = found_here(parts, *p);
                                        @for said in &here { (said) br; }
                                        @if here.is_empty() || row.model.text() != "pending" { (row.model.text()) }
                                    }
                                    td { (row.fuzz.text()) } td { (row.test.text()) }
                                } @else { td.absent colspan="4" { "no row" } }
                            }
                        }
                    }
                }
            }
        }
    }
}
