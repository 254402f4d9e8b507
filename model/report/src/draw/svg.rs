//! A scene as one SVG file, without a browser: the picture that the viewer shows, with the block tree below it.

use super::{
    page::DRAWING_CSS,
    scene::{Event, Kind, Role, Scene, Use},
};
use maud::{Markup, PreEscaped, html};
use std::collections::{BTreeMap, BTreeSet};

/// Height of a row; this and what follows are in pixels, and the same as in `assets/viewer.js`.
const ROW: i32 = 30;
const HEAD: i32 = 34;
const GUTTER: i32 = 46;
const WIDE: i32 = 150;
const WIDE_SENT: i32 = 178;
const NARROW: i32 = 26;
const NARROW_SENT: i32 = 70;
const SAYS: i32 = 560;
const MARGIN: i32 = 12;
/// Lanes that are drawn with labels; more are drawn narrow.
const MOST_WIDE: usize = 9;
/// Blocks that are drawn as a tree.
const MOST_BLOCKS: usize = 400;

/// Where a lane stands.
struct Column {
    left: i32,
    mid: i32,
    width: i32,
}

struct Drawing<'a> {
    scene: &'a Scene,
    columns: Vec<Column>,
    labelled: bool,
    text: i32,
    width: i32,
}

/// The SVG file.
pub fn write(scene: &Scene) -> String {
    let labelled = scene.lanes.len() <= MOST_WIDE;
    let mut left = GUTTER;
    let mut columns = Vec::with_capacity(scene.lanes.len());
    for lane in &scene.lanes {
        let width = match (lane.role, labelled) {
            (Role::Network, true) => WIDE_SENT,
            (Role::Network, false) => NARROW_SENT,
            (_, true) => WIDE,
            (_, false) => NARROW,
        };
        columns.push(Column { left, mid: if labelled { left + 16 } else { left + width / 2 }, width });
        left += width;
    }
    let drawing = Drawing { scene, columns, labelled, text: left + MARGIN, width: left + MARGIN + SAYS };
    zus_output::plain::text(&drawing.file().into_string()).into_owned()
}

