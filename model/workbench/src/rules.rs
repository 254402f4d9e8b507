//! The rules that are judged, as the user writes them: `PROFILE[,RULE=VALUE...]`.

use std::fmt::{self, Display, Formatter};

/// The only value with a field: its depth is a number at its end.
const DEEP: &str = "CommonAncestor";

/// A profile, and the rules that differ from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// `hardened`, `documented` or `deployed`.
    pub profile: String,
    /// Rules by name, each once.
    pub changes: Vec<(String, String)>,
}

impl Display for Rules {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.profile)?;
        self.changes.iter().try_for_each(|(rule, value)| write!(f, ",{rule}={value}"))
    }
}

impl std::str::FromStr for Rules {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = |why: String| {
            Err(format!("{why}\n  fix: write PROFILE[,RULE=VALUE...], as in hardened,ticket=BetterRank"))
        };
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let mut words = text.split(',').map(str::trim);
        let profile = words.next().unwrap_or_default();
        if !["hardened", "documented", "deployed"].contains(&profile) {
            return refused(format!("{profile:?} is no profile"));
        }
        let mut rules = Rules { profile: profile.into(), changes: Vec::new() };
        for word in words {
            let Some((rule, value)) = word.split_once('=') else {
                return refused(format!("{word:?} is no RULE=VALUE"));
            };
            let (rule, value) = (rule.trim(), value.trim());
            if !is_word(rule) || !is_word(value) {
                return refused(format!("{word:?} is no RULE=VALUE"));
            }
            if value == DEEP {
                return refused(format!("{rule}={DEEP} has no depth: {rule}={DEEP}3 has"));
            }
            if rules.changes.iter().any(|(other, _)| other == rule) {
                return refused(format!("{rule} is given twice"));
            }
            rules.changes.push((rule.into(), value.into()));
        }
        Ok(rules)
    }
}

/// The value of a rule as a scenario has it.
pub fn value_of_scenario(value: &str) -> String {
    match value.strip_prefix(DEEP) {
        Some(depth) if !depth.is_empty() => format!("{{ {DEEP} = {{ depth = {depth} }} }}"),
        _ => format!("\"{value}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_written_or_refused_with_the_form() {
        for text in ["hardened", "deployed,ticket=BetterRank,finality=CommonAncestor2"] {
            assert_eq!(text.parse::<Rules>().unwrap().to_string(), text);
        }
        let spaced: Rules = "hardened, ticket = BetterRank".parse().unwrap();
        assert_eq!(spaced.to_string(), "hardened,ticket=BetterRank");
        for text in [
            "",
            "hardend",
            "hardened,",
            "hardened,ticket",
            "hardened,ticket=\"x\"",
            "hardened,a=b,a=c",
            "hardened,a=b]\nn=3",
            "hardened,finality=CommonAncestor",
        ] {
            let refused = text.parse::<Rules>().unwrap_err();
            assert!(refused.contains("\n  fix: write PROFILE[,RULE=VALUE...]"), "{text:?}: {refused}");
        }
        assert_eq!(value_of_scenario("BetterRank"), "\"BetterRank\"");
        assert_eq!(value_of_scenario("CommonAncestor2"), "{ CommonAncestor = { depth = 2 } }");
    }
}
