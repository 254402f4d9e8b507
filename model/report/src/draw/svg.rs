//! A scene as SVG. A file is one picture with the block tree below it. A page has the same picture in parts
//! ([`parts`]): the names of the lanes, sheets of [`SHEET`] rows, and the tree. A message that is on its way at the edge of
//! a sheet is drawn on both.

use super::{
    layout::{
        BESIDE, Band, GUTTER, HEAD, LABEL, Layout, MOST_BLOCKS, ROW, SHEET, bands, cut, flags, middle,
        wrapped,
    },
    page::DRAWING_CSS,
    scene::{BlockCard, Event, Kind, Lane, Role, Scene, Segment, Shown, Use},
};
use maud::{Markup, PreEscaped, html};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

struct Drawing<'a> {
    scene: &'a Scene,
    layout: Layout,
    bands: Vec<Band<'a>>,
}

impl<'a> Drawing<'a> {
    fn new(scene: &'a Scene) -> Self {
        Drawing { scene, layout: Layout::of(scene), bands: bands(scene) }
    }
}

/// The SVG file.
pub fn write(scene: &Scene) -> String {
    file(&Drawing::new(scene), &[])
}

/// The SVG file for a screen of 390 pixels, and for a page of documentation of any width: with its title, and the meanings of
/// its tints and shapes.
pub fn narrow(scene: &Scene) -> String {
    let drawing = Drawing { layout: Layout::narrow(scene), ..Drawing::new(scene) };
    let characters = (drawing.layout.width - 2 * EDGE) as usize / WIDE_CHARACTER;
    let mut title = wrapped(&scene.title, characters);
    if let Some(shown) = &scene.shows {
        title.extend(wrapped(&shown.text, characters));
    }
    file(&drawing, &title)
}

/// The margin at the left of a title.
const EDGE: i32 = 10;
/// Pixels of a character of a title.
const WIDE_CHARACTER: usize = 6;
/// The height of a line of a title.
const TITLE: i32 = 17;

fn file(drawing: &Drawing<'_>, title: &[String]) -> String {
    let scene = drawing.scene;
    let (width, rows) = (drawing.layout.width, scene.events.len());
    let above = if title.is_empty() { 0 } else { title.len() as i32 * TITLE + 12 };
    let head = HEAD + above;
    let key = if title.is_empty() { (html! {}, 0) } else { drawing.key() };
    let below = head + rows as i32 * ROW + 16 + key.1;
    let (tree, (tree_width, tree_height)) = drawing.tree();
    let (width, height) = (width.max(tree_width + GUTTER), below + tree_height + 12);
    let uses = |(row, event): (usize, &'_ Event)| {
        event.uses.iter().map(move |used| (row, *used)).collect::<Vec<_>>()
    };
    let all = scene.events.iter().enumerate().flat_map(uses);
    let file = html! {
        svg.zus xmlns="http://www.w3.org/2000/svg" width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) }
            role="img" {
            title { (scene.title) }
            @if let Some(claim) = &scene.shows { desc { (claim.because) } }
            style { (PreEscaped(DRAWING_CSS)) }
            rect.back width=(width) height=(height) {}
            @for (at, line) in title.iter().enumerate() {
                text class=(if at == 0 { "lane-name" } else { "caption" }) x=(EDGE) y=(TITLE + at as i32 * TITLE) { (line) }
            }
            g transform=[(above > 0).then(|| format!("translate(0 {above})"))] { (drawing.heads()) }
            g transform={ "translate(0 " (head) ")" } { (drawing.rows(0..rows, all, false)) }
            @if key.1 > 0 { g transform={ "translate(" (EDGE) " " (below - key.1) ")" } { (key.0) } }
            g transform={ "translate(" (GUTTER) " " (below + 12) ")" } { (tree) }
        }
    };
    zus_output::plain::text(&file.into_string()).into_owned()
}

