//! The report as a newcomer opens it: from a file, light and dark; and its pictures for the documents.

use super::{devtools::Browser, viewer::drawn};
use std::{fs, path::Path, process::Command};
use zus_report::Report;

/// A report of a few scenarios: mutants and matrix are empty, or it would take a minute.
pub fn report(folder: &Path) -> String {
    let zus = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_zus")).args(arguments).current_dir(folder).output().unwrap()
    };
    let checked = zus(&[
        "check",
        "deployed_fork",
        "documented_live",
        "late_better_rank",
        "--out",
        "out/check",
        "--quiet",
    ]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let mut empty: Report =
        serde_json::from_str(&fs::read_to_string(folder.join("out/check/report.json")).unwrap()).unwrap();
    empty.scenarios.clear();
    for part in ["mutants", "matrix"] {
        fs::create_dir_all(folder.join("out").join(part)).unwrap();
        fs::write(folder.join("out").join(part).join("report.json"), empty.to_json()).unwrap();
    }
    let figures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/figures.json");
    let ledger = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proofs/ledger.toml");
    let made = zus(&[
        "report",
        "out",
        "--reuse",
        "--quiet",
        "--figures",
        figures.to_str().unwrap(),
        "--ledger",
        ledger.to_str().unwrap(),
    ]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    format!("file://{}", folder.join("out/index.html").display())
}

#[test]
fn a_newcomer_finds_the_fork_of_deployed() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let address = report(folder.path());
    browser.open(&address);
    // The first thing on the page that can be pressed is the way in.
    let first = browser.run("return document.querySelector('button').textContent");
    assert_eq!(first, "How deployed breaks S5");
    browser.run("document.querySelector('button').click()");
    browser.until("document.getElementById('dialog').open && window.zus");
    let story = browser.run("return [...document.querySelectorAll('.story li')].map(li => li.textContent)");
    let story: Vec<&str> = story.as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    assert!(story.len() >= 5, "{story:?}");
    assert!(story[0].contains("the Byzantine generator makes two different blocks"), "{story:?}");
    assert!(story[1].contains("BetterOrEqualRank"), "{story:?}");
    assert!(
        story.iter().any(|s| s.contains("Observer 0 finalizes X, knowing of round 4 the tip B(4,0)#0 only")),
        "{story:?}"
    );
    assert!(
        story.iter().any(|s| s.contains("Observer 1 finalizes Y, knowing of round 4 the tip B(4,0)#0' only")),
        "{story:?}"
    );
    // A sentence leads to its event, keys walk on, and the tree shows both blocks final.
    browser.run("document.querySelector('.story a').click()");
    let before = browser.run("return zus.selected");
    browser
        .run("zus.chart.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }))");
    assert_ne!(browser.run("return zus.selected"), before);
    browser.run("zus.chart.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true }))");
    assert_eq!(browser.run("return document.querySelectorAll('.tree .block.finalized').length"), 3);
    let link = browser.run("return location.hash");
    assert_eq!(link, "#run=run-1");
    // A run that is opened again hears each key once.
    let step = "for (const key of ['Home', 'ArrowRight'])
        zus.chart.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        return zus.selected";
    let once = browser.run(step);
    browser.run("document.getElementById('dialog').close()");
    browser.until("!document.getElementById('dialog').open");
    browser.run("document.querySelector('button').click()");
    browser.until("document.getElementById('dialog').open && document.querySelector('.story a')");
    assert_eq!(browser.run(step), once);
    // Nor does the event of a closing, which comes later, clear a run that was opened meanwhile.
    let shown = browser.run(
        "document.getElementById('dialog').close();
         document.querySelector('button').click();
         await new Promise(done => setTimeout(done, 200));
         return document.querySelectorAll('.story a').length",
    );
    assert_eq!(shown, story.len());
    browser.run("document.getElementById('dialog').close()");
    browser.until("!document.getElementById('dialog').open");
    assert_eq!(browser.problems(), Vec::<String>::new());
    browser.open("about:blank");
    browser.open(&format!("{address}#run=run-1"));
    browser.until("document.getElementById('dialog').open");
    assert_eq!(browser.problems(), Vec::<String>::new());
}

/// Texts whose contrast with what is behind them is less than 4.5, as WCAG 2 counts it.
const WEAK: &str = r"
    const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const rgb = c => c.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const behind = n => {
      for (; n; n = n.parentElement) {
        const c = rgb(getComputedStyle(n).backgroundColor);
        if (c.length < 4 || c[3] > 0.5) return c;
      }
      return [255, 255, 255];
    };
    const weak = new Set();
    for (const n of document.querySelectorAll('body *')) {
      const text = [...n.childNodes].some(c => c.nodeType === 3 && c.textContent.trim());
      if (!text || n.closest('script, svg, dialog')) continue;
      const [a, b] = [light(rgb(getComputedStyle(n).color)), light(behind(n))];
      const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (contrast < 4.5) weak.add(`${n.tagName}.${n.className} ${contrast.toFixed(2)}`);
    }
    return [...weak];";

#[test]
fn light_and_dark_are_two_and_every_text_can_be_read() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let address = report(folder.path());
    let paper = "return getComputedStyle(document.body).backgroundColor";
    let mut papers = Vec::new();
    for scheme in ["light", "dark"] {
        browser.scheme(scheme);
        browser.open(&address);
        papers.push(browser.run(paper));
        assert_eq!(browser.run(WEAK), serde_json::json!([]), "{scheme}");
        let planted = "document.body.insertAdjacentHTML('beforeend', '<p style=\"color:#888;background:#999\">weak</p>');";
        assert_eq!(browser.run(&format!("{planted}{WEAK}")).as_array().unwrap().len(), 1);
        // The button turns it round.
        browser.run("document.getElementById('theme').click()");
        assert_ne!(browser.run(paper), papers[papers.len() - 1]);
        assert_eq!(browser.problems(), Vec::<String>::new());
    }
    assert_ne!(papers[0], papers[1]);
}

/// Writes the pictures of the documents into the folder that `ZUS_PICTURES` names, from the report that `ZUS_REPORT`
/// names: `zus report out && ZUS_REPORT=$PWD/out/index.html ZUS_PICTURES=$PWD/model/pages cargo test -p zus-model --test
/// browser pictures`.
#[test]
fn pictures() {
    let (Ok(to), Ok(report)) = (std::env::var("ZUS_PICTURES"), std::env::var("ZUS_REPORT")) else { return };
    let mut browser = Browser::start().expect("a browser");
    for scheme in ["light", "dark"] {
        let name = |what: &str| {
            let suffix = if scheme == "dark" { "-dark" } else { "" };
            Path::new(&to).join(format!("{what}{suffix}.png"))
        };
        browser.scheme(scheme);
        browser.open(&format!("file://{report}"));
        let loaded = browser.run(
            "const timing = performance.getEntriesByType('navigation')[0], start = performance.now();
             document.querySelector('button').click();
             const opened = performance.now() - start;
             document.getElementById('dialog').close();
             return { loaded: timing.loadEventEnd - timing.startTime, opened };",
        );
        println!("{} KiB, milliseconds: {loaded}", fs::metadata(&report).unwrap().len() / 1024);
        browser.picture(1280, 800, &name("report"));
        browser.open_page(&drawn("deployed_fork-S5.json"), "");
        browser.picture(1440, 900, &name("run"));
        assert_eq!(browser.problems(), Vec::<String>::new());
    }
}
