//! Where everything of a drawn run stands, in pixels. This is the only place that says it: the SVG file, the viewer's
//! page and the explorer show the same drawing, and a script of a page only shows, hides and scrolls it. A Mermaid diagram
//! has no places; its lanes, their order and its labels come from the same [`Scene`].

use super::scene::{Event, Role, Scene, Stay, Use};
use serde::Serialize;

/// Height of a row.
pub const ROW: i32 = 30;
/// Height of the names of the lanes.
pub const HEAD: i32 = 34;
/// Width of the column of step numbers.
pub const GUTTER: i32 = 46;
/// Rows of one sheet: the viewer keeps only the sheets in the document that are seen.
pub const SHEET: usize = 50;
/// Sheets between the two ends of a message on which it is still drawn; of a longer one both ends are seen.
const MOST_SHEETS: usize = 8;
/// Blocks that are drawn as a tree.
pub const MOST_BLOCKS: usize = 400;
/// Characters of a label; longer ones are cut.
pub const LABEL: usize = 36;
/// Characters of a line of a sentence: at least, usually at most, and at most. A sentence has two lines.
const LINE: (usize, usize, usize) = (40, 72, 90);
/// Pixels of a character of a label or of a sentence: both are 11 pixels high.
const CHARACTER: f64 = 5.6;
/// Lanes that are drawn with labels; more are drawn narrow.
const MOST_WIDE: usize = 9;
const NARROW: i32 = 26;
const NARROW_SENT: i32 = 70;
/// The widest lane of a layout for a narrow screen.
const NARROW_ALL: i32 = 30;
/// From the line of a lane to its label, and from the left edge of the lane to its line.
pub const BESIDE: i32 = 12;
const LINE_AT: i32 = 16;
const MARGIN: i32 = 12;

/// Where a lane stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its left edge.
    pub left: i32,
    /// Its line.
    pub mid: i32,
    /// Its width.
    pub width: i32,
}

/// Where the columns of a drawing stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// [`ROW`].
    pub row: i32,
    /// [`HEAD`].
    pub head: i32,
    /// [`GUTTER`].
    pub gutter: i32,
    /// The lanes, from left to right.
    pub columns: Vec<Column>,
    /// Whether events have labels.
    pub labelled: bool,
    /// Where the sentences begin.
    pub text: i32,
    /// Characters of a line of a sentence.
    pub line: usize,
    /// All together.
    pub width: i32,
}

fn pixels(characters: usize) -> i32 {
    (characters as f64 * CHARACTER).ceil() as i32
}

impl Layout {
    /// The layout of a scene: a lane is as wide as the longest of its labels.
    pub fn of(scene: &Scene) -> Layout {
        Layout::with(scene, scene.lanes.len() <= MOST_WIDE)
    }

    /// A layout for a screen of 390 pixels: no labels, and sentences in two short lines.
    pub fn narrow(scene: &Scene) -> Layout {
        let of = Layout::with(scene, false);
        let columns = |column: &Column| Column { width: column.width.min(NARROW_ALL), ..*column };
        let mut left = GUTTER;
        let place = |column: Column| {
            let column = Column { left, mid: left + column.width / 2, ..column };
            left += column.width;
            column
        };
        let columns: Vec<Column> = of.columns.iter().map(columns).map(place).collect();
        let text = left + MARGIN;
        Layout { columns, text, line: LINE.0, width: text + pixels(LINE.0) + MARGIN, ..of }
    }

    fn with(scene: &Scene, labelled: bool) -> Layout {
        let mut longest: Vec<usize> = scene.lanes.iter().map(|lane| lane.name.chars().count() + 2).collect();
        for event in &scene.events {
            longest[event.lane] = longest[event.lane].max(event.label.chars().count());
        }
        let mut left = GUTTER;
        let columns = scene.lanes.iter().zip(longest).map(|(lane, longest)| {
            let width = match (labelled, lane.role) {
                (true, _) => LINE_AT + BESIDE + pixels(longest.min(LABEL)) + 4,
                (false, Role::Network) => NARROW_SENT,
                (false, _) => NARROW,
            };
            let mid = if labelled { left + LINE_AT } else { left + width / 2 };
            let column = Column { left, mid, width };
            left += width;
            column
        });
        let columns = columns.collect();
        let longest = scene.events.iter().map(|event| says(event).chars().count()).max().unwrap_or(0);
        let line = longest.clamp(LINE.0, LINE.1).max((longest / 2 + 8).min(LINE.2));
        let text = left + MARGIN;
        let width = text + pixels(line) + MARGIN;
        Layout { row: ROW, head: HEAD, gutter: GUTTER, columns, labelled, text, line, width }
    }

    /// The messages that are seen on each sheet: the rows of the events that used them, and which of their messages.
    pub fn on_sheets(scene: &Scene) -> Vec<Vec<(usize, Use)>> {
        let mut sheets = vec![Vec::new(); scene.events.len().div_ceil(SHEET)];
        for (row, event) in scene.events.iter().enumerate() {
            for used in &event.uses {
                seen_on(used.from, row).for_each(|sheet| sheets[sheet].push((row, *used)));
            }
        }
        sheets
    }

