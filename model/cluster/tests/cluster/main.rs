//! The cluster with real processes on loopback: the report of threads, refused input, stops and resumed searches.

mod program;
mod refused;
mod same;
mod stopped;
