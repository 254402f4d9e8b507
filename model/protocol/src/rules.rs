//! One closed enum per open question of the protocol (PROTOCOL.md, section 3), and the three profiles.
//!
//! A rule is a choice that somebody could make. Mistakes that exist only to be caught are no rules: the specification has
//! them as `Fault`.
//!
//! Each enum lists its values in `ALL`, which tests and tools walk. Its predicates are the definition of a value. The choice
//! that a rule is about (which ticket, which final block) is made in the step of the specification and in that of the code by a
//! `match` each; all that judges these two uses the predicates, and steps use those that are about another question.

use std::{fmt, sync::LazyLock};

use crate::ids::Rank;
use serde::{Deserialize, Serialize};

/// The message that the beacon signs (step 1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum BeaconRule {
    /// Round, subround and the seed of the notarized block that the miner adopted.
    Chained,
    /// Epoch and round; the order of a subround is a hash of that value and the subround.
    RoundOnly,
}

/// Parents that a proposal may have when it is ticketed (step 4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ParentRule {
    /// A parent notarized in exactly the round before.
    #[default]
    Notarized,
    /// The same, and its chain extends the finalized heads: observers' heads, which in a synchronous network every
    /// miner knows. (Without observers nobody is bound: a miner may always not know of a final block yet.)
    OnFinalizedHead,
}

/// How many tickets a miner signs in one (round, subround) (step 5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum TicketRule {
    /// At most one.
    OncePerSubround,
    /// Another one for each block of a better rank than all before, until a notarization is known.
    BetterRank,
    /// The same for each block at least as good (deployed: the equivocator's twin is signed too; mutant 35).
    BetterOrEqualRank,
}

/// Whether signatures are on disk before they leave (step 5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum TicketLogRule {
    /// Written and flushed first.
    Durable,
    /// Kept in memory only: a restart forgets them (mutant A2).
    Volatile,
}

/// How many tickets make a notarization (step 6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum QuorumRule {
    /// `n - f`, with `f = floor((n - 1) / 3)`.
    ByzantineMajority,
    /// `ceil(0.66 n)` (deployed; mutant 37).
    Percent66,
}

/// Whether a received certificate is relayed (step 7).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum EchoRule {
    /// Every certificate that makes a miner move is relayed once.
    Certificates,
    /// Nothing is relayed (deployed).
    None,
}

/// The effect of a notarized block of another subround on a miner (step 8).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SubroundSwitchRule {
    /// The first notarized block that arrived fixes subround and seed (deployed; mutant 9).
    FirstArrival,
    /// The miner changes its subround, and with it the seed of the next round, to match.
    Adopt,
}

/// Conditions under which a miner enters the next subround (step 9).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SubroundEntryRule {
    /// Its own timeout.
    Local,
    /// A certificate of q timeout votes, joined at f + 1.
    Certificate,
}

/// How far subrounds count (step 9).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SubroundCapRule {
    /// Every subround has generators of its own.
    #[default]
    Unbounded,
    /// Later subrounds repeat the generators of subround 1 (deployed; mutant 15).
    CappedAtOne,
}

/// When a block is final (step 10).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum FinalityRule {
    /// As soon as it is notarized, with all its ancestors (mutant 2).
    TwoThirds,
    /// When the locally known notarized tips meet in it, `depth` rounds below them; no wait (mutants 3 and 5: 0 and 1).
    CommonAncestor {
        /// Rounds between the tips and the block.
        depth: u8,
    },
    /// When the notarized blocks of a round that are known after a wait of 2Δ meet in it.
    TwoDelta,
    /// When q miners cast a finality vote for it; a miner votes if it ticketed nothing else in the round.
    Votes,
}

/// Every value of each rule, once: a test compares them with the page. `CommonAncestor` comes with two depths.
macro_rules! every_value {
    ($($rule:ident: $($value:ident $({ $field:ident: $number:literal })?),*;)*) => {$(
        impl $rule {
            /// Every value; of `CommonAncestor` two.
            pub const ALL: &[Self] = &[$(Self::$value $({ $field: $number })?),*];
        }

        /// The value with its numbers: `TwoThirds`, `CommonAncestor 1`.
        impl fmt::Display for $rule {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let debug = format!("{self:?}");
                let words = debug.split(|c: char| !c.is_alphanumeric());
                let kept: Vec<&str> = words.filter(|word| !word.is_empty() && !word.starts_with(char::is_lowercase)).collect();
                f.write_str(&kept.join(" "))
            }
        }
    )*};
}

