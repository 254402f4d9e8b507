//! One closed enum per open question of the handover (PROTOCOL.md, section 8). The first value of each is the recommended one.
//!
//! A value is looked at by an exhaustive `match` only, so that a new value does not compile until every step has decided what
//! it means. `ALL` is the list that tests walk.

use serde::{Deserialize, Serialize};

/// Declares the rules: each enum with its values and `ALL`, then the struct that has one value of each.
macro_rules! rules {
    ($($(#[$doc:meta])* $field:ident: $rule:ident {
        $($(#[$of:meta])* $value:ident $({ $(#[$inner:meta])* $number:ident: $example:literal })?,)*
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub enum $rule {
                $($(#[$of])* $value $({ $(#[$inner])* $number: u8 })?,)*
            }

            impl $rule {
                /// Every value, the recommended one first; a value with a number has one example.
                pub const ALL: &[Self] = &[$(Self::$value $({ $number: $example })?),*];
            }
        )*

        /// A value of each rule of the handover.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct EpochRules {
            $($(#[$doc])* pub $field: $rule,)*
        }

        impl EpochRules {
            /// The recommended rules: the first value of each.
            pub const HARDENED: EpochRules = EpochRules { $($field: $rule::ALL[0]),* };

            /// Whether these are the recommended rules.
            #[must_use]
            pub fn is_hardened(&self) -> bool {
                *self == Self::HARDENED
            }

            /// These rules with one of them changed, under the name of the change: every other value of every rule.
            pub fn changes(self) -> Vec<(String, EpochRules)> {
                let mut changes = Vec::new();
                $(for &$field in &$rule::ALL[1..] {
                    let name = format!("{} = {:?}", stringify!($field), $field);
                    changes.push((name, EpochRules { $field, ..self }));
                })*
                changes
            }
        }
    };
}

rules! {
    /// The evidence by which a node takes the record of the next epoch.
    epoch_source: EpochSourceRule {
        /// The closing block is final: the handoff certificate.
        Finalized,
        /// The closing block is notarized, and a block on it is, too; it is never undone (deployed; VC1).
        Candidate,
        /// The closing block is notarized.
        Notarized,
        /// A single sharder says so, and the greatest starting round wins (VC4).
        AnySharder,
    }
    /// The moment at which a member of the next committee begins.
    activation: ActivationRule {
        /// When it has taken the record.
        AfterHandoff,
        /// When it has left the round that is so many rounds above the closing block of its own branch, final or not (deployed: 4;
        /// VC11).
        Offset {
            /// Rounds above the closing block.
            rounds: 0
        },
    }
    /// The committee that judges a message of an epoch that the node does not know.
    missing_committee: MissingCommitteeRule {
        /// None: the message waits, or is dropped.
        Refuse,
        /// The latest committee that the node knows (deployed; VC5).
        Latest,
        /// The committee with the nearest lower number (deployed). Between two neighbouring epochs it is the latest one.
        NearestLower,
    }
    /// Whether a signature belongs to one epoch.
    epoch_binding: EpochBindingRule {
        /// The epoch is signed, and a block id commits to it.
        Signed,
        /// The block id commits to it, and the signature does not show it (VC7).
        InBlockId,
        /// Neither: the epoch follows from the round (deployed; VC7 and VC8).
        ByRound,
    }
    /// The tickets or votes that a handoff needs.
    handoff_proof: HandoffProofRule {
        /// A quorum of the committee before.
        QuorumOfPrevious,
        /// Any number of genuine ones of its members, none included (deployed; VC2).
        AnyTickets,
        /// None: the record only names the digest of the record before.
        LinkOnly,
    }
    /// The block that a finality certificate of e makes final when it is for the closing block or for a tail block.
    finality_cap: FinalityCapRule {
        /// The closing block, and nothing above it.
        ClosingBlock,
        /// The block that it is for (VC40).
        None,
    }
    /// The contents of blocks above the closing block.
    tail: TailRule {
        /// No payload and no epoch items.
        Empty,
        /// As of any block. While finality is capped they never become final, so this breaks no property here.
        Normal,
    }
    /// The number of members that the quorum of the next committee is computed from.
    thresholds: ThresholdsRule {
        /// That of the next committee.
        OfNewCommittee,
        /// That of the committee before (deployed; VC15).
        OfOldCommittee,
    }
    /// Whether members of the old committee go on answering.
    old_committee: OldCommitteeRule {
        /// Each holder of the handoff certificate answers messages of e with it.
        ServesUntilFinal,
        /// A member of the old committee that has taken the handoff answers nothing any more (VC39).
        Stops,
    }
    /// Whether a member of both committees has one log for both epochs.
    log_scope: LogScopeRule {
        /// A log for each epoch: neither bars the other.
        PerEpoch,
        /// One log: a vote in a round of e bars the round of that number in e+1.
        Shared,
    }
}
