//! Messages of the epoch after the present one: they came before the handoff. They wait, within bounds, and are looked at when the
//! epoch has begun. What does not fit is dropped: its sender says it again.

use std::collections::VecDeque;

use super::roster::NodeId;
use crate::committee::Epoch;
use crate::limits::{MAX_WAITING_BYTES, MAX_WAITING_MESSAGES, MAX_WAITING_OF_ONE};

/// See the module doc.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    /// Oldest first: who sent it, and its bytes.
    messages: VecDeque<(NodeId, Vec<u8>)>,
    bytes: usize,
}

impl Waiting {
    /// Keeps a message. Returns whether there was room.
    pub fn keep(&mut self, from: NodeId, bytes: Vec<u8>) -> bool {
        let of_sender = self.messages.iter().filter(|(sender, _)| *sender == from).count();
        let fits = self.messages.len() < MAX_WAITING_MESSAGES
            && of_sender < MAX_WAITING_OF_ONE
            && self.bytes.saturating_add(bytes.len()) <= MAX_WAITING_BYTES;
        if fits {
            self.bytes += bytes.len();
            self.messages.push_back((from, bytes));
        }
        fits
    }

    /// All of them, oldest first.
    pub fn take(&mut self) -> VecDeque<(NodeId, Vec<u8>)> {
        self.bytes = 0;
        std::mem::take(&mut self.messages)
    }

    /// Whether a message of `epoch` waits, or is dropped, while the present epoch is `present`.
    pub fn is_awaited(present: Epoch, epoch: Epoch) -> bool {
        present.0.checked_add(1) == Some(epoch.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_messages_and_bytes_are_bounded() {
        let mut waiting = Waiting::default();
        let node = |number: usize| NodeId::of(&number.to_be_bytes());
        let kept = (0..MAX_WAITING_OF_ONE + 5).filter(|_| waiting.keep(node(0), vec![1])).count();
        assert_eq!(kept, MAX_WAITING_OF_ONE);
        let kept =
            (1..2 * MAX_WAITING_MESSAGES).filter(|&sender| waiting.keep(node(sender), vec![1])).count();
        assert_eq!(kept + MAX_WAITING_OF_ONE, MAX_WAITING_MESSAGES);
        assert_eq!(waiting.take().len(), MAX_WAITING_MESSAGES);
        let large = MAX_WAITING_BYTES / 2;
        let kept = (0..4).filter(|&sender| waiting.keep(node(sender), vec![0; large])).count();
        assert_eq!(kept, 2);
        assert_eq!(waiting.take().len(), 2);
        assert!(waiting.keep(node(0), vec![0; large]), "there is room again");
    }
}
