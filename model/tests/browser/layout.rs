//! Where things stand on a phone (390 x 844), at 1400 and at 1920 pixels, and what is seen of it.

use super::{
    devtools::Browser,
    report::report,
    viewer::{drawn, traces},
};
use crate::explore::Explorer;
use serde_json::{Value, json};

/// The faults in the place of a run's drawing, or of the explorer's, on a phone.
const PHONE: &str = r"
    const wrong = [], [wide, high] = [innerWidth, innerHeight], box = n => n.getBoundingClientRect();
    const chart = box(zus.chart);
    if (document.documentElement.scrollWidth > wide) wrong.push(`the page is ${document.documentElement.scrollWidth} wide`);
    if (chart.height < high / 3) wrong.push(`the drawing is ${chart.height} high`);
    if (chart.width < wide - 2) wrong.push(`the drawing is ${chart.width} wide`);
    if (chart.bottom > high || chart.top < 0) wrong.push(`the drawing ends at ${chart.bottom}`);
    const buttons = [...document.querySelectorAll('.toolbar button, .toolbar summary, .choices button')].filter(b => box(b).width > 0);
    if (buttons.length < 8) wrong.push(`${buttons.length} buttons`);
    for (const button of buttons) {
      const at = box(button);
      if (at.height < 44 || at.width < 44) wrong.push(`${button.textContent}: ${at.width} x ${at.height}`);
      if (at.left < 0 || at.right > wide) wrong.push(`${button.textContent}: from ${at.left} to ${at.right}`);
      if (button.scrollWidth > button.clientWidth + 1) wrong.push(`${button.textContent}: cut`);
    }
    const [output, all] = [document.querySelector('.toolbar output'), buttons.filter(b => b.closest('.toolbar'))];
    const told = document.createRange();
    told.selectNodeContents(output);
    for (const button of all) {
      const [a, b] = [told.getBoundingClientRect(), box(button)];
      if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) wrong.push(`${button.textContent} is over the step`);
    }
    for (const text of document.querySelectorAll('main p, main li, .choices p, .choices .act')) {
      const at = box(text);
      if (at.height > 0 && at.width < wide / 2) wrong.push(`a text is ${at.width} wide: ${text.textContent}`);
      if (at.right > wide + 1) wrong.push(`a text ends at ${at.right}: ${text.textContent}`);
    }
";

/// The faults in the place of the selected event: its sign and its label must be visible as a whole.
const SELECTED: &str = r"
    const view = zus.chart.getBoundingClientRect();
    const row = zus.chart.querySelector(`.at`) && [...zus.chart.querySelectorAll('g[data-row]')].find(g => g.dataset.row === String(zus.selected));
    const parts = row ? [...row.querySelector('.at').children] : [];
    if (parts.length < 2) wrong.push('the selected event is not drawn');
    for (const part of parts) {
      const at = part.getBoundingClientRect();
      if (!(at.left >= view.left && at.right <= view.left + zus.chart.clientWidth)) wrong.push(`the selected event: from ${at.left} to ${at.right}`);
      if (!(at.top >= view.top && at.bottom <= view.top + zus.chart.clientHeight)) wrong.push(`the selected event: from ${at.top} to ${at.bottom} in height`);
    }
    if (row) for (const part of row.querySelectorAll('.says > tspan')) if (part.textContent.endsWith('…')) wrong.push(`cut: ${part.textContent}`);
";

fn wrong(browser: &mut Browser, script: &str) -> Vec<String> {
    let script =
        if script.contains("const wrong") { script.to_owned() } else { format!("const wrong = [];{script}") };
    let found = browser.run(&format!("{script} return wrong;"));
    assert_eq!(browser.problems(), Vec::<String>::new());
    found.as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect()
}

const NONE: [String; 0] = [];

#[test]
fn a_phone_shows_a_run() {
    let Some(mut browser) = Browser::start() else { return };
    browser.size(390, 844);
    for name in traces() {
        browser.open_page(&drawn(&name), "");
        assert_eq!(wrong(&mut browser, &format!("{PHONE}{SELECTED}")), NONE, "{name}");
        // Back to the left, where the first step is.
        browser.run("zus.jump(0); zus.stepBy(1);");
        assert_eq!(wrong(&mut browser, SELECTED), NONE, "{name}");
    }
}

