//! What a world is made of: committee, rules, who is Byzantine, how far it may go, and the keys.

use std::sync::Arc;

use zus_bpp::block::Time;
use zus_bpp::committee::{ChainId, Committee, Epoch, MinerId, Round};
use zus_bpp::crypto::mock_scheme::{MockScheme, MockWorld};
use zus_bpp::crypto::scheme::{BeaconValue, Scheme, Signature};
use zus_bpp::miner::Config;
use zus_bpp::rules::Rules;
use zus_bpp::statement::BeaconTarget;

use crate::bounds;

/// What a world is made of.
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
    /// Decides the keys, and with them the order of generators.
    pub seed: u64,
    /// How writes become durable.
    pub disk: Disk,
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
pub enum Disk {
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
            seed,
            disk: Disk::Crashing,
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
        (self.adjust.0)(&mut config, self.adjust.1);
        config
    }

    /// Generators of a subround.
    #[must_use]
    pub fn generators(&self) -> u16 {
        self.generators.unwrap_or_else(|| bounds::generators(self.miners))
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
        let world = MockWorld::new(self.miners, bounds::tolerated(self.miners) + 1, self.seed);
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

/// The beacon value of each round, known to the harness from the start: what the miners' values are compared with (S9), and
/// what decides the order of generators (S4).
#[derive(Clone, Debug)]
pub struct BeaconTable {
    values: Vec<(Signature, BeaconValue)>,
}

impl BeaconTable {
    /// The values of rounds `1..=rounds` under a beacon that signs the round only. `None` when shares do not combine.
    pub fn new<S: Scheme>(keys: &Keys<S>, committee: &Committee, rounds: u8) -> Option<Self> {
        let value = |round: u8| {
            let message = BeaconTarget::Round(Round(round.into())).preimage(committee);
            let shares: Option<Vec<(MinerId, Signature)>> =
                keys.members.iter().map(|key| Some((key.me()?, key.beacon_share(&message)?))).collect();
            let signature = keys.observer.combine_beacon(&message, &shares?)?;
            Some((signature, keys.observer.beacon_value(&signature)))
        };
        Some(Self { values: (1..=rounds).map(value).collect::<Option<_>>()? })
    }

    /// The committee's signature and the value of a round; `None` for rounds that the world does not reach.
    #[must_use]
    pub fn of(&self, round: Round) -> Option<(Signature, BeaconValue)> {
        self.values.get(usize::try_from(round.0.checked_sub(1)?).ok()?).copied()
    }
}

/// What all clones of a world share.
pub struct Ground<S> {
    /// How it was made.
    pub setup: Setup,
    /// The keys of everybody.
    pub keys: Keys<S>,
    /// The configuration of the honest miners and the sharders.
    pub config: Arc<Config>,
    /// The beacon value of each round.
    pub beacon: BeaconTable,
    /// `order[(round - 1) * subrounds + subround]`: the generators of a subround, best rank first.
    order: Vec<Vec<MinerId>>,
}

impl<S: Scheme + Clone> Ground<S> {
    /// The ground of a world with these keys. `None` when the keys do not fit together.
    pub fn new(setup: Setup, keys: Keys<S>) -> Option<Self> {
        let config = setup.config();
        // One round more: whoever has left the last one still learns its beacon value.
        let beacon = BeaconTable::new(&keys, &config.committee, setup.rounds + 1)?;
        let (miners, generators) = (setup.miners, usize::from(setup.generators()));
        let mut order = Vec::new();
        for round in 1..=setup.rounds {
            for subround in 0..setup.subrounds {
                let (_, value) = beacon.of(Round(round.into()))?;
                let mut members = bounds::order_of_generators(&value, subround.into(), miners);
                members.truncate(generators);
                order.push(members);
            }
        }
        Some(Self { config: Arc::new(config), setup, keys, beacon, order })
    }

    /// The generators of a subround, best rank first; none outside the world.
    #[must_use]
    pub fn order(&self, round: u64, subround: u32) -> &[MinerId] {
        let (rounds, subrounds) = (u64::from(self.setup.rounds), u32::from(self.setup.subrounds));
        if !(1..=rounds).contains(&round) || subround >= subrounds {
            return &[];
        }
        &self.order[(round as usize - 1) * subrounds as usize + subround as usize]
    }

    /// The rank of a member in a subround, if it is a generator there.
    #[must_use]
    pub fn rank(&self, round: u64, subround: u32, member: MinerId) -> Option<u8> {
        self.order(round, subround).iter().position(|&other| other == member).map(|rank| rank as u8)
    }

    /// Honest members, in increasing order: miner `i` of the model is `honest()[i]`.
    pub fn honest(&self) -> impl Iterator<Item = MinerId> + '_ {
        (0..self.setup.miners).map(MinerId).filter(|&miner| !self.setup.is_byzantine(miner))
    }
}
