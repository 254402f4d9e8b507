//! The configuration of a miner: committee, rules and waiting times.

use std::sync::Arc;
use std::time::Duration;

use super::start_error::StartError;
use crate::accounts::arrival_work;
use crate::block::{Block, Closing, Header, Time};
use crate::committee::{Committee, Round, Subround};
use crate::crypto::scheme::{BatchSeed, BeaconValue};
use crate::crypto::uncompressed::UncompressedSignature;
use crate::evidence::EvidenceRules;
use crate::limits::{
    MAX_BLOCKS_PER_GENERATOR, MAX_WAIT, MESSAGE_WORK, PAYLOAD_ROUNDS, RESENT_VOTES, WHOLE_ROUNDS,
    WORK_PER_SECOND,
};
use crate::rules::{ParentRule, Rules, SubroundCapRule};
use crate::statement::{Signed, Ticket};
use crate::synchrony::{TICKET_WAIT, WINDOW};

/// Waiting times, of whole milliseconds: a smaller part is dropped, so a time of less than one is refused. `window`, `ticket_wait`,
/// `resend` and `catch_up` are not 0 either, because each of them sets its timer again; `delta`, `clock_drift` and `answer_interval`
/// may be 0. None of the times matters for safety. Those of a subround grow with its number, so that some subround is long enough for any network that delivers at all (L1). [`Timing::DEFAULT`] is changed
/// by its `with_` methods; later versions may have more times.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Timing {
    /// How long subround 0 collects proposals (step 3); subround `s` waits `s + 1` times as long. This is the pace of the chain: a
    /// round takes at least its window, because a miner waits that long for blocks of better rank. All members use the same.
    pub window: Duration,
    /// How long subround 0 waits for a notarization after the window (step 9); grows in the same way.
    pub ticket_wait: Duration,
    /// After this long without progress a miner sends again what others may have lost. At least
    /// [`Config::least_resend`].
    pub resend: Duration,
    /// How long a missing block may still arrive by itself before it is asked for, and until another peer is asked.
    pub catch_up: Duration,
    /// The bound Δ on message delay and computing together. The rule [`TwoDelta`](crate::rules::FinalityRule::TwoDelta) waits twice
    /// as long; with votes, `window` and `ticket_wait` have to be
    /// [`WINDOW`](crate::synchrony::WINDOW) and [`TICKET_WAIT`](crate::synchrony::TICKET_WAIT) times as long.
    pub delta: Duration,
    /// How far in the future the time of a proposed block may be.
    pub clock_drift: Duration,
    /// The least time between two answers to one peer.
    pub answer_interval: Duration,
}

impl Timing {
    /// For a network with message delays of up to about a fifth of a second.
    pub const DEFAULT: Timing = Timing {
        window: Duration::from_secs(1),
        ticket_wait: Duration::from_secs(2),
        resend: Duration::from_secs(2),
        catch_up: Duration::from_millis(300),
        delta: Duration::from_millis(200),
        clock_drift: Duration::from_secs(2),
        answer_interval: Duration::from_millis(20),
    };

    /// With this `window`.
    #[must_use]
    pub const fn with_window(self, window: Duration) -> Self {
        Self { window, ..self }
    }

    /// With this `ticket_wait`.
    #[must_use]
    pub const fn with_ticket_wait(self, ticket_wait: Duration) -> Self {
        Self { ticket_wait, ..self }
    }

    /// With this `resend`.
    #[must_use]
    pub const fn with_resend(self, resend: Duration) -> Self {
        Self { resend, ..self }
    }

    /// With this `catch_up`.
    #[must_use]
    pub const fn with_catch_up(self, catch_up: Duration) -> Self {
        Self { catch_up, ..self }
    }

    /// With this `delta`.
    #[must_use]
    pub const fn with_delta(self, delta: Duration) -> Self {
        Self { delta, ..self }
    }

    /// With this `clock_drift`.
    #[must_use]
    pub const fn with_clock_drift(self, clock_drift: Duration) -> Self {
        Self { clock_drift, ..self }
    }

    /// With this `answer_interval`.
    #[must_use]
    pub const fn with_answer_interval(self, answer_interval: Duration) -> Self {
        Self { answer_interval, ..self }
    }

    /// How long after a subround was entered its collection window closes.
    #[must_use]
    pub fn window_closes(&self, subround: Subround) -> Duration {
        self.window.saturating_mul(subround.0.saturating_add(1))
    }

    /// How long after it was entered a subround is given up.
    #[must_use]
    pub fn gives_up(&self, subround: Subround) -> Duration {
        let times = subround.0.saturating_add(1);
        self.window.saturating_add(self.ticket_wait).saturating_mul(times)
    }
}

