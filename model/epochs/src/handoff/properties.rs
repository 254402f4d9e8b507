//! The properties of the handover (PROTOCOL.md, section 8), as questions about one state.

use super::{
    block::{BlockId, START},
    instance::Instance,
    rules::{EpochBindingRule, FinalityCapRule, MissingCommitteeRule},
    state::{Node, Record, State},
};
use serde::{Deserialize, Serialize};
use zus_protocol::ids::Epoch;

macro_rules! properties {
    ($($id:ident $text:literal;)*) => {
        /// A property of the handover, by its id.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum EpochProperty {
            $(#[doc = $text] $id,)*
        }

        impl EpochProperty {
            /// All of them.
            pub const ALL: &[EpochProperty] = &[$(EpochProperty::$id),*];

            /// Its sentence.
            pub const fn text(self) -> &'static str {
                match self { $(EpochProperty::$id => $text,)* }
            }

            /// Its id, as in PROTOCOL.md.
            pub const fn id(self) -> &'static str {
                match self { $(EpochProperty::$id => stringify!($id),)* }
            }
        }

        /// The property as Stateright has it.
        pub(super) fn condition(property: EpochProperty) -> stateright::Property<super::Exploration> {
            match property {
                $(EpochProperty::$id => {
                    let shows = |of: &super::Exploration, state: &State| of.instance.shows(state, EpochProperty::$id);
                    if property.is_witness() {
                        stateright::Property::sometimes(stringify!($id), shows)
                    } else {
                        stateright::Property::always(stringify!($id), |of, state| {
                            !of.instance.shows(state, EpochProperty::$id)
                        })
                    }
                })*
            }
        }
    };
}

properties! {
    E1 "honest nodes that know the committee of an epoch know the same one, beginning above the same block";
    E2 "a certificate of an epoch that an honest node accepts holds q signatures that members of that epoch's committee made for it";
    E3 "no two observers finalize conflicting blocks, across epochs";
    E5 "in a synchronous network the next epoch begins, and a block of it becomes final";
    E7 "a node that joins or lags ends in the right epoch, and never in a wrong one";
    E8 "a committee that turns Byzantine after its handoff changes nothing that a node which has stored the handoff, or has a checkpoint of it, holds final";
    E9 "no honest member signs two statements that convict it because it is in two committees";
    WE1 "an epoch begins: a member of the next committee signs in it";
    WE2 "an epoch begins by the certificate of a tail block, and the closing block has none of its own";
    WE4 "a member of both committees, a leaver and a joiner enter an epoch in one run";
    WE5 "a node jumps over a whole epoch in whose committee it is";
    WE6 "a node crashes between the handoff and its first signature in the new epoch, and signs in it later";
}

impl EpochProperty {
    /// Whether it is something that must be reachable, not something that must never happen.
    pub const fn is_witness(self) -> bool {
        match self {
            EpochProperty::E1
            | EpochProperty::E2
            | EpochProperty::E3
            | EpochProperty::E5
            | EpochProperty::E7
            | EpochProperty::E8
            | EpochProperty::E9 => false,
            EpochProperty::WE1
            | EpochProperty::WE2
            | EpochProperty::WE4
            | EpochProperty::WE5
            | EpochProperty::WE6 => true,
        }
    }
}

impl Instance {
    /// Whether `state` breaks the property, or reaches the witness.
    pub fn shows(&self, state: &State, property: EpochProperty) -> bool {
        match property {
            EpochProperty::E1 => self.committees_differ(state),
            EpochProperty::E2 => self.accepts_too_little(state),
            EpochProperty::E3 => self.finals_conflict(state),
            EpochProperty::E5 => self.is_end(state) && !self.went_on(state),
            EpochProperty::E7 => self.is_in_wrong_epoch(state) || self.is_left_behind(state),
            EpochProperty::E8 => state.honest().any(|node| self.lost_its_handoff(state, node)),
            EpochProperty::E9 => state.honest().any(|node| self.is_convicted(node)),
            EpochProperty::WE1 => state.nodes.iter().any(|node| self.signed_after_entry(node)),
            EpochProperty::WE2 => self.begins_by_tail(state),
            EpochProperty::WE4 => self.all_kinds_entered(state),
            EpochProperty::WE5 => self.jumped(state),
            EpochProperty::WE6 => {
                let signs = |node: &Node| node.restarted_between && self.signed_after_entry(node);
                state.nodes.iter().any(signs)
            }
        }
    }

