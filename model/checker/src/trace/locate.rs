//! Lines of a JSON text, for messages: serde tells where a text stops being JSON, not where a value stands that is
//! well-formed and wrong.

/// A way into a JSON value.
#[derive(Clone, Copy, Debug)]
pub enum Way<'a> {
    /// The value of that key.
    Key(&'a str),
    /// The item at that index.
    Item(usize),
}

/// The line, from 1, of the value that `way` leads to in `text`, which must be JSON; as far as it leads anywhere.
pub fn line_of(text: &str, way: &[Way<'_>]) -> usize {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
    scanner.blank();
    let mut found = scanner.at;
    for step in way {
        match scanner.enter(*step) {
            Some(at) => found = at,
            None => break,
        }
    }
    1 + text.as_bytes()[..found.min(text.len())].iter().filter(|&&b| b == b'\n').count()
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn here(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn blank(&mut self) {
        while self.here().is_ascii_whitespace() {
            self.at += 1;
        }
    }

    /// From the start of an object or array to the start of what `step` leads to: where its line is.
    fn enter(&mut self, step: Way<'_>) -> Option<usize> {
        let opening = self.here();
        if !matches!(opening, b'{' | b'[') {
            return None;
        }
        self.at += 1;
        let mut index = 0;
        loop {
            self.blank();
            if matches!(self.here(), b'}' | b']' | 0) {
                return None;
            }
            let start = self.at;
            let fits = if opening == b'{' {
                let key = self.string();
                self.blank();
                self.at += 1; // the colon
                self.blank();
                matches!(step, Way::Key(wanted) if key == wanted.as_bytes())
            } else {
                matches!(step, Way::Item(wanted) if wanted == index)
            };
            if fits {
                return Some(start);
            }
            self.value();
            self.blank();
            if self.here() == b',' {
                self.at += 1;
            }
            index += 1;
        }
    }

    /// Passes over a string, and returns what is between its quotes.
    fn string(&mut self) -> &'a [u8] {
        self.at += 1;
        let start = self.at;
        while !matches!(self.here(), b'"' | 0) {
            self.at += if self.here() == b'\\' { 2 } else { 1 };
        }
        let end = self.at.min(self.bytes.len());
        self.at += 1;
        &self.bytes[start.min(end)..end]
    }

    /// Passes over a value.
    fn value(&mut self) {
        let mut depth = 0u32;
        loop {
            match self.here() {
                0 => return,
                b'"' => {
                    self.string();
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' if depth == 0 => return,
                _ => self.at += 1,
            }
            if depth == 0 && matches!(self.here(), b',' | b'}' | b']' | 0) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Way::*, *};

    const TEXT: &str =
        "{\n \"a\": \"x, \\\" } y\",\n \"b\": {\"n\": [1,\n {\"c\": []},\n 3]},\n \"c\": null\n}\n";

    #[test]
    fn values_are_found_past_strings_that_look_like_structure() {
        assert_eq!(line_of(TEXT, &[Key("a")]), 2);
        assert_eq!(line_of(TEXT, &[Key("b"), Key("n")]), 3);
        assert_eq!(line_of(TEXT, &[Key("b"), Key("n"), Item(1)]), 4);
        assert_eq!(line_of(TEXT, &[Key("b"), Key("n"), Item(2)]), 5);
        assert_eq!(line_of(TEXT, &[Key("c")]), 6);
    }

    #[test]
    fn a_way_that_leads_nowhere_ends_where_it_stops() {
        assert_eq!(line_of(TEXT, &[Key("b"), Key("none")]), 3);
        assert_eq!(line_of(TEXT, &[Key("none")]), 1);
        assert_eq!(line_of("", &[Key("a")]), 1);
        assert_eq!(line_of("{\"a\": \"", &[Key("b")]), 1);
    }
}