/// In which form a miner sends its tickets. It takes both.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum TicketForm {
    /// A signature of 48 bytes.
    #[default]
    Compressed,
    /// A signature of 96 bytes, which the receivers need not decode. A signature that is no point, such as one of the
    /// mock, is sent in the other form.
    Uncompressed,
}

impl TicketForm {
    /// The coordinates to send with a ticket.
    pub(crate) fn coordinates(self, ticket: &Signed<Ticket>) -> Option<UncompressedSignature> {
        match self {
            TicketForm::Compressed => None,
            TicketForm::Uncompressed => UncompressedSignature::new(ticket.signature).ok(),
        }
    }
}

/// See the module doc. [`Config::new`] makes one with defaults, and each `with_` method changes one of them; later versions may have
/// more fields.
///
/// ```
/// use std::time::Duration;
/// use zus_bpp::block::Time;
/// use zus_bpp::committee::{ChainId, Committee, Epoch};
/// use zus_bpp::crypto::scheme::BeaconValue;
/// use zus_bpp::miner::{Config, TicketForm, Timing};
/// use zus_bpp::rules::Rules;
///
/// let committee = Committee::new(ChainId([7; 32]), Epoch(1), 10, 2)?;
/// let half = Duration::from_millis(500);
/// let config = Config::new(committee, Rules::HARDENED, BeaconValue([0; 32]), Time(0))
///     .with_timing(Timing::DEFAULT.with_window(half).with_ticket_wait(half).with_delta(half / 5))
///     .with_ticket_form(TicketForm::Uncompressed);
/// config.check()?;
/// // A window that messages may outlast is refused, here and at the start.
/// assert!(config.with_timing(Timing::DEFAULT.with_window(half)).check().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The participants.
    pub committee: Committee,
    /// One choice for every open question of the protocol. Both values of `parent` are one here: a proposal is valid only if
    /// its chain extends the own finalized head. Under `Notarized` that is allowed, because a block beside a final one is never
    /// notarized (S6).
    pub rules: Rules,
    /// How many generators a subround has, `G`.
    pub generators: u16,
    /// How many rounds above the final block that it names a block may have a payload, `K`; part of the protocol: all
    /// participants must use the same number. It says something where finality takes votes only: the other rules have no
    /// certificates that a block could name.
    pub payload_rounds: u64,
    /// Rounds below the own one whose blocks stay whole in memory, at least 1; each miner chooses for itself.
    pub whole_rounds: u64,
    /// Waiting times.
    pub timing: Timing,
    /// The block that the epoch begins on: the block of round 0, of the chain and the epoch of the committee; or the closing block
    /// of the epoch before, of any round ([`Config::after`]).
    pub genesis: Arc<Block>,
    /// Whether the epoch ends: blocks may bring epoch items and close the epoch, which the host judges together with the payload
    /// (PROTOCOL.md, section 8). If not, such blocks are refused.
    pub hands_over: bool,
    /// In which form tickets are sent.
    pub ticket_form: TicketForm,
    /// With a seed, the certificates of an answer to a chain request are checked as one batch, and so are beacon shares that
    /// combine to a wrong value; `None`: one after the other.
    /// The verdicts are the same. Every participant needs a secret one of its own.
    pub batch_seed: Option<BatchSeed>,
}

impl Config {
    /// The subround whose beacon value and order of generators a subround has: its own, unless subrounds are capped.
    #[must_use]
    pub fn ordered_as(&self, subround: Subround) -> Subround {
        self.subround_cap().map_or(subround, |cap| subround.min(cap))
    }

    /// Subrounds above this one repeat its generators, and under a chained beacon its beacon value; `None`: every subround has
    /// its own.
    #[must_use]
    pub fn subround_cap(&self) -> Option<Subround> {
        match self.rules.subround_cap {
            SubroundCapRule::Unbounded => None,
            SubroundCapRule::CappedAtOne => Some(Subround(1)),
        }
    }

    /// A configuration with the default number of generators and default times. `seed` and `genesis_time` make the genesis
    /// block: all participants must use the same.
    #[must_use]
    pub fn new(committee: Committee, rules: Rules, seed: BeaconValue, genesis_time: Time) -> Self {
        Self {
            committee,
            rules,
            generators: committee.default_generators(),
            payload_rounds: PAYLOAD_ROUNDS,
            whole_rounds: WHOLE_ROUNDS,
            timing: Timing::DEFAULT,
            genesis: Arc::new(Block::genesis(committee.chain(), committee.epoch(), seed, genesis_time)),
            hands_over: false,
            ticket_form: TicketForm::default(),
            batch_seed: None,
        }
    }