every_value! {
    BeaconRule: Chained, RoundOnly;
    SubroundSwitchRule: FirstArrival, Adopt;
    TicketRule: OncePerSubround, BetterRank, BetterOrEqualRank;
    SubroundEntryRule: Local, Certificate;
    FinalityRule: TwoThirds, CommonAncestor { depth: 1 }, CommonAncestor { depth: 2 }, TwoDelta, Votes;
    QuorumRule: ByzantineMajority, Percent66;
    TicketLogRule: Durable, Volatile;
    EchoRule: Certificates, None;
    ParentRule: Notarized, OnFinalizedHead;
    SubroundCapRule: Unbounded, CappedAtOne;
}

impl TicketRule {
    /// Whether a miner may ticket a block of rank `then` in a subround in which it ticketed other blocks, of the ranks `before`.
    #[inline]
    pub fn allows(self, before: impl IntoIterator<Item = Rank>, then: Rank) -> bool {
        let mut before = before.into_iter();
        match self {
            TicketRule::OncePerSubround => before.next().is_none(),
            TicketRule::BetterRank => before.all(|rank| then < rank),
            TicketRule::BetterOrEqualRank => before.all(|rank| then <= rank),
        }
    }

    /// Whether a miner may ticket all these blocks of one subround, named by their ranks, in some order. Steps: at most the
    /// factorial of their number; where the rule allows one after the other, their number.
    pub fn allows_all(self, ranks: &[Rank]) -> bool {
        ranks.is_empty()
            || (0..ranks.len()).any(|last| {
                let others = [&ranks[..last], &ranks[last + 1..]].concat();
                self.allows(others.iter().copied(), ranks[last]) && self.allows_all(&others)
            })
    }

    /// Whether it allows whatever blocks of one subround a miner tickets, so that no tickets are against it. It is tried with three
    /// blocks of three ranks.
    pub fn allows_anything(self) -> bool {
        let ranks = || (0..3).map(Rank);
        ranks().all(|a| ranks().all(|b| ranks().all(|c| self.allows_all(&[a, b, c]))))
    }

    /// The block that a miner may ticket beside another one of its subround, in words.
    pub const fn another(self) -> &'static str {
        match self {
            TicketRule::OncePerSubround => "no other block",
            TicketRule::BetterRank => "a block of a better rank",
            TicketRule::BetterOrEqualRank => "a block of the same or a better rank",
        }
    }
}

impl FinalityRule {
    /// How many rounds the notarized block that makes a block final is above it; none if finality votes make it final.
    pub const fn depth(self) -> Option<u8> {
        match self {
            FinalityRule::TwoThirds | FinalityRule::TwoDelta => Some(0),
            FinalityRule::CommonAncestor { depth } => Some(depth),
            FinalityRule::Votes => None,
        }
    }

    /// The rule in words, as a report says why a block is final.
    pub fn sentence(self) -> String {
        match self {
            FinalityRule::TwoThirds => "the rule TwoThirds takes every notarized block as final".into(),
            FinalityRule::CommonAncestor { depth } => {
                let rounds = if depth == 1 { "round" } else { "rounds" };
                format!(
                    "the rule CommonAncestor takes as final what all tips that one knows have in common {depth} {rounds} down, \
                     and does not wait for tips that one does not know"
                )
            }
            FinalityRule::TwoDelta => {
                "the rule TwoDelta waits twice the delay, and then goes by the tips that one knows".into()
            }
            FinalityRule::Votes => "q finality votes make a block final".into(),
        }
    }
}

/// Whether a ticket rule allows no ticket after another one. Ranks 0 to 2 in every order are enough for a rule that asks which of
/// the two ranks is better, and whether one of them is rank 0: they have each order with rank 0, and each without.
fn never_after_another(allows: impl Fn(Rank, Rank) -> bool) -> bool {
    let ranks = || (0..3).map(Rank);
    ranks().all(|before| ranks().all(|then| !allows(before, then)))
}