#[test]
fn a_phone_shows_the_explorer() {
    let Some(mut browser) = Browser::start() else { return };
    browser.size(390, 844);
    for named in ["traces/f_plus_one-S5.json", "deployed_fork"] {
        let server = Explorer::of(named);
        browser.open(&server.url());
        assert_eq!(wrong(&mut browser, PHONE), NONE, "{named}");
        // The steps that may happen come right after the drawing, and choosing one shows where it happened.
        let after = "return document.querySelector('.choices').getBoundingClientRect().top < innerHeight";
        assert_eq!(browser.run(after), true, "{named}");
        let before = browser.run("return zus.steps").as_u64().unwrap();
        browser.run("document.querySelector('.act').click()");
        browser.until(&format!("zus.steps === {}", before + 1));
        assert_eq!(wrong(&mut browser, &format!("{PHONE}{SELECTED}")), NONE, "{named}");
    }
}

#[test]
fn a_phone_shows_the_report_and_a_run_of_it() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    browser.size(390, 844);
    browser.open(&report(folder.path()));
    assert_eq!(browser.run("return document.documentElement.scrollWidth"), 390);
    browser.run("document.querySelector('button').click()");
    assert_eq!(wrong(&mut browser, &format!("{PHONE}{SELECTED}")), NONE);
    assert_eq!(browser.run("return document.getElementById('dialog').scrollWidth"), 390);
}

#[test]
fn at_1400_pixels_the_lane_of_every_selected_step_is_seen() {
    let Some(mut browser) = Browser::start() else { return };
    browser.size(1400, 900);
    for name in traces() {
        browser.open_page(&drawn(&name), "");
        assert_eq!(wrong(&mut browser, SELECTED), NONE, "{name}");
        let steps = browser.run("return zus.steps").as_u64().unwrap();
        browser.run("zus.jump(0)");
        for step in 0..steps {
            browser.run("zus.stepBy(1)");
            assert_eq!(wrong(&mut browser, SELECTED), NONE, "{name}, step {step}");
        }
    }
    let server = Explorer::of("traces/f_plus_one-S5.json");
    browser.open(&server.url());
    assert_eq!(wrong(&mut browser, SELECTED), NONE);
}

#[test]
fn at_1920_pixels_everything_of_a_committed_run_is_seen() {
    let Some(mut browser) = Browser::start() else { return };
    browser.size(1920, 1080);
    for name in traces() {
        browser.open_page(&drawn(&name), "");
        let script = "
            const wrong = [], wide = zus.chart.clientWidth;
            if (zus.chart.scrollWidth > wide) wrong.push(`${zus.chart.scrollWidth} of ${wide} pixels`);
            const end = zus.chart.getBoundingClientRect().left + wide;
            for (const text of zus.chart.querySelectorAll('text')) {
              const at = text.getBoundingClientRect();
              if (at.right > end) wrong.push(`ends at ${at.right}: ${text.textContent}`);
              if (text.textContent.includes('…')) wrong.push(`cut: ${text.textContent}`);
            }";
        assert_eq!(wrong(&mut browser, script), NONE, "{name}");
    }
}

