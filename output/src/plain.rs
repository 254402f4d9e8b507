//! Text from elsewhere, made visible.
//!
//! A name, a question, a path or a field of a trace may hold characters that a reader does not see, and that change
//! what a terminal or a browser makes of the rest: control characters and escape sequences, characters that reverse the
//! direction of text (U+202E), characters without width. [`is_hidden`] says which they are; they are written as escapes
//! (`\u{202e}`), so that a reader sees that they are there.
//!
//! | for | |
//! |---|---|
//! | a name, a path, a cell of a table | [`line()`], [`path`] |
//! | a whole page, a drawing, a Markdown text | [`text()`] |
//! | an error message | [`message`], which is also cut |
//! | JSON that other tools read | [`json`], which loses nothing |
//! | everything that a report says | [`every_line`] |

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{borrow::Cow, ffi::OsStr, fmt::Write, path::Path};

/// Bytes of an error message at most.
pub const MOST_MESSAGE: usize = 4 << 10;
/// Characters that Unicode says not to draw (`Default_Ignorable_Code_Point`), that change the direction of text
/// (`Bidi_Control`), that separate lines, annotate, or are no characters at all.
const HIDDEN: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a reader would not see `character`, or would see the text around it otherwise than it is.
pub fn is_hidden(character: char) -> bool {
    character.is_control() || HIDDEN.iter().any(|&(first, last)| (first..=last).contains(&character))
}

/// `text` with an escape for each character that `escaped` says.
fn replaced(text: &str, escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            c if !escaped(c) => out.push(c),
            '\n' | '\r' | '\t' => out.extend(character.escape_default()),
            c => out.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(out)
}

/// One line: nothing in it ends the line either.
pub fn line(text: &str) -> Cow<'_, str> {
    replaced(text, is_hidden)
}

/// Text of several lines: line feeds and tabulators stay.
pub fn text(text: &str) -> Cow<'_, str> {
    replaced(text, |character| is_hidden(character) && !matches!(character, '\n' | '\t'))
}

/// A path as one line. It may not lead back to the file: it is for readers.
pub fn path(path: impl AsRef<Path>) -> String {
    line(&path.as_ref().to_string_lossy()).into_owned()
}

/// An error message: [`text()`] of at most [`MOST_MESSAGE`] bytes. A longer one is cut in the middle, because a message
/// begins with the place and ends with the fix.
pub fn message(message: &str) -> String {
    // A part that is left out is not escaped first: an escape is longer than its character, never shorter.
    let (head, tail) = (MOST_MESSAGE * 5 / 8, MOST_MESSAGE / 4);
    let short = message.replace("\r\n", "\n");
    let plain = text(&short);
    if plain.len() <= MOST_MESSAGE {
        return plain.into_owned();
    }
    let end = plain.floor_char_boundary(head);
    let start = plain.ceil_char_boundary(plain.len() - tail);
    format!("{} … ({} bytes left out) … {}", &plain[..end], start - end, &plain[start..])
}