/// A choice for every open question, in the order of the steps.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Step 1.
    pub beacon: BeaconRule,
    /// Step 5.
    pub ticket: TicketRule,
    /// Step 9.
    pub subround_entry: SubroundEntryRule,
    /// Step 8.
    pub subround_switch: SubroundSwitchRule,
    /// Step 10.
    pub finality: FinalityRule,
    /// Step 6.
    pub quorum: QuorumRule,
    /// Step 5.
    pub ticket_log: TicketLogRule,
    /// Step 7.
    pub echo: EchoRule,
    /// Step 4.
    #[serde(default)]
    pub parent: ParentRule,
    /// Step 9.
    #[serde(default)]
    pub subround_cap: SubroundCapRule,
}

impl Rules {
    /// The public page, taken literally.
    pub const DOCUMENTED: Rules = Rules {
        beacon: BeaconRule::Chained,
        ticket: TicketRule::OncePerSubround,
        subround_entry: SubroundEntryRule::Local,
        subround_switch: SubroundSwitchRule::Adopt,
        finality: FinalityRule::TwoThirds,
        quorum: QuorumRule::ByzantineMajority,
        ticket_log: TicketLogRule::Volatile,
        echo: EchoRule::None,
        parent: ParentRule::Notarized,
        subround_cap: SubroundCapRule::Unbounded,
    };

    /// The Go node as deployed.
    pub const DEPLOYED: Rules = Rules {
        ticket: TicketRule::BetterOrEqualRank,
        subround_switch: SubroundSwitchRule::FirstArrival,
        finality: FinalityRule::CommonAncestor { depth: 3 },
        quorum: QuorumRule::Percent66,
        subround_cap: SubroundCapRule::CappedAtOne,
        ..Rules::DOCUMENTED
    };

    /// The profile that this project recommends and proves.
    pub const HARDENED: Rules = Rules {
        beacon: BeaconRule::RoundOnly,
        subround_entry: SubroundEntryRule::Certificate,
        finality: FinalityRule::Votes,
        ticket_log: TicketLogRule::Durable,
        echo: EchoRule::Certificates,
        ..Rules::DOCUMENTED
    };

    /// The profiles, by name.
    pub const PROFILES: [(&str, Rules); 3] =
        [("documented", Rules::DOCUMENTED), ("deployed", Rules::DEPLOYED), ("hardened", Rules::HARDENED)];

    /// The profile of that name, if there is one.
    pub fn profile(name: &str) -> Option<Rules> {
        Rules::PROFILES.into_iter().find(|(known, _)| *known == name).map(|(_, rules)| rules)
    }

    /// These rules with one of them changed, under the name of the change (`finality = CommonAncestor 1`): every other value of
    /// every rule.
    pub fn changes(self) -> Vec<(String, Rules)> {
        let mut changes = Vec::new();
        macro_rules! change {
            ($($rule:ident: $of:ident,)*) => {
                let Rules { $($rule: _),* } = self;
                $(for &$rule in $of::ALL.iter().filter(|value| **value != self.$rule) {
                    changes.push((format!("{} = {}", stringify!($rule), $rule), Rules { $rule, ..self }));
                })*
            };
        }
        change! {
            beacon: BeaconRule,
            subround_switch: SubroundSwitchRule,
            ticket: TicketRule,
            subround_entry: SubroundEntryRule,
            finality: FinalityRule,
            quorum: QuorumRule,
            ticket_log: TicketLogRule,
            echo: EchoRule,
            parent: ParentRule,
            subround_cap: SubroundCapRule,
        }
        changes
    }

    /// Whether the beacon message, and so the order of generators, depends on the notarized block that was adopted.
    pub const fn chained(&self) -> bool {
        match self.beacon {
            BeaconRule::Chained => true,
            BeaconRule::RoundOnly => false,
        }
    }

