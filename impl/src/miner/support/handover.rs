//! The end of an epoch: the closing block is final, and the host gets the certificate that shows it.

use std::sync::Arc;

use crate::certified::{FinalityCertificate, Verified};
use crate::crypto::scheme::Scheme;
use crate::epochs::handoff::HandoffCertificate;
use crate::miner::interface::Output;
use crate::miner::{Effects, Miner};

impl<S: Scheme> Miner<S> {
    /// The epoch is over if the head closes it and the certificate shows that. Nothing more is signed in it: what waits for the disk
    /// does not leave any more.
    pub(in crate::miner) fn hand_over(
        &mut self,
        certificate: &Verified<Arc<FinalityCertificate>>,
        fx: &mut Effects<'_>,
    ) {
        if !self.config.hands_over || self.handed_over {
            return;
        }
        let anchor = self.config.anchor();
        if let Some(handoff) = self.chain.handoff(certificate, self.handoff.as_ref(), anchor) {
            self.handed_over = true;
            self.events.clear();
            fx.out.push(Output::HandedOver(handoff));
        }
    }

    /// The host has a handoff of this epoch: its certificate is worth more than any other that waits, since it names the closing block.
    pub(in crate::miner) fn take_handoff(&mut self, handoff: Arc<HandoffCertificate>, fx: &mut Effects<'_>) {
        let certificate = Verified::trusted(Arc::clone(handoff.finality()));
        self.handoff = Some(handoff);
        self.pending_finality = Some(certificate);
        self.try_pending_finality(fx);
    }
}