    /// E1: two nodes entered one epoch by different handoffs.
    fn committees_differ(&self, state: &State) -> bool {
        let pairs = state.nodes.iter().enumerate();
        pairs.into_iter().any(|(at, a)| {
            state.nodes[at + 1..].iter().any(|b| a.entries.iter().zip(&b.entries).any(|(a, b)| a != b))
        })
    }

    /// Blocks of an epoch that nodes may take for blocks of the next one, since nothing but the round tells them apart: tail blocks.
    fn taken_for_next(&self) -> impl Iterator<Item = (BlockId, Epoch)> {
        let by_round = match self.rules.epoch_binding {
            EpochBindingRule::Signed | EpochBindingRule::InBlockId => false,
            EpochBindingRule::ByRound => true,
        };
        let tail = move |block: &BlockId| {
            by_round && self.block(*block).closed_by.is_some_and(|closing| closing != *block)
        };
        let with_next = |block: BlockId| (block, Epoch(self.block(block).epoch.0 + 1));
        self.above_start().filter(tail).map(with_next).filter(|(_, next)| next.0 < self.epochs)
    }

    /// Blocks of an epoch that a node judges by the committee before it, since it does not know the right one.
    fn judged_by_older(&self, state: &State) -> impl Iterator<Item = (BlockId, Epoch)> {
        let latest = match self.rules.missing_committee {
            MissingCommitteeRule::Refuse => self.has(super::fault::EpochFault::OldCommitteeInNewRounds),
            MissingCommitteeRule::Latest | MissingCommitteeRule::NearestLower => true,
        };
        let lowest = state.honest().map(Node::epoch).min().unwrap_or(Epoch(0));
        let blocks = self.above_start().filter(move |_| latest);
        blocks.map(move |block| (block, lowest)).filter(|(block, judge)| self.block(*block).epoch > *judge)
    }

    /// The blocks whose votes make a quorum for a node, each with the block that becomes final by it.
    fn finals(&self, state: &State) -> Vec<BlockId> {
        let of_epoch = self.above_start().filter(|block| self.certified(state, *block)).map(|block| {
            let closing = self.block(block).closed_by.unwrap_or(block);
            match self.rules.finality_cap {
                FinalityCapRule::ClosingBlock => closing,
                FinalityCapRule::None => block,
            }
        });
        let otherwise = self.taken_for_next().chain(self.judged_by_older(state));
        let votes = |block, judge| self.signers(state, Node::votes, block, judge);
        let mistaken = otherwise.filter(|&(block, judge)| votes(block, judge) >= self.quorum_of_votes(judge));
        of_epoch.chain(mistaken.map(|(block, _)| block)).collect()
    }

    /// E3: of two final blocks neither descends from the other.
    fn finals_conflict(&self, state: &State) -> bool {
        let finals = self.finals(state);
        let conflict = |a: BlockId, b: BlockId| !self.descends(a, b) && !self.descends(b, a);
        finals.iter().any(|&a| finals.iter().any(|&b| conflict(a, b)))
    }

    /// E2: a node takes something for a certificate that has no quorum, or not of signatures for that epoch.
    fn accepts_too_little(&self, state: &State) -> bool {
        let signed: [fn(&Node) -> super::block::Blocks; 2] = [Node::tickets, Node::votes];
        let too_few = |block: BlockId| {
            let epoch = self.block(block).epoch;
            let accepted = [self.quorum_of_nodes(epoch), self.quorum_of_votes(epoch)];
            (0..2).any(|kind| {
                let count = self.signers(state, signed[kind], block, epoch);
                count >= accepted[kind] && count < self.quorum(epoch)
            })
        };
        let mistaken = |(block, judge): (BlockId, Epoch)| {
            let accepted = [self.quorum_of_nodes(judge), self.quorum_of_votes(judge)];
            (0..2).any(|kind| {
                let right = self.signers(state, signed[kind], block, self.block(block).epoch);
                let of_its_own = right >= self.quorum(self.block(block).epoch);
                let older = judge < self.block(block).epoch;
                self.signers(state, signed[kind], block, judge) >= accepted[kind] && !(older && of_its_own)
            })
        };
        self.above_start().any(too_few)
            || state.honest().any(|node| self.is_moved_wrongly(state, node))
            || self.taken_for_next().any(mistaken)
            || self.judged_by_older(state).any(mistaken)
    }

