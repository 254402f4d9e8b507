//! A run as one page: nothing is fetched, and it works from a file.
//!
//! The drawing stands in the page as a `template` ([`svg::parts`]), of which the viewer shows the visible part. The
//! texts of a scene go into the page as JSON that cannot end its `script` element ([`embedded`]), and from there into
//! text nodes only. The page's own policy forbids it to load anything or to send anything anywhere.

use super::{
    scene::{Scene, embedded},
    svg,
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// How things are drawn, in pages and in SVG files.
pub const DRAWING_CSS: &str = include_str!("assets/drawing.css");
/// How the page around them looks.
pub const PAGE_CSS: &str = include_str!("assets/page.css");
/// The viewer.
pub const VIEWER_JS: &str = include_str!("assets/viewer.js");
/// Starts the viewer on a page with one run.
const ONE_JS: &str = include_str!("assets/one.js");
/// Nothing from elsewhere, nothing to elsewhere.
pub const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: \
                          blob:; base-uri 'none'; form-action 'none'";

/// A page: its title, what it shows, data by id, scripts.
pub fn page(
    title: &str,
    policy: &str,
    styles: &[&str],
    body: &Markup,
    data: &[(&str, String)],
    scripts: &[&str],
) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="generator" content="zus";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                link rel="icon" href="data:,";
                title { (title) }
                style id="drawing-style" { (PreEscaped(DRAWING_CSS)) }
                @for style in styles { style { (PreEscaped(style)) } }
            }
            body {
                (body)
                @for (id, json) in data {
                    script type="application/json" id=(id) { (PreEscaped(json)) }
                }
                @for script in scripts { script { (PreEscaped(script)) } }
            }
        }
    };
    zus_output::plain::text(&page.into_string()).into_owned()
}

/// The page of one run.
pub fn run(scene: &Scene, mermaid: Option<&str>) -> String {
    let body = html! {
        main id="view" {
            noscript { p { "This page shows the run " strong { (scene.title) } " with a script of its own." } }
        }
        template id="drawing" { (svg::parts(scene)) }
    };
    let data = [("scene", scene.to_json()), ("mermaid", embedded(&mermaid))];
    page(&scene.title, POLICY, &[PAGE_CSS], &body, &data, &[VIEWER_JS, ONE_JS])
}
