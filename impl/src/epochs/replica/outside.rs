//! Messages of other nodes: those of this epoch and of others, handoff certificates and links.

use std::cmp::Ordering;
use std::sync::Arc;

use super::interface::{EpochRefusal, Keys, Output};
use super::present::Given;
use super::{Replica, Role};
use crate::block::Time;
use crate::committee::{Epoch, Round};
use crate::epochs::envelope::{self, Envelope, Opened};
use crate::epochs::handoff::{HandoffCertificate, HandoffError};
use crate::epochs::link::{self, Link, LinkError};
use crate::epochs::roster::{CommitteeRecord as _, NodeId, Roster};
use crate::epochs::waiting::Waiting;
use crate::limits::{CHECK_WORK, HANDOFF_INTERVAL, MAX_LINKS_AHEAD, MAX_LINKS_AT_ONCE, MESSAGE_WORK};
use crate::message::Message;
use crate::wire;

type Outputs<'a, K> = &'a mut Vec<Output<<K as Keys>::Record>>;

/// A message, decoded or not.
pub(super) enum Content {
    Bytes(Vec<u8>),
    Message(Message),
}

impl Content {
    /// The bytes of the message.
    fn into_bytes(self) -> Vec<u8> {
        match self {
            Content::Bytes(bytes) => bytes,
            Content::Message(message) => wire::encode(&message),
        }
    }

    /// The round above which blocks are asked for, if the message asks for blocks.
    fn asks_for_blocks_above(&self) -> Option<Round> {
        match self {
            Content::Message(Message::ChainRequest(request)) => Some(request.after),
            Content::Message(_) => None,
            Content::Bytes(bytes) => match wire::glance(bytes) {
                Some(wire::Glance::ChainRequest) => match wire::decode(bytes) {
                    Ok(Message::ChainRequest(request)) => Some(request.after),
                    _ => None,
                },
                _ => None,
            },
        }
    }
}

impl<K: Keys> Replica<K> {
    pub(super) fn refuse(&mut self, now: Time, from: NodeId, refusal: EpochRefusal, out: Outputs<'_, K>) {
        if refusal.proves_sender_faulty() {
            self.guests.fault(from, now);
        }
        out.push(Output::Refused { from, refusal });
    }

    pub(super) fn receive_bytes(&mut self, now: Time, from: NodeId, bytes: Vec<u8>, out: Outputs<'_, K>) {
        // The participant decodes messages of its epoch, when it has seen what they cost.
        if let Opened::Message(epoch) = envelope::open(&bytes) {
            let content = Content::Bytes(envelope::take_message(bytes));
            self.receive_message(now, from, epoch, content, out);
            return;
        }
        if !self.guests.hears(from, crate::accounts::arrival_work(bytes.len()), now) {
            return;
        }
        match wire::from_bytes(&bytes) {
            Ok(envelope) => self.receive(now, from, envelope, out),
            Err(error) => self.refuse(now, from, error.into(), out),
        }
    }

    pub(super) fn receive(
        &mut self,
        now: Time,
        from: NodeId,
        envelope: Envelope<K::Record>,
        out: Outputs<'_, K>,
    ) {
        match envelope {
            Envelope::Message { epoch, message } => {
                self.receive_message(now, from, epoch, Content::Message(message), out);
            }
            Envelope::Handoff(handoff) => self.receive_handoff(now, from, handoff, out),
            Envelope::LinksRequest { after } => self.answer_links(now, from, after, out),
            Envelope::Links(links) => self.receive_links(now, from, links, out),
            Envelope::Item { epoch, item } => {
                if self.is_of_present(now, from, epoch, out) {
                    self.receive_item(now, from, item, out);
                }
            }
            Envelope::Receipt { epoch, receipt } => {
                if self.is_of_present(now, from, epoch, out) {
                    self.receive_receipt(now, from, &receipt, out);
                }
            }
        }
    }

