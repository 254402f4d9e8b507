//! The pages in a real browser: Chromium without a window (`apt-get install chromium`). Where there is none, the tests
//! say so and check nothing; with `ZUS_BROWSER=/path/to/chromium` that one is used, and must be there.

mod devtools;
mod explorer;
mod layout;
mod report;
mod viewer;
