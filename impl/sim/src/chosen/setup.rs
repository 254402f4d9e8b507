//! Components of a world: committee, rules, Byzantine members, bounds, and the keys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use zus_bpp::block::Time;
use zus_bpp::chain::FinalBlock;
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Round, Subround};
use zus_bpp::crypto::mock_scheme::{MockCommittee, MockScheme};
use zus_bpp::crypto::scheme::{BeaconValue, Scheme, Signature};
use zus_bpp::limits::PAYLOAD_ROUNDS;
use zus_bpp::miner::Config;
use zus_bpp::rules::{BeaconRule, Rules};
use zus_bpp::statement::BeaconTarget;

use super::Receivers;
use crate::by_hand;

/// The components of a world.
#[derive(Clone)]
pub struct Setup {
    /// Members of the committee, `n`.
    pub miners: u16,
    /// Sharders.
    pub sharders: u16,
    /// Byzantine members, in increasing order.
    pub byzantine: Vec<u16>,
    /// A choice for every open question.
    pub rules: Rules,
    /// Generators of a subround, `G`; `None`: the default of the committee.
    pub generators: Option<u16>,
    /// Rounds, from 1, in which miners act; whoever has left the last one is parked.
    pub rounds: u8,
    /// Subrounds of a round, from 0, in which miners act; nobody gives up the last one.
    pub subrounds: u8,
    /// The round of the final block with which everybody begins; 0: genesis. Above 0 only in worlds without bounds.
    pub begins_at: u64,
    /// Decides the keys, and with them the order of generators.
    pub seed: u64,
    /// Rounds above the final block that it names in which a block may have a payload, `K`.
    pub payload_rounds: u64,
    /// How writes become durable.
    pub disk: DiskModel,
    /// Whether the application, too, answers when the schedule says so; only where the disk is slow.
    pub answers_late: bool,
    /// Members whose tickets have signatures of 96 bytes, as a set of receivers.
    pub long_tickets: Receivers,
    /// Changes the configuration of the honest miners: how a test gives them a deliberate bug.
    pub adjust: Adjust,
}

/// A change of the configuration of the honest miners: a function, and a number that it is given.
#[derive(Clone, Copy)]
pub struct Adjust(pub fn(&mut Config, u16), pub u16);

impl Adjust {
    /// No change.
    pub const NONE: Adjust = Adjust(|_, _| {}, 0);
}

/// How writes become durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiskModel {
    /// A write is confirmed when the schedule says so; miners never crash.
    Slow,
    /// A write is confirmed at once, unless the miner crashes before or after the flush.
    Crashing,
}

impl Setup {
    /// `n` miners with the recommended rules, none Byzantine.
    #[must_use]
    pub fn new(miners: u16, seed: u64) -> Self {
        Self {
            miners,
            sharders: 1,
            byzantine: Vec::new(),
            rules: Rules::HARDENED,
            generators: None,
            rounds: 4,
            subrounds: 3,
            begins_at: 0,
            seed,
            payload_rounds: PAYLOAD_ROUNDS,
            disk: DiskModel::Crashing,
            answers_late: false,
            long_tickets: 0,
            adjust: Adjust::NONE,
        }
    }

    /// The configuration of an honest miner.
    ///
    /// # Panics
    /// When `miners` is 0 or above the bound of the production crate: a setup is not input.
    #[must_use]
    pub fn config(&self) -> Config {
        let committee = Committee::new(ChainId([7; 32]), Epoch(1), self.miners, self.sharders)
            .expect("a setup names a possible committee");
        let mut config = Config::new(committee, self.rules, BeaconValue([9; 32]), Time(0));
        if let Some(generators) = self.generators {
            config.generators = generators;
        }
        config.payload_rounds = self.payload_rounds;
        if self.payload_rounds < PAYLOAD_ROUNDS {
            // So few rounds are whole that blocks have to be loaded.
            config.whole_rounds = 1;
        }
        (self.adjust.0)(&mut config, self.adjust.1);
        config
    }

    /// Generators of a subround.
    #[must_use]
    pub fn generators(&self) -> u16 {
        self.generators.unwrap_or_else(|| by_hand::generators(self.miners))
    }

    /// Signatures that make a certificate.
    #[must_use]
    pub fn quorum(&self) -> usize {
        by_hand::quorum_by(self.rules.quorum, self.miners)
    }

