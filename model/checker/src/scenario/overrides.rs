//! Rules that differ from those of a profile, or of a scenario: one field for each open question, with its place in the text.

use crate::{
    fault::Fault,
    rules::{
        BeaconRule, EchoRule, FinalityRule, ParentRule, QuorumRule, Rules, SubroundCapRule,
        SubroundEntryRule, SubroundSwitchRule, TicketLogRule, TicketRule,
    },
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

            /// The overridden rules: each with its place in the file, and `rules` with the answer of `base` to
            /// this one question.
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
    Ticket ticket: TicketRule;
    SubroundEntry subround_entry: SubroundEntryRule;
    SubroundSwitch subround_switch: SubroundSwitchRule;
    Finality finality: FinalityRule;
    Quorum quorum: QuorumRule;
    TicketLog ticket_log: TicketLogRule;
    Echo echo: EchoRule;
    Parent parent: ParentRule;
    SubroundCap subround_cap: SubroundCapRule;
}

/// How a scenario file is read otherwise than it is written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// Rules instead of its own.
    pub rules: Overrides,
    /// A mistake instead of its own, if one is named.
    pub fault: Option<Fault>,
    /// Whether settings that change nothing are passed over. They are in any case where rules or mistake are changed: the
    /// rest of the file was judged without the change.
    pub lenient: bool,
}
