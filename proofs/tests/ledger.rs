//! Everything that the ledger names exists.

use std::{fs, path::PathBuf};
use zus_checker::scenario::{Verdict, load};
use zus_proofs::{ledger, spec::Sources};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_scenario_test_and_oracle_of_the_ledger_exists() {
    for (id, row) in ledger::check(&Sources::embedded()).unwrap() {
        assert!(!row.model.is_empty() || row.exempt.is_some(), "{id} has no model check and no exemption");
        // The model of epochs has no scenario files: there a test is named.
        for test in row.model.iter().filter(|name| name.contains("::")) {
            let (file, function) = test.split_once("::").unwrap();
            let text = fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{id}: {file}: {e}"));
            assert!(id.starts_with('E') && text.contains(&format!("fn {function}()")), "{id}: {test}");
        }
        for scenario in row.model.iter().filter(|name| !name.contains("::")) {
            let scenario = load(&root().join(format!("model/scenarios/{scenario}.toml"))).unwrap();
            let expected = scenario.expect.iter().find(|e| e.property.id() == id);
            let verdict = expected.unwrap_or_else(|| panic!("{id}: {} does not ask", scenario.name)).verdict;
            assert!(matches!(verdict, Verdict::Holds | Verdict::Reachable), "{id}: {}", scenario.name);
        }
        assert!(!row.test.is_empty() || row.exempt.is_some(), "{id} has no test and no exemption");
        for test in &row.test {
            let (file, function) = test.split_once("::").unwrap_or_else(|| panic!("{id}: {test}"));
            let text = fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{id}: {file}: {e}"));
            assert!(text.contains(&format!("fn {function}()")), "{id}: {file} has no {function}");
        }
        assert!(
            !row.fuzz.is_empty() || row.exempt.is_some(),
            "{id} has no oracle of the fuzzer and no exemption"
        );
        for oracle in &row.fuzz {
            let (file, item) = oracle.split_once("::").unwrap_or_else(|| panic!("{id}: {oracle}"));
            let text = fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{id}: {file}: {e}"));
            assert!(text.contains(item), "{id}: {file} has no {item}");
        }
    }
}
