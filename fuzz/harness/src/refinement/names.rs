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
        const WORD: &str = "miner ";
        let mut translated = String::with_capacity(sentence.len());
        let mut rest = sentence;
        while let Some(at) = rest.find(WORD) {
            let (before, after) = rest.split_at(at);
            translated.push_str(before);
            let number = &after[WORD.len()..];
            let digits = number.bytes().take_while(u8::is_ascii_digit).count();
            let group = if before.ends_with("Byzantine ") { &self.byzantine } else { &self.honest };
            let member = number[..digits].parse().ok().and_then(|index: usize| group.get(index));
            match member {
                Some(member) => translated.push_str(&member.to_string()),
                None => translated.push_str(&after[..WORD.len() + digits]),
            }
            rest = &number[digits..];
        }
        translated.push_str(rest);
        translated
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
            names.translate("a miner that miner 10 knows; miner "),
            "a miner that miner 10 knows; miner "
        );
    }
}
