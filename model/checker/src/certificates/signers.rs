//! Just enough signers (Lemma 2): the sets of honest miners that complete a certificate, and of which none could be left out.

use crate::protocol::Protocol;

/// The honest miners of `mask`, in order.
pub(super) fn of_mask(mask: u8) -> impl Iterator<Item = usize> + Clone {
    (0..8).filter(move |miner| mask >> miner & 1 == 1)
}

impl Protocol {
    /// Honest signatures that make a certificate together with those of all Byzantine members.
    pub(crate) fn honest_needed(&self) -> u32 {
        self.committee.quorum.saturating_sub(self.committee.byzantine)
    }

    /// Every smallest set of the `eligible` miners that completes a certificate. Of miners that are `alike` the first ones are
    /// taken: another choice among them leads to the same state but for names.
    pub(super) fn just_enough(&self, eligible: u8, alike: impl Fn(usize, usize) -> bool) -> Vec<u8> {
        let needed = self.honest_needed();
        let weight = |set: u8| of_mask(set).map(|miner| self.weight(miner)).sum::<u32>();
        let smallest = |set: u8| of_mask(set).all(|miner| weight(set & !(1 << miner)) < needed);
        let first = |set: u8| {
            of_mask(set).all(|miner| {
                of_mask(eligible & !set)
                    .take_while(|&before| before < miner)
                    .all(|before| !alike(before, miner))
            })
        };
        let mut sets = Vec::new();
        let mut set = eligible;
        // All subsets of `eligible`, from the largest.
        loop {
            if set != 0 && weight(set) >= needed && smallest(set) && first(set) {
                sets.push(set);
            }
            if set == 0 {
                return sets;
            }
            set = (set - 1) & eligible;
        }
    }

    /// The first of each kind of the miners that `may` propose.
    pub(super) fn proposers(
        &self,
        may: impl Fn(usize) -> bool,
        alike: impl Fn(usize, usize) -> bool,
    ) -> Vec<u8> {
        let all = 0..self.honest();
        let first = |&miner: &usize| (0..miner).all(|before| !may(before) || !alike(before, miner));
        all.filter(|&miner| may(miner)).filter(first).map(|miner| miner as u8).collect()
    }

    /// Sorts `miners`, where those of equal weight may trade places.
    pub(super) fn sort_members<M: Ord + Copy>(&self, miners: &mut [M]) {
        for i in 1..miners.len() {
            for at in (1..=i).rev() {
                // Miners of equal weight need not be neighbours.
                let before = (0..at).rev().find(|&other| self.weight(other) == self.weight(at));
                match before {
                    Some(before) if miners[before] > miners[at] => miners.swap(before, at),
                    _ => {}
                }
            }
        }
    }
}
