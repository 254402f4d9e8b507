//! Runs, drawn: what a scene says is what the run did, every committed trace can be drawn, and what a name says is text.

use quick_xml::{Reader, events::Event as Xml};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};
use zus_checker::{
    action::Action,
    protocol::Reductions,
    trace::{Step, Trace},
};
use zus_report::{
    RunReport,
    draw::{
        page,
        scene::{Event, FORMAT, Kind, Role, Scene, VERSION},
        staging, svg,
    },
    mermaid,
};

fn committed() -> Vec<(String, Trace)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let mut all: Vec<(String, Trace)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), Trace::load(&path).unwrap()))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(all.len() >= 11);
    all
}

fn scene(name: &str) -> Scene {
    let (_, trace) = committed().into_iter().find(|(n, _)| n == name).unwrap();
    staging::stage(&trace).unwrap()
}

/// The local names of all elements, if the text is well-formed XML.
fn elements(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let mut names = Vec::new();
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}")) {
            Xml::Start(e) | Xml::Empty(e) => {
                for attribute in e.attributes() {
                    attribute.unwrap();
                }
                names.push(String::from_utf8(e.local_name().as_ref().to_vec()).unwrap());
            }
            Xml::Eof => return names,
            _ => {}
        }
    }
}

#[test]
fn every_step_of_every_committed_trace_has_its_row() {
    for (name, trace) in committed() {
        let scene = staging::stage(&trace).unwrap();
        let own: Vec<usize> = scene.events.iter().filter(|e| !e.implied).map(|e| e.step).collect();
        assert_eq!(own, (1..=trace.steps.len()).collect::<Vec<_>>(), "{name}");
        assert!(scene.events.is_sorted_by_key(|e| e.step), "{name}");
        assert!(scene.events.iter().all(|e| !e.says.is_empty() && !e.label.is_empty()), "{name}");
        let shown = scene.shows.as_ref().unwrap();
        let at = &scene.events[shown.event];
        assert!(at.shows.contains(&shown.property), "{name}: {} at {at:?}", shown.property);
        // A run ends with what it shows, and only there is it marked.
        let marked = scene.events.iter().filter(|e| e.shows.contains(&shown.property)).count();
        assert_eq!((at.step, marked), (trace.steps.len(), 1), "{name}");
        // Scenes of other tools are checked when they are read; ours pass.
        let again = Scene::from_json(&name, &serde_json::to_string(&scene).unwrap()).unwrap();
        assert_eq!(again, scene, "{name}");
    }
}

#[test]
fn the_changes_of_all_steps_lead_to_the_last_state() {
    for (name, trace) in committed() {
        let scene = staging::stage(&trace).unwrap();
        let replayed = trace.replay().unwrap();
        let mut state: Vec<_> = scene.initial.clone();
        for line in scene.events.iter().flat_map(|e| &e.changes) {
            match state.iter().position(|l| l.subject == line.subject) {
                Some(at) if line.parts.is_empty() => drop(state.remove(at)),
                Some(at) => state[at] = line.clone(),
                None => state.push(line.clone()),
            }
        }
        let mut last = trace.protocol.described(replayed.states.last().unwrap());
        let by_subject =
            |a: &zus_report::draw::scene::Line, b: &zus_report::draw::scene::Line| a.subject.cmp(&b.subject);
        state.sort_by(by_subject);
        last.sort_by(by_subject);
        assert_eq!(state, last, "{name}");
        let most = scene.events.iter().map(|e| e.changes.len()).max().unwrap();
        assert!(most < last.len(), "{name}: differences, not whole states");
    }
}