    /// Whether a miner signs one ticket in a subround at most.
    #[inline]
    pub fn tickets_once(&self) -> bool {
        // A search asks this of every state, so each value is judged once.
        static ONCE: LazyLock<[bool; TicketRule::ALL.len()]> = LazyLock::new(|| {
            let mut once = [false; TicketRule::ALL.len()];
            for &rule in TicketRule::ALL {
                once[rule as usize] = never_after_another(|before, then| rule.allows([before], then));
            }
            once
        });
        ONCE[self.ticket as usize]
    }

    /// Whether a second block of the same rank can be ticketed: the twin of an equivocating generator.
    pub fn tickets_twins(&self) -> bool {
        self.ticket.allows([Rank(0)], Rank(0))
    }

    /// Whether the own timeout lets a miner enter the next subround, without a certificate of others.
    pub const fn enters_alone(&self) -> bool {
        match self.subround_entry {
            SubroundEntryRule::Local => true,
            SubroundEntryRule::Certificate => false,
        }
    }

    /// Whether a miner changes to another notarized block of the round before.
    pub const fn adopts(&self) -> bool {
        match self.subround_switch {
            SubroundSwitchRule::Adopt => true,
            SubroundSwitchRule::FirstArrival => false,
        }
    }

    /// Whether miners cast finality votes, and a block is final by them.
    pub const fn votes(&self) -> bool {
        self.finality.depth().is_none()
    }

    /// Whether an observer waits 2Δ before it evaluates a round.
    pub const fn waits_before_finality(&self) -> bool {
        match self.finality {
            FinalityRule::TwoDelta => true,
            FinalityRule::TwoThirds | FinalityRule::CommonAncestor { .. } | FinalityRule::Votes => false,
        }
    }

    /// Whether a signature leaves only after its record was written and flushed.
    pub const fn is_durable(&self) -> bool {
        match self.ticket_log {
            TicketLogRule::Durable => true,
            TicketLogRule::Volatile => false,
        }
    }

    /// Whether certificates are relayed.
    pub const fn relays(&self) -> bool {
        match self.echo {
            EchoRule::Certificates => true,
            EchoRule::None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_ticket_is_noticed_whatever_its_rank() {
        type Allows = fn(u16, u16) -> bool;
        let rules: [(&str, Allows); 7] = [
            ("a better rank", |before, then| then < before),
            ("a worse rank", |before, then| then > before),
            ("an equal rank", |before, then| then == before),
            ("an equal rank that is not the best", |before, then| then == before && then > 0),
            ("a better rank that is not the best", |before, then| then < before && then > 0),
            ("a worse rank, not after the best", |before, then| then > before && before > 0),
            ("any rank after the best", |before, _| before == 0),
        ];
        for (name, allows) in rules {
            assert!(!never_after_another(|before, then| allows(before.0, then.0)), "{name}");
        }
        assert!(never_after_another(|_, _| false));
        let once = |&ticket: &TicketRule| Rules { ticket, ..Rules::HARDENED }.tickets_once();
        let of_all: Vec<TicketRule> = TicketRule::ALL.iter().copied().filter(once).collect();
        assert_eq!(of_all, [TicketRule::OncePerSubround]);
    }

    #[test]
    fn the_tickets_of_a_subround_are_judged_together_in_any_order() {
        let judged = |rule: TicketRule, ranks: &[u16]| {
            rule.allows_all(&ranks.iter().copied().map(Rank).collect::<Vec<_>>())
        };
        for (ranks, once, better, equal) in [
            (&[][..], true, true, true),
            (&[3], true, true, true),
            (&[0, 1], false, true, true),
            (&[1, 0, 2], false, true, true),
            (&[1, 1], false, false, true),
            (&[0, 1, 1], false, false, true),
        ] {
            assert_eq!(judged(TicketRule::OncePerSubround, ranks), once, "{ranks:?}");
            assert_eq!(judged(TicketRule::BetterRank, ranks), better, "{ranks:?}");
            assert_eq!(judged(TicketRule::BetterOrEqualRank, ranks), equal, "{ranks:?}");
        }
        let anything: Vec<TicketRule> =
            TicketRule::ALL.iter().copied().filter(|rule| rule.allows_anything()).collect();
        assert_eq!(anything, [TicketRule::BetterOrEqualRank]);
    }
}