    pub(super) fn receive_message(
        &mut self,
        now: Time,
        from: NodeId,
        epoch: Epoch,
        content: Content,
        out: Outputs<'_, K>,
    ) {
        let present = self.present.epoch();
        if epoch < present {
            self.answer_older(now, from, epoch, &content, out);
            return;
        }
        if epoch > present {
            self.ask_for_links(now, from, out);
            let waits = Waiting::is_awaited(present, epoch) && self.waiting.keep(from, content.into_bytes());
            if !waits {
                self.refuse(now, from, EpochRefusal::UnknownEpoch { found: epoch, present }, out);
            }
            return;
        }
        self.awaited.remove(&from);
        if self.next.is_some() {
            // It is sent again, or was for an epoch that is over.
            return;
        }
        let above = content.asks_for_blocks_above();
        let Some(seat) = self.present.roster.seat(from) else {
            // A joiner and a leaver ask for the final chain.
            match above {
                Some(after) => self.serve(now, from, epoch, after, out),
                None => self.refuse(now, from, EpochRefusal::Stranger(epoch), out),
            }
            return;
        };
        let before = out.len();
        let given = match content {
            Content::Bytes(bytes) => Given::Bytes(seat, bytes),
            Content::Message(message) => Given::Message(seat, message),
        };
        self.give(now, given, out);
        if let Role::Follower(_) = self.present.role
            && let Some(after) = above.filter(|_| out.len() == before)
        {
            self.serve(now, from, epoch, after, out);
        }
    }

    /// Whether something that is no message is of the present epoch. A node that is in an older one is told so, and one in a later one is
    /// asked for links.
    fn is_of_present(&mut self, now: Time, from: NodeId, epoch: Epoch, out: Outputs<'_, K>) -> bool {
        match epoch.cmp(&self.present.epoch()) {
            Ordering::Less if self.guests.hears(from, MESSAGE_WORK, now) => {
                self.tell_over(now, from, epoch, out)
            }
            Ordering::Less => {}
            Ordering::Equal => return self.next.is_none(),
            Ordering::Greater => self.ask_for_links(now, from, out),
        }
        false
    }

    /// A node is in an epoch that is over: it is told so, and gets blocks of that epoch if it asks for them.
    fn answer_older(
        &mut self,
        now: Time,
        from: NodeId,
        epoch: Epoch,
        content: &Content,
        out: Outputs<'_, K>,
    ) {
        if !self.guests.hears(from, MESSAGE_WORK, now) {
            return;
        }
        self.tell_over(now, from, epoch, out);
        if let Some(after) = content.asks_for_blocks_above() {
            self.serve(now, from, epoch, after, out);
        }
    }

    /// Tells a node that its epoch is over, if it was not told just now.
    fn tell_over(&mut self, now: Time, from: NodeId, epoch: Epoch, out: Outputs<'_, K>) {
        if self.guests.may_tell(from, now) {
            let link = self.links.iter().find(|link| link.handoff.ends() == epoch);
            // One that is too far behind gets the last one, and asks for the links.
            if let Some(link) = link.or(self.links.back()) {
                let envelope = Envelope::Handoff(Arc::new(link.handoff.clone()));
                out.push(Output::Send { to: from, envelope });
            }
        }
    }

    /// Final blocks from the host's storage.
    fn serve(&mut self, now: Time, to: NodeId, epoch: Epoch, after: Round, out: Outputs<'_, K>) {
        if self.guests.hears(to, MESSAGE_WORK, now)
            && let Some(bytes) = self.guests.answer_bytes(to, now)
        {
            out.push(Output::Serve { to, epoch, after, bytes });
        }
    }

    fn receive_handoff(
        &mut self,
        now: Time,
        from: NodeId,
        handoff: Arc<HandoffCertificate>,
        out: Outputs<'_, K>,
    ) {
        let present = self.present.epoch();
        if handoff.ends() < present || self.next.is_some() {
            return;
        }
        if handoff.ends() > present {
            self.ask_for_links(now, from, out);
            if handoff.chain() != self.present.record.chain() {
                self.refuse(now, from, HandoffError::OtherChain.into(), out);
            }
            return;
        }
        if self.present.told {
            return;
        }
        let (closing, anchor) = (handoff.closing().round, self.present.anchor.round());
        if closing <= anchor {
            self.refuse(now, from, EpochRefusal::NotAbove { closing, anchor }, out);
            return;
        }
        if !self.guests.hears(from, CHECK_WORK, now) {
            return;
        }
        let (config, observer) = (&self.present.config, &self.present.observer);
        if let Err(error) = handoff.verify(&config.committee, config.quorum(), observer) {
            self.refuse(now, from, error.into(), out);
            return;
        }
        self.guests.forgive(from, CHECK_WORK, now);
        self.present.told = true;
        self.give(now, Given::Handoff(handoff), out);
    }

