//! S-expressions with positions, as SMT-LIB writes them: symbols, strings in double quotes, lists, `;` comments.

use super::Location;
use std::sync::Arc;

/// Nesting that the reader accepts: deeper text is refused before it can exhaust the stack.
pub const MAX_DEPTH: usize = 64;
/// Size of a file that the reader accepts, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// An S-expression and where it starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SExpr {
    /// The expression.
    pub kind: Kind,
    /// Where it starts.
    pub position: Location,
}

/// The three kinds of S-expressions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A symbol, possibly primed.
    Symbol(String),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<SExpr>),
}

impl SExpr {
    /// The symbol, if it is one.
    pub fn symbol(&self) -> Option<&str> {
        match &self.kind {
            Kind::Symbol(name) => Some(name),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn list(&self) -> Option<&[SExpr]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }
}

/// Why a text is not a sequence of S-expressions.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReadError {
    /// A `)` that closes nothing.
    #[error("{0}: this `)` closes nothing; remove it")]
    Unopened(Location),
    /// A `(` that is never closed.
    #[error("{0}: this `(` is never closed; add the `)` where it ends")]
    Unclosed(Location),
    /// A string that is never closed.
    #[error("{0}: this string is never closed; add the `\"` where it ends")]
    UnclosedText(Location),
    /// A character that SMT-LIB symbols do not have.
    #[error("{0}: `{1}` cannot stand in a symbol; use letters, digits and ~!@$%^&*_-+=<>.?/'")]
    Character(Location, char),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("{0}: nested more than {MAX_DEPTH} deep; name a part of the formula with `define`")]
    TooDeep(Location),
    /// Longer than [`MAX_FILE_BYTES`].
    #[error("{file}: {bytes} bytes, more than {MAX_FILE_BYTES}; split the file")]
    TooLong {
        /// The file.
        file: Arc<str>,
        /// Its size.
        bytes: usize,
    },
}

/// Reads all S-expressions of `text`; `file` is for positions.
pub fn read(file: &str, text: &str) -> Result<Vec<SExpr>, ReadError> {
    let file: Arc<str> = file.into();
    if text.len() > MAX_FILE_BYTES {
        return Err(ReadError::TooLong { file, bytes: text.len() });
    }
    let mut reader = Reader { chars: text.chars().peekable(), file, line: 1, column: 1 };
    // One list under construction per open parenthesis; the first is the file itself.
    let mut open: Vec<(Location, Vec<SExpr>)> = Vec::new();
    let mut top = Vec::new();
    loop {
        reader.skip_blank();
        let position = reader.position();
        let Some(&next) = reader.chars.peek() else { break };
        let item = match next {
            '(' => {
                reader.bump();
                if open.len() == MAX_DEPTH {
                    return Err(ReadError::TooDeep(position));
                }
                open.push((position, Vec::new()));
                continue;
            }
            ')' => {
                reader.bump();
                let (start, items) = open.pop().ok_or(ReadError::Unopened(position))?;
                SExpr { kind: Kind::List(items), position: start }
            }
            '"' => SExpr { kind: Kind::Text(reader.string(&position)?), position },
            _ => SExpr { kind: Kind::Symbol(reader.symbol()?), position },
        };
        open.last_mut().map_or(&mut top, |(_, items)| items).push(item);
    }
    match open.pop() {
        Some((position, _)) => Err(ReadError::Unclosed(position)),
        None => Ok(top),
    }
}

struct Reader<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    file: Arc<str>,
    line: u32,
    column: u32,
}

impl Reader<'_> {
    fn position(&self) -> Location {
        Location { file: self.file.clone(), line: self.line, column: self.column }
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.chars.next()?;
        if next == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(next)
    }

    fn skip_blank(&mut self) {
        while let Some(&next) = self.chars.peek() {
            if next == ';' {
                while self.chars.peek().is_some_and(|&c| c != '\n') {
                    self.bump();
                }
            } else if next.is_whitespace() {
                self.bump();
            } else {
                break;
            }
        }
    }

    fn string(&mut self, start: &Location) -> Result<String, ReadError> {
        self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                None => return Err(ReadError::UnclosedText(start.clone())),
                Some('"') => return Ok(text),
                Some(c) => text.push(c),
            }
        }
    }

    fn symbol(&mut self) -> Result<String, ReadError> {
        let mut name = String::new();
        while let Some(&next) = self.chars.peek() {
            if next.is_whitespace() || matches!(next, '(' | ')' | '"' | ';') {
                break;
            }
            if !(next.is_ascii_alphanumeric() || "~!@$%^&*_-+=<>.?/'".contains(next)) {
                return Err(ReadError::Character(self.position(), next));
            }
            name.push(next);
            self.bump();
        }
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_columns_from_one() {
        let items = read("a", "; remark\n(x \"two words\"\n  (y))").unwrap();
        let list = items[0].list().unwrap();
        assert_eq!(items[0].position.to_string(), "a:2:1");
        assert_eq!(list[1].text(), Some("two words"));
        assert_eq!(list[2].position.to_string(), "a:3:3");
    }

    #[test]
    fn malformed_text_is_refused_with_its_position() {
        let message = |text| read("a", text).unwrap_err().to_string();
        assert!(message("(a (b)").starts_with("a:1:1: this `(` is never closed"));
        assert!(message("a)").starts_with("a:1:2: this `)` closes nothing"));
        assert!(message("(a \"b)").starts_with("a:1:4: this string is never closed"));
        assert!(message("(a\n §)").starts_with("a:2:2: `§` cannot stand in a symbol"));
        let deep = "(".repeat(MAX_DEPTH + 1);
        assert!(message(&deep).starts_with("a:1:65: nested more than 64 deep"));
        let long = " ".repeat(MAX_FILE_BYTES + 1);
        assert!(message(&long).starts_with("a: 1048577 bytes"));
    }
}
