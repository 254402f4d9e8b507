//! The Züs block production protocol as an explicit-state model.
