//! The miner: one deterministic state machine without clock, socket, thread or file.
//!
//! [`Miner::step`] takes one input and appends the resulting outputs to a list. The protocol, the ten steps in their order, is in
//! one file: `steps`. A message is checked in `receive` before a step hears of it; `state` is what is held; `support` is what the
//! steps stand on; `interface` is all that a host sees.
//!
//! Beside the steps: what others may have lost is sent again while nothing moves (`resend`), missing blocks are asked for
//! (`catch_up`), offences are proved (`accuse`), and a restart continues from the log (`recover`).
//!
//! # Memory above the finalized head
//! A round need not become final by itself, even without faults, and so the number of rounds above the head has no bound: a
//! miner that stopped there would stop the chain. Memory is bounded a round instead. A miner holds the blocks of its last
//! [`Config::whole_rounds`] rounds; of an older block it holds header and certificate, about a kibibyte. The host has stored
//! the block: it is asked for it when the application has to judge it, and when it becomes final ([`Output::Load`],
//! [`FINAL_AT_ONCE`](crate::limits::FINAL_AT_ONCE) at a time), and answers peers that ask for it ([`Output::ServeStored`]). What
//! is stored is bounded a round, too, since all but `K` rounds above the named final block have empty payloads. Rules without
//! votes have no certificates to name: `K` says nothing there, and blocks stay whole.
//!
//! # What the host must do
//! - **Authenticate peers.** [`Input::Bytes`] and [`Input::Message`] name the peer at the other end of the link. A forged
//!   name cannot break safety (every signature is checked before it counts) but can waste work.
//! - **Write before send.** After [`Output::Persist`] the record must be on disk before [`Input::Persisted`] is given, and
//!   after [`Output::Store`] what it holds before [`Input::Stored`]. The miner asks for a record only when everything stored
//!   before it is confirmed: a vote in the log whose notarization is lost would silence this miner in that round, and may
//!   stop the chain.
//! - **Load what was stored.** [`Output::Load`] and [`Output::ServeStored`] name blocks that came in [`Output::Store`] or
//!   [`Output::Finalized`] before, whether or not they are durable yet. A host that cannot read one stops.
//! - **Keep order.** Outputs are carried out in their order. The log and the other storage need no order between them.
//! - **Stop when the disk refuses.** A refused or failed write or flush is never reported as [`Input::Persisted`] or
//!   [`Input::Stored`]; the node stops, and starts again from its disk.
//! - **Start anew with nothing on the way.** Confirmations and timers belong to one start of the miner; those of an earlier
//!   one are dropped with it. Should one come through all the same, a [`WriteId`] tells that it is old, and an old timer
//!   can at most end a waiting time early, which safety does not rest upon.
//! - **Give each miner the messages of its epoch.** What is signed in another one looks like a wrong signature here, and
//!   counts as its sender's fault.
//!
//! A host need not limit its peers: what one of them costs is bounded here ([`Miner::hears_now`] tells whether it is heard).
//!
//! # What a peer costs
//! A statement that has one signer is heard from that signer alone, so it counts against nobody else when it is wrong.
//! Certificates and evidence are relayed, and each relaying miner has verified them. So each wrong message proves its
//! *sender* faulty ([`Refusal::proves_sender_faulty`]), and a peer that shows too many faults, or makes too much
//! useless work, is ignored for a while. `accounts` says how much that is, and why it costs no progress; the numbers
//! are in [`limits`](crate::limits).

mod interface;
mod receive;
mod state;
mod steps;
mod support;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub use interface::{
    Audience, Config, Input, Milestone, Output, Phase, ProposalError, Recovery, Refusal, StartError, Stored,
    TicketForm, Timer, Timing, WriteId,
};