/// A JSON text that says the same and shows no hidden character: they can only stand in strings, where JSON has escapes
/// for them.
pub fn json(text: &str) -> Cow<'_, str> {
    let escaped = |c| is_hidden(c) && !matches!(c, '\n' | '\r' | '\t');
    if !text.chars().any(escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut units = [0; 2];
    for character in text.chars() {
        if escaped(character) {
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// Every string of a value as one line, by way of JSON. A value that JSON cannot carry comes back as it is.
pub fn every_line<T: Serialize + DeserializeOwned + Clone>(value: &T) -> T {
    let plain = || {
        let mut json = serde_json::to_value(value).ok()?;
        strings(&mut json, &|text| line(text));
        serde_json::from_value(json).ok()
    };
    plain().unwrap_or_else(|| value.clone())
}

/// Every string of a JSON value as [`text()`], keys included: for data that a page shows.
pub fn every_text(value: &mut Value) {
    strings(value, &|string| text(string));
}

fn strings(value: &mut Value, plain: &impl Fn(&str) -> Cow<'_, str>) {
    match value {
        Value::String(string) => {
            if let Cow::Owned(shown) = plain(string) {
                *string = shown;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strings(item, plain)),
        Value::Object(fields) => {
            if fields.keys().any(|key| matches!(plain(key), Cow::Owned(_))) {
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(key, value)| (plain(&key).into_owned(), value))
                    .collect();
            }
            fields.values_mut().for_each(|field| strings(field, plain));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A word of a command, as a shell takes it. A reader sees all of it: what is hidden, and what is no UTF-8, is written as bytes in
/// `$'...'`, which bash, zsh and the POSIX of 2024 read.
#[must_use]
pub fn quoted(word: impl AsRef<OsStr>) -> String {
    let word = word.as_ref();
    let bare = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@".contains(c);
    match word.to_str() {
        Some(word) if !word.is_empty() && word.chars().all(bare) => word.to_owned(),
        Some(word) if !word.chars().any(is_hidden) => format!("'{}'", word.replace('\'', r"'\''")),
        _ => ansi_c(word.as_encoded_bytes()),
    }
}

/// A word in `$'...'`.
fn ansi_c(word: &[u8]) -> String {
    let mut out = String::from("$'");
    let escape = |out: &mut String, bytes: &[u8]| {
        bytes.iter().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    };
    for chunk in word.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' | '\'' => out.extend(['\\', character]),
                '\n' => out.push_str("\\n"),
                hidden if is_hidden(hidden) => escape(&mut out, hidden.encode_utf8(&mut [0; 4]).as_bytes()),
                shown => out.push(shown),
            }
        }
        escape(&mut out, chunk.invalid());
    }
    out + "'"
}

/// The error for a command line that is no text, which names the word; none where all of it is text.
#[must_use]
pub fn no_text() -> Option<String> {
    let word = std::env::args_os().find(|word| word.to_str().is_none())?;
    Some(format!(
        "{}: this is no UTF-8\n  fix: write numbers in digits, and give the file another name",
        quoted(word)
    ))
}

/// The name of a file as a word of a command. No command takes it for an option: before a leading `-` comes `./`.
#[must_use]
pub fn quoted_path(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    if path.as_os_str().as_encoded_bytes().starts_with(b"-") {
        quoted(Path::new(".").join(path))
    } else {
        quoted(path)
    }
}

/// A number with its thousands apart.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_would_not_see_is_written_as_an_escape() {
        assert_eq!(line("a\u{202e}b\u{1b}[31mc\u{7}d\u{9b}e"), r"a\u{202e}b\u{1b}[31mc\u{7}d\u{9b}e");
        assert_eq!(line("one\ntwo\r\tthree\u{2028}"), r"one\ntwo\r\tthree\u{2028}");
        assert_eq!(text("one\ntwo\t\u{200b}\r"), "one\ntwo\t\\u{200b}\\r");
        let (from, to) = ("Züs: 3 × f ≤ n → „ok“ 日本語 שלום", "");
        assert!(matches!(line(from), Cow::Borrowed(_)), "nothing to escape in what is read as it is{to}");
    }

    /// The classes by name, so that a range that is lost from the table is missed.
    #[test]
    fn every_class_of_hidden_characters_is_known() {
        for range in ['\0'..='\u{1f}', '\u{7f}'..='\u{9f}', '\u{200b}'..='\u{200f}', '\u{202a}'..='\u{202e}']
        {
            range.for_each(|c| assert!(is_hidden(c), "{c:?}"));
        }
        for c in "\u{2066}\u{2067}\u{2068}\u{2069}\u{61c}\u{feff}\u{2060}\u{ad}\u{180e}\u{e0041}\u{fe0f}\u{3164}\u{fffe}"
            .chars()
        {
            assert!(is_hidden(c), "{c:?}");
        }
        assert!(!(' '..='~').any(is_hidden));
        assert!(!"äöüß€“”–—…→≤\u{a0}".chars().any(is_hidden));
    }

    #[test]
    fn a_message_is_cut_in_the_middle() {
        let long = format!("a.toml:3: {}\n  fix: shorter", "ü\u{202e}".repeat(300_000));
        let cut = message(&long);
        assert!(cut.len() <= MOST_MESSAGE && cut.starts_with("a.toml:3: ü"), "{}", cut.len());
        assert!(cut.ends_with("\n  fix: shorter") && cut.contains("bytes left out"), "{cut}");
        assert_eq!(message("short\r\n  fix: none"), "short\n  fix: none");
    }

    #[test]
    fn json_says_the_same() {
        let value = serde_json::json!({ "a\u{202e}": ["\u{1b}[0m\n", "\u{e0041}", "ü"] });
        let shown = json(&serde_json::to_string_pretty(&value).unwrap()).into_owned();
        assert!(shown.chars().all(|c| c == '\n' || !is_hidden(c)), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }

    #[test]
    fn every_string_of_a_value_is_reached() {
        let mut value = serde_json::json!({ "k\u{202e}": ["\u{200b}", { "x": "a\nb\u{7}" }, 1, null] });
        let lines: Value = every_line(&value);
        assert_eq!(
            lines,
            serde_json::json!({ "k\\u{202e}": ["\\u{200b}", { "x": "a\\nb\\u{7}" }, 1, null] })
        );
        every_text(&mut value);
        assert_eq!(value, serde_json::json!({ "k\\u{202e}": ["\\u{200b}", { "x": "a\nb\\u{7}" }, 1, null] }));
    }

    #[test]
    fn a_file_is_no_option_and_one_word() {
        for (path, word) in [
            ("a.toml", "a.toml"),
            ("-v.toml", "./-v.toml"),
            ("a b", "'a b'"),
            ("-a b", "'./-a b'"),
            ("", "''"),
            ("-\u{202e}", r"$'./-\xe2\x80\xae'"),
        ] {
            assert_eq!(quoted_path(path), word);
        }
    }

    /// Bash itself reads each word as what it stands for, and shows nothing hidden on the way.
    #[cfg(unix)]
    #[test]
    fn a_quoted_word_is_that_word_in_bash() {
        use std::os::unix::ffi::OsStrExt;
        let words: [&[u8]; 12] = [
            b"plain-_./=:,+@",
            b"two words",
            b"it's $HOME `x` \"y\" !z \\",
            "\u{202e}reversed".as_bytes(),
            // A digit after an escape is not taken for a part of it.
            b"\x1b[2K\x07abc\x01f\x7f0",
            b"line\nfeed\rreturn\ttab",
            "it's \u{200b}\\\u{9b}".as_bytes(),
            b"no \xff\xfe UTF-8 \xc3",
            b"\xff",
            "ü*?[a]{b,c}~".as_bytes(),
            b"",
            b"$'x'\x01",
        ];
        for word in words {
            let written = quoted(OsStr::from_bytes(word));
            assert!(!written.chars().any(is_hidden), "{written:?}");
            let script = format!("printf %s {written}");
            for locale in ["C", "C.UTF-8"] {
                let mut bash = std::process::Command::new("bash");
                let read = bash.args(["-c", &script]).env("LC_ALL", locale).output().unwrap();
                assert_eq!(read.stdout, word, "{written}: {}", String::from_utf8_lossy(&read.stdout));
            }
        }
    }
}
