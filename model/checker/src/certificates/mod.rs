//! Certificates as states: a search in which a step is a whole certificate, where that is exact.
//!
//! A state is the certificates that there are, and of each honest miner the little that its next signature depends on. It has
//! four steps: just enough miners ticket a block, which is notarized; everybody goes on to the next subround; just enough miners
//! leave the round through a block and vote for it, which is final; everybody leaves the round.
//!
//! - [`kept`] keeps the whole past. It is the reference.
//! - [`rounds`] forgets the past, within the rounds and subrounds of a scenario ([`Reach::Bounded`]) or without such a bound
//!   ([`Reach::Any`]).
//! - [`expand`] turns a run of certificates into a run of named miners, and so of the specification.
//! - [`Protocol::no_certificates`](crate::protocol::Protocol::no_certificates) says which instances are supported, and why others are not. The search of steps answers
//!   for those.
//! - [`crate::scenario`] has the key `engine` that asks for it, and [`crate::search::engines`] runs it.
//!
//! It answers for S2, S3, S5, S6, W1, W2 and their premises. S3 holds by construction here, as it nearly does in the packed
//! model: a ticket needs a notarized parent. The mistake that breaks S3 is left to the search of steps.
//!
//! # Why it is exact
//!
//! All lemmas are **tested, not proved**. `tests/certificates` compares [`kept`] with the explicit specification
//! (`model/spec`) over more than 150 instances: the sets of notarized blocks with their chains, the sets of final blocks, and
//! the facts; [`rounds`] with [`kept`], state by state; and drops each precondition, to see which give a wrong set.
//!
//! Let k be the honest signatures that a certificate needs beside those of all Byzantine members.
//!
//! **Lemma 1 (presence).** Take a sorted run ([`crate::sorted`]). At the layer of (r, s), if a block of r - 1 is notarized, every
//! honest miner may be in (r, s), up to date and without a timeout there.
//! - Nothing keeps a miner in a lower round or subround: it may leave through any notarized block, and enter (r, s) with the
//!   timeouts of (r, s - 1).
//! - Timeouts of a subround come after its tickets, and forbid only those. So all miners time out once the tickets are
//!   there, which is enough for the certificate since at least a quorum of members exists. Under `Local` each miner needs its
//!   own timeout only. So neither positions nor timeouts are part of a state, and closing a subround is always possible.
//! - A beacon share signs the round only (`RoundOnly`), and all honest miners have sent theirs. So the value is known.
//! - A restart adds nothing where the log is durable: the miner is where it was, with what it signed.
//!
//! **Lemma 2 (just enough).** A signature matters only as a part of a certificate, and a miner that has not signed may do whatever
//! a miner may do that has. So leave out all tickets for blocks that are never notarized, all signers of a certificate beyond
//! the smallest set that completes it, and all votes that make nothing final. The rest is still a run, with the same
//! notarized and final blocks. Groups act together: a smallest set is one from which no group can be left out.
//!
//! **Lemma 3 (open entries).** The block through which a miner entered the round is read in one place: its own proposal extends
//! it. And a miner that votes leaves through the block that it votes for. So as long as a miner has done neither, any notarized
//! block of the round before will do, and the choice is made when it matters: in the sorted run the miner had left the
//! round through that block already, in the layer of votes, where all notarized blocks of the round were there. On the way it may
//! have cast a vote that no certificate counts here. So a state has *at most* the final blocks of the run that it stands
//! for. S5, S6 and the premise `final` can only become true by more of them; W5 and W9 can become false, and are not answered.
//!
//! **Lemma 4 (the past).** At the layer of round r these parts of the past matter:
//! - Which blocks of r - 1 are notarized, since a ticket needs one as a parent; and of each whether it descends from the last
//!   final block. Blocks that are final so far are on one chain, or S5 is broken already; a further final block is compatible
//!   with all of them if it descends from the last one. A child has the flag of its parent. So parents of one flag are alike,
//!   and so are entries of one flag.
//! - S2, W1 and W2 compare blocks of one round. So does S6: all tickets of the round come before its votes.
//! - Of a block of an earlier subround of the round: its flag, and the miners that ticketed no other block of the round. These
//!   may vote for it, as may those without a ticket. A block without such miners is *idle*; idle blocks of one flag are alike.
//!
//! Once S5 is broken a flag means: it descends from a final block of the latest round that has any. No fact but S5 reads it.
//!
//! **Lemma 5 (idle blocks).** Of the idle blocks of one flag two are enough. Take a run from a state with three of them,
//! and the same state with two. Votes for idle blocks can be renamed, so that the third is voted for last. The first such
//! vote has a rival, so S6 is shown in both; the second breaks S5 in both, and no other fact reads votes. For W2 and for the
//! flags of the next round it matters whether there is an idle block, not how many. So with `idle` of at least two, a search of
//! [`Reach::Any`] ought to find all facts of any number of rounds and subrounds. The argument is on paper, and the search is
//! seen to find the same facts with two, three and four. So its verdict says *any rounds, any subrounds, at most k idle blocks*
//! and never that it is exact.
//!
//! **Lemma 6 (specification).** A run that is found is executed by name, with the guards of the packed model and of the
//! specification, before it is shown. So the lemmas are about completeness only.

pub mod expand;
pub mod kept;
pub mod rounds;
pub mod search;
mod signers;
pub mod support;

pub use rounds::Reach;
pub use support::{Seen, answers, unanswered};