/// The drawing for the viewer, whose elements have what they stand for in `data-` attributes.
pub fn parts(scene: &Scene) -> Markup {
    let drawing = Drawing::new(scene);
    let (width, rows) = (drawing.layout.width, scene.events.len());
    let layout = serde_json::to_string(&drawing.layout).unwrap_or_default();
    let (tree, (tree_width, tree_height)) = drawing.tree();
    html! {
        svg.zus.names width=(width) height=(HEAD) data-layout=(layout) role="presentation" { (drawing.heads()) }
        @for (from, uses) in (0..rows).step_by(SHEET).zip(Layout::on_sheets(scene)) {
            @let to = (from + SHEET).min(rows);
            svg.zus.sheet width=(width) height=((to - from) as i32 * ROW) data-from=(from) data-to=(to) role="presentation" {
                (drawing.rows(from..to, uses.into_iter(), true))
            }
        }
        @if tree_height > 0 {
            // Beside the rows a tree may shrink a little; a larger one scrolls.
            svg.zus.blocks style={ "min-width:" (tree_width * 4 / 5) "px" } width=(tree_width) height=(tree_height) viewBox={ "0 0 " (tree_width) " " (tree_height) } role="img"
                aria-label="Block tree" { (tree) }
        }
        (legend())
    }
}