use crate::accounts::Accounts;
use crate::block::{BlockId, Digest, Time};
use crate::certified::{FinalityCertificate, Notarization, TimeoutCertificate, Verified};
use crate::chain::{CatchUp, Chain};
use crate::committee::{MinerId, Peer, Round, Subround};
use crate::crypto::scheme::Scheme;
use crate::epochs::handoff::HandoffCertificate;
use crate::message::{ChainResponse, Message, Proposal};
use crate::statement::BeaconTarget;

use state::evidence::EvidenceStore;
use state::ledger::Ledger;
use state::rounds::Rounds;
use state::signing::Signing;

/// See the module doc. A clone is cheap: blocks, certificates and rounds are shared until they change.
#[derive(Clone, Debug)]
pub struct Miner<S> {
    config: Arc<Config>,
    scheme: S,
    me: MinerId,
    round: Round,
    subround: Subround,
    phase: Phase,
    entry: Entry,
    /// The certificate by which this subround was entered, and whence it came.
    timeout_certificate: Option<(Verified<Arc<TimeoutCertificate>>, Source)>,
    /// The target that the last beacon share signed.
    shared: Option<BeaconTarget>,
    /// The subround for which a payload was asked for.
    payload_requested: Option<(Round, Subround)>,
    rounds: Rounds,
    chain: Chain,
    /// The newest finality certificate whose block cannot be finalized yet.
    pending_finality: Option<Verified<Arc<FinalityCertificate>>>,
    /// The handoff that this miner was given: its finality certificate may wait for blocks.
    handoff: Option<Arc<HandoffCertificate>>,
    /// Whether the closing block is final: the miner has told its host, and does nothing any more.
    handed_over: bool,
    ledger: Ledger,
    signing: Signing,
    evidence: EvidenceStore,
    catch_up: CatchUp,
    /// The cost of each peer.
    accounts: Accounts,
    /// Blocks that the host was asked for: [`FINAL_AT_ONCE`](crate::limits::FINAL_AT_ONCE) at most of one certificate.
    loading: Vec<BlockId>,
    /// Proposals whose parent has to be known before they can be judged: the newest of each generator.
    waiting: Vec<(Peer, Proposal)>,
    /// Whether [`Input::Start`] was given.
    started: bool,
    /// Events that follow from the input of this step; empty between steps.
    events: VecDeque<Event>,
}

/// The block of the round before through which the round was entered.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Entry {
    block: BlockId,
    subround: Subround,
    /// `None` for genesis, and for a finalized head that was recovered without its certificate.
    notarization: Option<Verified<Arc<Notarization>>>,
    source: Source,
}

/// The content of an own block; nothing by default.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Contents {
    payload: Vec<u8>,
    items: Vec<u8>,
    record: Option<Digest>,
}

/// Whom a verified fact is from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Source {
    /// This miner assembled it.
    Formed,
    /// It came in a message.
    Received(Peer),
}

/// A fact that the transition function acts upon. Everything in it is verified.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Event {
    /// The beacon value of this (round, subround) became known.
    BeaconKnown,
    /// The application made a payload.
    Payload(Round, Subround, Contents),
    /// A proposal with genuine signature and certificates.
    Proposal(Peer, Proposal),
    /// The application accepted a block of this round.
    Accepted(Round, BlockId),
    /// The collection window of a subround closed.
    WindowClosed(Round, Subround),
    /// A peer answered with these blocks, linked and notarized; whether something in the answer is new.
    CaughtUp(Peer, Arc<ChainResponse>, bool),
    /// A block is notarized.
    Notarized(Verified<Arc<Notarization>>, Source),
    /// The wait for tickets of a subround is over.
    WaitOver(Round, Subround),
    /// `f + 1` miners gave up a subround.
    Joined(Round, Subround),
    /// `q` miners gave up a subround.
    TimeoutCertified(Verified<Arc<TimeoutCertificate>>, Source),
    /// `q` miners voted a block final.
    FinalityCertified(Verified<Arc<FinalityCertificate>>, Source),
}