/// Two honest tickets and one of the Byzantine miner make a notarization at n = 4, twice in one subround.
#[test]
fn what_the_model_merges_is_drawn_apart() {
    let scene = scene("deployed_fork-S5");
    let of = |kind: Kind| scene.events.iter().enumerate().filter(move |(_, e)| e.kind == kind);
    assert_eq!(of(Kind::Proposal).count(), 8);
    assert_eq!(of(Kind::Notarization).count(), 8);
    for (row, event) in of(Kind::Notarization) {
        let tickets: Vec<_> = event.uses.iter().map(|u| &scene.events[u.from]).collect();
        assert_eq!(tickets.len(), 3, "q tickets at row {row}");
        assert!(tickets.iter().all(|t| t.kind == Kind::Ticket && t.block == event.block), "row {row}");
        let mut lanes: Vec<usize> = tickets.iter().map(|t| t.lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        assert_eq!(lanes.len(), 3, "of three miners at row {row}");
        assert_eq!(tickets.iter().filter(|t| t.byzantine).count(), 1, "row {row}");
    }
    for (_, ticket) in of(Kind::Ticket) {
        let proposal = &scene.events[ticket.uses[0].from];
        assert_eq!((proposal.kind, proposal.block), (Kind::Proposal, ticket.block));
    }
    let finals: Vec<_> =
        scene.blocks.iter().filter(|b| b.finalized.is_some()).map(|b| b.name.as_str()).collect();
    assert_eq!(finals, ["B(1,0)#0", "B(1,0)#0'"], "the fork");
    let parents: Vec<_> = scene.blocks.iter().filter(|b| b.round == 4).map(|b| b.parent).collect();
    assert_eq!(parents, [Some(4), Some(5)]);
}

#[test]
fn certificates_come_from_their_signers_and_lead_to_who_used_them() {
    let scene = scene("f_plus_one-S5");
    let votes = scene.events.iter().filter(|e| e.kind == Kind::FinalityCertificate);
    for certificate in votes.clone() {
        assert_eq!(certificate.uses.len(), 3);
        assert!(certificate.uses.iter().all(|u| u.what == Kind::Vote));
    }
    assert_eq!(votes.count(), 2);
    let scene = self::scene("hardened-W2");
    let certificate = scene.events.iter().position(|e| e.kind == Kind::TimeoutCertificate).unwrap();
    assert_eq!(scene.events[certificate].uses.len(), 3);
    let entering: Vec<_> = scene.events.iter().filter(|e| e.kind == Kind::EnterSubround).collect();
    assert!(!entering.is_empty() && entering.iter().all(|e| e.uses.iter().any(|u| u.from == certificate)));
}

#[test]
fn a_message_that_the_receiver_acted_without_is_late() {
    let scene = scene("beacon_split-L1");
    let late: Vec<_> = scene.events.iter().flat_map(|e| &e.uses).filter(|u| u.late).collect();
    assert!(late.iter().any(|u| u.what == Kind::Notarization), "the withheld notarization");
    // And one that is used at once is not.
    let on_time = scene.events.iter().flat_map(|e| &e.uses).filter(|u| u.what == Kind::Ticket);
    assert!(on_time.clone().count() > 3 && on_time.clone().all(|u| !u.late));
}

/// Where proposing and notarizing are steps of their own, the Byzantine tickets of a notarization are drawn all the same,
/// and a proposal that came before its subround is not late.
#[test]
fn a_run_whose_steps_are_not_merged_is_drawn_like_one_whose_are() {
    let (_, mut trace) = committed().into_iter().find(|(n, _)| n == "hardened-W2").unwrap();
    trace.protocol.reductions = Reductions { byzantine_available: true, ..Reductions::NONE };
    (trace.claim, trace.steps) = (None, Vec::new());
    let order: [fn(&Action) -> bool; 5] = [
        |a| matches!(a, Action::Notarize { .. }),
        |a| matches!(a, Action::Ticket { .. }),
        |a| matches!(a, Action::Select { block, .. } if block.0 == 0),
        |a| matches!(a, Action::ByzantinePropose { .. }),
        |a| matches!(a, Action::ShareBeacon { .. }),
    ];
    let mut state = trace.protocol.initial();
    loop {
        let mut enabled = Vec::new();
        trace.protocol.actions(&state, &mut enabled);
        let next = order.iter().find_map(|wanted| enabled.iter().copied().find(wanted)).unwrap();
        state = trace.protocol.apply(&state, &next);
        trace.steps.push(Step { action: next, says: None });
        if order[0](&next) {
            break;
        }
    }
    let scene = staging::stage(&trace).unwrap();
    let notarization = scene.events.iter().find(|e| e.kind == Kind::Notarization).unwrap();
    assert!(!notarization.implied);
    let tickets: Vec<_> = notarization.uses.iter().map(|u| &scene.events[u.from]).collect();
    assert_eq!(tickets.len(), 3);
    assert_eq!(tickets.iter().filter(|t| t.byzantine && t.implied).count(), 1);
    assert!(scene.events.iter().flat_map(|e| &e.uses).all(|u| !u.late));
}

#[test]
fn a_crash_is_a_stay_of_its_own() {
    let scene = scene("hardened_restart-W6");
    let down: Vec<_> = scene.stays.iter().filter(|s| s.down).collect();
    assert_eq!(down.len(), 1);
    assert_eq!(scene.events[down[0].event].kind, Kind::Crash);
}

#[test]
fn every_drawing_is_well_formed_and_has_its_arrows() {
    for (name, trace) in committed() {
        let scene = staging::stage(&trace).unwrap();
        let drawing = svg::write(&scene);
        let names = elements(&drawing);
        assert_eq!(names[0], "svg", "{name}");
        let arrows = drawing.matches("class=\"arrow ").count();
        assert_eq!(arrows, scene.events.iter().map(|e| e.uses.len()).sum::<usize>(), "{name}");
        assert!(!names.iter().any(|n| ["script", "foreignObject", "image"].contains(&n.as_str())), "{name}");
    }
}

#[test]
fn a_diagram_has_the_lanes_and_the_labels_of_the_drawing() {
    for (name, trace) in committed() {
        let scene = staging::stage(&trace).unwrap();
        let diagram = mermaid::diagram(&RunReport::new(&trace));
        let named: Vec<&str> = diagram.lines().filter_map(|line| Some(line.split_once(" as ")?.1)).collect();
        let own: Vec<&Event> = scene.events.iter().filter(|event| !event.implied).collect();
        let acting = |&lane: &usize| {
            scene.lanes[lane].role == Role::Network || own.iter().any(|event| event.lane == lane)
        };
        let lanes = (0..scene.lanes.len()).filter(acting).map(|lane| scene.lanes[lane].name.as_str());
        assert_eq!(named, lanes.collect::<Vec<_>>(), "{name}");
        for event in own {
            let label = format!(": {}. {}\n", event.step, mermaid::escape(&event.label));
            assert!(diagram.contains(&label), "{name}: {label:?} is not in\n{diagram}");
        }
    }
}

/// Text that would end a script, an attribute, an element or a string, and text that an SVG or a page would
/// run.
const HOSTILE: &str =
    "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;]]>\u{2028}${1}`\\";

fn hostile() -> Scene {
    let mut scene = scene("late_better_rank-S2");
    let bad = || HOSTILE.to_owned();
    scene.title = bad();
    scene.about = vec![bad()];
    (scene.root, scene.rounds, scene.tints) = (Some(bad()), vec![bad()], vec![bad()]);
    scene.again = Some(bad());
    if let Some(shows) = &mut scene.shows {
        (shows.property, shows.verdict, shows.text, shows.because) = (bad(), bad(), bad(), bad());
    }
    scene.lanes.iter_mut().for_each(|l| l.name = bad());
    scene.blocks.iter_mut().for_each(|b| b.name = bad());
    for event in &mut scene.events {
        (event.label, event.says, event.shows) = (bad(), bad(), vec![bad()]);
        event.changes.iter_mut().for_each(|l| (l.subject, l.parts) = (bad(), vec![bad()]));
    }
    scene.initial.iter_mut().for_each(|l| l.subject = bad());
    scene
}

#[test]
fn what_a_scene_says_is_text_in_a_page() {
    let page = page::run(&hostile(), Some(HOSTILE));
    let own = page::run(&scene("late_better_rank-S2"), None);
    for tag in ["<script", "</script", "<img", "<svg", "<style", "<template", "</template"] {
        assert_eq!(page.matches(tag).count(), own.matches(tag).count(), "{tag}");
    }
    let (_, rest) = page.split_once("id=\"scene\">").unwrap();
    let json = rest.split("</script>").next().unwrap();
    assert!(!json.contains(['<', '>', '&', '\u{2028}']));
    let read: Scene = serde_json::from_str(json).unwrap();
    assert_eq!(read.title, zus_output::plain::text(HOSTILE), "and it is the same text, without disguise");
    assert!(
        own.contains("default-src 'none'") && !own.contains("http://")
            || own.matches("http").count()
                == own.matches("http://www.w3.org/").count() + own.matches("http-equiv").count(),
        "nothing is fetched"
    );
    let code = format!("{}{}", page::VIEWER_JS, include_str!("../report/src/draw/assets/one.js"));
    for sink in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "fetch(",
        "XMLHttpRequest",
    ] {
        assert!(!code.contains(sink), "{sink}");
    }
}