    /// A configuration as [`Config::new`] makes it, for an epoch that begins on the closing block of the epoch before.
    #[must_use]
    pub fn after(committee: Committee, rules: Rules, closing: Arc<Block>) -> Self {
        let (seed, time) = (closing.header().beacon, closing.header().time);
        Self { genesis: closing, ..Self::new(committee, rules, seed, time) }
    }

    /// With epochs that end, or not.
    #[must_use]
    pub fn with_hands_over(self, hands_over: bool) -> Self {
        Self { hands_over, ..self }
    }

    /// With this number of generators a subround.
    #[must_use]
    pub fn with_generators(self, generators: u16) -> Self {
        Self { generators, ..self }
    }

    /// With this number of rounds above the named final block in which blocks may have a payload.
    #[must_use]
    pub fn with_payload_rounds(self, payload_rounds: u64) -> Self {
        Self { payload_rounds, ..self }
    }

    /// With this number of rounds whose blocks stay whole in memory.
    #[must_use]
    pub fn with_whole_rounds(self, whole_rounds: u64) -> Self {
        Self { whole_rounds, ..self }
    }

    /// With these waiting times.
    #[must_use]
    pub fn with_timing(self, timing: Timing) -> Self {
        Self { timing, ..self }
    }

    /// With tickets sent in this form.
    #[must_use]
    pub fn with_ticket_form(self, ticket_form: TicketForm) -> Self {
        Self { ticket_form, ..self }
    }

    /// With certificates and shares checked in batches under this secret seed.
    #[must_use]
    pub fn with_batch_seed(self, seed: BatchSeed) -> Self {
        Self { batch_seed: Some(seed), ..self }
    }

    /// Whether a miner or a sharder can be started with it.
    ///
    /// # Errors
    /// When the code does not have one of the rules, the genesis block is of another chain or epoch, or a setting would stop the
    /// protocol silently, let a call of the node go on for ever, or have its member muted.
    pub fn check(&self) -> Result<(), StartError> {
        self.check_rules()?;
        self.check_genesis()?;
        self.check_timing()
    }

