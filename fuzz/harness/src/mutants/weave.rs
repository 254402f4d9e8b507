//! The copy of the production crate in which every bug is a choice.
//!
//! Nothing but insertions: `a < b` becomes `(if on(7) { a == b } else { a < b })`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Change, Site, Table, site};

/// Where a participant takes a step or is made: what happens from there on happens inside it.
const DOORS: [(&str, &str); 4] = [
    ("miner/mod.rs", "Miner::step"),
    ("miner/support/recover.rs", "Miner::new"),
    ("sharder/mod.rs", "Sharder::new"),
    ("sharder/mod.rs", "Sharder::step"),
];

/// The module that every choice asks, for the root of the lower crate of the copy; [`Woven`] puts the names in front of it.
pub const MODULE: &str = r#"    use std::cell::Cell;
    use std::sync::LazyLock;

    static BUG: LazyLock<usize> = LazyLock::new(|| {
        let Some(name) = std::env::var_os("ZUS_MUTANT") else { return usize::MAX };
        NAMES.iter().position(|known| name == *known).unwrap_or_else(|| {
            eprintln!("error: ZUS_MUTANT={name:?}: no deliberate bug has this name\n  fix: fuzz/MATRIX.md lists all");
            std::process::exit(2)
        })
    });

    static WITHIN: LazyLock<bool> =
        LazyLock::new(|| std::env::var_os("ZUS_MUTANT_WITHIN").is_some_and(|within| within == "participants"));

    thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
    }

    /// Whether this process has the bug with this number, here.
    #[inline]
    pub fn on(number: usize) -> bool {
        *BUG == number && (!*WITHIN || DEPTH.get() > 0)
    }

    /// A participant is at work until this is dropped.
    pub struct Inside;

    /// It begins.
    pub fn inside() -> Inside {
        DEPTH.set(DEPTH.get() + 1);
        Inside
    }

    impl Drop for Inside {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
        }
    }
"#;

/// Text to put around a part of a file.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The part.
    pub range: Range<usize>,
    /// The text that is put before it.
    pub before: String,
    /// The text that is put behind it.
    pub after: String,
}

impl Edit {
    fn at(at: usize, text: String) -> Self {
        Self { range: at..at, before: text, after: String::new() }
    }
}

/// The question whether the process has the bug with this number.
#[must_use]
pub fn choice(number: usize) -> String {
    format!("crate::mutants::on({number})")
}

/// The number of the bug whose code is at this byte of a new text: the last choice before it.
#[must_use]
pub fn mutant_at(text: &str, byte: usize) -> Option<usize> {
    let (_, after) = text.get(..byte)?.rsplit_once("mutants::on(")?;
    after.split(')').next()?.parse().ok()
}

/// The edit that a change is, for the bug with this number.
fn edit(number: usize, change: &Change, site: Site) -> Result<Edit, String> {
    let on = choice(number);
    for code in change.to.iter().chain(&change.first) {
        if let Err(error) = syn::parse_str::<syn::Block>(&format!("{{ {code} }}")) {
            return Err(format!("`{code}` is no Rust: {error}"));
        }
    }
    match (site, &change.to, &change.first) {
        (Site::Start(at), None, Some(first)) => Ok(Edit::at(at, format!(" if {on} {{ {first} }} "))),
        (Site::Statements(range, _), None, Some(first)) => {
            Ok(Edit::at(range.start, format!("if {on} {{ {first} }} ")))
        }
        (Site::Statements(_, true), Some(_), _) => {
            Err("statements that name something cannot be replaced: name the expression".into())
        }
        (Site::Statements(range, false), Some(to), None) => {
            Ok(Edit { range, before: format!("if {on} {{ {to} }} else {{ "), after: " }".into() })
        }
        (Site::Expression(range), Some(to), None) => {
            Ok(Edit { range, before: format!("(if {on} {{ {to} }} else {{ "), after: " })".into() })
        }
        _ => {
            Err("a row says what stands there instead (`to`), or what is done before statements (`first`)"
                .into())
        }
    }
}

