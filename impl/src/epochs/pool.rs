//! The epoch items that a node keeps for its own blocks, those of others and its own. They are kept until their phase is over on the final
//! chain: a block that has one may not become final.
//!
//! A member has room for the items of one phase ([`MAX_ITEMS_OF_MEMBER`]), and later ones take the place of earlier ones. All have room for
//! [`MAX_POOL_BYTES`]; what does not fit is dropped, and its sender sends it again.

use std::collections::BTreeMap;

use super::item::{EpochItem, ItemKind};
use super::key_generation::ItemRefused;
use super::progress::{Due, Progress};
use crate::committee::MinerId;
use crate::crypto::dkg::Attempt;
use crate::limits::{MAX_ITEMS_OF_MEMBER, MAX_POOL_BYTES};

#[derive(Clone, Debug)]
struct Pooled {
    item: EpochItem,
    /// Whether it was found authentic. One that came before its phase cannot be checked yet.
    checked: bool,
}

impl Pooled {
    fn phase(&self) -> (Attempt, ItemKind) {
        let item = self.item.as_item();
        (item.header().0, item.kind)
    }

    fn bytes(&self) -> usize {
        self.item.as_item().bytes.len()
    }
}

/// See the module doc.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    items: BTreeMap<MinerId, Vec<Pooled>>,
    bytes: usize,
}

impl Pool {
    /// Whether it has this item.
    pub fn has(&self, item: &EpochItem) -> bool {
        let (_, sender) = item.as_item().header();
        self.items.get(&sender).is_some_and(|known| known.iter().any(|known| known.item == *item))
    }

    /// Keeps an item that it does not have. Returns whether there was room. `checked`: it counted on the final chain.
    pub fn keep(&mut self, item: EpochItem, checked: bool) -> bool {
        let (_, sender) = item.as_item().header();
        let new = Pooled { item, checked };
        let known = self.items.entry(sender).or_default();
        let earlier: usize =
            known.iter().filter(|known| known.phase() < new.phase()).map(Pooled::bytes).sum();
        let bytes = self.bytes - earlier + new.bytes();
        let same = known.iter().filter(|known| known.phase() == new.phase()).count();
        let later = known.iter().any(|known| known.phase() > new.phase());
        if later || same >= MAX_ITEMS_OF_MEMBER || bytes > MAX_POOL_BYTES {
            return false;
        }
        known.retain(|known| known.phase() >= new.phase());
        known.push(new);
        self.bytes = bytes;
        true
    }

    /// The items, by sender.
    pub fn offered(&self) -> impl Iterator<Item = &EpochItem> {
        self.items.values().flatten().map(|known| &known.item)
    }

    /// The final chain has gone on: drops what is over, and checks what has become due. Returns the senders whose items are none.
    pub fn pass<P: Progress>(&mut self, progress: &P) -> Vec<(MinerId, ItemKind, ItemRefused)> {
        let mut refused = Vec::new();
        for (&sender, items) in &mut self.items {
            items.retain_mut(|known| match progress.due(known.item.as_item()) {
                Due::Over => false,
                Due::Later => true,
                Due::Now if known.checked => true,
                Due::Now => {
                    let counts = progress.counts(known.item.as_item());
                    known.checked = true;
                    counts.map_err(|reason| refused.push((sender, known.item.as_item().kind, reason))).is_ok()
                }
            });
        }
        self.items.retain(|_, items| !items.is_empty());
        self.bytes = self.items.values().flatten().map(Pooled::bytes).sum();
        refused
    }

    /// Items and bytes.
    #[cfg(test)]
    pub fn held(&self) -> (usize, usize) {
        (self.items.values().map(Vec::len).sum(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: ItemKind, attempt: u32, sender: u16, mark: u8, length: usize) -> EpochItem {
        let mut bytes = [&attempt.to_be_bytes()[..], &sender.to_be_bytes(), &[mark]].concat();
        bytes.resize(length, 0);
        EpochItem::new(kind, bytes).expect("a length of the kind")
    }

    #[test]
    fn a_member_has_room_for_the_items_of_one_phase() {
        use ItemKind::{Dealing, Registration};
        let mut pool = Pool::default();
        assert!(pool.keep(item(Registration, 0, 1, 0, 100), true));
        assert!(pool.keep(item(Dealing, 0, 1, 1, 300), true), "it takes the place of the registration");
        assert_eq!(pool.held(), (1, 300));
        assert!(!pool.keep(item(Registration, 0, 1, 2, 100), true), "an earlier phase");
        assert!(pool.keep(item(Dealing, 0, 1, 3, 300), true));
        assert!(!pool.keep(item(Dealing, 0, 1, 4, 300), true), "two convict it");
        assert!(pool.keep(item(Dealing, 0, 2, 1, 300), true), "another member");
        assert!(pool.keep(item(Registration, 1, 1, 5, 100), true), "of the next attempt");
        assert_eq!(pool.held(), (2, 400));
        assert!(pool.has(&item(Dealing, 0, 2, 1, 300)) && !pool.has(&item(Dealing, 0, 1, 1, 300)));
    }

    #[test]
    fn the_bytes_of_all_are_bounded() {
        let mut pool = Pool::default();
        let most = ItemKind::Dealing.max_bytes();
        let fit = MAX_POOL_BYTES / most;
        let kept = (0..2 * fit as u16)
            .filter(|&sender| pool.keep(item(ItemKind::Dealing, 0, sender, 0, most), true));
        assert_eq!(kept.count(), fit);
        assert!(pool.held().1 <= MAX_POOL_BYTES);
        // A later item of a member that has one needs no more room than that one had.
        assert!(pool.keep(item(ItemKind::Settlement, 0, 0, 0, 1_000), true));
    }
}
