//! The configuration header of a schedule: committee, faults, bounds and disk, from eight bytes, any of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::limits::PAYLOAD_ROUNDS;
use zus_bpp::rules::{QuorumRule, Rules, SubroundCapRule};

use super::profile;
use crate::oracles;
use crate::world::{DiskModel, Ground, Receivers, SHARDER, Setup};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 8;
/// Steps of the shortest and of the longest run.
pub const STEPS: std::ops::RangeInclusive<usize> = 48..=111;
/// Different sets of keys, and so orders of generators.
pub const SEEDS: u8 = 16;

/// The bit of byte 2 that asks for other rules than the recommended ones; which, say the six bits above it.
const OTHER_RULES: u8 = 2;
/// The mark of a header that asks for rules which came later: the five high bits of byte 0, and the four high bits of byte 3. They
/// say nothing else, and no committed input from before has both.
const LATER: (u8, u8) = (0b01111 << 3, 0b1010 << 4);
/// The bits of bytes 0 and 3 that say something beside the mark.
const BESIDE_LATER: (u8, u8) = (0b111, 0b1111);

/// See the module doc.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Header(pub [u8; HEADER_BYTES]);

/// Committee sizes and how often they come; four is the smallest in which somebody may be Byzantine.
const SIZES: [u16; 8] = [4, 4, 4, 4, 4, 5, 7, 10];
/// Rounds and subrounds: what the model has room for with two generators a subround, both of them Byzantine.
const SHAPES: [(u8, u8); 4] = [(5, 2), (3, 3), (2, 4), (4, 2)];

/// As many rounds and subrounds as the rules leave room for.
const fn bounded(rules: &Rules, (rounds, subrounds): (u8, u8)) -> (u8, u8) {
    match rules.subround_cap {
        SubroundCapRule::Unbounded => (rounds, subrounds),
        // The generators of subround 1 are repeated in later ones, which the harness has no order for.
        SubroundCapRule::CappedAtOne => {
            (if rounds < 3 { 3 } else { rounds }, if subrounds > 2 { 2 } else { subrounds })
        }
    }
}

impl Header {
    /// The header of an input; missing bytes are taken from `tail`.
    pub fn read(bytes: &[u8], tail: &mut super::Random) -> Self {
        let mut header = tail.bits().to_le_bytes();
        let given = bytes.len().min(HEADER_BYTES);
        header[..given].copy_from_slice(&bytes[..given]);
        Self(header)
    }

    /// The rules: half of all runs are of the recommended profile.
    #[must_use]
    pub fn rules(&self) -> Rules {
        if self.0[2] & OTHER_RULES == 0 {
            Rules::HARDENED
        } else {
            profile::of(self.0[2] >> 2, self.is_marked())
        }
    }

    /// Whether it may ask for rules that came later.
    fn is_marked(&self) -> bool {
        (self.0[0] & !BESIDE_LATER.0, self.0[3] & !BESIDE_LATER.1) == LATER
    }

    /// The same header with the mark or, if it has it, without.
    fn marked(mut self, mark: bool) -> Self {
        if self.is_marked() || mark {
            let (first, second) = if mark { LATER } else { (0, 0) };
            self.0[0] = self.0[0] & BESIDE_LATER.0 | first;
            self.0[3] = self.0[3] & BESIDE_LATER.1 | second;
        }
        self
    }

    /// Whether a value of a rule that is yet to come would change the rules of this header.
    #[must_use]
    pub fn is_for_the_next_value(&self) -> bool {
        self.0[2] & OTHER_RULES != 0 && self.is_marked() && profile::is_for_the_next(self.0[2] >> 2)
    }

    /// The same run under the recommended profile.
    #[must_use]
    pub fn hardened(mut self) -> Self {
        self.0[2] &= !OTHER_RULES;
        self
    }

    /// The same run under other rules. `None` when no header can ask for them.
    #[must_use]
    pub fn under(self, rules: Rules) -> Option<Self> {
        let with = |(mark, number): (bool, u8)| {
            let mut other = self.marked(mark);
            other.0[2] = self.0[2] & (OTHER_RULES - 1) | OTHER_RULES | number << 2;
            other
        };
        let numbers = [false, true].into_iter().flat_map(|mark| (0..64).map(move |number| (mark, number)));
        std::iter::once(self.hardened()).chain(numbers.map(with)).find(|other| other.rules() == rules)
    }

