//! Reading the specification's text: positions, S-expressions.

mod sexpr;

pub use sexpr::{Kind, MAX_DEPTH, MAX_FILE_BYTES, ReadError, SExpr, read};

use std::{fmt, sync::Arc};

/// Where something stands in the specification.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Location {
    /// File name, relative to the specification's folder.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