#[test]
fn what_a_scene_says_is_text_in_a_drawing() {
    let own = elements(&svg::write(&scene("late_better_rank-S2"))).len();
    // The hostile scene has more flags, one for each event, and more sentences of two lines.
    let drawing = svg::write(&hostile());
    let names = elements(&drawing);
    assert!(!names.iter().any(|n| n == "script" || n == "img"), "{names:?}");
    assert!(names.len() <= own + 2 * hostile().events.len());
}

#[test]
fn a_scene_that_names_what_is_not_there_is_refused() {
    let good = scene("late_better_rank-S2");
    let refused = |change: &dyn Fn(&mut Scene)| {
        let mut bad = good.clone();
        change(&mut bad);
        Scene::from_json("s.json", &serde_json::to_string(&bad).unwrap()).unwrap_err().to_string()
    };
    let last = good.events.len() - 1;
    for change in [
        (&|s: &mut Scene| s.events[0].lane = 99) as &dyn Fn(&mut Scene),
        &|s| s.events[0].block = Some(99),
        &|s| s.events[last].uses[0].from = last,
        &|s| s.blocks[0].parent = Some(0),
        &|s| s.blocks[0].notarized = Some(1000),
        &|s| s.stays[0].lane = 99,
        &|s| s.shows.as_mut().unwrap().event = 1000,
        &|s| s.version = VERSION + 1,
        &|s| s.format = format!("{FORMAT}s"),
    ] {
        assert!(refused(change).starts_with("s.json: "));
    }
    assert!(good.lanes.iter().any(|l| l.role == Role::Network));
}

