//! From files to the items in force: includes followed, `when` decided.

use super::{Mistake, RuleChoice, Rules, Spec, SpecError, items, rules::Declared};
use crate::text::{SExpr, read};
use std::{collections::BTreeMap, io, path::Path};
use zus_output::plain;

/// Depth to which files may include files.
const MAX_INCLUDES: usize = 8;
/// The file that includes the others.
const ROOT: &str = "protocol.epr";

/// The texts of a specification, by file name.
#[derive(Clone, Debug)]
pub struct Sources {
    files: BTreeMap<String, String>,
    /// The folder, which stands before a file's name in an error.
    folder: String,
}

macro_rules! embedded {
    ($folder:literal: $($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../", $folder, "/", $name)))),*]
    };
}

impl Sources {
    /// The specification that this crate was built with.
    pub fn embedded() -> Self {
        let files = embedded![
            "spec":
            "protocol.epr",
            "committee.epr",
            "blocks.epr",
            "beacon.epr",
            "proposals.epr",
            "tickets.epr",
            "notarizations.epr",
            "rounds.epr",
            "subrounds.epr",
            "finality.epr",
            "accountability.epr",
            "witnesses.epr",
            "liveness.epr",
            "clock.epr",
            "duties.epr",
            "chain.epr",
            "stages.epr",
            "finality_stages.epr",
            "clock_witnesses.epr",
        ];
        Sources::of(&files)
    }

    /// The specification of the handover between epochs, of `epochs/`.
    pub fn epochs() -> Self {
        Sources::of(&embedded![
            "epochs":
            "protocol.epr",
            "committees.epr",
            "blocks.epr",
            "members.epr",
            "certificates.epr",
            "handover.epr",
            "finality.epr",
            "properties.epr",
            "accountability.epr",
            "witnesses.epr",
        ])
    }

    fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        Sources { files, folder: String::new() }
    }

    /// All `*.epr` of a folder. An error names the folder or the file, and the fix.
    pub fn folder(folder: &Path) -> io::Result<Self> {
        let shown = plain::path(folder);
        let unreadable = |error: io::Error| {
            let fix = "name with --spec a folder with protocol.epr, such as a copy of proofs/spec";
            io::Error::new(error.kind(), format!("{shown}: cannot be read: {error}\n  fix: {fix}"))
        };
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|e| e == "epr") {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                files.insert(name, zus_output::bounded::text(&path, zus_output::bounded::MOST_BYTES)?);
            }
        }
        Ok(Sources { files, folder: format!("{}/", shown.trim_end_matches('/')) })
    }

    /// A specification of one file, for tests.
    pub fn text(text: &str) -> Self {
        Sources { files: BTreeMap::from([(ROOT.to_string(), text.to_string())]), folder: String::new() }
    }

    /// The same with `from`, which must occur exactly once in all files, replaced by `to`.
    pub fn edited(&self, from: &str, to: &str) -> Option<Self> {
        let mut edited = self.clone();
        let mut count = 0;
        for text in edited.files.values_mut() {
            count += text.matches(from).count();
            *text = text.replacen(from, to, 1);
        }
        (count == 1).then_some(edited)
    }

    /// All profiles, and all `rule=value`, that the specification declares.
    pub fn choices(&self) -> Result<(Vec<String>, Vec<String>), SpecError> {
        let mut declared = Declared::default();
        self.declarations(&self.parse(ROOT)?, &mut declared)?;
        Ok(declared.all())
    }

    fn parse(&self, name: &str) -> Result<Vec<SExpr>, SpecError> {
        let shown = format!("{}{name}", self.folder);
        let text = self.files.get(name).ok_or_else(|| SpecError::NoFile(shown.clone()))?;
        Ok(read(&shown, text)?)
    }

    /// Rules and profiles; they stand in the root, outside every `when`.
    fn declarations(&self, root: &[SExpr], declared: &mut Declared) -> Result<(), SpecError> {
        for item in root {
            match head(item)? {
                ("rule", items) => declared.rule(items)?,
                ("profile", items) => declared.profile(items)?,
                ("requires", items) => declared.requires(items)?,
                _ => {}
            }
        }
        if declared.has_profile() {
            Ok(())
        } else {
            Err(SpecError::NoProfile(format!("{}{ROOT}", self.folder)))
        }
    }
}