    /// Members of the committee.
    #[must_use]
    pub fn miners(&self) -> u16 {
        let size = SIZES[usize::from(self.0[0]) % SIZES.len()];
        // The smallest committee above four in which 66 percent are fewer than `n - f`.
        match self.rules().quorum {
            QuorumRule::Percent66 if size == 5 => 6,
            QuorumRule::Percent66 | QuorumRule::ByzantineMajority => size,
        }
    }

    /// The Byzantine members: at most `f`, neighbours.
    #[must_use]
    pub fn byzantine(&self) -> Vec<u16> {
        let n = self.miners();
        // Three of four runs have as many as are tolerated.
        let most = oracles::tolerated(n);
        // The model has room for seven honest miners.
        let least = usize::from(n).saturating_sub(zus_checker::committee::MAX_HONEST);
        let few = least + usize::from(self.0[1] >> 2) % (most + 1 - least);
        let count = if self.0[1] & 3 == 0 { few } else { most };
        let first = u16::from(self.0[1] >> 4) % n;
        let mut members: Vec<u16> = (0..count as u16).map(|i| (first + i) % n).collect();
        members.sort_unstable();
        members
    }

    /// How writes become durable.
    #[must_use]
    pub fn disk(&self) -> DiskModel {
        if self.0[2] & 1 == 0 { DiskModel::Crashing } else { DiskModel::Slow }
    }

    /// Rounds and subrounds.
    #[must_use]
    pub fn shape(&self) -> (u8, u8) {
        bounded(&self.rules(), SHAPES[usize::from(self.0[3]) % SHAPES.len()])
    }

    /// Members whose tickets have signatures of 96 bytes: none, all, or those with even or odd numbers.
    #[must_use]
    pub fn long_tickets(&self) -> Receivers {
        [0, Receivers::MAX, 0x5555_5555, 0xaaaa_aaaa][usize::from(self.0[3] >> 2 & 3)] & !SHARDER
    }

    /// The keys.
    #[must_use]
    pub fn seed(&self) -> u8 {
        self.0[4] % SEEDS
    }

    /// Rounds above the final block that it names in which a block may have a payload: in half of all runs so few that blocks of
    /// the run are beyond them.
    #[must_use]
    pub fn payload_rounds(&self) -> u64 {
        match self.0[4] >> 6 {
            2 => 1,
            3 => 2,
            _ => PAYLOAD_ROUNDS,
        }
    }

    /// How many choices the run has.
    #[must_use]
    pub fn steps(&self) -> usize {
        STEPS.start() + usize::from(self.0[5]) % (STEPS.end() - STEPS.start() + 1)
    }

    /// Which operations this run prefers (swarm testing: each run leaves some out).
    #[must_use]
    pub fn swarm(&self) -> u16 {
        u16::from_le_bytes([self.0[6], self.0[7]])
    }

    /// Headers of smaller worlds, the smallest first: fewer miners, fewer Byzantine ones, fewer rounds and subrounds; then
    /// others of the same size that are simpler: disks that confirm at once, no operation left out, the first keys.
    #[must_use]
    pub fn simpler(&self) -> Vec<Header> {
        let with = |byte: usize, value: u8| {
            let mut header = *self;
            header.0[byte] = value;
            header
        };
        let size = |header: &Header| {
            let (rounds, subrounds) = header.shape();
            (header.miners(), header.byzantine().len(), u16::from(rounds) * u16::from(subrounds))
        };
        let first = |header: &Header| header.byzantine().first().copied().unwrap_or_default();
        let mark = if self.is_marked() { LATER } else { (0, 0) };
        let sizes = (0..SIZES.len() as u8).map(|value| with(0, value | mark.0));
        // All that the byte can say.
        let members = (0..=u8::MAX).map(|value| with(1, value));
        let shapes = (0..SHAPES.len() as u8).map(|value| with(3, value | mark.1));
        let smaller = sizes.chain(members).chain(shapes);
        // Of equal ones the first; a Byzantine member with a lower number counts as simpler.
        let mut smaller: Vec<Header> =
            smaller.filter(|other| (size(other), first(other)) < (size(self), first(self))).collect();
        smaller.sort_by_key(|other| (size(other), first(other)));
        smaller.dedup_by_key(|other| (size(other), first(other)));
        let keys = (0..self.seed()).map(|value| with(4, value));
        let others = [
            with(2, self.0[2] & !1),
            with(3, self.0[3] & 3 | mark.1),
            with(4, self.seed()),
            with(6, 0),
            with(7, 0),
            with(5, 0),
        ];
        smaller.extend(keys.chain(others).filter(|other| other != self));
        smaller
    }

