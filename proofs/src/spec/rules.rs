//! The choice of rules that a specification is read for.

use super::{Mistake, SpecError};
use crate::text::{Kind, Location, SExpr};
use serde::{Deserialize, de::value::StrDeserializer};
use std::{collections::BTreeMap, fmt};
use zus_protocol::rules::QuorumRule;

/// One value for every rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// The profile it starts from.
    pub profile: String,
    values: BTreeMap<String, String>,
    overridden: Vec<String>,
    /// The value of `quorum`, if the specification has this rule.
    quorum: Option<QuorumRule>,
}

impl Rules {
    /// The value of a rule.
    pub fn value(&self, rule: &str) -> Option<&str> {
        self.values.get(rule).map(String::as_str)
    }

    /// The value of `quorum`; `n - f` if the specification has no such rule.
    pub fn quorum(&self) -> QuorumRule {
        self.quorum.unwrap_or(QuorumRule::ByzantineMajority)
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.profile)?;
        self.overridden.iter().try_for_each(|rule| write!(f, ",{rule}={}", self.values[rule]))
    }
}

/// A choice of rules: a profile, and other values for some rules. `hardened,ticket=BetterRank`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleChoice {
    text: String,
}

impl RuleChoice {
    /// Of that text; whether it names rules that exist is known only with a specification.
    pub fn new(text: impl Into<String>) -> Self {
        RuleChoice { text: text.into() }
    }

    /// The recommended profile.
    pub fn hardened() -> Self {
        Self::new("hardened")
    }
}

/// A rule, and the values that it may have.
type Condition = (String, Vec<String>);

/// Rules and profiles as a specification declares them.
#[derive(Default)]
pub(super) struct Declared {
    rules: BTreeMap<String, Vec<String>>,
    profiles: BTreeMap<String, BTreeMap<String, String>>,
    /// A condition, and the condition that has to hold where it does.
    requirements: Vec<(Condition, Condition)>,
    /// Where a name was declared first: `rule ticket`.
    places: BTreeMap<String, Location>,
}

impl Declared {
    /// `(rule NAME VALUE...)`
    pub(super) fn rule(&mut self, items: &[SExpr]) -> Result<(), SpecError> {
        let mut names = items[1..].iter().map(|i| symbol(i, "a rule's name and values"));
        let position = &items[0].position;
        let name = names.next().ok_or_else(|| Mistake::Expected("a rule's name").at(position))??;
        once(&mut self.places, format!("rule {name}"), position)?;
        let values = names.collect::<Result<Vec<_>, _>>()?;
        // The sizes of sets depend on this rule: a value that the vocabulary lacks would get the size of another one.
        let unknown = values.iter().position(|value| name == "quorum" && quorum(value).is_none());
        if let Some(index) = unknown {
            return Err(Mistake::NoRule(format!("quorum {}", values[index])).at(&items[index + 2].position));
        }
        self.rules.insert(name, values);
        Ok(())
    }

    /// `(profile NAME (RULE VALUE)...)`
    pub(super) fn profile(&mut self, items: &[SExpr]) -> Result<(), SpecError> {
        let name =
            items.get(1).ok_or_else(|| Mistake::Expected("a profile's name").at(&items[0].position))?;
        let (mut values, mut chosen) = (BTreeMap::new(), BTreeMap::new());
        for item in &items[2..] {
            let (rule, allowed) = self.condition(item)?;
            let [value] = &allowed[..] else {
                return Err(Mistake::Expected("(rule value) in a profile").at(&item.position));
            };
            once(&mut chosen, rule.clone(), &item.position)?;
            values.insert(rule, value.clone());
        }
        if let Some(missing) = self.rules.keys().find(|rule| !values.contains_key(*rule)) {
            return Err(Mistake::NoRule(format!("{missing} (this profile does not choose it)"))
                .at(&items[0].position));
        }
        let name = symbol(name, "a profile's name")?;
        once(&mut self.places, format!("profile {name}"), &items[0].position)?;
        self.profiles.insert(name, values);
        Ok(())
    }

    /// `(requires (RULE VALUE...) (RULE VALUE...)...)`: where the first holds the others have to.
    pub(super) fn requires(&mut self, items: &[SExpr]) -> Result<(), SpecError> {
        let [_, whose, needs @ ..] = items else {
            let shape = "(requires (rule value...) (rule value...)...)";
            return Err(Mistake::Expected(shape).at(&items[0].position));
        };
        let whose = self.condition(whose)?;
        for need in needs {
            self.requirements.push((whose.clone(), self.condition(need)?));
        }
        Ok(())
    }