/// A prime says the second block of a generator, and stands on both branches of a fork; what a block is called says its
/// branch, and no two blocks are called the same.
#[test]
fn the_branch_of_every_block_of_a_fork_can_be_read() {
    for (name, trace) in committed() {
        let scene = staging::stage(&trace).unwrap();
        if scene.story.is_empty() {
            continue;
        }
        let mut called: Vec<&str> = scene.blocks.iter().filter_map(|b| b.called.as_deref()).collect();
        let all = called.len();
        called.sort_unstable();
        called.dedup();
        assert_eq!(called.len(), all, "{name}");
        for block in &scene.blocks {
            let Some(parent) = block.parent.map(|p| &scene.blocks[p]) else { continue };
            if let Some(branch) = &parent.called {
                let branch = &branch[..1];
                assert!(block.called.as_ref().is_some_and(|c| c.starts_with(branch)), "{name}: {block:?}");
            }
        }
        for event in &scene.events {
            let block = event.block.map(|b| &scene.blocks[b]);
            if let Some(called) = block.and_then(|b| b.called.as_ref())
                && event.label.ends_with(&block.unwrap().name)
            {
                assert!(event.label.contains(&format!("{called}: ")), "{name}: {}", event.label);
            }
        }
        assert!(svg::write(&scene).contains("class=\"called\""), "{name}");
    }
}