/// A text with edits. Each lies inside another one or beside it.
///
/// # Errors
/// When two overlap.
pub fn insert(text: &str, mut edits: Vec<Edit>) -> Result<String, String> {
    // Of two edits that begin at the same place, the longer encloses the other.
    edits.sort_by_key(|edit| (edit.range.start, std::cmp::Reverse(edit.range.end)));
    let mut out = String::with_capacity(text.len() * 2);
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut at = 0;
    let close_until = |limit: usize, open: &mut Vec<(usize, String)>, out: &mut String, at: &mut usize| {
        while open.last().is_some_and(|(end, _)| *end <= limit) {
            if let Some((end, after)) = open.pop() {
                out.push_str(&text[*at..end]);
                out.push_str(&after);
                *at = end;
            }
        }
    };
    for edit in edits {
        close_until(edit.range.start, &mut open, &mut out, &mut at);
        if open.last().is_some_and(|(end, _)| edit.range.end > *end) {
            return Err(format!("two changes overlap in `{}`", &text[edit.range]));
        }
        out.push_str(&text[at..edit.range.start]);
        out.push_str(&edit.before);
        at = edit.range.start;
        open.push((edit.range.end, edit.after));
    }
    close_until(text.len(), &mut open, &mut out, &mut at);
    out.push_str(&text[at..]);
    Ok(out)
}

/// The edits of the copy, file by file.
#[derive(Clone, Debug, Default)]
pub struct Woven {
    /// The names of the bugs, by number.
    pub names: Vec<String>,
    /// The edits.
    pub edits: BTreeMap<String, Vec<Edit>>,
    /// Items at the end of files.
    appended: BTreeMap<String, String>,
}