    /// `(RULE VALUE...)`: the rule has one of the values.
    fn condition(&self, item: &SExpr) -> Result<Condition, SpecError> {
        let list = item.list().ok_or_else(|| Mistake::Expected("(rule value...)").at(&item.position))?;
        let mut names = list.iter().map(|i| symbol(i, "a rule's name and values"));
        let rule = names.next().ok_or_else(|| Mistake::Expected("(rule value...)").at(&item.position))??;
        let known = self.rules.get(&rule).ok_or_else(|| Mistake::NoRule(rule.clone()).at(&item.position))?;
        let values = names.collect::<Result<Vec<_>, _>>()?;
        match values.iter().find(|v| !known.contains(v)) {
            Some(wrong) => Err(Mistake::NoRule(format!("{rule} {wrong}")).at(&item.position)),
            None => Ok((rule, values)),
        }
    }

    /// Whether the condition of a `when`, one `(RULE VALUE...)` or a list of them, holds.
    pub(super) fn holds(&self, item: &SExpr, rules: &Rules) -> Result<bool, SpecError> {
        let list = item.list().unwrap_or_default();
        let several = list.first().is_some_and(|first| matches!(first.kind, Kind::List(_)));
        let conditions = if several { list } else { std::slice::from_ref(item) };
        let mut holds = true;
        for condition in conditions {
            let (rule, values) = self.condition(condition)?;
            holds &= rules.value(&rule).is_some_and(|v| values.iter().any(|w| w == v));
        }
        Ok(holds)
    }

    /// The rules that `choice` means.
    pub(super) fn choose(&self, choice: &RuleChoice) -> Result<Rules, SpecError> {
        let wrong = || SpecError::Rules(choice.text.clone(), self.describe());
        let mut parts = choice.text.split(',').map(str::trim);
        let profile = parts.next().unwrap_or_default().to_string();
        let values = self.profiles.get(&profile).ok_or_else(wrong)?.clone();
        let mut rules = Rules { profile, values, overridden: Vec::new(), quorum: None };
        for part in parts {
            let (rule, value) = part.split_once('=').ok_or_else(wrong)?;
            if !self.rules.get(rule).is_some_and(|values| values.iter().any(|v| v == value)) {
                return Err(wrong());
            }
            if rules.overridden.iter().any(|known| known == rule) {
                return Err(SpecError::RuleTwice(choice.text.clone(), rule.to_string()));
            }
            rules.values.insert(rule.to_string(), value.to_string());
            rules.overridden.push(rule.to_string());
        }
        rules.quorum = rules.value("quorum").and_then(quorum);
        let holds =
            |(rule, values): &Condition| rules.value(rule).filter(|value| values.iter().any(|v| v == value));
        for (whose, need) in &self.requirements {
            if let (Some(value), None) = (holds(whose), holds(need)) {
                let (choice, rule) = (choice.text.clone(), whose.0.clone());
                let needs = format!("{}={}", need.0, need.1.join(" or "));
                return Err(SpecError::Requires { choice, rule, value: value.to_string(), needs });
            }
        }
        Ok(rules)
    }

    /// Whether a profile is declared.
    pub(super) fn has_profile(&self) -> bool {
        !self.profiles.is_empty()
    }

    fn describe(&self) -> String {
        let profiles: Vec<_> = self.profiles.keys().map(String::as_str).collect();
        let rules: Vec<_> = self.rules.iter().map(|(r, vs)| format!("{r}={}", vs.join("|"))).collect();
        format!("profiles {}; rules {}", profiles.join(", "), rules.join(", "))
    }

    /// Names of all profiles, and all `rule=value`.
    pub(super) fn all(&self) -> (Vec<String>, Vec<String>) {
        let values = self.rules.iter().flat_map(|(r, vs)| vs.iter().map(move |v| format!("{r}={v}")));
        (self.profiles.keys().cloned().collect(), values.collect())
    }
}

/// The value of `quorum` that is called so in the protocol's vocabulary.
fn quorum(value: &str) -> Option<QuorumRule> {
    QuorumRule::deserialize(StrDeserializer::<serde::de::value::Error>::new(value)).ok()
}

/// Notes that a name is declared.
fn once(known: &mut BTreeMap<String, Location>, name: String, at: &Location) -> Result<(), SpecError> {
    if let Some(first) = known.get(&name) {
        return Err(Mistake::Twice(name, first.clone()).at(at));
    }
    known.insert(name, at.clone());
    Ok(())
}

fn symbol(item: &SExpr, what: &'static str) -> Result<String, SpecError> {
    item.symbol().map(str::to_string).ok_or_else(|| Mistake::Expected(what).at(&item.position))
}