#[test]
fn a_fork_is_told_in_plain_words() {
    let told = |name: &str| -> Vec<String> {
        let scene = scene(name);
        assert!(scene.story.iter().all(|t| t.event < scene.events.len()), "{name}");
        scene.story.into_iter().map(|t| t.says).collect()
    };
    let fork = told("deployed_fork-S5");
    assert_eq!(fork.len(), 6, "{fork:#?}");
    for (sentence, part) in [
        (
            0,
            "the Byzantine generator makes two different blocks of the same rank: X, drawn as B(1,0)#0, and Y",
        ),
        (1, "Miner 0 signs X, miner 1 and miner 2 sign Y. Then miner 1 signs the other one, too"),
        (1, "BetterOrEqualRank allows it"),
        (2, "B(2,0)#0', B(3,0)#0, B(4,0)#0 on X, and B(2,0)#0, B(3,0)#0', B(4,0)#0' on Y"),
        (3, "Observer 0 finalizes X, knowing of round 4 the tip B(4,0)#0 only: the rule CommonAncestor"),
        (4, "Observer 1 finalizes Y, knowing of round 4 the tip B(4,0)#0' only"),
        (5, "two histories"),
    ] {
        assert!(fork[sentence].contains(part), "{part}: {fork:#?}");
    }
    // Each kind of fork has its own reason: subrounds, a better rank, a crash, too many Byzantine miners.
    for (name, part) in [
        ("two_delta_synchronous-S5", "one signature in every subround is allowed"),
        ("late_better_rank-S2", "BetterRank allows it for a block of a better rank"),
        ("amnesia-S2", "forgotten the first signature in a crash"),
        ("f_plus_one-S5", "no honest miner signs both; the Byzantine miners sign both"),
    ] {
        let story = told(name);
        assert!(story.iter().any(|says| says.contains(part)), "{name}: {story:#?}");
    }
    assert!(told("beacon_split-L1").is_empty(), "no fork, no such story");
    // A scene that another tool wrote may lead nowhere.
    let mut wrong = scene("amnesia-S2");
    wrong.story[0].event = wrong.events.len();
    let refused = Scene::from_json("wrong", &serde_json::to_string(&wrong).unwrap());
    assert!(refused.unwrap_err().to_string().contains("the story"));
}

fn zus(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_zus")).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A file may say anything of its claim and its steps: what is drawn is read off the run.
#[test]
fn the_words_of_a_file_are_not_drawn_but_those_of_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.json");
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/late_better_rank-S2.json");
    let mut trace = Trace::load(&committed).unwrap();
    let because = std::mem::replace(&mut trace.claim.as_mut().unwrap().because, "S2: I say so".into());
    for step in &mut trace.steps {
        step.says = Some("I say so".into());
    }
    fs::write(&file, trace.to_json()).unwrap();
    let file = file.to_str().unwrap();
    for arguments in [
        &["draw", file, "--format", "html"][..],
        &["draw", file, "--format", "svg"],
        &["draw", file, "--format", "mermaid"],
        &["draw", file, "--format", "scene"],
        &["draw", file, "--format", "itf"],
        &["replay", file],
    ] {
        let (code, out, err) = zus(arguments);
        assert_eq!(code, Some(0), "{err}");
        let blocks = because.split('\'').next().unwrap().trim_start_matches("S2: ");
        assert!(!out.contains("I say so"), "{arguments:?}");
        let shown = out.replace("#35;", "#");
        assert!(shown.contains(blocks), "{arguments:?}: {blocks:?} in {out}");
    }
    // A claim that is false is refused.
    trace.steps.pop();
    fs::write(file, trace.to_json()).unwrap();
    for command in ["draw", "replay", "explore"] {
        let (code, out, err) = zus(&[command, file]);
        let said = "S2 is claimed to be violated, and the run does not show it";
        assert!([Some(1), Some(2)].contains(&code) && (out + &err).contains(said), "{command}: {err}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_what_to_name() {
    let folder = tempfile::tempdir().unwrap();
    let (large, bytes) = (folder.path().join("large.json"), folder.path().join("bytes.json"));
    fs::File::create(&large).unwrap().set_len((64 << 20) + 1).unwrap();
    fs::write(&bytes, b"{\"format\": \"zus-trace\xff\"}").unwrap();
    for (file, said) in [
        (&large, "larger than 67108864 bytes"),
        (&bytes, "no UTF-8 at byte "),
        (&folder.path().join("none"), "cannot be read"),
    ] {
        for command in ["draw", "replay"] {
            let (code, _, err) = zus(&[command, file.to_str().unwrap()]);
            assert_eq!(code, Some(2), "{command}: {err}");
            assert!(
                err.contains(said) && err.contains("\n  fix: ") && err.contains("name a trace"),
                "{command}: {err}"
            );
        }
    }
}
