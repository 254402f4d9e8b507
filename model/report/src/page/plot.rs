//! A plot of the figures as SVG: lines over two axes, linear or logarithmic, each with its name at its end. It is the only
//! plotter of the project: on the page, and in the files that documents show.
//!
//! The crate `plotters` would not be less: its SVG has fixed colours and no classes, so a page could not be light and dark;
//! a line's name at its end, moved apart from the next one, would still be written here; and it brings some twenty crates.

use super::figures::{MAX_SERIES, Plot};
use crate::draw::page::DRAWING_CSS;
use maud::{Markup, PreEscaped, html};

/// How a plot looks.
pub(super) const PLOT_CSS: &str = include_str!("assets/plot.css");

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 44.0;
/// The least distance between the names of two lines.
const APART: f64 = 12.0;

/// An axis: from values to pixels.
struct Axis {
    low: f64,
    high: f64,
    log: bool,
    from: f64,
    to: f64,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64>, log: bool, from: f64, to: f64) -> Axis {
        let usable = |v: &f64| v.is_finite() && (!log || *v > 0.0);
        let scale = |v: f64| if log { v.log10() } else { v };
        let (mut low, mut high) = values
            .filter(usable)
            .map(scale)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if log {
            (low, high) = (low.floor(), high.ceil());
        } else {
            low = low.min(0.0);
        }
        if !low.is_finite() || !high.is_finite() || high <= low {
            (low, high) = (0.0, 1.0);
        }
        Axis { low, high, log, from, to }
    }

    fn at(&self, value: f64) -> Option<f64> {
        let v = if self.log { value.log10() } else { value };
        let place = self.from + (v - self.low) / (self.high - self.low) * (self.to - self.from);
        place.is_finite().then_some(place)
    }

    fn ticks(&self) -> Vec<f64> {
        if self.log {
            let step = (((self.high - self.low) / 6.0).ceil() as i64).max(1);
            (self.low as i64..=self.high as i64)
                .step_by(step as usize)
                .map(|e| 10f64.powi(e as i32))
                .collect()
        } else {
            let rough = (self.high - self.low) / 5.0;
            let power = 10f64.powf(rough.log10().floor());
            let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|&s| s >= rough);
            let step = step.unwrap_or(rough);
            let first = (self.low / step).ceil();
            (0..=6).map(|i| (first + f64::from(i)) * step).filter(|&v| v <= self.high).collect()
        }
    }
}

fn number(value: f64) -> String {
    let a = value.abs();
    if a >= 1e9 {
        format!("{:.1}G", value / 1e9)
    } else if a >= 1e6 {
        format!("{:.1}M", value / 1e6)
    } else if a >= 1e4 {
        format!("{:.0}k", value / 1e3)
    } else if a >= 10.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// Where names stand that are to stand at these heights: far enough apart to be read.
fn spread(heights: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by(|&a, &b| heights[a].total_cmp(&heights[b]));
    let mut placed = heights.to_vec();
    for pair in order.windows(2) {
        placed[pair[1]] = placed[pair[1]].max(placed[pair[0]] + APART);
    }
    placed
}

/// The plot, for a page.
pub fn draw(plot: &Plot) -> Markup {
    let inside = lines(plot);
    html! {
        svg.plot width=(WIDTH) height=(HEIGHT) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(plot.title) { (inside) }
    }
}

/// The plot as a file of its own.
pub fn file(plot: &Plot) -> String {
    let file = html! {
        svg.plot xmlns="http://www.w3.org/2000/svg" width=(WIDTH) height=(HEIGHT) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" {
            title { (plot.title) }
            style { (PreEscaped(DRAWING_CSS)) (PreEscaped(PLOT_CSS)) }
            rect.paper width=(WIDTH) height=(HEIGHT) {}
            (lines(plot))
        }
    };
    zus_output::plain::text(&file.into_string()).into_owned() + "\n"
}

fn lines(plot: &Plot) -> Markup {
    let points = || plot.series.iter().take(MAX_SERIES).flat_map(|s| s.points.iter());
    let x = Axis::new(points().map(|p| p.0), plot.log_x, LEFT, WIDTH - RIGHT);
    let y = Axis::new(points().map(|p| p.1), plot.log_y, HEIGHT - BOTTOM, TOP);
    let place = |p: &(f64, f64)| Some((x.at(p.0)?, y.at(p.1)?));
    let lines: Vec<Vec<(f64, f64)>> =
        plot.series.iter().take(MAX_SERIES).map(|s| s.points.iter().filter_map(place).collect()).collect();
    let names =
        spread(&lines.iter().map(|line| line.last().map_or(TOP, |point| point.1)).collect::<Vec<_>>());
    html! {
        @for value in x.ticks() {
            @if let Some(at) = x.at(value) {
                line.grid x1=(at) x2=(at) y1=(TOP) y2=(HEIGHT - BOTTOM) {}
                text x=(at) y=(HEIGHT - BOTTOM + 16.0) text-anchor="middle" { (number(value)) }
            }
        }
        @for value in y.ticks() {
            @if let Some(at) = y.at(value) {
                line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(at) y2=(at) {}
                text x=(LEFT - 6.0) y=(at + 4.0) text-anchor="end" { (number(value)) }
            }
        }
        text x=((LEFT + WIDTH - RIGHT) / 2.0) y=(HEIGHT - 8.0) text-anchor="middle" { (plot.x) }
        text x="12" y=(HEIGHT / 2.0) text-anchor="middle" transform={ "rotate(-90 12 " (HEIGHT / 2.0) ")" } { (plot.y) }
        @for (index, series) in plot.series.iter().take(MAX_SERIES).enumerate() {
            @let placed = &lines[index];
            @let line: Vec<String> = placed.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            g class={ "series s" (index) } {
                polyline points=(line.join(" ")) {}
                @for (px, py) in placed { circle cx={ (format!("{px:.1}")) } cy={ (format!("{py:.1}")) } r="2.6" {} }
                @if !placed.is_empty() {
                    text x=(WIDTH - RIGHT + 8.0) y={ (format!("{:.1}", names[index] + 4.0)) } { (series.name) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn names_of_lines_that_end_together_stand_apart() {
        assert_eq!(spread(&[50.0, 10.0]), [50.0, 10.0]);
        assert_eq!(spread(&[50.0, 49.0, 50.0]), [61.0, 49.0, 73.0]);
        assert!(spread(&[]).is_empty());
    }
}
