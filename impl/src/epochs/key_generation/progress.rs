//! The public side of the key generation: a fold over the blocks of one branch.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::error::{ItemError, ItemRefused};
use super::plan::Plan;
use crate::block::Digest;
use crate::committee::{MinerId, Round};
use crate::crypto::dkg::{Attempt, Ready, Registration, Session, Transcript};
use crate::crypto::polynomial::Commitments;
use crate::epochs::item::{self, EpochItem, Item, ItemKind};
use crate::epochs::record::{Record, RecordContent};
use crate::limits::{MAX_EPOCH_ITEMS, MAX_EPOCH_ITEMS_BYTES};

const ITEMS_TAG: &[u8; 16] = b"zus/dkg-items/v1";

/// The phase that the next block of a branch is in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Before the first attempt.
    Waiting,
    /// Registrations count.
    Registering,
    /// Dealings count.
    Dealing,
    /// Settlements count.
    Settling,
    /// Ready statements count.
    Readying,
    /// The record is complete: the block is of the tail.
    Complete,
}

/// Whether an item changes something on its branch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Taken {
    /// It counts.
    Counts,
    /// It is late, early, known, of another attempt or for another record.
    Nothing,
}

/// The state of the key generation after the blocks of a branch. A clone shares the large parts: one for each block that is not final is cheap.
#[derive(Clone, Debug)]
pub struct Progress {
    plan: Arc<Plan>,
    next: Round,
    attempt: Attempt,
    phase: Phase,
    /// The last round of the phase.
    ends: Round,
    /// The latest registration of each member, over all attempts.
    registrations: Arc<Vec<Option<Registration>>>,
    /// The dealings and settlements of this attempt; `None` before the phase of dealings.
    transcript: Option<Arc<Transcript>>,
    /// The record that ready statements name; `None` before their phase.
    candidate: Option<Arc<Record>>,
    /// The members that are ready.
    ready: Arc<BTreeSet<MinerId>>,
}

impl Progress {
    /// The state after the first block of the present epoch's chain, or its anchor, which is of round `anchor` and has no items.
    #[must_use]
    pub fn begin(plan: Arc<Plan>, anchor: Round) -> Self {
        let members = plan.members().len();
        let first = Round(plan.first().0.max(anchor.next().0));
        let mut progress = Self {
            next: anchor.next(),
            attempt: Attempt(0),
            phase: Phase::Waiting,
            ends: first.previous().unwrap_or(anchor),
            registrations: Arc::new(vec![None; members]),
            transcript: None,
            candidate: None,
            ready: Arc::default(),
            plan,
        };
        if progress.next > progress.ends {
            progress.enter(Phase::Registering);
        }
        progress
    }

    /// The state after the block of `round` with these items on this branch.
    ///
    /// # Errors
    /// [`ItemError`]: the block is invalid on this branch. An honest generator does not make such a block
    /// ([`Progress::select`]).
    pub fn after(&self, round: Round, items: &[u8]) -> Result<Self, ItemError> {
        if round != self.next {
            return Err(ItemError::Round { found: round, expected: self.next });
        }
        if self.phase == Phase::Complete && !items.is_empty() {
            return Err(ItemError::Tail);
        }
        let mut after = self.clone();
        for (index, item) in item::decode(items)?.into_iter().enumerate() {
            let (_, sender) = item.header();
            after.take(item).map_err(|reason| ItemError::Refused {
                index,
                kind: item.kind,
                sender,
                reason,
            })?;
        }
        after.next = round.next();
        if round >= after.ends {
            after.pass_deadline();
        }
        Ok(after)
    }

