//! Things that a Byzantine node makes up with its own keys, and with what honest nodes signed in another epoch.

use std::sync::Arc;

use zus_bpp::block::{Closing, Digest, Header};
use zus_bpp::certified::FinalityCertificate;
use zus_bpp::committee::{Epoch, MinerId, Round};
use zus_bpp::crypto::certificate::Certificate;
use zus_bpp::crypto::mock_scheme::MockScheme;
use zus_bpp::epochs::envelope::Envelope;
use zus_bpp::epochs::handoff::HandoffCertificate;
use zus_bpp::epochs::link::Link;
use zus_bpp::epochs::planned::{PlannedKeys, PlannedRecord};
use zus_bpp::epochs::roster::{CommitteeRecord as _, Roster};
use zus_bpp::evidence::Evidence;
use zus_bpp::message::{ChainRequest, Message};
use zus_bpp::statement::{FinalityVote, Signed, Ticket};
use zus_sim::epochs::Trace;

use super::specification::Specification;
use crate::schedule::Random;

type Made = (&'static str, Vec<Envelope<PlannedRecord>>);

/// See the module doc.
pub struct Adversary {
    /// The node.
    pub node: u16,
    keys: PlannedKeys<MockScheme>,
}

impl Adversary {
    /// That node, with its keys of all epochs.
    pub fn new(node: u16, keys: PlannedKeys<MockScheme>) -> Self {
        Self { node, keys }
    }

    /// Something for a node; `None` if what was drawn cannot be made.
    pub fn make(
        &self,
        random: &mut Random,
        trace: &Trace,
        specification: &Specification,
        to: u16,
    ) -> Option<Made> {
        let epoch = *specification.epochs().get(&to)?;
        let headers: Vec<&Header> = trace.headers.values().filter(|it| it.epoch == epoch).collect();
        let header = **headers.get(random.below(headers.len()))?;
        match random.below(6) {
            // A true closing or tail block, and one vote.
            0 => {
                let closed: Vec<&&Header> = headers.iter().filter(|it| it.closing != Closing::Open).collect();
                let header = ***closed.get(random.below(closed.len()))?;
                Some(("a handoff of few", vec![Envelope::Handoff(self.handoff(header)?)]))
            }
            // A block that nobody made.
            1 => {
                let record = self.record(epoch, random);
                let handoff = self.handoff(closing(header, record.digest()))?;
                Some(("a handoff of nothing", vec![Envelope::Handoff(handoff)]))
            }
            // A tail block that nobody made, above a true closing block or another block.
            2 => {
                let record = self.keys.plan().record(Epoch(epoch.0 + 1))?.digest();
                let tail = Closing::Tail { round: header.round, block: header.id(), record };
                let above =
                    Header { round: header.round.next(), parent: header.id(), closing: tail, ..header };
                Some(("a tail of nothing", vec![Envelope::Handoff(self.handoff(above)?)]))
            }
            // "I am in the next epoch", and links to it when the node asks.
            3 => {
                let record = self.record(epoch, random);
                let handoff = HandoffCertificate::clone(&*self.handoff(closing(header, record.digest()))?);
                let link = Arc::new(Link { handoff, record });
                let message = Message::ChainRequest(ChainRequest { after: Round(0), tip: None });
                let hint = Envelope::Message { epoch: Epoch(epoch.0 + 1), message };
                Some(("links to nothing", vec![hint, Envelope::Links(vec![link])]))
            }
            // Statements of another epoch, as if they were of this one.
            4 => {
                let (of, message) = trace.signed.get(random.below(trace.signed.len()))?;
                let other = if *of == epoch { Epoch(epoch.0 + 1) } else { epoch };
                Some((
                    "a statement of another epoch",
                    vec![Envelope::Message { epoch: other, message: message.clone() }],
                ))
            }
            _ => {
                let (first, second) = two_tickets(trace, random)?;
                let evidence = Evidence::Tickets { first, second }.canonical();
                let message = Message::Evidence(Arc::new(evidence));
                Some(("evidence across epochs", vec![Envelope::Message { epoch, message }]))
            }
        }
    }

    /// A record that no chain made: the adversary is the committee.
    fn record(&self, epoch: Epoch, random: &mut Random) -> PlannedRecord {
        let before = self.keys.plan().record(epoch);
        let previous = match random.below(2) {
            0 => before.as_ref().map_or(Digest::NONE, |before| before.digest()),
            _ => Digest([9; 32]),
        };
        let chain = self.keys.plan().chain;
        PlannedRecord {
            chain,
            epoch: Epoch(epoch.0 + 1),
            previous,
            miners: vec![self.node],
            sharders: Vec::new(),
        }
    }

    /// A handoff certificate with the vote of the adversary alone, in the epoch of the header.
    fn handoff(&self, header: Header) -> Option<Arc<HandoffCertificate>> {
        let record = self.keys.plan().record(header.epoch)?;
        let place = record.miners.iter().position(|member| *member == self.node)?;
        let scheme = self.keys.member(&record, MinerId(place as u16))?;
        let committee = Roster::of(&record).ok()?.committee();
        let statement = FinalityVote { round: header.round, subround: header.subround, block: header.id() };
        let signed = Signed::sign(statement, &committee, &scheme)?;
        let certificate = Certificate::assemble(&scheme, 1, &[(signed.signer, signed.signature)]).ok()?;
        let finality = Arc::new(FinalityCertificate { statement, certificate });
        HandoffCertificate::new(header, finality).ok().map(Arc::new)
    }
}

/// The header of a block that closes its epoch with this record.
fn closing(header: Header, record: Digest) -> Header {
    Header { closing: Closing::Closes { record }, ..header }
}

/// A ticket, and its epoch.
type Said = (Epoch, Signed<Ticket>);

/// Two tickets of one place and subround, of two epochs.
fn two_tickets(trace: &Trace, random: &mut Random) -> Option<(Signed<Ticket>, Signed<Ticket>)> {
    let tickets: Vec<Said> = trace
        .signed
        .iter()
        .filter_map(|(epoch, message)| match message {
            Message::Ticket(ticket) => Some((*epoch, *ticket)),
            _ => None,
        })
        .collect();
    let contradict = |(a, b): &(&Said, &Said)| {
        let same = |it: &Signed<Ticket>| (it.signer, it.statement.round, it.statement.subround);
        a.0 < b.0 && same(&a.1) == same(&b.1) && a.1.statement.block != b.1.statement.block
    };
    let pairs = tickets.iter().flat_map(|a| tickets.iter().map(move |b| (a, b)));
    let pairs: Vec<_> = pairs.filter(contradict).collect();
    pairs.get(random.below(pairs.len())).map(|(a, b)| (a.1, b.1))
}
