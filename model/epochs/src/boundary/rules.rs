//! The rules of the boundary as the deployed node has them, and the changes under which the verdicts are others. The first value of each
//! is the deployed one.

use serde::{Deserialize, Serialize};

/// Declares the rules: each enum with its values and `ALL`, then the struct that has one value of each.
macro_rules! rules {
    ($($(#[$doc:meta])* $field:ident: $rule:ident { $($(#[$of:meta])* $value:ident,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
            pub enum $rule { $($(#[$of])* $value,)* }

            impl $rule {
                /// Every value, the deployed one first.
                pub const ALL: &[Self] = &[$(Self::$value),*];
            }
        )*

        /// A value of each rule of the boundary.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct BoundaryRules { $($(#[$doc])* pub $field: $rule,)* }

        impl BoundaryRules {
            /// The deployed rules: the first value of each.
            pub const DEPLOYED: BoundaryRules = BoundaryRules { $($field: $rule::ALL[0]),* };

            /// These rules with one of them changed, under the name of the change: every other value of every rule.
            pub fn changes(self) -> Vec<(String, BoundaryRules)> {
                let mut changes = Vec::new();
                $(for &$field in &$rule::ALL[1..] {
                    let name = format!("{} = {:?}", stringify!($field), $field);
                    changes.push((name, BoundaryRules { $field, ..self }));
                })*
                changes
            }
        }
    };
}

rules! {
    /// The moment at which a miner evaluates a round: it takes the common ancestor of the tips that it knows there for final.
    evaluation: EvaluationRule {
        /// Some time after the first tip is known. A second tip may come before.
        Deferred,
        /// When the first tip is known.
        Immediate,
    }
    /// The thing that must be equal in a block of `SR + 4` and in the miner that accepts it.
    guard: GuardRule {
        /// The hash of the block of `SR` that brought the record.
        BlockHash,
        /// The hash of the record itself. Both branches have the same record.
        RecordHash,
        /// Nothing, and no record is needed.
        Nothing,
    }
    /// The effect of a later final block of `SR` with the record that the miner has already.
    same_record: SameRecordRule {
        /// None: the record is known.
        ReturnsEarly,
        /// The miner takes the hash of the later block.
        Replaces,
    }
    /// The origin of the record of a miner.
    record_from: RecordFromRule {
        /// Its own finality.
        OwnFinality,
        /// Its own finality, or a sharder for which branch A is final.
        Sharder,
    }
    /// The generators of the two tips of a round.
    tips: TipsRule {
        /// Two generators of different rank. A miner that signed a ticket for the worse one may sign one for the better one.
        OfTwoRanks,
        /// Blocks of one rank: a miner signs one ticket in a round.
        OfOneRank,
    }
}
