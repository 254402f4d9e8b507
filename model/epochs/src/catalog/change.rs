//! A rule, or a fault, by its name.

use super::Question;
use crate::{
    boundary::BoundaryRules,
    handoff::{EpochFault, EpochRules},
    key_generation::{Fault, KeyRules},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::fmt;

/// A change that the instance cannot have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// It is not of the form `rule=Value`.
    NoChange {
        /// The text.
        given: String,
    },
    /// The model has no such rule.
    UnknownRule {
        /// The name.
        given: String,
        /// The rules that there are.
        known: Vec<String>,
    },
    /// The rule has no such value.
    UnknownValue {
        /// The rule.
        rule: String,
        /// The name of the value.
        given: String,
        /// The values that there are.
        known: Vec<String>,
    },
    /// A number stands where the value has none, or is none.
    Number {
        /// The rule.
        rule: String,
        /// The text.
        given: String,
    },
    /// The model has no such fault.
    UnknownFault {
        /// The name.
        given: String,
        /// The faults that there are.
        known: Vec<String>,
    },
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |known: &[String]| known.join(", ");
        match self {
            Mistake::NoChange { given } => write!(
                f,
                "`{given}` changes no rule\n  fix: write rule=Value, for example handoff_proof=AnyTickets"
            ),
            Mistake::UnknownRule { given, known } => {
                write!(f, "this model has no rule `{given}`\n  fix: use one of {}", list(known))
            }
            Mistake::UnknownValue { rule, given, known } => {
                write!(f, "the rule `{rule}` has no value `{given}`\n  fix: use one of {}", list(known))
            }
            Mistake::Number { rule, given } => write!(
                f,
                "`{rule}={given}` has a number that cannot be used\n  fix: write a number from 0 to 255 after a value that has one, for example activation=Offset:1"
            ),
            Mistake::UnknownFault { given, known } if known.is_empty() => {
                write!(
                    f,
                    "this model has no faults, so not `{given}` either\n  fix: change a rule with --rules"
                )
            }
            Mistake::UnknownFault { given, known } => {
                write!(f, "this model has no fault `{given}`\n  fix: use one of {}", list(known))
            }
        }
    }
}

impl std::error::Error for Mistake {}

impl Question {
    /// This instance with `given` (`rule=Value`, or `rule=Value:number`) in its rules.
    pub fn with_rule(&self, given: &str) -> Result<Question, Mistake> {
        let mut question = self.clone();
        match &mut question {
            Question::Boundary(it) => {
                let all = (BoundaryRules::DEPLOYED, BoundaryRules::DEPLOYED.changes());
                it.rules = changed(it.rules, all, given)?;
            }
            Question::Handover(it) => {
                let all = (EpochRules::HARDENED, EpochRules::HARDENED.changes());
                it.instance.rules = changed(it.instance.rules, all, given)?;
            }
            Question::Keys(it) => {
                let all = (KeyRules::HARDENED, KeyRules::HARDENED.changes());
                it.rules = changed(it.rules, all, given)?;
            }
        }
        Ok(question)
    }

    /// This instance with a fault, by its name, or by its row in PROTOCOL.md, section 8, in the key generation.
    pub fn with_fault(&self, given: &str) -> Result<Question, Mistake> {
        let mut question = self.clone();
        let unknown = |known: Vec<String>| Mistake::UnknownFault { given: given.to_owned(), known };
        match &mut question {
            Question::Boundary(_) => return Err(unknown(Vec::new())),
            Question::Handover(it) => {
                let found = EpochFault::ALL.into_iter().find(|fault| format!("{fault:?}") == given);
                let known = || EpochFault::ALL.iter().map(|fault| format!("{fault:?}")).collect();
                it.instance.fault = Some(found.ok_or_else(|| unknown(known()))?);
            }
            Question::Keys(it) => {
                let is = |fault: &Fault| format!("{fault:?}") == given || fault.id() == given;
                let known = || Fault::ALL.iter().map(|fault| format!("{fault:?}")).collect();
                it.fault = Some(Fault::ALL.iter().copied().find(is).ok_or_else(|| unknown(known()))?);
            }
        }
        Ok(question)
    }
}

/// The fields of some rules. Rules always are an object.
fn fields<R: Serialize>(rules: &R) -> Map<String, Value> {
    match serde_json::to_value(rules) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// The name of a value, as it is serialized: a text, or an object with one field.
fn name(value: &Value) -> String {
    let of_object = value.as_object().and_then(|object| object.keys().next());
    value.as_str().or(of_object.map(String::as_str)).unwrap_or_default().to_owned()
}

/// The rules with one value changed. `all` has the first value of each rule, and the others one by one.
fn changed<R: Copy + Serialize + DeserializeOwned>(
    rules: R,
    all: (R, Vec<(String, R)>),
    given: &str,
) -> Result<R, Mistake> {
    let no_change = || Mistake::NoChange { given: given.to_owned() };
    let (rule, value) = given.split_once('=').ok_or_else(no_change)?;
    let (rule, value) = (rule.trim(), value.trim());
    let first = fields(&all.0);
    let first_value = first.get(rule).ok_or_else(|| Mistake::UnknownRule {
        given: rule.to_owned(),
        known: first.keys().cloned().collect(),
    })?;
    let of_rule = |(change, _): &&(String, R)| change.split(" = ").next() == Some(rule);
    let others = all.1.iter().filter(of_rule).filter_map(|(_, other)| fields(other).remove(rule));
    let values: Vec<Value> = std::iter::once(first_value.clone()).chain(others).collect();
    let (asked, number) =
        value.split_once(':').map_or((value, None), |(asked, number)| (asked, Some(number)));
    let found = values.iter().find(|value| name(value) == asked).ok_or_else(|| Mistake::UnknownValue {
        rule: rule.to_owned(),
        given: asked.to_owned(),
        known: values.iter().map(name).collect(),
    })?;
    let mut found = found.clone();
    if let Some(number) = number {
        let wrong = || Mistake::Number { rule: rule.to_owned(), given: value.to_owned() };
        let number: u8 = number.trim().parse().map_err(|_| wrong())?;
        let inner = found.get_mut(asked).and_then(Value::as_object_mut).ok_or_else(wrong)?;
        inner.values_mut().for_each(|inner| *inner = number.into());
    }
    let mut next = fields(&rules);
    next.insert(rule.to_owned(), found);
    serde_json::from_value(Value::Object(next)).map_err(|_| no_change())
}