/// Reads the specification for a choice of rules.
pub fn load(sources: &Sources, choice: &RuleChoice) -> Result<Spec, SpecError> {
    let (rules, items) = chosen(sources, choice)?;
    items::build(rules, items)
}

/// The items in force for a choice of rules.
pub(super) fn chosen(sources: &Sources, choice: &RuleChoice) -> Result<(Rules, Vec<SExpr>), SpecError> {
    let root = sources.parse(ROOT)?;
    let mut declared = Declared::default();
    sources.declarations(&root, &mut declared)?;
    let rules = declared.choose(choice)?;
    let mut chosen = Vec::new();
    let selection = Selection { sources, declared: &declared, rules: &rules };
    selection.flatten(root, &mut chosen, 0)?;
    Ok((rules, chosen))
}

struct Selection<'a> {
    sources: &'a Sources,
    declared: &'a Declared,
    rules: &'a Rules,
}

impl Selection<'_> {
    /// Appends the items in force to `chosen`, those inside actions decided too.
    fn flatten(&self, items: Vec<SExpr>, chosen: &mut Vec<SExpr>, depth: usize) -> Result<(), SpecError> {
        for item in items {
            match head(&item)? {
                ("rule" | "profile" | "requires", _) if depth == 0 => {}
                ("include", list) => {
                    let name = list.get(1).and_then(SExpr::text);
                    let name =
                        name.ok_or_else(|| Mistake::Expected("(include \"file\")").at(&item.position))?;
                    if depth == MAX_INCLUDES {
                        return Err(Mistake::Expected("files included at most eight deep").at(&item.position));
                    }
                    self.flatten(self.sources.parse(name)?, chosen, depth + 1)?;
                }
                ("when", list) => {
                    if let Some(inner) = self.decide(list)? {
                        self.flatten(inner.to_vec(), chosen, depth.max(1))?;
                    }
                }
                ("action", list) => {
                    let mut parts = Vec::new();
                    self.parts(list, &mut parts)?;
                    chosen.push(SExpr { kind: crate::text::Kind::List(parts), position: item.position });
                }
                _ => chosen.push(item),
            }
        }
        Ok(())
    }

    /// The parts of an action in force.
    fn parts(&self, items: &[SExpr], chosen: &mut Vec<SExpr>) -> Result<(), SpecError> {
        for item in items {
            match item.list() {
                Some([first, ..]) if first.symbol() == Some("when") => {
                    if let Some(inner) = self.decide(item.list().unwrap_or_default())? {
                        self.parts(inner, chosen)?;
                    }
                }
                _ => chosen.push(item.clone()),
            }
        }
        Ok(())
    }

    /// The items in a `when`, if its condition holds.
    fn decide<'b>(&self, list: &'b [SExpr]) -> Result<Option<&'b [SExpr]>, SpecError> {
        let [when, condition, inner @ ..] = list else {
            return Err(Mistake::Expected("(when (rule value...) item...)").at(&list[0].position));
        };
        let _ = when;
        Ok(self.declared.holds(condition, self.rules)?.then_some(inner))
    }
}

/// The leading symbol of a list, and the list.
pub(super) fn head(item: &SExpr) -> Result<(&str, &[SExpr]), SpecError> {
    let list = item.list().ok_or_else(|| Mistake::Expected("an item, `(word ...)`").at(&item.position))?;
    let first = list.first().and_then(SExpr::symbol);
    Ok((first.ok_or_else(|| Mistake::Expected("an item, `(word ...)`").at(&item.position))?, list))
}