    /// E5: every honest node is in the last epoch, and honest votes make a block of it final.
    fn went_on(&self, state: &State) -> bool {
        let last = Epoch(self.epochs - 1);
        let entered = state.nodes.iter().all(|node| node.epoch() == last);
        let is_final = |block: BlockId| {
            self.block(block).epoch == last
                && self.signers(state, Node::votes, block, last) - self.byzantine(last) >= self.quorum(last)
        };
        entered && self.above_start().any(is_final)
    }

    /// E7: a node took a record that no chain made, or a closing block beside one that is handed off.
    fn is_in_wrong_epoch(&self, state: &State) -> bool {
        let beside = |closing: BlockId| {
            let epoch = self.block(closing).epoch;
            let other = |block: &BlockId| {
                let of = self.block(*block);
                *block != closing && of.epoch == epoch && of.closed_by == Some(*block)
            };
            let handed_off = |block: BlockId| self.handed_off(state, block);
            !handed_off(closing) && self.above_start().filter(other).any(handed_off)
        };
        let wrong = |record: Record| match record {
            Record::OfChain => false,
            Record::OfNode | Record::Forged => true,
        };
        let entries = state.nodes.iter().flat_map(|node| &node.entries);
        entries.into_iter().any(|entry| wrong(entry.record) || beside(entry.closing))
    }

    /// E7: a fair run ends, and a node is in an older epoch than another one.
    fn is_left_behind(&self, state: &State) -> bool {
        let mut epochs = state.nodes.iter().map(Node::epoch);
        let first = epochs.next();
        epochs.any(|epoch| Some(epoch) != first) && self.is_end(state)
    }

    /// E8: a node entered by another handoff than the one that it had stored, or that its checkpoint has; or a block of the next committee
    /// is final that is not above it.
    fn lost_its_handoff(&self, state: &State, node: &Node) -> bool {
        let Some(kept) = node.kept else { return false };
        let Some(entry) = node.entries.first() else { return false };
        let of_next =
            |block: &BlockId| self.block(*block).epoch.0 == 1 && self.descends(*block, entry.closing);
        let mut finals = self.above_start().filter(of_next).filter(|block| self.certified(state, *block));
        *entry != kept || finals.any(|block| !self.descends(block, kept.closing))
    }

    /// E9: two statements of one member for different blocks convict it where a judge cannot tell that they are of different epochs:
    /// two tickets of one (round, subround), two votes of one round, or a vote beside a ticket of one round.
    fn is_convicted(&self, node: &Node) -> bool {
        let shows_epoch = match self.rules.epoch_binding {
            EpochBindingRule::Signed => true,
            EpochBindingRule::InBlockId | EpochBindingRule::ByRound => false,
        };
        let same_round = |a: BlockId, b: BlockId| {
            let (x, y) = (self.block(a), self.block(b));
            a != b && x.round == y.round && (x.epoch == y.epoch || !shows_epoch)
        };
        let same_subround =
            |a: BlockId, b: BlockId| same_round(a, b) && self.block(a).subround == self.block(b).subround;
        node.votes
            .iter()
            .any(|vote| node.tickets.iter().chain(node.votes.iter()).any(|signed| same_round(vote, signed)))
            || node.tickets.iter().any(|a| node.tickets.iter().any(|b| same_subround(a, b)))
    }

    /// Whether a node signed a ticket in a later epoch than the first.
    fn signed_after_entry(&self, node: &Node) -> bool {
        node.tickets.iter().any(|block| self.block(block).epoch.0 > 0)
    }

    /// WE2.
    fn begins_by_tail(&self, state: &State) -> bool {
        let mut entries = state.nodes.iter().flat_map(|node| &node.entries);
        entries.any(|entry| {
            entry.closing != START
                && !self.certified(state, entry.closing)
                && self.handed_off(state, entry.closing)
        })
    }

    /// WE4.
    fn all_kinds_entered(&self, state: &State) -> bool {
        let kinds = [[true, true], [true, false], [false, true]];
        let is = |kind: [bool; 2]| {
            let of = |(at, node): (usize, &Node)| {
                node.epoch().0 > 0 && [self.is_in(at, Epoch(0)), self.is_in(at, Epoch(1))] == kind
            };
            state.nodes.iter().enumerate().any(of)
        };
        kinds.into_iter().all(is)
    }

    /// WE5.
    fn jumped(&self, state: &State) -> bool {
        let skipped = |node: &Node, at: usize| {
            let mut signed = node.tickets.iter().chain(node.votes.iter());
            node.epoch().0 > 1
                && self.is_in(at, Epoch(1))
                && signed.all(|block| self.block(block).epoch.0 != 1)
        };
        state.nodes.iter().enumerate().any(|(at, node)| skipped(node, at))
    }
}
