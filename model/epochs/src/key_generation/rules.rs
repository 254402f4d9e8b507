//! One closed enum per open question of the key generation. The first value of each is the recommended one.

use serde::{Deserialize, Serialize};

/// Declares the rules, each with its values, and the struct that holds one of each.
macro_rules! rules {
    ($($(#[$doc:meta])* $field:ident: $rule:ident { $(#[$first_doc:meta])* $first:ident, $($(#[$value_doc:meta])* $value:ident,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
            pub enum $rule { $(#[$first_doc])* $first, $($(#[$value_doc])* $value,)* }

            impl $rule {
                /// Every value, the recommended one first.
                pub const ALL: &[$rule] = &[$rule::$first, $($rule::$value),*];
            }
        )*

        /// A choice for every open question of the key generation.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct KeyRules { $($(#[$doc])* pub $field: $rule,)* }

        impl KeyRules {
            /// The choices that this project recommends.
            pub const HARDENED: KeyRules = KeyRules { $($field: $rule::$first),* };

            /// These rules with one of them changed, under the name of the change: every other value of every rule.
            pub fn changes(self) -> Vec<(String, KeyRules)> {
                let mut changes = Vec::new();
                $(for &$field in $rule::ALL.iter().filter(|value| **value != self.$field) {
                    changes.push((format!("{} = {:?}", stringify!($field), $field), KeyRules { $field, ..self }));
                })*
                changes
            }
        }
    };
}

rules! {
    /// How many ready statements complete a record.
    ready: ReadyRule {
        /// `q` of the new committee.
        QuorumOfNew,
        /// `ceil(0.66 n)` of the new committee (deployed).
        KPercent,
        /// All members.
        All,
        /// None: the record is complete at the settlement deadline.
        None,
    }
    /// When the key share of a member is durable.
    ready_durability: ReadyDurabilityRule {
        /// Before the ready statement leaves.
        BeforeStatement,
        /// At some time after the ready statement has left; the secrets of the attempt may be erased before.
        AfterStatement,
    }
    /// The dealings that count for the key.
    qualified: QualifiedRule {
        /// Those of all qualified dealers.
        AllOfQualified,
        /// Those of the first `t` qualified dealers that a member has shares of (deployed).
        ThresholdDealers,
    }
    /// The signed content of a receipt.
    receipt: ReceiptRule {
        /// Epoch, attempt, dealer, digest of the dealing, recipient.
        OfDealing,
        /// The same without the digest of the dealing.
        EpochAttemptDealerRecipient,
        /// The hash of a share (deployed). Nobody but the recipient can say whose share it is: a receipt for any share counts.
        ShareHash,
    }
    /// The chains on which a member acts.
    acts_on: ActsOnRule {
        /// The final chain of the present epoch.
        FinalChain,
        /// Each notarized chain.
        NotarizedChain,
    }
    /// The committee whose size gives the thresholds.
    thresholds: ThresholdsRule {
        /// The new committee.
        OfNewCommittee,
        /// The present committee (deployed).
        OfOldCommittee,
    }
    /// How one attempt is told from the next one.
    attempts: AttemptsRule {
        /// Everything that is signed has the number of its attempt.
        Numbered,
        /// Nothing has: a new attempt begins without a trace on the chain (deployed).
        Silent,
    }
}