    /// The quorum `q`.
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.committee.quorum(self.rules.quorum)
    }

    /// How many timeout votes make a miner join: one of them is honest, `f + 1`.
    #[must_use]
    pub fn join_threshold(&self) -> usize {
        self.committee.faulty() + 1
    }

    /// The rules that evidence is judged by.
    #[must_use]
    pub fn evidence_rules(&self) -> EvidenceRules<'_> {
        EvidenceRules { committee: &self.committee, quorum: self.quorum(), one_ticket: self.one_ticket() }
    }

    /// How many different blocks one miner may ticket in one (round, subround), and so how many of its tickets are kept: each
    /// of the `G` generators may have a better block than the one before, and a twin where the rule tickets twins.
    #[must_use]
    pub fn tickets_per_signer(&self) -> usize {
        let generators = usize::from(self.generators);
        match (self.rules.tickets_once(), self.rules.tickets_twins()) {
            (true, _) => 1,
            (false, false) => generators,
            (false, true) => generators * MAX_BLOCKS_PER_GENERATOR,
        }
    }

    /// Refuses rules that this code does not have. Finalized heads bind nobody here: a miner knows its own head, and not those
    /// of sharders. A handoff certificate is one of finality, so that epochs end only where finality takes votes.
    fn check_rules(&self) -> Result<(), StartError> {
        if self.hands_over && !self.rules.votes() {
            return Err(StartError::HandoverWithoutVotes);
        }
        match self.rules.parent {
            ParentRule::Notarized => Ok(()),
            ParentRule::OnFinalizedHead => Err(StartError::ParentRule),
        }
    }

    /// Refuses a first block that the other members do not have: every field of a genesis block but beacon value and time is given by
    /// the committee, and of the epoch before an epoch continues the closing block only.
    fn check_genesis(&self) -> Result<(), StartError> {
        let (chain, epoch, found) = (self.committee.chain(), self.committee.epoch(), self.genesis.header());
        let closes = match found.closing {
            Closing::Closes { .. } => true,
            Closing::Open | Closing::Tail { .. } => false,
        };
        let continues = closes && found.chain == chain && found.epoch.0.checked_add(1) == Some(epoch.0);
        if continues || self.genesis.id() == Block::genesis(chain, epoch, found.beacon, found.time).id() {
            return Ok(());
        }
        Err(StartError::OtherGenesis {
            same_chain: found.chain == chain,
            epoch: found.epoch,
            round: found.round,
            configured: epoch,
        })
    }

    /// The most work, by the accounts of its peers, that one repetition of a miner costs: of the messages of
    /// `Miner::say_again`, each as large as it can be; its block is known to them. `accounts` shows the sum.
    #[must_use]
    pub fn resend_work(&self) -> u64 {
        let certificate = arrival_work(96 + usize::from(self.committee.miners()).div_ceil(8));
        let ticket = arrival_work(match self.ticket_form {
            TicketForm::Compressed => 97,
            TicketForm::Uncompressed => 145,
        });
        let (share, timeout, votes) = (MESSAGE_WORK, MESSAGE_WORK, MESSAGE_WORK * RESENT_VOTES as u64);
        let tickets = ticket.saturating_mul(self.tickets_per_signer() as u64);
        let proposal = MESSAGE_WORK;
        (3 * certificate + share + timeout + votes + proposal).saturating_add(tickets)
    }

    /// The least [`Timing::resend`]: repetitions take half of the work at most that peers grant ([`WORK_PER_SECOND`]).
    #[must_use]
    pub fn least_resend(&self) -> Duration {
        Duration::from_millis(self.resend_work().saturating_mul(2_000).div_ceil(WORK_PER_SECOND))
    }

    /// Whether every number is one with which the protocol goes on, and the waiting times fit the budget of peers.
    fn check_timing(&self) -> Result<(), StartError> {
        let Timing { window, ticket_wait, resend, catch_up, delta, clock_drift, answer_interval } =
            self.timing;
        for (field, value, least, most) in [
            ("generators", self.generators.into(), 1, self.committee.miners().into()),
            ("whole_rounds", self.whole_rounds, 1, u64::MAX),
        ] {
            if value < least || value > most {
                return Err(StartError::Setting { field, value, least, most });
            }
        }
        let millisecond = Duration::from_millis(1);
        for (field, value, least) in [
            // A committee of one ends a round as its window closes: with a window of 0 it would never wait.
            ("timing.window", window, millisecond),
            // Waits grow by it from one subround to the next: with nothing to grow by every subround ends as its window closes.
            ("timing.ticket_wait", ticket_wait, millisecond),
            // `least_resend` is above it.
            ("timing.resend", resend, Duration::ZERO),
            // While something is missing the timer is set again as it ends.
            ("timing.catch_up", catch_up, millisecond),
            ("timing.delta", delta, Duration::ZERO),
            ("timing.clock_drift", clock_drift, Duration::ZERO),
            ("timing.answer_interval", answer_interval, Duration::ZERO),
        ] {
            if value < least || value > MAX_WAIT {
                return Err(StartError::Wait { field, value, least, most: MAX_WAIT });
            }
        }
        for (field, value) in [
            ("timing.delta", delta),
            ("timing.clock_drift", clock_drift),
            ("timing.answer_interval", answer_interval),
        ] {
            if !value.is_zero() && value < millisecond {
                return Err(StartError::WaitOfNothing { field, value });
            }
        }
        // A miner that jumps over a round casts no vote in it. Nobody does where no miner tickets before all have heard how the round
        // before ended, and where nobody times out before (PROTOCOL.md, section 4).
        let waits = [("timing.window", window, WINDOW), ("timing.ticket_wait", ticket_wait, TICKET_WAIT)];
        for (field, value, ticks) in waits {
            let least = delta.saturating_mul(ticks);
            if self.rules.votes() && value < least {
                return Err(StartError::WaitTooShort { field, value, least, delta });
            }
        }
        let (resend, least) = (self.timing.resend, self.least_resend());
        if resend < least {
            return Err(StartError::ResendTooShort { resend, least, work: self.resend_work() });
        }
        Ok(())
    }

    /// Whether a block must have an empty payload: it is more than `payload_rounds` rounds above the block that it names as
    /// final.
    #[must_use]
    pub fn must_be_empty(&self, header: &Header) -> bool {
        self.rules.votes() && header.is_beyond(self.payload_rounds, self.anchor())
    }

    /// The round of the block that the epoch begins on. Blocks of the epoch are of later rounds.
    #[must_use]
    pub fn anchor(&self) -> Round {
        self.genesis.round()
    }

    /// What a child says of the end of the epoch if it does not close it itself. The block that this epoch begins on closed the one
    /// before.
    #[must_use]
    pub fn closing_after(&self, parent: &Header) -> Closing {
        if parent.round == self.anchor() { Closing::Open } else { Closing::of_child(parent) }
    }

    /// Whether a miner signs one ticket per (round, subround) only.
    #[must_use]
    pub fn one_ticket(&self) -> bool {
        self.rules.tickets_once()
    }
}