impl Drawing<'_> {
    fn heads(&self) -> Markup {
        html! {
            text.number x=(GUTTER - 10) y="21" { "step" }
            (self.committees())
            @for (index, (lane, column)) in self.scene.lanes.iter().zip(&self.layout.columns).enumerate() {
                @let class = format!("lane-name {}", lane.role.name());
                @if self.layout.labelled {
                    text class=(class) x=(column.left + 4) y="21" text-anchor="start" data-lane=(index) { (lane.name) }
                } @else {
                    text class=(class) x=(column.mid) y="21" text-anchor="middle" data-lane=(index) {
                        (short(lane)) title { (lane.name) }
                    }
                }
            }
        }
    }

    /// The committees of the lanes, as bars above their names.
    fn committees(&self) -> Markup {
        let of = |index: usize| self.scene.lanes.get(index).and_then(|lane| lane.committee);
        let begins = (0..self.scene.lanes.len()).filter(|&at| at == 0 || of(at) != of(at - 1));
        let bars = begins.filter_map(|begin| {
            let committee = of(begin)?;
            let end = (begin..self.scene.lanes.len()).take_while(|&at| of(at) == Some(committee)).last()?;
            let (first, last) = (self.layout.columns[begin], self.layout.columns[end]);
            Some((committee.name(), first.left + 1, last.left + last.width - first.left - 2))
        });
        html! {
            @for (at, (name, left, width)) in bars.enumerate() {
                rect class={ "committee " (name) } x=(left) y="-3" width=(width) height="13" rx="3" {}
                // There is room to the left of the first bar.
                @if at == 0 && width < 6 * name.len() as i32 {
                    text class="committee-name" style="text-anchor:end" x=(left + width) y="7" { (name) }
                } @else {
                    text class="committee-name" x=(left + width / 2) y="7" { (name) }
                }
            }
        }
    }

    /// The meanings of tints and of the shapes of a handover, and their height.
    fn key(&self) -> (Markup, i32) {
        const LINE: i32 = 20;
        let tints = self.scene.tints.iter().enumerate();
        let mut kinds: Vec<Kind> = self.scene.events.iter().map(|event| event.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let named: Vec<(Kind, &str)> =
            kinds.into_iter().filter_map(|kind| Some((kind, meaning(kind)?))).collect();
        let width = self.layout.width / 2 - EDGE;
        let cells = self.scene.tints.len() + named.len();
        let at = |cell: usize| ((cell % 2) as i32 * width, (cell / 2) as i32 * LINE + 6);
        let first = self.scene.tints.len();
        let key = html! {
            @for (cell, tint) in tints {
                @let (x, y) = at(cell);
                rect class={ "stay t" (cell % 3) " edged" } x=(x) y=(y - 6) width="14" height="12" rx="3" {}
                text.says x=(x + 22) y=(y + 4) { (tint) }
            }
            @for (cell, (kind, text)) in named.iter().enumerate() {
                @let (x, y) = at(first + cell);
                (shape(*kind, "", x + 7, y))
                text.says x=(x + 22) y=(y + 4) { (text) }
            }
        };
        (key, (cells as i32).div_euclid(2) * LINE + LINE + 8)
    }

    /// Some rows, from what is behind to what is in front. On a page each row has a place to click.
    fn rows(&self, rows: Range<usize>, uses: impl Iterator<Item = (usize, Use)>, live: bool) -> Markup {
        let (scene, width) = (self.scene, self.layout.width);
        let top = rows.start as i32 * ROW;
        let height = rows.len() as i32 * ROW;
        let edge = |row: usize| row as i32 * ROW - top;
        let claim = scene.shows.as_ref().filter(|claim| rows.contains(&claim.event));
        html! {
            (self.stays(&rows))
            @if let Some(Shown { verdict, event, .. }) = claim {
                rect class={ "broken " (verdict) } y=(edge(*event)) width=(width) height=(ROW) data-row=(event) {}
            }
            @if live {
                @for row in rows.clone() { rect.hit y=(edge(row)) data-row=(row) {} }
            }
            @if let Some(Shown { verdict, event, .. }) = claim {
                rect class={ "mark " (verdict) } y=(edge(*event)) width="6" height=(ROW) data-row=(event) {}
            }
            @for (index, (lane, column)) in scene.lanes.iter().zip(&self.layout.columns).enumerate() {
                line class={ "lane " (lane.role.name()) } x1=(column.mid) x2=(column.mid) y2=(height) data-lane=(index) {}
            }
            @for (row, used) in uses {
                @let (path, head) = self.layout.arrow(scene, row, &used, top);
                @let byzantine = if scene.events[used.from].byzantine { " byzantine" } else { "" };
                @let late = if used.late { " late" } else { "" };
                g class={ "arrow " (used.what.name()) (byzantine) (late) } data-from=(used.from) data-to=(row) {
                    path d=(path) {} path d=(head) {}
                }
            }
            @for row in rows.clone() { (self.row(row, middle(row) - top)) }
        }
    }

    /// The (round, subround) that each miner is in, as bands behind its lane.
    fn stays(&self, rows: &Range<usize>) -> Markup {
        let top = rows.start as i32 * ROW;
        html! {
            @for Band { stay, top: from, bottom: to } in &self.bands {
                @if *to > top && *from < rows.end as i32 * ROW {
                    @let column = &self.layout.columns[stay.lane];
                    @let of_round = (stay.round * 2 + u64::from(stay.subround)) % 3;
                    @let tone = stay.tint.map_or(of_round, |tint| u64::from(tint) % 3);
                    @let down = if stay.down { " down" } else { "" };
                    g data-lane=(stay.lane) data-top=(from) data-bottom=(to) {
                        rect class={ "stay t" (tone) (down) } x=(column.left + 1) y=(from - top) width=(column.width - 3)
                            height=((to - from - 1).max(0)) rx="3" {}
                        @if self.layout.labelled && to - from >= 13 {
                            text.stay-name x=(column.left + column.width - 7) y=(from - top + 13) {
                                @if stay.down { "down" } @else { "(" (stay.round) ", " (stay.subround) ")" }
                            }
                        }
                    }
                }
            }
        }
    }

    fn row(&self, row: usize, y: i32) -> Markup {
        let event = &self.scene.events[row];
        let column = &self.layout.columns[event.lane];
        let flags: Vec<(String, bool)> = flags(event).collect();
        let flagged: usize = flags.iter().map(|(flag, _)| flag.chars().count() + 1).sum();
        // The flags stand at the beginning of the first line.
        let lines = wrapped(&format!("{}{}", " ".repeat(flagged), event.says), self.layout.line);
        let y_of = |line: usize| if lines.len() == 1 { y + 4 } else { y - 2 + line as i32 * 13 };
        html! {
            g class=[event.implied.then_some("implied")] data-row=(row) {
                @if !event.implied && event.step > 0 { text.number x=(GUTTER - 10) y=(y + 4) { (event.step) } }
                g.at {
                    (glyph(event, column.mid, y))
                    @if self.layout.labelled { text.label x=(column.mid + BESIDE) y=(y + 4) { (cut(&event.label, LABEL)) } }
                }
                text.says {
                    @for (at, line) in lines.iter().enumerate() {
                        tspan x=(self.layout.text) y=(y_of(at)) {
                            @for (flag, witness) in flags.iter().filter(|_| at == 0) {
                                tspan class={ "flag" (if *witness { " reached" } else { "" }) } { (flag) } " "
                            }
                            (line.trim_start())
                        }
                    }
                }
            }
        }
    }

    /// One column a round, one row a priority, as it is at the end; and its size, zero where there is no tree.
    fn tree(&self) -> (Markup, (i32, i32)) {
        const LINE: i32 = 38;
        const TOP: i32 = 36;
        const LEFT: i32 = 56;
        let all = &self.scene.blocks;
        let known: Vec<_> = all.iter().enumerate().filter(|(_, b)| b.proposed.is_some()).collect();
        if known.len() > MOST_BLOCKS {
            return (html! {}, (0, 0));
        }
        let later = |b: &BlockCard| b.segment == Some(Segment::Next);
        let key = |b: &BlockCard| (later(b), b.subround, b.rank, b.twin);
        let round_name = |round: u64| {
            let named = self.scene.rounds.get((round as usize).saturating_sub(1));
            named.cloned().unwrap_or_else(|| format!("round {round}"))
        };
        let keys: BTreeSet<_> = known.iter().map(|(_, b)| key(b)).collect();
        let lines: BTreeMap<_, i32> = keys.into_iter().zip(0..).collect();
        let rounds: BTreeSet<u64> = known.iter().map(|(_, b)| b.round.min(10_000)).chain([1]).collect();
        let last = rounds.last().copied().unwrap_or(1) as i32;
        let column = (284 / last).clamp(70, 92);
        let half = column / 2 - 4;
        let x = |b: &BlockCard| LEFT + b.round.min(10_000) as i32 * column - column / 2;
        let y = |b: &BlockCard| TOP + lines.get(&key(b)).copied().unwrap_or(0) * LINE;
        let tree = html! {
            @for round in &rounds {
                text.round-name x=(LEFT + *round as i32 * column - column / 2) y="9" { (cut(&round_name(*round), 12)) }
            }
            @for (index, block) in &known {
                @let (fx, fy) = block.parent.map_or((52, TOP), |p| (x(&all[p]) + half, y(&all[p])));
                @let (tx, ty) = (x(block) - half, y(block));
                path.parent data-block=(index) d={ "M" (fx) " " (fy) "C" (fx + 10) " " (fy) "," (tx - 10) " " (ty) "," (tx) " " (ty) } {}
            }
            rect class="block finalized" x="4" y=(TOP - 11) width="48" height="22" rx="4" {}
            text class="block-name filled" x="28" y=(TOP + 4) { (cut(self.scene.root.as_deref().unwrap_or("genesis"), 8)) }
            @for (index, block) in &known {
                @let is = if block.finalized.is_some() { "finalized" } else if block.notarized.is_some() { "notarized" } else { "proposed" };
                @let filled = if is == "proposed" { is } else { "filled" };
                @let byzantine = if block.byzantine { " byzantine" } else { "" };
                g data-block=(index) {
                    title {
                        (block.name)
                        @if let Some(called) = &block.called { ", called " (called) }
                        @if block.byzantine { ", of a Byzantine generator" }
                    }
                    @let segment = block.segment.map_or(String::new(), |segment| format!(" {}", segment.name()));
                    rect class={ "block " (is) (byzantine) (segment) } x=(x(block) - half) y=(y(block) - 12) width=(2 * half) height="24" rx="4" {}
                    text class={ "block-name " (filled) } x=(x(block)) y=(y(block) + 4) { (cut(&block.name, 12)) }
                    @if let Some(called) = &block.called { text.called x=(x(block) - half + 1) y=(y(block) - 14) { (called) } }
                }
            }
        };
        (tree, (LEFT + last * column + 6, TOP + (lines.len() as i32).max(1) * LINE))
    }
}

