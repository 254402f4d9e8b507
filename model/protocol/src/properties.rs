//! The ids of the properties (PROTOCOL.md, section 5), with their sentences.
//!
//! A property that holds says nothing where its subject never comes about: S5 where no block becomes final. So each has
//! *premises*: witnesses with a name instead of a number.

use serde::{Deserialize, Serialize};

macro_rules! properties {
    ($d:tt [$($id:ident $bit:literal $text:literal;)*] [$($premise:ident $name:literal $at:literal $says:literal;)*]) => {
        /// A property, by its id.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Property {
            $(#[doc = $text] $id = $bit,)*
            $(#[doc = $says] #[serde(rename = $name)] $premise = $at,)*
        }
        impl Property {
            /// Those of PROTOCOL.md, in order.
            pub const ALL: &[Property] = &[$(Property::$id),*];
            /// The premises of others, in order.
            pub const PREMISES: &[Property] = &[$(Property::$premise),*];
            /// All of both, in order.
            pub fn every() -> impl Iterator<Item = Property> {
                Self::ALL.iter().chain(Self::PREMISES).copied()
            }
            /// Its sentence.
            pub const fn text(self) -> &'static str {
                match self { $(Property::$id => $text,)* $(Property::$premise => $says,)* }
            }
            /// Its id, as in PROTOCOL.md, or its name.
            pub const fn id(self) -> &'static str {
                match self { $(Property::$id => stringify!($id),)* $(Property::$premise => $name,)* }
            }
        }
        /// Gives the name of each [`Property`] to a macro, for code that needs one function for each.
        #[macro_export]
        macro_rules! every_property {
            ($d callback:ident) => { $d callback! { $($id)* $($premise)* } };
        }
    };
}

properties! {
    $
    [
    S1 0 "an honest miner signs at most what its ticket rule allows, across crashes too";
    S2 1 "at most one notarized block per (round, subround)";
    S3 2 "a notarized block's parent is notarized in exactly the round before";
    S4 3 "a notarized block's generator is eligible in its (round, subround)";
    S5 4 "no two observers finalize conflicting blocks";
    S6 5 "a final block is the only notarized block of its round";
    S7 6 "a finalized head never moves back or aside";
    S8 7 "a notarization holds q genuine tickets of distinct members for exactly that (round, subround, block)";
    S9 8 "two honest miners never disagree on the beacon value of a round";
    S10 9 "when S2 or S5 is broken the signed messages convict at least 2q - n miners, and never an honest one";
    S11 10 "nobody can form the beacon value of a round before an honest miner that is not exposed has sent its share for it";
    L1 11 "every round gets a notarization";
    L2 12 "the finalized head grows";
    L3 13 "honest miners end up in the same (round, subround)";
    L4 14 "a miner that is behind, or restarted, catches up";
    L5 15 "every sharder gets every final block";
    W1 16 "a notarization in subround 1 or later";
    W2 17 "two notarized blocks of one round in different subrounds";
    W3 18 "a lower-priority block wins";
    W4 19 "a miner switches subround because of a notarized block";
    W5 20 "a block becomes final through a descendant";
    W6 21 "a crash between ticket log and send, and a recovery in the same subround";
    W7 22 "an equivocating generator with both blocks ticketed by honest miners";
    W8 23 "a miner jumps over a round";
    W9 24 "a notarized round that can never become final by itself";
    W10 25 "the adversary forms the beacon value of a round, after an honest share";
    ]
    [
    Signed "signed" 32 "an honest miner signs a ticket";
    Notarized "notarized" 33 "a block is notarized";
    Child "child" 34 "a block of a later round than the first is notarized";
    Final "final" 35 "a block becomes final";
    Head "head" 36 "an observer finalizes a block";
    Beacon "beacon" 37 "two honest miners of one round know its beacon value";
    Ending "ending" 38 "a run of the good period comes to its end";
    Behind "behind" 39 "at the end of the asynchronous phase a miner is behind, or down";
    Restarted "restarted" 40 "a miner comes back after a crash";
    ]
}

impl Property {
    /// As a bit of a set.
    pub const fn bit(self) -> u64 {
        1 << self as u8
    }

    /// Whether it is something that must be reachable, not something that must never happen.
    pub const fn is_witness(self) -> bool {
        self as u8 >= Property::W1 as u8
    }

    /// Whether it is about the end of fair runs.
    pub const fn is_liveness(self) -> bool {
        self as u8 >= Property::L1 as u8 && self as u8 <= Property::L5 as u8
    }
}

impl Property {
    /// The premises: unless they are reachable, *holds* is vacuous, and so is *unreachable* of a witness.
    pub const fn premises(self) -> &'static [Property] {
        match self {
            Property::S1 | Property::W7 => &[Property::Signed],
            Property::S2
            | Property::S4
            | Property::S8
            | Property::W1
            | Property::W2
            | Property::W3
            | Property::W4
            | Property::W8
            | Property::W9 => &[Property::Notarized],
            Property::S3 => &[Property::Child],
            // Half of S10 is about conflicting final blocks.
            Property::S5 | Property::S6 | Property::S10 | Property::W5 => &[Property::Final],
            Property::S7 => &[Property::Head],
            Property::S9 | Property::W10 => &[Property::Beacon],
            Property::S11 => &[Property::W10],
            Property::L1 | Property::L2 | Property::L3 => &[Property::Ending],
            Property::L4 => &[Property::Ending, Property::Behind],
            Property::L5 => &[Property::Ending, Property::Final],
            Property::W6 => &[Property::Restarted],
            Property::Signed
            | Property::Notarized
            | Property::Child
            | Property::Final
            | Property::Head
            | Property::Beacon
            | Property::Ending
            | Property::Behind
            | Property::Restarted => &[],
        }
    }

    /// The sentence about the runs where this premise is not reachable.
    pub const fn absent(self) -> &'static str {
        match self {
            Property::Signed => "no honest miner ever signs a ticket",
            Property::Notarized => "no block is ever notarized",
            Property::Child => "no block after the first round is ever notarized",
            Property::Final => "nothing ever becomes final",
            Property::Head => "no observer ever finalizes a block",
            Property::Beacon => "no two honest miners of one round ever know its beacon value",
            Property::Ending => "no run of the good period ever comes to its end",
            Property::Behind => "no miner is ever behind when the network becomes synchronous",
            Property::Restarted => "no miner ever comes back after a crash",
            Property::W10 => "the adversary never has a beacon value",
            _ => "it never comes about",
        }
    }
}
