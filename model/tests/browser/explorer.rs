//! `zus explore` as somebody uses it: a server on a free port, and clicks.

use super::devtools::Browser;
use crate::explore::Explorer;
use serde_json::Value;
use std::process::Command;

/// Chooses the action that says this.
fn choose(browser: &mut Browser, says: &str) {
    let before = browser.run("return zus.steps").as_u64().unwrap();
    let script = format!(
        "const all = [...document.querySelectorAll('#enabled button')];
         const one = all.find(button => button.textContent === {says});
         if (!one) throw new Error({says} + ' is not among ' + all.map(b => b.textContent).join(' | '));
         one.click();",
        says = Value::from(says)
    );
    browser.run(&script);
    browser.until(&format!("zus.steps === {}", before + 1));
}

fn texts(browser: &mut Browser, selector: &str) -> Vec<String> {
    let found =
        browser.run(&format!("return [...document.querySelectorAll('{selector}')].map(n => n.textContent)"));
    found.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_violation_is_reached_by_clicks_taken_back_and_saved() {
    let Some(mut browser) = Browser::start() else { return };
    let server = Explorer::of("late_better_rank");
    browser.open(&server.url());
    assert!(texts(&mut browser, "#properties .violated").is_empty());
    // The shortest run, chosen step by step.
    let committed: Value =
        serde_json::from_str(include_str!("../../traces/late_better_rank-S2.json")).unwrap();
    let says: Vec<&str> =
        committed["steps"].as_array().unwrap().iter().map(|s| s["says"].as_str().unwrap()).collect();
    choose(&mut browser, says[0]);
    // The blocked steps, each with the guard that is false and its numbers.
    let blocked = texts(&mut browser, "#blocked p");
    assert!(blocked.iter().any(|b| b.contains("has 1 of q = 3 tickets")), "{blocked:?}");
    says[1..].iter().for_each(|says| choose(&mut browser, says));
    assert_eq!(texts(&mut browser, "#properties .violated"), ["S2", "S10"]);
    let why = texts(&mut browser, "#properties .no");
    assert!(why.iter().any(|w| w.contains("are both notarized")), "{why:?}");
    // Undo, with the button and with its key; then the same again.
    browser.run("document.getElementById('undo').click()");
    browser.until(&format!("zus.steps === {}", says.len() - 1));
    assert!(texts(&mut browser, "#properties .violated").is_empty());
    // The other keys work without a click, too, and walk one step each, whatever was drawn before.
    browser.run("document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true }))");
    assert_eq!(browser.run("return zus.selected"), 0);
    browser.run(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }))",
    );
    assert_eq!(browser.run("return zus.selected"), 1);
    browser.run("document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'u', bubbles: true }))");
    browser.until(&format!("zus.steps === {}", says.len() - 2));
    says[says.len() - 2..].iter().for_each(|says| choose(&mut browser, says));
    browser.run("document.getElementById('save').click()");
    let saved = browser.saved("run.json");
    let replayed = Command::new(env!("CARGO_BIN_EXE_zus")).arg("replay").arg(&saved).output().unwrap();
    let told = String::from_utf8_lossy(&replayed.stdout).into_owned();
    assert!(replayed.status.success() && told.contains("a run of 6 steps"), "{told}");
    // Back to a step that is selected in the drawing.
    browser.run("zus.select(zus.scene.events.findIndex(e => e.step === 2 && !e.implied))");
    browser.run("document.getElementById('cut').click()");
    browser.until("zus.steps === 2");
    assert_eq!(browser.problems(), Vec::<String>::new());
}

#[test]
fn one_starts_from_a_counterexample() {
    let Some(mut browser) = Browser::start() else { return };
    let server = Explorer::of("traces/deployed_fork-S5.json");
    browser.open(&server.url());
    assert_eq!(browser.run("return zus.steps"), 24);
    assert!(texts(&mut browser, "#properties .violated").contains(&"S5".to_owned()));
    browser.run("document.getElementById('undo').click()");
    browser.until("zus.steps === 23");
    // Any two observers count, so it is broken from step 22 on.
    browser.run("zus.select(zus.scene.events.findIndex(e => e.step === 21 && !e.implied))");
    browser.run("document.getElementById('cut').click()");
    browser.until("zus.steps === 21");
    assert!(!texts(&mut browser, "#properties .violated").contains(&"S5".to_owned()));
    choose(&mut browser, "miner 1 tickets B(4,0)#0'; B(4,0)#0' is notarized");
    assert!(texts(&mut browser, "#properties .violated").contains(&"S5".to_owned()));
    assert_eq!(browser.problems(), Vec::<String>::new());
    // A server that is gone is said, not hidden.
    drop(server);
    browser.run("document.getElementById('undo').click()");
    browser.until("document.getElementById('problem').textContent.includes('does not answer')");
}
