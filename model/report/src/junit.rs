//! A report as JUnit XML: a suite for each scenario, a case for each property; and one suite of mutants.

use super::{Report, RunReport, ScenarioReport, text};
pub use quick_junit::SerializeError;
use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;
use zus_checker::search::check::Standing;

/// Writes the report.
pub fn write(report: &Report) -> Result<String, quick_junit::SerializeError> {
    let report = &zus_output::plain::every_line(report);
    let mut suites = Suites::new("zus check");
    suites.set_time(seconds(report.summary.seconds));
    for scenario in &report.scenarios {
        suites.add_test_suite(suite(scenario));
    }
    if let Some(error) = &report.error {
        let mut suite = TestSuite::new("input");
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(error.message.as_str());
        let name = error.path.as_deref().unwrap_or("zus");
        suite.add_test_case(TestCase::new(name, status));
        suites.add_test_suite(suite);
    }
    if let Some(compared) = report.compared.as_ref().filter(|compared| !compared.changes.is_empty()) {
        let mut suite = TestSuite::new("baseline");
        let standing = if compared.required { Standing::Differs } else { Standing::AsExpected };
        for change in &compared.changes {
            let status = status(standing, format!("{} (beside {})", change.sentence(), compared.against));
            let mut case = TestCase::new(format!("{}, {}", change.of, change.what), status);
            case.set_classname("baseline");
            case.set_system_out(change.sentence());
            suite.add_test_case(case);
        }
        suites.add_test_suite(suite);
    }
    if !report.mutants.is_empty() {
        let mut suite = TestSuite::new("mutants");
        for mutant in &report.mutants {
            let message = mutant.why.clone().unwrap_or_default();
            let mut case =
                TestCase::new(format!("{} {}", mutant.id, mutant.name), status(mutant.standing, message));
            case.set_classname(format!("mutants.{}", mutant.property.id()));
            case.set_time(seconds(mutant.seconds));
            add_run(&mut case, mutant.run.as_ref());
            suite.add_test_case(case);
        }
        suites.add_test_suite(suite);
    }
    suites.to_string()
}

fn suite(scenario: &ScenarioReport) -> TestSuite {
    let mut suite = TestSuite::new(scenario.name.as_str());
    suite.set_time(seconds(scenario.seconds));
    for p in &scenario.properties {
        let message = format!("{} ({}:{})", p.sentence(), scenario.path, p.line);
        let mut case = TestCase::new(format!("{} {}", p.property.id(), p.text), status(p.standing, message));
        case.set_classname(scenario.name.as_str());
        add_run(&mut case, p.run.as_ref());
        suite.add_test_case(case);
    }
    if let Some(pinned) = scenario.pinned {
        let message =
            format!("expected {pinned} unique states, found {} ({})", scenario.unique, scenario.path);
        let mut case = TestCase::new("number of unique states", status(scenario.exploration, message));
        case.set_classname(scenario.name.as_str());
        suite.add_test_case(case);
    }
    suite
}

fn status(standing: Standing, message: String) -> TestCaseStatus {
    let kind = match standing {
        Standing::AsExpected | Standing::Sampled => return TestCaseStatus::success(),
        Standing::Differs => NonSuccessKind::Failure,
        Standing::Incomplete => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message);
    status
}

fn add_run(case: &mut TestCase, run: Option<&RunReport>) {
    if let Some(run) = run {
        case.set_system_out(text::run(run));
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
