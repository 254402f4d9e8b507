//! The contents of SCENARIOS.md and RESULTS.md are true: the scenarios, the worked example, and the rows of the
//! tables.

use zus_checker::{
    committed,
    mutants::committed_mutants,
    properties::Property,
    scenario::parse,
    search::{
        bfs::Limits,
        check::{Options, Standing, check},
    },
};
use zus_report::{ScenarioReport, text};

const SCENARIOS: &str = include_str!("../SCENARIOS.md");
const RESULTS: &str = include_str!("../RESULTS.md");

/// The fenced blocks of that language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    SCENARIOS.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

fn options() -> Options<'static> {
    Options { limits: Limits::default(), command: "cargo test", progress: &|_| {} }
}

#[test]
fn the_scenario_that_explains_scenarios_is_as_it_expects() {
    let scenario = parse("my", "my.toml", blocks("toml")[0]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(check(&scenario, options()).standing(), Standing::AsExpected);
}

#[test]
fn the_worked_example_ends_in_the_run_that_is_printed() {
    let scenario = parse("votes", "votes.toml", blocks("toml")[1]).unwrap_or_else(|error| panic!("{error}"));
    let checked = check(&scenario, options());
    assert_eq!(checked.standing(), Standing::Differs);
    let report = ScenarioReport::new(&checked);
    let run = report.properties.iter().find(|p| p.property == Property::S6).unwrap().run.as_ref().unwrap();
    let shown = blocks("text")[0];
    for line in text::run(run).lines() {
        assert!(shown.contains(line.trim()), "not in SCENARIOS.md: {line}");
    }
}

#[test]
fn every_scenario_and_mutant_has_its_row_and_no_other_has() {
    let rows = |section: &str| -> Vec<&str> {
        let table = RESULTS.split(section).nth(1).unwrap().split("\n## ").next().unwrap();
        let cells = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
        cells.filter(|cell| !["scenario", "#"].contains(cell)).collect()
    };
    assert_eq!(rows("\n## Scenarios\n"), committed::names().collect::<Vec<_>>());
    let large: Vec<&str> = committed::large().filter_map(|name| name.strip_prefix("large/")).collect();
    assert_eq!(rows("\n## Large scenarios\n"), large);
    let mutants = committed_mutants().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rows("\n## Mutants\n"), mutants.iter().map(|m| m.id.as_str()).collect::<Vec<_>>());
}

#[test]
fn every_field_of_a_scenario_is_described() {
    // The fields that the parser knows are those that it lists when it meets one that it does not.
    let error = parse("my", "my.toml", "colour = 1\n").unwrap_err().to_string();
    let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(known.len() > 20, "{error}");
    for field in known {
        let described = SCENARIOS.contains(&format!("`{field}`"))
            || ["order", "rules", "reductions", "expect"].contains(&field)
                && (SCENARIOS.contains(&format!("`[{field}]`"))
                    || SCENARIOS.contains(&format!("`[[{field}]]`")));
        assert!(described, "{field} is not in SCENARIOS.md");
    }
}
