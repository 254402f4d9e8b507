//! The viewer of runs: keys, filters, export, links, and a run that is long and wide.

use super::devtools::Browser;
use serde_json::Value;
use std::path::Path;
use zus_checker::trace::Trace;
use zus_report::{
    RunReport,
    draw::{
        page,
        scene::{BlockCard, Event, FORMAT, Kind, Lane, Line, Role, Scene, Stay, Use, VERSION},
        staging,
    },
    mermaid,
};

/// The value that `script`, a function body, returns in the page, which must have no errors.
fn run(browser: &mut Browser, page: &str, fragment: &str, script: &str) -> Value {
    browser.open_page(page, fragment);
    let found = browser.run(script);
    assert_eq!(browser.problems(), Vec::<String>::new(), "errors in the page");
    found
}

/// The page of a committed trace.
pub fn drawn(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces").join(name);
    let trace = Trace::load(&path).unwrap();
    page::run(&staging::stage(&trace).unwrap(), Some(&mermaid::diagram(&RunReport::new(&trace))))
}

/// The committed traces.
pub fn traces() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let names =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.collect();
    assert!(names.len() >= 11);
    names
}

/// Keys, as a user presses them.
const KEY: &str =
    "const key = k => zus.chart.dispatchEvent(new KeyboardEvent('keydown', {key: k, bubbles: true}));";

#[test]
fn a_counterexample_opens_steps_filters_and_is_exported() {
    let Some(mut browser) = Browser::start() else { return };
    let script = format!(
        "{KEY}
        const out = {{}};
        out.opened = zus.where.textContent;
        out.because = document.querySelector('.because').textContent;
        out.flagged = document.querySelectorAll('.flag').length;
        // Where the focus is without a click, and with none at all.
        const press = k => (document.activeElement || document.body).dispatchEvent(new KeyboardEvent('keydown', {{key: k, bubbles: true}}));
        press('ArrowLeft'); out.atOnce = zus.where.textContent;
        document.activeElement.blur();
        press('ArrowLeft'); out.onThePage = zus.where.textContent;
        press('v');
        const mark = document.querySelector('.mark').getBoundingClientRect(), chart = zus.chart.getBoundingClientRect();
        out.marked = mark.top >= chart.top && mark.bottom <= chart.bottom + 1 && mark.width > 0;
        key('Home'); key('ArrowRight'); out.first = zus.where.textContent;
        key('ArrowRight'); key('ArrowRight'); key('ArrowLeft'); out.second = zus.where.textContent;
        out.changed = document.querySelectorAll('.state ins').length;
        key('v'); out.shown = zus.where.textContent;
        key('End');
        out.final = [...document.querySelectorAll('.tree .block.finalized')].length;
        out.forked = [...document.querySelectorAll('.tree text')].map(t => t.textContent).filter(t => t.startsWith('B(1,0)')).length;
        const rows = zus.rows.length;
        const boxes = zus.laneMenu.querySelectorAll('input');
        boxes[0].click(); out.hidden = rows - zus.rows.length; boxes[0].click();
        out.again = zus.rows.length === rows;
        const kinds = [...zus.kindMenu.querySelectorAll('label')].find(l => l.textContent.includes('tickets')).firstChild;
        kinds.click(); out.withoutTickets = zus.rows.filter(r => zus.scene.events[r].kind === 'ticket').length; kinds.click();
        const svg = new DOMParser().parseFromString(zus.svgText(), 'image/svg+xml');
        out.svg = svg.querySelector('parsererror') ? 'broken' : svg.documentElement.nodeName;
        out.arrows = svg.querySelectorAll('.arrow').length;
        out.uses = zus.scene.events.reduce((n, e) => n + (e.uses || []).length, 0);
        zus.select(20); document.querySelectorAll('.side details')[1].open = true;
        return out;"
    );
    let found = run(&mut browser, &drawn("deployed_fork-S5.json"), "", &script);
    assert_eq!(found["opened"], "step 24 of 24", "it opens where the property breaks");
    assert_eq!(found["atOnce"], "step 23 of 24", "keys work before anything is clicked");
    assert_eq!(found["onThePage"], "step 22 of 24");
    assert_eq!(found["marked"], true, "the violation is marked where one sees it");
    assert!(found["because"].as_str().unwrap().contains("two observers finalize B(1,0)#0 and B(1,0)#0'"));
    assert_eq!(found["first"], "step 1 of 24");
    assert_eq!(found["second"], "step 2 of 24");
    assert_eq!(found["shown"], "step 24 of 24");
    assert!(found["changed"].as_u64().unwrap() > 0, "differences are marked");
    assert_eq!(found["final"], 3, "genesis and both blocks of round 1");
    assert_eq!(found["forked"], 2, "the block tree shows the fork");
    assert!(found["hidden"].as_u64().unwrap() > 5 && found["again"] == true, "{found}");
    assert_eq!(found["withoutTickets"], 0);
    assert_eq!(found["svg"], "svg");
    assert_eq!(found["arrows"], found["uses"], "all of them, not only those that are seen");
}

