//! A plot with two logarithmic axes, as SVG.

use std::fmt::Write as _;

/// A curve.
pub struct Curve {
    /// Its name.
    pub name: String,
    /// Points, both coordinates above zero.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const MARGIN: f64 = 60.0;
const COLOURS: [&str; 6] = ["#1b6ca8", "#c8553d", "#5b8c5a", "#8e5ea2", "#b8860b", "#555555"];

/// Draws curves over axes with the labels given.
#[must_use]
pub fn svg(curves: &[Curve], x_label: &str, y_label: &str) -> String {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let x = Axis::over(points().map(|point| point.0), MARGIN, WIDTH - 150.0);
    let y = Axis::over(points().map(|point| point.1), HEIGHT - MARGIN, 20.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for power in x.decades() {
        let at = x.place(power);
        let (top, bottom) = (20.0, HEIGHT - MARGIN);
        line(&mut out, (at, top), (at, bottom));
        text(&mut out, (at, bottom + 18.0), "middle", &label(power));
    }
    for power in y.decades() {
        let at = y.place(power);
        line(&mut out, (MARGIN, at), (WIDTH - 150.0, at));
        text(&mut out, (MARGIN - 6.0, at + 4.0), "end", &label(power));
    }
    text(&mut out, ((WIDTH - 90.0) / 2.0, HEIGHT - 18.0), "middle", x_label);
    text(&mut out, (8.0, 14.0), "start", y_label);
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        let place = |&(a, b): &(f64, f64)| format!("{:.1},{:.1}", x.place(a), y.place(b));
        let path: Vec<String> = curve.points.iter().map(place).collect();
        let path = path.join(" ");
        let _infallible = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{path}\"/>"
        );
        if let Some(&(a, b)) = curve.points.last() {
            let at = (x.place(a) + 6.0, y.place(b) + 4.0);
            let _infallible = writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
                at.0, at.1, curve.name
            );
        }
    }
    out + "</svg>\n"
}

fn line(out: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _infallible = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#ddd\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(out: &mut String, at: (f64, f64), anchor: &str, text: &str) {
    let _infallible =
        writeln!(out, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{text}</text>", at.0, at.1);
}

fn label(value: f64) -> String {
    if value >= 1e6 {
        format!("{} M", value / 1e6)
    } else if value >= 1e3 {
        format!("{} k", value / 1e3)
    } else {
        value.to_string()
    }
}

struct Axis {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// The whole decades around `values`, from `start` to `end` on paper.
    fn over(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let (low, high) =
            values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        Self { low: low.log10().floor(), high: high.log10().ceil(), start, end }
    }

    fn place(&self, value: f64) -> f64 {
        self.start + (self.end - self.start) * (value.log10() - self.low) / (self.high - self.low).max(1.0)
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.low as i32..=self.high as i32).map(|power| 10_f64.powi(power))
    }
}
