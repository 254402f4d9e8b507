//! Rules that differ from those of a profile, or of a scenario: one field for each open question, with its place in the text.

use crate::rules::{
    BeaconRule, CountingRule, EchoRule, FinalityRule, HeadRule, ParentRule, ProposalRule, QuorumRule, Rules,
    SubroundCapRule, SubroundEntryRule, SubroundSwitchRule, ThresholdRule, TicketLogRule, TicketRule,
};
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;

macro_rules! overrides {
    ($($question:ident $field:ident: $rule:ty;)*) => {
        /// An open question of the protocol, by the field that answers it.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Question {
            $(#[doc = concat!("`", stringify!($field), "`")] $question,)*
        }

        impl Question {
            /// The field of a scenario.
            pub const fn field(self) -> &'static str {
                match self { $(Question::$question => concat!("rules.", stringify!($field)),)* }
            }
        }

        /// Rules that differ from those of a profile, or of a scenario.
        #[derive(Clone, PartialEq, Eq, Debug, Deserialize, Default)]
        #[serde(deny_unknown_fields)]
        pub struct Overrides {
            $($field: Option<Spanned<$rule>>,)*
        }

        impl Overrides {
            /// `base`, but for what is overridden.
            pub fn over(&self, base: Rules) -> Rules {
                Rules { $($field: self.$field.as_ref().map_or(base.$field, |rule| *rule.get_ref()),)* }
            }

            /// Whether it names the field.
            pub(crate) fn names(&self, question: Question) -> bool {
                match question { $(Question::$question => self.$field.is_some(),)* }
            }

            /// What is overridden, where it stands, and `rules` with the answer of `base` to this one question.
            pub(crate) fn written(&self, rules: Rules, base: Rules) -> Vec<(Question, Range<usize>, Rules)> {
                let mut written = Vec::new();
                $(if let Some(rule) = &self.$field {
                    let without = Rules { $field: base.$field, ..rules };
                    written.push((Question::$question, rule.span(), without));
                })*
                written
            }
        }
    };
}

overrides! {
    Beacon beacon: BeaconRule;
    Threshold threshold: ThresholdRule;
    Ticket ticket: TicketRule;
    SubroundEntry subround_entry: SubroundEntryRule;
    SubroundSwitch subround_switch: SubroundSwitchRule;
    Finality finality: FinalityRule;
    Quorum quorum: QuorumRule;
    TicketLog ticket_log: TicketLogRule;
    Echo echo: EchoRule;
    Parent parent: ParentRule;
    Proposal proposal: ProposalRule;
    Counting counting: CountingRule;
    Head head: HeadRule;
    SubroundCap subround_cap: SubroundCapRule;
}
