//! A run, drawn: from a trace to what is seen of it.
//!
//! A [`Scene`](scene::Scene) says what there is to see: lanes, events, what each of them used, blocks, and what of the
//! state changed. It is data, so that every form is made from the same one: the drawing ([`layout`], [`svg`]), which is
//! the same in a file and on a page ([`page`]), the Mermaid diagram ([`RunReport`](crate::RunReport)), and the tests.
//! [`staging`] makes it from a trace; another tool may write a scene itself, and `zus draw` opens that as well.

pub mod epochs;
pub mod explorer;
pub mod layout;
pub mod page;
pub mod scene;
pub mod staging;
pub mod svg;