impl Woven {
    /// Finds the site of every row; `read` gives the text of a file that rows name.
    ///
    /// # Errors
    /// Every row that has not exactly one site, or that cannot be woven, by name: in words.
    pub fn new(table: &Table, read: impl Fn(&str) -> std::io::Result<String>) -> Result<Self, Vec<String>> {
        let mut woven = Self::default();
        let mut wrong = Vec::new();
        let mut files: BTreeMap<&str, (String, syn::File)> = BTreeMap::new();
        let changes =
            table.bugs.iter().flat_map(|bug| bug.change.iter().map(move |change| (Some(bug), &*change.file)));
        let others =
            DOORS.map(|(file, _)| file).into_iter().chain(table.helpers.iter().map(|helper| &*helper.file));
        for (bug, file) in changes.chain(others.map(|file| (None, file))) {
            if files.contains_key(file) {
                continue;
            }
            let parsed = read(file)
                .map_err(|error| error.to_string())
                .and_then(|text| Ok((syn::parse_file(&text).map_err(|error| error.to_string())?, text)));
            match parsed {
                Ok((parsed, text)) => drop(files.insert(file, (text, parsed))),
                Err(error) => wrong.push(bug.map_or_else(
                    || format!("{file}: {error}"),
                    |bug| bug.wrong(&format!("{file}: {error}")),
                )),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        for (file, item) in DOORS {
            let door = Change { file: file.into(), item: item.into(), from: None, to: None, first: None };
            let (text, parsed) = &files[file];
            match site(text, parsed, &door) {
                Ok(Site::Start(at)) => {
                    let inside = Edit::at(at, " let _inside = crate::mutants::inside(); ".into());
                    woven.edits.entry(file.into()).or_default().push(inside);
                }
                Ok(_) => {}
                Err(error) => wrong.push(format!("{file}: {error}")),
            }
        }
        for (number, bug) in table.bugs.iter().enumerate() {
            woven.names.push(bug.id.clone());
            for change in &bug.change {
                let (text, parsed) = &files[&*change.file];
                match site(text, parsed, change).and_then(|site| edit(number, change, site)) {
                    Ok(edit) => woven.edits.entry(change.file.clone()).or_default().push(edit),
                    Err(error) => wrong.push(bug.wrong(&format!("{}: {error}", change.file))),
                }
            }
        }
        for helper in &table.helpers {
            let end = woven.appended.entry(helper.file.clone()).or_default();
            end.push_str(&format!("\n// {}.\n{}", helper.says, helper.code));
        }
        if wrong.is_empty() { Ok(woven) } else { Err(wrong) }
    }

    /// The new text of a file that rows name, which had this text.
    ///
    /// # Errors
    /// When two changes overlap.
    pub fn text(&self, file: &str, text: &str) -> Result<String, String> {
        let edits = self.edits.get(file).cloned().unwrap_or_default();
        let mut new = insert(text, edits).map_err(|error| format!("{file}: {error}"))?;
        new.extend(self.appended.get(file).map(String::as_str));
        if file == "lib.rs" {
            new = format!("{LINTS}\n{new}\n#[doc(hidden)]\npub use zus_bls::mutants;\n");
        }
        if file == "bls/lib.rs" {
            let names: Vec<String> = self.names.iter().map(|name| format!("{name:?}")).collect();
            new = format!(
                "{LINTS}\n{new}\n{MODULE_HEAD}\n    const NAMES: &[&str] = &[{}];\n",
                names.join(", ")
            );
            new.push_str(MODULE);
            new.push_str("}\n");
        }
        Ok(new)
    }
}

const MODULE_HEAD: &str = "/// The bug that this process has.\n#[doc(hidden)]\npub mod mutants {";

/// Lints that refuse code that never runs, or that would warn hundreds of times.
const LINTS: &str = "#![allow(warnings, missing_docs, arithmetic_overflow, unconditional_panic)]";

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn f(a: u8) -> bool {\n    g(a);\n    let b = a + 1;\n    b > a && h(b)\n}\n";

    fn woven(rows: &[(Option<&str>, Option<&str>, Option<&str>)]) -> Result<String, String> {
        let parsed = syn::parse_file(TEXT).expect("Rust");
        let mut edits = Vec::new();
        for (number, (from, to, first)) in rows.iter().enumerate() {
            let owned = |text: &Option<&str>| text.map(str::to_owned);
            let (from, to, first) = (owned(from), owned(to), owned(first));
            let change = Change { file: "a.rs".into(), item: "f".into(), from, to, first };
            edits.push(edit(number, &change, site(TEXT, &parsed, &change)?)?);
        }
        insert(TEXT, edits)
    }

    #[test]
    fn every_form_of_a_row_becomes_a_choice() {
        let rows = [
            (Some("b > a"), Some("true"), None),
            (Some("g(a);"), Some(""), None),
            (Some("a + 1"), Some("a"), None),
            (Some("let b = a + 1;"), None, Some("return true;")),
            (None, None, Some("return false;")),
            (Some("b > a && h(b)"), Some("b > a"), None),
            (Some("h(b)"), Some("false"), None),
            (Some("b > a"), Some("b >= a"), None),
        ];
        let text = woven(&rows).expect("it is woven");
        let on = |number: usize| format!("crate::mutants::on({number})");
        let expected = format!(
            "fn f(a: u8) -> bool {{ if {} {{ return false; }} \n    if {} {{  }} else {{ g(a); }}\n    if {} {{ return true; }} let b = \
             (if {} {{ a }} else {{ a + 1 }});\n    if {} {{ b > a }} else {{ (if {} {{ true }} else {{ (if {} {{ b >= a }} else {{ b > a \
             }}) }}) && (if {} {{ false }} else {{ h(b) }}) }}\n}}\n",
            on(4),
            on(1),
            on(3),
            on(2),
            on(5),
            on(0),
            on(7),
            on(6),
        );
        assert_eq!(text, expected);
        assert!(syn::parse_file(&text).is_ok());
        assert_eq!(mutant_at(&text, text.find("b >= a").expect("it is there")), Some(7));
    }

    #[test]
    fn what_cannot_be_woven_is_refused() {
        let says = |row, what: &str| {
            let refused = woven(&[row]).expect_err("it is refused");
            assert!(refused.contains(what), "{refused}");
        };
        says((Some("let b = a + 1;"), Some(""), None), "name something");
        says((Some("a + 1"), None, Some("return true;")), "before statements");
        says((Some("a + 1"), None, None), "a row says");
        says((Some("a + 1"), Some("(("), None), "`((` is no Rust");
        says((Some("b > a"), Some("true) || (false"), None), "is no Rust");
        says((Some("g(a);"), None, Some("return }; {")), "is no Rust");
        let overlap =
            woven(&[(Some("g(a); let b = a + 1;"), None, Some("x();")), (Some("g(a);"), Some(""), None)]);
        assert!(overlap.is_ok());
        let edit = |range| Edit { range, before: String::new(), after: String::new() };
        assert!(insert(TEXT, vec![edit(0..9), edit(5..12)]).is_err_and(|error| error.contains("overlap")));
    }
}