#[test]
fn a_link_leads_to_its_step() {
    let Some(mut browser) = Browser::start() else { return };
    let found =
        run(&mut browser, &drawn("deployed_fork-S5.json"), "#step=12", "return zus.where.textContent");
    assert_eq!(found, "step 12 of 24");
}

/// A run in the making.
#[derive(Default)]
struct Making {
    events: Vec<Event>,
    steps: usize,
}

impl Making {
    /// An event of `lane` about `block` that uses these messages; its row.
    fn add(&mut self, lane: usize, kind: Kind, block: usize, uses: &[(usize, Kind)]) -> usize {
        let implied = matches!(kind, Kind::Notarization | Kind::FinalityCertificate);
        self.steps += usize::from(!implied);
        let says = format!("{} of lane {lane}: block {block} of a run with many miners", kind.name());
        self.events.push(Event {
            step: self.steps,
            implied,
            lane,
            kind,
            byzantine: false,
            label: says.clone(),
            says: says.clone(),
            block: Some(block),
            uses: uses.iter().map(|&(from, what)| Use { from, what, late: false }).collect(),
            changes: vec![Line { subject: format!("miner {lane}"), parts: vec![says] }],
            shows: Vec::new(),
        });
        self.events.len() - 1
    }
}

/// Fifty miners in twenty rounds of a proposal, tickets, a notarization, and a vote of everyone.
fn large() -> Scene {
    let miners = 50;
    let mut run = Making::default();
    let (mut blocks, mut stays) = (Vec::new(), Vec::new());
    let mut certificate: Option<usize> = None;
    for at in 0..20 {
        let round = at as u64 + 1;
        let uses: Vec<_> = certificate.map(|c| (c, Kind::Notarization)).into_iter().collect();
        let proposal = run.add(at % miners, Kind::Proposal, at, &uses);
        let seen = [(proposal, Kind::Proposal)];
        let tickets: Vec<_> =
            (0..miners).map(|m| (run.add(m, Kind::Ticket, at, &seen), Kind::Ticket)).collect();
        let notarized = run.add(miners, Kind::Notarization, at, &tickets[..34]);
        certificate = Some(notarized);
        let left = [(notarized, Kind::Notarization)];
        let votes: Vec<_> = (0..miners).map(|m| (run.add(m, Kind::Leave, at, &left), Kind::Vote)).collect();
        let entered = votes.iter().enumerate();
        stays.extend(entered.map(|(lane, &(event, _))| Stay {
            lane,
            event,
            round: round + 1,
            subround: 0,
            down: false,
            tint: None,
        }));
        let done = run.add(miners, Kind::FinalityCertificate, at, &votes[..34]);
        blocks.push(BlockCard {
            name: format!("B({round},0)#0"),
            called: None,
            round,
            subround: 0,
            rank: 0,
            twin: 0,
            byzantine: false,
            segment: None,
            parent: at.checked_sub(1),
            proposed: Some(proposal),
            notarized: Some(notarized),
            finalized: Some(done),
        });
    }
    let lane = |name: String, role| Lane { name, role, committee: None };
    let lanes = (0..miners)
        .map(|m| lane(format!("miner {m}"), Role::Honest))
        .chain([lane("sent".into(), Role::Network)]);
    Scene {
        format: FORMAT.into(),
        version: VERSION,
        title: "50 miners".into(),
        about: Vec::new(),
        shows: None,
        story: Vec::new(),
        again: None,
        root: None,
        rounds: Vec::new(),
        tints: Vec::new(),
        lanes: lanes.collect(),
        blocks,
        events: run.events,
        stays,
        initial: Vec::new(),
    }
}

#[test]
fn two_thousand_steps_of_fifty_miners_stay_usable() {
    let scene = large();
    let steps = scene.events.iter().filter(|e| !e.implied).count();
    assert!(steps >= 2_000, "{steps}");
    let page = page::run(&scene, None);
    // The scene, and its drawing.
    assert!(page.len() < 3 << 20, "{} bytes", page.len());
    assert!(Scene::from_json("large", &serde_json::to_string(&scene).unwrap()).is_ok());
    if let Ok(out) = std::env::var("ZUS_KEEP") {
        std::fs::write(out, &page).unwrap();
    }
    let Some(mut browser) = Browser::start() else { return };
    let script = "const timing = performance.getEntriesByType('navigation')[0];
        const loaded = timing.loadEventEnd - timing.startTime, t = performance.now();
        for (let i = 0; i < 100; i++) { zus.chart.scrollTop = i * 600; zus.draw(); }
        const each = (performance.now() - t) / 100;
        zus.select(1000);
        return { loaded, each, nodes: document.querySelectorAll('*').length, rows: zus.rows.length };";
    let found = run(&mut browser, &page, "", script);
    println!("{} KiB, {steps} steps: {found}", page.len() / 1024);
    assert_eq!(found["rows"], scene.events.len());
    // Events out of view are not in the document: without this there would be a hundred thousand nodes.
    assert!(found["nodes"].as_u64().unwrap() < 4_000, "{found}");
}
