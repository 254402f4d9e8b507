//! Runs in JSON, for people and for conversion to other formats.
//!
//! Elements are numbers from 0: miners, observers and beacon values as they come, the Byzantine miners last; rounds and
//! subrounds as themselves; block 0 is genesis, the others in order of (round, subround); sets of miners in
//! lexicographic order. `fixed` has the whole fixed part, so a run can be replayed by what it says alone.

use super::{Event, Run, Universe, UniverseError};
use crate::{
    spec::{FunctionId, RelationId, Spec},
    structure::{Element, Interpreter, Structure},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The first field of a run file.
pub const FORMAT: &str = "zus-proofs run 1";
/// Actions that a run file may have.
pub const MAX_ACTIONS: usize = 10_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunFile {
    format: String,
    name: String,
    rules: String,
    universe: Universe,
    actions: Vec<ActionLine>,
    fixed: Fixed,
}

/// An action of a run, as a file has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionLine {
    action: String,
    arguments: BTreeMap<String, Element>,
    sentence: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixed {
    /// By name: arguments, then the value.
    functions: BTreeMap<String, Vec<Vec<Element>>>,
    relations: BTreeMap<String, Vec<Vec<Element>>>,
}

/// Why a file is no run.
#[derive(Debug, thiserror::Error)]
pub enum RunFileError {
    /// It is not the JSON of a run.
    #[error("not a run: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of another format or version.
    #[error("format `{0}`, not `{FORMAT}`")]
    Format(String),
    /// Its universe cannot be laid out.
    #[error(transparent)]
    Universe(#[from] UniverseError),
    /// It names something that the specification has not.
    #[error("the specification for these rules has no {0} `{1}`")]
    Unknown(&'static str, String),
    /// A tuple of the wrong length, or with an element that the universe has not.
    #[error("`{0}` of {1:?} is outside the universe")]
    Outside(String, Vec<Element>),
    /// One of its actions is none.
    #[error("action {0}: {1}")]
    Action(usize, Box<RunFileError>),
    /// Too long.
    #[error("{0} actions; at most {MAX_ACTIONS}")]
    TooLong(usize),
}

impl Run {
    /// The run in JSON.
    pub fn json(&self, spec: &Spec) -> serde_json::Result<String> {
        let file = RunFile {
            format: FORMAT.to_string(),
            name: self.name.clone(),
            rules: self.rules.clone(),
            universe: self.universe.clone(),
            actions: self.lines(spec),
            fixed: fixed(spec, &self.initial),
        };
        // One tuple a line is enough: the innermost lists are written without breaks.
        Ok(compact_tuples(&serde_json::to_string_pretty(&file)?) + "\n")
    }

    /// Its actions, as a file has them.
    pub fn lines(&self, spec: &Spec) -> Vec<ActionLine> {
        let line = |(event, sentence): (&Event, String)| {
            let action = &spec.actions[event.action];
            let names = action.parameters.iter().map(|p| p.name.clone());
            let arguments = names.zip(event.arguments.iter().copied()).collect();
            ActionLine { action: action.name.clone(), arguments, sentence }
        };
        self.events.iter().zip(self.sentences(spec)).map(line).collect()
    }

    /// The run of a JSON text.
    pub fn from_json(spec: &Spec, text: &str) -> Result<Run, RunFileError> {
        let file: RunFile = serde_json::from_str(text)?;
        if file.format != FORMAT {
            return Err(RunFileError::Format(file.format));
        }
        if file.actions.len() > MAX_ACTIONS {
            return Err(RunFileError::TooLong(file.actions.len()));
        }
        let mut initial = Structure::new(spec, &file.universe.sizes(spec)?, &[]);
        read_fixed(spec, &file.fixed, &mut initial)?;
        Interpreter::new(spec).initialize(&mut initial);
        let events = events(spec, &file.actions, &initial)?;
        Ok(Run { name: file.name, rules: file.rules, universe: file.universe, initial, events })
    }
}

/// The actions of a file, in a universe.
pub fn events(spec: &Spec, lines: &[ActionLine], universe: &Structure) -> Result<Vec<Event>, RunFileError> {
    let placed = |(at, line): (usize, &ActionLine)| {
        read_action(spec, line, universe).map_err(|error| RunFileError::Action(at + 1, Box::new(error)))
    };
    lines.iter().enumerate().map(placed).collect()
}

fn fixed(spec: &Spec, structure: &Structure) -> Fixed {
    let function = |(index, function): (usize, &crate::spec::Function)| {
        let mut rows = vec![Vec::new()];
        for sort in &function.arguments {
            let extend = |row: Vec<Element>| {
                (0..structure.size(*sort) as Element).map(move |e| row.iter().copied().chain([e]).collect())
            };
            rows = rows.into_iter().flat_map(extend).collect();
        }
        for row in &mut rows {
            row.push(structure.value(FunctionId(index), row));
        }
        (function.name.clone(), rows)
    };
    let relations = spec.relations.iter().enumerate().filter(|(_, r)| r.immutable());
    Fixed {
        functions: spec.functions.iter().enumerate().map(function).collect(),
        relations: relations
            .map(|(i, r)| (r.name.clone(), structure.tuples(RelationId(i)).collect()))
            .collect(),
    }
}

fn read_fixed(spec: &Spec, fixed: &Fixed, structure: &mut Structure) -> Result<(), RunFileError> {
    for (name, rows) in &fixed.functions {
        let id = spec.function(name).ok_or_else(|| RunFileError::Unknown("function", name.clone()))?;
        let function = &spec.functions[id.0];
        let sorts: Vec<_> = function.arguments.iter().copied().chain([function.result]).collect();
        for row in rows {
            inside(name, row, &sorts, structure)?;
            structure.assign(id, &row[..row.len() - 1], row[row.len() - 1]);
        }
    }
    for (name, tuples) in &fixed.relations {
        let id = spec.relation(name).filter(|r| spec.relations[r.0].immutable());
        let id = id.ok_or_else(|| RunFileError::Unknown("immutable relation", name.clone()))?;
        let sorts: Vec<_> = spec.relations[id.0].arguments.iter().map(|(_, sort)| *sort).collect();
        for tuple in tuples {
            inside(name, tuple, &sorts, structure)?;
            structure.set(id, tuple, true);
        }
    }
    Ok(())
}

fn read_action(spec: &Spec, line: &ActionLine, structure: &Structure) -> Result<Event, RunFileError> {
    let index = spec.actions.iter().position(|a| a.name == line.action);
    let index = index.ok_or_else(|| RunFileError::Unknown("action", line.action.clone()))?;
    let parameters = &spec.actions[index].parameters;
    let argument = |p: &crate::spec::Parameter| {
        let element = line.arguments.get(&p.name).copied();
        element.ok_or_else(|| RunFileError::Unknown("argument of this name in the run:", p.name.clone()))
    };
    let arguments = parameters.iter().map(argument).collect::<Result<Vec<_>, _>>()?;
    let sorts: Vec<_> = parameters.iter().map(|p| p.variable.sort).collect();
    inside(&line.action, &arguments, &sorts, structure)?;
    Ok(Event { action: index, arguments })
}

fn inside(
    name: &str,
    tuple: &[Element],
    sorts: &[crate::spec::SortId],
    structure: &Structure,
) -> Result<(), RunFileError> {
    let fits = tuple.len() == sorts.len()
        && tuple.iter().zip(sorts).all(|(e, s)| (*e as usize) < structure.size(*s));
    if fits { Ok(()) } else { Err(RunFileError::Outside(name.to_string(), tuple.to_vec())) }
}

/// Lists of numbers on one line.
fn compact_tuples(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(start) = rest.find('[') {
        let (before, list) = rest.split_at(start);
        text.push_str(before);
        let plain = list[1..].find(['[', ']', '{', '"']).map(|i| i + 1);
        match plain {
            Some(end) if list[end..].starts_with(']') => {
                let numbers: Vec<_> = list[1..end].split(',').map(str::trim).collect();
                text.push_str(&format!("[{}]", numbers.join(", ")));
                rest = &list[end + 1..];
            }
            _ => {
                text.push('[');
                rest = &list[1..];
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_numbers_stand_on_one_line() {
        assert_eq!(
            compact_tuples("{\"a\": [\n 1,\n 2\n], \"b\": [\n [\n 3\n ]\n]}"),
            "{\"a\": [1, 2], \"b\": [\n [3]\n]}"
        );
        assert_eq!(compact_tuples("[]"), "[]");
        assert_eq!(compact_tuples("[\"x\"]"), "[\"x\"]");
    }
}