/// The meaning of strokes, tints and keys.
fn legend() -> Markup {
    let strokes = [
        ("ticket", "ticket"),
        ("notarization", "notarization"),
        ("timeout", "timeout"),
        ("timeout_certificate", "timeout certificate"),
        ("vote", "finality vote"),
        ("finality_certificate", "finality certificate"),
        ("ticket byzantine", "sent by a Byzantine miner"),
        ("notarization late", "late or withheld: the receiver acted without it before"),
    ];
    html! {
        details.legend {
            summary { "Legend and keys" }
            ul {
                @for (class, text) in strokes {
                    li { svg.zus width="34" height="10" { g class={ "arrow " (class) } { path d="M1 5H33" {} } } " " (text) }
                }
                li { "tints: the (round, subround) that a miner is in; grey: it is down" }
                li { "rows without a number are implied by the step that they stand at" }
                li { "→ ← next and last step, ↓ ↑ next and last row, Home End, v the row that shows the property" }
            }
        }
    }
}

/// The number in a name, for narrow lanes. A single member of its committees has none.
fn short(lane: &Lane) -> String {
    let initial = match lane.role {
        Role::Honest | Role::Network => "",
        Role::Byzantine => "B",
        Role::Observer => "o",
    };
    let single = if initial.is_empty() { "1" } else { initial };
    match (lane.name.find(|c: char| c.is_ascii_digit()), lane.committee) {
        (Some(at), _) => format!("{initial}{}", &lane.name[at..]),
        (None, Some(_)) => single.into(),
        (None, None) => lane.name.clone(),
    }
}