    /// Shares that make a beacon value: all but `f`; under a chained beacon, which splits with the chain, the least that are no
    /// minority's.
    #[must_use]
    pub fn beacon_threshold(&self) -> usize {
        if self.chained() {
            by_hand::tolerated(self.miners) + 1
        } else {
            by_hand::beacon_threshold(self.miners)
        }
    }

    /// Whether the beacon is chained to the notarized block that a miner adopted.
    #[must_use]
    pub fn chained(&self) -> bool {
        self.rules.chained()
    }

    /// Whether blocks become final by votes.
    #[must_use]
    pub fn votes(&self) -> bool {
        self.rules.votes()
    }

    /// Whether a member is Byzantine.
    #[must_use]
    pub fn is_byzantine(&self, miner: MinerId) -> bool {
        self.byzantine.contains(&miner.0)
    }

    /// Counting mock keys.
    ///
    /// # Panics
    /// Never: every member of the committee has a scheme.
    #[must_use]
    pub fn mock_keys(&self) -> Keys<MockScheme> {
        let world = MockCommittee::with_threshold(self.miners, self.beacon_threshold(), self.seed);
        let member = |i| world.member(MinerId(i)).expect("a member");
        Keys { members: (0..self.miners).map(member).collect(), observer: world.observer() }
    }
}

/// The keys of everybody. Byzantine miners of the harness use their own only.
#[derive(Clone)]
pub struct Keys<S> {
    /// Of each member.
    pub members: Vec<S>,
    /// Verifies and never signs.
    pub observer: S,
}

/// The committee's beacon value for one message, and the order of generators that follows from it.
#[derive(Clone, Debug)]
pub struct Draw {
    /// The committee's signature.
    pub signature: Signature,
    /// The value.
    pub value: BeaconValue,
    /// The generators, best rank first.
    pub order: Vec<MinerId>,
}

/// The statement of a chained beacon: the round, the subround, the value of the adopted block.
type Chained = (u64, u32, BeaconValue);

/// The part that all clones of a world share.
pub struct Ground<S> {
    /// How it was made.
    pub setup: Setup,
    /// The keys of everybody.
    pub keys: Keys<S>,
    /// The configuration of the honest miners and the sharders.
    pub config: Arc<Config>,
    /// Under a beacon that signs the round only: the draw of each subround of the world, and of subround 0 of the round after;
    /// `draws[(round - 1) * subrounds + subround]`. Known to the harness from the start: what the miners' values are compared
    /// with (S9), and what decides the order of generators (S4).
    draws: Vec<Arc<Draw>>,
    /// The draws that were asked for so far and are in no list: those of a chained beacon, whose messages follow from the run, and
    /// those beyond the bounds of the world.
    chained: Mutex<HashMap<Chained, Arc<Draw>>>,
    /// The final block with which everybody begins, where it is not genesis.
    pub base: Option<FinalBlock>,
}

/// Draws that are remembered at most.
const REMEMBERED: usize = 512;

impl<S: Scheme + Clone> Ground<S> {
    /// The ground of a world with these keys. `None` when the keys do not fit together.
    pub fn new(setup: Setup, keys: Keys<S>) -> Option<Self> {
        let config = Arc::new(setup.config());
        let chained = setup.chained();
        let subrounds = u32::from(setup.subrounds);
        let mut ground =
            Self { config, setup, keys, draws: Vec::new(), chained: Mutex::default(), base: None };
        if ground.setup.begins_at > 0 {
            ground.base = Some(super::base::base(&ground)?);
        }
        if chained {
            // The keys fit if they make one value.
            let genesis = ground.genesis_beacon();
            ground.draw_chained((1, 0, genesis))?;
            return Some(ground);
        }
        for round in 1..=u64::from(ground.setup.rounds) {
            let (signature, value) = ground.combined(BeaconTarget::Round(Round(round)))?;
            for subround in 0..subrounds {
                ground.draws.push(Arc::new(ground.ordered(signature, value, subround)));
            }
        }
        // One round more: whoever has left the last one still learns its beacon value.
        let (signature, value) =
            ground.combined(BeaconTarget::Round(Round(u64::from(ground.setup.rounds) + 1)))?;
        ground.draws.push(Arc::new(ground.ordered(signature, value, 0)));
        Some(ground)
    }

    fn genesis_beacon(&self) -> BeaconValue {
        self.config.genesis.header().beacon
    }

    /// The committee's signature and value for a beacon message, made with everybody's keys.
    fn combined(&self, target: BeaconTarget) -> Option<(Signature, BeaconValue)> {
        let message = target.preimage(&self.config.committee);
        let shares: Option<Vec<(MinerId, Signature)>> =
            self.keys.members.iter().map(|key| Some((key.me()?, key.beacon_share(&message)?))).collect();
        let signature = self.keys.observer.combine_beacon(&message, &shares?)?;
        Some((signature, self.keys.observer.beacon_value(&signature)))
    }