    /// The path of an arrow, and of its head, below `top`: from the event that made a message to the event `row`, which
    /// used it. It ends just outside the sign of the event, and comes in from the side.
    pub fn arrow(&self, scene: &Scene, row: usize, used: &Use, top: i32) -> (String, String) {
        let (from, to) = (scene.events[used.from].lane, scene.events[row].lane);
        let (x1, x2) = (self.columns[from].mid, self.columns[to].mid);
        let (y1, y2) = (middle(used.from) - top, middle(row) - top);
        let same = x1 == x2;
        let toward = if same { -1 } else { (x2 - x1).signum() };
        let tip = x2 - toward * 7;
        let (bend, near) = if same { (x1 + 16, x1 + 16) } else { ((x1 + x2) / 2, x2 - toward * 35) };
        let path = if row - used.from > 3 {
            format!("M{x1} {y1}C{bend} {} {near} {} {tip} {}", y1 + 14, y2 - 34, y2 - 2)
        } else {
            format!("M{x1} {y1}L{tip} {}", y2 - 2)
        };
        let half = if toward < 0 { ".5" } else { "-.5" };
        (path, format!("M{} {}l{} -5.5l{half} 7z", tip + toward * 2, y2 - 1, -toward * 7))
    }
}

/// The sheets on which a message from one row to another is drawn.
fn seen_on(from: usize, to: usize) -> impl Iterator<Item = usize> {
    let (first, last) = (from / SHEET, to / SHEET);
    let all = last - first <= MOST_SHEETS;
    (first..=last).filter(move |&sheet| all || sheet == first || sheet == last)
}

/// How long a miner is in a (round, subround), or down: a band behind its lane.
#[derive(Debug)]
pub struct Band<'a> {
    /// The stay that the band shows.
    pub stay: &'a Stay,
    /// Its upper edge, below that of the first row.
    pub top: i32,
    /// Its lower edge: where the next one of its lane begins.
    pub bottom: i32,
}

/// The bands of a scene, from top to bottom.
pub fn bands(scene: &Scene) -> Vec<Band<'_>> {
    let end = scene.events.len() as i32 * ROW;
    let mut open: Vec<Option<usize>> = vec![None; scene.lanes.len()];
    let mut bands: Vec<Band<'_>> = Vec::with_capacity(scene.stays.len());
    for stay in &scene.stays {
        let before = open[stay.lane].replace(bands.len());
        let top = if before.is_none() { 0 } else { middle(stay.event) };
        if let Some(before) = before {
            bands[before].bottom = top;
        }
        bands.push(Band { stay, top, bottom: end });
    }
    bands
}

/// The middle of a row, below the first one's upper edge.
pub fn middle(row: usize) -> i32 {
    row as i32 * ROW + ROW / 2
}

/// A text of at most so many characters.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// How a flag is written, and whether it is one of what is to be reached.
pub fn flags(event: &Event) -> impl Iterator<Item = (String, bool)> {
    event.shows.iter().map(|id| {
        let witness = id.starts_with('W');
        (format!("{id} {}", if witness { "reached" } else { "violated" }), witness)
    })
}

/// The sentence of an event with its flags, as it is written.
pub fn says(event: &Event) -> String {
    flags(event).map(|(flag, _)| flag + " ").collect::<String>() + &event.says
}

/// A text in at most two lines of so many characters, broken between words; the second one is cut.
pub fn wrapped(text: &str, line: usize) -> Vec<String> {
    if text.chars().count() <= line {
        return vec![text.into()];
    }
    // A space may stand behind the last character that fits.
    let end_of = |characters: usize| text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at);
    let end = text[..end_of(line + 1)].rfind(' ').unwrap_or(end_of(line));
    vec![text[..end].into(), cut(text[end..].trim_start(), line)]
}

#[cfg(test)]
mod tests {
    use super::{MOST_SHEETS, SHEET, says, seen_on, wrapped};
    use crate::draw::scene::{Event, Kind};

    #[test]
    fn a_message_is_drawn_on_every_sheet_that_it_crosses_or_on_both_ends() {
        assert_eq!(seen_on(3, SHEET - 1).collect::<Vec<_>>(), [0]);
        assert_eq!(seen_on(SHEET - 1, SHEET).collect::<Vec<_>>(), [0, 1]);
        let far = MOST_SHEETS * SHEET;
        assert_eq!(seen_on(0, far).count(), MOST_SHEETS + 1);
        assert_eq!(seen_on(0, far + SHEET).collect::<Vec<_>>(), [0, MOST_SHEETS + 1]);
    }

    #[test]
    fn a_sentence_is_broken_between_words_and_cut_only_in_its_second_line() {
        assert_eq!(wrapped("one two", 7), ["one two"]);
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one twoo three", 7), ["one", "twoo t…"]);
        assert_eq!(wrapped("ääääääää öö", 4), ["ääää", "äää…"]);
        let event = Event {
            step: 1,
            implied: false,
            lane: 0,
            kind: Kind::Ticket,
            byzantine: false,
            label: String::new(),
            says: "it happens".into(),
            block: None,
            uses: Vec::new(),
            changes: Vec::new(),
            shows: vec!["S2".into(), "W1".into()],
        };
        assert_eq!(says(&event), "S2 violated W1 reached it happens");
    }
}