    /// The setup that the header describes.
    #[must_use]
    pub fn setup(&self) -> Setup {
        let (rounds, subrounds) = self.shape();
        let mut setup = Setup::new(self.miners(), self.seed().into());
        setup.rules = self.rules();
        setup.byzantine = self.byzantine();
        setup.disk = self.disk();
        setup.answers_late = setup.disk == DiskModel::Slow && self.0[4] / SEEDS % 4 == 3;
        setup.payload_rounds = self.payload_rounds();
        setup.rounds = rounds;
        setup.subrounds = subrounds;
        setup.long_tickets = self.long_tickets();
        setup
    }
}

thread_local! {
    /// Grounds that were made: making one costs as much as a run, and there are few.
    static GROUNDS: RefCell<HashMap<Key, Arc<Ground<MockScheme>>>> = RefCell::default();
}

type Key = (Rules, u16, Vec<u16>, (bool, bool), u8, u8, (u8, u64), (usize, u16));

/// The ground of a setup with mock keys, made once a thread.
///
/// # Panics
/// When the keys do not combine: the mock's do.
#[must_use]
pub fn ground_of(setup: &Setup) -> Arc<Ground<MockScheme>> {
    let key = (
        setup.rules,
        setup.miners,
        setup.byzantine.clone(),
        (setup.disk == DiskModel::Slow, setup.answers_late),
        setup.rounds,
        setup.subrounds,
        (setup.seed as u8, setup.payload_rounds),
        (setup.adjust.0 as usize, setup.adjust.1),
    );
    GROUNDS.with_borrow_mut(|grounds| {
        let make = || {
            // The form of tickets is no part of a ground: a world is told it.
            let ground = Ground::new(Setup { long_tickets: 0, ..setup.clone() }, setup.mock_keys());
            Arc::new(ground.expect("mock shares combine"))
        };
        Arc::clone(grounds.entry(key).or_insert_with(make))
    })
}

#[cfg(test)]
mod tests {
    use zus_bpp::rules::{EchoRule, TicketRule};

    use super::*;

    /// Subrounds are bounded by the rule that repeats generators, whatever the other rules are.
    #[test]
    fn subrounds_are_bounded_where_their_cap_is_and_nowhere_else() {
        let deployed = Rules::DEPLOYED;
        for capped in [
            deployed,
            Rules { ticket: TicketRule::BetterRank, ..deployed },
            Rules { echo: EchoRule::Certificates, ..deployed },
            Rules { subround_cap: SubroundCapRule::CappedAtOne, ..Rules::HARDENED },
        ] {
            assert_eq!(SHAPES.map(|shape| bounded(&capped, shape)), [(5, 2), (3, 2), (3, 2), (4, 2)]);
        }
        for free in [
            Rules::HARDENED,
            Rules::DOCUMENTED,
            Rules { subround_cap: SubroundCapRule::Unbounded, ..deployed },
        ] {
            assert_eq!(SHAPES.map(|shape| bounded(&free, shape)), SHAPES);
        }
    }

    #[test]
    fn a_header_asks_for_each_of_the_rules_that_have_a_name() {
        for (name, rules) in profile::OTHERS.iter().chain(&[("hardened".into(), Rules::HARDENED)]) {
            for (byte, mark) in [(0, false), (1, false), (2, false), (0xff, false), (0xff, true)] {
                let mut header = Header::default().marked(mark);
                header.0[2] = byte;
                let other = header.under(*rules).unwrap_or_else(|| panic!("no header for {name}"));
                assert_eq!((other.rules(), other.disk()), (*rules, header.disk()), "{name}");
            }
        }
        let nameless = Rules { subround_cap: SubroundCapRule::CappedAtOne, ..Rules::HARDENED };
        assert_eq!(Header::default().under(nameless), None);
    }
}