fn y(row: usize) -> i32 {
    HEAD + row as i32 * ROW + ROW / 2
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

impl Drawing<'_> {
    fn file(&self) -> Markup {
        let rows = HEAD + self.scene.events.len() as i32 * ROW + 16;
        let (tree, tree_height) = self.tree(rows + 12);
        let height = rows + tree_height;
        let width = self.width;
        let claim = self.scene.shows.as_ref();
        html! {
            svg.zus xmlns="http://www.w3.org/2000/svg" width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) }
                role="img" {
                title { (self.scene.title) }
                @if let Some(claim) = claim { desc { (claim.because) } }
                style { (PreEscaped(DRAWING_CSS)) }
                rect.back width=(width) height=(height) {}
                @for (lane, column) in self.scene.lanes.iter().zip(&self.columns) {
                    @if self.labelled {
                        text class={ "lane-name " (role(lane.role)) } x=(column.left + 4) y="21" style="text-anchor:start" { (lane.name) }
                    } @else {
                        text class={ "lane-name " (role(lane.role)) } x=(column.mid) y="21" { (short(&lane.name)) title { (lane.name) } }
                    }
                }
                (self.stays())
                @if let Some(claim) = claim {
                    rect class={ "broken " (claim.verdict) } x="0" y=(y(claim.event) - ROW / 2) width=(width) height=(ROW) {}
                    rect class={ "mark " (claim.verdict) } x="0" y=(y(claim.event) - ROW / 2) width="6" height=(ROW) {}
                }
                @for (lane, column) in self.scene.lanes.iter().zip(&self.columns) {
                    line class={ "lane " (role(lane.role)) } x1=(column.mid) x2=(column.mid) y1=(HEAD) y2=(rows) {}
                }
                @for (row, event) in self.scene.events.iter().enumerate() {
                    @for used in &event.uses { (self.arrow(row, event, used)) }
                }
                @for (row, event) in self.scene.events.iter().enumerate() { (self.row(row, event)) }
                (tree)
            }
        }
    }

    /// The (round, subround) that each miner is in, as bands behind its lane.
    fn stays(&self) -> Markup {
        let last = self.scene.events.len();
        html! {
            @for (at, stay) in self.scene.stays.iter().enumerate() {
                @let next = self.scene.stays[at + 1..].iter().find(|s| s.lane == stay.lane);
                @let first = !self.scene.stays[..at].iter().any(|s| s.lane == stay.lane);
                @let top = if first { HEAD } else { y(stay.event) };
                @let bottom = next.map_or(y(last) - ROW / 2, |s| y(s.event));
                @let column = &self.columns[stay.lane];
                @let tone = (stay.round * 2 + u64::from(stay.subround)) % 3;
                @let down = if stay.down { " down" } else { "" };
                rect class={ "stay t" (tone) (down) } x=(column.left + 1) y=(top) width=(column.width - 3)
                    height=((bottom - top - 1).max(0)) rx="3" {}
                @if self.labelled && bottom - top >= 13 {
                    text.stay-name x=(column.left + column.width - 7) y=(top + 13) {
                        @if stay.down { "down" } @else { "(" (stay.round) ", " (stay.subround) ")" }
                    }
                }
            }
        }
    }

    fn arrow(&self, row: usize, event: &Event, used: &Use) -> Markup {
        let maker = &self.scene.events[used.from];
        let (x1, x2) = (self.columns[maker.lane].mid, self.columns[event.lane].mid);
        let (y1, y2) = (y(used.from), y(row));
        let byzantine = if maker.byzantine { " byzantine" } else { "" };
        let late = if used.late { " late" } else { "" };
        let class = format!("{}{byzantine}{late}", used.what.name());
        let same = x1 == x2;
        let toward = if same { -1 } else { (x2 - x1).signum() };
        let tip = if same { x2 + 7 } else { x2 - toward * 7 };
        let bend = if same { x1 + 16 } else { (x1 + x2) / 2 };
        let near = if same { bend } else { x2 - toward * 35 };
        let path = if row - used.from > 3 {
            format!("M{x1} {y1}C{bend} {},{near} {},{tip} {}", y1 + 14, y2 - 34, y2 - 2)
        } else {
            format!("M{x1} {y1}L{tip} {}", y2 - 2)
        };
        let half = f64::from(-toward) * 0.5;
        html! {
            path class={ "arrow " (class) } d=(path) {}
            path class={ "head " (class) } d={ "M" (tip + toward * 2) " " (y2 - 1) "l" (-toward * 7) " -5.5l" (half) " 7z" } {}
        }
    }

    fn row(&self, row: usize, event: &Event) -> Markup {
        let (column, y) = (&self.columns[event.lane], y(row));
        let flags: Vec<(&str, bool)> =
            event.shows.iter().map(|id| (id.as_str(), id.starts_with('W'))).collect();
        let label = if column.width > WIDE { 28 } else { 24 };
        html! {
            g class=[event.implied.then_some("implied")] {
                @if !event.implied && event.step > 0 { text.number x=(GUTTER - 10) y=(y + 4) { (event.step) } }
                (glyph(event, column.mid, y))
                @if self.labelled { text.label x=(column.mid + 12) y=(y + 4) { (cut(&event.label, label)) } }
                text.says x=(self.text) y=(y + 4) {
                    @for (id, witness) in &flags {
                        @if *witness { tspan class="flag reached" { (id) " reached  " } }
                        @else { tspan.flag { (id) " violated  " } }
                    }
                    (cut(&event.says, 92usize.saturating_sub(flags.len() * 11)))
                }
            }
        }
    }

    /// One column a round, one row a priority, as it is at the end.
    fn tree(&self, top: i32) -> (Markup, i32) {
        const COLUMN: i32 = 92;
        const LINE: i32 = 34;
        let blocks: Vec<_> = self.scene.blocks.iter().filter(|b| b.proposed.is_some()).collect();
        if blocks.is_empty() || blocks.len() > MOST_BLOCKS {
            return (html! {}, 0);
        }
        let key = |b: &super::scene::BlockCard| (b.subround, b.rank, b.twin);
        let keys: BTreeSet<_> = blocks.iter().map(|b| key(b)).collect();
        let lines: BTreeMap<_, i32> = keys.into_iter().zip(0..).collect();
        let x = |round: u64| GUTTER + 64 + round.min(10_000) as i32 * COLUMN - COLUMN / 2;
        let y = |b: &super::scene::BlockCard| top + 36 + lines.get(&key(b)).copied().unwrap_or(0) * LINE;
        let rounds: BTreeSet<u64> = blocks.iter().map(|b| b.round).collect();
        let genesis = (GUTTER + 28, top + 36);
        let tree = html! {
            @for round in rounds { text.round-name x=(x(round)) y=(top + 9) { "round " (round) } }
            @for block in &blocks {
                @let (fx, fy) = block.parent.map_or((genesis.0 + 24, genesis.1), |p| (x(self.scene.blocks[p].round) + 39, y(&self.scene.blocks[p])));
                @let (tx, ty) = (x(block.round) - 39, y(block));
                path.parent d={ "M" (fx) " " (fy) "C" (fx + 10) " " (fy) "," (tx - 10) " " (ty) "," (tx) " " (ty) } {}
            }
            rect class="block finalized" x=(genesis.0 - 24) y=(genesis.1 - 11) width="48" height="22" rx="4" {}
            text class="block-name filled" x=(genesis.0) y=(genesis.1 + 4) { "genesis" }
            @for block in &blocks {
                @let is = if block.finalized.is_some() { "finalized" } else if block.notarized.is_some() { "notarized" } else { "proposed" };
                @let filled = if is == "proposed" { is } else { "filled" };
                @let byzantine = if block.byzantine { " byzantine" } else { "" };
                rect class={ "block " (is) (byzantine) } x=(x(block.round) - 39) y=(y(block) - 12) width="78" height="24" rx="4" {}
                text class={ "block-name " (filled) } x=(x(block.round)) y=(y(block) + 4) { (cut(&block.name, 12)) }
                @if let Some(called) = &block.called { text.called x=(x(block.round) - 38) y=(y(block) - 14) { (called) } }
            }
        };
        (tree, 36 + lines.len() as i32 * LINE + 12)
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Honest => "honest",
        Role::Network => "network",
        Role::Byzantine => "byzantine",
        Role::Observer => "observer",
    }
}

/// The number in a name, for narrow lanes.
fn short(name: &str) -> &str {
    name.find(|c: char| c.is_ascii_digit()).map_or(name, |at| &name[at..])
}

fn glyph(event: &Event, x: i32, y: i32) -> Markup {
    let byzantine = if event.byzantine { " byzantine" } else { "" };
    let class = format!("glyph {}{byzantine}", event.kind.name());
    let path = |d: String| html! { path class=(class) d=(d) {} };
    match event.kind {
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
        Kind::Crash => path(format!("M{} {}l10 10m0-10l-10 10", x - 5, y - 5)),
        Kind::Beacon => path(format!("M{x} {}l5 6l-5 6l-5-6z", y - 6)),
        Kind::Selection | Kind::Restart | Kind::Network => {
            html! { circle class=(class) cx=(x) cy=(y) r="5" {} }
        }
    }
}