    /// Asks a node that is in a later epoch for the links there, if nobody was asked just now.
    fn ask_for_links(&mut self, now: Time, to: NodeId, out: Outputs<'_, K>) {
        let waits = self.asked.is_some_and(|(_, at)| now >= at && now < at + HANDOFF_INTERVAL);
        if waits || self.ahead.len() >= MAX_LINKS_AHEAD {
            return;
        }
        self.asked = Some((to, now));
        out.push(Output::Send { to, envelope: Envelope::LinksRequest { after: self.last_known() } });
    }

    fn answer_links(&mut self, now: Time, from: NodeId, after: Epoch, out: Outputs<'_, K>) {
        if after >= self.present.epoch() || !self.guests.hears(from, MESSAGE_WORK, now) {
            return;
        }
        let Some(_) = self.guests.answer_bytes(from, now) else { return };
        let here = self.links.front().is_some_and(|first| first.handoff.ends() <= after);
        if !here {
            out.push(Output::ServeLinks { to: from, after });
            return;
        }
        let links = self.links.iter().filter(|link| link.handoff.ends() >= after);
        let links = links.take(MAX_LINKS_AT_ONCE).cloned().collect();
        out.push(Output::Send { to: from, envelope: Envelope::Links(links) });
    }

    fn receive_links(
        &mut self,
        now: Time,
        from: NodeId,
        links: Vec<Arc<Link<K::Record>>>,
        out: Outputs<'_, K>,
    ) {
        if self.asked.is_none_or(|(asked, _)| asked != from) {
            self.refuse(now, from, EpochRefusal::Unasked, out);
            return;
        }
        let full = links.len() >= MAX_LINKS_AT_ONCE;
        self.asked = None;
        if let Err(error) = self.walk(links.get(..MAX_LINKS_AT_ONCE).unwrap_or(&links)) {
            self.refuse(now, from, error.into(), out);
            return;
        }
        self.tell_participant(now, out);
        if full {
            self.ask_for_links(now, from, out);
        }
    }

    /// Takes the links that lead on from the last committee that is known, up to the first one that does not.
    ///
    /// Where there is a seed they are checked in groups ([`link::affordable`]), and those of a group with a wrong link one by one.
    fn walk(&mut self, mut links: &[Arc<Link<K::Record>>]) -> Result<(), LinkError> {
        let mut worth = 0;
        loop {
            let known = links.iter().take_while(|link| link.record.epoch() <= self.last_known()).count();
            let room = MAX_LINKS_AHEAD.saturating_sub(self.ahead.len());
            let (_, new) = links.split_at(known);
            let group = link::affordable(self.last_record(), new, worth).min(room);
            let (next, rest) = new.split_at(group);
            if next.is_empty() {
                return Ok(());
            }
            worth += link::checks(self.last_record(), next);
            if next.len() > 1 && self.lead_on(next) {
                self.ahead.extend(next.iter().cloned());
            } else {
                for link in next {
                    if link.record.epoch() > self.last_known() {
                        self.check_link(link)?;
                        self.ahead.push(Arc::clone(link));
                    }
                }
            }
            links = rest;
        }
    }

    /// The record of the last committee that is known.
    fn last_record(&self) -> &K::Record {
        self.ahead.last().map_or(&self.present.record, |link| &link.record)
    }

    /// Whether links lead on from the last committee that is known, each from the one before. All or nothing is known.
    fn lead_on(&self, links: &[Arc<Link<K::Record>>]) -> bool {
        let Some(seed) = &self.settings.batch_seed else { return false };
        link::steps(self.last_record(), links, self.settings.rules.quorum)
            .is_some_and(|steps| self.keys.verify_steps(&steps, seed))
    }

    /// Checks a link under the last committee that is known.
    fn check_link(&self, link: &Link<K::Record>) -> Result<(), LinkError> {
        let config = &self.present.config;
        let quorum = |roster: &Roster| roster.committee().quorum(config.rules.quorum);
        let Some(last) = self.ahead.last() else {
            let roster = &self.present.roster;
            link.check(&self.present.record, &roster.committee(), quorum(roster), &self.present.observer)?;
            return Roster::of(&link.record).map(drop).map_err(LinkError::from);
        };
        let roster = Roster::of(&last.record)?;
        let Some(verifier) = self.keys.verifier(&last.record) else {
            return Err(LinkError::Keys(last.record.epoch()));
        };
        link.check(&last.record, &roster.committee(), quorum(&roster), &verifier)?;
        Roster::of(&link.record).map(drop).map_err(LinkError::from)
    }
}
