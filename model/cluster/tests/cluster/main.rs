//! The cluster with real processes on loopback: the report of threads, refused input, stops and resumed searches.

#[path = "../../src/ports.rs"]
mod ports;
mod program;
mod refused;
mod same;
mod stopped;
