//! One numbering of miners in what a person reads: production's.
//!
//! The model numbers honest and Byzantine miners apart, each from 0; production numbers the members of the committee. A
//! sentence of the model is translated before it stands beside one of production.

use zus_bpp::committee::MinerId;
use zus_bpp::crypto::scheme::Scheme;

use super::{Difference, Finding};
use crate::world::World;

/// The members behind the model's numbers.
#[derive(Clone, Debug)]
pub struct Names {
    honest: Vec<MinerId>,
    byzantine: Vec<MinerId>,
}

impl Names {
    /// The members of a world.
    #[must_use]
    pub fn of<S: Scheme + Clone>(world: &World<S>) -> Self {
        Self {
            honest: world.hosts.iter().map(|host| host.id).collect(),
            byzantine: world.ground.setup.byzantine.iter().copied().map(MinerId).collect(),
        }
    }

    /// A sentence of the model with production's numbers. A number that the model does not have stays as it is.
    #[must_use]
    pub fn translate(&self, sentence: &str) -> String {
        renumbered(sentence, |number, is_byzantine| {
            let group = if is_byzantine { &self.byzantine } else { &self.honest };
            group.get(number).map(ToString::to_string)
        })
    }

    /// A sentence of production with the model's numbers, as a drawn run has them. A miner that is none of the world stays as it is.
    #[must_use]
    pub fn in_model(&self, sentence: &str) -> String {
        renumbered(sentence, |number, is_byzantine| {
            let of = |group: &[MinerId]| group.iter().position(|member| usize::from(member.0) == number);
            let byzantine = if is_byzantine { "miner" } else { "Byzantine miner" };
            of(&self.honest)
                .map(|index| format!("miner {index}"))
                .or_else(|| of(&self.byzantine).map(|index| format!("{byzantine} {index}")))
        })
    }

    /// A finding with production's numbers.
    pub(super) fn in_finding(&self, finding: Finding) -> Finding {
        match finding {
            Finding::Disabled { action, deed, guard } => {
                Finding::Disabled { action, deed: self.translate(&deed), guard }
            }
            Finding::Differs(Difference { field, model, production }) => {
                Finding::Differs(Difference { field: self.translate(&field), model, production })
            }
            // Made of production's own names.
            Finding::NoPlace { participant, source } => Finding::NoPlace { participant, source },
        }
    }
}

/// A sentence in which `name` renames each `miner N`; it is told N, and whether the word before is `Byzantine`.
fn renumbered(sentence: &str, name: impl Fn(usize, bool) -> Option<String>) -> String {
    const WORD: &str = "miner ";
    let mut renamed = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(at) = rest.find(WORD) {
        let (before, after) = rest.split_at(at);
        renamed.push_str(before);
        let number = &after[WORD.len()..];
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        match number[..digits].parse().ok().and_then(|number| name(number, before.ends_with("Byzantine "))) {
            Some(member) => renamed.push_str(&member),
            None => renamed.push_str(&after[..WORD.len() + digits]),
        }
        rest = &number[digits..];
    }
    renamed.push_str(rest);
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_and_byzantine_numbers_become_members() {
        let names =
            Names { honest: [1, 2, 4].map(MinerId).to_vec(), byzantine: [0, 3].map(MinerId).to_vec() };
        assert_eq!(
            names.translate("miner 0 and miner 2 time out; Byzantine miner 1 sends a ticket"),
            "miner 1 and miner 4 time out; Byzantine miner 3 sends a ticket"
        );
        assert_eq!(
            names.in_model("miner 4 heard block X of miner 3, and Byzantine miner 0 is miner 9"),
            "miner 2 heard block X of Byzantine miner 1, and Byzantine miner 0 is miner 9"
        );
        assert_eq!(
            names.translate("a miner that miner 10 knows; miner "),
            "a miner that miner 10 knows; miner "
        );
    }
}