/// The contrast of each colour of a text with each that can be behind it, where it is less than 4.5 as WCAG 2 counts it.
const WEAK: &str = r"
    const style = getComputedStyle(document.documentElement), weak = [];
    const rgb = name => style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/g).map(h => parseInt(h, 16) / 255);
    const channel = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const light = name => { const [r, g, b] = rgb(name).map(channel); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const pair = (text, behind) => {
      const [a, b] = [light(text), light(behind)].sort((a, b) => a - b);
      const contrast = (b + 0.05) / (a + 0.05);
      if (contrast < 4.5) weak.push(`${text} on ${behind}: ${contrast.toFixed(2)}`);
    };
    for (const behind of ['--paper', '--tint-a', '--tint-b', '--tint-c', '--down', '--select', '--broken']) {
      for (const text of ['--ink', '--quiet', '--byzantine', '--final']) pair(text, behind);
    }
    for (const block of ['--notarized', '--final']) pair('--paper', block);
    return weak;";

#[test]
fn every_text_of_a_drawing_can_be_read_in_light_and_dark() {
    let Some(mut browser) = Browser::start() else { return };
    for scheme in ["light", "dark"] {
        browser.scheme(scheme);
        browser.open_page(&drawn("deployed_fork-S5.json"), "");
        assert_eq!(browser.run(WEAK), json!([]), "{scheme}");
        let planted = "document.documentElement.style.setProperty('--tint-a', '#808080');";
        let weak = browser.run(&format!("{planted}{WEAK}"));
        assert!(weak.as_array().is_some_and(|weak: &Vec<Value>| !weak.is_empty()), "{scheme}");
    }
}

#[test]
fn what_is_hidden_leaves_no_gap() {
    let Some(mut browser) = Browser::start() else { return };
    browser.size(1920, 1080);
    browser.open_page(&drawn("deployed_fork-S5.json"), "");
    let script = "
        const wrong = [], { columns, row } = zus.frame;

        zus.hiddenLanes.add(1); zus.hiddenKinds.add('ticket'); zus.layout(); zus.refresh();
        const shown = zus.scene.events.map((e, i) => i).filter(i => zus.scene.events[i].lane !== 1 && zus.scene.events[i].kind !== 'ticket');
        const drawn = [...zus.rowsBox.querySelectorAll('g[data-row]')];
        if (drawn.map(g => Number(g.dataset.row)).join() !== shown.join()) wrong.push(`drawn are ${drawn.length} rows of ${shown.length}`);
        const shift = lane => lane > 1 ? columns[1].width : 0;
        drawn.forEach((g, at) => {
          const sign = g.querySelector('.glyph').getBoundingClientRect(), of = zus.rowsBox.getBoundingClientRect();
          const lane = zus.scene.events[Number(g.dataset.row)].lane;
          const [x, y] = [sign.left + sign.width / 2 - of.left, sign.top + sign.height / 2 - of.top];
          if (Math.abs(y - (at + .5) * row) > 3 || Math.abs(x - columns[lane].mid + shift(lane)) > 3) wrong.push(`row ${at} at ${x}, ${y}`);
        });
        // An arrow ends at the sign of the event that used it.
        const arrows = zus.scene.events.flatMap((e, to) => (e.uses || []).filter(u => shown.includes(u.from) && shown.includes(to)));
        const heads = [...zus.rowsBox.querySelectorAll('.arrow')];
        if (new Set(heads.map(a => a.dataset.from + '>' + a.dataset.to)).size !== arrows.length) wrong.push(`${heads.length} arrows of ${arrows.length}`);
        for (const arrow of heads) {
          const head = arrow.lastChild.getBoundingClientRect(), of = zus.rowsBox.getBoundingClientRect();
          const to = Number(arrow.dataset.to), from = Number(arrow.dataset.from), lane = zus.scene.events[to].lane;
          const [x, y] = [head.left + head.width / 2 - of.left, head.top + head.height / 2 - of.top];
          if (Math.abs(x - columns[lane].mid + shift(lane)) > 16 || Math.abs(y - (shown.indexOf(to) + .5) * row) > 8) wrong.push(`head of ${to} at ${x}, ${y}`);
          const line = arrow.firstChild.getBoundingClientRect(), start = (shown.indexOf(from) + .5) * row;
          if (Math.abs(line.top - of.top - start) > 3) wrong.push(`an arrow of ${from} begins at ${line.top - of.top}`);
        }
        if (zus.chart.scrollWidth > zus.frame.width - columns[1].width + 2 && zus.chart.scrollWidth > zus.chart.clientWidth) wrong.push('a gap at the right');
        const file = new DOMParser().parseFromString(zus.svgText(), 'image/svg+xml');
        if (file.querySelectorAll('.arrow').length !== arrows.length || file.querySelectorAll('g[data-row]').length !== shown.length) wrong.push('the file has others');";
    assert_eq!(wrong(&mut browser, script), NONE);
}