    /// The items among `offered` that count in the next block of this branch, encoded for it; as many as fit, in the order given.
    #[must_use]
    pub fn select<'a>(&self, offered: impl IntoIterator<Item = &'a EpochItem>) -> Vec<u8> {
        if self.phase == Phase::Complete {
            return Vec::new();
        }
        let (mut after, mut bytes) = (self.clone(), 0);
        let mut chosen = Vec::new();
        for item in offered {
            let item = item.as_item();
            let with = bytes + item::encoded_bytes(item);
            if chosen.len() == MAX_EPOCH_ITEMS || with > MAX_EPOCH_ITEMS_BYTES {
                continue;
            }
            if after.take(item) == Ok(Taken::Counts) {
                bytes = with;
                chosen.push(item);
            }
        }
        item::encode(chosen)
    }

    /// Whether an item counts in the next block of this branch: no, if it is late, early, known or of another attempt.
    ///
    /// # Errors
    /// [`ItemRefused`]: the item would make the block invalid.
    pub fn counts(&self, item: Item<'_>) -> Result<bool, ItemRefused> {
        self.clone().take(item).map(|taken| taken == Taken::Counts)
    }

    /// The plan, fixed before.
    #[must_use]
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The round of the next block.
    #[must_use]
    pub const fn next_round(&self) -> Round {
        self.next
    }

    /// The attempt that the next block is in.
    #[must_use]
    pub const fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// The phase that the next block is in.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// The last round of this phase.
    #[must_use]
    pub const fn ends(&self) -> Round {
        self.ends
    }

    /// The latest registration of a member.
    #[must_use]
    pub fn registration(&self, member: MinerId) -> Option<&Registration> {
        self.registrations.get(usize::from(member.0))?.as_ref()
    }

    /// The session of this attempt; `None` before the phase of dealings, which fixes who has an encryption key.
    #[must_use]
    pub fn session(&self) -> Option<&Arc<Session>> {
        self.transcript.as_deref().map(Transcript::session)
    }

    /// The dealings and settlements of this attempt; `None` before the phase of dealings.
    #[must_use]
    pub const fn transcript(&self) -> Option<&Arc<Transcript>> {
        self.transcript.as_ref()
    }

    /// The record for which ready statements count; `None` before their phase.
    #[must_use]
    pub const fn candidate(&self) -> Option<&Arc<Record>> {
        self.candidate.as_ref()
    }

    /// Whether the ready statement of a member is on this branch.
    #[must_use]
    pub fn is_ready(&self, member: MinerId) -> bool {
        self.ready.contains(&member)
    }

    /// The record of the next committee, once it is complete: the block that completes it is the closing block.
    #[must_use]
    pub fn record(&self) -> Option<&Arc<Record>> {
        self.candidate.as_ref().filter(|_| self.phase == Phase::Complete)
    }

    /// Takes an item, cheapest check first.
    fn take(&mut self, item: Item<'_>) -> Result<Taken, ItemRefused> {
        let (attempt, sender) = item.header();
        let members = self.plan.members().len();
        if usize::from(sender.0) >= members {
            return Err(ItemRefused::Stranger { members });
        }
        if attempt != self.attempt {
            return Ok(Taken::Nothing);
        }
        match (item.kind, self.phase) {
            (ItemKind::Registration, Phase::Registering) => self.take_registration(sender, item.bytes),
            (ItemKind::Dealing, Phase::Dealing) => self.take_dealing(sender, item.bytes),
            (ItemKind::Settlement, Phase::Settling) => self.take_settlement(sender, item.bytes),
            (ItemKind::Ready, Phase::Readying) => self.take_ready(item.bytes),
            (
                ItemKind::Registration | ItemKind::Dealing | ItemKind::Settlement | ItemKind::Ready,
                Phase::Waiting
                | Phase::Registering
                | Phase::Dealing
                | Phase::Settling
                | Phase::Readying
                | Phase::Complete,
            ) => Ok(Taken::Nothing),
        }
    }

    /// The first registration of a member in an attempt counts, for this attempt and the later ones.
    fn take_registration(&mut self, sender: MinerId, bytes: &[u8]) -> Result<Taken, ItemRefused> {
        let known = self.registration(sender);
        if known.is_some_and(|known| known.attempt == self.attempt) {
            return Ok(Taken::Nothing);
        }
        let registration = Registration::decode(bytes)?;
        let identity = self.plan.identities().get(usize::from(sender.0)).ok_or(ItemRefused::NotSigned)?;
        if !registration.is_signed(self.plan.chain(), self.plan.epoch(), identity) {
            return Err(ItemRefused::NotSigned);
        }
        if let Some(place) = Arc::make_mut(&mut self.registrations).get_mut(usize::from(sender.0)) {
            *place = Some(registration);
        }
        Ok(Taken::Counts)
    }

    fn take_dealing(&mut self, dealer: MinerId, bytes: &[u8]) -> Result<Taken, ItemRefused> {
        let Some(transcript) = &mut self.transcript else { return Ok(Taken::Nothing) };
        let verdict = |transcript: &Transcript| {
            (transcript.dealing_digest(dealer).copied(), transcript.qualifies(dealer))
        };
        let before = verdict(transcript);
        Arc::make_mut(transcript).read_dealing(bytes)?;
        Ok(if verdict(transcript) == before { Taken::Nothing } else { Taken::Counts })
    }

    fn take_settlement(&mut self, dealer: MinerId, bytes: &[u8]) -> Result<Taken, ItemRefused> {
        let Some(transcript) = &mut self.transcript else { return Ok(Taken::Nothing) };
        if transcript.dealing(dealer).is_none() {
            return Ok(Taken::Nothing);
        }
        let before = transcript.qualifies(dealer);
        Arc::make_mut(transcript).read_settlement(bytes)?;
        Ok(if transcript.qualifies(dealer) == before { Taken::Nothing } else { Taken::Counts })
    }

    fn take_ready(&mut self, bytes: &[u8]) -> Result<Taken, ItemRefused> {
        let (Some(transcript), Some(candidate)) = (&self.transcript, &self.candidate) else {
            return Ok(Taken::Nothing);
        };
        let wrong_length = ItemRefused::ReadyLength { found: bytes.len(), expected: Ready::BYTES };
        let (bytes, []) = bytes.split_first_chunk().ok_or(wrong_length)? else { return Err(wrong_length) };
        let ready = Ready::decode(bytes);
        if ready.record != candidate.digest().0 || self.ready.contains(&ready.member) {
            return Ok(Taken::Nothing);
        }
        if !ready.is_authentic(transcript.session()) {
            return Err(ItemRefused::NotSigned);
        }
        Arc::make_mut(&mut self.ready).insert(ready.member);
        if self.ready.len() >= self.plan.parameters().min_qualified() {
            self.phase = Phase::Complete;
            self.ends = Round(u64::MAX);
        }
        Ok(Taken::Counts)
    }

    /// The last block of the phase is on the branch.
    fn pass_deadline(&mut self) {
        match self.phase {
            Phase::Waiting => self.enter(Phase::Registering),
            Phase::Registering => {
                let keys = self.registrations.iter().map(|known| Some(known.as_ref()?.encryption.clone()));
                match self.plan.session(self.attempt, keys) {
                    Ok(session) => {
                        self.transcript = Some(Arc::new(Transcript::new(session)));
                        self.enter(Phase::Dealing);
                    }
                    // The plan has checked everything that a session asks for.
                    Err(_) => self.fail(),
                }
            }
            Phase::Dealing => {
                let transcript = self.transcript.as_mut().map(Arc::make_mut);
                match transcript.map(Transcript::end_dealing) {
                    Some(Ok(())) => self.enter(Phase::Settling),
                    Some(Err(_)) | None => self.fail(),
                }
            }
            Phase::Settling => match self.transcript.as_deref().and_then(|it| self.record_of(it)) {
                Some(record) => {
                    self.candidate = Some(Arc::new(record));
                    self.enter(Phase::Readying);
                }
                None => self.fail(),
            },
            Phase::Readying => self.fail(),
            Phase::Complete => {}
        }
    }

    fn enter(&mut self, phase: Phase) {
        let rounds = self.plan.phase_rounds(self.attempt);
        self.phase = phase;
        self.ends = Round(self.next.0.saturating_add(rounds - 1));
    }

    /// The attempt is over, and the next one begins.
    fn fail(&mut self) {
        self.attempt = Attempt(self.attempt.0.saturating_add(1));
        self.transcript = None;
        self.candidate = None;
        self.ready = Arc::default();
        self.enter(Phase::Registering);
    }

    /// The record that follows from the settled dealings. `None` with too few qualified dealers, and if a coefficient of the sum
    /// vanishes: nobody can bring that about without the polynomials of the others.
    fn record_of(&self, transcript: &Transcript) -> Option<Record> {
        let (qualified, sum) = transcript.sum().ok()?;
        record(&self.plan, transcript, qualified, &sum)
    }
}

/// The record of a transcript whose qualified dealers and their sum are known.
pub(super) fn record(
    plan: &Plan,
    transcript: &Transcript,
    qualified: Vec<MinerId>,
    sum: &Commitments,
) -> Option<Record> {
    let session = transcript.session();
    let mut items = Vec::new();
    for &dealer in &qualified {
        items.extend(dealer.0.to_be_bytes());
        items.extend(transcript.dealing_digest(dealer)?);
        items.extend(transcript.settlement(dealer)?.0);
    }
    let content = RecordContent {
        chain: plan.chain(),
        epoch: plan.epoch(),
        previous: plan.previous(),
        attempt: session.attempt(),
        members: plan.members().to_vec(),
        sharders: plan.sharders().to_vec(),
        qualified,
        coefficients: sum.points().iter().map(|point| point.encode()).collect(),
        items: Digest::of(ITEMS_TAG, &[session.id(), &items]),
    };
    Record::new(content).ok()
}