/// Where a step puts its outputs.
struct Effects<'a> {
    now: Time,
    out: &'a mut Vec<Output>,
}

impl Effects<'_> {
    fn broadcast(&mut self, to: Audience, message: Message) {
        self.out.push(Output::Broadcast { to, message });
    }

    fn set_timer(&mut self, timer: Timer, wait: Duration) {
        self.out.push(Output::SetTimer { timer, at: self.now + wait });
    }

    fn refuse(&mut self, from: Peer, refusal: Refusal) {
        self.out.push(Output::Refused { from, refusal });
    }

    /// Reports signers whose stored signatures turned out wrong.
    fn blame(&mut self, signers: &[MinerId]) {
        self.out.extend(signers.iter().map(|&signer| Output::Blamed(signer)));
    }

    fn milestone(&mut self, milestone: Milestone) {
        self.out.push(Output::Milestone(milestone));
    }
}

impl<S: Scheme> Miner<S> {
    /// Takes one input at time `now` and appends what has to be done to `out`. Never panics, whatever a peer sends.
    pub fn step(&mut self, now: Time, input: Input, out: &mut Vec<Output>) {
        let fx = &mut Effects { now, out };
        if self.started == matches!(input, Input::Start) || self.handed_over {
            return;
        }
        let before = fx.out.len();
        match input {
            Input::Start => self.start(fx),
            Input::Bytes { from, bytes } => {
                if !self.hears(from, fx) {
                    return;
                }
                self.receive_bytes(from, &bytes, fx);
            }
            Input::Message { from, message } => {
                if !self.hears(from, fx) {
                    return;
                }
                self.receive(from, message, fx);
            }
            Input::Payload { round, subround, payload, items, record } => {
                self.events.push_back(Event::Payload(round, subround, Contents { payload, items, record }));
            }
            Input::Validated { round, block, accepted } => self.judged(round, block, accepted, fx),
            Input::Stored(write) => self.stored(write, fx),
            Input::Loaded(block) => self.loaded(block, fx),
            Input::Persisted(write) => self.release(write, fx),
            Input::Handoff(handoff) => self.take_handoff(handoff, fx),
            Input::Timer(Timer::Window { round, subround }) => {
                self.events.push_back(Event::WindowClosed(round, subround));
            }
            Input::Timer(Timer::Wait { round, subround }) => {
                self.events.push_back(Event::WaitOver(round, subround));
            }
            Input::Timer(Timer::Resend { round, subround }) => self.resend(round, subround, fx),
            Input::Timer(Timer::CatchUp) => self.catch_up_timer(fx),
            Input::Timer(Timer::Finality { round }) => self.finalize_after_wait(round, fx),
        }
        self.run(fx);
        self.put_away(fx);
        self.charge_faults(&fx.out[before..]);
        debug_assert_eq!(self.broken_promise(), None, "in {:?}", self.here());
    }

    /// Charges for the faults that a step has shown: those of the sender of a message, and those of whose signatures were held.
    fn charge_faults(&mut self, out: &[Output]) {
        for output in out {
            match output {
                Output::Refused { from, refusal } if refusal.proves_sender_faulty() => {
                    self.accounts.fault(*from);
                }
                // It came from its signer: see `Message::may_come_from`.
                Output::Blamed(signer) => self.accounts.fault(Peer::Miner(*signer)),
                _ => {}
            }
        }
    }

    /// Acts on the facts of this step, and on those that follow from them. Ends: each fact is acted upon once, and a fact
    /// brings forth others only by moving the miner on or by using up stored messages.
    fn run(&mut self, fx: &mut Effects<'_>) {
        while let Some(event) = self.events.pop_front() {
            self.transition(event, fx);
        }
        self.watch_for_gaps(fx);
    }

    fn is_here(&self, round: Round, subround: Subround) -> bool {
        (round, subround) == (self.round, self.subround)
    }

    fn here(&self) -> (Round, Subround) {
        (self.round, self.subround)
    }
}