fn glyph(event: &Event, x: i32, y: i32) -> Markup {
    shape(event.kind, if event.byzantine { " byzantine" } else { "" }, x, y)
}

/// The meaning of a shape, in the key of a file.
fn meaning(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Ticket => Some("signs a ticket"),
        Kind::Notarization => Some("notarization"),
        Kind::Leave => Some("leaves its round"),
        Kind::Adopt => Some("learns of another block"),
        Kind::Vote => Some("leaves and votes"),
        Kind::FinalityCertificate => Some("finality certificate"),
        Kind::Finalize => Some("takes a block for final"),
        Kind::Handoff => Some("handoff certificate"),
        Kind::EnterEpoch => Some("enters the next epoch"),
        Kind::Restart => Some("crashes and comes back"),
        Kind::Beacon
        | Kind::Proposal
        | Kind::Selection
        | Kind::Timeout
        | Kind::TimeoutCertificate
        | Kind::EnterSubround
        | Kind::Crash
        | Kind::Network => None,
    }
}

fn shape(kind: Kind, byzantine: &str, x: i32, y: i32) -> Markup {
    let class = format!("glyph {}{byzantine}", kind.name());
    let path = |d: String| html! { path class=(class) d=(d) {} };
    match kind {
        Kind::Proposal => {
            html! { rect class=(class) x=(x - 6) y=(y - 6) width="12" height="12" rx="1.5" {} }
        }
        Kind::Ticket | Kind::Vote => html! { circle class=(class) cx=(x) cy=(y) r="4" {} },
        Kind::Notarization | Kind::TimeoutCertificate | Kind::FinalityCertificate => {
            path(format!("M{} {y}l4.5-7h9l4.5 7l-4.5 7h-9z", x - 9))
        }
        Kind::Leave | Kind::Adopt => path(format!("M{} {}h12l-6 10z", x - 6, y - 5)),
        Kind::EnterSubround => path(format!("M{} {}v12l10-6z", x - 5, y - 6)),
        Kind::Timeout => path(format!("M{} {}h10l-10 12h10z", x - 5, y - 6)),
        Kind::Finalize => html! { rect class=(class) x=(x - 6) y=(y - 6) width="12" height="12" rx="6" {} },
        Kind::Handoff => html! {
            path class=(class) d=(format!("M{} {y}l5.5-8h11l5.5 8l-5.5 8h-11z", x - 11)) {}
            path class="glyph-mark" d=(format!("M{} {y}h7m-3-3l3 3l-3 3", x - 4)) {}
        },
        Kind::EnterEpoch => path(format!("M{} {}h7l7 7l-7 7h-7z", x - 7, y - 7)),
        Kind::Crash => path(format!("M{} {}l10 10m0-10l-10 10", x - 5, y - 5)),
        Kind::Beacon => path(format!("M{x} {}l5 6l-5 6l-5-6z", y - 6)),
        Kind::Selection | Kind::Restart | Kind::Network => {
            html! { circle class=(class) cx=(x) cy=(y) r="5" {} }
        }
    }
}