    fn ordered(&self, signature: Signature, value: BeaconValue, subround: u32) -> Draw {
        let mut order = by_hand::order_of_generators(&value, subround, self.setup.miners);
        order.truncate(usize::from(self.setup.generators()));
        Draw { signature, value, order }
    }

    fn draw_chained(&self, key: Chained) -> Option<Arc<Draw>> {
        let mut known = self.chained.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(draw) = known.get(&key) {
            return Some(Arc::clone(draw));
        }
        let (round, subround, previous) = key;
        let target = match self.setup.rules.beacon {
            BeaconRule::RoundOnly => BeaconTarget::Round(Round(round)),
            BeaconRule::Chained => {
                BeaconTarget::Chained { round: Round(round), subround: Subround(subround), previous }
            }
        };
        let (signature, value) = self.combined(target)?;
        let draw = Arc::new(self.ordered(signature, value, subround));
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, Arc::clone(&draw));
        Some(draw)
    }

    /// The draw of any subround of any round; `previous` as in [`Ground::draw`].
    #[must_use]
    pub fn drawn(&self, round: u64, subround: u32, previous: &BeaconValue) -> Option<Arc<Draw>> {
        round.checked_sub(1)?;
        let cap = self.config.subround_cap().unwrap_or(Subround(subround));
        let subround = subround.min(cap.0);
        let inside = self.reaches(round, subround) && !self.setup.chained();
        if inside {
            self.draw(round, subround, previous)
        } else {
            self.draw_chained((round, subround, *previous))
        }
    }

    /// The draw of a subround; under a chained beacon, for miners whose adopted block has the value `previous`. `None` for
    /// rounds that the world does not reach.
    #[must_use]
    pub fn draw(&self, round: u64, subround: u32, previous: &BeaconValue) -> Option<Arc<Draw>> {
        if self.setup.chained() {
            return self.draw_chained((round, subround, *previous));
        }
        let subrounds = usize::from(self.setup.subrounds);
        let first = usize::try_from(round.checked_sub(1)?).ok()?.checked_mul(subrounds)?;
        // The value is that of the round; beyond the last subround only that is known.
        let at = first.checked_add(usize::try_from(subround).ok()?.min(subrounds - 1))?;
        self.draws.get(at).or_else(|| self.draws.get(first)).map(Arc::clone)
    }

    /// The committee's signature and the value of a round, under a beacon that signs the round only; `None` for rounds that
    /// the world does not reach.
    #[must_use]
    pub fn beacon_of(&self, round: Round) -> Option<(Signature, BeaconValue)> {
        let first =
            usize::try_from(round.0.checked_sub(1)?).ok()?.checked_mul(self.setup.subrounds.into())?;
        self.draws.get(first).map(|draw| (draw.signature, draw.value))
    }

    /// The rank of a member in a subround, if it is a generator there; `previous` as in [`Ground::draw`].
    #[must_use]
    pub fn rank(&self, round: u64, subround: u32, previous: &BeaconValue, member: MinerId) -> Option<u8> {
        if !self.reaches(round, subround) {
            return None;
        }
        let of = |order: &[MinerId]| order.iter().position(|&other| other == member).map(|rank| rank as u8);
        if self.setup.chained() {
            of(&self.draw(round, subround, previous)?.order)
        } else {
            of(self.order(round, subround))
        }
    }

    /// Whether a subround is one of the world's.
    #[must_use]
    pub fn reaches(&self, round: u64, subround: u32) -> bool {
        (1..=u64::from(self.setup.rounds)).contains(&round) && subround < u32::from(self.setup.subrounds)
    }

    /// The generators of a subround under a beacon that signs the round only, best rank first; none outside the world.
    #[must_use]
    pub fn order(&self, round: u64, subround: u32) -> &[MinerId] {
        if self.setup.chained() || !self.reaches(round, subround) {
            return &[];
        }
        &self.draws[(round as usize - 1) * usize::from(self.setup.subrounds) + subround as usize].order
    }

    /// Honest members, in increasing order: miner `i` of the model is `honest()[i]`.
    pub fn honest(&self) -> impl Iterator<Item = MinerId> + '_ {
        (0..self.setup.miners).map(MinerId).filter(|&miner| !self.setup.is_byzantine(miner))
    }
}
